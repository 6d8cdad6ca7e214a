//! `find`: where an expression over events and states holds.

use clap::Args;
use serde::Serialize;

use crate::error::Result;
use crate::model::{Moment, Position, Value};
use crate::query::expression::{Expression, faults_told};
use crate::session::Session;
use crate::session::find::{Direction, Finder, Match, Step};

use super::context::{Context, first_position, position};
use super::failure::{Outcome, note};
use super::output::{Format, Role, Table, cut};
use super::reference::EventRef;

/// How much of what an expression gave is shown to people.
const VALUE_COLUMNS: usize = 40;

/// The flags of `find`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  chronoscope find PROJ-123 '$state.agents.tester.status == \"failed\"'\n  chronoscope find PROJ-123 '.metadata.retry_count > 2' --first\n  chronoscope find PROJ-123 '$state.usage.cost_usd > 5' --json\n\nThe language is jq's. The event is the input, $state what is true after it, $before what was true\nbefore it. What looks at the event alone matches every event for which it holds; what looks at the\nstate matches where it turns true. Any output but false and null is a match."
)]
pub(crate) struct Flags {
    /// The issue
    pub issue: String,
    /// The expression
    #[arg(allow_hyphen_values = true)]
    pub expression: String,
    /// Only the first match
    #[arg(long, conflicts_with_all = ["last", "all"])]
    pub first: bool,
    /// Only the last match
    #[arg(long, conflicts_with = "all")]
    pub last: bool,
    /// All matches, which is what is printed where nothing is said
    #[arg(long)]
    pub all: bool,
    /// From this moment on
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true)]
    pub since: Option<String>,
    /// Up to this moment
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true)]
    pub until: Option<String>,
}

/// A match as it is printed.
#[derive(Debug, Serialize)]
struct Found {
    #[serde(flatten)]
    event: EventRef,
    value: Value,
}

/// The answer, in the order of the printed keys.
#[derive(Debug, Serialize)]
struct Answer {
    matches: Vec<Found>,
    scanned: u64,
}

pub(crate) fn run(context: &mut Context, flags: &Flags) -> Outcome {
    let expression = Expression::parse(&flags.expression)?;
    let mut session = context.session(&flags.issue)?;
    let first = first_position(&mut session, flags.since.as_deref())?;
    let last = position(&mut session, flags.until.as_deref(), &Moment::End)?;
    let direction = if flags.last { Direction::Backward } else { Direction::Forward };
    let mut finder = Finder::new(&session, expression, (first, last), direction);
    let most = if flags.first || flags.last { 1 } else { usize::MAX };
    match context.out.format {
        Format::Json => {
            let mut matches = Vec::new();
            each(&mut session, &mut finder, most, |session, found| {
                matches.push(shown(session, found)?);
                Ok(())
            })?;
            context.out.json(&Answer { matches, scanned: finder.judged() })?;
        }
        Format::Jsonl => each(&mut session, &mut finder, most, |session, found| {
            let found = shown(session, found)?;
            Ok(context.out.json(&found)?)
        })?,
        Format::Text => as_text(context, &mut session, &mut finder, most)?,
    }
    tell_faults(context, &finder)
}

/// Gives each match, but no more than so many.
fn each(
    session: &mut Session,
    finder: &mut Finder,
    most: usize,
    mut f: impl FnMut(&mut Session, Match) -> Outcome,
) -> Outcome {
    let mut given = 0;
    while given < most {
        match finder.step(session, || false)? {
            Step::Match(found) => f(session, found)?,
            Step::Going => continue,
            Step::Done => break,
        }
        given += 1;
    }
    Ok(())
}

fn shown(session: &mut Session, found: Match) -> Result<Found> {
    Ok(Found { event: EventRef::at(session, found.position)?, value: found.value })
}

fn as_text(
    context: &mut Context,
    session: &mut Session,
    finder: &mut Finder,
    most: usize,
) -> Outcome {
    let paint = context.out.paint;
    let mut table = Table::new("");
    let mut count: Position = 0;
    each(session, finder, most, |session, found| {
        let Found { event, value } = shown(session, found)?;
        let (role, glyph) = event.glyph(paint);
        let time = event.timestamp.to_string();
        // That it holds is what was asked for; anything else says more.
        let value = match value {
            Value::Bool(true) => String::new(),
            value => cut(&super::diff::shown(&value), VALUE_COLUMNS),
        };
        count += 1;
        table.row([
            (Some(Role::Dim), &format!("#{}", event.position)),
            (Some(Role::Dim), time.get(..19).unwrap_or(&time)),
            (Some(role), glyph),
            (None, &event.event_type),
            (Some(Role::Name), event.actor_id()),
            (Some(Role::Changed), &value),
            (None, &event.summary),
        ]);
        Ok(())
    })?;
    context.out.table(&table)?;
    if count == 0 {
        context.out.flush()?;
        note(&format!("no match among {} positions that were judged", finder.judged()), paint);
    }
    Ok(())
}

fn tell_faults(context: &mut Context, finder: &Finder) -> Outcome {
    if let Some((count, position, fault)) = finder.faults() {
        let text = faults_told(count, &format!("#{position}"), fault);
        context.out.flush()?;
        note(&text, context.out.paint);
    }
    Ok(())
}
