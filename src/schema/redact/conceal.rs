//! What is said about an event that was refused, without the secrets that stand in it.
//!
//! Lives here: [`Sieve`]. May not live here: what a secret is (see [`super::find`]).
//!
//! A message quotes what is wrong, in one of many forms: escaped, cut, as part of a pointer. So the
//! secrets are looked for where they came from, as a whole, and taken out of what is said.

use std::borrow::Cow;

use serde_json::Value;
use smol_str::SmolStr;

use super::super::SchemaFault;
use super::super::json::{child, skip_string, string};
use super::{Mode, Redactor, find, marker};
use crate::error::Error;

/// A secret shorter than this is only taken out where it is all that is quoted: as a part of words
/// it says nothing.
const LEAST: usize = 4;

/// Where a message was cut.
const CUT: char = '…';

/// Takes the secrets of what was given out of what is said about it.
#[derive(Debug)]
pub struct Sieve<'r> {
    redactor: &'r Redactor,
    /// Each secret in each form that a message may have it in, and what it is called; the longest
    /// first.
    known: Vec<(String, &'static str)>,
}

impl Redactor {
    /// A sieve that knows no text yet.
    #[must_use]
    pub fn sieve(&self) -> Sieve<'_> {
        Sieve { redactor: self, known: Vec::new() }
    }

    /// The text with a marker for each secret.
    #[must_use]
    pub fn conceal<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.mode == Mode::Off {
            return text.into();
        }
        self.without_secrets(text).map_or(text.into(), |(text, _)| text.into())
    }

    /// A word with a marker for each secret; the same one where it has none, which is quick.
    #[must_use]
    pub fn conceal_word(&self, word: &SmolStr) -> SmolStr {
        match self.conceal(word) {
            Cow::Borrowed(_) => word.clone(),
            Cow::Owned(concealed) => concealed.into(),
        }
    }

    /// Whether a text holds a secret that is not to be kept.
    #[must_use]
    pub fn finds(&self, text: &str) -> bool {
        self.mode != Mode::Off && self.without_secrets(text).is_some()
    }

    /// The faults of an event, without the secrets of its text.
    pub(in crate::schema) fn conceal_faults(
        &self,
        event: &str,
        faults: &[SchemaFault],
    ) -> Vec<SchemaFault> {
        let mut sieve = self.sieve();
        sieve.learn_json(event);
        faults.iter().map(|fault| sieve.fault(fault)).collect()
    }
}

impl Sieve<'_> {
    /// Looks for the secrets of a text that messages may quote.
    pub fn learn(&mut self, text: &str) {
        let patterns = self.redactor.patterns.clone();
        let of_patterns =
            patterns.iter().flat_map(|patterns| patterns.iter()).flat_map(|pattern| {
                pattern.find_iter(text).map(|found| (found.range(), super::CUSTOM))
            });
        let of_shapes = find::secrets_in(text).into_iter().map(|found| (found.range, found.name));
        for (range, name) in of_shapes.chain(of_patterns).collect::<Vec<_>>() {
            self.know(text.get(range).unwrap_or_default(), name);
        }
    }

    /// Looks for the secrets of a JSON text, which may be broken: in each of its strings, by what
    /// it holds and by the key before it, and in the text as it is.
    pub fn learn_json(&mut self, json: &str) {
        self.learn(json);
        let bytes = json.as_bytes();
        let (mut at, mut key) = (0, None::<Cow<'_, str>>);
        while let Some(quote) = memchr::memchr(b'"', bytes.get(at..).unwrap_or_default()) {
            let start = at + quote;
            at = skip_string(bytes, start, &mut true).max(start + 1);
            let Some(text) = json.get(start..at).and_then(string) else { continue };
            self.learn(&text);
            let behind = json.get(at..).unwrap_or_default().trim_ascii_start();
            if let Some(value) = behind.strip_prefix(':') {
                let number = value.trim_ascii_start();
                let ends = |c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E');
                let number = &number[..number.find(ends).unwrap_or(number.len())];
                if let Some(name) = find::named_number(&text, number) {
                    self.know(number, name);
                }
                key = Some(text);
            } else if let Some(name) = key.as_ref().and_then(|key| find::named(key, &text)) {
                self.know(&text, name);
            }
        }
    }

    fn know(&mut self, secret: &str, name: &'static str) {
        let escaped = format!("{secret:?}");
        let forms = [
            secret.to_owned(),
            escaped[1..escaped.len() - 1].to_owned(),
            child("", secret).split_off(1),
            string_form(secret),
        ];
        for form in forms {
            let longer = |(known, _): &(String, _)| known.len() > form.len();
            if !form.is_empty() && self.known.iter().all(|(known, _)| *known != form) {
                let at = self.known.iter().take_while(|known| longer(known)).count();
                self.known.insert(at, (form, name));
            }
        }
    }

    /// A message without secrets.
    #[must_use]
    pub fn words(&self, message: &str) -> String {
        if self.redactor.mode == Mode::Off {
            return message.to_owned();
        }
        let mut text = message.to_owned();
        for (secret, name) in &self.known {
            if secret.len() < LEAST {
                text = text.replace(&format!("\"{secret}\""), &format!("\"{}\"", marker(name)));
                continue;
            }
            if text.contains(secret) {
                text = text.replace(secret, &marker(name));
            }
            text = without_cut(&text, secret, name);
        }
        self.redactor.conceal(&text).into_owned()
    }

    /// A fault without secrets, in what it says and in its pointer.
    #[must_use]
    pub fn fault(&self, fault: &SchemaFault) -> SchemaFault {
        SchemaFault::new(self.pointer(&fault.pointer), self.words(&fault.message))
    }

    /// A JSON pointer without secrets.
    #[must_use]
    pub fn pointer(&self, pointer: &str) -> String {
        let known = self.words(pointer);
        let parts = known.split('/').skip(1);
        let plain = parts.map(|part| part.replace("~1", "/").replace("~0", "~"));
        plain.fold(String::new(), |pointer, part| child(&pointer, &self.words(&part)))
    }

    /// An error without secrets, in all that it says.
    #[must_use]
    pub fn error(&self, error: Error) -> Error {
        error.map_words(&|text| self.words(text))
    }
}

/// A text as it stands in JSON, without its quotes.
fn string_form(text: &str) -> String {
    let json = Value::from(text).to_string();
    json[1..json.len() - 1].to_owned()
}

/// A message that was cut within a secret, without what is left of that.
fn without_cut(message: &str, secret: &str, name: &str) -> String {
    let mut out = String::with_capacity(message.len());
    for (part, text) in message.split(CUT).enumerate() {
        if part > 0 {
            let ends = secret.char_indices().map(|(at, _)| &secret[..at]).rev();
            // A single letter says nothing, and many words end with it.
            let left = ends.filter(|left| left.len() > 1).find(|left| out.ends_with(left));
            if let Some(left) = left {
                out.truncate(out.len() - left.len());
                out.push_str(&marker(name));
            }
            out.push(CUT);
        }
        out.push_str(text);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::support::secrets;
    use super::*;

    #[test]
    fn a_secret_is_found_in_every_form_of_a_message() {
        let redactor = Redactor::DEFAULT;
        for (secret, name) in secrets() {
            let mut sieve = redactor.sieve();
            sieve.learn_json(&format!("{{\"a\": \"x {secret}\""));
            let bare = secret.trim_start_matches("https://");
            let cut: String = secret.chars().take(bare.len() * 3 / 4).collect();
            for message in [
                format!("must be a UUID, which {secret:?} is not"),
                format!("is {:?} here", format!("{cut}…")),
                format!("--meta {:?}", format!("x {secret}\n")),
            ] {
                let shown = sieve.words(&message);
                assert!(shown.contains(&marker(name)), "{message} became {shown}");
                assert!(!shown.contains(&bare[..bare.len() / 2]), "{message} became {shown}");
            }
            let pointer = sieve.pointer(&child("/metadata", &secret));
            assert!(pointer.ends_with(&marker(name)), "{pointer}");
        }
    }

    #[test]
    fn words_stay_as_they_are() {
        let redactor = Redactor::DEFAULT;
        let mut sieve = redactor.sieve();
        sieve.learn_json(r#"{"password": "a", "db_password": "uui", "token": 5, "x~/y": "z"#);
        let message = "must be a UUID, which \"x…\" is not";
        assert_eq!(sieve.words(message), message);
        assert_eq!(sieve.words("not \"a\""), "not \"[redacted:password]\"");
        assert_eq!(sieve.pointer("/metadata/x~0~1y/0"), "/metadata/x~0~1y/0");
        assert_eq!(sieve.pointer(""), "");
        let off = Redactor { mode: Mode::Off, patterns: None };
        let mut sieve = off.sieve();
        sieve.learn("--password=hunter2");
        assert_eq!(sieve.words("--password=hunter2"), "--password=hunter2");
    }
}
