//! The strings and numbers of a JSON text or value, each looked at for secrets, by what it holds and by
//! its key.
//!
//! Lives here: the walk over compact JSON that was checked already, and that over a parsed value.
//! May not live here: what a secret is.

use std::borrow::Cow;
use std::fmt::Write;

use serde_json::Value;

use super::super::json::{child, push_string, skip_string, string};
use super::{Mode, Redaction, Redactor, find, marker};

/// An object or array that the walk is in.
struct Level<'a> {
    /// The last key of an object, without secrets; none in an array.
    key: Option<Cow<'a, str>>,
    /// How many members stand before, in an array.
    index: usize,
    /// Whether the next string is a key.
    key_next: bool,
}

/// `json` with markers for its secrets, which are added to `found`; nothing where it has none.
pub(super) fn without_secrets(
    redactor: &Redactor,
    json: &str,
    pointer: &str,
    found: &mut Vec<Redaction>,
) -> Option<String> {
    let bytes = json.as_bytes();
    let (mut levels, mut out) = (Vec::<Level<'_>>::with_capacity(8), String::new());
    let (mut at, mut kept) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        let (end, redacted) = match byte {
            b'"' => {
                let end = skip_string(bytes, at, &mut true);
                let text = json.get(at..end).and_then(string).unwrap_or_default();
                (end, redacted_string(redactor, &mut levels, text))
            }
            b'-' | b'0'..=b'9' => {
                let ends = |b: &u8| matches!(b, b',' | b']' | b'}');
                let length = bytes[at..].iter().position(ends);
                let end = length.map_or(bytes.len(), |length| at + length);
                (end, redacted_number(name_of(&levels), json.get(at..end).unwrap_or_default()))
            }
            _ => {
                step(&mut levels, *byte);
                (at + 1, None)
            }
        };
        if let Some((text, names)) = redacted {
            let pointer = levels.iter().fold(pointer.to_owned(), Level::below);
            let redaction = |name| Redaction { pointer: pointer.clone(), name };
            found.extend(names.into_iter().map(redaction));
            out.push_str(json.get(kept..at).unwrap_or_default());
            push_string(&mut out, &text);
            kept = end;
        }
        at = end;
    }
    if kept == 0 {
        return None;
    }
    out.push_str(json.get(kept..).unwrap_or_default());
    Some(out)
}

/// A text without its secrets, and what they are called.
type Redacted = Option<(String, Vec<&'static str>)>;

/// Takes note of what a walk meets between values.
fn step(levels: &mut Vec<Level<'_>>, byte: u8) {
    match byte {
        b'{' => levels.push(Level { key: None, index: 0, key_next: true }),
        b'[' => levels.push(Level { key: None, index: 0, key_next: false }),
        b'}' | b']' => drop(levels.pop()),
        b',' => {
            if let Some(level) = levels.last_mut() {
                level.index += 1;
                level.key_next = level.key.is_some();
            }
        }
        _ => {}
    }
}

/// The string that a walk is at, if it has secrets: a value, or a key, which is taken note of.
fn redacted_string<'a>(
    redactor: &Redactor,
    levels: &mut [Level<'a>],
    text: Cow<'a, str>,
) -> Redacted {
    match levels.last_mut() {
        Some(level) if level.key_next => {
            let redacted = redactor.without_secrets(&text);
            let shown = redacted.as_ref().map(|(text, _)| text.clone());
            level.key = Some(shown.map_or(text, Cow::Owned));
            level.key_next = false;
            redacted
        }
        _ => redacted(redactor, name_of(levels), &text),
    }
}

/// The name that a value goes under: the items of a list under that of the list.
fn name_of<'l>(levels: &'l [Level<'_>]) -> Option<&'l str> {
    levels.iter().rev().find_map(|level| level.key.as_deref())
}

impl Level<'_> {
    /// The pointer to the member that the walk is at, of what stands at `pointer`.
    fn below(mut pointer: String, level: &Self) -> String {
        match &level.key {
            Some(key) => pointer = child(&pointer, key),
            // Writing to a string cannot fail.
            None => drop(write!(pointer, "/{}", level.index)),
        }
        pointer
    }
}

/// A value without its secrets, if it has some; it is the member `key`, if it is one.
fn redacted(redactor: &Redactor, key: Option<&str>, text: &str) -> Redacted {
    match key.and_then(|key| find::named(key, text)) {
        Some(name) => Some((marker(name), vec![name])),
        None => redactor.without_secrets(text),
    }
}

/// What takes the place of a number that is a secret by its name.
fn redacted_number(key: Option<&str>, number: &str) -> Redacted {
    let name = find::named_number(key?, number)?;
    Some((marker(name), vec![name]))
}

impl Redactor {
    /// Puts markers for the secrets of a value, in its strings, its numbers and the names of its members.
    pub fn clean(&self, value: &mut Value) {
        if self.mode != Mode::Off {
            self.clean_member(None, value);
        }
    }

    fn clean_member(&self, key: Option<&str>, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some((clean, _)) = redacted(self, key, text) {
                    *text = clean;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.clean_member(key, item)),
            Value::Object(members) => {
                members.iter_mut().for_each(|(key, value)| self.clean_member(Some(key), value));
                if members.keys().any(|key| self.without_secrets(key).is_some()) {
                    let old = std::mem::take(members);
                    members.extend(
                        old.into_iter()
                            .map(|(key, value)| (self.conceal(&key).into_owned(), value)),
                    );
                }
            }
            Value::Number(number) => {
                if let Some((clean, _)) = redacted_number(key, &number.to_string()) {
                    *value = clean.into();
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }
}
