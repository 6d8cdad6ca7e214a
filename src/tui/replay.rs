//! A replay on the screen: what was asked for, how far it is, and what became of each event.
//!
//! Lives here: the model of that pane, and the replay that goes on beside all else. May not live
//! here: replaying (see [`crate::session::replay`]); drawing (see [`super::view`]). A rehearsal only
//! reads: whatever writes is asked for by an execution that the user has confirmed.

mod outcomes;
mod progress;

use std::sync::Arc;
use std::time::Duration;

use super::debugger::Follow;
use super::layout::Pane;
use super::pane::{moved, scroll};
use super::signs::ReplayMark;
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Position;
use crate::model::catalogue::ReplayPolicy;
use crate::replay::FinalState;
use crate::schema::Redactor;
use crate::store::local::LocalStore;
use crate::timeline::Timeline;

pub use outcomes::{Group, Outcomes, Program, ReplayMarks};
pub use progress::{Entry, News, Progress, Teller, Words};

/// How many types a command names that want a program.
const MOST_NAMED: usize = 3;

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
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Nothing: it is said what would be.
    Rehearse,
    /// Programs are run.
    Execute,
    /// The run of this id is gone on with.
    Resume(String),
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
    /// How far it is.
    pub progress: Progress,
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

/// Which outcomes are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Only {
    /// All but what is taken as it is recorded.
    Telling,
    /// What failed, or is unknown.
    Failed,
    /// What was skipped.
    Skipped,
    /// What ran, or would.
    Run,
    /// All.
    All,
    /// One type that came to one thing.
    Type(ReplayMark, String),
}

impl Only {
    /// The next one.
    #[must_use]
    pub fn next(&self) -> Self {
        match self {
            Self::Telling => Self::Failed,
            Self::Failed => Self::Skipped,
            Self::Skipped => Self::Run,
            Self::Run => Self::All,
            Self::All | Self::Type(..) => Self::Telling,
        }
    }

    /// In a few words.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Telling => "all but records".to_owned(),
            Self::Failed => "failed".to_owned(),
            Self::Skipped => "skipped".to_owned(),
            Self::Run => "run".to_owned(),
            Self::All => "all".to_owned(),
            Self::Type(_, name) => name.clone(),
        }
    }

    fn fits(&self, mark: ReplayMark, type_name: &str) -> bool {
        use ReplayMark as M;
        match self {
            Self::Telling => mark != M::Recorded,
            Self::Failed => matches!(mark, M::Failed | M::Unknown),
            Self::Skipped => mark == M::Skipped,
            Self::Run => matches!(mark, M::Executed | M::WouldExecute | M::Running | M::Unknown),
            Self::All => true,
            Self::Type(own, name) => *own == mark && name == type_name,
        }
    }
}

/// A row of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// The first difference of the states.
    Difference,
    /// A group of events; its number.
    Group(usize),
    /// An event.
    Event(Position),
}

/// What the screen was like before.
#[derive(Debug, Clone)]
pub struct Before {
    /// The position.
    pub playhead: Position,
    /// Whether it moved with the head.
    pub follow: Follow,
    /// The pane that had the keys.
    pub focus: Pane,
    /// The pane beside the events.
    pub side: Pane,
    /// Whether the focused pane was shown alone.
    pub zoom: bool,
    /// Whether details were shown.
    pub show_detail: bool,
}

/// The pane of a replay.
#[derive(Debug)]
pub struct Replay {
    /// Where it begins.
    pub start: Start,
    /// The first event.
    pub from: Position,
    /// The last event.
    pub to: Position,
    /// Whether programs are run.
    pub executes: bool,
    /// What goes on.
    pub running: Option<Replaying>,
    /// Whether it is to stop.
    pub stopping: bool,
    /// How it ended.
    pub end: Option<End>,
    /// What became of events.
    pub outcomes: Outcomes,
    /// What an execution would do beside running programs, once a rehearsal told.
    pub terms: Option<Terms>,
    /// The programs that a rehearsal would have run.
    pub programs: Vec<Program>,
    /// The id of the execution.
    pub replay_id: Option<String>,
    /// Whether events are listed one by one.
    pub by_event: bool,
    /// Which of them.
    pub only: Only,
    /// Whether the screen is left once it has stopped.
    pub leaving: bool,
    /// What the screen was like before.
    pub before: Before,
    /// Where the playhead was put, while it moves along.
    pub along: Option<Position>,
    listed: Vec<Position>,
    cursor: usize,
    top: usize,
    height: usize,
    began: Duration,
    took: Duration,
}

impl Replay {
    /// A pane with nothing in it yet.
    #[must_use]
    pub fn new(before: Before) -> Self {
        Self {
            start: Start::Playhead,
            from: 1,
            to: 0,
            executes: false,
            running: None,
            stopping: false,
            end: None,
            outcomes: Outcomes::default(),
            terms: None,
            programs: Vec::new(),
            replay_id: None,
            by_event: false,
            only: Only::Telling,
            leaving: false,
            before,
            along: None,
            listed: Vec::new(),
            cursor: 0,
            top: 0,
            height: 0,
            began: Duration::ZERO,
            took: Duration::ZERO,
        }
    }

    /// Begins: what was known of another one is forgotten.
    pub fn begin(&mut self, replaying: Replaying, now: Duration) {
        self.executes = replaying.what != What::Rehearse;
        (self.from, self.to) = (replaying.from, replaying.to);
        self.running = Some(replaying);
        (self.stopping, self.end) = (false, None);
        self.outcomes = Outcomes::default();
        if !self.executes {
            (self.terms, self.replay_id) = (None, None);
            self.programs.clear();
        }
        self.by_event = self.executes;
        self.only = Only::Telling;
        (self.cursor, self.top) = (0, 0);
        (self.began, self.took) = (now, Duration::ZERO);
        self.listed.clear();
    }

    /// How many events there are in the range.
    #[must_use]
    pub fn len(&self) -> usize {
        (self.to + 1).saturating_sub(self.from) as usize
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether programs are being run.
    #[must_use]
    pub fn is_executing(&self) -> bool {
        self.executes && self.running.is_some()
    }

    /// Takes in what the replay told since the last time.
    pub fn hear(&mut self, timeline: &Timeline, now: Duration) {
        let Some(running) = &self.running else { return };
        let mut news = running.progress.take();
        self.took = now.saturating_sub(self.began);
        self.replay_id = news.replay_id.take().or(self.replay_id.take());
        if news.entries.is_empty() && news.begun == self.outcomes.running() {
            return;
        }
        self.outcomes.take(news, timeline);
        self.list();
    }

    /// The replay came to an end; what it told last was heard before.
    pub fn finish(&mut self, result: Result<Box<Answer>>, timeline: &Timeline) {
        self.running = None;
        self.stopping = false;
        if let Some(position) = self.outcomes.running() {
            let row = timeline.row(position);
            let type_name = row.map_or("", |row| timeline.text(row.type_name)).to_owned();
            self.outcomes.end(&type_name, timeline);
        }
        if !self.executes {
            self.programs = self.outcomes.programs();
        }
        self.end = Some(match result {
            Ok(answer) => {
                self.terms = Some(answer.terms.clone());
                End::Done(answer)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => End::Stopped,
            Err(error) => End::Fault(error),
        });
        self.list();
    }

    /// Why what was rehearsed cannot be executed from here; none where it can.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        if let Some(refusal) = self.terms.as_ref().and_then(|terms| terms.refusal.clone()) {
            return Some(refusal);
        }
        let why = "no program is set for any of these events (replay.handlers)";
        self.programs.is_empty().then(|| why.to_owned())
    }

    /// Types that could be executed and have no program; none where some have one.
    #[must_use]
    pub fn without_program(&self) -> Vec<&str> {
        if !self.programs.is_empty() {
            return Vec::new();
        }
        let idle = |group: &&Group| {
            group.mark == ReplayMark::Recorded && group.policy == ReplayPolicy::Execute
        };
        let idle = self.outcomes.groups().filter(idle).map(|group| group.type_name.as_str());
        idle.take(MOST_NAMED).collect()
    }

    /// The run that was begun and can be gone on with.
    #[must_use]
    pub fn resumable(&self) -> Option<&str> {
        let ended = matches!(self.end, Some(End::Stopped | End::Fault(_)));
        self.replay_id.as_deref().filter(|_| self.executes && ended)
    }

    /// Events settled in a second; none where that says nothing.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a rate needs no more digits")]
    pub fn rate(&self) -> Option<f64> {
        let seconds = self.took.as_secs_f64();
        (seconds >= 0.2).then(|| self.outcomes.len() as f64 / seconds)
    }

    /// How long it has been going on.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.took
    }

    /// How the states compare, once that is known.
    #[must_use]
    pub fn state(&self) -> Option<&FinalState> {
        match &self.end {
            Some(End::Done(answer)) => Some(&answer.state),
            _ => None,
        }
    }

    /// Lists other events, or types.
    pub fn show(&mut self, by_event: bool, only: Only) {
        (self.by_event, self.only) = (by_event, only);
        (self.cursor, self.top) = (0, 0);
        self.listed.clear();
        self.list();
    }

    /// Makes the list of events anew. Who stands at its end stays there.
    fn list(&mut self) {
        let at_end = self.cursor + 1 >= self.total();
        if self.by_event {
            let only = self.only.clone();
            self.listed = self.outcomes.positions(|mark, name| only.fits(mark, name));
            if let Some(running) = self.outcomes.running().filter(|_| only != Only::Failed) {
                self.listed.push(running);
            }
        }
        if at_end && self.by_event && self.running.is_some() {
            self.cursor = self.total().saturating_sub(1);
        }
        self.cursor = self.cursor.min(self.total().saturating_sub(1));
    }

    fn has_difference(&self) -> bool {
        self.state().is_some_and(|state| state.first_difference.is_some())
    }

    /// How many rows the list has.
    #[must_use]
    pub fn total(&self) -> usize {
        let rows = if self.by_event { self.listed.len() } else { self.outcomes.groups().len() };
        usize::from(self.has_difference()) + rows
    }

    /// A row of the list.
    #[must_use]
    pub fn row(&self, at: usize) -> Option<Row> {
        let at = match (at, self.has_difference()) {
            (0, true) => return Some(Row::Difference),
            (at, true) => at - 1,
            (at, false) => at,
        };
        if self.by_event {
            return self.listed.get(at).copied().map(Row::Event);
        }
        (at < self.outcomes.groups().len()).then_some(Row::Group(at))
    }

    /// The group of this number.
    #[must_use]
    pub fn group(&self, number: usize) -> Option<&Group> {
        self.outcomes.groups().nth(number)
    }

    /// The selected row.
    #[must_use]
    pub fn selected(&self) -> Option<Row> {
        self.row(self.cursor)
    }

    /// The cursor's row, and the first row that is seen.
    #[must_use]
    pub fn cursor(&self) -> (usize, usize) {
        (self.cursor, self.top)
    }

    /// Brings the cursor into a list of which so many rows are seen.
    pub fn prepare(&mut self, height: usize) {
        self.height = height;
        self.cursor = self.cursor.min(self.total().saturating_sub(1));
        self.top = scroll(self.top, self.cursor, height, self.total(), 1);
    }

    /// Moves the cursor by some rows.
    pub fn move_by(&mut self, rows: i64) {
        self.cursor = moved(self.cursor, rows, self.total());
    }

    /// Puts the cursor on a row that is seen; false where there is none.
    pub fn select_row(&mut self, row: usize) -> bool {
        let there = row < self.height && self.top + row < self.total();
        if there {
            self.cursor = self.top + row;
        }
        there
    }
}
