use super::*;

fn date(text: &str) -> Date {
    Date::parse(text).unwrap()
}

fn head() -> HeadRecord {
    HeadRecord {
        end: Some(Place { date: date("2026-01-02"), offset: 1234 }),
        sequence: 17,
        latest: Timestamp::from_millis(-5),
        file: FileId { device: 3, inode: u64::MAX },
        tail: 0xabc,
        note: None,
        boot: "a-boot".to_owned(),
    }
}

#[test]
fn records_come_back_as_they_were() {
    let file = tempfile::tempfile().unwrap();
    let none = read_issue(&file).unwrap();
    assert!(none.head.is_none() && none.published.is_none());
    let parts = [Part { at: Place { date: date("2026-01-02"), offset: 9 }, length: 8, hash: 7 }];
    let note = write_note(&file, &parts).unwrap();
    let head = HeadRecord { note: Some(note), ..head() };
    write_head(&file, &head).unwrap();
    for next in [None, Some(Place { date: date("2026-01-02"), offset: 5 })] {
        let published = Published { generation: 0xfeed, sequence: 4, next };
        write_published(&file, published).unwrap();
        assert_eq!(read_published(&file).unwrap(), Some(published));
    }
    assert_eq!(read_issue(&file).unwrap().head.as_ref(), Some(&head));
    assert_eq!(read_note(&file, note).unwrap().as_deref(), Some(&parts[..]));
    assert_eq!(read_note(&file, (note.0, note.1 ^ 1)).unwrap(), None);
    let global = GlobalRecord {
        generation: 1,
        length: 2,
        file: FileId::default(),
        tail: 3,
        boot: "-".into(),
        leaves: Some(4),
    };
    write_global(&file, &global).unwrap();
    assert_eq!(read_global(&file).unwrap(), Some(global.clone()));
    write_at(&file, &sealed("global 1 1 2 0 0 3 -"), 0).unwrap();
    let first = GlobalRecord { leaves: None, ..global };
    assert_eq!(read_global(&file).unwrap(), Some(first), "that of the first version");
    for (state, end) in SYNC_STATES.iter().map(|(state, _)| *state).zip([None, head.end, None]) {
        let sync = SyncRecord { boot: "b-1".into(), state, end, file: head.file };
        write_sync(&file, &sync).unwrap();
        assert_eq!(read_sync(&file).unwrap(), Some(sync));
    }
}

#[test]
fn a_damaged_record_says_nothing() {
    let file = tempfile::tempfile().unwrap();
    write_head(&file, &head()).unwrap();
    let whole = super::super::io::read_range(&file, 0, 512).unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 4;
        assert_eq!(HeadRecord::parse(&damaged), None, "byte {at}");
        assert_eq!(HeadRecord::parse(&whole[..at]), None, "cut at {at}");
    }
}
