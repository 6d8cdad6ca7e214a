//! The event itself, between its causes and its effects.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::pen::{Pen, frame, lay};
use crate::timeline::Cause;
use crate::tui::action::Command;
use crate::tui::app::App;
use crate::tui::debugger::Debugger;
use crate::tui::json::{JsonLine, Token};
use crate::tui::layout::Pane;
use crate::tui::pane::detail::DetailLine;
use crate::tui::signs;
use crate::tui::summaries::bytes_text;
use crate::tui::theme::{Glyph, Role};

/// Draws the pane.
pub(super) fn draw(app: &App, debugger: &Debugger, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let focused = debugger.focus == Pane::Detail;
    let pane = &debugger.detail;
    let title = format!("#{}", debugger.playhead);
    let size = bytes_text(pane.json.total() as u64);
    let titles = [("event", Role::Title), (title.as_str(), Role::Dim)];
    let inner = frame(buffer, area, theme, focused, &titles, &size);
    if debugger.playhead == 0 {
        let text = "before the first event";
        Pen::new(buffer, inner, 1).skip(2).put(text, theme.style(Role::Dim));
        return;
    }
    let (cursor, top) = pane.cursor();
    for (row, line) in pane.lines.iter().enumerate() {
        draw_line(app, debugger, line, Pen::new(buffer, inner, row));
        if top + row == cursor && focused {
            lay(buffer, inner, row, theme.style(Role::Selection));
        }
    }
}

fn draw_line(app: &App, debugger: &Debugger, line: &DetailLine, mut pen: Pen<'_>) {
    let theme = &app.theme;
    match line {
        DetailLine::Place => {
            let room = pen.room();
            let place = crate::tui::text::cut_start(&debugger.detail.place, room);
            pen.put(&place, theme.style(Role::Faint));
        }
        DetailLine::Note(at) => {
            let Some(line) = debugger.detail.notes.get(*at) else { return };
            let style = theme.style(line.role);
            let sign = line.glyph.map_or(" ", |glyph| theme.glyph(glyph));
            pen.put(sign, style).skip(1);
            if line.is_gap {
                let (sign, key) = (theme.glyph(Glyph::Ellipsis), app.first_key(Command::Open));
                pen.put(&format!("{sign} {key} shows all of it"), theme.style(Role::Accent));
            } else {
                pen.put(&line.text, style);
            }
        }
        DetailLine::CausesTitle => {
            pen.put("caused by", theme.style(Role::Title));
        }
        DetailLine::EffectsTitle(count) => {
            pen.put("effects", theme.style(Role::Title)).skip(1);
            pen.put(&count.to_string(), theme.style(Role::Dim));
        }
        DetailLine::Cause(cause) => link(app, debugger, cause, &mut pen),
        DetailLine::Effect(effect) => link(app, debugger, effect, &mut pen),
        DetailLine::More(bytes) => {
            let text = format!("… {} more", bytes_text(*bytes as u64));
            pen.put(&text, theme.style(Role::Dim));
        }
        DetailLine::Json(at) => {
            if let Some(line) = debugger.detail.json.lines().get(*at) {
                json(app, debugger, line, &mut pen);
            }
        }
    }
}

/// An event at the other end of a link, and how the link is known.
fn link(app: &App, debugger: &Debugger, cause: &Cause, pen: &mut Pen<'_>) {
    let theme = &app.theme;
    let timeline = debugger.session.timeline();
    let Some(row) = timeline.row(cause.position) else { return };
    let (glyph, role) = signs::event_sign(row.kind);
    pen.skip(1).put(&cause.position.to_string(), theme.style(Role::Strong)).skip(1);
    pen.put(theme.glyph(glyph), theme.style(role)).skip(1);
    pen.put_right(&format!(" {}", cause.link), 24, theme.style(Role::Faint));
    pen.put(signs::type_name(timeline, &row), theme.style(Role::Text)).skip(1);
    pen.put(debugger.summaries.get(cause.position), theme.style(Role::Dim));
}

fn json(app: &App, debugger: &Debugger, line: &JsonLine, pen: &mut Pen<'_>) {
    let theme = &app.theme;
    pen.skip(2 * line.depth);
    for (token, range) in &line.pieces {
        let role = match token {
            Token::Key => Role::Key,
            Token::String => Role::String,
            Token::Number => Role::Number,
            Token::Literal => Role::Literal,
            Token::Mark => Role::Dim,
            Token::Other => Role::Anomaly,
        };
        let text = debugger.detail.json.text(range);
        if *token == Token::String {
            super::marked_text(app, &text, role, pen);
        } else {
            pen.put(&text, theme.style(role));
        }
        if *token == Token::Mark && text == ":" {
            pen.skip(1);
        }
    }
}
