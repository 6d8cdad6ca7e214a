//! `query`: find events, count them, group them.

use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::config::Setting;
use crate::error::{Error, Result};
use crate::model::{Moment, Timestamp};
use crate::query::{self, Cursor, Field, Filter, GroupBy, Hit, Order};
use crate::schema::upcast;
use crate::store::local::LocalStore;

use super::context::{Context, user};
use super::failure::{Failure, Outcome};
use super::output::{Format, Role, Table};
use super::reference::EventRef;
use super::selection::Selection;

const EXAMPLES: &str = "\
Examples:
  chronoscope query --issue PROJ-123 --type AgentFailed
  chronoscope query --severity error+ --since -1d --reverse
  chronoscope query --category agent --actor '!orchestrator' --jsonl > agents.jsonl
  chronoscope query --where '.metadata.retry_count > 2' --type AgentFailed
  chronoscope query --group-by type --count
  chronoscope query --issue PROJ-123 --limit 50 --json | jq -r .next_cursor

A flag that comes several times wants any of its values; a leading ! excludes one. Times and -2h
are compared with the latest time so far in each issue. --jsonl prints the stored lines byte for
byte, all of them unless --limit is given.";

/// The flags of `query`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Flags {
    /// The issue
    #[arg(long, value_name = "KEY")]
    issue: Vec<String>,
    #[command(flatten)]
    selection: Selection,
    /// From this moment on
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true)]
    since: Option<String>,
    /// Up to this moment
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true)]
    until: Option<String>,
    /// The newest first
    #[arg(long)]
    reverse: bool,
    /// At most so many events
    #[arg(long, short = 'n', value_name = "N")]
    limit: Option<usize>,
    /// Go on where a page ended
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
    /// Only how many there are
    #[arg(long, conflicts_with_all = ["cursor", "limit", "reverse"])]
    count: bool,
    /// How many there are of each value of a field
    #[arg(long, value_name = "FIELD", conflicts_with_all = ["cursor", "limit", "reverse"])]
    group_by: Option<String>,
}

/// A page, in the order of the printed keys.
#[derive(Debug, Serialize)]
struct Page {
    events: Vec<Box<RawValue>>,
    next_cursor: Option<String>,
    scanned: u64,
    took_ms: u64,
}

pub(crate) fn run(context: &mut Context, flags: &Flags) -> Outcome {
    let store = context.shared_store()?;
    let mut filter = filter(flags, &store)?;
    let conditions = flags.selection.conditions(&store)?;
    conditions.add_to(&mut filter);
    answer(context, flags, &store, &filter)?;
    conditions.tell_faults(context)
}

fn answer(
    context: &mut Context,
    flags: &Flags,
    store: &Arc<LocalStore>,
    filter: &Filter,
) -> Outcome {
    if let Some(field) = &flags.group_by {
        return groups(context, store, filter, &GroupBy::parse(field));
    }
    if flags.count {
        let count = query::count(&**store, filter)?.count;
        let count = match context.out.format {
            Format::Text => context.out.line(count.to_string()),
            _ => context.out.json(&json!({"count": count})),
        };
        return Ok(count?);
    }
    let order = if flags.reverse { Order::Reverse } else { Order::Forward };
    let cursor = flags.cursor.as_deref().map(Cursor::parse).transpose()?;
    if context.out.format == Format::Jsonl {
        return lines(context, store, filter, order, flags.limit, cursor.as_ref());
    }
    let limit = page_size(context, flags.limit)?;
    let page = query::scan(&**store, filter, order, Some(limit), cursor.as_ref())?;
    let next_cursor = page.next_cursor.map(|cursor| cursor.to_string());
    if context.out.format == Format::Json {
        let events = page.lines.iter().map(|hit| raw_json(&hit.raw)).collect();
        let took_ms = u64::try_from(page.took.as_millis()).unwrap_or(u64::MAX);
        let scanned = page.scanned;
        return Ok(context.out.json(&Page { events, next_cursor, scanned, took_ms })?);
    }
    as_text(context, &page.lines, next_cursor.as_deref())
}

fn filter(flags: &Flags, store: &Arc<LocalStore>) -> Result<Filter> {
    let mut filter = Filter::new();
    for issue in &flags.issue {
        filter.add(Field::Issue, issue)?;
    }
    flags.selection.add_to(&mut filter)?;
    if let Some(since) = &flags.since {
        filter = filter.since(Moment::parse(since)?);
    }
    if let Some(until) = &flags.until {
        filter = filter.until(Moment::parse(until)?);
    }
    let marked = Arc::clone(store);
    let marks = move |issue: &str, mark: &str| user(&marked, issue).marks.get(mark).copied();
    Ok(filter.marks(Arc::new(marks)))
}

/// How many events a page has.
fn page_size(context: &Context, given: Option<usize>) -> Result<usize> {
    let most = context.config.size(Setting::MaxPageSize);
    match given {
        None => Ok(context.config.size(Setting::DefaultPageSize).min(most)),
        Some(limit) if limit <= most => Ok(limit),
        Some(limit) => {
            Err(Error::usage(format!("--limit {limit} is more than a page may have, {most}"))
                .with_hint("--jsonl has no such limit; query.max_page_size sets it"))
        }
    }
}

/// The stored lines, as they come.
fn lines(
    context: &mut Context,
    store: &LocalStore,
    filter: &Filter,
    order: Order,
    limit: Option<usize>,
    cursor: Option<&Cursor>,
) -> Outcome {
    let mut failed = None;
    let done = query::for_each(store, filter, order, limit, cursor, |hit| {
        match context.out.raw_line(&hit.raw) {
            Ok(()) => Ok(true),
            Err(error) => {
                failed = Some(error);
                Ok(false)
            }
        }
    })?;
    if let Some(error) = failed {
        return Err(Failure::from(error));
    }
    if let (Some(cursor), Some(_)) = (done.0, limit) {
        context.out.flush()?;
        super::failure::note(&format!("there is more: --cursor {cursor}"), context.out.paint);
    }
    Ok(())
}

/// The stored JSON; the text of a line that is none.
pub(crate) fn raw_json(bytes: &[u8]) -> Box<RawValue> {
    let text = String::from_utf8_lossy(bytes);
    RawValue::from_string(text.clone().into_owned()).unwrap_or_else(|_| {
        // A string is always JSON.
        let quoted = serde_json::Value::from(text.into_owned()).to_string();
        RawValue::from_string(quoted).unwrap_or_else(|_| RawValue::NULL.to_owned())
    })
}

fn groups(context: &mut Context, store: &LocalStore, filter: &Filter, by: &GroupBy) -> Outcome {
    let found = query::group_by(store, filter, by)?;
    match context.out.format {
        Format::Json => Ok(context.out.json(&json!({"groups": found.groups}))?),
        Format::Jsonl => Ok(found.groups.iter().try_for_each(|group| context.out.json(group))?),
        Format::Text => {
            let mut table = Table::new("");
            let widest = found.groups.first().map_or(1, |g| g.count.to_string().len());
            for group in &found.groups {
                let count = format!("{:>widest$}", group.count);
                table.row([
                    (Some(Role::Strong), &count),
                    (None, group.key.as_deref().unwrap_or("(none)")),
                ]);
            }
            Ok(context.out.table(&table)?)
        }
    }
}

fn as_text(context: &mut Context, hits: &[Hit], next_cursor: Option<&str>) -> Outcome {
    let paint = context.out.paint;
    let mut table = Table::new("");
    for hit in hits {
        let events = upcast::read_line_events(&hit.raw, hit.position, Timestamp::default());
        let Some((event, ..)) = events.first() else { continue };
        let event = EventRef::of(event);
        let (role, glyph) = event.glyph(paint);
        let time = event.timestamp.to_string();
        table.row([
            (Some(Role::Name), &hit.issue_key),
            (Some(Role::Dim), &hit.position.to_string()),
            (Some(Role::Dim), time.get(..19).unwrap_or(&time)),
            (Some(role), glyph),
            (None, &event.event_type),
            (Some(Role::Name), event.actor_id()),
            (None, &event.summary),
        ]);
    }
    context.out.table(&table)?;
    if let Some(cursor) = next_cursor {
        context.out.flush()?;
        super::failure::note(&format!("there is more: --cursor {cursor}"), paint);
    }
    Ok(())
}
