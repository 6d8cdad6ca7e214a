//! The result of a replay, for people and as JSON.

use crate::replay::{Outcome as One, Report, Status};
use crate::store::local::Finding;

use super::super::context::Context;
use super::super::failure::Outcome;
use super::super::output::{Format, Role, Table, cut, escape};
use super::into::{Copies, Copy, Fate};

/// How many of the last lines are printed that the handler of a failed event wrote to its stderr.
const COMPLAINT_LINES: usize = 5;
/// How wide each is at most, wherever it is printed.
const COMPLAINT_COLUMNS: usize = 400;
const COMPLAINT_INDENT: &str = "    ";

/// Prints a result: the document, its events one a line, or a table.
pub(super) fn show(context: &mut Context, report: &Report, is_copy: bool) -> Outcome {
    match context.out.format {
        Format::Json => Ok(context.out.json(report)?),
        Format::Jsonl => Ok(report.results.iter().try_for_each(|fate| context.out.json(fate))?),
        Format::Text => as_text(context, report, is_copy),
    }
}

fn as_text(context: &mut Context, report: &Report, is_copy: bool) -> Outcome {
    if is_copy {
        of_copy(context, report)?;
    } else {
        of_replay(context, report)?;
    }
    evidence(context, COPIED, &report.source_findings.iter().collect::<Vec<_>>())?;
    evidence(
        context,
        added_to(report.dry_run),
        &report.target_findings.iter().collect::<Vec<_>>(),
    )?;
    summary(context, report, is_copy)
}

/// Names what is not taken as it is recorded, and counts what is.
fn of_replay(context: &mut Context, report: &Report) -> Outcome {
    let plain = |fate: &&One| fate.status == Status::Replayed;
    let mut table = Table::new("");
    for fate in report.results.iter().filter(|fate| !plain(fate)) {
        let position = format!("#{}", fate.position);
        let tries = fate.result.as_ref().filter(|result| result.attempts > 1);
        let tries = tries.map_or_else(String::new, |r| format!(" (try {})", r.attempts));
        table.row([
            (Some(Role::Dim), &position),
            (Some(role(fate.status)), fate.status.name()),
            (Some(Role::Name), &fate.event_type),
            (None, &format!("{}{tries}", fate.reason.as_deref().unwrap_or_default())),
        ]);
    }
    let lines = table.lines(context.out.paint, context.out.columns);
    for (line, fate) in lines.iter().zip(report.results.iter().filter(|fate| !plain(fate))) {
        context.out.line(line)?;
        complaint(context, fate)?;
    }
    let records = report.results.iter().filter(plain).count();
    if records > 0 {
        let text = format!("{records} taken as they are recorded");
        let text = context.out.paint(Role::Dim, &text);
        context.out.line(text)?;
    }
    Ok(())
}

/// How many events of a copy are named of a kind; the others are in its JSON.
const NAMED: usize = 20;

/// Counts what is plainly copied; counts and names what is not.
fn of_copy(context: &mut Context, report: &Report) -> Outcome {
    let (behind, new): (Vec<&One>, Vec<&One>) =
        report.results.iter().partition(|fate| fate.status == Status::Failed);
    let copied = if report.dry_run { "would be copied" } else { "copied" };
    let plain = report.replayed_count.saturating_sub(new.len() as u64);
    if plain > 0 {
        let text = context.out.paint(Role::Dim, &format!("{plain} {copied} plainly"));
        context.out.line(text)?;
    }
    if !new.is_empty() {
        context.out.line(format!("{} {copied} with something new:", new.len()))?;
        named(context, &new)?;
    }
    if !behind.is_empty() {
        let text = format!("{} cannot be copied:", behind.len());
        let text = context.out.paint(Role::Failed, &text);
        context.out.line(text)?;
        named(context, &behind)?;
    }
    Ok(())
}

/// Names the first of some events, each with what there is to say of it.
fn named(context: &mut Context, fates: &[&One]) -> Outcome {
    let mut table = Table::new("  ");
    for fate in fates.iter().take(NAMED) {
        table.row([
            (Some(Role::Dim), &*format!("#{}", fate.position)),
            (Some(Role::Name), &fate.event_type),
            (None, fate.reason.as_deref().unwrap_or_default()),
        ]);
    }
    context.out.table(&table)?;
    let more = fates.len().saturating_sub(NAMED);
    if more > 0 {
        let text = format!("  and {more} more; --json has all");
        let text = context.out.paint(Role::Dim, &text);
        context.out.line(text)?;
    }
    Ok(())
}

/// How many findings are named; the others are for `verify`.
const FINDINGS: usize = 8;

/// What is copied.
const COPIED: &str = "the log that was copied";
/// What it is copied into.
fn added_to(dry_run: bool) -> &'static str {
    if dry_run {
        "the log that the copy would be added to"
    } else {
        "the log that the copy was added to"
    }
}

/// Says that a log is not what was recorded.
fn evidence(context: &mut Context, log: &str, findings: &[&Finding]) -> Outcome {
    if findings.is_empty() {
        return Ok(());
    }
    let text = format!("{log} is not what was recorded:");
    let text = context.out.paint(Role::Failed, &text);
    context.out.line(text)?;
    let mut table = Table::new("  ");
    for finding in findings.iter().take(FINDINGS) {
        let line = finding.line.map_or_else(String::new, |line| format!(":{line}"));
        let at = format!("{}{line}", finding.file.display());
        table.row([
            (Some(Role::Failed), finding.kind.name()),
            (Some(Role::Name), &*at),
            (None, &finding.detail),
        ]);
    }
    context.out.table(&table)?;
    let more = findings.len().saturating_sub(FINDINGS);
    let more = if more > 0 { format!("and {more} more; ") } else { String::new() };
    let text = format!("  {more}`chronoscope verify` tells all, `store repair` mends what it can");
    let text = context.out.paint(Role::Dim, &text);
    Ok(context.out.line(text)?)
}

/// Prints the end of what the handler of a failed event complained of.
fn complaint(context: &mut Context, fate: &One) -> Outcome {
    let Some(result) = fate.result.as_ref().filter(|_| fate.status == Status::Failed) else {
        return Ok(());
    };
    let lines = result.stderr.lines().rev().filter(|line| !line.trim().is_empty());
    let mut last: Vec<&str> = lines.take(COMPLAINT_LINES).collect();
    last.reverse();
    let room = (context.out.columns - COMPLAINT_INDENT.len()).min(COMPLAINT_COLUMNS);
    for line in last {
        let line = context.out.paint.of(Role::Dim, &cut(&escape(line), room));
        context.out.line(format!("{COMPLAINT_INDENT}{line}"))?;
    }
    Ok(())
}

/// Prints what became of each issue: the document, one a line, or a line of summary each.
pub(super) fn copies(context: &mut Context, copies: &Copies) -> Outcome {
    match context.out.format {
        Format::Json => return Ok(context.out.json(copies)?),
        Format::Jsonl => {
            return Ok(copies.issues.iter().try_for_each(|copy| context.out.json(copy))?);
        }
        Format::Text => {}
    }
    let mut table = Table::new("");
    for Copy { issue_key, fate } in &copies.issues {
        let name = (Some(Role::Name), issue_key.as_str());
        let Fate::Done(report) = fate else {
            // The error was told when it came.
            table.row([name, (Some(Role::Failed), "not copied")]);
            continue;
        };
        let what = if report.dry_run { "would be copied" } else { "copied" };
        let copied = format!("{} {what}", report.replayed_count);
        let failed = format!("{} failed", report.failed_count);
        let failed_role = if report.failed_count > 0 { Role::Failed } else { Role::Dim };
        let state_role = if report.final_state.matches { Role::Dim } else { Role::Warned };
        table.row([
            name,
            (Some(Role::Done), &copied),
            (Some(failed_role), &failed),
            (Some(state_role), &in_short(report)),
            (Some(Role::Dim), &report.final_state.digest),
        ]);
    }
    context.out.table(&table)?;
    details(context, copies)?;
    let reports: Vec<&Report> =
        copies.issues.iter().filter_map(|copy| copy.fate.report()).collect();
    let sources = reports.iter().flat_map(|report| &report.source_findings);
    let targets = reports.iter().flat_map(|report| &report.target_findings);
    evidence(context, COPIED, &sources.chain(&copies.source_findings).collect::<Vec<_>>())?;
    evidence(
        context,
        added_to(copies.dry_run),
        &targets.chain(&copies.target_findings).collect::<Vec<_>>(),
    )?;
    let (issues, failed) = (copies.issues.len(), copies.failed_issues);
    let dry = if copies.dry_run { "; dry run: nothing was done (--execute)" } else { "" };
    Ok(context.out.line(format!("{issues} issues, {failed} of them with failures{dry}"))?)
}

/// How a state stands beside the recorded one, without where they differ.
fn in_short(report: &Report) -> String {
    if report.final_state.matches { state_of(report, true) } else { "another state".to_owned() }
}

/// Names what is not plainly copied, and where states differ.
fn details(context: &mut Context, copies: &Copies) -> Outcome {
    let mut table = Table::new("  ");
    for Copy { issue_key, fate } in &copies.issues {
        let Fate::Done(report) = fate else { continue };
        for fate in &report.results {
            table.row([
                (Some(Role::Dim), &*format!("{issue_key} #{}", fate.position)),
                (Some(role(fate.status)), fate.status.name()),
                (Some(Role::Name), &fate.event_type),
                (None, fate.reason.as_deref().unwrap_or_default()),
            ]);
        }
        if !report.final_state.matches {
            let difference = (None, &*state_of(report, true));
            table.row([(Some(Role::Dim), &**issue_key), (None, ""), (None, "state"), difference]);
        }
    }
    Ok(context.out.table(&table)?)
}

fn role(status: Status) -> Role {
    match status {
        Status::Executed => Role::Done,
        Status::Replayed | Status::Skipped => Role::Dim,
        Status::WouldExecute => Role::Running,
        Status::Failed => Role::Failed,
    }
}

fn summary(context: &mut Context, report: &Report, is_copy: bool) -> Outcome {
    let label = Some(Role::Dim);
    let mut table = Table::new("");
    let what = if report.dry_run { "dry run: nothing was done (--execute)" } else { "done" };
    table.row([(label, "replay"), (Some(Role::Name), &report.replay_id)]);
    table.row([(label, ""), (None, what)]);
    table.row([(label, "replayed"), (Some(Role::Done), &report.replayed_count.to_string())]);
    table.row([(label, "skipped"), (None, &report.skipped_count.to_string())]);
    let failed = if report.failed_count > 0 { Some(Role::Failed) } else { None };
    table.row([(label, "failed"), (failed, &report.failed_count.to_string())]);
    let rate = format!("{:.1} %", report.success_rate * 100.0);
    let is_nothing = report.replayed_count + report.skipped_count + report.failed_count == 0;
    let (told, told_role) =
        if is_nothing { ("no event was selected", Some(Role::Warned)) } else { (&*rate, None) };
    table.row([(label, "success"), (told_role, told)]);
    let (state, told) = (&report.final_state, state_of(report, is_copy));
    table.row([(label, "state"), (if state.matches { None } else { Some(Role::Warned) }, &told)]);
    table.row([(label, "digest"), (label, &state.digest)]);
    Ok(context.out.table(&table)?)
}

/// How the state that it came to stands beside the recorded one.
fn state_of(report: &Report, is_copy: bool) -> String {
    let state = &report.final_state;
    match (&state.first_difference, state.matches) {
        (_, true) if is_copy && report.failed_count > 0 => "as what is copied makes it".to_owned(),
        (_, true) if !report.source_findings.is_empty() => "as that log has it".to_owned(),
        (_, true) => "as it is recorded".to_owned(),
        (Some(first), _) => {
            let show = |value: &Option<crate::model::Value>| {
                value.as_ref().map_or_else(|| "nothing".to_owned(), crate::model::Value::to_json)
            };
            let (recorded, replayed) = (show(&first.recorded), show(&first.replayed));
            let at = first.position.map_or_else(String::new, |at| format!(" (from #{at} on)"));
            format!("{} is {replayed}, recorded is {recorded}{at}", first.path)
        }
        (None, false) => "another than is recorded".to_owned(),
    }
}
