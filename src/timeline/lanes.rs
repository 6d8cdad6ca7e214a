//! What happened beside what: a lane per phase and agent, and the rail of telling events.
//!
//! Lives here: runs with their beginning, end and outcome, found from the events as they come.
//! May not live here: columns, glyphs, colours.

use rustc_hash::FxHashMap;

use super::row::Symbol;
use crate::closed_list;
use crate::model::{Kind, Position};

closed_list! {
    /// What a lane is for.
    pub enum LaneKind {
        /// All phases, one after the other.
        Phase = "phase",
        /// The runs of one agent.
        Agent = "agent",
    }
}

closed_list! {
    /// How a run ended, or that it did not.
    pub enum Outcome {
        /// It has not ended.
        Running = "running",
        /// It waits for something.
        Blocked = "blocked",
        /// It ended well.
        Completed = "completed",
        /// It failed.
        Failed = "failed",
        /// It was cancelled or skipped.
        Cancelled = "cancelled",
        /// It was handed to another agent.
        HandedOff = "handed-off",
    }
}

impl Outcome {
    /// Whether the run goes on.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Running | Self::Blocked)
    }
}

/// A run: of an agent, or of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The phase's or the agent's name.
    pub name: Symbol,
    /// The event that began it. A run whose beginning the log does not have begins at its end.
    pub from: Position,
    /// The event that ended it.
    pub to: Option<Position>,
    /// How it ended.
    pub outcome: Outcome,
}

/// The runs of one agent, or of all phases, in the order in which they began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// What it is for.
    pub kind: LaneKind,
    /// The agent's name; empty for the phases.
    pub name: Symbol,
    /// The runs.
    pub spans: Vec<Span>,
}

closed_list! {
    /// What stands on the rail.
    pub enum RailMark {
        /// A commit.
        Commit = "commit",
        /// A pull request was opened, merged or closed.
        PullRequest = "pull-request",
        /// A gap was found.
        GapFound = "gap",
        /// A gap was closed.
        GapClosed = "gap-closed",
        /// An error or a failure.
        Failure = "failure",
        /// A recovery.
        Recovery = "recovery",
        /// A checkpoint.
        Checkpoint = "checkpoint",
        /// Tests or checks ended.
        Test = "test",
        /// The orchestration began, ended or paused.
        Milestone = "milestone",
    }
}

/// All lanes of one log.
#[derive(Debug)]
pub struct Lanes {
    lanes: Vec<Lane>,
    agents: FxHashMap<Symbol, usize>,
    rail: Vec<(Position, RailMark)>,
}

impl Default for Lanes {
    fn default() -> Self {
        let phases = Lane { kind: LaneKind::Phase, name: Symbol::EMPTY, spans: Vec::new() };
        Self { lanes: vec![phases], agents: FxHashMap::default(), rail: Vec::new() }
    }
}

/// What an event does to a lane.
enum Step {
    Begin,
    Mark(Outcome),
    End(Outcome),
}

impl Lanes {
    /// The lanes: that of the phases, then the agents in the order of their first run.
    #[must_use]
    pub fn all(&self) -> &[Lane] {
        &self.lanes
    }

    /// The telling events, in order.
    #[must_use]
    pub fn rail(&self) -> &[(Position, RailMark)] {
        &self.rail
    }

    /// The telling events from `from` to `to`, both included.
    #[must_use]
    pub fn rail_between(&self, from: Position, to: Position) -> &[(Position, RailMark)] {
        let start = self.rail.partition_point(|(p, _)| *p < from);
        let end = self.rail.partition_point(|(p, _)| *p <= to);
        self.rail.get(start..end).unwrap_or(&[])
    }

    /// Notes what the event at `position` began or ended: one of this kind, which names this phase
    /// and speaks of this agent.
    pub fn push(&mut self, kind: Kind, phase: Symbol, agent: Symbol, position: Position) {
        if let Some(mark) = RailMark::of(kind) {
            self.rail.push((position, mark));
        }
        if let Some(step) = phase_step(kind) {
            self.step(0, phase, &step, position);
        }
        if let Some(step) = agent_step(kind)
            && !agent.is_empty()
        {
            let lane = *self.agents.entry(agent).or_insert_with(|| {
                self.lanes.push(Lane { kind: LaneKind::Agent, name: agent, spans: Vec::new() });
                self.lanes.len() - 1
            });
            self.step(lane, agent, &step, position);
        }
        if ends_everything(kind) {
            self.end_phases(position, kind);
        }
    }

    fn step(&mut self, lane: usize, name: Symbol, step: &Step, position: Position) {
        let Some(lane) = self.lanes.get_mut(lane) else { return };
        let open = lane.spans.iter_mut().rev().take(16).find(|s| s.name == name && s.to.is_none());
        match (step, open) {
            (Step::Begin, open) => {
                // A second beginning under one name is a new run; the one before has no end of
                // its own in the log, and is drawn up to here.
                if let Some(run) = open {
                    run.to = Some(position);
                    run.outcome = Outcome::Cancelled;
                }
                let run = Span { name, from: position, to: None, outcome: Outcome::Running };
                lane.spans.push(run);
            }
            (Step::Mark(outcome), Some(run)) => run.outcome = *outcome,
            (Step::End(outcome), Some(run)) => {
                run.to = Some(position);
                run.outcome = *outcome;
            }
            (Step::Mark(outcome), None) => {
                lane.spans.push(Span { name, from: position, to: None, outcome: *outcome });
            }
            (Step::End(outcome), None) => {
                let to = Some(position);
                lane.spans.push(Span { name, from: position, to, outcome: *outcome });
            }
        }
    }

    /// A phase does not outlive its orchestration.
    fn end_phases(&mut self, position: Position, kind: Kind) {
        let outcome = match kind {
            Kind::OrchestrationFailed => Outcome::Failed,
            Kind::OrchestrationCancelled => Outcome::Cancelled,
            _ => Outcome::Completed,
        };
        let Some(phases) = self.lanes.first_mut() else { return };
        for run in phases.spans.iter_mut().rev().take(16).filter(|s| s.to.is_none()) {
            run.to = Some(position);
            run.outcome = outcome;
        }
    }
}

fn ends_everything(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::OrchestrationCompleted | Kind::OrchestrationFailed | Kind::OrchestrationCancelled
    )
}

fn phase_step(kind: Kind) -> Option<Step> {
    Some(match kind {
        Kind::PhaseStarted | Kind::PhaseRetried => Step::Begin,
        Kind::PhaseCompleted => Step::End(Outcome::Completed),
        Kind::PhaseFailed => Step::End(Outcome::Failed),
        Kind::PhaseSkipped => Step::End(Outcome::Cancelled),
        _ => return None,
    })
}

fn agent_step(kind: Kind) -> Option<Step> {
    Some(match kind {
        Kind::AgentSpawned => Step::Begin,
        Kind::AgentBlocked => Step::Mark(Outcome::Blocked),
        Kind::AgentUnblocked => Step::Mark(Outcome::Running),
        Kind::AgentCompleted => Step::End(Outcome::Completed),
        Kind::AgentFailed => Step::End(Outcome::Failed),
        Kind::AgentCancelled => Step::End(Outcome::Cancelled),
        Kind::AgentHandedOff => Step::End(Outcome::HandedOff),
        _ => return None,
    })
}

impl RailMark {
    /// What an event of this kind puts on the rail.
    #[must_use]
    pub fn of(kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::CommitCreated => Self::Commit,
            Kind::PRCreated | Kind::PRMerged | Kind::PRClosed => Self::PullRequest,
            Kind::GapIdentified | Kind::GapEscalated | Kind::GapReopened => Self::GapFound,
            Kind::GapResolved => Self::GapClosed,
            Kind::ErrorOccurred
            | Kind::AgentFailed
            | Kind::PhaseFailed
            | Kind::ToolFailed
            | Kind::TestRunFailed
            | Kind::QualityCheckFailed
            | Kind::RecoveryFailed
            | Kind::MergeConflictDetected
            | Kind::BudgetExceeded => Self::Failure,
            Kind::RecoveryAttempted | Kind::RecoverySucceeded => Self::Recovery,
            Kind::CheckpointCreated | Kind::CheckpointRestored => Self::Checkpoint,
            Kind::TestRunCompleted | Kind::QualityCheckCompleted => Self::Test,
            Kind::OrchestrationStarted
            | Kind::OrchestrationCompleted
            | Kind::OrchestrationFailed
            | Kind::OrchestrationCancelled
            | Kind::OrchestrationPaused
            | Kind::OrchestrationResumed => Self::Milestone,
            _ => return None,
        })
    }

    /// The kinds that put this on the rail.
    pub fn kinds(self) -> impl Iterator<Item = Kind> {
        Kind::CATALOGUED.iter().copied().filter(move |kind| Self::of(*kind) == Some(self))
    }
}
