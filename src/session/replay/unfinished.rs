//! The runs of an issue that did not come to their end.
//!
//! Lives here: finding them among the journals, and how far they came. May not live here: going on
//! with one (see [`super::execute::resume`]). Nothing is changed by looking.

use crate::error::{ErrorKind, Result};
use crate::model::Position;
use crate::replay::{Header, History, RunJournal};
use crate::store::local::LocalStore;

/// A run that did not come to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Unfinished {
    /// How it was begun.
    pub header: Header,
    /// How many of its events were dealt with: those up to the last that was begun, but for those
    /// that have no end, or one that wants to be tried again. Where several ran at a time, those that
    /// were executed: what else had its turn the journal does not say.
    pub done: usize,
    /// How many events it has.
    pub events: usize,
    /// Those that were begun, and of which nobody knows how they ended.
    pub unknown: Vec<Position>,
    /// Whether somebody is at it: another process, or a program that was left behind.
    pub is_held: bool,
}

/// The runs of an issue that did not come to their end, what was noted last first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Left {
    /// The newest, as many as were asked for.
    pub runs: Vec<Unfinished>,
    /// The ids of those before.
    pub older: Vec<String>,
    /// The ids of those whose journals cannot be read, nor gone on with: of this issue, or of one
    /// that is not known.
    pub unreadable: Vec<String>,
}

/// The runs of an issue that did not come to their end; no more than so many are looked at.
///
/// # Errors
/// Unavailable, when the journals cannot be listed.
pub fn unfinished_of(store: &LocalStore, issue: &str, most: usize) -> Result<Left> {
    let mut left = Left::default();
    for id in RunJournal::all(store)? {
        // The most are over, and have much to read.
        if RunJournal::is_over(store, &id) == Some(true) {
            continue;
        }
        match RunJournal::issue(store, &id) {
            Ok(Some(key)) if key == issue => {}
            // One that holds no plan has executed nothing.
            Ok(_) => continue,
            Err(_) => {
                left.unreadable.push(id);
                continue;
            }
        }
        if left.runs.len() == most {
            left.older.push(id);
            continue;
        }
        match unfinished(store, &id) {
            Ok(run) => left.runs.extend(run),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(_) => left.unreadable.push(id),
        }
    }
    Ok(left)
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
    let begun = history.known.values().filter(|known| !history.has_ended(known)).count();
    let History { header, known, .. } = history;
    let last = known.keys().next_back().copied().unwrap_or_default();
    let whole = [(header.from, header.to)];
    let ranges = header.selected.as_deref().unwrap_or(&whole);
    let events_upto = |most: Position| -> usize {
        let of = |(first, end): &(Position, Position)| match (*end).min(most).checked_sub(*first) {
            Some(more) => more as usize + 1,
            None => 0,
        };
        ranges.iter().map(of).sum()
    };
    let had_turns = if header.jobs > 1 { known.len() } else { events_upto(last) };
    let done = had_turns.saturating_sub(begun);
    let events = events_upto(header.to);
    Some(Unfinished { done, events, unknown, is_held, header })
}
