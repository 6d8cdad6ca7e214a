//! Tests of the fold: fixtures that anybody can add, and laws that hold for any events.

mod fixtures;
mod laws;
mod particulars;

use smol_str::SmolStr;

use crate::model::{Event, Kind, Map, Position, Timestamp};

/// When the first event of a test happens.
const START: &str = "2026-11-20T10:00:00.000Z";

/// The event at `position`, a minute after the one before.
///
/// `actor` is `TYPE:ID` or `TYPE:ID@MODEL`.
pub(super) fn event(position: Position, type_name: &str, actor: &str, metadata: Map) -> Event {
    let (actor_type, id) = actor.split_once(':').unwrap_or(("", actor));
    let (id, model) =
        id.split_once('@').map_or((id, None), |(id, model)| (id, Some(SmolStr::new(model))));
    let kind = match type_name {
        "unreadable" => Kind::Unreadable,
        name => Kind::from_name(name),
    };
    Event {
        position,
        kind,
        type_name: type_name.into(),
        id: format!("e{position}").into(),
        at: Timestamp::parse(START).unwrap().plus_millis(i64::from(position - 1) * 60_000),
        sequence: Some(position.into()),
        issue_key: "PROJ-1".into(),
        session: "s1".into(),
        correlation: None,
        causation: None,
        actor_type: actor_type.into(),
        actor: id.into(),
        model,
        metadata,
        git_sha: None,
        branch: None,
    }
}

/// Metadata from JSON text.
pub(super) fn metadata(json: &str) -> Map {
    serde_json::from_str(json).unwrap()
}
