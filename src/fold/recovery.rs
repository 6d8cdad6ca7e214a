//! `/errors/{event id}`: errors and how they were recovered from.
//!
//! A recovery belongs to the error whose event id it names in `recovery_from`, or that caused it,
//! or else to the latest error without an outcome in its correlation group (for which
//! `/counters/open_errors` is the index). One that belongs to none stands under the words of its
//! `recovery_from`.
//!
//! Lives here: the arms of the recovery types. May not live here: failures of agents or phases.

use smol_str::format_smolstr;

use super::writer::{Node, Writer, natural_key, present};
use crate::model::{Event, Key, Map, Value};

/// The index from correlation group to the key of its latest open error, under `/counters`.
const OPEN_ERRORS: &str = "open_errors";

pub(super) fn error_occurred(w: &mut Writer<'_>) {
    let event = w.event;
    let key =
        if event.id.is_empty() { format_smolstr!("#{}", event.position) } else { event.id.clone() };
    if let Some(correlation) = &event.correlation {
        w.remember(OPEN_ERRORS, correlation, Value::text(key.clone()));
    }
    let mut node = w.thing("errors", &key);
    node.word("status", "open")
        .stamp("at")
        .copy_as("error_type", "type")
        .copy_as("error_code", "code")
        .copy_as("error_message", "message")
        .copy_as("error_context", "context")
        .copy(&["recoverable", "recovery_strategy"]);
    if !event.actor.is_empty() {
        node.set("by", &event.actor);
    }
    if let Some(agent) = event.agent() {
        node.set("agent", agent);
    }
}

/// The key of the error that a recovery belongs to.
pub(super) fn error_key(event: &Event, root: &Map) -> Option<Key> {
    let errors = root.get("errors");
    let known = |key: &Key| errors.is_some_and(|errors| errors.get(key).is_some());
    let from = natural_key(event, "recovery_from");
    if let Some(from) = from.as_ref().filter(|from| known(from)) {
        return Some(from.clone());
    }
    if let Some(cause) = event.causation.as_ref().filter(|cause| known(cause)) {
        return Some(cause.clone());
    }
    let open = root.get("counters").and_then(|counters| counters.get(OPEN_ERRORS));
    let group = event.correlation.as_ref();
    let in_group = group.and_then(|group| open?.get(group)?.as_text());
    in_group.filter(|key| known(key)).cloned().or(from)
}

/// The error's recovery, which is a thing of its own below it.
fn own(w: &mut Writer<'_>) -> Option<Key> {
    let key = error_key(w.event, w.root());
    if key.is_none() {
        w.no_key("recovery_from");
    }
    key
}

fn recovery<'w>(w: &'w mut Writer<'_>, key: &Key) -> Node<'w> {
    w.node([Key::new_static("errors"), key.clone(), Key::new_static("recovery")])
}

pub(super) fn attempted(w: &mut Writer<'_>) {
    let Some(key) = own(w) else { return };
    let number = present(w.event, "attempt_number").and_then(Value::as_i64);
    w.thing("errors", &key).word("status", "recovering");
    let mut node = recovery(w, &key);
    let attempts = number.unwrap_or_else(|| node.number("attempts").saturating_add(1));
    node.remove(&["ended_at", "final_error"])
        .set("attempts", attempts)
        .stamp("last_attempt_at")
        .copy_as("recovery_strategy", "strategy")
        .copy(&["max_attempts", "backoff_seconds"]);
}

/// The recovery is over, one way or the other.
fn end(w: &mut Writer<'_>, status: &'static str) -> Option<Key> {
    let key = own(w)?;
    w.thing("errors", &key).word("status", status);
    let event = w.event;
    if let Some(group) = &event.correlation
        && w.look(&["counters", OPEN_ERRORS, group.as_str()]).and_then(Value::as_str) == Some(&key)
    {
        w.forget(OPEN_ERRORS, group);
    }
    Some(key)
}

pub(super) fn succeeded(w: &mut Writer<'_>) {
    let Some(key) = end(w, "recovered") else { return };
    recovery(w, &key)
        .stamp("ended_at")
        .copy_as("recovery_attempt", "attempts")
        .copy_as("recovery_duration_seconds", "duration_seconds")
        .copy(&["state_restored", "can_continue"]);
}

pub(super) fn failed(w: &mut Writer<'_>) {
    let Some(key) = end(w, "unrecovered") else { return };
    recovery(w, &key)
        .stamp("ended_at")
        .copy(&["all_attempts_exhausted", "final_error", "escalation_required"])
        .copy(&["rollback_initiated"]);
}
