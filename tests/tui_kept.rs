//! What is kept from drawing to drawing shows nothing that is not so any more: each screen is drawn
//! with it and without, and both are the same.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use chronoscope::tui::action::{Action, Command};
use chronoscope::tui::theme::Theme;
use chronoscope::tui::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use crate::tui_support::{Desk, ISSUE, sample};

fn drawn(desk: &Desk) -> Buffer {
    let (columns, rows) = desk.app.size;
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| view::draw(&desk.app, frame)).unwrap();
    terminal.backend().buffer().clone()
}

/// Draws with what is kept, and without.
fn check(desk: &mut Desk, what: &str) {
    let with = drawn(desk);
    let ground = std::mem::take(&mut desk.app.debugger.as_mut().unwrap().ground);
    let without = drawn(desk);
    desk.app.debugger.as_mut().unwrap().ground = ground;
    assert_eq!(with, without, "{what}");
}

fn scrub(desk: &mut Desk, what: &str) {
    for keys in ["h", "H", "l", "L", "g g", "2 0 l", "6 0 G"] {
        desk.press(keys);
        check(desk, &format!("{what}: {keys}"));
    }
}

fn does(desk: &mut Desk, commands: &[Command]) {
    for command in commands {
        desk.act(Action::Do(*command, None));
        check(desk, &format!("{command:?}"));
    }
}

#[test]
fn a_screen_with_what_is_kept_is_one_made_anew() {
    use Command::{NextClock, PanLeft, PanRight, Skip, Undo, ZoomIn, ZoomOut, ZoomReset};
    let mut desk = Desk::new(&sample(110), (200, 50));
    desk.app.theme = Theme::built_in("dark");
    scrub(&mut desk, "at first");
    for _ in 0..4 {
        does(&mut desk, &[NextClock, ZoomIn, ZoomIn, PanLeft, PanRight]);
        scrub(&mut desk, "magnified");
        does(&mut desk, &[ZoomOut, ZoomReset]);
    }
    for size in [(100, 30), (160, 50), (80, 24), (200, 50)] {
        desk.act(Action::Resize(size.0, size.1));
        check(&mut desk, &format!("at {size:?}"));
    }
    desk.press("F").type_text("tool").press("enter");
    while desk.app.is_busy() {
        desk.act(Action::Work);
        check(&mut desk, "while it is filtered");
    }
    scrub(&mut desk, "filtered");
    desk.press("F").press("ctrl-u enter").work();
    check(&mut desk, "no more filtered");
    does(&mut desk, &[Skip]);
    desk.work();
    scrub(&mut desk, "in a branch");
    does(&mut desk, &[Undo]);
    desk.press("m a d l");
    check(&mut desk, "with a mark and a base");
    for theme in [Theme::built_in("light"), Theme::built_in("none").with_ascii(true)] {
        desk.app.theme = theme;
        check(&mut desk, "in another theme");
    }
    let all = sample(128);
    let lines: Vec<&str> = all.split_inclusive('\n').collect();
    for (head, line) in (111..).zip(&lines[110..]) {
        desk.append(line, head);
        check(&mut desk, "behind a log that grows");
        if head == 120 {
            desk.act(Action::Do(Command::Follow, None));
        }
    }
    // As many events, and other ones.
    desk.store.replace(ISSUE, all.replace("AgentSpawned", "AgentFailed").as_bytes());
    desk.pump_until(|d| d.restarts == 1 && d.session.is_loaded() && d.head() == 128);
    check(&mut desk, "of another log");
    scrub(&mut desk, "of another log");
}
