//! The screen while a log is read in pieces: what was in it when it was opened is no news.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chronoscope::clock::Clock;
use chronoscope::error::Result;
use chronoscope::model::{AnomalyKind, Moment, Position};
use chronoscope::session::breakpoint::Breakpoint;
use chronoscope::session::user_state::UserState;
use chronoscope::store::local::LocalStore;
use chronoscope::store::memory::MemoryStore;
use chronoscope::store::snapshot::{LogAnchor, Snapshot, Versions};
use chronoscope::store::{
    Acknowledgement, AppendOptions, Batch, Chunk, EventStore, Fetch, IssueEntry, Tail,
};
use chronoscope::tui::app::Start;
use chronoscope::tui::debugger::Follow;

use crate::cli_support::TestEnvironment;
use crate::tui_support::{Desk, ISSUE, sample};

/// How long a reader waits at most to be let on.
const PATIENCE: Duration = Duration::from_secs(20);

/// A store in memory whose log is read no further than it is let.
struct Gated {
    store: MemoryStore,
    /// How many bytes the next read gives, about.
    gate: Arc<Mutex<Receiver<usize>>>,
}

impl Gated {
    fn tail_of(&self, tail: Box<dyn Tail>) -> Box<dyn Tail> {
        Box::new(GatedTail { tail, gate: Arc::clone(&self.gate) })
    }
}

impl EventStore for Gated {
    fn append(&self, batch: &Batch, options: &AppendOptions) -> Result<Vec<Acknowledgement>> {
        self.store.append(batch, options)
    }

    fn issues(&self) -> Result<Vec<IssueEntry>> {
        self.store.issues()
    }

    fn tail(&self, issue_key: &str) -> Result<Box<dyn Tail>> {
        Ok(self.tail_of(self.store.tail(issue_key)?))
    }

    fn tail_after(&self, issue_key: &str, bytes: u64) -> Result<Box<dyn Tail>> {
        Ok(self.tail_of(self.store.tail_after(issue_key, bytes)?))
    }

    fn watch_folders(&self, issue_key: Option<&str>) -> Vec<PathBuf> {
        self.store.watch_folders(issue_key)
    }

    fn snapshot(&self, key: &str, position: u64, versions: Versions) -> Result<Option<Snapshot>> {
        self.store.snapshot(key, position, versions)
    }

    fn check_anchors(&self, issue_key: &str, anchors: &[LogAnchor]) -> Result<Option<String>> {
        self.store.check_anchors(issue_key, anchors)
    }

    fn keep_snapshot(&self, snapshot: &Snapshot) -> Result<String> {
        self.store.keep_snapshot(snapshot)
    }
}

struct GatedTail {
    tail: Box<dyn Tail>,
    gate: Arc<Mutex<Receiver<usize>>>,
}

impl Tail for GatedTail {
    fn poll(&mut self, limit: usize) -> Result<Chunk> {
        let bytes = self.gate.lock().unwrap().recv_timeout(PATIENCE);
        self.tail.poll(bytes.unwrap_or(limit))
    }

    fn fetcher(&self) -> Box<dyn Fetch> {
        self.tail.fetcher()
    }

    fn remaining(&self) -> u64 {
        self.tail.remaining()
    }
}

/// A screen that is told to stand at a position of a log of 100 events, of which nothing is read; and
/// what lets it be read on. (Dropped before the screen, so that the reader waits no more.)
fn opening(at: Position, user: UserState) -> (Desk, Sender<usize>) {
    let store = MemoryStore::new(Clock::System);
    store.push_raw(ISSUE, sample(100).as_bytes());
    let (sender, gate) = channel();
    let gated = Gated { store: store.clone(), gate: Arc::new(Mutex::new(gate)) };
    let moment = Moment::Position(at.into());
    let desk = Desk::opening(Arc::new(gated), store, (160, 50), user, |app| {
        app.start = Start { at: Some(moment), ..Start::default() };
    });
    (desk, sender)
}

/// About how many bytes the lines of the log from one position to another have.
fn bytes(from: usize, to: usize) -> usize {
    sample(to).len() - sample(from).len()
}

fn header(desk: &Desk) -> String {
    desk.screen().lines().next().unwrap_or_default().to_owned()
}

#[test]
fn what_was_in_the_log_when_it_was_opened_is_no_news() {
    let failed = ".event_type == \"ToolFailed\"";
    let user = UserState {
        breakpoints: vec![Breakpoint::new(failed)],
        pins: vec!["/orchestration/current_phase".into(), "/agents".into()],
        ..UserState::default()
    };
    let (mut desk, gate) = opening(10, user);
    for (from, to) in [(0, 20), (20, 60), (60, 90)] {
        gate.send(bytes(from, to)).unwrap();
        desk.pump_until(|d| d.head() == Position::try_from(to).unwrap());
        assert!(!desk.debugger().session.is_loaded());
        assert_eq!((desk.playhead(), desk.debugger().come_since()), (10, 0), "read to {to}");
    }
    gate.send(usize::MAX).unwrap();
    desk.pump_until(|d| d.session.is_loaded());
    desk.work();
    assert_eq!((desk.playhead(), desk.debugger().follow), (10, Follow::Paused(100)));
    assert!(desk.debugger().breaks.hits_after(10) > 0);
    assert_eq!(desk.debugger().come_since_of_note(), (0, 0));
    assert!(header(&desk).ends_with("◐ +90"), "{}", header(&desk));

    // What is appended from now on is.
    let all = sample(128);
    desk.store.push_raw(ISSUE, &all.as_bytes()[sample(100).len()..]);
    gate.send(usize::MAX).unwrap();
    gate.send(usize::MAX).unwrap();
    desk.pump_until(|d| d.head() == 128);
    desk.work();
    assert_eq!(desk.debugger().come_since(), 28);
    assert!(desk.debugger().come_since_of_note().0 > 0);
    assert!(header(&desk).contains("◐ LIVE +118"), "{}", header(&desk));
}

#[test]
fn who_steps_back_while_a_log_is_read_hears_of_no_news() {
    let (mut desk, gate) = opening(15, UserState::default());
    gate.send(bytes(0, 20)).unwrap();
    desk.pump_until(|d| d.head() == 20);
    desk.press("G h h");
    assert_eq!(desk.playhead(), 18);
    gate.send(usize::MAX).unwrap();
    desk.pump_until(|d| d.session.is_loaded());
    assert_eq!((desk.playhead(), desk.debugger().follow), (18, Follow::Paused(100)));
    // A log that is read anew was there, too.
    desk.store.replace(ISSUE, sample(90).as_bytes());
    gate.send(bytes(0, 10)).unwrap();
    desk.pump_until(|d| d.restarts == 1);
    assert_eq!((desk.playhead(), desk.debugger().head()), (10, 10));
    gate.send(bytes(10, 60)).unwrap();
    gate.send(usize::MAX).unwrap();
    desk.pump_until(|d| d.restarts == 1 && d.session.is_loaded());
    assert_eq!((desk.debugger().follow, desk.debugger().come_since()), (Follow::Paused(90), 0));
    assert_eq!(desk.playhead(), 18, "it stands where it stood");
    // Where that is no more, at the end.
    desk.store.replace(ISSUE, sample(12).as_bytes());
    gate.send(bytes(0, 5)).unwrap();
    gate.send(usize::MAX).unwrap();
    desk.pump_until(|d| d.restarts == 2 && d.session.is_loaded());
    assert_eq!((desk.playhead(), desk.debugger().head()), (12, 12));
}

/// A log of two days, of which the first is cut while the screen stands on the second.
#[test]
fn a_cut_of_an_earlier_day_is_noticed_and_told() {
    let bench = TestEnvironment::new();
    let all = include_str!("../assets/demo/proj-123.jsonl");
    let lines: Vec<&str> = all.lines().take(100).collect();
    bench.append_text(&lines[..60].join("\n")).ok();
    let later = lines[60..].join("\n").replace("2026-11-20T", "2026-11-21T");
    bench.append_text(&later).ok();
    let first = bench.store().join("2026-11-20").join(ISSUE).join("events.jsonl");
    let whole = fs::read_to_string(&first).unwrap();
    assert_eq!(whole.lines().count(), 60);

    let local = Arc::new(LocalStore::open(bench.store(), Clock::System).unwrap());
    let mut desk = Desk::opening(
        local,
        MemoryStore::new(Clock::System),
        (160, 50),
        UserState::default(),
        |app| {
            app.start = Start { at: Some(Moment::Position(70)), ..Start::default() };
        },
    );
    desk.pump_until(|d| d.session.is_loaded());
    assert_eq!((desk.playhead(), desk.debugger().head()), (70, 100));

    let cut: usize = whole.split_inclusive('\n').take(20).map(str::len).sum();
    let file = fs::OpenOptions::new().write(true).open(&first).unwrap();
    file.set_len(cut as u64).unwrap();
    desk.pump_until(|d| d.restarts == 1 && d.session.is_loaded());
    assert_eq!((desk.debugger().head(), desk.playhead()), (60, 60));
    assert_eq!(desk.told(), "the log was cut or replaced: it is read anew");
    desk.press("!");
    assert!(desk.screen().contains(AnomalyKind::Truncated.name()), "{}", desk.screen());
    desk.press("esc");

    let aside = bench.work().join("aside");
    fs::write(&aside, &whole).unwrap();
    fs::rename(&aside, &first).unwrap();
    desk.pump_until(|d| d.restarts == 2 && d.session.is_loaded());
    assert_eq!((desk.debugger().head(), desk.playhead()), (100, 60));
}
