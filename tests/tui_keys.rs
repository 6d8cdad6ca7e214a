//! Keys in, state out: what every command of the screen does, on the sample history.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use chronoscope::model::Moment;
use chronoscope::session::browse::{BrowseNews, IssueCard};
use chronoscope::tui::action::{Action, Command};
use chronoscope::tui::app::{Mode, Start};
use chronoscope::tui::browser::Browser;
use chronoscope::tui::debugger::Follow;
use chronoscope::tui::effect::Effect;
use chronoscope::tui::keymap::Keymap;
use chronoscope::tui::layout::Pane;
use crossterm::event::{MouseButton, MouseEventKind};
use std::time::Duration;

use crate::tui_support::{Desk, ISSUE, sample};

const SIZE: (u16, u16) = (160, 45);

fn desk() -> Desk {
    Desk::new(&sample(128), SIZE)
}

#[test]
fn keys_move_the_playhead() {
    for (keys, expected) in [
        ("", 128),
        ("h", 127),
        ("left left right", 127),
        ("H", 118),
        ("5 h", 123),
        ("1 0 h", 118),
        ("2 H L", 118),
        ("g g", 0),
        ("home l l", 2),
        ("5 7 G", 57),
        ("5 7 g g", 57),
        ("9 9 9 G", 128),
        ("g g G", 128),
        ("g g }", 6),
        ("g g 2 }", 37),
        ("5 0 G {", 37),
        ("5 0 G { {", 6),
        ("5 0 G )", 54),
        ("1 1 0 G (", 103),
        ("1 1 0 G 2 (", 102),
        ("9 G >", 10),
        ("1 0 G <", 9),
        ("7 G ;", 8),
        ("8 G ,", 7),
        ("1 0 G backspace", 9),
        ("5 7 G m a g g ' a", 57),
        ("5 7 G 2 0 G ctrl-o", 57),
        ("5 7 G 2 0 G alt-left alt-right", 20),
        ("5 7 G 2 0 G ' '", 57),
        ("5 0 G j j k", 51),
        ("5 0 G pagedown pageup", 50),
    ] {
        let mut desk = desk();
        desk.press(keys);
        assert_eq!(desk.playhead(), expected, "{keys}");
    }
}

/// A screen on a list of issues, P-0 first.
fn list(issues: i64) -> Desk {
    let mut desk = Desk::new("", SIZE);
    desk.app.debugger = None;
    let now = desk.app.clock.now();
    desk.app.browser = Some(Browser::new(now));
    let card = |n: i64| IssueCard {
        issue_key: format!("P-{n}"),
        last: Some(now.plus_millis(-60_000 * (n + 1))),
        ..IssueCard::default()
    };
    desk.act(Action::Browse(BrowseNews::Cards((0..issues).map(card).collect())));
    desk.act(Action::Browse(BrowseNews::Complete));
    desk
}

#[test]
fn keys_move_in_the_list_of_issues() {
    for (keys, expected) in [
        ("", "P-0"),
        ("j j k", "P-1"),
        ("G", "P-99"),
        ("end", "P-99"),
        ("G g g", "P-0"),
        ("G home", "P-0"),
        ("1 2 G", "P-11"),
        ("3 down", "P-3"),
        ("pagedown", "P-39"),
        ("ctrl-d ctrl-d ctrl-u", "P-19"),
        ("/ down ctrl-n ctrl-p tab j", "P-2"),
        ("/ pagedown", "P-39"),
        ("/ 7 7 esc j", "P-1"),
        ("/ 7 7 left backspace delete ctrl-h ctrl-h j j", "P-2"),
    ] {
        let mut desk = list(100);
        desk.press(keys);
        let browser = desk.app.browser.as_ref().unwrap();
        assert_eq!(browser.selected(), Some(expected), "{keys}");
    }
    let mut desk = list(100);
    desk.press("/ 7 7 enter");
    assert_eq!(desk.effects, [Effect::Open("P-77".into())]);
    for keys in ["/ ctrl-c", "m ctrl-c", ": ctrl-c"] {
        let mut desk = Desk::new(&sample(9), SIZE);
        desk.press(keys);
        assert_eq!(desk.effects.last(), Some(&Effect::Quit), "{keys}");
    }
}

#[test]
fn keys_of_text_fields_are_those_of_the_keymap() {
    let mut desk = desk();
    let (keymap, faults) = Keymap::read("accept = \"ctrl-j\"\ncursor-start = []\n", "k");
    assert!(faults.is_empty(), "{faults:?}");
    desk.app.keymap = keymap;
    desk.press(": 5 home 7 enter");
    assert!(matches!(&desk.app.mode, Mode::Palette(palette) if palette.input.text() == "57"));
    desk.press("ctrl-j");
    assert_eq!(desk.playhead(), 57);
    desk.press("? G");
    assert!(desk.screen().contains("ctrl-j  "), "{}", desk.screen());
}

#[test]
fn what_leads_nowhere_is_told_and_moves_nothing() {
    for (keys, told) in [
        ("}", "no further phase"),
        (")", "no further failure"),
        ("g g {", "no phase before"),
        ("g g <", "no event of this actor before"),
        ("ctrl-o", "no jump before"),
        ("' x", "there is no mark x"),
        ("m -", "marks are letters and digits"),
        ("n", "nothing was searched for yet: / starts"),
        ("Q", "Q does nothing here; ? tells what the keys do"),
    ] {
        let mut desk = desk();
        desk.press(keys);
        assert_eq!(desk.told(), told, "{keys}");
    }
}

#[test]
fn a_step_back_pauses_and_the_end_follows_again() {
    let mut desk = desk();
    assert_eq!(desk.debugger().follow, Follow::Live);
    desk.press("h");
    assert_eq!(desk.debugger().follow, Follow::Paused(128));
    desk.press("l");
    assert_eq!((desk.playhead(), desk.debugger().follow), (128, Follow::Paused(128)));
    for (keys, back) in [("f", "h"), ("end", "g g"), ("G", "{")] {
        desk.press(back).press(keys);
        assert_eq!((desk.playhead(), desk.debugger().follow), (128, Follow::Live), "{keys}");
    }
    desk.press("f");
    assert_eq!(desk.debugger().follow, Follow::Paused(128));
}

#[test]
fn new_events_move_a_following_screen_and_leave_a_ghost_otherwise() {
    let all = sample(140);
    let lines: Vec<&str> = all.lines().collect();
    let mut desk = desk();
    desk.append(&format!("{}\n", lines[128]), 129);
    assert_eq!(desk.playhead(), 129);
    desk.press("h h");
    desk.append(&format!("{}\n", lines[129..135].join("\n")), 135);
    assert_eq!((desk.playhead(), desk.debugger().come_since()), (127, 6));
    assert!(desk.screen().contains("+8"), "{}", desk.screen());
    desk.press("f");
    assert_eq!((desk.playhead(), desk.debugger().come_since()), (135, 0));
}

#[test]
fn a_replaced_log_is_read_anew() {
    let mut desk = desk();
    desk.press("5 0 G");
    desk.store.replace(ISSUE, sample(20).as_bytes());
    desk.pump_until(|d| d.restarts == 1 && d.session.is_loaded());
    assert!(desk.playhead() <= 20);
    assert!(desk.screen().contains("/20"), "{}", desk.screen());
}

#[test]
fn writers_of_the_selected_path_are_walked() {
    let mut desk = desk();
    desk.press("1 0 3 G").act(Action::Reveal(path("/agents/oauth-integrator/status")));
    assert_eq!(desk.selected(), "/agents/oauth-integrator/status");
    desk.press("[");
    let before = desk.playhead();
    assert!(before < 103);
    assert_eq!(desk.selected(), "/agents/oauth-integrator/status");
    desk.press("]");
    assert_eq!(desk.playhead(), 103);
    desk.press("g g").press("[");
    assert!(desk.told().starts_with("nothing wrote /agents/oauth-integrator/status"));
}

fn path(text: &str) -> chronoscope::model::Path {
    chronoscope::model::Path::parse(text).unwrap()
}

#[test]
fn the_base_of_the_diff_is_set_and_cleared() {
    let mut desk = desk();
    desk.press("5 0 G");
    assert_eq!(desk.debugger().base(), 49);
    desk.press("d 1 0 0 G");
    assert_eq!(desk.debugger().base(), 50);
    assert!(desk.screen().contains("50 → 100"), "{}", desk.screen());
    desk.press("d");
    assert_eq!(desk.debugger().base(), 100);
    desk.press("d");
    assert_eq!(desk.debugger().base(), 99);
}

#[test]
fn search_finds_forward_backward_and_round() {
    let mut desk = desk();
    desk.press("g g /").type_text("agentfailed").press("enter").work();
    assert_eq!(desk.playhead(), 103);
    desk.press("n").work();
    assert_eq!(desk.playhead(), 103);
    assert!(desk.told().contains("went round"), "{}", desk.told());
    desk.press("g g").type_text("/PhaseStarted").press("enter").work();
    assert_eq!(desk.playhead(), 6);
    desk.press("n").work();
    assert_eq!(desk.playhead(), 37);
    desk.press("N").work();
    assert_eq!(desk.playhead(), 6);
    desk.press("/").type_text("no such text").press("enter").work();
    assert_eq!(desk.told(), "/no such text: not found");
    assert_eq!(desk.playhead(), 6);
}

#[test]
fn a_running_search_is_stopped() {
    let mut desk = desk();
    desk.press("/").type_text("zzz").press("enter");
    assert!(desk.app.is_busy());
    desk.press("esc");
    assert!(!desk.app.is_busy());
    assert_eq!(desk.told(), "search stopped");
}

#[test]
fn search_in_the_state_finds_keys_and_values() {
    let mut desk = desk();
    desk.press("tab");
    assert_eq!(desk.debugger().focus, Pane::State);
    desk.press("/").type_text("oauth-integrator").press("enter").work();
    assert_eq!(desk.selected(), "/agents/architect/next_agents/2");
    let first = desk.selected();
    desk.press("n").work();
    assert_eq!(desk.selected(), "/agents/oauth-integrator");
    desk.press("N").work();
    assert_eq!(desk.selected(), first);
    assert_eq!(desk.playhead(), 128);
}

#[test]
fn what_the_event_changed_is_walked_in_the_state() {
    let mut desk = desk();
    desk.press("1 0 3 G tab w");
    assert_eq!(desk.selected(), "/agents/oauth-integrator/ended_at");
    desk.press("w");
    assert_eq!(desk.selected(), "/agents/oauth-integrator/failure");
    desk.press("W W");
    assert_eq!(desk.selected(), "/agents/oauth-integrator/status");
    desk.press("g g w");
    assert_eq!(desk.told(), "this event changed nothing that is there now");
}

#[test]
fn panes_take_the_keys_in_turn() {
    let mut desk = desk();
    use Pane::{Detail, Diff, Events, State, Timeline};
    let mut seen = vec![desk.debugger().focus];
    for _ in 0..4 {
        desk.press("tab");
        seen.push(desk.debugger().focus);
    }
    assert_eq!(seen, [Events, State, Diff, Timeline, Events]);
    desk.press("shift-tab");
    assert_eq!(desk.debugger().focus, Timeline);
    desk.press("tab enter");
    assert_eq!(desk.debugger().focus, Detail);
    desk.press("v");
    assert_eq!(desk.debugger().focus, Events);
    desk.press("z");
    assert_eq!(desk.debugger().layout.panes.len(), 1);
    desk.press("esc");
    assert_eq!(desk.debugger().layout.panes.len(), 4);
}

#[test]
fn the_tree_opens_closes_and_keeps_its_selection() {
    let mut desk = desk();
    desk.press("1 0 0 G tab").act(Action::Reveal(path("/agents/architect")));
    desk.press("enter");
    assert!(desk.screen().contains("architect"));
    let rows = desk.debugger().state.extent().0;
    desk.press("enter");
    assert!(desk.debugger().state.extent().0 < rows);
    assert_eq!(desk.selected(), "/agents/architect");
    desk.press("l l l");
    assert_eq!(desk.selected(), "/agents/architect");
    desk.press("-");
    assert_eq!(desk.selected(), "/agents");
    desk.press("ctrl-end ctrl-home");
    assert_eq!(desk.selected(), "/agents");
}

#[test]
fn pins_stay_on_top_and_can_be_taken_off() {
    let mut desk = desk();
    desk.press("tab").act(Action::Reveal(path("/orchestration/status")));
    desk.press("p");
    assert_eq!(desk.debugger().session.user.pins, ["/orchestration/status"]);
    assert_eq!(desk.debugger().state.pins.len(), 1);
    assert_eq!(desk.selected(), "/orchestration/status");
    desk.press("g g");
    assert!(desk.screen().contains("not there"), "{}", desk.screen());
    desk.press("k k k k k k k k k k k k k");
    assert!(desk.debugger().state.on_pin());
    desk.press("p");
    assert!(desk.debugger().session.user.pins.is_empty());
}

#[test]
fn a_value_is_shown_as_a_whole() {
    let mut desk = desk();
    desk.press("tab").act(Action::Reveal(path("/orchestration/summary")));
    desk.press("enter");
    assert!(matches!(&desk.app.mode, Mode::Value(v) if v.text() == "Add user authentication"));
    desk.press("q");
    assert!(matches!(desk.app.mode, Mode::Normal));
}

#[test]
fn details_lead_to_the_cause() {
    let mut desk = desk();
    desk.press("1 0 G v").press("tab tab tab");
    assert_eq!(desk.debugger().focus, Pane::Detail);
    for _ in 0..12 {
        if desk.debugger().detail.target() == Some(9) {
            break;
        }
        desk.press("j");
    }
    desk.press("enter");
    assert_eq!(desk.playhead(), 9);
    desk.press("ctrl-o");
    assert_eq!(desk.playhead(), 10);
}

#[test]
fn the_palette_finds_actions_and_moments() {
    for (text, expected) in [
        ("57", 57),
        ("AgentFailed", 103),
        ("PhaseStarted:2", 37),
        ("10:30:06", 2),
        ("start", 0),
        ("nxtfail", 54),
    ] {
        let mut desk = desk();
        desk.press("5 0 G :").type_text(text).press("enter");
        assert_eq!(desk.playhead(), expected, "{text}: {}", desk.told());
    }
    let mut desk = desk();
    desk.press(":").type_text("999").press("enter");
    assert_eq!(desk.told(), "position 999 is beyond the head, which is 128");
    desk.press(":").type_text("zoom").press("enter");
    assert!(desk.debugger().zoom);
    desk.press(":").press("esc");
    assert!(matches!(desk.app.mode, Mode::Normal));
}

#[test]
fn copying_asks_what_and_leaves_by_an_effect() {
    let mut desk = desk();
    desk.press("2 G tab").act(Action::Reveal(path("/sessions")));
    desk.press("y e");
    let Some(Effect::Copy(line)) = desk.effects.last() else { panic!("{:?}", desk.effects) };
    assert!(line.starts_with("{\"event_id\":\"f5b19f71"), "{line}");
    desk.press("y p");
    assert_eq!(desk.effects.last(), Some(&Effect::Copy("/sessions".into())));
    desk.press("y y");
    assert!(matches!(desk.effects.last(), Some(Effect::Copy(text)) if text.starts_with('{')));
    let copied = desk.effects.len();
    desk.press("y esc y x");
    assert_eq!(desk.effects.len(), copied);
}

#[test]
fn playing_moves_with_time_and_ends_at_the_head() {
    let mut desk = desk();
    desk.act(Action::Tick(Duration::from_secs(1)));
    desk.press("1 2 0 G space");
    assert!(desk.debugger().play.is_some());
    assert!(desk.app.patience().is_some());
    desk.act(Action::Tick(Duration::from_secs(2)));
    let after_a_second = desk.playhead();
    desk.press("+ + +");
    desk.act(Action::Tick(Duration::from_secs(60)));
    assert!(after_a_second < 128, "{after_a_second}");
    assert_eq!(desk.playhead(), 128);
    assert!(desk.debugger().play.is_none());
    assert!(desk.app.patience().is_none());
    desk.press("space");
    assert_eq!(desk.told(), "this is the end: go back a little to play");
}

#[test]
fn the_mouse_scrubs_selects_and_scrolls() {
    let mut desk = desk();
    let timeline = desk.debugger().layout.pane(Pane::Timeline).unwrap();
    desk.click(timeline.x + timeline.width / 2, timeline.y + 2);
    let middle = desk.playhead();
    assert!((5..125).contains(&middle), "{middle}");
    desk.mouse(MouseEventKind::Drag(MouseButton::Left), 0, 5);
    assert!(desk.playhead() <= 1, "{}", desk.playhead());
    desk.mouse(MouseEventKind::Up(MouseButton::Left), 0, 5);
    desk.mouse(MouseEventKind::Drag(MouseButton::Left), timeline.width - 3, 5);
    assert!(desk.playhead() <= 1);
    desk.press("ctrl-o");
    assert_eq!(desk.playhead(), 128);
    let events = desk.debugger().layout.pane(Pane::Events).unwrap();
    desk.click(events.x + 5, events.y + 1);
    let top = u32::try_from(desk.debugger().events.top).unwrap();
    assert!(desk.playhead() < 128 && desk.playhead() >= top);
    let before = desk.playhead();
    desk.mouse(MouseEventKind::ScrollDown, events.x + 5, events.y + 3);
    assert_eq!(desk.playhead(), before + 3);
    let state = desk.debugger().layout.pane(Pane::State).unwrap();
    desk.click(state.x + 5, state.y + 2);
    assert_eq!(desk.debugger().focus, Pane::State);
    assert!(!desk.selected().is_empty());
}

#[test]
fn what_the_user_set_is_kept_and_there_again() {
    let mut desk = desk();
    desk.press("5 7 G m a d q");
    let Some(Effect::Save(issue, user)) =
        desk.effects.iter().rev().find(|e| matches!(e, Effect::Save(..)))
    else {
        panic!("{:?}", desk.effects)
    };
    assert_eq!((issue.as_str(), user.playhead, user.base), (ISSUE, Some(57), Some(57)));
    assert_eq!(user.marks["a"], 57);
    assert_eq!(desk.effects.last(), Some(&Effect::Quit));
    let again = Desk::with(&sample(128), SIZE, user.clone(), |_| {});
    assert_eq!((again.playhead(), again.debugger().follow), (57, Follow::Paused(128)));
    let shorter = Desk::with(&sample(20), SIZE, user.clone(), |_| {});
    assert_eq!((shorter.playhead(), shorter.debugger().follow), (20, Follow::Live));
    let follow = |app: &mut chronoscope::tui::app::App| {
        app.start = Start { at: None, follow: true, ..Start::default() }
    };
    let following = Desk::with(&sample(128), SIZE, user.clone(), follow);
    assert_eq!((following.playhead(), following.debugger().follow), (128, Follow::Live));
    let at = |app: &mut chronoscope::tui::app::App| {
        app.start = Start { at: Some(Moment::parse("AgentFailed").unwrap()), ..Start::default() };
    };
    let there = Desk::with(&sample(128), SIZE, user.clone(), at);
    assert_eq!(there.playhead(), 103);
    let mut live = Desk::new(&sample(128), SIZE);
    live.press("ctrl-c");
    assert!(
        matches!(&live.effects[..], [Effect::Save(_, user), Effect::Quit] if user.playhead.is_none())
    );
}

#[test]
fn windows_take_the_keys_and_give_them_back() {
    let mut desk = desk();
    desk.press("?");
    assert!(matches!(desk.app.mode, Mode::Help(0)));
    desk.press("j j pagedown");
    assert!(matches!(desk.app.mode, Mode::Help(n) if n > 2));
    assert_eq!(desk.playhead(), 128);
    desk.press("q !");
    assert_eq!(desk.told(), "nothing is wrong with this log");
    let mut odd = Desk::new(&format!("garbage\n{}", sample(5)), SIZE);
    odd.press("!");
    assert!(matches!(odd.app.mode, Mode::Anomalies(0)));
    assert!(odd.screen().contains("not-json"), "{}", odd.screen());
    odd.press("enter");
    assert_eq!(odd.playhead(), 1);
}

#[test]
fn every_command_does_something_harmless_everywhere() {
    let logs = [String::new(), sample(1), sample(40), "garbage\n{\"a\":1}\n[]\n\n".to_owned()];
    for log in logs {
        for size in [(200, 50), (90, 20), (40, 12), (10, 3), (1, 1)] {
            let mut desk = Desk::new(&log, size);
            for focus in 0..5 {
                for spec in chronoscope::tui::action::COMMANDS {
                    for count in [None, Some(3)] {
                        desk.act(Action::Do(spec.command, count));
                        let _ = desk.screen();
                        desk.app.mode = Mode::Normal;
                        assert!(
                            desk.playhead() <= desk.debugger().head()
                                || desk.app.debugger.is_none()
                        );
                    }
                }
                desk.act(Action::Do(Command::NextPane, Some(focus)));
            }
        }
    }
}

#[test]
fn hostile_text_and_huge_lines_are_shown_harmlessly() {
    let evil = "\\u001b[31m\\u202e\\u0000\u{1f469}\u{200d}\u{1f469}日本語\\n\\t".repeat(50);
    let line = |at: usize, text: &str| {
        format!(
            "{{\"event_id\":\"e{at}\",\"event_type\":\"OrchestrationStarted\",\"event_version\":\"1.0.0\",\
             \"timestamp\":\"2026-01-01T00:00:0{at}.000Z\",\"event_sequence\":{at},\"issue_key\":\"PROJ-123\",\
             \"session_id\":\"s\",\"actor\":{{\"type\":\"system\",\"id\":\"{text}\"}},\"metadata\":{{\
             \"issue_summary\":\"{text}\",\"issue_type\":\"x\",\"priority\":\"p\",\"workflow_type\":\"w\",\
             \"initial_phase\":\"CODE\",\"{text}\":{{\"{text}\":\"{text}\"}}}}}}\n"
        )
    };
    let log = line(1, &evil) + &line(2, &"x".repeat(1_000_000));
    for size in [(200, 50), (80, 24), (41, 13)] {
        let mut desk = Desk::new(&log, size);
        for keys in ["g g", "l", "l", "v tab tab", "ctrl-end", "*", "/", "?", "q", "!"] {
            desk.press(keys);
            let screen = desk.screen();
            assert!(!screen.contains(['\u{1b}', '\u{202e}', '\0']), "{keys}");
        }
    }
}
