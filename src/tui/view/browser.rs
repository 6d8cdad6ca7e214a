//! The list of issues, drawn.
//!
//! Lives here: what stands in frame, heads and rows. May not live here: order, filter and selection
//! (see [`crate::tui::browser`]). Only the rows that are seen are formatted.

mod columns;
mod words;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Widget};

use crate::tui::browser::{Browser, Row};
use crate::tui::signs::status_sign;
use crate::tui::text;
use crate::tui::theme::{Glyph, Role, Theme};

use columns::{Column, Placed, fit};
use words::{age, counted, short, sparkline};

/// The row of the screen on which the first issue stands: below the frame and the heads.
pub const FIRST_ROW: u16 = 2;
/// The rows of the screen that are no issues: the frame, the heads, and the status line below.
const OTHER_ROWS: u16 = 4;

/// How many issues a screen of so many rows shows.
#[must_use]
pub fn list_rows(height: u16) -> usize {
    usize::from(height.saturating_sub(OTHER_ROWS))
}

/// Draws the list.
pub fn draw(browser: &Browser, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let area = area.intersection(buffer.area);
    if area.width < 4 || area.height < 3 {
        return;
    }
    buffer.set_style(area, theme.style(Role::Text));
    let list = List { browser, theme, area };
    list.frame(buffer);
    let inner = Rect {
        x: area.x + 2,
        y: area.y + 1,
        width: area.width.saturating_sub(4),
        height: area.height - 2,
    };
    let columns = fit(usize::from(inner.width), browser.key_columns());
    list.heads(inner, &columns, buffer);
    let rows = usize::from(inner.height.saturating_sub(1));
    let top = browser.top_for(rows);
    let ys = inner.y + 1..inner.bottom();
    for (y, row) in ys.zip(browser.rows(top, rows)) {
        list.row(&row, Rect { y, height: 1, ..inner }, &columns, buffer);
    }
    if browser.counts().1 == 0 {
        list.nothing(inner, buffer);
    }
    list.scrolled(top, rows, buffer);
}

struct List<'a> {
    browser: &'a Browser,
    theme: &'a Theme,
    area: Rect,
}

impl List<'_> {
    fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    fn frame(&self, buffer: &mut Buffer) {
        let border = self.style(Role::BorderFocused);
        let width = usize::from(self.area.width.saturating_sub(2));
        let left = self.title();
        let mut right = self.totals();
        let room = width.saturating_sub(left.width() + 2);
        while right.len() > 1 && Line::from(right.clone()).width() > room {
            // The less telling numbers stand at the end.
            right.truncate(right.len() - 2);
        }
        let mut block = Block::bordered().border_style(border).title_top(left);
        if Line::from(right.clone()).width() + 2 <= room {
            right.insert(0, Span::styled(" ", border));
            right.push(Span::styled(" ", border));
            block = block.title_top(Line::from(right).right_aligned());
        }
        if let Some(fault) = self.browser.fault() {
            let text = text::cut(fault, width.saturating_sub(5));
            let text = format!(" {} {text} ", self.theme.glyph(Glyph::Anomaly));
            block = block.title_bottom(Line::styled(text, self.style(Role::Failed)));
        }
        block.render(self.area, buffer);
    }

    /// `issues`, and what is typed to find some.
    fn title(&self) -> Line<'static> {
        let border = self.style(Role::BorderFocused);
        let mut spans = vec![
            Span::styled(" ", border),
            Span::styled("issues", self.style(Role::TitleFocused)),
            Span::styled(" ", border),
        ];
        let (before, behind) = self.browser.filter().halves();
        if self.browser.is_typing() || !before.is_empty() || !behind.is_empty() {
            let most = usize::from(self.area.width / 3);
            let rule = self.theme.glyph(Glyph::Rule).repeat(2);
            spans.push(Span::styled(format!("{rule} "), border));
            spans.push(Span::styled("/", self.style(Role::Accent)));
            spans.push(Span::styled(text::cut_start(before, most), self.style(Role::Strong)));
            if self.browser.is_typing() {
                let mut letters = behind.chars();
                let under = letters
                    .next()
                    .map_or(" ".to_owned(), |c| text::cut(c.encode_utf8(&mut [0; 4]), 2));
                let cursor = self.style(Role::Strong).add_modifier(Modifier::REVERSED);
                spans.push(Span::styled(under, cursor));
                spans.push(Span::styled(
                    text::cut(letters.as_str(), most),
                    self.style(Role::Strong),
                ));
            } else {
                spans.push(Span::styled(text::cut(behind, most), self.style(Role::Strong)));
            }
            spans.push(Span::styled(" ", border));
        }
        Line::from(spans)
    }

    /// `3 of 12 · ● 2 live · 5,231 events · 14 errors`, as spans: number, separator, number, …
    fn totals(&self) -> Vec<Span<'static>> {
        let (all, listed) = self.browser.counts();
        let (dim, faint) = (self.style(Role::Dim), self.style(Role::Faint));
        let count =
            if all == listed { counted(all as u64, "issue") } else { format!("{listed} of {all}") };
        let mut spans = vec![Span::styled(count, dim)];
        let mut add = |text: String, style: Style| {
            spans.push(Span::styled(format!(" {} ", self.theme.glyph(Glyph::Event)), faint));
            spans.push(Span::styled(text, style));
        };
        if !self.browser.is_complete() {
            add("loading".to_owned(), self.style(Role::Running));
        }
        let live = self.browser.live();
        if live > 0 {
            add(format!("{} {live} live", self.theme.glyph(Glyph::Live)), self.style(Role::Live));
        }
        let totals = self.browser.totals();
        if totals.errors > 0 {
            add(counted(totals.errors, "error"), self.style(Role::Failed));
        }
        add(counted(totals.events, "event"), dim);
        spans
    }

    fn heads(&self, inner: Rect, columns: &[Placed], buffer: &mut Buffer) {
        let (key, reversed) = self.browser.sorting();
        for Placed { column, head, x, width } in columns {
            let sorted = Column::sorted_by(key) == *column;
            let style = self.style(if sorted { Role::Accent } else { Role::Dim });
            let arrow = self.theme.glyph(if reversed { Glyph::MoreUp } else { Glyph::MoreDown });
            // The column of statuses is too narrow for a word.
            let head = match (sorted, head.is_empty()) {
                (true, true) => arrow.to_owned(),
                (true, false) => format!("{head}{arrow}"),
                _ => (*head).to_owned(),
            };
            let text = if column.is_number() {
                text::pad_start(&head, *width)
            } else {
                text::pad(&head, *width)
            };
            put(buffer, inner, *x, *width, &text, style);
        }
    }

    fn row(&self, row: &Row<'_>, line: Rect, columns: &[Placed], buffer: &mut Buffer) {
        for place in columns {
            self.cell(row, *place, line, buffer);
        }
        if row.selected {
            let whole = Rect { x: line.x - 1, width: line.width + 2, ..line };
            buffer.set_style(whole, self.style(Role::Selection));
        }
    }

    fn cell(&self, row: &Row<'_>, place: Placed, line: Rect, buffer: &mut Buffer) {
        let Placed { column, x, width, .. } = place;
        let card = row.card;
        let (dim, faint) = (self.style(Role::Dim), self.style(Role::Faint));
        let none = || (self.theme.glyph(Glyph::Event).to_owned(), faint);
        let (text, style) = match column {
            Column::Live if row.live => {
                (self.theme.glyph(Glyph::Live).to_owned(), self.style(Role::Live))
            }
            Column::Live => return,
            Column::Status => {
                let (glyph, role) = if card.fault.is_some() {
                    (Glyph::Anomaly, Role::Anomaly)
                } else {
                    status_sign(&card.status)
                };
                (self.theme.glyph(glyph).to_owned(), self.style(role))
            }
            Column::Key => (text::cut_middle(&card.issue_key, width), self.style(Role::Strong)),
            Column::Summary => match &card.fault {
                Some(fault) => (fault.clone(), self.style(Role::Anomaly)),
                None => (card.summary.clone(), self.style(Role::Text)),
            },
            Column::Phase => (card.phase.clone(), self.theme.phase(&card.phase)),
            Column::Agents if card.agents == 0 => none(),
            Column::Agents if card.agents_running == 0 => (short(card.agents as u64), dim),
            Column::Agents => {
                let all = short(card.agents as u64);
                (format!("{}/{all}", short(card.agents_running as u64)), self.style(Role::Running))
            }
            Column::Events => (short(card.events), self.style(Role::Text)),
            Column::Errors if card.errors == 0 => none(),
            Column::Errors => (short(card.errors), self.style(Role::Failed)),
            Column::Activity => {
                (sparkline(&card.activity, width, &self.theme.bars()), self.style(Role::Density))
            }
            Column::Age => {
                (card.last.map_or_else(String::new, |last| age(last, self.browser.now())), dim)
            }
        };
        if column == Column::Summary {
            let spans = text::spans(&text, width, style, self.style(Role::Escape));
            let at = (line.x + u16::try_from(x).unwrap_or(0), line.y);
            buffer.set_line(
                at.0,
                at.1,
                &Line::from(spans),
                u16::try_from(width).unwrap_or(u16::MAX),
            );
            return;
        }
        let text = if column.is_number() {
            text::pad_start(&text, width)
        } else {
            text::cut(&text, width)
        };
        put(buffer, line, x, width, &text, style);
    }

    /// What to say instead of an empty list.
    fn nothing(&self, inner: Rect, buffer: &mut Buffer) {
        let filter = text::cut(self.browser.filter().text(), 30);
        let (all, _) = self.browser.counts();
        let (what, hint) = match (all, self.browser.is_complete()) {
            (0, _) if self.browser.fault().is_some() => {
                ("the store cannot be read".to_owned(), "it is tried again when something changes")
            }
            (0, false) => ("reading the store…".to_owned(), ""),
            (0, true) => (
                "no issues yet: the first appended event makes one".to_owned(),
                "chronoscope demo shows what it looks like",
            ),
            _ => (format!("no issue fits “{filter}”"), "esc shows all"),
        };
        let middle = inner.y + inner.height / 2;
        for (y, text, role) in [(middle, what.as_str(), Role::Text), (middle + 1, hint, Role::Dim)]
        {
            if y <= inner.y || y >= inner.bottom() {
                continue;
            }
            let width = usize::from(inner.width);
            let text = text::cut(text, width);
            let x = (width - text::columns(&text, width)) / 2;
            put(buffer, Rect { y, height: 1, ..inner }, x, width - x, &text, self.style(role));
        }
    }

    /// On the right border: which part of the list is seen.
    fn scrolled(&self, top: usize, rows: usize, buffer: &mut Buffer) {
        let all = self.browser.counts().1;
        if all <= rows || rows == 0 {
            return;
        }
        let (first, last) = (top * rows / all, ((top + rows) * rows).div_ceil(all));
        for row in first..last.max(first + 1).min(rows) {
            let y = self.area.y + FIRST_ROW + u16::try_from(row).unwrap_or(0);
            if let Some(cell) = buffer.cell_mut((self.area.right() - 1, y)) {
                cell.set_symbol(self.theme.glyph(Glyph::Playhead))
                    .set_style(self.style(Role::BorderFocused));
            }
        }
    }
}

fn put(buffer: &mut Buffer, line: Rect, x: usize, width: usize, text: &str, style: Style) {
    let x = line.x.saturating_add(u16::try_from(x).unwrap_or(u16::MAX));
    if x < line.right() {
        buffer.set_stringn(x, line.y, text, width, style);
    }
}
