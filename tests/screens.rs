//! Whole screens, as they look at the sizes that matter.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use chronoscope::session::user_state::UserState;
use chronoscope::tui::action::Action;
use chronoscope::tui::theme::Theme;

use crate::tui_support::{Desk, sample};

fn desk(size: (u16, u16)) -> Desk {
    let mut desk = Desk::new(&sample(128), size);
    desk.press("1 0 3 G");
    desk
}

fn path(text: &str) -> chronoscope::model::Path {
    chronoscope::model::Path::parse(text).unwrap()
}

#[test]
fn the_debugger_at_every_size() {
    for size in [(200, 50), (120, 40), (80, 24), (60, 20), (40, 12)] {
        let desk = desk(size);
        insta::assert_snapshot!(format!("debugger-{}x{}", size.0, size.1), desk.screen());
    }
}

#[test]
fn below_the_smallest_size_it_says_so() {
    insta::assert_snapshot!(desk((39, 12)).screen(), @"
    chronoscope needs more room
    40×12 at least, this is 39×12
    ");
}

#[test]
fn plain_signs() {
    let mut desk = desk((100, 30));
    desk.app.theme = Theme::built_in("none").with_ascii(true);
    let screen = desk.screen();
    insta::assert_snapshot!(screen);
    for keys in ["", "?", "? G", ":", "y", "/ a", "v tab tab tab", "d h h", "m", "space", "G { g"] {
        for size in [(200, 50), (100, 30), (50, 14), (20, 4)] {
            desk.act(Action::Resize(size.0, size.1));
            desk.press(keys);
            let screen = desk.screen();
            assert!(screen.is_ascii(), "{keys}: {screen}");
            desk.press("esc esc");
        }
    }
}

#[test]
fn details_with_causes_and_effects() {
    let mut desk = desk((200, 50));
    desk.press("9 7 G v");
    insta::assert_snapshot!(desk.screen());
}

#[test]
fn each_pane_alone() {
    for (name, keys) in
        [("state", "tab z"), ("diff", "tab tab z"), ("event", "v z"), ("timeline", "shift-tab z")]
    {
        let mut desk = desk((80, 24));
        desk.press(keys);
        insta::assert_snapshot!(format!("zoomed-{name}"), desk.screen());
    }
}

#[test]
fn the_diff_over_a_range() {
    let mut desk = desk((120, 40));
    desk.press("9 0 G d 1 0 3 G tab tab z");
    insta::assert_snapshot!("diff-range", desk.screen());
    desk.press("s");
    insta::assert_snapshot!("diff-unified", desk.screen());
}

#[test]
fn windows_over_the_panes() {
    for (name, keys, text) in [
        ("help", "?", ""),
        ("palette", ":", "fail"),
        ("palette-moment", ":", "AgentFailed"),
        ("yank", "y", ""),
        ("search", "/", "oauth"),
        ("mark", "m", ""),
    ] {
        let mut desk = desk((100, 30));
        desk.press(keys).type_text(text);
        insta::assert_snapshot!(format!("window-{name}"), desk.screen());
    }
}

#[test]
fn anomalies_and_an_unreadable_line() {
    let log = format!("{}not json at all\n{{\"event_type\":\"Odd\",\"x\":1}}\n", sample(6));
    let mut desk = Desk::new(&log, (100, 30));
    insta::assert_snapshot!("anomalies-behind", desk.screen());
    desk.press("!");
    insta::assert_snapshot!("anomalies", desk.screen());
}

#[test]
fn marks_pins_base_and_a_ghost_head() {
    let user = UserState {
        marks: [("a".to_owned(), 60), ("b".to_owned(), 103)].into(),
        playhead: Some(103),
        base: Some(97),
        pins: vec!["/agents/oauth-integrator/status".into(), "/no/such/path".into()],
        ..UserState::default()
    };
    let mut desk = Desk::with(&sample(110), (140, 40), user, |_| {});
    let rest = sample(128)[sample(110).len()..].to_owned();
    desk.append(&rest, 128);
    desk.press("tab").act(Action::Reveal(path("/agents/oauth-integrator/failure_reason")));
    insta::assert_snapshot!(desk.screen());
}

#[test]
fn before_the_first_event_and_an_empty_log() {
    let mut desk = desk((120, 30));
    desk.press("g g v");
    insta::assert_snapshot!("position-0", desk.screen());
    insta::assert_snapshot!("empty-log", Desk::new("", (120, 30)).screen());
}

/// The last sign of the agent's name begins left of the windows' edge and reaches into it.
#[test]
fn a_wide_sign_at_the_edge_of_a_window_does_not_hide_the_edge() {
    let log = sample(110).replace("architect", "tester-🚀").replace("codebase-mapper", "tester-🚒");
    for keys in ["g b", "?"] {
        let mut desk = Desk::new(&log, (120, 40));
        desk.press("b").type_text(".event_type == \"ToolFailed\"").press("enter").work();
        let before = desk.screen();
        assert!(before.lines().nth(4).unwrap().starts_with("│ tester-🚀"), "{before}");
        desk.press(keys);
        let screen = desk.screen();
        let edge: Vec<char> =
            screen.lines().map(|line| line.chars().nth(10).unwrap_or(' ')).collect();
        let from = edge.iter().position(|sign| *sign == '┌').unwrap();
        let to = edge.iter().position(|sign| *sign == '└').unwrap();
        assert!(from < to && to >= 4, "{screen}");
        assert!(edge[from + 1..to].iter().all(|sign| *sign == '│'), "{screen}");
    }
}
