//! The change index and the kept versions, which follow the fold on a thread of their own where many
//! events come.
//!
//! Lives here: [`Follower`], which makes whoever looks wait until they have caught up. May not live
//! here: folding, or what the index and the versions are.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::{Builder, JoinHandle};

use super::{ChangeIndex, Keyframes};
use crate::fold::{Change, State};
use crate::model::Position;

/// How many bundles of events may wait for the thread: bounds the memory of one that is slow.
const QUEUE: usize = 8;

/// What is made of the changes of all events.
#[derive(Debug, Default)]
pub(super) struct Followed {
    pub(super) changes: ChangeIndex,
    pub(super) keyframes: Keyframes,
}

/// What some events wrote, one after the other.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) changes: Vec<Change>,
    /// For each event where its changes end.
    pub(super) ends: Vec<(Position, usize)>,
    /// The versions to keep.
    pub(super) kept: Vec<(Position, State)>,
}

impl Followed {
    fn record(&mut self, written: &Written) {
        for (position, state) in &written.kept {
            self.keyframes.offer(*position, state);
        }
        let mut from = 0;
        for (position, end) in &written.ends {
            self.changes.record(*position, written.changes.get(from..*end).unwrap_or_default());
            from = *end;
        }
    }
}

/// What follows the fold: here, or with a thread that brings it up to date. Whoever wants to see it
/// waits for the thread and has all of it.
#[derive(Debug, Default)]
pub(super) struct Follower {
    /// Empty while a thread has it.
    here: OnceLock<Box<Followed>>,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    written: SyncSender<Written>,
    /// Changes that were taken up. Who made them lets go of them: else both threads would be at one
    /// heap at the same time.
    used: Receiver<Vec<Change>>,
    thread: JoinHandle<Box<Followed>>,
}

impl Running {
    /// Hands what follows over to a thread; gives it back where there is no thread to be had.
    fn start(followed: Box<Followed>) -> Result<Self, Box<Followed>> {
        // (A thread that cannot be started takes what it was to have with it: it is sent.)
        let (hand_over, given) = sync_channel(1);
        let (written, bundles) = sync_channel(QUEUE);
        let (back, used) = channel();
        let run = move || follow(&given, &bundles, &back);
        let thread = Builder::new().name("index".into()).spawn(run);
        let Ok(thread) = thread else { return Err(followed) };
        hand_over.send(followed).map_err(|back| back.0)?;
        Ok(Self { written, used, thread })
    }

    /// Waits until the thread has taken up all that it was sent.
    fn finish(self) -> Box<Followed> {
        drop(self.written);
        self.thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// What the thread does: it takes up what it is sent until there will be no more.
fn follow(
    given: &Receiver<Box<Followed>>,
    bundles: &Receiver<Written>,
    back: &Sender<Vec<Change>>,
) -> Box<Followed> {
    let mut followed = given.recv().unwrap_or_default();
    for written in bundles {
        followed.record(&written);
        // Where nobody takes them back, they go here.
        let _ = back.send(written.changes);
    }
    followed
}

impl Follower {
    /// What follows the fold, caught up with it.
    pub(super) fn get(&self) -> &Followed {
        self.here.get_or_init(|| {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            running.take().map(Running::finish).unwrap_or_default()
        })
    }

    /// Changes what follows the fold, once it has caught up.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Followed)) {
        self.get();
        let mut followed = self.here.take().unwrap_or_default();
        change(&mut followed);
        self.here = OnceLock::from(followed);
    }

    /// Takes up what some events wrote, on another thread if there is one.
    pub(super) fn send(&mut self, written: Written) {
        if let Some(followed) = self.here.take() {
            match Running::start(followed) {
                Ok(running) => *self.running() = Some(running),
                Err(followed) => self.here = OnceLock::from(followed),
            }
        }
        let left = match self.running() {
            Some(running) => {
                running.used.try_iter().for_each(drop);
                running.written.send(written).err().map(|back| back.0)
            }
            None => Some(written),
        };
        // It does not listen any more: this one waits for it, and says why.
        if let Some(written) = left {
            self.change(|followed| followed.record(&written));
        }
    }

    fn running(&mut self) -> &mut Option<Running> {
        self.running.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}
