//! `snapshot`: keep the state at a moment, list what is kept, let go of what is old.

use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};

use crate::config::{Config, Setting};
use crate::error::Error;
use crate::model::Moment;
use crate::session::Session;
use crate::session::snapshots::{self, VERSIONS};
use crate::store::local::SnapshotEntry;
use crate::store::snapshot::Retention;

use super::context::{Context, position, user};
use super::failure::Outcome;
use super::output::{Format, Role, Table};

/// How many of the newest snapshots of each issue are kept at any age.
const NEWEST: usize = 3;

/// The flags of `snapshot`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  chronoscope snapshot PROJ-123\n  chronoscope snapshot PROJ-123 --at PhaseCompleted:1\n  chronoscope snapshot list\n  chronoscope snapshot gc --dry-run"
)]
pub(crate) struct Flags {
    /// The issue whose state is kept
    issue: Option<String>,
    /// The moment; the issue's end if not given
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true)]
    at: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the snapshots that are kept
    List {
        /// Only those of this issue
        issue: Option<String>,
    },
    /// Remove snapshots that are old or damaged; the newest of each issue stay
    Gc {
        /// Only say which
        #[arg(long)]
        dry_run: bool,
    },
}

pub(crate) fn run(context: &mut Context, flags: &Flags) -> Outcome {
    match (&flags.command, &flags.issue) {
        (Some(_), Some(issue)) => {
            Err(Error::usage(format!("{issue:?} stands before the name of the command")).into())
        }
        (Some(Command::List { issue }), None) => list(context, issue.as_deref()),
        (Some(Command::Gc { dry_run }), None) => collect(context, *dry_run),
        (None, Some(issue)) => keep(context, issue, flags.at.as_deref()),
        (None, None) => Err(Error::usage("snapshot needs an issue, or list, or gc")
            .with_hint("as in `chronoscope snapshot PROJ-123`")
            .into()),
    }
}

fn keep(context: &mut Context, issue: &str, at: Option<&str>) -> Outcome {
    let store = context.store()?;
    let mut session = Session::read(&store, issue)?;
    session.user = user(&store, issue);
    let at = position(&mut session, at, &Moment::End)?;
    let (snapshot, kept) = snapshots::take(&store, &mut session, at, context.clock.now())?;
    match context.out.format {
        Format::Text => {
            let issue = context.out.paint(Role::Name, issue);
            let kept = super::output::escape(&kept);
            Ok(context.out.line(format!("kept {issue} #{at} in {kept}"))?)
        }
        _ => Ok(context.out.json(&json!({
            "issue_key": snapshot.issue_key,
            "position": snapshot.position,
            "event_sequence": snapshot.event_sequence,
            "state_digest": snapshot.state_digest,
            "kept": kept,
        }))?),
    }
}

fn entry_json(entry: &SnapshotEntry) -> Json {
    let mut row = json!({
        "issue_key": entry.issue_key,
        "event_sequence": entry.event_sequence,
        "file": entry.path.display().to_string(),
        "bytes": entry.bytes,
    });
    match &entry.snapshot {
        Ok(snapshot) => {
            row["position"] = snapshot.position.into();
            row["timestamp"] = snapshot.timestamp.to_string().into();
            row["created_at"] = snapshot.created_at.to_string().into();
            row["state_digest"] = snapshot.state_digest.as_str().into();
            row["current"] = (snapshot.versions == VERSIONS).into();
        }
        Err(why) => row["fault"] = why.as_str().into(),
    }
    row
}

fn list(context: &mut Context, issue: Option<&str>) -> Outcome {
    let entries = context.store()?.snapshots(issue)?;
    match context.out.format {
        Format::Json => {
            let rows: Vec<Json> = entries.iter().map(entry_json).collect();
            Ok(context.out.json(&rows)?)
        }
        Format::Jsonl => {
            Ok(entries.iter().try_for_each(|entry| context.out.json(&entry_json(entry)))?)
        }
        Format::Text => {
            let mut table = Table::new("");
            for entry in &entries {
                let (role, what) = match &entry.snapshot {
                    Ok(snapshot) if snapshot.versions == VERSIONS => {
                        (Role::Dim, snapshot.timestamp.to_string())
                    }
                    Ok(_) => (Role::Warned, "made by another version".to_owned()),
                    Err(why) => (Role::Failed, why.clone()),
                };
                table.row([
                    (Some(Role::Name), entry.issue_key.as_str()),
                    (None, &format!("#{}", entry.event_sequence)),
                    (Some(Role::Dim), &format!("{} bytes", entry.bytes)),
                    (Some(role), &what),
                ]);
            }
            Ok(context.out.table(&table)?)
        }
    }
}

/// Which snapshots the settings keep.
pub(crate) fn retention(config: &Config) -> Retention {
    let days = i64::try_from(config.count(Setting::SnapshotRetention)).unwrap_or(i64::MAX);
    Retention { newest: NEWEST, days }
}

fn collect(context: &mut Context, dry_run: bool) -> Outcome {
    let gone = context.store()?.gc_snapshots(None, dry_run, retention(&context.config))?;
    let files: Vec<String> = gone.iter().map(|path| path.display().to_string()).collect();
    match context.out.format {
        Format::Json => Ok(context.out.json(&json!({"dry_run": dry_run, "removed": files}))?),
        Format::Jsonl => Ok(files.iter().try_for_each(|file| context.out.json(file))?),
        Format::Text => {
            let verb = if dry_run { "would remove" } else { "removed" };
            for file in &files {
                context.out.line(format!("{verb} {}", super::output::escape(file)))?;
            }
            let paint = context.out.paint;
            let all = if files.is_empty() {
                "nothing to remove".to_owned()
            } else {
                format!("{verb} {}", files.len())
            };
            Ok(context.out.line(paint.of(Role::Dim, &all))?)
        }
    }
}
