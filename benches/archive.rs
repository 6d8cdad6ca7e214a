//! What an archive saves, how fast it is made, and what reading one event of it costs.
//!
//! `cargo bench --bench archive`. `CHRONOSCOPE_BENCH_EVENTS` is how many events; 200 000 unless said.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    missing_docs
)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chronoscope::clock::Clock;
use chronoscope::store::local::{Archivable, LocalStore, Selection};
use chronoscope::store::{EventStore, Fetch, Locator};

use common::{Random, Row, Table, Times, show, timed};

const TIMEOUT: Duration = Duration::from_secs(60);
const KEY: &str = "BENCH-1";
/// What an archive's frame holds.
const BLOCK: usize = 1 << 20;

fn main() {
    let events = std::env::var("CHRONOSCOPE_BENCH_EVENTS").ok().and_then(|n| n.parse().ok());
    let events = events.unwrap_or(200_000);
    let (dir, store) = signed(events);
    let last = store.layout().partitions(KEY).unwrap().pop().unwrap();
    let logs: Vec<PathBuf> = common::logs(&dir, None)
        .into_iter()
        .filter(|log| !log.starts_with(dir.join(last.as_str())))
        .collect();
    let places = places(&store);
    let bytes: u64 = logs.iter().map(|log| log.metadata().unwrap().len()).sum();
    let table = Table::new(&format!("archive: {events} events, {:.0} MB", bytes as f64 / 1e6));
    let (plain_read, lines) = read_some(fetcher(&store).as_mut(), &places);
    let (peer_time, peer_bytes) = timed(|| logs.iter().map(|log| peer(log)).sum::<usize>());
    let (time, made) = timed(|| archive(&store));
    assert_eq!(made.iter().map(|one| one.bytes).sum::<u64>(), bytes);
    let packed: u64 = made.iter().filter_map(|one| one.archived_bytes).sum();
    let ratio = bytes as f64 / packed as f64;
    let peer_ratio = bytes as f64 / peer_bytes as f64;
    table.row(&Row {
        what: "plain bytes per archived byte".into(),
        figure: format!("{ratio:.2}"),
        beside: format!("zstd -3, blocks of 1 MiB {peer_ratio:.2}"),
        ratio: Some(ratio / peer_ratio),
        target: ">= 6".into(),
        met: Some(ratio >= 6.0),
    });
    let speed = |time: Duration| format!("{:.0} MB/s", bytes as f64 / 1e6 / time.as_secs_f64());
    table.row(&Row {
        what: "archive: check, pack, sync, read back".into(),
        figure: speed(time),
        beside: format!("zstd -3 alone {}", speed(peer_time)),
        ratio: Some(time.as_secs_f64() / peer_time.as_secs_f64()),
        target: String::new(),
        met: None,
    });
    let (read, same) = read_some(fetcher(&store).as_mut(), &places);
    assert!(lines == same, "an archive gives other lines");
    table.row(&Row {
        what: "read one event anywhere, archived".into(),
        figure: show(read),
        beside: format!("plain {}", show(plain_read)),
        ratio: Some(read.as_secs_f64() / plain_read.as_secs_f64()),
        target: "<= 5 ms".into(),
        met: Some(read <= Duration::from_millis(5)),
    });
    let drained = |store: &LocalStore| timed(|| fetcher(store)).0;
    table.note("read the whole log, archived", speed(drained(&store)));
    let mut archived = store.archived(&Selection::default()).unwrap();
    let (restore, _) = timed(|| store.restore(&mut archived, TIMEOUT, &mut |_| {}).unwrap());
    table.note("restore: unpack, sync, read back", speed(restore));
    table.note("read the whole log, plain", speed(drained(&store)));
    let _ = fs::remove_dir_all(&dir);
}

/// A store with the workload's log and everything that is derived from it, signed.
fn signed(events: usize) -> (PathBuf, LocalStore) {
    let from = common::store(events, 1);
    let to = common::data_dir().join(format!("archive-{events}"));
    let _ = fs::remove_dir_all(&to);
    for log in common::logs(&from, None) {
        let copy = to.join(log.strip_prefix(&from).unwrap());
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(&log, &copy).unwrap();
    }
    let store = LocalStore::create(&to, Clock::System).unwrap();
    store.rebuild(TIMEOUT, &mut |_, _| {}).unwrap();
    store.checkpoint(TIMEOUT).unwrap();
    (to, store)
}

fn archive(store: &LocalStore) -> Vec<Archivable> {
    let mut meant = store.archivable(&Selection::default()).unwrap();
    store.archive(&mut meant, TIMEOUT, &mut |_| {}).unwrap();
    meant.into_iter().filter(|one| one.kept.is_none()).collect()
}

fn peer(log: &Path) -> usize {
    let bytes = fs::read(log).unwrap();
    let packed = |block| zstd::bulk::compress(block, 3).unwrap().len();
    bytes.chunks(BLOCK).map(packed).sum()
}

/// The places of some events, in no order.
fn places(store: &LocalStore) -> Vec<Locator> {
    let mut tail = store.tail(KEY).unwrap();
    let mut all = Vec::new();
    loop {
        let chunk = tail.poll(BLOCK).unwrap();
        all.extend(chunk.lines.iter().map(|line| line.locator));
        if chunk.at_end {
            break;
        }
    }
    let mut random = Random::new(1);
    (0..500).map(|_| all[usize::try_from(random.below(all.len() as u64)).unwrap()]).collect()
}

/// What reads events of all partitions again.
fn fetcher(store: &LocalStore) -> Box<dyn Fetch> {
    let mut tail = store.tail(KEY).unwrap();
    while !tail.poll(BLOCK).unwrap().at_end {}
    tail.fetcher()
}

/// The median time of reading one, and what was read.
fn read_some(fetch: &mut dyn Fetch, places: &[Locator]) -> (Duration, Vec<Vec<u8>>) {
    let mut times = Times::default();
    let mut lines = Vec::new();
    for place in places {
        let (time, line) = timed(|| fetch.fetch(*place).unwrap());
        times.push(time);
        lines.push(line);
    }
    (times.median(), lines)
}
