//! Lines that are ready to be stored: whole, in order, with their sequence numbers.
//!
//! Lives here: [`Lines`], made of drafts, or of lines as they stand in another log. May not live
//! here: where they are written (see [`crate::store`]).
//!
//! A line as it stands is taken only where its draft would become that very line: most of a log
//! that chronoscope wrote is, and it costs a fraction of making it again. Whatever is not so plain
//! is for [`Draft`].

use super::draft::{Draft, Stamp};
use super::json;
use super::lenient::MAX_SESSION_BYTES;
use super::redact::Redactor;
use super::upcast::SoundLine;
use super::words::check_word;
use crate::model::envelope::{Actor, Raw, Text};
use crate::model::{Timestamp, ids};

/// Lines of one issue that follow one another. What is in here was checked.
#[derive(Debug, Clone)]
pub struct Lines {
    issue_key: String,
    first: u64,
    bytes: Vec<u8>,
    /// Where each begins, and its event's time.
    each: Vec<(usize, Timestamp)>,
}

impl Lines {
    /// No lines yet; the first will have this sequence number.
    #[must_use]
    pub fn new(issue_key: &str, first: u64) -> Self {
        Self { issue_key: issue_key.to_owned(), first, bytes: Vec::new(), each: Vec::new() }
    }

    /// Makes room for so many more.
    pub fn reserve(&mut self, bytes: usize, lines: usize) {
        self.bytes.reserve(bytes);
        self.each.reserve(lines);
    }

    /// The issue of all of them.
    #[must_use]
    pub fn issue_key(&self) -> &str {
        &self.issue_key
    }

    /// The sequence number of the first.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The sequence number that the next one will have.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.first + self.each.len() as u64
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.each.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.each.is_empty()
    }

    /// All of them, each with its line feed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes alone.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Where each begins in the bytes, and the time of its event.
    #[must_use]
    pub fn each(&self) -> &[(usize, Timestamp)] {
        &self.each
    }

    /// One of them, without its line feed.
    #[must_use]
    pub fn line(&self, number: usize) -> Option<&[u8]> {
        let start = self.each.get(number)?.0;
        let end = self.each.get(number + 1).map_or(self.bytes.len(), |next| next.0);
        self.bytes.get(start..end.saturating_sub(1))
    }

    /// The lines without the first so many.
    #[must_use]
    pub fn without_first(mut self, count: usize) -> Self {
        let cut = self.each.get(count).map_or(self.bytes.len(), |next| next.0);
        self.first += count.min(self.each.len()) as u64;
        self.bytes.drain(..cut);
        self.each.drain(..count.min(self.each.len()));
        self.each.iter_mut().for_each(|(start, _)| *start -= cut);
        self
    }

    /// Adds what a draft of this issue becomes. One without an id gets one; one without
    /// a time has that of the event before.
    pub fn add(&mut self, draft: &Draft) {
        let timestamp = draft.timestamp().or(self.each.last().map(|last| last.1));
        let (timestamp, sequence) = (timestamp.unwrap_or_default(), self.next());
        let id = draft.event_id().map_or_else(ids::new_event_id, str::to_owned);
        let stamp = Stamp { event_id: &id, timestamp, sequence, git_sha: None, branch: None };
        let line = draft.to_line(&stamp);
        debug_assert_eq!(draft.issue_key(), self.issue_key, "lines are of one issue");
        self.put(&line, timestamp);
    }

    /// Adds a line as it stands, if its draft would become that very line as the next one here, and
    /// it plainly has no secrets. Gives whether it did.
    pub fn add_as_it_is(&mut self, line: &SoundLine<'_>, redactor: &Redactor) -> bool {
        let at = would_become(line, &self.issue_key, self.next());
        let Some(at) = at.filter(|_| redactor.passes(&line.envelope)) else { return false };
        self.put(line.text, at);
        true
    }

    fn put(&mut self, line: &str, at: Timestamp) {
        self.each.push((self.bytes.len(), at));
        self.bytes.extend_from_slice(line.as_bytes());
        self.bytes.push(b'\n');
    }
}

/// Whether a draft made of a line, with this key and sequence number, would become this very line;
/// gives its time. It may be none for a line that would, never a time for one that would not.
fn would_become(line: &SoundLine<'_>, key: &str, sequence: u64) -> Option<Timestamp> {
    let (envelope, mut rest) = (&line.envelope, Rest(line.text));
    let (time, actor) = (as_written(envelope.timestamp.as_ref())?, envelope.actor.as_ref()?);
    let at = Timestamp::parse(time).ok()?;
    rest.member("{\"event_id\":", as_written(envelope.event_id.as_ref())?)?;
    rest.member(",\"event_type\":", as_written(envelope.event_type.as_ref())?)?;
    rest.member(",\"event_version\":", as_written(envelope.event_version.as_ref())?)?;
    rest.take(",\"timestamp\":\"")?.take(std::str::from_utf8(&at.rfc3339()).ok()?)?;
    rest.take("\",\"event_sequence\":")?.number(sequence)?;
    rest.member(",\"issue_key\":", key)?;
    let session = as_written(envelope.session_id.as_ref())?;
    rest.member(",\"session_id\":", session)?;
    rest.optional(",\"correlation_id\":", envelope.correlation_id.as_ref())?;
    rest.optional(",\"causation_id\":", envelope.causation_id.as_ref())?;
    let Actor { kind, id, model } = actor;
    rest.member(",\"actor\":{\"type\":", as_written(Some(kind))?)?;
    rest.member(",\"id\":", as_written(Some(id))?)?;
    rest.optional(",\"model\":", model.as_ref())?;
    rest.take("},\"metadata\":")?.take(object(line, envelope.metadata?)?)?;
    rest.optional(",\"git_sha\":", envelope.git_sha.as_ref())?;
    rest.optional(",\"branch\":", envelope.branch.as_ref())?;
    if let Some(state) = envelope.codebase_state {
        rest.take(",\"codebase_state\":")?.take(object(line, state)?)?;
    }
    (rest.0 == "}" && session.len() <= MAX_SESSION_BYTES).then_some(at)
}

/// The text of an object without white space outside of strings.
fn object<'a>(line: &SoundLine<'_>, raw: Raw<'a>) -> Option<&'a str> {
    let compact = line.is_compact || !json::scan(raw.get()).spaced;
    (compact && raw.get().starts_with('{')).then_some(raw.get())
}

/// A text as it stands between its quotes: a word without escapes.
fn as_written<'a>(text: Option<&'a Text<'_>>) -> Option<&'a str> {
    match &text?.0 {
        std::borrow::Cow::Borrowed(word) => check_word(word).is_ok().then_some(*word),
        std::borrow::Cow::Owned(_) => None,
    }
}

/// What is left of a line.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn take(&mut self, wanted: &str) -> Option<&mut Self> {
        self.0 = self.0.strip_prefix(wanted)?;
        Some(self)
    }

    fn member(&mut self, name: &str, word: &str) -> Option<()> {
        self.take(name)?.take("\"")?.take(word)?.take("\"").map(drop)
    }

    fn optional(&mut self, name: &str, word: Option<&Text<'_>>) -> Option<()> {
        word.map_or(Some(()), |word| self.member(name, as_written(Some(word))?))
    }

    fn number(&mut self, number: u64) -> Option<()> {
        let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (written, rest) = self.0.split_at(digits);
        // (Its only form: without zeros before it.)
        let same = written.parse() == Ok(number) && (digits == 1 || !written.starts_with('0'));
        self.0 = rest;
        same.then_some(())
    }
}

#[cfg(test)]
mod tests;
