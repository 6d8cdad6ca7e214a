//! What is wrong or risky around a store: locks, modes, disk, clock, versions, what is derived.
//!
//! Lives here: [`LocalStore::diagnose`] and the words for what it can find. May not live here:
//! what is wrong inside the logs (see [`super::verify`]), changing anything.

mod disk;
mod files;
mod locks;

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::LocalStore;
use super::io::read_if_there;
use super::{lost, record};
use crate::error::Result;
use crate::model::catalogue::Version;

/// Declares what can be found: name, how grave it is, why it matters, the remedy.
macro_rules! ailments {
    ($($variant:ident = $name:literal, $level:ident, $why:literal, $remedy:literal;)*) => {
        /// What can be wrong or risky around a store.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Ailment { $(#[doc = $why] $variant,)* }

        impl Ailment {
            /// The stable name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            fn level(self) -> Level {
                match self { $(Self::$variant => Level::$level,)* }
            }

            fn why(self) -> &'static str {
                match self { $(Self::$variant => $why,)* }
            }

            fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy,)* }
            }
        }
    };
}

ailments! {
    LogDamage = "log-damage", Damage, "appends or readers stop there", "chronoscope store repair";
    SignedLost = "signed-lost", Damage, "a checkpoint signs what is in no log any more, and nothing is appended to that issue", "chronoscope verify names all; put the log back from a backup, then chronoscope store rebuild";
    OutsideLink = "outside-link", Damage, "what it leads to is no part of the store, and is not read", "replace the link by the folder itself";
    Link = "link", Warning, "a link can be turned elsewhere by whoever may write its folder", "replace it by what it leads to";
    OpenMode = "open-mode", Warning, "others than the owner may read or change what agents did", "chmod 700 for folders, 600 for files";
    ForeignOwner = "foreign-owner", Warning, "this user may be unable to append to it", "chown it to the user who appends";
    LockHeld = "lock-held", Note, "appends to it wait", "wait, or see what that process does";
    StrayLock = "stray-lock", Note, "nobody holds it, and no such issue is there", "it can be removed";
    SyncInterrupted = "sync-interrupted", Warning, "the last events may not be on the disk yet", "append to it, or chronoscope store checkpoint: both write them anew";
    SyncFailed = "sync-failed", Warning, "the disk refused the last events", "look at the disk, then chronoscope store checkpoint: it writes them anew";
    LowSpace = "low-space", Warning, "appends fail when it is full", "free some space";
    LowInodes = "low-inodes", Warning, "no new day can begin when there are none", "remove files that nobody needs";
    NetworkDisk = "network-disk", Warning, "locks and syncs of network file systems are not to be relied on", "keep the store on a local disk";
    ReadOnlyDisk = "read-only-disk", Warning, "nothing can be appended", "mount it for writing";
    ClockBehind = "clock-behind", Warning, "new events get the time of the last one until the clock is past it", "set the clock";
    SchemasMissing = "schemas-missing", Note, "who reads the store without this program lacks the shape of its events", "append an event, or chronoscope store init";
    SchemasChanged = "schemas-changed", Warning, "who reads the store without this program is told another shape", "remove it: the next append writes it anew";
    NewerStore = "newer-store", Warning, "a newer chronoscope wrote here, events may have types that this one does not know", "use that version";
    StaleDerived = "stale-derived", Note, "readers read the log instead, which takes longer", "chronoscope store rebuild";
    Unpublished = "unpublished", Note, "readers of the global log do not see them yet", "the next append publishes them";
    BadSnapshot = "bad-snapshot", Note, "it is not believed; readers fold the log instead", "chronoscope snapshot gc";
    HalfArchived = "half-archived", Note, "the plain file and its archive are both there, and the plain one is read", "chronoscope store archive, which compares them";
    Quarantined = "quarantined", Note, "bytes that were taken out of logs are kept there", "look at them; nothing removes them";
}

/// How grave something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something is broken.
    Damage,
    /// Something may go wrong.
    Warning,
    /// Good to know.
    Note,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// How grave it is.
    pub level: Level,
    /// Its stable name.
    pub kind: &'static str,
    /// Where it is.
    pub place: String,
    /// What is there.
    pub what: String,
    /// Why it matters.
    pub why: &'static str,
    /// What helps.
    pub remedy: &'static str,
}

/// Gathers what is found.
#[derive(Default)]
struct Findings(Vec<Diagnosis>);

impl Findings {
    fn add(&mut self, ailment: Ailment, place: &Path, what: impl Into<String>) {
        self.0.push(Diagnosis {
            level: ailment.level(),
            kind: ailment.name(),
            place: place.display().to_string(),
            what: what.into(),
            why: ailment.why(),
            remedy: ailment.remedy(),
        });
    }
}

impl LocalStore {
    /// Looks for what is wrong or risky around the store, gravest first.
    ///
    /// # Errors
    /// Unavailable, when the store cannot be read.
    pub fn diagnose(&self, lock_timeout: Duration) -> Result<Vec<Diagnosis>> {
        let mut found = Findings::default();
        files::modes_and_links(&self.layout, &mut found)?;
        // Before anything else takes them.
        locks::look(self, &mut found)?;
        disk::look(self.layout.root(), &mut found);
        self.look_at_logs(lock_timeout, &mut found)?;
        self.look_at_what_is_signed(&mut found)?;
        self.look_at_clock(&mut found)?;
        self.look_at_versions(&mut found)?;
        self.look_at_derived(&mut found)?;
        found.0.sort_by_key(|diagnosis| diagnosis.level);
        Ok(found.0)
    }

    fn look_at_logs(&self, timeout: Duration, found: &mut Findings) -> Result<()> {
        for key in self.keys()? {
            match self.examine(Some(&key), timeout) {
                Ok(mends) => {
                    for mend in mends.iter().filter(|mend| mend.is_damage()) {
                        let line = mend.line.map_or_else(String::new, |line| format!(":{line}"));
                        let place = format!("{}{line}", mend.file.display());
                        let what = format!("{}: {}", mend.kind, mend.detail);
                        found.add(Ailment::LogDamage, Path::new(&place), what);
                    }
                }
                Err(error) if error.kind() == crate::error::ErrorKind::Unavailable => {
                    let path = self.layout.issue_lock(&key);
                    found.add(Ailment::LockHeld, &path, error.message());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn look_at_what_is_signed(&self, found: &mut Findings) -> Result<()> {
        for line in lost::read(&self.layout)? {
            let date = match &line.issue_key {
                Some(key) => self.layout.partitions(key)?.pop(),
                None => None,
            };
            let place = match (&line.issue_key, date) {
                (Some(key), Some(date)) => self.layout.events(date, key),
                _ => self.layout.global(),
            };
            found.add(Ailment::SignedLost, &place, format!("{} is gone", line.told()));
        }
        if let Err(error) = super::tlog::leaves::signed(&self.layout) {
            let place = super::tlog::folder(&self.layout);
            found.add(Ailment::SignedLost, &place, error.message());
        }
        Ok(())
    }

    fn look_at_clock(&self, found: &mut Findings) -> Result<()> {
        let now = self.clock.now();
        for key in self.keys()? {
            // Those of the days before are not later than the folder of the last one says.
            let Some(date) = self.layout.partitions(&key)?.pop() else { continue };
            let last = self.metadata(&key, date)?.last;
            if let Some(at) = last.and_then(|event| event.at()).filter(|at| *at > now) {
                let what = format!("the last event is of {at}, and it is {now}");
                found.add(Ailment::ClockBehind, &self.layout.events(date, &key), what);
            }
        }
        Ok(())
    }

    fn look_at_versions(&self, found: &mut Findings) -> Result<()> {
        let folder = self.layout.root().join("schemas");
        for (name, text) in super::layout::schemas() {
            let path = folder.join(name);
            match read_if_there(&path)? {
                None => found.add(Ailment::SchemasMissing, &path, "it is not there"),
                Some(there) if there != text.as_bytes() => {
                    found.add(Ailment::SchemasChanged, &path, "it is not what was published");
                }
                Some(_) => {}
            }
        }
        let current = numbers(Version::CURRENT.name());
        for name in super::layout::names(&folder)? {
            let version = name.strip_prefix("orchestration-events-");
            let version = version.and_then(|rest| rest.strip_suffix(".json"));
            if let Some(version) = version.filter(|version| numbers(version) > current) {
                let what = format!("version {version}; this is {}", Version::CURRENT.name());
                found.add(Ailment::NewerStore, &folder.join(&name), what);
            }
        }
        Ok(())
    }

    fn look_at_derived(&self, found: &mut Findings) -> Result<()> {
        for key in self.keys()? {
            for date in self.layout.partitions(&key)? {
                let log = self.layout.events(date, &key);
                let length = self.layout.length(date, &key).unwrap_or(0);
                let archive = self.layout.archive(date, &key);
                if log.is_file() && archive.is_file() {
                    let what = format!("{} is there, too", log.display());
                    found.add(Ailment::HalfArchived, &archive, what);
                }
                let covered = self.kept_metadata(&key, date)?.map_or(0, |kept| kept.bytes);
                if covered < length {
                    let what = format!("its summary covers {covered} of {length} bytes");
                    found.add(Ailment::StaleDerived, &log, what);
                }
            }
            for entry in self.snapshots(Some(&key))? {
                let reason = match &entry.snapshot {
                    Ok(snapshot) => self.misfit(snapshot)?,
                    Err(reason) => Some(reason.clone()),
                };
                if let Some(reason) = reason {
                    found.add(Ailment::BadSnapshot, &entry.path, reason);
                }
            }
            let lock = super::io::private().read(true).open(self.layout.issue_lock(&key));
            let records = lock.ok().and_then(|lock| record::read_issue(&lock).ok());
            if let Some(records) = records
                && let (Some(head), Some(published)) = (records.head, records.published)
                && published.next < head.end
            {
                let count = head.sequence.saturating_sub(published.sequence);
                let what = format!("{count} events of {key} are not in the global log");
                found.add(Ailment::Unpublished, &self.layout.global(), what);
            }
        }
        let folder = self.layout.service("quarantine");
        let kept = super::layout::names(&folder)?;
        let bytes = kept.iter().map(|name| {
            std::fs::symlink_metadata(folder.join(name)).map_or(0, |metadata| metadata.len())
        });
        let (bytes, count): (u64, usize) = (bytes.sum(), kept.len());
        if count > 0 {
            found.add(Ailment::Quarantined, &folder, format!("{count} files, {bytes} bytes"));
        }
        Ok(())
    }
}

fn numbers(version: &str) -> Vec<u64> {
    version.split('.').map(|part| part.parse().unwrap_or_default()).collect()
}
