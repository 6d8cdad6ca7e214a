//! The lanes: phases as blocks, the runs of an agent as bars that say how they ended.
//!
//! Lives here: what columns the runs of one lane take, and drawing them. May not live here: which
//! lanes are seen, and where.

use ratatui::buffer::Buffer;
use ratatui::style::{Modifier, Style};

use super::axis::Axis;
use crate::model::Position;
use crate::timeline::lanes::Outcome;
use crate::timeline::{Lane, LaneKind, Span, Timeline};
use crate::tui::signs::outcome_sign;
use crate::tui::text;
use crate::tui::theme::{Glyph, Role, Theme};

/// How many runs before the seen ones may still reach into them, and how many of a crowded column
/// are looked at. Runs of one name never overlap, those of different phases hardly.
const LOOK_BACK: usize = 16;
/// How strongly a block is tinted, in hundredths: one in which the playhead stands, and others.
const TINT: (u16, u16) = (18, 10);

/// One row of columns to draw a lane in.
pub(super) struct Track<'a> {
    pub(super) timeline: &'a Timeline,
    pub(super) theme: &'a Theme,
    pub(super) playhead: Position,
    /// The first column on the screen.
    pub(super) x: u16,
    pub(super) y: u16,
}

/// The run of a lane that goes on at `position`, its first and last event included.
pub(super) fn run_at(lane: &Lane, position: Position) -> Option<&Span> {
    let begun = lane.spans.partition_point(|run| run.from <= position);
    let recent = lane.spans.get(begun.saturating_sub(LOOK_BACK)..begun)?;
    recent.iter().rev().find(|run| run.to.is_none_or(|to| to >= position))
}

/// The columns of a run: where it begins and ends, and whether it does so within what is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    first: u16,
    last: u16,
    begins: bool,
    /// Whether its end, or the head that it goes on to, is seen.
    ends: bool,
}

/// What is seen of a lane, wherever the playhead is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Runs {
    /// So few that each can be drawn.
    Apart(Vec<(Span, Extent)>),
    /// Too many to be told apart: what each column holds, and whether a run failed there.
    Crowd(Vec<Option<(Glyph, bool)>>),
}

impl Runs {
    pub(super) fn of(lane: &Lane, timeline: &Timeline, axis: &Axis) -> Self {
        let runs = seen(lane, axis);
        if runs.len() > usize::from(axis.columns()).saturating_mul(2) {
            return Self::Crowd((0..axis.columns()).map(|c| crowd(lane, axis, c)).collect());
        }
        let extents: Vec<_> = runs.iter().map(|run| extent(run, timeline, axis)).collect();
        let placed = runs.iter().enumerate().filter_map(|(index, run)| {
            let extent = (*extents.get(index)?)?;
            let next = extents.get(index + 1).copied().flatten();
            let next = next.filter(|_| lane.kind == LaneKind::Phase);
            Some((*run, next.map_or(extent, |next| extent.before(next))))
        });
        Self::Apart(placed.collect())
    }
}

impl Extent {
    /// A phase makes way for the one that begins after it.
    fn before(self, next: Self) -> Self {
        let overlaps = next.begins && next.first <= self.last;
        let last = if overlaps { next.first.saturating_sub(1).max(self.first) } else { self.last };
        Self { last, ..self }
    }
}

/// The runs that may be seen.
fn seen<'l>(lane: &'l Lane, axis: &Axis) -> &'l [Span] {
    let (before, last) = (axis.before(0), axis.before(axis.columns()));
    let start = lane.spans.partition_point(|run| run.from <= before);
    let end = lane.spans.partition_point(|run| run.from <= last);
    lane.spans.get(start.saturating_sub(LOOK_BACK)..end).unwrap_or_default()
}

fn extent(run: &Span, timeline: &Timeline, axis: &Axis) -> Option<Extent> {
    let column = |p| axis.column_of(timeline.clocks().at(axis.clock, p));
    let columns = i64::from(axis.columns());
    let (first, last) = (column(run.from), column(run.to.unwrap_or(timeline.head())));
    if last < 0 || first >= columns || columns == 0 {
        return None;
    }
    let clamp = |c: i64| u16::try_from(c.clamp(0, columns - 1)).unwrap_or_default();
    Some(Extent {
        first: clamp(first),
        last: clamp(last),
        begins: first >= 0,
        ends: last < columns,
    })
}

/// What a column of a crowded lane holds.
fn crowd(lane: &Lane, axis: &Axis, column: u16) -> Option<(Glyph, bool)> {
    let (before, upto) = (axis.before(column), axis.upto(column));
    let start = lane.spans.partition_point(|run| run.from <= before);
    let end = lane.spans.partition_point(|run| run.from <= upto);
    let begun = lane.spans.get(start..end).unwrap_or_default();
    let failed = begun.iter().take(LOOK_BACK).any(|run| run.outcome == Outcome::Failed);
    let glyph = match begun {
        [] if run_at(lane, upto).is_none() => return None,
        [] => Glyph::RunLine,
        [_] => Glyph::RunPoint,
        _ => Glyph::RunMany,
    };
    Some((glyph, failed))
}

impl Track<'_> {
    /// Draws the runs of an agent.
    pub(super) fn agent(&self, runs: &Runs, color: Style, buffer: &mut Buffer) {
        match runs {
            Runs::Crowd(columns) => self.crowd(columns, color, buffer),
            Runs::Apart(runs) => {
                for (run, extent) in runs {
                    self.bar(run, *extent, color, buffer);
                }
            }
        }
    }

    /// Draws the phases.
    pub(super) fn phases(&self, runs: &Runs, buffer: &mut Buffer) {
        match runs {
            Runs::Crowd(columns) => {
                self.crowd(columns, self.theme.style(Role::Phase), buffer);
            }
            Runs::Apart(runs) => {
                for (run, extent) in runs {
                    self.block(run, *extent, buffer);
                }
            }
        }
    }

    fn bar(&self, run: &Span, extent: Extent, color: Style, buffer: &mut Buffer) {
        let theme = self.theme;
        let here = run.from <= self.playhead && run.to.is_none_or(|to| to >= self.playhead);
        let color = if here { color.add_modifier(Modifier::BOLD) } else { color };
        let blocked = run.outcome == Outcome::Blocked;
        let line = theme.glyph(if blocked { Glyph::RunBlocked } else { Glyph::RunLine });
        for column in extent.first..=extent.last {
            self.put(buffer, column, line, color, false);
        }
        if extent.begins && extent.first < extent.last {
            self.put(buffer, extent.first, theme.glyph(Glyph::RunStart), color, false);
        }
        let (glyph, role) = outcome_sign(run.outcome);
        if extent.ends {
            self.put(buffer, extent.last, theme.glyph(glyph), theme.style(role), true);
        }
    }

    fn block(&self, run: &Span, extent: Extent, buffer: &mut Buffer) {
        let theme = self.theme;
        let name = self.timeline.text(run.name);
        let here = run.from <= self.playhead && run.to.is_none_or(|to| to >= self.playhead);
        let color = theme.phase(name);
        let style = if here {
            theme.block(color, TINT.0).add_modifier(Modifier::BOLD)
        } else {
            theme.block(color, TINT.1)
        };
        let width = usize::from(extent.last - extent.first) + 1;
        let (glyph, role) = outcome_sign(run.outcome);
        let told = extent.ends && run.outcome != Outcome::Completed;
        let sign = told.then(|| theme.glyph(glyph));
        let closed = extent.ends && run.to.is_some();
        let mut body = block_text(name, width, extent.begins, closed, told);
        body.resize(width, " ".into());
        for (column, symbol) in (extent.first..=extent.last).zip(&body) {
            if symbol == SIGN {
                let style = style.patch(Style { bg: None, ..theme.style(role) });
                self.put(buffer, column, sign.unwrap_or(" "), style, true);
            } else {
                self.put(buffer, column, symbol, style, true);
            }
        }
    }

    /// Draws runs that are too many to be told apart.
    fn crowd(&self, columns: &[Option<(Glyph, bool)>], color: Style, buffer: &mut Buffer) {
        let failure = self.theme.style(Role::Failed);
        for (column, held) in (0..).zip(columns) {
            let Some((glyph, failed)) = held else { continue };
            let style = if *failed { failure } else { color };
            self.put(buffer, column, self.theme.glyph(*glyph), style, true);
        }
    }

    /// Draws a sign into a column; a line does not go over the sign of an end.
    fn put(&self, buffer: &mut Buffer, column: u16, symbol: &str, style: Style, over: bool) {
        let Some(cell) = buffer.cell_mut((self.x.saturating_add(column), self.y)) else { return };
        let is_line = |symbol: &str| {
            let mut lines = [Glyph::RunLine, Glyph::RunStart, Glyph::RunBlocked].into_iter();
            lines.any(|glyph| self.theme.glyph(glyph) == symbol)
        };
        if over || cell.symbol() == " " || is_line(cell.symbol()) {
            cell.set_symbol(symbol).set_style(style);
        }
    }
}

/// Up to how many columns a phase's name is cut without a sign that it was: more of it is told.
const BRIEF: usize = 4;
/// Stands in a block's text for the sign of how it ended.
const SIGN: &str = "\u{0}";

/// What stands in each column of a phase's block.
fn block_text(name: &str, width: usize, begins: bool, ends: bool, sign: bool) -> Vec<String> {
    let name = if name.is_empty() { "?" } else { name };
    let sign_cell = |yes: bool| yes.then(|| SIGN.to_owned());
    match width {
        0 => Vec::new(),
        1 => vec![sign_cell(sign).unwrap_or_else(|| text::cut(first_letter(name), 1))],
        2 => vec![
            "[".to_owned(),
            sign_cell(sign).unwrap_or_else(|| text::cut(first_letter(name), 1)),
        ],
        _ => {
            let (open, close) = (if begins { "[" } else { " " }, if ends { "]" } else { " " });
            let room = width - 2;
            // The sign goes behind the name, or before all where only one of them fits.
            let room = room.saturating_sub(usize::from(sign));
            let name =
                if room <= BRIEF { text::window(name, 0, room) } else { text::cut(name, room) };
            let mut letters = letters(&text::pad(&name, room));
            letters.extend(sign_cell(sign));
            let mut body = vec![open.to_owned()];
            body.append(&mut letters);
            body.push(close.to_owned());
            body
        }
    }
}

fn first_letter(name: &str) -> &str {
    use unicode_segmentation::UnicodeSegmentation;
    name.graphemes(true).next().unwrap_or("?")
}

/// A text as one string per column; the second column of a wide character is empty.
fn letters(text: &str) -> Vec<String> {
    use unicode_segmentation::UnicodeSegmentation;
    use unicode_width::UnicodeWidthStr;
    let mut out = Vec::new();
    for letter in text.graphemes(true) {
        out.push(letter.to_owned());
        out.extend(std::iter::repeat_n(String::new(), letter.width().saturating_sub(1)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str, width: usize, sign: bool) -> String {
        block_text(name, width, true, true, sign).concat().replace(SIGN, "✗")
    }

    #[test]
    fn blocks_say_what_fits() {
        for (width, plain, failed) in [
            (1, "E", "✗"),
            (2, "[E", "[✗"),
            (3, "[E]", "[✗]"),
            (4, "[EX]", "[E✗]"),
            (9, "[EXPLORE]", "[EXPLO…✗]"),
            (12, "[EXPLORE   ]", "[EXPLORE  ✗]"),
        ] {
            assert_eq!(shown("EXPLORE", width, false), plain);
            assert_eq!(shown("EXPLORE", width, true), failed);
        }
    }
}
