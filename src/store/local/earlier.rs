//! The partitions of a log that were read to their end: whether they still are what was read.
//!
//! Lives here: [`Earlier`], which looks at them now and then. May not live here: the partition being
//! read (see [`super::tail`]), or what follows from another log.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::io::{FileId, is_absent};
use super::layout::{Date, Layout};
use super::source::Source;
use crate::store::Notice;

/// How long they are left alone after a look. Nothing is written to them any more, so that nobody is
/// in a hurry.
const AGAIN: Duration = Duration::from_millis(500);
/// How many are looked at then at most: a log can have hundreds, and each is a look at the disk.
const AT_ONCE: usize = 64;

/// The partitions before the one being read.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    parts: Vec<Part>,
    /// The one to be looked at next.
    next: usize,
    /// When was looked last.
    looked: Option<Instant>,
    /// Whether the log is followed: who reads it once to its end has no use for this.
    pub(super) followed: bool,
}

#[derive(Debug)]
struct Part {
    date: Date,
    path: PathBuf,
    id: FileId,
    /// How many bytes of events were read.
    read: u64,
    /// How long the file is at least as long as nobody cut what was read.
    least: u64,
    /// How long it is.
    length: u64,
}

impl Earlier {
    /// Takes a partition in of which so many bytes were read.
    pub(super) fn add(&mut self, date: Date, file: &Source, read: u64) {
        // (One that the system does not know any more will be another when it is looked at.)
        self.parts.extend(Part::of(date, file, read).ok());
    }

    /// What became of one of them, as far as that is seen now. All are looked at where there is
    /// reason for doubt.
    pub(super) fn look(&mut self, layout: &Layout, key: &str, doubted: bool) -> Option<Notice> {
        let recent = self.looked.is_some_and(|at| at.elapsed() < AGAIN);
        if !self.followed || (recent && !doubted) {
            return None;
        }
        self.looked = Some(Instant::now());
        let count = if doubted { self.parts.len() } else { self.parts.len().min(AT_ONCE) };
        for _ in 0..count {
            self.next = (self.next + 1) % self.parts.len();
            if let Some(notice) = self.parts.get_mut(self.next)?.look(layout, key) {
                return Some(notice);
            }
        }
        None
    }
}

impl Part {
    fn of(date: Date, file: &Source, read: u64) -> io::Result<Self> {
        let (path, there) = (file.path().to_owned(), file.metadata()?);
        let length = there.len();
        let least = if file.is_archived() { length } else { read };
        Ok(Self { date, path, id: FileId::of(&there), read, least, length })
    }

    fn look(&mut self, layout: &Layout, key: &str) -> Option<Notice> {
        let path = self.path.display();
        match fs::metadata(&self.path) {
            Ok(there) if FileId::of(&there) != self.id => {
                Some(Notice::Replaced { detail: format!("{path} is another file now") })
            }
            Ok(there) if there.len() < self.least => Some(self.cut(there.len())),
            // Nobody appends to it any more.
            Ok(there) if there.len() > self.length => {
                Some(Notice::Replaced { detail: format!("{path} was written anew") })
            }
            Ok(there) => {
                self.length = there.len();
                None
            }
            Err(error) if is_absent(&error) => self.look_elsewhere(layout, key),
            // What cannot be looked at is told where something is read from it.
            Err(_) => None,
        }
    }

    /// Looks for what was archived or restored meanwhile.
    fn look_elsewhere(&mut self, layout: &Layout, key: &str) -> Option<Notice> {
        layout.refuse_links(self.date, key).ok()?;
        match Source::open(layout, self.date, key) {
            Ok(file) => {
                let length = file.length().ok()?;
                if length < self.read {
                    return Some(self.cut(length));
                }
                *self = Self::of(self.date, &file, self.read).ok()?;
                None
            }
            Err(error) if is_absent(&error) => {
                Some(Notice::Replaced { detail: format!("{} is gone", self.path.display()) })
            }
            Err(_) => None,
        }
    }

    fn cut(&self, length: u64) -> Notice {
        let (path, least) = (self.path.display(), self.least);
        Notice::Truncated { detail: format!("{path} has {length} bytes, {least} of it were read") }
    }
}
