//! What happened before what, and races, on logs that are woven at random.

use proptest::prelude::*;

use super::*;

/// A log of four actors that spawn each other and name causes, some of them not there yet.
fn woven(events: &[(u8, u8, u8)]) -> MemoryStore {
    let store = MemoryStore::new(Clock::Fixed(Timestamp::from_millis(0)));
    for (at, (actor, kind, cause)) in events.iter().enumerate() {
        let sequence = at + 1;
        let (kind, metadata) = match kind % 4 {
            0 => ("AgentSpawned", serde_json::json!({"agent_name": format!("a{}", cause % 4)})),
            1 => ("AgentCompleted", serde_json::json!({"agent_name": format!("a{actor}")})),
            2 => (
                "GapIdentified",
                serde_json::json!({"gap_id": "g", "severity": format!("s{sequence}")}),
            ),
            _ => (
                "TaskClaimed",
                serde_json::json!({"task_id": "t", "claimed_by": format!("a{actor}")}),
            ),
        };
        let mut event = serde_json::json!({
            "event_id": format!("id-{sequence:05}"),
            "event_type": kind,
            "timestamp": Timestamp::from_millis(1_780_000_000_000),
            "event_sequence": sequence,
            "issue_key": ISSUE,
            "session_id": "s-1",
            "actor": { "type": "agent", "id": format!("a{actor}") },
            "metadata": metadata,
        });
        if cause % 3 == 0 {
            let named = usize::from(cause / 3) % (events.len() + 1);
            event["causation_id"] = format!("id-{named:05}").into();
        }
        store.push_raw(ISSUE, format!("{event}\n").as_bytes());
    }
    store
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn happens_before_is_a_partial_order(events in proptest::collection::vec((0_u8..4, any::<u8>(), any::<u8>()), 2..40)) {
        use crate::timeline::{Order, Relation};
        let session = Session::read(&woven(&events), ISSUE).unwrap();
        let order = Order::new(session.timeline());
        let head = session.head();
        let relation = |a, b| order.relation(a, b);
        for a in 1..=head {
            prop_assert_eq!(relation(a, a), Relation::Same);
            for b in 1..=head {
                let back = match relation(a, b) {
                    Relation::Before => Relation::After,
                    Relation::After => Relation::Before,
                    other => other,
                };
                prop_assert_eq!(relation(b, a), back);
                // What is before stands before in the log: causes that do not are anomalies.
                prop_assert!(relation(a, b) != Relation::Before || a < b);
                for c in 1..=head {
                    if relation(a, b) == Relation::Before && relation(b, c) == Relation::Before {
                        prop_assert_eq!(relation(a, c), Relation::Before);
                    }
                }
            }
        }
        let actor = |p: Position| session.timeline().row(p).map(|row| row.actor);
        for race in order.races(session.timeline()) {
            prop_assert_eq!(relation(race.first, race.second), Relation::Concurrent);
            prop_assert!(actor(race.first) != actor(race.second));
            for p in [race.first, race.second] {
                prop_assert!(session.timeline().writers(&race.path).contains(p));
            }
        }
        // None is missed: of each path, the last write of each other actor before a write.
        let races: std::collections::HashSet<_> = order.races(session.timeline()).into_iter().map(|r| (r.first, r.second, r.path)).collect();
        let path = Path::parse("/gaps/g/severity").unwrap();
        let writers = session.timeline().writers(&path).to_vec();
        for (at, second) in writers.iter().enumerate() {
            if let Some(first) = at.checked_sub(1).map(|at| writers[at])
                && actor(first) != actor(*second)
            {
                let expected = relation(first, *second) == Relation::Concurrent;
                prop_assert_eq!(races.contains(&(first, *second, path.clone())), expected);
            }
        }
    }
}
