//! What of a log a search has still to look at.
//!
//! Lives here: [`Rest`]. May not live here: what is looked for.

use super::Direction;
use crate::model::Position;

/// The positions that are still to be judged, in the direction of a search.
#[derive(Debug, Clone, Copy)]
pub(in crate::session) struct Rest {
    direction: Direction,
    /// Both ends included.
    range: Option<(Position, Position)>,
}

impl Rest {
    /// The positions `first..=last`.
    pub(in crate::session) fn new(
        (first, last): (Position, Position),
        direction: Direction,
    ) -> Self {
        let first = first.max(1);
        Self { direction, range: (first <= last).then_some((first, last)) }
    }

    pub(in crate::session) fn direction(&self) -> Direction {
        self.direction
    }

    /// Both ends, in the order of the log; none when nothing is left.
    pub(in crate::session) fn range(&self) -> Option<(Position, Position)> {
        self.range
    }

    /// The position that comes next; none when nothing is left.
    pub(in crate::session) fn next(&self) -> Option<Position> {
        let (first, last) = self.range?;
        Some(if self.direction == Direction::Forward { first } else { last })
    }

    /// Goes on with `position`: what comes before it in the direction of the search is left out.
    pub(in crate::session) fn go_to(&mut self, position: Position) {
        self.range = self.range.and_then(|(first, last)| match self.direction {
            Direction::Forward => (position <= last).then_some((position, last)),
            Direction::Backward => (position >= first).then_some((first, position)),
        });
    }

    /// Leaves `position` behind, and what comes before it in the direction of the search.
    pub(in crate::session) fn pass(&mut self, position: Position) {
        self.range = self.range.and_then(|(first, last)| match self.direction {
            Direction::Forward => (position < last).then(|| (position + 1, last)),
            Direction::Backward => (position > first).then(|| (first, position - 1)),
        });
    }

    /// The next `events` positions, which are left behind: both ends, in the order of the log.
    pub(in crate::session) fn take(&mut self, events: Position) -> Option<(Position, Position)> {
        let (first, last) = self.range?;
        let more = events.max(1) - 1;
        let (low, high) = match self.direction {
            Direction::Forward => (first, last.min(first.saturating_add(more))),
            Direction::Backward => (first.max(last.saturating_sub(more)), last),
        };
        self.pass(if self.direction == Direction::Forward { high } else { low });
        Some((low, high))
    }

    /// Leaves everything behind.
    pub(in crate::session) fn end(&mut self) {
        self.range = None;
    }
}
