//! What is asked for of a replay, what it is done with, and what comes back.
//!
//! Lives here: the words between the screen and the thread that replays. May not live here: how far
//! it is (see [`super::progress`]).

use std::sync::Arc;
use std::time::Duration;

use super::outcomes::Program;
use super::progress::Progress;
use super::rest::Rest;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::model::Position;
use crate::replay::{Decision, FinalState};
use crate::schema::Redactor;
use crate::store::local::LocalStore;

/// What replays need beside the log.
#[derive(Debug)]
pub struct Outfit {
    /// The settings.
    pub config: Config,
    /// What takes secrets out of what is told.
    pub redactor: Redactor,
    /// Where executions note what they do; none where that is nowhere.
    pub store: Option<Arc<LocalStore>>,
    /// After how many events a checkpoint is signed.
    pub checkpoint_every: u64,
}

/// Makes an [`Outfit`], when one is needed.
pub type Outfitter = Arc<dyn Fn() -> Result<Outfit> + Send + Sync>;

/// Where a replay begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// At the playhead.
    Playhead,
    /// Behind the last event before the playhead that made a checkpoint: its id and its position.
    Checkpoint(String, Position),
    /// At the first event.
    Beginning,
    /// At an event that was typed, up to another one.
    Typed,
    /// Where a run began that is gone on with.
    Begun,
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Nothing: it is said what would be.
    Rehearse,
    /// Programs are run.
    Execute,
    /// The run of this id is gone on with; what becomes of events that have no known end.
    Resume(String, Decision),
}

/// A replay that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaying {
    /// The issue.
    pub issue: String,
    /// The first event.
    pub from: Position,
    /// The last event.
    pub to: Position,
    /// What is done.
    pub what: What,
    /// The runs that did not come to their end and that the user was told of.
    pub told: Vec<String>,
    /// How far it is.
    pub progress: Progress,
}

/// A look at what has come since a rehearsal, while it is asked whether programs are to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looking {
    /// The issue.
    pub issue: String,
    /// Which of the looks it is.
    pub number: u64,
}

/// A run that did not come to its end, and can be gone on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// The run.
    pub replay_id: String,
    /// The first event.
    pub from: Position,
    /// The last event.
    pub to: Position,
    /// How many of its events were dealt with.
    pub done: usize,
    /// How many it has.
    pub events: usize,
    /// What stands in the way of going on.
    pub rest: Rest,
    /// Its programs.
    pub programs: Vec<Program>,
    /// What going on does beside running them.
    pub terms: Box<Terms>,
}

/// What an execution would do beside running programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Whether its start and end are logged.
    pub markers: bool,
    /// How long a program may take.
    pub timeout: Duration,
    /// How often an event is tried.
    pub attempts: u32,
    /// Why it cannot be done from here.
    pub refusal: Option<String>,
    /// The last run of the issue that did not come to its end.
    pub unfinished: Option<Unfinished>,
    /// What else there is of such runs.
    pub others: Others,
    /// What is told of a log that is not what was recorded, in lines; it is looked at when it is asked.
    pub changed: Vec<String>,
}

/// Other runs of the issue that did not come to their end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Others {
    /// The ids of those before the last one.
    pub older: Vec<String>,
    /// The ids of those whose journals cannot be read.
    pub unreadable: Vec<String>,
}

/// What a replay came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Replayed, of replayed and failed.
    pub success_rate: f64,
    /// The state that it came to.
    pub state: FinalState,
    /// What an execution would do beside.
    pub terms: Terms,
    /// What was found to be wrong meanwhile.
    pub complaint: Option<String>,
}

/// How a replay ended.
#[derive(Debug)]
pub enum End {
    /// It came to its end.
    Done(Box<Answer>),
    /// The user stopped it.
    Stopped,
    /// It could not go on.
    Fault(Error),
}
