//! Snapshots of the state: when one is due, making it, and comparing it with the log.
//!
//! Lives here: what needs both the fold and the store. May not live here: the files (see
//! [`crate::store::snapshot`]). A snapshot only ever saves work: an answer never depends on one.

use std::path::PathBuf;

use super::Session;
use crate::error::{Error, ErrorKind, Result};
use crate::fold::{self, State};
use crate::model::{Position, Timestamp};
use crate::store::local::LocalStore;
use crate::store::snapshot::{Snapshot, Versions};
use crate::store::{EventStore, Locator, Tail};

/// The versions of the snapshots that this program makes and believes.
pub const VERSIONS: Versions =
    Versions { state_schema: fold::STATE_SCHEMA_VERSION, fold: fold::FOLD_VERSION };

/// When snapshots are made without being asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// After so many events; 0 for never.
    pub frequency: u64,
    /// Not before a log has so many events.
    pub minimum: u64,
}

impl Policy {
    /// Whether a log that grew from `before` to `after` events (sequence numbers) crossed a point
    /// where a snapshot should be looked into. Costs nothing: appends ask it every time.
    #[must_use]
    pub fn crossed(self, before: u64, after: u64) -> bool {
        self.frequency > 0
            && after >= self.minimum
            && before / self.frequency != after / self.frequency
    }
}

/// Makes a snapshot of the state at `position` and keeps it; gives it and the file it is in.
///
/// # Errors
/// Usage for position 0; not found beyond the head; unavailable when the store cannot be read or
/// written.
pub fn take(
    store: &LocalStore,
    session: &mut Session,
    position: Position,
    now: Timestamp,
) -> Result<(Snapshot, String)> {
    let Some(row) = session.timeline().row(position) else {
        return Err(match position {
            0 => Error::usage("there is nothing to keep before the first event"),
            _ => super::beyond(position, session.head()),
        });
    };
    let issue_key = session.issue_key().to_owned();
    let before = store.load_snapshot(&issue_key, u64::from(position) - 1, VERSIONS)?.0;
    let folded = Folded {
        position: u64::from(position),
        sequence: session.event(position)?.sequence,
        clock: row.clock,
        locator: row.locator,
        state: session.state_at(position)?,
        ..Folded::new()
    };
    folded.keep(store, &issue_key, before.as_ref(), now)
}

/// A log folded up to an event.
pub(super) struct Folded {
    pub(super) position: u64,
    sequence: Option<u64>,
    clock: Timestamp,
    locator: Locator,
    /// How many bytes of the log it began behind.
    behind: u64,
    pub(super) state: State,
}

impl Folded {
    /// Nothing yet.
    fn new() -> Self {
        Self {
            position: 0,
            sequence: None,
            clock: Timestamp::MIN,
            locator: Locator::default(),
            behind: 0,
            state: State::new(),
        }
    }

    /// As far as a snapshot tells.
    ///
    /// # Errors
    /// Invalid, where its state is none.
    pub(super) fn of(snapshot: &Snapshot) -> Result<Self> {
        let state = State::from_value(snapshot.state.clone())?;
        let Snapshot { position, timestamp, anchor, .. } = snapshot;
        Ok(Self::with(state, *position, *timestamp, anchor.log_bytes))
    }

    /// As far as this position, which stands behind so many bytes of the log.
    pub(super) fn with(state: State, position: u64, clock: Timestamp, behind: u64) -> Self {
        Self { position, clock, behind, state, ..Self::new() }
    }

    /// Folds on to the end of the log: the work is in proportion to what came since. `each` is
    /// called after each event, and ends it with false.
    ///
    /// # Errors
    /// Unavailable or integrity, when the log cannot be read there.
    pub(super) fn fold_on(
        &mut self,
        store: &dyn EventStore,
        issue_key: &str,
        mut each: impl FnMut(&mut Self) -> bool,
    ) -> Result<()> {
        let mut tail = store.tail_after(issue_key, self.behind)?;
        let mut parser = super::load::Parser::after(self.clock);
        loop {
            let chunk = tail.poll(1 << 20)?;
            for loaded in parser.parse(&chunk) {
                self.position += 1;
                self.sequence = loaded.event.sequence;
                self.clock = self.clock.max(loaded.event.at);
                self.locator = loaded.locator;
                fold::advance(&mut self.state, &loaded.event);
                if !each(self) {
                    return Ok(());
                }
            }
            if chunk.at_end {
                return Ok(());
            }
        }
    }

    fn keep(
        self,
        store: &LocalStore,
        issue_key: &str,
        before: Option<&Snapshot>,
        now: Timestamp,
    ) -> Result<(Snapshot, String)> {
        let snapshot = Snapshot {
            issue_key: issue_key.to_owned(),
            position: self.position,
            event_sequence: self.sequence.unwrap_or(self.position),
            timestamp: self.clock,
            versions: VERSIONS,
            anchor: store.anchor(issue_key, self.locator, before.map(|b| &b.anchor))?,
            signed: store.signed_log()?,
            state_digest: self.state.digest(),
            created_at: now,
            state: self.state.value(),
        };
        let kept = store.keep_snapshot(&snapshot)?;
        Ok((snapshot, kept))
    }
}

/// Makes a snapshot of the head if the log grew by more than the state's own size since the last
/// one, so that all snapshots together stay in proportion to the log. What was folded for the
/// last one is not folded again.
///
/// # Errors
/// As [`take`].
pub fn take_if_due(store: &LocalStore, issue_key: &str, now: Timestamp) -> Result<Option<String>> {
    let last = store.load_snapshot(issue_key, u64::MAX, VERSIONS)?.0;
    // One whose state is none was not made here: the next one goes on from the beginning.
    let begun = last.as_ref().and_then(|last| Folded::of(last).ok());
    let last = last.filter(|_| begun.is_some());
    let before = last.as_ref().map_or(0, |last| last.anchor.log_bytes);
    let grown = log_bytes(store, issue_key)?.saturating_sub(before);
    // The last state's size is about that of the next: nothing is read for what is not due.
    if last.as_ref().is_some_and(|last| grown < last.state.to_json().len() as u64) {
        return Ok(None);
    }
    let mut folded = begun.unwrap_or_else(Folded::new);
    let before = folded.position;
    folded.fold_on(store, issue_key, |_| true)?;
    if folded.position == before || grown < folded.state.value().to_json().len() as u64 {
        return Ok(None);
    }
    folded.keep(store, issue_key, last.as_ref(), now).map(|(_, kept)| Some(kept))
}

/// The size of an issue's log, by its files.
fn log_bytes(store: &LocalStore, issue_key: &str) -> Result<u64> {
    let layout = store.layout();
    let dates = layout.partitions(issue_key)?;
    let length = |date| layout.length(date, issue_key).unwrap_or(0);
    Ok(dates.into_iter().map(length).sum())
}

/// The state at `position` from the newest snapshot that the log bears out and the events after
/// it; the same as folding from the first event.
///
/// # Errors
/// Not found when the log is shorter; unavailable when it cannot be read.
pub fn state_from_snapshot(
    store: &LocalStore,
    issue_key: &str,
    position: Position,
) -> Result<State> {
    let snapshot = store.proven_snapshot(issue_key, u64::from(position), VERSIONS)?.0;
    let kept = snapshot.and_then(|snapshot| {
        let at = Position::try_from(snapshot.position).ok()?;
        Some((at, State::from_value(snapshot.state).ok()?))
    });
    let (mut at, mut state) = kept.unwrap_or_else(|| (0, State::new()));
    let mut tail = store.tail(issue_key)?;
    for event in events_after(tail.as_mut(), at, position)? {
        fold::advance(&mut state, &event);
        at += 1;
    }
    if at == position { Ok(state) } else { Err(super::beyond(position, at)) }
}

/// The events from `after` (excluded) to `upto` (included).
fn events_after(
    tail: &mut dyn Tail,
    after: Position,
    upto: Position,
) -> Result<Vec<crate::model::Event>> {
    let mut parser = super::load::Parser::default();
    let mut events = Vec::new();
    let mut position = 0;
    loop {
        let chunk = tail.poll(1 << 20)?;
        for loaded in parser.parse(&chunk) {
            position += 1;
            if position > after && position <= upto {
                events.push(crate::model::Event { position, ..loaded.event });
            }
        }
        if chunk.at_end || position >= upto {
            return Ok(events);
        }
    }
}

/// A snapshot that the log does not bear out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The snapshot's file.
    pub path: PathBuf,
    /// The sequence number that its name tells.
    pub event_sequence: u64,
    /// What does not fit.
    pub detail: String,
}

/// Compares an issue's snapshots with the log: folds it anew up to each of them, and hashes it.
/// Snapshots that cannot be read are left to [`LocalStore::verify`].
///
/// # Errors
/// Unavailable, when the store cannot be read.
pub fn compare(store: &LocalStore, issue_key: &str) -> Result<Vec<Mismatch>> {
    let mut entries = store.snapshots(Some(issue_key))?;
    entries.reverse();
    let mut session = Session::read(store, issue_key)?;
    let (mut found, mut chain) = (Vec::new(), Vec::new());
    for entry in entries {
        let Ok(snapshot) = entry.snapshot else { continue };
        let mut mismatch = |detail: String| {
            let (path, event_sequence) = (entry.path.clone(), entry.event_sequence);
            found.push(Mismatch { path, event_sequence, detail });
        };
        if snapshot.versions != VERSIONS {
            mismatch("it was made by another version; `snapshot gc` lets go of it".to_owned());
            continue;
        }
        if let Some(detail) = store.misfit(&snapshot)? {
            mismatch(detail);
        }
        match place(store, &mut session, &snapshot) {
            Ok(details) => details.into_iter().for_each(&mut mismatch),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                mismatch(error.message().to_owned());
            }
            Err(error) => return Err(error),
        }
        chain.push(snapshot.anchor);
        if let Some(detail) = store.check_anchors(issue_key, &chain)? {
            mismatch(detail);
            chain.pop();
        }
    }
    Ok(found)
}

/// What a snapshot says of its place that the log says otherwise.
fn place(store: &LocalStore, session: &mut Session, snapshot: &Snapshot) -> Result<Vec<String>> {
    let at = Position::try_from(snapshot.position).unwrap_or(Position::MAX);
    let mut details = Vec::new();
    if session.state_at(at)?.digest() != snapshot.state_digest {
        details.push("its state is not the one that the log gives".to_owned());
    }
    let Some(row) = session.timeline().row(at) else {
        return Ok(vec!["it stands before the first event".to_owned()]);
    };
    if row.clock != snapshot.timestamp {
        details.push(format!("its time is {}, the log's is {}", snapshot.timestamp, row.clock));
    }
    let sequence = session.event(at)?.sequence.unwrap_or(u64::from(at));
    if sequence != snapshot.event_sequence {
        let own = snapshot.event_sequence;
        details.push(format!("it is that of event {own}, and at its position is {sequence}"));
    }
    let end = store.end_of_line(&snapshot.issue_key, row.locator)?;
    if end != snapshot.anchor.log_bytes {
        let own = snapshot.anchor.log_bytes;
        details.push(format!("it covers {own} bytes, and its event ends at byte {end}"));
    }
    Ok(details)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_looks_now_and_then() {
        let policy = Policy { frequency: 50, minimum: 60 };
        assert!(!policy.crossed(48, 49));
        assert!(!policy.crossed(49, 50));
        assert!(policy.crossed(99, 100));
        assert!(policy.crossed(10, 120));
        assert!(!policy.crossed(100, 149));
        assert!(!Policy { frequency: 0, minimum: 0 }.crossed(0, 1000));
    }
}
