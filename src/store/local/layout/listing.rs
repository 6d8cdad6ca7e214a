//! What is there: the days, issues and partitions of a store.
//!
//! Lives here: listings of folders. May not live here: where things stand (see [`super::Layout`]).

use std::fs;
use std::path::Path;

use super::super::io::is_absent;
use super::{ARCHIVE, Date, Layout, check_key};
use crate::error::{Error, Result};

impl Layout {
    /// The days that have a folder, oldest first. Names that are no real dates are passed over.
    ///
    /// # Errors
    /// Unavailable, when the events folder cannot be read.
    pub fn dates(&self) -> Result<Vec<Date>> {
        let archived = self.archived_dates()?;
        let mut dates: Vec<Date> =
            names(&self.root)?.iter().filter_map(|name| Date::parse(name)).collect();
        dates.extend(archived);
        dates.sort_unstable();
        dates.dedup();
        Ok(dates)
    }

    /// The days of which something is archived, in any order.
    fn archived_dates(&self) -> Result<Vec<Date>> {
        let names = names(&self.root.join(ARCHIVE))?;
        Ok(names.iter().filter_map(|name| Date::parse(name)).collect())
    }

    /// The issues that have a folder with events on that day, sorted.
    ///
    /// # Errors
    /// Unavailable, when the day's folder cannot be read.
    pub fn issues_on(&self, date: Date) -> Result<Vec<String>> {
        let mut keys = names(&self.root.join(ARCHIVE).join(date.as_str()))?;
        keys.extend(names(&self.root.join(date.as_str()))?);
        keys.sort_unstable();
        keys.dedup();
        let archives = self.archives();
        keys.retain(|key| check_key(key).is_ok() && self.has_if(date, key, &archives));
        Ok(keys)
    }

    /// The days of one issue, oldest first.
    ///
    /// # Errors
    /// Unavailable, when the events folder cannot be read.
    pub fn partitions(&self, issue_key: &str) -> Result<Vec<Date>> {
        check_key(issue_key)?;
        let mut dates = self.dates()?;
        let archives = self.archives();
        dates.retain(|date| self.has_if(*date, issue_key, &archives));
        Ok(dates)
    }

    /// The first day of one issue.
    ///
    /// # Errors
    /// Unavailable, when the events folder cannot be read.
    pub fn first_partition(&self, issue_key: &str) -> Result<Option<Date>> {
        check_key(issue_key)?;
        let dates = self.dates()?;
        let archives = self.archives();
        Ok(dates.into_iter().find(|date| self.has_if(*date, issue_key, &archives)))
    }

    /// The error for an issue that the store does not have. Whoever names a file instead learns how
    /// it gets into a store.
    pub(in crate::store::local) fn no_such_issue(&self, key: &str) -> Error {
        let hint = if Path::new(key).is_file() {
            "that is a file: `chronoscope import` brings other logs into a store; \
             `chronoscope import list` says which kinds"
        } else {
            "`chronoscope` without an issue lists those that there are"
        };
        Error::not_found(format!("there is no issue {key:?} in {}", self.root().display()))
            .with_hint(hint)
    }
}

/// What stands in a folder; nothing where there is none.
pub(in super::super) fn names(dir: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("list", dir, &error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| Error::io("list", dir, &e))?;
        // A name that is not UTF-8 is no date, and no key.
        if let Ok(name) = entry.file_name().into_string() {
            names.push(name);
        }
    }
    Ok(names)
}
