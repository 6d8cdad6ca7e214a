//! Which program executes which events.
//!
//! Lives here: [`Handlers`], by type and by area, and how a command is written. May not live here:
//! running programs (see [`super::process`]).
//!
//! A command is a program and its arguments. It is split at spaces, quotes hold together what
//! belongs together, and nothing else means anything: no shell ever sees it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::model::catalogue::category;
use crate::model::kind::Category;
use crate::model::{Event, ids};
use crate::schema::Redactor;

/// A program with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handler {
    /// The program, as an absolute path.
    pub program: PathBuf,
    /// What it is called with.
    pub args: Vec<String>,
}

/// The programs by what they execute: a type's own comes before that of its area.
#[derive(Debug, Clone, Default)]
pub struct Handlers {
    by_name: BTreeMap<String, Arc<Handler>>,
}

impl Handlers {
    /// Adds what `TYPE=COMMAND` or `AREA=COMMAND` says.
    ///
    /// # Errors
    /// Usage, for another form; not found, when there is no such program.
    pub fn add_text(&mut self, text: &str) -> Result<()> {
        let (name, command) = text.split_once('=').ok_or_else(|| {
            Error::usage(format!("the handler {text:?} is not TYPE=COMMAND"))
                .with_hint("as in TestRunStarted=./run-tests or test='./run-tests --fast'")
        })?;
        self.add(name.trim(), &split(command)?, Path::new(""))
    }

    /// Adds a program for a type or an area, in place of one that is there. Its path is relative
    /// to `base`, and that to the working directory.
    ///
    /// # Errors
    /// As [`Handlers::add_text`].
    pub fn add(&mut self, name: &str, words: &[String], base: &Path) -> Result<()> {
        if name.is_empty() || name.chars().any(ids::is_control) {
            return Err(Error::usage(format!("{name:?} is no type of event and no area")));
        }
        let Some((program, args)) = words.split_first() else {
            return Err(Error::usage(format!("the handler of {name} names no program")));
        };
        let handler = Handler { program: find(name, program, base)?, args: args.to_vec() };
        self.by_name.insert(name.to_owned(), Arc::new(handler));
        Ok(())
    }

    /// The program that executes an event.
    #[must_use]
    pub fn of(&self, event: &Event) -> Option<&Arc<Handler>> {
        let area = || self.by_name.get(category(event.kind).name());
        self.by_name.get(event.type_name.as_str()).or_else(area)
    }

    /// What each executes, with its words.
    pub fn words(&self) -> impl Iterator<Item = (&str, Vec<String>)> {
        self.by_name.iter().map(|(name, handler)| {
            let program = handler.program.display().to_string();
            (name.as_str(), std::iter::once(program).chain(handler.args.iter().cloned()).collect())
        })
    }

    /// What the first program executes whose path is no UTF-8: [`Handlers::words`] cannot say it.
    #[must_use]
    pub fn without_words(&self) -> Option<&str> {
        let mut all = self.by_name.iter();
        all.find(|(_, handler)| handler.program.to_str().is_none()).map(|(name, _)| name.as_str())
    }

    /// What the first program executes that has a secret among its arguments.
    #[must_use]
    pub fn with_secret(&self, redactor: &Redactor) -> Option<&str> {
        let has = |args: &[String]| {
            let named = args.windows(2).filter(|pair| pair[0].starts_with('-'));
            let mut named = named.map(|p| format!("{}={}", p[0].trim_start_matches('-'), p[1]));
            args.iter().any(|arg| redactor.finds(arg)) || named.any(|text| redactor.finds(&text))
        };
        let mut all = self.by_name.iter();
        all.find(|(_, handler)| has(&handler.args)).map(|(name, _)| name.as_str())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// The names that stand for areas, not for types.
    #[must_use]
    pub fn is_area(name: &str) -> bool {
        Category::from_name(name).is_some()
    }
}

impl std::fmt::Display for Handler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", quoted(&self.program.display().to_string()))?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", quoted(arg)))
    }
}

/// The command that [`split`] makes these words of.
#[must_use]
pub fn command(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// A word as a command has it. (No quote can stand within quotes of its kind.)
fn quoted(word: &str) -> Cow<'_, str> {
    let splits = |c: char| c.is_whitespace() || matches!(c, '\'' | '"');
    match (word.contains('\''), word.contains('"')) {
        (false, false) if !word.is_empty() && !word.contains(splits) => word.into(),
        (false, _) => format!("'{word}'").into(),
        (true, false) => format!("\"{word}\"").into(),
        (true, true) => format!("'{}'", word.replace('\'', "'\"'\"'")).into(),
    }
}

/// The words of a command.
///
/// # Errors
/// Usage, for a quote that is not closed.
pub fn split(command: &str) -> Result<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in command.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err(Error::usage(format!("a quote is not closed in the handler {command:?}")));
    }
    words.extend(word);
    Ok(words)
}

/// The absolute path of a program: beside `base`, or in one of the folders of `PATH` where it is a
/// mere name.
fn find(name: &str, program: &str, base: &Path) -> Result<PathBuf> {
    let absolute = |path: &Path| std::path::absolute(path).ok().filter(|path| is_program(path));
    let is_path = program.contains(std::path::is_separator);
    let found = if is_path {
        absolute(&base.join(program))
    } else {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&folders).find_map(|folder| absolute(&folder.join(program)))
    };
    found.ok_or_else(|| {
        let path = std::path::absolute(base.join(program)).ok().filter(|_| is_path);
        let place =
            path.map_or_else(|| "in no folder of PATH".to_owned(), |p| p.display().to_string());
        let message = format!("the handler of {name}, {program:?}, is no program that can run");
        Error::not_found(format!("{message}: {place}"))
            .with_hint("a handler is a program and its arguments; there is no shell")
    })
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_split_without_a_shell() {
        let words = |text: &str| split(text).unwrap();
        assert_eq!(words("a  b 'c d' \"e'f\" g''h ''"), ["a", "b", "c d", "e'f", "gh", ""]);
        assert_eq!(words("a $(b) `c` *;d|e>f \\g"), ["a", "$(b)", "`c`", "*;d|e>f", "\\g"]);
        assert!(words("  ").is_empty());
        assert!(split("a 'b").is_err());
    }

    #[test]
    fn a_command_is_shown_as_it_is_written() {
        assert_eq!(command(&split("sh -c 'a b' \"c\" ''").unwrap()), "sh -c 'a b' c ''");
        for words in [
            &["/bin/run it", "--fast", "a\tb"][..],
            &["/bin/sh", "", "it's", "say \"x\"", "it's \"x\"", "'", "\"", "'\"'"],
        ] {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let handler = Handler { program: words[0].clone().into(), args: words[1..].to_vec() };
            assert_eq!(handler.to_string(), command(&words));
            assert_eq!(split(&command(&words)).unwrap(), words);
        }
    }

    #[test]
    fn a_program_must_be_there() {
        let mut handlers = Handlers::default();
        for (text, kind) in [
            ("TestRunStarted", crate::error::ErrorKind::Usage),
            ("TestRunStarted=", crate::error::ErrorKind::Usage),
            ("TestRunStarted=/no/such/program", crate::error::ErrorKind::NotFound),
            ("TestRunStarted=/", crate::error::ErrorKind::NotFound),
        ] {
            assert_eq!(handlers.add_text(text).unwrap_err().kind(), kind, "{text}");
        }
        assert!(handlers.is_empty() && Handlers::is_area("test") && !Handlers::is_area("Test"));
    }
}
