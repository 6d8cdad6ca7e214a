//! The sample store: a history that is worth looking at, and a session that plays live into it.
//!
//! Lives here: making the store from the embedded logs, and [`Live`]. May not live here: printing,
//! drawing, or any path of its own into a log; everything goes through [`EventStore::append`].
//!
//! The story of [`TOUR`]: two agents wrote one configuration value in different units, a merge
//! kept the wrong one, the tests failed, a first fix was rolled back, and a second one held.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Timestamp, ids};
use crate::schema::{Draft, Rules, SchemaFault};
use crate::store::local::LocalStore;
use crate::store::{AppendOptions, Batch, Durability, EventStore};

/// The history with the story.
const STORY: &str = include_str!("../assets/demo/proj-123.jsonl");

/// The histories, one event a line as a caller gives it; an issue's lines stand together.
const HISTORIES: [&str; 2] = [include_str!("../assets/demo/others.jsonl"), STORY];

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

/// How fast a session is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// So that a person can follow: about two minutes.
    Human,
    /// Without waiting.
    AtOnce,
}

/// The story once more, as if it happened now: what led to the failure is there already, the rest
/// plays into the store on a thread of its own, until it ends or is dropped.
#[derive(Debug)]
pub struct Live {
    issue_key: String,
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<Result<usize>>>,
}

impl Live {
    /// Makes a new issue that stands at the failure, and begins to play on.
    ///
    /// # Errors
    /// Unavailable, when the store cannot be read or written.
    pub fn start(store: Arc<dyn EventStore>, clock: Clock, pace: Pace) -> Result<Self> {
        let (issue_key, rest) = begin_free(&*store, clock, free_issue)?;
        let (stop, stopped) = sync_channel::<()>(1);
        let key = issue_key.clone();
        let wait = move |span: Duration| match pace {
            Pace::Human => stopped.recv_timeout(span) == Err(RecvTimeoutError::Timeout),
            Pace::AtOnce => true,
        };
        let play = move || play(&*store, &key, clock, &rest, wait);
        let thread = std::thread::Builder::new().name("live demo".into()).spawn(play);
        let thread = thread.map_err(|e| Error::internal(format!("cannot start a thread: {e}")))?;
        Ok(Self { issue_key, stop: Some(stop), thread: Some(thread) })
    }

    /// The issue that grows.
    #[must_use]
    pub fn issue_key(&self) -> &str {
        &self.issue_key
    }

    /// Whether the story is played to its end, or cannot go on.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits until the story is played to its end, and tells how many events were played.
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

/// The first issue of the series that has no log yet.
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

/// Begins in an issue that is free, which `look` finds.
fn begin_free(
    store: &dyn EventStore,
    clock: Clock,
    look: impl Fn(&dyn EventStore) -> Result<String>,
) -> Result<(String, Vec<ToCome>)> {
    loop {
        let key = look(store)?;
        match begin(store, &key, clock) {
            // Another demo that began at the same moment took it.
            Err(error) if error.kind() == ErrorKind::Conflict && store.tail(&key).is_ok() => {}
            begun => return Ok((key, begun?)),
        }
    }
}

/// An event of the story that is yet to come.
struct ToCome {
    /// How long after the one before, in the story.
    after_ms: i64,
    event: serde_json::Value,
}

/// Appends the story up to a little after the failure, as if that were now; gives the rest.
fn begin(store: &dyn EventStore, issue_key: &str, clock: Clock) -> Result<Vec<ToCome>> {
    let mut events = Vec::new();
    for line in STORY.lines() {
        let event: serde_json::Value = serde_json::from_str(line)
            .map_err(|e| Error::internal(format!("the story is broken: {e}: {line}")))?;
        events.push(event);
    }
    let failed = events.iter().position(|event| event["event_type"] == TOUR.failure);
    let turn = failed.unwrap_or_default().saturating_sub(BEFORE_FAILURE).max(1);
    let shift = clock.now().millis() - time_of(&events[turn - 1]).millis();
    let mut times: Vec<i64> = events.iter().map(|event| time_of(event).millis()).collect();
    times.insert(0, times.first().copied().unwrap_or_default());
    for event in &mut events {
        renew(event, issue_key, shift);
    }
    let to_come = events.split_off(turn);
    let rules = Rules::new(clock.now());
    let drafts: Vec<Draft> = events.iter().map(|e| strict(e, &rules)).collect::<Result<_>>()?;
    let batch = Batch { issue_key: issue_key.to_owned(), drafts };
    store.append(&batch, &AppendOptions { durability: Durability::Os, ..Default::default() })?;
    let gaps = times.windows(2).skip(turn).map(|pair| pair[1] - pair[0]);
    Ok(to_come.into_iter().zip(gaps).map(|(event, after_ms)| ToCome { event, after_ms }).collect())
}

/// How many events before the failure the live part begins.
const BEFORE_FAILURE: usize = 6;

fn time_of(event: &serde_json::Value) -> Timestamp {
    let text = event["timestamp"].as_str().unwrap_or_default();
    Timestamp::parse(text).unwrap_or_default()
}

fn strict(event: &serde_json::Value, rules: &Rules) -> Result<Draft> {
    let text = event.to_string();
    Draft::strict(&text, rules).map_err(|faults| broken(&text, &faults))
}

/// Makes an event of the story one of another issue and time: its key and ids become others, the
/// same everywhere, and its times are moved by `shift` milliseconds.
fn renew(value: &mut serde_json::Value, issue_key: &str, shift: i64) {
    match value {
        serde_json::Value::String(text) => {
            if ids::is_uuid(text) {
                *text = ids::derived_event_id(&[issue_key.as_bytes(), text.as_bytes()]);
            } else if let Ok(at) = Timestamp::parse(text) {
                *text = at.plus_millis(shift).to_string();
            } else if text.contains(TOUR.issue_key) {
                *text = text.replace(TOUR.issue_key, issue_key);
            }
        }
        serde_json::Value::Array(items) => {
            items.iter_mut().for_each(|item| renew(item, issue_key, shift));
        }
        serde_json::Value::Object(members) => {
            members.values_mut().for_each(|member| renew(member, issue_key, shift));
        }
        _ => {}
    }
}

/// A pause of the story, as long as a person likes to wait for it.
fn pause(after_ms: i64) -> Duration {
    Duration::from_millis((after_ms / 40).clamp(150, 2500).unsigned_abs())
}

/// Appends event by event; `wait` answers false when it is time to stop.
fn play(
    store: &dyn EventStore,
    issue_key: &str,
    clock: Clock,
    story: &[ToCome],
    wait: impl Fn(Duration) -> bool,
) -> Result<usize> {
    let mut played = 0;
    for next in story {
        if !wait(pause(next.after_ms)) {
            break;
        }
        let mut event = next.event.clone();
        if let Some(members) = event.as_object_mut() {
            members.remove("timestamp");
        }
        let draft = strict(&event, &Rules::new(clock.now()))?;
        let batch = Batch { issue_key: issue_key.to_owned(), drafts: vec![draft] };
        store.append(&batch, &AppendOptions::default())?;
        played += 1;
    }
    Ok(played)
}

#[cfg(test)]
mod tests;
