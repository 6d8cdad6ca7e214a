//! Single appends of the real program that are killed, or fail, at each of their operations.
//!
//! With `CHRONOSCOPE_LONG_TESTS=1` each fault is tried at each operation; otherwise kills are, and
//! the kinds of errors take turns.

#![cfg(all(unix, debug_assertions))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::time::Duration;

use chronoscope::clock::Clock;
use chronoscope::model::Timestamp;
use chronoscope::schema::{Draft, Rules};
use chronoscope::store::local::LocalStore;
use chronoscope::store::{AppendOptions, Durability, EventStore};
use serde_json::Value;

use crate::cli_support::{NOW, Ran, SESSION, TestEnvironment};
use crate::disk_support::{Step, trace};
use crate::store_support::{
    append, assert_global_complete, assert_sound, is_long, lines, plain, sequences,
};

const KEY: &str = "P-1";

/// What is there before, and what the program is asked for.
struct Case {
    name: &'static str,
    before: Vec<String>,
    args: &'static [&'static str],
    events: Vec<String>,
    /// Whether each event is sent after the last was acknowledged, and a checkpoint is signed for
    /// each: otherwise it depends on the time when that is done.
    paced: bool,
}

fn event(n: u32, day: u32) -> String {
    format!(
        "{{\"event_id\":\"00000000-0000-4000-8000-{n:012}\",\"event_type\":\"PhaseStarted\",\
         \"timestamp\":\"2026-11-{day}T10:00:00.000Z\",\"issue_key\":\"{KEY}\",\
         \"session_id\":\"{SESSION}\",\"actor\":{{\"type\":\"system\",\"id\":\"o\"}},\
         \"metadata\":{{\"phase\":\"CODE\"}}}}"
    )
}

fn cases() -> Vec<Case> {
    const APPEND: &[&str] = &["append", "--no-git"];
    const STREAM: &[&str] = &["append", "--no-git", "--stream"];
    let some = || vec![event(1, 20), event(2, 20), event(3, 20)];
    let case = |name, before, events| Case { name, before, args: APPEND, events, paced: false };
    let batch = || vec![event(4, 20), event(5, 21), event(6, 21)];
    vec![
        case("first", vec![], vec![event(1, 20)]),
        case("next", some(), vec![event(4, 20)]),
        case("new day", some(), vec![event(4, 21)]),
        case("batch", some(), batch()),
        case("first batch", vec![], batch()),
        case("duplicate", some(), vec![event(2, 20)]),
        Case { args: &["snapshot", KEY], ..case("snapshot", some(), vec![]) },
        Case { args: STREAM, ..case("stream", some(), batch()) },
        Case {
            args: STREAM,
            paced: true,
            ..case("long-lived writer", some(), (4..8).map(|n| event(n, 20 + n / 7)).collect())
        },
        Case {
            args: &["append", "--no-git", "--durability", "os"],
            ..case("unsynced", some(), vec![event(4, 21)])
        },
    ]
}

fn store(environment: &TestEnvironment) -> LocalStore {
    LocalStore::at(environment.store(), Clock::Fixed(Timestamp::parse(NOW).unwrap()))
}

fn draft(event: &str) -> Draft {
    Draft::strict(event, &Rules::new(Timestamp::parse(NOW).unwrap())).unwrap()
}

/// Runs the program of a case with a fault, in a store of its own.
fn run(case: &Case, fault: &str) -> (TestEnvironment, Ran) {
    let environment = TestEnvironment::new();
    let store = store(&environment);
    let options = AppendOptions { durability: Durability::Os, ..AppendOptions::default() };
    for event in &case.before {
        append(&store, vec![draft(event)], &options).unwrap();
    }
    let mut command = environment.command(case.args);
    command.env("CHRONOSCOPE_FAULT", fault);
    let ran = if case.paced {
        command.env("CHRONOSCOPE_INTEGRITY_CHECKPOINT_EVERY", "1");
        environment.converse(command, case.events.iter().map(String::as_str), |_| {})
    } else {
        environment.feed(command, &(case.events.join("\n") + "\n"))
    };
    (environment, ran)
}

/// The operations of a case that nothing disturbs.
fn operations(case: &Case) -> Vec<Step> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace");
    let (environment, ran) = run(case, &format!("trace:{}", path.display()));
    ran.ok();
    check(case, &environment, "", "nothing");
    trace(&path).into_iter().filter(|step| step.number > 0).collect()
}

/// How often each event is there.
fn there(store: &LocalStore) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    if store.tail(KEY).is_err() {
        return found;
    }
    let all = lines(store, KEY);
    assert_eq!(sequences(&all), (1..=all.len() as u64).collect::<Vec<_>>());
    for line in all {
        let event: Value = serde_json::from_str(&line).unwrap();
        *found.entry(event["event_id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    found
}

/// Nothing acknowledged is lost, nothing is there in part, and the store goes on.
fn check(case: &Case, environment: &TestEnvironment, stdout: &str, fault: &str) {
    let what = format!("{}, {fault}", case.name);
    let store = store(environment);
    let found = there(&store);
    for line in stdout.lines() {
        let told: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{what}: {e}"));
        let id = told["event_id"].as_str().unwrap();
        assert_eq!(found.get(id), Some(&1), "{what}: {id} was acknowledged");
    }
    // All that was sent is tried again, and is there once.
    let failed = |e: chronoscope::error::Error| panic!("{what}: {}", e.message());
    for event in &case.events {
        append(&store, vec![draft(event)], &AppendOptions::default()).unwrap_or_else(failed);
    }
    // Whoever was killed may have made it durable, and not published it.
    assert_global_complete(&store, &[KEY]);
    append(&store, vec![plain(KEY, "next")], &AppendOptions::default()).unwrap_or_else(failed);
    let found = there(&store);
    for event in case.before.iter().chain(&case.events) {
        let times: usize =
            found.iter().filter(|(id, _)| event.contains(id.as_str())).map(|(_, n)| n).sum();
        assert_eq!(times, 1, "{what}: {event}");
    }
    store.publish_all(Duration::from_secs(9)).unwrap_or_else(|e| panic!("{what}: {}", e.message()));
    assert_global_complete(&store, &[KEY]);
    assert_sound(&store);
}

#[test]
fn a_kill_at_any_operation_loses_nothing() {
    let mut kills = 0;
    for case in cases() {
        for step in operations(&case).iter().filter(|step| step.changes()) {
            let half = (step.what() == "write").then(|| format!("half:{}", step.number));
            for fault in [format!("kill:{}", step.number)].into_iter().chain(half) {
                let (environment, ran) = run(&case, &fault);
                assert_eq!(ran.code, None, "{}, {fault}: {ran:#?}", case.name);
                check(&case, &environment, &ran.stdout, &fault);
                kills += 1;
            }
        }
    }
    assert!(kills > 100, "{kills}");
}

#[test]
fn an_error_at_any_operation_loses_nothing() {
    let (mut turn, mut failures) = (0, 0);
    for case in cases() {
        for step in operations(&case) {
            let n = step.number;
            let mut faults = vec![format!("error:{n}:EIO")];
            if !matches!(step.what(), "read" | "lock") {
                // No room, once and from here on; a file system that turned read-only.
                let lasting = ["ENOSPC", "EROFS"].map(|code| format!("error:{n}+:{code}"));
                faults.extend([format!("error:{n}:ENOSPC"), format!("error:{n}:EACCES")]);
                faults.extend(lasting);
            }
            if step.what() == "write" {
                faults.push(format!("short:{n}"));
            }
            if !is_long() {
                turn += 1;
                faults = vec![faults.swap_remove(turn % faults.len())];
            }
            for fault in faults {
                let (environment, ran) = run(&case, &fault);
                match ran.code {
                    // What does not matter to the events fails unseen.
                    Some(0) => {}
                    Some(7) => {
                        failures += 1;
                        assert!(ran.stderr.starts_with("error: "), "{fault}: {ran:#?}");
                        assert!(
                            case.paced || ran.stdout.is_empty(),
                            "{}, {fault}: {ran:#?}",
                            case.name
                        );
                    }
                    _ => panic!("{}, {fault} at {step:?}: {ran:#?}", case.name),
                }
                check(&case, &environment, &ran.stdout, &fault);
            }
        }
    }
    assert!(failures > 50, "{failures}");
}

#[test]
fn a_failed_sync_tells_which_events_are_in_doubt() {
    for case in cases().iter().filter(|case| case.name != "snapshot") {
        let steps = operations(case);
        let is_log = |step: &&Step| step.what() == "sync" && step.words[2] == "log";
        let Some(sync) = steps.iter().find(is_log) else { continue };
        let (environment, ran) = run(case, &format!("error:{}:EIO", sync.number));
        assert_eq!(ran.code, Some(7), "{}", case.name);
        if !case.args.contains(&"--stream") {
            assert!(ran.stderr.contains("is unknown: 00000000-"), "{ran:#?}");
            assert!(ran.stderr.contains("append them again with the same event ids"), "{ran:#?}");
        }
        check(case, &environment, &ran.stdout, "a failed sync");
    }
}

/// Whoever runs the tests may be allowed everything, so it is not modes that stand in the way.
#[test]
fn a_store_that_cannot_be_made_is_unavailable() {
    for blocked in ["events", "events/.chronoscope", "events/2026-11-20", "events/2026-11-20/P-1"] {
        let environment = TestEnvironment::new();
        let path = environment.path().join(blocked);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "a file").unwrap();
        let ran = environment.run_with(&["append", "--no-git"], &event(1, 20));
        let message = ran.message(7);
        assert!(message.contains(&path.display().to_string()), "{message}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a file");
        std::fs::remove_file(&path).unwrap();
        environment.run_with(&["append", "--no-git"], &event(1, 20)).ok();
        assert_eq!(there(&store(&environment)).len(), 1);
    }
}

#[test]
fn a_folder_that_may_not_be_written_is_unavailable() {
    use std::os::unix::fs::PermissionsExt;
    let environment = TestEnvironment::new();
    let root = environment.store();
    std::fs::create_dir(&root).unwrap();
    let mode = |bits| std::fs::set_permissions(&root, std::fs::Permissions::from_mode(bits));
    mode(0o500).unwrap();
    let allowed = std::fs::write(root.join("probe"), "").is_ok();
    let ran = environment.run_with(&["append", "--no-git"], &event(1, 20));
    mode(0o700).unwrap();
    // Modes mean nothing to the superuser: then there is nothing to see here.
    if !allowed {
        let message = ran.message(7);
        assert!(message.contains("check the owner and the mode"), "{message}");
    }
}

/// A shell can limit how large files may be: what is beyond is refused as on a full disk.
#[test]
fn a_file_that_may_not_be_larger_is_unavailable() {
    let environment = TestEnvironment::new();
    environment.run(&["store", "init"]).ok();
    let long = |n| event(n, 20).replace("CODE", &"X".repeat(3000));
    let limited = |n| {
        let command =
            environment.behind("ulimit -f 16", &environment.command(&["append", "--no-git"]));
        environment.feed(command, &long(n))
    };
    let ran: Vec<Ran> = (1..9).map(limited).collect();
    let stored = ran.iter().take_while(|ran| ran.code == Some(0)).count();
    assert!((1..8).contains(&stored), "{ran:#?}");
    for ran in &ran[stored..] {
        assert!(ran.code == Some(7) && ran.stderr.contains("ulimit -f"), "{ran:#?}");
    }
    assert_eq!(there(&store(&environment)).len(), stored);
    for n in 1..9 {
        environment.run_with(&["append", "--no-git"], &long(n)).ok();
    }
    assert_eq!(sequences(&lines(&store(&environment), KEY)), (1..9).collect::<Vec<_>>());
    environment.run(&["verify"]).ok();
}
