//! The fields of an event that is written as programs write them: one quick pass, no copies.
//!
//! Lives here: [`envelope`], and what it makes of single values. May not live here: lines that are
//! not so plain, which serde reads (see [`crate::model::envelope`]). A test holds the two ways
//! against each other.

use std::borrow::Cow;

use super::members::plain;
use crate::model::envelope::{Actor, Envelope, Raw, Text};

/// What was read of an object.
#[derive(Debug)]
pub(super) struct Plain<'a> {
    pub(super) envelope: Envelope<'a>,
    /// Whether its metadata and its state of the code base are without white space outside of
    /// strings.
    pub(super) is_compact: bool,
    /// Whether its fields, and those of its actor, are those of an event and no others.
    pub(super) is_whole: bool,
}

/// The fields of an object. None for what is not so plain: what has escapes in its own texts, comes
/// twice, is null or of another type.
pub(super) fn envelope(text: &str) -> Option<Plain<'_>> {
    let (mut read, mut sound) = (Envelope::default(), true);
    let (mut is_compact, mut is_whole) = (true, true);
    plain(text, |key, raw, found, escaped| {
        let word = || word(raw, escaped);
        // (It has been read as JSON.)
        let object = || (raw != "null").then_some(Raw::checked(raw));
        sound &= match key {
            "event_id" => put(&mut read.event_id, word()),
            "event_type" => put(&mut read.event_type, word()),
            "event_version" => put(&mut read.event_version, word()),
            "timestamp" => put(&mut read.timestamp, word()),
            "event_sequence" => put(&mut read.event_sequence, whole(raw)),
            "issue_key" => put(&mut read.issue_key, word()),
            "session_id" => put(&mut read.session_id, word()),
            "correlation_id" => put(&mut read.correlation_id, word()),
            "causation_id" => put(&mut read.causation_id, word()),
            "actor" => {
                let (actor, others) = actor(raw).unzip();
                is_whole &= others == Some(false);
                put(&mut read.actor, actor)
            }
            "metadata" | "codebase_state" => {
                is_compact &= !found.spaced;
                let metadata = key == "metadata";
                let field = if metadata { &mut read.metadata } else { &mut read.codebase_state };
                put(field, object())
            }
            "git_sha" => put(&mut read.git_sha, word()),
            "branch" => put(&mut read.branch, word()),
            _ => {
                is_whole = false;
                true
            }
        };
    })?;
    sound.then_some(Plain { envelope: read, is_compact, is_whole })
}

/// Puts a value where none is yet; whether that went well.
#[inline]
pub(crate) fn put<T>(field: &mut Option<T>, value: Option<T>) -> bool {
    let fits = field.is_none() && value.is_some();
    *field = value;
    fits
}

/// A number without a sign, a fraction or an exponent.
#[inline]
pub(crate) fn whole(raw: &str) -> Option<u64> {
    raw.bytes().all(|b| b.is_ascii_digit()).then(|| raw.parse().ok())?
}

/// A string without escapes.
#[inline]
pub(crate) fn word(raw: &str, escaped: bool) -> Option<Text<'_>> {
    let word = raw.strip_prefix('"')?.strip_suffix('"')?;
    (!escaped).then_some(Text(Cow::Borrowed(word)))
}

/// Who acted, and whether there is more in it than that.
pub(crate) fn actor(raw: &str) -> Option<(Actor<'_>, bool)> {
    let (mut kind, mut id, mut model) = (None, None, None);
    let (mut sound, mut others) = (true, false);
    plain(raw, |key, raw, _, escaped| {
        let word = || word(raw, escaped);
        sound &= match key {
            "type" => put(&mut kind, word()),
            "id" => put(&mut id, word()),
            "model" => put(&mut model, word()),
            _ => {
                others = true;
                true
            }
        };
    })?;
    let (kind, id) = (kind.unwrap_or_default(), id.unwrap_or_default());
    sound.then_some((Actor { kind, id, model }, others))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINE: &str = r#"{"event_id":"e","event_type":"X","event_version":"1","timestamp":"t","event_sequence":7,"issue_key":"P-1","session_id":"s","correlation_id":"c","causation_id":"d","actor":{"type":"agent","id":"a","model":"m"},"metadata":{"x":[1,"\n"]},"git_sha":"g","branch":"b","codebase_state":{"n":1}}"#;

    /// Whether the quick way reads it; it then reads what serde does.
    fn is_plain(text: &str) -> bool {
        let Some(Plain { envelope: ours, is_compact: compact, is_whole }) = envelope(text) else {
            return false;
        };
        let theirs: Envelope<'_> = serde_json::from_str(text).unwrap();
        assert_eq!(ours, theirs, "{text}");
        let spaced = |raw: Option<Raw<'_>>| {
            raw.is_some_and(|raw| super::super::json::scan(raw.get()).spaced)
        };
        assert_eq!(compact, !spaced(theirs.metadata) && !spaced(theirs.codebase_state), "{text}");
        assert_eq!(is_whole, crate::model::envelope::others(text).is_empty(), "{text}");
        true
    }

    #[test]
    fn lines_as_stores_write_them_are_plain() {
        for line in [
            LINE.to_owned(),
            "{}".to_owned(),
            LINE.replace(",", " , "),
            LINE.replace("\"branch\"", "\"other\""),
            LINE.replace(",\"model\":\"m\"", ",\"mood\":{\"x\":null}"),
            LINE.replace("{\"x\":[1,\"\\n\"]}", "7"),
        ] {
            assert!(is_plain(&line), "{line}");
        }
    }

    #[test]
    fn others_are_left_to_serde() {
        for (from, to) in [
            ("\"e\"", "\"\\n\""),
            ("\"e\"", "null"),
            ("\"s\"", "7"),
            ("7", "-7"),
            ("7", "7.0"),
            ("{\"n\":1}", "null"),
            ("\"branch\"", "\"git_sha\""),
            ("\"a\"", "[]"),
            ("\"id\"", "\"type\""),
            ("}}", "}"),
        ] {
            let line = LINE.replacen(from, to, 1);
            assert!(envelope(&line).is_none(), "{line}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_changed_is_read_as_serde_reads_it(at in 0..LINE.len(), by in "[\"{}\\[\\]:,0-9a-f\\\\ un]{0,3}") {
            let mut line = LINE.to_owned();
            line.replace_range(at..=at, &by);
            is_plain(&line);
        }
    }
}
