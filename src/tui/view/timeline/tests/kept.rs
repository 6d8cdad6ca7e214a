//! What is kept from drawing to drawing is what would be made now, whatever happens to the log.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use ratatui::layout::Rect;

use crate::clock::Clock;
use crate::model::Timestamp;
use crate::session::Session;
use crate::store::EventStore;
use crate::store::memory::MemoryStore;
use crate::timeline::ClockKind;
use crate::tui::debugger::Debugger;
use crate::tui::layout::Pane;
use crate::tui::view::looking::Story;
use crate::tui::view::timeline::Basis;

const SIZE: (u16, u16) = (120, 40);

/// An issue that is open, and its log.
struct Open {
    debugger: Debugger,
    store: MemoryStore,
    woken: Receiver<()>,
    /// Whether the log was ever shown before it was folded.
    sketched: bool,
}

impl Open {
    fn new(log: &str) -> Self {
        let store = MemoryStore::new(Clock::Fixed(Timestamp::from_millis(0)));
        store.push_raw("PROJ-123", log.as_bytes());
        let shared: Arc<dyn EventStore> = Arc::new(store.clone());
        let (sender, woken) = channel();
        let wake = move || {
            let _ = sender.send(());
        };
        let session = Session::open(shared, "PROJ-123", wake).unwrap();
        let mut open =
            Self { debugger: Debugger::new(session, None, true), store, woken, sketched: false };
        open.pump_until(|d| d.session.is_loaded());
        open
    }

    fn pump_until(&mut self, done: impl Fn(&Debugger) -> bool) {
        while !done(&self.debugger) {
            self.debugger.pump();
            self.sketched |= self.debugger.log_id().is_sketch && self.debugger.head() > 0;
            self.show("after news");
            if !done(&self.debugger) && !self.debugger.more {
                self.woken.recv_timeout(Duration::from_secs(20)).expect("the loader brings news");
            }
        }
    }

    /// Makes ready and looks at what was.
    fn show(&mut self, what: &str) {
        self.show_at(SIZE, what);
    }

    fn show_at(&mut self, size: (u16, u16), what: &str) {
        self.debugger.prepare(size);
        let d = &self.debugger;
        let area: Rect = d.layout.pane(Pane::Timeline).unwrap();
        let basis = Basis::of(d.log_id(), d.session.timeline(), &d.timeline, area);
        let kept = d.ground.get(basis).unwrap_or_else(|| panic!("{what}: nothing is ready"));
        assert!(kept.is_as_made_now(d.session.timeline()), "{what}: it is not as made now");
    }
}

/// Runs of agents that are many in all and, of one agent, too many to be told apart.
fn busy(rounds: usize, failing: &str) -> Story {
    let mut story = Story::new();
    story.phase(0, "PhaseStarted", "CODE");
    for n in 0..rounds {
        story.agent(30, "AgentSpawned", "worker");
        story.agent(20, "AgentSpawned", &format!("agent-{}", n % 50));
        let end = if n % 9 == 4 { failing } else { "AgentCompleted" };
        story.agent(if n % 70 == 3 { 2000 } else { 10 }, end, "worker");
    }
    story
}

#[test]
fn what_is_kept_is_what_would_be_made_now() {
    let log = busy(400, "AgentFailed").log();
    let mut lines = log.split_inclusive('\n');
    let first: String = lines.by_ref().take(900).collect();
    let mut open = Open::new(&first);
    assert!(open.sketched, "the log is long enough to be looked at first");
    for at in [900, 899, 450, 0, 77] {
        open.debugger.jump_to(at);
        open.show(&format!("at {at}"));
    }
    for clock in ClockKind::ALL {
        let timeline = open.debugger.session.timeline();
        open.debugger.timeline.set_clock(*clock, 77, timeline);
        open.show(&format!("by {clock}"));
        for factor in [0.5, 0.1, 3.0] {
            open.debugger.timeline.zoom(factor, 77, open.debugger.session.timeline());
            open.show(&format!("by {clock}, zoomed by {factor}"));
            open.debugger.timeline.pan(25, 77, open.debugger.session.timeline());
            open.show(&format!("by {clock}, moved"));
        }
        for size in [(90, 30), (200, 50), SIZE] {
            open.show_at(size, &format!("by {clock}, at another size"));
        }
    }
    // What is seen stays the same, and runs in it end; then it grows with the log.
    let timeline = open.debugger.session.timeline();
    open.debugger.timeline.set_clock(ClockKind::Time, 77, timeline);
    open.debugger.jump_to(880);
    open.debugger.timeline.zoom(0.05, 880, open.debugger.session.timeline());
    let window = open.debugger.timeline.window;
    assert!(window.is_some());
    for (line, head) in lines.zip(901..) {
        open.store.push_raw("PROJ-123", line.as_bytes());
        open.pump_until(|d| d.head() == head);
        if head < 1000 {
            assert_eq!(open.debugger.timeline.window, window);
        } else {
            open.debugger.follow_head();
            open.debugger.timeline.window = None;
        }
        open.show(&format!("grown to {head}"));
    }
    // As many events, and other ones.
    let head = open.debugger.head();
    open.store.replace("PROJ-123", busy(400, "AgentHandedOff").log().as_bytes());
    open.pump_until(|d| d.restarts == 1 && d.session.is_loaded());
    assert_eq!(open.debugger.head(), head);
    open.show("of another log");
}
