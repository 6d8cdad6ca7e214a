//! What the tests of stores share: events to append, and ways to look at what became of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;

use chronoscope::clock::Clock;
use chronoscope::model::Timestamp;
use chronoscope::schema::{Draft, LenientDraft};
use chronoscope::store::local::LocalStore;
use chronoscope::store::{
    Acknowledgement, AppendOptions, Batch, Durability, EventStore, Notice, Tail,
};

/// Noon of the day that the tests live in.
pub(crate) fn noon() -> Timestamp {
    Timestamp::parse("2026-11-20T12:00:00Z").unwrap()
}

pub(crate) fn store(dir: &Path) -> LocalStore {
    LocalStore::at(dir, Clock::Fixed(noon()))
}

/// An event without id and time.
pub(crate) fn plain(key: &str, text: &str) -> Draft {
    event(key, text, None, None)
}

pub(crate) fn event(key: &str, text: &str, id: Option<&str>, at: Option<&str>) -> Draft {
    Draft::lenient(LenientDraft {
        event_id: id.map(str::to_owned),
        event_type: "PhaseStarted".into(),
        timestamp: at.map(|t| Timestamp::parse(t).unwrap()),
        issue_key: key.into(),
        session_id: "s-1".into(),
        actor_type: "agent".into(),
        actor_id: "coder".into(),
        metadata: format!(r#"{{"phase":"CODE","note":{}}}"#, serde_json::to_string(text).unwrap()),
        ..LenientDraft::default()
    })
    .unwrap()
}

pub(crate) fn os() -> AppendOptions {
    AppendOptions { durability: Durability::Os, ..AppendOptions::default() }
}

pub(crate) fn append(
    store: &dyn EventStore,
    drafts: Vec<Draft>,
    options: &AppendOptions,
) -> chronoscope::error::Result<Vec<Acknowledgement>> {
    let issue_key = drafts[0].issue_key().to_owned();
    store.append(&Batch { issue_key, drafts }, options)
}

/// Reads all there is now: the lines as text, and the notices.
pub(crate) fn drain(tail: &mut dyn Tail, limit: usize) -> (Vec<String>, Vec<Notice>) {
    let (mut lines, mut notices) = (Vec::new(), Vec::new());
    loop {
        let chunk = tail.poll(limit).unwrap();
        notices.extend(chunk.notices);
        for line in &chunk.lines {
            lines.push(String::from_utf8_lossy(&chunk.bytes[line.range.clone()]).into_owned());
        }
        if chunk.at_end {
            return (lines, notices);
        }
    }
}

pub(crate) fn lines(store: &dyn EventStore, key: &str) -> Vec<String> {
    drain(store.tail(key).unwrap().as_mut(), 1 << 20).0
}

pub(crate) fn sequences(lines: &[String]) -> Vec<u64> {
    let number = |line: &String| {
        serde_json::from_str::<serde_json::Value>(line).unwrap()["event_sequence"].as_u64().unwrap()
    };
    lines.iter().map(number).collect()
}

/// Fails unless the global log has every line of these issues once and in their order.
pub(crate) fn assert_global_complete(store: &LocalStore, keys: &[&str]) {
    let global = std::fs::read_to_string(store.root().join("global/events.jsonl")).unwrap();
    assert!(global.ends_with('\n'));
    for key in keys {
        let named = format!("\"issue_key\":\"{key}\"");
        let there: Vec<&str> = global.lines().filter(|l| l.contains(&named)).collect();
        assert_eq!(there, lines(store, key), "{key}");
    }
    let total: usize = keys.iter().map(|key| lines(store, key).len()).sum();
    assert_eq!(global.lines().count(), total);
}

/// Fails unless a check of the whole store finds nothing.
pub(crate) fn assert_sound(store: &LocalStore) {
    let report = store.verify(None).unwrap();
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
}

/// Whether the long forms of tests are asked for.
pub(crate) fn is_long() -> bool {
    std::env::var_os("CHRONOSCOPE_LONG_TESTS").is_some()
}
