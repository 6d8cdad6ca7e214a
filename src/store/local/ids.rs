//! Which events of an issue have which id: exact at any size, without reading the whole log.
//!
//! Lives here: the id index over a prefix of the log, the scan over the rest, and the extension
//! of the index. May not live here: what follows from an id that is there already.
//!
//! The index is a file of sorted pairs, the hash of an id and the place of its line, behind a
//! text that says which prefix of the log it covers. It is disposable: one that does not fit
//! the log is not used. A hit counts only when the line at its place has the id.

use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use memchr::memmem::Finder;
use rustc_hash::{FxHashMap, FxHashSet};

use super::head::Locked;
use super::io::{fingerprint, read_full_at, read_range, replace};
use super::layout::{Date, Layout};
use super::lines::{MAX_LINE_BYTES, Scanned, Stamps, end_of_lines, scan, scan_runs};
use super::record::{Place, tail_of};
use super::source::Source;
use crate::error::{Error, Result};
use crate::model::Timestamp;

/// How many bytes of the log may be unindexed before the index is extended.
const REST_LIMIT: u64 = 1 << 20;
const MAGIC: &str = "chronoscope-ids 1";
const ENTRY: usize = 16;
/// The bits of an entry's place that hold the offset; those above hold the partition's number.
const OFFSET_BITS: u32 = 48;

/// A stored event that was looked for.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) id: String,
    pub(super) line: String,
    pub(super) sequence: u64,
    pub(super) timestamp: Timestamp,
    pub(super) partition: Date,
}

/// What was found, by id.
pub(super) type Found = FxHashMap<String, Stored>;

/// Finds those of `wanted` that the log has. Says too whether so much of the log is unindexed
/// that finding takes long.
pub(super) fn find(layout: &Layout, log: &Locked<'_>, wanted: &[&str]) -> Result<(Found, bool)> {
    let Some(end) = log.head.end else { return Ok((Found::default(), false)) };
    let index = Index::open(layout, log.key, end);
    let mut found = Found::default();
    if let Some(index) = &index {
        for id in wanted {
            for place in index.places(id).map_err(|e| Error::io("read", &index.path, &e))? {
                take_if(layout, log.key, place, id, &mut found)?;
            }
        }
    }
    let covered = index.and_then(|i| i.covered.last().copied());
    let read = find_in_rest(layout, log.key, (covered, end), wanted, &mut found)?;
    Ok((found, read > 2 * REST_LIMIT))
}

/// Reads the line at `place` and takes it if it has the id.
fn take_if(layout: &Layout, key: &str, place: Place, id: &str, found: &mut Found) -> Result<()> {
    if found.contains_key(id) {
        return Ok(());
    }
    let path = layout.events(place.date, key);
    let failed = |e: io::Error| Error::io("read", &path, &e);
    let file = Source::open(layout, place.date, key).map_err(failed)?;
    let mut size = 4096;
    let line = loop {
        let bytes = read_range(&file, place.offset, place.offset + size).map_err(failed)?;
        match memchr::memchr(b'\n', &bytes) {
            Some(end) => break bytes[..end].to_vec(),
            None if (bytes.len() as u64) < size || size > MAX_LINE_BYTES as u64 => return Ok(()),
            None => size *= 4,
        }
    };
    take_line(&line, place.date, &FxHashSet::from_iter([id]), found);
    Ok(())
}

/// Takes a line if it has one of the ids. The first line with an id is the one that counts.
fn take_line(line: &[u8], partition: Date, wanted: &FxHashSet<&str>, found: &mut Found) {
    let Some(stamps) = Stamps::read(line) else { return };
    let Some(id) = stamps.event_id.as_deref().filter(|id| wanted.contains(id)) else { return };
    if !found.contains_key(id) {
        let stored = Stored {
            id: id.to_owned(),
            line: String::from_utf8_lossy(line).into_owned(),
            sequence: stamps.event_sequence.unwrap_or_default(),
            timestamp: stamps.at().unwrap_or_default(),
            partition,
        };
        found.insert(stored.id.clone(), stored);
    }
}

/// Looks through the part of the log that has no index; gives how many bytes that was.
fn find_in_rest(
    layout: &Layout,
    key: &str,
    (from, end): (Option<Place>, Place),
    wanted: &[&str],
    found: &mut Found,
) -> Result<u64> {
    let ids: FxHashSet<&str> =
        wanted.iter().copied().filter(|id| !found.contains_key(*id)).collect();
    if ids.is_empty() {
        return Ok(0);
    }
    // A few ids are found fastest by their text; many by reading every line once.
    let few = ids.iter().take(if ids.len() <= 4 { 4 } else { 0 });
    let texts: Vec<_> = few.map(|id| serde_json::to_string(id).unwrap_or_default()).collect();
    let finders: Vec<_> = texts.iter().map(|id| Finder::new(id.as_bytes())).collect();
    let mut read = 0;
    each_part(layout, key, from, end, |date, file, path, range| {
        read += range.1 - range.0;
        if finders.is_empty() {
            return scan(file, path, range, |line| {
                take_line(line.bytes, date, &ids, found);
                Ok(ControlFlow::Continue(()))
            });
        }
        scan_runs(file, path, range, |_, run| {
            for at in finders.iter().flat_map(|finder| finder.find_iter(run)) {
                let start = memchr::memrchr(b'\n', &run[..at]).map_or(0, |feed| feed + 1);
                let end = memchr::memchr(b'\n', &run[at..]).map_or(run.len(), |feed| at + feed);
                take_line(&run[start..end], date, &ids, found);
            }
        })
    })?;
    Ok(read)
}

/// Calls `each` with the lines from one place to another, over all partitions between.
fn each_rest(
    layout: &Layout,
    key: &str,
    from: Option<Place>,
    end: Place,
    mut each: impl FnMut(Date, &Scanned<'_>),
) -> Result<()> {
    each_part(layout, key, from, end, |date, file, path, range| {
        scan(file, path, range, |line| {
            if line.terminated {
                each(date, line);
            }
            Ok(ControlFlow::Continue(()))
        })
    })
}

/// Calls `each` with the parts of the partitions from one place to another.
fn each_part(
    layout: &Layout,
    key: &str,
    from: Option<Place>,
    end: Place,
    mut each: impl FnMut(Date, &Source, &Path, (u64, u64)) -> Result<()>,
) -> Result<()> {
    let dates = match from {
        Some(from) if from.date == end.date => vec![end.date],
        _ => layout.partitions(key)?,
    };
    for date in dates.into_iter().filter(|d| from.is_none_or(|p| *d >= p.date) && *d <= end.date) {
        let path = layout.events(date, key);
        let file = Source::open(layout, date, key).map_err(|e| Error::io("open", &path, &e))?;
        let length = file.length().map_err(|e| Error::io("look at", &path, &e))?;
        let start = from.filter(|p| p.date == date).map_or(0, |p| p.offset);
        let to = if date == end.date { end.offset } else { length };
        each(date, &file, file.path(), (start.min(to), to))?;
    }
    Ok(())
}

/// The index of one issue, open.
struct Index {
    path: PathBuf,
    file: File,
    /// How far each partition is covered, oldest first.
    covered: Vec<Place>,
    /// Where the entries begin, and how many there are.
    entries: u64,
    count: u64,
}

impl Index {
    /// Opens the index if there is one that fits the log.
    fn open(layout: &Layout, key: &str, end: Place) -> Option<Self> {
        let path = layout.id_index(key);
        let file = File::open(&path).ok()?;
        let mut buffer = vec![0; 4096];
        let got = read_full_at(&file, &mut buffer, 0).ok()?;
        buffer.truncate(got);
        let feed = memchr::memchr(b'\n', &buffer)?;
        let first = std::str::from_utf8(&buffer[..feed]).ok()?.to_owned();
        let mut words = first.strip_prefix(MAGIC)?.trim_start().split(' ');
        let entries: u64 = words.next()?.parse().ok()?;
        let count: u64 = words.next()?.parse().ok()?;
        let tail = u64::from_str_radix(words.next()?, 16).ok()?;
        let hash = u64::from_str_radix(words.next()?, 16).ok()?;
        if entries > got as u64 {
            buffer = read_range(&file, 0, entries).ok()?;
        }
        let list = buffer.get(first.len() + 1..usize::try_from(entries).ok()?)?;
        if fingerprint(list) != hash
            || file.metadata().ok()?.len() != entries + count * ENTRY as u64
        {
            return None;
        }
        let mut covered = Vec::new();
        for line in std::str::from_utf8(list).ok()?.lines() {
            let (date, offset) = line.split_once(' ')?;
            covered.push(Place { date: Date::parse(date)?, offset: offset.parse().ok()? });
        }
        let last = *covered.last()?;
        let log = Source::open(layout, last.date, key).ok()?;
        let fits = last <= end && tail_of(&log, last.offset).ok()? == tail;
        fits.then_some(Self { path, file, covered, entries, count })
    }

    /// Where lines with this id may stand.
    fn places(&self, id: &str) -> io::Result<Vec<Place>> {
        let wanted = fingerprint(id.as_bytes());
        let (mut low, mut high) = (0, self.count);
        // Halve until what is left fits one read.
        while high - low > 256 {
            let middle = low.midpoint(high);
            if self.entry(middle)?.0 < wanted { low = middle } else { high = middle }
        }
        let at = |n: u64| self.entries + n * ENTRY as u64;
        // Equal hashes may go on behind; a few more entries are read than must be.
        let bytes = read_range(&self.file, at(low), at((high + 16).min(self.count)))?;
        let entries = bytes.chunks_exact(ENTRY).map(decode);
        Ok(entries.filter(|e| e.0 == wanted).filter_map(|e| self.place(e.1)).collect())
    }

    fn entry(&self, number: u64) -> io::Result<(u64, u64)> {
        let mut bytes = [0; ENTRY];
        read_full_at(&self.file, &mut bytes, self.entries + number * ENTRY as u64)?;
        Ok(decode(&bytes))
    }

    fn place(&self, packed: u64) -> Option<Place> {
        let partition = usize::try_from(packed >> OFFSET_BITS).ok()?;
        let date = self.covered.get(partition)?.date;
        Some(Place { date, offset: packed & ((1 << OFFSET_BITS) - 1) })
    }

    fn all(&self) -> io::Result<Vec<(u64, u64)>> {
        let end = self.entries + self.count * ENTRY as u64;
        Ok(read_range(&self.file, self.entries, end)?.chunks_exact(ENTRY).map(decode).collect())
    }
}

fn decode(bytes: &[u8]) -> (u64, u64) {
    let number = |range: std::ops::Range<usize>| {
        bytes[range].iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte))
    };
    (number(0..8), number(8..16))
}

/// Extends the index of an issue when much of its log up to `end` is not covered.
pub(super) fn extend(layout: &Layout, key: &str, end: Place) -> Result<()> {
    let index = Index::open(layout, key, end);
    let covered = index.as_ref().and_then(|i| i.covered.last().copied());
    let mut rest = 0;
    each_part(layout, key, covered, end, |_, _, _, (from, to)| {
        rest += to - from;
        Ok(())
    })?;
    if rest < REST_LIMIT {
        return Ok(());
    }
    let (mut entries, mut places) = match &index {
        Some(i) => (i.all().map_err(|e| Error::io("read", &i.path, &e))?, i.covered.clone()),
        None => (Vec::new(), Vec::new()),
    };
    let mut fits = true;
    each_rest(layout, key, covered, end, |date, line| {
        let (offset, after) = (line.offset, line.end());
        match places.last_mut() {
            Some(place) if place.date == date => place.offset = after,
            _ => places.push(Place { date, offset: after }),
        }
        let number = places.len() as u64 - 1;
        fits &= number < 1 << (64 - OFFSET_BITS) && offset < 1 << OFFSET_BITS;
        if let Some(hash) = hash_of_id(line.bytes) {
            entries.push((hash, number << OFFSET_BITS | offset));
        }
    })?;
    if !fits || places.last() != Some(&end) {
        return Ok(());
    }
    entries.sort_unstable();
    write(layout, key, &places, &entries)
}

fn write(layout: &Layout, key: &str, places: &[Place], entries: &[(u64, u64)]) -> Result<()> {
    let Some(last) = places.last() else { return Ok(()) };
    let log = layout.events(last.date, key);
    let tail = Source::open(layout, last.date, key).and_then(|file| tail_of(&file, last.offset));
    let tail = tail.map_err(|e| Error::io("read", &log, &e))?;
    let list: String = places.iter().map(|p| format!("{} {}\n", p.date, p.offset)).collect();
    let (count, hash) = (entries.len(), fingerprint(list.as_bytes()));
    // The first line tells its own length, by way of where the entries begin.
    let first = |begin: usize| format!("{MAGIC} {begin:010} {count} {tail:x} {hash:x}\n");
    let begin = first(0).len() + list.len();
    let mut bytes = first(begin).into_bytes();
    bytes.reserve(list.len() + entries.len() * ENTRY);
    bytes.extend_from_slice(list.as_bytes());
    for (hash, place) in entries {
        bytes.extend_from_slice(&hash.to_le_bytes());
        bytes.extend_from_slice(&place.to_le_bytes());
    }
    replace(&layout.id_index(key), &bytes, true)
}

/// The fingerprint of a line's id. Where a line begins as the store writes them, no more of it is
/// read: what it holds is asked when the id is looked for.
fn hash_of_id(line: &[u8]) -> Option<u64> {
    if let Some(rest) = line.strip_prefix(b"{\"event_id\":\"")
        && let Some(end) = memchr::memchr2(b'"', b'\\', rest)
        && rest[end] == b'"'
    {
        return Some(fingerprint(&rest[..end]));
    }
    Stamps::read(line).and_then(|s| s.event_id).map(|id| fingerprint(id.as_bytes()))
}

/// The ids of an issue's log, kept in memory while much is appended to it.
#[derive(Debug, Default)]
pub(super) struct IdCache {
    /// How far the log is covered.
    end: Option<Place>,
    places: FxHashMap<u64, smallvec::SmallVec<[Place; 1]>>,
}

impl IdCache {
    /// Finds those of `wanted` that the log has, after reading what others appended meanwhile.
    pub(super) fn find(
        &mut self,
        layout: &Layout,
        log: &Locked<'_>,
        wanted: &[&str],
    ) -> Result<Found> {
        let mut found = Found::default();
        let Some(end) = log.head.end else { return Ok(found) };
        if self.end > Some(end) {
            *self = Self::default();
        }
        if self.end != Some(end) {
            let from = self.end;
            let places = &mut self.places;
            let mut take = |date, line: &Scanned<'_>| {
                if let Some(hash) = hash_of_id(line.bytes) {
                    let place = Place { date, offset: line.offset };
                    places.entry(hash).or_default().push(place);
                }
            };
            match (&log.file, from.filter(|from| from.date == end.date)) {
                (Some(file), Some(from)) => {
                    let path = layout.events(end.date, log.key);
                    scan(file, &path, (from.offset, end.offset), |line| {
                        take(end.date, line);
                        Ok(ControlFlow::Continue(()))
                    })?;
                }
                _ => each_rest(layout, log.key, from, end, take)?,
            }
            self.end = Some(end);
        }
        for id in wanted {
            let places = self.places.get(&fingerprint(id.as_bytes()));
            for place in places.into_iter().flatten() {
                take_if(layout, log.key, *place, id, &mut found)?;
            }
        }
        Ok(found)
    }

    /// Takes in what this process appended itself, if it knows all that stood before.
    pub(super) fn add(
        &mut self,
        before: Option<Place>,
        ids: impl Iterator<Item = (u64, Place)>,
        end: Option<Place>,
    ) {
        if self.end == before {
            for (hash, place) in ids {
                self.places.entry(hash).or_default().push(place);
            }
            self.end = end;
        }
    }
}

/// Where the complete lines of an issue's log end.
pub(super) fn end_of(layout: &Layout, key: &str) -> Result<Option<Place>> {
    let Some(date) = layout.partitions(key)?.last().copied() else { return Ok(None) };
    let path = layout.events(date, key);
    let failed = |e: io::Error| Error::io("read", &path, &e);
    let file = Source::open(layout, date, key).map_err(failed)?;
    let length = file.length().map_err(failed)?;
    Ok(Some(Place { date, offset: end_of_lines(&file, &path, length)? }))
}
