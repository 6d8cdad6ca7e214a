//! Which events fit a test, found from where somebody stands outwards, a piece at a time.
//!
//! Lives here: [`Test`], an expression, a path or plain words, and [`Fitting`], which grows with what
//! was looked at and with the log. May not live here: how an expression is searched for (see
//! [`super::find`]), or what is shown.

use std::time::{Duration, Instant};

use memchr::memmem;

use super::Session;
use super::breakpoint::{Condition, timed};
use super::find::{Direction, Finder, Step};
use crate::error::{Error, Result};
use crate::model::Position;

/// One piece should take about so long: a key must not wait for it.
const PIECE_TIME: Duration = Duration::from_millis(4);
/// The most lines that one piece looks for words in.
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
    Finder(Box<Finder>),
    /// For words: how many lines the next piece has.
    Lines(Position),
}

impl Search {
    fn new(session: &Session, test: &Test, range: (Position, Position), way: Direction) -> Self {
        match test {
            Test::Condition(Condition::Expression(expression)) => {
                Self::Finder(Box::new(Finder::new(session, expression.clone(), range, way)))
            }
            Test::Condition(Condition::Path(_)) | Test::Words(_) => Self::Lines(256),
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
        let running = finders.into_iter().flatten().filter_map(|search| match search {
            Search::Finder(finder) => finder.faults().map(|(count, ..)| count),
            Search::Lines(_) => None,
        });
        let count = self.faults + running.sum::<u64>();
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
        if let Test::Condition(Condition::Path(path)) = test {
            let writers = session.timeline().writers(path);
            if self.low > 1 {
                self.before = writers.to_vec();
                self.before.retain(|p| *p <= self.from);
                self.before.reverse();
            }
            self.after.extend(writers.after(self.high.max(self.from)));
            (self.low, self.high) = (1, head);
            return Ok(());
        }
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
            Search::Finder(finder) => match timed(finder, session)? {
                Step::Match(found) => {
                    self.before.push(found.position);
                    self.low = found.position;
                }
                Step::Going => self.low = finder.reached().map_or(1, |reached| reached + 1),
                Step::Done => self.low = 1,
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
            Search::Finder(finder) => match timed(finder, session)? {
                Step::Match(found) => {
                    self.after.push(found.position);
                    self.high = found.position;
                }
                Step::Going => self.high = finder.reached().map_or(last, |reached| reached - 1),
                Step::Done => self.high = last,
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
        if let Search::Finder(finder) = search
            && let Some((_, position, fault)) = finder.faults()
        {
            self.first_fault.get_or_insert_with(|| (position, fault.to_string()));
        }
    }

    /// Adds up what a search could not judge, now that it is at an end.
    fn count_faults(&mut self, search: &Search) {
        if let Search::Finder(finder) = search {
            self.faults += finder.faults().map_or(0, |(count, ..)| count);
        }
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
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::model::Timestamp;
    use crate::store::memory::MemoryStore;

    fn session() -> Session {
        let store = MemoryStore::new(Clock::Fixed(Timestamp::from_millis(0)));
        store.push_raw("PROJ-123", include_bytes!("../../assets/demo/proj-123.jsonl"));
        Session::read(&store, "PROJ-123").unwrap()
    }

    fn all(fitting: &Fitting) -> Vec<Position> {
        (0..fitting.len()).map(|number| fitting.get(number).unwrap()).collect()
    }

    /// What a test finds from somewhere on, checked at every step.
    fn found(session: &mut Session, text: &str, from: Position) -> Vec<Position> {
        let test = Test::parse(text).unwrap();
        let head = session.head();
        let mut fitting = Fitting::new(from);
        let mut steps = 0;
        while !fitting.is_whole(head) {
            let judged = fitting.progress(head);
            fitting.step(session, &test).unwrap();
            assert!(fitting.progress(head) >= judged && fitting.progress(head) <= 100);
            let now = all(&fitting);
            assert!(now.is_sorted(), "{now:?}");
            steps += 1;
            assert!(steps < 2000, "{text}");
        }
        all(&fitting)
    }

    #[test]
    fn wherever_it_begins_the_same_is_found() {
        let mut session = session();
        let head = session.head();
        for text in [
            ".event_type == \"ToolFailed\"",
            "$state.orchestration.current_phase != $before.orchestration.current_phase",
            "/agents/oauth-integrator/status",
            "toolfailed",
            "oauth !toolinvoked",
        ] {
            let expected = found(&mut session, text, head);
            assert!(!expected.is_empty() && expected.len() < 100, "{text}: {expected:?}");
            for from in [0, 1, 57, 103, head - 1] {
                assert_eq!(found(&mut session, text, from), expected, "{text} from {from}");
            }
        }
        assert_eq!(
            found(&mut session, "toolfailed", 9),
            found(&mut session, ".event_type == \"ToolFailed\"", 9)
        );
    }

    #[test]
    fn steps_lead_to_what_fits_and_what_is_unknown_is_said() {
        use Direction::{Backward, Forward};
        let fitting = Fitting {
            before: vec![40, 30],
            after: vec![60, 70],
            from: 50,
            low: 20,
            high: 80,
            ..Fitting::new(50)
        };
        for (from, way, times, head, expected) in [
            (50, Forward, 1, 100, Next::At(60)),
            (60, Forward, 1, 100, Next::At(70)),
            (30, Forward, 3, 100, Next::At(70)),
            (70, Forward, 1, 100, Next::Unknown),
            (70, Forward, 1, 80, Next::Last(None)),
            (50, Forward, 9, 80, Next::Last(Some(70))),
            (10, Forward, 1, 80, Next::Unknown),
            (50, Backward, 2, 100, Next::At(30)),
            (30, Backward, 1, 100, Next::Unknown),
            (90, Backward, 1, 100, Next::Unknown),
        ] {
            assert_eq!(fitting.next(from, way, times, head), expected, "{from} {way:?} {times}");
        }
        let whole = Fitting { low: 1, ..fitting };
        assert_eq!(whole.next(30, Backward, 1, 80), Next::Last(None));
        assert_eq!(whole.next(45, Backward, 5, 80), Next::Last(Some(30)));
        assert!(whole.contains(40) && !whole.contains(41));
        assert!(whole.any_between(41, 60) && !whole.any_between(41, 59));
        assert_eq!((whole.rank(1), whole.rank(41), whole.rank(99)), (0, 2, 4));
    }

    #[test]
    fn what_cannot_be_judged_does_not_fit_and_is_counted() {
        let mut session = session();
        let head = session.head();
        let test = Test::parse(".metadata.agent_name | keys | length > 0").unwrap();
        let mut fitting = Fitting::new(100);
        while !fitting.is_whole(head) {
            fitting.step(&mut session, &test).unwrap();
        }
        assert!(fitting.is_empty());
        assert_eq!(fitting.faults().map(|(count, ..)| count), Some(u64::from(head)));
    }

    #[test]
    fn texts_are_words_expressions_or_paths() {
        for (text, is_words) in [
            ("login.ts", true),
            ("failed !tool", true),
            ("AgentFailed", true),
            (".event_type", false),
            ("any(.a; .b)", false),
            ("1 == 2", false),
            ("/agents/x", false),
        ] {
            let words = matches!(Test::parse(text).unwrap(), Test::Words(_));
            assert_eq!(words, is_words, "{text}");
        }
        for text in ["", "  ", "!", ".a |", "/a~2"] {
            Test::parse(text).unwrap_err();
        }
    }
}
