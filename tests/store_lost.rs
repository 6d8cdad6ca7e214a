//! Signed lines that are gone from their log: the others go on, this one stops, and it is told.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::cli_support::{Ran, TestEnvironment};

const DAY: &str = "2026-11-22";

fn log(environment: &TestEnvironment, key: &str) -> PathBuf {
    environment.store().join(DAY).join(key).join("events.jsonl")
}

fn global(environment: &TestEnvironment) -> PathBuf {
    environment.store().join("global/events.jsonl")
}

/// Three issues of four events each, in turn, all signed.
fn signed() -> TestEnvironment {
    let environment = TestEnvironment::new();
    for n in 0..12 {
        let phase = format!("N{n}");
        environment.append_phase(&format!("P-{}", n % 3 + 1), &phase, &[]).ok();
    }
    environment.run(&["store", "checkpoint"]).ok();
    environment
}

fn without(environment: &TestEnvironment, key: &str, lost: &[usize]) {
    let path = log(environment, key);
    let text = fs::read_to_string(&path).unwrap();
    let kept = text.lines().enumerate().filter(|(at, _)| !lost.contains(at));
    let kept: String = kept.map(|(_, line)| format!("{line}\n")).collect();
    fs::write(path, kept).unwrap();
}

fn findings(environment: &TestEnvironment, command: &[&str]) -> Vec<Value> {
    let ran = environment.run(command);
    assert_eq!(ran.code, Some(6), "{ran:#?}");
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    told["findings"].as_array().unwrap().clone()
}

fn append(environment: &TestEnvironment, key: &str) -> Ran {
    environment.append_phase(key, "NEXT", &[])
}

/// What is lost of P-2, and which events these are.
type Loss = (&'static str, fn(&TestEnvironment), &'static [u64]);

const LOSSES: [Loss; 5] = [
    ("the last", |e| without(e, "P-2", &[3]), &[4]),
    ("the last two", |e| without(e, "P-2", &[2, 3]), &[3, 4]),
    ("one between", |e| without(e, "P-2", &[1]), &[2]),
    ("the first", |e| without(e, "P-2", &[0]), &[1]),
    ("all", |e| fs::remove_dir_all(log(e, "P-2").parent().unwrap()).unwrap(), &[1, 2, 3, 4]),
];

#[test]
fn a_signed_line_that_is_lost_is_told_and_the_others_go_on() {
    for (what, lose, events) in LOSSES {
        let environment = signed();
        let backup = fs::read(log(&environment, "P-2")).unwrap();
        lose(&environment);
        fs::remove_file(global(&environment)).unwrap();
        // Told once, with the first append that meets it; it is stored and published all the same.
        let ran = append(&environment, "P-1");
        let first = format!("event {} of P-2", events[0]);
        assert!(
            ran.stderr.starts_with("note: a checkpoint signs what is gone"),
            "{what}: {ran:#?}"
        );
        assert!(ran.stderr.contains(&first), "{what}: {ran:#?}");
        assert_eq!(ran.json()["event_sequence"], 5, "{what}");
        for key in ["P-1", "P-3", "P-9"] {
            let ran = append(&environment, key);
            assert_eq!(ran.stderr, "", "{what}, {key}: told again");
            ran.ok();
        }
        let text = fs::read_to_string(global(&environment)).unwrap();
        assert_eq!(text.lines().count(), 12 + 4, "{what}: {text}");
        assert_eq!(text.matches("\"NEXT\"").count(), 4, "{what}");
        assert_eq!(text.matches("{\"lost_line\":").count(), events.len(), "{what}");
        // The damaged issue stops, each time.
        for _ in 0..2 {
            let message = append(&environment, "P-2").message(6);
            assert!(message.contains(&first) && message.contains("P-2"), "{what}: {message}");
        }
        // Who looks finds it, with issue, file and place.
        let found = findings(&environment, &["verify", "--json"]);
        let missing = found.iter().filter(|finding| finding["kind"] == "line-missing");
        let missing: Vec<&Value> = missing.collect();
        assert_eq!(missing.len(), events.len(), "{what}: {found:#?}");
        for (finding, event) in missing.iter().zip(events) {
            assert_eq!(finding["issue_key"], "P-2", "{what}: {finding}");
            assert_eq!(finding["event_sequence"], *event, "{what}: {finding}");
            assert_ne!(finding["file"], "", "{what}: {finding}");
        }
        let found = findings(&environment, &["store", "doctor", "--json"]);
        let lost: Vec<&Value> = found.iter().filter(|f| f["kind"] == "signed-lost").collect();
        assert_eq!(lost.len(), events.len(), "{what}: {found:#?}");
        assert!(lost[0]["what"].as_str().unwrap().starts_with(&first), "{what}: {lost:#?}");
        // What came since can be signed, and goes on from what was signed.
        environment.run(&["store", "checkpoint"]).ok();
        // From a backup it comes back, and all is well.
        fs::create_dir_all(log(&environment, "P-2").parent().unwrap()).unwrap();
        fs::write(log(&environment, "P-2"), &backup).unwrap();
        environment.run(&["store", "rebuild"]).ok();
        let answer = append(&environment, "P-2").json();
        assert_eq!(answer["event_sequence"], 5, "{what}");
        let ran = environment.run(&["verify", "--json"]);
        assert_eq!(ran.code, Some(0), "{what}: {ran:#?}");
        let text = fs::read_to_string(global(&environment)).unwrap();
        assert!(!text.contains("lost_line"), "{what}: {text}");
        assert!(!environment.store().join(".chronoscope/tlog/lost").exists());
    }
}

#[test]
fn a_log_that_is_shorter_than_its_checkpoint_stops_and_a_repair_mends_it() {
    for (what, lose, events) in LOSSES {
        let environment = signed();
        let before = fs::read(log(&environment, "P-2")).unwrap();
        lose(&environment);
        // The global log still has it.
        let message = append(&environment, "P-2").message(6);
        assert!(message.contains(&format!("event {} of P-2", events[0])), "{what}: {message}");
        assert!(message.contains("store repair"), "{what}: {message}");
        append(&environment, "P-1").ok();
        if what != "all" {
            environment.run(&["store", "repair", "P-2", "--yes"]).ok();
            assert_eq!(fs::read(log(&environment, "P-2")).unwrap(), before, "{what}");
            assert_eq!(append(&environment, "P-2").json()["event_sequence"], 5, "{what}");
            environment.run(&["verify"]).ok();
        }
    }
}

#[test]
fn what_was_never_signed_stops_nothing() {
    let environment = signed();
    append(&environment, "P-2").ok();
    without(&environment, "P-2", &[4]);
    let answer = append(&environment, "P-2").json();
    assert_eq!(answer["event_sequence"], 5);
}

#[test]
fn without_lock_files_it_is_noticed_too() {
    let environment = signed();
    without(&environment, "P-2", &[3]);
    fs::remove_file(global(&environment)).unwrap();
    fs::remove_dir_all(environment.store().join(".chronoscope/locks")).unwrap();
    // Nothing says whose it was.
    let ran = append(&environment, "P-1");
    assert!(ran.stderr.contains("an event of an issue that nothing names"), "{ran:#?}");
    ran.ok();
    let found = findings(&environment, &["verify", "--json"]);
    assert!(found.iter().any(|finding| finding["kind"] == "line-missing"), "{found:#?}");
}

#[test]
fn where_the_order_is_lost_publishing_says_so() {
    let environment = signed();
    without(&environment, "P-2", &[3]);
    fs::remove_file(global(&environment)).unwrap();
    let tlog = environment.store().join(".chronoscope/tlog");
    fs::remove_file(tlog.join("leaves")).unwrap();
    fs::remove_dir_all(tlog.join("tile")).unwrap();
    let ran = append(&environment, "P-1");
    assert!(ran.stderr.contains("the order of the 12 events"), "{ran:#?}");
    ran.ok();
    let found = findings(&environment, &["store", "doctor", "--json"]);
    assert!(found.iter().any(|finding| finding["kind"] == "signed-lost"), "{found:#?}");
}

#[test]
fn what_is_changed_or_added_holds_up_nobody() {
    type Change = fn(&mut Vec<String>);
    let cases: [(&str, Change, &str); 2] = [
        (
            "changed",
            |all| all[1] = all[1].replace("\"phase\":\"N", "\"phase\":\"X"),
            "line-changed",
        ),
        (
            "added",
            |all| all.insert(1, all[1].replace("\"phase\":\"N", "\"phase\":\"X")),
            "line-inserted",
        ),
    ];
    for (what, change, kind) in cases {
        let environment = signed();
        let path = log(&environment, "P-2");
        let mut all: Vec<String> =
            fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
        change(&mut all);
        fs::write(&path, all.join("\n") + "\n").unwrap();
        fs::remove_file(global(&environment)).unwrap();
        append(&environment, "P-1").ok();
        append(&environment, "P-3").ok();
        let text = fs::read_to_string(global(&environment)).unwrap();
        assert_eq!(text.matches("\"NEXT\"").count(), 2, "{what}: {text}");
        assert!(
            !text.contains("\"phase\":\"X"),
            "{what}: what nobody logged is not published: {text}"
        );
        let found = findings(&environment, &["verify", "--json"]);
        assert!(found.iter().any(|f| f["kind"] == kind && f["issue_key"] == "P-2"), "{found:#?}");
        // A rebuilding does not give up what was signed.
        let message = environment.run(&["store", "rebuild"]).message(6);
        assert!(message.contains("of the 12 that the last checkpoint signs"), "{message}");
    }
}

/// The kinds and sequence numbers of what a check of one issue finds of its lines.
fn of_lines(environment: &TestEnvironment, key: &str) -> Vec<(String, Option<u64>)> {
    let ran = environment.run(&["verify", key, "--json"]);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    let kind = |finding: &Value| finding["kind"].as_str().unwrap().to_owned();
    let mut found: Vec<_> = told["findings"].as_array().unwrap().iter().collect();
    found.retain(|finding| kind(finding).starts_with("line-"));
    assert!(found.iter().all(|finding| finding["issue_key"] == key), "{found:?}");
    found.iter().map(|finding| (kind(finding), finding["event_sequence"].as_u64())).collect()
}

/// The global log tells whose a lost line was; where it is gone or cut, the lines of all do.
#[test]
fn a_check_of_one_issue_misses_its_lines_without_the_global_log_too() {
    let cut = |environment: &TestEnvironment, lines: usize| {
        let text = fs::read_to_string(global(environment)).unwrap();
        let kept: String = text.lines().take(lines).map(|line| format!("{line}\n")).collect();
        fs::write(global(environment), kept).unwrap();
    };
    for (name, lose, lost) in &LOSSES[..4] {
        for left in [None, Some(0), Some(1), Some(7)] {
            let environment = signed();
            lose(&environment);
            match left {
                None => fs::remove_file(global(&environment)).unwrap(),
                Some(lines) => cut(&environment, lines),
            }
            let expected: Vec<_> =
                lost.iter().map(|n| ("line-missing".to_owned(), Some(*n))).collect();
            assert_eq!(of_lines(&environment, "P-2"), expected, "{name}, {left:?}");
            assert_eq!(of_lines(&environment, "P-1"), [], "{name}, {left:?}");
            // What relies on such a check is told, too.
            let copied = environment.run(&["replay", "P-2", "--into", "../copy", "--execute"]);
            assert_eq!(copied.code, Some(8), "{name}, {left:?}: {copied:#?}");
            environment.run(&["replay", "P-1", "--into", "../copy", "--execute"]).ok();
        }
    }
    let environment = signed();
    let text = fs::read_to_string(log(&environment, "P-2")).unwrap();
    let last = text.rfind("\"N10\"").unwrap();
    fs::write(log(&environment, "P-2"), text[..last].to_owned() + "\"N99\"" + &text[last + 5..])
        .unwrap();
    assert_eq!(of_lines(&environment, "P-2"), [("line-changed".to_owned(), Some(4))]);
    fs::remove_file(global(&environment)).unwrap();
    assert_eq!(of_lines(&environment, "P-2"), [("line-changed".to_owned(), Some(4))]);
    assert_eq!(of_lines(&environment, "P-3"), []);
}
