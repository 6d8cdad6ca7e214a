//! What came of a replay, event by event and as a whole.
//!
//! Lives here: the words and the shape of the report. May not live here: deciding any of it.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::model::{Path, Position, Value};
use crate::store::local::Finding;

crate::closed_list! {
    /// What became of an event.
    pub enum Status {
        /// Its handler ran and succeeded.
        Executed = "executed",
        /// It is taken as it is recorded: there is nothing to execute.
        Replayed = "replayed",
        /// A dry run: its handler would run.
        WouldExecute = "would-execute",
        /// It is not executed, on purpose; what it recorded stands.
        Skipped = "skipped",
        /// It could not be replayed; it counts as if it had not happened.
        Failed = "failed",
    }
}

/// What a handler did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// How it ended, when it ended by itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub signal: Option<i32>,
    /// How often it ran.
    pub attempts: u32,
    /// How long it ran the last time.
    pub duration_ms: u64,
    /// What it wrote, without secrets; the middle is left out where it is long, and said so.
    pub stdout: String,
    /// The same of its standard error.
    pub stderr: String,
}

/// What became of one event, in the order of the printed keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Its place in the log.
    #[serde(skip)]
    pub position: Position,
    /// Its type.
    #[serde(skip)]
    pub event_type: SmolStr,
    /// Its id; empty where its line has none.
    pub event_id: SmolStr,
    /// What became of it.
    pub status: Status,
    /// Why, or by what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<SmolStr>,
    /// What its handler did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Box<Execution>>,
}

/// The first difference between the recorded and the replayed state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Where.
    pub path: Path,
    /// What the log says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Value>,
    /// What the replay came to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replayed: Option<Value>,
    /// The first event after which the states differ, when each was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

/// The replayed state beside the recorded one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FinalState {
    /// The digest of the replayed state.
    pub digest: String,
    /// Whether the recorded one has the same.
    pub matches: bool,
    /// Where they differ first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_difference: Option<Difference>,
}

/// How many events came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Executed, replayed, or a dry run would.
    pub replayed: u64,
    /// Left alone on purpose.
    pub skipped: u64,
    /// What could not be replayed.
    pub failed: u64,
}

impl Tally {
    /// Counts one event.
    pub fn add(&mut self, status: Status) {
        match status {
            Status::Executed | Status::Replayed | Status::WouldExecute => self.replayed += 1,
            Status::Skipped => self.skipped += 1,
            Status::Failed => self.failed += 1,
        }
    }

    /// The share of what was replayed among all that should have been; 1 where there was nothing.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a share needs no more digits")]
    pub fn success_rate(&self) -> f64 {
        match self.replayed + self.failed {
            0 => 1.0,
            all => self.replayed as f64 / all as f64,
        }
    }
}

/// The answer, in the order of the printed keys.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The run's id.
    pub replay_id: String,
    /// Whether nothing was done.
    pub dry_run: bool,
    /// How many events were replayed (or would be).
    pub replayed_count: u64,
    /// How many were left alone on purpose.
    pub skipped_count: u64,
    /// How many could not be replayed.
    pub failed_count: u64,
    /// Replayed, of replayed and failed.
    pub success_rate: f64,
    /// Event by event, where nobody heard it as it came; a copy names only what is not plainly
    /// copied.
    pub results: Vec<Outcome>,
    /// The state that it came to.
    pub final_state: FinalState,
    /// Of a copy: what says that the log that was copied is not what was recorded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub source_findings: Vec<Finding>,
    /// Of a copy into what had some of it: what says that this is not what was recorded there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub target_findings: Vec<Finding>,
}

impl Report {
    /// Whether everything went well.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.failed_count == 0
            && self.final_state.matches
            && self.source_findings.is_empty()
            && self.target_findings.is_empty()
    }
}
