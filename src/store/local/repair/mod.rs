//! Mending what stops appends or reading, without losing an event.
//!
//! Lives here: [`LocalStore::examine`] and [`LocalStore::repair`], and the words for what they
//! find. May not live here: deciding what is done (see [`plan`]), doing it (see [`carry_out`]).
//!
//! What is taken out of a log is kept in `.chronoscope/quarantine/` for ever, with a note of where
//! it stood. What was published and is gone or damaged comes back from the global log, where its
//! leaf hash vouches for it. Everything else stays byte for byte.

mod carry_out;
mod lost;
mod plan;
mod read;
mod walk;

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use self::plan::Plan;
use super::finding::FindingKind;
use super::layout::Layout;
use super::lock::LockFile;
use super::{LocalStore, lock, watermark};
use crate::error::{Error, ErrorKind, Result};

crate::closed_list! {
    /// What a repair does about a fault.
    pub enum RepairAction {
        /// The bytes are taken out of the log and kept aside.
        TakeOut = "take-out",
        /// What was published comes back from the global log.
        Restore = "restore",
        /// The events of one line get a line each.
        Split = "split",
        /// A whole event gets the line feed that it lacks.
        Terminate = "terminate",
        /// Nothing can be done, or needs to be.
        Leave = "leave",
    }
}

/// One fault, and what a repair does about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mend {
    /// What is wrong.
    pub kind: FindingKind,
    /// What is done about it.
    pub action: RepairAction,
    /// The issue.
    pub issue_key: String,
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: Option<u64>,
    /// The sequence number of the event, or of the first that is gone.
    pub event_sequence: Option<u64>,
    /// What is wrong, in words.
    pub detail: String,
    /// What is done, in words.
    pub remedy: String,
    /// Where the bytes are kept that were taken out.
    pub quarantine: Option<PathBuf>,
}

impl Mend {
    /// Whether it is more than an oddity of sequence numbers that readers cope with.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        self.action != RepairAction::Leave || self.stays()
    }

    /// Whether the fault stays, and is more than an oddity that readers cope with.
    #[must_use]
    pub fn stays(&self) -> bool {
        let harmless =
            matches!(self.kind, FindingKind::SequenceGap | FindingKind::SequenceRepeated);
        self.action == RepairAction::Leave && !harmless
    }
}

/// What a repair came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repaired {
    /// What was done.
    pub mends: Vec<Mend>,
    /// Why the derived files could not all be made anew.
    pub derived_fault: Option<String>,
}

impl LocalStore {
    /// Finds what a repair would do, and changes nothing.
    ///
    /// # Errors
    /// Not found, when there is no such issue; unavailable, when something cannot be read or stays
    /// locked.
    pub fn examine(&self, issue_key: Option<&str>, timeout: Duration) -> Result<Vec<Mend>> {
        let mut mends = Vec::new();
        for key in self.keys_to_mend(issue_key)? {
            let _locks = Locks::take_to_look(&self.layout, &key, timeout)?;
            mends.extend(Plan::make(&self.layout, &key)?.mends);
        }
        Ok(mends)
    }

    /// Mends what [`LocalStore::examine`] told, and makes the derived files anew.
    ///
    /// # Errors
    /// Unavailable, when something else is wrong by now, or something cannot be read or written,
    /// or stays locked.
    pub fn repair(
        &self,
        issue_key: Option<&str>,
        told: &[Mend],
        timeout: Duration,
    ) -> Result<Repaired> {
        let mut done = Repaired::default();
        let mut touched = false;
        for key in self.keys_to_mend(issue_key)? {
            let expected: Vec<&Mend> = told.iter().filter(|mend| mend.issue_key == key).collect();
            if expected.iter().all(|mend| mend.action == RepairAction::Leave) {
                done.mends.extend(expected.into_iter().cloned());
                continue;
            }
            let locks = Locks::take(&self.layout, &key, timeout)?;
            let plan = Plan::make(&self.layout, &key)?;
            if plan.mends.iter().ne(expected) {
                let message =
                    format!("{key} changed since it was looked at; nothing of it was done");
                return Err(Error::new(ErrorKind::Unavailable, message)
                    .with_hint("look again: `chronoscope store repair`"));
            }
            watermark::forget(&self.layout)?;
            carry_out::carry_out(self, &locks, &plan)?;
            touched = true;
            done.mends.extend(plan.mends);
        }
        if touched {
            done.derived_fault = self.rebuild(timeout, &mut |_, _| {}).err().map(|e| e.to_string());
        }
        Ok(done)
    }

    fn keys_to_mend(&self, issue_key: Option<&str>) -> Result<Vec<String>> {
        match issue_key {
            None => self.keys(),
            Some(key) if self.layout.first_partition(key).is_ok_and(|first| first.is_some()) => {
                Ok(vec![key.to_owned()])
            }
            Some(key) => Err(self.layout.no_such_issue(key)),
        }
    }
}

/// An issue's two locks. Whoever syncs may wait for the global log, and who makes that anew waits
/// for the issues: so the sync lock comes first.
pub(super) struct Locks {
    _sync: Option<LockFile>,
    issue: Option<LockFile>,
}

impl Locks {
    /// Takes both.
    pub(super) fn take(layout: &Layout, key: &str, timeout: Duration) -> Result<Self> {
        layout.create()?;
        let sync = lock::take(&layout.sync_lock(key), timeout)?;
        Ok(Self { _sync: sync, issue: lock::take(&layout.issue_lock(key), timeout)? })
    }

    /// As far as the store may be written; who only looks needs no more.
    fn take_to_look(layout: &Layout, key: &str, timeout: Duration) -> Result<Self> {
        let path = layout.issue_lock(key);
        let writable = path.is_file() && super::io::private().write(true).open(&path).is_ok();
        let issue = if writable { lock::take(&path, timeout)? } else { None };
        Ok(Self { _sync: None, issue })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::clock::Clock;
    use crate::model::Timestamp;
    use crate::store::local::head::Locked;
    use crate::store::local::io::{append_all, fingerprint};
    use crate::store::local::record::{HeadRecord, Part, write_head, write_note};
    use crate::store::local::testing::note_draft;
    use crate::store::{AppendOptions, Batch, EventStore};

    const WAIT: Duration = Duration::from_secs(9);

    #[test]
    fn a_batch_that_was_cut_short_is_told_and_taken_out() {
        let dir = tempfile::tempdir().unwrap();
        let at = Timestamp::parse("2026-11-20T12:00:00Z").unwrap();
        let store = LocalStore::at(dir.path(), Clock::Fixed(at));
        let batch = Batch { issue_key: "P-1".into(), drafts: vec![note_draft()] };
        store.append(&batch, &AppendOptions::default()).unwrap();
        let log = Locked::take(&store.layout, "P-1", WAIT).unwrap();
        let end = log.head.end.unwrap();
        let path = store.layout.events(end.date, "P-1");
        let sound = fs::read(&path).unwrap();
        let text = b"{\"event_sequence\":2}\n{\"event_sequence\":3}\n";
        let part = Part { at: end, length: text.len() as u64, hash: fingerprint(text) };
        let note = write_note(&log.lock, &[part]).unwrap();
        write_head(&log.lock, &HeadRecord { note: Some(note), ..log.head.clone() }).unwrap();
        append_all(log.file.as_ref().unwrap(), &text[..25]).unwrap();
        drop(log);
        let told = store.examine(Some("P-1"), WAIT).unwrap();
        let kinds: Vec<_> = told.iter().map(|mend| (mend.kind, mend.action)).collect();
        assert_eq!(kinds, [(FindingKind::HalfBatch, RepairAction::TakeOut)]);
        assert_eq!(fs::read(&path).unwrap().len(), sound.len() + 25, "it only looked");
        store.repair(Some("P-1"), &told, WAIT).unwrap();
        assert_eq!(fs::read(&path).unwrap(), sound);
        let kept = told[0].quarantine.as_ref().unwrap();
        assert_eq!(fs::read(kept).unwrap(), text[..25]);
        assert!(fs::read_to_string(kept.with_extension("json")).unwrap().contains("half-batch"));
        assert!(store.examine(None, WAIT).unwrap().is_empty());
        assert_eq!(store.append(&batch, &AppendOptions::default()).unwrap()[0].event_sequence, 2);
        assert!(store.verify(None).unwrap().findings.is_empty());
    }
}
