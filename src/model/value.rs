//! A persistent JSON value: a clone is O(1), and two versions share what did not change.
//!
//! Lives here: [`Value`], [`Map`], their JSON text and look-up by path. May not live here: what
//! the keys mean (see [`crate::fold`]) or comparing two trees (see [`crate::diff`]).

pub mod delta;
mod json;
mod map;
mod shelf;
pub mod spill;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::path::Path;

pub use map::{Iter, Map};

/// A key of a map: short ones are stored in place, long ones are shared.
pub type Key = SmolStr;

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

    /// Whether both are one and the same in memory, or equal and simple: true means equal, false
    /// means nothing.
    #[must_use]
    pub fn same(&self, other: &Value) -> bool {
        match (self, other) {
            (Self::Map(a), Self::Map(b)) => a.same(b),
            (Self::List(a), Self::List(b)) => Arc::ptr_eq(a, b),
            (Self::Long(a), Self::Long(b)) => Arc::ptr_eq(a, b),
            _ => self == other,
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

#[cfg(test)]
mod tests;
