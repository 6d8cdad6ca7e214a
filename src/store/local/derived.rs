//! The derived files of partitions and days: read, caught up, written.
//!
//! Lives here: `metadata.json`, `index.json`, and the statistics that are made of them. May not
//! live here: when they are refreshed (see [`super::upkeep`]).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::LocalStore;
use super::io::{Bytes, is_absent, read_if_there, replace};
use super::layout::{Date, METADATA};
use super::lines::{Scanned, scan};
use super::record::Place;
use super::source::Source;
use super::summary::{Light, Summary};
use crate::error::{Error, Result};
use crate::model::Timestamp;

/// What a day's `index.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DayIndex {
    pub(super) date: String,
    pub(super) events: u64,
    /// The summary of each issue, as it was when the file was written.
    pub(super) issues: BTreeMap<String, Summary>,
}

/// What a store holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// The events folder.
    pub store: String,
    /// How many issues there are.
    pub issues: u64,
    /// How many events there are.
    pub events: u64,
    /// How many sessions the events name.
    pub sessions: u64,
    /// The size of all logs, without what is derived.
    pub bytes: u64,
    /// The time of the earliest first event of an issue.
    pub first: Option<Timestamp>,
    /// The time of the latest last event of an issue.
    pub last: Option<Timestamp>,
    /// How many events of each type there are.
    pub by_type: BTreeMap<String, u64>,
}

impl LocalStore {
    /// The summary of one issue's events of one day, up to now: the file, and what was appended
    /// since; made from the log where the file is absent or damaged.
    ///
    /// # Errors
    /// Not found, when there is no such partition; unavailable, when it cannot be read.
    pub fn metadata(&self, issue_key: &str, date: Date) -> Result<Summary> {
        self.metadata_from(issue_key, date, None)
    }

    /// The same, going on from a summary that was made so far.
    fn metadata_from(&self, issue_key: &str, date: Date, made: Option<Summary>) -> Result<Summary> {
        super::layout::check_key(issue_key)?;
        self.layout.refuse_links(date, issue_key)?;
        let path = self.layout.events(date, issue_key);
        let file =
            Source::open(&self.layout, date, issue_key).map_err(|e| match is_absent(&e) {
                true => Error::not_found(format!("{issue_key} has no events on {date}")),
                false => Error::io("open", &path, &e),
            })?;
        let failed = |e: std::io::Error| Error::io("read", &path, &e);
        let length = file.length().map_err(failed)?;
        let kept = match made {
            Some(made) => Some(made),
            None => self.kept_metadata(issue_key, date)?,
        };
        let mut summary = match kept {
            // Nothing is added to an archive.
            Some(kept) if kept.bytes == length && file.is_archived() => kept,
            Some(kept) if kept.bytes <= length && ends_a_line(&file, kept.bytes) => kept,
            _ => Summary::empty(issue_key, date),
        };
        scan(&file, file.path(), (summary.bytes, length), |line| {
            summary.add(line, Light::read(line.bytes).as_ref());
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(summary)
    }

    /// The summary that is kept in a file, however old; none where it cannot be believed.
    pub(super) fn kept_metadata(&self, issue_key: &str, date: Date) -> Result<Option<Summary>> {
        let path = self.layout.partition(date, issue_key).join(METADATA);
        let kept = read_if_there(&path)?;
        let kept = kept.and_then(|bytes| serde_json::from_slice::<Summary>(&bytes).ok());
        Ok(kept.filter(|s| s.issue_key == issue_key && s.partition == date.as_str()))
    }

    /// The day's summary that is kept in a file; none where it cannot be believed.
    pub(super) fn kept_index(&self, date: Date) -> Result<Option<DayIndex>> {
        let kept = read_if_there(&self.layout.index(date))?;
        let kept = kept.and_then(|bytes| serde_json::from_slice::<DayIndex>(&bytes).ok());
        Ok(kept.filter(|day| day.date == date.as_str()))
    }

    /// Notes lines that were just written to a partition, `at` its end: its derived files are
    /// behind. Where all of it was written so, its summary is not to be read from it.
    pub(super) fn note_written(&self, issue_key: &str, at: Place, lines: &[u8]) {
        let mut pending = self.pending();
        let days = pending.stale.entry(issue_key.to_owned()).or_default();
        let made = days.entry(at.date).or_default();
        if at.offset == 0 {
            *made = Some(Summary::empty(issue_key, at.date));
        }
        let Some(summary) = made.as_mut().filter(|made| made.bytes == at.offset) else {
            *made = None;
            return;
        };
        let mut start = 0;
        for feed in memchr::memchr_iter(b'\n', lines) {
            let bytes = &lines[start..feed];
            let (offset, length) = (at.offset + start as u64, bytes.len() as u64);
            let line = Scanned { offset, bytes, length, terminated: true };
            summary.add(&line, Light::of_made(bytes).as_ref());
            start = feed + 1;
        }
    }

    /// Writes `metadata.json` as it should be now.
    pub(super) fn refresh_metadata(
        &self,
        issue_key: &str,
        date: Date,
        durable: bool,
    ) -> Result<Summary> {
        self.refresh_metadata_from(issue_key, date, None, durable)
    }

    /// The same, going on from a summary that was made while lines were written.
    pub(super) fn refresh_metadata_from(
        &self,
        issue_key: &str,
        date: Date,
        made: Option<Summary>,
        durable: bool,
    ) -> Result<Summary> {
        let summary = self.metadata_from(issue_key, date, made)?;
        let path = self.layout.partition(date, issue_key).join(METADATA);
        replace(&path, &json(&summary)?, durable)?;
        Ok(summary)
    }

    /// Puts an issue's `metadata.json` into the day's `index.json`. Two processes that do so at
    /// once may lose one of the entries; it is caught up by the next that writes or reads.
    pub(super) fn refresh_index(&self, issue_key: &str, date: Date, durable: bool) -> Result<()> {
        let Some(summary) = self.kept_metadata(issue_key, date)? else { return Ok(()) };
        let mut issues = self.kept_index(date)?.map(|day| day.issues).unwrap_or_default();
        issues.insert(issue_key.to_owned(), summary);
        self.write_index(date, issues, durable)
    }

    /// Writes `index.json` with these entries.
    pub(super) fn write_index(
        &self,
        date: Date,
        issues: BTreeMap<String, Summary>,
        durable: bool,
    ) -> Result<()> {
        let events = issues.values().map(|s| s.events).sum();
        let day = DayIndex { date: date.as_str().to_owned(), events, issues };
        replace(&self.layout.index(date), &json(&day)?, durable)
    }

    /// What the store holds, from the derived files and what was appended since.
    ///
    /// # Errors
    /// Unavailable, when the store cannot be read.
    pub fn stats(&self) -> Result<Stats> {
        let mut stats = Stats {
            store: self.root().display().to_string(),
            issues: 0,
            events: 0,
            sessions: 0,
            bytes: 0,
            first: None,
            last: None,
            by_type: BTreeMap::new(),
        };
        let (mut issues, mut sessions) = (BTreeSet::new(), BTreeSet::new());
        for date in self.layout.dates()? {
            for key in self.layout.issues_on(date)? {
                let summary = self.metadata(&key, date)?;
                stats.events += summary.events;
                stats.bytes += summary.bytes;
                sessions.extend(summary.sessions);
                for (kind, count) in summary.by_type {
                    *stats.by_type.entry(kind).or_default() += count;
                }
                let first = summary.first.and_then(|e| e.at());
                stats.first = [stats.first, first].into_iter().flatten().min();
                stats.last = stats.last.max(summary.last.and_then(|e| e.at()));
                issues.insert(key);
            }
        }
        stats.issues = issues.len() as u64;
        stats.sessions = sessions.len() as u64;
        Ok(stats)
    }
}

fn ends_a_line(file: &impl Bytes, at: u64) -> bool {
    let mut last = [0];
    at == 0 || (file.read_at(&mut last, at - 1).is_ok_and(|n| n == 1) && last == *b"\n")
}

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut text = serde_json::to_vec(value).map_err(|e| Error::internal(e.to_string()))?;
    text.push(b'\n');
    Ok(text)
}
