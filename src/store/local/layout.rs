//! Where everything stands on disk, and what is there.
//!
//! Lives here: the names of design's store layout; listings of dates, issues and partitions in a file
//! of their own. May not live here: what stands in the files.

mod listing;

use std::cell::LazyCell;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

pub(super) use self::listing::names;
use super::io::{Site, is_absent, make_dir, make_dirs, replace, sync_dir, sync_parent};
use super::source::Source;
use crate::error::{Error, ErrorKind, Result};
use crate::model::catalogue::Version;
use crate::model::{Timestamp, ids};

/// The shape of events in this version, as the project publishes it.
const EVENTS_SCHEMA: &str = include_str!("../../../schemas/orchestration-events.json");
/// What changed from version to version.
const VERSION_HISTORY: &str = include_str!("../../../schemas/version-history.json");

/// The name of the files that hold events.
pub(super) const EVENTS: &str = "events.jsonl";
/// The folder with what the store needs beside the events.
pub(super) const SERVICE: &str = ".chronoscope";
/// The folder with the events of all issues.
pub(super) const GLOBAL: &str = "global";
/// The folder with archives of partitions.
pub(super) const ARCHIVE: &str = "archive";
/// The name of the files that hold archived events.
pub(super) const ARCHIVED: &str = "events.jsonl.zst";
/// The name of a partition's summary.
pub(super) const METADATA: &str = "metadata.json";
/// The name of a day's summary.
pub(super) const INDEX: &str = "index.json";

/// A UTC day in the text form that folders are named by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date([u8; 10]);

impl Date {
    /// The day of a time.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        let mut bytes = *b"0000-01-01";
        bytes.copy_from_slice(&at.to_string().as_bytes()[..10]);
        Self(bytes)
    }

    /// Reads `YYYY-MM-DD`; none unless it is a real date in exactly this form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 10] = text.as_bytes().try_into().ok()?;
        let shaped = bytes.iter().enumerate().all(|(at, b)| match at {
            4 | 7 => *b == b'-',
            _ => b.is_ascii_digit(),
        });
        (shaped && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()).then_some(Self(bytes))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether anything was ever archived.
type Archives<'a> = LazyCell<bool, Box<dyn FnOnce() -> bool + 'a>>;

/// The paths of one store.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The layout below the events folder `root`.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The events folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A folder or file below `.chronoscope/`.
    #[must_use]
    pub fn service(&self, name: &str) -> PathBuf {
        self.root.join(SERVICE).join(name)
    }

    /// The folder of one issue's events of one day.
    #[must_use]
    pub fn partition(&self, date: Date, issue_key: &str) -> PathBuf {
        let mut path = PathBuf::with_capacity(self.root.as_os_str().len() + issue_key.len() + 32);
        path.push(&self.root);
        path.push(date.as_str());
        path.push(issue_key);
        path
    }

    /// The file with one issue's events of one day.
    #[must_use]
    pub fn events(&self, date: Date, issue_key: &str) -> PathBuf {
        let mut path = self.partition(date, issue_key);
        path.push(EVENTS);
        path
    }

    /// The archive that takes the place of one issue's events of one day.
    #[must_use]
    pub fn archive(&self, date: Date, issue_key: &str) -> PathBuf {
        let mut path = self.root.join(ARCHIVE);
        path.push(date.as_str());
        path.push(issue_key);
        path.push(ARCHIVED);
        path
    }

    /// Whether one issue has events of one day, as they were written or in an archive.
    #[must_use]
    pub fn has(&self, date: Date, issue_key: &str) -> bool {
        self.has_if(date, issue_key, &self.archives())
    }

    /// The same, for who asks more than once; `archives` says whether there are any.
    fn has_if(&self, date: Date, issue_key: &str, archives: &Archives<'_>) -> bool {
        let events = self.events(date, issue_key);
        // An archive stands before the file goes, and a file before the archive goes.
        events.is_file()
            || (**archives && (self.archive(date, issue_key).is_file() || events.is_file()))
    }

    /// Whether anything was ever archived. Looked at after a file was not found, so that none is
    /// missed that was archived meanwhile: the folder stays.
    fn archives(&self) -> Archives<'_> {
        LazyCell::new(Box::new(|| self.root.join(ARCHIVE).is_dir()))
    }

    /// How many bytes of events one issue has of one day.
    ///
    /// # Errors
    /// Unavailable, when that cannot be told; integrity, when an archive is damaged.
    pub fn length(&self, date: Date, issue_key: &str) -> Result<u64> {
        let path = self.events(date, issue_key);
        match fs::metadata(&path) {
            Ok(metadata) => Ok(metadata.len()),
            Err(_) => Source::open(self, date, issue_key)
                .and_then(|source| source.length())
                .map_err(|e| Error::io("look at", &path, &e)),
        }
    }

    /// A day's summary.
    #[must_use]
    pub fn index(&self, date: Date) -> PathBuf {
        self.root.join(date.as_str()).join(INDEX)
    }

    /// The file with the events of all issues.
    #[must_use]
    pub fn global(&self) -> PathBuf {
        self.root.join(GLOBAL).join(EVENTS)
    }

    /// The lock file of an issue.
    #[must_use]
    pub fn issue_lock(&self, issue_key: &str) -> PathBuf {
        self.root.join(SERVICE).join("locks").join(format!("{issue_key}.lock"))
    }

    /// The lock file of those who make an issue's log durable.
    #[must_use]
    pub fn sync_lock(&self, issue_key: &str) -> PathBuf {
        self.root.join(SERVICE).join("locks").join(format!("{issue_key}.sync"))
    }

    /// The lock file of those who look after what is derived from an issue's log.
    #[must_use]
    pub fn upkeep_lock(&self, issue_key: &str) -> PathBuf {
        self.root.join(SERVICE).join("locks").join(format!("{issue_key}.upkeep"))
    }

    /// The lock file of the global log. No issue's key starts with a dot, so none collides.
    #[must_use]
    pub fn global_lock(&self) -> PathBuf {
        self.service("locks/.global")
    }

    /// The event-id index of an issue.
    #[must_use]
    pub fn id_index(&self, issue_key: &str) -> PathBuf {
        self.root.join(SERVICE).join("index").join(format!("{issue_key}.ids"))
    }

    /// Makes the folders that every store has; gives whether the store is new. New folders and
    /// their parents are made durable.
    ///
    /// # Errors
    /// Unavailable, when they cannot be made.
    pub fn create(&self) -> Result<bool> {
        let stood = self.root.is_dir();
        make_dirs(&self.root)?;
        let service = self.root.join(SERVICE);
        let new = make_dir(&service)?;
        for name in ["locks", "index", "quarantine", "tlog"] {
            make_dir(&service.join(name))?;
        }
        make_dir(&self.root.join(GLOBAL))?;
        self.note_schemas()?;
        // Not only when it is new: who made it may have been killed before this.
        sync_dir(&service, Site::Service)?;
        sync_dir(&self.root, Site::NewRoot)?;
        if stood {
            sync_parent(&self.root)?;
        }
        Ok(new)
    }

    /// Puts the schemas that the store is written under beside its events, for readers that do
    /// not have this program. Those of earlier versions stay.
    fn note_schemas(&self) -> Result<()> {
        let folder = self.root.join("schemas");
        make_dir(&folder)?;
        for (name, text) in schemas() {
            let path = folder.join(name);
            if !path.exists() {
                replace(&path, text.as_bytes(), false)?;
            }
        }
        Ok(())
    }

    /// Refuses a partition that a symbolic link leads out of the store.
    ///
    /// # Errors
    /// Integrity, when it leads out; unavailable, when that cannot be told.
    pub fn refuse_links(&self, date: Date, issue_key: &str) -> Result<()> {
        let day = self.root.join(date.as_str());
        let partition = day.join(issue_key);
        let events = partition.join(EVENTS);
        if self.refuse_links_of(&[day.as_path(), partition.as_path(), events.as_path()])? {
            return Ok(());
        }
        self.refuse_archive_links(date, issue_key)
    }

    /// Refuses an archive that a symbolic link leads out of the store.
    ///
    /// # Errors
    /// As [`Layout::refuse_links`].
    pub fn refuse_archive_links(&self, date: Date, issue_key: &str) -> Result<()> {
        let archive = self.archive(date, issue_key);
        let mut way: Vec<&Path> = archive.ancestors().take(4).collect();
        way.reverse();
        self.refuse_links_of(&way).map(|_| ())
    }

    /// Refuses links out of the store on the way to a file; gives whether it is there.
    fn refuse_links_of(&self, way: &[&Path]) -> Result<bool> {
        for path in way {
            if !self.is_inside(path)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Refuses a store of which a symbolic link leads a folder beside the events out of it.
    ///
    /// # Errors
    /// As [`Layout::refuse_links`].
    pub(super) fn refuse_service_links(&self) -> Result<()> {
        [SERVICE, GLOBAL]
            .iter()
            .try_for_each(|name| self.is_inside(&self.root.join(name)).map(drop))
    }

    /// Whether a path is there at all; an error, when it leads out of the store.
    fn is_inside(&self, path: &Path) -> Result<bool> {
        let link = match fs::symlink_metadata(path) {
            Ok(metadata) => metadata.file_type().is_symlink(),
            Err(error) if is_absent(&error) => return Ok(false),
            Err(error) => return Err(Error::io("look at", path, &error)),
        };
        if link && !self.holds(path)? {
            let message = format!("{} is a link that leads out of the store", path.display());
            return Err(Error::new(ErrorKind::Integrity, message)
                .with_hint("replace the link by the folder itself"));
        }
        Ok(true)
    }

    fn holds(&self, path: &Path) -> Result<bool> {
        let real = |p: &Path| fs::canonicalize(p).map_err(|e| Error::io("resolve", p, &e));
        Ok(real(path)?.starts_with(real(&self.root)?))
    }
}

/// The schemas of this version, each with the name of its file.
pub(super) fn schemas() -> [(String, &'static str); 2] {
    let version = Version::CURRENT.name();
    [
        (format!("orchestration-events-{version}.json"), EVENTS_SCHEMA),
        (format!("version-history-{version}.json"), VERSION_HISTORY),
    ]
}

/// Whether `dir` is a store's events folder: it has the service folder, or a day with events.
#[must_use]
pub fn is_store(dir: &Path) -> bool {
    if dir.join(SERVICE).is_dir() {
        return true;
    }
    let layout = Layout::new(dir);
    layout.dates().is_ok_and(|dates| {
        dates.iter().any(|date| layout.issues_on(*date).is_ok_and(|keys| !keys.is_empty()))
    })
}

/// Refuses keys that are not safe as a folder's name.
///
/// # Errors
/// Usage, saying why.
pub(super) fn check_key(issue_key: &str) -> Result<()> {
    let fault = match ids::check_issue_key(issue_key) {
        Ok(()) if issue_key == INDEX => "is the name of a file that every day has",
        Ok(()) => return Ok(()),
        Err(fault) => fault,
    };
    Err(Error::usage(format!("the issue key {issue_key:?} {fault}")))
}

#[cfg(test)]
mod tests;
