//! What there is to read for the quick half of a check, in pieces for its threads.
//!
//! Lives here: [`Plan`]. May not live here: reading the pieces (see [`super`]).

use std::collections::hash_map::Entry;
use std::io;
use std::path::PathBuf;

use rustc_hash::FxHashMap;

use super::super::LocalStore;
use super::super::derived::DayIndex;
use super::super::layout::{Date, Layout, METADATA};
use super::super::snapshots::snapshot_names;
use super::super::source::Source;
use super::super::summary::Summary;
use super::Depth;
use super::only::Only;
use crate::error::Result;

/// How many bytes are read at a time: few enough to stay near the core until they were looked at.
pub(super) const BLOCK: u64 = 256 << 10;

/// A piece of work.
pub(super) enum Item<'a> {
    /// A block of an issue's partition.
    Lines { key: &'a str, date: Date, file: usize, range: (u64, u64) },
    /// A block of the global log.
    Global { file: usize, range: (u64, u64) },
    /// A snapshot.
    Snapshot { key: &'a str, sequence: u64, path: PathBuf },
}

/// A partition, as it is before it is read.
pub(super) struct Partition {
    pub(super) issue: usize,
    /// Which of the items are its blocks.
    pub(super) blocks: std::ops::Range<usize>,
    /// Summaries that are kept of it in files.
    pub(super) kept: Vec<Summary>,
}

/// Something that is read line by line.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    Global,
    Partition(Date, &'a str),
}

impl Place<'_> {
    pub(super) fn open(self, layout: &Layout) -> io::Result<Source> {
        match self {
            Self::Global => Source::plain(layout.global()),
            Self::Partition(date, key) => Source::open(layout, date, key),
        }
    }
}

/// The work that there is.
pub(super) struct Plan<'a> {
    pub(super) layout: &'a Layout,
    pub(super) files: Vec<Place<'a>>,
    /// The issue that alone is checked.
    pub(super) only: Option<Only<'a>>,
    pub(super) depth: Depth,
    /// Whether there is what the lines are held against.
    pub(super) is_logged: bool,
    pub(super) items: Vec<Item<'a>>,
    pub(super) partitions: Vec<Partition>,
    pub(super) global: std::ops::Range<usize>,
}

/// All that is to be read, or none where something is odd at the first glance.
pub(super) fn plan<'a>(
    store: &'a LocalStore,
    keys: &'a [String],
    depth: Depth,
    is_logged: bool,
) -> Result<Option<Plan<'a>>> {
    let layout = &store.layout;
    let mut plan = Plan {
        layout,
        files: Vec::new(),
        only: None,
        depth,
        is_logged,
        items: Vec::new(),
        partitions: Vec::new(),
        global: 0..0,
    };
    // First the global log: what is published later is not missed in the issues' logs.
    if is_logged {
        let Some(length) = plan.add(Place::Global) else { return Ok(None) };
        let item = |range| Item::Global { file: 0, range };
        plan.items.extend(cuts(length, &[]).map(item));
    }
    plan.global = 0..plan.items.len();
    let mut days = FxHashMap::default();
    for (issue, key) in keys.iter().enumerate() {
        let dates = layout.partitions(key)?;
        if dates.is_empty() {
            return Ok(None);
        }
        for date in dates {
            if layout.refuse_links(date, key).is_err() {
                return Ok(None);
            }
            let kept = match depth {
                Depth::Whole => match kept(store, key, date, &mut days)? {
                    Some(kept) => kept,
                    None => return Ok(None),
                },
                Depth::Record => Vec::new(),
            };
            let Some(length) = plan.add(Place::Partition(date, key)) else { return Ok(None) };
            let (file, start) = (plan.files.len() - 1, plan.items.len());
            let ends: Vec<u64> = kept.iter().map(|summary| summary.bytes).collect();
            let item = |range| Item::Lines { key, date, file, range };
            plan.items.extend(cuts(length, &ends).map(item));
            plan.partitions.push(Partition { issue, blocks: start..plan.items.len(), kept });
            if depth == Depth::Whole {
                let names = snapshot_names(&layout.partition(date, key))?;
                let item = |(sequence, path)| Item::Snapshot { key, sequence, path };
                plan.items.extend(names.into_iter().map(item));
            }
        }
    }
    Ok(Some(plan))
}

/// The summaries that are kept of a partition; none where one cannot be read.
fn kept(
    store: &LocalStore,
    key: &str,
    date: Date,
    days: &mut FxHashMap<Date, Option<DayIndex>>,
) -> Result<Option<Vec<Summary>>> {
    let layout = &store.layout;
    let mut kept = Vec::new();
    match store.kept_metadata(key, date)? {
        Some(summary) => kept.push(summary),
        None if layout.partition(date, key).join(METADATA).exists() => return Ok(None),
        None => {}
    }
    if let Entry::Vacant(unknown) = days.entry(date) {
        let day = store.kept_index(date)?;
        if day.is_none() && layout.index(date).exists() {
            return Ok(None);
        }
        unknown.insert(day);
    }
    let day = days.get(&date).and_then(Option::as_ref);
    kept.extend(day.and_then(|day| day.issues.get(key)).cloned());
    Ok(Some(kept))
}

impl<'a> Plan<'a> {
    /// Takes what is to be read, and gives how long it is.
    fn add(&mut self, place: Place<'a>) -> Option<u64> {
        let length = place.open(self.layout).and_then(|source| source.length()).ok()?;
        self.files.push(place);
        Some(length)
    }
}

/// The blocks of a file, cut also where summaries end.
fn cuts(length: u64, ends: &[u64]) -> impl Iterator<Item = (u64, u64)> + use<> {
    let mut at: Vec<u64> = (0..length).step_by(usize::try_from(BLOCK).unwrap_or(1 << 20)).collect();
    at.extend(ends.iter().filter(|end| **end < length));
    at.push(length);
    at.sort_unstable();
    at.dedup();
    (1..at.len()).map(move |next| (at[next - 1], at[next]))
}
