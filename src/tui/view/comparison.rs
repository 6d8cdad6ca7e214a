//! Two runs side by side, over the whole screen; where there is little room, in one column.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::pen::{Pen, frame, lay};
use super::preview;
use crate::tui::app::App;
use crate::tui::comparison::{Comparison, Line, Seen};
use crate::tui::signs;
use crate::tui::text;
use crate::tui::theme::{Glyph, Role};

/// From so many columns on, each side has a column of its own.
const BESIDE: u16 = 100;
/// From so many columns on, a row shows the time.
const WITH_TIME: usize = 44;
/// The rows above the list: what is compared, and how it differs.
const HEAD: u16 = 2;

/// Where the list stands, with its frame.
fn body(size: (u16, u16)) -> Rect {
    Rect::new(0, HEAD, size.0, size.1.saturating_sub(HEAD + 1))
}

/// How many rows of the list are seen on a terminal of this size.
#[must_use]
pub fn height(size: (u16, u16)) -> usize {
    usize::from(body(size).height.saturating_sub(2))
}

/// Draws the screen but for its last line.
pub(super) fn draw(app: &App, comparison: &Comparison, buffer: &mut Buffer) {
    let (width, rows) = app.size;
    let area = Rect::new(0, 0, width, rows.saturating_sub(1)).intersection(buffer.area);
    ratatui::widgets::Widget::render(ratatui::widgets::Clear, area, buffer);
    buffer.set_style(area, app.theme.style(Role::Text));
    title(app, comparison, Pen::new(buffer, area, 0));
    verdict(app, comparison, Pen::new(buffer, area, 1));
    let body = body(app.size);
    if width < BESIDE {
        one_column(app, comparison, body, buffer);
    } else {
        two_columns(app, comparison, body, buffer);
    }
}

fn title(app: &App, comparison: &Comparison, mut pen: Pen<'_>) {
    let theme = &app.theme;
    let (both, only_a, only_b) = comparison.alignment.counts();
    let counts = format!("{both} in both, {only_a} only left, {only_b} only right ");
    if !pen.put_right(&counts, 50, theme.style(Role::Dim)) {
        pen.put_right(&format!("={both} -{only_a} +{only_b} "), 24, theme.style(Role::Dim));
    }
    let [a, b] = &comparison.names;
    let half = pen.room().saturating_sub(6) / 2;
    pen.put(" ", theme.style(Role::Text));
    pen.put(&text::cut(a, half), theme.style(Role::Removed)).skip(1);
    pen.put(theme.glyph(Glyph::Race), theme.style(Role::Dim)).skip(1);
    pen.put(&text::cut(b, half), theme.style(Role::Added));
}

/// The first path that differs, with both values.
fn verdict(app: &App, comparison: &Comparison, mut pen: Pen<'_>) {
    let theme = &app.theme;
    pen.put(" ", theme.style(Role::Text));
    let divergence = &comparison.divergence;
    if comparison.is_equal() {
        let same = "what happened, and what came of it, is the same";
        pen.put(same, theme.style(Role::Done));
        return;
    }
    let Some((path, a, b)) = &divergence.first_path else {
        pen.put("the states do not differ", theme.style(Role::Dim));
        return;
    };
    let more = divergence.changed.len();
    let more = format!("  {more} path{} differ at the end ", if more == 1 { "" } else { "s" });
    pen.put_right(&more, 70, theme.style(Role::Dim));
    pen.put("first ", theme.style(Role::Dim));
    let path = path.to_string();
    let room = pen.room() / 2;
    pen.put(&text::cut_start(&path, room), theme.style(Role::Changed)).skip(1);
    let shown = |value: &Option<crate::model::Value>, room: usize| {
        value.as_ref().map_or_else(|| "nothing".to_owned(), |v| preview::text(v, room))
    };
    let half = pen.room().saturating_sub(3) / 2;
    pen.put(&text::cut(&shown(a, half), half), theme.style(Role::Removed)).skip(1);
    pen.put(theme.glyph(Glyph::Race), theme.style(Role::Dim)).skip(1);
    pen.put(&text::cut(&shown(b, half), half), theme.style(Role::Added));
}

fn foot(comparison: &Comparison) -> String {
    let all = comparison.alignment.differences();
    match comparison.alignment.difference_at(comparison.cursor) {
        Some(which) => format!("difference {which}/{all}"),
        None if all == 1 => "1 difference".to_owned(),
        None => format!("{all} differences"),
    }
}

fn two_columns(app: &App, comparison: &Comparison, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let [a, b] = &comparison.names;
    let left = Rect { width: area.width / 2, ..area };
    let right = Rect { x: left.right(), width: area.width - left.width, ..area };
    let in_left = frame(buffer, left, theme, true, &[(a, Role::Title)], "");
    let in_right = frame(buffer, right, theme, true, &[(b, Role::Title)], &foot(comparison));
    for (row, seen) in comparison.seen.iter().enumerate() {
        let (sign_a, sign_b) = signs_of(seen);
        if let Some(line) = &seen.a {
            draw_line(app, line, sign_a, &mut Pen::new(buffer, in_left, row));
        }
        if let Some(line) = &seen.b {
            draw_line(app, line, sign_b, &mut Pen::new(buffer, in_right, row));
        }
        if seen.row == comparison.cursor {
            lay(buffer, in_left, row, theme.style(Role::Selection));
            lay(buffer, in_right, row, theme.style(Role::Selection));
        }
    }
    nothing(app, comparison, in_left, buffer);
}

fn one_column(app: &App, comparison: &Comparison, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let titles = [("both", Role::Title), ("- left  + right", Role::Dim)];
    let inner = frame(buffer, area, theme, true, &titles, &foot(comparison));
    for (row, seen) in comparison.seen.iter().enumerate() {
        let (sign_a, sign_b) = signs_of(seen);
        let (line, sign) = match (&seen.a, &seen.b) {
            (Some(line), _) => (line, sign_a),
            (None, Some(line)) => (line, sign_b),
            (None, None) => continue,
        };
        draw_line(app, line, sign, &mut Pen::new(buffer, inner, row));
        if seen.row == comparison.cursor {
            lay(buffer, inner, row, theme.style(Role::Selection));
        }
    }
    nothing(app, comparison, inner, buffer);
}

fn nothing(app: &App, comparison: &Comparison, area: Rect, buffer: &mut Buffer) {
    if comparison.alignment.rows() == 0 {
        let style = app.theme.style(Role::Dim);
        Pen::new(buffer, area, 1).skip(2).put("neither has any event", style);
    }
}

/// The sign of each side, and its meaning.
fn signs_of(seen: &Seen) -> ((&'static str, Role), (&'static str, Role)) {
    match (&seen.a, &seen.b) {
        (Some(_), Some(_)) => ((" ", Role::Text), (" ", Role::Text)),
        _ => (("-", Role::Removed), ("+", Role::Added)),
    }
}

fn draw_line(app: &App, line: &Line, (sign, role): (&str, Role), pen: &mut Pen<'_>) {
    let theme = &app.theme;
    let with_time = pen.room() >= WITH_TIME;
    pen.put(sign, theme.style(role));
    pen.number(&line.position.to_string(), 5, theme.style(Role::Dim)).skip(1);
    if with_time {
        pen.put(&line.at.time_of_day(), theme.style(Role::Dim)).skip(1);
    }
    let (glyph, own) = signs::event_sign(line.kind);
    pen.put(theme.glyph(glyph), theme.style(own)).skip(1);
    pen.put(&line.type_name, theme.style(role)).skip(1);
    pen.put(&line.summary, theme.style(Role::Dim));
}
