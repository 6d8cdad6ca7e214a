//! A line of text that is being typed.
//!
//! Lives here: the text, the cursor and the keys of every text field. May not live here: what the
//! text is for.

use crossterm::event::KeyCode;
use unicode_segmentation::UnicodeSegmentation;

use super::keymap::Key;

/// The most bytes that a field takes: a paste by accident must not slow every key after it.
const MOST_BYTES: usize = 4096;

/// A text field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Input {
    text: String,
    /// A byte offset, always between two characters.
    cursor: usize,
}

impl Input {
    /// A field that holds `text`, with the cursor at its end.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self { text: text.to_owned(), cursor: text.len() }
    }

    /// What was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What stands before the cursor, and behind it.
    #[must_use]
    pub fn halves(&self) -> (&str, &str) {
        self.text.split_at(self.cursor)
    }

    /// Puts text in at the cursor; line ends and other control characters are left out.
    pub fn insert(&mut self, text: &str) {
        for c in text.chars().filter(|c| !c.is_control()) {
            if self.text.len() + c.len_utf8() > MOST_BYTES {
                return;
            }
            self.text.insert(self.cursor, c);
            self.cursor += c.len_utf8();
        }
    }

    /// Takes a key; false when it is none of a text field.
    pub fn key(&mut self, key: Key) -> bool {
        if let Some(c) = key.character() {
            self.insert(c.encode_utf8(&mut [0; 4]));
            return true;
        }
        match key.bare() {
            Some(KeyCode::Backspace) => self.cut(self.before()),
            Some(KeyCode::Delete) => {
                let end = self.after();
                self.text.drain(self.cursor..end);
            }
            Some(KeyCode::Left) => self.cursor = self.before(),
            Some(KeyCode::Right) => self.cursor = self.after(),
            Some(KeyCode::Home) => self.cursor = 0,
            Some(KeyCode::End) => self.cursor = self.text.len(),
            _ if key.is_ctrl('a') => self.cursor = 0,
            _ if key.is_ctrl('e') => self.cursor = self.text.len(),
            _ if key.is_ctrl('u') => self.cut(0),
            _ if key.is_ctrl('w') => self.cut(self.word_start()),
            _ => return false,
        }
        true
    }

    fn cut(&mut self, from: usize) {
        self.text.drain(from..self.cursor);
        self.cursor = from;
    }

    fn before(&self) -> usize {
        self.halves().0.grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        let cluster = self.halves().1.graphemes(true).next();
        self.cursor + cluster.map_or(0, str::len)
    }

    fn word_start(&self) -> usize {
        let text = self.halves().0.trim_end();
        text.rfind(char::is_whitespace)
            .map_or(0, |at| at + text[at..].chars().next().map_or(0, char::len_utf8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[&str]) -> String {
        let mut input = Input::default();
        for key in keys {
            assert!(input.key(Key::parse(key).unwrap()), "{key}");
        }
        let (before, after) = input.halves();
        format!("{before}|{after}")
    }

    #[test]
    fn edits_by_clusters_and_words() {
        assert_eq!(typed(&["a", "b", "left", "c"]), "ac|b");
        assert_eq!(typed(&["é", "x", "backspace", "backspace"]), "|");
        assert_eq!(typed(&["a", "space", "b", "c", "ctrl-w"]), "a |");
        assert_eq!(typed(&["a", "b", "home", "delete"]), "|b");
        assert_eq!(typed(&["a", "b", "left", "ctrl-u"]), "|b");
        assert_eq!(typed(&["backspace", "delete", "left", "right"]), "|");
    }

    #[test]
    fn control_characters_and_floods_stay_out() {
        let mut input = Input::default();
        input.insert("a\n\u{1b}b");
        assert_eq!(input.text(), "ab");
        input.insert(&"é".repeat(10_000));
        assert!(input.text().len() <= MOST_BYTES);
    }
}
