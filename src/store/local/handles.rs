//! Files that stay open between the appends of one process.
//!
//! Lives here: [`Handles`], which lends them to one append at a time. May not live here: whether
//! a file is still the one at its path: who takes it out asks that (see [`super::lock`] and
//! [`super::head`]).
//!
//! A lock belongs to an open file, and two threads that shared one would both hold it. So what is
//! lent is gone from here until it is given back, and who finds nothing opens files anew. After an
//! error nothing is given back.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

use super::io::FileId;
use super::layout::Date;
use super::lock::LockFile;
use super::tlog::leaves::Leaves;

/// How many issues have files open at most.
const ISSUES: usize = 64;
/// How often the global log is open at most.
const PUBLISHERS: usize = 8;

/// The open files of one issue, as far as there are any.
#[derive(Debug, Default)]
pub(super) struct IssueFiles {
    pub(super) lock: Option<LockFile>,
    pub(super) sync: Option<LockFile>,
    pub(super) log: Option<OpenLog>,
}

/// A partition's file, open for reading and appending.
#[derive(Debug)]
pub(super) struct OpenLog {
    pub(super) date: Date,
    pub(super) id: FileId,
    pub(super) file: File,
}

impl OpenLog {
    /// How long the file is, if it still is the one at `path`.
    pub(super) fn length_at(&self, path: &Path) -> Option<u64> {
        let there = std::fs::metadata(path).ok()?;
        (FileId::of(&there) == self.id).then_some(there.len())
    }
}

/// The open files of the global log.
#[derive(Debug)]
pub(super) struct GlobalFiles {
    pub(super) lock: LockFile,
    pub(super) log: File,
    pub(super) id: FileId,
    pub(super) leaves: Leaves,
}

/// The files that one store has open and nobody is using.
#[derive(Debug, Default)]
pub(super) struct Handles {
    appends: AtomicU64,
    idle: Mutex<Idle>,
}

#[derive(Debug, Default)]
struct Idle {
    /// When each was given back, by a count.
    issues: FxHashMap<String, (u64, IssueFiles)>,
    given: u64,
    global: Vec<GlobalFiles>,
}

impl Handles {
    /// Counts an append. Most processes do one and end: to keep files open for them would only
    /// cost; who appends a second time does so a third time.
    pub(super) fn count_append(&self) {
        self.appends.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether files are kept: only where it can be told that a path leads to another by now.
    fn keeps(&self) -> bool {
        cfg!(unix) && self.appends.load(Ordering::Relaxed) > 1
    }

    /// The files of an issue that are open; they are the caller's until given back.
    pub(super) fn lend(&self, key: &str) -> IssueFiles {
        self.idle().issues.remove(key).map(|(_, files)| files).unwrap_or_default()
    }

    /// Takes files back, and lets go of the locks on them.
    pub(super) fn give_back(&self, key: &str, mut files: IssueFiles) {
        let mut locks = files.lock.iter_mut().chain(&mut files.sync);
        if !self.keeps() || !locks.all(LockFile::release) {
            return;
        }
        let idle = &mut *self.idle();
        idle.given += 1;
        // Of two that were open at once, one will do.
        idle.issues.insert(key.to_owned(), (idle.given, files));
        if idle.issues.len() > ISSUES {
            let oldest = idle.issues.iter().min_by_key(|(_, (given, _))| *given);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                idle.issues.remove(&oldest);
            }
        }
    }

    /// The files of the global log, if they are open.
    pub(super) fn lend_global(&self) -> Option<GlobalFiles> {
        self.idle().global.pop()
    }

    /// Takes the global log's files back, and lets go of the lock.
    pub(super) fn give_back_global(&self, mut files: GlobalFiles) {
        if self.keeps() && files.lock.release() {
            let global = &mut self.idle().global;
            if global.len() < PUBLISHERS {
                global.push(files);
            }
        }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        // Whoever panicked took its files along.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::lock;
    use super::*;

    fn files(dir: &Path, name: &str) -> IssueFiles {
        let lock = lock::take(&dir.join(name), Duration::ZERO).unwrap();
        IssueFiles { lock, ..IssueFiles::default() }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_lent_is_gone_and_only_some_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let handles = Handles::default();
        handles.count_append();
        handles.give_back("P-1", files(dir.path(), "P-1"));
        assert!(handles.lend("P-1").lock.is_none(), "nobody knows whether another append comes");
        handles.count_append();
        handles.give_back("P-1", files(dir.path(), "P-1"));
        // It is open, and not locked.
        assert!(lock::take(&dir.path().join("P-1"), Duration::ZERO).unwrap().is_some());
        assert!(handles.lend("P-1").lock.is_some());
        assert!(handles.lend("P-1").lock.is_none());
        for n in 0..=ISSUES {
            let key = n.to_string();
            handles.give_back(&key, files(dir.path(), &key));
        }
        assert!(handles.lend("0").lock.is_none());
        assert!(handles.lend("1").lock.is_some());
        assert_eq!(handles.idle().issues.len(), ISSUES - 1);
    }
}
