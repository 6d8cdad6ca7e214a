//! What the commands of breakpoints do, and the questions `find` and `why` of the palette.

use super::prompt::save;
use crate::model::Path;
use crate::session::Found;
use crate::session::breakpoint::{Breakpoint, Condition};
use crate::tui::action::Command;
use crate::tui::app::{App, Ask, List, Mode, Purpose};
use crate::tui::breaks::Told;
use crate::tui::effect::Effect;
use crate::tui::layout::Pane;
use crate::tui::nav::Way;
use crate::tui::signs;

/// Carries a command of breakpoints out; none for other commands.
pub(super) fn command(app: &mut App, command: Command) -> Option<Vec<Effect>> {
    match command {
        Command::Break => app.mode = Mode::Ask(Ask::new(Purpose::Breakpoint)),
        Command::BreakOnPath => return Some(on_path(app)),
        Command::Breakpoints => open_list(app),
        Command::RunForward => run(app, Way::Forward),
        Command::RunBack => run(app, Way::Back),
        _ => return None,
    }
    Some(Vec::new())
}

fn open_list(app: &mut App) {
    let any = app.debugger.as_ref().is_some_and(|d| !d.session.user.breakpoints.is_empty());
    if any {
        app.mode = Mode::List(List::Breakpoints, 0);
    } else {
        let key = app.first_key(Command::Break);
        app.tell(format!("there are no breakpoints: {key} sets one"));
    }
}

/// A breakpoint as it was typed; a fault stays under the field.
pub(super) fn add(app: &mut App, text: &str) -> Vec<Effect> {
    if let Err(error) = Condition::parse(text) {
        if let Mode::Ask(ask) = &mut app.mode {
            ask.fault = Some(error.message().to_owned());
        }
        return Vec::new();
    }
    app.mode = Mode::Normal;
    set(app, text);
    save(app)
}

fn set(app: &mut App, text: &str) {
    let (run, list) = (app.first_key(Command::RunForward), app.first_key(Command::Breakpoints));
    let Some(debugger) = app.debugger.as_deref_mut() else { return };
    let all = &mut debugger.session.user.breakpoints;
    match all.iter_mut().find(|known| known.when == text) {
        Some(known) => known.on = true,
        None => all.push(Breakpoint::new(text)),
    }
    app.tell(format!("breakpoint: {text}  ({run} runs to it, {list} lists all)"));
}

/// When the selected path changes; again on it: no more.
fn on_path(app: &mut App) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    let Some(path) = debugger.selected_path().map(ToString::to_string) else {
        app.tell("no path is selected");
        return Vec::new();
    };
    let all = &mut debugger.session.user.breakpoints;
    if let Some(at) = all.iter().position(|known| known.when == path) {
        all.remove(at);
        app.tell(format!("no breakpoint on {path} any more"));
    } else if let Err(error) = Condition::parse(&path) {
        app.fail_with(&error);
    } else {
        set(app, &path);
    }
    save(app)
}

fn run(app: &mut App, way: Way) {
    let key = app.first_key(Command::Break);
    let Some(debugger) = app.debugger.as_deref_mut() else { return };
    debugger.play = None;
    debugger.breaks.sync(&debugger.session.user.breakpoints);
    if !debugger.breaks.run(&debugger.session, way, debugger.playhead) {
        app.tell(format!("no breakpoint is on: {key} sets one"));
        return;
    }
    work(app);
}

/// Runs to where an expression holds next, as to a breakpoint for once.
pub(super) fn find(app: &mut App, text: &str) -> Vec<Effect> {
    match Condition::parse(text) {
        Ok(condition) => {
            if let Some(debugger) = app.debugger.as_deref_mut() {
                debugger.breaks.once = Some(condition);
                debugger.search = None;
            }
            find_again(app, Way::Forward);
        }
        Err(error) => {
            let why = error.message().lines().next().unwrap_or_default();
            app.fail(format!("find {text}: {why}"));
        }
    }
    Vec::new()
}

/// Goes on with what was asked for with `find`.
pub(super) fn find_again(app: &mut App, way: Way) {
    let Some(debugger) = app.debugger.as_deref_mut() else { return };
    debugger.play = None;
    if debugger.breaks.find(&debugger.session, way, debugger.playhead) {
        work(app);
    }
}

/// Goes to the event that wrote a path last, and shows it with its causes.
pub(super) fn why(app: &mut App, text: &str) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    let slashed = if text.starts_with('/') { text.to_owned() } else { format!("/{text}") };
    let path = match Path::parse(&slashed) {
        Ok(path) => path,
        Err(fault) => {
            app.fail(format!("why {text}: {fault}"));
            return Vec::new();
        }
    };
    debugger.play = None;
    let here = debugger.playhead;
    let from = here.saturating_add(1);
    let position = match debugger.breaks.writer(&mut debugger.session, &path, Way::Back, from) {
        Ok(Found::At(position)) => position,
        Ok(Found::Nothing) => {
            app.tell(format!("nothing wrote {path} up to #{here}"));
            return Vec::new();
        }
        // It is run to.
        Ok(Found::Budget { .. }) => return Vec::new(),
        Err(error) => {
            app.fail_with(&error);
            return Vec::new();
        }
    };
    debugger.jump_to(position);
    debugger.state.reveal(&path);
    debugger.focus_on(Pane::State);
    debugger.show_detail = true;
    let timeline = debugger.session.timeline();
    let by = timeline.row(position).map_or("", |row| timeline.text(row.actor)).to_owned();
    let what = timeline.row(position).map_or("", |row| signs::type_name(timeline, &row)).to_owned();
    app.tell(format!("{path} was written by #{position} {what}, {by}"));
    Vec::new()
}

/// Goes on with the run, else with finding all hits, for a moment.
pub(super) fn work(app: &mut App) {
    let Some(debugger) = app.debugger.as_deref_mut() else { return };
    match debugger.breaks.work(&mut debugger.session) {
        Ok(None) => {}
        Ok(Some(Told::Hit(position, name))) => {
            debugger.jump_to(position);
            app.tell(format!("#{position} {name}"));
        }
        Ok(Some(Told::Nothing(way, fault))) => {
            let here = debugger.playhead;
            let side = if way == Way::Forward { "after" } else { "before" };
            let fault = fault.map(|fault| format!(" ({fault})")).unwrap_or_default();
            app.tell(format!("nothing stops {side} #{here}{fault}"));
        }
        Err(error) => app.fail_with(&error),
    }
}

/// Stops the run, if one is going on: any key does.
pub(super) fn interrupted(app: &mut App) -> bool {
    let stopped = app.debugger.as_deref_mut().is_some_and(|debugger| debugger.breaks.stop());
    if stopped {
        app.tell("stopped");
    }
    stopped
}
