//! Noticing a new partition of an issue with a few looks instead of a listing.
//!
//! Lives here: [`Days`]. May not live here: reading events.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use super::io::FileId;
use super::layout::{Date, Layout};
use crate::error::Result;

/// Two changes within one tick of the file system's clock look like one, so for this long after
/// a change nothing that was seen is relied upon.
const UNSETTLED: Duration = Duration::from_millis(50);

/// The days on which an issue has events.
///
/// A new day changes the events folder; a new issue on an old day changes that day's folder, and
/// whoever appends with a lock changes the lock file. While none of the three changed, there is
/// no new partition.
#[derive(Debug)]
pub(super) struct Days {
    layout: Layout,
    key: String,
    root: Watched,
    last_day: Watched,
    lock: Watched,
    /// All days of the store.
    dates: Vec<Date>,
    /// The day that was asked about last, and the issue's next one.
    known: Option<(Date, Option<Date>)>,
    /// The issue's first day as it was found here, until it is asked for: whoever asks again had
    /// no luck with it, and gets a fresh look.
    first: Option<Date>,
}

impl Days {
    /// Looks for the issue's days.
    pub(super) fn new(layout: &Layout, key: &str) -> Result<Self> {
        Ok(Self {
            layout: layout.clone(),
            key: key.to_owned(),
            root: Watched::new(layout.root().to_owned()),
            last_day: Watched::new(PathBuf::new()),
            lock: Watched::new(layout.issue_lock(key)),
            dates: Vec::new(),
            known: None,
            first: layout.first_partition(key)?,
        })
    }

    /// Whether the issue had no day at all.
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// The issue's first day.
    pub(super) fn first(&mut self) -> Result<Option<Date>> {
        match self.first.take() {
            None => self.layout.first_partition(&self.key),
            known => Ok(known),
        }
    }

    /// The issue's first day after `date`.
    pub(super) fn next_after(&mut self, date: Date) -> Result<Option<Date>> {
        let root_changed = self.root.changed();
        if root_changed {
            self.dates = self.layout.dates()?;
            if let Some(last) = self.dates.last() {
                let day = self.layout.root().join(last.as_str());
                if day != self.last_day.path {
                    self.last_day = Watched::new(day);
                }
            }
        }
        // All three are asked, so that each remembers what it saw.
        let changed = self.last_day.changed() | self.lock.changed() | root_changed;
        match self.known {
            Some((asked, next)) if asked == date && !changed => Ok(next),
            _ => {
                // Only up to the first hit: each day is a look at the disk.
                let later = self.dates.iter().filter(|d| **d > date);
                let next = later.copied().find(|d| self.layout.has(*d, &self.key));
                self.known = Some((date, next));
                Ok(next)
            }
        }
    }
}

/// A file or folder, and what it looked like.
#[derive(Debug)]
struct Watched {
    path: PathBuf,
    seen: Option<(FileId, u64, Option<SystemTime>)>,
    /// When a change was noticed last; none before the first look.
    since: Option<Instant>,
}

impl Watched {
    fn new(path: PathBuf) -> Self {
        Self { path, seen: None, since: None }
    }

    /// Whether it may have changed since the last call.
    fn changed(&mut self) -> bool {
        let now =
            fs::metadata(&self.path).ok().map(|m| (FileId::of(&m), m.len(), m.modified().ok()));
        if self.since.is_none() || now != self.seen {
            self.seen = now;
            self.since = Some(Instant::now());
        }
        self.since.is_none_or(|since| since.elapsed() < UNSETTLED)
    }
}
