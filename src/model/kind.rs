//! The kinds of event: one name each, in the order of the catalogue.
//!
//! Lives here: [`Kind`] and the closed words that the catalogue uses for it. May not live here:
//! fields, summaries, policies; those are columns of [`super::catalogue`].

use std::fmt;

macro_rules! kinds {
    ($($name:ident)*) => {
        /// What an event says happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "each name is documented by its row of the catalogue")]
        pub enum Kind {
            $($name,)*
            /// A type that the catalogue does not have; its name is in the envelope.
            Unknown,
            /// A line that is no event at all; kept in its place so that nothing vanishes.
            Unreadable,
        }

        impl Kind {
            /// The kinds of the catalogue, in its order.
            pub const CATALOGUED: &'static [Kind] = &[$(Kind::$name,)*];

            /// The type's name as events carry it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Kind::$name => stringify!($name),)*
                    Kind::Unknown => "unknown",
                    Kind::Unreadable => "unreadable",
                }
            }

            /// The kind with this name; [`Kind::Unknown`] where the catalogue has none.
            #[must_use]
            pub fn from_name(name: &str) -> Kind {
                match name {
                    $(stringify!($name) => Kind::$name,)*
                    _ => Kind::Unknown,
                }
            }
        }
    };
}

kinds! {
    OrchestrationStarted OrchestrationCompleted OrchestrationFailed OrchestrationPaused
    OrchestrationResumed
    PhaseStarted PhaseCompleted PhaseFailed
    AgentSpawned AgentCompleted AgentFailed AgentBlocked
    GapIdentified GapResolved GapEscalated
    CommitCreated PRCreated PRMerged PRClosed
    IssueTransitioned CommentPosted WorklogAdded
    DocumentationCreated ConfluencePageCreated
    QualityCheckStarted QualityCheckCompleted QualityCheckFailed
    TestRunStarted TestRunCompleted TestRunFailed
    CheckpointCreated CheckpointRestored
    ErrorOccurred RecoveryAttempted RecoverySucceeded RecoveryFailed
    OrchestrationCancelled OrchestrationSummaryCreated
    SessionStarted SessionEnded PromptSubmitted
    PhaseSkipped PhaseRetried PhaseSummaryCreated
    AgentProgressed AgentUnblocked AgentCancelled AgentHandedOff
    ToolInvoked ToolCompleted ToolFailed
    TaskCreated TaskCompleted
    DecisionMade ApprovalRequested ApprovalGranted ApprovalRejected
    GapReopened
    BranchCreated PRReviewed MergeConflictDetected
    DocumentationUpdated
    UsageRecorded BudgetExceeded
    ReplayStarted ReplayCompleted
}

impl Kind {
    /// Whether the catalogue has a row for it.
    #[must_use]
    pub const fn is_catalogued(self) -> bool {
        (self as u8) < Kind::Unknown as u8
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Declares a closed list of words: an enum with a stable name and a sentence for each.
#[macro_export]
macro_rules! closed_list {
    ($(#[$meta:meta])* pub enum $list:ident { $($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $list { $($(#[doc = $doc])+ $variant,)* }

        impl $list {
            /// Every word of the list, in order.
            pub const ALL: &'static [$list] = &[$($list::$variant,)*];

            /// The stable name used in files and in JSON.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $($list::$variant => $name,)* }
            }

            /// What it means, in one sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $($list::$variant => concat!($($doc),+).trim_start(),)* }
            }

            /// The word with this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<$list> {
                match name { $($name => Some($list::$variant),)* _ => None }
            }
        }

        impl std::fmt::Display for $list {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl serde::Serialize for $list {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
    };
}

closed_list! {
    /// The areas that the types are grouped in.
    pub enum Category {
        /// The orchestration as a whole.
        Orchestration = "orchestration",
        /// One run of the orchestrator.
        Session = "session",
        /// A phase of the work.
        Phase = "phase",
        /// An agent and its runs.
        Agent = "agent",
        /// A call of a tool.
        Tool = "tool",
        /// A unit of work.
        Task = "task",
        /// A decision or an approval.
        Decision = "decision",
        /// A gap in requirements, tests or security.
        Gap = "gap",
        /// Commits, branches and pull requests.
        Git = "git",
        /// The issue tracker.
        Jira = "jira",
        /// Documents.
        Documentation = "documentation",
        /// Quality checks.
        Quality = "quality",
        /// Test runs.
        Test = "test",
        /// Checkpoints of the orchestration (the event, not the log's).
        Checkpoint = "checkpoint",
        /// Errors and recoveries.
        Recovery = "recovery",
        /// Tokens and cost.
        Usage = "usage",
        /// Replays of the log.
        Replay = "replay",
        /// Types that the catalogue does not have.
        Custom = "custom",
    }
}

closed_list! {
    /// How much an event calls for attention.
    pub enum Severity {
        /// The ordinary course of things.
        Info = "info",
        /// Something to keep an eye on.
        Warning = "warning",
        /// Something failed.
        Error = "error",
        /// Somebody must look now.
        Critical = "critical",
    }
}
