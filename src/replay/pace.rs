//! How fast a replay goes: as fast as it can, or in the rhythm of the record.
//!
//! Lives here: [`Pace`], and [`Ticker`], the one thing that waits, which tests replace. May not
//! live here: the wall clock; only how long something takes is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::model::Timestamp;

/// Counts time and lets it pass.
pub trait Ticker: Sync {
    /// How much time went by since the beginning.
    fn elapsed(&self) -> Duration;
    /// Lets time pass. Gives whether to go on: false when the user stopped it.
    fn wait(&self, time: Duration) -> bool;
}

/// Real time, that an interrupt cuts short.
#[derive(Debug)]
pub struct Steady {
    started: Instant,
    interrupt: Arc<AtomicBool>,
}

/// How often an interrupt is looked for while time passes.
const LOOK: Duration = Duration::from_millis(20);

impl Steady {
    /// Begins now.
    #[must_use]
    pub fn new(interrupt: Arc<AtomicBool>) -> Self {
        Self { started: Instant::now(), interrupt }
    }
}

impl Ticker for Steady {
    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn wait(&self, time: Duration) -> bool {
        let started = Instant::now();
        // Nobody sends: to wait for it is to wait.
        let (_sender, never) = mpsc::channel::<()>();
        loop {
            if self.interrupt.load(Ordering::Relaxed) {
                return false;
            }
            let left = time.saturating_sub(started.elapsed());
            if left.is_zero() {
                return true;
            }
            let _ = never.recv_timeout(left.min(LOOK));
        }
    }
}

/// The rhythm of a record, so many times as fast.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How many times as fast; none for as fast as it can.
    speed: Option<f64>,
    first: Option<Timestamp>,
    latest: Timestamp,
    /// When the first event came.
    since: Duration,
}

impl Pace {
    /// So many times as fast as it was; none for as fast as it can.
    #[must_use]
    pub fn new(speed: Option<f64>) -> Self {
        let latest = Timestamp::default();
        Self { speed, first: None, latest, since: Duration::ZERO }
    }

    /// Waits until it is the turn of an event of this time, and gives it; gives whether to go on.
    pub fn turn(&mut self, at: Timestamp, ticker: &dyn Ticker) -> bool {
        let left = self.left(at, ticker);
        if !left.is_zero() && !ticker.wait(left) {
            return false;
        }
        if self.first.is_none() {
            (self.first, self.since) = (Some(at), ticker.elapsed());
        }
        self.latest = self.latest.max(at);
        true
    }

    /// How long it is until the turn of an event of this time. Times that run back cost nothing.
    #[must_use]
    pub fn left(&self, at: Timestamp, ticker: &dyn Ticker) -> Duration {
        let (Some(speed), Some(first)) = (self.speed, self.first) else { return Duration::ZERO };
        let recorded = self.latest.max(at).millis().saturating_sub(first.millis());
        let recorded = Duration::from_millis(u64::try_from(recorded).unwrap_or(0));
        // A speed that makes it longer than can be counted is as good as for ever.
        let due = Duration::try_from_secs_f64(recorded.as_secs_f64() / speed);
        let due = due.unwrap_or(Duration::MAX).saturating_add(self.since);
        due.saturating_sub(ticker.elapsed())
    }
}
