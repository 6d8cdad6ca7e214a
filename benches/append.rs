//! Durable appends: one process per event, and many writers at once.
//!
//! `cargo build --release && cargo bench --bench append` (the release binary is measured). Rounds
//! are interleaved, so that a busy neighbour slows all sides alike; figures are medians.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use chronoscope::model::Timestamp;
use chronoscope::model::envelope::Envelope;
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
    // First, before the disk is busy with what the others wrote.
    validation();
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
    many_writers(&installed, folder.path());
}

/// A program that stands in this file, compiled; static where the system can.
fn compiled(name: &str, text: &str) -> Option<PathBuf> {
    let program = common::data_dir().join(name);
    let source = program.with_extension("rs");
    if program.is_file() && std::fs::read_to_string(&source).is_ok_and(|known| known == text) {
        return Some(program);
    }
    std::fs::write(&source, text).ok()?;
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
    let floor = compiled("append-floor", FLOOR);
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
    let (mut ours, mut floor) = (Times::default(), Times::default());
    for _ in 0..15 {
        let (time, faults) =
            timed(|| drafts.iter().filter(|d| Draft::strict(d, &rules).is_err()).count());
        assert_eq!(faults, 0, "the workload must be valid");
        ours.push(time / u32::try_from(drafts.len()).unwrap());
        let read = |draft: &String| {
            std::hint::black_box(serde_json::from_str::<Envelope<'_>>(draft)).is_ok()
        };
        let (time, read) = timed(|| drafts.iter().filter(|d| read(d)).count());
        assert_eq!(read, drafts.len());
        floor.push(time / u32::try_from(drafts.len()).unwrap());
    }
    let (time, floor) = (ours.median(), floor.median());
    let limit = Duration::from_micros(3);
    Table::new("validation").row(&Row {
        what: "strict reading of an event, secrets too, mean".into(),
        figure: show(time),
        beside: format!("serde into typed fields {}", show(floor)),
        ratio: Some(time.as_secs_f64() / floor.as_secs_f64()),
        target: "<= 3 µs".into(),
        met: Some(time <= limit),
    });
}

/// A stored line as its caller gave it: without the sequence.
fn as_given(line: &str) -> String {
    let (before, after) = line.split_once("\"event_sequence\":").unwrap();
    let (_, after) = after.split_once(',').unwrap();
    format!("{before}{after}")
}

/// Long-lived writers, each a process that is fed through its stdin: as fast as it reads, or the
/// next event only when the last was acknowledged.
fn many_writers(binary: &Path, folder: &Path) {
    const EVENTS: usize = 500;
    let bare = compiled("append-bare", BARE);
    let table = Table::new("durable appends by long-lived writers (--stream)");
    let mut piped_to_one = 0.0;
    for (writers, issues) in [(1, 1), (8, 1), (32, 1), (32, 8)] {
        let inputs: Vec<Vec<String>> = (0..writers)
            .map(|w| {
                let key = format!("BENCH-{}", w % issues + 1);
                let mut writer = common::IssueWriter::new(&key, w as u64, EVENTS);
                (0..EVENTS).map(|_| as_given(writer.next_line().1)).collect()
            })
            .collect();
        let rate = |time: Duration| {
            #[allow(clippy::cast_precision_loss, reason = "for people")]
            let events = (writers * EVENTS) as f64;
            events / time.as_secs_f64()
        };
        let floor = bare.as_ref().map(|bare| rate(run_bare(bare, folder, issues, &inputs)));
        for (pace, waits) in [("piped", false), ("one at a time", true)] {
            let store = folder.join(format!("stream-{writers}-{issues}-{waits}"));
            let (time, ()) = timed(|| feed(binary, &store, &inputs, waits));
            let rate = rate(time);
            if (writers, issues, waits) == (32, 1, false) {
                piped_to_one = rate;
            }
            let (target, met) = match (writers, issues, waits, floor) {
                (32, 1, false, _) => (">= 12000/s", Some(rate >= 12_000.0)),
                (32, 8, false, _) => (">= 0.6 of one issue", Some(rate >= 0.6 * piped_to_one)),
                (32, 1, true, Some(floor)) => (">= 0.7 of bare", Some(rate >= 0.7 * floor)),
                _ => ("", None),
            };
            table.row(&Row {
                what: format!("{writers} writers, {issues} issue(s), {pace}"),
                figure: format!("{rate:.0}/s"),
                beside: floor
                    .map_or_else(String::new, |f| format!("bare write and group sync {f:.0}/s")),
                ratio: floor.map(|floor| rate / floor),
                target: target.into(),
                met,
            });
        }
    }
}

/// The least that writers which share a log can do: lock, write, unlock, and let one sync cover
/// many. Arguments: the log, how many lines, a line.
const BARE: &str = r#"
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
fn open(path: String) -> File {
    OpenOptions::new().create(true).read(true).write(true).truncate(false).open(path).unwrap()
}
fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let mut log = OpenOptions::new().create(true).append(true).open(&arguments[1]).unwrap();
    let lock = open(format!("{}.lock", arguments[1]));
    let sync = open(format!("{}.sync", arguments[1]));
    for _ in 0..arguments[2].parse().unwrap() {
        lock.lock().unwrap();
        log.write_all(arguments[3].as_bytes()).unwrap();
        let end = log.metadata().unwrap().len();
        lock.unlock().unwrap();
        sync.lock().unwrap();
        let mut mark = [0; 8];
        let _ = sync.read_at(&mut mark, 0);
        if u64::from_le_bytes(mark) < end {
            let seen = log.metadata().unwrap().len();
            log.sync_data().unwrap();
            sync.write_at(&seen.to_le_bytes(), 0).unwrap();
        }
        sync.unlock().unwrap();
    }
}
"#;

/// All writers of the bare loop, as many and with lines as long as ours.
fn run_bare(bare: &Path, folder: &Path, issues: usize, inputs: &[Vec<String>]) -> Duration {
    let logs = tempfile::tempdir_in(folder).unwrap();
    let start = |(w, lines): (usize, &Vec<String>)| {
        let log = logs.path().join(format!("log-{}", w % issues));
        Command::new(bare).arg(log).arg(lines.len().to_string()).arg(&lines[0]).spawn().unwrap()
    };
    let (time, ()) = timed(|| {
        let writers: Vec<_> = inputs.iter().enumerate().map(start).collect();
        for mut writer in writers {
            assert!(writer.wait().unwrap().success(), "a bare writer failed");
        }
    });
    time
}

fn feed(binary: &Path, store: &Path, inputs: &[Vec<String>], waits: bool) {
    let start = || {
        Command::new(binary)
            .args(["append", "--stream", "--lock-timeout", "60s", "--store"])
            .arg(store)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let children: Vec<_> = inputs.iter().map(|_| start()).collect();
    std::thread::scope(|scope| {
        for (mut child, lines) in children.into_iter().zip(inputs) {
            scope.spawn(move || {
                let mut stdin = child.stdin.take().unwrap();
                let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
                if waits {
                    for line in lines {
                        stdin.write_all(line.as_bytes()).unwrap();
                        answers.next().unwrap().unwrap();
                    }
                    drop(stdin);
                } else {
                    let input = lines.concat();
                    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
                    assert_eq!(answers.map(Result::unwrap).count(), lines.len());
                    writer.join().unwrap().unwrap();
                }
                assert!(child.wait().unwrap().success(), "a writer failed");
            });
        }
    });
}
