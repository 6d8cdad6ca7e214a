//! What a run notes, so that another process can go on with it and execute nothing twice.
//!
//! Lives here: the plan, what is noted, and finding journals. May not live here: what the lines come to
//! (see [`history`]), the file (see [`crate::store::local::Journal`]).
//!
//! The first line holds the plan. Before an event is executed, one says so; after it, one says what
//! came of it. An event with the first and without the second was begun, and nobody knows more.

mod history;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::outcome::Execution;
use super::strays;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Position;
use crate::store::local::{Journal, LocalStore};

pub use history::{History, Known};
use history::{Line, OVER, Reading, damaged};

crate::closed_list! {
    /// What becomes of an event that was begun, when nobody knows how it ended.
    pub enum Decision {
        /// It is not executed again; what it recorded stands.
        Skip = "skip",
        /// It is executed again.
        Retry = "retry",
        /// Nothing goes on; it is named.
        Fail = "fail",
    }
}

crate::closed_list! {
    /// What an execution came to.
    pub enum Verdict {
        /// It succeeded.
        Done = "done",
        /// There was nothing to do.
        Skip = "skip",
        /// It wants to be tried again.
        Again = "again",
        /// It failed.
        Failed = "failed",
    }
}

/// The plan, as the first line has it: a run is gone on with as it was begun.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The version of this format.
    pub journal: u32,
    /// The run.
    pub replay_id: String,
    /// The issue.
    pub issue_key: String,
    /// The first event.
    pub from: Position,
    /// The last event.
    pub to: Position,
    /// The selected events, as ranges with both ends; none for all.
    pub selected: Option<Vec<(Position, Position)>>,
    /// The types that are never executed.
    pub never: Vec<String>,
    /// The programs, by type or area.
    pub handlers: Vec<(String, Vec<String>)>,
    /// How long a program may take.
    pub timeout_ms: u64,
    /// How often an event is tried.
    pub attempts: u32,
    /// How long the first pause before another try is.
    pub retry_delay_ms: u64,
    /// How many bytes of its output are kept.
    pub output_bytes: usize,
    /// The digest of the recorded state after the last event.
    pub digest: String,
    /// Whether start and end are logged.
    pub markers: bool,
    /// The folder that it was begun in, where its programs run.
    #[serde(default)]
    pub folder: Option<PathBuf>,
    /// How many programs run at a time.
    #[serde(default = "one")]
    pub jobs: usize,
    /// How many times as fast as the record; none for as fast as it can.
    #[serde(default)]
    pub speed: Option<f64>,
    /// A digest of what the events say; none in journals of old.
    #[serde(default)]
    pub events: Option<String>,
    /// A digest of which events are causes of which; none in journals of old.
    #[serde(default)]
    pub causes: Option<String>,
}

fn one() -> usize {
    1
}

impl Header {
    /// Whether it can be that of a run: its version is known, and what is selected is a part of its
    /// range.
    fn check(&self) -> std::result::Result<(), String> {
        if self.journal != VERSION {
            return Err(format!("its version is {}", self.journal));
        }
        let mut next = self.from;
        for (first, last) in self.selected.iter().flatten() {
            if *first < next || last < first || *last > self.to {
                return Err(format!("#{first} to #{last} cannot be selected there"));
            }
            next = last.saturating_add(1);
        }
        Ok(())
    }
}

/// What the name of a run's journal begins with.
const PREFIX: &str = "replay-";

/// The version of the journal's format.
pub const VERSION: u32 = 1;

/// What who begins anew has to know, where a run cannot be gone on with.
pub const ANEW: &str = "to begin another replay executes again what this one executed";

/// How many runs are named at most where one is missing.
const MOST_NAMED: usize = 5;

/// The journal of a run, held by this process.
#[derive(Debug)]
pub struct RunJournal {
    file: Journal,
}

impl RunJournal {
    fn name(replay_id: &str) -> String {
        format!("{PREFIX}{replay_id}")
    }

    /// Begins a run.
    ///
    /// # Errors
    /// Unavailable, when nothing can be noted.
    pub fn create(store: &LocalStore, header: &Header) -> Result<Self> {
        let text = serde_json::to_string(header).map_err(|e| Error::internal(e.to_string()))?;
        let mut file = store.create_journal(&Self::name(&header.replay_id))?;
        file.add(&text)?;
        Ok(Self { file })
    }

    /// Goes on with a run.
    ///
    /// # Errors
    /// Not found, without such a run; unavailable, when another process is at it; integrity, when
    /// the journal is damaged.
    pub fn open(store: &LocalStore, replay_id: &str) -> Result<(Self, History)> {
        let name = Self::name(replay_id);
        let (file, text) = store.open_journal(&name).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Self::no_such(store, replay_id),
            _ => error,
        })?;
        // It holds the journal too, unless it closed what it was given.
        if let Some(process) = strays::running(replay_id) {
            let message = format!("process {process} of replay {replay_id} still runs");
            return Err(Error::new(ErrorKind::Unavailable, message)
                .with_hint("wait until it ends: nobody else knows how far it came"));
        }
        let path = store.journal_path(&name)?;
        let mut reading = Reading::new(&path, true);
        text.lines().try_for_each(|line| reading.line(line))?;
        Ok((Self { file }, reading.end()?))
    }

    /// The id of the run that a text names: all of an id, or the beginning of one alone.
    ///
    /// # Errors
    /// Not found, where there is none, or more than one; unavailable, when they cannot be listed.
    pub fn find(store: &LocalStore, text: &str) -> Result<String> {
        let all = Self::all(store)?;
        let mut begun = all.iter().filter(|id| !text.is_empty() && id.starts_with(text));
        match (begun.next(), begun.next()) {
            (Some(one), None) => Ok(one.clone()),
            (Some(_), Some(_)) if !all.iter().any(|id| id == text) => Err(Error::not_found(
                format!("more than one run has an id that begins with {text:?}"),
            )
            .with_hint("name more of it")),
            (Some(_), Some(_)) => Ok(text.to_owned()),
            (None, _) => Err(Self::no_such(store, text)),
        }
    }

    /// The error for a run that the store does not have, with those that somebody could mean.
    fn no_such(store: &LocalStore, replay_id: &str) -> Error {
        let open = Self::unfinished(store, MOST_NAMED);
        let hint = if open.is_empty() {
            "there is no run that did not come to its end".to_owned()
        } else {
            format!("of this store's runs, these did not come to their end: {}", open.join(", "))
        };
        Error::not_found(format!("this store has no run {replay_id:?}")).with_hint(hint)
    }

    /// The runs that did not come to their end, the newest first, at most so many.
    #[must_use]
    pub fn unfinished(store: &LocalStore, most: usize) -> Vec<String> {
        let goes_on = |id: &String| Self::is_over(store, id) == Some(false);
        Self::all(store).unwrap_or_default().into_iter().filter(goes_on).take(most).collect()
    }

    /// Whether a run came to its end, as the end of its journal says it; none where that holds
    /// nothing, or cannot be read.
    #[must_use]
    pub fn is_over(store: &LocalStore, replay_id: &str) -> Option<bool> {
        let over = serde_json::to_string(&Line::new(OVER)).unwrap_or_default();
        store.journal_ends_with(&Self::name(replay_id), format!("\n{over}\n").as_bytes())
    }

    /// The ids of the runs that a store has journals of, what was noted last first.
    ///
    /// # Errors
    /// Unavailable, when they cannot be listed.
    pub fn all(store: &LocalStore) -> Result<Vec<String>> {
        let names = store.journals()?;
        let id = |name: &String| name.strip_prefix(PREFIX).map(str::to_owned);
        Ok(names.iter().filter_map(id).collect())
    }

    /// The issue that the journal of a run speaks of; none where it holds no plan.
    ///
    /// # Errors
    /// Unavailable, when it cannot be read; integrity, when its first line is damaged.
    pub fn issue(store: &LocalStore, replay_id: &str) -> Result<Option<String>> {
        #[derive(Deserialize)]
        struct Of {
            issue_key: String,
        }
        let name = Self::name(replay_id);
        let Some(first) = store.journal_begins(&name)? else { return Ok(None) };
        let path = store.journal_path(&name)?;
        let of: Of =
            serde_json::from_str(&first).map_err(|error| damaged(&path, 1, &error.to_string()))?;
        Ok(Some(of.issue_key))
    }

    /// What the journal of a run tells, without holding it; not what its programs wrote, which can
    /// be long.
    ///
    /// # Errors
    /// As [`RunJournal::open`].
    pub fn read(store: &LocalStore, replay_id: &str) -> Result<History> {
        let name = Self::name(replay_id);
        let path = store.journal_path(&name)?;
        let mut reading = Reading::new(&path, false);
        store.each_journal_line(&name, |line| reading.line(line))?;
        reading.end()
    }

    /// Whether somebody holds the journal of a run, or works at it.
    #[must_use]
    pub fn is_held(store: &LocalStore, replay_id: &str) -> bool {
        store.is_journal_held(&Self::name(replay_id)) || strays::running(replay_id).is_some()
    }

    /// Lets the programs of the run hold the journal too: should this process be killed, nobody
    /// goes on while one of them still runs.
    pub fn hold_in_children(&self) {
        self.file.hold_in_children();
    }

    fn add(&mut self, line: &Line) -> Result<()> {
        let text = serde_json::to_string(line).map_err(|e| Error::internal(e.to_string()))?;
        self.file.add(&text)
    }

    /// Notes that an event is going to be executed.
    ///
    /// # Errors
    /// Unavailable, when that cannot be noted: then it must not be.
    pub fn begin(&mut self, position: Position, attempt: u32) -> Result<()> {
        self.add(&Line { position, attempt, ..Line::new("begin") })
    }

    /// Notes what an execution came to.
    ///
    /// # Errors
    /// Unavailable, when that cannot be noted: then it stays unknown.
    pub fn end(
        &mut self,
        position: Position,
        verdict: Verdict,
        reason: &str,
        result: &Execution,
    ) -> Result<()> {
        let (word, reason) = (verdict.name().to_owned(), reason.to_owned());
        let result = Some(result.clone());
        self.add(&Line { position, word, reason, result, ..Line::new("end") })
    }

    /// Notes what was decided about an event that was begun.
    ///
    /// # Errors
    /// Unavailable, when that cannot be noted.
    pub fn decide(&mut self, position: Position, attempt: u32, what: Decision) -> Result<()> {
        let word = what.name().to_owned();
        self.add(&Line { position, attempt, word, ..Line::new("decided") })
    }

    /// Notes that the run came to its end.
    ///
    /// # Errors
    /// Unavailable, when that cannot be noted.
    pub fn over(&mut self) -> Result<()> {
        self.add(&Line::new(OVER))
    }
}
