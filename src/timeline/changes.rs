//! The change index: which positions wrote which path.
//!
//! Lives here: the paths that were ever written and the positions that wrote them, so that “who
//! set this” is a look-up. May not live here: values; they are in the states. Counters are left
//! out.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::row::{Symbol, Symbols};
use crate::fold::Change;
use crate::model::{Key, Path, Position, Value};

/// A path that was written at least once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct PathId(u32);

const ROOT: PathId = PathId(0);

/// Path to the positions that wrote it or something below it.
#[derive(Debug)]
pub struct ChangeIndex {
    /// The keys of all paths: things have many fields of few names.
    keys: Symbols,
    ids: FxHashMap<(PathId, Symbol), PathId>,
    nodes: Vec<Node>,
    /// The path that was written last, key by key: the next is mostly its neighbour.
    last: Vec<(Key, PathId)>,
}

#[derive(Debug, Default)]
struct Node {
    writers: SmallVec<[Position; 4]>,
    /// Whether something below it was ever written by a path of its own.
    has_children: bool,
}

impl Default for ChangeIndex {
    fn default() -> Self {
        Self {
            keys: Symbols::default(),
            ids: FxHashMap::default(),
            nodes: vec![Node::default()],
            last: Vec::new(),
        }
    }
}

impl ChangeIndex {
    /// Notes what the event at `position` changed. Positions come in order.
    pub fn record(&mut self, position: Position, changes: &[Change]) {
        for change in super::telling(changes) {
            let node = self.descend(&change.path, position);
            self.record_below(node, position, change.old.as_ref(), change.new.as_ref());
        }
    }

    /// The node of a path; it and all above it are written at `position`.
    fn descend(&mut self, path: &Path, position: Position) -> PathId {
        self.post(ROOT, position);
        let shared = self.last.iter().zip(path.keys()).take_while(|((a, _), b)| a == *b).count();
        self.last.truncate(shared);
        for at in 0..shared {
            self.post(self.last[at].1, position);
        }
        let mut node = self.last.last().map_or(ROOT, |(_, node)| *node);
        for key in &path.keys()[shared..] {
            node = self.child(node, key);
            self.post(node, position);
            self.last.push((key.clone(), node));
        }
        node
    }

    /// A change of a whole subtree is one of each of its leaves that differ.
    fn record_below(
        &mut self,
        node: PathId,
        position: Position,
        old: Option<&Value>,
        new: Option<&Value>,
    ) {
        match (old.and_then(Value::as_map), new.and_then(Value::as_map)) {
            (None, None) => {}
            (Some(old), Some(new)) => {
                old.differing(new, |key, old, new| {
                    if old != new {
                        self.record_entry(node, position, key, old, new);
                    }
                });
            }
            (Some(gone), None) => {
                for (key, value) in gone {
                    self.record_entry(node, position, key, Some(value), None);
                }
            }
            (None, Some(come)) => {
                for (key, value) in come {
                    self.record_entry(node, position, key, None, Some(value));
                }
            }
        }
    }

    fn record_entry(
        &mut self,
        node: PathId,
        position: Position,
        key: &Key,
        old: Option<&Value>,
        new: Option<&Value>,
    ) {
        let child = self.child(node, key);
        self.post(child, position);
        self.record_below(child, position, old, new);
    }

    fn child(&mut self, parent: PathId, key: &Key) -> PathId {
        let key = self.keys.intern(key);
        if let Some(id) = self.ids.get(&(parent, key)) {
            return *id;
        }
        let id = PathId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.ids.insert((parent, key), id);
        self.nodes.push(Node::default());
        if let Some(parent) = self.nodes.get_mut(parent.0 as usize) {
            parent.has_children = true;
        }
        id
    }

    fn post(&mut self, node: PathId, position: Position) {
        if let Some(node) = self.nodes.get_mut(node.0 as usize)
            && node.writers.last() != Some(&position)
        {
            node.writers.push(position);
        }
    }

    /// The positions that wrote `path` or something below it, in order. A path inside a list is
    /// answered by the list, which is written as a whole.
    #[must_use]
    pub fn writers(&self, path: &Path) -> &[Position] {
        let mut node = ROOT;
        for key in path.keys() {
            let child = self.keys.find(key).and_then(|key| self.ids.get(&(node, key)));
            match child {
                Some(child) => node = *child,
                None if self.is_leaf(node) && key.bytes().all(|b| b.is_ascii_digit()) => break,
                None => return &[],
            }
        }
        self.nodes.get(node.0 as usize).map_or(&[], |node| node.writers.as_slice())
    }

    /// Gives each path below which nothing was written, with the positions that wrote it.
    pub fn each_leaf(&self, mut each: impl FnMut(&Path, &[Position])) {
        let mut children: Vec<(PathId, Symbol, PathId)> =
            self.ids.iter().map(|((parent, key), child)| (*parent, *key, *child)).collect();
        children.sort_unstable_by_key(|(parent, key, _)| (parent.0, *key));
        self.each_leaf_below(ROOT, &mut Path::root(), &children, &mut each);
    }

    fn each_leaf_below(
        &self,
        node: PathId,
        path: &mut Path,
        children: &[(PathId, Symbol, PathId)],
        each: &mut impl FnMut(&Path, &[Position]),
    ) {
        let first = children.partition_point(|(parent, ..)| parent.0 < node.0);
        let mut below = children[first..].iter().take_while(|(parent, ..)| *parent == node);
        let Some(mut child) = below.next() else {
            if let Some(node) = self.nodes.get(node.0 as usize) {
                each(path, &node.writers);
            }
            return;
        };
        loop {
            path.push(self.keys.text(child.1));
            self.each_leaf_below(child.2, path, children, each);
            path.pop();
            match below.next() {
                Some(next) => child = next,
                None => return,
            }
        }
    }

    fn is_leaf(&self, node: PathId) -> bool {
        self.nodes.get(node.0 as usize).is_some_and(|n| !n.has_children && !n.writers.is_empty())
    }

    /// How many different paths were written.
    #[must_use]
    pub fn paths(&self) -> usize {
        self.nodes.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(path: &str, old: Option<&str>, new: Option<&str>) -> Change {
        let value = |json: &str| serde_json::from_str(json).unwrap();
        Change { path: Path::parse(path).unwrap(), old: old.map(value), new: new.map(value) }
    }

    fn writers(index: &ChangeIndex, path: &str) -> Vec<Position> {
        index.writers(&Path::parse(path).unwrap()).to_vec()
    }

    #[test]
    fn writers_of_leaves_subtrees_and_lists() {
        let mut index = ChangeIndex::default();
        index
            .record(1, &[change("/agents/x", None, Some(r#"{"status":"running","files":["a"]}"#))]);
        index.record(2, &[change("/agents/x/status", Some("\"running\""), Some("\"failed\""))]);
        index.record(
            3,
            &[change("/tasks/t", None, Some("{}")), change("/counters/events", None, Some("3"))],
        );
        index.record(4, &[change("/agents/x", Some(r#"{"status":"failed","files":["a"]}"#), None)]);
        assert_eq!(writers(&index, "/agents/x/status"), [1, 2, 4]);
        assert_eq!(writers(&index, "/agents/x/files"), [1, 4]);
        assert_eq!(writers(&index, "/agents/x/files/0"), [1, 4]);
        assert_eq!(writers(&index, "/agents"), [1, 2, 4]);
        assert_eq!(writers(&index, ""), [1, 2, 3, 4]);
        assert!(writers(&index, "/counters/events").is_empty());
        assert!(writers(&index, "/agents/y").is_empty());
        assert!(writers(&index, "/agents/0").is_empty());
    }

    #[test]
    fn replacing_a_subtree_writes_only_what_differs() {
        let mut index = ChangeIndex::default();
        index.record(1, &[change("/phases", None, Some(r#"{"CODE":{"a":1,"b":2}}"#))]);
        index.record(
            2,
            &[change(
                "/phases",
                Some(r#"{"CODE":{"a":1,"b":2}}"#),
                Some(r#"{"CODE":{"a":1,"b":3}}"#),
            )],
        );
        assert_eq!(writers(&index, "/phases/CODE/a"), [1]);
        assert_eq!(writers(&index, "/phases/CODE/b"), [1, 2]);
    }
}
