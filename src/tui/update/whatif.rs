//! What the commands of a what-if do. None of them can write to the log.

use super::prompt::save;
use crate::error::{Error, Result};
use crate::model::{Kind, Position};
use crate::timeline::branch::{Branch, Edit};
use crate::tui::action::{Command, EditFor};
use crate::tui::app::{App, Ask, List, Mode, Purpose};
use crate::tui::debugger::Debugger;
use crate::tui::effect::Effect;
use crate::tui::input::Input;
use crate::tui::whatif::{WhatIf, push, toggle_skip};

/// What is said with the first edit.
const PROMISE: &str = "only here: the log stays as it is";

/// Carries a command of what-ifs out; none for other commands.
pub(super) fn command(app: &mut App, command: Command) -> Option<Vec<Effect>> {
    match command {
        Command::Skip => Some(skip(app)),
        Command::Insert => Some(edit(app, EditFor::Insert)),
        Command::EditEvent => Some(edit(app, EditFor::Metadata)),
        Command::Undo => Some(again(app, Branch::undo, "undone", "nothing to undo")),
        Command::Redo => Some(again(app, Branch::redo, "done again", "nothing was undone")),
        Command::Branch => {
            app.mode = Mode::Branch;
            Some(Vec::new())
        }
        _ => None,
    }
}

/// Changes the branch, which begins if none is on; tells what `told` says then.
fn change(
    app: &mut App,
    edit: impl FnOnce(&mut Branch) -> Result<bool>,
    told: impl FnOnce(&Branch) -> String,
) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    match changed(debugger, edit) {
        Ok(()) => {
            let text = debugger.whatif.as_ref().map(|w| told(w.branch())).unwrap_or_default();
            play_and_tell(app, text)
        }
        Err(error) => {
            app.fail_with(&error);
            Vec::new()
        }
    }
}

/// Plays a branch that is new, and tells this, unless it cannot be played.
fn play_and_tell(app: &mut App, text: String) -> Vec<Effect> {
    app.notice = None;
    work(app);
    if app.notice.is_none() {
        app.tell(text);
    }
    save(app)
}

fn changed(debugger: &mut Debugger, edit: impl FnOnce(&mut Branch) -> Result<bool>) -> Result<()> {
    debugger.play = None;
    // What is looked at must not run away with the head.
    debugger.pause();
    if !debugger.session.is_loaded() {
        return Err(Error::usage("the log is still being read"));
    }
    match &mut debugger.whatif {
        Some(whatif) => {
            whatif.change(&mut debugger.session, edit)?;
        }
        None => {
            let mut branch = Branch::default();
            edit(&mut branch)?;
            debugger.whatif = Some(WhatIf::new(&mut debugger.session, branch, None)?);
        }
    }
    Ok(())
}

/// The event at the playhead that can be left out or changed.
fn event_here(debugger: &mut Debugger) -> Result<(Position, String)> {
    match debugger.playhead {
        0 => Err(Error::usage("position 0 is before the first event")),
        position => Ok((position, debugger.session.event(position)?.id.to_string())),
    }
}

fn skip(app: &mut App) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    let (position, id) = match event_here(debugger) {
        Ok(event) => event,
        Err(error) => {
            app.tell(error.message().to_owned());
            return Vec::new();
        }
    };
    change(
        app,
        |branch| toggle_skip(branch, position, &id),
        |branch| match branch.plan().skipped.contains(&position) {
            true => format!("as if #{position} had not happened, {PROMISE}"),
            false => format!("#{position} happens again"),
        },
    )
}

fn again(app: &mut App, step: fn(&mut Branch) -> bool, done: &str, nothing: &str) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    let before = debugger.whatif.as_ref().map(|whatif| whatif.branch().edits.clone());
    let Some(before) = before else {
        app.tell("no what-if is on");
        return Vec::new();
    };
    change(
        app,
        |branch| Ok(step(branch)),
        |branch| if branch.edits == before { nothing.to_owned() } else { done.to_owned() },
    )
}

/// Hands a text to the user's editor: what failed last time, else a template.
fn edit(app: &mut App, purpose: fn(Position) -> EditFor) -> Vec<Effect> {
    if super::replay::is_executing(app) {
        // It would hold the run as its programs do, and so would what it leaves running.
        app.tell("programs are being run: the editor waits until that is over");
        return Vec::new();
    }
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    let purpose = purpose(debugger.playhead);
    if let Some((_, text)) = debugger.draft.take_if(|(what, _)| *what == purpose) {
        return vec![Effect::Edit(purpose, text)];
    }
    match template(debugger, purpose) {
        Ok(text) => vec![Effect::Edit(purpose, text)],
        Err(error) => {
            app.fail_with(&error);
            Vec::new()
        }
    }
}

/// The event at a position as JSON, as the branch has it.
fn event_json(debugger: &mut Debugger, position: Position) -> Result<serde_json::Value> {
    let replaced = debugger.whatif.as_ref().and_then(|whatif| whatif.replacement(position));
    if let Some(json) = replaced {
        return Ok(json);
    }
    let row = debugger.session.timeline().row(position);
    if row.is_none_or(|row| row.kind == Kind::Unreadable) {
        return Err(Error::usage(format!("#{position} is no event that can be changed")));
    }
    serde_json::from_slice(&debugger.session.raw(position)?)
        .map_err(|e| Error::usage(format!("#{position} is not JSON: {e}")))
}

fn template(debugger: &mut Debugger, purpose: EditFor) -> Result<String> {
    let json = match purpose {
        EditFor::Metadata(0) => return Err(Error::usage("position 0 is before the first event")),
        EditFor::Metadata(position) => {
            let event = event_json(debugger, position)?;
            event.get("metadata").cloned().unwrap_or_else(|| serde_json::json!({}))
        }
        EditFor::Insert(position) => {
            let like = event_json(debugger, position.max(1)).unwrap_or_default();
            let member = |name: &str| like.get(name).cloned().unwrap_or_default();
            serde_json::json!({
                "event_type": member("event_type"),
                "actor": member("actor"),
                "metadata": member("metadata"),
            })
        }
    };
    let text = serde_json::to_string_pretty(&json).map_err(|e| Error::internal(e.to_string()))?;
    Ok(text + "\n")
}

/// What the user made of a text: an edit of the branch, unless it is as it was.
pub(super) fn edited(app: &mut App, purpose: EditFor, text: String) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    let unchanged = template(debugger, purpose).is_ok_and(|before| before == text);
    if text.trim().is_empty() || unchanged {
        app.tell("nothing was changed");
        return Vec::new();
    }
    let effects = match parsed(debugger, purpose, &text) {
        Ok(edit) => {
            let what = match purpose {
                EditFor::Insert(after) => format!("put in after #{after}, {PROMISE}"),
                EditFor::Metadata(position) => format!("#{position} is another, {PROMISE}"),
            };
            change(app, |branch| push(branch, edit), |_| what)
        }
        Err(error) => {
            app.fail_with(&error);
            Vec::new()
        }
    };
    if app.notice.as_ref().is_some_and(|notice| notice.fault)
        && let Some(debugger) = app.debugger.as_deref_mut()
    {
        debugger.draft = Some((purpose, text));
    }
    effects
}

fn parsed(debugger: &mut Debugger, purpose: EditFor, text: &str) -> Result<Edit> {
    let json: serde_json::Value = serde_json::from_str(text).map_err(|e| {
        Error::usage(format!("that is not JSON: {e}")).with_hint("the same key goes on with it")
    })?;
    match purpose {
        EditFor::Insert(after) => Ok(Edit::Insert { after, event: json }),
        EditFor::Metadata(position) => {
            let mut event = event_json(debugger, position)?;
            if !json.is_object() {
                return Err(Error::usage("metadata is a JSON object"));
            }
            if let Some(members) = event.as_object_mut() {
                members.insert("metadata".to_owned(), json);
            }
            let event_id = debugger.session.event(position)?.id.to_string();
            Ok(Edit::Replace { position, event_id, event })
        }
    }
}

/// A letter of the menu.
pub(super) fn letter(app: &mut App, letter: char) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    let issue = debugger.session.issue_key().to_owned();
    match (letter, &debugger.whatif) {
        ('s', Some(whatif)) => {
            let name = whatif.name.clone().unwrap_or_default();
            let mut ask = Ask::new(Purpose::BranchName);
            ask.input = Input::of(&name);
            app.mode = Mode::Ask(ask);
        }
        ('l', _) => return vec![Effect::ListBranches(issue)],
        ('x', Some(_)) => {
            debugger.whatif = None;
            (debugger.session.user.branch, debugger.session.user.branch_name) = (None, None);
            app.tell("back to what happened");
            return save(app);
        }
        ('s' | 'x', None) => app.tell("no what-if is on"),
        _ => {}
    }
    Vec::new()
}

/// Keeps the branch under a name.
pub(super) fn save_as(app: &mut App, name: &str) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    if let Err(why) = crate::model::ids::check_issue_key(name) {
        if let Mode::Ask(ask) = &mut app.mode {
            ask.fault = Some(format!("the name {why}"));
        }
        return Vec::new();
    }
    app.mode = Mode::Normal;
    let issue = debugger.session.issue_key().to_owned();
    let Some(whatif) = &mut debugger.whatif else { return Vec::new() };
    whatif.name = Some(name.to_owned());
    let mut effects = vec![Effect::SaveBranch(issue, name.to_owned(), whatif.branch().clone())];
    effects.extend(save(app));
    effects
}

/// Shows the branches that are kept.
pub(super) fn list(app: &mut App, names: Vec<String>) {
    let at = if let Mode::List(List::Branches(_), at) = app.mode { at } else { 0 };
    if names.is_empty() {
        app.mode = Mode::Normal;
        app.tell("no branch is kept for this issue");
    } else {
        let last = names.len() - 1;
        app.mode = Mode::List(List::Branches(names), at.min(last));
    }
}

/// Takes a branch that was loaded.
pub(super) fn load(app: &mut App, name: &str, branch: Branch) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    debugger.note_branch(name, &branch);
    if !debugger.session.is_loaded() {
        // It is played once the log is read.
        let user = &mut debugger.session.user;
        (user.branch, user.branch_name) = (Some(branch), Some(name.to_owned()));
        return Vec::new();
    }
    match WhatIf::new(&mut debugger.session, branch, Some(name.to_owned())) {
        Ok(whatif) => {
            debugger.whatif = Some(whatif);
            debugger.pause();
            play_and_tell(app, format!("as if: {name}, {PROMISE}"))
        }
        Err(error) => {
            app.fail_with(&error);
            Vec::new()
        }
    }
}

/// Takes the branch up that was on last time, or before the log was read anew.
pub(super) fn take_up(app: &mut App) {
    let Some(debugger) = app.debugger.as_deref_mut() else { return };
    let user = &mut debugger.session.user;
    let (Some(branch), name) = (user.branch.take(), user.branch_name.take()) else { return };
    match WhatIf::new(&mut debugger.session, branch, name) {
        Ok(whatif) => debugger.whatif = Some(whatif),
        Err(error) => app.fail_with(&error),
    }
}

/// Plays on for a moment. What cannot be played is left, and told.
pub(super) fn work(app: &mut App) {
    let Some(debugger) = app.debugger.as_deref_mut() else { return };
    let Some(whatif) = &mut debugger.whatif else { return };
    if let Err(error) = whatif.work(&mut debugger.session) {
        // It would fail again and again: the change that brought it is taken back.
        let undone = whatif.change(&mut debugger.session, |branch| Ok(branch.undo()));
        if !matches!(undone, Ok(true)) {
            debugger.whatif = None;
        }
        app.fail_with(&error);
    }
}
