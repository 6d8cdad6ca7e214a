//! The hashes of the Merkle tree, as RFC 6962 defines them over SHA-256.
//!
//! Lives here: the hash of a leaf, of a node, of nothing, and their text. May not live here: the
//! shape of the tree (see [`super::tree`]).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// How many bytes a hash has.
pub(crate) const SIZE: usize = 32;

/// A hash of the tree.
pub(crate) type Hash = [u8; SIZE];

/// The hash of a line: of a zero byte and the line's exact bytes, without the line feed.
pub(crate) fn leaf(line: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(line).finalize().into()
}

/// The same, for one short line: without asking first what the processor can. On a virtual machine
/// each of those questions costs as much as hashing some hundred bytes, and they are five.
pub(crate) fn leaf_of_short(line: &[u8]) -> Hash {
    let mut hash = hmac_sha256::Hash::new();
    hash.update([0]);
    hash.update(line);
    hash.finalize()
}

/// The hash of a leaf that is not in memory as a whole.
pub(crate) struct Leaf(Sha256);

impl Leaf {
    /// Of no bytes yet.
    pub(crate) fn new() -> Self {
        Self(Sha256::new().chain_update([0]))
    }

    /// Takes the next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of all of them.
    pub(crate) fn finish(self) -> Hash {
        self.0.finalize().into()
    }
}

/// The hash of what stands above two hashes.
pub(crate) fn node(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [1; 1 + 2 * SIZE];
    bytes[1..=SIZE].copy_from_slice(left);
    bytes[1 + SIZE..].copy_from_slice(right);
    Sha256::digest(bytes).into()
}

/// The root of a tree without leaves.
pub(crate) fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// Bytes as base64, with padding.
pub(crate) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Bytes from base64 with padding; none for anything else.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// A hash from base64.
pub(crate) fn hash_from_base64(text: &str) -> Option<Hash> {
    from_base64(text)?.try_into().ok()
}

/// Hashes from bytes that stand one behind the other; a rest is left out.
pub(crate) fn split(bytes: &[u8]) -> impl Iterator<Item = Hash> + '_ {
    bytes.as_chunks::<SIZE>().0.iter().copied()
}
