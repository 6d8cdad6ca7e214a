//! Races on the screen: asking for them, and going to one.

use crate::model::Position;
use crate::timeline::order::Race;
use crate::tui::action::Command;
use crate::tui::app::{App, List, Mode};
use crate::tui::debugger::Races;
use crate::tui::effect::Effect;
use crate::tui::layout::Pane;

/// Shows the races, or has them looked for first.
pub(super) fn ask(app: &mut App) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref() else { return Vec::new() };
    if debugger.races.head == Some(debugger.head()) {
        show(app);
        return Vec::new();
    }
    let issue = debugger.session.issue_key().to_owned();
    app.tell("looking for races");
    vec![Effect::FindRaces(issue)]
}

/// Takes in what was found.
pub(super) fn take(app: &mut App, issue: &str, all: Vec<Race>, head: Position) {
    let debugger = app.debugger.as_deref_mut();
    let Some(debugger) = debugger.filter(|d| d.session.issue_key() == issue) else { return };
    // What this screen has not read yet cannot be shown; a shorter log is another one.
    let known = debugger.head();
    debugger.races = Races::new(all.into_iter().filter(|r| r.second <= known).collect(), head);
    if matches!(app.mode, Mode::Normal) {
        show(app);
    }
}

fn show(app: &mut App) {
    app.notice = None;
    match app.debugger.as_deref().map(|debugger| debugger.races.all.is_empty()) {
        Some(false) => app.mode = Mode::List(List::Races, 0),
        _ => app.tell("no races: whoever wrote the same knew of each other"),
    }
}

/// A command in their list: to the pair, compared from before the first on.
pub(super) fn command(app: &mut App, command: Command, at: usize) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    let Some(race) = debugger.races.all.get(at).cloned().filter(|_| command == Command::Open)
    else {
        return Vec::new();
    };
    app.mode = Mode::Normal;
    debugger.play = None;
    debugger.jump_to(race.second);
    debugger.session.user.base = Some(race.first);
    debugger.state.reveal(&race.path);
    debugger.focus_on(Pane::State);
    let (first, second, path) = (race.first, race.second, race.path);
    app.tell(format!("#{first} and #{second} both wrote {path}; the diff is between the two"));
    Vec::new()
}
