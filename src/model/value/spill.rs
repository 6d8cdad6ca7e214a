//! Parts of values put aside, out of memory: each map once, and read again when it is looked at.
//!
//! Lives here: [`Spill`], what it writes of a map, and how that becomes a map again. May not live
//! here: files (see [`SpillFile`]); the bytes are for the program that made them, and have no version.
//!
//! A map that is put aside becomes a record, and so does each map below it that is not tiny. A
//! record names those below it by their places. Nothing that was written is ever written over: a
//! newer version of a tree writes what changed, and names the rest where it stands already.

use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::delta::{self, Bytes};
use super::map::{Branch, Repr};
use super::shelf::Filling;
use super::{Key, Map, Value};
use crate::model::septets;

/// What is put aside goes here. It is read by the same process alone.
pub trait SpillFile: Send + Sync + std::fmt::Debug {
    /// Adds bytes at the end and gives the offset where they begin; none when there is no room.
    fn append(&self, bytes: &[u8]) -> Option<u64>;

    /// The bytes at `offset`; none when they cannot be read.
    fn read(&self, offset: u64, length: usize) -> Option<Vec<u8>>;
}

/// Where a record stands: the number of its spill (10 bits), its offset (36) and its length (18),
/// both in words of four bytes. Never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place(u64);

const WORD: usize = 4;
const OFFSET_BITS: u32 = 36;
const LENGTH_BITS: u32 = 18;
/// Numbers of spills are below this; 0 is none's.
const SPILLS: u64 = 1 << (64 - OFFSET_BITS - LENGTH_BITS);

impl Place {
    pub(super) fn from_bits(bits: u64) -> Option<Self> {
        (bits != 0).then_some(Self(bits))
    }

    pub(super) fn bits(self) -> u64 {
        self.0
    }

    fn new(spill: u64, offset: u64, length: usize) -> Option<Self> {
        let (offset, length) = (offset / WORD as u64, (length / WORD) as u64);
        let fits = offset >> OFFSET_BITS == 0 && length >> LENGTH_BITS == 0;
        fits.then_some(Self(spill << (OFFSET_BITS + LENGTH_BITS) | offset << LENGTH_BITS | length))
    }

    fn spill(self) -> u64 {
        self.0 >> (OFFSET_BITS + LENGTH_BITS)
    }

    fn offset(self) -> u64 {
        (self.0 >> LENGTH_BITS & ((1 << OFFSET_BITS) - 1)) * WORD as u64
    }

    fn length(self) -> usize {
        (self.0 & ((1 << LENGTH_BITS) - 1)) as usize * WORD
    }
}

/// A map that was put aside: where, and what is asked of it most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    place: Place,
    len: u32,
    height: u8,
}

impl Stored {
    pub(super) fn new(place: Place, len: usize, height: u8) -> Self {
        Self { place, len: u32::try_from(len).unwrap_or(u32::MAX), height }
    }

    pub(super) fn place(self) -> Place {
        self.place
    }

    pub(super) fn len(self) -> usize {
        self.len as usize
    }

    pub(super) fn height(self) -> u8 {
        self.height
    }
}

/// A place outside of memory for parts of values.
#[derive(Debug)]
pub struct Spill {
    number: u64,
    file: Arc<dyn SpillFile>,
    nodes: Mutex<Nodes>,
}

/// Maps that were read before, each at a slot that follows from its place. Only those that name no
/// others: one that does would keep all that is ever read below it.
#[derive(Debug, Default)]
struct Nodes(Vec<Option<(Place, Map)>>);

/// How many slots there are.
const SLOTS: usize = 8192;
/// Maps of no more than so many bytes stand in the record of the map they are in.
const TINY: usize = 128;

/// What the record of a branch begins with; that of a leaf with one more than its entries.
const BRANCH: u8 = 0;

impl Spill {
    /// A spill into this file. None when the process had too many.
    #[must_use]
    pub fn new(file: Arc<dyn SpillFile>) -> Option<Arc<Self>> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let spill = Self { number, file, nodes: Mutex::default() };
        (number < SPILLS).then(|| Arc::new(spill))
    }

    /// The same place, for one who reads much of it once: what is read stays with nobody else.
    #[must_use]
    pub fn for_one(&self) -> Arc<Self> {
        Arc::new(Self {
            number: self.number,
            file: Arc::clone(&self.file),
            nodes: Mutex::default(),
        })
    }

    /// Puts a map aside with all below it, as far as it is not there already. None where there is no
    /// room for all of it.
    pub fn put(&self, map: &Map) -> Option<Stored> {
        let place = self.put_map(map, &mut Vec::new())?;
        Some(Stored::new(place, map.len(), map.height()))
    }

    /// The map that was put aside there; nothing is read yet.
    #[must_use]
    pub fn map(self: &Arc<Self>, at: Stored) -> Map {
        let mut shelf = Filling::new(self);
        let map = shelf.put(at);
        shelf.done();
        map
    }

    /// Puts other bytes aside.
    pub fn put_bytes(&self, bytes: &[u8]) -> Option<u64> {
        let padding = bytes.len().next_multiple_of(WORD) - bytes.len();
        if padding == 0 {
            return self.file.append(bytes);
        }
        self.file.append(&[bytes, &[0; WORD][..padding]].concat())
    }

    /// The bytes that were put aside there; none where they cannot be read again.
    #[must_use]
    pub fn bytes(&self, offset: u64, length: usize) -> Option<Vec<u8>> {
        self.file.read(offset, length)
    }

    /// Whether this place is in this spill.
    pub(super) fn has(&self, place: Place) -> bool {
        place.spill() == self.number
    }

    fn put_map(&self, map: &Map, room: &mut Vec<u8>) -> Option<Place> {
        if let Some(place) = map.place().filter(|place| self.has(*place)) {
            return Some(place);
        }
        let begun = room.len();
        match map.here() {
            Repr::Small(leaf) => {
                self.put_leaf(&leaf.list, room)?;
            }
            Repr::Large(branch) => {
                room.extend([BRANCH, branch.height]);
                septets::put(branch.children.len() as u64, room);
                for (least, child) in &branch.children {
                    let place = self.put_map(child, room)?;
                    delta::put_text(least, room);
                    put_stored(Stored::new(place, child.len(), child.height()), room);
                }
            }
            Repr::Aside(..) => return None,
        }
        let place = self.put_record(room, begun)?;
        map.mark(place);
        Some(place)
    }

    /// The record of a small map, or of a leaf.
    fn put_leaf(&self, entries: &[(Key, Value)], room: &mut Vec<u8>) -> Option<()> {
        septets::put(entries.len() as u64 + 1, room);
        self.put_entries(entries, room)
    }

    /// Entries up to an end. Maps that are not tiny become records of their own.
    fn put_entries(&self, entries: &[(Key, Value)], room: &mut Vec<u8>) -> Option<()> {
        for (key, value) in entries {
            let Value::Map(map) = value else {
                delta::put_value(value, Some(key), room);
                continue;
            };
            let place = match map.here() {
                Repr::Small(leaf) if map.place().is_none() => {
                    let begun = room.len();
                    delta::put_key(delta::HERE, key, room);
                    let content = room.len();
                    self.put_leaf(&leaf.list, room)?;
                    if room.len() - content <= TINY {
                        continue;
                    }
                    let place = self.put_record(room, content)?;
                    room.truncate(begun);
                    map.mark(place);
                    place
                }
                _ => self.put_map(map, room)?,
            };
            delta::put_key(delta::STORED, key, room);
            put_stored(Stored::new(place, map.len(), map.height()), room);
        }
        room.push(delta::END);
        Some(())
    }

    /// Writes what stands at the end of `room` as a record, and takes it away there.
    fn put_record(&self, room: &mut Vec<u8>, begun: usize) -> Option<Place> {
        let padded = (room.len() - begun).next_multiple_of(WORD);
        room.resize(begun + padded, 0);
        let offset = self.file.append(&room[begun..])?;
        room.truncate(begun);
        Place::new(self.number, offset, padded)
    }

    /// The map that stands there.
    ///
    /// # Panics
    /// Where it cannot be read again: whoever looks at a map cannot be told, and nothing may be shown
    /// in its place.
    #[allow(clippy::panic, reason = "as memory that cannot be read")]
    pub(super) fn read(self: &Arc<Self>, place: Place) -> Map {
        if let Some(known) = self.nodes().find(place) {
            return known;
        }
        let record = self.file.read(place.offset(), place.length());
        let Some(map) = record.and_then(|record| self.revive(&record)) else {
            panic!("what was put aside of the state cannot be read again; is the disk in order?");
        };
        map.mark(place);
        if map.is_in_memory() {
            // What was in its slot goes when nobody waits for it.
            let _before = self.nodes().keep(place, &map);
        }
        map
    }

    fn nodes(&self) -> std::sync::MutexGuard<'_, Nodes> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn revive(self: &Arc<Self>, record: &[u8]) -> Option<Map> {
        let mut bytes = Bytes::of_record(record, self);
        if record.first() != Some(&BRANCH) {
            let leaf = bytes.leaf()?;
            bytes.done();
            return Some(leaf);
        }
        bytes.byte()?;
        let height = bytes.byte()?;
        let count = usize::try_from(bytes.number()?).ok()?;
        bytes.expect(count);
        let children =
            bytes.times(count, |bytes| Some((Key::new(bytes.text()?), bytes.stored()?)))?;
        bytes.done();
        Some(Map::branch(Branch::new(children, height)))
    }
}

fn put_stored(stored: Stored, room: &mut Vec<u8>) {
    room.extend_from_slice(&stored.place.bits().to_le_bytes());
    septets::put(stored.len.into(), room);
    room.push(stored.height);
}

impl Bytes<'_> {
    /// What [`Spill::put_leaf`] wrote.
    pub(super) fn leaf(&mut self) -> Option<Map> {
        let entries = usize::try_from(self.number()?.checked_sub(1)?).ok()?;
        self.expect(entries);
        self.entries(entries).map(Map::leaf)
    }

    /// The map that [`put_stored`] wrote; not to be looked at before the record's
    /// [`done`](Bytes::done).
    pub(super) fn stored(&mut self) -> Option<Map> {
        let place = Place::from_bits(u64::from_le_bytes(self.take()?))?;
        let len = u32::try_from(self.number()?).ok()?;
        let stored = Stored { place, len, height: self.byte()? };
        self.shelf.as_mut().map(|shelf| shelf.put(stored))
    }
}

impl Nodes {
    fn slot(&mut self, place: Place) -> &mut Option<(Place, Map)> {
        if self.0.is_empty() {
            self.0.resize_with(SLOTS, || None);
        }
        let mut hasher = rustc_hash::FxHasher::default();
        place.hash(&mut hasher);
        let at = hasher.finish() as usize % SLOTS;
        &mut self.0[at]
    }

    fn find(&mut self, place: Place) -> Option<Map> {
        self.slot(place).as_ref().filter(|(of, _)| *of == place).map(|(_, map)| map.clone())
    }

    fn keep(&mut self, place: Place, map: &Map) -> Option<(Place, Map)> {
        self.slot(place).replace((place, map.clone()))
    }
}
