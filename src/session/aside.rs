//! The file that a long log's versions are put aside into.
//!
//! Lives here: where it is, and writing and reading it. May not live here: what is put into it (see
//! [`crate::timeline::keyframes`], [`crate::model::value::spill`]).
//!
//! It has no name and is gone with the session. Nobody else reads it.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::Position;
use crate::model::value::spill::{Spill, SpillFile};

use super::user_state;

/// Logs of so many events have their versions put aside; those of shorter ones have room in memory.
pub(super) const LONG_LOG: Position = 150_000;
/// So many bytes are written at a time.
const TOGETHER: usize = 256 * 1024;

/// A spill beside the user's state, else where temporary files go. None where neither is possible:
/// the versions stay in memory then.
pub(super) fn open() -> Option<Arc<Spill>> {
    let folders = user_state::state_dir().into_iter().chain([std::env::temp_dir()]);
    let file = folders.into_iter().find_map(|folder: PathBuf| {
        std::fs::create_dir_all(&folder).ok()?;
        tempfile::tempfile_in(folder).ok()
    })?;
    Spill::new(Arc::new(Unnamed::new(file)))
}

/// A file without a name, and what is not written to it yet.
#[derive(Debug)]
struct Unnamed {
    file: File,
    end: Mutex<End>,
}

impl Unnamed {
    fn new(file: File) -> Self {
        // The room is taken here and now: it would else stand among what whoever fills it lets go of.
        let waiting = Vec::with_capacity(TOGETHER);
        Self { file, end: Mutex::new(End { written: 0, waiting }) }
    }
}

#[derive(Debug)]
struct End {
    /// How many bytes the file has.
    written: u64,
    waiting: Vec<u8>,
}

impl SpillFile for Unnamed {
    fn append(&self, bytes: &[u8]) -> Option<u64> {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        if end.waiting.len() + bytes.len() > TOGETHER && !end.waiting.is_empty() {
            write_at(&self.file, &end.waiting, end.written).ok()?;
            end.written += end.waiting.len() as u64;
            end.waiting.clear();
        }
        let offset = end.written + end.waiting.len() as u64;
        end.waiting.extend_from_slice(bytes);
        Some(offset)
    }

    fn read(&self, offset: u64, length: usize) -> Option<Vec<u8>> {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = offset.checked_sub(end.written) {
            let at = usize::try_from(at).ok()?;
            return end.waiting.get(at..at.checked_add(length)?).map(<[u8]>::to_vec);
        }
        // (Where reading moves the file's place, the lock keeps others away.)
        #[cfg(unix)]
        drop(end);
        let mut bytes = vec![0; length];
        read_at(&self.file, &mut bytes, offset).ok()?;
        Some(bytes)
    }
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(not(unix))]
fn read_at(mut file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    use std::io::{Read, Seek};
    file.seek(io::SeekFrom::Start(offset))?;
    file.read_exact(bytes)
}

#[cfg(not(unix))]
fn write_at(mut file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    use std::io::{Seek, Write};
    file.seek(io::SeekFrom::Start(offset))?;
    file.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_there_is_read_from_there_written_or_not() {
        let file = Unnamed::new(tempfile::tempfile().unwrap());
        let record = |n: usize| vec![u8::try_from(n % 251).unwrap(); n * 37 % 9000];
        let offsets: Vec<u64> = (0..400).map(|n| file.append(&record(n)).unwrap()).collect();
        let written = file.end.lock().unwrap().written;
        assert!(written > 0 && written < *offsets.last().unwrap(), "{written}");
        for (n, offset) in offsets.iter().enumerate() {
            assert_eq!(file.read(*offset, record(n).len()), Some(record(n)), "{n}");
        }
        assert_eq!(file.read(*offsets.last().unwrap(), 1 << 20), None);
    }

    #[test]
    fn where_nothing_can_be_written_what_was_put_there_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, "").unwrap();
        let file = File::open(path).unwrap();
        let file = Unnamed::new(file);
        let first = file.append(&[7; TOGETHER]).unwrap();
        assert_eq!(file.append(&[8]), None);
        assert_eq!(file.read(first, 3), Some(vec![7; 3]));
    }
}
