//! Where the events of a partition are read from: its file, or the archive that took its place.
//!
//! Lives here: [`Source`], which readers cannot tell one from the other by, and its cache. May not
//! live here: making archives (see [`super::archive`]), or writing events: an archive never
//! grows.

use std::collections::VecDeque;
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::io::{Bytes, FileId, is_absent, read_range};
use super::layout::{Date, Layout};
use super::seekable::{self, Frame, Table};

/// How many frames are kept, in the whole process: however many archives are open, they take no
/// more memory than this.
const KEPT: usize = 8;

/// A frame of an archive by number, and its content.
type Kept = ((u64, usize), Arc<Vec<u8>>);
static CACHE: Mutex<VecDeque<Kept>> = Mutex::new(VecDeque::new());
static NUMBERS: AtomicU64 = AtomicU64::new(0);

/// What a reader wants of a frame that is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Damage {
    /// An error: nothing that may be wrong is read.
    Refuse,
    /// As much as can be made out, and NULs for the rest: to name what is wrong.
    Show,
    /// NULs for all of it: to mend what is wrong.
    Blank,
}

/// The events of one partition.
#[derive(Debug)]
pub(super) struct Source {
    path: PathBuf,
    file: File,
    archive: Option<Archive>,
}

#[derive(Debug)]
struct Archive {
    table: Table,
    /// What its frames are known by in the cache.
    number: u64,
    damage: Damage,
    /// The frames that were found damaged, and why.
    damaged: Mutex<Vec<(usize, String)>>,
}

/// A part of an archive that is not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DamagedPart {
    /// Where it begins in the events.
    pub(super) from: u64,
    /// Where it ends.
    pub(super) to: u64,
    /// What is wrong with it.
    pub(super) why: String,
}

impl Source {
    /// Opens a partition: the plain file where there is one, else its archive.
    ///
    /// # Errors
    /// Not found, when there is neither; invalid data, when the archive is damaged as a whole.
    pub(super) fn open(layout: &Layout, date: Date, key: &str) -> io::Result<Self> {
        Self::open_for(layout, date, key, Damage::Refuse)
    }

    /// The same for a reader that can make something of damage.
    pub(super) fn open_for(
        layout: &Layout,
        date: Date,
        key: &str,
        damage: Damage,
    ) -> io::Result<Self> {
        let path = layout.events(date, key);
        let absent = match File::open(&path) {
            Err(error) if is_absent(&error) => error,
            opened => return Ok(Self { path, file: opened?, archive: None }),
        };
        match Self::open_archive(layout.archive(date, key), damage) {
            // It may have been restored between the two looks.
            Err(error) if is_absent(&error) => match File::open(&path) {
                Err(error) if is_absent(&error) => Err(absent),
                opened => Ok(Self { path, file: opened?, archive: None }),
            },
            opened => opened,
        }
    }

    /// Opens an archive.
    pub(super) fn open_archive(path: PathBuf, damage: Damage) -> io::Result<Self> {
        let file = File::open(&path)?;
        let length = file.metadata()?.len();
        let table = match Table::read(length, |from, to| read_range(&file, from, to)) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData && damage == Damage::Blank => {
                Table::default()
            }
            table => table?,
        };
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let archive = Archive { table, number, damage, damaged: Mutex::default() };
        Ok(Self { path, file, archive: Some(archive) })
    }

    /// A file that is read as it is, such as the global log.
    pub(super) fn plain(path: PathBuf) -> io::Result<Self> {
        let file = File::open(&path)?;
        Ok(Self { path, file, archive: None })
    }

    /// The file that is read, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is an archive.
    pub(super) fn is_archived(&self) -> bool {
        self.archive.is_some()
    }

    /// How many bytes of events there are.
    pub(super) fn length(&self) -> io::Result<u64> {
        match &self.archive {
            Some(archive) => Ok(archive.table.length()),
            None => Ok(self.file.metadata()?.len()),
        }
    }

    /// What the system knows of the file that is read.
    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    /// Which file is read.
    pub(super) fn id(&self) -> io::Result<FileId> {
        Ok(FileId::of(&self.metadata()?))
    }

    /// What was found damaged while reading, in the order of the events.
    pub(super) fn damaged(&self) -> Vec<DamagedPart> {
        let Some(archive) = &self.archive else { return Vec::new() };
        let found = archive.damaged.lock().unwrap_or_else(PoisonError::into_inner);
        let mut parts: Vec<_> = found
            .iter()
            .map(|(at, why)| {
                let frame = &archive.table.frames[*at];
                DamagedPart { from: frame.from, to: frame.to(), why: why.clone() }
            })
            .collect();
        parts.sort_unstable_by_key(|part| part.from);
        parts
    }
}

impl Bytes for Source {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let Some(archive) = &self.archive else { return self.file.read_at(buffer, offset) };
        let Some(at) = archive.table.find(offset) else { return Ok(0) };
        let frame = archive.table.frames[at];
        let content = archive.content(&self.file, at, &frame)?;
        let within = usize::try_from(offset - frame.from).unwrap_or(usize::MAX);
        let rest = content.get(within..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }
}

impl Archive {
    fn content(&self, file: &File, at: usize, frame: &Frame) -> io::Result<Arc<Vec<u8>>> {
        let name = (self.number, at);
        let kept = || CACHE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, content)) = kept().iter().find(|kept| kept.0 == name) {
            return Ok(Arc::clone(content));
        }
        let packed = read_range(file, frame.at, frame.at + u64::from(frame.packed))?;
        let content = match seekable::decompress(frame, &packed) {
            Ok(content) => content,
            Err(error) => {
                let mut damaged = self.damaged.lock().unwrap_or_else(PoisonError::into_inner);
                if damaged.iter().all(|(known, _)| *known != at) {
                    damaged.push((at, error.to_string()));
                }
                match self.damage {
                    Damage::Refuse => return Err(error),
                    Damage::Show => seekable::salvage(frame, &packed),
                    Damage::Blank => vec![0; frame.size as usize],
                }
            }
        };
        let content = Arc::new(content);
        let mut kept = kept();
        kept.truncate(KEPT - 1);
        kept.push_front((name, Arc::clone(&content)));
        Ok(content)
    }
}
