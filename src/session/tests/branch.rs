//! What-if branches, against a fold with nothing kept.

use proptest::prelude::*;

use super::*;
use crate::session::branch;

/// The final state of a branch, folded with nothing kept: what is not left out, in order.
fn naive_branch(session: &mut Session, play: &branch::Play, to: Position) -> State {
    let mut state = State::new();
    let put_in = |state: &mut State, at: Position| {
        for (_, other) in play.inserted().iter().filter(|(p, _)| *p == at) {
            fold::apply(state, &other.event);
        }
    };
    put_in(&mut state, 0);
    for event in session.events(1..to + 1).unwrap() {
        let left_out = matches!(
            play.verdict(event.position),
            Some(
                branch::Verdict::Skipped | branch::Verdict::Replaced | branch::Verdict::Orphaned(_)
            )
        );
        if !left_out {
            fold::apply(&mut state, &event);
        }
        put_in(&mut state, event.position);
    }
    state
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_branch_differs_only_by_its_edits(events in history(), edits in proptest::collection::vec((0_u8..4, any::<u32>()), 0..6), looks in proptest::collection::vec(any::<u32>(), 4)) {
        use crate::timeline::branch::{Branch, Edit};
        let mut session = Session::read(&store(&events), ISSUE).unwrap();
        let head = session.head();
        let actual = session.state_at(head).unwrap().digest();

        let mut untouched = branch::Play::new(&mut session, Branch::new(0)).unwrap();
        untouched.finish(&mut session).unwrap();
        prop_assert_eq!(untouched.state_at(&mut session, head).unwrap().digest(), actual.clone());
        prop_assert_eq!(untouched.valid(), u64::from(head));

        let mut what_if = Branch::new(0);
        for (op, at) in &edits {
            let position = 1 + at % head;
            let event_id = session.event(position).unwrap().id.to_string();
            let event = serde_json::json!({"event_type": "AgentSpawned", "metadata": {"agent_name": "x1", "agent_model": "m"}});
            match op {
                0 | 1 => what_if.toggle_skip(position, &event_id).unwrap(),
                2 => what_if.push(Edit::Insert { after: position, event }).unwrap(),
                _ => what_if.push(Edit::Replace { position, event_id, event }).unwrap(),
            }
        }
        let mut play = branch::Play::new(&mut session, what_if.clone()).unwrap();
        // In pieces, as the screen does it.
        while !play.step(&mut session, || true).unwrap() {}
        for look in looks.iter().map(|look| look % (head + 1)).chain([head]) {
            let expected = naive_branch(&mut session, &play, look);
            prop_assert_eq!(play.state_at(&mut session, look).unwrap().digest(), expected.digest(), "at {}", look);
        }
        let left_out = play.verdicts().filter(|(_, v)| !matches!(v, branch::Verdict::Violated(_))).count() as u64;
        let violated = play.verdicts().filter(|(_, v)| matches!(v, branch::Verdict::Violated(_))).count() as u64;
        prop_assert_eq!(play.valid() + left_out + violated, u64::from(head));

        // Skip, then take back.
        let id = session.event(1).unwrap().id.to_string();
        let mut twice = Branch::new(0);
        twice.toggle_skip(1, &id).unwrap();
        twice.toggle_skip(1, &id).unwrap();
        let mut play = branch::Play::new(&mut session, twice).unwrap();
        play.finish(&mut session).unwrap();
        prop_assert_eq!(play.state_at(&mut session, head).unwrap().digest(), actual);
    }
}
