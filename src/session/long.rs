//! Events with long lines, kept as they were read when the log was loaded.
//!
//! Lives here: which are kept. May not live here: reading them. What such an event says is short (its
//! long values are references into the log), but to find that out again, all of the line would have
//! to be read, which takes longer than a frame may.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::model::{Event, Position, Value};
use crate::timeline::Loaded;

/// Lines of more bytes than this are long.
const LONG: u32 = 32 * 1024;
/// How much the kept events may say together, in bytes of their lines without the long values.
const MOST: u64 = 64 << 20;

/// The long events of a log, the first ones where they are too many.
#[derive(Debug, Default)]
pub(super) struct LongEvents {
    events: BTreeMap<Position, Event>,
    bytes: u64,
}

impl LongEvents {
    /// Keeps an event if it is long.
    pub(super) fn offer(&mut self, position: Position, loaded: &Loaded) {
        if loaded.locator.len <= LONG {
            return;
        }
        let referred = loaded.event.metadata.iter().map(|(_, value)| match value {
            Value::Long(long) => long.bytes,
            _ => 0,
        });
        let bytes = u64::from(loaded.locator.len).saturating_sub(referred.sum());
        if self.bytes + bytes <= MOST {
            self.bytes += bytes;
            self.events.insert(position, Event { position, ..loaded.event.clone() });
        }
    }

    /// The event at `position`, if it is kept.
    pub(super) fn get(&self, position: Position) -> Option<&Event> {
        self.events.get(&position)
    }

    /// The first kept position of a range; its end when there is none.
    pub(super) fn first_in(&self, range: Range<Position>) -> Position {
        self.events.range(range.clone()).next().map_or(range.end, |(position, _)| *position)
    }
}
