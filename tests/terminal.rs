//! The real binary in a pseudo-terminal, read through a terminal emulator.
#![cfg(unix)]

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine};

use crate::pty_support::{PATIENCE, Terminal};

const BINARY: &str = env!("CARGO_BIN_EXE_chronoscope");

/// What time it is for the binary: a little after the sample's last event.
const NOW: &str = "2026-11-20T15:00:00Z";

/// A sample store in a folder of its own.
struct Store {
    folder: tempfile::TempDir,
}

impl Store {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Self { folder };
        let log = store.folder.path().join("sample.jsonl");
        std::fs::write(&log, include_str!("../assets/demo/proj-123.jsonl")).unwrap();
        let input = std::fs::File::open(log).unwrap();
        let done = store.command(&["append", "--quiet"]).stdin(input).status().unwrap();
        assert!(done.success());
        store
    }

    fn events(&self) -> PathBuf {
        self.folder.path().join("events")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(arguments).env_clear().current_dir(self.folder.path());
        command.env("CHRONOSCOPE_STORE", self.events()).env("HOME", self.folder.path());
        command.env("CHRONOSCOPE_FIXED_CLOCK", NOW);
        command.stdout(Stdio::null());
        command
    }

    /// Another process appends an event.
    fn append(&self) {
        let arguments = [
            "append",
            "--type",
            "AgentProgressed",
            "--issue",
            "PROJ-123",
            "--session",
            "6f1c0a4e-7d0b-4f55-9a53-0a2f6f1f2a11",
            "--actor",
            "agent:straggler",
            "--meta",
            "agent_name=straggler",
            "--meta",
            "note=a late word",
        ];
        assert!(self.command(&arguments).status().unwrap().success());
    }
}

fn open(store: &Store, arguments: &[&str], size: (u16, u16)) -> Terminal {
    let events = store.events();
    let variables =
        [("CHRONOSCOPE_STORE", events.to_str().unwrap()), ("CHRONOSCOPE_FIXED_CLOCK", NOW)];
    Terminal::start(size, store.folder.path(), &variables, arguments)
}

#[test]
fn opens_scrubs_diffs_follows_resizes_and_leaves_no_trace() {
    let store = Store::new();
    let mut session = open(&store, &["PROJ-123"], (120, 40));
    session.wait_for_text("#287/287");
    session.wait_for_text("LIVE");
    assert!(session.screen().alternate_screen());
    session.press("103G");
    session.wait_for_text("#103/287");
    session.wait_for_text("oauth-integrator/failure");
    session.press("\x1b[D\x1b[D");
    session.wait_for_text("#101/287");
    session.press("d103G");
    session.wait_for_text("diff 101 → 103");
    session.press("ma");

    store.append();
    session.wait_for_text("#103/288");
    session.wait_for_text("LIVE +185");
    session.press("f");
    session.wait_for_text("#288/288");
    session.wait_for_text("AgentProgressed");

    session.resize((60, 20));
    session
        .wait_for("change", |screen| screen.contents().contains(" timeline  events  state  diff"));
    session.resize((30, 8));
    session.wait_for_text("needs more room");
    session.resize((120, 40));
    session.wait_for_text("#288/288");

    // A click in the middle of the timeline: SGR, button 0, column 60, row 4.
    session.press("\x1b[<0;60;4M\x1b[<0;60;4m");
    session.wait_for("change", |screen| !screen.contents().contains("#288/288"));
    session.press("'a");
    session.wait_for_text("#103/288");
    session.press("q");
    assert_eq!(session.wait_for_end(), 0);
    assert!(Terminal::is_given_back(session.screen()));
    let begun = memchr::memmem::find_iter(session.printed(), b"\x1b[?2026h").count();
    let ended = memchr::memmem::find_iter(session.printed(), b"\x1b[?2026l").count();
    assert!(begun > 3 && ended >= begun, "{begun} {ended}");

    // Where we were is kept.
    let mut again = open(&store, &["PROJ-123"], (100, 30));
    again.wait_for_text("#103/288");
    again.press("\x03");
    assert_eq!(again.wait_for_end(), 0);
}

#[test]
fn runs_to_a_breakpoint_skips_the_event_edits_another_and_leaves_the_branch() {
    let store = Store::new();
    let before = files(&store.events());
    let editor = store.folder.path().join("editor.sh");
    std::fs::write(&editor, "#!/bin/sh\nsed -i 's/: \"[^\"]*\"/: \"edited\"/' \"$2\"\n").unwrap();
    let editor = format!("sh {} -w", editor.display());
    let events = store.events();
    let variables = [
        ("CHRONOSCOPE_STORE", events.to_str().unwrap()),
        ("CHRONOSCOPE_FIXED_CLOCK", NOW),
        ("EDITOR", editor.as_str()),
        ("PATH", "/usr/bin:/bin"),
    ];
    let open = || Terminal::start((120, 40), store.folder.path(), &variables, &["PROJ-123"]);
    let mut session = open();
    session.wait_for_text("#287/287");
    session.press("ggb");
    session.wait_for_text("an expression, or a path");
    session.press(".event_type == \"AgentFailed\"\r");
    session.wait_for_text("breakpoint: .event_type");
    session.press("c");
    session.wait_for_text("#103/287");
    session.press("x");
    session.wait_for_text("BRANCH from #102: 1 edit");
    session.wait_for_text("the log stays as it is");
    // The editor has the terminal, and gives it back.
    session.press("he");
    session.wait_for_text("BRANCH from #101: 2 edits");
    session.wait_for_text("edited");
    session.press("q");
    assert_eq!(session.wait_for_end(), 0);
    // All of it is there again, until it is left.
    let mut session = open();
    session.wait_for_text("BRANCH from #101: 2 edits");
    session.press("Bx");
    session.wait_for_text("back to what happened");
    session.wait_for("change", |screen| !screen.contents().contains("BRANCH"));
    session.press("q");
    assert_eq!(session.wait_for_end(), 0);
    assert!(Terminal::is_given_back(session.screen()));
    assert_eq!(files(&store.events()), before, "nothing of it was written to the store");
}

/// Every file of the store's log, with its bytes.
fn files(folder: &std::path::Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|e| e == "jsonl") {
            let bytes = std::fs::read(&path).unwrap();
            found.push((path, bytes));
        }
    }
    found.sort();
    found
}

/// What the program put on the clipboard last (OSC 52).
fn copied(session: &Terminal) -> String {
    let printed = String::from_utf8_lossy(session.printed());
    let (_, rest) = printed.rsplit_once("\x1b]52;c;").unwrap();
    let base64 = rest.split(['\x07', '\x1b']).next().unwrap();
    String::from_utf8(BASE64_STANDARD.decode(base64).unwrap()).unwrap()
}

#[test]
fn a_view_is_copied_and_opened_and_a_value_becomes_an_assertion() {
    let store = Store::new();
    let mut session = open(&store, &["PROJ-123"], (120, 40));
    session.wait_for_text("#287/287");
    session.press("97Gd103G");
    session.wait_for_text("diff 97 → 103");
    session.press(":why /agents/oauth-integrator/status\r");
    session.wait_for_text("was written by #103");
    session.press("tyv");
    session.wait_for_text("view copied: chronoscope PROJ-123");
    let command = copied(&session);
    session.press("ya");
    session.wait_for_text("assertion copied: $state.agents");
    let assertion = copied(&session);
    session.press("q");
    assert_eq!(session.wait_for_end(), 0);
    // As a shell reads them, somewhere else.
    let shell = |command: &str| {
        let folder = tempfile::tempdir().unwrap();
        let path = std::path::Path::new(BINARY).parent().unwrap();
        Command::new("/bin/sh")
            .args(["-c", command])
            .env_clear()
            .env("PATH", path)
            .env("HOME", folder.path())
            .env("CHRONOSCOPE_FIXED_CLOCK", NOW)
            .current_dir(folder.path())
            .output()
            .unwrap()
    };
    let out = shell(&command);
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(out.status.success() && text.contains("#103 of 287"), "{text}");
    assert!(shell(&assertion).status.success(), "{assertion}");
    let before = assertion.replace("--at 103", "--at 102");
    assert_eq!(shell(&before).status.code(), Some(8), "{before}");

    let arguments: Vec<&str> = command.split(' ').skip(1).collect();
    let mut again = open(&store, &arguments, (120, 40));
    again.wait_for_text("#103/287");
    again.wait_for_text("clock: active");
    again.press("v");
    again.wait_for_text("diff 97 → 103");
    again.press("q");
    assert_eq!(again.wait_for_end(), 0);
    // What was there before the view is there again, and a view of another log is refused.
    let mut again = open(&store, &["PROJ-123"], (120, 40));
    again.wait_for_text("#103/287");
    again.press("q");
    again.wait_for_end();
    let mut refused = open(&store, &["PROJ-123", "--view", "v1:at=288"], (120, 40));
    assert_eq!(refused.wait_for_end(), 3);
    assert!(Terminal::is_given_back(refused.screen()));
    assert!(refused.text().contains("is beyond the head, which is 287"), "{}", refused.text());
}

#[test]
fn a_filter_shows_what_fits_and_what_comes() {
    let store = Store::new();
    let mut session = open(&store, &["PROJ-123"], (120, 40));
    session.wait_for_text("#287/287");
    session.press("F.actor.id == \"straggler\" or .event_type == \"AgentFailed\"\r");
    session.wait_for_text("of 287 .actor.id");
    session.press("ggl");
    session.wait_for_text("#103/287");
    session.press("f");
    store.append();
    session.wait_for_text("#288/288");
    session.wait_for_text("of 288 .actor.id");
    session.press("h");
    session.wait_for("a failure", |screen| !screen.contents().contains("#288/288"));
    session.press("l");
    session.wait_for_text("#288/288");
    session.press("q");
    assert_eq!(session.wait_for_end(), 0);
    // It is there again, until it is taken off.
    let mut session = open(&store, &["PROJ-123"], (120, 40));
    session.wait_for_text("of 288 .actor.id");
    session.press("F\x15\r");
    session.wait_for_text("all events are shown again");
    session.press("q");
    assert_eq!(session.wait_for_end(), 0);
}

#[test]
fn two_issues_are_compared_and_a_difference_is_gone_to() {
    let store = Store::new();
    let log = include_str!("../assets/demo/proj-123.jsonl").replace("PROJ-123", "OPS-7");
    let log = log.replace("AgentFailed", "AgentCancelled");
    let file = store.folder.path().join("other.jsonl");
    std::fs::write(&file, log).unwrap();
    let input = std::fs::File::open(file).unwrap();
    assert!(store.command(&["append", "--quiet"]).stdin(input).status().unwrap().success());
    let mut session = open(&store, &["PROJ-123"], (120, 40));
    session.wait_for_text("#287/287");
    session.press("gc");
    session.wait_for_text("compare with");
    session.press("ops");
    session.wait_for_text("KiB");
    session.press("\r");
    session.wait_for_text("difference 1/");
    session.wait_for_text("AgentCancelled");
    session.press("\r");
    session.wait_for_text("#103/287");
    session.press("q");
    assert_eq!(session.wait_for_end(), 0);
}

#[test]
fn a_signal_gives_the_terminal_back() {
    let store = Store::new();
    for signal in ["-TERM", "-HUP"] {
        let mut session = open(&store, &["PROJ-123"], (100, 30));
        session.wait_for_text("#287/287");
        session.signal(signal);
        session.wait_for_end();
        assert!(Terminal::is_given_back(session.screen()), "{signal}");
    }
}

#[test]
fn it_stops_and_goes_on() {
    let store = Store::new();
    let mut session = open(&store, &["PROJ-123"], (100, 30));
    session.wait_for_text("#287/287");
    session.press("\x1a");
    session.wait_for("given back terminal", Terminal::is_given_back);
    // It gives the terminal back a little before it stops: wake it until it was asleep.
    let deadline = Instant::now() + PATIENCE;
    while !session.screen().alternate_screen() {
        assert!(Instant::now() < deadline, "it does not wake up");
        session.signal("-CONT");
        let _ = session.take(Duration::from_millis(200));
    }
    session.press("h");
    session.wait_for_text("#286/287");
    session.press("q");
    assert_eq!(session.wait_for_end(), 0);
}

#[test]
fn the_browser_leads_into_an_issue_and_back() {
    let store = Store::new();
    let mut session = open(&store, &[], (100, 30));
    session.wait_for_text("PROJ-123");
    session.wait_for_text("Add user authentication");
    session.press("\r");
    session.wait_for_text("#287/287");
    session.press("q");
    session.wait_for("change", |screen| !screen.contents().contains("#287/287"));
    session.press("q");
    assert_eq!(session.wait_for_end(), 0);
    assert!(Terminal::is_given_back(session.screen()));
}

#[test]
fn a_wrong_issue_is_an_ordinary_error() {
    let store = Store::new();
    let mut session = open(&store, &["NOPE-1"], (100, 30));
    assert_ne!(session.wait_for_end(), 0);
    assert!(session.text().contains("NOPE-1"), "{}", session.text());
    assert!(memchr::memmem::find(session.printed(), b"\x1b[?1049h").is_none());
}
