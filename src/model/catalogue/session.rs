//! The rows of the catalogue about runs of the orchestrator and its prompts.

use super::Type::Str;
use super::{COUNT, Guard, ReplayPolicy, Spec, Version, optional};
use crate::model::kind::{Category, Kind, Severity};

/// The rows, in the order of the kinds.
pub(super) const ROWS: &[Spec] = &[
    Spec {
        kind: Kind::SessionStarted,
        since: Version::V1_1,
        category: Category::Session,
        severity: Severity::Info,
        doc: "The orchestrator began a run.",
        fields: &[optional("source", Str), optional("working_directory", Str)],
        summary: "Session started ({source|unknown source})",
        effect: "/sessions/{session_id}: status, started_at, source",
        guard: Guard::Always,
        replay: ReplayPolicy::Record,
        example: r#"{"source":"startup","working_directory":"/srv/app"}"#,
    },
    Spec {
        kind: Kind::SessionEnded,
        since: Version::V1_1,
        category: Category::Session,
        severity: Severity::Info,
        doc: "The orchestrator ended a run.",
        fields: &[optional("reason", Str), optional("duration_seconds", COUNT)],
        summary: "Session ended ({reason|no reason given})",
        effect: "/sessions/{session_id}: status, ended_at, end_reason",
        guard: Guard::Always,
        replay: ReplayPolicy::Record,
        example: r#"{"reason":"exit","duration_seconds":1840}"#,
    },
    Spec {
        kind: Kind::PromptSubmitted,
        since: Version::V1_1,
        category: Category::Session,
        severity: Severity::Info,
        doc: "A person gave the orchestrator a prompt.",
        fields: &[optional("prompt", Str)],
        summary: "Prompt: {prompt|not recorded}",
        effect: "/sessions/{session_id}: prompts, last_prompt",
        guard: Guard::Always,
        replay: ReplayPolicy::Record,
        example: r#"{"prompt":"Implement PROJ-123"}"#,
    },
];
