//! Snapshots as files beside the events they follow.
//!
//! Lives here: keeping, reading, finding, listing and letting go of snapshots. May not live here:
//! their text (see [`crate::store::snapshot`]), the log that they stand for (see
//! [`super::anchors`]).

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::LocalStore;
use super::io::{is_absent, make_dirs, remove_if_there, replace};
use super::layout::check_key;
use super::seekable;
use crate::error::{Error, ErrorKind, Result};
use crate::store::snapshot::{Retention, Snapshot, Versions};

/// How the names of snapshots end.
const PLAIN: &str = ".json";
/// How the names of compressed ones end.
const PACKED: &str = ".json.zst";
/// How large the text of a snapshot may be.
const MAX_TEXT: u64 = 256 << 20;

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
                let Some(snapshot) = read(&path, &key, event_sequence)? else { continue };
                let bytes = fs::metadata(&path).map_or(0, |metadata| metadata.len());
                let issue_key = key.clone();
                entries.push(SnapshotEntry { issue_key, event_sequence, path, bytes, snapshot });
            }
        }
        Ok(entries)
    }

    /// The newest snapshot at or before `position` that has these versions, whose digest fits, and
    /// that the log and its checkpoints bear out; and for each newer file that was passed over,
    /// why. The log is read up to it.
    ///
    /// # Errors
    /// Unavailable, when something cannot be read.
    pub fn proven_snapshot(
        &self,
        issue_key: &str,
        position: u64,
        versions: Versions,
    ) -> Result<(Option<Snapshot>, Vec<String>)> {
        self.find_snapshot(
            issue_key,
            position,
            versions,
            &|snapshot| match self.misfit(snapshot)? {
                None => self.unfit_anchor(issue_key, std::slice::from_ref(&snapshot.anchor)),
                some => Ok(some),
            },
        )
    }

    /// The same, with no more than a look at the log: for who makes the next one, and hashes only
    /// what came since.
    ///
    /// # Errors
    /// Unavailable, when the folders cannot be read.
    pub fn load_snapshot(
        &self,
        issue_key: &str,
        position: u64,
        versions: Versions,
    ) -> Result<(Option<Snapshot>, Vec<String>)> {
        self.find_snapshot(issue_key, position, versions, &|snapshot| self.misfit(snapshot))
    }

    fn find_snapshot(
        &self,
        issue_key: &str,
        position: u64,
        versions: Versions,
        misfit: &dyn Fn(&Snapshot) -> Result<Option<String>>,
    ) -> Result<(Option<Snapshot>, Vec<String>)> {
        let mut reasons = Vec::new();
        for (sequence, path) in self.snapshot_files(issue_key)? {
            let Some(read) = read(&path, issue_key, sequence)? else { continue };
            match read {
                Ok(snapshot) if snapshot.position > position => {}
                Ok(snapshot) if snapshot.versions != versions => {
                    reasons.push(format!("{}: made by another version", path.display()));
                }
                Ok(snapshot) => match misfit(&snapshot)? {
                    None => return Ok((Some(snapshot), reasons)),
                    Some(reason) => reasons.push(format!("{}: {reason}", path.display())),
                },
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
            let length = self.layout.length(date, &snapshot.issue_key)?;
            if left <= length {
                break;
            }
            left -= length;
        }
        let Some(date) = partition else {
            return Err(self.layout.no_such_issue(&snapshot.issue_key));
        };
        let text = snapshot.to_text();
        if text.len() as u64 > MAX_TEXT {
            let message = format!("the state has {} bytes, too many to keep", text.len());
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
        let folder = self.layout.partition(date, &snapshot.issue_key);
        // Of an archived partition the folder itself may be gone.
        make_dirs(&folder)?;
        let name = format!("snapshot-{}{PLAIN}", snapshot.event_sequence);
        let path = folder.join(name);
        if self.plain_snapshots {
            replace(&path, text.as_bytes(), true)?;
            super::note_told(&path.display().to_string());
            return Ok(path);
        }
        let path = path.with_extension("json.zst");
        let packed = seekable::pack(text.as_bytes()).map_err(|e| Error::io("write", &path, &e))?;
        replace(&path, &packed, true)?;
        super::note_told(&path.display().to_string());
        Ok(path)
    }

    /// Lets go of snapshots of an issue (of all issues where none is named) and gives their paths;
    /// with `dry_run` only says which.
    ///
    /// # Errors
    /// Unavailable, when files cannot be read or removed.
    pub fn gc_snapshots(
        &self,
        issue_key: Option<&str>,
        dry_run: bool,
        retention: Retention,
    ) -> Result<Vec<PathBuf>> {
        let mut gone = Vec::new();
        for key in issue_key.map_or_else(|| self.keys(), |key| Ok(vec![key.to_owned()]))? {
            let mut entries = self.snapshots(Some(&key))?;
            for entry in &mut entries {
                let misfit = entry.snapshot.as_ref().map(|snapshot| self.misfit(snapshot));
                if let Ok(Some(reason)) = misfit.unwrap_or(Ok(None)) {
                    entry.snapshot = Err(reason);
                }
            }
            // One that cannot be believed is of no use at any age.
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
}

/// Reads a snapshot and checks that it is the one its name says; none where there is no such file.
/// However it was made, no more memory is taken than that of the largest one that is kept.
///
/// # Errors
/// Unavailable, when the file cannot be read.
pub(super) fn read(
    path: &Path,
    key: &str,
    sequence: u64,
) -> Result<Option<Result<Snapshot, String>>> {
    let failed = |e: io::Error| Error::io("read", path, &e);
    let file = match File::open(path) {
        Err(error) if is_absent(&error) => return Ok(None),
        opened => opened.map_err(failed)?,
    };
    let mut bytes = Vec::new();
    file.take(MAX_TEXT + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_TEXT {
        return Ok(Some(Err(format!("it has more than {MAX_TEXT} bytes"))));
    }
    if path.extension().is_none_or(|extension| extension != "zst") {
        return Ok(Some(check(&bytes[..], key, sequence)));
    }
    Ok(Some(match seekable::unpack(&bytes, MAX_TEXT) {
        Ok(text) => check(text, key, sequence),
        Err(error) => Err(error.to_string()),
    }))
}

fn check(text: impl Read, key: &str, sequence: u64) -> Result<Snapshot, String> {
    let snapshot = Snapshot::parse(text)?;
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
        let number = name
            .strip_prefix("snapshot-")
            .and_then(|name| name.strip_suffix(PLAIN).or_else(|| name.strip_suffix(PACKED)));
        if let Some(number) = number.and_then(|n| n.parse().ok()) {
            files.push((number, path));
        }
    }
    Ok(files)
}
