//! How a replay stands, in a line of its own: for the pane, the status line and the shell.
//!
//! Lives here: words that are told in more than one place. May not live here: drawing.

use super::{End, Others, Replay, Unfinished};
use crate::model::Position;

/// So much of a run's id is told where the whole has no room.
const SHORT_ID: usize = 8;
/// How many events are named where there are many.
const MOST_NAMED: usize = 3;

/// The beginning of a run's id.
#[must_use]
pub fn short_id(id: &str) -> String {
    format!("{}…", id.get(..SHORT_ID).unwrap_or(id))
}

/// Some events by their positions; of many, the first.
#[must_use]
pub fn named(positions: &[Position]) -> String {
    listed(positions, |at| format!("#{at}"))
}

/// Some things by their names; of many, the first.
fn listed<T>(all: &[T], name: impl Fn(&T) -> String) -> String {
    let first: Vec<String> = all.iter().take(MOST_NAMED).map(name).collect();
    match all.len().saturating_sub(MOST_NAMED) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

impl Others {
    /// Which they are; none where there are none.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        let name = |ids: &[String]| listed(ids, |id| short_id(id));
        let older = match self.older.as_slice() {
            [] => None,
            ids => Some(format!("older runs did not end either: {}", name(ids))),
        };
        let unreadable = match self.unreadable.as_slice() {
            [] => None,
            ids => Some(format!("unreadable journals: {}", name(ids))),
        };
        let all: Vec<String> = older.into_iter().chain(unreadable).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

/// What is on beside a replay and does not count for it; none where nothing is.
#[must_use]
pub fn beside(branch: bool, filter: bool) -> Option<&'static str> {
    match (branch, filter) {
        (true, true) => Some("the log as it is: branch and filter do not count"),
        (true, false) => Some("the log as it is: the branch does not count"),
        (false, true) => Some("the log as it is: the filter does not count"),
        (false, false) => None,
    }
}

impl Unfinished {
    /// How far it came.
    #[must_use]
    pub fn told(&self) -> String {
        let count = format!("{}/{} events", self.done, self.events);
        match self.rest.unknown.as_slice() {
            _ if self.rest.is_held => format!("is still at work elsewhere, after {count}"),
            [] => format!("stopped after {count}"),
            all => format!("stopped after {count}, {} unknown", named(all)),
        }
    }

    /// Which run it is and how far it came.
    #[must_use]
    pub fn text(&self) -> String {
        let (id, from, to) = (short_id(&self.replay_id), self.from, self.to);
        format!("run {id} of #{from} to #{to} {}", self.told())
    }
}

impl Replay {
    /// How it ended; none while it goes on.
    #[must_use]
    pub fn end_text(&self) -> Option<String> {
        let (done, all) = (self.outcomes.settled(), self.events());
        let seconds = self.took().as_secs_f64();
        let took = match self.done_before() {
            0 => format!("{seconds:.1} s"),
            before => format!("{} of them in {seconds:.1} s", done.saturating_sub(before)),
        };
        Some(match self.end.as_ref()? {
            End::Done(_) if self.done_before() > 0 => format!("done: {all} events, {took}"),
            End::Done(_) => format!("done: {all} events in {took}"),
            End::Stopped => {
                let why = if self.is_cut_off { ": the log was cut or replaced" } else { "" };
                format!("stopped after {done}/{all} events, {took}{why}")
            }
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
