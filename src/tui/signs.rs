//! Which sign and which meaning things of the log have, wherever they are shown.
//!
//! Lives here: the tables from kinds, outcomes and words of status to signs. May not live here:
//! how a sign or a meaning looks; the theme says so.

use crate::model::Kind;
use crate::timeline::lanes::Outcome;
use crate::timeline::{Row, Timeline};
use crate::tui::theme::{Glyph, Role};

/// The name of an event's type; where the line has none, that is said.
#[must_use]
pub fn type_name<'a>(timeline: &'a Timeline, row: &Row) -> &'a str {
    name_of(timeline.text(row.type_name))
}

/// As [`type_name`], for a name.
#[must_use]
pub fn name_of(name: &str) -> &str {
    if name.is_empty() { "(no type)" } else { name }
}

/// The sign of an event for lists of events, with its meaning.
#[must_use]
pub fn event_sign(kind: Kind) -> (Glyph, Role) {
    use Kind as K;
    match kind {
        K::AgentCompleted | K::ToolCompleted | K::TaskCompleted | K::PhaseCompleted => {
            (Glyph::Done, Role::Done)
        }
        K::TestRunCompleted | K::QualityCheckCompleted | K::ApprovalGranted => {
            (Glyph::Done, Role::Done)
        }
        K::RecoverySucceeded | K::OrchestrationCompleted => (Glyph::Done, Role::Done),
        K::AgentFailed | K::PhaseFailed | K::OrchestrationFailed | K::ToolFailed => {
            (Glyph::Failed, Role::Failed)
        }
        K::TestRunFailed | K::QualityCheckFailed | K::ApprovalRejected | K::RecoveryFailed => {
            (Glyph::Failed, Role::Failed)
        }
        K::ErrorOccurred | K::BudgetExceeded | K::MergeConflictDetected => {
            (Glyph::Error, Role::Failed)
        }
        K::AgentBlocked => (Glyph::Blocked, Role::Blocked),
        K::OrchestrationPaused => (Glyph::Paused, Role::Blocked),
        K::AgentCancelled | K::OrchestrationCancelled | K::PhaseSkipped => {
            (Glyph::Cancelled, Role::Cancelled)
        }
        K::AgentHandedOff => (Glyph::HandedOff, Role::Accent),
        K::GapIdentified | K::GapEscalated | K::GapReopened => (Glyph::Gap, Role::Warned),
        K::GapResolved => (Glyph::GapClosed, Role::Done),
        K::RecoveryAttempted | K::PhaseRetried => (Glyph::Recovery, Role::Recovered),
        K::CheckpointCreated | K::CheckpointRestored => (Glyph::Checkpoint, Role::Milestone),
        K::CommitCreated | K::BranchCreated => (Glyph::Commit, Role::Git),
        K::PRCreated | K::PRMerged | K::PRClosed | K::PRReviewed => (Glyph::PullRequest, Role::Git),
        K::OrchestrationStarted | K::OrchestrationResumed | K::OrchestrationSummaryCreated => {
            (Glyph::Milestone, Role::Milestone)
        }
        K::PhaseStarted | K::PhaseSummaryCreated => (Glyph::Phase, Role::Phase),
        K::AgentSpawned | K::AgentUnblocked => (Glyph::Running, Role::Running),
        K::AgentProgressed => (Glyph::Agent, Role::Running),
        K::ToolInvoked => (Glyph::Tool, Role::Dim),
        K::TaskCreated => (Glyph::Task, Role::Dim),
        K::TestRunStarted | K::QualityCheckStarted => (Glyph::Test, Role::Dim),
        K::DecisionMade | K::ApprovalRequested => (Glyph::Decision, Role::Accent),
        K::SessionStarted | K::SessionEnded | K::PromptSubmitted => (Glyph::Session, Role::Accent),
        K::DocumentationCreated | K::DocumentationUpdated | K::ConfluencePageCreated => {
            (Glyph::Document, Role::Dim)
        }
        K::IssueTransitioned | K::CommentPosted | K::WorklogAdded => (Glyph::Tracker, Role::Dim),
        K::UsageRecorded => (Glyph::Usage, Role::Dim),
        K::ReplayStarted | K::ReplayCompleted => (Glyph::Replay, Role::Dim),
        K::Unknown => (Glyph::Event, Role::Dim),
        K::Unreadable => (Glyph::Anomaly, Role::Anomaly),
    }
}

/// What a what-if makes of an event, the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BranchMark {
    /// Its precondition fails.
    Violated,
    /// Its cause is gone.
    Orphaned,
    /// It is left out.
    Skipped,
    /// Another stands in its place.
    Replaced,
    /// Something is put in behind it.
    Inserted,
}

impl BranchMark {
    /// Every mark, in order.
    pub const ALL: [Self; 5] =
        [Self::Violated, Self::Orphaned, Self::Skipped, Self::Replaced, Self::Inserted];

    /// Its sign and meaning.
    #[must_use]
    pub fn look(self) -> (Glyph, Role) {
        match self {
            Self::Violated => (Glyph::Violated, Role::Violated),
            Self::Orphaned => (Glyph::Orphaned, Role::Orphaned),
            Self::Skipped => (Glyph::Skipped, Role::Cancelled),
            Self::Replaced => (Glyph::Replaced, Role::Branch),
            Self::Inserted => (Glyph::Inserted, Role::Branch),
        }
    }
}

/// What a replay makes of an event, the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayMark {
    /// It could not be replayed.
    Failed,
    /// It was begun, and nobody knows how it ended.
    Unknown,
    /// Its program runs.
    Running,
    /// Its program ran and succeeded.
    Executed,
    /// Its program would run.
    WouldExecute,
    /// It is left alone on purpose.
    Skipped,
    /// It is taken as it is recorded.
    Recorded,
}

impl ReplayMark {
    /// Every mark, in order.
    pub const ALL: [Self; 7] = [
        Self::Failed,
        Self::Unknown,
        Self::Running,
        Self::Executed,
        Self::WouldExecute,
        Self::Skipped,
        Self::Recorded,
    ];

    /// Its sign and meaning.
    #[must_use]
    pub fn look(self) -> (Glyph, Role) {
        match self {
            Self::Failed => (Glyph::Failed, Role::Failed),
            Self::Unknown => (Glyph::Unsure, Role::Warned),
            Self::Running => (Glyph::Running, Role::Running),
            Self::Executed => (Glyph::Done, Role::Done),
            Self::WouldExecute => (Glyph::Rehearsed, Role::Running),
            Self::Skipped => (Glyph::Skipped, Role::Cancelled),
            Self::Recorded => (Glyph::Recorded, Role::Dim),
        }
    }

    /// What it says of an event; of a rehearsal, what would become of it.
    #[must_use]
    pub fn word(self, rehearsal: bool) -> &'static str {
        match self {
            Self::Failed if rehearsal => "would fail",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Running => "running",
            Self::Executed => "done",
            Self::WouldExecute => "would run",
            Self::Skipped => "skipped",
            Self::Recorded => "recorded",
        }
    }
}

/// The sign and the meaning of an outcome.
#[must_use]
pub fn outcome_sign(outcome: Outcome) -> (Glyph, Role) {
    match outcome {
        Outcome::Running => (Glyph::Running, Role::Running),
        Outcome::Blocked => (Glyph::Blocked, Role::Blocked),
        Outcome::Completed => (Glyph::RunEnd, Role::Done),
        Outcome::Failed => (Glyph::Failed, Role::Failed),
        Outcome::Cancelled => (Glyph::Cancelled, Role::Cancelled),
        Outcome::HandedOff => (Glyph::HandedOff, Role::Accent),
    }
}

/// The sign of a word of status, of orchestrations, agents, phases and the like.
#[must_use]
pub fn status_sign(status: &str) -> (Glyph, Role) {
    match status {
        "in_progress" | "running" | "started" | "active" => (Glyph::Running, Role::Running),
        "completed" | "done" | "succeeded" | "success" | "merged" | "resolved" | "passed"
        | "approved" | "granted" => (Glyph::Done, Role::Done),
        "failed" | "error" | "rejected" => (Glyph::Failed, Role::Failed),
        "paused" => (Glyph::Paused, Role::Blocked),
        "blocked" => (Glyph::Blocked, Role::Blocked),
        "cancelled" | "skipped" | "closed" => (Glyph::Cancelled, Role::Cancelled),
        "open" | "escalated" => (Glyph::Gap, Role::Warned),
        _ => (Glyph::Pending, Role::Dim),
    }
}
