//! What the pane shows wherever the screen stands in the log: its columns, the runs of its lanes,
//! the telling events, how much happened when.
//!
//! Lives here: [`Ground`], made when the log, its clock, what is seen of it or the size are others,
//! and [`Kept`], which holds it from one drawing to the next. May not live here: what depends on the
//! playhead, on what the user looks for, or on the theme.

use std::borrow::Cow;
use std::ops::Range;

use ratatui::layout::Rect;
use rustc_hash::FxHashMap;

use super::axis::{self, Axis, Tick};
use super::layout::Layout;
use super::rail::{self, Told};
use super::ruler;
use super::runs::Runs;
use super::window::TimelineView;
use crate::model::Position;
use crate::timeline::{ClockKind, Lane, Timeline};

/// Of how many lanes the runs are kept at most, beside those that are seen.
const MOST_LANES: usize = 128;

/// Which log it is. A log only grows: with its head this tells all that its rows, lanes and clocks
/// say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogId {
    /// How often the log was replaced by another.
    pub restarts: u64,
    /// Whether it was looked at only, and not folded.
    pub is_sketch: bool,
}

/// All that a ground is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Basis {
    log: LogId,
    head: Position,
    area: Rect,
    clock: ClockKind,
    seen: (i64, i64),
}

impl Basis {
    pub(super) fn of(log: LogId, timeline: &Timeline, view: &TimelineView, area: Rect) -> Self {
        let (head, clock) = (timeline.head(), view.effective_clock(timeline));
        Self { log, head, area, clock, seen: view.seen(timeline) }
    }
}

/// What is the same wherever the playhead is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ground {
    basis: Basis,
    pub(super) layout: Layout,
    pub(super) axis: Axis,
    /// What the log tells in each column of the rail.
    pub(super) told: Vec<Told>,
    /// The height of each column of the density strip.
    pub(super) heights: Vec<u16>,
    /// The idle stretches that may find room on the ruler, the longest first.
    pub(super) idle: Vec<(Position, i64)>,
    pub(super) ticks: Vec<Tick>,
    /// The runs of lanes that were seen, by the number of the lane.
    lanes: FxHashMap<usize, Runs>,
}

impl Ground {
    pub(super) fn of(basis: Basis, timeline: &Timeline) -> Self {
        let layout = Layout::of(basis.area, timeline);
        let axis = Axis::new(timeline, basis.clock, basis.seen, layout.axis.width);
        Self {
            told: rail::told(&axis, timeline),
            heights: layout
                .density
                .map_or_else(Vec::new, |(_, rows)| rail::heights(&axis, timeline, rows)),
            idle: ruler::idle(&axis, timeline),
            ticks: axis::ticks(&axis, timeline, ruler::APART),
            lanes: FxHashMap::default(),
            basis,
            layout,
            axis,
        }
    }

    /// Which agents have their lanes in sight; their lanes come after that of the phases.
    pub(super) fn agents(&self, view: &TimelineView, timeline: &Timeline) -> Range<usize> {
        let all = super::window::agent_count(timeline);
        let first = view.lane_scroll.min(all.saturating_sub(self.layout.lane_rows()));
        first..(first + self.layout.lane_rows()).min(all)
    }

    /// The runs of a lane, as they are kept or made now.
    pub(super) fn runs(&self, number: usize, lane: &Lane, timeline: &Timeline) -> Cow<'_, Runs> {
        let made = || Cow::Owned(Runs::of(lane, timeline, &self.axis));
        self.lanes.get(&number).map_or_else(made, Cow::Borrowed)
    }

    /// Keeps the runs of the lanes that are seen.
    fn keep_lanes(&mut self, view: &TimelineView, timeline: &Timeline) {
        let agents = self.agents(view, timeline);
        let seen = |number: usize| number == 0 || agents.contains(&(number - 1));
        if self.lanes.len() > MOST_LANES + agents.len() {
            self.lanes.retain(|number, _| seen(*number));
        }
        let agents = agents.start + 1..agents.end + 1;
        for number in std::iter::once(0).chain(agents) {
            if let Some(lane) = timeline.lanes().all().get(number) {
                let made = || Runs::of(lane, timeline, &self.axis);
                self.lanes.entry(number).or_insert_with(made);
            }
        }
    }
}

/// The ground of the last drawing.
#[derive(Debug, Default)]
pub struct Kept(Option<Box<Ground>>);

impl Kept {
    /// Makes the ground that the next drawing needs, if it is another than the last one.
    pub fn prepare(&mut self, log: LogId, timeline: &Timeline, view: &TimelineView, area: Rect) {
        let basis = Basis::of(log, timeline, view, area);
        let same = self.0.take().filter(|ground| ground.basis == basis);
        let ground = same.unwrap_or_else(|| Box::new(Ground::of(basis, timeline)));
        self.0.insert(ground).keep_lanes(view, timeline);
    }

    /// The ground, if it is made from just this.
    pub(super) fn get(&self, basis: Basis) -> Option<&Ground> {
        self.0.as_deref().filter(|ground| ground.basis == basis)
    }
}

#[cfg(test)]
impl Ground {
    /// Whether it is what would be made now.
    pub(super) fn is_as_made_now(&self, timeline: &Timeline) -> bool {
        let mut now = Self::of(self.basis, timeline);
        let lanes = self.lanes.keys().filter_map(|n| Some((*n, timeline.lanes().all().get(*n)?)));
        now.lanes = lanes.map(|(n, lane)| (n, Runs::of(lane, timeline, &now.axis))).collect();
        *self == now
    }
}
