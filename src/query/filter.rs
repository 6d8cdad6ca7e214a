//! What a query looks for.
//!
//! Lives here: [`Filter`] and how one event is tested against it. May not live here: reading
//! events, or the language of expressions; those come in as a [`Predicate`].

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::header::{Header, Needle};
use crate::closed_list;
use crate::error::{Error, Result};
use crate::model::kind::{Category, Severity};
use crate::model::{Moment, Position, Timestamp, catalogue, ids};

closed_list! {
    /// What a filter value is compared with.
    pub enum Field {
        /// The issue whose log the event stands in: the whole key.
        Issue = "issue",
        /// The type's name as written: the whole name; `unreadable` for lines that are no event.
        Type = "type",
        /// The agent it speaks of: `metadata.agent_name`, else an agent actor's id.
        Agent = "agent",
        /// The phase: `metadata.phase`, else the phase in force after the event.
        Phase = "phase",
        /// The actor's id.
        Actor = "actor",
        /// The session's id.
        Session = "session",
        /// The type's area; `custom` for types that the catalogue does not have.
        Category = "category",
        /// The type's severity: `error` for just that, `error+` for that and above.
        Severity = "severity",
        /// The correlation id.
        Correlation = "correlation",
        /// The beginning of the event's id, in any case of letters.
        Id = "id",
    }
}

/// One event as a [`Predicate`] sees it.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The issue whose log it stands in.
    pub issue_key: &'a str,
    /// Its place in that log, from 1.
    pub position: Position,
    /// The latest time up to and including it.
    pub clock: Timestamp,
    /// Its type's name as written.
    pub type_name: &'a str,
    /// The stored bytes.
    pub raw: &'a [u8],
}

/// A further condition, beyond the fields: words in the text, an expression. Tested last, only
/// on events that pass everything else.
pub trait Predicate: Send + Sync {
    /// Whether the event is wanted.
    fn matches(&self, event: &Candidate<'_>) -> bool;
    /// A text that differs where the condition does: cursors are valid only for the query that
    /// gave them.
    fn fingerprint(&self) -> String;
}

/// Answers the position of a mark: issue key, name of the mark.
pub type Marks = Arc<dyn Fn(&str, &str) -> Option<Position> + Send + Sync>;

/// The values that one field may and may not have.
#[derive(Debug, Clone, Default)]
pub(super) struct Terms {
    pub(super) wanted: Vec<Needle>,
    pub(super) unwanted: Vec<Needle>,
}

impl Terms {
    fn is_empty(&self) -> bool {
        self.wanted.is_empty() && self.unwanted.is_empty()
    }

    /// Whether a field that is tested by `is` passes.
    fn pass(&self, is: impl Fn(&str) -> bool) -> bool {
        (self.wanted.is_empty() || self.wanted.iter().any(|v| is(&v.text)))
            && !self.unwanted.iter().any(|v| is(&v.text))
    }
}

/// What events are wanted. All fields must pass; a field passes when it has one of its wanted
/// values (or none is given) and none of its unwanted ones.
#[derive(Clone, Default)]
pub struct Filter {
    terms: [Terms; Field::ALL.len()],
    predicates: Vec<Arc<dyn Predicate>>,
    pub(super) since: Option<Moment>,
    pub(super) until: Option<Moment>,
    pub(super) marks: Option<Marks>,
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter").field("canonical", &self.canonical()).finish_non_exhaustive()
    }
}

impl Filter {
    /// The filter that every event passes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value of a field; one that begins with `!` is an unwanted one.
    ///
    /// # Errors
    /// Usage, for a category or severity that does not exist, and for an empty value.
    pub fn add(&mut self, field: Field, value: &str) -> Result<()> {
        let (unwanted, value) = value.strip_prefix('!').map_or((false, value), |v| (true, v));
        if value.is_empty() {
            return Err(Error::usage(format!("--{field} needs a value")));
        }
        match field {
            Field::Category if Category::from_name(value).is_none() => {
                return Err(no_such("category", value, Category::ALL.iter().map(|c| c.name())));
            }
            Field::Severity if severity_range(value).is_none() => {
                let names = Severity::ALL.iter().map(|s| s.name());
                return Err(no_such("severity", value, names));
            }
            _ => {}
        }
        let terms = &mut self.terms[field as usize];
        let list = if unwanted { &mut terms.unwanted } else { &mut terms.wanted };
        list.push(Needle::new(value));
        Ok(())
    }

    /// As [`Filter::add`], for chains.
    ///
    /// # Errors
    /// As [`Filter::add`].
    pub fn with(mut self, field: Field, value: &str) -> Result<Self> {
        self.add(field, value)?;
        Ok(self)
    }

    /// Only events from this moment on. Times are compared with the running maximum of times; a
    /// moment that an issue does not have excludes the whole issue, and is an error when no issue
    /// has it.
    #[must_use]
    pub fn since(mut self, moment: Moment) -> Self {
        self.since = Some(moment);
        self
    }

    /// Only events up to this moment, itself included.
    #[must_use]
    pub fn until(mut self, moment: Moment) -> Self {
        self.until = Some(moment);
        self
    }

    /// What answers for moments that are marks.
    #[must_use]
    pub fn marks(mut self, marks: Marks) -> Self {
        self.marks = Some(marks);
        self
    }

    /// Adds a further condition.
    pub fn add_predicate(&mut self, predicate: Arc<dyn Predicate>) {
        self.predicates.push(predicate);
    }

    pub(super) fn terms(&self, field: Field) -> &Terms {
        &self.terms[field as usize]
    }

    /// Whether the phase in force must be known.
    pub(super) fn needs_phase(&self) -> bool {
        !self.terms(Field::Phase).is_empty()
    }

    /// The issues that are asked for by name.
    #[must_use]
    pub fn issues(&self) -> Vec<&str> {
        self.terms(Field::Issue).wanted.iter().map(|needle| needle.text.as_str()).collect()
    }

    /// Whether an issue's log has to be looked at.
    #[must_use]
    pub fn wants_issue(&self, key: &str) -> bool {
        self.terms(Field::Issue).pass(|v| v == key)
    }

    /// Whether an event passes, its issue and the bounds of time aside.
    pub(super) fn matches(&self, header: &Header<'_>, phase: &str, raw: &Candidate<'_>) -> bool {
        let text = |field: Field, value: &str| {
            let terms = self.terms(field);
            terms.is_empty() || terms.pass(|v| v == value)
        };
        text(Field::Type, &header.type_name)
            && text(Field::Session, &header.session)
            && text(Field::Correlation, &header.correlation)
            && text(Field::Actor, &header.actor)
            && self.id_passes(&header.id)
            && self.kind_passes(header)
            && self.agent_passes(header)
            && self.phase_passes(header, phase)
            && self.predicates.iter().all(|p| p.matches(raw))
    }

    fn id_passes(&self, id: &str) -> bool {
        let terms = self.terms(Field::Id);
        let starts = |prefix: &str| {
            id.as_bytes()
                .get(..prefix.len())
                .is_some_and(|b| b.eq_ignore_ascii_case(prefix.as_bytes()))
        };
        terms.is_empty() || terms.pass(starts)
    }

    fn kind_passes(&self, header: &Header<'_>) -> bool {
        let (categories, severities) = (self.terms(Field::Category), self.terms(Field::Severity));
        if categories.is_empty() && severities.is_empty() {
            return true;
        }
        let kind = header.kind();
        let severity = catalogue::severity(kind);
        categories.pass(|v| v == catalogue::category(kind).name())
            && severities.pass(|v| {
                severity_range(v)
                    .is_some_and(|(low, above)| severity == low || above && severity > low)
            })
    }

    fn agent_passes(&self, header: &Header<'_>) -> bool {
        let terms = self.terms(Field::Agent);
        if terms.is_empty() {
            return true;
        }
        if !terms.wanted.is_empty() && !header.agent_may_be(&terms.wanted) {
            return false;
        }
        let agent = header.agent();
        terms.pass(|v| v == agent)
    }

    fn phase_passes(&self, header: &Header<'_>, in_force: &str) -> bool {
        if !self.needs_phase() {
            return true;
        }
        let phase = header.phase().unwrap_or(Cow::Borrowed(in_force));
        self.terms(Field::Phase).pass(|v| v == phase)
    }

    /// A short text that is the same for the same filter, in any process.
    pub(super) fn fingerprint(&self) -> String {
        let digest = ids::sha256_text(self.canonical().as_bytes());
        digest.trim_start_matches("sha256:").chars().take(12).collect()
    }

    fn canonical(&self) -> String {
        let mut parts = Vec::new();
        for field in Field::ALL {
            let terms = self.terms(*field);
            for (sign, values) in [("=", &terms.wanted), ("!", &terms.unwanted)] {
                let mut values: Vec<&str> = values.iter().map(|v| v.text.as_str()).collect();
                values.sort_unstable();
                values.dedup();
                parts.extend(values.iter().map(|v| format!("{field}{sign}{v:?}")));
            }
        }
        parts.extend(self.since.iter().map(|m| format!("since {m:?}")));
        parts.extend(self.until.iter().map(|m| format!("until {m:?}")));
        parts.extend(self.predicates.iter().map(|p| p.fingerprint()));
        parts.join("\n")
    }
}

/// The severity that a value names, and whether those above are meant too.
fn severity_range(value: &str) -> Option<(Severity, bool)> {
    let (name, above) = value.strip_suffix('+').map_or((value, false), |name| (name, true));
    Severity::from_name(name).map(|severity| (severity, above))
}

fn no_such<'a>(what: &str, value: &str, names: impl Iterator<Item = &'a str>) -> Error {
    let names: Vec<&str> = names.collect();
    let error = Error::usage(format!("there is no {what} {value:?}"));
    let known = format!("there are {}", names.join(", "));
    if what == "severity" {
        error.with_hint(format!("{known}; with a + behind it, and those above"))
    } else {
        error.with_hint(known)
    }
}
