//! Signing the log as it is.
//!
//! Lives here: [`LocalStore::checkpoint`], and when one is due. May not live here: formats.
//!
//! First everything that the checkpoint speaks of is made durable, each line is held against its
//! leaf hash, and the tree against the checkpoint before: nothing is signed that does not go on
//! from what was signed.

use std::collections::BTreeSet;
use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::LocalStore;
use super::super::commit::Folders;
use super::super::global::{Global, issue_of};
use super::super::io::{Site, read_range, replace, sync_data, sync_dir};
use super::super::layout::check_key;
use super::super::lines::{leading_key, scan};
use super::super::watermark::{self, Watermark};
use super::super::{lock, lost, record};
use super::checkpoint::{self, Checkpoint, Entry};
use super::hashes::{Hash, to_base64};
use super::leaves::{Leaves, of_line};
use super::tree::{Edge, WIDTH};
use super::{folder, key, tiles};
use crate::error::{Error, ErrorKind, Result};

/// How many leaf hashes are read at a time.
const CHUNK: u64 = 1 << 16;
/// More new leaves than this are signed by two threads.
const MANY: u64 = if cfg!(test) { 16 } else { 1 << 16 };
/// More new tiles than this are not synced one by one: they can be made again from the leaves.
const SYNCED_TILES: u64 = 64;
/// How often signing begins anew because the global log was made anew meanwhile.
const ATTEMPTS: usize = 5;

/// A signed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// How many events it signs.
    pub size: u64,
    /// The root of their tree, as base64.
    pub root: String,
    /// The signed note, as it is kept and passed on.
    pub note: String,
}

impl Signed {
    fn new(checkpoint: &Checkpoint, note: String) -> Self {
        Self { size: checkpoint.size, root: to_base64(&checkpoint.root), note }
    }
}

/// The log as it was when signing began.
struct Sight {
    generation: u64,
    size: u64,
    /// How long the global log was.
    bytes: u64,
    leaves: Leaves,
    global: (PathBuf, File),
    /// What is to be noted when all of it is durable.
    watermark: Option<Watermark>,
    /// Whether something stands in the place of signed lines.
    has_lost: bool,
}

impl LocalStore {
    /// Signs a checkpoint when `every` events came since the last, or any did and an
    /// orchestration `ended`. Gives whether it did. It costs one small read where nothing is due.
    ///
    /// # Errors
    /// As [`LocalStore::checkpoint`].
    pub fn checkpoint_when_due(&self, every: u64, ended: bool, timeout: Duration) -> Result<bool> {
        let Ok(lock) = File::open(self.layout.global_lock()) else { return Ok(false) };
        let Ok(Some(noted)) = record::read_global(&lock) else { return Ok(false) };
        let log = folder(&self.layout);
        let signed = match checkpoint::last_size(&log) {
            Some(size) => size,
            None => checkpoint::last(&log)?.map_or(0, |(last, _)| last.size),
        };
        let fresh = noted.leaves.unwrap_or(u64::MAX).saturating_sub(signed);
        if fresh == 0 || (!ended && fresh < every.max(1)) {
            return Ok(false);
        }
        // Who is at it already signs for this one too, unless this is to be the last.
        let patience = if ended { timeout } else { Duration::ZERO };
        let Ok(Some(lock)) = lock::take(&self.layout.service("locks/.tlog"), patience) else {
            return Ok(false);
        };
        self.sign(&lock, timeout).map(|_| true)
    }

    /// Signs the log as it is now; gives the last checkpoint where nothing came since.
    ///
    /// # Errors
    /// Integrity, when the log does not go on from what was signed before; unavailable, when
    /// something cannot be read, synced or written, or stays locked.
    pub fn checkpoint(&self, timeout: Duration) -> Result<Signed> {
        self.publish_all(timeout)?;
        let path = self.layout.service("locks/.tlog");
        let lock = match lock::take(&path, timeout)? {
            Some(lock) => lock,
            None => {
                self.layout.create()?;
                let gone = || Error::io("open", &path, &std::io::ErrorKind::NotFound.into());
                lock::take(&path, timeout)?.ok_or_else(gone)?
            }
        };
        self.sign(&lock, timeout)
    }

    /// Writes the tiles of the last checkpoint anew; gives how many leaves they hold.
    pub(in super::super) fn rebuild_tiles(&self) -> Result<u64> {
        let log = folder(&self.layout);
        let leaves = super::leaves::signed(&self.layout)?;
        let mut edge = Edge::default();
        for leaf in &leaves {
            edge.push(*leaf, &mut |level, index, tile: &[Hash]| {
                let there = tiles::read(&log, level, index, WIDTH)?;
                if there.as_deref() == Some(tile) {
                    return Ok(());
                }
                tiles::write_full(&log, (level, index), tile, true)
            })?;
        }
        if !leaves.is_empty() {
            tiles::write_edge(&log, &edge)?;
        }
        Ok(edge.size())
    }

    /// Signs, as the one who holds the lock of those that sign.
    fn sign(&self, _lock: &File, timeout: Duration) -> Result<Signed> {
        let log = folder(&self.layout);
        for _ in 0..ATTEMPTS {
            let sight = self.sight(timeout)?;
            let last = checkpoint::last(&log)?;
            if let Some((last, note)) = &last
                && last.size == sight.size
            {
                return Ok(Signed::new(last, note.clone()));
            }
            let last = last.map(|(last, _)| last);
            let signer = key::obtain(&log, last.is_none())?;
            let origin = signer.verifier().name().to_owned();
            let edge = self.held_and_grown(&log, &sight, last.as_ref(), timeout)?;
            let made = Checkpoint { origin, size: sight.size, root: edge.root() };
            let note = signer.sign(&made.text());
            let global = Global::take(&self.layout, timeout)?;
            // Where it was made anew meanwhile, these may be no more its first lines.
            if global.record.generation == sight.generation {
                replace(&log.join(checkpoint::FILE), note.as_bytes(), true)?;
                drop(global);
                let entry = Entry { size: made.size, bytes: sight.bytes, note: note.clone() };
                checkpoint::remember(&log, entry)?;
                if let Some(mark) = &sight.watermark {
                    sync_data(&sight.global.1, Site::Replaced)
                        .map_err(|e| Error::io("sync", &sight.global.0, &e))?;
                    watermark::note(&self.layout, mark)?;
                }
                return Ok(Signed::new(&made, note));
            }
        }
        Err(Error::new(ErrorKind::Unavailable, "the global log is made anew again and again"))
    }

    fn sight(&self, timeout: Duration) -> Result<Sight> {
        let global = Global::take(&self.layout, timeout)?;
        let watermark = Watermark::due(&global)?;
        Ok(Sight {
            watermark,
            generation: global.record.generation,
            size: global.record.leaves.unwrap_or_default(),
            bytes: global.record.length,
            leaves: global.leaves,
            global: (global.path, global.file),
            has_lost: !lost::read(&self.layout)?.is_empty(),
        })
    }

    /// The tree of what was seen, each new line of which was held against its leaf hash: where
    /// that is long, while the tiles are written. Those of a tree that comes to nothing are
    /// written again.
    fn held_and_grown(
        &self,
        log: &Path,
        sight: &Sight,
        last: Option<&Checkpoint>,
        timeout: Duration,
    ) -> Result<Edge> {
        let settle = || self.settle(log, sight, last, timeout);
        if sight.size.saturating_sub(last.map_or(0, |last| last.size)) <= MANY {
            settle()?;
            return grow(log, sight, last);
        }
        std::thread::scope(|scope| {
            let grown = scope.spawn(|| grow(log, sight, last));
            settle()?;
            grown.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Makes durable what is new, and holds each of its lines against its leaf hash.
    fn settle(
        &self,
        log: &Path,
        sight: &Sight,
        last: Option<&Checkpoint>,
        timeout: Duration,
    ) -> Result<()> {
        let (path, file) = &sight.global;
        let from = last.map_or(Ok(0), |last| begin(log, sight, last.size))?;
        let signed = last.map_or(0, |last| last.size);
        let mut issues = BTreeSet::new();
        let mut at = signed;
        let mut hashes = Vec::new();
        let wrong = |line: u64| {
            let message = format!("{}:{line} is not the line that was published", path.display());
            Error::new(ErrorKind::Integrity, message)
                .with_hint("`chronoscope verify` tells more; `store rebuild` mends what is derived")
        };
        scan(file, path, (from, sight.bytes), |line| {
            if !line.terminated || line.is_blank() {
                return Ok(ControlFlow::Continue(()));
            }
            let next = usize::try_from((at - signed) % CHUNK).unwrap_or_default();
            if next == 0 {
                hashes = sight.leaves.read(at, at + CHUNK)?;
            }
            if hashes.get(next) != Some(&of_line(file, path, line)?) {
                return Err(wrong(at + 1));
            }
            at += 1;
            match leading_key(line.bytes) {
                Some(key) if issues.contains(key) => {}
                Some(key) => drop(issues.insert(key.to_owned())),
                None => drop(issues.insert(issue_of(line.bytes))),
            }
            Ok(ControlFlow::Continue(()))
        })?;
        if at != sight.size {
            return Err(wrong(at + 1));
        }
        let folders = Folders::default();
        for key in issues.iter().filter(|key| check_key(key).is_ok()) {
            self.make_durable(key, timeout, &folders)?;
        }
        sight.leaves.sync()?;
        if last.is_none() { sync_dir(log, Site::ReplacedEntry) } else { Ok(()) }
    }
}

/// Where the first line stands that the last checkpoint does not sign.
fn begin(log: &Path, sight: &Sight, size: u64) -> Result<u64> {
    let (path, file) = &sight.global;
    let noted = checkpoint::history(log)?.0.pop().filter(|entry| entry.size == size);
    // Where words stand in the place of lines, these stand elsewhere than they did.
    let noted = noted.filter(|_| !sight.has_lost);
    if let Some(entry) = noted {
        let before = read_range(file, entry.bytes.saturating_sub(1), entry.bytes);
        if before.map_err(|e| Error::io("read", path, &e))? == b"\n" {
            return Ok(entry.bytes);
        }
    }
    let (mut at, mut count) = (0, 0);
    scan(file, path, (0, sight.bytes), |line| {
        if count == size {
            return Ok(ControlFlow::Break(()));
        }
        count += u64::from(!line.is_blank());
        at = line.end();
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(at)
}

/// The tree grown to what was seen, its tiles written.
fn grow(log: &Path, sight: &Sight, last: Option<&Checkpoint>) -> Result<Edge> {
    let mut edge = match last {
        None => Edge::default(),
        Some(last) => {
            let lowest = sight.leaves.read(last.size & !0xff, last.size)?;
            let kept = tiles::read_edge(log, last.size, lowest)?;
            // Tiles that were lost or damaged are made anew from the leaves.
            kept.filter(|edge| edge.root() == last.root).unwrap_or_default()
        }
    };
    let few = (sight.size - edge.size().min(sight.size)) / (WIDTH as u64) <= SYNCED_TILES;
    let (broken, signed) = (
        || {
            let size = last.map_or(0, |last| last.size);
            let message = format!("the log does not go on from the checkpoint over {size} events");
            Error::new(ErrorKind::Integrity, message)
                .with_hint("`chronoscope verify` tells what was changed")
        },
        last.filter(|last| last.size != edge.size()),
    );
    if last.is_some_and(|last| last.size > sight.size) {
        return Err(broken());
    }
    let mut at = edge.size();
    while at < sight.size {
        let hashes = sight.leaves.read(at, sight.size.min(at + CHUNK))?;
        if hashes.is_empty() {
            return Err(broken());
        }
        for leaf in hashes {
            edge.push(leaf, &mut |level, index, tile: &[Hash]| {
                tiles::write_full(log, (level, index), tile, few)
            })?;
            at += 1;
            if signed.is_some_and(|last| last.size == at && last.root != edge.root()) {
                return Err(broken());
            }
        }
    }
    tiles::write_edge(log, &edge)?;
    Ok(edge)
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::note_draft;
    use super::*;
    use crate::clock::Clock;
    use crate::model::Timestamp;
    use crate::store::{AppendOptions, Batch, EventStore};

    const WAIT: Duration = Duration::from_secs(9);

    #[test]
    fn many_lines_are_signed_as_few_are_and_a_changed_one_never() {
        let at = Timestamp::parse("2026-11-20T12:00:00Z").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let store = LocalStore::at(dir.path(), Clock::Fixed(at));
        let append = |count: usize| {
            let batch = Batch { issue_key: "P-1".into(), drafts: vec![note_draft(); count] };
            store.append(&batch, &AppendOptions::default()).unwrap();
        };
        let leaves = || super::super::leaves::read_all(&store.layout).unwrap();
        for (count, size) in [(10, 10), (600, 610), (1, 611)] {
            append(count);
            let signed = store.checkpoint(WAIT).unwrap();
            let root = to_base64(&super::super::tree::root(&leaves()));
            assert_eq!((signed.size, signed.root), (size, root));
        }
        assert!(store.verify(None).unwrap().findings.is_empty());
        let log = folder(&store.layout);
        let last = std::fs::read(log.join(checkpoint::FILE)).unwrap();
        append(300);
        let path = store.layout.global();
        let mut bytes = std::fs::read(&path).unwrap();
        let at = bytes.len() - bytes.len() / 10;
        bytes[at] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let error = store.checkpoint(WAIT).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Integrity, "{error}");
        assert!(std::fs::read(log.join(checkpoint::FILE)).unwrap() == last);
        bytes[at] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(store.checkpoint(WAIT).unwrap().size, 911);
        assert!(store.verify(None).unwrap().findings.is_empty());
    }
}
