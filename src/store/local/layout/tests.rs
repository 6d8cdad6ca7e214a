//! Names, listings and links of a store's folders.

use super::*;

fn touch(layout: &Layout, date: &str, key: &str) {
    let dir = layout.root().join(date).join(key);
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join(EVENTS), "{}\n").unwrap();
}

#[test]
fn only_real_dates_are_days() {
    for bad in ["2026-02-30", "2026-13-01", "26-01-01", "2026-1-01", "global", "2026-01-011"] {
        assert_eq!(Date::parse(bad), None, "{bad}");
    }
    assert_eq!(Date::parse("2024-02-29").unwrap().as_str(), "2024-02-29");
    assert_eq!(Date::of(Timestamp::MIN).as_str(), "0000-01-01");
    assert_eq!(Date::of(Timestamp::MAX).as_str(), "9999-12-31");
}

#[test]
fn listings_pass_over_what_is_no_partition() {
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::new(dir.path());
    assert!(!is_store(dir.path()));
    for (date, key) in
        [("2026-01-02", "P-1"), ("2026-01-01", "P-1"), ("2026-01-02", "P-2"), ("2026-02-30", "P-1")]
    {
        touch(&layout, date, key);
    }
    fs::create_dir_all(dir.path().join("2026-01-03/P-1")).unwrap();
    fs::write(dir.path().join("2026-01-02/index.json"), "{}").unwrap();
    let dates = layout.partitions("P-1").unwrap();
    assert_eq!(dates.iter().map(Date::as_str).collect::<Vec<_>>(), ["2026-01-01", "2026-01-02"]);
    assert_eq!(layout.first_partition("P-1").unwrap(), Some(dates[0]));
    assert_eq!(layout.first_partition("P-2").unwrap(), Some(dates[1]));
    assert_eq!(layout.first_partition("P-3").unwrap(), None);
    assert_eq!(layout.issues_on(dates[1]).unwrap(), ["P-1", "P-2"]);
    assert!(is_store(dir.path()));
    assert!(layout.partitions("../P-1").is_err());
    assert!(check_key("index.json").is_err());
}

#[cfg(unix)]
#[test]
fn links_out_of_the_store_are_refused_and_modes_are_private() {
    use std::os::unix::fs::{MetadataExt, symlink};
    let dir = tempfile::tempdir().unwrap();
    let (inside, outside) = (dir.path().join("store"), dir.path().join("outside"));
    let layout = Layout::new(&inside);
    assert!(layout.create().unwrap());
    let schema = layout.root().join("schemas/orchestration-events-1.1.0.json");
    assert_eq!(fs::read_to_string(schema).unwrap(), EVENTS_SCHEMA);
    assert!(!layout.create().unwrap());
    assert_eq!(fs::metadata(inside.join(SERVICE)).unwrap().mode() & 0o777, 0o700);
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join(EVENTS), "").unwrap();
    fs::create_dir_all(inside.join("2026-01-01")).unwrap();
    symlink(&outside, inside.join("2026-01-01/P-1")).unwrap();
    touch(&layout, "2026-01-02", "P-1");
    symlink(inside.join("2026-01-02/P-1"), inside.join("2026-01-01/P-2")).unwrap();
    let date = Date::parse("2026-01-01").unwrap();
    assert_eq!(layout.refuse_links(date, "P-1").unwrap_err().kind(), ErrorKind::Integrity);
    layout.refuse_links(date, "P-2").unwrap();
    layout.refuse_links(date, "P-3").unwrap();
}
