//! The question before programs are run: which, how often, and what is written.

use ratatui::buffer::Buffer;

use super::super::pen::Pen;
use super::super::popup;
use crate::model::Position;
use crate::tui::app::App;
use crate::tui::debugger::Debugger;
use crate::tui::replay::{Program, Question, Replay, Terms, named};
use crate::tui::theme::{Glyph, Role};
use crate::tui::update::{ANEW, CONFIRM, RETRY, SKIP};

/// The lines that are always there: what is asked, whether there is more, the keys.
const FIXED: usize = 3;

/// What is told below the programs, and how many of them are seen; where there is little room, some of
/// them matter more than how they are run.
struct Plan {
    told: Vec<(String, Role)>,
    programs: usize,
}

impl Plan {
    fn new(replay: &Replay, size: (u16, u16)) -> Self {
        let (programs, terms) = replay.asked();
        let mut told: Vec<(String, Role)> = Vec::new();
        if replay.question() == Question::Decide {
            let text = match unknown(replay) {
                [one] => format!("nobody knows how #{one} ended: look what became of it"),
                all => format!("nobody knows how {} ended: one answer for all", named(all)),
            };
            told.push((text, Role::Warned));
        }
        told.extend(replay.changed().iter().map(|text| (text.clone(), Role::Warned)));
        told.extend(replay.others().map(|text| (text, Role::Warned)));
        told.extend(replay.beside.map(|text| (text.to_owned(), Role::Warned)));
        let terms = terms.map(terms_text).into_iter().flatten();
        told.extend(terms.map(|text| (text, Role::Dim)));
        let (_, rows) = popup::inner_size(size);
        told.truncate(rows.saturating_sub(FIXED + 1));
        let room = rows.saturating_sub(FIXED + told.len()).max(1);
        Self { programs: programs.len().min(room), told }
    }

    fn rows(&self) -> usize {
        FIXED + self.told.len() + self.programs
    }
}

/// The furthest that the programs can be scrolled on a terminal of this size.
#[must_use]
pub fn last_top(replay: &Replay, size: (u16, u16)) -> usize {
    replay.asked().0.len() - Plan::new(replay, size).programs
}

/// Asks.
pub(in crate::tui::view) fn confirm(
    app: &App,
    debugger: &Debugger,
    top: usize,
    buffer: &mut Buffer,
) {
    let Some(replay) = debugger.replay.as_deref() else { return };
    let theme = &app.theme;
    let (programs, _) = replay.asked();
    let (title, head) = question(debugger, replay);
    let plan = Plan::new(replay, app.size);
    let inner = popup::open_list(app, buffer, title, "", plan.rows());
    Pen::new(buffer, inner, 0).put(&head, theme.style(Role::Strong));
    for (row, program) in programs.iter().skip(top).take(plan.programs).enumerate() {
        draw_program(app, program, &mut Pen::new(buffer, inner, row + 1));
    }
    let more = programs.len().saturating_sub(top + plan.programs);
    let below = plan.programs + 1;
    if more > 0 {
        let text = format!("{} {more} more: scroll", theme.glyph(Glyph::MoreDown));
        Pen::new(buffer, inner, below).put(&text, theme.style(Role::Accent));
    }
    for (row, (text, role)) in plan.told.iter().enumerate() {
        Pen::new(buffer, inner, below + 1 + row).put(text, theme.style(*role));
    }
    let keys = keys(replay, inner.width.into());
    Pen::new(buffer, inner, below + 1 + plan.told.len()).put(&keys, theme.style(Role::Warned));
}

/// The events of which somebody has to say how they ended.
fn unknown(replay: &Replay) -> &[Position] {
    replay.rest().map_or(&[], |(_, rest)| &rest.unknown)
}

/// What the keys do; shorter where there is less room.
fn keys(replay: &Replay, room: usize) -> String {
    if replay.answered.is_some() {
        return "looking at other runs and at the log first; any other key goes back".to_owned();
    }
    let other = replay.unfinished().is_some();
    let texts = match (replay.question(), other) {
        (Question::Decide, other) if unknown(replay).len() > 1 => {
            let (anew, short) = match other {
                true => (format!("; {ANEW} begins another run"), format!(", {ANEW} anew")),
                false => ("; others go back".to_owned(), String::new()),
            };
            [
                format!("{SKIP}: all are done, skip them; {RETRY}: none is, run them again{anew}"),
                format!("{SKIP} skip all, {RETRY} rerun all{short}"),
            ]
        }
        (Question::Execute, _) | (Question::GoOn, false) => {
            [format!("{CONFIRM} runs them, any other key goes back"), String::new()]
        }
        (Question::GoOn, true) => [
            format!(
                "{CONFIRM} goes on with it, {ANEW} begins another run, any other key goes back"
            ),
            format!("{CONFIRM} goes on, {ANEW} begins anew"),
        ],
        (Question::Decide, false) => [
            format!(
                "{SKIP}: it is done, skip it; {RETRY}: it is not, run it again; others go back"
            ),
            format!("{SKIP} skips it, {RETRY} runs it again"),
        ],
        (Question::Decide, true) => [
            format!(
                "{SKIP}: it is done, skip it; {RETRY}: it is not, run it again; {ANEW} begins another run"
            ),
            format!("{SKIP} skips it, {RETRY} reruns it, {ANEW} anew"),
        ],
        (Question::Anew, _) => [
            format!("{ANEW} begins another run, any other key goes back"),
            format!("{ANEW} begins another run"),
        ],
    };
    let [whole, short] = texts;
    if whole.len() <= room || short.is_empty() { whole } else { short }
}

fn question(debugger: &Debugger, replay: &Replay) -> (&'static str, String) {
    let issue = debugger.session.issue_key();
    let (from, to) = (replay.from, replay.to);
    if let Some(run) = replay.unfinished() {
        let title = if run.rest.is_held { "begin anew" } else { "go on" };
        return (title, format!("{}:", run.text()));
    }
    if replay.resumable().is_some() {
        let done = replay.outcomes.settled();
        let text =
            format!("go on with {issue} #{from} to #{to}, stopped after {done}: the rest of");
        return ("go on", text);
    }
    let events = replay.programs.iter().filter_map(|program| program.events).sum::<usize>();
    let s = if events == 1 { "" } else { "s" };
    ("execute", format!("run for {events} event{s} of {issue}, #{from} to #{to}:"))
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
