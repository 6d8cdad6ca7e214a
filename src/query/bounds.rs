//! Since and until: moments, made into bounds of one issue's log.
//!
//! Lives here: reading a log for what a moment asks. May not live here: what the forms of moments
//! mean (see [`crate::model::moment`]); this only answers its questions.

use std::sync::Arc;

use super::filter::{Filter, Marks};
use super::reader::{Bounds, Reader};
use crate::error::{ErrorKind, Result};
use crate::model::moment::Positions;
use crate::model::{Moment, Position, Timestamp};
use crate::store::EventStore;

/// How much is read at a time while a log is surveyed.
const CHUNK_BYTES: usize = 1 << 20;

/// The bounds that a filter sets in one issue's log. An error of the kind not-found means that
/// this issue does not have the moment.
pub(super) fn resolve(store: &dyn EventStore, key: &Arc<str>, filter: &Filter) -> Result<Bounds> {
    let moments: Vec<&Moment> = filter
        .since
        .iter()
        .filter(|m| **m != Moment::Start)
        .chain(filter.until.iter().filter(|m| **m != Moment::End))
        .collect();
    let survey = if moments.iter().all(|m| matches!(m, Moment::Time(_))) {
        None
    } else {
        Some(Survey::take(store, key, &moments, filter.marks.clone())?)
    };
    let mut bounds = Bounds::default();
    if let Some(since) = filter.since.as_ref() {
        match (time_of(since, survey.as_ref()), &survey) {
            (Some(at), _) => bounds.clocks = at..=Timestamp::MAX,
            (None, Some(log)) => bounds.positions = since.resolve(log)?.max(1)..=Position::MAX,
            (None, None) => {}
        }
    }
    if let Some(until) = filter.until.as_ref() {
        match (time_of(until, survey.as_ref()), &survey) {
            (Some(at), _) => bounds.clocks = *bounds.clocks.start()..=at,
            (None, Some(log)) => {
                bounds.positions = *bounds.positions.start()..=until.resolve(log)?;
            }
            (None, None) => {}
        }
    }
    Ok(bounds)
}

/// The time that the moment is, where it is one: bounds by time are bounds of the running maximum.
fn time_of(moment: &Moment, survey: Option<&Survey>) -> Option<Timestamp> {
    moment.time(|| survey?.head_time())
}

/// What a whole log says about the moments of one query.
struct Survey {
    head: Position,
    head_time: Option<Timestamp>,
    /// The positions of the types that the moments name.
    types: Vec<(String, Vec<Position>)>,
    /// The positions of the ids that the moments name.
    ids: Vec<(String, Vec<Position>)>,
    issue_key: Arc<str>,
    marks: Option<Marks>,
}

impl Survey {
    fn take(
        store: &dyn EventStore,
        key: &Arc<str>,
        moments: &[&Moment],
        marks: Option<Marks>,
    ) -> Result<Self> {
        let mut types = Vec::new();
        let mut ids = Vec::new();
        for moment in moments {
            match moment {
                Moment::Occurrence { type_name, .. } => types.push((type_name.clone(), Vec::new())),
                // A word may be an id or a type that the catalogue does not have.
                Moment::Id(word) => {
                    types.push((word.clone(), Vec::new()));
                    ids.push((word.clone(), Vec::new()));
                }
                Moment::Position(number) => ids.push((number.to_string(), Vec::new())),
                _ => {}
            }
        }
        let mut reader = Reader::open(store, key, Bounds::default(), CHUNK_BYTES, false)?;
        reader.for_each(|seen| {
            let here = seen.candidate.position;
            for (name, positions) in &mut types {
                if *name == *seen.header.type_name {
                    positions.push(here);
                }
            }
            for (prefix, positions) in &mut ids {
                if positions.len() < 2 && seen.header.id.starts_with(prefix.as_str()) {
                    positions.push(here);
                }
            }
        })?;
        let (head, head_time) = (reader.position(), reader.clock());
        Ok(Self { head, head_time, types, ids, issue_key: Arc::clone(key), marks })
    }
}

fn found(list: &[(String, Vec<Position>)], name: &str) -> Vec<Position> {
    list.iter().find(|(n, _)| n == name).map(|(_, p)| p.clone()).unwrap_or_default()
}

impl Positions for Survey {
    fn head(&self) -> Position {
        self.head
    }

    fn at_or_before(&self, at: Timestamp) -> Position {
        // Bounds by time are never asked as positions.
        if self.head_time.is_some_and(|head| head <= at) { self.head } else { 0 }
    }

    fn head_time(&self) -> Option<Timestamp> {
        self.head_time
    }

    fn of_type(&self, type_name: &str) -> Vec<Position> {
        found(&self.types, type_name)
    }

    fn by_id_prefix(&self, prefix: &str) -> Vec<Position> {
        found(&self.ids, prefix)
    }

    fn mark(&self, name: &str) -> Option<Position> {
        let marks = self.marks.as_ref()?;
        marks(&self.issue_key, name).filter(|p| *p <= self.head)
    }
}

/// The bounds of every issue that has the moments, with the not-found error of the last that has
/// not when none has.
pub(super) fn resolve_all(
    store: &dyn EventStore,
    keys: Vec<Arc<str>>,
    filter: &Filter,
) -> Result<Vec<(Arc<str>, Bounds)>> {
    let mut resolved = Vec::with_capacity(keys.len());
    let mut missing = None;
    for key in keys {
        match resolve(store, &key, filter) {
            Ok(bounds) => resolved.push((key, bounds)),
            Err(error) if error.kind() == ErrorKind::NotFound => missing = Some(error),
            Err(error) => return Err(error),
        }
    }
    match missing {
        Some(error) if resolved.is_empty() => Err(error),
        _ => Ok(resolved),
    }
}
