//! Replays that are killed anywhere, and gone on with: nothing is executed twice.

#![cfg(all(unix, debug_assertions))]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::cli_support::{Ran, TestEnvironment};
use crate::disk_support::{Step, trace};
use crate::replay_support::report;

/// The events that are executed.
const EXECUTED: [&str; 6] = ["5", "6", "7", "8", "11", "12"];

fn handlers(environment: &TestEnvironment) -> [String; 2] {
    [environment.noting("tool", ""), environment.noting("test", "")]
}

fn execute(environment: &TestEnvironment, fault: &str) -> Ran {
    let [tool, test] = handlers(environment);
    let args = ["replay", "R-1", "--json", "--execute", "--handler", &tool, "--handler", &test];
    environment.run_with_path(&args, fault)
}

fn resume(environment: &TestEnvironment, id: &str, decision: &str) -> Ran {
    let args = ["replay", "--json", "--resume", id, "--on-unknown", decision];
    environment.run_with_path(&args, "")
}

/// The operations of a run that nothing disturbs.
fn operations() -> Vec<Step> {
    let environment = TestEnvironment::with_replayable();
    let path = environment.path().join("trace");
    execute(&environment, &format!("trace:{}", path.display())).ok();
    trace(&path)
}

/// Whether a step writes a line that begins like this; traces have bytes as hex digits.
fn writes(step: &Step, begin: &str) -> bool {
    let hex: String = begin.bytes().map(|byte| format!("{byte:02x}")).collect();
    step.what() == "write" && step.words.last().is_some_and(|bytes| bytes.starts_with(&hex))
}

/// How often each event was executed.
fn times(environment: &TestEnvironment) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for ran in environment.ran() {
        *times.entry(ran.split('.').next().unwrap().to_owned()).or_default() += 1;
    }
    times
}

fn marks(environment: &TestEnvironment) -> Vec<Value> {
    let found = environment.run(&["query", "--category", "replay", "--json"]).json();
    found["events"].as_array().unwrap().iter().map(|e| e["event_type"].clone()).collect()
}

#[test]
fn a_replay_that_is_killed_anywhere_executes_nothing_twice() {
    let steps = operations();
    let (mut kills, mut in_doubt) = (0, 0);
    for step in steps.iter().filter(|step| step.number > 0 && step.changes()) {
        let half = (step.what() == "write").then(|| format!("half:{}", step.number));
        for fault in [format!("kill:{}", step.number)].into_iter().chain(half) {
            let environment = TestEnvironment::with_replayable();
            let ran = execute(&environment, &fault);
            assert_eq!(ran.code, None, "{fault} at {step:?}: {ran:#?}");
            kills += 1;
            let before = times(&environment);
            if environment.journals().is_empty() {
                assert!(before.is_empty(), "{fault}: executed without a note");
                continue;
            }
            let id = environment.replay_id();
            let mut ran = resume(&environment, &id, "fail");
            let mut unknown = Vec::new();
            if ran.code == Some(3) {
                assert!(before.is_empty() && ran.stderr.contains("holds no plan"), "{ran:#?}");
                continue;
            }
            if ran.code == Some(8) {
                assert_eq!(times(&environment), before, "{fault}: something was executed");
                let error = ran.error(8);
                let named = error["details"]["unknown"].as_array().unwrap();
                unknown = named.iter().map(|e| e["position"].to_string()).collect();
                assert_eq!(unknown.len(), 1, "{error}");
                assert!(error["message"].as_str().unwrap().contains(&format!("#{}", unknown[0])));
                in_doubt += 1;
                ran = resume(&environment, &id, "skip");
            }
            let told = report(&ran);
            assert_eq!((&told["failed_count"], ran.code), (&0.into(), Some(0)), "{fault}");
            let times = times(&environment);
            for position in EXECUTED {
                let doubted = unknown.iter().any(|u| u == position);
                match times.get(position) {
                    Some(1) => {}
                    None if doubted => {}
                    other => panic!("{fault} at {step:?}: #{position} ran {other:?}"),
                }
            }
            assert_eq!(marks(&environment), ["ReplayStarted", "ReplayCompleted"], "{fault}");
            assert_eq!(told["final_state"]["matches"], true);
            // The next append publishes what a kill left unpublished.
            environment.append_phase("R-1", "TEST", &[]).ok();
            environment.run(&["verify"]).ok();
        }
    }
    assert!(kills > 60 && in_doubt >= 12, "{kills} kills, {in_doubt} in doubt");
}

/// What is noted is on the disk before it is done: a power cut takes no note of it back.
#[test]
fn each_execution_is_noted_durably_before_it_begins_and_before_the_next() {
    let mut unsynced = 0;
    let (mut executed, mut noted, mut entries) = (0, 0, 0);
    for step in operations() {
        match step.what() {
            "write" if writes(&step, "{\"at\":\"") => {
                unsynced += 1;
                noted += 1;
            }
            "syncdir" if step.words.last().is_some_and(|site| site == "journal-entry") => {
                entries += 1;
            }
            "sync" if step.words.last().is_some_and(|site| site == "journal") => unsynced = 0,
            "mark" if step.words[1].starts_with("handler ") => {
                // The journal is in its folder, and the folder in the store.
                assert_eq!((unsynced, entries), (0, 2), "{step:?}");
                executed += 1;
            }
            _ => {}
        }
    }
    assert_eq!((executed, noted, unsynced), (EXECUTED.len(), 2 * EXECUTED.len() + 1, 0));
}

#[test]
fn a_journal_that_cannot_be_written_stops_the_run_before_it_executes() {
    let steps = operations();
    let first = steps.iter().position(|step| step.what() == "mark").unwrap();
    let begin = steps[..first].iter().rfind(|step| step.what() == "write").unwrap();
    let environment = TestEnvironment::with_replayable();
    let ran = execute(&environment, &format!("error:{}:ENOSPC", begin.number));
    let hint = ran.error(7)["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains("--resume"), "{hint}");
    assert!(environment.ran().is_empty());
    let id = environment.replay_id();
    report(&resume(&environment, &id, "fail"));
    assert_eq!(times(&environment).len(), EXECUTED.len());
}

/// A run whose handler waits: for a line in the pipe `go`, after it said so in `ready`.
struct Waiting {
    environment: TestEnvironment,
    child: Child,
}

impl Waiting {
    fn new() -> Self {
        Self::after("")
    }

    /// The handler does something before it waits.
    fn after(first: &str) -> Self {
        let environment = TestEnvironment::with_replayable();
        for pipe in ["go", "ready"] {
            let made = Command::new("mkfifo").arg(environment.work().join(pipe)).status();
            assert!(made.unwrap().success());
        }
        let wait = "[ $CHRONOSCOPE_POSITION = 11 ] || exit 0";
        let wait = format!("{wait}\n{first}\necho x > ready; read line < go");
        let test = environment.noting("test", &wait);
        let args = ["replay", "R-1", "--execute", "--handler", &test];
        let mut command = environment.command(&args);
        command.env("PATH", "/usr/bin:/bin").stdout(Stdio::null()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        assert_eq!(fs::read_to_string(environment.work().join("ready")).unwrap(), "x\n");
        Self { environment, child }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    fn go(&self) {
        fs::write(self.environment.work().join("go"), "x\n").unwrap();
    }
}

#[test]
fn nobody_goes_on_with_a_run_while_it_or_its_handler_runs() {
    let mut waiting = Waiting::new();
    let id = waiting.environment.replay_id();
    let held = |waiting: &Waiting| resume(&waiting.environment, &id, "retry");
    held(&waiting).error(7);
    // Killed, it leaves its handler behind.
    waiting.child.kill().unwrap();
    waiting.child.wait().unwrap();
    let error = held(&waiting).error(7);
    assert!(error["hint"].as_str().unwrap().contains("still runs"), "{error}");
    assert_eq!(waiting.environment.ran(), ["11.1"]);
    waiting.go();
    let ran = loop {
        let ran = resume(&waiting.environment, &id, "fail");
        if ran.code != Some(7) {
            break ran;
        }
    };
    assert!(ran.error(8)["message"].as_str().unwrap().contains("#11 TestRunStarted"));
    // Decided, it is executed again, and says which time it is.
    let test = "echo $CHRONOSCOPE_POSITION.$CHRONOSCOPE_ATTEMPT >> ran";
    waiting.environment.handler("test", test);
    report(&resume(&waiting.environment, &id, "retry"));
    assert_eq!(waiting.environment.ran(), ["11.1", "11.2", "12.1"]);
}

/// The journal is what a handler holds without knowing; some close all that they do not know.
#[cfg(target_os = "linux")]
#[test]
fn a_handler_that_closed_the_journal_is_found_all_the_same() {
    let mut waiting = Waiting::after("exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-");
    let id = waiting.environment.replay_id();
    waiting.child.kill().unwrap();
    waiting.child.wait().unwrap();
    let error = resume(&waiting.environment, &id, "retry").error(7);
    assert!(error["message"].as_str().unwrap().starts_with("process "), "{error}");
    assert_eq!(waiting.environment.ran(), ["11.1"]);
    waiting.go();
}

/// Its programs have groups of their own, and its id.
#[cfg(target_os = "linux")]
#[test]
fn a_replay_within_a_handler_ends_with_all_that_it_runs() {
    let program = env!("CARGO_BIN_EXE_chronoscope");
    let inner = "--handler \"test=sh -c 'echo \\$\\$ > child; echo x > ready; exec sleep 1000'\"";
    let nested = format!("exec {program} replay R-1 --from 11 {inner} --execute");
    let mut waiting = Waiting::after(&nested);
    let said = BufReader::new(waiting.child.stderr.take().unwrap());
    let mut said = said.lines().map(Result::unwrap);
    waiting.signal("-INT");
    assert!(said.any(|line| line.contains("Ctrl-C again ends them")));
    waiting.signal("-INT");
    assert_eq!(waiting.child.wait().unwrap().code(), Some(130));
    crate::replay_support::assert_gone(&waiting.environment);
}

#[test]
fn a_torn_line_is_no_line_and_another_log_is_no_ground_to_go_on() {
    let environment = TestEnvironment::with_replayable();
    let steps = operations();
    let over = steps.iter().rfind(|step| writes(step, "{\"at\":\"over\""));
    let ran = execute(&environment, &format!("half:{}", over.unwrap().number));
    assert_eq!(ran.code, None);
    let journal = environment.journals().remove(0);
    assert!(!fs::read_to_string(&journal).unwrap().ends_with('\n'));
    let id = environment.replay_id();
    report(&resume(&environment, &id, "fail"));
    assert_eq!(times(&environment).len(), EXECUTED.len());
    assert!(fs::read_to_string(&journal).unwrap().ends_with("{\"at\":\"over\"}\n"));
    // The event before the last is another now.
    let log = environment.log().parent().unwrap().with_file_name("R-1").join("events.jsonl");
    let text = fs::read_to_string(&log).unwrap();
    fs::write(&log, text.replacen("\"test_suite\":\"unit\"", "\"test_suite\":\"e2e1\"", 1))
        .unwrap();
    let error = resume(&environment, &id, "fail").error(6);
    assert!(error["message"].as_str().unwrap().contains("not the one"), "{error}");
}

#[test]
fn ctrl_c_waits_for_what_runs_and_begins_nothing_more() {
    let mut waiting = Waiting::new();
    let said = BufReader::new(waiting.child.stderr.take().unwrap());
    let mut said = said.lines().map(Result::unwrap);
    waiting.signal("-INT");
    // That it was sent does not say that it has come.
    assert!(said.any(|line| line.contains("Ctrl-C again ends them")));
    waiting.go();
    let status = waiting.child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    assert_eq!(waiting.environment.ran(), ["11.1"]);
    let id = waiting.environment.replay_id();
    report(&resume(&waiting.environment, &id, "fail"));
    assert_eq!(waiting.environment.ran(), ["11.1", "12.1"]);
}

#[test]
fn ctrl_c_twice_or_the_end_of_the_terminal_ends_what_runs() {
    for signals in [&["-INT", "-INT"][..], &["-HUP"], &["-TERM"]] {
        let mut waiting = Waiting::new();
        let said = BufReader::new(waiting.child.stderr.take().unwrap());
        let mut said = said.lines().map(Result::unwrap);
        let (last, first) = signals.split_last().unwrap();
        for signal in first {
            waiting.signal(signal);
            assert!(said.any(|line| line.contains("Ctrl-C again ends them")));
        }
        waiting.signal(last);
        assert_eq!(waiting.child.wait().unwrap().code(), Some(130), "{signals:?}");
        let rest: Vec<String> = said.collect();
        assert!(rest.iter().any(|line| line.contains("--resume")), "{rest:?}");
        // Nothing runs any more that would hold the run; how far it came nobody knows.
        let id = waiting.environment.replay_id();
        let error = resume(&waiting.environment, &id, "fail").error(8);
        assert!(error["message"].as_str().unwrap().contains("#11 TestRunStarted"), "{error}");
        report(&resume(&waiting.environment, &id, "skip"));
        assert_eq!(waiting.environment.ran(), ["11.1", "12.1"]);
    }
}

#[test]
fn programs_run_where_the_run_was_begun_and_no_secret_is_in_its_plan() {
    let environment = TestEnvironment::with_replayable();
    let steps = operations();
    let first = steps.iter().position(|step| step.what() == "mark").unwrap();
    let begin = steps[..first].iter().rfind(|step| step.what() == "write").unwrap();
    execute(&environment, &format!("error:{}:ENOSPC", begin.number)).error(7);
    let id = environment.replay_id();
    let mut command = environment.command(&["replay", "--json", "--resume", &id]);
    command.env("PATH", "/usr/bin:/bin").current_dir("/");
    assert!(command.output().unwrap().status.success());
    assert_eq!(times(&environment).len(), EXECUTED.len());
    let secret = "sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789";
    for arguments in [secret.to_owned(), "--password hunter2supersecret".to_owned()] {
        let environment = TestEnvironment::with_replayable();
        let handler = format!("{} {arguments}", environment.noting("test", ""));
        let args = ["replay", "R-1", "--json", "--execute", "--handler", &handler];
        let error = environment.run_with_path(&args, "").error(2);
        assert!(error["message"].as_str().unwrap().contains("hold a secret"), "{error}");
        assert!(!error.to_string().contains(&arguments), "{error}");
        assert!(environment.journals().is_empty() && environment.ran().is_empty());
    }
}
