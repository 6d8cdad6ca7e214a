//! Searching the text of the log.
//!
//! Lives here: looking for bytes, for a moment at a time. May not live here: what a hit is used for.

use std::time::{Duration, Instant};

use memchr::memmem::Finder;

use super::Session;
use crate::error::Result;
use crate::model::Position;
use crate::store::Locator;

/// How many events a search looks at before it looks at the clock.
const MOST_EVENTS: Position = 2000;
/// How many bytes it looks at before it looks at the clock; one event is looked at as a whole.
const MOST_BYTES: u64 = 1 << 20;

/// What a search came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A hit.
    At(Position),
    /// There is none in that direction.
    Nothing,
    /// Time ran out; go on from here.
    Budget {
        /// The last position looked at.
        reached: Position,
    },
}

impl Session {
    /// The first position after `from` (or before it, backwards) whose line holds `needle`,
    /// letter case ignored for ASCII; looks for about `budget`, and at a few events at least, and
    /// then says how far it came.
    ///
    /// # Errors
    /// Unavailable when the log cannot be read again.
    pub fn search(
        &mut self,
        needle: &str,
        from: Position,
        forward: bool,
        budget: Duration,
    ) -> Result<Found> {
        let started = Instant::now();
        let needle = needle.to_ascii_lowercase();
        let finder = Finder::new(needle.as_bytes());
        let mut at = from;
        loop {
            let range = if forward {
                at + 1..at.saturating_add(1 + MOST_EVENTS).min(self.head() + 1)
            } else {
                at.saturating_sub(MOST_EVENTS).max(1)..at
            };
            if range.is_empty() {
                return Ok(Found::Nothing);
            }
            let run = if forward {
                self.contiguous(range.clone(), MOST_BYTES)?
            } else {
                self.contiguous_end(range.clone(), MOST_BYTES)?
            };
            let length = Position::try_from(run.len()).unwrap_or(1).max(1);
            let first = if forward { range.start } else { range.end - length };
            if let Some(index) = self.search_run(&finder, first, &run, forward)? {
                return Ok(Found::At(first + Position::try_from(index).unwrap_or(0)));
            }
            at = if forward { first + length - 1 } else { first };
            if started.elapsed() >= budget {
                return Ok(Found::Budget { reached: at });
            }
        }
    }

    /// The index of the first event of a run that holds what is looked for, or the last one. The
    /// run begins at `position`.
    fn search_run(
        &mut self,
        finder: &Finder<'_>,
        position: Position,
        run: &[Locator],
        forward: bool,
    ) -> Result<Option<usize>> {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { return Ok(None) };
        let mut bytes = self.source(position).1.fetch_range(*first, *last)?;
        bytes.make_ascii_lowercase();
        let holds = |locator: &Locator| {
            let start = usize::try_from(locator.offset - first.offset).unwrap_or(usize::MAX);
            let line = bytes.get(start..start.saturating_add(locator.len as usize));
            finder.find(line.unwrap_or_default()).is_some()
        };
        Ok(if forward { run.iter().position(holds) } else { run.iter().rposition(holds) })
    }
}
