//! Numbers as seven bits a byte, lowest first; all but the last byte have the high bit set (LEB128).
//!
//! Lives here: writing and reading one number. May not live here: what it counts.

/// How many bytes a number has; 0 has none.
pub(super) fn length(number: u32) -> usize {
    (u32::BITS - number.leading_zeros()).div_ceil(7) as usize
}

/// The next byte of a number, which is taken off it.
pub(super) fn take(number: &mut u32) -> u8 {
    let low = (*number & 0x7f) as u8;
    *number >>= 7;
    if *number > 0 { low | 0x80 } else { low }
}

/// The number at the beginning, and what follows it.
pub(super) fn split(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (first, mut rest) = bytes.split_first()?;
    let mut number = u32::from(first & 0x7f);
    // Most numbers have one byte.
    let (mut byte, mut shift) = (*first, 7);
    while byte & 0x80 != 0 && shift < u32::BITS {
        let (next, after) = rest.split_first()?;
        number |= u32::from(next & 0x7f) << shift;
        (byte, rest, shift) = (*next, after, shift + 7);
    }
    Some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for (number, expected) in
            [(1, 1), (0x7f, 1), (0x80, 2), (0x3fff, 2), (0x4000, 3), (0x1f_ffff, 3), (u32::MAX, 5)]
        {
            assert_eq!(length(number), expected, "{number}");
            let mut left = number;
            let bytes: Vec<u8> = (0..expected).map(|_| take(&mut left)).collect();
            assert_eq!(left, 0, "{number}");
            assert_ne!(bytes.last(), Some(&0), "{number}");
            let (found, rest) = split(&bytes).unwrap();
            assert_eq!((found, rest.len()), (number, 0));
            assert!(split(&bytes[1..]).is_none_or(|(found, _)| found != number), "{number}");
            assert!(split(&bytes[..expected - 1]).is_none(), "{number} cut short");
        }
    }
}
