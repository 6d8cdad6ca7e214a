//! `store doctor`: says what is wrong or risky around the store.

use clap::Args;
use serde_json::json;

use crate::cli::append::duration;
use crate::cli::context::Context;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::output::{Format, Role, escape};
use crate::error::{Error, ErrorKind};
use crate::store::local::{Diagnosis, Level};

/// How many findings of one kind are told as text.
const TOLD: usize = 5;

/// The flags of `store doctor`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  chronoscope store doctor --json | jq -r '.findings[] | .level + \" \" + .place'\n\nIt changes nothing. Exit 6 when something is broken; warnings alone are exit 0."
)]
pub(super) struct Flags {
    /// How long to wait for other writers
    #[arg(long, value_name = "TIME", default_value = "10s")]
    lock_timeout: String,
}

pub(super) fn run(context: &mut Context, flags: &Flags) -> Outcome {
    let timeout = duration("--lock-timeout", &flags.lock_timeout)?;
    let found = context.store()?.diagnose(timeout)?;
    let count = |level| found.iter().filter(|diagnosis| diagnosis.level == level).count();
    let (damage, warnings, notes) =
        (count(Level::Damage), count(Level::Warning), count(Level::Note));
    match context.out.format {
        Format::Json => context.out.json(&json!({
            "ok": damage == 0,
            "damage": damage,
            "warnings": warnings,
            "notes": notes,
            "findings": found,
        }))?,
        Format::Jsonl => found.iter().try_for_each(|one| context.out.json(one))?,
        Format::Text => {
            as_text(context, &found)?;
            let all = match (damage, warnings) {
                (0, 0) => "nothing is wrong".to_owned(),
                _ => format!("{damage} broken, {warnings} warnings"),
            };
            context.out.line(context.out.paint.of(Role::Dim, &all))?;
        }
    }
    context.out.flush()?;
    match (damage, context.out.format) {
        (0, _) => Ok(()),
        (_, Format::Text) => Err(Error::new(ErrorKind::Integrity, "the store is damaged").into()),
        _ => Err(Failure::Told(ErrorKind::Integrity)),
    }
}

fn as_text(context: &mut Context, found: &[Diagnosis]) -> std::io::Result<()> {
    let paint = context.out.paint;
    let arrow = paint.glyph("→", "->");
    let mut told = std::collections::BTreeMap::<&str, usize>::new();
    for one in found {
        let role = match one.level {
            Level::Damage => Role::Failed,
            Level::Warning => Role::Warned,
            Level::Note => Role::Dim,
        };
        let times = told.entry(one.kind).or_default();
        *times += 1;
        if *times <= TOLD {
            let kind = paint.of(role, one.kind);
            context.out.line(format!("{kind} {}", escape(&one.place)))?;
            context.out.line(format!("  {}: {}", escape(&one.what), one.why))?;
            context.out.line(format!("  {arrow} {}", one.remedy))?;
        }
    }
    for (kind, times) in told.iter().filter(|(_, times)| **times > TOLD) {
        let more = format!("{} more of {kind}; --json tells all", times - TOLD);
        context.out.line(paint.of(Role::Dim, &more))?;
    }
    Ok(())
}
