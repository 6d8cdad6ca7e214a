//! That a log is not what was recorded, for whoever executes from it.
//!
//! Lives here: where that shows first, in words. May not live here: finding it (see
//! [`LocalStore::verify_record`](crate::store::local::LocalStore::verify_record)).

use std::path::Path;

use crate::store::local::Finding;

/// What was found and where, of several the first; none where nothing was. Files are named from a
/// folder on.
#[must_use]
pub fn place(findings: &[Finding], from: &Path) -> Option<String> {
    let Finding { kind, file, line, .. } = findings.first()?;
    let file = file.strip_prefix(from).unwrap_or(file).display();
    let line = line.map_or_else(String::new, |line| format!(":{line}"));
    let more = if findings.len() > 1 { ", and more" } else { "" };
    Some(format!("{kind} at {file}{line}{more}"))
}
