//! JSON text as indented lines, made from the exact bytes and only as far as they are looked at.
//!
//! Lives here: finding tokens and breaking long strings. May not live here: colours, or reading
//! values (numbers and strings are shown as they are written).

use std::ops::Range;

/// What a piece of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// A key, with its quotes.
    Key,
    /// A string, with its quotes.
    String,
    /// A number.
    Number,
    /// `true`, `false` or `null`.
    Literal,
    /// Braces, brackets, commas and colons.
    Mark,
    /// Bytes that are no JSON.
    Other,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonLine {
    /// How deep it is indented, in steps.
    pub depth: usize,
    /// Its pieces, as ranges of the bytes.
    pub pieces: Vec<(Token, Range<usize>)>,
}

/// How many lines are made of one text at most.
pub const MOST_LINES: usize = 20_000;
/// How many bytes of one piece are shown: no screen is wider.
const MOST_PIECE: usize = 4096;
/// How many bytes of a text are worth reading: they fill all lines of an ordinary screen.
pub const MOST_BYTES: usize = 2 << 20;
/// How deep lines are indented at most.
const MOST_DEPTH: usize = 24;

/// The lines of a text, made as they are asked for.
#[derive(Debug, Clone, Default)]
pub struct JsonLines {
    bytes: Vec<u8>,
    /// How many bytes the whole text has, of which those may be the beginning.
    total: usize,
    lines: Vec<JsonLine>,
    at: usize,
    depth: usize,
    /// The line that is being made.
    pieces: Vec<(Token, Range<usize>)>,
    /// Whether the next string is a key: one flag per open object (true) or array (false).
    open: Vec<bool>,
    after_colon: bool,
    done: bool,
}

impl JsonLines {
    /// The lines of these bytes, which are all of a text of `total` bytes, or its beginning.
    #[must_use]
    pub fn new(bytes: Vec<u8>, total: usize) -> Self {
        Self { total: total.max(bytes.len()), bytes, ..Self::default() }
    }

    /// How many bytes the whole text has.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }

    /// Makes lines until there are `count`, or all are made. Strings are broken so that no line
    /// has much more than `columns` bytes.
    pub fn ensure(&mut self, count: usize, columns: usize) {
        while !self.done && self.lines.len() < count.min(MOST_LINES) {
            self.step(columns.max(16));
        }
    }

    /// The lines that were made.
    #[must_use]
    pub fn lines(&self) -> &[JsonLine] {
        &self.lines
    }

    /// How many bytes are not in any line yet.
    #[must_use]
    pub fn rest(&self) -> usize {
        self.total - if self.done { self.bytes.len() } else { self.at }
    }

    /// The text of a piece, its beginning where it is very long; what is not UTF-8 is replaced.
    #[must_use]
    pub fn text(&self, range: &Range<usize>) -> std::borrow::Cow<'_, str> {
        let seen = range.start..range.end.min(range.start + MOST_PIECE);
        String::from_utf8_lossy(self.bytes.get(seen).unwrap_or_default())
    }

    fn flush(&mut self) {
        if !self.pieces.is_empty() {
            let pieces = std::mem::take(&mut self.pieces);
            self.lines.push(JsonLine { depth: self.depth.min(MOST_DEPTH), pieces });
        }
    }

    /// Takes in the next token.
    fn step(&mut self, columns: usize) {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        let Some(byte) = self.bytes.get(self.at).copied() else {
            self.flush();
            self.done = true;
            return;
        };
        match byte {
            b'{' | b'[' => self.begin(byte),
            b'}' | b']' => self.end(),
            b',' => {
                self.mark(1);
                self.flush();
                self.after_colon = false;
            }
            b':' => {
                self.mark(1);
                self.after_colon = true;
            }
            b'"' => self.string(columns),
            _ => self.word(),
        }
    }

    fn mark(&mut self, length: usize) {
        self.pieces.push((Token::Mark, self.at..self.at + length));
        self.at += length;
    }

    fn begin(&mut self, byte: u8) {
        let rest = self.bytes.get(self.at + 1..).unwrap_or_default();
        let blanks = rest.iter().take_while(|b| b.is_ascii_whitespace()).count();
        self.after_colon = false;
        if matches!(rest.get(blanks), Some(b'}' | b']')) {
            // Nothing inside: both on one line.
            self.pieces.push((Token::Mark, self.at..self.at + 1));
            self.at += 1 + blanks;
            self.mark(1);
            return;
        }
        self.mark(1);
        self.flush();
        self.depth += 1;
        self.open.push(byte == b'{');
    }

    fn end(&mut self) {
        self.flush();
        self.depth = self.depth.saturating_sub(1);
        self.open.pop();
        self.after_colon = false;
        self.mark(1);
    }

    fn string(&mut self, columns: usize) {
        let start = self.at;
        let end = string_end(&self.bytes, start);
        let is_key = self.open.last() == Some(&true) && !self.after_colon;
        self.at = end;
        if is_key {
            self.pieces.push((Token::Key, start..end));
            return;
        }
        let used: usize = self.pieces.iter().map(|(_, r)| r.len()).sum();
        let indent = 2 * self.depth.min(MOST_DEPTH);
        let wide = columns.saturating_sub(indent).max(16);
        let mut from = start;
        let mut room = wide.saturating_sub(used + 1).max(8);
        let own_depth = self.depth;
        while end - from > room && self.lines.len() < MOST_LINES {
            let cut = break_at(&self.bytes, from, from + room);
            self.pieces.push((Token::String, from..cut));
            self.flush();
            self.depth = own_depth + 1;
            from = cut;
            room = wide.saturating_sub(2);
        }
        if self.lines.len() >= MOST_LINES {
            self.at = from;
            return;
        }
        self.pieces.push((Token::String, from..end));
        if from != start {
            // The rest of a broken string stands under its beginning, and so does the comma.
            let comma = self.bytes.get(self.at) == Some(&b',');
            if comma {
                self.mark(1);
            }
            self.flush();
            self.depth = own_depth;
            self.after_colon = self.after_colon && !comma;
        }
    }

    fn word(&mut self) {
        let start = self.at;
        let stop = |b: &u8| b",:{}[]\"".contains(b) || b.is_ascii_whitespace();
        let rest = self.bytes.get(start..).unwrap_or_default();
        // A run of bytes that are no JSON is cut like everything else.
        let length = rest.iter().take(4096).take_while(|b| !stop(b)).count().max(1);
        self.at += length;
        let token = match rest.get(..length) {
            Some(b"true" | b"false" | b"null") => Token::Literal,
            Some([b'-' | b'0'..=b'9', ..]) => Token::Number,
            _ => Token::Other,
        };
        self.pieces.push((token, start..self.at));
        if token == Token::Other && length >= 64 {
            self.flush();
        }
    }
}

/// Where the string that begins at `start` ends, behind its closing quote.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

/// A place near `want` to break at: behind a blank if there is one near, never inside a character
/// or an escape.
fn break_at(bytes: &[u8], from: usize, want: usize) -> usize {
    let low = from + (want - from) / 2;
    let blank = bytes.get(low..want).and_then(|part| memchr::memrchr(b' ', part));
    if let Some(found) = blank {
        return low + found + 1;
    }
    let mut cut = want;
    while cut > from + 1 && bytes.get(cut).is_some_and(|b| b & 0xc0 == 0x80) {
        cut -= 1;
    }
    // An escape begins at most five bytes before: `\u12|34`.
    for back in 1..6 {
        if cut > from + back && bytes[cut - back] == b'\\' {
            return cut - back;
        }
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, columns: usize) -> Vec<String> {
        let mut json = JsonLines::new(text.as_bytes().to_vec(), text.len());
        json.ensure(usize::MAX, columns);
        assert_eq!(json.rest(), 0);
        let line = |line: &JsonLine| {
            let text: String =
                line.pieces.iter().map(|(_, range)| json.text(range).into_owned()).collect();
            format!("{}{text}", "  ".repeat(line.depth))
        };
        json.lines().iter().map(line).collect()
    }

    #[test]
    fn indents_objects_and_arrays_and_leaves_text_as_written() {
        assert_eq!(
            lines(r#"{"a":1.50,"b":[true,{}],"c":{"d":"é\n"},"e":[]}"#, 80),
            [
                "{",
                "  \"a\":1.50,",
                "  \"b\":[",
                "    true,",
                "    {}",
                "  ],",
                "  \"c\":{",
                "    \"d\":\"é\\n\"",
                "  },",
                "  \"e\":[]",
                "}"
            ]
        );
    }

    #[test]
    fn long_strings_are_broken_at_blanks_and_lose_nothing() {
        let long = "word ".repeat(40);
        let text = format!("{{\"k\":\"{long}\",\"z\":1}}");
        let lines = lines(&text, 40);
        assert!(lines.iter().all(|line| line.len() <= 44), "{lines:?}");
        let joined: String = lines.iter().map(|line| line.trim_start()).collect();
        assert_eq!(joined.replace(' ', ""), text.replace(' ', ""));
        assert_eq!(lines[lines.len() - 2], "  \"z\":1");
    }

    #[test]
    fn only_what_is_looked_at_is_made() {
        let text = format!("[\"{}\"]", "x".repeat(13_000_000));
        let mut json = JsonLines::new(text.into_bytes(), 0);
        json.ensure(10, 80);
        assert!(json.lines().len() >= 10);
        json.ensure(usize::MAX, 80);
        assert!(json.lines().len() <= MOST_LINES + 2);
        assert!(json.rest() > 0);
        let mut part = JsonLines::new(b"{\"a\":[1,\"begi".to_vec(), 100);
        part.ensure(usize::MAX, 80);
        assert_eq!((part.rest(), part.lines().len()), (100 - 13, 4));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200), columns in 0_usize..100) {
            let mut json = JsonLines::new(bytes.clone(), 0);
            json.ensure(usize::MAX, columns);
            let shown: usize = json.lines().iter().flat_map(|l| &l.pieces).map(|(_, r)| r.len()).sum();
            proptest::prop_assert!(shown <= bytes.len());
        }

        #[test]
        fn every_byte_that_is_no_blank_is_shown_once(text in "[{}\\[\\],:\"a1\\\\ é]{0,60}") {
            let mut json = JsonLines::new(text.clone().into_bytes(), 0);
            json.ensure(usize::MAX, 20);
            let shown: String = json.lines().iter().flat_map(|l| &l.pieces).map(|(_, r)| json.text(r).into_owned()).collect();
            let plain = |s: &str| s.chars().filter(|c| !c.is_ascii_whitespace()).collect::<String>();
            proptest::prop_assert_eq!(plain(&shown), plain(&text));
        }
    }
}
