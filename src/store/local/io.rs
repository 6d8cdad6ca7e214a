//! The few file operations that the store is made of, each with the mode and the syncs it needs.
//!
//! Lives here: reading and writing at an offset, private files and folders, atomic replacement.
//! May not live here: which file has which meaning (see [`super::layout`]).

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::error::{Error, Result};

/// Which file a name stood for: tells a replaced file from a changed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct FileId {
    pub(super) device: u64,
    pub(super) inode: u64,
}

impl FileId {
    /// The identity of the file that `metadata` speaks of. Systems without one say that all
    /// files are the same, which turns the checks off.
    #[cfg(unix)]
    pub(super) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    /// The identity of the file that `metadata` speaks of. Systems without one say that all
    /// files are the same, which turns the checks off.
    #[cfg(not(unix))]
    pub(super) fn of(_metadata: &Metadata) -> Self {
        Self::default()
    }
}

/// One read at `offset`; 0 at the end of the file.
#[cfg(unix)]
pub(super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

/// One read at `offset`; 0 at the end of the file.
#[cfg(not(unix))]
pub(super) fn read_at(mut file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    use std::io::{Read, Seek};
    file.seek(io::SeekFrom::Start(offset))?;
    file.read(buffer)
}

/// Fills `buffer` from `offset` on, as far as the file reaches; gives how much that was.
pub(super) fn read_full_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match read_at(file, &mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The bytes from `from` to `to`, or fewer where the file ends before.
pub(super) fn read_range(file: &File, from: u64, to: u64) -> io::Result<Vec<u8>> {
    let wanted = usize::try_from(to.saturating_sub(from)).map_err(io::Error::other)?;
    let mut bytes = vec![0; wanted];
    let got = read_full_at(file, &mut bytes, from)?;
    bytes.truncate(got);
    Ok(bytes)
}

/// Writes all of `bytes` at `offset`.
#[cfg(unix)]
pub(super) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

/// Writes all of `bytes` at `offset`.
#[cfg(not(unix))]
pub(super) fn write_at(mut file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    use std::io::Seek;
    file.seek(io::SeekFrom::Start(offset))?;
    file.write_all(bytes)
}

/// Options that make new files readable and writable by their owner alone.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes a folder for its owner alone. Gives whether it is new.
pub(super) fn make_dir(path: &Path) -> Result<bool> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(Error::io("create", path, &error)),
    }
}

/// Makes a folder and those above it, each for its owner alone, and each durable.
pub(super) fn make_dirs(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    let parent = parent.unwrap_or_else(|| Path::new("."));
    make_dirs(parent)?;
    if make_dir(path)? { sync_dir(parent) } else { Ok(()) }
}

/// Makes the entries of a folder durable.
pub(super) fn sync_dir(path: &Path) -> Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    File::open(path).and_then(|dir| dir.sync_all()).map_err(|e| Error::io("sync", path, &e))
}

/// Replaces `path` by a file with these bytes. When it is to be durable, then after a power cut
/// it is the old or the new one; otherwise what is there then must be checked by who reads it.
pub(super) fn replace(path: &Path, bytes: &[u8], durable: bool) -> Result<()> {
    let dir = path.parent().unwrap_or_else(|| Path::new("."));
    let fail = |error: io::Error| Error::io("write", path, &error);
    let mut file = tempfile::Builder::new().prefix(".writing-").tempfile_in(dir).map_err(fail)?;
    file.write_all(bytes).map_err(fail)?;
    if durable {
        file.as_file().sync_data().map_err(fail)?;
    }
    file.persist(path).map_err(|e| fail(e.error))?;
    if durable { sync_dir(dir) } else { Ok(()) }
}

/// The bytes of a file; none when there is no such file.
pub(super) fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(Error::io("read", path, &error)),
    }
}

/// Removes a file; one that is not there is no failure.
pub(super) fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if !is_absent(&error) => Err(Error::io("remove", path, &error)),
        _ => Ok(()),
    }
}

/// Whether an error says that a path leads nowhere.
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// A 64-bit hash of bytes, for recognising them again: not against an adversary.
pub(super) fn fingerprint(bytes: &[u8]) -> u64 {
    use std::hash::Hasher;
    let mut hasher = rustc_hash::FxHasher::default();
    hasher.write(bytes);
    hasher.finish()
}
