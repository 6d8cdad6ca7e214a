//! Replacing a file as a whole.

use std::io;
use std::path::Path;

use super::op::{Op, Site};
use super::{fault, sync_data, sync_dir, write_at};
use crate::error::{Error, Result};

/// A file that is written beside another, to take its place.
pub(in crate::store::local) struct NewFile {
    file: tempfile::NamedTempFile,
    /// What is not written yet.
    rest: Vec<u8>,
    length: u64,
}

impl NewFile {
    /// An empty one in the folder of `path`.
    pub(in crate::store::local) fn beside(path: &Path) -> io::Result<Self> {
        let dir = path.parent().unwrap_or_else(|| Path::new("."));
        let make = || tempfile::Builder::new().prefix(".writing-").tempfile_in(dir);
        let file = fault::passing(make)?;
        Ok(Self { file, rest: Vec::new(), length: 0 })
    }

    /// Adds bytes at its end.
    pub(in crate::store::local) fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.rest.extend_from_slice(bytes);
        if self.rest.len() >= 1 << 20 { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        write_at(self.file.as_file(), &self.rest, self.length)?;
        self.length += self.rest.len() as u64;
        self.rest.clear();
        Ok(())
    }

    /// Puts it in the place of `path`.
    pub(in crate::store::local) fn put(mut self, path: &Path, durable: bool) -> Result<()> {
        let fail = |error: io::Error| Error::io("write", path, &error);
        self.flush().map_err(fail)?;
        if durable {
            sync_data(self.file.as_file(), Site::Replaced).map_err(fail)?;
        }
        let from = self.file.path().to_owned();
        let persist = || self.file.persist(path).map(drop).map_err(|e| e.error);
        fault::step(&Op::Rename(&from, path), persist).map_err(fail)?;
        let dir = path.parent().unwrap_or_else(|| Path::new("."));
        if durable { sync_dir(dir, Site::ReplacedEntry) } else { Ok(()) }
    }
}
