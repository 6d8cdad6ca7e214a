//! The rail of telling events, and the strip of how much happened when.
//!
//! Lives here: what each column of the two says. May not live here: how many columns there are.
//! Both look at a few events of each column, however many there are.

use super::TimelineScene;
use super::axis::Axis;
use crate::model::{Anomaly, Position};
use crate::timeline::{ClockKind, RailMark, Timeline};
use crate::tui::signs::{BranchMark, ReplayMark};
use crate::tui::theme::{Glyph, Role};

/// What can stand on the rail, the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Replay(ReplayMark),
    Branch(BranchMark),
    Mark(RailMark),
    Hit,
    Race,
    Anomaly,
    /// An event that fits the filter, and tells nothing else.
    Fits,
}

/// The most important first: of several in one column that one is shown.
const ORDER: [Sign; 25] = [
    Sign::Replay(ReplayMark::Failed),
    Sign::Replay(ReplayMark::Unknown),
    Sign::Replay(ReplayMark::Running),
    Sign::Replay(ReplayMark::Executed),
    Sign::Replay(ReplayMark::WouldExecute),
    Sign::Replay(ReplayMark::Skipped),
    Sign::Branch(BranchMark::Violated),
    Sign::Branch(BranchMark::Skipped),
    Sign::Branch(BranchMark::Replaced),
    Sign::Branch(BranchMark::Inserted),
    Sign::Branch(BranchMark::Orphaned),
    Sign::Hit,
    Sign::Race,
    Sign::Mark(RailMark::Failure),
    Sign::Mark(RailMark::GapFound),
    Sign::Mark(RailMark::Recovery),
    Sign::Mark(RailMark::PullRequest),
    Sign::Mark(RailMark::Commit),
    Sign::Anomaly,
    Sign::Mark(RailMark::Checkpoint),
    Sign::Mark(RailMark::GapClosed),
    Sign::Mark(RailMark::Milestone),
    Sign::Mark(RailMark::Test),
    Sign::Fits,
    Sign::Replay(ReplayMark::Recorded),
];

/// Up to how many telling events of a column are looked at one by one.
const FEW: usize = 64;

impl Sign {
    pub(super) fn look(self) -> (Glyph, Role) {
        match self {
            Self::Replay(mark) => mark.look(),
            Self::Branch(mark) => mark.look(),
            Self::Hit => (Glyph::Breakpoint, Role::Breakpoint),
            Self::Race => (Glyph::Race, Role::Warned),
            Self::Fits => (Glyph::Fits, Role::SearchHit),
            Self::Anomaly => (Glyph::Anomaly, Role::Anomaly),
            Self::Mark(mark) => match mark {
                RailMark::Commit => (Glyph::Commit, Role::Git),
                RailMark::PullRequest => (Glyph::PullRequest, Role::Git),
                RailMark::GapFound => (Glyph::Gap, Role::Warned),
                RailMark::GapClosed => (Glyph::GapClosed, Role::Done),
                RailMark::Failure => (Glyph::Error, Role::Failed),
                RailMark::Recovery => (Glyph::Recovery, Role::Recovered),
                RailMark::Checkpoint => (Glyph::Checkpoint, Role::Milestone),
                RailMark::Test => (Glyph::Test, Role::Dim),
                RailMark::Milestone => (Glyph::Milestone, Role::Milestone),
            },
        }
    }
}

/// What the log itself tells in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Told {
    /// The marks of its events: one bit for each.
    marks: u16,
    /// Whether something is wrong there.
    odd: bool,
}

impl Told {
    fn has(self, mark: RailMark) -> bool {
        self.marks & (1 << mark as u16) != 0
    }

    fn add(&mut self, mark: RailMark) {
        self.marks |= 1 << mark as u16;
    }
}

/// What the log tells in each column.
pub(super) fn told(axis: &Axis, timeline: &Timeline) -> Vec<Told> {
    let column = |column: u16| {
        let (first, last) = (axis.before(column) + 1, axis.upto(column));
        let mut told = Told::default();
        if first > last {
            return told;
        }
        let marks = timeline.lanes().rail_between(first, last);
        if marks.len() <= FEW {
            marks.iter().for_each(|(_, mark)| told.add(*mark));
        } else {
            let all = RailMark::ALL.iter();
            all.filter(|m| any_of_mark(timeline, **m, first, last)).for_each(|m| told.add(*m));
        }
        told.odd = has_anomaly(timeline.anomalies(), first, last);
        told
    };
    (0..axis.columns()).map(column).collect()
}

/// Whether an event from `first` to `last` puts this on the rail.
fn any_of_mark(timeline: &Timeline, mark: RailMark, first: Position, last: Position) -> bool {
    mark.kinds().any(|kind| any_between(timeline.of_kind(kind), first, last))
}

/// The sign of each column, from what the log tells there and what the user looks for.
pub(super) fn signs(axis: &Axis, told: &[Told], scene: &TimelineScene<'_>) -> Vec<Option<Sign>> {
    let TimelineScene { timeline, hits, branch, .. } = scene;
    (0..axis.columns())
        .zip(told)
        .map(|(column, told)| {
            let (first, last) = (axis.before(column) + 1, axis.upto(column));
            if first > last {
                return None;
            }
            // With a filter, only what fits is told of the log; what the user looks for always is.
            let fits = scene.fitting.is_none_or(|fitting| fitting.any_between(first, last));
            let is_told = |mark: RailMark| {
                let Some(fitting) = scene.fitting else { return true };
                let marks = timeline.lanes().rail_between(first, last);
                match marks.len() {
                    ..=FEW => marks.iter().any(|(p, m)| *m == mark && fitting.contains(*p)),
                    _ => fits,
                }
            };
            ORDER.into_iter().find(|sign| match sign {
                Sign::Replay(mark) => {
                    let marks = scene.outcomes.map(|outcomes| outcomes.marks().of(*mark));
                    marks.is_some_and(|marks| any_between(marks, first, last))
                }
                Sign::Branch(mark) => {
                    branch.is_some_and(|marks| any_between(marks.of(*mark), first, last))
                }
                Sign::Mark(mark) => told.has(*mark) && is_told(*mark),
                Sign::Fits => scene.fitting.is_some() && fits,
                Sign::Race => any_between(scene.races, first, last),
                Sign::Hit => any_between(hits, first, last),
                Sign::Anomaly => told.odd,
            })
        })
        .collect()
}

/// Whether an ordered list has a position from `first` to `last`.
pub(super) fn any_between(list: &[Position], first: Position, last: Position) -> bool {
    let at = list.partition_point(|p| *p < first);
    list.get(at).is_some_and(|p| *p <= last)
}

/// As [`any_between`], for anomalies: those about the log as a whole have position 0 and stand
/// anywhere in the list.
fn has_anomaly(anomalies: &[Anomaly], first: Position, last: Position) -> bool {
    let (mut low, mut high) = (0, anomalies.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        let placed = (low..=middle)
            .rev()
            .find_map(|i| anomalies.get(i).filter(|a| a.position != 0).map(|a| (i, a.position)));
        match placed {
            None => low = middle + 1,
            Some((_, position)) if position < first => low = middle + 1,
            Some((_, position)) if position <= last => return true,
            Some((index, _)) => high = index,
        }
    }
    false
}

/// What the strip measures under a clock. Under the clock of sequence each column holds as many
/// events as the next, and what tells is the time that passed.
pub(super) fn strip_name(clock: ClockKind) -> &'static str {
    if clock == ClockKind::Sequence { "elapsed" } else { "density" }
}

/// The height of each column in eighths of a row, up to `rows` rows; 0 where there is nothing.
/// Square roots, so that one busy column does not make all others look empty.
pub(super) fn heights(axis: &Axis, timeline: &Timeline, rows: u16) -> Vec<u16> {
    let clocks = timeline.clocks();
    let amount = |column: u16| -> i64 {
        if axis.clock == ClockKind::Sequence {
            let time = |p| clocks.at(ClockKind::Active, p);
            time(axis.upto(column)) - time(axis.before(column))
        } else {
            i64::from(axis.count(column))
        }
    };
    let amounts: Vec<i64> = (0..axis.columns()).map(amount).collect();
    let most = amounts.iter().copied().max().unwrap_or_default().max(1);
    let full = f64::from(rows.max(1)) * 8.0;
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 8 times the rows"
    )]
    let height = |amount: i64| ((amount as f64 / most as f64).sqrt() * full).ceil() as u16;
    amounts.into_iter().map(|amount| if amount <= 0 { 0 } else { height(amount) }).collect()
}

/// The sign in one row of the strip, counted from the lowest, for a column of this height.
pub(super) fn bar(height: u16, row: u16, bars: &[&'static str; 8]) -> Option<&'static str> {
    let above = height.saturating_sub(row * 8);
    bars.get(usize::from(above.min(8)).checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AnomalyKind;

    #[test]
    fn anomalies_are_found_among_notes_about_the_whole_log() {
        let list: Vec<Anomaly> = [0, 3, 0, 0, 7, 7, 0, 12, 0]
            .map(|p| Anomaly::new(AnomalyKind::WrongType, p, ""))
            .into();
        for first in 1..15 {
            for last in first..15 {
                let there = [3, 7, 12].iter().any(|p| (first..=last).contains(p));
                assert_eq!(has_anomaly(&list, first, last), there, "{first}–{last}");
            }
        }
    }

    #[test]
    fn bars_grow_by_eighths_through_the_rows() {
        let bars = crate::tui::theme::bars(false);
        let column = |height| [bar(height, 1, &bars), bar(height, 0, &bars)];
        assert_eq!(column(0), [None, None]);
        assert_eq!(column(3), [None, Some("▃")]);
        assert_eq!(column(9), [Some("▁"), Some("█")]);
        assert_eq!(column(16), [Some("█"), Some("█")]);
    }
}
