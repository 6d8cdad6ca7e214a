//! The lines that go through all rows, and what they must not hide.
//!
//! Lives here: playhead and ghost head. May not live here: the playhead of a replay (see
//! [`super::outcomes`]).

use ratatui::buffer::Buffer;
use ratatui::style::Modifier;

use super::{Head, Pane};
use crate::tui::theme::{Glyph, Role};

impl Pane<'_> {
    /// The lines that go through all rows: playhead and ghost head. Signs under the playhead stay,
    /// on its ground.
    pub(super) fn upright(&self, buffer: &mut Buffer) {
        let rows = self.layout().inner.y..self.layout().ruler;
        let playhead = self.axis().nearest_column(self.timeline(), self.scene.playhead);
        let head = self.axis().column(self.timeline(), self.timeline().head());
        if let (Head::Ahead { .. }, Some(head)) = (self.scene.head, head)
            && head != playhead
        {
            for row in rows.clone() {
                let at = (self.layout().axis.x.saturating_add(head), row);
                if let Some(cell) = buffer.cell_mut(at).filter(|cell| self.is_ground(cell.symbol()))
                {
                    cell.set_symbol(self.theme.glyph(Glyph::Ghost))
                        .set_style(self.theme.style(Role::Ghost));
                }
            }
        }
        for row in rows {
            let at = (self.layout().axis.x.saturating_add(playhead), row);
            let Some(cell) = buffer.cell_mut(at) else { continue };
            if self.is_telling(cell.symbol(), row) {
                let ground = self.theme.style(Role::Selection);
                cell.set_style(ground.add_modifier(Modifier::BOLD));
            } else {
                cell.set_symbol(self.theme.glyph(Glyph::Playhead))
                    .set_style(self.theme.style(Role::Playhead));
            }
        }
    }

    pub(super) fn is_ground(&self, symbol: &str) -> bool {
        symbol == " " || symbol == self.theme.glyph(Glyph::Event)
    }

    /// Whether a sign says something that the playhead must not hide: on the rail, and where a run
    /// ends.
    pub(super) fn is_telling(&self, symbol: &str, row: u16) -> bool {
        let ends = [
            Glyph::RunEnd,
            Glyph::Failed,
            Glyph::Blocked,
            Glyph::Cancelled,
            Glyph::HandedOff,
            Glyph::Running,
        ];
        if self.layout().rail == Some(row) {
            !self.is_ground(symbol)
        } else if self.layout().phase == Some(row) || row < self.layout().rail.unwrap_or(0) {
            ends.iter().any(|glyph| self.theme.glyph(*glyph) == symbol)
        } else {
            false
        }
    }
}
