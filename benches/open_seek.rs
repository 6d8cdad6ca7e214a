//! Opening an issue, standing anywhere in it, asking who wrote what, and following it live.
//!
//! `cargo bench --bench open_seek`; another store with `CHRONOSCOPE_BENCH_STORE=DIR` (the issue
//! with the longest log, or `CHRONOSCOPE_BENCH_ISSUE`). Each store is measured in a process of its
//! own, so that memory is that of one issue.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::too_many_lines,
    missing_docs
)]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chronoscope::clock::Clock;
use chronoscope::diff::DiffOptions;
use chronoscope::fold::{self, State};
use chronoscope::model::{Timestamp, envelope};
use chronoscope::schema::{Draft, Rules, upcast};
use chronoscope::session::{Session, snapshots};
use chronoscope::store::local::LocalStore;
use chronoscope::store::{AppendOptions, Batch, Durability, EventStore};

use common::{Random, Row, Table, Times, show, timed};

const MS: Duration = Duration::from_millis(1);
/// Asks for the floor alone, in a process of its own: what it leaves in the heap is not the session's.
const FOLD: &str = "fold";
/// Has a snapshot made, in a process of its own for the same reason.
const SNAPSHOT: &str = "snapshot";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    match arguments.as_slice() {
        [store, issue] => return measure(Path::new(store), issue),
        [store, issue, fold] if fold == FOLD => {
            let (events, time) = full_fold(Path::new(store), issue);
            return println!("{events} {}", time.as_nanos());
        }
        [store, issue, snapshot] if snapshot == SNAPSHOT => {
            return keep_snapshot(Path::new(store), issue);
        }
        _ => {}
    }
    let mut stores = vec![
        (common::store(100_000, 1), common::issue(1)),
        (common::store(1_000_000, 1), common::issue(1)),
    ];
    if let Some(dir) = std::env::var_os("CHRONOSCOPE_BENCH_STORE").map(PathBuf::from) {
        let longest = || {
            let store = LocalStore::open(&dir, Clock::System).expect("a store");
            let issues = store.issues().expect("its issues");
            issues.into_iter().max_by_key(|i| i.bytes).expect("an issue").issue_key
        };
        let issue = std::env::var("CHRONOSCOPE_BENCH_ISSUE").unwrap_or_else(|_| longest());
        stores.insert(0, (dir, issue));
    }
    let me = std::env::current_exe().unwrap();
    for (store, issue) in stores {
        let kept = Command::new(&me).arg(&store).args([&issue, SNAPSHOT]).status().unwrap();
        assert!(kept.success(), "keeping a snapshot of {issue} failed");
        let status = Command::new(&me).arg(&store).arg(&issue).status().unwrap();
        assert!(status.success(), "measuring {issue} in {} failed", store.display());
    }
}

/// A store to which events are appended has snapshots that are not far from its end; a generated one
/// gets such a snapshot here.
fn keep_snapshot(dir: &Path, issue: &str) {
    let store = LocalStore::open(dir, Clock::System).expect("a store");
    if store.snapshot(issue, u64::MAX, snapshots::VERSIONS).unwrap().is_none() {
        let mut session = Session::read(&store, issue).unwrap();
        let position = session.head() / 100 * 97;
        snapshots::take(&store, &mut session, position, Clock::System.now()).unwrap();
    }
}

fn open(dir: &Path, issue: &str) -> Session {
    let store: Arc<dyn EventStore> =
        Arc::new(LocalStore::open(dir, Clock::System).expect("a store"));
    Session::open(store, issue, || {}).expect("an issue")
}

fn measure(dir: &Path, issue: &str) {
    let bytes: u64 =
        common::logs(dir, Some(issue)).iter().map(|l| l.metadata().unwrap().len()).sum();
    let (events, fold) = fold_apart(dir, issue);
    let before = common::memory();
    let started = Instant::now();
    let mut session = open(dir, issue);
    while session.head() == 0 {
        session.pump(Duration::from_secs(10), MS);
    }
    let first = started.elapsed();
    while session.head() < events {
        session.pump(Duration::from_secs(10), MS);
    }
    let seen = started.elapsed();
    while !session.knows(events) {
        session.pump(Duration::from_secs(10), MS);
    }
    let known = started.elapsed();
    session.pump_all().unwrap();
    let whole = started.elapsed();
    let head = session.head();

    #[allow(clippy::cast_precision_loss, reason = "for people")]
    let mib = bytes as f64 / 1_048_576.0;
    let table = Table::new(&format!("{issue}: {head} events, {mib:.0} MiB"));
    let large = head >= 500_000;
    table.limit("open until the first events", first, if large { 150 * MS } else { 15 * MS });
    table.limit("whole timeline in sight", seen, 1500 * MS);
    table.note("the state at the end is known", show(known));
    table.against("... and folded", whole, "read and fold, no index", fold, None);
    if let (Some(before), Some(now)) = (before, common::memory()) {
        let own = now.own - before.own;
        table.row(&Row {
            what: "memory of its own (RssAnon)".into(),
            figure: format!("{own:.0} MiB"),
            beside: format!("VmRSS {:.0}, peak {:.0} MiB", now.whole, now.most),
            ratio: None,
            target: "<= 150 MiB".into(),
            met: Some(own <= 150.0),
        });
    }
    let anomalies = session.timeline().anomalies().len();
    table.note("anomalies found", anomalies.to_string());

    seeks(&mut session, &table, fold);
    diffs(&mut session, &table);
    writers(&mut session, &table);
    peers(dir, issue, &table, head);
    drop(session);
    live(dir, issue, &table);
}

/// What [`full_fold`] tells in a process of its own.
fn fold_apart(dir: &Path, issue: &str) -> (u32, Duration) {
    let me = std::env::current_exe().unwrap();
    let output = Command::new(me).arg(dir).args([issue, FOLD]).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let (events, nanoseconds) = told.trim().split_once(' ').expect("two numbers");
    (events.parse().unwrap(), Duration::from_nanos(nanoseconds.parse().unwrap()))
}

/// The naive way to the state at the end: read the log again and fold it. Gives how many events
/// there are, too.
fn full_fold(dir: &Path, issue: &str) -> (u32, Duration) {
    let mut position = 0;
    let (time, _) = timed(|| {
        let mut state = State::new();
        let mut previous = Timestamp::default();
        for log in common::logs(dir, Some(issue)) {
            let text = std::fs::read(log).unwrap();
            for line in text.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
                for (event, ..) in upcast::read_line_events(line, position, previous) {
                    position += 1;
                    previous = event.at;
                    fold::advance(&mut state, &event);
                }
            }
        }
        state
    });
    (position, time)
}

fn seeks(session: &mut Session, table: &Table, fold: Duration) {
    let head = u64::from(session.head());
    let mut random = Random::new(7);
    let mut times = Times::default();
    for _ in 0..2000 {
        let to = u32::try_from(random.below(head) + 1).unwrap();
        times.push(timed(|| session.state_at(to).unwrap()).0);
    }
    // On average the naive way folds half of the log.
    table.against(
        "seek to any position, p50",
        times.percentile(50),
        "fold from the start",
        fold / 2,
        None,
    );
    table.limit("seek to any position, p99", times.percentile(99), 5 * MS);
    let mut steps = Times::default();
    let mut at = u32::try_from(head / 2).unwrap();
    for step in 0..400 {
        at = if step < 200 { at.saturating_sub(1) } else { at + 1 }.clamp(1, session.head());
        steps.push(timed(|| session.state_at(at).unwrap()).0);
    }
    table.limit("one step back or on, p99", steps.percentile(99), 5 * MS);
}

fn diffs(session: &mut Session, table: &Table) {
    let head = u64::from(session.head());
    let mut random = Random::new(8);
    let (mut near, mut any, mut largest) = (Times::default(), Times::default(), 0);
    for round in 0..1000 {
        let a = u32::try_from(random.below(head) + 1).unwrap();
        let b = if round % 2 == 0 {
            u32::try_from(random.below(head) + 1).unwrap()
        } else {
            (a + u32::try_from(random.below(400)).unwrap()).min(session.head())
        };
        let (time, found) =
            timed(|| session.diff(a.min(b), a.max(b), DiffOptions::default()).unwrap());
        largest = largest.max(found.len());
        if found.len() <= 1000 {
            near.push(time);
        }
        any.push(time);
    }
    table.note("diff of any two positions, p50", show(any.percentile(50)));
    table.limit(
        &format!("diff of at most 1,000 paths ({} of 1000), p99", near.len()),
        near.percentile(99),
        5 * MS,
    );
    table.note(&format!("diff of any two, p99 (up to {largest} paths)"), show(any.percentile(99)));
}

fn writers(session: &mut Session, table: &Table) {
    let head = u64::from(session.head());
    let state = session.state_at(session.head()).unwrap();
    let none = chronoscope::model::Value::Map(chronoscope::model::Map::default());
    let mut paths: Vec<_> = chronoscope::diff::diff(&none, &state.value(), DiffOptions::default())
        .into_iter()
        .map(|d| d.path)
        .collect();
    let below: Vec<_> = paths
        .iter()
        .filter_map(|path| match state.at(path) {
            Some(chronoscope::model::Value::Map(map)) => {
                Some(map.iter().map(|(k, _)| path.child(k.clone())).collect::<Vec<_>>())
            }
            _ => None,
        })
        .flatten()
        .collect();
    paths.extend(below);
    let mut random = Random::new(9);
    let (mut previous, mut next) = (Times::default(), Times::default());
    for _ in 0..4000 {
        let path = &paths[usize::try_from(random.below(paths.len() as u64)).unwrap()];
        let at = u32::try_from(random.below(head) + 1).unwrap();
        previous.push(timed(|| session.previous_writer(path, at).unwrap()).0);
        next.push(timed(|| session.next_writer(path, at).unwrap()).0);
    }
    table.limit("previous writer of a path, p99", previous.percentile(99), MS / 10);
    table.limit("next writer of a path, p99", next.percentile(99), MS / 10);
}

/// Other programs on the same question: the state of agents in the middle of the log.
fn peers(dir: &Path, issue: &str, table: &Table, head: u32) {
    let logs = common::logs(dir, Some(issue));
    if common::has("jq") && head <= 200_000 {
        let program = format!(
            "reduce (inputs | select(.event_sequence <= {})) as $e ({{}}; if $e.metadata.agent_name then .[$e.metadata.agent_name] = $e.event_type else . end)",
            head / 2
        );
        let (time, output) =
            timed(|| Command::new("jq").arg("-n").arg(program).args(&logs).output().unwrap());
        assert!(output.status.success());
        table.note("peer: jq, last event of each agent at half", show(time));
    }
    if common::has("duckdb") {
        let list: Vec<String> = logs.iter().map(|l| format!("'{}'", l.display())).collect();
        let query = format!(
            "select metadata.agent_name, last(event_type order by event_sequence) from read_json([{}], format='newline_delimited', ignore_errors=true) where event_sequence <= {} group by 1",
            list.join(","),
            head / 2
        );
        let (time, _) = timed(|| Command::new("duckdb").arg("-c").arg(query).output().unwrap());
        table.note("peer: duckdb, last event of each agent at half", show(time));
    }
}

/// Appends to a copy of the issue's last day while a session follows it.
fn live(dir: &Path, issue: &str, table: &Table) {
    let folder = tempfile::tempdir_in(common::data_dir()).unwrap();
    let last = common::logs(dir, Some(issue)).pop().unwrap();
    let copy = folder.path().join(last.strip_prefix(dir).unwrap());
    std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
    std::fs::copy(&last, &copy).unwrap();
    let text = std::fs::read(&last).unwrap();
    let tail = text.split(|b| *b == b'\n').rfind(|l| !l.is_empty()).unwrap();
    let at = {
        let texts = envelope::split_line(tail);
        let (envelope, _) = envelope::read(&texts[0].text);
        Timestamp::parse(&envelope.timestamp.unwrap()).unwrap()
    };
    let store = Arc::new(LocalStore::create(folder.path(), Clock::Fixed(at)).unwrap());
    let (woken, wakes) = std::sync::mpsc::channel();
    let wake = move || {
        // Nobody listens any more once the session is over.
        let _ = woken.send(());
    };
    let mut session = Session::open(store.clone(), issue, wake).unwrap();
    session.pump_all().unwrap();
    let options = AppendOptions { durability: Durability::Os, ..AppendOptions::default() };
    let (mut times, mut appends) = (Times::default(), Times::default());
    for n in 0..200 {
        let text = format!(
            r#"{{"event_type":"AgentProgressed","issue_key":"{issue}","session_id":"5e551000-0000-4000-8000-000000000000","actor":{{"type":"agent","id":"agent-01"}},"metadata":{{"agent_name":"agent-01","progress":{}}}}}"#,
            n % 100
        );
        let rules = Rules { allow_unknown_types: true, ..Rules::new(at) };
        let Ok(draft) = Draft::strict(&text, &rules) else { return };
        while wakes.try_recv().is_ok() {}
        let head = session.head();
        let batch = Batch { issue_key: issue.to_owned(), drafts: vec![draft] };
        // The line can be seen before the append returns: both times count from its beginning.
        let began = Instant::now();
        store.append(&batch, &options).unwrap();
        appends.push(began.elapsed());
        while session.head() == head {
            session.pump(Duration::from_secs(2), MS);
            assert!(began.elapsed() < Duration::from_secs(20), "the event never came");
        }
        times.push(began.elapsed());
    }
    table.note("append itself, without the sync, p50", show(appends.percentile(50)));
    table.limit("append begun -> in the session, p50", times.percentile(50), 5 * MS);
    table.note("append begun -> in the session, p99", show(times.percentile(99)));
}
