//! No command: the screen; without a terminal the summary, and a word on how to open it.

use std::io::IsTerminal;

use clap::Args;
use serde::Serialize;

use crate::error::Error;
use crate::model::{Moment, Timestamp};
use crate::session::browse::{IssueCard, card};
use crate::store::EventStore;

use super::context::{Context, position};
use super::failure::Outcome;
use super::output::{Format, Role, Table};
use super::screen::{Start, View};
use super::{screen, state, summary};

/// What to open.
#[derive(Debug, Default, Args)]
pub(crate) struct Flags {
    /// The issue to debug; all issues if not given
    #[arg(value_name = "ISSUE")]
    pub issue: Option<String>,
    /// Where to stand at first
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true, requires = "issue")]
    pub at: Option<String>,
    /// Follow the head
    #[arg(long, requires = "issue", conflicts_with = "at")]
    pub follow: bool,
    /// Open this view, as `y v` on the screen copies it
    #[arg(long, value_name = "VIEW", requires = "issue", conflicts_with_all = ["at", "follow"])]
    pub view: Option<String>,
}

pub(crate) fn run(context: &mut Context, flags: &Flags) -> Outcome {
    let terminal = context.out.terminal && std::io::stdin().is_terminal();
    let view = flags.view.as_deref().map(View::parse).transpose()?;
    if terminal && context.out.format == Format::Text {
        let at = flags.at.as_deref().map(Moment::parse).transpose()?;
        let start = Start { at, follow: flags.follow, view };
        return screen::open(context, flags.issue.clone(), start);
    }
    super::context::end_on_interrupt();
    match &flags.issue {
        Some(issue) => one(context, issue, flags.at.as_deref(), view.as_ref()),
        None => all(context),
    }
}

fn one(context: &mut Context, issue: &str, at: Option<&str>, view: Option<&View>) -> Outcome {
    let mut session = context.session(issue).map_err(|error| hint_at_command(error, issue))?;
    let at = match view {
        Some(view) => {
            view.check(session.head())?;
            view.at
        }
        None => position(&mut session, at, &Moment::End)?,
    };
    state::print(context, &mut session, at, None)?;
    if context.out.format == Format::Text {
        context.out.flush()?;
        let how = format!("run `chronoscope {issue}` in a terminal to open the debugger");
        super::failure::note(&how, context.out.paint);
    }
    Ok(())
}

/// A mistyped command reads as the key of an issue.
fn hint_at_command(error: Error, issue: &str) -> Error {
    let is_word = issue.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    if error.kind() == crate::error::ErrorKind::NotFound && is_word {
        let hint = format!("there is no command {issue} either; see `chronoscope --help`");
        return Error::not_found(error.message().to_owned()).with_hint(hint);
    }
    error
}

/// An issue as the list shows it.
#[derive(Debug, Serialize)]
struct Row<'a> {
    issue_key: &'a str,
    summary: &'a str,
    status: &'a str,
    phase: &'a str,
    agents_running: usize,
    agents: usize,
    events: u64,
    errors: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    bytes: u64,
    fault: Option<&'a str>,
}

impl<'a> From<&'a IssueCard> for Row<'a> {
    fn from(card: &'a IssueCard) -> Self {
        Self {
            issue_key: &card.issue_key,
            summary: &card.summary,
            status: &card.status,
            phase: &card.phase,
            agents_running: card.agents_running,
            agents: card.agents,
            events: card.events,
            errors: card.errors,
            first: card.first,
            last: card.last,
            bytes: card.bytes,
            fault: card.fault.as_deref(),
        }
    }
}

fn all(context: &mut Context) -> Outcome {
    let store = context.store()?;
    let mut cards = Vec::new();
    for entry in store.issues()? {
        cards.push(card(&store, &entry)?);
    }
    cards.sort_by(|a, b| b.last.cmp(&a.last).then_with(|| a.issue_key.cmp(&b.issue_key)));
    let rows: Vec<Row<'_>> = cards.iter().map(Row::from).collect();
    match context.out.format {
        Format::Json => return Ok(context.out.json(&rows)?),
        Format::Jsonl => return Ok(rows.iter().try_for_each(|row| context.out.json(row))?),
        Format::Text => {}
    }
    let paint = context.out.paint;
    let mut table = Table::new("");
    for row in &rows {
        let (role, glyph) = summary::mark(row.status, paint);
        let time = row.last.map(|at| at.to_string()).unwrap_or_default();
        table.row([
            (Some(role), glyph),
            (Some(Role::Name), row.issue_key),
            (Some(role), row.status),
            (Some(Role::Phase), row.phase),
            (None, &format!("{} events", row.events)),
            (Some(Role::Dim), time.get(..19).unwrap_or(&time)),
            (None, row.fault.unwrap_or(row.summary)),
        ]);
    }
    context.out.table(&table)?;
    context.out.flush()?;
    super::failure::note("run `chronoscope` in a terminal to browse and debug them", paint);
    Ok(())
}
