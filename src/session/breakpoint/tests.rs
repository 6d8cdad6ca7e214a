use super::*;
use crate::clock::Clock;
use crate::model::Timestamp;
use crate::store::memory::MemoryStore;

fn session() -> Session {
    let store = MemoryStore::new(Clock::Fixed(Timestamp::from_millis(0)));
    store.push_raw("PROJ-123", include_bytes!("../../../assets/demo/proj-123.jsonl"));
    Session::read(&store, "PROJ-123").unwrap()
}

/// Runs to the end in one direction, from hit to hit.
fn run_all(session: &mut Session, all: &[Condition], direction: Direction) -> Vec<Position> {
    let mut at = match direction {
        Direction::Forward => 0,
        Direction::Backward => session.head() + 1,
    };
    let mut stops = Vec::new();
    loop {
        let mut run = Run::new(session, all, at, direction);
        loop {
            match run.step(session, || true).unwrap() {
                Outcome::Going => assert!(run.progress() <= 100),
                Outcome::Nothing => return stops,
                Outcome::Hit(position, _) => {
                    stops.push(position);
                    at = position;
                    break;
                }
            }
        }
    }
}

#[test]
fn runs_stop_at_every_hit_of_every_condition_and_nowhere_else() {
    let mut session = session();
    let texts = [
        ".event_type | endswith(\"Failed\")",
        "$state.orchestration.status == \"completed\"",
        "/agents/oauth-integrator/status",
        "[$state.agents[]? | select(.status == \"running\")] | length > 2",
    ];
    let all: Vec<Condition> = texts.iter().map(|text| Condition::parse(text).unwrap()).collect();
    let mut expected = Vec::new();
    for condition in &all {
        let mut hits = Hits::default();
        while !hits.is_whole(session.head()) {
            hits.step(&mut session, condition).unwrap();
        }
        let one = run_all(&mut session, std::slice::from_ref(condition), Direction::Forward);
        assert_eq!(one, hits.positions(), "{condition:?}");
        expected.extend_from_slice(hits.positions());
    }
    expected.sort_unstable();
    expected.dedup();
    assert!(expected.len() > 10, "{expected:?}");
    assert_eq!(run_all(&mut session, &all, Direction::Forward), expected);
    expected.reverse();
    assert_eq!(run_all(&mut session, &all, Direction::Backward), expected);
}

#[test]
fn what_is_no_condition_is_refused() {
    for (text, why) in [
        ("/counters/events", "every event writes"),
        ("/a~2", "is no path"),
        (".a |", "expected"),
        ("", "empty"),
    ] {
        let error = Condition::parse(text).unwrap_err();
        assert!(error.message().contains(why), "{text}: {error}");
    }
}
