//! The question before programs are run: which, how often, and what is written.

use ratatui::buffer::Buffer;

use super::super::pen::Pen;
use super::super::popup;
use crate::tui::app::App;
use crate::tui::debugger::Debugger;
use crate::tui::replay::{Program, Replay, Terms};
use crate::tui::theme::{Glyph, Role};
use crate::tui::update::{ANEW, CONFIRM};

/// The lines below the programs.
const BELOW: usize = 4;

/// Asks.
pub(in crate::tui::view) fn confirm(
    app: &App,
    debugger: &Debugger,
    top: usize,
    buffer: &mut Buffer,
) {
    let Some(replay) = debugger.replay.as_deref() else { return };
    let theme = &app.theme;
    let (programs, terms) = replay.asked();
    let (title, head) = question(debugger, replay);
    let inner = popup::open_list(app, buffer, title, "", programs.len() + 1 + BELOW);
    Pen::new(buffer, inner, 0).put(&head, theme.style(Role::Strong));
    let key = keys(replay, inner.width.into());
    let room = usize::from(inner.height).saturating_sub(1 + BELOW).max(1);
    let top = top.min(programs.len().saturating_sub(room));
    for (row, program) in programs.iter().skip(top).take(room).enumerate() {
        draw_program(app, program, &mut Pen::new(buffer, inner, row + 1));
    }
    let shown = programs.len().saturating_sub(top).min(room);
    let more = programs.len() - shown;
    let below = usize::from(inner.height).saturating_sub(BELOW);
    let mut pen = Pen::new(buffer, inner, below);
    if more > 0 {
        let text = format!("{} {more} more: scroll", theme.glyph(Glyph::MoreDown));
        pen.put(&text, theme.style(Role::Accent));
    }
    for (row, text) in terms.map(terms_text).into_iter().flatten().enumerate() {
        Pen::new(buffer, inner, below + 1 + row).put(&text, theme.style(Role::Dim));
    }
    Pen::new(buffer, inner, below + 3).put(&key, theme.style(Role::Warned));
}

/// What the keys do; shorter where there is less room.
fn keys(replay: &Replay, room: usize) -> String {
    if replay.unfinished().is_none() {
        return format!("{CONFIRM} runs them, any other key goes back");
    }
    let whole =
        format!("{CONFIRM} goes on with it, {ANEW} begins another run, any other key goes back");
    if whole.len() <= room { whole } else { format!("{CONFIRM} goes on, {ANEW} begins anew") }
}

fn question(debugger: &Debugger, replay: &Replay) -> (&'static str, String) {
    let issue = debugger.session.issue_key();
    let (from, to) = (replay.from, replay.to);
    if let Some(run) = replay.unfinished() {
        return ("go on", format!("{}:", run.text()));
    }
    let events = replay.programs.iter().filter_map(|program| program.events).sum::<usize>();
    let s = if events == 1 { "" } else { "s" };
    match replay.resumable() {
        Some(_) => {
            let done = replay.outcomes.len();
            (
                "go on",
                format!("go on with {issue} #{from} to #{to}, stopped after {done}: the rest of"),
            )
        }
        None => ("execute", format!("run for {events} event{s} of {issue}, #{from} to #{to}:")),
    }
}

fn draw_program(app: &App, program: &Program, pen: &mut Pen<'_>) {
    let theme = &app.theme;
    let (glyph, role) = crate::tui::signs::ReplayMark::WouldExecute.look();
    pen.put(theme.glyph(glyph), theme.style(role)).skip(1);
    let events = program.events.map(|events| format!("{events} × ")).unwrap_or_default();
    pen.put(&format!("{events}{}", program.type_name), theme.style(Role::Text));
    pen.skip(2);
    let room = pen.room();
    let command = crate::tui::text::cut_middle(&program.command, room);
    pen.put(&command, theme.style(Role::Running));
}

fn terms_text(terms: &Terms) -> [String; 2] {
    let seconds = terms.timeout.as_secs();
    let tries = format!("one at a time, {seconds} s each, up to {} tries", terms.attempts);
    let marks = match terms.markers {
        true => "ReplayStarted and ReplayCompleted are appended to the log",
        false => "start and end are not logged (replay.emit_replay_markers)",
    };
    [tries, marks.to_owned()]
}
