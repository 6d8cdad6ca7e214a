//! The timeline pane: phases and agents as lanes, telling events on a rail, how much happened
//! when, and where the screen stands, over one of four clocks.
//!
//! Lives here: the pane as a whole. May not live here: anything that walks over all events; each
//! column is found by binary search, and looks at a few events of its own.

mod axis;
mod ground;
mod layout;
mod outcomes;
mod playhead;
mod rail;
mod ruler;
mod runs;
mod window;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Widget};

use crate::model::Position;
use crate::session::filter::Fitting;
use crate::timeline::{ClockKind, Lane, LaneKind, Timeline};
use crate::tui::replay::Outcomes;
use crate::tui::text;
use crate::tui::theme::{Glyph, Role, Theme};
use crate::tui::whatif::BranchMarks;

use axis::Axis;
use ground::{Basis, Ground};
pub use ground::{Kept, LogId};
use layout::Layout;
pub use layout::wanted_height;
use runs::Track;
pub use window::TimelineView;

/// Where the log's head is, as seen from the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Head {
    /// Nothing is written at present, or it is not looked for.
    #[default]
    Still,
    /// The screen moves with the head.
    Following,
    /// The screen stands still, and the head went on.
    Ahead {
        /// How many events have come since.
        new: usize,
    },
}

/// What the timeline pane shows besides the log itself.
#[derive(Debug, Clone, Copy)]
pub struct TimelineScene<'a> {
    /// The log.
    pub timeline: &'a Timeline,
    /// Which log it is.
    pub log: LogId,
    /// What was made ready of it.
    pub kept: &'a Kept,
    /// The position that the screen shows.
    pub playhead: Position,
    /// The base of the diff; none for the previous event.
    pub base: Option<Position>,
    /// The user's marks.
    pub marks: &'a BTreeMap<String, Position>,
    /// Where breakpoints hit, in order.
    pub hits: &'a [Position],
    /// The events that take part in races, in order.
    pub races: &'a [Position],
    /// The events that fit the filter; none for no filter.
    pub fitting: Option<&'a Fitting>,
    /// What a what-if makes of the events.
    pub branch: Option<&'a BranchMarks>,
    /// What a replay makes of the events.
    pub outcomes: Option<&'a Outcomes>,
    /// Where the head is.
    pub head: Head,
    /// Whether the pane has the keys.
    pub focused: bool,
}

/// Draws the pane.
pub fn draw(
    view: &TimelineView,
    scene: &TimelineScene<'_>,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let area = area.intersection(buffer.area);
    if area.width < 2 || area.height < 2 {
        return;
    }
    let basis = Basis::of(scene.log, scene.timeline, view, area);
    let made;
    let ground = match scene.kept.get(basis) {
        Some(ground) => ground,
        // What was made ready is of something else: it is not looked at.
        None => {
            made = Ground::of(basis, scene.timeline);
            &made
        }
    };
    let pane = Pane { view, scene, theme, ground };
    buffer.set_style(area, theme.style(Role::Text));
    pane.frame(area, buffer);
    if ground.layout.inner.is_empty() {
        return;
    }
    if scene.timeline.head() == 0 {
        pane.nothing(buffer);
        return;
    }
    pane.lanes(buffer);
    pane.rail(buffer);
    pane.density(buffer);
    pane.ruler(buffer);
    outcomes::head(&pane, buffer);
    pane.upright(buffer);
}

struct Pane<'a> {
    view: &'a TimelineView,
    scene: &'a TimelineScene<'a>,
    theme: &'a Theme,
    ground: &'a Ground,
}

impl Pane<'_> {
    fn timeline(&self) -> &Timeline {
        self.scene.timeline
    }

    fn layout(&self) -> &Layout {
        &self.ground.layout
    }

    fn axis(&self) -> &Axis {
        &self.ground.axis
    }

    fn frame(&self, area: Rect, buffer: &mut Buffer) {
        let role = if self.scene.focused { Role::BorderFocused } else { Role::Border };
        let border = self.theme.style(role);
        let mut block = Block::bordered().border_style(border);
        block = block.title_top(self.title(usize::from(area.width.saturating_sub(2)), border));
        if let Some(more) = self.more_lanes(border) {
            block = block.title_bottom(more.right_aligned());
        }
        block.render(area, buffer);
        self.overview(area, buffer);
    }

    /// `timeline ── 10:30–14:32 ── clock: time ── ×4`, as far as there is room.
    fn title(&self, width: usize, border: Style) -> Line<'static> {
        let (title, dim) = if self.scene.focused {
            (self.theme.style(Role::TitleFocused), self.theme.style(Role::Text))
        } else {
            (self.theme.style(Role::Title), self.theme.style(Role::Dim))
        };
        let mut parts = vec![("timeline".to_owned(), title)];
        if self.timeline().head() > 0 {
            parts.push((axis::range_text(self.axis(), self.timeline()), dim));
            parts.push((self.clock_text(), dim));
            if !self.view.is_whole(self.timeline()) {
                let times = self.view.magnification(self.timeline());
                let text =
                    if times < 10.0 { format!("×{times:.1}") } else { format!("×{times:.0}") };
                parts.push((text, self.theme.style(Role::Accent)));
            }
        }
        let rule = self.theme.glyph(Glyph::Rule).repeat(2);
        let mut spans = vec![Span::styled(" ", border)];
        let mut used = 1;
        for (index, (text, style)) in parts.into_iter().enumerate() {
            let before = if index == 0 { String::new() } else { format!("{rule} ") };
            let columns = text::columns(&text, width) + text::columns(&before, width) + 1;
            if used + columns > width {
                break;
            }
            used += columns;
            spans.push(Span::styled(before, border));
            spans.push(Span::styled(format!("{text} "), style));
        }
        if used == 1 { Line::default() } else { Line::from(spans) }
    }

    fn clock_text(&self) -> String {
        let (asked, drawn) = (self.view.clock, self.axis().clock);
        if asked == drawn {
            return format!("clock: {drawn}");
        }
        let why = if asked == ClockKind::Cost { "no cost recorded" } else { "time stands still" };
        format!("clock: {drawn} ({why})")
    }

    /// How many lanes are scrolled out above and below.
    fn more_lanes(&self, border: Style) -> Option<Line<'static>> {
        let all = window::agent_count(self.timeline());
        let rows = self.layout().lane_rows();
        let above = self.view.lane_scroll.min(all.saturating_sub(rows));
        let below = all.saturating_sub(rows + above);
        if all == 0 || (above == 0 && below == 0) {
            return None;
        }
        let text = match (above, below) {
            _ if rows == 0 => format!("{all} lanes"),
            (0, below) => format!("{} +{below} more lanes", self.theme.glyph(Glyph::MoreDown)),
            (above, 0) => format!("{} +{above} more lanes", self.theme.glyph(Glyph::MoreUp)),
            (above, below) => format!(
                "{} {above} · {} +{below} more lanes",
                self.theme.glyph(Glyph::MoreUp),
                self.theme.glyph(Glyph::MoreDown)
            ),
        };
        Some(Line::from(vec![
            Span::styled(" ", border),
            Span::styled(text, self.theme.style(Role::Dim)),
            Span::styled(" ", border),
        ]))
    }

    /// On the lower border: which part of the whole is seen.
    fn overview(&self, area: Rect, buffer: &mut Buffer) {
        if self.view.is_whole(self.timeline()) || self.layout().axis.is_empty() {
            return;
        }
        let whole = self.axis().over_all(self.timeline());
        let (from, to) = (whole.column_of(self.axis().low), whole.column_of(self.axis().high));
        for column in from..=to {
            let Ok(column) = u16::try_from(column) else { continue };
            let at = (self.layout().axis.x.saturating_add(column), area.bottom() - 1);
            if column < self.layout().axis.width
                && let Some(cell) = buffer.cell_mut(at)
                && cell.symbol() == "─"
            {
                cell.set_symbol("━").set_style(self.theme.style(Role::Accent));
            }
        }
    }

    fn nothing(&self, buffer: &mut Buffer) {
        let inner = self.layout().inner;
        let text =
            text::cut("no events yet: lanes grow here as they come", usize::from(inner.width));
        let columns =
            u16::try_from(text::columns(&text, usize::from(inner.width))).unwrap_or(inner.width);
        let x = inner.x + (inner.width - columns) / 2;
        buffer.set_string(x, inner.y + (inner.height - 1) / 2, text, self.theme.style(Role::Dim));
    }

    fn label(&self, row: u16, name: &str, style: Style, buffer: &mut Buffer) {
        let width = usize::from(self.layout().label.saturating_sub(1));
        let name = text::cut_middle(name, width);
        buffer.set_stringn(self.layout().inner.x, row, name, width, style);
    }

    fn track(&self, y: u16) -> Track<'_> {
        let Self { scene, theme, .. } = self;
        let x = self.layout().axis.x;
        Track { timeline: scene.timeline, theme, playhead: scene.playhead, x, y }
    }

    fn lanes(&self, buffer: &mut Buffer) {
        let lanes = self.timeline().lanes().all();
        if let (Some(row), Some(phases)) = (self.layout().phase, lanes.first()) {
            self.label(row, LaneKind::Phase.name(), self.theme.style(Role::Dim), buffer);
            let runs = self.ground.runs(0, phases, self.timeline());
            self.track(row).phases(&runs, buffer);
        }
        let agents = self.ground.agents(self.view, self.timeline());
        for (row, index) in (self.layout().lanes.0..).zip(agents) {
            let Some(lane) = lanes.get(index + 1) else { break };
            self.label(row, self.timeline().text(lane.name), self.name_style(lane), buffer);
            let runs = self.ground.runs(index + 1, lane, self.timeline());
            self.track(row).agent(&runs, self.theme.agent(index), buffer);
            outcomes::lane(self, lane, row, buffer);
        }
    }

    /// Agents that run at the playhead stand out, the one that the event speaks of most.
    fn name_style(&self, lane: &Lane) -> Style {
        let current =
            self.timeline().row(self.scene.playhead).is_some_and(|row| row.agent == lane.name);
        let runs = runs::run_at(lane, self.scene.playhead).is_some();
        self.theme.style(match (current, runs) {
            (true, _) => Role::Strong,
            (_, true) => Role::Text,
            _ => Role::Dim,
        })
    }

    fn rail(&self, buffer: &mut Buffer) {
        let Some(row) = self.layout().rail else { return };
        self.label(row, "rail", self.theme.style(Role::Dim), buffer);
        let signs = rail::signs(self.axis(), &self.ground.told, self.scene);
        for (column, sign) in (self.layout().axis.x..).zip(signs) {
            let Some(cell) = buffer.cell_mut((column, row)) else { continue };
            match sign {
                Some(sign) => {
                    let (glyph, role) = sign.look();
                    cell.set_symbol(self.theme.glyph(glyph)).set_style(self.theme.style(role));
                }
                None => {
                    cell.set_symbol(self.theme.glyph(Glyph::Event));
                    cell.set_style(self.theme.style(Role::Faint));
                }
            }
        }
    }

    fn density(&self, buffer: &mut Buffer) {
        let Some((top, rows)) = self.layout().density else { return };
        let name = rail::strip_name(self.axis().clock);
        self.label(top + rows - 1, name, self.theme.style(Role::Dim), buffer);
        let bars = self.theme.bars();
        for (column, height) in (self.layout().axis.x..).zip(&self.ground.heights) {
            for row in 0..rows {
                if let Some(bar) = rail::bar(*height, row, &bars)
                    && let Some(cell) = buffer.cell_mut((column, top + rows - 1 - row))
                {
                    cell.set_symbol(bar).set_style(self.theme.style(Role::Density));
                }
            }
        }
    }

    fn ruler(&self, buffer: &mut Buffer) {
        let row = self.layout().ruler;
        let rule = self.theme.glyph(Glyph::Rule);
        let faint = self.theme.style(Role::Faint);
        self.label(row, &self.place_text(), self.theme.style(Role::Dim), buffer);
        let ruler = ruler::Ruler::of(self.scene, self.ground, self.theme);
        for (column, cell) in (self.layout().axis.x..).zip(ruler.cells()) {
            let (symbol, style) = cell.unwrap_or((rule, faint));
            if let Some(cell) = buffer.cell_mut((column, row)) {
                cell.set_symbol(symbol).set_style(style);
            }
        }
    }

    /// Where the playhead stands, in the clock's own terms.
    fn place_text(&self) -> String {
        axis::reading_text(self.axis().clock, self.scene.playhead, self.timeline())
    }
}
