//! Values as the interpreter of expressions handles them: jq's order and arithmetic over the
//! values of the state, without copying it.
//!
//! Lives here: [`Val`], and how it is looked into. May not live here: functions by name (see
//! [`super::functions`]).
//!
//! Source of the order and of each operation: the jq 1.7 manual. Where jq would build a text or a
//! list of any size, this gives an error (see [`MAX_TEXT`] and [`MAX_ITEMS`]).

use std::cmp::Ordering;
use std::fmt;

use jaq_core::box_iter::{BoxIter, box_once};
use jaq_core::path::Opt;
use jaq_core::{Error, ValR, ValT, ValX, val};

use super::fuel;
use crate::model::{Key, Map, Value};

mod math;
mod order;

pub(super) use math::split;
pub(super) use order::compare;
use order::rank;

/// The longest text that an expression may make, in bytes.
pub(super) const MAX_TEXT: usize = 1 << 20;
/// The most items of a list that it may make by adding.
pub(super) const MAX_ITEMS: usize = 1 << 16;

/// A value; a clone is O(1).
#[derive(Debug, Clone, Default)]
pub(super) struct Val(pub(super) Value);

/// What came of an operation.
pub(super) type Fallible = ValR<Val>;

/// An error in plain words.
pub(super) fn fault(text: impl fmt::Display) -> Error<Val> {
    Error::str(text)
}

impl Val {
    /// A text value.
    pub(super) fn text(text: impl Into<Key>) -> Self {
        Self(Value::Text(text.into()))
    }

    /// A number that is no integer unless it is whole.
    pub(super) fn number(x: f64) -> Self {
        Self(Value::Float(x))
    }

    /// Its text, if it is one.
    pub(super) fn as_str(&self) -> Option<&str> {
        self.0.as_str()
    }

    /// Its text, or an error that says what was wanted.
    pub(super) fn need_str(&self) -> Result<&str, Error<Self>> {
        self.as_str().ok_or_else(|| Error::typ(self.short(), "string"))
    }

    /// Its number, or an error that says what was wanted.
    pub(super) fn need_number(&self) -> Result<f64, Error<Self>> {
        self.0.as_f64().ok_or_else(|| Error::typ(self.short(), "number"))
    }

    /// Its items, or an error that says what was wanted.
    pub(super) fn need_list(&self) -> Result<&[Value], Error<Self>> {
        self.0.as_list().ok_or_else(|| Error::typ(self.short(), "array"))
    }

    /// What jq calls its type.
    pub(super) fn type_name(&self) -> &'static str {
        match &self.0 {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Int(_) | Value::UInt(_) | Value::Float(_) => "number",
            Value::Text(_) | Value::Long(_) => "string",
            Value::List(_) => "array",
            Value::Map(_) => "object",
        }
    }

    /// Itself, or what it is when it would fill an error message.
    fn short(&self) -> Self {
        match &self.0 {
            Value::Map(_) | Value::List(_) => Self::text(format!("an {}", self.type_name())),
            Value::Long(_) => Self::text("a string of more than 4 KiB"),
            Value::Text(text) if text.len() > 80 => Self::text("a long string"),
            _ => self.clone(),
        }
    }

    /// Its JSON text, unless that is too long.
    pub(super) fn json(&self) -> Result<String, Error<Self>> {
        let mut out = Bounded(Vec::new());
        let written = serde_json::to_writer(&mut out, &self.0);
        let text = written.ok().and_then(|()| String::from_utf8(out.0).ok());
        text.ok_or_else(|| fault("the text of a value is longer than 1 MiB"))
    }
}

/// Takes as many bytes as a text may have.
struct Bounded(Vec<u8>);

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_TEXT {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl fmt::Display for Val {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.json() {
            Ok(text) => f.write_str(&text),
            Err(_) => f.write_str(self.type_name()),
        }
    }
}

impl PartialEq for Val {
    fn eq(&self, other: &Self) -> bool {
        rank(&self.0) == rank(&other.0) && compare(&self.0, &other.0).is_eq()
    }
}

impl PartialOrd for Val {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(compare(&self.0, &other.0))
    }
}

impl From<bool> for Val {
    fn from(b: bool) -> Self {
        Self(Value::Bool(b))
    }
}

impl From<isize> for Val {
    fn from(n: isize) -> Self {
        Self(Value::Int(n as i64))
    }
}

impl From<String> for Val {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<val::Range<Val>> for Val {
    fn from(range: val::Range<Val>) -> Self {
        let bound = |value: Option<Val>| value.unwrap_or_default().0;
        let mut map = Map::new();
        map.insert("start", bound(range.start));
        map.insert("end", bound(range.end));
        Self(Value::Map(map))
    }
}

impl FromIterator<Val> for Val {
    fn from_iter<T: IntoIterator<Item = Val>>(iter: T) -> Self {
        Self(Value::list(iter.into_iter().map(|val| val.0)))
    }
}

/// The place in a list of `length` that an index means; those below zero count from its end.
fn place(index: f64, length: usize) -> Option<usize> {
    #[allow(clippy::cast_possible_truncation, reason = "as jq does, by intention")]
    let index = index.floor() as i64;
    let from_end = || i64::try_from(length).ok()?.checked_add(index);
    usize::try_from(if index < 0 { from_end()? } else { index }).ok()
}

/// Where a slice of `length` items begins and ends.
fn bounds(range: &val::Range<&Val>, length: usize) -> Result<(usize, usize), Error<Val>> {
    let bound = |value: Option<&Val>, otherwise: usize| match value.filter(|val| !val.0.is_null()) {
        None => Ok(otherwise),
        Some(val) => Ok(place(val.need_number()?, length).unwrap_or(0).min(length)),
    };
    let (start, end) = (bound(range.start, 0)?, bound(range.end, length)?);
    Ok((start, end.max(start)))
}

impl ValT for Val {
    fn from_num(text: &str) -> Fallible {
        let whole = || text.parse::<i64>().ok().map(Value::Int);
        let large = || text.parse::<u64>().ok().map(Value::UInt);
        let other = || text.parse::<f64>().ok().filter(|x| x.is_finite()).map(Value::Float);
        let number = whole().or_else(large).or_else(other);
        number.map(Self).ok_or_else(|| fault(format!("{text} is no number")))
    }

    fn from_map<I: IntoIterator<Item = (Self, Self)>>(iter: I) -> Fallible {
        let mut map = Map::new();
        for (key, value) in iter {
            let key = key.0.as_text().cloned();
            map.insert(key.ok_or_else(|| fault("a key is no string"))?, value.0);
        }
        Ok(Self(Value::Map(map)))
    }

    fn key_values(self) -> BoxIter<'static, Result<(Self, Self), Error<Self>>> {
        let pairs: Vec<(Self, Self)> = match &self.0 {
            Value::Map(map) => {
                let pair =
                    |(key, value): (&Key, &Value)| (Self::text(key.clone()), Self(value.clone()));
                map.iter().map(pair).collect()
            }
            Value::List(items) => {
                let pair = |(at, item): (usize, &Value)| {
                    (Self(Value::Int(i64::try_from(at).unwrap_or(i64::MAX))), Self(item.clone()))
                };
                items.iter().enumerate().map(pair).collect()
            }
            _ => return box_once(Err(Error::typ(self.short(), "iterable (array or object)"))),
        };
        metered(pairs)
    }

    fn values(self) -> Box<dyn Iterator<Item = Fallible>> {
        let values: Vec<Self> = match &self.0 {
            Value::Map(map) => map.iter().map(|(_, value)| Self(value.clone())).collect(),
            Value::List(items) => items.iter().cloned().map(Self).collect(),
            _ => return box_once(Err(Error::typ(self.short(), "iterable (array or object)"))),
        };
        metered(values)
    }

    fn index(self, index: &Self) -> Fallible {
        if !fuel::burn(1) {
            return Err(fuel::spent());
        }
        match (&self.0, &index.0) {
            (Value::Map(map), Value::Text(key)) => {
                Ok(Self(map.get(key).cloned().unwrap_or_default()))
            }
            (Value::List(items), Value::Int(_) | Value::UInt(_) | Value::Float(_)) => {
                let at = place(index.need_number()?, items.len());
                Ok(Self(at.and_then(|at| items.get(at)).cloned().unwrap_or_default()))
            }
            (
                Value::Null,
                Value::Text(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Null,
            ) => Ok(Self::default()),
            _ => Err(Error::index(self.short(), index.short())),
        }
    }

    fn range(self, range: val::Range<&Self>) -> Fallible {
        match &self.0 {
            Value::List(items) => {
                let (start, end) = bounds(&range, items.len())?;
                Ok(Self(Value::list(items[start..end].iter().cloned())))
            }
            Value::Text(text) => {
                let (start, end) = bounds(&range, text.chars().count())?;
                let slice: String = text.chars().skip(start).take(end - start).collect();
                Ok(Self::text(slice))
            }
            Value::Null => Ok(self),
            _ => Err(Error::typ(self.short(), "array or string")),
        }
    }

    // Assignments are refused before anything runs: an expression changes nothing.
    fn map_values<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        opt: Opt,
        _: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        opt.fail(self, |_| no_change().into())
    }

    fn map_index<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        _: &Self,
        opt: Opt,
        _: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        opt.fail(self, |_| no_change().into())
    }

    fn map_range<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        _: val::Range<&Self>,
        opt: Opt,
        _: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        opt.fail(self, |_| no_change().into())
    }

    fn as_bool(&self) -> bool {
        !matches!(self.0, Value::Null | Value::Bool(false))
    }

    fn into_string(self) -> Self {
        match &self.0 {
            Value::Text(_) => self,
            _ => Self::text(self.to_string()),
        }
    }
}

fn no_change() -> Error<Val> {
    fault("an expression changes nothing")
}

/// The items one by one, each counted; an error, and then no more, when too many were.
fn metered<T: 'static>(items: Vec<T>) -> BoxIter<'static, Result<T, Error<Val>>> {
    let mut items = items.into_iter();
    let mut over = false;
    Box::new(std::iter::from_fn(move || {
        if over {
            return None;
        }
        if !fuel::burn(1) {
            over = true;
            return Some(Err(fuel::spent()));
        }
        items.next().map(Ok)
    }))
}
