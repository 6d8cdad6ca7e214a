//! Walking through maps in the order of their keys: one alone, or two side by side.
//!
//! Lives here: [`Iter`] and [`Differing`]. May not live here: changing a map.

use std::cmp::Ordering;
use std::slice;

use super::{Key, Map, Repr, Value};

/// The entries of a [`Map`] in the order of the keys.
#[derive(Debug, Clone)]
pub struct Iter<'a> {
    entries: slice::Iter<'a, (Key, Value)>,
    /// What is still to be opened, the outermost first.
    nodes: Vec<slice::Iter<'a, (Key, Map)>>,
    left: usize,
}

impl<'a> Iter<'a> {
    pub(super) fn new(map: &'a Map) -> Self {
        let mut iter = Self { entries: [].iter(), nodes: Vec::new(), left: map.len() };
        iter.open(map);
        iter
    }

    fn open(&mut self, map: &'a Map) {
        match map.here() {
            Repr::Small(leaf) => self.entries = leaf.list.iter(),
            Repr::Large(branch) => self.nodes.push(branch.children.iter()),
            Repr::Aside(..) => {}
        }
    }

    /// The node that comes next, unless an entry does.
    fn next_node(&mut self) -> Option<&'a (Key, Map)> {
        if !self.entries.as_slice().is_empty() {
            return None;
        }
        while let Some(nodes) = self.nodes.last() {
            if let Some(node) = nodes.as_slice().first() {
                return Some(node);
            }
            self.nodes.pop();
        }
        None
    }

    fn skip_node(&mut self) {
        if let Some(nodes) = self.nodes.last_mut() {
            nodes.next();
        }
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a Key, &'a Value);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((key, value)) = self.entries.next() {
                self.left = self.left.saturating_sub(1);
                return Some((key, value));
            }
            let (_, node) = self.next_node()?;
            self.skip_node();
            self.open(node);
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

/// The entries that may differ between two maps; see [`Map::differing`].
#[derive(Debug)]
pub(super) struct Differing<'a> {
    left: Iter<'a>,
    right: Iter<'a>,
}

/// A key, and what the two maps have under it.
type Pair<'a> = (&'a Key, Option<&'a Value>, Option<&'a Value>);

impl<'a> Differing<'a> {
    pub(super) fn new(left: &'a Map, right: &'a Map) -> Self {
        if left.same(right) {
            let none = || Iter { entries: [].iter(), nodes: Vec::new(), left: 0 };
            return Self { left: none(), right: none() };
        }
        Self { left: Iter::new(left), right: Iter::new(right) }
    }

    /// Passes over shared nodes and opens others until both sides stand before entries, or one
    /// before an entry that is less than all that the other still has.
    fn open(&mut self) {
        loop {
            match (self.left.next_node(), self.right.next_node()) {
                (Some((a, left)), Some((b, right))) => {
                    // A node is never the same as one of another height.
                    let heights = left.height().cmp(&right.height());
                    match heights.then_with(|| b.cmp(a)) {
                        Ordering::Equal if left.same(right) => {
                            self.left.skip_node();
                            self.right.skip_node();
                        }
                        Ordering::Equal => {
                            enter(&mut self.left, left);
                            enter(&mut self.right, right);
                        }
                        Ordering::Greater => enter(&mut self.left, left),
                        Ordering::Less => enter(&mut self.right, right),
                    }
                }
                (Some((least, node)), None) => {
                    if self.right.entries.as_slice().first().is_some_and(|(key, _)| key < least) {
                        return;
                    }
                    enter(&mut self.left, node);
                }
                (None, Some((least, node))) => {
                    if self.left.entries.as_slice().first().is_some_and(|(key, _)| key < least) {
                        return;
                    }
                    enter(&mut self.right, node);
                }
                (None, None) => return,
            }
        }
    }
}

fn enter<'a>(iter: &mut Iter<'a>, node: &'a Map) {
    iter.skip_node();
    iter.open(node);
}

impl<'a> Iterator for Differing<'a> {
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Pair<'a>> {
        loop {
            self.open();
            // Where a side has a node before it, the other's entry is less than what is in that.
            let (left, right) = (self.left.entries.as_slice(), self.right.entries.as_slice());
            let order = match (left.first(), right.first()) {
                (None, None) => return None,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((a, _)), Some((b, _))) => a.cmp(b),
            };
            let mut old = || self.left.entries.next();
            match order {
                Ordering::Less => return old().map(|(key, value)| (key, Some(value), None)),
                Ordering::Greater => {
                    return self.right.entries.next().map(|(key, value)| (key, None, Some(value)));
                }
                Ordering::Equal => {
                    if let (Some((key, old)), Some((_, new))) = (old(), self.right.entries.next())
                        && !old.same(new)
                    {
                        return Some((key, Some(old), Some(new)));
                    }
                }
            }
        }
    }
}
