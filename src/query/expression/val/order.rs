//! jq's order of values.
//!
//! Lives here: [`compare`]. May not live here: arithmetic (see [`super::math`]).

use std::cmp::Ordering;

use crate::model::Value;
use crate::query::expression::fuel;

/// Where a type stands in jq's order of values.
pub(super) fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(false) => 1,
        Value::Bool(true) => 2,
        Value::Int(_) | Value::UInt(_) | Value::Float(_) => 3,
        Value::Text(_) | Value::Long(_) => 4,
        Value::List(_) => 5,
        Value::Map(_) => 6,
    }
}

/// jq's order of values. Counts what it looks at.
pub(in super::super) fn compare(a: &Value, b: &Value) -> Ordering {
    if a.same(b) {
        return Ordering::Equal;
    }
    if !fuel::burn(1) {
        // The evaluation ends with an error soon; which answer it gets here does not matter.
        return Ordering::Equal;
    }
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => a.as_str().cmp(b.as_str()),
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::UInt(a), Value::UInt(b)) => a.cmp(b),
        (Value::Int(_), Value::UInt(_)) => Ordering::Less,
        (Value::UInt(_), Value::Int(_)) => Ordering::Greater,
        (Value::List(a), Value::List(b)) => {
            let unequal = a.iter().zip(b.iter()).map(|(a, b)| compare(a, b)).find(|o| o.is_ne());
            unequal.unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        (Value::Map(a), Value::Map(b)) => {
            let keys = a.iter().map(|(key, _)| key).cmp(b.iter().map(|(key, _)| key));
            let values = || a.iter().zip(b.iter()).map(|((_, a), (_, b))| compare(a, b));
            keys.then_with(|| values().find(|o| o.is_ne()).unwrap_or(Ordering::Equal))
        }
        // A text of more than 4 KiB is known by its length and hash.
        (Value::Long(a), Value::Long(b)) => {
            let key = |long: &crate::model::value::LongValue| {
                (long.head.clone(), long.bytes, long.sha256.clone())
            };
            key(a).cmp(&key(b))
        }
        (Value::Long(a), Value::Text(b)) => a.head.cmp(b).then(Ordering::Greater),
        (Value::Text(a), Value::Long(b)) => a.cmp(&b.head).then(Ordering::Less),
        _ => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Less),
            _ => rank(a).cmp(&rank(b)),
        },
    }
}
