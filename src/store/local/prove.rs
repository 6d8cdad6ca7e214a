//! The quick half of a check: on all cores, every line is read, parsed (but see [`Depth`]), hashed and
//! found again in the global log and among the leaf hashes.
//!
//! Lives here: [`all_is_well`], which says that nothing is wrong, or that it cannot say so, and the
//! work of its threads. May not live here: what there is to read (see [`plan`]); putting together what
//! they read (see [`together`]); what is wrong and where: then the thorough half reads everything once
//! more (see [`super::verify`]).
//!
//! Lines of the global log are held against the issues' by a hash whose key is made anew for each
//! run, so that nobody can prepare lines that merely look alike; the leaf hashes are SHA-256. Where
//! one issue is checked, the lines of others in the global log are not parsed, and not hashed.

mod only;
mod plan;
mod together;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use self::only::Only;
use self::plan::{Item, Plan, plan};
use super::LocalStore;
use super::alike::Keyed;
use super::io::{fingerprint, read_full_at};
use super::layout::Date;
use super::lines::{MAX_LINE_BYTES, Scanned};
use super::snapshots::read;
use super::source::Source;
use super::summary::{Light, Summary};
use super::tlog::check::Evidence;
use super::tlog::hashes::{Hash, leaf};
use crate::error::{Error, Result};
use crate::model::Timestamp;

/// How much more is read at least where a line goes on behind its block.
const MORE: usize = 4 << 10;

/// What a block of lines holds.
#[derive(Default)]
struct Block {
    first_sequence: u64,
    leaves: Vec<Hash>,
    /// The keyed hashes of the lines; in the global log, of those that are asked for.
    alike: Vec<u64>,
    /// Of the global log: which lines of the block these are, where not all are asked for.
    places: Vec<u32>,
    /// Of the global log: how many lines there are.
    lines: u32,
    ids: Vec<u64>,
    summary: Option<Summary>,
}

/// How much is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Whether every line is sound, is what was logged, and all that is derived from it fits.
    Whole,
    /// Whether the lines are what was logged, where anything was, and whole: nothing of what they say.
    Record,
}

/// The number of events and bytes (of a record none), if all is well: every line is in the global
/// log and among the leaf hashes, each issue's in their order. The issues are all there are, or
/// `only` one.
pub(super) fn all_is_well(
    store: &LocalStore,
    keys: &[String],
    only: bool,
    evidence: &Evidence,
    depth: Depth,
) -> Result<Option<(u64, u64)>> {
    let is_logged = !evidence.is_empty();
    if !is_logged && depth == Depth::Whole {
        return Ok(None);
    }
    let Some(mut plan) = plan(store, keys, depth, is_logged)? else { return Ok(None) };
    plan.only = keys.first().filter(|_| only).map(|key| Only::new(key));
    let Some(blocks) = work(&plan)? else { return Ok(None) };
    if !is_logged {
        return Ok(Some((0, 0)));
    }
    Ok(together::conclude(&plan, keys.len(), &blocks, &evidence.leaves))
}

/// Does all the work; none as soon as anything is not as it should be.
fn work(plan: &Plan<'_>) -> Result<Option<Vec<Block>>> {
    let keyed = Keyed::new();
    let (next, odd) = (AtomicUsize::new(0), AtomicBool::new(false));
    let done: Vec<Mutex<Block>> = plan.items.iter().map(|_| Mutex::default()).collect();
    let run = || -> Result<()> {
        let (mut open, mut buffer) = (None, Vec::new());
        while !odd.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = plan.items.get(at) else { break };
            match plan.one(item, &keyed, &mut open, &mut buffer)? {
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

/// The file that a thread reads; there may be more than a process may have open.
type Open = Option<(usize, Source)>;

impl Plan<'_> {
    fn one(
        &self,
        item: &Item<'_>,
        keyed: &Keyed,
        open: &mut Open,
        buffer: &mut Vec<u8>,
    ) -> Result<Option<Block>> {
        let mut block = Block::default();
        let sound = match item {
            Item::Lines { key, date, file, range } => {
                block.summary = (self.depth == Depth::Whole).then(|| Summary::empty(key, *date));
                self.lines((*file, *range), open, buffer, |offset, line| {
                    if self.is_logged {
                        block.alike.push(keyed.hash(line));
                        block.leaves.push(leaf(line));
                    }
                    match self.depth {
                        Depth::Whole => block.event(key, *date, offset, line),
                        Depth::Record => memchr::memchr(0, line).is_none(),
                    }
                })?
            }
            Item::Global { file, range } => {
                self.lines((*file, *range), open, buffer, |_, line| {
                    if let Some(only) = &self.only {
                        if only.owns(line) {
                            block.places.push(block.lines);
                            block.alike.push(keyed.hash(line));
                        }
                    } else {
                        block.alike.push(keyed.hash(line));
                    }
                    block.lines += 1;
                    true
                })?
            }
            Item::Snapshot { key, sequence, path } => {
                read(path, key, *sequence)?.is_none_or(|read| read.is_ok())
            }
        };
        Ok(sound.then_some(block))
    }

    /// Calls `each` for every line that begins in the range; false where one is not whole, or
    /// `each` says so.
    fn lines(
        &self,
        (file, (from, to)): (usize, (u64, u64)),
        open: &mut Open,
        bytes: &mut Vec<u8>,
        mut each: impl FnMut(u64, &[u8]) -> bool,
    ) -> Result<bool> {
        let (_, file) = match open.take() {
            Some(same) if same.0 == file => open.insert(same),
            _ => match self.files[file].open(self.layout) {
                Ok(opened) => open.insert((file, opened)),
                Err(_) => return Ok(false),
            },
        };
        let read = |bytes: &mut Vec<u8>, keep: usize, from: u64, wanted: usize| {
            bytes.resize(keep + wanted, 0);
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
        let within = read(bytes, 0, start, usize::try_from(to - start).unwrap_or_default())?;
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
                let (begun, more) = (keep - at, MORE.max(keep - at));
                if begun > MAX_LINE_BYTES || read(bytes, keep, end, more)? == 0 {
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
        let at_depth = |only: Option<&str>, depth| {
            let evidence = Evidence::gather(&store.layout, None).unwrap();
            let keys = only.map_or_else(|| store.keys().unwrap(), |key| vec![key.to_owned()]);
            all_is_well(&store, &keys, only.is_some(), &evidence, depth).unwrap()
        };
        let well = |only| {
            let found = at_depth(only, Depth::Whole);
            // Here nothing is wrong that is none of the record.
            assert_eq!(at_depth(only, Depth::Record).is_some(), found.is_some(), "{only:?}");
            found
        };
        let bytes = std::fs::metadata(store.layout.global()).unwrap().len();
        assert!(bytes > 2 * plan::BLOCK);
        assert_eq!(well(None), Some((60, bytes)));
        let own = store.layout.events(Date::of(at), "P-1");
        let of_issue = std::fs::metadata(&own).unwrap().len();
        assert_eq!(well(Some("P-1")), Some((20, of_issue)));
        assert_eq!(well(Some("P-9")), None);
        for (file, line_of_other) in [(store.layout.global(), 10_000), (own.clone(), usize::MAX)] {
            let sound = std::fs::read(&file).unwrap();
            for at in [10_000, 60_000, sound.len() - 1] {
                let mut flipped = sound.clone();
                flipped[at] ^= 1;
                std::fs::write(&file, flipped).unwrap();
                assert_eq!(well(None), None, "{} {at}", file.display());
                let seen = at != line_of_other;
                assert_eq!(well(Some("P-1")).is_none(), seen, "{} {at}", file.display());
            }
            std::fs::write(&file, sound).unwrap();
        }
        // A line that another issue's was made into, however its key is written.
        let sound = std::fs::read_to_string(store.layout.global()).unwrap();
        for key in ["P-1", "\\u0050-1"] {
            let to = format!("\"issue_key\":\"{key}\"");
            let other = sound.replacen("\"issue_key\":\"P-2\"", &to, 1);
            std::fs::write(store.layout.global(), other).unwrap();
            assert_eq!(well(Some("P-1")), None, "{key}");
        }
        std::fs::write(store.layout.global(), sound).unwrap();
        assert!(well(None).is_some() && well(Some("P-1")).is_some());
    }

    #[test]
    fn where_nothing_was_logged_lines_have_to_be_whole_and_no_more() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("2026-11-20/P-1");
        std::fs::create_dir_all(&folder).unwrap();
        let store = LocalStore::at(dir.path(), Clock::default());
        let is_whole = |text: &[u8]| {
            std::fs::write(folder.join("events.jsonl"), text).unwrap();
            let evidence = Evidence::gather(&store.layout, None).unwrap();
            let keys = ["P-1".to_owned()];
            let well = |depth| all_is_well(&store, &keys, false, &evidence, depth).unwrap();
            assert_eq!(well(Depth::Whole), None);
            assert_eq!(
                well(Depth::Record).is_some(),
                store.verify_record(None).unwrap().is_empty()
            );
            well(Depth::Record).is_some()
        };
        for (text, whole) in [
            ("{\"event_id\":\"a\"}\n{}\n", true),
            ("no event\n{}\n", true),
            ("{}\n{\"event_id\"", false),
            ("{}\n{}", false),
            ("{}\n\0\0\0\n", false),
        ] {
            assert_eq!(is_whole(text.as_bytes()), whole, "{text:?}");
        }
    }
}
