//! Many processes on one local store, and processes that are killed.
//!
//! The test binary starts itself with a role in an environment variable; [`worker`] plays it.
//! With `CHRONOSCOPE_LONG_TESTS=1` there are twice as many, and each has twice as much to do.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use chronoscope::clock::Clock;
use chronoscope::store::local::LocalStore;
use chronoscope::store::{AppendOptions, Durability};

use crate::store_support::{
    append, assert_global_complete, assert_sound, event, is_long, lines, plain, sequences, store,
};

const ROLE: &str = "CHRONOSCOPE_TEST_ROLE";
const TIMEOUT: Duration = Duration::from_secs(120);
const FILTER: &str = "store_processes::worker";

/// The other side of the tests below; without a role it has nothing to do.
#[test]
fn worker() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let words: Vec<&str> = role.split('|').collect();
    let store = LocalStore::at(words[1], Clock::System);
    let options = AppendOptions {
        durability: Durability::Os,
        lock_timeout: Duration::from_secs(120),
        ..AppendOptions::default()
    };
    // All begin when the parent closes their input.
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).unwrap();
    match words[0] {
        "many" => {
            let (issues, count): (u32, u32) =
                (words[2].parse().unwrap(), words[3].parse().unwrap());
            for n in 0..count {
                let key = format!("P-{}", n % issues + 1);
                append(&store, vec![plain(&key, &n.to_string())], &options).unwrap();
            }
        }
        "sign" => {
            for _ in 0..words[2].parse().unwrap() {
                // Only what is due by then: another may hold the lock, or nothing came.
                store.checkpoint_when_due(16, false, TIMEOUT).unwrap();
                std::thread::yield_now();
            }
        }
        "expect" => {
            let options = AppendOptions { expected_sequence: Some(1), ..options };
            let won = append(&store, vec![plain("P-1", words[2])], &options).is_ok();
            std::fs::write(words[3], if won { "won" } else { "lost" }).unwrap();
        }
        "retry" => {
            for n in 0..100 {
                let draft = event("P-1", "same", Some(&format!("id-{n}")), None);
                append(&store, vec![draft], &options).unwrap();
            }
        }
        "endless" => {
            let mut acknowledged =
                std::fs::OpenOptions::new().append(true).create(true).open(words[2]).unwrap();
            // Single events and batches, over several days, until the end comes.
            for n in 0_u32.. {
                let day = (n / 7) % 28 + 1;
                let at = format!("2020-{:02}-{day:02}T00:00:00Z", (n / 196) % 12 + 1);
                let size = if n % 3 == 0 { 5 } else { 1 };
                let drafts = (0..size).map(|_| event("P-1", &"y".repeat(300), None, Some(&at)));
                let acks = append(&store, drafts.collect(), &options).unwrap();
                for ack in acks {
                    // One write, between line feeds: a kill cuts no note, and joins no two.
                    let note = format!("\n{} {}\n", ack.event_sequence, ack.event_id);
                    acknowledged.write_all(note.as_bytes()).unwrap();
                }
            }
        }
        "span" => {
            let at = |day, text: &str| event("P-1", text, None, Some(day));
            let large = "z".repeat(1 << 20);
            let drafts = vec![at("2026-11-20T13:00:00Z", "a"), at("2026-11-21T00:00:00Z", &large)];
            append(&store, drafts, &options).unwrap();
        }
        other => panic!("no role {other}"),
    }
}

fn start(role: &[&str]) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", FILTER, "--test-threads=1", "--nocapture"])
        .env(ROLE, role.join("|"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

fn run(mut children: Vec<Child>) {
    for child in &mut children {
        drop(child.stdin.take());
    }
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
}

fn path(dir: &Path) -> &str {
    dir.to_str().unwrap()
}

/// Writers and two that sign at once: every checkpoint goes on from the one before, and the last
/// signs what all wrote.
#[test]
fn many_processes_leave_one_log_that_is_signed() {
    let dir = tempfile::tempdir().unwrap();
    let mut children: Vec<Child> =
        (0..8).map(|_| start(&["many", path(dir.path()), "3", "60"])).collect();
    children.extend((0..2).map(|_| start(&["sign", path(dir.path()), "3000"])));
    run(children);
    let store = store(dir.path());
    assert_sound(&store);
    let signed = store.checkpoint(TIMEOUT).unwrap();
    assert_eq!(signed.size, 480);
    assert_sound(&store);
    let history = std::fs::read_to_string(dir.path().join(".chronoscope/tlog/history")).unwrap();
    assert!(history.lines().count() >= 2, "{history}");
    let leaves = std::fs::metadata(dir.path().join(".chronoscope/tlog/leaves")).unwrap().len();
    assert_eq!(leaves, 480 * 32);
}

#[test]
fn many_processes_leave_no_gap_and_no_duplicate() {
    let (processes, events) = if is_long() { (64, 200) } else { (32, 100) };
    for issues in [1, 8] {
        let dir = tempfile::tempdir().unwrap();
        let role = ["many", path(dir.path()), &issues.to_string(), &events.to_string()];
        run((0..processes).map(|_| start(&role)).collect());
        let store = store(dir.path());
        let keys: Vec<String> = (1..=issues).map(|n| format!("P-{n}")).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let mut total = 0;
        for key in &keys {
            let read = sequences(&lines(&store, key));
            assert_eq!(read, (1..=read.len() as u64).collect::<Vec<_>>());
            total += read.len();
        }
        assert_eq!(total, processes * events);
        assert_global_complete(&store, &keys);
        assert_sound(&store);
    }
}

#[test]
fn one_of_many_that_expect_the_same_head_wins() {
    let dir = tempfile::tempdir().unwrap();
    let events = dir.path().join("events");
    let store = store(&events);
    append(&store, vec![plain("P-1", "first")], &AppendOptions::default()).unwrap();
    let outcome = |n: u32| dir.path().join(n.to_string());
    let child = |n: u32| start(&["expect", path(&events), &n.to_string(), path(&outcome(n))]);
    run((0..64).map(child).collect());
    let won = (0..64).filter(|n| std::fs::read(outcome(*n)).unwrap() == b"won").count();
    assert_eq!(won, 1);
    assert_eq!(sequences(&lines(&store, "P-1")), [1, 2]);
}

#[test]
fn retries_of_many_processes_are_one_event_each() {
    let dir = tempfile::tempdir().unwrap();
    run((0..16).map(|_| start(&["retry", path(dir.path())])).collect());
    let store = store(dir.path());
    assert_eq!(sequences(&lines(&store, "P-1")), (1..=100).collect::<Vec<_>>());
    assert_global_complete(&store, &["P-1"]);
}

#[test]
fn a_kill_at_any_point_loses_nothing_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let events = dir.path().join("events");
    let acknowledged = dir.path().join("acknowledged");
    let store = store(&events);
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    for round in 0..40 {
        let mut child = start(&["endless", path(&events), path(&acknowledged)]);
        drop(child.stdin.take());
        // How far it gets is left to the seed: until so many events more are acknowledged.
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let before = std::fs::metadata(&acknowledged).map_or(0, |m| m.len());
        let goal = before + seed % 4000;
        while std::fs::metadata(&acknowledged).map_or(0, |m| m.len()) < goal {
            assert!(child.try_wait().unwrap().is_none(), "the worker ended by itself");
            std::thread::yield_now();
        }
        for _ in 0..seed % 977 {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        append(&store, vec![plain("P-1", "after")], &AppendOptions::default()).unwrap();
        let read = lines(&store, "P-1");
        assert_eq!(sequences(&read), (1..=read.len() as u64).collect::<Vec<_>>(), "round {round}");
        let text = std::fs::read_to_string(&acknowledged).unwrap_or_default();
        for line in text.lines() {
            let Some((sequence, id)) = line.split_once(' ') else { continue };
            let at: usize = sequence.parse().unwrap();
            assert!(read[at - 1].contains(id), "round {round}: {line}");
        }
        assert_global_complete(&store, &["P-1"]);
    }
    assert_sound(&store);
}

/// The second partition of the batch is a pipe that nobody reads: the writer is stuck between
/// the two for as long as the test needs.
#[cfg(unix)]
#[test]
fn a_kill_between_two_partitions_leaves_nothing_of_the_batch() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    append(&store, vec![plain("P-1", "first")], &AppendOptions::default()).unwrap();
    let log = dir.path().join("2026-11-20/P-1/events.jsonl");
    let before = std::fs::metadata(&log).unwrap().len();
    let later = dir.path().join("2026-11-21/P-1");
    std::fs::create_dir_all(&later).unwrap();
    let pipe = later.join("events.jsonl");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut child = start(&["span", path(dir.path())]);
    drop(child.stdin.take());
    while std::fs::metadata(&log).unwrap().len() == before {
        assert!(child.try_wait().unwrap().is_none(), "the worker ended by itself");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    std::fs::remove_file(&pipe).unwrap();
    let ack = append(&store, vec![plain("P-1", "next")], &AppendOptions::default()).unwrap();
    assert_eq!(ack[0].event_sequence, 2);
    assert_eq!(sequences(&lines(&store, "P-1")), [1, 2]);
    assert_global_complete(&store, &["P-1"]);
    assert_sound(&store);
}
