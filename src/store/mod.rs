//! The event store: an append-only log per issue, behind a trait of plain types.
//!
//! Lives here: [`EventStore`] and the types it speaks in. May not live here: paths, terminals, or
//! what events mean. [`local`] is the implementation on a file system.

pub mod local;
pub mod memory;
pub mod snapshot;

use std::ops::Range;

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::model::Timestamp;
use crate::schema::{Draft, Stamp};

/// A log of events per issue.
pub trait EventStore: Send + Sync {
    /// Appends all drafts of a batch, or none; returns when they are as durable as asked.
    ///
    /// # Errors
    /// Conflict (expected sequence, reused id), integrity (a damaged log), unavailable (lock, I/O).
    fn append(&self, batch: &Batch, options: &AppendOptions) -> Result<Vec<Acknowledgement>>;

    /// The issues that have a log, with what is known without reading it, newest activity first.
    ///
    /// # Errors
    /// Unavailable, when the store cannot be read.
    fn issues(&self) -> Result<Vec<IssueEntry>>;

    /// A reader of one issue's log from its first line on, that can go on when the log grows.
    ///
    /// # Errors
    /// Not found, when there is no such issue; unavailable, when it cannot be read.
    fn tail(&self, issue_key: &str) -> Result<Box<dyn Tail>>;

    /// A reader of an issue's log behind its first `bytes`, which end with a line feed: for those
    /// who know what stands before.
    ///
    /// # Errors
    /// Not found, when there is no such issue; integrity, when the log is shorter; unavailable,
    /// when it cannot be read.
    fn tail_after(&self, issue_key: &str, bytes: u64) -> Result<Box<dyn Tail>>;

    /// The folders whose changes hint at new events of an issue (or of any); empty when the store
    /// can only be asked. The answer changes as the log grows.
    fn watch_folders(&self, issue_key: Option<&str>) -> Vec<std::path::PathBuf>;

    /// The newest snapshot of an issue at or before `position` that has the versions asked for;
    /// whether the log bears it out is looked at, but not proven.
    ///
    /// # Errors
    /// Unavailable, when it cannot be read.
    fn snapshot(
        &self,
        issue_key: &str,
        position: u64,
        versions: snapshot::Versions,
    ) -> Result<Option<snapshot::Snapshot>>;

    /// Why the log is not (or no longer) what these stand for, the earliest first; none when it is.
    /// The log is read up to the last one.
    ///
    /// # Errors
    /// Unavailable, when the log cannot be read.
    fn check_anchors(
        &self,
        issue_key: &str,
        anchors: &[snapshot::LogAnchor],
    ) -> Result<Option<String>>;

    /// Keeps a snapshot and gives the name under which it is kept.
    ///
    /// # Errors
    /// Unavailable, when it cannot be written.
    fn keep_snapshot(&self, snapshot: &snapshot::Snapshot) -> Result<String>;
}

/// Drafts for one issue, to be appended together.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The issue that all drafts name.
    pub issue_key: String,
    /// The drafts, in the order in which they happened.
    pub drafts: Vec<Draft>,
}

/// How to append.
#[derive(Debug, Clone)]
pub struct AppendOptions {
    /// The head that the caller believes in (0 for an empty log); none to accept any.
    pub expected_sequence: Option<u64>,
    /// How long to wait for the issue's lock.
    pub lock_timeout: std::time::Duration,
    /// When an append counts as done.
    pub durability: Durability,
    /// The commit and branch of the repository at hand, for drafts that name none.
    pub git: Option<GitHead>,
}

/// The error for an expected head that is not the head.
pub(crate) fn head_conflict(issue_key: &str, expected: u64, actual: u64) -> Error {
    let message = format!("expected the head of {issue_key} at {expected}, but it is at {actual}");
    Error::new(ErrorKind::Conflict, message)
        .with_hint("read what was appended since, decide again, and expect the new head")
        .with_details(serde_json::json!({ "expected": expected, "actual": actual }))
}

/// The error for an id that stands for another event already.
pub(crate) fn reused_id(id: &str, sequence: u64) -> Error {
    let message =
        format!("the event id {id} is already that of event {sequence}, which has other content");
    Error::new(ErrorKind::Conflict, message)
        .with_hint("an id is used again only to retry the very same event")
        .with_details(serde_json::json!({ "event_id": id, "event_sequence": sequence }))
}

impl AppendOptions {
    /// The stamps of an event, with the repository that these options name.
    #[must_use]
    pub fn stamp<'a>(
        &'a self,
        event_id: &'a str,
        timestamp: Timestamp,
        sequence: u64,
    ) -> Stamp<'a> {
        let git = self.git.as_ref();
        Stamp {
            event_id,
            timestamp,
            sequence,
            git_sha: git.map(|head| head.sha.as_str()),
            branch: git.and_then(|head| head.branch.as_deref()),
        }
    }
}

impl Default for AppendOptions {
    fn default() -> Self {
        Self {
            expected_sequence: None,
            lock_timeout: std::time::Duration::from_secs(10),
            durability: Durability::Sync,
            git: None,
        }
    }
}

/// When an append counts as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// When the storage device has it.
    Sync,
    /// When the operating system has it: a power cut may take it back.
    Os,
    /// When the operating system has it, and the caller will call
    /// `LocalStore::sync_pending` before telling anybody.
    Deferred,
}

/// Where a repository stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitHead {
    /// The commit's hash.
    pub sha: String,
    /// The branch; none when detached.
    pub branch: Option<String>,
}

/// What the store says about one stored event, in the order of the printed keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Acknowledgement {
    /// The event's id.
    pub event_id: String,
    /// Its type.
    pub event_type: String,
    /// Its place in the issue's log, from 1.
    pub event_sequence: u64,
    /// The issue.
    pub issue_key: String,
    /// The session.
    pub session_id: String,
    /// Its time.
    pub timestamp: Timestamp,
    /// The day's folder it stands in.
    pub partition: String,
    /// Whether it was there already.
    pub duplicate: bool,
    /// `os` when it was asked for; a synced append says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub durability: Option<&'static str>,
}

/// An issue as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueEntry {
    /// The issue.
    pub issue_key: String,
    /// The size of its log in bytes.
    pub bytes: u64,
    /// When its log was last written.
    pub modified: Timestamp,
}

/// Where a line stands in an issue's log. Only the store that gave it can read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Locator {
    /// Which part of the log (a day's partition, counted from 0).
    pub segment: u32,
    /// How many bytes it has.
    pub len: u32,
    /// Where it begins in its part.
    pub offset: u64,
}

impl Locator {
    /// The locator of a part of this line.
    #[must_use]
    pub fn part(self, range: &Range<usize>) -> Self {
        Self {
            offset: self.offset + range.start as u64,
            len: u32::try_from(range.len()).unwrap_or(u32::MAX),
            ..self
        }
    }
}

/// A reader that follows one issue's log.
pub trait Tail: Send {
    /// Reads on, up to about `limit` bytes (at least one line). An empty chunk that says
    /// `at_end` means that there is nothing new; the work is proportional to what is new.
    ///
    /// # Errors
    /// Unavailable, when the log cannot be read; the next call may succeed.
    fn poll(&mut self, limit: usize) -> Result<Chunk>;

    /// The last lines of the log as it is now, from at most so many bytes, wherever this reader
    /// stands; their locators mean nothing. None where that would cost more than reading on.
    ///
    /// # Errors
    /// Unavailable, when they cannot be read.
    fn end(&self, bytes: usize) -> Result<Chunk> {
        let _ = bytes;
        Ok(Chunk::default())
    }

    /// Something that reads lines again by their locators, usable on another thread.
    fn fetcher(&self) -> Box<dyn Fetch>;

    /// How many bytes of the log are not read yet, as of now.
    fn remaining(&self) -> u64;
}

/// Reads lines again.
pub trait Fetch: Send {
    /// The bytes at `locator`, as far as they are there.
    ///
    /// # Errors
    /// Unavailable, when they cannot be read; integrity, when the log no longer reaches so far.
    fn fetch(&mut self, locator: Locator) -> Result<Vec<u8>>;

    /// The bytes from the beginning of `first` to the end of `last`, which stand in one segment.
    ///
    /// # Errors
    /// As [`Fetch::fetch`].
    fn fetch_range(&mut self, first: Locator, last: Locator) -> Result<Vec<u8>>;

    /// The file and the line number (from 1) of a locator, for messages.
    fn describe(&mut self, locator: Locator) -> String;
}

/// Lines as they stand in the log.
#[derive(Debug, Clone, Default)]
pub struct Chunk {
    /// The bytes that the lines' ranges point into.
    pub bytes: Vec<u8>,
    /// The lines, without their line feeds; blank ones are left out.
    pub lines: Vec<Line>,
    /// What happened to the log since the last call, before these lines.
    pub notices: Vec<Notice>,
    /// Whether the end of the log was reached.
    pub at_end: bool,
}

/// One line of a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it stands in the log.
    pub locator: Locator,
    /// Where it stands in [`Chunk::bytes`]. Of a line over the limit only the beginning.
    pub range: Range<usize>,
    /// Whether it is longer than the limit.
    pub too_long: bool,
}

/// What happened to a log that is being followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A new part began.
    Rotated {
        /// Its name (the day).
        partition: String,
    },
    /// The log became shorter: everything read before is void, and this chunk begins anew.
    Truncated {
        /// The file, and its lengths before and now.
        detail: String,
    },
    /// The file is another one: everything read before is void, and this chunk begins anew.
    Replaced {
        /// The file.
        detail: String,
    },
    /// There are bytes after the last line feed; they are no event yet.
    TornTail {
        /// How many.
        bytes: u64,
    },
}

impl Notice {
    /// Whether everything read before is void.
    #[must_use]
    pub fn starts_anew(&self) -> bool {
        matches!(self, Self::Truncated { .. } | Self::Replaced { .. })
    }
}
