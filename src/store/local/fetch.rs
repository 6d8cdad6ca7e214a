//! Reading lines again by where they stand.
//!
//! Lives here: [`LocalFetch`]. May not live here: following a log (see [`super::tail`]).

use std::sync::{Arc, PoisonError, RwLock};

use super::io::read_range;
use super::layout::{Date, Layout};
use super::lines::line_number_after;
use super::source::{Damage, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Fetch, Locator};

/// The days of a log's segments, shared with whoever follows the log.
pub(super) type Segments = Arc<RwLock<SegmentList>>;

/// The days of a log's segments, in order. It grows while the log is followed.
#[derive(Debug, Default)]
pub(super) struct SegmentList {
    pub(super) dates: Vec<Date>,
    /// For each segment how many line feeds stand before some of its bytes, in order: so that
    /// nobody counts from the beginning of a long file to name a line of it.
    pub(super) feeds: Vec<Vec<(u64, u64)>>,
    /// How often the log began anew: files opened before are not to be read any more.
    pub(super) beginnings: u64,
    /// Whether something that was read once could not be read again.
    pub(super) doubted: bool,
}

/// Reads lines of one issue's log again.
#[derive(Debug)]
pub(super) struct LocalFetch {
    segments: Segments,
    /// The segment read last, open: look-ups tend to stay near each other.
    open: Option<((u32, u64), Source)>,
    layout: Layout,
    key: String,
    damage: Damage,
}

impl LocalFetch {
    pub(super) fn new(layout: &Layout, key: &str, segments: Segments, damage: Damage) -> Self {
        Self { segments, open: None, layout: layout.clone(), key: key.to_owned(), damage }
    }

    fn file(&mut self, segment: u32) -> Result<&Source> {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        let name = (segment, segments.beginnings);
        if self.open.as_ref().is_none_or(|open| open.0 != name) {
            let date = segments.dates.get(segment as usize).copied();
            let date = date.ok_or_else(|| {
                Error::new(ErrorKind::Integrity, format!("the log has no part {segment} any more"))
            })?;
            drop(segments);
            let path = || self.layout.events(date, &self.key);
            let file = Source::open_for(&self.layout, date, &self.key, self.damage);
            self.open = Some((name, file.map_err(|e| Error::io("open", &path(), &e))?));
        }
        match &self.open {
            Some((_, file)) => Ok(file),
            None => Err(Error::internal("a file that was just opened is gone")),
        }
    }
}

impl LocalFetch {
    fn read_range(&mut self, first: Locator, last: Locator) -> Result<Vec<u8>> {
        let file = self.file(first.segment)?;
        let path = file.path();
        let end = last.offset + u64::from(last.len);
        let bytes = read_range(file, first.offset, end).map_err(|e| Error::io("read", path, &e))?;
        if bytes.len() as u64 == end.saturating_sub(first.offset) {
            return Ok(bytes);
        }
        let message = format!("{} no longer reaches to byte {end}", path.display());
        Err(Error::new(ErrorKind::Integrity, message).with_hint("run `chronoscope verify`"))
    }

    /// A byte at or before a line, and how many line feeds stand before that byte.
    fn feeds_before(&self, locator: Locator) -> (u64, u64) {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        let known = segments.feeds.get(locator.segment as usize).map_or(&[][..], Vec::as_slice);
        let before = known.partition_point(|(at, _)| *at <= locator.offset);
        before.checked_sub(1).and_then(|at| known.get(at)).copied().unwrap_or_default()
    }
}

impl Fetch for LocalFetch {
    fn fetch(&mut self, locator: Locator) -> Result<Vec<u8>> {
        self.fetch_range(locator, locator)
    }

    fn fetch_range(&mut self, first: Locator, last: Locator) -> Result<Vec<u8>> {
        let read = self.read_range(first, last);
        if read.is_err() {
            // Who follows the log should look what became of it.
            self.segments.write().unwrap_or_else(PoisonError::into_inner).doubted = true;
        }
        read
    }

    fn describe(&mut self, locator: Locator) -> String {
        let known = self.feeds_before(locator);
        match self.file(locator.segment) {
            Ok(file) => match line_number_after(file, file.path(), known, locator.offset) {
                Ok(number) => format!("{}:{number}", file.path().display()),
                Err(_) => file.path().display().to_string(),
            },
            Err(_) => format!("part {} at byte {}", locator.segment, locator.offset),
        }
    }
}
