//! What is left of a run that did not come to its end, and what going on with it takes.
//!
//! Lives here: that decision, for the pane, the question and the commands. May not live here: going on
//! (see [`crate::session::replay::execute::resume`]), words (see [`super::told`]).

use super::{End, Replay, Terms, Unfinished};
use crate::error::ErrorKind;
use crate::model::Position;

/// What stands in the way of going on with a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rest {
    /// The events that were begun, and of which nobody knows how they ended: somebody has to decide.
    pub unknown: Vec<Position>,
    /// Whether somebody is still at it: another process, or a program that was left behind.
    pub is_held: bool,
}

/// What is asked before programs run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Whether they are to run.
    Execute,
    /// Whether to go on.
    GoOn,
    /// What becomes of the events of which nobody knows how they ended.
    Decide,
    /// Whether to begin another run, as nobody can go on with the one that there is.
    Anew,
}

impl Replay {
    /// The run that did not come to its end, and what is left of it: that of the pane, else the last
    /// of another time.
    #[must_use]
    pub fn rest(&self) -> Option<(&str, &Rest)> {
        let own = self.replay_id.as_deref().filter(|_| self.can_be_gone_on_with());
        let own = own.zip(self.rest.as_ref());
        own.or_else(|| self.unfinished().map(|run| (run.replay_id.as_str(), &run.rest)))
    }

    /// Whether the execution that the pane shows ended early, and not for good.
    fn can_be_gone_on_with(&self) -> bool {
        let Some(end) = self.end.as_ref().filter(|_| self.executes) else { return false };
        match end {
            End::Done(_) => false,
            End::Stopped => true,
            End::Fault(error) => match error.kind() {
                // Another log, damage, settings or files that are not there: it would be no better.
                ErrorKind::Integrity | ErrorKind::NotFound | ErrorKind::Usage => false,
                _ => true,
            },
        }
    }

    /// The run that can be gone on with, as far as is known.
    #[must_use]
    pub fn resumable(&self) -> Option<(&str, &Rest)> {
        self.rest().filter(|(_, rest)| !rest.is_held)
    }

    /// The run of another time that did not come to its end, where going on with that is offered
    /// instead of another one.
    #[must_use]
    pub fn unfinished(&self) -> Option<&Unfinished> {
        let offered = !self.executes && !self.anew && self.state().is_some();
        self.terms.as_ref().filter(|_| offered)?.unfinished.as_ref()
    }

    /// What is told of other runs of another time, beside the one that is offered.
    #[must_use]
    pub fn others(&self) -> Option<String> {
        let offered = !self.executes && self.state().is_some();
        self.terms.as_ref().filter(|_| offered)?.others.text()
    }

    /// Takes in what was found when it was asked; says whether that is another question now.
    pub fn look(&mut self, found: Terms) -> bool {
        let before = self.asked_about();
        let Some(terms) = &mut self.terms else { return false };
        let id = |terms: &Terms| terms.unfinished.as_ref().map(|run| run.replay_id.clone());
        if id(terms) != id(&found) {
            // The user wanted another run than one that is the last no more.
            self.anew = false;
        }
        if let Some(run) = &found.unfinished
            && self.replay_id.as_ref() == Some(&run.replay_id)
        {
            self.rest = Some(run.rest.clone());
        }
        (terms.unfinished, terms.others) = (found.unfinished, found.others);
        terms.changed = found.changed;
        self.asked_about() != before
    }

    /// What is told of a log that is not what was recorded.
    #[must_use]
    pub fn changed(&self) -> &[String] {
        self.terms.as_ref().map_or(&[], |terms| &terms.changed)
    }

    /// What it is asked about: the run, what is left of it, and what is told of others and of the log.
    fn asked_about(&self) -> (Option<(String, Rest)>, Option<String>, Vec<String>) {
        let run = self.rest().map(|(id, rest)| (id.to_owned(), rest.clone()));
        (run, self.others(), self.changed().to_vec())
    }

    /// The runs that did not come to their end and that the user knows of.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        let Some(terms) = &self.terms else { return Vec::new() };
        let last = terms.unfinished.iter().map(|run| &run.replay_id);
        last.chain(&terms.others.older).chain(&terms.others.unreadable).cloned().collect()
    }

    /// Whether there is something to execute, or at least a reason why not that has to be told.
    #[must_use]
    pub fn can_execute(&self) -> bool {
        match self.rest() {
            _ if self.running.is_some() => false,
            Some((_, rest)) => !(rest.is_held && self.executes),
            None => !self.executes && self.state().is_some(),
        }
    }

    /// What is asked before programs run.
    #[must_use]
    pub fn question(&self) -> Question {
        match self.rest() {
            None => Question::Execute,
            Some((_, rest)) if rest.is_held => Question::Anew,
            Some((_, rest)) if rest.unknown.is_empty() => Question::GoOn,
            Some(_) => Question::Decide,
        }
    }
}
