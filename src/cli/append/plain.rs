//! The plain command line of an append, read without building the definition of all flags: that
//! would take longer than the append.
//!
//! Lives here: flags as agents write them, `--append --type T --issue K --meta k=v`. May not live
//! here: anything that a person could be told. Whatever is not plain (an unknown or repeated flag,
//! an empty value, a mistake) is left to the whole definition, which also says what is wrong; a
//! test holds the two against each other, flag by flag.

use std::ffi::OsString;

use clap::ValueEnum;

use super::super::args::Global;
use super::super::output::ColorChoice;
use super::{DurabilityFlag, Flags, LOCK_TIMEOUT, env};

/// The flags of a plain append; nothing where it is anything else.
pub(crate) fn read(args: &[OsString]) -> Option<(Global, Flags)> {
    let mut line = Line::from_environment()?;
    let mut rest = args.iter().skip(1).map(|arg| arg.to_str());
    let mut seen = Vec::with_capacity(args.len());
    while let Some(arg) = rest.next() {
        let (flag, attached) = match arg?.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (arg?, None),
        };
        if flag != "--meta" && seen.contains(&flag) {
            return None;
        }
        seen.push(flag);
        if attached.is_none() && line.switch(flag) {
            continue;
        }
        let value = match attached {
            Some(value) => value,
            None => rest.next()??,
        };
        if value.is_empty() || (value.starts_with('-') && flag != "--meta") {
            return None;
        }
        line.value(flag, value)?;
    }
    let plain = line.is_append && !(line.global.json && line.global.jsonl);
    plain.then_some((line.global, line.flags))
}

/// What was read so far.
struct Line {
    is_append: bool,
    global: Global,
    flags: Flags,
}

impl Line {
    /// What holds before the first flag: the environment and the defaults.
    fn from_environment() -> Option<Self> {
        let given = |name| match std::env::var_os(name) {
            None => Some(None),
            Some(value) => value.into_string().ok().filter(|v| !v.is_empty()).map(Some),
        };
        let flags = Flags {
            kind: None,
            issue: given(env::ISSUE)?,
            session: given(env::SESSION)?,
            actor: given(env::ACTOR)?,
            meta: Vec::new(),
            metadata: None,
            correlation: given(env::CORRELATION)?,
            causation: given(env::CAUSATION)?,
            event_id: None,
            timestamp: None,
            expect_sequence: None,
            lock_timeout: LOCK_TIMEOUT.to_owned(),
            no_git: false,
            durability: DurabilityFlag::Sync,
            stream: false,
            quiet: false,
            dry_run: false,
        };
        let color = ColorChoice::Auto;
        let global =
            Global { store: None, config: None, json: false, jsonl: false, color, ascii: false };
        Some(Self { is_append: false, global, flags })
    }

    /// Sets a flag that has no value; false where there is no such flag, or it is set.
    fn switch(&mut self, flag: &str) -> bool {
        let switch = match flag {
            "append" | "--append" if !self.is_append => &mut self.is_append,
            "--json" => &mut self.global.json,
            "--jsonl" => &mut self.global.jsonl,
            "--ascii" => &mut self.global.ascii,
            "--no-git" if self.is_append => &mut self.flags.no_git,
            "--quiet" | "-q" if self.is_append => &mut self.flags.quiet,
            "--dry-run" if self.is_append => &mut self.flags.dry_run,
            _ => return false,
        };
        !std::mem::replace(switch, true)
    }

    /// Takes a flag with its value; nothing where there is no such flag, or no such value.
    fn value(&mut self, flag: &str, value: &str) -> Option<()> {
        let (global, flags) = (&mut self.global, &mut self.flags);
        match flag {
            "--store" => global.store = Some(value.into()),
            "--config" => global.config = Some(value.into()),
            "--color" => global.color = ColorChoice::from_str(value, false).ok()?,
            _ if !self.is_append => return None,
            "--meta" => flags.meta.push(value.to_owned()),
            "--lock-timeout" => flags.lock_timeout = value.to_owned(),
            "--expect-sequence" => flags.expect_sequence = Some(value.parse().ok()?),
            "--durability" => flags.durability = DurabilityFlag::from_str(value, false).ok()?,
            _ => {
                let text = match flag {
                    "--type" => &mut flags.kind,
                    "--issue" => &mut flags.issue,
                    "--session" => &mut flags.session,
                    "--actor" => &mut flags.actor,
                    "--metadata" => &mut flags.metadata,
                    "--correlation" => &mut flags.correlation,
                    "--causation" => &mut flags.causation,
                    "--event-id" => &mut flags.event_id,
                    "--timestamp" => &mut flags.timestamp,
                    _ => return None,
                };
                *text = Some(value.to_owned());
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use clap::{Arg, ArgAction, CommandFactory};

    use super::super::super::args::{Command, CommandLine};
    use super::*;
    use clap::Parser;

    fn os(args: &[&str]) -> Vec<OsString> {
        std::iter::once("chronoscope").chain(args.iter().copied()).map(OsString::from).collect()
    }

    /// What the whole definition makes of the arguments.
    fn whole(args: &[OsString]) -> Option<String> {
        let line = CommandLine::try_parse_from(args).ok()?;
        let Some(Command::Append(flags)) = line.command else { return None };
        Some(format!("{:?} {flags:?}", line.global))
    }

    fn plain(args: &[OsString]) -> Option<String> {
        read(args).map(|(global, flags)| format!("{global:?} {flags:?}"))
    }

    /// One use of a flag, as the definition describes it.
    fn usage(arg: &Arg) -> Vec<String> {
        let name = format!("--{}", arg.get_long().unwrap());
        let choices = arg.get_possible_values();
        let value = match arg.get_id().as_str() {
            "expect_sequence" => "7",
            "meta" => "-k=-v=w",
            _ => choices.last().map_or("some value", |choice| choice.get_name()),
        };
        match arg.get_action() {
            ArgAction::SetTrue => vec![name],
            _ => vec![name, value.to_owned()],
        }
    }

    #[test]
    fn every_flag_is_read_as_the_whole_definition_reads_it() {
        let mut command = CommandLine::command();
        command.build();
        let append = command.find_subcommand("append").unwrap();
        let mut read_here = 0;
        for arg in append.get_arguments() {
            if matches!(arg.get_id().as_str(), "help" | "version" | "stream") {
                continue;
            }
            let usage = usage(arg);
            let mut args = vec!["--append"];
            args.extend(usage.iter().map(String::as_str));
            let (apart, joined) = (os(&args), os(&["append", &usage.join("=")]));
            assert!(plain(&apart).is_some(), "{apart:?} is not read as plain");
            assert_eq!(plain(&apart), whole(&apart), "{apart:?}");
            assert_eq!(plain(&joined), whole(&joined), "{joined:?}");
            read_here += 1;
        }
        assert!(read_here >= 20, "{read_here} flags");
    }

    #[test]
    fn what_is_read_here_is_read_so_by_the_whole_definition_too() {
        let words = [
            "--append",
            "append",
            "--type",
            "T",
            "--issue",
            "--json",
            "--jsonl",
            "--meta",
            "-k",
            "--store",
            "--store=s",
            "--issue=",
            "--issue=a=b",
            "-q",
            "--quiet",
            "-qq",
            "--color",
            "never",
            "--expect-sequence",
            "3",
            "--dry-run",
            "--",
            "--stream",
            "--bogus",
            "--type=T",
        ];
        let (mut seed, mut read_here) = (1_u64, 0);
        for _ in 0..20_000 {
            let mut next = || {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                usize::try_from(seed >> 33).unwrap()
            };
            let args: Vec<&str> = (0..next() % 7).map(|_| words[next() % words.len()]).collect();
            let args = os(&args);
            if let Some(flags) = plain(&args) {
                assert_eq!(Some(flags), whole(&args), "{args:?}");
                read_here += 1;
            }
        }
        assert!(read_here > 100, "{read_here} lines were plain");
    }
}
