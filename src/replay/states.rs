//! The state that each event of a plan finds: what stands before it in the log, without what did
//! not happen.
//!
//! Lives here: [`States`]. May not live here: who has a turn, and what became of it.
//!
//! With several jobs events have their turn in another order than that of the log, and are judged
//! as if they had it in the log's: what has no end yet is taken to happen. Who depends on how it
//! ends comes behind it in the plan's order.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Order, Plan};
use super::run::Events;
use crate::error::Result;
use crate::fold::{self, State};
use crate::model::{Event, Position};

/// How many events are between two states that are kept.
const STRIDE: Position = 64;

/// The states of a run.
pub(super) struct States {
    /// The last position that is in `state`.
    at: Position,
    state: State,
    /// States to go back to; none where the order is that of the log.
    kept: Option<BTreeMap<Position, State>>,
    /// The events that count as if they had not happened.
    gone: BTreeSet<Position>,
}

impl States {
    pub(super) fn new(plan: &Plan) -> Self {
        let (at, state) = (plan.from - 1, plan.start.clone());
        let kept = match plan.order {
            Order::OneByOne => None,
            Order::Causal { .. } => Some([(at, state.clone())].into()),
        };
        Self { at, state, kept, gone: BTreeSet::new() }
    }

    /// Whether an event did not happen.
    pub(super) fn is_gone(&self, position: Position) -> bool {
        self.gone.contains(&position)
    }

    /// The state before an event.
    ///
    /// # Errors
    /// Unavailable, when an event cannot be read.
    pub(super) fn before(&mut self, position: Position, events: &mut dyn Events) -> Result<&State> {
        if self.at >= position {
            self.go_back(position - 1);
        }
        while self.at + 1 < position {
            let next = self.at + 1;
            if !self.is_gone(next) {
                fold::advance(&mut self.state, &events.event(next)?);
            }
            self.is_at(next);
        }
        Ok(&self.state)
    }

    /// An event happened, or did not.
    pub(super) fn settle(&mut self, event: &Event, happened: bool) {
        let position = event.position;
        if !happened {
            self.gone.insert(position);
            if self.at >= position {
                self.go_back(position - 1);
            }
            if let Some(kept) = &mut self.kept {
                kept.retain(|at, _| *at < position);
            }
        }
        if self.at + 1 == position {
            if happened {
                fold::advance(&mut self.state, event);
            }
            self.is_at(position);
        }
    }

    /// The state at the end, and the events that are not in it.
    ///
    /// # Errors
    /// Unavailable, when an event cannot be read.
    pub(super) fn finish(
        mut self,
        to: Position,
        events: &mut dyn Events,
    ) -> Result<(State, BTreeSet<Position>)> {
        self.before(to + 1, events)?;
        Ok((self.state, self.gone))
    }

    fn is_at(&mut self, position: Position) {
        self.at = position;
        if let Some(kept) = &mut self.kept
            && position.is_multiple_of(STRIDE)
        {
            kept.insert(position, self.state.clone());
        }
    }

    /// Goes back to the last state that is kept up to `position`.
    fn go_back(&mut self, position: Position) {
        let kept = self.kept.iter().flat_map(|kept| kept.range(..=position));
        if let Some((at, state)) = kept.last() {
            (self.at, self.state) = (*at, state.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;
    use crate::replay::Handlers;
    use crate::replay::tests::plan;
    use crate::schema::upcast;

    /// Events of a few agents, each of which changes the state.
    struct Log;

    impl Events for Log {
        fn event(&mut self, position: Position) -> Result<Event> {
            let text = String::from_utf8(self.line(position)?).unwrap_or_default();
            Ok(upcast::read_event(&text, position, Timestamp::default()).0)
        }

        fn line(&mut self, position: Position) -> Result<Vec<u8>> {
            let event = serde_json::json!({
                "event_id": format!("e{position}"), "event_type": "AgentProgressed",
                "metadata": { "agent_name": format!("a{}", position % 5), "progress": position },
            });
            Ok(event.to_string().into_bytes())
        }
    }

    fn folded(until: Position, gone: &[Position]) -> State {
        let mut state = State::new();
        for position in (1..until).filter(|position| !gone.contains(position)) {
            fold::advance(&mut state, &Log.event(position).unwrap());
        }
        state
    }

    #[test]
    fn whatever_the_order_each_event_finds_what_the_log_has_before_it() {
        let causal = Order::Causal { before: Vec::new(), after: Vec::new() };
        let plan = Plan { order: causal, ..plan(400, Handlers::default()) };
        let mut states = States::new(&plan);
        let mut gone: Vec<Position> = Vec::new();
        // Far ahead and back again, with some of them gone before and behind.
        for (number, position) in [1, 2, 300, 3, 130, 129, 300, 64, 65, 5, 299].iter().enumerate() {
            let found = states.before(*position, &mut Log).unwrap();
            assert_eq!(found.digest(), folded(*position, &gone).digest(), "#{position}");
            let happened = number % 3 != 1;
            states.settle(&Log.event(*position).unwrap(), happened);
            gone.extend((!happened).then_some(*position));
        }
        let (state, left) = states.finish(400, &mut Log).unwrap();
        assert_eq!(state.digest(), folded(401, &gone).digest());
        assert!(!gone.is_empty() && left.into_iter().all(|position| gone.contains(&position)));
    }

    #[test]
    fn in_the_order_of_the_log_nothing_is_kept() {
        let mut states = States::new(&plan(200, Handlers::default()));
        for position in 1..=200 {
            states.before(position, &mut Log).unwrap();
            states.settle(&Log.event(position).unwrap(), position != 9);
        }
        assert!(states.kept.is_none() && states.is_gone(9));
        let (state, _) = states.finish(200, &mut Log).unwrap();
        assert_eq!(state.digest(), folded(201, &[9]).digest());
    }
}
