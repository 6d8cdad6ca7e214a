//! `store repair`: says what stops appends or reading, asks, and mends it.

use std::io::{self, BufRead, IsTerminal, Write};
use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::cli::append::duration;
use crate::cli::context::Context;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::output::{Format, Role, escape};
use crate::error::{Error, ErrorKind};
use crate::store::local::{LocalStore, Mend, RepairAction};

/// The flags of `store repair`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  chronoscope store repair              # says what it would do, and asks\n  chronoscope store repair PROJ-123 --yes\n\nWhat is taken out of a log is kept in .chronoscope/quarantine for ever, with a note of where it\nstood; everything else stays byte for byte. Events that were published and are damaged or gone come\nback from the global log. Without a terminal and without --yes it only says what it would do.\n\nExit 6 while something is left that stops appends or reading."
)]
pub(super) struct Flags {
    /// The issue; all if not given
    issue: Option<String>,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
    /// How long to wait for other writers
    #[arg(long, value_name = "TIME", default_value = "10s")]
    lock_timeout: String,
}

pub(super) fn run(context: &mut Context, flags: &Flags) -> Outcome {
    let timeout = duration("--lock-timeout", &flags.lock_timeout)?;
    let store = context.store()?;
    let told = store.examine(flags.issue.as_deref(), timeout)?;
    let todo = told.iter().filter(|mend| mend.action != RepairAction::Leave).count();
    let text = context.out.format == Format::Text;
    if text {
        explain(context, &told)?;
    }
    if todo > 0 && (flags.yes || (text && asked(context, todo)?)) {
        return mend(context, &store, flags.issue.as_deref(), (&told, todo), timeout);
    }
    if text {
        let all = match told.len() {
            0 => "nothing to repair",
            _ if todo == 0 => "nothing that a repair can do",
            _ => "nothing was changed; --yes does it",
        };
        context.out.line(context.out.paint.of(Role::Dim, all))?;
    } else {
        print(context, &told, false, None)?;
    }
    end(context, todo > 0 || told.iter().any(Mend::stays))
}

fn mend(
    context: &mut Context,
    store: &LocalStore,
    issue: Option<&str>,
    (told, todo): (&[Mend], usize),
    timeout: Duration,
) -> Outcome {
    let done = store.repair(issue, told, timeout)?;
    if context.out.format == Format::Text {
        for kept in done.mends.iter().filter_map(|mend| mend.quarantine.as_ref()) {
            context.out.line(format!("kept {}", escape(&kept.display().to_string())))?;
        }
        let faults = if todo == 1 { "1 fault".to_owned() } else { format!("{todo} faults") };
        let paint = context.out.paint;
        let mark = paint.of(Role::Done, paint.glyph("✓", "+"));
        context.out.line(format!("{mark} mended {faults}; what is derived was made anew"))?;
        if let Some(fault) = &done.derived_fault {
            context.out.line(format!("but: {}", escape(fault)))?;
        }
    } else {
        print(context, &done.mends, true, done.derived_fault.as_deref())?;
    }
    end(context, done.derived_fault.is_some() || done.mends.iter().any(Mend::stays))
}

fn explain(context: &mut Context, mends: &[Mend]) -> io::Result<()> {
    for mend in mends {
        let line = mend.line.map_or_else(String::new, |line| format!(":{line}"));
        let paint = context.out.paint;
        let place = escape(&format!("{}{line}", mend.file.display()));
        let kind = paint.of(Role::Failed, mend.kind.name());
        context.out.line(format!("{} {place}", context.out.paint(Role::Name, &mend.issue_key)))?;
        context.out.line(format!("  {kind}: {}", escape(&mend.detail)))?;
        let arrow = paint.glyph("→", "->");
        context.out.line(format!("  {arrow} {}", escape(&mend.remedy)))?;
    }
    Ok(())
}

/// Asks on the terminal; no, where there is none.
fn asked(context: &mut Context, todo: usize) -> io::Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(false);
    }
    context.out.flush()?;
    let all = if todo == 1 { "it" } else { "all of it" };
    // Who cannot be asked has not said yes.
    if write!(io::stderr(), "Do {all}? [y/N] ").is_err() {
        return Ok(false);
    }
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn print(
    context: &mut Context,
    mends: &[Mend],
    done: bool,
    derived_fault: Option<&str>,
) -> io::Result<()> {
    match context.out.format {
        Format::Jsonl => mends.iter().try_for_each(|mend| context.out.json(mend)),
        _ => {
            let left = mends.iter().filter(|mend| mend.action == RepairAction::Leave).count();
            context.out.json(&json!({
                "done": done,
                "left": left,
                "mends": mends,
                "derived_fault": derived_fault,
            }))
        }
    }
}

fn end(context: &mut Context, damaged: bool) -> Outcome {
    context.out.flush()?;
    if !damaged {
        return Ok(());
    }
    match context.out.format {
        Format::Text => {
            let message = "there is damage that stops appends or reading";
            Err(Error::new(ErrorKind::Integrity, message).into())
        }
        _ => Err(Failure::Told(ErrorKind::Integrity)),
    }
}
