//! Folding: from events to the state they make true.
//!
//! [`apply`] is pure and total: it never fails and never panics, and what it needs to know stands
//! in the tree, so that a state that was read back from a snapshot goes on as if it had never been
//! away. What does not fit (a broken guard, a missing key) is an anomaly; the fold goes on.
//!
//! Rules of the tree, frozen in `schemas/state.schema.json`:
//! - what is not there is absent, never null;
//! - collections are maps by natural key, and every thing is bounded: the state grows with things,
//!   not with events;
//! - values are taken over from the event as they are (sharing, not copying), whatever their type;
//!   what the fold itself writes (status, counts, times) has one type;
//! - an unreadable line changes nothing but `/counters/events` and `/counters/unreadable`.
//!
//! Lives here: the dispatch from kind to arm, one arm per type, one file per area. May not live
//! here: where events come from, or versions of the state over time.

mod agent;
mod checkpoint;
mod custom;
mod decision;
mod docs;
mod gap;
mod git;
mod guard;
mod jira;
mod orchestration;
mod phase;
mod quality;
mod record;
mod recovery;
mod session;
mod state;
mod task;
#[cfg(test)]
mod tests;
mod tidy;
mod tool;
mod usage;
mod writer;

pub use guard::holds;
pub use state::{State, TOP_LEVEL};

use crate::model::catalogue::spec;
use crate::model::kind::Category;
use crate::model::{Anomaly, AnomalyKind, Event, Key, Kind, Path, Value};
use writer::Writer;

/// The version of what events do to the state. A snapshot of another version is rebuilt.
pub const FOLD_VERSION: u32 = 1;

/// The version of the state's shape, `schemas/state.schema.json`.
pub const STATE_SCHEMA_VERSION: u32 = 1;

/// One path that an event set, added or removed.
///
/// A thing that came into being is one change at its own path, with the whole thing as `new`; of a
/// thing that was there before, each field that changed is one. A value that an event carried (an
/// object, a list) is replaced as a whole. So the last writer of a path is the last change at the
/// path itself, at one above it, or below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub path: Path,
    /// What was there before.
    pub old: Option<Value>,
    /// What is there now.
    pub new: Option<Value>,
}

/// What applying one event did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// The paths that it wrote, in the order of writing, without counters. A path comes at most
    /// once, and nothing is listed that kept its value.
    pub changes: Vec<Change>,
    /// What did not fit.
    pub anomalies: Vec<Anomaly>,
}

/// Makes `event` true in `state`, and says what that changed.
pub fn apply(state: &mut State, event: &Event) -> Applied {
    // Five changes are what most events make, and what an allocator gives fast.
    let mut applied = Applied { changes: Vec::with_capacity(5), anomalies: Vec::new() };
    apply_into(state, event, &mut applied);
    applied
}

/// As [`apply`], adding to what is in `applied`: for loops that use one buffer over and over.
pub fn apply_into(state: &mut State, event: &Event, applied: &mut Applied) {
    if let Err(reason) = check(state, event) {
        let detail = format!("{}: {reason}", event.type_name);
        applied.anomalies.push(Anomaly::new(AnomalyKind::GuardViolated, event.position, detail));
    }
    let first = applied.changes.len();
    fold(&mut Writer::new(state.root_mut(), event, Some(applied)));
    tidy::tidy(state.root(), &mut applied.changes, first);
}

/// Makes `event` true in `state` and records nothing: the same state as [`apply`], faster.
pub fn advance(state: &mut State, event: &Event) {
    fold(&mut Writer::new(state.root_mut(), event, None));
}

/// Whether what the type presupposes holds in `state`, the state before the event.
///
/// # Errors
/// The reason why not, in words that name the thing.
pub fn check(state: &State, event: &Event) -> Result<(), String> {
    spec(event.kind).map_or(Ok(()), |spec| holds(spec.guard, state, event))
}

/// What [`check`] looks at, in whatever state; none where it looks at nothing.
#[must_use]
pub fn presupposes(event: &Event) -> Option<Path> {
    spec(event.kind).and_then(|spec| guard::subject(spec.guard, event))
}

/// Whether a path is one of the counters, which every event writes: they are left out of changes,
/// and of diffs unless asked for.
#[must_use]
pub fn is_counter(path: &Path) -> bool {
    path.keys().first().is_some_and(|key| key == "counters")
}

/// Whether a path holds a sum, a number of times, or merely the latest of a kind. Concurrent
/// events write such a path without disagreeing: it is no race.
#[must_use]
pub fn is_tally(path: &Path) -> bool {
    let keys: Vec<&str> = path.keys().iter().map(Key::as_str).collect();
    match keys.as_slice() {
        ["counters" | "usage" | "custom" | "tools", ..] | ["jira", "worklog_seconds"] => true,
        ["sessions", _, field, ..] => matches!(*field, "prompts" | "last_prompt"),
        ["tasks", _, "claimed_by", ..] => true,
        _ => false,
    }
}

fn fold(w: &mut Writer<'_>) {
    count(w);
    if w.event.kind == Kind::Unreadable {
        return;
    }
    session::seen(w);
    arm(w);
}

/// What every event counts towards.
fn count(w: &mut Writer<'_>) {
    let event = w.event;
    let counters = w.counters();
    writer::count(counters, Key::new_static("events"));
    if event.kind == Kind::Unreadable {
        return writer::count(counters, Key::new_static("unreadable"));
    }
    let mut add = |group, key| writer::count(counters.map_mut(&Key::new_static(group)), key);
    add("by_category", Key::new_static(category(event.kind).name()));
    add("by_type", custom::name(event));
    if !event.actor.is_empty() {
        add("by_actor", event.actor.clone());
    }
}

fn category(kind: Kind) -> Category {
    spec(kind).map_or(Category::Custom, |spec| spec.category)
}

#[allow(clippy::too_many_lines, reason = "one line per type of the catalogue, checked complete")]
fn arm(w: &mut Writer<'_>) {
    match w.event.kind {
        Kind::OrchestrationStarted => orchestration::started(w),
        Kind::OrchestrationCompleted => orchestration::completed(w),
        Kind::OrchestrationFailed => orchestration::failed(w),
        Kind::OrchestrationPaused => orchestration::paused(w),
        Kind::OrchestrationResumed => orchestration::resumed(w),
        Kind::OrchestrationCancelled => orchestration::cancelled(w),
        Kind::OrchestrationSummaryCreated => orchestration::summary_created(w),
        Kind::ReplayStarted => orchestration::replay_started(w),
        Kind::ReplayCompleted => orchestration::replay_completed(w),
        Kind::PhaseStarted => phase::started(w),
        Kind::PhaseCompleted => phase::completed(w),
        Kind::PhaseFailed => phase::failed(w),
        Kind::PhaseSkipped => phase::skipped(w),
        Kind::PhaseRetried => phase::retried(w),
        Kind::PhaseSummaryCreated => phase::summary_created(w),
        Kind::AgentSpawned => agent::spawned(w),
        Kind::AgentProgressed => agent::progressed(w),
        Kind::AgentBlocked => agent::blocked(w),
        Kind::AgentUnblocked => agent::unblocked(w),
        Kind::AgentCompleted => agent::completed(w),
        Kind::AgentFailed => agent::failed(w),
        Kind::AgentCancelled => agent::cancelled(w),
        Kind::AgentHandedOff => agent::handed_off(w),
        Kind::GapIdentified => gap::identified(w),
        Kind::GapResolved => gap::resolved(w),
        Kind::GapEscalated => gap::escalated(w),
        Kind::GapReopened => gap::reopened(w),
        Kind::CommitCreated => git::commit_created(w),
        Kind::BranchCreated => git::branch_created(w),
        Kind::PRCreated => git::pr_created(w),
        Kind::PRReviewed => git::pr_reviewed(w),
        Kind::PRMerged => git::pr_merged(w),
        Kind::PRClosed => git::pr_closed(w),
        Kind::MergeConflictDetected => git::merge_conflict_detected(w),
        Kind::IssueTransitioned => jira::issue_transitioned(w),
        Kind::CommentPosted => jira::comment_posted(w),
        Kind::WorklogAdded => jira::worklog_added(w),
        Kind::DocumentationCreated => docs::created(w),
        Kind::DocumentationUpdated => docs::updated(w),
        Kind::ConfluencePageCreated => docs::confluence_page_created(w),
        Kind::QualityCheckStarted => quality::check_started(w),
        Kind::QualityCheckCompleted => quality::check_completed(w),
        Kind::QualityCheckFailed => quality::check_failed(w),
        Kind::TestRunStarted => quality::test_run_started(w),
        Kind::TestRunCompleted => quality::test_run_completed(w),
        Kind::TestRunFailed => quality::test_run_failed(w),
        Kind::CheckpointCreated => checkpoint::created(w),
        Kind::CheckpointRestored => checkpoint::restored(w),
        Kind::ErrorOccurred => recovery::error_occurred(w),
        Kind::RecoveryAttempted => recovery::attempted(w),
        Kind::RecoverySucceeded => recovery::succeeded(w),
        Kind::RecoveryFailed => recovery::failed(w),
        Kind::SessionStarted => session::started(w),
        Kind::SessionEnded => session::ended(w),
        Kind::PromptSubmitted => session::prompt_submitted(w),
        Kind::ToolInvoked => tool::invoked(w),
        Kind::ToolCompleted => tool::completed(w),
        Kind::ToolFailed => tool::failed(w),
        Kind::TaskCreated => task::created(w),
        Kind::TaskCompleted => task::completed(w),
        Kind::DecisionMade => decision::made(w),
        Kind::ApprovalRequested => decision::approval_requested(w),
        Kind::ApprovalGranted => decision::approval_granted(w),
        Kind::ApprovalRejected => decision::approval_rejected(w),
        Kind::UsageRecorded => usage::recorded(w),
        Kind::BudgetExceeded => usage::budget_exceeded(w),
        Kind::Unknown => custom::happened(w),
        Kind::Unreadable => {}
    }
}
