//! JSON as text: compacted, measured and compared without changing a digit of a number.
//!
//! Lives here: work on raw JSON text that the reader has accepted already. May not live here:
//! what the fields mean. Nothing here panics on text that is not JSON; the answer is then
//! meaningless.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::SchemaFault;
use crate::model::envelope::{Fields, Text};
use crate::model::path;

/// The most levels that arrays and objects may be nested in an event that is written.
pub const MAX_DEPTH: usize = 64;

/// What a look over JSON text found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scan {
    /// Whether there is white space outside of strings.
    pub spaced: bool,
    /// How many levels deep it is; 0 for a scalar.
    pub depth: usize,
    /// Whether all strings and numbers can be represented: no NUL, no half of a surrogate pair,
    /// no number beyond the range of a float.
    pub sound: bool,
}

/// Looks over `json` once.
pub(super) fn scan(json: &str) -> Scan {
    let bytes = json.as_bytes();
    let mut found = Scan { spaced: false, depth: 0, sound: true };
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = skip_string(bytes, at, &mut found.sound);
                continue;
            }
            b'{' | b'[' => {
                depth += 1;
                found.depth = found.depth.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b' ' | b'\t' | b'\r' | b'\n' => found.spaced = true,
            b'-' | b'0'..=b'9' => {
                let end = number_end(bytes, at);
                found.sound &= is_finite(json.get(at..end).unwrap_or_default());
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// `json` without white space outside of strings.
pub(super) fn compact(json: &str) -> Cow<'_, str> {
    if scan(json).spaced { Cow::Owned(squeeze(json)) } else { Cow::Borrowed(json) }
}

fn squeeze(json: &str) -> String {
    let bytes = json.as_bytes();
    let mut out = String::with_capacity(json.len());
    let (mut at, mut kept_from) = (0, 0);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => at = skip_string(bytes, at, &mut true),
            b' ' | b'\t' | b'\r' | b'\n' => {
                out.push_str(json.get(kept_from..at).unwrap_or_default());
                at += 1;
                kept_from = at;
            }
            _ => at += 1,
        }
    }
    out.push_str(json.get(kept_from..).unwrap_or_default());
    out
}

/// The place after the string that begins at `start`; clears `sound` where the string has a NUL
/// or half of a surrogate pair.
pub(super) fn skip_string(bytes: &[u8], start: usize, sound: &mut bool) -> usize {
    let mut at = start + 1;
    while let Some(next) = until_special(bytes.get(at..).unwrap_or_default()) {
        at += next;
        match bytes[at] {
            b'"' => return at + 1,
            b'\\' => {}
            _ => {
                at += 1;
                continue;
            }
        }
        at += match bytes.get(at + 1) {
            Some(b'u') => match unit(bytes, at) {
                Some(0xd800..=0xdbff) if matches!(unit(bytes, at + 6), Some(0xdc00..=0xdfff)) => 12,
                Some(0 | 0xd800..=0xdfff) => {
                    *sound = false;
                    6
                }
                _ => 6,
            },
            _ => 2,
        };
    }
    bytes.len()
}

/// How many bytes come before the first quote, backslash or control character: eight at a time.
#[inline(always)]
pub(super) fn until_special(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    // The lowest byte below a limit has its top bit set; higher ones may have it wrongly.
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
    let (chunks, rest) = bytes.as_chunks::<8>();
    for (index, chunk) in chunks.iter().enumerate() {
        let word = u64::from_le_bytes(*chunk);
        // With the bit of 2 turned, quotes follow right behind control characters.
        let quote_or_control = below(word ^ (ONES * 2), 0x21);
        let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
        let special = (quote_or_control | backslash) & TOPS;
        if special != 0 {
            return Some(index * 8 + special.trailing_zeros() as usize / 8);
        }
    }
    let special = |b: &u8| matches!(b, b'"' | b'\\' | 0..0x20);
    rest.iter().position(special).map(|at| chunks.len() * 8 + at)
}

/// The UTF-16 unit of the escape at `at`: `\u` and four hexadecimal digits.
fn unit(bytes: &[u8], at: usize) -> Option<u16> {
    let [b'\\', b'u', digits @ ..] = bytes.get(at..at + 6)? else { return None };
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

pub(super) fn number_end(bytes: &[u8], start: usize) -> usize {
    let part = |b: &u8| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    start + bytes[start..].iter().take_while(|b| part(b)).count().max(1)
}

/// Whether a number's text stays within the range of a float; short ones without an exponent do.
pub(super) fn is_finite(number: &str) -> bool {
    (number.len() < 300 && !number.contains(['e', 'E']))
        || number.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Names the places in `json` that [`scan`] finds unsound or too deep; `depth` is the number of
/// levels around it.
pub(super) fn name_unsound(json: &str, pointer: &str, depth: usize, faults: &mut Vec<SchemaFault>) {
    let mut fault = |message: &str| faults.push(SchemaFault::new(pointer, message));
    let nests = json.starts_with(['{', '[']);
    if nests && depth >= MAX_DEPTH {
        fault(&format!("is nested deeper than {MAX_DEPTH} levels"));
    } else if json.starts_with('{') {
        let Ok(Fields(members)) = serde_json::from_str(json) else {
            return fault("has a key with half of a surrogate pair");
        };
        for (key, value) in members {
            if key.contains('\0') {
                faults.push(SchemaFault::new(pointer, "has a key with a NUL character"));
            }
            let below = child(pointer, &key);
            name_unsound(value.get(), &below, depth + 1, faults);
        }
    } else if json.starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
        for (index, item) in items.iter().enumerate() {
            name_unsound(item.get(), &format!("{pointer}/{index}"), depth + 1, faults);
        }
    } else if json.starts_with('"') {
        match string(json) {
            Some(text) if text.contains('\0') => fault("has a NUL character"),
            Some(_) => {}
            None => fault("has half of a surrogate pair"),
        }
    } else if json.starts_with(|c: char| c == '-' || c.is_ascii_digit()) && !is_finite(json) {
        fault("is a number beyond the range of a float");
    }
}

/// The JSON pointer to the member `key` of the object at `pointer`.
pub(super) fn child(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", path::escape(key))
}

/// Whether two texts stand for the same JSON value: objects without regard to order (the last of
/// two equal keys counts), numbers by their exact value.
pub(super) fn equal(a: &str, b: &str) -> bool {
    a == b || equal_at(a, b, 0)
}

fn equal_at(a: &str, b: &str, depth: usize) -> bool {
    let (Some(first), Some(other)) = (a.bytes().next(), b.bytes().next()) else { return a == b };
    match (first, other) {
        // Each level is read anew, so that the depth must be bounded: beyond it, text decides.
        (b'{' | b'[', _) if depth > 2 * MAX_DEPTH => compact(a) == compact(b),
        (b'{', b'{') => match (members(a), members(b)) {
            (Some(a), Some(b)) => {
                a.len() == b.len()
                    && a.iter().zip(&b).all(|((key, value), (other_key, other))| {
                        key == other_key
                            && (value.get() == other.get()
                                || equal_at(value.get(), other.get(), depth + 1))
                    })
            }
            _ => compact(a) == compact(b),
        },
        (b'[', b'[') => match (items(a), items(b)) {
            (Some(a), Some(b)) => {
                a.len() == b.len()
                    && a.iter().zip(&b).all(|(a, b)| equal_at(a.get(), b.get(), depth + 1))
            }
            _ => compact(a) == compact(b),
        },
        (b'"', b'"') => match (string(a), string(b)) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        },
        (b'-' | b'0'..=b'9', b'-' | b'0'..=b'9') => number_parts(a) == number_parts(b),
        _ => a == b,
    }
}

type Members<'a> = std::collections::BTreeMap<Cow<'a, str>, &'a RawValue>;

fn members(json: &str) -> Option<Members<'_>> {
    serde_json::from_str::<Fields<'_>>(json).ok().map(|fields| fields.0.into_iter().collect())
}

fn items(json: &str) -> Option<Vec<&RawValue>> {
    serde_json::from_str(json).ok()
}

/// A number's sign, its digits without zeros around them, and the power of ten of the last one.
fn number_parts(number: &str) -> Option<(bool, String, i64)> {
    let (negative, body) =
        number.strip_prefix('-').map_or((false, number), |positive| (true, positive));
    let (mantissa, exponent) = body.split_once(['e', 'E']).unwrap_or((body, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    if significant.trim_start_matches('0').is_empty() {
        return Some((false, String::new(), 0));
    }
    let dropped = i64::try_from(digits.len() - significant.len()).ok()?;
    let scale = i64::try_from(fraction.len()).ok()?;
    let power = exponent.parse::<i64>().ok()?.checked_add(dropped - scale)?;
    Some((negative, significant.trim_start_matches('0').to_owned(), power))
}

/// The text of a JSON string; none where it is another value, or has half of a surrogate pair.
pub(super) fn string(json: &str) -> Option<Cow<'_, str>> {
    let inside = json.strip_prefix('"')?.strip_suffix('"')?;
    // (Without a way out of the middle: so it is done for many bytes at once.)
    if !inside.bytes().fold(false, |any, byte| any | (byte == b'\\')) {
        return Some(Cow::Borrowed(inside));
    }
    serde_json::from_str::<Text<'_>>(json).ok().map(|text| text.0)
}

/// Adds `text` as a JSON string.
pub(super) fn push_string(out: &mut String, text: &str) {
    if text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        // A string can always be serialised.
        out.push_str(&serde_json::to_string(text).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compacting_leaves_strings_and_numbers_alone() {
        let json = "{ \"a b\" : [ 1.50 ,\n\t123456789012345678901234567890 , \"x \\\" y\" ] }";
        let squeezed = r#"{"a b":[1.50,123456789012345678901234567890,"x \" y"]}"#;
        assert_eq!(compact(json), squeezed);
        assert!(matches!(compact(squeezed), Cow::Borrowed(_)));
    }

    #[test]
    fn a_scan_sees_depth_nul_surrogates_and_range() {
        let sound = |json: &str| scan(json).sound;
        assert_eq!(scan(r#"{"a":[[],"[[["]}"#).depth, 3);
        assert!(sound(r#"["\ud83d\ude00","\\u0000",1e308]"#));
        for bad in [r#""\u0000""#, r#""\ud83d""#, r#""\ude00\ud83d""#, "1e309", "[-2E+999]"] {
            assert!(!sound(bad), "{bad}");
            let mut faults = Vec::new();
            name_unsound(bad, "/metadata", 1, &mut faults);
            assert_eq!(faults.len(), 1, "{bad}: {faults:?}");
        }
    }

    #[test]
    fn unsound_places_are_named_by_pointer() {
        let mut faults = Vec::new();
        name_unsound(r#"{"a/b":[1,"\u0000"],"n":1e999}"#, "/metadata", 1, &mut faults);
        let pointers: Vec<&str> = faults.iter().map(|f| f.pointer.as_str()).collect();
        assert_eq!(pointers, ["/metadata/a~1b/1", "/metadata/n"]);
    }

    #[test]
    fn equality_is_of_values() {
        for (a, b) in [
            (r#"{"a":1,"b":[2]}"#, r#"{ "b" : [ 2 ], "a" : 1.0 }"#),
            (r#""\u0041""#, r#""A""#),
            ("100", "1e2"),
            ("0.0", "-0"),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
        ] {
            assert!(equal(a, b), "{a} {b}");
        }
        for (a, b) in [
            ("123456789012345678901234567890", "123456789012345678901234567891"),
            ("1", "\"1\""),
            ("[1,2]", "[2,1]"),
            ("1", "-1"),
            (r#"{"a":null}"#, "{}"),
        ] {
            assert!(!equal(a, b), "{a} {b}");
        }
    }

    #[test]
    fn every_byte_is_found_at_every_place() {
        for byte in 0..=255_u8 {
            for length in [1, 7, 8, 9, 17] {
                for at in 0..length {
                    let mut bytes = vec![0xc3; length];
                    bytes[at] = byte;
                    let special = matches!(byte, b'"' | b'\\' | 0..0x20);
                    assert_eq!(until_special(&bytes), special.then_some(at), "{byte} at {at}");
                }
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_answered(a in "[\\[\\]{}\",:0-9a-fu\\\\é .eE+-]{0,40}", b in ".{0,10}") {
            let _ = (scan(&a), compact(&a).len(), equal(&a, &b), equal(&b, &a));
            name_unsound(&a, "", 0, &mut Vec::new());
        }
    }
}
