//! What an import remembers while a file goes by: never more than a fixed number of things.
//!
//! Lives here: [`Recent`], a map that forgets, and [`Seen`], which tells repeated records apart.
//! May not live here: what is remembered why.

use std::borrow::Borrow;
use std::hash::Hash;

use rustc_hash::FxHashMap;

/// A map of at most `keep` entries that forgets what was put in longest ago, by halves.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    young: FxHashMap<K, V>,
    old: FxHashMap<K, V>,
    half: usize,
}

impl<K: Eq + Hash, V> Recent<K, V> {
    pub(super) fn new(keep: usize) -> Self {
        Self { young: FxHashMap::default(), old: FxHashMap::default(), half: (keep / 2).max(1) }
    }

    pub(super) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= self.half {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    pub(super) fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.young.remove(key);
        self.old.remove(key);
    }
}

/// How many records are told apart at least: beyond, the store's own ids decide.
const RECORDS: usize = 400_000;

/// Which occurrence of its identity a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occurrence {
    /// This one, from 1; above 1, a record with an id has other content than those before.
    Nth(u32),
    /// The same id with the same content as before.
    Repeat,
}

/// The identities that went by, as hashes.
#[derive(Debug)]
pub(super) struct Seen {
    /// Identity to the content it first had, and how many contents (or repetitions) it had.
    first: Recent<u64, (u64, u32)>,
    /// Identity and content, of ids that were used again.
    further: Recent<(u64, u64), ()>,
}

impl Seen {
    pub(super) fn new() -> Self {
        Self { first: Recent::new(RECORDS), further: Recent::new(RECORDS / 8) }
    }

    /// Notes a record. One without an id of its own is identified by its bytes, and each
    /// repetition of them is another record.
    pub(super) fn note(&mut self, identity: u64, content: u64, has_id: bool) -> Occurrence {
        let Some(&(known, count)) = self.first.get(&identity) else {
            self.first.insert(identity, (content, 1));
            return Occurrence::Nth(1);
        };
        if has_id {
            if known == content || self.further.get(&(identity, content)).is_some() {
                return Occurrence::Repeat;
            }
            self.further.insert((identity, content), ());
        }
        self.first.insert(identity, (known, count + 1));
        Occurrence::Nth(count + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_forgets_the_oldest_half() {
        let mut recent = Recent::new(4);
        for n in 0..5 {
            recent.insert(n, n);
        }
        assert_eq!((0..5).filter(|n| recent.get(n).is_some()).collect::<Vec<_>>(), [2, 3, 4]);
        recent.remove(&3);
        assert_eq!(recent.get(&3), None);
    }

    #[test]
    fn occurrences() {
        let mut seen = Seen::new();
        let by_id: Vec<_> = [7, 7, 8, 7, 8, 9].iter().map(|c| seen.note(1, *c, true)).collect();
        use Occurrence::{Nth, Repeat};
        assert_eq!(by_id, [Nth(1), Repeat, Nth(2), Repeat, Repeat, Nth(3)]);
        assert_eq!([seen.note(2, 2, false), seen.note(2, 2, false)], [Nth(1), Nth(2)]);
    }
}
