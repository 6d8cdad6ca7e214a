//! The state of an issue on one screen: status, phases, agents, what is open, what went wrong.

use crate::fold::State;
use crate::model::time::human_duration;
use crate::model::{Path, Position, Timestamp, Value};
use crate::session::Session;

use super::context::Context;
use super::failure::Outcome;
use super::output::{Paint, Role, Table, escape};

/// How many agents are listed before the rest is only counted.
const AGENTS: usize = 20;

/// Prints the summary of the state at `at`.
pub(crate) fn print(
    context: &mut Context,
    session: &mut Session,
    at: Position,
    state: &State,
) -> Outcome {
    let paint = context.out.paint;
    let summary = text(state, &["orchestration", "summary"]);
    let title =
        format!("{} {}", context.out.paint(Role::Name, session.issue_key()), escape(summary));
    context.out.line(title.trim_end())?;
    let mut table = Table::new("  ");
    table.row([(Some(Role::Dim), "status"), (None, &status_line(state))]);
    table.row([(Some(Role::Dim), "at"), (None, &place(session, at))]);
    if let Some(span) = span(session, state, at) {
        table.row([(Some(Role::Dim), "span"), (None, &span)]);
    }
    for (label, line) in counted(state) {
        table.row([(Some(Role::Dim), label), (None, &line)]);
    }
    let anomalies = session.timeline().anomalies().iter().filter(|a| a.position <= at).count();
    if anomalies > 0 {
        let line = format!("{anomalies} (listed by --json)");
        table.row([(Some(Role::Dim), "anomalies"), (Some(Role::Warned), &line)]);
    }
    context.out.table(&table)?;
    things(context, state, "phases", usize::MAX, paint)?;
    things(context, state, "agents", AGENTS, paint)?;
    Ok(())
}

fn text<'a>(state: &'a State, keys: &[&'static str]) -> &'a str {
    state.at(&Path::of(keys.iter().copied())).and_then(Value::as_str).unwrap_or_default()
}

fn status_line(state: &State) -> String {
    let status = text(state, &["orchestration", "status"]);
    let phase = text(state, &["orchestration", "current_phase"]);
    match (status, phase) {
        ("", "") => "not started".to_owned(),
        ("", other) | (other, "") => other.to_owned(),
        (status, phase) => format!("{status} · {phase}"),
    }
}

fn place(session: &Session, at: Position) -> String {
    let head = session.head();
    match session.timeline().row(at) {
        Some(row) => format!("#{at} of {head}, {}", row.at),
        None => format!("#0 of {head}, before the first event"),
    }
}

/// From the first event to this one.
fn span(session: &Session, state: &State, at: Position) -> Option<String> {
    let first = session.timeline().row(1)?.clock;
    let last = session.timeline().row(at)?.clock;
    let passed = human_duration(last.millis() - first.millis());
    let cost = state.at(&Path::of(["usage", "cost_usd"])).and_then(Value::as_f64);
    let cost = cost.map_or_else(String::new, |usd| format!(", ${usd:.2}"));
    Some(format!("{passed}, since {first}{cost}"))
}

/// What there is of other things, by status.
fn counted(state: &State) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    for kind in ["tasks", "gaps", "errors", "approvals", "checkpoints", "sessions"] {
        let Some(things) = state.root().get(kind).and_then(Value::as_map) else { continue };
        let mut counts: Vec<(&str, usize)> = Vec::new();
        for (_, thing) in things {
            let status = thing.get("status").and_then(Value::as_str).unwrap_or_default();
            match counts.iter_mut().find(|(known, _)| *known == status) {
                Some((_, count)) => *count += 1,
                None => counts.push((status, 1)),
            }
        }
        let words = |(status, count): &(&str, usize)| match *status {
            "" => count.to_string(),
            status => format!("{count} {status}"),
        };
        let line = counts.iter().map(words).collect::<Vec<_>>().join(", ");
        if !line.is_empty() {
            lines.push((kind, line));
        }
    }
    lines
}

/// A list of things with their status: phases, agents.
fn things(
    context: &mut Context,
    state: &State,
    kind: &'static str,
    most: usize,
    paint: Paint,
) -> Outcome {
    let Some(things) = state.root().get(kind).and_then(Value::as_map) else { return Ok(()) };
    let mut order: Vec<(&str, &Value)> = things.iter().map(|(k, v)| (k.as_str(), v)).collect();
    // What is under way comes first, and within that what began first.
    order.sort_by_key(|(_, thing)| (rank(thing), began(thing)));
    context.out.line("")?;
    context.out.line(format!("  {}", paint.of(Role::Strong, kind)))?;
    let mut table = Table::new("    ");
    for (name, thing) in order.iter().take(most) {
        let status = thing.get("status").and_then(Value::as_str).unwrap_or("unknown");
        let (role, glyph) = mark(status, paint);
        let more = note(thing);
        table.row([
            (Some(role), glyph),
            (None, name),
            (Some(role), status),
            (Some(Role::Dim), &more),
        ]);
    }
    context.out.table(&table)?;
    if order.len() > most {
        let more = format!("    … {} more", order.len() - most);
        context.out.line(paint.of(Role::Dim, &more))?;
    }
    Ok(())
}

fn rank(thing: &Value) -> u8 {
    match thing.get("status").and_then(Value::as_str) {
        Some("running" | "in_progress" | "retrying") => 0,
        Some("blocked") => 1,
        Some("failed") => 2,
        _ => 3,
    }
}

fn began(thing: &Value) -> &str {
    ["started_at", "spawned_at"].iter().find_map(|key| thing.get(key)?.as_str()).unwrap_or_default()
}

/// What a thing is about, and how long it took or why it ended.
fn note(thing: &Value) -> String {
    let reason = |key: &str| thing.get(key).and_then(|f| f.get("reason")).and_then(Value::as_str);
    let said = reason("failure")
        .or_else(|| reason("blocked"))
        .or_else(|| ["task", "objective", "note"].iter().find_map(|key| thing.get(key)?.as_str()));
    let time = |key: &str| Timestamp::parse(thing.get(key)?.as_str()?).ok();
    let end = time("ended_at").or_else(|| time("completed_at"));
    let took = match (time("spawned_at").or_else(|| time("started_at")), end) {
        (Some(from), Some(to)) => human_duration(to.millis() - from.millis()),
        _ => String::new(),
    };
    match (took.as_str(), said.unwrap_or_default()) {
        ("", said) => said.to_owned(),
        (took, "") => took.to_owned(),
        (took, said) => format!("{took} · {said}"),
    }
}

/// The glyph and role of a status.
pub(crate) fn mark(status: &str, paint: Paint) -> (Role, &'static str) {
    match status {
        "running" | "in_progress" | "retrying" | "active" => (Role::Running, paint.glyph("▶", ">")),
        "completed" | "resolved" | "merged" | "ended" | "passed" => {
            (Role::Done, paint.glyph("✓", "+"))
        }
        "failed" | "error" => (Role::Failed, paint.glyph("✗", "x")),
        "blocked" | "paused" | "escalated" => (Role::Warned, paint.glyph("▲", "!")),
        _ => (Role::Dim, paint.glyph("·", ".")),
    }
}
