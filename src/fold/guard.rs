//! Guards: what must be true before an event for it to make sense.
//!
//! Lives here: one check per guard of the catalogue. May not live here: which type has which guard
//! (a column of the catalogue), or what happens when one is broken.

use super::state::State;
use super::writer::natural_key;
use super::{recovery, tool};
use crate::model::catalogue::Guard;
use crate::model::{Event, Key, Path, Value};

/// Whether `guard` holds in `state` for `event`.
///
/// # Errors
/// The reason why not, in words that name the thing.
pub fn holds(guard: Guard, state: &State, event: &Event) -> Result<(), String> {
    match guard {
        Guard::Always => Ok(()),
        Guard::AgentRunning => agent(state, event, &["running", "blocked"], "not running"),
        Guard::AgentBlocked => agent(state, event, &["blocked"], "not blocked"),
        Guard::PhaseStarted => {
            let name = key(event, "phase")?;
            let open = &["in_progress", "retrying"];
            status(state, &["phases", &name], open, ("phase", &name, "was never started"))
        }
        Guard::GapOpen => gap(state, event, &["open", "escalated"]),
        Guard::GapResolved => gap(state, event, &["resolved"]),
        Guard::PrOpen => {
            let number = key(event, "pr_number")?;
            let subject = ("pull request", &number, "was never created");
            status(state, &["git", "prs", &number], &["open"], subject)
        }
        Guard::CheckStarted => run(state, event, "check_type", "checks", "check"),
        Guard::TestStarted => run(state, event, "test_suite", "tests", "test suite"),
        Guard::ToolRunning => tool_running(state, event),
        Guard::RecoveryAttempted => {
            let name = recovery::error_key(event, state.root())
                .ok_or("it does not say what it recovers from")?;
            let subject = ("error", &name, "is not known and no recovery was attempted");
            status(state, &["errors", &name], &["recovering"], subject)
        }
        Guard::CheckpointKnown => checkpoint(state, event),
        Guard::OrchestrationPaused => orchestration(state, &["paused"]),
        Guard::OrchestrationRunning => orchestration(state, &["in_progress", "paused"]),
        Guard::ApprovalPending => {
            let id = key(event, "approval_id")?;
            let subject = ("approval", &id, "was never asked for");
            status(state, &["approvals", &id], &["pending"], subject)
        }
        Guard::TaskOpen => {
            let id = key(event, "task_id")?;
            status(state, &["tasks", &id], &["open"], ("task", &id, "was never created"))
        }
    }
}

/// What `guard` looks at for `event`, in whatever state: nothing else, but for indexes under
/// `/counters`, decides whether it holds. None where it always does, or the event does not say what it
/// is about.
pub fn subject(guard: Guard, event: &Event) -> Option<Path> {
    let of = |collection: &[&'static str], key: Option<Key>| {
        let keys = collection.iter().map(|member| Key::new_static(member));
        Some(keys.chain([key?]).collect())
    };
    let field = |field: &str| natural_key(event, field);
    let whole = |collection| Some(vec![Key::new_static(collection)]);
    match guard {
        Guard::Always => None,
        Guard::AgentRunning | Guard::AgentBlocked => {
            of(&["agents"], field("agent_name").or_else(|| event.agent().cloned()))
        }
        Guard::PhaseStarted => of(&["phases"], field("phase")),
        Guard::GapOpen | Guard::GapResolved => of(&["gaps"], field("gap_id")),
        Guard::PrOpen => of(&["git", "prs"], field("pr_number")),
        Guard::CheckStarted => of(&["quality", "checks"], field("check_type")),
        Guard::TestStarted => of(&["quality", "tests"], field("test_suite")),
        // Without a name, whichever tool has the call open.
        Guard::ToolRunning => of(&["tools"], field("tool_name")).or_else(|| whole("tools")),
        // Which error it is depends on which there are.
        Guard::RecoveryAttempted => whole("errors"),
        Guard::CheckpointKnown => of(&["checkpoints"], field("checkpoint_id")),
        Guard::OrchestrationPaused | Guard::OrchestrationRunning => {
            of(&["orchestration"], Some(Key::new_static("status")))
        }
        Guard::ApprovalPending => of(&["approvals"], field("approval_id")),
        Guard::TaskOpen => of(&["tasks"], field("task_id")),
    }
    .map(|keys: Vec<Key>| Path::of(keys))
}

fn key(event: &Event, field: &str) -> Result<Key, String> {
    natural_key(event, field).ok_or_else(|| format!("it has no metadata.{field}"))
}

fn text<'s>(state: &'s State, keys: &[&str], field: &str) -> Option<&'s str> {
    state.look(keys)?.get(field)?.as_str()
}

/// Whether the thing at `keys` has one of these states; else its kind, its name and what to say
/// when there is no such thing make up the reason.
fn status(
    state: &State,
    keys: &[&str],
    wanted: &[&str],
    (kind, name, absent): (&str, &Key, &str),
) -> Result<(), String> {
    match text(state, keys, "status") {
        Some(status) if wanted.contains(&status) => Ok(()),
        Some(status) => Err(format!("{kind} {name} is {}", status.replace('_', " "))),
        None => Err(format!("{kind} {name} {absent}")),
    }
}

fn agent(state: &State, event: &Event, wanted: &[&str], not: &str) -> Result<(), String> {
    let name = natural_key(event, "agent_name")
        .or_else(|| event.agent().cloned())
        .ok_or("it has no metadata.agent_name")?;
    match text(state, &["agents", &name], "status") {
        Some(status) if wanted.contains(&status) => Ok(()),
        Some(status) => Err(format!("agent {name} is {not}: it is {}", status.replace('_', " "))),
        None => Err(format!("agent {name} was never spawned")),
    }
}

fn gap(state: &State, event: &Event, wanted: &[&str]) -> Result<(), String> {
    let id = key(event, "gap_id")?;
    status(state, &["gaps", &id], wanted, ("gap", &id, "was never identified"))
}

fn run(state: &State, event: &Event, field: &str, part: &str, kind: &str) -> Result<(), String> {
    let name = key(event, field)?;
    match text(state, &["quality", part, &name], "status") {
        Some("running") => Ok(()),
        Some(status) => Err(format!("{kind} {name} is not running: it ended before ({status})")),
        None => Err(format!("{kind} {name} was never started")),
    }
}

fn tool_running(state: &State, event: &Event) -> Result<(), String> {
    let tools = state.root().get("tools").and_then(Value::as_map);
    let (call, open) =
        tool::ending(event, tools).ok_or("it has no metadata.tool_name, and no open call fits")?;
    match (open, call.id) {
        (Some(_), _) => Ok(()),
        (None, Some(id)) => Err(format!("no call {id} of tool {} is running", call.tool)),
        (None, None) => Err(format!("no call of tool {} is running", call.tool)),
    }
}

fn checkpoint(state: &State, event: &Event) -> Result<(), String> {
    let id = key(event, "checkpoint_id")?;
    if text(state, &["checkpoints", &id], "created_at").is_none() {
        return Err(format!("checkpoint {id} was never created"));
    }
    match state.look(&["checkpoints", &id, "saved"]) {
        Some(_) => Ok(()),
        None => Err(format!(
            "checkpoint {id} is too old to be restored: only the last {} keep what they saved",
            super::checkpoint::KEPT
        )),
    }
}

fn orchestration(state: &State, wanted: &[&str]) -> Result<(), String> {
    match text(state, &["orchestration"], "status") {
        Some(status) if wanted.contains(&status) => Ok(()),
        Some(status) => Err(format!("the orchestration is {}", status.replace('_', " "))),
        None => Err("the orchestration was never started".into()),
    }
}
