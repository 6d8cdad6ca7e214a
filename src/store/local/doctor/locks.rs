//! Locks that are held, left behind, or speak of a sync that did not end.

use std::fs::{File, Metadata, TryLockError};
use std::path::Path;

use super::super::LocalStore;
use super::super::global::boot_id;
use super::super::io::{private, try_lock};
use super::super::layout::names;
use super::super::record::{self, SyncState};
use super::{Ailment, Findings};
use crate::error::Result;

pub(super) fn look(store: &LocalStore, found: &mut Findings) -> Result<()> {
    let folder = store.layout.service("locks");
    let keys = store.keys()?;
    for name in names(&folder)? {
        let path = folder.join(&name);
        let Ok(file) = private().read(true).open(&path) else { continue };
        if let Err(TryLockError::WouldBlock) = try_lock(&file) {
            found.add(Ailment::LockHeld, &path, holder(&file));
            continue;
        }
        let key = name.strip_suffix(".lock").or_else(|| name.strip_suffix(".sync"));
        if key.is_some_and(|key| keys.binary_search_by(|own| own.as_str().cmp(key)).is_err()) {
            found.add(Ailment::StrayLock, &path, "a lock file is left");
        } else if name.ends_with(".sync") {
            look_at_sync(&file, &path, found);
        }
    }
    Ok(())
}

fn look_at_sync(file: &File, path: &Path, found: &mut Findings) {
    let Ok(Some(noted)) = record::read_sync(file) else { return };
    // After a reboot it means nothing.
    if noted.boot != boot_id() {
        return;
    }
    match noted.state {
        SyncState::Clean => {}
        SyncState::Syncing => {
            found.add(Ailment::SyncInterrupted, path, "a sync began and did not end");
        }
        SyncState::Poisoned => found.add(Ailment::SyncFailed, path, "the last sync failed"),
    }
}

/// Who holds a lock, where that can be told.
fn holder(file: &File) -> String {
    let told = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    let process = file.metadata().ok().and_then(|metadata| process(&told, &metadata));
    let Some(process) = process else { return "it is held now".to_owned() };
    let name = std::fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    format!("it is held now by process {process} ({})", name.trim())
}

/// The process that the system's list of locks names for a file.
#[cfg(unix)]
fn process(locks: &str, metadata: &Metadata) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    let inode = metadata.ino().to_string();
    locks.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let place = words.clone().find(|word| word.matches(':').count() == 2)?;
        // Devices are told in other numbers by some file systems; inodes are enough here.
        let same = place.rsplit(':').next() == Some(&inode) && words.any(|word| word == "WRITE");
        same.then(|| words.next()?.parse().ok())?
    })
}

#[cfg(not(unix))]
fn process(_locks: &str, _metadata: &Metadata) -> Option<u64> {
    None
}
