//! The state at any position, and what is read from it.
//!
//! Lives here: folding on from a kept version, and the states that are kept near the playhead. May
//! not live here: which versions a timeline keeps (see [`crate::timeline::keyframes`]).

use super::{Session, beyond};
use crate::diff::{DiffEntry, DiffOptions, diff};
use crate::error::{Error, ErrorKind, Result};
use crate::fold::{self, Change, State};
use crate::model::{Path, Position, Value};

/// How many re-folded states are kept near the playhead.
const CACHED_STATES: usize = 64;
/// While folding from a kept version, every so many events a state is cached.
const CACHE_STRIDE: Position = 16;

impl Session {
    /// The state at `position`.
    ///
    /// # Errors
    /// Not found beyond the head; unavailable when the log cannot be read again.
    pub fn state_at(&mut self, position: Position) -> Result<State> {
        if position > self.timeline.head() {
            return Err(self.no_state_yet(position));
        }
        let state = self.make_state(position)?;
        if self.timeline.is_lost() {
            let what = "versions of the state that were put aside cannot be read again";
            return Err(Error::new(ErrorKind::Unavailable, what)
                .with_hint("look whether the disk is in order, and open the issue once more"));
        }
        Ok(state)
    }

    /// The state at `position` for those who look at much of it: what they read for that does not
    /// stay in memory with the states that are kept.
    fn fresh_state_at(&mut self, position: Position) -> Result<State> {
        let mut state = self.state_at(position)?;
        self.timeline.freshen(&mut state);
        Ok(state)
    }

    fn make_state(&mut self, position: Position) -> Result<State> {
        let kept = self.timeline.nearest_kept(position);
        let cached = self.cache.iter().filter(|(p, _)| (kept..=position).contains(p));
        let (mut at, mut state) = match cached.max_by_key(|(p, _)| *p) {
            Some((near, cached)) => (*near, cached.clone()),
            None => {
                let (kept, state) = self.timeline.kept(kept);
                if kept > 0 && kept < self.timeline.head() {
                    // It may have been unpacked, and its neighbours are asked for next.
                    self.remember(kept, &state);
                }
                (kept, state)
            }
        };
        if at == position {
            return Ok(state);
        }
        for event in self.events(at + 1..position + 1)? {
            fold::advance(&mut state, &event);
            at += 1;
            if at == position || at.is_multiple_of(CACHE_STRIDE) {
                self.remember(at, &state);
            }
        }
        Ok(state)
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
        // Whoever asks what an event did asks for the state after it, too.
        self.remember(position, &state);
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
        let from = self.fresh_state_at(from)?;
        let to = self.fresh_state_at(to)?;
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
