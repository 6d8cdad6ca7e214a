//! Copying events into another store, as they are.
//!
//! Lives here: what a copy keeps and what is new about it ([`Maker`]), and adding it to a log that
//! others may write, too ([`Copier`]). May not live here: reading the events, or which of them are
//! wanted; copying a whole log, which is quicker (see [`crate::session::replay::stream`]).
//!
//! A copy keeps ids, times, sessions, actors, causes and metadata. Sequence numbers are the other
//! store's, 1, 2, 3 …: of a whole log they are the same, of a part of it the copy has no gaps. An
//! event that has no id, or one that an event before it has, gets one that is made of its place
//! and its bytes. So copying again, after a kill too, adds only what is not there.

use rustc_hash::FxHashSet;

use crate::error::{Error, ErrorKind, Result};
use crate::model::envelope::{self, Envelope, Faults, Text};
use crate::model::{AnomalyKind, Event, Position, Timestamp, ids};
use crate::schema::upcast::{self, SoundLine};
use crate::schema::{self, Draft, LenientDraft, Lines, Redactor, SchemaFault};
use crate::store::local::LocalStore;
use crate::store::{AppendOptions, Batch, Durability, EventStore};
use crate::timeline::row::hash_text;

/// How many bytes of events are written together.
const PENDING: usize = 16 << 20;
/// Why a line stays behind that is no event.
const UNREADABLE: &str = "its line cannot be read";

/// What became of an event that was to be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copied {
    /// It is copied, or was there already.
    Plainly,
    /// It is copied, and something about it is new.
    With(String),
    /// It cannot be copied.
    Not(String),
}

impl Copied {
    /// What cannot be copied because nothing can be read of it.
    #[must_use]
    pub fn unreadable() -> Self {
        Self::Not(UNREADABLE.to_owned())
    }

    fn with(news: &[String]) -> Self {
        if news.is_empty() { Self::Plainly } else { Self::With(news.join("; ")) }
    }
}

/// Makes the copies of the events of one issue, one after the other.
pub struct Maker<'a> {
    issue_key: String,
    redactor: &'a Redactor,
    /// The ids of the events before.
    seen: FxHashSet<u64>,
    previous: Timestamp,
}

impl<'a> Maker<'a> {
    /// Makes copies of the events of an issue.
    #[must_use]
    pub fn new(issue_key: &str, redactor: &'a Redactor) -> Self {
        let (seen, previous) = (FxHashSet::default(), Timestamp::default());
        Self { issue_key: issue_key.to_owned(), redactor, seen, previous }
    }

    /// The copy of the event at `position`; `line` is what the log has of it, and `readable` whether
    /// that is an event. None where it cannot be copied.
    pub fn make(
        &mut self,
        position: Position,
        line: &[u8],
        readable: bool,
    ) -> (Copied, Option<Draft>) {
        match std::str::from_utf8(line) {
            Ok(text) if readable => {
                let (envelope, faults) = envelope::read(text);
                let is_new = self.is_new(&envelope);
                let sound = upcast::read_sound(line, position, self.previous);
                let own = sound.as_ref().and_then(|sound| self.own_line(sound, is_new));
                self.draft(position, text, (envelope, &faults), own, is_new)
            }
            _ => (Copied::unreadable(), None),
        }
    }

    /// Adds the copy of a sound line to `lines`, as it stands where that can be; gives its event.
    pub fn add_sound(&mut self, line: SoundLine<'_>, lines: &mut Lines) -> (Copied, Event) {
        let is_new = self.is_new(&line.envelope);
        if is_new && lines.add_as_it_is(&line, self.redactor) {
            self.previous = lines.each().last().map_or(self.previous, |last| last.1);
            return (Copied::Plainly, line.event);
        }
        let own = self.own_line(&line, is_new);
        let SoundLine { text, envelope, event, .. } = line;
        let fields = (envelope, &Faults::new());
        let (copied, draft) = self.draft(event.position, text, fields, own, is_new);
        draft.iter().for_each(|draft| lines.add(draft));
        (copied, event)
    }

    /// Passes an event that is not wanted: what comes behind it is to be what it would be in a copy
    /// of everything.
    pub fn pass(&mut self, line: &[u8], readable: bool) {
        self.id_of(0, line, readable);
    }

    /// Passes an event, and gives the id that its copy has, if there can be one.
    pub fn id_of(&mut self, position: Position, line: &[u8], readable: bool) -> Option<String> {
        let text = std::str::from_utf8(line).ok().filter(|_| readable)?;
        let (envelope, _) = envelope::read(text);
        let is_new = self.is_new(&envelope);
        let at = envelope.timestamp.as_deref().and_then(|text| Timestamp::parse(text).ok());
        self.previous = at.unwrap_or(self.previous);
        let own = envelope.event_id.map(|id| id.0.into_owned()).filter(|_| is_new);
        Some(own.unwrap_or_else(|| self.made_id(position, text)))
    }

    /// The id of an event that has none of its own.
    fn made_id(&self, position: Position, text: &str) -> String {
        let (key, place) = (self.issue_key.as_bytes(), position.to_le_bytes());
        ids::derived_event_id(&[b"copy", key, &place, text.as_bytes()])
    }

    /// The line and its sequence number, where its copy is to be that very line.
    fn own_line<'l>(&self, line: &SoundLine<'l>, is_new: bool) -> Option<(u64, &'l str)> {
        let own = schema::says_it_all(line, &self.issue_key).filter(|_| is_new);
        own.map(|(sequence, _)| (sequence, line.text))
    }

    /// Whether an event has an id that no event before it has.
    fn is_new(&mut self, envelope: &Envelope<'_>) -> bool {
        let id = envelope.event_id.as_deref().filter(|id| !id.is_empty());
        id.is_some_and(|id| self.seen.insert(hash_text(id)))
    }

    fn draft(
        &mut self,
        position: Position,
        text: &str,
        (envelope, faults): (Envelope<'_>, &Faults),
        own: Option<(u64, &str)>,
        is_new: bool,
    ) -> (Copied, Option<Draft>) {
        let mut news = self.left_behind(text, &envelope, faults);
        let metadata = envelope.metadata;
        let draft = self.parts(position, text, envelope, is_new, &mut news);
        let draft = Draft::lenient(draft).and_then(|draft| draft.without_secrets(self.redactor));
        match draft {
            Ok(draft) if draft.redacted().is_empty() => {
                let draft = match metadata.filter(|own| own.get() != draft.metadata()) {
                    Some(metadata) => draft.as_written(metadata.get().to_owned()),
                    None => draft,
                };
                let draft = match own {
                    Some((sequence, line)) => draft.with_line(sequence, line),
                    None => draft,
                };
                (Copied::with(&news), Some(draft))
            }
            Ok(draft) => {
                news.push("secrets were taken out of it".to_owned());
                (Copied::with(&news), Some(draft))
            }
            Err(faults) => {
                let why: Vec<String> = faults.iter().map(SchemaFault::to_string).collect();
                (Copied::Not(why.join("; ")), None)
            }
        }
    }

    /// What a line says that no event can say.
    fn left_behind(&self, text: &str, envelope: &Envelope<'_>, faults: &Faults) -> Vec<String> {
        let wrong = faults.iter().filter(|(kind, _)| *kind == AnomalyKind::WrongType);
        let mut news: Vec<String> =
            wrong.map(|(_, why)| format!("what is wrong stays behind ({why})")).collect();
        let others = envelope::others(text);
        if !others.is_empty() {
            let others = others.join(", ");
            news.push(format!("no event has these fields, and they stay behind: {others}"));
        }
        if let Some(key) = envelope.issue_key.as_deref().filter(|key| *key != self.issue_key) {
            news.push(format!("it named another issue, {key}"));
        }
        news.iter_mut().for_each(|news| *news = self.redactor.conceal(news).into_owned());
        news
    }

    fn parts(
        &mut self,
        position: Position,
        text: &str,
        envelope: Envelope<'_>,
        is_new: bool,
        news: &mut Vec<String>,
    ) -> LenientDraft {
        let own = |field: Option<Text<'_>>| field.map(|text| text.0.into_owned());
        let at = envelope.timestamp.as_deref().and_then(|text| Timestamp::parse(text).ok());
        if at.is_none() {
            news.push("it has the time of the event before it, for its own cannot be read".into());
        }
        self.previous = at.unwrap_or(self.previous);
        let mut id = own(envelope.event_id);
        if !is_new {
            let why = match &id {
                Some(id) if !id.is_empty() => "its own is that of an event before it",
                _ => "it had none of its own",
            };
            news.push(format!("it has a new id, for {why}"));
            id = Some(self.made_id(position, text));
        }
        let actor = envelope.actor.unwrap_or_default();
        let word = |text: Option<String>| text.filter(|text| !text.is_empty());
        let mut or_unknown = |name: &str, text: Option<String>| {
            word(text).unwrap_or_else(|| {
                news.push(format!("it has no {name}, and \"unknown\" stands there"));
                "unknown".to_owned()
            })
        };
        LenientDraft {
            event_id: id,
            event_type: or_unknown("event_type", own(envelope.event_type)),
            event_version: word(own(envelope.event_version)),
            timestamp: Some(self.previous),
            issue_key: self.issue_key.clone(),
            session_id: or_unknown("session_id", own(envelope.session_id)),
            correlation_id: word(own(envelope.correlation_id)),
            causation_id: word(own(envelope.causation_id)),
            actor_type: or_unknown("actor.type", Some(actor.kind.0.into_owned())),
            actor_id: or_unknown("actor.id", Some(actor.id.0.into_owned())),
            model: word(own(actor.model)),
            metadata: envelope.metadata.map_or_else(|| "{}".to_owned(), |raw| raw.get().to_owned()),
            git_sha: word(own(envelope.git_sha)),
            branch: word(own(envelope.branch)),
            codebase_state: envelope.codebase_state.map(|raw| raw.get().to_owned()),
        }
    }
}

/// What hears of a copy that goes nowhere.
pub type Made<'a> = &'a mut dyn FnMut(&Draft) -> Result<()>;

/// Copies the events of one issue into a log that may have other events, too.
pub struct Copier<'a> {
    /// None to make the copies alone.
    target: Option<&'a LocalStore>,
    /// Hears of copies that are made alone.
    made: Option<Made<'a>>,
    maker: Maker<'a>,
    /// Whether each event is durable before the next: for who follows the copy.
    one_by_one: bool,
    /// Whether each copy so far is the line that it is made of, but for its number.
    as_written: bool,
    pending: Vec<Draft>,
    bytes: usize,
}

impl<'a> Copier<'a> {
    /// Copies into `target`; without one, says what would come of it.
    #[must_use]
    pub fn new(
        target: Option<&'a LocalStore>,
        issue_key: &str,
        redactor: &'a Redactor,
        one_by_one: bool,
    ) -> Self {
        let maker = Maker::new(issue_key, redactor);
        let (made, as_written, pending) = (None, true, Vec::new());
        Self { target, made, maker, one_by_one, as_written, pending, bytes: 0 }
    }

    /// Whether each copy so far is known to be the line that it is made of, but for its number: it
    /// says what the event says then.
    #[must_use]
    pub fn is_as_written(&self) -> bool {
        self.as_written
    }

    /// Tells `made` of each copy that goes nowhere; what that finds wrong ends the copying.
    #[must_use]
    pub fn telling(self, made: Made<'a>) -> Self {
        Self { made: Some(made), ..self }
    }

    /// Copies the event at `position`; `line` is what the log has of it, and `readable` whether
    /// that is an event.
    ///
    /// # Errors
    /// As an append.
    pub fn take(&mut self, position: Position, line: &[u8], readable: bool) -> Result<Copied> {
        let (copied, draft) = self.maker.make(position, line, readable);
        let Some(draft) = draft else { return Ok(copied) };
        self.as_written &= draft.has_line();
        if self.target.is_some() {
            self.bytes += line.len();
            self.pending.push(draft);
            if self.one_by_one || self.bytes >= PENDING {
                self.flush()?;
            }
        } else if let Some(made) = &mut self.made {
            made(&draft).map_err(|error| into_the_other(&error))?;
        }
        Ok(copied)
    }

    /// Passes an event that is not wanted.
    pub fn pass(&mut self, line: &[u8], readable: bool) {
        self.maker.pass(line, readable);
    }

    fn flush(&mut self) -> Result<()> {
        self.bytes = 0;
        let Some(target) = self.target else { return Ok(()) };
        let durability = if self.one_by_one { Durability::Sync } else { Durability::Deferred };
        let options = AppendOptions { durability, ..AppendOptions::default() };
        let drafts = std::mem::take(&mut self.pending);
        let batch = Batch { issue_key: self.maker.issue_key.clone(), drafts };
        target.append(&batch, &options).map(drop).map_err(|error| into_the_other(&error))
    }

    /// Makes everything durable.
    ///
    /// # Errors
    /// As an append.
    pub fn finish(&mut self) -> Result<()> {
        self.flush()?;
        let Some(target) = self.target else { return Ok(()) };
        let synced = target.sync_pending(AppendOptions::default().lock_timeout);
        synced.and_then(|()| target.refresh_derived()).map_err(|error| into_the_other(&error))
    }
}

/// The error of an append, as somebody who copies has to hear it.
#[must_use]
pub fn into_the_other(error: &Error) -> Error {
    let told = Error::new(error.kind(), format!("into the other store: {}", error.message()));
    let told = match error.details() {
        Some(details) => told.with_details(details.clone()),
        None => told,
    };
    match (error.kind(), error.hint()) {
        (ErrorKind::Conflict, _) => {
            told.with_hint("a copy goes into a store that has nothing else of this issue")
        }
        // (It is that store's: by another flag the source is named.)
        (_, Some(hint)) => told.with_hint(hint.replace("--store", "--into")),
        (_, None) => told,
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::Path;

    use super::*;

    #[test]
    fn who_cannot_write_the_other_store_is_told_to_name_another() {
        let read_only = io::Error::from(io::ErrorKind::ReadOnlyFilesystem);
        let error = into_the_other(&Error::io("create", Path::new("x"), &read_only));
        assert!(error.message().starts_with("into the other store: cannot create x: "), "{error}");
        let hint = "the file system is read-only; name another store with --into";
        assert_eq!((error.kind(), error.hint()), (ErrorKind::Unavailable, Some(hint)));
    }
}
