//! A run is gone on with as it was begun, and is what it was.

#![cfg(unix)]

use std::fs;
use std::sync::Arc;

use serde_json::{Value, json};

use chronoscope::clock::Clock;
use chronoscope::model::catalogue::LINKS;
use chronoscope::replay::Decision;
use chronoscope::schema::Redactor;
use chronoscope::session::replay::{Means, execute};
use chronoscope::store::local::LocalStore;

use crate::cli_support::{Ran, SESSION, TestEnvironment};
use crate::replay_support::{report, statuses};

/// A handler that kills chronoscope at this position, the first time.
fn killing(environment: &TestEnvironment, position: u64) -> String {
    let kill =
        format!("[ $CHRONOSCOPE_POSITION.$CHRONOSCOPE_ATTEMPT != {position}.1 ] || kill -9 $PPID");
    environment.noting("test", &kill)
}

fn resume(environment: &TestEnvironment, more: &[&str]) -> Ran {
    let id = environment.replay_id();
    let args = ["replay", "--json", "--resume", &id, "--on-unknown", "skip"];
    environment.run_with_path(&[&args[..], more].concat(), "")
}

/// Appends events to an issue: type, metadata.
fn append(environment: &TestEnvironment, issue: &str, events: &[(&str, Value)]) {
    let line = |(n, (kind, metadata)): (usize, &(&str, Value))| {
        let event = json!({
            "event_type": kind, "issue_key": issue, "session_id": SESSION, "metadata": metadata,
            "timestamp": format!("2026-11-20T10:00:{n:02}.000Z"),
            "actor": {"type": "system", "id": format!("a{n}")},
        });
        format!("{event}\n")
    };
    let log: String = events.iter().enumerate().map(line).collect();
    environment.append_text(&log).ok();
}

/// How fast it goes is told by what is done now.
#[test]
fn what_was_done_at_another_time_is_no_progress() {
    let environment = TestEnvironment::with_replayable();
    let test = killing(&environment, 11);
    environment.replay(&["--handler", &test, "--execute"]);
    let (store, id) =
        (LocalStore::open(environment.store(), Clock::System), environment.replay_id());
    let store = store.unwrap();
    let resumed = execute::resume(&store, LINKS, &id, Decision::Skip, None, |_, _| true);
    let (mut session, prepared) = resumed.unwrap();
    assert_eq!(prepared.dealt_with(), 11);
    let mut told = Vec::new();
    let means = Means {
        redactor: &Redactor::default(),
        speed: None,
        interrupt: Arc::default(),
        end_now: Arc::default(),
        verify_steps: false,
        progress: &mut |done, all| told.push((done, all)),
        heard: None,
    };
    execute::execute(&store, &mut session, prepared, means).unwrap();
    assert_eq!(told, [(11, 12), (12, 12)]);
}

#[test]
fn other_settings_do_not_decide_about_a_run_that_was_begun() {
    let environment = TestEnvironment::new();
    let rules = "event_sourcing:
  correlation_rules:
    - {name: build, source_event: TestRunStarted, target_events: [QualityCheckStarted], correlation_key: metadata.build}
";
    fs::write(environment.work().join("event-sourcing.yaml"), rules).unwrap();
    let events = [
        ("TestRunStarted", json!({"test_suite": "u", "build": 7})),
        ("TestRunStarted", json!({"test_suite": "v"})),
        ("QualityCheckStarted", json!({"check_type": "lint", "build": 7})),
    ];
    append(&environment, "R-1", &events);
    let end = "[ $CHRONOSCOPE_POSITION != 1 ] || exit 1
        [ $CHRONOSCOPE_POSITION != 2 ] || kill -9 $PPID";
    let test = environment.noting("test", end);
    let check = test.replacen("test=", "QualityCheckStarted=", 1);
    let flags = ["--handler", &test, "--handler", &check, "--execute"];
    assert_eq!(environment.replay(&flags).code, None);
    let settings = environment.work().join("event-sourcing.yaml");
    let aside = environment.work().join("aside.yaml");
    fs::rename(&settings, &aside).unwrap();
    let error = resume(&environment, &[]).error(2);
    assert!(error["message"].as_str().unwrap().contains("correlation rules"), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("--config"), "{error}");
    assert_eq!(environment.ran(), ["1.1", "2.1"]);
    let told = report(&resume(&environment, &["--config", aside.to_str().unwrap()]));
    assert_eq!(statuses(&told), ["failed", "skipped", "failed"]);
    assert_eq!(environment.ran(), ["1.1", "2.1"]);
}

/// Not all that an event says is in the state.
#[test]
fn what_an_event_says_beside_the_state_is_what_it_was() {
    let environment = TestEnvironment::new();
    let run = |suite: &str| ("TestRunStarted", json!({"test_suite": suite, "target": "host4"}));
    append(&environment, "R-1", &[run("u"), run("v")]);
    let digest = |environment: &TestEnvironment| {
        environment.run(&["state", "R-1", "--at", "2", "--json"]).json()["digest"].clone()
    };
    let recorded = digest(&environment);
    let test = killing(&environment, 1);
    assert_eq!(environment.replay(&["--handler", &test, "--execute"]).code, None);
    let log = environment.store().join("2026-11-20/R-1/events.jsonl");
    let text = fs::read_to_string(&log).unwrap();
    let last = text.rfind("host4").unwrap();
    fs::write(&log, format!("{}prod4{}", &text[..last], &text[last + 5..])).unwrap();
    assert_eq!(digest(&environment), recorded);
    let error = resume(&environment, &[]).error(6);
    assert!(error["message"].as_str().unwrap().contains("not the one"), "{error}");
    fs::write(&log, text).unwrap();
    report(&resume(&environment, &[]));
    assert_eq!(environment.ran(), ["1.1", "2.1"]);
}

/// Programs that stay, until no file can be opened for another.
#[test]
fn who_cannot_be_started_now_is_when_the_run_goes_on() {
    const ALL: usize = 30;
    let environment = TestEnvironment::new();
    let run = |n| ("TestRunStarted", json!({"test_suite": format!("s{n}")}));
    append(&environment, "R-1", &(0..ALL).map(run).collect::<Vec<_>>());
    let test = environment.noting("test", "[ -e open ] || exec sleep 1000");
    let flags = ["--handler", &test, "--timeout", "1s", "--execute", "--jobs", "40"];
    let ran = environment.replay_behind("ulimit -n 50", &flags);
    let error = ran.error(7);
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("could not be started: Too many open files"), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("--resume"), "{error}");
    let begun = environment.ran().len();
    assert!((1..ALL).contains(&begun), "{begun}");
    fs::write(environment.work().join("open"), "").unwrap();
    let told = report(&resume(&environment, &[]));
    // Those that stayed too long have failed; all others are done, each in its first try.
    assert_eq!(told["failed_count"], begun);
    let mut ran = environment.ran();
    ran.sort_unstable_by_key(|ran| ran.split_once('.').unwrap().0.parse::<usize>().unwrap());
    assert_eq!(ran, (1..=ALL).map(|n| format!("{n}.1")).collect::<Vec<_>>());
}

#[test]
fn what_repeats_an_event_follows_it_where_it_is_in_the_run() {
    let environment = TestEnvironment::with_replayable();
    let log = environment.log().parent().unwrap().with_file_name("R-1").join("events.jsonl");
    let text = fs::read_to_string(&log).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    // 11 and 12 once more, the end of the tests without a word of its cause.
    fs::write(&log, format!("{text}{}\n{}\n{}\n", lines[10], lines[11], lines[11])).unwrap();
    let test = environment.noting("test", "[ $CHRONOSCOPE_POSITION != 12 ] || exit 1");
    let flags = ["--handler", &test, "--execute"];
    let told = report(&environment.replay(&flags));
    assert_eq!(statuses(&told)[10..], ["executed", "failed", "skipped", "failed", "failed"]);
    let reason = told["results"][14]["reason"].as_str().unwrap();
    assert!(reason.contains("#12"), "{reason}");
    // What they repeat is no part of this: the first of them is executed, and the second is not.
    fs::remove_file(environment.work().join("ran")).unwrap();
    let told = report(&environment.replay(&[&flags[..], &["--from", "14", "--to", "15"]].concat()));
    assert_eq!(statuses(&told), ["executed", "skipped"]);
    assert_eq!(environment.ran(), ["14.1"]);
}

/// What is named as a cause may come later: a run knows what stood before its events.
#[test]
fn what_is_added_behind_a_run_changes_nothing_in_it() {
    let environment = TestEnvironment::new();
    let later = "0badcafe-0000-4000-8000-000000000000";
    let line = |kind: &str, more: Value, metadata: Value| {
        let mut event = json!({
            "event_type": kind, "issue_key": "R-1", "session_id": SESSION, "metadata": metadata,
            "actor": {"type": "system", "id": "ci"},
        });
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        format!("{event}\n")
    };
    let done = json!({"test_suite": "u", "total_tests": 1, "passed": 1, "failed": 0});
    let log = [
        line("TestRunStarted", json!({}), json!({"test_suite": "u"})),
        line("TestRunCompleted", json!({ "causation_id": later }), done),
    ];
    environment.append_text(&log.concat()).ok();
    let test = killing(&environment, 1);
    assert_eq!(environment.replay(&["--handler", &test, "--execute"]).code, None);
    let named = line("PhaseStarted", json!({ "event_id": later }), json!({"phase": "TEST"}));
    environment.append_text(&named).ok();
    report(&resume(&environment, &[]));
    assert_eq!(environment.ran(), ["1.1", "2.1"]);
}
