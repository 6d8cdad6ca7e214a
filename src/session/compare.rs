//! Where two runs part: issues, sessions, branches, aligned by what happened.
//!
//! Lives here: [`Side`], [`compare`]. May not live here: the diff of two states (see
//! [`crate::diff`]).
//!
//! Two events are the same happening when their types and natural keys agree: names of agents,
//! phases, tasks, suites. Ids, times, hashes and prose are of one run only, and are not compared.

mod alignment;
mod open;

use std::time::{Duration, Instant};

use similar::DiffOp;

pub use alignment::{Alignment, Pair, Progress};

use super::Session;
use super::branch::{Play, Verdict};
use crate::diff::sequence::edits;
use crate::diff::{DiffEntry, DiffOptions, diff};
use crate::error::{Error, Result};
use crate::fold::{self, State};
use crate::model::{Event, Key, Map, Path, Position, Value, ids};
use crate::timeline::row::hash_text;

/// The members of metadata that say what an event is about, in any run.
const NATURAL: &[&str] = &[
    "agent_name",
    "agent_type",
    "approval_type",
    "check_type",
    "checkpoint_phase",
    "doc_path",
    "doc_type",
    "error_type",
    "final_state",
    "from_status",
    "gap_id",
    "gap_type",
    "passed_quality_gate",
    "phase",
    "pr_number",
    "recovery_strategy",
    "severity",
    "task_id",
    "task_status",
    "test_suite",
    "to_status",
    "tool",
    "tool_name",
];

/// How many events are read at once.
const PIECE: usize = 512;

/// Members of the state that differ between any two runs, or are prose.
const OF_ONE_RUN: &[&str] = &[
    "assigned_to_session",
    "at",
    "commit",
    "commits",
    "correlation_id",
    "cost_usd",
    "counters",
    "description",
    "event_id",
    "git_sha",
    "head",
    "id",
    "issue_key",
    "issue_summary",
    "message",
    "reason",
    "session",
    "session_id",
    "sessions",
    "summary",
    "text",
    "tokens",
    "usage",
];

/// Endings of such members.
const ENDINGS: &[&str] =
    &["_at", "_ms", "_seconds", "_minutes", "_message", "_reason", "_id", "_sha"];

/// The events of one side, in order.
pub struct Side {
    session: Session,
    /// For each event its position, and what was put in there instead of it.
    steps: Vec<(Position, Option<Event>)>,
    /// What was read of the log last, and the position of the first of it.
    read: (Position, Vec<Event>),
}

impl std::fmt::Debug for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Side").field("events", &self.steps.len()).finish_non_exhaustive()
    }
}

impl Side {
    fn new(session: Session, steps: Vec<(Position, Option<Event>)>) -> Self {
        Self { session, steps, read: (0, Vec::new()) }
    }

    /// A whole issue.
    #[must_use]
    pub fn issue(session: Session) -> Self {
        let steps = (1..=session.head()).map(|position| (position, None)).collect();
        Self::new(session, steps)
    }

    /// One session of an issue.
    ///
    /// # Errors
    /// Not found, when no event names this session.
    pub fn session(session: Session, session_id: &str) -> Result<Self> {
        let timeline = session.timeline();
        let of_it = |p: &Position| {
            timeline.row(*p).is_some_and(|row| timeline.text(row.session) == session_id)
        };
        let steps: Vec<_> = (1..=session.head()).filter(of_it).map(|p| (p, None)).collect();
        if steps.is_empty() {
            let message = format!("{} has no session {session_id}", session.issue_key());
            return Err(Error::not_found(message));
        }
        Ok(Self::new(session, steps))
    }

    /// A branch, which must be played to its end.
    #[must_use]
    pub fn branch(session: Session, play: &Play) -> Self {
        let mut steps = Vec::new();
        let mut inserted = play.inserted().iter().peekable();
        for position in 0..=session.head() {
            let happens = !matches!(
                play.verdict(position),
                Some(Verdict::Skipped | Verdict::Replaced | Verdict::Orphaned(_))
            );
            if position > 0 && happens {
                steps.push((position, None));
            }
            while let Some((at, other)) = inserted.next_if(|(at, _)| *at <= position) {
                steps.push((*at, Some(other.event.clone())));
            }
        }
        Self::new(session, steps)
    }

    /// The issue whose events these are.
    #[must_use]
    pub fn issue_key(&self) -> &str {
        self.session.issue_key()
    }

    /// The position of a step; that behind which it was put in, for what a branch puts in.
    #[must_use]
    pub fn position(&self, step: usize) -> Option<Position> {
        self.steps.get(step).map(|(position, _)| *position)
    }

    /// The event of a step. Whoever goes from step to step reads the log in pieces.
    ///
    /// # Errors
    /// Unavailable, when the log cannot be read again.
    pub fn event(&mut self, step: usize) -> Result<&Event> {
        let none = || Error::not_found("there is no such event");
        let (position, put_in) = self.steps.get(step).ok_or_else(none)?;
        let position = *position;
        if put_in.is_none() && !self.has_read(position) {
            self.read = (position, self.session.events(position..self.read_to(step))?);
        }
        match &self.steps[step].1 {
            Some(put_in) => Ok(put_in),
            None => self.read.1.get((position - self.read.0) as usize).ok_or_else(none),
        }
    }

    fn has_read(&self, position: Position) -> bool {
        let (first, events) = &self.read;
        position.checked_sub(*first).is_some_and(|at| (at as usize) < events.len())
    }

    /// Up to where (excluded) to read at once from a step on: where what follows lies far apart,
    /// that event alone.
    fn read_to(&self, step: usize) -> Position {
        let piece = &self.steps[step..self.steps.len().min(step + PIECE)];
        let (first, last) = (piece[0].0, piece[piece.len() - 1].0);
        if ((last - first) as usize) < 8 * PIECE { last + 1 } else { first + 1 }
    }

    /// What each event is, in any run.
    fn signatures(&mut self, progress: &Progress, part: (u32, u32)) -> Result<Vec<u64>> {
        let total = self.steps.len();
        let signature_of = |step| {
            progress.note(step, total, part)?;
            self.event(step).map(signature)
        };
        (0..total).map(signature_of).collect()
    }
}

fn signature(event: &Event) -> u64 {
    let mut text = format!("{}\n{}\n", event.type_name, event.actor_type);
    for name in NATURAL {
        if let Some(value) = event.get(name) {
            text.push_str(name);
            text.push_str(&value.to_json());
            text.push('\n');
        }
    }
    hash_text(&text)
}

/// How two runs differ.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Divergence {
    /// The first event that the other side does not have there, on each side.
    pub first_event: Option<(Option<Event>, Option<Event>)>,
    /// The first path of the state that differs, with both values.
    pub first_path: Option<(Path, Option<Value>, Option<Value>)>,
    /// How many events only the first has.
    pub only_a: u64,
    /// How many events only the second has.
    pub only_b: u64,
    /// What differs at the end.
    pub changed: Vec<DiffEntry>,
}

impl Divergence {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.first_event.is_none() && self.first_path.is_none() && self.changed.is_empty()
    }
}

/// Aligns two runs and tells where they part.
///
/// # Errors
/// Unavailable, when a log cannot be read again.
pub fn compare(a: &mut Side, b: &mut Side) -> Result<Divergence> {
    Ok(compare_in_rows(a, b, &Progress::default(), None)?.0)
}

/// As [`compare`], with the rows of both. Whoever waits can see how far it is, and stop it. After
/// `patience` the alignment of what is left is a coarser one.
///
/// # Errors
/// As [`compare`]; interrupted, when it was stopped.
pub fn compare_in_rows(
    a: &mut Side,
    b: &mut Side,
    progress: &Progress,
    patience: Option<Duration>,
) -> Result<(Divergence, Alignment)> {
    let (in_a, in_b) = (a.signatures(progress, (0, 25))?, b.signatures(progress, (25, 50))?);
    let deadline = patience.map(|patience| Instant::now() + patience);
    let ops = edits(&in_a, &in_b, deadline);
    let alignment = Alignment::new(&ops);
    Ok((diverge(a, b, &ops, progress)?, alignment))
}

/// Plays both, as they are aligned, and tells where they part.
fn diverge(a: &mut Side, b: &mut Side, ops: &[DiffOp], progress: &Progress) -> Result<Divergence> {
    let total = a.steps.len().max(b.steps.len());
    let mut divergence = Divergence::default();
    let mut states = [State::new(), State::new()];
    for op in ops {
        let (in_a, in_b) = (op.old_range(), op.new_range());
        let equal = matches!(op, DiffOp::Equal { .. });
        if !equal {
            divergence.only_a += in_a.len() as u64;
            divergence.only_b += in_b.len() as u64;
            if divergence.first_event.is_none() {
                let first = |side: &mut Side, range: &std::ops::Range<usize>| {
                    (!range.is_empty()).then(|| side.event(range.start).cloned()).transpose()
                };
                divergence.first_event = Some((first(a, &in_a)?, first(b, &in_b)?));
            }
        }
        // Pairs go together; what only one side has goes alone.
        let length = in_a.len().max(in_b.len());
        for step in 0..length {
            progress.note(in_a.start.max(in_b.start) + step, total, (50, 100))?;
            let mut written = Vec::new();
            let [state_a, state_b] = &mut states;
            for (side, state, range) in [(&mut *a, state_a, &in_a), (&mut *b, state_b, &in_b)] {
                if range.start + step < range.end {
                    let event = side.event(range.start + step)?;
                    let changes = fold::apply(state, event).changes;
                    written.extend(changes.into_iter().map(|change| change.path));
                }
            }
            if divergence.first_path.is_none() && (equal || step + 1 == length) {
                divergence.first_path = parting(&states, &written);
            }
        }
    }
    let entries =
        diff(&plain(&states[0].value()), &plain(&states[1].value()), DiffOptions::default());
    divergence.changed = entries;
    Ok(divergence)
}

/// The first of these paths at which the states differ.
fn parting(states: &[State; 2], written: &[Path]) -> Option<(Path, Option<Value>, Option<Value>)> {
    let mut paths: Vec<&Path> = written.iter().filter(|path| !is_of_one_run(path)).collect();
    paths.sort();
    paths.into_iter().find_map(|path| {
        let [a, b] = states.each_ref().map(|state| state.at(path).map(plain));
        (a != b).then(|| innermost(path.clone(), a, b))
    })
}

/// Where two values differ, as far in as both are maps.
fn innermost(
    path: Path,
    a: Option<Value>,
    b: Option<Value>,
) -> (Path, Option<Value>, Option<Value>) {
    let (mut path, mut a, mut b) = (path, a, b);
    while let (Some(Value::Map(in_a)), Some(Value::Map(in_b))) = (&a, &b) {
        let keys: std::collections::BTreeSet<&Key> =
            in_a.iter().chain(in_b.iter()).map(|(key, _)| key).collect();
        // (What has no name of its own is numbered here, and nowhere else.)
        let other = |key: &&Key| in_a.get(key) != in_b.get(key) && !key.starts_with('#');
        let Some(key) = keys.into_iter().find(other).cloned() else { break };
        let next = (in_a.get(&key).cloned(), in_b.get(&key).cloned());
        path.push(key);
        (a, b) = next;
    }
    (path, a, b)
}

fn is_of_one_run(path: &Path) -> bool {
    path.keys().iter().any(|key| is_own(key) || ids::is_uuid(key))
}

fn is_own(key: &str) -> bool {
    OF_ONE_RUN.contains(&key) || ENDINGS.iter().any(|ending| key.ends_with(ending))
}

/// A value without what is of one run only.
fn plain(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let mut left = Map::new();
            let mut by_id = Vec::new();
            for (key, value) in map.iter().filter(|(key, _)| !is_own(key)) {
                if ids::is_uuid(key) {
                    by_id.push(plain(value));
                } else {
                    left.insert(Key::clone(key), plain(value));
                }
            }
            // Things without a name of their own: what they are tells them apart.
            by_id.sort_by_cached_key(Value::to_json);
            for (number, value) in by_id.into_iter().enumerate() {
                left.insert(format!("#{}", number + 1), value);
            }
            Value::Map(left)
        }
        // (Of a long text only its reference stands here, which names the event.)
        Value::Long(_) => Value::Null,
        other => other.clone(),
    }
}
