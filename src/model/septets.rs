//! Numbers as seven bits a byte, lowest first; all but the last byte have the high bit set (LEB128).
//!
//! Lives here: writing and reading one number, with a sign or without. May not live here: what it
//! counts.

/// How many bytes a number has; 0 has none, where it is left out.
#[must_use]
pub fn length(number: u64) -> usize {
    (u64::BITS - number.leading_zeros()).div_ceil(7) as usize
}

/// Adds a number to `out`; 0 as one byte.
pub fn put(mut number: u64, out: &mut Vec<u8>) {
    out.push(take(&mut number));
    while number > 0 {
        out.push(take(&mut number));
    }
}

/// The next byte of a number, which is taken off it.
pub fn take(number: &mut u64) -> u8 {
    let low = (*number & 0x7f) as u8;
    *number >>= 7;
    if *number > 0 { low | 0x80 } else { low }
}

/// The number at the beginning, and what follows it; none where the bytes are no number.
#[must_use]
pub fn split(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (first, mut rest) = bytes.split_first()?;
    let mut number = u64::from(first & 0x7f);
    // Most numbers have one byte.
    let (mut byte, mut shift) = (*first, 7);
    while byte & 0x80 != 0 {
        let (next, after) = rest.split_first()?;
        number |= u64::from(next & 0x7f).checked_shl(shift)?;
        (byte, rest, shift) = (*next, after, shift + 7);
    }
    Some((number, rest))
}

/// A number that may be below zero as one that is small where that is close to zero.
#[must_use]
pub fn from_signed(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

/// The reverse of [`from_signed`].
#[must_use]
pub fn to_signed(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for (number, expected) in [
            (1, 1),
            (0x7f, 1),
            (0x80, 2),
            (0x3fff, 2),
            (0x4000, 3),
            (0x1f_ffff, 3),
            (u32::MAX.into(), 5),
            (u64::MAX, 10),
        ] {
            assert_eq!(length(number), expected, "{number}");
            let mut whole = Vec::new();
            put(number, &mut whole);
            let mut left = number;
            let bytes: Vec<u8> = (0..expected).map(|_| take(&mut left)).collect();
            assert_eq!((left, &whole), (0, &bytes), "{number}");
            assert_ne!(bytes.last(), Some(&0), "{number}");
            let (found, rest) = split(&bytes).unwrap();
            assert_eq!((found, rest.len()), (number, 0));
            assert!(split(&bytes[1..]).is_none_or(|(found, _)| found != number), "{number}");
            assert!(split(&bytes[..expected - 1]).is_none(), "{number} cut short");
        }
    }

    #[test]
    fn nothing_is_one_byte_where_it_is_put() {
        let mut bytes = Vec::new();
        put(0, &mut bytes);
        assert_eq!((bytes.as_slice(), split(&bytes)), (&[0][..], Some((0, &[][..]))));
        assert_eq!(split(&[0xff; 11]), None);
    }

    #[test]
    fn numbers_close_to_zero_are_small() {
        assert_eq!([0, -1, 1, -2].map(from_signed), [0, 1, 2, 3]);
    }

    proptest::proptest! {
        #[test]
        fn signs_come_back(number in proptest::prelude::any::<i64>()) {
            proptest::prop_assert_eq!(to_signed(from_signed(number)), number);
        }
    }
}
