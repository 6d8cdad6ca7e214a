//! The map of a value: small ones are one sorted array, large ones a tree of such arrays.
//!
//! Lives here: [`Map`], its entries in order, and what two maps do not share. May not live here:
//! JSON text (see [`super::json`]); files (see [`super::spill`]).
//!
//! The tree is our own because its nodes can be put aside, into a file, one by one: a million events
//! have thousands of versions of a large tree, which only there have room.

mod leaf;
mod tree;
mod walk;

use std::sync::Arc;

use super::shelf::{Filling, Shelf};
use super::spill::{Place, Spill, Stored};
use super::{Key, Value};
pub(super) use leaf::{Leaf, find, make_room};
use leaf::{Mark, place};
pub(super) use tree::Branch;
use walk::Differing;
pub use walk::Iter;

/// The most entries a map keeps as one sorted array; larger ones become a tree.
const SMALL_MAP: usize = 32;

/// An ordered map from keys to values. Small ones are one sorted array, large ones a tree; both are
/// copied only where they change.
#[derive(Debug, Clone)]
pub struct Map(pub(super) Repr);

#[derive(Debug, Clone)]
pub(super) enum Repr {
    Small(Arc<Leaf>),
    Large(Arc<Branch>),
    /// Put aside, and read when it is looked at.
    Aside(Arc<Shelf>, u32),
}

impl Default for Map {
    fn default() -> Self {
        Self(Repr::Small(Arc::default()))
    }
}

impl Map {
    /// The map of entries that are sorted by their keys, each key once.
    pub(super) fn from_sorted(entries: Vec<(Key, Value)>) -> Self {
        if entries.len() <= SMALL_MAP { Self::leaf(entries) } else { tree::build(entries) }
    }

    /// These entries, sorted by their keys, as one array.
    pub(super) fn leaf(list: Vec<(Key, Value)>) -> Self {
        Self(Repr::Small(Arc::new(Leaf { list, mark: Mark::default() })))
    }

    /// The large map under this node.
    pub(super) fn branch(branch: Branch) -> Self {
        Self(Repr::Large(Arc::new(branch)))
    }

    /// The empty map.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The empty map, with room for some entries.
    #[must_use]
    pub fn with_capacity(entries: usize) -> Self {
        Self::leaf(Vec::with_capacity(entries.min(SMALL_MAP)))
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Repr::Small(leaf) => leaf.list.len(),
            Repr::Large(branch) => branch.len,
            Repr::Aside(shelf, number) => shelf.at(*number).len(),
        }
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What it is, read if need be.
    pub(super) fn here(&self) -> &Repr {
        match &self.0 {
            Repr::Aside(shelf, number) => &shelf.map(*number).0,
            here => here,
        }
    }

    /// The same, to change it.
    fn at_hand(&mut self) -> &mut Repr {
        if let Repr::Aside(shelf, number) = &self.0 {
            *self = shelf.map(*number).clone();
        }
        &mut self.0
    }

    /// How far its leaves are below it.
    pub(super) fn height(&self) -> u8 {
        match &self.0 {
            Repr::Small(_) => 0,
            Repr::Large(branch) => branch.height,
            Repr::Aside(shelf, number) => shelf.at(*number).height(),
        }
    }

    /// How many entries or nodes stand right in it.
    fn width(&self) -> usize {
        match self.here() {
            Repr::Small(leaf) => leaf.list.len(),
            Repr::Large(branch) => branch.children.len(),
            Repr::Aside(..) => 0,
        }
    }

    /// A key that none of its own is less than.
    fn least(&self) -> Option<Key> {
        match self.here() {
            Repr::Small(leaf) => leaf.list.first().map(|(key, _)| key.clone()),
            Repr::Large(branch) => branch.children.first().map(|(key, _)| key.clone()),
            Repr::Aside(..) => None,
        }
    }

    /// Where it was put aside, if it is still what it was then.
    pub(super) fn place(&self) -> Option<Place> {
        match &self.0 {
            Repr::Small(leaf) => leaf.mark.place(),
            Repr::Large(branch) => branch.mark.place(),
            Repr::Aside(shelf, number) => Some(shelf.at(*number).place()),
        }
    }

    /// Whether it is a small map none of whose maps is put aside.
    pub(super) fn is_in_memory(&self) -> bool {
        let here = |(_, value): &(Key, Value)| match value {
            Value::Map(map) => map.is_in_memory(),
            _ => true,
        };
        matches!(&self.0, Repr::Small(leaf) if leaf.list.iter().all(here))
    }

    /// Notes that it was put aside.
    pub(super) fn mark(&self, place: Place) {
        match &self.0 {
            Repr::Small(leaf) => leaf.mark.set(place),
            Repr::Large(branch) => branch.mark.set(place),
            Repr::Aside(..) => {}
        }
    }

    /// Lets go of everything that was put aside in `spill`: it is read again when it is looked at,
    /// and is kept by this map alone then, not by those that share with it.
    pub fn let_go(&mut self, spill: &Arc<Spill>) {
        let_go_of(std::iter::once(self), spill);
    }

    /// The same for what is below it.
    fn let_go_below(&mut self, spill: &Arc<Spill>) {
        match &mut self.0 {
            Repr::Small(leaf) => {
                if leaf.list.iter().any(|(_, value)| matches!(value, Value::Map(_))) {
                    let_go_of(leaf.change().iter_mut().filter_map(|(_, v)| v.as_map_mut()), spill);
                }
            }
            Repr::Large(branch) => {
                let children = Branch::change(branch).children.iter_mut();
                let_go_of(children.map(|(_, child)| child), spill);
            }
            Repr::Aside(..) => {}
        }
    }

    /// Whether both are one and the same in memory, or in one file: true means equal, false means
    /// nothing.
    #[must_use]
    pub fn same(&self, other: &Map) -> bool {
        let in_memory = match (&self.0, &other.0) {
            (Repr::Small(a), Repr::Small(b)) => Arc::ptr_eq(a, b),
            (Repr::Large(a), Repr::Large(b)) => Arc::ptr_eq(a, b),
            (Repr::Aside(a, at), Repr::Aside(b, other)) => Arc::ptr_eq(a, b) && at == other,
            _ => false,
        };
        in_memory || self.place().is_some_and(|place| other.place() == Some(place))
    }

    /// The value under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        let mut node = match self.here() {
            Repr::Small(leaf) => return place(&leaf.list, key).map(|at| &leaf.list[at].1),
            Repr::Large(branch) => branch.child(key)?,
            Repr::Aside(..) => return None,
        };
        loop {
            node = match node.here() {
                Repr::Small(leaf) => {
                    return find(&leaf.list, key).ok().map(|at| &leaf.list[at].1);
                }
                Repr::Large(branch) => branch.child(key)?,
                Repr::Aside(..) => return None,
            };
        }
    }

    /// The value under `key`, to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let at = match self.here() {
            Repr::Small(leaf) => place(&leaf.list, key)?,
            _ => self.get(key).map(|_| 0)?,
        };
        self.value_there(at, key)
    }

    /// The value of a key that is there: in a small map at this place.
    fn value_there(&mut self, at: usize, key: &str) -> Option<&mut Value> {
        match self.at_hand() {
            Repr::Small(leaf) => leaf.change().get_mut(at).map(|(_, value)| value),
            large => tree::slot(large, key),
        }
    }

    /// The map under `key`, made empty where there is none (or something else).
    pub fn map_mut(&mut self, key: &Key) -> &mut Map {
        let found = self.map_at(key).or_else(|| {
            self.insert(key.clone(), Value::Map(Map::new()));
            self.map_at(key)
        });
        match found {
            Some(found) => self.map_there(found, key),
            None => unreachable!("a map was put there above"),
        }
    }

    /// The map under `key` to change; or, where there is none, this map itself.
    ///
    /// # Errors
    /// This map, where it has no map under `key`.
    pub fn enter(&mut self, key: &str) -> Result<&mut Map, &mut Map> {
        match self.map_at(key) {
            Some(found) => Ok(self.map_there(found, key)),
            None => Err(self),
        }
    }

    /// Where the map under `key` stands, if there is one: a number in a small map, any in a large.
    fn map_at(&self, key: &str) -> Option<usize> {
        let (at, value) = match self.here() {
            Repr::Small(leaf) => {
                let at = place(&leaf.list, key)?;
                (at, &leaf.list[at].1)
            }
            _ => (0, self.get(key)?),
        };
        matches!(value, Value::Map(_)).then_some(at)
    }

    /// The map that [`Map::map_at`] found.
    fn map_there(&mut self, found: usize, key: &str) -> &mut Map {
        match self.value_there(found, key) {
            Some(Value::Map(map)) => map,
            _ => unreachable!("a map was found there"),
        }
    }

    /// Puts `value` under `key` and gives what was there.
    pub fn insert(&mut self, key: impl Into<Key>, value: Value) -> Option<Value> {
        let key = key.into();
        let Repr::Small(leaf) = self.at_hand() else { return tree::insert(self, key, value) };
        match find(&leaf.list, &key) {
            Ok(at) => Some(std::mem::replace(&mut leaf.change()[at].1, value)),
            Err(at) => {
                let list = leaf.grow();
                list.insert(at, (key, value));
                if list.len() > SMALL_MAP {
                    *self = tree::build(std::mem::take(list));
                }
                None
            }
        }
    }

    /// Puts `value` under `key`, unless an equal one is there already: then nothing is copied that
    /// is shared. Gives what was there (none for nothing) where that changed.
    ///
    /// # Errors
    /// Gives `value` back where an equal one was there.
    pub fn replace(&mut self, key: Key, value: Value) -> Result<Option<Value>, Value> {
        if let Repr::Small(leaf) = self.at_hand()
            && let Some(at) = place(&leaf.list, &key)
        {
            if leaf.list[at].1 == value {
                return Err(value);
            }
            return Ok(Some(std::mem::replace(&mut leaf.change()[at].1, value)));
        }
        if self.get(&key) == Some(&value) {
            return Err(value);
        }
        Ok(self.insert(key, value))
    }

    /// Takes `key` out and gives what was there.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        if let Repr::Small(leaf) = self.at_hand() {
            let at = place(&leaf.list, key)?;
            return Some(leaf.change().remove(at).1);
        }
        self.get(key)?;
        let removed = tree::remove(self, key)?;
        // Hysteresis: a map that hovers around the limit does not flip at each change.
        if self.len() <= SMALL_MAP / 2 {
            *self = Self::leaf(self.iter().map(|(k, v)| (k.clone(), v.clone())).collect());
        }
        Some(removed)
    }

    /// Its entries in the order of the keys.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter::new(self)
    }

    /// The entries that may differ between `self` and `other`, in the order of the keys; shared
    /// parts are skipped without being looked at.
    pub fn differing<'a>(
        &'a self,
        other: &'a Map,
        mut each: impl FnMut(&'a Key, Option<&'a Value>, Option<&'a Value>),
    ) {
        Differing::new(self, other).for_each(|(key, old, new)| each(key, old, new));
    }
}

/// [`Map::let_go`] for maps that stand side by side.
fn let_go_of<'a>(maps: impl Iterator<Item = &'a mut Map>, spill: &Arc<Spill>) {
    let mut shelf = Filling::new(spill);
    shelf.expect(maps.size_hint().1.unwrap_or_default());
    for map in maps {
        match map.place() {
            Some(place) if spill.has(place) => {
                *map = shelf.put(Stored::new(place, map.len(), map.height()));
            }
            Some(_) => {}
            None => map.let_go_below(spill),
        }
    }
    shelf.done();
}

impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        // What the two share is not looked at.
        self.len() == other.len() && Differing::new(self, other).all(|(_, old, new)| old == new)
    }
}

impl Eq for Map {}

impl<K: Into<Key>> FromIterator<(K, Value)> for Map {
    fn from_iter<T: IntoIterator<Item = (K, Value)>>(entries: T) -> Self {
        let mut map = Map::new();
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }
}

impl<'a> IntoIterator for &'a Map {
    type Item = (&'a Key, &'a Value);
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}
