//! Where an expression holds in a log that is read along: each event is folded once, as it comes.
//!
//! Lives here: [`Along`]. May not live here: reading the log; the search through one that is there (see
//! [`super::Finder`], which says the same of the same log).

use super::event_of;
use crate::fold::{self, State};
use crate::model::{Kind, Position, Timestamp, Value};
use crate::query::expression::{EvaluationFault, Expression, Subject};
use crate::schema::upcast;

/// How much of a line that is too long is looked at.
const HEAD: usize = 200;

/// The state of a log as far as it was read, and whether the expression holds there.
#[derive(Debug)]
pub struct Along {
    expression: Expression,
    state: State,
    position: Position,
    previous: Timestamp,
    held: bool,
}

impl Along {
    /// The beginning of a log.
    #[must_use]
    pub fn new(expression: Expression) -> Self {
        let state = State::new();
        let empty = state.value();
        let subject = Subject { event: &Value::Null, state: &empty, before: &empty };
        let held = expression.holds(subject).unwrap_or(false);
        Self { expression, state, position: 0, previous: Timestamp::default(), held }
    }

    /// The position of the last event that came.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Takes the next line; whether the expression is a match at one of its events: for one over the
    /// state, that it turns true there.
    ///
    /// # Errors
    /// Why it could not be evaluated, which makes it no match.
    pub fn take(&mut self, line: &[u8], too_long: bool) -> Result<bool, EvaluationFault> {
        if too_long {
            let head = String::from_utf8_lossy(line.get(..HEAD).unwrap_or(line)).into_owned();
            let event = upcast::unreadable_event(0, self.previous, &head);
            return self.take_event(event, b"");
        }
        let mut outcome = Ok(false);
        for (event, range, ..) in upcast::read_line_events(line, 0, self.previous) {
            let bytes = line.get(range).unwrap_or_default();
            let matches = self.take_event(event, bytes);
            outcome = match (outcome, matches) {
                (Ok(before), Ok(matches)) => Ok(before || matches),
                (Err(fault), _) | (_, Err(fault)) => Err(fault),
            };
        }
        outcome
    }

    fn take_event(
        &mut self,
        mut event: crate::model::Event,
        bytes: &[u8],
    ) -> Result<bool, EvaluationFault> {
        self.position += 1;
        self.previous = event.at;
        event.position = self.position;
        let before = self.state.clone();
        fold::advance(&mut self.state, &event);
        let json = match self.expression.reads().event {
            true => event_of(bytes, event.kind != Kind::Unreadable),
            false => Value::Null,
        };
        let subject = Subject { event: &json, state: &self.state.value(), before: &before.value() };
        let holds = self.expression.holds(subject);
        let held = std::mem::replace(&mut self.held, matches!(holds, Ok(true)));
        let is_new = !(self.expression.uses_state() && held);
        holds.map(|holds| holds && is_new)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Direction, Finder};
    use super::*;
    use crate::clock::Clock;
    use crate::session::Session;
    use crate::store::memory::MemoryStore;

    const LOG: &str = include_str!("../../../assets/demo/proj-123.jsonl");

    #[test]
    fn it_says_what_the_search_says() {
        let store = MemoryStore::new(Clock::Fixed(Timestamp::from_millis(0)));
        // A line that is no event, and two events on one line.
        let (first, second) = (LOG.lines().nth(30).unwrap(), LOG.lines().nth(31).unwrap());
        let log =
            LOG.replacen(&format!("{first}\n{second}\n"), &format!("{first}{second}\nno\n"), 1);
        assert_ne!(log, LOG);
        store.push_raw("PROJ-123", log.as_bytes());
        let mut session = Session::read(&store, "PROJ-123").unwrap();
        for text in [
            ".event_type == \"ToolFailed\"",
            "$state.orchestration.status == \"completed\"",
            "$state.orchestration.current_phase != $before.orchestration.current_phase",
            "[$state.agents[]? | select(.status == \"running\")] | length > 1",
            ".metadata.agent_name as $name | $state.agents[$name // \"\"].status == \"failed\"",
            "$state.orchestration.status != \"nothing\"",
            "$state.counters.events % 7 == 0",
        ] {
            let expression = Expression::parse(text).unwrap();
            let all = (1, session.head());
            let mut finder = Finder::new(&session, expression.clone(), all, Direction::Forward);
            let expected: Vec<Position> =
                finder.all(&mut session).unwrap().iter().map(|found| found.position).collect();
            let mut along = Along::new(expression);
            let mut found = Vec::new();
            for line in log.lines() {
                if along.take(line.as_bytes(), false).unwrap_or(false) {
                    found.push(along.position());
                }
            }
            assert_eq!(along.position(), session.head());
            assert_eq!(found, expected, "{text}");
        }
    }
}
