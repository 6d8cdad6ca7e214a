//! `append`: what it takes, what it answers, when it refuses.

use serde_json::{Value, json};

use crate::cli_support::{NOW, PROJ_1, SESSION, TestEnvironment};

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn event(issue: &str, phase: &str) -> String {
    json!({
        "event_type": "PhaseStarted",
        "issue_key": issue,
        "session_id": SESSION,
        "actor": {"type": "system", "id": "o"},
        "metadata": {"phase": phase},
    })
    .to_string()
}

#[test]
fn an_event_from_flags_is_acknowledged_in_the_order_of_the_contract() {
    let environment = TestEnvironment::new();
    let id = "0b0c1d2e-3b4a-4c5d-8e6f-708192a3b4c5";
    let text = environment.append_phase("PROJ-9", "PLAN", &["--event-id", id]).ok();
    assert_eq!(
        text,
        format!(
            "{{\"event_id\":\"{id}\",\"event_type\":\"PhaseStarted\",\"event_sequence\":1,\
             \"issue_key\":\"PROJ-9\",\"session_id\":\"{SESSION}\",\"timestamp\":\"{NOW}\",\
             \"partition\":\"2026-11-22\",\"duplicate\":false}}\n"
        )
    );
    let again = environment.append_phase("PROJ-9", "PLAN", &["--event-id", id]).json();
    assert_eq!(again["duplicate"], true);
    assert_eq!(again["event_sequence"], 1);
}

#[test]
fn the_flag_and_the_word_are_one_command() {
    let environment = TestEnvironment::new();
    for (first, sequence) in [("append", 1), ("--append", 2)] {
        let answer = environment.run_with(&[first, "--no-git"], &event("PROJ-9", "PLAN")).json();
        assert_eq!(answer["event_sequence"], sequence, "{first}");
    }
}

#[test]
fn metadata_from_flags_nests_and_types() {
    let environment = TestEnvironment::new();
    let file = environment.work().join("m.json");
    std::fs::write(&file, r#"{"agent_name":"a","failure_reason":"base","extra":[1]}"#).unwrap();
    let args = ["append", "--no-git", "--type", "AgentFailed", "--issue", "PROJ-9"];
    let mut args = args.to_vec();
    args.extend(["--session", SESSION, "--actor", "agent:a@opus", "--metadata", "@m.json"]);
    args.extend(["--meta", "failure_reason=-1 & more", "--meta", "error_details.line:=42"]);
    environment.run(&args).ok();
    let stored = environment.run(&["query", "--jsonl"]).json();
    assert_eq!(
        stored["metadata"],
        json!({"agent_name": "a", "failure_reason": "-1 & more", "extra": [1], "error_details": {"line": 42}})
    );
    assert_eq!(stored["actor"], json!({"type": "agent", "id": "a", "model": "opus"}));
}

#[test]
fn the_environment_fills_in_and_flags_go_before_it() {
    let environment = TestEnvironment::new();
    let bare = r#"{"event_type":"PhaseStarted","metadata":{"phase":"PLAN"}}"#;
    let run = |args: &[&str]| {
        use std::io::Write;
        let mut command = environment.command(args);
        command
            .env("CHRONOSCOPE_ISSUE", "PROJ-8")
            .env("CHRONOSCOPE_SESSION", SESSION)
            .env("CHRONOSCOPE_ACTOR", "user:jane@x.org")
            .env("CHRONOSCOPE_CORRELATION", "c-1")
            .env("CHRONOSCOPE_CAUSATION", "0b0c1d2e-3b4a-4c5d-8e6f-708192a3b4c5")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(bare.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    assert_eq!(run(&["append", "--no-git"])["issue_key"], "PROJ-8");
    assert_eq!(run(&["append", "--no-git", "--issue", "PROJ-7"])["issue_key"], "PROJ-7");
    let stored = environment.run(&["query", "--issue", "PROJ-8", "--jsonl"]).json();
    assert_eq!(stored["actor"], json!({"type": "user", "id": "jane@x.org"}));
    assert_eq!(stored["correlation_id"], "c-1");
    assert_eq!(stored["causation_id"], "0b0c1d2e-3b4a-4c5d-8e6f-708192a3b4c5");
}

#[test]
fn stdin_may_hold_an_object_lines_or_an_array() {
    let environment = TestEnvironment::new();
    let one = event("PROJ-9", "A");
    let pretty =
        serde_json::to_string_pretty(&serde_json::from_str::<Value>(&one).unwrap()).unwrap();
    for (text, count) in
        [(pretty, 1), (format!("{one}\n\n{one}\n"), 2), (format!("[{one},\n {one}, {one}]"), 3)]
    {
        assert_eq!(lines(&environment.append_text(&text).ok()).len(), count, "{text}");
    }
    let found = environment.run(&["query", "--count", "--json"]).json();
    assert_eq!(found, json!({"count": 6}));
}

#[test]
fn a_batch_is_all_or_nothing() {
    let environment = TestEnvironment::new();
    let (good, bad) = (event("PROJ-9", "A"), event("PROJ-9", "not upper case"));
    let text = format!("{good}\n{bad}\n{{\"event_type\":\n{good}\n");
    let error = environment.run_with(&["append", "--json"], &text).error(4);
    assert_eq!(error["kind"], "invalid");
    let faults = error["details"]["faults"].as_array().unwrap();
    assert!(faults.iter().any(|f| f["line"] == 2 && f["pointer"] == "/metadata/phase"), "{error}");
    assert!(faults.iter().any(|f| f["line"] == 3), "{error}");
    assert!(!environment.store().exists(), "nothing was written");
}

#[test]
fn every_fault_of_an_event_is_told() {
    let environment = TestEnvironment::new();
    let text = r#"{"event_type":"AgentFailed","issue_key":"../x","event_sequence":7,"actor":{"type":"robot","id":"r"},"metadata":{"agent_name":1}}"#;
    let error = environment.run_with(&["append", "--json"], text).error(4);
    let pointers: Vec<&str> = error["details"]["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["pointer"].as_str().unwrap())
        .collect();
    for pointer in
        ["/issue_key", "/event_sequence", "/session_id", "/actor/type", "/metadata/agent_name"]
    {
        assert!(pointers.contains(&pointer), "{pointer} of {pointers:?}");
    }
    let shown = environment.run_with(&["append"], text).message(4);
    assert!(shown.contains("/metadata/failure_reason"), "{shown}");
    assert!(shown.contains("hint: `chronoscope schema show AgentFailed`"), "{shown}");
    assert!(!environment.store().exists(), "nothing was written");
}

#[test]
fn a_batch_is_for_one_issue() {
    let environment = TestEnvironment::new();
    let text = format!("{}\n{}\n", event("PROJ-8", "A"), event("PROJ-9", "A"));
    let message = environment.append_text(&text).message(2);
    assert!(message.contains("PROJ-8") && message.contains("--stream"), "{message}");
    assert!(!environment.store().exists(), "nothing was written");
}

#[test]
fn without_an_event_it_says_what_to_do() {
    let environment = TestEnvironment::new();
    assert!(environment.append_text("  \n").message(2).contains("--type"));
    let message = environment.run_with(&["append", "--meta", "a=b"], "").message(2);
    assert!(message.contains("--meta needs --type"), "{message}");
}

#[test]
fn the_expected_sequence_is_met_or_nothing_happens() {
    let environment = TestEnvironment::new();
    environment.append_phase("PROJ-9", "A", &["--expect-sequence", "0"]).ok();
    let args = ["--expect-sequence", "0", "--json"];
    let error = environment.append_phase("PROJ-9", "B", &args).error(5);
    assert_eq!(error["kind"], "conflict");
    assert_eq!(error["details"]["actual"], 1, "{error}");
    environment.append_phase("PROJ-9", "B", &["--expect-sequence", "1"]).ok();
}

#[test]
fn a_reused_id_with_other_content_is_a_conflict() {
    let environment = TestEnvironment::new();
    let id = ["--event-id", "0b0c1d2e-3b4a-4c5d-8e6f-708192a3b4c5"];
    environment.append_phase("PROJ-9", "A", &id).ok();
    environment.append_phase("PROJ-9", "B", &id).message(5);
    assert_eq!(environment.run(&["query", "--count"]).ok(), "1\n");
}

#[test]
fn quiet_prints_nothing_and_a_dry_run_writes_nothing() {
    let environment = TestEnvironment::new();
    let line = environment.append_phase("PROJ-9", "A", &["--dry-run"]).json();
    assert_eq!(line["event_sequence"], 1);
    assert_eq!(line["metadata"]["phase"], "A");
    assert!(!environment.store().exists(), "nothing was written");
    assert_eq!(environment.append_phase("PROJ-9", "A", &["--quiet"]).ok(), "");
    let line = environment.append_phase("PROJ-9", "B", &["--dry-run"]).json();
    assert_eq!(line["event_sequence"], 2);
    assert_eq!(environment.run(&["query", "--count"]).ok(), "1\n");
}

#[test]
fn the_commit_at_hand_is_noted_unless_unwanted() {
    let environment = TestEnvironment::new();
    let git = environment.work().join(".git");
    std::fs::create_dir_all(git.join("refs/heads")).unwrap();
    let sha = "0123456789abcdef0123456789abcdef01234567";
    std::fs::write(git.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    std::fs::write(git.join("refs/heads/main"), sha).unwrap();
    environment.run_with(&["append"], &event("PROJ-1", "A")).ok();
    environment.run_with(&["append", "--no-git"], &event("PROJ-2", "A")).ok();
    let stored = environment.run(&["query", "--issue", "PROJ-1", "--jsonl"]).json();
    assert_eq!((&stored["git_sha"], &stored["branch"]), (&json!(sha), &json!("main")));
    let stored = environment.run(&["query", "--issue", "PROJ-2", "--jsonl"]).json();
    assert_eq!(stored.get("git_sha"), None);
}

#[test]
fn durability_of_the_operating_system_is_said() {
    let environment = TestEnvironment::new();
    let answer = environment.append_phase("PROJ-9", "A", &["--durability", "os"]).json();
    assert_eq!(answer["durability"], "os");
}

#[test]
fn a_stream_takes_any_mix_and_goes_on_after_bad_lines() {
    let environment = TestEnvironment::new();
    let id = "0b0c1d2e-3b4a-4c5d-8e6f-708192a3b4c5";
    let with_id = |phase: &str| {
        let mut value: Value = serde_json::from_str(&event("PROJ-8", phase)).unwrap();
        value["event_id"] = id.into();
        value.to_string()
    };
    let text = [
        event("PROJ-8", "A"),
        event("PROJ-9", "A"),
        "nonsense".to_owned(),
        with_id("B"),
        with_id("B"),
        with_id("C"),
        String::new(),
        event("PROJ-8", "D"),
    ]
    .join("\n");
    let ran = environment.run_with(&["append", "--no-git", "--stream"], &text);
    assert_eq!(ran.code, Some(4), "{ran:#?}");
    let answers: Vec<(String, u64, bool)> = lines(&ran.stdout)
        .iter()
        .map(|a| {
            let issue = a["issue_key"].as_str().unwrap().to_owned();
            (issue, a["event_sequence"].as_u64().unwrap(), a["duplicate"].as_bool().unwrap())
        })
        .collect();
    let expected = [("PROJ-8", 1, false), ("PROJ-9", 1, false), ("PROJ-8", 2, false)];
    let expected = expected.into_iter().chain([("PROJ-8", 2, true), ("PROJ-8", 3, false)]);
    assert_eq!(answers, expected.map(|(i, s, d)| (i.to_owned(), s, d)).collect::<Vec<_>>());
    let errors = lines(&ran.stderr);
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert_eq!(
        (&errors[0]["error"]["line"], &errors[0]["error"]["kind"]),
        (&json!(3), &json!("invalid"))
    );
    assert_eq!(
        (&errors[1]["error"]["line"], &errors[1]["error"]["kind"]),
        (&json!(6), &json!("conflict"))
    );
    environment.run(&["verify"]).ok();
}

#[test]
fn a_stream_answers_before_the_next_line_comes() {
    use std::io::{BufRead, BufReader, Write};
    use std::process::Stdio;
    let environment = TestEnvironment::new();
    let mut command = environment.command(&["append", "--no-git", "--stream"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    for sequence in 1..4 {
        writeln!(stdin, "{}", event("PROJ-9", "A")).unwrap();
        let answer: Value = serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap();
        assert_eq!(answer["event_sequence"], sequence);
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn settings_of_the_configuration_are_obeyed() {
    let environment = TestEnvironment::new();
    std::fs::write(
        environment.work().join("event-sourcing.yaml"),
        "event_sourcing:\n  validation: {issue_key_pattern: '^cg-[a-z0-9]+$', \
         allow_unknown_event_types: true}\n  limits: {max_event_bytes: 1024}\n",
    )
    .unwrap();
    environment.append_phase("cg-5ol6", "A", &[]).ok();
    environment.append_phase("PROJ-1", "A", &[]).message(4);
    let unknown = event("cg-5ol6", "A").replace("PhaseStarted", "Whatever");
    environment.append_text(&unknown).ok();
    let long = event("cg-5ol6", &"A".repeat(2000));
    environment.append_text(&long).message(4);
}

#[test]
fn the_fixture_is_one_batch() {
    let environment = TestEnvironment::new();
    let answers = lines(&environment.append_text(PROJ_1).ok());
    assert_eq!(answers.len(), PROJ_1.lines().count());
    assert!(answers.iter().all(|a| a["partition"] == "2026-11-20"));
}

/// Every file below a folder.
fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn a_secret_never_reaches_the_disk() {
    let environment = TestEnvironment::new();
    let id = "0b0c1d2e-3b4a-4c5d-8e6f-708192a3b4c5";
    let secret = "hunter2hunter2";
    let flag = format!("note=curl https://me:{secret}@example.com/");
    let ran = environment.append_phase("PROJ-9", "A", &["--event-id", id, "--meta", &flag]);
    assert!(ran.stderr.contains("/metadata/note (password)"), "{}", ran.stderr);
    assert!(!ran.stderr.contains(secret));
    ran.ok();
    // A retry meets what it left: without the secret.
    let again = environment.append_phase("PROJ-9", "A", &["--event-id", id, "--meta", &flag]);
    assert_eq!(again.json()["duplicate"], true);
    let note = format!("\"phase\":\"A\",\"env\":\"PASSWORD={secret}\"");
    let stream = event("PROJ-9", "A").replace("\"phase\":\"A\"", &note);
    environment.run_with(&["append", "--no-git", "--stream"], &stream).ok();
    let source = environment.work().join("log.jsonl");
    let record =
        format!("{{\"at\":1795000000,\"what\":\"Note\",\"key\":\"AKIA{}\"}}\n", "ABCD".repeat(4));
    std::fs::write(&source, &record).unwrap();
    let import = ["import", "--from", "generic", "log.jsonl", "--issue", "PROJ-7", "--json"];
    let fields = ["--field", "timestamp=/at", "--field", "event_type=/what"];
    let import: Vec<&str> = import.into_iter().chain(fields).collect();
    let report = environment.run(&import).json();
    assert_eq!((&report["appended"], &report["redacted"]), (&json!(1), &json!(1)), "{report}");
    let report = environment.run(&import).json();
    assert_eq!((&report["appended"], &report["duplicates"]), (&json!(0), &json!(1)), "{report}");
    let all: Vec<_> = files(&environment.store());
    assert!(all.len() > 5);
    for path in all {
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        assert!(!text.contains(secret) && !text.contains("AKIA"), "{}: {text}", path.display());
    }

    let settings = "event_sourcing: {redaction: {mode: reject, patterns: ['ACME-[0-9]+']}}";
    std::fs::write(environment.work().join("event-sourcing.yaml"), settings).unwrap();
    let message = environment.append_phase("PROJ-9", "A", &["--meta", "n=ACME-17"]).message(4);
    assert!(message.contains("/metadata/n holds what looks like a secret (custom)"), "{message}");
    let message = environment.append_phase("PROJ-9", "A", &["--meta", &flag]).message(4);
    assert!(message.contains("(password)") && !message.contains(secret), "{message}");
}

#[test]
fn a_clock_that_is_set_back_changes_no_order() {
    let environment = TestEnvironment::new();
    let clocks = [
        NOW,
        "2026-11-22T13:59:59.000Z",
        "2026-11-21T14:00:00.000Z",
        "1970-01-01T00:00:00.000Z",
        "2026-11-22T14:00:01.000Z",
    ];
    for (n, clock) in clocks.iter().enumerate() {
        let mut command = environment.command(&["append", "--no-git"]);
        command.env("CHRONOSCOPE_FIXED_CLOCK", clock);
        let answer = environment.feed(command, &event("PROJ-9", "A")).json();
        assert_eq!(answer["event_sequence"], n + 1, "{clock}");
        assert_eq!(answer["timestamp"], clocks[if n < 4 { 0 } else { 4 }], "{clock}");
        assert_eq!(answer["partition"], "2026-11-22", "{clock}");
    }
    let stored = lines(&environment.run(&["query", "--jsonl"]).ok());
    let order: Vec<u64> = stored.iter().map(|e| e["event_sequence"].as_u64().unwrap()).collect();
    assert_eq!(order, [1, 2, 3, 4, 5]);
    environment.run(&["verify"]).ok();
}
