//! `replay --into`: copies, their identity, and what they prove.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::cli_support::{Ran, TestEnvironment};
use crate::replay_support::{id, report};

fn copy(environment: &TestEnvironment, more: &[&str]) -> Ran {
    let mut args = vec!["replay", "R-1", "--json", "--into", "../copy", "--execute"];
    args.extend(more);
    environment.run(&args)
}

fn log(environment: &TestEnvironment, store: &str) -> PathBuf {
    environment.path().join(store).join("2026-11-20/R-1/events.jsonl")
}

fn lines(environment: &TestEnvironment, store: &str) -> Vec<String> {
    let text = fs::read_to_string(log(environment, store)).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_copy_of_a_whole_issue_is_the_same_byte_for_byte() {
    let environment = TestEnvironment::with_replayable();
    let told = environment.run(&["replay", "R-1", "--json", "--into", "../copy"]).json();
    assert_eq!((&told["dry_run"], &told["replayed_count"]), (&true.into(), &12.into()));
    assert!(!environment.path().join("copy").exists());
    for _ in 0..2 {
        // Copying again adds nothing.
        let told = copy(&environment, &["--verify-steps"]).json();
        assert_eq!(told["final_state"]["matches"], true);
        assert_eq!(told["results"], Value::Array(vec![]));
        assert_eq!(lines(&environment, "copy"), lines(&environment, "events"));
    }
    let digest = |store: &str| {
        let ran = environment.run(&["--store", store, "state", "R-1", "--json"]);
        ran.json()["digest"].clone()
    };
    assert_eq!(digest("../copy"), digest("../events"));
    environment.run(&["--store", "../copy", "verify"]).ok();
    let same = ["replay", "R-1", "--json", "--into", "../events/../events", "--execute"];
    environment.run(&same).error(2);
}

#[test]
fn a_part_is_counted_anew_and_keeps_ids_and_times() {
    let environment = TestEnvironment::with_replayable();
    let told = copy(&environment, &["--category", "tool", "--from", "6"]).json();
    assert_eq!(
        (&told["replayed_count"], &told["final_state"]["matches"]),
        (&3.into(), &true.into())
    );
    let events: Vec<Value> =
        lines(&environment, "copy").iter().map(|l| serde_json::from_str(l).unwrap()).collect();
    let ids: Vec<&Value> = events.iter().map(|e| &e["event_id"]).collect();
    assert_eq!(ids, [&id(6), &id(7), &id(8)]);
    assert_eq!(events[0]["event_sequence"], 1);
    assert_eq!(events[0]["timestamp"], "2026-11-20T10:00:06.000Z");
}

#[test]
fn what_can_be_read_of_a_damaged_log_comes_over_and_the_rest_is_named() {
    let environment = TestEnvironment::with_replayable();
    let mut all = lines(&environment, "events");
    all[3] = all[3][..40].to_owned();
    // The same id again, with other content; and none at all.
    all[9] = all[9].replace(&id(10), &id(2));
    all[10] = all[10].replace(&format!("\"event_id\":\"{}\",", id(11)), "");
    fs::write(log(&environment, "events"), all.join("\n") + "\n").unwrap();
    let ran = copy(&environment, &["--verify-steps"]);
    let told = report(&ran);
    assert_eq!((ran.code, &told["failed_count"]), (Some(8), &1.into()), "{told}");
    assert_eq!(told["final_state"]["matches"], true, "{told}");
    let results = told["results"].as_array().unwrap();
    assert_eq!(results[0]["reason"], "its line cannot be read");
    assert_eq!(results.len(), 3, "{told}");
    assert!(results[1]["reason"].as_str().unwrap().contains("new id"));
    assert_eq!(lines(&environment, "copy").len(), 11);
    report(&copy(&environment, &[]));
    assert_eq!(lines(&environment, "copy").len(), 11, "a new id is the same each time");
    environment.run(&["--store", "../copy", "verify"]).ok();
}

#[test]
fn a_copy_that_comes_to_another_state_is_said_to() {
    let environment = TestEnvironment::with_replayable();
    copy(&environment, &["--to", "3"]).ok();
    // Somebody else goes on with the copy.
    let args = ["--store", "../copy", "append", "--no-git", "--type", "PhaseStarted"];
    let who = ["--issue", "R-1", "--session", crate::cli_support::SESSION, "--actor", "system:o"];
    environment.run(&[&args[..], &who, &["--meta", "phase=TEST"]].concat()).ok();
    let ran = copy(&environment, &["--to", "3"]);
    let told = report(&ran);
    assert_eq!(ran.code, Some(8));
    assert_eq!(told["final_state"]["matches"], false);
    assert!(told["final_state"]["first_difference"]["path"].is_string(), "{told}");
}

#[test]
fn a_copy_in_the_rhythm_of_the_record_is_the_same_copy() {
    let environment = TestEnvironment::with_replayable();
    copy(&environment, &["--speed", "1000000"]).ok();
    assert_eq!(lines(&environment, "copy"), lines(&environment, "events"));
}

#[test]
fn excerpts_of_real_logs_replay_and_each_exception_is_explained() {
    let (mut replayed, mut failed) = (0, 0);
    for (mapping, file) in [
        ("fleet", "fleet.jsonl"),
        ("esaa", "esaa.jsonl"),
        ("claude-transcript", "transcript.jsonl"),
        ("claude-hooks", "hooks.json"),
        ("temporal", "temporal.json"),
    ] {
        let environment = TestEnvironment::new();
        let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/import");
        let file = fixtures.join(file).display().to_string();
        environment.run(&["import", "--from", mapping, &file]).ok();
        let areas = ["task", "tool", "quality", "test", "custom", "orchestration", "recovery"];
        // Any program: nothing is executed.
        let program = env!("CARGO_BIN_EXE_chronoscope");
        let handlers = areas.map(|area| format!("{area}={program}"));
        let flags: Vec<&str> = handlers.iter().flat_map(|h| ["--handler", h]).collect();
        let groups = environment.run(&["query", "--group-by", "issue", "--json"]).json();
        for group in groups["groups"].as_array().unwrap() {
            let issue = group["key"].as_str().unwrap();
            let told = environment.run(&["replay", issue, "--json"]).json();
            assert_eq!(told["success_rate"], 1.0, "{issue}");
            assert_eq!(told["final_state"]["matches"], true, "{issue}");
            let told =
                report(&environment.run(&[&["replay", issue, "--json"], &flags[..]].concat()));
            replayed += told["replayed_count"].as_u64().unwrap();
            failed += told["failed_count"].as_u64().unwrap();
            for result in told["results"].as_array().unwrap() {
                let reason = result["reason"].as_str().unwrap();
                let cause = ["its precondition does not hold: ", "its cause #"];
                let explained = cause.iter().any(|why| reason.starts_with(why));
                assert!(result["status"] != "failed" || explained, "{issue}: {result}");
            }
        }
    }
    // (An excerpt has ends of tool calls whose beginnings were cut off.)
    assert!(replayed > 150 && failed > 0, "{replayed} {failed}");
    assert!(failed * 20 <= replayed + failed, "{replayed} {failed}");
}
