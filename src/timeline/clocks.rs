//! The clocks that a timeline can be drawn by: each maps positions to a growing quantity.
//!
//! Lives here: the four clocks and the look-up in both directions. May not live here: columns of
//! a screen. No clock runs back, whatever the log's times do.

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

/// The clocks of one log, one reading per event.
#[derive(Debug, Default)]
pub struct Clocks {
    time: Vec<i64>,
    active: Vec<i64>,
    /// Millionths of a dollar.
    cost: Vec<i64>,
    idle: Vec<(Position, i64)>,
}

impl Clocks {
    /// Reads the clocks at the next event.
    pub fn push(&mut self, clock: Timestamp, cost_usd: Option<&Value>) {
        let now = clock.millis();
        let pause = self.time.last().map_or(0, |last| now - last);
        let active = self.active.last().copied().unwrap_or_default();
        if pause > IDLE_MS {
            // The pause stands before this event, which will have the next position.
            let here = Position::try_from(self.time.len() + 1).unwrap_or(Position::MAX);
            self.idle.push((here, pause));
        }
        self.active.push(active + pause.min(IDLE_MS));
        self.time.push(now);
        let spent = self.cost.last().copied().unwrap_or_default();
        #[allow(clippy::cast_possible_truncation, reason = "millionths of any real sum fit")]
        let cost = cost_usd.and_then(Value::as_f64).map_or(spent, |usd| (usd * 1e6) as i64);
        self.cost.push(cost.max(spent));
    }

    /// The reading of a clock at `position`; that of the first event for position 0.
    #[must_use]
    pub fn at(&self, kind: ClockKind, position: Position) -> i64 {
        let index = (position as usize).saturating_sub(1);
        match kind {
            ClockKind::Sequence => i64::from(position),
            ClockKind::Time => reading(&self.time, index),
            ClockKind::Active => reading(&self.active, index),
            ClockKind::Cost => reading(&self.cost, index),
        }
    }

    /// The last position whose reading is not after `value`; 0 when all are.
    #[must_use]
    pub fn position(&self, kind: ClockKind, value: i64) -> Position {
        let count = |list: &[i64]| list.partition_point(|reading| *reading <= value);
        let found = match kind {
            ClockKind::Sequence => usize::try_from(value.max(0)).unwrap_or(0).min(self.time.len()),
            ClockKind::Time => count(&self.time),
            ClockKind::Active => count(&self.active),
            ClockKind::Cost => count(&self.cost),
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

fn reading(list: &[i64], index: usize) -> i64 {
    list.get(index).or(list.last()).copied().unwrap_or_default()
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
