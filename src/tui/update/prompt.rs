//! Keys while a text, a letter or a choice is asked for.

use super::command_in_mode;
use super::debugger::{next_hit, value_text};
use crate::model::{Moment, Value};
use crate::tui::action::{Command, Context};
use crate::tui::app::{App, MarkUse, Mode, Purpose};
use crate::tui::effect::Effect;
use crate::tui::input::Input;
use crate::tui::key::Key;
use crate::tui::keymap::Lookup;
use crate::tui::layout::Pane;
use crate::tui::nav::Way;
use crate::tui::palette::{Choice, Palette};
use crate::tui::pane::motion;
use crate::tui::search::{Place, Search};

/// Changes the text that is being typed, and what depends on it.
fn edit(app: &mut App, change: impl FnOnce(&mut Input)) {
    match &mut app.mode {
        Mode::Search(input) => change(input),
        Mode::Ask(ask) => {
            let before = ask.input.text().to_owned();
            change(&mut ask.input);
            if ask.input.text() != before {
                ask.fault = None;
            }
        }
        Mode::Palette(palette) => {
            let before = palette.input.text().to_owned();
            change(&mut palette.input);
            if palette.input.text() != before {
                find(app);
            }
        }
        Mode::Pick(pick) => {
            let before = pick.input.text().to_owned();
            change(&mut pick.input);
            if pick.input.text() != before {
                pick.find();
            }
        }
        Mode::Normal => {
            if let Some(browser) = app.browser.as_mut().filter(|b| b.is_typing()) {
                browser.edit(change);
            }
        }
        _ => {}
    }
}

/// Whether there is nothing in the field.
fn is_blank(app: &App) -> bool {
    match &app.mode {
        Mode::Search(input) => input.text().is_empty(),
        Mode::Ask(ask) => ask.input.text().is_empty(),
        Mode::Palette(palette) => palette.input.text().is_empty(),
        Mode::Pick(pick) => pick.input.text().is_empty(),
        _ => app.browser.as_ref().is_some_and(|browser| browser.filter().text().is_empty()),
    }
}

fn is_filter(app: &App) -> bool {
    matches!(&app.mode, Mode::Ask(ask) if ask.purpose == Purpose::Filter)
}

/// Pasted text, to the field that is open.
pub(super) fn paste(app: &mut App, text: &str) -> Vec<Effect> {
    edit(app, |input| input.insert(text));
    Vec::new()
}

/// A key while text is typed: a letter goes into the text, others are looked up.
pub(super) fn field_key(app: &mut App, key: Key) -> Vec<Effect> {
    if let Some(letter) = key.character() {
        return paste(app, letter.encode_utf8(&mut [0; 4]));
    }
    match app.keymap.look_up(&[Context::Field, Context::Anywhere], &[key]) {
        Lookup::Command(command) => field_command(app, command),
        _ => Vec::new(),
    }
}

fn field_command(app: &mut App, command: Command) -> Vec<Effect> {
    match command {
        Command::Quit | Command::Suspend | Command::Redraw => command_in_mode(app, command, None),
        Command::Accept => accept(app),
        Command::Discard => discard(app),
        // (An empty filter is an answer: it takes the filter off.)
        Command::DeleteLeft if is_blank(app) && !is_filter(app) => discard(app),
        _ => {
            edit(app, |input| input.edit(command));
            choose_row(app, command);
            Vec::new()
        }
    }
}

fn accept(app: &mut App) -> Vec<Effect> {
    match &app.mode {
        Mode::Search(input) => {
            let needle = input.text().to_owned();
            app.mode = Mode::Normal;
            start_search(app, &needle);
            Vec::new()
        }
        Mode::Palette(_) => choose(app),
        Mode::Ask(_) => answer(app),
        Mode::Pick(_) => super::compare::begin(app),
        _ => super::browser_command(app, Command::Accept, None),
    }
}

/// Takes what was typed in a window of its own.
fn answer(app: &mut App) -> Vec<Effect> {
    let Mode::Ask(ask) = &app.mode else { return Vec::new() };
    let text = ask.input.text().trim().to_owned();
    match ask.purpose {
        Purpose::Breakpoint => super::breaks::add(app, &text),
        Purpose::BranchName => super::whatif::save_as(app, &text),
        Purpose::Filter => super::filter::set(app, &text),
    }
}

fn discard(app: &mut App) -> Vec<Effect> {
    match app.mode {
        Mode::Normal => super::browser_command(app, Command::Discard, None),
        _ => {
            app.mode = Mode::Normal;
            Vec::new()
        }
    }
}

/// Moves in the list of what fits the text, if the command is for that.
fn choose_row(app: &mut App, command: Command) {
    let command = match command {
        Command::NextChoice => Command::Down,
        Command::PreviousChoice => Command::Up,
        other => other,
    };
    match &mut app.mode {
        Mode::Palette(palette) => {
            let page = crate::tui::view::popup::palette_rows(app.size);
            if let Some(rows) = motion(command, None, page) {
                palette.move_by(rows);
            }
        }
        Mode::Pick(pick) => {
            let page = crate::tui::view::popup::palette_rows(app.size);
            if let Some(rows) = motion(command, None, page) {
                pick.move_by(rows);
            }
        }
        Mode::Normal => {
            if let Some(browser) = &mut app.browser {
                browser.command(command, None);
            }
        }
        _ => {}
    }
}

/// A key while a letter is asked for.
pub(super) fn letter_key(app: &mut App, key: Key) -> Vec<Effect> {
    let mode = std::mem::take(&mut app.mode);
    match (key.character(), mode) {
        (Some(letter), Mode::Mark(usage)) => mark_letter(app, usage, letter),
        (Some(letter), Mode::Yank) => yank_letter(app, letter),
        (Some(letter), Mode::Branch) => super::whatif::letter(app, letter),
        _ => match app.keymap.look_up(&[Context::Anywhere], &[key]) {
            Lookup::Command(command @ (Command::Quit | Command::Suspend | Command::Redraw)) => {
                command_in_mode(app, command, None)
            }
            _ => Vec::new(),
        },
    }
}

/// Searches from here on; for no text, for what was searched for before.
fn start_search(app: &mut App, needle: &str) {
    if let Some(debugger) = app.debugger.as_deref_mut()
        && !needle.is_empty()
    {
        let place = if debugger.focus == Pane::State { Place::State } else { Place::Events };
        debugger.search = Some(Search::new(needle, place));
        debugger.breaks.once = None;
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
    let contexts = app.contexts();
    let Mode::Palette(palette) = &mut app.mode else { return };
    let moment = match app.debugger.as_deref_mut() {
        Some(debugger) => Moment::parse(palette.input.text())
            .and_then(|moment| debugger.session.resolve(&moment))
            .map_err(|error| error.message().to_owned()),
        None => Err(String::new()),
    };
    palette.find(moment, &contexts);
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
        Some(Choice::Find) => super::breaks::find(app, palette.argument()),
        Some(Choice::Replay) => super::replay::typed(app, palette.argument()),
        Some(Choice::Why) => super::breaks::why(app, palette.argument()),
        None => {
            app.tell(format!("no action and no moment is like {:?}", palette.input.text()));
            Vec::new()
        }
    }
}

/// The letter of a mark.
fn mark_letter(app: &mut App, usage: MarkUse, letter: char) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
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
pub(super) fn save(app: &App) -> Vec<Effect> {
    let kept = app.debugger.as_ref().map(|debugger| {
        Effect::Save(debugger.session.issue_key().to_owned(), debugger.user_state())
    });
    kept.into_iter().collect()
}

/// What to copy.
pub(super) fn yank_letter(app: &mut App, letter: char) -> Vec<Effect> {
    let Some(debugger) = app.debugger.as_deref_mut() else { return Vec::new() };
    let path = debugger.selected_path().cloned();
    let text = match (letter, path) {
        ('e', _) => debugger
            .session
            .raw(debugger.playhead)
            .map(|bytes| ("event", String::from_utf8_lossy(&bytes).into_owned())),
        ('p', Some(path)) => Ok(("path", path.to_string())),
        ('y', Some(path)) => {
            let value = debugger.state.root().at(&path).cloned().unwrap_or(Value::Null);
            value_text(&mut debugger.session, &value).map(|text| ("value", text))
        }
        ('v', _) => return super::share::view(app),
        ('a', Some(path)) => return super::share::assertion(app, &path),
        ('p' | 'y' | 'a', None) => {
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
