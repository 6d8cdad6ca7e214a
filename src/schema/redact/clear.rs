//! Whether a text plainly has no secrets.
//!
//! Lives here: [`is_clear`], the quick answer for most events. It may be “no” for a text without
//! secrets, never “yes” for one with some. May not live here: finding them (see [`super::find`]).
//!
//! Every secret that has a shape, and every token of a header, stands in a run of at least
//! [`LEAST_RUN`] characters that tokens are made of; few words are so long. Every other stands
//! behind a sign with a telling name before it, in a URL, or in a block of PEM. So each byte is put
//! into a class without a branch, which is done for many at once, and only long runs and signs are
//! looked at. A text with a backslash says other things than are written: it is not clear.

use super::find::{can_begin, ends_like_secret, in_word, may_name_secret, shape_at};

/// The least length of a run of token characters that can hold a secret.
const LEAST_RUN: usize = 12;
/// How many bytes are put into classes at a time.
const PIECE: usize = 1024;

/// A character that tokens are made of.
const TOKEN: u8 = 1;
/// One of those that is no part of a word, so that something may begin behind it.
const JOINT: u8 = 16;
/// A sign that a value stands behind.
const SIGN: u8 = 2;
/// A hyphen.
const HYPHEN: u8 = 4;
/// A backslash.
const ESCAPE: u8 = 8;

/// Whether a string has no secrets; as [`is_clear`], and quicker for words and ids.
pub(super) fn is_word_clear(word: &str) -> bool {
    // (Without a way out of the middle: so they are done for many bytes at once.)
    let bytes = word.as_bytes();
    if bytes.len() < LEAST_RUN {
        return !bytes.iter().fold(false, |any, b| any | matches!(b, b':' | b'='));
    }
    // No shape is of such characters alone.
    let hex = |b: &u8| (b.wrapping_sub(b'0') < 10) | (b.wrapping_sub(b'a') < 6) | (*b == b'-');
    bytes.iter().fold(true, |all, b| all & hex(b)) || is_clear(word)
}

/// Whether a text has no secrets, be it JSON or a string of it.
pub(super) fn is_clear(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut classes = [0; PIECE + 8];
    let mut at = 0;
    while at < bytes.len() {
        let piece = &bytes[at..bytes.len().min(at + PIECE)];
        let mut all = 0;
        for (byte, class) in piece.iter().zip(&mut classes) {
            *class = class_of(*byte);
            all |= *class;
        }
        classes[piece.len()..piece.len() + 8].fill(0);
        let classes = &classes[..piece.len().next_multiple_of(8)];
        if all & ESCAPE != 0 || !is_piece_clear(bytes, at, classes) {
            return false;
        }
        // What goes on behind the piece shows in the next one.
        at += if at + PIECE < bytes.len() { PIECE - 2 * LEAST_RUN } else { PIECE };
    }
    true
}

/// The classes of a byte; made of comparisons alone, so that many are done at once.
#[inline(always)]
fn class_of(byte: u8) -> u8 {
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let digit = byte.wrapping_sub(b'0') < 10;
    let (hyphen, equals) = (byte == b'-', byte == b'=');
    // From `+` to `/` stand `+ , - . /`.
    let joint = ((byte.wrapping_sub(b'+') < 5) & !hyphen) | equals | (byte == b'~');
    let token = letter | digit | hyphen | joint | (byte == b'_');
    let sign = equals | (byte == b':');
    let pick = |yes: bool, class: u8| u8::from(yes) * class;
    pick(token, TOKEN)
        | pick(joint, JOINT)
        | pick(sign, SIGN)
        | pick(hyphen, HYPHEN)
        | pick(byte == b'\\', ESCAPE)
}

/// Eight times the class.
const fn eight(class: u8) -> u64 {
    u64::from_ne_bytes([class; 8])
}

/// Whether there is no secret in the text that shows in a piece of it: in that from `start` on, of
/// which these are the classes.
fn is_piece_clear(bytes: &[u8], start: usize, classes: &[u8]) -> bool {
    let mut run = Run { from: start, length: 0, joints: 0 };
    for (number, chunk) in classes.as_chunks::<8>().0.iter().enumerate() {
        let (at, word) = (start + number * 8, u64::from_le_bytes(*chunk));
        let mut signs = word & eight(SIGN);
        while signs != 0 {
            if !is_sign_clear(bytes, at + signs.trailing_zeros() as usize / 8) {
                return false;
            }
            signs &= signs - 1;
        }
        // Of the five that a block of PEM begins with, two stand in one chunk.
        if word & (word >> 8) & eight(HYPHEN) != 0 && has_pem(bytes) {
            return false;
        }
        // A run that is long enough has a whole half of a chunk, and more before and behind it.
        let others = !word & eight(TOKEN);
        if others == 0 {
            run.length += 8;
            run.joints |= word;
            continue;
        }
        let (first, last) =
            (others.trailing_zeros() as usize / 8, others.leading_zeros() as usize / 8);
        run.length += first;
        run.joints |= word;
        if run.length >= LEAST_RUN && !run.is_clear(bytes) {
            return false;
        }
        // (What stands between others in one chunk is too short.)
        run = Run { from: at + 8 - last, length: last, joints: word };
    }
    run.length < LEAST_RUN || run.is_clear(bytes)
}

/// Whether a sign has neither the name of a secret before it, nor the slashes of a URL with an `@`
/// behind.
#[inline]
fn is_sign_clear(bytes: &[u8], at: usize) -> bool {
    let (before, behind) = (&bytes[..at], &bytes[at + 1..]);
    let named = ends_like_secret(before)
        && !FIELDS.iter().any(|name| before.ends_with(name))
        && may_name_secret(before);
    let url = behind.first() == Some(&b'/') && behind.contains(&b'@');
    !named && !url
}

/// Names that end as some of secrets do, and stand in every event.
const FIELDS: [&[u8]; 2] = [b"\"issue_key\"", b"\"event_version\""];

#[cold]
fn has_pem(bytes: &[u8]) -> bool {
    bytes.windows(11).any(|window| window == b"-----BEGIN ")
}

/// Token characters in a row.
struct Run {
    from: usize,
    length: usize,
    /// The classes of its bytes, and of some beside it.
    joints: u64,
}

impl Run {
    fn is_clear(&self, bytes: &[u8]) -> bool {
        let (before, from) = bytes.split_at(self.from);
        let behind = |word: &[u8]| {
            before.len() >= word.len()
                && before[before.len() - word.len()..].eq_ignore_ascii_case(word)
        };
        let header = before.last() == Some(&b' ') && (behind(b"bearer ") || behind(b"basic "));
        if header || (from.starts_with(b"AA") && before.last() == Some(&b':')) {
            return false;
        }
        // Something may begin at the run's own beginning, and behind what is no part of a word.
        let begins = |at: usize| match from.get(at..at + 2) {
            // Those of bots were looked for by their colon.
            Some(pair) if !pair[0].is_ascii_digit() && can_begin(pair) => {
                shape_at(bytes, self.from + at)
            }
            _ => false,
        };
        let within = before.last().is_some_and(|byte| in_word(*byte));
        if !within && begins(0) {
            return false;
        }
        if self.joints & eight(JOINT) == 0 {
            return true;
        }
        let mut joints =
            from[..self.length].iter().enumerate().filter(|(_, byte)| !in_word(**byte));
        !joints.any(|(at, _)| begins(at + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::super::shapes::SHAPES;
    use super::*;

    #[test]
    fn every_shape_makes_a_long_run() {
        for shape in SHAPES {
            let prefix = shape.prefix.as_bytes();
            assert!(prefix.len() + shape.least >= LEAST_RUN, "{}", shape.prefix);
            assert!(prefix.iter().all(|byte| class_of(*byte) & TOKEN != 0), "{}", shape.prefix);
            assert!(prefix.iter().any(|b| !matches!(b, b'-' | b'0'..=b'9' | b'a'..=b'f')));
            let outside = |byte: &u8| shape.body.has(*byte) && class_of(*byte) & TOKEN == 0;
            assert_eq!((0..=255).find(outside), None, "{}", shape.prefix);
        }
    }

    #[test]
    fn the_fields_of_every_event_are_no_names_of_secrets() {
        assert!(is_clear(r#"{"issue_key":"P-1"}"#) && !is_clear(r#"{"api_key":"P-1"}"#));
        for name in FIELDS {
            let name = std::str::from_utf8(name).unwrap().trim_matches('"');
            assert_eq!(super::super::find::named(name, "aB3dE5gH7jK9mN1pQ2r"), None);
        }
    }

    #[test]
    fn a_run_is_seen_wherever_it_stands() {
        // (Put together, so that no scanner takes this file for a leak.)
        let key = ["xo", "xb-1234567890"].concat();
        for length in [0, 3, 30, PIECE, 3 * PIECE] {
            for at in (0..40).chain(PIECE - 40..PIECE + 40) {
                let text = format!("{} {key} {}", " ".repeat(at), " ".repeat(length));
                assert!(!is_clear(&text), "{length} {at}");
            }
        }
        assert!(is_clear(&"word after word, and a-hyphenated/path.rs ".repeat(100)));
    }
}
