//! The elements of an array in one JSON document, or of a sequence of documents, as raw slices.
//!
//! Lives here: [`Elements`], which keeps no more than one element in memory, names damage by the
//! line of the element, and goes on with the next element that can be found. May not live here:
//! what an element means.

mod enter;

use std::io::{self, Read};

use super::fault::FaultKind;
use super::grammar::{Grammar, Outcome};
use super::source::{Found, MAX_RECORD, too_long};
use super::window::Window;
use enter::enter;

/// How far before a brace the beginning of its line is looked for.
const LOOK_BACK: usize = 4096;
/// How far after a brace its first key is looked for.
const LOOK_AHEAD: usize = 512;
/// How often a part of the file that was read already is read again to find an element in it.
const MAX_RESCANS: u32 = 1000;

/// What elements of this document look like at their beginning, to find the next after damage.
#[derive(Debug, Default)]
struct Look {
    /// The white space before the first one on its line; none when something else stands there.
    indent: Option<Vec<u8>>,
    /// Its first key, with its quotes.
    first_key: Option<Vec<u8>>,
    known: bool,
}

/// Reads one element after the other.
pub(super) struct Elements<R> {
    window: Window<R>,
    /// Whether the elements stand in an array; else one document follows the other.
    in_array: bool,
    look: Look,
    indent: Option<Vec<u8>>,
    damaged: bool,
    ended: bool,
    rescans: u32,
}

impl<R: Read> Elements<R> {
    /// The elements of the first array that stands at one of these places (keys from the root).
    /// Where there is none, the window is given back, wherever it got to.
    pub(super) fn array(
        mut window: Window<R>,
        places: &[Vec<String>],
    ) -> io::Result<Result<Self, Window<R>>> {
        let places: Vec<&[String]> = places.iter().map(Vec::as_slice).collect();
        Ok(if enter(&mut window, &places)? { Ok(Self::new(window, true)) } else { Err(window) })
    }

    /// The documents of a file that holds one after the other.
    pub(super) fn stream(window: Window<R>) -> Self {
        Self::new(window, false)
    }

    fn new(window: Window<R>, in_array: bool) -> Self {
        let indent = (!in_array).then(Vec::new);
        Self {
            window,
            in_array,
            look: Look::default(),
            indent,
            damaged: false,
            ended: false,
            rescans: 0,
        }
    }

    pub(super) fn consumed(&self) -> u64 {
        self.window.consumed()
    }

    /// Puts the next element's bytes into `out`; none at the end.
    pub(super) fn next(&mut self, out: &mut Vec<u8>) -> io::Result<Option<Found>> {
        if self.ended {
            return Ok(None);
        }
        self.skip_between()?;
        match self.window.bytes().first() {
            None => {
                self.ended = true;
                let line = self.window.line();
                let detail = "the file ends before the array of records does";
                Ok(self.in_array.then(|| Found::Fault(FaultKind::CutLine, line, detail.into())))
            }
            Some(b']') if self.in_array => {
                self.window.consume(1);
                // After damage this may be the end of an inner array.
                if self.damaged && self.find_next(0)? {
                    return self.next(out);
                }
                self.ended = true;
                Ok(None)
            }
            Some(_) => self.element(out).map(Some),
        }
    }

    /// White space and commas, and the NUL bytes that a crash leaves; remembers what stands
    /// before the next element on its line.
    fn skip_between(&mut self) -> io::Result<()> {
        loop {
            let mut passed = 0;
            for byte in self.window.bytes() {
                match byte {
                    b'\n' => self.indent = Some(Vec::new()),
                    b' ' | b'\t' | b'\r' => {
                        if let Some(indent) = &mut self.indent
                            && indent.len() < LOOK_BACK
                        {
                            indent.push(*byte);
                        }
                    }
                    b',' if self.in_array => self.indent = None,
                    0 => {}
                    _ => break,
                }
                passed += 1;
            }
            let all = passed == self.window.bytes().len();
            self.window.consume(passed);
            if !all || !self.window.fill()? {
                return Ok(());
            }
        }
    }

    fn element(&mut self, out: &mut Vec<u8>) -> io::Result<Found> {
        let line = self.window.line();
        self.learn()?;
        self.indent = None;
        let mut grammar = Grammar::new();
        let mut done = 0;
        loop {
            match grammar.run(&self.window.bytes()[done..]) {
                Outcome::End(more) => {
                    out.extend_from_slice(&self.window.bytes()[..done + more]);
                    self.window.consume(done + more);
                    return Ok(Found::Record { line, torn: false });
                }
                Outcome::Bad(at) => {
                    let at = done + at;
                    let detail = format!("damaged at line {}", self.window.line_at(at));
                    self.recover(at.max(1))?;
                    return Ok(Found::Fault(FaultKind::NotJson, line, detail));
                }
                Outcome::More => {}
            }
            done = self.window.bytes().len();
            if done > MAX_RECORD {
                self.rescan()?;
                return Ok(Found::Fault(FaultKind::TooLong, line, too_long(done as u64)));
            }
            if !self.window.fill()? {
                if grammar.ends_here() {
                    out.extend_from_slice(self.window.bytes());
                    self.window.consume(done);
                    return Ok(Found::Record { line, torn: false });
                }
                self.rescan()?;
                let detail = "the file ends inside this record";
                return Ok(Found::Fault(FaultKind::CutLine, line, detail.into()));
            }
        }
    }

    /// Remembers what the first element looks like.
    fn learn(&mut self) -> io::Result<()> {
        if self.look.known {
            return Ok(());
        }
        self.window.fill_to(LOOK_AHEAD)?;
        let key = first_key(self.window.bytes()).map(<[u8]>::to_vec);
        self.look = Look { indent: self.indent.take(), known: key.is_some(), first_key: key };
        Ok(())
    }

    /// Goes on after damage at `from` (from the bytes at hand) with what looks like an element.
    fn recover(&mut self, from: usize) -> io::Result<()> {
        self.damaged = true;
        if !self.find_next(from)? {
            self.ended = true;
        }
        Ok(())
    }

    /// An element that does not end has swallowed those after it: they are looked for in it, but
    /// not without bound, for each time costs as much as the whole of it.
    fn rescan(&mut self) -> io::Result<()> {
        self.rescans += 1;
        let from = if self.rescans > MAX_RESCANS { self.window.bytes().len() } else { 1 };
        self.recover(from)
    }

    /// Leaves everything behind up to the next brace that looks like the beginning of an element.
    fn find_next(&mut self, from: usize) -> io::Result<bool> {
        let mut at = from;
        loop {
            let bytes = self.window.bytes();
            let Some(brace) = memchr::memchr(b'{', bytes.get(at..).unwrap_or_default()) else {
                let length = bytes.len();
                self.window.consume(length.saturating_sub(LOOK_BACK));
                at = self.window.bytes().len();
                if !self.window.fill()? {
                    self.window.consume(at);
                    return Ok(false);
                }
                continue;
            };
            let brace = at + brace;
            self.window.fill_to(brace + LOOK_AHEAD)?;
            if self.look.fits(self.window.bytes(), brace) {
                self.window.consume(brace);
                return Ok(true);
            }
            at = brace + 1;
        }
    }
}

impl Look {
    fn fits(&self, bytes: &[u8], brace: usize) -> bool {
        if self.first_key.is_some() && self.first_key.as_deref() != first_key(&bytes[brace..]) {
            return false;
        }
        let before = &bytes[brace.saturating_sub(LOOK_BACK)..brace];
        match &self.indent {
            Some(indent) => {
                let line = memchr::memrchr(b'\n', before).map_or(before, |at| &before[at + 1..]);
                line == indent.as_slice()
            }
            None => {
                let last = before.iter().rev().find(|b| !b.is_ascii_whitespace());
                last.is_none_or(|b| matches!(b, b',' | b'}' | b']' | b'['))
            }
        }
    }
}

/// The first key of the object that `bytes` begins with, with its quotes.
fn first_key(bytes: &[u8]) -> Option<&[u8]> {
    let inner = bytes.strip_prefix(b"{")?;
    let at = inner.iter().position(|b| !b.is_ascii_whitespace())?;
    let text = &inner[at..];
    match (text.first(), Grammar::new().run(text)) {
        (Some(b'"'), Outcome::End(end)) => Some(&text[..end]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads in pieces of three bytes, so that every boundary is met.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(3).min(out.len());
            out[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    /// Elements as text, faults as `kind@line`.
    fn all(text: &str, places: &[&[&str]]) -> Vec<String> {
        let places: Vec<Vec<String>> =
            places.iter().map(|p| p.iter().map(|k| (*k).to_owned()).collect()).collect();
        let window = Window::new(Slow(text.as_bytes()));
        let Ok(mut elements) = Elements::array(window, &places).unwrap() else {
            return vec!["nowhere".into()];
        };
        let (mut out, mut found) = (Vec::new(), Vec::new());
        loop {
            out.clear();
            match elements.next(&mut out).unwrap() {
                None => return found,
                Some(Found::Record { line, .. }) => {
                    found.push(format!("{}@{line}", String::from_utf8_lossy(&out)));
                }
                Some(Found::Fault(kind, line, _)) => found.push(format!("{kind}@{line}")),
            }
        }
    }

    #[test]
    fn elements_come_with_their_lines() {
        assert_eq!(all("[\n 1,\n {\"a\":[2]},3 ]", &[&[]]), ["1@2", "{\"a\":[2]}@3", "3@3"]);
        let wrapped =
            "{\"x\":{\"events\":[0]},\"a\":{\"y\":1,\"b\":[{\"k\":1},\n{\"k\":2}]},\"z\":0}";
        assert_eq!(all(wrapped, &[&["a", "b"]]), ["{\"k\":1}@1", "{\"k\":2}@2"]);
        assert_eq!(all(wrapped, &[&["events"]]), ["nowhere"]);
        assert_eq!(all("[]", &[&[]]), [""; 0]);
        assert_eq!(all("{\"events\":[]}", &[&[], &["events"]]), [""; 0]);
    }

    #[test]
    fn after_damage_it_goes_on_with_the_next_element() {
        let pretty = "[\n  {\n    \"id\": 1,\n    \"t\": \"cu\n  {\n    \"id\": 2\n  },\n  {\n    \"id\": 3,\n    \"l\": [{\"id\": 9}\n  },\n  {\n    \"id\": 4\n  }\n]\n";
        let found = all(pretty, &[&[]]);
        let two = "{\n    \"id\": 2\n  }@5";
        assert_eq!(found, ["not-json@2", two, "not-json@8", "{\n    \"id\": 4\n  }@12"]);

        let flat = r#"[{"id":1},{"id":"cut,{"id":3},{"id":4,"l":[{"x":1}},{"id":5}]"#;
        let found = all(flat, &[&[]]);
        assert_eq!(found[..2], ["{\"id\":1}@1", "not-json@1"]);
        assert_eq!(found.last().unwrap(), "{\"id\":5}@1");
    }

    #[test]
    fn a_cut_file_gives_what_was_whole() {
        assert_eq!(all("[{\"id\":1},{\"id\":2", &[&[]]), ["{\"id\":1}@1", "cut-line@1"]);
        assert_eq!(all("[{\"id\":1},", &[&[]]), ["{\"id\":1}@1", "cut-line@1"]);
        let open = "[\n{\"id\":1,\"l\":[{\"x\":1},\n{\"id\":2},\n{\"id\":3}\n]\n";
        assert_eq!(all(open, &[&[]]), ["cut-line@2", "{\"id\":2}@3", "{\"id\":3}@4"]);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_answered(text in r#"[\[\]{}",:a1 \n\\]{0,60}"#) {
            let _ = all(&format!("[{text}"), &[&[]]);
            let _ = all(&text, &[&[], &["a"]]);
        }
    }
}
