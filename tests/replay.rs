//! `replay`: plans, policies, handlers, order, verification.

#![cfg(unix)]

use serde_json::Value;

use crate::cli_support::TestEnvironment;
use crate::replay_support::{assert_gone, id, report, statuses};

const TOOL: &[&str] = &["--type", "ToolInvoked", "--type", "ToolCompleted"];

#[test]
fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let environment = TestEnvironment::with_replayable();
    let tool = environment.noting("tool", "");
    let before = environment.run(&["tail", "R-1", "--jsonl"]).ok();
    let told = environment.replay(&["--handler", &tool]).json();
    let keys: Vec<&str> = told.as_object().unwrap().keys().map(String::as_str).collect();
    let wanted =
        ["replay_id", "dry_run", "replayed_count", "skipped_count", "failed_count", "success_rate"];
    assert!(wanted.iter().chain(&["results", "final_state"]).all(|key| keys.contains(key)));
    assert_eq!(keys.len(), 8, "{keys:?}");
    assert_eq!(told["dry_run"], true);
    assert_eq!(told["results"].as_array().unwrap().len(), 12);
    assert_eq!(told["results"][4]["event_id"], id(5).as_str());
    assert_eq!(told["results"][4]["status"], "would-execute");
    assert!(told["results"][4]["reason"].as_str().unwrap().ends_with("tool.sh"));
    assert_eq!(told["results"][8]["status"], "skipped");
    assert_eq!(told["results"][10]["reason"], "it has no handler");
    let counts = ["replayed_count", "skipped_count", "failed_count"].map(|key| &told[key]);
    assert_eq!(counts, [&Value::from(11), &1.into(), &0.into()]);
    let recorded = environment.run(&["state", "R-1", "--json"]).json()["digest"].clone();
    assert_eq!(told["final_state"]["digest"], recorded);
    assert_eq!(told["final_state"]["matches"], true);
    assert!(environment.ran().is_empty() && environment.journals().is_empty());
    assert_eq!(environment.run(&["tail", "R-1", "--jsonl"]).ok(), before);
    let text = environment.run(&["replay", "R-1"]).ok();
    assert!(text.contains("#9  skipped  CommentPosted") && text.contains("11 taken"), "{text}");
}

#[test]
fn what_was_executed_and_what_it_came_to_is_told_and_logged() {
    let environment = TestEnvironment::with_replayable();
    let tool = environment.handler(
        "tool",
        "echo $CHRONOSCOPE_POSITION >> ran; read line; echo \"got ${#line} bytes\"; echo oops >&2",
    );
    let told = environment.replay(&["--handler", &tool, "--execute", "--report", "r.json"]).json();
    assert_eq!(environment.ran(), ["5", "6", "7", "8"]);
    let result = &told["results"][4]["result"];
    assert_eq!((&result["exit_code"], &result["attempts"]), (&0.into(), &1.into()));
    assert_eq!(result["stderr"], "oops\n");
    assert!(result["stdout"].as_str().unwrap().starts_with("got "));
    let marks = environment.run(&["query", "--category", "replay", "--json"]).json();
    let marks = marks["events"].as_array().unwrap();
    let types: Vec<&Value> = marks.iter().map(|mark| &mark["event_type"]).collect();
    assert_eq!(types, ["ReplayStarted", "ReplayCompleted"]);
    assert_eq!(marks[0]["metadata"]["replay_id"], told["replay_id"]);
    assert_eq!(marks[1]["metadata"]["replayed_count"], 11);
    assert_eq!(marks[1]["causation_id"], marks[0]["event_id"]);
    let file = std::fs::read_to_string(environment.work().join("r.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&file).unwrap(), told);
    // Its end is known: to go on tells it again, and does nothing.
    let id = told["replay_id"].as_str().unwrap();
    let again = environment.run(&["replay", "--resume", id, "--json"]).json();
    assert_eq!(again, told);
    assert_eq!(environment.ran().len(), 4);
    assert_eq!(environment.run(&["query", "--category", "replay", "--count"]).ok(), "2\n");
    environment.run(&["verify"]).ok();
}

#[test]
fn a_handler_knows_its_event_and_little_else() {
    let environment = TestEnvironment::with_replayable();
    let test = environment.handler("TestRunStarted", "env | cut -d= -f1 | sort; cat");
    let mut command = environment.command(&["replay", "R-1", "--json", "--execute", "--handler"]);
    command.arg(&test).env("SECRET", "x").env("LANG", "C").env("PATH", "/usr/bin:/bin");
    let ran = environment.feed(command, "");
    let told = report(&ran);
    let output = told["results"][10]["result"]["stdout"].as_str().unwrap();
    let (names, line) = output.split_once('{').unwrap();
    let own = ["ATTEMPT", "CAUSATION", "EVENT_ID", "EVENT_TYPE", "ISSUE", "POSITION", "REPLAY_ID"];
    let mut wanted: Vec<String> = own.map(|name| format!("CHRONOSCOPE_{name}")).to_vec();
    wanted.extend(["SESSION", "STORE"].map(|name| format!("CHRONOSCOPE_{name}")));
    // (A shell makes PWD, SHLVL and _ itself.)
    wanted.extend(["HOME", "LANG", "PATH"].map(str::to_owned));
    let by_shell = ["OLDPWD", "PWD", "SHLVL", "_"];
    let names: Vec<&str> = names.lines().filter(|name| !by_shell.contains(name)).collect();
    assert_eq!(names, wanted);
    let event: Value = serde_json::from_str(&format!("{{{line}")).unwrap();
    assert_eq!((&event["event_id"], &event["event_sequence"]), (&id(11).into(), &11.into()));
}

#[test]
fn what_acts_upon_the_outside_is_never_executed_unless_the_settings_say_so() {
    let environment = TestEnvironment::with_replayable();
    let comment = environment.noting("CommentPosted", "");
    let jira = environment.noting("jira", "");
    let flags = ["--handler", &comment, "--handler", &jira, "--type", "CommentPosted"];
    let all: Vec<&str> = flags.into_iter().chain(["--execute"]).collect();
    let told = environment.replay(&all).json();
    assert_eq!(statuses(&told), ["skipped"]);
    let reason = told["results"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("replay.non_replayable_events"), "{reason}");
    let file = environment.work().join("event-sourcing.yaml");
    let set = |text: &str| {
        std::fs::write(&file, format!("event_sourcing: {{replay: {{{text}}}}}")).unwrap();
    };
    for (list, ran) in [("skip_non_idempotent: false", 0), ("non_replayable_events: []", 1)] {
        set(list);
        environment.replay(&all).ok();
        assert_eq!(environment.ran().len(), ran, "{list}");
    }
    // The list holds for what would otherwise be executed as well, and records have no handler.
    set("non_replayable_events: [ToolInvoked]");
    let tool = environment.noting("tool", "");
    let phase = environment.noting("PhaseStarted", "");
    let told = environment.replay(&["--handler", &tool, "--handler", &phase, "--execute"]).json();
    assert_eq!(statuses(&told)[1], "replayed");
    assert_eq!(statuses(&told)[4..8], ["skipped", "skipped", "executed", "executed"]);
    set("enabled: false");
    assert!(environment.replay(&[]).error(2)["hint"].as_str().unwrap().contains("replay.enabled"));
    set("max_replay_events: 3");
    let error = environment.replay(&[]).error(2);
    assert!(error["message"].as_str().unwrap().contains("than one replay may take, 3"));
    environment.replay(&["--type", "ToolInvoked"]).ok();
    set("handlers: {ToolInvoked: [sh, -c, 'echo $0 >> ran', 'a b']}, emit_replay_markers: false");
    environment.replay(&["--execute"]).ok();
    assert_eq!(environment.ran()[3..], ["a b", "a b"]);
}

#[test]
fn a_program_of_the_settings_is_sought_beside_them_and_runs_where_the_user_is() {
    use std::os::unix::fs::PermissionsExt;
    let environment = TestEnvironment::with_replayable();
    for folder in ["config", "bin", "below"] {
        std::fs::create_dir(environment.work().join(folder)).unwrap();
    }
    let program = environment.work().join("bin/again");
    std::fs::write(&program, "#!/bin/sh\npwd\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    let settings = "event_sourcing: {replay: {handlers: {TestRunStarted: bin/again}}}";
    let file = environment.work().join("config/event-sourcing.yaml");
    std::fs::write(file, settings).unwrap();
    let below = environment.work().join("below");
    let mut command = environment.command(&["replay", "R-1", "--json", "--execute"]);
    command.env("PATH", "/usr/bin:/bin").current_dir(&below);
    let told = environment.feed(command, "").json();
    let output = told["results"][10]["result"]["stdout"].as_str().unwrap();
    assert_eq!(output.trim_end(), below.canonicalize().unwrap().to_str().unwrap());
}

#[test]
fn a_range_and_filters_choose_what_is_replayed() {
    let environment = TestEnvironment::with_replayable();
    let results = |args: &[&str]| {
        let told = environment.replay(args).json();
        assert_eq!(told["final_state"]["matches"], true, "{args:?}");
        told["results"].as_array().unwrap().len()
    };
    assert_eq!(results(&["--from", "5", "--to", "8"]), 4);
    assert_eq!(results(&["--from-checkpoint", "cp-1"]), 2);
    assert_eq!(results(TOOL), 4);
    assert_eq!(results(&["--agent", "ben", "--from", "5"]), 2);
    assert_eq!(results(&["--where", ".metadata.tool_name == \"Bash\""]), 2);
    assert_eq!(results(&["--where", "$state.agents.ben.status == \"running\""]), 1);
    assert_eq!(results(&["--type", "!ToolInvoked", "--to", "PhaseStarted"]), 2);
    assert_eq!(results(&["--to", "start"]), 0);
    environment.replay(&["--from-checkpoint", "cp-9"]).error(3);
    environment.replay(&["--from", "9", "--to", "3"]).error(2);
    environment.replay(&["--to", "99"]).error(3);
}

#[test]
fn exit_codes_mean_what_they_say_and_a_failed_cause_stops_its_effects() {
    let environment = TestEnvironment::with_replayable();
    // ann's call fails, ben's has nothing to do, the test wants to be tried again, once.
    let tool = environment.noting(
        "tool",
        "[ $CHRONOSCOPE_POSITION != 5 ] || exit 3; [ $CHRONOSCOPE_POSITION != 6 ] || exit 77",
    );
    let test = environment.noting("test", "[ $CHRONOSCOPE_ATTEMPT = 2 ] || exit 75");
    let flags = ["--handler", &tool, "--handler", &test, "--execute", "--retry-delay", "0s"];
    let ran = environment.replay(&[&flags[..], &["--verify-steps"]].concat());
    assert_eq!(ran.code, Some(8), "{ran:#?}");
    let told = report(&ran);
    let statuses = statuses(&told);
    assert_eq!(statuses[4..8], ["failed", "skipped", "failed", "executed"]);
    assert_eq!(statuses[10..], ["executed", "executed"]);
    assert_eq!(environment.ran(), ["5.1", "6.1", "8.1", "11.1", "11.2", "12.1", "12.2"]);
    assert_eq!(told["results"][4]["reason"], "its handler failed with exit 3");
    assert_eq!(told["results"][6]["reason"], "its cause #5 failed");
    assert_eq!(told["failed_count"], 2);
    assert_eq!(told["success_rate"], 0.8);
    let difference = &told["final_state"]["first_difference"];
    assert_eq!(told["final_state"]["matches"], false);
    assert_eq!(difference["position"], 5);
    assert!(difference["path"].as_str().unwrap().starts_with("/"), "{difference}");
    assert!(difference.get("recorded").is_some() && difference.get("replayed").is_none());
}

#[test]
fn no_program_runs_whose_precondition_does_not_hold() {
    let environment = TestEnvironment::with_replayable();
    // Nobody started this suite, and the log says so.
    let args = ["append", "--no-git", "--type", "TestRunFailed", "--issue", "R-1", "--session"];
    let meta = ["--meta", "test_suite=e2e", "--meta", "failure_reason=none"];
    let who = [crate::cli_support::SESSION, "--actor", "system:o"];
    environment.run(&[&args[..], &who, &meta].concat()).ok();
    let told = environment.replay(&[]).json();
    let reason = told["results"][12]["reason"].as_str().unwrap();
    assert!(reason.starts_with("recorded against its precondition: test suite e2e"), "{reason}");
    let test = environment.noting("test", "");
    let ran = environment.replay(&["--handler", &test, "--execute"]);
    let told = report(&ran);
    // The record is what is odd, not the replay: it stands, and is named.
    assert_eq!((ran.code, statuses(&told)[12]), (Some(0), "skipped"));
    assert_eq!(told["results"][12]["reason"], reason);
    assert_eq!(told["final_state"]["matches"], true);
    assert_eq!(environment.ran(), ["11.1", "12.1"]);
    // Had it held in the record, and does not now, it fails.
    let test = environment.handler("TestRunStarted", "exit 1");
    let other = environment.noting("TestRunCompleted", "");
    let ran = environment.replay(&["--handler", &test, "--handler", &other, "--execute"]);
    assert_eq!((ran.code, statuses(&report(&ran))[11]), (Some(8), "failed"));
    assert_eq!(environment.ran(), ["11.1", "12.1"]);
}

#[test]
fn secrets_of_a_handler_are_written_nowhere() {
    let environment = TestEnvironment::with_replayable();
    let secret = ["ghp", "_16C7e42F292c6912E7710c838347Ae178B4a"].concat();
    let tool = environment
        .handler("ToolInvoked", &format!("echo token={secret}; echo {secret} >&2; exit 1"));
    let ran = environment.replay(&["--handler", &tool, "--execute", "--report", "r.json"]);
    let journal = std::fs::read_to_string(&environment.journals()[0]).unwrap();
    let file = std::fs::read_to_string(environment.work().join("r.json")).unwrap();
    for text in [&ran.stdout, &ran.stderr, &journal, &file] {
        assert!(!text.contains(&secret), "{text}");
    }
    assert!(journal.contains("redacted"), "{journal}");
}

#[test]
fn hostile_handlers_are_contained() {
    let environment = TestEnvironment::with_replayable();
    let run = |script: &str, timeout: &str| {
        let tool = environment.handler("TestRunStarted", script);
        let flags = ["--handler", &tool, "--execute", "--type", "TestRunStarted"];
        let ran = environment.replay(&[&flags[..], &["--timeout", timeout]].concat());
        let told = report(&ran);
        (told["results"][0].clone(), ran.code)
    };
    // It hangs, and so does what it started.
    let (told, code) = run("sleep 1000 & echo $! > child; echo begun; wait", "300ms");
    assert_eq!((&told["status"], code), (&"failed".into(), Some(8)));
    assert_eq!(told["reason"], "its handler was ended after 300ms, its time");
    assert_eq!(told["result"]["stdout"], "begun\n");
    assert_gone(&environment);
    // It ends, and leaves a child behind that holds its pipes open.
    let (told, code) = run("sleep 1000 & echo $! > child; echo done", "60s");
    assert_eq!((&told["status"], code), (&"executed".into(), Some(0)), "{told}");
    assert_gone(&environment);
    for left in LEFT_BEHIND {
        let leave = format!("{left} & until [ -s child ]; do sleep 0.01; done; echo done");
        let (told, code) = run(&format!("rm child; {leave}"), "60s");
        assert_eq!((&told["status"], code), (&"executed".into(), Some(0)), "{left}: {told}");
        assert_gone(&environment);
    }
    // It floods.
    let (told, _) = run("yes 0123456789 | head -c 30000000; echo the end", "60s");
    let output = told["result"]["stdout"].as_str().unwrap();
    assert!(output.len() < 20_000 && output.ends_with("the end\n"), "{}", output.len());
    assert!(output.contains("bytes left out]"));
    // It is ended by a signal; it reads nothing; it writes what no terminal should see.
    let (told, _) = run("kill -9 $$", "60s");
    assert_eq!(told["reason"], "its handler ended by signal 9");
    let (told, _) = run("exec 0<&-; printf '\\033[31m\\377'", "60s");
    assert_eq!(told["status"], "executed");
    assert_eq!(told["result"]["stdout"], "\u{1b}[31m\u{fffd}");
}

/// Some supervisors start what they run so. (That a shell of POSIX can is left open by POSIX.)
#[cfg(unix)]
#[test]
fn who_started_it_may_ignore_the_ends_of_programs() {
    let environment = TestEnvironment::with_replayable();
    let test = environment.handler("test", "exit 0");
    let flags = ["--handler", &test, "--execute"];
    let told = environment.replay_behind("trap '' CHLD", &flags).json();
    assert_eq!(statuses(&told)[10..], ["executed"; 2]);
}

/// What left its group and ended by itself would stay for as long as its adoptive parent does.
#[cfg(target_os = "linux")]
#[test]
fn what_a_handler_left_and_what_ended_then_is_buried() {
    let environment = TestEnvironment::with_replayable();
    let leave = "(setsid sh -c 'echo $$ > left' &)
        until [ -s left ] && read -r pid < left && read -r stat < /proc/$pid/stat
        do case $stat in *') Z '*) break;; esac; done";
    let look = "for stat in /proc/[0-9]*/stat; do read -r line < $stat || continue
        case $line in *\") Z $PPID \"*) echo \"$line\";; esac; done";
    let script = format!("if [ $CHRONOSCOPE_POSITION = 11 ]; then {leave}; else {look}; fi");
    let test = environment.handler("test", &script);
    let flags = ["--handler", &test, "--execute", "--timeout", "60s"];
    let told = environment.replay(&flags).json();
    assert_eq!(statuses(&told)[10..], ["executed"; 2]);
    assert_eq!(told["results"][11]["result"]["stdout"], "");
}

#[test]
fn what_stands_in_the_log_twice_is_executed_once() {
    let environment = TestEnvironment::with_replayable();
    let log = environment.log().parent().unwrap().with_file_name("R-1").join("events.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    let last = text.lines().last().unwrap();
    std::fs::write(&log, format!("{text}{last}\n{last}\n")).unwrap();
    let test = environment.noting("test", "");
    let told = environment.replay(&["--handler", &test, "--execute"]).json();
    assert_eq!(environment.ran(), ["11.1", "12.1"]);
    assert_eq!(statuses(&told)[11..], ["executed", "skipped", "skipped"]);
    let reason = told["results"][13]["reason"].as_str().unwrap();
    assert!(reason.contains("duplicate-id"), "{reason}");
}

/// As others write it: no folder beside the days, and a session that no event of ours can have.
#[test]
fn a_log_that_is_nothing_but_a_log_is_executed() {
    let environment = TestEnvironment::new();
    let folder = environment.store().join("2026-11-20/R-1");
    std::fs::create_dir_all(&folder).unwrap();
    let session = format!("\"{}\"", crate::cli_support::SESSION);
    let text = crate::replay_support::log("R-1").replace(&session, "\"a\\nb\"");
    std::fs::write(folder.join("events.jsonl"), text).unwrap();
    let test = environment.noting("test", "");
    environment.replay(&["--handler", &test, "--execute"]).json();
    assert_eq!(environment.ran(), ["11.1", "12.1"]);
    let marks = environment.run(&["query", "--category", "replay", "--json"]).json();
    let sessions: Vec<&Value> =
        marks["events"].as_array().unwrap().iter().map(|mark| &mark["session_id"]).collect();
    assert_eq!(sessions, ["replay"; 2]);
}

/// Sessions of their own, within one another, whose parents end.
#[cfg(target_os = "linux")]
const LEFT_BEHIND: &[&str] = &[
    "setsid sh -c 'echo $$ > child; exec sleep 1000'",
    "(setsid sh -c 'setsid sh -c \"echo \\$\\$ > child; exec sleep 1000\" & sleep 1000' &)",
    "setsid sh -c 'env -i /usr/bin/setsid sh -c \"echo \\$\\$ > child; exec sleep 1000\" & sleep 1000'",
];

/// What leaves its group is found on Linux only.
#[cfg(not(target_os = "linux"))]
const LEFT_BEHIND: &[&str] = &[];

#[test]
fn independent_events_run_together_and_causes_come_first() {
    let environment = TestEnvironment::with_replayable();
    // The two calls meet: neither ends before the other has begun.
    let meet = "f=meet-$CHRONOSCOPE_EVENT_TYPE; mkfifo $f 2>/dev/null
        if [ $((CHRONOSCOPE_POSITION % 2)) = 1 ]; then echo x > $f; else read x < $f; fi";
    let tool = environment.handler("tool", &format!("{meet}\necho $CHRONOSCOPE_POSITION >> ran"));
    let flags = ["--handler", &tool, "--execute", "--jobs", "3", "--timeout", "60s"];
    let told = environment.replay(&flags).json();
    assert_eq!(told["final_state"]["matches"], true);
    let ran = environment.ran();
    let at = |position: &str| ran.iter().position(|p| p == position).unwrap();
    assert!(at("5") < at("7") && at("6") < at("8"), "{ran:?}");
    assert_eq!(statuses(&told)[4..8], ["executed"; 4]);
    // One at a time they cannot meet.
    let flags = ["--handler", &tool, "--execute", "--jobs", "1", "--timeout", "200ms"];
    assert_eq!(environment.replay(&[&flags[..], TOOL].concat()).code, Some(8));
}

#[test]
fn what_the_flags_name_must_be_there() {
    let environment = TestEnvironment::with_replayable();
    let error = environment.replay(&["--handler", "tool=/no/such", "--execute"]).error(3);
    assert!(error["message"].as_str().unwrap().contains("/no/such"));
    for args in [
        &["--handler", "tool"][..],
        &["--speed", "0"],
        &["--speed", "-1"],
        &["--jobs", "0"],
        &["--handler", "tool=sh 'a"],
        &["--timeout", "soon", "--execute"],
    ] {
        assert_eq!(environment.replay(args).code, Some(2), "{args:?}");
    }
    environment.run(&["replay", "--json"]).error(2);
    environment.run(&["replay", "R-9", "--json"]).error(3);
    environment.run(&["replay", "--resume", "r", "--json"]).error(3);
    environment.run(&["replay", "--resume", "../r", "--json"]).error(3);
    let resume = ["replay", "--resume", "r", "--json", "--to", "3"];
    assert!(environment.run(&resume).error(2)["message"].as_str().unwrap().contains("--to"));
    let ran = environment.replay(&["--handler", "TestRunStartet=sh"]);
    assert!(ran.stderr.contains("has nothing to do"), "{ran:#?}");
    assert!(environment.journals().is_empty());
}

/// The story of the README, as it stands there.
#[test]
fn the_recovery_of_the_readme_leads_where_it_says() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let (_, rest) = readme.split_once("<!-- recovery: begin -->\n```sh\n").unwrap();
    let (story, _) = rest.split_once("```\n<!-- recovery: end -->").unwrap();
    let environment = TestEnvironment::new();
    environment.append_text(&failed_orchestration()).ok();
    let run_tests = root.join("tests/fixtures/replay/run-tests");
    std::fs::copy(run_tests, environment.work().join("run-tests")).unwrap();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_chronoscope"));
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    let mut command = std::process::Command::new("/bin/sh");
    command.args(["-euc", story]).env_clear().env("PATH", path).current_dir(environment.work());
    command.env("HOME", environment.path()).env("CHRONOSCOPE_STORE", environment.store());
    command.env("CHRONOSCOPE_SESSION", crate::cli_support::SESSION);
    command.env("CHRONOSCOPE_ACTOR", "user:ann");
    let ran = environment.feed(command, "");
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(ran.stdout.contains("would-execute  TestRunStarted"), "{ran:#?}");
    assert!(ran.stdout.contains("executed  TestRunStarted"), "{ran:#?}");
    assert!(ran.stdout.contains("skipped        CommentPosted"), "{ran:#?}");
    // Before it, the assertions of the end were false.
    let before =
        ["state", "PROJ-7", "--at", "9", "--assert", "$state.quality.tests.unit.failed == 0"];
    assert_eq!(environment.run(&before).code, Some(8));
    let causes = environment.run(&["query", "--actor", "run-tests", "--json"]).json();
    let events = causes["events"].as_array().unwrap();
    assert_eq!(events.len(), 4);
    assert!(events.iter().all(|event| event["causation_id"] == id(6).as_str()), "{causes}");
    let state = environment.run(&["state", "PROJ-7", "--json"]).json();
    assert_eq!(state["anomalies"], serde_json::json!([]));
    assert!(state["state"]["orchestration"]["failure"].is_null(), "{state}");
}

/// An orchestration that failed in TEST, behind a checkpoint.
fn failed_orchestration() -> String {
    let events = [
        (
            "OrchestrationStarted",
            r#"{"issue_summary":"s","issue_type":"Story","priority":"high","workflow_type":"w","initial_phase":"CODE"}"#,
        ),
        ("PhaseStarted", r#"{"phase":"CODE"}"#),
        ("PhaseCompleted", r#"{"phase":"CODE"}"#),
        ("CheckpointCreated", r#"{"checkpoint_id":"before-test","checkpoint_phase":"CODE"}"#),
        ("PhaseStarted", r#"{"phase":"TEST"}"#),
        ("TestRunStarted", r#"{"test_suite":"unit"}"#),
        ("TestRunCompleted", r#"{"test_suite":"unit","total_tests":3,"passed":1,"failed":2}"#),
        ("PhaseFailed", r#"{"phase":"TEST","failure_reason":"2 tests fail"}"#),
        ("CommentPosted", r#"{"comment_id":"c1"}"#),
        ("OrchestrationFailed", r#"{"failure_phase":"TEST","failure_reason":"2 tests fail"}"#),
    ];
    let line = |((kind, metadata), n): ((&str, &str), u64)| {
        let event_id = id(n);
        let session = crate::cli_support::SESSION;
        format!(
            r#"{{"event_id":"{event_id}","event_type":"{kind}","issue_key":"PROJ-7","session_id":"{session}","timestamp":"2026-11-20T10:00:{n:02}.000Z","actor":{{"type":"system","id":"o"}},"metadata":{metadata}}}"#
        ) + "\n"
    };
    events.into_iter().zip(1..).map(line).collect()
}
