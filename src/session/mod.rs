//! The one interface to the core that the command line and the screen call: open an issue, follow
//! it, stand anywhere in it, and ask.
//!
//! Lives here: a session on one issue (what it asks the log again, and searching, in files of their
//! own), the listing of issues, and what a user keeps per issue. May not live here: printing,
//! drawing, keys.

pub mod branch;
pub mod branch_files;
pub mod breakpoint;
pub mod browse;
pub mod compare;
pub mod filter;
pub mod find;
pub mod load;
mod long;
mod reading;
pub mod replay;
mod scan;
mod search;
pub mod snapshots;
pub mod trace;
pub mod user_state;
pub mod writers;

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::diff::{DiffEntry, DiffOptions, diff};
use crate::error::{Error, ErrorKind, Result};
use crate::fold::{self, Change, State};
use crate::model::catalogue::{self, Links};
use crate::model::{AnomalyKind, Event, Moment, Path, Position, Value};
use crate::schema::upcast;
use crate::store::{EventStore, Fetch, Notice};
use crate::timeline::{Loaded, Marked, Timeline};

use load::{Batch, Loader, Parser, Started};
use long::LongEvents;
use scan::Sketch;
pub use search::Found;
use user_state::UserState;

/// How many re-folded states are kept near the playhead.
const CACHED_STATES: usize = 64;
/// While folding from a kept version, every so many events a state is cached.
const CACHE_STRIDE: Position = 16;

/// About how many bytes an event has.
const EVENT_BYTES: u64 = 700;

/// One issue, open.
pub struct Session {
    issue_key: String,
    /// As far as it is folded.
    timeline: Timeline,
    links: Links,
    fetch: Box<dyn Fetch>,
    /// A long log, until all that was seen of it is folded.
    sketch: Option<Sketch>,
    /// Its last events, until all of it was seen.
    ending: Vec<Event>,
    loader: Option<Loader>,
    cache: Vec<(Position, State)>,
    long: LongEvents,
    remaining: u64,
    loaded: bool,
    fault: Option<String>,
    /// Whether a torn tail is among the anomalies.
    torn: bool,
    /// Marks and the like; kept by whoever opened the session.
    pub user: UserState,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("issue_key", &self.issue_key)
            .field("head", &self.timeline.head())
            .finish_non_exhaustive()
    }
}

/// What one [`Session::pump`] brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct News {
    /// The positions that came, the end excluded; empty when none did.
    pub appended: Range<Position>,
    /// Whether the log was truncated or replaced: every earlier position is void.
    pub restarted: bool,
    /// Whether the end of the log was reached for the first time.
    pub loaded: bool,
    /// Whether the log became unreadable, or readable again.
    pub fault_changed: bool,
    /// Whether there may be more at once.
    pub more: bool,
}

impl News {
    /// Whether anything happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.appended.is_empty() && !self.restarted && !self.loaded && !self.fault_changed
    }
}

impl Session {
    /// Opens an issue and follows it from now on; events come with [`Session::pump`]. `woken` is
    /// called on another thread whenever there is something to pump.
    ///
    /// # Errors
    /// Not found, when there is no such issue; unavailable, when it cannot be read.
    pub fn open(
        store: Arc<dyn EventStore>,
        issue_key: &str,
        woken: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self> {
        let Started { loader, fetch, fetch_ahead, bytes } = Loader::start(store, issue_key, woken)?;
        let mut session = Self::new(issue_key, fetch, Some(loader));
        session.expect(bytes);
        session.sketch = fetch_ahead.map(|fetch| Sketch::new(issue_key, fetch));
        Ok(session)
    }

    /// Reads an issue as it is now, to its end, and does not follow it.
    ///
    /// # Errors
    /// Not found, when there is no such issue; unavailable, when it cannot be read.
    pub fn read(store: &dyn EventStore, issue_key: &str) -> Result<Self> {
        Self::read_with(store, issue_key, catalogue::LINKS)
    }

    /// As [`Session::read`], with these correlation rules.
    ///
    /// # Errors
    /// As [`Session::read`].
    pub fn read_with(store: &dyn EventStore, issue_key: &str, links: Links) -> Result<Self> {
        let mut tail = store.tail(issue_key)?;
        let mut session = Self::new(issue_key, tail.fetcher(), None).with_links(links);
        session.expect(tail.remaining());
        let mut parser = Parser::default();
        let mut next = parser.read(tail.as_mut())?;
        loop {
            let (chunk, events) = next;
            if chunk.notices.iter().any(Notice::starts_anew) {
                session.restart();
            }
            if chunk.at_end {
                session.take_events(events);
                session.take_notices(&chunk.notices);
                session.loaded = true;
                return Ok(session);
            }
            // What comes is read while what came is folded.
            next = std::thread::scope(|scope| {
                let reader = scope.spawn(|| parser.read(tail.as_mut()));
                session.take_events(events);
                session.take_notices(&chunk.notices);
                reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })?;
        }
    }

    /// The session with these correlation rules, before any event came.
    #[must_use]
    pub fn with_links(mut self, links: Links) -> Self {
        self.links = links;
        self.timeline = Timeline::new(&self.issue_key, links);
        self
    }

    /// The correlation rules in force.
    #[must_use]
    pub fn links(&self) -> Links {
        self.links
    }

    fn new(issue_key: &str, fetch: Box<dyn Fetch>, loader: Option<Loader>) -> Self {
        Self {
            issue_key: issue_key.to_owned(),
            timeline: Timeline::new(issue_key, catalogue::LINKS),
            links: catalogue::LINKS,
            fetch,
            sketch: None,
            ending: Vec::new(),
            loader,
            cache: Vec::new(),
            long: LongEvents::default(),
            remaining: 0,
            loaded: false,
            fault: None,
            torn: false,
            user: UserState::default(),
        }
    }

    /// Prepares for a log of so many bytes.
    fn expect(&mut self, bytes: u64) {
        self.remaining = bytes;
        self.timeline.expect(bytes / EVENT_BYTES);
    }

    /// The issue.
    #[must_use]
    pub fn issue_key(&self) -> &str {
        &self.issue_key
    }

    /// The history as far as it is known. While a long log is loaded, of its events only the rows
    /// and lanes are; see [`Session::folded`].
    #[must_use]
    pub fn timeline(&self) -> &Timeline {
        self.sketch.as_ref().map_or(&self.timeline, |sketch| &sketch.timeline)
    }

    /// The history as far as it is folded: all that has states, writers and causes.
    #[must_use]
    pub fn folded(&self) -> &Timeline {
        &self.timeline
    }

    /// The last events of a long log of which not even the rows are all known yet: what they are is
    /// known, their positions are not.
    #[must_use]
    pub fn ending(&self) -> &[Event] {
        &self.ending
    }

    /// How many events are folded, and of how many, while not all that are known are.
    #[must_use]
    pub fn folding(&self) -> Option<(Position, Position)> {
        let (folded, head) = (self.timeline.head(), self.head());
        (folded < head).then_some((folded, head))
    }

    /// The position of the last event that is known.
    #[must_use]
    pub fn head(&self) -> Position {
        self.timeline().head()
    }

    /// Whether the end of the log was reached at least once.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.loaded
    }

    /// How many bytes are still to be read.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.remaining
    }

    /// Why the log cannot be read at the moment.
    #[must_use]
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Takes in what came, for about `budget`; waits up to `patience` for the first of it.
    pub fn pump(&mut self, patience: Duration, budget: Duration) -> News {
        let started = Instant::now();
        let first = self.head() + 1;
        let mut news = News { appended: first..first, ..News::default() };
        let mut patience = patience;
        while let Some(batch) = self.loader.as_ref().and_then(|loader| loader.next(patience)) {
            self.take_batch(batch, &mut news);
            patience = Duration::ZERO;
            if started.elapsed() >= budget {
                news.more = true;
                break;
            }
        }
        news.appended.end = self.head() + 1;
        news
    }

    /// Pumps until the end of the log was reached once. For callers without a screen, and tests.
    ///
    /// # Errors
    /// Unavailable, when the log cannot be read.
    pub fn pump_all(&mut self) -> Result<()> {
        while !self.loaded && self.loader.is_some() {
            self.pump(Duration::from_millis(100), Duration::MAX);
            if let Some(fault) = &self.fault {
                return Err(Error::new(ErrorKind::Unavailable, fault.clone()));
            }
        }
        Ok(())
    }

    fn take_batch(&mut self, batch: Batch, news: &mut News) {
        match batch {
            Batch::Events { notices, events, remaining } => {
                self.ending = Vec::new();
                if notices.iter().any(Notice::starts_anew) {
                    self.restart();
                    news.restarted = true;
                    news.appended = 1..1;
                }
                news.fault_changed |= self.fault.take().is_some();
                self.take_events(events);
                self.take_notices(&notices);
                self.remaining = remaining;
                if remaining == 0 && !self.loaded {
                    self.loaded = true;
                    news.loaded = true;
                }
                let overtaken =
                    |sketch: &Sketch| self.loaded || self.timeline.head() >= sketch.timeline.head();
                if self.sketch.as_ref().is_some_and(overtaken) {
                    self.sketch = None;
                }
            }
            Batch::End(events) => self.ending = events,
            Batch::Seen(glimpse) => {
                if let Some(sketch) = &mut self.sketch {
                    sketch.take(glimpse);
                }
            }
            Batch::Fault(error) => {
                self.fault = Some(error.message().to_owned());
                news.fault_changed = true;
            }
        }
    }

    fn take_events(&mut self, events: Vec<Loaded>) {
        for (position, loaded) in (self.timeline.head() + 1..).zip(&events) {
            self.long.offer(position, loaded);
        }
        self.timeline.push_all(events);
    }

    fn restart(&mut self) {
        self.sketch = None;
        self.ending = Vec::new();
        self.timeline = Timeline::new(&self.issue_key, self.links);
        self.cache.clear();
        self.long = LongEvents::default();
        self.loaded = false;
    }

    fn take_notices(&mut self, notices: &[Notice]) {
        // Looking through all anomalies is for when there is one to withdraw, not for every batch.
        if std::mem::take(&mut self.torn) {
            self.timeline.withdraw(AnomalyKind::TornTail);
        }
        self.torn = notices.iter().any(|notice| matches!(notice, Notice::TornTail { .. }));
        for notice in notices {
            match notice {
                Notice::Rotated { .. } => {}
                Notice::Truncated { detail } => self.timeline.note(AnomalyKind::Truncated, detail),
                Notice::Replaced { detail } => self.timeline.note(AnomalyKind::Replaced, detail),
                Notice::TornTail { bytes } => self.timeline.note(
                    AnomalyKind::TornTail,
                    format!("{bytes} bytes after the last line feed are no event yet"),
                ),
            }
        }
    }

    /// The state at `position`.
    ///
    /// # Errors
    /// Not found beyond the head; unavailable when the log cannot be read again.
    pub fn state_at(&mut self, position: Position) -> Result<State> {
        if position > self.timeline.head() {
            return Err(self.no_state_yet(position));
        }
        let kept = self.timeline.nearest_kept(position);
        let cached = self.cache.iter().filter(|(p, _)| (kept..=position).contains(p));
        let (mut at, mut state) = match cached.max_by_key(|(p, _)| *p) {
            Some((near, cached)) => (*near, cached.clone()),
            None => {
                let (kept, state) = self.timeline.kept(kept);
                if kept > 0 && kept < self.timeline.head() {
                    // It may have been unpacked, and its neighbours are asked for next.
                    self.remember(kept, &state);
                }
                (kept, state)
            }
        };
        if at == position {
            return Ok(state);
        }
        for event in self.events(at + 1..position + 1)? {
            fold::advance(&mut state, &event);
            at += 1;
            if at == position || at.is_multiple_of(CACHE_STRIDE) {
                self.remember(at, &state);
            }
        }
        Ok(state)
    }

    fn no_state_yet(&self, position: Position) -> Error {
        if position > self.head() {
            return beyond(position, self.head());
        }
        let (folded, head) = (self.timeline.head(), self.head());
        let what = format!("the state at {position} is not known yet");
        Error::new(ErrorKind::Unavailable, format!("{what}: {folded} of {head} events are folded"))
    }

    fn remember(&mut self, position: Position, state: &State) {
        if self.cache.iter().any(|(p, _)| *p == position) {
            return;
        }
        if self.cache.len() >= CACHED_STATES {
            self.cache.remove(0);
        }
        self.cache.push((position, state.clone()));
    }

    /// The one-line summary of the event at `position`.
    ///
    /// # Errors
    /// As [`Session::event`].
    pub fn summary(&mut self, position: Position) -> Result<String> {
        let event = self.event(position)?;
        Ok(catalogue::summary(catalogue::spec(event.kind), &event.metadata, &event.type_name))
    }

    /// What the event at `position` changed.
    ///
    /// # Errors
    /// As [`Session::state_at`].
    pub fn changes(&mut self, position: Position) -> Result<Vec<Change>> {
        let Some(before) = position.checked_sub(1) else { return Ok(Vec::new()) };
        let mut state = self.state_at(before)?;
        let event = self.event(position)?;
        let changes = fold::apply(&mut state, &event).changes;
        // Whoever asks what an event did asks for the state after it, too.
        self.remember(position, &state);
        Ok(changes)
    }

    /// How the state at `to` differs from that at `from`.
    ///
    /// # Errors
    /// As [`Session::state_at`].
    pub fn diff(
        &mut self,
        from: Position,
        to: Position,
        options: DiffOptions,
    ) -> Result<Vec<DiffEntry>> {
        let from = self.state_at(from)?;
        let to = self.state_at(to)?;
        Ok(diff(&from.value(), &to.value(), options))
    }

    /// The position that a moment names.
    ///
    /// # Errors
    /// Not found when there is no such moment here; usage when it is ambiguous.
    pub fn resolve(&mut self, moment: &Moment) -> Result<Position> {
        let (timeline, fetch) = match &mut self.sketch {
            Some(sketch) => (&sketch.timeline, &mut sketch.fetch),
            None => (&self.timeline, &mut self.fetch),
        };
        let fetch = std::cell::RefCell::new(fetch);
        let id_starts_with = |position: Position, prefix: &str| {
            let bytes =
                timeline.row(position).and_then(|row| fetch.borrow_mut().fetch(row.locator).ok());
            bytes.is_some_and(|bytes| {
                let events = upcast::read_line_events(&bytes, position, Default::default());
                events.iter().any(|(event, ..)| event.id.starts_with(prefix))
            })
        };
        let marks = |name: &str| self.user.marks.get(name).copied();
        moment.resolve(&Marked { timeline, marks, id_starts_with })
    }

    /// The value at `path` in the state at `position`.
    ///
    /// # Errors
    /// As [`Session::state_at`].
    pub fn value_at(&mut self, path: &Path, position: Position) -> Result<Option<Value>> {
        let state = self.state_at(position)?;
        Ok(if path.is_root() { Some(state.value()) } else { state.at(path).cloned() })
    }
}

fn beyond(position: Position, head: Position) -> Error {
    Error::not_found(format!("position {position} is beyond the head, which is {head}"))
}

#[cfg(test)]
mod tests;
