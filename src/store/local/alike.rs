//! A quick hash for telling within one run whether lines are the same, safe against those who made
//! the lines.
//!
//! Lives here: [`Keyed`]. May not live here: hashes that are kept (see [`super::tlog::hashes`] and
//! [`super::io::fingerprint`]).
//!
//! It is made as VMAC is, without its encryption at the end. A block of 32 words of 64 bits is taken
//! together by NH: each word is added to one of the key, and the products of pairs are summed modulo
//! 2^128. For a key that nobody knows beforehand, two different blocks have the same sum with a
//! chance of no more than 2^-64. The sums, cut into three, and the line's length are the
//! coefficients of a polynomial over the field of 2^61-1; the hash is its value at a random point.
//! Two different lines of n blocks meet at no more than 3n + 2 points, so a chance of (3n + 4)/2^61
//! bounds all of it.

use std::hash::{BuildHasher, RandomState};

const PRIME: u64 = (1 << 61) - 1;
/// How many words are taken together.
const WORDS: usize = 32;
/// How many bytes these have.
const BLOCK: usize = WORDS * 8;
/// How many bits a coefficient has; three are more than those of a sum.
const BITS: u32 = 43;

/// The key of one run.
pub(super) struct Keyed {
    words: [u64; WORDS],
    point: u64,
}

impl Keyed {
    /// A key that nobody knows beforehand.
    pub(super) fn new() -> Self {
        let random = RandomState::new();
        let words = std::array::from_fn(|at| random.hash_one(at));
        Self::with(words, random.hash_one(WORDS))
    }

    fn with(words: [u64; WORDS], point: u64) -> Self {
        Self { words, point: (point % PRIME).max(2) }
    }

    /// The hash of a line.
    pub(super) fn hash(&self, line: &[u8]) -> u64 {
        let (blocks, rest) = line.as_chunks::<BLOCK>();
        let mut value = 0;
        for block in blocks {
            value = self.then(value, self.sum(block.as_chunks().0));
        }
        let (pairs, end) = rest.as_chunks::<16>();
        let mut sum = self.sum(pairs);
        if !end.is_empty() {
            // Zeros at an end change nothing: the length tells.
            let mut last = [0; 16];
            last[..end.len()].copy_from_slice(end);
            let keys = [self.words[2 * pairs.len()], self.words[2 * pairs.len() + 1]];
            sum = sum.wrapping_add(product(&last, keys));
        }
        value = self.then(value, sum);
        times(times(value, self.point) + line.len() as u64, self.point) % PRIME
    }

    /// What NH makes of pairs of words.
    #[inline(always)]
    fn sum(&self, pairs: &[[u8; 16]]) -> u128 {
        let keys = self.words.as_chunks().0;
        pairs.iter().zip(keys).fold(0, |sum, (pair, keys)| sum.wrapping_add(product(pair, *keys)))
    }

    /// The value of the polynomial that goes on with a sum.
    #[inline(always)]
    fn then(&self, value: u64, sum: u128) -> u64 {
        [sum, sum >> BITS, sum >> (2 * BITS)]
            .iter()
            .fold(value, |value, part| times(value, self.point) + coefficient(*part))
    }
}

/// The lowest bits, as a coefficient.
#[allow(clippy::cast_possible_truncation, reason = "the part is taken on purpose")]
fn coefficient(part: u128) -> u64 {
    part as u64 & ((1 << BITS) - 1)
}

/// The product of two words, each with its key added.
#[inline(always)]
fn product(pair: &[u8; 16], keys: [u64; 2]) -> u128 {
    let [low, high] = pair.as_chunks::<8>().0 else { return 0 };
    let [low, high] = [u64::from_le_bytes(*low), u64::from_le_bytes(*high)];
    u128::from(low.wrapping_add(keys[0])) * u128::from(high.wrapping_add(keys[1]))
}

/// The product in the field; the factors may be a little larger than the prime.
#[inline(always)]
fn times(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    #[allow(clippy::cast_possible_truncation, reason = "the parts are taken on purpose")]
    let (low, high) = (product as u64 & PRIME, (product >> 61) as u64);
    let sum = low + high;
    (sum & PRIME) + (sum >> 61)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hash by its definition.
    fn defined(line: &[u8], keyed: &Keyed) -> u64 {
        let p = u128::from(PRIME);
        let mut coefficients = Vec::new();
        for at in 0..=line.len() / BLOCK {
            let block = &line[at * BLOCK..line.len().min((at + 1) * BLOCK)];
            let word = |n: usize| {
                let bytes = |k: usize| block.get(n * 8 + k).copied().unwrap_or_default();
                u64::from_le_bytes(std::array::from_fn(bytes)).wrapping_add(keyed.words[n])
            };
            let sum = (0..block.len().div_ceil(16)).fold(0_u128, |sum, pair| {
                sum.wrapping_add(u128::from(word(2 * pair)) * u128::from(word(2 * pair + 1)))
            });
            let mask = (1 << BITS) - 1;
            coefficients.extend([sum & mask, (sum >> 43) & mask, sum >> 86]);
        }
        coefficients.push(line.len() as u128);
        let point = u128::from(keyed.point);
        let value = coefficients.iter().fold(0, |value, part| (value * point + part) % p);
        u64::try_from(value * point % p).unwrap()
    }

    #[test]
    fn it_is_what_it_is_defined_as() {
        for length in 0..3 * BLOCK {
            for fill in [0, 1, 0x7f, 0xff] {
                let line: Vec<u8> = (0..length).map(|at| fill ^ (at * at % 7) as u8).collect();
                for point in [2, 12_345, PRIME - 1, u64::MAX / 3] {
                    let words = std::array::from_fn(|at| u64::MAX - point / (at as u64 + 1));
                    let keyed = Keyed::with(words, point);
                    assert_eq!(keyed.hash(&line), defined(&line, &keyed), "{length} {fill}");
                }
            }
        }
    }

    #[test]
    fn every_bit_counts_and_so_do_length_and_key() {
        let keyed = Keyed::new();
        let line = vec![0_u8; 2 * BLOCK + 20];
        let hash = keyed.hash(&line);
        for at in 0..line.len() {
            for bit in 0..8 {
                let mut other = line.clone();
                other[at] ^= 1 << bit;
                assert_ne!(keyed.hash(&other), hash, "byte {at}, bit {bit}");
            }
            assert_ne!(keyed.hash(&line[..at]), hash);
        }
        assert_ne!(Keyed::new().hash(b"a line"), Keyed::new().hash(b"a line"));
    }
}
