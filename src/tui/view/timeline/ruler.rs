//! The lowest row of the timeline: the clock's ticks, and what stands at one column: playhead,
//! base of the diff, marks, idle stretches, the head that ran ahead.
//!
//! Lives here: who gets a column when several want it. May not live here: the rows above.

use ratatui::style::Style;

use super::axis::{self, Axis};
use super::ground::Ground;
use super::{Head, TimelineScene};
use crate::model::Position;
use crate::timeline::{ClockKind, Timeline};
use crate::tui::theme::{Glyph, Role, Theme};

/// How many columns there are between ticks at least.
pub(super) const APART: u16 = 12;

/// A row in the making: each column is free or taken by something at least as important.
pub(super) struct Ruler {
    cells: Vec<Option<(String, Style)>>,
}

impl Ruler {
    /// Puts everything in, the most important first.
    pub(super) fn of(scene: &TimelineScene<'_>, ground: &Ground, theme: &Theme) -> Self {
        let axis = &ground.axis;
        let mut ruler = Self { cells: vec![None; usize::from(axis.columns())] };
        let timeline = scene.timeline;
        let playhead = axis.nearest_column(timeline, scene.playhead);
        ruler.put(playhead, theme.glyph(Glyph::Playhead), theme.style(Role::Playhead));
        if let Some(column) = scene.base.and_then(|base| axis.column(timeline, base)) {
            ruler.put_near(column, theme.glyph(Glyph::Base), theme.style(Role::Base));
        }
        ruler.marks(scene, axis, theme);
        ruler.head(scene, axis, theme);
        ruler.idle(ground, timeline, theme);
        ruler.ticks(ground, theme);
        ruler
    }

    /// The sign of each column; none where there is only the rule.
    pub(super) fn cells(&self) -> impl Iterator<Item = Option<(&str, Style)>> {
        self.cells.iter().map(|cell| cell.as_ref().map(|(text, style)| (text.as_str(), *style)))
    }

    fn is_free(&self, column: usize) -> bool {
        self.cells.get(column).is_some_and(Option::is_none)
    }

    fn put(&mut self, column: u16, text: &str, style: Style) {
        if let Some(cell) = self.cells.get_mut(usize::from(column)) {
            *cell = Some((text.to_owned(), style));
        }
    }

    /// Into the column, else beside it, where there is room.
    fn put_near(&mut self, column: u16, text: &str, style: Style) {
        let beside =
            [Some(column), column.checked_add(1), column.checked_add(2), column.checked_sub(1)];
        if let Some(free) = beside.into_iter().flatten().find(|c| self.is_free(usize::from(*c))) {
            self.put(free, text, style);
        }
    }

    /// A text from a column on, if there is room for all of it and for `margin` columns around it.
    fn label(&mut self, column: i64, text: &str, margin: i64, style: Style) -> bool {
        let width = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
        let free = |c: i64| usize::try_from(c).is_ok_and(|c| self.is_free(c));
        let around = (column - margin).max(0)
            ..(column + width + margin).min(i64::try_from(self.cells.len()).unwrap_or(0));
        if column < 0 || !free(column) || !free(column + width - 1) || !around.clone().all(free) {
            return false;
        }
        for (at, letter) in (column..).zip(text.chars()) {
            self.put(u16::try_from(at).unwrap_or(u16::MAX), letter.encode_utf8(&mut [0; 4]), style);
        }
        true
    }

    fn marks(&mut self, scene: &TimelineScene<'_>, axis: &Axis, theme: &Theme) {
        for (name, position) in scene.marks {
            let Some(column) = axis.column(scene.timeline, *position) else { continue };
            let sign = match name.chars().next().filter(char::is_ascii_graphic) {
                Some(letter) => letter.to_string(),
                None => theme.glyph(Glyph::Mark).to_owned(),
            };
            self.put_near(column, &sign, theme.style(Role::Mark));
        }
    }

    /// The head: live, or ahead of a screen that stands still.
    fn head(&mut self, scene: &TimelineScene<'_>, axis: &Axis, theme: &Theme) {
        let Some(column) = axis.column(scene.timeline, scene.timeline.head()) else {
            self.head_beyond(scene, theme);
            return;
        };
        match scene.head {
            Head::Still => {}
            Head::Following => {
                let before = i64::from(column) - 2;
                self.label(before, theme.glyph(Glyph::Live), 0, theme.style(Role::Live));
            }
            Head::Ahead { new } => {
                let style = theme.style(Role::Ghost);
                if self.is_free(usize::from(column)) {
                    self.put(column, theme.glyph(Glyph::Ghost), style);
                }
                if new > 0 {
                    let text = format!("+{new}");
                    let before = i64::from(column) - i64::try_from(text.len()).unwrap_or(0) - 1;
                    let style = theme.style(Role::Live);
                    if !self.label(before, &text, 0, style) {
                        self.label(i64::from(column) + 2, &text, 0, style);
                    }
                }
            }
        }
    }

    /// The head is further to the right than what is seen.
    fn head_beyond(&mut self, scene: &TimelineScene<'_>, theme: &Theme) {
        let more = theme.glyph(Glyph::MoreRight);
        let (text, role) = match scene.head {
            Head::Still => return,
            Head::Following => (format!("{}{more}", theme.glyph(Glyph::Live)), Role::Live),
            Head::Ahead { new: 0 } => (more.to_owned(), Role::Ghost),
            Head::Ahead { new } => (format!("+{new} {more}"), Role::Live),
        };
        let width = i64::try_from(text.chars().count()).unwrap_or(0);
        let columns = i64::try_from(self.cells.len()).unwrap_or(0);
        self.label(columns - width, &text, 0, theme.style(role));
    }

    /// How long the idle stretches were that the clock leaves out.
    fn idle(&mut self, Ground { axis, idle, .. }: &Ground, timeline: &Timeline, theme: &Theme) {
        for (position, length) in idle.iter().copied() {
            let clocks = timeline.clocks();
            let to = axis.column_of(clocks.at(axis.clock, position));
            let from = axis.column_of(clocks.at(axis.clock, position.saturating_sub(1)));
            let sign = theme.glyph(Glyph::Idle);
            // Minutes are enough: shorter pauses are no idle stretches.
            let length = axis::coarse(length / 60_000 * 60_000);
            let text = format!("{sign}{length} idle{sign}");
            let short = format!("{sign}{length}{sign}");
            let style = theme.style(Role::Blocked);
            for text in [text, short, sign.to_owned()] {
                let width = i64::try_from(text.chars().count()).unwrap_or(0);
                if self.label(i64::midpoint(from, to) - width / 2, &text, 0, style) {
                    break;
                }
            }
        }
    }

    fn ticks(&mut self, Ground { axis, ticks, .. }: &Ground, theme: &Theme) {
        let style = theme.style(Role::Dim);
        for (reading, text) in ticks {
            self.label(axis.column_of(*reading), text, 1, style);
        }
    }
}

/// The idle stretches that the clock leaves out, the longest first; no more of them than could find
/// room.
pub(super) fn idle(axis: &Axis, timeline: &Timeline) -> Vec<(Position, i64)> {
    if axis.clock != ClockKind::Active {
        return Vec::new();
    }
    let idle = timeline.clocks().idle();
    let seen = axis.before(0)..=axis.before(axis.columns());
    let start = idle.partition_point(|(p, _)| p < seen.start());
    let end = idle.partition_point(|(p, _)| p <= seen.end());
    let mut idle: Vec<_> = idle.get(start..end).unwrap_or_default().to_vec();
    idle.sort_by_key(|(_, length)| std::cmp::Reverse(*length));
    idle.truncate(usize::from(axis.columns()));
    idle
}
