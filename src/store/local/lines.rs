//! Reading the lines of a file one after another, with bounded memory.
//!
//! Lives here: [`scan`], and the light reading of a line that the store itself needs. May not
//! live here: what follows from a line.

use std::ops::ControlFlow;
use std::path::Path;

use serde::Deserialize;

use super::io::{Bytes, read_range};
use crate::error::{Error, Result};
use crate::model::Timestamp;
use crate::model::envelope::Text;

/// The longest line that is read as a whole, in bytes, unless a caller says otherwise.
pub const MAX_LINE_BYTES: usize = 16 << 20;
/// How much of a longer line is kept.
pub(super) const LONG_LINE_HEAD: usize = 4096;
const BLOCK: usize = 256 << 10;

/// One line of a file.
#[derive(Debug)]
pub(super) struct Scanned<'a> {
    /// Where it begins.
    pub(super) offset: u64,
    /// Its bytes without the line feed; only the beginning of a line over the limit.
    pub(super) bytes: &'a [u8],
    /// How many bytes it has, without the line feed.
    pub(super) length: u64,
    /// Whether a line feed ends it.
    pub(super) terminated: bool,
}

impl Scanned<'_> {
    /// Whether it is longer than the limit.
    pub(super) fn too_long(&self) -> bool {
        self.length > self.bytes.len() as u64
    }

    /// Whether it holds nothing but blanks.
    pub(super) fn is_blank(&self) -> bool {
        self.bytes.iter().all(u8::is_ascii_whitespace)
    }

    /// Where the next line begins.
    pub(super) fn end(&self) -> u64 {
        self.offset + self.length + u64::from(self.terminated)
    }
}

/// Calls `each` for every line of `file` between two places, the last of which may lack its line
/// feed. `path` is for messages.
pub(super) fn scan(
    file: &impl Bytes,
    path: &Path,
    (from, to): (u64, u64),
    mut each: impl FnMut(&Scanned<'_>) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let mut pending = Pending { start: from, length: 0, bytes: Vec::new() };
    let mut block = vec![0; BLOCK.min(usize::try_from(to.saturating_sub(from)).unwrap_or(BLOCK))];
    let mut at = from;
    while at < to {
        let wanted = block.len().min(usize::try_from(to - at).unwrap_or(BLOCK));
        let got =
            file.read_at(&mut block[..wanted], at).map_err(|e| Error::io("read", path, &e))?;
        if got == 0 {
            break;
        }
        let mut rest = &block[..got];
        while let Some(feed) = memchr::memchr(b'\n', rest) {
            let next = pending.start + pending.length + feed as u64 + 1;
            let flow = if pending.length == 0 && feed <= MAX_LINE_BYTES {
                let (offset, bytes) = (pending.start, &rest[..feed]);
                each(&Scanned { offset, bytes, length: feed as u64, terminated: true })?
            } else {
                pending.push(&rest[..feed]);
                each(&pending.line(true))?
            };
            if flow.is_break() {
                return Ok(());
            }
            pending.restart(next);
            rest = &rest[feed + 1..];
        }
        pending.push(rest);
        at += got as u64;
    }
    if pending.length > 0 {
        let _ = each(&pending.line(false))?;
    }
    Ok(())
}

/// Calls `each` with runs of whole lines between two places, each with where it begins: for
/// searches that look at few of the lines. A last line without its line feed is left out.
pub(super) fn scan_runs(
    file: &impl Bytes,
    path: &Path,
    (from, to): (u64, u64),
    mut each: impl FnMut(u64, &[u8]),
) -> Result<()> {
    let (mut start, mut size) = (from, BLOCK as u64);
    while start < to {
        let bytes = read_range(file, start, to.min(start + size));
        let bytes = bytes.map_err(|e| Error::io("read", path, &e))?;
        match memchr::memrchr(b'\n', &bytes) {
            Some(feed) => {
                each(start, &bytes[..=feed]);
                start += feed as u64 + 1;
                size = BLOCK as u64;
            }
            None if (bytes.len() as u64) < size || start + size >= to => break,
            None if size > MAX_LINE_BYTES as u64 => {
                // No line that is read as a whole: pass it by.
                start += size;
            }
            None => size *= 4,
        }
    }
    Ok(())
}

/// The beginning of a line whose end was not read yet.
struct Pending {
    start: u64,
    length: u64,
    bytes: Vec<u8>,
}

impl Pending {
    fn push(&mut self, more: &[u8]) {
        self.length += more.len() as u64;
        if self.length <= MAX_LINE_BYTES as u64 {
            self.bytes.extend_from_slice(more);
        } else {
            let room = LONG_LINE_HEAD.saturating_sub(self.bytes.len());
            self.bytes.extend_from_slice(&more[..room.min(more.len())]);
            self.bytes.truncate(LONG_LINE_HEAD);
        }
    }

    fn line(&self, terminated: bool) -> Scanned<'_> {
        Scanned { offset: self.start, bytes: &self.bytes, length: self.length, terminated }
    }

    fn restart(&mut self, start: u64) {
        *self = Self { start, length: 0, bytes: std::mem::take(&mut self.bytes) };
        self.bytes.clear();
    }
}

/// What the store itself reads of an event.
#[derive(Debug, Deserialize)]
pub(super) struct Stamps<'a> {
    #[serde(borrow, default)]
    pub(super) event_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) timestamp: Option<Text<'a>>,
    #[serde(default)]
    pub(super) event_sequence: Option<u64>,
}

impl<'a> Stamps<'a> {
    /// Reads a line that is one JSON object; none for anything else, and for fields of a wrong
    /// type.
    pub(super) fn read(line: &'a [u8]) -> Option<Self> {
        // A list would be taken for the fields in their order.
        let object = line.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        object.then(|| serde_json::from_slice(line).ok())?
    }

    /// Its time.
    pub(super) fn at(&self) -> Option<Timestamp> {
        Timestamp::parse(self.timestamp.as_deref()?).ok()
    }
}

/// The issue's key, of a line that begins as the store writes them; what stands behind it is not
/// looked at.
pub(super) fn leading_key(line: &[u8]) -> Option<&str> {
    const NAME: &[u8] = b"\"issue_key\":\"";
    let mut rest = line.strip_prefix(b"{")?;
    loop {
        let word = |text: &[u8]| {
            let end = memchr::memchr2(b'"', b'\\', text)?;
            (text[end] == b'"').then_some(end)
        };
        if let Some(key) = rest.strip_prefix(NAME) {
            return std::str::from_utf8(&key[..word(key)?]).ok();
        }
        // A name and its value: a word without escapes, or a number.
        rest = rest.strip_prefix(b"\"")?;
        rest = rest[word(rest)? + 1..].strip_prefix(b":")?;
        rest = match rest.strip_prefix(b"\"") {
            Some(value) => &value[word(value)? + 1..],
            None => &rest[rest.iter().take_while(|byte| byte.is_ascii_digit()).count()..],
        };
        rest = rest.strip_prefix(b",")?;
    }
}

/// The number (from 1) of the line that begins at or holds `offset`.
pub(super) fn line_number(file: &impl Bytes, path: &Path, offset: u64) -> Result<u64> {
    line_number_after(file, path, (0, 0), offset)
}

/// As [`line_number`], where it is known how many line feeds stand before some byte.
pub(super) fn line_number_after(
    file: &impl Bytes,
    path: &Path,
    (mut at, mut feeds): (u64, u64),
    offset: u64,
) -> Result<u64> {
    let mut block = vec![0; BLOCK];
    while at < offset {
        let wanted = block.len().min(usize::try_from(offset - at).unwrap_or(BLOCK));
        let got =
            file.read_at(&mut block[..wanted], at).map_err(|e| Error::io("read", path, &e))?;
        if got == 0 {
            break;
        }
        feeds += memchr::memchr_iter(b'\n', &block[..got]).count() as u64;
        at += got as u64;
    }
    Ok(feeds + 1)
}

/// Where the last complete line of the first `length` bytes ends: 0 when there is none.
pub(super) fn end_of_lines(file: &impl Bytes, path: &Path, length: u64) -> Result<u64> {
    let mut block = vec![0; BLOCK.min(usize::try_from(length).unwrap_or(BLOCK))];
    let mut end = length;
    while end > 0 {
        // Most often the last byte is the line feed: look at little first.
        let size = if end == length { block.len().min(512) } else { block.len() };
        let start = end.saturating_sub(size as u64);
        let part = &mut block[..usize::try_from(end - start).unwrap_or(size)];
        let got =
            super::io::read_full_at(file, part, start).map_err(|e| Error::io("read", path, &e))?;
        if let Some(feed) = memchr::memrchr(b'\n', &part[..got]) {
            return Ok(start + feed as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn all(bytes: &[u8], from: u64, to: u64) -> Vec<(u64, Vec<u8>, u64, bool)> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let mut lines = Vec::new();
        scan(&file, Path::new("x"), (from, to), |line| {
            lines.push((line.offset, line.bytes.to_vec(), line.length, line.terminated));
            assert!(line.too_long() || line.end() <= to);
            Ok(ControlFlow::Continue(()))
        })
        .unwrap();
        lines
    }

    #[test]
    fn a_long_line_is_passed_with_bounded_memory() {
        let long = vec![b'x'; MAX_LINE_BYTES + 1];
        let bytes = [b"a\n", &long[..], b"\nb\n", &long[..MAX_LINE_BYTES], b"\n"].concat();
        let lines = all(&bytes, 0, bytes.len() as u64);
        assert_eq!(lines.len(), 4);
        assert_eq!((lines[1].1.len(), lines[1].2), (LONG_LINE_HEAD, long.len() as u64));
        assert_eq!(lines[2].1, b"b");
        assert_eq!(lines[3].1.len(), MAX_LINE_BYTES);
    }

    proptest::proptest! {
        #[test]
        fn scanning_agrees_with_splitting(text in "[ab\n]{0,40}") {
            let mut expected: Vec<Vec<u8>> = text.split('\n').map(|l| l.as_bytes().to_vec()).collect();
            if expected.last().is_some_and(Vec::is_empty) {
                expected.pop();
            }
            let got: Vec<Vec<u8>> =
                all(text.as_bytes(), 0, text.len() as u64).into_iter().map(|l| l.1).collect();
            proptest::prop_assert_eq!(got, expected);
        }

        #[test]
        fn the_end_of_the_lines_is_after_the_last_feed(text in "[ab\n]{0,40}", blow in 1_usize..2000) {
            let text: String = text.chars().flat_map(|c| std::iter::repeat_n(c, if c == '\n' { 1 } else { blow })).collect();
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            let end = end_of_lines(&file, Path::new("x"), text.len() as u64).unwrap();
            proptest::prop_assert_eq!(end as usize, text.rfind('\n').map_or(0, |at| at + 1));
        }
    }

    #[test]
    fn the_key_of_a_line_that_begins_as_usual_is_read_without_the_rest() {
        let line = br#"{"event_id":"e","event_sequence":17,"issue_key":"P-1","metadata":{"#;
        assert_eq!(leading_key(line), Some("P-1"));
        assert_eq!(leading_key(br#"{"issue_key":""}"#), Some(""));
        for other in [
            &b""[..],
            b"{",
            b"{\"issue_key\":7}",
            b"{\"issue_key\":\"P",
            b"{\"issue_key\":\"P\\u0031\"}",
            b"{\"event_id\":\"\\n\",\"issue_key\":\"P-1\"}",
            b"{\"metadata\":{},\"issue_key\":\"P-1\"}",
            b"{\"event_id\":\"e\" \"issue_key\":\"P-1\"}",
            b" {\"issue_key\":\"P-1\"}",
        ] {
            assert_eq!(leading_key(other), None, "{}", String::from_utf8_lossy(other));
        }
    }
}
