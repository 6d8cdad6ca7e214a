//! The edits of a what-if as a part of a view: `b95+x96,ID+i97,JSON`.

use super::escape::{escape, unescape};
use super::position;
use crate::timeline::branch::{Branch, Edit};

/// The edits of a branch as a part's value.
pub(super) fn text(branch: &Branch) -> String {
    let edit = |edit: &Edit| match edit {
        Edit::Skip { position, event_id } => format!("x{position},{}", escape_item(event_id)),
        Edit::Insert { after, event } => format!("i{after},{}", escape_item(&event.to_string())),
        Edit::Replace { position, event_id, event } => {
            format!("r{position},{},{}", escape_item(event_id), escape_item(&event.to_string()))
        }
    };
    let all = std::iter::once(format!("b{}", branch.base)).chain(branch.edits.iter().map(edit));
    all.collect::<Vec<_>>().join("+")
}

/// As [`escape`], for what stands between commas.
fn escape_item(text: &str) -> String {
    escape(text).replace(',', "%2C")
}

/// Reads the edits of a branch; what is wrong with them.
pub(super) fn read(text: &str) -> Result<Branch, String> {
    let mut items = text.split('+');
    let base = items.next().and_then(|item| item.strip_prefix('b'));
    let base = position(base.ok_or("does not begin with its base, as b95")?)?;
    let mut branch = Branch::new(base);
    for item in items {
        let mut fields = item.split(',');
        let (kind, place) =
            fields.next().unwrap_or_default().split_at_checked(1).unwrap_or_default();
        let fields = fields.map(unescape).collect::<Result<Vec<_>, _>>()?;
        let json = |text: &String| {
            serde_json::from_str(text).map_err(|e| format!("has an event that is no JSON: {e}"))
        };
        let place = position(place)?;
        let edit = match (kind, fields.as_slice()) {
            ("x", [id]) => Edit::Skip { position: place, event_id: id.clone() },
            ("i", [event]) => Edit::Insert { after: place, event: json(event)? },
            ("r", [id, event]) => {
                Edit::Replace { position: place, event_id: id.clone(), event: json(event)? }
            }
            _ => return Err(format!("has an edit that cannot be read: {item:?}")),
        };
        branch.push(edit).map_err(|error| format!("has an edit too early: {error}"))?;
    }
    // Nothing of it can be undone: it is what it was when it was copied.
    let mut as_copied = Branch::new(base);
    as_copied.edits = branch.edits;
    Ok(as_copied)
}
