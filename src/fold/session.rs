//! `/sessions/{id}`: the runs of the orchestrator on the issue.
//!
//! Lives here: the arms of the session types, and how a session shows with its first event. May
//! not live here: anything that each event of a session would write.

use super::writer::{Node, Writer};
use crate::model::Value;

/// A session is there from its first event on, whatever that is.
pub(super) fn seen(w: &mut Writer<'_>) {
    let event = w.event;
    if event.session.is_empty() || w.look(&["sessions", event.session.as_str()]).is_some() {
        return;
    }
    let mut node = w.thing("sessions", &event.session);
    node.stamp("first_at");
    if !event.actor.is_empty() {
        node.set("actor", &event.actor);
    }
}

/// The event's session; one that has none changes nothing here.
fn own<'w>(w: &'w mut Writer<'_>) -> Option<Node<'w>> {
    let session = &w.event.session;
    (!session.is_empty()).then(|| w.thing("sessions", session))
}

pub(super) fn started(w: &mut Writer<'_>) {
    let model = w.event.model.as_ref().map(Value::from);
    if let Some(mut node) = own(w) {
        node.remove(&["ended_at", "end_reason", "duration_seconds"])
            .word("status", "active")
            .stamp("started_at")
            .set_some("model", model)
            .copy(&["source", "working_directory"]);
    }
}

pub(super) fn ended(w: &mut Writer<'_>) {
    if let Some(mut node) = own(w) {
        node.word("status", "ended")
            .stamp("ended_at")
            .copy_as("reason", "end_reason")
            .copy(&["duration_seconds"]);
    }
}

pub(super) fn prompt_submitted(w: &mut Writer<'_>) {
    let prompt = w.record().stamp("at").copy_as("prompt", "text").done();
    if let Some(mut node) = own(w) {
        node.add("prompts", 1).set("last_prompt", prompt);
    }
}
