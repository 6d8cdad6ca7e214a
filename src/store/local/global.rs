//! The log of all issues: derived from theirs, each event once, in the order of publishing.
//!
//! Lives here: step 9 of an append. May not live here: catching up after a publisher that was
//! killed (see [`super::follow`]), making the log anew (see [`super::remake`]).
//!
//! A publisher writes lines, then how far their issue is published, then the length of the whole.
//! So after a kill the length says where to look for lines that nobody has taken note of.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use serde::Deserialize;

use super::handles::{GlobalFiles, Handles};
use super::io::{Bytes, FileId, append_all, fingerprint, is_absent, private, read_range, set_len};
use super::layout::{Date, Layout};
use super::lines::{Stamps, end_of_lines};
use super::lock::{LockFile, take_again};
use super::record::{self, GlobalRecord, Place, Published, tail_of};
use super::source::Source;
use super::tlog::checkpoint;
use super::tlog::hashes::Hash;
use super::tlog::leaves::{self, Leaves};
use super::{remake, watermark};
use crate::error::{Error, Result};
use crate::model::envelope::Text;

/// How much is copied at a time.
const CHUNK: u64 = 4 << 20;

/// What an append has to publish.
#[derive(Clone, Copy)]
pub(super) struct Fresh<'a> {
    pub(super) key: &'a str,
    /// The issue's lock file; its lock need not be held.
    pub(super) lock: &'a File,
    /// The end of the log before the append.
    pub(super) before: Option<Place>,
    /// The end up to which it is to be published.
    pub(super) after: Place,
    /// The sequence number of the last event before that end.
    pub(super) sequence: u64,
    /// The bytes between the two; empty when they are to be read from the log.
    pub(super) bytes: &'a [u8],
    /// The partition that the end is in.
    pub(super) file: &'a File,
}

/// Publishes all lines of an issue up to `fresh.after` that are not published yet.
///
/// # Errors
/// Integrity, when signed lines of any issue were found to be gone, once: all is published then
/// that there is.
pub(super) fn publish(
    (layout, handles): (&Layout, &Handles),
    timeout: Duration,
    fresh: &Fresh<'_>,
) -> Result<()> {
    let mut global = Global::take_with(layout, timeout, handles.lend_global())?;
    global.publish(fresh)?;
    let Global { lock, file, leaves, record, complaint, .. } = global;
    handles.give_back_global(GlobalFiles { lock, log: file, id: record.file, leaves });
    complaint.map_or(Ok(()), Err)
}

/// What a look at files that were open already told of them.
struct Seen {
    length: u64,
    id: FileId,
    /// How many leaf hashes there are.
    leaves: u64,
}

/// The global log, locked and in order.
pub(super) struct Global<'a> {
    pub(super) layout: &'a Layout,
    pub(super) lock: LockFile,
    pub(super) path: PathBuf,
    pub(super) file: File,
    /// The leaf hashes of its lines.
    pub(super) leaves: Leaves,
    pub(super) record: GlobalRecord,
    /// What was found to be lost when the log was put in order, if nobody knew of it yet.
    pub(super) complaint: Option<Error>,
}

impl<'a> Global<'a> {
    /// Takes the lock and makes sure that what is noted is what is there.
    pub(super) fn take(layout: &'a Layout, timeout: Duration) -> Result<Self> {
        layout.refuse_service_links()?;
        Self::take_with(layout, timeout, None)
    }

    /// The same by way of files that are open already, as far as they are still those of the store.
    pub(super) fn take_with(
        layout: &'a Layout,
        timeout: Duration,
        open: Option<GlobalFiles>,
    ) -> Result<Self> {
        let (mut global, seen) = Self::open(layout, timeout, open)?;
        let noted = record::read_global(&global.lock);
        let noted = noted.map_err(|e| Error::io("read", &layout.global_lock(), &e))?;
        let (length, id) = match &seen {
            Some(seen) => (seen.length, seen.id),
            None => {
                let metadata = global.file.metadata();
                let metadata = metadata.map_err(|e| Error::io("look at", &global.path, &e))?;
                (metadata.len(), FileId::of(&metadata))
            }
        };
        let leaves = seen.map(|seen| seen.leaves);
        let other_boot = noted.as_ref().is_some_and(|noted| noted.boot != boot_id());
        let Some(noted) = noted.filter(|r| r.file == id && r.length <= length) else {
            if length == 0 && global.last_signed()? == 0 {
                global.record = GlobalRecord { file: id, ..empty() };
            } else if !other_boot || !watermark::restore(&mut global)? {
                remake::recover(&mut global)?;
            }
            return Ok(global);
        };
        let same = tail_of(&global.file, noted.length).is_ok_and(|tail| tail == noted.tail);
        // Nothing here is synced: after a power cut the note may be newer than what the issues say
        // of themselves, and than blocks in the middle of the file. Once a boot what lies behind
        // the watermark is compared, or all.
        if same && !other_boot && (length == noted.length || noted.boot != "-") {
            let behind = length > noted.length;
            global.record = noted;
            if !global.settle_leaves(leaves)? || (behind && !global.catch_up(length)?) {
                remake::recover(&mut global)?;
            }
        } else if !other_boot || !watermark::restore(&mut global)? {
            remake::recover(&mut global)?;
        }
        Ok(global)
    }

    /// Takes the lock without a look at what is there.
    pub(super) fn take_unchecked(layout: &'a Layout, timeout: Duration) -> Result<Self> {
        layout.refuse_service_links()?;
        Self::open(layout, timeout, None).map(|(global, _)| global)
    }

    fn open(
        layout: &'a Layout,
        timeout: Duration,
        open: Option<GlobalFiles>,
    ) -> Result<(Self, Option<Seen>)> {
        let (open_lock, files) = match open {
            Some(GlobalFiles { lock, log, id, leaves }) => (Some(lock), Some((log, id, leaves))),
            None => (None, None),
        };
        let lock_path = layout.global_lock();
        let absent = || Error::io("open", &lock_path, &io::ErrorKind::NotFound.into());
        let lock = match take_again(&lock_path, timeout, open_lock)? {
            Some(lock) => lock,
            None => {
                layout.create()?;
                take_again(&lock_path, timeout, None)?.ok_or_else(absent)?
            }
        };
        let path = layout.global();
        let record = GlobalRecord {
            generation: 0,
            length: 0,
            file: FileId::default(),
            tail: 0,
            boot: String::new(),
            leaves: None,
        };
        if let Some((file, id, leaves)) = files {
            if let Ok(there) = std::fs::metadata(&path)
                && FileId::of(&there) == id
                && let Some(count) = leaves.count_at_path()
            {
                let seen = Seen { length: there.len(), id, leaves: count };
                let complaint = None;
                let global = Self { layout, lock, path, file, leaves, record, complaint };
                return Ok((global, Some(seen)));
            }
            layout.refuse_service_links()?;
        }
        let open = || private().read(true).append(true).create(true).open(&path);
        let file = match open() {
            Err(error) if is_absent(&error) => {
                layout.create()?;
                open()
            }
            other => other,
        };
        let file = file.map_err(|e| Error::io("open", &path, &e))?;
        let leaves = match Leaves::open(layout)? {
            Some(leaves) => leaves,
            None => {
                layout.create()?;
                Leaves::open(layout)?.ok_or_else(absent)?
            }
        };
        Ok((Self { layout, lock, path, file, leaves, record, complaint: None }, None))
    }

    /// How many lines the last checkpoint signs.
    pub(super) fn last_signed(&self) -> Result<u64> {
        let last = checkpoint::last(&super::tlog::folder(self.layout))?;
        Ok(last.map_or(0, |(last, _)| last.size))
    }

    /// Makes the leaf hashes those of the noted lines; false where only making the log anew does.
    fn settle_leaves(&mut self, seen: Option<u64>) -> Result<bool> {
        let there = match seen {
            Some(count) => count,
            None => self.leaves.count()?,
        };
        if let Some(noted) = self.record.leaves.filter(|noted| *noted <= there) {
            // After a power cut only what was signed is there for sure.
            if self.record.boot == boot_id() {
                return Ok(true);
            }
            self.record.boot = boot_id().to_owned();
            return Ok(noted == self.last_signed()?);
        }
        let hashes = leaves::of_file(&self.file, &self.path, (0, self.record.length))?;
        self.leaves.put(self.layout, &hashes)?;
        self.record.leaves = Some(hashes.len() as u64);
        self.record.boot = boot_id().to_owned();
        self.note()?;
        Ok(true)
    }

    /// Adds the leaf hashes of lines that were just written.
    pub(super) fn add_leaves(&mut self, hashes: &[Hash]) -> Result<()> {
        let count = self.record.leaves.unwrap_or_default();
        self.leaves.write(count, hashes)?;
        self.record.leaves = Some(count + hashes.len() as u64);
        Ok(())
    }

    /// Publishes what an append wrote, and what stands before it.
    pub(super) fn publish(&mut self, fresh: &Fresh<'_>) -> Result<()> {
        let from = match self.published(fresh)? {
            Some(place) => place,
            None => {
                remake::recover(self)?;
                self.published(fresh)?.unwrap_or_default()
            }
        };
        if from >= Some(fresh.after) {
            return Ok(());
        }
        if from == fresh.before && !fresh.bytes.is_empty() {
            return self.add(fresh, fresh.bytes, fresh.after, fresh.sequence);
        }
        self.copy(fresh, from)
    }

    /// Where the first unpublished line stands: the beginning, or a place. An outer none where
    /// the note of it was lost.
    #[allow(clippy::option_option, reason = "unknown, and the beginning of the log")]
    fn published(&self, fresh: &Fresh<'_>) -> Result<Option<Option<Place>>> {
        let lock_path = || self.layout.issue_lock(fresh.key);
        let slot =
            record::read_published(fresh.lock).map_err(|e| Error::io("read", &lock_path(), &e))?;
        let Some(slot) = slot else { return Ok(None) };
        // What was published to another global log is not in this one.
        Ok(Some(slot.next.filter(|_| slot.generation == self.record.generation)))
    }

    /// Copies from the issue's log, in pieces of whole lines.
    fn copy(&mut self, fresh: &Fresh<'_>, from: Option<Place>) -> Result<()> {
        let after = fresh.after;
        let dates = match from {
            Some(from) if from.date == after.date => vec![after.date],
            _ => self.layout.partitions(fresh.key)?,
        };
        let range = |date| from.is_none_or(|p| date >= p.date) && date <= after.date;
        for date in dates.into_iter().filter(|date| range(*date)) {
            let path = self.layout.events(date, fresh.key);
            let begin = from.filter(|p| p.date == date).map_or(0, |p| p.offset);
            if date == after.date {
                self.copy_part(fresh, (fresh.file, &path), date, (begin, after.offset))?;
                continue;
            }
            let failed = |e: io::Error| Error::io("read", &path, &e);
            let file = Source::open(self.layout, date, fresh.key).map_err(failed)?;
            let end = end_of_lines(&file, &path, file.length().map_err(failed)?)?;
            self.copy_part(fresh, (&file, &path), date, (begin, end))?;
        }
        Ok(())
    }

    fn copy_part(
        &mut self,
        fresh: &Fresh<'_>,
        (file, path): (&impl Bytes, &Path),
        date: Date,
        (mut at, end): (u64, u64),
    ) -> Result<()> {
        let mut size = CHUNK;
        while at < end {
            let bytes = read_range(file, at, end.min(at + size));
            let mut bytes = bytes.map_err(|e| Error::io("read", path, &e))?;
            match memchr::memrchr(b'\n', &bytes) {
                Some(feed) => bytes.truncate(feed + 1),
                None if (bytes.len() as u64) < size => break,
                None => {
                    size *= 2;
                    continue;
                }
            }
            at += bytes.len() as u64;
            let place = Place { date, offset: at };
            let last = place == fresh.after;
            let sequence = if last { fresh.sequence } else { last_sequence(&bytes) };
            self.add(fresh, &bytes, place, sequence)?;
        }
        Ok(())
    }

    /// Adds lines of one issue and notes that they are there.
    fn add(&mut self, fresh: &Fresh<'_>, bytes: &[u8], next: Place, sequence: u64) -> Result<()> {
        if let Err(error) = append_all(&self.file, bytes) {
            // Where this fails too, the next publisher finds more than is noted.
            let _ = set_len(&self.file, self.record.length);
            return Err(Error::io("write", &self.path, &error));
        }
        self.add_leaves(&leaves::of_lines(bytes))?;
        let slot = Published { generation: self.record.generation, sequence, next: Some(next) };
        record::write_published(fresh.lock, slot)
            .map_err(|e| Error::io("write", &self.layout.issue_lock(fresh.key), &e))?;
        self.record.length += bytes.len() as u64;
        self.record.tail = match bytes.len().checked_sub(record::TAIL as usize) {
            Some(at) => fingerprint(&bytes[at..]),
            None => tail_of(&self.file, self.record.length)
                .map_err(|e| Error::io("read", &self.path, &e))?,
        };
        self.note()
    }

    /// Notes the state of the whole.
    pub(super) fn note(&self) -> Result<()> {
        record::write_global(&self.lock, &self.record)
            .map_err(|e| Error::io("write", &self.layout.global_lock(), &e))
    }
}

/// A record of a log that has nothing yet.
pub(super) fn empty() -> GlobalRecord {
    GlobalRecord {
        generation: fingerprint(crate::model::ids::new_event_id().as_bytes()).max(1),
        length: 0,
        file: FileId::default(),
        tail: fingerprint(&[]),
        boot: boot_id().to_owned(),
        leaves: Some(0),
    }
}

/// The running boot of the machine; `-` where that cannot be told.
pub(super) fn boot_id() -> &'static str {
    static ID: OnceLock<String> = OnceLock::new();
    if let Some(played) = super::io::played_boot() {
        return played;
    }
    ID.get_or_init(|| {
        let mut text = [0; 64];
        // One read gives all of it; to ask for its length and its end would cost as much again.
        let read = File::open("/proc/sys/kernel/random/boot_id").and_then(|f| (&f).read(&mut text));
        let id = std::str::from_utf8(&text[..read.unwrap_or(0)]).unwrap_or_default();
        match id.trim_ascii() {
            "" => "-".to_owned(),
            id => id.to_owned(),
        }
    })
}

fn last_sequence(lines: &[u8]) -> u64 {
    let end = lines.len().saturating_sub(1);
    let start = memchr::memrchr(b'\n', &lines[..end]).map_or(0, |feed| feed + 1);
    Stamps::read(&lines[start..end]).and_then(|s| s.event_sequence).unwrap_or_default()
}

pub(super) fn issue_of(line: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Key<'a> {
        #[serde(borrow, default)]
        issue_key: Option<Text<'a>>,
    }
    let key = serde_json::from_slice::<Key<'_>>(line).ok().and_then(|k| k.issue_key);
    key.map(|k| k.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
