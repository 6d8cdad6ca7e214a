//! Snapshots as files beside the events they follow.
//!
//! Lives here: keeping, finding, listing and letting go of snapshots, and the hash of the log
//! that they stand for. May not live here: their text (see [`crate::store::snapshot`]).

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::LocalStore;
use super::io::{is_absent, read_full_at, read_if_there, remove_if_there, replace};
use super::layout::{Date, check_key};
use super::source::Source;
use super::tail::no_such_issue;
use crate::error::{Error, Result};
use crate::model::ids;
use crate::store::Locator;
use crate::store::snapshot::{LogAnchor, Retention, Snapshot, Versions};

/// A snapshot as a listing shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotEntry {
    /// The issue.
    pub issue_key: String,
    /// The sequence number that its name tells.
    pub event_sequence: u64,
    /// The file.
    pub path: PathBuf,
    /// The size of the file.
    pub bytes: u64,
    /// The snapshot, or why it is not to be believed.
    pub snapshot: Result<Snapshot, String>,
}

impl LocalStore {
    /// All snapshots of an issue (of all issues where none is named), each read and checked
    /// against its own digest, in the order of the issues and then the newest first.
    ///
    /// # Errors
    /// Unavailable, when the folders cannot be read.
    pub fn snapshots(&self, issue_key: Option<&str>) -> Result<Vec<SnapshotEntry>> {
        let keys = match issue_key {
            Some(key) => vec![key.to_owned()],
            None => self.keys()?,
        };
        let mut entries = Vec::new();
        for key in keys {
            for (event_sequence, path) in self.snapshot_files(&key)? {
                let Some(bytes) = read_if_there(&path)? else { continue };
                let snapshot = check(&bytes, &key, event_sequence);
                let bytes = bytes.len() as u64;
                let issue_key = key.clone();
                entries.push(SnapshotEntry { issue_key, event_sequence, path, bytes, snapshot });
            }
        }
        Ok(entries)
    }

    /// The newest snapshot at or before `position` that has these versions and whose digest
    /// fits, and for each newer file that was passed over, why.
    ///
    /// # Errors
    /// Unavailable, when the folders cannot be read.
    pub fn load_snapshot(
        &self,
        issue_key: &str,
        position: u64,
        versions: Versions,
    ) -> Result<(Option<Snapshot>, Vec<String>)> {
        let mut reasons = Vec::new();
        for (sequence, path) in self.snapshot_files(issue_key)? {
            let Some(bytes) = read_if_there(&path)? else { continue };
            match check(&bytes, issue_key, sequence) {
                Ok(snapshot) if snapshot.position > position => {}
                Ok(snapshot) if snapshot.versions != versions => {
                    reasons.push(format!("{}: made by another version", path.display()));
                }
                Ok(snapshot) => return Ok((Some(snapshot), reasons)),
                Err(reason) => reasons.push(format!("{}: {reason}", path.display())),
            }
        }
        Ok((None, reasons))
    }

    /// Writes a snapshot durably and gives its path.
    pub(super) fn write_snapshot(&self, snapshot: &Snapshot) -> Result<PathBuf> {
        check_key(&snapshot.issue_key)?;
        let mut left = snapshot.anchor.log_bytes;
        let mut partition = None;
        for date in self.layout.partitions(&snapshot.issue_key)? {
            partition = Some(date);
            let length = self.length(date, &snapshot.issue_key)?;
            if left <= length {
                break;
            }
            left -= length;
        }
        let Some(date) = partition else {
            return Err(no_such_issue(&self.layout, &snapshot.issue_key));
        };
        let name = format!("snapshot-{}.json", snapshot.event_sequence);
        let path = self.layout.partition(date, &snapshot.issue_key).join(name);
        replace(&path, snapshot.to_text().as_bytes(), true)?;
        super::note_told(&path.display().to_string());
        Ok(path)
    }

    /// What a snapshot behind the line at `last` stands for, hashed on from `before` where there
    /// is one.
    ///
    /// # Errors
    /// Integrity, when the log does not reach so far; unavailable, when it cannot be read.
    pub fn anchor(
        &self,
        issue_key: &str,
        last: Locator,
        before: Option<&LogAnchor>,
    ) -> Result<LogAnchor> {
        let dates = self.layout.partitions(issue_key)?;
        let mut log_bytes = last.offset + u64::from(last.len) + 1;
        for date in dates.iter().take(last.segment as usize) {
            log_bytes += self.length(*date, issue_key)?;
        }
        self.hash(issue_key, log_bytes, before.map(|b| (b.log_bytes, b.log_hash.as_str())))
    }

    /// Why the log is not (or no longer) what a chain of snapshots, oldest first, stands for:
    /// none when every hash fits.
    ///
    /// # Errors
    /// Unavailable, when the log cannot be read.
    pub fn check_anchors(&self, issue_key: &str, chain: &[LogAnchor]) -> Result<Option<String>> {
        let mut before: Option<&LogAnchor> = None;
        for anchor in chain {
            let base = match anchor.chained_bytes {
                0 => None,
                bytes => match before.filter(|b| b.log_bytes == bytes) {
                    Some(base) => Some((bytes, base.log_hash.as_str())),
                    None => {
                        return Ok(Some(format!(
                            "the hash at byte {} follows one at byte {bytes} that is not there",
                            anchor.log_bytes
                        )));
                    }
                },
            };
            if self.hash(issue_key, anchor.log_bytes, base)?.log_hash != anchor.log_hash {
                return Ok(Some(format!(
                    "the first {} bytes of the log are not those that were hashed",
                    anchor.log_bytes
                )));
            }
            before = Some(anchor);
        }
        Ok(None)
    }

    /// Lets go of snapshots and gives their paths; with `dry_run` only says which.
    ///
    /// # Errors
    /// Unavailable, when files cannot be read or removed.
    pub fn gc_snapshots(&self, dry_run: bool, retention: Retention) -> Result<Vec<PathBuf>> {
        let mut gone = Vec::new();
        for key in self.keys()? {
            let entries = self.snapshots(Some(&key))?;
            // One that cannot be read is of no use at any age.
            let (sound, bad): (Vec<_>, Vec<_>) =
                entries.into_iter().partition(|e| e.snapshot.is_ok());
            gone.extend(bad.into_iter().map(|e| e.path));
            let made: Vec<_> =
                sound.iter().filter_map(|e| Some(e.snapshot.as_ref().ok()?.created_at)).collect();
            let expired = retention.expired(&made, self.clock.now());
            gone.extend(sound.into_iter().zip(expired).filter(|e| e.1).map(|e| e.0.path));
        }
        if !dry_run {
            for path in &gone {
                remove_if_there(path)?;
            }
        }
        Ok(gone)
    }

    fn length(&self, date: Date, issue_key: &str) -> Result<u64> {
        self.layout.length(date, issue_key)
    }

    /// The snapshot files of an issue with the sequence numbers of their names, newest first.
    fn snapshot_files(&self, issue_key: &str) -> Result<Vec<(u64, PathBuf)>> {
        let mut files = Vec::new();
        for date in self.layout.partitions(issue_key)? {
            let dir = self.layout.partition(date, issue_key);
            files.extend(snapshot_names(&dir)?);
        }
        files.sort_unstable_by(|a, b| b.cmp(a));
        Ok(files)
    }

    /// Hashes the log up to `log_bytes`, from a known hash on.
    fn hash(&self, key: &str, log_bytes: u64, base: Option<(u64, &str)>) -> Result<LogAnchor> {
        let mut hash = Sha256::new();
        let from = base.map_or(0, |(bytes, _)| bytes);
        if let Some((_, text)) = base {
            hash.update(text.as_bytes());
        }
        let mut start = 0;
        let mut block = vec![0; 1 << 20];
        for date in self.layout.partitions(key)? {
            let path = self.layout.events(date, key);
            let failed = |e: std::io::Error| Error::io("read", &path, &e);
            let file = Source::open(&self.layout, date, key).map_err(failed)?;
            let end = start + file.length().map_err(failed)?;
            let mut at = from.max(start);
            while at < log_bytes.min(end) {
                let left = usize::try_from(log_bytes.min(end) - at).unwrap_or(block.len());
                let wanted = left.min(block.len());
                let got = read_full_at(&file, &mut block[..wanted], at - start).map_err(failed)?;
                if got == 0 {
                    break;
                }
                hash.update(&block[..got]);
                at += got as u64;
            }
            start = end;
        }
        if start < log_bytes {
            let message = format!("the log of {key} has {start} bytes, not {log_bytes}");
            return Err(Error::new(crate::error::ErrorKind::Integrity, message));
        }
        let log_hash = ids::hex(&hash.finalize());
        Ok(LogAnchor { log_bytes, log_hash, chained_bytes: from })
    }
}

/// Reads a snapshot and checks that it is the one its name says.
pub(super) fn check(bytes: &[u8], key: &str, sequence: u64) -> Result<Snapshot, String> {
    let snapshot = Snapshot::parse(bytes)?;
    if snapshot.issue_key != key || snapshot.event_sequence != sequence {
        let (other, number) = (&snapshot.issue_key, snapshot.event_sequence);
        return Err(format!("it is that of event {number} of {other}"));
    }
    Ok(snapshot)
}

/// The snapshot files of a folder with the sequence numbers of their names.
pub(super) fn snapshot_names(dir: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("list", dir, &error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| Error::io("list", dir, &e))?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let number = name.strip_prefix("snapshot-").and_then(|n| n.strip_suffix(".json"));
        if let Some(number) = number.and_then(|n| n.parse().ok()) {
            files.push((number, path));
        }
    }
    Ok(files)
}
