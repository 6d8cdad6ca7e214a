//! The list of events.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::pen::{Pen, frame, lay};
use crate::model::{Event, Position, catalogue};
use crate::timeline::Row;
use crate::tui::app::App;
use crate::tui::debugger::{Debugger, Follow};
use crate::tui::layout::Pane;
use crate::tui::signs::{self, BranchMark};
use crate::tui::theme::{Glyph, Role};

/// From so many columns on, types stand in a column of their own.
const ALIGNED: usize = 58;
/// How wide that column is.
const TYPE_COLUMNS: usize = 21;
/// From so many columns on, times are shown.
const WITH_TIME: usize = 34;

/// Draws the pane.
pub(super) fn draw(app: &App, debugger: &Debugger, area: Rect, buffer: &mut Buffer) {
    let focused = debugger.focus == Pane::Events;
    let place = format!("{}/{}", debugger.playhead, debugger.head());
    let filter = debugger.filter.as_ref();
    let count = filter.map(|f| f.count(debugger.head())).unwrap_or_default();
    let text = filter.map(|filter| filter.text.as_str()).unwrap_or_default();
    let titles = [("events", Role::Title), (&count, Role::SearchHit), (text, Role::Accent)];
    let inner = frame(buffer, area, &app.theme, focused, &titles, &place);
    let head = debugger.head();
    if debugger.follow == Follow::Live && !debugger.session.ending().is_empty() {
        return draw_ending(app, debugger.session.ending(), inner, buffer);
    }
    for row in 0..usize::from(inner.height) {
        let Some(position) = debugger.events.at(row) else { break };
        draw_row(app, debugger, position, Pen::new(buffer, inner, row));
        if position == debugger.playhead {
            let role = if focused { Role::Selection } else { Role::Current };
            lay(buffer, inner, row, app.theme.style(role));
        }
    }
    if head == 0 {
        let text = if debugger.session.is_loaded() { "no events yet" } else { "reading…" };
        Pen::new(buffer, inner, 1).skip(2).put(text, app.theme.style(Role::Dim));
    }
}

/// The end of a long log of which all else is still being read: numbered by the log itself.
fn draw_ending(app: &App, events: &[Event], inner: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let height = usize::from(inner.height);
    let shown = &events[events.len().saturating_sub(height)..];
    let number = |event: &Event| event.sequence.map_or_else(|| "…".to_owned(), |n| n.to_string());
    let digits = shown.iter().map(|event| number(event).chars().count()).max().unwrap_or(1);
    for (row, event) in shown.iter().enumerate() {
        let mut pen = Pen::new(buffer, inner, row);
        let room = pen.room();
        let (glyph, role) = signs::event_sign(event.kind);
        pen.skip(1).number(&number(event), digits, theme.style(Role::Dim)).skip(1);
        if room >= WITH_TIME {
            pen.put(&event.at.time_of_day(), theme.style(Role::Dim)).skip(1);
        }
        pen.put(theme.glyph(glyph), theme.style(role)).skip(1);
        let columns = if room >= ALIGNED { TYPE_COLUMNS } else { event.type_name.len() };
        pen.field(&event.type_name, columns, theme.style(Role::Text)).skip(1);
        let spec = catalogue::spec(event.kind);
        let text = catalogue::summary(spec, &event.metadata, &event.type_name);
        pen.put(&text, theme.style(Role::Dim));
    }
    if let Some(last) = shown.len().checked_sub(1) {
        lay(buffer, inner, last, theme.style(Role::Current));
    }
}

fn draw_row(app: &App, debugger: &Debugger, position: Position, mut pen: Pen<'_>) {
    let theme = &app.theme;
    let timeline = debugger.session.timeline();
    let digits = debugger.head().max(1).ilog10() as usize + 1;
    gutter(app, debugger, position, &mut pen);
    let mark = debugger.whatif.as_ref().map(|whatif| whatif.marks().at(position));
    if let Some(mark) = mark {
        let (glyph, role) = mark.map_or((" ", Role::Text), |mark| {
            let (glyph, role) = mark.look();
            (theme.glyph(glyph), role)
        });
        pen.field(glyph, 1, theme.style(role)).skip(1);
    }
    if let Some(replay) = &debugger.replay {
        let (glyph, role) = replay.outcomes.at(position).map_or((" ", Role::Text), |mark| {
            let (glyph, role) = mark.look();
            (theme.glyph(glyph), role)
        });
        pen.field(glyph, 1, theme.style(role)).skip(1);
    }
    let number_style = if position == debugger.playhead { Role::Strong } else { Role::Dim };
    let room = pen.room();
    pen.number(&position.to_string(), digits, theme.style(number_style)).skip(1);
    let Some(row) = timeline.row(position) else {
        pen.put("before the first event", theme.style(Role::Dim));
        return;
    };
    if room >= WITH_TIME {
        pen.put(&row.at.time_of_day(), theme.style(Role::Dim)).skip(1);
    }
    let (glyph, role) = signs::event_sign(row.kind);
    pen.put(theme.glyph(glyph), theme.style(role)).skip(1);
    let gone = match mark.flatten() {
        Some(mark @ (BranchMark::Skipped | BranchMark::Orphaned)) => Some(mark.look().1),
        _ => None,
    };
    let apart = debugger.filter.as_ref().is_some_and(|f| !f.fitting().contains(position));
    let type_role = if let Some(gone) = gone {
        gone
    } else if apart {
        // It is shown because we stand here, not because it fits.
        Role::Faint
    } else if role == Role::Failed || role == Role::Anomaly {
        role
    } else {
        Role::Text
    };
    let name = signs::type_name(timeline, &row);
    if room >= ALIGNED {
        pen.field(name, TYPE_COLUMNS, theme.style(type_role)).skip(1);
    } else {
        pen.put(name, theme.style(type_role)).skip(1);
    }
    summary(app, debugger, &row, position, &mut pen);
}

fn summary(app: &App, debugger: &Debugger, row: &Row, position: Position, pen: &mut Pen<'_>) {
    let theme = &app.theme;
    let timeline = debugger.session.timeline();
    let text = debugger.summaries.get(position);
    // Who acted is told where the summary does not begin with it and there is room.
    let actor = timeline.text(row.actor);
    if pen.room() >= 48 && !actor.is_empty() && !text.starts_with(actor) {
        pen.put_right(&format!(" {actor}"), 32, theme.style(Role::Writer));
    }
    super::marked_text(app, text, Role::Dim, pen);
}

/// The sign before a row: a mark, a breakpoint's hit, the diff's base, or something wrong.
fn gutter(app: &App, debugger: &Debugger, position: Position, pen: &mut Pen<'_>) {
    let theme = &app.theme;
    let user = &debugger.session.user;
    let mark = user.marks.iter().find(|(_, at)| **at == position).map(|(name, _)| name.as_str());
    let odd = debugger.session.timeline().row(position).is_some_and(|row| row.has_anomaly);
    let (text, role) = match mark {
        Some(name) => (name, Role::Mark),
        None if debugger.breaks.hits().binary_search(&position).is_ok() => {
            (theme.glyph(Glyph::Breakpoint), Role::Breakpoint)
        }
        None if user.base == Some(position) => (theme.glyph(Glyph::Base), Role::Base),
        None if odd => (theme.glyph(Glyph::Anomaly), Role::Anomaly),
        None => (" ", Role::Text),
    };
    pen.field(text, 1, theme.style(role));
}
