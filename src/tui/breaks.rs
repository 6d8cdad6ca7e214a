//! Breakpoints on the screen: where they hit, and the run to the next hit.
//!
//! Lives here: what is looked for and how far that is. May not live here: moving to a hit, or what
//! a condition is (see [`crate::session::breakpoint`]).

use std::time::{Duration, Instant};

use super::nav::Way;
use crate::error::Result;
use crate::model::{Path, Position};
use crate::session::breakpoint::{Breakpoint, Condition, Hits, Outcome, Run};
use crate::session::writers::WriterFinder;
use crate::session::{Found, Session};

/// How long one bit of work takes about.
const BUDGET: Duration = Duration::from_millis(8);

/// A breakpoint with what is known of it.
#[derive(Debug)]
pub struct Watch {
    /// As it is kept.
    pub kept: Breakpoint,
    /// What is waited for; or why that cannot be read any more.
    condition: std::result::Result<Condition, String>,
    hits: Hits,
}

impl Watch {
    fn new(kept: &Breakpoint) -> Self {
        let condition = Condition::parse(&kept.when);
        let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
        Self {
            kept: kept.clone(),
            condition: condition.map_err(|fault| first(fault.message())),
            hits: Hits::default(),
        }
    }

    /// Why it cannot be looked for.
    #[must_use]
    pub fn fault(&self) -> Option<&str> {
        self.condition.as_ref().err().map(String::as_str)
    }

    /// Where it hits, as far as that is known.
    #[must_use]
    pub fn hits(&self) -> &[Position] {
        self.hits.positions()
    }

    /// Whether the whole log was looked at.
    #[must_use]
    pub fn is_whole(&self, head: Position) -> bool {
        self.hits.is_whole(head)
    }

    fn wants_work(&self, head: Position) -> bool {
        self.kept.on && self.condition.is_ok() && !self.hits.is_whole(head)
    }
}

/// A run that is going on.
#[derive(Debug)]
struct Running {
    run: Run,
    /// What stops it, in words, in the order of the run's conditions.
    names: Vec<String>,
    way: Way,
}

/// What a bit of work came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A hit, and of what.
    Hit(Position, String),
    /// The run is at an end without one; why that may be.
    Nothing(Way, Option<String>),
}

/// All breakpoints.
#[derive(Debug, Default)]
pub struct Breaks {
    watches: Vec<Watch>,
    running: Option<Running>,
    /// All hits of what is switched on, in order.
    hits: Vec<Position>,
    /// How many hits there were in all when they were put together last, and of how many watches.
    merged: Option<usize>,
    /// What was asked for with `find` last.
    pub once: Option<Condition>,
}

impl Breaks {
    /// Takes over what is kept, as far as it is another than before.
    pub fn sync(&mut self, kept: &[Breakpoint]) {
        if self.watches.iter().map(|watch| &watch.kept).eq(kept) {
            return;
        }
        let mut before = std::mem::take(&mut self.watches);
        for kept in kept {
            let known = before.iter().position(|watch| watch.kept.when == kept.when);
            let mut watch = known.map_or_else(|| Watch::new(kept), |at| before.swap_remove(at));
            watch.kept.on = kept.on;
            self.watches.push(watch);
        }
        self.merged = None;
        self.merge();
    }

    /// The breakpoints, in the order in which they were set.
    #[must_use]
    pub fn watches(&self) -> &[Watch] {
        &self.watches
    }

    /// Where breakpoints that are switched on hit, as far as that is known.
    #[must_use]
    pub fn hits(&self) -> &[Position] {
        &self.hits
    }

    /// How many hits there are after a position.
    #[must_use]
    pub fn hits_after(&self, position: Position) -> usize {
        self.hits.len() - self.hits.partition_point(|p| *p <= position)
    }

    fn merge(&mut self) {
        let on = self.watches.iter().filter(|watch| watch.kept.on);
        let mut hits: Vec<Position> = on.flat_map(Watch::hits).copied().collect();
        self.merged = Some(hits.len());
        hits.sort_unstable();
        hits.dedup();
        self.hits = hits;
    }

    /// Whether somebody waits for a hit.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Whether not all hits are known.
    #[must_use]
    pub fn has_work(&self, session: &Session) -> bool {
        session.is_loaded() && self.watches.iter().any(|w| w.wants_work(session.head()))
    }

    /// Runs to the next hit of a breakpoint that is switched on; false when there is none.
    pub fn run(&mut self, session: &Session, way: Way, from: Position) -> bool {
        let on = self.watches.iter().filter(|watch| watch.kept.on);
        let on = on.filter_map(|w| Some((w.condition.clone().ok()?, w.kept.when.clone())));
        let (conditions, names): (Vec<_>, Vec<_>) = on.unzip();
        self.start(session, way, from, &conditions, names)
    }

    /// Runs to where the condition holds that was asked for with `find` last.
    pub fn find(&mut self, session: &Session, way: Way, from: Position) -> bool {
        let Some(condition) = self.once.clone() else { return false };
        let name = match &condition {
            Condition::Expression(expression) => expression.text().to_owned(),
            Condition::Path(path) => path.to_string(),
        };
        self.start(session, way, from, &[condition], vec![name])
    }

    /// The nearest writer of a path, where that is known within a moment. Where it is not, what was
    /// looked at is passed, and a run to it goes on from there.
    ///
    /// # Errors
    /// Those of reading the log again.
    pub fn writer(
        &mut self,
        session: &mut Session,
        path: &Path,
        way: Way,
        from: Position,
    ) -> Result<Found> {
        let range = match way {
            Way::Forward => (from.saturating_add(1), session.head()),
            Way::Back => (1, from.saturating_sub(1)),
        };
        let started = Instant::now();
        let mut finder = WriterFinder::new(path.clone(), range, way.into());
        let found = finder.step(session, || started.elapsed() >= BUDGET)?;
        if let Found::Budget { reached } = found {
            let condition = [Condition::Path(path.clone())];
            self.start(session, way, reached, &condition, vec![path.to_string()]);
        }
        Ok(found)
    }

    fn start(
        &mut self,
        session: &Session,
        way: Way,
        from: Position,
        conditions: &[Condition],
        names: Vec<String>,
    ) -> bool {
        let run = Run::new(session, conditions, from, way.into());
        self.running = (!conditions.is_empty()).then_some(Running { run, names, way });
        self.running.is_some()
    }

    /// Stops the run; false when there is none.
    pub fn stop(&mut self) -> bool {
        self.running.take().is_some()
    }

    /// What the status line says of the run.
    #[must_use]
    pub fn run_text(&self) -> Option<String> {
        let running = self.running.as_ref()?;
        let way = if running.way == Way::Forward { "forward" } else { "back" };
        Some(format!("running {way} {} %", running.run.progress()))
    }

    /// Goes on for a moment: with the run, else with finding all hits.
    ///
    /// # Errors
    /// Those of reading the log again; what was going on stops.
    pub fn work(&mut self, session: &mut Session) -> Result<Option<Told>> {
        let started = Instant::now();
        let enough = || started.elapsed() >= BUDGET;
        if let Some(mut running) = self.running.take() {
            return Ok(match running.run.step(session, enough)? {
                Outcome::Going => {
                    self.running = Some(running);
                    None
                }
                Outcome::Hit(position, number) => {
                    Some(Told::Hit(position, running.names.swap_remove(number)))
                }
                Outcome::Nothing => {
                    Some(Told::Nothing(running.way, running.run.fault().map(str::to_owned)))
                }
            });
        }
        let head = session.head();
        for watch in self.watches.iter_mut().filter(|watch| watch.wants_work(head)) {
            let Ok(condition) = &watch.condition else { continue };
            while !watch.hits.is_whole(head) && !enough() {
                if let Err(error) = watch.hits.step(session, condition) {
                    // It would fail again and again.
                    watch.condition = Err(error.message().to_owned());
                    return Err(error);
                }
            }
        }
        let known: usize = self.watches.iter().filter(|w| w.kept.on).map(|w| w.hits().len()).sum();
        let before = self.merged.unwrap_or_default();
        if known > before && (!self.has_work(session) || known - before > before / 8) {
            self.merge();
        }
        Ok(None)
    }
}
