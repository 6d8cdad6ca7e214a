//! The standard workload: a deterministic history of any size, written straight as a store's files.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use chronoscope::model::Timestamp;

use super::{Random, data_dir};

/// How many days the workload spans.
const DAYS: i64 = 12;
/// Grows when the bytes of the workload change, so that old ones are not taken for new.
const WORKLOAD: u32 = 1;
/// 2026-11-01T06:00:00Z.
const START_MS: i64 = 1_793_512_800_000;

/// The standard store: `events` events over `issues` issues (`BENCH-1` …), made if need be.
pub fn store(events: usize, issues: usize) -> PathBuf {
    let dir = data_dir().join(format!("v{WORKLOAD}-{events}-{issues}"));
    if dir.join("done").is_file() {
        return dir.join("events");
    }
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(dir.join("events")).expect("a folder for the workload");
    let per_issue = events / issues;
    for issue in 0..issues {
        write_issue(&dir.join("events"), &format!("BENCH-{}", issue + 1), issue as u64, per_issue);
    }
    fs::write(dir.join("done"), b"").expect("the mark that the workload is whole");
    dir.join("events")
}

/// Which line of [`wild_store`] is long.
pub const LONG_LINE: u32 = 200_000;

/// A store of one issue (`BENCH-1`) that is hard on a screen: 300 MB of 10,000 agents, and a line
/// of 13 MB among them. Made if need be.
pub fn wild_store() -> PathBuf {
    const EVENTS: usize = 390_000;
    let dir = data_dir().join(format!("v{WORKLOAD}-wild"));
    if dir.join("done").is_file() {
        return dir.join("events");
    }
    let _ = fs::remove_dir_all(&dir);
    let folder = dir.join("events/2026-11-01/BENCH-1");
    fs::create_dir_all(&folder).expect("a folder for the workload");
    let log = fs::File::create(folder.join("events.jsonl")).expect("a log");
    let mut log = BufWriter::with_capacity(1 << 20, log);
    let mut writer = IssueWriter { agents: 10_000, ..IssueWriter::new("BENCH-1", 5, EVENTS) };
    for line in 1..=EVENTS as u32 {
        let (_, text) = writer.next_line();
        if line == LONG_LINE {
            let long = writer.prose(13_000_000);
            let said = format!(r#""metadata":{{"long":"{long}","#);
            let text = writer.line.replacen(r#""metadata":{"#, &said, 1);
            log.write_all(text.as_bytes()).expect("the workload fits on the disk");
            continue;
        }
        log.write_all(text.as_bytes()).expect("the workload fits on the disk");
    }
    log.flush().expect("the workload fits on the disk");
    fs::write(dir.join("done"), b"").expect("the mark that the workload is whole");
    dir.join("events")
}

/// The names of the issues of [`store`].
pub fn issue(number: usize) -> String {
    format!("BENCH-{number}")
}

fn write_issue(root: &Path, key: &str, seed: u64, events: usize) {
    let mut writer = IssueWriter::new(key, seed, events);
    let mut file: Option<(String, BufWriter<fs::File>)> = None;
    for _ in 0..events {
        let (day, line) = writer.next_line();
        if file.as_ref().is_none_or(|(open, _)| *open != day) {
            let folder = root.join(&day).join(key);
            fs::create_dir_all(&folder).expect("a partition");
            let log = fs::File::create(folder.join("events.jsonl")).expect("a log");
            file = Some((day, BufWriter::with_capacity(1 << 20, log)));
        }
        let (_, log) = file.as_mut().expect("an open log");
        log.write_all(line.as_bytes()).expect("the workload fits on the disk");
    }
}

/// The lines of one issue: rounds of an agent that takes a task, uses tools, fails now and then,
/// runs the tests and commits. Fifteen types, about 775 bytes each.
pub struct IssueWriter {
    key: String,
    agents: usize,
    random: Random,
    sequence: usize,
    step: i64,
    at: i64,
    round: usize,
    in_round: usize,
    failing: bool,
    phase: usize,
    last_id: String,
    line: String,
}

const PHASES: [&str; 6] = ["EXPLORE", "PLAN", "CODE", "TEST", "FIX", "DOCUMENT"];
const MODELS: [&str; 3] = ["opus", "sonnet", "haiku"];
const TOOLS: [&str; 5] = ["Bash", "Edit", "Grep", "Read", "Write"];
const WORDS: [&str; 32] = [
    "request",
    "session",
    "token",
    "handler",
    "returns",
    "before",
    "the",
    "cache",
    "was",
    "filled",
    "with",
    "a",
    "stale",
    "value",
    "from",
    "config",
    "loader",
    "retry",
    "after",
    "timeout",
    "module",
    "index",
    "expected",
    "string",
    "received",
    "null",
    "in",
    "migration",
    "branch",
    "merge",
    "of",
    "worker",
];
/// Rounds of one phase.
const PHASE_ROUNDS: usize = 50;
const LAST_OF_PHASE: usize = PHASE_ROUNDS - 1;
/// Events of one round: spawn, task, tools, progress, tests, commit, usage, end.
const ROUND: usize = 24;

impl IssueWriter {
    pub fn new(key: &str, seed: u64, events: usize) -> Self {
        let span = DAYS * 86_400_000;
        Self {
            key: key.to_owned(),
            agents: 40,
            random: Random::new(seed ^ 0x5eed),
            sequence: 0,
            step: (span / i64::try_from(events.max(1)).expect("a count")).max(2),
            at: START_MS,
            round: 0,
            in_round: 0,
            failing: false,
            phase: 0,
            last_id: String::new(),
            line: String::new(),
        }
    }

    fn agent(&self) -> String {
        format!("agent-{:02}", self.round % self.agents)
    }

    fn prose(&mut self, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + 12);
        while text.len() < bytes {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(WORDS[usize::try_from(self.random.below(32)).expect("small")]);
        }
        text
    }

    /// The next line with its line feed, and the day it belongs to.
    pub fn next_line(&mut self) -> (String, &str) {
        self.sequence += 1;
        self.at += i64::try_from(self.random.below(self.step.unsigned_abs() * 2)).expect("small");
        let at = Timestamp::from_millis(self.at).to_string();
        let (type_name, by_agent, metadata) = self.content();
        let id = self.event_id();
        let (agent, session) = (self.agent(), self.round / 2_000);
        let line = &mut self.line;
        line.clear();
        let version = if matches!(
            type_name,
            "PhaseStarted"
                | "PhaseCompleted"
                | "AgentSpawned"
                | "AgentCompleted"
                | "AgentFailed"
                | "CommitCreated"
                | "TestRunStarted"
                | "TestRunCompleted"
        ) {
            "1.0.0"
        } else {
            "1.1.0"
        };
        write!(
            line,
            r#"{{"event_id":"{id}","event_type":"{type_name}","event_version":"{version}","timestamp":"{at}","event_sequence":{},"issue_key":"{}","session_id":"5e551000-0000-4000-8000-{session:012}","correlation_id":"round-{}""#,
            self.sequence, self.key, self.round,
        )
        .expect("text");
        if !self.last_id.is_empty() {
            write!(line, r#","causation_id":"{}""#, self.last_id).expect("text");
        }
        if by_agent {
            let model = MODELS[self.round % 3];
            write!(line, r#","actor":{{"type":"agent","id":"{agent}","model":"{model}"}}"#)
                .expect("text");
        } else {
            line.push_str(r#","actor":{"type":"system","id":"orchestrator"}"#);
        }
        writeln!(
            line,
            r#","metadata":{metadata},"git_sha":"3f9c2ab","branch":"feature/{}"}}"#,
            self.key
        )
        .expect("text");
        self.last_id = id;
        self.in_round += 1;
        if self.in_round == ROUND {
            self.in_round = 0;
            self.round += 1;
            self.failing = self.random.below(10) == 0;
        }
        (at[..10].to_owned(), &self.line)
    }

    fn event_id(&mut self) -> String {
        let (a, b) = (self.random.next(), self.random.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            0x8000 | ((b >> 48) & 0x3fff),
            b & 0xffff_ffff_ffff
        )
    }

    /// Type, whether the agent itself speaks, and metadata of the next event.
    fn content(&mut self) -> Said {
        match self.in_round {
            0 | 1 => self.beginning(),
            2..=15 => self.tool(),
            16..=21 => self.outcome(),
            _ => self.end(),
        }
    }

    fn beginning(&mut self) -> Said {
        let (agent, round) = (self.agent(), self.round);
        let text = self.prose(if self.in_round == 0 { 325 } else { 205 });
        if self.in_round == 1 {
            let (model, module) = (MODELS[round % 3], round % 97);
            let metadata = format!(
                r#"{{"agent_name":"{agent}","agent_type":"developer","agent_model":"{model}","spawn_reason":"the task is ready","assigned_task":"{text}","assigned_files":["src/module_{module}/handler.ts"],"timeout_seconds":1800}}"#
            );
            return ("AgentSpawned", false, metadata);
        }
        if round.is_multiple_of(PHASE_ROUNDS) {
            self.phase = (round / PHASE_ROUNDS) % PHASES.len();
            let phase = PHASES[self.phase];
            let metadata =
                format!(r#"{{"phase":"{phase}","phase_objective":"{text}","expected_agents":4}}"#);
            return ("PhaseStarted", false, metadata);
        }
        let task = self.task();
        let metadata = format!(
            r#"{{"task_id":"{task}","title":"{text}","assigned_to":"{agent}","priority":"high"}}"#
        );
        ("TaskCreated", false, metadata)
    }

    fn tool(&mut self) -> Said {
        let (agent, round, call) = (self.agent(), self.round, self.in_round / 2);
        let tool = TOOLS[(round + call) % TOOLS.len()];
        let id = format!("toolu_{round}_{call}");
        let text = self.prose(if self.in_round.is_multiple_of(2) { 245 } else { 295 });
        let base = format!(r#""tool_use_id":"{id}","tool_name":"{tool}","agent_name":"{agent}""#);
        if self.in_round.is_multiple_of(2) {
            let module = round % 97;
            let input =
                format!(r#"{{"file_path":"src/module_{module}/handler.ts","change":"{text}"}}"#);
            ("ToolInvoked", true, format!(r#"{{{base},"input":{input}}}"#))
        } else if self.failing && self.in_round == 9 {
            let took = 300 + round % 900;
            let metadata = format!(r#"{{{base},"error":"exit 1: {text}","duration_ms":{took}}}"#);
            ("ToolFailed", true, metadata)
        } else {
            let took = 20 + round % 700;
            let metadata = format!(r#"{{{base},"output":"{text}","duration_ms":{took}}}"#);
            ("ToolCompleted", true, metadata)
        }
    }

    fn outcome(&mut self) -> Said {
        let (agent, round) = (self.agent(), self.round);
        let suite = round % 12;
        match self.in_round {
            16 | 17 => {
                let (note, progress) = (self.prose(345), 40 + self.in_round);
                let metadata =
                    format!(r#"{{"agent_name":"{agent}","progress":{progress},"note":"{note}"}}"#);
                ("AgentProgressed", true, metadata)
            }
            18 => {
                let scope = self.prose(315);
                let metadata = format!(
                    r#"{{"test_suite":"suite-{suite}","test_count":64,"test_runner":"vitest","scope":"{scope}"}}"#
                );
                ("TestRunStarted", true, metadata)
            }
            19 => {
                let failed = u32::from(self.failing);
                let error = self.prose(185);
                let (passed, list) =
                    (64 - failed, if self.failing { error.as_str() } else { "none" });
                let metadata = format!(
                    r#"{{"test_suite":"suite-{suite}","duration_seconds":12,"total_tests":64,"passed":{passed},"failed":{failed},"skipped":0,"coverage":{{"lines":91.5,"branches":84.0,"functions":93.0,"statements":91.0}},"failed_tests":[{{"name":"keeps the session","file":"tests/session.test.ts","error":"{list}"}}]}}"#
                );
                ("TestRunCompleted", true, metadata)
            }
            20 => {
                let (message, module) = (self.prose(235), round % 97);
                let (sha, insertions) = (round % 20_000 + 0x10_0000, 10 + round % 90);
                let metadata = format!(
                    r#"{{"commit_sha":"{sha:07x}","commit_message":"{message}","files_changed":3,"insertions":{insertions},"deletions":4,"changed_files":["src/module_{module}/handler.ts"],"agent_author":"{agent}"}}"#
                );
                ("CommitCreated", true, metadata)
            }
            _ => {
                let (model, cents) = (MODELS[round % 3], 1 + round % 8);
                let (input, output) = (20_000 + round % 5_000, 900 + round % 700);
                let metadata = format!(
                    r#"{{"agent_name":"{agent}","model":"{model}","input_tokens":{input},"output_tokens":{output},"cache_tokens":12000,"cost_usd":0.0{cents}}}"#
                );
                ("UsageRecorded", true, metadata)
            }
        }
    }

    fn end(&mut self) -> Said {
        let (agent, round) = (self.agent(), self.round);
        let text = self.prose(305);
        if self.in_round == 22 {
            if self.failing {
                let metadata = format!(
                    r#"{{"agent_name":"{agent}","failure_reason":"{text}","error_message":"exit 1","retry_scheduled":false}}"#
                );
                return ("AgentFailed", true, metadata);
            }
            let (took, module) = (60 + round % 600, round % 97);
            let metadata = format!(
                r#"{{"agent_name":"{agent}","task_status":"success","duration_seconds":{took},"outputs_created":["src/module_{module}/handler.ts"],"tests_written":3,"tests_passed":64,"next_agents":["{text}"]}}"#
            );
            return ("AgentCompleted", true, metadata);
        }
        match round % PHASE_ROUNDS {
            // This round began with a phase and has no task to complete.
            0 => {
                let metadata =
                    r#"{"model":"haiku","input_tokens":900,"output_tokens":40,"cost_usd":0.001}"#;
                ("UsageRecorded", false, metadata.to_owned())
            }
            LAST_OF_PHASE => {
                let phase = PHASES[self.phase];
                let metadata = format!(
                    r#"{{"phase":"{phase}","outputs":{{"technical_approach":"{text}"}},"success_criteria_met":true,"quality_score":91}}"#
                );
                ("PhaseCompleted", false, metadata)
            }
            _ => {
                let task = self.task();
                let metadata = format!(
                    r#"{{"task_id":"{task}","title":"{task}","completed_by":"{agent}","result":"{text}"}}"#
                );
                ("TaskCompleted", false, metadata)
            }
        }
    }

    fn task(&self) -> String {
        format!("T{}", self.round % 8_000)
    }
}

/// A type, whether the agent itself speaks, and the metadata.
type Said = (&'static str, bool, String);
