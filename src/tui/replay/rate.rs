//! How long a replay takes, and how fast it goes.
//!
//! Lives here: the times, and which events count. May not live here: words (see [`super::told`]).

use std::time::Duration;

use super::Replay;
use crate::model::Position;

/// For so long it has to go on before it is said how fast.
const SHORTEST: f64 = 0.2;

/// When what was heard of a replay. What was dealt with at another time is told at once, and does not
/// count for how fast it goes; nor does reading the log.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Times {
    began: Duration,
    /// When it was heard last.
    heard: Duration,
    /// When it was heard last before it came to an event that counts.
    since: Duration,
    /// The last event that was dealt with at another time.
    dealt_with: Position,
}

impl Times {
    /// It begins.
    pub(super) fn new(now: Duration) -> Self {
        Self { began: now, heard: now, since: now, dealt_with: 0 }
    }
}

impl Replay {
    /// It is heard; what it tells is taken in behind that.
    pub(super) fn note_time(&mut self, now: Duration, dealt_with: Position) {
        self.times.dealt_with = dealt_with;
        if self.own() == 0 {
            self.times.since = self.times.heard;
        }
        self.times.heard = now;
    }

    /// How long it has been going on.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.times.heard.saturating_sub(self.times.began)
    }

    /// Events settled in a second, by this run; none where that says nothing.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a rate needs no more digits")]
    pub fn rate(&self) -> Option<f64> {
        let seconds = self.times.heard.saturating_sub(self.times.since).as_secs_f64();
        let own = self.own();
        (own > 0 && seconds >= SHORTEST).then(|| own as f64 / seconds)
    }

    /// How many events were dealt with at another time.
    #[must_use]
    pub fn done_before(&self) -> usize {
        self.outcomes.upto(self.times.dealt_with)
    }

    fn own(&self) -> usize {
        self.outcomes.len() - self.done_before()
    }
}
