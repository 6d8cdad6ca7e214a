//! Doing what was decided, so that a kill at any moment leaves each file old or new.
//!
//! Lives here: keeping bytes aside, and replacing partitions. May not live here: deciding.

use std::path::Path;

use serde::Serialize;

use super::super::LocalStore;
use super::super::head::take_out_batch;
use super::super::io::{NewFile, make_dirs, read_range, replace, set_len};
use super::super::layout::Date;
use super::super::source::{Damage, Source};
use super::plan::{Piece, Plan, Rewrite};
use super::{Locks, Mend};
use crate::error::{Error, Result};

/// How much is copied at a time.
const CHUNK: u64 = 1 << 20;

/// What stands beside bytes that were taken out of a log.
#[derive(Serialize)]
struct Note<'a> {
    taken_out: String,
    issue_key: &'a str,
    /// The file, from the events folder on.
    file: String,
    line: Option<u64>,
    offset: Option<u64>,
    bytes: Option<u64>,
    kind: &'a str,
    detail: &'a str,
    action: &'a str,
}

/// Does what `plan` says; the locks are held.
pub(super) fn carry_out(store: &LocalStore, locks: &Locks, plan: &Plan) -> Result<()> {
    let layout = &store.layout;
    let lock = locks.issue.as_ref().ok_or_else(|| Error::internal("the issue is not locked"))?;
    if !plan.batch.is_empty() {
        take_out_batch(layout, &plan.key, lock, &plan.batch)?;
    }
    for mend in &plan.mends {
        let of_batch = mend.line.is_none().then_some(mend.quarantine.as_ref()).flatten();
        if let Some(kept) = of_batch {
            note(store, mend, kept, None)?;
        }
    }
    for (date, rewrite) in &plan.rewrites {
        for (at, from, to) in &rewrite.kept {
            let log = open(store, *date, &plan.key)?;
            keep_aside(store, &log, &plan.mends[*at], (*from, *to))?;
        }
    }
    // What the lock file says of the log is of the old one. Without it everything is looked up.
    let path = layout.issue_lock(&plan.key);
    set_len(lock, 0).map_err(|e| Error::io("cut", &path, &e))?;
    for (date, rewrite) in &plan.rewrites {
        write(store, &plan.key, *date, rewrite)?;
    }
    Ok(())
}

/// The events as they are, whatever is wrong with them.
fn open(store: &LocalStore, date: Date, key: &str) -> Result<Source> {
    let path = store.layout.events(date, key);
    Source::open_for(&store.layout, date, key, Damage::Blank)
        .map_err(|e| Error::io("open", &path, &e))
}

fn keep_aside(store: &LocalStore, log: &Source, mend: &Mend, (from, to): (u64, u64)) -> Result<()> {
    let Some(kept) = &mend.quarantine else { return Ok(()) };
    let mut copy = NewFile::beside(kept).map_err(|e| Error::io("write", kept, &e))?;
    add(&mut copy, kept, log, (from, to))?;
    // The name tells the bytes, so what is there already is the same.
    copy.put(kept, true)?;
    note(store, mend, kept, Some((from, to - from)))
}

fn add(out: &mut NewFile, to_path: &Path, file: &Source, (from, to): (u64, u64)) -> Result<()> {
    let mut at = from;
    while at < to {
        let bytes = read_range(file, at, to.min(at + CHUNK));
        let bytes = bytes.map_err(|e| Error::io("read", file.path(), &e))?;
        if bytes.is_empty() {
            return Err(Error::io("read", file.path(), &std::io::ErrorKind::UnexpectedEof.into()));
        }
        out.add(&bytes).map_err(|e| Error::io("write", to_path, &e))?;
        at += bytes.len() as u64;
    }
    Ok(())
}

fn note(store: &LocalStore, mend: &Mend, kept: &Path, place: Option<(u64, u64)>) -> Result<()> {
    let file = mend.file.strip_prefix(store.root()).unwrap_or(&mend.file);
    let text = serde_json::to_vec_pretty(&Note {
        taken_out: store.clock.now().to_string(),
        issue_key: &mend.issue_key,
        file: file.display().to_string(),
        line: mend.line,
        offset: place.map(|(offset, _)| offset),
        bytes: place.map(|(_, bytes)| bytes),
        kind: mend.kind.name(),
        detail: &mend.detail,
        action: mend.action.name(),
    });
    let mut text = text.map_err(|e| Error::internal(e.to_string()))?;
    text.push(b'\n');
    replace(&kept.with_extension("json"), &text, true)
}

fn write(store: &LocalStore, key: &str, date: Date, rewrite: &Rewrite) -> Result<()> {
    let path = store.layout.events(date, key);
    make_dirs(&store.layout.partition(date, key))?;
    let mut out = NewFile::beside(&path).map_err(|e| Error::io("write", &path, &e))?;
    for piece in &rewrite.pieces {
        match piece {
            Piece::New(bytes) => out.add(bytes).map_err(|e| Error::io("write", &path, &e))?,
            Piece::Old(from, to) => {
                let file = open(store, date, key)?;
                add(&mut out, &path, &file, (*from, *to))?;
            }
        }
    }
    out.put(&path, true)
}
