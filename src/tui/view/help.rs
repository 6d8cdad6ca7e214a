//! The help: what the keys do here, from the table of commands.

use ratatui::buffer::Buffer;

use super::pen::Pen;
use super::popup;
use crate::tui::action::{COMMANDS, Context, Spec};
use crate::tui::app::App;
use crate::tui::text;
use crate::tui::theme::Role;

/// A line of the help.
enum HelpLine {
    Title(Context),
    Command(&'static Spec),
    Blank,
}

/// What the help is about: where the keys go now, the narrowest first, and text fields.
fn lines(contexts: &[Context]) -> Vec<HelpLine> {
    let mut lines = Vec::new();
    for context in contexts.iter().chain(&[Context::Field]) {
        let mut rows = COMMANDS.iter().filter(|spec| spec.context == *context).peekable();
        if rows.peek().is_none() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(HelpLine::Blank);
        }
        lines.push(HelpLine::Title(*context));
        lines.extend(rows.map(HelpLine::Command));
    }
    lines
}

/// How many lines the help has.
#[must_use]
pub fn line_count(contexts: &[Context]) -> usize {
    lines(contexts).len()
}

/// Draws the help from line `top` on.
pub(super) fn draw(app: &App, top: usize, buffer: &mut Buffer) {
    let theme = &app.theme;
    let contexts = app.contexts();
    let lines = lines(&contexts);
    let (_, rows) = popup::inner_size(app.size);
    let foot = if lines.len() > rows {
        format!("{}–{} of {}", top + 1, (top + rows).min(lines.len()), lines.len())
    } else {
        String::new()
    };
    let here = contexts.first().map_or("", |context| context.name());
    let inner = popup::open_large(app, buffer, &format!("help: {here}"), &foot);
    let keys_of = |spec: &Spec| {
        let here = match spec.context {
            Context::Field => &[Context::Field][..],
            _ => contexts.as_slice(),
        };
        let keys = app.keymap.keys_here(spec.command, here, theme.is_ascii()).join("  ");
        if keys.is_empty() { "(no key)".to_owned() } else { keys }
    };
    let widest = lines.iter().filter_map(|line| match line {
        HelpLine::Command(spec) => Some(text::columns(&keys_of(spec), 26)),
        _ => None,
    });
    let columns = widest.max().unwrap_or_default().min(usize::from(inner.width) / 3);
    for (row, line) in lines.iter().skip(top).take(inner.height.into()).enumerate() {
        let mut pen = Pen::new(buffer, inner, row);
        match line {
            HelpLine::Blank => {}
            HelpLine::Title(context) => {
                pen.put(context.meaning().trim_end_matches('.'), theme.style(Role::Title));
            }
            HelpLine::Command(spec) => {
                pen.field(&keys_of(spec), columns, theme.style(Role::KeyHint)).skip(2);
                if inner.width >= 90 {
                    // What a keymap calls it, where both fit.
                    let doc = text::columns(spec.doc, usize::from(inner.width));
                    pen.put_right(spec.name, doc + 2, theme.style(Role::Faint));
                }
                pen.put(spec.doc, theme.style(Role::Text));
            }
        }
    }
}
