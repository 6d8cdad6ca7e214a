//! A quick hash for telling within one run whether lines are the same, safe against those who made
//! the lines.
//!
//! Lives here: [`Keyed`]. May not live here: hashes that are kept (see [`super::tlog::hashes`] and
//! [`super::io::fingerprint`]).
//!
//! A line is a polynomial over the field of 2^61-1, its coefficients the line's bytes, seven at a
//! time, and its length; the hash is its value at a random point. Two different lines of n bytes
//! meet at no more than n/7 + 1 points, so for a point that nobody knows beforehand the chance is
//! below n/2^63. Four parts of a line are summed beside each other, which is only quicker.

use std::hash::{BuildHasher, Hasher, RandomState};

const PRIME: u64 = (1 << 61) - 1;
/// How many bytes make a coefficient.
const BYTES: usize = 7;
/// How many sums are made beside each other.
const LANES: usize = 4;
/// The seven bytes of eight that are read.
const SEVEN: u64 = (1 << 56) - 1;

/// The random point of one run.
pub(super) struct Keyed {
    point: u64,
    /// The point to the power of the number of lanes.
    stride: u64,
}

impl Keyed {
    /// A point that nobody knows beforehand.
    pub(super) fn new() -> Self {
        Self::at(RandomState::new().build_hasher().finish())
    }

    fn at(point: u64) -> Self {
        let point = (point % PRIME).max(2);
        let square = times(point, point);
        Self { point, stride: times(square, square) }
    }

    /// The hash of a line.
    pub(super) fn hash(&self, line: &[u8]) -> u64 {
        let (blocks, rest) = line.as_chunks::<{ BYTES * LANES }>();
        let mut lanes = [0; LANES];
        for block in blocks {
            // Written out, each with one load: no loop over parts is as quick.
            let [a, b, c, d] = lanes;
            let stride = self.stride;
            lanes = [
                times(a, stride) + (eight(block, 0) & SEVEN),
                times(b, stride) + (eight(block, BYTES) & SEVEN),
                times(c, stride) + (eight(block, 2 * BYTES) & SEVEN),
                times(d, stride) + (eight(block, 3 * BYTES - 1) >> 8),
            ];
        }
        let mut sum = lanes.iter().fold(0, |sum, lane| times(sum, self.point) + lane);
        for bytes in rest.chunks(BYTES) {
            sum = times(sum, self.point) + coefficient(bytes);
        }
        // Zeros at an end would change nothing: the length tells.
        times(times(sum, self.point) + line.len() as u64, self.point) % PRIME
    }
}

/// The eight bytes at a place.
#[inline(always)]
fn eight(block: &[u8; BYTES * LANES], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&block[at..at + 8]);
    u64::from_le_bytes(bytes)
}

fn coefficient(bytes: &[u8]) -> u64 {
    let mut eight = [0; 8];
    eight[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(eight)
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

    /// The polynomial by its definition.
    fn defined(line: &[u8], point: u64) -> u64 {
        let p = u128::from(PRIME);
        let blocks = line.len() / (BYTES * LANES) * (BYTES * LANES);
        let parts = line[..blocks].chunks(BYTES).chain(line[blocks..].chunks(BYTES));
        let mut sum = 0;
        for part in parts {
            sum = (sum * u128::from(point) + u128::from(coefficient(part))) % p;
        }
        sum = (sum * u128::from(point) + line.len() as u128) % p;
        u64::try_from(sum * u128::from(point) % p).unwrap()
    }

    #[test]
    fn it_is_the_value_of_the_polynomial() {
        for length in 0..200_usize {
            for fill in [0, 1, 0x7f, 0xff] {
                let line: Vec<u8> = (0..length).map(|at| fill ^ (at * at % 7) as u8).collect();
                for point in [2, 12_345, PRIME - 1, u64::MAX / 3] {
                    let keyed = Keyed::at(point);
                    assert_eq!(keyed.hash(&line), defined(&line, keyed.point), "{length} {fill}");
                }
            }
        }
    }

    #[test]
    fn every_bit_counts_and_so_do_length_and_key() {
        let keyed = Keyed::new();
        let line = vec![0_u8; 100];
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
