//! The Zstandard seekable format: independent frames, and a table at the end that says where each
//! begins, so that a part is read without the rest. Any zstd tool reads such a file as a whole.
//!
//! Lives here: [`FrameWriter`], [`Table`], and decompressing one frame. May not live here: files
//! and their places (see [`super::source`]).

use std::io::{self, Read};

use crate::error::Damaged;

/// How many bytes a frame holds.
pub(super) const FRAME: usize = 1 << 20;
/// Larger frames are not ours, and would take memory that nobody promised.
const MAX_FRAME: u32 = 4 << 20;
/// More frames than this are not ours.
const MAX_FRAMES: u32 = 1 << 24;
/// How hard it is tried.
const LEVEL: i32 = 3;

/// What a skippable frame with a seek table begins with.
const SKIPPABLE: u32 = 0x184D_2A5E;
/// What a file with a seek table ends with.
const SEEKABLE: u32 = 0x8F92_EAB1;
/// The descriptor of a table that has checksums.
const WITH_CHECKSUMS: u8 = 1 << 7;
/// Number of frames, descriptor, magic number.
const FOOTER: usize = 9;
/// Magic number and size of a skippable frame.
const HEADER: usize = 8;
/// Compressed size, size, and the low half of the hash of the content.
const ENTRY: usize = 12;

/// Makes frames, and the table of all of them.
pub(super) struct FrameWriter {
    compressor: zstd::bulk::Compressor<'static>,
    table: Vec<u8>,
    frames: u32,
}

impl FrameWriter {
    pub(super) fn new() -> io::Result<Self> {
        let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
        compressor.include_checksum(true)?;
        compressor.include_contentsize(true)?;
        Ok(Self { compressor, table: Vec::new(), frames: 0 })
    }

    /// A frame with these bytes, at most [`FRAME`] of them.
    pub(super) fn frame(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let frame = self.compressor.compress(bytes)?;
        let size = |length: usize| u32::try_from(length).map_err(io::Error::other);
        self.table.extend_from_slice(&size(frame.len())?.to_le_bytes());
        self.table.extend_from_slice(&size(bytes.len())?.to_le_bytes());
        // A frame ends with the very hash that the table wants.
        self.table.extend_from_slice(frame.last_chunk::<4>().unwrap_or(&[0; 4]));
        self.frames += 1;
        Ok(frame)
    }

    /// The table, which ends the file.
    pub(super) fn finish(self) -> io::Result<Vec<u8>> {
        let size = u32::try_from(self.table.len() + FOOTER).map_err(io::Error::other)?;
        let mut bytes = Vec::with_capacity(HEADER + self.table.len() + FOOTER);
        bytes.extend_from_slice(&SKIPPABLE.to_le_bytes());
        bytes.extend_from_slice(&size.to_le_bytes());
        bytes.extend_from_slice(&self.table);
        bytes.extend_from_slice(&self.frames.to_le_bytes());
        bytes.push(WITH_CHECKSUMS);
        bytes.extend_from_slice(&SEEKABLE.to_le_bytes());
        Ok(bytes)
    }
}

/// Where a frame stands in its file, and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    /// Where it begins in the file.
    pub(super) at: u64,
    /// How many bytes it has there.
    pub(super) packed: u32,
    /// Where its content begins in the whole content.
    pub(super) from: u64,
    /// How many bytes of content it has.
    pub(super) size: u32,
    /// The low half of the XXH64 of its content.
    checksum: u32,
}

impl Frame {
    /// Where its content ends.
    pub(super) fn to(&self) -> u64 {
        self.from + u64::from(self.size)
    }
}

/// The frames of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) frames: Vec<Frame>,
}

impl Table {
    /// Reads the table of a file of `length` bytes through `read`, which gives the bytes between
    /// two places.
    ///
    /// # Errors
    /// Invalid data, when it is not one of ours or not whole; what `read` says.
    pub(super) fn read(
        length: u64,
        read: impl Fn(u64, u64) -> io::Result<Vec<u8>>,
    ) -> io::Result<Self> {
        let footer = read(length.saturating_sub(FOOTER as u64), length)?;
        let number = |bytes: &[u8], at: usize| {
            let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
            four.map(u32::from_le_bytes).ok_or_else(|| wrong("it is cut off"))
        };
        let frames = number(&footer, 0)?;
        if number(&footer, 5)? != SEEKABLE || footer[4] != WITH_CHECKSUMS || frames > MAX_FRAMES {
            return Err(wrong("it does not end with a seek table"));
        }
        let size = (frames as usize * ENTRY + FOOTER) as u64;
        let begin = length.checked_sub(size + HEADER as u64);
        let begin = begin.ok_or_else(|| wrong("it is cut off"))?;
        let bytes = read(begin, length - FOOTER as u64)?;
        if number(&bytes, 0)? != SKIPPABLE || u64::from(number(&bytes, 4)?) != size {
            return Err(wrong("its seek table is damaged"));
        }
        let mut table = Self { frames: Vec::with_capacity(frames as usize) };
        let (mut at, mut from) = (0, 0);
        for entry in bytes[HEADER..].chunks_exact(ENTRY) {
            let (packed, size) = (number(entry, 0)?, number(entry, 4)?);
            if size > MAX_FRAME || packed > 2 * MAX_FRAME {
                return Err(wrong("it has a frame larger than any that is written"));
            }
            table.frames.push(Frame { at, packed, from, size, checksum: number(entry, 8)? });
            at += u64::from(packed);
            from += u64::from(size);
        }
        if at != begin {
            return Err(wrong("its seek table does not fit its frames"));
        }
        Ok(table)
    }

    /// How many bytes of content there are.
    pub(super) fn length(&self) -> u64 {
        self.frames.last().map_or(0, Frame::to)
    }

    /// The number of the frame that holds the byte at `offset`.
    pub(super) fn find(&self, offset: u64) -> Option<usize> {
        let at = self.frames.partition_point(|frame| frame.to() <= offset);
        (at < self.frames.len()).then_some(at)
    }
}

/// The content of a frame.
///
/// # Errors
/// Invalid data, when it is not what was written.
pub(super) fn decompress(frame: &Frame, packed: &[u8]) -> io::Result<Vec<u8>> {
    let ends_as_noted = packed.last_chunk() == Some(&frame.checksum.to_le_bytes());
    // Readers pass over two bits of the descriptor, which writers leave alone.
    let as_written = packed.get(4).is_some_and(|descriptor| descriptor & 0b1_1000 == 0);
    if !ends_as_noted || !as_written || frame_size(packed) != Some(u64::from(frame.size)) {
        return Err(wrong("a frame is not the one that its seek table tells of"));
    }
    let content = zstd::bulk::decompress(packed, frame.size as usize);
    let content = content.map_err(|e| wrong(&e.to_string()))?;
    if content.len() != frame.size as usize {
        return Err(wrong("a frame is shorter than its seek table says"));
    }
    Ok(content)
}

/// As much as can be made out of a damaged frame, NULs in the place of the rest: so that what is
/// wrong can be named.
pub(super) fn salvage(frame: &Frame, packed: &[u8]) -> Vec<u8> {
    let mut packed = packed.to_vec();
    // Without the flag in its descriptor, a frame has no checksum that could refuse it.
    if let Some(descriptor) = packed.get_mut(4) {
        *descriptor &= !(1 << 2);
        packed.truncate(packed.len().saturating_sub(4));
    }
    let mut content = vec![0; frame.size as usize];
    if let Ok(mut decoder) = zstd::stream::read::Decoder::with_buffer(&packed[..]) {
        let mut filled = 0;
        while let Ok(got @ 1..) = decoder.read(&mut content[filled..]) {
            filled += got;
        }
    }
    content
}

/// How many bytes a frame says that it holds; none where it says nothing.
pub(super) fn frame_size(packed: &[u8]) -> Option<u64> {
    zstd::zstd_safe::get_frame_content_size(packed).ok().flatten()
}

/// One frame with all of these bytes.
pub(super) fn pack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    FrameWriter::new()?.frame(bytes)
}

/// Reads the content of one frame that says how much it holds, and no more than `limit`: a few bytes
/// can hold gigabytes.
///
/// # Errors
/// Invalid data, when it is none; and while it is read, where it is not what was written.
pub(super) fn unpack(packed: &[u8], limit: u64) -> io::Result<impl Read> {
    let size = frame_size(packed).ok_or_else(|| wrong("it is no frame that says its size"))?;
    if size > limit {
        return Err(wrong(&format!("it holds {size} bytes, more than {limit}")));
    }
    Ok(zstd::stream::read::Decoder::with_buffer(packed)?.take(size + 1))
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, Damaged(what.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(content: &[u8], frame: usize) -> Vec<u8> {
        let mut writer = FrameWriter::new().unwrap();
        let mut bytes = Vec::new();
        for part in content.chunks(frame) {
            bytes.extend(writer.frame(part).unwrap());
        }
        bytes.extend(writer.finish().unwrap());
        bytes
    }

    fn table(bytes: &[u8]) -> io::Result<Table> {
        Table::read(bytes.len() as u64, |from, to| {
            let range = usize::try_from(from).unwrap()..usize::try_from(to).unwrap();
            Ok(bytes.get(range).unwrap_or_default().to_vec())
        })
    }

    fn part<'a>(bytes: &'a [u8], frame: &Frame) -> &'a [u8] {
        &bytes[usize::try_from(frame.at).unwrap()..][..frame.packed as usize]
    }

    fn text(length: usize) -> Vec<u8> {
        (0..length).map(|n| b"abcdefgh\n"[(n * n / 7) % 9]).collect()
    }

    #[test]
    fn what_was_written_is_read_again_by_frames_and_as_one_stream() {
        for length in [0, 1, 99, 100, 101, 1000] {
            let content = text(length);
            let bytes = packed(&content, 100);
            let table = table(&bytes).unwrap();
            assert_eq!(table.length(), length as u64);
            let read: Vec<u8> = table
                .frames
                .iter()
                .flat_map(|frame| decompress(frame, part(&bytes, frame)).unwrap())
                .collect();
            assert_eq!(read, content);
            assert_eq!(zstd::stream::decode_all(&bytes[..]).unwrap(), content);
            for at in 0..length as u64 {
                let frame = table.frames[table.find(at).unwrap()];
                assert!((frame.from..frame.to()).contains(&at));
            }
            assert_eq!(table.find(length as u64), None);
        }
    }

    #[test]
    fn no_flipped_bit_changes_what_is_read_and_no_cut_goes_unnoticed() {
        let content = text(300);
        let whole = packed(&content, 100);
        let read = |bytes: &[u8]| -> io::Result<Vec<u8>> {
            let table = table(bytes)?;
            let parts: io::Result<Vec<_>> =
                table.frames.iter().map(|frame| decompress(frame, part(bytes, frame))).collect();
            Ok(parts?.concat())
        };
        assert_eq!(read(&whole).unwrap(), content);
        let mut found = 0;
        for at in 0..whole.len() {
            assert!(read(&whole[..at]).is_err(), "cut at {at}");
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                match read(&bytes) {
                    // A few bits fill up bytes and mean nothing.
                    Ok(read) => assert_eq!(read, content, "byte {at}, bit {bit}"),
                    Err(error) => {
                        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
                        found += 1;
                    }
                }
            }
        }
        assert!(found * 50 > whole.len() * 8 * 49, "{found} of {} bits", whole.len() * 8);
    }

    #[test]
    fn a_damaged_frame_gives_what_can_be_made_out() {
        let content = text(5000);
        let whole = packed(&content, 5000);
        let frame = table(&whole).unwrap().frames[0];
        let sound = part(&whole, &frame);
        assert_eq!(salvage(&frame, sound), content);
        for at in 0..sound.len() {
            let mut damaged = sound.to_vec();
            damaged[at] ^= 4;
            assert_eq!(salvage(&frame, &damaged).len(), content.len());
        }
        assert_eq!(salvage(&frame, b""), vec![0; 5000]);
    }

    #[test]
    fn a_frame_that_says_it_is_huge_is_refused_before_it_is_read() {
        let mut bytes = packed(&text(10), 10);
        let at = bytes.len() - FOOTER - ENTRY + 4;
        bytes[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        let error = table(&bytes).unwrap_err();
        assert!(error.to_string().contains("larger than any"), "{error}");
    }
}
