//! What happened before what: order within an actor, causes, and the start of agents.
//!
//! Lives here: [`Order`], made from a timeline when it is asked for. May not live here: the causes
//! themselves (see [`super::causality`]).
//!
//! Each actor's events are a chain: one after the other. A cause comes before its effect, and an
//! agent's first event after the one that spawned it. One event is before another where such steps
//! lead from it to the other; where none lead either way they are concurrent (Lamport 1978). The
//! clocks that tell this in one pass are vectors by chain (Fidge, Mattern 1988); only those that
//! a later event still needs are kept, and they share what they have in common.

use std::collections::BinaryHeap;

use imbl::OrdMap;
use rustc_hash::FxHashMap;

use super::Timeline;
use crate::fold;
use crate::model::{Kind, Path, Position};

/// How two events stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// They are one event.
    Same,
    /// The first happened before the second.
    Before,
    /// The first happened after the second.
    After,
    /// Neither can have known of the other.
    Concurrent,
}

/// Two concurrent events that wrote one path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Race {
    /// The later event in the log.
    pub second: Position,
    /// The earlier one.
    pub first: Position,
    /// What both wrote.
    pub path: Path,
}

/// How many writers before an event are compared with it, for one path.
const COMPARED: usize = 16;

/// A number for an actor.
type Chain = u32;

/// The latest known event of each chain.
type VectorClock = OrdMap<Chain, Position>;

/// The steps from each event to those right before it.
#[derive(Debug)]
pub struct Order {
    /// The chain of each event.
    chains: Vec<Chain>,
    /// For each event the one before it in its chain; 0 for none.
    previous: Vec<Position>,
    /// For each event its cause; 0 for none.
    causes: Vec<Position>,
    /// For an agent's events after it was spawned, the spawning event.
    spawned: FxHashMap<Position, Position>,
}

impl Order {
    /// The order of a timeline's events.
    #[must_use]
    pub fn new(timeline: &Timeline) -> Self {
        let events = timeline.head() as usize;
        let mut order = Self {
            chains: Vec::with_capacity(events),
            previous: Vec::with_capacity(events),
            causes: Vec::with_capacity(events),
            spawned: FxHashMap::default(),
        };
        let mut last: FxHashMap<Chain, Position> = FxHashMap::default();
        let mut spawns: FxHashMap<Chain, Position> = FxHashMap::default();
        for (position, row) in (1..).zip(timeline.rows()) {
            let chain = row.actor.0;
            order.chains.push(chain);
            order.previous.push(last.insert(chain, position).unwrap_or(0));
            // A cause that stands behind its effect is an anomaly, and no order.
            order.causes.push(timeline.earlier_cause(position).unwrap_or(0));
            if let Some(spawn) = spawns.remove(&chain) {
                order.spawned.insert(position, spawn);
            }
            if row.kind == Kind::AgentSpawned && row.agent != row.actor {
                spawns.insert(row.agent.0, position);
            }
        }
        order
    }

    fn chain(&self, position: Position) -> Option<Chain> {
        self.chains.get((position as usize).checked_sub(1)?).copied()
    }

    /// The events right before one: all others before it are before these.
    pub fn before(&self, position: Position) -> impl Iterator<Item = Position> + '_ {
        let at = (position as usize).checked_sub(1);
        let of = move |list: &Vec<Position>| at.and_then(|at| list.get(at).copied());
        let steps = [of(&self.previous), of(&self.causes), self.spawned.get(&position).copied()];
        steps.into_iter().flatten().filter(|p| *p != 0)
    }

    /// How `a` stands to `b`. Costs as much as there is between the two.
    #[must_use]
    pub fn relation(&self, a: Position, b: Position) -> Relation {
        match a.cmp(&b) {
            std::cmp::Ordering::Equal => Relation::Same,
            std::cmp::Ordering::Less if self.leads(a, b) => Relation::Before,
            std::cmp::Ordering::Greater if self.leads(b, a) => Relation::After,
            _ => Relation::Concurrent,
        }
    }

    /// Whether steps lead from `a` to the later `b`: they are followed back from there.
    fn leads(&self, a: Position, b: Position) -> bool {
        let mut seen = rustc_hash::FxHashSet::default();
        let mut open = BinaryHeap::from([b]);
        let wanted = self.chain(a);
        while let Some(position) = open.pop() {
            for step in self.before(position).filter(|step| *step >= a) {
                // Whoever knows a later event of the chain knows this one.
                if self.chain(step) == wanted {
                    return true;
                }
                if seen.insert(step) {
                    open.push(step);
                }
            }
        }
        false
    }

    /// The races of a timeline, in the order of their second events: for each event and path, the
    /// concurrent writers since its actor's own last write. Sums and counts are left out: nobody
    /// disagrees about them.
    #[must_use]
    pub fn races(&self, timeline: &Timeline) -> Vec<Race> {
        let mut pairs: FxHashMap<Position, Vec<(Position, Path)>> = FxHashMap::default();
        timeline.changes().each_leaf(|path, writers| {
            if !fold::is_tally(path) {
                self.rivals(path, writers, &mut pairs);
            }
        });
        if pairs.is_empty() {
            return Vec::new();
        }
        let mut races = Vec::new();
        self.each_clock(|position, clock| {
            for (first, path) in pairs.remove(&position).into_iter().flatten() {
                let known = self.chain(first).and_then(|chain| clock.get(&chain));
                if known.is_none_or(|known| *known < first) {
                    races.push(Race { second: position, first, path });
                }
            }
        });
        races.sort();
        races
    }

    /// For each writer of a path those of other actors since its own actor's last.
    fn rivals(
        &self,
        path: &Path,
        writers: &[Position],
        pairs: &mut FxHashMap<Position, Vec<(Position, Path)>>,
    ) {
        for (at, second) in writers.iter().enumerate() {
            let own = self.chain(*second);
            let before = writers[..at].iter().rev().take(COMPARED);
            let mut seen = smallvec::SmallVec::<[Chain; COMPARED]>::new();
            for first in before.take_while(|first| self.chain(**first) != own) {
                let Some(chain) = self.chain(*first).filter(|chain| !seen.contains(chain)) else {
                    continue;
                };
                seen.push(chain);
                pairs.entry(*second).or_default().push((*first, path.clone()));
            }
        }
    }

    /// Gives each event with what it knows: the latest event of each chain that is before it.
    fn each_clock(&self, mut each: impl FnMut(Position, &VectorClock)) {
        // How many later events will ask for an event's clock, but for the next of its chain.
        let mut wanted: FxHashMap<Position, u32> = FxHashMap::default();
        let across = |position: Position| {
            let cause = self.causes.get(position as usize - 1).copied().filter(|p| *p != 0);
            cause.into_iter().chain(self.spawned.get(&position).copied())
        };
        let head = Position::try_from(self.chains.len()).unwrap_or(Position::MAX);
        for position in 1..=head {
            across(position).for_each(|step| *wanted.entry(step).or_default() += 1);
        }
        let mut current: FxHashMap<Chain, VectorClock> = FxHashMap::default();
        let mut kept: FxHashMap<Position, VectorClock> = FxHashMap::default();
        for position in 1..=head {
            let Some(chain) = self.chain(position) else { break };
            let mut clock = current.remove(&chain).unwrap_or_default();
            for step in across(position) {
                if let Some(other) = kept.get(&step) {
                    join(&mut clock, other);
                }
                if let Some(left) = wanted.get_mut(&step) {
                    *left -= 1;
                    if *left == 0 {
                        kept.remove(&step);
                    }
                }
            }
            each(position, &clock);
            clock.insert(chain, position);
            if wanted.get(&position).is_some_and(|left| *left > 0) {
                kept.insert(position, clock.clone());
            }
            current.insert(chain, clock);
        }
    }
}

/// Makes `clock` know what `other` knows.
fn join(clock: &mut VectorClock, other: &VectorClock) {
    if clock.ptr_eq(other) {
        return;
    }
    if clock.is_empty() {
        *clock = other.clone();
        return;
    }
    let newer: Vec<(Chain, Position)> = clock
        .diff(other)
        .filter_map(|item| match item {
            imbl::ordmap::DiffItem::Add(chain, position) => Some((*chain, *position)),
            imbl::ordmap::DiffItem::Update { old, new } if new.1 > old.1 => Some((*new.0, *new.1)),
            _ => None,
        })
        .collect();
    for (chain, position) in newer {
        clock.insert(chain, position);
    }
}
