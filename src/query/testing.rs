//! A store in memory, for tests.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::error::{Error, Result};
use crate::model::Timestamp;
use crate::store::snapshot::Snapshot;
use crate::store::{
    Acknowledgement, AppendOptions, Batch, Chunk, EventStore, Fetch, IssueEntry, Line, Locator,
    Tail,
};

type Logs = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// Logs by issue, as bytes.
#[derive(Default)]
pub(super) struct MemoryStore {
    logs: Logs,
}

impl MemoryStore {
    /// Adds a line to a log.
    pub(super) fn line(&self, issue_key: &str, line: &[u8]) {
        let mut logs = self.logs.lock().unwrap();
        let log = logs.entry(issue_key.to_owned()).or_default();
        log.extend_from_slice(line);
        log.push(b'\n');
    }

    /// Empties a log.
    pub(super) fn clear(&self, issue_key: &str) {
        self.logs.lock().unwrap().insert(issue_key.to_owned(), Vec::new());
    }
}

impl EventStore for MemoryStore {
    fn append(&self, _: &Batch, _: &AppendOptions) -> Result<Vec<Acknowledgement>> {
        Err(Error::internal("the store of these tests takes lines"))
    }

    fn issues(&self) -> Result<Vec<IssueEntry>> {
        let logs = self.logs.lock().unwrap();
        let entry = |(key, log): (&String, &Vec<u8>)| IssueEntry {
            issue_key: key.clone(),
            bytes: log.len() as u64,
            modified: Timestamp::default(),
        };
        Ok(logs.iter().map(entry).rev().collect())
    }

    fn tail(&self, issue_key: &str) -> Result<Box<dyn Tail>> {
        if !self.logs.lock().unwrap().contains_key(issue_key) {
            return Err(Error::not_found(format!("there is no issue {issue_key}")));
        }
        Ok(Box::new(Reading { logs: Arc::clone(&self.logs), key: issue_key.to_owned(), offset: 0 }))
    }

    fn watch_folders(&self, _: Option<&str>) -> Vec<PathBuf> {
        Vec::new()
    }

    fn snapshot(&self, _: &str, _: u64) -> Result<Option<Snapshot>> {
        Ok(None)
    }

    fn keep_snapshot(&self, _: &Snapshot) -> Result<String> {
        Err(Error::internal("the store of these tests keeps no snapshots"))
    }
}

struct Reading {
    logs: Logs,
    key: String,
    offset: usize,
}

impl Tail for Reading {
    fn poll(&mut self, limit: usize) -> Result<Chunk> {
        let logs = self.logs.lock().unwrap();
        let log = &logs[&self.key];
        let mut chunk = Chunk::default();
        if log.len() < self.offset {
            self.offset = 0;
            chunk.notices.push(crate::store::Notice::Truncated { detail: "shorter".into() });
        }
        while let Some(len) = log[self.offset..].iter().position(|b| *b == b'\n') {
            let line = &log[self.offset..self.offset + len];
            let locator = Locator {
                segment: 0,
                len: u32::try_from(len).unwrap(),
                offset: self.offset as u64,
            };
            let range = chunk.bytes.len()..chunk.bytes.len() + len;
            if !line.is_empty() {
                chunk.bytes.extend_from_slice(line);
                chunk.lines.push(Line { locator, range, too_long: len > 100_000 });
            }
            self.offset += len + 1;
            if chunk.bytes.len() >= limit {
                break;
            }
        }
        chunk.at_end = self.offset == log.len();
        Ok(chunk)
    }

    fn fetcher(&self) -> Box<dyn Fetch> {
        Box::new(Reading { logs: Arc::clone(&self.logs), key: self.key.clone(), offset: 0 })
    }

    fn remaining(&self) -> u64 {
        (self.logs.lock().unwrap()[&self.key].len() - self.offset) as u64
    }
}

impl Fetch for Reading {
    fn fetch(&mut self, locator: Locator) -> Result<Vec<u8>> {
        let at = usize::try_from(locator.offset).unwrap();
        Ok(self.logs.lock().unwrap()[&self.key][at..at + locator.len as usize].to_vec())
    }

    fn fetch_range(&mut self, first: Locator, last: Locator) -> Result<Vec<u8>> {
        let (from, to) = (first.offset, last.offset + u64::from(last.len));
        self.fetch(Locator { len: u32::try_from(to - from).unwrap(), ..first })
    }

    fn describe(&mut self, locator: Locator) -> String {
        format!("{} at {}", self.key, locator.offset)
    }
}
