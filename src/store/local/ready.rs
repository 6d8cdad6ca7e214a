//! Appending lines that are made already, many at a time, as a copy of a log has them.
//!
//! Lives here: [`LocalStore::append_lines`], which takes the steps of an append that are left. May
//! not live here: those steps (see [`super::append`]).
//!
//! No id is looked up: lines are added only where the log ends right before the first of them, and
//! who made them knows all that stands before. They are written, synced and published as any batch.

use std::ops::Range;
use std::time::Duration;

use super::LocalStore;
use super::append::{settle, write};
use super::commit::Folders;
use super::handles::IssueFiles;
use super::head::Locked;
use super::layout::{Date, check_key};
use super::plan::Plan;
use super::record::Place;
use crate::error::Result;
use crate::schema::Lines;
use crate::store::AppendOptions;

impl LocalStore {
    /// How many events an issue has, after what a killed writer left was put in order; those are
    /// durable and published afterwards. 0 for an issue without a log.
    ///
    /// # Errors
    /// Integrity, when the end of its log is damaged; unavailable, when it stays locked, or cannot
    /// be read or synced.
    pub fn settled(&self, issue_key: &str, timeout: Duration) -> Result<u64> {
        check_key(issue_key)?;
        if self.layout.partitions(issue_key)?.is_empty() {
            return Ok(0);
        }
        let mut sequence = 0;
        self.durable_then(issue_key, timeout, &Folders::default(), |fresh| {
            sequence = fresh.sequence;
            self.complaint.hear(super::global::publish(
                (&self.layout, &self.handles),
                timeout,
                fresh,
            ));
            Ok(())
        })?;
        Ok(sequence)
    }

    /// Appends all of these lines, or none of them; returns when they are durable. False where the
    /// log does not end right before the first: then nothing was done.
    ///
    /// # Errors
    /// As an append.
    pub fn append_lines(&self, lines: Lines, timeout: Duration) -> Result<bool> {
        let key = lines.issue_key().to_owned();
        check_key(&key)?;
        if lines.is_empty() {
            return Ok(true);
        }
        self.handles.count_append();
        let IssueFiles { lock, sync, log } = self.handles.lend(&key);
        let mut log = Locked::take_with(&self.layout, &key, timeout, (lock, log))?;
        if log.head.sequence + 1 != lines.first() {
            return Ok(false);
        }
        let before = log.head.end;
        let plan = plan(&log, lines);
        write(&mut log, &plan)?;
        let options = AppendOptions { lock_timeout: timeout, ..AppendOptions::default() };
        let plan = settle(self, (log, sync), plan, before, &options)?;
        for (date, range) in plan.groups {
            let offset = before.filter(|end| end.date == date).map_or(0, |end| end.offset);
            self.note_written(&key, Place { date, offset }, &plan.bytes[range]);
        }
        Ok(true)
    }
}

/// Which lines go to which partition.
fn plan(log: &Locked<'_>, lines: Lines) -> Plan {
    let mut latest = log.head.latest;
    let mut last = log.head.end.map(|end| end.date);
    let mut groups: Vec<(Date, Range<usize>)> = Vec::new();
    let each = lines.each();
    for (number, (start, at)) in each.iter().enumerate() {
        latest = latest.max(*at);
        let date = last.map_or(Date::of(*at), |last| last.max(Date::of(*at)));
        last = Some(date);
        let end = each.get(number + 1).map_or(lines.bytes().len(), |next| next.0);
        match groups.last_mut() {
            Some((last, range)) if *last == date => range.end = end,
            _ => groups.push((date, *start..end)),
        }
    }
    let numbered = each.iter().enumerate().map(|(number, (start, _))| (*start, number)).collect();
    Plan { groups, latest, answers: Vec::new(), lines: numbered, bytes: lines.into_bytes() }
}
