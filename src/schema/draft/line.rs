//! The line that a draft becomes.
//!
//! Lives here: writing it, keeping one that somebody wrote, and comparing with one that is stored. May
//! not live here: what a draft may say.

use super::super::json;
use super::{Draft, Stamp};
use crate::model::Timestamp;
use crate::model::envelope::Envelope;

impl Draft {
    /// With its metadata as somebody wrote it: these are to differ from its own in white space
    /// alone. What is long is known by the hash of its bytes, in a copy as in its original.
    #[must_use]
    pub fn as_written(mut self, metadata: String) -> Self {
        debug_assert_eq!(json::compact(&metadata), json::compact(&self.metadata));
        self.metadata = metadata;
        self
    }

    /// With the line that says [all of it](crate::schema::says_it_all) and nothing else: what the draft
    /// becomes under this sequence number. Not for a draft that secrets were taken out of.
    #[must_use]
    pub fn with_line(self, sequence: u64, line: &str) -> Self {
        debug_assert!(self.redacted.is_empty());
        Self { line: Some((sequence, line.to_owned())), ..self }
    }

    /// Whether it has such a line.
    #[must_use]
    pub fn has_line(&self) -> bool {
        self.line.is_some()
    }

    /// The stored line, without its line feed: the one that it [has](Self::with_line) already, else the
    /// fields in the order of [`crate::model::envelope::FIELDS`], compact, absent ones left out.
    #[must_use]
    pub fn to_line(&self, stamp: &Stamp<'_>) -> String {
        use std::fmt::Write;
        if let Some((_, line)) = self.line.as_ref().filter(|(own, _)| *own == stamp.sequence) {
            return line.clone();
        }
        let state = self.codebase_state.as_ref().map_or(0, String::len);
        let mut line = String::with_capacity(self.metadata.len() + state + 640);
        line.push_str("{\"event_id\":");
        json::push_string(&mut line, stamp.event_id);
        push_member(&mut line, "event_type", &self.event_type);
        push_member(&mut line, "event_version", self.event_version());
        // Writing to a string cannot fail.
        let _ = write!(line, ",\"timestamp\":\"{}\"", stamp.timestamp);
        let _ = write!(line, ",\"event_sequence\":{}", stamp.sequence);
        push_member(&mut line, "issue_key", &self.issue_key);
        push_member(&mut line, "session_id", &self.session_id);
        push_optional(&mut line, "correlation_id", self.correlation_id());
        push_optional(&mut line, "causation_id", self.causation_id());
        line.push_str(",\"actor\":{\"type\":");
        json::push_string(&mut line, &self.actor_type);
        push_member(&mut line, "id", &self.actor_id);
        push_optional(&mut line, "model", self.model());
        line.push_str("},\"metadata\":");
        line.push_str(&self.metadata);
        push_optional(&mut line, "git_sha", self.git_sha().or(stamp.git_sha));
        push_optional(&mut line, "branch", self.branch().or(stamp.branch));
        if let Some(state) = self.codebase_state() {
            line.push_str(",\"codebase_state\":");
            line.push_str(state);
        }
        line.push('}');
        line
    }

    /// Whether the fields that this caller gave are those of a stored line, as for a retry under
    /// the same id: the store's stamps and the commit and branch are left out of account.
    #[must_use]
    pub fn same_content(&self, stored_line: &str) -> bool {
        let Ok(stored) = serde_json::from_str::<Envelope<'_>>(stored_line) else { return false };
        let given = |ours: Option<&str>, theirs: Option<&str>| ours.is_none() || ours == theirs;
        let time = |text: &str| Timestamp::parse(text).ok();
        let Some(actor) = &stored.actor else { return false };
        stored.event_type.as_deref() == Some(&*self.event_type)
            && stored.issue_key.as_deref() == Some(&*self.issue_key)
            && stored.session_id.as_deref() == Some(&*self.session_id)
            && given(self.event_id(), stored.event_id.as_deref())
            && given(self.event_version.as_deref(), stored.event_version.as_deref())
            && given(self.correlation_id(), stored.correlation_id.as_deref())
            && given(self.causation_id(), stored.causation_id.as_deref())
            && (self.timestamp.is_none()
                || self.timestamp == stored.timestamp.as_deref().and_then(time))
            && *actor.kind == *self.actor_type
            && *actor.id == *self.actor_id
            && actor.model.as_deref() == self.model()
            && stored.metadata.is_some_and(|raw| json::equal(raw.get(), &self.metadata))
            && self.codebase_state().is_none_or(|ours| {
                stored.codebase_state.is_some_and(|raw| json::equal(raw.get(), ours))
            })
    }
}

fn push_member(line: &mut String, name: &str, value: &str) {
    line.push_str(",\"");
    line.push_str(name);
    line.push_str("\":");
    json::push_string(line, value);
}

fn push_optional(line: &mut String, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        push_member(line, name, value);
    }
}
