//! Waiting for a lock file, for a bounded time and without polling.
//!
//! Lives here: [`take`]. May not live here: what the lock files say (see [`super::record`]).

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::io::{FileId, private};
use crate::error::{Error, ErrorKind, Result};

/// Opens the lock file at `path` (made when it is not there) and locks it. Dropping the file, or
/// unlocking it, gives it back. None when the folder of the lock file does not exist.
///
/// # Errors
/// Unavailable, when it stays locked for longer than `timeout`, or cannot be opened.
pub(super) fn take(path: &Path, timeout: Duration) -> Result<Option<File>> {
    let mut deadline = None;
    loop {
        let opened = private().read(true).write(true).create(true).truncate(false).open(path);
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("open", path, &error)),
        };
        let file = match file.try_lock() {
            Ok(()) => file,
            Err(TryLockError::WouldBlock) => {
                let deadline = *deadline.get_or_insert_with(|| Instant::now() + timeout);
                wait(file, path, deadline, timeout)?
            }
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", path, &error)),
        };
        // Somebody may have removed the file meanwhile: then it locks nothing that others see.
        let held = file.metadata().map_err(|e| Error::io("look at", path, &e))?;
        match fs::metadata(path) {
            Ok(there) if FileId::of(&there) == FileId::of(&held) => return Ok(Some(file)),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io("look at", path, &error)),
        }
    }
}

/// Waits on a thread of its own, which the system wakes when the lock is free. One that comes too
/// late finds nobody listening and lets the lock go with the file.
fn wait(file: File, path: &Path, deadline: Instant, timeout: Duration) -> Result<File> {
    let (sender, receiver) = mpsc::channel();
    std::thread::Builder::new()
        .name("lock".to_owned())
        .spawn(move || {
            let locked = file.lock().map(|()| file);
            // Nobody listens after the deadline: the file is dropped, and the lock with it.
            drop(sender.send(locked));
        })
        .map_err(|e| Error::io("wait for", path, &e))?;
    match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        Ok(Ok(file)) => Ok(file),
        Ok(Err(error)) => Err(Error::io("lock", path, &error)),
        Err(_) => Err(Error::new(
            ErrorKind::Unavailable,
            format!("{} is still locked after {timeout:?}", path.display()),
        )
        .with_hint("another process is writing; wait for it, or raise --lock-timeout")),
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
