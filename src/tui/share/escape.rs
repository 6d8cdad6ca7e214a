//! Text that no shell needs quotes for, and words that one does.

/// The characters that mean nothing to any usual shell within a word, nor to a view.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-./,=@".contains(&byte)
}

/// A text with all but plain characters written as `%20`.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The text that was written so; what is wrong with it.
pub(super) fn unescape(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let digits = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let digits = digits.filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) else {
            return Err("has a % without two digits behind it".to_owned());
        };
        bytes.push(byte);
        rest = rest.get(2..).unwrap_or_default();
    }
    String::from_utf8(bytes).map_err(|_| "is no text".to_owned())
}

/// A word for a shell: as it is where that is safe, else in single quotes.
#[must_use]
pub fn shell_word(text: &str) -> String {
    let plain = |byte: u8| is_plain(byte) || byte == b':' || byte == b'+' || byte == b'%';
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_is_there_again() {
        for text in ["", "/a/b", ".event_type == \"x\"", "ä %20 ~1:+", "\u{7f}\n"] {
            let escaped = escape(text);
            assert!(escaped.bytes().all(|b| is_plain(b) || b == b'%'), "{escaped}");
            assert_eq!(unescape(&escaped).as_deref(), Ok(text));
        }
        for text in ["%", "%2", "%zz", "%+1", "%ff"] {
            assert!(unescape(text).is_err(), "{text}");
        }
    }

    #[test]
    fn words_for_a_shell() {
        assert_eq!(shell_word("v1:at=1:open=/a+/b"), "v1:at=1:open=/a+/b");
        assert_eq!(shell_word("/my store"), "'/my store'");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
        assert_eq!(shell_word(""), "''");
    }
}
