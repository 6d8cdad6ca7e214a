//! The one error of the program: what kind it is decides the exit code, a hint says what to do.
//!
//! Lives here: [`Error`], [`ErrorKind`] and the table of exit codes. May not live here: wording of
//! particular failures; whoever fails writes the message, naming file, line and sequence.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::Path;

/// A result with the program's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! error_kinds {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal;)*) => {
        /// What went wrong, in the classes that scripts act upon. The documentation of each
        /// variant is the text of the exit-code table in the manual.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorKind { $($(#[$doc])* $variant,)* }

        impl ErrorKind {
            /// Every kind, in the order of the exit codes.
            pub const ALL: &'static [ErrorKind] = &[$(ErrorKind::$variant,)*];

            /// The process exit code.
            #[must_use]
            pub const fn exit_code(self) -> u8 {
                match self { $(ErrorKind::$variant => $code,)* }
            }

            /// The stable name used in `--json` errors.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(ErrorKind::$variant => $name,)* }
            }
        }
    };
}

error_kinds! {
    /// A bug in chronoscope itself.
    Internal = 1, "internal";
    /// Flags, configuration or expression syntax.
    Usage = 2, "usage";
    /// No such issue, event, moment, path or session.
    NotFound = 3, "not-found";
    /// An event breaks its schema or a quality gate; nothing was written.
    Invalid = 4, "invalid";
    /// Expected sequence not met, or an event id reused with other content; nothing was written.
    Conflict = 5, "conflict";
    /// Damage or tampering found, or an append refused because of it.
    Integrity = 6, "integrity";
    /// Locked, read-only, full, I/O error or server away; nothing was acknowledged.
    Unavailable = 7, "unavailable";
    /// An assertion is false.
    Assertion = 8, "assertion";
    /// Stopped by Ctrl-C.
    Interrupted = 130, "interrupted";
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The reason inside an I/O error of who reads what has a checksum, and finds that it is not what
/// was written.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Damaged(pub String);

/// An error with its kind, a message for a person, and where possible a remedy.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    hint: Option<Cow<'static, str>>,
    details: Option<serde_json::Value>,
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error {
    /// An error of `kind` with a message that names the place.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), hint: None, details: None }))
    }

    /// A bug: a state that the code rules out.
    pub fn internal(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Internal, message)
            .with_hint("this is a bug in chronoscope; please report it with the command you ran")
    }

    /// Wrong flags, configuration or expression.
    pub fn usage(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// Something named does not exist.
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    /// An I/O failure at `path` while doing `what` (“read”, “create”, “sync”).
    pub fn io(what: &str, path: &Path, source: &io::Error) -> Self {
        let error = Self::new(
            ErrorKind::Unavailable,
            format!("cannot {what} {}: {source}", path.display()),
        );
        match source.kind() {
            io::ErrorKind::PermissionDenied => {
                error.with_hint("check the owner and the mode of that path")
            }
            io::ErrorKind::StorageFull => error.with_hint("free some space and try again"),
            io::ErrorKind::FileTooLarge => error
                .with_hint("files may not be larger here (`ulimit -f`): raise that and try again"),
            io::ErrorKind::ReadOnlyFilesystem => {
                error.with_hint("the file system is read-only; name another store with --store")
            }
            io::ErrorKind::InvalidData if matches!(source.get_ref(), Some(inner) if inner.is::<Damaged>()) => {
                Self::new(ErrorKind::Integrity, error.0.message).with_hint(
                    "`chronoscope verify` tells what is wrong, `chronoscope store repair` mends it",
                )
            }
            _ => error,
        }
    }

    /// Adds the remedy.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds machine-readable details for `--json`.
    #[must_use]
    pub fn with_details(mut self, details: serde_json::Value) -> Self {
        self.0.details = Some(details);
        self
    }

    /// The error in other words: `map` is asked about the message, the hint and every text of the
    /// details.
    #[must_use]
    pub fn map_words(mut self, map: &dyn Fn(&str) -> String) -> Self {
        self.0.message = map(&self.0.message).into();
        self.0.hint = self.0.hint.map(|hint| map(&hint).into());
        if let Some(details) = &mut self.0.details {
            map_texts(details, map);
        }
        self
    }

    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message, without the hint.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Machine-readable details.
    #[must_use]
    pub fn details(&self) -> Option<&serde_json::Value> {
        self.0.details.as_ref()
    }
}

fn map_texts(value: &mut serde_json::Value, map: &dyn Fn(&str) -> String) {
    use serde_json::Value;
    match value {
        Value::String(text) => *text = map(text),
        Value::Array(items) => items.iter_mut().for_each(|item| map_texts(item, map)),
        Value::Object(members) => members.values_mut().for_each(|member| map_texts(member, map)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_distinct_and_start_at_one() {
        let codes: Vec<u8> = ErrorKind::ALL.iter().map(|k| k.exit_code()).collect();
        assert_eq!(codes, [1, 2, 3, 4, 5, 6, 7, 8, 130]);
    }

    #[test]
    fn an_error_carries_hint_and_details() {
        let error = Error::new(ErrorKind::Conflict, "expected 3, head is 5")
            .with_hint("read the head and try again")
            .with_details(serde_json::json!({ "actual": 5 }));
        assert_eq!(error.message(), "expected 3, head is 5");
        assert_eq!(error.hint(), Some("read the head and try again"));
        assert_eq!(error.details(), Some(&serde_json::json!({ "actual": 5 })));
    }
}
