//! The tamper-evident log: what is changed is found and named, what is lost comes back, and
//! others can check it with nothing but what stands on disk.
//!
//! `CHRONOSCOPE_LONG_TESTS=1` runs the thousand seeds of tampering, and flips a bit in every byte of a
//! hundred events.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::too_many_lines, reason = "tables of cases")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use chronoscope::error::ErrorKind;
use chronoscope::store::local::{Anchor, FindingKind, LocalStore, Report};
use serde_json::Value;

use crate::cli_support::{PROJ_1, TestEnvironment};
use crate::store_support::{append, assert_sound, is_long, lines, os, plain, store};

const DAY: &str = "2026-11-20";
const TIMEOUT: Duration = Duration::from_secs(20);

fn tlog(dir: &Path) -> PathBuf {
    dir.join(".chronoscope/tlog")
}

fn global(dir: &Path) -> PathBuf {
    dir.join("global/events.jsonl")
}

fn log(dir: &Path, issue: usize) -> PathBuf {
    dir.join(DAY).join(format!("P-{issue}/events.jsonl"))
}

/// Appends so many events to three issues in turn.
fn fill(store: &LocalStore, events: usize) {
    for n in 0..events {
        append(
            store,
            vec![plain(&format!("P-{}", (n * 2 + n / 3) % 3 + 1), &format!("note {n}"))],
            &os(),
        )
        .unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn anchored(store: &LocalStore, note: &str) -> Report {
    let anchor = Anchor { file: "anchor.txt".into(), note: note.to_owned() };
    store.verify_from(None, Some(&anchor)).unwrap()
}

fn kinds(report: &Report) -> Vec<FindingKind> {
    report.findings.iter().map(|finding| finding.kind).collect()
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// What somebody does to a list of lines: edits that keep them JSON and, where it can be done,
/// the sequence numbers without a gap.
fn tamper(lines: &mut Vec<String>, what: usize, random: &mut Random) {
    let at = random.below(lines.len());
    match what {
        0 => lines[at] = lines[at].replace("note ", "n0te "),
        1 => drop(lines.remove(at)),
        2 => lines.insert(at, lines[at].replace("note ", "another ")),
        3 => {
            let other = (at + 1) % lines.len();
            lines.swap(at, other);
        }
        _ => lines.truncate(at),
    }
}

fn write(file: &Path, lines: &[String]) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(file, text).unwrap();
}

fn read(file: &Path) -> Vec<String> {
    fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn tampering_is_found() {
    let (made, older) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let base = store(made.path());
    fill(&base, 12);
    base.checkpoint(TIMEOUT).unwrap();
    copy(made.path(), older.path());
    fill(&base, 12);
    let anchor = base.checkpoint(TIMEOUT).unwrap().note;
    fill(&base, 6);
    assert_sound(&base);
    assert_eq!(anchored(&base, &anchor).findings, []);
    let seeds = if is_long() { 1000 } else { 100 };
    let pristine = fs::read(global(made.path())).unwrap();
    for seed in 0..seeds {
        let mut random = Random(seed as u64 ^ 0x7a3);
        let dir = tempfile::tempdir().unwrap();
        copy(made.path(), dir.path());
        let (what, how) = (seed % 6, seed / 6 % 4);
        if what == 5 {
            // Everything is put back to what it was before; the key can sign it again.
            fs::remove_dir_all(dir.path()).unwrap();
            copy(older.path(), dir.path());
            fill(&store(dir.path()), random.below(30));
            if how > 0 {
                store(dir.path()).checkpoint(TIMEOUT).unwrap();
            }
            assert_sound(&store(dir.path()));
        } else {
            let issue = random.below(3) + 1;
            let mut changed = read(&log(dir.path(), issue));
            // Behind what the anchor signs nothing is proven.
            changed.truncate(7);
            let rest = read(&log(dir.path(), issue)).split_off(7);
            tamper(&mut changed, what, &mut random);
            if what != 4 {
                changed.extend(rest);
            }
            write(&log(dir.path(), issue), &changed);
            // Then the global log, the leaf hashes and the checkpoint are made to fit.
            if how > 0 {
                let key = format!("\"issue_key\":\"P-{issue}\"");
                let mut all = read(&global(dir.path()));
                all.retain(|line| !line.contains(&key));
                all.extend(changed.iter().cloned());
                write(&global(dir.path()), &all);
            }
            if how > 1 {
                for name in ["leaves", "checkpoint", "history", "tile"] {
                    let path = tlog(dir.path()).join(name);
                    let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
                }
                fs::remove_dir_all(dir.path().join(".chronoscope/locks")).unwrap();
                store(dir.path()).rebuild_global(TIMEOUT).unwrap();
            }
            if how > 2 {
                let _ = store(dir.path()).checkpoint(TIMEOUT);
            }
        }
        let report = anchored(&store(dir.path()), &anchor);
        assert_ne!(report.findings, [], "seed {seed}: {what} {how}");
        assert_eq!(report.signature.anchor, None, "seed {seed}");
        if what < 5 && how < 2 {
            let report = store(dir.path()).verify(None).unwrap();
            assert_ne!(report.findings, [], "seed {seed}: without an anchor, {what} {how}");
        }
    }
    assert!(fs::read(global(made.path())).unwrap() == pristine);
}

#[test]
fn one_flipped_bit_in_each_byte_is_found_and_its_line_named() {
    let made = tempfile::tempdir().unwrap();
    for n in 0..if is_long() { 100 } else { 5 } {
        append(&store(made.path()), vec![plain("P-1", &n.to_string())], &os()).unwrap();
    }
    store(made.path()).checkpoint(TIMEOUT).unwrap();
    let sound = fs::read(log(made.path(), 1)).unwrap();
    // Each of several takes its share of the bytes, in a store of its own.
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (made, sound) = (&made, &sound);
            scope.spawn(move || {
                let dir = tempfile::tempdir().unwrap();
                copy(made.path(), dir.path());
                let (store, file) = (store(dir.path()), log(dir.path(), 1));
                for at in (worker..sound.len()).step_by(workers) {
                    let mut flipped = sound.clone();
                    flipped[at] ^= 1 << (at % 8);
                    fs::write(&file, &flipped).unwrap();
                    let report = store.verify(None).unwrap();
                    let named = report.findings.iter().find(|f| f.file == file && f.line.is_some());
                    let named = named.unwrap_or_else(|| panic!("byte {at}: {report:#?}"));
                    let line = 1 + sound[..at].iter().filter(|byte| **byte == b'\n').count() as u64;
                    assert_eq!(named.line, Some(line), "byte {at}: {report:#?}");
                }
            });
        }
    });
}

#[test]
fn what_is_wrong_is_called_by_its_name() {
    type Change = fn(&Path);
    fn edit(dir: &Path, change: fn(&mut Vec<String>)) {
        let mut all = read(&log(dir, 2));
        change(&mut all);
        write(&log(dir, 2), &all);
    }
    let cases: [(Change, FindingKind, Option<u64>, Option<u64>); 10] = [
        (
            |dir| edit(dir, |all| all[2] = all[2].replace("note", "NOTE")),
            FindingKind::LineChanged,
            Some(3),
            Some(3),
        ),
        (
            |dir| edit(dir, |all| all.insert(1, all[1].replace("note", "NOTE"))),
            FindingKind::LineInserted,
            Some(2),
            Some(2),
        ),
        (|dir| edit(dir, |all| all.swap(0, 1)), FindingKind::LineMoved, Some(1), Some(2)),
        (|dir| edit(dir, |all| drop(all.pop())), FindingKind::LineMissing, None, None),
        (
            |dir| {
                let mut leaves = fs::read(tlog(dir).join("leaves")).unwrap();
                leaves[40] ^= 1;
                fs::write(tlog(dir).join("leaves"), leaves).unwrap();
            },
            FindingKind::TreeMismatch,
            None,
            None,
        ),
        (
            |dir| fs::write(tlog(dir).join("leaves"), [0; 64]).unwrap(),
            FindingKind::RolledBack,
            None,
            None,
        ),
        (
            |dir| fs::remove_dir_all(tlog(dir).join("tile")).unwrap(),
            FindingKind::TileMismatch,
            None,
            None,
        ),
        (
            |dir| {
                let note = fs::read_to_string(tlog(dir).join("checkpoint")).unwrap();
                fs::write(tlog(dir).join("checkpoint"), note.replacen("\n12\n", "\n11\n", 1))
                    .unwrap();
            },
            FindingKind::BadCheckpoint,
            None,
            None,
        ),
        (
            |dir| fs::remove_file(tlog(dir).join("checkpoint")).unwrap(),
            FindingKind::BadCheckpoint,
            None,
            None,
        ),
        (
            |dir| fs::write(tlog(dir).join("key"), "PRIVATE+KEY+x").unwrap(),
            FindingKind::KeyFault,
            None,
            None,
        ),
    ];
    for (case, (change, kind, line, sequence)) in cases.into_iter().enumerate() {
        let dir = tempfile::tempdir().unwrap();
        let made = store(dir.path());
        fill(&made, 12);
        made.checkpoint(TIMEOUT).unwrap();
        assert_sound(&made);
        change(dir.path());
        let report = made.verify(None).unwrap();
        let found = report.findings.iter().find(|finding| finding.kind == kind);
        let found = found.unwrap_or_else(|| panic!("case {case}: {report:#?}"));
        if line.is_some() {
            assert_eq!((found.line, found.event_sequence), (line, sequence), "case {case}");
            assert_eq!(found.file, log(dir.path(), 2));
        }
    }
}

#[test]
fn a_rollback_of_everything_shows_against_an_anchor_alone() {
    let (dir, before) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let made = store(dir.path());
    fill(&made, 5);
    made.checkpoint(TIMEOUT).unwrap();
    copy(dir.path(), before.path());
    fill(&made, 4);
    let anchor = made.checkpoint(TIMEOUT).unwrap();
    let proven = anchored(&made, &anchor.note);
    assert_eq!(proven.signature.anchor.unwrap().size, 9);
    let back = store(before.path());
    assert_sound(&back);
    assert_eq!(kinds(&anchored(&back, &anchor.note)), [FindingKind::RolledBack]);
    // The same number of events again, and signed with the same key: another history.
    fill(&back, 9);
    back.checkpoint(TIMEOUT).unwrap();
    assert_sound(&back);
    assert_eq!(kinds(&anchored(&back, &anchor.note)), [FindingKind::AnchorMismatch]);
    // An older checkpoint put in the place of the last one shows by the history.
    let old = fs::read(tlog(dir.path()).join("checkpoint")).unwrap();
    fill(&made, 1);
    made.checkpoint(TIMEOUT).unwrap();
    fs::write(tlog(dir.path()).join("checkpoint"), old).unwrap();
    assert!(kinds(&made.verify(None).unwrap()).contains(&FindingKind::RolledBack));
}

#[test]
fn what_is_lost_of_the_log_comes_back() {
    type Loss = fn(&Path);
    let losses: [Loss; 7] = [
        |dir| fs::remove_file(tlog(dir).join("leaves")).unwrap(),
        |dir| fs::remove_dir_all(tlog(dir).join("tile")).unwrap(),
        |dir| fs::remove_file(global(dir)).unwrap(),
        |dir| {
            fs::remove_file(global(dir)).unwrap();
            fs::remove_file(tlog(dir).join("leaves")).unwrap();
        },
        |dir| {
            fs::remove_file(global(dir)).unwrap();
            fs::remove_dir_all(tlog(dir).join("tile")).unwrap();
            fs::remove_dir_all(dir.join(".chronoscope/locks")).unwrap();
        },
        |dir| {
            let leaves = fs::read(tlog(dir).join("leaves")).unwrap();
            fs::write(tlog(dir).join("leaves"), [&leaves[..], &[9; 77]].concat()).unwrap();
            fs::remove_dir_all(dir.join(".chronoscope/locks")).unwrap();
        },
        |dir| {
            // The lines of the global log in another order, as of a rebuilding without hashes.
            let mut all = read(&global(dir));
            all.sort_by_key(|line| line.contains("P-1"));
            write(&global(dir), &all);
            fs::write(tlog(dir).join("leaves"), "").unwrap();
        },
    ];
    for (case, loss) in losses.into_iter().enumerate() {
        for rebuilt in [true, false] {
            let dir = tempfile::tempdir().unwrap();
            let made = store(dir.path());
            fill(&made, 300);
            let signed = made.checkpoint(TIMEOUT).unwrap();
            let before = fs::read(global(dir.path())).unwrap();
            let leaves = fs::read(tlog(dir.path()).join("leaves")).unwrap();
            loss(dir.path());
            if rebuilt {
                made.rebuild(TIMEOUT, &mut |_, _| {}).unwrap();
                assert!(fs::read(global(dir.path())).unwrap() == before, "case {case}");
                assert!(
                    fs::read(tlog(dir.path()).join("leaves")).unwrap() == leaves,
                    "case {case}"
                );
                assert_sound(&made);
                assert_eq!(made.checkpoint(TIMEOUT).unwrap(), signed);
            } else if case < 6 {
                // The next append goes on, and the next checkpoint puts the tiles in order.
                fill(&made, 3);
                made.checkpoint(TIMEOUT).unwrap();
                if case != 1 {
                    assert_sound(&made);
                }
                let report = anchored(&made, &signed.note);
                assert!(report.findings.iter().all(|f| f.kind == FindingKind::TileMismatch));
            }
        }
    }
}

#[test]
fn an_order_that_was_signed_is_not_lost_and_not_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let made = store(dir.path());
    fill(&made, 12);
    made.checkpoint(TIMEOUT).unwrap();
    // One signed line is changed: a rebuilding would have to invent an order, and refuses.
    let mut all = read(&log(dir.path(), 1));
    all[1] = all[1].replace("note", "NOTE");
    write(&log(dir.path(), 1), &all);
    fs::remove_file(global(dir.path())).unwrap();
    let error = made.rebuild_global(TIMEOUT).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(error.message().contains("of the 12 that the last checkpoint signs"), "{error}");
    let leaves = fs::read(tlog(dir.path()).join("leaves")).unwrap();
    assert_eq!(leaves.len(), 12 * 32);
}

#[test]
fn a_store_from_before_the_log_is_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let made = store(dir.path());
    fill(&made, 20);
    fs::remove_dir_all(tlog(dir.path())).unwrap();
    assert_sound(&made);
    assert_eq!(made.verify(None).unwrap().signature.size, 0);
    fill(&made, 1);
    assert_eq!(fs::metadata(tlog(dir.path()).join("leaves")).unwrap().len(), 21 * 32);
    assert_sound(&made);
    assert_eq!(made.checkpoint(TIMEOUT).unwrap().size, 21);
    assert_sound(&made);
}

#[test]
fn nothing_is_signed_that_does_not_go_on_from_what_was() {
    let dir = tempfile::tempdir().unwrap();
    let made = store(dir.path());
    fill(&made, 6);
    made.checkpoint(TIMEOUT).unwrap();
    fill(&made, 3);
    let leaves = tlog(dir.path()).join("leaves");
    let sound = fs::read(&leaves).unwrap();
    for at in [3 * 32, 7 * 32] {
        let mut changed = sound.clone();
        changed[at] ^= 1;
        fs::write(&leaves, changed).unwrap();
        let _ = fs::remove_dir_all(tlog(dir.path()).join("tile"));
        let error = made.checkpoint(TIMEOUT).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Integrity, "{error}");
    }
    fs::write(&leaves, sound).unwrap();
    assert_eq!(made.checkpoint(TIMEOUT).unwrap().size, 9);
    fs::remove_file(tlog(dir.path()).join("key")).unwrap();
    fill(&made, 1);
    let error = made.checkpoint(TIMEOUT).unwrap_err();
    assert!(error.message().contains("is gone"), "{error}");
}

#[cfg(unix)]
#[test]
fn keys_are_for_their_owner_alone() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let dir = tempfile::tempdir().unwrap();
    let made = store(dir.path());
    fill(&made, 1);
    assert!(!tlog(dir.path()).join("key").exists(), "nothing was signed yet");
    made.checkpoint(TIMEOUT).unwrap();
    assert_eq!(fs::metadata(tlog(dir.path())).unwrap().mode() & 0o777, 0o700);
    for name in ["key", "key.pub", "leaves", "checkpoint", "history", "tile/0/000.p/1"] {
        let mode = fs::metadata(tlog(dir.path()).join(name)).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let key = tlog(dir.path()).join("key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(kinds(&made.verify(None).unwrap()), [FindingKind::KeyFault]);
}

/// As the README tells it, in Rust: the root of the lines by the definition alone.
fn root(lines: &[Vec<u8>]) -> [u8; 32] {
    use sha2::{Digest, Sha256};
    match lines {
        [] => Sha256::digest([]).into(),
        [line] => Sha256::new().chain_update([0]).chain_update(line).finalize().into(),
        _ => {
            let middle = lines.len().next_power_of_two() / 2;
            let (left, right) = lines.split_at(middle);
            Sha256::new()
                .chain_update([1])
                .chain_update(root(left))
                .chain_update(root(right))
                .finalize()
                .into()
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number = three.iter().fold(0_u32, |n, byte| n << 8 | u32::from(*byte))
            << (8 * (3 - three.len()));
        for at in 0..4 {
            let digit = DIGITS[(number >> (18 - 6 * at)) as usize & 63];
            text.push(if at <= three.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[test]
fn the_root_is_what_anyone_can_compute() {
    let environment = TestEnvironment::with_history();
    let note = environment.run(&["store", "checkpoint"]).ok();
    let fields: Vec<&str> = note.lines().collect();
    let all = fs::read(global(&environment.store())).unwrap();
    let lines: Vec<Vec<u8>> =
        all.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(<[u8]>::to_vec).collect();
    assert_eq!(fields[1], lines.len().to_string());
    assert_eq!(fields[2], base64(&root(&lines)));
    let readme = include_str!("../README.md");
    let script = readme.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(script.lines().count() <= 20);
    let python = Command::new("python3")
        .args(["-c", script])
        .current_dir(environment.store())
        .stderr(Stdio::piped())
        .output();
    let Ok(output) = python else { return };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(
        text.trim(),
        format!("{} events: the root is the signed one", lines.len()),
        "{output:?}"
    );
    fs::write(global(&environment.store()), &all[1..]).unwrap();
    let output = Command::new("python3")
        .args(["-c", script])
        .current_dir(environment.store())
        .output()
        .unwrap();
    assert!(!output.status.success());
}

#[test]
fn a_third_party_can_follow_a_proof() {
    use sha2::{Digest, Sha256};
    let environment = TestEnvironment::with_history();
    environment.run(&["store", "checkpoint"]).ok();
    let line = PROJ_1.lines().nth(4).unwrap();
    let id = serde_json::from_str::<Value>(line).unwrap()["event_id"].as_str().unwrap().to_owned();
    let proof = environment.run(&["verify", "--event", &id, "--proof"]).json();
    assert_eq!((&proof["event_id"], &proof["leaf_index"]), (&id.into(), &4.into()));
    // Twelve leaves; the fifth is in the left eight, there in the right four.
    let hashes: Vec<&str> =
        proof["hashes"].as_array().unwrap().iter().map(|h| h.as_str().unwrap()).collect();
    assert_eq!(hashes.len(), 4);
    let all = fs::read(global(&environment.store())).unwrap();
    let lines: Vec<Vec<u8>> =
        all.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(<[u8]>::to_vec).collect();
    let beside = [root(&lines[5..6]), root(&lines[6..8]), root(&lines[..4]), root(&lines[8..])];
    assert_eq!(hashes, beside.iter().map(|hash| base64(hash)).collect::<Vec<_>>());
    let own: [u8; 32] = Sha256::new().chain_update([0]).chain_update(&lines[4]).finalize().into();
    assert_eq!(proof["leaf_hash"], base64(&own));
    let note = proof["checkpoint"].as_str().unwrap();
    assert_eq!(note.lines().nth(2), Some(&*base64(&root(&lines))));
    let key = fs::read_to_string(tlog(&environment.store()).join("key.pub")).unwrap();
    assert_eq!(proof["signed_by"], key.trim());
    environment.append_phase("PROJ-1", "LATER", &[]).ok();
    let last = lines_of(&environment).pop().unwrap();
    let message = environment.run(&["verify", "--event", &last, "--proof"]).message(3);
    assert!(message.contains("store checkpoint"), "{message}");
    environment.run(&["verify", "--event", "ffffffff", "--proof"]).message(3);
    environment.run(&["verify", "--event", &last]).message(2);
}

fn lines_of(environment: &TestEnvironment) -> Vec<String> {
    let store = LocalStore::open(environment.store(), chronoscope::clock::Clock::System).unwrap();
    let id = |line: &String| {
        serde_json::from_str::<Value>(line).unwrap()["event_id"].as_str().unwrap().to_owned()
    };
    lines(&store, "PROJ-1").iter().map(id).collect()
}

fn signed_size(environment: &TestEnvironment) -> u64 {
    let note =
        fs::read_to_string(tlog(&environment.store()).join("checkpoint")).unwrap_or_default();
    note.lines().nth(1).map_or(0, |size| size.parse().unwrap())
}

#[test]
fn checkpoints_come_by_number_by_the_end_and_under_a_regime() {
    let environment = TestEnvironment::new();
    let with = |variable: Option<(&str, &str)>, phase: &str| {
        let meta = format!("phase={phase}");
        let mut command = environment.command(&[
            "append",
            "--no-git",
            "--type",
            "PhaseStarted",
            "--issue",
            "PROJ-1",
            "--session",
            crate::cli_support::SESSION,
            "--actor",
            "system:o",
            "--meta",
            &meta,
        ]);
        command.envs(variable);
        assert!(command.output().unwrap().status.success());
        signed_size(&environment)
    };
    assert_eq!(with(None, "A"), 0);
    let every = Some(("CHRONOSCOPE_INTEGRITY_CHECKPOINT_EVERY", "3"));
    assert_eq!(with(every, "B"), 0);
    assert_eq!(with(every, "C"), 3);
    assert_eq!(with(every, "D"), 3);
    let off = Some(("CHRONOSCOPE_AUDIT_COMPLIANCE_MODE", "none"));
    assert_eq!(with(off, "E"), 3);
    let regime = Some(("CHRONOSCOPE_AUDIT_COMPLIANCE_MODE", "soc2"));
    assert_eq!(with(regime, "F"), 6);
    assert_eq!(with(regime, "G"), 7);
    let end = format!(
        r#"{{"event_type":"OrchestrationCancelled","issue_key":"PROJ-1","session_id":"{}","actor":{{"type":"system","id":"o"}},"metadata":{{"cancelled_by":"u","reason":"r"}}}}"#,
        crate::cli_support::SESSION
    );
    environment.run_with(&["append", "--no-git", "--quiet"], &end).ok();
    assert_eq!(signed_size(&environment), 8);
    environment.run(&["verify"]).ok();
}

#[test]
fn verify_says_what_is_proven() {
    let environment = TestEnvironment::with_history();
    let note = environment.run(&["store", "checkpoint"]).ok();
    let text = environment.run(&["verify"]).ok();
    assert!(text.contains("signed up to 12; no rollback provable since size 12"), "{text}");
    fs::write(environment.work().join("anchor"), &note).unwrap();
    let report = environment.run(&["verify", "--anchor", "anchor", "--json"]).json();
    assert_eq!((&report["ok"], &report["proven_size"]), (&true.into(), &12.into()));
    assert_eq!(report["anchor"]["size"], 12);
    environment.append_phase("PROJ-1", "LATER", &[]).ok();
    environment.run(&["store", "checkpoint"]).ok();
    let text = environment.run(&["verify", "--anchor", "anchor"]).ok();
    assert!(text.contains("the log goes on from the anchor over 12"), "{text}");
    // One event less than was signed, in every file but the checkpoint.
    for file in [environment.log(), global(&environment.store())] {
        let mut all = read(&file);
        all.truncate(11);
        write(&file, &all);
    }
    let later = environment.store().join("2026-11-22");
    let _ = fs::remove_dir_all(later);
    let ran = environment.run(&["verify", "--json"]);
    assert_eq!(ran.code, Some(6), "{ran:#?}");
    assert!(ran.stdout.contains("line-missing"), "{ran:#?}");
    let message = environment.run(&["verify", "--anchor", "nowhere"]).message(2);
    assert!(message.contains("nowhere"), "{message}");
    fs::write(environment.work().join("anchor"), "x").unwrap();
    environment.run(&["verify", "--anchor", "anchor"]).message(2);
}

/// The two other anchors that the README tells of, where the programs are there.
#[test]
fn anchors_in_git_and_signed_with_ssh() {
    let environment = TestEnvironment::with_history();
    let work = environment.work();
    let sh = |text: &str| {
        let mut command = environment.command(&[]);
        let program = command.get_program().to_owned();
        let path = std::env::var_os("PATH").unwrap();
        let folder = Path::new(&program).parent().unwrap().to_owned();
        let paths = std::iter::once(folder).chain(std::env::split_paths(&path));
        command = Command::new("sh");
        command
            .args(["-ec", text])
            .env("PATH", std::env::join_paths(paths).unwrap())
            .env("CHRONOSCOPE_STORE", environment.store())
            .env("HOME", environment.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .current_dir(&work)
            .stdin(Stdio::null());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{text}: {output:?}");
    };
    let has = |program: &str| {
        Command::new("sh")
            .args(["-c", &format!("command -v {program}")])
            .output()
            .unwrap()
            .status
            .success()
    };
    let readme = include_str!("../README.md");
    let block = |mark: &str| {
        let blocks = readme.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
        blocks.into_iter().find(|block| block.contains(mark)).unwrap()
    };
    if has("git") {
        sh("git init -q . && git -c user.name=u -c user.email=u@x commit -q --allow-empty -m x");
        sh("git config user.name u && git config user.email u@x");
        sh(block("git notes"));
    }
    if has("ssh-keygen") {
        sh(
            "mkdir -p ~/.ssh && ssh-keygen -q -t ed25519 -N '' -C me@example.com -f ~/.ssh/id_ed25519",
        );
        sh(block("ssh-keygen -Y"));
    }
}
