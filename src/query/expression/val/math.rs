//! The arithmetic of values: jq's, with an end to what it may make.
//!
//! Lives here: the operators. May not live here: comparing (see [`super::order`]).

use std::ops::{Add, Div, Mul, Neg, Rem, Sub};

use jaq_core::Error;

use super::{Fallible, MAX_ITEMS, MAX_TEXT, Val, compare, fault};
use crate::model::{Map, Value};
use crate::query::expression::fuel;

/// How deep two maps are merged by `*`.
const MAX_DEPTH: usize = 128;

/// Both as integers, where both are.
fn integers(a: &Val, b: &Val) -> Option<(i64, i64)> {
    Some((a.0.as_i64()?, b.0.as_i64()?))
}

/// Both as floats, where both are numbers.
fn floats(a: &Val, b: &Val) -> Option<(f64, f64)> {
    Some((a.0.as_f64()?, b.0.as_f64()?))
}

fn no_math(a: &Val, op: jaq_core::ops::Math, b: &Val) -> Fallible {
    Err(Error::math(a.short(), op, b.short()))
}

/// An integer where it fits, a float where it does not.
fn sum(exact: Option<i64>, floats: Option<(f64, f64)>, op: fn(f64, f64) -> f64) -> Option<Val> {
    exact.map(|n| Val(Value::Int(n))).or_else(|| floats.map(|(a, b)| Val::number(op(a, b))))
}

impl Add for Val {
    type Output = Fallible;
    fn add(self, other: Self) -> Fallible {
        let exact = integers(&self, &other).and_then(|(a, b)| a.checked_add(b));
        if let Some(sum) = sum(exact, floats(&self, &other), f64::add) {
            return Ok(sum);
        }
        match (&self.0, &other.0) {
            (Value::Null, _) => Ok(other),
            (_, Value::Null) => Ok(self),
            (Value::Text(a), Value::Text(b)) if a.len() + b.len() <= MAX_TEXT => {
                Ok(Self::text(format!("{a}{b}")))
            }
            (Value::Text(_), Value::Text(_)) => Err(fault("a text is longer than 1 MiB")),
            (Value::List(a), Value::List(b)) => {
                if a.len() + b.len() > MAX_ITEMS || !fuel::burn(a.len() + b.len()) {
                    return Err(fault("an array has too many items"));
                }
                Ok(Self(Value::list(a.iter().chain(b.iter()).cloned())))
            }
            (Value::Map(a), Value::Map(b)) => {
                if !fuel::burn(b.len()) {
                    return Err(fuel::spent());
                }
                let mut both = a.clone();
                b.iter().for_each(|(key, value)| {
                    both.insert(key.clone(), value.clone());
                });
                Ok(Self(Value::Map(both)))
            }
            _ => no_math(&self, jaq_core::ops::Math::Add, &other),
        }
    }
}

impl Sub for Val {
    type Output = Fallible;
    fn sub(self, other: Self) -> Fallible {
        let exact = integers(&self, &other).and_then(|(a, b)| a.checked_sub(b));
        if let Some(difference) = sum(exact, floats(&self, &other), f64::sub) {
            return Ok(difference);
        }
        match (&self.0, &other.0) {
            (Value::List(a), Value::List(b)) => {
                let other = |item: &&Value| !b.iter().any(|gone| compare(item, gone).is_eq());
                Ok(Self(Value::list(a.iter().filter(other).cloned())))
            }
            _ => no_math(&self, jaq_core::ops::Math::Sub, &other),
        }
    }
}

impl Mul for Val {
    type Output = Fallible;
    fn mul(self, other: Self) -> Fallible {
        let exact = integers(&self, &other).and_then(|(a, b)| a.checked_mul(b));
        if let Some(product) = sum(exact, floats(&self, &other), f64::mul) {
            return Ok(product);
        }
        match (&self.0, &other.0) {
            (Value::Map(a), Value::Map(b)) => merge(a, b, 0).map(|map| Self(Value::Map(map))),
            // (Texts times numbers are what makes a short expression fill the memory.)
            _ => no_math(&self, jaq_core::ops::Math::Mul, &other),
        }
    }
}

/// The second map over the first, and so on below.
fn merge(a: &Map, b: &Map, depth: usize) -> Result<Map, Error<Val>> {
    if depth > MAX_DEPTH || !fuel::burn(b.len()) {
        return Err(fuel::spent());
    }
    let mut both = a.clone();
    for (key, value) in b {
        let merged = match (a.get(key), value) {
            (Some(Value::Map(a)), Value::Map(b)) => Value::Map(merge(a, b, depth + 1)?),
            _ => value.clone(),
        };
        both.insert(key.clone(), merged);
    }
    Ok(both)
}

impl Div for Val {
    type Output = Fallible;
    fn div(self, other: Self) -> Fallible {
        if let Some((a, b)) = integers(&self, &other)
            && let Some(whole) = a.checked_div(b).filter(|_| a.checked_rem(b) == Some(0))
        {
            return Ok(Self(Value::Int(whole)));
        }
        match (floats(&self, &other), self.as_str(), other.as_str()) {
            (Some((_, 0.0)), ..) => Err(fault("a number is divided by zero")),
            (Some((a, b)), ..) => Ok(Self::number(a / b)),
            (_, Some(text), Some(by)) => split(text, by),
            _ => no_math(&self, jaq_core::ops::Math::Div, &other),
        }
    }
}

/// The parts of a text between the places where `by` stands.
pub(in super::super) fn split(text: &str, by: &str) -> Fallible {
    if !fuel::burn(text.len() / 16) {
        return Err(fuel::spent());
    }
    let part = |part: &str| Value::Text(part.into());
    Ok(Val(if text.is_empty() {
        Value::list([])
    } else if by.is_empty() {
        Value::list(text.chars().map(|c| Value::Text(c.to_string().into())))
    } else {
        Value::list(text.split(by).map(part))
    }))
}

impl Rem for Val {
    type Output = Fallible;
    fn rem(self, other: Self) -> Fallible {
        #[allow(clippy::cast_possible_truncation, reason = "as jq does, by intention")]
        let whole = |val: &Val| val.0.as_f64().map(|x| x as i64);
        match (whole(&self), whole(&other)) {
            (Some(_), Some(0)) => Err(fault("a number is divided by zero")),
            (Some(a), Some(b)) => Ok(Self(Value::Int(a.checked_rem(b).unwrap_or(0)))),
            _ => no_math(&self, jaq_core::ops::Math::Rem, &other),
        }
    }
}

impl Neg for Val {
    type Output = Fallible;
    fn neg(self) -> Fallible {
        match (self.0.as_i64().and_then(i64::checked_neg), self.0.as_f64()) {
            (Some(n), _) => Ok(Self(Value::Int(n))),
            (None, Some(x)) => Ok(Self::number(-x)),
            (None, None) => Err(Error::typ(self.short(), "number")),
        }
    }
}
