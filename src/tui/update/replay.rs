//! Replays on the screen: rehearsing, executing once that is confirmed, stopping, and looking at what
//! became of each event.

mod confirm;
mod stop;

use std::time::Duration;

use crate::error::Result;
use crate::model::{Kind, Moment, Position};
use crate::timeline::Timeline;
use crate::tui::action::Command;
use crate::tui::app::App;
use crate::tui::debugger::Debugger;
use crate::tui::effect::Effect;
use crate::tui::layout::Pane;
use crate::tui::replay::{Answer, Only, Progress, Replay, Replaying, Row, Start, What};

use super::prompt::save;
use confirm::execute;
pub use confirm::{ANEW, CONFIRM, RETRY, SKIP};
pub(super) use confirm::{confirm_key, looked};
pub(super) use stop::{end, holds, stop};
use stop::{note_end, stop_quietly, tell_end};

/// What is said while not all of the log is known.
const STILL_READ: &str = "the log is still being read: a replay needs all of it";

/// Opens the pane with a rehearsal from here on; when it is open, gives it the keys.
pub(super) fn ask(app: &mut App) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    if debugger.replay.is_some() {
        debugger.focus_on(Pane::Replay);
        return Vec::new();
    }
    let start = first_start(debugger);
    rehearse(app, start, None)
}

/// Opens the pane with a rehearsal of the events that were typed: the first, and the last or none.
pub(super) fn typed(app: &mut App, text: &str) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    let session = &mut debugger.session;
    let moments: Result<Vec<Position>> = text
        .split_whitespace()
        .enumerate()
        .map(|(number, word)| match (number, Moment::parse(word)?) {
            (0, from) => session.resolve_first(&from),
            (_, to) => session.resolve(&to),
        })
        .collect();
    let head = debugger.head();
    match moments.as_deref() {
        Ok([]) => ask(app),
        Ok([from]) if *from > head => {
            app.fail(format!("no event is from then on: the last is #{head}"));
            Vec::new()
        }
        Ok([from]) => rehearse(app, Start::Typed, Some((*from, head))),
        Ok([from, to]) if from <= to => rehearse(app, Start::Typed, Some((*from, *to))),
        Ok([from, to]) => {
            app.fail(format!("the range ends at #{to}, before it begins at #{from}"));
            Vec::new()
        }
        Ok(_) => {
            app.fail("give one moment, or two: replay FROM TO");
            Vec::new()
        }
        Err(error) => {
            app.fail(error.message().to_owned());
            Vec::new()
        }
    }
}

/// Where a replay begins at first: here, and at the end of the log, where nothing is left to replay,
/// where it was safe last.
fn first_start(debugger: &mut Debugger) -> Start {
    if debugger.playhead < debugger.head() {
        return Start::Playhead;
    }
    checkpoint(debugger).unwrap_or(Start::Beginning)
}

/// The last checkpoint before the playhead.
fn checkpoint(debugger: &mut Debugger) -> Option<Start> {
    let made = debugger.session.timeline().of_kind(Kind::CheckpointCreated);
    let before = made.partition_point(|position| *position < debugger.playhead);
    let position = *made.get(before.checked_sub(1)?)?;
    let event = debugger.session.event(position).ok()?;
    let id = event.text("checkpoint_id").map(ToString::to_string).unwrap_or_default();
    Some(Start::Checkpoint(id, position))
}

/// Rehearses: from a start to the head, or a range.
fn rehearse(app: &mut App, start: Start, range: Option<(Position, Position)>) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    if !debugger.session.is_loaded() {
        app.tell(STILL_READ);
        return Vec::new();
    }
    if debugger.head() == 0 {
        app.tell("there is nothing to replay");
        return Vec::new();
    }
    if debugger.run().is_some_and(Replay::is_executing) {
        return refuse_while_executing(app);
    }
    let head = debugger.head();
    let (from, to) = range.unwrap_or(match &start {
        Start::Checkpoint(_, position) => (position + 1, head),
        Start::Beginning => (1, head),
        Start::Playhead | Start::Typed | Start::Begun => (debugger.playhead, head),
    });
    if debugger.replay.is_none() {
        let before = debugger.before_replay();
        debugger.pause();
        debugger.replay = Some(Box::new(Replay::new(before)));
        debugger.zoom = false;
    }
    debugger.focus_on(Pane::Replay);
    if let Some(replay) = &mut debugger.replay {
        replay.start = start;
    }
    begin(app, from.max(1), to, What::Rehearse)
}

fn begin(app: &mut App, from: Position, to: Position, what: What) -> Vec<Effect> {
    let now = app.now;
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    let issue = debugger.session.issue_key().to_owned();
    let Some(replay) = debugger.replay.as_deref_mut() else { return Vec::new() };
    if let Some(running) = replay.running.take() {
        running.progress.stop();
    }
    let (told, progress) = (replay.told(), Progress::default());
    let replaying = Replaying { issue, from, to, what, told, progress };
    replay.begin(replaying.clone(), now);
    // Who watches an execution is taken along, until they go somewhere themselves.
    replay.along = replay.executes.then_some(debugger.playhead);
    debugger.see_replayed();
    vec![Effect::Replay(replaying)]
}

fn refuse_while_executing(app: &mut App) -> Vec<Effect> {
    if app.debugger.as_ref().and_then(|d| d.run()).is_some_and(|r| r.stopping) {
        // That is told as long as it is so.
        return Vec::new();
    }
    let key = app.first_key(Command::Cancel);
    app.tell(format!("programs are being run: {key} stops that first"));
    Vec::new()
}

/// A command of the pane; none for others.
pub(super) fn command(app: &mut App, command: Command) -> Option<Vec<Effect>> {
    Some(match command {
        Command::Replay => ask(app),
        Command::Rehearse => again(app, false),
        Command::ReplayFrom => again(app, true),
        Command::Execute => execute(app),
        Command::ReplayList => list(app),
        Command::ReplayOnly => only(app),
        Command::CopyReplay => copy(app),
        _ => return None,
    })
}

/// Rehearses once more; from elsewhere, if that is asked for.
fn again(app: &mut App, elsewhere: bool) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    let Some(replay) = debugger.replay.as_deref() else { return ask(app) };
    let (start, range) = (replay.start.clone(), (replay.from, replay.to));
    if !elsewhere {
        return match start {
            Start::Typed | Start::Begun => rehearse(app, start, Some(range)),
            other => rehearse(app, other, None),
        };
    }
    let next = match start {
        Start::Playhead | Start::Typed | Start::Begun => {
            checkpoint(debugger).unwrap_or(Start::Beginning)
        }
        Start::Checkpoint(..) => Start::Beginning,
        Start::Beginning => Start::Playhead,
    };
    rehearse(app, next, None)
}

/// Lists types, or events.
fn list(app: &mut App) -> Vec<Effect> {
    if let Some(replay) = replay_of(app) {
        let only = if replay.by_event { replay.only.clone() } else { Only::Telling };
        replay.show(!replay.by_event, only);
    }
    Vec::new()
}

/// Lists other events.
fn only(app: &mut App) -> Vec<Effect> {
    if let Some(replay) = replay_of(app) {
        let next = if replay.by_event { replay.only.next() } else { Only::Failed };
        replay.show(true, next);
    }
    Vec::new()
}

fn replay_of(app: &mut App) -> Option<&mut Replay> {
    app.debugger.as_deref_mut()?.replay.as_deref_mut()
}

/// Copies the command that does on the command line what the pane shows.
fn copy(app: &mut App) -> Vec<Effect> {
    let Some(replay) = app.debugger.as_deref().and_then(|d| d.replay.as_deref()) else {
        return Vec::new();
    };
    let issue = app.debugger.as_deref().map_or("", |d| d.session.issue_key());
    let text = super::share::replay(app, issue, replay);
    let or = match replay.resumable() {
        Some((_, rest)) if !rest.unknown.is_empty() => {
            format!(" {}", super::share::or_retry(&rest.unknown))
        }
        _ => String::new(),
    };
    app.tell(format!("copied: {text}{or}"));
    vec![Effect::Copy(text)]
}

/// Opens the selected row: the difference in the state, a type's events, an event.
pub(super) fn open(app: &mut App) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    let Some(replay) = debugger.replay.as_deref_mut() else { return Vec::new() };
    match replay.selected() {
        Some(Row::Group(number)) => {
            if let Some(group) = replay.group(number) {
                let only = Only::Type(group.mark, group.type_name.clone());
                replay.show(true, only);
            }
        }
        Some(Row::Event(position)) if debugger.playhead == position => {
            debugger.focus_on(Pane::Detail);
        }
        Some(Row::Event(position)) => {
            debugger.play = None;
            debugger.jump_to(position);
        }
        Some(Row::Difference) => {
            let to = replay.to;
            let Some(first) = replay.state().and_then(|state| state.first_difference.clone())
            else {
                return Vec::new();
            };
            debugger.play = None;
            debugger.jump_to(first.position.unwrap_or(to));
            debugger.state.reveal(&first.path);
            debugger.focus_on(Pane::State);
        }
        None => {}
    }
    Vec::new()
}

/// The log is read: that it is not is true no more.
pub(super) fn has_read(app: &mut App) {
    app.notice.take_if(|notice| notice.text == STILL_READ);
}

/// Whether a replay is shown.
pub(super) fn is_shown(app: &App) -> bool {
    app.debugger.as_ref().is_some_and(|debugger| debugger.replay.is_some())
}

/// Whether programs are being run.
pub(super) fn is_executing(app: &App) -> bool {
    app.debugger.as_ref().and_then(|d| d.run()).is_some_and(Replay::is_executing)
}

/// One step back: from another pane to the replay's, and from there to what was before it.
pub(super) fn back(app: &mut App) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    if debugger.focus == Pane::Replay {
        return close(app);
    }
    debugger.focus_on(Pane::Replay);
    Vec::new()
}

/// Closes the pane: the screen is as it was before. From a type's events it goes back to the types.
pub(super) fn close(app: &mut App) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    let Some(replay) = debugger.replay.as_deref_mut() else { return Vec::new() };
    if replay.is_executing() {
        return refuse_while_executing(app);
    }
    if matches!(replay.only, Only::Type(..)) && replay.by_event {
        replay.show(false, Only::Telling);
        return Vec::new();
    }
    stop_quietly(debugger);
    debugger.close_replay();
    save(app)
}

/// Takes in what a replay came to, unless nobody waits for it any more.
pub(super) fn take(
    app: &mut App,
    replaying: &Replaying,
    result: Result<Box<Answer>>,
) -> Vec<Effect> {
    let now = app.now;
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    let Some((replay, timeline)) = run_and_timeline(debugger) else { return Vec::new() };
    if replay.running.as_ref() != Some(replaying) {
        return Vec::new();
    }
    replay.hear(timeline, now);
    let complaint = result.as_ref().ok().and_then(|answer| answer.complaint.clone());
    replay.finish(result, timeline);
    replay.along = None;
    let leaving = replay.leaving;
    if replay.executes {
        tell_end(app);
        note_end(app);
        if let Some(debugger) = &mut app.debugger {
            debugger.cut_off = None;
        }
    } else {
        confirm::tell_unfinished(app);
    }
    if let Some(complaint) = complaint {
        app.fail(complaint);
    }
    if leaving { super::leave(app, true) } else { Vec::new() }
}

/// The replay that goes on, and the log that it is drawn on.
fn run_and_timeline(debugger: &mut Debugger) -> Option<(&mut Replay, &Timeline)> {
    let replay = debugger.cut_off.as_deref_mut().or(debugger.replay.as_deref_mut())?;
    Some((replay, debugger.session.timeline()))
}

/// Takes in how far it is; the playhead moves along with an execution that is watched.
pub(super) fn tick(debugger: &mut Debugger, now: Duration) {
    let Some((replay, timeline)) = run_and_timeline(debugger) else { return };
    replay.hear(timeline, now);
    let Some(replay) = debugger.replay.as_deref_mut() else { return };
    let Some(put) = replay.along else { return };
    if put != debugger.playhead {
        // The user has gone somewhere else.
        replay.along = None;
    } else if let Some(to) = replay.outcomes.last().filter(|to| *to != put) {
        (replay.along, replay.put) = (Some(to), Some(to));
        let came_in = !(replay.from..=replay.to).contains(&put);
        debugger.step_to(to);
        if came_in {
            debugger.see_replayed();
        }
    }
}
