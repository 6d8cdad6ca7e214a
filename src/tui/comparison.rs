//! Two runs side by side: which rows are seen, and what stands in them.
//!
//! Lives here: the model of that screen, and the comparison that is going on beside all else. May not
//! live here: aligning (see [`crate::session::compare`]); drawing (see [`super::view`]).

use rustc_hash::FxHashMap;

use super::pane::{moved, scroll};
use super::signs;
use super::summaries::Summaries;
use crate::error::Result;
use crate::model::{Kind, Position, Timestamp};
use crate::session::compare::{Alignment, Divergence, Pair, Progress, Side};

/// How many lines are remembered before all are forgotten.
const MOST_LINES: usize = 4096;

/// A comparison that is going on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparing {
    /// Both sides, as they were asked for.
    pub names: [String; 2],
    /// How far it is.
    pub progress: Progress,
}

/// An event of one side, as a row shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its position in its own log.
    pub position: Position,
    /// When it happened.
    pub at: Timestamp,
    /// What kind it is.
    pub kind: Kind,
    /// Its type.
    pub type_name: String,
    /// What happened.
    pub summary: String,
}

/// What a comparison came to, and where the user stands in it.
#[derive(Debug)]
pub struct Comparison {
    /// Both sides, as they were asked for.
    pub names: [String; 2],
    sides: [Side; 2],
    /// The rows.
    pub alignment: Alignment,
    /// How they differ.
    pub divergence: Divergence,
    /// The selected row.
    pub cursor: usize,
    top: usize,
    height: usize,
    lines: [FxHashMap<usize, Line>; 2],
    /// The rows that are seen.
    pub seen: Vec<Seen>,
}

/// A row that is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its number.
    pub row: usize,
    /// What the first side has there.
    pub a: Option<Line>,
    /// What the second side has there.
    pub b: Option<Line>,
}

impl Comparison {
    /// A comparison that is at an end; the first difference is selected.
    #[must_use]
    pub fn new(
        names: [String; 2],
        sides: [Side; 2],
        (divergence, alignment): (Divergence, Alignment),
    ) -> Self {
        Self {
            names,
            sides,
            cursor: alignment.first().unwrap_or_default(),
            alignment,
            divergence,
            top: 0,
            height: 0,
            lines: Default::default(),
            seen: Vec::new(),
        }
    }

    /// Reads the rows that are seen in a window of this height.
    ///
    /// # Errors
    /// Those of reading the log again.
    pub fn prepare(&mut self, height: usize) -> Result<()> {
        if self.height == 0 {
            // At first the difference stands in the middle, with what led to it above.
            self.top = self.cursor.saturating_sub(height / 2);
        }
        self.height = height;
        self.top = scroll(self.top, self.cursor, height, self.alignment.rows(), 3);
        let mut seen = Vec::with_capacity(height);
        for row in self.top..self.top + height {
            let Some(Pair { a, b }) = self.alignment.pair(row) else { break };
            let a = a.map(|step| self.line(0, step)).transpose()?;
            let b = b.map(|step| self.line(1, step)).transpose()?;
            seen.push(Seen { row, a, b });
        }
        self.seen = seen;
        Ok(())
    }

    fn line(&mut self, side: usize, step: usize) -> Result<Line> {
        if let Some(line) = self.lines[side].get(&step) {
            return Ok(line.clone());
        }
        let position = self.sides[side].position(step).unwrap_or_default();
        let event = self.sides[side].event(step)?;
        let line = Line {
            position,
            at: event.at,
            kind: event.kind,
            type_name: signs::name_of(&event.type_name).to_owned(),
            summary: Summaries::of(event),
        };
        if self.lines[side].len() >= MOST_LINES {
            self.lines[side].clear();
        }
        self.lines[side].insert(step, line.clone());
        Ok(line)
    }

    /// Moves the selection by some rows.
    pub fn move_by(&mut self, rows: i64) {
        self.cursor = moved(self.cursor, rows, self.alignment.rows());
    }

    /// How many rows are seen.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// The position of the selected row in the log of an issue, if one of the sides is of it.
    #[must_use]
    pub fn position_in(&self, issue: &str) -> Option<Position> {
        let Pair { a, b } = self.alignment.pair(self.cursor)?;
        let sides = self.sides.iter().zip([a, b]);
        let own = sides.filter(|(side, _)| side.issue_key() == issue);
        own.filter_map(|(side, step)| side.position(step?)).next()
    }

    /// Whether both logs, at their ends, say the same.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.divergence.is_equal()
    }
}
