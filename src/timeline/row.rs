//! One compact row per event, and the words that rows share.
//!
//! Lives here: [`Row`], [`Symbols`] and the hashes of ids. May not live here: the event itself;
//! it stays in the log and is read again when it is looked at.

use std::ops::RangeInclusive;

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use crate::model::{Kind, Timestamp};
use crate::store::Locator;

/// A word that many rows share: a type, an actor, a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Symbol(pub u32);

impl Symbol {
    /// The empty word.
    pub const EMPTY: Self = Self(0);

    /// Whether it is the empty word.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::EMPTY
    }
}

/// What is known of every event without reading the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Where its bytes stand in the log.
    pub locator: Locator,
    /// Its own time.
    pub at: Timestamp,
    /// The latest time up to and including it: never runs back.
    pub clock: Timestamp,
    /// The first eight bytes of its id.
    pub id_head: u64,
    /// A hash of its content without the stamps.
    pub content: u32,
    /// What happened.
    pub kind: Kind,
    /// Whether something is wrong with it.
    pub has_anomaly: bool,
    /// The type's name as written.
    pub type_name: Symbol,
    /// Who acted.
    pub actor: Symbol,
    /// The session.
    pub session: Symbol,
    /// The agent it speaks of; empty where it speaks of none.
    pub agent: Symbol,
    /// The phase it speaks of, else the one in force.
    pub phase: Symbol,
}

/// Interned words.
#[derive(Debug)]
pub struct Symbols {
    words: Vec<SmolStr>,
    numbers: FxHashMap<SmolStr, Symbol>,
}

impl Default for Symbols {
    fn default() -> Self {
        let mut symbols = Self { words: Vec::new(), numbers: FxHashMap::default() };
        symbols.intern("");
        symbols
    }
}

impl Symbols {
    /// The symbol of a word, new or known.
    pub fn intern(&mut self, word: &str) -> Symbol {
        if let Some(symbol) = self.numbers.get(word) {
            return *symbol;
        }
        let symbol = Symbol(u32::try_from(self.words.len()).unwrap_or(u32::MAX));
        let word = SmolStr::new(word);
        self.words.push(word.clone());
        self.numbers.insert(word, symbol);
        symbol
    }

    /// The symbol of a word that was seen before.
    #[must_use]
    pub fn find(&self, word: &str) -> Option<Symbol> {
        self.numbers.get(word).copied()
    }

    /// All words, in the order of their symbols.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(SmolStr::as_str)
    }

    /// The word.
    #[must_use]
    pub fn text(&self, symbol: Symbol) -> &str {
        self.words.get(symbol.0 as usize).map_or("", SmolStr::as_str)
    }
}

/// A 64-bit hash of a text, the same within one process.
#[must_use]
pub fn hash_text(text: &str) -> u64 {
    use std::hash::{BuildHasher, BuildHasherDefault};
    BuildHasherDefault::<rustc_hash::FxHasher>::default().hash_one(text)
}

/// The first eight bytes of an id as a number, so that ranges of ids are ranges of numbers.
#[must_use]
pub fn id_head(id: &str) -> u64 {
    let mut bytes = [0; 8];
    let taken = id.len().min(8);
    bytes[..taken].copy_from_slice(&id.as_bytes()[..taken]);
    u64::from_be_bytes(bytes)
}

/// The numbers that [`id_head`] gives to ids that start with `prefix`.
#[must_use]
pub fn id_head_range(prefix: &str) -> RangeInclusive<u64> {
    let low = id_head(prefix);
    let free_bits = 8 * (8 - prefix.len().min(8));
    let high = if free_bits == 64 { u64::MAX } else { low | ((1 << free_bits) - 1) };
    low..=high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stay_small() {
        assert!(size_of::<Row>() <= 72, "{}", size_of::<Row>());
    }

    #[test]
    fn id_ranges_hold_just_the_ids_with_that_prefix() {
        for (prefix, id, inside) in [
            ("", "anything", true),
            ("ab", "abc", true),
            ("ab", "ac", false),
            ("abcdefgh", "abcdefgh-1", true),
            ("abcdefghij", "abcdefgh-1", true),
            ("abcdefgh", "abcdefgi", false),
        ] {
            assert_eq!(id_head_range(prefix).contains(&id_head(id)), inside, "{prefix} {id}");
        }
    }

    #[test]
    fn words_keep_their_symbols() {
        let mut symbols = Symbols::default();
        let a = symbols.intern("a");
        assert_eq!(symbols.intern(""), Symbol::EMPTY);
        assert_eq!(symbols.intern("a"), a);
        assert_eq!(symbols.text(a), "a");
        assert_eq!(symbols.find("b"), None);
    }
}
