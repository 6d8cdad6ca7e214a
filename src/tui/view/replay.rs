//! The pane of a replay: what it goes through, how far it is, what became of what, and why.

mod confirm;
mod head;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::pen::{Pen, frame, lay};
use super::preview;
use crate::model::Value;
use crate::replay::Difference;
use crate::tui::app::App;
use crate::tui::debugger::Debugger;
use crate::tui::layout::Pane;
use crate::tui::replay::{Group, Replay, Row};
use crate::tui::signs;
use crate::tui::text;
use crate::tui::theme::{Glyph, Role};
use crate::tui::viewer::Viewer;

pub(super) use confirm::confirm;
pub use confirm::last_top;

/// From so many rows on, the selected row is told in full below the list.
const WITH_FOOT: u16 = 11;
/// From so many rows on, three of them are for that, else two; beside the rule above it.
const WITH_LONG_FOOT: u16 = 16;
/// From so many columns on, what may be done with a type has a column.
const WITH_POLICY: usize = 64;
/// The columns of a count, where none is larger.
const COUNT_DIGITS: usize = 4;
/// The columns of a type.
const TYPE_COLUMNS: usize = 21;

/// How many rows of the list are seen in a pane of this size, without its frame.
#[must_use]
pub fn list_height(replay: &Replay, width: u16, height: u16) -> usize {
    let head = u16::try_from(head::lines(replay, width.into(), height).len()).unwrap_or(u16::MAX);
    usize::from(height.saturating_sub(head + foot_height(height)))
}

/// The rows below the list, with the rule above them.
fn foot_height(height: u16) -> u16 {
    match height {
        0..WITH_FOOT => 0,
        WITH_FOOT..WITH_LONG_FOOT => 3,
        _ => 4,
    }
}

/// The row of the pane in which the list begins.
#[must_use]
pub fn first_row(replay: &Replay, width: u16, height: u16) -> usize {
    head::lines(replay, width.into(), height).len()
}

/// Draws the pane.
pub(super) fn draw(app: &App, debugger: &Debugger, area: Rect, buffer: &mut Buffer) {
    let Some(replay) = debugger.replay.as_deref() else { return };
    let theme = &app.theme;
    let focused = debugger.focus == Pane::Replay;
    let (what, role) = match replay.executes {
        true => ("execution", Role::Running),
        false => ("rehearsal", Role::Accent),
    };
    let listed = match replay.by_event {
        true => format!("events: {}", replay.only.name()),
        false => "by type".to_owned(),
    };
    let (cursor, _) = replay.cursor();
    // Where nothing was looked at, there is no place in it.
    let place = match replay.outcomes.is_empty() && replay.end.is_some() {
        true => String::new(),
        false => format!("{}/{}", (cursor + 1).min(replay.total()), replay.total()),
    };
    let titles = [("replay", Role::Title), (what, role), (&listed, Role::Dim)];
    let inner = frame(buffer, area, theme, focused, &titles, &place);
    let lines = head::lines(replay, inner.width.into(), inner.height);
    for (row, line) in lines.iter().enumerate() {
        head::draw(app, replay, *line, &mut Pen::new(buffer, inner, row));
    }
    let first = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(inner.height);
    let rows = u16::try_from(list_height(replay, inner.width, inner.height)).unwrap_or(u16::MAX);
    let list = Rect { y: inner.y + first, height: rows.min(inner.height - first), ..inner };
    draw_list(app, debugger, replay, list, focused, buffer);
    let foot = foot_height(inner.height);
    if foot > 0 {
        let area = Rect { y: inner.bottom() - foot, height: foot, ..inner };
        draw_foot(app, replay, area, buffer);
    }
}

fn draw_list(
    app: &App,
    debugger: &Debugger,
    replay: &Replay,
    area: Rect,
    focused: bool,
    buffer: &mut Buffer,
) {
    let (cursor, top) = replay.cursor();
    let largest = replay.outcomes.groups().map(|group| group.count).max().unwrap_or(1);
    let digits = largest.max(1).ilog10() as usize + 1;
    for row in 0..usize::from(area.height) {
        let Some(what) = replay.row(top + row) else { break };
        let mut pen = Pen::new(buffer, area, row);
        match what {
            Row::Difference => draw_difference(app, replay, &mut pen),
            Row::Group(number) => {
                if let Some(group) = replay.group(number) {
                    draw_group(app, group, digits.max(COUNT_DIGITS), &mut pen);
                }
            }
            Row::Event(position) => draw_event(app, debugger, replay, position, &mut pen),
        }
        if top + row == cursor {
            let role = if focused { Role::Selection } else { Role::SelectionUnfocused };
            lay(buffer, area, row, app.theme.style(role));
        }
    }
    if replay.total() == 0 {
        let text = match (&replay.running, replay.by_event) {
            (Some(_), _) => "",
            (None, true) if replay.outcomes.is_empty() => "nothing was done in this screen",
            (None, true) => "no event is like that",
            (None, false) => "no event was looked at",
        };
        Pen::new(buffer, area, 0).skip(2).put(text, app.theme.style(Role::Dim));
    }
}

fn draw_difference(app: &App, replay: &Replay, pen: &mut Pen<'_>) {
    let theme = &app.theme;
    let first = replay.state().and_then(|state| state.first_difference.as_ref());
    let Some(first) = first else { return };
    pen.put(theme.glyph(Glyph::Violated), theme.style(Role::Violated)).skip(1);
    pen.put("first difference ", theme.style(Role::Warned));
    let room = pen.room();
    pen.put(&text::cut_start(&first.path.to_string(), room), theme.style(Role::Changed));
}

fn draw_group(app: &App, group: &Group, digits: usize, pen: &mut Pen<'_>) {
    let theme = &app.theme;
    let wide = pen.room() >= WITH_POLICY;
    let (glyph, role) = group.mark.look();
    pen.put(theme.glyph(glyph), theme.style(role));
    pen.skip(1).number(&group.count.to_string(), digits, theme.style(Role::Strong)).skip(1);
    pen.field(signs::name_of(&group.type_name), TYPE_COLUMNS, theme.style(Role::Text)).skip(1);
    if wide {
        pen.field(group.policy.name(), 14, theme.style(Role::Dim)).skip(1);
    }
    pen.put(&reason_of(group), theme.style(Role::Dim));
}

/// Why events of a group came to what they did.
fn reason_of(group: &Group) -> String {
    match group.others {
        0 => group.reason.clone(),
        n => format!("{} (+{n} for other reasons)", group.reason),
    }
}

fn draw_event(app: &App, debugger: &Debugger, replay: &Replay, position: u32, pen: &mut Pen<'_>) {
    let theme = &app.theme;
    let timeline = debugger.session.timeline();
    let Some(mark) = replay.outcomes.at(position) else { return };
    let digits = replay.to.max(1).ilog10() as usize + 1;
    let (glyph, role) = mark.look();
    pen.put(theme.glyph(glyph), theme.style(role)).skip(1);
    pen.number(&position.to_string(), digits, theme.style(Role::Dim)).skip(1);
    if let Some(row) = timeline.row(position) {
        let name = signs::type_name(timeline, &row);
        let wide = pen.room() >= WITH_POLICY;
        pen.field(name, if wide { TYPE_COLUMNS } else { name.len() }, theme.style(Role::Text));
        pen.skip(1);
        if wide {
            pen.field(mark.word(!replay.executes), 10, theme.style(role)).skip(1);
        }
    }
    let reason = replay.outcomes.words(position).map_or("", |words| words.reason.as_str());
    pen.put(reason, theme.style(Role::Dim));
}

/// The selected row in full.
fn draw_foot(app: &App, replay: &Replay, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let rule = theme.glyph(Glyph::Rule).repeat(area.width.into());
    Pen::new(buffer, area, 0).put(&rule, theme.style(Role::Faint));
    let text = foot_text(replay);
    let mut whole = Viewer::new("", text);
    whole.prepare(area.width.into(), usize::from(area.height.saturating_sub(1)));
    let last = whole.height().saturating_sub(1);
    for (row, line) in whole.seen().enumerate() {
        // More than fits ends with the sign of that.
        let more = if row == last && whole.has_more() { " …" } else { "" };
        Pen::new(buffer, area, row + 1).put(&format!("{line}{more}"), theme.style(Role::Text));
    }
}

fn foot_text(replay: &Replay) -> String {
    match replay.selected() {
        Some(Row::Difference) => {
            let first = replay.state().and_then(|state| state.first_difference.as_ref());
            first.map(difference_text).unwrap_or_default()
        }
        Some(Row::Group(number)) => {
            let Some(group) = replay.group(number) else { return String::new() };
            let word = group.mark.word(!replay.executes);
            format!("{} × {}: {word}: {}", group.count, group.type_name, reason_of(group))
        }
        Some(Row::Event(position)) => {
            let word = replay.outcomes.at(position).map_or("", |m| m.word(!replay.executes));
            match replay.outcomes.words(position) {
                Some(words) => format!("#{position} {word}: {}", words.reason),
                None => format!("#{position} {word}"),
            }
        }
        None => String::new(),
    }
}

fn difference_text(first: &Difference) -> String {
    let shown = |value: &Option<Value>| {
        value.as_ref().map_or_else(|| "nothing".to_owned(), |value| preview::text(value, 80))
    };
    let since = first.position.map_or_else(String::new, |at| format!(" (from #{at} on)"));
    let (replayed, recorded) = (shown(&first.replayed), shown(&first.recorded));
    format!("{} is {replayed}, recorded is {recorded}{since}", first.path)
}
