//! The user's editor on a text.
//!
//! Lives here: which editor, and the file that it is given. May not live here: the terminal (see
//! [`super::terminal`]), or what the text is for.

use std::process::Command;

use crate::error::{Error, ErrorKind, Result};

/// Where nothing is said.
const EDITOR: &str = if cfg!(windows) { "notepad" } else { "vi" };

/// Lets the user edit a text, and gives what came of it.
///
/// # Errors
/// Unavailable, when the editor cannot be started or fails, or its file cannot be written or read.
pub(super) fn edit(text: &str) -> Result<String> {
    let named = |name| std::env::var(name).ok().filter(|text| !text.trim().is_empty());
    let editor = named("VISUAL").or_else(|| named("EDITOR")).unwrap_or_else(|| EDITOR.to_owned());
    let fault = |e: std::io::Error| Error::new(ErrorKind::Unavailable, format!("cannot edit: {e}"));
    let file = tempfile::Builder::new().prefix("chronoscope-").suffix(".json").tempfile();
    // Its file is written by name: many editors put another in its place.
    let file = file.map_err(fault)?.into_temp_path();
    std::fs::write(&file, text).map_err(fault)?;
    let done = command(&editor, &file).status().map_err(|e| {
        Error::new(ErrorKind::Unavailable, format!("cannot start {editor:?}: {e}"))
            .with_hint("set EDITOR")
    })?;
    if !done.success() {
        let text = format!("{editor} ended with {done}: nothing was changed");
        return Err(Error::new(ErrorKind::Unavailable, text).with_hint("set EDITOR"));
    }
    std::fs::read_to_string(&file).map_err(fault)
}

/// The editor as the user would start it: EDITOR may hold arguments.
#[cfg(unix)]
fn command(editor: &str, file: &std::path::Path) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(file);
    command
}

#[cfg(not(unix))]
fn command(editor: &str, file: &std::path::Path) -> Command {
    let mut words = editor.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or(EDITOR));
    command.args(words).arg(file);
    command
}
