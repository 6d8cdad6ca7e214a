//! `import`: take in logs that other programs wrote.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::error::{Error, Result};
use crate::import::{FaultKind, ImportOptions, ImportReport, Importer, Mapping};
use crate::schema::Redactor;
use crate::store::local::LocalStore;

use super::context::{Context, interrupt_flag};
use super::failure::Outcome;
use super::output::{Format, Role, Table};

/// How many faults of each kind are shown to people.
const SHOWN: usize = 5;

/// The flags of `import`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  chronoscope import list\n  chronoscope import --from claude-transcript ~/.claude/projects/app/*.jsonl\n  chronoscope import --from fleet .beads/events.jsonl --dry-run\n  chronoscope import --from generic log.jsonl --issue PROJ-7 --field timestamp=/meta/ts\n\nImporting again adds only what is new. Faults in the source are named and what is sound comes in;\nwith --strict any fault refuses the whole import (exit 4)."
)]
pub(crate) struct Flags {
    /// The mapping: a name of `import list`, or a path to one
    #[arg(long, value_name = "MAPPING")]
    from: Option<String>,
    /// The files
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Everything belongs to this issue
    #[arg(long, value_name = "KEY")]
    issue: Option<String>,
    /// Which field of the source is what, over what the mapping says: issue=ticket
    #[arg(long = "field", value_name = "NAME=PLACE")]
    fields: Vec<String>,
    /// Say what would come in, write nothing
    #[arg(long)]
    dry_run: bool,
    /// Refuse everything when there is any fault
    #[arg(long)]
    strict: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the mappings that come with the program
    List,
    /// Print a mapping that comes with the program, to begin an own one with
    Show {
        /// Its name
        name: String,
    },
}

pub(crate) fn run(context: &mut Context, flags: &Flags) -> Outcome {
    match &flags.command {
        Some(Command::List) => return list(context),
        Some(Command::Show { name }) => {
            let text = Mapping::text(name).ok_or_else(|| {
                Error::not_found(format!("no mapping is named {name:?}"))
                    .with_hint("`chronoscope import list` names those that there are")
            })?;
            return Ok(context.out.bytes(text.as_bytes())?);
        }
        None => {}
    }
    let Some(from) = &flags.from else {
        return Err(Error::usage("import needs a mapping")
            .with_hint("name one with --from; `chronoscope import list` prints them")
            .into());
    };
    if flags.files.is_empty() {
        return Err(Error::usage("import needs a file").into());
    }
    context.tell_warnings();
    let mut mapping = Mapping::named(from)?;
    for field in &flags.fields {
        mapping.assign(field)?;
    }
    let redactor = context.redactor()?;
    let report = import(context, flags, &mapping, redactor.clone())
        .map_err(|error| redactor.sieve().error(error))?;
    match context.out.format {
        Format::Json => Ok(context.out.json(&report)?),
        Format::Jsonl => {
            Ok(report.faults.kept().iter().try_for_each(|fault| context.out.json(fault))?)
        }
        Format::Text => as_text(context, &report, flags.dry_run),
    }
}

fn import(
    context: &Context,
    flags: &Flags,
    mapping: &Mapping,
    redactor: Redactor,
) -> Result<ImportReport> {
    let options = ImportOptions {
        issue: flags.issue.clone(),
        dry_run: flags.dry_run,
        strict: flags.strict,
        now: context.clock.now(),
        interrupt: interrupt_flag(),
        redactor,
    };
    let importer = Importer::new(mapping, options)?;
    let path = context.store_path()?;
    let store = if flags.dry_run {
        LocalStore::open(path, context.clock).ok()
    } else {
        Some(LocalStore::create(path, context.clock)?)
    };
    let bar = super::progress::Bar::new(super::progress::Unit::Bytes);
    let report = importer.run(&flags.files, store.as_ref(), &mut |progress| {
        bar.show(progress.bytes, progress.total);
    });
    bar.clear();
    if let (Ok(_), Some(store), false) = (&report, &store, flags.dry_run) {
        super::seal::after_all(store);
    }
    if let Some(store) = &store {
        context.tell_complaint(store);
    }
    report
}

fn list(context: &mut Context) -> Outcome {
    let mappings = Mapping::list()?;
    match context.out.format {
        Format::Json => Ok(context.out.json(&mappings)?),
        Format::Jsonl => Ok(mappings.iter().try_for_each(|row| context.out.json(row))?),
        Format::Text => {
            let mut table = Table::new("");
            for mapping in &mappings {
                table.row([(Some(Role::Name), mapping.name.as_str()), (None, &mapping.title)]);
            }
            Ok(context.out.table(&table)?)
        }
    }
}

fn as_text(context: &mut Context, report: &ImportReport, dry_run: bool) -> Outcome {
    let appended = if dry_run { "would append" } else { "appended" };
    let mut table = Table::new("");
    let label = Some(Role::Dim);
    table.row([(label, "mapping"), (Some(Role::Name), report.mapping.as_str())]);
    table.row([(label, "read"), (None, &report.read.to_string())]);
    table.row([(label, appended), (Some(Role::Done), &report.appended.to_string())]);
    table.row([(label, "duplicates"), (None, &report.duplicates.to_string())]);
    if report.redacted > 0 {
        table.row([
            (label, "secrets"),
            (Some(Role::Warned), &format!("{} redacted", report.redacted)),
        ]);
    }
    table.row([(label, "issues"), (None, &report.issues.to_string())]);
    context.out.table(&table)?;
    let paint = context.out.paint;
    for kind in FaultKind::ALL {
        let count = report.faults.count(*kind);
        if count == 0 {
            continue;
        }
        let head = paint.of(Role::Warned, kind.name());
        context.out.line(format!("\n{head} {count}: {}", kind.meaning()))?;
        let mut table = Table::new("  ");
        let of_kind = report.faults.kept().iter().filter(|fault| fault.kind == *kind);
        for fault in of_kind.take(SHOWN) {
            let place = match fault.line {
                0 => fault.file.clone(),
                line => format!("{}:{line}", fault.file),
            };
            table.row([(Some(Role::Dim), &place), (None, &fault.detail)]);
        }
        context.out.table(&table)?;
    }
    if !report.unmapped.is_empty() {
        context.out.line(format!("\n{}", paint.of(Role::Dim, "read by nothing in the mapping")))?;
        let mut table = Table::new("  ");
        for (name, count) in &report.unmapped {
            table.row([(label, count.to_string().as_str()), (None, name)]);
        }
        context.out.table(&table)?;
    }
    Ok(())
}
