//! What every event store must do, whatever is behind it.
//!
//! The suite takes a constructor; each backend runs it with its own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use chronoscope::error::ErrorKind;
use chronoscope::schema::Draft;
use chronoscope::store::{AppendOptions, Batch, EventStore, GitHead, Notice};

use crate::store_support::{append, drain, event, lines, noon, os, plain, sequences, store};

/// Something that keeps a store alive, and the store.
type Made = (tempfile::TempDir, Box<dyn EventStore>);

fn local() -> Made {
    let dir = tempfile::tempdir().unwrap();
    let made = store(&dir.path().join("events"));
    (dir, Box::new(made))
}

macro_rules! conformance {
    ($($(#[$doc:meta])* $name:ident)*) => {
        mod local_store {
            $($(#[$doc])* #[test] fn $name() { super::$name(&super::local); })*
        }
    };
}

conformance! {
    sequences_start_at_one_and_have_no_gap
    the_expected_sequence_is_that_before_the_append
    an_id_is_appended_once
    a_batch_is_all_or_nothing
    an_id_twice_in_a_batch_is_one_event
    part_of_a_batch_is_completed_by_its_retry
    the_stores_time_never_runs_back
    a_day_begins_a_partition_and_the_log_goes_on
    a_tail_sees_what_is_appended
    lines_are_read_again_by_their_locators
    snapshots_are_found_by_position_and_version
    git_is_stamped_where_the_caller_gave_none
    issues_are_listed
    keys_that_are_paths_are_refused
}

fn expecting(sequence: u64) -> AppendOptions {
    AppendOptions { expected_sequence: Some(sequence), ..os() }
}

fn sequences_start_at_one_and_have_no_gap(make: &dyn Fn() -> Made) {
    let (_dir, store) = make();
    for n in 1..=3 {
        let acks = append(&*store, vec![plain("P-1", "x")], &AppendOptions::default()).unwrap();
        assert_eq!(acks[0].event_sequence, n);
        assert!(!acks[0].duplicate && acks[0].durability.is_none());
        assert_eq!(acks[0].partition, "2026-11-20");
    }
    let acks = append(&*store, vec![plain("P-1", "a"), plain("P-1", "b")], &os()).unwrap();
    assert_eq!(acks.iter().map(|a| a.event_sequence).collect::<Vec<_>>(), [4, 5]);
    assert_eq!(acks[0].durability, Some("os"));
    assert_eq!(append(&*store, vec![plain("P-2", "x")], &os()).unwrap()[0].event_sequence, 1);
    assert_eq!(sequences(&lines(&*store, "P-1")), [1, 2, 3, 4, 5]);
    let nothing = Batch { issue_key: "P-1".into(), drafts: vec![] };
    assert!(store.append(&nothing, &os()).unwrap().is_empty());
}

fn the_expected_sequence_is_that_before_the_append(make: &dyn Fn() -> Made) {
    let (_dir, store) = make();
    append(&*store, vec![plain("P-1", "a"), plain("P-1", "b")], &expecting(0)).unwrap();
    for wrong in [0, 1, 3] {
        let error = append(&*store, vec![plain("P-1", "c")], &expecting(wrong)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert_eq!(error.details().unwrap()["actual"], 2);
    }
    append(&*store, vec![plain("P-1", "c")], &expecting(2)).unwrap();
    assert_eq!(lines(&*store, "P-1").len(), 3);
}

fn an_id_is_appended_once(make: &dyn Fn() -> Made) {
    let (_dir, store) = make();
    let draft = |text| event("P-1", text, Some("id-1"), None);
    let first = append(&*store, vec![draft("a")], &expecting(0)).unwrap();
    append(&*store, vec![plain("P-1", "b")], &os()).unwrap();
    // The retry is no conflict, although the head has moved on.
    let again = append(&*store, vec![draft("a")], &expecting(0)).unwrap();
    assert!(again[0].duplicate);
    assert_eq!((again[0].event_sequence, again[0].timestamp), (1, first[0].timestamp));
    let error = append(&*store, vec![draft("other")], &os()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(error.details().unwrap()["event_sequence"], 1);
    // Ids are unique per issue.
    let other = append(&*store, vec![event("P-2", "a", Some("id-1"), None)], &os()).unwrap();
    assert!(!other[0].duplicate);
    assert_eq!(lines(&*store, "P-1").len(), 2);
}

fn a_batch_is_all_or_nothing(make: &dyn Fn() -> Made) {
    let (_dir, store) = make();
    append(&*store, vec![event("P-1", "a", Some("id-1"), None)], &os()).unwrap();
    let batch = vec![plain("P-1", "b"), event("P-1", "other", Some("id-1"), None)];
    assert_eq!(append(&*store, batch, &os()).unwrap_err().kind(), ErrorKind::Conflict);
    let mixed =
        Batch { issue_key: "P-1".into(), drafts: vec![plain("P-1", "b"), plain("P-2", "b")] };
    assert_eq!(store.append(&mixed, &os()).unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(lines(&*store, "P-1").len(), 1);
}

fn an_id_twice_in_a_batch_is_one_event(make: &dyn Fn() -> Made) {
    let (_dir, store) = make();
    let draft = |text| event("P-1", text, Some("id-1"), None);
    let three = vec![draft("a"), plain("P-1", "b"), draft("a"), draft("a")];
    let acks = append(&*store, three, &os()).unwrap();
    let said: Vec<_> = acks.iter().map(|a| (a.event_sequence, a.duplicate)).collect();
    assert_eq!(said, [(1, false), (2, false), (1, true), (1, true)]);
    let clash = vec![event("P-1", "a", Some("x"), None), event("P-1", "b", Some("x"), None)];
    assert_eq!(append(&*store, clash, &os()).unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(lines(&*store, "P-1").len(), 2);
}

fn part_of_a_batch_is_completed_by_its_retry(make: &dyn Fn() -> Made) {
    let (_dir, store) = make();
    let draft = |n: u32| event("P-1", &n.to_string(), Some(&format!("id-{n}")), None);
    append(&*store, vec![plain("P-1", "before")], &os()).unwrap();
    append(&*store, vec![draft(1), draft(2)], &expecting(1)).unwrap();
    let acks = append(&*store, (1..=4).map(draft).collect(), &expecting(1)).unwrap();
    let said: Vec<_> = acks.iter().map(|a| (a.event_sequence, a.duplicate)).collect();
    assert_eq!(said, [(2, true), (3, true), (4, false), (5, false)]);
    // But not when somebody else wrote in between.
    let error = append(&*store, vec![draft(1), draft(5)], &expecting(1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

fn the_stores_time_never_runs_back(make: &dyn Fn() -> Made) {
    let (_dir, store) = make();
    let ahead = "2026-11-20T12:03:00Z";
    append(&*store, vec![event("P-1", "a", None, Some(ahead))], &os()).unwrap();
    let own = append(&*store, vec![plain("P-1", "b")], &os()).unwrap();
    assert_eq!(own[0].timestamp.to_string(), "2026-11-20T12:03:00.000Z");
    let back = "1970-01-01T00:00:00Z";
    let given = append(&*store, vec![event("P-1", "c", None, Some(back))], &os()).unwrap();
    assert_eq!(given[0].timestamp.to_string(), "1970-01-01T00:00:00.000Z");
    assert_eq!(given[0].partition, "2026-11-20");
    let own = append(&*store, vec![plain("P-1", "d")], &os()).unwrap();
    assert_eq!(own[0].timestamp.to_string(), "2026-11-20T12:03:00.000Z");
    assert_eq!(append(&*store, vec![plain("P-2", "e")], &os()).unwrap()[0].timestamp, noon());
}

fn a_day_begins_a_partition_and_the_log_goes_on(make: &dyn Fn() -> Made) {
    let (_dir, store) = make();
    let at = |time: &str| event("P-1", "x", None, Some(time));
    let batch = vec![
        at("2026-11-18T23:59:59.999Z"),
        at("2026-11-19T00:00:00Z"),
        at("2026-11-18T12:00:00Z"),
        at("2026-11-20T00:00:00Z"),
    ];
    let acks = append(&*store, batch, &AppendOptions::default()).unwrap();
    let days: Vec<_> = acks.iter().map(|a| &a.partition[8..]).collect();
    assert_eq!(days, ["18", "19", "19", "20"]);
    let mut tail = store.tail("P-1").unwrap();
    let (read, notices) = drain(&mut *tail, 1 << 20);
    assert_eq!(sequences(&read), [1, 2, 3, 4]);
    let rotated = |day: &str| Notice::Rotated { partition: format!("2026-11-{day}") };
    assert_eq!(notices, [rotated("19"), rotated("20")]);
    let next = append(&*store, vec![at("2026-11-21T00:00:00Z")], &AppendOptions::default());
    assert_eq!(next.unwrap()[0].event_sequence, 5);
    let (read, notices) = drain(&mut *tail, 1);
    assert_eq!((sequences(&read), notices), (vec![5], vec![rotated("21")]));
}

fn a_tail_sees_what_is_appended(make: &dyn Fn() -> Made) {
    let (_dir, store) = make();
    assert_eq!(store.tail("P-1").err().unwrap().kind(), ErrorKind::NotFound);
    append(&*store, vec![plain("P-1", "a")], &os()).unwrap();
    let mut tail = store.tail("P-1").unwrap();
    assert!(tail.remaining() > 0);
    assert_eq!(drain(&mut *tail, 1 << 20).0.len(), 1);
    assert_eq!(tail.remaining(), 0);
    assert!(drain(&mut *tail, 1 << 20).0.is_empty());
    for n in 2..6 {
        append(&*store, vec![plain("P-1", "b"); n], &os()).unwrap();
        assert!(tail.remaining() > 0);
        assert_eq!(drain(&mut *tail, n * 100).0.len(), n);
    }
}

fn lines_are_read_again_by_their_locators(make: &dyn Fn() -> Made) {
    let (_dir, store) = make();
    let at = |time: &str| event("P-1", time, None, Some(time));
    let drafts: Vec<Draft> =
        ["2026-11-19T00:00:00Z", "2026-11-19T01:00:00Z", "2026-11-20T00:00:00Z"].map(at).into();
    append(&*store, drafts, &os()).unwrap();
    let mut tail = store.tail("P-1").unwrap();
    let mut fetch = tail.fetcher();
    let mut locators = Vec::new();
    loop {
        let chunk = tail.poll(1).unwrap();
        for line in &chunk.lines {
            assert_eq!(fetch.fetch(line.locator).unwrap(), &chunk.bytes[line.range.clone()]);
            locators.push(line.locator);
        }
        if chunk.at_end {
            break;
        }
    }
    assert_eq!(locators.len(), 3);
    let both = String::from_utf8(fetch.fetch_range(locators[0], locators[1]).unwrap()).unwrap();
    assert_eq!(sequences(&both.lines().map(str::to_owned).collect::<Vec<_>>()), [1, 2]);
    assert!(fetch.describe(locators[1]).contains('2'));
    let mut beyond = locators[2];
    beyond.len += 100;
    assert_eq!(fetch.fetch(beyond).unwrap_err().kind(), ErrorKind::Integrity);
    beyond.segment = 7;
    assert_eq!(fetch.fetch(beyond).unwrap_err().kind(), ErrorKind::Integrity);
}

fn snapshots_are_found_by_position_and_version(make: &dyn Fn() -> Made) {
    use chronoscope::model::{Value, ids};
    use chronoscope::store::snapshot::{LogAnchor, Snapshot, Versions};
    let (_dir, store) = make();
    append(&*store, vec![plain("P-1", "x"); 9], &os()).unwrap();
    let versions = Versions { state_schema: 1, fold: 2 };
    let lines = lines(&*store, "P-1");
    let bytes = |position: u64| {
        lines.iter().take(position as usize).map(|line| line.len() as u64 + 1).sum::<u64>()
    };
    let snapshot = |position, versions| Snapshot {
        issue_key: "P-1".into(),
        position,
        event_sequence: position,
        timestamp: noon(),
        versions,
        anchor: LogAnchor { log_bytes: bytes(position), log_hash: String::new(), chain: vec![] },
        signed: None,
        state_digest: ids::sha256_text(b"null"),
        created_at: noon(),
        state: Value::Null,
    };
    let old = Versions { fold: 1, ..versions };
    for (position, versions) in [(2, versions), (4, versions), (6, old)] {
        store.keep_snapshot(&snapshot(position, versions)).unwrap();
    }
    let found = |position| store.snapshot("P-1", position, versions).unwrap().map(|s| s.position);
    assert_eq!([found(1), found(2), found(3), found(9)], [None, Some(2), Some(2), Some(4)]);
    assert_eq!(store.snapshot("P-1", 9, old).unwrap(), Some(snapshot(6, old)));
}

fn git_is_stamped_where_the_caller_gave_none(make: &dyn Fn() -> Made) {
    let (_dir, store) = make();
    let git = GitHead { sha: "abc".into(), branch: Some("main".into()) };
    let options = AppendOptions { git: Some(git), ..os() };
    append(&*store, vec![event("P-1", "a", Some("id"), None)], &options).unwrap();
    assert!(lines(&*store, "P-1")[0].ends_with(r#","git_sha":"abc","branch":"main"}"#));
    // The repository moved on: still the same event.
    let again = append(&*store, vec![event("P-1", "a", Some("id"), None)], &os()).unwrap();
    assert!(again[0].duplicate);
}

fn issues_are_listed(make: &dyn Fn() -> Made) {
    let (_dir, store) = make();
    assert!(store.issues().unwrap().is_empty());
    for key in ["P-1", "P-2"] {
        append(&*store, vec![plain(key, "x")], &os()).unwrap();
    }
    let mut keys: Vec<_> = store.issues().unwrap().into_iter().map(|e| e.issue_key).collect();
    keys.sort();
    assert_eq!(keys, ["P-1", "P-2"]);
    assert!(store.issues().unwrap().iter().all(|e| e.bytes > 100));
}

fn keys_that_are_paths_are_refused(make: &dyn Fn() -> Made) {
    let (_dir, store) = make();
    for key in ["../x", "a/b", ".x", "index.json", ""] {
        let batch = Batch { issue_key: key.into(), drafts: vec![plain("P-1", "x")] };
        assert_eq!(store.append(&batch, &os()).unwrap_err().kind(), ErrorKind::Usage, "{key}");
        assert_eq!(store.tail(key).err().unwrap().kind(), ErrorKind::NotFound, "{key}");
    }
}

/// The number of a line is counted from the nearest place where it is known.
#[test]
fn lines_of_long_logs_are_named_by_their_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("2026-11-19/P-1");
    std::fs::create_dir_all(&folder).unwrap();
    // Blank lines are no lines of the log, but they count; one line is longer than a chunk.
    let mut text = String::new();
    for number in 0..3000 {
        let filler = if number == 1500 { 700_000 } else { 500 };
        text.push_str(&format!("{{\"n\":{number},\"x\":\"{}\"}}\n", "x".repeat(filler)));
        text.push_str(if number % 7 == 0 { "\n \n" } else { "" });
    }
    std::fs::write(folder.join("events.jsonl"), &text).unwrap();
    let store =
        chronoscope::store::local::LocalStore::open(dir.path(), chronoscope::clock::Clock::System)
            .unwrap();
    let mut tail = store.tail("P-1").unwrap();
    let mut fetch = tail.fetcher();
    let mut seen = 0;
    loop {
        let chunk = tail.poll(100_000).unwrap();
        for line in chunk.lines.iter().step_by(17) {
            let before = &text.as_bytes()[..usize::try_from(line.locator.offset).unwrap()];
            let number = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            let named = fetch.describe(line.locator);
            assert!(named.ends_with(&format!("events.jsonl:{number}")), "{named}, not {number}");
            seen += 1;
        }
        if chunk.at_end {
            break;
        }
    }
    assert!(seen > 150, "{seen}");
}
