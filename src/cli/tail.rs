//! `tail`: the last events, and those that come.

use std::collections::{BTreeMap, VecDeque};

use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::model::Timestamp;
use crate::query::expression::{Expression, Faults, Where};
use crate::schema::upcast;
use crate::session::find::Along;
use crate::store::local::LocalStore;
use crate::store::{EventStore, IssueEntry, Notice, Tail};
use crate::watch::Watch;

use super::context::Context;
use super::failure::Outcome;
use super::output::{Format, Role, Table};
use super::reference::EventRef;

/// How many bytes are read at a time.
const CHUNK: usize = 1 << 20;

/// The flags of `tail`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  chronoscope tail PROJ-123 -n 50\n  chronoscope tail -f\n  chronoscope tail PROJ-123 -f --type AgentFailed --type '!AgentProgressed' --jsonl\n  chronoscope tail -f --where '$state.usage.cost_usd > 5'"
)]
pub(crate) struct Flags {
    /// The issue; all if not given
    pub issue: Option<String>,
    /// How many of the last events
    #[arg(short = 'n', long = "lines", value_name = "N", default_value_t = 10)]
    pub count: usize,
    /// Go on with the events that come, until Ctrl-C
    #[arg(short, long)]
    pub follow: bool,
    /// Only this type of event; a leading ! excludes one
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Vec<String>,
    /// Only events for which this expression holds; over the state: where it turns true
    #[arg(long = "where", value_name = "EXPR", allow_hyphen_values = true)]
    pub wanted: Option<String>,
}

/// One line of a log.
struct Line {
    issue_key: String,
    at: Timestamp,
    raw: Vec<u8>,
}

/// One issue's log while it is read.
struct Log {
    tail: Box<dyn Tail>,
    seen: IssueEntry,
    /// The state as far as it was read, where the condition looks at it.
    along: Option<Along>,
}

/// What `--where` asks for.
enum Wanted {
    /// Something of the event alone.
    Event(Where),
    /// Something of the state: each log is folded along.
    State(Expression, Faults),
}

impl Wanted {
    fn parse(text: &str) -> Result<Self> {
        let expression = Expression::parse(text)?;
        Ok(if expression.uses_state() {
            Self::State(expression, Faults::default())
        } else {
            Self::Event(Where::new(expression))
        })
    }

    /// The beginning of a log, where that is looked at.
    fn along(&self) -> Option<Along> {
        match self {
            Self::Event(_) => None,
            Self::State(expression, _) => Some(Along::new(expression.clone())),
        }
    }

    fn faults(&self) -> &Faults {
        match self {
            Self::Event(wanted) => &wanted.faults,
            Self::State(_, faults) => faults,
        }
    }

    /// Whether a line is wanted; one that is to be folded must come here, in any case.
    fn holds(&self, along: Option<&mut Along>, issue: &str, raw: &[u8], too_long: bool) -> bool {
        match (self, along) {
            (Self::Event(wanted), _) => wanted.holds(raw, || issue.to_owned()),
            (Self::State(_, faults), Some(along)) => {
                along.take(raw, too_long).unwrap_or_else(|fault| {
                    faults.note(|| format!("{issue} #{}", along.position()), fault);
                    false
                })
            }
            (Self::State(..), None) => false,
        }
    }
}

struct Follower<'a> {
    store: &'a LocalStore,
    issue: Option<&'a str>,
    types: &'a [String],
    wanted: Option<&'a Wanted>,
    logs: BTreeMap<String, Log>,
}

pub(crate) fn run(context: &mut Context, flags: &Flags) -> Outcome {
    if flags.follow && context.out.format == Format::Json {
        return Err(Error::usage("--json gives one document, and --follow has no end")
            .with_hint("--jsonl prints each event as it comes")
            .into());
    }
    let wanted = flags.wanted.as_deref().map(Wanted::parse).transpose()?;
    let store = context.store()?;
    let issue = flags.issue.as_deref();
    let mut follower = Follower {
        store: &store,
        issue,
        types: &flags.kind,
        wanted: wanted.as_ref(),
        logs: BTreeMap::new(),
    };
    let last = follower.last(flags.count)?;
    print(context, &last, issue.is_some())?;
    if flags.follow {
        follow(context, &mut follower)?;
    }
    if let Some(told) = wanted.as_ref().and_then(|wanted| wanted.faults().told()) {
        context.out.flush()?;
        super::failure::note(&told, context.out.paint);
    }
    Ok(())
}

fn follow(context: &mut Context, follower: &mut Follower<'_>) -> Outcome {
    let mut watch = Watch::new();
    loop {
        context.out.flush()?;
        let again = watch.update(follower.store.watch_folders(follower.issue));
        if !again && !watch.wait() {
            return Ok(());
        }
        let mut lines = Vec::new();
        let notices = follower.read(|line| lines.push(line))?;
        // What all logs hold now came in about the same moment; its own times order it.
        lines.sort_by_key(|line| line.at);
        print(context, &lines, follower.issue.is_some())?;
        for (issue, notice) in notices {
            tell(context, &issue, &notice)?;
        }
    }
}

fn tell(context: &mut Context, issue: &str, notice: &Notice) -> Outcome {
    let what = match notice {
        Notice::Truncated { detail } => format!("{issue}: the log became shorter: {detail}"),
        Notice::Replaced { detail } => format!("{issue}: the log was replaced: {detail}"),
        Notice::Rotated { .. } | Notice::TornTail { .. } => return Ok(()),
    };
    context.out.flush()?;
    super::failure::note(&what, context.out.paint);
    Ok(())
}

impl Follower<'_> {
    /// The last `count` lines of what is there now.
    fn last(&mut self, count: usize) -> Result<Vec<Line>> {
        let mut kept: BTreeMap<String, VecDeque<Line>> = BTreeMap::new();
        self.read(|line| {
            let lines = kept.entry(line.issue_key.clone()).or_default();
            lines.push_back(line);
            if lines.len() > count {
                lines.pop_front();
            }
        })?;
        let mut lines: Vec<Line> = kept.into_values().flatten().collect();
        for line in &mut lines {
            line.at = time_of(&line.raw);
        }
        lines.sort_by_key(|line| line.at);
        lines.drain(..lines.len().saturating_sub(count));
        Ok(lines)
    }

    /// Gives every wanted line that is new to `each`.
    fn read(&mut self, mut each: impl FnMut(Line)) -> Result<Vec<(String, Notice)>> {
        let mut notices = Vec::new();
        for entry in self.grown()? {
            let issue_key = entry.issue_key.clone();
            let log = match self.logs.entry(issue_key.clone()) {
                std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::btree_map::Entry::Vacant(new) => {
                    let tail = self.store.tail(&issue_key)?;
                    let along = self.wanted.and_then(Wanted::along);
                    new.insert(Log { tail, seen: entry.clone(), along })
                }
            };
            log.seen = entry;
            loop {
                let chunk = log.tail.poll(CHUNK)?;
                if chunk.notices.iter().any(Notice::starts_anew) {
                    log.along = self.wanted.and_then(Wanted::along);
                }
                notices.extend(chunk.notices.into_iter().map(|n| (issue_key.clone(), n)));
                for line in &chunk.lines {
                    let raw = chunk.bytes.get(line.range.clone()).unwrap_or_default();
                    // (What is not of the type is folded all the same.)
                    let of_type = || is_wanted(self.types, raw);
                    let along = log.along.as_mut();
                    let holds = match self.wanted {
                        None => of_type(),
                        Some(wanted) if along.is_some() => {
                            wanted.holds(along, &issue_key, raw, line.too_long) && of_type()
                        }
                        Some(wanted) => {
                            of_type() && wanted.holds(None, &issue_key, raw, line.too_long)
                        }
                    };
                    if holds {
                        let at = Timestamp::default();
                        each(Line { issue_key: issue_key.clone(), at, raw: raw.to_vec() });
                    }
                }
                if chunk.at_end {
                    break;
                }
            }
        }
        Ok(notices)
    }

    /// The issues whose logs are not what they were when they were last read.
    fn grown(&self) -> Result<Vec<IssueEntry>> {
        if let Some(issue) = self.issue {
            let (bytes, modified) = (0, Timestamp::default());
            return Ok(vec![IssueEntry { issue_key: issue.to_owned(), bytes, modified }]);
        }
        let mut entries = self.store.issues()?;
        entries.retain(|entry| self.logs.get(&entry.issue_key).is_none_or(|l| l.seen != *entry));
        entries.sort_by(|a, b| a.issue_key.cmp(&b.issue_key));
        Ok(entries)
    }
}

fn is_wanted(types: &[String], raw: &[u8]) -> bool {
    if types.is_empty() {
        return true;
    }
    let name = upcast::read_line_events(raw, 0, Timestamp::default());
    let name = name.first().map(|(event, ..)| event.type_name.as_str()).unwrap_or_default();
    let excluded = |t: &String| t.strip_prefix('!').is_some_and(|t| t == name);
    let mut wanted = types.iter().filter(|t| !t.starts_with('!')).peekable();
    !types.iter().any(excluded) && (wanted.peek().is_none() || wanted.any(|t| t == name))
}

fn time_of(raw: &[u8]) -> Timestamp {
    let events = upcast::read_line_events(raw, 0, Timestamp::default());
    events.first().map(|(event, ..)| event.at).unwrap_or_default()
}

/// Some lines as a JSON document.
#[derive(Serialize)]
struct Document {
    events: Vec<Box<RawValue>>,
}

fn print(context: &mut Context, lines: &[Line], one_issue: bool) -> Outcome {
    match context.out.format {
        Format::Jsonl => Ok(lines.iter().try_for_each(|line| context.out.raw_line(&line.raw))?),
        Format::Json => {
            let events = lines.iter().map(|line| super::query::raw_json(&line.raw)).collect();
            Ok(context.out.json(&Document { events })?)
        }
        Format::Text => as_text(context, lines, one_issue),
    }
}

fn as_text(context: &mut Context, lines: &[Line], one_issue: bool) -> Outcome {
    let paint = context.out.paint;
    let mut table = Table::new("");
    for line in lines {
        for (event, ..) in upcast::read_line_events(&line.raw, 0, line.at) {
            let sequence = event.sequence.map_or_else(|| "–".to_owned(), |n| n.to_string());
            let event = EventRef::of(&event);
            let (role, glyph) = event.glyph(paint);
            let time = event.timestamp.to_string();
            let issue = if one_issue { "" } else { line.issue_key.as_str() };
            let rest = [
                (Some(Role::Name), issue),
                (Some(Role::Dim), &sequence),
                (Some(Role::Dim), time.get(..19).unwrap_or(&time)),
                (Some(role), glyph),
                (None, event.event_type.as_str()),
                (Some(Role::Name), event.actor_id()),
                (None, event.summary.as_str()),
            ];
            if one_issue {
                let [_, own @ ..] = rest;
                table.row(own);
            } else {
                table.row(rest);
            }
        }
    }
    Ok(context.out.table(&table)?)
}
