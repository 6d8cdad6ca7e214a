//! `/quality/checks/{type}` and `/quality/tests/{suite}`: the latest run of each.
//!
//! Lives here: the arms of the quality and test types. May not live here: gates or thresholds.

use super::record::Record;
use super::writer::{Node, Writer};
use crate::model::{Key, Value};

fn node<'w>(w: &'w mut Writer<'_>, part: &'static str, key: Key) -> Node<'w> {
    w.node([Key::new_static("quality"), Key::new_static(part), key])
}

/// A new run: of the one before, only their number is left.
fn begin(
    w: &mut Writer<'_>,
    part: &'static str,
    key: Key,
    fields: impl FnOnce(Record<'_>) -> Record<'_>,
) {
    let keys = [Key::new_static("quality"), Key::new_static(part), key];
    let runs = w.look(&keys).and_then(|before| before.get("runs")?.as_i64()).unwrap_or(0);
    let run = w.record().word("status", "running").stamp("started_at");
    let run = fields(run.set("runs", runs.saturating_add(1))).done();
    w.replace(keys, Some(&Value::Map(run)));
}

pub(super) fn check_started(w: &mut Writer<'_>) {
    let Some(check) = w.key("check_type") else { return };
    begin(w, "checks", check, |run| {
        run.copy_as("check_scope", "scope").copy(&[
            "checker_agent",
            "files_to_check",
            "estimated_duration_seconds",
        ])
    });
}

pub(super) fn check_completed(w: &mut Writer<'_>) {
    let Some(check) = w.key("check_type") else { return };
    let status = match w.event.get("passed_quality_gate").and_then(Value::as_bool) {
        Some(true) => "passed",
        Some(false) => "failed",
        None => "completed",
    };
    node(w, "checks", check)
        .remove(&["failure"])
        .word("status", status)
        .stamp("ended_at")
        .copy_as("passed_quality_gate", "passed")
        .copy(&["overall_score", "issues_found", "issues_by_severity", "issues"])
        .copy(&["recommendations"]);
}

pub(super) fn check_failed(w: &mut Writer<'_>) {
    let Some(check) = w.key("check_type") else { return };
    let failure = w
        .record()
        .copy_as("failure_reason", "reason")
        .copy(&["critical_issues", "blocking", "remediation_required"])
        .done();
    node(w, "checks", check)
        .word("status", "failed")
        .stamp("ended_at")
        .set_record("failure", failure);
}

pub(super) fn test_run_started(w: &mut Writer<'_>) {
    let Some(suite) = w.key("test_suite") else { return };
    begin(w, "tests", suite, |run| {
        run.copy_as("test_runner", "runner").copy(&["test_count", "triggered_by", "scope"])
    });
}

pub(super) fn test_run_completed(w: &mut Writer<'_>) {
    let Some(suite) = w.key("test_suite") else { return };
    let status = match w.event.get("failed").and_then(Value::as_i64) {
        Some(0) => "passed",
        Some(_) => "failed",
        None => "completed",
    };
    node(w, "tests", suite)
        .remove(&["failure"])
        .word("status", status)
        .stamp("ended_at")
        .copy_as("total_tests", "total")
        .copy(&["passed", "failed", "skipped", "coverage", "failed_tests", "duration_seconds"]);
}

pub(super) fn test_run_failed(w: &mut Writer<'_>) {
    let Some(suite) = w.key("test_suite") else { return };
    let failure = w
        .record()
        .copy_as("failure_reason", "reason")
        .copy_as("error_message", "message")
        .copy(&["retry_scheduled"])
        .done();
    // The run itself failed, which says nothing about the tests.
    node(w, "tests", suite)
        .word("status", "error")
        .stamp("ended_at")
        .set_record("failure", failure);
}
