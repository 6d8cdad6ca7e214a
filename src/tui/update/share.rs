//! Commands to copy: one that opens the same view, and one that asserts a value.

use crate::error::{Error, Result};
use crate::model::catalogue::LINKS;
use crate::model::{Path, Position};
use crate::query::expression::Expression;
use crate::tui::app::App;
use crate::tui::debugger::Debugger;
use crate::tui::effect::Effect;
use crate::tui::replay::Replay;
use crate::tui::share;
use crate::tui::share::shell_word;

/// Copies a command that opens what is shown.
pub(super) fn view(app: &mut App) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref() else { return Vec::new() };
    let mut view = debugger.view();
    let whole = view.shorten();
    let issue = shell_word(debugger.session.issue_key());
    // Without rules of its own the settings show nothing else.
    let has_rules = !std::ptr::eq(debugger.session.links(), LINKS);
    let store = if has_rules { flags(app) } else { store_flag(app) };
    let text = format!("chronoscope {issue}{store} --view {}", shell_word(&view.to_string()));
    app.tell(match whole {
        true => format!("view copied: {text}"),
        false => {
            "view copied; its what-if is too long for a line: save it with the store".to_owned()
        }
    });
    vec![Effect::Copy(text)]
}

/// Copies a command that fails unless the selected value is what it is here.
pub(super) fn assertion(app: &mut App, path: &Path) -> Vec<Effect> {
    let store = store_flag(app);
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    let at = debugger.playhead;
    match expression(debugger, path, at) {
        Ok(expression) => {
            let issue = shell_word(debugger.session.issue_key());
            let assert = shell_word(&expression);
            let text = format!("chronoscope state {issue}{store} --at {at} --assert {assert}");
            app.tell(format!("assertion copied: {expression}"));
            vec![Effect::Copy(text)]
        }
        Err(error) => {
            app.fail_with(&error);
            Vec::new()
        }
    }
}

/// The expression, which must hold here.
fn expression(debugger: &mut Debugger, path: &Path, at: Position) -> Result<String> {
    let text = share::assertion(debugger.state.root(), path);
    let expression = Expression::parse(&text)?;
    match debugger.session.evaluate(&expression, at)? {
        Ok(Some(_)) => Ok(text),
        _ => Err(Error::usage(format!("{path} cannot be put as an expression"))),
    }
}

/// The command that does what the pane of a replay shows.
pub(super) fn replay(app: &App, issue: &str, replay: &Replay) -> String {
    if let Some((id, rest)) = replay.resumable() {
        return resume(app, id, &rest.unknown);
    }
    let flags = flags(app);
    let (issue, from, to) = (shell_word(issue), replay.from, replay.to);
    let mut text = format!("chronoscope replay {issue}{flags} --from {from} --to {to}");
    // Without a program there is nothing to execute: this is where one is given.
    for name in replay.without_program() {
        text += &format!(" --handler {}=PROGRAM", shell_word(name));
    }
    text + " --execute"
}

/// What is said beside a command that decides about events that have no known end.
pub(super) fn or_retry(unknown: &[Position]) -> &'static str {
    match unknown {
        [_] => "(or retry, if it is not done)",
        _ => "(for all of them; or retry, if none is done)",
    }
}

/// The command that goes on with a run, and takes for done what has no known end.
pub(super) fn resume(app: &App, replay_id: &str, unknown: &[Position]) -> String {
    let decision = if unknown.is_empty() { "" } else { " --on-unknown skip" };
    format!("chronoscope replay{} --resume {}{decision}", flags(app), shell_word(replay_id))
}

/// Where the settings and the store are.
fn flags(app: &App) -> String {
    let config = app.config.as_ref().map(|file| format!(" --config {}", shell_word(file)));
    config.unwrap_or_default() + &store_flag(app)
}

fn store_flag(app: &App) -> String {
    app.store.as_ref().map(|store| format!(" --store {}", shell_word(store))).unwrap_or_default()
}
