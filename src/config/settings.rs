//! The table of settings: one row each, from which loading, `config show`, the default file and
//! the checks are made.
//!
//! Lives here: [`Setting`] and what is known of each. May not live here: files, environment.

/// What a setting may hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Type {
    /// `true` or `false`.
    Flag,
    /// A whole number between these bounds, both included.
    Count(u64, u64),
    /// Any text.
    Text,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A list of texts.
    List,
    /// A list of correlation rules.
    Rules,
    /// A table or list of its own, kept as it is.
    Tree,
}

/// The value where nobody gives one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Preset {
    /// There is none.
    None,
    /// A truth value.
    Flag(bool),
    /// A number.
    Count(u64),
    /// A text.
    Text(&'static str),
    /// A list of texts.
    List(&'static [&'static str]),
}

/// What comes of a setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Standing {
    /// It is obeyed.
    Obeyed,
    /// It loads and has no effect; why.
    NoEffect(&'static str),
    /// Only its default holds, because any other value would weaken what the store promises; what
    /// holds instead, in words.
    Fixed(&'static str),
}

/// One row of the table.
#[derive(Debug)]
pub struct Spec {
    /// The setting.
    pub setting: Setting,
    /// Its place below `event_sourcing`, with dots.
    pub key: &'static str,
    /// What it may hold.
    pub ty: Type,
    /// The value where nobody gives one.
    pub default: Preset,
    /// What comes of it.
    pub standing: Standing,
    /// What it means, with its unit.
    pub doc: &'static str,
}

macro_rules! settings {
    ($($setting:ident $key:literal $ty:expr, $default:expr, $standing:expr, $doc:literal;)*) => {
        /// A setting.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "each is documented by its row of the table")]
        pub enum Setting { $($setting,)* }

        impl Setting {
            /// The table, in the order of the file.
            pub const TABLE: &'static [Spec] = &[$(Spec {
                setting: Setting::$setting,
                key: $key,
                ty: $ty,
                default: $default,
                standing: $standing,
                doc: $doc,
            },)*];
        }
    };
}

use Preset::{Count as N, Flag as F, List as L, None as Absent, Text as T};
use Standing::{Fixed, NoEffect, Obeyed};
use Type::{Count, Flag, List, OneOf, Rules, Text, Tree};

const ANY: Type = Count(0, u64::MAX);
const CACHE: Standing = NoEffect("memory is bounded by itself");
const ONE_FILE: Standing =
    NoEffect("a day's events of an issue stand in one file; old days are compressed, not rotated");
const KEEPS_ALL: Standing = Fixed("events are kept; age deletes nothing");
const NOT_YET: Standing = NoEffect("this version does not read it yet");
const FORMATS: &[&str] = &["jsonl", "json", "parquet"];

settings! {
    BasePath "storage.base_path" Text, Absent, Obeyed,
        "The events folder, relative to the folder that holds this file, or that holds its `config`.";
    PartitionBy "storage.partition_by" OneOf(&["date", "issue", "session"]), T("date"),
        Fixed("events are partitioned by date and issue"), "How events are laid out in folders.";
    Format "storage.format" OneOf(FORMATS), T("jsonl"),
        Fixed("the log is JSON Lines"), "The form of the log.";
    Compression "storage.compression" Text, Absent,
        NoEffect("the log is kept plain, so that every tool can read it"), "Compression of the log.";
    MaxFileSize "storage.max_file_size_mb" ANY, Absent, ONE_FILE, "The size at which a file is full, in MB.";
    RotateOnSize "storage.rotate_on_size" Flag, Absent, ONE_FILE, "Whether a full file is followed by another.";

    MaxEventBytes "limits.max_event_bytes" Count(1024, 1 << 30), N(1 << 20), Obeyed,
        "The longest line that an append may write, in bytes.";
    MaxLineBytes "limits.max_line_bytes" Count(1024, 1 << 30), N(16 << 20), Obeyed,
        "The longest line that is read, in bytes; longer ones are named and skipped.";

    SnapshotsEnabled "snapshots.enabled" Flag, F(true), Obeyed, "Whether states are kept beside the log.";
    SnapshotFrequency "snapshots.frequency" Count(1, 1 << 31), N(50), Obeyed,
        "How many events come between two snapshots of an issue, at least.";
    SnapshotRetention "snapshots.retention_days" ANY, N(30), Obeyed, "How long superseded snapshots are kept, in days.";
    SnapshotCompression "snapshots.compression" Tree, T("zstd"), Obeyed,
        "Compression of snapshots: zstd, unless it is `none` or false. Both are read.";
    SnapshotCleanup "snapshots.auto_cleanup" Flag, F(true), Obeyed,
        "Whether superseded snapshots of an issue are removed when a new one is made.";
    SnapshotMinEvents "snapshots.min_events_for_snapshot" ANY, N(20), Obeyed,
        "How many events an issue needs for its first snapshot.";

    IndexEnabled "indexing.enabled" Flag, F(true), NOT_YET, "Whether a query index is kept.";
    IndexFields "indexing.index_fields" List, Absent, NOT_YET, "The fields that are indexed.";
    FullText "indexing.full_text_search" Flag, F(true), NOT_YET, "Whether words of the metadata are indexed.";
    IndexMode "indexing.index_update_mode" OneOf(&["realtime", "batch"]), T("realtime"), NOT_YET, "When the index catches up.";
    IndexRebuild "indexing.rebuild_on_startup" Flag, F(false), NOT_YET, "Whether the index is made anew at each start.";

    StrictMode "validation.strict_mode" Flag, F(true), Fixed("appends are always validated"), "Whether invalid events are refused.";
    SchemaVersion "validation.schema_version" Text, Absent, NoEffect("each event names the version of its own type"), "The version of the catalogue.";
    ValidateOnWrite "validation.validate_on_write" Flag, F(true), Fixed("appends are always validated"), "Whether appends are validated.";
    ValidateOnRead "validation.validate_on_read" Flag, F(true), NoEffect("faults in the log are always shown as anomalies"), "Whether stored events are validated.";
    AllowUnknownTypes "validation.allow_unknown_event_types" Flag, F(false), Obeyed, "Whether types outside the catalogue may be appended.";
    RequiredFields "validation.required_fields" List, Absent, NoEffect("the envelope's required fields are fixed"), "The fields that every event must have.";
    IssueKeyPattern "validation.issue_key_pattern" Text, Absent, Obeyed,
        "A regular expression for issue keys; without one, PREFIX-123.";

    RedactionMode "redaction.mode" OneOf(&["redact", "reject", "off"]), T("redact"), Obeyed,
        "What becomes of secrets in an event: a marker takes their place, the event is refused, or nothing.";
    RedactionPatterns "redaction.patterns" List, Absent, Obeyed,
        "Regular expressions for secrets of your own, beside those that are built in.";

    CacheEvents "performance.cache_recent_events" Tree, Absent, CACHE, "How many events are kept in memory.";
    CacheSnapshots "performance.cache_snapshots" Tree, Absent, CACHE, "How many snapshots are kept in memory.";
    AsyncWrites "performance.async_writes" Flag, F(false), Fixed("an append is acknowledged when it is durable"), "Whether appends return before they are written.";
    BatchWriteSize "performance.batch_write_size" ANY, Absent, NoEffect("what waits together is written together"), "How many events are written together.";
    WriteBuffer "performance.write_buffer_size_mb" ANY, Absent, NoEffect("a batch is one write"), "The size of the write buffer, in MB.";

    CleanupEnabled "cleanup.enabled" Flag, F(false), NOT_YET, "Whether old partitions are archived.";
    ArchiveAfter "cleanup.archive_after_days" ANY, N(90), NOT_YET, "The age at which a day is archived, in days.";
    DeleteAfter "cleanup.delete_after_days" ANY, Absent, KEEPS_ALL, "The age at which a day would be deleted, in days.";
    ArchivePath "cleanup.archive_path" Text, Absent, NOT_YET, "The folder of archived days.";
    CleanupSchedule "cleanup.cleanup_schedule" Text, Absent, NoEffect("nothing runs by itself; call it from your scheduler"), "When cleaning runs.";
    PreserveCompleted "cleanup.preserve_completed_orchestrations" Flag, F(true), KEEPS_ALL, "Whether completed orchestrations are kept.";

    DefaultPageSize "query.default_page_size" Count(1, 1_000_000), N(100), Obeyed, "How many events a page of `query` has.";
    MaxPageSize "query.max_page_size" Count(1, 1_000_000), N(1000), Obeyed, "How many events a page of `query --json` may have.";
    MaxQueryTime "query.max_query_time_seconds" ANY, N(30), NOT_YET, "How long a query may take, in seconds.";
    CacheResults "query.cache_query_results" Flag, Absent, CACHE, "Whether results are kept.";
    CacheTtl "query.cache_ttl_seconds" ANY, Absent, CACHE, "How long results are kept, in seconds.";

    CheckpointEvery "integrity.checkpoint_every" Count(1, 1 << 31), N(256), Obeyed, "How many events come between two signed checkpoints of the store.";

    ReplayEnabled "replay.enabled" Flag, F(true), Obeyed, "Whether events may be replayed.";
    ReplayDryRun "replay.dry_run_default" Flag, F(true), Fixed("a replay is a dry run unless --execute is given"), "Whether a replay only shows what it would do.";
    ReplayMax "replay.max_replay_events" ANY, Absent, Obeyed, "How many events one replay may select; 0 is any number.";
    ReplaySkip "replay.skip_non_idempotent" Flag, F(true), Fixed("what replay.non_replayable_events names is never executed"), "Whether events that act upon the outside are skipped.";
    ReplayNever "replay.non_replayable_events" List, L(&[
        "CommentPosted", "WorklogAdded", "ConfluencePageCreated", "IssueTransitioned", "PRCreated",
        "PRMerged", "PRClosed", "CommitCreated", "BranchCreated",
    ]), Obeyed, "The types that are never executed again.";
    ReplayMarkers "replay.emit_replay_markers" Flag, F(true), Obeyed, "Whether a replay logs its start and end.";
    ReplayHandlers "replay.handlers" Tree, Absent, Obeyed,
        "The programs that execute events, by type or area: a text that is split at spaces, or a list of words. Their paths are relative to what storage.base_path is relative to.";
    ReplayTimeout "replay.handler_timeout_seconds" Count(1, 1 << 31), N(300), Obeyed, "How long a handler may take, in seconds.";
    ReplayAttempts "replay.handler_attempts" Count(1, 1000), N(3), Obeyed, "How often a handler that wants to be tried again runs at most.";
    ReplayOutput "replay.max_output_bytes" Count(256, 1 << 24), N(1 << 14), Obeyed, "How much of a handler's output is kept, of each stream, in bytes.";

    AuditFormats "audit.report_formats" List, Absent, NOT_YET, "The formats of audit reports.";
    AuditRetention "audit.report_retention_days" ANY, Absent, NOT_YET, "How long reports are kept, in days.";
    AuditSensitive "audit.include_sensitive_data" Flag, F(false), NOT_YET, "Whether reports show what is sensitive.";
    Compliance "audit.compliance_mode" Tree, Absent, Obeyed, "The regime that the store is under; under any, each append is signed. false is none.";

    EventTypes "event_types" Tree, Absent, NOT_YET, "Category, severity, retention and alerts by type.";
    CorrelationRules "correlation_rules" Rules, Absent, Obeyed,
        "Further rules that link events: {name, source_event, target_events, correlation_key}.";
    StateProjections "state_projections" Tree, Absent, NOT_YET, "Aggregations over events.";
    Migrations "migrations" Tree, Absent, NOT_YET, "Migrations between schema versions.";
}

impl Setting {
    /// Its row of the table.
    #[must_use]
    pub fn spec(self) -> &'static Spec {
        &Self::TABLE[self as usize]
    }

    /// The setting at this place below `event_sourcing`.
    #[must_use]
    pub fn find(key: &str) -> Option<Self> {
        Self::TABLE.iter().find(|spec| spec.key == key).map(|spec| spec.setting)
    }

    /// Whether settings stand below this key.
    #[must_use]
    pub fn is_section(key: &str) -> bool {
        Self::TABLE.iter().any(|s| s.key.split_once('.').is_some_and(|(section, _)| section == key))
    }

    /// The environment variable that sets it; only settings that are obeyed have one.
    #[must_use]
    pub fn variable(self) -> Option<String> {
        let spec = self.spec();
        match (self, spec.standing) {
            (Self::BasePath, _) => Some(super::STORE_VARIABLE.to_owned()),
            // A list of tables is nothing for a variable.
            (_, Obeyed) if spec.ty != Rules => {
                Some(format!("CHRONOSCOPE_{}", spec.key.to_uppercase().replace('.', "_")))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_at_their_place_and_keys_are_distinct() {
        let mut keys = std::collections::HashSet::new();
        for (index, spec) in Setting::TABLE.iter().enumerate() {
            assert_eq!(spec.setting as usize, index, "{}", spec.key);
            assert!(keys.insert(spec.key), "{} comes twice", spec.key);
            assert_eq!(Setting::find(spec.key), Some(spec.setting));
            assert!(spec.doc.ends_with('.'), "{}", spec.key);
        }
    }

    #[test]
    fn variables_follow_the_keys() {
        assert_eq!(
            Setting::DefaultPageSize.variable().unwrap(),
            "CHRONOSCOPE_QUERY_DEFAULT_PAGE_SIZE"
        );
        assert_eq!(Setting::BasePath.variable().unwrap(), "CHRONOSCOPE_STORE");
        assert_eq!(Setting::EventTypes.variable(), None);
    }
}
