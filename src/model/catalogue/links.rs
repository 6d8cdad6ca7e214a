//! Links that hold between events without a `causation_id`: the default correlation rules.
//!
//! Lives here: the table. May not live here: looking for the events (see [`crate::timeline`]).

use std::fmt;

use super::Kind;

/// Events of some types belong to the latest event of another type that has the same key.
#[derive(Debug, Clone, Copy)]
pub struct LinkRule {
    /// The rule's name, as links show it.
    pub name: &'static str,
    /// The types that begin something.
    pub from: &'static [Kind],
    /// The types that go on with it.
    pub to: &'static [Kind],
    /// What both must have in common.
    pub key: LinkKey,
}

/// What two linked events have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKey {
    /// The agent, within one run.
    Agent,
    /// The phase, within one attempt.
    Phase,
    /// This field of the metadata.
    Field(&'static str),
    /// The correlation id; or the second one's `recovery_from` is the first one's id.
    ErrorRecovery,
    /// The branch: that of the commit is the head branch of the pull request.
    Branch,
    /// The session.
    Session,
}

impl fmt::Display for LinkKey {
    /// The name that correlation rules in the configuration use.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent => f.write_str("agent"),
            Self::Phase => f.write_str("phase"),
            Self::Field(name) => write!(f, "metadata.{name}"),
            Self::ErrorRecovery => f.write_str("correlation_id"),
            Self::Branch => f.write_str("branch"),
            Self::Session => f.write_str("session_id"),
        }
    }
}

/// The default rules; the configuration can add more.
pub static LINKS: &[LinkRule] = &[
    LinkRule {
        name: "agent-run",
        from: &[Kind::AgentSpawned],
        to: &[
            Kind::AgentProgressed,
            Kind::AgentBlocked,
            Kind::AgentUnblocked,
            Kind::AgentCompleted,
            Kind::AgentFailed,
            Kind::AgentCancelled,
            Kind::AgentHandedOff,
        ],
        key: LinkKey::Agent,
    },
    LinkRule {
        name: "phase-attempt",
        from: &[Kind::PhaseStarted],
        to: &[Kind::PhaseCompleted, Kind::PhaseFailed, Kind::PhaseSkipped, Kind::PhaseRetried],
        key: LinkKey::Phase,
    },
    LinkRule {
        name: "gap",
        from: &[Kind::GapIdentified],
        to: &[Kind::GapResolved, Kind::GapEscalated, Kind::GapReopened],
        key: LinkKey::Field("gap_id"),
    },
    LinkRule {
        name: "error-recovery",
        from: &[Kind::ErrorOccurred],
        to: &[Kind::RecoveryAttempted, Kind::RecoverySucceeded, Kind::RecoveryFailed],
        key: LinkKey::ErrorRecovery,
    },
    LinkRule {
        name: "pull-request",
        from: &[Kind::PRCreated],
        to: &[Kind::PRReviewed, Kind::PRMerged, Kind::PRClosed],
        key: LinkKey::Field("pr_number"),
    },
    LinkRule {
        name: "commit-branch",
        from: &[Kind::CommitCreated],
        to: &[Kind::PRCreated],
        key: LinkKey::Branch,
    },
    LinkRule {
        name: "quality-check",
        from: &[Kind::QualityCheckStarted],
        to: &[Kind::QualityCheckCompleted, Kind::QualityCheckFailed],
        key: LinkKey::Field("check_type"),
    },
    LinkRule {
        name: "test-run",
        from: &[Kind::TestRunStarted],
        to: &[Kind::TestRunCompleted, Kind::TestRunFailed],
        key: LinkKey::Field("test_suite"),
    },
    LinkRule {
        name: "checkpoint",
        from: &[Kind::CheckpointCreated],
        to: &[Kind::CheckpointRestored],
        key: LinkKey::Field("checkpoint_id"),
    },
    LinkRule {
        name: "tool-use",
        from: &[Kind::ToolInvoked],
        to: &[Kind::ToolCompleted, Kind::ToolFailed],
        key: LinkKey::Field("tool_use_id"),
    },
    LinkRule {
        name: "approval",
        from: &[Kind::ApprovalRequested],
        to: &[Kind::ApprovalGranted, Kind::ApprovalRejected],
        key: LinkKey::Field("approval_id"),
    },
    LinkRule {
        name: "pause",
        from: &[Kind::OrchestrationPaused],
        to: &[Kind::OrchestrationResumed],
        key: LinkKey::Session,
    },
];

#[cfg(test)]
mod tests {
    use super::super::spec;
    use super::*;

    #[test]
    fn names_are_distinct_and_keys_are_fields_of_both_sides() {
        for (at, rule) in LINKS.iter().enumerate() {
            assert!(LINKS[..at].iter().all(|other| other.name != rule.name), "{}", rule.name);
            if let LinkKey::Field(name) = rule.key {
                for kind in rule.from.iter().chain(rule.to) {
                    assert!(spec(*kind).unwrap().field(name).is_some(), "{kind} has no {name}");
                }
            }
        }
    }
}
