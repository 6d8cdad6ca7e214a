//! How far the global log is known to be durable, and where each issue stood in it then.
//!
//! Lives here: [`note`], after everything before it was made durable, and [`restore`], which goes
//! on from there after a power cut instead of comparing all logs. May not live here: the
//! comparison of what lies behind (see [`super::global`]) or of everything (see [`super::remake`]).
//!
//! The file is a line of words like the records of locks, and a table of the issues. It is
//! believed only where the global log still is that file and has those bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::File;
use std::ops::ControlFlow;
use std::path::PathBuf;

use super::global::{Global, issue_of};
use super::io::{
    FileId, Site, fingerprint, private, read_if_there, read_range, remove_if_there, replace,
    sync_dir,
};
use super::layout::{Layout, check_key};
use super::lines::scan;
use super::record::{self, GlobalRecord, Published, tail_of};
use super::source::Source;
use crate::error::{Error, Result};

/// After so many lines it is noted anew; not before the log grew by as many as there are issues,
/// so that the sum of all notes stays linear.
const EVERY: u64 = 1024;

/// More than the first line is long.
const HEAD: u64 = 512;

/// The global log at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Watermark {
    /// The log as its record told; of no boot.
    log: GlobalRecord,
    /// How far each issue was published.
    issues: BTreeMap<String, Published>,
}

fn path(layout: &Layout) -> PathBuf {
    // Beside the locks, whose records it is like; no issue's key starts with a dot.
    layout.service("locks/.watermark")
}

impl Watermark {
    /// What is to be noted once all of it is durable; none where that is not due. The global log
    /// is locked and in order.
    pub(super) fn due(global: &Global<'_>) -> Result<Option<Self>> {
        let (layout, log) = (global.layout, &global.record);
        let Some(leaves) = log.leaves.filter(|leaves| *leaves > 0) else { return Ok(None) };
        let same = |noted: &GlobalRecord| {
            noted.generation == log.generation && fits(noted, &global.file, log.file, log.length)
        };
        let fresh = |noted: &GlobalRecord| leaves.saturating_sub(noted.leaves.unwrap_or_default());
        if read_head(layout).is_some_and(|noted| same(&noted) && fresh(&noted) < EVERY) {
            return Ok(None);
        }
        let mut keys = BTreeSet::new();
        let before = read(layout)?.filter(|mark| same(&mark.log));
        let mut issues = BTreeMap::new();
        if let Some(mark) = before {
            if fresh(&mark.log) < mark.issues.len() as u64 {
                return Ok(None);
            }
            issues = mark.issues;
            scan(&global.file, &global.path, (mark.log.length, log.length), |line| {
                keys.insert(issue_of(line.bytes));
                Ok(ControlFlow::Continue(()))
            })?;
        } else {
            for date in layout.dates()? {
                keys.extend(layout.issues_on(date)?);
            }
        }
        for key in keys.into_iter().filter(|key| check_key(key).is_ok()) {
            let path = layout.issue_lock(&key);
            let slot = match File::open(&path) {
                Ok(lock) => record::read_published(&lock).ok().flatten(),
                Err(_) => None,
            };
            match slot.filter(|slot| slot.generation == log.generation) {
                Some(slot) => issues.insert(key, slot),
                None => issues.remove(&key),
            };
        }
        Ok(Some(Self { log: GlobalRecord { boot: "-".to_owned(), ..log.clone() }, issues }))
    }
}

/// Whether the global log, `file`, still begins with what was noted.
fn fits(noted: &GlobalRecord, file: &File, id: FileId, length: u64) -> bool {
    noted.file == id
        && noted.length <= length
        && tail_of(file, noted.length).is_ok_and(|tail| tail == noted.tail)
}

/// Notes a watermark, durably. What it speaks of was made durable before.
pub(super) fn note(layout: &Layout, mark: &Watermark) -> Result<()> {
    let mut table = String::new();
    for (key, slot) in &mark.issues {
        let _ = writeln!(table, "{key} {}", slot.text());
    }
    let words = format!("{} {:x}", mark.log.text(), fingerprint(table.as_bytes()));
    let mut bytes = record::sealed(&words);
    bytes.extend_from_slice(table.as_bytes());
    replace(&path(layout), &bytes, true)
}

/// Forgets the watermark, durably: for those who change what stands before it.
pub(super) fn forget(layout: &Layout) -> Result<()> {
    let path = path(layout);
    if !path.exists() {
        return Ok(());
    }
    remove_if_there(&path)?;
    path.parent().map_or(Ok(()), |locks| sync_dir(locks, Site::ReplacedEntry))
}

/// What is noted of the log; the table is not looked at.
fn read_head(layout: &Layout) -> Option<GlobalRecord> {
    let head = read_range(&File::open(path(layout)).ok()?, 0, HEAD).ok()?;
    GlobalRecord::of_text(record::unsealed(&head)?.rsplit_once(' ')?.0)
}

fn read(layout: &Layout) -> Result<Option<Watermark>> {
    Ok(read_if_there(&path(layout))?.and_then(|bytes| parse(&bytes)))
}

fn parse(bytes: &[u8]) -> Option<Watermark> {
    let (log, hash) = record::unsealed(bytes)?.rsplit_once(' ')?;
    let log = GlobalRecord::of_text(log)?;
    let table = &bytes[memchr::memchr(b'\n', bytes)? + 1..];
    if u64::from_str_radix(hash, 16).ok()? != fingerprint(table) {
        return None;
    }
    let entry = |line: &str| {
        let (key, slot) = line.split_once(' ')?;
        Some((key.to_owned(), Published::of_text(slot)?))
    };
    let issues = std::str::from_utf8(table).ok()?.lines().map(entry).collect::<Option<_>>()?;
    Some(Watermark { log, issues })
}

/// Goes on from the watermark, and takes note of what lies behind it. False where there is none
/// that fits, or something else stands there: then all has to be compared.
pub(super) fn restore(global: &mut Global<'_>) -> Result<bool> {
    let Some(mark) = read(global.layout)? else { return Ok(false) };
    let metadata = global.file.metadata().map_err(|e| Error::io("look at", &global.path, &e))?;
    let length = metadata.len();
    let leaves = mark.log.leaves.unwrap_or_default();
    if !fits(&mark.log, &global.file, FileId::of(&metadata), length)
        || global.leaves.count()? < leaves
        || global.last_signed()? > leaves
    {
        return Ok(false);
    }
    for (key, slot) in &mark.issues {
        if !ends_a_line(global.layout, key, slot) {
            return Ok(false);
        }
    }
    let boot = super::global::boot_id().to_owned();
    global.record = GlobalRecord { boot, ..mark.log };
    // As when the log is made anew: who is killed on the way leaves a note that does not fit.
    let length_then = std::mem::replace(&mut global.record.length, u64::MAX);
    global.note()?;
    global.record.length = length_then;
    let generation = global.record.generation;
    let mut keys = BTreeSet::new();
    for date in global.layout.dates()? {
        keys.extend(global.layout.issues_on(date)?);
    }
    for key in keys {
        let path = global.layout.issue_lock(&key);
        let failed = |e: std::io::Error| Error::io("write", &path, &e);
        let nothing = Published { generation, sequence: 0, next: None };
        let slot = mark.issues.get(&key).copied().unwrap_or(nothing);
        let lock = private().read(true).write(true).create(true).open(&path);
        record::write_published(&lock.map_err(failed)?, slot).map_err(failed)?;
    }
    global.catch_up(length)
}

/// Whether an issue's log has a line that ends where the next unpublished one was noted.
fn ends_a_line(layout: &Layout, key: &str, slot: &Published) -> bool {
    let Some(next) = slot.next.filter(|next| next.offset > 0) else { return slot.sequence == 0 };
    let last = Source::open(layout, next.date, key)
        .and_then(|file| read_range(&file, next.offset - 1, next.offset));
    last.is_ok_and(|byte| byte == b"\n")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::clock::Clock;
    use crate::model::Timestamp;
    use crate::store::local::LocalStore;
    use crate::store::local::testing::note_draft;
    use crate::store::{AppendOptions, Batch, EventStore};

    const WAIT: Duration = Duration::from_secs(9);

    fn append(store: &LocalStore, count: usize) {
        let batch = Batch { issue_key: "P-1".into(), drafts: vec![note_draft(); count] };
        store.append(&batch, &AppendOptions::default()).unwrap();
    }

    /// As if the power went and came back after the last append.
    fn reboot(layout: &Layout) {
        let lock = private().read(true).write(true).open(layout.global_lock()).unwrap();
        let noted = record::read_global(&lock).unwrap().unwrap();
        let noted = GlobalRecord { boot: "another".to_owned(), ..noted };
        record::write_global(&lock, &noted).unwrap();
    }

    fn change(path: &Path, at: usize) {
        let mut bytes = fs::read(path).unwrap();
        bytes[at] ^= 1;
        fs::write(path, bytes).unwrap();
    }

    fn made(dir: &Path) -> (LocalStore, PathBuf) {
        let at = Timestamp::parse("2026-11-20T12:00:00Z").unwrap();
        let store = LocalStore::at(dir, Clock::Fixed(at));
        append(&store, 3);
        store.checkpoint(WAIT).unwrap();
        append(&store, 2);
        let log = store.layout.events(store.layout.partitions("P-1").unwrap()[0], "P-1");
        (store, log)
    }

    #[test]
    fn after_a_boot_only_what_lies_behind_is_compared() {
        for (what, bounded) in [("sound", true), ("damaged", false), ("absent", false)] {
            let dir = tempfile::tempdir().unwrap();
            let (store, log) = made(dir.path());
            let mark = path(&store.layout);
            match what {
                "damaged" => change(&mark, 20),
                "absent" => fs::remove_file(&mark).unwrap(),
                _ => {}
            }
            // A line of which the global log says something else: whoever compares it objects.
            change(&log, 30);
            reboot(&store.layout);
            append(&store, 1);
            assert_eq!(store.take_complaint().is_none(), bounded, "{what}");
        }
    }

    #[test]
    fn what_was_written_after_it_is_found_whatever_notes_there_are() {
        for cut in [0, 1, 40, 600] {
            for stale in [false, true] {
                let dir = tempfile::tempdir().unwrap();
                let (store, log) = made(dir.path());
                if stale {
                    // The notes of the issue are older than what the disk has.
                    let path = store.layout.issue_lock("P-1");
                    let lock = private().read(true).write(true).open(path).unwrap();
                    let slot = record::read_published(&lock).unwrap().unwrap();
                    let old = Published { sequence: 0, next: None, ..slot };
                    record::write_published(&lock, old).unwrap();
                }
                let global = fs::OpenOptions::new().write(true).open(store.layout.global());
                let global = global.unwrap();
                global.set_len(global.metadata().unwrap().len() - cut).unwrap();
                reboot(&store.layout);
                append(&store, 1);
                let (global, log) = (fs::read(store.layout.global()), fs::read(log));
                assert!(global.unwrap() == log.unwrap(), "{cut} {stale}");
                assert!(store.verify(None).unwrap().findings.is_empty(), "{cut} {stale}");
            }
        }
    }

    #[test]
    fn who_makes_the_log_anew_forgets_it() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = made(dir.path());
        assert!(path(&store.layout).exists());
        store.rebuild_global(WAIT).unwrap();
        assert!(!path(&store.layout).exists());
        append(&store, 1);
        store.checkpoint(WAIT).unwrap();
        let mark = read(&store.layout).unwrap().unwrap();
        assert_eq!(mark.log.leaves, Some(6));
        assert_eq!(mark.issues["P-1"].sequence, 6);
        assert_eq!(read_head(&store.layout), Some(mark.log));
    }
}
