//! The history of one issue in memory: what is needed to stand anywhere in it at once.
//!
//! Lives here: one compact row per event, kept versions of the state, the change index, causes,
//! lanes and clocks; all of it grows by [`Timeline::push`] alone. May not live here: reading the
//! log (rows say where an event stands; whoever holds the log reads it) or anything a screen
//! decides.

pub mod branch;
pub mod causality;
pub mod changes;
pub mod clocks;
mod column;
mod follower;
mod ids;
mod intake;
pub mod keyframes;
pub mod lanes;
pub mod order;
pub mod row;
mod rows;
pub mod seen;

use std::ops::Range;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::fold::{self, Applied, Change, State};
use crate::model::catalogue::LinkRule;
use crate::model::moment::Positions;
use crate::model::value::spill::Spill;
use crate::model::{Anomaly, AnomalyKind, Event, Kind, Path, Position, Timestamp};
use crate::store::Locator;

pub use causality::{Cause, Link};
pub use changes::{ChangeIndex, Writers};
pub use clocks::{ClockKind, Clocks};
use follower::Follower;
pub use ids::Ids;
pub use keyframes::Keyframes;
pub use lanes::{Lane, LaneKind, Lanes, RailMark, Span};
pub use order::{Order, Race, Relation};
pub use row::{Row, Symbol, Symbols};
use rows::Rows;
pub use seen::{Seen, SeenPart};

/// An event as the loader hands it over.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Where its bytes stand in the log.
    pub locator: Locator,
    /// The event; its position is given by [`Timeline::push`].
    pub event: Event,
    /// What was wrong with its line.
    pub faults: Vec<(AnomalyKind, String)>,
    /// A hash of its content without the stamps, to tell a repeated id from a reused one.
    pub content: u32,
}

/// The history of one issue.
#[derive(Debug)]
pub struct Timeline {
    issue_key: String,
    rows: Rows,
    symbols: Symbols,
    /// The last word of each column of the rows: the next is mostly the same.
    last_words: [Symbol; 5],
    state: State,
    /// The change index and the kept versions.
    follower: Follower,
    causes: causality::Causes,
    lanes: Lanes,
    clocks: Clocks,
    anomalies: Vec<Anomaly>,
    ids: Ids,
    by_kind: Vec<Vec<Position>>,
    last_sequence: Option<u64>,
    /// Where versions are put aside, if they are.
    spill: Option<Arc<Spill>>,
    /// Where the state at the head let go last of what was put aside.
    let_go: Position,
    /// The phase in force after the last event that was only seen.
    phase_seen: Symbol,
    /// What the last event did: room that is used over and over.
    applied: Applied,
}

impl Timeline {
    /// The empty history of `issue_key`, with the correlation rules to link events by.
    #[must_use]
    pub fn new(issue_key: &str, rules: &'static [LinkRule]) -> Self {
        Self {
            issue_key: issue_key.to_owned(),
            rows: Rows::default(),
            symbols: Symbols::default(),
            last_words: [Symbol::EMPTY; 5],
            state: State::new(),
            follower: Follower::default(),
            causes: causality::Causes::new(rules),
            lanes: Lanes::default(),
            clocks: Clocks::default(),
            anomalies: Vec::new(),
            ids: Ids::default(),
            by_kind: vec![Vec::new(); Kind::Unreadable as usize + 1],
            last_sequence: None,
            spill: None,
            let_go: 0,
            phase_seen: Symbol::EMPTY,
            applied: Applied::default(),
        }
    }

    /// Says about how many events will come, before the first one: it decides how far apart the
    /// kept versions of the state are.
    pub fn expect(&mut self, events: u64) {
        if self.head() == 0 {
            self.follower.change(|followed| followed.keyframes = Keyframes::for_events(events));
        }
    }

    /// From now on versions of the state are put aside into `spill`, and so is what of the state at
    /// the head did not change for a while.
    pub fn put_aside(&mut self, spill: Arc<Spill>) {
        self.spill = Some(Arc::clone(&spill));
        self.follower.change(|followed| followed.keyframes.put_aside(spill));
    }

    /// Whether versions are put aside.
    #[must_use]
    pub fn is_aside(&self) -> bool {
        self.spill.is_some()
    }

    /// Lets two states go of what is put aside: it is read again where they are looked at, and stays
    /// with them alone.
    pub fn freshen(&self, states: [&mut State; 2]) {
        if let Some(spill) = &self.spill {
            let spill = spill.for_one();
            states.into_iter().for_each(|state| state.let_go(&spill));
        }
    }

    /// The issue.
    #[must_use]
    pub fn issue_key(&self) -> &str {
        &self.issue_key
    }

    /// The position of the last event; 0 when there is none.
    #[must_use]
    pub fn head(&self) -> Position {
        position(self.rows.len())
    }

    /// The row of the event at `position`; none for 0 and beyond the head.
    #[must_use]
    pub fn row(&self, position: Position) -> Option<Row> {
        let index = (position as usize).checked_sub(1)?;
        self.rows.get(index, self.clock_at(position))
    }

    /// The latest time so far; none before the first event.
    fn last_clock(&self) -> Option<Timestamp> {
        (self.head() > 0).then(|| self.clock_at(self.head()))
    }

    /// The latest time up to `position`.
    fn clock_at(&self, position: Position) -> Timestamp {
        Timestamp::from_millis(self.clocks.at(ClockKind::Time, position))
    }

    /// All rows; the first is that of position 1.
    #[must_use]
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = Row> {
        self.rows_in(1..self.head().saturating_add(1))
    }

    /// The rows of some positions, the end excluded; those beyond the head are left out.
    pub fn rows_in(&self, positions: Range<Position>) -> impl DoubleEndedIterator<Item = Row> {
        positions.filter_map(|position| self.row(position))
    }

    /// The text of an interned word.
    #[must_use]
    pub fn text(&self, symbol: Symbol) -> &str {
        self.symbols.text(symbol)
    }

    /// The state at the head.
    #[must_use]
    pub fn head_state(&self) -> &State {
        &self.state
    }

    /// The position of the kept version at or before `position`, to fold on from.
    #[must_use]
    pub fn nearest_kept(&self, position: Position) -> Position {
        if position >= self.head() {
            return self.head();
        }
        self.follower.get().keyframes.nearest(position)
    }

    /// The kept version at or before `position`, and its position.
    #[must_use]
    pub fn kept(&self, position: Position) -> (Position, State) {
        if position >= self.head() {
            return (self.head(), self.state.clone());
        }
        self.follower.get().keyframes.at(position)
    }

    /// Which positions wrote which path.
    #[must_use]
    pub fn changes(&self) -> &ChangeIndex {
        &self.follower.get().changes
    }

    /// What is wrong in this log, in the order of finding.
    #[must_use]
    pub fn anomalies(&self) -> &[Anomaly] {
        &self.anomalies
    }

    /// The lanes of phases and agents, and the rail.
    #[must_use]
    pub fn lanes(&self) -> &Lanes {
        &self.lanes
    }

    /// The clocks that a timeline can be drawn by.
    #[must_use]
    pub fn clocks(&self) -> &Clocks {
        &self.clocks
    }

    /// The positions of the events of a kind, in order.
    #[must_use]
    pub fn of_kind(&self, kind: Kind) -> &[Position] {
        self.by_kind.get(kind as usize).map_or(&[], Vec::as_slice)
    }

    /// What caused the event at `position`, as far as this log tells.
    #[must_use]
    pub fn cause(&self, position: Position) -> Option<Cause> {
        self.causes.of(position)
    }

    /// The event before the one at `position` that was its cause when it came: for who goes on from
    /// there, whatever comes later.
    #[must_use]
    pub fn earlier_cause(&self, position: Position) -> Option<Position> {
        self.causes.earlier(position)
    }

    /// The events that the one at `position` caused, in order.
    #[must_use]
    pub fn effects(&self, position: Position) -> Vec<Cause> {
        self.causes.effects(position)
    }

    /// The chain of causes of the event at `position`, nearest first; each event at most once. It
    /// can be as long as the log: whoever shows it takes as much as there is room for.
    pub fn cause_chain(&self, position: Position) -> impl Iterator<Item = Cause> {
        let mut seen: FxHashSet<Position> = [position].into_iter().collect();
        let mut at = position;
        std::iter::from_fn(move || {
            let cause = self.cause(at).filter(|cause| seen.insert(cause.position))?;
            at = cause.position;
            Some(cause)
        })
    }

    /// The position of the event with exactly this id. Ids are compared by a 64-bit hash.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<Position> {
        self.ids.get(row::hash_text(id))
    }

    /// The positions whose ids may begin with `prefix`: all that do, and where `prefix` is longer
    /// than eight bytes others that share its first eight.
    pub fn id_candidates(&self, prefix: &str) -> impl Iterator<Item = Position> {
        let range = row::id_head_range(prefix);
        let heads = (1..).zip(self.rows.id_heads());
        heads.filter(move |(_, head)| range.contains(head)).map(|(position, _)| position)
    }

    /// The position of the first event not before `at` by running-maximum time; one past the head
    /// when there is none.
    #[must_use]
    pub fn first_at_or_after(&self, at: Timestamp) -> Position {
        self.clocks.position(ClockKind::Time, at.millis().saturating_sub(1)).saturating_add(1)
    }

    /// The positions that wrote `path` or something below it, in order.
    #[must_use]
    pub fn writers(&self, path: &Path) -> Writers<'_> {
        self.changes().writers(path)
    }

    /// The last position not after `at` that wrote `path` or something below it.
    #[must_use]
    pub fn last_writer(&self, path: &Path, at: Position) -> Option<Position> {
        self.writers(path).last_until(at)
    }

    /// The first position after `at` that wrote `path` or something below it.
    #[must_use]
    pub fn next_writer(&self, path: &Path, at: Position) -> Option<Position> {
        self.writers(path).first_after(at)
    }

    /// Notes something that is wrong with the log as a whole.
    pub fn note(&mut self, kind: AnomalyKind, detail: impl Into<String>) {
        self.anomalies.push(Anomaly::new(kind, 0, detail));
    }

    /// Withdraws the notes of a kind that are about the log as a whole.
    pub fn withdraw(&mut self, kind: AnomalyKind) {
        self.anomalies.retain(|a| a.position != 0 || a.kind != kind);
    }
}

fn position(length: usize) -> Position {
    Position::try_from(length).unwrap_or(Position::MAX)
}

/// The changes that belong in the change index and in diffs: all but the counters.
pub fn telling(changes: &[Change]) -> impl Iterator<Item = &Change> {
    changes.iter().filter(|change| !fold::is_counter(&change.path))
}

/// A timeline with the marks of its user, for resolving moments.
#[derive(Debug, Clone, Copy)]
pub struct Marked<'a, M, I> {
    /// The log.
    pub timeline: &'a Timeline,
    /// Answers the position of a mark.
    pub marks: M,
    /// Answers whether the id of the event at a position starts with a prefix.
    pub id_starts_with: I,
}

impl<M, I> Positions for Marked<'_, M, I>
where
    M: Fn(&str) -> Option<Position>,
    I: Fn(Position, &str) -> bool,
{
    fn head(&self) -> Position {
        self.timeline.head()
    }

    fn at_or_before(&self, at: Timestamp) -> Position {
        self.timeline.clocks.position(ClockKind::Time, at.millis())
    }

    fn head_time(&self) -> Option<Timestamp> {
        self.timeline.row(self.timeline.head()).map(|row| row.clock)
    }

    fn of_type(&self, type_name: &str) -> Vec<Position> {
        match Kind::from_name(type_name) {
            Kind::Unknown => {
                let Some(symbol) = self.timeline.symbols.find(type_name) else { return Vec::new() };
                let unknown = self.timeline.of_kind(Kind::Unknown);
                let named =
                    |p: &Position| self.timeline.row(*p).is_some_and(|r| r.type_name == symbol);
                unknown.iter().copied().filter(named).collect()
            }
            kind => self.timeline.of_kind(kind).to_vec(),
        }
    }

    fn by_id_prefix(&self, prefix: &str) -> Vec<Position> {
        if let Some(exact) = self.timeline.by_id(prefix) {
            return vec![exact];
        }
        let starts = |p: &Position| (self.id_starts_with)(*p, prefix);
        self.timeline.id_candidates(prefix).filter(starts).take(2).collect()
    }

    fn mark(&self, name: &str) -> Option<Position> {
        (self.marks)(name).filter(|p| *p <= self.timeline.head())
    }
}
