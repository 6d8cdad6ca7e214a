//! Events that were published and are no more in their issue's log.
//!
//! Lives here: finding them in the global log. May not live here: where they go.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::ops::ControlFlow;

use super::super::global::issue_of;
use super::super::head::is_one_object;
use super::super::io::is_absent;
use super::super::layout::Layout;
use super::super::lines::{Stamps, scan};
use super::super::tlog::leaves;
use crate::error::{Error, Result};

/// The lines of an issue, by sequence number, that the global log has, whose leaf hash is kept,
/// and whose number the issue's log does not have.
pub(super) fn lost(
    layout: &Layout,
    key: &str,
    present: &BTreeSet<u64>,
) -> Result<BTreeMap<u64, Vec<u8>>> {
    let mut lost = BTreeMap::new();
    let path = layout.global();
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if is_absent(&error) => return Ok(lost),
        Err(error) => return Err(Error::io("open", &path, &error)),
    };
    let hashes = leaves::read_all(layout)?;
    let mut twice = BTreeSet::new();
    let mut at = 0;
    scan(&file, &path, (0, u64::MAX), |line| {
        if !line.terminated || line.is_blank() {
            return Ok(ControlFlow::Continue(()));
        }
        let leaf = hashes.get(at);
        at += 1;
        if line.too_long() || issue_of(line.bytes) != key || !is_one_object(line.bytes) {
            return Ok(ControlFlow::Continue(()));
        }
        let number = Stamps::read(line.bytes).and_then(|stamps| stamps.event_sequence);
        if let Some(number) = number.filter(|number| !present.contains(number))
            && leaf == Some(&leaves::of_line(&file, &path, line)?)
            && lost.insert(number, line.bytes.to_vec()).is_some()
        {
            twice.insert(number);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    // Of two that claim one number nobody knows which it was.
    lost.retain(|number, _| !twice.contains(number));
    Ok(lost)
}
