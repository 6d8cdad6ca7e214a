//! The tamper-evident log of the store: a Merkle tree over the lines of the global log.
//!
//! Lives here: the parts of the tree and of what signs it, each in its file. May not live here:
//! the global log itself (see [`super::global`]).
//!
//! A leaf is a line of `global/events.jsonl`, in that order, as RFC 6962 hashes it: SHA-256 of a
//! zero byte and the exact bytes of the line, without its line feed. (Blank lines are no leaves.)
//! Whoever publishes a line adds its hash to `.chronoscope/tlog/leaves`; nothing is signed then.
//! Now and then the tree is signed: after the answer, and after everything that it speaks of is
//! durable. So a kill at any moment leaves hashes that are not signed yet, or tiles that the next
//! checkpoint writes again.

pub(super) mod check;
pub(super) mod checkpoint;
pub(super) mod hashes;
mod key;
pub(super) mod leaves;
pub(super) mod lines;
mod note;
mod proof;
mod sign;
#[cfg(test)]
mod tests;
mod tiles;
mod tree;

use std::path::PathBuf;

pub use check::{Anchored, Signature};
pub use proof::InclusionProof;
pub use sign::Signed;

use super::layout::Layout;
use crate::error::{ErrorKind, Result};

/// The folder of the log.
pub(super) const FOLDER: &str = "tlog";

/// The size and the root (as base64) of the last checkpoint; none where nothing is signed, or what
/// is there is no checkpoint.
///
/// # Errors
/// Unavailable, when it cannot be read.
pub(super) fn last_root(layout: &Layout) -> Result<Option<(u64, String)>> {
    match checkpoint::last(&folder(layout)) {
        Ok(last) => Ok(last.map(|(last, _)| (last.size, hashes::to_base64(&last.root)))),
        Err(error) if error.kind() == ErrorKind::Integrity => Ok(None),
        Err(error) => Err(error),
    }
}

/// The root (as base64) of the signed tree when it had so many leaves: as it was signed, or as the
/// leaves give it. None where fewer are signed.
///
/// # Errors
/// Unavailable, when something cannot be read.
pub(super) fn root_of(layout: &Layout, size: u64) -> Result<Option<String>> {
    match last_root(layout)? {
        Some((last, root)) if last == size => return Ok(Some(root)),
        Some((last, _)) if last > size => {}
        _ => return Ok(None),
    }
    let (history, _) = checkpoint::history(&folder(layout))?;
    let noted = history.iter().find(|entry| entry.size == size);
    if let Some(noted) = noted.and_then(|entry| checkpoint::Checkpoint::of_note(&entry.note)) {
        return Ok(Some(hashes::to_base64(&noted.root)));
    }
    let leaves = leaves::read_all(layout)?;
    let first = usize::try_from(size).ok().and_then(|size| leaves.get(..size));
    Ok(first.map(|leaves| hashes::to_base64(&tree::root(leaves))))
}

/// The folder of a store's log.
pub(super) fn folder(layout: &Layout) -> PathBuf {
    layout.service(FOLDER)
}
