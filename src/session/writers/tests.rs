use super::*;
use crate::clock::Clock;
use crate::error::Error;
use crate::model::Timestamp;
use crate::session::breakpoint::{Condition, Hits, Outcome, Run};
use crate::session::scan::{self, Sketch};
use crate::store::EventStore;
use crate::store::memory::MemoryStore;

/// Calls of which the first and the third have the same id: so many of their events.
fn log(events: usize) -> MemoryStore {
    let store = MemoryStore::new(Clock::Fixed(Timestamp::from_millis(0)));
    let inputs = [
        r#"{"pattern":"x","paths":["p","q"],"deep":{"k":1}}"#,
        r#"{"pattern":"x","paths":["p","r"]}"#,
        r#"{"pattern":"y","deep":{"k":1}}"#,
    ];
    for number in 0..events {
        let (call, ends) = (number / 2, number % 2 == 1);
        let kind = if ends { "ToolCompleted" } else { "ToolInvoked" };
        let id = ["a", "b", "a"][call];
        let mut metadata = serde_json::json!({"tool_use_id": id, "tool_name": "Glob"});
        if !ends {
            metadata["input"] = serde_json::from_str(inputs[call]).unwrap();
        }
        let event = serde_json::json!({
            "event_id": format!("id-{number}"), "event_type": kind,
            "timestamp": "2026-06-01T10:00:00Z", "issue_key": "I-1", "session_id": "s",
            "actor": {"type": "agent", "id": "x"}, "metadata": metadata,
        });
        store.push_raw("I-1", format!("{event}\n").as_bytes());
    }
    store
}

fn session() -> Session {
    Session::read(&log(6), "I-1").unwrap()
}

/// Paths, and who wrote them.
const EXPECTED: [(&str, &[Position]); 11] = [
    ("/tools/Glob/open/a", &[1, 2, 5, 6]),
    ("/tools/Glob/open/a/input", &[1, 2, 5, 6]),
    ("/tools/Glob/open/a/input/pattern", &[1, 2, 5, 6]),
    ("/tools/Glob/open/a/input/paths", &[1, 2]),
    ("/tools/Glob/open/a/input/paths/0", &[1, 2]),
    ("/tools/Glob/open/a/input/nothing", &[]),
    ("/tools/Glob/open/a/input/deep/k", &[1, 2, 5, 6]),
    ("/tools/Glob/last/input/paths", &[1, 3, 5]),
    ("/tools/Glob/last/input/paths/0", &[1, 5]),
    ("/tools/Glob/last/input/paths/1", &[1, 3, 5]),
    ("/tools/Glob/last/input/paths/2", &[]),
];

#[test]
fn what_is_in_a_whole_has_only_the_writers_that_its_values_tell_of() {
    let mut session = session();
    let head = session.head();
    for (text, expected) in EXPECTED {
        let path = Path::parse(text).unwrap();
        let values: Vec<_> = (0..=head).map(|p| session.value_at(&path, p).unwrap()).collect();
        let changed = (1..=head).filter(|p| values[*p as usize] != values[*p as usize - 1]);
        assert_eq!(changed.collect::<Vec<_>>(), expected, "{text}");
        for at in 0..=head + 1 {
            let after: Vec<_> = expected.iter().copied().filter(|p| *p > at).collect();
            let before = expected.iter().copied().rfind(|p| *p <= at);
            assert_eq!(
                session.next_writer(&path, at).unwrap(),
                after.first().copied(),
                "{text} {at}"
            );
            assert_eq!(session.previous_writer(&path, at).unwrap(), before, "{text} {at}");
            let all = session.writers_between(&path, (at, head), || false).unwrap();
            assert_eq!(all, (after, head), "{text} {at}");
        }
    }
}

#[test]
fn a_search_that_pauses_finds_the_same() {
    let mut session = session();
    let head = session.head();
    for (text, expected) in EXPECTED {
        let path = Path::parse(text).unwrap();
        let (mut found, mut judged) = (Vec::new(), 0);
        while judged < head {
            let piece = session.writers_between(&path, (judged, head), || true).unwrap();
            found.extend(piece.0);
            judged = piece.1;
        }
        assert_eq!(found, expected, "{text}");
        for direction in [Direction::Forward, Direction::Backward] {
            let mut finder = WriterFinder::new(path.clone(), (1, head), direction);
            let mut found = Vec::new();
            loop {
                match finder.step(&mut session, || true).unwrap() {
                    Found::At(position) => found.push(position),
                    Found::Budget { .. } => {}
                    Found::Nothing => break,
                }
            }
            found.sort_unstable();
            assert_eq!(found, expected, "{text} {direction:?}");
        }
    }
}

#[test]
fn breakpoints_on_what_is_in_a_whole_stop_where_it_was_written() {
    let mut session = session();
    for (text, expected) in EXPECTED {
        let condition = Condition::parse(text).unwrap();
        let mut hits = Hits::default();
        while !hits.is_whole(session.head()) {
            hits.step(&mut session, &condition).unwrap();
        }
        assert_eq!(hits.positions(), expected, "{text}");
        let mut run = Run::new(&session, &[condition], 2, Direction::Forward);
        let found = loop {
            match run.step(&mut session, || true).unwrap() {
                Outcome::Going => {}
                Outcome::Hit(position, 0) => break Some(position),
                Outcome::Hit(..) | Outcome::Nothing => break None,
            }
        };
        assert_eq!(found, expected.iter().copied().find(|p| *p > 2), "{text}");
    }
}

#[test]
fn what_was_written_after_a_position_is_counted_once_it_was_looked_at() {
    let mut session = session();
    let paths = EXPECTED.map(|(path, _)| path.to_owned());
    let mut written = WrittenAfter::default();
    written.sync(&paths, 4);
    while written.has_work(session.head()) {
        written.step(&mut session, || true).unwrap();
    }
    let expected = EXPECTED.iter().filter(|(_, all)| all.iter().any(|p| *p > 4)).count();
    assert_eq!(written.count(), expected);
}

#[test]
fn whoever_wrote_a_path_by_itself_is_known_without_reading() {
    let mut session = session();
    let path = Path::parse("/tools/Glob/calls").unwrap();
    session.cache.clear();
    assert_eq!(session.previous_writer(&path, 6).unwrap(), Some(5));
    assert_eq!(session.next_writer(&path, 0).unwrap(), Some(1));
    assert!(session.cache.is_empty());
}

#[test]
fn what_is_not_folded_yet_is_not_said_to_have_no_writer() {
    // A session that has folded two events, and has seen six.
    let mut session = Session::read(&log(2), "I-1").unwrap();
    let mut tail = log(6).tail("I-1").unwrap();
    let mut sketch = Sketch::new("I-1", tail.fetcher());
    sketch.timeline.push_seen(&scan::seen(&tail.poll(1 << 20).unwrap()));
    session.sketch = Some(sketch);
    let path = Path::parse("/tools/Glob/calls").unwrap();
    let told = |error: Error| error.message().contains("2 of 6 events are folded");
    assert_eq!(session.next_writer(&path, 0).unwrap(), Some(1));
    assert_eq!(session.previous_writer(&path, 2).unwrap(), Some(1));
    assert!(told(session.next_writer(&path, 1).unwrap_err()));
    assert!(told(session.previous_writer(&path, 4).unwrap_err()));
    let mut run = |text: &str| {
        let condition = [Condition::parse(text).unwrap()];
        let mut run = Run::new(&session, &condition, 1, Direction::Forward);
        run.step(&mut session, || true)
    };
    assert!(told(run("/tools/Glob/calls").unwrap_err()));
    // For an expression what is near is folded again.
    let found = run("$state.tools.Glob.calls == 2").unwrap();
    assert_eq!(found, Outcome::Hit(3, 0));
    let mut written = WrittenAfter::default();
    written.sync(&[path.to_string()], 1);
    written.step(&mut session, || true).unwrap();
    assert!(written.count() == 0 && !written.has_work(2) && written.has_work(6));
}
