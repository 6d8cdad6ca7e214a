//! How long a check of a whole store takes, beside the hashing that it cannot do without (with as
//! many threads), what a check of one issue takes, and what the log costs when it is signed.
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

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chronoscope::clock::Clock;
use chronoscope::store::local::LocalStore;
use sha2::{Digest, Sha256};

use common::{Row, Table, Times, show, timed};

const TIMEOUT: Duration = Duration::from_secs(60);
/// How many bytes are read at a time for the floor.
const BLOCK: u64 = 256 << 10;

fn main() {
    let events = std::env::var("CHRONOSCOPE_BENCH_EVENTS").ok().and_then(|n| n.parse().ok());
    let events = events.unwrap_or(1_000_000);
    for issues in [1, 400] {
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
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let [mut one, mut hashing, mut whole, mut issue] = std::array::from_fn(|_| Times::default());
    let [mut busy_hashing, mut busy] = std::array::from_fn(|_| Times::default());
    for _ in 0..5 {
        // One after the other, so that all see the same neighbours.
        let start = common::cpu();
        hashing.push(timed(|| hash_lines(&logs, threads)).0);
        busy_hashing.push(common::cpu().saturating_sub(start));
        let start = common::cpu();
        let (time, report) = timed(|| store.verify(None).unwrap());
        busy.push(common::cpu().saturating_sub(start));
        assert!(report.findings.is_empty() && report.events == events as u64, "{report:?}");
        whole.push(time);
        one.push(timed(|| hash_lines(&logs, 1)).0);
        let (time, report) = timed(|| store.verify(Some(&common::issue(1))).unwrap());
        assert!(report.findings.is_empty() && report.events > 0, "{report:?}");
        issue.push(time);
    }
    let (floor, time) = (hashing.median(), whole.median());
    let ratio = time.as_secs_f64() / floor.as_secs_f64();
    table.row(&Row {
        what: "verify, nothing wrong".into(),
        figure: show(time),
        beside: format!("SHA-256 of each line, {threads} threads {}", show(floor)),
        ratio: Some(ratio),
        target: "<= 2.5 s or <= 1.6x".into(),
        met: Some(ratio <= 1.6 || time <= Duration::from_millis(2500)),
    });
    table.row(&Row {
        what: "... beside one thread".into(),
        figure: show(time),
        beside: format!("SHA-256 of each line, 1 thread {}", show(one.median())),
        ratio: Some(time.as_secs_f64() / one.median().as_secs_f64()),
        target: String::new(),
        met: None,
    });
    let (floor, time) = (busy_hashing.median(), busy.median());
    table.row(&Row {
        what: "... cores kept busy".into(),
        figure: show(time),
        beside: format!("SHA-256 of each line {}", show(floor)),
        ratio: Some(time.as_secs_f64() / floor.as_secs_f64()),
        target: String::new(),
        met: None,
    });
    table.note("verify of one issue", show(issue.median()));
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

/// Reads all logs in blocks, and hashes each line as the log does: nothing else.
fn hash_lines(logs: &[PathBuf], threads: usize) {
    let blocks: Vec<(&PathBuf, u64)> = logs
        .iter()
        .flat_map(|log| {
            let length = log.metadata().unwrap().len();
            (0..length).step_by(usize::try_from(BLOCK).unwrap()).map(move |at| (log, at))
        })
        .collect();
    let next = AtomicUsize::new(0);
    let run = || {
        let mut bytes = Vec::new();
        while let Some((log, at)) = blocks.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut file = File::open(log).unwrap();
            file.seek(SeekFrom::Start(*at)).unwrap();
            bytes.clear();
            file.take(BLOCK).read_to_end(&mut bytes).unwrap();
            // A line that two blocks share is hashed in two parts.
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let feed = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                let hash = Sha256::new().chain_update([0]).chain_update(&rest[..feed]).finalize();
                std::hint::black_box(hash);
                rest = rest.get(feed + 1..).unwrap_or_default();
            }
        }
    };
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(run))));
}
