//! What follows an append without being part of it: syncs that were put off, and the derived
//! files that are refreshed now and then.
//!
//! Lives here: [`LocalStore::sync_pending`], [`LocalStore::refresh_derived`] and the rhythm of the refreshing. May not live here:
//! the content of the derived files (see [`super::derived`]).

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::LocalStore;
use super::commit::{Commit, Folders};
use super::global::Fresh;
use super::handles::{IssueFiles, OpenLog};
use super::head::{Locked, open_partition};
use super::ids::{self, Found};
use super::io::{FileId, Site, fingerprint, private, sync_data};
use super::layout::Date;
use super::lock::{Attempt, Contest};
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
/// Of how many issues, and how much of each, what was appended is held until it is published.
const HELD_ISSUES: usize = 64;
const HELD_BYTES: usize = 256 << 10;
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

/// What of an issue's log is to be made durable, and published.
#[derive(Debug)]
pub(super) struct Unsynced {
    /// The end before all of it.
    before: Option<Place>,
    end: LogEnd,
    /// The bytes between the two; empty where they are to be read from the log.
    bytes: Vec<u8>,
}

impl LocalStore {
    /// Makes durable what was appended with [`Durability::Deferred`], each folder once, and
    /// publishes it to the global log.
    ///
    /// # Errors
    /// Unavailable, when something cannot be synced; it can be called again.
    pub fn sync_pending(&self, lock_timeout: Duration) -> Result<()> {
        let take = |(key, unsynced): (&String, &mut Unsynced)| {
            let bytes = std::mem::take(&mut unsynced.bytes);
            (key.clone(), Unsynced { bytes, ..*unsynced })
        };
        let work: Vec<(String, Unsynced)> = self.pending().unsynced.iter_mut().map(take).collect();
        let folders = Folders::default();
        let next = AtomicUsize::new(0);
        // Several at a time, for the device can then take them together.
        let sync_some = || {
            let take = || work.get(next.fetch_add(1, Ordering::Relaxed));
            let one = |(key, unsynced): &(String, Unsynced)| {
                self.commit_issue(key, unsynced, lock_timeout, &folders)?;
                let mut pending = self.pending();
                // Another thread may have appended meanwhile.
                if pending.unsynced.get(key).is_some_and(|u| u.end.place == unsynced.end.place) {
                    pending.unsynced.remove(key);
                }
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

    /// Does what follows appends to an issue, unless another process is at the like of it already.
    /// What is left out then is done after a later append: it must be of that kind.
    pub fn unless_busy(&self, issue_key: &str, work: impl FnOnce()) {
        let path = self.layout.upkeep_lock(issue_key);
        let contest = Contest::new(&path, Duration::ZERO, Duration::ZERO);
        let Ok(Some(file)) = contest.open() else { return };
        if let Ok(Attempt::Taken(_held)) = contest.try_take(file) {
            work();
        }
    }

    fn commit_issue(
        &self,
        key: &str,
        unsynced: &Unsynced,
        timeout: Duration,
        folders: &Folders,
    ) -> Result<()> {
        let (layout, handles) = (&self.layout, &self.handles);
        let IssueFiles { lock, sync, log } = handles.lend(key);
        let path = layout.issue_lock(key);
        let lock = match lock {
            Some(mut lock) => lock.is_at(&path)?.then_some(lock),
            None => None,
        };
        let lock = match lock {
            Some(lock) => lock,
            None => {
                let opened = private().read(true).write(true).open(&path);
                opened.map_err(|e| Error::io("open", &path, &e))?.into()
            }
        };
        let Unsynced { before, end, bytes } = unsynced;
        let (date, id) = (end.place.date, end.file);
        let path = layout.events(date, key);
        let is_there =
            |log: &OpenLog| (log.date, log.id) == (date, id) && log.length_at(&path).is_some();
        let log = match log.filter(is_there) {
            Some(log) => log,
            None => {
                let there = open_partition(layout, key, date)?;
                let absent = || Error::io("open", &path, &io::ErrorKind::NotFound.into());
                let (file, _, id) = there.ok_or_else(absent)?;
                OpenLog { date, id, file }
            }
        };
        let (after, sequence, before) = (end.place, end.sequence, *before);
        let fresh = Fresh { key, lock: &lock, before, after, sequence, bytes, file: &log.file };
        let complaint = &self.complaint;
        let commit = Commit { layout, handles, fresh, id, timeout, folders, complaint };
        let sync = commit.run(sync)?;
        handles.give_back(key, IssueFiles { lock: Some(lock), sync: Some(sync), log: Some(log) });
        Ok(())
    }

    /// Catches up the derived files of what was appended with [`Durability::Deferred`]: summaries
    /// and id indexes. They are checked by who reads them, and are not worth a sync each.
    ///
    /// # Errors
    /// Unavailable, when a log cannot be read or a file not be written.
    pub fn refresh_derived(&self) -> Result<()> {
        let stale = std::mem::take(&mut self.pending().stale);
        let mut days: BTreeMap<Date, BTreeMap<String, Summary>> = BTreeMap::new();
        for (key, dates) in stale {
            if let Some(end) = ids::end_of(&self.layout, &key)? {
                ids::extend(&self.layout, &key, end)?;
            }
            for (date, made) in dates {
                let summary = self.refresh_metadata_from(&key, date, made, false)?;
                days.entry(date).or_default().insert(key.clone(), summary);
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
                super::global::publish((&self.layout, &self.handles), lock_timeout, fresh)
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

    pub(super) fn durable_then(
        &self,
        key: &str,
        timeout: Duration,
        folders: &Folders,
        then: impl FnOnce(&Fresh<'_>) -> Result<()>,
    ) -> Result<()> {
        let (layout, handles) = (&self.layout, &self.handles);
        let mut log = Locked::take(layout, key, timeout)?;
        log.lock.release();
        let (Some(after), Some(file)) = (log.head.end, &log.file) else { return Ok(()) };
        let (lock, sequence) = (&log.lock, log.head.sequence);
        let fresh = Fresh { key, lock, before: None, after, sequence, bytes: &[], file };
        let (id, complaint) = (log.head.file, &self.complaint);
        drop(Commit { layout, handles, fresh, id, timeout, folders, complaint }.run(None)?);
        then(&fresh)
    }

    /// Remembers what must be synced, and on which days something was written.
    pub(super) fn defer(
        &self,
        key: &str,
        (before, end): (Option<Place>, LogEnd),
        dates: impl Iterator<Item = Date>,
        bytes: Vec<u8>,
    ) {
        let mut pending = self.pending();
        match pending.unsynced.get_mut(key) {
            None => {
                let few = pending.unsynced.len() < HELD_ISSUES && bytes.len() <= HELD_BYTES;
                let bytes = if few { bytes } else { Vec::new() };
                pending.unsynced.insert(key.to_owned(), Unsynced { before, end, bytes });
            }
            // More than one append is read from the log again: that much need not be in memory.
            Some(known) if known.end.place != end.place => {
                *known = Unsynced { before: known.before, end, bytes: Vec::new() };
            }
            Some(_) => {}
        }
        let days = pending.stale.entry(key.to_owned()).or_default();
        for date in dates {
            days.entry(date).or_default();
        }
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
