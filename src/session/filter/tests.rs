//! Tests of filters: what fits, wherever one begins to look.

use super::*;
use crate::clock::Clock;
use crate::model::Timestamp;
use crate::store::memory::MemoryStore;

fn session() -> Session {
    let store = MemoryStore::new(Clock::Fixed(Timestamp::from_millis(0)));
    store.push_raw("PROJ-123", include_bytes!("../../../assets/demo/proj-123.jsonl"));
    Session::read(&store, "PROJ-123").unwrap()
}

fn all(fitting: &Fitting) -> Vec<Position> {
    (0..fitting.len()).map(|number| fitting.get(number).unwrap()).collect()
}

/// What a test finds from somewhere on, checked at every step.
fn found(session: &mut Session, text: &str, from: Position) -> Vec<Position> {
    let test = Test::parse(text).unwrap();
    let head = session.head();
    let mut fitting = Fitting::new(from);
    let mut steps = 0;
    while !fitting.is_whole(head) {
        let judged = fitting.progress(head);
        fitting.step(session, &test).unwrap();
        assert!(fitting.progress(head) >= judged && fitting.progress(head) <= 100);
        let now = all(&fitting);
        assert!(now.is_sorted(), "{now:?}");
        steps += 1;
        assert!(steps < 2000, "{text}");
    }
    all(&fitting)
}

#[test]
fn wherever_it_begins_the_same_is_found() {
    let mut session = session();
    let head = session.head();
    for text in [
        ".event_type == \"ToolFailed\"",
        "$state.orchestration.current_phase != $before.orchestration.current_phase",
        "/agents/oauth-integrator/status",
        "toolfailed",
        "oauth !toolinvoked",
    ] {
        let expected = found(&mut session, text, head);
        assert!(!expected.is_empty() && expected.len() < 100, "{text}: {expected:?}");
        for from in [0, 1, 57, 103, head - 1] {
            assert_eq!(found(&mut session, text, from), expected, "{text} from {from}");
        }
    }
    assert_eq!(
        found(&mut session, "toolfailed", 9),
        found(&mut session, ".event_type == \"ToolFailed\"", 9)
    );
}

#[test]
fn steps_lead_to_what_fits_and_what_is_unknown_is_said() {
    use Direction::{Backward, Forward};
    let fitting = Fitting {
        before: vec![40, 30],
        after: vec![60, 70],
        from: 50,
        low: 20,
        high: 80,
        ..Fitting::new(50)
    };
    for (from, way, times, head, expected) in [
        (50, Forward, 1, 100, Next::At(60)),
        (60, Forward, 1, 100, Next::At(70)),
        (30, Forward, 3, 100, Next::At(70)),
        (70, Forward, 1, 100, Next::Unknown),
        (70, Forward, 1, 80, Next::Last(None)),
        (50, Forward, 9, 80, Next::Last(Some(70))),
        (10, Forward, 1, 80, Next::Unknown),
        (50, Backward, 2, 100, Next::At(30)),
        (30, Backward, 1, 100, Next::Unknown),
        (90, Backward, 1, 100, Next::Unknown),
    ] {
        assert_eq!(fitting.next(from, way, times, head), expected, "{from} {way:?} {times}");
    }
    let whole = Fitting { low: 1, ..fitting };
    assert_eq!(whole.next(30, Backward, 1, 80), Next::Last(None));
    assert_eq!(whole.next(45, Backward, 5, 80), Next::Last(Some(30)));
    assert!(whole.contains(40) && !whole.contains(41));
    assert!(whole.any_between(41, 60) && !whole.any_between(41, 59));
    assert_eq!((whole.rank(1), whole.rank(41), whole.rank(99)), (0, 2, 4));
}

#[test]
fn what_cannot_be_judged_does_not_fit_and_is_counted() {
    let mut session = session();
    let head = session.head();
    let test = Test::parse(".metadata.agent_name | keys | length > 0").unwrap();
    let mut fitting = Fitting::new(100);
    while !fitting.is_whole(head) {
        fitting.step(&mut session, &test).unwrap();
    }
    assert!(fitting.is_empty());
    assert_eq!(fitting.faults().map(|(count, ..)| count), Some(u64::from(head)));
}

#[test]
fn texts_are_words_expressions_or_paths() {
    for (text, is_words) in [
        ("login.ts", true),
        ("failed !tool", true),
        ("AgentFailed", true),
        (".event_type", false),
        ("any(.a; .b)", false),
        ("1 == 2", false),
        ("/agents/x", false),
    ] {
        let words = matches!(Test::parse(text).unwrap(), Test::Words(_));
        assert_eq!(words, is_words, "{text}");
    }
    for text in ["", "  ", "!", ".a |", "/a~2"] {
        Test::parse(text).unwrap_err();
    }
}
