//! An event before it is stored: what the caller gave, checked, without the store's stamps.
//!
//! Lives here: [`Draft`], and its two constructors (strict for appends, lenient for imports). May not
//! live here: the text of the line that it becomes (see [`line`]); the rules of the envelope (see
//! [`super::strict`]) or of single types (see [`super::validate`]).

mod line;

use std::fmt;
use std::sync::Arc;

use super::redact::{Redaction, Redactor};
use super::{lenient, strict};
use crate::error::{Error, Result};
use crate::model::catalogue::Version;
use crate::model::{Kind, Timestamp, ids};

/// An event as the caller gives it. The only ways to make one are [`Draft::strict`] and
/// [`Draft::lenient`], so that a store can trust that it was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub(super) event_id: Option<String>,
    pub(super) event_type: String,
    /// The version as the caller gave it.
    pub(super) event_version: Option<String>,
    pub(super) timestamp: Option<Timestamp>,
    pub(super) issue_key: String,
    pub(super) session_id: String,
    pub(super) correlation_id: Option<String>,
    pub(super) causation_id: Option<String>,
    pub(super) actor_type: String,
    pub(super) actor_id: String,
    pub(super) model: Option<String>,
    /// A JSON object, compact (but see [`Draft::as_written`]), in the caller's order of keys.
    pub(super) metadata: String,
    pub(super) git_sha: Option<String>,
    pub(super) branch: Option<String>,
    /// A JSON object, compact.
    pub(super) codebase_state: Option<String>,
    /// The secrets that were taken out.
    pub(super) redacted: Vec<Redaction>,
    /// The line that says just this, with its sequence number, as somebody wrote it.
    pub(super) line: Option<(u64, String)>,
}

/// What a draft is checked against, beside the catalogue.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The time of the append: no timestamp may be more than five minutes ahead of it.
    pub now: Timestamp,
    /// The most bytes that the event's line may have.
    pub max_event_bytes: usize,
    /// Whether types that the catalogue does not have are accepted.
    pub allow_unknown_types: bool,
    /// A regular expression for issue keys; none for `PREFIX-123`.
    pub key_pattern: Option<KeyPattern>,
    /// What becomes of secrets.
    pub redactor: Redactor,
}

impl Rules {
    /// The most bytes that an event's line may have, unless the configuration says otherwise.
    pub const MAX_EVENT_BYTES: usize = 1 << 20;

    /// The rules that hold where nothing is configured.
    #[must_use]
    pub const fn new(now: Timestamp) -> Self {
        Self {
            now,
            max_event_bytes: Self::MAX_EVENT_BYTES,
            allow_unknown_types: false,
            key_pattern: None,
            redactor: Redactor::DEFAULT,
        }
    }
}

/// A regular expression that issue keys must match, compiled once; anchors are part of it.
#[derive(Debug, Clone)]
pub struct KeyPattern(Arc<regex::Regex>);

impl KeyPattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// Usage, when it is no regular expression.
    pub fn new(pattern: &str) -> Result<Self> {
        regex::Regex::new(pattern).map(|regex| Self(Arc::new(regex))).map_err(|error| {
            Error::usage(format!("the pattern for issue keys is no regular expression: {error}"))
        })
    }

    /// Whether `key` matches.
    #[must_use]
    pub fn matches(&self, key: &str) -> bool {
        self.0.is_match(key)
    }

    /// The pattern's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// One reason why an event is refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct SchemaFault {
    /// Where, as a JSON pointer from the event's root.
    pub pointer: String,
    /// What is wrong there: words that follow the pointer, as in “is not a string”.
    pub message: String,
}

impl SchemaFault {
    /// A fault at `pointer`.
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

impl fmt::Display for SchemaFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "the event" } else { &self.pointer };
        write!(f, "{place} {}", self.message)
    }
}

/// What the store adds to a draft to make it a line.
#[derive(Debug, Clone, Copy)]
pub struct Stamp<'a> {
    /// The event's id: the caller's, or one the store made.
    pub event_id: &'a str,
    /// The caller's time, or the store's.
    pub timestamp: Timestamp,
    /// Its place in the issue's log, from 1.
    pub sequence: u64,
    /// The repository's commit, unless the caller gave one.
    pub git_sha: Option<&'a str>,
    /// The repository's branch, unless the caller gave one.
    pub branch: Option<&'a str>,
}

/// An event of another system, as its mapping makes it. Texts are taken as they are.
#[derive(Debug, Clone, Default)]
pub struct LenientDraft {
    /// The event's id: non-empty; imports derive it from the source.
    pub event_id: Option<String>,
    /// Any non-empty name without control characters.
    pub event_type: String,
    /// The version of the type's schema; none for the catalogue's.
    pub event_version: Option<String>,
    /// The event's time; none for the time of the append.
    pub timestamp: Option<Timestamp>,
    /// Any key that is safe as a folder's name.
    pub issue_key: String,
    /// Any non-empty text without control characters.
    pub session_id: String,
    /// The group of events it belongs to.
    pub correlation_id: Option<String>,
    /// The id of the event that caused it.
    pub causation_id: Option<String>,
    /// `user`, `system` or `agent`, or the source's own word.
    pub actor_type: String,
    /// The actor's name; non-empty.
    pub actor_id: String,
    /// The model the actor runs on.
    pub model: Option<String>,
    /// The text of a JSON object.
    pub metadata: String,
    /// The commit the repository was at.
    pub git_sha: Option<String>,
    /// The branch the repository was on.
    pub branch: Option<String>,
    /// The text of a JSON object.
    pub codebase_state: Option<String>,
}

impl Draft {
    /// Reads an event that a caller wants to append: the text of one JSON object. A
    /// `metadata.issue_key` that the type lists is filled from the envelope when absent.
    ///
    /// # Errors
    /// Every fault there is, in the order of the text, those of absent fields last; secrets, where
    /// the rules refuse them. No secret of the text is quoted.
    pub fn strict(text: &str, rules: &Rules) -> Result<Self, Vec<SchemaFault>> {
        let draft = strict::read(text, rules)
            .map_err(|faults| rules.redactor.conceal_faults(text, &faults))?;
        draft.without_secrets(&rules.redactor)
    }

    /// Takes an event of another system: any type, any safe key, any metadata object. What comes
    /// out is a well-formed line that reads back to the same fields.
    ///
    /// # Errors
    /// Every fault there is: what would make an unsafe name or a broken line.
    pub fn lenient(parts: LenientDraft) -> Result<Self, Vec<SchemaFault>> {
        lenient::take(parts)
    }

    /// The draft without its secrets.
    ///
    /// # Errors
    /// A fault for each secret, where they are to be refused, or stand where no marker can.
    pub fn without_secrets(mut self, redactor: &Redactor) -> Result<Self, Vec<SchemaFault>> {
        self.redacted = redactor.apply(&mut self)?;
        if !self.redacted.is_empty() {
            self.line = None;
        }
        Ok(self)
    }

    /// The secrets that were taken out.
    #[must_use]
    pub fn redacted(&self) -> &[Redaction] {
        &self.redacted
    }

    /// The id that the caller gave.
    #[must_use]
    pub fn event_id(&self) -> Option<&str> {
        self.event_id.as_deref()
    }

    /// The type's name.
    #[must_use]
    pub fn event_type(&self) -> &str {
        &self.event_type
    }

    /// The type; unknown where the catalogue does not have it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        Kind::from_name(&self.event_type)
    }

    /// The version of the type's schema: the caller's, else the one the type came with.
    #[must_use]
    pub fn event_version(&self) -> &str {
        self.event_version.as_deref().unwrap_or_else(|| Version::since(self.kind()).name())
    }

    /// The time that the caller gave.
    #[must_use]
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.timestamp
    }

    /// The issue.
    #[must_use]
    pub fn issue_key(&self) -> &str {
        &self.issue_key
    }

    /// The session.
    #[must_use]
    pub fn session_id(&self) -> &str {
        &self.session_id
    }

    /// The group of events it belongs to.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }

    /// The id of the event that caused it.
    #[must_use]
    pub fn causation_id(&self) -> Option<&str> {
        self.causation_id.as_deref()
    }

    /// `user`, `system` or `agent`; imports may have other words.
    #[must_use]
    pub fn actor_type(&self) -> &str {
        &self.actor_type
    }

    /// The actor's name.
    #[must_use]
    pub fn actor_id(&self) -> &str {
        &self.actor_id
    }

    /// The model the actor runs on.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// The metadata: the compact text of a JSON object.
    #[must_use]
    pub fn metadata(&self) -> &str {
        &self.metadata
    }

    /// The commit that the caller gave.
    #[must_use]
    pub fn git_sha(&self) -> Option<&str> {
        self.git_sha.as_deref()
    }

    /// The branch that the caller gave.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        self.branch.as_deref()
    }

    /// The state of the code base that the caller gave: the compact text of a JSON object.
    #[must_use]
    pub fn codebase_state(&self) -> Option<&str> {
        self.codebase_state.as_deref()
    }
}

/// Whether a key has the default form, `^[A-Z][A-Z0-9_]*-[0-9]+$`.
pub(super) fn is_default_key(key: &str) -> bool {
    let Some((prefix, number)) = key.split_once('-') else { return false };
    prefix.starts_with(|c: char| c.is_ascii_uppercase())
        && prefix.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a text has characters that would steer a terminal.
pub(super) fn has_control(text: &str) -> bool {
    // (Without a way out of the middle: so it is done for many bytes at once.)
    let plain = text.bytes().fold(true, |plain, b| plain & (0x20..0x7f).contains(&b));
    !plain && text.chars().any(ids::is_control)
}

#[cfg(test)]
mod tests;
