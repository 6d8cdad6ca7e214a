//! Finding the lines of one issue among those of all.
//!
//! Lives here: [`Only`]. May not live here: what follows from a line.

use memchr::memmem::Finder;

use super::super::global::issue_of;
use super::super::lines::leading_key;
use super::super::summary::Light;

/// Finds the lines of one issue.
pub(super) struct Only<'a> {
    key: &'a str,
    named: Finder<'static>,
    escaped: Finder<'static>,
}

impl<'a> Only<'a> {
    /// A finder for this issue.
    pub(super) fn new(key: &'a str) -> Self {
        let named = Finder::new(&format!("\"{key}\"")).into_owned();
        Self { key, named, escaped: Finder::new("\\u").into_owned() }
    }

    /// Whether a line of the global log is one of the issue. It may be “yes” for one that only begins
    /// like that: what is owned has to be the next line of the issue, too.
    pub(super) fn owns(&self, line: &[u8]) -> bool {
        // The key is written as it is, or with escapes for its letters: most lines have neither.
        leading_key(line) == Some(self.key)
            || (self.named.find(line).is_some() || self.escaped.find(line).is_some())
                && self.is_key_of(line)
    }

    fn is_key_of(&self, line: &[u8]) -> bool {
        match Light::read(line) {
            Some(event) => event.issue_key.as_deref() == Some(self.key),
            None => issue_of(line) == self.key,
        }
    }
}
