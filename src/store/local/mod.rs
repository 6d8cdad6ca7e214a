//! The event store on a file system: one append-only file per issue and day.
//!
//! Lives here: [`LocalStore`], which puts the parts together. May not live here: formats of
//! files (see the parts), or what events mean.
//!
//! The events in `{date}/{issue}/events.jsonl` are the only truth. Everything else in the store
//! is derived from them, or is a cache that is believed only where it fits.

mod alike;
mod anchors;
mod append;
mod archive;
mod commit;
mod derived;
mod doctor;
mod earlier;
mod fetch;
mod finding;
mod follow;
mod global;
mod handles;
mod head;
mod ids;
mod io;
mod journal;
mod layout;
mod lines;
mod lock;
mod lost;
mod plan;
mod prove;
mod ready;
mod rebuild;
mod record;
mod remake;
mod repair;
mod seekable;
mod snapshots;
mod source;
mod summary;
mod tail;
#[cfg(test)]
mod testing;
mod tlog;
mod upkeep;
mod verify;
mod watch;
mod watermark;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

pub use archive::{Archivable, Kept, Selection};
pub use derived::Stats;
pub use doctor::{Ailment, Diagnosis, Level};
pub use finding::{Finding, FindingKind, Report};
pub use journal::Journal;
pub use layout::{Date, Layout, is_store};
pub use lines::MAX_LINE_BYTES;
pub use rebuild::RebuildReport;
pub use remake::GlobalReport;
pub use repair::{Mend, RepairAction, Repaired};
pub use snapshots::SnapshotEntry;
pub use summary::{EventRef, Summary};
pub use tlog::{Anchored, InclusionProof, Signature, Signed};
pub use upkeep::ends_orchestration;
pub use verify::Anchor;

use super::snapshot::{LogAnchor, Snapshot, Versions};
use super::{Acknowledgement, AppendOptions, Batch, EventStore, IssueEntry, Tail};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::model::Timestamp;

/// The names of the syncs that a fault can leave out, for tests that leave out each.
#[cfg(debug_assertions)]
pub const SYNCS: &[&str] = io::SITES;

/// Tells the trace of a test what somebody was told by now; a release build keeps no trace.
pub fn note_told(text: &str) {
    io::mark(text);
}

/// A store in a folder.
#[derive(Debug)]
pub struct LocalStore {
    layout: Layout,
    clock: Clock,
    /// The longest line that is read as a whole.
    max_line_bytes: usize,
    /// What readers get of an archive that is damaged.
    damage: source::Damage,
    /// Whether snapshots are kept as plain text.
    plain_snapshots: bool,
    /// What was appended and not made durable yet.
    pending: Mutex<Pending>,
    /// What is open between two appends.
    handles: handles::Handles,
    /// What somebody has to be told, though what was asked for was done.
    complaint: Complaint,
}

/// What publishing found to be wrong with the store.
#[derive(Debug, Default)]
struct Complaint(Mutex<Option<Error>>);

impl Complaint {
    /// Hears how publishing ended. What could not be written now is caught up later; what is
    /// lost for good must be told.
    fn hear(&self, outcome: Result<()>) {
        if let Err(error) = outcome
            && error.kind() == crate::error::ErrorKind::Integrity
        {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
    }
}

/// What [`LocalStore::sync_pending`] and [`LocalStore::refresh_derived`] have to do.
#[derive(Debug, Default)]
struct Pending {
    /// What of each issue's log is to be made durable.
    unsynced: BTreeMap<String, upkeep::Unsynced>,
    /// The days of each issue whose derived files are behind, and their summaries as far as these
    /// were made already.
    stale: BTreeMap<String, BTreeMap<Date, Option<Summary>>>,
    /// The ids of the issues that are being imported.
    ids: BTreeMap<String, ids::IdCache>,
}

impl LocalStore {
    /// Opens the store in `dir` without making anything.
    ///
    /// # Errors
    /// Not found, when `dir` is no store.
    pub fn open(dir: impl Into<PathBuf>, clock: Clock) -> Result<Self> {
        let store = Self::at(dir, clock);
        if is_store(store.layout.root()) {
            return Ok(store);
        }
        let root = store.layout.root();
        if root.is_file() {
            let message = format!("{} is a file, not the folder of an event store", root.display());
            return Err(Error::not_found(message)
                .with_hint("--store takes the events folder: the one that holds the dates"));
        }
        let message = format!("there is no event store in {}", root.display());
        Err(Error::not_found(message).with_hint(
            "name one with --store, or make one with `chronoscope store init` or a first append",
        ))
    }

    /// Opens the store in `dir`, and makes it where there is none.
    ///
    /// # Errors
    /// Unavailable, when it cannot be made.
    pub fn create(dir: impl Into<PathBuf>, clock: Clock) -> Result<Self> {
        let store = Self::at(dir, clock);
        store.layout.create()?;
        note_told("a store");
        Ok(store)
    }

    /// A store in `dir` that comes into being with its first append.
    #[must_use]
    pub fn at(dir: impl Into<PathBuf>, clock: Clock) -> Self {
        Self {
            layout: Layout::new(dir),
            clock,
            max_line_bytes: MAX_LINE_BYTES,
            damage: source::Damage::Refuse,
            plain_snapshots: false,
            pending: Mutex::default(),
            handles: handles::Handles::default(),
            complaint: Complaint::default(),
        }
    }

    /// Reads past what is damaged of archives: NULs stand there, in lines that are no events. For who
    /// saves what is left, and says what is not.
    #[must_use]
    pub fn past_damage(self) -> Self {
        Self { damage: source::Damage::Blank, ..self }
    }

    /// Reads lines of up to `bytes` as a whole; at most [`MAX_LINE_BYTES`].
    #[must_use]
    pub fn with_max_line_bytes(mut self, bytes: usize) -> Self {
        self.max_line_bytes = bytes.clamp(1, MAX_LINE_BYTES);
        self
    }

    /// Keeps snapshots as plain text, or compressed.
    #[must_use]
    pub fn with_plain_snapshots(mut self, plain: bool) -> Self {
        self.plain_snapshots = plain;
        self
    }

    /// The events folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.layout.root()
    }

    /// Where everything stands.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The keys of all issues, sorted.
    ///
    /// # Errors
    /// Unavailable, when the store cannot be read.
    pub fn keys(&self) -> Result<Vec<String>> {
        let mut keys = BTreeSet::new();
        for date in self.layout.dates()? {
            keys.extend(self.layout.issues_on(date)?);
        }
        Ok(keys.into_iter().collect())
    }

    /// How many bytes of events a partition has, and when they were written: an archive does not
    /// tell, and is older than what follows it.
    fn size_and_time(&self, date: Date, key: &str) -> Result<(u64, Option<SystemTime>)> {
        match fs::metadata(self.layout.events(date, key)) {
            Ok(metadata) => Ok((metadata.len(), metadata.modified().ok())),
            Err(_) => Ok((self.layout.length(date, key)?, None)),
        }
    }

    /// Whether this process could write to the store, as far as that can be told without doing so.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        match fs::OpenOptions::new().write(true).open(self.layout.global_lock()) {
            Ok(_) => true,
            Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => {
                self.root().metadata().is_ok_and(|root| !root.permissions().readonly())
            }
            Err(_) => false,
        }
    }

    /// What is wrong with the store and was found on the way of what was asked for and done; each
    /// is told once.
    #[must_use]
    pub fn take_complaint(&self) -> Option<Error> {
        self.complaint.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, Pending> {
        // What is in there stays true when a thread that held it panicked: it only ever grows.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventStore for LocalStore {
    fn append(&self, batch: &Batch, options: &AppendOptions) -> Result<Vec<Acknowledgement>> {
        append::append(self, batch, options)
    }

    fn issues(&self) -> Result<Vec<IssueEntry>> {
        let mut entries = BTreeMap::<String, IssueEntry>::new();
        for date in self.layout.dates()? {
            for key in self.layout.issues_on(date)? {
                let (length, modified) = self.size_and_time(date, &key)?;
                let since = modified.and_then(|m| m.duration_since(std::time::UNIX_EPOCH).ok());
                let millis = since.and_then(|s| i64::try_from(s.as_millis()).ok());
                let modified = Timestamp::from_millis(millis.unwrap_or_default());
                let entry = entries.entry(key.clone()).or_insert(IssueEntry {
                    issue_key: key,
                    bytes: 0,
                    modified,
                });
                entry.bytes += length;
                entry.modified = entry.modified.max(modified);
            }
        }
        let mut entries: Vec<_> = entries.into_values().collect();
        entries.sort_by(|a, b| {
            b.modified.cmp(&a.modified).then_with(|| a.issue_key.cmp(&b.issue_key))
        });
        Ok(entries)
    }

    fn tail(&self, issue_key: &str) -> Result<Box<dyn Tail>> {
        let (layout, longest) = (&self.layout, self.max_line_bytes);
        Ok(Box::new(tail::LocalTail::new(layout, issue_key, longest, self.damage)?))
    }

    fn tail_after(&self, issue_key: &str, bytes: u64) -> Result<Box<dyn Tail>> {
        let (layout, longest) = (&self.layout, self.max_line_bytes);
        let mut tail = tail::LocalTail::new(layout, issue_key, longest, self.damage)?;
        tail.skip(bytes)?;
        Ok(Box::new(tail))
    }

    /// New days show in the events folder, new events of an issue in its last partition, those of
    /// any issue in the global log and in the last day's folder.
    fn watch_folders(&self, issue_key: Option<&str>) -> Vec<PathBuf> {
        let mut folders = vec![self.layout.root().to_owned()];
        match issue_key {
            Some(key) => {
                let dates = self.layout.partitions(key).unwrap_or_default();
                folders.extend(dates.last().map(|date| self.layout.partition(*date, key)));
            }
            None => {
                folders.extend(self.layout.global().parent().map(Path::to_owned));
                let dates = self.layout.dates().unwrap_or_default();
                let day = |date: &Date| self.layout.index(*date).parent().map(Path::to_owned);
                folders.extend(dates.last().and_then(day));
            }
        }
        folders.retain(|folder| folder.is_dir());
        folders
    }

    fn snapshot(
        &self,
        issue_key: &str,
        position: u64,
        versions: Versions,
    ) -> Result<Option<Snapshot>> {
        Ok(self.load_snapshot(issue_key, position, versions)?.0)
    }

    fn check_anchors(&self, issue_key: &str, anchors: &[LogAnchor]) -> Result<Option<String>> {
        self.unfit_anchor(issue_key, anchors)
    }

    fn keep_snapshot(&self, snapshot: &Snapshot) -> Result<String> {
        Ok(self.write_snapshot(snapshot)?.display().to_string())
    }
}
