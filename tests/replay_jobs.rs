//! Several programs at a time: what comes of each event is what comes of it one at a time.

#![cfg(unix)]

use std::fmt::Write;

use serde_json::{Value, json};

use crate::cli_support::{SESSION, TestEnvironment};
use crate::replay_support::{report, statuses};

/// The store with issue J-1, of these events: type, actor, metadata.
fn with(events: &[(&str, &str, Value)]) -> TestEnvironment {
    let mut log = String::new();
    for ((kind, actor, metadata), n) in events.iter().zip(1..) {
        let event = json!({
            "event_type": kind, "issue_key": "J-1", "session_id": SESSION,
            "timestamp": format!("2026-11-20T10:00:{n:02}.000Z"),
            "actor": {"type": "system", "id": actor}, "metadata": metadata,
        });
        let _ = writeln!(log, "{event}");
    }
    let environment = TestEnvironment::new();
    environment.append_text(&log).ok();
    environment
}

fn run(environment: &TestEnvironment, more: &[&str]) -> Value {
    let flags = [&["--replay", "J-1", "--to", "6", "--json"], more].concat();
    report(&environment.run_with_path(&flags, ""))
}

fn call(id: &str) -> Value {
    json!({"tool_use_id": id, "tool_name": "Bash"})
}

/// While the program of #2 runs, all go on that do not wait for it.
fn agrees(events: &[(&str, &str, Value)]) {
    let environment = with(events);
    let tool = environment.noting("ToolInvoked", "");
    let flags = ["--handler", &tool, "--execute"];
    let single = run(&environment, &flags);
    let together = run(&environment, &[&flags[..], &["--jobs", "2"]].concat());
    assert_eq!(environment.ran(), ["2.1"; 2]);
    assert_eq!(statuses(&together), statuses(&single));
    assert_eq!(together["final_state"], single["final_state"]);
    assert_eq!(
        (&single["failed_count"], &single["final_state"]["matches"]),
        (&0.into(), &true.into())
    );
}

#[test]
fn who_only_looks_at_a_thing_has_its_turn_before_who_changes_it() {
    let agent = json!({"agent_name": "coder", "agent_type": "t", "agent_model": "m", "spawn_reason": "r", "assigned_task": "t"});
    agrees(&[
        ("AgentSpawned", "o", agent),
        ("ToolInvoked", "coder", call("t1")),
        ("AgentProgressed", "coder", json!({"agent_name": "coder"})),
        ("AgentCompleted", "o", json!({"agent_name": "coder", "task_status": "done"})),
        ("ToolCompleted", "coder", call("t1")),
        ("PhaseStarted", "o", json!({"phase": "CODE"})),
    ]);
}

#[test]
fn a_checkpoint_saves_what_the_log_has_before_it() {
    let done = json!({"test_suite": "unit", "total_tests": 1, "passed": 1, "failed": 0});
    agrees(&[
        ("TestRunStarted", "b", json!({"test_suite": "unit"})),
        ("ToolInvoked", "a", call("t1")),
        ("CheckpointCreated", "a", json!({"checkpoint_id": "cp", "checkpoint_phase": "TEST"})),
        ("TestRunCompleted", "b", done.clone()),
        ("CheckpointRestored", "a", json!({"checkpoint_id": "cp", "restore_reason": "r"})),
        ("TestRunCompleted", "b", done),
    ]);
}
