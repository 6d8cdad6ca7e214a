//! What the lock files remember: short texts with a checksum, believed only as far as they fit.
//!
//! Lives here: the text forms of the head of an issue, of a batch that is being written, and of
//! how far an issue and the global log were published. May not live here: deciding whether a
//! record still fits the files (see [`super::head`] and [`super::global`]).
//!
//! An issue's lock file has three slots: the head at 0, the published place at 512, the note of a
//! batch at 1024; its sync lock's and the global lock's files have one. Each is one line of words, the last of which is a fingerprint of those before.

use std::fs::File;
use std::io;

use super::io::{Bytes, FileId, fingerprint, read_full_at, write_at};
use super::layout::Date;
use crate::model::Timestamp;

/// The size of the first two slots.
const SLOT: usize = 512;
/// How many bytes at the end of a file its fingerprint is made of.
pub(super) const TAIL: u64 = 128;

/// A place in an issue's log: so many bytes into that day's partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) date: Date,
    pub(super) offset: u64,
}

/// The end of an issue's log, as the last writer left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HeadRecord {
    /// The last partition and its length; none for a log without events.
    pub(super) end: Option<Place>,
    /// The sequence number of the last event.
    pub(super) sequence: u64,
    /// The running maximum of the events' times.
    pub(super) latest: Timestamp,
    /// Which file the last partition is.
    pub(super) file: FileId,
    /// The fingerprint of its last bytes.
    pub(super) tail: u64,
    /// The length of the note of a batch that is being written, and its fingerprint.
    pub(super) note: Option<(u64, u64)>,
    /// The boot in which it was written; `-` where that cannot be told.
    pub(super) boot: String,
}

/// How far an issue's log is durable, as the last leader of a sync left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SyncRecord {
    /// The boot in which it was written; `-` where that cannot be told.
    pub(super) boot: String,
    /// What became of the last sync.
    pub(super) state: SyncState,
    /// What stands before this is durable, with its folders.
    pub(super) end: Option<Place>,
    /// Which file the partition of that place is.
    pub(super) file: FileId,
}

/// What became of a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SyncState {
    /// It was done.
    Clean,
    /// It is under way, or its leader was killed.
    Syncing,
    /// It failed.
    Poisoned,
}

/// The names of the states in the record.
const SYNC_STATES: [(SyncState, &str); 3] = [
    (SyncState::Clean, "clean"),
    (SyncState::Syncing, "syncing"),
    (SyncState::Poisoned, "poisoned"),
];

/// One partition's part of a batch that is being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// Where it begins.
    pub(super) at: Place,
    /// How many bytes it has.
    pub(super) length: u64,
    /// Their fingerprint.
    pub(super) hash: u64,
}

/// How far an issue stands in the global log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Published {
    /// Which global log is meant: another one does not have these lines.
    pub(super) generation: u64,
    /// The sequence number of the last line that is there.
    pub(super) sequence: u64,
    /// Where the next one begins; none for the beginning of the log.
    pub(super) next: Option<Place>,
}

/// The global log as the last publisher left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GlobalRecord {
    /// Changes whenever the log is made anew.
    pub(super) generation: u64,
    /// Its length.
    pub(super) length: u64,
    /// Which file it is.
    pub(super) file: FileId,
    /// The fingerprint of its last bytes.
    pub(super) tail: u64,
    /// The boot in which it was written; `-` where that cannot be told.
    pub(super) boot: String,
    /// How many of its lines have a leaf hash; none where nobody counted them yet.
    pub(super) leaves: Option<u64>,
}

/// What an issue's lock file says.
#[derive(Debug, Default)]
pub(super) struct IssueRecords {
    pub(super) head: Option<HeadRecord>,
    pub(super) published: Option<Published>,
}

/// Reads both slots of an issue's lock file at once.
pub(super) fn read_issue(lock: &File) -> io::Result<IssueRecords> {
    let mut slots = [0; 2 * SLOT];
    let got = read_slots(lock, &mut slots, 0)?;
    let (head, published) = slots[..got].split_at(got.min(SLOT));
    Ok(IssueRecords { head: HeadRecord::parse(head), published: Published::parse(published) })
}

/// Reads how far an issue was published.
pub(super) fn read_published(lock: &File) -> io::Result<Option<Published>> {
    let mut slot = [0; SLOT];
    let got = read_slots(lock, &mut slot, SLOT as u64)?;
    Ok(Published::parse(&slot[..got]))
}

/// Writes the head of an issue.
pub(super) fn write_head(lock: &File, head: &HeadRecord) -> io::Result<()> {
    write_at(lock, &sealed(&head.text()), 0)
}

/// Writes how far an issue was published.
pub(super) fn write_published(lock: &File, published: Published) -> io::Result<()> {
    write_at(lock, &sealed(&published.text()), SLOT as u64)
}

/// Reads the global log's record.
pub(super) fn read_global(lock: &File) -> io::Result<Option<GlobalRecord>> {
    let mut slot = [0; SLOT];
    let got = read_slots(lock, &mut slot, 0)?;
    Ok(GlobalRecord::parse(&slot[..got]))
}

/// Writes the global log's record.
pub(super) fn write_global(lock: &File, record: &GlobalRecord) -> io::Result<()> {
    write_at(lock, &sealed(&record.text()), 0)
}

/// Reads what a sync lock's file says.
pub(super) fn read_sync(lock: &File) -> io::Result<Option<SyncRecord>> {
    let mut slot = [0; SLOT];
    let got = read_slots(lock, &mut slot, 0)?;
    Ok(SyncRecord::parse(&slot[..got]))
}

/// Writes how far an issue's log is durable.
pub(super) fn write_sync(lock: &File, record: &SyncRecord) -> io::Result<()> {
    write_at(lock, &sealed(&record.text()), 0)
}

/// Writes the note of a batch and gives what the head must say of it.
pub(super) fn write_note(lock: &File, parts: &[Part]) -> io::Result<(u64, u64)> {
    let text: String = parts
        .iter()
        .map(|p| format!("{} {} {} {:x}\n", p.at.date, p.at.offset, p.length, p.hash))
        .collect();
    write_at(lock, text.as_bytes(), 2 * SLOT as u64)?;
    Ok((text.len() as u64, fingerprint(text.as_bytes())))
}

/// Reads the note that a head speaks of; none when it is not what was written.
pub(super) fn read_note(lock: &File, (length, hash): (u64, u64)) -> io::Result<Option<Vec<Part>>> {
    let bytes = super::io::read_range(lock, 2 * SLOT as u64, 2 * SLOT as u64 + length)?;
    if fingerprint(&bytes) != hash {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.lines().map(|line| Part::parse(&mut line.split(' '))).collect())
}

/// One read: a record that it cuts short has no line feed, or a fingerprint that does not fit.
fn read_slots(lock: &File, slots: &mut [u8], offset: u64) -> io::Result<usize> {
    loop {
        match lock.read_at(slots, offset) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

pub(super) fn sealed(text: &str) -> Vec<u8> {
    format!("{text} {:x}\n", fingerprint(text.as_bytes())).into_bytes()
}

/// The words of a slot's line, if its fingerprint fits.
pub(super) fn unsealed(slot: &[u8]) -> Option<&str> {
    let end = slot.iter().position(|byte| *byte == b'\n')?;
    let (text, hash) = std::str::from_utf8(&slot[..end]).ok()?.rsplit_once(' ')?;
    (u64::from_str_radix(hash, 16).ok()? == fingerprint(text.as_bytes())).then_some(text)
}

type Words<'a> = std::str::Split<'a, char>;

fn number(words: &mut Words<'_>) -> Option<u64> {
    words.next()?.parse().ok()
}

fn hex(words: &mut Words<'_>) -> Option<u64> {
    u64::from_str_radix(words.next()?, 16).ok()
}

/// A word that may be `-` for none; an outer none for anything else.
#[allow(clippy::option_option, reason = "absent and unreadable are two things")]
fn date(words: &mut Words<'_>) -> Option<Option<Date>> {
    match words.next()? {
        "-" => Some(None),
        word => Date::parse(word).map(Some),
    }
}

fn date_text(date: Option<&Date>) -> &str {
    date.map_or("-", Date::as_str)
}

impl Part {
    fn parse(words: &mut Words<'_>) -> Option<Self> {
        let at = Place { date: date(words)??, offset: number(words)? };
        Some(Self { at, length: number(words)?, hash: hex(words)? })
    }
}

impl HeadRecord {
    fn text(&self) -> String {
        let (note_length, note_hash) = self.note.unwrap_or_default();
        format!(
            "head 3 {} {} {} {} {} {} {:x} {note_length} {note_hash:x} {}",
            date_text(self.end.as_ref().map(|p| &p.date)),
            self.end.map_or(0, |p| p.offset),
            self.sequence,
            self.latest.millis(),
            self.file.device,
            self.file.inode,
            self.tail,
            self.boot,
        )
    }

    fn parse(slot: &[u8]) -> Option<Self> {
        let mut words = unsealed(slot)?.strip_prefix("head 3 ")?.split(' ');
        let w = &mut words;
        let (date_of_end, offset) = (date(w)?, number(w)?);
        let end = date_of_end.map(|date| Place { date, offset });
        let sequence = number(w)?;
        let latest = Timestamp::from_millis(w.next()?.parse().ok()?);
        let file = FileId { device: number(w)?, inode: number(w)? };
        let tail = hex(w)?;
        let note = (number(w)?, hex(w)?);
        let note = (note.0 > 0).then_some(note);
        let boot = w.next()?.to_owned();
        Some(Self { end, sequence, latest, file, tail, note, boot })
    }
}

impl Published {
    pub(super) fn text(self) -> String {
        let offset = self.next.map_or(0, |p| p.offset);
        let date = self.next.map(|p| p.date);
        let date = date_text(date.as_ref()).to_owned();
        format!("published 1 {:x} {} {date} {offset}", self.generation, self.sequence)
    }

    fn parse(slot: &[u8]) -> Option<Self> {
        Self::of_text(unsealed(slot)?)
    }

    pub(super) fn of_text(text: &str) -> Option<Self> {
        let mut words = text.strip_prefix("published 1 ")?.split(' ');
        let w = &mut words;
        let (generation, sequence, date) = (hex(w)?, number(w)?, date(w)?);
        let offset = number(w)?;
        Some(Self { generation, sequence, next: date.map(|date| Place { date, offset }) })
    }
}

impl SyncRecord {
    fn text(&self) -> String {
        let state = SYNC_STATES.iter().find(|(state, _)| *state == self.state);
        let date = self.end.map(|p| p.date);
        format!(
            "sync 1 {} {} {} {} {} {}",
            self.boot,
            state.map_or("", |(_, name)| name),
            date_text(date.as_ref()),
            self.end.map_or(0, |p| p.offset),
            self.file.device,
            self.file.inode,
        )
    }

    fn parse(slot: &[u8]) -> Option<Self> {
        let mut words = unsealed(slot)?.strip_prefix("sync 1 ")?.split(' ');
        let w = &mut words;
        let (boot, state) = (w.next()?.to_owned(), w.next()?);
        let state = SYNC_STATES.iter().find(|(_, name)| *name == state)?.0;
        let (date, offset) = (date(w)?, number(w)?);
        let file = FileId { device: number(w)?, inode: number(w)? };
        Some(Self { boot, state, end: date.map(|date| Place { date, offset }), file })
    }
}

impl GlobalRecord {
    pub(super) fn text(&self) -> String {
        let Self { generation, length, file, tail, boot, leaves } = self;
        let FileId { device, inode } = file;
        let counted = leaves.map_or_else(|| "-".to_owned(), |count| count.to_string());
        format!("global 2 {generation:x} {length} {device} {inode} {tail:x} {boot} {counted}")
    }

    fn parse(slot: &[u8]) -> Option<Self> {
        Self::of_text(unsealed(slot)?)
    }

    pub(super) fn of_text(text: &str) -> Option<Self> {
        // The first version had no leaf hashes.
        let words = text.strip_prefix("global 2 ").or_else(|| text.strip_prefix("global 1 "));
        let mut words = words?.split(' ');
        let w = &mut words;
        let (generation, length) = (hex(w)?, number(w)?);
        let file = FileId { device: number(w)?, inode: number(w)? };
        let (tail, boot) = (hex(w)?, w.next()?.to_owned());
        let leaves = w.next().and_then(|word| word.parse().ok());
        Some(Self { generation, length, file, tail, boot, leaves })
    }
}

/// The fingerprint of the last bytes of what ends at `end` in `file`.
pub(super) fn tail_of(file: &impl Bytes, end: u64) -> io::Result<u64> {
    let mut bytes = [0; TAIL as usize];
    let from = end.saturating_sub(TAIL);
    let wanted = usize::try_from(end - from).unwrap_or(bytes.len());
    let got = read_full_at(file, &mut bytes[..wanted], from)?;
    Ok(fingerprint(&bytes[..got]))
}

#[cfg(test)]
mod tests;
