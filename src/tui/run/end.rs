//! The end of the screen while programs of a replay run.
//!
//! Lives here: which executions go on, and ending what they run before this process ends. May not live
//! here: whether the screen may be left (see [`crate::tui::update()`]).
//!
//! A program must not outlive the thread that waits for it: nobody would end it when its time is over,
//! and it would hold the run.

use std::time::{Duration, Instant};

use super::{Message, Turner};
use crate::tui::action::Action;
use crate::tui::replay::{Replaying, What};
use crate::tui::update;

/// How long executions are waited for at most, once their programs are being ended.
const PATIENCE: Duration = Duration::from_secs(5);

impl Turner {
    /// A replay began; an execution perhaps.
    pub(super) fn note_execution(&mut self, replaying: Replaying) {
        if replaying.what != What::Rehearse {
            self.executions.push(replaying);
        }
    }

    /// Work beside all else has come to its end; an execution perhaps.
    pub(super) fn note_answer(&mut self, action: &Action) {
        if let Action::Replayed(replaying, _) = action {
            self.executions.retain(|other| other != replaying);
        }
    }

    /// Ends what programs still run, and waits until they have ended.
    pub(super) fn end_programs(&mut self) {
        let begun = Instant::now();
        self.executions.iter().for_each(|replaying| replaying.progress.end());
        while !self.executions.is_empty() {
            let left = PATIENCE.saturating_sub(begun.elapsed());
            match self.messages.recv_timeout(left) {
                Ok(Message::Done(action)) => {
                    self.note_answer(&action);
                    // Nothing can be shown or kept any more, but how to go on is noted.
                    drop(update(&mut self.app, *action));
                }
                Ok(_) => {}
                Err(_) => return drop(update(&mut self.app, Action::End)),
            }
        }
    }
}

impl Drop for Turner {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.end_programs();
        }
    }
}
