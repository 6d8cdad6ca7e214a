//! Checking the tree: its signature, its tiles, and whether it goes on from what is remembered.
//!
//! Lives here: [`Evidence`]. May not live here: the lines themselves (see
//! [`super::super::verify`]), mending.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::super::finding::{Finding, FindingKind};
use super::super::layout::Layout;
use super::checkpoint::{self, Checkpoint};
use super::hashes::{Hash, to_base64};
use super::note::Verifier;
use super::tree::{Edge, WIDTH, consistency, is_consistent};
use super::{folder, key, leaves, tiles};
use crate::error::{Error, Result};

/// How many findings about tiles are told.
const TOLD: usize = 16;

/// What a checkpoint proves of a log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Signature {
    /// How many events it covers; 0 where nothing is signed, or the signature does not hold.
    pub size: u64,
    /// The root of their tree, as base64.
    pub root: Option<String>,
    /// The public key that the signature was checked with.
    pub signed_by: Option<String>,
    /// What an anchor adds.
    pub anchor: Option<Anchored>,
}

/// A remembered checkpoint that the log goes on from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Anchored {
    /// How many events it covers.
    pub size: u64,
    /// The root of their tree, as base64.
    pub root: String,
    /// The hashes that lead from its root to that of the last checkpoint (RFC 6962, 2.1.2).
    pub consistency: Vec<String>,
}

/// What is known of the tree when a check begins.
pub(in super::super) struct Evidence {
    log: PathBuf,
    /// The leaf hashes, as they are kept.
    pub(in super::super) leaves: Vec<Hash>,
    verifier: Option<Verifier>,
    signed: Option<Checkpoint>,
    /// Trees that the log must go on from: the file that tells of each.
    remembered: Vec<(PathBuf, Checkpoint)>,
    anchor: Option<Checkpoint>,
    findings: Vec<Finding>,
}

impl Evidence {
    /// Reads what is kept of the tree; `anchor` is a remembered note and the file it came from.
    pub(in super::super) fn gather(
        layout: &Layout,
        anchor: Option<(&PathBuf, &str)>,
    ) -> Result<Self> {
        let log = folder(layout);
        let leaves = leaves::read_all(layout)?;
        let mut evidence = Self {
            log,
            leaves,
            verifier: None,
            signed: None,
            remembered: Vec::new(),
            anchor: None,
            findings: Vec::new(),
        };
        evidence.checkpoints()?;
        if let Some((path, note)) = anchor {
            evidence.anchor(path, note)?;
        }
        Ok(evidence)
    }

    fn checkpoints(&mut self) -> Result<()> {
        let path = self.log.join(checkpoint::FILE);
        let (history, damaged) = checkpoint::history(&self.log)?;
        let history_path = self.log.join(checkpoint::HISTORY);
        if damaged > 0 {
            let detail = format!("{damaged} of its lines cannot be read");
            self.find(FindingKind::BadCheckpoint, &history_path, detail);
        }
        let last = match checkpoint::last(&self.log) {
            Ok(last) => last,
            Err(error) if error.kind() == crate::error::ErrorKind::Integrity => {
                let detail = "it is no signed checkpoint".to_owned();
                self.find(FindingKind::BadCheckpoint, &path, detail);
                None
            }
            Err(error) => return Err(error),
        };
        if last.is_none() && history.is_empty() {
            return Ok(());
        }
        if !path.exists() {
            let detail = "it is gone, although checkpoints were signed".to_owned();
            self.find(FindingKind::BadCheckpoint, &path, detail);
        }
        let key_path = self.log.join(key::FILE);
        match key::verifier(&self.log) {
            Ok(verifier) => self.verifier = Some(verifier),
            Err(why) => self.find(FindingKind::KeyFault, &key_path, why),
        }
        if key::is_exposed(&self.log) {
            let detail = "others than its owner may read it: chmod 600".to_owned();
            self.find(FindingKind::KeyFault, &key_path, detail);
        }
        if let Some((last, note)) = last
            && self.holds(&path, &last, &note)
        {
            self.remembered.push((path.clone(), last.clone()));
            self.signed = Some(last);
        }
        for entry in history {
            match Checkpoint::of_note(&entry.note) {
                Some(old) if self.holds(&history_path, &old, &entry.note) => {
                    if self.signed.as_ref().is_some_and(|signed| signed.size < old.size) {
                        let detail = format!("it signs less than {} events, as before", old.size);
                        self.find(FindingKind::RolledBack, &path, detail);
                    }
                    self.remembered.push((history_path.clone(), old));
                }
                Some(_) => {}
                None => {
                    let detail = format!("its note over {} events is none", entry.size);
                    self.find(FindingKind::BadCheckpoint, &history_path, detail);
                }
            }
        }
        Ok(())
    }

    /// Whether the store's key signed this note for this log.
    fn holds(&mut self, path: &Path, checkpoint: &Checkpoint, note: &str) -> bool {
        let Some(verifier) = &self.verifier else { return false };
        let fault = match verifier.open(note) {
            Err(why) => why,
            Ok(_) if checkpoint.origin != verifier.name() => {
                format!("it is of another log, {}", checkpoint.origin)
            }
            Ok(_) => return true,
        };
        self.find(FindingKind::BadCheckpoint, path, fault);
        false
    }

    fn anchor(&mut self, path: &Path, note: &str) -> Result<()> {
        let Some(anchor) = Checkpoint::of_note(note) else {
            let message = format!("{} is no signed checkpoint", path.display());
            return Err(Error::usage(message)
                .with_hint("give a file with what `chronoscope store checkpoint` printed"));
        };
        let opened = self.verifier.as_ref().map(|verifier| verifier.open(note).map(drop));
        match opened {
            Some(Ok(())) => {}
            Some(Err(why)) => self.find(FindingKind::AnchorMismatch, path, why),
            None => {
                let detail = "the store has no key that could have signed it".to_owned();
                self.find(FindingKind::AnchorMismatch, path, detail);
            }
        }
        self.remembered.push((path.to_owned(), anchor.clone()));
        self.anchor = Some(anchor);
        Ok(())
    }

    /// Makes the tree anew from the leaf hashes, and holds it against tiles, checkpoints and
    /// anchor. Gives everything that is wrong with the tree.
    pub(in super::super) fn tree(&self) -> Result<Vec<Finding>> {
        let mut findings = self.findings.clone();
        let mut remembered: Vec<&(PathBuf, Checkpoint)> = self.remembered.iter().collect();
        remembered.sort_by_key(|(_, checkpoint)| checkpoint.size);
        let mut remembered = remembered.into_iter().peekable();
        let signed = self.signed.as_ref().map_or(0, |signed| signed.size);
        let mut edge = Edge::default();
        let mut bad_tiles = Vec::new();
        let mut size = 0;
        loop {
            while let Some((path, old)) = remembered.next_if(|(_, old)| old.size == size) {
                if edge.root() != old.root {
                    let kind = self.kind_for(old);
                    findings.push(finding(
                        kind,
                        path,
                        format!("the first {size} leaf hashes have another root than it signs"),
                    ));
                }
            }
            if size == signed {
                bad_tiles.extend(self.edge_tiles(&edge)?);
            }
            let Some(leaf) = usize::try_from(size).ok().and_then(|at| self.leaves.get(at)) else {
                break;
            };
            edge.push(*leaf, &mut |level, index, tile: &[Hash]| {
                if ((index + 1) << (8 * (level + 1))) <= signed {
                    bad_tiles.extend(self.tile(level, index, tile)?);
                }
                Ok::<(), Error>(())
            })?;
            size += 1;
        }
        for (path, old) in remembered {
            let detail = format!(
                "it signs {} events, and only {size} leaf hashes are there: the log was rolled \
                 back, or .chronoscope/tlog/leaves was cut (then `store rebuild` brings it back)",
                old.size
            );
            findings.push(finding(FindingKind::RolledBack, path, detail));
        }
        bad_tiles.truncate(TOLD);
        findings.extend(bad_tiles);
        Ok(findings)
    }

    fn kind_for(&self, old: &Checkpoint) -> FindingKind {
        match &self.anchor {
            Some(anchor) if anchor == old => FindingKind::AnchorMismatch,
            _ => FindingKind::TreeMismatch,
        }
    }

    fn edge_tiles(&self, edge: &Edge) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        let tiles = edge.levels().iter().enumerate().filter(|(_, tile)| !tile.is_empty());
        for (level, tile) in tiles {
            findings.extend(self.tile(level, edge.size() >> (8 * (level + 1)), tile)?);
        }
        Ok(findings)
    }

    /// What is wrong with one tile.
    fn tile(&self, level: usize, index: u64, hashes: &[Hash]) -> Result<Option<Finding>> {
        let there = tiles::read(&self.log, level, index, hashes.len())?;
        let path = match hashes.len() {
            WIDTH => tiles::path(level, index),
            width => tiles::partial_path(level, index, width),
        };
        let path = self.log.join(path);
        let Some(there) = there else {
            let detail = "the tile is missing; `store rebuild` brings it back".to_owned();
            return Ok(Some(finding(FindingKind::TileMismatch, &path, detail)));
        };
        let Some(at) = there.iter().zip(hashes).position(|(a, b)| a != b) else { return Ok(None) };
        let detail = match level {
            0 => {
                let line = index * WIDTH as u64 + at as u64 + 1;
                format!("the hash of line {line} of the global log is not the leaf hash")
            }
            _ => format!("its hash {at} is not that of the tile below"),
        };
        Ok(Some(finding(FindingKind::TileMismatch, &path, detail)))
    }

    /// What is proven, given that nothing wrong was found.
    pub(in super::super) fn signature(&self, sound: bool) -> Signature {
        let Some(signed) = &self.signed else { return Signature::default() };
        let signed_by = self.verifier.as_ref().map(Verifier::text);
        let root = to_base64(&signed.root);
        let anchor = self.anchor.as_ref().filter(|_| sound).and_then(|anchor| {
            let (old, new) =
                (usize::try_from(anchor.size).ok()?, usize::try_from(signed.size).ok()?);
            // The root of an anchor that is newer than the last checkpoint was held against the
            // leaf hashes alone.
            let proof = consistency(self.leaves.get(..new)?, old);
            let holds = old > new
                || is_consistent((anchor.size, anchor.root), (signed.size, signed.root), &proof);
            let consistency = proof.iter().map(|hash| to_base64(hash)).collect();
            holds.then(|| Anchored {
                size: anchor.size,
                root: to_base64(&anchor.root),
                consistency,
            })
        });
        Signature { size: signed.size, root: Some(root), signed_by, anchor }
    }

    /// Whether there is anything that lines could be held against.
    pub(in super::super) fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    fn find(&mut self, kind: FindingKind, file: &Path, detail: String) {
        self.findings.push(finding(kind, file, detail));
    }
}

fn finding(kind: FindingKind, file: &Path, detail: String) -> Finding {
    let file = file.to_owned();
    Finding { kind, issue_key: None, file, line: None, event_sequence: None, detail }
}
