//! The tree of the state, each row with its value, the position that last wrote it, and by whom.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::pen::{Pen, frame, lay};
use super::preview;
use crate::model::{Position, Value};
use crate::tui::app::App;
use crate::tui::debugger::Debugger;
use crate::tui::layout::Pane;
use crate::tui::pane::state::{PinRow, StateRow, Touch};
use crate::tui::signs;
use crate::tui::theme::{Glyph, Role, Theme};

/// How many columns the writer's name takes, and how many where there is plenty of room.
const WRITER_COLUMNS: (usize, usize) = (12, 18);
/// From so many columns on, there is.
const PLENTY: usize = 76;
/// From so many columns on, the writer's name is shown beside the position.
const WITH_WRITER: usize = 44;

/// Draws the pane.
pub(super) fn draw(app: &App, debugger: &Debugger, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let focused = debugger.focus == Pane::State;
    let title = format!("@{}", debugger.playhead);
    let (total, top) = debugger.state.extent();
    let seen = debugger.state.rows.len();
    let foot = if seen < total {
        format!("{}–{} of {total}", top + 1, top + seen)
    } else {
        String::new()
    };
    let origin = debugger.snapshot.map(|at| format!("from snapshot @{at}")).unwrap_or_default();
    let titles =
        [("state", Role::Title), (title.as_str(), Role::Dim), (origin.as_str(), Role::Ghost)];
    let inner = frame(buffer, area, theme, focused, &titles, &foot);
    let selected = debugger.state.cursor().0;
    let pins = debugger.state.pins.len();
    for (row, pin) in debugger.state.pins.iter().enumerate() {
        draw_pin(app, debugger, pin, Pen::new(buffer, inner, row));
        select(theme, buffer, inner, row, row == selected, focused);
    }
    let values = inner.x + value_column(&debugger.state.rows, inner.width);
    for (at, line) in debugger.state.rows.iter().enumerate() {
        let row = pins + at;
        draw_row(app, debugger, line, Pen::new(buffer, inner, row), values);
        select(theme, buffer, inner, row, pins + top + at == selected, focused);
    }
    if total == 0 {
        let waiting = debugger.waiting_text().filter(|_| debugger.is_waiting());
        let text = waiting.as_deref().unwrap_or("nothing is true yet");
        Pen::new(buffer, inner, pins + 1).skip(2).put(text, theme.style(Role::Dim));
    }
}

fn select(
    theme: &Theme,
    buffer: &mut Buffer,
    inner: Rect,
    row: usize,
    selected: bool,
    focused: bool,
) {
    if selected {
        let role = if focused { Role::Selection } else { Role::SelectionUnfocused };
        lay(buffer, inner, row, theme.style(role));
    }
}

fn draw_row(app: &App, debugger: &Debugger, line: &StateRow, mut pen: Pen<'_>, values: u16) {
    let theme = &app.theme;
    touch(theme, line.touch, &mut pen);
    writer(app, debugger, line.writer, line.touch, &mut pen);
    pen.skip(2 * line.row.path.depth().saturating_sub(1));
    let twisty = match line.row.open {
        Some(true) => theme.glyph(Glyph::Open),
        Some(false) => theme.glyph(Glyph::Closed),
        None => " ",
    };
    pen.put(twisty, theme.style(Role::Faint)).skip(1);
    let key = line.row.path.last().map_or("", |key| key.as_str());
    super::marked_text(app, key, key_role(line), &mut pen);
    pen.skip(1).at_column(values);
    draw_value(app, key, &line.row.value, line.row.open == Some(true), &mut pen);
}

/// How far from the left values stand, so that they are under each other: behind the longest key
/// that is seen, but not beyond the middle.
fn value_column(rows: &[StateRow], width: u16) -> u16 {
    let middle = width / 2;
    let end_of_key = |line: &StateRow| {
        let key = line.row.path.last().map_or("", |key| key.as_str());
        let indent = 2 * line.row.path.depth().saturating_sub(1);
        3 + indent + crate::tui::text::columns(key, middle.into()) + 1
    };
    let widest = rows.iter().map(end_of_key).filter(|end| *end <= middle.into()).max();
    u16::try_from(widest.unwrap_or_default()).unwrap_or(middle)
}

fn key_role(line: &StateRow) -> Role {
    match line.touch {
        Some(Touch::Added) => Role::Added,
        Some(Touch::Changed) => Role::Changed,
        _ => Role::Key,
    }
}

fn draw_pin(app: &App, debugger: &Debugger, pin: &PinRow, mut pen: Pen<'_>) {
    let theme = &app.theme;
    touch(theme, pin.touch, &mut pen);
    writer(app, debugger, pin.writer, pin.touch, &mut pen);
    pen.put(theme.glyph(Glyph::Pin), theme.style(Role::Accent)).skip(1);
    let room = pen.room() * 3 / 5;
    let path = crate::tui::text::cut_start(&pin.path.to_string(), room);
    pen.put(&path, theme.style(Role::Key)).skip(2);
    match &pin.value {
        Some(value) => {
            let key = pin.path.last().map_or("", |key| key.as_str());
            draw_value(app, key, value, false, &mut pen);
        }
        None => {
            pen.put("not there", theme.style(Role::Dim));
        }
    }
}

/// What the current event did to the row, as a sign before it.
fn touch(theme: &Theme, touch: Option<Touch>, pen: &mut Pen<'_>) {
    let (sign, role) = match touch {
        Some(Touch::Added) => (theme.glyph(Glyph::Added), Role::Added),
        Some(Touch::Changed) => (theme.glyph(Glyph::Changed), Role::Changed),
        Some(Touch::Below) => (theme.glyph(Glyph::Event), Role::Changed),
        None => (" ", Role::Text),
    };
    pen.put(sign, theme.style(role));
}

/// The position that last wrote the row and who that was, at the right.
fn writer(
    app: &App,
    debugger: &Debugger,
    writer: Option<Position>,
    touch: Option<Touch>,
    pen: &mut Pen<'_>,
) {
    let theme = &app.theme;
    let digits = debugger.head().max(1).ilog10() as usize + 1;
    let wide = pen.room() >= WITH_WRITER;
    let columns = match pen.room() {
        PLENTY.. => WRITER_COLUMNS.1,
        WITH_WRITER.. => WRITER_COLUMNS.0,
        _ => 0,
    };
    let text = writer.map_or_else(
        || " ".repeat(digits + if wide { columns + 3 } else { 0 }),
        |position| {
            let timeline = debugger.session.timeline();
            let actor = timeline.row(position).map_or("", |row| timeline.text(row.actor));
            let sign = theme.glyph(Glyph::WrittenBy);
            if wide {
                let actor = crate::tui::text::pad(actor, columns);
                format!("{position:>digits$} {sign} {actor}")
            } else {
                format!("{position:>digits$}")
            }
        },
    );
    let role = if touch.is_some_and(|t| t != Touch::Below) { Role::Changed } else { Role::Writer };
    if pen.put_right(&text, 16, theme.style(role)) {
        pen.put_right(" ", 0, Style::new());
    }
}

/// A value, as much of it as there is room for.
fn draw_value(app: &App, key: &str, value: &Value, open: bool, pen: &mut Pen<'_>) {
    let theme = &app.theme;
    match value {
        Value::Map(map) => {
            let status = value.get("status").and_then(Value::as_str).filter(|_| !open);
            match status {
                Some(status) => draw_status(theme, status, pen),
                None => {
                    let text = if map.is_empty() { "{}".to_owned() } else { map.len().to_string() };
                    pen.put(&text, theme.style(Role::Dim));
                }
            }
        }
        Value::List(items) if open => {
            pen.put(&items.len().to_string(), theme.style(Role::Dim));
        }
        Value::Text(status) if key == "status" => draw_status(theme, status, pen),
        other => {
            let text = preview::text(other, pen.room());
            super::marked_text(app, &text, preview::role(other), pen);
        }
    }
}

fn draw_status(theme: &Theme, status: &str, pen: &mut Pen<'_>) {
    let (glyph, role) = signs::status_sign(status);
    let style: Style = theme.style(role);
    pen.put(theme.glyph(glyph), style).skip(1).put(status, style);
}
