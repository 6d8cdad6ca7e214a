//! Executing what was rehearsed: the question before it, and the answer.

use super::{begin, refuse_while_executing};
use crate::tui::action::Command;
use crate::tui::app::{App, Mode};
use crate::tui::effect::Effect;
use crate::tui::key::Key;
use crate::tui::keymap::Lookup;
use crate::tui::pane::{motion, moved};
use crate::tui::replay::What;
use crate::tui::update::command_in_mode;

/// The letter that confirms an execution.
pub const CONFIRM: char = 'y';

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
    let command = match app.keymap.look_up(&app.contexts(), &[key]) {
        Lookup::Command(command) => Some(command),
        _ => None,
    };
    let rows = command.and_then(|command| motion(command, None, 4));
    match (rows, command) {
        (Some(rows), _) => {
            let lines = app.debugger.as_deref().and_then(|d| d.replay.as_deref());
            let total = lines.map_or(0, |replay| replay.programs.len());
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

fn confirmed(app: &mut App) -> Vec<Effect> {
    let replay = app.debugger.as_deref().and_then(|d| d.replay.as_deref());
    let Some((from, to, resumable)) =
        replay.map(|r| (r.from, r.to, r.resumable().map(str::to_owned)))
    else {
        return Vec::new();
    };
    let what = resumable.map_or(What::Execute, What::Resume);
    begin(app, from, to, what)
}
