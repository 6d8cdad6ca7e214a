//! What differs between two trees, two texts, two lists.
//!
//! Lives here: the structural diff ([`diff`]), its application ([`apply_diff`]), and the diffs of
//! long texts and of lists for display. May not live here: versions over time, or colours.

pub mod sequence;
mod text;

use serde::Serialize;

use crate::closed_list;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Map, Path, Value};

pub use text::{ListPiece, PieceKind, TextPiece, list_diff, text_diff};

closed_list! {
    /// What a difference is.
    pub enum Op {
        /// There was nothing, now there is.
        Add = "add",
        /// There was something, now there is not.
        Remove = "remove",
        /// There was something else.
        Change = "change",
    }
}

/// One difference. Something that came or went is one entry with the whole subtree; of maps that
/// are on both sides, each leaf that differs is one. Lists are leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiffEntry {
    /// What it is.
    pub op: Op,
    /// Where; in JSON a pointer.
    pub path: Path,
    /// What is on the first side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// What is on the second side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
}

/// What to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DiffOptions {
    /// Whether `/counters` is compared too. Almost every event changes it.
    pub counters: bool,
}

/// The differences between two states (or any two trees), sorted by path. What the two share in
/// memory is skipped, so that the work is in proportion to what changed.
#[must_use]
pub fn diff(from: &Value, to: &Value, options: DiffOptions) -> Vec<DiffEntry> {
    let mut found = Vec::new();
    compare(Some(from), Some(to), &mut Path::root(), options, &mut found);
    // Already in order for sorted maps, which sorting finds out in one pass.
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn compare(
    from: Option<&Value>,
    to: Option<&Value>,
    path: &mut Path,
    options: DiffOptions,
    found: &mut Vec<DiffEntry>,
) {
    let op = match (from, to) {
        (Some(Value::Map(a)), Some(Value::Map(b))) => {
            return a.differing(b, |key, from, to| {
                if !options.counters && path.is_root() && key == "counters" {
                    return;
                }
                path.push(key.clone());
                compare(from, to, path, options, found);
                path.pop();
            });
        }
        (Some(a), Some(b)) if a == b => return,
        (Some(_), Some(_)) => Op::Change,
        (None, Some(_)) => Op::Add,
        (Some(_), None) => Op::Remove,
        (None, None) => return,
    };
    found.push(DiffEntry { op, path: path.clone(), from: from.cloned(), to: to.cloned() });
}

/// The second tree, from the first and the differences between them.
///
/// # Errors
/// Invalid, when an entry does not fit the tree: what it adds is there, or what it changes or
/// removes is not what it says.
pub fn apply_diff(tree: &Value, entries: &[DiffEntry]) -> Result<Value> {
    entries.iter().try_fold(tree.clone(), |tree, entry| {
        let Some((last, parents)) = entry.path.keys().split_last() else {
            return if entry.from.as_ref() == Some(&tree) {
                entry.to.clone().ok_or_else(|| misfit(entry, "the root cannot be removed"))
            } else {
                Err(misfit(entry, "the root is another"))
            };
        };
        let mut tree = tree;
        let mut map = tree.as_map_mut().ok_or_else(|| misfit(entry, "the root is no map"))?;
        for key in parents {
            map = map
                .get_mut(key)
                .and_then(Value::as_map_mut)
                .ok_or_else(|| misfit(entry, "there is no map above it"))?;
        }
        put(map, last, entry)?;
        Ok(tree)
    })
}

fn put(map: &mut Map, key: &crate::model::Key, entry: &DiffEntry) -> Result<()> {
    let old = match &entry.to {
        Some(to) => map.insert(key.clone(), to.clone()),
        None => map.remove(key),
    };
    if old == entry.from { Ok(()) } else { Err(misfit(entry, "another value is there")) }
}

fn misfit(entry: &DiffEntry, why: &str) -> Error {
    let op = entry.op;
    Error::new(ErrorKind::Invalid, format!("cannot {op} {}: {why}", entry.path))
}
