//! A sliding view of a file that is read once, from front to back, in bounded memory.
//!
//! Lives here: [`Window`]: bytes that are at hand, and the number of the line they begin at. May
//! not live here: what the bytes mean.

use std::fs::File;
use std::io::{self, Read};

/// How much is read at a time.
const READ: usize = 256 * 1024;

/// The part of a file that is at hand.
pub(super) struct Window<R = File> {
    source: R,
    buffer: Vec<u8>,
    start: usize,
    line: u64,
    at_end: bool,
    consumed: u64,
}

impl<R: Read> Window<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, buffer: Vec::new(), start: 0, line: 1, at_end: false, consumed: 0 }
    }

    /// The bytes at hand.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// The line that the bytes at hand begin in, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// How many bytes lie behind.
    pub(super) fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Reads on; false at the end of the file.
    pub(super) fn fill(&mut self) -> io::Result<bool> {
        if self.at_end {
            return Ok(false);
        }
        // What lies behind is dropped once it outweighs what is at hand, so that each byte is
        // moved a bounded number of times.
        if self.start > self.buffer.len() / 2 {
            self.buffer.drain(..self.start);
            self.start = 0;
            if self.buffer.capacity() > 8 * READ && self.buffer.len() < READ {
                self.buffer.shrink_to(2 * READ);
            }
        }
        let old = self.buffer.len();
        self.buffer.resize(old + READ, 0);
        let got = loop {
            match self.source.read(&mut self.buffer[old..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(old + got.as_ref().copied().unwrap_or(0));
        self.at_end = got? == 0;
        Ok(!self.at_end)
    }

    /// Reads on until `wanted` bytes are at hand or the file ends.
    pub(super) fn fill_to(&mut self, wanted: usize) -> io::Result<()> {
        while self.bytes().len() < wanted && self.fill()? {}
        Ok(())
    }

    /// Leaves `count` bytes behind.
    pub(super) fn consume(&mut self, count: usize) {
        let end = (self.start + count).min(self.buffer.len());
        let passed = &self.buffer[self.start..end];
        self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.consumed += passed.len() as u64;
        self.start = end;
    }

    /// The line that the byte at `place` of the bytes at hand stands in.
    pub(super) fn line_at(&self, place: usize) -> u64 {
        let bytes = self.bytes();
        self.line + memchr::memchr_iter(b'\n', &bytes[..place.min(bytes.len())]).count() as u64
    }
}
