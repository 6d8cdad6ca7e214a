//! Views as one line, and values as assertions: keys in, a command out, and the same picture again.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;

use chronoscope::config::Rule;
use chronoscope::error::ErrorKind;
use chronoscope::model::Path;
use chronoscope::model::catalogue::with_rules;
use chronoscope::session::Session;
use chronoscope::session::user_state::UserState;
use chronoscope::tui::action::Action;
use chronoscope::tui::app::Start;
use chronoscope::tui::effect::Effect;
use chronoscope::tui::layout::Pane;
use chronoscope::tui::share::View;
use proptest::prelude::*;

use crate::tui_support::{Desk, ISSUE, sample};

fn path(text: &str) -> Path {
    Path::parse(text).unwrap()
}

fn copied(desk: &Desk) -> String {
    match desk.effects.last() {
        Some(Effect::Copy(text)) => text.clone(),
        other => panic!("{other:?}"),
    }
}

/// Another screen, opened with a view.
fn open(view: &View, size: (u16, u16), user: UserState) -> Desk {
    let start = Start { view: Some(view.clone()), ..Start::default() };
    let mut desk = Desk::with(&sample(128), size, user, |app| app.start = start);
    desk.work();
    desk
}

/// All that is seen but the list of events, which stands where it was scrolled to.
fn picture(desk: &mut Desk) -> String {
    desk.app.notice = None;
    let list = desk.debugger().layout.pane(Pane::Events).unwrap();
    let screen = desk.screen();
    let lines = screen.lines().zip(0..).map(|(line, row)| {
        let skip = if row < list.y { 0 } else { list.right() };
        line.chars().skip(skip.into()).collect::<String>()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Rules of the settings say what caused what, and so what is seen of a view.
#[test]
fn the_settings_go_with_a_view_that_has_rules_of_theirs() {
    let mut desk = Desk::new(&sample(20), (120, 40));
    desk.app.config = Some("/my settings.yaml".into());
    desk.press("y v");
    assert!(!copied(&desk).contains("--config"), "{}", copied(&desk));
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let rule = Rule {
        name: "own".to_owned(),
        sources: words(&["ToolInvoked"]),
        targets: words(&["ToolCompleted"]),
        key: "metadata.tool_use_id".to_owned(),
    };
    let store = Arc::new(desk.store.clone());
    let session = Session::open(store, ISSUE, || {}).unwrap().with_links(with_rules(&[rule]));
    desk.act(Action::Opened(Box::new(session)));
    desk.press("y v");
    let command = copied(&desk);
    assert!(command.starts_with("chronoscope PROJ-123 --config '/my settings.yaml' --view "));
}

#[test]
fn a_view_is_copied_and_opens_the_same_picture() {
    for size in [(160, 50), (80, 24)] {
        let mut desk = Desk::new(&sample(128), size);
        desk.app.store = Some("/my store".into());
        desk.press("9 7 G d 1 0 3 G t shift-tab i i tab tab");
        desk.act(Action::Reveal(path("/agents/oauth-integrator/status")));
        desk.press("p v tab s # F").type_text("tool !edit").press("enter").work();
        desk.press("y v");
        let command = copied(&desk);
        let (head, text) = command.split_once(" --view ").unwrap();
        assert_eq!(head, "chronoscope PROJ-123 --store '/my store'");
        assert!(text.starts_with("v1:at=103:base=97:pane=diff"), "{text}");
        let view = View::parse(text).unwrap();
        let mut other = open(&view, size, UserState::default());
        assert_eq!(other.debugger().view(), view);
        assert_eq!(picture(&mut other), picture(&mut desk));
    }
}

#[test]
fn a_what_if_goes_along() {
    let mut desk = Desk::new(&sample(128), (160, 50));
    desk.press("9 6 G x").work();
    desk.press("y v");
    let command = copied(&desk);
    let view = View::parse(command.split_once(" --view ").unwrap().1).unwrap();
    let mut other = open(&view, (160, 50), UserState::default());
    assert_eq!(other.debugger().view(), view);
    assert_eq!(other.debugger().whatif.as_ref().unwrap().branch().edits.len(), 1);
    assert_eq!(picture(&mut other), picture(&mut desk));
    // By its name alone it is loaded, and it does not take the place of the user's own.
    let branch = desk.debugger().whatif.as_ref().unwrap().branch().clone();
    let mut own = chronoscope::timeline::branch::Branch::new(2);
    own.toggle_skip(3, "x").unwrap();
    let own = UserState { branch: Some(own), ..UserState::default() };
    let named = View { branch: Some("b".into()), ..View::new(5) };
    let mut other = open(&named, (160, 50), own.clone());
    assert_eq!(other.effects, [Effect::LoadBranch(ISSUE.into(), "b".into())]);
    other.act(Action::Branch("b".into(), Box::new(branch)));
    other.work();
    assert_eq!(other.debugger().view().branch.as_deref(), Some("b"));
    assert_eq!(other.debugger().user_state().branch, own.branch);
}

#[test]
fn what_the_user_had_set_is_there_again() {
    let user = UserState {
        playhead: Some(20),
        base: Some(3),
        pins: vec!["/git".into()],
        marks: [("a".to_owned(), 7)].into(),
        ..UserState::default()
    };
    let view = View { base: Some(97), pins: vec![path("/agents")], ..View::new(103) };
    let mut desk = open(&view, (160, 50), user.clone());
    assert_eq!((desk.playhead(), desk.debugger().base()), (103, 97));
    assert_eq!(desk.debugger().user_state(), user);
    // What is changed from there on is meant.
    desk.press("l m b").press("d");
    let kept = desk.debugger().user_state();
    assert_eq!((kept.playhead, kept.base, kept.pins), (Some(104), Some(104), user.pins));
    assert_eq!(kept.marks.len(), 2);
}

#[test]
fn what_the_log_does_not_have_is_refused() {
    let desk = open(&View::new(129), (160, 50), UserState::default());
    assert_eq!(desk.effects.last(), Some(&Effect::Quit));
    assert_eq!(desk.app.refused.as_ref().unwrap().kind(), ErrorKind::NotFound);
}

#[test]
fn the_selected_value_becomes_an_assertion() {
    let mut desk = Desk::new(&sample(128), (160, 50));
    desk.press("1 0 3 G tab").act(Action::Reveal(path("/agents/oauth-integrator/status")));
    desk.press("y a");
    let status = desk.debugger().state.value().unwrap().to_json();
    assert_eq!(
        copied(&desk),
        format!(
            "chronoscope state PROJ-123 --at 103 --assert \
             '$state.agents[\"oauth-integrator\"].status == {status}'"
        )
    );
    desk.press("y y");
    assert_eq!(format!("\"{}\"", copied(&desk)), status);
    desk.press("y p");
    assert_eq!(copied(&desk), "/agents/oauth-integrator/status");
    desk.press(":").type_text("copy as").press("enter");
    assert!(copied(&desk).contains("--assert"), "{}", copied(&desk));
}

#[test]
fn what_can_be_copied_is_listed() {
    for size in [(160, 50), (80, 24)] {
        let mut desk = Desk::new(&sample(128), size);
        desk.press("1 0 3 G y");
        insta::assert_snapshot!(format!("copy-{}x{}", size.0, size.1), desk.screen());
    }
}

/// Keys that change what is seen.
const KEYS: &[&str] = &[
    "l",
    "h",
    "L",
    "H",
    "}",
    "{",
    ")",
    "(",
    "d",
    "t",
    "z",
    "v",
    "tab",
    "shift-tab",
    "j",
    "k",
    "i",
    "o",
    "0",
    "ctrl-left",
    "ctrl-right",
    "p",
    "w",
    "W",
    "*",
    "-",
    "enter",
    "s",
    "#",
    "pagedown",
    "g g",
    "G",
    "[",
    "]",
    "6 0 G",
    "x",
    "u",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_is_shown_is_shown_again(
        keys in proptest::collection::vec(0..KEYS.len(), 0..40),
        wide in any::<bool>(),
    ) {
        let size = if wide { (160, 50) } else { (80, 24) };
        let mut desk = Desk::new(&sample(128), size);
        desk.press("8 0 G");
        for key in keys {
            desk.press(KEYS[key]).work();
            // (A value as a whole is looked at, and left.)
            desk.press("esc");
        }
        let view = desk.debugger().view();
        let text = view.to_string();
        prop_assert_eq!(&View::parse(&text).unwrap(), &view);
        let other = open(&view, size, UserState::default());
        prop_assert_eq!(other.debugger().view().to_string(), text);
    }
}
