//! The one way to change the screen: an action in, effects out.
//!
//! Lives here: what every action does, by mode. May not live here: input and output (see
//! [`super::run()`]); commands of the debugger have a file of their own.

mod breaks;
mod compare;
mod debugger;
mod filter;
mod lists;
mod mouse;
mod prompt;
mod races;
mod replay;
mod share;
mod travel;
mod unseen;
mod whatif;

use super::action::{Action, Command};
use super::app::{App, Mode};
use super::debugger::Debugger;
use super::effect::Effect;
use super::key::{Key, sequence_text};
use super::keymap::Lookup;
use super::pane::{motion, moved};
use super::search::Outcome;
use super::whatif::WhatIf;
use crate::model::Path;
use crate::session::Session;

pub use replay::{ANEW, CONFIRM, RETRY, SKIP};

/// Changes the screen as the action says, and answers what is to be done outside.
pub fn update(app: &mut App, action: Action) -> Vec<Effect> {
    // Time that nothing waits for changes nothing that is seen.
    let idle = matches!(action, Action::Tick(_)) && app.patience().is_none();
    // A long log comes in a thousand parts while it is looked through, and few of them are drawn.
    let news = matches!(action, Action::Pump);
    let effects = act(app, action);
    let looking = |app: &App| app.debugger.as_ref().is_some_and(|d| !d.session.ending().is_empty());
    if news && looking(app) {
        app.stale = true;
    } else if !idle {
        prepare(app);
        app.stale = false;
    }
    effects
}

fn act(app: &mut App, action: Action) -> Vec<Effect> {
    match action {
        Action::Do(command, count) => command_in_mode(app, command, count),
        Action::Key(event) => key(app, Key::of(event)),
        Action::Mouse(_) | Action::Paste(_) if !app.fits() => unseen::nothing(app),
        Action::Paste(text) => prompt::paste(app, &text),
        Action::Mouse(event) => mouse::mouse(app, event),
        Action::Resize(columns, rows) => {
            app.size = (columns, rows);
            Vec::new()
        }
        Action::Tick(now) => {
            tick(app, now);
            Vec::new()
        }
        Action::Pump => pump(app),
        Action::Work => {
            work(app);
            Vec::new()
        }
        Action::Browse(news) => {
            if let Some(browser) = &mut app.browser {
                browser.take(news);
            }
            Vec::new()
        }
        Action::Opened(session) => opened(app, *session),
        Action::Failed(error) => {
            app.fail_with(&error);
            Vec::new()
        }
        Action::Told(text) => {
            app.tell(text);
            Vec::new()
        }
        Action::Edited(purpose, text) => whatif::edited(app, purpose, text),
        Action::Races(issue, all, head) => {
            races::take(app, &issue, all, head);
            Vec::new()
        }
        Action::Branches(names) => {
            whatif::list(app, names);
            Vec::new()
        }
        Action::Branch(name, branch) => whatif::load(app, &name, *branch),
        Action::Sides(more) => {
            compare::offer(app, more);
            Vec::new()
        }
        Action::End => replay::end(app),
        Action::Replayed(replaying, result) => replay::take(app, &replaying, result),
        Action::Looked(looking, found) => replay::looked(app, &looking, found),
        Action::Compared(comparing, result) => {
            compare::take(app, &comparing, result);
            Vec::new()
        }
        Action::Reveal(path) => {
            reveal(app, &path);
            Vec::new()
        }
    }
}

fn reveal(app: &mut App, path: &Path) {
    if let Some(debugger) = &mut app.debugger {
        debugger.state.reveal(path);
        debugger.focus_on(super::layout::Pane::State);
    }
}

/// Reads what the next drawing will show, so that drawing reads nothing.
fn prepare(app: &mut App) {
    if !app.fits() {
        return;
    }
    let size = app.size;
    if let Some(debugger) = &mut app.debugger {
        debugger.prepare(size);
    } else if let Some(browser) = &mut app.browser {
        browser.prepare(size.1.saturating_sub(1));
    }
    if matches!(app.mode, Mode::Comparison)
        && let Some(comparison) = app.debugger.as_mut().and_then(|d| d.comparison.as_deref_mut())
        && let Err(error) = comparison.prepare(super::view::comparison::height(size))
    {
        app.fail_with(&error);
    }
    let contexts = app.contexts();
    match &mut app.mode {
        Mode::Value(viewer) => {
            let (columns, rows) = super::view::popup::inner_size(size);
            viewer.prepare(columns, rows);
        }
        Mode::Help(top) => {
            let lines = super::view::help::line_count(&contexts);
            let (_, rows) = super::view::popup::inner_size(size);
            *top = (*top).min(lines.saturating_sub(rows));
        }
        Mode::Confirm(top) => {
            let replay = app.debugger.as_deref().and_then(|debugger| debugger.replay.as_deref());
            let last = replay.map_or(0, |replay| super::view::replay::last_top(replay, size));
            *top = (*top).min(last);
        }
        _ => {}
    }
}

fn opened(app: &mut App, session: Session) -> Vec<Effect> {
    let start = std::mem::take(&mut app.start);
    let mut debugger = Box::new(Debugger::new(session, start.at, start.follow));
    let kept = start.view.and_then(|view| debugger.show(view));
    let mut effects: Vec<Effect> = kept
        .map(|name| Effect::LoadBranch(debugger.session.issue_key().to_owned(), name))
        .into_iter()
        .collect();
    app.debugger = Some(debugger);
    app.mode = Mode::Normal;
    effects.extend(pump(app));
    effects
}

fn tick(app: &mut App, now: std::time::Duration) {
    app.now = now;
    if let Some(debugger) = &mut app.debugger {
        replay::tick(debugger, now);
        if !debugger.tick(now) {
            app.tell("end of the log");
        }
    }
    if let Some(browser) = &mut app.browser {
        browser.tick(app.clock.now());
    }
}

fn pump(app: &mut App) -> Vec<Effect> {
    let Some(debugger) = &mut app.debugger else { return Vec::new() };
    let news = debugger.pump();
    if debugger.session.is_loaded() {
        replay::has_read(app);
    }
    let Some(debugger) = &mut app.debugger else { return Vec::new() };
    if debugger.session.is_loaded()
        && let Err(error) = debugger.finish_view()
    {
        app.refused = Some(error);
        return vec![Effect::Quit];
    }
    if news.restarted {
        if matches!(app.mode, Mode::Confirm(_)) {
            // What it was asked about is gone.
            app.mode = Mode::Normal;
        }
        let stops = if debugger.cut_off.is_some() { ", and the run is stopped" } else { "" };
        app.fail(format!("the log was cut or replaced: it is read anew{stops}"));
    } else if debugger.session.is_loaded() && debugger.session.user.branch.is_some() {
        whatif::take_up(app);
    } else if news.fault_changed
        && let Some(fault) = debugger.session.fault().map(str::to_owned)
    {
        app.fail(fault);
    }
    Vec::new()
}

/// Goes on with what is not done yet: what the user waits for comes first.
fn work(app: &mut App) {
    let Some(debugger) = &mut app.debugger else { return };
    if debugger.search.as_ref().is_some_and(super::search::Search::is_running) {
        search(app);
    } else if debugger.whatif.as_ref().is_some_and(WhatIf::has_work)
        && !debugger.breaks.is_running()
    {
        whatif::work(app);
    } else if !debugger.breaks.is_running() && debugger.filter_has_work() {
        filter::work(app);
    } else {
        let looked = debugger.look_at_pins();
        breaks::work(app);
        if let Err(error) = looked {
            app.fail_with(&error);
        }
    }
}

/// Goes on with the search.
fn search(app: &mut App) {
    let Some(debugger) = &mut app.debugger else { return };
    let Some(search) = debugger.search.as_mut().filter(|s| s.is_running()) else { return };
    let needle = search.needle.clone();
    match search.work(&mut debugger.session) {
        Ok(Outcome::Working) => {}
        Ok(Outcome::Event(position, wrapped)) => {
            debugger.jump_to(position);
            if wrapped {
                app.tell(format!("/{needle}: went round the end of the log"));
            }
        }
        Ok(Outcome::Path(path, which, count)) => {
            debugger.state.reveal(&path);
            app.tell(format!("/{needle}: {which} of {count}"));
        }
        Ok(Outcome::Nothing) => app.fail(format!("/{needle}: not found")),
        Err(error) => app.fail_with(&error),
    }
}

/// A key, to whatever the keys go to.
fn key(app: &mut App, key: Key) -> Vec<Effect> {
    if !app.fits() {
        return unseen::key(app, key);
    }
    app.notice = None;
    let stopped = breaks::interrupted(app) || filter::interrupted(app);
    if stopped && key.event().code == crossterm::event::KeyCode::Esc {
        return Vec::new();
    }
    match &app.mode {
        Mode::Search(_) | Mode::Palette(_) | Mode::Ask(_) | Mode::Pick(_) => {
            prompt::field_key(app, key)
        }
        Mode::Normal if app.is_filtering() => prompt::field_key(app, key),
        Mode::Mark(_) | Mode::Yank | Mode::Branch => prompt::letter_key(app, key),
        Mode::Confirm(_) => replay::confirm_key(app, key),
        Mode::Normal
        | Mode::Help(_)
        | Mode::Anomalies(_)
        | Mode::Value(_)
        | Mode::List(..)
        | Mode::Comparison => command_key(app, key),
    }
}

/// A key of a command: a digit of its count, a part of its sequence, or its last key.
fn command_key(app: &mut App, key: Key) -> Vec<Effect> {
    if let Some(digit) = key.digit()
        && app.typed.keys.is_empty()
        && (digit != 0 || app.typed.count.is_some())
    {
        let count = app.typed.count.unwrap_or(0).saturating_mul(10).saturating_add(digit);
        app.typed.count = Some(count);
        return Vec::new();
    }
    app.typed.keys.push(key);
    match app.keymap.look_up(&app.contexts(), &app.typed.keys) {
        Lookup::Command(command) => {
            let count = std::mem::take(&mut app.typed).count;
            command_in_mode(app, command, count)
        }
        Lookup::Prefix => Vec::new(),
        Lookup::Nothing => {
            let typed = std::mem::take(&mut app.typed);
            let keys = sequence_text(&typed.keys, app.theme.is_ascii());
            let help = app.first_key(Command::Help);
            app.tell(format!("{keys} does nothing here; {help} tells what the keys do"));
            Vec::new()
        }
    }
}

/// A command, to the window that is open, else to the debugger or the browser.
fn command_in_mode(app: &mut App, command: Command, count: Option<u32>) -> Vec<Effect> {
    match command {
        Command::Quit => return leave(app, true),
        Command::Suspend => return vec![Effect::Suspend],
        Command::Redraw => return vec![Effect::Redraw],
        _ => {}
    }
    if !matches!(app.mode, Mode::Normal) {
        return command_in_window(app, command, count);
    }
    match command {
        Command::Help => app.mode = Mode::Help(0),
        Command::Palette => prompt::open_palette(app),
        Command::Back if replay::is_shown(app) => return replay::back(app),
        Command::Back => return leave(app, false),
        _ if app.debugger.is_some() => return debugger::command(app, command, count),
        _ => return browser_command(app, command, count),
    }
    Vec::new()
}

/// A command while a window is open over the panes: it scrolls, follows or closes.
fn command_in_window(app: &mut App, command: Command, count: Option<u32>) -> Vec<Effect> {
    if matches!(command, Command::Back | Command::Cancel | Command::Help | Command::Anomalies) {
        app.mode = Mode::Normal;
        return Vec::new();
    }
    if matches!(app.mode, Mode::Comparison) {
        return compare::command(app, command, count);
    }
    let (_, page) = super::view::popup::inner_size(app.size);
    let rows = motion(command, count, page);
    if matches!(app.mode, Mode::List(..)) {
        return lists::command(app, command, rows);
    }
    let total = app.debugger.as_ref().map_or(0, |d| d.session.folded().anomalies().len());
    match (&mut app.mode, rows) {
        (Mode::Help(top), Some(rows)) => *top = moved(*top, rows, usize::MAX),
        (Mode::Value(viewer), Some(rows)) => viewer.move_by(rows),
        (Mode::Anomalies(cursor), Some(rows)) => *cursor = moved(*cursor, rows, total),
        (Mode::Value(viewer), None) if command == Command::Yank => {
            let text = viewer.text().to_owned();
            app.mode = Mode::Normal;
            app.tell("value copied");
            return vec![Effect::Copy(text)];
        }
        (Mode::Anomalies(cursor), None) if command == Command::Open => {
            let cursor = *cursor;
            app.mode = Mode::Normal;
            if let Some(debugger) = &mut app.debugger {
                let found = debugger.session.folded().anomalies().get(cursor);
                if let Some(position) = found.map(|a| a.position).filter(|p| *p > 0) {
                    debugger.jump_to(position);
                }
            }
        }
        _ => {}
    }
    Vec::new()
}

/// Back to the issues if we came from there, else out.
fn leave(app: &mut App, at_once: bool) -> Vec<Effect> {
    let mut effects = Vec::new();
    if replay::holds(app, at_once) {
        return effects;
    }
    if let Some(debugger) = app.debugger.as_deref_mut() {
        compare::stop(debugger);
        let issue = debugger.session.issue_key().to_owned();
        effects.push(Effect::Save(issue, debugger.user_state()));
        if !at_once && app.browser.is_some() {
            app.debugger = None;
            app.typed = super::app::Typed::default();
            return effects;
        }
    }
    effects.push(Effect::Quit);
    effects
}

fn browser_command(app: &mut App, command: Command, count: Option<u32>) -> Vec<Effect> {
    let Some(browser) = &mut app.browser else { return Vec::new() };
    match browser.command(command, count) {
        Some(issue) => vec![Effect::Open(issue)],
        None => Vec::new(),
    }
}
