//! Questions to the store: which events, how many, how many of each.
//!
//! Answers come from reading the logs, with a light look at each line. The order within an issue is
//! that of its log. Across issues it is the running maximum of times in each issue, then the
//! issue's key, then the position: so it agrees with each log's own order, whatever the clocks did.
//!
//! A line in the form that chronoscope writes is believed for what stands before its metadata,
//! even when it is damaged behind that.
//!
//! Lives here: [`Filter`], [`scan`], [`count`], [`group_by`]. May not live here: folding, printing.

mod bounds;
mod cursor;
pub mod expression;
mod filter;
mod group;
pub(crate) mod header;
mod merge;
mod reader;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use cursor::Cursor;
pub use filter::{Candidate, Field, Filter, Marks, Predicate};
pub use group::{Group, GroupBy, GroupField};

use crate::error::Result;
use crate::model::{Position, Timestamp};
use crate::store::{EventStore, Fetch, Locator};
use merge::{Enough, Merge};
use reader::{Bounds, Reader};

/// Which end comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The oldest first.
    #[default]
    Forward,
    /// The newest first: the exact reverse of the other.
    Reverse,
}

/// Where an event stands among those of all issues; the order of the fields is that of the events.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    clock: Timestamp,
    issue_key: Arc<str>,
    position: Position,
}

/// An event that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The issue whose log it stands in.
    pub issue_key: Arc<str>,
    /// Its place in that log, from 1.
    pub position: Position,
    /// The latest time up to and including it in that log.
    pub clock: Timestamp,
    /// The stored bytes, without the line feed. Of a line that is too long only the beginning;
    /// a damaged line is given as it is, and need not be JSON.
    pub raw: Vec<u8>,
}

/// A part of an answer.
#[derive(Debug, Clone)]
pub struct Page {
    /// The events, in the order asked for.
    pub lines: Vec<Hit>,
    /// Where to go on; none when there was nothing more.
    pub next_cursor: Option<Cursor>,
    /// How many events were looked at.
    pub scanned: u64,
    /// How long it took.
    pub took: Duration,
}

/// How many events there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// How many passed.
    pub count: u64,
    /// How many events were looked at.
    pub scanned: u64,
    /// How long it took.
    pub took: Duration,
}

/// How many events there are of each value.
#[derive(Debug, Clone)]
pub struct Groups {
    /// The values, the most frequent first.
    pub groups: Vec<Group>,
    /// How many events were looked at.
    pub scanned: u64,
    /// How long it took.
    pub took: Duration,
}

/// The events that pass `filter`, at most `limit` (none for all), after `cursor`.
///
/// # Errors
/// Not found, for an unknown issue that is asked for by name, or a moment that no issue has; usage,
/// for the cursor of another query; unavailable, when a log cannot be read.
pub fn scan(
    store: &dyn EventStore,
    filter: &Filter,
    order: Order,
    limit: Option<usize>,
    cursor: Option<&Cursor>,
) -> Result<Page> {
    let mut lines = Vec::new();
    let started = Instant::now();
    let (next_cursor, scanned) = for_each(store, filter, order, limit, cursor, |hit| {
        lines.push(hit);
        Ok(true)
    })?;
    Ok(Page { lines, next_cursor, scanned, took: started.elapsed() })
}

/// As [`scan`], but gives each event to `each` as it comes, so that an answer of any size needs
/// little memory; stops early when `each` answers false. Gives the next cursor and the number of
/// events looked at.
///
/// # Errors
/// As [`scan`], and those of `each`.
pub fn for_each(
    store: &dyn EventStore,
    filter: &Filter,
    order: Order,
    limit: Option<usize>,
    cursor: Option<&Cursor>,
    each: impl FnMut(Hit) -> Result<bool>,
) -> Result<(Option<Cursor>, u64)> {
    if let Some(cursor) = cursor {
        cursor.check(filter, order)?;
    }
    let after = cursor.map(|c| &c.place);
    let mut merge = Merge::new(store, filter, issues(store, filter)?)?;
    let last = match order {
        Order::Forward => forward(&mut merge, limit, after, each)?,
        Order::Reverse => backward(&mut merge, limit, after, each)?,
    };
    Ok((last.map(|place| Cursor::new(order, place, filter)), merge.scanned()))
}

/// Gives the place of the last event when there are more.
fn forward(
    merge: &mut Merge<'_>,
    limit: Option<usize>,
    after: Option<&Place>,
    mut each: impl FnMut(Hit) -> Result<bool>,
) -> Result<Option<Place>> {
    let mut given = 0;
    let mut last = None;
    let mut more = false;
    let mut fault = None;
    merge.run(|reader, passed, place| {
        if after.is_some_and(|after| !place.is_after(after, Order::Forward)) {
            return Enough::NotYet;
        }
        if limit.is_some_and(|limit| given >= limit) {
            more = true;
            return Enough::Yes;
        }
        given += 1;
        last = Some(place.clone());
        match each(place.hit(reader.raw(passed).to_vec())) {
            Ok(true) => Enough::NotYet,
            Ok(false) => {
                more = true;
                Enough::Yes
            }
            Err(error) => {
                fault = Some(error);
                Enough::Yes
            }
        }
    })?;
    fault.map_or(Ok(if more { last.or_else(|| after.cloned()) } else { None }), Err)
}

/// Logs are read from their beginning; going backward keeps where the last hits stand, and reads
/// those again.
fn backward(
    merge: &mut Merge<'_>,
    limit: Option<usize>,
    before: Option<&Place>,
    mut each: impl FnMut(Hit) -> Result<bool>,
) -> Result<Option<Place>> {
    let mut kept: VecDeque<(Place, Locator)> = VecDeque::new();
    let mut more = false;
    let mut logs = Fetchers::default();
    merge.run(|reader, passed, place| {
        if before.is_some_and(|before| !place.is_after(before, Order::Reverse)) {
            return Enough::Yes;
        }
        logs.know(reader);
        kept.push_back((place.clone(), passed.locator));
        if limit.is_some_and(|limit| kept.len() > limit) {
            kept.pop_front();
            more = true;
        }
        Enough::NotYet
    })?;
    let mut last = None;
    while let Some((place, locator)) = kept.pop_back() {
        let raw = logs.fetch(&place.issue_key, locator)?;
        last = Some(place.clone());
        if !each(place.hit(raw))? {
            more = true;
            break;
        }
    }
    Ok(if more { last.or_else(|| before.cloned()) } else { None })
}

/// What reads lines again, per issue.
#[derive(Default)]
struct Fetchers(rustc_hash::FxHashMap<Arc<str>, Box<dyn Fetch>>);

impl Fetchers {
    fn know(&mut self, reader: &Reader) {
        if !self.0.contains_key(&reader.issue_key) {
            self.0.insert(Arc::clone(&reader.issue_key), reader.fetcher());
        }
    }

    fn fetch(&mut self, issue_key: &Arc<str>, locator: Locator) -> Result<Vec<u8>> {
        match self.0.get_mut(issue_key) {
            Some(log) => log.fetch(locator),
            None => Ok(Vec::new()),
        }
    }
}

impl Place {
    fn hit(&self, raw: Vec<u8>) -> Hit {
        let issue_key = Arc::clone(&self.issue_key);
        Hit { issue_key, position: self.position, clock: self.clock, raw }
    }
}

/// How many events pass `filter`.
///
/// # Errors
/// As [`scan`].
pub fn count(store: &dyn EventStore, filter: &Filter) -> Result<Count> {
    let started = Instant::now();
    let mut count = 0;
    let scanned = each_seen(store, filter, false, |_| count += 1)?;
    Ok(Count { count, scanned, took: started.elapsed() })
}

/// How many events pass `filter`, by the values of a field.
///
/// # Errors
/// As [`scan`].
pub fn group_by(store: &dyn EventStore, filter: &Filter, by: &GroupBy) -> Result<Groups> {
    let started = Instant::now();
    let mut tally = group::Tally::default();
    let scanned = each_seen(store, filter, by.needs_phase(), |seen| tally.add(by, seen))?;
    Ok(Groups { groups: tally.finish(), scanned, took: started.elapsed() })
}

/// Calls `each` with every event that passes, one issue after the other; gives the number of
/// events looked at.
fn each_seen(
    store: &dyn EventStore,
    filter: &Filter,
    needs_phase: bool,
    mut each: impl FnMut(&reader::Seen<'_>),
) -> Result<u64> {
    let needs_phase = needs_phase || filter.needs_phase();
    let mut scanned = 0;
    for (key, bounds) in issues(store, filter)? {
        let mut reader = Reader::open(store, &key, bounds, merge::chunk_bytes(1), needs_phase)?;
        reader.for_each(|seen| {
            if filter.matches(seen.header, seen.phase, &seen.candidate) {
                each(seen);
            }
        })?;
        scanned += reader.scanned();
    }
    Ok(scanned)
}

/// The issues to look at, by key, with the bounds that the filter sets in each.
fn issues(store: &dyn EventStore, filter: &Filter) -> Result<Vec<(Arc<str>, Bounds)>> {
    let asked_for = filter.issues();
    let mut keys: Vec<Arc<str>> = if asked_for.is_empty() {
        store.issues()?.into_iter().map(|entry| entry.issue_key.into()).collect()
    } else {
        asked_for.into_iter().map(Arc::from).collect()
    };
    keys.retain(|key| filter.wants_issue(key));
    keys.sort_unstable();
    keys.dedup();
    bounds::resolve_all(store, keys, filter)
}
