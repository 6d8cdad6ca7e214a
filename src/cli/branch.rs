//! `branch`: a what-if from the command line.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::diff::{DiffEntry, DiffOptions, diff};
use crate::error::{Error, Result};
use crate::model::{Moment, Position};
use crate::session::Session;
use crate::session::branch::{Play, Verdict};
use crate::session::user_state;
use crate::timeline::branch::{Branch, Edit};

use super::context::{Context, position};
use super::failure::{Outcome, note};
use super::output::{Format, Role, Table};
use super::reference::EventRef;

/// The flags of `branch`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  chronoscope branch PROJ-123 --skip AgentFailed\n  chronoscope branch PROJ-123 --base 40 --skip 41 --skip 44 --insert completed.json\n  chronoscope branch PROJ-123 --replace 17=passed.json --save without-the-timeout --json\n\nA file holds one event, or several as JSON lines; what an event leaves out is that of its place. The\nlog is only read: nothing of this is ever written to it."
)]
pub(crate) struct Flags {
    /// The issue
    pub issue: String,
    /// Up to here the history is the actual one
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true)]
    pub base: Option<String>,
    /// As if this event had not happened
    #[arg(long, value_name = "MOMENT", num_args = 1..)]
    pub skip: Vec<String>,
    /// As if the events of this file had happened after the base
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub insert: Vec<PathBuf>,
    /// As if the event of this file had happened instead
    #[arg(long, value_name = "MOMENT=FILE", num_args = 1..)]
    pub replace: Vec<String>,
    /// Keep the branch under this name
    #[arg(long, value_name = "NAME")]
    pub save: Option<String>,
    /// Begin with the branch that was kept under this name, or stands in this file
    #[arg(long, value_name = "NAME", conflicts_with = "base")]
    pub load: Option<String>,
}

/// An event with what is wrong about it.
#[derive(Debug, Serialize)]
struct Marked {
    #[serde(flatten)]
    event: EventRef,
    reason: String,
}

/// The answer, in the order of the printed keys.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    base: Position,
    edits: &'a [Edit],
    valid: u64,
    orphaned: Vec<Marked>,
    violated: Vec<Marked>,
    diff: Vec<DiffEntry>,
}

pub(crate) fn run(context: &mut Context, flags: &Flags) -> Outcome {
    let mut session = context.session(&flags.issue)?;
    let branch = branch(context, &mut session, flags)?;
    let mut play = Play::new(&mut session, branch)?;
    play.finish(&mut session)?;
    let answer = answer(&mut session, &play)?;
    match context.out.format {
        Format::Text => as_text(context, &session, &answer)?,
        _ => context.out.json(&answer)?,
    }
    if let Some(name) = &flags.save {
        let file = kept(context, &flags.issue, name)?;
        save(&file, play.branch())?;
        context.out.flush()?;
        note(&format!("kept as {}", file.display()), context.out.paint);
    }
    Ok(())
}

/// The branch that the flags speak of.
fn branch(context: &Context, session: &mut Session, flags: &Flags) -> Result<Branch> {
    let mut branch = match &flags.load {
        Some(name) => load(context, &flags.issue, name)?,
        None => Branch::new(position(session, flags.base.as_deref(), &Moment::Start)?),
    };
    let event_at = |session: &mut Session, moment: &str| -> Result<(Position, String)> {
        let position = session.resolve(&Moment::parse(moment)?)?;
        if position == 0 {
            return Err(Error::not_found("position 0 is before the first event"));
        }
        Ok((position, session.event(position)?.id.to_string()))
    };
    for moment in &flags.skip {
        let (position, event_id) = event_at(session, moment)?;
        branch.push(Edit::Skip { position, event_id })?;
    }
    for file in &flags.insert {
        for event in events_of(file)? {
            branch.push(Edit::Insert { after: branch.base, event })?;
        }
    }
    for pair in &flags.replace {
        let (moment, file) = pair.rsplit_once('=').ok_or_else(|| {
            Error::usage(format!("--replace {pair:?} is not MOMENT=FILE"))
                .with_hint("as in --replace 17=passed.json")
        })?;
        let (position, event_id) = event_at(session, moment)?;
        let mut events = events_of(Path::new(file))?;
        match (events.pop(), events.is_empty()) {
            (Some(event), true) => branch.push(Edit::Replace { position, event_id, event })?,
            _ => return Err(Error::usage(format!("{file} does not hold one event"))),
        }
    }
    Ok(branch)
}

/// The events of a file: JSON, one behind the other.
fn events_of(file: &Path) -> Result<Vec<serde_json::Value>> {
    let text = std::fs::read(file).map_err(|e| Error::io("read", file, &e))?;
    let events = serde_json::Deserializer::from_slice(&text).into_iter();
    let events: Result<Vec<_>, _> = events.collect();
    let events = events.map_err(|e| {
        Error::usage(format!("{}:{}: not JSON: {e}", file.display(), e.line()))
            .with_hint("a file holds one event, or several as JSON lines")
    })?;
    // An array is a list of events.
    Ok(events
        .into_iter()
        .flat_map(|event| match event {
            serde_json::Value::Array(events) => events,
            event => vec![event],
        })
        .collect())
}

/// Where a branch of this name is kept.
fn kept(context: &Context, issue: &str, name: &str) -> Result<PathBuf> {
    crate::model::ids::check_issue_key(name)
        .map_err(|why| Error::usage(format!("the name of the branch {why}")))?;
    let folder = user_state::state_dir().ok_or_else(|| {
        Error::usage("there is no folder for what users keep").with_hint("set HOME")
    })?;
    let file = user_state::file(&folder, &context.store_path()?, issue);
    Ok(file.with_extension("branches").join(format!("{name}.json")))
}

/// The branch of this name, or in this file.
pub(crate) fn load(context: &Context, issue: &str, name: &str) -> Result<Branch> {
    let by_name = kept(context, issue, name).ok().filter(|file| file.is_file());
    let file = by_name.unwrap_or_else(|| PathBuf::from(name));
    if !file.is_file() {
        return Err(Error::not_found(format!("{issue} has no branch {name:?}, nor is it a file")));
    }
    let text = std::fs::read(&file).map_err(|e| Error::io("read", &file, &e))?;
    serde_json::from_slice(&text)
        .map_err(|e| Error::usage(format!("{} is no branch: {e}", file.display())))
}

fn save(file: &Path, branch: &Branch) -> Result<()> {
    let folder = file.parent().ok_or_else(|| Error::internal("a branch file without a folder"))?;
    std::fs::create_dir_all(folder).map_err(|e| Error::io("create", folder, &e))?;
    let text = serde_json::to_vec_pretty(branch).map_err(|e| Error::internal(e.to_string()))?;
    let write = || -> std::io::Result<()> {
        let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
        std::io::Write::write_all(&mut temporary, &text)?;
        temporary.persist(file)?;
        Ok(())
    };
    write().map_err(|e| Error::io("write", file, &e))
}

fn answer<'a>(session: &mut Session, play: &'a Play) -> Result<Answer<'a>> {
    let head = session.head();
    let actual = session.state_at(head)?.value();
    let ours = play.state_at(session, head)?.value();
    let (mut orphaned, mut violated) = (Vec::new(), Vec::new());
    for (position, verdict) in play.verdicts() {
        let (list, reason) = match verdict {
            Verdict::Orphaned(reason) => (&mut orphaned, reason),
            Verdict::Violated(reason) => (&mut violated, reason),
            Verdict::Skipped | Verdict::Replaced => continue,
        };
        list.push(Marked { event: EventRef::at(session, position)?, reason: reason.clone() });
    }
    for (_, inserted) in play.inserted() {
        if let Some(reason) = &inserted.violation {
            violated.push(Marked { event: EventRef::of(&inserted.event), reason: reason.clone() });
        }
    }
    violated.sort_by_key(|marked| marked.event.position);
    Ok(Answer {
        base: play.branch().base,
        edits: &play.branch().edits,
        valid: play.valid(),
        orphaned,
        violated,
        diff: diff(&actual, &ours, DiffOptions::default()),
    })
}

fn as_text(context: &mut Context, session: &Session, answer: &Answer<'_>) -> Outcome {
    let paint = context.out.paint;
    let issue = context.out.paint(Role::Name, session.issue_key());
    let edits = match answer.edits.len() {
        1 => "1 edit".to_owned(),
        n => format!("{n} edits"),
    };
    let text = format!(
        "{edits} after #{}: {} of {} events as they were, {} orphaned, {} violated",
        answer.base,
        answer.valid,
        session.head(),
        answer.orphaned.len(),
        answer.violated.len()
    );
    context.out.line(format!("{issue}  {} {text}", paint.of(Role::Strong, "BRANCH")))?;
    for (list, role, word) in
        [(&answer.orphaned, Role::Dim, "orphaned"), (&answer.violated, Role::Failed, "violated")]
    {
        let mut table = Table::new("  ");
        for marked in list {
            table.row([
                (Some(role), word),
                (Some(Role::Dim), format!("#{}", marked.event.position).as_str()),
                (None, &marked.event.event_type),
                (Some(Role::Name), marked.event.actor_id()),
                (None, &marked.reason),
            ]);
        }
        context.out.table(&table)?;
    }
    let differ = match answer.diff.len() {
        0 => "the final state is the same".to_owned(),
        1 => "1 difference at the end, actual → branch".to_owned(),
        n => format!("{n} differences at the end, actual → branch"),
    };
    context.out.line(paint.of(Role::Dim, &differ))?;
    Ok(answer.diff.iter().try_for_each(|entry| super::diff::line(context, entry))?)
}
