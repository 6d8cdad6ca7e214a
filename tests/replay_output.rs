//! `replay`: what is kept of what programs write, and what becomes of a result that nobody can read.

#![cfg(unix)]

use crate::cli_support::TestEnvironment;

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
