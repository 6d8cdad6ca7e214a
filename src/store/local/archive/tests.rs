use super::*;
use crate::clock::Clock;
use crate::model::Timestamp;
use crate::store::EventStore;

#[test]
fn the_read_back_is_against_what_was_read_first() {
    let dir = tempfile::tempdir().unwrap();
    let at = Timestamp::parse("2026-11-20T12:00:00Z").unwrap();
    let store = LocalStore::at(dir.path(), Clock::Fixed(at));
    assert!(store.issues().unwrap().is_empty());
    let path = dir.path().join("plain");
    std::fs::write(&path, b"one\ntwo\n").unwrap();
    let plain = Source::plain(path.clone()).unwrap();
    let entry = Archivable {
        file: dir.path().join("archive/2026-11-19/P-1/events.jsonl.zst"),
        ..store.entry("P-1", Date::parse("2026-11-19").unwrap(), 8)
    };
    store.compress(&plain, &entry).unwrap();
    let archive = Source::open_archive(entry.file.clone(), Damage::Refuse).unwrap();
    assert!(same(&archive, &plain).unwrap());
    for other in [&b"one\ntwO\n"[..], b"one\n", b"one\ntwo\n\n", b""] {
        std::fs::write(&path, other).unwrap();
        assert!(!same(&archive, &plain).unwrap() && !same(&plain, &archive).unwrap());
    }
}
