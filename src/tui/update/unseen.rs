//! What keys do on a terminal that is too small to show anything: they leave and stop, and that is
//! all. Nobody confirms, starts or changes what they cannot see.

use super::{breaks, command_in_mode, debugger, filter, leave};
use crate::tui::action::{Command, Context};
use crate::tui::app::{App, Mode, Typed};
use crate::tui::effect::Effect;
use crate::tui::key::Key;
use crate::tui::keymap::Lookup;

/// The mouse, and text that is pasted: there is nothing that they could be meant for.
pub(super) fn nothing(app: &mut App) -> Vec<Effect> {
    app.scrubbing = false;
    Vec::new()
}

/// A key. Letters that belong into a field, or answer a question, go nowhere.
pub(super) fn key(app: &mut App, key: Key) -> Vec<Effect> {
    app.typed = Typed::default();
    let Lookup::Command(command) = app.keymap.look_up(&[Context::Anywhere], &[key]) else {
        return Vec::new();
    };
    match command {
        Command::Quit | Command::Suspend | Command::Redraw => command_in_mode(app, command, None),
        Command::Cancel => {
            let stopped =
                breaks::interrupted(app) || filter::interrupted(app) || debugger::stop_running(app);
            if !stopped {
                app.mode = Mode::Normal;
            }
            Vec::new()
        }
        Command::Back if matches!(app.mode, Mode::Normal) && !app.is_filtering() => {
            leave(app, false)
        }
        _ => Vec::new(),
    }
}
