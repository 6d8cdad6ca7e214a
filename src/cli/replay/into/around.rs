//! What is looked at beside a copy: its source, and the folder that it goes to.
//!
//! Lives here: whether the source is what was recorded, whether the two folders go together, what the
//! one has already. May not live here: copying.

use std::path::Path;

use super::super::super::context::Context;
use super::super::super::failure::note;
use super::super::real;
use crate::error::{Error, Result};
use crate::session::replay::present::Present;
use crate::store::local::{Finding, LocalStore};

/// Of a copy that is not made yet: says what its folder has of the issue already.
pub(super) fn tell_present(context: &Context, into: &Path, issue: &str, present: &Present) {
    let (count, known) = (present.count(), present.known());
    let text = format!(
        "{} has {count} events of {issue} already; of those to be copied it has {known}",
        into.display()
    );
    note(&text, context.out.paint);
}

/// What a check finds that says that the logs are not what was recorded. A copy keeps what it
/// reads: nobody could tell from it.
pub(super) fn checked(store: &LocalStore, issue: Option<&str>) -> Result<Vec<Finding>> {
    store.verify_record(issue)
}

/// The same; where a store cannot be checked that is said, and holds up nothing.
pub(super) fn found(context: &Context, findings: Result<Vec<Finding>>) -> Vec<Finding> {
    findings.unwrap_or_else(|error| {
        let text = format!("whether the logs are what was recorded is unknown: {error}");
        note(&text, context.out.paint);
        Vec::new()
    })
}

/// A store within another would be taken for one of its days.
pub(super) fn refuse_itself(store: &LocalStore, target: &Path) -> Result<()> {
    let (Some(from), Some(to)) = (real(store.root()), real(target)) else { return Ok(()) };
    let (message, hint) = match (to.starts_with(&from), from.starts_with(&to)) {
        (true, true) => ("--into names the store that the events come from", "name another folder"),
        (true, _) => ("--into names a folder within the store that the events come from", BESIDE),
        (_, true) => ("the store that the events come from is within the folder of --into", BESIDE),
        _ => return Ok(()),
    };
    Err(Error::usage(message).with_hint(hint))
}

/// Where a copy may be.
const BESIDE: &str = "name a folder beside it: what is within a store is taken for its own";
