//! Comparing two runs: asking with what, waiting for it, and walking the differences.

use rustc_hash::FxHashMap;

use crate::error::Result;
use crate::session::compare::Progress;
use crate::tui::action::Command;
use crate::tui::app::{App, Mode};
use crate::tui::comparison::{Comparing, Comparison};
use crate::tui::debugger::Debugger;
use crate::tui::effect::Effect;
use crate::tui::pane::motion;
use crate::tui::pick::{Candidate, Pick};

/// Asks what to compare with.
pub(super) fn ask(app: &mut App) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref() else { return Vec::new() };
    let issue = debugger.session.issue_key().to_owned();
    let again = debugger.comparison.iter().map(|last| Candidate::again(&last.names));
    app.mode = Mode::Pick(Pick::new(again.chain(sessions(debugger)).collect()));
    vec![Effect::ListSides(issue)]
}

/// The sessions of the issue that is open, unless it has only one.
fn sessions(debugger: &Debugger) -> Vec<Candidate> {
    let timeline = debugger.session.timeline();
    let mut known = FxHashMap::default();
    let mut order = Vec::new();
    for row in timeline.rows().filter(|row| !row.session.is_empty()) {
        let count = known.entry(row.session).or_insert_with(|| {
            order.push((row.session, row.at));
            0_usize
        });
        *count += 1;
    }
    if order.len() < 2 {
        return Vec::new();
    }
    let candidate = |(session, at): (_, crate::model::Timestamp)| Candidate {
        text: format!("{}/{}", debugger.session.issue_key(), timeline.text(session)),
        note: format!("session, {} events from {}", known[&session], at.time_of_day()),
    };
    order.into_iter().map(candidate).collect()
}

/// Takes more candidates.
pub(super) fn offer(app: &mut App, more: Vec<Candidate>) {
    if let Mode::Pick(pick) = &mut app.mode {
        pick.add(more);
    }
}

/// Begins to compare: this issue with what was chosen, or two sides that were typed.
pub(super) fn begin(app: &mut App) -> Vec<Effect> {
    let Mode::Pick(pick) = std::mem::take(&mut app.mode) else { return Vec::new() };
    if pick.chosen().is_some_and(Candidate::is_again) {
        app.mode = Mode::Comparison;
        return Vec::new();
    }
    let answer = pick.answer();
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    let mut typed = answer.split_whitespace();
    let names = match (typed.next(), typed.next(), typed.next()) {
        (Some(other), None, _) => [debugger.session.issue_key().to_owned(), other.to_owned()],
        (Some(a), Some(b), None) => [a.to_owned(), b.to_owned()],
        _ => {
            app.tell("give one side to compare with, or two");
            return Vec::new();
        }
    };
    stop(debugger);
    let comparing = Comparing { names, progress: Progress::default() };
    debugger.comparing = Some(comparing.clone());
    vec![Effect::Compare(comparing)]
}

/// Stops what is being compared; false when nothing is.
pub(super) fn stop(debugger: &mut Debugger) -> bool {
    let Some(comparing) = debugger.comparing.take() else { return false };
    comparing.progress.stop();
    true
}

/// Takes in what a comparison came to, unless nobody waits for it any more.
pub(super) fn take(app: &mut App, comparing: &Comparing, result: Result<Box<Comparison>>) {
    let Some(debugger) = app.debugger.as_deref_mut() else { return };
    if debugger.comparing.as_ref() != Some(comparing) {
        return;
    }
    debugger.comparing = None;
    match result {
        Ok(comparison) => {
            debugger.comparison = Some(comparison);
            if matches!(app.mode, Mode::Normal) {
                app.notice = None;
                app.mode = Mode::Comparison;
            } else {
                let key = app.first_key(Command::Compare);
                app.tell(format!("the comparison is there: {key} shows it"));
            }
        }
        Err(error) => app.fail_with(&error),
    }
}

/// A command on the screen of a comparison.
pub(super) fn command(app: &mut App, command: Command, count: Option<u32>) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    let Some(comparison) = debugger.comparison.as_deref_mut() else {
        app.mode = Mode::Normal;
        return Vec::new();
    };
    if let Some(rows) = motion(command, count, comparison.height()) {
        comparison.move_by(rows);
        return Vec::new();
    }
    match command {
        Command::NextDifference | Command::PreviousDifference => {
            for _ in 0..count.unwrap_or(1).max(1) {
                let (alignment, here) = (&comparison.alignment, comparison.cursor);
                let found = match command {
                    Command::NextDifference => alignment.next(here),
                    _ => alignment.previous(here),
                };
                match found {
                    Some(row) => comparison.cursor = row,
                    None => {
                        app.tell("no further difference that way");
                        break;
                    }
                }
            }
        }
        Command::Open => {
            let issue = debugger.session.issue_key().to_owned();
            match comparison.position_in(&issue) {
                Some(position) => {
                    debugger.play = None;
                    debugger.jump_to(position);
                    app.mode = Mode::Normal;
                }
                None => app.tell(format!("{issue} does not have that event")),
            }
        }
        _ => {}
    }
    Vec::new()
}
