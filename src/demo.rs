//! The sample store: a history that is worth looking at, and a session that plays live into it.
//!
//! Lives here: making the store from the embedded logs, and [`Live`]. May not live here: printing,
//! drawing, or any path of its own into a log; everything goes through [`EventStore::append`].
//!
//! The story of [`TOUR`]: two agents wrote one configuration value in different units, a merge
//! kept the wrong one, the tests failed, a first fix was rolled back, and a second one held.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Timestamp, ids};
use crate::schema::{Draft, Rules, SchemaFault};
use crate::store::local::LocalStore;
use crate::store::{AppendOptions, Batch, Durability, EventStore};

/// The histories, one event a line as a caller gives it; an issue's lines stand together.
const HISTORIES: [&str; 2] =
    [include_str!("../assets/demo/others.jsonl"), include_str!("../assets/demo/proj-123.jsonl")];

/// The script of the live session.
const SCRIPT: &str = include_str!("../assets/demo/live.jsonl");

/// Later than every event of the histories, for clocks that are set before them.
const AFTER_HISTORIES: Timestamp = Timestamp::from_millis(1_795_219_200_000);

/// What to show of the sample store, as a first look at everything.
#[derive(Debug, Clone, Copy)]
pub struct Tour {
    /// The issue with the story.
    pub issue_key: &'static str,
    /// The moment at which it went wrong.
    pub failure: &'static str,
    /// The part of the state to show at that moment, as a JSON pointer.
    pub state_path: &'static str,
    /// Two moments between which it was put right.
    pub fix: (&'static str, &'static str),
    /// The path whose writers tell why, as a JSON pointer.
    pub culprit: &'static str,
}

/// The tour of the sample store.
pub const TOUR: Tour = Tour {
    issue_key: "PROJ-123",
    failure: "PhaseFailed",
    state_path: "/phases/TEST",
    fix: ("CheckpointRestored", "PhaseRetried"),
    culprit: "/decisions/auth.access_token_ttl/chosen",
};

/// The issue that the live session works on; a further session takes the next free number.
pub const LIVE_PREFIX: &str = "PROJ";
const LIVE_NUMBER: u32 = 131;

/// A sample store on disk.
#[derive(Debug)]
pub struct DemoStore {
    /// The store.
    pub store: Arc<LocalStore>,
    /// The issues in it, each with its number of events, in the order of the histories.
    pub issues: Vec<(String, usize)>,
}

/// Makes the sample store in `dir`, or completes one that is there already.
///
/// # Errors
/// Unavailable, when it cannot be written; conflict, when another store stands there that uses
/// the same issues and ids.
pub fn create(dir: &Path, clock: Clock) -> Result<DemoStore> {
    let store = LocalStore::create(dir, clock)?;
    let options = AppendOptions { durability: Durability::Os, ..AppendOptions::default() };
    let mut issues = Vec::new();
    for batch in histories(clock)? {
        issues.push((batch.issue_key.clone(), batch.drafts.len()));
        store.append(&batch, &options)?;
    }
    Ok(DemoStore { store: Arc::new(store), issues })
}

/// The histories as batches, one per issue.
fn histories(clock: Clock) -> Result<Vec<Batch>> {
    let mut rules = Rules::new(clock.now().max(AFTER_HISTORIES));
    // One of the histories has events that the catalogue does not know, to show what becomes of them.
    rules.allow_unknown_types = true;
    let mut batches: Vec<Batch> = Vec::new();
    for line in HISTORIES.iter().flat_map(|log| log.lines()) {
        let draft = Draft::strict(line, &rules).map_err(|faults| broken(line, &faults))?;
        match batches.last_mut() {
            Some(batch) if batch.issue_key == draft.issue_key() => batch.drafts.push(draft),
            _ => {
                let issue_key = draft.issue_key().to_owned();
                batches.push(Batch { issue_key, drafts: vec![draft] });
            }
        }
    }
    Ok(batches)
}

fn broken(line: &str, faults: &[SchemaFault]) -> Error {
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    Error::internal(format!("an event of the sample is invalid: {}: {line}", faults.join("; ")))
}

/// One event of the script.
#[derive(Deserialize)]
struct Step<'a> {
    /// How long after the one before, in milliseconds.
    after_ms: u64,
    /// Its name within the script.
    label: &'a str,
    /// The name of the event that caused it.
    #[serde(default)]
    cause: Option<&'a str>,
    event_type: &'a str,
    #[serde(default)]
    correlation_id: Option<&'a str>,
    #[serde(borrow)]
    actor: &'a RawValue,
    #[serde(borrow)]
    metadata: &'a RawValue,
    #[serde(default)]
    branch: Option<&'a str>,
}

/// An event as a caller gives it, in the order of the format.
#[derive(serde::Serialize)]
struct Played<'a> {
    event_id: &'a str,
    event_type: &'a str,
    issue_key: &'a str,
    session_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causation_id: Option<&'a str>,
    actor: &'a RawValue,
    metadata: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<&'a str>,
}

/// How fast the script is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As people and agents work: about two minutes.
    Human,
    /// Without waiting.
    AtOnce,
}

/// A session that plays into a store, on a thread of its own, until it ends or is dropped.
#[derive(Debug)]
pub struct Live {
    issue_key: String,
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<Result<usize>>>,
}

impl Live {
    /// Begins to play into a new issue.
    ///
    /// # Errors
    /// Unavailable, when the store cannot be read.
    pub fn start(store: Arc<dyn EventStore>, clock: Clock, pace: Pace) -> Result<Self> {
        let issue_key = free_issue(&*store)?;
        let (stop, stopped) = sync_channel::<()>(1);
        let key = issue_key.clone();
        let wait = move |span: Duration| match pace {
            Pace::Human => stopped.recv_timeout(span) == Err(RecvTimeoutError::Timeout),
            Pace::AtOnce => true,
        };
        let play = move || play(&*store, &key, clock, wait);
        let thread = std::thread::Builder::new().name("live demo".into()).spawn(play);
        let thread = thread.map_err(|e| Error::internal(format!("cannot start a thread: {e}")))?;
        Ok(Self { issue_key, stop: Some(stop), thread: Some(thread) })
    }

    /// The issue that grows.
    #[must_use]
    pub fn issue_key(&self) -> &str {
        &self.issue_key
    }

    /// Whether the script is played to its end, or cannot go on.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits until the script is played to its end, and tells how many events it appended.
    ///
    /// # Errors
    /// Whatever an append failed with.
    pub fn finish(mut self) -> Result<usize> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(played)) => played,
            _ => Err(Error::internal("the live session ended in a panic")),
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // What went wrong in a show that nobody watches any more is of no use to anybody.
            let _ = thread.join();
        }
    }
}

/// The first issue of the script's series that has no log yet.
fn free_issue(store: &dyn EventStore) -> Result<String> {
    let mut number = LIVE_NUMBER;
    loop {
        let key = format!("{LIVE_PREFIX}-{number}");
        match store.tail(&key) {
            Ok(_) => number += 1,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(key),
            Err(error) => return Err(error),
        }
    }
}

/// Appends event by event; `wait` answers false when it is time to stop.
fn play(
    store: &dyn EventStore,
    issue_key: &str,
    clock: Clock,
    wait: impl Fn(Duration) -> bool,
) -> Result<usize> {
    let session_id = ids::new_event_id();
    let mut known: BTreeMap<&str, String> = BTreeMap::new();
    for line in SCRIPT.lines() {
        let step: Step<'_> = serde_json::from_str(line)
            .map_err(|e| Error::internal(format!("the live script is broken: {e}: {line}")))?;
        if !wait(Duration::from_millis(step.after_ms)) {
            break;
        }
        let event_id = ids::new_event_id();
        let played = Played {
            event_id: &event_id,
            event_type: step.event_type,
            issue_key,
            session_id: &session_id,
            correlation_id: step.correlation_id,
            causation_id: step.cause.and_then(|label| known.get(label)).map(String::as_str),
            actor: step.actor,
            metadata: step.metadata,
            branch: step.branch,
        };
        let text = serde_json::to_string(&played)
            .map_err(|e| Error::internal(format!("an event cannot be written: {e}")))?;
        let draft = Draft::strict(&text, &Rules::new(clock.now()))
            .map_err(|faults| broken(&text, &faults))?;
        let batch = Batch { issue_key: issue_key.to_owned(), drafts: vec![draft] };
        store.append(&batch, &AppendOptions::default())?;
        known.insert(step.label, event_id);
    }
    Ok(known.len())
}

#[cfg(test)]
mod tests;
