//! Large maps: a tree whose leaves are small maps.
//!
//! Lives here: [`Branch`], how it is searched, changed and kept in shape. May not live here: what a
//! map is to others (see [`super`]).
//!
//! A branch has the maps below it in the order of their keys, each with a key that none of its own
//! is less than. All leaves are equally deep. A node that became large is split, one that became
//! small joins a neighbour where both have room in one; so a node may be small, but not for long.

use std::sync::Arc;

use super::leaf::{Mark, ROOM, find, make_room};
use super::{Key, Map, Repr, Value};

/// The most entries of a leaf: they are copied together when one of them changes.
pub(super) const LEAF: usize = 24;
/// The most nodes below one branch.
const FAN: usize = 24;
/// Nodes of no more than this look for a neighbour to join.
const FEW: usize = 6;
/// What two neighbours may have together to be joined.
const JOINED: usize = 18;

/// A node of a large map above its leaves.
#[derive(Debug, Clone)]
pub(crate) struct Branch {
    pub(crate) children: Vec<(Key, Map)>,
    /// How many entries all leaves below it have together.
    pub(crate) len: usize,
    /// How far the leaves are: 1 where the children are leaves.
    pub(crate) height: u8,
    /// Where it was put aside.
    pub(super) mark: Mark,
}

/// A node that a split left over, with its least key.
type Sibling = Option<(Key, Map)>;

impl Branch {
    pub(crate) fn new(children: Vec<(Key, Map)>, height: u8) -> Self {
        let len = children.iter().map(|(_, child)| child.len()).sum();
        Self { children, len, height, mark: Mark::default() }
    }

    /// Which of the children has `key` if any has.
    fn place(&self, key: &str) -> usize {
        match find(&self.children, key) {
            Ok(at) => at,
            Err(after) => after.saturating_sub(1),
        }
    }

    /// The child that has `key` if any has.
    pub(super) fn child(&self, key: &str) -> Option<&Map> {
        self.children.get(self.place(key)).map(|(_, child)| child)
    }

    fn child_mut(self: &mut Arc<Self>, key: &str) -> Option<&mut Map> {
        let at = self.place(key);
        Self::change(self).children.get_mut(at).map(|(_, child)| child)
    }

    /// The branch to change: alone, and not what was put aside any more.
    pub(super) fn change(this: &mut Arc<Self>) -> &mut Self {
        let branch = Arc::make_mut(this);
        branch.mark.forget();
        branch
    }
}

/// The tree of entries that are sorted by their keys, more than a leaf holds.
pub(super) fn build(entries: Vec<(Key, Value)>) -> Map {
    let mut nodes = gather(entries, LEAF, Map::leaf);
    let mut height = 1;
    loop {
        nodes = gather(nodes, FAN, |children| Map::branch(Branch::new(children, height)));
        if nodes.len() <= 1 {
            return nodes.pop().map_or_else(Map::new, |(_, root)| root);
        }
        height += 1;
    }
}

/// A node of so many at a time, each with its least key.
fn gather<T>(
    all: Vec<(Key, T)>,
    most: usize,
    node: impl Fn(Vec<(Key, T)>) -> Map,
) -> Vec<(Key, Map)> {
    let mut nodes = Vec::with_capacity(all.len().div_ceil(most));
    let mut rest = all.into_iter();
    loop {
        // (To split the rest off would leave each node the room of all that follow it.)
        let some: Vec<_> = rest.by_ref().take(most).collect();
        let Some((least, _)) = some.first() else { return nodes };
        nodes.push((least.clone(), node(some)));
    }
}

/// The value under `key` to change; `key` must be there.
pub(super) fn slot<'a>(node: &'a mut Repr, key: &str) -> Option<&'a mut Value> {
    match node {
        Repr::Small(leaf) => {
            let at = find(&leaf.list, key).ok()?;
            leaf.change().get_mut(at).map(|(_, value)| value)
        }
        Repr::Large(branch) => slot(branch.child_mut(key)?.at_hand(), key),
        Repr::Aside(..) => None,
    }
}

/// Puts `value` under `key` and gives what was there.
pub(super) fn insert(root: &mut Map, key: Key, value: Value) -> Option<Value> {
    let (old, sibling) = insert_below(root, key, value);
    if let Some(right) = sibling {
        let left = std::mem::take(root);
        let height = left.height() + 1;
        *root =
            Map::branch(Branch::new(vec![(left.least().unwrap_or_default(), left), right], height));
    }
    old
}

fn insert_below(map: &mut Map, key: Key, value: Value) -> (Option<Value>, Sibling) {
    match map.at_hand() {
        Repr::Small(leaf) => match find(&leaf.list, &key) {
            Ok(at) => (Some(std::mem::replace(&mut leaf.change()[at].1, value)), None),
            Err(at) => (
                None,
                insert_into(leaf.grow(), at, (key, value), LEAF)
                    .map(|(least, right)| (least, Map::leaf(right))),
            ),
        },
        Repr::Large(branch) => {
            let at = branch.place(&key);
            let branch = Branch::change(branch);
            let height = branch.height;
            let Some((least, child)) = branch.children.get_mut(at) else { return (None, None) };
            if key < *least {
                least.clone_from(&key);
            }
            let (old, sibling) = insert_below(child, key, value);
            branch.len += usize::from(old.is_none());
            let Some(sibling) = sibling else { return (old, None) };
            let right = insert_into(&mut branch.children, at + 1, sibling, FAN);
            let right = right.map(|(least, children)| (least, Branch::new(children, height)));
            if let Some((_, right)) = &right {
                branch.len -= right.len;
            }
            (old, right.map(|(least, right)| (least, Map::branch(right))))
        }
        Repr::Aside(..) => (None, None),
    }
}

/// Puts an item into a node; where that has no room, gives what has to become a node of its own.
fn insert_into<T>(
    list: &mut Vec<(Key, T)>,
    at: usize,
    item: (Key, T),
    most: usize,
) -> Option<(Key, Vec<(Key, T)>)> {
    if list.len() < most {
        make_room(list, ROOM);
        list.insert(at, item);
        return None;
    }
    // What comes in the order of the keys leaves full nodes behind.
    let middle = if at == list.len() { at } else { list.len() / 2 };
    let mut right = list.split_off(middle);
    if at < middle {
        make_room(list, ROOM);
        list.insert(at, item);
    } else {
        make_room(&mut right, ROOM);
        right.insert(at - middle, item);
    }
    list.shrink_to_fit();
    right.first().map(|(least, _)| least.clone()).map(|least| (least, right))
}

/// Takes `key` out, which must be there, and gives what was there.
pub(super) fn remove(root: &mut Map, key: &str) -> Option<Value> {
    let removed = remove_below(root, key)?;
    while let Repr::Large(branch) = root.at_hand()
        && branch.children.len() <= 1
    {
        let only = Branch::change(branch).children.pop();
        *root = only.map_or_else(Map::new, |(_, child)| child);
    }
    Some(removed)
}

fn remove_below(map: &mut Map, key: &str) -> Option<Value> {
    match map.at_hand() {
        Repr::Small(leaf) => {
            let at = find(&leaf.list, key).ok()?;
            Some(leaf.change().remove(at).1)
        }
        Repr::Large(branch) => {
            let at = branch.place(key);
            let branch = Branch::change(branch);
            let (_, child) = branch.children.get_mut(at)?;
            let removed = remove_below(child, key)?;
            branch.len -= 1;
            let left = child.width();
            if left == 0 {
                branch.children.remove(at);
            } else if left <= FEW {
                join(&mut branch.children, at);
            }
            Some(removed)
        }
        Repr::Aside(..) => None,
    }
}

/// Joins the node at this place with one beside it, where both have room in one.
fn join(nodes: &mut Vec<(Key, Map)>, at: usize) {
    let fits = |left: usize| {
        let pair = (nodes.get(left), nodes.get(left + 1));
        matches!(pair, (Some((_, a)), Some((_, b))) if a.width() + b.width() <= JOINED)
    };
    let left = if fits(at) {
        at
    } else if at > 0 && fits(at - 1) {
        at - 1
    } else {
        return;
    };
    let (_, mut right) = nodes.remove(left + 1);
    let Some((_, node)) = nodes.get_mut(left) else { return };
    match (node.at_hand(), right.at_hand()) {
        (Repr::Small(a), Repr::Small(b)) => a.change().append(b.change()),
        (Repr::Large(a), Repr::Large(b)) => {
            let (a, b) = (Branch::change(a), Branch::change(b));
            a.children.append(&mut b.children);
            a.len += b.len;
        }
        _ => {}
    }
}
