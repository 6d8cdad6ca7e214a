//! `replay`: flags that would have no effect, and what no flag takes, are refused before anything.

#![cfg(unix)]

use crate::cli_support::{SESSION, TestEnvironment};

#[test]
fn a_flag_that_would_have_no_effect_is_refused() {
    let environment = TestEnvironment::with_replayable();
    let tool = environment.noting("tool", "");
    for (args, said) in [
        (&["--replay", "R-1", "--on-unknown", "banana"][..], "banana"),
        (&["--replay", "--resume", "r", "--on-unknown", "banana"], "banana"),
        (&["--replay", "R-1", "--on-unknown", "skip"], "--on-unknown has no effect"),
        (&["--replay", "R-1", "--on-unknown", "fail", "--into", "x"], "--on-unknown has no effect"),
        (&["--replay", "--all"], "nothing says where to"),
        (&["--replay", "--all", "--handler", &tool], "nothing says where to"),
        (&["--replay", "--all", "--resume", "abc"], "--all does not go with --resume"),
        (&["--replay", "--resume", "r", "--retry-delay", "1s"], "--retry-delay does not go with"),
        (&["--replay", "--resume", "r", "--timeout", "1s"], "--timeout does not go with --resume"),
        (&["--replay", "--resume", "r", "--type", "X"], "a filter does not go with --resume"),
        (
            &[
                "--replay",
                "R-1",
                "--handler",
                &tool,
                "--handler",
                "test=sh",
                "--handler",
                " tool=sh",
            ],
            "more than one --handler for tool",
        ),
        (&["--replay", "R-1", "--into", "x", "--jobs", "2"], "--jobs does not go with --into"),
        (&["--replay", "R-1", "--into", "x", "--timeout", "1s"], "--timeout does not go"),
        (&["--replay", "--all", "--into", "x", "--attempts", "1"], "--attempts does not go"),
        (&["--replay", "R-1", "--into", "x", "--retry-delay", "1s"], "--retry-delay does not go"),
    ] {
        let error = environment.run(&[args, &["--json"]].concat()).error(2);
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(said), "{args:?}: {message}");
        // (What a flag takes is told in the message, where the list of flags is at home.)
        assert!(error["hint"].is_string() || message.contains("skip"), "{args:?}: {error}");
    }
    assert!(environment.journals().is_empty() && !environment.work().join("x").exists());
}

#[test]
fn a_dry_run_refuses_what_its_execution_would() {
    let environment = TestEnvironment::with_replayable();
    for args in [
        ["--timeout", "banana"],
        ["--timeout", "0"],
        ["--timeout", "0s"],
        ["--retry-delay", "banana"],
        ["--attempts", "0"],
    ] {
        assert_eq!(environment.replay(&args).error(2)["kind"], "usage", "{args:?}");
    }
    environment.replay(&["--timeout", "1s", "--retry-delay", "0s", "--jobs", "2"]).ok();
    let secret = "tool=sh --password hunter2supersecret";
    let error = environment.replay(&["--handler", secret]).error(2);
    assert!(error["message"].as_str().unwrap().contains("hold a secret"), "{error}");
    std::fs::write(environment.work().join("file"), "x").unwrap();
    let error = environment.replay(&["--into", "file"]).error(2);
    assert!(error["message"].as_str().unwrap().contains("is no folder"), "{error}");
}

/// A report takes the place of what its file held.
#[test]
fn no_report_takes_the_place_of_what_was_recorded() {
    let environment = TestEnvironment::with_replayable();
    environment.run(&["replay", "R-1", "--into", "../copy", "--execute"]).ok();
    let log = |store: &str| environment.path().join(store).join("2026-11-20/R-1/events.jsonl");
    let before = std::fs::read_to_string(log("events")).unwrap();
    for file in ["../events/2026-11-20/R-1/events.jsonl", "../events/new.json", "-"] {
        let error = environment.replay(&["--report", file]).error(2);
        assert!(error["message"].as_str().unwrap().contains("--report names a file"), "{error}");
    }
    let file = log("copy").display().to_string();
    environment.replay(&["--into", "../copy", "--report", &file]).error(2);
    for store in ["events", "copy"] {
        assert!(std::fs::read_to_string(log(store)).unwrap() == before, "{store}");
    }
    assert!(!environment.path().join("events/new.json").exists());
    // Another store, and a link to what is not there yet.
    std::os::unix::fs::symlink("../events/link.json", environment.work().join("link")).unwrap();
    environment.replay(&["--report", "link"]).error(2);
    environment.replay(&["--report", &file]).error(2);
    assert!(std::fs::read_to_string(log("copy")).unwrap() == before);
    std::fs::create_dir_all(environment.path().join("events/reports")).unwrap();
    environment.replay(&["--report", "../events/reports/replay.json"]).ok();
    assert!(environment.path().join("events/reports/replay.json").is_file());
}

/// A real copy in this rhythm would take two minutes.
#[test]
fn a_dry_run_never_waits() {
    let environment = TestEnvironment::with_replayable();
    let started = std::time::Instant::now();
    let told = environment.replay(&["--into", "../copy", "--speed", "0.1"]).json();
    assert_eq!((&told["dry_run"], &told["replayed_count"]), (&true.into(), &12.into()));
    assert!(started.elapsed() < std::time::Duration::from_secs(60));
}

/// A range that ends before it begins is refused, by how little ever; that nothing is left, or that
/// nothing was recorded between two times, is no mistake.
#[test]
fn a_range_that_is_reversed_by_one_is_refused_too() {
    let environment = TestEnvironment::with_replayable();
    let (ten, late) = ("2026-11-20T10:00:10.400Z", "2026-11-20T10:00:10.600Z");
    for reversed in [
        &["--from", "10", "--to", "8"][..],
        &["--from", "10", "--to", "9"],
        &["--from", "TestRunStarted", "--to", "CheckpointCreated"],
        &["--from-checkpoint", "cp-1", "--to", "10"],
        &["--from", late, "--to", ten],
        &["--from", "11", "--to", ten],
        &["--from", "start", "--to", "start"],
    ] {
        let error = environment.replay(reversed).error(2);
        assert!(error["message"].as_str().unwrap().contains("before it begins"), "{error}");
        let into = [&["replay", "R-1", "--json", "--into", "../copy"], reversed].concat();
        assert_eq!(environment.run(&into).error(2), error, "{reversed:?}");
    }
    let args = ["append", "--no-git", "--issue", "R-1", "--type", "CheckpointCreated"];
    let who = ["--session", SESSION, "--actor", "system:o"];
    let what = ["--meta", "checkpoint_id=cp-2", "--meta", "checkpoint_phase=CODE"];
    environment.run(&[&args[..], &who, &what].concat()).ok();
    for nothing in [
        &["--from", ten, "--to", late][..],
        &["--to", "2026-11-19"],
        &["--to", "start"],
        &["--from-checkpoint", "cp-2"],
        &["--from", "2036-01-01"],
    ] {
        let told = environment.replay(nothing).json();
        assert_eq!(told["results"].as_array().map(Vec::len), Some(0), "{nothing:?}");
    }
}
