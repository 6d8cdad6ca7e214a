//! Taking in what the loader hands over: events, notices, looks ahead.
//!
//! Lives here: [`Session::pump`] and what it changes in the session. May not live here: reading and
//! parsing (see [`super::load`]).

use std::ops::Range;
use std::time::{Duration, Instant};

use super::Session;
use super::aside::LONG_LOG;
use super::load::Batch;
use super::long::LongEvents;
use super::scan::Sketch;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{AnomalyKind, Position};
use crate::store::Notice;
use crate::timeline::{Loaded, Timeline};

/// What one [`Session::pump`] brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct News {
    /// The positions that came, the end excluded; empty when none did.
    pub appended: Range<Position>,
    /// Whether the log was truncated or replaced: every earlier position is void.
    pub restarted: bool,
    /// Where the head was when the end of the log was reached for the first time, if it was.
    pub loaded: Option<Position>,
    /// Whether the log became unreadable, or readable again.
    pub fault_changed: bool,
    /// Whether there may be more at once.
    pub more: bool,
}

impl News {
    /// Whether anything happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.appended.is_empty() && !self.restarted && self.loaded.is_none() && !self.fault_changed
    }
}

impl Session {
    /// Takes in what came, for about `budget`; waits up to `patience` for the first of it.
    pub fn pump(&mut self, patience: Duration, budget: Duration) -> News {
        let started = Instant::now();
        let first = self.head() + 1;
        let mut news = News { appended: first..first, ..News::default() };
        let mut patience = patience;
        while let Some(batch) = self.loader.as_ref().and_then(|loader| loader.next(patience)) {
            self.take_batch(batch, &mut news);
            patience = Duration::ZERO;
            if started.elapsed() >= budget {
                news.more = true;
                break;
            }
        }
        news.appended.end = self.head() + 1;
        news
    }

    /// Pumps until the end of the log was reached once. For callers without a screen, and tests.
    ///
    /// # Errors
    /// Unavailable, when the log cannot be read.
    pub fn pump_all(&mut self) -> Result<()> {
        while !self.loaded && self.loader.is_some() {
            self.pump(Duration::from_millis(100), Duration::MAX);
            if let Some(fault) = &self.fault {
                return Err(Error::new(ErrorKind::Unavailable, fault.clone()));
            }
        }
        Ok(())
    }

    pub(super) fn take_batch(&mut self, batch: Batch, news: &mut News) {
        match batch {
            Batch::Events { notices, events, remaining } => {
                self.ending = Vec::new();
                if notices.iter().any(Notice::starts_anew) {
                    self.restart();
                    news.restarted = true;
                    news.loaded = None;
                    news.appended = 1..1;
                }
                news.fault_changed |= self.fault.take().is_some();
                self.take_events(events);
                self.take_notices(&notices);
                self.remaining = remaining;
                if remaining == 0 && !self.loaded {
                    self.loaded = true;
                    news.loaded = Some(self.timeline.head());
                }
                let overtaken =
                    |sketch: &Sketch| self.loaded || self.timeline.head() >= sketch.timeline.head();
                if self.sketch.as_ref().is_some_and(overtaken) {
                    self.sketch = None;
                    self.early = None;
                }
            }
            Batch::End(events) => self.ending = events,
            Batch::Seen(glimpse) => {
                if let Some(sketch) = &mut self.sketch {
                    sketch.take(glimpse);
                }
            }
            // (What came too late is known by now.)
            Batch::Early(early) => self.early = self.sketch.is_some().then_some(early),
            Batch::NotEarly(reason) => {
                self.early = None;
                self.timeline.note(AnomalyKind::BadSnapshot, reason);
            }
            Batch::Fault(error) => {
                self.fault = Some(error.message().to_owned());
                news.fault_changed = true;
            }
        }
    }

    pub(super) fn take_events(&mut self, events: Vec<Loaded>) {
        for (position, loaded) in (self.timeline.head() + 1..).zip(&events) {
            self.long.offer(position, loaded);
        }
        self.timeline.push_all(events);
        if self.timeline.head() >= LONG_LOG && !self.aside {
            self.put_aside();
        }
    }

    pub(super) fn restart(&mut self) {
        self.sketch = None;
        self.early = None;
        self.ending = Vec::new();
        self.timeline = Timeline::new(&self.issue_key, self.links);
        self.cache.clear();
        self.long = LongEvents::default();
        self.aside = false;
        self.loaded = false;
    }

    pub(super) fn take_notices(&mut self, notices: &[Notice]) {
        // Looking through all anomalies is for when there is one to withdraw, not for every batch.
        if std::mem::take(&mut self.torn) {
            self.timeline.withdraw(AnomalyKind::TornTail);
        }
        self.torn = notices.iter().any(|notice| matches!(notice, Notice::TornTail { .. }));
        for notice in notices {
            match notice {
                Notice::Rotated { .. } => {}
                Notice::Truncated { detail } => self.timeline.note(AnomalyKind::Truncated, detail),
                Notice::Replaced { detail } => self.timeline.note(AnomalyKind::Replaced, detail),
                Notice::TornTail { bytes } => self.timeline.note(
                    AnomalyKind::TornTail,
                    format!("{bytes} bytes after the last line feed are no event yet"),
                ),
            }
        }
    }
}
