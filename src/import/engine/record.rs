//! What a record is: its issue, its time, its identity and its session.
//!
//! Lives here: reading those four by the mapping, with what the source does wrong named. May not
//! live here: the events that the record becomes (see [`super::Engine`]).

use super::{Engine, fingerprint};
use crate::import::convert::{read_time, safe_key};
use crate::import::fault::FaultKind;
use crate::import::made::{Identity, Made};
use crate::import::mapping::{IdScope, MissingTime};
use crate::import::memory::Occurrence;
use crate::import::template::Scope;
use crate::model::{Timestamp, ids};
use crate::schema::holds_marker;

/// How far a time may be before that of the record before without being named, in milliseconds.
const BACKWARD_MS: i64 = 3_600_000;

impl Engine<'_> {
    pub(super) fn issue_of(&mut self, scope: &Scope<'_>) -> Option<String> {
        if let Some(issue) = self.issue {
            return Some(issue.to_owned());
        }
        let spec = &self.mapping.issue;
        let own = spec.value.as_ref().and_then(|template| template.text(scope));
        let key = own.or_else(|| spec.default.as_ref()?.text(scope));
        let Some(key) = key else {
            self.fault(FaultKind::MissingIssue, "name one with --issue".to_owned());
            return None;
        };
        if holds_marker(&key) {
            let detail = "the issue key holds what looks like a secret";
            self.fault(FaultKind::Refused, detail.to_owned());
            return None;
        }
        if let Err(why) = ids::check_issue_key(&key) {
            let safe = safe_key(&key);
            self.fault(FaultKind::UnsafeIssueKey, format!("{key:?} {why}; taken as {safe}"));
            return Some(safe);
        }
        Some(key)
    }

    pub(super) fn time_of(&mut self, scope: &Scope<'_>) -> Option<Timestamp> {
        let spec = &self.mapping.time;
        let found = spec.value.as_ref().and_then(|template| template.value(scope));
        let read = match found.as_deref().map(|value| read_time(value, spec.unit)) {
            Some(Ok((at, zoneless))) => {
                if zoneless && !std::mem::replace(&mut self.told_zoneless, true) {
                    self.fault(FaultKind::ZonelessTime, "taken as UTC in this file".to_owned());
                }
                Some(at)
            }
            Some(Err(why)) => {
                self.fault(FaultKind::BadTime, why);
                None
            }
            None => {
                self.say_missing_time();
                None
            }
        };
        if let (Some(at), Some(before)) = (read, self.previous)
            && before.millis() - at.millis() >= BACKWARD_MS
        {
            self.fault(FaultKind::TimeRunsBack, format!("{at} after {before}"));
        }
        if read.is_some() {
            self.previous = read;
        }
        match (read, self.mapping.time.missing) {
            (None, MissingTime::Skip) => None,
            (None, MissingTime::Import) => Some(self.now),
            (None, MissingTime::Previous) => Some(self.previous.or(self.first).unwrap_or(self.now)),
            (read, _) => read,
        }
    }

    fn say_missing_time(&mut self) {
        let detail = match self.mapping.time.missing {
            MissingTime::Import => {
                if !std::mem::replace(&mut self.told_no_times, true) {
                    let detail = "the time of the import was taken; the order is the file's";
                    self.fault(FaultKind::NoTimes, detail.to_owned());
                }
                return;
            }
            MissingTime::Previous if self.previous.is_some() => "taken from the record before",
            MissingTime::Previous if self.first.is_some() => "taken from the first record with one",
            MissingTime::Previous => "taken from the import, for no record has one so far",
            MissingTime::Skip => "the record was passed over",
        };
        self.fault(FaultKind::MissingTime, detail.to_owned());
    }

    /// What the record is known by; none when it was there before.
    pub(super) fn identify(
        &mut self,
        issue: &str,
        id: Option<&str>,
        raw: &str,
    ) -> Option<(Identity, u32)> {
        let scope = match self.mapping.id.scope {
            IdScope::File => "",
            IdScope::Issue => issue,
        };
        let identity = Identity::new(&self.mapping.name, scope, id, raw);
        let content = fingerprint(raw);
        let key = fingerprint(&(id.is_some(), scope, id.unwrap_or(raw)));
        match self.seen.note(key, content, id.is_some()) {
            Occurrence::Repeat => None,
            Occurrence::Nth(n) => {
                if let Some(id) = id.filter(|_| n > 1) {
                    let id: String = id.chars().take(80).collect();
                    let detail = format!("the id {id:?} was there before with other content");
                    self.fault(FaultKind::ReusedId, detail);
                }
                Some((identity, n))
            }
        }
    }

    pub(super) fn session_of(&mut self, scope: &Scope<'_>, made: &Made) -> String {
        let spec = &self.mapping.session;
        if let Some(session) = spec.value.as_ref().and_then(|template| template.text(scope)) {
            if session.len() <= 200 && !session.chars().any(ids::is_control) {
                return session;
            }
            return self.session_named(&session);
        }
        if let Some(run) = &spec.run
            && let Some(key) = run.key.text(scope)
        {
            if run.starts.holds(scope) {
                let start = made.event_id(0);
                let session = self.session_named(&start);
                self.runs.insert(key.clone(), session);
            }
            let running = self.runs.get(&key).cloned();
            if run.ends.holds(scope) {
                self.runs.remove(&key);
            }
            if let Some(session) = running {
                return session;
            }
        }
        let text = spec.otherwise.as_ref().and_then(|template| template.text(scope));
        self.session_named(text.as_deref().unwrap_or(scope.issue))
    }

    /// The session that always belongs to this text.
    fn session_named(&mut self, text: &str) -> String {
        if let Some(known) = self.sessions.get(text) {
            return known.clone();
        }
        let parts = [self.mapping.name.as_bytes(), b"session", text.as_bytes()];
        let session = ids::derived_event_id(&parts);
        self.sessions.insert(text.to_owned(), session.clone());
        session
    }
}
