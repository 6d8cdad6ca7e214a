//! Links that hold between events without a `causation_id`: the default correlation rules.
//!
//! Lives here: the table. May not live here: looking for the events (see [`crate::timeline`]).

use std::fmt;

use super::Kind;
use crate::config::Rule;

/// Events of some types belong to the latest event of another type that has the same key.
#[derive(Debug, Clone, Copy)]
pub struct LinkRule {
    /// The rule's name, as links show it.
    pub name: &'static str,
    /// The types that begin something.
    pub from: &'static [Kind],
    /// The types that go on with it.
    pub to: &'static [Kind],
    /// Types outside the catalogue: those that begin something, and those that go on with it.
    pub own: (&'static [&'static str], &'static [&'static str]),
    /// What both must have in common.
    pub key: LinkKey,
}

/// All rules that are in force.
pub type Links = &'static [LinkRule];

/// What two linked events have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKey {
    /// The agent, within one run.
    Agent,
    /// The phase, within one attempt.
    Phase,
    /// This field of the metadata; with dots, one within others.
    Field(&'static str),
    /// The correlation id; or the second one's `recovery_from` is the first one's id.
    ErrorRecovery,
    /// The branch: that of the commit is the head branch of the pull request.
    Branch,
    /// The session.
    Session,
    /// The correlation id.
    Correlation,
    /// Who acts.
    Actor,
    /// Nothing but the issue.
    Issue,
}

impl fmt::Display for LinkKey {
    /// The name that correlation rules in the configuration use.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent => f.write_str("agent"),
            Self::Phase => f.write_str("phase"),
            Self::Field(name) => write!(f, "metadata.{name}"),
            Self::ErrorRecovery | Self::Correlation => f.write_str("correlation_id"),
            Self::Branch => f.write_str("branch"),
            Self::Session => f.write_str("session_id"),
            Self::Actor => f.write_str("actor"),
            Self::Issue => f.write_str("issue_key"),
        }
    }
}

/// The catalogue's rules are about its own types.
const NO_OTHERS: (&[&str], &[&str]) = (&[], &[]);

impl LinkRule {
    /// Whether an event of this type begins something.
    #[must_use]
    pub fn begins(&self, kind: Kind, type_name: &str) -> bool {
        self.from.contains(&kind) || (kind == Kind::Unknown && self.own.0.contains(&type_name))
    }

    /// Whether an event of this type goes on with something.
    #[must_use]
    pub fn goes_on(&self, kind: Kind, type_name: &str) -> bool {
        self.to.contains(&kind) || (kind == Kind::Unknown && self.own.1.contains(&type_name))
    }
}

/// The rules of the configuration and those of the catalogue. The user's come first, and one that has
/// the name of one of the catalogue's takes its place. They live as long as the program: made once,
/// from one file.
#[must_use]
pub fn with_rules(rules: &[Rule]) -> Links {
    if rules.is_empty() {
        return LINKS;
    }
    let kept = LINKS.iter().filter(|known| rules.iter().all(|rule| rule.name != known.name));
    let all: Vec<LinkRule> = rules.iter().map(from_rule).chain(kept.copied()).collect();
    Box::leak(all.into_boxed_slice())
}

fn from_rule(rule: &Rule) -> LinkRule {
    let (from, own_from) = types(&rule.sources);
    let (to, own_to) = types(&rule.targets);
    LinkRule { name: forever(&rule.name), from, to, own: (own_from, own_to), key: key(&rule.key) }
}

/// Types of the catalogue, and others.
fn types(names: &[String]) -> (&'static [Kind], &'static [&'static str]) {
    let kind = |name: &String| Some(Kind::from_name(name)).filter(|kind| kind.is_catalogued());
    let kinds: Vec<Kind> = names.iter().filter_map(kind).collect();
    let others = names.iter().filter(|name| kind(name).is_none()).map(|name| forever(name));
    let others: Vec<&'static str> = others.collect();
    (Box::leak(kinds.into_boxed_slice()), Box::leak(others.into_boxed_slice()))
}

fn forever(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

/// What a key of the configuration means: a part of the envelope, else a field of the metadata.
fn key(text: &str) -> LinkKey {
    match text {
        "agent" => LinkKey::Agent,
        "phase" => LinkKey::Phase,
        "branch" => LinkKey::Branch,
        "session_id" => LinkKey::Session,
        "correlation_id" => LinkKey::Correlation,
        "actor" | "actor.id" => LinkKey::Actor,
        "issue_key" => LinkKey::Issue,
        field => LinkKey::Field(forever(field.strip_prefix("metadata.").unwrap_or(field))),
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
        own: NO_OTHERS,
        key: LinkKey::Agent,
    },
    LinkRule {
        name: "phase-attempt",
        from: &[Kind::PhaseStarted],
        to: &[Kind::PhaseCompleted, Kind::PhaseFailed, Kind::PhaseSkipped, Kind::PhaseRetried],
        own: NO_OTHERS,
        key: LinkKey::Phase,
    },
    LinkRule {
        name: "gap",
        from: &[Kind::GapIdentified],
        to: &[Kind::GapResolved, Kind::GapEscalated, Kind::GapReopened],
        own: NO_OTHERS,
        key: LinkKey::Field("gap_id"),
    },
    LinkRule {
        name: "error-recovery",
        from: &[Kind::ErrorOccurred],
        to: &[Kind::RecoveryAttempted, Kind::RecoverySucceeded, Kind::RecoveryFailed],
        own: NO_OTHERS,
        key: LinkKey::ErrorRecovery,
    },
    LinkRule {
        name: "pull-request",
        from: &[Kind::PRCreated],
        to: &[Kind::PRReviewed, Kind::PRMerged, Kind::PRClosed],
        own: NO_OTHERS,
        key: LinkKey::Field("pr_number"),
    },
    LinkRule {
        name: "commit-branch",
        from: &[Kind::CommitCreated],
        to: &[Kind::PRCreated],
        own: NO_OTHERS,
        key: LinkKey::Branch,
    },
    LinkRule {
        name: "quality-check",
        from: &[Kind::QualityCheckStarted],
        to: &[Kind::QualityCheckCompleted, Kind::QualityCheckFailed],
        own: NO_OTHERS,
        key: LinkKey::Field("check_type"),
    },
    LinkRule {
        name: "test-run",
        from: &[Kind::TestRunStarted],
        to: &[Kind::TestRunCompleted, Kind::TestRunFailed],
        own: NO_OTHERS,
        key: LinkKey::Field("test_suite"),
    },
    LinkRule {
        name: "checkpoint",
        from: &[Kind::CheckpointCreated],
        to: &[Kind::CheckpointRestored],
        own: NO_OTHERS,
        key: LinkKey::Field("checkpoint_id"),
    },
    LinkRule {
        name: "tool-use",
        from: &[Kind::ToolInvoked],
        to: &[Kind::ToolCompleted, Kind::ToolFailed],
        own: NO_OTHERS,
        key: LinkKey::Field("tool_use_id"),
    },
    LinkRule {
        name: "approval",
        from: &[Kind::ApprovalRequested],
        to: &[Kind::ApprovalGranted, Kind::ApprovalRejected],
        own: NO_OTHERS,
        key: LinkKey::Field("approval_id"),
    },
    LinkRule {
        name: "pause",
        from: &[Kind::OrchestrationPaused],
        to: &[Kind::OrchestrationResumed],
        own: NO_OTHERS,
        key: LinkKey::Session,
    },
];

#[cfg(test)]
mod tests {
    use super::super::spec;
    use super::*;

    #[test]
    fn the_users_rules_come_first_and_replace_those_of_their_name() {
        let rule = |name: &str, key: &str| Rule {
            name: name.into(),
            sources: vec!["AgentSpawned".into(), "Mine".into()],
            targets: vec!["Other".into()],
            key: key.into(),
        };
        assert!(std::ptr::eq(with_rules(&[]), LINKS));
        let all = with_rules(&[rule("mine", "metadata.a.b"), rule("gap", "session_id")]);
        assert_eq!(all.len(), LINKS.len() + 1);
        assert_eq!((all[0].name, all[0].key), ("mine", LinkKey::Field("a.b")));
        assert_eq!(all[1].key, LinkKey::Session);
        assert_eq!(all.iter().filter(|rule| rule.name == "gap").count(), 1);
        assert!(all[0].begins(Kind::AgentSpawned, "AgentSpawned"));
        assert!(all[0].begins(Kind::Unknown, "Mine") && all[0].goes_on(Kind::Unknown, "Other"));
        assert!(!all[0].goes_on(Kind::Unknown, "Mine"));
    }

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
