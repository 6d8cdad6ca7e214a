//! `store archive`: says which partitions it would compress, asks, and does it; and back.

use std::io::{self, BufRead, IsTerminal, Write};
use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::cli::append::duration;
use crate::cli::context::Context;
use crate::cli::failure::Outcome;
use crate::cli::output::{Format, Role, Table, escape};
use crate::cli::progress::{Bar, Unit};
use crate::error::Result;
use crate::store::local::{Archivable, Date, LocalStore, Selection};

/// The flags of `store archive`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  chronoscope store archive --dry-run\n  chronoscope store archive --before 2026-11-01 --yes\n  chronoscope store archive --restore --issue PROJ-123 --yes\n\nAn archive is a Zstandard file in archive/ that any zstd tool reads, and chronoscope from any of its\nlines on; all commands answer as before. It is read back and compared before the plain file goes.\nAn issue's last partition stays plain, and so does what no checkpoint signs: `store checkpoint`\nsigns it. Without a terminal and without --yes it only says what it would do."
)]
pub(super) struct Flags {
    /// Only partitions of this issue
    #[arg(long, value_name = "KEY")]
    issue: Vec<String>,
    /// Only partitions of days before this one
    #[arg(long, value_name = "DATE", value_parser = date)]
    before: Option<Date>,
    /// Bring archived partitions back instead
    #[arg(long)]
    restore: bool,
    /// Only say which
    #[arg(long)]
    dry_run: bool,
    /// Do it without asking
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    /// How long to wait for other writers
    #[arg(long, value_name = "TIME", default_value = "10s")]
    lock_timeout: String,
}

fn date(text: &str) -> Result<Date, String> {
    Date::parse(text).ok_or_else(|| "it is no day such as 2026-11-20".to_owned())
}

pub(super) fn run(context: &mut Context, flags: &Flags) -> Outcome {
    let timeout = duration("--lock-timeout", &flags.lock_timeout)?;
    let store = context.store()?;
    let selection = Selection { issues: flags.issue.clone(), before: flags.before };
    let mut all = match flags.restore {
        true => store.archived(&selection)?,
        false => store.archivable(&selection)?,
    };
    let todo = all.iter().filter(|one| one.kept.is_none()).count();
    let done = todo > 0 && (flags.yes || (!flags.dry_run && asked(context, flags, &all)?));
    if done {
        carry_out(&store, flags, &mut all, timeout)?;
    }
    match context.out.format {
        Format::Text => as_text(context, flags, &all, done),
        Format::Jsonl => Ok(all.iter().try_for_each(|one| context.out.json(one))?),
        Format::Json => Ok(context.out.json(&json!({
            "done": done,
            "restore": flags.restore,
            "partitions": all.iter().filter(|one| one.kept.is_none()).collect::<Vec<_>>(),
            "kept": all.iter().filter(|one| one.kept.is_some()).collect::<Vec<_>>(),
            "bytes": sum(&all, |one| one.bytes),
            "archived_bytes": sum(&all, |one| one.archived_bytes.unwrap_or_default()),
        }))?),
    }
}

fn sum(all: &[Archivable], bytes: impl Fn(&Archivable) -> u64) -> u64 {
    all.iter().filter(|one| one.kept.is_none()).map(bytes).sum()
}

fn carry_out(
    store: &LocalStore,
    flags: &Flags,
    all: &mut [Archivable],
    timeout: Duration,
) -> Result<()> {
    let bar = Bar::new(Unit::Bytes);
    bar.show(0, sum(all, |one| one.bytes));
    let mut done = |bytes| bar.add(bytes);
    let outcome = match flags.restore {
        true => store.restore(all, timeout, &mut done),
        false => store.archive(all, timeout, &mut done),
    };
    bar.clear();
    outcome
}

/// Asks on the terminal; no, where there is none.
fn asked(context: &mut Context, flags: &Flags, all: &[Archivable]) -> io::Result<bool> {
    let terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
    if context.out.format != Format::Text || !terminal {
        return Ok(false);
    }
    context.out.flush()?;
    let verb = if flags.restore { "Restore" } else { "Archive" };
    let count = all.iter().filter(|one| one.kept.is_none()).count();
    let bytes = sum(all, |one| one.bytes);
    // Who cannot be asked has not said yes.
    if write!(io::stderr(), "{verb} {count} partitions, {bytes} bytes? [y/N] ").is_err() {
        return Ok(false);
    }
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn as_text(context: &mut Context, flags: &Flags, all: &[Archivable], done: bool) -> Outcome {
    let mut table = Table::new("");
    for one in all {
        let (role, what) = match (one.kept, one.archived_bytes) {
            (Some(kept), _) => (Role::Dim, format!("stays: {}", kept.meaning())),
            (None, Some(packed)) => (Role::Done, format!("{packed} bytes archived")),
            (None, None) => (Role::Dim, String::new()),
        };
        table.row([
            (Some(Role::Name), one.issue_key.as_str()),
            (None, &one.partition),
            (None, &format!("{} bytes", one.bytes)),
            (Some(role), &escape(&what)),
        ]);
    }
    context.out.table(&table)?;
    let count = all.iter().filter(|one| one.kept.is_none()).count();
    let verb = match (flags.restore, done) {
        (true, true) => "restored",
        (true, false) => "would restore",
        (false, true) => "archived",
        (false, false) => "would archive",
    };
    let line = match count {
        0 if flags.restore => "nothing is archived".to_owned(),
        0 => "nothing to archive".to_owned(),
        1 => format!("{verb} 1 partition"),
        _ => format!("{verb} {count} partitions"),
    };
    let hint = if count > 0 && !done && !flags.dry_run { "; --yes does it" } else { "" };
    let paint = context.out.paint;
    Ok(context.out.line(paint.of(Role::Dim, &format!("{line}{hint}")))?)
}
