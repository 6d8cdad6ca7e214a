//! The tree of paths that were ever written.
//!
//! Lives here: [`Node`], twenty bytes for each path, and [`Nodes`], which finds one by the path above
//! it and its key. May not live here: what a write says about the paths around it.

use std::hash::Hasher;

use hashbrown::HashTable;
use rustc_hash::FxHasher;

use super::chunks::Chunks;
use super::keys::{KeyAt, Keys};
use super::posts::Posts;
use crate::model::Position;

/// A path that was written at least once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PathId(u32);

pub(super) const ROOT: PathId = PathId(0);

/// What is known of one path.
#[derive(Debug)]
pub(super) struct Node {
    parent: PathId,
    key: KeyAt,
    pub(super) posts: Posts,
    /// See [`Node::inherits`] and [`Node::has_children`], which is the highest bit.
    inherits: u32,
}

const HAS_CHILDREN: u32 = 1 << 31;

impl Node {
    fn new(parent: PathId, key: KeyAt, inherits: Position) -> Self {
        Self { parent, key, posts: Posts::default(), inherits: inherits & !HAS_CHILDREN }
    }

    /// Up to here (excluded) whoever wrote all below the parent wrote this; 0 for nobody.
    pub(super) fn inherits(&self) -> Position {
        self.inherits & !HAS_CHILDREN
    }

    /// Whether something below it was ever written by a path of its own.
    pub(super) fn has_children(&self) -> bool {
        self.inherits & HAS_CHILDREN != 0
    }
}

/// All of them; the first is the root.
#[derive(Debug)]
pub(super) struct Nodes {
    nodes: Chunks<Node>,
    keys: Keys,
    /// By parent and key.
    table: HashTable<u32>,
    late: Late,
}

impl Default for Nodes {
    fn default() -> Self {
        let mut nodes = Chunks::default();
        nodes.push(Node::new(ROOT, KeyAt::NOWHERE, 0));
        Self { nodes, keys: Keys::default(), table: HashTable::new(), late: Late::default() }
    }
}

impl Nodes {
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn get(&self, id: PathId) -> Option<&Node> {
        self.nodes.get(id.0)
    }

    pub(super) fn get_mut(&mut self, id: PathId) -> Option<&mut Node> {
        self.nodes.get_mut(id.0)
    }

    /// The key of a path, the innermost one.
    pub(super) fn key(&self, id: PathId) -> &str {
        self.get(id).map_or("", |node| self.keys.text(node.key))
    }

    /// A member of a path, if it was ever written.
    pub(super) fn child(&self, parent: PathId, key: &str) -> Option<PathId> {
        self.find(parent, key, hash(parent, key.as_bytes()))
    }

    fn find(&self, parent: PathId, key: &str, hash: u64) -> Option<PathId> {
        let id = self.table.find(hash, |id| self.is(PathId(*id), parent, key));
        id.map(|id| PathId(*id))
    }

    /// Whether this is that member of that path.
    fn is(&self, id: PathId, parent: PathId, key: &str) -> bool {
        let node = self.get(id);
        node.is_some_and(|node| node.parent == parent && self.keys.is(node.key, key))
    }

    /// A member of a path; where it is new, `inherits` says what [`Node::inherits`] will.
    pub(super) fn child_or_new(
        &mut self,
        parent: PathId,
        key: &str,
        inherits: impl FnOnce(&Node) -> Position,
    ) -> PathId {
        let hash = hash(parent, key.as_bytes());
        if let Some(id) = self.late.get(hash)
            && self.is(id, parent, key)
        {
            return id;
        }
        if let Some(id) = self.find(parent, key, hash) {
            self.late.put(hash, id);
            return id;
        }
        let above = self.nodes.get_mut(parent.0);
        let inherits = above.map_or(0, |above| {
            above.inherits |= HAS_CHILDREN;
            inherits(above)
        });
        if self.table.len() == self.table.capacity() {
            self.make_room();
        }
        let key = self.keys.add(key);
        let id = self.nodes.push(Node::new(parent, key, inherits));
        // (There is room: no other is moved.)
        self.table.insert_unique(hash, id, |_| 0);
        PathId(id)
    }

    /// A table twice as large. It is made from the nodes in their order, which lie side by side,
    /// and the old one is gone before.
    fn make_room(&mut self) {
        let room = self.table.capacity() + 1;
        self.table = HashTable::new();
        self.table.reserve(room, |_| 0);
        for (id, node) in (0..).zip(self.nodes.iter()).skip(1) {
            let key = self.keys.bytes(node.key).unwrap_or_default();
            self.table.insert_unique(hash(node.parent, key), id, |_| 0);
        }
    }

    /// All paths but the root, each with the one above it, in the order of those.
    pub(super) fn by_parent(&self) -> Vec<(PathId, PathId)> {
        let ids = (0..).map(PathId).zip(self.nodes.iter()).skip(1);
        let mut pairs: Vec<_> = ids.map(|(id, node)| (node.parent, id)).collect();
        pairs.sort_unstable();
        pairs
    }
}

/// Paths that were asked for lately, by hash. Events write the same few paths all the time: these
/// lie close together, and those of the whole table do not.
#[derive(Debug, Default)]
struct Late(Vec<(u32, PathId)>);

/// How many they are.
const LATE: usize = 2048;

impl Late {
    /// A path that most likely is the one with this hash.
    fn get(&self, hash: u64) -> Option<PathId> {
        let (other, id) = self.0.get(hash as usize % LATE)?;
        (*other == high(hash)).then_some(*id)
    }

    fn put(&mut self, hash: u64, id: PathId) {
        self.0.resize(LATE, (0, ROOT));
        self.0[hash as usize % LATE] = (high(hash), id);
    }
}

fn high(hash: u64) -> u32 {
    (hash >> 32) as u32
}

fn hash(parent: PathId, key: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write_u32(parent.0);
    hasher.write(key);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_stay_small() {
        assert!(size_of::<Node>() <= 20, "{}", size_of::<Node>());
    }

    #[test]
    fn members_are_found_again_whatever_came_between() {
        let mut nodes = Nodes::default();
        let long = "k".repeat(200_000);
        let keys: Vec<String> =
            (0..5000).map(|n| format!("{n}")).chain([long, String::new()]).collect();
        let mut parents = vec![ROOT];
        for key in &keys {
            let parent = parents[parents.len() / 2];
            assert_eq!(nodes.child(parent, key), None, "{key}");
            parents.push(nodes.child_or_new(parent, key, |_| 0));
        }
        for (at, key) in keys.iter().enumerate() {
            let (parent, id) = (parents[at.div_ceil(2)], parents[at + 1]);
            assert_eq!(nodes.child(parent, key), Some(id), "{key}");
            assert_eq!(nodes.child_or_new(parent, key, |_| 0), id, "{key}");
            assert_eq!(nodes.key(id), key);
            assert_eq!(nodes.child(id, key), None, "{key}");
        }
        assert_eq!(nodes.len(), keys.len() + 1);
        assert!(nodes.by_parent().is_sorted());
    }

    #[test]
    fn the_same_key_below_other_paths_is_another_path() {
        let mut nodes = Nodes::default();
        let names: Vec<String> = (0..3000).map(|n| format!("a{n}")).collect();
        let things: Vec<PathId> =
            names.iter().map(|name| nodes.child_or_new(ROOT, name, |_| 0)).collect();
        for thing in &things {
            assert_eq!(nodes.child(*thing, "status"), None);
            let id = nodes.child_or_new(*thing, "status", |_| 0);
            assert_eq!(nodes.len(), id.0 as usize + 1, "a new one");
        }
        let found: std::collections::BTreeSet<PathId> =
            things.iter().filter_map(|thing| nodes.child(*thing, "status")).collect();
        assert_eq!(found.len(), things.len());
    }
}
