//! Stored lines to events: tolerant, and always in the current version of the type.
//!
//! Lives here: [`read_line_events`], [`read_event`], and the chain of upcasts. May not live here:
//! what the events do (see [`crate::fold`]). Stored bytes are never rewritten; nothing is refused
//! and nothing vanishes: what is not right is named beside the event.

use std::ops::Range;

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use smallvec::{SmallVec, smallvec};
use smol_str::SmolStr;

use super::history::{self, HISTORY};
use super::json;
use super::plain::{self, Plain};
use crate::model::catalogue::Version;
use crate::model::envelope::{self, Envelope, Faults, Fields, Text};
use crate::model::value::LongValue;
use crate::model::{AnomalyKind, Event, Kind, Map, Position, Timestamp, Value, ids};

/// One event of a line: what it says, where its bytes stand in the line, and what is wrong.
pub type LineEvent = (Event, Range<usize>, Faults);

/// Reads the events of one line (without its line feed): one as a rule, none where the line is
/// blank, one of kind [`Kind::Unreadable`] where it cannot be read. The first gets `position`,
/// further ones those after it; `previous` is the time of the event before.
#[must_use]
pub fn read_line_events(
    line: &[u8],
    position: Position,
    previous: Timestamp,
) -> SmallVec<[LineEvent; 1]> {
    if let Some(sound) = read_sound(line, position, previous) {
        return smallvec![(sound.event, sound.range, sound.faults)];
    }
    let mut events = SmallVec::new();
    let (mut position, mut previous) = (position, previous);
    for part in envelope::split_line(line) {
        let mut faults = part.faults;
        let event = if part.is_object {
            let (event, more) = read_event(&part.text, position, previous);
            faults.extend(more);
            event
        } else {
            unreadable_event(position, previous, &part.text)
        };
        position = position.saturating_add(1);
        previous = event.at;
        events.push((event, part.range, faults));
    }
    events
}

/// A line that is one sound object.
#[derive(Debug)]
pub struct SoundLine<'a> {
    /// The object's text.
    pub text: &'a str,
    /// Its fields, as they are written.
    pub envelope: Envelope<'a>,
    /// The event that it is.
    pub event: Event,
    /// Where the object stands in the line.
    pub range: Range<usize>,
    /// What is wrong with it.
    pub faults: Faults,
    /// Whether its objects are known to be without white space outside of strings.
    pub is_compact: bool,
    /// Whether it is known to say what an event says, each thing once, and nothing else.
    pub is_whole: bool,
}

/// Reads a line that is one sound object, in a single pass over it; none for any other.
#[must_use]
pub fn read_sound(line: &[u8], position: Position, previous: Timestamp) -> Option<SoundLine<'_>> {
    let whole = std::str::from_utf8(line).ok()?;
    let blank = [' ', '\t', '\r', '\n'];
    let start = whole.len() - whole.trim_start_matches(blank).len();
    let text = whole.trim_matches(blank);
    if !text.starts_with('{') {
        return None;
    }
    let Plain { envelope, is_compact, is_whole } = match plain::envelope(text) {
        Some(plain) => plain,
        None => {
            let envelope = serde_json::from_str(text).ok()?;
            let is_whole = envelope::others(text).is_empty();
            Plain { envelope, is_compact: false, is_whole }
        }
    };
    let mut faults = Faults::new();
    envelope::note_absent(&envelope, &mut faults);
    let event = build(&envelope, position, previous, &mut faults);
    let range = start..start + text.len();
    Some(SoundLine { text, envelope, event, range, faults, is_compact, is_whole })
}

/// Reads one event from the text of a JSON object. `previous` is the time of the event before,
/// which stands in where the event has none that can be read.
#[must_use]
pub fn read_event(text: &str, position: Position, previous: Timestamp) -> (Event, Faults) {
    let (envelope, mut faults) = envelope::read(text);
    let event = build(&envelope, position, previous, &mut faults);
    (event, faults)
}

/// The event that keeps the place of a line that cannot be read; `metadata.line` is its text.
#[must_use]
pub fn unreadable_event(position: Position, previous: Timestamp, text: &str) -> Event {
    let line = if text.len() > LongValue::LIMIT {
        long_value("", "", text, text)
    } else {
        Value::text(text)
    };
    Event {
        position,
        kind: Kind::Unreadable,
        type_name: SmolStr::new_static(Kind::Unreadable.name()),
        id: SmolStr::default(),
        at: previous,
        sequence: None,
        issue_key: SmolStr::default(),
        session: SmolStr::default(),
        correlation: None,
        causation: None,
        actor_type: SmolStr::default(),
        actor: SmolStr::default(),
        model: None,
        metadata: Map::from_iter([("line", line)]),
        git_sha: None,
        branch: None,
    }
}

fn build(
    envelope: &Envelope<'_>,
    position: Position,
    previous: Timestamp,
    faults: &mut Faults,
) -> Event {
    let type_name = envelope.event_type.as_deref().unwrap_or_default();
    let kind = Kind::from_name(type_name);
    if !kind.is_catalogued() && envelope.event_type.is_some() {
        let note = format!("{type_name:?} is not in the catalogue");
        faults.push((AnomalyKind::UnknownType, note));
    }
    let id = short(envelope.event_id.as_ref());
    let mut metadata =
        envelope.metadata.map(|raw| read_metadata(raw.get(), &id, faults)).unwrap_or_default();
    upcast(kind, envelope.event_version.as_deref(), &mut metadata, faults);
    let actor = envelope.actor.as_ref();
    let optional = |text: &Option<Text<'_>>| text.as_ref().map(|text| SmolStr::new(&**text));
    Event {
        position,
        kind,
        type_name: type_name_of(kind, type_name),
        id,
        at: read_time(envelope.timestamp.as_deref(), previous, faults),
        sequence: envelope.event_sequence,
        issue_key: short(envelope.issue_key.as_ref()),
        session: short(envelope.session_id.as_ref()),
        correlation: optional(&envelope.correlation_id),
        causation: optional(&envelope.causation_id),
        actor_type: short(actor.map(|actor| &actor.kind)),
        actor: short(actor.map(|actor| &actor.id)),
        model: actor.and_then(|actor| optional(&actor.model)),
        metadata,
        git_sha: optional(&envelope.git_sha),
        branch: optional(&envelope.branch),
    }
}

fn short(text: Option<&Text<'_>>) -> SmolStr {
    text.map(|text| SmolStr::new(&**text)).unwrap_or_default()
}

fn type_name_of(kind: Kind, written: &str) -> SmolStr {
    if kind.is_catalogued() { SmolStr::new_static(kind.name()) } else { SmolStr::new(written) }
}

fn read_time(text: Option<&str>, previous: Timestamp, faults: &mut Faults) -> Timestamp {
    let Some(text) = text else { return previous };
    Timestamp::parse(text).unwrap_or_else(|why| {
        let shown: String = text.chars().take(60).collect();
        faults.push((AnomalyKind::BadTimestamp, format!("{shown:?}: {why}")));
        previous
    })
}

fn upcast(kind: Kind, written: Option<&str>, metadata: &mut Map, faults: &mut Faults) {
    // An absent version has been named already; the versions of foreign types are their own.
    let (Some(written), true) = (written, kind.is_catalogued()) else { return };
    match Version::from_name(written) {
        Some(version) => history::upcast(HISTORY, kind, version, metadata),
        None => {
            let shown: String = written.chars().take(60).collect();
            let note =
                format!("version {shown:?} of {kind}; this program knows {}", history::names());
            faults.push((AnomalyKind::UnknownVersion, note));
        }
    }
}

/// The metadata as a map; fields of more than [`LongValue::LIMIT`] bytes become references.
fn read_metadata(raw: &str, event_id: &str, faults: &mut Faults) -> Map {
    if !raw.starts_with('{') {
        let note = format!("/metadata: {}, expected an object", super::strict::type_of(raw));
        faults.push((AnomalyKind::WrongType, note));
        return Map::new();
    }
    if raw.len() <= LongValue::LIMIT
        && let Ok(map) = serde_json::from_str(raw)
    {
        return map;
    }
    read_members(raw, event_id, faults)
}

/// Reads metadata that is long, or that cannot be read as a whole, one field at a time.
fn read_members(raw: &str, event_id: &str, faults: &mut Faults) -> Map {
    let members = match serde_json::from_str::<Fields<'_>>(raw) {
        Ok(Fields(members)) => members,
        Err(error) => {
            faults.push((AnomalyKind::WrongType, format!("/metadata: {error}")));
            return Map::from_iter([("json", member(raw, "/metadata", event_id).0)]);
        }
    };
    let mut map = Map::new();
    for (key, value) in members {
        let pointer = json::child("/metadata", &key);
        let (value, fault) = member(value.get(), &pointer, event_id);
        if let Some(why) = fault {
            faults.push((AnomalyKind::WrongType, format!("{pointer}: {why}")));
        }
        map.insert(&*key, value);
    }
    map
}

/// One field's value: a reference where it is long, its JSON text where it cannot be read.
fn member(raw: &str, pointer: &str, event_id: &str) -> (Value, Option<String>) {
    if raw.len() > LongValue::LIMIT {
        let text = serde_json::from_str::<Text<'_>>(raw).ok();
        return (long_value(event_id, pointer, raw, text.as_deref().unwrap_or(raw)), None);
    }
    match serde_json::from_str::<Value>(raw) {
        Ok(value) => (value, None),
        Err(error) => {
            let why = error.to_string();
            let why = why.split(" at line ").next().unwrap_or_default();
            (Value::text(raw), Some(format!("{why}; shown as its JSON text")))
        }
    }
}

fn long_value(event_id: &str, pointer: &str, json: &str, text: &str) -> Value {
    let head: String = text.chars().take(LongValue::HEAD_CHARS).collect();
    Value::Long(std::sync::Arc::new(LongValue {
        event_id: event_id.into(),
        pointer: pointer.into(),
        bytes: json.len() as u64,
        sha256: ids::hex(&Sha256::digest(json.as_bytes())).into(),
        head: head.into(),
    }))
}

/// The JSON text that a [`LongValue`] stands for, from the text of its event: the value at
/// `pointer`, which names a field of the metadata, or the whole text for the empty pointer.
#[must_use]
pub fn long_text<'a>(event_text: &'a str, pointer: &str) -> Option<&'a str> {
    let path = crate::model::Path::parse(pointer).ok()?;
    path.keys().iter().try_fold(event_text, |text, key| {
        let Fields(members) = serde_json::from_str(text).ok()?;
        let last: Option<&'a RawValue> =
            members.into_iter().rev().find(|(name, _)| **name == **key).map(|(_, value)| value);
        last.map(RawValue::get)
    })
}

#[cfg(test)]
mod tests;
