//! `/jira`: what happened to the issue in its tracker.
//!
//! Lives here: the arms of the tracker types. May not live here: talking to a tracker.

use super::writer::Writer;
use crate::model::{Key, Value};

pub(super) fn issue_transitioned(w: &mut Writer<'_>) {
    let Some(status) = w.key("to_status") else { return };
    w.top("jira").set("status", &status);
    // By the status that was reached: an issue that goes back and forth a thousand times still has
    // a handful of them.
    let keys = [Key::new_static("jira"), Key::new_static("transitions"), status];
    let times = w.look(&keys).and_then(|before| before.get("times")?.as_i64()).unwrap_or(0);
    let transition = w
        .record()
        .stamp("at")
        .set("times", times.saturating_add(1))
        .copy_as("from_status", "from")
        .copy_as("transition_trigger", "trigger")
        .copy(&["transition_id", "automated", "validation_passed"])
        .done();
    w.replace(keys, Some(&Value::Map(transition)));
}

pub(super) fn comment_posted(w: &mut Writer<'_>) {
    let Some(id) = w.key("comment_id") else { return };
    w.node([Key::new_static("jira"), Key::new_static("comments"), id])
        .stamp("at")
        .copy_as("comment_type", "type")
        .copy_as("comment_body", "body")
        .copy_or_actor("posted_by", "by")
        .copy(&["visibility", "attachments"]);
}

pub(super) fn worklog_added(w: &mut Writer<'_>) {
    let seconds = w.event.get("time_spent_seconds").and_then(Value::as_i64);
    let Some(seconds) = seconds else { return w.no_key("time_spent_seconds") };
    w.top("jira").add("worklog_seconds", seconds);
}
