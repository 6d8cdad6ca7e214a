//! The events of one line: one as a rule, and what can be salvaged of a damaged one.
//!
//! Lives here: [`split_line`]. May not live here: reading an event's fields (see [`super::read`]).

use std::borrow::Cow;
use std::ops::Range;

use serde_json::value::RawValue;
use smallvec::SmallVec;

use super::Faults;
use crate::model::anomaly::AnomalyKind;

/// One event's text within a line: where its bytes stand, and the text to read.
#[derive(Debug, Clone)]
pub struct EventText<'a> {
    /// The bytes of the event within the line.
    pub range: Range<usize>,
    /// The text; differs from the bytes only where these are not UTF-8.
    pub text: Cow<'a, str>,
    /// What was wrong with the line.
    pub faults: Faults,
    /// Whether the text is a JSON object.
    pub is_object: bool,
}

/// Splits one line (without its line feed) into the events it holds: one, as a rule. A line that
/// cannot be read is one text that is no object; blank lines hold none.
#[must_use]
pub fn split_line(line: &[u8]) -> SmallVec<[EventText<'_>; 1]> {
    let mut texts = SmallVec::new();
    let trimmed = trim(line);
    if trimmed.is_empty() {
        return texts;
    }
    let mut faults = Faults::new();
    let stripped = strip_nuls(line, trimmed.clone(), &mut faults);
    if stripped.is_empty() {
        texts.push(unreadable(line, trimmed, faults, "the line holds only NUL bytes"));
        return texts;
    }
    let text = String::from_utf8_lossy(&line[stripped.clone()]);
    let lossy = matches!(text, Cow::Owned(_));
    if lossy {
        faults.push((
            AnomalyKind::InvalidUtf8,
            "bytes that are not UTF-8 are shown as \u{fffd}".into(),
        ));
    }
    match object_ranges(&text) {
        Ok(ranges) if ranges.len() == 1 => {
            texts.push(EventText { range: stripped, text, faults, is_object: true });
        }
        // Where bytes were replaced, the places in the text are not those in the line.
        Ok(ranges) if !lossy => {
            let note = format!("{} objects stand on one line", ranges.len());
            faults.push((AnomalyKind::SeveralOnOneLine, note));
            for range in ranges {
                let at = stripped.start + range.start..stripped.start + range.end;
                let part = std::str::from_utf8(&line[at.clone()]).unwrap_or_default();
                let text = Cow::Borrowed(part);
                texts.push(EventText { range: at, text, faults: faults.clone(), is_object: true });
            }
        }
        Ok(_) => {
            let what = "several objects and bytes that are not UTF-8 on one line";
            texts.push(unreadable(line, stripped, faults, what));
        }
        Err(NoObject::NotJson(why)) => texts.push(unreadable(line, stripped, faults, &why)),
        Err(NoObject::OtherJson(what)) => {
            let note = format!("the line is a JSON {what}, not an object");
            faults.push((AnomalyKind::NotAnObject, note));
            texts.push(EventText { range: stripped, text, faults, is_object: false });
        }
    }
    texts
}

fn unreadable<'a>(
    line: &'a [u8],
    range: Range<usize>,
    mut faults: Faults,
    why: &str,
) -> EventText<'a> {
    faults.push((AnomalyKind::NotJson, why.to_owned()));
    EventText {
        text: String::from_utf8_lossy(&line[range.clone()]),
        range,
        faults,
        is_object: false,
    }
}

fn trim(line: &[u8]) -> Range<usize> {
    let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n');
    let Some(start) = line.iter().position(|b| !blank(b)) else { return 0..0 };
    let end = line.iter().rposition(|b| !blank(b)).map_or(start, |at| at + 1);
    start..end
}

/// Zeroed blocks before or after an event are what a crash of the machine leaves behind.
fn strip_nuls(line: &[u8], range: Range<usize>, faults: &mut Faults) -> Range<usize> {
    let bytes = &line[range.clone()];
    let before = bytes.iter().take_while(|b| **b == 0).count();
    let after = bytes[before..].iter().rev().take_while(|b| **b == 0).count();
    if before + after > 0 {
        let note = format!("{} NUL bytes around the event", before + after);
        faults.push((AnomalyKind::NulBytes, note));
    }
    range.start + before..range.end - after
}

enum NoObject {
    NotJson(String),
    OtherJson(&'static str),
}

/// Where the objects of a line stand.
fn object_ranges(text: &str) -> Result<SmallVec<[Range<usize>; 1]>, NoObject> {
    let mut ranges = SmallVec::new();
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let mut start = 0;
    while let Some(item) = stream.next() {
        let raw = item.map_err(|e| NoObject::NotJson(format!("not JSON: {e}")))?.get();
        let end = stream.byte_offset();
        if !raw.starts_with('{') {
            let what = match raw.as_bytes().first() {
                Some(b'[') => "array",
                Some(b'"') => "string",
                Some(b't' | b'f') => "truth value",
                Some(b'n') => "null",
                _ => "number",
            };
            return Err(NoObject::OtherJson(what));
        }
        start = end - raw.len().min(end - start);
        ranges.push(start..end);
        start = end;
    }
    Ok(ranges)
}
