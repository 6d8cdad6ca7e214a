//! The filter of the events: keys in, state out, and what it looks like.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use chronoscope::session::user_state::UserState;
use chronoscope::tui::action::Action;
use chronoscope::tui::app::Mode;
use chronoscope::tui::effect::Effect;
use chronoscope::tui::theme::Theme;

use crate::tui_support::{Desk, sample};

const FAILED: &str = ".event_type == \"ToolFailed\"";

/// The positions of the sample's first events of a type.
fn of_type(name: &str, count: usize) -> Vec<u32> {
    let lines = sample(count);
    let lines = lines.lines().enumerate();
    let found = lines.filter(|(_, line)| line.contains(&format!("\"event_type\":\"{name}\"")));
    found.map(|(at, _)| u32::try_from(at + 1).unwrap()).collect()
}

fn kept(desk: &Desk) -> Option<String> {
    let last = desk.effects.iter().rev().find_map(|effect| match effect {
        Effect::Save(_, user) => Some(user.filter.clone()),
        _ => None,
    });
    last.flatten()
}

/// A screen with a filter, all of whose hits are known.
fn desk(size: (u16, u16), filter: &str) -> Desk {
    let mut desk = Desk::new(&sample(128), size);
    desk.press("F").type_text(filter).press("enter").work();
    assert!(matches!(desk.app.mode, Mode::Normal), "{:?}", desk.app.mode);
    desk
}

#[test]
fn only_what_fits_is_shown_and_stepped_through() {
    for size in [(160, 50), (80, 24), (40, 12)] {
        let failed = of_type("ToolFailed", 128);
        let mut desk = desk(size, FAILED);
        assert_eq!(kept(&desk).as_deref(), Some(FAILED));
        for position in failed.iter().rev() {
            desk.press("h");
            assert_eq!(desk.playhead(), *position);
        }
        desk.press("k");
        assert_eq!(
            (desk.playhead(), desk.told()),
            (failed[0], "no event before #18 fits the filter")
        );
        desk.press("2 j");
        assert_eq!(desk.playhead(), failed[2]);
        desk.press("L");
        assert_eq!(desk.playhead(), *failed.last().unwrap(), "as far as there are some");
        let name = format!("filter-{}x{}", size.0, size.1);
        insta::assert_snapshot!(name, desk.screen());
        desk.app.theme = Theme::built_in("none").with_ascii(true);
        assert!(desk.screen().is_ascii(), "{}", desk.screen());
    }
}

#[test]
fn where_we_stand_is_always_a_row() {
    let mut desk = desk((160, 50), FAILED);
    desk.press("1 0 0 G");
    assert_eq!(desk.playhead(), 100);
    let screen = desk.screen();
    assert!(screen.contains("100 11:46:06"), "{screen}");
    assert!(!screen.contains(" 99 11:45:57"), "{screen}");
    desk.press("l");
    assert_eq!(desk.playhead(), 101);
    desk.press("g g l");
    assert_eq!(desk.playhead(), 18);
    // A click goes to the row that is seen.
    let row = desk.screen().lines().position(|line| line.contains("113 11:52:03")).unwrap();
    desk.click(10, u16::try_from(row).unwrap());
    assert_eq!(desk.playhead(), 113);
}

#[test]
fn it_is_changed_taken_off_and_there_again() {
    let mut desk = desk((160, 50), "toolfailed");
    let failed = of_type("ToolFailed", 128).len();
    assert!(desk.screen().contains(&format!("{failed} of 128 toolfailed")), "{}", desk.screen());
    desk.press("F");
    insta::assert_snapshot!("filter-ask-160x50", desk.screen());
    desk.type_text(" !OAuth").press("enter").work();
    assert_eq!(kept(&desk).as_deref(), Some("toolfailed !OAuth"));
    let without =
        |line: &&str| line.contains("ToolFailed") && !line.to_lowercase().contains("oauth");
    let fewer = sample(128).lines().filter(without).count();
    assert!(0 < fewer && fewer < failed, "{fewer} {failed}");
    assert_eq!(desk.debugger().filter.as_ref().unwrap().fitting().len(), fewer);
    let user = desk.debugger().user_state();
    let mut again = Desk::with(&sample(128), (160, 50), user, |_| {});
    again.work();
    assert_eq!(again.debugger().filter.as_ref().unwrap().fitting().len(), fewer);
    desk.press("F ctrl-u backspace enter");
    assert_eq!((kept(&desk), desk.told()), (None, "all events are shown again"));
    assert!(desk.debugger().filter.is_none());
    desk.press("g g l");
    assert_eq!(desk.playhead(), 1);
}

#[test]
fn faults_stay_under_the_field_or_are_counted() {
    let mut desk = Desk::new(&sample(128), (80, 24));
    desk.press("F").type_text(".event_typ == ").press("enter");
    assert!(matches!(&desk.app.mode, Mode::Ask(ask) if ask.fault.is_some()));
    insta::assert_snapshot!("filter-fault-80x24", desk.screen());
    desk.press("ctrl-u").type_text(".event_type | keys").press("enter").work();
    assert!(desk.told().starts_with("128 could not be judged, first #"), "{}", desk.told());
    assert!(desk.screen().contains("0 of 128 128 unjudged"), "{}", desk.screen());
    desk.press("F ctrl-u").type_text("nowhere-at-all").press("enter").work();
    assert_eq!(desk.told(), "no event fits the filter nowhere-at-all");
}

#[test]
fn what_comes_is_judged_as_it_comes() {
    let user = UserState { filter: Some("toolinvoked".into()), ..UserState::default() };
    let mut desk = Desk::with(&sample(100), (160, 50), user, |_| {});
    desk.work();
    let before = of_type("ToolInvoked", 100).len();
    assert_eq!(desk.debugger().filter.as_ref().unwrap().fitting().len(), before);
    let rest = sample(128)[sample(100).len()..].to_owned();
    desk.append(&rest, 128);
    desk.work();
    let all = of_type("ToolInvoked", 128);
    let filter = desk.debugger().filter.as_ref().unwrap();
    assert_eq!(filter.fitting().len(), all.len());
    assert_eq!(filter.count(128), format!("{} of 128", all.len()));
}

#[test]
fn a_step_into_what_is_not_known_waits_and_a_key_lets_go_of_it() {
    let mut lines: String = sample(2).lines().next().unwrap().to_owned() + "\n";
    lines = lines.repeat(60_000);
    let mut desk = Desk::new(&lines, (160, 50));
    desk.press("F").type_text("[.. | strings?] | any(contains(\"nowhere\"))").press("enter");
    assert!(desk.debugger().filter_has_work());
    assert!(desk.screen().contains(" % "), "{}", desk.screen());
    desk.press("h");
    assert_eq!(desk.told(), "looking for what fits before #60000");
    assert!(desk.debugger().filter.as_ref().unwrap().is_waiting());
    desk.press("t");
    assert!(!desk.debugger().filter.as_ref().unwrap().is_waiting());
    // It goes on in pieces, and not until the end at once.
    desk.act(Action::Work);
    assert!(desk.debugger().filter_has_work());
    desk.press("F ctrl-u enter");
    assert!(!desk.app.is_busy());
}
