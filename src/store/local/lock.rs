//! Waiting for a lock file, for a bounded time.
//!
//! Lives here: [`take`], and [`Contest`] for a lock whose holder may do the work of those who wait.
//! A lock file may be open already: it counts only while it is the one at its path.
//!
//! May not live here: what the lock files say (see [`super::record`]).

use std::fs::{self, File, TryLockError};
use std::io;
use std::ops::Deref;
use std::path::Path;
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::io::{FileId, is_absent, private, try_lock};
use crate::error::{Error, ErrorKind, Result};

/// How long a lock is asked for again before the wait is left to the system: most are held for
/// less, and to be woken takes longer.
const PATIENCE: Duration = Duration::from_micros(100);

/// A lock file, open. Whoever drops it lets go of the lock.
#[derive(Debug)]
pub(super) struct LockFile {
    file: File,
    /// Which file it is, once that was asked.
    id: Option<FileId>,
    /// Whether the lock may be held.
    held: bool,
}

impl From<File> for LockFile {
    fn from(file: File) -> Self {
        Self { file, id: None, held: false }
    }
}

impl Deref for LockFile {
    type Target = File;

    fn deref(&self) -> &File {
        &self.file
    }
}

impl LockFile {
    /// Which file it is, once that was asked.
    pub(super) fn id(&self) -> Option<FileId> {
        self.id
    }

    /// Lets go of the lock without closing the file; gives whether it is free.
    pub(super) fn release(&mut self) -> bool {
        self.held = self.held && self.file.unlock().is_err();
        !self.held
    }

    /// The same file, of which somebody else let the lock go.
    pub(super) fn released(self) -> Self {
        Self { held: false, ..self }
    }

    /// Whether the lock is one that others see: somebody may have removed the file meanwhile.
    pub(super) fn is_at(&mut self, path: &Path) -> Result<bool> {
        let failed = |e: io::Error| Error::io("look at", path, &e);
        let held = match self.id {
            Some(id) => id,
            None => FileId::of(&self.file.metadata().map_err(failed)?),
        };
        self.id = Some(held);
        match fs::metadata(path) {
            Ok(there) => Ok(FileId::of(&there) == held),
            Err(error) if is_absent(&error) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }
}

/// Opens the lock file at `path` (made when it is not there) and locks it. Dropping the file, or
/// unlocking it, gives it back. None when the folder of the lock file does not exist.
///
/// # Errors
/// Unavailable, when it stays locked for longer than `timeout`, or cannot be opened.
pub(super) fn take(path: &Path, timeout: Duration) -> Result<Option<LockFile>> {
    take_again(path, timeout, None)
}

/// As [`take`], by way of a file that is open already, if it still is the one at `path`.
pub(super) fn take_again(
    path: &Path,
    timeout: Duration,
    mut open: Option<LockFile>,
) -> Result<Option<LockFile>> {
    let mut contest = Contest::new(path, timeout, PATIENCE);
    loop {
        let file = match open.take() {
            Some(file) => file,
            None => match contest.open()? {
                Some(file) => file,
                None => return Ok(None),
            },
        };
        match contest.try_take(file)? {
            Attempt::Taken(file) => return Ok(Some(file)),
            Attempt::Held(file) => {
                let (mut file, ()) = contest.wait(file, File::lock)?;
                if file.is_at(path)? {
                    return Ok(Some(file));
                }
            }
            Attempt::Removed => {}
        }
    }
}

/// Whether somebody else holds the lock of a file, and for longer than that. It is asked for as one
/// that many may have, for which the file need not be open for writing.
pub(super) fn is_held(file: &File, patience: Duration) -> bool {
    let since = Instant::now();
    loop {
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) if since.elapsed() < patience => std::thread::yield_now(),
            Err(TryLockError::WouldBlock) => return true,
            // (It is let go of with the file.)
            Ok(()) | Err(TryLockError::Error(_)) => return false,
        }
    }
}

/// The attempts of one process to get hold of one lock.
pub(super) struct Contest<'a> {
    path: &'a Path,
    timeout: Duration,
    /// How long it is asked for again before the wait is left to the system.
    patience: Duration,
    deadline: Option<Instant>,
}

/// What came of an attempt.
pub(super) enum Attempt {
    /// The lock is held by this file now.
    Taken(LockFile),
    /// Somebody else holds it.
    Held(LockFile),
    /// The file is no more what stands at its path, and locks nothing that others see.
    Removed,
}

impl<'a> Contest<'a> {
    pub(super) fn new(path: &'a Path, timeout: Duration, patience: Duration) -> Self {
        Self { path, timeout, patience, deadline: None }
    }

    /// Opens the lock file, and makes it where it is not there; none without its folder.
    pub(super) fn open(&self) -> Result<Option<LockFile>> {
        let opened = private().read(true).write(true).create(true).open(self.path);
        match opened {
            Ok(file) => Ok(Some(file.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("open", self.path, &error)),
        }
    }

    /// Asks for the lock, again and again for a moment.
    pub(super) fn try_take(&self, mut file: LockFile) -> Result<Attempt> {
        let mut since = None;
        loop {
            match try_lock(&file) {
                Ok(()) => {
                    file.held = true;
                    let same = file.is_at(self.path)?;
                    return Ok(if same { Attempt::Taken(file) } else { Attempt::Removed });
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => {
                    return Err(Error::io("lock", self.path, &error));
                }
            }
            if since.get_or_insert_with(Instant::now).elapsed() >= self.patience {
                return Ok(Attempt::Held(file));
            }
            std::thread::yield_now();
        }
    }

    /// Waits with `how`, which is [`File::lock`] or more than that, up to the deadline of all
    /// attempts together. It runs on another thread, so that it can be given up; that stays until
    /// the lock is free, so who has no time to wait does not begin to.
    pub(super) fn wait<T: Send + 'static>(
        &mut self,
        mut file: LockFile,
        how: impl FnOnce(&File) -> io::Result<T> + Send + 'static,
    ) -> Result<(LockFile, T)> {
        let now = Instant::now();
        let left = self.deadline.get_or_insert(now + self.timeout).saturating_duration_since(now);
        if left.is_zero() {
            return Err(self.still_locked());
        }
        let waiter = Waiter::get().map_err(|e| Error::io("wait for", self.path, &e))?;
        let (reply, answer) = mpsc::channel();
        file.held = true;
        let job = move || {
            let done = how(&file).map(|outcome| (file, outcome));
            // Nobody listens after the deadline: the file is dropped, and the lock with it.
            drop(reply.send(done));
        };
        // A thread that is gone answers nothing, as one that waits too long does.
        let _ = waiter.0.send(Box::new(job));
        let Ok(done) = answer.recv_timeout(left) else { return Err(self.still_locked()) };
        waiter.give_back();
        done.map_err(|e| Error::io("lock", self.path, &e))
    }

    fn still_locked(&self) -> Error {
        let message = format!("{} is still locked after {:?}", self.path.display(), self.timeout);
        Error::new(ErrorKind::Unavailable, message)
            .with_hint("another process is writing; wait for it, or raise --lock-timeout")
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// A thread that waits for locks, which the system wakes when one is free. One that gets its lock
/// too late finds nobody listening, and lets it go with the file.
struct Waiter(Sender<Job>);

/// The waiters that have nothing to do; who has need of one takes it away.
static IDLE: Mutex<Vec<Waiter>> = Mutex::new(Vec::new());
/// How many of them stay.
const WAITERS: usize = 8;

impl Waiter {
    fn get() -> io::Result<Self> {
        if let Some(waiter) = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            return Ok(waiter);
        }
        let (sender, jobs) = mpsc::channel::<Job>();
        std::thread::Builder::new().name("lock".to_owned()).spawn(move || {
            while let Ok(job) = jobs.recv() {
                job();
            }
        })?;
        Ok(Self(sender))
    }

    fn give_back(self) {
        let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < WAITERS {
            idle.push(self);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_lock_is_waited_for_and_then_given_up() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.lock");
        let held = take(&path, Duration::ZERO).unwrap().unwrap();
        let error = take(&path, Duration::from_millis(5)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.hint().unwrap().contains("--lock-timeout"));
        let waiter = {
            let path = path.clone();
            std::thread::spawn(move || take(&path, Duration::from_secs(60)).unwrap().is_some())
        };
        drop(held);
        assert!(waiter.join().unwrap());
        // The waiter that gave up must not keep it.
        assert!(take(&path, Duration::from_secs(60)).unwrap().is_some());
    }

    /// Each that waits takes a thread and an open file for as long as the lock is held.
    #[test]
    fn who_has_no_time_does_not_begin_to_wait() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.lock");
        let _held = take(&path, Duration::ZERO).unwrap().unwrap();
        let mut contest = Contest::new(&path, Duration::ZERO, Duration::ZERO);
        let (begin, begun) = mpsc::channel();
        let how = move |_: &File| begin.send(()).map_err(io::Error::other);
        let other = contest.open().unwrap().unwrap();
        let error = contest.wait(other, how).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(begun.recv().is_err());
    }

    #[test]
    fn a_lock_file_that_was_removed_is_not_taken_for_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.lock");
        let old = take(&path, Duration::ZERO).unwrap().unwrap();
        let (ready, waiting) = mpsc::channel();
        let waiter = {
            let path = path.clone();
            std::thread::spawn(move || {
                ready.send(()).unwrap();
                take(&path, Duration::from_secs(60)).unwrap().unwrap()
            })
        };
        waiting.recv().unwrap();
        fs::remove_file(&path).unwrap();
        drop(old);
        let taken = waiter.join().unwrap().metadata().unwrap();
        assert_eq!(FileId::of(&taken), FileId::of(&fs::metadata(&path).unwrap()));
        assert!(take(&dir.path().join("no/x.lock"), Duration::ZERO).unwrap().is_none());
    }
}
