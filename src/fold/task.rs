//! `/tasks/{task_id}`: units of work and who claimed them.
//!
//! Lives here: the arms of the task types. May not live here: the agents that do them.

use super::writer::Writer;
use crate::model::{Key, Value};

pub(super) fn created(w: &mut Writer<'_>) {
    let Some(id) = w.key("task_id") else { return };
    let worker = super::writer::natural_key(w.event, "assigned_to");
    {
        let mut node = w.thing("tasks", &id);
        if !node.exists() {
            node.stamp("created_at");
        }
        node.remove(&["completed_at", "completed_by", "result", "duration_seconds"])
            .word("status", "open")
            .copy(&["title", "description", "depends_on", "priority", "assigned_to"]);
    }
    // The same task again is claimed again: one that several workers claimed shows as such.
    if let Some(worker) = worker {
        let keys = [Key::new_static("tasks"), id, Key::new_static("claimed_by")];
        let mut claims = w.node(keys);
        let times = claims.number(&worker).saturating_add(1);
        claims.put(worker, Value::Int(times));
    }
}

pub(super) fn completed(w: &mut Writer<'_>) {
    let Some(id) = w.key("task_id") else { return };
    w.thing("tasks", &id)
        .word("status", "completed")
        .stamp("completed_at")
        .copy_or_actor("completed_by", "completed_by")
        .copy(&["title", "result", "duration_seconds"]);
}
