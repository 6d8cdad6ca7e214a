//! The states at the end of a long log before it is folded so far, from its last snapshot.
//!
//! Lives here: making them, and which there are. May not live here: snapshots (see
//! [`super::snapshots`]); showing that these are no more than what a snapshot led to.
//!
//! They are held against the log as soon as they are there, and let go of where it is another one; and
//! in any case once the log is folded.

use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::sync::Arc;

use super::aside;
use super::load::Batch;
use super::snapshots::{Folded, VERSIONS};
use crate::fold::State;
use crate::model::Position;
use crate::model::value::spill::Spill;
use crate::store::EventStore;
use crate::store::snapshot::LogAnchor;
use crate::timeline::keyframes::STRIDE;

/// So many states are kept before the last one, [`STRIDE`] events apart.
const KEPT: usize = if cfg!(test) { 4 } else { 64 };
/// A state is made from one no further before it than this.
const REACH: Position = 4 * STRIDE;
/// After so many events what they changed is put aside.
const PUT_ASIDE: Position = 128 * STRIDE;

/// States at the end of a log.
#[derive(Debug)]
pub struct Early {
    /// The position of the snapshot that they go on from.
    snapshot: Position,
    /// In the order of their positions.
    states: VecDeque<(Position, State)>,
}

impl Early {
    /// Folds on from a snapshot to the end of the log; none where that cannot be, or `stopped`.
    fn behind(
        store: &dyn EventStore,
        issue_key: &str,
        mut folded: Folded,
        spill: &Arc<Spill>,
        stopped: &dyn Fn() -> bool,
    ) -> Option<Self> {
        let mut early =
            Self { snapshot: Position::try_from(folded.position).ok()?, states: VecDeque::new() };
        early.keep(early.snapshot, &folded.state);
        let each = |folded: &mut Folded| {
            let Ok(position) = Position::try_from(folded.position) else { return false };
            if position.is_multiple_of(STRIDE) {
                early.keep(position, &folded.state);
            }
            if position.is_multiple_of(PUT_ASIDE) {
                put_aside(&mut folded.state, spill);
            }
            !stopped()
        };
        folded.fold_on(store, issue_key, each).ok()?;
        early.keep(Position::try_from(folded.position).ok()?, &folded.state);
        early.states.iter_mut().for_each(|(_, state)| put_aside(state, spill));
        (!stopped()).then_some(early)
    }

    fn keep(&mut self, position: Position, state: &State) {
        if self.states.len() > KEPT {
            self.states.pop_front();
        }
        self.states.push_back((position, state.clone()));
    }

    /// The position of the snapshot that they go on from.
    pub(super) fn snapshot(&self) -> Position {
        self.snapshot
    }

    /// The nearest state at or before `position`, where one is near.
    pub(super) fn nearest(&self, position: Position) -> Option<&(Position, State)> {
        let near = position.saturating_sub(REACH)..=position;
        self.states.iter().rfind(|(at, _)| near.contains(at))
    }
}

/// Has of a state only what is looked at in memory from now on.
fn put_aside(state: &mut State, spill: &Arc<Spill>) {
    if let Some(stored) = state.put_aside(spill) {
        *state = State::aside(spill, stored);
    }
}

/// Tells of the states at the end of an issue's log, if there is a snapshot to make them from; and
/// then, if that is so, why they are not to be believed.
pub(super) fn tell(
    store: &dyn EventStore,
    issue_key: &str,
    stopped: &dyn Fn() -> bool,
    send: impl Fn(Batch),
) {
    let Some(spill) = aside::open() else { return };
    let Some((folded, anchor)) = begin(store, issue_key, &spill) else { return };
    let position = folded.position;
    let Some(early) = Early::behind(store, issue_key, folded, &spill, stopped) else { return };
    send(Batch::Early(early));
    if stopped() {
        return;
    }
    if let Ok(Some(reason)) = store.check_anchors(issue_key, &[anchor]) {
        send(Batch::NotEarly(format!("the snapshot at {position}: {reason}")));
    }
}

/// The last snapshot, its state put aside, and what it stands for. What cannot be read is told by
/// whoever reads the log.
///
/// A large state is taken to pieces on a thread of its own, and nothing of that stays: the allocator
/// gives back what a thread took only where nothing is left among it.
fn begin(
    store: &dyn EventStore,
    issue_key: &str,
    spill: &Arc<Spill>,
) -> Option<(Folded, LogAnchor)> {
    let load = || {
        let snapshot = store.snapshot(issue_key, u64::MAX, VERSIONS).ok()??;
        let folded = Folded::of(&snapshot).ok()?;
        let stored = folded.state.put_aside(spill)?;
        Some((stored, snapshot.position, snapshot.timestamp, snapshot.anchor))
    };
    let (stored, position, clock, anchor) = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("snapshot".into());
        thread.spawn_scoped(scope, load).ok()?.join().unwrap_or_else(|p| resume_unwind(p))
    })?;
    let folded = Folded::with(State::aside(spill, stored), position, clock, anchor.log_bytes);
    Some((folded, anchor))
}
