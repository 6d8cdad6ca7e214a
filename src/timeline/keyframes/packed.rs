//! The changes from one version to another as few bytes, in memory or put aside.
//!
//! Lives here: [`Packed`] and what makes it. May not live here: which versions they lead to.

use zstd::bulk::{Compressor, Decompressor};

use crate::fold::State;
use crate::model::value::spill::Spill;

/// Below so many bytes changes are not worth compressing.
const WORTH_COMPRESSING: usize = 512;
/// The quickest level: these are thousands of small pieces.
const LEVEL: i32 = 1;

/// What [`State::since`] gave.
#[derive(Debug)]
pub(super) struct Packed {
    /// How many bytes it was before it was compressed; 0 where it is not.
    unpacked: u32,
    bytes: Bytes,
}

#[derive(Debug)]
enum Bytes {
    Here(Box<[u8]>),
    /// Put aside: where, and how many.
    Aside(u64, u32),
}

/// Makes them. The compressor is made once: making it costs more than using it.
#[derive(Default)]
pub(super) struct Packer(Option<Compressor<'static>>);

/// Takes them up; the decompressor is made once, too.
#[derive(Default)]
pub(super) struct Unpacker(Option<Decompressor<'static>>);

impl std::fmt::Debug for Packer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Packer")
    }
}

impl std::fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unpacker")
    }
}

impl Packer {
    /// These changes, in the spill where there is one with room.
    pub(super) fn pack(&mut self, changes: Vec<u8>, spill: Option<&Spill>) -> Packed {
        let (unpacked, bytes) = match self.compress(&changes) {
            Some(bytes) => (u32::try_from(changes.len()).unwrap_or_default(), bytes),
            None => (0, changes),
        };
        let aside = spill.and_then(|spill| spill.put_bytes(&bytes));
        let bytes = match (aside, u32::try_from(bytes.len())) {
            (Some(offset), Ok(length)) => Bytes::Aside(offset, length),
            _ => Bytes::Here(bytes.into()),
        };
        Packed { unpacked, bytes }
    }

    fn compress(&mut self, changes: &[u8]) -> Option<Vec<u8>> {
        if changes.len() < WORTH_COMPRESSING || u32::try_from(changes.len()).is_err() {
            return None;
        }
        if self.0.is_none() {
            self.0 = Compressor::new(LEVEL).ok();
        }
        self.0.as_mut()?.compress(changes).ok()
    }
}

impl Unpacker {
    /// Makes the newer version of the older one; false where that cannot be.
    pub(super) fn apply(
        &mut self,
        packed: &Packed,
        state: &mut State,
        spill: Option<&Spill>,
    ) -> bool {
        let read;
        let bytes: &[u8] = match (&packed.bytes, spill) {
            (Bytes::Here(bytes), _) => bytes,
            (Bytes::Aside(offset, length), Some(spill)) => {
                let Some(bytes) = spill.bytes(*offset, *length as usize) else { return false };
                read = bytes;
                &read
            }
            (Bytes::Aside(..), None) => return false,
        };
        if packed.unpacked == 0 {
            return state.catch_up(bytes);
        }
        if self.0.is_none() {
            self.0 = Decompressor::new().ok();
        }
        let changes =
            self.0.as_mut().and_then(|d| d.decompress(bytes, packed.unpacked as usize).ok());
        changes.is_some_and(|changes| state.catch_up(&changes))
    }
}
