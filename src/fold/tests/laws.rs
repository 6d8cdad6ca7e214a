//! Laws that hold for any sequence of events, sensible or not.

use proptest::prelude::*;

use super::super::{Applied, Change, State, advance, apply, check, is_counter, presupposes};
use super::event;
use crate::diff::{DiffOptions, apply_diff, diff};
use crate::model::catalogue::CATALOGUE;
use crate::model::value::LongValue;
use crate::model::{Event, Key, Kind, Map, Path, Position, Value};

/// What a field may turn into: other ids, so that events meet; and what does not belong there.
fn odd_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => "[a-c]".prop_map(Value::from),
        2 => (-2_i64..4).prop_map(Value::Int),
        1 => Just(Value::Null),
        1 => Just(Value::UInt(u64::MAX)),
        1 => prop_oneof![Just(0.1), Just(-0.0), Just(1e300), Just(f64::MAX)].prop_map(Value::Float),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => Just(Value::list([Value::Int(1), Value::Null])),
        1 => Just(Value::Map([("x", Value::Null)].into_iter().collect())),
        1 => Just(Value::text("")),
        1 => Just(Value::Long(std::sync::Arc::new(LongValue {
            event_id: "e1".into(),
            pointer: "/metadata/x".into(),
            bytes: 5000,
            sha256: "00".into(),
            head: "long".into(),
        }))),
    ]
}

/// Natural keys come from a handful of names, so that one event is about what another made.
fn is_natural_key(field: &str) -> bool {
    field.ends_with("_id")
        || field.ends_with("_name")
        || matches!(
            field,
            "phase"
                | "commit_sha"
                | "pr_number"
                | "check_type"
                | "test_suite"
                | "doc_path"
                | "branch"
                | "recovery_from"
                | "reviewer"
                | "to_status"
                | "assigned_to"
        )
}

fn any_metadata(kind: Kind) -> BoxedStrategy<Map> {
    let example: Map =
        CATALOGUE.get(kind as usize).map_or_else(Map::new, |spec| super::metadata(spec.example));
    let keys: Vec<Key> = example.iter().map(|(key, _)| key.clone()).collect();
    let count = keys.len();
    let names = proptest::collection::vec("[a-c]", count);
    let odd = proptest::collection::vec(proptest::option::weighted(0.08, odd_value()), count);
    let absent = proptest::collection::vec(proptest::bool::weighted(0.1), count);
    (names, odd, absent)
        .prop_map(move |(names, odd, absent)| {
            let mut metadata = example.clone();
            for (at, key) in keys.iter().enumerate() {
                if is_natural_key(key) {
                    metadata.insert(key.clone(), Value::text(names[at].as_str()));
                }
                if let Some(odd) = &odd[at] {
                    metadata.insert(key.clone(), odd.clone());
                }
                if absent[at] && !is_natural_key(key) {
                    metadata.remove(key);
                }
            }
            metadata
        })
        .boxed()
}

fn any_event() -> impl Strategy<Value = Event> {
    let kinds = prop_oneof![
        30 => proptest::sample::select(Kind::CATALOGUED),
        1 => Just(Kind::Unknown),
        1 => Just(Kind::Unreadable),
    ];
    kinds.prop_flat_map(|kind| {
        let name = if kind == Kind::Unknown { "some.type" } else { kind.name() };
        let actors = prop_oneof![
            Just("user:ada"),
            Just("system:orchestrator"),
            Just("agent:a@opus"),
            Just("agent:b"),
            Just(""),
        ];
        let group = proptest::option::of("[gh]");
        let cause = proptest::option::of("e[1-9]");
        (any_metadata(kind), actors, group, cause, "s[12]?").prop_map(
            move |(metadata, actor, group, cause, session)| {
                let mut event = event(1, name, actor, metadata);
                event.correlation = group.map(Into::into);
                event.causation = cause.map(Into::into);
                event.session = session.into();
                event
            },
        )
    })
}

/// Events in a row, with positions, ids and times.
fn any_events(most: usize) -> impl Strategy<Value = Vec<Event>> {
    proptest::collection::vec(any_event(), 1..most).prop_map(|mut events| {
        for (at, event) in events.iter_mut().enumerate() {
            event.position = Position::try_from(at + 1).unwrap();
            event.id = format!("e{}", at + 1).into();
            event.at = event.at.plus_millis(i64::try_from(at).unwrap() * 1000);
        }
        events
    })
}

/// The tree without its counters.
fn uncounted(state: &State) -> Value {
    let mut root = state.root().clone();
    root.remove("counters");
    Value::Map(root)
}

/// The state with nothing but what is under a path, and the counters.
fn only(state: &State, path: Option<&Path>) -> State {
    let mut root = Map::new();
    let mut keep = |keys: &[Key], value: &Value| {
        let (last, parents) = keys.split_last().unwrap();
        let map = parents.iter().fold(&mut root, |map, key| map.map_mut(key));
        map.insert(last.clone(), value.clone());
    };
    let counters = Path::parse("/counters").unwrap();
    for path in [Some(&counters), path].into_iter().flatten() {
        if let Some(value) = state.at(path) {
            keep(path.keys(), value);
        }
    }
    State::from_value(Value::Map(root)).unwrap()
}

/// Sets or removes what a change says; maps above it come into being.
fn write(root: &mut Map, change: &Change) {
    let (last, parents) = change.path.keys().split_last().unwrap();
    let map = parents.iter().fold(root, |map, key| map.map_mut(key));
    match &change.new {
        Some(new) => map.insert(last.clone(), new.clone()),
        None => map.remove(last),
    };
}

fn check_changes(before: &State, after: &State, applied: &Applied) {
    let mut rebuilt = before.root().clone();
    rebuilt.remove("counters");
    for (at, change) in applied.changes.iter().enumerate() {
        let path = &change.path;
        assert!(!is_counter(path), "{path} is a counter");
        assert_ne!(change.old, change.new, "{path} did not change");
        assert_eq!(before.at(path), change.old.as_ref(), "{path} before");
        assert_eq!(after.at(path), change.new.as_ref(), "{path} after");
        let twice = applied.changes[at + 1..].iter().any(|later| later.path == *path);
        assert!(!twice, "{path} comes twice");
        write(&mut rebuilt, change);
    }
    assert_eq!(Value::Map(rebuilt), uncounted(after), "the changes do not make up the state");
}

/// No null that the fold itself made, and no empty map but one that an event carried.
fn check_shape(state: &State) {
    for (member, value) in state.root() {
        let map = value.as_map().unwrap_or_else(|| panic!("{member} is no map"));
        assert!(!map.is_empty(), "{member} is empty");
        for (key, thing) in map {
            assert!(!thing.is_null(), "{member}/{key} is null");
            let empty = thing.as_map().is_some_and(Map::is_empty);
            assert!(!empty || member == "counters", "{member}/{key} is empty");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn changes_say_what_happened(events in any_events(60)) {
        let (mut state, mut fast) = (State::new(), State::new());
        for event in &events {
            let before = state.clone();
            let applied = apply(&mut state, event);
            advance(&mut fast, event);
            prop_assert_eq!(&state, &fast, "apply and advance differ");
            check_changes(&before, &state, &applied);
            check_shape(&state);
            prop_assert!(applied.anomalies.iter().all(|a| a.position == event.position));
        }
    }

    #[test]
    fn what_an_event_presupposes_is_all_that_decides(events in any_events(60)) {
        let mut state = State::new();
        for event in &events {
            let found = presupposes(event);
            let reduced = only(&state, found.as_ref());
            prop_assert_eq!(check(&reduced, event), check(&state, event), "{:?}", found);
            advance(&mut state, event);
        }
    }

    #[test]
    fn a_state_read_back_goes_on_the_same(events in any_events(40), at in 0_usize..40) {
        let at = at.min(events.len());
        let (mut state, mut other) = (State::new(), State::new());
        for (n, event) in events.iter().enumerate() {
            if n == at {
                let value: Value = serde_json::from_str(&other.value().to_json()).unwrap();
                other = State::from_value(value).unwrap();
            }
            let (a, b) = (apply(&mut state, event), apply(&mut other, event));
            prop_assert_eq!(a, b);
        }
        prop_assert_eq!(state.digest(), other.digest());
    }

    #[test]
    fn a_diff_leads_from_one_state_to_the_other(
        events in any_events(40), branch in any_events(10), at in 0_usize..40,
    ) {
        let at = at.min(events.len());
        let mut a = State::new();
        for event in &events[..at] {
            advance(&mut a, event);
        }
        let mut b = a.clone();
        for event in &events[at..] {
            advance(&mut a, event);
        }
        for event in &branch {
            advance(&mut b, event);
        }
        let all = DiffOptions { counters: true };
        let (a, b) = (a.value(), b.value());
        let entries = diff(&a, &b, all);
        prop_assert!(entries.is_sorted_by(|x, y| x.path < y.path));
        prop_assert_eq!(apply_diff(&a, &entries).unwrap(), b.clone());
        prop_assert_eq!(apply_diff(&b, &diff(&b, &a, all)).unwrap(), a.clone());
        prop_assert!(diff(&a, &a, all).is_empty());
        let back: Value = serde_json::from_str(&a.to_json()).unwrap();
        let back = State::from_value(back).unwrap().value();
        prop_assert!(diff(&a, &back, all).is_empty(), "an equal tree that shares nothing");
        let without = diff(&a, &b, DiffOptions::default());
        let counters = Path::of(["counters"]);
        let kept: Vec<_> =
            entries.into_iter().filter(|entry| !counters.contains(&entry.path)).collect();
        prop_assert_eq!(without, kept);
    }

    #[test]
    fn a_guard_is_an_anomaly_and_nothing_else(events in any_events(40)) {
        let mut state = State::new();
        for event in &events {
            let verdict = check(&state, event);
            let applied = apply(&mut state, event);
            let broken = applied
                .anomalies
                .iter()
                .any(|a| a.kind == crate::model::AnomalyKind::GuardViolated);
            prop_assert_eq!(verdict.is_err(), broken);
        }
    }
}
