//! Who wrote a path, exactly.
//!
//! The change index answers at once for whoever wrote a path by itself. Of what was written as a
//! whole (a list, an open call with its input) it knows the whole alone: there the values before and
//! after tell whether the path was written, too.
//!
//! Lives here: [`WriterFinder`], the search for the next writer in either direction, which can
//! pause; the questions that are asked with it. May not live here: the index itself (see
//! [`crate::timeline::changes`]).

use super::find::{Direction, Rest};
use super::{Found, Session};
use crate::error::Result;
use crate::model::{Path, Position};
use crate::timeline::Timeline;

/// A search for the writers of a path.
#[derive(Debug)]
pub struct WriterFinder {
    path: Path,
    rest: Rest,
}

/// The writers that come next: those of which the values must tell, and then one that is sure.
type Next = (Vec<Position>, Option<Position>);

impl WriterFinder {
    /// A search through the positions `first..=last`.
    #[must_use]
    pub fn new(path: Path, range: (Position, Position), direction: Direction) -> Self {
        Self { path, rest: Rest::new(range, direction) }
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

    /// Looks on until there is a writer, nothing is left, or `pause` says that it is enough for now.
    /// It is asked after each state that had to be made again: never where the index knows.
    ///
    /// # Errors
    /// Unavailable, when the log cannot be read again, or is not folded so far.
    pub fn step(
        &mut self,
        session: &mut Session,
        mut pause: impl FnMut() -> bool,
    ) -> Result<Found> {
        let Some((first, last)) = self.rest.range() else { return Ok(Found::Nothing) };
        let rest = (first, last.min(session.head()));
        let unknown = rest.1 > session.folded().head();
        let (unsure, sure) = match self.rest.direction() {
            Direction::Forward => self.after(session.folded(), rest),
            Direction::Backward if unknown => return Err(session.no_state_yet(rest.1)),
            Direction::Backward => self.before(session.folded(), rest),
        };
        for position in unsure {
            let wrote = session.wrote(&self.path, position)?;
            self.rest.pass(position);
            if wrote {
                return Ok(Found::At(position));
            }
            if pause() {
                return Ok(Found::Budget { reached: position });
            }
        }
        let Some(position) = sure else {
            if unknown {
                return Err(session.no_state_yet(rest.1));
            }
            self.rest.end();
            return Ok(Found::Nothing);
        };
        self.rest.pass(position);
        Ok(Found::At(position))
    }

    fn after(&self, timeline: &Timeline, (first, last): (Position, Position)) -> Next {
        let writers = timeline.writers(&self.path);
        let sure_from = writers.sure_from();
        let sure = writers.first_after((first - 1).max(sure_from.saturating_sub(1)));
        let unsure = writers.after(first - 1).take_while(|p| *p < sure_from && *p <= last);
        (unsure.collect(), sure.filter(|p| *p <= last))
    }

    fn before(&self, timeline: &Timeline, (first, last): (Position, Position)) -> Next {
        let writers = timeline.writers(&self.path);
        let sure = writers.last_until(last).filter(|p| *p >= first);
        if sure.is_none_or(|p| p >= writers.sure_from()) {
            return (Vec::new(), sure);
        }
        let mut unsure: Vec<Position> =
            writers.after(first - 1).take_while(|p| *p <= last).collect();
        unsure.reverse();
        (unsure, None)
    }
}

impl Session {
    /// The last writer of `path` not after `at`.
    ///
    /// # Errors
    /// As [`Session::state_at`].
    pub fn previous_writer(&mut self, path: &Path, at: Position) -> Result<Option<Position>> {
        let range = (1, at.min(self.head()));
        self.writer_in(WriterFinder::new(path.clone(), range, Direction::Backward))
    }

    /// The first writer of `path` after `at`.
    ///
    /// # Errors
    /// As [`Session::state_at`].
    pub fn next_writer(&mut self, path: &Path, at: Position) -> Result<Option<Position>> {
        let range = (at.saturating_add(1), self.head());
        self.writer_in(WriterFinder::new(path.clone(), range, Direction::Forward))
    }

    fn writer_in(&mut self, mut finder: WriterFinder) -> Result<Option<Position>> {
        Ok(match finder.step(self, || false)? {
            Found::At(position) => Some(position),
            Found::Nothing | Found::Budget { .. } => None,
        })
    }

    /// The writers of `path` after one position and not after another, in order, as far as was
    /// looked before `pause` said that it is enough; and up to where that was.
    ///
    /// # Errors
    /// As [`Session::state_at`].
    pub fn writers_between(
        &mut self,
        path: &Path,
        (after, until): (Position, Position),
        mut pause: impl FnMut() -> bool,
    ) -> Result<(Vec<Position>, Position)> {
        let writers = self.timeline.writers(path);
        let sure_from = writers.sure_from();
        let all: Vec<Position> = writers.after(after).take_while(|p| *p <= until).collect();
        let unsure = all.partition_point(|p| *p < sure_from);
        let mut found = Vec::new();
        for position in &all[..unsure] {
            if self.wrote(path, *position)? {
                found.push(*position);
            }
            if pause() {
                return Ok((found, *position));
            }
        }
        found.extend_from_slice(&all[unsure..]);
        Ok((found, until.min(self.timeline.head())))
    }

    /// Whether the event at `position` left another value at `path` than there was.
    fn wrote(&mut self, path: &Path, position: Position) -> Result<bool> {
        let before = self.value_at(path, position.saturating_sub(1))?;
        Ok(self.value_at(path, position)? != before)
    }
}

/// Which of some paths something wrote after a position, as far as the log was looked at.
#[derive(Debug, Default)]
pub struct WrittenAfter {
    after: Position,
    /// Each with whether it was written, and up to where was looked.
    paths: Vec<(Path, bool, Position)>,
}

impl WrittenAfter {
    /// Takes over what is asked for, as far as it is something else than before.
    pub fn sync(&mut self, paths: &[String], after: Position) {
        let paths: Vec<Path> = paths.iter().filter_map(|text| Path::parse(text).ok()).collect();
        if self.after != after || !self.paths.iter().map(|(path, ..)| path).eq(&paths) {
            self.after = after;
            self.paths = paths.into_iter().map(|path| (path, false, after)).collect();
        }
    }

    /// How many were written.
    #[must_use]
    pub fn count(&self) -> usize {
        self.paths.iter().filter(|(_, written, _)| *written).count()
    }

    /// Whether more may be found.
    #[must_use]
    pub fn has_work(&self, head: Position) -> bool {
        self.paths.iter().any(|(_, written, judged)| !written && *judged < head)
    }

    /// Looks at what was not looked at yet, until `pause` says that it is enough for now.
    ///
    /// # Errors
    /// As [`Session::state_at`].
    pub fn step(&mut self, session: &mut Session, mut pause: impl FnMut() -> bool) -> Result<()> {
        // What is not folded yet is looked at once it is.
        let head = session.folded().head();
        for (path, written, judged) in self.paths.iter_mut().filter(|(_, written, _)| !written) {
            let range = (judged.saturating_add(1), head);
            let mut finder = WriterFinder::new(path.clone(), range, Direction::Forward);
            let found = finder.step(session, &mut pause);
            if found.is_err() {
                // It would fail again and again.
                *judged = head;
            }
            match found? {
                Found::At(_) => *written = true,
                Found::Nothing => *judged = head,
                Found::Budget { reached } => {
                    *judged = reached;
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
