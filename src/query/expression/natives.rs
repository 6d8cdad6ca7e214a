//! What the functions of the table do that are not written in the language itself.
//!
//! Lives here: [`natives`]. May not live here: which there are for people (see
//! [`super::functions`]).

use std::cell::RefCell;

use jaq_core::box_iter::box_once;
use jaq_core::data::JustLut;
use jaq_core::native::{Fun, bome, run, v};
use jaq_core::{Bind, Cv, Error, RunPtr, ValXs};
use regex::{Regex, RegexBuilder};
use rustc_hash::FxHashMap;

use super::fuel;
use super::val::{Fallible, MAX_TEXT, Val, compare, fault, split};
use crate::model::{Map, Timestamp, Value};

/// What values and functions a filter has.
pub(super) type Data = JustLut<Val>;

type Native = (&'static str, Box<[Bind]>, RunPtr<Data>);

/// Those that are written here, and the interpreter's own that the definitions need.
pub(super) fn natives() -> impl Iterator<Item = Fun<Data>> {
    let own = plain().into_iter().chain(with_value()).chain(with_filter());
    own.map(run::<Data>).chain(jaq_core::funs().filter(|(name, ..)| *name != "range"))
}

/// A text of regular expressions that were compiled, so that each is compiled once.
const MAX_REGEXES: usize = 64;

thread_local! {
    static REGEXES: RefCell<FxHashMap<(String, String), Regex>> = RefCell::default();
}

fn one(cv: Cv<'_, Data>, f: impl FnOnce(Val) -> Fallible) -> ValXs<'_, Val> {
    bome(f(cv.1))
}

fn two(mut cv: Cv<'_, Data>, f: impl FnOnce(Val, Val) -> Fallible) -> ValXs<'_, Val> {
    let argument = cv.0.pop_var();
    bome(f(cv.1, argument))
}

/// Functions of the input alone.
fn plain() -> Vec<Native> {
    vec![
        ("abs", v(0), |cv| {
            one(cv, |x| if x < Val::from(0) { -x } else { x.need_number().map(|_| x) })
        }),
        ("ascii_downcase", v(0), |cv| {
            one(cv, |x| Ok(Val::text(x.need_str()?.to_ascii_lowercase())))
        }),
        ("ascii_upcase", v(0), |cv| one(cv, |x| Ok(Val::text(x.need_str()?.to_ascii_uppercase())))),
        ("ceil", v(0), |cv| one(cv, |x| whole(&x, f64::ceil))),
        ("flatten", v(0), |cv| one(cv, |x| flatten(&x))),
        ("floor", v(0), |cv| one(cv, |x| whole(&x, f64::floor))),
        ("from_entries", v(0), |cv| one(cv, |x| from_entries(&x))),
        ("fromdate", v(0), |cv| one(cv, |x| from_date(&x))),
        ("fromjson", v(0), |cv| one(cv, |x| from_json(&x))),
        ("keys", v(0), |cv| one(cv, |x| keys(&x))),
        ("length", v(0), |cv| one(cv, |x| length(&x))),
        ("max", v(0), |cv| one(cv, |x| extreme(x.need_list()?, true))),
        ("min", v(0), |cv| one(cv, |x| extreme(x.need_list()?, false))),
        ("reverse", v(0), |cv| one(cv, |x| reverse(&x))),
        ("round", v(0), |cv| one(cv, |x| whole(&x, f64::round))),
        ("sort", v(0), |cv| one(cv, |x| Ok(list(sorted(x.need_list()?))))),
        ("todate", v(0), |cv| one(cv, |x| to_date(&x))),
        ("tojson", v(0), |cv| one(cv, |x| x.json().map(Val::text))),
        ("tonumber", v(0), |cv| one(cv, to_number)),
        ("trim", v(0), |cv| one(cv, |x| Ok(Val::text(x.need_str()?.trim())))),
        ("type", v(0), |cv| one(cv, |x| Ok(Val::text(x.type_name())))),
        ("unique", v(0), |cv| {
            one(cv, |x| {
                let mut items = sorted(x.need_list()?);
                items.dedup_by(|a, b| compare(a, b).is_eq());
                Ok(list(items))
            })
        }),
    ]
}

/// Functions of the input and a value.
fn with_value() -> Vec<Native> {
    vec![
        ("contains", v(1), |cv| two(cv, |x, part| Ok(contains(&x.0, &part.0).into()))),
        ("endswith", v(1), |cv| {
            two(cv, |x, end| Ok(x.need_str()?.ends_with(end.need_str()?).into()))
        }),
        ("has", v(1), |cv| two(cv, |x, key| has(&x, &key))),
        ("index", v(1), |cv| two(cv, |x, part| index(&x, &part))),
        ("join", v(1), |cv| two(cv, |x, between| join(&x, &between))),
        ("ltrimstr", v(1), |cv| {
            two(cv, |x, start| Ok(trimmed(&x, &start, |x, s| x.strip_prefix(s))))
        }),
        ("rtrimstr", v(1), |cv| two(cv, |x, end| Ok(trimmed(&x, &end, |x, e| x.strip_suffix(e))))),
        ("split", v(1), |cv| two(cv, |x, by| split(x.need_str()?, by.need_str()?))),
        ("startswith", v(1), |cv| {
            two(cv, |x, start| Ok(x.need_str()?.starts_with(start.need_str()?).into()))
        }),
        ("test", v(1), |cv| two(cv, |x, regex| test(&x, &regex, &Val::text("")))),
        ("test", v(2), |mut cv| {
            let (flags, regex) = (cv.0.pop_var(), cv.0.pop_var());
            bome(test(&cv.1, &regex, &flags))
        }),
    ]
}

/// Functions of the input and a filter that is put to each item.
fn with_filter() -> Vec<Native> {
    let filter = || -> Box<[Bind]> { [Bind::Fun(())].into() };
    vec![
        ("group_by", filter(), |cv| {
            keyed(cv, |items| {
                let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
                for (key, item) in items {
                    match groups.last_mut() {
                        Some((last, group)) if compare(last, &key).is_eq() => group.push(item),
                        _ => groups.push((key, vec![item])),
                    }
                }
                list(groups.into_iter().map(|(_, group)| Value::list(group)).collect())
            })
        }),
        ("max_by", filter(), |cv| {
            keyed(cv, |items| {
                Val(items.into_iter().next_back().map(|(_, item)| item).unwrap_or_default())
            })
        }),
        ("min_by", filter(), |cv| {
            keyed(cv, |items| {
                Val(items.into_iter().next().map(|(_, item)| item).unwrap_or_default())
            })
        }),
        ("sort_by", filter(), |cv| {
            keyed(cv, |items| list(items.into_iter().map(|(_, item)| item).collect()))
        }),
        ("unique_by", filter(), |cv| {
            keyed(cv, |mut items| {
                items.dedup_by(|(a, _), (b, _)| compare(a, b).is_eq());
                list(items.into_iter().map(|(_, item)| item).collect())
            })
        }),
    ]
}

/// The items in the order of what a filter gives for each, put through `f`.
fn keyed(mut cv: Cv<'_, Data>, f: fn(Vec<(Value, Value)>) -> Val) -> ValXs<'_, Val> {
    let (filter, context) = cv.0.pop_fun();
    let items = match cv.1.need_list() {
        Ok(items) => items.to_vec(),
        Err(error) => return box_once(Err(error.into())),
    };
    let mut found = Vec::with_capacity(items.len());
    for item in items {
        let keys: Result<Vec<Value>, _> = filter
            .run((context.clone(), Val(item.clone())))
            .map(|key| key.map(|key| key.0))
            .collect();
        match keys {
            Ok(keys) => found.push((Value::list(keys), item)),
            Err(error) => return box_once(Err(error)),
        }
    }
    found.sort_by(|(a, _), (b, _)| compare(a, b));
    box_once(Ok(f(found)))
}

fn list(items: Vec<Value>) -> Val {
    Val(Value::list(items))
}

fn sorted(items: &[Value]) -> Vec<Value> {
    let mut items = items.to_vec();
    items.sort_by(compare);
    items
}

fn extreme(items: &[Value], largest: bool) -> Fallible {
    let mut best: Option<&Value> = None;
    for item in items {
        let better = best.is_none_or(|best| match compare(item, best) {
            std::cmp::Ordering::Less => !largest,
            std::cmp::Ordering::Equal | std::cmp::Ordering::Greater => largest,
        });
        if better {
            best = Some(item);
        }
    }
    Ok(Val(best.cloned().unwrap_or_default()))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "checked to fit")]
fn whole(x: &Val, round: fn(f64) -> f64) -> Fallible {
    if x.0.as_i64().is_some() {
        return Ok(x.clone());
    }
    let rounded = round(x.need_number()?);
    let fits = rounded.abs() < i64::MAX as f64;
    Ok(if fits { Val(Value::Int(rounded as i64)) } else { Val::number(rounded) })
}

fn length(x: &Val) -> Fallible {
    let count = match &x.0 {
        Value::Null => 0,
        Value::Text(text) => text.chars().count(),
        Value::List(items) => items.len(),
        Value::Map(map) => map.len(),
        Value::Bool(_) => return Err(Error::typ(x.clone(), "something with a length")),
        Value::Long(_) => {
            return Err(fault("a text of more than 4 KiB stands in the log, not in the state"));
        }
        Value::Int(_) | Value::UInt(_) | Value::Float(_) => {
            return if *x < Val::from(0) { -x.clone() } else { Ok(x.clone()) };
        }
    };
    Ok(Val(Value::Int(i64::try_from(count).unwrap_or(i64::MAX))))
}

fn keys(x: &Val) -> Fallible {
    match &x.0 {
        Value::Map(map) => {
            if !fuel::burn(map.len()) {
                return Err(fuel::spent());
            }
            Ok(Val(Value::list(map.iter().map(|(key, _)| Value::Text(key.clone())))))
        }
        Value::List(items) => {
            let end = i64::try_from(items.len()).unwrap_or(i64::MAX);
            Ok(Val(Value::list((0..end).map(Value::Int))))
        }
        _ => Err(Error::typ(x.clone(), "array or object")),
    }
}

fn has(x: &Val, key: &Val) -> Fallible {
    match (&x.0, &key.0) {
        (Value::Map(map), Value::Text(key)) => Ok(map.get(key).is_some().into()),
        (Value::List(items), Value::Int(at)) => {
            Ok(usize::try_from(*at).is_ok_and(|at| at < items.len()).into())
        }
        _ => Err(Error::index(x.clone(), key.clone())),
    }
}

/// Whether `part` is part of `whole`: of a text, of any item, of each key's value.
fn contains(whole: &Value, part: &Value) -> bool {
    if !fuel::burn(1) {
        return false;
    }
    match (whole, part) {
        (Value::Text(whole), Value::Text(part)) => whole.contains(part.as_str()),
        (Value::List(whole), Value::List(parts)) => {
            parts.iter().all(|part| whole.iter().any(|item| contains(item, part)))
        }
        (Value::Map(whole), Value::Map(parts)) => parts
            .iter()
            .all(|(key, part)| whole.get(key).is_some_and(|value| contains(value, part))),
        _ => compare(whole, part).is_eq(),
    }
}

fn index(x: &Val, part: &Val) -> Fallible {
    let at = match (&x.0, &part.0) {
        (Value::Null, _) => None,
        (Value::Text(text), Value::Text(part)) => {
            text.find(part.as_str()).map(|at| text[..at].chars().count())
        }
        (Value::List(items), part) => items.iter().position(|item| compare(item, part).is_eq()),
        _ => return Err(Error::index(x.clone(), part.clone())),
    };
    Ok(at.and_then(|at| i64::try_from(at).ok()).map_or_else(Val::default, |at| Val(Value::Int(at))))
}

fn join(x: &Val, between: &Val) -> Fallible {
    let between = between.need_str()?;
    let mut text = String::new();
    for (at, item) in x.need_list()?.iter().enumerate() {
        if at > 0 {
            text.push_str(between);
        }
        match item {
            Value::Null => {}
            Value::Text(item) => text.push_str(item),
            item => text.push_str(&Val(item.clone()).json()?),
        }
        if text.len() > MAX_TEXT || !fuel::burn(1) {
            return Err(fault("a text is longer than 1 MiB"));
        }
    }
    Ok(Val::text(text))
}

/// What `strip` leaves of a text; anything else stays as it is, as in jq.
fn trimmed(x: &Val, part: &Val, strip: for<'a> fn(&'a str, &str) -> Option<&'a str>) -> Val {
    match (x.as_str(), part.as_str()) {
        (Some(text), Some(part)) => strip(text, part).map_or_else(|| x.clone(), Val::text),
        _ => x.clone(),
    }
}

fn reverse(x: &Val) -> Fallible {
    match &x.0 {
        Value::Null => Ok(list(Vec::new())),
        Value::Text(text) => Ok(Val::text(text.chars().rev().collect::<String>())),
        _ => Ok(list(x.need_list()?.iter().rev().cloned().collect())),
    }
}

fn flatten(x: &Val) -> Fallible {
    fn put(items: &[Value], out: &mut Vec<Value>) -> bool {
        items.iter().all(|item| {
            fuel::burn(1)
                && match item {
                    Value::List(inner) => put(inner, out),
                    item => {
                        out.push(item.clone());
                        true
                    }
                }
        })
    }
    let mut out = Vec::new();
    if put(x.need_list()?, &mut out) { Ok(list(out)) } else { Err(fuel::spent()) }
}

fn from_entries(x: &Val) -> Fallible {
    let mut map = Map::new();
    for entry in x.need_list()? {
        let member = |names: [&str; 3]| names.iter().find_map(|name| entry.get(name));
        let key = match member(["key", "name", "k"]) {
            Some(Value::Text(key)) => key.clone(),
            Some(Value::Null) | None => "null".into(),
            Some(other) => Val(other.clone()).json()?.into(),
        };
        map.insert(key, member(["value", "v", "Value"]).cloned().unwrap_or_default());
    }
    Ok(Val(Value::Map(map)))
}

fn to_number(x: Val) -> Fallible {
    match &x.0 {
        Value::Int(_) | Value::UInt(_) | Value::Float(_) => Ok(x),
        _ => <Val as jaq_core::ValT>::from_num(x.need_str()?),
    }
}

fn from_json(x: &Val) -> Fallible {
    let text = x.need_str()?;
    if !fuel::burn(text.len() / 8) {
        return Err(fuel::spent());
    }
    serde_json::from_str(text).map(Val).map_err(|error| fault(format!("not JSON: {error}")))
}

/// With its fraction, unlike jq: order within a second matters here.
#[allow(clippy::cast_precision_loss, reason = "milliseconds fit 53 bits for 285,000 years")]
fn from_date(x: &Val) -> Fallible {
    let time = Timestamp::parse(x.need_str()?).map_err(fault)?;
    let millis = time.millis();
    Ok(if millis % 1000 == 0 {
        Val(Value::Int(millis / 1000))
    } else {
        Val::number(millis as f64 / 1000.0)
    })
}

#[allow(clippy::cast_possible_truncation, reason = "out of range is no time, see below")]
fn to_date(x: &Val) -> Fallible {
    let millis = (x.need_number()? * 1000.0).round();
    if millis.abs() > 8.64e15 {
        return Err(fault("a time is out of range"));
    }
    Ok(Val::text(Timestamp::from_millis(millis as i64).to_string()))
}

fn test(x: &Val, regex: &Val, flags: &Val) -> Fallible {
    let (text, pattern, flags) = (x.need_str()?, regex.need_str()?, flags.need_str()?);
    if !fuel::burn(text.len() / 16) {
        return Err(fuel::spent());
    }
    REGEXES.with_borrow_mut(|regexes| {
        let key = (pattern.to_owned(), flags.to_owned());
        if let Some(regex) = regexes.get(&key) {
            return Ok(regex.is_match(text).into());
        }
        if regexes.len() >= MAX_REGEXES {
            regexes.clear();
        }
        let regex = compile(pattern, flags)?;
        let matches = regex.is_match(text);
        regexes.insert(key, regex);
        Ok(matches.into())
    })
}

fn compile(pattern: &str, flags: &str) -> Result<Regex, Error<Val>> {
    let mut builder = RegexBuilder::new(pattern);
    builder.size_limit(1 << 20);
    for flag in flags.chars() {
        match flag {
            'i' => builder.case_insensitive(true),
            'x' => builder.ignore_whitespace(true),
            's' => builder.dot_matches_new_line(true),
            // To match everywhere is what a test does.
            'g' | 'n' => &mut builder,
            other => return Err(fault(format!("there is no flag {other:?}"))),
        };
    }
    builder.build().map_err(|error| fault(format!("not a regular expression: {error}")))
}
