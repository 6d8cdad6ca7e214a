//! Making everything that is derived anew from the logs.
//!
//! Lives here: [`LocalStore::rebuild`]. May not live here: how each derived file is made.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::io::{make_dirs, remove_if_there};
use super::layout::METADATA;
use super::{LocalStore, ids, remake};
use crate::error::Result;

/// What was made anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RebuildReport {
    /// How many issues there are.
    pub issues: u64,
    /// How many partitions have a new `metadata.json`.
    pub partitions: u64,
    /// How many days have a new `index.json`.
    pub days: u64,
    /// How many events were read.
    pub events: u64,
    /// What became of the global log.
    pub global: remake::GlobalReport,
    /// How many leaves the tiles hold, which is what the last checkpoint signs.
    pub signed: u64,
}

impl LocalStore {
    /// Makes all derived files anew: summaries of partitions and days, the id indexes, the global
    /// log. `progress` is told after each partition how many are done, and of how many.
    ///
    /// # Errors
    /// Unavailable, when something cannot be read or written, or stays locked.
    pub fn rebuild(
        &self,
        lock_timeout: Duration,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<RebuildReport> {
        self.layout.create()?;
        let mut days = Vec::new();
        for date in self.layout.dates()? {
            days.push((date, self.layout.issues_on(date)?));
        }
        let total = days.iter().map(|(_, keys)| keys.len() as u64).sum();
        let (mut done, mut events, mut written) = (0, 0, 0);
        for (date, keys) in days {
            let mut issues = BTreeMap::new();
            for key in keys {
                // Of an archived partition the folder itself may be gone.
                make_dirs(&self.layout.partition(date, &key))?;
                remove_if_there(&self.layout.partition(date, &key).join(METADATA))?;
                let summary = self.refresh_metadata(&key, date, true)?;
                events += summary.events;
                issues.insert(key, summary);
                done += 1;
                progress(done, total);
            }
            if !issues.is_empty() {
                self.write_index(date, issues, true)?;
                written += 1;
            }
        }
        let keys = self.keys()?;
        for key in &keys {
            remove_if_there(&self.layout.id_index(key))?;
            if let Some(end) = ids::end_of(&self.layout, key)? {
                ids::extend(&self.layout, key, end)?;
            }
        }
        let global = remake::rebuild(&self.layout, lock_timeout)?;
        let signed = self.rebuild_tiles()?;
        Ok(RebuildReport {
            issues: keys.len() as u64,
            partitions: done,
            days: written,
            events,
            global,
            signed,
        })
    }

    /// Makes the global log anew: what stands in it and belongs there keeps its place, what is
    /// missing is added.
    ///
    /// # Errors
    /// Unavailable, when something cannot be read or written, or stays locked.
    pub fn rebuild_global(&self, lock_timeout: Duration) -> Result<remake::GlobalReport> {
        remake::rebuild(&self.layout, lock_timeout)
    }
}
