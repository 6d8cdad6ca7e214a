//! Breakpoints: where one of several conditions holds next, and where each holds at all.
//!
//! Lives here: [`Condition`], an expression or a path whose changes are waited for, [`Run`] to the
//! next hit in either direction, [`Hits`], which grow with the log; a piece at a time. May not live
//! here: how an expression is searched for (see [`super::find`]), or a
//! writer (see [`super::writers`]).

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::find::{Direction, Finder, Step};
use super::writers::WriterFinder;
use super::{Found, Session};
use crate::error::{Error, Result};
use crate::fold;
use crate::model::{Path, Position};
use crate::query::expression::Expression;

/// One piece of a search should take about so long: a key must not wait for it.
const PIECE_TIME: Duration = Duration::from_millis(4);
/// The most events of one piece.
const MOST_IN_PIECE: Position = 2048;

/// A breakpoint as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breakpoint {
    /// An expression, or a path as a JSON pointer.
    pub when: String,
    /// Whether it is looked for.
    #[serde(default = "on")]
    pub on: bool,
}

fn on() -> bool {
    true
}

impl Breakpoint {
    /// A breakpoint that is switched on.
    #[must_use]
    pub fn new(when: &str) -> Self {
        Self { when: when.to_owned(), on: true }
    }
}

/// What is waited for.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// That an expression holds, or turns true.
    Expression(Expression),
    /// That something writes this path or below it.
    Path(Path),
}

impl Condition {
    /// Reads a condition: what begins with a slash is a path, all else an expression.
    ///
    /// # Errors
    /// Usage, with a caret under the place where it cannot be read.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if !text.starts_with('/') {
            return Expression::parse(text).map(Self::Expression);
        }
        let path = Path::parse(text)
            .map_err(|fault| Error::usage(format!("{text:?} is no path: {fault}")))?;
        if fold::is_counter(&path) {
            let message = format!("every event writes {path}: there is nothing to wait for");
            return Err(Error::usage(message));
        }
        Ok(Self::Path(path))
    }
}

/// What one step of a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The nearest hit, and which of the conditions it is (the first that was given of several).
    Hit(Position, usize),
    /// None so far; there is more to look at.
    Going,
    /// There is none.
    Nothing,
}

/// The search for where one condition holds next.
#[derive(Debug)]
pub(super) enum Search {
    Expression(Finder),
    Path(WriterFinder),
}

impl Search {
    pub(super) fn new(
        session: &Session,
        condition: &Condition,
        range: (Position, Position),
        direction: Direction,
    ) -> Self {
        match condition {
            Condition::Expression(expression) => {
                Self::Expression(Finder::new(session, expression.clone(), range, direction))
            }
            Condition::Path(path) => Self::Path(WriterFinder::new(path.clone(), range, direction)),
        }
    }

    /// The position that is judged next; none when nothing is left.
    pub(super) fn reached(&self) -> Option<Position> {
        match self {
            Self::Expression(finder) => finder.reached(),
            Self::Path(finder) => finder.reached(),
        }
    }

    fn end(&self) -> Option<Position> {
        match self {
            Self::Expression(finder) => finder.end(),
            Self::Path(finder) => finder.end(),
        }
    }

    /// How many could not be judged, the first, and why.
    pub(super) fn faults(&self) -> Option<(u64, Position, String)> {
        let Self::Expression(finder) = self else { return None };
        let (count, position, fault) = finder.faults()?;
        Some((count, position, fault.to_string()))
    }

    /// What could not be judged, in words.
    fn fault(&self) -> Option<String> {
        let (count, position, fault) = self.faults()?;
        Some(format!("{count} could not be judged, first #{position}: {fault}"))
    }

    /// One piece of it.
    pub(super) fn step(&mut self, session: &mut Session) -> Result<Found> {
        match self {
            Self::Expression(finder) => Ok(match timed(finder, session)? {
                Step::Match(found) => Found::At(found.position),
                Step::Going => Found::Budget { reached: finder.reached().unwrap_or_default() },
                Step::Done => Found::Nothing,
            }),
            Self::Path(finder) => finder.step(session, for_a_piece()),
        }
    }
}

/// Says that it is enough once a piece's time is over.
fn for_a_piece() -> impl FnMut() -> bool {
    let started = Instant::now();
    move || started.elapsed() >= PIECE_TIME
}

/// A search for the nearest hit of several conditions.
#[derive(Debug)]
pub struct Run {
    direction: Direction,
    /// The searches that are not at an end, each with the number of its condition.
    finders: Vec<(usize, Search)>,
    best: Option<(Position, usize)>,
    /// How many positions lie before it in all.
    length: Position,
    fault: Option<String>,
}

impl Run {
    /// A search from `from` on, which itself is left out.
    #[must_use]
    pub fn new(
        session: &Session,
        conditions: &[Condition],
        from: Position,
        direction: Direction,
    ) -> Self {
        let range = match direction {
            Direction::Forward => (from.saturating_add(1), session.head()),
            Direction::Backward => (1, from.saturating_sub(1)),
        };
        let length = (range.1 + 1).saturating_sub(range.0);
        let search = |condition| Search::new(session, condition, range, direction);
        let finders = conditions.iter().map(search).enumerate().collect();
        Self { direction, finders, best: None, length, fault: None }
    }

    fn offer(&mut self, position: Position, number: usize) {
        let nearer = |best: (Position, usize)| match position.cmp(&best.0) {
            std::cmp::Ordering::Equal => number < best.1,
            order => order.is_lt() == (self.direction == Direction::Forward),
        };
        if self.best.is_none_or(nearer) {
            self.best = Some((position, number));
        }
    }

    /// Looks on until the nearest hit is known or `pause` says that it is enough for now.
    ///
    /// # Errors
    /// Unavailable, when the log cannot be read again.
    pub fn step(
        &mut self,
        session: &mut Session,
        mut pause: impl FnMut() -> bool,
    ) -> Result<Outcome> {
        while let Some(at) = self.least_far() {
            let (number, finder) = &mut self.finders[at];
            let number = *number;
            let found = finder.step(session)?;
            self.fault = finder.fault().or(self.fault.take());
            match found {
                Found::Budget { .. } => {}
                Found::Nothing => drop(self.finders.remove(at)),
                Found::At(position) => {
                    self.finders.remove(at);
                    self.offer(position, number);
                }
            }
            if pause() && self.least_far().is_some() {
                return Ok(Outcome::Going);
            }
        }
        Ok(self.best.map_or(Outcome::Nothing, |(position, number)| Outcome::Hit(position, number)))
    }

    /// The search that has looked at the least, of those that may still find something nearer.
    fn least_far(&self) -> Option<usize> {
        let forward = self.direction == Direction::Forward;
        let distance = |p: Position| if forward { p } else { Position::MAX - p };
        let best = self.best.map(|(position, number)| (distance(position), number));
        let open = self.finders.iter().enumerate().filter_map(|(at, (number, finder))| {
            let here = (distance(finder.reached()?), *number);
            best.is_none_or(|best| here < best).then_some((here, at))
        });
        open.min().map(|(_, at)| at)
    }

    /// How far it is, in hundredths.
    #[must_use]
    pub fn progress(&self) -> u32 {
        let Some(reached) = self.least_far().and_then(|at| self.finders[at].1.reached()) else {
            return 100;
        };
        // Of the finders' ranges only the far end is known to stay.
        let left = match self.direction {
            Direction::Forward => self.end().saturating_sub(reached),
            Direction::Backward => reached,
        };
        let done = u64::from(self.length.saturating_sub(left));
        u32::try_from(done * 100 / u64::from(self.length.max(1))).unwrap_or(100)
    }

    /// The position behind the last that is looked at.
    fn end(&self) -> Position {
        self.finders.iter().filter_map(|(_, finder)| finder.end()).max().unwrap_or_default() + 1
    }

    /// What could not be judged, which makes it no hit.
    #[must_use]
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }
}

/// One piece of a search, and the size of the next so that it takes about as long as it should.
fn timed(finder: &mut Finder, session: &mut Session) -> Result<Step> {
    let (started, before) = (Instant::now(), finder.reached());
    let step = finder.step(session, || true)?;
    let (took, piece) = (started.elapsed(), finder.piece());
    if finder.reached() == before {
        // Nothing was looked at: this match was found with the one before.
    } else if took > PIECE_TIME {
        finder.set_piece(piece / 2);
    } else if took < PIECE_TIME / 4 {
        finder.set_piece(piece.saturating_mul(2).min(MOST_IN_PIECE));
    }
    Ok(step)
}

/// Everywhere that a condition holds, as far as the log was looked at.
#[derive(Debug, Default)]
pub struct Hits {
    positions: Vec<Position>,
    judged: Position,
    /// The search, and the last position that it looks at.
    finder: Option<(Finder, Position)>,
}

impl Hits {
    /// The hits, in order.
    #[must_use]
    pub fn positions(&self) -> &[Position] {
        &self.positions
    }

    /// Whether the whole log was looked at.
    #[must_use]
    pub fn is_whole(&self, head: Position) -> bool {
        self.judged >= head
    }

    /// Looks at what was not looked at yet, one piece of it.
    ///
    /// # Errors
    /// Unavailable, when the log cannot be read again.
    pub fn step(&mut self, session: &mut Session, condition: &Condition) -> Result<()> {
        let head = session.head();
        match condition {
            Condition::Path(path) => {
                let rest = (self.judged, head);
                let (found, judged) = session.writers_between(path, rest, for_a_piece())?;
                self.positions.extend(found);
                self.judged = judged;
            }
            Condition::Expression(expression) => {
                let range = (self.judged + 1, head);
                let (finder, last) = self.finder.get_or_insert_with(|| {
                    let first = Finder::new(session, expression.clone(), range, Direction::Forward);
                    (first, head)
                });
                match timed(finder, session)? {
                    Step::Match(found) => self.positions.push(found.position),
                    Step::Going => {}
                    Step::Done => {
                        self.judged = *last;
                        self.finder = None;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
