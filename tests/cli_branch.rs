//! `branch` and `compare` on `fixtures/cli/proj-1.jsonl` (see `cli_find.rs` for what it holds).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cli_support::TestEnvironment;

fn json(environment: &TestEnvironment, args: &[&str]) -> Value {
    let mut all = args.to_vec();
    all.push("--json");
    serde_json::from_str(&environment.run(&all).ok()).unwrap()
}

fn positions(list: &Value) -> Vec<u64> {
    list.as_array().unwrap().iter().map(|e| e["position"].as_u64().unwrap()).collect()
}

/// Every file of a folder with its bytes.
fn contents(folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            contents(&path, found);
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
}

#[test]
fn what_follows_a_skipped_event_is_orphaned() {
    let environment = TestEnvironment::with_history();
    // Without the second spawn of api-integ (9) there is no completion (10).
    let answer = json(&environment, &["branch", "PROJ-1", "--skip", "9"]);
    assert_eq!(positions(&answer["orphaned"]), [10]);
    let reason = answer["orphaned"][0]["reason"].as_str().unwrap();
    assert!(reason.starts_with("its cause #9 AgentSpawned"), "{reason}");
    assert_eq!(answer["valid"], 10);
    assert_eq!(answer["base"], 0);
    assert_eq!(answer["edits"][0]["op"], "skip");
    let diff = answer["diff"].as_array().unwrap();
    let status = diff.iter().find(|d| d["path"] == "/agents/api-integ/status").unwrap();
    assert_eq!((&status["from"], &status["to"]), (&"completed".into(), &"failed".into()));
    let text = environment.run(&["branch", "PROJ-1", "--skip", "9"]).ok();
    assert!(text.starts_with("PROJ-1  BRANCH 1 edit after #0: 10 of 12 events"), "{text}");
}

#[test]
fn events_are_put_in_and_put_in_the_place_of_others() {
    let environment = TestEnvironment::with_history();
    let file = environment.work().join("completed.json");
    std::fs::write(
        &file,
        r#"{"event_type":"AgentCompleted","metadata":{"agent_name":"api-integ","task_status":"success"}}"#,
    )
    .unwrap();
    let replace = format!("6={}", file.display());
    let answer = json(&environment, &["branch", "PROJ-1", "--replace", &replace]);
    assert_eq!(answer["edits"][0]["op"], "replace");
    assert_eq!(answer["valid"], 11);
    let insert = file.to_str().unwrap();
    let answer = json(&environment, &["branch", "PROJ-1", "--base", "5", "--insert", insert]);
    // Completed at 5, it cannot fail at 6.
    assert!(positions(&answer["violated"]).contains(&6), "{answer}");
    environment.run(&["branch", "PROJ-1", "--base", "6", "--skip", "6"]).message(2);
    environment.run(&["branch", "PROJ-1", "--skip", "99"]).message(3);
    environment.run(&["branch", "PROJ-1", "--insert", "no-such-file"]).message(7);
    std::fs::write(&file, "{").unwrap();
    environment.run(&["branch", "PROJ-1", "--insert", insert]).message(2);
    std::fs::write(&file, "{}").unwrap();
    environment.run(&["branch", "PROJ-1", "--insert", insert]).message(4);
}

#[test]
fn a_branch_never_touches_the_store() {
    let environment = TestEnvironment::with_history();
    let mut before = BTreeMap::new();
    contents(&environment.store(), &mut before);
    environment.run(&["branch", "PROJ-1", "--skip", "9", "--save", "no-retry"]).ok();
    let kept = json(&environment, &["branch", "PROJ-1", "--load", "no-retry"]);
    assert_eq!(positions(&kept["orphaned"]), [10]);
    environment.run(&["compare", "PROJ-1", "PROJ-1@no-retry"]).ok();
    let mut after = BTreeMap::new();
    contents(&environment.store(), &mut after);
    assert_eq!(before, after);
    environment.run(&["branch", "PROJ-1", "--load", "no-such"]).message(3);
    environment.run(&["branch", "PROJ-1", "--skip", "9", "--save", "../x"]).message(2);
}

#[test]
fn compare_names_the_first_event_and_the_first_path() {
    let environment = TestEnvironment::with_history();
    environment.run(&["branch", "PROJ-1", "--skip", "6", "--save", "no-failure"]).ok();
    let answer = json(&environment, &["compare", "PROJ-1", "PROJ-1@no-failure"]);
    assert_eq!(answer["equal"], false);
    assert_eq!(answer["first_event"]["a"]["position"], 6);
    assert_eq!(answer["first_path"]["path"], "/agents/api-integ/failure");
    assert_eq!(answer["only_b"], 0);
    let same = json(&environment, &["compare", "PROJ-1", "PROJ-1", "--assert-equal"]);
    assert_eq!((&same["equal"], &same["only_a"]), (&true.into(), &0.into()));
    let error = environment.run(&["compare", "PROJ-1", "PROJ-1@no-failure", "--assert-equal"]);
    assert_eq!(error.code, Some(8));
    environment.run(&["compare", "PROJ-1", "PROJ-1/nobody"]).message(3);
    environment.run(&["compare", "PROJ-1", "NOPE-1"]).message(3);
}

#[test]
fn the_same_work_under_other_names_and_times_is_equal() {
    let environment = TestEnvironment::with_history();
    let text = std::fs::read_to_string(environment.log()).unwrap();
    // Another issue on another day: other ids, times, hashes and sessions.
    let mut other = String::new();
    for (n, line) in text.lines().enumerate() {
        let mut event: Value = serde_json::from_str(line).unwrap();
        for field in ["event_sequence", "event_version"] {
            event.as_object_mut().unwrap().remove(field);
        }
        let ids = [("event_id", n), ("causation_id", 0)];
        for (name, n) in ids {
            if let Some(old) = event.get(name).and_then(Value::as_str) {
                let place =
                    text.lines().position(|l| l.contains(&format!("\"event_id\":\"{old}\"")));
                let n = place.unwrap_or(n);
                event[name] = format!("99999999-0000-4000-8000-{n:012}").into();
            }
        }
        event["issue_key"] = "PROJ-2".into();
        event["session_id"] = "99999999-0000-4000-8000-999999999999".into();
        if event["metadata"].get("issue_key").is_some() {
            event["metadata"]["issue_key"] = "PROJ-2".into();
        }
        let time = event["timestamp"].as_str().unwrap().replace("2026-11-20T", "2026-11-21T");
        event["timestamp"] = time.into();
        other += &format!("{event}\n");
    }
    environment.append_text(&other).ok();
    let answer = json(&environment, &["compare", "PROJ-1", "PROJ-2"]);
    assert_eq!(answer["equal"], true, "{answer:#}");
}
