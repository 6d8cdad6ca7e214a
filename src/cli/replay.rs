//! `replay`: go through an issue's events again.
//!
//! Lives here: the flags, and what they and the settings come to. May not live here: how a replay
//! is done (see [`crate::session::replay`]), or how it is shown (see [`show`]).

mod file;
mod idle;
mod into;
mod left;
mod range;
mod refuse;
mod show;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;

use crate::config::Setting;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Position, ids};
use crate::query::{self, Field, Filter};
use crate::replay::{Decision, Handlers, Limits, Policies, Report, RunJournal};
use crate::session::Session;
use crate::session::replay::{self, Means, Request, execute, settings};
use crate::store::local::LocalStore;

use super::context::{Context, interrupt_flag, interrupt_flags, user};
use super::failure::{Failure, Outcome, note};
use super::progress::{Bar, Unit};
use super::selection::Selection;
use file::ReportFile;

const EXAMPLES: &str = "\
Examples:
  chronoscope replay PROJ-123                            what would be done, and why
  chronoscope replay PROJ-123 --from-checkpoint cp-3 --type TestRunStarted \\
      --handler TestRunStarted=./run-tests --execute
  chronoscope replay --resume 3f1c…                      go on with a run that was ended
  chronoscope replay PROJ-123 --into ../rescued --execute
  chronoscope replay --all --into ../newer --execute     every issue, one line of summary each

A handler is a program and its arguments, split at spaces, quotes aside; no shell sees it. It reads
the event on stdin and finds CHRONOSCOPE_REPLAY_ID, _ISSUE, _SESSION, _STORE, _EVENT_ID,
_EVENT_TYPE, _POSITION, _ATTEMPT and _CAUSATION (each after CHRONOSCOPE) in its environment, with
PATH, HOME and LANG and nothing else. Exit 0: done; 75: try again; 77: nothing to do; others: failed.

Each execution is noted before and after. What was begun and has no known end is named by --resume
(exit 8) and decided by --on-unknown. Failures are exit 8.";

/// What the first Ctrl-C is answered.
const STOPPING: &str = "stopping: programs that run are waited for; Ctrl-C again ends them";

/// The flags of `replay`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Flags {
    /// The issue
    #[arg(required_unless_present_any = ["resume", "all"], conflicts_with_all = ["resume", "all"])]
    issue: Option<String>,
    /// From this event on; of a time, from the first that is not before it
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true)]
    from: Option<String>,
    /// From behind the event that made this checkpoint on
    #[arg(long, value_name = "ID", conflicts_with = "from")]
    from_checkpoint: Option<String>,
    /// Up to this event
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true)]
    to: Option<String>,
    #[command(flatten)]
    selection: Selection,
    /// Do it; without this flag nothing is done
    #[arg(long)]
    execute: bool,
    /// Copy the events into this store, and execute nothing
    #[arg(long, value_name = "DIR", conflicts_with_all = ["handlers", "resume"])]
    into: Option<PathBuf>,
    /// With --into: copy the events of every issue of the store
    #[arg(long, conflicts_with_all = ["from", "from_checkpoint", "to", "speed"])]
    all: bool,
    /// The program that executes events of a type or an area
    #[arg(long = "handler", value_name = "TYPE=COMMAND")]
    handlers: Vec<String>,
    /// How many programs run at a time (1): causes first, an actor's events in order
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// How long a program may take
    #[arg(long, value_name = "TIME")]
    timeout: Option<String>,
    /// How often a program that wants to be tried again runs at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    attempts: Option<u32>,
    /// How long the first pause before another try is (1s); each is twice the one before
    #[arg(long, value_name = "TIME")]
    retry_delay: Option<String>,
    /// So many times as fast as it was recorded; as fast as it can without
    #[arg(long, value_name = "X")]
    speed: Option<f64>,
    /// Go on with the run of this id, as it was begun; its beginning is enough
    #[arg(long, value_name = "ID")]
    resume: Option<String>,
    /// With --resume: what becomes of all events that were begun and have no known end (fail)
    #[arg(long, value_name = "WHAT", value_parser = refuse::decisions())]
    on_unknown: Option<Decision>,
    /// Compare the states after every event, not at the end only
    #[arg(long)]
    verify_steps: bool,
    /// Write the result to this file too, as JSON; not within a store
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

pub(crate) fn run(context: &mut Context, flags: &Flags) -> Outcome {
    settings::refuse_if_off(&context.config)?;
    refuse::without_effect(flags)?;
    flags.into.iter().try_for_each(|into| refuse::no_folder(into))?;
    let speed = refuse::speed(flags.speed)?;
    let limits = refuse::limits(context, flags)?;
    let redactor = context.redactor()?;
    let store = context.store_path()?;
    let stores: Vec<&Path> =
        [&store].into_iter().chain(&flags.into).map(PathBuf::as_path).collect();
    let file = ReportFile::open(flags.report.as_deref(), &stores)?;
    let bar = Bar::new(if flags.into.is_some() { Unit::Bytes } else { Unit::Events });
    let mut progress = |done, all| bar.show(done, all);
    let executes = flags.resume.is_some() || flags.execute && flags.into.is_none();
    let (interrupt, end_now) = if executes {
        let (bar, paint) = (bar.clone(), context.out.paint);
        interrupt_flags(move || bar.suspend(|| note(STOPPING, paint)))
    } else {
        (interrupt_flag(), Arc::default())
    };
    let means = Means {
        redactor: &redactor,
        speed,
        interrupt,
        end_now,
        verify_steps: flags.verify_steps,
        progress: &mut progress,
        heard: None,
    };
    if let (true, Some(target)) = (flags.all, &flags.into) {
        let copies = into::all(context, flags, target, means);
        bar.clear();
        let copies = copies.map_err(|error| redactor.sieve().error(error))?;
        let written = file.map_or(Ok(()), |file| file.write(&copies));
        let shown = show::copies(context, &copies);
        return told(context, None, written, shown, copies.is_good());
    }
    let report = match (&flags.resume, &flags.into) {
        (Some(id), _) => resume(context, flags, id, means),
        (None, Some(target)) => into::one(context, flags, target, means),
        (None, None) => replayed(context, flags, limits, means),
    };
    bar.clear();
    let report = report.map_err(|error| redactor.sieve().error(error))?;
    let written = file.map_or(Ok(()), |file| file.write(&report));
    let shown = show::show(context, &report, flags.into.is_some());
    let run = executes.then_some(&*report.replay_id);
    told(context, run, written, shown, report.is_good())
}

/// How it ends; `run` is the id of what was executed. What could not be written to the file is said
/// behind the result, which is all that is left of it then.
fn told(
    context: &mut Context,
    run: Option<&str>,
    written: Result<()>,
    shown: Outcome,
    is_good: bool,
) -> Outcome {
    let shown = shown.and_then(|()| Ok(context.out.flush()?));
    match (written.map_err(Failure::from).and(shown), run) {
        (Err(Failure::Error(error)), Some(id)) => Err(carried_out(&error, id).into()),
        // What became of programs does not depend on who reads it.
        (Err(Failure::ClosedPipe), Some(_)) if !is_good => Err(Failure::Told(ErrorKind::Assertion)),
        (Err(failure), _) => Err(failure),
        (Ok(()), _) if is_good => Ok(()),
        (Ok(()), _) => Err(Failure::Told(ErrorKind::Assertion)),
    }
}

/// The error of a result that could not be written. Who tries again must not execute again.
fn carried_out(error: &Error, id: &str) -> Error {
    let message = format!("the run was carried out, but {}", error.message());
    let hint =
        format!("`chronoscope replay --resume {id}` prints its result, and executes nothing again");
    Error::new(error.kind(), message).with_hint(hint)
}

/// A dry run, or an execution from its beginning.
fn replayed(context: &Context, flags: &Flags, limits: Limits, means: Means<'_>) -> Result<Report> {
    let store = context.shared_store()?;
    let issue = flags.issue.as_deref().unwrap_or_default();
    let (mut session, mut request) = asked_for(context, flags, &store, issue, &means.interrupt)?;
    request.handlers = handlers(context, flags)?;
    execute::refuse_secrets(&request.handlers, means.redactor)?;
    idle::tell(context, &session, &request, flags);
    left::tell(context, &store, issue);
    let replay_id = ids::new_event_id();
    if !flags.execute {
        let plan = replay::plan(&mut session, request)?;
        return replay::dry_run(&mut session, &plan, &replay_id, means);
    }
    tell_changed(context, &store, issue);
    let how = execute::How {
        limits,
        jobs: jobs(flags).unwrap_or(1),
        speed: means.speed,
        markers: context.config.flag(Setting::ReplayMarkers),
    };
    let goes_on = || !means.interrupt.load(Ordering::Relaxed);
    let redactor = means.redactor;
    let prepared =
        execute::begin(&store, &mut session, request, &replay_id, how, redactor, goes_on)?;
    let text = format!("--resume {replay_id} goes on with this run, should it end early");
    note(&text, context.out.paint);
    finish(context, &store, &mut session, prepared, means)
}

/// Says that the log is not what was recorded: programs get what stands there now.
fn tell_changed(context: &Context, store: &LocalStore, issue: &str) {
    let findings = into::of_the_record(context, store, issue);
    let Some(place) = replay::changed::place(&findings, Path::new("")) else { return };
    let text = format!(
        "the log of {issue} is not what was recorded ({place}): programs get what stands there now; \
         `chronoscope verify {issue}` tells more"
    );
    note(&text, context.out.paint);
}

fn jobs(flags: &Flags) -> Option<usize> {
    flags.jobs.map(usize::from)
}

fn resume(context: &Context, flags: &Flags, id: &str, means: Means<'_>) -> Result<Report> {
    let store = context.shared_store()?;
    let decision = flags.on_unknown.unwrap_or(Decision::Fail);
    let id = RunJournal::find(&store, id)?;
    let goes_on = |_, _| !means.interrupt.load(Ordering::Relaxed);
    let (mut session, prepared) =
        execute::resume(&store, context.links, &id, decision, jobs(flags), goes_on)?;
    if !prepared.is_over() {
        tell_changed(context, &store, session.issue_key());
    }
    finish(context, &store, &mut session, prepared, means)
}

fn finish(
    context: &Context,
    store: &LocalStore,
    session: &mut Session,
    prepared: execute::Prepared,
    means: Means<'_>,
) -> Result<Report> {
    let replay_id = prepared.replay_id().to_owned();
    let done = execute::execute(store, session, prepared, means);
    super::seal::after_appends(context, store, false);
    context.tell_complaint(store);
    done.map_err(|error| match error.kind() {
        ErrorKind::Interrupted | ErrorKind::Unavailable => {
            let hint = format!("`chronoscope replay --resume {replay_id}` goes on");
            Error::new(error.kind(), error.message().to_owned()).with_hint(hint)
        }
        _ => error,
    })
}

/// The issue, and what is asked for of it; without handlers yet. It is read until `interrupt` is set.
fn asked_for(
    context: &Context,
    flags: &Flags,
    store: &Arc<LocalStore>,
    issue: &str,
    interrupt: &AtomicBool,
) -> Result<(Session, Request)> {
    let goes_on = |_, _| !interrupt.load(Ordering::Relaxed);
    let mut session = Session::read_while(&**store, issue, context.links, goes_on)?;
    session.user = user(store, issue);
    let (from, to) = range::asked_for(&mut session, flags)?;
    let selected = selected(context, flags, store, issue, from..to + 1)?;
    let count = selected.as_ref().map_or((to + 1 - from) as usize, Vec::len);
    settings::refuse_too_many(&context.config, count)?;
    let policies = Policies::new(context.config.list(Setting::ReplayNever));
    let (handlers, jobs) = (Handlers::default(), 1);
    Ok((session, Request { from, to, selected, policies, handlers, jobs }))
}

/// The positions of the range that pass the filter; none where there is no filter.
fn selected(
    context: &Context,
    flags: &Flags,
    store: &Arc<LocalStore>,
    issue: &str,
    range: std::ops::Range<Position>,
) -> Result<Option<Vec<Position>>> {
    if flags.selection.is_all() {
        return Ok(None);
    }
    let mut filter = Filter::new().with(Field::Issue, issue)?;
    flags.selection.add_to(&mut filter)?;
    let conditions = flags.selection.conditions(store)?;
    conditions.add_to(&mut filter);
    let mut positions = Vec::new();
    query::for_each(&**store, &filter, query::Order::Forward, None, None, |hit| {
        if range.contains(&hit.position) {
            positions.push(hit.position);
        }
        Ok(true)
    })?;
    conditions.note_faults(context.out.paint);
    Ok(Some(positions))
}

/// The programs of the settings, and those of the flags over them.
fn handlers(context: &Context, flags: &Flags) -> Result<Handlers> {
    let mut handlers = settings::handlers(&context.config)?;
    for text in &flags.handlers {
        handlers.add_text(text)?;
    }
    Ok(handlers)
}

/// How many links to nothing lead on from one another at most.
const LINKS: usize = 40;

/// A path without links, as far as it is there.
fn real(path: &Path) -> Option<PathBuf> {
    let mut whole = std::path::absolute(path).ok()?;
    for _ in 0..LINKS {
        match std::fs::read_link(&whole) {
            // What it leads to is not there yet.
            Ok(to) if !whole.exists() => whole = whole.parent()?.join(to),
            _ => break,
        }
    }
    whole.ancestors().find_map(|there| {
        let rest = whole.strip_prefix(there).ok()?;
        Some(std::fs::canonicalize(there).ok()?.join(rest))
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::{Command, CommandLine};

    #[test]
    fn a_log_is_not_read_on_once_somebody_wants_it_to_end() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("2026-11-20/R-1");
        std::fs::create_dir_all(&log).unwrap();
        std::fs::write(log.join("events.jsonl"), "{}\n".repeat(2_000_000)).unwrap();
        let store = folder.path().to_str().unwrap();
        let line = CommandLine::parse_from(["chronoscope", "--store", store, "replay", "R-1"]);
        let Some(Command::Replay(flags)) = &line.command else { panic!("no replay") };
        let context = Context::new(line.global).unwrap();
        let store = context.shared_store().unwrap();
        let read =
            |interrupt| asked_for(&context, flags, &store, "R-1", &AtomicBool::new(interrupt));
        assert_eq!(read(true).unwrap_err().kind(), ErrorKind::Interrupted);
    }
}
