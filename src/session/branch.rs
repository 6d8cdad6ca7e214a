//! Playing a what-if: the history from the first edit on, folded anew.
//!
//! Lives here: [`Play`], a piece at a time. May not live here: the edits (see
//! [`crate::timeline::branch`]); anything that writes.
//!
//! An event whose cause is gone is orphaned: it would not have happened, and is left out, and what
//! it caused with it. An event whose precondition holds in the actual history and fails in the
//! branch violates its guard: it is marked, and folded as the log has it.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use super::Session;
use crate::error::{Error, ErrorKind, Result};
use crate::fold::{self, State};
use crate::model::{AnomalyKind, Event, Kind, Position, Timestamp};
use crate::schema::upcast;
use crate::timeline::Ids;
use crate::timeline::branch::Branch;
use crate::timeline::causality::Causes;
use crate::timeline::{Keyframes, Link};

/// How many events are folded in one piece.
const PIECE: Position = 256;

/// What becomes of an event in a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// An edit leaves it out.
    Skipped,
    /// An edit puts another in its place.
    Replaced,
    /// Its cause is gone, so it would not have happened; and why.
    Orphaned(String),
    /// Its precondition fails here; and how.
    Violated(String),
}

/// An event that an edit puts in, and what its precondition says.
#[derive(Debug, Clone)]
pub struct Inserted {
    /// The event.
    pub event: Event,
    /// Why its precondition fails; none where it holds.
    pub violation: Option<String>,
}

/// A branch, played as far as it was asked to be.
#[derive(Debug)]
pub struct Play {
    branch: Branch,
    /// The last position that is shared with the actual history.
    shared: Position,
    at: Position,
    head: Position,
    state: State,
    /// Kept versions, counted from `shared`.
    frames: Keyframes,
    start: State,
    /// The actual events that are not plainly valid.
    verdicts: BTreeMap<Position, Verdict>,
    inserted: Vec<(Position, Inserted)>,
    /// The events that do not happen here.
    gone: FxHashSet<Position>,
    /// Guards that fail in the actual history as well.
    violated_anyway: FxHashSet<Position>,
    /// Links from what was put in.
    links: Causes,
    valid: u64,
}

impl Play {
    /// Begins to play a branch.
    ///
    /// # Errors
    /// Conflict, when the log is not the one that the branch was made from; invalid, for an event
    /// that cannot be read; unavailable, when the log cannot be read again.
    pub fn new(session: &mut Session, branch: Branch) -> Result<Self> {
        let head = session.head();
        same_log(session, &branch)?;
        let shared = branch.shared().unwrap_or(head).min(head);
        let state = session.state_at(shared)?;
        let anomalies = session.timeline().anomalies().iter();
        let violated = anomalies.filter(|a| a.kind == AnomalyKind::GuardViolated);
        let mut play = Self {
            shared,
            at: shared,
            head,
            start: state.clone(),
            state,
            frames: Keyframes::default(),
            verdicts: BTreeMap::new(),
            inserted: Vec::new(),
            gone: FxHashSet::default(),
            violated_anyway: violated.map(|a| a.position).collect(),
            links: Causes::new(session.links()),
            valid: u64::from(shared),
            branch,
        };
        play.insert_after(session, shared)?;
        play.start = play.state.clone();
        Ok(play)
    }

    /// The branch that is played.
    #[must_use]
    pub fn branch(&self) -> &Branch {
        &self.branch
    }

    /// Plays on until the end, or `pause` says that it is enough for now. Gives whether the end is
    /// reached.
    ///
    /// # Errors
    /// As [`Play::new`].
    pub fn step(&mut self, session: &mut Session, mut pause: impl FnMut() -> bool) -> Result<bool> {
        while self.at < self.head {
            let end = self.at.saturating_add(PIECE).min(self.head);
            let events = session.events(self.at + 1..end + 1)?;
            for event in events {
                self.take(session, &event)?;
            }
            if pause() {
                break;
            }
        }
        Ok(self.at >= self.head)
    }

    /// Takes notice of what the log holds beyond the head that was known; [`Play::step`] plays it.
    pub fn follow(&mut self, session: &Session) {
        if self.head == session.head() {
            return;
        }
        self.head = self.head.max(session.head());
        let anomalies = session.timeline().anomalies().iter();
        let violated = anomalies.filter(|a| a.kind == AnomalyKind::GuardViolated);
        self.violated_anyway = violated.map(|a| a.position).collect();
    }

    /// Whether all that is known of the log was played.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.at >= self.head
    }

    /// Plays to the end.
    ///
    /// # Errors
    /// As [`Play::new`].
    pub fn finish(&mut self, session: &mut Session) -> Result<()> {
        self.step(session, || false).map(|_| ())
    }

    /// One event of the actual history, and what is put in behind it.
    fn take(&mut self, session: &Session, event: &Event) -> Result<()> {
        let here = event.position;
        self.at = here;
        let plan = self.branch.plan();
        let replacement = plan.replaced.get(&here).map(|json| (*json).clone());
        if plan.skipped.contains(&here) {
            self.gone.insert(here);
            self.verdicts.insert(here, Verdict::Skipped);
        } else if let Some(json) = replacement {
            let other = read(&json, event.position, session, event.at)?;
            self.verdicts.insert(here, Verdict::Replaced);
            self.put_in(other);
        } else if let Some(reason) = self.orphaned(session, event) {
            self.gone.insert(here);
            self.verdicts.insert(here, Verdict::Orphaned(reason));
        } else {
            match fold::check(&self.state, event) {
                Err(reason) if !self.violated_anyway.contains(&here) => {
                    self.verdicts.insert(here, Verdict::Violated(reason));
                }
                _ => self.valid += 1,
            }
            fold::advance(&mut self.state, event);
        }
        self.insert_after(session, here)?;
        self.frames.offer(here - self.shared, &self.state);
        Ok(())
    }

    fn insert_after(&mut self, session: &Session, position: Position) -> Result<()> {
        let plan = self.branch.plan();
        let Some(events) = plan.inserted.get(&position) else { return Ok(()) };
        let events: Vec<serde_json::Value> = events.iter().map(|json| (*json).clone()).collect();
        let at = session.timeline().row(position.max(1)).map_or(Timestamp::default(), |r| r.at);
        for json in events {
            let event = read(&json, position, session, at)?;
            self.put_in(event);
        }
        Ok(())
    }

    fn put_in(&mut self, event: Event) {
        let violation = fold::check(&self.state, &event).err();
        fold::advance(&mut self.state, &event);
        self.links.push(&event, None, &Ids::default());
        self.inserted.push((event.position, Inserted { event, violation }));
    }

    /// Why an event would not have happened.
    fn orphaned(&self, session: &Session, event: &Event) -> Option<String> {
        let cause = session.timeline().cause(event.position)?;
        if !self.gone.contains(&cause.position) {
            return None;
        }
        let put_in = || self.inserted.iter().map(|(_, inserted)| &inserted.event);
        let made_good = match cause.link {
            Link::Causation => put_in().any(|other| Some(&other.id) == event.causation.as_ref()),
            Link::Rule(_) => self.links.would_link(event),
        };
        if made_good {
            return None;
        }
        let row = session.timeline().row(cause.position)?;
        let name = session.timeline().text(row.type_name);
        let how = match self.verdicts.get(&cause.position) {
            Some(Verdict::Orphaned(_)) => "is orphaned itself",
            _ => "is skipped",
        };
        Some(format!("its cause #{} {name} ({}) {how}", cause.position, cause.link))
    }

    /// How many events of the actual history happen here as they did.
    #[must_use]
    pub fn valid(&self) -> u64 {
        self.valid
    }

    /// How far it was played.
    #[must_use]
    pub fn position(&self) -> Position {
        self.at
    }

    /// What became of an event; none where it is as it was (or not yet played).
    #[must_use]
    pub fn verdict(&self, position: Position) -> Option<&Verdict> {
        self.verdicts.get(&position)
    }

    /// All events of the actual history that are not plainly valid, in order.
    pub fn verdicts(&self) -> impl Iterator<Item = (Position, &Verdict)> {
        self.verdicts.iter().map(|(position, verdict)| (*position, verdict))
    }

    /// Those of them that stand after a position.
    pub fn verdicts_after(&self, position: Position) -> impl Iterator<Item = (Position, &Verdict)> {
        let rest = self.verdicts.range(position.saturating_add(1)..);
        rest.map(|(position, verdict)| (*position, verdict))
    }

    /// What was put in, each with the position it stands after or instead of.
    #[must_use]
    pub fn inserted(&self) -> &[(Position, Inserted)] {
        &self.inserted
    }

    /// The state of the branch where the actual history stands at `position`.
    ///
    /// # Errors
    /// Not found, beyond what was played; unavailable, when the log cannot be read again.
    pub fn state_at(&self, session: &mut Session, position: Position) -> Result<State> {
        if position < self.shared {
            return session.state_at(position);
        }
        if position > self.at {
            return Err(super::beyond(position, self.at));
        }
        let (near, mut state) = match self.frames.at(position - self.shared) {
            (0, _) => (0, self.start.clone()),
            near => near,
        };
        let from = self.shared + near;
        let plan = self.branch.plan();
        for event in session.events(from + 1..position + 1)? {
            let here = event.position;
            match self.verdicts.get(&here) {
                Some(Verdict::Skipped | Verdict::Orphaned(_) | Verdict::Replaced) => {}
                _ => fold::advance(&mut state, &event),
            }
            let touched = plan.inserted.contains_key(&here) || plan.replaced.contains_key(&here);
            for (_, other) in self.inserted.iter().filter(|(p, _)| touched && *p == here) {
                fold::advance(&mut state, &other.event);
            }
        }
        Ok(state)
    }
}

/// Whether the events that are edited are still those of the log.
fn same_log(session: &mut Session, branch: &Branch) -> Result<()> {
    use crate::timeline::branch::Edit;
    for edit in &branch.edits {
        let (Edit::Skip { position, event_id } | Edit::Replace { position, event_id, .. }) = edit
        else {
            continue;
        };
        let actual = session.event(*position)?.id;
        if actual != event_id.as_str() {
            let message = format!(
                "the branch was made from another log: event #{position} is {actual}, not {event_id}"
            );
            return Err(Error::new(ErrorKind::Conflict, message));
        }
    }
    Ok(())
}

/// An event that somebody wrote for a branch: what it leaves out is that of its place.
fn read(
    json: &serde_json::Value,
    position: Position,
    session: &Session,
    at: Timestamp,
) -> Result<Event> {
    let fault = |why: &str| {
        Error::new(ErrorKind::Invalid, format!("an event of the branch {why}"))
            .with_hint(r#"as in {"event_type":"AgentCompleted","metadata":{"agent_name":"x"}}"#)
    };
    let mut json = json.clone();
    let Some(members) = json.as_object_mut() else { return Err(fault("is no JSON object")) };
    if !members.get("event_type").is_some_and(serde_json::Value::is_string) {
        return Err(fault("has no event_type"));
    }
    let row = session.timeline().row(position.max(1));
    let word = |symbol| session.timeline().text(symbol).to_owned();
    let mut fill = |name: &str, value: serde_json::Value| {
        members.entry(name).or_insert(value);
    };
    fill("event_id", format!("branch-{position}").into());
    fill("timestamp", at.to_string().into());
    fill("issue_key", session.issue_key().into());
    fill("session_id", row.map(|row| word(row.session)).unwrap_or_default().into());
    fill("actor", serde_json::json!({"type": "user", "id": "what-if"}));
    fill("metadata", serde_json::json!({}));
    let line = json.to_string();
    let mut events = upcast::read_line_events(line.as_bytes(), position, at);
    match events.pop() {
        Some((mut event, ..)) if event.kind != Kind::Unreadable => {
            event.position = position;
            Ok(event)
        }
        _ => Err(fault("cannot be read")),
    }
}
