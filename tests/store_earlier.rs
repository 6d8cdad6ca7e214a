//! What a reader that follows a log hears of the days before the last.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use chronoscope::store::local::LocalStore;
use chronoscope::store::{EventStore, Locator, Notice, Tail};

use crate::cli_support::TestEnvironment;
use crate::store_support::{append, drain, event, os, store};

/// How long a test waits at most.
const PATIENCE: Duration = Duration::from_secs(20);
const DAYS: [&str; 3] = ["2026-11-18", "2026-11-19", "2026-11-20"];

/// A log of three events on each of three days.
fn filled() -> (tempfile::TempDir, LocalStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    fill(&store);
    (dir, store)
}

fn fill(store: &LocalStore) {
    for day in DAYS {
        let at = format!("{day}T11:00:00Z");
        let drafts = ["a", "b", "c"].map(|text| event("P-1", text, None, Some(&at)));
        append(store, drafts.into(), &os()).unwrap();
    }
}

fn log(dir: &tempfile::TempDir, day: &str) -> PathBuf {
    dir.path().join(day).join("P-1/events.jsonl")
}

/// Reads on until something is told.
fn hear(tail: &mut dyn Tail) -> (usize, Notice) {
    let begun = Instant::now();
    loop {
        let (lines, notices) = drain(tail, 1 << 20);
        if let Some(notice) = notices.into_iter().find(Notice::starts_anew) {
            return (lines.len(), notice);
        }
        assert!(begun.elapsed() < PATIENCE, "nothing is told");
        std::thread::yield_now();
    }
}

fn cut(dir: &tempfile::TempDir, day: &str) {
    let whole = fs::read_to_string(log(dir, day)).unwrap();
    let line = whole.split_inclusive('\n').next().unwrap();
    let file = fs::OpenOptions::new().write(true).open(log(dir, day)).unwrap();
    file.set_len(line.len() as u64).unwrap();
}

#[test]
fn a_cut_or_another_file_of_an_earlier_day_is_told_and_all_is_read_anew() {
    let (dir, store) = filled();
    let mut tail = store.tail("P-1").unwrap();
    assert_eq!(drain(&mut *tail, 1 << 20).0.len(), 9);
    let whole = fs::read(log(&dir, DAYS[0])).unwrap();

    cut(&dir, DAYS[0]);
    let (lines, notice) = hear(&mut *tail);
    assert_eq!(lines, 7);
    let Notice::Truncated { detail } = notice else { panic!("{notice:?}") };
    assert!(detail.contains(DAYS[0]), "{detail}");

    // The same file, as long as before.
    let mut file = fs::OpenOptions::new().append(true).open(log(&dir, DAYS[0])).unwrap();
    file.write_all(whole.get(whole.len() / 3..).unwrap()).unwrap();
    let (lines, notice) = hear(&mut *tail);
    assert_eq!(lines, 9);
    assert!(matches!(notice, Notice::Replaced { .. }), "{notice:?}");

    let aside = dir.path().join("aside");
    fs::write(&aside, &whole).unwrap();
    fs::rename(&aside, log(&dir, DAYS[0])).unwrap();
    let (lines, notice) = hear(&mut *tail);
    assert_eq!(lines, 9);
    assert!(matches!(notice, Notice::Replaced { .. }), "{notice:?}");

    fs::remove_file(log(&dir, DAYS[1])).unwrap();
    let (lines, notice) = hear(&mut *tail);
    assert_eq!(lines, 6);
    let Notice::Replaced { detail } = notice else { panic!("{notice:?}") };
    assert!(detail.ends_with("is gone"), "{detail}");
}

#[test]
fn a_read_that_fails_makes_the_next_look_at_all_of_them() {
    let (dir, store) = filled();
    let mut tail = store.tail("P-1").unwrap();
    let mut fetch = tail.fetcher();
    assert_eq!(drain(&mut *tail, 1 << 20).0.len(), 9);
    // Now they were looked at, and are left alone for a while.
    assert!(drain(&mut *tail, 1 << 20).1.is_empty());
    let length = fs::metadata(log(&dir, DAYS[1])).unwrap().len();
    cut(&dir, DAYS[1]);
    let last = Locator { segment: 1, offset: length - 10, len: 9 };
    assert!(fetch.fetch(last).unwrap_err().message().contains("no longer reaches"));
    let (lines, notices) = drain(&mut *tail, 1 << 20);
    assert_eq!(lines.len(), 7);
    assert!(matches!(&notices[0], Notice::Truncated { .. }), "{notices:?}");
}

/// What is archived is the same log elsewhere.
#[test]
fn archiving_and_restoring_an_earlier_day_is_no_news() {
    let bench = TestEnvironment::new();
    let store = store(&bench.store());
    fill(&store);
    bench.run(&["store", "checkpoint"]).ok();
    let mut tail = store.tail("P-1").unwrap();
    let mut fetch = tail.fetcher();
    assert_eq!(drain(&mut *tail, 1 << 20).0.len(), 9);
    let doubt = Locator { segment: 0, offset: 1 << 30, len: 1 };
    for back in [&[][..], &["--restore"]] {
        bench.run(&[&["store", "archive", "--yes"], back].concat()).ok();
        let plain = bench.store().join(DAYS[0]).join("P-1/events.jsonl");
        assert_eq!(plain.exists(), !back.is_empty());
        for _ in 0..2 {
            fetch.fetch(doubt).unwrap_err();
            assert_eq!(drain(&mut *tail, 1 << 20), (vec![], vec![]), "{back:?}");
        }
    }
}
