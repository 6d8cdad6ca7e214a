//! `store init`, `store stats`, `store rebuild`, `store checkpoint`; `store repair`,
//! `store archive` and `store doctor` have files of their own.

mod archive;
mod doctor;
mod repair;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::store::local::LocalStore;

use super::append::duration;
use super::context::Context;
use super::failure::Outcome;
use super::output::{Format, Role, Table, escape};
use super::progress::{Bar, Unit};

/// The flags of `store`.
#[derive(Debug, Args)]
pub(crate) struct Flags {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an empty store (a first append makes one, too)
    #[command(after_help = "Example:\n  chronoscope store init --store sessions/events")]
    Init,
    /// Print what the store holds
    #[command(after_help = "Example:\n  chronoscope store stats --json | jq .by_type")]
    Stats,
    /// Make everything anew that is derived from the logs
    #[command(
        after_help = "Example:\n  chronoscope store rebuild\n\nThe logs themselves are only read."
    )]
    Rebuild {
        /// How long to wait for other writers
        #[arg(long, value_name = "TIME", default_value = "10s")]
        lock_timeout: String,
    },
    /// Mend what stops appends or reading; no event is lost
    Repair(repair::Flags),
    /// Compress old partitions, or bring them back; everything reads them as before
    Archive(archive::Flags),
    /// Say what is wrong or risky around the store
    Doctor(doctor::Flags),
    /// Sign the log as it is now and print the signed note
    #[command(
        after_help = "Example:\n  chronoscope store checkpoint > checkpoint.txt    # keep it elsewhere\n  chronoscope verify --anchor checkpoint.txt       # any time later\n\nThe note is a C2SP tlog-checkpoint, signed with the store's Ed25519 key."
    )]
    Checkpoint {
        /// How long to wait for other writers
        #[arg(long, value_name = "TIME", default_value = "10s")]
        lock_timeout: String,
    },
}

pub(crate) fn run(context: &mut Context, flags: &Flags) -> Outcome {
    match &flags.command {
        Command::Init => init(context),
        Command::Stats => stats(context),
        Command::Rebuild { lock_timeout } => rebuild(context, lock_timeout),
        Command::Doctor(flags) => doctor::run(context, flags),
        Command::Archive(flags) => archive::run(context, flags),
        Command::Repair(flags) => repair::run(context, flags),
        Command::Checkpoint { lock_timeout } => checkpoint(context, lock_timeout),
    }
}

fn init(context: &mut Context) -> Outcome {
    context.tell_warnings();
    let path = context.store_path()?;
    let new = !crate::store::local::is_store(&path);
    let store = LocalStore::create(path, context.clock)?;
    let path = store.root().display().to_string();
    match context.out.format {
        Format::Text => {
            let what = if new { "made an empty store in" } else { "there is a store already in" };
            Ok(context.out.line(format!("{what} {}", escape(&path)))?)
        }
        _ => Ok(context.out.json(&json!({"store": path, "created": new}))?),
    }
}

fn stats(context: &mut Context) -> Outcome {
    let stats = context.store()?.stats()?;
    if context.out.format != Format::Text {
        return Ok(context.out.json(&stats)?);
    }
    let mut table = Table::new("");
    let label = Some(Role::Dim);
    table.row([(label, "store"), (None, stats.store.as_str())]);
    table.row([(label, "issues"), (None, &stats.issues.to_string())]);
    table.row([(label, "sessions"), (None, &stats.sessions.to_string())]);
    table.row([(label, "events"), (None, &stats.events.to_string())]);
    table.row([(label, "bytes"), (None, &stats.bytes.to_string())]);
    if let (Some(first), Some(last)) = (stats.first, stats.last) {
        table.row([(label, "from"), (None, &first.to_string())]);
        table.row([(label, "to"), (None, &last.to_string())]);
    }
    context.out.table(&table)?;
    let mut types: Vec<(&String, &u64)> = stats.by_type.iter().collect();
    types.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let mut table = Table::new("  ");
    let widest = types.first().map_or(1, |(_, count)| count.to_string().len());
    for (name, count) in types {
        table.row([(Some(Role::Strong), &format!("{count:>widest$}")), (None, name.as_str())]);
    }
    context.out.line("")?;
    Ok(context.out.table(&table)?)
}

fn checkpoint(context: &mut Context, lock_timeout: &str) -> Outcome {
    let timeout = duration("--lock-timeout", lock_timeout)?;
    let store = context.store()?;
    let signed = store.checkpoint(timeout)?;
    context.tell_complaint(&store);
    match context.out.format {
        Format::Text => Ok(context.out.bytes(signed.note.as_bytes())?),
        _ => {
            let (size, root, note) = (signed.size, signed.root, signed.note);
            Ok(context.out.json(&json!({"size": size, "root": root, "note": note}))?)
        }
    }
}

fn rebuild(context: &mut Context, lock_timeout: &str) -> Outcome {
    let timeout = duration("--lock-timeout", lock_timeout)?;
    let store = context.store()?;
    let bar = Bar::new(Unit::Partitions);
    let report = store.rebuild(timeout, &mut |done, all| bar.show(done, all));
    bar.clear();
    let report = report?;
    match context.out.format {
        Format::Text => {
            let mut table = Table::new("");
            for (label, count) in [
                ("issues", report.issues),
                ("partitions", report.partitions),
                ("days", report.days),
                ("events", report.events),
                ("signed", report.signed),
            ] {
                table.row([(Some(Role::Dim), label), (None, &count.to_string())]);
            }
            Ok(context.out.table(&table)?)
        }
        _ => Ok(context.out.json(&json!({
            "issues": report.issues,
            "partitions": report.partitions,
            "days": report.days,
            "events": report.events,
            "signed": report.signed,
        }))?),
    }
}
