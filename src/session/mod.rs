//! The one interface to the core that the command line and the screen call: open an issue, follow
//! it, stand anywhere in it, and ask.
//!
//! Lives here: a session on one issue (what it asks the log again, and searching, in files of their
//! own), the listing of issues, and what a user keeps per issue. May not live here: printing,
//! drawing, keys.

mod aside;
pub mod branch;
pub mod branch_files;
pub mod breakpoint;
pub mod browse;
pub mod compare;
mod early;
pub mod filter;
pub mod find;
pub mod load;
mod long;
mod pump;
mod reading;
pub mod replay;
mod scan;
mod search;
pub mod snapshots;
mod states;
pub mod trace;
pub mod user_state;
pub mod writers;

use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::fold::State;
use crate::model::catalogue::{self, Links};
use crate::model::moment::Positions;
use crate::model::{Event, Moment, Position};
use crate::schema::upcast;
use crate::store::{EventStore, Fetch, Notice};
use crate::timeline::{Marked, Timeline};

use early::Early;
use load::{Loader, Parser, Started};
use long::LongEvents;
pub use pump::News;
use scan::Sketch;
pub use search::Found;
use user_state::UserState;

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
    /// The states at its end, until all of it is folded.
    early: Option<Early>,
    /// Its last events, until all of it was seen.
    ending: Vec<Event>,
    loader: Option<Loader>,
    cache: Vec<(Position, State)>,
    /// The position whose state was asked for last.
    asked: Position,
    long: LongEvents,
    /// Whether versions are put aside, or cannot be.
    aside: bool,
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
        Self::read_while(store, issue_key, links, |_, _| true)
    }

    /// As [`Session::read_with`], as long as `goes_on`, which is told how many bytes of how many are
    /// read.
    ///
    /// # Errors
    /// As [`Session::read`]; interrupted, when it does not go on.
    pub fn read_while(
        store: &dyn EventStore,
        issue_key: &str,
        links: Links,
        goes_on: impl Fn(u64, u64) -> bool,
    ) -> Result<Self> {
        let mut tail = store.tail(issue_key)?;
        let mut session = Self::new(issue_key, tail.fetcher(), None).with_links(links);
        let all = tail.remaining();
        session.expect(all);
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
            if !goes_on(all.saturating_sub(tail.remaining()), all) {
                let message = format!("{issue_key} was not read to its end");
                return Err(Error::new(ErrorKind::Interrupted, message));
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
        self.expect(self.remaining);
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
            early: None,
            ending: Vec::new(),
            loader,
            cache: Vec::new(),
            asked: 0,
            long: LongEvents::default(),
            aside: false,
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
        if bytes / EVENT_BYTES >= u64::from(aside::LONG_LOG) {
            self.put_aside();
        }
    }

    /// Has the versions of a long log put aside.
    fn put_aside(&mut self) {
        self.aside = true;
        if let Some(spill) = aside::open() {
            self.timeline.put_aside(spill);
        }
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

    /// Where a snapshot stands that the state at `position` goes on from; none where that state is
    /// folded, or not known.
    #[must_use]
    pub fn snapshot_below(&self, position: Position) -> Option<Position> {
        if position <= self.timeline.head() || position > self.head() {
            return None;
        }
        let early = self.early.as_ref()?;
        // What the event at the position did must be known, too.
        early.nearest(position - 1).map(|_| early.snapshot())
    }

    /// Whether what is true at `position` can be told.
    #[must_use]
    pub fn knows(&self, position: Position) -> bool {
        position <= self.timeline.head() || self.snapshot_below(position).is_some()
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

    /// The one-line summary of the event at `position`.
    ///
    /// # Errors
    /// As [`Session::event`].
    pub fn summary(&mut self, position: Position) -> Result<String> {
        let event = self.event(position)?;
        Ok(catalogue::summary(catalogue::spec(event.kind), &event.metadata, &event.type_name))
    }

    /// The position that a moment names.
    ///
    /// # Errors
    /// Not found when there is no such moment here; usage when it is ambiguous.
    pub fn resolve(&mut self, moment: &Moment) -> Result<Position> {
        self.resolve_by(|log| moment.resolve(log))
    }

    /// The first position of a range that begins at a moment.
    ///
    /// # Errors
    /// As [`Session::resolve`].
    pub fn resolve_first(&mut self, moment: &Moment) -> Result<Position> {
        self.resolve_by(|log| moment.resolve_first(log))
    }

    fn resolve_by(
        &mut self,
        resolve: impl FnOnce(&dyn Positions) -> Result<Position>,
    ) -> Result<Position> {
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
        resolve(&Marked { timeline, marks, id_starts_with })
    }
}

fn beyond(position: Position, head: Position) -> Error {
    Error::not_found(format!("position {position} is beyond the head, which is {head}"))
}

#[cfg(test)]
mod tests;
