//! `replay`: what is refused before anything is looked at.
//!
//! Lives here: flags that have no effect beside others, words and numbers that no flag takes, and
//! what no store can be in.
//! May not live here: what needs the store.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::super::append::duration;
use super::super::context::{Context, refuse_scheme};
use super::Flags;
use crate::error::{Error, Result};
use crate::replay::{Decision, Limits};
use crate::session::replay::settings;

/// What becomes of events that were begun, as the flag takes it.
pub(super) fn decisions() -> impl TypedValueParser<Value = Decision> {
    PossibleValuesParser::new(Decision::ALL.iter().map(|one| one.name()))
        .try_map(|word| Decision::from_name(&word).ok_or("there is no such decision"))
}

/// Refuses flags that would have no effect.
pub(super) fn without_effect(flags: &Flags) -> Result<()> {
    if flags.all && flags.resume.is_some() {
        return Err(
            Error::usage("--all does not go with --resume").with_hint("a run is of one issue")
        );
    }
    if flags.all && flags.into.is_none() {
        return Err(Error::usage("--all copies every issue, and nothing says where to")
            .with_hint("name the other store with --into; what is executed is of one issue"));
    }
    let mut names = BTreeSet::new();
    for (name, _) in flags.handlers.iter().filter_map(|text| text.split_once('=')) {
        if !names.insert(name.trim()) {
            let message = format!("there is more than one --handler for {}", name.trim());
            return Err(Error::usage(message).with_hint("a type or an area has one program"));
        }
    }
    if flags.on_unknown.is_some() && flags.resume.is_none() {
        return Err(Error::usage("--on-unknown has no effect without --resume")
            .with_hint("it decides about events that an earlier run began"));
    }
    if flags.into.is_some() {
        let given = execution(flags).into_iter().chain([("--jobs", flags.jobs.is_some())]);
        beside("--into", "a copy executes nothing", given)?;
    }
    if flags.resume.is_some() {
        let why = "a run is gone on with as it was begun; its journal has the rest";
        beside("--resume", why, choice(flags).into_iter().chain(execution(flags)))?;
    }
    Ok(())
}

/// Refuses what --into names where no folder is there, nor one can be made.
pub(super) fn no_folder(into: &Path) -> Result<()> {
    refuse_scheme(into, "--into")?;
    let there = into.ancestors().find(|path| path.symlink_metadata().is_ok());
    let Some(there) = there.filter(|path| !path.is_dir()) else { return Ok(()) };
    let what = if there.exists() { "no folder" } else { "a link that leads nowhere" };
    let what = if there == into {
        format!("which is {what}")
    } else {
        format!("and {} is {what}", there.display())
    };
    Err(Error::usage(format!("--into names {}, {what}", into.display()))
        .with_hint("name a folder, or a place where one can be made"))
}

/// The flags that choose events and programs.
fn choice(flags: &Flags) -> [(&'static str, bool); 4] {
    [
        ("--from", flags.from.is_some() || flags.from_checkpoint.is_some()),
        ("--to", flags.to.is_some()),
        ("--handler", !flags.handlers.is_empty()),
        ("a filter", !flags.selection.is_all()),
    ]
}

/// The flags that bound programs.
fn execution(flags: &Flags) -> [(&'static str, bool); 3] {
    [
        ("--timeout", flags.timeout.is_some()),
        ("--attempts", flags.attempts.is_some()),
        ("--retry-delay", flags.retry_delay.is_some()),
    ]
}

fn beside(
    flag: &str,
    why: &'static str,
    mut given: impl Iterator<Item = (&'static str, bool)>,
) -> Result<()> {
    match given.find(|(_, given)| *given) {
        Some((name, _)) => {
            Err(Error::usage(format!("{name} does not go with {flag}")).with_hint(why))
        }
        None => Ok(()),
    }
}

/// How fast it goes.
pub(super) fn speed(given: Option<f64>) -> Result<Option<f64>> {
    match given {
        Some(speed) if !(speed.is_finite() && speed > 0.0) => {
            Err(Error::usage(format!("--speed {speed} is no speed"))
                .with_hint("1 is as it was recorded, 10 ten times as fast"))
        }
        speed => Ok(speed),
    }
}

/// What programs may take: the settings, and the flags over them.
pub(super) fn limits(context: &Context, flags: &Flags) -> Result<Limits> {
    let mut limits = settings::limits(&context.config);
    if let Some(text) = &flags.timeout {
        limits.bounds.timeout = duration("--timeout", text)?;
        if limits.bounds.timeout < Duration::from_millis(1) {
            return Err(Error::usage(format!("--timeout {text} leaves a program no time"))
                .with_hint("as in 30s or 5m"));
        }
    }
    limits.attempts = flags.attempts.unwrap_or(limits.attempts);
    if let Some(text) = &flags.retry_delay {
        limits.retry_delay = duration("--retry-delay", text)?;
    }
    Ok(limits)
}
