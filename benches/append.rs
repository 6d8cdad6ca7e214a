//! Durable appends: one process per event, and many writers at once.
//!
//! `cargo build --release && cargo bench --bench append` (the release binary is measured). Rounds
//! are interleaved, so that a busy neighbour slows all sides alike; figures are medians.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use chronoscope::model::Timestamp;
use chronoscope::schema::{Draft, Rules};

use common::{Row, Table, Times, show, timed};

/// The least that a durable append can be: open, write, sync. It is compiled on its own, because
/// the start of a large program would flatter what it is compared with.
const FLOOR: &str = r#"
use std::io::Write;
fn main() {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(path), Some(line)) = (arguments.next(), arguments.next()) else { std::process::exit(2) };
    let mut log = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    log.write_all(line.as_encoded_bytes()).unwrap();
    log.sync_data().unwrap();
    println!("ok");
}
"#;

const ROUNDS: usize = 150;

fn main() {
    let Some(binary) = common::binary() else {
        println!("there is no release binary: run cargo build --release first");
        return;
    };
    std::fs::create_dir_all(common::data_dir()).unwrap();
    let folder = tempfile::tempdir_in(common::data_dir()).unwrap();
    // As `cargo install` leaves it. The linker writes a program page by page, out of order, and the
    // system then maps it page by page; what was copied is mapped in larger pieces.
    let installed = folder.path().join("chronoscope");
    std::fs::copy(&binary, &installed).unwrap();
    one_process_per_event(&binary, &installed, folder.path());
    validation();
    many_writers(&installed, folder.path());
}

fn floor_program() -> Option<PathBuf> {
    let program = common::data_dir().join("append-floor");
    if program.is_file() {
        return Some(program);
    }
    let source = common::data_dir().join("append-floor.rs");
    std::fs::write(&source, FLOOR).ok()?;
    for linking in [&["-C", "target-feature=+crt-static"][..], &[]] {
        let mut rustc = Command::new("rustc");
        rustc
            .args(["--edition", "2024", "-O", "-C", "panic=abort", "-C", "strip=symbols"])
            .args(linking);
        let done = rustc.arg("-o").arg(&program).arg(&source).status().is_ok_and(|s| s.success());
        if done {
            return Some(program);
        }
    }
    None
}

/// How long a program runs, from its start to its end.
fn run(command: &mut Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
    let (time, status) = timed(|| command.status().unwrap());
    assert!(status.success(), "{command:?} failed");
    time
}

fn append_command(binary: &Path, store: &Path, n: usize) -> Command {
    let mut command = Command::new(binary);
    command
        .arg("--append")
        .arg("--store")
        .arg(store)
        .args(["--type", "AgentProgressed", "--issue", "BENCH-1"])
        .args([
            "--session",
            "5e551000-0000-4000-8000-000000000000",
            "--actor",
            "agent:agent-01@sonnet",
        ])
        .args(["--meta", "agent_name=agent-01", "--meta", &format!("progress:={}", n % 100)])
        .args(["--meta", "note=session cache was filled with a stale value from the config loader"])
        .current_dir(store.parent().unwrap_or(store));
    command
}

fn one_process_per_event(built: &Path, binary: &Path, folder: &Path) {
    let store = folder.join("events");
    let log = folder.join("floor.jsonl");
    let database = folder.join("peer.db");
    let line = common::IssueWriter::new("BENCH-1", 1, 1000).next_line().1.to_owned();
    let floor = floor_program();
    let sqlite = common::has("sqlite3");
    if sqlite {
        let setup = "PRAGMA journal_mode=WAL; CREATE TABLE events(sequence INTEGER PRIMARY KEY, issue TEXT, line TEXT);";
        run(Command::new("sqlite3").arg(&database).arg(setup));
    }
    let insert = format!(
        "PRAGMA synchronous=FULL; INSERT INTO events(issue, line) VALUES('BENCH-1', '{}');",
        line.trim_end().replace('\'', "''")
    );
    let [mut ours, mut as_built, mut floors, mut peers] = std::array::from_fn(|_| Times::default());
    for round in 0..ROUNDS {
        ours.push(run(&mut append_command(binary, &store, round)));
        as_built.push(run(&mut append_command(built, &store, round)));
        if let Some(floor) = &floor {
            floors.push(run(Command::new(floor).arg(&log).arg(&line)));
        }
        if sqlite {
            peers.push(run(Command::new("sqlite3").arg(&database).arg(&insert)));
        }
    }
    let table = Table::new("--append, one process per event, durable");
    let time = ours.median();
    for (what, time) in
        [("append, median", time), ("… by a program not installed", as_built.median())]
    {
        if !floors.is_empty() {
            let ratio = time.as_secs_f64() / floors.median().as_secs_f64();
            table.row(&Row {
                what: what.into(),
                figure: show(time),
                beside: format!("open, write, fdatasync {}", show(floors.median())),
                ratio: Some(ratio),
                target: "<= 1.3x the floor".into(),
                met: Some(ratio <= 1.3),
            });
        }
    }
    if sqlite {
        table.against("append, median", time, "sqlite3 WAL, FULL", peers.median(), Some(4.0));
    }
    table.note("append, p99", show(ours.percentile(99)));
    let (mut quick, mut nothing) = (Times::default(), Times::default());
    for round in 0..ROUNDS {
        quick.push(run(append_command(binary, &store, round).args(["--durability", "os"])));
        nothing.push(run(Command::new(binary).arg("--version")));
    }
    table.note("append without the sync, median", show(quick.median()));
    table.note("start and end of the program (--version)", show(nothing.median()));
}

fn validation() {
    let rules = Rules::new(Timestamp::from_millis(1_900_000_000_000));
    let mut writer = common::IssueWriter::new("BENCH-1", 3, 100_000);
    let drafts: Vec<String> = (0..20_000).map(|_| as_given(writer.next_line().1)).collect();
    let (time, faults) =
        timed(|| drafts.iter().filter(|d| Draft::strict(d, &rules).is_err()).count());
    assert_eq!(faults, 0, "the workload must be valid");
    let table = Table::new("validation");
    let each = time / u32::try_from(drafts.len()).unwrap();
    table.limit("strict reading of an event, mean", each, Duration::from_micros(3));
}

/// A stored line as its caller gave it: without the sequence.
fn as_given(line: &str) -> String {
    let (before, after) = line.split_once("\"event_sequence\":").unwrap();
    let (_, after) = after.split_once(',').unwrap();
    format!("{before}{after}")
}

/// Long-lived writers, each a process that is fed through its stdin.
fn many_writers(binary: &Path, folder: &Path) {
    const WRITERS: usize = 32;
    const EVENTS: usize = 500;
    let table = Table::new("durable appends, 32 writers with --stream");
    let mut rates = Vec::new();
    for issues in [1, 8] {
        let store = folder.join(format!("stream-{issues}"));
        let inputs: Vec<String> = (0..WRITERS)
            .map(|w| {
                let key = format!("BENCH-{}", w % issues + 1);
                let mut writer = common::IssueWriter::new(&key, w as u64, EVENTS);
                (0..EVENTS).map(|_| as_given(writer.next_line().1)).collect()
            })
            .collect();
        let (time, ()) = timed(|| feed(binary, &store, &inputs));
        #[allow(clippy::cast_precision_loss, reason = "for people")]
        let rate = (WRITERS * EVENTS) as f64 / time.as_secs_f64();
        rates.push(rate);
        let (target, met) = match rates.as_slice() {
            [one] => (">= 12000/s".to_owned(), *one >= 12_000.0),
            [one, .., many] => ("0.6 of one issue".to_owned(), *many >= 0.6 * one),
            [] => (String::new(), true),
        };
        table.row(&Row {
            what: format!("{} events over {issues} issue(s)", WRITERS * EVENTS),
            figure: format!("{rate:.0}/s"),
            beside: format!("took {}", show(time)),
            ratio: None,
            target,
            met: Some(met),
        });
    }
}

fn feed(binary: &Path, store: &Path, inputs: &[String]) {
    let mut children: Vec<_> = inputs
        .iter()
        .map(|_| {
            Command::new(binary)
                .args(["append", "--stream", "--lock-timeout", "60s", "--store"])
                .arg(store)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    std::thread::scope(|scope| {
        for (child, input) in children.iter_mut().zip(inputs) {
            let mut stdin = child.stdin.take().unwrap();
            scope.spawn(move || stdin.write_all(input.as_bytes()).unwrap());
        }
    });
    for mut child in children {
        assert!(child.wait().unwrap().success(), "a writer failed");
    }
}
