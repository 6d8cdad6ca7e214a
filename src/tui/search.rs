//! Searching: the events' text, or the state's keys, values and paths; a bit at a time.
//!
//! Lives here: what is searched for and how far the search is. May not live here: moving to a hit.

use std::time::Duration;

use super::nav::Way;
use crate::error::Result;
use crate::model::{Key, Path, Position, Value};
use crate::session::{Found, Session};

/// How long one bit of work takes at most.
const BUDGET: Duration = Duration::from_millis(8);
/// How many nodes of the state one bit of work looks at.
const NODES: usize = 20_000;
/// How many hits in a state are remembered.
const MOST_HITS: usize = 10_000;

/// Where a search looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the events' text.
    Events,
    /// In the state's keys, values and paths.
    State,
}

/// What is searched for, and the search that is running, if any.
#[derive(Debug)]
pub struct Search {
    /// The text, as typed.
    pub needle: String,
    /// Where.
    pub place: Place,
    run: Option<Run>,
    /// The hits in the state at a position, once all were found.
    hits: Option<(Position, Vec<Path>)>,
}

#[derive(Debug)]
enum Run {
    Events { way: Way, reached: Position, origin: Position, wrapped: bool },
    State { way: Way, position: Position, from: Path, walk: Box<Walk> },
}

/// What a bit of work came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing yet.
    Working,
    /// A hit in an event; whether the search went round the end.
    Event(Position, bool),
    /// A hit in the state; which one of how many.
    Path(Path, usize, usize),
    /// There is none.
    Nothing,
}

impl Search {
    /// A search for `needle`; it starts with [`Search::go`].
    #[must_use]
    pub fn new(needle: &str, place: Place) -> Self {
        Self { needle: needle.to_owned(), place, run: None, hits: None }
    }

    /// Whether it is running.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.run.is_some()
    }

    /// Stops it.
    pub fn stop(&mut self) {
        self.run = None;
    }

    /// Looks for the next hit from a position, or from a path in the state there.
    pub fn go(&mut self, way: Way, position: Position, selected: &Path, root: &Value) {
        self.run = Some(match self.place {
            Place::Events => {
                Run::Events { way, reached: position, origin: position, wrapped: false }
            }
            Place::State => {
                let known = self.hits.take().filter(|(at, _)| *at == position);
                let walk = match known {
                    Some((_, hits)) => Walk { hits, ..Walk::default() },
                    None => Walk::new(root.clone(), &self.needle),
                };
                Run::State { way, position, from: selected.clone(), walk: Box::new(walk) }
            }
        });
    }

    /// How far it is, in hundredths; none when that is not known.
    #[must_use]
    pub fn progress(&self, head: Position) -> Option<u32> {
        match self.run.as_ref()? {
            Run::Events { way, reached, origin, wrapped } => {
                let (reached, origin, head) =
                    (u64::from(*reached), u64::from(*origin), u64::from(head));
                let done = match (way, wrapped) {
                    (Way::Forward, false) => reached - origin.min(reached),
                    (Way::Forward, true) => head - origin.min(head) + reached,
                    (Way::Back, false) => origin - reached.min(origin),
                    (Way::Back, true) => origin + head - reached.min(head),
                };
                u32::try_from(done * 100 / head.max(1)).ok()
            }
            Run::State { .. } => None,
        }
    }

    /// Goes on for a moment.
    ///
    /// # Errors
    /// Those of reading the log again; the search stops.
    pub fn work(&mut self, session: &mut Session) -> Result<Outcome> {
        match self.run.take() {
            None => Ok(Outcome::Nothing),
            Some(Run::Events { way, reached, origin, wrapped }) => {
                self.work_events(session, way, reached, origin, wrapped)
            }
            Some(Run::State { way, position, from, mut walk }) => {
                if !walk.step(NODES) {
                    self.run = Some(Run::State { way, position, from, walk });
                    return Ok(Outcome::Working);
                }
                let outcome = pick(&walk.hits, &from, way);
                self.hits = Some((position, walk.hits));
                Ok(outcome)
            }
        }
    }

    fn work_events(
        &mut self,
        session: &mut Session,
        way: Way,
        reached: Position,
        origin: Position,
        wrapped: bool,
    ) -> Result<Outcome> {
        let forward = way == Way::Forward;
        let found = session.search(&self.needle, reached, forward, BUDGET)?;
        let beyond = |at: Position| wrapped && if forward { at > origin } else { at < origin };
        match found {
            Found::At(at) if beyond(at) => Ok(Outcome::Nothing),
            Found::At(at) => Ok(Outcome::Event(at, wrapped)),
            Found::Budget { reached } if !beyond(reached) => {
                self.run = Some(Run::Events { way, reached, origin, wrapped });
                Ok(Outcome::Working)
            }
            Found::Nothing if !wrapped => {
                let reached = if forward { 0 } else { session.head().saturating_add(1) };
                self.run = Some(Run::Events { way, reached, origin, wrapped: true });
                Ok(Outcome::Working)
            }
            _ => Ok(Outcome::Nothing),
        }
    }
}

/// The hit after the selected path, or before it, round and round.
fn pick(hits: &[Path], from: &Path, way: Way) -> Outcome {
    let count = hits.len();
    let chosen = match way {
        Way::Forward => hits.iter().position(|hit| order(hit, from).is_gt()).unwrap_or(0),
        Way::Back => {
            hits.iter().rposition(|hit| order(hit, from).is_lt()).unwrap_or(count.saturating_sub(1))
        }
    };
    match hits.get(chosen) {
        Some(hit) => Outcome::Path(hit.clone(), chosen + 1, count),
        None => Outcome::Nothing,
    }
}

/// The order in which the tree shows paths: items of lists by their numbers.
pub(super) fn order(a: &Path, b: &Path) -> std::cmp::Ordering {
    let number = |key: &Key| key.parse::<u64>().ok();
    let pairs = a.keys().iter().zip(b.keys());
    let first = pairs.map(|(a, b)| match (number(a), number(b)) {
        (Some(x), Some(y)) => x.cmp(&y),
        _ => a.cmp(b),
    });
    first.into_iter().find(|o| o.is_ne()).unwrap_or_else(|| a.depth().cmp(&b.depth()))
}

/// A walk through a tree that can stop anywhere and go on.
#[derive(Debug, Default)]
struct Walk {
    root: Option<Value>,
    needle: String,
    /// Which child is next, at each depth.
    next: Vec<usize>,
    hits: Vec<Path>,
}

impl Walk {
    fn new(root: Value, needle: &str) -> Self {
        Self { root: Some(root), needle: needle.to_lowercase(), ..Self::default() }
    }

    /// Looks at so many nodes; true when all were looked at.
    fn step(&mut self, mut nodes: usize) -> bool {
        let Some(root) = self.root.take() else { return true };
        let done = self.go(&root, &mut Path::root(), 0, &mut nodes);
        if !done && self.hits.len() < MOST_HITS {
            self.root = Some(root);
            return false;
        }
        true
    }

    fn go(&mut self, value: &Value, path: &mut Path, depth: usize, nodes: &mut usize) -> bool {
        let whole = match value {
            Value::Map(map) => {
                let skip = self.next.get(depth).copied().unwrap_or(0);
                map.iter()
                    .enumerate()
                    .skip(skip)
                    .all(|(index, (key, child))| self.visit(index, key, child, path, depth, nodes))
            }
            Value::List(items) => {
                let skip = self.next.get(depth).copied().unwrap_or(0);
                items.iter().enumerate().skip(skip).all(|(index, child)| {
                    self.visit(index, &Key::from(index.to_string()), child, path, depth, nodes)
                })
            }
            _ => true,
        };
        if whole {
            self.next.truncate(depth);
        }
        whole
    }

    fn visit(
        &mut self,
        index: usize,
        key: &Key,
        value: &Value,
        path: &mut Path,
        depth: usize,
        nodes: &mut usize,
    ) -> bool {
        // A deeper entry means that this node was looked at before the walk stopped below it.
        let resumed = self.next.len() > depth + 1;
        if *nodes == 0 {
            if self.next.len() <= depth {
                self.next.push(index);
            }
            self.next[depth] = index;
            return false;
        }
        path.push(key.clone());
        if !resumed {
            *nodes -= 1;
            self.next.truncate(depth);
            self.next.push(index);
            if self.hits.len() < MOST_HITS && matches(&self.needle, key, value, path) {
                self.hits.push(path.clone());
            }
            // Marks this node as looked at, should the walk stop below it.
            self.next.push(0);
        }
        let whole = self.go(value, path, depth + 1, nodes);
        path.pop();
        if whole {
            self.next.truncate(depth + 1);
        }
        whole && self.hits.len() < MOST_HITS
    }
}

fn matches(needle: &str, key: &Key, value: &Value, path: &Path) -> bool {
    if key.to_lowercase().contains(needle) {
        return true;
    }
    let in_value = match value {
        Value::Text(text) => text.to_lowercase().contains(needle),
        Value::Long(long) => long.head.to_lowercase().contains(needle),
        Value::Map(_) | Value::List(_) => false,
        other => other.to_json().contains(needle),
    };
    in_value || (needle.contains('/') && path.to_string().to_lowercase().ends_with(needle))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: &str = r#"{"agents":{"api":{"status":"failed","files":["a","b","failed.rs"]},
        "ui":{"status":"running"}},"errors":{"e1":{"agent":"api","code":42}}}"#;

    fn root() -> Value {
        serde_json::from_str(STATE).unwrap()
    }

    fn hits(needle: &str, nodes: usize) -> Vec<String> {
        let mut walk = Walk::new(root(), needle);
        let mut steps = 0;
        while !walk.step(nodes) {
            steps += 1;
            assert!(steps < 100);
        }
        walk.hits.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn finds_keys_values_and_paths_however_small_the_steps() {
        for nodes in [1, 2, 3, 5, 1000] {
            assert_eq!(
                hits("failed", nodes),
                ["/agents/api/files/2", "/agents/api/status"],
                "{nodes}"
            );
            assert_eq!(hits("API", nodes), ["/agents/api", "/errors/e1/agent"], "{nodes}");
            assert_eq!(hits("42", nodes), ["/errors/e1/code"]);
            assert_eq!(hits("ui/status", nodes), ["/agents/ui/status"]);
            assert!(hits("nowhere", nodes).is_empty());
        }
    }

    #[test]
    fn goes_round_in_both_ways() {
        let path = |text| Path::parse(text).unwrap();
        let all = [path("/a"), path("/l/2"), path("/l/10")];
        let go = |from, way| match pick(&all, &path(from), way) {
            Outcome::Path(hit, ..) => hit.to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(go("/a", Way::Forward), "/l/2");
        assert_eq!(go("/l/2", Way::Forward), "/l/10");
        assert_eq!(go("/l/10", Way::Forward), "/a");
        assert_eq!(go("/a", Way::Back), "/l/10");
        assert_eq!(go("/l", Way::Back), "/a");
        assert_eq!(pick(&[], &Path::root(), Way::Back), Outcome::Nothing);
    }
}
