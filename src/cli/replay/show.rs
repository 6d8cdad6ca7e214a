//! The result of a replay, for people and as JSON.

use crate::replay::{Outcome as Fate, Report, Status};

use super::super::context::Context;
use super::super::failure::Outcome;
use super::super::output::{Format, Role, Table};

/// Prints a result: the document, its events one a line, or a table.
pub(super) fn show(context: &mut Context, report: &Report) -> Outcome {
    match context.out.format {
        Format::Json => Ok(context.out.json(report)?),
        Format::Jsonl => Ok(report.results.iter().try_for_each(|fate| context.out.json(fate))?),
        Format::Text => as_text(context, report),
    }
}

fn as_text(context: &mut Context, report: &Report) -> Outcome {
    let plain = |fate: &&Fate| fate.status == Status::Replayed;
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
    context.out.table(&table)?;
    let records = report.results.iter().filter(plain).count();
    if records > 0 {
        let text = format!("{records} taken as they are recorded");
        let text = context.out.paint(Role::Dim, &text);
        context.out.line(text)?;
    }
    summary(context, report)
}

fn role(status: Status) -> Role {
    match status {
        Status::Executed => Role::Done,
        Status::Replayed | Status::Skipped => Role::Dim,
        Status::WouldExecute => Role::Running,
        Status::Failed => Role::Failed,
    }
}

fn summary(context: &mut Context, report: &Report) -> Outcome {
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
    table.row([(label, "success"), (None, &rate)]);
    let state = &report.final_state;
    let told = match (&state.first_difference, state.matches) {
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
    };
    table.row([(label, "state"), (if state.matches { None } else { Some(Role::Warned) }, &told)]);
    table.row([(label, "digest"), (label, &state.digest)]);
    Ok(context.out.table(&table)?)
}
