//! The few file operations that the store is made of, each with the mode and the syncs it needs.
//!
//! Lives here: reading and writing at an offset, private files and folders, atomic replacement.
//! May not live here: which file has which meaning (see [`super::layout`]).
//!
//! Nothing else in the local store changes a file: so tests can let each operation fail, or end
//! the process at it (see `fault`, which release builds do not have).

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::Path;

use self::op::Op;
use crate::error::{Error, Result};

#[cfg(debug_assertions)]
mod fault;
#[cfg(not(debug_assertions))]
#[path = "io/no_fault.rs"]
mod fault;
mod new_file;
mod op;

pub(super) use self::new_file::NewFile;
#[cfg(debug_assertions)]
pub(super) use self::op::SITES;
pub(super) use self::op::Site;

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

/// Tells the trace of a test what was acknowledged by now.
pub(super) fn mark(text: &str) {
    fault::mark(text);
}

/// The boot that a test plays; none outside of tests.
pub(super) fn played_boot() -> Option<&'static str> {
    fault::boot()
}

/// What can be read from any of its bytes on.
pub(super) trait Bytes {
    /// One read at `offset`; 0 at the end.
    ///
    /// # Errors
    /// As reading a file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl Bytes for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        fault::step(&Op::Read, || read_some(self, buffer, offset))
    }
}

#[cfg(unix)]
fn read_some(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(not(unix))]
fn read_some(mut file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    use std::io::{Read, Seek};
    file.seek(io::SeekFrom::Start(offset))?;
    file.read(buffer)
}

/// Fills `buffer` from `offset` on, as far as the file reaches; gives how much that was.
pub(super) fn read_full_at(file: &impl Bytes, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The bytes from `from` to `to`, or fewer where the file ends before.
pub(super) fn read_range(file: &impl Bytes, from: u64, to: u64) -> io::Result<Vec<u8>> {
    let wanted = usize::try_from(to.saturating_sub(from)).map_err(io::Error::other)?;
    let mut bytes = vec![0; wanted];
    let got = read_full_at(file, &mut bytes, from)?;
    bytes.truncate(got);
    Ok(bytes)
}

/// Asks for a lock without waiting for it.
pub(super) fn try_lock(file: &File) -> std::result::Result<(), TryLockError> {
    fault::step(&Op::Lock, || Ok(())).map_err(TryLockError::Error)?;
    file.try_lock()
}

/// Writes all of `bytes` at `offset`.
pub(super) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    let mut done = 0;
    while done < bytes.len() {
        let at = offset + done as u64;
        let written = fault::write(file, &bytes[done..], || at, |part| write_some(file, part, at));
        done += progress(written)?;
    }
    Ok(())
}

#[cfg(unix)]
fn write_some(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::write_at(file, bytes, offset)
}

#[cfg(not(unix))]
fn write_some(mut file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    use std::io::Seek;
    file.seek(io::SeekFrom::Start(offset))?;
    file.write(bytes)
}

/// Writes all of `bytes` to a file that is open for appending. One write as a rule: a short one
/// means that there is no room, and the next then says why.
pub(super) fn append_all(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let end = || file.metadata().map_or(0, |m| m.len());
        let written = fault::write(file, rest, end, |part| file.write(part));
        rest = &rest[progress(written)?..];
    }
    Ok(())
}

/// How far a write came; one that was interrupted is tried again.
fn progress(written: io::Result<usize>) -> io::Result<usize> {
    match written {
        Ok(0) => Err(io::ErrorKind::WriteZero.into()),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
        other => other,
    }
}

/// Makes a file end at `length`.
pub(super) fn set_len(file: &File, length: u64) -> io::Result<()> {
    fault::step(&Op::Cut(file, length), || file.set_len(length))
}

/// Makes the bytes of a file durable.
pub(super) fn sync_data(file: &File, site: Site) -> io::Result<()> {
    fault::sync(&Op::Sync(file, site), || file.sync_data())
}

/// How a file is opened.
#[derive(Debug, Clone)]
pub(super) struct Opening {
    options: OpenOptions,
    creates: bool,
}

impl Opening {
    pub(super) fn read(&mut self, yes: bool) -> &mut Self {
        self.options.read(yes);
        self
    }

    pub(super) fn write(&mut self, yes: bool) -> &mut Self {
        self.options.write(yes);
        self
    }

    pub(super) fn append(&mut self, yes: bool) -> &mut Self {
        self.options.append(yes);
        self
    }

    pub(super) fn create(&mut self, yes: bool) -> &mut Self {
        self.options.create(yes);
        self.creates = yes;
        self
    }

    /// Opens a file as it is; who wants it empty cuts it.
    pub(super) fn open(&self, path: impl AsRef<Path>) -> io::Result<File> {
        let path = path.as_ref();
        fault::open(path, self.creates, || self.options.open(path))
    }
}

/// Ways of opening that make new files readable and writable by their owner alone.
pub(super) fn private() -> Opening {
    #[cfg_attr(not(unix), allow(unused_mut, reason = "other systems have no modes"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Opening { options, creates: false }
}

/// Makes a folder for its owner alone. Gives whether it is new.
pub(super) fn make_dir(path: &Path) -> Result<bool> {
    #[cfg_attr(not(unix), allow(unused_mut, reason = "other systems have no modes"))]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match fault::step(&Op::MakeDir(path), || builder.create(path)) {
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
    if make_dir(path)? { sync_dir(parent, Site::Parent) } else { Ok(()) }
}

/// Makes the entries of a folder durable.
pub(super) fn sync_dir(path: &Path, site: Site) -> Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    fault::sync(&Op::SyncDir(path, site), || File::open(path).and_then(|dir| dir.sync_all()))
        .map_err(|e| Error::io("sync", path, &e))
}

/// Makes the entry of a folder that stood already durable, as far as its parent may be read: who
/// made it may have been killed before that.
pub(super) fn sync_parent(path: &Path) -> Result<()> {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    let parent = parent.unwrap_or_else(|| Path::new("."));
    match File::open(parent) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        _ => sync_dir(parent, Site::Parent),
    }
}

/// Replaces `path` by a file with these bytes. When it is to be durable, then after a power cut
/// it is the old or the new one; otherwise what is there then must be checked by who reads it.
pub(super) fn replace(path: &Path, bytes: &[u8], durable: bool) -> Result<()> {
    let fail = |error: io::Error| Error::io("write", path, &error);
    let mut file = NewFile::beside(path).map_err(fail)?;
    file.add(bytes).map_err(fail)?;
    file.put(path, durable)
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
    match fault::step(&Op::Remove(path), || fs::remove_file(path)) {
        Err(error) if !is_absent(&error) => Err(Error::io("remove", path, &error)),
        _ => Ok(()),
    }
}

/// Removes a folder that is empty.
pub(super) fn remove_dir(path: &Path) -> io::Result<()> {
    fault::step(&Op::RemoveDir(path), || fs::remove_dir(path))
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
