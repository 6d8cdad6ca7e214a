//! Which columns of the list fit a width.
//!
//! Lives here: the table of columns. May not live here: what stands in them.

use crate::tui::browser::SortKey;

/// A column of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Live,
    Status,
    Key,
    Summary,
    Phase,
    Agents,
    Events,
    Errors,
    Activity,
    Age,
}

/// A column with its head, the width it takes, and how soon it goes when there is little room:
/// the highest number first. The summary takes what is left.
const COLUMNS: [(Column, &str, usize, u8); 10] = [
    (Column::Live, "", 1, 0),
    (Column::Status, "", 1, 0),
    (Column::Key, "issue", 0, 0),
    (Column::Summary, "summary", 0, 0),
    (Column::Phase, "phase", 9, 2),
    (Column::Agents, "agents", 7, 3),
    (Column::Events, "events", 7, 4),
    (Column::Errors, "errors", 6, 1),
    (Column::Activity, "activity", 16, 5),
    (Column::Age, "last", 5, 0),
];

/// The summary gets at least so many columns before others do.
const LEAST_SUMMARY: usize = 22;

/// A column that has its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) column: Column,
    pub(super) head: &'static str,
    /// Where it begins.
    pub(super) x: usize,
    pub(super) width: usize,
}

/// The columns that fit into so many, where the longest key takes `key`.
pub(super) fn fit(width: usize, key: usize) -> Vec<Placed> {
    let key = key.clamp(5, (width / 3).max(5));
    let own = |column: Column, fixed: usize| if column == Column::Key { key } else { fixed };
    let taken = |worst: u8| -> usize {
        let shown = COLUMNS.iter().filter(|(.., priority)| *priority <= worst);
        shown.map(|(column, _, fixed, _)| own(*column, *fixed) + 1).sum()
    };
    let worst = (0..=5).rev().find(|worst| taken(*worst) + LEAST_SUMMARY <= width).unwrap_or(0);
    let summary = (width + 1).saturating_sub(taken(worst));
    let mut x = 0;
    let mut fitting = Vec::new();
    for (column, head, fixed, priority) in COLUMNS {
        let columns = if column == Column::Summary { summary } else { own(column, fixed) };
        if priority > worst || columns == 0 || x >= width {
            continue;
        }
        fitting.push(Placed { column, head, x, width: columns.min(width - x) });
        x += columns + 1;
    }
    fitting
}

impl Column {
    /// Whether it holds numbers, which stand at its right.
    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Agents | Self::Events | Self::Errors | Self::Age)
    }

    /// The one that a list in this order is sorted by.
    pub(super) fn sorted_by(key: SortKey) -> Self {
        match key {
            SortKey::Activity => Self::Age,
            SortKey::Key => Self::Key,
            SortKey::Status => Self::Status,
            SortKey::Agents => Self::Agents,
            SortKey::Events => Self::Events,
            SortKey::Errors => Self::Errors,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_go_by_priority_and_never_overlap() {
        for width in 0..240 {
            for key in [1, 8, 24] {
                let columns = fit(width, key);
                for pair in columns.windows(2) {
                    assert!(pair[0].x + pair[0].width < pair[1].x, "{width}: {pair:?}");
                }
                assert!(columns.last().is_none_or(|last| last.x + last.width <= width), "{width}");
            }
        }
        let names = |width| fit(width, 8).iter().map(|c| c.head).collect::<Vec<_>>().join(" ");
        assert_eq!(names(36).trim(), "issue summary last");
        assert_eq!(names(60).trim(), "issue summary phase errors last");
        assert_eq!(names(76).trim(), "issue summary phase agents events errors last");
        assert_eq!(names(120).trim(), "issue summary phase agents events errors activity last");
    }
}
