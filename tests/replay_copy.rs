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
    let (mut all, mut odd) = (0, 0);
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
        let (mut replayed, mut failed) = (0, 0);
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
                // (An excerpt has ends of tool calls whose beginnings were cut off.)
                let is_odd = reason.starts_with("recorded against its precondition: ");
                odd += usize::from(result["status"] == "skipped" && is_odd);
            }
        }
        assert!(failed * 20 <= replayed + failed, "{mapping}: {replayed} {failed}");
        all += replayed;
    }
    assert!(all > 150 && odd > 0, "{all} {odd}");
}

/// Lines as a log of another program may have them.
fn odd_lines(environment: &TestEnvironment) -> Vec<String> {
    let mut all = lines(environment, "events");
    let secret = ["ghp", "_16C7e42F292c6912E7710c838347Ae178B4a"].concat();
    all[1] = all[1].replacen('{', "{\"mood\":\"good\",", 1);
    all[4] = all[4].replacen("\"metadata\":{", &format!("\"metadata\":{{\"x\":\"{secret}\","), 1);
    all[5] = all[5].replacen("\"metadata\":{", "\"metadata\": {", 1);
    all[6] = all[6].replacen("\"correlation_id\":", "\"other_id\":", 1);
    all[8] = format!("{} {}", all[8], all[9]);
    all.remove(9);
    all
}

/// What a copy leaves behind or makes anew is said of each event, in a dry run and by a real one,
/// and of a whole log the same as of a part that is all of it.
#[test]
fn what_is_new_about_a_copy_is_said_whichever_way_it_is_made() {
    let tell = |more: &[&str]| {
        let environment = TestEnvironment::with_replayable();
        fs::write(log(&environment, "events"), odd_lines(&environment).join("\n") + "\n").unwrap();
        let mut args = vec!["replay", "R-1", "--json", "--into", "../copy"];
        args.extend(more);
        let told = report(&environment.run(&args));
        let copy = log(&environment, "copy");
        let text = copy.is_file().then(|| fs::read_to_string(copy).unwrap());
        (told["results"].clone(), told["final_state"].clone(), text)
    };
    let (results, dry_state, none) = tell(&[]);
    assert_eq!((&dry_state["matches"], none), (&true.into(), None));
    let reasons: Vec<&str> =
        results.as_array().unwrap().iter().map(|r| r["reason"].as_str().unwrap()).collect();
    let said = ["stay behind: mood", "secrets were taken out of it"];
    assert_eq!(reasons.len(), said.len(), "{reasons:?}");
    for (reason, said) in reasons.iter().zip(said) {
        assert!(reason.contains(said), "{reason}");
    }
    let whole = tell(&["--execute"]);
    let text = whole.2.as_deref().unwrap();
    assert!(text.lines().count() == 12 && text.contains("[redacted:") && !text.contains("mood"));
    assert_eq!(whole.0, results);
    // The one way that looks each event up, and the one that does not.
    assert_eq!(tell(&["--execute", "--verify-steps"]), whole);
    assert_eq!(tell(&["--execute", "--from", "start"]), whole);
}

#[test]
fn a_copy_goes_on_where_another_ended_and_sees_what_is_none_of_it() {
    let environment = TestEnvironment::with_replayable();
    let all = lines(&environment, "events");
    copy(&environment, &["--to", "5"]).ok();
    assert_eq!(lines(&environment, "copy"), all[..5]);
    copy(&environment, &[]).ok();
    assert_eq!(lines(&environment, "copy"), all);
    environment.run(&["--store", "../copy", "verify"]).ok();
    // An event more than there is to copy.
    let args = ["--store", "../copy", "append", "--no-git", "--type", "PhaseStarted"];
    let who = ["--issue", "R-1", "--session", crate::cli_support::SESSION, "--actor", "system:o"];
    environment.run(&[&args[..], &who, &["--meta", "phase=TEST"]].concat()).ok();
    let ran = copy(&environment, &[]);
    assert_eq!((ran.code, &report(&ran)["final_state"]["matches"]), (Some(8), &false.into()));
    let count = environment.run(&["--store", "../copy", "query", "--count", "--json"]).json();
    assert_eq!(count["count"], all.len() + 1);
    // Another event under an id of the issue.
    let other = TestEnvironment::with_replayable();
    let changed =
        lines(&other, "events")[7].replacen("\"metadata\":{", "\"metadata\":{\"x\":1,", 1);
    let first = lines(&other, "events")[..7].join("\n");
    let there = log(&other, "copy");
    fs::create_dir_all(there.parent().unwrap()).unwrap();
    fs::write(&there, format!("{first}\n{changed}\n")).unwrap();
    let rehearsed = other.run(&["replay", "R-1", "--json", "--into", "../copy"]).error(5);
    let error = copy(&other, &[]).error(5);
    assert_eq!(rehearsed, error);
    assert!(error["hint"].as_str().unwrap().contains("nothing else of this issue"), "{error}");
    assert_eq!(lines(&other, "copy").len(), 8);
}

#[test]
fn every_issue_is_copied_and_one_that_cannot_be_holds_up_no_other() {
    let environment = TestEnvironment::with_replayable();
    for issue in ["A-1", "Z-9"] {
        environment.append_phase(issue, "PLAN", &[]).ok();
    }
    let all = |more: &[&str]| {
        let mut args = vec!["replay", "--all", "--into", "../copy"];
        args.extend(more);
        environment.run(&args)
    };
    let told = all(&["--json"]).json();
    assert_eq!((&told["dry_run"], &told["replayed_count"]), (&true.into(), &14.into()));
    assert!(!environment.path().join("copy").exists());
    let told = all(&["--json", "--execute", "--report", "r.json"]).json();
    let keys: Vec<&Value> =
        told["issues"].as_array().unwrap().iter().map(|i| &i["issue_key"]).collect();
    assert_eq!(keys, ["A-1", "R-1", "Z-9"]);
    let digest = environment.run(&["state", "R-1", "--json"]).json()["digest"].clone();
    assert_eq!(told["issues"][1]["final_state"]["digest"], digest);
    let file = fs::read_to_string(environment.work().join("r.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&file).unwrap(), told);
    environment.run(&["--store", "../copy", "verify"]).ok();
    // One line of summary each, and one for all.
    let text = all(&["--execute"]).ok();
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(text.contains("3 issues, 0 of them with failures"), "{text}");
    // A line that nobody can read, and an issue of which the copy has something else.
    let mut damaged = lines(&environment, "events");
    damaged[3] = "{".to_owned();
    fs::write(log(&environment, "events"), damaged.join("\n") + "\n").unwrap();
    let part = |store: &str| environment.path().join(store);
    fs::remove_dir_all(part("copy")).unwrap();
    let args = ["--store", "../copy", "append", "--no-git", "--type", "PhaseStarted"];
    let who = ["--issue", "A-1", "--session", crate::cli_support::SESSION, "--actor", "system:o"];
    environment.run(&[&args[..], &who, &["--meta", "phase=TEST"]].concat()).ok();
    let ran = all(&["--jsonl", "--execute"]);
    assert_eq!(ran.code, Some(8), "{ran:#?}");
    let told: Vec<Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told[0]["final_state"]["matches"], false);
    assert_eq!((&told[1]["failed_count"], &told[2]["failed_count"]), (&1.into(), &0.into()));
    let text = all(&["--execute"]);
    assert_eq!(text.code, Some(8));
    assert!(text.stdout.contains("R-1 #4"), "{text:#?}");
    assert!(text.stdout.contains("3 issues, 2 of them with failures"), "{text:#?}");
    for wrong in [&["--all"][..], &["R-1", "--all", "--into", "x"]] {
        environment.run(&[&["replay"], wrong].concat()).message(2);
    }
}
