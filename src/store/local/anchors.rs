//! What a snapshot says of the log that it stands for, and whether the log bears it out.
//!
//! Lives here: the hash of an issue's log, chained from snapshot to snapshot so that making one
//! costs only the new bytes; the signed tree that a snapshot names. May not live here: files of
//! snapshots (see [`super::snapshots`]), folding.

use sha2::{Digest, Sha256};

use super::LocalStore;
use super::io::{Bytes, read_full_at};
use super::source::Source;
use super::tlog;
use crate::error::{Error, ErrorKind, Result};
use crate::model::ids;
use crate::store::Locator;
use crate::store::snapshot::{LogAnchor, SignedLog, Snapshot};

/// A longer chain begins anew.
const LONGEST: usize = 512;

impl LocalStore {
    /// What a snapshot behind the line at `last` stands for, hashed on from `before` where there
    /// is one.
    ///
    /// # Errors
    /// Integrity, when the log does not reach so far; unavailable, when it cannot be read.
    pub fn anchor(
        &self,
        issue_key: &str,
        last: Locator,
        before: Option<&LogAnchor>,
    ) -> Result<LogAnchor> {
        let log_bytes = self.end_of_line(issue_key, last)?;
        let before = before.filter(|b| b.log_bytes < log_bytes && b.chain.len() < LONGEST);
        let (base, chain) = match before {
            Some(before) => {
                let mut chain = before.chain.clone();
                chain.push(before.log_bytes);
                (Some((before.log_bytes, before.log_hash.as_str())), chain)
            }
            None => (None, Vec::new()),
        };
        let log_hash = self.hash(issue_key, log_bytes, base)?;
        Ok(LogAnchor { log_bytes, log_hash, chain })
    }

    /// How many bytes an issue's log has up to the end of a line.
    ///
    /// # Errors
    /// Unavailable, when it cannot be read.
    pub fn end_of_line(&self, issue_key: &str, line: Locator) -> Result<u64> {
        let dates = self.layout.partitions(issue_key)?;
        let mut end = line.offset + u64::from(line.len) + 1;
        for date in dates.iter().take(line.segment as usize) {
            end += self.layout.length(*date, issue_key)?;
        }
        Ok(end)
    }

    /// None when every hash fits. Each is hashed on from the one before where it was made so.
    pub(super) fn unfit_anchor(
        &self,
        issue_key: &str,
        anchors: &[LogAnchor],
    ) -> Result<Option<String>> {
        let mut before: Option<&LogAnchor> = None;
        for anchor in anchors {
            let rising = anchor.chain.windows(2).all(|pair| pair[0] < pair[1]);
            if !rising || anchor.chain.last().is_some_and(|last| *last >= anchor.log_bytes) {
                return Ok(Some("the places in its chain of hashes are in no order".to_owned()));
            }
            let goes_on = before
                .filter(|b| anchor.chain.split_last() == Some((&b.log_bytes, b.chain.as_slice())));
            let mut base = goes_on.map(|b| (b.log_bytes, b.log_hash.clone()));
            let rest = if base.is_some() { &[] } else { anchor.chain.as_slice() };
            for end in rest.iter().chain([&anchor.log_bytes]) {
                let from = base.as_ref().map(|(bytes, hash)| (*bytes, hash.as_str()));
                match self.hash(issue_key, *end, from) {
                    Ok(hash) => base = Some((*end, hash)),
                    Err(error) if error.kind() == ErrorKind::Integrity => {
                        return Ok(Some(error.message().to_owned()));
                    }
                    Err(error) => return Err(error),
                }
            }
            if base.is_none_or(|(_, hash)| hash != anchor.log_hash) {
                return Ok(Some(format!(
                    "the first {} bytes of the log are not those that were hashed",
                    anchor.log_bytes
                )));
            }
            before = Some(anchor);
        }
        Ok(None)
    }

    /// Why a snapshot is not one of this log, as far as a look tells: its log is longer than the
    /// one that is there or ends within a line, or the checkpoint that it names was never signed.
    ///
    /// # Errors
    /// Unavailable, when something cannot be read.
    pub fn misfit(&self, snapshot: &Snapshot) -> Result<Option<String>> {
        if !self.ends_a_line(&snapshot.issue_key, snapshot.anchor.log_bytes)? {
            let bytes = snapshot.anchor.log_bytes;
            return Ok(Some(format!("the log has no line that ends at byte {bytes}")));
        }
        let Some(signed) = &snapshot.signed else { return Ok(None) };
        let size = signed.size;
        Ok(match tlog::root_of(&self.layout, size)? {
            Some(root) if root == signed.root => None,
            Some(_) => Some(format!("the first {size} events were signed with another root")),
            None => Some(format!("no checkpoint over {size} events was signed")),
        })
    }

    /// The last checkpoint, for a snapshot that is made now.
    ///
    /// # Errors
    /// Unavailable, when it cannot be read.
    pub fn signed_log(&self) -> Result<Option<SignedLog>> {
        let last = tlog::last_root(&self.layout)?;
        Ok(last.map(|(size, root)| SignedLog { size, root }))
    }

    fn ends_a_line(&self, key: &str, end: u64) -> Result<bool> {
        let mut left = end;
        for date in self.layout.partitions(key)? {
            let length = self.layout.length(date, key)?;
            if left > length {
                left -= length;
                continue;
            }
            let path = self.layout.events(date, key);
            let mut last = [0];
            let read = Source::open(&self.layout, date, key)
                .and_then(|source| source.read_at(&mut last, left.saturating_sub(1)));
            return Ok(read.map_err(|e| Error::io("read", &path, &e))? == 1 && last == *b"\n");
        }
        Ok(false)
    }

    /// Hashes the log up to `log_bytes`, from a known hash on.
    fn hash(&self, key: &str, log_bytes: u64, base: Option<(u64, &str)>) -> Result<String> {
        let mut hash = Sha256::new();
        let from = base.map_or(0, |(bytes, _)| bytes);
        if let Some((_, text)) = base {
            hash.update(text.as_bytes());
        }
        let mut start = 0;
        let mut block = vec![0; 1 << 20];
        for date in self.layout.partitions(key)? {
            let end = start + self.layout.length(date, key)?;
            let mut at = from.max(start);
            if at < log_bytes.min(end) {
                let path = self.layout.events(date, key);
                let failed = |e: std::io::Error| Error::io("read", &path, &e);
                let file = Source::open(&self.layout, date, key).map_err(failed)?;
                while at < log_bytes.min(end) {
                    let left = usize::try_from(log_bytes.min(end) - at).unwrap_or(block.len());
                    let wanted = left.min(block.len());
                    let got =
                        read_full_at(&file, &mut block[..wanted], at - start).map_err(failed)?;
                    if got == 0 {
                        break;
                    }
                    hash.update(&block[..got]);
                    at += got as u64;
                }
            }
            start = end;
        }
        if start < log_bytes {
            let message = format!("the log of {key} has {start} bytes, not {log_bytes}");
            return Err(Error::new(ErrorKind::Integrity, message));
        }
        Ok(ids::hex(&hash.finalize()))
    }
}
