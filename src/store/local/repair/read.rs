//! The lines of an issue's log, as far as a repair has to know them.
//!
//! Lives here: [`Read`]. May not live here: what follows from a line.

use std::collections::BTreeMap;
use std::collections::hash_map::Entry;
use std::ops::ControlFlow;

use rustc_hash::FxHashMap;

use super::super::finding::FindingKind;
use super::super::head::{is_one_object, whole_event};
use super::super::io::{fingerprint, read_range};
use super::super::layout::{Date, Layout};
use super::super::lines::{Scanned, Stamps, scan};
use super::super::source::{self, Source};
use super::super::tlog::hashes::Hash;
use super::super::tlog::leaves;
use super::super::verify::damage;
use crate::error::{Error, Result};
use crate::model::envelope;

/// An issue's log.
pub(super) struct Read {
    pub(super) lines: Vec<Line>,
    files: BTreeMap<Date, Source>,
    /// The first line with each sequence number.
    first: FxHashMap<u64, usize>,
}

/// One line.
pub(super) struct Line {
    pub(super) date: Date,
    /// From 1, in its file.
    pub(super) number: u64,
    pub(super) offset: u64,
    /// Where the next one begins.
    pub(super) end: u64,
    pub(super) hash: u64,
    pub(super) state: State,
}

/// What a line is.
pub(super) enum State {
    Blank,
    /// One object, with its sequence number.
    Sound(Option<u64>),
    Damaged(Box<Damage>),
    /// Bytes without a line feed: those of a whole event with this number, or of nothing.
    Torn(Option<u64>),
}

/// What is wrong with a line.
pub(super) struct Damage {
    pub(super) kind: FindingKind,
    pub(super) detail: String,
    /// The events that stand in it unharmed.
    pub(super) parts: Option<Parts>,
}

/// Events that stand on one line.
pub(super) struct Parts {
    pub(super) events: Vec<Vec<u8>>,
    /// Their highest sequence number.
    pub(super) sequence: Option<u64>,
    sequences: Vec<u64>,
}

impl State {
    /// The sequence number of a sound line.
    pub(super) fn sequence(&self) -> Option<u64> {
        match self {
            Self::Sound(number) => *number,
            _ => None,
        }
    }

    /// All sequence numbers that the line has.
    pub(super) fn sequences(&self) -> Vec<u64> {
        match self {
            Self::Sound(number) | Self::Torn(number) => number.iter().copied().collect(),
            Self::Damaged(damage) => {
                damage.parts.as_ref().map_or_else(Vec::new, |parts| parts.sequences.clone())
            }
            Self::Blank => Vec::new(),
        }
    }
}

impl Read {
    /// Reads the partitions of `dates`, each up to its place in `ends` if it has one.
    pub(super) fn issue(
        layout: &Layout,
        key: &str,
        dates: &[Date],
        ends: &BTreeMap<Date, u64>,
    ) -> Result<Self> {
        let mut read =
            Self { lines: Vec::new(), files: BTreeMap::new(), first: FxHashMap::default() };
        for date in dates {
            let path = layout.events(*date, key);
            let file = Source::open_for(layout, *date, key, source::Damage::Blank)
                .map_err(|e| Error::io("open", &path, &e))?;
            let end = ends.get(date).copied().unwrap_or(u64::MAX);
            let mut number = 0;
            let lines = &mut read.lines;
            scan(&file, file.path(), (0, end), |line| {
                number += 1;
                let state = state(line, key);
                let hash = fingerprint(line.bytes);
                let (offset, end) = (line.offset, line.end());
                lines.push(Line { date: *date, number, offset, end, hash, state });
                Ok(ControlFlow::Continue(()))
            })?;
            read.files.insert(*date, file);
        }
        for (at, line) in read.lines.iter().enumerate() {
            if let Some(number) = line.state.sequence()
                && let Entry::Vacant(free) = read.first.entry(number)
            {
                free.insert(at);
            }
        }
        Ok(read)
    }

    fn bytes(&self, at: usize) -> Result<Vec<u8>> {
        let line = &self.lines[at];
        let Some(file) = self.files.get(&line.date) else { return Ok(Vec::new()) };
        read_range(file, line.offset, line.end).map_err(|e| Error::io("read", file.path(), &e))
    }

    /// Whether the first line with the number of this one is the very same.
    pub(super) fn stood_before(&self, at: usize) -> Result<bool> {
        let line = &self.lines[at];
        let first = line.state.sequence().and_then(|number| self.first.get(&number));
        match first.filter(|first| **first < at && self.lines[**first].hash == line.hash) {
            Some(first) => Ok(self.bytes(*first)? == self.bytes(at)?),
            None => Ok(false),
        }
    }

    /// The leaf hash of a line.
    pub(super) fn leaf(&self, at: usize) -> Result<Hash> {
        let line = &self.lines[at];
        let Some(file) = self.files.get(&line.date) else { return Ok(Hash::default()) };
        let hashes = leaves::of_file(file, file.path(), (line.offset, line.end))?;
        Ok(hashes.first().copied().unwrap_or_default())
    }
}

fn state(line: &Scanned<'_>, key: &str) -> State {
    if !line.terminated {
        let stamps = Stamps::read(line.bytes).and_then(|stamps| stamps.event_sequence);
        let whole =
            |number: &u64| !line.too_long() && whole_event(line.bytes, key, *number).is_some();
        return State::Torn(stamps.filter(whole));
    }
    if line.is_blank() {
        return State::Blank;
    }
    if !line.too_long() {
        if let Some(stamps) = Stamps::read(line.bytes) {
            return State::Sound(stamps.event_sequence);
        }
        if is_one_object(line.bytes) {
            return State::Sound(None);
        }
    }
    let (kind, _, detail) = damage(line).swap_remove(0);
    let parts = if line.too_long() { None } else { parts(line.bytes) };
    State::Damaged(Box::new(Damage { kind, detail, parts }))
}

/// The events on a line that readers make out in it, if their bytes are what was written.
fn parts(line: &[u8]) -> Option<Parts> {
    let texts = envelope::split_line(line);
    let whole = texts
        .iter()
        .all(|text| text.is_object && line[text.range.clone()] == *text.text.as_bytes());
    if !whole || texts.is_empty() {
        return None;
    }
    let events: Vec<Vec<u8>> = texts.iter().map(|text| text.text.as_bytes().to_vec()).collect();
    let numbers = events.iter().filter_map(|event| Stamps::read(event)?.event_sequence);
    let sequences: Vec<u64> = numbers.collect();
    Some(Parts { sequence: sequences.iter().copied().max(), events, sequences })
}
