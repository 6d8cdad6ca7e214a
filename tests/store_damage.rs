//! What a local store does with logs that were cut, torn or written over.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use chronoscope::error::ErrorKind;
use chronoscope::store::local::{FindingKind, LocalStore};
use chronoscope::store::{AppendOptions, Durability, EventStore, Notice};

use crate::store_support::{
    append, assert_global_complete, assert_sound, drain, event, lines, os, plain, sequences, store,
};

const DAY: &str = "2026-11-20";

fn log(dir: &Path) -> PathBuf {
    dir.join(DAY).join("P-1/events.jsonl")
}

fn filled(dir: &Path, events: usize) -> LocalStore {
    let store = store(dir);
    for n in 0..events {
        append(&store, vec![plain("P-1", &n.to_string())], &os()).unwrap();
    }
    store
}

fn kinds(store: &LocalStore) -> Vec<FindingKind> {
    store.verify(None).unwrap().findings.iter().map(|f| f.kind).collect()
}

fn forget_locks(dir: &Path) {
    fs::remove_dir_all(dir.join(".chronoscope/locks")).unwrap();
}

#[test]
fn the_last_lines_cut_at_every_byte_lose_nothing_whole() {
    let dir = tempfile::tempdir().unwrap();
    let made = filled(dir.path(), 5);
    let whole = fs::read(log(dir.path())).unwrap();
    let ends: Vec<usize> = memchr_iter(&whole);
    drop(made);
    for cut in ends[1]..whole.len() {
        for with_locks in [true, false] {
            fs::write(log(dir.path()), &whole[..cut]).unwrap();
            if !with_locks {
                forget_locks(dir.path());
            }
            // A line that lacks nothing but its line feed is whole.
            let complete = ends.iter().filter(|end| **end <= cut).count();
            let bare = ends.contains(&(cut + 1));
            let expected = complete as u64 + u64::from(bare) + 1;
            let store = store(dir.path());
            let ack = append(&store, vec![plain("P-1", "next")], &os()).unwrap();
            assert_eq!(ack[0].event_sequence, expected, "cut at {cut}");
            let read = lines(&store, "P-1");
            assert_eq!(sequences(&read), (1..=expected).collect::<Vec<_>>(), "cut at {cut}");
            assert!(fs::read(log(dir.path())).unwrap().starts_with(&whole[..ends[complete - 1]]));
        }
    }
}

fn memchr_iter(bytes: &[u8]) -> Vec<usize> {
    bytes.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1).collect()
}

#[test]
fn what_follows_the_last_line_feed_is_kept_aside() {
    for tail in [&b"\0\0\0\0"[..], b"garbage", b"{\"event_id\":", b"{}", b"\xff\xfe", b"[1]"] {
        let dir = tempfile::tempdir().unwrap();
        let store = filled(dir.path(), 2);
        let sound = fs::read(log(dir.path())).unwrap();
        fs::write(log(dir.path()), [&sound, tail].concat()).unwrap();
        assert_eq!(kinds(&store), [FindingKind::TornTail]);
        assert_eq!(lines(&store, "P-1").len(), 2);
        let ack = append(&store, vec![plain("P-1", "next")], &AppendOptions::default()).unwrap();
        assert_eq!(ack[0].event_sequence, 3);
        let mut kept = fs::read_dir(dir.path().join(".chronoscope/quarantine")).unwrap();
        assert_eq!(fs::read(kept.next().unwrap().unwrap().path()).unwrap(), tail);
        assert_sound(&store);
        assert_global_complete(&store, &["P-1"]);
    }
}

#[test]
fn a_damaged_last_line_stops_appends_and_names_the_place() {
    for damage in ["garbage\n", "{\"event_id\":1} {}\n", "\0\0\n", "[1]\n"] {
        let dir = tempfile::tempdir().unwrap();
        let store = filled(dir.path(), 2);
        let sound = fs::read_to_string(log(dir.path())).unwrap();
        fs::write(log(dir.path()), format!("{sound}{damage}")).unwrap();
        let before = fs::read(log(dir.path())).unwrap();
        let error = append(&store, vec![plain("P-1", "x")], &os()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Integrity);
        assert!(error.message().contains("events.jsonl:3"), "{error}");
        assert!(error.hint().unwrap().contains("chronoscope verify"));
        assert_eq!(fs::read(log(dir.path())).unwrap(), before);
    }
}

#[test]
fn a_log_of_another_program_is_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join(DAY).join("P-1")).unwrap();
    fs::write(
        log(dir.path()),
        "{\"what\":1,\"timestamp\":\"2026-11-20T13:00:00Z\"}\n\n{\"what\":2}\n",
    )
    .unwrap();
    let store = store(dir.path());
    let ack = append(&store, vec![plain("P-1", "x")], &os()).unwrap();
    assert_eq!(ack[0].event_sequence, 3);
    assert_eq!(ack[0].timestamp.to_string(), "2026-11-20T13:00:00.000Z");
    // What stood there before is published, too.
    let global = fs::read_to_string(dir.path().join("global/events.jsonl")).unwrap();
    assert_eq!(global, fs::read_to_string(log(dir.path())).unwrap());
}

#[test]
fn everything_derived_comes_back_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    for n in 0..40 {
        for key in ["P-1", "P-2", "P-3"] {
            append(&store, vec![plain(key, &n.to_string())], &os()).unwrap();
        }
    }
    let global = dir.path().join("global/events.jsonl");
    let order = fs::read(&global).unwrap();
    let report = store.rebuild(std::time::Duration::from_secs(9), &mut |_, _| {}).unwrap();
    assert_eq!((report.issues, report.partitions, report.events), (3, 3, 120));
    assert_eq!((report.global.lines, report.global.added, report.global.dropped), (120, 0, 0));
    assert_eq!(fs::read(&global).unwrap(), order, "the order that there was is kept");
    let derived = |store: &LocalStore| {
        let day = dir.path().join(DAY);
        let metadata = fs::read(day.join("P-2/metadata.json")).unwrap();
        let stats = store.stats().unwrap();
        (metadata, fs::read(day.join("index.json")).unwrap(), fs::read(&global).unwrap(), stats)
    };
    store.rebuild_global(std::time::Duration::from_secs(9)).unwrap();
    fs::remove_file(&global).unwrap();
    store.rebuild_global(std::time::Duration::from_secs(9)).unwrap();
    let first = derived(&store);
    assert_eq!(first.3.events, 120);
    for gone in ["global/events.jsonl", "2026-11-20/index.json", "2026-11-20/P-2/metadata.json"] {
        fs::remove_file(dir.path().join(gone)).unwrap();
    }
    fs::remove_dir_all(dir.path().join(".chronoscope")).unwrap();
    store.rebuild(std::time::Duration::from_secs(9), &mut |_, _| {}).unwrap();
    assert_eq!(derived(&store), first);
    assert_sound(&store);
    append(&store, vec![plain("P-2", "more")], &os()).unwrap();
    assert_global_complete(&store, &["P-1", "P-2", "P-3"]);
}

#[test]
fn a_global_log_that_was_harmed_is_put_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path(), 6);
    append(&store, vec![plain("P-2", "x")], &os()).unwrap();
    let global = dir.path().join("global/events.jsonl");
    let sound = fs::read_to_string(&global).unwrap();
    let all: Vec<&str> = sound.lines().collect();
    let damaged: [Vec<&str>; 6] = [
        vec![],
        all[..4].to_vec(),
        [&all[..], &["garbage"]].concat(),
        [&all[..], &all[..1]].concat(),
        [&all[..2], &all[3..]].concat(),
        [&all[3..], &all[..3]].concat(),
    ];
    for lines in damaged {
        let mut text = lines.join("\n");
        text.push('\n');
        fs::write(&global, &text).unwrap();
        assert!(!kinds(&store).is_empty(), "{text}");
        append(&store, vec![plain("P-1", "next")], &os()).unwrap();
        store.publish_all(std::time::Duration::from_secs(9)).unwrap();
        assert_global_complete(&store, &["P-1", "P-2"]);
        assert_sound(&store);
    }
}

#[test]
fn the_global_log_survives_its_lock_files() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path(), 3);
    append(&store, vec![plain("P-2", "x")], &os()).unwrap();
    for n in 0..4 {
        match n {
            0 => forget_locks(dir.path()),
            1 => fs::remove_file(dir.path().join(".chronoscope/locks/P-1.lock")).unwrap(),
            2 => fs::remove_file(dir.path().join(".chronoscope/locks/.global")).unwrap(),
            _ => fs::write(dir.path().join(".chronoscope/locks/P-1.lock"), [0; 2000]).unwrap(),
        }
        append(&store, vec![plain("P-1", "x")], &os()).unwrap();
        append(&store, vec![plain("P-2", "x")], &os()).unwrap();
        assert_global_complete(&store, &["P-1", "P-2"]);
    }
    assert_sound(&store);
}

#[test]
fn verify_names_what_is_wrong_and_where() {
    type Edit<'a> = &'a dyn Fn(&mut Vec<String>);
    let edits: [(&str, Edit<'_>, FindingKind, u64); 8] = [
        ("not JSON", &|l| l[1] = "x".into(), FindingKind::NotAnEvent, 2),
        ("NUL", &|l| l[2].push('\0'), FindingKind::NulBytes, 3),
        ("two", &|l| l[1] = format!("{}{}", l[1], l[1]), FindingKind::SeveralOnOneLine, 2),
        ("gap", &|l| drop(l.remove(1)), FindingKind::SequenceGap, 2),
        ("twice", &|l| l.insert(1, l[0].clone()), FindingKind::SequenceRepeated, 2),
        ("other", &|l| l[3] = l[3].replace("P-1", "P-9"), FindingKind::OtherIssue, 4),
        (
            "later",
            &|l| l[3] = l[3].replace("2026-11-20T", "2026-11-21T"),
            FindingKind::WrongPartition,
            4,
        ),
        ("fields", &|l| l[0] = l[0].replace("session_id", "session"), FindingKind::FieldFault, 1),
    ];
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path(), 5);
    let sound = fs::read_to_string(log(dir.path())).unwrap();
    assert_sound(&store);
    for (what, edit, kind, line) in edits {
        let mut all: Vec<String> = sound.lines().map(str::to_owned).collect();
        edit(&mut all);
        fs::write(log(dir.path()), all.join("\n") + "\n").unwrap();
        let report = store.verify(Some("P-1")).unwrap();
        let found = report.findings.iter().find(|f| f.kind == kind);
        assert_eq!(
            found.unwrap_or_else(|| panic!("{what}: {report:#?}")).line,
            Some(line),
            "{what}"
        );
        // The global log still has what was there before.
        let global = report.findings.iter().any(|f| f.kind == FindingKind::GlobalExtra);
        assert!(global || what == "twice", "{what}");
    }
    assert_eq!(store.verify(Some("P-2")).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn verify_compares_what_is_derived() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path(), 40);
    let day = dir.path().join(DAY);
    for (path, kind) in [
        (day.join("P-1/metadata.json"), FindingKind::MetadataMismatch),
        (day.join("index.json"), FindingKind::IndexMismatch),
    ] {
        let sound = fs::read_to_string(&path).unwrap();
        for wrong in [
            sound.replace("coder", "nobody"),
            "{".to_owned(),
            sound.replace("\"bytes\":", "\"bytes\":9"),
        ] {
            fs::write(&path, wrong).unwrap();
            assert_eq!(kinds(&store), [kind]);
        }
        fs::write(&path, sound).unwrap();
    }
    fs::write(day.join("P-1/snapshot-3.json"), "{}").unwrap();
    assert_eq!(kinds(&store), [FindingKind::BadSnapshot]);
}

#[test]
fn a_tail_notices_truncation_replacement_and_tears() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path(), 4);
    let mut tail = store.tail("P-1").unwrap();
    assert_eq!(drain(&mut *tail, 1 << 20).0.len(), 4);
    let whole = fs::read(log(dir.path())).unwrap();
    let ends = memchr_iter(&whole);

    fs::write(log(dir.path()), [&whole[..], &whole[..9]].concat()).unwrap();
    assert_eq!(drain(&mut *tail, 1 << 20), (vec![], vec![Notice::TornTail { bytes: 9 }]));
    assert_eq!(drain(&mut *tail, 1 << 20), (vec![], vec![]), "it is told once");
    fs::write(log(dir.path()), [&whole[..], b"xy\nz"].concat()).unwrap();
    let (read, notices) = drain(&mut *tail, 1 << 20);
    assert_eq!((read, notices), (vec!["xy".into()], vec![Notice::TornTail { bytes: 1 }]));

    fs::write(log(dir.path()), &whole[..ends[1]]).unwrap();
    let (read, notices) = drain(&mut *tail, 1 << 20);
    assert_eq!(read.len(), 2);
    assert!(matches!(&notices[..], [Notice::Truncated { .. }]), "{notices:?}");

    // The same file, longer than before, with another beginning.
    let other = String::from_utf8_lossy(&whole).replace("coder", "tester");
    fs::write(log(dir.path()), other).unwrap();
    let (read, notices) = drain(&mut *tail, 1 << 20);
    assert_eq!(read.len(), 4);
    assert!(matches!(&notices[..], [Notice::Replaced { .. }]), "{notices:?}");

    let aside = dir.path().join("aside");
    fs::write(&aside, &whole).unwrap();
    fs::rename(&aside, log(dir.path())).unwrap();
    let (read, notices) = drain(&mut *tail, 1 << 20);
    assert_eq!(read.len(), 4);
    assert!(matches!(&notices[..], [Notice::Replaced { .. }]), "{notices:?}");

    fs::remove_file(log(dir.path())).unwrap();
    assert_eq!(tail.poll(1).unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(tail.poll(1).unwrap_err().kind(), ErrorKind::Unavailable);
    fs::write(log(dir.path()), &whole[..ends[2]]).unwrap();
    let (read, notices) = drain(&mut *tail, 1 << 20);
    assert_eq!(read.len(), 3);
    assert!(notices[0].starts_anew(), "{notices:?}");
}

#[test]
fn a_line_over_the_limit_is_passed_by() {
    let dir = tempfile::tempdir().unwrap();
    let made = filled(dir.path(), 1).with_max_line_bytes(10_000);
    let sound = fs::read(log(dir.path())).unwrap();
    let long = vec![b'x'; 700_000];
    fs::write(log(dir.path()), [&sound, &long[..], b"\n", &long[..10_000], b"\nlast\n"].concat())
        .unwrap();
    for limit in [1, 20_000, 1 << 20] {
        let mut tail = made.tail("P-1").unwrap();
        let mut seen = Vec::new();
        loop {
            let chunk = tail.poll(limit).unwrap();
            seen.extend(chunk.lines.iter().map(|l| (l.too_long, l.locator.len, l.range.len())));
            if chunk.at_end {
                break;
            }
        }
        let first = u32::try_from(sound.len() - 1).unwrap();
        let expected = [
            (false, first, first as usize),
            (true, 700_000, 4096),
            (false, 10_000, 10_000),
            (false, 4, 4),
        ];
        assert_eq!(seen, expected, "limit {limit}");
    }
}

#[test]
fn ids_are_found_in_a_long_log_with_and_without_its_index() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let text = "x".repeat(3000);
    let draft = |n: u32| {
        let day = if n < 300 { "2026-11-19" } else { DAY };
        event("P-1", &text, Some(&format!("id-{n}")), Some(&format!("{day}T00:00:00Z")))
    };
    let deferred = AppendOptions { durability: Durability::Deferred, ..os() };
    for start in (0..500).step_by(100) {
        append(&store, (start..start + 100).map(draft).collect(), &deferred).unwrap();
    }
    store.sync_pending(std::time::Duration::from_secs(9)).unwrap();
    store.refresh_derived().unwrap();
    assert_global_complete(&store, &["P-1"]);
    assert_sound(&store);
    let index = dir.path().join(".chronoscope/index/P-1.ids");
    assert!(index.is_file());
    append(&store, (500..600).map(draft).collect(), &os()).unwrap();
    let check = || {
        for n in (0..600).step_by(37) {
            let again = append(&store, vec![draft(n)], &os()).unwrap();
            assert_eq!((again[0].event_sequence, again[0].duplicate), (u64::from(n) + 1, true));
        }
        let many = append(&store, (0..600).map(draft).collect(), &os()).unwrap();
        assert!(many.iter().all(|a| a.duplicate));
        let many = append(&store, (0..600).map(draft).collect(), &deferred).unwrap();
        assert!(many.iter().all(|a| a.duplicate));
    };
    check();
    let sound = fs::read(&index).unwrap();
    for damaged in [&sound[..sound.len() - 1], &sound[..40], b"", b"garbage\n"] {
        fs::write(&index, damaged).unwrap();
        check();
    }
    fs::remove_file(&index).unwrap();
    check();
    assert_eq!(lines(&store, "P-1").len(), 600);
}

#[cfg(unix)]
#[test]
fn files_are_private_and_links_are_not_followed_out() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let dir = tempfile::tempdir().unwrap();
    let store = filled(&dir.path().join("events"), 1);
    let mut left = vec![dir.path().join("events")];
    while let Some(path) = left.pop() {
        let metadata = fs::metadata(&path).unwrap();
        let mode = if metadata.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(metadata.permissions().mode() & 0o777, mode, "{}", path.display());
        if metadata.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
        }
    }
    let outside = dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    symlink(&outside, store.root().join(DAY).join("P-2")).unwrap();
    let error = append(&store, vec![plain("P-2", "x")], &os()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    fs::write(outside.join("events.jsonl"), "{}\n").unwrap();
    assert!(store.tail("P-2").unwrap().poll(1).is_err());
    assert!(kinds(&store).contains(&FindingKind::OutsideLink));
}

#[test]
fn a_store_is_only_made_by_writing() {
    use chronoscope::clock::Clock;
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().join("a/b/events");
    let error = LocalStore::open(&at, Clock::System).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.hint().is_some() && !at.exists());
    let store = store(&at);
    assert!(store.issues().unwrap().is_empty() && store.tail("P-1").is_err() && !at.exists());
    append(&store, vec![plain("P-1", "x")], &os()).unwrap();
    assert_eq!(LocalStore::open(&at, Clock::System).unwrap().keys().unwrap(), ["P-1"]);
}
