//! Replays for the screen, on a thread of their own.
//!
//! Lives here: from what was asked for to the session's replay. May not live here: whether it may
//! be done; a rehearsal never gets a store that it could write to.

use std::time::Duration;

use crate::config::Setting;
use crate::error::{Error, ErrorKind, Result};
use crate::model::catalogue::Links;
use crate::model::ids;
use crate::replay::{Policies, Report, handler};
use crate::session::Session;
use crate::session::replay::unfinished::{self, unfinished, unfinished_of};
use crate::session::replay::{Means, Request, changed, execute, plan, settings};
use crate::store::EventStore;
use crate::store::local::LocalStore;
use crate::tui::replay::{
    Answer, Others, Outfit, Program, Progress, Replaying, Rest, Teller, Terms, Unfinished, What,
    short_id,
};

/// How long a checkpoint waits for who is signing.
const PATIENCE: Duration = Duration::from_secs(2);

/// Does what was asked for, and tells of it while it goes on. `store` is read, and what is written
/// goes to that of the outfit, which is the same.
///
/// # Errors
/// As [`crate::session::replay::dry_run`] and [`execute::execute`]; usage, where the settings refuse it.
pub fn replay(
    store: &dyn EventStore,
    links: Links,
    outfit: &Outfit,
    replaying: &Replaying,
) -> Result<Box<Answer>> {
    let log = Log { store, links };
    let mut terms = terms(outfit);
    let (report, complaint) = match &replaying.what {
        What::Rehearse => {
            add_unfinished(outfit, &replaying.issue, &mut terms);
            (rehearse(log, replaying, outfit)?, None)
        }
        What::Execute | What::Resume(..) => {
            let store = outfit.store.as_deref().ok_or_else(nowhere)?;
            let done = executed(log, replaying, outfit, store);
            // The events are there by then: what goes wrong here is caught up by the next.
            let _ = store.checkpoint_when_due(outfit.checkpoint_every, false, PATIENCE);
            let complaint = store.take_complaint().map(|error| error.message().to_owned());
            (done?, complaint)
        }
    };
    let (success_rate, state) = (report.success_rate, report.final_state);
    Ok(Box::new(Answer { success_rate, state, terms, complaint }))
}

/// Looks at what an execution of the issue would do now beside running programs, at the runs that
/// there are, for another screen, or another process, may have begun one since the rehearsal, and
/// whether the log is what was recorded.
#[must_use]
pub fn look(outfit: &Outfit, issue: &str) -> Box<Terms> {
    let mut terms = terms(outfit);
    add_unfinished(outfit, issue, &mut terms);
    terms.changed = changed(outfit, issue);
    Box::new(terms)
}

/// Where the events are read.
#[derive(Clone, Copy)]
struct Log<'a> {
    store: &'a dyn EventStore,
    links: Links,
}

fn nowhere() -> Error {
    Error::new(ErrorKind::Unavailable, "this store cannot be written")
}

fn interrupted() -> Error {
    Error::new(ErrorKind::Interrupted, "the replay was stopped")
}

/// What an execution would do beside running programs, and what stands in its way.
fn terms(outfit: &Outfit) -> Terms {
    let limits = settings::limits(&outfit.config);
    let refusal = match &outfit.store {
        None => Some("executing needs a store of one's own".to_owned()),
        Some(store) if !store.is_writable() => {
            Some("the store cannot be written, so nothing could be noted".to_owned())
        }
        Some(_) if cfg!(not(unix)) => Some("programs are run on Unix systems only".to_owned()),
        Some(_) => None,
    };
    Terms {
        markers: outfit.config.flag(Setting::ReplayMarkers),
        timeout: limits.bounds.timeout,
        attempts: limits.attempts,
        refusal,
        unfinished: None,
        others: Others::default(),
        changed: Vec::new(),
    }
}

/// Adds the runs of the issue that did not come to their end, where one could be gone on with.
fn add_unfinished(outfit: &Outfit, issue: &str, terms: &mut Terms) {
    let Some(store) = outfit.store.as_deref().filter(|_| terms.refusal.is_none()) else { return };
    // What cannot be listed cannot be gone on with, and a rehearsal does not need it.
    let Ok(mut left) = unfinished_of(store, issue, 1) else { return };
    terms.unfinished = left.runs.pop().map(|found| last_run(outfit, found, terms));
    terms.others = Others { older: left.older, unreadable: left.unreadable };
}

/// What is told of the log, where it is not what was recorded.
fn changed(outfit: &Outfit, issue: &str) -> Vec<String> {
    let Some(store) = outfit.store.as_deref() else { return Vec::new() };
    let findings = match store.verify_record(Some(issue)) {
        Ok(findings) => findings,
        Err(error) => {
            return vec![format!("whether the log is what was recorded is unknown: {error}")];
        }
    };
    let Some(place) = changed::place(&findings, store.root()) else { return Vec::new() };
    vec![
        "the log is not what was recorded: programs get what stands there now".to_owned(),
        format!("{place}; `chronoscope verify {issue}` tells more"),
    ]
}

/// Refuses to begin beside a run that the user was not told of: it would execute once more what that
/// executes.
fn refuse_untold(store: &LocalStore, replaying: &Replaying) -> Result<()> {
    let Ok(left) = unfinished_of(store, &replaying.issue, 1) else { return Ok(()) };
    let last = left.runs.iter().map(|run| &run.header.replay_id);
    let mut all = last.chain(&left.older).chain(&left.unreadable);
    let Some(id) = all.find(|id| !replaying.told.contains(id)) else { return Ok(()) };
    let message = format!("run {} of this issue was begun meanwhile", short_id(id));
    Err(Error::new(ErrorKind::Conflict, message)
        .with_hint("nothing was executed here; rehearse again to see what to do about it"))
}

/// The last run that did not come to its end.
fn last_run(outfit: &Outfit, found: unfinished::Unfinished, terms: &Terms) -> Unfinished {
    let (done, events) = (found.done, found.events);
    let rest = Rest { unknown: found.unknown, is_held: found.is_held };
    let header = found.header;
    let program = |(name, words): &(String, Vec<String>)| Program {
        command: outfit.redactor.conceal(&handler::command(words)).into_owned(),
        type_name: name.clone(),
        events: None,
    };
    Unfinished {
        from: header.from,
        to: header.to,
        done,
        events,
        rest,
        programs: header.handlers.iter().map(program).collect(),
        terms: Box::new(Terms {
            markers: header.markers,
            timeout: Duration::from_millis(header.timeout_ms),
            attempts: header.attempts,
            ..terms.clone()
        }),
        replay_id: header.replay_id,
    }
}

/// Tells what is left of a run that ended early: its journal knows it.
fn tell_rest(progress: &Progress, store: &LocalStore, replay_id: &str) {
    if let Ok(Some(found)) = unfinished(store, replay_id) {
        progress.leave(Rest { unknown: found.unknown, is_held: found.is_held });
    }
}

/// The issue as it is now, and what is asked for of it.
fn asked_for(log: Log<'_>, replaying: &Replaying, outfit: &Outfit) -> Result<(Session, Request)> {
    let (from, to) = (replaying.from, replaying.to);
    settings::refuse_if_off(&outfit.config)?;
    settings::refuse_too_many(&outfit.config, (to + 1).saturating_sub(from) as usize)?;
    let handlers = settings::handlers(&outfit.config)?;
    let policies = Policies::new(outfit.config.list(Setting::ReplayNever));
    let progress = &replaying.progress;
    let goes_on = |read, all| reads_on(progress, read, all);
    let session = Session::read_while(log.store, &replaying.issue, log.links, goes_on)?;
    if progress.is_stopped() {
        return Err(interrupted());
    }
    Ok((session, Request { from, to, selected: None, policies, handlers, jobs: 1 }))
}

/// Tells how much of the log is read; gives whether to read on.
fn reads_on(progress: &Progress, read: u64, all: u64) -> bool {
    progress.read(read, all);
    !progress.is_stopped()
}

/// Hands what a replay is done with to it; `never` are the types that are not executed.
fn with_means<T>(
    replaying: &Replaying,
    outfit: &Outfit,
    never: Vec<String>,
    run: impl FnOnce(Means<'_>) -> Result<T>,
) -> Result<T> {
    let teller = Teller::new(&replaying.progress, Policies::new(never));
    run(Means {
        redactor: &outfit.redactor,
        speed: None,
        interrupt: replaying.progress.interrupt(),
        end_now: replaying.progress.end_now(),
        verify_steps: true,
        progress: &mut |_, _| {},
        heard: Some(&mut |heard| teller.tell(heard)),
    })
}

fn rehearse(log: Log<'_>, replaying: &Replaying, outfit: &Outfit) -> Result<Report> {
    let (mut session, request) = asked_for(log, replaying, outfit)?;
    let plan = plan(&mut session, request)?;
    let id = ids::new_event_id();
    with_means(replaying, outfit, outfit.config.list(Setting::ReplayNever), |means| {
        crate::session::replay::dry_run(&mut session, &plan, &id, means)
    })
}

fn executed(
    log: Log<'_>,
    replaying: &Replaying,
    outfit: &Outfit,
    store: &LocalStore,
) -> Result<Report> {
    settings::refuse_if_off(&outfit.config)?;
    if let What::Resume(id, decision) = &replaying.what {
        let progress = &replaying.progress;
        let goes_on = |read, all| reads_on(progress, read, all);
        let resumed = execute::resume(store, log.links, id, *decision, Some(1), goes_on);
        let done = resumed.and_then(|(mut session, prepared)| {
            replaying.progress.name(id);
            replaying.progress.go_on_behind(prepared.dealt_with());
            // A run is gone on with under the settings that it was begun with.
            let never = prepared.never().to_vec();
            with_means(replaying, outfit, never, |means| {
                execute::execute(store, &mut session, prepared, means)
            })
        });
        return done.inspect_err(|_| tell_rest(&replaying.progress, store, id));
    }
    let (mut session, request) = asked_for(log, replaying, outfit)?;
    let how = execute::How {
        limits: settings::limits(&outfit.config),
        jobs: 1,
        speed: None,
        markers: outfit.config.flag(Setting::ReplayMarkers),
    };
    let id = ids::new_event_id();
    let (redactor, goes_on) = (&outfit.redactor, || !replaying.progress.is_stopped());
    refuse_untold(store, replaying)?;
    let prepared = execute::begin(store, &mut session, request, &id, how, redactor, goes_on)?;
    replaying.progress.name(&id);
    let done = with_means(replaying, outfit, outfit.config.list(Setting::ReplayNever), |means| {
        execute::execute(store, &mut session, prepared, means)
    });
    done.inspect_err(|_| tell_rest(&replaying.progress, store, &id))
}
