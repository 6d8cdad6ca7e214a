//! Secrets are taken out of an event before anything of it is written.
//!
//! Lives here: [`Redactor`], what is to become of secrets, and its work on a draft. May not live
//! here: what secrets look like (see [`shapes`]), finding them (see [`find`]), JSON (see [`json`]),
//! what is said about what was refused (see [`conceal`]), texts that were cut (see [`part`]).
//!
//! A log is evidence and is never rewritten: a password that got into it stays there. So what looks
//! like one is replaced by a marker that says what it was. What has no shape and no telling name
//! cannot be found, and what is found by its name may be harmless.

mod clear;
mod conceal;
mod find;
mod json;
mod part;
mod shapes;

use std::sync::Arc;

pub use conceal::Sieve;

use super::{Draft, SchemaFault};
use crate::error::{Error, Result};
use crate::model::envelope::Envelope;
use crate::model::ids;

crate::closed_list! {
    /// What becomes of secrets.
    pub enum Mode {
        /// A marker takes the place of each.
        Redact = "redact",
        /// An event that has one is refused.
        Reject = "reject",
        /// Nothing.
        Off = "off",
    }
}

/// Finds secrets, and does with them what the settings say.
#[derive(Debug, Clone)]
pub struct Redactor {
    mode: Mode,
    /// The user's own patterns, beside those that are built in.
    patterns: Option<Arc<[regex::Regex]>>,
}

/// A secret that was found in an event.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Redaction {
    /// The field, as a JSON pointer from the event's root.
    pub pointer: String,
    /// What kind of secret it was.
    pub name: &'static str,
}

/// What the user's own patterns find.
const CUSTOM: &str = "custom";

impl Default for Redactor {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Redactor {
    /// The one that holds where nothing is configured.
    pub(super) const DEFAULT: Self = Self { mode: Mode::Redact, patterns: None };

    /// A redactor with the user's own patterns.
    ///
    /// # Errors
    /// Usage, when one of them is no regular expression.
    pub fn new(mode: Mode, patterns: &[String]) -> Result<Self> {
        let compiled = patterns.iter().map(|pattern| {
            regex::Regex::new(pattern).map_err(|error| {
                Error::usage(format!("the pattern for secrets {pattern:?} is wrong: {error}"))
            })
        });
        let compiled = compiled.collect::<Result<Vec<_>>>()?;
        Ok(Self { mode, patterns: (!compiled.is_empty()).then(|| compiled.into()) })
    }

    /// Deals with the secrets of a draft; gives where there were some.
    ///
    /// # Errors
    /// A fault for each, where they are to be refused, or stand where no marker can.
    pub(super) fn apply(&self, draft: &mut Draft) -> Result<Vec<Redaction>, Vec<SchemaFault>> {
        if self.mode == Mode::Off {
            return Ok(Vec::new());
        }
        let refused = self.beyond_redaction(draft);
        if !refused.is_empty() {
            return Err(refused);
        }
        let mut found = Vec::new();
        let words = [
            ("/event_type", Some(&mut draft.event_type)),
            ("/session_id", Some(&mut draft.session_id)),
            ("/correlation_id", draft.correlation_id.as_mut()),
            ("/causation_id", draft.causation_id.as_mut()),
            ("/actor/type", Some(&mut draft.actor_type)),
            ("/actor/id", Some(&mut draft.actor_id)),
            ("/actor/model", draft.model.as_mut()),
            ("/branch", draft.branch.as_mut()),
        ];
        for (pointer, word) in words {
            if let Some(word) = word
                && let Some((text, names)) = self.without_secrets(word)
            {
                *word = text;
                let redaction = |name| Redaction { pointer: pointer.to_owned(), name };
                found.extend(names.into_iter().map(redaction));
            }
        }
        let objects = [
            ("/metadata", Some(&mut draft.metadata)),
            ("/codebase_state", draft.codebase_state.as_mut()),
        ];
        for (pointer, object) in objects {
            if let Some(object) = object
                && !(self.patterns.is_none() && clear::is_clear(object))
                && let Some(text) = json::without_secrets(self, object, pointer, &mut found)
            {
                *object = text;
            }
        }
        if self.mode == Mode::Reject && !found.is_empty() {
            return Err(found.into_iter().map(|r| refused_at(&r.pointer, r.name)).collect());
        }
        Ok(found)
    }

    /// Whether an event plainly has no secrets, or none are looked for. Where its objects are known
    /// to be compact, they need not be made so before.
    pub(super) fn passes(&self, event: &Envelope<'_>, is_compact: bool) -> bool {
        if self.mode == Mode::Off || self.patterns.is_some() {
            return self.mode == Mode::Off;
        }
        let actor = event.actor.as_ref();
        let words = [
            event.event_id.as_ref(),
            event.event_type.as_ref(),
            event.event_version.as_ref(),
            event.issue_key.as_ref(),
            event.session_id.as_ref(),
            event.correlation_id.as_ref(),
            event.causation_id.as_ref(),
            actor.map(|actor| &actor.kind),
            actor.map(|actor| &actor.id),
            actor.and_then(|actor| actor.model.as_ref()),
            event.git_sha.as_ref(),
            event.branch.as_ref(),
        ];
        let mut objects = [event.metadata, event.codebase_state].into_iter().flatten();
        words.into_iter().flatten().all(|word| clear::is_word_clear(word))
            && objects.all(|object| match object.get() {
                text if is_compact => clear::is_clear(text),
                text => clear::is_clear(&super::json::compact(text)),
            })
    }

    /// The secrets that stand where an event must have something of a form that no marker has.
    fn beyond_redaction(&self, draft: &Draft) -> Vec<SchemaFault> {
        let session = Some(&*draft.session_id).filter(|id| ids::is_uuid(id));
        let fields = [
            ("/event_id", draft.event_id.as_deref()),
            ("/event_version", draft.event_version.as_deref()),
            ("/issue_key", Some(&*draft.issue_key)),
            ("/session_id", session),
            ("/git_sha", draft.git_sha.as_deref()),
        ];
        let mut faults = Vec::new();
        for (pointer, text) in fields {
            if let Some(text) = text
                && let Some((_, names)) = self.without_secrets(text)
            {
                faults.extend(names.into_iter().map(|name| refused_at(pointer, name)));
            }
        }
        faults
    }

    /// The text with a marker for each secret, and the names of those; nothing where it has none.
    fn without_secrets(&self, text: &str) -> Option<(String, Vec<&'static str>)> {
        let secrets = self.secrets_of(text);
        if secrets.is_empty() {
            return None;
        }
        let (mut out, mut kept) = (String::with_capacity(text.len()), 0);
        for secret in &secrets {
            out.push_str(text.get(kept..secret.range.start).unwrap_or_default());
            out.push_str(&marker(secret.name));
            kept = secret.range.end;
        }
        out.push_str(text.get(kept..).unwrap_or_default());
        Some((out, secrets.into_iter().map(|secret| secret.name).collect()))
    }

    /// The secrets in a text, in order, without overlap.
    fn secrets_of(&self, text: &str) -> Vec<find::Secret<'static>> {
        if self.patterns.is_none() && clear::is_word_clear(text) {
            return Vec::new();
        }
        let mut secrets = find::secrets_in(text);
        for pattern in self.patterns.iter().flat_map(|patterns| patterns.iter()) {
            for found in pattern.find_iter(text).filter(|found| !found.is_empty()) {
                let range = found.range();
                if secrets.iter().all(|s| s.range.end <= range.start || range.end <= s.range.start)
                {
                    secrets.push(find::Secret { range, name: CUSTOM });
                }
            }
        }
        secrets.sort_by_key(|secret| secret.range.start);
        secrets
    }
}

/// The fault of an event that is refused for a secret.
fn refused_at(pointer: &str, name: &str) -> SchemaFault {
    SchemaFault::new(pointer, format!("holds what looks like a secret ({name})"))
}

/// What stands where a secret stood.
fn marker(name: &str) -> String {
    format!("{MARKER}{name}]")
}

/// How each marker begins.
const MARKER: &str = "[redacted:";

/// Whether a marker stands in a text.
#[must_use]
pub fn holds_marker(text: &str) -> bool {
    text.contains(MARKER)
}

#[cfg(test)]
#[path = "../../../tests/support/secrets.rs"]
pub(super) mod support;
#[cfg(test)]
mod tests;
