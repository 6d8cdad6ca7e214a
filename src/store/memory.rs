//! A store in memory: the same contract without files, for tests and for trying things out.
//!
//! Lives here: the second implementation of [`EventStore`]. May not live here: anything durable.
//! Beside appends it takes raw bytes, so that damaged and foreign logs can be played to a reader.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::snapshot::{LogAnchor, Snapshot, Versions};
use super::{
    Acknowledgement, AppendOptions, Batch, Chunk, EventStore, Fetch, IssueEntry, Line, Locator,
    Notice, Tail,
};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Timestamp, envelope, ids};

/// Logs in memory; clones share them.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    logs: Arc<Mutex<BTreeMap<String, Log>>>,
    snapshots: Arc<Mutex<Vec<Snapshot>>>,
    clock: Clock,
}

#[derive(Debug, Default)]
struct Log {
    bytes: Vec<u8>,
    /// Grows when what was there before is void.
    generation: u64,
    sequence: u64,
    latest: Timestamp,
}

impl MemoryStore {
    /// An empty store by this clock.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, ..Self::default() }
    }

    /// Adds bytes to an issue's log as they are, well formed or not.
    pub fn push_raw(&self, issue_key: &str, bytes: &[u8]) {
        self.logs().entry(issue_key.to_owned()).or_default().bytes.extend_from_slice(bytes);
    }

    /// Replaces an issue's log, as an editor would.
    pub fn replace(&self, issue_key: &str, bytes: &[u8]) {
        let mut logs = self.logs();
        let log = logs.entry(issue_key.to_owned()).or_default();
        log.bytes = bytes.to_vec();
        log.generation += 1;
    }

    /// The bytes of an issue's log.
    #[must_use]
    pub fn bytes(&self, issue_key: &str) -> Vec<u8> {
        self.logs().get(issue_key).map(|log| log.bytes.clone()).unwrap_or_default()
    }

    fn logs(&self) -> MutexGuard<'_, BTreeMap<String, Log>> {
        // A panic in another test thread leaves the map whole: it is only ever pushed to.
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventStore for MemoryStore {
    fn append(&self, batch: &Batch, options: &AppendOptions) -> Result<Vec<Acknowledgement>> {
        let mut logs = self.logs();
        let log = logs.entry(batch.issue_key.clone()).or_default();
        let mut lines = Vec::new();
        let mut acknowledged = Vec::new();
        let (mut sequence, mut latest) = (log.sequence, log.latest);
        for draft in &batch.drafts {
            let known = draft.event_id().and_then(|id| find_id(&log.bytes, id));
            if let Some((line, duplicate)) = known {
                if !draft.same_content(&line) {
                    let id = draft.event_id().unwrap_or_default();
                    let message = format!("event id {id} is there already with other content");
                    return Err(Error::new(ErrorKind::Conflict, message));
                }
                acknowledged.push(duplicate);
                continue;
            }
            sequence += 1;
            let made = ids::new_event_id();
            let timestamp = draft.timestamp().unwrap_or(self.clock.now().max(latest));
            latest = latest.max(timestamp);
            let event_id = draft.event_id().unwrap_or(&made);
            let stamp = options.stamp(event_id, timestamp, sequence);
            lines.extend_from_slice(draft.to_line(&stamp).as_bytes());
            lines.push(b'\n');
            acknowledged.push(Acknowledgement {
                event_id: event_id.to_owned(),
                event_type: draft.event_type().to_owned(),
                event_sequence: sequence,
                issue_key: batch.issue_key.clone(),
                session_id: draft.session_id().to_owned(),
                timestamp,
                partition: latest.date(),
                duplicate: false,
                durability: None,
            });
        }
        if let Some(expected) = options.expected_sequence
            && !lines.is_empty()
            && expected != log.sequence
        {
            return Err(super::head_conflict(&batch.issue_key, expected, log.sequence));
        }
        log.bytes.extend_from_slice(&lines);
        (log.sequence, log.latest) = (sequence, latest);
        Ok(acknowledged)
    }

    fn issues(&self) -> Result<Vec<IssueEntry>> {
        let logs = self.logs();
        let entry = |(key, log): (&String, &Log)| IssueEntry {
            issue_key: key.clone(),
            bytes: log.bytes.len() as u64,
            modified: log.latest,
        };
        let mut entries: Vec<IssueEntry> = logs.iter().map(entry).collect();
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.modified));
        Ok(entries)
    }

    fn tail(&self, issue_key: &str) -> Result<Box<dyn Tail>> {
        if !self.logs().contains_key(issue_key) {
            return Err(Error::not_found(format!("there is no issue {issue_key} in this store")));
        }
        let (store, issue_key) = (self.clone(), issue_key.to_owned());
        Ok(Box::new(MemoryTail { store, issue_key, offset: 0, generation: 0 }))
    }

    fn tail_after(&self, issue_key: &str, bytes: u64) -> Result<Box<dyn Tail>> {
        let mut tail = self.tail(issue_key)?;
        let skipped = usize::try_from(bytes).unwrap_or(usize::MAX);
        if skipped > 0 && tail.poll(skipped)?.bytes.len() != skipped {
            let message = format!("the log of {issue_key} has no line that ends at byte {bytes}");
            return Err(Error::new(ErrorKind::Integrity, message));
        }
        Ok(tail)
    }

    fn watch_folders(&self, _issue_key: Option<&str>) -> Vec<std::path::PathBuf> {
        Vec::new()
    }

    fn snapshot(
        &self,
        issue_key: &str,
        position: u64,
        versions: Versions,
    ) -> Result<Option<Snapshot>> {
        let snapshots = self.snapshots.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |s: &&Snapshot| {
            s.issue_key == issue_key && s.position <= position && s.versions == versions
        };
        Ok(snapshots.iter().filter(fits).max_by_key(|s| s.position).cloned())
    }

    fn check_anchors(&self, issue_key: &str, anchors: &[LogAnchor]) -> Result<Option<String>> {
        // Nobody else has these bytes in hand: all that can happen to them is to be replaced.
        let there = self.bytes(issue_key).len() as u64;
        let longer = anchors.iter().find(|anchor| anchor.log_bytes > there);
        Ok(longer.map(|a| format!("the log has {there} bytes, not {}", a.log_bytes)))
    }

    fn keep_snapshot(&self, snapshot: &Snapshot) -> Result<String> {
        let mut snapshots = self.snapshots.lock().unwrap_or_else(PoisonError::into_inner);
        snapshots.push(snapshot.clone());
        Ok(format!("snapshot-{}", snapshot.position))
    }
}

/// The stored line with this id, and the acknowledgement that it was given.
fn find_id(bytes: &[u8], id: &str) -> Option<(String, Acknowledgement)> {
    for line in bytes.split(|b| *b == b'\n') {
        let Ok(text) = std::str::from_utf8(line) else { continue };
        let (found, _) = envelope::read(text);
        if found.event_id.as_deref() != Some(id) {
            continue;
        }
        let owned =
            |text: &Option<envelope::Text<'_>>| text.as_deref().unwrap_or_default().to_owned();
        let timestamp = Timestamp::parse(&owned(&found.timestamp)).unwrap_or_default();
        let acknowledgement = Acknowledgement {
            event_id: id.to_owned(),
            event_type: owned(&found.event_type),
            event_sequence: found.event_sequence.unwrap_or_default(),
            issue_key: owned(&found.issue_key),
            session_id: owned(&found.session_id),
            timestamp,
            partition: timestamp.date(),
            duplicate: true,
            durability: None,
        };
        return Some((text.to_owned(), acknowledgement));
    }
    None
}

#[derive(Debug)]
struct MemoryTail {
    store: MemoryStore,
    issue_key: String,
    offset: usize,
    generation: u64,
}

impl Tail for MemoryTail {
    fn poll(&mut self, limit: usize) -> Result<Chunk> {
        let logs = self.store.logs();
        let Some(log) = logs.get(&self.issue_key) else {
            return Err(Error::not_found(format!("issue {} is gone", self.issue_key)));
        };
        let mut chunk = Chunk::default();
        if log.generation != self.generation || log.bytes.len() < self.offset {
            (self.generation, self.offset) = (log.generation, 0);
            chunk.notices.push(Notice::Replaced { detail: "the log was replaced".into() });
        }
        let rest = log.bytes.get(self.offset..).unwrap_or_default();
        let mut taken = 0;
        for line in rest.split_inclusive(|b| *b == b'\n') {
            if line.last() != Some(&b'\n') {
                chunk.notices.push(Notice::TornTail { bytes: line.len() as u64 });
                break;
            }
            let body = taken..taken + line.len() - 1;
            let blank = line.iter().all(u8::is_ascii_whitespace);
            if !blank {
                let locator = Locator {
                    segment: 0,
                    len: u32::try_from(body.len()).unwrap_or(u32::MAX),
                    offset: (self.offset + taken) as u64,
                };
                chunk.lines.push(Line { locator, range: body, too_long: false });
            }
            taken += line.len();
            if taken >= limit {
                break;
            }
        }
        chunk.bytes = rest.get(..taken).unwrap_or_default().to_vec();
        self.offset += taken;
        chunk.at_end = !log.bytes.get(self.offset..).unwrap_or_default().contains(&b'\n');
        Ok(chunk)
    }

    fn fetcher(&self) -> Box<dyn Fetch> {
        Box::new(MemoryFetch { store: self.store.clone(), issue_key: self.issue_key.clone() })
    }

    fn remaining(&self) -> u64 {
        let logs = self.store.logs();
        let length = logs.get(&self.issue_key).map_or(0, |log| log.bytes.len());
        length.saturating_sub(self.offset) as u64
    }
}

#[derive(Debug)]
struct MemoryFetch {
    store: MemoryStore,
    issue_key: String,
}

impl Fetch for MemoryFetch {
    fn fetch(&mut self, locator: Locator) -> Result<Vec<u8>> {
        self.fetch_range(locator, locator)
    }

    fn fetch_range(&mut self, first: Locator, last: Locator) -> Result<Vec<u8>> {
        let logs = self.store.logs();
        let bytes = logs.get(&self.issue_key).map_or(&[][..], |log| &log.bytes);
        let start = usize::try_from(first.offset).unwrap_or(usize::MAX);
        let end = usize::try_from(last.offset + u64::from(last.len)).unwrap_or(usize::MAX);
        bytes.get(start..end).map(<[u8]>::to_vec).ok_or_else(|| {
            Error::new(ErrorKind::Integrity, "the log no longer reaches as far as it did")
        })
    }

    fn describe(&mut self, locator: Locator) -> String {
        let logs = self.store.logs();
        let bytes = logs.get(&self.issue_key).map_or(&[][..], |log| &log.bytes);
        let before = usize::try_from(locator.offset).unwrap_or(usize::MAX).min(bytes.len());
        let lines = memchr::memchr_iter(b'\n', &bytes[..before]).count();
        format!("{}:{}", self.issue_key, lines + 1)
    }
}
