//! Appending a batch to one issue's log.
//!
//! Lives here: the order of the steps (see the design's protocol), and what is answered. May not
//! live here: finding the head (see [`super::head`]), ids (see [`super::ids`]), the global log
//! (see [`super::global`]).
//!
//! The uncontended path of one event without an id lists no folder and starts no thread.

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::time::Duration;

use super::LocalStore;
use super::global::Fresh;
use super::head::{Locked, open_partition, unmake_partition};
use super::ids::{self, Stored};
use super::io::{FileId, fingerprint, make_dir, private, sync_dir};
use super::layout::{Date, Layout, check_key};
use super::record::{self, Part, Place, tail_of};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Timestamp;
use crate::schema::{Draft, Stamp};
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
    let mut log = Locked::take(&store.layout, &batch.issue_key, options.lock_timeout)?;
    let (known, unindexed) = look_up(store, &log, batch, options.durability)?;
    check_expected(&log, &known, options.expected_sequence)?;
    let plan = Plan::make(store, &log, batch, options, known)?;
    let before = (log.head.end, log.head.sequence);
    if !plan.groups.is_empty() {
        write(&mut log, &plan)?;
        store.note_ids(&log, before.0, &plan, options.durability);
    }
    let after = log.head.end;
    settle(store, log, &plan, (before, after), options)?;
    if let Some(end) = after {
        store.upkeep(&batch.issue_key, before, &plan.answers, end, options.durability);
        if unindexed {
            // Only speed depends on it.
            let _ = ids::extend(&store.layout, &batch.issue_key, end);
        }
    }
    Ok(plan.answers)
}

/// For each draft of a batch the line that already has its id.
type Known = Vec<Option<Stored>>;

/// Finds the drafts whose ids are already in the log, and refuses ids that mean another event.
/// Says too whether the id index lags far behind.
fn look_up(
    store: &LocalStore,
    log: &Locked<'_>,
    batch: &Batch,
    durability: Durability,
) -> Result<(Known, bool)> {
    let wanted: Vec<&str> = batch.drafts.iter().filter_map(Draft::event_id).collect();
    if wanted.is_empty() || log.head.end.is_none() {
        return Ok((vec![None; batch.drafts.len()], false));
    }
    let (found, unindexed) = match durability {
        Durability::Deferred => (store.find_cached(log, &wanted)?, false),
        _ => ids::find(&store.layout, log, &wanted)?,
    };
    let mut known = Vec::with_capacity(batch.drafts.len());
    for draft in &batch.drafts {
        let stored = draft.event_id().and_then(|id| found.get(id));
        if let Some(stored) = stored
            && !draft.same_content(&stored.line)
        {
            return Err(reused(&stored.id, stored.sequence));
        }
        known.push(stored.cloned());
    }
    Ok((known, unindexed))
}

fn reused(id: &str, sequence: u64) -> Error {
    let message =
        format!("the event id {id} is already that of event {sequence}, which has other content");
    Error::new(ErrorKind::Conflict, message)
        .with_hint("an id is used again only to retry the very same event")
        .with_details(serde_json::json!({ "event_id": id, "event_sequence": sequence }))
}

/// The expected sequence is that before the batch, part of which may stand already.
fn check_expected(log: &Locked<'_>, known: &Known, expected: Option<u64>) -> Result<()> {
    let Some(expected) = expected else { return Ok(()) };
    if known.iter().all(Option::is_some) {
        return Ok(());
    }
    let actual = log.head.sequence;
    let standing = known.iter().flatten().zip(expected + 1..);
    let retried = standing.take_while(|(stored, sequence)| stored.sequence == *sequence).count();
    if expected + retried as u64 == actual {
        return Ok(());
    }
    let message = format!("expected the head of {} at {expected}, but it is at {actual}", log.key);
    Err(Error::new(ErrorKind::Conflict, message)
        .with_hint("read what was appended since, decide again, and expect the new head")
        .with_details(serde_json::json!({ "expected": expected, "actual": actual })))
}

/// What is to be written and answered.
pub(super) struct Plan {
    /// All lines with their line feeds.
    pub(super) bytes: Vec<u8>,
    /// Which of them go to which partition.
    pub(super) groups: Vec<(Date, Range<usize>)>,
    /// The running maximum of the times after it.
    latest: Timestamp,
    /// The answers, in the order of the drafts.
    pub(super) answers: Vec<Acknowledgement>,
    /// Where the lines of the new events begin in `bytes`, with their ids' place in `answers`.
    pub(super) lines: Vec<(usize, usize)>,
}

impl Plan {
    fn make(
        store: &LocalStore,
        log: &Locked<'_>,
        batch: &Batch,
        options: &AppendOptions,
        known: Known,
    ) -> Result<Self> {
        let answers = Vec::with_capacity(batch.drafts.len());
        let latest = log.head.latest;
        let mut plan =
            Self { bytes: Vec::new(), groups: Vec::new(), latest, answers, lines: Vec::new() };
        let mut partition = log.head.end.map(|p| p.date);
        let mut sequence = log.head.sequence;
        let now = store.clock.now();
        // Ids of this batch, to find one that comes twice; one draft has nothing to collide with.
        let mut seen = rustc_hash::FxHashMap::<&str, usize>::default();
        for (draft, known) in batch.drafts.iter().zip(known) {
            if let Some(stored) = known {
                plan.answers.push(duplicate(draft, &stored, options.durability));
                continue;
            }
            if let Some(id) = draft.event_id()
                && batch.drafts.len() > 1
                && let Some(first) = seen.insert(id, plan.answers.len())
            {
                plan.repeat(draft, first, id)?;
                seen.insert(id, first);
                continue;
            }
            sequence += 1;
            let at = draft.timestamp().unwrap_or_else(|| now.max(plan.latest));
            plan.latest = plan.latest.max(at);
            let date = partition.map_or(Date::of(at), |last| last.max(Date::of(at)));
            partition = Some(date);
            plan.add(draft, (at, sequence, date), options);
        }
        Ok(plan)
    }

    fn add(
        &mut self,
        draft: &Draft,
        (timestamp, sequence, date): (Timestamp, u64, Date),
        options: &AppendOptions,
    ) {
        let event_id = draft.event_id().map_or_else(crate::model::ids::new_event_id, str::to_owned);
        let git = options.git.as_ref();
        let line = draft.to_line(&Stamp {
            event_id: &event_id,
            timestamp,
            sequence,
            git_sha: git.map(|g| g.sha.as_str()),
            branch: git.and_then(|g| g.branch.as_deref()),
        });
        let start = self.bytes.len();
        self.lines.push((start, self.answers.len()));
        if start == 0 {
            self.bytes = line.into_bytes();
        } else {
            self.bytes.extend_from_slice(line.as_bytes());
        }
        self.bytes.push(b'\n');
        let end = self.bytes.len();
        match self.groups.last_mut() {
            Some((last, range)) if *last == date => range.end = end,
            _ => self.groups.push((date, start..end)),
        }
        self.answers.push(Acknowledgement {
            event_id,
            event_type: draft.event_type().to_owned(),
            event_sequence: sequence,
            issue_key: draft.issue_key().to_owned(),
            session_id: draft.session_id().to_owned(),
            timestamp,
            partition: date.as_str().to_owned(),
            duplicate: false,
            durability: mark(options.durability),
        });
    }

    /// An id that came earlier in the same batch.
    fn repeat(&mut self, draft: &Draft, first: usize, id: &str) -> Result<()> {
        let answer = &self.answers[first];
        let line = self.lines.iter().find(|(_, at)| *at == first).map(|(start, _)| {
            let rest = &self.bytes[*start..];
            &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())]
        });
        let line = line.and_then(|line| std::str::from_utf8(line).ok());
        if !line.is_some_and(|line| draft.same_content(line)) {
            return Err(reused(id, answer.event_sequence));
        }
        let answer = Acknowledgement { duplicate: true, ..answer.clone() };
        self.answers.push(answer);
        Ok(())
    }
}

fn mark(durability: Durability) -> Option<&'static str> {
    (durability == Durability::Os).then_some("os")
}

fn duplicate(draft: &Draft, stored: &Stored, durability: Durability) -> Acknowledgement {
    Acknowledgement {
        event_id: stored.id.clone(),
        event_type: draft.event_type().to_owned(),
        event_sequence: stored.sequence,
        issue_key: draft.issue_key().to_owned(),
        session_id: draft.session_id().to_owned(),
        timestamp: stored.timestamp,
        partition: stored.partition.as_str().to_owned(),
        duplicate: true,
        durability: mark(durability),
    }
}

/// Writes the lines: afterwards all are there and the head says so, or none is.
fn write(log: &mut Locked<'_>, plan: &Plan) -> Result<()> {
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
        log.head = record::HeadRecord { note: None, ..old };
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
    let loose = match (log.head.loose, before) {
        (Some(loose), _) => Some(loose),
        (None, Some(place)) if born => Some(place.date),
        (None, None) => Some(parts[0].at.date),
        (None, Some(_)) => None,
    };
    log.head = record::HeadRecord {
        end: Some(Place { date: last.at.date, offset }),
        sequence: log.head.sequence + plan.lines.len() as u64,
        latest: plan.latest,
        file: id,
        tail,
        loose,
        suspect: log.head.suspect,
        note: None,
    };
    Ok(())
}

/// Tells the next holder of the lock what to look for if this one is killed.
fn note(log: &mut Locked<'_>, parts: &[Part]) -> Result<()> {
    let path = log.layout.issue_lock(log.key);
    let note = record::write_note(&log.lock, parts).map_err(|e| Error::io("write", &path, &e))?;
    let head = record::HeadRecord { note: Some(note), ..log.head.clone() };
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
        let mut rest = &plan.bytes[range.clone()];
        // One write as a rule. A short one means that there is no room; the next then says why.
        while !rest.is_empty() {
            let mut writer = file;
            match writer.write(rest) {
                Ok(0) => {
                    return Err(Error::io("write", &path, &io::ErrorKind::WriteZero.into()));
                }
                Ok(n) => rest = &rest[n..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("write", &path, &error)),
            }
        }
    }
    Ok(())
}

fn make_partition(log: &Locked<'_>, date: Date) -> Result<File> {
    let dir = log.layout.partition(date, log.key);
    log.layout.refuse_links(date, log.key)?;
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
            let _ = file.set_len(part.at.offset);
        }
        if part.at.offset == 0 {
            let _ = unmake_partition(log.layout, log.key, part.at.date);
        }
    }
}

type End = Option<Place>;

/// Makes it durable, and publishes it.
fn settle(
    store: &LocalStore,
    mut log: Locked<'_>,
    plan: &Plan,
    ((before, _), after): ((End, u64), End),
    options: &AppendOptions,
) -> Result<()> {
    let wrote = !plan.groups.is_empty();
    let unknown = |error: Error| outcome_unknown(&error, plan);
    let in_doubt = log.head.loose.is_some() || log.head.suspect.is_some();
    if options.durability == Durability::Sync && in_doubt {
        // The head on disk still has its note, or says what is in doubt: a crash loses nothing.
        if let Err(error) = log.write_suspect_again().and_then(|()| sync_loose(&log)) {
            // A partition may be what failed, and the caller is told so: the next one writes it
            // again.
            log.head.suspect = log.head.suspect.or(log.head.loose.map(beginning));
            let _ = log.write_head();
            return Err(unknown(error));
        }
        (log.head.loose, log.head.suspect) = (None, None);
        log.write_head().map_err(unknown)?;
    } else if wrote {
        log.write_head().map_err(unknown)?;
    }
    let _ = log.lock.unlock();
    let Some(end) = after else { return Ok(()) };
    match options.durability {
        Durability::Deferred => {
            store.defer(log.key, before, plan.groups.iter().map(|g| g.0));
            return Ok(());
        }
        Durability::Sync => {
            if let Some(file) = &log.file {
                let path = log.layout.events(end.date, log.key);
                if let Err(error) = file.sync_data() {
                    let from = before.filter(|p| p.date == end.date && wrote);
                    let from = from.unwrap_or(beginning(end.date));
                    doubt(&store.layout, log.key, from, options.lock_timeout);
                    return Err(unknown(Error::io("sync", &path, &error)));
                }
            }
        }
        Durability::Os => {}
    }
    let fresh = Fresh {
        key: log.key,
        lock: &log.lock,
        before,
        after: end,
        sequence: log.head.sequence,
        bytes: if wrote { &plan.bytes } else { &[] },
    };
    // The events are durable: a global log that cannot be written now is caught up later, and
    // to call this a failure would make the caller append them twice.
    let _ = super::global::publish(&store.layout, options.lock_timeout, &fresh);
    Ok(())
}

/// The beginning of a partition.
pub(super) fn beginning(date: Date) -> Place {
    Place { date, offset: 0 }
}

/// Remembers for the next writer that a sync failed. A lock file that cannot be written either
/// leaves nothing to remember it by.
pub(super) fn doubt(layout: &Layout, key: &str, from: Place, timeout: Duration) {
    if let Ok(mut log) = Locked::take(layout, key, timeout) {
        let _ = log.suspect(from);
    }
}

/// Makes durable what no append has: the folders from the first loose partition on, and the
/// files but for the last, which is synced after the lock is given back.
fn sync_loose(log: &Locked<'_>) -> Result<()> {
    let (Some(loose), Some(end)) = (log.head.loose, log.head.end) else { return Ok(()) };
    for date in log.layout.partitions(log.key)?.into_iter().filter(|date| *date >= loose) {
        if date != end.date {
            let path = log.layout.events(date, log.key);
            let synced = File::open(&path).and_then(|file| file.sync_data());
            synced.map_err(|e| Error::io("sync", &path, &e))?;
        }
        let dir = log.layout.partition(date, log.key);
        sync_dir(&dir)?;
        if let Some(day) = dir.parent() {
            sync_dir(day)?;
        }
    }
    sync_dir(log.layout.root())
}

/// The error of a sync that failed after the events were written.
fn outcome_unknown(error: &Error, plan: &Plan) -> Error {
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
