//! `replay --report`: the file that a result is written to, beside what is printed.
//!
//! Lives here: finding out at the beginning whether it can be written, so that nothing is done whose
//! result cannot be. May not live here: what the result says.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::super::output::json_text;
use super::real;
use crate::error::{Error, Result};
use crate::store::local::is_store;

/// The folder of a store that is for reports.
const REPORTS: &str = "reports";

/// A file for a result. What it holds stays until there is one, and so does that it is not there: an
/// empty file would look as if something had come of a replay that was ended.
pub(super) struct ReportFile {
    path: PathBuf,
    /// Open, where it is there already.
    file: Option<File>,
}

impl ReportFile {
    /// The file that a flag names, where it can be written; not within a store, where it could take
    /// the place of what was recorded. What is to be one of these is a store, too.
    pub(super) fn open(path: Option<&Path>, stores: &[&Path]) -> Result<Option<Self>> {
        let Some(path) = path else { return Ok(None) };
        refuse(path, stores)?;
        let file = match OpenOptions::new().write(true).open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => try_out(path).map(|()| None),
            opened => opened.map(Some),
        };
        let file = file.map_err(|e| Error::io("write", path, &e))?;
        Ok(Some(Self { path: path.to_owned(), file }))
    }

    /// Writes a result, in place of what the file held.
    pub(super) fn write(self, report: &impl Serialize) -> Result<()> {
        let text = json_text(report, true) + "\n";
        let made = || OpenOptions::new().write(true).create(true).truncate(false).open(&self.path);
        let written = self.file.map_or_else(made, Ok).and_then(|mut file| {
            if file.metadata().is_ok_and(|file| file.is_file()) {
                file.set_len(0)?;
            }
            file.write_all(text.as_bytes())
        });
        written.map_err(|e| Error::io("write", &self.path, &e))
    }
}

/// Finds out whether a file can be made there: makes it, and takes it away again.
fn try_out(path: &Path) -> io::Result<()> {
    // (It may be a link that leads to no file yet.)
    let there = real(path).unwrap_or_else(|| path.to_owned());
    match OpenOptions::new().write(true).create_new(true).open(&there) {
        Ok(_) => std::fs::remove_file(&there),
        // Somebody else's, made just now.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn refuse(path: &Path, stores: &[&Path]) -> Result<()> {
    if path == Path::new("-") {
        return Err(Error::usage("--report names a file")
            .with_hint("--json prints the same on stdout; ./- is a file of that name"));
    }
    let Some(there) = real(path) else { return Ok(()) };
    let roots: Vec<PathBuf> = stores.iter().filter_map(|store| real(store)).collect();
    let holds = |folder: &&Path| {
        let is_root = roots.iter().any(|root| root == folder) || is_store(folder);
        is_root && !there.starts_with(folder.join(REPORTS))
    };
    match there.ancestors().skip(1).find(holds) {
        None => Ok(()),
        Some(store) => {
            let message = format!("--report names a file within the store {}", store.display());
            Err(Error::usage(message).with_hint("what is there is what was recorded"))
        }
    }
}
