//! Maps that were put aside and stand side by side in one map.
//!
//! Lives here: [`Shelf`], which has them together, and reading each where it is looked at. May not
//! live here: what is read (see [`super::spill`]).
//!
//! They are together because a map of some dozens would else be as many allocations, and to copy it
//! or to let go of it would mean to count up or down in as many places of memory.

use std::sync::{Arc, OnceLock};

use super::Map;
use super::map::{Repr, make_room};
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

/// A shelf that is being filled; there is none where nothing is put on it.
pub(super) struct Filling<'a> {
    spill: &'a Arc<Spill>,
    shelf: Option<Arc<Shelf>>,
    list: Vec<Aside>,
    /// About how many may still come, so that nothing has to be made longer.
    to_come: usize,
}

impl<'a> Filling<'a> {
    /// An empty shelf for maps in this spill.
    pub(super) fn new(spill: &'a Arc<Spill>) -> Self {
        Self { spill, shelf: None, list: Vec::new(), to_come: 0 }
    }

    /// So many may come next.
    pub(super) fn expect(&mut self, to_come: usize) {
        self.to_come = to_come;
    }

    /// The map that was put aside there. Nothing is read, and it may not be looked at before the
    /// shelf is [`done`](Self::done).
    pub(super) fn put(&mut self, at: Stored) -> Map {
        let empty = || Arc::new(Shelf { spill: Arc::clone(self.spill), list: OnceLock::new() });
        let shelf = Arc::clone(self.shelf.get_or_insert_with(empty));
        let number = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        make_room(&mut self.list, self.to_come.max(1));
        self.list.push(Aside { at, read: OnceLock::new() });
        Map(Repr::Aside(shelf, number))
    }

    /// From now on its maps can be looked at.
    pub(super) fn done(self) {
        if let Some(shelf) = self.shelf {
            shelf.list.get_or_init(|| self.list.into());
        }
    }
}
