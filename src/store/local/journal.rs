//! Journals: what a long piece of work notes, line by line, so that another process can go on.
//!
//! Lives here: a file of lines in `.chronoscope/journals/`, each durable before the call returns,
//! held by one process at a time. May not live here: what the lines say (see the replay layer).
//!
//! A journal is locked by its own file, which is never replaced. What stands behind the last line
//! feed was never called durable: it is cut away when the journal is opened again.

use std::borrow::Cow;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::time::Duration;

use super::LocalStore;
use super::io::{Site, make_dir, read_range, set_len, sync_data, sync_dir, write_at};
use super::lock::{self, Attempt, Contest, LockFile};
use crate::error::{Error, ErrorKind, Result};
use crate::model::ids;

/// The folder of the journals, below the service folder.
const FOLDER: &str = "journals";
/// What the name of a journal's file ends with.
const ENDING: &str = ".jsonl";
/// How long a journal is asked for that is held: a program that is just being started, by this
/// process or by one that was ended, holds for a moment what it does not keep.
const PATIENCE: Duration = Duration::from_millis(100);

/// The whole lines of a journal.
struct Lines {
    file: BufReader<std::fs::File>,
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Lines {
    fn next(&mut self) -> Result<Option<Cow<'_, str>>> {
        self.bytes.clear();
        let read = self.file.read_until(b'\n', &mut self.bytes);
        read.map_err(|e| Error::io("read", &self.path, &e))?;
        let whole = self.bytes.strip_suffix(b"\n");
        Ok(whole.map(String::from_utf8_lossy))
    }
}

/// A journal that is held by this process.
#[derive(Debug)]
pub struct Journal {
    file: LockFile,
    path: PathBuf,
    length: u64,
    /// Whether a line could not be written: what stands behind the last one is not known then.
    poisoned: bool,
}

impl LocalStore {
    /// Makes a journal and holds it.
    ///
    /// # Errors
    /// Conflict, when there is one of this name; unavailable, when it cannot be made.
    pub fn create_journal(&self, name: &str) -> Result<Journal> {
        let path = self.journal_path(name)?;
        if path.exists() {
            return Err(Error::new(ErrorKind::Conflict, format!("{} exists", path.display())));
        }
        self.layout.refuse_service_links()?;
        let folder = self.layout.service(FOLDER);
        if !self.layout.service("").is_dir() {
            self.layout.create()?;
        }
        make_dir(&folder)?;
        // Not only when it is new: who made it may have been killed before this.
        sync_dir(&self.layout.service(""), Site::JournalEntry)?;
        let journal = Journal::hold(path)?;
        sync_dir(&folder, Site::JournalEntry)?;
        Ok(journal)
    }

    /// Opens a journal, holds it, and gives its whole lines.
    ///
    /// # Errors
    /// Not found, when there is none of this name; unavailable, when another process holds it or
    /// it cannot be read.
    pub fn open_journal(&self, name: &str) -> Result<(Journal, String)> {
        let path = self.journal_path(name)?;
        self.layout.refuse_service_links()?;
        if !path.is_file() {
            return Err(Error::not_found(format!("there is no journal {}", path.display())));
        }
        let mut journal = Journal::hold(path)?;
        let failed = |what, e: &_| Error::io(what, &journal.path, e);
        let length = journal.file.metadata().map_err(|e| failed("look at", &e))?.len();
        let mut bytes = read_range(&*journal.file, 0, length).map_err(|e| failed("read", &e))?;
        let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        if whole < bytes.len() {
            set_len(&journal.file, whole as u64).map_err(|e| failed("cut", &e))?;
            bytes.truncate(whole);
        }
        journal.length = whole as u64;
        Ok((journal, String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The names of the journals, what was written last first.
    ///
    /// # Errors
    /// Unavailable, when they cannot be listed.
    pub fn journals(&self) -> Result<Vec<String>> {
        self.layout.refuse_service_links()?;
        let folder = self.layout.service(FOLDER);
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io("list", &folder, &error)),
        };
        let mut found: Vec<_> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let name = entry.file_name().to_str()?.strip_suffix(ENDING)?.to_owned();
                Some((std::cmp::Reverse(entry.metadata().ok()?.modified().ok()?), name))
            })
            .collect();
        found.sort();
        Ok(found.into_iter().map(|(_, name)| name).collect())
    }

    /// Hands out the whole lines of a journal, one by one, whoever holds it.
    ///
    /// # Errors
    /// Unavailable, when it cannot be read; what `f` gives.
    pub fn each_journal_line(
        &self,
        name: &str,
        mut f: impl FnMut(&str) -> Result<()>,
    ) -> Result<()> {
        let mut lines = self.journal_lines(name)?;
        while let Some(line) = lines.next()? {
            f(&line)?;
        }
        Ok(())
    }

    /// The first line of a journal, whoever holds it; none where it has no whole one.
    ///
    /// # Errors
    /// Unavailable, when it cannot be read.
    pub fn journal_begins(&self, name: &str) -> Result<Option<String>> {
        Ok(self.journal_lines(name)?.next()?.map(Cow::into_owned))
    }

    fn journal_lines(&self, name: &str) -> Result<Lines> {
        let path = self.journal_path(name)?;
        self.layout.refuse_service_links()?;
        let file = std::fs::File::open(&path).map_err(|e| Error::io("read", &path, &e))?;
        Ok(Lines { file: BufReader::new(file), path, bytes: Vec::new() })
    }

    /// Whether somebody holds a journal that is there. Who may only read it can ask, too; where it
    /// cannot be asked, nobody is said to hold it.
    #[must_use]
    pub fn is_journal_held(&self, name: &str) -> bool {
        let file = self.journal_path(name).ok().and_then(|path| std::fs::File::open(path).ok());
        file.is_some_and(|file| lock::is_held(&file, PATIENCE))
    }

    /// Whether a journal ends with these bytes; none where it holds nothing, or cannot be read.
    #[must_use]
    pub fn journal_ends_with(&self, name: &str, end: &[u8]) -> Option<bool> {
        let file = std::fs::File::open(self.journal_path(name).ok()?).ok()?;
        let length = file.metadata().ok()?.len();
        let from = length.saturating_sub(end.len() as u64);
        let bytes = read_range(&file, from, length).ok()?;
        (length > 0).then(|| bytes == end)
    }

    /// The file of a journal, be it there or not.
    ///
    /// # Errors
    /// Usage, for what can be no name of one.
    pub fn journal_path(&self, name: &str) -> Result<PathBuf> {
        ids::check_issue_key(name)
            .map_err(|fault| Error::usage(format!("the name of a journal, {name:?}, {fault}")))?;
        Ok(self.layout.service(FOLDER).join(format!("{name}{ENDING}")))
    }
}

impl Journal {
    fn hold(path: PathBuf) -> Result<Self> {
        let contest = Contest::new(&path, Duration::ZERO, PATIENCE);
        let missing = || Error::not_found(format!("there is no folder for {}", path.display()));
        let file = contest.open()?.ok_or_else(missing)?;
        match contest.try_take(file)? {
            Attempt::Taken(file) => Ok(Self { file, path, length: 0, poisoned: false }),
            Attempt::Held(_) | Attempt::Removed => Err(Error::new(
                ErrorKind::Unavailable,
                format!("another process holds {}", path.display()),
            )
            .with_hint(
                "it is at the same work, or what it started still runs: wait until it ends",
            )),
        }
    }

    /// Lets programs that this process starts hold the journal too: should this process be killed,
    /// nobody goes on with its work before they have ended.
    pub fn hold_in_children(&self) {
        #[cfg(unix)]
        {
            // Where it cannot be done, the user has to see to it.
            let _ = rustix::io::fcntl_setfd(&*self.file, rustix::io::FdFlags::empty());
        }
    }

    /// Adds a line; it is on the disk when this returns.
    ///
    /// # Errors
    /// Unavailable, when it cannot be written; then nothing may be done that it announces. After
    /// that nothing more is written: a shorter line in its place would leave its end behind.
    pub fn add(&mut self, line: &str) -> Result<()> {
        let failed = |e: &_| Error::io("write", &self.path, e);
        if std::mem::replace(&mut self.poisoned, true) {
            return Err(failed(&std::io::Error::other("a line before could not be written")));
        }
        let bytes = format!("{line}\n");
        write_at(&self.file, bytes.as_bytes(), self.length).map_err(|e| failed(&e))?;
        sync_data(&self.file, Site::Journal).map_err(|e| failed(&e))?;
        self.length += bytes.len() as u64;
        self.poisoned = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn a_journal_is_held_once_and_loses_only_what_was_torn() {
        let dir = tempfile::tempdir().unwrap();
        let store = LocalStore::create(dir.path().join("events"), Clock::default()).unwrap();
        let mut journal = store.create_journal("work-1").unwrap();
        assert_eq!(store.create_journal("work-1").unwrap_err().kind(), ErrorKind::Conflict);
        journal.add("{\"n\":1}").unwrap();
        journal.add("{\"n\":2}").unwrap();
        let held = store.open_journal("work-1").unwrap_err();
        assert_eq!(held.kind(), ErrorKind::Unavailable);
        let path = journal.path.clone();
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], b"{\"n\":"].concat()).unwrap();
        let (mut journal, text) = store.open_journal("work-1").unwrap();
        assert_eq!(text.as_bytes(), whole);
        journal.add("{\"n\":3}").unwrap();
        drop(journal);
        assert_eq!(store.open_journal("work-1").unwrap().1, "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
        assert_eq!(store.open_journal("work-2").unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(store.open_journal("../x").unwrap_err().kind(), ErrorKind::Usage);
    }

    #[test]
    fn only_a_lock_that_is_held_is_held() {
        let dir = tempfile::tempdir().unwrap();
        let store = LocalStore::create(dir.path().join("events"), Clock::default()).unwrap();
        let journal = store.create_journal("work-1").unwrap();
        assert!(store.is_journal_held("work-1"));
        let path = journal.path.clone();
        drop(journal);
        // Others may look at the same time, and not all may write.
        let file = std::fs::File::open(&path).unwrap();
        file.lock_shared().unwrap();
        let mut rights = file.metadata().unwrap().permissions();
        rights.set_readonly(true);
        std::fs::set_permissions(&path, rights).unwrap();
        assert!(!store.is_journal_held("work-1"));
        assert!(!store.is_journal_held("work-2"), "there is none");
    }

    #[test]
    fn after_a_line_that_could_not_be_written_nothing_more_is() {
        let dir = tempfile::tempdir().unwrap();
        let store = LocalStore::create(dir.path().join("events"), Clock::default()).unwrap();
        let mut journal = store.create_journal("work-1").unwrap();
        journal.add("{\"n\":1}").unwrap();
        let whole = std::mem::replace(&mut journal.length, u64::MAX >> 1);
        assert!(journal.add("{\"n\":2}").is_err(), "no file reaches so far");
        journal.length = whole;
        assert_eq!(journal.add("{\"n\":3}").unwrap_err().kind(), ErrorKind::Unavailable);
        drop(journal);
        assert_eq!(store.open_journal("work-1").unwrap().1, "{\"n\":1}\n");
    }
}
