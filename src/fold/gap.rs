//! `/gaps/{gap_id}`: what is missing in requirements, tests or security.
//!
//! Lives here: the arms of the gap types. May not live here: who works on them.

use super::writer::Writer;

pub(super) fn identified(w: &mut Writer<'_>) {
    let Some(gap) = w.key("gap_id") else { return };
    w.thing("gaps", &gap)
        .remove(&["resolution", "escalation"])
        .word("status", "open")
        .stamp("identified_at")
        .copy_as("gap_type", "type")
        .copy_or_actor("identified_by", "identified_by")
        .copy(&["severity", "phase", "description", "affected_modules", "impact"])
        .copy(&["recommended_actions", "estimated_effort", "blocking"]);
}

pub(super) fn resolved(w: &mut Writer<'_>) {
    let Some(gap) = w.key("gap_id") else { return };
    let resolution = w
        .record()
        .stamp("at")
        .copy_as("resolution_strategy", "strategy")
        .copy_or_actor("resolved_by", "by")
        .copy_as("resolution_details", "details")
        .copy(&["verification", "time_to_resolve_seconds"])
        .done();
    w.thing("gaps", &gap).word("status", "resolved").set("resolution", resolution);
}

pub(super) fn escalated(w: &mut Writer<'_>) {
    let Some(gap) = w.key("gap_id") else { return };
    let escalation = w
        .record()
        .stamp("at")
        .copy_as("escalation_reason", "reason")
        .copy_as("escalated_to", "to")
        .copy_as("escalation_channel", "channel")
        .copy(&["vulnerability_details", "work_paused", "blocking_deployment"])
        .done();
    w.thing("gaps", &gap)
        .word("status", "escalated")
        .copy_as("gap_type", "type")
        .copy(&["severity"])
        .set("escalation", escalation);
}

pub(super) fn reopened(w: &mut Writer<'_>) {
    let Some(gap) = w.key("gap_id") else { return };
    // The resolution stays to be seen: it is what turned out not to hold.
    w.thing("gaps", &gap)
        .word("status", "open")
        .add("reopened", 1)
        .copy_as("reason", "reopen_reason")
        .copy_or_actor("reopened_by", "reopened_by");
}
