//! How a replay stands, in a line of its own: for the pane, the status line and the shell.
//!
//! Lives here: words that are told in more than one place. May not live here: drawing.

use super::{End, Replay, Unfinished};

/// So much of a run's id is told where the whole has no room.
const SHORT_ID: usize = 8;

/// The beginning of a run's id.
#[must_use]
pub fn short_id(id: &str) -> String {
    format!("{}…", id.get(..SHORT_ID).unwrap_or(id))
}

impl Unfinished {
    /// Which run it is and how far it came.
    #[must_use]
    pub fn text(&self) -> String {
        let (id, from, to) = (short_id(&self.replay_id), self.from, self.to);
        format!("run {id} of #{from} to #{to} {}", self.told)
    }
}

impl Replay {
    /// How it ended; none while it goes on.
    #[must_use]
    pub fn end_text(&self) -> Option<String> {
        let (done, all) = (self.outcomes.len(), self.events());
        let seconds = self.took().as_secs_f64();
        Some(match self.end.as_ref()? {
            End::Done(_) => format!("done: {all} events in {seconds:.1} s"),
            End::Stopped => format!("stopped after {done}/{all} events, {seconds:.1} s"),
            End::Fault(_) if done == 0 => "could not go on".to_owned(),
            End::Fault(_) => format!("could not go on after {done}/{all} events"),
        })
    }

    /// What is waited for while it stops, and for how long at most; none while it does not.
    #[must_use]
    pub fn stopping_text(&self) -> Option<String> {
        if !self.stopping {
            return None;
        }
        let Some(at) = self.outcomes.running() else {
            return Some("stopping: nothing more is begun".to_owned());
        };
        let most =
            self.terms.as_ref().map(|terms| format!(", {} s at most", terms.timeout.as_secs()));
        Some(format!("stopping: the program of #{at} is waited for{}", most.unwrap_or_default()))
    }
}
