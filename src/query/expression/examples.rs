//! Twenty expressions for people to begin with: the README shows them, a test runs them.
//!
//! Lives here: [`EXAMPLES`]. May not live here: anything else.

/// An expression and what it is for.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// The expression.
    pub text: &'static str,
    /// What it finds, in words.
    pub finds: &'static str,
    /// Whether it holds in the scene that the tests play: the agent `coder` fails at position 42.
    pub holds: bool,
}

const fn e(text: &'static str, finds: &'static str, holds: bool) -> Example {
    Example { text, finds, holds }
}

/// The examples, the simple ones first.
pub const EXAMPLES: &[Example] = &[
    e(r#".event_type == "AgentFailed""#, "agents that failed", true),
    e(r#".event_type | endswith("Failed")"#, "anything that failed", true),
    e(r#".event_type | startswith("Phase")"#, "all about phases", false),
    e(r#".metadata.agent_name == "coder""#, "all that names one agent", true),
    e(r#".actor.type == "user""#, "what people did", false),
    e(
        r#".metadata.failure_reason | test("typeerror"; "i")"#,
        "reasons by a regular expression",
        true,
    ),
    e(".metadata.error_details.line > 10", "numbers inside the metadata", true),
    e(r#".metadata | has("retry_scheduled")"#, "events with a field", true),
    e(r#"[.. | strings?] | any(contains("src/auth"))"#, "a text anywhere in the event", true),
    e(r#".timestamp >= "2026-11-22T14:00""#, "from a time on", true),
    e(
        r#".event_type == "AgentFailed" and (.metadata.retry_scheduled | not)"#,
        "failures that nobody retries",
        false,
    ),
    e(r#"$state.orchestration.status == "failed""#, "where the orchestration turns failed", false),
    e(r#"$state.agents.coder.status == "failed""#, "where one agent turns failed", true),
    e(
        r#"[$state.agents[]? | select(.status == "running")] | length > 1"#,
        "where more than one agent runs",
        false,
    ),
    e(
        r#"any($state.gaps[]?; .severity == "high" and .status == "open")"#,
        "where a grave gap is open",
        true,
    ),
    e("$state.usage.cost_usd > 1", "where the cost passes a dollar", true),
    e(
        r#"$state.orchestration.current_phase != $before.orchestration.current_phase"#,
        "where the phase changes",
        false,
    ),
    e(
        r#"$before.agents.coder.status == "running" and $state.agents.coder.status != "running""#,
        "where an agent stops running",
        true,
    ),
    e(
        r#"$state.agents[.metadata.agent_name // ""].runs > 1"#,
        "events of agents that were started again",
        true,
    ),
    e(
        r#"[$state.tasks[]? | .status] | group_by(.) | map(length) | max > 1"#,
        "where two tasks have one status",
        false,
    ),
    e(
        r#".metadata.agent_name as $name | $state.agents[$name // ""].model == "sonnet""#,
        "events of agents on one model",
        true,
    ),
];
