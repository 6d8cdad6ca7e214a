//! Checkpoints, as C2SP's tlog-checkpoint has them: whose log, how large, which root.
//!
//! Lives here: [`Checkpoint`] and its text, the file with the last one, and the history of those
//! before. May not live here: making them (see [`super::sign`]).

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::hashes::{Hash, hash_from_base64, to_base64};
use super::note;
use crate::error::{Error, ErrorKind, Result};
use crate::store::local::io::{read_if_there, replace};

/// The file with the last checkpoint.
pub(crate) const FILE: &str = "checkpoint";
/// The file with some of those before.
pub(crate) const HISTORY: &str = "history";
/// How many of the last checkpoints the history keeps all of.
const RECENT: usize = 16;
/// How many it keeps at most.
const KEPT: usize = 64;

/// A tree: how many leaves it has, and its root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// Which log it is.
    pub(crate) origin: String,
    /// How many leaves the tree has.
    pub(crate) size: u64,
    /// Its root.
    pub(crate) root: Hash,
}

impl Checkpoint {
    /// The text that is signed.
    pub(crate) fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, to_base64(&self.root))
    }

    /// Reads such a text; lines after the third are left to others.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let plain = size == "0" || !size.starts_with(['0', '+']);
        let whole = !origin.is_empty() && plain && lines.all(|line| !line.is_empty());
        let size = size.parse().ok().filter(|_| whole)?;
        Some(Self { origin: origin.to_owned(), size, root: hash_from_base64(root)? })
    }

    /// Reads the text of a note, whoever signed it.
    pub(crate) fn of_note(note: &str) -> Option<Self> {
        Self::parse(note::parse(note)?.0)
    }
}

/// How many leaves the last checkpoint says that it signs: one small read, and no look at whether
/// it is one. None where that does not tell.
pub(crate) fn last_size(log: &Path) -> Option<u64> {
    let mut text = [0; 256];
    let read = File::open(log.join(FILE)).and_then(|mut file| file.read(&mut text)).ok()?;
    let mut lines = text[..read].split(|byte| *byte == b'\n');
    let (_, size, _) = (lines.next()?, lines.next()?, lines.next()?);
    std::str::from_utf8(size).ok()?.parse().ok()
}

/// The last checkpoint of a log and its note; none where nothing was signed.
///
/// # Errors
/// Integrity, when it is no checkpoint; unavailable, when it cannot be read.
pub(crate) fn last(log: &Path) -> Result<Option<(Checkpoint, String)>> {
    let path = log.join(FILE);
    let Some(bytes) = read_if_there(&path)? else { return Ok(None) };
    let note = String::from_utf8(bytes).ok();
    let read = note.and_then(|note| Some((Checkpoint::of_note(&note)?, note)));
    let damaged = || {
        Error::new(ErrorKind::Integrity, format!("{} is no checkpoint", path.display()))
            .with_hint("put back a copy of it, such as `store checkpoint` printed")
    };
    read.ok_or_else(damaged).map(Some)
}

/// A checkpoint as the history keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// How many leaves it speaks of.
    pub(crate) size: u64,
    /// How long the global log was.
    pub(crate) bytes: u64,
    /// The signed note.
    pub(crate) note: String,
}

/// The history, oldest first. Lines that are no entry are counted in the second place.
pub(crate) fn history(log: &Path) -> Result<(Vec<Entry>, usize)> {
    let Some(bytes) = read_if_there(&log.join(HISTORY))? else { return Ok((Vec::new(), 0)) };
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let read: Vec<Option<Entry>> = lines.map(|line| serde_json::from_slice(line).ok()).collect();
    let damaged = read.iter().filter(|entry| entry.is_none()).count();
    Ok((read.into_iter().flatten().collect(), damaged))
}

/// Adds to the history. It stays small: of what is old, ever fewer are kept.
pub(crate) fn remember(log: &Path, entry: Entry) -> Result<()> {
    let (mut entries, _) = history(log)?;
    entries.retain(|old| old.size < entry.size);
    entries.push(entry);
    thin(&mut entries);
    let mut text = String::new();
    for entry in &entries {
        let line = serde_json::to_string(entry);
        text.push_str(&line.map_err(|e| Error::internal(e.to_string()))?);
        text.push('\n');
    }
    replace(&log.join(HISTORY), text.as_bytes(), true)
}

/// Lets go of the entry that leaves the smallest hole for its age.
fn thin(entries: &mut Vec<Entry>) {
    while entries.len() > KEPT {
        let head = entries.last().map_or(0, |entry| entry.size);
        let hole = |at: usize| {
            let (before, after) = (entries[at - 1].size, entries[at + 1].size);
            (u128::from(after - before) << 32) / u128::from(head - entries[at].size + 1)
        };
        let Some(at) = (1..entries.len() - RECENT).min_by_key(|at| hole(*at)) else { return };
        entries.remove(at);
    }
}
