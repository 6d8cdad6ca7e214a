//! `demo`: a sample store to look around in; without a terminal, a tour of what it shows.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;

use crate::demo::{DemoStore, Live, Pace, TOUR, create};
use crate::diff::DiffOptions;
use crate::error::{Error, Result};
use crate::model::Moment;
use crate::session::Session;

use super::context::{Context, position, refuse_scheme};
use super::failure::Outcome;
use super::output::{Format, Role};
use super::screen::Start;

/// The flags of `demo`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  chronoscope demo\n  chronoscope demo --dir /tmp/sample\n\nThe store stays where it is: `chronoscope --store DIR …` looks into it again."
)]
pub(crate) struct Flags {
    /// Where to make the sample store; a folder in the user's data folder if not given
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(crate) fn run(context: &mut Context, flags: &Flags) -> Outcome {
    flags.dir.iter().try_for_each(|dir| refuse_scheme(dir, "--dir"))?;
    let dir = flags.dir.clone().map_or_else(default_dir, Ok)?;
    let demo = create(&dir, context.clock)?;
    let text = context.out.format == Format::Text;
    if text && context.out.terminal && std::io::stdin().is_terminal() {
        // Plays until the screen is left.
        let live = Live::start(demo.store.clone(), context.clock, Pace::Human)?;
        let issue = Some(live.issue_key().to_owned());
        let start = Start { follow: true, ..Start::default() };
        return super::screen::show(context, demo.store, issue, start);
    }
    tour(context, &demo)
}

fn default_dir() -> Result<PathBuf> {
    let store = super::context::user_store()?;
    let folder = store.parent().ok_or_else(|| Error::internal("a store without a folder"))?;
    Ok(folder.join("demo"))
}

/// The most columns that the tour takes.
const TOUR_COLUMNS: usize = 100;

/// Timeline, state, diff, and where the store is.
fn tour(context: &mut Context, demo: &DemoStore) -> Outcome {
    let mut session = Session::read(&*demo.store, TOUR.issue_key)?;
    let failure = position(&mut session, Some(TOUR.failure), &Moment::End)?;
    let from = position(&mut session, Some(TOUR.fix.0), &Moment::Start)?;
    let to = position(&mut session, Some(TOUR.fix.1), &Moment::End)?;
    let path = demo.store.root().display().to_string();
    if context.out.format != Format::Text {
        let issues: Vec<_> = demo
            .issues
            .iter()
            .map(|(key, events)| serde_json::json!({"issue_key": key, "events": events}))
            .collect();
        return Ok(context.out.json(&serde_json::json!({"store": path, "issues": issues}))?);
    }
    let issue = TOUR.issue_key;
    // For people, wherever it goes.
    context.out.columns = context.out.columns.min(TOUR_COLUMNS);
    step(context, "What happened", &format!("timeline {issue} --around {}", TOUR.failure))?;
    let window =
        failure.saturating_sub(10).max(1)..failure.saturating_add(6).min(session.head() + 1);
    super::timeline::print(context, &mut session, failure, window)?;
    let command = format!("state {issue} --at {} --path {}", TOUR.failure, TOUR.state_path);
    step(context, "What was true when it went wrong", &command)?;
    let state = session.state_at(failure)?;
    let value = super::state::value_at(&state, TOUR.state_path, failure)?;
    super::state::print_value(context, &value)?;
    step(context, "What put it right", &format!("diff {issue} {} {}", TOUR.fix.0, TOUR.fix.1))?;
    super::diff::print(context, &mut session, from, to, DiffOptions::default())?;
    step(context, "Who set the value that was wrong", &format!("why {issue} {}", TOUR.culprit))?;
    super::why::print(context, &mut session, TOUR.culprit, None, None)?;
    let shown = context.out.paint(Role::Name, &path);
    context.out.line(format!("\nThe sample store is in {shown}"))?;
    Ok(context
        .out
        .line("In a terminal, `chronoscope demo` opens it, with a session that plays live.")?)
}

/// What is shown, and the command that shows it.
fn step(context: &mut Context, what: &str, command: &str) -> Outcome {
    let what = context.out.paint(Role::Strong, what);
    let command = context.out.paint(Role::Dim, &format!("chronoscope {command}"));
    Ok(context.out.line(format!("\n{what}   {command}"))?)
}
