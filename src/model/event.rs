//! An event in the shape that folding reads: owned, typed, cheap to look into.
//!
//! Lives here: [`Event`]. May not live here: reading it from a line (see
//! [`crate::schema::upcast`]); the exact bytes stay in the log.

use smol_str::SmolStr;

use super::{Kind, Map, Position, Timestamp, Value};

/// One event as the fold sees it, upcast to the current version of its type.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its place in the issue's log, from 1.
    pub position: Position,
    /// What happened.
    pub kind: Kind,
    /// The type's name as written; differs from the kind's only for unknown types.
    pub type_name: SmolStr,
    /// The event's id; empty where the line has none.
    pub id: SmolStr,
    /// Its own time, or that of the event before where it cannot be read.
    pub at: Timestamp,
    /// The sequence number as written.
    pub sequence: Option<u64>,
    /// The issue it names; empty where the line has none.
    pub issue_key: SmolStr,
    /// The session it names; empty where the line has none.
    pub session: SmolStr,
    /// The group of events it belongs to.
    pub correlation: Option<SmolStr>,
    /// The id of the event that caused it.
    pub causation: Option<SmolStr>,
    /// `user`, `system` or `agent`; other words as written; empty where the line has none.
    pub actor_type: SmolStr,
    /// The actor's name; empty where the line has none.
    pub actor: SmolStr,
    /// The model the actor runs on.
    pub model: Option<SmolStr>,
    /// What the type adds; values over [`super::value::LongValue::LIMIT`] bytes are references.
    pub metadata: Map,
    /// The commit the repository was at.
    pub git_sha: Option<SmolStr>,
    /// The branch the repository was on.
    pub branch: Option<SmolStr>,
}

impl Event {
    /// A metadata field.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.metadata.get(field)
    }

    /// A metadata field that is a string.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&SmolStr> {
        self.get(field)?.as_text()
    }

    /// The agent it speaks of: `metadata.agent_name`, else an acting agent's own name.
    #[must_use]
    pub fn agent(&self) -> Option<&SmolStr> {
        self.text("agent_name").or_else(|| {
            (self.actor_type == "agent" && !self.actor.is_empty()).then_some(&self.actor)
        })
    }
}
