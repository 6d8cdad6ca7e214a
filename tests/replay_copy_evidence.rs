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
    let said = |ran: Ran, known: u32| {
        let told =
            format!("../copy has 5 events of R-1 already; of those to be copied it has {known}\n");
        assert!(ran.stderr.ends_with(&told), "{ran:#?}");
        assert_eq!(ran.code, Some(0));
    };
    said(dry(), 5);
    said(environment.run(&["replay", "--all", "--into", "../copy"]), 5);
    said(environment.run(&["replay", "R-1", "--into", "../copy", "--from", "4"]), 2);
    assert!(fs::read_to_string(log(&environment, "copy")).unwrap() == before);
}

/// As other programs write JSON: with spaces, the members in another order, a time without its
/// milliseconds; and with a value that is known by the hash of its bytes.
fn as_others_write(text: &str) -> String {
    let spaced = text.replace("\":", "\": ").replace(",\"", ", \"");
    let long =
        format!("\"tool_name\": \"Read\", \"input\": {{\"text\": \"{}\"}}", "x".repeat(5000));
    let spaced = spaced.replace("\"tool_name\": \"Read\"", &long).replace(".000Z", "Z");
    let spaced = spaced.replace("\"test_suite\": \"unit\"", "\"test_suite\": \"d\\u00e9j\\u00e0\"");
    let spaced = spaced.replace("\"id\": \"ben\"", "\"id\": \"b\\u00e9n\"");
    let moved = |line: &str| {
        let (version, end) = (line.find("\"event_version\"").unwrap(), line.find("\"timestamp\""));
        let (start, member) = (&line[1..version], &line[version..end.unwrap()]);
        let line = format!("{{{member}{start}{}", &line[end.unwrap()..]);
        line.replace("\"id\": \"ann\"", "\"id\": \"ann\", \"model\": null") + "\n"
    };
    spaced.lines().map(moved).collect()
}

#[test]
fn a_copy_of_what_others_wrote_keeps_every_byte() {
    let environment = TestEnvironment::with_replayable();
    let there = log(&environment, "events");
    let text = as_others_write(&fs::read_to_string(&there).unwrap());
    fs::remove_dir_all(environment.path().join("events/.chronoscope")).unwrap();
    fs::write(&there, &text).unwrap();
    let copied = || fs::read_to_string(log(&environment, "copy")).unwrap();
    for ways in [&[&[][..]][..], &[&["--to", "5"], &["--from", "6"]], &[&["--verify-steps"]]] {
        for way in ways {
            copy(&environment, "../copy", way).ok();
        }
        assert!(copied() == text, "{ways:?}");
        environment.run(&["--store", "../copy", "verify"]).ok();
        fs::remove_dir_all(environment.path().join("copy")).unwrap();
    }
    // Of a part the numbers are new, and what is long is what it was.
    let told = report(&copy(&environment, "../copy", &["--type", "ToolInvoked"]));
    assert_eq!(told["final_state"]["matches"], true, "{told}");
    assert!(copied().contains("\"input\": {\"text\""));
}

#[test]
fn an_event_is_the_same_in_whichever_part_of_a_copy_it_comes() {
    let environment = TestEnvironment::with_replayable();
    let there = log(&environment, "events");
    let text = fs::read_to_string(&there).unwrap();
    let id = |n| crate::replay_support::id(n);
    // Two have no id, and one that of another before it.
    let without = |text: String, n| text.replace(&format!("\"event_id\":\"{}\",", id(n)), "");
    let text = without(without(text, 5), 6).replace(&id(8), &id(3));
    fs::write(&there, &text).unwrap();
    report(&copy(&environment, "../whole", &[]));
    let whole = fs::read_to_string(log(&environment, "whole")).unwrap();
    for part in [["--to", "6"], ["--from", "7"]] {
        let told = report(&copy(&environment, "../copy", &part));
        assert_eq!(told["final_state"]["matches"], true, "{part:?}: {told}");
    }
    assert!(fs::read_to_string(log(&environment, "copy")).unwrap() == whole);
}

#[test]
fn what_a_copy_is_added_to_is_checked_too() {
    let environment = TestEnvironment::with_replayable();
    copy(&environment, "../copy", &[]).ok();
    let there = log(&environment, "copy");
    let text = fs::read_to_string(&there).unwrap();
    // Two calls in another order: the state is the same.
    let mut lines: Vec<&str> = text.lines().collect();
    lines.swap(4, 5);
    fs::write(&there, lines.join("\n") + "\n").unwrap();
    let found = |told: &Value| {
        let findings = told["target_findings"].as_array().unwrap();
        assert!(findings.iter().any(|found| found["kind"] == "line-moved"), "{told}");
    };
    let ran = copy(&environment, "../copy", &[]);
    assert_eq!(ran.code, Some(8), "{ran:#?}");
    found(&report(&ran));
    let all = ["replay", "--all", "--json", "--into", "../copy", "--execute"];
    found(&report(&environment.run(&all))["issues"][0]);
    let said = environment.run(&["replay", "R-1", "--into", "../copy", "--execute"]).stdout;
    assert!(said.contains("the copy was added to is not what was recorded"), "{said}");
}

/// What was recorded before anything looked for secrets is in the log; it is not in what is told.
#[test]
fn what_is_told_of_a_copy_quotes_no_secret() {
    let environment = TestEnvironment::with_replayable();
    let there = log(&environment, "events");
    let secret = ["ghp", "_16C7e42F292c6912E7710c838347Ae178B4a"].concat();
    let text = fs::read_to_string(&there)
        .unwrap()
        .replace("\"id\":\"ann\"", &format!("\"id\":\"{secret}\""));
    let text = text.replace(&crate::replay_support::id(11), &secret);
    fs::write(&there, text).unwrap();
    let more = ["--report", "report.json"];
    let told = copy(&environment, "../copy", &more);
    assert_eq!(told.code, Some(8), "{told:#?}");
    let file = fs::read_to_string(environment.work().join("report.json")).unwrap();
    let text = environment.run(&["replay", "R-1", "--into", "../copy2", "--execute"]).stdout;
    for said in [&told.stdout, &file, &text] {
        assert!(!said.contains(&secret) && said.contains("redacted"), "{said}");
    }
}

#[test]
fn a_copy_that_left_something_does_not_say_that_it_is_as_recorded() {
    let environment = TestEnvironment::with_replayable();
    let there = log(&environment, "events");
    let text = fs::read_to_string(&there).unwrap();
    fs::write(&there, text.replacen("\"id\":\"ann\"", "\"id\":\"a\\tnn\"", 1)).unwrap();
    for more in [&[][..], &["--execute"]] {
        let args = ["replay", "R-1", "--into", "../copy"];
        let ran = environment.run(&[&args, more].concat());
        assert!(
            ran.code == Some(8) && ran.stdout.contains("as what is copied makes it"),
            "{ran:#?}"
        );
    }
}
