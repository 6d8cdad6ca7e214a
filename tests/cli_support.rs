//! What the tests of the command line stand on: the real binary in an environment of its own.
//!
//! Nothing of the machine shows through: the environment is cleared, the clock and the width of
//! lines are fixed, home and store are in a temporary folder.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

pub(crate) const NOW: &str = "2026-11-22T14:00:00.000Z";
pub(crate) const SESSION: &str = "5f0c1d2e-3b4a-4c5d-8e6f-708192a3b4c5";
pub(crate) const PROJ_1: &str = include_str!("fixtures/cli/proj-1.jsonl");

/// A folder to run the program in.
pub(crate) struct TestEnvironment {
    folder: tempfile::TempDir,
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The output of a run that went well.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self.stdout
    }

    /// The output as one JSON document.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        let text = self.ok();
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
    }

    /// The error on stderr as JSON, of a run that ended with this code; notes may stand before it.
    #[track_caller]
    pub(crate) fn error(self, code: i32) -> Value {
        assert_eq!(self.code, Some(code), "{self:#?}");
        let text = self.stderr.lines().last().unwrap_or_default();
        let json: Value = serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"));
        json["error"].clone()
    }

    /// The message on stderr, of a run that ended with this code.
    #[track_caller]
    pub(crate) fn message(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(self.stderr.starts_with("error: "), "{self:#?}");
        self.stderr
    }
}

impl TestEnvironment {
    pub(crate) fn new() -> Self {
        #[cfg(unix)]
        hear_signals();
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("work")).unwrap();
        Self { folder }
    }

    /// With the fixture's issue PROJ-1 in the store.
    pub(crate) fn with_history() -> Self {
        let environment = Self::new();
        environment.append_text(PROJ_1).ok();
        environment
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.path().join("work")
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path().join("events")
    }

    /// The file with PROJ-1's events.
    pub(crate) fn log(&self) -> PathBuf {
        self.store().join("2026-11-20/PROJ-1/events.jsonl")
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chronoscope"));
        command
            .args(args)
            .env_clear()
            .env("HOME", self.path().join("home"))
            .env("CHRONOSCOPE_STORE", self.store())
            .env("CHRONOSCOPE_FIXED_CLOCK", NOW)
            .env("COLUMNS", "100")
            .current_dir(self.work())
            .stdin(Stdio::null());
        command
    }

    /// A command as a shell starts it that did this before.
    #[cfg(unix)]
    pub(crate) fn behind(&self, before: &str, plain: &Command) -> Command {
        let mut command = Command::new("bash");
        command.args(["-c", &format!("{before}; exec \"$0\" \"$@\"")]);
        command.arg(plain.get_program()).args(plain.get_args());
        command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("PATH", "/usr/bin:/bin").current_dir(self.work());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        ran(self.command(args).output().unwrap())
    }

    pub(crate) fn run_with(&self, args: &[&str], stdin: &str) -> Ran {
        self.feed(self.command(args), stdin)
    }

    /// Runs a command with a text to read.
    pub(crate) fn feed(&self, mut command: Command, stdin: &str) -> Ran {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let text = stdin.to_owned();
        // Another thread writes, so that neither side waits for the other with a full pipe.
        let writer = std::thread::spawn(move || {
            // A program that refuses the flags does not read what is for it.
            let _ = pipe.write_all(text.as_bytes());
        });
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        ran(output)
    }

    /// Runs a command that answers each line: it gets the next only after that, or after `between`
    /// lines what is done then.
    pub(crate) fn converse<'a>(
        &self,
        mut command: Command,
        lines: impl IntoIterator<Item = &'a str>,
        mut between: impl FnMut(usize),
    ) -> Ran {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let mut told = String::new();
        for (number, line) in lines.into_iter().enumerate() {
            between(number);
            let sent = pipe.write_all(format!("{line}\n").as_bytes());
            // One that ended neither reads nor answers.
            if sent.is_err() || answers.read_line(&mut told).unwrap() == 0 {
                break;
            }
        }
        drop(pipe);
        answers.read_to_string(&mut told).unwrap();
        let output = child.wait_with_output().unwrap();
        Ran { stdout: told, ..ran(output) }
    }

    pub(crate) fn append_text(&self, events: &str) -> Ran {
        self.run_with(&["append", "--no-git"], events)
    }

    /// Appends one phase to an issue by flags.
    pub(crate) fn append_phase(&self, issue: &str, phase: &str, more: &[&str]) -> Ran {
        let meta = format!("phase={phase}");
        let mut args = vec!["append", "--no-git", "--type", "PhaseStarted", "--issue", issue];
        args.extend(["--session", SESSION, "--actor", "system:orchestrator", "--meta", &meta]);
        args.extend(more);
        self.run(&args)
    }

    /// The text without the parts of it that differ from run to run.
    pub(crate) fn masked(&self, text: &str) -> String {
        text.replace(&self.path().display().to_string(), "[DIR]")
    }
}

/// What the tests start hears the signals that they send it, also where the tests themselves are run
/// in the background: what a program hears is not ignored in those that it starts.
#[cfg(unix)]
fn hear_signals() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let ignored = |signal: &i32| chronoscope::signals::is_ignored(*signal);
        for signal in [SIGHUP, SIGINT, SIGTERM].into_iter().filter(ignored) {
            signal_hook::flag::register(signal, std::sync::Arc::default()).unwrap();
        }
    });
}

pub(crate) fn ran(output: std::process::Output) -> Ran {
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
