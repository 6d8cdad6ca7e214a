//! What `store repair` finds, does, and leaves alone.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chronoscope::error::ErrorKind;
use chronoscope::store::local::{FindingKind, LocalStore, Mend, RepairAction, Repaired};
use serde_json::Value;

use crate::cli_support::TestEnvironment;
use crate::store_support::{append, assert_global_complete, assert_sound, lines, os, plain, store};

const WAIT: Duration = Duration::from_secs(9);

fn log(dir: &Path) -> PathBuf {
    dir.join("2026-11-20/P-1/events.jsonl")
}

fn filled(dir: &Path, events: usize) -> LocalStore {
    let store = store(dir);
    for n in 0..events {
        append(&store, vec![plain("P-1", &n.to_string())], &os()).unwrap();
    }
    store
}

fn mend(store: &LocalStore) -> Repaired {
    let told = store.examine(None, WAIT).unwrap();
    let done = store.repair(None, &told, WAIT).unwrap();
    assert_eq!(done.mends, told);
    assert_eq!(done.derived_fault, None);
    done
}

fn actions(mends: &[Mend]) -> Vec<(FindingKind, RepairAction)> {
    mends.iter().map(|mend| (mend.kind, mend.action)).collect()
}

/// The bytes and the note of everything that was taken out.
fn kept(dir: &Path) -> Vec<(Vec<u8>, Value)> {
    let entries = fs::read_dir(dir.join(".chronoscope/quarantine")).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let bytes = paths.iter().filter(|path| path.extension().unwrap() == "bin");
    bytes
        .map(|path| {
            let note = fs::read(path.with_extension("json")).unwrap();
            (fs::read(path).unwrap(), serde_json::from_slice(&note).unwrap())
        })
        .collect()
}

#[test]
fn a_damaged_line_goes_and_everything_else_stays() {
    for damage in [&b"garbage"[..], b"\0\0\0", b"[1]", b"[]", b"{\"event_id\":", b"\xff\xfe{}"] {
        for at in [0, 2, 3] {
            let dir = tempfile::tempdir().unwrap();
            let store = filled(dir.path(), 3);
            let sound = fs::read(log(dir.path())).unwrap();
            let mut all: Vec<&[u8]> = sound.split_inclusive(|byte| *byte == b'\n').collect();
            let line = [damage, b"\n"].concat();
            all.insert(at, &line);
            fs::write(log(dir.path()), all.concat()).unwrap();
            let done = mend(&store);
            assert_eq!(actions(&done.mends)[0].1, RepairAction::TakeOut, "{done:#?}");
            assert_eq!(done.mends[0].line, Some(at as u64 + 1));
            assert_eq!(fs::read(log(dir.path())).unwrap(), sound);
            let [(bytes, note)] = &kept(dir.path())[..] else { panic!("{done:#?}") };
            assert_eq!(*bytes, line);
            assert_eq!(note["file"], "2026-11-20/P-1/events.jsonl");
            assert_eq!(note["line"], at as u64 + 1);
            assert_eq!(mend(&store), Repaired::default());
            assert_eq!(
                append(&store, vec![plain("P-1", "x")], &os()).unwrap()[0].event_sequence,
                4
            );
            assert_global_complete(&store, &["P-1"]);
            assert_sound(&store);
        }
    }
}

#[test]
fn what_was_published_comes_back() {
    type Harm<'a> = &'a dyn Fn(&mut Vec<Vec<u8>>);
    let harms: [(&str, Harm<'_>); 7] = [
        ("first", &|all| all[0] = b"x\n".to_vec()),
        ("middle", &|all| all[2] = b"x\n".to_vec()),
        ("last", &|all| all[4] = b"x\n".to_vec()),
        ("two", &|all| all.splice(1..3, [b"x\n".to_vec(), b"\0\n".to_vec()]).for_each(drop)),
        ("gone", &|all| drop(all.remove(2))),
        ("cut", &|all| all.truncate(3)),
        ("torn", &|all| all[4].truncate(9)),
    ];
    for (what, harm) in harms {
        for checkpoint in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let store = filled(dir.path(), 5);
            if checkpoint {
                store.checkpoint(WAIT).unwrap();
            }
            let sound = fs::read(log(dir.path())).unwrap();
            let mut all: Vec<Vec<u8>> =
                sound.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
            harm(&mut all);
            // The same file, as it is after damage.
            let file = fs::OpenOptions::new().write(true).open(log(dir.path())).unwrap();
            file.set_len(0).unwrap();
            std::os::unix::fs::FileExt::write_all_at(&file, &all.concat(), 0).unwrap();
            let done = mend(&store);
            assert!(
                done.mends.iter().any(|m| m.action == RepairAction::Restore),
                "{what}: {done:#?}"
            );
            assert_eq!(fs::read(log(dir.path())).unwrap(), sound, "{what}: {done:#?}");
            assert!(mend(&store).mends.is_empty(), "{what}");
            assert_sound(&store);
            assert_eq!(
                append(&store, vec![plain("P-1", "x")], &os()).unwrap()[0].event_sequence,
                6
            );
            store.checkpoint(WAIT).unwrap();
            assert_sound(&store);
        }
    }
}

#[test]
fn a_day_that_is_gone_comes_back_in_its_place() {
    use crate::store_support::event;
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    for day in 17..20 {
        for hour in 10..12 {
            let at = format!("2026-11-{day}T{hour}:00:00Z");
            append(&store, vec![event("P-1", "x", None, Some(&at))], &os()).unwrap();
        }
    }
    let before = lines(&store, "P-1");
    for day in [17, 18, 19] {
        fs::remove_dir_all(dir.path().join(format!("2026-11-{day}"))).unwrap();
        mend(&store);
        assert_eq!(lines(&store, "P-1"), before, "{day}");
        assert!(dir.path().join(format!("2026-11-{day}/P-1/events.jsonl")).is_file());
        assert_sound(&store);
    }
}

#[test]
fn several_events_on_a_line_get_a_line_each() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path(), 3);
    let sound = fs::read_to_string(log(dir.path())).unwrap();
    let before = lines(&store, "P-1");
    for joined in [sound.replacen('\n', "", 1), sound.replacen('\n', "\0\n", 3)] {
        fs::write(log(dir.path()), &joined).unwrap();
        let done = mend(&store);
        assert!(done.mends.iter().all(|m| m.action == RepairAction::Split), "{done:#?}");
        assert_eq!(lines(&store, "P-1"), before);
        assert_eq!(fs::read_to_string(log(dir.path())).unwrap(), sound);
        assert_sound(&store);
    }
}

#[test]
fn a_line_that_stands_twice_goes_once_and_another_with_its_number_stays() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path(), 3);
    let sound = fs::read_to_string(log(dir.path())).unwrap();
    let second = sound.lines().nth(1).unwrap();
    fs::write(log(dir.path()), format!("{sound}{second}\n")).unwrap();
    let done = mend(&store);
    let taken = [(FindingKind::SequenceRepeated, RepairAction::TakeOut)];
    assert_eq!(actions(&done.mends), taken);
    assert_eq!(fs::read_to_string(log(dir.path())).unwrap(), sound);
    let other = second.replace("\"note\":\"1\"", "\"note\":\"other\"");
    assert_ne!(other, second);
    let with_other = format!("{sound}{other}\n");
    fs::write(log(dir.path()), &with_other).unwrap();
    let done = mend(&store);
    let left = [(FindingKind::SequenceRepeated, RepairAction::Leave)];
    assert_eq!(actions(&done.mends), left);
    assert!(!done.mends[0].stays());
    assert_eq!(fs::read_to_string(log(dir.path())).unwrap(), with_other);
}

#[test]
fn what_a_checkpoint_signs_is_never_taken_out() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path(), 2);
    let sound = fs::read_to_string(log(dir.path())).unwrap();
    let first = sound.lines().next().unwrap();
    // As a log of another program may be, signed as it came.
    let harmed = format!("garbage\n{sound}{first}\n");
    fs::write(log(dir.path()), &harmed).unwrap();
    store.rebuild(WAIT, &mut |_, _| {}).unwrap();
    append(&store, vec![plain("P-1", "x")], &os()).unwrap();
    store.checkpoint(WAIT).unwrap();
    let done = mend(&store);
    assert!(done.mends.iter().all(|m| m.action == RepairAction::Leave), "{done:#?}");
    assert!(done.mends.iter().any(Mend::stays));
    assert!(fs::read_to_string(log(dir.path())).unwrap().starts_with(&harmed));
}

#[test]
fn logs_of_other_programs_are_left_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(log(dir.path()).parent().unwrap()).unwrap();
    let text = "{\"what\":1}\n\n{\"event_sequence\":5}\n{\"what\":1}\n{\"event_sequence\":3}\n";
    fs::write(log(dir.path()), text).unwrap();
    let store = store(dir.path());
    let done = mend(&store);
    assert!(done.mends.iter().all(|m| m.action == RepairAction::Leave && !m.stays()), "{done:#?}");
    assert_eq!(fs::read_to_string(log(dir.path())).unwrap(), text);
}

#[test]
fn what_changed_since_it_was_told_is_not_done() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path(), 2);
    let sound = fs::read_to_string(log(dir.path())).unwrap();
    fs::write(log(dir.path()), format!("{sound}x\n")).unwrap();
    let told = store.examine(None, WAIT).unwrap();
    let now = format!("{sound}x\ny\n");
    fs::write(log(dir.path()), &now).unwrap();
    let error = store.repair(None, &told, WAIT).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(fs::read_to_string(log(dir.path())).unwrap(), now);
}

fn harmed() -> (TestEnvironment, Vec<u8>, Vec<u8>) {
    let environment = TestEnvironment::with_history();
    let sound = fs::read(environment.log()).unwrap();
    let end = memchr::memchr(b'\n', &sound).unwrap();
    let harmed = [&b"garbage \x1b]52;c;x\x07"[..], &sound[end..], b"more \x1b[2J\n"].concat();
    fs::write(environment.log(), &harmed).unwrap();
    (environment, sound, harmed)
}

#[test]
fn the_command_explains_and_does_it_when_told() {
    let (environment, sound, harmed) = harmed();
    let refused = environment.append_phase("PROJ-1", "CODE", &[]).message(6);
    assert!(refused.contains("chronoscope store repair"), "{refused}");
    let ran = environment.run(&["store", "repair"]);
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(ran.stdout.contains("events.jsonl:1"), "{ran:?}");
    assert!(ran.stdout.contains("bring back event 1"), "{ran:?}");
    assert!(ran.stdout.contains("--yes does it"), "{ran:?}");
    assert_eq!(fs::read(environment.log()).unwrap(), harmed);
    let ran = environment.run(&["store", "repair", "--json"]);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &told["done"]), (Some(6), &Value::Bool(false)));
    assert_eq!(fs::read(environment.log()).unwrap(), harmed);
    let done = environment.run(&["store", "repair", "PROJ-1", "--yes", "--json"]).json();
    assert_eq!(done["done"], true);
    assert_eq!(done["mends"], told["mends"]);
    assert_eq!(fs::read(environment.log()).unwrap(), sound);
    environment.append_phase("PROJ-1", "CODE", &[]).ok();
    assert!(environment.run(&["store", "repair"]).ok().contains("nothing to repair"));
    environment.run(&["verify"]).ok();
    environment.run(&["store", "repair", "PROJ-9"]).message(3);
}

#[cfg(debug_assertions)]
#[test]
fn a_repair_that_is_killed_leaves_the_old_or_the_new_log() {
    let mut old = 0;
    let mut new = 0;
    for step in 1.. {
        let (environment, sound, harmed) = harmed();
        let mut command = environment.command(&["store", "repair", "--yes"]);
        command.env("CHRONOSCOPE_FAULT", format!("kill:{step}"));
        let killed = command.output().unwrap().status.code().is_none();
        let there = fs::read(environment.log()).unwrap();
        if there == harmed {
            old += 1;
        } else {
            assert_eq!(there, sound, "killed at {step}");
            new += 1;
        }
        environment.run(&["store", "repair", "--yes"]).ok();
        assert_eq!(fs::read(environment.log()).unwrap(), sound, "killed at {step}");
        environment.append_phase("PROJ-1", "CODE", &[]).ok();
        environment.run(&["verify"]).ok();
        if !killed {
            break;
        }
    }
    assert!(old > 10 && new > 10, "{old} {new}");
}
