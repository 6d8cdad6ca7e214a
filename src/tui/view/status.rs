//! The line at the bottom: what is asked for, what happened, or which keys there are.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::pen::Pen;
use crate::tui::action::{COMMANDS, Command, Context};
use crate::tui::app::{App, List, MarkUse, Mode};
use crate::tui::replay::Replay;
use crate::tui::theme::{Glyph, Role};

/// Draws the line.
pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    buffer.set_style(area, theme.style(Role::StatusBar));
    let mut pen = Pen::new(buffer, area, 0);
    right(app, &mut pen);
    pen.skip(1);
    match &app.mode {
        Mode::Search(input) => {
            field_hints(app, &mut pen);
            super::prompt_line(app, "/", input, &mut pen);
        }
        Mode::Mark(usage) => {
            let text = match usage {
                MarkUse::Set => "mark this event: which letter?",
                MarkUse::Go => "go to mark: which letter?",
                MarkUse::Delete => "delete mark: which letter?",
            };
            pen.put(text, theme.style(Role::Accent)).skip(2);
            marks(app, &mut pen);
        }
        _ => match (&app.notice, fault(app)) {
            (Some(notice), _) => {
                let role = if notice.fault { Role::Failed } else { Role::Text };
                pen.put(&notice.text, theme.style(role));
            }
            (None, _) if stopping(app).is_some() => {
                pen.put(&stopping(app).unwrap_or_default(), theme.style(Role::Warned));
            }
            (None, Some(fault)) => {
                pen.put(
                    &format!("{} {fault}", theme.glyph(Glyph::Error)),
                    theme.style(Role::Failed),
                );
            }
            (None, None) if app.is_filtering() => field_hints(app, &mut pen),
            (None, None) => match app.mode {
                Mode::Normal => hints(app, &mut pen),
                Mode::Palette(_) | Mode::Ask(_) | Mode::Pick(_) => field_hints(app, &mut pen),
                Mode::List(..) => list_hints(app, &mut pen),
                Mode::Comparison => comparison_hints(app, &mut pen),
                _ => window_hints(app, &mut pen),
            },
        },
    }
}

/// The keys of the text field that have a word for this line, at its right.
fn field_hints(app: &App, pen: &mut Pen<'_>) {
    let theme = &app.theme;
    let of_field = COMMANDS.iter().filter(|s| s.context == Context::Field && !s.hint.is_empty());
    for spec in of_field.rev() {
        let key = app.first_key(spec.command);
        if !key.is_empty() && pen.put_right(&format!("{}  ", spec.hint), 40, theme.style(Role::Dim))
        {
            pen.put_right(&format!("{key} "), 30, theme.style(Role::KeyHint));
        }
    }
}

/// The keys that do something in the window that is open.
fn window_hints(app: &App, pen: &mut Pen<'_>) {
    let own = match app.mode {
        Mode::Anomalies(_) => Some((Command::Open, "go there")),
        Mode::Value(_) => Some((Command::Yank, "copy")),
        Mode::Yank | Mode::Branch | Mode::Confirm(_) => None,
        _ => Some((Command::PageDown, "page")),
    };
    let scroll = [(Command::Up, "up"), (Command::Down, "down")];
    let scroll = scroll
        .into_iter()
        .filter(|_| !matches!(app.mode, Mode::Yank | Mode::Branch | Mode::Confirm(_)));
    for (command, word) in scroll.chain(own).chain([(Command::Cancel, "back")]) {
        pen.put(&app.first_key(command), app.theme.style(Role::KeyHint)).skip(1);
        pen.put(word, app.theme.style(Role::Dim)).skip(2);
    }
}

/// The keys of the list that is open.
fn list_hints(app: &App, pen: &mut Pen<'_>) {
    let can = |command| match &app.mode {
        Mode::List(List::Breakpoints, _) => true,
        Mode::List(List::Branches(_), _) => command != Command::Toggle,
        _ => false,
    };
    let of_list = COMMANDS.iter().filter(|s| s.context == Context::List && !s.hint.is_empty());
    let of_list = of_list.filter(|s| can(s.command));
    let all = [(Command::Open, "go there")].into_iter();
    let all = all.chain(of_list.map(|spec| (spec.command, spec.hint)));
    for (command, word) in all.chain([(Command::Cancel, "back")]) {
        pen.put(&app.first_key(command), app.theme.style(Role::KeyHint)).skip(1);
        pen.put(word, app.theme.style(Role::Dim)).skip(2);
    }
}

/// The keys of the comparison.
fn comparison_hints(app: &App, pen: &mut Pen<'_>) {
    let own = COMMANDS.iter().filter(|s| s.context == Context::Comparison);
    let own = own.map(|spec| (spec.command, spec.hint));
    let all = own.chain([(Command::Open, "go there"), (Command::Back, "back")]);
    for (command, word) in all {
        pen.put(&app.first_key(command), app.theme.style(Role::KeyHint)).skip(1);
        pen.put(word, app.theme.style(Role::Dim)).skip(2);
    }
}

fn fault(app: &App) -> Option<&str> {
    let debugger = app.debugger.as_ref()?;
    debugger.session.fault().or(debugger.fault.as_deref())
}

/// What a replay that stops still waits for, and how not to wait for it.
fn stopping(app: &App) -> Option<String> {
    let replay = app.debugger.as_ref()?.run()?;
    let text = replay.stopping_text().filter(|_| matches!(app.mode, Mode::Normal))?;
    if replay.running.as_ref().is_some_and(|running| running.progress.is_ended()) {
        return Some("the program that runs is being ended".to_owned());
    }
    // Of what has no end of its own that is all that helps: it must not be what is cut.
    let key = app.first_key(Command::Quit);
    Some(match (replay.outcomes.running(), replay.leaving) {
        (None, _) => text,
        (Some(_), true) => format!("{key} again ends it; {text}"),
        (Some(_), false) => format!("{key} twice ends it; {text}"),
    })
}

/// What is always told: anomalies, what is being typed, how far a search is.
fn right(app: &App, pen: &mut Pen<'_>) {
    let theme = &app.theme;
    let Some(debugger) = &app.debugger else { return };
    pen.put_right(" ", 0, theme.style(Role::StatusBar));
    let anomalies = debugger.session.folded().anomalies().len();
    if anomalies > 0 {
        let s = if anomalies == 1 { "y" } else { "ies" };
        let sign = theme.glyph(Glyph::Anomaly);
        let key = app.first_key(Command::Anomalies);
        let long = format!("{anomalies} anomal{s} {sign} {key}");
        if !pen.put_right(&long, 30, theme.style(Role::Anomaly)) {
            pen.put_right(&format!("{anomalies}{sign}"), 8, theme.style(Role::Anomaly));
        }
        pen.put_right("  ", 8, theme.style(Role::StatusBar));
    }
    if let Some(search) = &debugger.search {
        let needle = crate::tui::text::cut(&search.needle, 20);
        let text = if search.is_running() {
            let done =
                search.progress(debugger.head()).map(|n| format!(" {n} %")).unwrap_or_default();
            format!("/{needle}{done}  ")
        } else {
            format!("/{needle}  ")
        };
        pen.put_right(&text, 24, theme.style(Role::SearchHit));
        pen.put_right("  ", 8, theme.style(Role::StatusBar));
    }
    if let Some(text) = debugger.breaks.run_text() {
        pen.put_right(&format!("{text}  "), 24, theme.style(Role::Breakpoint));
    }
    if let Some(comparing) = &debugger.comparing {
        let key = app.first_key(Command::Cancel);
        let text = format!("comparing {} %, {key} stops  ", comparing.progress.hundredths());
        pen.put_right(&text, 16, theme.style(Role::Accent));
    }
    if let Some(replay) = debugger.run().filter(|replay| replay.running.is_some()) {
        let key = app.first_key(Command::Cancel);
        let hundredths = replay.outcomes.len() * 100 / replay.events().max(1);
        let (what, role) = match (replay.executes, replay.stopping) {
            (_, true) => ("stopping", Role::Warned),
            (true, _) => ("executing", Role::Running),
            (false, _) => ("rehearsing", Role::Accent),
        };
        // What stops already cannot be stopped.
        let stops = if replay.stopping { String::new() } else { format!(", {key} stops") };
        let short = format!("{hundredths} %{stops}  ");
        if !pen.put_right(&format!("{what} {short}"), 16, theme.style(role)) {
            pen.put_right(&short, 8, theme.style(role));
        }
        pen.put_right("  ", 8, theme.style(Role::StatusBar));
    }
    let typed = app.typed_text();
    if !typed.is_empty() {
        pen.put_right(&format!("{typed}  "), 8, theme.style(Role::Accent));
    }
}

fn marks(app: &App, pen: &mut Pen<'_>) {
    let theme = &app.theme;
    let Some(debugger) = &app.debugger else { return };
    for (name, position) in &debugger.session.user.marks {
        pen.put(name, theme.style(Role::Mark));
        pen.put(&format!(" #{position}  "), theme.style(Role::Dim));
    }
}

/// Whether a command does something here, as far as that changes.
fn does_something(app: &App, command: Command) -> bool {
    let replay = app.debugger.as_deref().and_then(|debugger| debugger.replay.as_deref());
    command != Command::Execute || replay.is_some_and(Replay::can_execute)
}

/// The keys of the commands that have a word for this line.
fn hints(app: &App, pen: &mut Pen<'_>) {
    let theme = &app.theme;
    let help = app.first_key(Command::Help);
    pen.put_right(&format!("{help} help "), 16, theme.style(Role::KeyHint));
    let contexts = app.contexts();
    for context in contexts {
        let here = COMMANDS.iter().filter(|s| s.context == context && !s.hint.is_empty());
        for spec in here.filter(|s| s.command != Command::Help && does_something(app, s.command)) {
            let key = app.first_key(spec.command);
            let wide = key.chars().count() + spec.hint.len() + 3;
            if key.is_empty() || pen.room() < wide {
                continue;
            }
            pen.put(&key, theme.style(Role::KeyHint)).skip(1);
            pen.put(spec.hint, theme.style(Role::Dim)).skip(2);
        }
    }
}
