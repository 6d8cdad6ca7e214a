//! One event, one change per path.
//!
//! Lives here: bringing together what an arm wrote in several steps. May not live here: writing.

use super::Change;
use super::state::look;
use crate::model::Map;

/// Beyond so many changes there is nothing to bring together: only a checkpoint restores so much,
/// and that writes every path once.
const MOST: usize = 64;

/// Makes the changes from `first` on such that a path comes once, with its value before and after
/// the event; that what was written into a thing which came into being is part of that; and that
/// what was written back to its old value is no change.
pub(super) fn tidy(root: &Map, changes: &mut Vec<Change>, first: usize) {
    let written = changes.get(first..).unwrap_or_default();
    if written.len() > MOST || !overlap(written) {
        return;
    }
    let mut kept: Vec<Change> = Vec::with_capacity(written.len());
    for change in changes.drain(first..) {
        match kept.iter_mut().find(|earlier| covers(earlier, &change)) {
            Some(earlier) => earlier.new = look(root, earlier.path.keys()).cloned(),
            None => kept.push(change),
        }
    }
    kept.retain(|change| change.old != change.new);
    changes.append(&mut kept);
}

/// Whether a later change belongs to an earlier one.
fn covers(earlier: &Change, later: &Change) -> bool {
    let (keys, others) = (earlier.path.keys(), later.path.keys());
    // What one event writes mostly lies in one thing: the last key is where the paths differ.
    if keys.last().is_some_and(|last| others.get(keys.len() - 1) != Some(last)) {
        return false;
    }
    if earlier.old.is_none() {
        earlier.path.contains(&later.path)
    } else {
        earlier.path == later.path
    }
}

fn overlap(changes: &[Change]) -> bool {
    // Only what was taken away, or came into being, is written twice.
    let comes_or_goes = |change: &Change| change.old.is_none() || change.new.is_none();
    changes.iter().enumerate().any(|(at, earlier)| {
        comes_or_goes(earlier) && changes[at + 1..].iter().any(|later| covers(earlier, later))
    })
}
