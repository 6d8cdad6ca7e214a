//! The flags that say which events are wanted, for all commands that filter.
//!
//! Lives here: [`Selection`] and the expressions among it. May not live here: what is done with the
//! events.

use std::sync::Arc;

use clap::Args;

use crate::error::Result;
use crate::query::expression::{Expression, Faults, Where};
use crate::query::{Field, Filter, Predicate};
use crate::session::find::StateWhere;
use crate::store::EventStore;
use crate::store::local::LocalStore;

use super::context::Context;
use super::failure::Outcome;
use super::output::Paint;

/// Which events are wanted.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// The type of event
    #[arg(long = "type", value_name = "TYPE")]
    kind: Vec<String>,
    /// The agent that it speaks of, or that acts
    #[arg(long, value_name = "NAME")]
    agent: Vec<String>,
    /// The phase that it names, or that is in force
    #[arg(long, value_name = "PHASE")]
    phase: Vec<String>,
    /// The actor
    #[arg(long, value_name = "ID")]
    actor: Vec<String>,
    /// The session
    #[arg(long, value_name = "ID")]
    session: Vec<String>,
    /// The area of the type
    #[arg(long, value_name = "NAME")]
    category: Vec<String>,
    /// The severity: info, warning, error, critical; error+ is error and above
    #[arg(long, value_name = "NAME")]
    severity: Vec<String>,
    /// The correlation id
    #[arg(long, value_name = "ID")]
    correlation: Vec<String>,
    /// The beginning of the event's id
    #[arg(long, value_name = "PREFIX")]
    id: Vec<String>,
    /// An expression; one that looks at $state holds where it turns true
    #[arg(long = "where", value_name = "EXPR", allow_hyphen_values = true)]
    wanted: Vec<String>,
}

impl Selection {
    /// The fields with the values that were given.
    fn fields(&self) -> [(Field, &[String]); 9] {
        [
            (Field::Type, &self.kind),
            (Field::Agent, &self.agent),
            (Field::Phase, &self.phase),
            (Field::Actor, &self.actor),
            (Field::Session, &self.session),
            (Field::Category, &self.category),
            (Field::Severity, &self.severity),
            (Field::Correlation, &self.correlation),
            (Field::Id, &self.id),
        ]
    }

    /// Whether every event is wanted.
    pub(crate) fn is_all(&self) -> bool {
        self.wanted.is_empty() && self.fields().iter().all(|(_, values)| values.is_empty())
    }

    /// Adds the fields to what is wanted.
    pub(crate) fn add_to(&self, filter: &mut Filter) -> Result<()> {
        for (field, values) in self.fields() {
            for value in values {
                filter.add(field, value)?;
            }
        }
        Ok(())
    }

    /// The expressions, which tell afterwards which of their evaluations failed.
    pub(crate) fn conditions(&self, store: &Arc<LocalStore>) -> Result<Conditions> {
        Conditions::parse(&self.wanted, store)
    }
}

/// The expressions that were given.
#[derive(Default)]
pub(crate) struct Conditions {
    events: Vec<Arc<Where>>,
    states: Vec<Arc<StateWhere>>,
}

impl Conditions {
    fn parse(texts: &[String], store: &Arc<LocalStore>) -> Result<Self> {
        let mut conditions = Self::default();
        for text in texts {
            let expression = Expression::parse(text)?;
            if expression.uses_state() {
                let store = Arc::clone(store) as Arc<dyn EventStore>;
                conditions.states.push(Arc::new(StateWhere::new(store, expression)));
            } else {
                conditions.events.push(Arc::new(Where::new(expression)));
            }
        }
        Ok(conditions)
    }

    /// Adds them to what is wanted.
    pub(crate) fn add_to(&self, filter: &mut Filter) {
        self.events.iter().for_each(|c| filter.add_predicate(Arc::clone(c) as Arc<dyn Predicate>));
        self.states.iter().for_each(|c| filter.add_predicate(Arc::clone(c) as Arc<dyn Predicate>));
    }

    /// Says which evaluations failed: that they are no match must not go unseen.
    pub(crate) fn tell_faults(&self, context: &mut Context) -> Outcome {
        context.out.flush()?;
        self.note_faults(context.out.paint);
        Ok(())
    }

    /// As [`Conditions::tell_faults`], before anything is printed.
    pub(crate) fn note_faults(&self, paint: Paint) {
        let faults = self.events.iter().map(|c| &c.faults);
        let faults = faults.chain(self.states.iter().map(|c| &c.faults));
        faults.filter_map(Faults::told).for_each(|told| super::failure::note(&told, paint));
    }
}
