//! How far a replay is that goes on beside all else: told by its thread, taken by the screen.
//!
//! Lives here: what the two threads share. May not live here: what is made of it.
//!
//! A long log has a million events, and few things are said of them: types and reasons are told
//! once, and each event names them by a number.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

use super::Rest;
use crate::model::catalogue::ReplayPolicy;
use crate::model::{Kind, Position};
use crate::replay::{Execution, Heard, Outcome, Policies, Status};
use crate::tui::signs::ReplayMark;

/// What is said of events: the same of many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The type.
    pub type_name: String,
    /// What may be done with it.
    pub policy: ReplayPolicy,
    /// Why, or by what.
    pub reason: String,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Which event.
    pub position: Position,
    /// What.
    pub mark: ReplayMark,
    /// The number of what is said of it.
    pub words: u32,
}

/// What came since the screen asked last.
#[derive(Debug, Default)]
pub struct News {
    /// Words that are new; numbered in the order in which they come.
    pub words: Vec<Words>,
    /// What became of events.
    pub entries: Vec<Entry>,
    /// What their programs did.
    pub results: Vec<(Position, Execution)>,
    /// The event whose program runs.
    pub begun: Option<Position>,
    /// The run's id, once something can be executed under it.
    pub replay_id: Option<String>,
    /// What is left of the run, once it ended early.
    pub rest: Option<Rest>,
}

#[derive(Debug, Default)]
struct Shared {
    interrupt: Arc<AtomicBool>,
    end_now: Arc<AtomicBool>,
    /// How many hundredths of the log are read.
    read: AtomicU8,
    /// The last event that was dealt with at another time.
    before: AtomicU32,
    said: Mutex<Said>,
}

/// What was said, and what of it the screen has not asked for yet.
#[derive(Debug, Default)]
struct Said {
    news: News,
    /// The number of everything that is said of events.
    numbers: FxHashMap<String, u32>,
}

/// A replay that goes on, as both threads hold it.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Shared>);

impl PartialEq for Progress {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Progress {}

impl Progress {
    /// Stops it: nothing more is begun.
    pub fn stop(&self) {
        self.0.interrupt.store(true, Ordering::Relaxed);
    }

    /// Ends it at once, and the programs that run with it.
    pub fn end(&self) {
        self.stop();
        self.0.end_now.store(true, Ordering::Relaxed);
    }

    /// Whether it is to end at once.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.0.end_now.load(Ordering::Relaxed)
    }

    /// The flag that ends programs.
    #[must_use]
    pub fn end_now(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0.end_now)
    }

    /// The flag that stops it.
    #[must_use]
    pub fn interrupt(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0.interrupt)
    }

    /// Whether it is to stop.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.interrupt.load(Ordering::Relaxed)
    }

    /// What came since the last time.
    #[must_use]
    pub fn take(&self) -> News {
        let news = &mut self.said().news;
        let begun = news.begun;
        std::mem::replace(news, News { begun, ..News::default() })
    }

    /// Tells how many bytes of the log are read, and of how many.
    pub fn read(&self, read: u64, all: u64) {
        let hundredths = u128::from(read) * 100 / u128::from(all.max(1));
        self.0.read.store(u8::try_from(hundredths.min(100)).unwrap_or(100), Ordering::Relaxed);
    }

    /// How many hundredths of the log are read.
    #[must_use]
    pub fn hundredths_read(&self) -> u8 {
        self.0.read.load(Ordering::Relaxed)
    }

    /// Tells which event was the last that was dealt with at another time.
    pub fn go_on_behind(&self, position: Position) {
        self.0.before.store(position, Ordering::Relaxed);
    }

    /// The last event that was dealt with at another time; 0 where none was.
    #[must_use]
    pub fn before(&self) -> Position {
        self.0.before.load(Ordering::Relaxed)
    }

    /// Tells the run's id.
    pub fn name(&self, replay_id: &str) {
        self.said().news.replay_id = Some(replay_id.to_owned());
    }

    /// Tells what is left of the run.
    pub fn leave(&self, rest: Rest) {
        self.said().news.rest = Some(rest);
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.0.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of it that the replay's thread has.
#[derive(Debug)]
pub struct Teller {
    progress: Progress,
    policies: Policies,
}

impl Teller {
    /// Tells of a replay under these policies.
    #[must_use]
    pub fn new(progress: &Progress, policies: Policies) -> Self {
        Self { progress: progress.clone(), policies }
    }

    /// Tells what the replay told.
    pub fn tell(&self, heard: Heard) {
        match heard {
            Heard::Begun(position) => self.progress.said().news.begun = Some(position),
            Heard::Settled(outcome) => self.settled(outcome),
        }
    }

    fn settled(&self, outcome: Outcome) {
        let reason = outcome.reason.as_deref().unwrap_or_default();
        let mut key = String::with_capacity(outcome.event_type.len() + 1 + reason.len());
        key.push_str(&outcome.event_type);
        key.push('\n');
        key.push_str(reason);
        let said = &mut *self.progress.said();
        let (news, next) = (&mut said.news, u32::try_from(said.numbers.len()).unwrap_or(u32::MAX));
        let words = *said.numbers.entry(key).or_insert_with(|| {
            let kind = Kind::from_name(&outcome.event_type);
            news.words.push(Words {
                type_name: outcome.event_type.to_string(),
                policy: self.policies.of_type(&outcome.event_type, kind),
                reason: reason.to_owned(),
            });
            next
        });
        let position = outcome.position;
        news.entries.push(Entry { position, mark: mark(outcome.status), words });
        if let Some(result) = outcome.result {
            news.results.push((position, *result));
        }
        if news.begun == Some(position) {
            news.begun = None;
        }
    }
}

fn mark(status: Status) -> ReplayMark {
    match status {
        Status::Executed => ReplayMark::Executed,
        Status::Replayed => ReplayMark::Recorded,
        Status::WouldExecute => ReplayMark::WouldExecute,
        Status::Skipped => ReplayMark::Skipped,
        Status::Failed => ReplayMark::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(position: Position, status: Status, reason: &str) -> Outcome {
        let (event_type, event_id) = ("TestRunStarted".into(), "".into());
        let reason = Some(reason.into());
        Outcome { position, event_type, event_id, status, reason, result: None }
    }

    #[test]
    fn what_is_said_twice_is_told_once() {
        let progress = Progress::default();
        let teller = Teller::new(&progress, Policies::default());
        for (position, reason) in [(1, "a"), (2, "b"), (3, "a")] {
            teller.tell(Heard::Begun(position));
            assert_eq!(progress.said().news.begun, Some(position));
            teller.tell(Heard::Settled(outcome(position, Status::Executed, reason)));
        }
        let news = progress.take();
        let reasons: Vec<&str> = news.words.iter().map(|w| w.reason.as_str()).collect();
        assert_eq!((reasons, news.begun), (vec!["a", "b"], None));
        let said: Vec<_> = news.entries.iter().map(|e| (e.position, e.words)).collect();
        assert_eq!(said, [(1, 0), (2, 1), (3, 0)]);
        // Numbers go on after something was taken.
        teller.tell(Heard::Settled(outcome(4, Status::Failed, "b")));
        teller.tell(Heard::Settled(outcome(5, Status::Failed, "c")));
        let news = progress.take();
        assert_eq!(news.entries.iter().map(|e| e.words).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(news.words.len(), 1);
    }
}
