//! Kept versions of the state: starting points for folding to any position.
//!
//! Lives here: which versions are kept, and how. May not live here: folding. There is one every
//! [`STRIDE`] events, and they are numbered from 1. Few are whole, sharing what did not change with
//! their neighbours. Of the others only what changed since an older one is kept, packed: even shared
//! trees take many times that.
//!
//! Which older one goes by the number in base four: from 4·k on there are steps of one, from 16·k on
//! steps of four, and so on. So a version is at most three steps of each length away from a whole
//! one, and what was written over and over is taken up once in a long step.
//!
//! In a long log all of this is put aside, into a file ([`Keyframes::put_aside`]): whole versions as
//! trees that share there what did not change, and are read again where they are looked at.
//!
//! The versions that were made again last are remembered. Another one nearby goes on from one of
//! them: it is there sooner, and two that share more are compared sooner.

mod packed;

use std::sync::{Arc, Mutex, PoisonError};

use crate::fold::State;
use crate::model::Position;
use crate::model::value::spill::{Spill, Stored};
use packed::{Packed, Packer, Unpacker};

/// How many events lie between two kept versions. To take up the changes of so many events costs
/// less than folding ten of them.
pub const STRIDE: Position = 32;
/// In a short log one version out of so many is whole; in a long one in memory fewer are, so that
/// they stay about [`MOST_WHOLE`].
const WHOLE_EVERY: Position = 16;
/// Where versions are put aside, one out of so many is whole.
const ASIDE_EVERY: Position = 4;
/// Beyond so many whole ones in memory those with the shortest steps are packed, one at a time.
const MOST_WHOLE: usize = 1536;
/// How many versions that were made again are remembered.
const MOST_RECENT: usize = 16;

/// The kept versions of one log, evenly spaced.
#[derive(Debug)]
pub struct Keyframes {
    /// The version of number `index + 1`.
    versions: Vec<Version>,
    /// For each length of step the last version that such a step may start from.
    last: Vec<State>,
    /// How many are whole, in memory.
    whole: usize,
    /// One version out of so many is whole at first.
    whole_every: Position,
    thinned: Thinned,
    /// Where versions are put aside.
    spill: Option<Arc<Spill>>,
    again: Mutex<Again>,
    packer: Packer,
}

/// For making versions again.
#[derive(Debug, Default)]
struct Again {
    /// Those that were, by their numbers; the last one last.
    recent: Vec<(Position, State)>,
    unpacker: Unpacker,
}

/// Which whole versions were packed because there were too many.
#[derive(Debug)]
struct Thinned {
    /// Those with steps of this level are being packed; those below it are.
    level: u32,
    /// Up to this number.
    until: Position,
}

#[derive(Debug)]
enum Version {
    Whole(State),
    /// A whole one that was put aside.
    Aside(Stored),
    /// What changed since the version before, by [`older`].
    Changes(Packed),
}

impl Default for Keyframes {
    fn default() -> Self {
        Self::for_events(0)
    }
}

/// The step that leads to a version is 4 to the power of this.
fn level(number: Position) -> u32 {
    number.trailing_zeros() / 2
}

/// The number of the version that this one is packed against; 0 for the empty state.
fn older(number: Position) -> Position {
    number - (1 << (2 * level(number)))
}

/// Whether the state at this position is one to keep.
#[must_use]
pub fn is_due(position: Position) -> bool {
    position.is_multiple_of(STRIDE)
}

impl Keyframes {
    /// No versions yet, of a log of about so many events. A guess that is far off costs work or
    /// memory, and nothing else.
    #[must_use]
    pub fn for_events(events: u64) -> Self {
        let versions = events / u64::from(STRIDE);
        let mut whole_every = WHOLE_EVERY;
        while versions / u64::from(whole_every) > MOST_WHOLE as u64 && whole_every < 128 {
            whole_every *= 2;
        }
        Self {
            versions: Vec::new(),
            last: Vec::new(),
            whole: 0,
            whole_every,
            thinned: Thinned { level: level(whole_every), until: 0 },
            spill: None,
            again: Mutex::default(),
            packer: Packer::default(),
        }
    }

    /// From now on versions are put aside into `spill`, and those that are whole already too.
    pub fn put_aside(&mut self, spill: Arc<Spill>) {
        for version in &mut self.versions {
            if let Version::Whole(state) = version
                && let Some(stored) = state.put_aside(&spill)
            {
                *version = Version::Aside(stored);
                self.whole -= 1;
            }
        }
        if self.versions.is_empty() {
            self.whole_every = ASIDE_EVERY;
            self.thinned = Thinned { level: level(ASIDE_EVERY), until: 0 };
        }
        self.spill = Some(spill);
    }

    /// Keeps the state at `position` if it is due. Positions come in order without a gap.
    pub fn offer(&mut self, position: Position, state: &State) {
        if !is_due(position) {
            return;
        }
        let number = position / STRIDE;
        let level = level(number);
        if !number.is_multiple_of(self.whole_every) || level < self.thinned.level {
            let changes = match self.last.get(level as usize) {
                Some(older) => state.since(older),
                None => state.since(&State::new()),
            };
            let packed = self.packer.pack(changes, self.spill.as_deref());
            self.versions.push(Version::Changes(packed));
        } else {
            self.keep_whole(state);
        }
        // Of longer steps than that there are none to whole versions.
        let longest = self.longest_step();
        let level = level.min(longest) as usize;
        let steps = (level + 1).max(self.last.len());
        self.last.resize_with(steps, State::new);
        self.last[..=level].fill(state.clone());
    }

    /// The level of the longest step to a version that may have to be packed.
    fn longest_step(&self) -> u32 {
        level(self.whole_every).max(self.thinned.level)
    }

    fn keep_whole(&mut self, state: &State) {
        let spill = self.spill.as_ref();
        if let Some(stored) = spill.and_then(|spill| state.put_aside(spill)) {
            self.versions.push(Version::Aside(stored));
            return;
        }
        self.versions.push(Version::Whole(state.clone()));
        self.whole += 1;
        if self.whole > MOST_WHOLE {
            self.thin();
        }
    }

    /// Packs the next whole version of those with the shortest steps.
    fn thin(&mut self) {
        if self.next_to_pack().is_none() {
            self.thinned = Thinned { level: self.thinned.level + 1, until: 0 };
        }
        let Some(number) = self.next_to_pack() else { return };
        self.thinned.until = number;
        let (position, before) = self.version(older(number));
        if let Some(Version::Whole(state)) = self.versions.get(number as usize - 1)
            && position == older(number) * STRIDE
        {
            let packed = self.packer.pack(state.since(&before), self.spill.as_deref());
            self.versions[number as usize - 1] = Version::Changes(packed);
            self.whole -= 1;
        }
    }

    fn next_to_pack(&self) -> Option<Position> {
        let kept = Position::try_from(self.versions.len()).unwrap_or(Position::MAX);
        let first = (self.thinned.until / self.whole_every + 1) * self.whole_every;
        let mut wholes = (first..kept).step_by(self.whole_every as usize);
        wholes.find(|number| level(*number) == self.thinned.level)
    }

    /// The position of the kept version nearest before or at `position`; 0 for the empty state.
    #[must_use]
    pub fn nearest(&self, position: Position) -> Position {
        self.number(position) * STRIDE
    }

    /// The kept version nearest before or at `position`, and its position. (One before that, should
    /// there be no memory to unpack it.)
    #[must_use]
    pub fn at(&self, position: Position) -> (Position, State) {
        self.version(self.number(position))
    }

    fn number(&self, position: Position) -> Position {
        let kept = Position::try_from(self.versions.len()).unwrap_or(Position::MAX);
        (position / STRIDE).min(kept)
    }

    /// The version of this number and its position; 0 is the empty state.
    fn version(&self, number: Position) -> (Position, State) {
        let mut again = self.again.lock().unwrap_or_else(PoisonError::into_inner);
        let Again { recent, unpacker } = &mut *again;
        let mut steps = Vec::new();
        let mut at = number;
        let mut state = State::new();
        while let Some(version) = self.versions.get((at as usize).wrapping_sub(1)) {
            if let Some((_, known)) = recent.iter().rev().find(|(known, _)| *known == at) {
                state.clone_from(known);
                break;
            }
            let Version::Changes(packed) = version else {
                state = self.whole(version);
                break;
            };
            steps.push((at, packed));
            at = older(at);
        }
        let mut sure = (at, state.clone());
        for (step, packed) in steps.into_iter().rev() {
            if !unpacker.apply(packed, &mut state, self.spill.as_deref()) {
                break;
            }
            // To remember a version has its price: the next step copies what it changes.
            if level(step) > 0 || step == number {
                sure = (step, state.clone());
                recent.push(sure.clone());
            }
        }
        let gone = recent.len().saturating_sub(MOST_RECENT);
        recent.drain(..gone);
        (sure.0 * STRIDE, sure.1)
    }

    /// A whole version; the empty state for one that is not.
    fn whole(&self, version: &Version) -> State {
        match (version, &self.spill) {
            (Version::Whole(state), _) => state.clone(),
            (Version::Aside(stored), Some(spill)) => State::aside(spill, *stored),
            _ => State::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Map, Path, Value};

    /// A state that says of which position it is, with a thing that comes and goes.
    fn state(n: Position) -> State {
        let mut root = Map::new();
        root.map_mut(&"counters".into()).insert("events", Value::from(n));
        let mut thing = |name: &'static str, key: &str, text: &str| {
            root.map_mut(&name.into()).map_mut(&key.into()).insert("text", Value::text(text));
        };
        thing("tasks", &format!("t{}", n / 1000), &"x".repeat(700));
        if n.is_multiple_of(3) {
            thing("gaps", "g", "open");
        }
        State::from_value(Value::Map(root)).unwrap()
    }

    fn check(keyframes: &Keyframes, at: Position) {
        let (found, version) = keyframes.at(at);
        assert_eq!(found, keyframes.nearest(at));
        assert!(found <= at && at - found < STRIDE, "{found} for {at}");
        assert_eq!(version, if found == 0 { State::new() } else { state(found) }, "{found}");
    }

    #[test]
    fn the_nearest_version_is_never_late_and_never_far() {
        let mut keyframes = Keyframes::default();
        for events in [0, 1_000_000, 100_000_000] {
            keyframes = Keyframes::for_events(events);
            for n in 1..=20_000 {
                keyframes.offer(n, &state(n));
            }
            for at in (0..20_000).step_by(13).chain([63, 64, 65, 20_000, 20_001]) {
                check(&keyframes, at.min(20_000));
            }
        }
        let events = Path::of(["counters", "events"]);
        let held = keyframes.at(20_000).1.at(&events).and_then(Value::as_i64);
        assert_eq!(held, Some(i64::from(20_000 / STRIDE * STRIDE)));
    }

    #[test]
    fn whole_versions_are_few_however_long_the_log() {
        let mut keyframes = Keyframes::default();
        // (Only multiples of the stride are looked at.)
        for number in 1..=80_000 {
            keyframes.offer(number * STRIDE, &state(number * STRIDE));
        }
        let whole = keyframes.versions.iter().filter(|v| matches!(v, Version::Whole(_))).count();
        assert_eq!(whole, keyframes.whole);
        assert!((MOST_WHOLE / 4..=MOST_WHOLE).contains(&whole), "{whole}");
        let mut most = 0;
        for number in (1..=80_000).step_by(37).chain([31, 32, 4096, 16_384, 65_536, 80_000]) {
            check(&keyframes, number * STRIDE + 5);
            let mut at = number;
            let mut steps = 0;
            while matches!(keyframes.versions[at as usize - 1], Version::Changes(_)) {
                at = older(at);
                steps += 1;
                if at == 0 {
                    break;
                }
            }
            most = most.max(steps);
        }
        assert!((7..=12).contains(&most), "{most} steps to a whole version");
    }
}
