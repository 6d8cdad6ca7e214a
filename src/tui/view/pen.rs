//! Writing on one row of the screen, from the left and from the right.
//!
//! Lives here: the pen and the frame of a pane. May not live here: what is written. Every text goes
//! through [`text`], so nothing foreign reaches the terminal raw.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Block, Widget};
use unicode_width::UnicodeWidthStr;

use crate::tui::text;
use crate::tui::theme::{Role, Theme};

/// A row that is being written.
pub(super) struct Pen<'a> {
    buffer: &'a mut Buffer,
    x: u16,
    right: u16,
    y: u16,
}

impl<'a> Pen<'a> {
    /// A pen at the left of row `row` of an area.
    pub(super) fn new(buffer: &'a mut Buffer, area: Rect, row: usize) -> Self {
        let area = area.intersection(buffer.area);
        let row = u16::try_from(row).unwrap_or(u16::MAX);
        let right = if row < area.height { area.right() } else { area.x };
        Self { buffer, x: area.x, right, y: area.y.saturating_add(row) }
    }

    /// How many columns are left.
    pub(super) fn room(&self) -> usize {
        usize::from(self.right.saturating_sub(self.x))
    }

    /// Writes as much of `text` as fits.
    pub(super) fn put(&mut self, text: &str, style: Style) -> &mut Self {
        if text.len() <= self.room() && text::is_plain(text) {
            self.write_plain(text, style);
        } else {
            let shown = text::cut(text, self.room());
            self.write(&shown, style);
        }
        self
    }

    /// Writes `text` in exactly so many columns, as far as there is room.
    pub(super) fn field(&mut self, text: &str, columns: usize, style: Style) -> &mut Self {
        let shown = text::pad(text, columns.min(self.room()));
        self.write(&shown, style);
        self
    }

    /// Writes `text` at the right of exactly so many columns, as far as there is room.
    pub(super) fn number(&mut self, text: &str, columns: usize, style: Style) -> &mut Self {
        let shown = text::pad_start(text, columns.min(self.room()));
        self.write(&shown, style);
        self
    }

    /// Leaves columns blank.
    pub(super) fn skip(&mut self, columns: usize) -> &mut Self {
        let columns = u16::try_from(columns.min(self.room())).unwrap_or_default();
        self.x += columns;
        self
    }

    /// Moves to `columns` from `left`, if that is further right.
    pub(super) fn at_column(&mut self, column: u16) -> &mut Self {
        self.x = self.x.max(column).min(self.right);
        self
    }

    /// Writes `text` at the right end, if it fits as a whole beside `least` columns; the row ends
    /// before it then.
    pub(super) fn put_right(&mut self, text: &str, least: usize, style: Style) -> bool {
        let wide = text::columns(text, self.room() + 1);
        if wide == 0 || wide + least > self.room() {
            return false;
        }
        let from = self.right - u16::try_from(wide).unwrap_or_default();
        Pen { buffer: self.buffer, x: from, ..*self }.put(text, style);
        self.right = from;
        true
    }

    /// Writes plain text that fits. Most text is: without looking for clusters and measuring them
    /// it costs a fraction.
    fn write_plain(&mut self, text: &str, style: Style) {
        for at in 0..text.len() {
            if let (Some(cell), Some(letter)) =
                (self.buffer.cell_mut((self.x, self.y)), text.get(at..=at))
            {
                cell.set_symbol(letter).set_style(style);
            }
            self.x += 1;
        }
    }

    fn write(&mut self, shown: &str, style: Style) {
        if shown.len() <= self.room() && text::is_plain(shown) {
            return self.write_plain(shown, style);
        }
        self.buffer.set_stringn(self.x, self.y, shown, self.room(), style);
        let used = u16::try_from(shown.width()).unwrap_or(u16::MAX);
        self.x = self.x.saturating_add(used).min(self.right);
    }
}

/// Lays a style over one row of an area.
pub(super) fn lay(buffer: &mut Buffer, area: Rect, row: usize, style: Style) {
    if let Some(y) = u16::try_from(row).ok().filter(|row| *row < area.height) {
        buffer.set_style(Rect { y: area.y + y, height: 1, ..area }, style);
    }
}

/// Draws the frame of a pane with its title, and gives what is inside.
pub(super) fn frame(
    buffer: &mut Buffer,
    area: Rect,
    theme: &Theme,
    focused: bool,
    title: &[(&str, Role)],
    foot: &str,
) -> Rect {
    let (border, own) = if focused {
        (Role::BorderFocused, Role::TitleFocused)
    } else {
        (Role::Border, Role::Title)
    };
    let block = Block::bordered().border_style(theme.style(border));
    let inner = block.inner(area);
    block.render(area, buffer);
    let top = Rect { x: area.x + 1, width: area.width.saturating_sub(2), height: 1, ..area };
    let mut pen = Pen::new(buffer, top, 0);
    for (at, (text, role)) in title.iter().enumerate().filter(|(_, (text, _))| !text.is_empty()) {
        pen.put(" ", theme.style(border));
        pen.put(text, theme.style(if at == 0 { own } else { *role }));
    }
    pen.put(" ", theme.style(border));
    if !foot.is_empty() && area.height > 1 {
        let bottom = Rect { y: area.bottom() - 1, ..top };
        let mut pen = Pen::new(buffer, bottom, 0);
        pen.put_right(&format!(" {foot} "), 0, theme.style(Role::Dim));
    }
    inner
}
