//! The filter of the events: which are shown, and the step that waits until that is known.
//!
//! Lives here: the filter that is on. May not live here: what fits (see [`crate::session::filter`]).

use std::time::{Duration, Instant};

use super::nav::Way;
use crate::error::Result;
use crate::model::Position;
use crate::session::Session;
use crate::session::filter::{Fitting, Next, Test};

/// How long one bit of work takes about.
const BUDGET: Duration = Duration::from_millis(8);

/// A step to an event that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stride {
    /// From where.
    pub from: Position,
    /// Which way.
    pub way: Way,
    /// Over how many that fit.
    pub times: usize,
}

/// A filter that is on.
#[derive(Debug)]
pub struct Filter {
    /// As it was typed.
    pub text: String,
    /// What events are put to; or why that cannot be read any more.
    test: std::result::Result<Test, String>,
    fitting: Fitting,
    /// A step that waits until it is known where it leads.
    waiting: Option<Stride>,
    /// Whether it was told what was found.
    told: bool,
}

impl Filter {
    /// A filter that begins to look where the user stands.
    #[must_use]
    pub fn new(text: &str, from: Position) -> Self {
        let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
        Self {
            text: text.to_owned(),
            test: Test::parse(text).map_err(|error| first(error.message())),
            fitting: Fitting::new(from),
            waiting: None,
            told: false,
        }
    }

    /// Why it shows nothing.
    #[must_use]
    pub fn fault(&self) -> Option<&str> {
        self.test.as_ref().err().map(String::as_str)
    }

    /// What fits, as far as that is known.
    #[must_use]
    pub fn fitting(&self) -> &Fitting {
        &self.fitting
    }

    /// Whether not all of the log was looked at.
    #[must_use]
    pub fn has_work(&self, session: &Session) -> bool {
        session.is_loaded() && self.test.is_ok() && !self.fitting.is_whole(session.head())
    }

    /// Where a step leads; one that is not known yet waits, and comes with [`Filter::arrived`].
    pub fn stride(&mut self, stride: Stride, head: Position) -> Next {
        let next = match self.test {
            Ok(_) => self.fitting.next(stride.from, stride.way.into(), stride.times, head),
            Err(_) => Next::Last(None),
        };
        self.waiting = (next == Next::Unknown).then_some(stride);
        next
    }

    /// Whether a step waits.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// The step that waited, if it is known now where it leads.
    pub fn arrived(&mut self, head: Position) -> Option<(Stride, Next)> {
        let stride = self.waiting?;
        let next = self.stride(stride, head);
        (next != Next::Unknown).then_some((stride, next))
    }

    /// Lets go of the step that waits; false when there is none.
    pub fn stop(&mut self) -> bool {
        self.waiting.take().is_some()
    }

    /// Looks on for a moment; what there is to tell, once all was looked at.
    ///
    /// # Errors
    /// Those of reading the log again; it stops then.
    pub fn work(&mut self, session: &mut Session) -> Result<Option<String>> {
        let started = Instant::now();
        let head = session.head();
        let Ok(test) = &self.test else { return Ok(None) };
        while !self.fitting.is_whole(head) && started.elapsed() < BUDGET {
            if let Err(error) = self.fitting.step(session, test) {
                // It would fail again and again.
                self.test = Err(error.message().to_owned());
                return Err(error);
            }
        }
        if !self.fitting.is_whole(head) || std::mem::replace(&mut self.told, true) {
            return Ok(None);
        }
        Ok(match (self.fitting.faults(), self.fitting.len()) {
            (Some((count, first, why)), _) => {
                Some(format!("{count} could not be judged, first #{first}: {why}"))
            }
            (None, 0) => Some(format!("no event fits the filter {}", self.text)),
            (None, _) => None,
        })
    }

    /// How many fit, for the title of the list.
    #[must_use]
    pub fn count(&self, head: Position) -> String {
        let (count, more) = (self.fitting.len(), !self.fitting.is_whole(head));
        let faults =
            self.fitting.faults().map_or(String::new(), |(n, ..)| format!(" {n} unjudged"));
        match (&self.test, more) {
            (Err(_), _) => "cannot be read".to_owned(),
            (Ok(_), true) => {
                format!("{count}+ of {head}, {} %{faults}", self.fitting.progress(head))
            }
            (Ok(_), false) => format!("{count} of {head}{faults}"),
        }
    }
}
