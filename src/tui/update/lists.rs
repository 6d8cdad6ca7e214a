//! What commands do in a list over the panes.

use super::prompt::save;
use crate::tui::action::Command;
use crate::tui::app::{App, List, Mode};
use crate::tui::effect::Effect;
use crate::tui::pane::moved;

/// Carries a command out; `rows` is how far it moves, if it does.
pub(super) fn command(app: &mut App, command: Command, rows: Option<i64>) -> Vec<Effect> {
    let total = length(app);
    let Mode::List(list, cursor) = &mut app.mode else { return Vec::new() };
    if let Some(rows) = rows {
        *cursor = moved(*cursor, rows, total);
        return Vec::new();
    }
    let at = *cursor;
    match list {
        List::Breakpoints => breakpoints(app, command, at),
        List::Races => super::races::command(app, command, at),
        List::Branches(names) => {
            let name = names.get(at).cloned();
            branches(app, command, name)
        }
    }
}

/// How many rows the list has that is open.
fn length(app: &App) -> usize {
    let (Mode::List(list, _), Some(debugger)) = (&app.mode, &app.debugger) else { return 0 };
    match list {
        List::Breakpoints => debugger.session.user.breakpoints.len(),
        List::Races => debugger.races.all.len(),
        List::Branches(names) => names.len(),
    }
}

fn branches(app: &mut App, command: Command, name: Option<String>) -> Vec<Effect> {
    let issue = app.debugger.as_ref().map(|d| d.session.issue_key().to_owned());
    let (Some(name), Some(issue)) = (name, issue) else { return Vec::new() };
    match command {
        Command::Open => {
            app.mode = Mode::Normal;
            vec![Effect::LoadBranch(issue, name)]
        }
        Command::Delete => vec![Effect::DeleteBranch(issue, name)],
        _ => Vec::new(),
    }
}

fn breakpoints(app: &mut App, command: Command, at: usize) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    let all = &mut debugger.session.user.breakpoints;
    match command {
        Command::Toggle => {
            if let Some(breakpoint) = all.get_mut(at) {
                breakpoint.on = !breakpoint.on;
            }
            save(app)
        }
        Command::Delete if at < all.len() => {
            all.remove(at);
            let left = all.len();
            app.mode = match left {
                0 => Mode::Normal,
                _ => Mode::List(List::Breakpoints, at.min(left - 1)),
            };
            save(app)
        }
        Command::Open => {
            let here = debugger.playhead;
            let hits = debugger.breaks.watches().get(at).map_or(&[][..], |watch| watch.hits());
            let next = hits.get(hits.partition_point(|p| *p <= here)).or(hits.first()).copied();
            app.mode = Mode::Normal;
            match next {
                Some(position) => debugger.jump_to(position),
                None => app.tell("it hits nowhere that was looked at"),
            }
            Vec::new()
        }
        _ => Vec::new(),
    }
}
