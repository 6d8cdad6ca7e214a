//! Where the parts of the timeline pane stand.
//!
//! Lives here: rectangles and rows. May not live here: what is drawn in them.

use ratatui::layout::Rect;

use super::window::agent_count;
use crate::timeline::Timeline;
use crate::tui::text;

/// The rows of the pane, from top to bottom; a row that does not fit is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// The pane without its frame.
    pub(super) inner: Rect,
    /// How many columns the names take, with the blank behind them.
    pub(super) label: u16,
    /// The columns that stand for the clock, over all rows.
    pub(super) axis: Rect,
    pub(super) phase: Option<u16>,
    /// The first agent lane and how many rows there are for them.
    pub(super) lanes: (u16, u16),
    pub(super) rail: Option<u16>,
    /// The first row of the density strip and how many rows high it is.
    pub(super) density: Option<(u16, u16)>,
    pub(super) ruler: u16,
}

/// The longest name of a row that is always there: the ruler's time of day (`20:10:52`).
const OWN_LABEL: u16 = 8;
/// How many rows high the density strip can be.
const HIGHEST_DENSITY: u16 = 4;
/// How many lanes are looked at to find the width of the names: it must not change as lanes
/// scroll, else the columns would jump.
const LANES_MEASURED: usize = 256;

impl Layout {
    pub(super) fn of(area: Rect, timeline: &Timeline) -> Self {
        let inner = inner(area);
        let label = label_width(inner.width, timeline);
        let axis = Rect { x: inner.x + label, width: inner.width - label, ..inner };
        let bottom = inner.bottom().saturating_sub(1);
        let (lanes, spare) = lane_rows(inner, timeline);
        // Rows that no lane needs make the density strip higher.
        let high = 1 + spare.min(HIGHEST_DENSITY - 1);
        let density = (inner.height >= 4).then(|| (bottom - high, high));
        let rail = (inner.height >= 3).then(|| density.map_or(bottom, |(top, _)| top) - 1);
        Self {
            inner,
            label,
            axis,
            phase: (inner.height >= 2).then_some(inner.y),
            lanes: (inner.y.saturating_add(1), lanes),
            rail,
            density,
            ruler: bottom,
        }
    }

    /// How many agent lanes are seen at once.
    pub(super) fn lane_rows(&self) -> usize {
        usize::from(self.lanes.1)
    }

    /// As [`Layout::lane_rows`], of the layout of an area.
    pub(super) fn lane_rows_of(area: Rect, timeline: &Timeline) -> usize {
        usize::from(lane_rows(inner(area), timeline).0)
    }
}

/// The pane without its frame: a blank on either side, where there is room to spare.
fn inner(area: Rect) -> Rect {
    let margin = if area.width < 24 { 1 } else { 2 };
    Rect {
        x: area.x.saturating_add(margin),
        y: area.y.saturating_add(1),
        width: area.width.saturating_sub(2 * margin),
        height: area.height.saturating_sub(2),
    }
}

/// How many rows the agents take, and how many more there would be for them.
fn lane_rows(inner: Rect, timeline: &Timeline) -> (u16, u16) {
    let rows = inner.height.saturating_sub(4);
    let needed = u16::try_from(agent_count(timeline)).unwrap_or(u16::MAX);
    (rows.min(needed), rows.saturating_sub(needed))
}

fn label_width(width: u16, timeline: &Timeline) -> u16 {
    let most = match width {
        0..24 => return 0,
        24..60 => 8,
        60..90 => 12,
        90..140 => 16,
        _ => 22,
    };
    let names = timeline.lanes().all().iter().take(LANES_MEASURED);
    let longest = names.map(|lane| text::columns(timeline.text(lane.name), most)).max();
    let longest = u16::try_from(longest.unwrap_or_default()).unwrap_or_default();
    longest.max(OWN_LABEL).min(u16::try_from(most).unwrap_or_default()) + 1
}

/// The height that a pane needs to show all agents, its frame included, and at most `most`.
#[must_use]
pub fn wanted_height(timeline: &Timeline, most: u16) -> u16 {
    u16::try_from(agent_count(timeline).saturating_add(6)).unwrap_or(u16::MAX).min(most)
}
