//! The operations that faults are told of, and the names of the syncs.

use std::fs::File;
use std::path::Path;

/// Declares the syncs of the store, each with the name that tests know it by.
macro_rules! sites {
    ($($(#[$doc:meta])* $site:ident = $name:literal,)*) => {
        /// Which sync is meant: one that no test misses when it is left out is not needed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[cfg_attr(not(debug_assertions), allow(dead_code, reason = "faults name them"))]
        pub(in crate::store::local) enum Site { $($(#[$doc])* $site,)* }

        impl Site {
            #[cfg_attr(not(debug_assertions), allow(dead_code, reason = "faults name them"))]
            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$site => $name,)* }
            }
        }

        /// The names of all syncs, for tests that leave each out.
        #[cfg(debug_assertions)]
        pub(in crate::store::local) const SITES: &[&str] = &[$($name,)*];
    };
}

sites! {
    /// The last partition's events.
    Log = "log",
    /// The events of a day before, which nobody synced yet.
    EarlierLog = "earlier-log",
    /// The entry of the events in the partition.
    Partition = "partition",
    /// The entry of the partition in the day.
    Day = "day",
    /// The entry of the day in the store.
    Root = "root",
    /// The entries of a new store's own folders.
    NewRoot = "new-root",
    /// The entries of the service folder.
    Service = "service",
    /// The entry of a new folder above the store, or of the store itself.
    Parent = "parent",
    /// A file that is to take another's place.
    Replaced = "replaced",
    /// The entry of a file that took another's place.
    ReplacedEntry = "replaced-entry",
    /// Bytes that are taken out of a log.
    Quarantine = "quarantine",
    /// The entry of the file with such bytes.
    QuarantineEntry = "quarantine-entry",
    /// A line of a journal.
    Journal = "journal",
    /// The entry of a new journal.
    JournalEntry = "journal-entry",
}

/// One operation, as far as faults have to know it.
#[cfg_attr(not(debug_assertions), allow(dead_code, reason = "faults tell them apart"))]
pub(super) enum Op<'a> {
    Open,
    Read,
    Lock,
    Write,
    Cut(&'a File, u64),
    Sync(&'a File, Site),
    SyncDir(&'a Path, Site),
    MakeDir(&'a Path),
    Rename(&'a Path, &'a Path),
    Remove(&'a Path),
    RemoveDir(&'a Path),
}
