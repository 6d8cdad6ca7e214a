//! Breakpoints on the screen: keys in, state out, and what it looks like.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use chronoscope::session::Found;
use chronoscope::session::breakpoint::Breakpoint;
use chronoscope::session::user_state::UserState;
use chronoscope::tui::action::Action;
use chronoscope::tui::app::Mode;
use chronoscope::tui::effect::Effect;
use chronoscope::tui::nav::Way;
use chronoscope::tui::theme::Theme;

use crate::tui_support::{Desk, sample};

const SIZE: (u16, u16) = (160, 50);
const FAILED: &str = ".event_type == \"ToolFailed\"";

fn desk() -> Desk {
    Desk::new(&sample(128), SIZE)
}

/// The positions of the sample's first events of a type.
fn of_type(name: &str, count: usize) -> Vec<u32> {
    let lines = sample(count);
    let lines = lines.lines().enumerate();
    let found = lines.filter(|(_, line)| line.contains(&format!("\"event_type\":\"{name}\"")));
    found.map(|(at, _)| u32::try_from(at + 1).unwrap()).collect()
}

fn saved(desk: &Desk) -> Vec<Breakpoint> {
    let last = desk.effects.iter().rev().find_map(|effect| match effect {
        Effect::Save(_, user) => Some(user.breakpoints.clone()),
        _ => None,
    });
    last.unwrap_or_default()
}

#[test]
fn an_expression_is_set_kept_and_run_to_both_ways() {
    let failed = of_type("ToolFailed", 128);
    assert!(failed.len() >= 2, "{failed:?}");
    let mut desk = desk();
    desk.press("b").type_text(FAILED).press("enter");
    assert_eq!(saved(&desk), [Breakpoint::new(FAILED)]);
    desk.work();
    assert_eq!(desk.debugger().breaks.hits(), failed);
    desk.press("g g");
    for position in &failed {
        desk.press("c").work();
        assert_eq!(desk.playhead(), *position);
        assert!(desk.told().contains(FAILED), "{}", desk.told());
    }
    desk.press("c").work();
    assert_eq!(desk.playhead(), *failed.last().unwrap());
    assert!(desk.told().starts_with("nothing stops after"), "{}", desk.told());
    for position in failed.iter().rev().skip(1) {
        desk.press("C").work();
        assert_eq!(desk.playhead(), *position);
    }
    desk.press("C").work();
    assert!(desk.told().starts_with("nothing stops before"), "{}", desk.told());
}

#[test]
fn a_fault_stays_under_the_field() {
    let mut desk = Desk::new(&sample(128), (80, 24));
    desk.press("b").type_text(".event_typ == ").press("enter");
    assert!(matches!(&desk.app.mode, Mode::Ask(ask) if ask.fault.is_some()));
    assert!(saved(&desk).is_empty());
    insta::assert_snapshot!("break-fault-80x24", desk.screen());
    desk.type_text("1");
    assert!(matches!(&desk.app.mode, Mode::Ask(ask) if ask.fault.is_none()));
    desk.press("esc");
    assert!(matches!(desk.app.mode, Mode::Normal));
}

#[test]
fn a_path_of_the_state_is_set_by_one_key_and_unset_by_it() {
    let mut desk = desk();
    let path = "/agents/oauth-integrator/status";
    desk.press("tab").act(Action::Reveal(chronoscope::model::Path::parse(path).unwrap()));
    assert_eq!(desk.selected(), path);
    desk.press("b");
    assert_eq!(saved(&desk), [Breakpoint::new(path)]);
    desk.work();
    let hits = desk.debugger().breaks.hits().to_vec();
    let writers = desk.debugger().session.timeline();
    let path_of = chronoscope::model::Path::parse(path).unwrap();
    assert_eq!(hits, writers.writers(&path_of).to_vec());
    assert!(!hits.is_empty());
    desk.press("g g c").work();
    assert_eq!(desk.playhead(), hits[0]);
    desk.press("b");
    assert!(saved(&desk).is_empty());
    desk.press("c");
    assert!(desk.told().starts_with("no breakpoint is on"), "{}", desk.told());
}

#[test]
fn of_several_the_nearest_stops() {
    let mut desk = desk();
    desk.press("b").type_text("$state.orchestration.status == \"nothing\"").press("enter");
    desk.press("b").type_text(FAILED).press("enter");
    desk.press("b").type_text(".event_type == \"PhaseStarted\"").press("enter").work();
    let mut both = of_type("ToolFailed", 128);
    both.extend(of_type("PhaseStarted", 128));
    both.sort_unstable();
    assert_eq!(desk.debugger().breaks.hits(), both);
    desk.press("g g");
    for position in both {
        desk.press("c").work();
        assert_eq!(desk.playhead(), position);
    }
}

#[test]
fn the_list_switches_off_deletes_and_goes_there() {
    let mut desk = desk();
    desk.press("g b");
    assert!(desk.told().starts_with("there are no breakpoints"), "{}", desk.told());
    desk.press("b").type_text(FAILED).press("enter");
    desk.press("b").type_text("/git").press("enter").work();
    desk.press("g b");
    insta::assert_snapshot!("breakpoints-160x50", desk.screen());
    desk.press("space");
    assert!(!saved(&desk)[0].on);
    desk.press("esc").work();
    let failed = of_type("ToolFailed", 128);
    assert!(!failed.iter().any(|p| desk.debugger().breaks.hits().contains(p)));
    desk.press("g g g b space enter");
    assert_eq!(desk.playhead(), failed[0]);
    desk.press("g b j d");
    assert_eq!(saved(&desk), [Breakpoint::new(FAILED)]);
    desk.press("d");
    assert!(saved(&desk).is_empty() && matches!(desk.app.mode, Mode::Normal));
}

#[test]
fn a_run_is_stopped_by_any_key() {
    let lines: String = sample(1).repeat(60_000);
    let mut desk = Desk::new(&lines, SIZE);
    let user = "[.. | strings?] | any(contains(\"nowhere\"))";
    desk.press("g g b").type_text(user).press("enter c");
    assert!(desk.debugger().breaks.is_running());
    assert!(desk.screen().contains("running forward"), "{}", desk.screen());
    desk.press("esc");
    assert!(!desk.debugger().breaks.is_running());
    assert_eq!((desk.playhead(), desk.told()), (0, "stopped"));
    desk.press("c l");
    assert!(!desk.debugger().breaks.is_running());
    assert_eq!(desk.playhead(), 1);
}

#[test]
fn the_ghost_head_counts_hits_and_pinned_values() {
    let user = UserState {
        breakpoints: vec![Breakpoint::new(FAILED)],
        pins: vec!["/orchestration/current_phase".into(), "/agents".into()],
        playhead: Some(20),
        ..UserState::default()
    };
    for (size, told) in [(SIZE, "LIVE +108, "), ((80, 24), "LIVE +108 ")] {
        let mut desk = Desk::with(&sample(100), size, user.clone(), |_| {});
        let rest = sample(128)[sample(100).len()..].to_owned();
        desk.append(&rest, 128);
        desk.work();
        let came = of_type("ToolFailed", 128).iter().filter(|p| **p > 100).count();
        assert!(came > 0);
        let screen = desk.screen();
        let (header, _) = screen.split_once('\n').unwrap();
        assert!(header.contains(told), "{header}");
        assert_eq!(header.contains(&format!("{came} breakpoint")), size.0 > 100, "{header}");
    }
}

#[test]
fn find_is_a_breakpoint_for_once() {
    let failed = of_type("ToolFailed", 128);
    let mut desk = desk();
    desk.press("g g :").type_text(&format!("find {FAILED}")).press("enter").work();
    assert_eq!(desk.playhead(), failed[0]);
    desk.press("n").work();
    assert_eq!(desk.playhead(), failed[1]);
    desk.press("N").work();
    assert_eq!(desk.playhead(), failed[0]);
    assert!(desk.debugger().session.user.breakpoints.is_empty());
    desk.press(":").type_text("find .x |").press("enter");
    assert!(desk.told().starts_with("find .x |: "), "{}", desk.told());
}

#[test]
fn why_leads_to_the_writer() {
    let mut desk = desk();
    desk.press(":").type_text("why /agents/oauth-integrator/status").press("enter");
    let path = chronoscope::model::Path::parse("/agents/oauth-integrator/status").unwrap();
    let writer = desk.debugger().session.timeline().last_writer(&path, 128).unwrap();
    assert_eq!(desk.playhead(), writer);
    assert_eq!(desk.selected(), path.to_string());
    assert!(desk.told().contains(&format!("was written by #{writer}")), "{}", desk.told());
    desk.press(":").type_text("why /nowhere").press("enter");
    assert!(desk.told().starts_with("nothing wrote /nowhere"), "{}", desk.told());
}

#[test]
fn hits_stand_on_the_rail_and_in_the_list() {
    for (size, name) in [((160, 50), "160x50"), ((80, 24), "80x24")] {
        let mut desk = Desk::new(&sample(128), size);
        desk.press("b").type_text(".event_type == \"ToolInvoked\"").press("enter");
        desk.press("g g c").work();
        insta::assert_snapshot!(format!("break-hits-{name}"), desk.screen());
        desk.app.theme = Theme::built_in("none").with_ascii(true);
        assert!(desk.screen().is_ascii());
        desk.app.theme = Theme::built_in("dark");
        desk.screen();
    }
}

/// Two calls of a tool, with inputs that share the first of their paths.
fn calls() -> String {
    let call = |at: u32, kind: &str, id: &str, input: &str| {
        format!(
            r#"{{"event_id":"e{at}","event_type":"{kind}","timestamp":"2026-11-20T10:00:0{at}Z","issue_key":"PROJ-123","session_id":"s","actor":{{"type":"agent","id":"x"}},"metadata":{{"tool_use_id":"{id}","tool_name":"Glob"{input}}}}}"#
        ) + "\n"
    };
    call(1, "ToolInvoked", "a", r#","input":{"paths":["p","q"]}"#)
        + &call(2, "ToolCompleted", "a", "")
        + &call(3, "ToolInvoked", "b", r#","input":{"paths":["p","r"]}"#)
        + &call(4, "ToolCompleted", "b", "")
}

#[test]
fn what_was_left_as_it_was_in_a_whole_that_was_written_is_not_stopped_at() {
    let first = "/tools/Glob/last/input/paths/0";
    let never = "/tools/Glob/open/a/input/nothing";
    let pins =
        vec![first.to_owned(), never.to_owned(), "/tools/Glob/open/a/input/paths".to_owned()];
    let user = UserState { pins, playhead: Some(2), ..UserState::default() };
    let mut desk = Desk::with(&calls(), SIZE, user, |_| {});
    desk.work();
    let writers: Vec<_> = desk.debugger().state.pins.iter().map(|pin| pin.writer).collect();
    assert_eq!(writers, [Some(1), None, Some(2)]);
    let at = |path: &str| Action::Reveal(chronoscope::model::Path::parse(path).unwrap());
    desk.press("g g l tab").act(at(first));
    assert_eq!((desk.selected().as_str(), desk.playhead()), (first, 1));
    desk.press("]").work();
    assert_eq!(desk.told(), format!("nothing writes {first} after this"));
    desk.press("b g g c").work();
    assert_eq!(desk.playhead(), 1);
    desk.press("c").work();
    assert_eq!((desk.playhead(), desk.debugger().breaks.hits()), (1, &[1][..]));
    desk.press("G").act(at(first));
    desk.press("[").work();
    assert_eq!(desk.playhead(), 1);
    desk.press(":").type_text(&format!("why {never}")).press("enter").work();
    assert!(desk.told().starts_with(&format!("nothing wrote {never}")), "{}", desk.told());
}

#[test]
fn the_ghost_head_counts_the_pins_that_were_written_and_no_others() {
    let first = "/tools/Glob/last/input/paths/0".to_owned();
    let second = "/tools/Glob/last/input/paths/1".to_owned();
    let before: String = calls().split_inclusive('\n').take(2).collect();
    for (pins, count) in [(vec![first.clone()], 0), (vec![first, second], 1)] {
        let user = UserState { pins, playhead: Some(1), ..UserState::default() };
        let mut desk = Desk::with(&before, SIZE, user, |_| {});
        desk.append(&calls()[before.len()..], 4);
        desk.work();
        assert_eq!(desk.debugger().come_since_of_note().1, count);
    }
}

#[test]
fn a_writer_that_is_far_away_is_run_to() {
    let line = |at: usize, kind: &str, input: &str| {
        format!(
            r#"{{"event_id":"e{at}","event_type":"{kind}","timestamp":"2026-11-20T10:00:00Z","issue_key":"PROJ-123","session_id":"s","actor":{{"type":"agent","id":"x"}},"metadata":{{"tool_use_id":"a","tool_name":"Glob"{input}}}}}"#
        ) + "\n"
    };
    let pair = |call: usize| {
        let once = if call == 0 { r#","input":{"once":1}"# } else { r#","input":{"ever":1}"# };
        line(2 * call + 1, "ToolInvoked", once) + &line(2 * call + 2, "ToolCompleted", "")
    };
    let log: String = (0..1500).map(pair).collect();
    let mut desk = Desk::new(&log, SIZE);
    let path = chronoscope::model::Path::parse("/tools/Glob/open/a/input/once").unwrap();
    let debugger = desk.app.debugger.as_deref_mut().unwrap();
    // Whether it is found at once or by a run is a matter of time, where it is found is not.
    let found = debugger.breaks.writer(&mut debugger.session, &path, Way::Back, 3001).unwrap();
    if let Found::Budget { reached } = found {
        assert!(debugger.breaks.is_running() && reached > 2, "{reached}");
        desk.work();
        assert_eq!(desk.playhead(), 2);
    } else {
        assert_eq!(found, Found::At(2));
    }
    desk.press(":").type_text(&format!("why {path}")).press("enter").work();
    assert_eq!(desk.playhead(), 2);
}
