//! `verify`: is every line of the store what it should be?

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::session::snapshots;
use crate::store::local::{Anchor, Anchored, Finding, FindingKind, Signature};

use super::context::Context;
use super::failure::{Failure, Outcome};
use super::output::{Format, Role, Table};

/// The flags of `verify`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  chronoscope verify\n  chronoscope verify PROJ-123 --deep --json\n  chronoscope verify --anchor checkpoint.txt       # what `store checkpoint` printed before\n  chronoscope verify --event 0197c3a2 --proof\n\nEvery line is held against the hash it was logged with, the hashes against the last signed\ncheckpoint. Exit 6 when something is found. Only a checkpoint that was kept elsewhere shows that\nthe whole store was not put back to an older one: without --anchor, no rollback is provable."
)]
pub(crate) struct Flags {
    /// The issue; all if not given
    issue: Option<String>,
    /// Fold every log anew and compare with the snapshots too
    #[arg(long)]
    deep: bool,
    /// A checkpoint that was kept elsewhere: the log must go on from it
    #[arg(long, value_name = "FILE")]
    anchor: Option<PathBuf>,
    /// Print what proves that this event is in the signed log
    #[arg(long, value_name = "ID", requires = "proof", conflicts_with_all = ["issue", "deep", "anchor"])]
    event: Option<String>,
    /// With --event: a proof as JSON that others can check without the log
    #[arg(long, requires = "event")]
    proof: bool,
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
    /// The remembered checkpoint that the log goes on from.
    anchor: Option<Anchored>,
    /// What is proven, in words.
    statement: String,
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
    if let Some(id) = &flags.event {
        return Ok(context.out.json(&store.prove(id)?)?);
    }
    let anchor = flags.anchor.as_deref().map(read_anchor).transpose()?;
    let report = store.verify_from(flags.issue.as_deref(), anchor.as_ref())?;
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
    let Signature { size, root, signed_by, anchor } = report.signature;
    let answer = Answer {
        ok: findings.is_empty(),
        statement: statement(size, anchor.as_ref(), flags.issue.as_deref()),
        proven_size: size,
        root,
        signed_by,
        findings,
        events: report.events,
        bytes: report.bytes,
        anchor,
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

fn read_anchor(file: &Path) -> Result<Anchor> {
    let note = match file.to_str() {
        Some("-") => std::io::read_to_string(std::io::stdin()),
        _ => std::fs::read_to_string(file),
    };
    let note = note.map_err(|e| {
        Error::usage(format!("cannot read {}: {e}", file.display()))
            .with_hint("--anchor takes a file with what `store checkpoint` printed; - is stdin")
    })?;
    Ok(Anchor { file: file.to_owned(), note })
}

/// What a check without findings proves about what is not there any more, and of what.
fn statement(signed: u64, anchor: Option<&Anchored>, issue: Option<&str>) -> String {
    let mut statement = match (anchor, signed) {
        (Some(anchor), _) => {
            format!(
                "signed up to {signed}, and the log goes on from the anchor over {}",
                anchor.size
            )
        }
        (None, 0) => "nothing is signed: no rollback provable since size 0".to_owned(),
        (None, _) => format!(
            "signed up to {signed}; no rollback provable since size {signed}, nor of the whole \
             store without --anchor"
        ),
    };
    if let Some(key) = issue {
        statement.push_str("; of the lines, only those of ");
        statement.push_str(key);
        statement.push_str(" were checked");
    }
    statement
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
        context.out.line(paint.of(Role::Dim, &format!("  {}", answer.statement)))
    } else {
        context.out.line(paint.of(Role::Dim, &all))
    }
}
