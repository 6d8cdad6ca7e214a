use super::*;
use crate::clock::Clock;
use crate::model::Timestamp;
use crate::store::local::LocalStore;
use crate::store::local::testing::note_draft;
use crate::store::{AppendOptions, Batch, Durability, EventStore};

fn append(store: &LocalStore, count: usize) {
    let batch = Batch { issue_key: "P-1".into(), drafts: vec![note_draft(); count] };
    let options = AppendOptions { durability: Durability::Os, ..AppendOptions::default() };
    store.append(&batch, &options).unwrap();
}

/// A publisher that is killed leaves lines of which some notes are missing.
#[test]
fn lines_without_a_note_are_found_and_not_published_again() {
    let at = Timestamp::parse("2026-11-20T12:00:00Z").unwrap();
    for slot_was_written in [false, true] {
        for torn in [0, 1, 50] {
            for rebooted in [false, true] {
                let dir = tempfile::tempdir().unwrap();
                let store = LocalStore::at(dir.path(), Clock::Fixed(at));
                append(&store, 2);
                let layout = &store.layout;
                let open = |path| private().read(true).write(true).open(path).unwrap();
                let (issue, whole) = (open(layout.issue_lock("P-1")), open(layout.global_lock()));
                let slot = record::read_published(&issue).unwrap().unwrap();
                let mut noted = record::read_global(&whole).unwrap().unwrap();
                append(&store, 3);
                if rebooted {
                    noted.boot = "another".to_owned();
                }
                record::write_global(&whole, &noted).unwrap();
                if !slot_was_written {
                    record::write_published(&issue, slot).unwrap();
                }
                let global = open(layout.global());
                if !slot_was_written {
                    let length = global.metadata().unwrap().len();
                    global.set_len(length - torn).unwrap();
                }
                append(&store, 1);
                let log = layout.events(layout.partitions("P-1").unwrap()[0], "P-1");
                let case = (slot_was_written, torn, rebooted);
                assert!(
                    std::fs::read(layout.global()).unwrap() == std::fs::read(log).unwrap(),
                    "{case:?}"
                );
            }
        }
    }
}
