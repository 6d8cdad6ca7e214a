//! The flags as they are written: nothing is looked up, opened or defaulted here.
//!
//! Lives here: the commands and the flags that all of them take. The flags of one command stand
//! in its own file. May not live here: the environment and the configuration; they are consulted
//! when a command runs.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::output::{ColorChoice, Format};
use super::{
    append, branch, compare, completions, config, demo, diff, find, import, man, open, query,
    races, replay, schema, snapshot, state, store, tail, timeline, trace, verify, why,
};

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "chronoscope",
    bin_name = "chronoscope",
    version,
    about = "A time-travel debugger for the history of agent orchestrations",
    long_about = "A time-travel debugger for the history of agent orchestrations: stand at any \
                  moment of an issue's history and see what was true, what changed, who changed \
                  it and why.",
    after_help = EXAMPLES,
    disable_help_subcommand = true,
    subcommand_value_name = "COMMAND",
    max_term_width = 100
)]
pub(crate) struct CommandLine {
    /// The flags that every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to open, where no command is given.
    #[command(flatten)]
    pub open: open::Flags,
    /// The command.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  chronoscope                          browse all issues
  chronoscope PROJ-123                 debug one issue
  chronoscope PROJ-123 --at -2h        … two hours before its end
  chronoscope demo                     look around in a sample store

  chronoscope state PROJ-123 --at 14:00
  chronoscope diff PROJ-123 PhaseStarted:2 end
  chronoscope why PROJ-123 /agents/api-integ/status
  chronoscope --append --type PhaseStarted --issue PROJ-123 --meta phase=PLAN …

A MOMENT is a position (17), a mark (@name), a time (14:00, 2026-11-20T14:00Z), a span before the
end (-2h), an event (AgentFailed, AgentFailed:2, the beginning of its id), start or end.

Exit codes: 0 done, 1 a bug, 2 usage, 3 not found, 4 invalid event, 5 conflict, 6 damage found,
7 store unavailable, 8 an assertion is false, 130 interrupted.";

/// The flags that every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// The events folder: the one that holds the dates
    #[arg(long, global = true, value_name = "DIR", help_heading = "Everywhere")]
    pub store: Option<PathBuf>,
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE", help_heading = "Everywhere")]
    pub config: Option<PathBuf>,
    /// Print one JSON document; errors too, on stderr
    #[arg(long, global = true, conflicts_with = "jsonl", help_heading = "Everywhere")]
    pub json: bool,
    /// Print one JSON value a line
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub jsonl: bool,
    /// When to colour the output
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true,
        help = "When to colour the output: auto, always, never",
        help_heading = "Everywhere"
    )]
    pub color: ColorChoice,
    /// Plain glyphs
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub ascii: bool,
}

impl Global {
    /// The format that was asked for.
    #[must_use]
    pub(crate) fn format(&self) -> Format {
        match (self.json, self.jsonl) {
            (true, _) => Format::Json,
            (_, true) => Format::Jsonl,
            _ => Format::Text,
        }
    }
}

/// The commands, in the order of the help.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Append events to the store
    #[command(long_flag = "append")]
    Append(append::Flags),
    /// Print what was true at a moment
    State(state::Flags),
    /// List the events around a moment
    Timeline(timeline::Flags),
    /// Print how the state changed between two moments
    Diff(diff::Flags),
    /// Print who wrote a path of the state, and why
    Why(why::Flags),
    /// Print where an expression over events and states holds
    Find(find::Flags),
    /// Print what led to an event, and what it led to
    Trace(trace::Flags),
    /// Print concurrent events that wrote one path
    Races(races::Flags),
    /// Compare two runs, and print where they part
    Compare(compare::Flags),
    /// Play a what-if: skip, insert or replace events
    Branch(branch::Flags),
    /// Go through events again, and execute what may be executed
    #[command(long_flag = "replay")]
    Replay(replay::Flags),
    /// Find events
    Query(query::Flags),
    /// Print the last events, and follow
    Tail(tail::Flags),
    /// Take in logs that other programs wrote
    Import(import::Flags),
    /// Keep a state beside the log, list and clean what is kept
    Snapshot(snapshot::Flags),
    /// Check every line of the store
    Verify(verify::Flags),
    /// Make a store, measure it, make its derived files anew
    Store(store::Flags),
    /// The types of events, and checking events against them
    Schema(schema::Flags),
    /// The settings in force
    Config(config::Flags),
    /// Look around in a sample store
    Demo(demo::Flags),
    /// Print completions for a shell
    Completions(completions::Flags),
    /// Print the manual page
    Man(man::Flags),
}

/// Parses the arguments of the program.
pub(crate) fn parse(args: &[OsString]) -> Result<CommandLine, clap::Error> {
    match append::plain::read(args) {
        Some((global, flags)) => {
            let command = Some(Command::Append(flags));
            Ok(CommandLine { global, open: open::Flags::default(), command })
        }
        None => CommandLine::try_parse_from(args),
    }
}

/// The format that the flags ask for, as far as can be told when they cannot be parsed.
#[must_use]
pub(crate) fn format_of_raw_args() -> Format {
    let flags: Vec<OsString> =
        std::env::args_os().skip(1).take_while(|argument| argument != "--").collect();
    if flags.iter().any(|flag| flag == "--json") {
        Format::Json
    } else if flags.iter().any(|flag| flag == "--jsonl") {
        Format::Jsonl
    } else {
        Format::Text
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn the_flag_and_the_word_are_one_command() {
        for first in ["append", "--append"] {
            let args = ["chronoscope", "--store", "x", first, "--type", "T", "--json"];
            let parsed = CommandLine::try_parse_from(args).unwrap();
            assert!(matches!(parsed.command, Some(Command::Append(_))), "{first}");
            assert!(parsed.global.json);
            let again = parse(&args.map(OsString::from)).unwrap();
            assert_eq!(format!("{parsed:?}"), format!("{again:?}"));
        }
    }

    #[test]
    fn what_only_names_an_append_is_something_else() {
        for args in [&["x", "state", "append"][..], &["x", "query", "--type", "append"]] {
            let args: Vec<OsString> = args.iter().map(OsString::from).collect();
            assert!(!matches!(parse(&args).unwrap().command, Some(Command::Append(_))), "{args:?}");
        }
        let args = ["x", "append", "--bogus"].map(OsString::from);
        let message = parse(&args).unwrap_err().to_string();
        assert!(message.contains("Usage: chronoscope {append|--append}"), "{message}");
    }

    #[test]
    fn moments_before_the_end_are_no_flags() {
        let args = ["chronoscope", "diff", "P-1", "-2h", "-1h", "--json"];
        let parsed = CommandLine::try_parse_from(args).unwrap();
        assert!(parsed.global.json);
        assert!(
            matches!(parsed.command, Some(Command::Diff(d)) if d.from == "-2h" && d.to == "-1h")
        );
        let args = ["chronoscope", "P-1", "--at", "-2h"];
        let parsed = CommandLine::try_parse_from(args).unwrap();
        assert_eq!(parsed.open.at.as_deref(), Some("-2h"));
    }
}
