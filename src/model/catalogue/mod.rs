//! The catalogue: one row per type of event, from which everything that differs by type is made.
//!
//! Validation, JSON Schema, fold arms, category, severity, summary line, replay policy, links,
//! guards, the screen's colours and the documentation all read this table. Lives here: the shape
//! of a row and look-up. The rows stand in one file per area. May not live here: code that acts on
//! an event.

mod agent;
mod gap;
mod git;
mod links;
mod orchestration;
mod phase;
mod publishing;
mod quality;
mod recovery;
mod session;
mod summary;
mod usage;
mod work;

pub use links::{LINKS, LinkKey, LinkRule, Links, with_rules};
pub use summary::summary;

use super::kind::{Category, Kind, Severity};

/// The rows in the order of the kinds; [`spec`] finds one of them.
pub static CATALOGUE: [&Spec; Kind::CATALOGUED.len()] = in_order();

const AREAS: [&[Spec]; 11] = [
    orchestration::ROWS,
    session::ROWS,
    phase::ROWS,
    agent::ROWS,
    work::ROWS,
    gap::ROWS,
    git::ROWS,
    publishing::ROWS,
    quality::ROWS,
    recovery::ROWS,
    usage::ROWS,
];

/// The rows of all areas by kind. A kind without a row does not compile.
const fn in_order() -> [&'static Spec; Kind::CATALOGUED.len()] {
    let mut rows = [&AREAS[0][0]; Kind::CATALOGUED.len()];
    let mut area = 0;
    while area < AREAS.len() {
        let mut row = 0;
        while row < AREAS[area].len() {
            let spec = &AREAS[area][row];
            rows[spec.kind as usize] = spec;
            row += 1;
        }
        area += 1;
    }
    let mut at = 0;
    while at < rows.len() {
        assert!(rows[at].kind as usize == at, "a kind has no row in the catalogue");
        at += 1;
    }
    rows
}

/// The row of a kind; none for [`Kind::Unknown`] and [`Kind::Unreadable`].
#[must_use]
pub fn spec(kind: Kind) -> Option<&'static Spec> {
    CATALOGUE.get(kind as usize).copied()
}

/// How much a kind calls for attention; a line that cannot be read is an error.
#[must_use]
pub fn severity(kind: Kind) -> Severity {
    match spec(kind) {
        Some(spec) => spec.severity,
        None if kind == Kind::Unreadable => Severity::Error,
        None => Severity::Info,
    }
}

/// The area of a kind; that of types without a row is [`Category::Custom`].
#[must_use]
pub fn category(kind: Kind) -> Category {
    spec(kind).map_or(Category::Custom, |spec| spec.category)
}

/// One row: all that is particular to a type of event.
#[derive(Debug)]
pub struct Spec {
    /// The type.
    pub kind: Kind,
    /// The catalogue version that first had it.
    pub since: Version,
    /// Its area.
    pub category: Category,
    /// How much it calls for attention, unless the configuration says otherwise.
    pub severity: Severity,
    /// One sentence: what it says happened.
    pub doc: &'static str,
    /// The fields of its metadata; others are allowed and kept.
    pub fields: &'static [Field],
    /// The line for people: text with `{field}` and `{field|otherwise}`, where the other text may
    /// have fields too; dotted names reach into objects. Rendered by [`summary`].
    pub summary: &'static str,
    /// What it does to the state, in words: the paths that it writes.
    pub effect: &'static str,
    /// What must be true before it; checked by the fold, by what-if and by replay.
    pub guard: Guard,
    /// What a replay does with it.
    pub replay: ReplayPolicy,
    /// An example of its metadata, as JSON.
    pub example: &'static str,
}

/// A version of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// The original 36 types.
    V1_0,
    /// The 30 types that were added.
    V1_1,
}

impl Spec {
    /// The field of the metadata with this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Version {
    /// The newest.
    pub const CURRENT: Self = Self::V1_1;
    /// All of them, oldest first.
    pub const ALL: [Self; 2] = [Self::V1_0, Self::V1_1];

    /// Its semantic version; also the `event_version` of the types that came with it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1_0 => "1.0.0",
            Self::V1_1 => "1.1.0",
        }
    }

    /// The version with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.name() == name)
    }

    /// The version that a kind came with; the first for kinds that the catalogue does not have.
    #[must_use]
    pub fn since(kind: Kind) -> Self {
        spec(kind).map_or(Self::V1_0, |spec| spec.since)
    }
}

/// A field of the metadata.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// What it may hold.
    pub ty: Type,
    /// Whether an event without it is invalid.
    pub required: bool,
}

/// What a field may hold.
#[derive(Debug, Clone, Copy)]
pub enum Type {
    /// Any string.
    Str,
    /// A string that is not empty: an id or a name by which the state knows a thing.
    Name,
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// An integer.
    Int,
    /// An integer between these bounds, both included; `i64::MAX` stands for no upper bound.
    IntIn(i64, i64),
    /// A number.
    Num,
    /// `true` or `false`.
    Bool,
    /// Any JSON value.
    Any,
    /// A list of strings.
    StrList,
    /// A list of objects with these fields.
    ObjList(&'static [Field]),
    /// An object with these fields; others are allowed.
    Obj(&'static [Field]),
    /// An upper-case word: the name of a phase.
    Phase,
    /// A time in RFC 3339 with a zone.
    Time,
}

/// A count, a size or a length of time: an integer that is not negative.
pub(crate) const COUNT: Type = Type::IntIn(0, i64::MAX);

/// How bad a gap or an issue is.
pub(crate) const SEVERITY: Type = Type::OneOf(&["low", "medium", "high", "critical"]);

/// A field that every event of the type must have.
pub(crate) const fn required(name: &'static str, ty: Type) -> Field {
    Field { name, ty, required: true }
}

/// A field that an event of the type may have.
pub(crate) const fn optional(name: &'static str, ty: Type) -> Field {
    Field { name, ty, required: false }
}

crate::closed_list! {
    /// What must be true before an event for it to make sense.
    pub enum Guard {
        /// Nothing in particular.
        Always = "always",
        /// The agent has a run that is running or blocked.
        AgentRunning = "agent-running",
        /// The agent is blocked.
        AgentBlocked = "agent-blocked",
        /// The phase was started and has not ended.
        PhaseStarted = "phase-started",
        /// The gap is open or escalated.
        GapOpen = "gap-open",
        /// The gap is resolved.
        GapResolved = "gap-resolved",
        /// The pull request is open.
        PrOpen = "pr-open",
        /// A check of this type was started and has not ended.
        CheckStarted = "check-started",
        /// A run of this suite was started and has not ended.
        TestStarted = "test-started",
        /// A call of this tool is running.
        ToolRunning = "tool-running",
        /// A recovery was attempted and has not ended.
        RecoveryAttempted = "recovery-attempted",
        /// The checkpoint was created before.
        CheckpointKnown = "checkpoint-known",
        /// The orchestration is paused.
        OrchestrationPaused = "orchestration-paused",
        /// The orchestration runs (or is paused) and has not ended.
        OrchestrationRunning = "orchestration-running",
        /// The approval was asked for and is pending.
        ApprovalPending = "approval-pending",
        /// The task was created and is not completed.
        TaskOpen = "task-open",
    }
}

crate::closed_list! {
    /// What a replay does with an event of the type.
    pub enum ReplayPolicy {
        /// Runs the handler when there is one.
        Execute = "execute",
        /// A record of something that happened inside; nothing to execute.
        Record = "record",
        /// It acts upon the outside world and must not happen twice.
        NotRepeatable = "not-repeatable",
    }
}

#[cfg(test)]
mod tests {
    use super::super::Map;
    use super::*;

    #[test]
    fn every_kind_has_its_row() {
        assert_eq!(CATALOGUE.len(), 66);
        assert_eq!(AREAS.iter().map(|rows| rows.len()).sum::<usize>(), 66);
        for (kind, spec) in Kind::CATALOGUED.iter().zip(CATALOGUE) {
            assert_eq!(*kind, spec.kind);
        }
        assert!(CATALOGUE[..36].iter().all(|spec| spec.since == Version::V1_0));
        assert!(CATALOGUE[36..].iter().all(|spec| spec.since == Version::V1_1));
        assert!(spec(Kind::Unknown).is_none() && spec(Kind::Unreadable).is_none());
    }

    #[test]
    fn severities_follow_the_names() {
        for spec in CATALOGUE {
            let expected = match spec.kind {
                Kind::GapEscalated | Kind::RecoveryFailed | Kind::OrchestrationFailed => {
                    Severity::Critical
                }
                Kind::ErrorOccurred
                | Kind::BudgetExceeded
                | Kind::MergeConflictDetected
                | Kind::ApprovalRejected => Severity::Error,
                kind if kind.name().ends_with("Failed") => Severity::Error,
                _ => continue,
            };
            assert_eq!(spec.severity, expected, "{}", spec.kind);
        }
        assert_eq!(spec(Kind::PhaseSkipped).unwrap().severity, Severity::Warning);
        assert_eq!(spec(Kind::TestRunStarted).unwrap().severity, Severity::Info);
    }

    #[test]
    fn what_acts_upon_the_world_is_not_repeated() {
        let kinds = |policy| {
            CATALOGUE.iter().filter(|s| s.replay == policy).map(|s| s.kind).collect::<Vec<_>>()
        };
        assert_eq!(kinds(ReplayPolicy::NotRepeatable).len(), 9);
        assert!(kinds(ReplayPolicy::Record).contains(&Kind::AgentFailed));
        assert!(kinds(ReplayPolicy::Execute).contains(&Kind::TestRunStarted));
    }

    #[test]
    fn fields_are_named_once_and_summaries_speak_of_fields() {
        for spec in CATALOGUE {
            for (at, field) in spec.fields.iter().enumerate() {
                let before = &spec.fields[..at];
                assert!(
                    before.iter().all(|f| f.name != field.name),
                    "{}.{}",
                    spec.kind,
                    field.name
                );
            }
            // With all its fields an event leaves no place of its line open.
            let metadata: Map = serde_json::from_str(spec.example).unwrap();
            let line = summary(Some(spec), &metadata, spec.kind.name());
            assert!(!line.contains(['?', '{', '}']), "{}: {line}", spec.kind);
            assert!(!line.is_empty() && !spec.doc.is_empty() && !spec.effect.is_empty());
        }
    }
}
