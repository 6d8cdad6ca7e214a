//! What-if: a base position and a list of edits, with undo.
//!
//! Lives here: [`Branch`] and [`Edit`], as they are kept in a file. May not live here: playing them
//! (see `session::branch`). A branch is never written to the log.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::Position;

/// One change of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum Edit {
    /// As if the event had not happened.
    Skip {
        /// Which event.
        position: Position,
        /// Its id, to tell whether the log is still the same.
        event_id: String,
    },
    /// As if this event had happened, too.
    Insert {
        /// The event after which it comes; 0 for before the first.
        after: Position,
        /// The event, as JSON.
        event: serde_json::Value,
    },
    /// As if this event had happened instead.
    Replace {
        /// Which event.
        position: Position,
        /// Its id.
        event_id: String,
        /// What happens instead, as JSON.
        event: serde_json::Value,
    },
}

impl Edit {
    /// The first position whose state it may change.
    #[must_use]
    pub fn position(&self) -> Position {
        match self {
            Self::Skip { position, .. } | Self::Replace { position, .. } => *position,
            Self::Insert { after, .. } => *after,
        }
    }
}

/// A what-if.
#[derive(Debug, Clone, Eq, Default, Serialize, Deserialize)]
pub struct Branch {
    /// The position from which on the history is another.
    pub base: Position,
    /// What is different, in the order in which it was said.
    pub edits: Vec<Edit>,
    /// The edits as they were before each change, the last change last.
    #[serde(skip)]
    past: Vec<Vec<Edit>>,
    /// The edits as they were before each undoing.
    #[serde(skip)]
    future: Vec<Vec<Edit>>,
}

impl PartialEq for Branch {
    /// The same what-if, whatever led to it.
    fn eq(&self, other: &Self) -> bool {
        (self.base, &self.edits) == (other.base, &other.edits)
    }
}

/// The edits of a branch by their places.
#[derive(Debug, Clone, Default)]
pub struct Plan<'a> {
    /// The events that are skipped.
    pub skipped: BTreeSet<Position>,
    /// What happens instead of an event; the last word counts.
    pub replaced: BTreeMap<Position, &'a serde_json::Value>,
    /// What happens after an event, in order.
    pub inserted: BTreeMap<Position, Vec<&'a serde_json::Value>>,
}

impl Branch {
    /// A branch without edits.
    #[must_use]
    pub fn new(base: Position) -> Self {
        Self { base, ..Self::default() }
    }

    /// Adds an edit; what was undone can no more be done again.
    ///
    /// # Errors
    /// Usage, for an edit before the base.
    pub fn push(&mut self, edit: Edit) -> Result<()> {
        let inserts = matches!(edit, Edit::Insert { .. });
        if edit.position() < self.base || (edit.position() == self.base && !inserts) {
            let message = format!(
                "position {} is not after the branch's base, {}",
                edit.position(),
                self.base
            );
            return Err(Error::usage(message).with_hint("give an earlier --base"));
        }
        self.note();
        self.edits.push(edit);
        Ok(())
    }

    /// Skips an event, or takes it back in where it is skipped.
    ///
    /// # Errors
    /// As [`Branch::push`].
    pub fn toggle_skip(&mut self, position: Position, event_id: &str) -> Result<()> {
        let is_it = |edit: &Edit| matches!(edit, Edit::Skip { position: p, .. } if *p == position);
        if self.edits.iter().any(is_it) {
            self.note();
            self.edits.retain(|edit| !is_it(edit));
            return Ok(());
        }
        self.push(Edit::Skip { position, event_id: event_id.to_owned() })
    }

    /// Remembers the edits as they are, before a change; what was undone can no more be done again.
    fn note(&mut self) {
        self.past.push(self.edits.clone());
        self.future.clear();
    }

    /// Whether there is a change that can be taken back or done again.
    #[must_use]
    pub fn was_changed(&self) -> bool {
        !(self.past.is_empty() && self.future.is_empty())
    }

    /// Takes the last change back, be it an edit or an event taken back in; whether there was one.
    pub fn undo(&mut self) -> bool {
        let Some(before) = self.past.pop() else { return false };
        self.future.push(std::mem::replace(&mut self.edits, before));
        true
    }

    /// Does again what was undone last; whether there was anything.
    pub fn redo(&mut self) -> bool {
        let Some(after) = self.future.pop() else { return false };
        self.past.push(std::mem::replace(&mut self.edits, after));
        true
    }

    /// The last position whose state is the actual one for sure.
    #[must_use]
    pub fn shared(&self) -> Option<Position> {
        let first = self.edits.iter().map(|edit| match edit {
            Edit::Insert { after, .. } => *after,
            edit => edit.position().saturating_sub(1),
        });
        first.min()
    }

    /// The edits by place.
    #[must_use]
    pub fn plan(&self) -> Plan<'_> {
        let mut plan = Plan::default();
        for edit in &self.edits {
            match edit {
                Edit::Skip { position, .. } => {
                    plan.skipped.insert(*position);
                }
                Edit::Replace { position, event, .. } => {
                    plan.replaced.insert(*position, event);
                }
                Edit::Insert { after, event } => {
                    plan.inserted.entry(*after).or_default().push(event);
                }
            }
        }
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skip(position: Position) -> Edit {
        Edit::Skip { position, event_id: format!("id-{position}") }
    }

    #[test]
    fn edits_are_undone_and_done_again() {
        let mut branch = Branch::new(3);
        branch.push(skip(5)).unwrap();
        branch.push(skip(7)).unwrap();
        assert!(branch.undo());
        assert_eq!(branch.plan().skipped.iter().copied().collect::<Vec<_>>(), [5]);
        assert!(branch.redo());
        assert_eq!(branch.edits, [skip(5), skip(7)]);
        assert!(!branch.redo());
        branch.undo();
        branch.push(skip(9)).unwrap();
        assert!(!branch.redo(), "what was undone is forgotten");
        assert_eq!(branch.shared(), Some(4));
        branch.toggle_skip(5, "id-5").unwrap();
        branch.toggle_skip(9, "id-9").unwrap();
        assert_eq!(branch, Branch::new(3));
        assert!(branch.undo(), "to take an event back in is a change as well");
        assert_eq!(branch.edits, [skip(9)]);
        branch.redo();
        branch.push(skip(3)).unwrap_err();
        branch.push(Edit::Insert { after: 3, event: serde_json::json!({}) }).unwrap();
    }

    #[test]
    fn a_branch_is_the_same_after_its_file() {
        let mut branch = Branch::new(0);
        branch.push(skip(1)).unwrap();
        let event = serde_json::json!({"event_type": "AgentCompleted"});
        branch.push(Edit::Insert { after: 2, event: event.clone() }).unwrap();
        branch.push(Edit::Replace { position: 3, event_id: "x".into(), event }).unwrap();
        let text = serde_json::to_string(&branch).unwrap();
        assert_eq!(serde_json::from_str::<Branch>(&text).unwrap(), branch);
        assert!(text.contains(r#"{"op":"skip","position":1"#), "{text}");
    }
}
