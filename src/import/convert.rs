//! Conversions of single values: what a mapping writes after `as`, and times in any form.
//!
//! Lives here: [`Conversion`], [`read_time`]. May not live here: where the values come from.

use serde_json::Value;

use crate::closed_list;
use crate::model::Timestamp;
use crate::model::ids::{self, MAX_KEY_BYTES};
use crate::model::time::TimeFault;

closed_list! {
    /// What can be made of a value: the word after `as` in a template.
    pub enum Conversion {
        /// Text: strings as they are, the texts of content blocks joined by line feeds, anything else as JSON.
        Text = "text",
        /// The first line of the text, at most 200 characters.
        Line = "line",
        /// The text of the value as compact JSON.
        Json = "json",
        /// A short hash of the value: a key where the value itself would be long.
        Hash = "hash",
        /// The text in lower case.
        Lower = "lower",
        /// The text in upper case.
        Upper = "upper",
        /// A whole number, from a number or its text.
        Int = "int",
        /// A number, from a number or its text.
        Number = "number",
        /// `true` or `false`, from one of these, a number, or its text.
        Bool = "bool",
        /// Whole seconds, from a number of milliseconds.
        Seconds = "seconds-from-ms",
        /// Whole milliseconds, from a number of seconds.
        Millis = "ms-from-seconds",
        /// How many items or members it has; characters, for a text.
        Count = "count",
        /// The UTC day (`YYYY-MM-DD`) of a time.
        Day = "day",
        /// A text that is safe as an issue key: other characters become dashes.
        Key = "key",
        /// A list of texts: a list's items as text, or the one value.
        Texts = "texts",
    }
}

/// How many characters [`Conversion::Line`] keeps.
const LINE_CHARS: usize = 200;

impl Conversion {
    /// Converts; none when the value cannot be read so.
    pub(super) fn apply(self, value: &Value) -> Option<Value> {
        Some(match self {
            Self::Text => text_of(value).into(),
            Self::Line => first_line(&text_of(value)).into(),
            Self::Json => value.to_string().into(),
            Self::Hash => ids::sha256_text(value.to_string().as_bytes())[7..39].into(),
            Self::Lower => plain(value).to_lowercase().into(),
            Self::Upper => plain(value).to_uppercase().into(),
            Self::Int => whole(number(value)?)?,
            Self::Number => match value {
                Value::Number(_) => value.clone(),
                other => serde_json::Number::from_f64(number(other)?)?.into(),
            },
            Self::Bool => match value {
                Value::Bool(_) => value.clone(),
                Value::String(text) if text.eq_ignore_ascii_case("true") => true.into(),
                Value::String(text) if text.eq_ignore_ascii_case("false") => false.into(),
                other => (number(other)? != 0.0).into(),
            },
            Self::Seconds => whole(number(value)? / 1000.0)?,
            Self::Millis => whole(number(value)? * 1000.0)?,
            Self::Count => match value {
                Value::Array(items) => items.len(),
                Value::Object(members) => members.len(),
                other => plain(other).chars().count(),
            }
            .into(),
            Self::Day => match value.as_str() {
                // The form in which events carry times.
                Some(text) if text.len() == 24 && text.ends_with('Z') => text.get(..10)?.into(),
                _ => read_time(value, Unit::Auto).ok()?.0.date().into(),
            },
            Self::Key => safe_key(&plain(value)).into(),
            Self::Texts => match value {
                Value::Array(items) => items.iter().map(plain).map(Value::from).collect(),
                other => Value::Array(vec![plain(other).into()]),
            },
        })
    }
}

/// A string as it is, anything else as JSON.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The text of a message: of content blocks, those that have a text.
fn text_of(value: &Value) -> String {
    let Value::Array(blocks) = value else { return plain(value) };
    let texts: Vec<&str> = blocks
        .iter()
        .filter_map(|block| block.as_str().or_else(|| block.get("text")?.as_str()))
        .collect();
    if texts.is_empty() && !blocks.is_empty() { value.to_string() } else { texts.join("\n") }
}

fn first_line(text: &str) -> String {
    let line = text.trim_start().lines().next().unwrap_or_default();
    line.chars().take(LINE_CHARS).collect()
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok().filter(|n: &f64| n.is_finite()),
        Value::Bool(set) => Some(u8::from(*set).into()),
        _ => None,
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the range is checked")]
fn whole(number: f64) -> Option<Value> {
    (number.abs() < 9e15).then(|| Value::from(number.round() as i64))
}

/// A key made of `text` that is safe as a folder's name. Different texts that become alike are
/// told apart by a part of their hash.
pub(super) fn safe_key(text: &str) -> String {
    if ids::check_issue_key(text).is_ok() {
        return text.to_owned();
    }
    let safe = |c: char| !ids::is_control(c) && !"/\\:*?\"<>|".contains(c);
    let key: String = text.chars().map(|c| if safe(c) { c } else { '-' }).collect();
    let mut key = key.trim_start_matches(['.', '-', ' ']).to_owned();
    let room = MAX_KEY_BYTES - 9;
    while key.len() > room || key.ends_with(['.', ' ', '-']) {
        key.pop();
    }
    let hash = &ids::sha256_text(text.as_bytes())[7..15];
    if key.is_empty() { hash.to_owned() } else { format!("{key}-{hash}") }
}

/// In which unit a number is a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
pub(super) enum Unit {
    /// Told by its size: a time between the years 1973 and 5138 in exactly one unit.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// Seconds since the epoch, with or without a fraction.
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds since the epoch.
    #[serde(rename = "ms")]
    Millis,
    /// Microseconds since the epoch.
    #[serde(rename = "us")]
    Micros,
    /// Nanoseconds since the epoch.
    #[serde(rename = "ns")]
    Nanos,
}

/// Reads a time: RFC 3339 (a space for the `T` and a lacking zone are taken, the latter as UTC),
/// or a number. Tells whether the zone was lacking.
pub(super) fn read_time(value: &Value, unit: Unit) -> Result<(Timestamp, bool), String> {
    match value {
        Value::Number(_) => from_number(value, unit),
        Value::String(text) => {
            let text = text.trim();
            match Timestamp::parse(text) {
                Ok(at) => Ok((at, false)),
                Err(fault) => match text.parse::<serde_json::Number>() {
                    Ok(number) => from_number(&number.into(), unit),
                    Err(_) => without_zone(text, fault),
                },
            }
        }
        other => Err(format!("{} is no time", first_line(&other.to_string()))),
    }
}

fn without_zone(text: &str, fault: TimeFault) -> Result<(Timestamp, bool), String> {
    let utc = match fault {
        TimeFault::Zoneless => format!("{text}Z"),
        TimeFault::Format if text.len() == 10 => format!("{text}T00:00:00Z"),
        TimeFault::Format => match text.strip_suffix(" UTC") {
            Some(local) => format!("{local}Z"),
            // `+0200` and `+02` instead of `+02:00`
            None => {
                match text.rfind(['+', '-']).filter(|at| *at > 18).map(|at| text.split_at(at)) {
                    Some((local, zone)) if zone.len() == 5 && zone.is_ascii() => {
                        format!("{local}{}:{}", &zone[..3], &zone[3..])
                    }
                    Some((local, zone)) if zone.len() == 3 => format!("{local}{zone}:00"),
                    _ => String::new(),
                }
            }
        },
        TimeFault::Range => String::new(),
    };
    let zoneless = fault == TimeFault::Zoneless || text.len() == 10;
    Timestamp::parse(&utc)
        .map(|at| (at, zoneless))
        .map_err(|_| format!("{:?} is no time: {fault}", first_line(text)))
}

fn from_number(number: &Value, unit: Unit) -> Result<(Timestamp, bool), String> {
    let size = number.as_f64().unwrap_or(f64::INFINITY).abs();
    let unit = match unit {
        Unit::Auto if size < 1e11 => Unit::Seconds,
        Unit::Auto if size < 1e14 => Unit::Millis,
        Unit::Auto if size < 1e17 => Unit::Micros,
        Unit::Auto => Unit::Nanos,
        given => given,
    };
    let millis = match (number.as_i64(), unit) {
        (Some(whole), Unit::Seconds) => whole.checked_mul(1000),
        (Some(whole), Unit::Millis | Unit::Auto) => Some(whole),
        (Some(whole), Unit::Micros) => Some(whole.div_euclid(1000)),
        (Some(whole), Unit::Nanos) => Some(whole.div_euclid(1_000_000)),
        (None, unit) => number.as_f64().and_then(|fraction| from_fraction(fraction, unit)),
    };
    let range = Timestamp::MIN.millis()..=Timestamp::MAX.millis();
    match millis.filter(|millis| range.contains(millis)) {
        Some(millis) => Ok((Timestamp::from_millis(millis), false)),
        None => Err(format!("{number} is no time in any unit")),
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the range is checked")]
fn from_fraction(fraction: f64, unit: Unit) -> Option<i64> {
    let millis = match unit {
        Unit::Seconds => fraction * 1e3,
        Unit::Millis | Unit::Auto => fraction,
        Unit::Micros => fraction / 1e3,
        Unit::Nanos => fraction / 1e6,
    };
    (millis.abs() < 1e15).then(|| millis.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_are_read_in_every_usual_form() {
        for (value, expected) in [
            (json!(1_700_000_000), "2023-11-14T22:13:20.000Z"),
            (json!(1_700_000_000.25), "2023-11-14T22:13:20.250Z"),
            (json!(1_700_000_000_250_i64), "2023-11-14T22:13:20.250Z"),
            (json!(1_700_000_000_250_000_i64), "2023-11-14T22:13:20.250Z"),
            (json!(1_700_000_000_250_000_000_i64), "2023-11-14T22:13:20.250Z"),
            (json!("1700000000"), "2023-11-14T22:13:20.000Z"),
            (json!("2023-11-14 22:13:20.25+0000"), "2023-11-14T22:13:20.250Z"),
            (json!("2023-11-14T22:13:20 UTC"), "2023-11-14T22:13:20.000Z"),
            (json!("2023-11-15T00:13:20+02"), "2023-11-14T22:13:20.000Z"),
        ] {
            let (at, zoneless) = read_time(&value, Unit::Auto).unwrap();
            assert_eq!((at.to_string().as_str(), zoneless), (expected, false), "{value}");
        }
        let (at, zoneless) = read_time(&json!("2023-11-14T22:13:20"), Unit::Auto).unwrap();
        assert_eq!((at.millis(), zoneless), (1_700_000_000_000, true));
        assert!(read_time(&json!("2023-11-14"), Unit::Auto).unwrap().1);
        for bad in [json!("soon"), json!(true), json!(1e300), json!("2023-13-01T00:00:00Z")] {
            assert!(read_time(&bad, Unit::Auto).is_err(), "{bad}");
        }
    }

    #[test]
    fn conversions() {
        for (word, value, expected) in [
            ("text", json!([{"type":"text","text":"a"},{"text":"b"},{"x":1}]), json!("a\nb")),
            ("text", json!({"a":1}), json!("{\"a\":1}")),
            ("line", json!("\n  first\nsecond"), json!("first")),
            ("int", json!("12"), json!(12)),
            ("bool", json!("TRUE"), json!(true)),
            ("seconds-from-ms", json!(260_252), json!(260)),
            ("count", json!([1, 2]), json!(2)),
            ("day", json!("2026-01-02T03:04:05Z"), json!("2026-01-02")),
            ("texts", json!("a"), json!(["a"])),
        ] {
            assert_eq!(
                Conversion::from_name(word).unwrap().apply(&value),
                Some(expected),
                "{word}"
            );
        }
        assert_eq!(Conversion::Int.apply(&json!("x")), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_becomes_a_safe_key(text in ".{0,300}") {
            let key = safe_key(&text);
            proptest::prop_assert_eq!(ids::check_issue_key(&key), Ok(()), "{:?}", key);
        }
    }
}
