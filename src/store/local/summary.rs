//! What a partition's `metadata.json` says: counts and names, folded line by line.
//!
//! Lives here: [`Summary`] and how a line adds to it. May not live here: the files (see
//! [`super::derived`]).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::layout::Date;
use super::lines::Scanned;
use crate::model::Timestamp;
use crate::model::envelope::{Actor, Text};
use crate::schema::{plain_actor, plain_members_until, plain_whole, plain_word, put_once as put};

/// A summary of one issue's events of one day, up to so many bytes of its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The issue.
    pub issue_key: String,
    /// The day.
    pub partition: String,
    /// How many events there are.
    pub events: u64,
    /// How many bytes of the file it covers; whole lines only.
    pub bytes: u64,
    /// Lines that are no event.
    pub damaged: u64,
    /// The first event.
    pub first: Option<EventRef>,
    /// The last event.
    pub last: Option<EventRef>,
    /// The sessions that the events name.
    pub sessions: BTreeSet<String>,
    /// The actors.
    pub actors: BTreeSet<String>,
    /// The phases that the events of phases name.
    pub phases: BTreeSet<String>,
    /// How many events of each type there are.
    pub by_type: BTreeMap<String, u64>,
}

/// Which event is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRef {
    /// Its id; empty where it has none.
    pub event_id: String,
    /// Its sequence number; 0 where it has none.
    pub event_sequence: u64,
    /// Its time as written.
    pub timestamp: String,
}

impl EventRef {
    /// The time, where it can be read.
    #[must_use]
    pub fn at(&self) -> Option<Timestamp> {
        Timestamp::parse(&self.timestamp).ok()
    }
}

/// What a summary and a check read of a line.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Light<'a> {
    #[serde(borrow, default)]
    pub(super) event_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) event_type: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) timestamp: Option<Text<'a>>,
    #[serde(default)]
    pub(super) event_sequence: Option<u64>,
    #[serde(borrow, default)]
    pub(super) issue_key: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) session_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) actor: Option<Actor<'a>>,
    /// The text of its value, unless that is null.
    #[serde(borrow, default, deserialize_with = "as_written")]
    pub(super) metadata: Option<&'a str>,
}

fn as_written<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de str>, D::Error> {
    Ok(Option::<&RawValue>::deserialize(deserializer)?.map(RawValue::get))
}

impl<'a> Light<'a> {
    /// Reads a line that is exactly one sound JSON object.
    pub(super) fn read(line: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(line).ok()?;
        Self::plain(text, "").or_else(|| Self::by_serde(text))
    }

    /// What a summary wants of a sound line that has every field: as it is made here, all but the
    /// names of phases stands before the metadata, which is most of it.
    pub(super) fn of_made(line: &'a [u8]) -> Option<Self> {
        let ahead = Self::plain(std::str::from_utf8(line).ok()?, "metadata");
        let is_enough = |light: &Self| light.is_all_there() && !light.may_name_a_phase();
        ahead.filter(is_enough).or_else(|| Self::read(line))
    }

    fn is_all_there(&self) -> bool {
        let words = [&self.event_id, &self.event_type, &self.timestamp];
        let more = [&self.issue_key, &self.session_id];
        words.into_iter().chain(more).all(Option::is_some)
            && self.event_sequence.is_some()
            && self.actor.is_some()
    }

    fn may_name_a_phase(&self) -> bool {
        self.event_type.as_deref().is_some_and(|kind| kind.starts_with("Phase"))
    }

    fn by_serde(text: &'a str) -> Option<Self> {
        // A list would be taken for the fields in their order.
        let is_object = text.trim_start().starts_with('{');
        is_object.then(|| serde_json::from_str(text).ok())?
    }

    /// The same in one quick pass, for lines as stores write them; none for others. Only what
    /// stands before the member `end`, where there is one.
    fn plain(text: &'a str, end: &str) -> Option<Self> {
        let (mut light, mut sound) = (Self::default(), true);
        plain_members_until(text, end, |key, raw, _, escaped| {
            let word = || plain_word(raw, escaped);
            // What comes twice, is null or is of another type is left to serde.
            sound &= match key {
                "event_id" => put(&mut light.event_id, word()),
                "event_type" => put(&mut light.event_type, word()),
                "timestamp" => put(&mut light.timestamp, word()),
                "event_sequence" => put(&mut light.event_sequence, plain_whole(raw)),
                "issue_key" => put(&mut light.issue_key, word()),
                "session_id" => put(&mut light.session_id, word()),
                "actor" => put(&mut light.actor, plain_actor(raw).map(|actor| actor.0)),
                "metadata" => put(&mut light.metadata, (raw != "null").then_some(raw)),
                _ => true,
            };
        })?;
        sound.then_some(light)
    }
}

#[derive(Deserialize)]
struct Phase<'a> {
    #[serde(borrow, default)]
    phase: Option<Text<'a>>,
}

impl Summary {
    /// The summary of a partition of which nothing was read yet.
    pub(super) fn empty(issue_key: &str, date: Date) -> Self {
        Self {
            issue_key: issue_key.to_owned(),
            partition: date.as_str().to_owned(),
            events: 0,
            bytes: 0,
            damaged: 0,
            first: None,
            last: None,
            sessions: BTreeSet::new(),
            actors: BTreeSet::new(),
            phases: BTreeSet::new(),
            by_type: BTreeMap::new(),
        }
    }

    /// Adds a line; one without a line feed is not there yet.
    pub(super) fn add(&mut self, line: &Scanned<'_>, light: Option<&Light<'_>>) {
        if !line.terminated {
            return;
        }
        self.bytes = line.end();
        match light {
            Some(light) => self.add_event(light),
            None => self.damaged += u64::from(!line.is_blank()),
        }
    }

    /// Goes on with the summary of what follows right behind.
    pub(super) fn join(&mut self, next: &Self) {
        self.events += next.events;
        self.bytes = self.bytes.max(next.bytes);
        self.damaged += next.damaged;
        if self.first.is_none() {
            self.first.clone_from(&next.first);
        }
        if next.last.is_some() {
            self.last.clone_from(&next.last);
        }
        self.sessions.extend(next.sessions.iter().cloned());
        self.actors.extend(next.actors.iter().cloned());
        self.phases.extend(next.phases.iter().cloned());
        for (kind, count) in &next.by_type {
            *self.by_type.entry(kind.clone()).or_default() += count;
        }
    }

    fn add_event(&mut self, event: &Light<'_>) {
        self.events += 1;
        let kind = event.event_type.as_deref().unwrap_or_default();
        match self.by_type.get_mut(kind) {
            Some(count) => *count += 1,
            None => drop(self.by_type.insert(kind.to_owned(), 1)),
        }
        note(&mut self.sessions, event.session_id.as_deref());
        note(&mut self.actors, event.actor.as_ref().map(|a| &*a.id));
        if event.may_name_a_phase()
            && let Some(raw) = event.metadata
            && let Ok(metadata) = serde_json::from_str::<Phase<'_>>(raw)
        {
            note(&mut self.phases, metadata.phase.as_deref());
        }
        let nothing =
            || EventRef { event_id: String::new(), event_sequence: 0, timestamp: String::new() };
        // The texts of the event before make room for these.
        let last = self.last.get_or_insert_with(nothing);
        let put = |text: &mut String, new: &Option<Text<'_>>| {
            text.clear();
            text.push_str(new.as_deref().unwrap_or_default());
        };
        put(&mut last.event_id, &event.event_id);
        put(&mut last.timestamp, &event.timestamp);
        last.event_sequence = event.event_sequence.unwrap_or_default();
        if self.first.is_none() {
            self.first.clone_from(&self.last);
        }
    }
}

fn note(names: &mut BTreeSet<String>, name: Option<&str>) {
    if let Some(name) = name
        && !name.is_empty()
        && !names.contains(name)
    {
        names.insert(name.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINE: &str = r#"{"event_id":"e","event_type":"PhaseStarted","timestamp":"t","event_sequence":7,"issue_key":"P-1","session_id":"s","actor":{"type":"agent","id":"a","model":"m"},"metadata":{"phase":"CODE","x":[1,"\n"]},"branch":"b"}"#;

    fn check(text: &str) -> bool {
        let Some(light) = Light::plain(text, "") else { return false };
        assert_eq!(Some(light), Light::by_serde(text), "{text}");
        true
    }

    #[test]
    fn lines_as_stores_write_them_are_plain_and_read_the_same() {
        assert!(check(LINE) && check("{}") && check(r#"{"actor":{}}"#) && check(r#"{"x":null}"#));
        for (from, to) in [
            (r#""e""#, r#""\u0065""#),
            (r#""e""#, r#""\n""#),
            (r#""e""#, "1"),
            (r#""e""#, "null"),
            ("event_type", "event_id"),
            ("branch", "metadata"),
            ("7", "7.0"),
            ("7", "-7"),
            ("7", "99999999999999999999"),
            (r#"{"type""#, r#"["type""#),
            (r#"{"type":"agent","#, r#"{"type":null,"#),
            (r#"{"type":"agent","id""#, r#"{"type":"agent","type""#),
            (r#"{"phase":"CODE","x":[1,"\n"]}"#, "null"),
        ] {
            let text = LINE.replacen(from, to, 1);
            assert!(text != LINE && !check(&text), "{text} is not plain");
        }
        assert_eq!(Light::read(br#"["e","T","t",1,"P-1","s",{},{}]"#), None);
    }

    #[test]
    fn of_a_line_made_here_a_summary_needs_only_the_beginning() {
        let wanted = |line: &str| {
            let mut summary = Summary::empty("P-1", Date::of(Timestamp::default()));
            summary.add_event(&Light::read(line.as_bytes()).unwrap());
            summary
        };
        let other = LINE.replace("PhaseStarted", "ToolInvoked");
        // As somebody else wrote it: what is needed stands behind.
        let metadata = other.find(",\"metadata\"").unwrap();
        let behind = format!("{{{},{}", &other[metadata + 1..other.len() - 1], &other[1..metadata]);
        let behind = format!("{behind}}}");
        for line in [LINE, &other, &behind] {
            let light = Light::of_made(line.as_bytes()).unwrap();
            assert_eq!(light.metadata.is_some(), line != other, "{line}");
            let mut summary = Summary::empty("P-1", Date::of(Timestamp::default()));
            summary.add_event(&light);
            assert_eq!(summary, wanted(line));
        }
    }

    proptest! {
        #[test]
        fn nothing_is_read_otherwise_than_serde_does(
            at in 0..LINE.len(), cut in 0_usize..12, with in r#"[{}\[\]:,"\\0-9eE.\-an]{0,4}"#
        ) {
            let text = format!("{}{with}{}", &LINE[..at], &LINE[(at + cut).min(LINE.len())..]);
            check(&text);
        }
    }
}
