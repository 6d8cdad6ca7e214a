//! What can be read of one line or element: its objects, and what is wrong with it.
//!
//! Lives here: [`objects`]. May not live here: finding lines and elements.

use std::borrow::Cow;

use serde_json::Value;

use super::fault::FaultKind;
use crate::model::AnomalyKind;
use crate::model::envelope::{EventText, split_line};

/// How many places of a damaged line are tried as the beginning of a sound object.
const MAX_TRIES: usize = 64;

/// One object of a line.
#[derive(Debug)]
pub(super) struct Part<'a> {
    /// Its text: the exact bytes where these are UTF-8 on one line; without the white space
    /// between its tokens where it goes over several lines.
    pub(super) text: Cow<'a, str>,
    pub(super) value: Value,
}

/// What a line holds.
#[derive(Debug, Default)]
pub(super) struct Salvaged<'a> {
    pub(super) parts: Vec<Part<'a>>,
    pub(super) faults: Vec<(FaultKind, String)>,
    lost: u64,
}

impl Salvaged<'_> {
    /// How many records the line holds, lost ones too.
    pub(super) fn records(&self) -> u64 {
        self.parts.len() as u64 + self.lost
    }

    fn fault(&mut self, kind: FaultKind, detail: String) {
        if !self.faults.iter().any(|(known, _)| *known == kind) {
            self.faults.push((kind, detail));
        }
    }
}

/// Reads the objects of a line or element. `torn` says that its line feed is missing.
pub(super) fn objects(bytes: &[u8], torn: bool) -> Salvaged<'_> {
    let mut salvaged = Salvaged::default();
    for text in split_line(bytes) {
        if text.is_object {
            take(text, &mut salvaged);
            continue;
        }
        salvaged.lost += 1;
        for (kind, detail) in &text.faults {
            match kind {
                AnomalyKind::NotAnObject => {
                    salvaged.fault(FaultKind::NotAnObject, detail.clone());
                }
                AnomalyKind::NotJson => not_json(&text, detail, torn, &mut salvaged),
                other => name(*other, detail, &mut salvaged),
            }
        }
        let damaged = &bytes[text.range.clone()];
        for sound in after_damage(damaged) {
            take(sound, &mut salvaged);
        }
    }
    salvaged
}

fn not_json(text: &EventText<'_>, detail: &str, torn: bool, salvaged: &mut Salvaged<'_>) {
    let error = serde_json::from_str::<serde::de::IgnoredAny>(&text.text).err();
    let cut = error.is_some_and(|error| error.is_eof());
    // A line that was cut off and written on by the next writer ends inside a text.
    if cut && torn {
        let detail = "the file ends inside this record".to_owned();
        salvaged.fault(FaultKind::CutLine, detail);
    } else if cut || first_key(text.text.as_bytes()).is_some_and(|key| found_again(&text.text, key))
    {
        salvaged.fault(FaultKind::CutLine, detail.to_owned());
    } else {
        salvaged.fault(FaultKind::NotJson, detail.to_owned());
    }
}

fn name(kind: AnomalyKind, detail: &str, salvaged: &mut Salvaged<'_>) {
    let kind = match kind {
        AnomalyKind::SeveralOnOneLine => FaultKind::SeveralOnOneLine,
        AnomalyKind::NulBytes => FaultKind::NulBytes,
        AnomalyKind::InvalidUtf8 => FaultKind::InvalidUtf8,
        _ => FaultKind::NotJson,
    };
    salvaged.fault(kind, detail.to_owned());
}

fn take<'a>(text: EventText<'a>, salvaged: &mut Salvaged<'a>) {
    for (kind, detail) in &text.faults {
        name(*kind, detail, salvaged);
    }
    let parsed = serde_json::from_str(&text.text).or_else(|error| {
        serde_json::from_str(&without_lone_surrogates(&text.text)).map_err(|_| error)
    });
    match parsed {
        Ok(value) => salvaged.parts.push(Part { text: on_one_line(text.text), value }),
        Err(error) => {
            salvaged.lost += 1;
            salvaged.fault(FaultKind::NotJson, format!("cannot be read: {error}"));
        }
    }
}

/// The sound objects after a cut one on the same line: those that begin as it does.
fn after_damage(damaged: &[u8]) -> Vec<EventText<'_>> {
    let Some(key) = first_key(damaged) else { return Vec::new() };
    memchr::memmem::find_iter(damaged, key)
        .skip(1)
        .take(MAX_TRIES)
        .map(|at| split_line(&damaged[at..]))
        .find(|texts| !texts.is_empty() && texts.iter().all(|text| text.is_object))
        .map_or_else(Vec::new, smallvec::SmallVec::into_vec)
}

fn found_again(text: &str, key: &[u8]) -> bool {
    memchr::memmem::find_iter(text.as_bytes(), key).nth(1).is_some()
}

/// How an object begins: its brace and first key, up to the key's end.
fn first_key(bytes: &[u8]) -> Option<&[u8]> {
    let at = bytes.iter().position(|b| !b.is_ascii_whitespace())?;
    let text = &bytes[at..];
    let inner = text.strip_prefix(b"{")?;
    let quote = inner.iter().position(|b| !b.is_ascii_whitespace())?;
    let end = inner.get(quote..)?.strip_prefix(b"\"")?.iter().position(|b| *b == b'"')?;
    text.get(..1 + quote + 1 + end + 1)
}

/// White space between tokens may hold line feeds, which an event's line may not.
fn on_one_line(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains(['\n', '\r']) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let (mut in_text, mut escaped) = (false, false);
    for c in text.chars() {
        if in_text {
            in_text = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c == '"' {
            in_text = true;
        } else if c.is_ascii_whitespace() {
            continue;
        }
        out.push(c);
    }
    Cow::Owned(out)
}

/// Programs that cut texts leave halves of surrogate pairs (`\ud83d`), which no text can hold.
fn without_lone_surrogates(text: &str) -> String {
    let unit = |at: usize| {
        let hex = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(hex, 16).ok()
    };
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', &text.as_bytes()[at..]) {
        out.push_str(&text[at..at + found]);
        at += found;
        let (take, keep) = match (unit(at), unit(at + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (12, true),
            (Some(0xd800..=0xdfff), _) => (6, false),
            (Some(_), _) => (6, true),
            (None, _) => (1 + text[at + 1..].chars().next().map_or(0, char::len_utf8), true),
        };
        out.push_str(if keep { &text[at..at + take] } else { "\\ufffd" });
        at += take;
    }
    out.push_str(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (Vec<String>, Vec<FaultKind>, u64) {
        let salvaged = objects(bytes, false);
        let records = salvaged.records();
        (
            salvaged.parts.iter().map(|part| part.text.to_string()).collect(),
            salvaged.faults.iter().map(|fault| fault.0).collect(),
            records,
        )
    }

    #[test]
    fn what_is_sound_is_taken_and_what_is_not_is_named() {
        let two = br#"{"a":1,"b":2}{"a":2}"#;
        let (texts, faults, records) = read(two);
        assert_eq!(texts, [r#"{"a":1,"b":2}"#, r#"{"a":2}"#]);
        assert_eq!((faults, records), (vec![FaultKind::SeveralOnOneLine], 2));

        let (texts, faults, records) = read(br#"{"a":1,"b":"cu{"a":2,"b":"x"}"#);
        assert_eq!(texts, [r#"{"a":2,"b":"x"}"#]);
        assert_eq!((faults, records), (vec![FaultKind::CutLine], 2));

        for (line, kind) in [
            (&b"{\"a\":1,\"b\""[..], FaultKind::CutLine),
            (b"{\"a\":}", FaultKind::NotJson),
            (b"[1]", FaultKind::NotAnObject),
            (b"\0\0", FaultKind::NulBytes),
        ] {
            let (texts, faults, records) = read(line);
            assert_eq!((texts.len(), faults[0], records), (0, kind, 1), "{line:?}");
        }
        assert_eq!(read(b"\0{\"a\":1}").1, [FaultKind::NulBytes]);
        assert_eq!(read(b"{\"a\":\"\xff\"}").1, [FaultKind::InvalidUtf8]);
        assert_eq!(read(b"  ").2, 0);
    }

    #[test]
    fn several_lines_become_one_and_texts_stay() {
        let (texts, ..) = read(b"{\n \"a b\" : [ 1,\r\n 2.50 ],\n\"c\":\"x\\\" \\n\"}");
        assert_eq!(texts, ["{\"a b\":[1,2.50],\"c\":\"x\\\" \\n\"}"]);
    }

    #[test]
    fn halves_of_characters_do_not_lose_a_record() {
        let line = br#"{"a":"\ud83d","b":"\ud83d\ude00","c":"\\ud83d"}"#;
        let salvaged = objects(line, false);
        assert!(salvaged.faults.is_empty());
        let part = &salvaged.parts[0];
        assert_eq!(part.text.as_bytes(), line);
        assert_eq!(part.value, serde_json::json!({"a":"\u{fffd}","b":"😀","c":"\\ud83d"}));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80), text in r#"[\\u{}"a-d0-9:]{0,60}"#) {
            let _ = objects(&bytes, true);
            let _ = objects(text.as_bytes(), false);
            let _ = without_lone_surrogates(&text);
        }
    }
}
