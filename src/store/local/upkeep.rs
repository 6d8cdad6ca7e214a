//! What follows an append without being part of it: syncs that were put off, and the derived
//! files that are refreshed now and then.
//!
//! Lives here: [`LocalStore::sync_pending`] and the rhythm of the refreshing. May not live here:
//! the content of the derived files (see [`super::derived`]).

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::LocalStore;
use super::append::{beginning, doubt};
use super::global::{Fresh, Global};
use super::head::Locked;
use super::ids::{self, Found};
use super::io::{fingerprint, is_absent, sync_dir};
use super::layout::Date;
use super::plan::Plan;
use super::record::Place;
use super::summary::Summary;
use crate::error::{Error, Result};
use crate::store::{Acknowledgement, Durability};

/// A partition's summary is refreshed after so many events.
const METADATA_EVERY: u64 = 32;
/// A day's summary is refreshed after so many events of one issue.
const INDEX_EVERY: u64 = 256;
/// How many partitions are synced at the same time.
const SYNCS_AT_ONCE: usize = 8;
/// The types after which an issue tends to rest.
const ENDS: &[&str] = &["OrchestrationCompleted", "OrchestrationFailed", "OrchestrationCancelled"];

impl LocalStore {
    /// Makes durable what was appended with [`Durability::Deferred`], each file and folder once,
    /// and then publishes it to the global log.
    ///
    /// # Errors
    /// Unavailable, when something cannot be synced; it can be called again.
    pub fn sync_pending(&self, lock_timeout: Duration) -> Result<()> {
        let touched = self.pending().touched.clone();
        let folders = self.sync_partitions(&touched, lock_timeout)?;
        for date in &folders {
            sync_dir(&self.layout.root().join(date.as_str()))?;
        }
        if !folders.is_empty() {
            sync_dir(self.layout.root())?;
        }
        let mut summaries: BTreeMap<Date, BTreeMap<String, Summary>> = BTreeMap::new();
        for (key, dates) in &touched {
            for (date, summary) in self.settle_deferred(key, dates, lock_timeout)? {
                summaries.entry(date).or_default().insert(key.clone(), summary);
            }
            self.pending().touched.remove(key);
        }
        for (date, fresh) in summaries {
            let mut issues = self.kept_index(date)?.map(|day| day.issues).unwrap_or_default();
            issues.extend(fresh);
            self.write_index(date, issues, false)?;
        }
        self.pending().ids.clear();
        Ok(())
    }

    /// Syncs each partition and its folder: several at a time, for the device can then take them
    /// together. Gives the days that they stand in.
    fn sync_partitions(
        &self,
        touched: &BTreeMap<String, BTreeSet<Date>>,
        lock_timeout: Duration,
    ) -> Result<BTreeSet<Date>> {
        let work: Vec<(&str, Date)> = touched
            .iter()
            .flat_map(|(key, dates)| dates.iter().map(|date| (key.as_str(), *date)))
            .collect();
        let next = AtomicUsize::new(0);
        let sync_some = || {
            let take = || work.get(next.fetch_add(1, Ordering::Relaxed));
            let one = |&(key, date)| (key, date, self.sync_partition(key, date));
            std::iter::from_fn(|| take().map(one)).collect::<Vec<_>>()
        };
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let workers = SYNCS_AT_ONCE.min(work.len());
            let workers: Vec<_> = (1..workers).map(|_| scope.spawn(sync_some)).collect();
            let mut outcomes = sync_some();
            for worker in workers {
                // A worker that died has said so; what it left undone stays unsynced.
                outcomes.extend(worker.join().unwrap_or_default());
            }
            outcomes
        });
        if outcomes.len() < work.len() {
            return Err(Error::internal("a thread that syncs partitions ended early"));
        }
        let (mut folders, mut failure) = (BTreeSet::new(), None);
        for (key, date, outcome) in outcomes {
            match outcome {
                Ok(true) => drop(folders.insert(date)),
                Ok(false) => {}
                Err(error) => {
                    doubt(&self.layout, key, beginning(date), lock_timeout);
                    failure = failure.or(Some(error));
                }
            }
        }
        failure.map_or(Ok(folders), Err)
    }

    /// Whether the partition is there, which is durable then.
    fn sync_partition(&self, key: &str, date: Date) -> Result<bool> {
        let path = self.layout.events(date, key);
        match File::open(&path).and_then(|file| file.sync_data()) {
            // Another process may have moved it out of the log meanwhile.
            Err(error) if is_absent(&error) => Ok(false),
            Err(error) => Err(Error::io("sync", &path, &error)),
            Ok(()) => sync_dir(&self.layout.partition(date, key)).map(|()| true),
        }
    }

    /// Publishes what is durable now, says so in the head, and gives the days' summaries. Those
    /// are derived, and checked by who reads them: they are not worth a sync each.
    fn settle_deferred(
        &self,
        key: &str,
        dates: &BTreeSet<Date>,
        timeout: Duration,
    ) -> Result<Vec<(Date, Summary)>> {
        let mut log = Locked::take(&self.layout, key, timeout)?;
        let Some(end) = log.head.end else { return Ok(Vec::new()) };
        if log.head.suspect.is_some() {
            log.write_suspect_again()?;
            log.head.suspect = None;
            log.write_head()?;
        }
        // Only where every day in doubt was synced just now: others may have begun some as well.
        let loose = log.head.loose;
        let all = self.layout.partitions(key)?;
        if loose.is_some_and(|loose| all.iter().all(|d| *d < loose || dates.contains(d))) {
            log.head.loose = None;
            log.write_head()?;
        }
        let _ = log.lock.unlock();
        let sequence = log.head.sequence;
        let fresh = Fresh { key, lock: &log.lock, before: None, after: end, sequence, bytes: &[] };
        Global::take(&self.layout, timeout)?.publish(&fresh)?;
        ids::extend(&self.layout, key, end)?;
        let refreshed = dates.iter().map(|date| {
            let summary = self.refresh_metadata(key, *date, false)?;
            Ok((*date, summary))
        });
        refreshed.collect()
    }

    /// Publishes the durable lines of every issue that are not in the global log yet, as readers
    /// of that log want it.
    ///
    /// # Errors
    /// Unavailable, when something cannot be read, synced or written.
    pub fn publish_all(&self, lock_timeout: Duration) -> Result<()> {
        for key in self.keys()? {
            let log = Locked::take(&self.layout, &key, lock_timeout)?;
            let (Some(end), Some(file)) = (log.head.end, &log.file) else { continue };
            let path = self.layout.events(end.date, &key);
            let synced = file.sync_data();
            let _ = log.lock.unlock();
            if let Err(error) = synced {
                doubt(&self.layout, &key, beginning(end.date), lock_timeout);
                return Err(Error::io("sync", &path, &error));
            }
            let (lock, sequence) = (&log.lock, log.head.sequence);
            let fresh = Fresh { key: &key, lock, before: None, after: end, sequence, bytes: &[] };
            Global::take(&self.layout, lock_timeout)?.publish(&fresh)?;
        }
        Ok(())
    }

    /// Remembers what must be synced.
    pub(super) fn defer(
        &self,
        key: &str,
        before: Option<Place>,
        dates: impl Iterator<Item = Date>,
    ) {
        let mut pending = self.pending();
        let touched = pending.touched.entry(key.to_owned()).or_default();
        touched.extend(before.map(|p| p.date));
        touched.extend(dates);
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
        let ended = fresh().any(|a| ENDS.contains(&a.event_type.as_str()));
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
