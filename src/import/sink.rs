//! Where the events go: into the store in batches per issue, unless they are there already.
//!
//! Lives here: [`Sink`]. May not live here: what a record means.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;

use super::fault::FaultKind;
use super::made::Made;
use crate::error::Result;
use crate::model::envelope::{Text, split_line};
use crate::schema::Draft;
use crate::store::local::LocalStore;
use crate::store::{AppendOptions, Batch, Durability, EventStore};

/// How many bytes of events wait for being written together.
const PENDING: usize = 16 * 1024 * 1024;
/// How many bytes are written between two syncs.
const SYNC_EVERY: usize = 256 * 1024 * 1024;
/// How many bytes of a log are read at a time.
const CHUNK: usize = 1024 * 1024;

/// What the store has of one issue's imported records, as hashes.
#[derive(Debug, Default)]
struct Known {
    /// Text of a record to how often it is there.
    records: FxHashMap<u64, u32>,
    /// Ids of the records' first events.
    ids: FxHashSet<u64>,
}

/// Takes the events of records.
pub(super) struct Sink<'s> {
    mapping: String,
    store: Option<&'s LocalStore>,
    dry_run: bool,
    /// Whether later files may hold the same records again.
    several_files: bool,
    there: BTreeSet<String>,
    known: FxHashMap<String, Known>,
    pending: BTreeMap<String, Vec<Draft>>,
    pending_bytes: usize,
    unsynced: usize,
    pub(super) issues: BTreeSet<String>,
    pub(super) appended: u64,
    pub(super) duplicates: u64,
}

impl<'s> Sink<'s> {
    pub(super) fn new(
        mapping: &str,
        store: Option<&'s LocalStore>,
        dry_run: bool,
        several_files: bool,
    ) -> Result<Self> {
        let there = match store {
            Some(store) => store.issues()?.into_iter().map(|issue| issue.issue_key).collect(),
            None => BTreeSet::new(),
        };
        Ok(Self {
            mapping: mapping.to_owned(),
            store,
            dry_run: dry_run || store.is_none(),
            several_files,
            there,
            known: FxHashMap::default(),
            pending: BTreeMap::new(),
            pending_bytes: 0,
            unsynced: 0,
            issues: BTreeSet::new(),
            appended: 0,
            duplicates: 0,
        })
    }

    /// Takes a record's events. A fault comes back when they were not taken as they are.
    pub(super) fn take(&mut self, mut made: Made) -> Result<Option<(FaultKind, String)>> {
        let mut fault = None;
        let issue = made.issue.clone();
        self.issues.insert(issue.clone());
        let content = prefix(&made.sha256);
        if let Some(known) = self.known(&issue)? {
            let copies = known.records.get(&content).copied().unwrap_or_default();
            if copies >= made.copy() {
                self.duplicates += made.len() as u64;
                return Ok(None);
            }
            let mut occurrence = made.occurrence();
            while known.ids.contains(&prefix(&made.event_id(0).replace('-', ""))) {
                occurrence += 1;
                made.become_occurrence(occurrence);
                let detail = "the store has its id with other content, from an earlier import";
                fault = Some((FaultKind::ReusedId, detail.to_owned()));
            }
            if self.several_files
                && let Some(known) = self.known.get_mut(&issue)
            {
                *known.records.entry(content).or_default() += 1;
                known.ids.insert(prefix(&made.event_id(0).replace('-', "")));
            }
        }
        let (events, bytes) = (made.len() as u64, made.bytes());
        let drafts = match made.drafts(&self.mapping) {
            Ok(drafts) => drafts,
            Err(faults) => {
                let what: Vec<String> = faults.iter().map(ToString::to_string).collect();
                return Ok(Some((FaultKind::Refused, what.join("; "))));
            }
        };
        if self.dry_run {
            self.appended += events;
            return Ok(fault);
        }
        self.pending.entry(issue).or_default().extend(drafts);
        self.pending_bytes += bytes;
        if self.pending_bytes >= PENDING {
            self.flush()?;
        }
        Ok(fault)
    }

    /// What the store has of an issue; none when nothing needs to be compared.
    fn known(&mut self, issue: &str) -> Result<Option<&Known>> {
        if !self.known.contains_key(issue) {
            let known = match self.store {
                Some(store) if self.there.contains(issue) => read_known(store, issue)?,
                _ if self.several_files => Known::default(),
                _ => return Ok(None),
            };
            self.known.insert(issue.to_owned(), known);
        }
        Ok(self.known.get(issue))
    }

    /// Writes what waits.
    pub(super) fn flush(&mut self) -> Result<()> {
        let Some(store) = self.store else { return Ok(()) };
        let options =
            AppendOptions { durability: Durability::Deferred, ..AppendOptions::default() };
        for (issue_key, drafts) in std::mem::take(&mut self.pending) {
            let batch = Batch { issue_key, drafts };
            for acknowledged in store.append(&batch, &options)? {
                if acknowledged.duplicate {
                    self.duplicates += 1;
                } else {
                    self.appended += 1;
                }
            }
        }
        self.unsynced += std::mem::take(&mut self.pending_bytes);
        if self.unsynced >= SYNC_EVERY {
            self.sync()?;
        }
        Ok(())
    }

    /// Makes everything durable that was written.
    pub(super) fn sync(&mut self) -> Result<()> {
        self.unsynced = 0;
        match self.store {
            Some(store) if !self.dry_run => {
                store.sync_pending(AppendOptions::default().lock_timeout)?;
                store.refresh_derived()
            }
            _ => Ok(()),
        }
    }
}

/// The first 64 bits of a hash or a derived id, from their hex digits.
fn prefix(hex: &str) -> u64 {
    hex.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or_default()
}

#[derive(Deserialize)]
struct Stored<'a> {
    #[serde(borrow, default)]
    event_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    metadata: Option<StoredMetadata<'a>>,
}

#[derive(Deserialize)]
struct StoredMetadata<'a> {
    #[serde(borrow, default)]
    import: Option<StoredImport<'a>>,
}

#[derive(Deserialize)]
struct StoredImport<'a> {
    #[serde(borrow, default)]
    sha256: Option<Text<'a>>,
    #[serde(default)]
    part: u64,
}

/// Reads an issue's log once for what imports left there.
fn read_known(store: &LocalStore, issue: &str) -> Result<Known> {
    let mut known = Known::default();
    let mut tail = store.tail(issue)?;
    loop {
        let chunk = tail.poll(CHUNK)?;
        if chunk.notices.iter().any(crate::store::Notice::starts_anew) {
            known = Known::default();
        }
        for line in chunk.lines.iter().filter(|line| !line.too_long) {
            for text in split_line(&chunk.bytes[line.range.clone()]) {
                note_stored(&mut known, &text.text);
            }
        }
        if chunk.at_end {
            return Ok(known);
        }
    }
}

fn note_stored(known: &mut Known, text: &str) {
    let Ok(stored) = serde_json::from_str::<Stored<'_>>(text) else { return };
    let import = stored.metadata.and_then(|metadata| metadata.import);
    if let (Some(id), Some(import)) = (stored.event_id, import)
        && let Some(sha256) = import.sha256
        && import.part == 0
    {
        known.ids.insert(prefix(&id.replace('-', "")));
        *known.records.entry(prefix(&sha256)).or_default() += 1;
    }
}
