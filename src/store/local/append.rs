//! Appending a batch to one issue's log.
//!
//! Lives here: the order of the steps (see the design's protocol), and what is answered. May not
//! live here: finding the head (see [`super::head`]), ids (see [`super::ids`]), syncing (see
//! [`super::commit`]), the global log (see [`super::global`]).
//!
//! The uncontended path of one event without an id lists no folder and starts no thread.

use std::fs::File;

use super::LocalStore;
use super::commit::{Commit, Folders};
use super::global::{Fresh, boot_id};
use super::handles::{IssueFiles, OpenLog};
use super::head::{Locked, open_partition, unmake_partition};
use super::ids;
use super::io::{FileId, append_all, fingerprint, make_dir, private, set_len};
use super::layout::{Date, check_key};
use super::lock::LockFile;
use super::plan::{Plan, check_expected, look_up};
use super::record::{self, Part, Place, tail_of};
use super::upkeep::LogEnd;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Acknowledgement, AppendOptions, Batch, Durability};

/// Appends a batch: all of it, or nothing.
pub(super) fn append(
    store: &LocalStore,
    batch: &Batch,
    options: &AppendOptions,
) -> Result<Vec<Acknowledgement>> {
    check_key(&batch.issue_key)?;
    if let Some(other) = batch.drafts.iter().find(|d| d.issue_key() != batch.issue_key) {
        let other = other.issue_key();
        let message = format!("a batch for {} holds an event of {other}", batch.issue_key);
        return Err(
            Error::usage(message).with_hint("append the events of each issue by themselves")
        );
    }
    if batch.drafts.is_empty() {
        return Ok(Vec::new());
    }
    store.handles.count_append();
    let IssueFiles { lock, sync, log } = store.handles.lend(&batch.issue_key);
    let (layout, timeout) = (&store.layout, options.lock_timeout);
    let mut log = Locked::take_with(layout, &batch.issue_key, timeout, (lock, log))?;
    let (known, unindexed) = look_up(store, &log, batch, options.durability)?;
    check_expected(&log, &known, options.expected_sequence)?;
    let plan = Plan::make(store, &log, batch, options, known)?;
    let before = (log.head.end, log.head.sequence);
    if !plan.groups.is_empty() {
        write(&mut log, &plan)?;
        store.note_ids(&log, before.0, &plan, options.durability);
    }
    let after = log.head.end;
    let plan = settle(store, (log, sync), plan, before.0, options)?;
    if let Some(end) = after {
        store.upkeep(&batch.issue_key, before, &plan.answers, end, options.durability);
        if unindexed {
            // Only speed depends on it.
            let _ = ids::extend(&store.layout, &batch.issue_key, end);
        }
    }
    Ok(plan.answers)
}

/// Writes the lines: afterwards all are there and the head says so, or none is.
pub(super) fn write(log: &mut Locked<'_>, plan: &Plan) -> Result<()> {
    let before = log.head.end;
    let parts: Vec<Part> = plan
        .groups
        .iter()
        .map(|(date, range)| {
            let offset = before.filter(|p| p.date == *date).map_or(0, |p| p.offset);
            let hash = fingerprint(&plan.bytes[range.clone()]);
            Part { at: Place { date: *date, offset }, length: range.len() as u64, hash }
        })
        .collect();
    let born = parts.iter().any(|part| before.is_none_or(|p| p.date != part.at.date));
    if born || plan.lines.len() > 1 {
        note(log, &parts)?;
    }
    let old = log.head.clone();
    if let Err(error) = write_parts(log, plan, &parts) {
        cut_back(log, &parts);
        log.head = record::HeadRecord { note: None, boot: boot_id().to_owned(), ..old };
        // The note is still there when this fails, and the next writer settles it.
        let _ = log.write_head();
        return Err(error);
    }
    let (Some(last), Some(file)) = (parts.last(), log.file.as_ref()) else {
        return Err(Error::internal("a plan with lines has no last part"));
    };
    let path = log.layout.events(last.at.date, log.key);
    let id = if born {
        FileId::of(&file.metadata().map_err(|e| Error::io("look at", &path, &e))?)
    } else {
        log.head.file
    };
    let offset = last.at.offset + last.length;
    let tail = match plan.groups.last() {
        Some((_, range)) if range.len() as u64 >= record::TAIL => {
            let bytes = &plan.bytes[range.clone()];
            fingerprint(&bytes[bytes.len() - record::TAIL as usize..])
        }
        _ => tail_of(file, offset).map_err(|e| Error::io("read", &path, &e))?,
    };
    log.head = record::HeadRecord {
        end: Some(Place { date: last.at.date, offset }),
        sequence: log.head.sequence + plan.lines.len() as u64,
        latest: plan.latest,
        file: id,
        tail,
        note: None,
        boot: boot_id().to_owned(),
    };
    Ok(())
}

/// Tells the next holder of the lock what to look for if this one is killed.
fn note(log: &mut Locked<'_>, parts: &[Part]) -> Result<()> {
    let path = log.layout.issue_lock(log.key);
    let note = record::write_note(&log.lock, parts).map_err(|e| Error::io("write", &path, &e))?;
    let boot = boot_id().to_owned();
    let head = record::HeadRecord { note: Some(note), boot, ..log.head.clone() };
    record::write_head(&log.lock, &head).map_err(|e| Error::io("write", &path, &e))
}

fn write_parts(log: &mut Locked<'_>, plan: &Plan, parts: &[Part]) -> Result<()> {
    for (part, (date, range)) in parts.iter().zip(&plan.groups) {
        let path = log.layout.events(*date, log.key);
        if log.head.end.is_none_or(|p| p.date != *date) {
            log.file = Some(make_partition(log, *date)?);
        }
        let Some(file) = &log.file else {
            return Err(Error::internal("the last partition is not open"));
        };
        debug_assert!(part.length == range.len() as u64);
        let written = append_all(file, &plan.bytes[range.clone()]);
        written.map_err(|e| Error::io("write", &path, &e))?;
    }
    Ok(())
}

fn make_partition(log: &Locked<'_>, date: Date) -> Result<File> {
    let dir = log.layout.partition(date, log.key);
    log.layout.refuse_links(date, log.key)?;
    if log.layout.archive(date, log.key).is_file() && !log.layout.events(date, log.key).exists() {
        return Err(super::head::archived(log.key, date));
    }
    if let Some(day) = dir.parent() {
        make_dir(day)?;
    }
    make_dir(&dir)?;
    let path = log.layout.events(date, log.key);
    private()
        .read(true)
        .append(true)
        .create(true)
        .open(&path)
        .map_err(|e| Error::io("create", &path, &e))
}

/// Takes back what was written. Where that fails too, the note tells the next writer.
fn cut_back(log: &mut Locked<'_>, parts: &[Part]) {
    for part in parts {
        let opened = open_partition(log.layout, log.key, part.at.date);
        if let Ok(Some((file, length, _))) = opened
            && length > part.at.offset
        {
            let _ = set_len(&file, part.at.offset);
        }
        if part.at.offset == 0 {
            let _ = unmake_partition(log.layout, log.key, part.at.date);
        }
    }
}

/// Gives the lock back, makes what was written durable, and publishes it.
pub(super) fn settle(
    store: &LocalStore,
    (mut log, sync): (Locked<'_>, Option<LockFile>),
    mut plan: Plan,
    before: Option<Place>,
    options: &AppendOptions,
) -> Result<Plan> {
    let wrote = !plan.groups.is_empty();
    if wrote {
        log.write_head().map_err(|e| outcome_unknown(&e, &plan))?;
    }
    log.lock.release();
    let (Some(after), Some(file)) = (log.head.end, &log.file) else { return Ok(plan) };
    let end = LogEnd { place: after, file: log.head.file, sequence: log.head.sequence };
    let bytes: &[u8] = if wrote { &plan.bytes } else { &[] };
    let (key, lock, sequence) = (log.key, &*log.lock, end.sequence);
    let fresh = Fresh { key, lock, before, after, sequence, bytes, file };
    let (layout, handles, timeout) = (&store.layout, &store.handles, options.lock_timeout);
    let sync = match options.durability {
        Durability::Deferred => {
            let dates = plan.groups.iter().map(|(date, _)| *date);
            let dates = before.map(|p| p.date).into_iter().chain(dates);
            store.defer(log.key, (before, end), dates, std::mem::take(&mut plan.bytes));
            sync
        }
        Durability::Sync => {
            let folders = &Folders::default();
            let (id, complaint) = (end.file, &store.complaint);
            let commit = Commit { layout, handles, fresh, id, timeout, folders, complaint };
            Some(commit.run(sync).map_err(|e| outcome_unknown(&e, &plan))?)
        }
        Durability::Os => {
            // What cannot be published now is caught up later.
            store.complaint.hear(super::global::publish((layout, handles), timeout, &fresh));
            sync
        }
    };
    let (date, id) = (after.date, end.file);
    let open = log.file.map(|file| OpenLog { date, id, file });
    let files = IssueFiles { lock: Some(log.lock), sync, log: open };
    handles.give_back(log.key, files);
    Ok(plan)
}

/// The error of a sync that failed after the events were written.
fn outcome_unknown(error: &Error, plan: &Plan) -> Error {
    if plan.answers.is_empty() {
        let (message, count) = (error.message(), plan.lines.len());
        let message = format!("{message}; whether the next {count} events are stored is unknown");
        return Error::new(ErrorKind::Unavailable, message)
            .with_hint("do it again: what is there is not added twice");
    }
    let ids: Vec<&str> = plan.answers.iter().map(|a| a.event_id.as_str()).collect();
    let message = format!(
        "{}; whether these events are stored is unknown: {}",
        error.message(),
        ids.join(", ")
    );
    Error::new(ErrorKind::Unavailable, message)
        .with_hint("append them again with the same event ids: what is there is not added twice")
        .with_details(serde_json::json!({ "event_ids": ids }))
}
