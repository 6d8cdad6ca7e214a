//! The real binary in a pseudo-terminal, read through a terminal emulator.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// How long a test waits for the screen at most; a busy machine is slow.
const PATIENCE: Duration = Duration::from_secs(60);

const BINARY: &str = env!("CARGO_BIN_EXE_chronoscope");

/// What time it is for the binary: a little after the sample's last event.
const NOW: &str = "2026-11-20T15:00:00Z";

fn cells(count: u16) -> std::num::NonZeroU16 {
    std::num::NonZeroU16::new(count).unwrap()
}

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

/// The binary, running in a terminal.
struct Session {
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    /// Everything that was printed.
    printed: Vec<u8>,
}

impl Session {
    fn open(store: &Store, arguments: &[&str], (columns, rows): (u16, u16)) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(BINARY);
        command.args(arguments);
        command.env_clear();
        command.cwd(store.folder.path());
        for (name, value) in [
            ("CHRONOSCOPE_STORE", store.events().as_path()),
            ("CHRONOSCOPE_STATE_DIR", &store.folder.path().join("state")),
            ("HOME", store.folder.path()),
            ("TERM", Path::new("xterm-256color")),
            ("CHRONOSCOPE_FIXED_CLOCK", Path::new(NOW)),
        ] {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        let writer = pair.master.take_writer().unwrap();
        let screen = vt100::Parser::new(cells(rows), cells(columns), 0);
        Self { master: pair.master, child, writer, output, screen, printed: Vec::new() }
    }

    /// Takes in what is printed; false at its end.
    fn read(&mut self, deadline: Instant) -> bool {
        match self.read_within(deadline.saturating_duration_since(Instant::now())) {
            Ok(()) => true,
            Err(RecvTimeoutError::Disconnected) => false,
            Err(RecvTimeoutError::Timeout) => {
                panic!("waited too long; the screen is\n{}", self.text())
            }
        }
    }

    fn read_within(&mut self, patience: Duration) -> Result<(), RecvTimeoutError> {
        let bytes = self.output.recv_timeout(patience)?;
        self.answer(&bytes);
        self.screen.process(&bytes);
        self.printed.extend(bytes);
        Ok(())
    }

    /// Answers what a program may ask a terminal, so that nothing waits for it.
    fn answer(&mut self, bytes: &[u8]) {
        for (question, answer) in
            [("\x1b[c", "\x1b[?62;22c"), ("\x1b[?u", "\x1b[?0u"), ("\x1b[6n", "\x1b[1;1R")]
        {
            if memchr::memmem::find(bytes, question.as_bytes()).is_some() {
                self.send(answer);
            }
        }
    }

    fn send(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    fn text(&self) -> String {
        self.screen.screen().contents()
    }

    fn wait(&mut self, what: impl Fn(&vt100::Screen) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !what(self.screen.screen()) {
            assert!(self.read(deadline), "it ended; the screen is\n{}", self.text());
        }
    }

    fn wait_for(&mut self, text: &str) {
        self.wait(|screen| screen.contents().contains(text));
    }

    fn resize(&mut self, columns: u16, rows: u16) {
        self.screen.screen_mut().set_size(cells(rows), cells(columns));
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.resize(size).unwrap();
    }

    fn signal(&self, name: &str) {
        let id = self.child.process_id().unwrap().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// Reads to the end and tells whether it ended well.
    fn ended_well(&mut self) -> bool {
        let deadline = Instant::now() + PATIENCE;
        while self.read(deadline) {}
        self.child.wait().unwrap().success()
    }

    /// Whether the terminal is as it was before.
    fn is_given_back(screen: &vt100::Screen) -> bool {
        !screen.alternate_screen()
            && !screen.bracketed_paste()
            && !screen.hide_cursor()
            && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
    }
}

#[test]
fn opens_scrubs_diffs_follows_resizes_and_leaves_no_trace() {
    let store = Store::new();
    let mut session = Session::open(&store, &["PROJ-123"], (120, 40));
    session.wait_for("#287/287");
    session.wait_for("LIVE");
    assert!(session.screen.screen().alternate_screen());
    session.send("103G");
    session.wait_for("#103/287");
    session.wait_for("oauth-integrator/failure");
    session.send("\x1b[D\x1b[D");
    session.wait_for("#101/287");
    session.send("d103G");
    session.wait_for("diff 101 → 103");
    session.send("ma");

    store.append();
    session.wait_for("#103/288");
    session.wait_for("LIVE +185");
    session.send("f");
    session.wait_for("#288/288");
    session.wait_for("AgentProgressed");

    session.resize(60, 20);
    session.wait(|screen| screen.contents().contains(" timeline  events  state  diff"));
    session.resize(30, 8);
    session.wait_for("needs more room");
    session.resize(120, 40);
    session.wait_for("#288/288");

    // A click in the middle of the timeline: SGR, button 0, column 60, row 4.
    session.send("\x1b[<0;60;4M\x1b[<0;60;4m");
    session.wait(|screen| !screen.contents().contains("#288/288"));
    session.send("'a");
    session.wait_for("#103/288");
    session.send("q");
    assert!(session.ended_well());
    assert!(Session::is_given_back(session.screen.screen()));
    let begun = memchr::memmem::find_iter(&session.printed, b"\x1b[?2026h").count();
    let ended = memchr::memmem::find_iter(&session.printed, b"\x1b[?2026l").count();
    assert!(begun > 3 && ended >= begun, "{begun} {ended}");

    // Where we were is kept.
    let mut again = Session::open(&store, &["PROJ-123"], (100, 30));
    again.wait_for("#103/288");
    again.send("\x03");
    assert!(again.ended_well());
}

#[test]
fn a_signal_gives_the_terminal_back() {
    let store = Store::new();
    for signal in ["-TERM", "-HUP"] {
        let mut session = Session::open(&store, &["PROJ-123"], (100, 30));
        session.wait_for("#287/287");
        session.signal(signal);
        session.ended_well();
        assert!(Session::is_given_back(session.screen.screen()), "{signal}");
    }
}

#[test]
fn it_stops_and_goes_on() {
    let store = Store::new();
    let mut session = Session::open(&store, &["PROJ-123"], (100, 30));
    session.wait_for("#287/287");
    session.send("\x1a");
    session.wait(Session::is_given_back);
    // It gives the terminal back a little before it stops: wake it until it was asleep.
    let deadline = Instant::now() + PATIENCE;
    while !session.screen.screen().alternate_screen() {
        assert!(Instant::now() < deadline, "it does not wake up");
        session.signal("-CONT");
        let _ = session.read_within(Duration::from_millis(200));
    }
    session.send("h");
    session.wait_for("#286/287");
    session.send("q");
    assert!(session.ended_well());
}

#[test]
fn the_browser_leads_into_an_issue_and_back() {
    let store = Store::new();
    let mut session = Session::open(&store, &[], (100, 30));
    session.wait_for("PROJ-123");
    session.wait_for("Add user authentication");
    session.send("\r");
    session.wait_for("#287/287");
    session.send("q");
    session.wait(|screen| !screen.contents().contains("#287/287"));
    session.send("q");
    assert!(session.ended_well());
    assert!(Session::is_given_back(session.screen.screen()));
}

#[test]
fn a_wrong_issue_is_an_ordinary_error() {
    let store = Store::new();
    let mut session = Session::open(&store, &["NOPE-1"], (100, 30));
    assert!(!session.ended_well());
    assert!(session.text().contains("NOPE-1"), "{}", session.text());
    assert!(memchr::memmem::find(&session.printed, b"\x1b[?1049h").is_none());
}
