//! Partitions that are compressed: everything reads them as before, and no fault loses a line.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use chronoscope::clock::Clock;
use chronoscope::error::ErrorKind;
use chronoscope::model::Timestamp;
use chronoscope::store::local::{FindingKind, Kept, LocalStore, Selection};
use chronoscope::store::{AppendOptions, EventStore};
use serde_json::Value;

use crate::cli_support::{NOW, SESSION, TestEnvironment};
use crate::store_support::{append, assert_global_complete, assert_sound, drain, event, lines};

const WAIT: Duration = Duration::from_secs(9);
const DAYS: [&str; 3] = ["2026-11-20", "2026-11-21", "2026-11-22"];

fn line(key: &str, n: u32, day: &str, note: &str) -> String {
    format!(
        "{{\"event_id\":\"{}\",\"event_type\":\"PhaseStarted\",\"timestamp\":\"{day}T10:00:0{}.000Z\",\
         \"issue_key\":\"{key}\",\"session_id\":\"{SESSION}\",\
         \"actor\":{{\"type\":\"system\",\"id\":\"o\"}},\
         \"metadata\":{{\"phase\":\"P{n}\",\"note\":\"{note}\"}}}}",
        id(key, n),
        n % 10
    )
}

fn id(key: &str, n: u32) -> String {
    format!("00000000-0000-4000-8000-{}{n:011}", u8::from(key == "Q-1"))
}

/// Two issues over three days, some lines longer than others, all signed.
fn filled() -> TestEnvironment {
    let environment = TestEnvironment::new();
    for key in ["P-1", "Q-1"] {
        for (at, day) in (0..).zip(DAYS) {
            let events: Vec<String> =
                (0..6).map(|n| line(key, at * 6 + n, day, &"x".repeat(n as usize * 211))).collect();
            environment.append_text(&events.join("\n")).ok();
        }
    }
    environment.run(&["store", "checkpoint"]).ok();
    environment
}

fn store(environment: &TestEnvironment) -> LocalStore {
    LocalStore::at(environment.store(), Clock::Fixed(Timestamp::parse(NOW).unwrap()))
}

fn plain(environment: &TestEnvironment, day: &str, key: &str) -> PathBuf {
    environment.store().join(day).join(key).join("events.jsonl")
}

fn archive(environment: &TestEnvironment, day: &str, key: &str) -> PathBuf {
    environment.store().join("archive").join(day).join(key).join("events.jsonl.zst")
}

fn archived(environment: &TestEnvironment) -> Value {
    environment.run(&["store", "archive", "--yes", "--json"]).json()
}

/// Damages a frame of P-1's first archive, or its table.
fn damage(environment: &TestEnvironment, how: &str) {
    let path = archive(environment, DAYS[0], "P-1");
    let mut bytes = fs::read(&path).unwrap();
    let at = if how == "a frame" { 60 } else { bytes.len() - 3 };
    bytes[at..at + 2].copy_from_slice(b"??");
    fs::write(&path, bytes).unwrap();
}

/// What everybody answers.
fn answers(environment: &TestEnvironment) -> Vec<String> {
    let commands: &[&[&str]] = &[
        &["state", "P-1", "--json"],
        &["state", "P-1", "--at", "4", "--json"],
        &["timeline", "P-1", "--around", "6", "--json"],
        &["diff", "P-1", "2", "15", "--json"],
        &["query", "--jsonl"],
        &["query", "--issue", "P-1", "--reverse", "--jsonl"],
        &["query", "--type", "PhaseStarted", "--phase", "P3", "--jsonl"],
        &["why", "P-1", "/orchestration/current_phase", "--json"],
        &["tail", "P-1", "-n", "12", "--jsonl"],
        &["store", "stats", "--json"],
        &["verify", "--json"],
        &["verify", "--deep", "--json", "P-1"],
        &["store", "repair", "--json"],
        &["P-1", "--json"],
    ];
    commands
        .iter()
        .map(|args| {
            let text = environment.run(args).ok();
            // How long it took is not the same twice.
            text.lines().filter(|line| !line.contains("took_ms")).collect::<Vec<_>>().join("\n")
        })
        .collect()
}

#[test]
fn every_command_answers_as_before() {
    let environment = filled();
    let before = answers(&environment);
    let text = |day, key| fs::read(plain(&environment, day, key)).unwrap();
    let whole = text(DAYS[0], "P-1");
    let told = archived(&environment);
    assert_eq!(told["partitions"].as_array().unwrap().len(), 4, "{told:#}");
    assert_eq!(told["kept"].as_array().unwrap().len(), 2, "{told:#}");
    for day in &DAYS[..2] {
        assert!(!plain(&environment, day, "P-1").exists());
        assert!(archive(&environment, day, "Q-1").exists());
    }
    assert!(plain(&environment, DAYS[2], "P-1").exists());
    assert_eq!(answers(&environment), before);
    // Any zstd tool reads it.
    let bytes = fs::read(archive(&environment, DAYS[0], "P-1")).unwrap();
    assert_eq!(zstd::stream::decode_all(&bytes[..]).unwrap(), whole);
    // Without what is derived, and without the folders that only held it.
    fs::remove_dir_all(environment.store().join(DAYS[0])).unwrap();
    fs::remove_file(environment.store().join("global/events.jsonl")).unwrap();
    fs::remove_dir_all(environment.store().join(".chronoscope/locks")).unwrap();
    fs::remove_dir_all(environment.store().join(".chronoscope/index")).unwrap();
    environment.run(&["store", "rebuild"]).ok();
    assert_eq!(answers(&environment), before);
    // Again is nothing.
    let again = archived(&environment);
    assert_eq!(again["partitions"].as_array().unwrap().len(), 0, "{again:#}");
    let back = environment.run(&["store", "archive", "--restore", "--yes", "--json"]).json();
    assert_eq!(back["partitions"].as_array().unwrap().len(), 4, "{back:#}");
    assert_eq!(text(DAYS[0], "P-1"), whole);
    assert!(!archive(&environment, DAYS[0], "P-1").exists());
    assert_eq!(answers(&environment), before);
}

#[test]
fn what_is_chosen_and_what_is_only_told() {
    let environment = filled();
    let dry = environment.run(&["store", "archive", "--dry-run", "--json"]).json();
    assert_eq!((&dry["done"], dry["partitions"].as_array().unwrap().len()), (&false.into(), 4));
    // Without a terminal nobody is asked.
    let text = environment.run(&["store", "archive"]).ok();
    assert!(text.contains("would archive 4 partitions; --yes does it"), "{text}");
    assert!(text.contains("stays: Appends still read it"), "{text}");
    assert!(!environment.store().join("archive").exists());
    let args = ["store", "archive", "--issue", "Q-1", "--before", DAYS[1], "--yes"];
    environment.run(&args).ok();
    assert!(archive(&environment, DAYS[0], "Q-1").exists());
    assert!(!archive(&environment, DAYS[1], "Q-1").exists());
    assert!(!archive(&environment, DAYS[0], "P-1").exists());
    environment.run(&["store", "archive", "--issue", "X-1"]).message(3);
    environment.run(&["store", "archive", "--before", "soon"]).message(2);
}

#[test]
fn what_no_checkpoint_signs_stays_plain() {
    let environment = TestEnvironment::new();
    for (n, day) in (0..).zip(DAYS) {
        environment.append_text(&line("P-1", n, day, "")).ok();
    }
    let kept = |environment: &TestEnvironment| {
        let all = store(environment).archivable(&Selection::default()).unwrap();
        all.into_iter().map(|one| one.kept).collect::<Vec<_>>()
    };
    let last = Some(Kept::LastPartition);
    assert_eq!(kept(&environment), [Some(Kept::NotSigned), Some(Kept::NotSigned), last]);
    environment.run(&["store", "checkpoint"]).ok();
    assert_eq!(kept(&environment), [None, None, last]);
    // A line in its midst that was changed is told only when all of it is read.
    let path = plain(&environment, DAYS[0], "P-1");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{}{text}", text.replace("P0", "PX"))).unwrap();
    assert_eq!(kept(&environment), [None, None, last]);
    let told = archived(&environment);
    assert_eq!(told["kept"][0]["kept"], "not-signed", "{told:#}");
    assert!(path.exists());
    fs::write(&path, text.trim_end()).unwrap();
    assert_eq!(kept(&environment)[0], Some(Kept::NotWhole));
}

#[test]
fn ids_in_archives_are_known_to_appends() {
    for indexed in [true, false] {
        let environment = filled();
        archived(&environment);
        if !indexed {
            fs::remove_dir_all(environment.store().join(".chronoscope/index")).unwrap();
            fs::remove_dir_all(environment.store().join(".chronoscope/locks")).unwrap();
        }
        let again = line("P-1", 2, DAYS[0], &"x".repeat(422));
        let told = environment.append_text(&again).json();
        assert_eq!((&told["duplicate"], &told["event_sequence"]), (&true.into(), &3.into()));
        assert_eq!(told["partition"], DAYS[0]);
        environment.append_text(&line("P-1", 2, DAYS[0], "other")).message(5);
        // Time goes on from the latest, wherever it stands; nothing is added to an archive.
        let next = environment.append_text(&line("P-1", 99, DAYS[0], "")).json();
        assert_eq!((&next["event_sequence"], &next["partition"]), (&19.into(), &DAYS[2].into()));
        assert_sound(&store(&environment));
    }
}

#[test]
fn nothing_is_written_where_an_archive_is() {
    let environment = TestEnvironment::new();
    environment.append_text(&line("P-1", 1, DAYS[0], "")).ok();
    environment.run(&["store", "checkpoint"]).ok();
    environment.append_text(&line("P-1", 2, DAYS[2], "")).ok();
    archived(&environment);
    // The last day is gone, and nothing of it was signed.
    fs::remove_dir_all(environment.store().join(DAYS[2])).unwrap();
    fs::remove_dir_all(environment.store().join(".chronoscope/locks")).unwrap();
    let message = environment.append_text(&line("P-1", 99, DAYS[0], "")).message(6);
    assert!(message.contains("store archive --restore --issue P-1"), "{message}");
    assert!(!plain(&environment, DAYS[0], "P-1").exists());
    environment.run(&["store", "archive", "--restore", "--issue", "P-1", "--yes"]).ok();
    let told = environment.append_text(&line("P-1", 99, DAYS[0], "")).json();
    assert_eq!(told["event_sequence"], 2);
}

#[test]
fn who_follows_a_log_sees_nothing_of_it() {
    let environment = filled();
    let store = store(&environment);
    let expected = lines(&store, "P-1");
    // Standing before, within and behind what is archived; and the same when it is restored.
    for restore in [false, true] {
        for read in [0, 1, 6, 7, 12, 18] {
            let mut tail = store.tail("P-1").unwrap();
            let mut fetch = tail.fetcher();
            let (mut seen, mut places) = (Vec::new(), Vec::new());
            while seen.len() < read {
                let chunk = tail.poll(1).unwrap();
                for line in &chunk.lines {
                    seen.push(String::from_utf8_lossy(&chunk.bytes[line.range.clone()]).into());
                    places.push(line.locator);
                }
            }
            let change: &[&str] = match restore {
                true => &["store", "archive", "--restore", "--yes"],
                false => &["store", "archive", "--yes"],
            };
            environment.run(change).ok();
            let (rest, notices) = drain(tail.as_mut(), 1 << 20);
            assert!(notices.iter().all(|notice| !notice.starts_anew()), "{notices:?}");
            seen.extend(rest);
            assert_eq!(seen, expected, "after {read}");
            for (place, line) in places.iter().zip(&expected) {
                assert_eq!(fetch.fetch(*place).unwrap(), line.as_bytes());
            }
            let undo: &[&str] = match restore {
                true => &["store", "archive", "--yes"],
                false => &["store", "archive", "--restore", "--yes"],
            };
            environment.run(undo).ok();
        }
        environment.run(&["store", "archive", "--yes"]).ok();
    }
}

#[test]
fn damage_of_an_archive_is_named_and_mended() {
    let environment = filled();
    let before = answers(&environment);
    archived(&environment);
    let path = archive(&environment, DAYS[0], "P-1");
    let sound = fs::read(&path).unwrap();
    let whole = zstd::stream::decode_all(&sound[..]).unwrap();
    let mut neutral = 0;
    let step = if std::env::var_os("CHRONOSCOPE_LONG_TESTS").is_some() { 1 } else { 31 };
    for at in (0..sound.len()).step_by(step) {
        let mut bytes = sound.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&path, &bytes).unwrap();
        let store = store(&environment);
        let report = store.verify(None).unwrap();
        if zstd::stream::decode_all(&bytes[..]).is_ok_and(|text| text == whole)
            && report.findings.is_empty()
        {
            // A few bits fill up bytes and mean nothing.
            neutral += 1;
            continue;
        }
        let named = report.findings.iter().find(|f| f.kind == FindingKind::ArchiveDamaged);
        let named = named.unwrap_or_else(|| panic!("byte {at}: {:#?}", report.findings));
        assert_eq!(named.file, path);
        // Nobody is told of a log with holes.
        let error = store.tail("P-1").and_then(|mut tail| {
            loop {
                if tail.poll(1 << 20)?.at_end {
                    return Ok(());
                }
            }
        });
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Integrity, "byte {at}");
    }
    assert!(neutral * 50 < sound.len() / step, "{neutral} flips went unnoticed");
    for bytes in [&sound[..sound.len() / 2], b"", &[&sound[..100], b"????", &sound[104..]].concat()]
    {
        fs::write(&path, bytes).unwrap();
        let message = environment.run(&["state", "P-1"]).message(6);
        assert!(message.contains("events.jsonl"), "{message}");
        environment.run(&["store", "archive", "--restore", "--yes"]).message(6);
        environment.run(&["store", "repair", "--yes"]).ok();
        assert_eq!(answers(&environment), before);
        assert!(plain(&environment, DAYS[0], "P-1").exists());
        archived(&environment);
        assert_eq!(fs::read(&path).unwrap(), sound);
        assert!(!plain(&environment, DAYS[0], "P-1").exists());
        assert_eq!(answers(&environment), before);
    }
}

#[test]
fn a_damaged_archive_holds_up_no_other_issue() {
    for how in ["a frame", "the table"] {
        let environment = filled();
        let before = answers(&environment);
        archived(&environment);
        damage(&environment, how);
        // As after a power cut, when nothing that is noted is believed.
        fs::remove_dir_all(environment.store().join(".chronoscope/locks")).unwrap();
        let told = environment.append_text(&line("Q-1", 99, DAYS[2], "")).json();
        assert_eq!(told["event_sequence"], 19, "{how}");
        let global = fs::read_to_string(environment.store().join("global/events.jsonl")).unwrap();
        assert!(global.contains(&id("Q-1", 99)) && !global.contains('\0'), "{how}");
        environment.append_text(&line("P-1", 99, DAYS[2], "")).message(6);
        environment.run(&["store", "repair", "--yes"]).ok();
        environment.append_text(&line("P-1", 99, DAYS[2], "")).ok();
        assert_sound(&store(&environment));
        assert_global_complete(&store(&environment), &["P-1", "Q-1"]);
        let state = &["state", "P-1", "--at", "4", "--json"];
        let position = |text: &str| text.replace("\"head\":19", "\"head\":18");
        assert_eq!(position(&environment.run(state).ok()).trim(), before[1], "{how}");
    }
}

/// A copy saves what is left: what an archive has lost is named, and what is sound comes over.
#[test]
fn a_copy_goes_past_a_damaged_archive_and_names_it() {
    for how in ["a frame", "the table"] {
        let environment = filled();
        let sound: String = DAYS
            .iter()
            .map(|day| fs::read_to_string(plain(&environment, day, "P-1")).unwrap())
            .collect();
        archived(&environment);
        damage(&environment, how);
        let kept: Vec<&str> = sound.lines().skip(6).collect();
        let there = |day: &&str| {
            let copy = environment.path().join("copy").join(day).join("P-1/events.jsonl");
            fs::read_to_string(copy).unwrap_or_default()
        };
        let bare = |text: &str| {
            let mut event: Value = serde_json::from_str(text).unwrap();
            event.as_object_mut().unwrap().remove("event_sequence");
            event
        };
        for (more, from) in [(&[][..], 0), (&["--from", DAYS[2]], 6), (&["--speed", "1e9"], 0)] {
            let args = ["replay", "P-1", "--into", "../copy", "--execute", "--json"];
            let ran = environment.run(&[&args, more].concat());
            assert_eq!(ran.code, Some(8), "{how}, {more:?}: {ran:#?}");
            let told: Value = serde_json::from_str(&ran.stdout).unwrap();
            let found = told["source_findings"].as_array().unwrap();
            assert!(found.iter().any(|one| one["kind"] == "archive-damaged"), "{how}: {told:#}");
            let missing = found.iter().filter(|one| one["kind"] == "line-missing");
            assert_eq!(missing.count(), 6, "{how}: {told:#}");
            let copied: String = DAYS.iter().map(there).collect();
            let copied: Vec<Value> = copied.lines().map(bare).collect();
            let expected: Vec<Value> = kept[from..].iter().map(|line| bare(line)).collect();
            assert_eq!(copied, expected, "{how}, {more:?}");
            environment.run(&["--store", "../copy", "verify"]).ok();
            fs::remove_dir_all(environment.path().join("copy")).unwrap();
        }
    }
}

#[test]
fn the_line_that_was_changed_in_an_archive_is_named() {
    let environment = filled();
    archived(&environment);
    // As somebody would who wants it to look right: packed again, checksums and all.
    let path = archive(&environment, DAYS[0], "P-1");
    let text = zstd::stream::decode_all(&fs::read(&path).unwrap()[..]).unwrap();
    let text = String::from_utf8(text).unwrap().replace("\"P3\"", "\"P9\"");
    fs::create_dir_all(plain(&environment, DAYS[0], "P-1").parent().unwrap()).unwrap();
    let other = TestEnvironment::new();
    fs::create_dir_all(plain(&other, DAYS[0], "P-1").parent().unwrap()).unwrap();
    fs::write(plain(&other, DAYS[0], "P-1"), text).unwrap();
    other.append_text(&line("P-1", 99, DAYS[2], "")).ok();
    other.run(&["store", "checkpoint"]).ok();
    archived(&other);
    fs::copy(archive(&other, DAYS[0], "P-1"), &path).unwrap();
    let report = store(&environment).verify(None).unwrap();
    let changed = report.findings.iter().find(|f| f.kind == FindingKind::LineChanged);
    let changed = changed.unwrap_or_else(|| panic!("{:#?}", report.findings));
    assert_eq!((changed.line, changed.event_sequence), (Some(4), Some(4)));
    assert_eq!(changed.file, path);
}

#[test]
fn a_plain_file_that_differs_is_never_put_over() {
    let environment = filled();
    archived(&environment);
    let path = plain(&environment, DAYS[0], "P-1");
    let packed = archive(&environment, DAYS[0], "P-1");
    let whole = zstd::stream::decode_all(&fs::read(&packed).unwrap()[..]).unwrap();
    let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    fs::write(&path, &whole[..first]).unwrap();
    let told = archived(&environment);
    assert_eq!(told["kept"][0]["kept"], "differs", "{told:#}");
    let restore = ["store", "archive", "--restore", "--issue", "P-1", "--yes"];
    let message = environment.run(&restore).message(6);
    assert!(message.contains("both stay"), "{message}");
    assert!(path.exists() && packed.exists());
    // What is the same goes either way.
    fs::write(&path, &whole).unwrap();
    archived(&environment);
    assert!(!path.exists());
    fs::write(&path, &whole).unwrap();
    environment.run(&restore).ok();
    assert!(!packed.exists());
    assert_sound(&store(&environment));
}

#[test]
fn large_partitions_are_read_in_parts() {
    let dir = tempfile::tempdir().unwrap();
    let store = crate::store_support::store(dir.path());
    let noise = |n: u64| {
        let mut state = n + 1;
        let next = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(b'a' + (state >> 59) as u8)
        };
        (0..9000).map(next).collect::<String>()
    };
    let days = ["2026-11-18", "2026-11-19"];
    for (day, count) in days.iter().zip([500, 1]) {
        let at = format!("{day}T10:00:00Z");
        let all = (0..count).map(|n| event("P-1", &noise(n), None, Some(&at))).collect();
        append(&store, all, &AppendOptions::default()).unwrap();
    }
    store.checkpoint(WAIT).unwrap();
    let before = lines(&store, "P-1");
    let mut meant = store.archivable(&Selection::default()).unwrap();
    store.archive(&mut meant, WAIT, &mut |_| {}).unwrap();
    let made = &meant[0];
    assert!(made.bytes > 4 << 20 && made.kept.is_none(), "{made:?}");
    assert_eq!(lines(&store, "P-1"), before);
    for limit in [1, 1000, 300_000] {
        assert_eq!(drain(store.tail("P-1").unwrap().as_mut(), limit).0, before);
    }
    assert_sound(&store);
    assert_global_complete(&store, &["P-1"]);
    store.rebuild_global(WAIT).unwrap();
    assert_global_complete(&store, &["P-1"]);
}

/// Whatever is killed or fails: the lines are there, and the next one does what was left.
#[cfg(all(unix, debug_assertions))]
#[test]
fn a_fault_at_any_operation_loses_nothing() {
    use crate::disk_support::{Step, trace};
    let long = std::env::var_os("CHRONOSCOPE_LONG_TESTS").is_some();
    let forth: &[&str] = &["store", "archive", "--issue", "P-1", "--before", DAYS[1], "--yes"];
    let back: &[&str] = &["store", "archive", "--restore", "--issue", "P-1", "--yes"];
    let environment = filled();
    let before = (lines(&store(&environment), "P-1"), lines(&store(&environment), "Q-1"));
    let (mut kills, mut failures) = (0, 0);
    for (args, other) in [(forth, back), (back, forth)] {
        environment.run(back).ok();
        environment.run(other).ok();
        let run = |fault: &str| {
            let mut command = environment.command(args);
            command.env("CHRONOSCOPE_FAULT", fault);
            environment.feed(command, "")
        };
        let path = environment.path().join("trace");
        run(&format!("trace:{}", path.display())).ok();
        let steps: Vec<Step> = trace(&path).into_iter().filter(|step| step.number > 0).collect();
        fs::remove_file(&path).unwrap();
        for (turn, step) in steps.iter().enumerate() {
            let n = step.number;
            let mut faults = vec![format!("error:{n}:EIO"), format!("error:{n}+:ENOSPC")];
            if step.what() == "write" {
                faults.extend([format!("short:{n}"), format!("half:{n}")]);
            }
            if !long {
                faults = vec![faults.swap_remove(turn % faults.len())];
            }
            if step.changes() {
                faults.push(format!("kill:{n}"));
            }
            for fault in faults {
                environment.run(other).ok();
                let ran = run(&fault);
                match ran.code {
                    None => kills += 1,
                    Some(0) => {}
                    Some(7) => failures += 1,
                    _ => panic!("{fault} at {step:?}: {ran:#?}"),
                }
                let store = store(&environment);
                let after = (lines(&store, "P-1"), lines(&store, "Q-1"));
                assert_eq!(after, before, "{fault} at {step:?}");
                assert_sound(&store);
                environment.run(args).ok();
                let is_plain = plain(&environment, DAYS[0], "P-1").exists();
                let is_archived = archive(&environment, DAYS[0], "P-1").exists();
                assert_eq!((is_plain, is_archived), (args == back, args == forth), "{fault}");
            }
        }
    }
    assert!(kills > 20 && failures > 20, "{kills} kills, {failures} failures");
    let told = environment.append_text(&line("P-1", 99, DAYS[2], "")).json();
    assert_eq!(told["event_sequence"], 19);
    assert_sound(&store(&environment));
}
