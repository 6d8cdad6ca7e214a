//! Where an expression holds: the one search behind `find`, breakpoints and `--where`.
//!
//! Lives here: [`Finder`], which goes on from where it was, in either direction, a piece at a time.
//! May not live here: the language (see [`crate::query::expression`]).
//!
//! An expression over the event alone matches every event for which it holds. One that looks at
//! the state matches where it turns true: it holds after the event and did not hold after the one
//! before. Such a one is judged only where a path that it reads was written.

mod along;
mod condition;
mod rest;

use std::collections::VecDeque;

use super::Session;
use crate::error::Result;
use crate::fold::{self, State};
use crate::model::moment::Positions;
use crate::model::{Kind, Position, Value};
use crate::query::expression::{EvaluationFault, Expression, Subject};
use crate::timeline::Marked;

pub use along::Along;
pub use condition::StateWhere;
pub(in crate::session) use rest::Rest;

/// How many events are folded or read in one piece.
const PIECE: Position = 256;

/// Which way a search goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Towards the head.
    Forward,
    /// Towards the beginning.
    Backward,
}

/// A place where an expression holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// The event.
    pub position: Position,
    /// What the expression gave.
    pub value: Value,
}

/// What one step of a search came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The next match.
    Match(Match),
    /// No match so far; there is more to look at.
    Going,
    /// There is no further match.
    Done,
}

/// A search for the positions where an expression holds.
#[derive(Debug)]
pub struct Finder {
    expression: Expression,
    candidates: Candidates,
    rest: Rest,
    /// How many events one piece has.
    piece: Position,
    found: VecDeque<Match>,
    judged: u64,
    faults: u64,
    first_fault: Option<(Position, EvaluationFault)>,
    stopped: bool,
}

/// The positions at which it can match.
#[derive(Debug)]
enum Candidates {
    Every,
    /// Sorted, each once.
    These(Vec<Position>),
}

impl Finder {
    /// A search through the positions `first..=last`; those beyond the head are left out.
    #[must_use]
    pub fn new(
        session: &Session,
        expression: Expression,
        (first, last): (Position, Position),
        direction: Direction,
    ) -> Self {
        Self {
            candidates: candidates(session, &expression),
            expression,
            rest: Rest::new((first, last.min(session.head())), direction),
            piece: PIECE,
            found: VecDeque::new(),
            judged: 0,
            faults: 0,
            first_fault: None,
            stopped: false,
        }
    }

    /// How many positions were judged so far.
    #[must_use]
    pub fn judged(&self) -> u64 {
        self.judged
    }

    /// The position that is judged next; none when nothing is left.
    #[must_use]
    pub fn reached(&self) -> Option<Position> {
        self.rest.next()
    }

    /// The last position that is left, in the order of the log; none when nothing is.
    #[must_use]
    pub fn end(&self) -> Option<Position> {
        self.rest.range().map(|(_, last)| last)
    }

    /// How many events are looked at before `pause` is asked again.
    #[must_use]
    pub fn piece(&self) -> Position {
        self.piece
    }

    /// Looks at so many events, at least one, before `pause` is asked.
    pub fn set_piece(&mut self, events: Position) {
        self.piece = events.max(1);
    }

    /// How many evaluations failed, which makes them no match, and the first of them.
    #[must_use]
    pub fn faults(&self) -> Option<(u64, Position, &EvaluationFault)> {
        let (position, fault) = self.first_fault.as_ref()?;
        Some((self.faults, *position, fault))
    }

    /// Looks on until there is a match, nothing is left, or `pause` says that it is enough for now;
    /// it is asked every few hundred events.
    ///
    /// # Errors
    /// Unavailable, when the log cannot be read again.
    pub fn step(&mut self, session: &mut Session, mut pause: impl FnMut() -> bool) -> Result<Step> {
        loop {
            if let Some(found) = self.found.pop_front() {
                return Ok(Step::Match(found));
            }
            let Some(piece) = self.next_piece() else { return Ok(Step::Done) };
            let mut found = self.judge(session, &piece)?;
            if self.rest.direction() == Direction::Backward {
                found.reverse();
            }
            self.found = found.into();
            if self.stopped || (self.found.is_empty() && pause()) {
                self.stopped = false;
                return Ok(Step::Going);
            }
        }
    }

    /// All matches that are left.
    ///
    /// # Errors
    /// As [`Finder::step`].
    pub fn all(&mut self, session: &mut Session) -> Result<Vec<Match>> {
        let mut matches = Vec::new();
        loop {
            match self.step(session, || false)? {
                Step::Match(found) => matches.push(found),
                Step::Going => {}
                Step::Done => return Ok(matches),
            }
        }
    }

    /// The candidates of the next piece, in order.
    fn next_piece(&mut self) -> Option<Vec<Position>> {
        if let Candidates::These(all) = &self.candidates {
            // Where nothing is near, go to the nearest.
            match nearest(all, &self.rest) {
                Some(position) => self.rest.go_to(position),
                None => self.rest.end(),
            }
        }
        let (low, high) = self.rest.take(self.piece)?;
        Some(match &self.candidates {
            Candidates::Every => (low..=high).collect(),
            Candidates::These(all) => within(all, (low, high)).to_vec(),
        })
    }

    /// The matches among some candidates.
    fn judge(&mut self, session: &mut Session, piece: &[Position]) -> Result<Vec<Match>> {
        if self.expression.uses_state() {
            self.judge_states(session, piece)
        } else {
            self.judge_events(session, piece)
        }
    }

    fn judge_events(&mut self, session: &mut Session, piece: &[Position]) -> Result<Vec<Match>> {
        let (Some(first), Some(last)) = (piece.first(), piece.last()) else {
            return Ok(Vec::new());
        };
        let empty = State::new().value();
        let mut matches = Vec::new();
        let mut read = |finder: &mut Self, position: Position, line: &[u8], readable: bool| {
            let event = event_of(line, readable);
            let subject = Subject { event: &event, state: &empty, before: &empty };
            if let Some(value) = finder.evaluate(position, subject) {
                matches.push(Match { position, value });
            }
        };
        if piece.len() * 4 >= (last - first + 1) as usize {
            session.each_line(*first..last + 1, |position, line, readable| {
                if piece.binary_search(&position).is_ok() {
                    read(self, position, line, readable);
                }
            })?;
        } else {
            for position in piece {
                session.each_line(*position..position + 1, |position, line, readable| {
                    read(self, position, line, readable);
                })?;
            }
        }
        Ok(matches)
    }

    fn judge_states(&mut self, session: &mut Session, piece: &[Position]) -> Result<Vec<Match>> {
        let (Some(first), Some(last)) = (piece.first(), piece.last()) else {
            return Ok(Vec::new());
        };
        // The value before the first needs its event, and the state before that.
        let start = first.saturating_sub(1).max(1);
        let mut before = session.state_at(start - 1)?;
        let events = session.events(start..last + 1)?;
        let mut json = Vec::new();
        if self.expression.reads().event {
            session.each_line(start..last + 1, |_, line, readable| {
                json.push(event_of(line, readable));
            })?;
        }
        let mut matches = Vec::new();
        let mut held: Option<(Position, bool)> = (start == 1).then(|| (0, self.holds_at_zero()));
        for (at, (position, event)) in (start..).zip(&events).enumerate() {
            let mut state = before.clone();
            fold::advance(&mut state, event);
            let wanted = piece.binary_search(&position).is_ok();
            let next_is = piece.binary_search(&(position + 1)).is_ok();
            if wanted || next_is {
                let subject = Subject {
                    event: json.get(at).unwrap_or(&Value::Null),
                    state: &state.value(),
                    before: &before.value(),
                };
                let value = if wanted {
                    self.evaluate(position, subject)
                } else {
                    self.expression.hit(subject).ok().flatten()
                };
                let held_before = held.is_some_and(|(p, held)| p + 1 == position && held);
                held = Some((position, value.is_some()));
                if let Some(value) = value.filter(|_| wanted && !held_before) {
                    matches.push(Match { position, value });
                }
            }
            before = state;
        }
        Ok(matches)
    }

    /// Whether it holds before the first event.
    fn holds_at_zero(&self) -> bool {
        let empty = State::new().value();
        let subject = Subject { event: &Value::Null, state: &empty, before: &empty };
        self.expression.holds(subject).unwrap_or(false)
    }

    fn evaluate(&mut self, position: Position, subject: Subject<'_>) -> Option<Value> {
        self.judged += 1;
        match self.expression.hit(subject) {
            Ok(value) => value,
            Err(fault) => {
                self.stopped |= fault == EvaluationFault::Stopped;
                self.faults += 1;
                self.first_fault.get_or_insert((position, fault));
                None
            }
        }
    }
}

/// An event as expressions see it: its line's JSON, and null for a line that is no event.
fn event_of(line: &[u8], readable: bool) -> Value {
    if readable { serde_json::from_slice(line).unwrap_or_default() } else { Value::Null }
}

fn candidates(session: &Session, expression: &Expression) -> Candidates {
    let reads = expression.reads();
    let timeline = session.timeline();
    if reads.event {
        let Some(types) = &reads.types else { return Candidates::Every };
        let marked = Marked { timeline, marks: |_: &str| None, id_starts_with: |_, _: &str| false };
        let of_types = types.iter().flat_map(|name| marked.of_type(name));
        return Candidates::These(sorted(of_types.collect()));
    }
    if reads.state.is_empty() || reads.state.iter().any(|p| p.is_root() || fold::is_counter(p)) {
        // (Of what every event writes, the index keeps no note.)
        return Candidates::Every;
    }
    if session.folding().is_some() {
        // Who wrote what is not known yet.
        return Candidates::Every;
    }
    let writers = reads.state.iter().flat_map(|path| timeline.writers(path).to_vec());
    let mut all: Vec<Position> = writers.collect();
    if reads.before {
        // What one event wrote is what the next has before it.
        all.extend(all.clone().iter().map(|p| p + 1));
    }
    Candidates::These(sorted(all))
}

/// The candidate that comes next.
fn nearest(all: &[Position], rest: &Rest) -> Option<Position> {
    let left = within(all, rest.range()?);
    match rest.direction() {
        Direction::Forward => left.first(),
        Direction::Backward => left.last(),
    }
    .copied()
}

/// Those of some sorted positions that lie in a range, both ends included.
fn within(all: &[Position], (first, last): (Position, Position)) -> &[Position] {
    let end = all.partition_point(|p| *p <= last);
    let start = all[..end].partition_point(|p| *p < first);
    &all[start..end]
}

fn sorted(mut positions: Vec<Position>) -> Vec<Position> {
    positions.sort_unstable();
    positions.dedup();
    positions
}

impl Session {
    /// Whether an expression holds at `position`, and what it gives.
    ///
    /// # Errors
    /// Not found beyond the head; unavailable when the log cannot be read again.
    pub fn evaluate(
        &mut self,
        expression: &Expression,
        position: Position,
    ) -> Result<std::result::Result<Option<Value>, EvaluationFault>> {
        let state = self.state_at(position)?;
        let before = self.state_at(position.saturating_sub(1))?;
        let mut event = Value::Null;
        if position > 0 && expression.reads().event {
            self.each_line(position..position + 1, |_, line, readable| {
                event = event_of(line, readable);
            })?;
        }
        let subject = Subject { event: &event, state: &state.value(), before: &before.value() };
        Ok(expression.hit(subject))
    }

    /// Gives the bytes of each event of a range (the end excluded), and whether it is one.
    ///
    /// # Errors
    /// As [`Session::raw`].
    pub fn each_line(
        &mut self,
        range: std::ops::Range<Position>,
        mut each: impl FnMut(Position, &[u8], bool),
    ) -> Result<()> {
        let mut next = range.start;
        while next < range.end {
            let run = self.contiguous(next..range.end, super::reading::MOST_AT_ONCE)?;
            let (Some(first), Some(last)) = (run.first().copied(), run.last().copied()) else {
                break;
            };
            let bytes = self.source(next).1.fetch_range(first, last)?;
            for locator in run {
                let start = usize::try_from(locator.offset - first.offset).unwrap_or(usize::MAX);
                let line = bytes.get(start..start.saturating_add(locator.len as usize));
                let kind = self.row(next).map(|row| row.kind);
                each(next, line.unwrap_or_default(), kind != Some(Kind::Unreadable));
                next += 1;
            }
        }
        Ok(())
    }
}
