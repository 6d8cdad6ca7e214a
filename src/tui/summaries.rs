//! One-line summaries of events, read from the log when they are first looked at.
//!
//! Lives here: the cache, so that a frame reads nothing. May not live here: how a summary is worded
//! (see the catalogue).

use rustc_hash::FxHashMap;

use crate::model::{Event, Position, catalogue};
use crate::session::Session;

/// How many summaries are kept before all are forgotten.
const MOST: usize = 8192;

/// Summaries by position.
#[derive(Debug, Default)]
pub struct Summaries {
    known: FxHashMap<Position, String>,
}

impl Summaries {
    /// The summary of an event that was asked for before; empty for others.
    #[must_use]
    pub fn get(&self, position: Position) -> &str {
        self.known.get(&position).map_or("", String::as_str)
    }

    /// The summary of an event.
    #[must_use]
    pub fn of(event: &Event) -> String {
        catalogue::summary(catalogue::spec(event.kind), &event.metadata, &event.type_name)
    }

    /// Forgets everything: the log is another one.
    pub fn clear(&mut self) {
        self.known.clear();
    }

    /// Reads the summaries of these events, as far as they are not known.
    pub fn fill(&mut self, session: &mut Session, positions: std::ops::RangeInclusive<Position>) {
        if self.known.len() > MOST {
            self.known.clear();
        }
        let last = (*positions.end()).min(session.head());
        let mut next = (*positions.start()).max(1);
        while next <= last {
            if self.known.contains_key(&next) || self.take_long(session, next) {
                next += 1;
                continue;
            }
            let mut end = next + 1;
            while end <= last && !self.known.contains_key(&end) && session.is_quick(end) {
                end += 1;
            }
            self.read(session, next..end);
            next = end;
        }
    }

    fn read(&mut self, session: &mut Session, range: std::ops::Range<Position>) {
        match session.events(range.clone()) {
            Ok(events) => {
                for event in events {
                    self.known.insert(event.position, Self::of(&event));
                }
            }
            // The next fill may succeed; the session tells what is wrong.
            Err(error) => {
                let text = format!("({})", error.message());
                self.known.extend(range.map(|position| (position, text.clone())));
            }
        }
    }

    /// An event that takes long to read gets its size for a summary.
    fn take_long(&mut self, session: &Session, position: Position) -> bool {
        if session.is_quick(position) {
            return false;
        }
        let bytes = session.timeline().row(position).map_or(0, |row| row.locator.len);
        self.known.insert(position, format!("({} of JSON)", bytes_text(u64::from(bytes))));
        true
    }
}

/// A number of bytes for people: `812 B`, `4.0 KiB`, `12.4 MiB`.
#[must_use]
pub fn bytes_text(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let (mut tenths, mut unit) = (bytes.saturating_mul(10) / 1024, 0);
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (13_000_000, "12.3 MiB"),
            (5 << 40, "5.0 TiB"),
        ] {
            assert_eq!(bytes_text(bytes), text);
        }
    }
}
