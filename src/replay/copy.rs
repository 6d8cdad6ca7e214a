//! Copying events into another store, as they are.
//!
//! Lives here: what a copy keeps and what is new about it ([`Copier`]). May not live here: reading
//! the events, or which of them are wanted.
//!
//! A copy keeps ids, times, sessions, actors, causes and metadata. Sequence numbers are the other
//! store's, 1, 2, 3 …: of a whole log they are the same, of a part of it the copy has no gaps. An
//! event that has no id, or one that an event before it has, gets one that is made of its place
//! and its bytes. So copying again, after a kill too, adds only what is not there.

use rustc_hash::FxHashSet;

use crate::error::{Error, Result};
use crate::model::envelope::{self, Envelope};
use crate::model::{Position, Timestamp, ids};
use crate::schema::{Draft, LenientDraft, Redactor};
use crate::store::local::LocalStore;
use crate::store::{AppendOptions, Batch, Durability, EventStore};

/// How many bytes of events are written together.
const PENDING: usize = 16 << 20;

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

/// Copies the events of one issue.
pub struct Copier<'a> {
    target: &'a LocalStore,
    issue_key: String,
    redactor: &'a Redactor,
    /// Whether each event is durable before the next: for who follows the copy.
    one_by_one: bool,
    seen: FxHashSet<u64>,
    pending: Vec<Draft>,
    bytes: usize,
    previous: Timestamp,
    /// How many events were not there before.
    pub added: u64,
}

impl<'a> Copier<'a> {
    /// Copies into `target`.
    #[must_use]
    pub fn new(
        target: &'a LocalStore,
        issue_key: &str,
        redactor: &'a Redactor,
        one_by_one: bool,
    ) -> Self {
        Self {
            target,
            issue_key: issue_key.to_owned(),
            redactor,
            one_by_one,
            seen: FxHashSet::default(),
            pending: Vec::new(),
            bytes: 0,
            previous: Timestamp::default(),
            added: 0,
        }
    }

    /// Copies the event at `position`; `line` is what the log has of it, and `readable` whether
    /// that is an event.
    ///
    /// # Errors
    /// As an append.
    pub fn take(&mut self, position: Position, line: &[u8], readable: bool) -> Result<Copied> {
        let text = match std::str::from_utf8(line) {
            Ok(text) if readable => text,
            _ => return Ok(Copied::Not("its line cannot be read".to_owned())),
        };
        let (envelope, _) = envelope::read(text);
        let mut news = Vec::new();
        let draft = self.draft(position, text, envelope, &mut news);
        let draft = match draft.and_then(|draft| draft.without_secrets(self.redactor)) {
            Ok(draft) => draft,
            Err(faults) => {
                let why: Vec<String> = faults.iter().map(ToString::to_string).collect();
                return Ok(Copied::Not(why.join("; ")));
            }
        };
        if !draft.redacted().is_empty() {
            news.push("secrets were taken out of it");
        }
        self.bytes += text.len();
        self.pending.push(draft);
        if self.one_by_one || self.bytes >= PENDING {
            self.flush()?;
        }
        Ok(if news.is_empty() { Copied::Plainly } else { Copied::With(news.join("; ")) })
    }

    fn draft(
        &mut self,
        position: Position,
        text: &str,
        envelope: Envelope<'_>,
        news: &mut Vec<&'static str>,
    ) -> Result<Draft, Vec<crate::schema::SchemaFault>> {
        let own = |field: Option<envelope::Text<'_>>| field.map(|text| text.0.into_owned());
        let at = envelope.timestamp.as_deref().and_then(|text| Timestamp::parse(text).ok());
        if at.is_none() {
            news.push("it has the time of the event before it, for its own cannot be read");
        }
        self.previous = at.unwrap_or(self.previous);
        let mut id = own(envelope.event_id).filter(|id| !id.is_empty());
        let key = |id: &String| crate::timeline::row::hash_text(id);
        if id.as_ref().is_none_or(|id| !self.seen.insert(key(id))) {
            news.push("it has a new id, for it had none of its own");
            let place = position.to_le_bytes();
            id = Some(ids::derived_event_id(&[
                b"copy",
                self.issue_key.as_bytes(),
                &place,
                text.as_bytes(),
            ]));
        }
        let actor = envelope.actor.unwrap_or_default();
        let word = |text: Option<String>| text.filter(|text| !text.is_empty());
        let or_unknown = |text: Option<String>| word(text).unwrap_or_else(|| "unknown".to_owned());
        Draft::lenient(LenientDraft {
            event_id: id,
            event_type: or_unknown(own(envelope.event_type)),
            event_version: word(own(envelope.event_version)),
            timestamp: Some(self.previous),
            issue_key: self.issue_key.clone(),
            session_id: or_unknown(own(envelope.session_id)),
            correlation_id: word(own(envelope.correlation_id)),
            causation_id: word(own(envelope.causation_id)),
            actor_type: or_unknown(Some(actor.kind.0.into_owned())),
            actor_id: or_unknown(Some(actor.id.0.into_owned())),
            model: word(own(actor.model)),
            metadata: envelope.metadata.map_or_else(|| "{}".to_owned(), |raw| raw.get().to_owned()),
            git_sha: word(own(envelope.git_sha)),
            branch: word(own(envelope.branch)),
            codebase_state: envelope.codebase_state.map(|raw| raw.get().to_owned()),
        })
    }

    fn flush(&mut self) -> Result<()> {
        self.bytes = 0;
        let durability = if self.one_by_one { Durability::Sync } else { Durability::Deferred };
        let options = AppendOptions { durability, ..AppendOptions::default() };
        let drafts = std::mem::take(&mut self.pending);
        let batch = Batch { issue_key: self.issue_key.clone(), drafts };
        let answers = self.target.append(&batch, &options).map_err(|error| {
            Error::new(error.kind(), format!("into the other store: {}", error.message()))
                .with_hint("a copy goes into a store that has nothing else of this issue")
        })?;
        self.added += answers.iter().filter(|answer| !answer.duplicate).count() as u64;
        Ok(())
    }

    /// Makes everything durable.
    ///
    /// # Errors
    /// As an append.
    pub fn finish(&mut self) -> Result<()> {
        self.flush()?;
        self.target.sync_pending(AppendOptions::default().lock_timeout)?;
        self.target.refresh_derived()
    }
}
