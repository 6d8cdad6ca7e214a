//! Reading events again: the timeline holds places, the log holds the events.
//!
//! Lives here: from positions to bytes and events. May not live here: folding them.

use std::ops::Range;

use super::{Session, beyond};
use crate::error::{Error, ErrorKind, Result};
use crate::model::value::LongValue;
use crate::model::{Event, Kind, Position, Timestamp};
use crate::schema::upcast;
use crate::store::{Fetch, Locator};
use crate::timeline::keyframes::STRIDE;
use crate::timeline::{Row, Timeline};

/// How many bytes of the log are read at once.
pub(super) const MOST_AT_ONCE: u64 = 8 << 20;
/// Longer lines take too long to be read within a frame.
const QUICK: u32 = 256 * 1024;
/// Longer values are shown as they stand in the log, not indented.
const MOST_INDENTED: usize = 1 << 20;

/// The event of a line that was read before, when the log was loaded.
fn read_again(timeline: &Timeline, line: &[u8], position: Position) -> Event {
    let row = |position| timeline.row(position);
    let previous = position.checked_sub(1).and_then(row).map_or_else(Timestamp::default, |r| r.at);
    if row(position).map(|row| row.kind) == Some(Kind::Unreadable) {
        let head = line.get(..line.len().min(4096)).unwrap_or_default();
        let text = String::from_utf8_lossy(head);
        return upcast::unreadable_event(position, previous, &text);
    }
    let mut events = upcast::read_line_events(line, position, previous);
    match events.pop() {
        Some((mut event, ..)) => {
            event.position = position;
            event
        }
        None => upcast::unreadable_event(position, previous, ""),
    }
}

impl Session {
    /// The event at `position` (from 1).
    ///
    /// # Errors
    /// Not found beyond the head; unavailable when the log cannot be read again.
    pub fn event(&mut self, position: Position) -> Result<Event> {
        let mut events = self.events(position..position.saturating_add(1))?;
        events.pop().ok_or_else(|| beyond(position, self.head()))
    }

    /// The events of a range of positions (the end excluded), in order.
    ///
    /// # Errors
    /// Not found beyond the head; unavailable when the log cannot be read again.
    pub fn events(&mut self, range: Range<Position>) -> Result<Vec<Event>> {
        let mut events = Vec::with_capacity(range.len());
        let mut next = range.start;
        while next < range.end {
            if let Some(event) = self.long.get(next) {
                events.push(event.clone());
                next += 1;
                continue;
            }
            let read = next..self.long.first_in(next..range.end);
            let run = self.contiguous(read, MOST_AT_ONCE)?;
            let (first, last) = (run.first().copied(), run.last().copied());
            let (Some(first), Some(last)) = (first, last) else { break };
            let (timeline, fetch) = self.source(next);
            let bytes = fetch.fetch_range(first, last)?;
            for locator in run {
                let start = usize::try_from(locator.offset - first.offset).unwrap_or(usize::MAX);
                let line = bytes.get(start..start.saturating_add(locator.len as usize));
                events.push(read_again(timeline, line.unwrap_or_default(), next));
                next += 1;
            }
        }
        Ok(events)
    }

    /// The locators of the longest beginning of `range` that stands in one part of the log and has
    /// at most so many bytes, but of one event at least.
    pub(super) fn contiguous(&self, range: Range<Position>, most: u64) -> Result<Vec<Locator>> {
        let first = self.locator(range.start)?;
        let mut run = Vec::with_capacity(range.len().min(STRIDE as usize));
        let folded = self.timeline.head();
        for position in range.clone() {
            let next = self.locator(position)?;
            // What is only seen is read in its own way.
            if range.start <= folded && position > folded {
                break;
            }
            let size = (next.offset + u64::from(next.len)).saturating_sub(first.offset);
            if next.segment != first.segment || (size > most && !run.is_empty()) {
                break;
            }
            run.push(next);
        }
        Ok(run)
    }

    /// As [`Session::contiguous`], for the longest end of `range`.
    pub(super) fn contiguous_end(&self, range: Range<Position>, most: u64) -> Result<Vec<Locator>> {
        let last = self.locator(range.end.saturating_sub(1))?;
        let end = last.offset + u64::from(last.len);
        let mut run = Vec::new();
        let folded = self.timeline.head();
        for position in range.clone().rev() {
            let next = self.locator(position)?;
            if range.end > folded + 1 && position <= folded {
                break;
            }
            let size = end.saturating_sub(next.offset);
            if next.segment != last.segment || (size > most && !run.is_empty()) {
                break;
            }
            run.push(next);
        }
        run.reverse();
        Ok(run)
    }

    fn locator(&self, position: Position) -> Result<Locator> {
        let row = self.row(position);
        row.map(|row| row.locator).ok_or_else(|| beyond(position, self.head()))
    }

    /// The row of an event, folded or only seen.
    pub(super) fn row(&self, position: Position) -> Option<Row> {
        self.timeline.row(position).or_else(|| self.timeline().row(position))
    }

    /// The history that has the event at `position`, and what reads its lines.
    pub(super) fn source(&mut self, position: Position) -> (&Timeline, &mut dyn Fetch) {
        match &mut self.sketch {
            Some(sketch) if position > self.timeline.head() => {
                (&sketch.timeline, sketch.fetch.as_mut())
            }
            _ => (&self.timeline, self.fetch.as_mut()),
        }
    }

    /// The exact bytes of the event at `position`, as they stand in the log.
    ///
    /// # Errors
    /// Not found beyond the head; unavailable when the log cannot be read again.
    pub fn raw(&mut self, position: Position) -> Result<Vec<u8>> {
        let locator = self.locator(position)?;
        self.source(position).1.fetch(locator)
    }

    /// The first bytes of the event at `position`, at most so many.
    ///
    /// # Errors
    /// As [`Session::raw`].
    pub fn raw_head(&mut self, position: Position, most: usize) -> Result<Vec<u8>> {
        let locator = self.locator(position)?;
        self.source(position).1.fetch(locator.part(&(0..most.min(locator.len as usize))))
    }

    /// Whether the event at `position` can be read while somebody waits for a frame.
    #[must_use]
    pub fn is_quick(&self, position: Position) -> bool {
        let short = |row: Row| row.locator.len <= QUICK;
        self.long.get(position).is_some() || self.row(position).is_none_or(short)
    }

    /// The file and line of the event at `position`.
    pub fn place(&mut self, position: Position) -> Option<String> {
        let locator = self.row(position)?.locator;
        Some(self.source(position).1.describe(locator))
    }

    /// The whole text of a value that the state only refers to; strings without their quotes.
    ///
    /// # Errors
    /// Not found when its event is not in this log; integrity when the log no longer holds it.
    pub fn long_value(&mut self, long: &LongValue) -> Result<String> {
        let position = self.timeline.by_id(&long.event_id).ok_or_else(|| {
            Error::not_found(format!("event {} is not in this log", long.event_id))
        })?;
        let raw = self.raw(position)?;
        let text = String::from_utf8_lossy(&raw);
        let json = upcast::long_text(&text, &long.pointer).ok_or_else(|| {
            let what = format!("event #{position} has no {}", long.pointer);
            Error::new(ErrorKind::Integrity, what).with_hint("run `chronoscope verify`")
        })?;
        Ok(match serde_json::from_str::<String>(json) {
            Ok(text) => text,
            // To indent it takes many times its size in memory.
            Err(_) if json.len() > MOST_INDENTED => json.to_owned(),
            Err(_) => serde_json::from_str::<serde_json::Value>(json)
                .and_then(|value| serde_json::to_string_pretty(&value))
                .unwrap_or_else(|_| json.to_owned()),
        })
    }
}
