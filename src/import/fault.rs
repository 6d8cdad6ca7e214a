//! What was wrong with a source, named by file and line.
//!
//! Lives here: the closed list of fault kinds, one fault, and the bounded list that a report
//! carries. May not live here: detection; the part that notices says so.

use serde::Serialize;

use crate::closed_list;

closed_list! {
    /// Why a record of a source did not come in, or not quite as it stands there.
    pub enum FaultKind {
        /// The record ends before its JSON does; what stands after it was looked for.
        CutLine = "cut-line",
        /// The record is not JSON; it was passed over.
        NotJson = "not-json",
        /// The record is JSON but not an object; it was passed over.
        NotAnObject = "not-an-object",
        /// Several objects stand on one line; each was taken.
        SeveralOnOneLine = "several-on-one-line",
        /// NUL bytes around the record were passed over.
        NulBytes = "nul-bytes",
        /// Bytes that are not UTF-8 were replaced in what is kept.
        InvalidUtf8 = "invalid-utf8",
        /// The record, or the event it makes, is longer than the limit; it was passed over.
        TooLong = "too-long",
        /// A source id was there before with other content; the record came in under an id of its own.
        ReusedId = "reused-id",
        /// The time is an hour or more before that of the record before.
        TimeRunsBack = "time-runs-back",
        /// The record has no time; the mapping says which one it was given.
        MissingTime = "missing-time",
        /// The source has no times at all: the time of the import was taken. Said once per file.
        NoTimes = "no-times",
        /// The time cannot be read; the record was treated as one without a time.
        BadTime = "bad-time",
        /// Times without a zone were taken as UTC. Said once per file.
        ZonelessTime = "zoneless-time",
        /// The record names no issue, and the mapping has none for it; it was passed over.
        MissingIssue = "missing-issue",
        /// The issue key is not safe as a folder's name; the record went to a key made from it.
        UnsafeIssueKey = "unsafe-issue-key",
        /// The record lacks what its type must have; it came in under a type of its own.
        IncompleteType = "incomplete-type",
        /// The event that the record makes cannot be written; it was passed over.
        Refused = "refused",
        /// The file has no array of records where the mapping says.
        NoRecords = "no-records",
    }
}

/// One fault: what, where, and the particulars in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportFault {
    /// What is wrong.
    pub kind: FaultKind,
    /// The source file as it was named.
    pub file: String,
    /// The line the record begins at, from 1; 0 for the file as a whole.
    pub line: u64,
    /// The particulars.
    pub detail: String,
}

/// The faults of an import: all are counted, and the first of each kind are kept.
#[derive(Debug, Clone, Default)]
pub struct FaultList {
    kept: Vec<ImportFault>,
    counts: std::collections::BTreeMap<FaultKind, u64>,
}

impl FaultList {
    /// How many faults of one kind are kept; further ones are only counted.
    pub const KEPT_PER_KIND: u64 = 1000;

    pub(super) fn push(&mut self, kind: FaultKind, file: &str, line: u64, detail: String) {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        if *count <= Self::KEPT_PER_KIND {
            self.kept.push(ImportFault { kind, file: file.to_owned(), line, detail });
        }
    }

    /// The faults that are kept, in the order in which they were found.
    #[must_use]
    pub fn kept(&self) -> &[ImportFault] {
        &self.kept
    }

    /// The first fault of all.
    #[must_use]
    pub fn first(&self) -> Option<&ImportFault> {
        self.kept.first()
    }

    /// How many faults there are, kept or not.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// How many faults of `kind` there are, kept or not.
    #[must_use]
    pub fn count(&self, kind: FaultKind) -> u64 {
        self.counts.get(&kind).copied().unwrap_or_default()
    }
}
