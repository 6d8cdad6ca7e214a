use std::fs;
use std::time::{Duration, SystemTime};

use super::*;
use crate::clock::Clock;
use crate::model::Timestamp;
use crate::store::local::LocalStore;
use crate::store::local::testing::note_draft;
use crate::store::{AppendOptions, Batch, Durability, EventStore};

const LONG_AGO: SystemTime = SystemTime::UNIX_EPOCH;

fn made(dir: &Path, today: &str) -> LocalStore {
    let at = Timestamp::parse(&format!("{today}T12:00:00Z")).unwrap();
    LocalStore::at(dir, Clock::Fixed(at))
}

fn append(store: &LocalStore, durability: Durability) -> Result<u64> {
    append_within(store, durability, Duration::from_secs(9))
}

fn append_within(
    store: &LocalStore,
    durability: Durability,
    lock_timeout: Duration,
) -> Result<u64> {
    let batch = Batch { issue_key: "P-1".into(), drafts: vec![note_draft()] };
    let options = AppendOptions { durability, lock_timeout, ..AppendOptions::default() };
    Ok(store.append(&batch, &options)?[0].event_sequence)
}

struct Notes(File);

impl Notes {
    fn of(store: &LocalStore) -> Self {
        let path = store.layout.sync_lock("P-1");
        Self(private().read(true).write(true).open(path).unwrap())
    }

    fn read(&self) -> SyncRecord {
        record::read_sync(&self.0).unwrap().unwrap()
    }

    fn change(&self, change: impl FnOnce(&mut SyncRecord)) {
        let mut record = self.read();
        change(&mut record);
        record::write_sync(&self.0, &record).unwrap();
    }
}

/// Forgets when the log of `date` was written last; tells afterwards whether it was again.
fn rewritten(store: &LocalStore, date: &str, during: impl FnOnce()) -> bool {
    let path = store.layout.events(Date::parse(date).unwrap(), "P-1");
    let file = private().write(true).open(&path).unwrap();
    file.set_modified(LONG_AGO).unwrap();
    during();
    fs::metadata(&path).unwrap().modified().unwrap() != LONG_AGO
}

fn sync_again(store: &LocalStore) {
    store.publish_all(Duration::from_secs(9)).unwrap();
}

#[test]
fn what_is_noted_is_what_was_synced() {
    let dir = tempfile::tempdir().unwrap();
    let store = made(dir.path(), "2026-11-20");
    append(&store, Durability::Os).unwrap();
    assert!(!store.layout.sync_lock("P-1").exists(), "nobody asked for a sync");
    append(&store, Durability::Sync).unwrap();
    let path = store.layout.events(Date::parse("2026-11-20").unwrap(), "P-1");
    let length = || fs::metadata(&path).unwrap().len();
    let notes = Notes::of(&store);
    assert_eq!(notes.read().state, SyncState::Clean);
    assert_eq!(notes.read().end.unwrap().offset, length());
    append(&store, Durability::Os).unwrap();
    assert!(notes.read().end.unwrap().offset < length());
    append(&store, Durability::Deferred).unwrap();
    store.sync_pending(Duration::from_secs(9)).unwrap();
    assert_eq!(notes.read().end.unwrap().offset, length());
}

#[test]
fn only_a_sync_of_this_file_and_boot_covers_others() {
    type Change = fn(&mut SyncRecord);
    let changes: [(Change, bool); 6] = [
        (|_| {}, true),
        (|r| r.end.as_mut().unwrap().offset += 9, false),
        (|r| r.end.as_mut().unwrap().offset -= 1, false),
        (|r| r.file.inode ^= 1, false),
        (|r| r.boot = "another".into(), false),
        (|r| r.state = SyncState::Poisoned, false),
    ];
    for (case, (change, covered)) in changes.into_iter().enumerate() {
        let dir = tempfile::tempdir().unwrap();
        let store = made(dir.path(), "2026-11-20");
        append(&store, Durability::Sync).unwrap();
        let notes = Notes::of(&store);
        notes.change(change);
        let before = notes.read();
        sync_again(&store);
        if case == 1 {
            // It claims more than the file has: what it says is not believed at all.
            assert!(before.end > notes.read().end, "case {case}");
        }
        assert_eq!(notes.read() == before, covered, "case {case}");
        assert_eq!(notes.read().state, SyncState::Clean, "case {case}");
    }
}

#[test]
fn after_a_failed_or_interrupted_sync_the_bytes_are_written_anew() {
    for (state, same_boot, again) in [
        (SyncState::Clean, true, false),
        (SyncState::Syncing, true, true),
        (SyncState::Poisoned, true, true),
        // The system started anew: what it shows is what the device has.
        (SyncState::Poisoned, false, false),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let store = made(dir.path(), "2026-11-20");
        append(&store, Durability::Sync).unwrap();
        append(&store, Durability::Os).unwrap();
        let path = store.layout.events(Date::parse("2026-11-20").unwrap(), "P-1");
        let before = fs::read(&path).unwrap();
        Notes::of(&store).change(|record| {
            record.state = state;
            if !same_boot {
                record.boot = "another".into();
            }
        });
        let done = rewritten(&store, "2026-11-20", || sync_again(&store));
        assert_eq!(done, again, "{state:?} {same_boot}");
        assert_eq!(fs::read(&path).unwrap(), before);
        assert_eq!(Notes::of(&store).read().state, SyncState::Clean);
    }
}

#[test]
fn a_doubtful_day_is_written_anew_by_the_first_sync_of_the_next() {
    let dir = tempfile::tempdir().unwrap();
    append(&made(dir.path(), "2026-11-20"), Durability::Sync).unwrap();
    let store = made(dir.path(), "2026-11-21");
    append(&store, Durability::Os).unwrap();
    Notes::of(&store).change(|record| {
        record.state = SyncState::Syncing;
        record.end = record.end.map(|end| Place { offset: end.offset - 1, ..end });
    });
    assert!(rewritten(&store, "2026-11-20", || sync_again(&store)));
    let noted = Notes::of(&store).read();
    assert_eq!(noted.end.unwrap().date.as_str(), "2026-11-21");
}

#[test]
fn a_sync_lock_that_is_held_leaves_the_outcome_open() {
    let dir = tempfile::tempdir().unwrap();
    let store = made(dir.path(), "2026-11-20");
    append(&store, Durability::Sync).unwrap();
    let held = Notes::of(&store);
    held.0.lock().unwrap();
    let error = append_within(&store, Durability::Sync, Duration::from_millis(1)).unwrap_err();
    assert!(error.message().contains("is unknown"), "{}", error.message());
    drop(held);
    assert_eq!(append(&store, Durability::Sync).unwrap(), 3);
}
