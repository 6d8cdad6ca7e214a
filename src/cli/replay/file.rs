//! `replay --report`: the file that a result is written to, beside what is printed.
//!
//! Lives here: holding it open from the beginning, so that nothing is done whose result cannot be
//! written. May not live here: what the result says.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::super::output::json_text;
use super::real;
use crate::error::{Error, Result};
use crate::store::local::is_store;

/// The folder of a store that is for reports.
const REPORTS: &str = "reports";

/// A file for a result. What it holds stays until there is one.
pub(super) struct ReportFile {
    path: PathBuf,
    file: File,
    /// Whether it was made for a result that did not come yet.
    unused: bool,
}

impl ReportFile {
    /// Opens the file that a flag names, or makes it; not within a store, where it could take the
    /// place of what was recorded. What is to be one of these is a store, too.
    pub(super) fn open(path: Option<&Path>, stores: &[&Path]) -> Result<Option<Self>> {
        let Some(path) = path else { return Ok(None) };
        refuse(path, stores)?;
        let (opened, unused) = match OpenOptions::new().write(true).create_new(true).open(path) {
            // (It may be a link that leads to no file yet.)
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                (OpenOptions::new().write(true).create(true).truncate(false).open(path), false)
            }
            opened => (opened, true),
        };
        let file = opened.map_err(|e| Error::io("write", path, &e))?;
        Ok(Some(Self { path: path.to_owned(), file, unused }))
    }

    /// Writes a result, in place of what the file held.
    pub(super) fn write(mut self, report: &impl Serialize) -> Result<()> {
        self.unused = false;
        let text = json_text(report, true) + "\n";
        let is_file = self.file.metadata().is_ok_and(|file| file.is_file());
        let emptied = if is_file { self.file.set_len(0) } else { Ok(()) };
        let written = emptied.and_then(|()| self.file.write_all(text.as_bytes()));
        written.map_err(|e| Error::io("write", &self.path, &e))
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

impl Drop for ReportFile {
    fn drop(&mut self) {
        if self.unused {
            // Nothing came of it; an empty file would look as if something had.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
