//! The lines above the list: the range, the promise or the progress, the counts, how the states
//! compare, and what can be done next.

use crate::model::Position;
use crate::tui::action::Command;
use crate::tui::app::App;
use crate::tui::replay::{End, Question, Replay, Start, named, short_id};
use crate::tui::signs::ReplayMark;
use crate::tui::theme::{Glyph, Role, Theme};
use crate::tui::viewer::Viewer;

use super::super::pen::Pen;

/// What a rehearsal promises; shorter where there is less room.
const PROMISES: [&str; 2] =
    ["rehearsal: nothing is executed, nothing is written", "rehearsal: nothing is run or written"];
/// From so many rows on, what can be done next is told too.
const WITH_NEXT: u16 = 9;
/// From so many rows on, a fault has a second line.
const WITH_HINT: u16 = 11;

/// A line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Range,
    Promise,
    /// What is on beside it, and does not count.
    Beside,
    Progress,
    Counts,
    State,
    Next,
    /// A line of why it could not go on.
    Fault(usize),
}

/// The lines that are there in a pane of this size.
pub(super) fn lines(replay: &Replay, width: usize, height: u16) -> Vec<Line> {
    let mut lines = vec![Line::Range];
    if !replay.executes {
        lines.push(Line::Promise);
    }
    if height >= WITH_NEXT && replay.beside.is_some() {
        lines.push(Line::Beside);
    }
    let is_over = matches!(replay.end, Some(End::Done(_) | End::Fault(_)));
    if replay.executes || !is_over {
        lines.push(Line::Progress);
    }
    // Where nothing could be looked at, there is nothing to count.
    if !(replay.outcomes.is_empty() && matches!(replay.end, Some(End::Fault(_)))) {
        lines.push(Line::Counts);
    }
    match &replay.end {
        Some(End::Done(_)) => lines.push(Line::State),
        Some(End::Fault(_)) => {
            let most = if height >= WITH_HINT { 4 } else { 2 };
            lines.extend((0..fault_lines(replay, width, most).len()).map(Line::Fault));
        }
        Some(End::Stopped) | None => {}
    }
    if height >= WITH_NEXT && replay.running.is_none() {
        lines.push(Line::Next);
    }
    lines
}

/// Writes a line.
pub(super) fn draw(app: &App, replay: &Replay, line: Line, pen: &mut Pen<'_>) {
    let theme = &app.theme;
    match line {
        Line::Range => range(theme, replay, pen),
        Line::Promise => {
            let fits = |text: &&&str| text.len() <= pen.room();
            let text = PROMISES.iter().find(fits).unwrap_or(&PROMISES[1]);
            pen.put(text, theme.style(Role::Accent));
        }
        Line::Beside => {
            pen.put(replay.beside.unwrap_or_default(), theme.style(Role::Warned));
        }
        Line::Progress => progress(app, replay, pen),
        Line::Counts => counts(theme, replay, pen),
        Line::State => state(theme, replay, pen),
        Line::Next => next(app, replay, pen),
        Line::Fault(number) => {
            let lines = fault_lines(replay, pen.room(), number + 1);
            pen.put(lines.get(number).map_or("", String::as_str), theme.style(Role::Failed));
        }
    }
}

fn range(theme: &Theme, replay: &Replay, pen: &mut Pen<'_>) {
    let (from, to): (Position, Position) = (replay.from, replay.to);
    let range = format!("#{from}–#{to}");
    pen.put(&range, theme.style(Role::Strong)).skip(2);
    let s = if replay.events() == 1 { "" } else { "s" };
    let start = match &replay.start {
        Start::Playhead => "from here".to_owned(),
        Start::Checkpoint(id, _) if id.is_empty() => "from behind a checkpoint".to_owned(),
        Start::Checkpoint(id, _) => format!("from behind checkpoint {id}"),
        Start::Beginning => "from the beginning".to_owned(),
        Start::Typed => "as typed".to_owned(),
        Start::Begun => "as it was begun".to_owned(),
    };
    pen.put(&format!("{} event{s}", replay.events()), theme.style(Role::Text)).skip(2);
    pen.put(&start, theme.style(Role::Dim));
}

fn progress(app: &App, replay: &Replay, pen: &mut Pen<'_>) {
    let theme = &app.theme;
    let (done, all) = (replay.outcomes.len(), replay.events());
    let count = format!("{done}/{all}");
    match (&replay.running, &replay.end) {
        (Some(running), _) => {
            let rate = replay.rate().map(|rate| format!("  {}/s", rate_text(rate)));
            let at = replay.outcomes.running().or(replay.outcomes.last());
            let at = at.map(|at| format!(" #{at}")).unwrap_or_default();
            let (word, role) = match (replay.executes, replay.stopping) {
                (_, true) => ("stopping at", Role::Warned),
                (true, _) => ("executing", Role::Running),
                (false, _) => ("rehearsing", Role::Accent),
            };
            pen.put(theme.glyph(Glyph::Running), theme.style(role)).skip(1);
            if replay.outcomes.last().is_none() && !replay.stopping {
                let text = match running.progress.hundredths_read() {
                    0 => "reading the log".to_owned(),
                    read => format!("reading the log {read} %"),
                };
                pen.put(&text, theme.style(role));
                return;
            }
            pen.put(&format!("{word}{at}"), theme.style(role)).skip(2);
            pen.put(&count, theme.style(Role::Strong));
            pen.put(&rate.unwrap_or_default(), theme.style(Role::Dim));
        }
        (None, end) => {
            let role = match end {
                Some(End::Stopped) => Role::Warned,
                Some(End::Fault(_)) => Role::Failed,
                Some(End::Done(_)) | None => Role::Done,
            };
            pen.put(&replay.end_text().unwrap_or_default(), theme.style(role));
        }
    }
}

fn rate_text(rate: f64) -> String {
    if rate < 10.0 { format!("{rate:.1}") } else { format!("{rate:.0}") }
}

/// How many events came to what: with words where there is room, of which what is not there needs
/// none.
fn counts(theme: &Theme, replay: &Replay, pen: &mut Pen<'_>) {
    let marks = replay.outcomes.marks();
    let counted = |mark: ReplayMark| (mark, marks.count(mark), mark.word(!replay.executes));
    let all = ORDER.into_iter().map(counted);
    let all: Vec<_> = all.filter(|(mark, count, _)| *count > 0 || is_told(replay, *mark)).collect();
    let there: Vec<_> = all.iter().copied().filter(|(_, count, _)| *count > 0).collect();
    let columns = |parts: &[(ReplayMark, usize, &str)]| -> usize {
        parts.iter().map(|(_, n, word)| n.to_string().len() + word.len() + 5).sum()
    };
    let room = pen.room() + 2;
    let (parts, with_words) = match columns(&all) <= room {
        true => (&all, true),
        false if !there.is_empty() && columns(&there) <= room => (&there, true),
        false => (&all, false),
    };
    for (mark, count, word) in parts {
        let (glyph, own) = mark.look();
        let (role, number) = if *count > 0 { (own, Role::Strong) } else { (Role::Dim, Role::Dim) };
        pen.put(theme.glyph(glyph), theme.style(role)).skip(1);
        pen.put(&count.to_string(), theme.style(number));
        if with_words {
            pen.skip(1).put(word, theme.style(role));
        }
        pen.skip(2);
    }
}

/// Whether it is told that no event has a mark.
fn is_told(replay: &Replay, mark: ReplayMark) -> bool {
    match mark {
        ReplayMark::Executed => replay.executes,
        ReplayMark::WouldExecute => !replay.executes,
        ReplayMark::Skipped | ReplayMark::Recorded | ReplayMark::Failed => true,
        ReplayMark::Unknown | ReplayMark::Running => false,
    }
}

/// The order of the counts: what is done before what is not.
const ORDER: [ReplayMark; 7] = [
    ReplayMark::WouldExecute,
    ReplayMark::Executed,
    ReplayMark::Running,
    ReplayMark::Recorded,
    ReplayMark::Skipped,
    ReplayMark::Failed,
    ReplayMark::Unknown,
];

fn state(theme: &Theme, replay: &Replay, pen: &mut Pen<'_>) {
    let Some(End::Done(answer)) = &replay.end else { return };
    let rate = format!("success {:.1} %", answer.success_rate * 100.0);
    let role = if answer.success_rate < 1.0 { Role::Warned } else { Role::Done };
    if answer.state.matches {
        pen.put(theme.glyph(Glyph::Done), theme.style(Role::Done)).skip(1);
        pen.put("state as recorded", theme.style(Role::Done)).skip(2);
    } else {
        pen.put(theme.glyph(Glyph::Violated), theme.style(Role::Violated)).skip(1);
        let long = "another state than recorded";
        let text = if pen.room() >= long.len() + rate.len() + 2 { long } else { "another state" };
        pen.put(text, theme.style(Role::Violated)).skip(2);
    }
    pen.put(&rate, theme.style(role));
}

/// What can be done next.
fn next(app: &App, replay: &Replay, pen: &mut Pen<'_>) {
    let theme = &app.theme;
    let (execute, copy) = (app.first_key(Command::Execute), app.first_key(Command::CopyReplay));
    let text = if let Some(text) = next_of_rest(app, replay) {
        text
    } else if replay.executes || replay.state().is_none() {
        let rehearse = app.first_key(Command::Rehearse);
        format!("{rehearse} rehearses again")
    } else if let Some(refusal) = replay.refusal() {
        format!("not from here: {refusal}; {copy} copies the command")
    } else {
        let events = replay.programs.iter().filter_map(|program| program.events).sum::<usize>();
        let s = if events == 1 { "" } else { "s" };
        format!("{execute} executes {events} event{s}, {copy} copies the command")
    };
    pen.put(&text, theme.style(Role::Dim));
}

/// What can be done next about a run that did not come to its end; none where there is none.
fn next_of_rest(app: &App, replay: &Replay) -> Option<String> {
    let (execute, copy) = (app.first_key(Command::Execute), app.first_key(Command::CopyReplay));
    let (id, rest) = replay.rest()?;
    let (id, other) = (short_id(id), replay.unfinished());
    Some(match (replay.question(), other) {
        (Question::Anew, Some(run)) => {
            format!("{execute} begins another run: {id} {}", run.told())
        }
        (Question::Anew, None) => {
            let rehearse = app.first_key(Command::Rehearse);
            format!("{id} is still at work elsewhere: {rehearse} looks again")
        }
        (Question::Decide, other) => {
            let or = if other.is_some() { ", or begins anew" } else { "" };
            let unknown = named(&rest.unknown);
            format!("{execute} asks what became of {unknown} and goes on with {id}{or}")
        }
        (_, Some(run)) => format!("{execute} goes on with {id}, {}, or begins anew", run.told()),
        (_, None) if matches!(replay.end, Some(End::Fault(_))) => {
            format!("{execute} tries once more, {copy} copies the command")
        }
        (_, None) => format!("{execute} goes on with {id}, {copy} copies the command"),
    })
}

/// Why it could not go on, in at most so many lines.
fn fault_lines(replay: &Replay, width: usize, most: usize) -> Vec<String> {
    let Some(End::Fault(error)) = &replay.end else { return Vec::new() };
    let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
    let mut whole = Viewer::new("", format!("{}{hint}", error.message()));
    whole.prepare(width, most);
    whole.seen().map(str::to_owned).collect()
}
