//! Deciding what is done about an issue's log: a pure reading of its files.
//!
//! Lives here: [`Plan`], and what is wrong with whole partitions. May not live here: single lines
//! (see [`super::walk`]), changing anything.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::PathBuf;

use super::super::finding::FindingKind;
use super::super::head::{is_complete, noted_batch, quarantine_name};
use super::super::io::{is_absent, private};
use super::super::layout::{Date, Layout};
use super::super::record::{self, Part, Place, SyncState};
use super::lost::lost;
use super::read::Read;
use super::walk::Walk;
use super::{Mend, RepairAction};
use crate::error::{Error, ErrorKind, Result};
use crate::store::local::global::boot_id;
use crate::store::local::io::FileId;

/// What is done about one issue's log.
pub(super) struct Plan {
    pub(super) key: String,
    pub(super) mends: Vec<Mend>,
    /// The batch that was cut short, which is taken out first.
    pub(super) batch: Vec<Part>,
    /// The partitions that get another content.
    pub(super) rewrites: BTreeMap<Date, Rewrite>,
}

/// The new content of a partition.
#[derive(Default)]
pub(super) struct Rewrite {
    pub(super) pieces: Vec<Piece>,
    /// What is kept aside: the place of a fault in the list, and a range of the file.
    pub(super) kept: Vec<(usize, u64, u64)>,
    pub(super) changed: bool,
}

/// A part of a new partition.
pub(super) enum Piece {
    /// Bytes of the old one, from one offset to another.
    Old(u64, u64),
    /// New bytes.
    New(Vec<u8>),
}

impl Rewrite {
    pub(super) fn keep(&mut self, from: u64, to: u64) {
        match self.pieces.last_mut() {
            Some(Piece::Old(_, end)) if *end == from => *end = to,
            _ => self.pieces.push(Piece::Old(from, to)),
        }
    }

    pub(super) fn put(&mut self, lines: &[&[u8]]) {
        let bytes = lines.iter().flat_map(|line| line.iter().copied().chain([b'\n'])).collect();
        self.pieces.push(Piece::New(bytes));
        self.changed = true;
    }
}

impl Plan {
    pub(super) fn make(layout: &Layout, key: &str) -> Result<Self> {
        let mut plan = Self {
            key: key.to_owned(),
            mends: Vec::new(),
            batch: Vec::new(),
            rewrites: BTreeMap::new(),
        };
        let dates = layout.partitions(key)?;
        for date in &dates {
            if let Err(error) = layout.refuse_links(*date, key) {
                if error.kind() != ErrorKind::Integrity {
                    return Err(error);
                }
                let remedy = "nothing: replace the link by the folder itself";
                let detail = error.message().to_owned();
                plan.add(
                    FindingKind::OutsideLink,
                    RepairAction::Leave,
                    layout.events(*date, key),
                    (detail, remedy),
                );
                return Ok(plan);
            }
        }
        let ends = plan.half_batch(layout, key)?;
        let read = Read::issue(layout, key, &dates, &ends)?;
        let lost = lost(layout, key, &read.sequences())?;
        plan.short_partitions(layout, key, &read, lost.is_empty())?;
        let mut walk = Walk::new(layout, &mut plan, &lost, &read)?;
        walk.lines()?;
        plan.rewrites.retain(|_, rewrite| rewrite.changed);
        Ok(plan)
    }

    pub(super) fn add(
        &mut self,
        kind: FindingKind,
        action: RepairAction,
        file: PathBuf,
        (detail, remedy): (String, &str),
    ) -> &mut Mend {
        self.mends.push(Mend {
            kind,
            action,
            issue_key: self.key.clone(),
            file,
            line: None,
            event_sequence: None,
            detail,
            remedy: remedy.to_owned(),
            quarantine: None,
        });
        let last = self.mends.len() - 1;
        &mut self.mends[last]
    }

    /// Finds a batch that was cut short; gives where the partitions end without it.
    fn half_batch(&mut self, layout: &Layout, key: &str) -> Result<BTreeMap<Date, u64>> {
        let mut ends = BTreeMap::new();
        let Some(lock) = open_record(&layout.issue_lock(key))? else { return Ok(ends) };
        let failed = |e: std::io::Error| Error::io("read", &layout.issue_lock(key), &e);
        let records = record::read_issue(&lock).map_err(failed)?;
        let Some(head) = records.head else { return Ok(ends) };
        let Some(parts) = noted_batch(&lock, &head).map_err(failed)? else { return Ok(ends) };
        if is_complete(layout, key, &parts)? {
            return Ok(ends);
        }
        for part in &parts {
            ends.insert(part.at.date, part.at.offset);
            let file = layout.events(part.at.date, key);
            let length = layout.length(part.at.date, key).unwrap_or(0);
            let there = length.saturating_sub(part.at.offset);
            if there == 0 {
                continue;
            }
            let detail =
                format!("{there} bytes of a batch of {} that was never acknowledged", part.length);
            let name = quarantine_name(key, part.at, length);
            let mend = self.add(
                FindingKind::HalfBatch,
                RepairAction::TakeOut,
                file,
                (detail, "take them out, as the next append would"),
            );
            mend.quarantine = Some(layout.service("quarantine").join(name));
        }
        self.batch = parts;
        Ok(ends)
    }

    /// Finds partitions that are shorter than what was noted in this boot.
    fn short_partitions(
        &mut self,
        layout: &Layout,
        key: &str,
        read: &Read,
        for_good: bool,
    ) -> Result<()> {
        let mut noted = BTreeMap::<Date, (u64, FileId)>::new();
        let mut note = |end: Option<Place>, file: FileId| {
            if let Some(end) = end {
                let known = noted.entry(end.date).or_insert((0, file));
                known.0 = known.0.max(end.offset);
            }
        };
        if let Some(lock) = open_record(&layout.issue_lock(key))?
            && let Some(head) = record::read_issue(&lock).ok().and_then(|records| records.head)
            && head.boot == boot_id()
        {
            if read.sequences().last().is_some_and(|last| *last >= head.sequence) {
                // Bytes are gone, and no event with them.
                return Ok(());
            }
            note(head.end, head.file);
        }
        if let Some(lock) = open_record(&layout.sync_lock(key))?
            && let Some(sync) = record::read_sync(&lock).ok().flatten()
            && sync.boot == boot_id()
            && sync.state == SyncState::Clean
        {
            note(sync.end, sync.file);
        }
        for (date, (offset, id)) in noted {
            let file = layout.events(date, key);
            let there = std::fs::metadata(&file).ok();
            if there.is_none() && layout.has(date, key) {
                // The archive that took its place is as long as it was.
                continue;
            }
            let other = there.as_ref().is_some_and(|metadata| FileId::of(metadata) != id);
            let length = there.map_or(0, |metadata| metadata.len());
            if length < offset && !other {
                let detail =
                    format!("it has {length} bytes, and had {offset} when it was written last");
                let (action, remedy) = if for_good {
                    (
                        RepairAction::Leave,
                        "nothing: the global log does not have them either; look for a backup",
                    )
                } else {
                    (RepairAction::Restore, "bring back what the global log has of it, see below")
                };
                self.add(FindingKind::ShortPartition, action, file, (detail, remedy));
            }
        }
        Ok(())
    }
}

fn open_record(path: &std::path::Path) -> Result<Option<File>> {
    match private().read(true).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(Error::io("open", path, &error)),
    }
}

/// The sequence numbers of an issue.
impl Read {
    fn sequences(&self) -> BTreeSet<u64> {
        self.lines.iter().flat_map(|line| line.state.sequences()).collect()
    }
}
