//! Properties of time travel: every way to a position leads to the same state.

mod branch;
mod find;
mod order;
mod sketch;

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::clock::Clock;
use crate::diff::{DiffOptions, apply_diff};
use crate::error::ErrorKind;
use crate::fold;
use crate::model::{AnomalyKind, Path, Value};
use crate::model::{Kind, Timestamp};
use crate::store::local::LocalStore;
use crate::store::memory::MemoryStore;

const ISSUE: &str = "PROJ-1";

/// A line of the log: a catalogue type's example with natural keys from a small set, so that
/// events meet.
fn line(sequence: usize, kind: Kind, which: u8, minute: i64) -> String {
    let example = catalogue::spec(kind).map_or("{}", |spec| spec.example);
    let mut metadata: serde_json::Value = serde_json::from_str(example).unwrap();
    let name = format!("x{}", which % 3);
    for key in ["agent_name", "gap_id", "task_id", "commit_sha", "tool_use_id", "checkpoint_id"] {
        if metadata.get(key).is_some() {
            metadata[key] = name.clone().into();
        }
    }
    if metadata.get("phase").is_some() {
        metadata["phase"] = ["PLAN", "CODE", "TEST"][usize::from(which % 3)].into();
    }
    serde_json::json!({
        "event_id": format!("id-{sequence:05}"),
        "event_type": kind.name(),
        "event_version": "1.1.0",
        "timestamp": Timestamp::from_millis(1_780_000_000_000 + minute * 60_000),
        "event_sequence": sequence,
        "issue_key": ISSUE,
        "session_id": "s-1",
        "actor": { "type": "agent", "id": format!("a{}", which % 2) },
        "metadata": metadata,
    })
    .to_string()
}

fn store(events: &[(usize, u8, i64)]) -> MemoryStore {
    let store = MemoryStore::new(Clock::Fixed(Timestamp::from_millis(0)));
    store.push_raw(ISSUE, b"");
    for (at, (kind, which, minute)) in events.iter().enumerate() {
        let kind = Kind::CATALOGUED[kind % Kind::CATALOGUED.len()];
        store.push_raw(ISSUE, line(at + 1, kind, *which, *minute).as_bytes());
        store.push_raw(ISSUE, b"\n");
    }
    store
}

fn history() -> impl Strategy<Value = Vec<(usize, u8, i64)>> {
    proptest::collection::vec((0_usize..66, 0_u8..6, 0_i64..500), 1..150)
}

/// The state at `position` by folding everything before it, with nothing kept.
fn direct(session: &mut Session, position: Position) -> State {
    let mut state = State::new();
    for event in session.events(1..position + 1).unwrap() {
        fold::apply(&mut state, &event);
    }
    state
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_walk_of_seeks_equals_the_direct_fold(events in history(), walk in proptest::collection::vec(any::<u32>(), 1..12)) {
        let mut session = Session::read(&store(&events), ISSUE).unwrap();
        for step in walk {
            let position = step % (session.head() + 1);
            let sought = session.state_at(position).unwrap();
            prop_assert_eq!(sought.digest(), direct(&mut session, position).digest());
        }
    }

    #[test]
    fn a_diff_applied_to_a_gives_b(events in history(), a in any::<u32>(), b in any::<u32>()) {
        let mut session = Session::read(&store(&events), ISSUE).unwrap();
        let (a, b) = (a % (session.head() + 1), b % (session.head() + 1));
        let options = DiffOptions { counters: true };
        let entries = session.diff(a, b, options).unwrap();
        let before = session.state_at(a).unwrap().value();
        let after = session.state_at(b).unwrap().value();
        prop_assert_eq!(apply_diff(&before, &entries).unwrap(), after);
    }

    #[test]
    fn the_change_index_knows_every_writer(events in history()) {
        let mut session = Session::read(&store(&events), ISSUE).unwrap();
        for position in 1..=session.head() {
            for entry in session.diff(position - 1, position, DiffOptions::default()).unwrap() {
                prop_assert!(
                    session.timeline().writers(&entry.path).contains(position),
                    "#{position} wrote {} but the index does not know", entry.path
                );
            }
        }
    }

    #[test]
    fn the_last_writer_is_where_the_value_came_from(events in history()) {
        let mut session = Session::read(&store(&events), ISSUE).unwrap();
        let head = session.head();
        let path = Path::of(["orchestration", "status"]);
        let now = session.value_at(&path, head).unwrap();
        match session.previous_writer(&path, head).unwrap() {
            Some(writer) => {
                prop_assert_eq!(session.value_at(&path, writer).unwrap(), now.clone());
                prop_assert_ne!(session.value_at(&path, writer - 1).unwrap(), now);
            }
            None => prop_assert_eq!(now, None),
        }
    }

    #[test]
    fn a_snapshot_and_the_rest_equal_the_full_fold(events in history(), a in any::<u32>(), b in any::<u32>()) {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("2026-06-01").join(ISSUE);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("events.jsonl"), store(&events).bytes(ISSUE)).unwrap();
        let local = LocalStore::open(dir.path(), Clock::Fixed(Timestamp::default())).unwrap();
        let mut session = Session::read(&local, ISSUE).unwrap();
        let (a, b) = (a % session.head() + 1, b % session.head() + 1);
        let (early, late) = (a.min(b), a.max(b));
        snapshots::take(&local, &mut session, early, Timestamp::default()).unwrap();
        let state = snapshots::state_from_snapshot(&local, ISSUE, late).unwrap();
        prop_assert_eq!(state.digest(), direct(&mut session, late).digest());
        snapshots::take(&local, &mut session, late, Timestamp::default()).unwrap();
        prop_assert_eq!(snapshots::compare(&local, ISSUE).unwrap(), []);
    }

    #[test]
    fn following_gives_what_reading_gives(events in history(), cut in any::<prop::sample::Index>()) {
        let whole = store(&events);
        let bytes = whole.bytes(ISSUE);
        let cut = cut.index(bytes.len());
        let growing = MemoryStore::default();
        growing.push_raw(ISSUE, &bytes[..cut]);
        let mut session = Session::open(Arc::new(growing.clone()), ISSUE, || ()).unwrap();
        session.pump_all().unwrap();
        growing.push_raw(ISSUE, &bytes[cut..]);
        let expected = Session::read(&whole, ISSUE).unwrap();
        while session.head() < expected.head() {
            session.pump(Duration::from_secs(10), Duration::from_millis(8));
        }
        prop_assert_eq!(session.timeline().head_state().digest(), expected.timeline().head_state().digest());
        prop_assert!(session.timeline().rows().eq(expected.timeline().rows()));
    }
}

fn simple(kinds: &[(Kind, u8)]) -> Session {
    let events: Vec<_> = kinds
        .iter()
        .enumerate()
        .map(|(minute, (kind, which))| (*kind as usize, *which, i64::try_from(minute).unwrap()))
        .collect();
    Session::read(&store(&events), ISSUE).unwrap()
}

#[test]
fn position_zero_is_the_empty_state() {
    let mut session = simple(&[(Kind::PhaseStarted, 1)]);
    assert!(session.state_at(0).unwrap().root().is_empty());
    assert!(session.changes(0).unwrap().is_empty());
    assert!(session.state_at(2).is_err());
    assert!(session.event(0).is_err());
}

#[test]
fn rules_and_ids_link_effects_to_causes() {
    let mut session = simple(&[
        (Kind::AgentSpawned, 0),
        (Kind::AgentSpawned, 1),
        (Kind::AgentProgressed, 0),
        (Kind::AgentFailed, 1),
    ]);
    let cause = |p| session.timeline().cause(p).map(|c| c.position);
    assert_eq!((cause(1), cause(3), cause(4)), (None, Some(1), Some(2)));
    let effects: Vec<_> = session.timeline().effects(1).iter().map(|e| e.position).collect();
    assert_eq!(effects, [3]);
    assert_eq!(session.resolve(&Moment::parse("id-00003").unwrap()).unwrap(), 3);
    assert_eq!(session.resolve(&Moment::parse("AgentSpawned:1").unwrap()).unwrap(), 1);
}

#[test]
fn a_log_that_starts_anew_is_read_anew() {
    let store = store(&[(0, 0, 0), (5, 0, 1), (8, 0, 2)]);
    let mut session = Session::open(Arc::new(store.clone()), ISSUE, || ()).unwrap();
    session.pump_all().unwrap();
    assert_eq!(session.head(), 3);
    store.replace(ISSUE, format!("{}\n", line(1, Kind::PhaseStarted, 1, 0)).as_bytes());
    while session.head() != 1 {
        session.pump(Duration::from_secs(10), Duration::from_millis(8));
    }
    let kinds: Vec<_> = session.timeline().anomalies().iter().map(|a| a.kind).collect();
    assert!(kinds.contains(&AnomalyKind::Replaced), "{kinds:?}");
}

#[test]
fn damage_keeps_its_place_and_is_named() {
    let store = store(&[(0, 0, 0)]);
    store.push_raw(ISSUE, b"{\"event_id\": broken\n");
    store.push_raw(ISSUE, format!("{}\n", line(3, Kind::PhaseStarted, 1, 2)).as_bytes());
    store.push_raw(ISSUE, b"{\"torn\":");
    let mut session = Session::read(&store, ISSUE).unwrap();
    assert_eq!(session.head(), 3);
    assert_eq!(session.event(2).unwrap().kind, Kind::Unreadable);
    assert_eq!(session.event(3).unwrap().kind, Kind::PhaseStarted);
    let found: Vec<_> =
        session.timeline().anomalies().iter().map(|a| (a.position, a.kind)).collect();
    assert_eq!(found, [(2, AnomalyKind::NotJson), (0, AnomalyKind::TornTail)]);
    assert_eq!(session.raw(2).unwrap(), b"{\"event_id\": broken");
}

#[test]
fn repeated_and_reused_ids_sequences_and_clocks_are_anomalies() {
    let store = MemoryStore::default();
    let first = line(1, Kind::PhaseStarted, 1, 10);
    let reused = line(1, Kind::PhaseStarted, 2, 10);
    let back = line(5, Kind::PhaseCompleted, 1, 2);
    for text in [&first, &first, &reused, &back] {
        store.push_raw(ISSUE, format!("{text}\n").as_bytes());
    }
    let session = Session::read(&store, ISSUE).unwrap();
    let found: Vec<_> = session
        .timeline()
        .anomalies()
        .iter()
        .filter(|a| a.kind != AnomalyKind::GuardViolated)
        .map(|a| (a.position, a.kind))
        .collect();
    use AnomalyKind::{DuplicateId, ReusedId, SequenceGap, SequenceRepeated, TimeRunsBack};
    assert_eq!(
        found,
        [
            (2, SequenceRepeated),
            (2, DuplicateId),
            (3, SequenceRepeated),
            (3, ReusedId),
            (4, TimeRunsBack),
            (4, SequenceGap),
        ]
    );
}

#[test]
fn search_finds_forward_and_backward() {
    let mut session =
        simple(&[(Kind::PhaseStarted, 0), (Kind::AgentSpawned, 0), (Kind::PhaseStarted, 1)]);
    let patient = Duration::from_secs(60);
    assert_eq!(session.search("AGENTSPAWNED", 0, true, patient).unwrap(), Found::At(2));
    assert_eq!(session.search("AgentSpawned", 2, true, patient).unwrap(), Found::Nothing);
    assert_eq!(session.search("phasestarted", 3, false, patient).unwrap(), Found::At(1));
}

#[test]
fn a_search_goes_on_from_where_its_time_ran_out() {
    let events: Vec<_> = (0..50).map(|n| (Kind::TaskCreated, n)).collect();
    let mut session = simple(&events);
    for (forward, from) in [(true, 0), (false, 51)] {
        let (mut at, mut hits) = (from, Vec::new());
        for _ in 0..500 {
            match session.search("a1\"", at, forward, Duration::ZERO).unwrap() {
                Found::At(hit) => {
                    hits.push(hit);
                    at = hit;
                }
                Found::Budget { reached } => at = reached,
                Found::Nothing => break,
            }
        }
        let mut expected: Vec<Position> = (1..=50).filter(|n| n % 2 == 0).collect();
        if !forward {
            expected.reverse();
        }
        assert_eq!(hits, expected, "{forward}");
    }
}

#[test]
fn a_long_event_is_not_read_again() {
    let store = MemoryStore::new(Clock::Fixed(Timestamp::from_millis(0)));
    let short = line(1, Kind::DecisionMade, 0, 0);
    let deep = format!("[{}0]", "[1, {\"a\": null}], ".repeat(100_000));
    let long = short.replace("\"metadata\":{", &format!("\"metadata\":{{\"deep\":{deep},"));
    assert_ne!(long, short);
    store.push_raw(ISSUE, format!("{long}\n").as_bytes());
    let mut session = Session::read(&store, ISSUE).unwrap();
    let (state, changes) = (session.state_at(1).unwrap(), session.changes(1).unwrap());
    assert!(session.is_quick(1));
    session.cache.clear();
    // As much of the log as must be read for this is nothing.
    store.replace(ISSUE, b"");
    assert_eq!(session.state_at(1).unwrap().value(), state.value());
    assert_eq!(session.changes(1).unwrap(), changes);
    assert!(!changes.is_empty() && session.summary(1).is_ok() && session.raw(1).is_err());
    // It is what would be read.
    store.replace(ISSUE, format!("{long}\n").as_bytes());
    let kept = session.event(1).unwrap();
    session.long = LongEvents::default();
    assert_eq!(session.event(1).unwrap(), kept);
    assert_eq!(session.raw_head(1, 20).unwrap(), long.as_bytes()[..20]);
    let Some(Value::Long(deep_value)) = kept.get("deep") else { panic!("{kept:?}") };
    assert_eq!(session.long_value(deep_value).unwrap(), deep);
}

#[test]
fn a_snapshot_of_another_log_is_found_out() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("2026-06-01").join(ISSUE);
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("events.jsonl");
    std::fs::write(&file, store(&[(0, 0, 0), (5, 0, 1), (8, 0, 2)]).bytes(ISSUE)).unwrap();
    let local = LocalStore::open(dir.path(), Clock::Fixed(Timestamp::default())).unwrap();
    let mut session = Session::read(&local, ISSUE).unwrap();
    snapshots::take(&local, &mut session, 3, Timestamp::default()).unwrap();
    let log = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, log.replace("s-1", "s-2")).unwrap();
    let details: Vec<_> =
        snapshots::compare(&local, ISSUE).unwrap().into_iter().map(|m| m.detail).collect();
    assert_eq!(details.len(), 2, "{details:?}");
    assert!(details[0].contains("state"), "{details:?}");
    assert!(details[1].contains("not those that were hashed"), "{details:?}");
}

#[test]
fn snapshots_that_are_due_go_on_from_the_last_one() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("2026-06-01").join(ISSUE);
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("events.jsonl");
    let all: Vec<_> = (0..240).map(|n| (n * 7, (n % 5) as u8, n as i64)).collect();
    let bytes = store(&all).bytes(ISSUE);
    let half = bytes[..bytes.len() / 2].iter().rposition(|b| *b == b'\n').unwrap() + 1;
    let local = LocalStore::create(dir.path(), Clock::Fixed(Timestamp::default())).unwrap();
    for part in [&bytes[..half], &bytes[..]] {
        std::fs::write(&file, part).unwrap();
        let kept = snapshots::take_if_due(&local, ISSUE, Timestamp::default()).unwrap();
        assert!(kept.is_some());
        let again = snapshots::take_if_due(&local, ISSUE, Timestamp::default()).unwrap();
        assert_eq!(again, None, "nothing came since");
    }
    assert_eq!(local.snapshots(Some(ISSUE)).unwrap().len(), 2);
    assert_eq!(snapshots::compare(&local, ISSUE).unwrap(), []);
}

#[test]
fn a_torn_tail_is_an_anomaly_only_while_it_is_torn() {
    let store = store(&[(0, 0, 0)]);
    let second = line(2, Kind::PhaseStarted, 1, 1);
    let (begun, rest) = second.split_at(40);
    store.push_raw(ISSUE, begun.as_bytes());
    let mut session = Session::open(Arc::new(store.clone()), ISSUE, || ()).unwrap();
    session.pump_all().unwrap();
    let torn = |session: &Session| {
        let anomalies = session.timeline().anomalies();
        anomalies.iter().filter(|a| a.kind == AnomalyKind::TornTail).count()
    };
    assert_eq!((session.head(), torn(&session)), (1, 1));
    store.push_raw(ISSUE, format!("{rest}\n").as_bytes());
    while session.head() < 2 {
        session.pump(Duration::from_secs(10), Duration::from_millis(8));
    }
    assert_eq!(torn(&session), 0);
}

#[test]
fn the_next_steps_back_are_there_without_the_log() {
    let all: Vec<_> = (0..100).map(|n| (n * 7, (n % 5) as u8, n as i64)).collect();
    for back in [1, 3, 10] {
        let store = store(&all);
        let mut session = Session::read(&store, ISSUE).unwrap();
        let expected: Vec<State> = (0..=100)
            .map(|at| Session::read(&store, ISSUE).unwrap().state_at(at).unwrap())
            .collect();
        session.state_at(95).unwrap();
        session.state_at(95 - back).unwrap();
        store.replace(ISSUE, b"");
        let mut at = 95 - back;
        while at > 64 + back {
            at -= back;
            assert!(session.state_at(at).unwrap() == expected[at as usize], "{at}");
        }
        // (Nobody passed this one on the way.)
        assert!(back == 1 || session.state_at(95 - back - 1).is_err());
    }
}
