//! `completions`: completions for a shell, on stdout.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::args::CommandLine;
use super::context::Context;
use super::failure::Outcome;

/// The flags of `completions`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  chronoscope completions bash > ~/.local/share/bash-completion/completions/chronoscope"
)]
pub(crate) struct Flags {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(context: &mut Context, flags: &Flags) -> Outcome {
    let mut text = Vec::new();
    clap_complete::generate(flags.shell, &mut CommandLine::command(), "chronoscope", &mut text);
    Ok(context.out.bytes(&text)?)
}
