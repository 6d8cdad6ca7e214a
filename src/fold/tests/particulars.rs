//! What is easier said in code than in a fixture: bounds, sharing, what is refused.

use super::super::tool::OPEN_LIMIT;
use super::super::{State, advance, apply, checkpoint, is_counter, is_tally};
use super::{event, metadata};
use crate::model::{AnomalyKind, Map, Path, Position, Value};

fn path(pointer: &str) -> Path {
    Path::parse(pointer).unwrap()
}

fn number(state: &State, pointer: &str) -> Option<i64> {
    state.at(&path(pointer)).and_then(Value::as_i64)
}

#[test]
fn calls_that_never_end_are_given_up_by_the_half() {
    let mut state = State::new();
    let count = OPEN_LIMIT * 3;
    for n in 1..=count {
        let call = metadata(&format!(r#"{{"tool_name":"Bash","tool_use_id":"t{n}"}}"#));
        let position = Position::try_from(n).unwrap();
        apply(&mut state, &event(position, "ToolInvoked", "agent:a", call));
        let running = number(&state, "/tools/Bash/running").unwrap();
        let lost = number(&state, "/tools/Bash/lost").unwrap_or(0);
        assert_eq!(running + lost, i64::from(position));
        assert!(running <= i64::try_from(OPEN_LIMIT).unwrap());
    }
    // The newest are the ones that are kept.
    assert!(state.at(&path(&format!("/tools/Bash/open/t{count}"))).is_some());
    assert!(state.at(&path("/tools/Bash/open/t1")).is_none());
}

#[test]
fn old_checkpoints_are_known_but_keep_nothing() {
    let mut state = State::new();
    let mut position = 0;
    let mut apply = |state: &mut State, kind: &str, fields: &str| {
        position += 1;
        apply(state, &event(position, kind, "system:o", metadata(fields)))
    };
    apply(&mut state, "PhaseStarted", r#"{"phase":"CODE"}"#);
    for n in 0..=checkpoint::KEPT {
        let fields = format!(r#"{{"checkpoint_id":"cp{n}","checkpoint_phase":"CODE"}}"#);
        apply(&mut state, "CheckpointCreated", &fields);
        // Again: it is not a second one.
        apply(&mut state, "CheckpointCreated", &fields);
    }
    let saved = state
        .look(&["checkpoints"])
        .and_then(Value::as_map)
        .unwrap()
        .iter()
        .filter(|(_, cp)| cp.get("saved").is_some())
        .count();
    assert_eq!(saved, checkpoint::KEPT);
    let restore = r#"{"checkpoint_id":"cp0","restore_reason":"x"}"#;
    let applied = apply(&mut state, "CheckpointRestored", restore);
    assert_eq!(applied.anomalies[0].kind, AnomalyKind::GuardViolated);
    assert!(applied.anomalies[0].detail.contains("too old"), "{:?}", applied.anomalies);
    let restore = r#"{"checkpoint_id":"cp1","restore_reason":"x"}"#;
    assert!(apply(&mut state, "CheckpointRestored", restore).anomalies.is_empty());
}

#[test]
fn what_an_event_does_not_touch_stays_shared() {
    let mut state = State::new();
    let gap = metadata(r#"{"gap_id":"g","description":"d"}"#);
    advance(&mut state, &event(1, "GapIdentified", "agent:a", gap));
    let before = state.clone();
    let commit = metadata(r#"{"commit_sha":"abc","commit_message":"m","files_changed":1}"#);
    advance(&mut state, &event(2, "CommitCreated", "agent:a", commit));
    let gaps = |state: &State| state.at(&path("/gaps")).cloned().unwrap();
    assert!(gaps(&state).same(&gaps(&before)));
    assert!(before.at(&path("/git")).is_none());
}

#[test]
fn a_write_of_the_same_value_is_no_change() {
    let mut state = State::new();
    let at = |position| event(position, "OrchestrationResumed", "user:ada", Map::new());
    apply(&mut state, &at(1));
    assert!(apply(&mut state, &at(2)).changes.is_empty());
}

#[test]
fn costs_add_up_without_noise() {
    let mut state = State::new();
    for n in 1..=10 {
        let usage = metadata(r#"{"model":"opus","cost_usd":0.1}"#);
        advance(&mut state, &event(n, "UsageRecorded", "agent:a", usage));
    }
    assert_eq!(state.at(&path("/usage/cost_usd")), Some(&Value::Float(1.0)));
}

#[test]
fn only_states_become_states() {
    let read = |json: &str| State::from_value(serde_json::from_str(json).unwrap());
    assert!(read("{}").is_ok());
    assert!(read(r#"{"agents":{"x":{"status":"running"}}}"#).is_ok());
    for wrong in ["[]", "1", r#"{"agents":1}"#, r#"{"agents":{"x":1}}"#, r#"{"other":{}}"#] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn counters_and_tallies_are_told_by_their_path() {
    assert!(is_counter(&path("/counters/by_type/X")));
    assert!(!is_counter(&path("/agents/counters")));
    for tally in ["/usage/tokens/input", "/tools/Bash/calls", "/sessions/s/prompts"] {
        assert!(is_tally(&path(tally)), "{tally}");
    }
    for fact in ["/agents/a/status", "/sessions/s/status", "/jira/status", "/git/head", ""] {
        assert!(!is_tally(&path(fact)), "{fact}");
    }
}
