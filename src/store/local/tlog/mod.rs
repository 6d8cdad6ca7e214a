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

/// The folder of the log.
pub(super) const FOLDER: &str = "tlog";

/// The folder of a store's log.
pub(super) fn folder(layout: &Layout) -> PathBuf {
    layout.service(FOLDER)
}
