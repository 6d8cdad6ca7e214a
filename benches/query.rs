//! Queries by scanning: one filter at a time over a whole store.
//!
//! `cargo bench --bench query`. The floor is what any scan must do: read the logs and find the
//! ends of the lines; the peer is `grep -c` on the same files.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::too_many_lines,
    missing_docs
)]

mod common;

use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use chronoscope::clock::Clock;
use chronoscope::model::{Moment, Timestamp};
use chronoscope::query::{self, Field, Filter, GroupBy, Order};
use chronoscope::store::local::LocalStore;

use common::{Row, Table, Times, show, timed};

fn main() {
    for (events, issues) in [(1_000_000, 1), (1_000_000, 400)] {
        let dir = common::store(events, issues);
        measure(&dir, &format!("{events} events in {issues} issues"));
    }
}

fn measure(dir: &Path, title: &str) {
    let store = LocalStore::open(dir, Clock::System).expect("a store");
    let logs = common::logs(dir, None);
    let bytes: u64 = logs.iter().map(|l| l.metadata().unwrap().len()).sum();
    #[allow(clippy::cast_precision_loss, reason = "for people")]
    let rate = |time: Duration| bytes as f64 / 1e6 / time.as_secs_f64();
    let best = |work: &dyn Fn() -> u64| {
        let mut times = Times::default();
        let mut found = 0;
        for _ in 0..3 {
            let (time, n) = timed(work);
            times.push(time);
            found = n;
        }
        (times.percentile(1), found)
    };
    let table = Table::new(&format!("{title}, {:.0} MB", rate(Duration::from_secs(1))));
    let (floor, lines) = best(&|| count_lines(&logs));
    table.note(&format!("floor: read, find {lines} line ends"), format!("{:.0} MB/s", rate(floor)));
    if common::has("grep") {
        let grep = || {
            let out = Command::new("grep")
                .args(["-ch", "\"event_type\":\"AgentFailed\""])
                .args(&logs)
                .output()
                .unwrap();
            String::from_utf8_lossy(&out.stdout).lines().filter_map(|l| l.parse::<u64>().ok()).sum()
        };
        let (time, _) = best(&grep);
        table.note("peer: grep -c of one type", format!("{:.0} MB/s", rate(time)));
    }

    let with = |field, value: &str| Filter::new().with(field, value).unwrap();
    let middle = Timestamp::parse("2026-11-06T12:00:00Z").unwrap();
    let filters = [
        ("count: a type", with(Field::Type, "AgentFailed"), Some(700.0)),
        ("count: not a type", with(Field::Type, "!ToolInvoked"), None),
        ("count: an agent", with(Field::Agent, "agent-07"), None),
        ("count: a phase", with(Field::Phase, "PLAN"), None),
        ("count: severity error and above", with(Field::Severity, "error+"), None),
        ("count: since the middle", Filter::new().since(Moment::Time(middle)), None),
    ];
    for (what, filter, target) in filters {
        let (time, found) = best(&|| query::count(&store, &filter).unwrap().count);
        table.row(&Row {
            what: format!("{what} ({found})"),
            figure: format!("{:.0} MB/s", rate(time)),
            beside: format!("floor {:.0} MB/s, took {}", rate(floor), show(time)),
            ratio: Some(time.as_secs_f64() / floor.as_secs_f64()),
            target: target.map_or(String::new(), |t| format!(">= {t:.0} MB/s")),
            met: target.map(|t| rate(time) >= t),
        });
    }
    for name in ["type", "agent", "duration_ms"] {
        let by = GroupBy::parse(name);
        let (time, groups) =
            best(&|| query::group_by(&store, &Filter::new(), &by).unwrap().groups.len() as u64);
        table
            .note(&format!("group by {name} ({groups} groups)"), format!("{:.0} MB/s", rate(time)));
    }
    let failed = with(Field::Type, "AgentFailed");
    for (what, order) in [
        ("first page of 100 of a type", Order::Forward),
        ("last page of 100 of a type", Order::Reverse),
    ] {
        let (time, _) = best(&|| {
            query::scan(&store, &failed, order, Some(100), None).unwrap().lines.len() as u64
        });
        table.note(what, show(time));
    }
    let all = || {
        let mut n = 0;
        query::for_each(&store, &Filter::new(), Order::Forward, None, None, |_| {
            n += 1;
            Ok(true)
        })
        .unwrap();
        n
    };
    let (time, n) = best(&all);
    table.note(&format!("every event in order ({n})"), format!("{:.0} MB/s", rate(time)));
}

fn count_lines(logs: &[std::path::PathBuf]) -> u64 {
    let mut buffer = vec![0; 1 << 20];
    let mut lines = 0;
    for log in logs {
        let mut file = std::fs::File::open(log).unwrap();
        loop {
            let read = file.read(&mut buffer).unwrap();
            if read == 0 {
                break;
            }
            lines += memchr::memchr_iter(b'\n', &buffer[..read]).count() as u64;
        }
    }
    lines
}
