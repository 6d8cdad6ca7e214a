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
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Branch {
    /// The position from which on the history is another.
    pub base: Position,
    /// What is different, in the order in which it was said.
    pub edits: Vec<Edit>,
    /// What was taken back, the last first to come again.
    #[serde(skip)]
    undone: Vec<Edit>,
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
        Self { base, edits: Vec::new(), undone: Vec::new() }
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
        self.edits.push(edit);
        self.undone.clear();
        Ok(())
    }

    /// Skips an event, or takes it back in where it is skipped.
    ///
    /// # Errors
    /// As [`Branch::push`].
    pub fn toggle_skip(&mut self, position: Position, event_id: &str) -> Result<()> {
        let is_it = |edit: &Edit| matches!(edit, Edit::Skip { position: p, .. } if *p == position);
        if self.edits.iter().any(is_it) {
            self.edits.retain(|edit| !is_it(edit));
            self.undone.clear();
            return Ok(());
        }
        self.push(Edit::Skip { position, event_id: event_id.to_owned() })
    }

    /// Takes the last edit back; whether there was one.
    pub fn undo(&mut self) -> bool {
        let edit = self.edits.pop();
        let undone = edit.is_some();
        self.undone.extend(edit);
        undone
    }

    /// Does again what was undone last; whether there was anything.
    pub fn redo(&mut self) -> bool {
        let edit = self.undone.pop();
        let redone = edit.is_some();
        self.edits.extend(edit);
        redone
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
        assert!(!branch.undo());
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
