//! The map of a value: small ones are one sorted array, large ones a B-tree.
//!
//! Lives here: [`Map`], its entries in order, and what two maps do not share. May not live here:
//! JSON text (see [`super::json`]).

use std::sync::Arc;

use super::{Key, Value};

/// The most entries a map keeps as one sorted array; larger ones become a B-tree.
const SMALL_MAP: usize = 32;

/// How much a full array grows.
const ROOM: usize = 3;

/// An ordered map from keys to values. Small ones are one sorted array, large ones a B-tree; both
/// are copied only where they change.
#[derive(Debug, Clone)]
pub struct Map(Repr);

#[derive(Debug, Clone)]
enum Repr {
    Small(Arc<Vec<(Key, Value)>>),
    /// (Behind a pointer of its own: a value is a third smaller for it.)
    Large(Arc<imbl::OrdMap<Key, Value>>),
}

impl Default for Map {
    fn default() -> Self {
        Self(Repr::Small(Arc::default()))
    }
}

impl Map {
    /// The map of entries that are sorted by their keys, each key once.
    pub(super) fn from_sorted(entries: Vec<(Key, Value)>) -> Self {
        if entries.len() <= SMALL_MAP {
            Self(Repr::Small(Arc::new(entries)))
        } else {
            Self(Repr::Large(Arc::new(entries.into_iter().collect())))
        }
    }

    /// The empty map.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The empty map, with room for some entries.
    #[must_use]
    pub fn with_capacity(entries: usize) -> Self {
        Self(Repr::Small(Arc::new(Vec::with_capacity(entries.min(SMALL_MAP)))))
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Repr::Small(entries) => entries.len(),
            Repr::Large(tree) => tree.len(),
        }
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether both are one and the same in memory: true means equal, false means nothing.
    #[must_use]
    pub fn same(&self, other: &Map) -> bool {
        match (&self.0, &other.0) {
            (Repr::Small(a), Repr::Small(b)) => Arc::ptr_eq(a, b),
            (Repr::Large(a), Repr::Large(b)) => Arc::ptr_eq(a, b) || a.ptr_eq(b),
            _ => false,
        }
    }

    /// The value under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        match &self.0 {
            Repr::Small(entries) => place(entries, key).map(|at| &entries[at].1),
            Repr::Large(tree) => tree.get(key),
        }
    }

    /// The value under `key`, to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        match &mut self.0 {
            Repr::Small(entries) => {
                let at = place(entries, key)?;
                Some(&mut Arc::make_mut(entries)[at].1)
            }
            Repr::Large(tree) => Arc::make_mut(tree).get_mut(key),
        }
    }

    /// The map under `key`, made empty where there is none (or something else).
    pub fn map_mut(&mut self, key: &Key) -> &mut Map {
        let mut found = self.position(key);
        if found.is_none() && self.get(key).is_none() {
            self.insert(key.clone(), Value::Map(Map::new()));
            found = self.position(key);
        }
        let value = match &mut self.0 {
            Repr::Small(entries) => found.map(|at| &mut Arc::make_mut(entries)[at].1),
            Repr::Large(tree) => Arc::make_mut(tree).get_mut(key),
        };
        let Some(value) = value else { unreachable!("a value was put there above") };
        if !matches!(value, Value::Map(_)) {
            *value = Value::Map(Map::new());
        }
        match value {
            Value::Map(map) => map,
            _ => unreachable!("it was made a map above"),
        }
    }

    /// The map under `key` to change; or, where there is none, this map itself.
    ///
    /// # Errors
    /// This map, where it has no map under `key`.
    pub fn enter(&mut self, key: &str) -> Result<&mut Map, &mut Map> {
        let found = match &self.0 {
            Repr::Small(entries) => place(entries, key),
            Repr::Large(tree) => matches!(tree.get(key), Some(Value::Map(_))).then_some(0),
        };
        let Some(at) = found else { return Err(self) };
        if let Repr::Small(entries) = &self.0
            && !matches!(entries[at].1, Value::Map(_))
        {
            return Err(self);
        }
        let value = match &mut self.0 {
            Repr::Small(entries) => Some(&mut Arc::make_mut(entries)[at].1),
            Repr::Large(tree) => Arc::make_mut(tree).get_mut(key),
        };
        match value {
            Some(Value::Map(map)) => Ok(map),
            _ => unreachable!("a map was found above"),
        }
    }

    /// Where a small map has `key`.
    fn position(&self, key: &str) -> Option<usize> {
        match &self.0 {
            Repr::Small(entries) => place(entries, key),
            Repr::Large(_) => None,
        }
    }

    /// Puts `value` under `key` and gives what was there.
    pub fn insert(&mut self, key: impl Into<Key>, value: Value) -> Option<Value> {
        let key = key.into();
        match &mut self.0 {
            Repr::Small(entries) => match find(entries, &key) {
                Ok(at) => Some(std::mem::replace(&mut Arc::make_mut(entries)[at].1, value)),
                Err(at) if entries.len() < SMALL_MAP => {
                    let entries = Arc::make_mut(entries);
                    if entries.len() == entries.capacity() {
                        // Thousands of versions are kept: doubling would leave half of each empty.
                        entries.reserve_exact(ROOM);
                    }
                    entries.insert(at, (key, value));
                    None
                }
                Err(_) => {
                    let mut tree: imbl::OrdMap<_, _> = entries.iter().cloned().collect();
                    tree.insert(key, value);
                    self.0 = Repr::Large(Arc::new(tree));
                    None
                }
            },
            Repr::Large(tree) => Arc::make_mut(tree).insert(key, value),
        }
    }

    /// Puts `value` under `key`, unless an equal one is there already: then nothing is copied that
    /// is shared. Gives what was there (none for nothing) where that changed.
    ///
    /// # Errors
    /// Gives `value` back where an equal one was there.
    pub fn replace(&mut self, key: Key, value: Value) -> Result<Option<Value>, Value> {
        if let (Some(at), Repr::Small(entries)) = (self.position(&key), &mut self.0) {
            if entries[at].1 == value {
                return Err(value);
            }
            return Ok(Some(std::mem::replace(&mut Arc::make_mut(entries)[at].1, value)));
        }
        if self.get(&key) == Some(&value) {
            return Err(value);
        }
        Ok(self.insert(key, value))
    }

    /// Takes `key` out and gives what was there.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        match &mut self.0 {
            Repr::Small(entries) => {
                let at = place(entries, key)?;
                Some(Arc::make_mut(entries).remove(at).1)
            }
            Repr::Large(tree) => {
                let removed = Arc::make_mut(tree).remove(key)?;
                // Hysteresis: a map that hovers around the limit does not flip at each change.
                if tree.len() <= SMALL_MAP / 2 {
                    self.0 = Repr::Small(Arc::new(
                        tree.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
                    ));
                }
                Some(removed)
            }
        }
    }

    /// Its entries in the order of the keys.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        match &self.0 {
            Repr::Small(entries) => Iter(IterRepr::Small(entries.iter())),
            Repr::Large(tree) => Iter(IterRepr::Large(Box::new(tree.iter()))),
        }
    }

    /// The entries that may differ between `self` and `other`, in the order of the keys; shared
    /// parts are skipped without being looked at.
    pub fn differing<'a>(
        &'a self,
        other: &'a Map,
        mut each: impl FnMut(&'a Key, Option<&'a Value>, Option<&'a Value>),
    ) {
        if self.same(other) {
            return;
        }
        if let (Repr::Large(a), Repr::Large(b)) = (&self.0, &other.0) {
            use imbl::ordmap::DiffItem;
            for item in a.diff(b) {
                match item {
                    DiffItem::Add(key, new) => each(key, None, Some(new)),
                    DiffItem::Update { old: (key, old), new: (_, new) } => {
                        each(key, Some(old), Some(new));
                    }
                    DiffItem::Remove(key, old) => each(key, Some(old), None),
                }
            }
            return;
        }
        merge(self.iter(), other.iter(), each);
    }
}

/// Walks two sorted sequences side by side; equal pairs are passed on too unless shared.
fn merge<'a>(
    left: Iter<'a>,
    right: Iter<'a>,
    mut each: impl FnMut(&'a Key, Option<&'a Value>, Option<&'a Value>),
) {
    let (mut left, mut right) = (left.peekable(), right.peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => return,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some((a, _)), Some((b, _))) => a.cmp(b),
        };
        match order {
            std::cmp::Ordering::Less => {
                if let Some((key, old)) = left.next() {
                    each(key, Some(old), None);
                }
            }
            std::cmp::Ordering::Greater => {
                if let Some((key, new)) = right.next() {
                    each(key, None, Some(new));
                }
            }
            std::cmp::Ordering::Equal => {
                if let (Some((key, old)), Some((_, new))) = (left.next(), right.next())
                    && !old.same(new)
                {
                    each(key, Some(old), Some(new));
                }
            }
        }
    }
}

/// Where a key stands. Most of a fold's time is spent here: passing over keys of other lengths and
/// other first bytes is twice as fast as a binary search of so short an array.
fn place(entries: &[(Key, Value)], key: &str) -> Option<usize> {
    let wanted = key.as_bytes();
    entries.iter().position(|(k, _)| {
        let k = k.as_bytes();
        k.len() == wanted.len() && k.first() == wanted.first() && k == wanted
    })
}

/// Where a key stands, or where it would. Keys are compared by their first eight bytes as a
/// number, and as texts only where these are equal.
pub(super) fn find(entries: &[(Key, Value)], key: &str) -> Result<usize, usize> {
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

impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        if self.same(other) {
            return true;
        }
        self.len() == other.len()
            && match (&self.0, &other.0) {
                // What the two share is not looked at.
                (Repr::Large(a), Repr::Large(b)) => a.diff(b).next().is_none(),
                _ => self.iter().eq(other.iter()),
            }
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

/// The entries of a [`Map`] in the order of the keys.
#[allow(missing_debug_implementations, reason = "the tree's iterator has none")]
pub struct Iter<'a>(IterRepr<'a>);

enum IterRepr<'a> {
    Small(std::slice::Iter<'a, (Key, Value)>),
    Large(Box<imbl::ordmap::Iter<'a, Key, Value, imbl::shared_ptr::DefaultSharedPtr>>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a Key, &'a Value);

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            IterRepr::Small(entries) => entries.next().map(|(key, value)| (key, value)),
            IterRepr::Large(tree) => tree.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.0 {
            IterRepr::Small(entries) => entries.size_hint(),
            IterRepr::Large(tree) => tree.size_hint(),
        }
    }
}
