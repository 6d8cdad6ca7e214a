//! The state of an issue: one persistent tree.
//!
//! Lives here: [`State`], its digest and its way back from JSON. May not live here: what events do
//! to it (see the areas beside this file).

use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::model::value::spill::{Spill, Stored};
use crate::model::value::{LONG_KEY, LongValue, delta};
use crate::model::{Map, Path, Value, ids};

/// The members that a state may have at its top; each is a map.
pub const TOP_LEVEL: &[&str] = &[
    "agents",
    "approvals",
    "checkpoints",
    "counters",
    "custom",
    "decisions",
    "docs",
    "errors",
    "gaps",
    "git",
    "jira",
    "orchestration",
    "phases",
    "quality",
    "sessions",
    "tasks",
    "tools",
    "usage",
];

/// Members of the top level that are keyed collections: each of their entries is a map.
const COLLECTIONS: &[&str] = &[
    "agents",
    "approvals",
    "checkpoints",
    "custom",
    "decisions",
    "docs",
    "errors",
    "gaps",
    "phases",
    "sessions",
    "tasks",
    "tools",
];

/// What is true after some events; a clone is O(1) and shares structure with the original.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    root: Map,
}

impl State {
    /// The state before the first event: empty.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The tree.
    #[must_use]
    pub fn root(&self) -> &Map {
        &self.root
    }

    /// What makes this state of an older one, as bytes for [`State::catch_up`].
    #[must_use]
    pub fn since(&self, older: &State) -> Vec<u8> {
        let mut packed = Vec::new();
        delta::pack(&older.root, &self.root, &mut packed);
        packed
    }

    /// Makes of this state the newer one that `packed` leads to; see [`State::since`]. False where
    /// the bytes are something else; the state means nothing then.
    pub fn catch_up(&mut self, packed: &[u8]) -> bool {
        delta::unpack(&mut self.root, packed).is_some_and(<[u8]>::is_empty)
    }

    /// Puts it aside with all that is not there yet. None where there is no room.
    pub fn put_aside(&self, spill: &Spill) -> Option<Stored> {
        spill.put(&self.root)
    }

    /// The state that was put aside there. It is read bit by bit, when it is looked at.
    #[must_use]
    pub fn aside(spill: &Arc<Spill>, at: Stored) -> Self {
        Self { root: spill.map(at) }
    }

    /// Lets go of what was put aside and did not change since.
    pub fn let_go(&mut self, spill: &Arc<Spill>) {
        self.root.let_go(spill);
    }

    pub(super) fn root_mut(&mut self) -> &mut Map {
        &mut self.root
    }

    /// The tree as a value; O(1).
    #[must_use]
    pub fn value(&self) -> Value {
        Value::Map(self.root.clone())
    }

    /// The value at `path`; none where there is nothing, and at the root (see [`State::value`]).
    #[must_use]
    pub fn at(&self, path: &Path) -> Option<&Value> {
        self.look(path.keys())
    }

    /// The value under these keys, outermost first.
    pub(super) fn look<K: AsRef<str>>(&self, keys: &[K]) -> Option<&Value> {
        look(&self.root, keys)
    }

    /// `sha256:` and the hex SHA-256 of the state as compact JSON with sorted keys.
    #[must_use]
    pub fn digest(&self) -> String {
        ids::sha256_json(&self.root)
    }

    /// A state from its tree, e.g. from a snapshot. References to long values become
    /// [`Value::Long`] again.
    ///
    /// # Errors
    /// Invalid, when the tree is no map of maps with the members of [`TOP_LEVEL`].
    pub fn from_value(value: Value) -> Result<Self> {
        let fault = |what: String| Error::new(ErrorKind::Invalid, format!("not a state: {what}"));
        let Value::Map(root) = revive(value) else {
            return Err(fault("it is not an object".into()));
        };
        for (name, member) in &root {
            if !TOP_LEVEL.contains(&name.as_str()) {
                return Err(fault(format!("it has a member {name:?}")));
            }
            let Some(member) = member.as_map() else {
                return Err(fault(format!("{name} is not an object")));
            };
            if COLLECTIONS.contains(&name.as_str())
                && let Some((key, _)) = member.iter().find(|(_, entry)| entry.as_map().is_none())
            {
                return Err(fault(format!("{name}/{key} is not an object")));
            }
        }
        Ok(Self { root })
    }
}

/// The value under these keys of `root`.
pub(super) fn look<'a, K: AsRef<str>>(root: &'a Map, keys: &[K]) -> Option<&'a Value> {
    let (first, rest) = keys.split_first()?;
    rest.iter().try_fold(root.get(first.as_ref())?, |value, key| match value {
        Value::List(items) => items.get(key.as_ref().parse::<usize>().ok()?),
        value => value.get(key.as_ref()),
    })
}

/// Turns `{"$long": …}` back into references, and leaves alone (and shared) what has none.
fn revive(value: Value) -> Value {
    match value {
        Value::Map(map) => {
            if map.len() == 1
                && let Some(Value::Map(long)) = map.get(LONG_KEY)
                && let Some(long) = read_long(long)
            {
                return Value::Long(Arc::new(long));
            }
            let mut revived = map.clone();
            for (key, child) in &map {
                let new = revive(child.clone());
                // A map or list that came out the same is equal, and writing it would only copy.
                if !(new.same(child) || is_scalar(&new) && is_scalar(child)) {
                    revived.insert(key.clone(), new);
                }
            }
            Value::Map(revived)
        }
        Value::List(items) => {
            if items.iter().all(is_scalar) {
                return Value::List(items);
            }
            Value::list(items.iter().cloned().map(revive))
        }
        scalar => scalar,
    }
}

fn is_scalar(value: &Value) -> bool {
    !matches!(value, Value::Map(_) | Value::List(_) | Value::Long(_))
}

fn read_long(map: &Map) -> Option<LongValue> {
    let text = |key: &str| map.get(key)?.as_text().cloned();
    let long = LongValue {
        event_id: text("event_id")?,
        pointer: text("pointer")?,
        bytes: u64::try_from(map.get("bytes")?.as_i64()?).ok()?,
        sha256: text("sha256")?,
        head: text("head")?,
    };
    (map.len() == 5).then_some(long)
}
