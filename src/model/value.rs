//! A persistent JSON value: a clone is O(1), and two versions share what did not change.
//!
//! Lives here: [`Value`], [`Map`], their JSON text and look-up by path. May not live here: what
//! the keys mean (see [`crate::fold`]) or comparing two trees (see [`crate::diff`]).

use std::fmt;
use std::sync::Arc;

use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq, Serializer};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::path::Path;

/// A key of a map: short ones are stored in place, long ones are shared.
pub type Key = SmolStr;

/// The most entries a map keeps as one sorted array; larger ones become a B-tree.
const SMALL_MAP: usize = 32;

/// The key under which a [`LongValue`] stands in JSON.
pub const LONG_KEY: &str = "$long";

/// A JSON value that shares structure with the versions it was made from.
#[derive(Debug, Clone, Default)]
pub enum Value {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// An integer that fits 64 bits with a sign.
    Int(i64),
    /// An integer above `i64::MAX`.
    UInt(u64),
    /// Any other number.
    Float(f64),
    /// A string.
    Text(SmolStr),
    /// A value too large to keep: a reference into the log.
    Long(Arc<LongValue>),
    /// An array; compared and replaced as a whole.
    List(Arc<[Value]>),
    /// An object.
    Map(Map),
}

/// Where a value of more than [`LongValue::LIMIT`] bytes stands in the log.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LongValue {
    /// The event that carries it.
    pub event_id: SmolStr,
    /// The JSON pointer to it, from the event's root.
    pub pointer: SmolStr,
    /// The length of its JSON text in bytes.
    pub bytes: u64,
    /// SHA-256 of its JSON text, as lower-case hex.
    pub sha256: SmolStr,
    /// Its first characters, for people.
    pub head: SmolStr,
}

impl LongValue {
    /// Values whose JSON text is longer than this many bytes are kept as references.
    pub const LIMIT: usize = 4096;
    /// How many characters of the value [`LongValue::head`] keeps at most.
    pub const HEAD_CHARS: usize = 120;
}

impl Value {
    /// A string value.
    pub fn text(text: impl Into<SmolStr>) -> Self {
        Self::Text(text.into())
    }

    /// A list of values.
    pub fn list(items: impl IntoIterator<Item = Value>) -> Self {
        Self::List(items.into_iter().collect())
    }

    /// The text, if this is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The shared text, if this is a string.
    #[must_use]
    pub fn as_text(&self) -> Option<&SmolStr> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The integer, if this is one that fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n),
            _ => None,
        }
    }

    /// The number, integer or not.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "asked for as a float, e.g. to draw it")]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(n) => Some(*n as f64),
            Self::UInt(n) => Some(*n as f64),
            Self::Float(x) => Some(*x),
            _ => None,
        }
    }

    /// The truth value, if this is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(b) = self { Some(*b) } else { None }
    }

    /// The map, if this is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }

    /// The map to change, if this is one.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }

    /// The items, if this is a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Value]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    /// Whether this is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The value under `key`, if this is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(key)
    }

    /// The value at `path`; list items are reached by their index.
    #[must_use]
    pub fn at(&self, path: &Path) -> Option<&Value> {
        path.keys().iter().try_fold(self, |value, key| match value {
            Self::Map(map) => map.get(key),
            Self::List(items) => items.get(key.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// Whether both are one and the same in memory: true means equal, false means nothing.
    #[must_use]
    pub fn same(&self, other: &Value) -> bool {
        match (self, other) {
            (Self::Map(a), Self::Map(b)) => a.same(b),
            (Self::List(a), Self::List(b)) => Arc::ptr_eq(a, b),
            (Self::Long(a), Self::Long(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// Compact JSON with sorted keys: the text that digests are made of.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Serialising to memory cannot fail: keys are strings, and floats are finite.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The same value as serde_json knows it, for documents that are printed.
    #[must_use]
    pub fn to_serde(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::UInt(a), Self::UInt(b)) => a == b,
            // As JSON text: a state never holds NaN, and 0.0 differs from -0.0 in print.
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Long(a), Self::Long(b)) => Arc::ptr_eq(a, b) || a == b,
            (Self::List(a), Self::List(b)) => Arc::ptr_eq(a, b) || a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}
impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}
impl From<u32> for Value {
    fn from(n: u32) -> Self {
        Self::Int(n.into())
    }
}
impl From<u64> for Value {
    fn from(n: u64) -> Self {
        i64::try_from(n).map_or(Self::UInt(n), Self::Int)
    }
}
impl From<f64> for Value {
    /// Not-a-number and the infinities become `null`, as in JSON.
    fn from(x: f64) -> Self {
        if x.is_finite() { Self::Float(x) } else { Self::Null }
    }
}
impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}
impl From<SmolStr> for Value {
    fn from(text: SmolStr) -> Self {
        Self::Text(text)
    }
}
impl From<&SmolStr> for Value {
    fn from(text: &SmolStr) -> Self {
        Self::Text(text.clone())
    }
}
impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

/// An ordered map from keys to values. Small ones are one sorted array, large ones a B-tree; both
/// are copied only where they change.
#[derive(Debug, Clone)]
pub struct Map(Repr);

#[derive(Debug, Clone)]
enum Repr {
    Small(Arc<Vec<(Key, Value)>>),
    Large(imbl::OrdMap<Key, Value>),
}

impl Default for Map {
    fn default() -> Self {
        Self(Repr::Small(Arc::default()))
    }
}

impl Map {
    /// The empty map.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The empty map, with room for some entries.
    #[must_use]
    pub fn with_capacity(entries: usize) -> Self {
        Self(Repr::Small(Arc::new(Vec::with_capacity(entries.min(SMALL_MAP)))))
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Repr::Small(entries) => entries.len(),
            Repr::Large(tree) => tree.len(),
        }
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether both are one and the same in memory: true means equal, false means nothing.
    #[must_use]
    pub fn same(&self, other: &Map) -> bool {
        match (&self.0, &other.0) {
            (Repr::Small(a), Repr::Small(b)) => Arc::ptr_eq(a, b),
            (Repr::Large(a), Repr::Large(b)) => a.ptr_eq(b),
            _ => false,
        }
    }

    /// The value under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        match &self.0 {
            Repr::Small(entries) => place(entries, key).map(|at| &entries[at].1),
            Repr::Large(tree) => tree.get(key),
        }
    }

    /// The value under `key`, to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        match &mut self.0 {
            Repr::Small(entries) => {
                let at = place(entries, key)?;
                Some(&mut Arc::make_mut(entries)[at].1)
            }
            Repr::Large(tree) => tree.get_mut(key),
        }
    }

    /// The map under `key`, made empty where there is none (or something else).
    pub fn map_mut(&mut self, key: &Key) -> &mut Map {
        let mut found = self.position(key);
        if found.is_none() && self.get(key).is_none() {
            self.insert(key.clone(), Value::Map(Map::new()));
            found = self.position(key);
        }
        let value = match &mut self.0 {
            Repr::Small(entries) => found.map(|at| &mut Arc::make_mut(entries)[at].1),
            Repr::Large(tree) => tree.get_mut(key),
        };
        let Some(value) = value else { unreachable!("a value was put there above") };
        if !matches!(value, Value::Map(_)) {
            *value = Value::Map(Map::new());
        }
        match value {
            Value::Map(map) => map,
            _ => unreachable!("it was made a map above"),
        }
    }

    /// The map under `key` to change; or, where there is none, this map itself.
    ///
    /// # Errors
    /// This map, where it has no map under `key`.
    pub fn enter(&mut self, key: &str) -> Result<&mut Map, &mut Map> {
        let found = match &self.0 {
            Repr::Small(entries) => place(entries, key),
            Repr::Large(tree) => matches!(tree.get(key), Some(Value::Map(_))).then_some(0),
        };
        let Some(at) = found else { return Err(self) };
        if let Repr::Small(entries) = &self.0
            && !matches!(entries[at].1, Value::Map(_))
        {
            return Err(self);
        }
        let value = match &mut self.0 {
            Repr::Small(entries) => Some(&mut Arc::make_mut(entries)[at].1),
            Repr::Large(tree) => tree.get_mut(key),
        };
        match value {
            Some(Value::Map(map)) => Ok(map),
            _ => unreachable!("a map was found above"),
        }
    }

    /// Where a small map has `key`.
    fn position(&self, key: &str) -> Option<usize> {
        match &self.0 {
            Repr::Small(entries) => place(entries, key),
            Repr::Large(_) => None,
        }
    }

    /// Puts `value` under `key` and gives what was there.
    pub fn insert(&mut self, key: impl Into<Key>, value: Value) -> Option<Value> {
        let key = key.into();
        match &mut self.0 {
            Repr::Small(entries) => match find(entries, &key) {
                Ok(at) => Some(std::mem::replace(&mut Arc::make_mut(entries)[at].1, value)),
                Err(at) if entries.len() < SMALL_MAP => {
                    Arc::make_mut(entries).insert(at, (key, value));
                    None
                }
                Err(_) => {
                    let mut tree: imbl::OrdMap<_, _> = entries.iter().cloned().collect();
                    tree.insert(key, value);
                    self.0 = Repr::Large(tree);
                    None
                }
            },
            Repr::Large(tree) => tree.insert(key, value),
        }
    }

    /// Puts `value` under `key`, unless an equal one is there already: then nothing is copied that
    /// is shared. Gives what was there (none for nothing) where that changed.
    ///
    /// # Errors
    /// Gives `value` back where an equal one was there.
    pub fn replace(&mut self, key: Key, value: Value) -> Result<Option<Value>, Value> {
        if let (Some(at), Repr::Small(entries)) = (self.position(&key), &mut self.0) {
            if entries[at].1 == value {
                return Err(value);
            }
            return Ok(Some(std::mem::replace(&mut Arc::make_mut(entries)[at].1, value)));
        }
        if self.get(&key) == Some(&value) {
            return Err(value);
        }
        Ok(self.insert(key, value))
    }

    /// Takes `key` out and gives what was there.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        match &mut self.0 {
            Repr::Small(entries) => {
                let at = place(entries, key)?;
                Some(Arc::make_mut(entries).remove(at).1)
            }
            Repr::Large(tree) => {
                let removed = tree.remove(key)?;
                // Hysteresis: a map that hovers around the limit does not flip at each change.
                if tree.len() <= SMALL_MAP / 2 {
                    self.0 = Repr::Small(Arc::new(
                        tree.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
                    ));
                }
                Some(removed)
            }
        }
    }

    /// Its entries in the order of the keys.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        match &self.0 {
            Repr::Small(entries) => Iter(IterRepr::Small(entries.iter())),
            Repr::Large(tree) => Iter(IterRepr::Large(Box::new(tree.iter()))),
        }
    }

    /// The entries that may differ between `self` and `other`, in the order of the keys; shared
    /// parts are skipped without being looked at.
    pub fn differing<'a>(
        &'a self,
        other: &'a Map,
        mut each: impl FnMut(&'a Key, Option<&'a Value>, Option<&'a Value>),
    ) {
        if self.same(other) {
            return;
        }
        if let (Repr::Large(a), Repr::Large(b)) = (&self.0, &other.0) {
            use imbl::ordmap::DiffItem;
            for item in a.diff(b) {
                match item {
                    DiffItem::Add(key, new) => each(key, None, Some(new)),
                    DiffItem::Update { old: (key, old), new: (_, new) } => {
                        each(key, Some(old), Some(new));
                    }
                    DiffItem::Remove(key, old) => each(key, Some(old), None),
                }
            }
            return;
        }
        merge(self.iter(), other.iter(), each);
    }
}

/// Walks two sorted sequences side by side; equal pairs are passed on too unless shared.
fn merge<'a>(
    left: Iter<'a>,
    right: Iter<'a>,
    mut each: impl FnMut(&'a Key, Option<&'a Value>, Option<&'a Value>),
) {
    let (mut left, mut right) = (left.peekable(), right.peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => return,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some((a, _)), Some((b, _))) => a.cmp(b),
        };
        match order {
            std::cmp::Ordering::Less => {
                if let Some((key, old)) = left.next() {
                    each(key, Some(old), None);
                }
            }
            std::cmp::Ordering::Greater => {
                if let Some((key, new)) = right.next() {
                    each(key, None, Some(new));
                }
            }
            std::cmp::Ordering::Equal => {
                if let (Some((key, old)), Some((_, new))) = (left.next(), right.next())
                    && !old.same(new)
                {
                    each(key, Some(old), Some(new));
                }
            }
        }
    }
}

/// Where a key stands. Most of a fold's time is spent here: passing over keys of other lengths and
/// other first bytes is twice as fast as a binary search of so short an array.
fn place(entries: &[(Key, Value)], key: &str) -> Option<usize> {
    let wanted = key.as_bytes();
    entries.iter().position(|(k, _)| {
        let k = k.as_bytes();
        k.len() == wanted.len() && k.first() == wanted.first() && k == wanted
    })
}

/// Where a key stands, or where it would. Keys are compared by their first eight bytes as a
/// number, and as texts only where these are equal.
fn find(entries: &[(Key, Value)], key: &str) -> Result<usize, usize> {
    let prefix = first_eight(key);
    entries.binary_search_by(|(k, _)| {
        let k = k.as_str();
        first_eight(k).cmp(&prefix).then_with(|| k.cmp(key))
    })
}

/// The first eight bytes as a number that compares like them; shorter texts are padded with zeros.
fn first_eight(text: &str) -> u64 {
    let bytes = text.as_bytes();
    if let Some(eight) = bytes.first_chunk() {
        return u64::from_be_bytes(*eight);
    }
    let len = bytes.len();
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        // Four to seven bytes: the first four and the last four overlap.
        let (first, last) = (u32::from_be_bytes(*first), u32::from_be_bytes(*last));
        return u64::from(first) << 32 | u64::from(last) << (8 * (8 - len));
    }
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)) << ((8 * (8 - len)) % 64)
}

impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.same(other) || (self.len() == other.len() && self.iter().eq(other.iter()))
    }
}

impl Eq for Map {}

impl<K: Into<Key>> FromIterator<(K, Value)> for Map {
    fn from_iter<T: IntoIterator<Item = (K, Value)>>(entries: T) -> Self {
        let mut map = Map::new();
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }
}

impl<'a> IntoIterator for &'a Map {
    type Item = (&'a Key, &'a Value);
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The entries of a [`Map`] in the order of the keys.
#[allow(missing_debug_implementations, reason = "the tree's iterator has none")]
pub struct Iter<'a>(IterRepr<'a>);

enum IterRepr<'a> {
    Small(std::slice::Iter<'a, (Key, Value)>),
    Large(Box<imbl::ordmap::Iter<'a, Key, Value, imbl::shared_ptr::DefaultSharedPtr>>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a Key, &'a Value);

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            IterRepr::Small(entries) => entries.next().map(|(key, value)| (key, value)),
            IterRepr::Large(tree) => tree.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.0 {
            IterRepr::Small(entries) => entries.size_hint(),
            IterRepr::Large(tree) => tree.size_hint(),
        }
    }
}

impl Serialize for Map {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_map(Some(self.len()))?;
        for (key, value) in self {
            out.serialize_entry(key.as_str(), value)?;
        }
        out.end()
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(b) => serializer.serialize_bool(*b),
            Self::Int(n) => serializer.serialize_i64(*n),
            Self::UInt(n) => serializer.serialize_u64(*n),
            Self::Float(x) => serializer.serialize_f64(*x),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Long(long) => {
                let mut out = serializer.serialize_map(Some(1))?;
                out.serialize_entry(LONG_KEY, long.as_ref())?;
                out.end()
            }
            Self::List(items) => {
                let mut out = serializer.serialize_seq(Some(items.len()))?;
                for item in items.iter() {
                    out.serialize_element(item)?;
                }
                out.end()
            }
            Self::Map(map) => map.serialize(serializer),
        }
    }
}

impl fmt::Display for Value {
    /// Compact JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
        Ok(Value::Bool(b))
    }
    fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
        Ok(Value::Int(n))
    }
    fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
        Ok(n.into())
    }
    fn visit_f64<E>(self, x: f64) -> Result<Value, E> {
        Ok(x.into())
    }
    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.into()))
    }
    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text.into()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items.into()))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut entries: Vec<(Key, Value)> = Vec::new();
        while let Some((key, value)) = access.next_entry::<Key, Value>()? {
            // A key that comes twice keeps its last value, as most JSON readers do.
            match find(&entries, &key) {
                Ok(at) => entries[at].1 = value,
                Err(at) => entries.insert(at, (key, value)),
            }
        }
        if entries.len() <= SMALL_MAP {
            Ok(Value::Map(Map(Repr::Small(Arc::new(entries)))))
        } else {
            Ok(Value::Map(Map(Repr::Large(entries.into_iter().collect()))))
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

impl<'de> Deserialize<'de> for Map {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Map(map) => Ok(map),
            _ => Err(de::Error::custom("not a JSON object")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Value {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn sizes_stay_small() {
        assert!(size_of::<Value>() <= 32, "{}", size_of::<Value>());
    }

    #[test]
    fn json_text_has_sorted_keys_and_exact_numbers() {
        let json =
            r#"{"b":[1,-2,18446744073709551615,1.5,1e300],"a":{"é":"\u0001\n"},"a":{"z":null}}"#;
        assert_eq!(
            value(json).to_json(),
            r#"{"a":{"z":null},"b":[1,-2,18446744073709551615,1.5,1e+300]}"#
        );
    }

    #[test]
    fn keys_are_found_whatever_their_first_bytes() {
        let keys = ["", "\0", "a", "a\0", "ab", "abc", "abcd", "abcd\0", "abcde", "abcdefg"];
        let more = ["abcdefgh", "abcdefgh\0", "abcdefghi", "abcdefgz", "b", "é", "\u{10ffff}"];
        let all: Vec<&str> = keys.into_iter().chain(more).collect();
        let map: Map = all.iter().rev().map(|key| (*key, Value::from(*key))).collect();
        assert_eq!(map.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), all);
        for key in all {
            assert_eq!(map.get(key), Some(&Value::from(key)), "{key:?}");
            assert_eq!(map.get(&format!("{key}x")), None);
        }
    }

    #[test]
    fn replacing_by_an_equal_value_leaves_the_map_shared() {
        for size in [5, 100] {
            let mut map: Map = (0..size).map(|n| (format!("{n:03}"), Value::Int(n))).collect();
            let before = map.clone();
            assert_eq!(map.replace("001".into(), Value::Int(1)), Err(Value::Int(1)));
            assert!(map.same(&before));
            assert_eq!(map.replace("001".into(), Value::Int(7)), Ok(Some(Value::Int(1))));
            assert_eq!(map.replace("x".into(), Value::Null), Ok(None));
            assert_eq!(before.get("001"), Some(&Value::Int(1)));
        }
    }

    #[test]
    fn large_maps_behave_like_small_ones() {
        let mut map = Map::new();
        for n in (0..100).rev() {
            assert_eq!(map.insert(format!("k{n:03}"), Value::Int(n)), None);
        }
        assert_eq!(map.len(), 100);
        assert!(map.iter().map(|(k, _)| k).is_sorted());
        let kept = map.clone();
        for n in 0..90 {
            assert_eq!(map.remove(&format!("k{n:03}")), Some(Value::Int(n)));
        }
        assert_eq!(map.len(), 10);
        assert_eq!(kept.len(), 100);
        assert_eq!(map.get("k095"), Some(&Value::Int(95)));
    }

    #[test]
    fn a_clone_shares_until_it_changes() {
        let mut a = value(r#"{"agents":{"x":{"status":"running"}},"tasks":{"t":1}}"#);
        let before = a.clone();
        a.as_map_mut().unwrap().map_mut(&"agents".into()).insert("y", Value::Null);
        assert!(!a.same(&before));
        assert!(a.get("tasks").is_some_and(|t| before.get("tasks") == Some(t)));
        let x = |v: &Value| v.at(&Path::of(["agents", "x"])).cloned().unwrap();
        assert!(x(&a).same(&x(&before)));
        assert!(before.at(&Path::of(["agents", "y"])).is_none());
    }

    #[test]
    fn differing_visits_what_changed_only() {
        let a: Map = (0..200).map(|n| (format!("{n:03}"), Value::Int(n))).collect();
        let mut b = a.clone();
        b.insert("050", Value::Null);
        b.remove("051");
        b.insert("500", Value::Int(500));
        let mut seen = Vec::new();
        a.differing(&b, |key, old, new| seen.push((key.to_string(), old.cloned(), new.cloned())));
        seen.sort_by(|x, y| x.0.cmp(&y.0));
        assert_eq!(
            seen,
            [
                ("050".to_owned(), Some(Value::Int(50)), Some(Value::Null)),
                ("051".to_owned(), Some(Value::Int(51)), None),
                ("500".to_owned(), None, Some(Value::Int(500))),
            ]
        );
    }

    proptest::proptest! {
        #[test]
        fn map_agrees_with_std(ops in proptest::collection::vec((0_u8..60, proptest::option::of(0_i64..9)), 0..200)) {
            let (mut map, mut model) = (Map::new(), std::collections::BTreeMap::new());
            for (key, value) in ops {
                let key = key.to_string();
                match value {
                    Some(n) => proptest::prop_assert_eq!(
                        map.insert(key.as_str(), Value::Int(n)), model.insert(key, Value::Int(n))),
                    None => proptest::prop_assert_eq!(map.remove(&key), model.remove(&key)),
                }
            }
            let ours: Vec<_> = map.iter().map(|(k, v)| (k.to_string(), v.clone())).collect();
            let theirs: Vec<_> = model.into_iter().collect();
            proptest::prop_assert_eq!(ours, theirs);
        }
    }
}
