//! A replay on the screen: what was asked for, how far it is, and what became of each event.
//!
//! Lives here: the model of that pane, and the replay that goes on beside all else. May not live
//! here: replaying (see [`crate::session::replay`]); drawing (see [`super::view`]). A rehearsal only
//! reads: whatever writes is asked for by an execution that the user has confirmed.

mod ask;
mod only;
mod outcomes;
mod progress;
mod rate;
mod rest;
mod told;

use std::time::Duration;

use super::debugger::Follow;
use super::layout::Pane;
use super::pane::{moved, scroll};
use super::signs::ReplayMark;
use crate::error::{ErrorKind, Result};
use crate::model::Position;
use crate::model::catalogue::ReplayPolicy;
use crate::replay::{Decision, FinalState};
use crate::timeline::Timeline;
use crate::tui::view::timeline::TimelineView;

pub use ask::{
    Answer, End, Looking, Others, Outfit, Outfitter, Replaying, Start, Terms, Unfinished, What,
};
pub use only::Only;
pub use outcomes::{Group, Outcomes, Program, ReplayMarks};
pub use progress::{Entry, News, Progress, Teller, Words};
use rate::Times;
pub use rest::{Question, Rest};
pub use told::{beside, named, short_id};

/// How many types a command names that want a program.
const MOST_NAMED: usize = 3;

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
    /// What was seen of the timeline.
    pub timeline: TimelineView,
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
    /// What is left of the execution, once it ended.
    pub rest: Option<Rest>,
    /// Whether the user wants another run than the one that did not come to its end.
    pub anew: bool,
    /// What is being looked for while it is asked whether programs are to run.
    pub looking: Option<Looking>,
    /// What was answered before that was known.
    pub answered: Option<Decision>,
    /// Whether events are listed one by one.
    pub by_event: bool,
    /// Which of them.
    pub only: Only,
    /// Whether the screen is left once it has stopped.
    pub leaving: bool,
    /// Whether the log was cut or replaced while it went on.
    pub is_cut_off: bool,
    /// What is on beside it and does not count.
    pub beside: Option<&'static str>,
    /// What the screen was like before.
    pub before: Before,
    /// Where the playhead was put, while it moves along.
    pub along: Option<Position>,
    /// Where it was put last, while the user did not go anywhere from there.
    pub put: Option<Position>,
    listed: Vec<Position>,
    cursor: usize,
    top: usize,
    height: usize,
    times: Times,
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
            rest: None,
            anew: false,
            looking: None,
            answered: None,
            by_event: false,
            only: Only::Telling,
            leaving: false,
            is_cut_off: false,
            beside: None,
            before,
            along: None,
            put: None,
            listed: Vec::new(),
            cursor: 0,
            top: 0,
            height: 0,
            times: Times::default(),
        }
    }

    /// Begins: what was known of another one is forgotten.
    pub fn begin(&mut self, replaying: Replaying, now: Duration) {
        self.executes = replaying.what != What::Rehearse;
        (self.from, self.to) = (replaying.from, replaying.to);
        self.running = Some(replaying);
        (self.stopping, self.end, self.rest) = (false, None, None);
        self.outcomes = Outcomes::default();
        if !self.executes {
            (self.terms, self.replay_id, self.anew) = (None, None, false);
            self.programs.clear();
        }
        self.by_event = self.executes;
        self.only = Only::Telling;
        (self.cursor, self.top) = (0, 0);
        self.times = Times::new(now);
        self.listed.clear();
    }

    /// How many events there are in the range.
    #[must_use]
    pub fn events(&self) -> usize {
        (self.to + 1).saturating_sub(self.from) as usize
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
        let dealt_with = running.progress.before();
        self.note_time(now, dealt_with);
        self.replay_id = news.replay_id.take().or(self.replay_id.take());
        self.rest = news.rest.take().or(self.rest.take());
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
        let running = self.outcomes.running();
        // Where nobody could look, what was begun is not known to have ended.
        let unknown = running.into_iter().collect();
        let rest = self.rest.get_or_insert(Rest { unknown, is_held: false });
        let is_unknown = running.is_some_and(|position| rest.unknown.contains(&position));
        self.outcomes.end(is_unknown, timeline);
        if !self.executes {
            self.programs = self.outcomes.programs();
        }
        self.end = Some(match result {
            Ok(answer) => {
                self.terms = Some(answer.terms.clone());
                End::Done(answer)
            }
            // (What goes wrong with a log that is another one now is no other reason.)
            Err(error) if self.is_cut_off || error.kind() == ErrorKind::Interrupted => End::Stopped,
            Err(error) => End::Fault(error),
        });
        let watched = self.cursor + 1 >= self.listed.len();
        self.list();
        if watched && self.has_difference() {
            // What came out of it matters more now than what came last.
            self.cursor = 0;
        }
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

    /// The programs that would run next and what is done beside, as it is asked whether to.
    #[must_use]
    pub fn asked(&self) -> (&[Program], Option<&Terms>) {
        match self.unfinished() {
            Some(run) => (&run.programs, Some(&run.terms)),
            None => (&self.programs, self.terms.as_ref()),
        }
    }

    /// Takes over from where a run was begun at another time.
    pub fn take_up(&mut self, run: &Unfinished) {
        self.start = Start::Begun;
        self.replay_id = Some(run.replay_id.clone());
        self.programs.clone_from(&run.programs);
        self.terms = Some(Terms { changed: self.changed().to_vec(), ..(*run.terms).clone() });
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
