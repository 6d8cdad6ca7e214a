//! What a replay makes of the events, in the agents' lanes, and how far it is.

use ratatui::buffer::Buffer;

use super::Pane;
use super::rail::any_between;
use crate::timeline::Lane;
use crate::tui::replay::Outcomes;
use crate::tui::signs::ReplayMark;
use crate::tui::theme::{Glyph, Role};

/// Draws the outcomes of an agent's events over its lane, the most important of each column.
pub(super) fn lane(pane: &Pane<'_>, lane: &Lane, row: u16, buffer: &mut Buffer) {
    let Some(marks) = pane.scene.outcomes.and_then(|o| o.marks_of(lane.name)) else { return };
    for column in 0..pane.axis().columns() {
        let (first, last) = (pane.axis().before(column) + 1, pane.axis().upto(column));
        if first > last {
            continue;
        }
        let there = |mark: &ReplayMark| any_between(marks.of(*mark), first, last);
        let Some(mark) = ReplayMark::ALL.into_iter().find(there) else { continue };
        if let Some(cell) = buffer.cell_mut((pane.layout().axis.x.saturating_add(column), row)) {
            // How a run ended tells more than that nothing was done about one of its events.
            if mark == ReplayMark::Skipped && pane.is_telling(cell.symbol(), row) {
                continue;
            }
            let (glyph, role) = mark.look();
            cell.set_symbol(pane.theme.glyph(glyph)).set_style(pane.theme.style(role));
        }
    }
}

/// Draws a second playhead where the replay is.
pub(super) fn head(pane: &Pane<'_>, buffer: &mut Buffer) {
    let Some(last) = pane.scene.outcomes.and_then(Outcomes::last) else { return };
    let Some(column) = pane.axis().column(pane.timeline(), last) else { return };
    for row in pane.layout().inner.y..=pane.layout().ruler {
        let at = (pane.layout().axis.x.saturating_add(column), row);
        let on_ruler = row == pane.layout().ruler;
        let free = |symbol: &str| {
            pane.is_ground(symbol) || (on_ruler && symbol == pane.theme.glyph(Glyph::Rule))
        };
        if let Some(cell) = buffer.cell_mut(at).filter(|cell| free(cell.symbol())) {
            cell.set_symbol(pane.theme.glyph(Glyph::ReplayHead))
                .set_style(pane.theme.style(Role::Running));
        }
    }
}
