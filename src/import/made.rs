//! The events of one record, before they are drafts: with ids that can still be moved on to the
//! next occurrence.
//!
//! Lives here: [`Identity`], which event ids are derived from, and [`Made`]. May not live here:
//! deciding what a record means.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::model::{Kind, ids};
use crate::schema::{Draft, LenientDraft, Redactor, SchemaFault, validate};

/// Longer values are cut in the fields that a mapping fills; the source object has them whole.
const MAX_VALUE: usize = 64 * 1024;

/// What a record is known by: the mapping, and the source's id or the record's own bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct Identity {
    hash: Vec<u8>,
    has_id: bool,
}

impl Identity {
    /// `scope` is the issue where ids begin anew in each, else empty.
    pub(super) fn new(mapping: &str, scope: &str, id: Option<&str>, raw: &str) -> Self {
        let mut hash = Sha256::new();
        let what: &[u8] = if id.is_some() { b"id" } else { b"bytes" };
        for part in [mapping.as_bytes(), scope.as_bytes(), what, id.unwrap_or(raw).as_bytes()] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Self { hash: hash.finalize().to_vec(), has_id: id.is_some() }
    }

    /// The id of an event: `occurrence` counts from 1, `part` (the events of one record) from 0.
    pub(super) fn event_id(&self, occurrence: u32, part: usize) -> String {
        let part = (part as u64).to_le_bytes();
        ids::derived_event_id(&[&self.hash, &occurrence.to_le_bytes(), &part])
    }
}

/// The events of one record.
#[derive(Debug, Clone, Default)]
pub(super) struct Made {
    identity: Identity,
    occurrence: u32,
    /// SHA-256 of the record's text, as lower-case hex.
    pub(super) sha256: String,
    source: String,
    pub(super) issue: String,
    events: Vec<Event>,
}

#[derive(Debug, Clone)]
struct Event {
    draft: LenientDraft,
    /// The mapped metadata: the text of a JSON object.
    fields: String,
    /// Whether it has a member called `source`.
    has_source: bool,
}

impl Made {
    pub(super) fn new(identity: Identity, occurrence: u32, raw: &str, issue: &str) -> Self {
        Self {
            identity,
            occurrence,
            sha256: ids::hex(&Sha256::digest(raw.as_bytes())),
            source: raw.to_owned(),
            issue: issue.to_owned(),
            events: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// Which of the records with the same bytes it is, from 1.
    pub(super) fn copy(&self) -> u32 {
        if self.identity.has_id { 1 } else { self.occurrence }
    }

    /// Which repetition of its identity the record is.
    pub(super) fn occurrence(&self) -> u32 {
        self.occurrence
    }

    pub(super) fn event_id(&self, part: usize) -> String {
        self.identity.event_id(self.occurrence, part)
    }

    pub(super) fn last_event_id(&self) -> Option<&str> {
        self.events.last()?.draft.event_id.as_deref()
    }

    /// The type of the last event, where the catalogue does not have it.
    pub(super) fn last_unknown_type(&self) -> Option<&str> {
        let name = &self.events.last()?.draft.event_type;
        (!Kind::from_name(name).is_catalogued()).then_some(name)
    }

    /// Adds an event of type `wanted`, or of `otherwise` when the metadata does not have what
    /// that type must have; tells what was amiss then.
    pub(super) fn push(
        &mut self,
        mut draft: LenientDraft,
        wanted: &str,
        otherwise: &str,
        mut fields: serde_json::Map<String, Value>,
    ) -> Option<String> {
        fields.remove("import");
        let has_source = fields.contains_key("source");
        let mut text = to_text(&fields);
        if text.len() > MAX_VALUE {
            fields.values_mut().for_each(shorten);
            text = to_text(&fields);
        }
        let kind = Kind::from_name(wanted);
        let mut lacking = None;
        wanted.clone_into(&mut draft.event_type);
        if kind.is_catalogued() && !validate::plainly_valid(kind, &text) {
            draft.event_type = if Kind::from_name(otherwise).is_catalogued() {
                format!("source.{otherwise}")
            } else {
                otherwise.to_owned()
            };
            lacking = Some(format!(
                "it lacks what {wanted} must have{}; kept as {}",
                missing(kind, &fields),
                draft.event_type
            ));
        }
        self.events.push(Event { draft, fields: text, has_source });
        lacking
    }

    /// Moves the events to another occurrence of their identity.
    pub(super) fn become_occurrence(&mut self, occurrence: u32) {
        let old: Vec<String> = (0..self.len()).map(|part| self.event_id(part)).collect();
        self.occurrence = occurrence;
        let new: Vec<String> = (0..self.len()).map(|part| self.event_id(part)).collect();
        for (part, event) in self.events.iter_mut().enumerate() {
            event.draft.event_id = Some(new[part].clone());
            if let Some(cause) = &mut event.draft.causation_id
                && let Some(own) = old.iter().position(|id| id == cause)
            {
                cause.clone_from(&new[own]);
            }
        }
    }

    /// The events as drafts, without their secrets. The first carries the source object, the others name the first.
    pub(super) fn drafts(
        self,
        mapping: &str,
        redactor: &Redactor,
    ) -> Result<Vec<Draft>, Vec<SchemaFault>> {
        let first = if self.len() > 1 { self.event_id(0) } else { String::new() };
        let drafts = self.events.into_iter().enumerate().map(|(part, event)| {
            let mut import = serde_json::Map::new();
            import.insert("mapping".into(), mapping.into());
            import.insert("sha256".into(), self.sha256.clone().into());
            if part > 0 {
                import.insert("record".into(), first.clone().into());
                import.insert("part".into(), part.into());
            }
            let source = (part == 0).then_some(self.source.as_str());
            let import = Value::Object(import).to_string();
            let metadata = metadata_text(event.fields, import, source, event.has_source);
            Draft::lenient(LenientDraft { metadata, ..event.draft })?.without_secrets(redactor)
        });
        drafts.collect()
    }

    /// About how many bytes the events take.
    pub(super) fn bytes(&self) -> usize {
        self.source.len() + 600 * self.len()
    }
}

/// The metadata as text. The source object stands there as it is written in the source, under
/// `source`, or under `import.source` where the event's own fields have that name.
fn metadata_text(
    mut text: String,
    mut import: String,
    source: Option<&str>,
    taken: bool,
) -> String {
    let room = import.len() + source.map_or(0, str::len) + 40;
    text.reserve(room);
    if let Some(source) = source.filter(|_| taken) {
        import.pop();
        import.push_str(",\"source\":");
        import.push_str(source);
        import.push('}');
    }
    text.pop();
    if text.len() > 1 {
        text.push(',');
    }
    text.push_str("\"import\":");
    text.push_str(&import);
    if let Some(source) = source.filter(|_| !taken) {
        text.push_str(",\"source\":");
        text.push_str(source);
    }
    text.push('}');
    text
}

/// The object as JSON; to memory, so it cannot fail.
fn to_text(fields: &serde_json::Map<String, Value>) -> String {
    serde_json::to_string(fields).unwrap_or_default()
}

/// The required fields that are absent, in words.
fn missing(kind: Kind, fields: &serde_json::Map<String, Value>) -> String {
    let spec = crate::model::catalogue::spec(kind);
    let absent: Vec<&str> = spec
        .into_iter()
        .flat_map(|spec| spec.fields)
        .filter(|field| field.required && !fields.contains_key(field.name))
        .map(|field| field.name)
        .collect();
    if absent.is_empty() { String::new() } else { format!(" (no {})", absent.join(", ")) }
}

/// Cuts what is too long to stand in an event twice.
fn shorten(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > MAX_VALUE => *value = cut(text).into(),
        Value::Array(_) | Value::Object(_) => {
            let text = value.to_string();
            if text.len() > MAX_VALUE {
                *value = cut(&text).into();
            }
        }
        _ => {}
    }
}

fn cut(text: &str) -> String {
    let mut end = MAX_VALUE;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}… ({} bytes; the source object has the whole)", &text[..end], text.len())
}

/// A name without control characters, of at most `max` bytes.
pub(super) fn clean(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max));
    for c in text.trim().chars() {
        let c = if ids::is_control(c) { ' ' } else { c };
        if out.len() + c.len_utf8() > max {
            break;
        }
        out.push(c);
    }
    out
}
