//! Which events of a plan wait for which, where several programs run at a time.
//!
//! Lives here: the order by causes, actors, and what events are about. May not live here: which
//! event is before which for other reasons (see [`crate::timeline::Order`]).

use std::collections::{BTreeMap, BTreeSet};

use super::{Reader, Session};
use crate::error::Result;
use crate::fold::{self, Applied};
use crate::model::{Key, Position};
use crate::replay::{Events, Order, Plan};
use crate::timeline;

/// Which events come right before which: those of the same actor, causes, and what is about the
/// same thing, be it that it only looks at it.
pub(super) fn causal(session: &mut Session, plan: &Plan) -> Result<Order> {
    let mut before = vec![0; plan.len()];
    let mut after = vec![Vec::new(); plan.len()];
    let order = timeline::Order::new(session.timeline());
    let mut last = Last::default();
    let mut state = plan.start.clone();
    let mut events = Reader::new(session);
    let mut applied = Applied::default();
    for (number, position) in (plan.from..=plan.to).enumerate() {
        let mut steps: BTreeSet<Position> = order.before(position).collect();
        let event = events.event(position)?;
        let looked_at = fold::presupposes(&event);
        applied.changes.clear();
        fold::apply_into(&mut state, &event, &mut applied);
        let written = applied.changes.iter().map(|change| &change.path);
        for thing in written.chain(&looked_at).filter_map(|path| thing(path.keys())) {
            steps.extend(last.at(&thing).filter(|earlier| *earlier != position));
            last.0.insert(thing, position);
        }
        for step in steps.into_iter().filter(|step| *step >= plan.from) {
            before[number] += 1;
            after[(step - plan.from) as usize].push(position - plan.from);
        }
    }
    Ok(Order::Causal { before, after })
}

/// The last event about each thing.
#[derive(Default)]
struct Last(BTreeMap<Vec<Key>, Position>);

impl Last {
    /// The last events about a thing, about what it is in, and about what is in it.
    fn at(&self, thing: &[Key]) -> impl Iterator<Item = Position> {
        let around = (1..thing.len()).filter_map(|depth| self.0.get(&thing[..depth]));
        let within = self.0.range(thing.to_vec()..);
        let within = within.take_while(|(key, _)| key.starts_with(thing)).map(|(_, at)| at);
        around.chain(within).copied()
    }
}

/// The thing that a path belongs to; none for sums, and for what every event writes.
fn thing(keys: &[Key]) -> Option<Vec<Key>> {
    let depth = match keys.first()?.as_str() {
        "counters" | "usage" | "custom" | "sessions" => return None,
        "git" | "quality" | "docs" | "jira" => 3,
        _ => 2,
    };
    Some(keys.iter().take(depth).cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Path;

    #[test]
    fn what_is_about_a_whole_is_about_all_that_is_in_it() {
        let thing = |pointer: &str| thing(Path::parse(pointer).unwrap().keys());
        let mut last = Last::default();
        for (at, pointer) in (1..).zip(["/quality/tests/unit/status", "/quality/tests/e2e"]) {
            last.0.insert(thing(pointer).unwrap(), at);
        }
        let at = |last: &Last, pointer| last.at(&thing(pointer).unwrap()).collect::<Vec<_>>();
        assert_eq!(at(&last, "/quality/tests/unit/runs"), [1]);
        assert_eq!(at(&last, "/quality"), [2, 1]);
        last.0.insert(thing("/quality").unwrap(), 3);
        assert_eq!(at(&last, "/quality/tests/e2e/status"), [3, 2]);
        assert!(at(&last, "/qualities").is_empty() && thing("/counters/events").is_none());
    }
}
