//! Comparing two runs on the screen: asking with what, waiting, walking the differences.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use chronoscope::error::Error;
use chronoscope::session::Session;
use chronoscope::session::compare::{Side, compare_in_rows};
use chronoscope::tui::action::Action;
use chronoscope::tui::app::Mode;
use chronoscope::tui::comparison::{Comparing, Comparison};
use chronoscope::tui::effect::Effect;
use chronoscope::tui::pick::Candidate;
use chronoscope::tui::theme::Theme;

use crate::tui_support::{Desk, ISSUE, sample};

/// Another run of the sample: two events are missing, one agent ends otherwise, one event is new.
fn other() -> String {
    let lines = sample(128);
    let changed = lines.lines().enumerate().filter(|(at, _)| !matches!(at, 50 | 51));
    let mut text: String =
        changed.map(|(_, line)| line.replace("PROJ-123", "OPS-7") + "\n").collect();
    text = text.replace("\"AgentFailed\"", "\"AgentCancelled\"");
    text.push_str(
        r#"{"event_type":"AgentProgressed","issue_key":"OPS-7","metadata":{"agent_name":"z"}}"#,
    );
    text + "\n"
}

fn asked(desk: &Desk) -> Comparing {
    match desk.effects.last() {
        Some(Effect::Compare(comparing)) => comparing.clone(),
        other => panic!("{other:?}"),
    }
}

/// What the outside does when it is asked to compare.
fn answer(desk: &mut Desk) {
    let comparing = asked(desk);
    let open = |text: &String| {
        let session = |issue: &str| Session::read(&desk.store, issue);
        Side::open(text, session, |_, _| Err(Error::not_found("no branch")))
    };
    let sides: Result<Vec<Side>, Error> = comparing.names.iter().map(open).collect();
    let result = sides.and_then(|sides| {
        let [mut a, mut b] = <[Side; 2]>::try_from(sides).unwrap();
        let found = compare_in_rows(&mut a, &mut b, &comparing.progress, None)?;
        Ok(Box::new(Comparison::new(comparing.names.clone(), [a, b], found)))
    });
    desk.act(Action::Compared(comparing, result));
}

fn candidate(text: &str, note: &str) -> Candidate {
    Candidate { text: text.into(), note: note.into() }
}

/// A screen that has asked for a comparison with the other run.
fn desk(size: (u16, u16)) -> Desk {
    let mut desk = Desk::new(&sample(128), size);
    desk.store.push_raw("OPS-7", other().as_bytes());
    desk.press("g c");
    assert_eq!(desk.effects.last(), Some(&Effect::ListSides(ISSUE.into())));
    desk.act(Action::Sides(vec![
        candidate("PROJ-123@shorter", "what-if"),
        candidate("OPS-7", "issue, 91.3 KiB"),
        candidate("PROJ-9", "issue, 3.1 KiB"),
    ]));
    desk
}

fn here(desk: &Desk) -> (usize, Option<u32>) {
    let comparison = desk.debugger().comparison.as_ref().unwrap();
    (comparison.cursor, comparison.position_in(ISSUE))
}

#[test]
fn the_other_side_is_found_by_its_letters_and_differences_are_walked() {
    for size in [(160, 50), (80, 24)] {
        let name = |what: &str| format!("{what}-{}x{}", size.0, size.1);
        let mut desk = desk(size);
        desk.type_text("o7");
        insta::assert_snapshot!(name("compare-pick"), desk.screen());
        desk.press("enter");
        assert_eq!(asked(&desk).names, [ISSUE.to_owned(), "OPS-7".to_owned()]);
        assert!(desk.screen().contains("comparing 0 %, esc stops"), "{}", desk.screen());
        answer(&mut desk);
        assert!(matches!(desk.app.mode, Mode::Comparison));
        insta::assert_snapshot!(name("compare"), desk.screen());
        assert_eq!(here(&desk), (50, Some(51)), "the first difference is selected");
        desk.press("n");
        let second = here(&desk);
        assert_eq!(second.1, Some(103));
        desk.press("n n n");
        assert_eq!(here(&desk).1, None, "only the other has that");
        assert_eq!(desk.told(), "no further difference that way");
        desk.press("enter");
        assert_eq!(desk.told(), "PROJ-123 does not have that event");
        desk.press("N N");
        assert_eq!(here(&desk), (50, Some(51)));
        desk.press("j j k enter");
        assert!(matches!(desk.app.mode, Mode::Normal));
        assert_eq!(desk.playhead(), 52);
        // It is still there, where it was left.
        desk.press("g c enter");
        assert_eq!((here(&desk).0, desk.told()), (51, ""));
        desk.app.theme = Theme::built_in("none").with_ascii(true);
        assert!(desk.screen().is_ascii(), "{}", desk.screen());
        desk.press("q");
        assert!(matches!(desk.app.mode, Mode::Normal));
        assert_eq!(desk.playhead(), 52);
    }
}

#[test]
fn it_fits_the_smallest_screen() {
    let mut desk = desk((40, 12));
    insta::assert_snapshot!("compare-pick-40x12", desk.screen());
    desk.type_text("ops").press("enter");
    answer(&mut desk);
    insta::assert_snapshot!("compare-40x12", desk.screen());
}

#[test]
fn two_runs_that_are_the_same_say_so() {
    let mut desk = Desk::new(&sample(20), (100, 30));
    desk.press("g c").type_text("PROJ-123 PROJ-123").press("enter");
    answer(&mut desk);
    assert!(desk.screen().contains("what came of it, is the same"), "{}", desk.screen());
    desk.press("n");
    assert_eq!(desk.told(), "no further difference that way");
}

#[test]
fn esc_stops_it_and_what_comes_late_is_dropped() {
    let mut desk = desk((100, 30));
    desk.type_text("OPS-7").press("enter");
    assert!(desk.app.patience().is_some(), "how far it is, is drawn");
    desk.press("l").press("esc");
    assert_eq!(desk.told(), "the comparison was stopped");
    assert!(desk.debugger().comparing.is_none());
    let before = desk.effects.len();
    answer(&mut desk);
    assert!(desk.debugger().comparison.is_none() && matches!(desk.app.mode, Mode::Normal));
    assert_eq!(desk.effects.len(), before);
}

#[test]
fn who_looks_at_something_else_is_told() {
    let mut desk = desk((100, 30));
    desk.type_text("OPS-7").press("enter ?");
    answer(&mut desk);
    assert!(matches!(desk.app.mode, Mode::Help(_)));
    assert_eq!(desk.told(), "the comparison is there: g c shows it");
}

#[test]
fn what_there_is_not_is_a_fault() {
    let mut desk = desk((100, 30));
    desk.type_text("NOPE-1").press("enter");
    answer(&mut desk);
    assert!(desk.told().contains("NOPE-1"), "{}", desk.told());
    assert!(desk.debugger().comparing.is_none());
    desk.press("g c").type_text("a b c").press("enter");
    assert_eq!(desk.told(), "give one side to compare with, or two");
}
