//! `/decisions/{id}` and `/approvals/{id}`.
//!
//! Lives here: the arms of the decision and approval types. May not live here: what follows.

use super::writer::Writer;
use crate::model::{Key, Value};

pub(super) fn made(w: &mut Writer<'_>) {
    let Some(id) = w.key("decision_id") else { return };
    let decision = w
        .record()
        .stamp("at")
        .copy_or_actor("decided_by", "by")
        .copy(&["title", "options", "chosen", "rationale"])
        .done();
    w.replace([Key::new_static("decisions"), id], Some(&Value::Map(decision)));
}

pub(super) fn approval_requested(w: &mut Writer<'_>) {
    let Some(id) = w.key("approval_id") else { return };
    // Asked for again: what was decided before is void.
    let approval = w
        .record()
        .word("status", "pending")
        .stamp("requested_at")
        .copy_or_actor("requested_by", "requested_by")
        .copy_as("reason", "request_reason")
        .copy(&["approver", "subject"])
        .done();
    w.replace([Key::new_static("approvals"), id], Some(&Value::Map(approval)));
}

fn decided(w: &mut Writer<'_>, status: &'static str) {
    let Some(id) = w.key("approval_id") else { return };
    w.thing("approvals", &id)
        .word("status", status)
        .stamp("decided_at")
        .copy_or_actor("approver", "approver")
        .copy(&["reason", "comment"]);
}

pub(super) fn approval_granted(w: &mut Writer<'_>) {
    decided(w, "granted");
}

pub(super) fn approval_rejected(w: &mut Writer<'_>) {
    decided(w, "rejected");
}
