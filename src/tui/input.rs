//! A line of text that is being typed.
//!
//! Lives here: the text, the cursor and what edits them. May not live here: which keys do that (see
//! [`super::action`]), or what the text is for.

use unicode_segmentation::UnicodeSegmentation;

use super::action::Command;

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

    /// Carries out a command on the text; others do nothing.
    pub fn edit(&mut self, command: Command) {
        match command {
            Command::DeleteLeft => self.cut(self.before()),
            Command::DeleteRight => {
                let end = self.after();
                self.text.drain(self.cursor..end);
            }
            Command::DeleteWord => self.cut(self.word_start()),
            Command::DeleteToStart => self.cut(0),
            Command::CursorLeft => self.cursor = self.before(),
            Command::CursorRight => self.cursor = self.after(),
            Command::CursorStart => self.cursor = 0,
            Command::CursorEnd => self.cursor = self.text.len(),
            _ => {}
        }
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

    fn typed(text: &str, commands: &[Command]) -> String {
        let mut input = Input::of(text);
        commands.iter().for_each(|command| input.edit(*command));
        let (before, after) = input.halves();
        format!("{before}|{after}")
    }

    #[test]
    fn edits_by_clusters_and_words() {
        use Command::{
            CursorEnd, CursorLeft, CursorRight, CursorStart, DeleteLeft, DeleteRight,
            DeleteToStart, DeleteWord,
        };
        assert_eq!(typed("ab", &[CursorLeft]), "a|b");
        assert_eq!(typed("e\u{301}x", &[DeleteLeft, DeleteLeft]), "|");
        assert_eq!(typed("a bc", &[DeleteWord]), "a |");
        assert_eq!(typed("ab", &[CursorStart, DeleteRight, CursorEnd]), "b|");
        assert_eq!(typed("ab", &[CursorLeft, DeleteToStart]), "|b");
        assert_eq!(typed("", &[DeleteLeft, DeleteRight, CursorLeft, CursorRight]), "|");
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
