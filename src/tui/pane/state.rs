//! The state at the playhead as a tree: which rows are seen, who wrote them, what just changed.

use std::time::{Duration, Instant};

use super::{moved, scroll};
use crate::error::Result;
use crate::fold::State;
use crate::model::{Map, Path, Position, Value};
use crate::session::find::Direction;
use crate::session::writers::WriterFinder;
use crate::session::{Found, Session};
use crate::timeline::telling;
use crate::tui::nav::Way;
use crate::tui::search::order;
use crate::tui::tree::{Tree, TreeRow, Wanted};

/// How many branches one key opens at most.
const MOST_OPENED: usize = 2000;
/// How long the last writer of a pin is looked for.
const PIN_TIME: Duration = Duration::from_millis(4);

/// What the current event did to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touch {
    /// It came into being.
    Added,
    /// It has another value.
    Changed,
    /// Something below it changed.
    Below,
}

/// A row of the tree with what is known of it.
#[derive(Debug, Clone)]
pub struct StateRow {
    /// The row.
    pub row: TreeRow,
    /// What the current event did to it.
    pub touch: Option<Touch>,
    /// The position that last wrote it.
    pub writer: Option<Position>,
}

/// A pinned path with what is there.
#[derive(Debug, Clone)]
pub struct PinRow {
    /// The path.
    pub path: Path,
    /// Its value; none where there is nothing now.
    pub value: Option<Value>,
    /// What the current event did to it.
    pub touch: Option<Touch>,
    /// The position that last wrote it.
    pub writer: Option<Position>,
}

/// What the rows were made from; other rows are needed when it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Basis {
    position: Position,
    restarts: u64,
    wishes: u64,
}

/// The pane of the state.
#[derive(Debug, Default)]
pub struct StatePane {
    wanted: Wanted,
    /// Grows with every change of what is wanted.
    wishes: u64,
    basis: Option<Basis>,
    tree: Tree,
    /// The paths that the current event wrote, sorted, and whether each is new.
    changed: Vec<(Path, bool)>,
    /// The selected row; pins come before the tree.
    cursor: usize,
    /// The path of the selected row: it stays selected when rows come and go.
    selected: Path,
    /// Whether it is to be selected among the pins, once they are there.
    to_pin: bool,
    top: usize,
    /// Rows of the tree that are seen.
    pub rows: Vec<StateRow>,
    /// Pins, all of which are seen as far as there is room.
    pub pins: Vec<PinRow>,
    /// The position the pins are shown at, and of which log.
    pins_basis: Option<(Position, u64)>,
}

impl StatePane {
    /// The selected path; the root when there is no row.
    #[must_use]
    pub fn selected(&self) -> &Path {
        &self.selected
    }

    /// Which row of the window is selected; pins come first.
    #[must_use]
    pub fn cursor(&self) -> (usize, usize) {
        (self.cursor, self.top)
    }

    /// How many rows there are in the tree, and which is the first that is seen.
    #[must_use]
    pub fn extent(&self) -> (usize, usize) {
        (self.tree.len(), self.top)
    }

    /// The state that is shown.
    #[must_use]
    pub fn root(&self) -> &Value {
        self.tree.root()
    }

    /// The selected value.
    #[must_use]
    pub fn value(&self) -> Option<&Value> {
        self.tree.root().at(&self.selected)
    }

    /// Whether the row at the cursor is a pin.
    #[must_use]
    pub fn on_pin(&self) -> bool {
        self.cursor < self.pins.len()
    }

    /// Shows nothing: the state is not known. What is selected and open stays so.
    pub fn forget(&mut self) {
        self.basis = None;
        self.changed.clear();
        self.rows.clear();
        self.pins.clear();
        self.tree = Tree::new(Map::new(), &self.wanted, &[]);
    }

    /// Takes the state at a position in, if it is another than before.
    ///
    /// # Errors
    /// Those of reading the log again; what was shown stays.
    pub fn take_state(
        &mut self,
        session: &mut Session,
        position: Position,
        restarts: u64,
    ) -> Result<()> {
        let basis = Basis { position, restarts, wishes: self.wishes };
        if self.basis == Some(basis) {
            return Ok(());
        }
        let same_event =
            self.basis.is_some_and(|b| (b.position, b.restarts) == (position, restarts));
        if !same_event {
            let mut changed: Vec<(Path, bool)> = telling(&session.changes(position)?)
                .filter(|change| change.new.is_some())
                .map(|change| (change.path.clone(), change.old.is_none()))
                .collect();
            changed.sort();
            self.changed = changed;
        }
        let state: State = session.state_at(position)?;
        let paths: Vec<Path> = self.changed.iter().map(|(path, _)| path.clone()).collect();
        let on_screen = self.cursor.saturating_sub(self.pins.len()).saturating_sub(self.top);
        self.tree = Tree::new(state.root().clone(), &self.wanted, &paths);
        self.basis = Some(basis);
        if !self.on_pin() {
            // The selected row keeps its place on the screen.
            let index = self.tree.index_of(&self.selected).unwrap_or_else(|| {
                self.cursor.saturating_sub(self.pins.len()).min(self.tree.len().saturating_sub(1))
            });
            self.cursor = self.pins.len() + index;
            self.top = index.saturating_sub(on_screen);
        }
        Ok(())
    }

    /// Makes the rows that are seen.
    ///
    /// # Errors
    /// Those of reading the log again.
    pub fn prepare(
        &mut self,
        session: &mut Session,
        position: Position,
        height: usize,
    ) -> Result<()> {
        self.take_pins(session, position)?;
        if std::mem::take(&mut self.to_pin) {
            let found = self.pins.iter().position(|pin| pin.path == self.selected);
            self.cursor = found.unwrap_or(self.cursor);
        }
        let room = height.saturating_sub(self.pins.len());
        let total = self.pins.len() + self.tree.len();
        self.cursor = self.cursor.min(total.saturating_sub(1));
        let in_tree = self.cursor.saturating_sub(self.pins.len());
        self.top = scroll(self.top, in_tree, room, self.tree.len(), 2);
        // Who wrote what is known of what is folded.
        let folded = Some(session.folded()).filter(|folded| position <= folded.head());
        self.rows = self
            .tree
            .window(self.top, room)
            .into_iter()
            .map(|row| StateRow {
                touch: touch(&self.changed, &row.path),
                // What is there was there since its last writer; a member of a list is shown with
                // that of the list.
                writer: folded.and_then(|folded| folded.last_writer(&row.path, position)),
                row,
            })
            .collect();
        let row = in_tree.checked_sub(self.top).and_then(|at| self.rows.get(at));
        match (self.pins.get(self.cursor), row) {
            (Some(pin), _) => self.selected = pin.path.clone(),
            (None, Some(row)) => self.selected = row.row.path.clone(),
            (None, None) => {}
        }
        Ok(())
    }

    fn take_pins(&mut self, session: &mut Session, position: Position) -> Result<()> {
        let before = self.pins.len();
        let pins = session.user.pins.iter();
        let paths: Vec<Path> = pins.filter_map(|text| Path::parse(text).ok()).collect();
        // Who wrote up to here does not change, and may have to be read.
        let here = self.basis.map(|basis| (basis.position, basis.restarts));
        let mut known = std::mem::take(&mut self.pins);
        known.retain(|_| self.pins_basis == here);
        for path in paths {
            let writer = match known.iter().find(|pin| pin.path == path) {
                Some(pin) => pin.writer,
                None if position > session.folded().head() => None,
                None => last_writer(session, &path, position)?,
            };
            let value = self.tree.root().at(&path).cloned();
            self.pins.push(PinRow { value, touch: touch(&self.changed, &path), writer, path });
        }
        self.pins_basis = here;
        // Pins that come or go push the tree's rows, and the cursor with them.
        if before != self.pins.len() && self.cursor >= before {
            self.cursor = self.cursor - before + self.pins.len();
        }
        Ok(())
    }

    /// Moves the cursor by some rows.
    pub fn move_by(&mut self, rows: i64) {
        self.cursor = moved(self.cursor, rows, self.pins.len() + self.tree.len());
    }

    /// Selects a row of the window; pins come first. False when there is none.
    pub fn select_row(&mut self, row: usize) -> bool {
        let index = if row < self.pins.len() { row } else { self.top + row };
        let there = index < self.pins.len() + self.tree.len();
        if there {
            self.cursor = index;
        }
        there
    }

    /// Opens or closes the selected branch; false when it is none.
    pub fn toggle(&mut self) -> bool {
        let Some(open) = self.selected_row().and_then(|row| row.row.open) else { return false };
        let path = self.selected.clone();
        self.wish(|wanted| wanted.set(&path, !open));
        true
    }

    /// Closes the selected branch, or selects the one that holds it.
    pub fn collapse(&mut self) {
        if self.selected_row().is_some_and(|row| row.row.open == Some(true)) {
            self.toggle();
        } else if let Some(parent) = self.selected.parent().filter(|p| !p.is_root())
            && !self.on_pin()
        {
            self.select(&parent);
        }
    }

    /// Opens everything below the selected row; false when that was too much.
    pub fn open_all(&mut self) -> bool {
        let Some(value) = self.value().cloned() else { return true };
        let path = self.selected.clone();
        let mut most = MOST_OPENED;
        let mut whole = true;
        self.wish(|wanted| {
            wanted.reveal(&path);
            whole = wanted.open_all(&path, &value, &mut most);
        });
        whole
    }

    /// Selects a path and opens what leads to it. Rows are there after the next
    /// [`StatePane::take_state`].
    pub fn reveal(&mut self, path: &Path) {
        self.wish(|wanted| wanted.reveal(path));
        self.selected = path.clone();
        // Not on a pin any more: the path's own row is meant.
        self.cursor = self.cursor.max(self.pins.len());
    }

    /// What the user opened and closed.
    #[must_use]
    pub fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Opens and closes just this, whatever was before.
    pub fn set_wanted(&mut self, wanted: Wanted) {
        self.wish(|all| *all = wanted);
    }

    /// Selects a path in the tree, or among the pins, as far as its row is seen.
    pub fn place(&mut self, path: &Path, on_pin: bool) {
        self.selected = path.clone();
        self.cursor = self.cursor.max(self.pins.len());
        self.to_pin = on_pin;
        self.wishes += 1;
    }

    /// Selects the next row that the current event changed, or the one before, round and round;
    /// false when it changed none.
    pub fn go_to_change(&mut self, way: Way) -> bool {
        let from = &self.selected;
        let found = match way {
            Way::Forward => {
                let after = self.changed.iter().find(|(path, _)| order(path, from).is_gt());
                after.or(self.changed.first())
            }
            Way::Back => {
                let before = self.changed.iter().rfind(|(path, _)| order(path, from).is_lt());
                before.or(self.changed.last())
            }
        };
        let Some(path) = found.map(|(path, _)| path.clone()) else { return false };
        self.reveal(&path);
        true
    }

    fn select(&mut self, path: &Path) {
        if let Some(index) = self.tree.index_of(path) {
            self.cursor = self.pins.len() + index;
        }
    }

    fn selected_row(&self) -> Option<&StateRow> {
        let in_tree = self.cursor.checked_sub(self.pins.len())?;
        self.rows.get(in_tree.checked_sub(self.top)?)
    }

    fn wish(&mut self, change: impl FnOnce(&mut Wanted)) {
        change(&mut self.wanted);
        self.wishes += 1;
    }
}

/// Who wrote a path last, up to a position; none where to find that takes too long for a frame.
fn last_writer(session: &mut Session, path: &Path, position: Position) -> Result<Option<Position>> {
    let started = Instant::now();
    let mut finder = WriterFinder::new(path.clone(), (1, position), Direction::Backward);
    Ok(match finder.step(session, || started.elapsed() >= PIN_TIME)? {
        Found::At(writer) => Some(writer),
        Found::Nothing | Found::Budget { .. } => None,
    })
}

/// What changed at, above or below a path; `changed` is sorted.
fn touch(changed: &[(Path, bool)], path: &Path) -> Option<Touch> {
    let at = changed.partition_point(|(p, _)| p < path);
    match changed.get(at) {
        Some((found, added)) if found == path => {
            return Some(if *added { Touch::Added } else { Touch::Changed });
        }
        Some((found, _)) if path.contains(found) => return Some(Touch::Below),
        _ => {}
    }
    let mut above = path.parent();
    while let Some(parent) = above {
        if let Ok(at) = changed.binary_search_by(|(p, _)| p.cmp(&parent)) {
            let added = changed.get(at).is_some_and(|(_, added)| *added);
            // Of a value that was replaced as a whole, each part may be as it was.
            return added.then_some(Touch::Added);
        }
        above = parent.parent();
    }
    None
}

#[cfg(test)]
mod tests;
