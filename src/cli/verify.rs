//! `verify`: is every line of the store what it should be?

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::error::{Error, ErrorKind};
use crate::session::snapshots;
use crate::store::local::{Finding, FindingKind};

use super::context::Context;
use super::failure::{Failure, Outcome};
use super::output::{Format, Role, Table};

/// The flags of `verify`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  chronoscope verify\n  chronoscope verify PROJ-123 --deep --json\n\nExit 6 when something is found. This version has no signed checkpoints yet: it finds damage and\ninconsistency, and cannot prove that nothing was taken away; --json says so with a root of null."
)]
pub(crate) struct Flags {
    /// The issue; all if not given
    issue: Option<String>,
    /// Fold every log anew and compare with the snapshots too
    #[arg(long)]
    deep: bool,
}

/// The answer, in the order of the printed keys.
#[derive(Debug, Serialize)]
struct Answer {
    ok: bool,
    /// How many events a signed checkpoint covers.
    proven_size: u64,
    root: Option<String>,
    signed_by: Option<String>,
    findings: Vec<Row>,
    events: u64,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct Row {
    kind: FindingKind,
    issue_key: Option<String>,
    file: PathBuf,
    line: Option<u64>,
    event_sequence: Option<u64>,
    detail: String,
}

impl From<Finding> for Row {
    fn from(finding: Finding) -> Self {
        let Finding { kind, issue_key, file, line, event_sequence, detail } = finding;
        Self { kind, issue_key, file, line, event_sequence, detail }
    }
}

pub(crate) fn run(context: &mut Context, flags: &Flags) -> Outcome {
    let store = context.store()?;
    let report = store.verify(flags.issue.as_deref())?;
    let mut findings: Vec<Row> = report.findings.into_iter().map(Row::from).collect();
    if flags.deep {
        let keys = flags.issue.clone().map_or_else(|| store.keys(), |key| Ok(vec![key]))?;
        for key in keys {
            for mismatch in snapshots::compare(&store, &key)? {
                findings.push(Row {
                    kind: FindingKind::BadSnapshot,
                    issue_key: Some(key.clone()),
                    file: mismatch.path,
                    line: None,
                    event_sequence: Some(mismatch.event_sequence),
                    detail: mismatch.detail,
                });
            }
        }
    }
    let count = findings.len();
    let answer = Answer {
        ok: findings.is_empty(),
        proven_size: 0,
        root: None,
        signed_by: None,
        findings,
        events: report.events,
        bytes: report.bytes,
    };
    match context.out.format {
        Format::Json => context.out.json(&answer)?,
        Format::Jsonl => answer.findings.iter().try_for_each(|row| context.out.json(row))?,
        Format::Text => as_text(context, &answer)?,
    }
    context.out.flush()?;
    match (count, context.out.format) {
        (0, _) => Ok(()),
        (_, Format::Json | Format::Jsonl) => Err(Failure::Told(ErrorKind::Integrity)),
        (count, Format::Text) => {
            let found = if count == 1 { "1 fault".to_owned() } else { format!("{count} faults") };
            Err(Error::new(ErrorKind::Integrity, format!("{found} found")).into())
        }
    }
}

fn as_text(context: &mut Context, answer: &Answer) -> std::io::Result<()> {
    let mut table = Table::new("");
    for row in &answer.findings {
        let line = row.line.map_or_else(String::new, |line| format!(":{line}"));
        table.row([
            (Some(Role::Failed), row.kind.name()),
            (Some(Role::Name), row.issue_key.as_deref().unwrap_or("–")),
            (None, &format!("{}{line}", row.file.display())),
            (None, &row.detail),
        ]);
    }
    context.out.table(&table)?;
    let paint = context.out.paint;
    let all = format!("{} events, {} bytes read", answer.events, answer.bytes);
    if answer.ok {
        let mark = paint.of(Role::Done, paint.glyph("✓", "+"));
        context.out.line(format!("{mark} every line is sound: {all}"))?;
        let unproven = "  no checkpoint signs this log: that nothing was taken away is not proven";
        context.out.line(paint.of(Role::Dim, unproven))
    } else {
        context.out.line(paint.of(Role::Dim, &all))
    }
}
