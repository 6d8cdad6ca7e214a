//! What the commands of the filter do: setting it, and steps from one event that fits to the next.

use super::prompt::save;
use crate::model::Position;
use crate::session::filter::{Next, Test};
use crate::tui::action::Command;
use crate::tui::app::{App, Ask, Mode, Purpose};
use crate::tui::effect::Effect;
use crate::tui::filter::{Filter, Stride};
use crate::tui::input::Input;
use crate::tui::nav::Way;

/// How many events a leap is.
const LEAP: u32 = 10;

/// Asks for a filter; the one that is on can be changed.
pub(super) fn ask(app: &mut App) {
    let Some(debugger) = app.debugger.as_deref() else { return };
    let text = debugger.session.user.filter.as_deref().unwrap_or_default();
    let mut ask = Ask::new(Purpose::Filter);
    ask.input = Input::of(text);
    app.mode = Mode::Ask(ask);
}

/// A filter as it was typed; nothing takes it off. A fault stays under the field.
pub(super) fn set(app: &mut App, text: &str) -> Vec<Effect> {
    if !text.is_empty()
        && let Err(error) = Test::parse(text)
    {
        if let Mode::Ask(ask) = &mut app.mode {
            ask.fault = Some(error.message().to_owned());
        }
        return Vec::new();
    }
    app.mode = Mode::Normal;
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    let was_on = debugger.session.user.filter.is_some();
    debugger.session.user.filter = (!text.is_empty()).then(|| text.to_owned());
    debugger.filter = None;
    debugger.take_filter();
    if text.is_empty() {
        app.tell(if was_on { "all events are shown again" } else { "no filter is on" });
    } else {
        work(app);
    }
    save(app)
}

/// A step or a leap, where a filter is on; none for other commands.
pub(super) fn step(app: &mut App, command: Command, count: Option<u32>) -> Option<Vec<Effect>> {
    let times = count.unwrap_or(1).max(1);
    let (way, times) = match command {
        Command::StepForward => (Way::Forward, times),
        Command::StepBack => (Way::Back, times),
        Command::LeapForward => (Way::Forward, times.saturating_mul(LEAP)),
        Command::LeapBack => (Way::Back, times.saturating_mul(LEAP)),
        _ => return None,
    };
    stride(app, way, times as usize)
}

/// Goes over so many events that fit; none where no filter is on.
pub(super) fn stride(app: &mut App, way: Way, times: usize) -> Option<Vec<Effect>> {
    let debugger = app.debugger.as_deref_mut()?;
    let (from, head) = (debugger.playhead, debugger.head());
    let stride = Stride { from, way, times };
    debugger.play = None;
    let next = debugger.filter.as_mut()?.stride(stride, head);
    go(app, way, next);
    Some(Vec::new())
}

fn go(app: &mut App, way: Way, next: Next) {
    let Some(debugger) = app.debugger.as_deref_mut() else { return };
    let side = if way == Way::Forward { "after" } else { "before" };
    let here: Position = debugger.playhead;
    match next {
        Next::At(position) | Next::Last(Some(position)) => debugger.step_to(position),
        Next::Last(None) => app.tell(format!("no event {side} #{here} fits the filter")),
        Next::Unknown => app.tell(format!("looking for what fits {side} #{here}")),
    }
}

/// Looks on for a moment.
pub(super) fn work(app: &mut App) {
    let Some(debugger) = app.debugger.as_deref_mut() else { return };
    let Some(filter) = &mut debugger.filter else { return };
    match filter.work(&mut debugger.session) {
        Ok(None) => {}
        Ok(Some(text)) => app.tell(text),
        Err(error) => app.fail_with(&error),
    }
    let Some(debugger) = app.debugger.as_deref_mut() else { return };
    let head = debugger.head();
    if let Some((stride, next)) = debugger.filter.as_mut().and_then(|f| f.arrived(head)) {
        app.notice = None;
        go(app, stride.way, next);
    }
}

/// Lets go of the step that waits, if one does: any key does that.
pub(super) fn interrupted(app: &mut App) -> bool {
    let filter = app.debugger.as_deref_mut().and_then(|debugger| debugger.filter.as_mut());
    let stopped = filter.is_some_and(Filter::stop);
    if stopped {
        app.tell("stopped");
    }
    stopped
}
