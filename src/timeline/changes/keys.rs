//! The keys of the paths, as bytes one behind the other.
//!
//! Lives here: [`Keys`]. May not live here: which path has which key.
//!
//! Most keys are the name of one thing (a call of a tool) and stand in one path; a few (the names
//! of fields) stand in very many. So nothing but a small table of late ones says where a key stands
//! already: what comes again and again is found there, and what is not is kept twice.

use std::hash::Hasher;

use rustc_hash::FxHasher;

use crate::model::septets;

/// So many bytes stand in one piece; a longer key has a piece of its own.
const PIECE: usize = 1 << 16;
/// How many late keys are known.
const LATE: usize = 1024;

/// Where a key stands: the number of the piece, and where in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyAt(u32);

impl KeyAt {
    /// No key stands there, not even the empty one.
    pub(super) const NOWHERE: Self = Self(u32::MAX);
}

/// Texts, each behind its length.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pieces: Vec<Vec<u8>>,
    /// By hash; most at the same place as one that has another.
    late: Vec<KeyAt>,
}

impl Keys {
    /// Where `key` stands from now on.
    pub(super) fn add(&mut self, key: &str) -> KeyAt {
        let mut hasher = FxHasher::default();
        hasher.write(key.as_bytes());
        let slot = hasher.finish() as usize % LATE;
        self.late.resize(LATE, KeyAt::NOWHERE);
        if self.is(self.late[slot], key) {
            return self.late[slot];
        }
        let at = self.append(key);
        self.late[slot] = at;
        at
    }

    fn append(&mut self, key: &str) -> KeyAt {
        let needed = key.len() + septets::length(key.len() as u64).max(1);
        match self.pieces.last() {
            Some(last) if last.len() + needed <= PIECE => {}
            // Most issues have few keys: the first piece grows as it likes.
            None => self.pieces.push(Vec::new()),
            Some(_) => self.pieces.push(Vec::with_capacity(needed.max(PIECE))),
        }
        let number = self.pieces.len() - 1;
        let Some(piece) = self.pieces.last_mut() else { return KeyAt::NOWHERE };
        let at = number * PIECE + piece.len();
        septets::put(key.len() as u64, piece);
        piece.extend_from_slice(key.as_bytes());
        u32::try_from(at).map_or(KeyAt::NOWHERE, KeyAt)
    }

    /// The key that stands there.
    pub(super) fn bytes(&self, KeyAt(at): KeyAt) -> Option<&[u8]> {
        let piece = self.pieces.get(at as usize / PIECE)?;
        let (length, rest) = septets::split(piece.get(at as usize % PIECE..)?)?;
        rest.get(..usize::try_from(length).ok()?)
    }

    /// Whether it is `key` that stands there.
    pub(super) fn is(&self, at: KeyAt, key: &str) -> bool {
        self.bytes(at) == Some(key.as_bytes())
    }

    /// The same as a text.
    pub(super) fn text(&self, at: KeyAt) -> &str {
        self.bytes(at).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_however_long_they_are() {
        let mut keys = Keys::default();
        let lengths = [0, 1, 126, 127, 128, 16_383, PIECE - 3, 3 * PIECE, 5];
        let texts: Vec<String> = lengths.iter().map(|length| "ä".repeat(*length)).collect();
        let places: Vec<KeyAt> = texts.iter().map(|text| keys.add(text)).collect();
        for (text, at) in texts.iter().zip(places) {
            assert_eq!(keys.text(at), text);
            assert!(keys.is(at, text));
            assert!(!keys.is(at, &format!("{text}.")));
        }
    }

    #[test]
    fn a_key_that_comes_again_and_again_is_kept_once() {
        let mut keys = Keys::default();
        for number in 0..10_000 {
            keys.add("a name of a field that is rather long, as names go");
            keys.add(&number.to_string());
        }
        let held: usize = keys.pieces.iter().map(Vec::len).sum();
        assert!(held < 10_000 * 5 + 10 * 51, "{held}");
    }
}
