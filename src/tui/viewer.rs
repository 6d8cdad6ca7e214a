//! A text as a whole, in lines, of which only those that are looked at are made.
//!
//! Lives here: breaking and scrolling. May not live here: where the text comes from.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// A text to look at.
#[derive(Debug, Clone, Default)]
pub struct Viewer {
    /// What it is.
    pub title: String,
    text: String,
    lines: Vec<Range<usize>>,
    /// Where the next line begins.
    at: usize,
    columns: usize,
    /// The first line that is seen.
    pub top: usize,
    height: usize,
}

impl Viewer {
    /// A text with a title.
    #[must_use]
    pub fn new(title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { title: title.into(), text: text.into(), ..Self::default() }
    }

    /// Makes the lines that are seen in a window of this size.
    pub fn prepare(&mut self, columns: usize, height: usize) {
        if self.columns != columns {
            (self.lines, self.at, self.columns) = (Vec::new(), 0, columns.max(1));
        }
        self.height = height;
        self.ensure(self.top.saturating_add(height));
        self.top = self.top.min(self.lines.len().saturating_sub(height));
    }

    fn ensure(&mut self, count: usize) {
        while self.lines.len() < count && self.at < self.text.len() {
            let end = self.line_end();
            let text = self.text[self.at..end].trim_end_matches(['\n', '\r']);
            self.lines.push(self.at..self.at + text.len());
            self.at = end;
        }
    }

    /// Where the line that begins at `at` ends, its line feed included.
    fn line_end(&self) -> usize {
        let rest = &self.text[self.at..];
        let (mut used, mut blank) = (0, None);
        for (offset, cluster) in rest.grapheme_indices(true) {
            if cluster.ends_with('\n') {
                return self.at + offset + cluster.len();
            }
            let width = if cluster == "\t" { 2 } else { cluster.width().max(1) };
            if used + width > self.columns && offset > 0 {
                return self.at + blank.unwrap_or(offset);
            }
            used += width;
            if cluster == " " && used * 2 > self.columns {
                blank = Some(offset + 1);
            }
        }
        self.text.len()
    }

    /// The lines that are seen.
    pub fn seen(&self) -> impl Iterator<Item = &str> {
        let lines = self.lines.iter().skip(self.top).take(self.height);
        lines.filter_map(|range| self.text.get(range.clone()))
    }

    /// Whether there is more below.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.at < self.text.len() || self.top + self.height < self.lines.len()
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Scrolls by some lines.
    pub fn move_by(&mut self, lines: i64) {
        let top = i64::try_from(self.top).unwrap_or(i64::MAX).saturating_add(lines).max(0);
        let top = usize::try_from(top).unwrap_or_default();
        self.ensure(top.saturating_add(self.height));
        self.top = top.min(self.lines.len().saturating_sub(self.height));
    }

    /// How many rows fit.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaks_at_line_feeds_blanks_and_the_edge() {
        let mut viewer = Viewer::new("t", "one two three\n\nfourfivesix\r\nz");
        viewer.prepare(8, 10);
        let lines: Vec<&str> = viewer.seen().collect();
        assert_eq!(lines, ["one two ", "three", "", "fourfive", "six", "z"]);
        assert!(!viewer.has_more());
    }

    #[test]
    fn scrolls_within_the_text_and_makes_no_more_than_is_seen() {
        let mut viewer = Viewer::new("t", "x".repeat(1_000_000));
        viewer.prepare(10, 5);
        assert_eq!(viewer.lines.len(), 5);
        viewer.move_by(3);
        assert_eq!((viewer.top, viewer.lines.len()), (3, 8));
        viewer.move_by(-9);
        assert_eq!(viewer.top, 0);
        viewer.move_by(i64::MAX);
        assert_eq!(viewer.top, 100_000 - 5);
    }
}
