//! The state at any position, and what is read from it.
//!
//! Lives here: folding on from a kept version, and the states that are kept near the playhead. May
//! not live here: which versions a timeline keeps (see [`crate::timeline::keyframes`]).

use super::{Session, beyond};
use crate::diff::{DiffEntry, DiffOptions, diff};
use crate::error::{Error, ErrorKind, Result};
use crate::fold::{self, Change, State};
use crate::model::{Path, Position, Value};
use crate::timeline::keyframes::STRIDE;

/// How many re-folded states are kept near the playhead.
const CACHED_STATES: usize = 64;
/// Two states further apart may differ in most of what there is.
const FAR: Position = 2_000;

impl Session {
    /// The state at `position`.
    ///
    /// # Errors
    /// Not found beyond the head; unavailable when the log cannot be read again.
    pub fn state_at(&mut self, position: Position) -> Result<State> {
        if position > self.timeline.head() {
            return self.early_state(position);
        }
        let (at, mut state) = self.nearest(position);
        let back = std::mem::replace(&mut self.asked, position).saturating_sub(position);
        if at == position {
            return Ok(state);
        }
        for (passing, event) in (at + 1..).zip(self.events(at + 1..position + 1)?) {
            fold::advance(&mut state, &event);
            // Whoever goes back step by step asks next for what is passed on the way here.
            if passing == position
                || (1..=STRIDE).contains(&back) && (position - passing).is_multiple_of(back)
            {
                self.remember(passing, &state);
            }
        }
        Ok(state)
    }

    /// The state at a position that is not folded yet, where a snapshot leads to it.
    fn early_state(&mut self, position: Position) -> Result<State> {
        let near = self.early.as_ref().filter(|_| position <= self.head());
        let Some((at, mut state)) = near.and_then(|early| early.nearest(position)).cloned() else {
            return Err(self.no_state_yet(position));
        };
        for event in self.events(at + 1..position + 1)? {
            fold::advance(&mut state, &event);
        }
        Ok(state)
    }

    /// The nearest state at or before `position` that is at hand, to fold on from.
    fn nearest(&mut self, position: Position) -> (Position, State) {
        let kept = self.timeline.nearest_kept(position);
        let cached = self.cache.iter().filter(|(p, _)| (kept..=position).contains(p));
        if let Some((near, cached)) = cached.max_by_key(|(p, _)| *p) {
            return (*near, cached.clone());
        }
        let (kept, state) = self.timeline.kept(kept);
        if kept > 0 && kept < self.timeline.head() {
            // It may have been unpacked, and its neighbours are asked for next.
            self.remember(kept, &state);
        }
        (kept, state)
    }

    pub(super) fn no_state_yet(&self, position: Position) -> Error {
        if position > self.head() {
            return beyond(position, self.head());
        }
        let (folded, head) = (self.timeline.head(), self.head());
        let what = format!("the state at {position} is not known yet");
        Error::new(ErrorKind::Unavailable, format!("{what}: {folded} of {head} events are folded"))
    }

    fn remember(&mut self, position: Position, state: &State) {
        if self.cache.iter().any(|(p, _)| *p == position) {
            return;
        }
        if self.cache.len() >= CACHED_STATES {
            self.cache.remove(0);
        }
        self.cache.push((position, state.clone()));
    }

    /// What the event at `position` changed.
    ///
    /// # Errors
    /// As [`Session::state_at`].
    pub fn changes(&mut self, position: Position) -> Result<Vec<Change>> {
        let Some(before) = position.checked_sub(1) else { return Ok(Vec::new()) };
        let mut state = self.state_at(before)?;
        let event = self.event(position)?;
        let changes = fold::apply(&mut state, &event).changes;
        if position <= self.timeline.head() {
            // Whoever asks what an event did asks for the state after it, too.
            self.remember(position, &state);
        }
        Ok(changes)
    }

    /// How the state at `to` differs from that at `from`.
    ///
    /// # Errors
    /// As [`Session::state_at`].
    pub fn diff(
        &mut self,
        from: Position,
        to: Position,
        options: DiffOptions,
    ) -> Result<Vec<DiffEntry>> {
        let far = from.abs_diff(to) > FAR;
        let (mut from, mut to) = (self.state_at(from)?, self.state_at(to)?);
        if far && self.timeline.is_aside() {
            // What is read for it does not stay with the states that are kept.
            self.timeline.freshen([&mut from, &mut to]);
            return Ok(apart(|| diff(&from.value(), &to.value(), options)));
        }
        Ok(diff(&from.value(), &to.value(), options))
    }

    /// The value at `path` in the state at `position`.
    ///
    /// # Errors
    /// As [`Session::state_at`].
    pub fn value_at(&mut self, path: &Path, position: Position) -> Result<Option<Value>> {
        let state = self.state_at(position)?;
        Ok(if path.is_root() { Some(state.value()) } else { state.at(path).cloned() })
    }
}

/// Does work that takes and frees much memory on a thread of its own: the allocator has a heap for
/// each, and would set that of this one in order while a later question waits for its answer.
fn apart<T: Send>(work: impl Fn() -> T + Sync) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("diff".into());
        match thread.spawn_scoped(scope, &work) {
            Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(_) => work(),
        }
    })
}
