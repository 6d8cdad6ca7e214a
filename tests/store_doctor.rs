//! `store doctor`: each thing that it can find, made to be there.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use serde_json::Value;

use crate::cli_support::{Ran, TestEnvironment};

fn kinds(environment: &TestEnvironment, code: i32) -> Vec<String> {
    let ran = environment.run(&["store", "doctor", "--json"]);
    assert_eq!(ran.code, Some(code), "{ran:?}");
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(told["ok"], code == 0);
    let mut kinds: Vec<String> = told["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["kind"].as_str().unwrap().to_owned())
        .filter(|kind| !matches!(kind.as_str(), "low-space" | "low-inodes" | "network-disk"))
        .collect();
    kinds.dedup();
    kinds
}

type Ail<'a> = (&'a str, i32, &'a dyn Fn(&TestEnvironment));

#[test]
fn the_doctor_names_each_ailment() {
    let locks = |environment: &TestEnvironment| environment.store().join(".chronoscope/locks");
    let ails: &[Ail<'_>] = &[
        ("open-mode", 0, &|e| {
            fs::set_permissions(e.log(), fs::Permissions::from_mode(0o644)).unwrap();
        }),
        ("log-damage", 6, &|e| {
            let log = fs::read(e.log()).unwrap();
            fs::write(e.log(), [&log[..], b"garbage\n"].concat()).unwrap();
        }),
        ("outside-link", 6, &|e| {
            symlink(e.path(), e.store().join("reports")).unwrap();
        }),
        ("link", 0, &|e| {
            symlink(e.store().join("global"), e.store().join("reports")).unwrap();
        }),
        ("stray-lock", 0, &|e| {
            let path = locks(e).join("P-9.lock");
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }),
        ("schemas-missing", 0, &|e| fs::remove_dir_all(e.store().join("schemas")).unwrap()),
        ("schemas-changed", 0, &|e| {
            let path = e.store().join("schemas/version-history-1.1.0.json");
            fs::write(path, "{}").unwrap();
        }),
        ("newer-store", 0, &|e| {
            let path = e.store().join("schemas/orchestration-events-1.10.0.json");
            fs::write(&path, "{}").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }),
        ("quarantined", 0, &|e| {
            let path = e.store().join(".chronoscope/quarantine/x.bin");
            fs::write(&path, "x").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }),
        ("stale-derived", 0, &|e| {
            fs::remove_file(e.log().with_file_name("metadata.json")).unwrap();
        }),
    ];
    for (kind, code, harm) in ails {
        let environment = TestEnvironment::with_history();
        environment.run(&["store", "rebuild"]).ok();
        assert_eq!(kinds(&environment, 0), Vec::<String>::new());
        harm(&environment);
        let told = kinds(&environment, *code);
        assert!(told.contains(&(*kind).to_owned()), "{kind}: {told:?}");
        let text = environment.run(&["store", "doctor"]);
        assert_eq!(text.code, Some(*code));
        assert!(text.stdout.contains(kind), "{text:?}");
    }
}

#[test]
fn the_doctor_tells_who_holds_a_lock() {
    let environment = TestEnvironment::with_history();
    environment.run(&["store", "rebuild"]).ok();
    let locks = environment.store().join(".chronoscope/locks");
    let held = fs::File::open(locks.join("PROJ-1.sync")).unwrap();
    held.lock().unwrap();
    let ran = environment.run(&["store", "doctor"]).ok();
    assert!(ran.contains("lock-held"), "{ran}");
    if cfg!(target_os = "linux") && fs::read_to_string("/proc/locks").is_ok_and(|l| !l.is_empty()) {
        assert!(ran.contains(&format!("by process {}", std::process::id())), "{ran}");
    }
    drop(held);
}

#[test]
fn the_doctor_compares_clock_and_owner() {
    let environment = TestEnvironment::with_history();
    environment.run(&["store", "rebuild"]).ok();
    let mut command = environment.command(&["store", "doctor"]);
    command.env("CHRONOSCOPE_FIXED_CLOCK", "2026-11-20T00:00:00Z");
    let told = environment.feed(command, "").ok();
    assert!(told.contains("clock-behind"), "{told}");
    // Only some may give files away.
    if std::os::unix::fs::chown(environment.log(), Some(12345), None).is_ok() {
        assert_eq!(kinds(&environment, 0), ["foreign-owner"]);
    }
}

/// Appends one event with a fault, and gives what became of it.
#[cfg(debug_assertions)]
fn append_with(environment: &TestEnvironment, fault: &str, phase: &str) -> Ran {
    let session = crate::cli_support::SESSION;
    let meta = format!("phase={phase}");
    let args = ["append", "--no-git", "--type", "PhaseStarted", "--issue", "PROJ-1"];
    let more = ["--session", session, "--actor", "system:o", "--meta", &meta];
    let args: Vec<&str> = args.into_iter().chain(more).collect();
    let mut command = environment.command(&args);
    command.env("CHRONOSCOPE_FAULT", fault);
    environment.feed(command, "")
}

/// The number of the operation of an append that begins with these words.
#[cfg(debug_assertions)]
fn operation(environment: &TestEnvironment, is: impl Fn(&[String]) -> bool) -> u64 {
    // The first of a day makes its folders, which the others do not.
    environment.append_phase("PROJ-1", "FIRST", &[]).ok();
    let trace = environment.path().join("trace");
    let fault = format!("trace:{}", trace.display());
    append_with(environment, &fault, "TRACED").ok();
    let steps = crate::disk_support::trace(&trace);
    let step = steps.iter().find(|step| step.number > 0 && is(&step.words));
    step.unwrap_or_else(|| panic!("{steps:#?}")).number
}

#[cfg(debug_assertions)]
fn is_sync_of_log(words: &[String]) -> bool {
    words[0] == "sync" && words[2] == "log"
}

/// The finding of a kind.
#[cfg(debug_assertions)]
fn finding(environment: &TestEnvironment, kind: &str) -> Option<Value> {
    let ran = environment.run(&["store", "doctor", "--json"]);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    told["findings"].as_array().unwrap().iter().find(|finding| finding["kind"] == kind).cloned()
}

#[cfg(debug_assertions)]
#[test]
fn the_doctor_tells_of_syncs_that_did_not_end() {
    for (fault, code, kind, what) in [
        ("kill:N", None, "sync-interrupted", "a sync began and did not end"),
        ("error:N:EIO", Some(7), "sync-failed", "the last sync failed"),
    ] {
        for remedy in [&["append"][..], &["store", "checkpoint"]] {
            let environment = TestEnvironment::with_history();
            let number = operation(&environment, is_sync_of_log);
            let ran = append_with(&environment, &fault.replace('N', &number.to_string()), "LOST");
            assert_eq!(ran.code, code, "{ran:#?}");
            let found = finding(&environment, kind).unwrap();
            assert_eq!(found["what"], what);
            assert_eq!(found["level"], "warning");
            assert!(found["place"].as_str().unwrap().ends_with("PROJ-1.sync"), "{found}");
            // It is what the remedy says, both of them.
            assert!(found["remedy"].as_str().unwrap().contains("store checkpoint"), "{found}");
            match remedy {
                ["append"] => drop(environment.append_phase("PROJ-1", "NEXT", &[]).ok()),
                remedy => drop(environment.run(remedy).ok()),
            }
            assert_eq!(finding(&environment, kind), None, "{remedy:?}");
        }
    }
}

#[cfg(debug_assertions)]
#[test]
fn the_doctor_tells_of_events_that_are_not_published() {
    let environment = TestEnvironment::with_history();
    // Killed between the sync and the writing of the global log.
    let global = environment.store().join("global/events.jsonl");
    let inode = std::os::unix::fs::MetadataExt::ino(&fs::metadata(&global).unwrap()).to_string();
    let number = operation(&environment, |words| words[0] == "write" && words[1] == inode);
    assert_eq!(append_with(&environment, &format!("kill:{number}"), "HELD").code, None);
    let found = finding(&environment, "unpublished").unwrap();
    assert_eq!(found["what"], "1 events of PROJ-1 are not in the global log");
    assert_eq!(found["level"], "note");
    environment.append_phase("PROJ-1", "NEXT", &[]).ok();
    assert_eq!(finding(&environment, "unpublished"), None);
    let text = fs::read_to_string(&global).unwrap();
    assert!(text.contains("\"HELD\"") && text.contains("\"NEXT\""), "{text}");
}

/// The disk is what `df` says; here it says what the test wants.
#[test]
fn the_doctor_tells_of_a_disk_with_little_room() {
    let environment = TestEnvironment::with_history();
    let folder = environment.path().join("bin");
    fs::create_dir(&folder).unwrap();
    let told = |kib: u64, files: u64| {
        let script = format!(
            "#!/bin/sh\ncase $1 in -Pk) free={kib};; *) free={files};; esac\n\
             echo 'Filesystem 1024-blocks Used Available Capacity Mounted on'\n\
             echo \"/dev/x 9 9 $free 99% /\"\n"
        );
        write_program(&folder.join("df"), &script);
        let mut command = environment.command(&["store", "doctor", "--json"]);
        command.env("PATH", &folder);
        let told: Value = environment.feed(command, "").json();
        let findings = told["findings"].as_array().unwrap().clone();
        let of = |finding: &Value| {
            let kind = finding["kind"].as_str()?;
            let what = || finding["what"].as_str().unwrap_or_default();
            kind.starts_with("low-").then(|| format!("{kind}: {}", what()))
        };
        findings.iter().filter_map(of).collect::<Vec<_>>()
    };
    assert_eq!(told(1 << 30, 1 << 30), Vec::<String>::new());
    assert_eq!(told((256 << 10) - 1, 1 << 30), ["low-space: 255 MiB are free"]);
    assert_eq!(told(0, 999), ["low-space: 0 MiB are free", "low-inodes: 999 new files have room"]);
    assert_eq!(told(256 << 10, 0), Vec::<String>::new());
}

fn write_program(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
}
