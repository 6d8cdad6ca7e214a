//! Kept versions of the state: starting points for folding to any position.
//!
//! Lives here: which versions are kept. May not live here: folding. A version costs only what
//! changed since the one before; their number is bounded, so their distance grows with the log.

use crate::fold::State;
use crate::model::Position;

/// The distance between versions while the log is short.
const FIRST_STRIDE: Position = 32;
/// The most versions kept; when they are reached every second is dropped.
const MOST: usize = 2048;

/// The kept versions of one log, evenly spaced.
#[derive(Debug)]
pub struct Keyframes {
    stride: Position,
    /// The version at position `(index + 1) * stride`.
    versions: Vec<State>,
}

impl Default for Keyframes {
    fn default() -> Self {
        Self { stride: FIRST_STRIDE, versions: Vec::new() }
    }
}

impl Keyframes {
    /// Keeps the state at `position` if it is due. Positions come in order without a gap.
    pub fn offer(&mut self, position: Position, state: &State) {
        if !position.is_multiple_of(self.stride) {
            return;
        }
        self.versions.push(state.clone());
        if self.versions.len() >= MOST {
            // Those at odd multiples of the stride go: what stays are multiples of twice the stride.
            let mut index = 0;
            self.versions.retain(|_| {
                index += 1;
                index % 2 == 0
            });
            self.stride *= 2;
        }
    }

    /// The kept version nearest before or at `position`.
    #[must_use]
    pub fn nearest(&self, position: Position) -> (Position, State) {
        let kept = Position::try_from(self.versions.len()).unwrap_or(Position::MAX);
        let index = (position / self.stride).min(kept);
        match (index as usize).checked_sub(1).and_then(|at| self.versions.get(at)) {
            Some(state) => (index * self.stride, state.clone()),
            None => (0, State::new()),
        }
    }

    /// How many events lie between two kept versions.
    #[must_use]
    pub fn stride(&self) -> Position {
        self.stride
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Map, Value};

    fn state(n: Position) -> State {
        let counters: Map = [("events", Value::from(n))].into_iter().collect();
        let root: Map = [("counters", Value::Map(counters))].into_iter().collect();
        State::from_value(Value::Map(root)).unwrap()
    }

    #[test]
    fn the_nearest_version_is_never_late_and_never_far() {
        let mut keyframes = Keyframes::default();
        for n in 1..=200_000 {
            keyframes.offer(n, &state(n));
        }
        assert!(keyframes.versions.len() < MOST);
        for at in [0, 1, 31, 32, 33, 99_999, 123_456, 200_000] {
            let (found, version) = keyframes.nearest(at);
            assert!(found <= at && at - found < keyframes.stride(), "{found} for {at}");
            let held =
                version.at(&crate::model::Path::of(["counters", "events"])).and_then(Value::as_i64);
            assert_eq!(held.unwrap_or(0), i64::from(found));
        }
    }
}
