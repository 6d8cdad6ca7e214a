//! Making an issue's log durable, for many writers at once: one sync covers all that was written
//! before it, and whoever finds itself covered only answers.
//!
//! Lives here: step 8 of an append: the sync lock, its record, what a failed or interrupted sync
//! calls for; and that its leader publishes for the group. May not live here: writing events.
//!
//! The record is marked before a sync and cleared after it. So a sync that fails, or whose leader
//! is killed, is known to the next leader: the system may hold those bytes for clean although the
//! device never got them, and they are written anew before anything is called durable.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Complaint;
use super::global::{Fresh, boot_id};
use super::handles::Handles;
use super::io::{FileId, Site, is_absent, private, read_range, sync_data, sync_dir, write_at};
use super::layout::{Date, Layout};
use super::lock::{Attempt, Contest, LockFile};
use super::record::{self, Place, SyncRecord, SyncState};
use crate::error::{Error, Result};

/// How much is written anew at a time.
const CHUNK: u64 = 1 << 20;

/// What is to be made durable, and published afterwards.
pub(super) struct Commit<'a> {
    pub(super) layout: &'a Layout,
    pub(super) handles: &'a Handles,
    /// The issue, and what was written of it.
    pub(super) fresh: Fresh<'a>,
    /// Which file `fresh.file` is.
    pub(super) id: FileId,
    pub(super) timeout: Duration,
    /// The folders that were synced since everything was written.
    pub(super) folders: &'a Folders,
    /// Who hears what publishing finds.
    pub(super) complaint: &'a Complaint,
}

/// Folders that need no second sync.
#[derive(Debug, Default)]
pub(super) struct Folders(Mutex<BTreeSet<PathBuf>>);

impl Folders {
    fn sync(&self, path: &Path, site: Site) -> Result<()> {
        let synced = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !synced().contains(path) {
            sync_dir(path, site)?;
            synced().insert(path.to_owned());
        }
        Ok(())
    }
}

impl Commit<'_> {
    /// Returns when everything up to `fresh.after` is durable, by a sync of its own or of another.
    /// The sync lock's file may be open already; gives it, and whoever drops it lets the lock go.
    ///
    /// # Errors
    /// Unavailable, when a sync fails or the lock is held for too long: then nobody knows.
    pub(super) fn run(&self, mut open: Option<LockFile>) -> Result<LockFile> {
        let path = self.layout.sync_lock(self.fresh.key);
        // Whoever holds it syncs, which takes longer than it takes to be woken.
        let mut contest = Contest::new(&path, self.timeout, Duration::ZERO);
        let absent = || Error::io("open", &path, &io::ErrorKind::NotFound.into());
        // Whether the record said that all is done, and was not to be believed.
        let mut misled = false;
        loop {
            let file = match open.take() {
                Some(file) => file,
                None => contest.open()?.ok_or_else(absent)?,
            };
            match contest.try_take(file)? {
                Attempt::Taken(lock) => return self.lead(lock, &path),
                Attempt::Held(file) => {
                    let wanted = (!misled).then_some((self.fresh.after, self.id));
                    let (mut file, told) = contest.wait(file, move |file| turn(file, wanted))?;
                    match told {
                        Some(noted) if self.is_covered(&noted, self.known(&noted)) => {
                            return Ok(file.released());
                        }
                        Some(_) => misled = true,
                        None if file.is_at(&path)? => return self.lead(file, &path),
                        None => {}
                    }
                }
                Attempt::Removed => {}
            }
        }
    }

    fn noted(&self, lock: &File, path: &Path) -> Result<Option<SyncRecord>> {
        record::read_sync(lock).map_err(|e| Error::io("read", path, &e))
    }

    /// Syncs for all who have written by now, and publishes for them.
    fn lead(&self, lock: LockFile, path: &Path) -> Result<LockFile> {
        let noted = self.noted(&lock, path)?;
        let known = noted.as_ref().and_then(|noted| self.known(noted));
        if noted.as_ref().is_some_and(|noted| self.is_covered(noted, known)) {
            self.catch_up();
            return Ok(lock);
        }
        let (target, sequence) = self.reach();
        let mut next = SyncRecord {
            boot: boot_id().to_owned(),
            state: SyncState::Syncing,
            end: known,
            file: noted.as_ref().map(|noted| noted.file).unwrap_or_default(),
        };
        let note = |record: &SyncRecord| {
            record::write_sync(&lock, record).map_err(|e| Error::io("write", path, &e))
        };
        note(&next)?;
        let doubtful = noted.is_some_and(|n| n.state != SyncState::Clean && n.boot == next.boot);
        if let Err(error) = self.sync(known, target, doubtful) {
            next.state = SyncState::Poisoned;
            // What stands there now says `syncing`, which is as good.
            let _ = note(&next);
            return Err(error);
        }
        next = SyncRecord { state: SyncState::Clean, end: Some(target), file: self.id, ..next };
        note(&next)?;
        // The events are durable: a global log that cannot be written now is caught up later, and
        // to call this a failure would make the caller append them twice.
        let own = target == self.fresh.after;
        let bytes = if own { self.fresh.bytes } else { &[] };
        let fresh = Fresh { after: target, sequence, bytes, ..self.fresh };
        let stores = (self.layout, self.handles);
        self.complaint.hear(super::global::publish(stores, self.timeout, &fresh));
        Ok(lock)
    }

    /// Publishes what another made durable, who was killed, or could not, before it was published.
    fn catch_up(&self) {
        let noted = record::read_published(self.fresh.lock).ok().flatten();
        if noted.is_none_or(|noted| noted.next < Some(self.fresh.after)) {
            let stores = (self.layout, self.handles);
            let fresh = Fresh { before: None, bytes: &[], ..self.fresh };
            self.complaint.hear(super::global::publish(stores, self.timeout, &fresh));
        }
    }

    /// Whether a sync of this boot reached as far. (One of an earlier boot did, too; but what has
    /// been cut off since, and written again, it does not speak of.)
    fn is_covered(&self, noted: &SyncRecord, known: Option<Place>) -> bool {
        let after = self.fresh.after;
        known.is_some() && covers(noted, after, self.id)
    }

    /// How far this sync can reach: to the end that the last writer noted, for what stands before
    /// it is never taken back.
    fn reach(&self) -> (Place, u64) {
        let own = (self.fresh.after, self.fresh.sequence);
        let head = record::read_issue(self.fresh.lock).ok().and_then(|records| records.head);
        let Some(head) = head.filter(|head| head.file == self.id) else {
            return own;
        };
        let further = head.end.filter(|end| end.date == own.0.date && end.offset > own.0.offset);
        further.map_or(own, |end| (end, head.sequence))
    }

    /// The end of what is durable for sure; none where nothing that is noted can be believed.
    fn known(&self, noted: &SyncRecord) -> Option<Place> {
        let end = noted.end?;
        let metadata = if end.date == self.fresh.after.date {
            self.fresh.file.metadata().ok()?
        } else {
            std::fs::metadata(self.layout.events(end.date, self.fresh.key)).ok()?
        };
        (FileId::of(&metadata) == noted.file && metadata.len() >= end.offset).then_some(end)
    }

    /// Syncs all partitions from `known` to `target`, and the folders that are new since.
    fn sync(&self, known: Option<Place>, target: Place, doubtful: bool) -> Result<()> {
        let key = self.fresh.key;
        let is_new = |date: Date| known.is_none_or(|known| date > known.date);
        if is_new(target.date) {
            let dates = self.layout.partitions(key)?;
            let since = |date: &Date| known.is_none_or(|known| *date >= known.date);
            for date in dates.into_iter().filter(|date| since(date) && *date < target.date) {
                let path = self.layout.events(date, key);
                let file = match private().read(true).write(true).open(&path) {
                    Ok(file) => file,
                    // Another process may have moved it out of the log meanwhile.
                    Err(error) if is_absent(&error) => continue,
                    Err(error) => return Err(Error::io("open", &path, &error)),
                };
                if doubtful {
                    let from = known.filter(|k| k.date == date).map_or(0, |k| k.offset);
                    let length = file.metadata().map_err(|e| Error::io("look at", &path, &e))?;
                    write_anew(&file, &path, from, length.len())?;
                }
                sync_data(&file, Site::EarlierLog).map_err(|e| Error::io("sync", &path, &e))?;
                if is_new(date) {
                    self.sync_folders(date)?;
                }
            }
        }
        let path = self.layout.events(target.date, key);
        if doubtful {
            let opened = private().read(true).write(true).open(&path);
            let file = opened.map_err(|e| Error::io("open", &path, &e))?;
            let from = known.filter(|k| k.date == target.date).map_or(0, |k| k.offset);
            write_anew(&file, &path, from, target.offset)?;
        }
        sync_data(self.fresh.file, Site::Log).map_err(|e| Error::io("sync", &path, &e))?;
        if is_new(target.date) { self.sync_folders(target.date) } else { Ok(()) }
    }

    fn sync_folders(&self, date: Date) -> Result<()> {
        let partition = self.layout.partition(date, self.fresh.key);
        self.folders.sync(&partition, Site::Partition)?;
        if let Some(day) = partition.parent() {
            self.folders.sync(day, Site::Day)?;
        }
        self.folders.sync(self.layout.root(), Site::Root)
    }
}

/// Whether a record says that a sync of this boot reached as far as `after`.
fn covers(noted: &SyncRecord, after: Place, id: FileId) -> bool {
    noted.end.is_some_and(|end| end.date == after.date && end >= after)
        && noted.state == SyncState::Clean
        && noted.file == id
        && noted.boot != "-"
        && noted.boot == boot_id()
}

/// Waits for the lock, one after the other, and lets it go again at once where the record says
/// that there is nothing left to do: then gives the record.
fn turn(lock: &File, wanted: Option<(Place, FileId)>) -> io::Result<Option<SyncRecord>> {
    lock.lock()?;
    let Some((after, id)) = wanted else { return Ok(None) };
    let told = record::read_sync(lock)?.filter(|noted| covers(noted, after, id));
    if told.is_some() {
        lock.unlock()?;
    }
    Ok(told)
}

/// Writes the bytes between two offsets once more, as they are.
fn write_anew(file: &File, path: &Path, from: u64, to: u64) -> Result<()> {
    let mut at = from;
    while at < to {
        let bytes = read_range(file, at, to.min(at + CHUNK));
        let bytes = bytes.map_err(|e| Error::io("read", path, &e))?;
        if bytes.is_empty() {
            break;
        }
        write_at(file, &bytes, at).map_err(|e| Error::io("write", path, &e))?;
        at += bytes.len() as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
