//! Lines that a checkpoint signs and that their issue's log has no more.
//!
//! Lives here: finding them, what can be told of each, the file that remembers them, and the
//! refusal to go on with a log that lacks some. May not live here: bringing them back (see
//! [`super::repair`]).
//!
//! The tree over all lines keeps the hash of a lost one for ever. So that the other issues can go
//! on, a line that says what is missing stands in its place in the global log: every later line
//! keeps its number.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::ops::ControlFlow;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::global::issue_of;
use super::io::{is_absent, private, read_if_there, read_range, remove_if_there, replace};
use super::layout::{Layout, check_key, names};
use super::lines::{Scanned, Stamps, scan};
use super::record::{self, Place};
use super::remake::{self, At, Log};
use super::tlog::hashes::{Hash, to_base64};
use super::tlog::leaves;
use crate::error::{Error, ErrorKind, Result};

/// The file that remembers them, in the folder of the tamper-evident log.
const FILE: &str = "lost";

/// A line that is signed and gone; its text stands in its place in the global log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LostLine {
    /// Which line of all it is, from 1.
    pub(super) lost_line: u64,
    /// Its leaf hash.
    pub(super) leaf: String,
    /// The issue it belongs to, where that can be told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) issue_key: Option<String>,
    /// Its sequence number, where that can be told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) event_sequence: Option<u64>,
    /// Where the global log still has it.
    #[serde(skip)]
    pub(super) copy: Option<(u64, u64)>,
}

impl LostLine {
    fn new(at: usize, leaf: &Hash) -> Self {
        Self {
            lost_line: at as u64 + 1,
            leaf: to_base64(leaf),
            issue_key: None,
            event_sequence: None,
            copy: None,
        }
    }

    /// What stands in its place.
    pub(super) fn placeholder(&self) -> String {
        // To memory, so it cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether this line of the global log is the one, or what stands for it.
    pub(super) fn stands_at(&self, line: &Scanned<'_>) -> bool {
        match self.copy {
            Some((offset, _)) => offset == line.offset,
            None => line.bytes == self.placeholder().as_bytes(),
        }
    }

    /// What is written in its place: itself, where the global log still has it.
    pub(super) fn in_its_place(&self, global: &File) -> std::io::Result<Vec<u8>> {
        match self.copy {
            Some((offset, length)) => read_range(global, offset, offset + length + 1),
            None => Ok((self.placeholder() + "\n").into_bytes()),
        }
    }

    /// What and where it was, in words.
    pub(super) fn told(&self) -> String {
        let what = match (&self.issue_key, self.event_sequence) {
            (Some(key), Some(sequence)) => format!("event {sequence} of {key}"),
            (Some(key), None) => format!("an event of {key}"),
            (None, _) => "an event of an issue that nothing names any more".to_owned(),
        };
        format!("{what}, line {} of all", self.lost_line)
    }
}

/// A place in the order that a checkpoint signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// A line that its issue's log has.
    Line(At),
    /// One of the lost lines.
    Lost(usize),
}

/// The signed lines in their order, and those of them that are gone.
#[derive(Debug, Default)]
pub(super) struct Order {
    pub(super) slots: Vec<Slot>,
    pub(super) lost: Vec<LostLine>,
    /// The first line, from 1, that is gone or that another stands before.
    pub(super) broken: Option<u64>,
}

/// Finds each signed line in the issues' logs, none of which may be older than `signed`.
pub(super) fn find(layout: &Layout, logs: &mut [Log], signed: &[Hash]) -> Result<Order> {
    if let Some(slots) = whole(logs, signed) {
        return Ok(Order { slots, ..Order::default() });
    }
    let mut places = FxHashMap::<Hash, SmallVec<[At; 1]>>::default();
    for (issue, log) in (0_u32..).zip(logs.iter_mut()) {
        log.taken = 0;
        for (number, line) in (0_u32..).zip(&log.lines) {
            places.entry(line.leaf).or_default().push((issue, number));
        }
    }
    let mut order = Order { slots: Vec::with_capacity(signed.len()), ..Order::default() };
    for (at, leaf) in signed.iter().enumerate() {
        // What stands before a line that was signed already is not in its order.
        let taken = |at: &At| logs[at.0 as usize].taken;
        let next = |at: &&At| at.1 as usize >= taken(at);
        let found = places.get(leaf).and_then(|places| places.iter().find(next).copied());
        if found.is_none_or(|found| found.1 as usize > taken(&found)) {
            order.broken.get_or_insert(at as u64 + 1);
        }
        let Some(found) = found else {
            order.slots.push(Slot::Lost(order.lost.len()));
            order.lost.push(LostLine::new(at, leaf));
            continue;
        };
        logs[found.0 as usize].taken = found.1 as usize + 1;
        order.slots.push(Slot::Line(found));
    }
    if !order.lost.is_empty() {
        name(layout, logs, &mut order)?;
    }
    Ok(order)
}

/// The order where every line is there and nothing stands between: each leaf is that of the next
/// line of an issue.
fn whole(logs: &mut [Log], signed: &[Hash]) -> Option<Vec<Slot>> {
    let mut next = FxHashMap::<Hash, SmallVec<[u32; 1]>>::default();
    if !signed.is_empty() {
        for (issue, log) in (0_u32..).zip(logs.iter()) {
            if let Some(first) = log.lines.first() {
                next.entry(first.leaf).or_default().push(issue);
            }
        }
    }
    let mut slots = Vec::with_capacity(signed.len());
    for leaf in signed {
        let issue = next.get_mut(leaf).and_then(SmallVec::pop)?;
        let log = &mut logs[issue as usize];
        slots.push(Slot::Line((issue, u32::try_from(log.taken).unwrap_or(u32::MAX))));
        log.taken += 1;
        if let Some(line) = log.lines.get(log.taken) {
            next.entry(line.leaf).or_default().push(issue);
        }
    }
    Some(slots)
}

/// Finds out what can be told of lost lines: from the global log, from what was known of them
/// before, and from the numbers that the issues lack.
fn name(layout: &Layout, logs: &[Log], order: &mut Order) -> Result<()> {
    copies(layout, &mut order.lost)?;
    let known = read(layout)?;
    for line in order.lost.iter_mut().filter(|line| line.issue_key.is_none()) {
        let same = known.iter().find(|k| k.lost_line == line.lost_line && k.leaf == line.leaf);
        if let Some(same) = same {
            line.issue_key.clone_from(&same.issue_key);
            line.event_sequence = same.event_sequence;
        }
    }
    let mut lacking = lacking(layout, logs, order)?;
    for line in &order.lost {
        if let (Some(key), Some(sequence)) = (&line.issue_key, line.event_sequence)
            && let Some(numbers) = lacking.get_mut(key)
        {
            numbers.remove(&sequence);
        }
    }
    lacking.retain(|_, numbers| !numbers.is_empty());
    // Where several issues lack events, nobody knows whose each was.
    if lacking.len() == 1
        && let Some((key, numbers)) = lacking.pop_first()
    {
        let unnamed = order.lost.iter_mut().filter(|line| line.issue_key.is_none());
        let unnamed: Vec<&mut LostLine> = unnamed.collect();
        let exact = unnamed.len() == numbers.len();
        for (line, number) in unnamed.into_iter().zip(numbers) {
            line.issue_key = Some(key.clone());
            line.event_sequence = exact.then_some(number);
        }
    }
    Ok(())
}

/// Looks for the lines in the global log.
fn copies(layout: &Layout, lost: &mut [LostLine]) -> Result<()> {
    let path = layout.global();
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if is_absent(&error) => return Ok(()),
        Err(error) => return Err(Error::io("open", &path, &error)),
    };
    let wanted: FxHashMap<String, usize> =
        lost.iter().enumerate().map(|(at, line)| (line.leaf.clone(), at)).collect();
    scan(&file, &path, (0, u64::MAX), |line| {
        if line.terminated && !line.is_blank() {
            let leaf = to_base64(&leaves::of_line(&file, &path, line)?);
            if let Some(found) = wanted.get(&leaf).and_then(|at| lost.get_mut(*at)) {
                found.copy = Some((line.offset, line.length));
                found.issue_key = Some(issue_of(line.bytes)).filter(|key| !key.is_empty());
                found.event_sequence = Stamps::read(line.bytes).and_then(|s| s.event_sequence);
            }
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// The sequence numbers that each issue had, by its lock file or its later events, and has no
/// signed or unsigned line of.
fn lacking(
    layout: &Layout,
    logs: &[Log],
    order: &Order,
) -> Result<BTreeMap<String, BTreeSet<u64>>> {
    let mut placed: Vec<BTreeSet<u32>> = vec![BTreeSet::new(); logs.len()];
    for slot in &order.slots {
        if let Slot::Line((issue, number)) = slot {
            placed[*issue as usize].insert(*number);
        }
    }
    let mut present = BTreeMap::<String, BTreeSet<u64>>::new();
    for (log, placed) in logs.iter().zip(&placed) {
        let numbers = present.entry(log.key.clone()).or_default();
        for (number, line) in (0_u32..).zip(&log.lines) {
            // What stands before a signed line and is not signed took the place of one.
            if number as usize >= log.taken || placed.contains(&number) {
                numbers.extend(Some(line.sequence).filter(|sequence| *sequence > 0));
            }
        }
    }
    let mut lacking = BTreeMap::new();
    for name in names(&layout.service("locks"))? {
        let Some(key) = name.strip_suffix(".lock").filter(|key| check_key(key).is_ok()) else {
            continue;
        };
        let noted = private().read(true).open(layout.issue_lock(key)).ok();
        let head = noted.and_then(|lock| record::read_issue(&lock).ok()).and_then(|r| r.head);
        let numbers = present.remove(key).unwrap_or_default();
        let last = numbers.last().copied().max(head.map(|head| head.sequence));
        lacking.insert(key.to_owned(), absent(&numbers, last));
    }
    for (key, numbers) in present {
        let last = numbers.last().copied();
        lacking.insert(key, absent(&numbers, last));
    }
    lacking.retain(|_, numbers| !numbers.is_empty());
    Ok(lacking)
}

fn absent(numbers: &BTreeSet<u64>, last: Option<u64>) -> BTreeSet<u64> {
    // A log of another program may number its events as it likes.
    let most = numbers.len() as u64 + (1 << 20);
    (1..=last.unwrap_or(0).min(most)).filter(|n| !numbers.contains(n)).collect()
}

/// What is remembered to be lost.
pub(super) fn read(layout: &Layout) -> Result<Vec<LostLine>> {
    let path = super::tlog::folder(layout).join(FILE);
    let text = read_if_there(&path)?.unwrap_or_default();
    let lines = text.split(|byte| *byte == b'\n');
    Ok(lines.filter_map(|line| serde_json::from_slice(line).ok()).collect())
}

/// Whether a line of the global log stands for a lost one.
pub(super) fn is_placeholder(line: &[u8]) -> bool {
    line.starts_with(b"{\"lost_line\":") && serde_json::from_slice::<LostLine>(line).is_ok()
}

/// Remembers what is lost. Gives the complaint where it was not known before.
pub(super) fn remember(layout: &Layout, lost: &[LostLine]) -> Result<Option<Error>> {
    let path = super::tlog::folder(layout).join(FILE);
    if lost.is_empty() {
        return remove_if_there(&path).map(|()| None);
    }
    let text: String = lost.iter().map(|line| line.placeholder() + "\n").collect();
    if read_if_there(&path)?.as_deref() == Some(text.as_bytes()) {
        return Ok(None);
    }
    replace(&path, text.as_bytes(), true)?;
    Ok(Some(complaint(lost)))
}

fn complaint(lost: &[LostLine]) -> Error {
    let first = lost.first().map(LostLine::told).unwrap_or_default();
    let more = match lost.len() {
        0 | 1 => String::new(),
        several => format!(", and {} more", several - 1),
    };
    let message = format!("a checkpoint signs what is gone from its log: {first}{more}");
    let hint = match lost.iter().any(|line| line.copy.is_some()) {
        true => {
            "`chronoscope verify` names all; `chronoscope store repair` brings back what the global log has"
        }
        false => {
            "`chronoscope verify` names all; put the log back from a backup, then `chronoscope store rebuild`"
        }
    };
    Error::new(ErrorKind::Integrity, message).with_hint(hint)
}

/// Refuses to go on with an issue's log that lacks what a checkpoint signs. It is asked only where
/// the log does not end as its lock file says, and reads all logs only where that is suspicious.
///
/// # Errors
/// Integrity, when it does.
pub(super) fn refuse(layout: &Layout, key: &str, fresh: bool) -> Result<()> {
    let suspicious = !read(layout)?.is_empty()
        || is_shorter_than_synced(layout, key)?
        || (fresh && !layout.global_lock().exists());
    if !suspicious {
        return Ok(());
    }
    // Where not even the order is left, publishing tells.
    let Ok(signed) = leaves::signed(layout) else { return Ok(()) };
    let lost = of_issue(layout, key, &signed)?;
    if lost.is_empty() {
        return Ok(());
    }
    let error = complaint(&lost);
    let date = layout.partitions(key)?.pop();
    let place = date.map_or_else(
        || format!("{key} has no log any more"),
        |date| layout.events(date, key).display().to_string(),
    );
    let message = format!("{place}: {}; nothing is appended to it", error.message());
    let hint = error.hint().unwrap_or_default().to_owned();
    Err(Error::new(ErrorKind::Integrity, message).with_hint(hint))
}

/// The signed lines that are gone and are an issue's, or may be.
pub(super) fn of_issue(layout: &Layout, key: &str, signed: &[Hash]) -> Result<Vec<LostLine>> {
    if signed.is_empty() {
        return Ok(Vec::new());
    }
    let mut logs = remake::read_logs(layout, None)?;
    let order = find(layout, &mut logs, signed)?;
    let candidates = lacking(layout, &logs, &order)?;
    let own = |line: &LostLine| match &line.issue_key {
        Some(issue) => issue == key,
        None => candidates.contains_key(key),
    };
    Ok(order.lost.into_iter().filter(own).collect())
}

/// Whether the log ends before what was made durable once: that no power cut takes away.
fn is_shorter_than_synced(layout: &Layout, key: &str) -> Result<bool> {
    let path = layout.sync_lock(key);
    let lock = match private().read(true).open(&path) {
        Ok(lock) => lock,
        Err(error) if is_absent(&error) => return Ok(false),
        Err(error) => return Err(Error::io("open", &path, &error)),
    };
    let noted = record::read_sync(&lock).map_err(|e| Error::io("read", &path, &e))?;
    let Some(Place { date, offset }) = noted.and_then(|noted| noted.end) else { return Ok(false) };
    Ok(layout.length(date, key).unwrap_or(0) < offset)
}
