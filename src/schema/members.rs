//! The members of a JSON object, from one pass that also checks and measures each value.
//!
//! Lives here: [`read`]: one quick pass ([`plain`]) for objects as programs write them, and serde for
//! whatever is not so plain (`\u` in a string, a key with an escape, too deep, no JSON at all). May
//! not live here: what the members mean. A test holds the two ways against each other.

use std::borrow::Cow;

use super::json::{self, MAX_DEPTH, Scan, is_finite, number_end, until_special};
use crate::model::envelope::Fields;

/// A member: its key, its value as written, and what was found in that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member<'a> {
    pub(super) key: Cow<'a, str>,
    pub(super) raw: &'a str,
    pub(super) found: Scan,
    /// Whether a string of the value has escapes.
    pub(super) escaped: bool,
}

impl<'a> Member<'a> {
    /// The text of its value; as [`json::string`].
    #[inline]
    pub(super) fn text(&self) -> Option<Cow<'a, str>> {
        if self.escaped {
            return json::string(self.raw);
        }
        Some(Cow::Borrowed(self.raw.strip_prefix('"')?.strip_suffix('"')?))
    }
}

/// The members of the object that `text` is, in order; none where it is no object, or has a key
/// with half of a surrogate pair.
pub(super) fn read(text: &str) -> Option<Vec<Member<'_>>> {
    if let Some(members) = plain_members(text) {
        return Some(members);
    }
    let Fields(fields) = serde_json::from_str(text).ok()?;
    let with_found = fields.into_iter().map(|(key, raw)| {
        let raw = raw.get();
        Member { key, raw, found: json::scan(raw), escaped: raw.contains('\\') }
    });
    Some(with_found.collect())
}

/// Passes over the members and tells of each whether its key was there before.
pub(super) fn with_repeats<'m, 'a>(
    members: &'m [Member<'a>],
) -> impl Iterator<Item = (&'m Member<'a>, bool)> {
    // Keys that differ in length or first letter, as most do, need not be compared.
    let mut seen = 0_u64;
    members.iter().enumerate().map(move |(at, member)| {
        let first = usize::from(member.key.as_bytes().first().copied().unwrap_or_default());
        let bit = 1 << ((first + 11 * member.key.len()) & 63);
        let repeated = seen & bit != 0 && is_there(&members[..at], &member.key);
        seen |= bit;
        (member, repeated)
    })
}

/// Whether one of the members has this name.
pub(super) fn is_there(members: &[Member<'_>], name: &str) -> bool {
    members.iter().any(|member| member.key == name)
}

/// How many fields an envelope can have.
const FIELDS: usize = 14;

/// What [`read`] finds in one pass, if it can.
fn plain_members(text: &str) -> Option<Vec<Member<'_>>> {
    let mut members = Vec::with_capacity(FIELDS);
    plain(text, |key, raw, found, escaped| {
        members.push(Member { key: Cow::Borrowed(key), raw, found, escaped });
    })?;
    Some(members)
}

/// Passes over an object as programs write it, and gives each member as it comes: its key, its
/// value as written, what was found in that, and whether it has escapes. None where the text is not
/// so plain; what was given then means nothing.
#[inline]
pub(crate) fn plain<'a>(
    text: &'a str,
    each: impl FnMut(&'a str, &'a str, Scan, bool),
) -> Option<()> {
    plain_until(text, "", each)
}

/// The same up to the first member with this key (none for an empty one); what follows is not
/// looked at.
#[inline]
pub(crate) fn plain_until<'a>(
    text: &'a str,
    last: &str,
    mut each: impl FnMut(&'a str, &'a str, Scan, bool),
) -> Option<()> {
    let bytes = text.as_bytes();
    let mut walk = Walk { text, bytes, at: 0, spaced: false, deepest: 0, escaped: false };
    walk.space();
    walk.expect(b'{')?;
    walk.space();
    if walk.next() == b'}' {
        walk.at += 1;
    } else {
        loop {
            let key = walk.key()?;
            if !last.is_empty() && key == last {
                return Some(());
            }
            let start = walk.at;
            (walk.spaced, walk.deepest, walk.escaped) = (false, 0, false);
            walk.value(0)?;
            let found = Scan { spaced: walk.spaced, depth: walk.deepest, sound: true };
            each(key, text.get(start..walk.at)?, found, walk.escaped);
            if walk.ends(b'}')? {
                break;
            }
        }
    }
    walk.space();
    (walk.at == text.len()).then_some(())
}

/// A place in a text. (Each step is small, and taken for every value: they are one function.)
struct Walk<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    spaced: bool,
    deepest: usize,
    escaped: bool,
}

impl<'a> Walk<'a> {
    /// The next byte; zero, which nothing begins with, at the end.
    #[inline(always)]
    fn next(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or_default()
    }

    #[inline(always)]
    fn space(&mut self) {
        if self.next() <= b' ' {
            self.pass_space();
        }
    }

    #[cold]
    fn pass_space(&mut self) {
        while let b' ' | b'\n' | b'\t' | b'\r' = self.next() {
            self.at += 1;
            self.spaced = true;
        }
    }

    #[inline(always)]
    fn expect(&mut self, byte: u8) -> Option<()> {
        if self.next() != byte {
            return None;
        }
        self.at += 1;
        Some(())
    }

    /// Passes what stands behind a value; whether that ends the object or array.
    #[inline(always)]
    fn ends(&mut self, end: u8) -> Option<bool> {
        self.space();
        let next = self.next();
        self.at += 1;
        if next == b',' {
            self.space();
            return Some(false);
        }
        (next == end).then_some(true)
    }

    /// A key without escapes, and the colon behind it.
    #[inline(always)]
    fn key(&mut self) -> Option<&'a str> {
        let start = self.at + 1;
        self.string::<true>()?;
        let key = self.text.get(start..self.at - 1)?;
        self.space();
        self.expect(b':')?;
        self.space();
        Some(key)
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        match self.next() {
            b'"' => self.string::<false>(),
            b'{' => self.object(depth + 1),
            b'[' => self.array(depth + 1),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.number(),
        }
    }

    /// Goes a level down; whether there is nothing.
    #[inline(always)]
    fn enter(&mut self, depth: usize, end: u8) -> Option<bool> {
        if depth >= MAX_DEPTH {
            return None;
        }
        self.deepest = self.deepest.max(depth);
        self.at += 1;
        self.space();
        let empty = self.next() == end;
        self.at += usize::from(empty);
        Some(empty)
    }

    fn object(&mut self, depth: usize) -> Option<()> {
        if self.enter(depth, b'}')? {
            return Some(());
        }
        loop {
            self.key()?;
            self.value(depth)?;
            if self.ends(b'}')? {
                return Some(());
            }
        }
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        if self.enter(depth, b']')? {
            return Some(());
        }
        loop {
            self.value(depth)?;
            if self.ends(b']')? {
                return Some(());
            }
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.bytes[self.at..].starts_with(word.as_bytes()).then(|| self.at += word.len())
    }

    /// A string, or a key, which is not plain with escapes; those of code points never are.
    #[inline(always)]
    fn string<const KEY: bool>(&mut self) -> Option<()> {
        self.expect(b'"')?;
        let mut at = self.at;
        loop {
            at += until_special(self.bytes.get(at..)?)?;
            match self.bytes[at] {
                b'"' => {
                    self.at = at + 1;
                    return Some(());
                }
                b'\\' if !KEY => {
                    let sign = self.bytes.get(at + 1)?;
                    matches!(sign, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')
                        .then_some(())?;
                    self.escaped = true;
                    at += 2;
                }
                _ => return None,
            }
        }
    }

    fn number(&mut self) -> Option<()> {
        let digits = self.bytes[self.at..].iter().take_while(|b| b.is_ascii_digit()).count();
        let behind = self.bytes.get(self.at + digits).copied().unwrap_or_default();
        if matches!(digits, 1..16)
            && (digits == 1 || self.next() != b'0')
            && matches!(behind, b',' | b'}' | b']')
        {
            self.at += digits;
            return Some(());
        }
        let number = self.text.get(self.at..number_end(self.bytes, self.at))?;
        (is_number(number.as_bytes()) && is_finite(number)).then(|| self.at += number.len())
    }
}

/// Whether a text is a number as JSON writes it.
fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    let rest = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest[0] == b'0') {
        return false;
    }
    let mut rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = &fraction[length..];
    }
    if let Some(b'e' | b'E') = rest.first() {
        let exponent = rest[1..].strip_prefix(b"+").or(rest[1..].strip_prefix(b"-"));
        let exponent = exponent.unwrap_or(&rest[1..]);
        return !exponent.is_empty() && digits(exponent) == exponent.len();
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What serde makes of it: keys and raw values.
    fn by_serde(text: &str) -> Option<Vec<(String, String)>> {
        let Fields(fields) = serde_json::from_str(text).ok()?;
        Some(fields.iter().map(|(k, raw)| (k.to_string(), raw.get().to_owned())).collect())
    }

    fn check(text: &str) -> bool {
        let Some(members) = plain_members(text) else { return false };
        let ours: Vec<_> = members.iter().map(|m| (m.key.to_string(), m.raw.to_owned())).collect();
        assert_eq!(Some(ours), by_serde(text), "{text}");
        for member in members {
            assert_eq!(member.found, json::scan(member.raw), "{text}");
            assert_eq!(member.escaped, member.raw.contains('\\'), "{text}");
            assert_eq!(member.text(), json::string(member.raw), "{text}");
        }
        true
    }

    #[test]
    fn plain_objects_are_read_as_serde_reads_them() {
        for text in [
            "{}",
            " { \"a\" : 1 , \"b\":[ ] }\n",
            r#"{"a":"","b":"x\n\"y\"\\","c":{"d":[1,-2.5e3,true,false,null,{"e":{}}]},"a":0}"#,
            r#"{"long":"0123456789abcdef\t0123456789abcdefé…0123456789"}"#,
        ] {
            assert!(check(text), "{text} is plain");
        }
        for text in [
            "",
            "{",
            "[]",
            "1",
            "{}x",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{,}",
            "{\"a\":01}",
            "{\"a\":1.}",
            "{\"a\":.5}",
            "{\"a\":+1}",
            "{\"a\":1e}",
            "{\"a\":-}",
            "{\"a\":tru}",
            "{\"a\":\"\u{1}\"}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"x}",
            "{\"a\":[1 2]}",
            "{\"a\":[1,]}",
            "{\"a\":1e999}",
            "{'a':1}",
            "{\"a\":\"\\",
        ] {
            assert!(!check(text), "{text} is not plain");
        }
        let deep = |n: usize| format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n));
        assert!(check(&deep(MAX_DEPTH - 1)) && !check(&deep(MAX_DEPTH)));
    }

    proptest! {
        #[test]
        fn nothing_is_plain_that_serde_refuses(text in r#"[{}\[\]:,"\\0-9eE.+\-a-f \u{1}\u{e9}tn]{0,40}"#) {
            check(&text);
            check(&format!("{{\"k\":{text}}}"));
        }
    }
}
