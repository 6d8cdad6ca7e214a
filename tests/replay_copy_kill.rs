//! Copies of a whole log that are killed anywhere, and begun again: nothing is there twice, and
//! nothing is lost.

#![cfg(all(unix, debug_assertions))]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::cli_support::{Ran, TestEnvironment};
use crate::disk_support::{Step, trace};
use crate::replay_support::report;

/// The days of the log: each is written by itself.
const DAYS: [&str; 3] = ["2026-11-20", "2026-11-21", "2026-11-22"];

/// An issue whose events stand in several days.
fn of_days() -> TestEnvironment {
    let environment = TestEnvironment::with_replayable();
    for day in &DAYS[1..] {
        for minute in 0..3 {
            let time = format!("{day}T10:0{minute}:00.000Z");
            environment.append_phase("R-1", "TEST", &["--timestamp", &time]).ok();
        }
    }
    environment
}

fn copy(environment: &TestEnvironment, fault: &str) -> Ran {
    copy_with(environment, &[], fault)
}

fn copy_with(environment: &TestEnvironment, more: &[&str], fault: &str) -> Ran {
    let args = ["replay", "R-1", "--json", "--into", "../copy", "--execute"];
    environment.run_with_path(&[&args, more].concat(), fault)
}

/// The log's bytes, day by day.
fn log(environment: &TestEnvironment, store: &str) -> Vec<String> {
    let store = environment.path().join(store);
    let read = |day: &&str| fs::read_to_string(store.join(day).join("R-1/events.jsonl"));
    DAYS.iter().map(read).map(Result::unwrap_or_default).collect()
}

/// The operations of a copy that nothing disturbs.
fn operations(environment: &TestEnvironment, more: &[&str]) -> Vec<Step> {
    let path = environment.path().join("trace");
    let _ = fs::remove_file(&path);
    copy_with(environment, more, &format!("trace:{}", path.display())).ok();
    fs::remove_dir_all(environment.path().join("copy")).unwrap();
    trace(&path)
}

/// Whether a store's log has nothing but whole lines of another, from the first on.
fn is_beginning(part: &[String], whole: &[String]) -> bool {
    let (part, whole) = (part.concat(), whole.concat());
    // What is cut short is taken out by the next who writes.
    let lines = part.rfind('\n').map_or(0, |feed| feed + 1);
    whole.starts_with(&part[..lines])
}

#[test]
fn a_copy_that_is_killed_anywhere_is_completed_by_the_next() {
    let (kills, parts) = killed_anywhere(&[]);
    assert!(kills > 60 && parts > 20, "{kills} kills, {parts} parts");
}

/// With a range each event is looked up by its id: what is there is not written again, but may have
/// to be published.
#[test]
fn one_that_goes_event_by_event_is_completed_too() {
    let (kills, _) = killed_anywhere(&["--from", "1"]);
    assert!(kills > 20, "{kills} kills");
}

/// Kills a copy at each of its operations; gives how many were killed, and how many left a part of
/// the log.
fn killed_anywhere(more: &[&str]) -> (usize, usize) {
    let environment = of_days();
    let whole = log(&environment, "events");
    assert!(whole.iter().all(|day| !day.is_empty()));
    let state = environment.run(&["state", "R-1", "--json"]).json();
    let (mut kills, mut parts) = (0, 0);
    let steps = operations(&environment, more);
    for step in steps.iter().filter(|step| step.number > 0 && step.changes()) {
        let half = (step.what() == "write").then(|| format!("half:{}", step.number));
        for fault in [format!("kill:{}", step.number)].into_iter().chain(half) {
            let ran = copy_with(&environment, more, &fault);
            // Its threads take their steps in another order each time: it may have come to an end.
            assert!(matches!(ran.code, None | Some(0)), "{fault} at {step:?}: {ran:#?}");
            kills += usize::from(ran.code.is_none());
            let left = log(&environment, "copy");
            assert!(is_beginning(&left, &whole), "{fault} at {step:?}: {left:?}");
            parts += usize::from(!left.concat().is_empty() && left != whole);
            let told = report(&copy_with(&environment, more, ""));
            assert_eq!(told["final_state"]["digest"], state["digest"], "{fault}");
            assert_eq!(told["final_state"]["matches"], true, "{fault} at {step:?}");
            assert_eq!(told["failed_count"], 0);
            assert_eq!(log(&environment, "copy"), whole, "{fault} at {step:?}");
            environment.run(&["--store", "../copy", "verify"]).ok();
            fs::remove_dir_all(environment.path().join("copy")).unwrap();
        }
    }
    (kills, parts)
}

/// The steps that write or sync a file whose path ends so.
fn on<'a>(steps: &'a [Step], end: &str) -> Vec<(usize, &'a Step)> {
    let mut file = BTreeMap::new();
    let mut found = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let inode = step.words.get(1).cloned().unwrap_or_default();
        match step.what() {
            "create" => drop(file.insert(inode, Path::new(&step.words[2]).ends_with(end))),
            "write" | "sync" if file.get(&inode) == Some(&true) => found.push((at, step)),
            _ => {}
        }
    }
    found
}

/// A piece is durable before it is published, and before the next one is written.
#[test]
fn each_piece_is_durable_before_the_next() {
    let environment = of_days();
    let steps = operations(&environment, &[]);
    let mut told = on(&steps, "R-1/events.jsonl");
    let published = on(&steps, "global/events.jsonl");
    let published = published.into_iter().filter(|(_, step)| step.what() == "write");
    told.extend(published);
    told.sort_by_key(|(at, _)| *at);
    let logs = on(&steps, "R-1/events.jsonl");
    let is_log = |at: usize| logs.iter().any(|(log, _)| *log == at);
    let (mut unsynced, mut pieces, mut publishings) = (false, 0, 0);
    for (at, step) in told {
        match (step.what(), is_log(at)) {
            ("write", is_log) => {
                assert!(!unsynced, "{step:?}");
                unsynced = is_log;
                pieces += usize::from(is_log);
                publishings += usize::from(!is_log);
            }
            _ => unsynced = false,
        }
    }
    assert_eq!((pieces, publishings, unsynced), (DAYS.len(), DAYS.len(), false));
}

#[test]
fn a_copy_that_cannot_be_written_says_what_to_do() {
    let environment = of_days();
    let target = environment.path().join("copy");
    fs::create_dir(&target).unwrap();
    // No day can be made where a file is.
    let in_the_way = target.join(DAYS[1]);
    fs::write(&in_the_way, "").unwrap();
    let error = copy(&environment, "").error(7);
    assert!(error["message"].as_str().unwrap().starts_with("into the other store: "), "{error}");
    let hint = error.get("hint").and_then(|hint| hint.as_str()).unwrap_or_default();
    assert!(!hint.contains("nothing else of this issue"), "{error}");
    let whole = log(&environment, "events");
    assert_eq!(log(&environment, "copy")[..1], whole[..1]);
    fs::remove_file(in_the_way).unwrap();
    report(&copy(&environment, ""));
    assert_eq!(log(&environment, "copy"), whole);
}
