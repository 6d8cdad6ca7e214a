//! Maps that were put aside and stand side by side in one map.
//!
//! Lives here: [`Shelf`], which has them together, and reading each where it is looked at. May not
//! live here: what is read (see [`super::spill`]).
//!
//! They are together because a map of some dozens would else be as many allocations, and to copy it
//! or to let go of it would mean to count up or down in as many places of memory.

use std::sync::{Arc, OnceLock};

use super::Map;
use super::map::Repr;
use super::spill::{Spill, Stored};

/// Maps in a spill, by their numbers.
#[derive(Debug)]
pub(super) struct Shelf {
    spill: Arc<Spill>,
    /// Empty while it is being filled: none of its maps is looked at before.
    list: OnceLock<Box<[Aside]>>,
}

/// A map that is read when it is looked at.
#[derive(Debug)]
struct Aside {
    at: Stored,
    read: OnceLock<Map>,
}

impl Shelf {
    fn aside(&self, number: u32) -> &Aside {
        match self.list.get().and_then(|list| list.get(number as usize)) {
            Some(aside) => aside,
            None => unreachable!("a map is looked at once its shelf is full"),
        }
    }

    /// Where the map of this number is.
    pub(super) fn at(&self, number: u32) -> Stored {
        self.aside(number).at
    }

    /// The map of this number, in memory.
    pub(super) fn map(&self, number: u32) -> &Map {
        let aside = self.aside(number);
        aside.read.get_or_init(|| self.spill.read(aside.at.place()))
    }

    #[cfg(test)]
    pub(super) fn is_read(&self, number: u32) -> bool {
        self.aside(number).read.get().is_some()
    }
}

/// A shelf that is being filled.
pub(super) struct Filling {
    shelf: Arc<Shelf>,
    list: Vec<Aside>,
}

impl Filling {
    /// An empty shelf for maps in this spill.
    pub(super) fn new(spill: &Arc<Spill>) -> Self {
        let shelf = Shelf { spill: Arc::clone(spill), list: OnceLock::new() };
        Self { shelf: Arc::new(shelf), list: Vec::new() }
    }

    /// The map that was put aside there. Nothing is read, and it may not be looked at before the
    /// shelf is [`done`](Self::done).
    pub(super) fn put(&mut self, at: Stored) -> Map {
        let number = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push(Aside { at, read: OnceLock::new() });
        Map(Repr::Aside(Arc::clone(&self.shelf), number))
    }

    /// From now on its maps can be looked at.
    pub(super) fn done(self) {
        self.shelf.list.get_or_init(|| self.list.into());
    }
}
