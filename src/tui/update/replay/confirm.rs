//! Executing what was rehearsed: the question before it, and the answer.

use super::{begin, refuse_while_executing};
use crate::error::Result;
use crate::replay::Decision;
use crate::tui::action::Command;
use crate::tui::app::{App, Mode};
use crate::tui::effect::Effect;
use crate::tui::key::Key;
use crate::tui::keymap::Lookup;
use crate::tui::pane::{motion, moved};
use crate::tui::replay::{Looking, Question, Replay, Terms, Unfinished, What, named, short_id};
use crate::tui::update::command_in_mode;

/// The letter that confirms an execution.
pub const CONFIRM: char = 'y';
/// The letter that begins another run instead of going on with one that did not come to its end.
pub const ANEW: char = 'a';
/// The letter that says that what was begun is done.
pub const SKIP: char = 's';
/// The letter that says that what was begun is not done.
pub const RETRY: char = 'r';

/// Asks whether to execute what was rehearsed, or to go on with what was stopped; else says why not.
/// What has come since is looked at meanwhile: nobody is to run unawares what another screen runs.
pub(super) fn execute(app: &mut App) -> Vec<Effect> {
    let effects = ask(app);
    if !matches!(app.mode, Mode::Confirm(_)) {
        return effects;
    }
    app.looks += 1;
    let number = app.looks;
    let Some(debugger) = app.debugger.as_deref_mut() else { return effects };
    let Some(replay) = debugger.replay.as_deref_mut() else { return effects };
    let looking = Looking { issue: debugger.session.issue_key().to_owned(), number };
    (replay.looking, replay.answered) = (Some(looking.clone()), None);
    vec![Effect::Look(looking)]
}

/// Takes in what was found meanwhile: what was answered before is done, unless that is asked anew.
pub(in crate::tui::update) fn looked(
    app: &mut App,
    looking: &Looking,
    found: Result<Box<Terms>>,
) -> Vec<Effect> {
    let Some(replay) = replay_of(app) else { return Vec::new() };
    if replay.looking.take_if(|own| own == looking).is_none() {
        return Vec::new();
    }
    let answered = replay.answered.take();
    let is_new = found.map(|found| replay.look(*found));
    if !matches!(app.mode, Mode::Confirm(_)) {
        return Vec::new();
    }
    match (is_new, answered) {
        (Ok(false), None) => Vec::new(),
        (Ok(false), Some(decision)) => {
            app.mode = Mode::Normal;
            confirmed(app, decision)
        }
        (Ok(true), answered) => {
            app.mode = Mode::Normal;
            let effects = ask(app);
            if answered.is_some() && matches!(app.mode, Mode::Confirm(_)) {
                app.fail("this has come up meanwhile: nothing was executed yet");
            }
            effects
        }
        (Err(error), _) => {
            app.mode = Mode::Normal;
            app.fail_with(&error);
            Vec::new()
        }
    }
}

/// Asks, or says why not.
fn ask(app: &mut App) -> Vec<Effect> {
    let (copy, rehearse) = (app.first_key(Command::CopyReplay), app.first_key(Command::Rehearse));
    let Some(replay) = app.debugger.as_deref().and_then(|d| d.replay.as_deref()) else {
        return super::ask(app);
    };
    if replay.is_executing() {
        return refuse_while_executing(app);
    }
    if let Some((id, rest)) = replay.rest() {
        if rest.is_held && replay.executes {
            let id = short_id(id);
            app.fail(format!("run {id} is still at work elsewhere: {rehearse} looks again"));
        } else {
            app.mode = Mode::Confirm(0);
        }
    } else if replay.executes && replay.end.is_some() {
        app.tell(format!("that run is over: {rehearse} rehearses again"));
    } else if replay.executes || replay.state().is_none() {
        app.tell(format!("rehearse it first: {rehearse}"));
    } else if let Some(refusal) = replay.refusal() {
        app.fail(format!("{refusal}; {copy} copies the command"));
    } else {
        app.mode = Mode::Confirm(0);
    }
    Vec::new()
}

/// A key while it is asked whether to execute: one letter does it, the list scrolls, all else goes
/// back.
pub(in crate::tui::update) fn confirm_key(app: &mut App, key: Key) -> Vec<Effect> {
    let Mode::Confirm(top) = app.mode else { return Vec::new() };
    let Some(replay) = app.debugger.as_deref().and_then(|d| d.replay.as_deref()) else {
        return Vec::new();
    };
    if key.character() == Some(ANEW) && replay.unfinished().is_some() {
        app.mode = Mode::Normal;
        return anew(app);
    }
    if let Some(decision) = answer(replay.question(), key) {
        if let Some(replay) = replay_of(app).filter(|replay| replay.looking.is_some()) {
            replay.answered = Some(decision);
            return Vec::new();
        }
        app.mode = Mode::Normal;
        return confirmed(app, decision);
    }
    let total = replay.asked().0.len();
    let command = match app.keymap.look_up(&app.contexts(), &[key]) {
        Lookup::Command(command) => Some(command),
        _ => None,
    };
    let rows = command.and_then(|command| motion(command, None, 4));
    match (rows, command) {
        (Some(rows), _) => app.mode = Mode::Confirm(moved(top, rows, total)),
        (None, Some(command @ (Command::Quit | Command::Suspend | Command::Redraw))) => {
            app.mode = Mode::Normal;
            return command_in_mode(app, command, None);
        }
        _ => {
            app.mode = Mode::Normal;
            app.tell("nothing was executed");
        }
    }
    Vec::new()
}

/// What becomes of events that have no known end, where the key says that programs are to run.
fn answer(question: Question, key: Key) -> Option<Decision> {
    match (question, key.character()?) {
        (Question::Execute | Question::GoOn, CONFIRM) => Some(Decision::Fail),
        (Question::Decide, SKIP) => Some(Decision::Skip),
        (Question::Decide, RETRY) => Some(Decision::Retry),
        _ => None,
    }
}

/// Tells that a run did not come to its end, and what can be done about it.
pub(super) fn tell_unfinished(app: &mut App) {
    let Some(replay) = app.debugger.as_deref().and_then(|d| d.replay.as_deref()) else { return };
    let others = replay.others();
    let Some(text) = replay.unfinished().map(Unfinished::text) else {
        if let Some(others) = others {
            app.tell(others);
        }
        return;
    };
    let key = app.first_key(Command::Execute);
    let can = match replay.question() {
        Question::Execute | Question::GoOn => "goes on, or begins anew".to_owned(),
        Question::Decide => {
            let unknown = replay.rest().map(|(_, rest)| named(&rest.unknown)).unwrap_or_default();
            format!("asks what became of {unknown} and goes on, or begins anew")
        }
        Question::Anew => "begins another".to_owned(),
    };
    let others = others.map_or_else(String::new, |others| format!("; {others}"));
    app.tell(format!("{text}: {key} {can}{others}"));
}

/// Asks about another run than the one that did not come to its end.
fn anew(app: &mut App) -> Vec<Effect> {
    if let Some(replay) = replay_of(app) {
        replay.anew = true;
    }
    execute(app)
}

fn confirmed(app: &mut App, decision: Decision) -> Vec<Effect> {
    let Some(replay) = replay_of(app) else { return Vec::new() };
    if let Some(run) = replay.unfinished().cloned() {
        replay.take_up(&run);
        return begin(app, run.from, run.to, What::Resume(run.replay_id, decision));
    }
    let (from, to) = (replay.from, replay.to);
    let what = match replay.resumable() {
        Some((id, _)) => What::Resume(id.to_owned(), decision),
        None => What::Execute,
    };
    begin(app, from, to, what)
}

fn replay_of(app: &mut App) -> Option<&mut Replay> {
    app.debugger.as_deref_mut().and_then(|debugger| debugger.replay.as_deref_mut())
}
