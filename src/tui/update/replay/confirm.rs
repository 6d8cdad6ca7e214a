//! Executing what was rehearsed: the question before it, and the answer.

use super::{begin, refuse_while_executing};
use crate::tui::action::Command;
use crate::tui::app::{App, Mode};
use crate::tui::effect::Effect;
use crate::tui::key::Key;
use crate::tui::keymap::Lookup;
use crate::tui::pane::{motion, moved};
use crate::tui::replay::{Unfinished, What};
use crate::tui::update::command_in_mode;

/// The letter that confirms an execution.
pub const CONFIRM: char = 'y';
/// The letter that begins another run instead of going on with one that did not come to its end.
pub const ANEW: char = 'a';

/// Asks whether to execute what was rehearsed, or to go on with what was stopped; else why not.
pub(super) fn execute(app: &mut App) -> Vec<Effect> {
    let copy = app.first_key(Command::CopyReplay);
    let Some(replay) = app.debugger.as_deref().and_then(|d| d.replay.as_deref()) else {
        return super::ask(app);
    };
    if replay.is_executing() {
        return refuse_while_executing(app);
    }
    if replay.resumable().is_some() {
        app.mode = Mode::Confirm(0);
    } else if replay.executes || replay.state().is_none() {
        let key = app.first_key(Command::Rehearse);
        app.tell(format!("rehearse it first: {key}"));
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
    if key.character() == Some(CONFIRM) {
        app.mode = Mode::Normal;
        return confirmed(app);
    }
    if key.character() == Some(ANEW) && unfinished(app).is_some() {
        app.mode = Mode::Normal;
        return anew(app);
    }
    let command = match app.keymap.look_up(&app.contexts(), &[key]) {
        Lookup::Command(command) => Some(command),
        _ => None,
    };
    let rows = command.and_then(|command| motion(command, None, 4));
    match (rows, command) {
        (Some(rows), _) => {
            let replay = app.debugger.as_deref().and_then(|d| d.replay.as_deref());
            let total = replay.map_or(0, |replay| replay.asked().0.len());
            app.mode = Mode::Confirm(moved(top, rows, total));
        }
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

/// The run of another time that is asked about.
fn unfinished(app: &App) -> Option<&Unfinished> {
    app.debugger.as_deref()?.replay.as_deref()?.unfinished()
}

/// Tells that a run did not come to its end, and what can be done about it.
pub(super) fn tell_unfinished(app: &mut App) {
    let Some(text) = unfinished(app).map(Unfinished::text) else { return };
    let key = app.first_key(Command::Execute);
    app.tell(format!("{text}: {key} goes on, or begins anew"));
}

/// Asks about another run than the one that did not come to its end.
fn anew(app: &mut App) -> Vec<Effect> {
    if let Some(replay) = app.debugger.as_deref_mut().and_then(|d| d.replay.as_deref_mut()) {
        replay.anew = true;
    }
    execute(app)
}

fn confirmed(app: &mut App) -> Vec<Effect> {
    let Some(replay) = app.debugger.as_deref_mut().and_then(|d| d.replay.as_deref_mut()) else {
        return Vec::new();
    };
    if let Some(run) = replay.unfinished().cloned() {
        replay.take_up(&run);
        return begin(app, run.from, run.to, What::Resume(run.replay_id));
    }
    let (from, to) = (replay.from, replay.to);
    let what = replay.resumable().map_or(What::Execute, |id| What::Resume(id.to_owned()));
    begin(app, from, to, what)
}
