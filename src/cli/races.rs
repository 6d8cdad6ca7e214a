//! `races`: pairs of concurrent events that wrote one path.

use clap::Args;
use serde::Serialize;

use crate::model::Path;
use crate::timeline::Order;

use super::context::Context;
use super::failure::Outcome;
use super::output::{Format, Role, Table};
use super::reference::EventRef;

/// The flags of `races`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  chronoscope races PROJ-123\n  chronoscope races PROJ-123 --json | jq '.races[].path'\n\nTwo events are concurrent when neither can have known of the other: neither order within an actor,\nnor causes, nor the spawning of agents lead from one to the other."
)]
pub(crate) struct Flags {
    /// The issue
    pub issue: String,
}

/// A race as it is printed.
#[derive(Debug, Serialize)]
struct Pair {
    path: Path,
    a: EventRef,
    b: EventRef,
}

/// The answer.
#[derive(Debug, Serialize)]
struct Answer {
    races: Vec<Pair>,
}

pub(crate) fn run(context: &mut Context, flags: &Flags) -> Outcome {
    let mut session = context.session(&flags.issue)?;
    let found = Order::new(session.timeline()).races(session.timeline());
    let mut races = Vec::with_capacity(found.len());
    for race in found {
        races.push(Pair {
            path: race.path,
            a: EventRef::at(&mut session, race.first)?,
            b: EventRef::at(&mut session, race.second)?,
        });
    }
    match context.out.format {
        Format::Json => Ok(context.out.json(&Answer { races })?),
        Format::Jsonl => Ok(races.iter().try_for_each(|pair| context.out.json(pair))?),
        Format::Text => as_text(context, &races),
    }
}

fn as_text(context: &mut Context, races: &[Pair]) -> Outcome {
    if races.is_empty() {
        return Ok(context.out.line("no two concurrent events wrote one path")?);
    }
    let mut table = Table::new("");
    for pair in races {
        let side = |event: &EventRef| {
            format!("#{} {} {}", event.position, event.event_type, event.actor_id())
        };
        table.row([
            (Some(Role::Name), &pair.path.to_string()),
            (None, side(&pair.a).as_str()),
            (Some(Role::Dim), "with"),
            (None, side(&pair.b).as_str()),
        ]);
    }
    Ok(context.out.table(&table)?)
}
