//! A view as one line: what `y v` copies and `--view` opens.
//!
//! Lives here: [`View`], its text and reading that, and the check against a log. May not live here:
//! taking a view of a screen or showing one (see [`super::debugger`]).
//!
//! The text is `v1:` and parts, parted by colons: `v1:at=103:base=97:select=/agents/coder`. A part is
//! a name, or a name and its value; lists are parted by plus signs. Of other characters than letters,
//! digits and `_ - . / , = @` the bytes are written as `%20`, so that no shell needs quotes. What is
//! as it is at first is left out.

mod assertion;
mod escape;
mod what_if;

use std::fmt;

use super::layout::Pane;
use crate::closed_list;
use crate::error::{Error, Result};
use crate::model::{Path, Position};
use crate::schema::nearest_of;
use crate::session::filter::Test;
use crate::timeline::ClockKind;
use crate::timeline::branch::{Branch, Edit};

pub use assertion::assertion;
pub use escape::shell_word;
use escape::{escape, unescape};

/// The version of the text that is written, and the only one that is read.
pub const VERSION: &str = "v1";
/// The most open branches that a view names: a line that is to be copied must stay one.
pub const MOST_BRANCHES: usize = 100;
/// The longest what-if that a view carries, in bytes of its text.
const MOST_WHAT_IF: usize = 2000;

closed_list! {
    /// A part of a view's text, in the order in which they are written.
    pub enum Part {
        /// The position, which every view has.
        At = "at",
        /// The position that the difference begins at.
        Base = "base",
        /// The pane that has the keys: timeline, events, state, diff, detail.
        Pane = "pane",
        /// The pane beside the events where there is room for one only.
        Side = "side",
        /// That pane alone is shown.
        Zoom = "zoom",
        /// The event's details are shown.
        Detail = "detail",
        /// The selected path of the state.
        Select = "select",
        /// The selected path, where it is selected among the pins.
        SelectPin = "select-pin",
        /// What is opened in the state.
        Open = "open",
        /// What is closed in the state.
        Shut = "shut",
        /// The pinned paths.
        Pins = "pins",
        /// The clock of the timeline: sequence, time, active, cost.
        Clock = "clock",
        /// The readings of that clock that are seen, first..last.
        Window = "window",
        /// How differences are shown: unified, counters.
        Diff = "diff",
        /// The filter of the events.
        Filter = "filter",
        /// The edits of the what-if: its base (b95), events skipped (x96,ID), put in (i97,JSON) or
        /// replaced (r98,ID,JSON).
        WhatIf = "what-if",
        /// The name of the what-if; without its edits the one that is kept under it.
        Branch = "branch",
    }
}

/// What a screen shows of an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The position.
    pub at: Position,
    /// Where the difference begins, if that was set.
    pub base: Option<Position>,
    /// The pane that has the keys.
    pub focus: Pane,
    /// The pane beside the events.
    pub side: Pane,
    /// Whether the focused pane is shown alone.
    pub zoom: bool,
    /// Whether the event's details are shown.
    pub detail: bool,
    /// The selected path of the state.
    pub selected: Option<Path>,
    /// Whether that is selected among the pins.
    pub on_pin: bool,
    /// Branches of the state that the user opened.
    pub opened: Vec<Path>,
    /// Branches of the state that the user closed.
    pub closed: Vec<Path>,
    /// Pinned paths.
    pub pins: Vec<Path>,
    /// The clock of the timeline.
    pub clock: ClockKind,
    /// What is seen of it.
    pub window: Option<(i64, i64)>,
    /// Whether differences are shown as text lines.
    pub unified: bool,
    /// Whether counters are compared.
    pub counters: bool,
    /// The filter of the events.
    pub filter: Option<String>,
    /// The what-if's edits.
    pub what_if: Option<Branch>,
    /// Its name.
    pub branch: Option<String>,
}

impl View {
    /// The view of a position, all else as it is at first.
    #[must_use]
    pub fn new(at: Position) -> Self {
        Self {
            at,
            base: None,
            focus: Pane::Events,
            side: Pane::State,
            zoom: false,
            detail: false,
            selected: None,
            on_pin: false,
            opened: Vec::new(),
            closed: Vec::new(),
            pins: Vec::new(),
            clock: ClockKind::Time,
            window: None,
            unified: false,
            counters: false,
            filter: None,
            what_if: None,
            branch: None,
        }
    }

    /// Leaves the edits of a what-if away that is too long for a line; false when it was.
    pub fn shorten(&mut self) -> bool {
        let fits = self.what_if.as_ref().is_none_or(|b| what_if::text(b).len() <= MOST_WHAT_IF);
        if !fits {
            self.what_if = None;
        }
        fits
    }

    /// The value of a part; none for one that is left out, empty for one that needs none.
    fn value(&self, part: Part) -> Option<String> {
        let first = Self::new(self.at);
        let flag = |on: bool| on.then(String::new);
        let paths = |all: &[Path]| {
            let texts = all.iter().map(|path| escape(&path.to_string()));
            (!all.is_empty()).then(|| texts.collect::<Vec<_>>().join("+"))
        };
        let path =
            |on: bool| self.selected.as_ref().filter(|_| on).map(|path| escape(&path.to_string()));
        match part {
            Part::At => Some(self.at.to_string()),
            Part::Base => self.base.map(|base| base.to_string()),
            Part::Pane => (self.focus != first.focus).then(|| self.focus.name().to_owned()),
            Part::Side => (self.side != first.side).then(|| self.side.name().to_owned()),
            Part::Zoom => flag(self.zoom),
            Part::Detail => flag(self.detail),
            Part::Select => path(!self.on_pin),
            Part::SelectPin => path(self.on_pin),
            Part::Open => paths(&self.opened),
            Part::Shut => paths(&self.closed),
            Part::Pins => paths(&self.pins),
            Part::Clock => (self.clock != first.clock).then(|| self.clock.name().to_owned()),
            Part::Window => self.window.map(|(from, to)| format!("{from}..{to}")),
            Part::Diff => {
                let words = [(UNIFIED, self.unified), (COUNTERS, self.counters)];
                let words: Vec<&str> = words.iter().filter(|w| w.1).map(|w| w.0).collect();
                (!words.is_empty()).then(|| words.join("+"))
            }
            Part::Filter => self.filter.as_deref().map(escape),
            Part::WhatIf => self.what_if.as_ref().map(what_if::text),
            Part::Branch => self.branch.as_deref().map(escape),
        }
    }

    /// Reads a view.
    ///
    /// # Errors
    /// Usage, naming the part that cannot be read.
    pub fn parse(text: &str) -> Result<Self> {
        let mut parts = text.trim().split(':');
        let version = parts.next().unwrap_or_default();
        if version != VERSION {
            return Err(Error::usage(format!("{version:?} is no version of a view")).with_hint(
                format!(
                    "a view is `{VERSION}:at=POSITION` and more; `y v` on the screen copies one"
                ),
            ));
        }
        let mut view = Self::new(0);
        let mut seen = Vec::new();
        for text in parts {
            let (name, value) = text.split_once('=').map_or((text, None), |(n, v)| (n, Some(v)));
            let part = Part::from_name(name).ok_or_else(|| unknown(name))?;
            if seen.contains(&part) {
                return Err(Error::usage(format!("the part {name} stands twice in the view")));
            }
            seen.push(part);
            view.take(part, value).map_err(|why| {
                Error::usage(format!("the part {text:?} of the view {why}"))
                    .with_hint(format!("{name}: {}", part.meaning()))
            })?;
        }
        if !seen.contains(&Part::At) {
            return Err(Error::usage("the view has no part at").with_hint("as in v1:at=103"));
        }
        Ok(view)
    }

    /// Takes a part; what is wrong with it.
    fn take(&mut self, part: Part, value: Option<&str>) -> std::result::Result<(), String> {
        let is_flag = matches!(part, Part::Zoom | Part::Detail);
        let text = match value {
            None if is_flag => "",
            None | Some("") => return Err("has no value".to_owned()),
            Some(_) if is_flag => return Err("takes no value".to_owned()),
            Some(text) => text,
        };
        match part {
            Part::At => self.at = position(text)?,
            Part::Base => self.base = Some(position(text)?),
            Part::Pane => self.focus = pane(text)?,
            Part::Side => {
                let beside = |p: &Pane| matches!(p, Pane::State | Pane::Diff | Pane::Detail);
                self.side = Some(pane(text)?).filter(beside).ok_or("never stands there")?;
            }
            Part::Zoom => self.zoom = true,
            Part::Detail => self.detail = true,
            Part::Select | Part::SelectPin if self.selected.is_some() => {
                return Err("is the second selection".to_owned());
            }
            Part::Select | Part::SelectPin => {
                self.selected = Some(path(text)?);
                self.on_pin = part == Part::SelectPin;
            }
            Part::Open => self.opened = paths(text)?,
            Part::Shut => self.closed = paths(text)?,
            Part::Pins => self.pins = paths(text)?,
            Part::Clock => {
                self.clock = ClockKind::from_name(text).ok_or("names no clock")?;
            }
            Part::Window => self.window = Some(window(text)?),
            Part::Diff => {
                for word in text.split('+') {
                    match word {
                        UNIFIED => self.unified = true,
                        COUNTERS => self.counters = true,
                        _ => return Err(format!("has the word {word:?}, which means nothing")),
                    }
                }
            }
            Part::Filter => {
                let text = unescape(text)?;
                Test::parse(&text).map_err(|error| format!("is no filter: {error}"))?;
                self.filter = Some(text);
            }
            Part::WhatIf => self.what_if = Some(what_if::read(text)?),
            Part::Branch => self.branch = Some(unescape(text)?),
        }
        Ok(())
    }

    /// Holds what the view names against a log of so many events.
    ///
    /// # Errors
    /// Not found, for a position beyond its head.
    pub fn check(&self, head: Position) -> Result<()> {
        let edits = self.what_if.iter().flat_map(|b| b.edits.iter().map(Edit::position));
        let branch = self.what_if.iter().map(|branch| branch.base).chain(edits);
        let all = [(Part::At, Some(self.at)), (Part::Base, self.base)];
        let all = all.into_iter().filter_map(|(part, position)| Some((part, position?)));
        let all = all.chain(branch.map(|position| (Part::WhatIf, position)));
        for (part, position) in all {
            if position > head {
                let message = format!(
                    "position {position} of the view ({part}) is beyond the head, which is {head}"
                );
                return Err(Error::not_found(message)
                    .with_hint("is it a view of another store, or of a log that was longer?"));
            }
        }
        Ok(())
    }
}

const UNIFIED: &str = "unified";
const COUNTERS: &str = "counters";

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(VERSION)?;
        for part in Part::ALL {
            match self.value(*part) {
                Some(value) if value.is_empty() => write!(f, ":{part}")?,
                Some(value) => write!(f, ":{part}={value}")?,
                None => {}
            }
        }
        Ok(())
    }
}

fn unknown(name: &str) -> Error {
    let names = Part::ALL.iter().map(|part| part.name());
    let near = nearest_of(name, names.clone());
    let hint = match near.first() {
        Some(near) => format!("did you mean {near}?"),
        None => format!("the parts are {}", names.collect::<Vec<_>>().join(", ")),
    };
    Error::usage(format!("a view has no part {name:?}")).with_hint(hint)
}

fn position(text: &str) -> std::result::Result<Position, String> {
    // (A sign would be read as well.)
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or_else(|| "names no position".to_owned())
}

/// The panes that a view can name: a replay is nobody else's to see.
fn panes() -> impl Iterator<Item = Pane> {
    Pane::ALL.into_iter().filter(|pane| *pane != Pane::Replay)
}

fn pane(text: &str) -> std::result::Result<Pane, String> {
    let found = panes().find(|pane| pane.name() == text);
    found.ok_or_else(|| "names no pane".to_owned())
}

fn path(text: &str) -> std::result::Result<Path, String> {
    let path = Path::parse(&unescape(text)?).map_err(|fault| format!("names no path: {fault}"))?;
    if path.is_root() { Err("names no path".to_owned()) } else { Ok(path) }
}

fn paths(text: &str) -> std::result::Result<Vec<Path>, String> {
    text.split('+').map(path).collect()
}

fn window(text: &str) -> std::result::Result<(i64, i64), String> {
    let (from, to) = text.split_once("..").ok_or("is no stretch: first..last")?;
    let number = |text: &str| text.parse::<i64>().map_err(|_| format!("has no number {text:?}"));
    let (from, to) = (number(from)?, number(to)?);
    if from < to { Ok((from, to)) } else { Err("ends before it begins".to_owned()) }
}

#[cfg(test)]
mod tests;
