//! Playing: the playhead moves with time, as fast as asked, and does not wait through idle hours.
//!
//! Lives here: how far the playhead is after some time. May not live here: timers.

use std::time::Duration;

use crate::model::Position;
use crate::timeline::{ClockKind, Clocks};

/// How often the playhead moves while playing.
pub const FRAME: Duration = Duration::from_millis(33);
/// How many times faster than it happened.
const SPEEDS: [u32; 13] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];
/// The speed at first: ten.
const FIRST: usize = 3;
/// Nobody waits longer than this for the next event.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Playing since some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Play {
    speed: usize,
    /// When the playhead was moved last.
    since: Duration,
    /// How much of the time to the next event has passed, in milliseconds of the log.
    passed: i64,
}

impl Play {
    /// Begins to play now.
    #[must_use]
    pub fn begin(now: Duration, speed: usize) -> Self {
        Self { speed, since: now, passed: 0 }
    }

    /// The speed at first.
    #[must_use]
    pub fn first_speed() -> usize {
        FIRST
    }

    /// How many times faster than it happened a speed is.
    #[must_use]
    pub fn factor(speed: usize) -> u32 {
        SPEEDS.get(speed).copied().unwrap_or(1)
    }

    /// A faster or slower speed.
    #[must_use]
    pub fn change(speed: usize, steps: i64) -> usize {
        let last = SPEEDS.len() as i64 - 1;
        usize::try_from((speed as i64 + steps).clamp(0, last)).unwrap_or_default()
    }

    /// Plays on at another speed.
    pub fn set_speed(&mut self, speed: usize) {
        self.speed = speed;
    }

    /// Where the playhead is at `now`, from `at` on.
    pub fn advance(
        &mut self,
        clocks: &Clocks,
        at: Position,
        head: Position,
        now: Duration,
    ) -> Position {
        let elapsed = now.saturating_sub(self.since);
        self.since = now;
        let factor = i64::from(Self::factor(self.speed));
        let longest = millis(LONGEST_WAIT).saturating_mul(factor);
        self.passed = self.passed.saturating_add(millis(elapsed).saturating_mul(factor));
        let mut position = at;
        while position < head {
            let here = clocks.at(ClockKind::Active, position);
            let wait = (clocks.at(ClockKind::Active, position + 1) - here).min(longest);
            if self.passed < wait {
                break;
            }
            self.passed -= wait;
            position += 1;
        }
        if position >= head {
            self.passed = 0;
        }
        position
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    fn clocks(seconds: &[i64]) -> Clocks {
        let mut clocks = Clocks::default();
        for second in seconds {
            clocks.push(Timestamp::from_millis(second * 1000), None);
        }
        clocks
    }

    #[test]
    fn time_passes_as_it_did_and_idle_hours_do_not() {
        let clocks = clocks(&[0, 10, 20, 20_000]);
        let mut play = Play::begin(Duration::ZERO, 0);
        let mut at = |ms, from| play.advance(&clocks, from, 4, Duration::from_millis(ms));
        assert_eq!(at(1999, 1), 1);
        // Two seconds are the longest wait for an event, ten would be the real one.
        assert_eq!(at(2000, 1), 2);
        assert_eq!(at(4000, 2), 3);
        assert_eq!(at(6000, 3), 4);
        assert_eq!(at(9000, 4), 4);
    }

    #[test]
    fn faster_is_faster() {
        let clocks = clocks(&[0, 10, 20, 30]);
        let mut play = Play::begin(Duration::ZERO, 3);
        assert_eq!(Play::factor(3), 10);
        assert_eq!(play.advance(&clocks, 1, 4, Duration::from_millis(2500)), 3);
        assert_eq!(Play::change(3, -9), 0);
        assert_eq!(Play::change(3, 99), SPEEDS.len() - 1);
    }
}
