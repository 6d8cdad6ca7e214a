//! What follows an append without being part of it: syncs that were put off, and the derived
//! files that are refreshed now and then.
//!
//! Lives here: [`LocalStore::sync_pending`], [`LocalStore::refresh_derived`] and the rhythm of the refreshing. May not live here:
//! the content of the derived files (see [`super::derived`]).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::LocalStore;
use super::commit::{Commit, Folders};
use super::global::Fresh;
use super::head::Locked;
use super::ids::{self, Found};
use super::io::{FileId, Site, fingerprint, private, sync_data};
use super::layout::Date;
use super::plan::Plan;
use super::record::Place;
use super::summary::Summary;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Acknowledgement, Durability};

/// A partition's summary is refreshed after so many events.
const METADATA_EVERY: u64 = 32;
/// A day's summary is refreshed after so many events of one issue.
const INDEX_EVERY: u64 = 256;
/// How many partitions are synced at the same time.
const SYNCS_AT_ONCE: usize = 8;
/// The types after which an issue tends to rest.
const ENDS: &[&str] = &["OrchestrationCompleted", "OrchestrationFailed", "OrchestrationCancelled"];

/// Whether an event of this type ends an orchestration.
#[must_use]
pub fn ends_orchestration(event_type: &str) -> bool {
    ENDS.contains(&event_type)
}

/// The end of an issue's log after an append.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogEnd {
    pub(super) place: Place,
    /// Which file the partition is.
    pub(super) file: FileId,
    /// The sequence number of the last event.
    pub(super) sequence: u64,
}

impl LocalStore {
    /// Makes durable what was appended with [`Durability::Deferred`], each folder once, and
    /// publishes it to the global log.
    ///
    /// # Errors
    /// Unavailable, when something cannot be synced; it can be called again.
    pub fn sync_pending(&self, lock_timeout: Duration) -> Result<()> {
        let work: Vec<(String, LogEnd)> =
            self.pending().unsynced.iter().map(|(key, end)| (key.clone(), *end)).collect();
        let folders = Folders::default();
        let next = AtomicUsize::new(0);
        // Several at a time, for the device can then take them together.
        let sync_some = || {
            let take = || work.get(next.fetch_add(1, Ordering::Relaxed));
            let one = |(key, end): &(String, LogEnd)| {
                self.commit_issue(key, *end, lock_timeout, &folders)?;
                self.pending().unsynced.remove(key);
                Ok(())
            };
            std::iter::from_fn(|| take().map(one)).collect::<Result<()>>()
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> =
                (1..SYNCS_AT_ONCE.min(work.len())).map(|_| scope.spawn(sync_some)).collect();
            let mut outcome = sync_some();
            for worker in workers {
                let died = |_| Err(Error::internal("a thread that syncs partitions ended early"));
                outcome = outcome.and(worker.join().unwrap_or_else(died));
            }
            outcome
        })
    }

    fn commit_issue(
        &self,
        key: &str,
        end: LogEnd,
        timeout: Duration,
        folders: &Folders,
    ) -> Result<()> {
        let layout = &self.layout;
        let lock = layout.issue_lock(key);
        let opened = private().read(true).write(true).open(&lock);
        let lock = &opened.map_err(|e| Error::io("open", &lock, &e))?;
        let path = layout.events(end.place.date, key);
        let opened = private().read(true).write(true).open(&path);
        let file = &opened.map_err(|e| Error::io("open", &path, &e))?;
        let (after, sequence) = (end.place, end.sequence);
        let fresh = Fresh { key, lock, before: None, after, sequence, bytes: &[] };
        let (id, complaint) = (end.file, &self.complaint);
        Commit { layout, fresh, file, id, timeout, folders, complaint }.run()
    }

    /// Catches up the derived files of what was appended with [`Durability::Deferred`]: summaries
    /// and id indexes. They are checked by who reads them, and are not worth a sync each.
    ///
    /// # Errors
    /// Unavailable, when a log cannot be read or a file not be written.
    pub fn refresh_derived(&self) -> Result<()> {
        let stale = std::mem::take(&mut self.pending().stale);
        let mut days: BTreeMap<Date, BTreeMap<String, Summary>> = BTreeMap::new();
        for (key, dates) in &stale {
            if let Some(end) = ids::end_of(&self.layout, key)? {
                ids::extend(&self.layout, key, end)?;
            }
            for date in dates {
                let summary = self.refresh_metadata(key, *date, false)?;
                days.entry(*date).or_default().insert(key.clone(), summary);
            }
        }
        for (date, fresh) in days {
            let mut issues = self.kept_index(date)?.map(|day| day.issues).unwrap_or_default();
            issues.extend(fresh);
            self.write_index(date, issues, false)?;
        }
        self.pending().ids.clear();
        Ok(())
    }

    /// Publishes the durable lines of every issue that are not in the global log yet, as readers
    /// of that log want it.
    ///
    /// # Errors
    /// Unavailable, when something cannot be read, synced or written.
    pub fn publish_all(&self, lock_timeout: Duration) -> Result<()> {
        let folders = Folders::default();
        for key in self.keys()? {
            let published = self.durable_then(&key, lock_timeout, &folders, |fresh| {
                super::global::publish(&self.layout, lock_timeout, fresh)
            });
            match published {
                // What is damaged does not hold up the others.
                Err(error) if error.kind() == ErrorKind::Integrity => {
                    self.complaint.hear(Err(error));
                }
                other => other?,
            }
        }
        Ok(())
    }

    /// Makes all of an issue's log durable that is there now.
    pub(super) fn make_durable(&self, key: &str, timeout: Duration, done: &Folders) -> Result<()> {
        match self.durable_then(key, timeout, done, |_| Ok(())) {
            // Nothing is appended to a damaged log; what is there of it can be made durable.
            Err(error) if error.kind() == ErrorKind::Integrity => self.sync_as_it_is(key),
            other => other,
        }
    }

    fn sync_as_it_is(&self, key: &str) -> Result<()> {
        for date in self.layout.partitions(key)? {
            let path = self.layout.events(date, key);
            let file = private().read(true).open(&path);
            let file = file.map_err(|e| Error::io("open", &path, &e))?;
            sync_data(&file, Site::EarlierLog).map_err(|e| Error::io("sync", &path, &e))?;
        }
        Ok(())
    }

    fn durable_then(
        &self,
        key: &str,
        timeout: Duration,
        folders: &Folders,
        then: impl FnOnce(&Fresh<'_>) -> Result<()>,
    ) -> Result<()> {
        let layout = &self.layout;
        let log = Locked::take(layout, key, timeout)?;
        let _ = log.lock.unlock();
        let (Some(after), Some(file)) = (log.head.end, &log.file) else { return Ok(()) };
        let (lock, sequence) = (&log.lock, log.head.sequence);
        let fresh = Fresh { key, lock, before: None, after, sequence, bytes: &[] };
        let (id, complaint) = (log.head.file, &self.complaint);
        Commit { layout, fresh, file, id, timeout, folders, complaint }.run()?;
        then(&fresh)
    }

    /// Remembers what must be synced, and on which days something was written.
    pub(super) fn defer(&self, key: &str, end: LogEnd, dates: impl Iterator<Item = Date>) {
        let mut pending = self.pending();
        pending.unsynced.insert(key.to_owned(), end);
        pending.stale.entry(key.to_owned()).or_default().extend(dates);
    }

    /// Finds ids by a cache in memory, which pays when much is appended.
    pub(super) fn find_cached(&self, log: &Locked<'_>, wanted: &[&str]) -> Result<Found> {
        let mut cache = self.pending().ids.remove(log.key).unwrap_or_default();
        let found = cache.find(&self.layout, log, wanted);
        self.pending().ids.insert(log.key.to_owned(), cache);
        found
    }

    /// Tells the cache of ids what was appended.
    pub(super) fn note_ids(
        &self,
        log: &Locked<'_>,
        before: Option<Place>,
        plan: &Plan,
        durability: Durability,
    ) {
        if durability != Durability::Deferred {
            return;
        }
        let mut pending = self.pending();
        let cache = pending.ids.entry(log.key.to_owned()).or_default();
        let mut groups = plan.groups.iter().peekable();
        let ids = plan.lines.iter().map(|(start, answer)| {
            while groups.peek().is_some_and(|(_, range)| range.end <= *start) {
                groups.next();
            }
            let place = groups.peek().map(|(date, range)| {
                let base = before.filter(|p| p.date == *date).map_or(0, |p| p.offset);
                Place { date: *date, offset: base + (*start - range.start) as u64 }
            });
            (fingerprint(plan.answers[*answer].event_id.as_bytes()), place)
        });
        let ids = ids.filter_map(|(hash, place)| Some((hash, place?)));
        cache.add(before, ids, log.head.end);
    }

    /// Refreshes derived files where an append makes it due.
    pub(super) fn upkeep(
        &self,
        key: &str,
        (start, before): (Option<Place>, u64),
        answers: &[Acknowledgement],
        end: Place,
        durability: Durability,
    ) {
        if durability == Durability::Deferred {
            return;
        }
        let fresh = || answers.iter().filter(|a| !a.duplicate);
        let Some(last) = fresh().next_back() else { return };
        let after = last.event_sequence;
        let every = |n: u64| before / n != after / n;
        let ended = fresh().any(|a| ends_orchestration(&a.event_type));
        let first = start.is_none_or(|p| p.date != end.date);
        let due = ended || first || every(METADATA_EVERY);
        if !due {
            return;
        }
        // These files are derived: a reader that finds them old or absent reads the log itself.
        let durable = durability == Durability::Sync;
        let _ = self.refresh_metadata(key, end.date, durable);
        if ended || first || every(INDEX_EVERY) {
            let _ = self.refresh_index(key, end.date, durable);
        }
        let _ = ids::extend(&self.layout, key, end);
    }
}
