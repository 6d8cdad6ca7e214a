//! How long a check of a whole store takes, beside the hashing that it cannot do without, and what
//! the log costs when it is signed.
//!
//! `cargo bench --bench verify`. `CHRONOSCOPE_BENCH_EVENTS` is how many events; a million unless said.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::too_many_lines,
    missing_docs
)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chronoscope::clock::Clock;
use chronoscope::store::local::LocalStore;
use sha2::{Digest, Sha256};

use common::{Row, Table, Times, show, timed};

const TIMEOUT: Duration = Duration::from_secs(60);

fn main() {
    let events = std::env::var("CHRONOSCOPE_BENCH_EVENTS").ok().and_then(|n| n.parse().ok());
    let events = events.unwrap_or(1_000_000);
    for issues in [1, 8] {
        measure(events, issues);
    }
}

/// A store with the workload's logs and everything that is derived from them.
fn signed(events: usize, issues: usize) -> (PathBuf, LocalStore, Duration, Duration) {
    let from = common::store(events, issues);
    let to = common::data_dir().join(format!("verify-{events}-{issues}"));
    let _ = fs::remove_dir_all(&to);
    for log in common::logs(&from, None) {
        let copy = to.join(log.strip_prefix(&from).unwrap());
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::hard_link(&log, &copy).unwrap();
    }
    let store = LocalStore::create(&to, Clock::System).unwrap();
    let (rebuild, report) = timed(|| store.rebuild(TIMEOUT, &mut |_, _| {}).unwrap());
    assert_eq!(report.events, events as u64);
    let (sign, made) = timed(|| store.checkpoint(TIMEOUT).unwrap());
    assert_eq!(made.size, events as u64);
    (to, store, rebuild, sign)
}

fn measure(events: usize, issues: usize) {
    let (dir, store, rebuild, sign) = signed(events, issues);
    let logs = common::logs(&dir, None);
    let bytes: u64 = logs.iter().map(|log| log.metadata().unwrap().len()).sum();
    #[allow(clippy::cast_precision_loss, reason = "for people")]
    let mib = bytes as f64 / 1_048_576.0;
    let table = Table::new(&format!("verify: {events} events of {issues} issues, {mib:.0} MiB"));
    let (mut hashing, mut whole) = (Times::default(), Times::default());
    for _ in 0..5 {
        // One after the other, so that both see the same neighbours.
        hashing.push(timed(|| logs.iter().for_each(|log| hash_lines(log))).0);
        let (time, report) = timed(|| store.verify(None).unwrap());
        assert!(report.findings.is_empty() && report.events == events as u64, "{report:?}");
        whole.push(time);
    }
    let (floor, time) = (hashing.median(), whole.median());
    let ratio = time.as_secs_f64() / floor.as_secs_f64();
    table.row(&Row {
        what: "verify, nothing wrong".into(),
        figure: show(time),
        beside: format!("SHA-256 of each line, 1 core {}", show(floor)),
        ratio: Some(ratio),
        target: "<= 2.5 s or <= 1.6x".into(),
        met: Some(ratio <= 1.6 || time <= Duration::from_millis(2500)),
    });
    table.note("rebuild everything, hashes with it", show(rebuild));
    table.note("first checkpoint over all", show(sign));
    let (proof, _) = timed(|| {
        let last = fs::read(logs.last().unwrap()).unwrap();
        let at = memchr::memmem::find(&last, b"\"event_id\":\"").unwrap() + 12;
        store.prove(std::str::from_utf8(&last[at..at + 36]).unwrap()).unwrap()
    });
    table.note("inclusion proof of one event", show(proof));
    let _ = fs::remove_dir_all(&dir);
}

fn hash_lines(log: &Path) {
    let bytes = fs::read(log).unwrap();
    let mut rest = &bytes[..];
    while let Some(feed) = memchr::memchr(b'\n', rest) {
        let hash = Sha256::new().chain_update([0]).chain_update(&rest[..feed]).finalize();
        std::hint::black_box(hash);
        rest = &rest[feed + 1..];
    }
}
