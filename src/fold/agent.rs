//! `/agents/{name}`: the agents and their runs.
//!
//! An agent's own fields are those of its latest run; `runs` has one small record per run, under
//! its number from 1. A spawn under a name that still runs supersedes that run. An agent whose
//! spawn the log does not have has no run, only its fields.
//!
//! Lives here: the arms of the agent types. May not live here: tools and tasks.

use smol_str::SmolStr;

use super::writer::{Writer, natural_key, present};
use crate::model::{Key, Map, Value};

/// The agent the event speaks of.
fn name(w: &mut Writer<'_>) -> Option<Key> {
    let named = natural_key(w.event, "agent_name").or_else(|| w.event.agent().cloned());
    if named.is_none() {
        w.no_key("agent_name");
    }
    named
}

fn run_key(attempt: i64) -> Key {
    smol_str::format_smolstr!("{attempt}")
}

/// The number of the agent's latest run, if it has one.
fn latest_run(w: &Writer<'_>, name: &Key) -> Option<Key> {
    let attempt = w.look(&["agents", name.as_str(), "attempt"])?.as_i64()?;
    Some(run_key(attempt))
}

fn is_open(status: Option<&Value>) -> bool {
    matches!(status.and_then(Value::as_str), Some("running" | "blocked"))
}

pub(super) fn spawned(w: &mut Writer<'_>) {
    let Some(name) = name(w) else { return };
    let before = w.look(&["agents", name.as_str()]).and_then(Value::as_map);
    let mut runs =
        before.and_then(|agent| agent.get("runs")?.as_map()).cloned().unwrap_or_default();
    let last = before.and_then(|agent| agent.get("attempt")?.as_i64()).unwrap_or(0);
    if is_open(before.and_then(|agent| agent.get("status"))) {
        supersede(w, &mut runs, &run_key(last));
    }
    let attempt = last.saturating_add(1);
    let run = w
        .record()
        .word("status", "running")
        .stamp("spawned_at")
        .copy_as("agent_model", "model")
        .copy_as("assigned_task", "task")
        .done();
    runs.insert(run_key(attempt), Value::Map(run));
    let phase = present(w.event, "phase")
        .or_else(|| w.look(&["orchestration", "current_phase"]))
        .cloned()
        .unwrap_or_default();
    // A new record, so that nothing of the run before shows as if it were of this one.
    let agent = w
        .record()
        .set("runs", runs)
        .set("attempt", attempt)
        .word("status", "running")
        .stamp("spawned_at")
        .set("phase", phase)
        .copy_as("agent_model", "model")
        .copy_as("agent_type", "type")
        .copy_as("agent_category", "category")
        .copy_as("assigned_task", "task")
        .copy_as("spawn_reason", "reason")
        .copy(&["assigned_files", "expected_outputs", "dependencies"])
        .copy(&["priority", "timeout_seconds"])
        .done();
    w.replace([Key::new_static("agents"), name], Some(&Value::Map(agent)));
}

/// Closes a run that nobody ended before its agent was spawned again.
fn supersede(w: &Writer<'_>, runs: &mut Map, run: &Key) {
    if let Some(run) = runs.get_mut(run).and_then(Value::as_map_mut) {
        run.insert("status", Value::text(SmolStr::new_static("superseded")));
        run.insert("ended_at", w.now());
    }
}

/// Sets the status of the agent and of its latest run.
fn set_status(w: &mut Writer<'_>, name: &Key, status: &'static str, ended: bool) {
    if let Some(run) = latest_run(w, name) {
        let mut node =
            w.node([Key::new_static("agents"), name.clone(), Key::new_static("runs"), run]);
        node.word("status", status);
        if ended {
            node.stamp("ended_at");
        }
    }
    let mut node = w.thing("agents", name);
    node.word("status", status);
    if ended {
        node.remove(&["blocked"]).stamp("ended_at").copy(&["duration_seconds"]);
    }
}

pub(super) fn progressed(w: &mut Writer<'_>) {
    let Some(name) = name(w) else { return };
    let mut node = w.thing("agents", &name);
    // An agent that the log has not seen evidently runs; one that ended stays ended.
    if node.get("status").is_none() {
        node.word("status", "running");
    }
    node.copy(&["progress", "note"]);
}

pub(super) fn blocked(w: &mut Writer<'_>) {
    let Some(name) = name(w) else { return };
    let blocked = w
        .record()
        .stamp("at")
        .copy_as("blocked_by", "by")
        .copy_as("blocking_agent", "agent")
        .copy_as("blocking_issue_key", "issue_key")
        .copy(&["estimated_unblock_time", "can_work_on_other_tasks", "alternative_tasks"])
        .done();
    set_status(w, &name, "blocked", false);
    w.thing("agents", &name).set("blocked", blocked);
}

pub(super) fn unblocked(w: &mut Writer<'_>) {
    let Some(name) = name(w) else { return };
    set_status(w, &name, "running", false);
    w.thing("agents", &name).remove(&["blocked"]);
}

pub(super) fn completed(w: &mut Writer<'_>) {
    let Some(name) = name(w) else { return };
    set_status(w, &name, "completed", true);
    w.thing("agents", &name)
        .remove(&["failure", "cancelled", "handed_off"])
        .copy(&["task_status", "outputs_created", "tests_written", "tests_passed"])
        .copy(&["quality_metrics", "commit_sha", "next_agents"]);
}

/// Ends the latest run and says how.
fn end_with(w: &mut Writer<'_>, status: &'static str, field: &'static str, how: Map) {
    let Some(name) = name(w) else { return };
    set_status(w, &name, status, true);
    let others = ["failure", "cancelled", "handed_off"].map(|f| if f == field { "" } else { f });
    w.thing("agents", &name).remove(&others).set_record(field, how);
}

pub(super) fn failed(w: &mut Writer<'_>) {
    let failure = w
        .record()
        .copy_as("failure_reason", "reason")
        .copy_as("error_message", "message")
        .copy_as("error_details", "details")
        .copy(&["retry_scheduled", "retry_delay_seconds", "fallback_agent"])
        .copy(&["human_intervention_required"])
        .done();
    end_with(w, "failed", "failure", failure);
}

pub(super) fn cancelled(w: &mut Writer<'_>) {
    let how = w.record().copy(&["reason"]).copy_or_actor("cancelled_by", "by").done();
    end_with(w, "cancelled", "cancelled", how);
}

pub(super) fn handed_off(w: &mut Writer<'_>) {
    let how = w.record().copy_as("to_agent", "to").copy(&["reason", "note"]).done();
    end_with(w, "handed_off", "handed_off", how);
}
