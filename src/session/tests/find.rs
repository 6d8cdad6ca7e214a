//! The search for where an expression holds, against a naive scan.

use proptest::prelude::*;

use super::*;
use crate::query::expression::{Expression, Subject};
use crate::session::find::{Direction, Finder};

/// Expressions of each kind of reading: the event, the state, both, the state before.
const SOUGHT: &[&str] = &[
    r#".event_type == "AgentFailed""#,
    r#".event_type == "AgentFailed" or .event_type == "GapIdentified" and (.metadata.severity != "x")"#,
    r#".metadata.agent_name == "x1""#,
    r#"$state.agents.x1.status == "failed""#,
    r#"$state.agents.x1.status != "failed""#,
    r#"[$state.agents[]? | select(.status == "running")] | length > 1"#,
    r#"$state.orchestration.current_phase != $before.orchestration.current_phase"#,
    r#".event_type == "AgentSpawned" and ($state.agents | length) > 1"#,
    r#"$state.counters.events % 3 == 0"#,
    r#"($state | length) > 5"#,
    r#".metadata.agent_name as $n | $state.agents[$n].status == "completed""#,
    r#"$before.agents.x0.status == "running""#,
    r#".metadata.missing + 1 == 2"#,
];

/// What `Finder` must find: each position judged on its own, from states folded directly.
fn naive(session: &mut Session, expression: &Expression) -> Vec<Position> {
    let held: Vec<bool> = (0..=session.head())
        .map(|position| {
            let states = [position, position.saturating_sub(1)].map(|p| direct(session, p));
            let event = match position {
                0 => Value::Null,
                _ => serde_json::from_slice(&session.raw(position).unwrap()).unwrap(),
            };
            let [state, before] = states.each_ref().map(State::value);
            expression.holds(Subject { event: &event, state: &state, before: &before }) == Ok(true)
        })
        .collect();
    (1..=session.head())
        .filter(|p| held[*p as usize] && !(expression.uses_state() && held[*p as usize - 1]))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn find_agrees_with_a_naive_scan_both_ways(events in history(), which in 0..SOUGHT.len(), cut in any::<(u32, u32)>()) {
        let expression = Expression::parse(SOUGHT[which]).unwrap();
        let mut session = Session::read(&store(&events), ISSUE).unwrap();
        let head = session.head();
        let expected = naive(&mut session, &expression);
        let (a, b) = (1 + cut.0 % head, 1 + cut.1 % head);
        for (first, last) in [(1, head), (a.min(b), a.max(b))] {
            let within: Vec<Position> =
                expected.iter().copied().filter(|p| (first..=last).contains(p)).collect();
            for direction in [Direction::Forward, Direction::Backward] {
                let mut finder = Finder::new(&session, expression.clone(), (first, last), direction);
                let mut found: Vec<Position> =
                    finder.all(&mut session).unwrap().iter().map(|m| m.position).collect();
                if direction == Direction::Backward {
                    found.reverse();
                }
                prop_assert_eq!(&found, &within, "{} {:?}", SOUGHT[which], direction);
            }
        }
    }
}
