//! Waiting for a lock file, for a bounded time.
//!
//! Lives here: [`take`], and [`Contest`] for a lock whose holder may do the work of those who wait.
//! May not live here: what the lock files say (see [`super::record`]).

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::io::{FileId, private, try_lock};
use crate::error::{Error, ErrorKind, Result};

/// How long a lock is asked for again before the wait is left to the system: most are held for
/// less, and to be woken takes longer.
const PATIENCE: Duration = Duration::from_micros(100);

/// Opens the lock file at `path` (made when it is not there) and locks it. Dropping the file, or
/// unlocking it, gives it back. None when the folder of the lock file does not exist.
///
/// # Errors
/// Unavailable, when it stays locked for longer than `timeout`, or cannot be opened.
pub(super) fn take(path: &Path, timeout: Duration) -> Result<Option<File>> {
    let mut contest = Contest::new(path, timeout);
    loop {
        let Some(file) = contest.open()? else { return Ok(None) };
        match contest.try_take(file)? {
            Attempt::Taken(file) => return Ok(Some(file)),
            Attempt::Held(file) => {
                let file = contest.wait(file, File::lock)?;
                if contest.is_at_its_path(&file)? {
                    return Ok(Some(file));
                }
            }
            Attempt::Removed => {}
        }
    }
}

/// The attempts of one process to get hold of one lock.
pub(super) struct Contest<'a> {
    path: &'a Path,
    timeout: Duration,
    deadline: Option<Instant>,
}

/// What came of an attempt.
pub(super) enum Attempt {
    /// The lock is held by this file now.
    Taken(File),
    /// Somebody else holds it.
    Held(File),
    /// The file is no more what stands at its path, and locks nothing that others see.
    Removed,
}

impl<'a> Contest<'a> {
    pub(super) fn new(path: &'a Path, timeout: Duration) -> Self {
        Self { path, timeout, deadline: None }
    }

    /// Opens the lock file, and makes it where it is not there; none without its folder.
    pub(super) fn open(&self) -> Result<Option<File>> {
        let opened = private().read(true).write(true).create(true).open(self.path);
        match opened {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("open", self.path, &error)),
        }
    }

    /// Asks for the lock, again and again for a moment.
    pub(super) fn try_take(&self, file: File) -> Result<Attempt> {
        let mut since = None;
        loop {
            match try_lock(&file) {
                Ok(()) if self.is_at_its_path(&file)? => return Ok(Attempt::Taken(file)),
                Ok(()) => return Ok(Attempt::Removed),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => {
                    return Err(Error::io("lock", self.path, &error));
                }
            }
            if since.get_or_insert_with(Instant::now).elapsed() >= PATIENCE {
                return Ok(Attempt::Held(file));
            }
            std::thread::yield_now();
        }
    }

    /// Waits with `how`, [`File::lock`] or [`File::lock_shared`], up to the deadline of all
    /// attempts together.
    pub(super) fn wait(&mut self, file: File, how: fn(&File) -> io::Result<()>) -> Result<File> {
        let deadline = *self.deadline.get_or_insert_with(|| Instant::now() + self.timeout);
        let waiter = Waiter::get().map_err(|e| Error::io("wait for", self.path, &e))?;
        let (reply, answer) = mpsc::channel();
        // A thread that is gone answers nothing, as one that waits too long does.
        let _ = waiter.0.send((file, how, reply));
        match answer.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(locked) => {
                waiter.give_back();
                locked.map_err(|e| Error::io("lock", self.path, &e))
            }
            Err(_) => Err(Error::new(
                ErrorKind::Unavailable,
                format!("{} is still locked after {:?}", self.path.display(), self.timeout),
            )
            .with_hint("another process is writing; wait for it, or raise --lock-timeout")),
        }
    }

    /// Whether the lock is one that others see: somebody may have removed the file meanwhile.
    fn is_at_its_path(&self, file: &File) -> Result<bool> {
        let failed = |e: io::Error| Error::io("look at", self.path, &e);
        let held = file.metadata().map_err(failed)?;
        match fs::metadata(self.path) {
            Ok(there) => Ok(FileId::of(&there) == FileId::of(&held)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }
}

type Job = (File, fn(&File) -> io::Result<()>, Sender<io::Result<File>>);

/// A thread that waits for locks, which the system wakes when one is free. One that gets its lock
/// too late finds nobody listening, and lets it go with the file.
struct Waiter(Sender<Job>);

/// The waiter that has nothing to do; who has need of it takes it away.
static IDLE: Mutex<Option<Waiter>> = Mutex::new(None);

impl Waiter {
    fn get() -> io::Result<Self> {
        if let Some(waiter) = IDLE.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Ok(waiter);
        }
        let (sender, jobs) = mpsc::channel::<Job>();
        std::thread::Builder::new().name("lock".to_owned()).spawn(move || {
            while let Ok((file, how, reply)) = jobs.recv() {
                let locked = how(&file).map(|()| file);
                // Nobody listens after the deadline: the file is dropped, and the lock with it.
                drop(reply.send(locked));
            }
        })?;
        Ok(Self(sender))
    }

    fn give_back(self) {
        *IDLE.lock().unwrap_or_else(PoisonError::into_inner) = Some(self);
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
