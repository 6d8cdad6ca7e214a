//! `replay`: what is kept of what programs write, and what becomes of a result that nobody can read.

#![cfg(unix)]

use std::fs::File;
use std::path::Path;
use std::process::Stdio;

use crate::cli_support::{Ran, TestEnvironment, ran};
use crate::replay_support::report;

/// The output is cut before secrets are looked for; what the cut goes through is known all the same.
#[test]
fn no_half_of_a_secret_is_kept_where_output_is_cut() {
    let environment = TestEnvironment::with_replayable();
    // (Put together, so that no scanner takes this file for a leak.)
    let lines: String = (0..50).map(|n| format!("MIIEvQ{n:058}\n")).collect();
    let key = format!("-----BEGIN {0}-----\n{lines}-----END {0}-----\n", "RSA PRIVATE KEY");
    let before = "a line of the output of a program that says much\n".repeat(400);
    let behind = "a line that follows upon the key, or the password\n".repeat(110);
    let token = format!("Authorization: Bearer {}\n", "aB3dE5gH7jK9".repeat(1000));
    let password = format!("password: \"{}\"\n", "correct horse ".repeat(700));
    for (name, secret, part) in
        [("key", &key, "MIIEvQ"), ("token", &token, "aB3dE5"), ("password", &password, "horse")]
    {
        std::fs::write(environment.work().join(name), format!("{before}{secret}{behind}")).unwrap();
        let test = environment.handler("TestRunStarted", &format!("cat {name}; cat {name} >&2"));
        let report = format!("{name}.json");
        let flags = ["--handler", &test, "--execute", "--report", &report];
        let ran = environment.replay(&flags);
        let file = std::fs::read_to_string(environment.work().join(report)).unwrap();
        let journals = environment.journals();
        let journals = journals.iter().map(|path| std::fs::read_to_string(path).unwrap());
        for text in journals.chain([ran.ok(), file]) {
            assert!(!text.contains(part), "{name}: {text}");
            assert!(text.contains("bytes left out]"), "{text}");
        }
    }
}

#[test]
fn beginning_and_end_of_a_single_long_line_are_kept() {
    let environment = TestEnvironment::with_replayable();
    let script = "printf begin; head -c 300000 /dev/zero | tr '\\0' x; printf end";
    let test = environment.handler("TestRunStarted", script);
    let told = environment.replay(&["--handler", &test, "--execute"]).json();
    let output = told["results"][10]["result"]["stdout"].as_str().unwrap();
    assert!(output.len() > 16_000, "{output}");
    assert!(output.starts_with("beginxx") && output.ends_with("xxend"), "{output}");
}

/// Runs a replay whose result goes to `out`.
fn into(environment: &TestEnvironment, args: &[&str], out: impl Into<Stdio>) -> Ran {
    let mut command = environment.command(&[&["replay", "R-1"], args].concat());
    command.env("PATH", "/usr/bin:/bin").stdout(out).stderr(Stdio::piped());
    ran(command.spawn().unwrap().wait_with_output().unwrap())
}

#[test]
fn who_cannot_have_the_result_of_a_run_is_not_told_to_run_it_again() {
    let full = Path::new("/dev/full");
    if !full.exists() {
        return;
    }
    let environment = TestEnvironment::with_replayable();
    let test = environment.noting("test", "");
    let open = || File::options().write(true).open(full).unwrap();
    let ran = into(&environment, &["--handler", &test, "--execute"], open());
    assert_eq!(ran.code, Some(7), "{ran:#?}");
    let id = environment.replay_id();
    let hint = format!("`chronoscope replay --resume {id}` prints its result");
    assert!(ran.stderr.contains("the run was carried out, but cannot write"), "{ran:#?}");
    assert!(ran.stderr.contains(&hint) && !ran.stderr.contains("try again"), "{ran:#?}");
    // So it does, and the same is said where only the file takes nothing.
    report(&environment.run_with_path(&["replay", "--resume", &id, "--json"], ""));
    let args = ["replay", "--resume", &id, "--json", "--report", "/dev/full"];
    let error = environment.run_with_path(&args, "").error(7);
    assert!(error["hint"].as_str().unwrap().starts_with(&hint), "{error}");
    assert_eq!(environment.ran(), ["11.1", "12.1"]);
    // What did nothing, or does nothing twice, is done again.
    for args in [&["--handler", &test][..], &["--into", "../copy", "--execute"]] {
        let ran = into(&environment, args, open());
        assert_eq!(ran.code, Some(7), "{ran:#?}");
        assert!(ran.stderr.contains("free some space and try again"), "{ran:#?}");
    }
}

#[test]
fn what_failed_is_no_success_because_nobody_reads_it() {
    let environment = TestEnvironment::with_replayable();
    for (exit, code) in [("exit 1", 8), ("exit 0", 0)] {
        let test = environment.handler("test", exit);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = into(&environment, &["--handler", &test, "--execute"], writer);
        assert_eq!(ran.code, Some(code), "{exit}: {ran:#?}");
    }
}

/// Nothing is copied by a replay that copies nothing.
#[test]
fn the_state_beside_a_line_that_cannot_be_read_is_as_it_is_recorded() {
    let environment = TestEnvironment::with_replayable();
    let log = environment.store().join("2026-11-20/R-1/events.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    let (before, last) = text.trim_end().rsplit_once('\n').unwrap();
    std::fs::write(&log, format!("{before}\nno event\n{last}\n")).unwrap();
    let state = |args: &[&str]| {
        let ran = environment.run(&[&["replay", "R-1"], args].concat());
        assert_eq!(ran.code, Some(8), "{ran:#?}");
        let line = ran.stdout.lines().find(|line| line.starts_with("state "));
        line.unwrap().trim_start_matches("state").trim().to_owned()
    };
    assert_eq!(state(&[]), "as it is recorded");
    assert_eq!(state(&["--execute"]), "as it is recorded");
    assert_eq!(state(&["--into", "../copy"]), "as what is copied makes it");
}
