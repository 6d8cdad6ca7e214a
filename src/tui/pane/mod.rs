//! What each pane knows beside the history: its cursor, its scroll, and the rows that are seen.
//!
//! Lives here: one model per pane, filled before each drawing from the session, so that drawing
//! reads nothing. May not live here: styles.

pub mod detail;
pub mod diff;
pub mod events;
pub mod state;

use super::action::Command;

/// Scrolls so that `cursor` is within `height` rows from the answer on, `margin` rows from the
/// edges where possible, and no more than needed.
#[must_use]
pub fn scroll(top: usize, cursor: usize, height: usize, total: usize, margin: usize) -> usize {
    let margin = margin.min(height.saturating_sub(1) / 2);
    let highest = cursor.saturating_sub(margin);
    let lowest = (cursor + margin + 1).saturating_sub(height);
    top.clamp(lowest.min(highest), highest).min(total.saturating_sub(height))
}

/// A cursor moved by some rows, within a list.
#[must_use]
pub fn moved(cursor: usize, by: i64, total: usize) -> usize {
    let last = i64::try_from(total).unwrap_or(i64::MAX) - 1;
    let at = i64::try_from(cursor).unwrap_or(i64::MAX).saturating_add(by);
    usize::try_from(at.min(last)).unwrap_or_default()
}

/// By how many rows a command moves in a list of which `page` rows are seen; none when it is no
/// motion.
#[must_use]
pub fn motion(command: Command, count: Option<u32>, page: usize) -> Option<i64> {
    let times = i64::from(count.unwrap_or(1).max(1));
    // A row of the page before stays in sight.
    let page = i64::try_from(page.saturating_sub(1).max(1)).unwrap_or(1);
    let half = (page / 2).max(1);
    Some(match command {
        Command::Up => -times,
        Command::Down => times,
        Command::HalfPageUp => -times * half,
        Command::HalfPageDown => times * half,
        Command::PageUp => -times * page,
        Command::PageDown => times * page,
        Command::Top | Command::ToStart => i64::MIN,
        Command::Bottom | Command::ToEnd => i64::MAX,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scrolls_no_more_than_needed() {
        for (top, cursor, height, total, expected) in [
            (0, 0, 10, 100, 0),
            (0, 6, 10, 100, 0),
            (0, 8, 10, 100, 1),
            (50, 49, 10, 100, 47),
            (95, 99, 10, 100, 90),
            (0, 3, 10, 4, 0),
            (7, 0, 0, 0, 0),
            (0, 5, 1, 9, 5),
        ] {
            assert_eq!(scroll(top, cursor, height, total, 2), expected, "{top} {cursor} {height}");
        }
    }

    #[test]
    fn cursors_stay_in_the_list() {
        assert_eq!(moved(3, 10, 5), 4);
        assert_eq!(moved(3, -10, 5), 0);
        assert_eq!(moved(0, 1, 0), 0);
        assert_eq!(moved(3, i64::MAX, 5), 4);
    }
}
