//! All that the screen knows: what is shown, where the keys go, what is being typed.
//!
//! Lives here: [`App`] and its small types. May not live here: changing it (see
//! [`super::update()`]) or drawing it (see [`super::view`]).

use std::time::Duration;

use super::action::{Command, Context};
use super::debugger::Debugger;
use super::input::Input;
use super::key::{Key, sequence_text};
use super::keymap::Keymap;
use super::palette::Palette;
use super::pick::Pick;
use super::share::View;
use super::theme::Theme;
use super::viewer::Viewer;
use crate::clock::Clock;
use crate::error::Error;
use crate::model::Moment;

/// The screen's whole state.
#[derive(Debug)]
pub struct App {
    /// How things look.
    pub theme: Theme,
    /// What keys do.
    pub keymap: Keymap,
    /// The terminal's columns and rows.
    pub size: (u16, u16),
    /// Whether what will be seen must be read before it is drawn; see [`super::update()`].
    pub stale: bool,
    /// The list of issues, once it was asked for.
    pub browser: Option<super::browser::Browser>,
    /// The issue that is open.
    pub debugger: Option<Box<Debugger>>,
    /// What the keys go to.
    pub mode: Mode,
    /// Keys of a command that is not complete yet.
    pub typed: Typed,
    /// What the status line says, until the next key.
    pub notice: Option<Notice>,
    /// How long the screen has been running.
    pub now: Duration,
    /// What time it is.
    pub clock: Clock,
    /// Where the store is, for commands to copy; none when it has no folder.
    pub store: Option<String>,
    /// The file that the settings are of, for commands to copy; none without one.
    pub config: Option<String>,
    /// Where to stand in the issue that is opened next.
    pub start: Start,
    /// Why the screen cannot show what it was started for: told when it is left.
    pub refused: Option<Error>,
    /// What is said once the terminal is given back, by the id of the run that it is about: those that
    /// were ended early and can be gone on with.
    pub farewells: Vec<(String, String)>,
    /// How often it was looked at what has come since a rehearsal.
    pub looks: u64,
    /// Whether the mouse button went down in the timeline and is still down.
    pub scrubbing: bool,
}

/// Where to stand in an issue at first.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// The moment that was asked for.
    pub at: Option<Moment>,
    /// Follow the head, whatever else is known.
    pub follow: bool,
    /// What to show.
    pub view: Option<View>,
}

/// What the keys go to.
#[derive(Debug, Clone, Default)]
pub enum Mode {
    /// The pane that has the focus.
    #[default]
    Normal,
    /// The search's text field.
    Search(Input),
    /// The palette.
    Palette(Palette),
    /// A letter that names a mark.
    Mark(MarkUse),
    /// A letter that says what to copy.
    Yank,
    /// The help, scrolled so many lines down.
    Help(usize),
    /// The list of anomalies; the selected one.
    Anomalies(usize),
    /// A value as a whole.
    Value(Viewer),
    /// A text field in a window of its own.
    Ask(Ask),
    /// A text field with a list of what could be meant: the other side of a comparison.
    Pick(Pick),
    /// Two runs side by side.
    Comparison,
    /// Whether programs are to be run; the first of them that is seen.
    Confirm(usize),
    /// A letter that says what to do with the branch.
    Branch,
    /// A list over the panes; the selected row.
    List(List, usize),
}

/// A text that is asked for.
#[derive(Debug, Clone)]
pub struct Ask {
    /// What it is for.
    pub purpose: Purpose,
    /// What is typed.
    pub input: Input,
    /// Why what was typed will not do; for expressions a caret stands below the place.
    pub fault: Option<String>,
}

impl Ask {
    /// An empty field.
    #[must_use]
    pub fn new(purpose: Purpose) -> Self {
        Self { purpose, input: Input::default(), fault: None }
    }
}

/// What a text is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The condition of a breakpoint.
    Breakpoint,
    /// The name of a branch.
    BranchName,
    /// Which events are shown.
    Filter,
}

/// What a list over the panes is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum List {
    /// The breakpoints.
    Breakpoints,
    /// The races.
    Races,
    /// The names of the branches that are kept.
    Branches(Vec<String>),
}

/// What a mark's letter is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkUse {
    /// To set it here.
    Set,
    /// To go there.
    Go,
    /// To delete it.
    Delete,
}

/// A command that is being typed: a count and the first keys of a sequence.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Typed {
    /// The count so far.
    pub count: Option<u32>,
    /// The keys so far.
    pub keys: Vec<Key>,
}

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The text.
    pub text: String,
    /// Whether it is a fault.
    pub fault: bool,
}

/// The smallest terminal in which something can be shown.
pub const SMALLEST: (u16, u16) = (40, 12);

impl App {
    /// A screen of this look and keys that shows nothing yet.
    #[must_use]
    pub fn new(theme: Theme, keymap: Keymap, size: (u16, u16), clock: Clock) -> Self {
        Self {
            theme,
            keymap,
            size,
            stale: false,
            browser: None,
            debugger: None,
            mode: Mode::Normal,
            typed: Typed::default(),
            notice: None,
            now: Duration::ZERO,
            clock,
            store: None,
            config: None,
            start: Start::default(),
            refused: None,
            farewells: Vec::new(),
            looks: 0,
            scrubbing: false,
        }
    }

    /// Tells something until the next key.
    pub fn tell(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), fault: false });
    }

    /// Tells that something went wrong.
    pub fn fail(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), fault: true });
    }

    /// Tells an error with its hint.
    pub fn fail_with(&mut self, error: &Error) {
        let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
        self.fail(format!("{}{hint}", error.message()));
    }

    /// Whether there is work that does not wait for anything.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.debugger.as_ref().is_some_and(|d| d.is_busy())
    }

    /// How long until time must be told; none when nothing waits for it.
    #[must_use]
    pub fn patience(&self) -> Option<Duration> {
        let playing = self.debugger.as_ref().is_some_and(|d| d.play.is_some());
        let replaying = |d: &Debugger| d.run().is_some_and(|r| r.running.is_some());
        if playing || self.debugger.as_ref().is_some_and(|d| replaying(d)) {
            Some(super::play::FRAME)
        } else if self.debugger.as_ref().is_some_and(|d| d.comparing.is_some()) {
            // How far it is, is shown.
            Some(Duration::from_millis(100))
        } else if self.debugger.is_none() && self.browser.is_some() {
            // The ages of the issues grow.
            Some(Duration::from_secs(1))
        } else {
            None
        }
    }

    /// Where keys are looked up, the narrowest context first.
    #[must_use]
    pub fn contexts(&self) -> Vec<Context> {
        match &self.debugger {
            Some(_) if matches!(self.mode, Mode::List(..)) => {
                vec![Context::List, Context::Debugger, Context::Anywhere]
            }
            Some(_) if matches!(self.mode, Mode::Comparison) => {
                vec![Context::Comparison, Context::Anywhere]
            }
            Some(debugger) => vec![debugger.focus.context(), Context::Debugger, Context::Anywhere],
            None => vec![Context::Browser, Context::Anywhere],
        }
    }

    /// The first key of a command, as people read it; empty when it has none.
    #[must_use]
    pub fn first_key(&self, command: Command) -> String {
        self.keymap.first_key(command, self.theme.is_ascii())
    }

    /// The part of a command that was typed, for the status line; empty when there is none.
    #[must_use]
    pub fn typed_text(&self) -> String {
        let count = self.typed.count.map(|n| n.to_string()).unwrap_or_default();
        count + &sequence_text(&self.typed.keys, self.theme.is_ascii())
    }

    /// Whether keys are text for the browser's filter.
    #[must_use]
    pub fn is_filtering(&self) -> bool {
        self.debugger.is_none()
            && self.browser.as_ref().is_some_and(super::browser::Browser::is_typing)
    }

    /// Whether the terminal is large enough to show something.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.size.0 >= SMALLEST.0 && self.size.1 >= SMALLEST.1
    }
}
