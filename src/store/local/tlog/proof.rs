//! The proof that one event is in the signed log, for those who do not have the log.
//!
//! Lives here: [`LocalStore::prove`]. May not live here: how proofs are made (see [`super::tree`]).

use std::fs::File;
use std::ops::ControlFlow;

use memchr::memmem;
use serde::Serialize;

use super::super::LocalStore;
use super::super::lines::{Stamps, scan};
use super::hashes::{leaf, to_base64};
use super::tree::{inclusion, is_included};
use super::{checkpoint, folder, key, leaves};
use crate::error::{Error, ErrorKind, Result};

/// What proves that an event is in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InclusionProof {
    /// The event.
    pub event_id: String,
    /// Which leaf it is, from 0.
    pub leaf_index: u64,
    /// How many leaves the signed tree has.
    pub tree_size: u64,
    /// The hash of the event's line, as base64.
    pub leaf_hash: String,
    /// The hashes beside its way up to the root, the lowest first (RFC 6962, 2.1.1).
    pub hashes: Vec<String>,
    /// The signed note with the root.
    pub checkpoint: String,
    /// The public key that the note can be checked with.
    pub signed_by: String,
}

impl LocalStore {
    /// Proves that the event whose id begins like this is in the log that was signed last.
    ///
    /// # Errors
    /// Not found, when there is no such event, or none that is signed; usage, when several begin
    /// so; integrity, when the log is not what was signed.
    pub fn prove(&self, id: &str) -> Result<InclusionProof> {
        let log = folder(&self.layout);
        let Some((signed, note)) = checkpoint::last(&log)? else {
            return Err(Error::not_found("nothing of this log is signed yet")
                .with_hint("`chronoscope store checkpoint` signs it"));
        };
        let (index, event_id, hash) = self.find(id)?;
        if index >= signed.size {
            let message = format!("the last checkpoint, over {} events, is older", signed.size);
            return Err(Error::not_found(message)
                .with_hint("`chronoscope store checkpoint` signs the log as it is now"));
        }
        let broken = |what: &str| {
            Error::new(ErrorKind::Integrity, what.to_owned())
                .with_hint("`chronoscope verify` tells what was changed")
        };
        let verifier = key::verifier(&log).map_err(|why| broken(&why))?;
        verifier.open(&note).map_err(|why| broken(&format!("the last checkpoint: {why}")))?;
        let leaves = leaves::signed(&self.layout)?;
        let proof = inclusion(&leaves, usize::try_from(index).unwrap_or(usize::MAX));
        if !is_included(hash, index, (signed.size, signed.root), &proof) {
            return Err(broken(&format!("event {event_id} is not the one that was logged")));
        }
        Ok(InclusionProof {
            event_id,
            leaf_index: index,
            tree_size: signed.size,
            leaf_hash: to_base64(&hash),
            hashes: proof.iter().map(|hash| to_base64(hash)).collect(),
            checkpoint: note,
            signed_by: verifier.text(),
        })
    }

    /// The one event of the global log whose id begins like this: its place, id and leaf hash.
    fn find(&self, id: &str) -> Result<(u64, String, super::hashes::Hash)> {
        let path = self.layout.global();
        let file = File::open(&path).map_err(|e| Error::io("open", &path, &e))?;
        let finder = memmem::Finder::new(id.as_bytes());
        let (mut index, mut found) = (0, Vec::new());
        scan(&file, &path, (0, u64::MAX), |line| {
            if line.is_blank() {
                return Ok(ControlFlow::Continue(()));
            }
            if finder.find(line.bytes).is_some()
                && let Some(own) = Stamps::read(line.bytes).and_then(|stamps| stamps.event_id)
                && own.starts_with(id)
            {
                found.push((index, own.to_string(), leaf(line.bytes)));
            }
            index += 1;
            Ok(ControlFlow::Continue(()))
        })?;
        if let Some(at) = found.iter().position(|(_, own, _)| own == id) {
            return Ok(found.swap_remove(at));
        }
        match found.len() {
            0 => Err(Error::not_found(format!("there is no event {id:?} in the global log"))),
            1 => Ok(found.swap_remove(0)),
            many => Err(Error::usage(format!("{many} events have an id that begins {id:?}"))),
        }
    }
}
