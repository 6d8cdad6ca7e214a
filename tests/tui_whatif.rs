//! What-if on the screen: keys in, state out, and what it looks like.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use chronoscope::session::user_state::UserState;
use chronoscope::timeline::branch::{Branch, Edit};
use chronoscope::tui::action::{Action, EditFor};
use chronoscope::tui::app::Mode;
use chronoscope::tui::effect::Effect;
use chronoscope::tui::signs::BranchMark;
use chronoscope::tui::theme::Theme;

use crate::tui_support::{Desk, ISSUE, sample};

const SIZE: (u16, u16) = (160, 50);
/// In the sample: a tool is invoked, fails and is told as an error by what follows.
const INVOKED: u32 = 96;

fn desk() -> Desk {
    Desk::new(&sample(128), SIZE)
}

fn edits(desk: &Desk) -> Vec<Edit> {
    desk.debugger().whatif.as_ref().map(|w| w.branch().edits.clone()).unwrap_or_default()
}

fn skipped(desk: &Desk) -> Vec<u32> {
    edits(desk).iter().map(Edit::position).collect()
}

fn go(desk: &mut Desk, position: u32) {
    let digits: Vec<String> = position.to_string().chars().map(String::from).collect();
    desk.press(&digits.join(" ")).press("G");
}

/// What the screen asks an editor for.
fn asked(desk: &Desk) -> (EditFor, String) {
    match desk.effects.last() {
        Some(Effect::Edit(purpose, text)) => (*purpose, text.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_event_is_skipped_taken_back_in_undone_and_done_again() {
    let mut desk = desk();
    go(&mut desk, INVOKED);
    desk.press("x").work();
    assert!(desk.told().contains("the log stays as it is"), "{}", desk.told());
    assert_eq!(skipped(&desk), [INVOKED]);
    let whatif = desk.debugger().whatif.as_ref().unwrap();
    assert_eq!(whatif.branch().base, INVOKED - 1);
    assert_eq!(whatif.marks().at(INVOKED), Some(BranchMark::Skipped));
    let orphans = whatif.marks().of(BranchMark::Orphaned).to_vec();
    assert!(!orphans.is_empty());
    desk.press("l");
    assert_eq!(
        desk.debugger().whatif.as_ref().unwrap().marks().at(INVOKED + 1),
        Some(BranchMark::Orphaned)
    );
    // An earlier one: the branch begins before it.
    go(&mut desk, 91);
    desk.press("x").work();
    assert_eq!(skipped(&desk), [INVOKED, 91]);
    assert_eq!(desk.debugger().whatif.as_ref().unwrap().branch().base, 90);
    desk.press("x");
    assert_eq!(skipped(&desk), [INVOKED]);
    desk.press("u");
    assert_eq!(skipped(&desk), [INVOKED, 91]);
    desk.press("u u u");
    assert_eq!((skipped(&desk), desk.told()), (vec![], "nothing to undo"));
    desk.press("U").work();
    assert_eq!((skipped(&desk), desk.told()), (vec![INVOKED], "done again"));
    assert_eq!(desk.debugger().whatif.as_ref().unwrap().marks().of(BranchMark::Orphaned), orphans);
}

#[test]
fn before_the_first_event_there_is_nothing_to_skip() {
    let mut desk = desk();
    desk.press("g g x");
    assert_eq!(desk.told(), "position 0 is before the first event");
    desk.press("e");
    assert_eq!(desk.told(), "position 0 is before the first event");
    desk.press("u");
    assert_eq!(desk.told(), "no what-if is on");
    assert!(desk.debugger().whatif.is_none());
}

#[test]
fn an_event_is_put_in_as_the_editor_gives_it() {
    let mut desk = desk();
    go(&mut desk, INVOKED);
    desk.press("i");
    let (purpose, text) = asked(&desk);
    assert_eq!(purpose, EditFor::Insert(INVOKED));
    assert!(text.contains("\"event_type\": \"ToolInvoked\""), "{text}");
    desk.act(Action::Edited(purpose, text.clone()));
    assert_eq!(desk.told(), "nothing was changed");
    desk.act(Action::Edited(purpose, "{\"event_type\":".into()));
    assert!(desk.told().contains("not JSON"), "{}", desk.told());
    desk.press("i");
    assert_eq!(asked(&desk), (purpose, "{\"event_type\":".to_owned()), "the draft is kept");
    desk.act(Action::Edited(purpose, "{\"metadata\":{}}".into()));
    assert!(desk.told().contains("has no event_type"), "{}", desk.told());
    assert!(edits(&desk).is_empty());
    let event = r#"{"event_type":"GapIdentified","metadata":{"gap_id":"g-9","severity":"high"}}"#;
    desk.act(Action::Edited(purpose, event.into()));
    desk.work();
    let whatif = desk.debugger().whatif.as_ref().unwrap();
    assert_eq!(whatif.marks().at(INVOKED), Some(BranchMark::Inserted));
    let paths: Vec<String> =
        desk.debugger().diff.entries.iter().map(|entry| entry.path.to_string()).collect();
    assert!(paths.iter().any(|path| path.starts_with("/gaps/g-9")), "{paths:?}");
    desk.press("v");
    assert!(desk.screen().contains("then: GapIdentified"), "{}", desk.screen());
}

#[test]
fn the_metadata_of_an_event_is_another() {
    let mut desk = desk();
    go(&mut desk, 103);
    desk.press("e");
    let (purpose, text) = asked(&desk);
    assert_eq!(purpose, EditFor::Metadata(103));
    let mut metadata: serde_json::Value = serde_json::from_str(&text).unwrap();
    metadata["failure_reason"] = "out of coffee".into();
    desk.act(Action::Edited(purpose, metadata.to_string()));
    desk.work();
    assert!(matches!(&edits(&desk)[..], [Edit::Replace { position: 103, .. }]));
    let whatif = desk.debugger().whatif.as_ref().unwrap();
    assert_eq!(whatif.marks().at(103), Some(BranchMark::Replaced));
    assert!(desk.screen().contains("out of coffee"), "{}", desk.screen());
    // Again: it begins with what it is now.
    desk.press("e");
    assert!(asked(&desk).1.contains("out of coffee"));
}

#[test]
fn the_branch_is_saved_loaded_and_left() {
    let mut desk = desk();
    desk.press("B s");
    assert_eq!(desk.told(), "no what-if is on");
    go(&mut desk, INVOKED);
    desk.press("x B");
    insta::assert_snapshot!("branch-menu-160x50", desk.screen());
    desk.press("s").type_text("a/b").press("enter");
    assert!(matches!(&desk.app.mode, Mode::Ask(ask) if ask.fault.is_some()));
    desk.press("ctrl-u").type_text("no-tool").press("enter");
    let branch = desk.debugger().whatif.as_ref().unwrap().branch().clone();
    let saved = Effect::SaveBranch(ISSUE.into(), "no-tool".into(), branch.clone());
    assert!(desk.effects.contains(&saved));
    desk.press("B x");
    assert!(desk.debugger().whatif.is_none());
    assert_eq!(desk.told(), "back to what happened");
    match desk.effects.last() {
        Some(Effect::Save(_, user)) => assert_eq!(user.branch, None),
        other => panic!("{other:?}"),
    }
    desk.press("B l");
    assert_eq!(desk.effects.last(), Some(&Effect::ListBranches(ISSUE.into())));
    desk.act(Action::Branches(vec!["a".into(), "no-tool".into()]));
    desk.press("j d");
    assert_eq!(desk.effects.last(), Some(&Effect::DeleteBranch(ISSUE.into(), "no-tool".into())));
    desk.press("enter");
    let wanted = Effect::LoadBranch(ISSUE.into(), "no-tool".into());
    assert_eq!(desk.effects.last(), Some(&wanted));
    desk.act(Action::Branch("no-tool".into(), Box::new(branch)));
    desk.work();
    assert_eq!(skipped(&desk), [INVOKED]);
    assert!(desk.screen().contains("BRANCH no-tool from #95"), "{}", desk.screen());
    let mut other = Branch::new(0);
    other.push(Edit::Skip { position: 3, event_id: "of another log".into() }).unwrap();
    desk.act(Action::Branch("other".into(), Box::new(other)));
    assert!(desk.told().contains("made from another log"), "{}", desk.told());
    assert_eq!(skipped(&desk), [INVOKED]);
}

#[test]
fn what_was_on_is_there_again_and_grows_with_the_log() {
    let mut first = desk();
    go(&mut first, INVOKED);
    first.press("x q");
    let user = first.effects.iter().rev().find_map(|effect| match effect {
        Effect::Save(_, user) => Some(user.clone()),
        _ => None,
    });
    let mut desk = Desk::with(&sample(110), SIZE, user.unwrap(), |_| {});
    desk.work();
    assert_eq!(skipped(&desk), [INVOKED]);
    desk.append(&sample(128)[sample(110).len()..], 128);
    desk.work();
    let whatif = desk.debugger().whatif.as_ref().unwrap();
    assert!(!whatif.has_work());
    assert_eq!(whatif.version_at(128), Some(0));
    let gone = UserState { branch: None, ..UserState::default() };
    assert!(Desk::with(&sample(110), SIZE, gone, |_| {}).debugger().whatif.is_none());
}

#[test]
fn what_becomes_of_the_events_is_seen() {
    for size in [(160, 50), (80, 24)] {
        let mut desk = Desk::new(&sample(128), size);
        go(&mut desk, INVOKED);
        desk.press("x l").work();
        let name = format!("branch-{}x{}", size.0, size.1);
        insta::assert_snapshot!(name.clone(), desk.screen());
        desk.press("v");
        insta::assert_snapshot!(format!("{name}-detail"), desk.screen());
        desk.app.theme = Theme::built_in("none").with_ascii(true);
        insta::assert_snapshot!(format!("{name}-ascii"), desk.screen());
        assert!(desk.screen().is_ascii());
        desk.app.theme = Theme::built_in("dark");
        assert!(desk.screen().contains("BRANCH from #95: 1 edit"));
    }
}
