//! The parts of the screen, drawn from data that they cannot change.
//!
//! Lives here: what stands where, and what several parts share. May not live here: reading
//! anything; all that is drawn was made ready by [`super::update()`].

pub mod browser;
pub mod comparison;
mod detail;
pub mod diff;
mod events;
mod header;
pub mod help;
mod lists;
#[cfg(test)]
pub(crate) mod looking;
mod pen;
pub mod popup;
mod preview;
pub mod replay;
mod state;
mod status;
pub mod timeline;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::app::{App, Mode, SMALLEST};
use super::debugger::Debugger;
use super::filter::Filter;
use super::input::Input;
use super::layout::Pane;
use super::text;
use super::theme::Role;
use super::whatif::WhatIf;
use pen::Pen;

/// Draws the whole screen.
pub fn draw(app: &App, frame: &mut Frame<'_>) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    draw_parts(app, area, buffer);
    app.theme.finish(buffer);
}

fn draw_parts(app: &App, area: Rect, buffer: &mut Buffer) {
    buffer.set_style(area, app.theme.style(Role::Text));
    // Between a resize and its action the frame is of another size than what was made ready.
    if !app.fits() || (area.width, area.height) != app.size {
        too_small(app, area, buffer);
        return;
    }
    let comparison = app.debugger.as_ref().and_then(|debugger| debugger.comparison.as_ref());
    match (&app.debugger, comparison) {
        (Some(_), Some(comparison)) if matches!(app.mode, Mode::Comparison) => {
            comparison::draw(app, comparison, buffer);
        }
        (Some(debugger), _) => draw_debugger(app, debugger, buffer),
        (None, _) => draw_browser(app, area, buffer),
    }
    let status = Rect { y: area.height - 1, height: 1, ..area };
    status::draw(app, status, buffer);
    match (&app.mode, &app.debugger) {
        (Mode::Help(top), _) => help::draw(app, *top, buffer),
        (Mode::Palette(palette), _) => popup::palette(app, palette, buffer),
        (Mode::Value(viewer), _) => popup::value(app, viewer, buffer),
        (Mode::Anomalies(cursor), Some(debugger)) => {
            popup::anomalies(app, debugger, *cursor, buffer);
        }
        (Mode::Confirm(top), Some(debugger)) => replay::confirm(app, debugger, *top, buffer),
        (Mode::Branch, Some(debugger)) => lists::branch_menu(app, debugger, buffer),
        (Mode::Ask(ask), _) => lists::ask(app, ask, buffer),
        (Mode::Pick(pick), _) => lists::pick(app, pick, buffer),
        (Mode::List(list, cursor), Some(debugger)) => {
            lists::list(app, debugger, list, *cursor, buffer);
        }
        (Mode::Yank, Some(debugger)) => popup::yank(app, debugger, buffer),
        _ => {}
    }
}

fn too_small(app: &App, area: Rect, buffer: &mut Buffer) {
    let (columns, rows) = SMALLEST;
    let lines = [
        "chronoscope needs more room".to_owned(),
        format!("{columns}×{rows} at least, this is {}×{}", area.width, area.height),
    ];
    for (row, line) in lines.iter().enumerate() {
        let mut pen = Pen::new(buffer, area, row);
        pen.put(line, app.theme.style(Role::Text));
    }
}

fn draw_debugger(app: &App, debugger: &Debugger, buffer: &mut Buffer) {
    header::draw(app, debugger, buffer);
    strip(app, debugger, buffer);
    for (pane, area) in &debugger.layout.panes {
        match pane {
            Pane::Timeline => {
                let scene = timeline::TimelineScene {
                    timeline: debugger.session.timeline(),
                    log: debugger.log_id(),
                    kept: &debugger.ground,
                    playhead: debugger.playhead,
                    base: debugger.session.user.base,
                    marks: &debugger.session.user.marks,
                    hits: debugger.breaks.hits(),
                    fitting: debugger.filter.as_ref().map(Filter::fitting),
                    races: &debugger.races.positions,
                    branch: debugger.whatif.as_ref().map(WhatIf::marks),
                    outcomes: debugger.replay.as_ref().map(|replay| &replay.outcomes),
                    head: debugger.head_sign(),
                    focused: debugger.focus == Pane::Timeline,
                };
                timeline::draw(&debugger.timeline, &scene, &app.theme, *area, buffer);
            }
            Pane::Events => events::draw(app, debugger, *area, buffer),
            Pane::State => state::draw(app, debugger, *area, buffer),
            Pane::Diff => diff::draw(app, debugger, *area, buffer),
            Pane::Detail => detail::draw(app, debugger, *area, buffer),
            Pane::Replay => replay::draw(app, debugger, *area, buffer),
        }
    }
}

/// Where the names of the panes stand in the strip: the first column and the columns of each.
fn strip_names(debugger: &Debugger) -> Vec<(Pane, u16, u16)> {
    let mut at = debugger.layout.strip.map_or(0, |strip| strip.x + 1);
    let panes = debugger.tab_order().into_iter();
    let placed = panes.map(|pane| {
        let wide = u16::try_from(pane.name().len()).unwrap_or_default();
        let from = at;
        at += wide + 2;
        (pane, from, wide)
    });
    placed.collect()
}

/// The pane whose name stands at a column of the strip.
#[must_use]
pub fn strip_pane_at(debugger: &Debugger, column: u16) -> Option<Pane> {
    let names = strip_names(debugger);
    names.iter().find(|(_, from, wide)| (*from..from + wide).contains(&column)).map(|(p, ..)| *p)
}

/// The names of the panes, where only one of them is seen.
fn strip(app: &App, debugger: &Debugger, buffer: &mut Buffer) {
    let Some(area) = debugger.layout.strip else { return };
    for (pane, from, _) in strip_names(debugger) {
        let role = if pane == debugger.focus { Role::TitleFocused } else { Role::Dim };
        let mut pen = Pen::new(buffer, area, 0);
        pen.at_column(from).put(pane.name(), app.theme.style(role));
    }
}

fn draw_browser(app: &App, area: Rect, buffer: &mut Buffer) {
    let body = Rect { height: area.height - 1, ..area };
    match &app.browser {
        Some(browser) => browser::draw(browser, &app.theme, body, buffer),
        None => {
            Pen::new(buffer, body, 1).skip(2).put("opening…", app.theme.style(Role::Dim));
        }
    }
}

/// A text field behind its sign. The cursor is drawn, so that no terminal cursor needs to blink.
fn prompt_line(app: &App, sign: &str, input: &Input, pen: &mut Pen<'_>) {
    let theme = &app.theme;
    pen.put(sign, theme.style(Role::Accent));
    let (before, after) = input.halves();
    let room = pen.room().saturating_sub(2);
    let shown = text::cut_start(before, room);
    pen.put(&shown, theme.style(Role::Strong));
    let mut rest = unicode_segmentation::UnicodeSegmentation::graphemes(after, true);
    let under = rest.next().unwrap_or(" ");
    let cursor = theme.style(Role::Strong).add_modifier(ratatui::style::Modifier::REVERSED);
    pen.put(under, cursor);
    pen.put(rest.as_str(), theme.style(Role::Strong));
}

/// Text with what was searched for marked, as far as it is seen.
fn marked_text(app: &App, text: &str, role: Role, pen: &mut Pen<'_>) {
    let style = app.theme.style(role);
    let search = app.debugger.as_ref().and_then(|debugger| debugger.search.as_ref());
    let Some(search) = search.filter(|s| !s.needle.is_empty()) else {
        pen.put(text, style);
        return;
    };
    let shown = text::cut(text, pen.room());
    let needle = search.needle.as_bytes();
    let mut from = 0;
    while let Some(at) = find_ignoring_case(&shown, from, needle) {
        pen.put(&shown[from..at], style);
        let end = at + needle.len();
        pen.put(&shown[at..end], app.theme.style(Role::SearchHit));
        from = end;
    }
    pen.put(&shown[from..], style);
}

/// Where `needle` stands in `text` from `from` on, the case of ASCII letters ignored; only at
/// the boundaries of characters.
fn find_ignoring_case(text: &str, from: usize, needle: &[u8]) -> Option<usize> {
    let bytes = text.as_bytes().get(from..)?;
    let found =
        bytes.windows(needle.len()).position(|window| window.eq_ignore_ascii_case(needle))?;
    let (at, end) = (from + found, from + found + needle.len());
    (text.is_char_boundary(at) && text.is_char_boundary(end)).then_some(at)
}
