//! Which events a replay goes through, in which order, and what stands in the way of each.
//!
//! Lives here: [`Plan`] and the judgement of one event. May not live here: executing anything.
//!
//! All events of the range are gone through; those that are not selected are history, and count
//! as they are recorded.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::{SmolStr, format_smolstr};

use super::handler::{Handler, Handlers};
use super::outcome::Status;
use super::policy::Policies;
use crate::fold::{self, State};
use crate::model::catalogue::ReplayPolicy;
use crate::model::{Event, Kind, Position};

/// Why nothing is executed for a record.
const NOTHING_TO_EXECUTE: &str = "a record: there is nothing to execute";
/// Why an event that acts upon the outside is left alone.
const NOT_REPEATABLE: &str =
    "it acts upon the outside and is not repeated (replay.non_replayable_events)";
/// Why an event that is recorded twice is executed once.
const REPEATED: &str = "the same event stands before it in the log (duplicate-id)";

/// The order in which events have their turn.
#[derive(Debug)]
pub enum Order {
    /// That of the log.
    OneByOne,
    /// Causes first, an actor's events in order, and those about one thing in order; all else at
    /// the same time. For each event of the range how many come right before it, and which
    /// come right after it, as numbers within the range.
    Causal {
        /// How many come right before.
        before: Vec<u32>,
        /// Which come right after.
        after: Vec<Vec<u32>>,
    },
}

/// What is to be replayed.
#[derive(Debug)]
pub struct Plan {
    /// The issue.
    pub issue_key: String,
    /// The first event.
    pub from: Position,
    /// The last event; before `from` where there is none.
    pub to: Position,
    /// The state before the first event.
    pub start: State,
    /// The events that are asked for, sorted; none for all of the range.
    pub selected: Option<Vec<Position>>,
    /// For each event of the range its cause; 0 where none is known.
    pub causes: Vec<Position>,
    /// The events whose precondition did not hold in the record either.
    pub broken: FxHashSet<Position>,
    /// For events that the plan has before, id and all, where.
    pub repeated: FxHashMap<Position, Position>,
    /// Who comes when.
    pub order: Order,
    /// What may be done.
    pub policies: Policies,
    /// By what.
    pub handlers: Handlers,
}

/// What is to be done with an event.
#[derive(Debug)]
pub(super) enum Turn {
    /// Nothing: it comes to this, for this reason. It happened, unless `happened` is false.
    Over {
        /// What it comes to; none for history.
        status: Option<Status>,
        reason: Option<SmolStr>,
        happened: bool,
    },
    /// It is executed.
    Execute(Arc<Handler>),
}

/// What came before an event that has its turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Past {
    /// Its cause, where that failed.
    pub(super) failed: Option<Position>,
    /// The same event, and whether it failed.
    pub(super) same: Option<(Position, bool)>,
}

impl Turn {
    fn over(status: Status, reason: SmolStr) -> Self {
        let happened = status != Status::Failed;
        Self::Over { status: Some(status), reason: Some(reason), happened }
    }
}

impl Plan {
    /// How many events there are in the range.
    #[must_use]
    pub fn len(&self) -> usize {
        (self.to + 1).saturating_sub(self.from) as usize
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many events are selected.
    #[must_use]
    pub fn count(&self) -> usize {
        self.selected.as_ref().map_or(self.len(), Vec::len)
    }

    /// Whether an event is asked for.
    #[must_use]
    pub fn is_selected(&self, position: Position) -> bool {
        self.selected.as_ref().is_none_or(|all| all.binary_search(&position).is_ok())
    }

    pub(super) fn number(&self, position: Position) -> usize {
        (position - self.from) as usize
    }

    pub(super) fn cause(&self, position: Position) -> Position {
        self.causes.get(self.number(position)).copied().unwrap_or(0)
    }

    /// What is to be done with an event in `state`.
    pub(super) fn judge(&self, event: &Event, state: &State, past: Past) -> Turn {
        if !self.is_selected(event.position) {
            return Turn::Over { status: None, reason: None, happened: true };
        }
        if event.kind == Kind::Unreadable {
            // That there is a line is all that it recorded, and stands.
            let reason = Some(SmolStr::new_static("its line cannot be read"));
            return Turn::Over { status: Some(Status::Failed), reason, happened: true };
        }
        if let Some(cause) = past.failed {
            return Turn::over(Status::Failed, format_smolstr!("its cause #{cause} failed"));
        }
        let policy = self.policies.of(event);
        if policy == ReplayPolicy::NotRepeatable {
            return Turn::over(Status::Skipped, SmolStr::new_static(NOT_REPEATABLE));
        }
        let handler = self.handlers.of(event).filter(|_| policy == ReplayPolicy::Execute);
        match past.same.filter(|_| handler.is_some()) {
            None => {}
            Some((_, false)) => {
                return Turn::over(Status::Skipped, SmolStr::new_static(REPEATED));
            }
            Some((same, true)) => {
                let reason = format_smolstr!("the same event, #{same}, failed");
                return Turn::over(Status::Failed, reason);
            }
        }
        match (fold::check(state, event), handler) {
            (Ok(()), Some(handler)) => Turn::Execute(Arc::clone(handler)),
            (Ok(()), None) if policy == ReplayPolicy::Record => {
                Turn::over(Status::Replayed, SmolStr::new_static(NOTHING_TO_EXECUTE))
            }
            (Ok(()), None) => {
                Turn::over(Status::Replayed, SmolStr::new_static("it has no handler"))
            }
            // The record has it all the same: what it says stands, and nothing is done again.
            (Err(why), handler) if self.broken.contains(&event.position) => {
                let reason = format_smolstr!("recorded against its precondition: {why}");
                match handler {
                    None => Turn::over(Status::Replayed, reason),
                    Some(_) => Turn::over(Status::Skipped, reason),
                }
            }
            (Err(why), _) => {
                Turn::over(Status::Failed, format_smolstr!("its precondition does not hold: {why}"))
            }
        }
    }
}
