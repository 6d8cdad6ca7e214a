//! The quick half of a check: on all cores, every line is read, parsed, hashed and found again in
//! the global log and among the leaf hashes.
//!
//! Lives here: [`all_is_well`], which says that nothing is wrong, or that it cannot say so. May
//! not live here: what is wrong and where; then the thorough half reads everything once more (see
//! [`super::verify`]).
//!
//! Lines of the global log are held against the issues' by a hash whose key is made anew for each
//! run, so that nobody can prepare lines that merely look alike; the leaf hashes are SHA-256.

use std::collections::hash_map::Entry;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::LocalStore;
use super::alike::Keyed;
use super::io::{fingerprint, read_full_at};
use super::layout::{Date, METADATA};
use super::lines::{MAX_LINE_BYTES, Scanned};
use super::snapshots::{read, snapshot_names};
use super::source::Source;
use super::summary::{Light, Summary};
use super::tlog::check::Evidence;
use super::tlog::hashes::{Hash, leaf};
use crate::error::{Error, Result};
use crate::model::Timestamp;

/// How many bytes are read at a time.
const BLOCK: u64 = 1 << 20;
/// How much more is read where a line goes on behind its block.
const MORE: u64 = 64 << 10;

/// A piece of work.
enum Item<'a> {
    /// A block of an issue's partition.
    Lines { key: &'a str, date: Date, file: usize, range: (u64, u64) },
    /// A block of the global log.
    Global { file: usize, range: (u64, u64) },
    /// A snapshot.
    Snapshot { key: &'a str, sequence: u64, path: PathBuf },
}

/// What a block of lines holds.
#[derive(Default)]
struct Block {
    first_sequence: u64,
    leaves: Vec<Hash>,
    /// The keyed hashes of the lines.
    alike: Vec<u64>,
    ids: Vec<u64>,
    summary: Option<Summary>,
}

/// A partition, as it is before it is read.
struct Partition {
    issue: usize,
    /// Which of the items are its blocks.
    blocks: std::ops::Range<usize>,
    /// Summaries that are kept of it in files.
    kept: Vec<Summary>,
}

/// The work that there is.
struct Plan<'a> {
    files: Vec<Source>,
    items: Vec<Item<'a>>,
    partitions: Vec<Partition>,
    global: std::ops::Range<usize>,
}

/// The number of events and bytes, if every line of every issue is sound and is what was logged,
/// all of it in the global log, and all that is derived from it fits.
pub(super) fn all_is_well(
    store: &LocalStore,
    keys: &[String],
    evidence: &Evidence,
) -> Result<Option<(u64, u64)>> {
    if evidence.is_empty() {
        return Ok(None);
    }
    let Some(plan) = plan(store, keys)? else { return Ok(None) };
    let Some(blocks) = work(&plan)? else { return Ok(None) };
    Ok(conclude(&plan, keys.len(), &blocks, &evidence.leaves))
}

fn plan<'a>(store: &LocalStore, keys: &'a [String]) -> Result<Option<Plan<'a>>> {
    let layout = &store.layout;
    let mut plan =
        Plan { files: Vec::new(), items: Vec::new(), partitions: Vec::new(), global: 0..0 };
    // First the global log: what is published later is not missed in the issues' logs.
    let Some(length) = plan.open(Source::plain(layout.global()))? else { return Ok(None) };
    let item = |range| Item::Global { file: 0, range };
    plan.items.extend(cuts(length, &[]).map(item));
    plan.global = 0..plan.items.len();
    let mut days = FxHashMap::default();
    for (issue, key) in keys.iter().enumerate() {
        for date in layout.partitions(key)? {
            if layout.refuse_links(date, key).is_err() {
                return Ok(None);
            }
            let mut kept = Vec::new();
            match store.kept_metadata(key, date)? {
                Some(summary) => kept.push(summary),
                None if layout.partition(date, key).join(METADATA).exists() => return Ok(None),
                None => {}
            }
            if let Entry::Vacant(unknown) = days.entry(date) {
                let day = store.kept_index(date)?;
                if day.is_none() && layout.index(date).exists() {
                    return Ok(None);
                }
                unknown.insert(day);
            }
            let day = days.get(&date).and_then(Option::as_ref);
            kept.extend(day.and_then(|day| day.issues.get(key)).cloned());
            let Some(length) = plan.open(Source::open(layout, date, key))? else { return Ok(None) };
            let (file, start) = (plan.files.len() - 1, plan.items.len());
            let ends: Vec<u64> = kept.iter().map(|summary| summary.bytes).collect();
            let item = |range| Item::Lines { key, date, file, range };
            plan.items.extend(cuts(length, &ends).map(item));
            plan.partitions.push(Partition { issue, blocks: start..plan.items.len(), kept });
            for (sequence, path) in snapshot_names(&layout.partition(date, key))? {
                plan.items.push(Item::Snapshot { key, sequence, path });
            }
        }
    }
    Ok(Some(plan))
}

impl Plan<'_> {
    fn open(&mut self, opened: io::Result<Source>) -> Result<Option<u64>> {
        // There may be more of them than a process may open: then the thorough way.
        let Ok(file) = opened else { return Ok(None) };
        let length = file.length().map_err(|e| Error::io("look at", file.path(), &e))?;
        self.files.push(file);
        Ok(Some(length))
    }
}

/// The blocks of a file, cut also where summaries end.
fn cuts(length: u64, ends: &[u64]) -> impl Iterator<Item = (u64, u64)> + use<> {
    let mut at: Vec<u64> = (0..length).step_by(usize::try_from(BLOCK).unwrap_or(1 << 20)).collect();
    at.extend(ends.iter().filter(|end| **end < length));
    at.push(length);
    at.sort_unstable();
    at.dedup();
    (1..at.len()).map(move |next| (at[next - 1], at[next]))
}

/// Does all the work; none as soon as anything is not as it should be.
fn work(plan: &Plan<'_>) -> Result<Option<Vec<Block>>> {
    let keyed = Keyed::new();
    let (next, odd) = (AtomicUsize::new(0), AtomicBool::new(false));
    let done: Vec<Mutex<Block>> = plan.items.iter().map(|_| Mutex::default()).collect();
    let run = || -> Result<()> {
        let mut buffer = Vec::new();
        while !odd.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = plan.items.get(at) else { break };
            match plan.one(item, &keyed, &mut buffer)? {
                Some(block) => *done[at].lock().unwrap_or_else(PoisonError::into_inner) = block,
                None => odd.store(true, Ordering::Relaxed),
            }
        }
        Ok(())
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..workers).map(|_| scope.spawn(run)).collect();
        let mut outcome = run();
        for other in others {
            let died = |_| Err(Error::internal("a thread that checks lines ended early"));
            outcome = outcome.and(other.join().unwrap_or_else(died));
        }
        outcome
    })?;
    let blocks =
        done.into_iter().map(|block| block.into_inner().unwrap_or_else(PoisonError::into_inner));
    Ok((!odd.into_inner()).then(|| blocks.collect()))
}

impl Plan<'_> {
    fn one(&self, item: &Item<'_>, keyed: &Keyed, buffer: &mut Vec<u8>) -> Result<Option<Block>> {
        match item {
            Item::Lines { key, date, file, range } => {
                let mut block =
                    Block { summary: Some(Summary::empty(key, *date)), ..Block::default() };
                let sound = self.lines(*file, *range, buffer, |offset, line| {
                    block.alike.push(keyed.hash(line));
                    block.leaves.push(leaf(line));
                    block.event(key, *date, offset, line)
                })?;
                Ok(sound.then_some(block))
            }
            Item::Global { file, range } => {
                let mut block = Block::default();
                let sound = self.lines(*file, *range, buffer, |_, line| {
                    block.alike.push(keyed.hash(line));
                    true
                })?;
                Ok(sound.then_some(block))
            }
            Item::Snapshot { key, sequence, path } => {
                let wrong = read(path, key, *sequence)?.is_some_and(|read| read.is_err());
                Ok((!wrong).then(Block::default))
            }
        }
    }

    /// Calls `each` for every line that begins in the range; false where one is not whole, or
    /// `each` says so.
    fn lines(
        &self,
        file: usize,
        (from, to): (u64, u64),
        bytes: &mut Vec<u8>,
        mut each: impl FnMut(u64, &[u8]) -> bool,
    ) -> Result<bool> {
        let file = &self.files[file];
        let read = |bytes: &mut Vec<u8>, keep: usize, from: u64, to: u64| {
            bytes.resize(keep + usize::try_from(to - from).unwrap_or_default(), 0);
            let got = read_full_at(file, &mut bytes[keep..], from);
            let got = match got {
                // An archive that is damaged: what is wrong is not told here.
                Err(error) if error.kind() == io::ErrorKind::InvalidData => 0,
                got => got.map_err(|e| Error::io("read", file.path(), &e))?,
            };
            bytes.truncate(keep + got);
            Ok::<usize, Error>(got)
        };
        let start = from.saturating_sub(1);
        let within = read(bytes, 0, start, to)?;
        if (within as u64) < to - start {
            return Ok(false);
        }
        // The line before may end in this block, and the last one behind it.
        let mut at = match from {
            0 => 0,
            _ => match memchr::memchr(b'\n', bytes) {
                Some(feed) => feed + 1,
                None => return Ok(true),
            },
        };
        while at < within {
            let Some(feed) = memchr::memchr(b'\n', &bytes[at..]) else {
                let (keep, end) = (bytes.len(), start + bytes.len() as u64);
                if keep - at > MAX_LINE_BYTES || read(bytes, keep, end, end + MORE)? == 0 {
                    return Ok(false);
                }
                continue;
            };
            let line = &bytes[at..at + feed];
            if line.iter().all(u8::is_ascii_whitespace) || !each(start + at as u64, line) {
                return Ok(false);
            }
            at += feed + 1;
        }
        Ok(true)
    }
}

impl Block {
    /// Reads an event; false unless it is as it should be.
    fn event(&mut self, key: &str, date: Date, offset: u64, bytes: &[u8]) -> bool {
        let Some(event) = Light::read(bytes) else { return false };
        let (Some(sequence), Some(id), Some(time)) =
            (event.event_sequence, event.event_id.as_deref(), event.timestamp.as_deref())
        else {
            return false;
        };
        if self.ids.is_empty() {
            self.first_sequence = sequence;
        }
        let whole = event.issue_key.as_deref() == Some(key)
            && self.first_sequence.checked_add(self.ids.len() as u64) == Some(sequence)
            && event.event_type.is_some()
            && event.session_id.is_some()
            && event.actor.is_some()
            && event.metadata.is_some()
            && Timestamp::parse(time).is_ok_and(|at| is_of(at, time, date));
        self.ids.push(fingerprint(id.as_bytes()));
        let length = bytes.len() as u64;
        let line = Scanned { offset, bytes, length, terminated: true };
        if let Some(summary) = &mut self.summary {
            summary.add(&line, Some(&event));
        }
        whole
    }
}

/// Whether a time is not later than the folder's day.
fn is_of(at: Timestamp, text: &str, date: Date) -> bool {
    // As the store writes it, the text begins with its day in UTC.
    match text.get(..10) {
        Some(day) if text.ends_with('Z') => day <= date.as_str(),
        _ => Date::of(at) <= date,
    }
}

/// Puts the blocks together.
fn conclude(
    plan: &Plan<'_>,
    issues: usize,
    blocks: &[Block],
    leaves: &[Hash],
) -> Option<(u64, u64)> {
    let (mut events, mut bytes) = (0, 0);
    let mut of_issue: Vec<Vec<&Block>> = vec![Vec::new(); issues];
    for partition in &plan.partitions {
        let mut summary: Option<Summary> = None;
        let mut met = vec![false; partition.kept.len()];
        for block in &blocks[partition.blocks.clone()] {
            let part = block.summary.as_ref()?;
            let next = match &mut summary {
                Some(summary) => {
                    summary.join(part);
                    summary
                }
                None => summary.insert(part.clone()),
            };
            for (kept, met) in partition.kept.iter().zip(&mut met) {
                *met |= kept == next;
            }
            of_issue[partition.issue].push(block);
        }
        if met.contains(&false) {
            return None;
        }
        events += summary.as_ref().map_or(0, |summary| summary.events);
        bytes += summary.as_ref().map_or(0, |summary| summary.bytes);
    }
    for blocks in &of_issue {
        if !is_gapless(blocks) || !are_distinct(blocks) {
            return None;
        }
    }
    is_what_was_logged(&of_issue, &blocks[plan.global.clone()], leaves).then_some((events, bytes))
}

fn is_gapless(blocks: &[&Block]) -> bool {
    let mut next = 1;
    blocks.iter().filter(|block| !block.ids.is_empty()).all(|block| {
        let follows = block.first_sequence == next;
        next += block.ids.len() as u64;
        follows
    })
}

fn are_distinct(blocks: &[&Block]) -> bool {
    let mut ids: Vec<u64> = blocks.iter().flat_map(|block| block.ids.iter().copied()).collect();
    ids.sort_unstable();
    ids.windows(2).all(|pair| pair[0] != pair[1])
}

/// One issue's lines while they are met in the order of all.
struct Reader<'a> {
    blocks: &'a [&'a Block],
    block: usize,
    line: usize,
}

impl Reader<'_> {
    /// The leaf hash of the line that is to come next.
    fn peek(&mut self) -> Option<Hash> {
        while self.blocks.get(self.block)?.leaves.len() == self.line {
            (self.block, self.line) = (self.block + 1, 0);
        }
        Some(self.blocks[self.block].leaves[self.line])
    }

    /// Passes it, and gives its keyed hash.
    fn pass(&mut self) -> u64 {
        self.line += 1;
        self.blocks[self.block].alike[self.line - 1]
    }
}

/// Whether the leaf hashes are those of all lines, each issue's in their order, and the global log
/// has the same lines in the same order.
fn is_what_was_logged(issues: &[Vec<&Block>], global: &[Block], leaves: &[Hash]) -> bool {
    let mut readers: Vec<Reader<'_>> =
        issues.iter().map(|blocks| Reader { blocks, block: 0, line: 0 }).collect();
    let mut next = FxHashMap::<Hash, SmallVec<[usize; 1]>>::default();
    let mut last: Option<(Hash, usize)> = None;
    for (issue, reader) in readers.iter_mut().enumerate() {
        if let Some(leaf) = reader.peek() {
            next.entry(leaf).or_default().push(issue);
        }
    }
    let mut alike = global.iter().flat_map(|block| block.alike.iter());
    for leaf in leaves {
        // Most often the issue is that of the line before: it need not go through the map.
        let issue = match last.take() {
            Some((hash, issue)) if hash == *leaf => issue,
            other => {
                if let Some((hash, issue)) = other {
                    next.entry(hash).or_default().push(issue);
                }
                let Some(waiting) = next.get_mut(leaf) else { return false };
                let Some(issue) = waiting.pop() else { return false };
                if waiting.is_empty() {
                    next.remove(leaf);
                }
                issue
            }
        };
        let reader = &mut readers[issue];
        if alike.next() != Some(&reader.pass()) {
            return false;
        }
        last = reader.peek().map(|hash| (hash, issue));
    }
    last.is_none() && next.is_empty() && alike.next().is_none()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Clock;
    use crate::schema::{Draft, LenientDraft};
    use crate::store::{AppendOptions, Batch, Durability, EventStore};

    /// More than one block, issues in turn: what the thorough half would find sound, too.
    #[test]
    fn a_sound_store_is_checked_by_the_quick_half_alone() {
        let dir = tempfile::tempdir().unwrap();
        let at = Timestamp::parse("2026-11-20T12:00:00Z").unwrap();
        let store = LocalStore::at(dir.path(), Clock::Fixed(at));
        let options = AppendOptions { durability: Durability::Os, ..AppendOptions::default() };
        for n in 0..60 {
            let draft = LenientDraft {
                event_type: "PhaseStarted".into(),
                issue_key: format!("P-{}", n % 3),
                session_id: "s".into(),
                actor_type: "user".into(),
                actor_id: "u".into(),
                metadata: format!(r#"{{"phase":"{n}","note":"{}"}}"#, "x".repeat(40_000)),
                ..LenientDraft::default()
            };
            let issue_key = draft.issue_key.clone();
            let drafts = vec![Draft::lenient(draft).unwrap()];
            store.append(&Batch { issue_key, drafts }, &options).unwrap();
        }
        store.checkpoint(Duration::from_secs(9)).unwrap();
        let well = || {
            let evidence = Evidence::gather(&store.layout, None).unwrap();
            all_is_well(&store, &store.keys().unwrap(), &evidence).unwrap()
        };
        let bytes = std::fs::metadata(store.layout.global()).unwrap().len();
        assert!(bytes > 2 * BLOCK);
        assert_eq!(well(), Some((60, bytes)));
        for file in [store.layout.global(), store.layout.events(Date::of(at), "P-1")] {
            let sound = std::fs::read(&file).unwrap();
            for at in [60_000, sound.len() - 1] {
                let mut flipped = sound.clone();
                flipped[at] ^= 1;
                std::fs::write(&file, flipped).unwrap();
                assert_eq!(well(), None, "{} {at}", file.display());
            }
            std::fs::write(&file, sound).unwrap();
        }
        assert!(well().is_some());
    }
}
