//! Which event has which id: positions by the hash of a text.
//!
//! Lives here: [`Ids`], in some twelve bytes an event. May not live here: the hash itself (see
//! [`super::row`]).
//!
//! A hash table has a quarter of its room free at best and three at worst, and keeps two tables
//! while it grows. Here the entries lie in many short lists, each in the order of its hashes: the
//! first bits of a hash tell the list, so only the others are kept. All 64 count: that two ids are
//! taken for one is as improbable as that their hashes are the same.

use crate::model::Position;

/// So many of the first bits of a hash are not kept: they tell the list, or the lists that were one
/// before.
const TOLD: u32 = 8;
/// Lists are divided when they have so many entries on average.
const FULL: usize = 256;
/// A list grows by so many entries: what is free of it is little of what it has when it is full.
const STEP: usize = 16;

/// A position by the rest of a hash, both with the highest byte first.
#[derive(Debug, Clone, Copy)]
struct Entry {
    rest: [u8; 7],
    position: [u8; 4],
}

/// Positions by hashes.
#[derive(Debug, Default)]
pub struct Ids {
    /// Their number is a power of two; none before the first entry.
    lists: Vec<Vec<Entry>>,
    /// How many bits tell the list.
    bits: u32,
    len: usize,
}

impl Entry {
    fn new(hash: u64, position: Position) -> Self {
        Self { rest: rest(hash), position: position.to_be_bytes() }
    }

    fn position(&self) -> Position {
        Position::from_be_bytes(self.position)
    }
}

/// The part of a hash that is kept.
fn rest(hash: u64) -> [u8; 7] {
    let [_, rest @ ..] = hash.to_be_bytes();
    rest
}

impl Ids {
    /// The position of a hash.
    #[must_use]
    pub fn get(&self, hash: u64) -> Option<Position> {
        let list = self.lists.get(self.list(hash))?;
        let at = list.binary_search_by(|entry| entry.rest.cmp(&rest(hash))).ok()?;
        list.get(at).map(Entry::position)
    }

    /// Gives a hash a position, unless it has one; answers the one that it had.
    pub fn insert_new(&mut self, hash: u64, position: Position) -> Option<Position> {
        self.make_room();
        let list = self.list(hash);
        let list = self.lists.get_mut(list)?;
        match list.binary_search_by(|entry| entry.rest.cmp(&rest(hash))) {
            Ok(known) => list.get(known).map(Entry::position),
            Err(at) => {
                if list.len() == list.capacity() {
                    list.reserve_exact(STEP);
                }
                list.insert(at, Entry::new(hash, position));
                self.len += 1;
                None
            }
        }
    }

    /// Gives a hash a position, whatever it had.
    pub fn insert(&mut self, hash: u64, position: Position) {
        if self.insert_new(hash, position).is_none() {
            return;
        }
        let list = self.list(hash);
        let entry = self.lists.get_mut(list).and_then(|list| {
            let at = list.binary_search_by(|entry| entry.rest.cmp(&rest(hash))).ok()?;
            list.get_mut(at)
        });
        if let Some(entry) = entry {
            *entry = Entry::new(hash, position);
        }
    }

    /// Which list a hash is in.
    fn list(&self, hash: u64) -> usize {
        #[allow(clippy::cast_possible_truncation, reason = "fewer bits than an index has")]
        let list = (hash >> (u64::BITS - self.bits.max(1))) as usize;
        list
    }

    /// Divides the lists when they are full.
    fn make_room(&mut self) {
        if self.lists.is_empty() {
            self.bits = TOLD;
            self.lists.resize_with(1 << TOLD, Vec::new);
        }
        if self.len < FULL * self.lists.len() {
            return;
        }
        let mut lists = Vec::with_capacity(2 * self.lists.len());
        for mut low in self.lists.drain(..) {
            // The next bit tells: of the halves, that of the greater hashes is the second.
            let high = low.partition_point(|entry| !entry.has_bit(self.bits));
            let high = low.split_off(high);
            low.shrink_to_fit();
            lists.extend([low, high]);
        }
        self.lists = lists;
        self.bits += 1;
    }
}

impl Entry {
    /// This bit of the hash, counted from the highest.
    fn has_bit(&self, bit: u32) -> bool {
        let within = (bit - TOLD) as usize;
        self.rest.get(within / 8).is_some_and(|byte| byte & (0x80 >> (within % 8)) != 0)
    }
}

#[cfg(test)]
mod tests {
    use rustc_hash::FxHashMap;

    use super::*;
    use proptest::prelude::*;

    /// Few different ones, any, and some that differ in one bit alone.
    fn hashes() -> impl Strategy<Value = Vec<u64>> {
        let one = (any::<u64>(), 0_u32..64).prop_map(|(few, bit)| (few % 7) ^ (1 << bit));
        proptest::collection::vec(prop_oneof![any::<u64>(), 0_u64..20, one], 0..500)
    }

    proptest! {
        #[test]
        fn they_are_what_a_map_is(hashes in hashes()) {
            let (mut first, mut last) = (Ids::default(), Ids::default());
            let (mut first_map, mut last_map) = (FxHashMap::default(), FxHashMap::default());
            for (position, hash) in (1..).zip(&hashes) {
                prop_assert_eq!(first.get(*hash), first_map.get(hash).copied());
                let known = first.insert_new(*hash, position);
                prop_assert_eq!(known, first_map.get(hash).copied());
                first_map.entry(*hash).or_insert(position);
                last.insert(*hash, position);
                last_map.insert(*hash, position);
            }
            for hash in hashes.iter().flat_map(|hash| [*hash, hash ^ 1, hash ^ (1 << 63)]) {
                prop_assert_eq!(first.get(hash), first_map.get(&hash).copied());
                prop_assert_eq!(last.get(hash), last_map.get(&hash).copied());
            }
        }
    }

    #[test]
    fn many_take_little_more_than_their_bytes() {
        let mut ids = Ids::default();
        let hash = |n: Position| crate::timeline::row::hash_text(&format!("event-{n}"));
        let count = 300_000;
        for n in 1..=count {
            assert_eq!(ids.insert_new(hash(n), n), None);
        }
        assert!(ids.lists.len() > 1 << TOLD, "no list was divided");
        for n in 1..=count {
            assert_eq!(ids.get(hash(n)), Some(n));
            assert_eq!(ids.insert_new(hash(n), 7), Some(n));
        }
        assert_eq!(ids.get(hash(0)), None);
        let room: usize = ids.lists.iter().map(|list| list.capacity() * size_of::<Entry>()).sum();
        assert!(room < 12 * count as usize, "{room} bytes");
    }
}
