//! Writing on one row of the screen, from the left and from the right.
//!
//! Lives here: the pen and the frame of a pane. May not live here: what is written. Every text goes
//! through [`text`], so nothing foreign reaches the terminal raw.

use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::style::Style;
use ratatui::symbols::border;
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
        if text::simple_columns(text, self.room()).is_some() {
            self.write_simple(text, style);
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

    /// Writes text of simple signs that fits. Most text is: without looking for clusters and
    /// measuring them it costs a fraction.
    fn write_simple(&mut self, text: &str, style: Style) {
        let mut rest = text;
        while let Some(sign) = rest.chars().next() {
            let (symbol, after) = rest.split_at(sign.len_utf8());
            if let Some(cell) = self.buffer.cell_mut((self.x, self.y)) {
                cell.set_symbol(symbol).set_style(style);
            }
            self.x += 1;
            rest = after;
        }
    }

    fn write(&mut self, shown: &str, style: Style) {
        if text::simple_columns(shown, self.room()).is_some() {
            return self.write_simple(shown, style);
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
    let inner = border_of(buffer, area, theme.style(border));
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

/// Draws a line around an area, and gives what is inside. (The block of the screen's library lays its
/// style over all of the area first, which is most of what it costs.)
fn border_of(buffer: &mut Buffer, area: Rect, style: Style) -> Rect {
    let area = area.intersection(buffer.area);
    let (Some(right), Some(bottom)) = (area.width.checked_sub(1), area.height.checked_sub(1))
    else {
        return area;
    };
    let (right, bottom) = (area.x + right, area.y + bottom);
    let set = border::PLAIN;
    let mut put = |x: u16, y: u16, sign: &str| {
        if let Some(cell) = buffer.cell_mut((x, y)) {
            cell.set_symbol(sign).set_style(style);
        }
    };
    for x in area.x..=right {
        put(x, area.y, set.horizontal_top);
        put(x, bottom, set.horizontal_bottom);
    }
    for y in area.y..=bottom {
        put(area.x, y, set.vertical_left);
        put(right, y, set.vertical_right);
    }
    put(area.x, area.y, set.top_left);
    put(right, area.y, set.top_right);
    put(area.x, bottom, set.bottom_left);
    put(right, bottom, set.bottom_right);
    area.inner(Margin::new(1, 1))
}
