//! The end of the real screen while a program of a replay runs: nothing may be left behind.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::{Command, Stdio};

use chronoscope::clock::Clock;
use chronoscope::session::replay::unfinished::unfinished_of;
use chronoscope::store::local::LocalStore;

use crate::cli_support::TestEnvironment;
use crate::pty_support::Terminal;
use crate::tui_replay_store::{ISSUE, bench, execute, noting, screen_as};

/// A screen on which a replay runs a program that does not end by itself, and the number of that.
fn hanging(bench: &TestEnvironment) -> (Terminal, String) {
    hanging_in(bench, true)
}

/// The same in a terminal that tells of its end, or not.
fn hanging_in(bench: &TestEnvironment, controlled: bool) -> (Terminal, String) {
    let own = bench.work().join("pid");
    assert!(Command::new("mkfifo").arg(&own).status().unwrap().success());
    let program = noting(bench, &format!("echo $$ > '{}'; exec sleep 1000", own.display()));
    let mut terminal = screen_as(bench, &program, controlled);
    execute(&mut terminal);
    let pid = std::fs::read_to_string(own).unwrap().trim().to_owned();
    terminal.wait_for_text("1 running");
    (terminal, pid)
}

/// Nothing runs any more that would hold the run, and how far its program came is for the user to say.
#[track_caller]
fn assert_over(bench: &TestEnvironment, pid: &str) {
    let alive = Command::new("kill").args(["-0", pid]).stderr(Stdio::null()).status().unwrap();
    assert!(!alive.success(), "{pid} still runs");
    let store = LocalStore::open(bench.store(), Clock::System).unwrap();
    let found = unfinished_of(&store, ISSUE, 1).unwrap().runs.remove(0);
    assert_eq!((found.unknown, found.is_held), (vec![169], false));
}

#[test]
fn who_insists_on_leaving_leaves_no_program_behind() {
    let bench = bench();
    let (mut terminal, pid) = hanging(&bench);
    terminal.press("\u{3}");
    terminal.wait_for_text("ctrl-c again ends it");
    terminal.press("\u{3}");
    assert_eq!(terminal.wait_for_end(), 0);
    assert_over(&bench, &pid);
}

#[test]
fn the_end_of_the_terminal_ends_what_runs() {
    for signal in ["-TERM", "-HUP"] {
        let bench = bench();
        let (mut terminal, pid) = hanging(&bench);
        terminal.signal(signal);
        terminal.wait_for_end();
        assert!(Terminal::is_given_back(terminal.screen()), "{signal}");
        assert!(terminal.text().replace('\n', "").contains("--resume "), "{}", terminal.text());
        assert_over(&bench, &pid);
    }
    let bench = bench();
    let (terminal, pid) = hanging(&bench);
    terminal.hang_up();
    assert_over(&bench, &pid);
}

#[test]
fn a_screen_that_can_be_drawn_no_more_ends_what_runs() {
    let bench = bench();
    let (terminal, pid) = hanging_in(&bench, false);
    terminal.hang_up();
    assert_over(&bench, &pid);
}
