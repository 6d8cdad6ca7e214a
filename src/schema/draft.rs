//! An event before it is stored: what the caller gave, checked, without the store's stamps.
//!
//! Lives here: [`Draft`], its two constructors (strict for appends, lenient for imports), and the
//! text of the line it becomes. May not live here: the rules of single types (see
//! [`super::validate`]).

use serde_json::value::RawValue;

use crate::model::Timestamp;

/// An event as the caller gives it. The only ways to make one are [`Draft::strict`] and
/// [`Draft::lenient`], so that a store can trust that it was checked.
#[derive(Debug, Clone)]
pub struct Draft {
    pub(super) event_id: Option<String>,
    pub(super) event_type: String,
    pub(super) event_version: Option<String>,
    pub(super) timestamp: Option<Timestamp>,
    pub(super) issue_key: String,
    pub(super) session_id: String,
    pub(super) correlation_id: Option<String>,
    pub(super) causation_id: Option<String>,
    /// The actor object as compact JSON: `{"type":…,"id":…,"model":…}`.
    pub(super) actor: Box<RawValue>,
    pub(super) metadata: Box<RawValue>,
    pub(super) git_sha: Option<String>,
    pub(super) branch: Option<String>,
    pub(super) codebase_state: Option<Box<RawValue>>,
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
    pub key_pattern: Option<String>,
}

/// One reason why a draft is refused.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SchemaFault {
    /// Where, as a JSON pointer from the event's root.
    pub pointer: String,
    /// What is wrong there, in words.
    pub message: String,
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
