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

/// Which call an end without a tool's name is that of, the end before it decides, which fails here.
#[test]
fn who_has_no_name_waits_for_all_that_it_may_mean() {
    let environment = TestEnvironment::new();
    let line = |n: usize, (kind, actor, metadata): (&str, &str, Value)| {
        let event = json!({
            "event_id": format!("e{n}"), "event_type": kind, "issue_key": "J-1", "session_id": "s",
            "timestamp": format!("2026-11-20T10:00:{n:02}.000Z"),
            "actor": {"type": "agent", "id": actor}, "metadata": metadata,
        });
        format!("{event}\n")
    };
    let log = [
        line(1, ("ToolInvoked", "a", call("c1"))),
        line(2, ("ToolCompleted", "a", call("c1"))),
        line(3, ("ToolCompleted", "b", json!({"tool_use_id": "c1"}))),
    ];
    let folder = environment.store().join("2026-11-20/J-1");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("events.jsonl"), log.concat()).unwrap();
    let end = environment.noting("ToolCompleted", "[ $CHRONOSCOPE_POSITION != 2 ] || exit 1");
    for jobs in ["1", "2"] {
        let flags = ["--replay", "J-1", "--to", "3", "--json", "--execute", "--jobs", jobs];
        let told = environment.run_with_path(&[&flags[..], &["--handler", &end]].concat(), "");
        assert_eq!(statuses(&report(&told)), ["replayed", "failed", "executed"], "{jobs} jobs");
    }
    assert_eq!(environment.ran(), ["2.1", "3.1", "2.1", "3.1"]);
}
