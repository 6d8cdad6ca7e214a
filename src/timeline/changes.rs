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

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::row::{Symbol, Symbols};
use crate::fold::Change;
use crate::model::{Key, Map, Path, Position, Value};

/// Paths of up to so many keys are always noted by themselves.
const DEEP: usize = 4;

/// A path that was written at least once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct PathId(u32);

const ROOT: PathId = PathId(0);

/// A position that wrote a path; one bit tells whether it wrote all below it as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Post(u32);

const WHOLE: u32 = 1 << 31;

impl Post {
    fn position(self) -> Position {
        self.0 & !WHOLE
    }

    fn is_whole(self) -> bool {
        self.0 & WHOLE != 0
    }
}

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
    posts: SmallVec<[Post; 4]>,
    /// Up to here (excluded) whoever wrote all below the parent wrote this; 0 for nobody.
    inherits: Position,
    /// Whether something below it was ever written by a path of its own.
    has_children: bool,
    /// Whether all below it was ever written at once.
    has_whole: bool,
}

/// Who wrote one path, in order.
#[derive(Debug, Default)]
pub struct Writers<'a> {
    /// Those that wrote it with all of what it is in, before it had a note of its own.
    first: Vec<Position>,
    own: &'a [Post],
    /// Whether the path lies in a list, whose writers these are.
    in_list: bool,
}

impl<'a> Writers<'a> {
    /// Those after `at`.
    pub fn after(mut self, at: Position) -> impl Iterator<Item = Position> + use<'a> {
        let first = self.first.split_off(self.first.partition_point(|p| *p <= at));
        let own = self.own.partition_point(|post| post.position() <= at);
        let own = self.own.get(own..).unwrap_or_default();
        first.into_iter().chain(own.iter().map(|post| post.position()))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Position> + '_ {
        self.first.iter().copied().chain(self.own.iter().map(|post| post.position()))
    }

    /// All of them.
    #[must_use]
    pub fn to_vec(&self) -> Vec<Position> {
        self.iter().collect()
    }

    /// Whether this position is one of them.
    #[must_use]
    pub fn contains(&self, position: Position) -> bool {
        self.last_until(position) == Some(position)
    }

    /// From here on they wrote the path by itself or something below it. Those before wrote what it
    /// is in, and may have left it as it was; the values tell.
    #[must_use]
    pub fn sure_from(&self) -> Position {
        let own = self.own.first().filter(|_| !self.in_list);
        own.map_or(Position::MAX, |post| post.position())
    }

    /// The last one not after `at`.
    #[must_use]
    pub fn last_until(&self, at: Position) -> Option<Position> {
        let own = self.own.partition_point(|post| post.position() <= at);
        let first = || self.first[..self.first.partition_point(|p| *p <= at)].last().copied();
        own.checked_sub(1).and_then(|at| self.own.get(at)).map(|p| p.position()).or_else(first)
    }

    /// The first one after `at`.
    #[must_use]
    pub fn first_after(&self, at: Position) -> Option<Position> {
        let first = self.first.get(self.first.partition_point(|p| *p <= at)).copied();
        let own = || self.own.get(self.own.partition_point(|post| post.position() <= at));
        first.or_else(|| own().map(|post| post.position()))
    }
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
            let node = self.descend(&change.path, position, change.old.is_some());
            let depth = change.path.depth();
            self.record_below(node, depth, position, change.old.as_ref(), change.new.as_ref());
        }
    }

    /// The node of a path; it and all above it are written at `position`.
    fn descend(&mut self, path: &Path, position: Position, existed: bool) -> PathId {
        self.post(ROOT, position);
        let shared = self.last.iter().zip(path.keys()).take_while(|((a, _), b)| a == *b).count();
        self.last.truncate(shared);
        for at in 0..shared {
            self.post(self.last[at].1, position);
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
        let Some(written) = self.nodes.get_mut(node.0 as usize) else { return };
        written.has_whole = true;
        if let Some(post) = written.posts.last_mut() {
            post.0 |= WHOLE;
        }
        if !written.has_children {
            return;
        }
        for (key, value) in value {
            let Some(child) = self.known_child(node, key) else { continue };
            self.post(child, position);
            if let Some(map) = value.as_map() {
                self.record_whole(child, position, map);
            }
        }
    }

    /// Whether some of what is below a node may have no note of its own.
    fn is_covered(&self, node: PathId) -> bool {
        self.nodes.get(node.0 as usize).is_some_and(|node| node.has_whole || node.inherits > 0)
    }

    fn known_child(&self, parent: PathId, key: &str) -> Option<PathId> {
        let key = self.keys.find(key)?;
        self.ids.get(&(parent, key)).copied()
    }

    /// The node of a member, new or known; `existed` says whether it was there before `position`.
    fn child(&mut self, parent: PathId, key: &Key, position: Position, existed: bool) -> PathId {
        let key = self.keys.intern(key);
        if let Some(id) = self.ids.get(&(parent, key)) {
            return *id;
        }
        let id = PathId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.ids.insert((parent, key), id);
        let mut node = Node::default();
        if let Some(parent) = self.nodes.get_mut(parent.0 as usize) {
            parent.has_children = true;
            node.inherits = parent.inherited(position, existed);
        }
        self.nodes.push(node);
        id
    }

    fn post(&mut self, node: PathId, position: Position) {
        if let Some(node) = self.nodes.get_mut(node.0 as usize)
            && node.posts.last().is_none_or(|last| last.position() != position)
        {
            node.posts.push(Post(position));
        }
    }

    /// The positions that wrote `path` or something below it, in order. A path inside a list is
    /// answered by the list, which is written as a whole; one inside a thing that was only ever
    /// written as a whole by that thing. So some may have left it as it was: see
    /// [`Writers::sure_from`].
    #[must_use]
    pub fn writers(&self, path: &Path) -> Writers<'_> {
        let mut at = &self.nodes[0];
        let (mut id, mut covering, mut in_list) = (ROOT, Vec::new(), false);
        for key in path.keys() {
            let Some(child) = self.known_child(id, key) else {
                in_list = at.is_leaf() && key.bytes().all(|b| b.is_ascii_digit());
                if in_list {
                    break;
                }
                at.cover(&mut covering);
                return Writers { first: covering, ..Writers::default() };
            };
            at.cover(&mut covering);
            let Some(node) = self.nodes.get(child.0 as usize) else { break };
            covering.truncate(covering.partition_point(|p| *p < node.inherits));
            (id, at) = (child, node);
        }
        Writers { first: covering, own: &at.posts, in_list }
    }

    /// Gives each path below which nothing was noted, with the positions that wrote it.
    pub fn each_leaf(&self, mut each: impl FnMut(&Path, &[Position])) {
        let mut children: Vec<(PathId, Symbol, PathId)> =
            self.ids.iter().map(|((parent, key), child)| (*parent, *key, *child)).collect();
        children.sort_unstable_by_key(|(parent, key, _)| (parent.0, *key));
        self.each_leaf_below(ROOT, &mut Path::root(), &[], &children, &mut each);
    }

    fn each_leaf_below(
        &self,
        id: PathId,
        path: &mut Path,
        covering: &[Position],
        children: &[(PathId, Symbol, PathId)],
        each: &mut impl FnMut(&Path, &[Position]),
    ) {
        let Some(node) = self.nodes.get(id.0 as usize) else { return };
        let mut known = covering[..covering.partition_point(|p| *p < node.inherits)].to_vec();
        if !node.has_children {
            known.extend(node.posts.iter().map(|post| post.position()));
            return each(path, &known);
        }
        node.cover(&mut known);
        let first = children.partition_point(|(parent, ..)| parent.0 < id.0);
        for (_, key, child) in children[first..].iter().take_while(|(parent, ..)| *parent == id) {
            path.push(self.keys.text(*key));
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

impl Node {
    fn is_leaf(&self) -> bool {
        !self.has_children && !self.posts.is_empty()
    }

    /// Adds those that wrote all below it.
    fn cover(&self, covering: &mut Vec<Position>) {
        if self.has_whole {
            let whole = self.posts.iter().filter(|post| post.is_whole());
            covering.extend(whole.map(|post| post.position()));
        }
    }

    /// Up to where a member of it that is noted first at `position` has the writers of all of it:
    /// up to now if it was there before, else up to when this thing came, last of all.
    fn inherited(&self, position: Position, existed: bool) -> Position {
        if !self.has_whole || existed {
            // (What it inherits itself is older than what it has.)
            return if self.has_whole || self.inherits > 0 { position } else { 0 };
        }
        let mut whole = self.posts.iter().rev().filter(|post| post.is_whole());
        whole.find(|post| post.position() < position).map_or(0, |post| post.position())
    }
}

#[cfg(test)]
mod tests;
