//! Which events fit a test, found from where somebody stands outwards, a piece at a time.
//!
//! Lives here: [`Test`], an expression, a path or plain words, and [`Fitting`], which grows with what
//! was looked at and with the log. May not live here: how an expression is searched for (see
//! [`super::find`]), or what is shown.

use std::time::{Duration, Instant};

use memchr::memmem;

use super::breakpoint::{self, Condition};
use super::find::Direction;
use super::{Found, Session};
use crate::error::{Error, Result};
use crate::model::Position;

/// One piece should take about so long: a key must not wait for it.
const PIECE_TIME: Duration = Duration::from_millis(4);
/// How many lines the first piece looks for words in.
const FIRST_PIECE: Position = 256;
/// The most lines that one piece does.
const MOST_IN_PIECE: Position = 4096;

/// What an event is put to.
#[derive(Debug, Clone)]
pub enum Test {
    /// An expression, or a path that must be written.
    Condition(Condition),
    /// Words that the event's text must hold, all of them, or must not hold.
    Words(Vec<Word>),
}

/// A word that is looked for.
#[derive(Debug, Clone)]
pub struct Word {
    finder: memmem::Finder<'static>,
    wanted: bool,
}

impl Test {
    /// Reads a test. What begins with a slash is a path; what begins as an expression does, or holds
    /// one of its signs, is one; all else is words, and those behind a `!` must not be there.
    ///
    /// # Errors
    /// Usage, with a caret under the place where it cannot be read.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.starts_with('/') || is_expression(text) {
            return Condition::parse(text).map(Self::Condition);
        }
        let word = |word: &str| {
            let (text, wanted) = match word.strip_prefix('!') {
                Some(rest) => (rest, false),
                None => (word, true),
            };
            let finder = memmem::Finder::new(text.to_ascii_lowercase().as_bytes()).into_owned();
            (!text.is_empty()).then_some(Word { finder, wanted })
        };
        let words: Vec<Word> = text.split_whitespace().filter_map(word).collect();
        if words.is_empty() {
            return Err(Error::usage("there is nothing to look for"));
        }
        Ok(Self::Words(words))
    }
}

/// Whether a text is meant as an expression.
fn is_expression(text: &str) -> bool {
    text.starts_with(['.', '$', '[', '{', '"'])
        || text.contains(['|', '(', '<', '>', '$'])
        || ["==", "!="].iter().any(|sign| text.contains(sign))
}

/// Whether a line, in small letters, holds what is wanted and nothing else.
fn has_words(words: &[Word], line: &[u8]) -> bool {
    words.iter().all(|word| word.finder.find(line).is_some() == word.wanted)
}

/// A search in one direction.
#[derive(Debug)]
enum Search {
    Condition(Box<breakpoint::Search>),
    /// For words: how many lines the next piece has.
    Lines(Position),
}

impl Search {
    fn new(session: &Session, test: &Test, range: (Position, Position), way: Direction) -> Self {
        match test {
            Test::Condition(condition) => {
                let search = breakpoint::Search::new(session, condition, range, way);
                Self::Condition(Box::new(search))
            }
            Test::Words(_) => Self::Lines(FIRST_PIECE),
        }
    }

    fn faults(&self) -> Option<(u64, Position, String)> {
        match self {
            Self::Condition(search) => search.faults(),
            Self::Lines(_) => None,
        }
    }
}

/// Where the next event that fits stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// There.
    At(Position),
    /// There are not so many; the last of them, if there is one.
    Last(Option<Position>),
    /// Not known yet.
    Unknown,
}

/// The events that fit, as far as the log was looked at: all from `low` to `high`.
#[derive(Debug)]
pub struct Fitting {
    /// Those up to where it began, the last one first.
    before: Vec<Position>,
    /// Those after, the first one first.
    after: Vec<Position>,
    from: Position,
    low: Position,
    high: Position,
    back: Option<Search>,
    forward: Option<(Search, Position)>,
    /// Which side was looked at last.
    was_back: bool,
    faults: u64,
    first_fault: Option<(Position, String)>,
}

impl Fitting {
    /// Nothing was looked at yet; it begins at `from`.
    #[must_use]
    pub fn new(from: Position) -> Self {
        Self {
            before: Vec::new(),
            after: Vec::new(),
            from,
            low: from + 1,
            high: from,
            back: None,
            forward: None,
            was_back: false,
            faults: 0,
            first_fault: None,
        }
    }

    /// How many fit.
    #[must_use]
    pub fn len(&self) -> usize {
        self.before.len() + self.after.len()
    }

    /// Whether none fits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The one of this number, from 0, in the order of the log.
    #[must_use]
    pub fn get(&self, number: usize) -> Option<Position> {
        let before = self.before.len();
        match number.checked_sub(before) {
            Some(number) => self.after.get(number).copied(),
            None => self.before.get(before - 1 - number).copied(),
        }
    }

    /// How many stand before a position.
    #[must_use]
    pub fn rank(&self, position: Position) -> usize {
        if position <= self.from {
            self.before.len() - self.before.partition_point(|p| *p >= position)
        } else {
            self.before.len() + self.after.partition_point(|p| *p < position)
        }
    }

    /// Whether the event at a position fits.
    #[must_use]
    pub fn contains(&self, position: Position) -> bool {
        self.get(self.rank(position)) == Some(position)
    }

    /// Whether one fits from `first` to `last`.
    #[must_use]
    pub fn any_between(&self, first: Position, last: Position) -> bool {
        self.get(self.rank(first)).is_some_and(|p| p <= last)
    }

    /// Whether the whole log was looked at.
    #[must_use]
    pub fn is_whole(&self, head: Position) -> bool {
        self.low <= 1 && self.high >= head
    }

    /// How much of the log was looked at, in hundredths.
    #[must_use]
    pub fn progress(&self, head: Position) -> u32 {
        let judged = u64::from((self.high + 1).saturating_sub(self.low));
        u32::try_from(judged * 100 / u64::from(head.max(1))).unwrap_or(100).min(100)
    }

    /// How many could not be judged, which means that they do not fit; the first, and why.
    #[must_use]
    pub fn faults(&self) -> Option<(u64, Position, &str)> {
        let finders = [self.back.as_ref(), self.forward.as_ref().map(|(search, _)| search)];
        let running = finders.into_iter().flatten().filter_map(Search::faults);
        let count = self.faults + running.map(|(count, ..)| count).sum::<u64>();
        self.first_fault.as_ref().map(|(position, why)| (count, *position, why.as_str()))
    }

    /// The event that fits and is `times` further on, or back, from a position.
    #[must_use]
    pub fn next(&self, from: Position, way: Direction, times: usize, head: Position) -> Next {
        let times = times.max(1);
        match way {
            Direction::Forward => {
                let passed = self.rank(from.saturating_add(1));
                if from + 1 < self.low {
                    return Next::Unknown;
                }
                match self.get(passed + times - 1) {
                    Some(position) => Next::At(position),
                    None if self.high < head => Next::Unknown,
                    None => Next::Last(
                        self.len()
                            .checked_sub(1)
                            .filter(|l| *l >= passed)
                            .and_then(|l| self.get(l)),
                    ),
                }
            }
            Direction::Backward => {
                let passed = self.rank(from);
                if from > self.high.saturating_add(1) {
                    return Next::Unknown;
                }
                match passed.checked_sub(times) {
                    Some(number) => self.get(number).map_or(Next::Unknown, Next::At),
                    None if self.low > 1 => Next::Unknown,
                    None => Next::Last(self.get(0).filter(|_| passed > 0)),
                }
            }
        }
    }

    /// Looks at what was not looked at yet, one piece of it: on both sides in turn.
    ///
    /// # Errors
    /// Unavailable, when the log cannot be read again.
    pub fn step(&mut self, session: &mut Session, test: &Test) -> Result<()> {
        let head = session.head();
        let (back, forward) = (self.low > 1, self.high < head);
        if back && !(forward && self.was_back) {
            self.was_back = true;
            self.step_back(session, test)
        } else {
            self.was_back = false;
            self.step_forward(session, test)
        }
    }

    fn step_back(&mut self, session: &mut Session, test: &Test) -> Result<()> {
        let range = (1, self.low - 1);
        let search = self.back.take();
        let mut search =
            search.unwrap_or_else(|| Search::new(session, test, range, Direction::Backward));
        match &mut search {
            Search::Lines(piece) => {
                let first = self.low.saturating_sub(*piece).max(1);
                let mut found = words_in(session, test, first..self.low, piece)?;
                found.reverse();
                self.before.extend(found);
                self.low = first;
            }
            Search::Condition(inner) => match inner.step(session)? {
                Found::At(position) => {
                    self.before.push(position);
                    self.low = position;
                }
                Found::Budget { .. } => self.low = inner.reached().map_or(1, |next| next + 1),
                Found::Nothing => self.low = 1,
            },
        }
        self.keep_fault(&search);
        if self.low > 1 {
            self.back = Some(search);
        } else {
            self.count_faults(&search);
        }
        Ok(())
    }

    fn step_forward(&mut self, session: &mut Session, test: &Test) -> Result<()> {
        let head = session.head();
        let range = (self.high + 1, head);
        let forward = self.forward.take();
        let (mut search, last) = forward
            .unwrap_or_else(|| (Search::new(session, test, range, Direction::Forward), head));
        match &mut search {
            Search::Lines(piece) => {
                let end = self.high.saturating_add(*piece).min(last) + 1;
                let found = words_in(session, test, self.high + 1..end, piece)?;
                self.after.extend(found);
                self.high = end - 1;
            }
            Search::Condition(inner) => match inner.step(session)? {
                Found::At(position) => {
                    self.after.push(position);
                    self.high = position;
                }
                Found::Budget { .. } => self.high = inner.reached().map_or(last, |next| next - 1),
                Found::Nothing => self.high = last,
            },
        }
        self.keep_fault(&search);
        if self.high < last {
            self.forward = Some((search, last));
        } else {
            self.count_faults(&search);
        }
        Ok(())
    }

    fn keep_fault(&mut self, search: &Search) {
        if let Some((_, position, why)) = search.faults() {
            self.first_fault.get_or_insert((position, why));
        }
    }

    /// Adds up what a search could not judge, now that it is at an end.
    fn count_faults(&mut self, search: &Search) {
        self.faults += search.faults().map_or(0, |(count, ..)| count);
    }
}

/// The positions of a range whose lines hold the words, and the size of the next piece so that it takes
/// about as long as it should.
fn words_in(
    session: &mut Session,
    test: &Test,
    range: std::ops::Range<Position>,
    piece: &mut Position,
) -> Result<Vec<Position>> {
    let Test::Words(words) = test else { return Ok(Vec::new()) };
    let started = Instant::now();
    let mut found = Vec::new();
    let mut small = Vec::new();
    session.each_line(range, |position, line, _| {
        small.clear();
        small.extend_from_slice(line);
        small.make_ascii_lowercase();
        if has_words(words, &small) {
            found.push(position);
        }
    })?;
    let took = started.elapsed();
    if took > PIECE_TIME {
        *piece = (*piece / 2).max(1);
    } else if took < PIECE_TIME / 4 {
        *piece = piece.saturating_mul(2).min(MOST_IN_PIECE);
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
