//! The causal tree of an event: what led to it, and what it led to.
//!
//! Lives here: [`Tracer`]. May not live here: how causes are known (see [`crate::timeline`]).

use rustc_hash::FxHashSet;

use crate::model::Position;
use crate::timeline::{Cause, Timeline};

/// How many events one tree shows at most.
pub const MOST: usize = 10_000;

/// How deep a tree is at most. As JSON each level is two, and many parsers refuse more than 128.
pub const DEEPEST: u16 = 60;

/// An event in a causal tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The event.
    pub position: Position,
    /// How its link to the node above is known: `causation`, `rule:NAME`, or `actor` for the event
    /// before it by the same actor.
    pub link: String,
    /// What is behind it.
    pub children: Vec<Node>,
}

/// Causal trees, and whether that is all there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traced {
    /// The events next to the one that was asked for, with what is behind them.
    pub nodes: Vec<Node>,
    /// Whether the tree goes on beyond what is here.
    pub cut: bool,
}

/// The links of a timeline, both ways.
#[derive(Debug)]
pub struct Tracer<'a> {
    timeline: &'a Timeline,
    /// Causes with their effects, sorted.
    effects: Vec<(Position, Position)>,
}

impl<'a> Tracer<'a> {
    /// The links of this timeline.
    #[must_use]
    pub fn new(timeline: &'a Timeline) -> Self {
        let cause = |effect| timeline.cause(effect).map(|cause| (cause.position, effect));
        let mut effects: Vec<_> = (1..=timeline.head()).filter_map(cause).collect();
        effects.sort_unstable();
        Self { timeline, effects }
    }

    /// What led to an event: its cause, and so on. Where no cause is known, what its actor did
    /// before stands in for one.
    #[must_use]
    pub fn causes(&self, position: Position, depth: u16) -> Traced {
        let mut seen = FxHashSet::from_iter([position]);
        let mut chain = Vec::new();
        let (mut here, mut cut) = (position, false);
        while let Some((before, link)) = self.step_back(here) {
            // Ids can be made to point in a circle.
            if !seen.insert(before) {
                break;
            }
            if chain.len() >= usize::from(depth.min(DEEPEST)) {
                cut = true;
                break;
            }
            chain.push((before, link));
            here = before;
        }
        // From the far end, so that each takes the one behind it.
        let nodes = chain
            .into_iter()
            .rev()
            .fold(Vec::new(), |children, (position, link)| vec![Node { position, link, children }]);
        Traced { nodes, cut }
    }

    fn step_back(&self, position: Position) -> Option<(Position, String)> {
        if let Some(cause) = self.timeline.cause(position) {
            return Some((cause.position, cause.link.to_string()));
        }
        let row = self.timeline.row(position).filter(|row| !row.actor.is_empty())?;
        let mut before = (1..position).rev();
        let same = before.find(|p| self.timeline.row(*p).is_some_and(|r| r.actor == row.actor))?;
        Some((same, "actor".to_owned()))
    }

    /// What an event led to: the events whose cause it is, and so on below.
    #[must_use]
    pub fn effects(&self, position: Position, depth: u16) -> Traced {
        let mut seen = FxHashSet::from_iter([position]);
        let mut cut = false;
        let nodes = self.effects_below(position, depth.min(DEEPEST), &mut seen, &mut cut);
        Traced { nodes, cut }
    }

    fn effects_below(
        &self,
        position: Position,
        depth: u16,
        seen: &mut FxHashSet<Position>,
        cut: &mut bool,
    ) -> Vec<Node> {
        let first = self.effects.partition_point(|(cause, _)| *cause < position);
        let here = self.effects[first..].iter().take_while(|(cause, _)| *cause == position);
        let mut nodes = Vec::new();
        for (_, effect) in here {
            if seen.contains(effect) {
                continue;
            }
            if depth == 0 || seen.len() > MOST {
                *cut = true;
                break;
            }
            seen.insert(*effect);
            let link = self.timeline.cause(*effect).map(|Cause { link, .. }| link.to_string());
            let children = self.effects_below(*effect, depth - 1, seen, cut);
            nodes.push(Node { position: *effect, link: link.unwrap_or_default(), children });
        }
        nodes
    }
}
