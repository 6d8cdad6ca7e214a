//! The rows of the catalogue about tokens and cost, and replays of the log.

use super::Type::{Bool, Name, Num, Str};
use super::{COUNT, Guard, ReplayPolicy, Spec, Version, optional, required};
use crate::model::kind::{Category, Kind, Severity};

/// The rows, in the order of the kinds.
pub(super) const ROWS: &[Spec] = &[
    Spec {
        kind: Kind::UsageRecorded,
        since: Version::V1_1,
        category: Category::Usage,
        severity: Severity::Info,
        doc: "Tokens and cost were counted.",
        fields: &[
            optional("agent_name", Str),
            optional("model", Str),
            optional("input_tokens", COUNT),
            optional("output_tokens", COUNT),
            optional("cache_tokens", COUNT),
            optional("cost_usd", Num),
        ],
        summary: "{model|unknown model}: {input_tokens|0} in, {output_tokens|0} out, ${cost_usd|?}",
        effect: "/usage: tokens, cost_usd, by_model",
        guard: Guard::Always,
        replay: ReplayPolicy::Record,
        example: r#"{"agent_name":"api-builder","model":"sonnet","input_tokens":12000,"output_tokens":3400,"cache_tokens":8000,"cost_usd":0.087}"#,
    },
    Spec {
        kind: Kind::BudgetExceeded,
        since: Version::V1_1,
        category: Category::Usage,
        severity: Severity::Error,
        doc: "More was spent than allowed.",
        fields: &[
            optional("budget", Str),
            required("limit", Num),
            required("actual", Num),
            optional("unit", Str),
        ],
        summary: "Budget {budget|limit} exceeded: {actual} of {limit} {unit|}",
        effect: "/usage/budget: limit, actual, exceeded_at",
        guard: Guard::Always,
        replay: ReplayPolicy::Record,
        example: r#"{"budget":"issue","limit":5.0,"actual":5.42,"unit":"usd"}"#,
    },
    Spec {
        kind: Kind::ReplayStarted,
        since: Version::V1_1,
        category: Category::Replay,
        severity: Severity::Info,
        doc: "A replay of the log began.",
        fields: &[
            required("replay_id", Name),
            optional("from", COUNT),
            optional("to", COUNT),
            optional("dry_run", Bool),
            optional("event_count", COUNT),
        ],
        summary: "Replay {replay_id} of {from|start} to {to|end} started",
        effect: "/orchestration/replay: the latest replay",
        guard: Guard::Always,
        replay: ReplayPolicy::Execute,
        example: r#"{"replay_id":"replay-1","from":1,"to":57,"dry_run":true,"event_count":57}"#,
    },
    Spec {
        kind: Kind::ReplayCompleted,
        since: Version::V1_1,
        category: Category::Replay,
        severity: Severity::Info,
        doc: "A replay of the log ended.",
        fields: &[
            required("replay_id", Name),
            optional("from", COUNT),
            optional("to", COUNT),
            optional("dry_run", Bool),
            optional("replayed_count", COUNT),
            optional("skipped_count", COUNT),
            optional("failed_count", COUNT),
            optional("success_rate", Num),
        ],
        summary: "Replay {replay_id}: {replayed_count|?} replayed, {skipped_count|?} skipped, {failed_count|?} failed",
        effect: "/orchestration/replay: the latest replay",
        guard: Guard::Always,
        replay: ReplayPolicy::Execute,
        example: r#"{"replay_id":"replay-1","from":1,"to":57,"dry_run":true,"replayed_count":40,"skipped_count":17,"failed_count":0,"success_rate":1.0}"#,
    },
];
