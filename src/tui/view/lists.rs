//! Windows with a list or a text field of their own: breakpoints, races, branches.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::pen::{Pen, lay};
use super::popup;
use crate::tui::action::Command;
use crate::tui::app::{App, Ask, List, Purpose};
use crate::tui::debugger::Debugger;
use crate::tui::pane::scroll;
use crate::tui::pick::Pick;
use crate::tui::signs;
use crate::tui::text;
use crate::tui::theme::{Glyph, Role};

/// The sign before a field; as wide as an error's lines are set in, so that its caret fits.
const SIGN: &str = "> ";

/// A text field, and below it what is wrong with the text.
pub(super) fn ask(app: &App, ask: &Ask, buffer: &mut Buffer) {
    let theme = &app.theme;
    let (title, foot) = match ask.purpose {
        Purpose::Breakpoint => ("breakpoint", "an expression, or a path that changes"),
        Purpose::BranchName => ("save the branch", "a name"),
        Purpose::Filter => ("filter", "an expression, words, or a path; nothing shows all"),
    };
    let width = app.size.0.saturating_sub(4).min(100);
    let height = 5.min(app.size.1);
    let top = app.size.1.saturating_sub(height + 2);
    let area = Rect::new((app.size.0 - width) / 2, top, width, height);
    let inner = popup::open(app, buffer, area, title, foot);
    super::prompt_line(app, SIGN, &ask.input, &mut Pen::new(buffer, inner, 0));
    let below = |row| Rect { y: inner.y + row, height: inner.height.saturating_sub(row), ..inner };
    match &ask.fault {
        Some(fault) => {
            let mut lines = fault.lines();
            let why = lines.next().unwrap_or_default();
            // The second line is the text itself, which the field shows.
            let fits = text::columns(ask.input.text(), 4096) + 3 <= usize::from(inner.width);
            let caret = lines.nth(1).filter(|_| fits).unwrap_or_default();
            Pen::new(buffer, below(1), 0).put(caret, theme.style(Role::Failed));
            Pen::new(buffer, below(2), 0).skip(2).put(why, theme.style(Role::Failed));
        }
        None => {
            for (row, text) in examples(ask.purpose).iter().enumerate() {
                Pen::new(buffer, below(1), row).skip(2).put(text, theme.style(Role::Faint));
            }
        }
    }
}

fn examples(purpose: Purpose) -> &'static [&'static str] {
    match purpose {
        Purpose::Breakpoint => &[
            "$state.agents.coder.status == \"failed\"     .event_type | endswith(\"Failed\")",
            "/agents/coder/status",
        ],
        Purpose::Filter => &[".event_type | endswith(\"Failed\")", "oauth !ToolInvoked"],
        Purpose::BranchName => &["as in `chronoscope branch --load NAME`", ""],
    }
}

/// A text field, and below it what could be meant.
pub(super) fn pick(app: &App, pick: &Pick, buffer: &mut Buffer) {
    let theme = &app.theme;
    let all = pick.choices();
    let foot = "issue, issue/session, issue@branch; or two of them";
    let (title, rows) = ("compare with", popup::palette_rows(app.size));
    let inner = popup::open_list(app, buffer, title, foot, all.len().min(rows) + 2);
    super::prompt_line(app, SIGN, &pick.input, &mut Pen::new(buffer, inner, 0));
    let list = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
    if all.len() == 0 {
        let text = if pick.waiting { "looking…" } else { "nothing is like that: as it is typed" };
        Pen::new(buffer, list, 0).skip(2).put(text, theme.style(Role::Dim));
    }
    let seen = usize::from(list.height);
    let top = scroll(0, pick.cursor, seen, all.len(), 1);
    for (row, candidate) in all.skip(top).take(seen).enumerate() {
        let mut pen = Pen::new(buffer, list, row);
        pen.put_right(&format!("  {}", candidate.note), 24, theme.style(Role::Dim));
        pen.skip(2).put(&candidate.text, theme.style(Role::Strong));
        if top + row == pick.cursor {
            lay(buffer, list, row, theme.style(Role::Selection));
        }
    }
}

/// A list over the panes.
pub(super) fn list(
    app: &App,
    debugger: &Debugger,
    list: &List,
    cursor: usize,
    buffer: &mut Buffer,
) {
    match list {
        List::Breakpoints => breakpoints(app, debugger, cursor, buffer),
        List::Races => races(app, debugger, cursor, buffer),
        List::Branches(names) => {
            rows(app, buffer, ("branches", names.len(), cursor), |at, pen| {
                let name = names.get(at).map_or("", String::as_str);
                pen.put(name, app.theme.style(Role::Text));
            });
        }
    }
}

/// What can be done with the branch.
pub(super) fn branch_menu(app: &App, debugger: &Debugger, buffer: &mut Buffer) {
    let theme = &app.theme;
    let on = debugger.whatif.is_some();
    let head = match &debugger.whatif {
        Some(whatif) => whatif.headline(debugger.head(), false),
        None => "no what-if is on: skip, insert or edit an event".to_owned(),
    };
    let keys = [("s", "save it under a name", on), ("l", "load one that was saved", true)];
    let keys = keys.into_iter().chain([("x", "leave it: back to what happened", on)]);
    let width = app.size.0.saturating_sub(4).min(72);
    let area = Rect::new((app.size.0 - width) / 2, app.size.1.saturating_sub(9), width, 7);
    let back = app.first_key(Command::Cancel);
    let inner = popup::open(app, buffer, area, "what if", &format!("{back} back"));
    Pen::new(buffer, inner, 0).put(&head, theme.style(Role::Branch));
    for (row, (key, what, there)) in keys.enumerate() {
        let mut pen = Pen::new(buffer, inner, row + 1);
        let role = |role| theme.style(if there { role } else { Role::Faint });
        pen.field(key, 2, role(Role::KeyHint)).put(what, role(Role::Text));
    }
    let note = "Nothing of a what-if is ever written to the log.";
    Pen::new(buffer, inner, 4).put(note, theme.style(Role::Dim));
}

/// The rows of a list that are seen, each drawn by `row`.
fn rows(
    app: &App,
    buffer: &mut Buffer,
    (title, total, cursor): (&str, usize, usize),
    mut row: impl FnMut(usize, &mut Pen<'_>),
) {
    let foot = format!("{}/{total}", (cursor + 1).min(total));
    let inner = popup::open_list(app, buffer, title, &foot, total);
    let height = usize::from(inner.height);
    let top = scroll(cursor.saturating_sub(height / 2), cursor, height, total, 1);
    for (line, at) in (top..total).take(height).enumerate() {
        row(at, &mut Pen::new(buffer, inner, line));
        if at == cursor {
            lay(buffer, inner, line, app.theme.style(Role::Selection));
        }
    }
}

/// Two events and what both wrote.
fn races(app: &App, debugger: &Debugger, cursor: usize, buffer: &mut Buffer) {
    let theme = &app.theme;
    let timeline = debugger.session.timeline();
    let all = &debugger.races.all;
    let name = |position| {
        let row = timeline.row(position);
        row.map_or(("", ""), |row| (timeline.text(row.actor), signs::type_name(timeline, &row)))
    };
    let title = format!("races {}", theme.glyph(Glyph::Race));
    rows(app, buffer, (&title, all.len(), cursor), |at, pen| {
        let Some(race) = all.get(at) else { return };
        let with_types = pen.room() >= 90;
        for (position, joint) in [(race.first, theme.glyph(Glyph::Race)), (race.second, "")] {
            let (actor, what) = name(position);
            pen.put(&format!("#{position} "), theme.style(Role::Strong));
            if with_types {
                pen.put(&format!("{what} "), theme.style(Role::Text));
            }
            pen.put(actor, theme.style(Role::Writer)).skip(1);
            pen.put(joint, theme.style(Role::Warned)).skip(1);
        }
        let path = race.path.to_string();
        let room = pen.room();
        pen.put(&text::cut_start(&path, room), theme.style(Role::Changed));
    });
}

fn breakpoints(app: &App, debugger: &Debugger, cursor: usize, buffer: &mut Buffer) {
    let theme = &app.theme;
    let watches = debugger.breaks.watches();
    rows(app, buffer, ("breakpoints", watches.len(), cursor), |at, pen| {
        let Some(watch) = watches.get(at) else { return };
        let on = watch.kept.on;
        let (word, role) = if on { ("on", Role::Breakpoint) } else { ("off", Role::Dim) };
        pen.put(
            theme.glyph(if on { Glyph::Breakpoint } else { Glyph::Pending }),
            theme.style(role),
        );
        pen.skip(1).field(word, 4, theme.style(role));
        let more = if on && !watch.is_whole(debugger.head()) { "+" } else { "" };
        let count = match (on, watch.hits().len()) {
            (false, _) => String::new(),
            (true, 1) if more.is_empty() => " 1 hit".to_owned(),
            (true, n) => format!(" {n}{more} hits"),
        };
        pen.put_right(&count, 20, theme.style(Role::Dim));
        pen.put(&watch.kept.when, theme.style(if on { Role::Text } else { Role::Dim })).skip(2);
        if let Some(fault) = watch.fault() {
            pen.put(fault, theme.style(Role::Failed));
        }
    });
}
