//! The catalogue: one row per type of event, from which everything that differs by type is made.
//!
//! Validation, JSON Schema, fold arms, category, severity, summary line, replay policy, links,
//! guards, the screen's colours and the documentation all read this table. Lives here: the shape
//! of a row and look-up. The rows stand in one file per area. May not live here: code that acts on
//! an event.

use super::kind::{Category, Kind, Severity};

/// One row: all that is particular to a type of event.
#[derive(Debug)]
pub struct Spec {
    /// The type.
    pub kind: Kind,
    /// The catalogue version that first had it.
    pub since: Version,
    /// Its area.
    pub category: Category,
    /// How much it calls for attention, unless the configuration says otherwise.
    pub severity: Severity,
    /// One sentence: what it says happened.
    pub doc: &'static str,
    /// The fields of its metadata; others are allowed and kept.
    pub fields: &'static [Field],
    /// The line for people: text with `{field}` and `{field|otherwise}`; dotted names reach into
    /// objects. Rendered by [`summary`].
    pub summary: &'static str,
    /// What it does to the state, in words: the paths that it writes.
    pub effect: &'static str,
    /// What must be true before it; checked by the fold, by what-if and by replay.
    pub guard: Guard,
    /// What a replay does with it.
    pub replay: ReplayPolicy,
    /// An example of its metadata, as JSON.
    pub example: &'static str,
}

/// A version of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// The original 36 types.
    V1_0,
    /// The 30 types that were added.
    V1_1,
}

impl Version {
    /// The newest.
    pub const CURRENT: Self = Self::V1_1;
    /// All of them, oldest first.
    pub const ALL: [Self; 2] = [Self::V1_0, Self::V1_1];

    /// Its semantic version; also the `event_version` of the types that came with it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1_0 => "1.0.0",
            Self::V1_1 => "1.1.0",
        }
    }

    /// The version with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.name() == name)
    }

    /// The version that a kind came with; the first for kinds that the catalogue does not have.
    #[must_use]
    pub fn since(kind: Kind) -> Self {
        if kind > Kind::RecoveryFailed && kind.is_catalogued() { Self::V1_1 } else { Self::V1_0 }
    }
}

/// A field of the metadata.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// What it may hold.
    pub ty: Type,
    /// Whether an event without it is invalid.
    pub required: bool,
}

/// What a field may hold.
#[derive(Debug, Clone, Copy)]
pub enum Type {
    /// Any string.
    Str,
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// An integer.
    Int,
    /// An integer between these bounds, both included.
    IntIn(i64, i64),
    /// A number.
    Num,
    /// `true` or `false`.
    Bool,
    /// Any JSON value.
    Any,
    /// A list of strings.
    StrList,
    /// A list of objects with these fields.
    ObjList(&'static [Field]),
    /// An object with these fields; others are allowed.
    Obj(&'static [Field]),
    /// An upper-case word: the name of a phase.
    Phase,
    /// A time in RFC 3339 with a zone.
    Time,
}

/// A field that every event of the type must have.
pub(crate) const fn required(name: &'static str, ty: Type) -> Field {
    Field { name, ty, required: true }
}

/// A field that an event of the type may have.
pub(crate) const fn optional(name: &'static str, ty: Type) -> Field {
    Field { name, ty, required: false }
}

crate::closed_list! {
    /// What must be true before an event for it to make sense.
    pub enum Guard {
        /// Nothing in particular.
        Always = "always",
        /// The agent has a run that is running or blocked.
        AgentRunning = "agent-running",
        /// The agent is blocked.
        AgentBlocked = "agent-blocked",
        /// The phase was started and has not ended.
        PhaseStarted = "phase-started",
        /// The gap is open or escalated.
        GapOpen = "gap-open",
        /// The gap is resolved.
        GapResolved = "gap-resolved",
        /// The pull request is open.
        PrOpen = "pr-open",
        /// A check of this type was started and has not ended.
        CheckStarted = "check-started",
        /// A run of this suite was started and has not ended.
        TestStarted = "test-started",
        /// A call of this tool is running.
        ToolRunning = "tool-running",
        /// A recovery was attempted and has not ended.
        RecoveryAttempted = "recovery-attempted",
        /// The checkpoint was created before.
        CheckpointKnown = "checkpoint-known",
        /// The orchestration is paused.
        OrchestrationPaused = "orchestration-paused",
        /// The orchestration runs (or is paused) and has not ended.
        OrchestrationRunning = "orchestration-running",
        /// The approval was asked for and is pending.
        ApprovalPending = "approval-pending",
        /// The task was created and is not completed.
        TaskOpen = "task-open",
    }
}

crate::closed_list! {
    /// What a replay does with an event of the type.
    pub enum ReplayPolicy {
        /// Runs the handler when there is one.
        Execute = "execute",
        /// A record of something that happened inside; nothing to execute.
        Record = "record",
        /// It acts upon the outside world and must not happen twice.
        NotRepeatable = "not-repeatable",
    }
}
