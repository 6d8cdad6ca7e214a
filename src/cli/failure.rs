//! How a command ends when it does not end well, and how that is told.
//!
//! Lives here: the error on stderr, for people and as JSON, and the exit code. May not live here:
//! wording of particular errors.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use crate::error::{Error, ErrorKind};

use super::output::{Format, Paint, Role, escape, json_text};

/// Where the project is kept, as `Cargo.toml` says; empty while it says nothing.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// Why a command stops before its end.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Whoever reads the output has gone; nothing is wrong.
    ClosedPipe,
    /// Something failed, and still has to be told.
    Error(Error),
    /// Something failed and was told already.
    Told(ErrorKind),
}

/// What a command comes to.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<io::Error> for Failure {
    /// An error in writing to the standard output.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            _ => Self::Error(Error::io("write", Path::new("the standard output"), &error)),
        }
    }
}

/// Tells how it ended and gives the exit code.
pub(crate) fn conclude(outcome: Outcome, format: Format, paint: Paint) -> ExitCode {
    match outcome {
        Ok(()) | Err(Failure::ClosedPipe) => ExitCode::SUCCESS,
        Err(Failure::Told(kind)) => kind.exit_code().into(),
        Err(Failure::Error(error)) => {
            tell(&error, format, paint);
            error.kind().exit_code().into()
        }
    }
}

/// Writes an error to stderr: one line of JSON, or a message with its hint.
pub(crate) fn tell(error: &Error, format: Format, paint: Paint) {
    let text = if format == Format::Text {
        for_people(error, paint)
    } else {
        error_json(error, None) + "\n"
    };
    // Nobody is left to tell when stderr is closed.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// A line on stderr that is no error: what is odd, or what goes on.
pub(crate) fn note(text: &str, paint: Paint) {
    let line = format!("{} {}\n", paint.of(Role::Warned, "note:"), escape(text));
    let _ = io::stderr().write_all(line.as_bytes());
}

/// An error as JSON, in the order of the contract; with the line of stdin that it is about.
pub(crate) fn error_json(error: &Error, line: Option<u64>) -> String {
    #[derive(Serialize)]
    struct Document<'a> {
        error: Body<'a>,
    }
    #[derive(Serialize)]
    struct Body<'a> {
        kind: &'static str,
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        line: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        details: Option<&'a serde_json::Value>,
    }
    let (kind, message) = (error.kind().name(), error.message());
    let (hint, details) = (error.hint(), error.details());
    json_text(&Document { error: Body { kind, message, hint, line, details } }, false)
}

fn for_people(error: &Error, paint: Paint) -> String {
    let mut out = format!("{} ", paint.of(Role::Failed, "error:"));
    // Line feeds of ours shape the message; everything else in it may come from events.
    let shown: Vec<String> = error.message().lines().map(escape).collect();
    out += &shown.join("\n");
    out.push('\n');
    if let Some(hint) = error.hint() {
        out += &format!("{} {}\n", paint.of(Role::Dim, "hint:"), escape(hint));
    }
    if error.kind() == ErrorKind::Internal {
        out += &format!("{} {}\n", paint.of(Role::Dim, "report it:"), where_to(REPOSITORY));
    }
    out
}

/// Where a bug is reported.
fn where_to(repository: &str) -> Cow<'_, str> {
    if repository.is_empty() {
        "to whoever gave you this program, with what `chronoscope --version` prints".into()
    } else {
        format!("at {repository}").into()
    }
}

/// Tells of a panic as of a bug, in one message; the exit code is that of an internal error.
pub(crate) fn on_panic(info: &std::panic::PanicHookInfo<'_>) {
    let what = info.payload_as_str().unwrap_or("something went wrong");
    let place = info.location().map_or_else(String::new, |at| format!(" ({at})"));
    let error = Error::internal(format!("{what}{place}"));
    tell(&error, super::args::format_of_raw_args(), Paint::PLAIN);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bug_says_that_it_is_one_and_where_to_report_it() {
        let told = for_people(&Error::internal("the head is behind"), Paint::PLAIN);
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines[0], "error: the head is behind");
        assert!(lines[1].contains("a bug in chronoscope"), "{told}");
        assert_eq!(lines[2], format!("report it: {}", where_to(REPOSITORY)));
        assert!(where_to("").contains("--version"));
        assert_eq!(where_to("https://example.org/c"), "at https://example.org/c");
        let usage = for_people(&Error::usage("no such flag"), Paint::PLAIN);
        assert_eq!(usage, "error: no such flag\n");
    }
}
