//! Writers that append again and again in one process, and keep files open meanwhile: whatever
//! others do to the store between two of their appends, they notice.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chronoscope::clock::Clock;
use chronoscope::error::ErrorKind;
use chronoscope::model::Timestamp;
use chronoscope::store::local::LocalStore;
use chronoscope::store::{AppendOptions, Durability};

use crate::cli_support::{SESSION, TestEnvironment};
use crate::store_support::{
    append, assert_global_complete, assert_sound, event, lines, plain, sequences, store,
};

const WAIT: Duration = Duration::from_secs(60);
const LOG: &str = "2026-11-20/P-1/events.jsonl";
const DURABILITIES: [Durability; 3] = [Durability::Sync, Durability::Os, Durability::Deferred];

fn options(durability: Durability) -> AppendOptions {
    AppendOptions { durability, lock_timeout: WAIT, ..AppendOptions::default() }
}

/// Appends as a long-lived writer does, and gives the sequence number.
fn write(store: &LocalStore, durability: Durability) -> u64 {
    let done = append(store, vec![plain("P-1", "more")], &options(durability)).unwrap();
    store.sync_pending(WAIT).unwrap();
    done[0].event_sequence
}

/// Another file with the same bytes takes the place of one.
fn replace(path: &Path) {
    let copy = path.with_extension("copy");
    // Without a sync there is no sync lock.
    if fs::copy(path, &copy).is_ok() {
        fs::rename(copy, path).unwrap();
    }
}

/// What others may do to a store: a name, what they do, and how many events they add by that.
type Change = (&'static str, fn(&Path), u64);

fn changes() -> Vec<Change> {
    fn remove(dir: &Path, path: &str) {
        // Without a sync there is no sync lock.
        let _ = fs::remove_file(dir.join(path));
    }
    vec![
        ("nothing", |_| {}, 0),
        ("the lock is removed", |dir| remove(dir, ".chronoscope/locks/P-1.lock"), 0),
        ("the lock is replaced", |dir| replace(&dir.join(".chronoscope/locks/P-1.lock")), 0),
        ("the sync lock is removed", |dir| remove(dir, ".chronoscope/locks/P-1.sync"), 0),
        ("the sync lock is replaced", |dir| replace(&dir.join(".chronoscope/locks/P-1.sync")), 0),
        ("the global lock is removed", |dir| remove(dir, ".chronoscope/locks/.global"), 0),
        ("the global lock is replaced", |dir| replace(&dir.join(".chronoscope/locks/.global")), 0),
        ("the global log is removed", |dir| remove(dir, "global/events.jsonl"), 0),
        ("the global log is replaced", |dir| replace(&dir.join("global/events.jsonl")), 0),
        ("the leaf hashes are removed", |dir| remove(dir, ".chronoscope/tlog/leaves"), 0),
        ("the leaf hashes are replaced", |dir| replace(&dir.join(".chronoscope/tlog/leaves")), 0),
        ("the log is replaced", |dir| replace(&dir.join(LOG)), 0),
        ("all locks go", |dir| fs::remove_dir_all(dir.join(".chronoscope/locks")).unwrap(), 0),
        (
            "another appends",
            |dir| {
                write(&store(dir), Durability::Sync);
            },
            1,
        ),
        (
            "another appends on a later day",
            |dir| {
                let draft = event("P-1", "later", None, Some("2026-11-23T00:00:00Z"));
                append(&store(dir), vec![draft], &AppendOptions::default()).unwrap();
            },
            1,
        ),
        (
            "another leaves half a line, and it is repaired",
            |dir| {
                let path = dir.join(LOG);
                let mut bytes = fs::read(&path).unwrap();
                bytes.extend_from_slice(b"{\"event_id\":\"half");
                fs::write(&path, bytes).unwrap();
                let other = store(dir);
                let told = other.examine(None, WAIT).unwrap();
                assert!(!told.is_empty());
                other.repair(None, &told, WAIT).unwrap();
            },
            0,
        ),
        (
            "everything derived is made anew",
            |dir| {
                fs::remove_file(dir.join("global/events.jsonl")).unwrap();
                store(dir).rebuild(WAIT, &mut |_, _| {}).unwrap();
            },
            0,
        ),
    ]
}

#[test]
fn what_others_do_between_two_appends_is_noticed() {
    for (name, change, added) in changes() {
        for durability in DURABILITIES {
            let dir = tempfile::tempdir().unwrap();
            let writer = store(dir.path());
            for n in 1..=3 {
                assert_eq!(write(&writer, durability), n);
            }
            change(dir.path());
            for n in 1..=3 {
                assert_eq!(write(&writer, durability), 3 + added + n, "{name}, {durability:?}");
            }
            writer.publish_all(WAIT).unwrap();
            let all = sequences(&lines(&writer, "P-1"));
            assert_eq!(all, (1..=6 + added).collect::<Vec<_>>(), "{name}, {durability:?}");
            assert_global_complete(&writer, &["P-1"]);
            let leaves = fs::metadata(dir.path().join(".chronoscope/tlog/leaves")).unwrap().len();
            assert_eq!(leaves, 32 * all.len() as u64, "{name}, {durability:?}");
            assert_sound(&writer);
        }
    }
}

/// A lock file that was replaced locks nothing any more: the new one does.
#[test]
fn a_writer_waits_for_the_lock_that_others_see() {
    for (name, replaced) in [("P-1.lock", true), ("P-1.lock", false), ("P-1.sync", true)] {
        let dir = tempfile::tempdir().unwrap();
        let writer = store(dir.path());
        (0..3).for_each(|_| {
            write(&writer, Durability::Sync);
        });
        let path = dir.path().join(".chronoscope/locks").join(name);
        if replaced {
            replace(&path);
        }
        let held = fs::File::open(&path).unwrap();
        held.lock().unwrap();
        let soon = AppendOptions { lock_timeout: Duration::ZERO, ..options(Durability::Sync) };
        let error = append(&writer, vec![plain("P-1", "held")], &soon).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{name}");
        drop(held);
        let before = lines(&writer, "P-1").len() as u64;
        assert_eq!(write(&writer, Durability::Sync), before + 1);
        assert_sound(&writer);
    }
}

/// What threads of one process have open they do not share, or both would hold one lock.
#[test]
fn threads_of_one_writer_leave_no_gap_and_no_duplicate() {
    for durability in DURABILITIES {
        let dir = tempfile::tempdir().unwrap();
        let writer = store(dir.path());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        write(&writer, durability);
                    }
                });
            }
        });
        assert_eq!(sequences(&lines(&writer, "P-1")), (1..=200).collect::<Vec<_>>());
        writer.publish_all(WAIT).unwrap();
        assert_global_complete(&writer, &["P-1"]);
        assert_sound(&writer);
    }
}

/// More issues than files are kept open for.
#[test]
fn a_writer_of_many_issues_keeps_a_bounded_number_of_files() {
    let dir = tempfile::tempdir().unwrap();
    let writer = store(dir.path());
    for round in 1..=3 {
        for issue in 0..100 {
            let draft = plain(&format!("P-{issue}"), "one of many");
            let done = append(&writer, vec![draft], &options(Durability::Os)).unwrap();
            assert_eq!(done[0].event_sequence, round);
        }
    }
    #[cfg(target_os = "linux")]
    {
        let targets = fs::read_dir("/proc/self/fd").unwrap().map(|entry| entry.unwrap().path());
        let targets = targets.filter_map(|path| fs::read_link(path).ok());
        let open = targets.filter(|path| path.starts_with(dir.path())).count();
        // A lock and a log of each issue; no sync lock, for nothing was synced.
        assert!((100..=2 * 64 + 3).contains(&open), "{open}");
    }
    assert_sound(&writer);
}

#[test]
fn a_service_folder_that_leads_out_of_the_store_is_refused() {
    for folder in [".chronoscope", "global"] {
        let dir = tempfile::tempdir().unwrap();
        let (events, outside) = (dir.path().join("events"), dir.path().join("outside"));
        let writer = store(&events);
        for _ in 0..3 {
            write(&writer, Durability::Sync);
        }
        fs::rename(events.join(folder), &outside).unwrap();
        // Another log stands there, and the locks are others.
        replace(&outside.join("events.jsonl"));
        replace(&outside.join("locks/P-1.lock"));
        std::os::unix::fs::symlink(&outside, events.join(folder)).unwrap();
        let mark = |path: &PathBuf| fs::read(path.join("events.jsonl")).ok();
        let before = mark(&outside);
        for refused in [&store(&events), &writer] {
            let done = append(refused, vec![plain("P-1", "x")], &AppendOptions::default());
            if folder == "global" && std::ptr::eq(refused, &raw const writer) {
                // Its lock is still the one, so it is stored; what is derived of it stays behind.
                done.unwrap();
                assert_eq!(lines(refused, "P-1").len(), 4);
            } else {
                assert_eq!(done.unwrap_err().kind(), ErrorKind::Integrity, "{folder}");
                assert_eq!(lines(refused, "P-1").len(), 3);
            }
        }
        let error = store(&events).rebuild_global(WAIT).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Integrity);
        assert_eq!(mark(&outside), before, "nothing was written there");
        // One that stays inside is as good as the folder.
        fs::remove_file(events.join(folder)).unwrap();
        fs::rename(&outside, events.join("kept")).unwrap();
        std::os::unix::fs::symlink("kept", events.join(folder)).unwrap();
        write(&store(&events), Durability::Sync);
        store(&events).publish_all(WAIT).unwrap();
        assert_global_complete(&store(&events), &["P-1"]);
    }
}

fn line(n: usize) -> String {
    format!(
        "{{\"event_type\":\"PhaseStarted\",\"issue_key\":\"P-1\",\"session_id\":\"{SESSION}\",\
         \"actor\":{{\"type\":\"system\",\"id\":\"o\"}},\"metadata\":{{\"phase\":\"P{n}\"}}}}"
    )
}

/// The real program, with the same changes between two lines of its input.
#[test]
fn a_stream_notices_what_others_do_between_two_lines() {
    let lines_of_input: Vec<String> = (0..6).map(line).collect();
    for (name, change, added) in changes() {
        // The program stands in another day than the changes do.
        if added > 0 || name.contains("log is replaced") || name.contains("half a line") {
            continue;
        }
        let environment = TestEnvironment::new();
        let command = environment.command(&["append", "--no-git", "--stream"]);
        let texts = lines_of_input.iter().map(String::as_str);
        let ran = environment.converse(command, texts, |number| {
            if number == 3 {
                change(&environment.store());
            }
        });
        assert_eq!(ran.ok().lines().count(), 6, "{name}");
        let store = LocalStore::at(environment.store(), Clock::System);
        assert_eq!(sequences(&lines(&store, "P-1")), (1..=6).collect::<Vec<_>>(), "{name}");
        store.publish_all(WAIT).unwrap();
        assert_global_complete(&store, &["P-1"]);
        assert_sound(&store);
    }
}

#[test]
fn two_streams_at_once_leave_one_log() {
    let environment = TestEnvironment::new();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let command = environment.command(&["append", "--no-git", "--stream"]);
                let texts: Vec<String> = (0..100).map(line).collect();
                let ran = environment.converse(command, texts.iter().map(String::as_str), |_| {});
                assert_eq!(ran.ok().lines().count(), 100);
            });
        }
    });
    let store = LocalStore::at(environment.store(), Clock::System);
    assert_eq!(sequences(&lines(&store, "P-1")), (1..=200).collect::<Vec<_>>());
    assert_global_complete(&store, &["P-1"]);
    assert_sound(&store);
}

const ROLE: &str = "CHRONOSCOPE_TEST_WRITER";

/// The other side of the test below; without a role it has nothing to do.
#[test]
fn worker() {
    let Ok(dir) = std::env::var(ROLE) else { return };
    let at = Timestamp::parse("2026-11-20T12:00:00Z").unwrap();
    let writer = LocalStore::at(dir, Clock::Fixed(at));
    let mut outcomes = String::new();
    for n in 0..6 {
        let draft = event("P-1", "same", Some(&format!("id-{n}")), None);
        let mut done = append(&writer, vec![draft], &options(Durability::Deferred));
        done = done.and_then(|acks| writer.sync_pending(WAIT).map(|()| acks));
        outcomes.push(if done.is_ok() { 'y' } else { 'n' });
    }
    fs::write(writer.root().with_extension("outcomes"), outcomes).unwrap();
}

/// A sync that fails, and the same process goes on: what it wrote then is written anew before
/// anything after it is called durable.
#[cfg(debug_assertions)]
#[test]
fn after_a_failed_sync_the_same_writer_goes_on() {
    let run = |dir: &Path, fault: &str| {
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store_writers::worker", "--test-threads=1"])
            .env(ROLE, dir.join("events"))
            .env("CHRONOSCOPE_FAULT", format!("{fault}trace:{}", dir.join("trace").display()))
            .stdout(std::process::Stdio::null())
            .status();
        assert!(status.unwrap().success());
        let outcomes = fs::read_to_string(dir.join("events.outcomes")).unwrap();
        (outcomes, crate::disk_support::trace(&dir.join("trace")))
    };
    let calm = tempfile::tempdir().unwrap();
    let (outcomes, steps) = run(calm.path(), "");
    assert_eq!(outcomes, "yyyyyy");
    let is_log = |step: &&crate::disk_support::Step| {
        step.what() == "sync" && step.words.get(2).is_some_and(|site| site == "log")
    };
    let syncs: Vec<u64> = steps.iter().filter(is_log).map(|step| step.number).collect();
    assert_eq!(syncs.len(), 6);
    for (at, number) in syncs.iter().enumerate() {
        let dir = tempfile::tempdir().unwrap();
        let (outcomes, steps) = run(dir.path(), &format!("error:{number}:EIO,"));
        let expected: String = (0..6).map(|n| if n == at { 'n' } else { 'y' }).collect();
        assert_eq!(outcomes, expected);
        // Between the sync that failed and the next the event stands in the log once more.
        let after = steps.iter().skip_while(|step| step.words[0] != "failed").skip(1);
        let until = after.take_while(|step| !is_log(step));
        let id: String = format!("id-{at}").bytes().map(|byte| format!("{byte:02x}")).collect();
        let anew = until.filter(|step| step.what() == "write" && step.words[3].contains(&id));
        assert!(at == 5 || anew.count() >= 1, "{at}");
        let store = store(&dir.path().join("events"));
        store.publish_all(WAIT).unwrap();
        assert_eq!(sequences(&lines(&store, "P-1")), [1, 2, 3, 4, 5, 6]);
        assert_global_complete(&store, &["P-1"]);
        assert_sound(&store);
    }
}
