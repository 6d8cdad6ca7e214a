//! The list of events: a window into the history around the playhead.
//!
//! Row 0 is the empty state before the first event; the selected row is always the playhead.

use super::scroll;
use crate::model::Position;
use crate::session::Session;
use crate::tui::summaries::Summaries;

/// The window of the list.
#[derive(Debug, Default)]
pub struct EventsPane {
    /// The position in the first row.
    pub top: usize,
    /// How many rows are seen.
    pub height: usize,
}

impl EventsPane {
    /// Brings the playhead into the window and reads what is seen.
    pub fn prepare(
        &mut self,
        session: &mut Session,
        summaries: &mut Summaries,
        playhead: Position,
        height: usize,
    ) {
        self.height = height;
        let total = session.head() as usize + 1;
        let cursor = playhead as usize;
        let far = cursor + height < self.top || cursor > self.top + 2 * height;
        if far {
            // After a jump what came before and after is of the same interest.
            self.top = cursor.saturating_sub(height / 2);
        }
        self.top = scroll(self.top, cursor, height, total, 3);
        if height > 0 {
            let first = Position::try_from(self.top).unwrap_or(Position::MAX);
            let last = Position::try_from(self.top + height - 1).unwrap_or(Position::MAX);
            summaries.fill(session, first..=last);
        }
    }

    /// The position in a row of the window, if there is one.
    #[must_use]
    pub fn at(&self, row: usize, head: Position) -> Option<Position> {
        Position::try_from(self.top + row).ok().filter(|p| row < self.height && *p <= head)
    }
}
