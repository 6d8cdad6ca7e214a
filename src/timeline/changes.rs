//! The change index: which positions wrote which path.
//!
//! Lives here: the paths that were ever written and the positions that wrote them, so that “who
//! set this” is a look-up. May not live here: values; they are in the states. Counters are left
//! out.
//!
//! What lies deep and comes or goes in one piece (an open call of a tool with its input) is noted
//! once, at its own path, and not for each value in it: else most of the index would be about
//! things that were there for two events. Such a path answers for all below it, until something
//! below it is written by itself.

mod chunks;
mod keys;
mod nodes;
mod posts;
mod writers;

use nodes::{Node, Nodes, PathId, ROOT};
use posts::{Pool, Post, View};
pub use writers::Writers;

use crate::fold::Change;
use crate::model::{Key, Map, Path, Position, Value};

/// Paths of up to so many keys are always noted by themselves.
const DEEP: usize = 4;

/// Path to the positions that wrote it or something below it.
#[derive(Debug, Default)]
pub struct ChangeIndex {
    nodes: Nodes,
    /// What the nodes have no room for.
    pool: Pool,
    /// The path that was written last, key by key: the next is mostly its neighbour.
    last: Vec<(Key, PathId)>,
    /// The position that wrote it.
    at: Position,
}

impl ChangeIndex {
    /// Notes what the event at `position` changed. Positions come in order.
    pub fn record(&mut self, position: Position, changes: &[Change]) {
        for change in super::telling(changes) {
            let node = self.descend(&change.path, position, change.old.is_some());
            let depth = change.path.depth();
            self.record_below(node, depth, position, change.old.as_ref(), change.new.as_ref());
        }
    }

    /// The node of a path; it and all above it are written at `position`.
    fn descend(&mut self, path: &Path, position: Position, existed: bool) -> PathId {
        let shared = self.last.iter().zip(path.keys()).take_while(|((a, _), b)| a == *b).count();
        self.last.truncate(shared);
        // Another change of the same event has posted what the two have in common.
        if self.at != position {
            self.at = position;
            self.post(ROOT, position);
            for at in 0..shared {
                self.post(self.last[at].1, position);
            }
        }
        let mut node = self.last.last().map_or(ROOT, |(_, node)| *node);
        for (at, key) in path.keys().iter().enumerate().skip(shared) {
            // What is above what came now may have been there before.
            let existed = existed || at + 1 < path.depth();
            node = self.child(node, key, position, existed);
            self.post(node, position);
            self.last.push((key.clone(), node));
        }
        node
    }

    /// A change of a whole subtree is one of each of its leaves that differ.
    fn record_below(
        &mut self,
        node: PathId,
        depth: usize,
        position: Position,
        old: Option<&Value>,
        new: Option<&Value>,
    ) {
        match (old.and_then(Value::as_map), new.and_then(Value::as_map)) {
            (None, None) => {}
            (Some(old), Some(new)) => {
                old.differing(new, |key, old, new| {
                    if old != new {
                        self.record_entry(node, depth, position, key, old, new);
                    }
                });
            }
            (Some(gone), None) => {
                if self.is_covered(node) {
                    self.record_whole(node, position, gone);
                } else {
                    for (key, value) in gone {
                        self.record_entry(node, depth, position, key, Some(value), None);
                    }
                }
            }
            (None, Some(come)) if depth >= DEEP => self.record_whole(node, position, come),
            (None, Some(come)) => {
                for (key, value) in come {
                    self.record_entry(node, depth, position, key, None, Some(value));
                }
            }
        }
    }

    fn record_entry(
        &mut self,
        node: PathId,
        depth: usize,
        position: Position,
        key: &Key,
        old: Option<&Value>,
        new: Option<&Value>,
    ) {
        let child = self.child(node, key, position, old.is_some());
        self.post(child, position);
        self.record_below(child, depth + 1, position, old, new);
    }

    /// Notes that all of `value` came or went at `node`; below it only where there are notes.
    fn record_whole(&mut self, node: PathId, position: Position, value: &Map) {
        let Some(written) = self.nodes.get_mut(node) else { return };
        self.pool.mark_whole(&mut written.posts);
        if !written.has_children() {
            return;
        }
        for (key, value) in value {
            let Some(child) = self.nodes.child(node, key) else { continue };
            self.post(child, position);
            if let Some(map) = value.as_map() {
                self.record_whole(child, position, map);
            }
        }
    }

    /// Whether some of what is below a node may have no note of its own.
    fn is_covered(&self, node: PathId) -> bool {
        let node = self.nodes.get(node);
        node.is_some_and(|node| node.inherits() > 0 || self.pool.view(node.posts).has_whole())
    }

    /// The node of a member, new or known; `existed` says whether it was there before `position`.
    fn child(&mut self, parent: PathId, key: &Key, position: Position, existed: bool) -> PathId {
        let pool = &self.pool;
        self.nodes.child_or_new(parent, key, |parent| inherited(pool, parent, position, existed))
    }

    fn post(&mut self, node: PathId, position: Position) {
        if let Some(node) = self.nodes.get_mut(node) {
            self.pool.post(&mut node.posts, position);
        }
    }

    fn posts(&self, id: PathId) -> View<'_> {
        self.nodes.get(id).map_or_else(View::default, |node| self.pool.view(node.posts))
    }

    /// The positions that wrote `path` or something below it, in order. A path inside a list is
    /// answered by the list, which is written as a whole; one inside a thing that was only ever
    /// written as a whole by that thing. So some may have left it as it was: see
    /// [`Writers::sure_from`].
    #[must_use]
    pub fn writers(&self, path: &Path) -> Writers<'_> {
        let (mut id, mut covering, mut in_list) = (ROOT, Vec::new(), false);
        for key in path.keys() {
            let own = self.posts(id);
            let Some(child) = self.nodes.child(id, key) else {
                let is_leaf = self.nodes.get(id).is_some_and(|node| !node.has_children());
                in_list = is_leaf && !own.is_empty() && key.bytes().all(|b| b.is_ascii_digit());
                if in_list {
                    break;
                }
                cover(own, &mut covering);
                return Writers { first: covering, ..Writers::default() };
            };
            cover(own, &mut covering);
            let Some(node) = self.nodes.get(child) else { break };
            covering.truncate(covering.partition_point(|p| *p < node.inherits()));
            id = child;
        }
        Writers { first: covering, own: self.posts(id), in_list }
    }

    /// Gives each path below which nothing was noted, with the positions that wrote it.
    pub fn each_leaf(&self, mut each: impl FnMut(&Path, &[Position])) {
        let children = self.nodes.by_parent();
        self.each_leaf_below(ROOT, &mut Path::root(), &[], &children, &mut each);
    }

    fn each_leaf_below(
        &self,
        id: PathId,
        path: &mut Path,
        covering: &[Position],
        children: &[(PathId, PathId)],
        each: &mut impl FnMut(&Path, &[Position]),
    ) {
        let Some(node) = self.nodes.get(id) else { return };
        let own = self.pool.view(node.posts);
        let mut known = covering[..covering.partition_point(|p| *p < node.inherits())].to_vec();
        if !node.has_children() {
            known.extend(own.iter().map(Post::position));
            return each(path, &known);
        }
        cover(own, &mut known);
        let first = children.partition_point(|(parent, _)| *parent < id);
        for (_, child) in children[first..].iter().take_while(|(parent, _)| *parent == id) {
            path.push(self.nodes.key(*child));
            self.each_leaf_below(*child, path, &known, children, each);
            path.pop();
        }
    }

    /// How many different paths were noted.
    #[must_use]
    pub fn paths(&self) -> usize {
        self.nodes.len() - 1
    }
}

/// Adds those that wrote all below a path.
fn cover(own: View<'_>, covering: &mut Vec<Position>) {
    covering.extend(own.wholes().map(Post::position));
}

/// Up to where a member of `parent` that is noted first at `position` has the writers of all of it:
/// up to now if it was there before, else up to when this thing came, last of all.
fn inherited(pool: &Pool, parent: &Node, position: Position, existed: bool) -> Position {
    let own = pool.view(parent.posts);
    if !existed && own.has_whole() {
        return own.last_whole_before(position).map_or(0, Post::position);
    }
    // (What it inherits itself is older than what it has.)
    if parent.inherits() > 0 || own.has_whole() { position } else { 0 }
}

#[cfg(test)]
mod tests;
