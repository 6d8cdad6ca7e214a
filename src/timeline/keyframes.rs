//! Kept versions of the state: starting points for folding to any position.
//!
//! Lives here: which versions are kept, and how. May not live here: folding. There is one every
//! [`STRIDE`] events. Some are whole, sharing what did not change with their neighbours; of those
//! between only what changed since the one before is kept, packed: even shared trees take many
//! times that.

use zstd::bulk::Decompressor;

use crate::fold::State;
use crate::model::Position;

/// How many events lie between two kept versions. To take up the changes of so many events costs
/// less than folding ten of them.
pub const STRIDE: Position = 64;
/// In a short log one version out of so many is whole.
const WHOLE_EVERY: usize = 8;
/// In a long one fewer are, so that they stay about so many.
const WHOLE: u64 = 1000;
/// Beyond so many every second of them is packed, one at a time.
const MOST_WHOLE: usize = 1536;
/// Below so many bytes a packed version is not worth compressing.
const WORTH_COMPRESSING: usize = 512;
/// The quickest level: these are thousands of small pieces.
const LEVEL: i32 = 1;

/// The kept versions of one log, evenly spaced.
#[derive(Debug)]
pub struct Keyframes {
    /// The version at position `(index + 1) * STRIDE`.
    versions: Vec<Version>,
    /// Each of so many is whole at first.
    whole_every: usize,
    /// The last of them.
    last: State,
    whole: usize,
    /// Made once: making it costs more than a version.
    compressor: Option<Compressor>,
    /// Before this index every second whole version was packed already.
    thinned: usize,
}

/// Whether the state at this position is one to keep.
#[must_use]
pub fn is_due(position: Position) -> bool {
    position.is_multiple_of(STRIDE)
}

#[derive(Debug)]
enum Version {
    Whole(State),
    /// What changed since the version before.
    Changes(Box<[u8]>),
    /// The same, compressed: how many bytes it was, and the bytes.
    Compressed(usize, Box<[u8]>),
}

/// (It has no `Debug` of its own.)
struct Compressor(zstd::bulk::Compressor<'static>);

impl std::fmt::Debug for Compressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Compressor")
    }
}

impl Default for Keyframes {
    fn default() -> Self {
        Self::for_events(0)
    }
}

impl Keyframes {
    /// No versions yet, of a log of about so many events.
    #[must_use]
    pub fn for_events(events: u64) -> Self {
        let wanted = events / u64::from(STRIDE) / WHOLE;
        let whole_every = usize::try_from(wanted).unwrap_or(WHOLE_EVERY).clamp(WHOLE_EVERY, 32);
        let versions = Vec::new();
        let last = State::new();
        Self { versions, whole_every, last, whole: 0, compressor: None, thinned: 0 }
    }

    /// Keeps the state at `position` if it is due. Positions come in order without a gap.
    pub fn offer(&mut self, position: Position, state: &State) {
        if !is_due(position) {
            return;
        }
        if self.versions.len().is_multiple_of(self.whole_every) {
            self.versions.push(Version::Whole(state.clone()));
            self.whole += 1;
            if self.whole > MOST_WHOLE {
                self.thin();
            }
        } else {
            let changes = state.since(&self.last);
            let version = self.packed(changes);
            self.versions.push(version);
        }
        self.last = state.clone();
    }

    /// Packs one of the whole versions, the next one after one that stays.
    fn thin(&mut self) {
        let wholes = |from: usize, versions: &[Version]| {
            let rest = versions.iter().enumerate().skip(from);
            rest.filter(|(_, v)| matches!(v, Version::Whole(_))).map(|(at, _)| at).nth(1)
        };
        let mut found = wholes(self.thinned, &self.versions);
        if found.is_none_or(|at| at + 1 == self.versions.len()) {
            // All were thinned: from the beginning, to half as many again.
            self.thinned = 0;
            found = wholes(0, &self.versions);
        }
        let Some(at) = found else { return };
        let (position, before) = self.version(Position::try_from(at).unwrap_or(Position::MAX));
        if let Some(Version::Whole(state)) = self.versions.get(at)
            && position as usize == at * STRIDE as usize
        {
            let changes = state.since(&before);
            self.versions[at] = self.packed(changes);
            self.whole -= 1;
        }
        self.thinned = at + 1;
    }

    fn packed(&mut self, changes: Vec<u8>) -> Version {
        if changes.len() < WORTH_COMPRESSING {
            return Version::Changes(changes.into());
        }
        if self.compressor.is_none() {
            self.compressor = zstd::bulk::Compressor::new(LEVEL).ok().map(Compressor);
        }
        let compressor = self.compressor.as_mut();
        match compressor.and_then(|Compressor(compressor)| compressor.compress(&changes).ok()) {
            Some(bytes) => Version::Compressed(changes.len(), bytes.into()),
            None => Version::Changes(changes.into()),
        }
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
        let versions = self.versions.get(..number as usize).unwrap_or_default();
        let from = versions.iter().rposition(|v| matches!(v, Version::Whole(_)));
        let whole = match from.map(|at| &versions[at]) {
            Some(Version::Whole(state)) => state.clone(),
            _ => State::new(),
        };
        let packed = &versions[from.map_or(0, |at| at + 1)..];
        let mut state = whole.clone();
        let mut decompressor = None;
        if packed.iter().all(|version| version.apply(&mut state, &mut decompressor)) {
            return (number * STRIDE, state);
        }
        let behind = Position::try_from(packed.len()).unwrap_or(number);
        ((number - behind) * STRIDE, whole)
    }
}

impl Version {
    /// Makes this version of the one before; false where that cannot be.
    fn apply(&self, state: &mut State, decompressor: &mut Option<Decompressor<'static>>) -> bool {
        match self {
            Self::Whole(whole) => {
                state.clone_from(whole);
                true
            }
            Self::Changes(changes) => state.catch_up(changes),
            Self::Compressed(length, bytes) => {
                if decompressor.is_none() {
                    *decompressor = Decompressor::new().ok();
                }
                let changes = decompressor.as_mut().and_then(|d| d.decompress(bytes, *length).ok());
                changes.is_some_and(|changes| state.catch_up(&changes))
            }
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
        for events in [0, 400_000, 2_000_000] {
            let mut keyframes = Keyframes::for_events(events);
            for n in 1..=20_000 {
                keyframes.offer(n, &state(n));
            }
            for at in [0, 1, 63, 64, 65, 999, 1000, 12_345, 19_999, 20_000, 20_001] {
                check(&keyframes, at.min(20_000));
            }
            let events = Path::of(["counters", "events"]);
            let held = keyframes.at(20_000).1.at(&events).and_then(Value::as_i64);
            assert_eq!(held, Some(i64::from(20_000 / STRIDE * STRIDE)));
        }
    }

    #[test]
    fn whole_versions_are_few_however_long_the_log() {
        let mut keyframes = Keyframes::default();
        // (Only multiples of the stride are looked at.)
        for number in 1..=16_000 {
            keyframes.offer(number * STRIDE, &state(number * STRIDE));
        }
        let whole = keyframes.versions.iter().filter(|v| matches!(v, Version::Whole(_))).count();
        assert_eq!(whole, keyframes.whole);
        assert!(whole <= MOST_WHOLE, "{whole}");
        assert!(matches!(keyframes.versions[0], Version::Whole(_)));
        let mut apart = 0;
        for number in (1..=16_000).step_by(37) {
            check(&keyframes, number * STRIDE + 5);
            let before = &keyframes.versions[..number as usize];
            let whole = before.iter().rposition(|v| matches!(v, Version::Whole(_)));
            apart = apart.max(number as usize - whole.unwrap());
        }
        assert!(apart <= 4 * WHOLE_EVERY, "{apart} packed versions in a row");
    }
}
