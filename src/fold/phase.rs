//! `/phases/{PHASE}`: the phases of the work.
//!
//! Lives here: the arms of the phase types. May not live here: what agents do in them.

use super::orchestration::summary_record;
use super::writer::Writer;
use crate::model::Key;

/// What a new attempt makes void.
const ENDING: &[&str] = &[
    "ended_at",
    "duration_seconds",
    "agents_used",
    "outputs",
    "success_criteria_met",
    "quality_score",
    "ready_for_next_phase",
    "next_phase",
    "failure",
    "skip_reason",
];

fn make_current(w: &mut Writer<'_>, phase: &Key) {
    w.top("orchestration").set("current_phase", phase);
}

pub(super) fn started(w: &mut Writer<'_>) {
    let Some(phase) = w.key("phase") else { return };
    let mut node = w.thing("phases", &phase);
    // A retry was announced by PhaseRetried, which counted it already.
    if !node.is("status", "retrying") {
        node.add("attempt", 1);
    }
    node.remove(ENDING)
        .word("status", "in_progress")
        .stamp("started_at")
        .copy_as("phase_objective", "objective")
        .copy(&["expected_agents", "expected_duration_minutes", "inputs", "success_criteria"]);
    drop(node);
    make_current(w, &phase);
}

pub(super) fn completed(w: &mut Writer<'_>) {
    let Some(phase) = w.key("phase") else { return };
    w.thing("phases", &phase)
        .remove(&["failure", "skip_reason"])
        .word("status", "completed")
        .stamp("ended_at")
        .copy(&["duration_seconds", "agents_used", "outputs", "success_criteria_met"])
        .copy(&["quality_score", "ready_for_next_phase", "next_phase"]);
}

pub(super) fn failed(w: &mut Writer<'_>) {
    let Some(phase) = w.key("phase") else { return };
    let failure = w
        .record()
        .copy_as("failure_reason", "reason")
        .copy_as("error_details", "details")
        .copy(&["retry_attempted", "retry_count", "max_retries", "escalation_required"])
        .copy(&["recovery_strategy"])
        .done();
    w.thing("phases", &phase)
        .word("status", "failed")
        .stamp("ended_at")
        .copy(&["duration_seconds"])
        .set_record("failure", failure);
}

pub(super) fn skipped(w: &mut Writer<'_>) {
    let Some(phase) = w.key("phase") else { return };
    w.thing("phases", &phase)
        .word("status", "skipped")
        .stamp("ended_at")
        .copy_as("reason", "skip_reason");
}

pub(super) fn retried(w: &mut Writer<'_>) {
    let Some(phase) = w.key("phase") else { return };
    let given = w.event.get("attempt").and_then(crate::model::Value::as_i64);
    let mut node = w.thing("phases", &phase);
    // The attempt that is retried was one, even where the log does not have its start.
    let attempt = given.unwrap_or_else(|| node.number("attempt").max(1).saturating_add(1));
    node.remove(ENDING)
        .word("status", "retrying")
        .set("attempt", attempt)
        .add("retries", 1)
        .copy_as("reason", "retry_reason")
        .copy(&["max_attempts"]);
    drop(node);
    make_current(w, &phase);
}

pub(super) fn summary_created(w: &mut Writer<'_>) {
    let Some(phase) = w.key("phase") else { return };
    let summary = summary_record(w.record(), &w.event.id);
    w.thing("phases", &phase).set("summary", summary);
}
