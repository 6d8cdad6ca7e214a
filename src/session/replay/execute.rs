//! Executing a replay: the journal, the marks in the log, and going on after an end of any kind.
//!
//! Lives here: the order of the steps, so that whatever happens between two of them, another
//! process can go on. May not live here: the turns of the events (see [`crate::replay::run`]).

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;

use super::marks::Marks;
use super::{Means, Reader, Request, Results, Session, compare, plan, report};
use crate::error::{Error, ErrorKind, Result};
use crate::model::catalogue::Links;
use crate::model::{Position, ids};
use crate::replay::journal::{ANEW, Known, VERSION};
use crate::replay::process::Bounds;
use crate::replay::{
    Decision, Execute, Handlers, Header, History, Limits, Pace, Plan, Policies, Report, RunJournal,
    Runner, Steady,
};
use crate::schema::Redactor;
use crate::store::local::LocalStore;

/// How to execute.
#[derive(Debug, Clone, Copy)]
pub struct How {
    /// What each program may take.
    pub limits: Limits,
    /// How many run at a time.
    pub jobs: usize,
    /// How many times as fast as it was recorded; none for as fast as it can.
    pub speed: Option<f64>,
    /// Whether start and end are logged.
    pub markers: bool,
}

/// A run that is going to be executed.
pub struct Prepared {
    plan: Plan,
    journal: RunJournal,
    history: History,
    jobs: usize,
}

impl Prepared {
    /// The run's id.
    #[must_use]
    pub fn replay_id(&self) -> &str {
        &self.history.header.replay_id
    }

    /// Whether it came to its end before: then nothing more is executed.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.history.over
    }

    /// The last event that was dealt with at another time; 0 where none was.
    #[must_use]
    pub fn dealt_with(&self) -> Position {
        self.history.dealt_with()
    }

    /// The types that it never executes, as it was begun.
    #[must_use]
    pub fn never(&self) -> &[String] {
        &self.history.header.never
    }
}

/// Begins a run: its plan is noted, and nothing is executed yet. Nor is it noted, where it does not
/// go on then.
///
/// # Errors
/// As [`plan`]; interrupted, when it does not go on; usage, when a secret is among the arguments of a program; unavailable, when the
/// store cannot be written.
pub fn begin(
    store: &LocalStore,
    session: &mut Session,
    request: Request,
    replay_id: &str,
    how: How,
    redactor: &Redactor,
    goes_on: impl Fn() -> bool,
) -> Result<Prepared> {
    refuse_secrets(&request.handlers, redactor)?;
    let folder = std::env::current_dir().ok();
    if folder.as_deref().is_some_and(|folder| folder.to_str().is_none()) {
        return Err(Error::usage("the path of the working folder is no UTF-8")
            .with_hint("a run is gone on with where it was begun: begin it in another folder"));
    }
    if let Some(name) = request.handlers.without_words() {
        let message = format!("the path of the handler of {name} is no UTF-8");
        return Err(Error::usage(message).with_hint(
            "a run is gone on with by the same programs: name one below another folder",
        ));
    }
    let jobs = how.jobs;
    let plan = plan(session, Request { jobs, ..request })?;
    let words = plan.handlers.words();
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let header = Header {
        journal: VERSION,
        replay_id: replay_id.to_owned(),
        issue_key: plan.issue_key.clone(),
        from: plan.from,
        to: plan.to,
        selected: plan.selected.as_deref().map(ranges),
        never: plan.policies.never(),
        handlers: words.map(|(name, words)| (name.to_owned(), words)).collect(),
        timeout_ms: millis(how.limits.bounds.timeout),
        attempts: how.limits.attempts,
        retry_delay_ms: millis(how.limits.retry_delay),
        output_bytes: how.limits.bounds.output,
        digest: session.state_at(plan.to.max(plan.from - 1))?.digest(),
        markers: how.markers,
        folder,
        jobs,
        speed: how.speed,
        events: Some(digest_of_events(session, &plan)),
        causes: Some(digest_of_causes(&plan)),
    };
    if !goes_on() {
        return Err(Error::new(ErrorKind::Interrupted, "the replay was stopped before it began"));
    }
    let journal = RunJournal::create(store, &header)?;
    Ok(Prepared { plan, journal, history: History::new(header), jobs })
}

/// A digest of what the events of a plan say.
fn digest_of_events(session: &Session, plan: &Plan) -> String {
    let rows = session.timeline().rows_in(plan.from..plan.to + 1);
    ids::sha256_text(&rows.flat_map(|row| row.content.to_le_bytes()).collect::<Vec<u8>>())
}

/// A digest of which events of a plan are causes of which.
fn digest_of_causes(plan: &Plan) -> String {
    let causes = plan.causes.iter().flat_map(|cause| cause.to_le_bytes());
    ids::sha256_text(&causes.collect::<Vec<u8>>())
}

/// Refuses programs that have a secret among their arguments.
///
/// # Errors
/// Usage, then.
pub fn refuse_secrets(handlers: &Handlers, redactor: &Redactor) -> Result<()> {
    let Some(name) = handlers.with_secret(redactor) else { return Ok(()) };
    let message = format!("the arguments of the handler of {name} hold a secret");
    Err(Error::usage(message).with_hint(
        "the journal keeps them, and everybody on this machine sees them while it runs: let the \
         program read the secret from a file",
    ))
}

/// Goes on with a run as it was begun. Nothing is executed yet; what was begun and has no known
/// end is decided as `decision` says. The log is read as long as `goes_on`, which is told how many
/// bytes of how many are read.
///
/// # Errors
/// Not found, without such a run; unavailable, when another process is at it; integrity, when the
/// log is not the one it was begun on; usage, when its causes are not those; assertion, naming the events, when there are some of which
/// nobody knows how they ended, and that is not decided.
pub fn resume(
    store: &LocalStore,
    links: Links,
    replay_id: &str,
    decision: Decision,
    jobs: Option<usize>,
    goes_on: impl Fn(u64, u64) -> bool,
) -> Result<(Session, Prepared)> {
    let (mut journal, mut history) = RunJournal::open(store, replay_id)?;
    let header = history.header.clone();
    if let Some(folder) = header.folder.as_deref().filter(|folder| !folder.is_dir()) {
        let message =
            format!("{}, where the run was begun, is no folder any more", folder.display());
        return Err(Error::not_found(message)
            .with_hint(format!("its programs run there: bring it back; {ANEW}")));
    }
    let jobs = jobs.unwrap_or(header.jobs).max(1);
    let mut session = Session::read_while(store, &header.issue_key, links, goes_on)?;
    if header.to > session.head() {
        return Err(another_log(&header));
    }
    let mut handlers = Handlers::default();
    for (name, words) in &header.handlers {
        // Its path is absolute.
        handlers.add(name, words, Path::new(""))?;
    }
    let request = Request {
        from: header.from,
        to: header.to,
        selected: header.selected.as_deref().map(positions),
        policies: Policies::new(header.never.iter().cloned()),
        handlers,
        jobs,
    };
    let plan = plan(&mut session, request)?;
    refuse_another(&mut session, &plan, &header)?;
    decide(&mut session, &mut journal, &mut history, decision)?;
    Ok((session, Prepared { plan, journal, history, jobs }))
}

/// Refuses to go on with another log than the one that a run was begun on, or by other rules.
fn refuse_another(session: &mut Session, plan: &Plan, header: &Header) -> Result<()> {
    let Header { replay_id, issue_key, .. } = header;
    let is = |noted: &Option<String>, now: String| noted.as_ref().is_none_or(|n| *n == now);
    let state = session.state_at(plan.to.max(plan.from - 1))?.digest();
    if state != header.digest || !is(&header.events, digest_of_events(session, plan)) {
        return Err(another_log(header));
    }
    if !is(&header.causes, digest_of_causes(plan)) {
        let message = format!(
            "what causes what in {issue_key} is not what it was when replay {replay_id} was begun: \
             its correlation rules are of other settings"
        );
        return Err(Error::usage(message).with_hint(
            "name the settings that it was begun with by --config, or go where they are",
        ));
    }
    Ok(())
}

/// The error for a log that is not the one that a run was begun on.
fn another_log(header: &Header) -> Error {
    let Header { issue_key, to, replay_id, .. } = header;
    let message = format!(
        "the log of {issue_key} up to #{to} is not the one that replay {replay_id} was begun on"
    );
    Error::new(ErrorKind::Integrity, message).with_hint(format!("run `chronoscope verify`; {ANEW}"))
}

fn decide(
    session: &mut Session,
    journal: &mut RunJournal,
    history: &mut History,
    decision: Decision,
) -> Result<()> {
    let unknown = history.unknown();
    if unknown.is_empty() {
        return Ok(());
    }
    if decision == Decision::Fail {
        return Err(undecided(session, &history.header.replay_id, &unknown)?);
    }
    for position in unknown {
        let open = history.known.get(&position);
        if let Some(Known::Begun(attempt) | Known::Decided(_, attempt)) = open {
            let attempt = *attempt;
            journal.decide(position, attempt, decision)?;
            history.known.insert(position, Known::Decided(decision, attempt));
        }
    }
    Ok(())
}

/// The error that names the events of which nobody knows how they ended.
fn undecided(session: &mut Session, replay_id: &str, unknown: &[Position]) -> Result<Error> {
    let mut named = Vec::new();
    let mut details = Vec::new();
    for position in unknown {
        let event = session.event(*position)?;
        named.push(format!("#{position} {} {}", event.type_name, event.id));
        details.push(json!({
            "position": position, "event_id": event.id.as_str(), "event_type": event.type_name.as_str(),
        }));
    }
    let message = format!(
        "replay {replay_id} began to execute {}, and nobody knows how that ended",
        named.join(", ")
    );
    let hint = match unknown {
        [_] => "look what became of it, then --on-unknown skip (it is done) or retry (it is not)",
        _ => {
            "look what became of each, then --on-unknown skip (all are done) or retry (none is): it \
             decides for all that are named"
        }
    };
    Ok(Error::new(ErrorKind::Assertion, message)
        .with_hint(hint)
        .with_details(json!({ "replay_id": replay_id, "unknown": details })))
}

/// Executes a run to its end.
///
/// # Errors
/// As [`Runner::run`], and as an append, where start and end are logged.
pub fn execute(
    store: &LocalStore,
    session: &mut Session,
    prepared: Prepared,
    means: Means<'_>,
) -> Result<Report> {
    let Prepared { plan, journal, history, jobs } = prepared;
    let header = &history.header;
    let marks = Marks::new(store, session, header, means.redactor)?;
    if header.markers && !history.over {
        marks.started(plan.count())?;
    }
    journal.hold_in_children();
    let execute = Execute {
        journal: Mutex::new(journal),
        history: &history,
        jobs,
        limits: limits(header),
        replay_id: header.replay_id.clone(),
        environment: marks.environment(),
        folder: header.folder.clone(),
        end_now: means.end_now,
    };
    let all = plan.len() as u64;
    // What was done at another time is told in one: it says nothing about how fast this goes.
    let before = u64::from((history.dealt_with() + 1).saturating_sub(plan.from));
    let Means { redactor, speed, interrupt, verify_steps, progress, heard, .. } = means;
    let mut results = Results::new(heard);
    let ticker = Steady::new(Arc::clone(&interrupt));
    let mut events = Reader::new(session);
    let run = Runner {
        plan: &plan,
        events: &mut events,
        execute: Some(&execute),
        redactor,
        pace: Pace::new(speed.or(header.speed)),
        ticker: &ticker,
        interrupt,
        progress: &mut |done| {
            if done >= before {
                progress(done, all);
            }
        },
        heard: &mut |heard| results.hear(heard),
    }
    .run()?;
    if !history.over {
        if header.markers {
            marks.completed(&run.tally)?;
        }
        execute.journal.lock().unwrap_or_else(PoisonError::into_inner).over()?;
    }
    let final_state = compare(session, &plan, &run, verify_steps)?;
    Ok(report(redactor, (&header.replay_id, false), run.tally, results.in_order(), final_state))
}

fn limits(header: &Header) -> Limits {
    let timeout = Duration::from_millis(header.timeout_ms);
    Limits {
        bounds: Bounds { timeout, output: header.output_bytes },
        attempts: header.attempts,
        retry_delay: Duration::from_millis(header.retry_delay_ms),
    }
}

/// Sorted positions as ranges with both ends.
fn ranges(positions: &[Position]) -> Vec<(Position, Position)> {
    let mut ranges: Vec<(Position, Position)> = Vec::new();
    for position in positions {
        match ranges.last_mut() {
            Some((_, end)) if *end + 1 == *position => *end = *position,
            _ => ranges.push((*position, *position)),
        }
    }
    ranges
}

fn positions(ranges: &[(Position, Position)]) -> Vec<Position> {
    ranges.iter().flat_map(|(first, last)| *first..=*last).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_back() {
        for all in [&[][..], &[1], &[1, 2, 3], &[1, 3, 4, 9]] {
            assert_eq!(positions(&ranges(all)), all);
        }
        assert_eq!(ranges(&[1, 2, 3, 7]), [(1, 3), (7, 7)]);
    }
}
