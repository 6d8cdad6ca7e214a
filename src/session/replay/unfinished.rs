//! The last run of an issue, where it did not come to its end.
//!
//! Lives here: finding it among the journals, and how far it came. May not live here: going on with
//! it (see [`super::execute::resume`]). Nothing is changed by looking.

use crate::error::Result;
use crate::model::Position;
use crate::replay::journal::{Known, Verdict};
use crate::replay::{Decision, Header, History, RunJournal};
use crate::store::local::LocalStore;

/// A run that did not come to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Unfinished {
    /// How it was begun.
    pub header: Header,
    /// How many of its events were dealt with: those up to the last that was begun, but for those
    /// that have no end, or one that wants to be tried again.
    pub done: usize,
    /// How many events it has.
    pub events: usize,
    /// Those that were begun, and of which nobody knows how they ended.
    pub unknown: Vec<Position>,
    /// Whether somebody is at it: another process, or a program that was left behind.
    pub is_held: bool,
}

/// The run of an issue that was begun or gone on with last, unless that came to its end. Journals
/// that cannot be read can neither be gone on with: they are passed over.
///
/// # Errors
/// Unavailable, when the journals cannot be listed.
pub fn last_unfinished(store: &LocalStore, issue: &str) -> Result<Option<Unfinished>> {
    for id in RunJournal::all(store)?.into_iter().filter(|id| RunJournal::is_of(store, id, issue)) {
        let Ok(history) = RunJournal::read(store, &id) else { continue };
        return Ok(of_history(store, history));
    }
    Ok(None)
}

/// A run, unless it came to its end.
///
/// # Errors
/// As [`RunJournal::read`].
pub fn unfinished(store: &LocalStore, replay_id: &str) -> Result<Option<Unfinished>> {
    Ok(of_history(store, RunJournal::read(store, replay_id)?))
}

fn of_history(store: &LocalStore, history: History) -> Option<Unfinished> {
    if history.over {
        return None;
    }
    let is_held = RunJournal::is_held(store, &history.header.replay_id);
    let unknown = history.unknown();
    let History { header, known, .. } = history;
    let has_ended = |known: &Known| match known {
        Known::Ended { verdict, result, .. } => {
            *verdict != Verdict::Again || result.attempts >= header.attempts
        }
        Known::Decided(decision, _) => *decision == Decision::Skip,
        Known::Begun(_) => false,
    };
    let last = known.keys().next_back().copied().unwrap_or_default();
    let begun = known.values().filter(|known| !has_ended(known)).count();
    let whole = [(header.from, header.to)];
    let ranges = header.selected.as_deref().unwrap_or(&whole);
    let events_upto = |most: Position| -> usize {
        let of = |(first, end): &(Position, Position)| {
            (*end.min(&most) + 1).saturating_sub(*first) as usize
        };
        ranges.iter().map(of).sum()
    };
    let done = events_upto(last).saturating_sub(begun);
    let events = events_upto(header.to);
    Some(Unfinished { done, events, unknown, is_held, header })
}
