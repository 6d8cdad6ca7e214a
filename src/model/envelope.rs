//! The envelope: the fields that every event has, borrowed from the line they stand in.
//!
//! Lives here: reading an envelope, strictly or with its faults named. May not live here: finding
//! the events of a damaged line (see [`line`]), what the metadata means, or validation for writing
//! (see [`crate::schema`]). The original bytes stay with the caller; nothing here rewrites them.

mod line;

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};
use serde_json::value::RawValue;
use smallvec::SmallVec;

use super::anomaly::AnomalyKind;
pub use line::{EventText, split_line};

/// The envelope's fields in the order in which they are written.
pub const FIELDS: &[&str] = &[
    "event_id",
    "event_type",
    "event_version",
    "timestamp",
    "event_sequence",
    "issue_key",
    "session_id",
    "correlation_id",
    "causation_id",
    "actor",
    "metadata",
    "git_sha",
    "branch",
    "codebase_state",
];

/// The fields that every stored event must have.
pub const REQUIRED: &[&str] = &[
    "event_id",
    "event_type",
    "event_version",
    "timestamp",
    "event_sequence",
    "issue_key",
    "session_id",
    "actor",
    "metadata",
];

/// Text that is borrowed from the line where it has no escapes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text<'a>(pub Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
            fn visit_string<E>(self, text: String) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text)))
            }
        }
        deserializer.deserialize_str(V)
    }
}

/// The text of a value that was read as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw<'a>(&'a str);

impl<'a> Raw<'a> {
    /// A text that was read as JSON.
    pub(crate) fn checked(text: &'a str) -> Self {
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn get(self) -> &'a str {
        self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(|raw| Self(raw.get()))
    }
}

/// Who acted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Actor<'a> {
    /// `user`, `system` or `agent`; other words are kept as they are.
    #[serde(borrow, default, rename = "type")]
    pub kind: Text<'a>,
    /// The actor's name.
    #[serde(borrow, default)]
    pub id: Text<'a>,
    /// The model that an agent runs on; free text.
    #[serde(borrow, default)]
    pub model: Option<Text<'a>>,
}

crate::closed_list! {
    /// The types of actor that may write.
    pub enum ActorType {
        /// A person.
        User = "user",
        /// The orchestrator or another program.
        System = "system",
        /// An agent.
        Agent = "agent",
    }
}

/// The fields of one event, borrowed from its text. Absent and unreadable fields are `None` (or
/// empty); [`read`] tells which those were.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[allow(missing_docs, reason = "the names are the fields of the format")]
pub struct Envelope<'a> {
    #[serde(borrow, default)]
    pub event_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub event_type: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub event_version: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub timestamp: Option<Text<'a>>,
    #[serde(default)]
    pub event_sequence: Option<u64>,
    #[serde(borrow, default)]
    pub issue_key: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub session_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub correlation_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub causation_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub actor: Option<Actor<'a>>,
    #[serde(borrow, default)]
    pub metadata: Option<Raw<'a>>,
    #[serde(borrow, default)]
    pub git_sha: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub branch: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub codebase_state: Option<Raw<'a>>,
}

/// One thing that is wrong with a line or an event.
pub type Fault = (AnomalyKind, String);

/// The faults of one event; most have none.
pub type Faults = SmallVec<[Fault; 1]>;

/// Reads an envelope from the text of one JSON object. Fields of the wrong type are left out and
/// named; required fields that are absent are named too.
#[must_use]
pub fn read<'a>(text: &'a str) -> (Envelope<'a>, Faults) {
    let mut faults = Faults::new();
    let envelope = serde_json::from_str(text).unwrap_or_else(|_| read_by_field(text, &mut faults));
    note_absent(&envelope, &mut faults);
    (envelope, faults)
}

/// Reads what [`serde_json`] could not read as a whole, one field at a time.
fn read_by_field<'a>(text: &'a str, faults: &mut Faults) -> Envelope<'a> {
    let fields: Fields<'a> = match serde_json::from_str(text) {
        Ok(fields) => fields,
        Err(error) => {
            faults.push((AnomalyKind::NotJson, format!("not JSON: {error}")));
            return Envelope::default();
        }
    };
    let mut envelope = Envelope::default();
    for (name, raw) in fields.0 {
        let fault = match &*name {
            "event_id" => put(raw, &mut envelope.event_id),
            "event_type" => put(raw, &mut envelope.event_type),
            "event_version" => put(raw, &mut envelope.event_version),
            "timestamp" => put(raw, &mut envelope.timestamp),
            "event_sequence" => put(raw, &mut envelope.event_sequence),
            "issue_key" => put(raw, &mut envelope.issue_key),
            "session_id" => put(raw, &mut envelope.session_id),
            "correlation_id" => put(raw, &mut envelope.correlation_id),
            "causation_id" => put(raw, &mut envelope.causation_id),
            "actor" => put_actor(raw, &mut envelope.actor),
            "metadata" => put(raw, &mut envelope.metadata),
            "git_sha" => put(raw, &mut envelope.git_sha),
            "branch" => put(raw, &mut envelope.branch),
            "codebase_state" => put(raw, &mut envelope.codebase_state),
            _ => None,
        };
        if let Some(why) = fault {
            faults.push((AnomalyKind::WrongType, format!("/{name}: {why}")));
        }
    }
    envelope
}

fn put<'a, T: Deserialize<'a>>(raw: &'a RawValue, field: &mut Option<T>) -> Option<String> {
    match serde_json::from_str::<Option<T>>(raw.get()) {
        Ok(value) => {
            *field = value;
            None
        }
        Err(error) => Some(without_place(&error)),
    }
}

/// An actor is often a plain name in logs of other systems.
fn put_actor<'a>(raw: &'a RawValue, field: &mut Option<Actor<'a>>) -> Option<String> {
    let fault = put(raw, field)?;
    if let Ok(id) = serde_json::from_str::<Text<'a>>(raw.get()) {
        *field = Some(Actor { id, ..Actor::default() });
    }
    Some(fault)
}

/// How much of a name that no event has is told.
const TOLD: usize = 60;
/// The fields of an actor.
const ACTOR: [&str; 3] = ["type", "id", "model"];

/// The names of the fields that an event's text has and no event can have, those of its actor
/// among them, and those that come before another of their name, which is the one that counts.
#[must_use]
pub fn others(text: &str) -> Vec<String> {
    let cut = |name: &str| name.chars().take(TOLD).collect::<String>();
    let mut names = Vec::new();
    let fields = serde_json::from_str(text).map_or_else(|_| Vec::new(), |f: Fields<'_>| f.0);
    for (number, (name, raw)) in fields.iter().enumerate() {
        if fields[number + 1..].iter().any(|(other, _)| other == name) {
            names.push(format!("{} (there is another)", cut(name)));
        } else if !FIELDS.contains(&&**name) {
            names.push(cut(name));
        } else if *name == "actor" && raw.get().starts_with('{') {
            let inner = serde_json::from_str(raw.get());
            let inner = inner.map_or_else(|_| Vec::new(), |fields: Fields<'_>| fields.0);
            let others = inner.iter().filter(|(name, _)| !ACTOR.contains(&&**name));
            names.extend(others.map(|(name, _)| format!("actor.{}", cut(name))));
        }
    }
    names
}

/// The message of a JSON error without the line and column, which would be those of a fragment.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

/// Names the required fields that are not there.
pub(crate) fn note_absent(envelope: &Envelope<'_>, faults: &mut Faults) {
    let present = [
        ("event_id", envelope.event_id.is_some()),
        ("event_type", envelope.event_type.is_some()),
        ("event_version", envelope.event_version.is_some()),
        ("timestamp", envelope.timestamp.is_some()),
        ("event_sequence", envelope.event_sequence.is_some()),
        ("issue_key", envelope.issue_key.is_some()),
        ("session_id", envelope.session_id.is_some()),
        ("actor", envelope.actor.is_some()),
        ("metadata", envelope.metadata.is_some()),
    ];
    let absent: Vec<&str> =
        present.iter().filter(|(_, there)| !there).map(|(name, _)| *name).collect();
    if !absent.is_empty() {
        faults.push((AnomalyKind::MissingField, format!("no {}", absent.join(", "))));
    }
}

/// The members of one object, in their order; a key that comes twice is there twice.
pub(crate) struct Fields<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Fields<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::with_capacity(FIELDS.len());
                while let Some((name, raw)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    fields.push((name.0, raw));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(V)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"event_id":"e1","event_type":"AgentSpawned","event_version":"1.0.0","timestamp":"2026-01-01T00:00:00.000Z","event_sequence":1,"issue_key":"P-1","session_id":"s","actor":{"type":"agent","id":"a"},"metadata":{"x":1}}"#;

    fn kinds(faults: &Faults) -> Vec<AnomalyKind> {
        faults.iter().map(|f| f.0).collect()
    }

    #[test]
    fn a_sound_line_is_borrowed_and_has_no_faults() {
        let texts = split_line(LINE.as_bytes());
        assert_eq!(texts.len(), 1);
        assert!(texts[0].faults.is_empty() && texts[0].is_object);
        let (envelope, faults) = read(&texts[0].text);
        assert!(faults.is_empty(), "{faults:?}");
        assert!(matches!(envelope.event_id.unwrap().0, Cow::Borrowed("e1")));
        assert_eq!(envelope.metadata.unwrap().get(), r#"{"x":1}"#);
    }

    #[test]
    fn two_objects_on_a_line_are_two_events() {
        let line = format!("{LINE} {LINE}");
        let texts = split_line(line.as_bytes());
        assert_eq!(texts.len(), 2);
        for text in &texts {
            assert_eq!(&line[text.range.clone()], LINE);
            assert_eq!(kinds(&text.faults), [AnomalyKind::SeveralOnOneLine]);
        }
    }

    #[test]
    fn damage_is_named_and_what_is_sound_is_read() {
        let nul = [b"\0\0\0", LINE.as_bytes(), b"\0\r"].concat();
        let texts = split_line(&nul);
        assert_eq!(kinds(&texts[0].faults), [AnomalyKind::NulBytes]);
        assert_eq!(&nul[texts[0].range.clone()], LINE.as_bytes());

        let latin1 = LINE.replace("\"a\"", "\"caf\u{e9}\"");
        let bytes: Vec<u8> = latin1.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        let texts = split_line(&bytes);
        assert_eq!(kinds(&texts[0].faults), [AnomalyKind::InvalidUtf8]);
        assert_eq!(&*read(&texts[0].text).0.actor.unwrap().id, "caf\u{fffd}");

        for (line, kind) in [
            (&LINE.as_bytes()[..50], AnomalyKind::NotJson),
            (b"[1]", AnomalyKind::NotAnObject),
            (b"garbage", AnomalyKind::NotJson),
            (b"\0\0", AnomalyKind::NotJson),
        ] {
            let texts = split_line(line);
            assert_eq!(texts.len(), 1);
            assert!(!texts[0].is_object);
            assert_eq!(texts[0].faults.last().unwrap().0, kind);
        }
        assert!(split_line(b"  \r").is_empty());
    }

    #[test]
    fn fields_of_the_wrong_type_are_named_and_left_out() {
        let (envelope, faults) = read(
            r#"{"event_id":7,"event_type":"X","actor":"bob","event_sequence":-1,"metadata":{}}"#,
        );
        assert!(envelope.event_id.is_none());
        assert_eq!(&*envelope.event_type.unwrap(), "X");
        assert_eq!(&*envelope.actor.unwrap().id, "bob");
        let named: Vec<&str> = faults.iter().map(|f| f.1.as_str()).collect();
        assert_eq!(named.len(), 4, "{named:?}");
        assert!(named[0].starts_with("/event_id: invalid type"), "{named:?}");
        assert!(named[3].starts_with("no event_id, event_version"), "{named:?}");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80)) {
            for text in split_line(&bytes) {
                proptest::prop_assert!(text.range.end <= bytes.len());
                let _ = read(&text.text);
            }
        }
    }
}
