//! Two runs side by side: what both have, and what only one has, as rows.
//!
//! Lives here: [`Alignment`] and [`Progress`]. May not live here: when two events are the same (see
//! [`super`]).

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use similar::DiffOp;

use crate::error::{Error, ErrorKind, Result};

/// How far a comparison is, told from one thread to another; and that it should stop.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<State>);

#[derive(Debug, Default)]
struct State {
    hundredths: AtomicU32,
    stop: AtomicBool,
}

impl PartialEq for Progress {
    /// The same comparison.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Progress {}

impl Progress {
    /// How far it is, in hundredths.
    #[must_use]
    pub fn hundredths(&self) -> u32 {
        self.0.hundredths.load(Ordering::Relaxed)
    }

    /// Asks it to stop.
    pub fn stop(&self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }

    /// Notes how far it is: `done` of `total` of the part that goes from `from` to `to` hundredths.
    ///
    /// # Errors
    /// Interrupted, when somebody asked for it to stop.
    pub(super) fn note(&self, done: usize, total: usize, (from, to): (u32, u32)) -> Result<()> {
        let part = done as u64 * u64::from(to - from) / (total.max(1) as u64);
        let hundredths = from + u32::try_from(part).unwrap_or_default();
        self.0.hundredths.store(hundredths.min(100), Ordering::Relaxed);
        if self.0.stop.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Interrupted, "the comparison was stopped"));
        }
        Ok(())
    }
}

/// Some events in a row that both sides have, or that they have not in common.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stretch {
    /// Whether both have them.
    common: bool,
    /// The steps of the first side.
    a: Range<usize>,
    /// The steps of the second side.
    b: Range<usize>,
    /// The first row.
    row: usize,
}

/// One row: a step of the first side, one of the second, or the same on both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// The step of the first side.
    pub a: Option<usize>,
    /// The step of the second side.
    pub b: Option<usize>,
}

/// All rows, in order. Where the sides differ, what the first has stands before what the second has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alignment {
    stretches: Vec<Stretch>,
    rows: usize,
}

impl Alignment {
    pub(super) fn new(ops: &[DiffOp]) -> Self {
        let mut alignment = Self::default();
        for op in ops {
            let common = matches!(op, DiffOp::Equal { .. });
            alignment.push(common, op.old_range(), op.new_range());
        }
        alignment
    }

    fn push(&mut self, common: bool, a: Range<usize>, b: Range<usize>) {
        let rows = if common { a.len() } else { a.len() + b.len() };
        match self.stretches.last_mut() {
            // A removal and an addition are one difference.
            Some(last) if !common && !last.common => {
                last.a.end = last.a.end.max(a.end);
                last.b.end = last.b.end.max(b.end);
            }
            _ => self.stretches.push(Stretch { common, a, b, row: self.rows }),
        }
        self.rows += rows;
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many events both have, only the first, and only the second.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        let of = |common: bool| self.stretches.iter().filter(move |s| s.common == common);
        let both = of(true).map(|s| s.a.len()).sum();
        (both, of(false).map(|s| s.a.len()).sum(), of(false).map(|s| s.b.len()).sum())
    }

    /// What stands in a row.
    #[must_use]
    pub fn pair(&self, row: usize) -> Option<Pair> {
        let stretch = self.stretches.get(self.stretch_at(row)?)?;
        let within = row - stretch.row;
        let a = stretch.a.start + within;
        if stretch.common {
            let b = stretch.b.start + within;
            return (a < stretch.a.end).then_some(Pair { a: Some(a), b: Some(b) });
        }
        if a < stretch.a.end {
            return Some(Pair { a: Some(a), b: None });
        }
        let b = stretch.b.start + (within - stretch.a.len());
        (b < stretch.b.end).then_some(Pair { a: None, b: Some(b) })
    }

    /// The last stretch that begins at or before a row.
    fn stretch_at(&self, row: usize) -> Option<usize> {
        self.stretches.partition_point(|s| s.row <= row).checked_sub(1)
    }

    /// How many differences there are.
    #[must_use]
    pub fn differences(&self) -> usize {
        self.stretches.iter().filter(|s| !s.common).count()
    }

    /// Which difference a row belongs to, counted from 1.
    #[must_use]
    pub fn difference_at(&self, row: usize) -> Option<usize> {
        let at = self.stretch_at(row)?;
        let here = self.stretches.get(at).filter(|s| !s.common)?;
        let upto = self.stretches.iter().take_while(|s| s.row <= here.row);
        Some(upto.filter(|s| !s.common).count())
    }

    /// The first row of the next difference after a row.
    #[must_use]
    pub fn next(&self, row: usize) -> Option<usize> {
        let from = self.stretches.partition_point(|s| s.row <= row);
        self.stretches[from..].iter().find(|s| !s.common).map(|s| s.row)
    }

    /// The first row of the difference before the one at a row.
    #[must_use]
    pub fn previous(&self, row: usize) -> Option<usize> {
        let before = self.stretches.partition_point(|s| s.row < row);
        self.stretches[..before].iter().rev().find(|s| !s.common).map(|s| s.row)
    }

    /// The first row of the first difference.
    #[must_use]
    pub fn first(&self) -> Option<usize> {
        self.stretches.iter().find(|s| !s.common).map(|s| s.row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::sequence::edits;

    fn rows(a: &str, b: &str) -> (Alignment, String) {
        let (x, y): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
        let numbers = |text: &str| text.chars().map(u64::from).collect::<Vec<_>>();
        let alignment = Alignment::new(&edits(&numbers(a), &numbers(b), None));
        let text = (0..alignment.rows()).map(|row| match alignment.pair(row).unwrap() {
            Pair { a: Some(a), b: Some(_) } => format!("{}", x[a]),
            Pair { a: Some(a), b: None } => format!("-{}", x[a]),
            Pair { a: None, b: Some(b) } => format!("+{}", y[b]),
            Pair { a: None, b: None } => "?".to_owned(),
        });
        let text = text.collect();
        assert_eq!(alignment.pair(alignment.rows()), None);
        (alignment, text)
    }

    #[test]
    fn rows_are_what_both_have_and_what_one_has() {
        for (a, b, expected) in [
            ("", "", ""),
            ("abc", "abc", "abc"),
            ("abc", "abcd", "abc+d"),
            ("abc", "xbc", "-a+xbc"),
            ("", "ab", "+a+b"),
            ("abcd", "ad", "a-b-cd"),
        ] {
            assert_eq!(rows(a, b).1, expected);
        }
    }

    #[test]
    fn differences_are_walked_both_ways() {
        let (alignment, text) = rows("abcdefg", "axcdeg!");
        assert_eq!(text, "a-b+xcde-fg+!");
        assert_eq!(alignment.counts(), (5, 2, 2));
        assert_eq!((alignment.first(), alignment.differences()), (Some(1), 3));
        let starts = [1, 6, 8];
        for row in 0..alignment.rows() {
            let next = starts.iter().find(|s| **s > row).copied();
            let previous = starts.iter().rev().find(|s| **s < row).copied();
            assert_eq!((alignment.next(row), alignment.previous(row)), (next, previous), "{row}");
        }
        assert_eq!(alignment.difference_at(2), Some(1));
        assert_eq!(alignment.difference_at(3), None);
        assert_eq!(alignment.difference_at(8), Some(3));
        assert_eq!(rows("a", "a").0.first(), None);
    }

    #[test]
    fn a_stop_is_noticed_with_the_next_note() {
        let progress = Progress::default();
        progress.note(1, 2, (40, 60)).unwrap();
        assert_eq!(progress.hundredths(), 50);
        progress.stop();
        assert_eq!(progress.note(2, 2, (40, 60)).unwrap_err().kind(), ErrorKind::Interrupted);
    }
}
