//! `query`: find events, count them, group them.

use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::config::Setting;
use crate::error::{Error, Result};
use crate::model::{Moment, Timestamp};
use crate::query::expression::{Expression, Faults, Where};
use crate::query::{self, Cursor, Field, Filter, GroupBy, Hit, Order, Predicate};
use crate::schema::upcast;
use crate::session::find::StateWhere;
use crate::store::EventStore;
use crate::store::local::LocalStore;

use super::context::{Context, user};
use super::failure::{Failure, Outcome};
use super::output::{Format, Role, Table};
use super::reference::EventRef;

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
    /// The type of event
    #[arg(long = "type", value_name = "TYPE")]
    kind: Vec<String>,
    /// The agent that it speaks of, or that acts
    #[arg(long, value_name = "NAME")]
    agent: Vec<String>,
    /// The phase that it names, or that is in force
    #[arg(long, value_name = "PHASE")]
    phase: Vec<String>,
    /// The actor
    #[arg(long, value_name = "ID")]
    actor: Vec<String>,
    /// The session
    #[arg(long, value_name = "ID")]
    session: Vec<String>,
    /// The area of the type
    #[arg(long, value_name = "NAME")]
    category: Vec<String>,
    /// The severity: info, warning, error, critical; error+ is error and above
    #[arg(long, value_name = "NAME")]
    severity: Vec<String>,
    /// The correlation id
    #[arg(long, value_name = "ID")]
    correlation: Vec<String>,
    /// The beginning of the event's id
    #[arg(long, value_name = "PREFIX")]
    id: Vec<String>,
    /// An expression; one that looks at $state holds where it turns true
    #[arg(long = "where", value_name = "EXPR", allow_hyphen_values = true)]
    wanted: Vec<String>,
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
    let conditions = Conditions::parse(&flags.wanted, &store)?;
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

/// The expressions that were given.
#[derive(Default)]
struct Conditions {
    events: Vec<Arc<Where>>,
    states: Vec<Arc<StateWhere>>,
}

impl Conditions {
    fn parse(texts: &[String], store: &Arc<LocalStore>) -> Result<Self> {
        let mut conditions = Self::default();
        for text in texts {
            let expression = Expression::parse(text)?;
            if expression.uses_state() {
                let store = Arc::clone(store) as Arc<dyn EventStore>;
                conditions.states.push(Arc::new(StateWhere::new(store, expression)));
            } else {
                conditions.events.push(Arc::new(Where::new(expression)));
            }
        }
        Ok(conditions)
    }

    fn add_to(&self, filter: &mut Filter) {
        self.events.iter().for_each(|c| filter.add_predicate(Arc::clone(c) as Arc<dyn Predicate>));
        self.states.iter().for_each(|c| filter.add_predicate(Arc::clone(c) as Arc<dyn Predicate>));
    }

    /// Says which evaluations failed: that they are no match must not go unseen.
    fn tell_faults(&self, context: &mut Context) -> Outcome {
        let faults = self.events.iter().map(|c| &c.faults);
        for told in faults.chain(self.states.iter().map(|c| &c.faults)).filter_map(Faults::told) {
            context.out.flush()?;
            super::failure::note(&told, context.out.paint);
        }
        Ok(())
    }
}

fn filter(flags: &Flags, store: &Arc<LocalStore>) -> Result<Filter> {
    let mut filter = Filter::new();
    let fields = [
        (Field::Issue, &flags.issue),
        (Field::Type, &flags.kind),
        (Field::Agent, &flags.agent),
        (Field::Phase, &flags.phase),
        (Field::Actor, &flags.actor),
        (Field::Session, &flags.session),
        (Field::Category, &flags.category),
        (Field::Severity, &flags.severity),
        (Field::Correlation, &flags.correlation),
        (Field::Id, &flags.id),
    ];
    for (field, values) in fields {
        for value in values {
            filter.add(field, value)?;
        }
    }
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
