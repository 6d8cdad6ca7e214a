//! One issue's log, read from its beginning to its end as it is now.
//!
//! Lives here: positions, running times and the phase in force while reading on, and the bounds
//! that a query sets to them. May not live here: the order across issues.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use smallvec::SmallVec;
use smol_str::SmolStr;

use super::filter::{Candidate, Filter};
use super::header::{self, Header};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Position, Timestamp};
use crate::store::{Chunk, EventStore, Locator, Notice, Tail};

/// How much is read to see the first line.
const PEEK_BYTES: usize = 8 << 10;

/// Which part of an issue's log is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) positions: RangeInclusive<Position>,
    pub(super) clocks: RangeInclusive<Timestamp>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { positions: 1..=Position::MAX, clocks: Timestamp::MIN..=Timestamp::MAX }
    }
}

/// An event that was read, and what was known when it was.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    pub(super) header: &'a Header<'a>,
    pub(super) phase: &'a str,
    /// The event's time, or that of the one before where it cannot be read.
    pub(super) at: Timestamp,
    pub(super) candidate: Candidate<'a>,
    pub(super) locator: Locator,
}

/// An event that passed.
#[derive(Debug, Clone)]
pub(super) struct Passed {
    pub(super) position: Position,
    pub(super) clock: Timestamp,
    pub(super) locator: Locator,
    /// Where it stands in the reader's chunk.
    range: Range<usize>,
}

/// Reads on in one issue's log.
pub(super) struct Reader {
    pub(super) issue_key: Arc<str>,
    tail: Box<dyn Tail>,
    chunk_bytes: usize,
    chunk: Chunk,
    next_line: usize,
    /// Passed events of the current line that were not given yet; one at most, as a rule.
    waiting: SmallVec<[Passed; 1]>,
    along: Along,
    bounds: Bounds,
    ended: bool,
}

/// What is carried along from event to event.
#[derive(Debug)]
struct Along {
    position: Position,
    at: Timestamp,
    clock: Timestamp,
    phase: SmolStr,
    needs_phase: bool,
}

impl Reader {
    pub(super) fn open(
        store: &dyn EventStore,
        issue_key: &Arc<str>,
        bounds: Bounds,
        chunk_bytes: usize,
        needs_phase: bool,
    ) -> Result<Self> {
        Ok(Self {
            issue_key: Arc::clone(issue_key),
            tail: store.tail(issue_key)?,
            chunk_bytes,
            chunk: Chunk::default(),
            next_line: 0,
            waiting: SmallVec::new(),
            along: Along::new(needs_phase),
            bounds,
            ended: false,
        })
    }

    /// How many events were looked at.
    pub(super) fn scanned(&self) -> u64 {
        u64::from(self.along.position)
    }

    /// The position of the last event that was read.
    pub(super) fn position(&self) -> Position {
        self.along.position
    }

    /// The running maximum of times as far as was read; none before the first event.
    pub(super) fn clock(&self) -> Option<Timestamp> {
        (self.along.position > 0).then_some(self.along.clock)
    }

    /// The bytes of an event that [`Reader::next_passed`] gave last.
    pub(super) fn raw(&self, passed: &Passed) -> &[u8] {
        self.chunk.bytes.get(passed.range.clone()).unwrap_or_default()
    }

    /// Something that reads lines of this log again.
    pub(super) fn fetcher(&self) -> Box<dyn crate::store::Fetch> {
        self.tail.fetcher()
    }

    /// The next event that lies within the bounds and passes the filter.
    pub(super) fn next_passed(&mut self, filter: &Filter) -> Result<Option<Passed>> {
        loop {
            if !self.waiting.is_empty() {
                return Ok(Some(self.waiting.remove(0)));
            }
            let mut waiting = SmallVec::new();
            let more = self.read_line(&mut |seen, range| {
                if filter.matches(seen.header, seen.phase, &seen.candidate) {
                    let (position, clock) = (seen.candidate.position, seen.candidate.clock);
                    waiting.push(Passed { position, clock, locator: seen.locator, range });
                }
            })?;
            self.waiting = waiting;
            if !more {
                return Ok(None);
            }
        }
    }

    /// The time of the first event; none where there is no event. Nothing counts as read by it:
    /// the reader stands before that event again.
    pub(super) fn peek_clock(&mut self) -> Result<Option<Timestamp>> {
        let whole = std::mem::replace(&mut self.chunk_bytes, PEEK_BYTES);
        self.read_line(&mut |_, _| {})?;
        let clock = self.clock();
        self.chunk_bytes = whole;
        self.next_line = 0;
        self.ended = self.chunk.at_end;
        self.along = Along::new(self.along.needs_phase);
        Ok(clock)
    }

    /// Calls `each` with every event within the bounds, to the end.
    pub(super) fn for_each(&mut self, mut each: impl FnMut(&Seen<'_>)) -> Result<()> {
        while self.read_line(&mut |seen, _| each(&seen))? {}
        Ok(())
    }

    /// Reads one line and calls `each` with its events that lie within the bounds; false when
    /// there is none left within them.
    fn read_line(&mut self, each: &mut dyn FnMut(Seen<'_>, Range<usize>)) -> Result<bool> {
        while self.next_line >= self.chunk.lines.len() {
            if self.ended {
                return Ok(false);
            }
            self.refill()?;
        }
        let Some(line) = self.chunk.lines.get(self.next_line) else { return Ok(false) };
        self.next_line += 1;
        let bytes = self.chunk.bytes.get(line.range.clone()).unwrap_or_default();
        let (along, bounds, issue_key) = (&mut self.along, &self.bounds, &*self.issue_key);
        let mut visit = |header: &Header<'_>, part: Range<usize>| {
            along.take(header);
            let clock = along.clock;
            if !bounds.positions.contains(&along.position) || !bounds.clocks.contains(&clock) {
                return;
            }
            let raw = bytes.get(part.clone()).unwrap_or_default();
            let (position, type_name) = (along.position, &*header.type_name);
            let candidate = Candidate { issue_key, position, clock, type_name, raw };
            let locator = line.locator.part(&part);
            let seen = Seen { header, phase: &along.phase, at: along.at, candidate, locator };
            each(seen, line.range.start + part.start..line.range.start + part.end);
        };
        if line.too_long {
            visit(&header::unreadable(), 0..bytes.len());
        } else {
            header::read_line(bytes, |header, part| visit(&header, part));
        }
        // Neither positions nor running times ever fall.
        if self.along.position >= *self.bounds.positions.end()
            || self.along.clock > *self.bounds.clocks.end()
        {
            self.ended = true;
            self.next_line = usize::MAX;
        }
        Ok(true)
    }

    fn refill(&mut self) -> Result<()> {
        let first = self.along.position == 0;
        self.chunk = self.tail.poll(self.chunk_bytes)?;
        self.next_line = 0;
        if !first && self.chunk.notices.iter().any(Notice::starts_anew) {
            let what = format!("the log of {} was replaced while it was read", self.issue_key);
            return Err(Error::new(ErrorKind::Unavailable, what).with_hint("ask again"));
        }
        self.ended = self.chunk.at_end;
        Ok(())
    }
}

impl Along {
    fn new(needs_phase: bool) -> Self {
        Self {
            position: 0,
            at: Timestamp::default(),
            clock: Timestamp::MIN,
            phase: SmolStr::default(),
            needs_phase,
        }
    }

    fn take(&mut self, header: &Header<'_>) {
        self.position = self.position.saturating_add(1);
        self.at = header.at.unwrap_or(self.at);
        self.clock = if self.position == 1 { self.at } else { self.clock.max(self.at) };
        if self.needs_phase
            && let Some(phase) = header.enters()
        {
            self.phase = SmolStr::new(phase);
        }
    }
}
