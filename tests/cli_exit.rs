//! Each row of the table of exit codes, and how errors are told.

use std::io::Read;
use std::process::Stdio;

use crate::cli_support::{SESSION, TestEnvironment};

#[test]
fn usage_is_2_in_both_forms() {
    let environment = TestEnvironment::with_history();
    assert_eq!(environment.run(&["state"]).code, Some(2));
    let error = environment.run(&["state", "--json"]).error(2);
    assert_eq!(error["kind"], "usage");
    let error = environment.run(&["state", "PROJ-1", "--jsonl", "--bogus"]).error(2);
    assert!(error["message"].as_str().unwrap().contains("--bogus"), "{error}");
    environment.run(&["state", "PROJ-1", "--at", "yesterday maybe"]).message(2);
    environment.run(&["state", "PROJ-1", "--path", "no/slash"]).message(2);
    environment.run(&["query", "--category", "nonsense"]).message(2);
    environment.run(&["query", "--cursor", "nonsense"]).message(2);
    environment.run(&["query", "--limit", "5000"]).message(2);
    environment.run(&["--store", "nats://localhost", "state", "PROJ-1"]).message(2);
    environment.run(&["PROJ-1", "verify"]).message(2);
    environment.run(&["--config", "no/such.yaml", "config", "show"]).message(2);
    environment.run(&["tail", "-f", "--json"]).error(2);
}

#[test]
fn a_configuration_that_cannot_be_read_names_file_and_line() {
    let environment = TestEnvironment::new();
    let file = environment.work().join("event-sourcing.yaml");
    std::fs::write(&file, "event_sourcing:\n  query:\n    default_page_size: many\n").unwrap();
    let message = environment.run(&["config", "show"]).message(2);
    assert!(message.contains("event-sourcing.yaml:3: query.default_page_size"), "{message}");
    std::fs::write(&file, "event_sourcing: [\n").unwrap();
    environment.run(&["config", "show"]).message(2);
}

#[test]
fn what_is_not_there_is_3() {
    let environment = TestEnvironment::with_history();
    for args in [
        &["state", "NOPE-1"][..],
        &["state", "PROJ-1", "--at", "999"],
        &["state", "PROJ-1", "--at", "@nomark"],
        &["state", "PROJ-1", "--at", "AgentFailed:7"],
        &["state", "PROJ-1", "--path", "/agents/nobody"],
        &["why", "PROJ-1", "/agents/nobody"],
        &["query", "--issue", "NOPE-1"],
        &["tail", "NOPE-1"],
        &["verify", "NOPE-1"],
        &["schema", "show", "Nope"],
        &["schema", "check", "no-such-file"],
        &["--store", "no/such/store", "state", "PROJ-1"],
        &["import", "--from", "nope", "x"],
        &["import", "--from", "fleet", "no-such-file"],
        &["NOPE-1"],
    ] {
        let ran = environment.run(args);
        assert_eq!(ran.code, Some(3), "{args:?}: {ran:#?}");
        assert_eq!(ran.stdout, "", "{args:?}");
    }
    let message = environment.run(&["stat"]).message(3);
    assert!(message.contains("no command stat"), "{message}");
}

#[test]
fn a_file_in_place_of_an_issue_is_told_how_to_come_in() {
    let environment = TestEnvironment::with_history();
    let file = environment.work().join("session.jsonl");
    std::fs::write(&file, "{}\n").unwrap();
    let message = environment.run(&["state", file.to_str().unwrap()]).message(3);
    assert!(message.contains("chronoscope import"), "{message}");
    let message = environment.run(&["state", "NOPE-1"]).message(3);
    assert!(!message.contains("import"), "{message}");
}

#[test]
fn an_empty_result_is_0() {
    let environment = TestEnvironment::with_history();
    assert_eq!(environment.run(&["query", "--type", "PRCreated"]).ok(), "");
    let found = environment.run(&["query", "--type", "PRCreated", "--json"]).json();
    assert_eq!(found["events"], serde_json::json!([]));
}

#[test]
fn damage_is_6() {
    let environment = TestEnvironment::with_history();
    environment.run(&["verify"]).ok();
    let log = std::fs::read_to_string(environment.log()).unwrap();
    std::fs::write(
        environment.log(),
        log.replacen("{\"event_id\":\"00000003", "{event_id\":\"00000003", 1),
    )
    .unwrap();
    let ran = environment.run(&["verify", "--json"]);
    assert_eq!(ran.code, Some(6), "{ran:#?}");
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["ok"], false);
    let finding = &report["findings"][0];
    assert_eq!(
        (&finding["line"], &finding["issue_key"]),
        (&3.into(), &"PROJ-1".into()),
        "{report}"
    );
    environment.run(&["verify"]).message(6);
    // What is not damaged is shown all the same, and the damage with it.
    let state = environment.run(&["state", "PROJ-1", "--json"]).json();
    assert_eq!(state["head"], 12);
    assert!(state["anomalies"].as_array().unwrap().iter().any(|a| a["kind"] == "not-json"));
}

#[test]
fn an_append_behind_a_damaged_line_is_refused() {
    let environment = TestEnvironment::with_history();
    let log = std::fs::read_to_string(environment.log()).unwrap();
    std::fs::write(environment.log(), format!("{log}garbage\n")).unwrap();
    let ran = environment.append_phase("PROJ-1", "TEST", &[]);
    assert_eq!(ran.code, Some(6), "{ran:#?}");
}

#[test]
fn a_locked_store_is_7_within_the_time_given() {
    let environment = TestEnvironment::with_history();
    let locks = environment.store().join(".chronoscope/locks");
    let held: Vec<std::fs::File> = std::fs::read_dir(locks)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let file = std::fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
            file.lock().unwrap();
            file
        })
        .collect();
    assert!(!held.is_empty());
    let args = ["--lock-timeout", "50ms", "--json"];
    let error = environment.append_phase("PROJ-1", "TEST", &args).error(7);
    assert_eq!(error["kind"], "unavailable");
    drop(held);
    environment.append_phase("PROJ-1", "TEST", &args).ok();
}

#[cfg(unix)]
#[test]
fn a_store_that_cannot_be_written_is_7() {
    use std::os::unix::fs::PermissionsExt;
    let environment = TestEnvironment::new();
    // A file where the folder should be stops root as well.
    std::fs::write(environment.store(), "not a folder").unwrap();
    let ran = environment.append_phase("PROJ-1", "TEST", &[]);
    assert_eq!(ran.code, Some(7), "{ran:#?}");
    std::fs::remove_file(environment.store()).unwrap();
    std::fs::create_dir(environment.store()).unwrap();
    let read_only = std::fs::Permissions::from_mode(0o555);
    std::fs::set_permissions(environment.store(), read_only).unwrap();
    if std::fs::write(environment.store().join("probe"), "").is_ok() {
        return; // Whoever runs the tests may write anywhere.
    }
    let ran = environment.append_phase("PROJ-1", "TEST", &[]);
    assert_eq!(ran.code, Some(7), "{ran:#?}");
}

#[test]
fn a_closed_pipe_is_no_error() {
    let environment = TestEnvironment::with_history();
    for args in [&["query", "--jsonl"][..], &["man"], &["schema", "list"], &["tail", "-n", "999"]] {
        let mut command = environment.command(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{args:?}");
        assert_eq!(told, "", "{args:?}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_is_130() {
    use std::io::{BufRead, BufReader};
    let environment = TestEnvironment::with_history();
    let mut command = environment.command(&["tail", "-f", "--jsonl", "-n", "1"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("AgentCompleted"), "{line}");
    let id = child.id().to_string();
    let sent = std::process::Command::new("kill").args(["-INT", &id]).status().unwrap();
    assert!(sent.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn help_and_version_are_0_and_go_to_stdout() {
    let environment = TestEnvironment::new();
    assert_eq!(
        environment.run(&["--version"]).ok(),
        concat!("chronoscope ", env!("CARGO_PKG_VERSION"), "\n")
    );
    let help = environment.run(&["--help"]).ok();
    for command in ["append", "state", "timeline", "diff", "query", "why", "tail", "import"] {
        assert!(help.contains(&format!("\n  {command}")), "{command}: {help}");
        let own = environment.run(&[command, "--help"]).ok();
        assert!(own.contains("Example"), "{own}");
    }
}

#[test]
fn nothing_that_steers_a_terminal_reaches_stdout() {
    let environment = TestEnvironment::with_history();
    for args in [
        &["PROJ-1"][..],
        &["state", "PROJ-1"],
        &["state", "PROJ-1", "--path", "/agents"],
        &["timeline", "PROJ-1"],
        &["timeline", "PROJ-1", "--json"],
        &["diff", "PROJ-1", "5", "6"],
        &["why", "PROJ-1", "/agents/api-integ/status"],
        &["query"],
        &["query", "--json"],
        &["tail"],
    ] {
        let at = if matches!(args[0], "state" | "PROJ-1") { &["--at", "7"][..] } else { &[] };
        let args = [args, at].concat();
        let text = environment.run(&args).ok();
        assert!(!text.contains('\u{1b}'), "{args:?}: {text}");
        assert!(text.contains("red"), "{args:?}: {text}");
    }
    let error = environment.run(&["state", "\u{1b}[31mX"]);
    assert!(!error.stderr.contains('\u{1b}'), "{error:?}");
}

#[test]
fn colour_is_for_those_who_ask() {
    let environment = TestEnvironment::with_history();
    let coloured = |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = environment.command(args);
        command.envs(variables.iter().copied());
        let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
        text.contains("\u{1b}[")
    };
    assert!(!coloured(&["timeline", "PROJ-1"], &[]));
    assert!(coloured(&["timeline", "PROJ-1", "--color", "always"], &[("NO_COLOR", "1")]));
    assert!(coloured(&["timeline", "PROJ-1"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&["timeline", "PROJ-1"], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!coloured(&["timeline", "PROJ-1", "--json", "--color", "always"], &[]));
}

#[test]
fn a_setting_that_is_odd_is_said_on_stderr_and_changes_nothing() {
    let environment = TestEnvironment::with_history();
    std::fs::write(
        environment.work().join("event-sourcing.yaml"),
        "event_sourcing:\n  performance: {async_writes: true}\n  wings: 2\n",
    )
    .unwrap();
    let ran = environment.run(&["query", "--count"]);
    assert_eq!(ran.stdout, "12\n");
    assert!(ran.stderr.contains("there is no setting `wings`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("async_writes: true is not obeyed"), "{}", ran.stderr);
    assert_eq!(environment.append_phase("PROJ-1", "TEST", &["--quiet"]).stderr, "");
}

#[test]
fn what_never_was_in_a_thing_that_came_as_a_whole_has_no_writer() {
    let environment = TestEnvironment::new();
    let line = |kind: &str, input: &str| {
        format!(
            r#"{{"event_type":"{kind}","issue_key":"PROJ-1","session_id":"{SESSION}","actor":{{"type":"agent","id":"x"}},"metadata":{{"tool_use_id":"a","tool_name":"Glob"{input}}}}}"#
        ) + "\n"
    };
    let call = line("ToolInvoked", r#","input":{"pattern":"x"}"#);
    environment.append_text(&(call + &line("ToolCompleted", ""))).ok();
    let of = |member: &str| {
        environment.run(&["why", "PROJ-1", &format!("/tools/Glob/open/a/input/{member}")])
    };
    let message = of("nothing").message(3);
    assert!(message.contains("nothing wrote /tools/Glob/open/a/input/nothing"), "{message}");
    let text = of("pattern").ok();
    assert!(text.contains("#2  ") && text.contains("#1  "), "{text}");
}
