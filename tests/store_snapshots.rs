//! Snapshots that are not what they say: no answer depends on one, and a check names each.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use chronoscope::clock::Clock;
use chronoscope::model::{Timestamp, Value as Tree};
use chronoscope::session::snapshots::{VERSIONS, state_from_snapshot, take_if_due};
use chronoscope::session::{Session, snapshots};
use chronoscope::store::local::LocalStore;
use chronoscope::store::snapshot::Snapshot;

use crate::cli_support::{NOW, TestEnvironment};

const EVENTS: u32 = 14;

fn filled() -> TestEnvironment {
    let environment = TestEnvironment::new();
    for n in 0..EVENTS {
        environment.append_phase("P-1", &format!("P{n}"), &[]).ok();
        environment.append_phase("Q-1", &format!("Q{n}"), &[]).ok();
    }
    environment.run(&["store", "checkpoint"]).ok();
    environment
}

fn local(environment: &TestEnvironment) -> LocalStore {
    LocalStore::at(environment.store(), Clock::Fixed(Timestamp::parse(NOW).unwrap()))
}

fn kept(environment: &TestEnvironment, issue: &str, at: u32, plain: bool) -> PathBuf {
    let text = if plain { "false" } else { "zstd" };
    let config = environment.work().join("event-sourcing.yaml");
    fs::write(&config, format!("event_sourcing:\n  snapshots:\n    compression: {text}\n"))
        .unwrap();
    let told = environment.run(&["snapshot", issue, "--at", &at.to_string(), "--json"]).json();
    PathBuf::from(told["kept"].as_str().unwrap())
}

fn read(path: &Path) -> Snapshot {
    Snapshot::parse(&zstd::stream::decode_all(&fs::read(path).unwrap()[..]).unwrap()[..]).unwrap()
}

fn write(path: &Path, snapshot: &Snapshot) {
    fs::write(path, zstd::bulk::compress(snapshot.to_text().as_bytes(), 3).unwrap()).unwrap();
}

/// What is answered, whatever is kept.
fn answers(environment: &TestEnvironment) -> Vec<String> {
    let mut answers: Vec<String> = [
        &["state", "P-1", "--json"][..],
        &["state", "P-1", "--at", "9", "--json"],
        &["diff", "P-1", "3", "12", "--json"],
        &["timeline", "P-1", "--around", "8", "--json"],
    ]
    .iter()
    .map(|args| environment.run(args).ok())
    .collect();
    let store = local(environment);
    let mut session = Session::read(&store, "P-1").unwrap();
    answers.extend((0..=EVENTS).map(|at| session.state_at(at).unwrap().digest()));
    answers
}

/// What goes on from the snapshots that are believed is what the whole log gives.
fn assert_gone_on_from(environment: &TestEnvironment, what: &str) {
    let store = local(environment);
    let mut session = Session::read(&store, "P-1").unwrap();
    for at in 0..=EVENTS {
        let state = state_from_snapshot(&store, "P-1", at).unwrap();
        assert_eq!(state.digest(), session.state_at(at).unwrap().digest(), "{what}, at {at}");
    }
}

/// What only folding the log shows: whoever can seal a snapshot can make it say so.
const FORGED: &[&str] = &["position", "no position", "state"];

/// What a deep check says of snapshots.
fn named(environment: &TestEnvironment) -> Vec<String> {
    let ran = environment.run(&["verify", "--deep", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let findings = told["findings"].as_array().unwrap().iter();
    let findings: Vec<String> = findings
        .filter(|finding| finding["kind"] == "bad-snapshot")
        .map(|finding| finding["detail"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ran.code == Some(6), !findings.is_empty(), "{ran:#?}");
    findings
}

#[test]
fn compressed_and_plain_ones_are_made_and_read() {
    let environment = filled();
    let before = answers(&environment);
    let plain = kept(&environment, "P-1", 5, true);
    let packed = kept(&environment, "P-1", 9, false);
    assert!(plain.ends_with("snapshot-5.json") && packed.ends_with("snapshot-9.json.zst"));
    let snapshot = read(&packed);
    assert_eq!(
        snapshot.anchor.chain,
        [Snapshot::parse(&fs::read(&plain).unwrap()[..]).unwrap().anchor.log_bytes]
    );
    assert_eq!(snapshot.signed.unwrap().size, u64::from(2 * EVENTS));
    assert_gone_on_from(&environment, "two");
    assert_eq!(answers(&environment), before);
    assert_eq!(named(&environment), [""; 0]);
    let (found, reasons) = local(&environment).proven_snapshot("P-1", 8, VERSIONS).unwrap();
    assert_eq!((found.unwrap().position, reasons.len()), (5, 0));
    // One whose forebear is gone still stands by itself.
    fs::remove_file(plain).unwrap();
    let found = local(&environment).proven_snapshot("P-1", 99, VERSIONS).unwrap().0;
    assert_eq!(found.unwrap().position, 9);
    assert_eq!(named(&environment), [""; 0]);
}

#[test]
fn whatever_is_wrong_with_one_is_named_and_changes_no_answer() {
    type Change = fn(&mut Snapshot);
    let changes: &[(&str, Change)] = &[
        ("issue", |s| s.issue_key = "Q-1".into()),
        ("position", |s| s.position += 1),
        ("a far position", |s| s.position = 1 << 40),
        ("no position", |s| s.position = 0),
        ("sequence", |s| s.event_sequence += 1),
        ("time", |s| s.timestamp = Timestamp::default()),
        ("state schema", |s| s.versions.state_schema += 1),
        ("fold", |s| s.versions.fold += 1),
        ("log bytes", |s| s.anchor.log_bytes += 1),
        ("too many log bytes", |s| s.anchor.log_bytes *= 100),
        ("log hash", |s| s.anchor.log_hash = "00".repeat(32)),
        ("chain", |s| s.anchor.chain.clear()),
        ("chain without order", |s| s.anchor.chain = vec![9, 3]),
        ("chain behind the end", |s| s.anchor.chain.push(u64::MAX)),
        ("signed size", |s| s.signed.as_mut().unwrap().size -= 1),
        ("signed size behind the end", |s| s.signed.as_mut().unwrap().size += 1),
        ("signed root", |s| s.signed.as_mut().unwrap().root = "x".into()),
        ("state digest", |s| s.state_digest = "sha256:00".into()),
        ("state", |s| {
            s.state = serde_json::from_str::<Tree>("{\"custom\":{\"x\":1}}").unwrap();
            s.state_digest = chronoscope::model::ids::sha256_text(s.state.to_json().as_bytes());
        }),
        ("a state that is none", |s| {
            s.state = Tree::Null;
            s.state_digest = chronoscope::model::ids::sha256_text(b"null");
        }),
    ];
    let environment = filled();
    let before = answers(&environment);
    kept(&environment, "P-1", 5, false);
    let path = kept(&environment, "P-1", 9, false);
    let sound = read(&path);
    for (what, change) in changes {
        let mut snapshot = sound.clone();
        change(&mut snapshot);
        write(&path, &snapshot);
        let details = named(&environment);
        assert!(!details.is_empty(), "{what}");
        assert_eq!(answers(&environment), before, "{what}");
        if !FORGED.contains(what) {
            assert_gone_on_from(&environment, what);
        }
    }
    write(&path, &sound);
    assert_eq!(named(&environment), [""; 0]);
}

#[test]
fn damaged_files_and_those_of_others_are_named() {
    let environment = filled();
    let before = answers(&environment);
    let path = kept(&environment, "P-1", 9, false);
    let other = kept(&environment, "Q-1", 9, false);
    let sound = fs::read(&path).unwrap();
    let plain = zstd::stream::decode_all(&sound[..]).unwrap();
    let mut unnamed = 0;
    for at in (0..sound.len()).step_by(3) {
        let mut bytes = sound.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&path, &bytes).unwrap();
        let named = !local(&environment).verify(None).unwrap().findings.is_empty();
        // A few bits fill up bytes and mean nothing.
        if !named {
            assert_eq!(zstd::stream::decode_all(&bytes[..]).unwrap(), plain, "byte {at}");
            unnamed += 1;
        }
    }
    assert!(unnamed < 9, "{unnamed}");
    let bomb = zstd::bulk::compress(&vec![b' '; 300 << 20], 1).unwrap();
    let without_size = {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        std::io::Write::write_all(&mut encoder, &plain).unwrap();
        encoder.finish().unwrap()
    };
    let (half, twice) = (sound[..sound.len() / 2].to_vec(), [&sound[..], &sound[..]].concat());
    for (what, bytes, word) in [
        ("cut off", half, "damaged"),
        ("empty", Vec::new(), "no frame"),
        ("another issue's", fs::read(&other).unwrap(), "of Q-1"),
        ("a bomb", bomb, "holds 314572800 bytes, more than"),
        ("without a size", without_size, "says its size"),
        ("two in one", twice, "trailing"),
        ("text", plain.clone(), "no frame"),
    ] {
        fs::write(&path, bytes).unwrap();
        let details = named(&environment);
        assert!(details.iter().any(|detail| detail.contains(word)), "{what}: {details:?}");
        assert_eq!(answers(&environment), before, "{what}");
        assert_gone_on_from(&environment, what);
        let doctor = environment.run(&["store", "doctor"]).stdout;
        assert!(doctor.contains("bad-snapshot"), "{what}: {doctor}");
        let dry = environment.run(&["snapshot", "gc", "--dry-run"]).ok();
        assert!(dry.contains("would remove 1") && path.exists(), "{what}: {dry}");
    }
    // As it was before there was any compression.
    fs::write(path.with_extension(""), plain).unwrap();
    environment.run(&["snapshot", "gc"]).ok();
    assert!(!path.exists() && path.with_extension("").exists() && other.exists());
    assert_eq!(named(&environment), [""; 0]);
    assert_eq!(answers(&environment), before);
}

#[test]
fn a_log_that_was_edited_has_no_snapshots() {
    let environment = filled();
    kept(&environment, "P-1", 5, false);
    kept(&environment, "P-1", 9, false);
    let log = environment.store().join("2026-11-22/P-1/events.jsonl");
    let text = fs::read_to_string(&log).unwrap();
    fs::write(&log, text.replace("\"P3\"", "\"X3\"")).unwrap();
    answers(&environment);
    let details = named_among_others(&environment);
    let hashed = details.iter().filter(|d| d.contains("not those that were hashed")).count();
    assert_eq!(hashed, 2, "{details:?}");
    // What is made from here on does not hide it.
    let store = local(&environment);
    assert_eq!(store.proven_snapshot("P-1", 99, VERSIONS).unwrap().0, None);
    assert_eq!(snapshots::compare(&store, "P-1").unwrap().len(), 4);
    // A log that is shorter than a snapshot gets one of its own.
    let first = text.find('\n').unwrap() + 1;
    let ten = text.match_indices('\n').nth(3).unwrap().0 + 1;
    assert!(first < ten);
    fs::write(&log, &text[..ten]).unwrap();
    take_if_due(&store, "P-1", Timestamp::default()).unwrap().unwrap();
    let found = store.proven_snapshot("P-1", 99, VERSIONS).unwrap().0.unwrap();
    assert_eq!((found.position, found.anchor.chain.len()), (4, 0));
}

fn named_among_others(environment: &TestEnvironment) -> Vec<String> {
    let ran = environment.run(&["verify", "--deep", "--jsonl"]);
    assert_eq!(ran.code, Some(6));
    ran.stdout.lines().filter(|line| line.contains("bad-snapshot")).map(str::to_owned).collect()
}

#[test]
fn frequency_minimum_and_retention_are_those_of_the_settings() {
    let environment = TestEnvironment::new();
    let config = environment.work().join("event-sourcing.yaml");
    let set = |text: &str| {
        fs::write(&config, format!("event_sourcing:\n  snapshots:\n{text}")).unwrap();
    };
    set("    frequency: 4\n    min_events_for_snapshot: 8\n    retention_days: 1\n");
    let names = |environment: &TestEnvironment| {
        let listed = environment.run(&["snapshot", "list", "--json"]).json();
        let listed = listed.as_array().unwrap().iter();
        listed.map(|one| one["event_sequence"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    for n in 1..=40 {
        environment.append_phase("P-1", &format!("P{}", n % 3), &[]).ok();
        let kept = names(&environment);
        assert!(kept.iter().all(|at| *at >= 8 && at % 4 == 0), "{kept:?}");
    }
    let kept = names(&environment);
    assert!(kept.first().is_some_and(|last| *last > 20), "{kept:?}");
    let log = fs::metadata(environment.store().join("2026-11-22/P-1/events.jsonl")).unwrap().len();
    let listed = environment.run(&["snapshot", "list", "--json"]).json();
    let sum: u64 =
        listed.as_array().unwrap().iter().map(|one| one["bytes"].as_u64().unwrap()).sum();
    assert!(sum < log, "{sum} of {log}");
    assert_eq!(named(&environment), [""; 0]);
    // Those that are too old go when a new one is made, all but the newest.
    let made = kept.len();
    assert!(made > 4, "{kept:?}");
    let days_later = |args: &[&str]| {
        let mut command = environment.command(args);
        command.env("CHRONOSCOPE_FIXED_CLOCK", "2026-11-25T14:00:00.000Z");
        environment.feed(command, "").ok()
    };
    let dry = days_later(&["snapshot", "gc", "--dry-run"]);
    assert!(dry.contains(&format!("would remove {}", made - 3)), "{dry}");
    let args = ["append", "--no-git", "--type", "PhaseStarted", "--issue", "P-1", "--session"];
    let more = [crate::cli_support::SESSION, "--actor", "system:o", "--meta", "phase=P"];
    for _ in 0..30 {
        days_later(&[&args[..], &more].concat());
    }
    let left = names(&environment);
    assert!(left.iter().all(|at| *at > 20), "{left:?} of {kept:?}");
    set("    enabled: false\n");
    for n in 0..9 {
        environment.append_phase("Q-1", &format!("P{n}"), &[]).ok();
    }
    assert!(!fs::exists(environment.store().join("2026-11-22/Q-1/snapshot-4.json.zst")).unwrap());
}
