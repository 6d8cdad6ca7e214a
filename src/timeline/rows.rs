//! The rows of a log, packed: some thirty bytes an event.
//!
//! Lives here: [`Rows`]. May not live here: what a row means (see [`super::row`]); the running
//! maximum of the times, which the clocks have already.

use rustc_hash::FxHashMap;

use super::row::{Row, Symbol};
use crate::model::{Kind, Timestamp};
use crate::store::Locator;

/// What is known of every event. What events have in common is kept once, and of a time only
/// whether it differs from the latest time so far: seldom.
#[derive(Debug, Default)]
pub(super) struct Rows {
    offsets: Vec<u64>,
    lengths: Vec<u32>,
    id_heads: Vec<u64>,
    contents: Vec<u32>,
    /// For each event the number of what it has in common with others.
    numbers: Vec<u32>,
    facets: Vec<Facet>,
    known: FxHashMap<Facet, u32>,
    /// The own times of the events that say they are older than one before them, by index.
    late: Vec<(usize, Timestamp)>,
}

/// What many events have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Facet {
    segment: u32,
    type_name: Symbol,
    actor: Symbol,
    session: Symbol,
    agent: Symbol,
    phase: Symbol,
    kind: Kind,
    has_anomaly: bool,
}

impl Rows {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Makes room for so many more.
    pub(super) fn reserve(&mut self, more: usize) {
        self.offsets.reserve(more);
        self.lengths.reserve(more);
        self.id_heads.reserve(more);
        self.contents.reserve(more);
        self.numbers.reserve(more);
    }

    /// Adds the next row. Its clock is not kept.
    pub(super) fn push(&mut self, row: &Row) {
        let facet = Facet {
            segment: row.locator.segment,
            type_name: row.type_name,
            actor: row.actor,
            session: row.session,
            agent: row.agent,
            phase: row.phase,
            kind: row.kind,
            has_anomaly: row.has_anomaly,
        };
        let next = u32::try_from(self.facets.len()).unwrap_or(u32::MAX);
        let number = *self.known.entry(facet).or_insert(next);
        if number == next {
            self.facets.push(facet);
        }
        if row.at != row.clock {
            self.late.push((self.len(), row.at));
        }
        self.offsets.push(row.locator.offset);
        self.lengths.push(row.locator.len);
        self.id_heads.push(row.id_head);
        self.contents.push(row.content);
        self.numbers.push(number);
    }

    /// The row of this index, whose clock that is.
    pub(super) fn get(&self, index: usize, clock: Timestamp) -> Option<Row> {
        let facet = self.facets.get(*self.numbers.get(index)? as usize)?;
        let late = self.late.partition_point(|(late, _)| *late < index);
        let own = self.late.get(late).filter(|(late, _)| *late == index);
        Some(Row {
            locator: Locator {
                segment: facet.segment,
                len: self.lengths[index],
                offset: self.offsets[index],
            },
            at: own.map_or(clock, |(_, at)| *at),
            clock,
            id_head: self.id_heads[index],
            content: self.contents[index],
            kind: facet.kind,
            has_anomaly: facet.has_anomaly,
            type_name: facet.type_name,
            actor: facet.actor,
            session: facet.session,
            agent: facet.agent,
            phase: facet.phase,
        })
    }

    /// The hash of the content of the event of this index.
    pub(super) fn content(&self, index: usize) -> Option<u32> {
        self.contents.get(index).copied()
    }

    /// The first eight bytes of all ids, in order.
    pub(super) fn id_heads(&self) -> &[u64] {
        &self.id_heads
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(n: u32) -> Row {
        let clock = Timestamp::from_millis(i64::from(n) * 10);
        Row {
            locator: Locator { segment: n / 700, len: n + 100, offset: u64::from(n) << 33 },
            at: if n % 5 == 3 { Timestamp::from_millis(-i64::from(n)) } else { clock },
            clock,
            id_head: u64::from(n) * 3,
            content: n ^ 77,
            kind: if n.is_multiple_of(2) { Kind::AgentSpawned } else { Kind::Unknown },
            has_anomaly: n.is_multiple_of(11),
            type_name: Symbol(n % 3),
            actor: Symbol(n % 4),
            session: Symbol(n % 2),
            agent: Symbol(n % 6),
            phase: Symbol(n % 8),
        }
    }

    #[test]
    fn rows_come_back_as_they_were() {
        let mut rows = Rows::default();
        for n in 0..2000 {
            rows.push(&row(n));
        }
        assert_eq!(rows.len(), 2000);
        for n in 0..2000 {
            assert_eq!(rows.get(n as usize, row(n).clock), Some(row(n)), "{n}");
        }
        assert_eq!(rows.get(2000, Timestamp::MIN), None);
        assert_eq!(rows.content(3), Some(row(3).content));
        assert!(rows.facets.len() < 1900, "{} are shared by none", rows.facets.len());
    }
}
