//! A sorted array of entries: a small map, or a leaf of a large one.
//!
//! Lives here: the array, how a key is found in one, and where it was put aside. May not live here:
//! what a tree of them is (see [`super::tree`]).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::spill::Place;
use super::super::{Key, Value};

/// How much a full array grows.
pub(super) const ROOM: usize = 3;

/// A sorted array of entries: a small map, or a leaf of a large one.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Leaf {
    pub(in super::super) list: Vec<(Key, Value)>,
    /// Where it was put aside.
    pub(super) mark: Mark,
}

impl Leaf {
    /// The entries to change: alone, and not what was put aside any more.
    pub(super) fn change(self: &mut Arc<Self>) -> &mut Vec<(Key, Value)> {
        let leaf = Arc::make_mut(self);
        leaf.mark.forget();
        &mut leaf.list
    }

    /// The same, to put one more in: what is shared is copied once, with room for it.
    pub(super) fn grow(self: &mut Arc<Self>) -> &mut Vec<(Key, Value)> {
        if Arc::get_mut(self).is_none() {
            let mut list = Vec::with_capacity(self.list.len() + ROOM);
            list.extend_from_slice(&self.list);
            *self = Arc::new(Self { list, mark: Mark::default() });
        }
        let list = self.change();
        make_room(list, ROOM);
        list
    }
}

/// Where a node stands in a spill, if it does and is still what stands there; a copy is going to
/// change.
#[derive(Debug, Default)]
pub(in super::super) struct Mark(AtomicU64);

impl Clone for Mark {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Mark {
    pub(super) fn place(&self) -> Option<Place> {
        Place::from_bits(self.0.load(Ordering::Relaxed))
    }

    pub(super) fn set(&self, place: Place) {
        self.0.store(place.bits(), Ordering::Relaxed);
    }

    pub(super) fn forget(&mut self) {
        *self.0.get_mut() = 0;
    }
}

/// Makes room for `more` where there is none. Thousands of versions are kept: doubling would leave
/// half of each empty.
///
/// A new array is made, and not this one longer: it may come from a thread that lets go of much at
/// once, and the allocator would look for the room among all of that, which takes longer than the
/// rest of a seek.
pub(in super::super) fn make_room<T>(list: &mut Vec<T>, more: usize) {
    if list.len() == list.capacity() {
        let mut roomy = Vec::with_capacity(list.len() + more);
        roomy.append(list);
        *list = roomy;
    }
}

/// Where a key stands. Most of a fold's time is spent here: passing over keys of other lengths and
/// other first bytes is twice as fast as a binary search of so short an array.
pub(super) fn place(entries: &[(Key, Value)], key: &str) -> Option<usize> {
    let wanted = key.as_bytes();
    entries.iter().position(|(k, _)| {
        let k = k.as_bytes();
        k.len() == wanted.len() && k.first() == wanted.first() && k == wanted
    })
}

/// Where a key stands, or where it would. Keys are compared by their first eight bytes as a
/// number, and as texts only where these are equal.
pub(in super::super) fn find<T>(entries: &[(Key, T)], key: &str) -> Result<usize, usize> {
    let prefix = first_eight(key);
    entries.binary_search_by(|(k, _)| {
        let k = k.as_str();
        first_eight(k).cmp(&prefix).then_with(|| k.cmp(key))
    })
}

/// The first eight bytes as a number that compares like them; shorter texts are padded with zeros.
fn first_eight(text: &str) -> u64 {
    let bytes = text.as_bytes();
    if let Some(eight) = bytes.first_chunk() {
        return u64::from_be_bytes(*eight);
    }
    let len = bytes.len();
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        // Four to seven bytes: the first four and the last four overlap.
        let (first, last) = (u32::from_be_bytes(*first), u32::from_be_bytes(*last));
        return u64::from(first) << 32 | u64::from(last) << (8 * (8 - len));
    }
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)) << ((8 * (8 - len)) % 64)
}
