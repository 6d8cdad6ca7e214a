//! What is kept of what a program wrote.
//!
//! Lives here: [`Kept`]. May not live here: reading streams and where they are cut (see `capture`).

use std::ops::Range;

use crate::schema::Redactor;

/// What is kept of a stream: all of it, or its beginning and its end. It gives no text but one without
/// secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    pub(super) beginning: Part,
    /// How many bytes are left out, and what stands behind them.
    pub(super) end: Option<(u64, Part)>,
}

/// A piece of a stream, of which a part is shown: a secret at its edge is known by what stands beyond.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) text: String,
    pub(super) shown: Range<usize>,
}

impl Part {
    /// A piece made of three, of which the second is shown.
    #[cfg(unix)]
    pub(super) fn new(before: &[u8], shown: &[u8], behind: &[u8]) -> Self {
        let mut text = String::from_utf8_lossy(before).into_owned();
        let start = text.len();
        text += &String::from_utf8_lossy(shown);
        let end = text.len();
        text += &String::from_utf8_lossy(behind);
        Self { text, shown: start..end }
    }

    fn without_secrets(&self, redactor: &Redactor) -> String {
        redactor.conceal_part(&self.text, self.shown.clone())
    }
}

impl Kept {
    /// The text without secrets; where bytes were left out, how many.
    #[must_use]
    pub fn text(&self, redactor: &Redactor) -> String {
        let beginning = self.beginning.without_secrets(redactor);
        match &self.end {
            None => beginning,
            Some((left_out, end)) => {
                let end = end.without_secrets(redactor);
                format!("{beginning}\n[{left_out} bytes left out]\n{end}")
            }
        }
    }
}
