//! What differs between two maps, packed into bytes: a version of a tree at the price of its
//! changes.
//!
//! Lives here: [`pack`] and [`unpack`]. May not live here: files; the bytes are for the program that
//! made them, and have no version.
//!
//! A map's changes are a row of entries, each a tag, a key and what the tag asks for, up to
//! [`END`]. Numbers are written in groups of seven bits, lowest first.

use std::sync::Arc;

use super::shelf::Filling;
use super::spill::Spill;
use super::{Key, LongValue, Map, Value};
use crate::model::septets;

pub(super) const END: u8 = 0;
/// The key is gone.
const GONE: u8 = 1;
/// The changes of the map under the key follow.
const WITHIN: u8 = 2;
const NULL: u8 = 3;
const FALSE: u8 = 4;
const TRUE: u8 = 5;
const INT: u8 = 6;
const UINT: u8 = 7;
const FLOAT: u8 = 8;
const TEXT: u8 = 9;
const LONG: u8 = 10;
const LIST: u8 = 11;
const MAP: u8 = 12;
/// A map that stands in a spill; this and the next only in the records of [`super::spill`].
pub(super) const STORED: u8 = 13;
/// A map as in such a record of its own.
pub(super) const HERE: u8 = 14;

/// Adds to `out` what makes `new` of `old`. Shared parts are not looked at.
pub fn pack(old: &Map, new: &Map, out: &mut Vec<u8>) {
    old.differing(new, |key, old, new| match (old, new) {
        (Some(Value::Map(old)), Some(Value::Map(new))) => {
            let before = out.len();
            put_key(WITHIN, key, out);
            let begun = out.len();
            pack(old, new, out);
            if out.len() == begun + 1 {
                out.truncate(before);
            }
        }
        (old, Some(new)) if old != Some(new) => put_value(new, Some(key), out),
        (_, Some(_)) => {}
        (_, None) => put_key(GONE, key, out),
    });
    out.push(END);
}

pub(super) fn put_key(tag: u8, key: &str, out: &mut Vec<u8>) {
    out.push(tag);
    put_text(key, out);
}

pub(super) fn put_text(text: &str, out: &mut Vec<u8>) {
    septets::put(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

/// A value: its tag, the key where it has one, and what it holds.
pub(super) fn put_value(value: &Value, key: Option<&Key>, out: &mut Vec<u8>) {
    out.push(tag_of(value));
    if let Some(key) = key {
        put_text(key, out);
    }
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Int(n) => septets::put(septets::from_signed(*n), out),
        Value::UInt(n) => septets::put(*n, out),
        Value::Float(x) => out.extend_from_slice(&x.to_bits().to_le_bytes()),
        Value::Text(text) => put_text(text, out),
        Value::Long(long) => {
            septets::put(long.bytes, out);
            for text in [&long.event_id, &long.pointer, &long.sha256, &long.head] {
                put_text(text, out);
            }
        }
        Value::List(items) => {
            septets::put(items.len() as u64, out);
            items.iter().for_each(|item| put_value(item, None, out));
        }
        Value::Map(map) => {
            septets::put(map.len() as u64, out);
            map.iter().for_each(|(key, value)| put_value(value, Some(key), out));
            out.push(END);
        }
    }
}

fn tag_of(value: &Value) -> u8 {
    match value {
        Value::Null => NULL,
        Value::Bool(false) => FALSE,
        Value::Bool(true) => TRUE,
        Value::Int(_) => INT,
        Value::UInt(_) => UINT,
        Value::Float(_) => FLOAT,
        Value::Text(_) => TEXT,
        Value::Long(_) => LONG,
        Value::List(_) => LIST,
        Value::Map(_) => MAP,
    }
}

/// Makes of `map` what it became; `packed` must be what [`pack`] made for a map equal to it. Gives
/// what follows the changes; none where the bytes are no changes.
pub fn unpack<'a>(map: &mut Map, packed: &'a [u8]) -> Option<&'a [u8]> {
    let mut bytes = Bytes { left: packed, shelf: None };
    bytes.change(map)?;
    Some(bytes.left)
}

/// What is not read yet.
pub(super) struct Bytes<'a> {
    left: &'a [u8],
    /// For maps that are only named.
    pub(super) shelf: Option<Filling<'a>>,
}

impl<'a> Bytes<'a> {
    /// A record of this spill.
    pub(super) fn of_record(bytes: &'a [u8], spill: &'a Arc<Spill>) -> Self {
        Self { left: bytes, shelf: Some(Filling::new(spill)) }
    }

    /// Nothing more is read: what was named can be looked at.
    pub(super) fn done(self) {
        self.shelf.into_iter().for_each(Filling::done);
    }

    fn change(&mut self, map: &mut Map) -> Option<()> {
        loop {
            match self.byte()? {
                END => return Some(()),
                GONE => drop(map.remove(self.text()?)),
                WITHIN => {
                    let key = Key::new(self.text()?);
                    self.change(map.map_mut(&key))?;
                }
                tag => {
                    let key = Key::new(self.text()?);
                    let value = self.value(tag)?;
                    map.insert(key, value);
                }
            }
        }
    }

    fn value(&mut self, tag: u8) -> Option<Value> {
        Some(match tag {
            NULL => Value::Null,
            FALSE => Value::Bool(false),
            TRUE => Value::Bool(true),
            INT => Value::Int(septets::to_signed(self.number()?)),
            UINT => Value::UInt(self.number()?),
            FLOAT => Value::Float(f64::from_bits(u64::from_le_bytes(self.take()?))),
            TEXT => Value::text(self.text()?),
            LONG => {
                let bytes = self.number()?;
                let mut text = || self.text().map(Key::new);
                let (event_id, pointer, sha256, head) = (text()?, text()?, text()?, text()?);
                Value::Long(Arc::new(LongValue { event_id, pointer, bytes, sha256, head }))
            }
            LIST => {
                let count = usize::try_from(self.number()?).ok()?;
                let items = self.times(count, |bytes| {
                    let tag = bytes.byte()?;
                    bytes.value(tag)
                })?;
                Value::List(items.into())
            }
            MAP => {
                let count = usize::try_from(self.number()?).ok()?;
                Value::Map(Map::from_sorted(self.entries(count)?))
            }
            STORED => Value::Map(self.stored()?),
            HERE => Value::Map(self.leaf()?),
            _ => return None,
        })
    }

    /// The entries of a map up to its end; about so many.
    pub(super) fn entries(&mut self, about: usize) -> Option<Vec<(Key, Value)>> {
        let mut entries = Vec::with_capacity(about.min(self.left.len()));
        loop {
            match self.byte()? {
                END => return Some(entries),
                tag => {
                    let key = Key::new(self.text()?);
                    entries.push((key, self.value(tag)?));
                }
            }
        }
    }

    /// So many things, one after the other.
    pub(super) fn times<T>(
        &mut self,
        count: usize,
        each: impl Fn(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        // (Nothing is shorter than a byte. To collect them would not know how many there will be.)
        let mut all = Vec::with_capacity(count.min(self.left.len()));
        for _ in 0..count {
            all.push(each(self)?);
        }
        Some(all)
    }

    /// So many maps that are only named may come.
    pub(super) fn expect(&mut self, maps: usize) {
        if let Some(shelf) = &mut self.shelf {
            shelf.expect(maps);
        }
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.take().map(|[byte]| byte)
    }

    pub(super) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.left.split_first_chunk()?;
        self.left = rest;
        Some(*bytes)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let (number, rest) = septets::split(self.left)?;
        self.left = rest;
        Some(number)
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.left.split_at_checked(length)?;
        self.left = rest;
        std::str::from_utf8(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        let long = Value::Long(Arc::new(LongValue {
            event_id: "e".into(),
            pointer: "/metadata/x".into(),
            bytes: 70_000,
            sha256: "ab".into(),
            head: "…".into(),
        }));
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            (i64::MAX as u64 + 1..=u64::MAX).prop_map(Value::UInt),
            any::<f64>().prop_filter("a number", |x| x.is_finite()).prop_map(Value::Float),
            ".{0,30}".prop_map(Value::text),
            Just(long),
        ];
        leaf.prop_recursive(3, 60, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::list),
                prop::collection::vec(("[a-z]{0,2}", inner), 0..8)
                    .prop_map(|entries| Value::Map(entries.into_iter().collect())),
            ]
        })
    }

    fn map() -> impl Strategy<Value = Map> {
        prop::collection::vec(("[a-f]{1,2}", value()), 0..50)
            .prop_map(|entries| entries.into_iter().collect())
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_out(old in map(), new in map(), then in any::<u8>()) {
            let mut packed = Vec::new();
            pack(&old, &new, &mut packed);
            packed.push(then);
            let mut made = old;
            prop_assert_eq!(unpack(&mut made, &packed), Some(&[then][..]));
            prop_assert_eq!(made, new);
        }

        #[test]
        fn other_bytes_are_refused_and_nothing_breaks(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = unpack(&mut Map::new(), &bytes);
            prop_assert_eq!(unpack(&mut Map::new(), &[]), None);
        }
    }

    #[test]
    fn equal_maps_are_one_byte() {
        let tree: Map =
            [("a", Value::Map([("b", Value::Int(1))].into_iter().collect()))].into_iter().collect();
        let again: Map =
            [("a", Value::Map([("b", Value::Int(1))].into_iter().collect()))].into_iter().collect();
        let mut packed = Vec::new();
        pack(&tree, &again, &mut packed);
        assert_eq!(packed, [END]);
    }
}
