//! Where a jump leads: the next phase, failure, event of the same actor or type.
//!
//! Lives here: pure look-ups in the timeline. May not live here: moving the playhead.

use crate::model::kind::Severity;
use crate::model::{Kind, Position, catalogue};
use crate::session::find::Direction;
use crate::timeline::{Symbol, Timeline};

/// Which way a jump goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Towards the head.
    Forward,
    /// Towards the beginning.
    Back,
}

impl From<Way> for Direction {
    fn from(way: Way) -> Self {
        match way {
            Way::Forward => Self::Forward,
            Way::Back => Self::Backward,
        }
    }
}

/// The nearest of some sorted positions after `at`, or before it.
fn nearest(sorted: &[Position], at: Position, way: Way) -> Option<Position> {
    match way {
        Way::Forward => sorted.get(sorted.partition_point(|p| *p <= at)).copied(),
        Way::Back => {
            let before = sorted.partition_point(|p| *p < at);
            sorted.get(before.checked_sub(1)?).copied()
        }
    }
}

/// The nearer of two in the direction of travel.
fn nearer(way: Way, all: impl Iterator<Item = Position>) -> Option<Position> {
    match way {
        Way::Forward => all.min(),
        Way::Back => all.max(),
    }
}

/// Where a phase begins.
#[must_use]
pub fn phase(timeline: &Timeline, at: Position, way: Way) -> Option<Position> {
    let spans = timeline.lanes().all().first().map_or(&[][..], |lane| lane.spans.as_slice());
    match way {
        Way::Forward => spans.get(spans.partition_point(|s| s.from <= at)).map(|s| s.from),
        Way::Back => {
            let before = spans.partition_point(|s| s.from < at);
            spans.get(before.checked_sub(1)?).map(|s| s.from)
        }
    }
}

/// Whether events of this kind tell of a failure.
#[must_use]
pub fn is_failure(kind: Kind) -> bool {
    catalogue::severity(kind) >= Severity::Error
}

/// An event that tells of a failure.
#[must_use]
pub fn failure(timeline: &Timeline, at: Position, way: Way) -> Option<Position> {
    let kinds = Kind::CATALOGUED.iter().filter(|kind| is_failure(**kind));
    nearer(way, kinds.filter_map(|kind| nearest(timeline.of_kind(*kind), at, way)))
}

/// An event of the same actor as the one at `at`.
#[must_use]
pub fn same_actor(timeline: &Timeline, at: Position, way: Way) -> Option<Position> {
    let actor = timeline.row(at)?.actor;
    if actor == Symbol::EMPTY {
        return None;
    }
    let same = |p: &Position| timeline.row(*p).is_some_and(|row| row.actor == actor);
    match way {
        Way::Forward => (at + 1..=timeline.head()).find(same),
        Way::Back => (1..at).rev().find(same),
    }
}

/// An event of the same type as the one at `at`.
#[must_use]
pub fn same_type(timeline: &Timeline, at: Position, way: Way) -> Option<Position> {
    let row = timeline.row(at)?;
    let list = timeline.of_kind(row.kind);
    if row.kind.is_catalogued() {
        return nearest(list, at, way);
    }
    let same = |p: &Position| timeline.row(*p).is_some_and(|r| r.type_name == row.type_name);
    match way {
        Way::Forward => list.get(list.partition_point(|p| *p <= at)..)?.iter().copied().find(same),
        Way::Back => {
            list.get(..list.partition_point(|p| *p < at))?.iter().rev().copied().find(same)
        }
    }
}
