//! The end of an issue's log: believed from the lock file where it fits, else found by reading,
//! with what a killed writer left behind put in order.
//!
//! Lives here: steps 2 and 3 of an append, and the settling of an interrupted batch; finding the end
//! by reading in a file of its own. May not live here: writing events. Everything here happens while
//! the issue's lock is held.

mod find;

use std::fs::File;
use std::io;
use std::time::Duration;

use self::find::Finder;
use super::global::boot_id;
use super::handles::OpenLog;
use super::io::{FileId, fingerprint, is_absent, private, read_range, remove_dir, remove_if_there};
use super::layout::{Date, Layout};
use super::lock::{LockFile, take_again};
use super::record::{self, HeadRecord, Part, Place, tail_of};
use super::source::Source;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Timestamp, envelope};

/// One issue's log, locked.
pub(super) struct Locked<'a> {
    pub(super) layout: &'a Layout,
    pub(super) key: &'a str,
    pub(super) lock: LockFile,
    /// Its end, as it is now.
    pub(super) head: HeadRecord,
    /// The last partition's file, open for reading and appending.
    pub(super) file: Option<File>,
}

impl<'a> Locked<'a> {
    /// Takes an issue's lock and finds the end of its log.
    pub(super) fn take(layout: &'a Layout, key: &'a str, timeout: Duration) -> Result<Self> {
        Self::take_with(layout, key, timeout, (None, None))
    }

    /// The same by way of files that are open already, as far as they still are those of the issue.
    pub(super) fn take_with(
        layout: &'a Layout,
        key: &'a str,
        timeout: Duration,
        (open_lock, open_log): (Option<LockFile>, Option<OpenLog>),
    ) -> Result<Self> {
        let path = layout.issue_lock(key);
        let known = open_lock.as_ref().and_then(LockFile::id);
        if known.is_none() {
            layout.refuse_service_links()?;
        }
        let lock = match take_again(&path, timeout, open_lock)? {
            Some(lock) => lock,
            None => {
                layout.create()?;
                take_again(&path, timeout, None)?.ok_or_else(|| {
                    Error::io("open", &path, &io::Error::from(io::ErrorKind::NotFound))
                })?
            }
        };
        if known.is_some() && lock.id() != known {
            layout.refuse_service_links()?;
        }
        let records = record::read_issue(&lock).map_err(|e| Error::io("read", &path, &e))?;
        if let Some(head) = &records.head
            && head.note.is_none()
            // After a power cut it may be an old one, and a day that it does not know have begun.
            && head.boot == boot_id()
            && let Some(file) = fits(layout, key, head, open_log)?
        {
            let head = head.clone();
            return Ok(Self { layout, key, lock, head, file });
        }
        let mut found = Finder { layout, key, lock }.find(records.head)?;
        found.write_head()?;
        if found.head.end.is_none() && records.published.is_none() {
            let nothing = record::Published { generation: 0, sequence: 0, next: None };
            record::write_published(&found.lock, nothing)
                .map_err(|e| Error::io("write", &path, &e))?;
        }
        Ok(found)
    }

    /// Notes the head, which ends whatever was being written.
    pub(super) fn write_head(&mut self) -> Result<()> {
        record::write_head(&self.lock, &self.head)
            .map_err(|e| Error::io("write", &self.layout.issue_lock(self.key), &e))
    }
}

/// The file of the head, if the log still ends where the record says (an outer none if not).
#[allow(clippy::option_option, reason = "a log without events fits, and has no file")]
fn fits(
    layout: &Layout,
    key: &str,
    head: &HeadRecord,
    open: Option<OpenLog>,
) -> Result<Option<Option<File>>> {
    let Some(end) = head.end else {
        return Ok(layout.partitions(key)?.is_empty().then_some(None));
    };
    // Wherever links lead by now: it is the file that was found there without one.
    if let Some(open) = open.filter(|open| (open.date, open.id) == (end.date, head.file))
        && let Some(length) = open.length_at(&layout.events(end.date, key))
        && length == end.offset
        && tail_of(&open.file, length).is_ok_and(|tail| tail == head.tail)
    {
        return Ok(Some(Some(open.file)));
    }
    layout.refuse_links(end.date, key)?;
    let Some((file, length, id)) = open_partition(layout, key, end.date)? else { return Ok(None) };
    let same = length == end.offset && id == head.file;
    let same = same && tail_of(&file, length).is_ok_and(|tail| tail == head.tail);
    Ok(same.then_some(Some(file)))
}

/// Opens a partition for reading and appending, with its length and identity.
pub(super) fn open_partition(
    layout: &Layout,
    key: &str,
    date: Date,
) -> Result<Option<(File, u64, FileId)>> {
    let path = layout.events(date, key);
    let file = match private().read(true).append(true).open(&path) {
        Ok(file) => file,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(Error::io("open", &path, &error)),
    };
    let metadata = file.metadata().map_err(|e| Error::io("look at", &path, &e))?;
    Ok(Some((file, metadata.len(), FileId::of(&metadata))))
}

/// The error for events that would have to be written where an archive is.
pub(super) fn archived(key: &str, date: Date) -> Error {
    let message =
        format!("the events of {key} on {date} are archived, and nothing is added to them");
    Error::new(ErrorKind::Integrity, message)
        .with_hint(format!("`chronoscope store archive --restore --issue {key}` brings them back"))
}

/// The batch that was being written when `record` was; none where none was, or it is no more told.
pub(super) fn noted_batch(lock: &File, record: &HeadRecord) -> io::Result<Option<Vec<Part>>> {
    // After a power cut the log may long have gone on, and only the note is an old one.
    match record.note.filter(|_| record.boot == boot_id()) {
        Some(note) => record::read_note(lock, note),
        None => Ok(None),
    }
}

/// Whether all of a noted batch is in the log.
pub(super) fn is_complete(layout: &Layout, key: &str, parts: &[Part]) -> Result<bool> {
    let mut complete = true;
    for part in parts {
        let there = Source::open(layout, part.at.date, key);
        complete &= there.is_ok_and(|file| {
            read_range(&file, part.at.offset, part.at.offset + part.length).is_ok_and(|bytes| {
                bytes.len() as u64 == part.length && fingerprint(&bytes) == part.hash
            })
        });
    }
    Ok(complete)
}

/// Takes the parts of a batch that was cut short out of the log; the lock is held.
pub(super) fn take_out_batch(
    layout: &Layout,
    key: &str,
    lock: &File,
    parts: &[Part],
) -> Result<()> {
    let path = layout.issue_lock(key);
    let lock = lock.try_clone().map_err(|e| Error::io("open", &path, &e))?;
    Finder { layout, key, lock: lock.into() }.settle(parts)
}

/// The name under which bytes of a log are kept that were taken out of it.
pub(super) fn quarantine_name(key: &str, at: Place, length: u64) -> String {
    format!("{key}-{}-{}-{length}.bin", at.date, at.offset)
}

/// Whether a line is one JSON object and nothing else, whatever its fields.
pub(super) fn is_one_object(line: &[u8]) -> bool {
    let texts = envelope::split_line(line);
    texts.len() == 1 && texts[0].is_object && texts[0].faults.is_empty()
}

/// The time of the event that `bytes` are, if they are exactly the one that comes next.
pub(super) fn whole_event(bytes: &[u8], key: &str, sequence: u64) -> Option<Timestamp> {
    let text = std::str::from_utf8(bytes).ok()?;
    if !is_one_object(bytes) {
        return None;
    }
    let (event, faults) = envelope::read(text);
    let next = faults.is_empty()
        && event.issue_key.as_deref() == Some(key)
        && event.event_sequence == Some(sequence);
    next.then(|| event.timestamp.and_then(|t| Timestamp::parse(&t).ok()))?
}

/// Takes away a partition that has no events; the day's folder may be others' and stays.
pub(super) fn unmake_partition(layout: &Layout, key: &str, date: Date) -> Result<()> {
    remove_if_there(&layout.events(date, key))?;
    // Other files may stand there: then the folder stays.
    let _ = remove_dir(&layout.partition(date, key));
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::clock::Clock;
    use crate::store::local::LocalStore;
    use crate::store::local::io::append_all;
    use crate::store::local::testing::note_draft;
    use crate::store::{AppendOptions, Batch, Durability, EventStore};

    fn append(store: &LocalStore, durability: Durability) -> u64 {
        let batch = Batch { issue_key: "P-1".into(), drafts: vec![note_draft()] };
        let options = AppendOptions { durability, ..AppendOptions::default() };
        store.append(&batch, &options).unwrap()[0].event_sequence
    }

    fn made(dir: &Path) -> LocalStore {
        let at = Timestamp::parse("2026-11-20T12:00:00Z").unwrap();
        LocalStore::at(dir, Clock::Fixed(at))
    }

    fn locked(store: &LocalStore) -> Locked<'_> {
        Locked::take(&store.layout, "P-1", Duration::from_secs(9)).unwrap()
    }

    #[test]
    fn a_batch_that_was_cut_short_is_taken_out_of_every_partition() {
        let (today, later) = ("2026-11-20", "2026-11-21");
        let date = |text| Date::parse(text).unwrap();
        let line = |n: u64| format!("{{\"event_id\":\"e{n}\",\"event_sequence\":{n}}}\n");
        let first = [line(3), line(4)].concat();
        let second = line(5);
        for (written, sequence) in [
            ((first.as_str(), Some(second.as_str())), 5),
            ((first.as_str(), None), 2),
            ((first.as_str(), Some("")), 2),
            ((first.as_str(), Some("{\"event_id\"")), 2),
            ((&first[..line(3).len()], None), 2),
            ((&first[..9], None), 2),
            (("", None), 2),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let store = made(dir.path());
            append(&store, Durability::Os);
            append(&store, Durability::Os);
            let log = locked(&store);
            let end = log.head.end.unwrap();
            let part = |at, text: &str| Part {
                at,
                length: text.len() as u64,
                hash: fingerprint(text.as_bytes()),
            };
            let next = Place { date: date(later), offset: 0 };
            let note = record::write_note(&log.lock, &[part(end, &first), part(next, &second)]);
            let noted = HeadRecord { note: Some(note.unwrap()), ..log.head.clone() };
            record::write_head(&log.lock, &noted).unwrap();
            append_all(log.file.as_ref().unwrap(), written.0.as_bytes()).unwrap();
            if let Some(text) = written.1 {
                fs::create_dir_all(store.layout.partition(date(later), "P-1")).unwrap();
                fs::write(store.layout.events(date(later), "P-1"), text).unwrap();
            }
            drop(log);
            let log = locked(&store);
            assert_eq!(log.head.sequence, sequence, "{written:?}");
            let last = if sequence == 5 { later } else { today };
            assert_eq!(log.head.end.unwrap().date, date(last), "{written:?}");
            assert_eq!(log.head.note, None);
            drop(log);
            assert_eq!(append(&store, Durability::Sync), sequence + 1);
        }
    }
}
