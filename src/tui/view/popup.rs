//! Windows over the panes: help, palette, anomalies, a value as a whole, what to copy.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};
use unicode_width::UnicodeWidthStr;

use super::pen::{Pen, frame, lay};
use crate::tui::action::Command;
use crate::tui::app::App;
use crate::tui::debugger::Debugger;
use crate::tui::palette::{Choice, Palette, QUESTIONS};
use crate::tui::pane::scroll;
use crate::tui::signs;
use crate::tui::theme::{Glyph, Role};
use crate::tui::viewer::Viewer;

/// The widest window.
const WIDEST: u16 = 100;
/// How many columns a character has at most, as far as anybody knows.
const WIDEST_SIGN: u16 = 4;
/// The highest palette.
const HIGHEST_PALETTE: u16 = 18;

/// Where a large window stands on a terminal of this size.
fn large(size: (u16, u16)) -> Rect {
    let width = size.0.saturating_sub(4).min(WIDEST);
    let height = size.1.saturating_sub(4);
    Rect::new((size.0 - width) / 2, size.1.min(2), width, height)
}

/// The columns and rows inside a large window.
#[must_use]
pub fn inner_size(size: (u16, u16)) -> (usize, usize) {
    let area = large(size);
    (usize::from(area.width.saturating_sub(4)), usize::from(area.height.saturating_sub(2)))
}

/// Clears a window's place and draws its frame, and gives what is inside.
pub(super) fn open(app: &App, buffer: &mut Buffer, area: Rect, title: &str, foot: &str) -> Rect {
    let area = area.intersection(buffer.area);
    blank_left_of(buffer, area);
    Clear.render(area, buffer);
    buffer.set_style(area, app.theme.style(Role::Text));
    let inner = frame(buffer, area, &app.theme, true, &[(title, Role::Title)], foot);
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}

/// Blanks the wide characters that begin left of a window and reach into it: of those a terminal shows
/// all or nothing, and they would hide the window's edge.
fn blank_left_of(buffer: &mut Buffer, area: Rect) {
    for y in area.y..area.bottom() {
        for x in area.x.saturating_sub(WIDEST_SIGN)..area.x {
            let Some(cell) = buffer.cell_mut((x, y)) else { continue };
            if cell.symbol().width() > usize::from(area.x - x) {
                cell.set_symbol(" ");
            }
        }
    }
}

/// As [`open`], for a large window.
pub(super) fn open_large(app: &App, buffer: &mut Buffer, title: &str, foot: &str) -> Rect {
    open(app, buffer, large(app.size), title, foot)
}

/// As [`open_large`], but no higher than so many rows need.
pub(super) fn open_list(
    app: &App,
    buffer: &mut Buffer,
    title: &str,
    foot: &str,
    rows: usize,
) -> Rect {
    let place = large(app.size);
    let rows = u16::try_from(rows.max(1)).unwrap_or(u16::MAX).saturating_add(2);
    open(app, buffer, Rect { height: rows.min(place.height), ..place }, title, foot)
}

/// A value as a whole.
pub(super) fn value(app: &App, viewer: &Viewer, buffer: &mut Buffer) {
    let more = if viewer.has_more() { "more below" } else { "" };
    let inner = open_large(app, buffer, &viewer.title, more);
    for (row, line) in viewer.seen().enumerate() {
        Pen::new(buffer, inner, row).put(line, app.theme.style(Role::Text));
    }
}

/// What is wrong in this log.
pub(super) fn anomalies(app: &App, debugger: &Debugger, cursor: usize, buffer: &mut Buffer) {
    let theme = &app.theme;
    let all = debugger.session.folded().anomalies();
    let foot = format!("{}/{}", (cursor + 1).min(all.len()), all.len());
    let inner = open_large(app, buffer, "anomalies", &foot);
    let height = usize::from(inner.height);
    let top = scroll(cursor.saturating_sub(height / 2), cursor, height, all.len(), 1);
    for (row, anomaly) in all.iter().skip(top).take(height).enumerate() {
        let mut pen = Pen::new(buffer, inner, row);
        let place = match anomaly.position {
            0 => "log".to_owned(),
            position => format!("#{position}"),
        };
        pen.number(&place, 8, theme.style(Role::Strong)).skip(1);
        pen.put(theme.glyph(Glyph::Anomaly), theme.style(Role::Anomaly)).skip(1);
        pen.field(anomaly.kind.name(), 18, theme.style(Role::Warned)).skip(1);
        pen.put(&anomaly.detail, theme.style(Role::Text));
        if top + row == cursor {
            lay(buffer, inner, row, theme.style(Role::Selection));
        }
    }
}

/// How many choices the palette shows at most.
#[must_use]
pub fn palette_rows(size: (u16, u16)) -> usize {
    usize::from(large(size).height.min(HIGHEST_PALETTE).saturating_sub(3))
}

/// What fits what is typed.
pub(super) fn palette(app: &App, palette: &Palette, buffer: &mut Buffer) {
    let theme = &app.theme;
    let place = large(app.size);
    let width = place.width.min(84);
    let rows = u16::try_from(palette.choices.len().max(1)).unwrap_or(u16::MAX);
    let height = rows.saturating_add(3).min(HIGHEST_PALETTE).min(place.height);
    let area = Rect::new((app.size.0 - width) / 2, place.y, width, height);
    let inner =
        open(app, buffer, area, "palette", "action, or moment: 14:00  AgentFailed:2  57  @a");
    super::prompt_line(app, ":", &palette.input, &mut Pen::new(buffer, inner, 0));
    let list = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
    if let Some(fault) = &palette.fault {
        Pen::new(buffer, list, 0).put(fault, theme.style(Role::Failed));
        return;
    }
    let seen = usize::from(list.height);
    let top = scroll(0, palette.cursor, seen, palette.choices.len(), 1);
    for (row, choice) in palette.choices.iter().skip(top).take(seen).enumerate() {
        draw_choice(app, *choice, Pen::new(buffer, list, row));
        if top + row == palette.cursor {
            lay(buffer, list, row, theme.style(Role::Selection));
        }
    }
    if palette.choices.is_empty() {
        Pen::new(buffer, list, 0).put("nothing is like that", theme.style(Role::Dim));
    }
}

fn draw_choice(app: &App, choice: Choice, mut pen: Pen<'_>) {
    let theme = &app.theme;
    match choice {
        Choice::Go(position) => {
            pen.field("go to", 20, theme.style(Role::Strong)).skip(1);
            pen.put(&format!("#{position}"), theme.style(Role::Accent)).skip(1);
            let Some(debugger) = &app.debugger else { return };
            let timeline = debugger.session.timeline();
            if let Some(row) = timeline.row(position) {
                pen.put(&row.at.time_of_day(), theme.style(Role::Dim)).skip(1);
                pen.put(signs::type_name(timeline, &row), theme.style(Role::Text));
            }
        }
        Choice::Find | Choice::Why | Choice::Replay => {
            let row = QUESTIONS.iter().find(|(.., own)| *own == choice);
            let Some((word, argument, doc, _)) = row else { return };
            pen.field(&format!("{word} {argument}"), 20, theme.style(Role::Strong)).skip(1);
            pen.put(doc, theme.style(Role::Dim));
        }
        Choice::Command(command) => {
            let spec = command.spec();
            let keys = app.keymap.keys_here(command, &app.contexts(), theme.is_ascii()).join("  ");
            pen.put_right(&format!("  {keys}"), 44, theme.style(Role::KeyHint));
            pen.field(spec.name, 20, theme.style(Role::Strong)).skip(1);
            pen.put(spec.doc, theme.style(Role::Dim));
        }
    }
}

/// What can be copied.
pub(super) fn yank(app: &App, debugger: &Debugger, buffer: &mut Buffer) {
    let theme = &app.theme;
    let path = debugger.selected_path().map_or_else(String::new, ToString::to_string);
    let rows = [
        ("e", "the event's line", format!("#{}", debugger.playhead)),
        ("p", "the selected path", path.clone()),
        ("y", "the selected value", path.clone()),
        ("a", "as an assertion", path),
        ("v", "this view", format!("--view {}", debugger.view())),
    ];
    let width = app.size.0.saturating_sub(4).min(60);
    let area = Rect::new((app.size.0 - width) / 2, app.size.1.saturating_sub(9), width, 7);
    let back = app.first_key(Command::Cancel);
    let inner = open(app, buffer, area, "copy", &format!("{back} back"));
    for (row, (key, what, which)) in rows.iter().enumerate() {
        let mut pen = Pen::new(buffer, inner, row);
        let absent = which.is_empty();
        let role = if absent { Role::Faint } else { Role::KeyHint };
        pen.field(key, 2, theme.style(role));
        pen.field(what, 20, theme.style(if absent { Role::Faint } else { Role::Text }));
        let room = pen.room();
        let shown = match *key {
            "v" => crate::tui::text::cut(which, room),
            _ => crate::tui::text::cut_start(which, room),
        };
        pen.put(&shown, theme.style(Role::Dim));
    }
}
