//! The rows of the catalogue about gaps.

use super::Type::{Bool, Name, Obj, Phase, Str, StrList};
use super::{COUNT, Guard, ReplayPolicy, SEVERITY, Spec, Version, optional, required};
use crate::model::kind::{Category, Kind, Severity};

/// The rows, in the order of the kinds.
pub(super) const ROWS: &[Spec] = &[
    Spec {
        kind: Kind::GapIdentified,
        since: Version::V1_0,
        category: Category::Gap,
        severity: Severity::Warning,
        doc: "Something that is missing was found.",
        fields: &[
            required("gap_id", Name),
            required("gap_type", Name),
            required("severity", SEVERITY),
            required("phase", Phase),
            required("description", Str),
            optional("affected_modules", StrList),
            optional("impact", Str),
            optional("identified_by", Str),
            optional("recommended_actions", StrList),
            optional("estimated_effort", Str),
            optional("blocking", Bool),
        ],
        summary: "Gap {gap_id} ({severity}): {description}",
        effect: "/gaps/{gap_id}: status, type, severity, phase, description",
        guard: Guard::Always,
        replay: ReplayPolicy::Record,
        example: r#"{"gap_id":"gap-1","gap_type":"test_coverage","severity":"high","phase":"CODE","description":"Token refresh has no tests","affected_modules":["src/auth"],"impact":"Regressions go unseen","identified_by":"reviewer","recommended_actions":["add tests"],"estimated_effort":"2h","blocking":true}"#,
    },
    Spec {
        kind: Kind::GapResolved,
        since: Version::V1_0,
        category: Category::Gap,
        severity: Severity::Info,
        doc: "A gap was closed.",
        fields: &[
            required("gap_id", Name),
            required("resolution_strategy", Str),
            optional("resolved_by", Str),
            optional(
                "resolution_details",
                Obj(&[
                    optional("tests_added", COUNT),
                    optional("coverage_before", COUNT),
                    optional("coverage_after", COUNT),
                    optional("files_created", StrList),
                ]),
            ),
            optional(
                "verification",
                Obj(&[
                    optional("all_tests_passed", Bool),
                    optional("coverage_threshold_met", Bool),
                    optional("quality_gates_passed", Bool),
                ]),
            ),
            optional("time_to_resolve_seconds", COUNT),
        ],
        summary: "Gap {gap_id} resolved: {resolution_strategy}",
        effect: "/gaps/{gap_id}: status, resolution",
        guard: Guard::GapOpen,
        replay: ReplayPolicy::Record,
        example: r#"{"gap_id":"gap-1","resolution_strategy":"write the missing tests","resolved_by":"test-writer","resolution_details":{"tests_added":9,"coverage_before":62,"coverage_after":88,"files_created":["test/token.test.ts"]},"verification":{"all_tests_passed":true,"coverage_threshold_met":true,"quality_gates_passed":true},"time_to_resolve_seconds":640}"#,
    },
    Spec {
        kind: Kind::GapEscalated,
        since: Version::V1_0,
        category: Category::Gap,
        severity: Severity::Critical,
        doc: "A gap was handed to somebody with more say.",
        fields: &[
            required("gap_id", Name),
            optional("gap_type", Str),
            optional("severity", SEVERITY),
            required("escalation_reason", Str),
            required("escalated_to", Str),
            optional("escalation_channel", Str),
            optional(
                "vulnerability_details",
                Obj(&[
                    optional("type", Str),
                    optional("affected_endpoint", Str),
                    optional("cve_references", StrList),
                    optional("discovered_by", Str),
                ]),
            ),
            optional("work_paused", Bool),
            optional("blocking_deployment", Bool),
        ],
        summary: "Gap {gap_id} escalated to {escalated_to}: {escalation_reason}",
        effect: "/gaps/{gap_id}: status, escalation",
        guard: Guard::GapOpen,
        replay: ReplayPolicy::Record,
        example: r#"{"gap_id":"gap-1","gap_type":"test_coverage","severity":"high","escalation_reason":"Possible token leak","escalated_to":"security-team","escalation_channel":"slack","vulnerability_details":{"type":"information_disclosure","affected_endpoint":"/login","cve_references":["CVE-2026-0001"],"discovered_by":"security-auditor"},"work_paused":true,"blocking_deployment":true}"#,
    },
    Spec {
        kind: Kind::GapReopened,
        since: Version::V1_1,
        category: Category::Gap,
        severity: Severity::Warning,
        doc: "A gap that was closed is open again.",
        fields: &[required("gap_id", Name), required("reason", Str), optional("reopened_by", Str)],
        summary: "Gap {gap_id} reopened: {reason}",
        effect: "/gaps/{gap_id}: status, reopened, reopen_reason",
        guard: Guard::GapResolved,
        replay: ReplayPolicy::Record,
        example: r#"{"gap_id":"gap-1","reason":"The tests are flaky","reopened_by":"reviewer"}"#,
    },
];
