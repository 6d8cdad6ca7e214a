//! Waiting for a log to grow: the file system's notices where they work, looking where they do not.
//!
//! Lives here: when to look again. May not live here: reading; a wake-up says only “look now”,
//! and looking costs a few file-system calls when nothing came.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

/// How long to wait at most before looking although nothing was noticed: notices can be lost (an
/// overflow, a network file system), and new days' folders are noticed only from their parent.
pub const POLL: Duration = Duration::from_millis(500);
/// The same where the file system gives no notices at all.
pub const POLL_WITHOUT_NOTICES: Duration = Duration::from_millis(50);

/// Wakes a [`Watch`] from another thread, or ends it.
#[derive(Debug, Clone)]
pub struct Waker {
    sender: SyncSender<()>,
    stopped: Arc<AtomicBool>,
}

impl Waker {
    /// Ends the waiting for good.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.wake();
    }

    /// Whether the waiting was ended.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Makes the watch look now.
    pub fn wake(&self) {
        match self.sender.try_send(()) {
            // Full means that a wake-up is on its way already.
            Ok(()) | Err(TrySendError::Full(()) | TrySendError::Disconnected(())) => {}
        }
    }
}

/// Waits for changes in some folders.
pub struct Watch {
    receiver: Receiver<()>,
    waker: Waker,
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    patience: Duration,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (watched, patience) = (&self.watched, &self.patience);
        f.debug_struct("Watch").field("watched", watched).field("patience", patience).finish()
    }
}

impl Default for Watch {
    fn default() -> Self {
        Self::new()
    }
}

impl Watch {
    /// A watch of no folder yet: it looks now and then.
    #[must_use]
    pub fn new() -> Self {
        let (sender, receiver) = sync_channel(1);
        let waker = Waker { sender, stopped: Arc::new(AtomicBool::new(false)) };
        let on_change = waker.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // An overflow comes as an event that asks for a rescan; an error may hide one.
            if event.map_or(true, |e| e.need_rescan() || !e.kind.is_access()) {
                on_change.wake();
            }
        });
        Self {
            receiver,
            waker,
            watcher: watcher.ok(),
            watched: BTreeSet::new(),
            patience: POLL_WITHOUT_NOTICES,
        }
    }

    /// Watches these folders (not what is below them) from now on; true when one of them is new,
    /// so that what came before it was watched must be looked for once more.
    pub fn update(&mut self, folders: Vec<PathBuf>) -> bool {
        let wanted: BTreeSet<PathBuf> = folders.into_iter().collect();
        if wanted == self.watched {
            return false;
        }
        let Some(watcher) = &mut self.watcher else { return false };
        for gone in self.watched.difference(&wanted) {
            // A folder that was deleted is not watched any more anyway.
            let _ = watcher.unwatch(gone);
        }
        let watch = |folder: &&PathBuf| watcher.watch(folder, RecursiveMode::NonRecursive).is_ok();
        let new: Vec<PathBuf> = wanted.difference(&self.watched).filter(watch).cloned().collect();
        self.watched.retain(|folder| wanted.contains(folder));
        let grown = !new.is_empty();
        self.watched.extend(new);
        let all = !wanted.is_empty() && self.watched.len() == wanted.len();
        self.patience = if all { POLL } else { POLL_WITHOUT_NOTICES };
        grown
    }

    /// Something that wakes or ends this watch.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Whether it was ended.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.waker.is_stopped()
    }

    /// Waits until it is time to look; false when it was ended.
    #[must_use]
    pub fn wait(&self) -> bool {
        match self.receiver.recv_timeout(self.patience) {
            Ok(()) | Err(RecvTimeoutError::Timeout) => !self.stopped(),
            Err(RecvTimeoutError::Disconnected) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_in_a_watched_folder_wakes() {
        let folder = tempfile::tempdir().unwrap();
        let mut watch = Watch::new();
        assert!(watch.update(vec![folder.path().to_owned()]));
        assert!(!watch.update(vec![folder.path().to_owned()]));
        std::fs::write(folder.path().join("x"), "x").unwrap();
        // A poll would wake too; that the notice came first shows in the channel alone.
        assert!(watch.receiver.recv_timeout(Duration::from_secs(10)).is_ok());
    }

    #[test]
    fn a_stopped_watch_waits_no_more() {
        let watch = Watch::new();
        watch.waker().stop();
        assert!(!watch.wait());
        assert!(watch.stopped());
    }

    #[test]
    fn without_folders_it_polls() {
        let watch = Watch::new();
        assert!(watch.wait());
    }
}
