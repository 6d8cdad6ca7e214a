//! Every command's ordinary case: its text, which is a snapshot, and the shape of its JSON.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::cli_support::{PROJ_1, TestEnvironment, ran};

fn keys(value: &Value, text: &str) -> Vec<String> {
    // The order is part of the contract, so it is read from the text.
    let object = value.as_object().unwrap();
    let mut keys: Vec<(usize, String)> = object
        .keys()
        .map(|key| (text.find(&format!("\"{key}\":")).unwrap(), key.clone()))
        .collect();
    keys.sort();
    keys.into_iter().map(|(_, key)| key).collect()
}

#[test]
fn state_for_people() {
    let environment = TestEnvironment::with_history();
    assert_snapshot!(environment.run(&["state", "PROJ-1", "--at", "AgentFailed"]).ok());
    assert_snapshot!(environment.run(&["state", "PROJ-1", "--at", "start"]).ok());
    let path = ["state", "PROJ-1", "--at", "10:31:05", "--path", "/agents"];
    assert_snapshot!(environment.run(&path).ok());
}

#[test]
fn state_as_json() {
    let environment = TestEnvironment::with_history();
    let text = environment.run(&["state", "PROJ-1", "--at", "6", "--json"]).ok();
    let state: Value = serde_json::from_str(&text).unwrap();
    let order = ["issue_key", "position", "head", "event_sequence", "timestamp", "digest", "state"];
    let found: Vec<usize> =
        order.iter().map(|key| text.find(&format!("\"{key}\":")).unwrap()).collect();
    assert!(found.is_sorted(), "{text}");
    assert_eq!(state["position"], 6);
    assert_eq!(state["head"], 12);
    assert_eq!(state["event_sequence"], 6);
    assert_eq!(state["timestamp"], "2026-11-20T10:45:00.500Z");
    assert_eq!(state["state"]["agents"]["api-integ"]["status"], "failed");
    assert_eq!(state["anomalies"], json!([]));
    assert!(state["digest"].as_str().unwrap().starts_with("sha256:"));
    // Whatever names the position, the answer is one.
    for moment in ["AgentFailed", "10:45:30", "2026-11-20T10:45:30Z", "-19m30s", "00000006-0"] {
        let args = ["state", "PROJ-1", "--at", moment, "--json"];
        let again = environment.run(&args).json();
        assert_eq!(again["position"], 6, "{moment}");
    }
    let empty = environment.run(&["state", "PROJ-1", "--at", "start", "--json"]).json();
    assert_eq!((&empty["position"], &empty["timestamp"]), (&json!(0), &Value::Null));
    let part = ["state", "PROJ-1", "--path", "/agents/api-integ/attempt", "--json"];
    assert_eq!(environment.run(&part).json()["state"], 2);
}

#[test]
fn the_digest_is_that_of_the_state_as_printed() {
    let environment = TestEnvironment::with_history();
    let state = environment.run(&["state", "PROJ-1", "--json"]).json();
    // Sorted keys and compact form are what this library writes.
    let text = state["state"].to_string();
    let digest = chronoscope::model::ids::sha256_text(text.as_bytes());
    assert_eq!(state["digest"], digest.as_str());
}

#[test]
fn timeline() {
    let environment = TestEnvironment::with_history();
    assert_snapshot!(environment.run(&["timeline", "PROJ-1", "--around", "AgentFailed"]).ok());
    let args = ["timeline", "PROJ-1", "--around", "6", "--window", "2", "--ascii"];
    assert_snapshot!(environment.run(&args).ok());
    let args = ["timeline", "PROJ-1", "--around", "6", "--window", "2m", "--json"];
    let text = environment.run(&args).ok();
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(keys(&found, &text), ["position", "head", "events", "state_summary"]);
    let events = found["events"].as_array().unwrap();
    let positions: Vec<&Value> = events.iter().map(|e| &e["position"]).collect();
    assert_eq!(positions, [6, 7, 8, 9]);
    let first = &text[text.find("{\"position\":6,\"event_id\"").unwrap()..];
    let event = &events[0];
    let order = ["position", "event_id", "event_type", "timestamp", "actor", "summary"];
    assert_eq!(keys(event, first), order);
    assert_eq!(event["actor"], json!({"type": "agent", "id": "api-integ", "model": "sonnet"}));
    assert_eq!(
        found["state_summary"],
        json!({
            "status": "in_progress",
            "current_phase": "CODE",
            "active_agents": ["test-writer"],
            "completed_phases": [],
            "pending_tasks": [],
        })
    );
}

#[test]
fn diff() {
    let environment = TestEnvironment::with_history();
    assert_snapshot!(environment.run(&["diff", "PROJ-1", "5", "AgentSpawned:3"]).ok());
    let entries = environment.run(&["diff", "PROJ-1", "5", "6", "--json"]).json();
    let status = json!({"op": "change", "path": "/agents/api-integ/status", "from": "running", "to": "failed"});
    assert!(entries.as_array().unwrap().contains(&status), "{entries}");
    assert_eq!(environment.run(&["diff", "PROJ-1", "4", "4", "--json"]).json(), json!([]));
    let counters = environment.run(&["diff", "PROJ-1", "4", "5", "--counters", "--json"]).ok();
    assert!(counters.contains("/counters/events"), "{counters}");
}

#[test]
fn why() {
    let environment = TestEnvironment::with_history();
    assert_snapshot!(environment.run(&["why", "PROJ-1", "/agents/api-integ/status"]).ok());
    let args = ["why", "PROJ-1", "/agents/api-integ/status", "--at", "8", "--json"];
    let text = environment.run(&args).ok();
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(keys(&found, &text), ["path", "value", "writers"]);
    assert_eq!(found["value"], "failed");
    let writers = found["writers"].as_array().unwrap();
    assert_eq!(writers.iter().map(|w| &w["position"]).collect::<Vec<_>>(), [6, 3]);
    assert_eq!((&writers[0]["value"], &writers[1]["value"]), (&json!("failed"), &json!("running")));
    assert_eq!(writers[0]["causes"][0]["position"], 5);
    let args = ["why", "PROJ-1", "/agents/api-integ/status", "--limit", "1", "--jsonl"];
    assert_eq!(environment.run(&args).ok().lines().count(), 1);
}

#[test]
fn query_for_people() {
    let environment = TestEnvironment::with_history();
    assert_snapshot!(environment.run(&["query", "--agent", "api-integ", "--reverse"]).ok());
    assert_snapshot!(environment.run(&["query", "--group-by", "type"]).ok());
    let ran = environment.run(&["query", "--limit", "2"]);
    assert!(ran.stderr.contains("there is more: --cursor "), "{ran:?}");
    assert_eq!(ran.ok().lines().count(), 2);
}

#[test]
fn query_filters() {
    let environment = TestEnvironment::with_history();
    let count = |args: &[&str]| {
        let all = [&["query", "--count", "--json"], args].concat();
        environment.run(&all).json()["count"].as_u64().unwrap()
    };
    assert_eq!(count(&[]), 12);
    assert_eq!(count(&["--type", "AgentSpawned", "--type", "AgentFailed"]), 4);
    assert_eq!(count(&["--type", "!AgentSpawned"]), 9);
    assert_eq!(count(&["--agent", "test-writer"]), 3);
    assert_eq!(count(&["--actor", "orchestrator"]), 7);
    assert_eq!(count(&["--phase", "CODE"]), 11);
    assert_eq!(count(&["--category", "recovery"]), 2);
    assert_eq!(count(&["--severity", "error+"]), 2);
    assert_eq!(count(&["--correlation", "fix-1"]), 2);
    assert_eq!(count(&["--id", "0000000a"]), 1);
    assert_eq!(count(&["--since", "10:46", "--until", "2026-11-20T10:59:00Z"]), 4);
    assert_eq!(count(&["--since", "-6m"]), 3);
    assert_eq!(count(&["--issue", "!PROJ-1"]), 0);
}

#[test]
fn query_pages_and_lines() {
    let environment = TestEnvironment::with_history();
    let stored = std::fs::read_to_string(environment.log()).unwrap();
    assert_eq!(environment.run(&["query", "--jsonl"]).ok(), stored, "byte for byte");
    let mut pages = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut args = vec!["query", "--json", "--limit", "5"];
        args.extend(cursor.iter().flat_map(|cursor| ["--cursor", cursor.as_str()]));
        let text = environment.run(&args).ok();
        let page: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(keys(&page, &text)[0], "events");
        assert!(page["took_ms"].is_u64() && page["scanned"].is_u64(), "{page}");
        pages.extend(page["events"].as_array().unwrap().clone());
        if pages.len() == 5 {
            environment.append_phase("PROJ-1", "TEST", &[]).ok();
        }
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    let sequences: Vec<u64> = pages.iter().map(|e| e["event_sequence"].as_u64().unwrap()).collect();
    assert_eq!(sequences, (1..=13).collect::<Vec<u64>>());
    let groups = environment.run(&["query", "--group-by", "actor", "--json"]).json();
    assert_eq!(groups["groups"][0], json!({"key": "orchestrator", "count": 8}));
}

#[test]
fn tail_prints_the_last_and_follows() {
    use std::io::{BufRead, BufReader};
    let environment = TestEnvironment::with_history();
    environment.append_phase("PROJ-2", "PLAN", &[]).ok();
    assert_snapshot!(environment.run(&["tail", "PROJ-1", "-n", "3"]).ok());
    let all = environment.run(&["tail", "-n", "2", "--jsonl"]).ok();
    assert_eq!(all.lines().count(), 2);
    assert!(all.lines().last().unwrap().contains("PROJ-2"), "{all}");
    let spawned = ["tail", "--type", "AgentSpawned", "--json"];
    assert_eq!(environment.run(&spawned).json()["events"].as_array().unwrap().len(), 3);
    let mut command = environment.command(&["tail", "-f", "-n", "1", "--jsonl"]);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("PROJ-2"));
    for (issue, phase) in [("PROJ-2", "CODE"), ("PROJ-3", "TEST"), ("PROJ-1", "FIX")] {
        environment.append_phase(issue, phase, &[]).ok();
        let line = lines.next().unwrap().unwrap();
        assert!(line.contains(issue) && line.contains(phase), "{line}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn tail_folds_along_where_the_condition_looks_at_the_state() {
    use std::io::{BufRead, BufReader};
    let environment = TestEnvironment::with_history();
    let turns = "$state.orchestration.current_phase != $before.orchestration.current_phase or \
                 ($state.agents | length) != ($before.agents | length) or $state.errors != $before.errors";
    let tail = |more: &[&str]| {
        let arguments = [&["tail", "-n", "99", "--jsonl", "--where", turns], more].concat();
        environment.run(&arguments).ok()
    };
    let found = environment.run(&["query", "--where", turns, "--jsonl"]).ok();
    assert!(found.lines().count() > 1, "{found}");
    assert_eq!(tail(&[]), found);
    assert_eq!(tail(&["PROJ-1"]), found);
    // Of other types nothing is shown, and all of them are folded.
    let errors = found.lines().filter(|line| line.contains("\"ErrorOccurred\"")).count();
    assert_eq!((errors, tail(&["--type", "ErrorOccurred"]).lines().count()), (1, 1));
    let bad = environment.run(&["tail", "--where", "$state.agents + 1", "--jsonl"]);
    assert!(bad.stderr.contains("the expression failed"), "{bad:?}");
    let mut command = environment.command(&["tail", "-f", "-n", "1", "--jsonl", "--where", turns]);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), found.lines().last().unwrap());
    for (issue, phase) in
        [("PROJ-2", "CODE"), ("PROJ-2", "CODE"), ("PROJ-1", "FIX"), ("PROJ-2", "TEST")]
    {
        environment.append_phase(issue, phase, &[]).ok();
    }
    for (issue, phase) in [("PROJ-2", "CODE"), ("PROJ-1", "FIX"), ("PROJ-2", "TEST")] {
        let line = lines.next().unwrap().unwrap();
        assert!(line.contains(issue) && line.contains(phase), "{line}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn without_a_command_and_a_terminal_there_is_a_summary() {
    let environment = TestEnvironment::with_history();
    let ran = environment.run(&["PROJ-1"]);
    assert!(ran.stderr.contains("to open the debugger"), "{ran:?}");
    assert_eq!(ran.ok(), environment.run(&["state", "PROJ-1"]).ok());
    let at = environment.run(&["PROJ-1", "--at", "-10m"]).ok();
    assert_eq!(at, environment.run(&["state", "PROJ-1", "--at", "-10m"]).ok());
    assert_snapshot!(environment.run(&[]).ok());
    assert_eq!(environment.run(&["--json"]).json()[0]["events"], 12);
}

#[test]
fn a_view_without_a_terminal_is_the_state_at_its_position() {
    let environment = TestEnvironment::with_history();
    let view = "v1:at=6:base=3:pane=diff:select=/agents:filter=.a%20|%20.b";
    let ran = environment.run(&["PROJ-1", "--view", view]);
    assert_eq!(ran.ok(), environment.run(&["state", "PROJ-1", "--at", "6"]).ok());
    let state = environment.run(&["state", "PROJ-1", "--at", "6", "--json"]).ok();
    assert_eq!(environment.run(&["PROJ-1", "--view", view, "--json"]).ok(), state);
    let error = environment.run(&["PROJ-1", "--view", "v1:at=six", "--json"]).error(2);
    assert!(error["message"].as_str().unwrap().contains("\"at=six\""), "{error}");
    assert_eq!(error["hint"], "at: The position, which every view has.");
    for view in ["v1:at=13", "v1:at=1:base=13", "v1:at=1:what-if=b2+x13,id"] {
        let message = environment.run(&["PROJ-1", "--view", view]).message(3);
        assert!(message.contains("position 13"), "{message}");
    }
    environment.run(&["PROJ-1", "--view", "v1:at=1", "--at", "3"]).message(2);
    environment.run(&["--view", "v1:at=1"]).message(2);
}

#[test]
fn snapshots_are_kept_listed_and_let_go() {
    let environment = TestEnvironment::with_history();
    let digest =
        environment.run(&["state", "PROJ-1", "--at", "6", "--json"]).json()["digest"].clone();
    let kept = environment.run(&["snapshot", "PROJ-1", "--at", "6", "--json"]).json();
    assert_eq!((&kept["position"], &kept["state_digest"]), (&json!(6), &digest));
    environment.run(&["snapshot", "PROJ-1"]).ok();
    let list = environment.run(&["snapshot", "list", "--json"]).json();
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert!(list[0]["current"].as_bool().unwrap());
    environment.run(&["verify", "--deep"]).ok();
    let gone = environment.run(&["snapshot", "gc", "--json"]).json();
    assert_eq!(gone["removed"], json!([]));
    environment.run(&["snapshot"]).message(2);
}

#[test]
fn appends_keep_a_snapshot_now_and_then() {
    let environment = TestEnvironment::with_history();
    let event = PROJ_1.lines().nth(1).unwrap();
    let event = event.replacen("\"event_id\":\"00000002-0000-4000-8000-000000000000\",", "", 1);
    let kept = || -> Vec<u64> {
        let list = environment.run(&["snapshot", "list", "--json"]).json();
        list.as_array().unwrap().iter().map(|s| s["event_sequence"].as_u64().unwrap()).collect()
    };
    environment.append_text(&format!("{event}\n").repeat(37)).ok();
    assert_eq!(kept(), [0; 0], "the 49th event");
    environment.append_text(&event).ok();
    assert_eq!(kept(), [50]);
    let stream = ["append", "--no-git", "--stream"];
    environment.run_with(&stream, &format!("{event}\n").repeat(60)).ok();
    assert_eq!(kept(), [110, 50]);
    environment.run(&["verify", "--deep"]).ok();
    std::fs::write(
        environment.work().join("event-sourcing.yaml"),
        "event_sourcing: {snapshots: {enabled: false}}",
    )
    .unwrap();
    environment.append_text(&format!("{event}\n").repeat(60)).ok();
    assert_eq!(kept(), [110, 50]);
}

#[test]
fn verify_deep_finds_a_snapshot_of_another_history() {
    let environment = TestEnvironment::with_history();
    environment.run(&["snapshot", "PROJ-1"]).ok();
    let log = std::fs::read_to_string(environment.log()).unwrap();
    let other = log.replacen("Call the API", "Call another", 1);
    std::fs::write(environment.log(), other).unwrap();
    let ran = environment.run(&["verify", "--deep", "--json"]);
    assert_eq!(ran.code, Some(6), "{ran:#?}");
    assert!(ran.stdout.contains("bad-snapshot"), "{ran:#?}");
}

#[test]
fn store_commands() {
    let environment = TestEnvironment::new();
    let made = environment.run(&["store", "init", "--json"]).json();
    assert_eq!(made["created"], true);
    assert_eq!(environment.run(&["store", "init", "--json"]).json()["created"], false);
    environment.append_text(PROJ_1).ok();
    let text = environment.run(&["store", "stats", "--json"]).ok();
    let stats: Value = serde_json::from_str(&text).unwrap();
    let order = ["store", "issues", "events", "sessions", "bytes", "first", "last", "by_type"];
    assert_eq!(keys(&stats, &text), order);
    assert_eq!((&stats["issues"], &stats["events"]), (&json!(1), &json!(12)));
    assert_eq!(stats["by_type"]["AgentSpawned"], 3);
    assert_snapshot!(environment.masked(&environment.run(&["store", "stats"]).ok()));
    assert_eq!(environment.run(&["store", "rebuild", "--json"]).json()["events"], 12);
    environment.run(&["verify"]).ok();
}

#[test]
fn verify_as_json() {
    let environment = TestEnvironment::with_history();
    let text = environment.run(&["verify", "--json"]).ok();
    let report: Value = serde_json::from_str(&text).unwrap();
    let order = ["ok", "proven_size", "root", "signed_by", "findings"];
    assert_eq!(keys(&report, &text)[..5], order);
    assert_eq!((&report["ok"], &report["findings"]), (&json!(true), &json!([])));
    assert_snapshot!(environment.run(&["verify", "PROJ-1"]).ok());
}

#[test]
fn schema_commands() {
    let environment = TestEnvironment::with_history();
    let list = environment.run(&["schema", "list", "--json"]).json();
    assert_eq!(list.as_array().unwrap().len(), 66);
    let kinds = environment.run(&["schema", "list", "--kinds", "--jsonl"]).ok();
    for kind in ["sequence-gap", "torn-tail", "critical"] {
        assert!(kinds.contains(kind), "{kind}");
    }
    assert_snapshot!(environment.run(&["schema", "show", "AgentUnblocked"]).ok());
    let schema = environment.run(&["schema", "show", "AgentFailed", "--json"]).json();
    assert!(schema["properties"].is_object() || schema["allOf"].is_array(), "{schema}");
    let history = environment.run(&["schema", "history", "--json"]).json();
    assert_eq!(history["current"], "1.1.0");
    let log = environment.log().display().to_string();
    assert_eq!(environment.run(&["schema", "check", &log]).ok(), "12 events are valid\n");
    let bad = PROJ_1.replacen("\"phase\":\"CODE\"", "\"phase\":\"code\"", 1);
    let ran = environment.run_with(&["schema", "check", "-", "--json"], &bad);
    assert_eq!(ran.code, Some(4), "{ran:#?}");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["faults"][0]["line"], 2);
    assert_eq!(report["faults"][0]["pointer"], "/metadata/phase");
}

#[test]
fn config_show() {
    let environment = TestEnvironment::new();
    let settings = environment.run(&["config", "show", "--json"]).json();
    assert_eq!(settings["file"], Value::Null);
    let find = |settings: &Value, key: &str| -> Value {
        let rows = settings["settings"].as_array().unwrap();
        rows.iter().find(|row| row["key"] == key).unwrap().clone()
    };
    let store = find(&settings, "storage.base_path");
    assert_eq!(store["origin"], "$CHRONOSCOPE_STORE");
    std::fs::create_dir(environment.work().join("config")).unwrap();
    std::fs::write(
        environment.work().join("config/event-sourcing.yaml"),
        "event_sourcing:\n  storage: {format: parquet}\n  query:\n    max_page_size: 5\n",
    )
    .unwrap();
    let args = ["--store", "elsewhere", "config", "show", "--json"];
    let settings = environment.run(&args).json();
    assert_eq!(find(&settings, "storage.base_path")["origin"], "--store");
    let size = find(&settings, "query.max_page_size");
    assert_eq!(size["value"], 5);
    assert!(size["origin"].as_str().unwrap().ends_with("config/event-sourcing.yaml:4"), "{size}");
    let format = find(&settings, "storage.format");
    assert_eq!(
        (&format["value"], &format["not_obeyed"]["value"]),
        (&json!("jsonl"), &json!("parquet"))
    );
    assert!(environment.run(&["config", "show"]).ok().contains("query.max_page_size"));
}

#[test]
fn the_store_is_found_upwards() {
    let environment = TestEnvironment::new();
    let below = environment.work().join("a/b");
    std::fs::create_dir_all(&below).unwrap();
    let run = |args: &[&str]| {
        let mut command = environment.command(args);
        let output = command.env_remove("CHRONOSCOPE_STORE").current_dir(&below).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let store = environment.work().join("sessions/events");
    let named = store.display().to_string();
    environment.append_phase("PROJ-5", "A", &["--store", &named]).ok();
    assert_eq!(run(&["query", "--count"]), (Some(0), "1\n".to_owned()));
    std::fs::remove_dir_all(&store).unwrap();
    assert_eq!(run(&["query", "--count"]).0, Some(3), "the user's store is not there yet");
    let made = run(&["store", "init", "--json"]);
    assert!(made.1.contains("home/.local/share/chronoscope/events"), "{made:?}");
}

#[test]
fn import() {
    let environment = TestEnvironment::new();
    let list = environment.run(&["import", "list", "--json"]).json();
    assert!(list.as_array().unwrap().iter().any(|row| row["name"] == "generic"));
    let log = concat!(
        "{\"ts\":\"2026-11-20T10:00:00Z\",\"event\":\"dispatch\",\"bead\":\"cg-1\",\"worker\":\"w1\"}\n",
        "{\"ts\":\"2026-11-20T10:01:00Z\",\"event\":\"complete\",\"bead\":\"cg-1\",\"worker\":\"w1\"}\n",
        "not json\n",
    );
    std::fs::write(environment.work().join("fleet.jsonl"), log).unwrap();
    let dry = ["import", "--from", "fleet", "fleet.jsonl", "--dry-run", "--json"];
    assert_eq!(environment.run(&dry).json()["appended"], 2);
    assert!(!environment.store().exists(), "nothing was written");
    let strict = ["import", "--from", "fleet", "fleet.jsonl", "--strict"];
    environment.run(&strict).message(4);
    let args = ["import", "--from", "fleet", "fleet.jsonl", "--json"];
    let text = environment.run(&args).ok();
    let report: Value = serde_json::from_str(&text).unwrap();
    let order = ["mapping", "read", "appended", "duplicates", "issues", "faults", "unmapped"];
    assert_eq!(keys(&report, &text), order);
    assert_eq!((&report["appended"], &report["issues"]), (&json!(2), &json!(1)));
    assert_eq!(report["faults"][0]["line"], 3);
    let again = environment.run(&args).json();
    assert_eq!((&again["appended"], &again["duplicates"]), (&json!(0), &json!(2)));
    assert_eq!(environment.run(&["query", "--issue", "cg-1", "--count"]).ok(), "2\n");
    environment.run(&["import", "--from", "fleet"]).message(2);
    environment.run(&["import", "fleet.jsonl"]).message(2);
}

#[test]
fn demo_without_a_terminal_is_a_tour() {
    let environment = TestEnvironment::new();
    let text = environment.run(&["demo", "--dir", "sample"]).ok();
    for part in ["What happened", "timeline PROJ-123", "diff PROJ-123", "The sample store is in "] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(environment.run(&["demo", "--dir", "sample"]).ok(), text, "again it is the same");
    environment.run(&["--store", "sample", "verify"]).ok();
}

#[test]
fn completions_and_manual() {
    let environment = TestEnvironment::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(environment.run(&["completions", shell]).ok().contains("chronoscope"), "{shell}");
    }
    let man = environment.run(&["man"]).ok();
    for command in ["append", "timeline", "verify"] {
        assert!(man.contains(command), "{command}");
    }
}

#[test]
fn nothing_is_cut_in_a_pipe_unless_a_width_is_asked_for() {
    let environment = TestEnvironment::with_history();
    let long = ["a goal of many words"; 20].join(", ");
    let meta = format!("phase_objective={long}");
    environment.append_phase("PROJ-1", "TEST", &["--meta", &meta]).ok();
    for command in
        [&["diff", "PROJ-1", "start", "end"][..], &["why", "PROJ-1", "/phases/TEST/objective"]]
    {
        let cut = environment.run(command).ok();
        assert!(cut.contains('…') && !cut.contains(&long), "{cut}");
        let mut piped = environment.command(command);
        let whole = ran(piped.env_remove("COLUMNS").output().unwrap()).ok();
        assert!(whole.contains(&long), "{whole}");
    }
}
