//! Identifiers: made in one place, checked in one place.
//!
//! Lives here: making event ids, and the rule that tells a safe issue key. May not live here:
//! look-up of events by id.

use std::io;

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A fresh random event id (UUID v4).
#[must_use]
#[allow(clippy::disallowed_methods, reason = "this is the one place")]
pub fn new_event_id() -> String {
    let mut bytes = [0; 16];
    match random(&mut bytes) {
        Ok(()) => uuid::Builder::from_random_bytes(bytes).into_uuid().to_string(),
        // As good, and it says what is wrong with the system's random numbers.
        Err(_) => Uuid::new_v4().to_string(),
    }
}

/// Fills `bytes` with what nobody can guess.
///
/// # Errors
/// What the system says where it has no random numbers.
pub fn random(bytes: &mut [u8]) -> io::Result<()> {
    // The general way looks the system call up by name, which a program without a loader cannot;
    // it then opens two devices for each process.
    #[cfg(target_os = "linux")]
    {
        let flags = rustix::rand::GetRandomFlags::empty();
        if rustix::rand::getrandom(&mut *bytes, flags).is_ok_and(|filled| filled == bytes.len()) {
            return Ok(());
        }
    }
    getrandom::fill(bytes).map_err(io::Error::other)
}

/// The event id that always belongs to this content (UUID v8, RFC 9562: the first 122 bits that
/// are free hold a SHA-256 of the parts, each preceded by its length).
#[must_use]
pub fn derived_event_id(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    Uuid::new_v8(bytes).to_string()
}

/// Whether `text` is a UUID in its usual form of 36 characters.
#[must_use]
pub fn is_uuid(text: &str) -> bool {
    text.len() == 36 && Uuid::try_parse(text).is_ok()
}

/// Lower-case hex of `bytes`.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        out.push(digit(byte >> 4));
        out.push(digit(byte & 15));
        out
    })
}

/// `sha256:` and the hex digest of `bytes`.
#[must_use]
pub fn sha256_text(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

/// The same of a value as compact JSON, which is not all in memory at once.
#[must_use]
pub fn sha256_json(value: &impl serde::Serialize) -> String {
    let mut out = io::BufWriter::with_capacity(1 << 14, Hasher(Sha256::new()));
    // Neither hashing nor serialising fails: the keys of what is hashed are strings.
    let _ = serde_json::to_writer(&mut out, value);
    match out.into_inner() {
        Ok(Hasher(hash)) => format!("sha256:{}", hex(&hash.finalize())),
        Err(_) => unreachable!("to hash what is left does not fail"),
    }
}

/// Hashes what is written to it.
struct Hasher(Sha256);

impl io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The longest issue key, in bytes: it is a folder's name.
pub const MAX_KEY_BYTES: usize = 200;

/// Why a text cannot be the key of an issue, which is also a folder's name.
///
/// # Errors
/// The reason, in words that follow “the issue key …”.
pub fn check_issue_key(key: &str) -> Result<(), &'static str> {
    if key.is_empty() {
        return Err("is empty");
    }
    if key.len() > MAX_KEY_BYTES {
        return Err("is longer than 200 bytes");
    }
    if key.starts_with('.') {
        return Err("starts with a dot");
    }
    if key.ends_with(['.', ' ']) {
        return Err("ends with a dot or a space");
    }
    if key.starts_with(['-', ' ']) {
        return Err("starts with a dash or a space");
    }
    if key.contains(['/', '\\', ':', '*', '?', '"', '<', '>', '|']) {
        return Err("has a character that paths do not allow (/ \\ : * ? \" < > |)");
    }
    if key.chars().any(is_control) {
        return Err("has a control character");
    }
    if is_device(key) {
        return Err("is the name of a device on Windows");
    }
    Ok(())
}

/// Whether Windows takes a file of this name for a device, whatever folder it is in.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end().to_ascii_uppercase();
    let numbered = |kind: &str| {
        stem.strip_prefix(kind).is_some_and(|rest| matches!(rest.as_bytes(), [b'0'..=b'9']))
    };
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

/// Whether a character would steer a terminal or the direction of text: C0, C1, and the
/// bidirectional and other invisible format characters.
#[must_use]
pub fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' | '\u{061c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_ids_are_stable_and_tell_parts_apart() {
        let id = derived_event_id(&[b"fleet", b"line"]);
        assert_eq!(id, derived_event_id(&[b"fleet", b"line"]));
        assert_ne!(id, derived_event_id(&[b"fleetl", b"ine"]));
        assert!(is_uuid(&id));
        assert_eq!(id.as_bytes()[14], b'8');
    }

    #[test]
    fn fresh_ids_are_random_uuids() {
        let (one, another) = (new_event_id(), new_event_id());
        assert!(is_uuid(&one) && one.as_bytes()[14] == b'4', "{one}");
        assert!(matches!(one.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{one}");
        assert_ne!(one, another);
    }

    #[test]
    fn keys_that_are_paths_are_refused() {
        for bad in [
            "",
            "..",
            "../x",
            "a/b",
            "a\\b",
            ".hidden",
            "-x",
            "a\nb",
            "a\u{202e}b",
            "a.",
            "C:x",
            "CON",
            "nul.txt",
            "Com1",
        ] {
            assert!(check_issue_key(bad).is_err(), "{bad:?}");
        }
        for good in ["PROJ-123", "cg-5ol6", "QA-1804", "my project", "ünïcode", "CON-1", "COM"] {
            assert_eq!(check_issue_key(good), Ok(()), "{good}");
        }
    }
}
