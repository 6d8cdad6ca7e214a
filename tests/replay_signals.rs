//! Replays and signals: what was ignored stays so, and what was stopped before it began did nothing.

#![cfg(unix)]

use std::fs::{File, read_to_string};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use chronoscope::session::user_state;

use crate::cli_support::TestEnvironment;

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
}

/// `nohup` does this with HUP, a shell without job control with the INT of what is in the background.
#[cfg(target_os = "linux")]
#[test]
fn what_was_ignored_from_the_beginning_ends_no_replay() {
    let environment = TestEnvironment::with_replayable();
    for name in ["go", "ready"] {
        pipe(&environment.work().join(name));
    }
    let wait = "[ $CHRONOSCOPE_POSITION = 12 ] || { echo x > ready; read line < go; }";
    let test = environment.noting("test", wait);
    let plain = environment.command(&["replay", "R-1", "--handler", &test, "--execute"]);
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP INT; exec \"$0\" \"$@\""]);
    command.arg(plain.get_program()).args(plain.get_args());
    command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("PATH", "/usr/bin:/bin").current_dir(environment.work());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    assert_eq!(read_to_string(environment.work().join("ready")).unwrap(), "x\n");
    for name in ["-HUP", "-INT", "-INT"] {
        signal(&child, name);
    }
    std::fs::write(environment.work().join("go"), "x\n").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(environment.ran(), ["11.1", "12.1"]);
}

/// As `sleep` does.
#[cfg(target_os = "linux")]
#[test]
fn an_ignored_ctrl_c_ends_nothing() {
    let environment = TestEnvironment::with_history();
    let plain = environment.command(&["tail", "-f", "--jsonl", "-n", "1"]);
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "trap '' INT; exec \"$0\" \"$@\""]);
    command.arg(plain.get_program()).args(plain.get_args());
    command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("AgentCompleted"));
    signal(&child, "-INT");
    environment.append_phase("PROJ-1", "TEST", &[]).ok();
    assert!(lines.next().unwrap().unwrap().contains("PhaseStarted"));
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A replay that has read its log and waits for what the user set for the issue: a pipe, from which
/// nobody writes until it is dropped.
struct Reading {
    environment: TestEnvironment,
    child: Child,
    settings: File,
}

impl Reading {
    fn new(args: &[&str]) -> Self {
        let environment = TestEnvironment::with_replayable();
        environment.noting("test", "");
        let state = environment.path().join("state");
        let settings = user_state::file(&state, &environment.store(), "R-1");
        std::fs::create_dir_all(settings.parent().unwrap()).unwrap();
        pipe(&settings);
        let mut command = environment.command(&[&["replay", "R-1"], args].concat());
        command.env("PATH", "/usr/bin:/bin").env("CHRONOSCOPE_STATE_DIR", state);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Opened as soon as somebody reads it.
        let settings = File::options().write(true).open(settings).unwrap();
        Self { environment, child, settings }
    }
}

#[test]
fn what_is_stopped_before_it_began_is_not_begun() {
    let Reading { environment, mut child, settings } =
        Reading::new(&["--handler", "test=sh test.sh", "--execute"]);
    let before = environment.run(&["tail", "R-1", "--jsonl"]).ok();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    signal(&child, "-INT");
    assert!(said.any(|line| line.contains("Ctrl-C again ends them")));
    drop(settings);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let rest: Vec<String> = said.collect();
    assert!(rest.iter().all(|line| !line.contains("--resume")), "{rest:?}");
    assert!(environment.journals().is_empty() && environment.ran().is_empty());
    assert_eq!(environment.run(&["tail", "R-1", "--jsonl"]).ok(), before);
}

#[test]
fn what_is_ended_leaves_no_empty_report() {
    for (args, name) in [
        (&["--report", "r.json"][..], "-TERM"),
        (&["--report", "r.json"], "-KILL"),
        (&["--report", "r.json", "--to", "11", "--into", "../copy", "--execute"], "-TERM"),
    ] {
        let Reading { environment, mut child, settings } = Reading::new(args);
        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), None);
        drop(settings);
        assert!(!environment.work().join("r.json").exists(), "{args:?} {name}");
    }
}
