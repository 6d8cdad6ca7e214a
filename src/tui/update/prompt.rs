//! Keys while a text, a letter or a choice is asked for.

use crossterm::event::KeyCode;

use super::debugger::{next_hit, value_text};
use super::{command_in_mode, contexts};
use crate::model::{Moment, Value};
use crate::tui::app::{App, MarkUse, Mode};
use crate::tui::effect::Effect;
use crate::tui::keymap::Key;
use crate::tui::layout::Pane;
use crate::tui::nav::Way;
use crate::tui::palette::{Choice, Palette};
use crate::tui::search::{Place, Search};

fn is_cancel(key: Key) -> bool {
    key.bare() == Some(KeyCode::Esc) || key.is_ctrl('g')
}

fn is_enter(key: Key) -> bool {
    key.bare() == Some(KeyCode::Enter)
}

/// Pasted text, to the field that is open.
pub(super) fn paste(app: &mut App, text: &str) -> Vec<Effect> {
    match &mut app.mode {
        Mode::Search(input) => input.insert(text),
        Mode::Palette(palette) => {
            palette.input.insert(text);
            find(app);
        }
        Mode::Normal => {
            if let Some(browser) = app.browser.as_mut().filter(|b| b.is_typing()) {
                browser.paste(text);
            }
        }
        _ => {}
    }
    Vec::new()
}

/// A key of the browser's filter.
pub(super) fn filter_key(app: &mut App, key: Key) -> Vec<Effect> {
    let opened = app.browser.as_mut().and_then(|browser| browser.key(key));
    opened.map(Effect::Open).into_iter().collect()
}

/// A key of the search's field.
pub(super) fn search_key(app: &mut App, key: Key) -> Vec<Effect> {
    let Mode::Search(input) = &mut app.mode else { return Vec::new() };
    if is_enter(key) {
        let needle = input.text().to_owned();
        app.mode = Mode::Normal;
        start_search(app, &needle);
    } else if is_cancel(key) {
        app.mode = Mode::Normal;
    } else {
        input.key(key);
    }
    Vec::new()
}

/// Searches from here on; for no text, for what was searched for before.
fn start_search(app: &mut App, needle: &str) {
    if let Some(debugger) = app.debugger.as_deref_mut()
        && !needle.is_empty()
    {
        let place = if debugger.focus == Pane::State { Place::State } else { Place::Events };
        debugger.search = Some(Search::new(needle, place));
    }
    next_hit(app, Way::Forward);
}

/// Opens the palette.
pub(super) fn open_palette(app: &mut App) {
    app.mode = Mode::Palette(Palette::default());
    find(app);
}

/// Finds what fits the palette's text.
fn find(app: &mut App) {
    let contexts = contexts(app);
    let Mode::Palette(palette) = &mut app.mode else { return };
    let moment = match app.debugger.as_deref_mut() {
        Some(debugger) => Moment::parse(palette.input.text())
            .and_then(|moment| debugger.session.resolve(&moment))
            .map_err(|error| error.message().to_owned()),
        None => Err(String::new()),
    };
    palette.find(moment, &contexts);
}

/// A key of the palette.
pub(super) fn palette_key(app: &mut App, key: Key) -> Vec<Effect> {
    let Mode::Palette(palette) = &mut app.mode else { return Vec::new() };
    if is_cancel(key) {
        app.mode = Mode::Normal;
    } else if is_enter(key) {
        return choose(app);
    } else if key.bare() == Some(KeyCode::Up) || key.is_ctrl('p') {
        palette.move_by(-1);
    } else if key.bare() == Some(KeyCode::Down) || key.is_ctrl('n') {
        palette.move_by(1);
    } else if key.bare() == Some(KeyCode::Backspace) && palette.input.text().is_empty() {
        app.mode = Mode::Normal;
    } else if palette.input.key(key) {
        find(app);
    }
    Vec::new()
}

fn choose(app: &mut App) -> Vec<Effect> {
    let Mode::Palette(palette) = std::mem::take(&mut app.mode) else { return Vec::new() };
    match palette.chosen() {
        // What looks like a moment and is none is more likely a slip than an action's name.
        _ if palette.fault.is_some() => {
            app.fail(palette.fault.unwrap_or_default());
            Vec::new()
        }
        Some(Choice::Go(position)) => {
            if let Some(debugger) = app.debugger.as_deref_mut() {
                debugger.play = None;
                debugger.jump_to(position);
            }
            Vec::new()
        }
        Some(Choice::Command(command)) => command_in_mode(app, command, None),
        None => {
            app.tell(format!("no action and no moment is like {:?}", palette.input.text()));
            Vec::new()
        }
    }
}

/// The letter of a mark.
pub(super) fn mark_key(app: &mut App, usage: MarkUse, key: Key) -> Vec<Effect> {
    app.mode = Mode::Normal;
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    let Some(letter) = key.character() else { return Vec::new() };
    if usage == MarkUse::Go && letter == '\'' {
        debugger.jump_again(Way::Back);
        return Vec::new();
    }
    if !letter.is_alphanumeric() {
        app.tell("marks are letters and digits");
        return Vec::new();
    }
    let name = letter.to_string();
    let here = debugger.playhead;
    let marks = &mut debugger.session.user.marks;
    match usage {
        MarkUse::Set => {
            marks.insert(name.clone(), here);
            app.tell(format!("mark {name} is #{here}"));
            return save(app);
        }
        MarkUse::Delete => {
            let told = match marks.remove(&name) {
                Some(_) => format!("mark {name} is gone"),
                None => format!("there is no mark {name}"),
            };
            app.tell(told);
            return save(app);
        }
        MarkUse::Go => match marks.get(&name).copied() {
            Some(position) if position <= debugger.head() => {
                debugger.play = None;
                debugger.jump_to(position);
            }
            Some(position) => app.tell(format!("mark {name} is #{position}, beyond the head")),
            None => app.tell(format!("there is no mark {name}")),
        },
    }
    Vec::new()
}

/// Keeps what the user set, at once: a crash of the terminal must not lose it.
fn save(app: &App) -> Vec<Effect> {
    let kept = app.debugger.as_ref().map(|debugger| {
        Effect::Save(debugger.session.issue_key().to_owned(), debugger.user_state())
    });
    kept.into_iter().collect()
}

/// What to copy.
pub(super) fn yank_key(app: &mut App, key: Key) -> Vec<Effect> {
    app.mode = Mode::Normal;
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    let path = debugger.selected_path().cloned();
    let text = match (key.character(), path) {
        (Some('e'), _) => debugger
            .session
            .raw(debugger.playhead)
            .map(|bytes| ("event", String::from_utf8_lossy(&bytes).into_owned())),
        (Some('p'), Some(path)) => Ok(("path", path.to_string())),
        (Some('v'), Some(path)) => {
            let value = debugger.state.root().at(&path).cloned().unwrap_or(Value::Null);
            value_text(&mut debugger.session, &value).map(|text| ("value", text))
        }
        (Some('p' | 'v'), None) => {
            app.tell("no path is selected");
            return Vec::new();
        }
        _ => return Vec::new(),
    };
    match text {
        Ok((what, text)) => {
            app.tell(format!("{what} copied"));
            vec![Effect::Copy(text)]
        }
        Err(error) => {
            app.fail_with(&error);
            Vec::new()
        }
    }
}
