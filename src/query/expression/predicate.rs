//! An expression as a condition of a query: over the event alone.
//!
//! Lives here: [`Where`] and the count of what failed. May not live here: expressions over the
//! state; they need the whole log (see `session::find`).

use std::sync::Mutex;
use std::sync::PoisonError;

use super::{EvaluationFault, Expression, Subject};
use crate::model::{Map, Value};
use crate::query::filter::{Candidate, Predicate};

/// Evaluations that failed: no match, and told at the end.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Option<(u64, String, EvaluationFault)>>);

impl Faults {
    /// Notes one, with the place where it happened.
    pub fn note(&self, place: impl FnOnce() -> String, fault: EvaluationFault) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *noted {
            Some((count, ..)) => *count += 1,
            none => *none = Some((1, place(), fault)),
        }
    }

    /// In one line: how many, and the first. None where nothing failed.
    #[must_use]
    pub fn told(&self) -> Option<String> {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, place, fault) = noted.as_ref()?;
        Some(faults_told(*count, place, fault))
    }
}

/// How many evaluations failed, and the first, in one line.
#[must_use]
pub fn faults_told(count: u64, place: &str, fault: &EvaluationFault) -> String {
    let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
    format!("the expression failed {times}, which is no match; first at {place}: {fault}")
}

/// An expression over the event, as a condition.
#[derive(Debug)]
pub struct Where {
    expression: Expression,
    /// What failed.
    pub faults: Faults,
}

impl Where {
    /// The condition that `expression` is; what it says of the state is said of an empty one.
    #[must_use]
    pub fn new(expression: Expression) -> Self {
        Self { expression, faults: Faults::default() }
    }

    /// Whether it holds for an event, given by its bytes; `place` names it.
    pub fn holds(&self, raw: &[u8], place: impl FnOnce() -> String) -> bool {
        let event: Value = serde_json::from_slice(raw).unwrap_or_default();
        let empty = Value::Map(Map::new());
        let subject = Subject { event: &event, state: &empty, before: &empty };
        self.expression.holds(subject).unwrap_or_else(|fault| {
            self.faults.note(place, fault);
            false
        })
    }
}

impl Predicate for Where {
    fn matches(&self, event: &Candidate<'_>) -> bool {
        self.holds(event.raw, || format!("{} #{}", event.issue_key, event.position))
    }

    fn fingerprint(&self) -> String {
        format!("where {}", self.expression)
    }
}
