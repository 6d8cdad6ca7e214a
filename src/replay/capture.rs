//! What a program writes, kept in bounded memory.
//!
//! Lives here: [`Capture`], the beginning and the end of a stream. May not live here: secrets; but
//! the cut is made between words, so that no half of one is left where a whole one would be known.

use std::collections::VecDeque;
use std::fmt::Write as _;

/// The beginning and the end of a stream of bytes.
#[derive(Debug)]
pub(super) struct Capture {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    /// How many bytes each of the two may have.
    half: usize,
    total: u64,
}

impl Capture {
    /// Keeps at most so many bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { head: Vec::new(), tail: VecDeque::new(), half: (limit / 2).max(1), total: 0 }
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let room = self.half - self.head.len();
        let (first, rest) = bytes.split_at(room.min(bytes.len()));
        self.head.extend_from_slice(first);
        let rest = &rest[rest.len().saturating_sub(self.half)..];
        let surplus = (self.tail.len() + rest.len()).saturating_sub(self.half);
        self.tail.drain(..surplus);
        self.tail.extend(rest);
    }

    /// The text; where bytes were left out, how many.
    pub(super) fn text(mut self) -> String {
        let kept = (self.head.len() + self.tail.len()) as u64;
        let tail = self.tail.make_contiguous();
        if kept == self.total {
            self.head.extend_from_slice(tail);
            return String::from_utf8_lossy(&self.head).into_owned();
        }
        let is_gap = |b: &u8| b.is_ascii_whitespace();
        let head = self.head.iter().rposition(is_gap).map_or(&[][..], |at| &self.head[..at]);
        let tail = tail.iter().position(is_gap).map_or(&[][..], |at| &tail[at + 1..]);
        let left_out = self.total - (head.len() + tail.len()) as u64;
        let mut text = String::from_utf8_lossy(head).into_owned();
        // Writing to a string cannot fail.
        let _ = write!(text, "\n[{left_out} bytes left out]\n");
        text + &String::from_utf8_lossy(tail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(limit: usize, pieces: &[&str]) -> String {
        let mut capture = Capture::new(limit);
        pieces.iter().for_each(|piece| capture.add(piece.as_bytes()));
        assert!(capture.head.len() + capture.tail.len() <= limit);
        capture.text()
    }

    #[test]
    fn what_is_short_is_kept_whole() {
        assert_eq!(text(8, &["abc", "de", "fgh"]), "abcdefgh");
        assert_eq!(text(8, &[]), "");
    }

    #[test]
    fn the_middle_of_what_is_long_is_left_out_between_words() {
        let told = text(20, &["one two three", " four five six", " seven eight"]);
        assert_eq!(told, "one two\n[27 bytes left out]\neight");
        assert_eq!(text(8, &["x".repeat(100).as_str()]), "\n[100 bytes left out]\n");
    }
}
