//! What the store's own tests append.
//!
//! Lives here: events without meaning. May not live here: anything that a test asserts.

use crate::schema::{Draft, LenientDraft};

/// An event of the issue P-1 that says nothing.
pub(super) fn note_draft() -> Draft {
    let parts = LenientDraft {
        event_type: "Note".into(),
        issue_key: "P-1".into(),
        session_id: "s".into(),
        actor_type: "user".into(),
        actor_id: "u".into(),
        metadata: "{}".into(),
        ..LenientDraft::default()
    };
    Draft::lenient(parts).unwrap()
}
