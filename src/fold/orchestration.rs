//! `/orchestration`: the work on the issue as a whole.
//!
//! Lives here: the arms of the orchestration, summary and replay types. May not live here: phases.

use super::record::Record;
use super::writer::{Writer, present};
use crate::model::Map;

const MEMBER: &str = "orchestration";

/// What is true of one that ended or rests: void when it goes on, or ends in another way.
const ENDING: &[&str] = &[
    "completed_at",
    "duration_seconds",
    "outcome",
    "metrics",
    "final_state",
    "failure",
    "cancelled",
    "paused",
];

pub(super) fn started(w: &mut Writer<'_>) {
    let envelope_key = &w.event.issue_key;
    let key = present(w.event, "issue_key")
        .cloned()
        .or_else(|| (!envelope_key.is_empty()).then(|| envelope_key.into()));
    w.top(MEMBER)
        .remove(ENDING)
        .word("status", "in_progress")
        .stamp("started_at")
        .set_some("issue_key", key)
        .copy_as("initial_phase", "current_phase")
        .copy_as("issue_summary", "summary")
        .copy(&["issue_type", "priority", "workflow_type", "labels", "components"])
        .copy(&["estimated_complexity", "config"]);
}

/// The orchestration is over.
fn end(w: &mut Writer<'_>, status: &'static str) {
    w.top(MEMBER)
        .remove(ENDING)
        .word("status", status)
        .stamp("completed_at")
        .copy(&["duration_seconds"]);
}

pub(super) fn completed(w: &mut Writer<'_>) {
    end(w, "completed");
    w.top(MEMBER).copy(&["final_state", "outcome", "metrics"]);
}

pub(super) fn failed(w: &mut Writer<'_>) {
    end(w, "failed");
    let failure = w
        .record()
        .copy_as("failure_phase", "phase")
        .copy_as("failure_reason", "reason")
        .copy_as("error_message", "message")
        .copy_as("error_stack", "stack")
        .copy(&["recovery_attempted", "recovery_successful", "rollback_state", "next_actions"])
        .done();
    w.top(MEMBER).set_record("failure", failure);
}

pub(super) fn cancelled(w: &mut Writer<'_>) {
    end(w, "cancelled");
    let cancelled = w
        .record()
        .copy(&["reason"])
        .copy_as("current_phase", "phase")
        .copy_or_actor("cancelled_by", "by")
        .done();
    w.top(MEMBER).set_record("cancelled", cancelled);
}

pub(super) fn paused(w: &mut Writer<'_>) {
    let paused = w
        .record()
        .stamp("at")
        .copy_as("pause_reason", "reason")
        .copy_as("current_phase", "phase")
        .copy(&["blocking_issue", "can_resume", "resume_conditions", "snapshot_id"])
        .done();
    w.top(MEMBER).remove(ENDING).word("status", "paused").set("paused", paused);
}

pub(super) fn resumed(w: &mut Writer<'_>) {
    w.top(MEMBER)
        .remove(ENDING)
        .word("status", "in_progress")
        .copy_as("resume_phase", "current_phase");
}

/// A summary, the range of events it covers, and the event that holds it.
pub(super) fn summary_record(record: Record<'_>, event_id: &smol_str::SmolStr) -> Map {
    let record = if event_id.is_empty() { record } else { record.set("event_id", event_id) };
    record.stamp("at").copy(&["summary", "from_sequence", "to_sequence", "highlights"]).done()
}

pub(super) fn summary_created(w: &mut Writer<'_>) {
    let summary = summary_record(w.record(), &w.event.id);
    w.top(MEMBER).set("latest_summary", summary);
}

pub(super) fn replay_started(w: &mut Writer<'_>) {
    let replay = w
        .record()
        .word("status", "running")
        .stamp("started_at")
        .copy(&["replay_id", "from", "to", "dry_run", "event_count"])
        .done();
    w.top(MEMBER).set("replay", replay);
}

pub(super) fn replay_completed(w: &mut Writer<'_>) {
    // The latest replay only: an end without its own start stands for itself.
    let id = w.event.get("replay_id");
    let begun = w.look(&[MEMBER, "replay"]).filter(|replay| replay.get("replay_id") == id);
    let begun = begun.and_then(|replay| replay.as_map()).cloned().unwrap_or_default();
    let replay = w
        .record_from(begun)
        .word("status", "completed")
        .stamp("ended_at")
        .copy(&["replay_id", "from", "to", "dry_run"])
        .copy(&["replayed_count", "skipped_count", "failed_count", "success_rate"])
        .done();
    w.top(MEMBER).set("replay", replay);
}
