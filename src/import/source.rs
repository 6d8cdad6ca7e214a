//! The records of a source file, one at a time and in bounded memory.
//!
//! Lives here: telling a file's shape, and reading lines. May not live here: elements of one
//! large document (see [`super::elements`]), or what a record means.

use std::fs::File;
use std::io::{self, Read};

use super::elements::Elements;
use super::fault::FaultKind;
use super::grammar::{Grammar, Outcome};
use super::mapping::Shape;
use super::window::Window;

/// The longest record, in bytes.
pub(super) const MAX_RECORD: usize = 16 * 1024 * 1024;

/// How much of a file is looked at to tell its shape.
const PROBE: usize = 1024 * 1024;

/// What a reader came upon.
#[derive(Debug)]
pub(super) enum Found {
    /// The bytes of a record were put out; it begins at this line.
    Record {
        line: u64,
        /// Whether it is the last line and lacks its line feed.
        torn: bool,
    },
    /// Something that is no record.
    Fault(FaultKind, u64, String),
}

/// A file's records.
pub(super) enum Records<R = File> {
    Lines(Window<R>),
    Elements(Elements<R>),
    /// The document has no array where it should be.
    Nowhere(Window<R>, bool),
}

impl<R: Read> Records<R> {
    /// Looks at the beginning of a file and tells how its records stand in it. `arrays` are the
    /// places, as keys from the root, where a document may hold its records.
    pub(super) fn open(source: R, shape: Shape, arrays: &[Vec<String>]) -> io::Result<Self> {
        let mut window = Window::new(source);
        window.fill_to(PROBE)?;
        if window.bytes().starts_with(b"\xef\xbb\xbf") {
            window.consume(3);
        }
        let shape = if shape == Shape::Auto { tell(window.bytes(), arrays)? } else { shape };
        Ok(match shape {
            Shape::Array => match Elements::array(window, arrays)? {
                Ok(elements) => Self::Elements(elements),
                Err(window) => Self::Nowhere(window, false),
            },
            Shape::Stream => Self::Elements(Elements::stream(window)),
            Shape::Lines | Shape::Auto => Self::Lines(window),
        })
    }

    /// Puts the next record's bytes into `out`; none at the end of the file.
    pub(super) fn next(&mut self, out: &mut Vec<u8>) -> io::Result<Option<Found>> {
        out.clear();
        match self {
            Self::Lines(window) => next_line(window, out),
            Self::Elements(elements) => elements.next(out),
            Self::Nowhere(window, told) => {
                let line = window.line();
                Ok((!std::mem::replace(told, true)).then(|| {
                    let detail = "there is no array of records where the mapping says";
                    Found::Fault(FaultKind::NoRecords, line, detail.into())
                }))
            }
        }
    }

    /// How many bytes of the file lie behind.
    pub(super) fn consumed(&self) -> u64 {
        match self {
            Self::Lines(window) | Self::Nowhere(window, _) => window.consumed(),
            Self::Elements(elements) => elements.consumed(),
        }
    }
}

/// The shape of a file that begins with `prefix`.
fn tell(prefix: &[u8], arrays: &[Vec<String>]) -> io::Result<Shape> {
    let Some(at) = prefix.iter().position(|b| !b.is_ascii_whitespace() && *b != 0) else {
        return Ok(Shape::Lines);
    };
    let text = &prefix[at..];
    if text[0] == b'[' && arrays.iter().any(Vec::is_empty) {
        return Ok(Shape::Array);
    }
    if text[0] != b'{' {
        return Ok(Shape::Lines);
    }
    let holds = |bytes| Elements::array(Window::new(bytes), arrays).map(|found| found.is_ok());
    match Grammar::new().run(text) {
        Outcome::End(end) => {
            let alone = text[end..].iter().all(u8::is_ascii_whitespace);
            if alone && holds(&text[..end])? {
                Ok(Shape::Array)
            } else if text[..end].contains(&b'\n') {
                Ok(Shape::Stream)
            } else {
                Ok(Shape::Lines)
            }
        }
        Outcome::More | Outcome::Bad(_) if holds(text)? => Ok(Shape::Array),
        Outcome::More if text.contains(&b'\n') => Ok(Shape::Stream),
        Outcome::More | Outcome::Bad(_) => Ok(Shape::Lines),
    }
}

fn next_line<R: Read>(window: &mut Window<R>, out: &mut Vec<u8>) -> io::Result<Option<Found>> {
    let line = window.line();
    let mut searched = 0;
    loop {
        let bytes = window.bytes();
        if let Some(at) = memchr::memchr(b'\n', &bytes[searched..]) {
            let end = searched + at;
            if end > MAX_RECORD {
                return skip_line(window).map(Some);
            }
            out.extend_from_slice(&bytes[..end]);
            window.consume(end + 1);
            return Ok(Some(Found::Record { line, torn: false }));
        }
        searched = bytes.len();
        if searched > MAX_RECORD {
            return skip_line(window).map(Some);
        }
        if !window.fill()? {
            if searched == 0 {
                return Ok(None);
            }
            out.extend_from_slice(window.bytes());
            window.consume(searched);
            return Ok(Some(Found::Record { line, torn: true }));
        }
    }
}

/// Passes over a line that is too long, without keeping it.
fn skip_line<R: Read>(window: &mut Window<R>) -> io::Result<Found> {
    let (line, begin) = (window.line(), window.consumed());
    loop {
        match memchr::memchr(b'\n', window.bytes()) {
            Some(at) => {
                window.consume(at);
                break;
            }
            None => {
                window.consume(window.bytes().len());
                if !window.fill()? {
                    break;
                }
            }
        }
    }
    let length = window.consumed() - begin;
    window.consume(1);
    Ok(Found::Fault(FaultKind::TooLong, line, too_long(length)))
}

pub(super) fn too_long(bytes: u64) -> String {
    format!("{bytes} bytes, and {MAX_RECORD} are the limit")
}
