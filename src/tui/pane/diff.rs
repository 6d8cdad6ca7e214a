//! What differs between the base and the playhead, one entry per path.
//!
//! Scrolled by whole entries, so that the entries above never need to be laid out.

use super::moved;
use crate::diff::{DiffEntry, DiffOptions};
use crate::error::Result;
use crate::model::{Path, Position};

/// How the entries are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// Path, and below it old and new value on one line where they fit.
    #[default]
    Tree,
    /// Old and new value on lines of their own, as a patch.
    Unified,
}

/// What the entries are made from: both positions, how often the log was replaced, and the version
/// of the branch, if one is compared.
pub type Basis = (Position, Position, u64, Option<u64>);

/// The pane of the differences.
#[derive(Debug, Default)]
pub struct DiffPane {
    basis: Option<(Basis, bool)>,
    /// All entries, sorted by path.
    pub entries: Vec<DiffEntry>,
    /// The selected entry.
    pub cursor: usize,
    /// The first entry that is seen.
    pub top: usize,
    /// How they are shown.
    pub style: Style,
    /// Whether the counters are compared too.
    pub counters: bool,
}

impl DiffPane {
    /// Shows nothing: what differs is not known.
    pub fn forget(&mut self) {
        self.basis = None;
        self.entries.clear();
    }

    /// Compares, if the ends are others than before.
    ///
    /// # Errors
    /// Those of reading the log again; what was shown stays.
    pub fn take(
        &mut self,
        basis: Basis,
        compare: impl FnOnce(DiffOptions) -> Result<Vec<DiffEntry>>,
    ) -> Result<()> {
        if self.basis == Some((basis, self.counters)) {
            return Ok(());
        }
        self.entries = compare(DiffOptions { counters: self.counters })?;
        self.basis = Some((basis, self.counters));
        (self.cursor, self.top) = (0, 0);
        Ok(())
    }

    /// Scrolls so that the selected entry is seen as a whole, where it fits; `rows` tells how many
    /// rows an entry takes.
    pub fn prepare(&mut self, height: usize, rows: impl Fn(&DiffEntry) -> usize) {
        self.cursor = self.cursor.min(self.entries.len().saturating_sub(1));
        self.top = self.top.min(self.cursor);
        let mut needed = 0;
        let mut first = self.cursor;
        for at in (self.top..=self.cursor).rev() {
            let Some(entry) = self.entries.get(at) else { return };
            needed += rows(entry);
            if needed > height && at != self.cursor {
                break;
            }
            first = at;
        }
        self.top = first.max(self.top);
    }

    /// Moves the cursor by some entries.
    pub fn move_by(&mut self, entries: i64) {
        self.cursor = moved(self.cursor, entries, self.entries.len());
    }

    /// The path of the selected entry.
    #[must_use]
    pub fn selected(&self) -> Option<&Path> {
        self.entries.get(self.cursor).map(|entry| &entry.path)
    }
}
