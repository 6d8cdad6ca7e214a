//! `replay --into` of what is not what was recorded, and of parts: what a copy says of both.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::cli_support::{Ran, TestEnvironment};
use crate::replay_support::report;

fn copy(environment: &TestEnvironment, to: &str, more: &[&str]) -> Ran {
    let args = ["replay", "R-1", "--json", "--into", to, "--execute"];
    environment.run(&[&args, more].concat())
}

fn log(environment: &TestEnvironment, store: &str) -> PathBuf {
    environment.path().join(store).join("2026-11-20/R-1/events.jsonl")
}

fn kinds(told: &Value) -> Vec<&str> {
    let findings = told["source_findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    findings.iter().map(|finding| finding["kind"].as_str().unwrap()).collect()
}

/// What is done to a log.
type Change = fn(&str) -> String;

#[test]
fn a_copy_of_what_was_not_recorded_says_so() {
    let whole = |text: &str| text.to_owned();
    let torn = |text: &str| text[..text.len() - 60].to_owned();
    let unended = |text: &str| text.trim_end().to_owned();
    let short = |text: &str| text.lines().take(9).map(|line| format!("{line}\n")).collect();
    let changed = |text: &str| text.replacen("CODE", "TEST", 1);
    let torn: Change = torn;
    for (name, change, expected) in [
        ("torn", torn, &["torn-tail", "line-missing"][..]),
        ("whole", whole, &[]),
        ("unended", unended, &["torn-tail"]),
        ("short", short, &["line-missing"]),
        ("changed", changed, &["line-changed"]),
    ] {
        let environment = TestEnvironment::with_replayable();
        let there = log(&environment, "events");
        let text = fs::read_to_string(&there).unwrap();
        fs::write(&there, change(&text)).unwrap();
        let ran = copy(&environment, "../copy", &[]);
        assert_eq!(ran.code, Some(if expected.is_empty() { 0 } else { 8 }), "{name}: {ran:#?}");
        let told = report(&ran);
        let found = kinds(&told);
        assert!(expected.iter().all(|kind| found.contains(kind)), "{name}: {found:?}");
        assert_eq!(found.is_empty(), expected.is_empty(), "{name}: {found:?}");
        let text = environment.run(&["replay", "R-1", "--into", "../copy"]);
        let said = text.stdout.contains("is not what was recorded");
        assert_eq!(said, !expected.is_empty(), "{name}: {text:#?}");
        assert_eq!(text.stdout.contains("as it is recorded"), expected.is_empty(), "{name}");
        let all = environment.run(&["replay", "--all", "--json", "--into", "../copy"]);
        assert_eq!(all.code, ran.code, "{name}");
        assert_eq!(kinds(&report(&all)["issues"][0]), found, "{name}");
    }
}

#[test]
fn an_issue_that_is_gone_is_missed_by_a_copy_of_all() {
    let environment = TestEnvironment::with_replayable();
    environment.append_phase("A-1", "PLAN", &[]).ok();
    fs::remove_dir_all(log(&environment, "events").parent().unwrap()).unwrap();
    let ran = environment.run(&["replay", "--all", "--json", "--into", "../copy", "--execute"]);
    assert_eq!(ran.code, Some(8), "{ran:#?}");
    let told = report(&ran);
    assert!(kinds(&told).contains(&"line-missing"), "{told}");
    assert_eq!(told["issues"].as_array().unwrap().len(), 1);
}

#[test]
fn a_copy_that_is_made_in_parts_is_as_it_is_recorded() {
    let environment = TestEnvironment::with_replayable();
    let text = fs::read_to_string(log(&environment, "events")).unwrap();
    for parts in
        [&[&["--to", "5"][..], &["--from", "6"]][..], &[&[], &["--from", "3", "--to", "4"]]]
    {
        for part in parts {
            let told = report(&copy(&environment, "../copy", part));
            assert_eq!(told["final_state"]["matches"], true, "{part:?}: {told}");
        }
        assert!(fs::read_to_string(log(&environment, "copy")).unwrap() == text);
        fs::remove_dir_all(environment.path().join("copy")).unwrap();
    }
    // In another order it is another history.
    copy(&environment, "../copy", &["--from", "6"]).ok();
    let told = report(&copy(&environment, "../copy", &["--to", "5"]));
    assert_eq!(told["final_state"]["matches"], false, "{told}");
}

#[test]
fn no_store_is_copied_into_itself_or_around_itself() {
    let environment = TestEnvironment::with_replayable();
    let before = fs::read_dir(environment.path().join("events")).unwrap().count();
    for into in
        ["../events", "../events/2026-11-20", "../events/new", "../events/../events/a/b", ".."]
    {
        let error = copy(&environment, into, &[]).error(2);
        assert!(error["message"].as_str().unwrap().contains("--into"), "{into}: {error}");
    }
    assert_eq!(fs::read_dir(environment.path().join("events")).unwrap().count(), before);
    environment.run(&["verify"]).ok();
}

#[test]
fn what_a_folder_has_already_is_said_before_anything_is_copied() {
    let environment = TestEnvironment::with_replayable();
    let dry = || environment.run(&["replay", "R-1", "--into", "../copy"]);
    assert!(!dry().stderr.contains("already"));
    copy(&environment, "../copy", &["--to", "5"]).ok();
    let before = fs::read_to_string(log(&environment, "copy")).unwrap();
    let said = dry().stderr;
    assert!(said.contains("../copy has 5 events of R-1 already"), "{said}");
    let said = environment.run(&["replay", "--all", "--into", "../copy"]).stderr;
    assert!(said.contains("../copy has 5 events of R-1 already"), "{said}");
    assert!(fs::read_to_string(log(&environment, "copy")).unwrap() == before);
}
