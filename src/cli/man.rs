//! `man`: the manual page of the program and of each command, as roff on stdout.

use clap::{Args, CommandFactory};

use super::args::CommandLine;
use super::context::Context;
use super::failure::Outcome;

/// The flags of `man`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  chronoscope man | man -l -")]
pub(crate) struct Flags {}

pub(crate) fn run(context: &mut Context) -> Outcome {
    let mut command = CommandLine::command();
    command.build();
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut text)?;
    for part in command.get_subcommands().filter(|part| !part.is_hide_set()) {
        let man = clap_mangen::Man::new(part.clone());
        man.render_title(&mut text)?;
        man.render_name_section(&mut text)?;
        man.render_synopsis_section(&mut text)?;
        man.render_description_section(&mut text)?;
        man.render_options_section(&mut text)?;
        man.render_extra_section(&mut text)?;
    }
    Ok(context.out.bytes(&text)?)
}
