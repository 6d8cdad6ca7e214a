//! Making the global log anew from the issues' logs.
//!
//! Lives here: recovery of a global log whose notes were lost, and its rebuilding. May not live
//! here: publishing (see [`super::global`]).
//!
//! What the last checkpoint signs is put in the order of its leaf hashes. Where a signed line is
//! gone, a rebuilding changes nothing; a recovery lets the others go on and leaves a word in its
//! place (see [`super::lost`]).
//! Behind that the order of what stands in a global log is kept, since nothing else knows it. Lines that
//! follow no issue's log are dropped. What is missing comes at the end, by running maximum of the
//! time, issue and place; only where a later line of the same issue is there already does a
//! missing one go right before that.

use std::collections::hash_map::Entry;
use std::ops::ControlFlow;
use std::time::Duration;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::global::{Global, empty};
use super::head::Locked;
use super::io::{FileId, NewFile, fingerprint, private, read_range};
use super::layout::{Date, Layout};
use super::lines::{Stamps, end_of_lines, scan};
use super::lost::{self, LostLine, Order, Slot};
use super::record::{self, Place, Published, tail_of};
use super::source::{Damage, Source};
use super::tlog::hashes::Hash;
use super::tlog::leaves;
use super::watermark;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Timestamp;

/// What became of the lines of a global log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct GlobalReport {
    /// Lines that stand in it now.
    pub lines: u64,
    /// Lines that were not there before.
    pub added: u64,
    /// Lines that were there and belong to no issue's log, or stood there twice.
    pub dropped: u64,
}

/// Puts a global log in order without adding what was never published.
pub(super) fn recover(global: &mut Global<'_>) -> Result<()> {
    remake(global, None).map(|_| ())
}

/// Makes the global log hold every line of every issue.
pub(super) fn rebuild(layout: &Layout, timeout: Duration) -> Result<GlobalReport> {
    let mut global = Global::take_unchecked(layout, timeout)?;
    remake(&mut global, Some(timeout))
}

/// One line of an issue's log.
pub(super) struct LogLine {
    hash: u64,
    offset: u64,
    length: u64,
    part: u32,
    latest: Timestamp,
    /// Its sequence number; 0 where it has none.
    pub(super) sequence: u64,
    pub(super) leaf: Hash,
}

/// One issue's log.
pub(super) struct Log {
    pub(super) key: String,
    parts: Vec<Date>,
    pub(super) lines: Vec<LogLine>,
    /// How many of its lines the global log has.
    pub(super) taken: usize,
}

/// A line by its issue's and its own number.
pub(super) type At = (u32, u32);

fn remake(global: &mut Global<'_>, complete: Option<Duration>) -> Result<GlobalReport> {
    watermark::forget(global.layout)?;
    let signed = leaves::signed(global.layout)?;
    let mut logs = read_logs(global.layout, complete)?;
    let mut by_hash = FxHashMap::<u64, SmallVec<[At; 1]>>::default();
    for (issue, log) in (0_u32..).zip(&logs) {
        for (number, line) in (0_u32..).zip(&log.lines) {
            by_hash.entry(line.hash).or_default().push((issue, number));
        }
    }
    let order = lost::find(global.layout, &mut logs, &signed)?;
    if complete.is_some() {
        refuse_loss(&order)?;
    }
    let Kept { order: Order { mut slots, lost, .. }, mut report, mut intact } =
        keep(global, &mut logs, &by_hash, order)?;
    if complete.is_some() {
        let missing = missing(&mut logs);
        report.added += missing.len() as u64;
        intact &= missing.is_empty();
        slots.extend(missing.into_iter().map(Slot::Line));
    }
    report.lines = slots.len() as u64;
    if !intact {
        write(global, &logs, &slots, &lost)?;
    }
    let hash = |(at, slot): (usize, &Slot)| match slot {
        Slot::Line((issue, number)) => logs[*issue as usize].lines[*number as usize].leaf,
        Slot::Lost(_) => signed[at],
    };
    let hashes: Vec<Hash> = slots.iter().enumerate().map(hash).collect();
    global.leaves.put(global.layout, &hashes)?;
    note(global, &logs, report.lines)?;
    global.complaint = lost::remember(global.layout, &lost)?;
    Ok(report)
}

/// Reads all logs; to be complete, each up to the head that an append would find.
pub(super) fn read_logs(layout: &Layout, complete: Option<Duration>) -> Result<Vec<Log>> {
    let dates = layout.dates()?;
    let mut keys = std::collections::BTreeSet::new();
    for date in &dates {
        keys.extend(layout.issues_on(*date)?);
    }
    let mut logs = Vec::with_capacity(keys.len());
    for key in keys {
        let mut end = None;
        if let Some(timeout) = complete {
            match Locked::take(layout, &key, timeout) {
                Ok(log) => end = log.head.end,
                // Damage is for `verify` to tell; the lines are there all the same.
                Err(error) if error.kind() == ErrorKind::Integrity => {}
                Err(error) => return Err(error),
            }
        }
        logs.push(read_log(layout, key, end)?);
    }
    Ok(logs)
}

fn read_log(layout: &Layout, key: String, end: Option<Place>) -> Result<Log> {
    let mut log = Log { key, parts: Vec::new(), lines: Vec::new(), taken: 0 };
    let mut latest = Timestamp::MIN;
    for date in layout.partitions(&log.key)? {
        layout.refuse_links(date, &log.key)?;
        let path = layout.events(date, &log.key);
        // What is damaged of an archive is lost, as far as this goes; it holds up no other issue.
        let file = Source::open_for(layout, date, &log.key, Damage::Blank)
            .map_err(|e| Error::io("open", &path, &e))?;
        let to = end
            .filter(|p| p.date <= date)
            .map_or(u64::MAX, |p| if p.date == date { p.offset } else { 0 });
        let part = u32::try_from(log.parts.len()).unwrap_or(u32::MAX);
        let length = file.length().map_err(|e| Error::io("look at", &path, &e))?;
        let lines = &mut log.lines;
        scan(&file, &path, (0, to.min(length)), |line| {
            if line.terminated && !line.is_blank() {
                let stamps = Stamps::read(line.bytes);
                let at = stamps.as_ref().and_then(Stamps::at);
                latest = latest.max(at.unwrap_or(Timestamp::MIN));
                let sequence = stamps.and_then(|s| s.event_sequence).unwrap_or(0);
                let (offset, length) = (line.offset, line.length);
                let hash = fingerprint(line.bytes);
                let leaf = leaves::of_line(&file, &path, line)?;
                lines.push(LogLine { hash, offset, length, part, latest, sequence, leaf });
            }
            Ok(ControlFlow::Continue(()))
        })?;
        for gone in file.damaged() {
            let outside = |line: &LogLine| {
                line.part != part || line.offset >= gone.to || line.offset + line.length < gone.from
            };
            log.lines.retain(outside);
        }
        log.parts.push(date);
    }
    Ok(log)
}

/// Who asks for a complete log is told that there can be none.
fn refuse_loss(order: &Order) -> Result<()> {
    let Some(broken) = order.broken else { return Ok(()) };
    let message = format!(
        "line {broken} of the {} that the last checkpoint signs is in no issue's log, or not in its \
         order; the global log was left as it is",
        order.slots.len()
    );
    Err(Error::new(ErrorKind::Integrity, message)
        .with_hint("`chronoscope verify` tells what was changed"))
}

struct Kept {
    order: Order,
    report: GlobalReport,
    intact: bool,
}

/// Goes through the global log and keeps what follows the issues' logs, behind what is signed.
fn keep(
    global: &Global<'_>,
    logs: &mut [Log],
    by_hash: &FxHashMap<u64, SmallVec<[At; 1]>>,
    signed: Order,
) -> Result<Kept> {
    let failed = |e: std::io::Error| Error::io("look at", &global.path, &e);
    let length = global.file.metadata().map_err(failed)?.len();
    let end = end_of_lines(&global.file, &global.path, length)?;
    let placed: Vec<usize> = logs.iter().map(|log| log.taken).collect();
    let mut kept = Kept { order: signed, report: GlobalReport::default(), intact: end == length };
    let (first, mut seen) = (kept.order.slots.len(), 0);
    scan(&global.file, &global.path, (0, end), |line| {
        let places = by_hash.get(&fingerprint(line.bytes)).map_or(&[][..], |at| at);
        seen += 1;
        if let Some(at) = places.iter().find(|at| (at.1 as usize) < placed[at.0 as usize]) {
            // It is signed: its place is settled.
            kept.intact &= seen <= first && kept.order.slots[seen - 1] == Slot::Line(*at);
            return Ok(ControlFlow::Continue(()));
        }
        if seen <= first
            && let Slot::Lost(lost) = kept.order.slots[seen - 1]
            && kept.order.lost[lost].stands_at(line)
        {
            return Ok(ControlFlow::Continue(()));
        }
        kept.intact &= seen > first;
        let next = places.iter().find(|at| at.1 as usize >= logs[at.0 as usize].taken);
        match next {
            Some(&(issue, number)) => {
                let log = &mut logs[issue as usize];
                let before = u32::try_from(log.taken).unwrap_or(u32::MAX);
                kept.report.added += u64::from(number - before);
                kept.intact &= number == before;
                kept.order.slots.extend((before..=number).map(|n| Slot::Line((issue, n))));
                log.taken = number as usize + 1;
            }
            None if line.is_blank() => kept.intact = false,
            None => {
                kept.report.dropped += 1;
                kept.intact = false;
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    kept.intact &= seen >= first;
    Ok(kept)
}

/// The lines that are not there yet, in their order.
fn missing(logs: &mut [Log]) -> Vec<At> {
    let mut missing: Vec<(Timestamp, At)> = Vec::new();
    for (issue, log) in (0_u32..).zip(logs.iter_mut()) {
        let rest = (0_u32..).zip(&log.lines).skip(log.taken);
        missing.extend(rest.map(|(number, line)| (line.latest, (issue, number))));
        log.taken = log.lines.len();
    }
    // The logs stand in the order of their keys, so this is by time, issue and place.
    missing.sort_unstable();
    missing.into_iter().map(|(_, at)| at).collect()
}

/// The partitions read last, open: there may be more of them than a process may open.
struct OpenFiles<'a>(&'a Layout, FxHashMap<(u32, u32), Source>);

impl OpenFiles<'_> {
    fn read(&mut self, log: &Log, line: &LogLine, name: (u32, u32)) -> Result<Vec<u8>> {
        let date = log.parts[line.part as usize];
        if self.1.len() >= 64 && !self.1.contains_key(&name) {
            self.1.clear();
        }
        let file = match self.1.entry(name) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(free) => {
                let opened = Source::open(self.0, date, &log.key);
                let path = || self.0.events(date, &log.key);
                free.insert(opened.map_err(|e| Error::io("open", &path(), &e))?)
            }
        };
        read_range(file, line.offset, line.offset + line.length + 1)
            .map_err(|e| Error::io("read", file.path(), &e))
    }
}

fn write(global: &mut Global<'_>, logs: &[Log], order: &[Slot], lost: &[LostLine]) -> Result<()> {
    let failed = |e: std::io::Error| Error::io("write", &global.path, &e);
    let mut out = NewFile::beside(&global.path).map_err(failed)?;
    let mut files = OpenFiles(global.layout, FxHashMap::default());
    for slot in order {
        let bytes = match slot {
            Slot::Line((issue, number)) => {
                let log = &logs[*issue as usize];
                let line = &log.lines[*number as usize];
                files.read(log, line, (*issue, line.part))?
            }
            Slot::Lost(at) => lost[*at].in_its_place(&global.file).map_err(failed)?,
        };
        out.add(&bytes).map_err(failed)?;
    }
    out.put(&global.path, true)?;
    let open = private().read(true).append(true).open(&global.path);
    global.file = open.map_err(|e| Error::io("open", &global.path, &e))?;
    Ok(())
}

/// Notes for every issue how far it is published, and then the state of the whole.
fn note(global: &mut Global<'_>, logs: &[Log], lines: u64) -> Result<()> {
    let failed = |e: std::io::Error| Error::io("read", &global.path, &e);
    let metadata = global.file.metadata().map_err(failed)?;
    let length = end_of_lines(&global.file, &global.path, metadata.len())?;
    let tail = tail_of(&global.file, length).map_err(failed)?;
    let (file, leaves) = (FileId::of(&metadata), Some(lines));
    // Who is killed before the last of these notes leaves one that does not fit: otherwise issues
    // would speak of another log than the whole does, and be published anew.
    global.record = record::GlobalRecord { length: u64::MAX, tail, file, leaves, ..empty() };
    global.note()?;
    global.record.length = length;
    for log in logs {
        let path = global.layout.issue_lock(&log.key);
        let failed = |e: std::io::Error| Error::io("write", &path, &e);
        let last = log.taken.checked_sub(1).and_then(|at| log.lines.get(at));
        let mut slot = Published { generation: global.record.generation, sequence: 0, next: None };
        if let Some(line) = last {
            slot.sequence = line.sequence;
            let date = log.parts[line.part as usize];
            slot.next = Some(Place { date, offset: line.offset + line.length + 1 });
        }
        let lock = private().read(true).write(true).create(true).open(&path);
        record::write_published(&lock.map_err(failed)?, slot).map_err(failed)?;
    }
    global.note()
}
