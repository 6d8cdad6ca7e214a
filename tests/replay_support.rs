//! An issue that has something of everything that a replay tells apart, and handlers for it.

use std::fmt::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::cli_support::{Ran, SESSION, TestEnvironment};

/// The events: type, actor, metadata.
fn script() -> Vec<(&'static str, &'static str, Value)> {
    let spawn = |name: &str| json!({"agent_name": name, "agent_type": "t", "agent_model": "m", "spawn_reason": "r", "assigned_task": "t"});
    let call = |id: &str, tool: &str| json!({"tool_use_id": id, "tool_name": tool});
    vec![
        (
            "OrchestrationStarted",
            "o",
            json!({"issue_summary": "s", "issue_type": "Story", "priority": "high", "workflow_type": "w", "initial_phase": "CODE"}),
        ),
        ("PhaseStarted", "o", json!({"phase": "CODE"})),
        ("AgentSpawned", "o", spawn("ann")),
        ("AgentSpawned", "o", spawn("ben")),
        ("ToolInvoked", "ann", call("t1", "Read")),
        ("ToolInvoked", "ben", call("t2", "Bash")),
        ("ToolCompleted", "ann", call("t1", "Read")),
        ("ToolCompleted", "ben", call("t2", "Bash")),
        ("CommentPosted", "o", json!({"comment_id": "c1"})),
        ("CheckpointCreated", "o", json!({"checkpoint_id": "cp-1", "checkpoint_phase": "CODE"})),
        ("TestRunStarted", "o", json!({"test_suite": "unit"})),
        (
            "TestRunCompleted",
            "o",
            json!({"test_suite": "unit", "total_tests": 3, "passed": 3, "failed": 0}),
        ),
    ]
}

/// The id of the event at a position.
pub(crate) fn id(position: u64) -> String {
    format!("{position:08x}-0000-4000-8000-000000000000")
}

/// The log of an issue, as lines to append.
pub(crate) fn log(issue: &str) -> String {
    let mut text = String::new();
    for ((kind, actor, metadata), n) in script().into_iter().zip(1..) {
        let who = if actor == "o" { "system" } else { "agent" };
        let event = json!({
            "event_id": id(n), "event_type": kind, "issue_key": issue, "session_id": SESSION,
            "timestamp": format!("2026-11-20T10:00:{n:02}.000Z"),
            "actor": {"type": who, "id": actor}, "metadata": metadata,
        });
        let _ = writeln!(text, "{event}");
    }
    text
}

impl TestEnvironment {
    /// With issue R-1 in the store.
    pub(crate) fn with_replayable() -> Self {
        let environment = Self::new();
        environment.append_text(&log("R-1")).ok();
        environment
    }

    /// The flag's value for a handler that is this script of a shell.
    pub(crate) fn handler(&self, name: &str, script: &str) -> String {
        let file = self.work().join(format!("{name}.sh"));
        std::fs::write(&file, script).unwrap();
        format!("{name}=sh '{}'", file.display())
    }

    /// A handler that notes position and attempt of what it executes, and then does more.
    pub(crate) fn noting(&self, name: &str, more: &str) -> String {
        let note = "echo $CHRONOSCOPE_POSITION.$CHRONOSCOPE_ATTEMPT >> ran\n";
        self.handler(name, &format!("{note}{more}\n"))
    }

    /// What was executed, in order.
    pub(crate) fn ran(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.work().join("ran")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    pub(crate) fn replay(&self, args: &[&str]) -> Ran {
        let mut all = vec!["--replay", "R-1", "--json"];
        all.extend(args);
        self.run_with_path(&all, "")
    }

    /// Runs the program where it finds a shell; with a fault, where one is named.
    pub(crate) fn run_with_path(&self, args: &[&str], fault: &str) -> Ran {
        let mut command = self.command(args);
        command.env("PATH", "/usr/bin:/bin");
        if !fault.is_empty() {
            command.env("CHRONOSCOPE_FAULT", fault);
        }
        self.feed(command, "")
    }

    /// As [`TestEnvironment::replay`], started by a shell that did this before.
    #[cfg(unix)]
    pub(crate) fn replay_behind(&self, before: &str, args: &[&str]) -> Ran {
        let plain = self.command(&[&["--replay", "R-1", "--json"], args].concat());
        self.feed(self.behind(before, &plain), "")
    }

    pub(crate) fn journals(&self) -> Vec<PathBuf> {
        let folder = std::fs::read_dir(self.store().join(".chronoscope/journals"));
        let Ok(folder) = folder else { return Vec::new() };
        folder.map(|entry| entry.unwrap().path()).collect()
    }

    /// The id of the one run that there is.
    pub(crate) fn replay_id(&self) -> String {
        let journals = self.journals();
        let [journal] = journals.as_slice() else { panic!("{journals:?}") };
        let name = journal.file_stem().unwrap().to_str().unwrap();
        name.strip_prefix("replay-").unwrap().to_owned()
    }
}

/// A result that may tell of failures.
#[track_caller]
pub(crate) fn report(ran: &Ran) -> Value {
    assert!(matches!(ran.code, Some(0 | 8)), "{ran:#?}");
    serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {ran:#?}"))
}

/// The status of each event, by position.
pub(crate) fn statuses(report: &Value) -> Vec<&str> {
    let results = report["results"].as_array().unwrap();
    results.iter().map(|result| result["status"].as_str().unwrap()).collect()
}

/// The child whose number stands in `child` does not run any more.
pub(crate) fn assert_gone(environment: &TestEnvironment) {
    let child = std::fs::read_to_string(environment.work().join("child")).unwrap();
    // Whoever inherits it may not have asked for its end yet.
    let state = std::fs::read_to_string(format!("/proc/{}/stat", child.trim()));
    let runs =
        |stat: &String| !matches!(stat.rsplit_once(") ").map(|(_, s)| &s[..1]), Some("Z" | "X"));
    assert!(!state.as_ref().is_ok_and(runs), "{state:?}");
}
