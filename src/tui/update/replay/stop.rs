//! Stopping a replay, and leaving the screen while one goes on.

use super::{refuse_while_executing, run_and_timeline};
use crate::error::{Error, ErrorKind};
use crate::model::Position;
use crate::tui::app::{App, Notice};
use crate::tui::debugger::Debugger;
use crate::tui::effect::Effect;
use crate::tui::layout::Pane;
use crate::tui::replay::{End, named};
use crate::tui::update::{leave, share};

/// Whether the screen must not be left yet: programs are being run. They are told to stop, and the
/// screen is left then; who insists has them ended.
pub(in crate::tui::update) fn holds(app: &mut App, at_once: bool) -> bool {
    let Some(debugger) = app.debugger.as_deref_mut() else { return false };
    let Some(replay) = debugger.run_mut() else { return false };
    if !replay.is_executing() {
        stop_quietly(debugger);
        return false;
    }
    if !at_once {
        refuse_while_executing(app);
        return true;
    }
    if replay.leaving {
        let running = replay.running.as_ref().filter(|running| !running.progress.is_ended());
        if let Some(running) = running {
            running.progress.end();
            return true;
        }
        // What ends programs does not answer.
        note_left(app);
        return false;
    }
    replay.leaving = true;
    stop(app)
}

/// Leaves the screen without asking anybody: programs that run are ended at once, and the screen is
/// left as soon as they have ended. Said once more, it is left all the same.
pub(in crate::tui::update) fn end(app: &mut App) -> Vec<Effect> {
    let replay = app.debugger.as_deref_mut().and_then(Debugger::run_mut);
    if let Some(replay) = replay.filter(|replay| replay.is_executing()) {
        replay.leaving = true;
        if let Some(running) = replay.running.as_ref().filter(|r| !r.progress.is_ended()) {
            running.progress.end();
            stop(app);
            return Vec::new();
        }
    }
    leave(app, true)
}

/// Stops what goes on, for nobody waits for it any more.
pub(super) fn stop_quietly(debugger: &mut Debugger) {
    if let Some(running) = debugger.run().and_then(|replay| replay.running.as_ref()) {
        running.progress.stop();
    }
}

/// Notes how an execution ended that did not come to its end, for who leaves before that was done.
pub(super) fn note_end(app: &mut App) {
    let Some(replay) = app.debugger.as_deref().and_then(Debugger::run) else { return };
    let Some(id) = replay.replay_id.clone() else { return };
    let what = replay.end_text().unwrap_or_default();
    let text = match (replay.rest(), &replay.end) {
        (Some((_, rest)), _) if rest.is_held => {
            let command = share::resume(app, &id, &[]);
            format!("{what}; it is still at work elsewhere: `{command}` says more after that")
        }
        (Some((_, rest)), end) => {
            let has_failed = matches!(end, Some(End::Fault(_)));
            format!("{what}{}", going_on(app, &id, &rest.unknown, has_failed))
        }
        (None, Some(End::Fault(error))) => format!("{what}: {}", error.message()),
        (None, _) => {
            app.farewells.retain(|(of, _)| *of != id);
            return;
        }
    };
    note_farewell(app, id, &text);
}

/// Notes that the screen is left before an execution has answered.
fn note_left(app: &mut App) {
    let Some(replay) = app.debugger.as_deref().and_then(Debugger::run) else { return };
    let Some(id) = replay.replay_id.clone() else { return };
    let unknown: Vec<Position> = replay.outcomes.running().into_iter().collect();
    let text = "was left while a program of it may still run";
    let text = format!("{text}{}", going_on(app, &id, &unknown, false));
    note_farewell(app, id, &text);
}

/// How a run is gone on with, behind how it ended.
fn going_on(app: &App, id: &str, unknown: &[Position], has_failed: bool) -> String {
    let command = share::resume(app, id, unknown);
    match unknown {
        // What stood in its way may still be there.
        [] if has_failed => format!("; `{command}` tries once more"),
        [] => format!("; `{command}` goes on"),
        unknown => {
            let (or, unknown) = (share::or_retry(unknown), named(unknown));
            format!(", and nobody knows how {unknown} ended; `{command}` goes on {or}")
        }
    }
}

fn note_farewell(app: &mut App, id: String, what: &str) {
    app.farewells.retain(|(of, _)| *of != id);
    let text = format!("replay {id} {what}");
    app.farewells.push((id, text));
}

/// What was told while programs ran is true no more: the pane says how that ended, and where it is not
/// seen, the status line.
pub(super) fn tell_end(app: &mut App) {
    let Some(debugger) = app.debugger.as_deref() else { return };
    let Some(replay) = debugger.run() else { return };
    let is_seen = debugger.layout.pane(Pane::Replay).is_some() && !replay.is_cut_off;
    let text = replay.end_text().filter(|_| !is_seen);
    // (That the log is another one is said with it, where that ended it.)
    let fault = replay.is_cut_off;
    if fault || !app.notice.as_ref().is_some_and(|notice| notice.fault) {
        app.notice = text.map(|text| Notice { text, fault });
    }
}

/// Stops what goes on; false when nothing does. A rehearsal is over at once, for it leaves nothing
/// behind; of an execution what was begun is waited for.
pub(in crate::tui::update) fn stop(app: &mut App) -> bool {
    let now = app.now;
    let Some(debugger) = app.debugger.as_deref_mut() else { return false };
    let Some((replay, timeline)) = run_and_timeline(debugger) else { return false };
    let Some(running) = &replay.running else { return false };
    running.progress.stop();
    if replay.executes {
        replay.stopping = true;
        // The status line tells what is waited for, as long as it is.
        app.notice = None;
    } else {
        replay.hear(timeline, now);
        replay.finish(Err(stopped()), timeline);
        app.tell("the rehearsal was stopped");
    }
    true
}

fn stopped() -> Error {
    Error::new(ErrorKind::Interrupted, "stopped")
}
