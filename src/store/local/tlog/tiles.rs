//! The tree as tiles, files of up to 256 hashes, laid out as C2SP's tlog-tiles has them.
//!
//! Lives here: the names of tiles, reading and writing them. May not live here: what is in them
//! (see [`super::tree`]). Entry bundles are not written: their lengths have two bytes, a line may
//! be longer, and `global/events.jsonl` holds the same lines in the same order.

use std::fs;
use std::path::{Path, PathBuf};

use super::hashes::{Hash, SIZE, split};
use super::tree::{Edge, WIDTH};
use crate::error::{Error, Result};
use crate::store::local::io::{
    is_absent, make_dirs, read_if_there, remove_dir, remove_if_there, replace,
};

/// The path of a full tile below the folder of the log.
pub(crate) fn path(level: usize, index: u64) -> PathBuf {
    let mut parts = vec![format!("{:03}", index % 1000)];
    let mut rest = index / 1000;
    while rest > 0 {
        parts.push(format!("x{:03}", rest % 1000));
        rest /= 1000;
    }
    parts.push(level.to_string());
    parts.push("tile".to_owned());
    parts.iter().rev().collect()
}

/// The folder of the partial tiles that come before a full one.
fn partial_folder(level: usize, index: u64) -> PathBuf {
    let mut path = path(level, index).into_os_string();
    path.push(".p");
    path.into()
}

/// The path of a tile that has only so many hashes yet.
pub(crate) fn partial_path(level: usize, index: u64, width: usize) -> PathBuf {
    partial_folder(level, index).join(width.to_string())
}

fn write(path: &Path, hashes: &[Hash], durable: bool) -> Result<()> {
    if let Some(folder) = path.parent() {
        make_dirs(folder)?;
    }
    replace(path, hashes.as_flattened(), durable)
}

/// Writes a full tile; the partial ones before it go.
pub(crate) fn write_full(
    log: &Path,
    (level, index): (usize, u64),
    hashes: &[Hash],
    durable: bool,
) -> Result<()> {
    write(&log.join(path(level, index)), hashes, durable)?;
    let folder = log.join(partial_folder(level, index));
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if is_absent(&error) => return Ok(()),
        Err(error) => return Err(Error::io("list", &folder, &error)),
    };
    for entry in entries {
        remove_if_there(&entry.map_err(|e| Error::io("list", &folder, &e))?.path())?;
    }
    remove_dir(&folder).map_err(|e| Error::io("remove", &folder, &e))
}

/// Writes the partial tiles of a tree.
pub(crate) fn write_edge(log: &Path, edge: &Edge) -> Result<()> {
    for (level, hashes) in edge.levels().iter().enumerate().filter(|(_, h)| !h.is_empty()) {
        let index = edge.size() >> (8 * (level + 1));
        let path = log.join(partial_path(level, index, hashes.len()));
        // A tile never changes: what is there is this, or is damaged.
        if read_if_there(&path)?.is_none_or(|there| there != hashes.as_flattened()) {
            write(&path, hashes, true)?;
        }
    }
    Ok(())
}

/// The first `width` hashes of a tile, from the full one or from that partial one.
pub(crate) fn read(
    log: &Path,
    level: usize,
    index: u64,
    width: usize,
) -> Result<Option<Vec<Hash>>> {
    for path in [path(level, index), partial_path(level, index, width)] {
        if let Some(bytes) = read_if_there(&log.join(path))?
            && bytes.len() >= width * SIZE
        {
            return Ok(Some(split(&bytes[..width * SIZE]).collect()));
        }
    }
    Ok(None)
}

/// The right edge of a tree of this size: the lowest level from `leaves`, the hashes behind the
/// last full tile, those above from tiles. None where a tile is missing.
pub(crate) fn read_edge(log: &Path, size: u64, leaves: Vec<Hash>) -> Result<Option<Edge>> {
    let mut levels = vec![leaves];
    let mut count = size >> 8;
    while count > 0 {
        let width = usize::try_from(count % WIDTH as u64).unwrap_or_default();
        let hashes = match width {
            0 => Vec::new(),
            _ => match read(log, levels.len(), count >> 8, width)? {
                Some(hashes) => hashes,
                None => return Ok(None),
            },
        };
        levels.push(hashes);
        count >>= 8;
    }
    Ok(Some(Edge::new(size, levels)))
}

/// The first `size` leaf hashes from the tiles of the lowest level; none where one is missing.
pub(crate) fn read_leaves(log: &Path, size: u64) -> Result<Option<Vec<Hash>>> {
    let mut leaves = Vec::new();
    for index in 0..size.div_ceil(WIDTH as u64) {
        let left = size - index * WIDTH as u64;
        let width = usize::try_from(left).unwrap_or(WIDTH).min(WIDTH);
        match read(log, 0, index, width)? {
            Some(tile) => leaves.extend(tile),
            None => return Ok(None),
        }
    }
    Ok(Some(leaves))
}
