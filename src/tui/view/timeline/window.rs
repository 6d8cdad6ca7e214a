//! Which part of the timeline is seen, and under which clock: zooming, panning, following.
//!
//! Lives here: [`TimelineView`], what the user sets and what keeps the playhead in view. May not
//! live here: drawing.

use ratatui::layout::Rect;

use super::axis::{Axis, domain};
use super::layout::Layout;
use super::runs::run_at;
use crate::model::Position;
use crate::timeline::{ClockKind, Lane, Timeline};

/// What the user sees of a timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineView {
    /// The clock that was asked for.
    pub clock: ClockKind,
    /// The first and the last reading of that clock that are seen; none for the whole log,
    /// which grows with it.
    pub window: Option<(i64, i64)>,
    /// The first agent lane that is seen.
    pub lane_scroll: usize,
}

impl Default for TimelineView {
    fn default() -> Self {
        Self { clock: ClockKind::Time, window: None, lane_scroll: 0 }
    }
}

/// The narrowest stretch that zooming in ends at.
const fn narrowest(clock: ClockKind) -> i64 {
    match clock {
        ClockKind::Sequence => 8,
        ClockKind::Time | ClockKind::Active => 1_000,
        ClockKind::Cost => 100,
    }
}

/// A stretch that is so many times as long as what of it is not idle is mostly idle.
const MOSTLY_IDLE: i64 = 4;

impl TimelineView {
    /// The clock that the log can be drawn by: sequence, where the one asked for stands still
    /// (all events at one time, no cost recorded).
    #[must_use]
    pub fn effective_clock(&self, timeline: &Timeline) -> ClockKind {
        let (low, high) = timeline.clocks().range(self.clock);
        if low == high { ClockKind::Sequence } else { self.clock }
    }

    /// Whether the whole log is seen.
    #[must_use]
    pub fn is_whole(&self, timeline: &Timeline) -> bool {
        let whole = domain(timeline, self.effective_clock(timeline));
        self.seen(timeline) == whole
    }

    /// How many times the seen part is magnified; 1 for the whole.
    #[must_use]
    pub fn magnification(&self, timeline: &Timeline) -> f64 {
        let (low, high) = domain(timeline, self.effective_clock(timeline));
        let (from, to) = self.seen(timeline);
        #[allow(clippy::cast_precision_loss, reason = "a ratio for people")]
        let ratio = (high - low + 1) as f64 / (to - from + 1) as f64;
        ratio
    }

    /// The readings that are seen. A window beyond the log, as after a restart, is the whole.
    pub(super) fn seen(&self, timeline: &Timeline) -> (i64, i64) {
        let clock = self.effective_clock(timeline);
        let (low, high) = domain(timeline, clock);
        match self.window {
            Some((from, to)) if clock == self.clock => {
                let (from, to) = (from.clamp(low, high), to.clamp(low, high));
                if from < to { (from, to) } else { (low, high) }
            }
            _ => (low, high),
        }
    }

    pub(super) fn axis(&self, timeline: &Timeline, columns: u16) -> Axis {
        Axis::new(timeline, self.effective_clock(timeline), self.seen(timeline), columns)
    }

    /// Shows `factor` times as much: less than 1 zooms in, more than 1 out. What is at `around`
    /// stays where it is.
    pub fn zoom(&mut self, factor: f64, around: Position, timeline: &Timeline) {
        let clock = self.effective_clock(timeline);
        let (low, high) = domain(timeline, clock);
        let (from, to) = self.seen(timeline);
        let fixed = timeline.clocks().at(clock, around).clamp(from, to);
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "readings below 2^53; casts saturate"
        )]
        let scaled = |length: i64| (length as f64 * factor).round() as i64;
        let mut span = scaled(to - from).max(narrowest(clock));
        if factor > 1.0 {
            // A narrow stretch must not round back to itself.
            span = span.max(to - from + 1);
        }
        if span >= high - low {
            self.window = None;
            return;
        }
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "as above")]
        let before =
            ((fixed - from) as f64 / (to - from).max(1) as f64 * span as f64).round() as i64;
        self.place(fixed - before, span, timeline);
    }

    /// Moves what is seen by `hundredths` of its width, to the right when positive, as far as the
    /// log goes and the playhead stays in view.
    pub fn pan(&mut self, hundredths: i64, playhead: Position, timeline: &Timeline) {
        if self.window.is_none() {
            return;
        }
        let (from, to) = self.seen(timeline);
        let here = timeline.clocks().at(self.effective_clock(timeline), playhead);
        let step = i128::from(to - from) * i128::from(hundredths) / 100;
        let step = i64::try_from(step).unwrap_or_default();
        let step = if step == 0 { hundredths.signum() } else { step };
        let target = from.saturating_add(step).clamp(here - (to - from), here);
        self.place(target, to - from, timeline);
    }

    /// Moves what is seen, if it must be, so that the playhead is in it.
    pub fn ensure_visible(&mut self, playhead: Position, timeline: &Timeline) {
        if self.window.is_none() {
            return;
        }
        let (from, to) = self.seen(timeline);
        let here = timeline.clocks().at(self.effective_clock(timeline), playhead);
        let span = to - from;
        let target = if here < from - span || here > to + span {
            here - span / 2
        } else if here < from {
            here - span / 8
        } else if here > to {
            here - span + span / 8
        } else {
            return;
        };
        self.place(target, span, timeline);
    }

    /// Sees the events of a range and nothing else, also when the log grows. Where most of what time
    /// shows of it would be idle, that is collapsed.
    pub fn show_range(&mut self, (first, last): (Position, Position), timeline: &Timeline) {
        let clocks = timeline.clocks();
        // (The log begins with the empty state.)
        let first = if first <= 1 { 0 } else { first };
        let span = |clock| clocks.at(clock, last) - clocks.at(clock, first);
        if self.clock == ClockKind::Time
            && span(ClockKind::Time) / MOSTLY_IDLE > span(ClockKind::Active)
        {
            self.clock = ClockKind::Active;
        }
        let clock = self.effective_clock(timeline);
        let (low, high) = domain(timeline, clock);
        let span = span(clock).max(narrowest(clock)).min(high - low);
        let from = clocks.at(clock, first).clamp(low, high - span);
        self.window = Some((from, from + span));
    }

    /// Changes the clock; about the same events stay in view.
    pub fn set_clock(&mut self, clock: ClockKind, playhead: Position, timeline: &Timeline) {
        let clocks = timeline.clocks();
        let before = self.effective_clock(timeline);
        let (from, to) = self.seen(timeline);
        let first = clocks.position(before, from - 1).saturating_add(1).min(timeline.head());
        let last = clocks.position(before, to);
        self.clock = clock;
        if self.window.is_some() {
            self.window = None;
            let clock = self.effective_clock(timeline);
            let (from, to) = (clocks.at(clock, first), clocks.at(clock, last));
            self.place(from, (to - from).max(narrowest(clock)), timeline);
        }
        self.ensure_visible(playhead, timeline);
    }

    /// Sees `span` readings from `from` on, moved to where the log is.
    fn place(&mut self, from: i64, span: i64, timeline: &Timeline) {
        let (low, high) = domain(timeline, self.effective_clock(timeline));
        if span >= high - low {
            self.window = None;
            return;
        }
        let from = from.clamp(low, high - span);
        self.window = Some((from, from + span));
    }

    /// The position that a column of the screen shows, for clicking and dragging; columns outside
    /// the axis give its ends.
    #[must_use]
    pub fn position_at(&self, timeline: &Timeline, area: Rect, x: u16) -> Position {
        let layout = Layout::of(area, timeline);
        let axis = self.axis(timeline, layout.axis.width);
        let last = layout.axis.width.saturating_sub(1);
        let column = x.saturating_sub(layout.axis.x).min(last);
        let (from, to) = self.seen(timeline);
        if from == domain(timeline, axis.clock).0 && x < layout.axis.x {
            return 0;
        }
        axis.upto(column).min(timeline.clocks().position(axis.clock, to)).min(timeline.head())
    }

    /// Scrolls the agent lanes.
    pub fn scroll_lanes(&mut self, by: isize, timeline: &Timeline, area: Rect) {
        let most = agent_count(timeline).saturating_sub(Layout::lane_rows_of(area, timeline));
        self.lane_scroll = self.lane_scroll.saturating_add_signed(by).min(most);
    }

    /// Scrolls the agent lanes, if they must be, so that those that run at the playhead are seen;
    /// where those are too many, that of the current event.
    pub fn show_active_lanes(&mut self, playhead: Position, timeline: &Timeline, area: Rect) {
        let rows = Layout::lane_rows_of(area, timeline);
        self.scroll_lanes(0, timeline, area);
        if rows == 0 || agent_count(timeline) <= rows {
            return;
        }
        let agents = timeline.lanes().all().get(1..).unwrap_or_default();
        let current = timeline.row(playhead).map(|row| row.agent).filter(|name| !name.is_empty());
        let own = current.and_then(|name| agents.iter().position(|lane| lane.name == name));
        let Some((first, last)) = active_lanes(agents, playhead, own, rows) else { return };
        if first < self.lane_scroll {
            self.lane_scroll = first;
        } else if last >= self.lane_scroll + rows {
            self.lane_scroll = last + 1 - rows;
        }
    }
}

/// How many lanes are looked at for one that runs: they stand in the order of their first runs,
/// and what began longest ago has most likely ended.
const LANES_LOOKED_AT: usize = 1024;

/// The first and the last of the lanes that should be seen together, at most `rows` of them.
fn active_lanes(
    agents: &[Lane],
    playhead: Position,
    own: Option<usize>,
    rows: usize,
) -> Option<(usize, usize)> {
    let is_begun = |lane: &Lane| lane.spans.first().is_some_and(|run| run.from <= playhead);
    let begun = agents.partition_point(is_begun);
    let runs =
        |index: &usize| agents.get(*index).is_some_and(|lane| run_at(lane, playhead).is_some());
    let last = (begun.saturating_sub(LANES_LOOKED_AT)..begun).rev().find(runs).max(own)?;
    let lowest = (last + 1).saturating_sub(rows);
    if let Some(own) = own
        && own < lowest
    {
        return Some((own, own));
    }
    let first = (lowest..=last).find(runs).unwrap_or(last);
    Some((own.unwrap_or(first).min(first), last))
}

/// How many agents have a lane.
pub(super) fn agent_count(timeline: &Timeline) -> usize {
    timeline.lanes().all().len().saturating_sub(1)
}
