//! The state as rows of a tree, of which only those that are seen are made.
//!
//! Lives here: which branches are open, how many rows that gives, and the rows of a window. May not
//! live here: what rows look like, or who wrote them.
//!
//! A tree of 100,000 agents has 100,000 rows, but only a few branches that somebody opened. So the
//! open branches alone are kept as a tree of their own ([`Open`]), each with the number of rows
//! below it; a window is found by skipping whole branches, and what is seen is then walked.

use std::collections::BTreeMap;

use crate::model::{Key, Map, Path, Value};

/// Maps at the top with at most so many entries are open unless the user closed them.
const OPEN_UP_TO: usize = 64;
/// What an event changed is shown by itself in maps of at most so many entries.
const REVEAL_UP_TO: usize = 256;
/// How many changed paths are shown by themselves at most.
const MOST_REVEALED: usize = 100;
/// Members of the top that are closed unless the user opened them: they change all the time.
const CLOSED_AT_FIRST: [&str; 3] = ["counters", "custom", "sessions"];

/// What the user opened and closed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    open: Option<bool>,
    below: BTreeMap<Key, Wanted>,
}

impl Wanted {
    /// What the user wants of the branch at `path`, if anything.
    #[must_use]
    pub fn get(&self, path: &Path) -> Option<bool> {
        let found = path.keys().iter().try_fold(self, |node, key| node.below.get(key));
        found.and_then(|node| node.open)
    }

    /// Opens or closes the branch at `path`.
    pub fn set(&mut self, path: &Path, open: bool) {
        let mut node = self;
        for key in path.keys() {
            node = node.below.entry(key.clone()).or_default();
        }
        node.open = Some(open);
    }

    /// What the user opened and closed, each branch with whether it is open.
    #[must_use]
    pub fn all(&self) -> Vec<(Path, bool)> {
        let mut found = Vec::new();
        self.collect(&mut Path::root(), &mut found);
        found
    }

    fn collect(&self, here: &mut Path, found: &mut Vec<(Path, bool)>) {
        found.extend(self.open.map(|open| (here.clone(), open)));
        for (key, below) in &self.below {
            here.push(key.clone());
            below.collect(here, found);
            here.pop();
        }
    }

    /// Opens every branch that holds something of `path`, so that its row is there.
    pub fn reveal(&mut self, path: &Path) {
        let mut above = path.parent();
        while let Some(path) = above {
            if !path.is_root() {
                self.set(&path, true);
            }
            above = path.parent();
        }
    }

    /// Opens everything in `value` at `path`, up to `most` branches; false when there were more.
    pub fn open_all(&mut self, path: &Path, value: &Value, most: &mut usize) -> bool {
        if *most == 0 {
            return false;
        }
        if children(value) == 0 {
            return true;
        }
        *most -= 1;
        self.set(path, true);
        match value {
            Value::Map(map) => {
                map.iter().all(|(key, value)| self.open_all(&path.child(key.clone()), value, most))
            }
            _ => true,
        }
    }
}

/// A branch that is open, with the number of rows below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Open {
    rows: usize,
    below: BTreeMap<Key, Open>,
}

/// How many rows a value has below its own when it is open.
fn children(value: &Value) -> usize {
    match value {
        Value::Map(map) => map.len(),
        Value::List(items) => items.len(),
        _ => 0,
    }
}

/// A state laid out as rows.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    root: Value,
    open: Open,
}

/// One row of the tree.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeRow {
    /// Where the value stands.
    pub path: Path,
    /// The value; sharing, not a copy.
    pub value: Value,
    /// Whether it is a branch that is open; none for leaves and empty branches.
    pub open: Option<bool>,
}

impl Tree {
    /// Lays out `root`: open is what the user wants, else the small maps at the top, and what
    /// leads to the paths of `changed`.
    #[must_use]
    pub fn new(root: Map, wanted: &Wanted, changed: &[Path]) -> Self {
        let root = Value::Map(root);
        let mut all = wanted.clone();
        for path in changed.iter().take(MOST_REVEALED) {
            reveal_changed(&mut all, &root, path);
        }
        if let Value::Map(map) = &root {
            for (key, value) in map {
                let member = all.below.entry(key.clone()).or_default();
                let small =
                    children(value) <= OPEN_UP_TO && !CLOSED_AT_FIRST.contains(&key.as_str());
                member.open.get_or_insert(small);
            }
        }
        all.open = Some(true);
        let open = lay_out(&root, &all).unwrap_or_default();
        Self { root, open }
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open.rows
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.rows == 0
    }

    /// The tree's root.
    #[must_use]
    pub fn root(&self) -> &Value {
        &self.root
    }

    /// `count` rows from row `first` on.
    #[must_use]
    pub fn window(&self, first: usize, count: usize) -> Vec<TreeRow> {
        let mut window =
            Window { skip: first, left: count, rows: Vec::with_capacity(count.min(512)) };
        window.walk(&self.root, &self.open, &mut Path::root());
        window.rows
    }

    /// The row of the value at `path`, or of the nearest branch above it that has one.
    #[must_use]
    pub fn index_of(&self, path: &Path) -> Option<usize> {
        let (mut value, mut open) = (&self.root, &self.open);
        let mut found = None;
        let mut row = 0;
        for key in path.keys() {
            let (before, at) = rank(value, key)?;
            let opened: usize = open
                .below
                .range::<Key, _>(..key)
                .filter(|(k, _)| is_before(value, k, key))
                .map(|(_, o)| o.rows)
                .sum();
            row += before + opened;
            found = Some(row);
            let Some(next) = open.below.get(key) else { break };
            (value, open) = (at, next);
            row += 1;
        }
        found
    }
}

/// Whether a branch that comes before `key` by name comes before it in the tree too; items of
/// lists are in the order of their numbers.
fn is_before(value: &Value, other: &Key, key: &Key) -> bool {
    match value {
        Value::List(_) => other.parse::<usize>().ok() < key.parse::<usize>().ok(),
        _ => other < key,
    }
}

/// How many entries stand before `key`, and its value.
fn rank<'a>(value: &'a Value, key: &Key) -> Option<(usize, &'a Value)> {
    match value {
        Value::Map(map) => {
            let found = map.get(key)?;
            Some((map.iter().take_while(|(k, _)| *k < key).count(), found))
        }
        Value::List(items) => {
            let index = key.parse::<usize>().ok()?;
            Some((index, items.get(index)?))
        }
        _ => None,
    }
}

/// Opens what leads to a changed path, where the user has not said otherwise and it is not much.
fn reveal_changed(wanted: &mut Wanted, root: &Value, path: &Path) {
    let (mut node, mut value) = (wanted, root);
    for (depth, key) in path.keys().iter().enumerate() {
        if depth > 0 {
            if children(value) > REVEAL_UP_TO {
                return;
            }
            node.open.get_or_insert(true);
        }
        let next = match value {
            Value::Map(map) => map.get(key),
            _ => None,
        };
        let Some(next) = next else { return };
        node = node.below.entry(key.clone()).or_default();
        value = next;
    }
}

/// The open branches of `value`; none when it is closed or has nothing below it.
fn lay_out(value: &Value, wanted: &Wanted) -> Option<Open> {
    let own = children(value);
    if wanted.open != Some(true) || own == 0 {
        return None;
    }
    let mut open = Open { rows: own, below: BTreeMap::new() };
    for (key, wanted) in &wanted.below {
        let child = match value {
            Value::Map(map) => map.get(key),
            Value::List(items) => key.parse::<usize>().ok().and_then(|at| items.get(at)),
            _ => None,
        };
        if let Some(below) = child.and_then(|child| lay_out(child, wanted)) {
            open.rows += below.rows;
            open.below.insert(key.clone(), below);
        }
    }
    Some(open)
}

/// Collects the rows of a window.
struct Window {
    skip: usize,
    left: usize,
    rows: Vec<TreeRow>,
}

impl Window {
    fn walk(&mut self, value: &Value, open: &Open, path: &mut Path) {
        match value {
            Value::Map(map) if open.below.is_empty() && self.skip >= map.len() => {
                self.skip -= map.len();
            }
            Value::Map(map) => {
                let mut opened = open.below.iter().peekable();
                for (key, child) in map {
                    let below = opened.next_if(|(name, _)| *name == key).map(|(_, below)| below);
                    if !self.visit(key, child, below, path) {
                        return;
                    }
                }
            }
            Value::List(items) => {
                for (index, child) in items.iter().enumerate() {
                    if open.below.is_empty() && self.skip > 0 {
                        self.skip -= 1;
                        continue;
                    }
                    let key = Key::from(index.to_string());
                    if !self.visit(&key, child, open.below.get(&key), path) {
                        return;
                    }
                }
            }
            _ => {}
        }
    }

    /// One value and what is below it; false when the window is full.
    fn visit(&mut self, key: &Key, value: &Value, below: Option<&Open>, path: &mut Path) -> bool {
        let all = 1 + below.map_or(0, |open| open.rows);
        if self.skip >= all {
            self.skip -= all;
            return true;
        }
        if self.left == 0 {
            return false;
        }
        path.push(key.clone());
        if self.skip > 0 {
            self.skip -= 1;
        } else {
            self.left -= 1;
            let open = (children(value) > 0).then_some(below.is_some());
            self.rows.push(TreeRow { path: path.clone(), value: value.clone(), open });
        }
        if let Some(open) = below {
            self.walk(value, open, path);
        }
        path.pop();
        self.left > 0
    }
}

#[cfg(test)]
mod tests;
