//! How an event is referred to: as JSON, and as one line of text.
//!
//! Lives here: [`EventRef`] and the glyphs. May not live here: the summaries; the catalogue makes
//! them.

use serde::Serialize;

use crate::error::Result;
use crate::model::kind::{Category, Severity};
use crate::model::{Event, Kind, Position, Timestamp, catalogue};
use crate::session::Session;

use super::output::{Paint, Role};

/// Who acted, as in the envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ActorRef {
    #[serde(rename = "type")]
    kind: String,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
}

/// An event as the JSON of all commands refers to it, in the order of the printed keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct EventRef {
    /// Its place in its issue's log.
    pub position: Position,
    /// Its id; empty where the line has none.
    pub event_id: String,
    /// Its type's name as written.
    pub event_type: String,
    /// Its time.
    pub timestamp: Timestamp,
    /// Who acted.
    pub actor: ActorRef,
    /// What it did, in one line.
    pub summary: String,
    #[serde(skip)]
    kind: Kind,
}

impl EventRef {
    /// Refers to an event.
    #[must_use]
    pub(crate) fn of(event: &Event) -> Self {
        let spec = catalogue::spec(event.kind);
        Self {
            position: event.position,
            event_id: event.id.to_string(),
            event_type: event.type_name.to_string(),
            timestamp: event.at,
            actor: ActorRef {
                kind: event.actor_type.to_string(),
                id: event.actor.to_string(),
                model: event.model.as_ref().map(ToString::to_string),
            },
            summary: catalogue::summary(spec, &event.metadata, &event.type_name),
            kind: event.kind,
        }
    }

    /// Refers to the event at a position.
    pub(crate) fn at(session: &mut Session, position: Position) -> Result<Self> {
        session.event(position).map(|event| Self::of(&event))
    }

    /// The actor's name.
    #[must_use]
    pub(crate) fn actor_id(&self) -> &str {
        &self.actor.id
    }

    /// The glyph of its kind, and its role.
    #[must_use]
    pub(crate) fn glyph(&self, paint: Paint) -> (Role, &'static str) {
        glyph(self.kind, paint)
    }
}

/// The glyph that stands beside an event of this kind, and the role that colours it.
#[must_use]
pub(crate) fn glyph(kind: Kind, paint: Paint) -> (Role, &'static str) {
    let (severity, category) = (catalogue::severity(kind), catalogue::category(kind));
    let ends_with = |endings: &[&str]| endings.iter().any(|end| kind.name().ends_with(end));
    if kind == Kind::Unreadable {
        (Role::Warned, paint.glyph("⚠", "?"))
    } else if severity >= Severity::Error {
        (Role::Failed, paint.glyph("✗", "x"))
    } else if severity == Severity::Warning {
        (Role::Warned, paint.glyph("▲", "!"))
    } else if ends_with(&["Completed", "Resolved", "Succeeded", "Granted", "Merged", "Restored"]) {
        (Role::Done, paint.glyph("✓", "+"))
    } else if ends_with(&["Started", "Spawned", "Invoked", "Attempted", "Resumed"]) {
        (Role::Running, paint.glyph("▶", ">"))
    } else {
        match category {
            Category::Git => (Role::Name, paint.glyph("◆", "*")),
            Category::Checkpoint => (Role::Name, paint.glyph("⚑", "P")),
            _ => (Role::Dim, paint.glyph("·", ".")),
        }
    }
}
