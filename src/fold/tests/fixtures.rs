//! Given events, expected state: `tests/fixtures/fold/*.json`, described in the README beside them.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;

use super::super::{Applied, STATE_SCHEMA_VERSION, State, TOP_LEVEL, apply};
use super::event;
use crate::model::{Event, Kind, Map, Position, Timestamp, Value};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    about: String,
    given: Vec<Given>,
    /// The state, without `counters` and `sessions` unless they are named here.
    expect: Map,
    /// A part of each anomaly's words, in order.
    #[serde(default)]
    anomalies: Vec<String>,
    /// The paths that the last event changed.
    last_changes: Option<Vec<String>>,
}

/// Type, actor, metadata, and what else differs from the ordinary.
#[derive(Debug, Deserialize)]
struct Given(String, String, Map, #[serde(default)] Overrides);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Overrides {
    id: Option<String>,
    at: Option<String>,
    session: Option<String>,
    issue_key: Option<String>,
    correlation: Option<String>,
    causation: Option<String>,
    git_sha: Option<String>,
    branch: Option<String>,
}

fn to_event(at: usize, given: &Given) -> Event {
    let Given(type_name, actor, metadata, overrides) = given;
    let position = Position::try_from(at + 1).unwrap();
    let mut event = event(position, type_name, actor, metadata.clone());
    let put = |field: &mut smol_str::SmolStr, value: &Option<String>| {
        if let Some(value) = value {
            *field = value.into();
        }
    };
    put(&mut event.id, &overrides.id);
    put(&mut event.session, &overrides.session);
    put(&mut event.issue_key, &overrides.issue_key);
    if let Some(at) = &overrides.at {
        event.at = Timestamp::parse(at).unwrap();
    }
    event.correlation = overrides.correlation.as_ref().map(Into::into);
    event.causation = overrides.causation.as_ref().map(Into::into);
    event.git_sha = overrides.git_sha.as_ref().map(Into::into);
    event.branch = overrides.branch.as_ref().map(Into::into);
    event
}

fn cases() -> Vec<(String, Case)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fold");
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    let mut all = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|e| e == "json")) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(file).unwrap();
        let cases: Vec<Case> =
            serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(!cases.is_empty(), "{name} has no case");
        all.extend(cases.into_iter().map(|case| (format!("{name}: {}", case.about), case)));
    }
    assert!(!all.is_empty());
    all
}

/// The states after each event, and what each event did.
fn run(case: &Case) -> Vec<(State, Applied)> {
    let mut state = State::new();
    let mut steps = Vec::new();
    for (at, given) in case.given.iter().enumerate() {
        let applied = apply(&mut state, &to_event(at, given));
        steps.push((state.clone(), applied));
    }
    steps
}

#[test]
fn given_events_make_the_expected_state() {
    let mut wrong = Vec::new();
    for (name, case) in cases() {
        let steps = run(&case);
        let (state, last) = steps.last().unwrap();
        let actual: Map = state
            .root()
            .iter()
            .filter(|(member, _)| {
                !matches!(member.as_str(), "counters" | "sessions")
                    || case.expect.get(member).is_some()
            })
            .map(|(member, value)| (member.clone(), value.clone()))
            .collect();
        if actual != case.expect {
            let actual = serde_json::to_string(&actual).unwrap();
            wrong.push(format!("{name}\n  state is {actual}"));
        }
        let found: Vec<&str> =
            steps.iter().flat_map(|(_, a)| &a.anomalies).map(|a| a.detail.as_str()).collect();
        let fits = found.len() == case.anomalies.len()
            && found.iter().zip(&case.anomalies).all(|(found, words)| found.contains(words));
        if !fits {
            wrong.push(format!("{name}\n  anomalies are {found:?}"));
        }
        if let Some(expected) = &case.last_changes {
            let mut paths: Vec<String> = last.changes.iter().map(|c| c.path.to_string()).collect();
            paths.sort();
            if paths != *expected {
                wrong.push(format!("{name}\n  the last event changed {paths:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} faults\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_type_stands_in_a_fixture() {
    let given: BTreeSet<String> =
        cases().into_iter().flat_map(|(_, case)| case.given).map(|given| given.0).collect();
    let missing: Vec<&str> =
        Kind::CATALOGUED.iter().map(|kind| kind.name()).filter(|n| !given.contains(*n)).collect();
    assert!(missing.is_empty(), "no fixture has {missing:?}");
    assert!(given.contains("unreadable"));
    assert!(given.iter().any(|name| Kind::from_name(name) == Kind::Unknown));
}

#[test]
fn every_state_fits_the_schema() {
    let text = include_str!("../../../schemas/state.schema.json");
    let schema: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(schema["x-version"], STATE_SCHEMA_VERSION);
    let members: Vec<&str> =
        schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    let top_level: BTreeSet<&str> = TOP_LEVEL.iter().copied().collect();
    assert_eq!(members.into_iter().collect::<BTreeSet<_>>(), top_level);
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for (name, case) in cases() {
        for (at, (state, _)) in run(&case).iter().enumerate() {
            let value = state.value().to_serde();
            let faults: Vec<String> = validator
                .iter_errors(&value)
                .map(|fault| format!("{}: {fault}", fault.instance_path()))
                .collect();
            assert!(faults.is_empty(), "{name}, after event {}: {faults:#?}", at + 1);
        }
    }
    // And it says no to what is no state.
    for wrong in [
        r#"{"agents":{"x":{"status":"asleep"}}}"#,
        r#"{"surprise":{}}"#,
        r#"{"agents":{"x":{"status":"running","surprise":1}}}"#,
        r#"{"orchestration":{"started_at":"yesterday"}}"#,
        r#"{"counters":{"events":"3"}}"#,
        r#"{"agents":[]}"#,
        r#"{"orchestration":{"status":null}}"#,
    ] {
        assert!(!validator.is_valid(&serde_json::from_str(wrong).unwrap()), "{wrong}");
    }
}

#[test]
fn the_catalogue_says_which_members_a_type_writes() {
    for (name, case) in cases() {
        for (given, (_, applied)) in case.given.iter().zip(run(&case)) {
            let Some(spec) = crate::model::catalogue::spec(Kind::from_name(&given.0)) else {
                continue;
            };
            for change in &applied.changes {
                let path = change.path.to_string();
                let member = change.path.keys()[0].as_str();
                // A session comes into being with its first event, whatever that is.
                let named = spec.effect.contains(&format!("/{member}"))
                    || member == "sessions" && change.old.is_none();
                assert!(
                    named,
                    "{name}: {} writes {path}, its effect is {:?}",
                    given.0, spec.effect
                );
            }
        }
    }
}

#[test]
fn a_state_comes_back_from_its_text() {
    for (name, case) in cases() {
        let (state, _) = run(&case).pop().unwrap();
        let value: Value = serde_json::from_str(&state.value().to_json()).unwrap();
        let back = State::from_value(value).unwrap();
        assert_eq!(back.digest(), state.digest(), "{name}");
        assert_eq!(back, state, "{name}");
    }
}
