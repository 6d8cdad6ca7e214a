//! Single texts of an event: what is a word, what is a version, and how a message quotes them.
//!
//! Lives here: what several checks ask of a text. May not live here: which field must be what (see
//! [`super::strict`]).

use super::draft::has_control;

/// Whether a text is a word: not empty, no control characters.
pub(super) fn check_word(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        Err("is empty")
    } else if has_control(text) {
        Err("has a control character")
    } else {
        Ok(())
    }
}

/// Whether `text` has the form `1.2.3`, perhaps with a pre-release or build part.
pub(super) fn is_semver(text: &str) -> bool {
    let (core, rest) =
        text.find(['-', '+']).map_or((text, None), |at| (&text[..at], Some(&text[at + 1..])));
    let number = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_digit())
            && (part == "0" || !part.starts_with('0'))
    };
    let mut parts = 0;
    core.split('.').all(|part| {
        parts += 1;
        number(part)
    }) && parts == 3
        && rest.is_none_or(|rest| {
            !rest.is_empty()
                && rest
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+'))
        })
}

/// A text as a message quotes it: escaped and cut.
pub(super) fn quote(text: &str) -> String {
    let mut chars = text.chars();
    let head: String = chars.by_ref().take(60).collect();
    if chars.next().is_none() { format!("{head:?}") } else { format!("{:?}", head + "…") }
}
