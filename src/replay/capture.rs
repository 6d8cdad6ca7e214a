//! What a program writes, kept in bounded memory.
//!
//! Lives here: [`Capture`], the beginning and the end of a stream. May not live here: secrets; but
//! around the cut more is kept than is shown, so that they are known there, too.

use std::collections::VecDeque;

use super::kept::{Kept, Part};

/// How many bytes around the cut are kept for secrets to be known by: more than keys and tokens have.
const CONTEXT: usize = 16 << 10;

/// The beginning and the end of a stream of bytes.
#[derive(Debug)]
pub(super) struct Capture {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    /// How many bytes are shown.
    limit: usize,
    total: u64,
}

impl Capture {
    /// Shows at most so many bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { head: Vec::new(), tail: VecDeque::new(), limit, total: 0 }
    }

    /// How many bytes are shown of the beginning, and of the end, where not all are.
    fn half(&self) -> usize {
        (self.limit / 2).max(1)
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let most = self.half() + CONTEXT;
        let room = most - self.head.len();
        self.head.extend_from_slice(&bytes[..room.min(bytes.len())]);
        let last = &bytes[bytes.len().saturating_sub(most)..];
        let surplus = (self.tail.len() + last.len()).saturating_sub(most);
        self.tail.drain(..surplus);
        self.tail.extend(last);
    }

    pub(super) fn kept(mut self) -> Kept {
        let half = self.half();
        let tail = self.tail.make_contiguous();
        let more = self.total - self.head.len() as u64;
        if self.total <= self.limit as u64 {
            // Where it is longer than the head, its end stands in the tail.
            let rest = &tail[tail.len() - usize::try_from(more).unwrap_or(tail.len())..];
            self.head.extend_from_slice(rest);
            return Kept { beginning: Part::new(b"", &self.head, b""), end: None };
        }
        let (head, behind) = self.head.split_at(end_of_head(&self.head, half));
        let (before, tail) = tail.split_at(start_of_tail(tail, half));
        let left_out = self.total - (head.len() + tail.len()) as u64;
        let end = Part::new(before, tail, b"");
        Kept { beginning: Part::new(b"", head, behind), end: Some((left_out, end)) }
    }
}

/// Whether a byte goes on with a character of UTF-8.
fn goes_on(byte: &u8) -> bool {
    byte & 0xC0 == 0x80
}

/// Where the head ends that has so many bytes at most: before the end of a line, or else before a
/// blank, where one stands in its second half; or else between two characters.
fn end_of_head(bytes: &[u8], most: usize) -> usize {
    let least = most / 2;
    let last = |is_gap: fn(&u8) -> bool| bytes[least..most].iter().rposition(is_gap);
    let gap = last(|b| *b == b'\n').or_else(|| last(u8::is_ascii_whitespace));
    let back = bytes[..=most].iter().rev().take(3).take_while(|b| goes_on(b)).count();
    gap.map_or(most - back, |at| least + at)
}

/// Where the tail begins that has so many bytes at most, in the same way.
fn start_of_tail(bytes: &[u8], most: usize) -> usize {
    let start = bytes.len() - most;
    let first =
        |is_gap: fn(&u8) -> bool| bytes[start..][..most.div_ceil(2)].iter().position(is_gap);
    let gap = first(|b| *b == b'\n').or_else(|| first(u8::is_ascii_whitespace));
    let on = bytes[start..].iter().take(3).take_while(|b| goes_on(b)).count();
    gap.map_or(start + on, |at| start + at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Redactor;

    fn text(limit: usize, pieces: &[&str]) -> String {
        let mut capture = Capture::new(limit);
        for piece in pieces {
            capture.add(piece.as_bytes());
            assert!(capture.head.len() + capture.tail.len() <= limit.max(2) + 2 * CONTEXT);
        }
        capture.kept().text(&Redactor::default())
    }

    #[test]
    fn what_is_short_is_kept_whole() {
        assert_eq!(text(8, &["abc", "de", "fgh"]), "abcdefgh");
        assert_eq!(text(9, &["abc", "de", "fghi"]), "abcdefghi");
        assert_eq!(text(8, &[]), "");
        for length in [CONTEXT, 3 * CONTEXT, 5 * CONTEXT] {
            let whole = "0123456789abcde\n".repeat(length / 16);
            let pieces: Vec<&str> =
                whole.as_bytes().chunks(1000).map(|piece| str::from_utf8(piece).unwrap()).collect();
            assert_eq!(text(5 * CONTEXT, &pieces), whole);
        }
    }

    #[test]
    fn the_middle_of_what_is_long_is_left_out_between_lines_or_words_or_characters() {
        let told = text(20, &["one two three", " four five six", " seven eight"]);
        assert_eq!(told, "one two\n[27 bytes left out]\neight");
        let told = text(20, &["one tw\no x", ".....", "a b\nc d e "]);
        assert_eq!(told, "one tw\n[13 bytes left out]\nc d e ");
        assert_eq!(text(8, &["x".repeat(100).as_str()]), "xxxx\n[92 bytes left out]\nxxxx");
        assert_eq!(text(8, &["ä€".repeat(20).as_str()]), "ä\n[95 bytes left out]\n€");
        let long = text(1 << 14, &["x".repeat(300_000).as_str()]);
        assert!(long.len() > 1 << 14 && long.contains("\n[283616 bytes left out]\n"));
    }

    /// Whatever is secret, and wherever the cut goes through it.
    #[test]
    fn no_half_of_a_secret_is_shown() {
        let lines: String = (0..50).map(|n| format!("MIIEvQ{n:058}\n")).collect();
        let key = format!("-----BEGIN {0}-----\n{lines}-----END {0}-----", "RSA PRIVATE KEY");
        let token = format!("Authorization: Bearer {}", "aB3".repeat(400));
        let secrets = [
            (key, "MIIEvQ"),
            (token, "aB3aB3"),
            ("password: hunter2hunter2hunter2".to_owned(), "unter2"),
            (format!("{{\"db_password\": \"{}\"}}", "correct horse ".repeat(40)), "horse"),
        ];
        for (secret, part) in secrets {
            let before = "a line of what came before\n".repeat(20);
            for behind in (0..secret.len() + 300).step_by(7) {
                let filler = ". . .\n".repeat(behind);
                for text in [
                    // The cut of the head, and that of the tail.
                    text(
                        1000,
                        &[&before[..behind % 500], "\n", &secret, "\n", &". . .\n".repeat(3000)],
                    ),
                    text(1000, &[&before.repeat(40), &secret, &filler[..behind]]),
                ] {
                    assert!(!text.contains(part), "{behind}: {text}");
                }
            }
        }
    }
}
