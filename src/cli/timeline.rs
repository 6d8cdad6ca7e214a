//! `timeline`: the events around a moment.

use clap::Args;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::fold::State;
use crate::model::{Moment, Path, Position, Value};
use crate::session::Session;

use super::context::{Context, position};
use super::failure::Outcome;
use super::output::{Format, Paint, Role, Table};
use super::reference::EventRef;

/// How many events are shown on each side where nobody says.
const WINDOW: Position = 10;

/// The flags of `timeline`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  chronoscope timeline PROJ-123\n  chronoscope timeline PROJ-123 --around AgentFailed\n  chronoscope timeline PROJ-123 --around 14:00 --window 15m\n  chronoscope timeline PROJ-123 --window 1000 --jsonl"
)]
pub(crate) struct Flags {
    /// The issue
    pub issue: String,
    /// The moment in the middle; the issue's end if not given
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true)]
    pub around: Option<String>,
    /// How many events on each side, or how much time
    #[arg(long, value_name = "N|TIME")]
    pub window: Option<String>,
}

#[derive(Debug, Serialize)]
struct Answer {
    position: Position,
    head: Position,
    events: Vec<EventRef>,
    state_summary: Summary,
}

/// The state at the moment, in the words of the original's time-travel query.
#[derive(Debug, Serialize)]
struct Summary {
    status: Option<String>,
    current_phase: Option<String>,
    active_agents: Vec<String>,
    completed_phases: Vec<String>,
    pending_tasks: Vec<String>,
}

pub(crate) fn run(context: &mut Context, flags: &Flags) -> Outcome {
    let mut session = context.session(&flags.issue)?;
    let at = position(&mut session, flags.around.as_deref(), &Moment::End)?;
    let range = window(&session, at, flags.window.as_deref())?;
    print(context, &mut session, at, range)
}

/// The positions to show: the first and the one after the last.
fn window(
    session: &Session,
    at: Position,
    given: Option<&str>,
) -> Result<std::ops::Range<Position>> {
    let head = session.head();
    let by_count = |n: Position| at.saturating_sub(n).max(1)..at.saturating_add(n).min(head) + 1;
    let Some(text) = given else { return Ok(by_count(WINDOW)) };
    if let Ok(count) = text.parse() {
        return Ok(by_count(count));
    }
    let span = humantime::parse_duration(text).map_err(|_| {
        Error::usage(format!("--window {text:?} is neither a number of events nor a time"))
            .with_hint("as in 20 or 15m")
    })?;
    let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    let Some(row) = session.timeline().row(at.max(1)) else { return Ok(1..1) };
    let from = session.timeline().first_at_or_after(row.clock.plus_millis(span.saturating_neg()));
    let after = session.timeline().first_at_or_after(row.clock.plus_millis(span.saturating_add(1)));
    Ok(from.max(1)..after.min(head + 1))
}

/// Prints some events with the one at `at` marked, and what was true there.
pub(crate) fn print(
    context: &mut Context,
    session: &mut Session,
    at: Position,
    range: std::ops::Range<Position>,
) -> Outcome {
    let events: Vec<EventRef> = session.events(range)?.iter().map(EventRef::of).collect();
    let summary = summarise(&session.state_at(at)?);
    match context.out.format {
        Format::Text => as_text(context, session, at, &events, &summary),
        Format::Jsonl => Ok(events.iter().try_for_each(|event| context.out.json(event))?),
        Format::Json => {
            let head = session.head();
            Ok(context.out.json(&Answer { position: at, head, events, state_summary: summary })?)
        }
    }
}

fn summarise(state: &State) -> Summary {
    let text =
        |key: &'static str| Some(state.at(&Path::of(["orchestration", key]))?.as_str()?.to_owned());
    let named = |kind: &str, wanted: &[&str]| -> Vec<String> {
        let things = state.root().get(kind).and_then(Value::as_map);
        let is = |thing: &Value| {
            thing.get("status").and_then(Value::as_str).is_some_and(|s| wanted.contains(&s))
        };
        let matching = things.into_iter().flatten().filter(|(_, thing)| is(thing));
        matching.map(|(name, _)| name.to_string()).collect()
    };
    Summary {
        status: text("status"),
        current_phase: text("current_phase"),
        active_agents: named("agents", &["running", "blocked"]),
        completed_phases: named("phases", &["completed"]),
        pending_tasks: named("tasks", &["open"]),
    }
}

fn as_text(
    context: &mut Context,
    session: &Session,
    at: Position,
    events: &[EventRef],
    summary: &Summary,
) -> Outcome {
    let paint = context.out.paint;
    heading(context, session, at, summary)?;
    let mut table = Table::new("");
    let mut day = String::new();
    let mut lines = Vec::new();
    let digits = events.last().map_or(1, |event| event.position.to_string().len());
    for event in events {
        if event.timestamp.date() != day {
            day = event.timestamp.date();
            lines.push(Some(day.clone()));
        }
        lines.push(None);
        row(&mut table, event, event.position == at, digits, paint);
    }
    let mut rows = table.lines(paint, context.out.columns).into_iter();
    for line in lines {
        match line {
            Some(day) => context.out.line(paint.of(Role::Dim, &format!("    {day}")))?,
            None => context.out.line(rows.next().unwrap_or_default())?,
        }
    }
    Ok(())
}

fn heading(context: &mut Context, session: &Session, at: Position, summary: &Summary) -> Outcome {
    let mut line = context.out.paint(Role::Name, session.issue_key());
    line += &format!("  #{at} of {}", session.head());
    let mut say = |role: Role, text: Option<&String>| {
        if let Some(text) = text {
            line += &format!("  {}", context.out.paint(role, text));
        }
    };
    say(Role::Strong, summary.status.as_ref());
    say(Role::Phase, summary.current_phase.as_ref());
    context.out.line(line)?;
    if !summary.active_agents.is_empty() {
        let label = context.out.paint(Role::Dim, "active:");
        let agents = context.out.paint(Role::Running, &summary.active_agents.join(", "));
        context.out.line(format!("  {label} {agents}"))?;
    }
    Ok(context.out.line("")?)
}

/// One event as a row: mark, position, time, glyph, type, actor, summary.
fn row(table: &mut Table, event: &EventRef, here: bool, digits: usize, paint: Paint) {
    let (role, glyph) = event.glyph(paint);
    let mark = if here { paint.glyph("→", "=>") } else { "" };
    let strong = if here { Some(Role::Strong) } else { None };
    table.row([
        (Some(Role::Changed), mark),
        (Some(Role::Dim), &format!("{:>digits$}", event.position)),
        (Some(Role::Dim), &event.timestamp.time_of_day()),
        (Some(role), glyph),
        (strong, &event.event_type),
        (Some(Role::Name), event.actor_id()),
        (strong, &event.summary),
    ]);
}
