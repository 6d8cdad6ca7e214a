//! What each command does in the debugger; those that move the playhead have a file of their own.

use super::travel::{jump, travel};
use crate::model::value::LongValue;
use crate::model::{Path, Position, Value};
use crate::session::Session;
use crate::tui::action::Command;
use crate::tui::app::{App, MarkUse, Mode};
use crate::tui::debugger::Debugger;
use crate::tui::effect::Effect;
use crate::tui::input::Input;
use crate::tui::layout::Pane;
use crate::tui::nav::Way;
use crate::tui::pane::diff::Style;
use crate::tui::pane::motion;
use crate::tui::play::Play;
use crate::tui::viewer::Viewer;

/// Carries a command out; the debugger is open and no window is over it.
pub(super) fn command(app: &mut App, command: Command, count: Option<u32>) -> Vec<Effect> {
    if let Some(effects) = super::filter::step(app, command, count) {
        return effects;
    }
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    if travel(debugger, command, count) {
        return Vec::new();
    }
    if let Some(result) = jump(debugger, command, count) {
        if let Err(nothing) = result {
            app.tell(nothing);
        }
        return Vec::new();
    }
    if let Some(effects) = super::breaks::command(app, command) {
        return effects;
    }
    if let Some(effects) = super::whatif::command(app, command) {
        return effects;
    }
    if let Some(effects) = super::replay::command(app, command) {
        return effects;
    }
    if command == Command::Cancel {
        return cancel(app);
    }
    if set(app, command) || look(app, command, count) {
        return Vec::new();
    }
    match command {
        Command::SetBase => set_base(app),
        Command::Pin => pin(app),
        Command::Open => return open(app),
        Command::Races => return super::races::ask(app),
        Command::Compare => return super::compare::ask(app),
        Command::CopyView => return super::prompt::yank_letter(app, 'v'),
        Command::CopyAssertion => return super::prompt::yank_letter(app, 'a'),
        _ => {}
    }
    Vec::new()
}

/// Modes and switches; false for other commands.
fn set(app: &mut App, command: Command) -> bool {
    let now = app.now;
    let Some(debugger) = app.debugger.as_deref_mut() else { return false };
    match command {
        Command::SetMark => app.mode = Mode::Mark(MarkUse::Set),
        Command::GoToMark => app.mode = Mode::Mark(MarkUse::Go),
        Command::DeleteMark => app.mode = Mode::Mark(MarkUse::Delete),
        Command::Yank => app.mode = Mode::Yank,
        Command::Filter => super::filter::ask(app),
        Command::Search => app.mode = Mode::Search(Input::default()),
        Command::Anomalies if debugger.session.folded().anomalies().is_empty() => {
            app.tell("nothing is wrong with this log");
        }
        Command::Anomalies => app.mode = Mode::Anomalies(0),
        Command::Play => play(app, now),
        Command::Faster => speed(app, 1),
        Command::Slower => speed(app, -1),
        Command::NextClock => {
            let clock = debugger.timeline.clock.next();
            let timeline = debugger.session.timeline();
            debugger.timeline.set_clock(clock, debugger.playhead, timeline);
        }
        Command::Zoom => debugger.zoom = !debugger.zoom,
        Command::Detail => toggle_detail(debugger),
        Command::NextHit => next_hit(app, Way::Forward),
        Command::PreviousHit => next_hit(app, Way::Back),
        _ => return false,
    }
    true
}

fn play(app: &mut App, now: std::time::Duration) {
    let Some(debugger) = app.debugger.as_deref_mut() else { return };
    if debugger.play.take().is_some() {
        app.tell("stopped");
        return;
    }
    if debugger.playhead >= debugger.head() {
        app.tell("this is the end: go back a little to play");
        return;
    }
    debugger.pause();
    debugger.play = Some(Play::begin(now, debugger.speed));
    let factor = Play::factor(debugger.speed);
    app.tell(format!("playing, {factor} times as fast as it happened"));
}

fn speed(app: &mut App, steps: i64) {
    let Some(debugger) = app.debugger.as_deref_mut() else { return };
    debugger.speed = Play::change(debugger.speed, steps);
    if let Some(play) = &mut debugger.play {
        play.set_speed(debugger.speed);
    }
    let factor = Play::factor(debugger.speed);
    app.tell(format!("speed: {factor} times as fast as it happened"));
}

fn toggle_detail(debugger: &mut Debugger) {
    if debugger.show_detail {
        debugger.show_detail = false;
        if debugger.focus == Pane::Detail {
            debugger.focus = Pane::Events;
        }
        if debugger.side == Pane::Detail {
            debugger.side = Pane::State;
        }
        return;
    }
    debugger.show_detail = true;
    debugger.side = Pane::Detail;
    if debugger.layout.panes.len() < 2 || debugger.zoom {
        debugger.focus = Pane::Detail;
    }
}

/// Goes on with the search that was started with `/`.
pub(super) fn next_hit(app: &mut App, way: Way) {
    let Some(debugger) = app.debugger.as_deref_mut() else { return };
    if debugger.breaks.once.is_some() {
        super::breaks::find_again(app, way);
        return;
    }
    match &mut debugger.search {
        Some(search) => {
            let root = debugger.state.root();
            search.go(way, debugger.playhead, debugger.state.selected(), root);
        }
        None => {
            let key = app.first_key(Command::Search);
            app.tell(format!("nothing was searched for yet: {key} starts"));
        }
    }
}

/// Stops the innermost thing that is going on, or closes what is open.
fn cancel(app: &mut App) -> Vec<Effect> {
    app.typed = crate::tui::app::Typed::default();
    if stop_running(app) { Vec::new() } else { close_innermost(app) }
}

/// Stops what goes on; false when nothing does.
pub(super) fn stop_running(app: &mut App) -> bool {
    let Some(debugger) = app.debugger.as_deref_mut() else { return false };
    if let Some(search) = debugger.search.as_mut().filter(|s| s.is_running()) {
        search.stop();
        app.tell("search stopped");
    } else if debugger.play.take().is_some() {
        app.tell("stopped");
    } else if super::compare::stop(debugger) {
        app.tell("the comparison was stopped");
    } else {
        // It says so itself.
        return super::replay::stop(app);
    }
    true
}

fn close_innermost(app: &mut App) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    if debugger.zoom {
        debugger.zoom = false;
    } else if debugger.focus == Pane::Replay {
        return super::replay::close(app);
    } else {
        debugger.search = None;
        debugger.breaks.once = None;
    }
    Vec::new()
}

/// Commands that look around in the panes; false for other commands.
fn look(app: &mut App, command: Command, count: Option<u32>) -> bool {
    let Some(debugger) = app.debugger.as_deref_mut() else { return false };
    let focus = debugger.focus;
    let page =
        debugger.layout.pane(focus).map_or(1, |area| usize::from(area.height.saturating_sub(2)));
    if let Some(rows) = motion(command, count, page) {
        let way = if rows < 0 { Way::Back } else { Way::Forward };
        let times = usize::try_from(rows.unsigned_abs()).unwrap_or(usize::MAX);
        if focus != Pane::Events || super::filter::stride(app, way, times).is_none() {
            move_in_focused(app, rows);
        }
        return true;
    }
    let order = debugger.tab_order();
    let at = order.iter().position(|pane| *pane == focus).unwrap_or_default();
    match command {
        Command::NextPane => debugger.focus_on(order[(at + 1) % order.len()]),
        Command::PreviousPane => debugger.focus_on(order[(at + order.len() - 1) % order.len()]),
        Command::Collapse => debugger.state.collapse(),
        Command::NextChange => go_to_change(app, Way::Forward),
        Command::PreviousChange => go_to_change(app, Way::Back),
        Command::ExpandAll => {
            if !debugger.state.open_all() {
                app.tell("that is a lot: only the first 2000 branches were opened");
            }
        }
        Command::DiffStyle => {
            debugger.diff.style = match debugger.diff.style {
                Style::Tree => Style::Unified,
                Style::Unified => Style::Tree,
            };
        }
        Command::DiffCounters => debugger.diff.counters = !debugger.diff.counters,
        Command::ZoomIn => zoom(debugger, 0.5),
        Command::ZoomOut => zoom(debugger, 2.0),
        Command::ZoomReset => debugger.timeline.window = None,
        Command::PanLeft => pan(debugger, -25),
        Command::PanRight => pan(debugger, 25),
        _ => return false,
    }
    true
}

fn go_to_change(app: &mut App, way: Way) {
    if app.debugger.as_deref_mut().is_some_and(|d| !d.state.go_to_change(way)) {
        app.tell("this event changed nothing that is there now");
    }
}

fn zoom(debugger: &mut Debugger, factor: f64) {
    let timeline = debugger.session.timeline();
    debugger.timeline.zoom(factor, debugger.playhead, timeline);
}

fn pan(debugger: &mut Debugger, hundredths: i64) {
    let timeline = debugger.session.timeline();
    debugger.timeline.pan(hundredths, debugger.playhead, timeline);
}

fn move_in_focused(app: &mut App, rows: i64) {
    if let Some(debugger) = app.debugger.as_deref_mut() {
        move_in(debugger, debugger.focus, rows);
    }
}

/// Moves the cursor of a pane by some rows.
pub(super) fn move_in(debugger: &mut Debugger, pane: Pane, rows: i64) {
    match pane {
        Pane::Timeline => {
            if let Some(area) = debugger.layout.pane(Pane::Timeline) {
                let by = isize::try_from(rows.clamp(-100_000, 100_000)).unwrap_or_default();
                debugger.timeline.scroll_lanes(by, debugger.session.timeline(), area);
            }
        }
        Pane::Events => {
            let to = i64::from(debugger.playhead).saturating_add(rows);
            let to = Position::try_from(to.max(0)).unwrap_or(Position::MAX);
            debugger.play = None;
            debugger.step_to(to);
        }
        Pane::State => debugger.state.move_by(rows),
        Pane::Diff => debugger.diff.move_by(rows),
        Pane::Detail => debugger.detail.move_by(rows),
        Pane::Replay => {
            if let Some(replay) = &mut debugger.replay {
                replay.move_by(rows);
            }
        }
    }
}

/// What the diff is against from now on: this event; again on it, the event before.
fn set_base(app: &mut App) {
    let Some(debugger) = app.debugger.as_deref_mut() else { return };
    let here = debugger.playhead;
    if debugger.session.user.base == Some(here) {
        debugger.session.user.base = None;
        app.tell("comparing with the event before");
    } else {
        debugger.session.user.base = Some(here);
        app.tell(format!("comparing with #{here}"));
    }
}

fn pin(app: &mut App) {
    let Some(debugger) = app.debugger.as_deref_mut() else { return };
    let Some(path) = debugger.selected_path().cloned() else { return };
    let text = path.to_string();
    let pins = &mut debugger.session.user.pins;
    if let Some(at) = pins.iter().position(|pin| *pin == text) {
        pins.remove(at);
        app.tell(format!("unpinned {text}"));
    } else {
        pins.push(text.clone());
        app.tell(format!("pinned {text}"));
    }
}

/// Opens, unfolds or follows what is selected.
pub(super) fn open(app: &mut App) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    match debugger.focus {
        Pane::Timeline => debugger.focus_on(Pane::Events),
        Pane::Events => debugger.focus_on(Pane::Detail),
        Pane::State => {
            if debugger.state.on_pin() {
                let path = debugger.state.selected().clone();
                debugger.state.reveal(&path);
            } else if !debugger.state.toggle() {
                open_value(app);
            }
        }
        Pane::Diff => {
            if let Some(path) = debugger.diff.selected().cloned() {
                debugger.state.reveal(&path);
                debugger.focus_on(Pane::State);
            }
        }
        Pane::Detail => {
            if let Some(position) = debugger.detail.target() {
                debugger.jump_to(position);
            } else if let Some((title, text)) = debugger.detail.cut_note() {
                app.mode = Mode::Value(Viewer::new(title, text));
            }
        }
        Pane::Replay => return super::replay::open(app),
    }
    Vec::new()
}

/// Shows the selected value as a whole.
fn open_value(app: &mut App) {
    let Some(debugger) = app.debugger.as_deref_mut() else { return };
    let Some(value) = debugger.state.value().cloned() else { return };
    let path = debugger.state.selected().clone();
    match value_text(&mut debugger.session, &value) {
        Ok(text) => app.mode = Mode::Value(Viewer::new(title_of(&path), text)),
        Err(error) => app.fail_with(&error),
    }
}

fn title_of(path: &Path) -> String {
    path.to_string()
}

/// A value as text: strings as they are, long ones read from the log, others as JSON.
pub(super) fn value_text(session: &mut Session, value: &Value) -> crate::error::Result<String> {
    match value {
        Value::Text(text) => Ok(text.to_string()),
        Value::Long(long) => {
            let long: &LongValue = long;
            session.long_value(long)
        }
        other => Ok(serde_json::to_string_pretty(&other.to_serde()).unwrap_or_default()),
    }
}
