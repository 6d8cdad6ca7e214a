//! A terminal too small to show anything: nothing is confirmed, started or changed unseen.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use chronoscope::tui::action::Action;
use chronoscope::tui::app::Mode;
use chronoscope::tui::effect::Effect;

use crate::tui_replay::{execution, rehearsal, replay};
use crate::tui_support::{Desk, sample};

const LARGE: (u16, u16) = (120, 40);

fn resize(desk: &mut Desk, (columns, rows): (u16, u16)) {
    desk.act(Action::Resize(columns, rows));
}

/// Presses keys where nothing is seen, and looks whether anything is another.
fn check(desk: &mut Desk, keys: &str) {
    let (before, effects) = (desk.screen(), desk.effects.len());
    resize(desk, (39, 11));
    assert!(desk.screen().contains("needs more room"));
    desk.press(keys);
    desk.act(Action::Paste("text".to_owned()));
    desk.click(5, 5);
    assert_eq!(desk.effects.len(), effects, "{:?}", desk.effects.last());
    resize(desk, LARGE);
    assert_eq!(desk.screen(), before);
}

#[test]
fn nothing_is_confirmed_unseen() {
    let mut desk = rehearsal(LARGE, 165);
    desk.press("x");
    check(&mut desk, "y a s r x enter space j q");
    assert!(matches!(desk.app.mode, Mode::Confirm(_)));
    assert!(!replay(&desk).executes);
    // What is seen again is confirmed.
    desk.press("y");
    assert!(replay(&desk).is_executing());
}

#[test]
fn nothing_is_started_or_changed_unseen() {
    let all =
        "g p x y 5 h j k l { } d m a i e B u U b c C F t z v p enter tab space + / : ? ! n y v";
    for first in ["", "g p", "/", ":", "?", "b", "F", "m", "y", "B", "!"] {
        let mut desk = Desk::new(&sample(128), LARGE);
        desk.press("5 7 G").press(first);
        check(&mut desk, all);
    }
}

#[test]
fn keys_that_stop_and_leave_do_so_unseen() {
    let mut desk = rehearsal(LARGE, 165);
    desk.press("x");
    resize(&mut desk, (39, 11));
    desk.press("esc");
    assert!(matches!(desk.app.mode, Mode::Normal) && !replay(&desk).executes);
    desk.press("ctrl-z");
    assert_eq!(desk.effects.last(), Some(&Effect::Suspend));
    desk.press("q");
    assert_eq!(desk.effects.last(), Some(&Effect::Quit));

    let mut desk = execution(LARGE);
    resize(&mut desk, (39, 11));
    desk.press("esc");
    assert!(replay(&desk).stopping);
    desk.press("ctrl-c");
    assert!(replay(&desk).leaving);

    let mut desk = Desk::new(&sample(128), LARGE);
    desk.press("g g space");
    resize(&mut desk, (39, 11));
    desk.press("esc");
    assert!(desk.debugger().play.is_none());
}
