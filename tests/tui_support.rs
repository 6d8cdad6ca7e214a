//! For tests of the screen: a history in memory, an app on it, keys in, text out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use chronoscope::clock::Clock;
use chronoscope::model::Timestamp;
use chronoscope::session::Session;
use chronoscope::session::user_state::UserState;
use chronoscope::store::EventStore;
use chronoscope::store::memory::MemoryStore;
use chronoscope::tui::action::Action;
use chronoscope::tui::app::App;
use chronoscope::tui::debugger::Debugger;
use chronoscope::tui::effect::Effect;
use chronoscope::tui::key::Key;
use chronoscope::tui::keymap::Keymap;
use chronoscope::tui::replay::Looking;
use chronoscope::tui::theme::Theme;
use chronoscope::tui::{update, view};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

/// The issue of the fixture.
pub const ISSUE: &str = "PROJ-123";

/// How long a test waits for another thread at most.
const PATIENCE: Duration = Duration::from_secs(60);

/// The first `count` events of the sample history, stamped as the store stamps them.
pub fn sample(count: usize) -> String {
    let lines = include_str!("../assets/demo/proj-123.jsonl").lines().take(count);
    let stamped = lines.enumerate().map(|(at, line)| {
        let stamp =
            format!(",\"event_version\":\"1.1.0\",\"event_sequence\":{},\"issue_key\"", at + 1);
        line.replacen(",\"issue_key\"", &stamp, 1) + "\n"
    });
    stamped.collect()
}

/// A screen without a terminal.
pub struct Desk {
    pub app: App,
    pub store: MemoryStore,
    pub effects: Vec<Effect>,
    /// What is being looked for, where that is not answered at once.
    pub looks: Option<Vec<Looking>>,
    woken: Receiver<()>,
}

impl Desk {
    /// A screen of this size on a log of these bytes, read to its end.
    pub fn new(log: &str, size: (u16, u16)) -> Self {
        Self::with(log, size, UserState::default(), |_| {})
    }

    /// As [`Desk::new`], for a user who was here before, with a last word on the app.
    pub fn with(
        log: &str,
        size: (u16, u16),
        user: UserState,
        adapt: impl FnOnce(&mut App),
    ) -> Self {
        let clock = Clock::Fixed(Timestamp::parse("2026-11-20T15:00:00Z").unwrap());
        let store = MemoryStore::new(clock);
        store.push_raw(ISSUE, log.as_bytes());
        let mut desk = Self::opening(Arc::new(store.clone()), store, size, user, adapt);
        desk.pump_until(|d| d.session.is_loaded());
        desk
    }

    /// As [`Desk::with`], on a store that may show what is in memory in its own way, or another one;
    /// nothing is read yet.
    pub fn opening(
        shared: Arc<dyn EventStore>,
        store: MemoryStore,
        size: (u16, u16),
        user: UserState,
        adapt: impl FnOnce(&mut App),
    ) -> Self {
        let clock = Clock::Fixed(Timestamp::parse("2026-11-20T15:00:00Z").unwrap());
        let (sender, woken) = channel();
        let wake = move || {
            let _ = sender.send(());
        };
        let mut session = Session::open(shared, ISSUE, wake).unwrap();
        session.user = user;
        let mut app = App::new(Theme::built_in("none"), Keymap::default(), size, clock);
        adapt(&mut app);
        let mut desk = Self { app, store, effects: Vec::new(), looks: None, woken };
        desk.act(Action::Opened(Box::new(session)));
        desk
    }

    /// Lets an action happen.
    pub fn act(&mut self, action: Action) {
        for effect in update(&mut self.app, action) {
            match (effect, &mut self.looks) {
                (Effect::Look(looking), Some(looks)) => looks.push(looking),
                (Effect::Look(looking), None) => self.nothing_new(looking),
                (effect, _) => self.effects.push(effect),
            }
        }
    }

    /// Nothing has come since the rehearsal.
    fn nothing_new(&mut self, looking: Looking) {
        let known = self.debugger().replay.as_ref().and_then(|replay| replay.terms.clone());
        let found = known.expect("what is asked was rehearsed");
        self.act(Action::Looked(looking, Ok(Box::new(found))));
    }

    /// Takes news in until something is true.
    pub fn pump_until(&mut self, done: impl Fn(&Debugger) -> bool) {
        while !done(self.debugger()) || self.debugger().more {
            if !self.debugger().more {
                self.woken.recv_timeout(PATIENCE).expect("the loader brings news");
            }
            self.act(Action::Pump);
        }
    }

    /// Lets long work go on until it is done.
    pub fn work(&mut self) {
        while self.app.is_busy() {
            self.act(if self.debugger().more { Action::Pump } else { Action::Work });
        }
    }

    /// Adds raw bytes to the log, and waits until the screen knows so many events.
    pub fn append(&mut self, bytes: &str, head: u32) {
        self.store.push_raw(ISSUE, bytes.as_bytes());
        self.pump_until(|d| d.head() == head);
    }

    /// Presses keys: parted by blanks, named as in a keymap.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        for name in keys.split_whitespace() {
            self.act(Action::Key(key_event(name)));
        }
        self
    }

    /// Types text, letter by letter.
    pub fn type_text(&mut self, text: &str) -> &mut Self {
        for letter in text.chars() {
            self.act(Action::Key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE)));
        }
        self
    }

    /// A press of the left button.
    pub fn click(&mut self, column: u16, row: u16) -> &mut Self {
        self.mouse(MouseEventKind::Down(MouseButton::Left), column, row)
    }

    pub fn mouse(&mut self, kind: MouseEventKind, column: u16, row: u16) -> &mut Self {
        self.act(Action::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
        self
    }

    pub fn debugger(&self) -> &Debugger {
        self.app.debugger.as_ref().expect("an issue is open")
    }

    pub fn playhead(&self) -> u32 {
        self.debugger().playhead
    }

    /// What the status line says.
    pub fn told(&self) -> &str {
        self.app.notice.as_ref().map_or("", |notice| notice.text.as_str())
    }

    /// The selected path of the state.
    pub fn selected(&self) -> String {
        self.debugger().state.selected().to_string()
    }

    /// The screen as text.
    pub fn screen(&self) -> String {
        let (columns, rows) = self.app.size;
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal.draw(|frame| view::draw(&self.app, frame)).unwrap();
        let buffer = terminal.backend().buffer();
        let row = |y| {
            let mut line = String::new();
            let mut skip = 0;
            for x in 0..columns {
                let symbol = buffer[(x, y)].symbol();
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                skip = unicode_width::UnicodeWidthStr::width(symbol).saturating_sub(1);
                line.push_str(symbol);
            }
            line.trim_end().to_owned()
        };
        (0..rows).map(row).collect::<Vec<_>>().join("\n")
    }
}

fn key_event(name: &str) -> KeyEvent {
    let key = Key::parse(name).unwrap_or_else(|| panic!("{name} is no key"));
    key.event()
}
