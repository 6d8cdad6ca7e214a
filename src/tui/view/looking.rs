//! For tests: histories to draw, and pictures of what was drawn.
//!
//! Lives here: a story with everything in it, and drawing buffers as text and as SVG. May not live
//! here: anything that the program needs.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::model::Timestamp;
use crate::session::Session;
use crate::store::memory::MemoryStore;

#[path = "../../../tests/support/svg.rs"]
mod svg;

/// A log in the making.
#[derive(Debug)]
pub(crate) struct Story {
    lines: Vec<Value>,
    at: i64,
}

impl Story {
    /// Begins on a Friday at half past ten.
    pub(crate) fn new() -> Self {
        let at = Timestamp::parse("2026-11-20T10:30:00Z").unwrap().millis();
        Self { lines: Vec::new(), at }
    }

    /// An event, some seconds after the one before.
    #[allow(clippy::needless_pass_by_value, reason = "callers write json! in place")]
    pub(crate) fn then(&mut self, seconds: i64, kind: &str, metadata: Value) -> &mut Self {
        self.at += seconds * 1000;
        let sequence = self.lines.len() + 1;
        self.lines.push(json!({
            "event_id": format!("id-{sequence:05}"), "event_type": kind, "event_version": "1.1.0",
            "timestamp": Timestamp::from_millis(self.at), "event_sequence": sequence,
            "issue_key": "PROJ-123", "session_id": "s-1",
            "actor": { "type": "system", "id": "orchestrator" }, "metadata": metadata,
        }));
        self
    }

    pub(crate) fn phase(&mut self, seconds: i64, kind: &str, phase: &str) -> &mut Self {
        self.then(seconds, kind, json!({ "phase": phase, "failure_reason": "coverage" }))
    }

    pub(crate) fn agent(&mut self, seconds: i64, kind: &str, agent: &str) -> &mut Self {
        self.then(seconds, kind, json!({
            "agent_name": agent, "agent_type": "coder", "agent_model": "sonnet", "spawn_reason": "x",
            "assigned_task": "y", "task_status": "completed", "failure_reason": "type error",
            "blocked_by": "review",
        }))
    }

    /// Tool calls of an agent, so many seconds apart, with what they cost.
    pub(crate) fn work(&mut self, calls: usize, apart: i64, agent: &str) -> &mut Self {
        for call in 0..calls {
            let id = format!("{agent}-{}-{call}", self.lines.len());
            self.then(
                apart,
                "ToolInvoked",
                json!({ "tool_use_id": id, "tool_name": "Edit", "agent_name": agent }),
            );
            self.then(
                2,
                "ToolCompleted",
                json!({ "tool_use_id": id, "tool_name": "Edit", "agent_name": agent }),
            );
            if call % 3 == 0 {
                self.then(1, "UsageRecorded", json!({ "model": "sonnet", "input_tokens": 900, "output_tokens": 200, "cost_usd": 0.021 }));
            }
        }
        self
    }

    pub(crate) fn session(&self) -> Session {
        let store = MemoryStore::new(Clock::Fixed(Timestamp::from_millis(0)));
        store.push_raw("PROJ-123", self.log().as_bytes());
        Session::read(&store, "PROJ-123").unwrap()
    }

    /// The log's bytes.
    pub(crate) fn log(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }
}

/// An orchestration with phases, agents that fail and block, gaps, commits and a long pause.
#[allow(clippy::too_many_lines, reason = "one list of what happens")]
pub(crate) fn story() -> Story {
    let mut s = Story::new();
    s.then(0, "OrchestrationStarted", json!({ "issue_summary": "Add user authentication", "issue_type": "Story", "priority": "High", "workflow_type": "standard", "initial_phase": "EXPLORE" }));
    s.phase(20, "PhaseStarted", "EXPLORE").agent(10, "AgentSpawned", "code-explorer").work(
        14,
        40,
        "code-explorer",
    );
    s.then(30, "GapIdentified", json!({ "gap_id": "g-1", "gap_type": "coverage", "severity": "high", "phase": "EXPLORE", "description": "no tests" }));
    s.agent(60, "AgentCompleted", "code-explorer").phase(5, "PhaseCompleted", "EXPLORE");
    s.phase(2, "PhaseStarted", "PLAN").agent(4, "AgentSpawned", "react-architect").work(
        6,
        90,
        "react-architect",
    );
    s.then(5, "DecisionMade", json!({ "decision_id": "d-1", "chosen": "sessions" }));
    s.then(3, "CheckpointCreated", json!({ "checkpoint_id": "cp-1", "checkpoint_phase": "PLAN" }));
    s.phase(5, "PhaseCompleted", "PLAN");
    s.phase(45 * 60, "PhaseStarted", "CODE").agent(4, "AgentSpawned", "api-integrator").agent(
        1,
        "AgentSpawned",
        "test-writer",
    );
    s.work(12, 20, "api-integrator").work(9, 25, "react-architect");
    s.then(
        9,
        "CommitCreated",
        json!({ "commit_sha": "a1b2c3d", "commit_message": "Add login form", "files_changed": 4 }),
    );
    s.agent(2, "AgentCompleted", "react-architect").work(4, 60, "api-integrator");
    s.then(
        1,
        "ErrorOccurred",
        json!({ "error_type": "compile", "error_message": "no field `token`" }),
    );
    s.agent(1, "AgentFailed", "api-integrator").then(
        5,
        "RecoveryAttempted",
        json!({ "recovery_from": "compile", "recovery_strategy": "retry" }),
    );
    s.agent(20, "AgentSpawned", "api-integrator").then(
        2,
        "RecoverySucceeded",
        json!({ "recovery_from": "compile" }),
    );
    s.work(16, 30, "api-integrator").agent(1, "AgentBlocked", "test-writer").work(
        8,
        45,
        "api-integrator",
    );
    s.then(
        9,
        "CommitCreated",
        json!({ "commit_sha": "b2c3d4e", "commit_message": "Wire the API", "files_changed": 9 }),
    );
    s.agent(1, "AgentCompleted", "api-integrator").phase(4, "PhaseCompleted", "CODE");
    s.phase(9, "PhaseStarted", "TEST").agent(1, "AgentUnblocked", "test-writer").work(
        10,
        20,
        "test-writer",
    );
    s.then(9, "TestRunFailed", json!({ "test_suite": "unit", "failure_reason": "2 of 40 failed" }))
        .phase(1, "PhaseFailed", "TEST");
    s.phase(40, "PhaseStarted", "FIX")
        .agent(1, "AgentSpawned", "debugger")
        .work(9, 22, "debugger")
        .agent(1, "AgentCompleted", "debugger");
    s.then(1, "GapResolved", json!({ "gap_id": "g-1", "resolution_strategy": "tests" }));
    s.then(
        9,
        "CommitCreated",
        json!({ "commit_sha": "c3d4e5f", "commit_message": "Fix the token", "files_changed": 1 }),
    );
    s.phase(1, "PhaseCompleted", "FIX").phase(2, "PhaseStarted", "TEST").work(5, 25, "test-writer");
    s.then(1, "PRCreated", json!({ "pr_number": 7, "pr_url": "u", "pr_title": "t", "base_branch": "main", "head_branch": "x" }));
    s.work(4, 30, "test-writer");
    s
}

/// A buffer as lines of text.
pub(crate) fn as_text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for row in buffer.content.chunks(usize::from(buffer.area.width.max(1))) {
        let line: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Writes a picture of a buffer into the folder that `PANE_PICTURES` names, for looking at while
/// drawing is changed; does nothing without it.
pub(crate) fn picture(name: &str, buffer: &Buffer) {
    let Some(folder) = std::env::var_os("PANE_PICTURES") else { return };
    let cells = buffer.content.iter().map(|cell| svg::Cell {
        text: cell.symbol().to_owned(),
        ink: rgb(cell.fg),
        ground: rgb(cell.bg),
        bold: cell.modifier.contains(Modifier::BOLD),
        dim: cell.modifier.contains(Modifier::DIM),
        italic: cell.modifier.contains(Modifier::ITALIC),
        underline: cell.modifier.contains(Modifier::UNDERLINED),
        reverse: cell.modifier.contains(Modifier::REVERSED),
    });
    let grid = svg::Grid {
        columns: buffer.area.width.into(),
        rows: buffer.area.height.into(),
        cells: cells.collect(),
        ink: (200, 200, 200),
        ground: buffer.content.first().and_then(|cell| rgb(cell.bg)).unwrap_or((16, 16, 16)),
        title: name.to_owned(),
    };
    let file = std::path::Path::new(&folder).join(format!("{name}.svg"));
    std::fs::write(file, grid.to_svg()).unwrap();
}

fn rgb(color: Color) -> Option<svg::Rgb> {
    Some(match color {
        Color::Rgb(r, g, b) => (r, g, b),
        Color::Red => (205, 60, 60),
        Color::Green => (80, 170, 80),
        Color::Yellow => (190, 160, 40),
        Color::Blue => (80, 130, 220),
        Color::Magenta => (180, 90, 200),
        Color::Cyan => (50, 170, 180),
        Color::DarkGray => (110, 110, 110),
        _ => return None,
    })
}
