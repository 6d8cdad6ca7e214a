//! Values as the interpreter of expressions handles them: jq's order and arithmetic over the
//! values of the state, without copying it.
//!
//! Lives here: [`Val`]. May not live here: functions by name (see [`super::functions`]).
//!
//! Source of the order and of each operation: the jq 1.7 manual. Where jq would build a text or a
//! list of any size, this gives an error (see [`MAX_TEXT`] and [`MAX_ITEMS`]).

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, Div, Mul, Neg, Rem, Sub};

use jaq_core::box_iter::{BoxIter, box_once};
use jaq_core::path::Opt;
use jaq_core::{Error, ValR, ValT, ValX, val};

use super::fuel;
use crate::model::{Key, Map, Value};

/// The longest text that an expression may make, in bytes.
pub(super) const MAX_TEXT: usize = 1 << 20;
/// The most items of a list that it may make by adding.
pub(super) const MAX_ITEMS: usize = 1 << 16;
/// How deep two maps are merged by `*`.
const MAX_DEPTH: usize = 128;

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

/// Where a type stands in jq's order of values.
fn rank(value: &Value) -> u8 {
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
pub(super) fn compare(a: &Value, b: &Value) -> Ordering {
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
pub(super) fn split(text: &str, by: &str) -> Fallible {
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
