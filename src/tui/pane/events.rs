//! The list of events: a window into the history around the playhead.
//!
//! Row 0 is the empty state before the first event; the selected row is always the playhead. With a
//! filter the rows are the events that fit, and the playhead where it is none of them.

use super::scroll;
use crate::model::Position;
use crate::session::Session;
use crate::session::filter::Fitting;
use crate::tui::summaries::Summaries;

/// The window of the list.
#[derive(Debug, Default)]
pub struct EventsPane {
    /// The first row that is seen.
    pub top: usize,
    /// How many rows are seen.
    pub height: usize,
    /// The positions of the rows that are seen.
    seen: Vec<Position>,
    /// The playhead and its row on the screen, as it was last, where a filter is on.
    stood: Option<(Position, usize)>,
}

impl EventsPane {
    /// Brings the playhead into the window and reads what is seen.
    pub fn prepare(
        &mut self,
        session: &mut Session,
        summaries: &mut Summaries,
        playhead: Position,
        fitting: Option<&Fitting>,
        height: usize,
    ) {
        self.height = height;
        let rank = fitting.map(|fitting| (fitting.rank(playhead), !fitting.contains(playhead)));
        let (cursor, total) = match (fitting, rank) {
            (Some(fitting), Some((rank, apart))) => (rank, fitting.len() + usize::from(apart)),
            _ => (playhead as usize, session.head() as usize + 1),
        };
        let far = cursor + height < self.top || cursor > self.top + 2 * height;
        match self.stood {
            // What fits and is found before it must not push it away.
            Some((stood, row)) if fitting.is_some() && stood == playhead => {
                self.top = cursor.saturating_sub(row);
            }
            // After a jump what came before and after is of the same interest.
            _ if far || (fitting.is_some() != self.stood.is_some()) => {
                self.top = cursor.saturating_sub(height / 2);
            }
            _ => {}
        }
        self.top = scroll(self.top, cursor, height, total, 3);
        self.stood = fitting.map(|_| (playhead, cursor - self.top.min(cursor)));
        self.seen = (self.top..total.min(self.top + height))
            .filter_map(|row| match (fitting, rank) {
                (Some(fitting), Some((rank, true))) if row >= rank => {
                    row.checked_sub(rank + 1).map_or(Some(playhead), |_| fitting.get(row - 1))
                }
                (Some(fitting), _) => fitting.get(row),
                (None, _) => Position::try_from(row).ok(),
            })
            .collect();
        match (fitting, self.seen.first(), self.seen.last()) {
            (None, Some(first), Some(last)) => summaries.fill(session, *first..=*last),
            _ => self.seen.iter().for_each(|p| summaries.fill(session, *p..=*p)),
        }
    }

    /// The position in a row of the window, if there is one.
    #[must_use]
    pub fn at(&self, row: usize) -> Option<Position> {
        self.seen.get(row).copied()
    }
}
