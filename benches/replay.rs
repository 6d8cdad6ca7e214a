//! Copies of an issue into another store, and dry runs: events a second.
//!
//! `cargo build --release && cargo bench --bench replay` (the release binary is measured, from its
//! start to its end). `CHRONOSCOPE_BENCH_EVENTS` is how many events; 100,000 unless said. Rounds are
//! interleaved, so that a busy neighbour slows all sides alike; figures are medians.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use chronoscope::clock::Clock;
use chronoscope::fold::{self, State};
use chronoscope::session::load::Parser;
use chronoscope::store::EventStore;
use chronoscope::store::local::LocalStore;

use common::{Row, Table, Times, timed};

const ROUNDS: usize = 5;

fn main() {
    let Some(binary) = common::binary() else {
        println!("there is no release binary: run cargo build --release first");
        return;
    };
    let events = std::env::var("CHRONOSCOPE_BENCH_EVENTS").ok().and_then(|n| n.parse().ok());
    let events: usize = events.unwrap_or(100_000);
    let from = common::store(events, 1);
    let issue = common::issue(1);
    let folder = tempfile::tempdir_in(common::data_dir()).unwrap();
    let [mut copies, mut again, mut dry] = std::array::from_fn(|_| Times::default());
    let [mut floors, mut folds, mut peers] = std::array::from_fn(|_| Times::default());
    let digest = folded(&from, &issue);
    // (Nothing is removed between: a file system is slower where much was a moment ago.)
    for round in 0..ROUNDS {
        let to = folder.path().join(format!("copy-{round}"));
        let into = ["--into", to.to_str().unwrap(), "--execute"];
        let told = [(&mut copies, true), (&mut again, true), (&mut dry, false)];
        for (times, is_copy) in told {
            let more = if is_copy { &into[..] } else { &[] };
            let (time, report) = timed(|| replay(&binary, &from, &issue, more));
            assert!(report.contains(&digest) && report.contains("\"matches\":true"), "{report}");
            times.push(time);
        }
        let bare = folder.path().join(format!("bare-{round}"));
        let (copy, ()) = timed(|| copy_files(&common::logs(&from, None), &bare));
        let (fold, _) = timed(|| folded(&from, &issue));
        floors.push(copy + fold);
        folds.push(fold);
        let plain = folder.path().join(format!("plain-{round}"));
        peers.push(timed(|| by_hand(&from, &plain)).0);
    }
    let table = Table::new(&format!("replay: {events} events of one issue"));
    #[allow(clippy::cast_precision_loss, reason = "for people")]
    let rate = |time: Duration| events as f64 / time.as_secs_f64();
    let row = |what: &str, times: &mut Times, floor: (&str, &mut Times), target: Option<f64>| {
        let (time, least) = (times.median(), floor.1.median());
        table.row(&Row {
            what: what.to_owned(),
            figure: format!("{:.0}/s", rate(time)),
            beside: format!("{} {:.0}/s", floor.0, rate(least)),
            ratio: Some(time.as_secs_f64() / least.as_secs_f64()),
            target: target.map_or_else(String::new, |least| format!(">= {least:.0}/s")),
            met: target.map(|least| rate(time) >= least),
        });
    };
    row("--into --execute", &mut copies, ("copy, sync, one fold", &mut floors), Some(100_000.0));
    row("… beside a copy by hand", &mut copies, ("cp, sync, sha256sum", &mut peers), None);
    row("… once more, nothing to add", &mut again, ("one fold", &mut folds), None);
    row("dry run", &mut dry, ("one fold", &mut folds), None);
}

/// What the program prints.
fn replay(binary: &Path, store: &Path, issue: &str, more: &[&str]) -> String {
    let mut command = Command::new(binary);
    command.args(["replay", issue, "--json", "--store"]).arg(store).args(more);
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{command:?} failed");
    String::from_utf8(output.stdout).unwrap()
}

/// The digest of an issue's state: its lines read and folded one after the other.
fn folded(store: &Path, issue: &str) -> String {
    let store = LocalStore::open(store, Clock::System).unwrap();
    let (mut tail, mut parser) = (store.tail(issue).unwrap(), Parser::default());
    let (mut state, mut position) = (State::new(), 0);
    loop {
        let chunk = tail.poll(1 << 20).unwrap();
        for mut loaded in parser.parse(&chunk) {
            position += 1;
            loaded.event.position = position;
            fold::advance(&mut state, &loaded.event);
        }
        if chunk.at_end {
            return state.digest();
        }
    }
}

/// The least that a durable copy can be.
fn copy_files(logs: &[PathBuf], to: &Path) {
    fs::create_dir_all(to).unwrap();
    for (number, log) in logs.iter().enumerate() {
        let mut copy = File::create(to.join(number.to_string())).unwrap();
        copy.write_all(&fs::read(log).unwrap()).unwrap();
        copy.sync_data().unwrap();
    }
}

/// What somebody would do without this program.
fn by_hand(from: &Path, to: &Path) {
    let script = "cp -r \"$1\" \"$2\" && find \"$2\" -type f -exec sync -d {} + \
        && cat \"$1\"/*/*/events.jsonl | sha256sum && cat \"$2\"/*/*/events.jsonl | sha256sum";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).args([from, to]).stdout(Stdio::null());
    assert!(shell.status().unwrap().success(), "the copy by hand failed");
}
