//! The clocks that a timeline can be drawn by: each maps positions to a growing quantity.
//!
//! Lives here: the four clocks and the look-up in both directions. May not live here: columns of
//! a screen. No clock runs back, whatever the log's times do.

use super::column::Column;
use crate::closed_list;
use crate::model::{Position, Timestamp, Value};

closed_list! {
    /// What the horizontal axis of the timeline measures.
    pub enum ClockKind {
        /// One step per event.
        Sequence = "sequence",
        /// Wall time.
        Time = "time",
        /// Wall time without the idle stretches.
        Active = "active",
        /// Money spent.
        Cost = "cost",
    }
}

impl ClockKind {
    /// The clock after this one, round and round.
    #[must_use]
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|c| *c == self).unwrap_or_default();
        Self::ALL[(at + 1) % Self::ALL.len()]
    }
}

/// A pause longer than this counts as idle, in milliseconds.
pub const IDLE_MS: i64 = 5 * 60_000;

/// The clocks of one log. Only time is kept for each event: the others follow from it, or change
/// seldom.
#[derive(Debug, Default)]
pub struct Clocks {
    time: Column,
    /// The last reading of time.
    latest: i64,
    idle: Vec<(Position, i64)>,
    /// For each idle stretch how much of it, and of those before it, no clock but time counts.
    left_out: Vec<i64>,
    /// Where the cost rose, and to what, in millionths of a dollar.
    cost: Vec<(Position, i64)>,
}

impl Clocks {
    /// Reads the clocks at the next event.
    pub fn push(&mut self, clock: Timestamp, cost_usd: Option<&Value>) {
        let now = clock.millis();
        let here = Position::try_from(self.time.len() + 1).unwrap_or(Position::MAX);
        let pause = if here == 1 { 0 } else { now - self.latest };
        if pause > IDLE_MS {
            // The pause stands before this event.
            self.idle.push((here, pause));
            let before = self.left_out.last().copied().unwrap_or_default();
            self.left_out.push(before + pause - IDLE_MS);
        }
        self.time.push(ordered(now));
        self.latest = now;
        #[allow(clippy::cast_possible_truncation, reason = "millionths of any real sum fit")]
        let cost = cost_usd.and_then(Value::as_f64).map_or(0, |usd| (usd * 1e6) as i64);
        if cost > self.cost.last().map_or(0, |(_, cost)| *cost) {
            self.cost.push((here, cost));
        }
    }

    /// The reading of a clock at `position`; that of the first event for position 0.
    #[must_use]
    pub fn at(&self, kind: ClockKind, position: Position) -> i64 {
        let index = (position as usize).saturating_sub(1).min(self.time.len().saturating_sub(1));
        match kind {
            ClockKind::Sequence => i64::from(position),
            ClockKind::Time => self.time(index).unwrap_or_default(),
            ClockKind::Active => self.active(index),
            ClockKind::Cost => last_until(&self.cost, index).map_or(0, |at| self.cost[at].1),
        }
    }

    fn time(&self, index: usize) -> Option<i64> {
        self.time.get(index).map(from_ordered)
    }

    fn active(&self, index: usize) -> i64 {
        let (Some(first), Some(now)) = (self.time(0), self.time(index)) else { return 0 };
        now - first - last_until(&self.idle, index).map_or(0, |at| self.left_out[at])
    }

    /// The last position whose reading is not after `value`; 0 when all are.
    #[must_use]
    pub fn position(&self, kind: ClockKind, value: i64) -> Position {
        let all = self.time.len();
        let found = match kind {
            ClockKind::Sequence => usize::try_from(value.max(0)).unwrap_or(0).min(all),
            ClockKind::Time => first_without(all, |index| self.time(index) <= Some(value)),
            ClockKind::Active => first_without(all, |index| self.active(index) <= value),
            ClockKind::Cost if value < 0 => 0,
            ClockKind::Cost => {
                let rises = self.cost.partition_point(|(_, cost)| *cost <= value);
                self.cost.get(rises).map_or(all, |(position, _)| *position as usize - 1)
            }
        };
        Position::try_from(found).unwrap_or(Position::MAX)
    }

    /// The readings at the first event and at the last.
    #[must_use]
    pub fn range(&self, kind: ClockKind) -> (i64, i64) {
        let head = Position::try_from(self.time.len()).unwrap_or(Position::MAX);
        (self.at(kind, head.min(1)), self.at(kind, head))
    }

    /// The idle stretches: the position of the event that ended each, and its length in
    /// milliseconds.
    #[must_use]
    pub fn idle(&self) -> &[(Position, i64)] {
        &self.idle
    }
}

/// A time as a number of the same order.
fn ordered(millis: i64) -> u64 {
    millis.cast_unsigned() ^ (1 << 63)
}

/// The reverse of [`ordered`].
fn from_ordered(number: u64) -> i64 {
    (number ^ (1 << 63)).cast_signed()
}

/// Which of these, ordered by their positions, is the last at or before the event of this index.
fn last_until(list: &[(Position, i64)], index: usize) -> Option<usize> {
    list.partition_point(|(position, _)| *position as usize <= index + 1).checked_sub(1)
}

/// The first number below `end` for which `holds` does not hold; it holds for all before.
fn first_without(end: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, end);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clocks() -> Clocks {
        let mut clocks = Clocks::default();
        for (seconds, cost) in [(0, None), (60, Some(0.5)), (4000, Some(0.25)), (4001, None)] {
            let cost = cost.map(Value::from);
            clocks.push(Timestamp::from_millis(seconds * 1000), cost.as_ref());
        }
        clocks
    }

    #[test]
    fn idle_time_is_collapsed_and_cost_never_falls() {
        let clocks = clocks();
        assert_eq!(clocks.at(ClockKind::Active, 4), 60_000 + IDLE_MS + 1000);
        assert_eq!(clocks.idle(), [(3, 3_940_000)]);
        assert_eq!(clocks.at(ClockKind::Cost, 3), 500_000);
        assert_eq!(clocks.range(ClockKind::Time), (0, 4_001_000));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
        #[test]
        fn what_is_kept_gives_the_readings_of_each_event(
            start in -62_167_219_200_000_i64..1_800_000_000_000,
            steps in proptest::collection::vec((0_i64..900_000, proptest::option::of(0_u32..50)), 0..520),
            values in proptest::collection::vec(-10_i64..20_000_000, 8),
        ) {
            let mut clocks = Clocks::default();
            let (mut at, mut time, mut active, mut cost) = (start, vec![], vec![], vec![]);
            for (pause, usd) in &steps {
                at += pause;
                clocks.push(Timestamp::from_millis(at), usd.map(|n| Value::from(f64::from(n))).as_ref());
                time.push(at);
                let counted = if active.is_empty() { 0 } else { *pause };
                active.push(active.last().map_or(0, |sum| sum + counted.min(IDLE_MS)));
                let usd = usd.map_or(0, |n| i64::from(n) * 1_000_000);
                cost.push(cost.last().map_or(usd, |before: &i64| usd.max(*before)));
            }
            let all = [
                (ClockKind::Time, &time),
                (ClockKind::Active, &active),
                (ClockKind::Cost, &cost),
            ];
            for (kind, readings) in all {
                for (position, reading) in (1..).zip(readings) {
                    proptest::prop_assert_eq!(clocks.at(kind, position), *reading);
                }
                for value in values.iter().chain(readings.iter().step_by(19)) {
                    let expected = readings.partition_point(|reading| reading <= value);
                    proptest::prop_assert_eq!(clocks.position(kind, *value) as usize, expected);
                }
            }
        }
    }

    #[test]
    fn look_up_inverts_reading() {
        let clocks = clocks();
        for kind in [ClockKind::Sequence, ClockKind::Time, ClockKind::Active] {
            for position in 1..=4 {
                assert_eq!(clocks.position(kind, clocks.at(kind, position)), position, "{kind}");
            }
        }
        assert_eq!(clocks.position(ClockKind::Time, -1), 0);
        assert_eq!(Clocks::default().range(ClockKind::Time), (0, 0));
    }
}
