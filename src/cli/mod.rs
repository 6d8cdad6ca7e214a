//! The command line: a thin file per command that resolves its flags, calls the core and prints.
//!
//! Lives here: parsing, dispatch, printing, exit codes; the only place but the screen that prints.
//! May not live here: anything that a program without a terminal would need as well.

mod append;
mod args;
mod branch;
mod compare;
mod completions;
mod config;
mod context;
mod demo;
mod diff;
mod failure;
mod find;
mod git;
mod import;
mod man;
mod open;
mod output;
mod progress;
mod query;
mod races;
mod reference;
mod replay;
mod schema;
mod screen;
mod seal;
mod selection;
mod snapshot;
mod state;
mod store;
mod summary;
mod tail;
mod timeline;
mod trace;
mod verify;
mod why;

use std::process::ExitCode;

use clap::error::ErrorKind as ClapKind;

use args::{Command, CommandLine};
use context::Context;
use failure::{Failure, Outcome};
use output::{Format, Paint};

use crate::error::Error;
use crate::model::ids;
use crate::schema::Redactor;

/// The program: parses the arguments, runs the command, tells how it ended.
#[must_use]
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(failure::on_panic));
    let args: Vec<std::ffi::OsString> = std::env::args_os().collect();
    let run = || match args::parse(&args) {
        Ok(line) => run(line),
        Err(error) => refuse(&error, &args),
    };
    std::panic::catch_unwind(run)
        .unwrap_or_else(|_| crate::error::ErrorKind::Internal.exit_code().into())
}

fn run(line: CommandLine) -> ExitCode {
    let format = line.global.format();
    let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let paint = Paint::choose(line.global.color, line.global.ascii, terminal);
    let outcome = dispatch(line);
    failure::conclude(outcome, format, paint)
}

fn dispatch(line: CommandLine) -> Outcome {
    context::outlive_file_limit();
    let CommandLine { global, open, command } = line;
    let Some(command) = command else {
        let mut context = Context::new(global)?;
        context::keep_exit_statuses();
        open::run(&mut context, &open)?;
        return Ok(context.out.flush()?);
    };
    if let Some(first) = &open.issue {
        let message = format!("{first:?} stands before the name of the command");
        let hint = "give the command first: `chronoscope state PROJ-123`";
        return Err(Error::usage(message).with_hint(hint).into());
    }
    let mut context = Context::new(global)?;
    let context = &mut context;
    if !matches!(command, Command::Append(_)) {
        context::keep_exit_statuses();
    }
    if !matches!(command, Command::Append(_) | Command::Import(_) | Command::Replay(_)) {
        context::end_on_interrupt();
    }
    match command {
        Command::Append(flags) => append::run(context, &flags),
        Command::State(flags) => state::run(context, &flags),
        Command::Timeline(flags) => timeline::run(context, &flags),
        Command::Diff(flags) => diff::run(context, &flags),
        Command::Why(flags) => why::run(context, &flags),
        Command::Find(flags) => find::run(context, &flags),
        Command::Trace(flags) => trace::run(context, &flags),
        Command::Races(flags) => races::run(context, &flags),
        Command::Compare(flags) => compare::run(context, &flags),
        Command::Branch(flags) => branch::run(context, &flags),
        Command::Replay(flags) => replay::run(context, &flags),
        Command::Query(flags) => query::run(context, &flags),
        Command::Tail(flags) => tail::run(context, &flags),
        Command::Import(flags) => import::run(context, &flags),
        Command::Snapshot(flags) => snapshot::run(context, &flags),
        Command::Verify(flags) => verify::run(context, &flags),
        Command::Store(flags) => store::run(context, &flags),
        Command::Schema(flags) => schema::run(context, &flags),
        Command::Config(flags) => config::run(context, &flags),
        Command::Demo(flags) => demo::run(context, &flags),
        Command::Completions(flags) => completions::run(context, &flags),
        Command::Man(_) => man::run(context),
    }?;
    Ok(context.out.flush()?)
}

/// Help and version go to stdout; what cannot be parsed is a usage error like any other.
fn refuse(error: &clap::Error, args: &[std::ffi::OsString]) -> ExitCode {
    let format = args::format_of_raw_args();
    let asked = matches!(error.kind(), ClapKind::DisplayHelp | ClapKind::DisplayVersion);
    // The message repeats what was given, which may have come from an event.
    let redactor = Redactor::default();
    let mut sieve = redactor.sieve();
    args.iter().for_each(|arg| sieve.learn_json(&arg.to_string_lossy()));
    let steers = |arg: &std::ffi::OsString| {
        let text = arg.to_string_lossy();
        text.chars().any(ids::is_control) || redactor.finds(&text)
    };
    if !asked && format == Format::Text && args.iter().any(steers) {
        let text = error.render().to_string();
        let message = sieve.words(text.trim_start_matches("error: ").trim_end());
        return failure::conclude(Err(Error::usage(message).into()), format, Paint::PLAIN);
    }
    if asked || format == Format::Text {
        // Nobody is left to tell when the output is closed.
        let _ = error.print();
        return if asked { ExitCode::SUCCESS } else { ExitCode::from(2) };
    }
    let text = error.render().to_string();
    let mut parts = text.trim().split("\n\n");
    let message = parts.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let more: Vec<&str> = parts.map(str::trim).filter(|part| !part.is_empty()).collect();
    let error = sieve.error(Error::usage(message).with_hint(more.join("; ")));
    failure::conclude(Err(Failure::Error(error)), format, Paint::PLAIN)
}
