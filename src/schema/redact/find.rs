//! Finding secrets in a text.
//!
//! Lives here: [`secrets_in`]: shapes, private keys, passwords in URLs, headers and assignments.
//! May not live here: JSON (see [`super::json`]), or what becomes of what is found.
//!
//! One pass, without regular expressions: every append pays for it.

use std::ops::Range;

use super::shapes::{BY_FIRST_BYTE, KEYS, PASSWORDS, SECOND_BYTES, SHAPES, Shape};

/// A secret: where it stands, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Secret<'a> {
    pub(super) range: Range<usize>,
    pub(super) name: &'a str,
}

/// What a password is called.
const PASSWORD: &str = "password";
/// The least length of the value of a key or token that is known by its name alone.
const LEAST: usize = 8;
/// The most characters of a name before `=` or `:` that are looked at.
const LONGEST_NAME: usize = 64;

/// The secrets in `text`, in order, without overlap.
pub(super) fn secrets_in(text: &str) -> Vec<Secret<'static>> {
    let bytes = text.as_bytes();
    let mut found: Vec<Secret<'static>> = Vec::new();
    let mut at = 0;
    while let Some(next) = next_start(bytes, at) {
        let hit = match bytes[next] {
            b':' | b'=' => url_password(bytes, next).or_else(|| assigned(bytes, next)),
            b'-' => private_key(text, next),
            b'0'..=b'9' => bot_token(bytes, next),
            b'B' | b'b' => header(bytes, next),
            _ => shape(bytes, next),
        };
        at = next + 1;
        if let Some(secret) = hit
            && secret.range.start >= found.last().map_or(0, |s| s.range.end)
        {
            at = at.max(secret.range.end);
            found.push(secret);
        }
    }
    found
}

/// Where something can begin, from `at` on.
fn next_start(bytes: &[u8], at: usize) -> Option<usize> {
    let class = |byte: u8| CLASSES[usize::from(byte)];
    let mut in_word = at > 0 && class(bytes[at - 1]) > Class::Sign;
    // A last byte that stands alone begins nothing.
    for (distance, pair) in bytes.get(at..)?.windows(2).enumerate() {
        let class = class(pair[0]);
        if class == Class::Sign || (class == Class::Start && !in_word && can_begin(pair)) {
            return Some(at + distance);
        }
        in_word = class > Class::Sign;
    }
    None
}

/// Whether anything begins with these two bytes.
pub(super) fn can_begin(pair: &[u8]) -> bool {
    match (pair[0], pair[1]) {
        (b'-', second) => second == b'-',
        (b'0'..=b'9', second) => second.is_ascii_digit(),
        (b'B' | b'b', second) => matches!(second, b'a' | b'A' | b'e' | b'E'),
        (first, second) => second < 128 && SECOND_BYTES[usize::from(first)] >> second & 1 == 1,
    }
}

/// What a byte can begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// Nothing, and it ends a word.
    Other,
    /// A value: `:` and `=`. It ends a word, too.
    Sign,
    /// Nothing, but it is part of a word.
    Word,
    /// A shape, a header, a number or a private key, where it begins a word.
    Start,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let mut byte: u8 = 0;
    loop {
        let starts =
            BY_FIRST_BYTE[byte as usize].1 > 0 || matches!(byte, b'B' | b'b' | b'0'..=b'9');
        classes[byte as usize] = match byte {
            b':' | b'=' => Class::Sign,
            _ if starts || byte == b'-' => Class::Start,
            b'_' => Class::Word,
            _ if byte.is_ascii_alphanumeric() => Class::Word,
            _ => Class::Other,
        };
        if byte == u8::MAX {
            break;
        }
        byte += 1;
    }
    classes
};

/// Whether the value of a field of this name is a secret, whatever it looks like.
pub(super) fn named(name: &str, value: &str) -> Option<&'static str> {
    let name = name.as_bytes();
    if !can_name(name) {
        return None;
    }
    if is_password(name, value.as_bytes()) {
        return (!is_placeholder(value.as_bytes())).then_some(PASSWORD);
    }
    (is_key(name) && value.len() >= LEAST && is_token(value.as_bytes())).then_some("secret")
}

/// Whether the number in a field of this name is a secret. Of keys and tokens it may be the count.
pub(super) fn named_number(name: &str, number: &str) -> Option<&'static str> {
    named(name, number).filter(|name| *name == PASSWORD)
}

/// Whether a secret of some shape begins there.
pub(super) fn shape_at(bytes: &[u8], at: usize) -> bool {
    shape(bytes, at).is_some()
}

/// Whether a byte is part of a word, so that nothing begins behind it.
pub(super) fn in_word(byte: u8) -> bool {
    CLASSES[usize::from(byte)] > Class::Sign
}

/// Whether the last two letters before this, quotes aside, are those of a secret's name. Most names
/// end otherwise.
#[inline]
pub(super) fn ends_like_secret(before: &[u8]) -> bool {
    let mut letters = before.iter().rev().skip_while(|b| is_quote(**b));
    let last = letters.next().copied().unwrap_or_default();
    let seconds = BEFORE_LAST[usize::from(last)];
    seconds != 0
        && letters.find(|b| !is_joint(**b)).is_some_and(|second| seconds >> (second & 31) & 1 == 1)
}

/// Whether a name stands at the end of this, perhaps in quotes, that may be that of a secret.
pub(super) fn may_name_secret(before: &[u8]) -> bool {
    let quotes = before.iter().rev().take_while(|b| is_quote(**b)).count();
    let name = &before[..before.len() - quotes];
    is_password(name, b"") || is_key(name)
}

/// What may stand between a name and its sign.
fn is_quote(byte: u8) -> bool {
    matches!(byte, b' ' | b'"' | b'\'')
}

/// For each byte that a secret's name can end with, which letters may stand before it: one bit for
/// each.
const BEFORE_LAST: [u32; 256] = {
    let mut seconds = [0; 256];
    let lists = [PASSWORDS, KEYS, &["pwd"]];
    let mut list = 0;
    while list < lists.len() {
        let mut at = 0;
        while at < lists[list].len() {
            let name = lists[list][at].as_bytes();
            let (last, second) = (name[name.len() - 1], name[name.len() - 2]);
            seconds[last as usize] |= 1 << (second & 31);
            seconds[last.to_ascii_uppercase() as usize] |= 1 << (second & 31);
            at += 1;
        }
        list += 1;
    }
    seconds
};

fn shape(bytes: &[u8], at: usize) -> Option<Secret<'static>> {
    let rest = &bytes[at..];
    let (start, end) = BY_FIRST_BYTE[usize::from(rest[0])];
    let alike = &SHAPES[usize::from(start)..usize::from(end)];
    alike.iter().find_map(|shape| fits(shape, rest).map(|length| secret(at, length, shape.name)))
}

/// The length of the secret of this shape that `rest` begins with.
fn fits(shape: &Shape, rest: &[u8]) -> Option<usize> {
    let body = rest.strip_prefix(shape.prefix.as_bytes())?;
    let length = body.iter().take_while(|byte| shape.body.has(**byte)).count();
    let token = &body[..length];
    let sound = match shape.name {
        // A header, a payload and a signature: without the dots it is any Base64.
        "json-web-token" => token.iter().filter(|b| **b == b'.').count() >= 2,
        "airtable-token" => token.get(14) == Some(&b'.'),
        // Words with a hyphen are no keys.
        "api-key" | "crates-io-token" | "pypi-token" => token.iter().any(u8::is_ascii_digit),
        _ => true,
    };
    // A dot at the end ends the sentence.
    let dots = token.iter().rev().take_while(|b| **b == b'.').count();
    (sound && length - dots >= shape.least).then_some(shape.prefix.len() + length - dots)
}

fn secret(start: usize, length: usize, name: &'static str) -> Secret<'static> {
    Secret { range: start..start + length, name }
}

/// A private key in PEM, up to its last line, or to the end where that is cut off.
fn private_key(text: &str, at: usize) -> Option<Secret<'static>> {
    let rest = &text[at..];
    let title = rest.strip_prefix("-----BEGIN ")?;
    let title = &title[..title.find("-----")?];
    if title.len() > LONGEST_NAME || !title.contains("PRIVATE KEY") {
        return None;
    }
    let end = format!("-----END {title}-----");
    let length = rest.find(&end).map_or(rest.len(), |found| found + end.len());
    Some(secret(at, length, "private-key"))
}

/// The password of `scheme://user:password@host`; `at` is the colon before the two slashes.
fn url_password(bytes: &[u8], at: usize) -> Option<Secret<'static>> {
    let rest = bytes.get(at..)?.strip_prefix(b"://")?;
    let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'/' | b'?' | b'#' | b'"' | b'\'');
    let mut authority = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
    // A password may have a slash in it, unescaped as people write it.
    if !authority.contains(&b'@')
        && let Some(sign) = rest.iter().position(|b| *b == b'@')
        && !rest[..sign].iter().any(u8::is_ascii_whitespace)
        && authority.contains(&b':')
        && !authority.ends_with(b":")
        && !is_port(authority)
    {
        authority = &rest[..=sign];
    }
    let sign = authority.iter().rposition(|b| *b == b'@')?;
    let colon = authority[..sign].iter().position(|b| *b == b':')?;
    let password = &authority[colon + 1..sign];
    let start = at + 3 + colon + 1;
    (!password.is_empty() && !is_placeholder(password))
        .then(|| secret(start, password.len(), PASSWORD))
}

/// Whether an authority ends with a port: then what follows is a path, not a password.
fn is_port(authority: &[u8]) -> bool {
    let port = authority.rsplit(|b| *b == b':').next().unwrap_or_default();
    port.iter().all(u8::is_ascii_digit)
}

/// The token of `Bearer …` and `Basic …`.
fn header(bytes: &[u8], at: usize) -> Option<Secret<'static>> {
    let rest = &bytes[at..];
    let kind = ["bearer ", "basic "].into_iter().find(|kind| {
        rest.get(..kind.len()).is_some_and(|start| start.eq_ignore_ascii_case(kind.as_bytes()))
    })?;
    let token = &rest[kind.len()..];
    let in_token = |b: &&u8| {
        b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
    };
    let length = token.iter().take_while(in_token).count();
    let token = &token[..length];
    let sound = length >= 12 && (is_random(token) || is_mixed(token));
    sound.then(|| secret(at + kind.len(), length, "authorization"))
}

/// A token of a Telegram bot: its number, a colon, 35 characters.
fn bot_token(bytes: &[u8], at: usize) -> Option<Secret<'static>> {
    let rest = &bytes[at..];
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let body = rest.get(digits..)?.strip_prefix(b":AA")?;
    let word = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    let length = body.iter().take_while(word).count();
    ((8..=10).contains(&digits) && length == 33)
        .then(|| secret(at, digits + 3 + length, "telegram-token"))
}

/// The value of `NAME=value` and `name: value` where the name says that it is a secret; `at` is the
/// sign between the two.
fn assigned(bytes: &[u8], at: usize) -> Option<Secret<'static>> {
    let name = name_before(bytes, at)?;
    let is_password = is_password(name, bytes.get(at + 1..).unwrap_or_default());
    if !is_password && !is_key(name) {
        return None;
    }
    let mut start = at + 1;
    let equals = bytes[at] == b'=';
    while matches!(bytes.get(start), Some(b' ' | b'\t' | b'>' | b'=')) {
        start += 1;
    }
    let rest = &bytes[start.min(bytes.len())..];
    let escapes = rest.iter().take_while(|b| **b == b'\\').count();
    let quote = rest.get(escapes).copied().filter(|b| matches!(b, b'"' | b'\'' | b'`'));
    let (rest, length) = match quote {
        Some(quote) => {
            start += escapes + 1;
            let rest = &rest[escapes + 1..];
            (rest, quoted(rest, quote, escapes))
        }
        None => (rest, unquoted(rest)),
    };
    let value = &rest[..length];
    // `password: must not be empty` is a sentence; `password=…` never is.
    let sound = match (is_password, equals || quote.is_some()) {
        (true, true) => length >= 1 && !is_placeholder(value),
        (true, false) => length >= 4 && is_random(value) && !is_placeholder(value),
        // Outside of quotes it may be the name of a variable.
        (false, _) => {
            let drawn = is_random(value) || (quote.is_some() && is_mixed(value));
            length >= LEAST && is_token(value) && drawn
        }
    };
    sound.then(|| secret(start, length, if is_password { PASSWORD } else { "secret" }))
}

/// The length of a value up to its closing quote, or to the end of the line. The one before it had so
/// many backslashes, as in JSON that stands in a string.
fn quoted(rest: &[u8], quote: u8, escapes: usize) -> usize {
    let mut run = 0;
    for (at, byte) in rest.iter().enumerate() {
        match *byte {
            b'\\' => {
                run += 1;
                continue;
            }
            b'\n' => return at,
            // Two backslashes of the text in the quotes are one that is meant, one is an escape.
            byte if byte == quote
                && (quote != b'"'
                    || run < escapes
                    || ((run - escapes) / (escapes + 1)).is_multiple_of(2)) =>
            {
                return at - run.min(escapes);
            }
            _ => run = 0,
        }
    }
    rest.len()
}

/// The length of a value without quotes. What escapes the quote behind it is no part of it.
fn unquoted(rest: &[u8]) -> usize {
    let ends = |b: &u8| {
        b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b',' | b';' | b'&' | b')' | b'}')
    };
    let length = rest.iter().position(ends).unwrap_or(rest.len());
    let escapes = rest[..length].iter().rev().take_while(|b| **b == b'\\').count();
    if rest.get(length) == Some(&b'"') { length - escapes } else { length }
}

/// The name that ends before `at`.
fn name_before(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let mut end = at;
    while end > 0 && (is_quote(bytes[end - 1]) || bytes[end - 1] == b'\\') {
        end -= 1;
    }
    let part = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let length = bytes[..end].iter().rev().take(LONGEST_NAME).take_while(part).count();
    let name = &bytes[end - length..end];
    can_name(name).then_some(name)
}

/// Whether a name ends with a letter that one of a secret ends with.
fn can_name(name: &[u8]) -> bool {
    let last = name.last().map(u8::to_ascii_lowercase);
    matches!(last, Some(b'd' | b'e' | b'g' | b'l' | b'n' | b's' | b't' | b'y'))
}

/// Whether a name ends so, in small letters and without what words are joined with.
fn ends_with(name: &[u8], end: &str) -> bool {
    let mut letters = name.iter().rev().filter(|b| !is_joint(**b));
    end.bytes().rev().all(|wanted| letters.next().is_some_and(|b| b.to_ascii_lowercase() == wanted))
}

/// Whether words of a name are joined with this.
fn is_joint(byte: u8) -> bool {
    matches!(byte, b'_' | b'-' | b'.' | b' ')
}

/// Whether a key or token goes under this name.
fn is_key(name: &[u8]) -> bool {
    KEYS.iter().any(|end| ends_with(name, end))
}

/// Whether a password goes under this name. `pwd` is one of them, but the folder that one works in
/// is also called so.
fn is_password(name: &[u8], value: &[u8]) -> bool {
    PASSWORDS.iter().any(|end| ends_with(name, end))
        || (ends_with(name, "pwd") && !value.starts_with(b"/"))
}

/// Whether a value only stands for one: a variable, a template, stars, or a marker of ours.
fn is_placeholder(value: &[u8]) -> bool {
    value.is_empty()
        || matches!(value[0], b'$' | b'<' | b'{' | b'%' | b'[' | b'(')
        || value.len() >= 3
            && value.iter().all(|b| matches!(b, b'*' | b'x' | b'X' | b'.' | b'-' | b'_'))
        || ["null", "none", "true", "false", "undefined", "redacted", "nil"]
            .iter()
            .any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
}

/// Whether a value can be a key: one word that stands for itself.
fn is_token(value: &[u8]) -> bool {
    !is_placeholder(value) && !value.iter().any(u8::is_ascii_whitespace)
}

/// Whether a value looks drawn rather than worded.
fn is_random(value: &[u8]) -> bool {
    let sign = |b: &u8| matches!(b, b'!' | b'@' | b'#' | b'%' | b'^' | b'+' | b'~');
    value.iter().any(|b| b.is_ascii_digit() || sign(b))
}

/// Whether a value has capital letters among small ones.
fn is_mixed(value: &[u8]) -> bool {
    value.iter().any(u8::is_ascii_lowercase) && value.iter().skip(1).any(u8::is_ascii_uppercase)
}
