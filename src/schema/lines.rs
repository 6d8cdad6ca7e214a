//! Lines that are ready to be stored: whole, in order, with their sequence numbers.
//!
//! Lives here: [`Lines`], made of drafts, or of lines as they stand in another log. May not live
//! here: where they are written (see [`crate::store`]).
//!
//! A line as it stands is taken only where its draft would say just that: it costs a fraction of
//! making it again, and keeps its bytes, white space and order of members as somebody wrote them.
//! Whatever is not so plain is for [`Draft`].

use std::borrow::Cow;

use super::draft::{Draft, Stamp};
use super::lenient::MAX_SESSION_BYTES;
use super::redact::Redactor;
use super::upcast::SoundLine;
use super::words::check_word;
use crate::model::envelope::{Raw, Text};
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

    /// Adds a line as it stands, if its draft would say just that as the next one here, and it
    /// plainly has no secrets. Gives whether it did.
    pub fn add_as_it_is(&mut self, line: &SoundLine<'_>, redactor: &Redactor) -> bool {
        let own = says_it_all(line, &self.issue_key).filter(|own| own.0 == self.next());
        let own = own.filter(|_| redactor.passes(&line.envelope, line.is_compact));
        let Some((_, at)) = own else { return false };
        self.put(line.text, at);
        true
    }

    fn put(&mut self, line: &str, at: Timestamp) {
        self.each.push((self.bytes.len(), at));
        self.bytes.extend_from_slice(line.as_bytes());
        self.bytes.push(b'\n');
    }
}

/// Whether a draft made of a line, with this key and its sequence number, would say just what the
/// line says; gives that number and its time. It may be none for a line that would, never something
/// for one that would not.
#[must_use]
pub fn says_it_all(line: &SoundLine<'_>, key: &str) -> Option<(u64, Timestamp)> {
    let SoundLine { envelope, is_whole: true, .. } = line else { return None };
    let actor = envelope.actor.as_ref()?;
    let needed = [&envelope.event_id, &envelope.event_type, &envelope.event_version];
    for word in needed {
        sound(word.as_ref())?;
    }
    sound(Some(&actor.kind))?;
    sound(Some(&actor.id))?;
    let others = [&envelope.correlation_id, &envelope.causation_id, &envelope.git_sha];
    for word in others.into_iter().chain([&envelope.branch, &actor.model]) {
        if word.is_some() {
            sound(word.as_ref())?;
        }
    }
    let session = sound(envelope.session_id.as_ref())?;
    let sequence = envelope.event_sequence?;
    // By these two a line is found without all of it being read.
    let plain = [&envelope.event_id, &envelope.issue_key];
    let is_plain = |text: &Option<Text<'_>>| matches!(text, Some(Text(Cow::Borrowed(_))));
    let is_own = envelope.issue_key.as_deref() == Some(key) && plain.into_iter().all(is_plain);
    let is_object = |raw: Raw<'_>| raw.get().starts_with('{');
    let has_objects =
        is_object(envelope.metadata?) && envelope.codebase_state.is_none_or(is_object);
    let at = Timestamp::parse(sound(envelope.timestamp.as_ref())?).ok()?;
    let is_sound = is_own && has_objects && session.len() <= MAX_SESSION_BYTES;
    is_sound.then_some((sequence, at))
}

/// A text that an event can have.
fn sound<'a>(text: Option<&'a Text<'_>>) -> Option<&'a str> {
    let word = &*text?.0;
    check_word(word).is_ok().then_some(word)
}

#[cfg(test)]
mod tests;
