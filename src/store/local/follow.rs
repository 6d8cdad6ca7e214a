//! Lines of the global log of which nobody took note: what a publisher that was killed, or a power
//! cut, left behind the noted length.
//!
//! Lives here: [`Global::catch_up`], which holds each against its issue's log. May not live here:
//! publishing (see [`super::global`]).

use std::fs::File;
use std::ops::ControlFlow;

use rustc_hash::FxHashMap;

use super::global::{Global, issue_of};
use super::io::{is_absent, private, read_range, set_len};
use super::layout::{Layout, check_key};
use super::lines::{Stamps, end_of_lines, scan};
use super::record::{self, Place, Published, tail_of};
use super::source::Source;
use super::tlog::leaves;
use crate::error::{Error, Result};

impl Global<'_> {
    /// Takes note of lines behind the noted length. False when they are not what must follow.
    pub(super) fn catch_up(&mut self, length: u64) -> Result<bool> {
        let end = end_of_lines(&self.file, &self.path, length)?.max(self.record.length);
        if end < length {
            set_len(&self.file, end).map_err(|e| Error::io("cut", &self.path, &e))?;
        }
        let mut issues = FxHashMap::<String, Option<Follow>>::default();
        let (mut sound, mut hashes) = (true, Vec::new());
        let generation = self.record.generation;
        scan(&self.file, &self.path, (self.record.length, end), |line| {
            let key = issue_of(line.bytes);
            if !issues.contains_key(&key) {
                let follow = Follow::start(self.layout, &key, generation)?;
                issues.insert(key.clone(), follow);
            }
            sound = match issues.get_mut(&key) {
                Some(Some(follow)) => follow.take(self.layout, &key, line.bytes)?,
                _ => false,
            };
            hashes.push(leaves::of_line(&self.file, &self.path, line)?);
            Ok(if sound { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        if !sound {
            return Ok(false);
        }
        for (key, follow) in &issues {
            if let Some(follow) = follow {
                follow.note(self.layout, key)?;
            }
        }
        self.add_leaves(&hashes)?;
        self.leaves.cut(self.record.leaves.unwrap_or_default())?;
        self.record.length = end;
        self.record.tail =
            tail_of(&self.file, end).map_err(|e| Error::io("read", &self.path, &e))?;
        self.note()?;
        Ok(true)
    }
}

/// Follows one issue's log beside the lines found in the global one.
struct Follow {
    lock: File,
    slot: Published,
    moved: bool,
}

impl Follow {
    fn start(layout: &Layout, key: &str, generation: u64) -> Result<Option<Self>> {
        if check_key(key).is_err() {
            return Ok(None);
        }
        let path = layout.issue_lock(key);
        let lock = match private().read(true).write(true).open(&path) {
            Ok(lock) => lock,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(Error::io("open", &path, &error)),
        };
        let slot = record::read_published(&lock).map_err(|e| Error::io("read", &path, &e))?;
        let slot = slot.map(|slot| match slot.generation == generation {
            true => slot,
            false => Published { generation, sequence: 0, next: None },
        });
        Ok(slot.map(|slot| Self { lock, slot, moved: false }))
    }

    /// Whether `line` is the next of the log, or one that was noted already.
    fn take(&mut self, layout: &Layout, key: &str, line: &[u8]) -> Result<bool> {
        let sequence = Stamps::read(line).and_then(|s| s.event_sequence);
        if !self.moved && sequence.is_some_and(|n| n <= self.slot.sequence) {
            return Ok(true);
        }
        let dates = layout.partitions(key)?;
        let from = self.slot.next;
        for date in dates.into_iter().filter(|d| from.is_none_or(|p| *d >= p.date)) {
            let offset = from.filter(|p| p.date == date).map_or(0, |p| p.offset);
            let path = layout.events(date, key);
            let file = Source::open(layout, date, key).map_err(|e| Error::io("open", &path, &e))?;
            let end = offset + line.len() as u64 + 1;
            let there = read_range(&file, offset, end).map_err(|e| Error::io("read", &path, &e))?;
            if there.is_empty() {
                continue;
            }
            let same = there.strip_suffix(b"\n") == Some(line);
            if same {
                let next = Some(Place { date, offset: end });
                let sequence = sequence.unwrap_or(self.slot.sequence);
                self.slot = Published { sequence, next, ..self.slot };
                self.moved = true;
            }
            return Ok(same);
        }
        Ok(false)
    }

    fn note(&self, layout: &Layout, key: &str) -> Result<()> {
        if !self.moved {
            return Ok(());
        }
        record::write_published(&self.lock, self.slot)
            .map_err(|e| Error::io("write", &layout.issue_lock(key), &e))
    }
}
