//! `why`: every event that wrote a path, newest first, and what caused it.

use clap::Args;
use serde::Serialize;

use crate::error::Error;
use crate::model::{Moment, Path, Position, Value};
use crate::session::Session;

use super::context::{Context, position};
use super::failure::Outcome;
use super::output::{Format, Role, cut, escape};
use super::reference::EventRef;

/// How many writers are shown to people where nobody says.
const WRITERS: usize = 20;

/// How many causes of each are shown to people.
const CAUSES: usize = 5;
/// The most causes of a writer in JSON: a chain can be as long as the log, and `trace` follows it.
const MOST_CAUSES: usize = 100;

/// The flags of `why`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  chronoscope why PROJ-123 /agents/api-integ/status\n  chronoscope why PROJ-123 /orchestration/current_phase --at 14:00\n  chronoscope why PROJ-123 /gaps --json"
)]
pub(crate) struct Flags {
    /// The issue
    pub issue: String,
    /// The path, as a JSON pointer
    pub pointer: String,
    /// Up to this moment; the issue's end if not given
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true)]
    pub at: Option<String>,
    /// At most so many writers, the newest; 20 for people, else all
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
}

#[derive(Debug, Serialize)]
struct Answer {
    path: Path,
    value: Option<Value>,
    writers: Vec<Writer>,
}

/// An event that wrote the path.
#[derive(Debug, Serialize)]
struct Writer {
    #[serde(flatten)]
    event: EventRef,
    /// What the path held after it; none when it removed the path.
    value: Option<Value>,
    /// The chain of causes, nearest first; as much of it as is worth it.
    causes: Vec<EventRef>,
    /// How many come before those.
    #[serde(skip_serializing_if = "is_zero")]
    causes_left_out: usize,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

pub(crate) fn run(context: &mut Context, flags: &Flags) -> Outcome {
    let mut session = context.session(&flags.issue)?;
    print(context, &mut session, &flags.pointer, flags.at.as_deref(), flags.limit)
}

/// Prints who wrote the path at `pointer`.
pub(crate) fn print(
    context: &mut Context,
    session: &mut Session,
    pointer: &str,
    at: Option<&str>,
    limit: Option<usize>,
) -> Outcome {
    let path = super::state::path(pointer)?;
    let at = position(session, at, &Moment::End)?;
    let (mut positions, _) = session.writers_between(&path, (0, at), || false)?;
    if positions.is_empty() {
        let message = format!("nothing wrote {pointer} up to position {at}");
        let hint = format!("`chronoscope state {}` prints what there is", session.issue_key());
        return Err(Error::not_found(message).with_hint(hint).into());
    }
    let text = context.out.format == Format::Text;
    let most = limit.unwrap_or(if text { WRITERS } else { usize::MAX });
    let all = positions.len();
    positions.drain(..all.saturating_sub(most));
    let mut writers = Vec::with_capacity(positions.len());
    for position in positions.into_iter().rev() {
        let causes = if text { CAUSES } else { MOST_CAUSES };
        writers.push(writer(session, &path, position, causes)?);
    }
    let value = session.value_at(&path, at)?;
    match context.out.format {
        Format::Json => Ok(context.out.json(&Answer { path, value, writers })?),
        Format::Jsonl => Ok(writers.iter().try_for_each(|writer| context.out.json(writer))?),
        Format::Text => as_text(context, &Answer { path, value, writers }, all),
    }
}

/// The writer at `position`, with at most so many of its causes.
fn writer(
    session: &mut Session,
    path: &Path,
    position: Position,
    most: usize,
) -> Result<Writer, Error> {
    let value = session.value_at(path, position)?;
    let chain: Vec<_> = session.timeline().cause_chain(position).collect();
    let causes = chain.iter().take(most).map(|cause| EventRef::at(session, cause.position));
    let causes = causes.collect::<Result<_, _>>()?;
    let event = EventRef::at(session, position)?;
    Ok(Writer { event, value, causes, causes_left_out: chain.len().saturating_sub(most) })
}

fn as_text(context: &mut Context, answer: &Answer, all: usize) -> Outcome {
    let paint = context.out.paint;
    let columns = context.out.columns;
    let shown = |value: Option<&Value>| {
        value.map_or_else(|| "(nothing)".to_owned(), |v| escape(&super::diff::shown(v)))
    };
    let path = context.out.paint(Role::Name, &answer.path.to_string());
    let value = cut(&shown(answer.value.as_ref()), columns.saturating_sub(20).max(20));
    context.out.line(format!("{path} = {}\n", paint.of(Role::Strong, &value)))?;
    for writer in &answer.writers {
        let (role, glyph) = writer.event.glyph(paint);
        let place = format!("#{}  {}", writer.event.position, writer.event.timestamp);
        let head = format!(
            "{} {}  {}  {}",
            paint.of(role, glyph),
            paint.of(Role::Dim, &place),
            context.out.paint(Role::Strong, &writer.event.event_type),
            context.out.paint(Role::Name, writer.event.actor_id()),
        );
        context.out.line(head)?;
        let value = cut(&shown(writer.value.as_ref()), columns.saturating_sub(6));
        context.out.line(format!("    = {}", paint.of(Role::Changed, &value)))?;
        context.out.line(format!("    {}", cut(&escape(&writer.event.summary), columns - 4)))?;
        for cause in &writer.causes {
            let text = format!(
                "because of #{} {} ({}): {}",
                cause.position,
                cause.event_type,
                cause.actor_id(),
                cause.summary
            );
            let text = cut(&escape(&text), columns - 6);
            context.out.line(format!("      {}", paint.of(Role::Dim, &text)))?;
        }
        if writer.causes_left_out > 0 {
            let more = format!("      … and {} before that", writer.causes_left_out);
            context.out.line(paint.of(Role::Dim, &more))?;
        }
    }
    if all > answer.writers.len() {
        let more = format!("… {} earlier ones (--limit)", all - answer.writers.len());
        context.out.line(paint.of(Role::Dim, &more))?;
    }
    Ok(())
}
