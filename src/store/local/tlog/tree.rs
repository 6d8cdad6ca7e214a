//! The shape of the Merkle tree of RFC 6962: roots, and proofs that others can check.
//!
//! Lives here: [`Edge`], the right edge of a growing tree; inclusion and consistency proofs. May
//! not live here: files.

use super::hashes::{Hash, empty_root, node};

/// How many hashes a full tile has.
pub(crate) const WIDTH: usize = 256;

/// The right edge of a tree: of each level of tiles, the hashes of the last tile that is not full.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edge {
    levels: Vec<Vec<Hash>>,
    size: u64,
}

impl Edge {
    /// An edge of a tree of this size, from the hashes of its last tiles.
    pub(crate) fn new(size: u64, levels: Vec<Vec<Hash>>) -> Self {
        Self { levels, size }
    }

    /// How many leaves the tree has.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The hashes of the last tiles, by level.
    pub(crate) fn levels(&self) -> &[Vec<Hash>] {
        &self.levels
    }

    /// Adds a leaf. Tiles that it fills are given to `full`: level, index in the level, hashes.
    pub(crate) fn push<E>(
        &mut self,
        leaf: Hash,
        full: &mut impl FnMut(usize, u64, &[Hash]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.size += 1;
        let (mut hash, mut level) = (leaf, 0);
        loop {
            if self.levels.len() == level {
                self.levels.push(Vec::with_capacity(WIDTH));
            }
            let tile = &mut self.levels[level];
            tile.push(hash);
            if tile.len() < WIDTH {
                return Ok(());
            }
            let index = (self.size >> (8 * (level + 1))) - 1;
            full(level, index, tile)?;
            hash = perfect(tile);
            tile.clear();
            level += 1;
        }
    }

    /// The root of the tree.
    pub(crate) fn root(&self) -> Hash {
        let mut root: Option<Hash> = None;
        for tile in &self.levels {
            let mut end = tile.len();
            while end > 0 {
                let start = end & (end - 1);
                let left = perfect(&tile[start..end]);
                root = Some(root.map_or(left, |right| node(&left, &right)));
                end = start;
            }
        }
        root.unwrap_or_else(empty_root)
    }
}

/// The root of a tree whose number of leaves is a power of two.
fn perfect(hashes: &[Hash]) -> Hash {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        for at in 0..row.len() / 2 {
            row[at] = node(&row[2 * at], &row[2 * at + 1]);
        }
        row.truncate(row.len() / 2);
    }
    row[0]
}

/// The root of a tree of these leaves.
pub(crate) fn root(leaves: &[Hash]) -> Hash {
    let mut edge = Edge::default();
    for leaf in leaves {
        let nothing = &mut |_, _, _: &[Hash]| Ok::<(), std::convert::Infallible>(());
        let Ok(()) = edge.push(*leaf, nothing);
    }
    edge.root()
}

/// Where a tree of so many leaves (at least two) is parted: the largest power of two below.
fn middle(leaves: usize) -> usize {
    leaves.next_power_of_two() / 2
}

/// What proves that a leaf is in a tree: the hashes beside its way up, the lowest first.
pub(crate) fn inclusion(leaves: &[Hash], index: usize) -> Vec<Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(middle(leaves.len()));
    let (mut proof, beside) = if index < left.len() {
        (inclusion(left, index), root(right))
    } else {
        (inclusion(right, index - left.len()), root(left))
    };
    proof.push(beside);
    proof
}

/// What proves that the tree of these leaves goes on from that of the first `size` of them.
pub(crate) fn consistency(leaves: &[Hash], size: usize) -> Vec<Hash> {
    fn part(leaves: &[Hash], size: usize, whole: bool) -> Vec<Hash> {
        if size == leaves.len() {
            return if whole { Vec::new() } else { vec![root(leaves)] };
        }
        let (left, right) = leaves.split_at(middle(leaves.len()));
        let (mut proof, beside) = if size <= left.len() {
            (part(left, size, whole), root(right))
        } else {
            (part(right, size - left.len(), false), root(left))
        };
        proof.push(beside);
        proof
    }
    if size == 0 || size >= leaves.len() { Vec::new() } else { part(leaves, size, true) }
}

/// Whether a proof of consistency leads from one root to the other (RFC 9162, 2.1.4.2).
pub(crate) fn is_consistent(old: (u64, Hash), new: (u64, Hash), proof: &[Hash]) -> bool {
    if old.0 == 0 || old.0 == new.0 {
        return proof.is_empty() && (old.0 == 0 || old.1 == new.1);
    }
    if old.0 > new.0 {
        return false;
    }
    let mut proof = proof.iter();
    let start = if old.0.is_power_of_two() { Some(&old.1) } else { proof.next() };
    let Some(start) = start else { return false };
    let (mut at, mut last) = (old.0 - 1, new.0 - 1);
    while at & 1 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    let (mut before, mut after) = (*start, *start);
    for hash in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            before = node(hash, &before);
            after = node(hash, &after);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            after = node(&after, hash);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && before == old.1 && after == new.1
}

/// Whether a proof leads from a leaf to the root (RFC 9162, 2.1.3.2).
pub(crate) fn is_included(
    leaf: Hash,
    index: u64,
    (size, root): (u64, Hash),
    proof: &[Hash],
) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, leaf);
    for beside in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node(beside, &hash);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            hash = node(&hash, beside);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && hash == root
}
