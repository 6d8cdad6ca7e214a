//! The partition that a follower is at.
//!
//! Lives here: [`Open`], how far it was read and where its lines end. May not live here: going on to the
//! next partition (see [`super::LocalTail`]).

use std::io;

use super::super::io::{FileId, read_full_at, read_range};
use super::super::layout::Date;
use super::super::source::Source;
use crate::error::{Error, Result};

/// How many of the last bytes read are kept, to notice a file that was rewritten in place.
const ANCHOR: usize = 64;
/// How much is read at a time while looking for the end of a long line.
const BLOCK: usize = 256 << 10;
/// How far before a limit a line feed is looked for first.
const NEAR: u64 = 8 << 10;

/// The partition being read.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) date: Date,
    pub(super) file: Source,
    pub(super) id: FileId,
    /// Everything before was given out.
    pub(super) offset: u64,
    /// From `offset` to here there is no line feed.
    pub(super) scanned: u64,
    /// The last bytes before `offset`.
    pub(super) anchor: Vec<u8>,
    /// How many line feeds stand before `offset`; none where that was not counted.
    pub(super) feeds: Option<u64>,
}

impl Open {
    /// Whether what stands before the offset is still what was read there.
    pub(super) fn is_as_before(&self) -> Result<bool> {
        let from = self.offset - self.anchor.len() as u64;
        Ok(self.read_range(from, self.offset)? == self.anchor)
    }

    /// Where lines end that can be given out now: the last line feed within the limit, or the
    /// first one behind it. None when there is none yet.
    pub(super) fn find_lines(&mut self, length: u64, limit: u64) -> Result<Option<u64>> {
        let within = length.min(self.offset + limit);
        // Most often it stands close before the limit: from there backward, so that little of what
        // is read next is read twice.
        let mut end = within;
        while self.scanned < end {
            let start = end.saturating_sub(NEAR).max(self.scanned);
            if let Some(feed) = memchr::memrchr(b'\n', &self.read_range(start, end)?) {
                return Ok(Some(start + feed as u64 + 1));
            }
            end = start;
        }
        self.scanned = self.scanned.max(within);
        let mut block = vec![0; BLOCK];
        while self.scanned < length {
            let wanted = block.len().min(usize::try_from(length - self.scanned).unwrap_or(BLOCK));
            let got = read_full_at(&self.file, &mut block[..wanted], self.scanned);
            let got = got.map_err(|e| self.failed(&e))?;
            if got == 0 {
                break;
            }
            if let Some(feed) = memchr::memchr(b'\n', &block[..got]) {
                return Ok(Some(self.scanned + feed as u64 + 1));
            }
            self.scanned += got as u64;
        }
        Ok(None)
    }

    /// Everything before `to` is given out.
    pub(super) fn advance(&mut self, to: u64) -> Result<()> {
        let from = to.saturating_sub(ANCHOR as u64);
        self.anchor = self.read_range(from, to)?;
        self.offset = to;
        self.scanned = to;
        Ok(())
    }

    /// The bytes of a part of it.
    pub(super) fn read_range(&self, from: u64, to: u64) -> Result<Vec<u8>> {
        read_range(&self.file, from, to).map_err(|e| self.failed(&e))
    }

    /// The error of a read that failed.
    pub(super) fn failed(&self, error: &io::Error) -> Error {
        Error::io("read", self.file.path(), error)
    }
}
