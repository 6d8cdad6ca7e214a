//! Following one issue's log: what is new since the last look, and nothing else.
//!
//! Lives here: [`LocalTail`]. May not live here: reading single lines again (see
//! [`super::fetch`]), or what the lines mean.

mod open;

use std::fs;
use std::io;
use std::ops::Range;
use std::sync::{Arc, PoisonError};

use self::open::Open;
use super::earlier::Earlier;
use super::fetch::{LocalFetch, Segments};
use super::io::{FileId, is_absent, read_range};
use super::layout::{Date, Layout, check_key};
use super::lines::LONG_LINE_HEAD;
use super::source::{Damage, Source};
use super::watch::Days;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Chunk, Fetch, Line, Locator, Notice, Tail};

/// How many bytes lie at least between two places of which the number of the line is known.
const COUNTED: u64 = 128 << 10;

/// A reader that follows one issue's log in a local store.
#[derive(Debug)]
pub(super) struct LocalTail {
    layout: Layout,
    key: String,
    max_line: u64,
    damage: Damage,
    days: Days,
    /// The partitions read so far and the one being read; shared with the fetchers.
    segments: Segments,
    open: Option<Open>,
    /// Those before it.
    earlier: Earlier,
    /// Why all is read anew, until that is told.
    anew: Option<Notice>,
    /// The torn tail that was reported last.
    torn: Option<(usize, u64)>,
}

impl LocalTail {
    /// A reader from the first line on.
    pub(super) fn new(
        layout: &Layout,
        key: &str,
        max_line_bytes: usize,
        damage: Damage,
    ) -> Result<Self> {
        if check_key(key).is_err() {
            return Err(layout.no_such_issue(key));
        }
        let days = Days::new(layout, key)?;
        if days.is_empty() {
            return Err(layout.no_such_issue(key));
        }
        Ok(Self {
            layout: layout.clone(),
            key: key.to_owned(),
            max_line: max_line_bytes as u64,
            damage,
            days,
            segments: Segments::default(),
            open: None,
            earlier: Earlier::default(),
            anew: None,
            torn: None,
        })
    }

    /// Goes past the first `bytes` of the log, which end with a line feed.
    pub(super) fn skip(&mut self, bytes: u64) -> Result<()> {
        let mut left = bytes;
        while left > 0 {
            let next = match &self.open {
                Some(open) => self.days.next_after(open.date)?,
                None => self.days.first()?,
            };
            let Some(date) = next else {
                let message = format!("the log of {} has fewer than {bytes} bytes", self.key);
                return Err(Error::new(ErrorKind::Integrity, message));
            };
            self.open_next(date)?;
            let Some(open) = &mut self.open else { break };
            let length = open.file.length().map_err(|e| open.failed(&e))?;
            open.advance(left.min(length))?;
            open.feeds = None;
            left = left.saturating_sub(length);
        }
        Ok(())
    }

    fn number(&self) -> usize {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        segments.dates.len().saturating_sub(1)
    }

    /// Forgets all that was read.
    fn start_anew(&mut self) -> Result<()> {
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        segments.dates.clear();
        segments.feeds.clear();
        segments.beginnings += 1;
        drop(segments);
        self.open = None;
        self.earlier = Earlier::default();
        self.torn = None;
        self.days = Days::new(&self.layout, &self.key)?;
        Ok(())
    }

    /// Opens the partition of `date` as the next one.
    fn open_next(&mut self, date: Date) -> Result<()> {
        self.layout.refuse_links(date, &self.key)?;
        let path = self.layout.events(date, &self.key);
        let file = Source::open_for(&self.layout, date, &self.key, self.damage)
            .map_err(|e| Error::io("open", &path, &e))?;
        let id = file.id().map_err(|e| Error::io("look at", &path, &e))?;
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        segments.dates.push(date);
        segments.feeds.push(Vec::new());
        let now =
            Open { date, file, id, offset: 0, scanned: 0, anchor: Vec::new(), feeds: Some(0) };
        if let Some(read) = self.open.replace(now) {
            self.earlier.add(read.date, &read.file, read.offset);
        }
        Ok(())
    }

    /// What became of the file being read, and its length now.
    fn check(&self, open: &Open) -> Result<(u64, Option<Notice>)> {
        let path = open.file.path();
        let (length, id) = match fs::metadata(path) {
            Ok(there) if open.file.is_archived() => {
                (open.file.length().map_err(|e| open.failed(&e))?, FileId::of(&there))
            }
            Ok(there) => (there.len(), FileId::of(&there)),
            // It was archived or restored meanwhile: what is open here stays what it was.
            Err(error) if is_absent(&error) && self.layout.has(open.date, &self.key) => {
                (open.file.length().map_err(|e| open.failed(&e))?, open.id)
            }
            Err(error) => return Err(Error::io("look at", path, &error)),
        };
        if id != open.id {
            let detail = format!("{} is another file now", path.display());
            return Ok((length, Some(Notice::Replaced { detail })));
        }
        if length < open.offset {
            let detail =
                format!("{} has {length} bytes, {} of it were read", path.display(), open.offset);
            return Ok((length, Some(Notice::Truncated { detail })));
        }
        Ok((length, None))
    }

    /// What became of the partitions before the open one.
    fn look_back(&mut self) -> Option<Notice> {
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        let doubted = std::mem::take(&mut segments.doubted);
        drop(segments);
        self.earlier.look(&self.layout, &self.key, doubted)
    }

    /// Reads lines of the open partition, of which `length` bytes are there.
    fn read(&mut self, chunk: &mut Chunk, length: u64, limit: usize) -> Result<Option<Notice>> {
        let segment = u32::try_from(self.number()).unwrap_or(u32::MAX);
        let max_line = self.max_line;
        let Some(open) = &mut self.open else { return Ok(None) };
        // A torn tail that was cut: what was seen of it counts no more.
        if length < open.scanned {
            open.scanned = open.offset;
        }
        if open.scanned == length {
            return Ok(None);
        }
        if !open.is_as_before()? {
            let detail = format!("{} was written anew", open.file.path().display());
            return Ok(Some(Notice::Replaced { detail }));
        }
        let Some(end) = open.find_lines(length, limit.max(1) as u64)? else { return Ok(None) };
        let from = open.offset;
        if end - 1 - from > max_line.max(limit as u64) {
            // One line, longer than may be read: only its beginning is.
            let head = from + (LONG_LINE_HEAD as u64).min(end - 1 - from);
            chunk.bytes = open.read_range(from, head)?;
            open.feeds = open.feeds.map(|feeds| feeds + 1);
            chunk.lines.push(Line {
                locator: locator(segment, from, end - 1 - from),
                range: 0..chunk.bytes.len(),
                too_long: true,
            });
        } else {
            chunk.bytes = open.read_range(from, end)?;
            let feeds = split(&chunk.bytes, from, segment, max_line, &mut chunk.lines);
            open.feeds = open.feeds.map(|before| before + feeds);
        }
        open.advance(end)?;
        if let Some(feeds) = open.feeds {
            let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = segments.feeds.last_mut()
                && known.last().is_none_or(|(at, _)| end - at >= COUNTED)
            {
                known.push((end, feeds));
            }
        }
        Ok(None)
    }
}

fn locator(segment: u32, offset: u64, length: u64) -> Locator {
    Locator { segment, offset, len: u32::try_from(length).unwrap_or(u32::MAX) }
}

/// The lines of `bytes`, which end with a line feed; blank ones are left out. Gives how many line
/// feeds there are.
fn split(bytes: &[u8], from: u64, segment: u32, max_line: u64, lines: &mut Vec<Line>) -> u64 {
    let (mut start, mut feeds) = (0, 0);
    for feed in memchr::memchr_iter(b'\n', bytes) {
        feeds += 1;
        let range: Range<usize> = start..feed;
        start = feed + 1;
        if bytes[range.clone()].iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let locator = locator(segment, from + range.start as u64, range.len() as u64);
        let too_long = range.len() as u64 > max_line;
        let end = if too_long { range.start + LONG_LINE_HEAD } else { range.end };
        lines.push(Line { locator, range: range.start..end.min(range.end), too_long });
    }
    feeds
}

impl Tail for LocalTail {
    fn poll(&mut self, limit: usize) -> Result<Chunk> {
        let mut chunk = self.read_on(limit)?;
        // (Told with what is read: an error in between must not swallow it.)
        chunk.notices.splice(..0, self.anew.take());
        self.earlier.followed |= chunk.at_end;
        Ok(chunk)
    }

    fn end(&self, bytes: usize) -> Result<Chunk> {
        let mut chunk = Chunk::default();
        let Some(date) = self.layout.partitions(&self.key)?.into_iter().max() else {
            return Ok(chunk);
        };
        self.layout.refuse_links(date, &self.key)?;
        let failed = |e| Error::io("read", &self.layout.events(date, &self.key), &e);
        let file = Source::open(&self.layout, date, &self.key).map_err(failed)?;
        let length = file.length().map_err(failed)?;
        let from = length.saturating_sub(bytes as u64);
        let mut read = read_range(&file, from, length).map_err(failed)?;
        // Whole lines alone: what is before the first line feed and behind the last is not.
        read.truncate(memchr::memrchr(b'\n', &read).map_or(0, |feed| feed + 1));
        let first = if from == 0 { 0 } else { memchr::memchr(b'\n', &read).map_or(0, |at| at + 1) };
        chunk.bytes = read.split_off(first.min(read.len()));
        split(&chunk.bytes, from + first as u64, 0, self.max_line, &mut chunk.lines);
        Ok(chunk)
    }

    fn fetcher(&self) -> Box<dyn Fetch> {
        let segments = Arc::clone(&self.segments);
        Box::new(LocalFetch::new(&self.layout, &self.key, segments, self.damage))
    }

    fn remaining(&self) -> u64 {
        let length = |date| self.layout.length(date, &self.key).unwrap_or(0);
        let dates = self.layout.partitions(&self.key).unwrap_or_default();
        match &self.open {
            Some(open) => {
                let later: u64 = dates.into_iter().filter(|d| *d > open.date).map(length).sum();
                later + length(open.date).saturating_sub(open.offset)
            }
            None => dates.into_iter().map(length).sum(),
        }
    }
}

impl LocalTail {
    /// Goes on to the next lines, wherever they stand.
    fn read_on(&mut self, limit: usize) -> Result<Chunk> {
        let mut chunk = Chunk::default();
        loop {
            if let Some(open) = &self.open {
                // Whether the log goes on elsewhere is asked first: when it does, what is read
                // here afterwards is all that there will be.
                let next = self.days.next_after(open.date)?;
                let (length, notice) = self.check(open)?;
                let notice = match notice.or_else(|| self.look_back()) {
                    None => self.read(&mut chunk, length, limit)?,
                    some => some,
                };
                if let Some(notice) = notice {
                    chunk = Chunk::default();
                    self.anew = Some(notice);
                    self.start_anew()?;
                    continue;
                }
                if !chunk.lines.is_empty() {
                    chunk.at_end = next.is_none() && self.is_read_to(length);
                    if chunk.at_end {
                        self.report_torn(&mut chunk, length);
                    }
                    return Ok(chunk);
                }
                if !self.is_read_to(length) {
                    // Only blank lines were read.
                    continue;
                }
                self.report_torn(&mut chunk, length);
                let Some(date) = next else {
                    chunk.at_end = true;
                    return Ok(chunk);
                };
                self.open_next(date)?;
                chunk.notices.push(Notice::Rotated { partition: date.as_str().to_owned() });
            } else {
                let Some(date) = self.days.first()? else {
                    let path = self.layout.root().join("*").join(&self.key);
                    return Err(Error::io("read", &path, &io::ErrorKind::NotFound.into()));
                };
                self.open_next(date)?;
            }
        }
    }

    /// Whether all `length` bytes of the open partition were given out or hold no line feed.
    fn is_read_to(&self, length: u64) -> bool {
        self.open.as_ref().is_some_and(|open| open.scanned >= length)
    }

    /// Reports bytes after the last line feed, once for each length they have.
    fn report_torn(&mut self, chunk: &mut Chunk, length: u64) {
        let Some(open) = &self.open else { return };
        let bytes = length.saturating_sub(open.offset);
        let seen = (bytes > 0).then(|| (self.number(), length));
        if bytes > 0 && seen != self.torn {
            chunk.notices.push(Notice::TornTail { bytes });
        }
        self.torn = seen;
    }
}
