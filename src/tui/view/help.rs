//! The help: what the keys do here, from the table of commands.

use ratatui::buffer::Buffer;

use super::pen::Pen;
use super::popup;
use crate::tui::action::{COMMANDS, Context, Spec};
use crate::tui::app::App;
use crate::tui::debugger::Debugger;
use crate::tui::keymap::Keymap;
use crate::tui::theme::Role;

/// The contexts that the help is about, the narrowest first.
#[must_use]
pub fn contexts(debugger: Option<&Debugger>) -> Vec<Context> {
    match debugger {
        Some(debugger) => vec![debugger.focus.context(), Context::Debugger, Context::Anywhere],
        None => vec![Context::Browser, Context::Anywhere],
    }
}

/// A line of the help.
enum HelpLine {
    Title(Context),
    Command(&'static Spec, String),
    Blank,
}

fn lines(keymap: &Keymap, contexts: &[Context]) -> Vec<HelpLine> {
    let mut lines = Vec::new();
    for context in contexts {
        let of_context = COMMANDS.iter().filter(|spec| spec.context == *context);
        let rows: Vec<HelpLine> = of_context
            .map(|spec| HelpLine::Command(spec, keymap.keys_of(spec.command).join("  ")))
            .collect();
        if rows.is_empty() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(HelpLine::Blank);
        }
        lines.push(HelpLine::Title(*context));
        lines.extend(rows);
    }
    lines
}

/// How many lines the help has.
#[must_use]
pub fn line_count(keymap: &Keymap, contexts: &[Context]) -> usize {
    lines(keymap, contexts).len()
}

/// Draws the help from line `top` on.
pub(super) fn draw(app: &App, top: usize, buffer: &mut Buffer) {
    let theme = &app.theme;
    let contexts = contexts(app.debugger.as_deref());
    let lines = lines(&app.keymap, &contexts);
    let (_, rows) = popup::inner_size(app.size);
    let foot = if lines.len() > rows {
        format!("{}–{} of {}", top + 1, (top + rows).min(lines.len()), lines.len())
    } else {
        String::new()
    };
    let here = contexts.first().map_or("", |context| context.name());
    let inner = popup::open_large(app, buffer, &format!("help: {here}"), &foot);
    let columns = if inner.width >= 70 { 26 } else { 18 };
    for (row, line) in lines.iter().skip(top).take(inner.height.into()).enumerate() {
        let mut pen = Pen::new(buffer, inner, row);
        match line {
            HelpLine::Blank => {}
            HelpLine::Title(context) => {
                pen.put(context.meaning().trim_end_matches('.'), theme.style(Role::Title));
            }
            HelpLine::Command(spec, keys) => {
                let keys = if keys.is_empty() { "(no key)" } else { keys };
                pen.field(keys, columns, theme.style(Role::KeyHint)).skip(1);
                if inner.width >= 90 {
                    pen.put_right(spec.name, 60, theme.style(Role::Faint));
                }
                pen.put(spec.doc, theme.style(Role::Text));
            }
        }
    }
}
