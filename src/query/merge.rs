//! Several issues' logs as one, in the order of [`super::Place`].
//!
//! Lives here: the merge, which holds one chunk of each open log, and opens those that are too
//! many to be open at once only when their time has come. May not live here: what becomes of the
//! events.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::filter::Filter;
use super::reader::{Bounds, Passed, Reader};
use super::{Order, Place};
use crate::error::Result;
use crate::model::Timestamp;
use crate::store::EventStore;

/// How much memory the chunks of all open logs may take together, as a goal.
const CHUNKS_BYTES: usize = 32 << 20;

/// How many logs stay open after a look at their first event; the others are opened anew, which
/// asks the store again where their events are. Some systems let a process open 256 files.
/// (Tests have few issues, and want both sorts.)
const STAY_OPEN: usize = if cfg!(test) { 2 } else { 128 };

/// The bytes to read at a time from each of so many logs.
pub(super) fn chunk_bytes(logs: usize) -> usize {
    (CHUNKS_BYTES / logs.max(1)).clamp(16 << 10, 1 << 20)
}

/// What stands first in an issue's log, as far as is known.
enum Source {
    /// Not open; the first event is not earlier than this place says.
    Closed(Arc<str>, Bounds),
    /// Open, with nothing read.
    Begun(Box<Reader>),
    /// Open, with an event that passed.
    Open(Box<Reader>, Passed),
}

/// The issues with their next events, earliest first.
pub(super) struct Merge<'a> {
    store: &'a dyn EventStore,
    filter: &'a Filter,
    chunk_bytes: usize,
    sources: Vec<Option<Source>>,
    heap: BinaryHeap<Reverse<(Place, usize)>>,
    scanned: u64,
}

impl<'a> Merge<'a> {
    pub(super) fn new(
        store: &'a dyn EventStore,
        filter: &'a Filter,
        issues: Vec<(Arc<str>, Bounds)>,
    ) -> Result<Self> {
        let mut merge = Self {
            store,
            filter,
            chunk_bytes: chunk_bytes(issues.len()),
            sources: Vec::with_capacity(issues.len()),
            heap: BinaryHeap::with_capacity(issues.len()),
            scanned: 0,
        };
        let alone = issues.len() == 1;
        for (number, (key, bounds)) in issues.into_iter().enumerate() {
            let start = *bounds.clocks.start();
            let (clock, source) = if alone {
                (Some(Timestamp::MIN), Source::Closed(Arc::clone(&key), bounds))
            } else {
                let mut reader = merge.open(&key, bounds.clone())?;
                let clock = reader.peek_clock()?;
                let stays = number < STAY_OPEN;
                let closed = || Source::Closed(Arc::clone(&key), bounds);
                (clock, if stays { Source::Begun(Box::new(reader)) } else { closed() })
            };
            // An empty log has no place in the order.
            let Some(clock) = clock else { continue };
            let place = Place { clock: clock.max(start), issue_key: key, position: 0 };
            merge.heap.push(Reverse((place, merge.sources.len())));
            merge.sources.push(Some(source));
        }
        Ok(merge)
    }

    fn open(&self, key: &Arc<str>, bounds: Bounds) -> Result<Reader> {
        Reader::open(self.store, key, bounds, self.chunk_bytes, self.filter.needs_phase())
    }

    /// How many events were looked at so far.
    pub(super) fn scanned(&self) -> u64 {
        let open = self.sources.iter().flatten().map(|source| match source {
            Source::Closed(..) | Source::Begun(_) => 0,
            Source::Open(reader, _) => reader.scanned(),
        });
        self.scanned + open.sum::<u64>()
    }

    /// Gives every event that passes to `each`, in order, until it answers that this is enough.
    pub(super) fn run(
        &mut self,
        mut each: impl FnMut(&Reader, &Passed, &Place) -> Enough,
    ) -> Result<()> {
        while let Some(Reverse((place, number))) = self.heap.pop() {
            let source = self.sources.get_mut(number).and_then(Option::take);
            let mut reader = match source {
                None => continue,
                Some(Source::Closed(key, bounds)) => Box::new(self.open(&key, bounds)?),
                Some(Source::Begun(reader)) => reader,
                Some(Source::Open(reader, passed)) => {
                    if each(&reader, &passed, &place) == Enough::Yes {
                        self.scanned += reader.scanned();
                        return Ok(());
                    }
                    reader
                }
            };
            match reader.next_passed(self.filter)? {
                None => self.scanned += reader.scanned(),
                Some(passed) => {
                    let issue_key = Arc::clone(&reader.issue_key);
                    let place = Place { clock: passed.clock, issue_key, position: passed.position };
                    self.heap.push(Reverse((place, number)));
                    if let Some(slot) = self.sources.get_mut(number) {
                        *slot = Some(Source::Open(reader, passed));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether a run has what it came for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Enough {
    Yes,
    NotYet,
}

impl Place {
    /// Whether this place comes after `other` in an order.
    pub(super) fn is_after(&self, other: &Place, order: Order) -> bool {
        match order {
            Order::Forward => self > other,
            Order::Reverse => self < other,
        }
    }
}
