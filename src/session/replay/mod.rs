//! A replay of one issue: from what is asked for to the report.
//!
//! Lives here: reading the issue for the [`crate::replay`] layer, what it comes to beside the
//! recorded state, and the order of the steps of an execution (see [`execute`]) and of a copy (see
//! [`copy`]), and what the settings say about them (see [`settings`]). May not live here: flags, printing.

pub mod changed;
pub mod copy;
pub mod execute;
mod marks;
mod order;
pub mod present;
mod rehearse;
pub mod settings;
pub mod stream;
pub mod unfinished;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustc_hash::FxHashMap;

use super::Session;
use crate::diff::{DiffOptions, diff};
use crate::error::{Error, Result};
use crate::fold::{self, State};
use crate::model::{AnomalyKind, Event, Key, Path, Position, Value};
use crate::replay::{
    Difference, Events, FinalState, Handlers, Heard, Order, Outcome, Pace, Plan, Policies, Report,
    Run, Runner, Steady, Tally,
};
use crate::schema::Redactor;

/// How many events are read at once.
const BLOCK: Position = 256;

/// What is to be replayed.
#[derive(Debug, Clone)]
pub struct Request {
    /// The first event.
    pub from: Position,
    /// The last event.
    pub to: Position,
    /// The events that are asked for, sorted and within the range; none for all of it.
    pub selected: Option<Vec<Position>>,
    /// What may be done.
    pub policies: Policies,
    /// By what.
    pub handlers: Handlers,
    /// How many programs may run at a time.
    pub jobs: usize,
}

/// What a replay is done with, beside the issue.
pub struct Means<'a> {
    /// What takes secrets out of what is told.
    pub redactor: &'a Redactor,
    /// How many times as fast as it was recorded; none for as fast as it can.
    pub speed: Option<f64>,
    /// Set when the user wants it to end.
    pub interrupt: Arc<AtomicBool>,
    /// Set when programs that run are to be ended at once, not waited for.
    pub end_now: Arc<AtomicBool>,
    /// Whether the states are compared after every event.
    pub verify_steps: bool,
    /// Hears how many events are done, and of how many; of a copy, how many bytes of the log.
    pub progress: &'a mut dyn FnMut(u64, u64),
    /// Hears what begins and what became of it, event by event; a copy has nothing to tell. None
    /// where the report is to have all of that.
    pub heard: Option<&'a mut dyn FnMut(Heard)>,
}

impl Means<'_> {
    /// The same once more.
    pub fn again(&mut self) -> Means<'_> {
        Means {
            redactor: self.redactor,
            speed: self.speed,
            interrupt: Arc::clone(&self.interrupt),
            end_now: Arc::clone(&self.end_now),
            verify_steps: self.verify_steps,
            progress: &mut *self.progress,
            heard: match &mut self.heard {
                Some(heard) => Some(&mut **heard),
                None => None,
            },
        }
    }
}

/// Makes the plan of a replay.
///
/// # Errors
/// Not found, beyond the head; unavailable, when the log cannot be read.
pub fn plan(session: &mut Session, request: Request) -> Result<Plan> {
    let Request { from, to, selected, policies, handlers, jobs } = request;
    let from = from.max(1);
    let start = session.state_at(from - 1)?;
    session.state_at(to)?;
    let repeated = repeated(session, from..=to, selected.as_deref())?;
    let timeline = session.timeline();
    let within = |position: &Position| (from..=to).contains(position);
    let cause = |position| timeline.earlier_cause(position).unwrap_or(0);
    let mut plan = Plan {
        issue_key: session.issue_key().to_owned(),
        from,
        to,
        start,
        selected,
        causes: (from..=to).map(cause).map(|c| if within(&c) { c } else { 0 }).collect(),
        broken: with(session, AnomalyKind::GuardViolated).filter(within).collect(),
        repeated,
        order: Order::OneByOne,
        policies,
        handlers,
    };
    if jobs > 1 {
        plan.order = order::causal(session, &plan)?;
    }
    Ok(plan)
}

/// The positions of the anomalies of a kind, in order.
fn with(session: &Session, kind: AnomalyKind) -> impl Iterator<Item = Position> {
    let anomalies = session.timeline().anomalies().iter();
    anomalies.filter(move |anomaly| anomaly.kind == kind).map(|anomaly| anomaly.position)
}

/// For those of some events that are there before among them, id and all, where they are first.
fn repeated(
    session: &mut Session,
    range: RangeInclusive<Position>,
    selected: Option<&[Position]>,
) -> Result<FxHashMap<Position, Position>> {
    let is_asked = |position: &Position| {
        range.contains(position)
            && selected.is_none_or(|selected| selected.binary_search(position).is_ok())
    };
    let (mut first, mut repeated) = (FxHashMap::default(), FxHashMap::default());
    let again: Vec<Position> =
        with(session, AnomalyKind::DuplicateId).filter(|position| is_asked(position)).collect();
    for position in again {
        let id = session.event(position)?.id;
        let original = session.timeline().by_id(&id).filter(is_asked);
        let same = *first.entry(id).or_insert(original.unwrap_or(position));
        if same != position {
            repeated.insert(position, same);
        }
    }
    Ok(repeated)
}

/// Reads events in blocks.
struct Reader<'s> {
    session: &'s mut Session,
    first: Position,
    block: Vec<Event>,
}

impl<'s> Reader<'s> {
    fn new(session: &'s mut Session) -> Self {
        Self { session, first: 0, block: Vec::new() }
    }
}

impl Events for Reader<'_> {
    fn event(&mut self, position: Position) -> Result<Event> {
        let there = |reader: &Self| {
            let at = position.checked_sub(reader.first)?;
            reader.block.get(at as usize).cloned()
        };
        if let Some(event) = there(self) {
            return Ok(event);
        }
        let end = position.saturating_add(BLOCK).min(self.session.head() + 1);
        self.block = self.session.events(position..end)?;
        self.first = position;
        there(self).ok_or_else(|| Error::internal(format!("event #{position} was not read")))
    }

    fn line(&mut self, position: Position) -> Result<Vec<u8>> {
        self.session.raw(position)
    }
}

/// Goes through a plan without executing anything, and says what would be done.
///
/// # Errors
/// As [`Runner::run`].
pub fn dry_run(
    session: &mut Session,
    plan: &Plan,
    replay_id: &str,
    means: Means<'_>,
) -> Result<Report> {
    let all = plan.len() as u64;
    let Means { redactor, interrupt, verify_steps, progress, heard, .. } = means;
    let mut results = Results::new(heard);
    let ticker = Steady::new(Arc::clone(&interrupt));
    let mut events = Reader::new(session);
    let run = Runner {
        plan,
        events: &mut events,
        execute: None,
        redactor,
        pace: Pace::new(None),
        ticker: &ticker,
        interrupt,
        progress: &mut |done| progress(done, all),
        heard: &mut |heard| results.hear(heard),
    }
    .run()?;
    let final_state = compare(session, plan, &run, verify_steps)?;
    Ok(report(redactor, (replay_id, true), run.tally, results.in_order(), final_state))
}

/// What became of the events: kept, where nobody else hears it.
struct Results<'a> {
    heard: Option<&'a mut dyn FnMut(Heard)>,
    kept: Vec<Outcome>,
}

impl<'a> Results<'a> {
    fn new(heard: Option<&'a mut dyn FnMut(Heard)>) -> Self {
        Self { heard, kept: Vec::new() }
    }

    fn hear(&mut self, news: Heard) {
        match (&mut self.heard, news) {
            (Some(heard), news) => heard(news),
            (None, Heard::Settled(outcome)) => self.kept.push(outcome),
            (None, Heard::Begun(_)) => {}
        }
    }

    /// Those that were kept, as the log has their events.
    fn in_order(mut self) -> Vec<Outcome> {
        self.kept.sort_by_key(|outcome| outcome.position);
        self.kept
    }
}

fn report(
    redactor: &Redactor,
    (replay_id, dry_run): (&str, bool),
    tally: Tally,
    results: Vec<Outcome>,
    mut final_state: FinalState,
) -> Report {
    // What stands in a log may be a secret of old.
    let conceal = |value: &mut Value| {
        let text = value.to_json();
        if let Cow::Owned(concealed) = redactor.conceal(&text) {
            *value = Value::text(&concealed);
        }
    };
    if let Some(Difference { path, recorded, replayed, .. }) = &mut final_state.first_difference {
        *path = Path::of(path.keys().iter().map(|key| Key::from(&*redactor.conceal(key.as_str()))));
        recorded.iter_mut().chain(replayed).for_each(conceal);
    }
    Report {
        replay_id: replay_id.to_owned(),
        dry_run,
        replayed_count: tally.replayed,
        skipped_count: tally.skipped,
        failed_count: tally.failed,
        success_rate: tally.success_rate(),
        results,
        final_state,
        source_findings: Vec::new(),
        target_findings: Vec::new(),
    }
}

/// The state that a replay came to, beside the recorded one.
fn compare(session: &mut Session, plan: &Plan, run: &Run, steps: bool) -> Result<FinalState> {
    let recorded = session.state_at(plan.to.max(plan.from - 1))?;
    let mut found = beside(&recorded, &run.state);
    if steps && !run.gone.is_empty() {
        found.first_difference = first_step(session, plan, &run.gone)?.or(found.first_difference);
    }
    Ok(found)
}

/// One state beside another.
fn beside(recorded: &State, replayed: &State) -> FinalState {
    let digest = replayed.digest();
    let matches = digest == recorded.digest();
    let first_difference = if matches { None } else { difference(recorded, replayed) };
    FinalState { digest, matches, first_difference }
}

/// A state that is known to be the recorded one.
fn the_same(state: &State) -> FinalState {
    FinalState { digest: state.digest(), matches: true, first_difference: None }
}

/// The first event after which the state without some events is another.
fn first_step(
    session: &mut Session,
    plan: &Plan,
    gone: &BTreeSet<Position>,
) -> Result<Option<Difference>> {
    let (mut recorded, mut replayed) = (plan.start.clone(), plan.start.clone());
    let mut events = Reader::new(session);
    for position in plan.from..=plan.to {
        let event = events.event(position)?;
        fold::advance(&mut recorded, &event);
        if !gone.contains(&position) {
            fold::advance(&mut replayed, &event);
        }
        if let Some(found) = difference(&recorded, &replayed) {
            return Ok(Some(Difference { position: Some(position), ..found }));
        }
    }
    Ok(None)
}

/// Where two states differ first; the counters are looked at last.
fn difference(recorded: &State, replayed: &State) -> Option<Difference> {
    let (recorded, replayed) = (recorded.value(), replayed.value());
    let found = |counters| diff(&recorded, &replayed, DiffOptions { counters }).into_iter().next();
    let entry = found(false).or_else(|| found(true))?;
    let (recorded, replayed) = (entry.from, entry.to);
    Some(Difference { path: entry.path, recorded, replayed, position: None })
}
