//! What is wrong with an event or a line, as found while reading and folding.
//!
//! Lives here: the closed list of kinds and the record of one find. May not live here: detection;
//! the layer that notices says so.

use super::Position;
use crate::closed_list;

closed_list! {
    /// Why an event or a line is not quite right. The log is shown all the same.
    pub enum AnomalyKind {
        /// The line is not JSON; it changes nothing.
        NotJson = "not-json",
        /// The line is JSON but not an object; it changes nothing.
        NotAnObject = "not-an-object",
        /// The line is longer than the limit and was skipped.
        LineTooLong = "line-too-long",
        /// Bytes that are not UTF-8 were replaced for reading.
        InvalidUtf8 = "invalid-utf8",
        /// NUL bytes around the event were passed over.
        NulBytes = "nul-bytes",
        /// Several objects stand on one line; each was taken as an event.
        SeveralOnOneLine = "several-on-one-line",
        /// The last line has no line feed: it may still be in the writing.
        TornTail = "torn-tail",
        /// A field that every event has is absent.
        MissingField = "missing-field",
        /// A field holds another JSON type than it should.
        WrongType = "wrong-type",
        /// The time cannot be read.
        BadTimestamp = "bad-timestamp",
        /// The time is before that of the event before.
        TimeRunsBack = "time-runs-back",
        /// The sequence number leaves a gap.
        SequenceGap = "sequence-gap",
        /// The sequence number was there before.
        SequenceRepeated = "sequence-repeated",
        /// The event id was there before with the same content.
        DuplicateId = "duplicate-id",
        /// The event id was there before with other content.
        ReusedId = "reused-id",
        /// The event names another issue than the log it stands in.
        OtherIssue = "other-issue",
        /// The type is not in the catalogue; the event is kept under `custom`.
        UnknownType = "unknown-type",
        /// The event's version is newer than this program knows, or cannot be read.
        UnknownVersion = "unknown-version",
        /// The event does not fit what was true before it.
        GuardViolated = "guard-violated",
        /// The event that is named as its cause is nowhere in this log.
        MissingCause = "missing-cause",
        /// The event that is named as its cause comes later in this log.
        ImpossibleCause = "impossible-cause",
        /// The log became shorter while it was read.
        Truncated = "truncated",
        /// The file was replaced by another while it was read.
        Replaced = "replaced",
        /// The file cannot be read now.
        Unreadable = "unreadable",
        /// A snapshot does not fit the log and was ignored.
        BadSnapshot = "bad-snapshot",
    }
}

/// One find: what, where, and the particulars in words.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Anomaly {
    /// What is wrong.
    pub kind: AnomalyKind,
    /// The event it was found at; 0 when it belongs to the log as a whole.
    pub position: Position,
    /// The particulars: field, values, file and line where known.
    pub detail: String,
}

impl Anomaly {
    /// A find at `position`.
    pub fn new(kind: AnomalyKind, position: Position, detail: impl Into<String>) -> Self {
        Self { kind, position, detail: detail.into() }
    }
}
