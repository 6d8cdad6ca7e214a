//! Archiving old partitions: compressed, proven to be the same, and only then in the place of the
//! plain file; and back.
//!
//! Lives here: [`LocalStore::archivable`], [`LocalStore::archive`], [`LocalStore::restore`]. May
//! not live here: the format (see [`super::seekable`]), reading (see [`super::source`]).
//!
//! At every moment one of the two files is whole and durable, and where both are there the plain
//! one counts. Only lines that a checkpoint signs are archived, and never an issue's last
//! partition, which appends still read.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::LocalStore;
use super::io::{
    FileId, NewFile, Site, make_dirs, private, read_full_at, remove_if_there, sync_data, sync_dir,
};
use super::layout::Date;
use super::lines::scan;
use super::seekable::{FRAME, FrameWriter};
use super::source::{Damage, Source};
use super::tlog::hashes::Hash;
use super::tlog::leaves;
use crate::error::{Error, ErrorKind, Result};

crate::closed_list! {
    /// Why a partition is not archived.
    pub enum Kept {
        /// Appends still read it.
        LastPartition = "last-partition",
        /// No signed checkpoint covers all of its lines.
        NotSigned = "not-signed",
        /// It has no complete lines, or bytes behind them.
        NotWhole = "not-whole",
        /// A link leads out of the store.
        OutsideLink = "outside-link",
        /// A sound archive is there already, and holds something else.
        Differs = "differs",
    }
}

/// A partition that can be archived, or was; or one that can be restored, or was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Archivable {
    /// The issue.
    pub issue_key: String,
    /// The day.
    pub partition: String,
    /// The archive.
    pub file: PathBuf,
    /// How many bytes of events it has.
    pub bytes: u64,
    /// How many bytes the archive has; none before there is one.
    pub archived_bytes: Option<u64>,
    /// Why it stays as it is; none where it does not.
    pub kept: Option<Kept>,
}

impl Archivable {
    fn date(&self) -> Result<Date> {
        let none = || Error::internal(format!("{:?} is no day", self.partition));
        Date::parse(&self.partition).ok_or_else(none)
    }
}

/// Which partitions are meant.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Those of these issues; of all where none is named.
    pub issues: Vec<String>,
    /// Those of days before this one.
    pub before: Option<Date>,
}

impl LocalStore {
    /// The plain partitions that are meant, each with why it would stay as it is. What is signed
    /// is asked of the last line only; archiving asks it of all.
    ///
    /// # Errors
    /// Not found, when there is no such issue; unavailable, when something cannot be read;
    /// integrity, when what was signed is lost.
    pub fn archivable(&self, selection: &Selection) -> Result<Vec<Archivable>> {
        let signed = Signed::read(self)?;
        let mut found = Vec::new();
        for key in self.selected(selection)? {
            let dates = self.layout.partitions(&key)?;
            let last = self.last_with_lines(&key, &dates)?;
            for date in dates {
                let meant = selection.before.is_none_or(|before| date < before);
                if meant && self.layout.events(date, &key).is_file() {
                    let kept = self.kept_back(&key, date, last, &signed)?;
                    let bytes = self.layout.length(date, &key)?;
                    found.push(Archivable { kept, ..self.entry(&key, date, bytes) });
                }
            }
        }
        Ok(found)
    }

    /// Archives those of `meant` that can be, and notes what became of each; `done` is told the
    /// bytes of each.
    ///
    /// # Errors
    /// Unavailable, when something cannot be read or written, or stays locked, or a partition
    /// changes meanwhile; integrity, when an archive does not read back as what was written.
    pub fn archive(
        &self,
        meant: &mut [Archivable],
        timeout: Duration,
        done: &mut dyn FnMut(u64),
    ) -> Result<()> {
        let signed = Signed::read(self)?;
        for one in meant.iter_mut().filter(|one| one.kept.is_none()) {
            *one = self.archive_one(&signed, &one.issue_key, one.date()?, timeout)?;
            done(one.bytes);
        }
        Ok(())
    }

    fn archive_one(
        &self,
        signed: &Signed,
        key: &str,
        date: Date,
        timeout: Duration,
    ) -> Result<Archivable> {
        let dates = self.layout.partitions(key)?;
        let last = self.last_with_lines(key, &dates)?;
        let path = self.layout.events(date, key);
        let plain = Source::plain(path.clone()).map_err(|e| Error::io("open", &path, &e))?;
        let before = sight(&plain)?;
        let mut entry = self.entry(key, date, before.1);
        entry.kept = match self.kept_back(key, date, last, signed)? {
            None => signed.lacks(&plain)?,
            some => some,
        };
        if entry.kept.is_some() {
            return Ok(entry);
        }
        let there = Source::open_archive(entry.file.clone(), Damage::Refuse).map_err(drop);
        if there.is_ok_and(|there| same(&there, &plain).is_ok_and(|same| !same)) {
            entry.kept = Some(Kept::Differs);
            return Ok(entry);
        }
        // Where one is there already, nobody knows whether it is durable: it is made again.
        self.compress(&plain, &entry)?;
        let archive = Source::open_archive(entry.file.clone(), Damage::Refuse)
            .map_err(|e| Error::io("open", &entry.file, &e))?;
        if !same(&archive, &plain)? {
            return Err(differs(&entry));
        }
        // What is derived is asked often; it shall not be made of the archive each time.
        if self.kept_metadata(key, date)?.is_none_or(|kept| kept.bytes != entry.bytes) {
            self.refresh_metadata(key, date, true)?;
        }
        let _locks = super::repair::Locks::take(&self.layout, key, timeout)?;
        let now = Source::plain(path.clone()).map_err(|e| Error::io("open", &path, &e))?;
        if sight(&now)? != before {
            let message = format!("{} changed while it was archived; it stays", path.display());
            return Err(Error::new(ErrorKind::Unavailable, message).with_hint("try again"));
        }
        remove_if_there(&path)?;
        super::note_told(&entry.file.display().to_string());
        entry.archived_bytes = Some(archive.metadata().map_or(0, |metadata| metadata.len()));
        Ok(entry)
    }

    /// The archived partitions that are meant.
    ///
    /// # Errors
    /// Not found, when there is no such issue; unavailable, when something cannot be read.
    pub fn archived(&self, selection: &Selection) -> Result<Vec<Archivable>> {
        let mut found = Vec::new();
        for key in self.selected(selection)? {
            for date in self.layout.partitions(&key)? {
                let meant = selection.before.is_none_or(|before| date < before);
                let file = self.layout.archive(date, &key);
                let Some(packed) = std::fs::metadata(&file).ok().filter(|_| meant) else {
                    continue;
                };
                let bytes = self.layout.length(date, &key)?;
                let archived_bytes = Some(packed.len());
                found.push(Archivable { archived_bytes, ..self.entry(&key, date, bytes) });
            }
        }
        Ok(found)
    }

    /// Brings the plain files of archived partitions back, and removes the archives; `done` is
    /// told the bytes of each.
    ///
    /// # Errors
    /// Integrity, when an archive is damaged, or is not what a plain file beside it holds;
    /// unavailable, when something cannot be read or written, or stays locked.
    pub fn restore(
        &self,
        meant: &mut [Archivable],
        timeout: Duration,
        done: &mut dyn FnMut(u64),
    ) -> Result<()> {
        for one in meant {
            *one = self.restore_one(&one.issue_key, one.date()?, timeout)?;
            done(one.bytes);
        }
        Ok(())
    }

    fn restore_one(&self, key: &str, date: Date, timeout: Duration) -> Result<Archivable> {
        let _locks = super::repair::Locks::take(&self.layout, key, timeout)?;
        self.layout.refuse_links(date, key)?;
        let file = self.layout.archive(date, key);
        let archive = Source::open_archive(file.clone(), Damage::Refuse)
            .map_err(|e| Error::io("open", &file, &e))?;
        let length = archive.length().map_err(|e| Error::io("look at", &file, &e))?;
        let mut entry = self.entry(key, date, length);
        entry.archived_bytes = archive.metadata().ok().map(|metadata| metadata.len());
        let path = self.layout.events(date, key);
        let failed = |e: std::io::Error| Error::io("write", &path, &e);
        self.way_to(&path)?;
        if path.exists() {
            // Who put it there may have been killed before it was durable.
            let opened = private().read(true).write(true).open(&path);
            opened.and_then(|file| sync_data(&file, Site::Replaced)).map_err(failed)?;
            sync_dir(&self.layout.partition(date, key), Site::ReplacedEntry)?;
        } else {
            let mut plain = NewFile::beside(&path).map_err(failed)?;
            each_block(&archive, |block| plain.add(block).map_err(failed))?;
            plain.put(&path, true)?;
        }
        let plain = Source::plain(path.clone()).map_err(|e| Error::io("open", &path, &e))?;
        if !same(&archive, &plain)? {
            return Err(differs(&entry));
        }
        remove_if_there(&file)?;
        Ok(entry)
    }

    fn compress(&self, plain: &Source, entry: &Archivable) -> Result<()> {
        let path = &entry.file;
        self.way_to(path)?;
        let failed = |e: std::io::Error| Error::io("write", path, &e);
        let mut writer = FrameWriter::new().map_err(failed)?;
        let mut file = NewFile::beside(path).map_err(failed)?;
        each_block(plain, |block| {
            writer.frame(block).and_then(|frame| file.add(&frame)).map_err(failed)
        })?;
        writer.finish().and_then(|table| file.add(&table)).map_err(failed)?;
        file.put(path, true)
    }

    /// Makes the folders above a file, and each of them durable: who made those that are there
    /// already may have been killed before that.
    fn way_to(&self, file: &Path) -> Result<()> {
        let Some(folder) = file.parent() else { return Ok(()) };
        if !folder.is_dir() {
            make_dirs(folder)?;
        }
        let above = folder.ancestors().skip(1).take_while(|above| above.starts_with(self.root()));
        above.into_iter().try_for_each(|above| sync_dir(above, Site::Parent))
    }

    /// Why a plain partition stays as it is, as far as its end tells.
    fn kept_back(
        &self,
        key: &str,
        date: Date,
        last: Option<Date>,
        signed: &Signed,
    ) -> Result<Option<Kept>> {
        let links = self.layout.refuse_links(date, key);
        if links.and_then(|()| self.layout.refuse_archive_links(date, key)).is_err() {
            return Ok(Some(Kept::OutsideLink));
        }
        if last.is_none_or(|last| date >= last) {
            return Ok(Some(Kept::LastPartition));
        }
        let path = self.layout.events(date, key);
        let file = Source::plain(path.clone()).map_err(|e| Error::io("open", &path, &e))?;
        signed.lacks_last(&file)
    }

    fn entry(&self, key: &str, date: Date, bytes: u64) -> Archivable {
        Archivable {
            issue_key: key.to_owned(),
            partition: date.to_string(),
            file: self.layout.archive(date, key),
            bytes,
            archived_bytes: None,
            kept: None,
        }
    }

    fn selected(&self, selection: &Selection) -> Result<Vec<String>> {
        let keys = self.keys()?;
        if let Some(key) = selection.issues.iter().find(|key| !keys.contains(key)) {
            return Err(self.layout.no_such_issue(key));
        }
        let meant = |key: &String| selection.issues.is_empty() || selection.issues.contains(key);
        Ok(keys.into_iter().filter(meant).collect())
    }

    /// The last of an issue's days with a complete line: it is where the next append looks.
    fn last_with_lines(&self, key: &str, dates: &[Date]) -> Result<Option<Date>> {
        for date in dates.iter().rev() {
            let path = self.layout.events(*date, key);
            let source =
                Source::open(&self.layout, *date, key).map_err(|e| Error::io("open", &path, &e))?;
            let length = source.length().map_err(|e| Error::io("look at", &path, &e))?;
            if super::lines::end_of_lines(&source, source.path(), length)? > 0 {
                return Ok(Some(*date));
            }
        }
        Ok(None)
    }
}

/// The leaf hashes that the last checkpoint signs, sorted.
struct Signed(Vec<Hash>);

impl Signed {
    fn read(store: &LocalStore) -> Result<Self> {
        let mut leaves = leaves::signed(&store.layout)?;
        leaves.sort_unstable();
        Ok(Self(leaves))
    }

    fn has(&self, leaf: &Hash) -> bool {
        self.0.binary_search(leaf).is_ok()
    }

    /// Why a partition cannot be archived, by its last line.
    fn lacks_last(&self, file: &Source) -> Result<Option<Kept>> {
        let path = file.path();
        let length = file.length().map_err(|e| Error::io("look at", path, &e))?;
        let end = super::lines::end_of_lines(file, path, length)?;
        if end == 0 || end != length {
            return Ok(Some(Kept::NotWhole));
        }
        let begin = super::lines::end_of_lines(file, path, end - 1)?;
        let leaf = leaves::of_file(file, path, (begin, end))?;
        Ok((!leaf.iter().all(|leaf| self.has(leaf))).then_some(Kept::NotSigned))
    }

    /// Why a partition cannot be archived, by all of its lines.
    fn lacks(&self, file: &Source) -> Result<Option<Kept>> {
        let mut kept = None;
        scan(file, file.path(), (0, u64::MAX), |line| {
            if !line.terminated {
                kept = Some(Kept::NotWhole);
            } else if !line.is_blank() && !self.has(&leaves::of_line(file, file.path(), line)?) {
                kept = Some(Kept::NotSigned);
            }
            Ok(match kept {
                Some(_) => std::ops::ControlFlow::Break(()),
                None => std::ops::ControlFlow::Continue(()),
            })
        })?;
        Ok(kept)
    }
}

/// What tells a file that changed from one that did not.
fn sight(file: &Source) -> Result<(FileId, u64, Option<std::time::SystemTime>)> {
    let metadata = file.metadata().map_err(|e| Error::io("look at", file.path(), &e))?;
    Ok((FileId::of(&metadata), metadata.len(), metadata.modified().ok()))
}

/// Calls `each` with the events, a frame's worth at a time.
fn each_block(file: &Source, mut each: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut block = vec![0; FRAME];
    let mut at = 0;
    loop {
        let got = read_full_at(file, &mut block, at);
        match got.map_err(|e| Error::io("read", file.path(), &e))? {
            0 => return Ok(()),
            got => {
                each(&block[..got])?;
                at += got as u64;
            }
        }
    }
}

/// Whether two hold the same bytes.
fn same(one: &Source, other: &Source) -> Result<bool> {
    let (mut at, mut same) = (0, true);
    let mut beside = vec![0; FRAME];
    each_block(one, |block| {
        if same {
            let got = read_full_at(other, &mut beside[..block.len()], at)
                .map_err(|e| Error::io("read", other.path(), &e))?;
            same = beside[..got] == *block;
            at += block.len() as u64;
        }
        Ok(())
    })?;
    let length = other.length().map_err(|e| Error::io("look at", other.path(), &e))?;
    Ok(same && length == at)
}

fn differs(entry: &Archivable) -> Error {
    let message =
        format!("{} does not hold what its plain file holds; both stay", entry.file.display());
    Error::new(ErrorKind::Integrity, message).with_hint(
        "`chronoscope verify` tells which lines of the plain file are as they were logged",
    )
}

#[cfg(test)]
mod tests;
