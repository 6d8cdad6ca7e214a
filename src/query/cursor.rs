//! Where the next page begins.
//!
//! Lives here: [`Cursor`] and its text. May not live here: reading pages.

use std::fmt;
use std::sync::Arc;

use super::filter::Filter;
use super::{Order, Place};
use crate::error::{Error, Result};
use crate::model::{Timestamp, ids};

/// The last event of a page. The next page holds what comes after it in the query's order,
/// however much was appended meanwhile; an event that is appended to another issue with an
/// earlier time than the cursor's is not seen by later pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub(super) order: Order,
    pub(super) place: Place,
    /// Which filter it belongs to.
    fingerprint: String,
}

impl Cursor {
    pub(super) fn new(order: Order, place: Place, filter: &Filter) -> Self {
        Self { order, place, fingerprint: filter.fingerprint() }
    }

    /// Reads a cursor that an earlier page gave.
    ///
    /// # Errors
    /// Usage, when the text is none.
    pub fn parse(text: &str) -> Result<Self> {
        read(text).ok_or_else(|| {
            Error::usage(format!("{text:?} is not a cursor"))
                .with_hint("give the next_cursor of the page before as it is")
        })
    }

    /// Whether this cursor continues a query.
    ///
    /// # Errors
    /// Usage, when it comes from a query with another filter or order.
    pub(super) fn check(&self, filter: &Filter, order: Order) -> Result<()> {
        if self.fingerprint == filter.fingerprint() && self.order == order {
            return Ok(());
        }
        Err(Error::usage("this cursor belongs to a query with another filter or order")
            .with_hint("repeat the query that gave it, with --cursor added; --limit may differ"))
    }
}

fn read(text: &str) -> Option<Cursor> {
    let mut parts = text.split('.');
    let order = match parts.next()? {
        "f1" => Order::Forward,
        "r1" => Order::Reverse,
        _ => return None,
    };
    let fingerprint = parts.next().filter(|f| f.len() == 12)?.to_owned();
    let clock = Timestamp::from_millis(i64::from_str_radix(parts.next()?, 16).ok()?);
    let position = u32::from_str_radix(parts.next()?, 16).ok()?;
    let issue_key: Arc<str> = unhex(parts.next()?)?.into();
    let place = Place { clock, issue_key, position };
    parts.next().is_none().then_some(Cursor { order, place, fingerprint })
}

fn unhex(text: &str) -> Option<String> {
    let digits = text.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> =
        digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    String::from_utf8(bytes?).ok()
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = match self.order {
            Order::Forward => "f1",
            Order::Reverse => "r1",
        };
        let Place { clock, issue_key, position } = &self.place;
        let (sign, millis) =
            (if clock.millis() < 0 { "-" } else { "" }, clock.millis().unsigned_abs());
        let key = ids::hex(issue_key.as_bytes());
        write!(f, "{order}.{}.{sign}{millis:x}.{position:x}.{key}", self.fingerprint)
    }
}

impl serde::Serialize for Cursor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Field;

    proptest::proptest! {
        #[test]
        fn text_and_back(millis in proptest::num::i64::ANY, position: u32, key in ".{0,20}", reverse: bool) {
            let place = Place { clock: Timestamp::from_millis(millis), issue_key: key.into(), position };
            let order = if reverse { Order::Reverse } else { Order::Forward };
            let cursor = Cursor::new(order, place, &Filter::new());
            proptest::prop_assert_eq!(Cursor::parse(&cursor.to_string()).unwrap(), cursor);
        }

        #[test]
        fn any_text_is_answered(text in "[fr]?1?[.0-9a-f\u{e9}]{0,40}") {
            let _ = Cursor::parse(&text);
        }
    }

    #[test]
    fn a_cursor_of_another_query_is_refused() {
        let place = Place { clock: Timestamp::default(), issue_key: "P-1".into(), position: 3 };
        let cursor = Cursor::new(Order::Forward, place, &Filter::new());
        assert!(cursor.check(&Filter::new(), Order::Forward).is_ok());
        assert!(cursor.check(&Filter::new(), Order::Reverse).is_err());
        let other = Filter::new().with(Field::Type, "AgentFailed").unwrap();
        assert!(cursor.check(&other, Order::Forward).is_err());
    }
}
