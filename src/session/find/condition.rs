//! An expression over the state as a condition of a query.
//!
//! Lives here: [`StateWhere`]. May not live here: the search itself (see [`super`]).

use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;

use super::{Direction, Finder, Match};
use crate::error::Result;
use crate::model::Position;
use crate::query::expression::{EvaluationFault, Expression, Faults};
use crate::query::{Candidate, Predicate};
use crate::session::Session;
use crate::store::EventStore;

/// An expression over the state, as a condition of a query: the log of each issue that comes up is
/// searched once, in full.
pub struct StateWhere {
    store: Arc<dyn EventStore>,
    expression: Expression,
    found: Mutex<FxHashMap<String, Vec<Position>>>,
    /// What failed.
    pub faults: Faults,
}

impl StateWhere {
    /// The condition that `expression` turns true at an event.
    #[must_use]
    pub fn new(store: Arc<dyn EventStore>, expression: Expression) -> Self {
        Self { store, expression, found: Mutex::default(), faults: Faults::default() }
    }

    fn search(&self, issue_key: &str) -> Vec<Position> {
        let searched = || -> Result<(Vec<Match>, Finder)> {
            let mut session = Session::read(&*self.store, issue_key)?;
            let all = (1, session.head());
            let mut finder =
                Finder::new(&session, self.expression.clone(), all, Direction::Forward);
            Ok((finder.all(&mut session)?, finder))
        };
        match searched() {
            Ok((matches, finder)) => {
                if let Some((_, position, fault)) = finder.faults() {
                    self.faults.note(|| format!("{issue_key} #{position}"), fault.clone());
                }
                matches.iter().map(|found| found.position).collect()
            }
            Err(error) => {
                let fault = EvaluationFault::Failed(error.to_string());
                self.faults.note(|| issue_key.to_owned(), fault);
                Vec::new()
            }
        }
    }
}

impl Predicate for StateWhere {
    fn matches(&self, event: &Candidate<'_>) -> bool {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if !found.contains_key(event.issue_key) {
            found.insert(event.issue_key.to_owned(), self.search(event.issue_key));
        }
        found.get(event.issue_key).is_some_and(|all| all.binary_search(&event.position).is_ok())
    }

    fn fingerprint(&self) -> String {
        format!("where {}", self.expression)
    }
}
