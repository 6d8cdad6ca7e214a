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
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::error::Error;
    use crate::model::Timestamp;
    use crate::session::breakpoint::{Condition, Hits, Outcome, Run};
    use crate::session::scan::{self, Sketch};
    use crate::store::EventStore;
    use crate::store::memory::MemoryStore;

    /// Calls of which the first and the third have the same id: so many of their events.
    fn log(events: usize) -> MemoryStore {
        let store = MemoryStore::new(Clock::Fixed(Timestamp::from_millis(0)));
        let inputs = [
            r#"{"pattern":"x","paths":["p","q"],"deep":{"k":1}}"#,
            r#"{"pattern":"x","paths":["p","r"]}"#,
            r#"{"pattern":"y","deep":{"k":1}}"#,
        ];
        for number in 0..events {
            let (call, ends) = (number / 2, number % 2 == 1);
            let kind = if ends { "ToolCompleted" } else { "ToolInvoked" };
            let id = ["a", "b", "a"][call];
            let mut metadata = serde_json::json!({"tool_use_id": id, "tool_name": "Glob"});
            if !ends {
                metadata["input"] = serde_json::from_str(inputs[call]).unwrap();
            }
            let event = serde_json::json!({
                "event_id": format!("id-{number}"), "event_type": kind,
                "timestamp": "2026-06-01T10:00:00Z", "issue_key": "I-1", "session_id": "s",
                "actor": {"type": "agent", "id": "x"}, "metadata": metadata,
            });
            store.push_raw("I-1", format!("{event}\n").as_bytes());
        }
        store
    }

    fn session() -> Session {
        Session::read(&log(6), "I-1").unwrap()
    }

    /// Paths, and who wrote them.
    const EXPECTED: [(&str, &[Position]); 11] = [
        ("/tools/Glob/open/a", &[1, 2, 5, 6]),
        ("/tools/Glob/open/a/input", &[1, 2, 5, 6]),
        ("/tools/Glob/open/a/input/pattern", &[1, 2, 5, 6]),
        ("/tools/Glob/open/a/input/paths", &[1, 2]),
        ("/tools/Glob/open/a/input/paths/0", &[1, 2]),
        ("/tools/Glob/open/a/input/nothing", &[]),
        ("/tools/Glob/open/a/input/deep/k", &[1, 2, 5, 6]),
        ("/tools/Glob/last/input/paths", &[1, 3, 5]),
        ("/tools/Glob/last/input/paths/0", &[1, 5]),
        ("/tools/Glob/last/input/paths/1", &[1, 3, 5]),
        ("/tools/Glob/last/input/paths/2", &[]),
    ];

    #[test]
    fn what_is_in_a_whole_has_only_the_writers_that_its_values_tell_of() {
        let mut session = session();
        let head = session.head();
        for (text, expected) in EXPECTED {
            let path = Path::parse(text).unwrap();
            let values: Vec<_> = (0..=head).map(|p| session.value_at(&path, p).unwrap()).collect();
            let changed = (1..=head).filter(|p| values[*p as usize] != values[*p as usize - 1]);
            assert_eq!(changed.collect::<Vec<_>>(), expected, "{text}");
            for at in 0..=head + 1 {
                let after: Vec<_> = expected.iter().copied().filter(|p| *p > at).collect();
                let before = expected.iter().copied().rfind(|p| *p <= at);
                assert_eq!(
                    session.next_writer(&path, at).unwrap(),
                    after.first().copied(),
                    "{text} {at}"
                );
                assert_eq!(session.previous_writer(&path, at).unwrap(), before, "{text} {at}");
                let all = session.writers_between(&path, (at, head), || false).unwrap();
                assert_eq!(all, (after, head), "{text} {at}");
            }
        }
    }

    #[test]
    fn a_search_that_pauses_finds_the_same() {
        let mut session = session();
        let head = session.head();
        for (text, expected) in EXPECTED {
            let path = Path::parse(text).unwrap();
            let (mut found, mut judged) = (Vec::new(), 0);
            while judged < head {
                let piece = session.writers_between(&path, (judged, head), || true).unwrap();
                found.extend(piece.0);
                judged = piece.1;
            }
            assert_eq!(found, expected, "{text}");
            for direction in [Direction::Forward, Direction::Backward] {
                let mut finder = WriterFinder::new(path.clone(), (1, head), direction);
                let mut found = Vec::new();
                loop {
                    match finder.step(&mut session, || true).unwrap() {
                        Found::At(position) => found.push(position),
                        Found::Budget { .. } => {}
                        Found::Nothing => break,
                    }
                }
                found.sort_unstable();
                assert_eq!(found, expected, "{text} {direction:?}");
            }
        }
    }

    #[test]
    fn breakpoints_on_what_is_in_a_whole_stop_where_it_was_written() {
        let mut session = session();
        for (text, expected) in EXPECTED {
            let condition = Condition::parse(text).unwrap();
            let mut hits = Hits::default();
            while !hits.is_whole(session.head()) {
                hits.step(&mut session, &condition).unwrap();
            }
            assert_eq!(hits.positions(), expected, "{text}");
            let mut run = Run::new(&session, &[condition], 2, Direction::Forward);
            let found = loop {
                match run.step(&mut session, || true).unwrap() {
                    Outcome::Going => {}
                    Outcome::Hit(position, 0) => break Some(position),
                    Outcome::Hit(..) | Outcome::Nothing => break None,
                }
            };
            assert_eq!(found, expected.iter().copied().find(|p| *p > 2), "{text}");
        }
    }

    #[test]
    fn what_was_written_after_a_position_is_counted_once_it_was_looked_at() {
        let mut session = session();
        let paths = EXPECTED.map(|(path, _)| path.to_owned());
        let mut written = WrittenAfter::default();
        written.sync(&paths, 4);
        while written.has_work(session.head()) {
            written.step(&mut session, || true).unwrap();
        }
        let expected = EXPECTED.iter().filter(|(_, all)| all.iter().any(|p| *p > 4)).count();
        assert_eq!(written.count(), expected);
    }

    #[test]
    fn whoever_wrote_a_path_by_itself_is_known_without_reading() {
        let mut session = session();
        let path = Path::parse("/tools/Glob/calls").unwrap();
        session.cache.clear();
        assert_eq!(session.previous_writer(&path, 6).unwrap(), Some(5));
        assert_eq!(session.next_writer(&path, 0).unwrap(), Some(1));
        assert!(session.cache.is_empty());
    }

    #[test]
    fn what_is_not_folded_yet_is_not_said_to_have_no_writer() {
        // A session that has folded two events, and has seen six.
        let mut session = Session::read(&log(2), "I-1").unwrap();
        let mut tail = log(6).tail("I-1").unwrap();
        let mut sketch = Sketch::new("I-1", tail.fetcher());
        sketch.timeline.push_seen(&scan::seen(&tail.poll(1 << 20).unwrap()));
        session.sketch = Some(sketch);
        let path = Path::parse("/tools/Glob/calls").unwrap();
        let told = |error: Error| error.message().contains("2 of 6 events are folded");
        assert_eq!(session.next_writer(&path, 0).unwrap(), Some(1));
        assert_eq!(session.previous_writer(&path, 2).unwrap(), Some(1));
        assert!(told(session.next_writer(&path, 1).unwrap_err()));
        assert!(told(session.previous_writer(&path, 4).unwrap_err()));
        let mut run = |text: &str| {
            let condition = [Condition::parse(text).unwrap()];
            let mut run = Run::new(&session, &condition, 1, Direction::Forward);
            run.step(&mut session, || true)
        };
        assert!(told(run("/tools/Glob/calls").unwrap_err()));
        // For an expression what is near is folded again.
        let found = run("$state.tools.Glob.calls == 2").unwrap();
        assert_eq!(found, Outcome::Hit(3, 0));
        let mut written = WrittenAfter::default();
        written.sync(&[path.to_string()], 1);
        written.step(&mut session, || true).unwrap();
        assert!(written.count() == 0 && !written.has_work(2) && written.has_work(6));
    }
}
