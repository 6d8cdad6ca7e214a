//! `replay --into`: copies, of one issue or of all.
//!
//! Lives here: which way of copying there is for what is asked for, and what all copies of a store
//! come to. May not live here: copying (see [`crate::session::replay`]), how it is shown.

mod around;

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::super::context::Context;
use super::super::failure::{note, tell};
use super::super::output::Format;
use super::super::progress::Pieces;
use super::super::seal;
use super::{Flags, asked_for};
use crate::config::Setting;
use crate::error::{Error, ErrorKind, Result};
use crate::model::ids;
use crate::replay::Report;
use crate::replay::copy::into_the_other;
use crate::session::replay::present::Present;
use crate::session::replay::{self, Means, copy, stream};
use crate::store::EventStore;
use crate::store::local::{Finding, LocalStore};
use around::{checked, found, refuse_itself, tell_present};

/// What copying every issue of a store came to.
#[derive(Debug, Serialize)]
pub(super) struct Copies {
    /// Whether nothing was done.
    pub(super) dry_run: bool,
    /// How many events are copied, or were there.
    replayed_count: u64,
    /// How many could not be copied.
    failed_count: u64,
    /// How many issues are not wholly there, or come to another state.
    pub(super) failed_issues: u64,
    /// What says that something was recorded that no issue's log has any more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) source_findings: Vec<Finding>,
    /// The same of what the copies were added to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) target_findings: Vec<Finding>,
    /// The issues, by key.
    pub(super) issues: Vec<Copy>,
}

/// What copying one of them came to.
#[derive(Debug, Serialize)]
pub(super) struct Copy {
    pub(super) issue_key: String,
    #[serde(flatten)]
    pub(super) fate: Fate,
}

/// The report, or why there is none.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Fate {
    Done(Box<Report>),
    Not { error: Why },
}

impl Fate {
    /// What it came to, where it was copied.
    pub(super) fn report(&self) -> Option<&Report> {
        match self {
            Self::Done(report) => Some(report),
            Self::Not { .. } => None,
        }
    }
}

/// An error that ended the copy of an issue.
#[derive(Debug, Serialize)]
pub(super) struct Why {
    kind: &'static str,
    pub(super) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Copies {
    /// Whether everything is there, and as it was.
    pub(super) fn is_good(&self) -> bool {
        self.failed_issues == 0
            && self.source_findings.is_empty()
            && self.target_findings.is_empty()
    }

    /// Gives the issues what was found about each, and counts.
    fn conclude(&mut self) {
        for Copy { issue_key, fate } in &mut self.issues {
            let Fate::Done(report) = fate else {
                self.failed_issues += 1;
                continue;
            };
            let own = |finding: &mut Finding| finding.issue_key.as_ref() == Some(&*issue_key);
            report.source_findings = self.source_findings.extract_if(.., own).collect();
            report.target_findings = self.target_findings.extract_if(.., own).collect();
            self.replayed_count += report.replayed_count;
            self.failed_count += report.failed_count;
            self.failed_issues += u64::from(!report.is_good());
        }
    }
}

/// What a check of an issue finds that says that its log is not what was recorded.
pub(super) fn of_the_record(context: &Context, store: &LocalStore, issue: &str) -> Vec<Finding> {
    found(context, checked(store, Some(issue)))
}

/// Copies the issue that is named.
pub(super) fn one(
    context: &Context,
    flags: &Flags,
    target: &Path,
    means: Means<'_>,
) -> Result<Report> {
    let (store, into) = (Arc::new(context.store()?.past_damage()), target);
    refuse_itself(&store, target)?;
    let issue = flags.issue.as_deref().unwrap_or_default();
    // An issue that is not there makes no store.
    drop(store.tail(issue)?);
    let (target, there) = open(context, flags, into)?;
    let other = target.as_ref().or(there.as_ref());
    let had = other.is_some_and(|other| other.tail(issue).is_ok());
    let (to, known) = (target.as_ref(), there.as_ref());
    let what = What { source: &store, into, target: to, there: known, issue };
    let mut report = std::thread::scope(|scope| {
        let findings = scope.spawn(|| checked(&store, Some(issue)));
        let mut report = copied(context, flags, what, means, &seal::after_all)?;
        let findings = findings.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        report.source_findings = found(context, findings);
        Ok::<_, Error>(report)
    })?;
    target.iter().for_each(|target| context.tell_complaint(target));
    if let Some(other) = other.filter(|_| had) {
        report.target_findings = found(context, checked(other, Some(issue)));
        tell_order(context, into, &report);
    }
    Ok(report)
}

/// Copies all issues of the store. One that cannot be copied does not hold up the others.
pub(super) fn all(
    context: &Context,
    flags: &Flags,
    target: &Path,
    means: Means<'_>,
) -> Result<Copies> {
    let Means { redactor, speed, interrupt, end_now, verify_steps, progress, .. } = means;
    let (store, into) = (Arc::new(context.store()?.past_damage()), target);
    refuse_itself(&store, target)?;
    let (target, there) = open(context, flags, into)?;
    let mut copies = Copies {
        dry_run: target.is_none(),
        replayed_count: 0,
        failed_count: 0,
        failed_issues: 0,
        source_findings: found(context, checked(&store, None)),
        target_findings: Vec::new(),
        issues: Vec::new(),
    };
    let other = target.as_ref().or(there.as_ref());
    let had = other.map_or(Ok(false), |other| other.keys().map(|all| !all.is_empty()))?;
    let issues = store.keys()?;
    let sizes: Vec<u64> = issues.iter().map(|issue| size(&store, issue)).collect();
    let mut pieces = Pieces::new(sizes.iter().sum());
    for (issue, size) in issues.into_iter().zip(sizes) {
        pieces.next(size);
        let mut of_all = |done, of| {
            let (done, all) = pieces.done(done, of);
            progress(done, all);
        };
        let own = Means {
            redactor,
            speed,
            interrupt: Arc::clone(&interrupt),
            end_now: Arc::clone(&end_now),
            verify_steps,
            progress: &mut of_all,
            heard: None,
        };
        let (target, there) = (target.as_ref(), there.as_ref());
        let what = What { source: &store, into, target, there, issue: &issue };
        // All of them are signed together.
        let fate = match copied(context, flags, what, own, &|_| ()) {
            Ok(report) => Fate::Done(Box::new(report)),
            Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
            Err(error) => not_copied(context, &redactor.sieve().error(error)),
        };
        copies.issues.push(Copy { issue_key: issue, fate });
    }
    if let Some(target) = &target {
        seal::after_all(target);
        context.tell_complaint(target);
    }
    if let Some(other) = other.filter(|_| had) {
        copies.target_findings = found(context, checked(other, None));
    }
    copies.conclude();
    Ok(copies)
}

/// Says what another state may come of that has no other reason: an event more or less would show.
fn tell_order(context: &Context, into: &Path, report: &Report) {
    if report.final_state.matches || report.failed_count > 0 || !report.target_findings.is_empty() {
        return;
    }
    let had = if report.dry_run { "has" } else { "had" };
    let text = format!(
        "{} {had} events of this issue: where it has others, or these in another order, so is the \
         state; a copy into an empty folder shows it",
        into.display()
    );
    note(&text, context.out.paint);
}

/// Tells why an issue is not copied, when that is known.
fn not_copied(context: &Context, error: &Error) -> Fate {
    // (JSON has it in its place.)
    if context.out.format == Format::Text {
        tell(error, Format::Text, context.out.paint);
    }
    let (kind, message) = (error.kind().name(), error.message().to_owned());
    Fate::Not { error: Why { kind, message, hint: error.hint().map(str::to_owned) } }
}

/// How many bytes an issue's log has; none where that cannot be told, which its copy will.
fn size(store: &LocalStore, issue: &str) -> u64 {
    store.tail(issue).map_or(0, |tail| tail.remaining())
}

/// What is copied, and where to.
struct What<'a> {
    source: &'a Arc<LocalStore>,
    into: &'a Path,
    /// None in a dry run.
    target: Option<&'a LocalStore>,
    /// Of a dry run, what is there already.
    there: Option<&'a LocalStore>,
    issue: &'a str,
}

/// What copies are added to; in a dry run, what they would be added to, where there is something.
fn open(
    context: &Context,
    flags: &Flags,
    into: &Path,
) -> Result<(Option<LocalStore>, Option<LocalStore>)> {
    if flags.execute {
        let target = LocalStore::create(into, context.clock);
        return Ok((Some(target.map_err(|error| into_the_other(&error))?), None));
    }
    Ok((None, LocalStore::open(into, context.clock).ok()))
}

/// Copies one issue: all of it in one go, where all of it is wanted and the target has nothing else
/// of it. `behind` is done to the target once everything is there.
fn copied(
    context: &Context,
    flags: &Flags,
    What { source: store, into, target, there, issue }: What<'_>,
    mut means: Means<'_>,
    behind: &(dyn Fn(&LocalStore) + Sync),
) -> Result<Report> {
    let replay_id = ids::new_event_id();
    let present = there.map(|there| Present::read(there, issue, &means.interrupt)).transpose()?;
    let mut present = present.flatten();
    if present.is_none() && is_whole(context, flags) {
        let means = means.again();
        let done = stream::stream(&**store, target, issue, &replay_id, means, behind)?;
        if let Some(report) = done {
            return Ok(report);
        }
    }
    let (mut session, request) = asked_for(context, flags, store, issue, &means.interrupt)?;
    let plan = replay::plan(&mut session, request)?;
    let report = copy::copy(&mut session, (target, present.as_mut()), &plan, &replay_id, means)?;
    if let Some(present) = present {
        tell_present(context, into, issue, &present);
    }
    target.into_iter().for_each(behind);
    Ok(report)
}

/// Whether all of an issue is wanted, as fast as it can be had.
fn is_whole(context: &Context, flags: &Flags) -> bool {
    let Flags { from, from_checkpoint, to, speed, verify_steps, .. } = flags;
    from.is_none()
        && from_checkpoint.is_none()
        && to.is_none()
        && speed.is_none()
        && !verify_steps
        && flags.selection.is_all()
        && context.config.count(Setting::ReplayMax) == 0
}
