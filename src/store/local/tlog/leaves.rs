//! The hashes of all leaves, one behind the other in one file.
//!
//! Lives here: opening, adding, reading and replacing them; what is left of them where some were
//! lost. May not live here: the lines they are of.
//!
//! They are added unsynced. Those that a checkpoint signs were synced before; they tell the order
//! of the lines across issues, and are the truth for it.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::super::io::{
    Bytes, FileId, Site, private, read_range, replace, set_len, sync_data, write_at,
};
use super::super::layout::Layout;
use super::super::lines::{Scanned, scan};
use super::hashes::{Hash, Leaf, SIZE, leaf, leaf_of_short, split};
use super::{checkpoint, folder, tiles, tree};
use crate::error::{Error, ErrorKind, Result};

/// The name of the file.
pub(crate) const FILE: &str = "leaves";
/// How much of a long line is read at a time.
const PIECE: u64 = 1 << 20;
/// How many bytes are hashed without asking what the processor can.
const SHORT: usize = 4 << 10;

/// The file with a store's leaf hashes, open.
#[derive(Debug)]
pub(crate) struct Leaves {
    path: PathBuf,
    file: File,
    /// Which file it is, once that was asked.
    id: Option<FileId>,
}

impl Leaves {
    /// Opens the file, and makes it where it is not there. None without its folder.
    pub(crate) fn open(layout: &Layout) -> Result<Option<Self>> {
        let path = folder(layout).join(FILE);
        match private().read(true).write(true).create(true).open(&path) {
            Ok(file) => Ok(Some(Self { path, file, id: None })),
            Err(error) if super::super::io::is_absent(&error) => Ok(None),
            Err(error) => Err(Error::io("open", &path, &error)),
        }
    }

    /// How many hashes are there.
    pub(crate) fn count(&mut self) -> Result<u64> {
        let metadata = self.file.metadata().map_err(|e| Error::io("look at", &self.path, &e))?;
        self.id = Some(FileId::of(&metadata));
        Ok(metadata.len() / SIZE as u64)
    }

    /// How many hashes are there, if the file that was opened some time ago still is the one at
    /// its path.
    pub(crate) fn count_at_path(&self) -> Option<u64> {
        let there = std::fs::metadata(&self.path).ok()?;
        (self.id == Some(FileId::of(&there))).then_some(there.len() / SIZE as u64)
    }

    /// Writes hashes behind the first `count`.
    pub(crate) fn write(&self, count: u64, hashes: &[Hash]) -> Result<()> {
        let at = count * SIZE as u64;
        write_at(&self.file, hashes.as_flattened(), at)
            .map_err(|e| Error::io("write", &self.path, &e))
    }

    /// Cuts what stands behind the first `count`.
    pub(crate) fn cut(&self, count: u64) -> Result<()> {
        let cut = set_len(&self.file, count * SIZE as u64);
        cut.map_err(|e| Error::io("cut", &self.path, &e))
    }

    /// Makes them durable.
    pub(crate) fn sync(&self) -> Result<()> {
        sync_data(&self.file, Site::Replaced).map_err(|e| Error::io("sync", &self.path, &e))
    }

    /// The hashes from one to another, or fewer where there are no more.
    pub(crate) fn read(&self, from: u64, to: u64) -> Result<Vec<Hash>> {
        let bytes = read_range(&self.file, from * SIZE as u64, to * SIZE as u64);
        let bytes = bytes.map_err(|e| Error::io("read", &self.path, &e))?;
        Ok(split(&bytes).collect())
    }

    /// Makes the file hold exactly these; a new file takes its place where it does not.
    pub(crate) fn put(&mut self, layout: &Layout, hashes: &[Hash]) -> Result<()> {
        let count = self.count()?;
        let there = self.read(0, count)?;
        if there == hashes {
            return self.cut(hashes.len() as u64);
        }
        replace(&self.path, hashes.as_flattened(), true)?;
        let gone = || Error::internal("a file that was just written is gone");
        *self = Self::open(layout)?.ok_or_else(gone)?;
        Ok(())
    }
}

/// All leaf hashes of a store; none where it has no such file.
pub(crate) fn read_all(layout: &Layout) -> Result<Vec<Hash>> {
    let bytes = super::super::io::read_if_there(&folder(layout).join(FILE))?;
    Ok(bytes.map(|bytes| split(&bytes).collect()).unwrap_or_default())
}

/// The hashes of lines as they are written: each with its line feed, blank ones left out.
pub(crate) fn of_lines(bytes: &[u8]) -> Vec<Hash> {
    let lines = bytes.strip_suffix(b"\n").unwrap_or(bytes).split(|byte| *byte == b'\n');
    let hash = if bytes.len() <= SHORT { leaf_of_short } else { leaf };
    lines.filter(|line| !line.iter().all(u8::is_ascii_whitespace)).map(hash).collect()
}

/// The hash of a line that was scanned, of all its bytes even where they are too many to keep.
pub(in super::super) fn of_line(
    file: &impl Bytes,
    path: &Path,
    line: &Scanned<'_>,
) -> Result<Hash> {
    if !line.too_long() {
        return Ok(leaf(line.bytes));
    }
    let (mut hash, end) = (Leaf::new(), line.offset + line.length);
    let mut at = line.offset;
    while at < end {
        let bytes = read_range(file, at, end.min(at + PIECE));
        let bytes = bytes.map_err(|e| Error::io("read", path, &e))?;
        if bytes.is_empty() {
            break;
        }
        hash.update(&bytes);
        at += bytes.len() as u64;
    }
    Ok(hash.finish())
}

/// The hashes of the lines between two places of a file.
pub(in super::super) fn of_file(
    file: &impl Bytes,
    path: &Path,
    range: (u64, u64),
) -> Result<Vec<Hash>> {
    let mut hashes = Vec::new();
    scan(file, path, range, |line| {
        if line.terminated && !line.is_blank() {
            hashes.push(of_line(file, path, line)?);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(hashes)
}

/// The leaf hashes that the last checkpoint signs, from wherever they are still whole: their own
/// file, the tiles, or the global log. Empty where nothing is signed.
///
/// # Errors
/// Integrity, when none of them has the root that was signed.
pub(crate) fn signed(layout: &Layout) -> Result<Vec<Hash>> {
    let log = folder(layout);
    let Some((signed, _)) = checkpoint::last(&log)? else { return Ok(Vec::new()) };
    let size = usize::try_from(signed.size).unwrap_or(usize::MAX);
    let from_global = || -> Result<Option<Vec<Hash>>> {
        let path = layout.global();
        match File::open(&path) {
            Ok(file) => of_file(&file, &path, (0, u64::MAX)).map(Some),
            Err(_) => Ok(None),
        }
    };
    let sources: [&dyn Fn() -> Result<Option<Vec<Hash>>>; 3] =
        [&|| read_all(layout).map(Some), &|| tiles::read_leaves(&log, signed.size), &from_global];
    for source in sources {
        if let Some(mut leaves) = source()?.filter(|leaves| leaves.len() >= size) {
            leaves.truncate(size);
            if tree::root(&leaves) == signed.root {
                return Ok(leaves);
            }
        }
    }
    let message = format!(
        "the order of the {size} events that the last checkpoint signs is lost: neither leaf \
         hashes nor tiles nor the global log have its root"
    );
    Err(Error::new(ErrorKind::Integrity, message)
        .with_hint("`chronoscope verify` tells what was changed"))
}
