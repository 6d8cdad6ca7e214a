//! What a check of the store can find, and the report of one.
//!
//! Lives here: the closed list of kinds and the plain types around it. May not live here: the
//! check (see [`super::verify`]).

use std::path::PathBuf;

use serde::Serialize;

use super::tlog::Signature;

crate::closed_list! {
    /// What a check of the store can find.
    pub enum FindingKind {
        /// A line is not JSON, or a JSON value that is no object.
        NotAnEvent = "not-an-event",
        /// NUL bytes stand in a line.
        NulBytes = "nul-bytes",
        /// A line has bytes that are not UTF-8.
        InvalidUtf8 = "invalid-utf8",
        /// Several objects stand on one line.
        SeveralOnOneLine = "several-on-one-line",
        /// A line is longer than the limit.
        LineTooLong = "line-too-long",
        /// An event lacks a field that every event has, or has it in another type.
        FieldFault = "field-fault",
        /// The sequence number leaves a gap.
        SequenceGap = "sequence-gap",
        /// The sequence number was there before.
        SequenceRepeated = "sequence-repeated",
        /// The event id was there before.
        ReusedId = "reused-id",
        /// The event names another issue than the folder it stands in.
        OtherIssue = "other-issue",
        /// The event's day is later than the folder it stands in.
        WrongPartition = "wrong-partition",
        /// Bytes stand after the last line feed.
        TornTail = "torn-tail",
        /// A batch was being written when its writer was killed, and is there in part.
        HalfBatch = "half-batch",
        /// A partition is shorter than the lock files say.
        ShortPartition = "short-partition",
        /// A link leads out of the store.
        OutsideLink = "outside-link",
        /// A metadata.json does not fit its events.
        MetadataMismatch = "metadata-mismatch",
        /// An index.json does not fit the events of its day.
        IndexMismatch = "index-mismatch",
        /// The global log lacks events.
        GlobalMissing = "global-missing",
        /// The global log has a line that no issue's log has.
        GlobalExtra = "global-extra",
        /// The global log has a line twice, or an issue's lines in another order.
        GlobalOrder = "global-order",
        /// A snapshot's file is damaged, or is not the one that its name says.
        BadSnapshot = "bad-snapshot",
        /// The archive of a partition is not what was written.
        ArchiveDamaged = "archive-damaged",
        /// A line is not the one that was logged.
        LineChanged = "line-changed",
        /// A line stands between logged ones and was never logged itself.
        LineInserted = "line-inserted",
        /// A line stands before or behind others than when it was logged.
        LineMoved = "line-moved",
        /// A line that was logged is gone.
        LineMissing = "line-missing",
        /// The leaf hashes are not those that were signed.
        TreeMismatch = "tree-mismatch",
        /// A tile of the tree is missing, or is not what the leaf hashes give.
        TileMismatch = "tile-mismatch",
        /// A checkpoint cannot be read, or its signature does not hold.
        BadCheckpoint = "bad-checkpoint",
        /// The log is shorter than what was signed.
        RolledBack = "rolled-back",
        /// The log does not go on from the anchor.
        AnchorMismatch = "anchor-mismatch",
        /// The signing key is missing, damaged or readable by others.
        KeyFault = "key-fault",
    }
}

impl FindingKind {
    /// Whether it says that a line is not what was logged.
    pub(super) fn is_of_a_logged_line(self) -> bool {
        matches!(self, Self::LineChanged | Self::LineInserted | Self::LineMoved | Self::LineMissing)
    }

    /// Whether it says that an issue's log is not, or not wholly, what was recorded. Others speak
    /// of what is made from logs, or of events that were recorded with a fault.
    #[must_use]
    pub fn is_of_the_record(self) -> bool {
        match self {
            Self::NulBytes
            | Self::TornTail
            | Self::HalfBatch
            | Self::ShortPartition
            | Self::ArchiveDamaged
            | Self::LineChanged
            | Self::LineInserted
            | Self::LineMoved
            | Self::LineMissing
            | Self::TreeMismatch
            | Self::BadCheckpoint
            | Self::RolledBack
            | Self::AnchorMismatch => true,
            Self::NotAnEvent
            | Self::InvalidUtf8
            | Self::SeveralOnOneLine
            | Self::LineTooLong
            | Self::FieldFault
            | Self::SequenceGap
            | Self::SequenceRepeated
            | Self::ReusedId
            | Self::OtherIssue
            | Self::WrongPartition
            | Self::OutsideLink
            | Self::MetadataMismatch
            | Self::IndexMismatch
            | Self::GlobalMissing
            | Self::GlobalExtra
            | Self::GlobalOrder
            | Self::BadSnapshot
            | Self::TileMismatch
            | Self::KeyFault => false,
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What is wrong.
    pub kind: FindingKind,
    /// The issue it belongs to.
    pub issue_key: Option<String>,
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: Option<u64>,
    /// The event's sequence number.
    pub event_sequence: Option<u64>,
    /// The particulars in words.
    pub detail: String,
}

/// The outcome of a check.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// What is wrong, in the order of the issues and files.
    pub findings: Vec<Finding>,
    /// How many events were read.
    pub events: u64,
    /// How many bytes the logs have.
    pub bytes: u64,
    /// What the last checkpoint proves.
    pub signature: Signature,
}
