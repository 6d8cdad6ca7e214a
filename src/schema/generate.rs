//! The published schemas, made from the catalogue.
//!
//! Lives here: JSON Schema (2020-12) of the stored events and of single types, examples and
//! counter-examples, and the history of versions; `schemas/*.json` are these texts. May not live
//! here: judging an event by them.

use serde_json::{Map, Value, json};

use super::history::{HISTORY, Release};
use crate::model::catalogue::{self, CATALOGUE, Field, LINKS, Spec, Type, Version};
use crate::model::envelope::{ActorType, REQUIRED};
use crate::model::{Kind, ids};

/// The name of a phase.
pub const PHASE: &str = "^[A-Z][A-Z0-9_-]*$";
/// A time in RFC 3339 with a zone; the colon in the zone may be missing, as trackers write it.
pub const TIME: &str = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])$";
pub(super) const UUID: &str =
    "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$";
pub(super) const SEMVER: &str =
    "^(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)([-+][0-9A-Za-z.+-]+)?$";
pub(super) const KEY: &str = "^[^-. /\\\\:*?\"<>|][^/\\\\:*?\"<>|]*$";
pub(super) const SHA: &str = "^[0-9A-Fa-f]{7,64}$";

/// What a text that matches one of the patterns is, in words for messages.
pub(super) fn pattern_meaning(pattern: &str) -> Option<&'static str> {
    Some(match pattern {
        PHASE => "an upper-case word like CODE",
        TIME => "a time with a zone like 2026-11-22T14:00:00Z",
        UUID => "a UUID",
        SEMVER => "a semantic version like 1.0.0",
        KEY => "a key that can name a folder",
        SHA => "7 to 64 hex digits",
        _ => return None,
    })
}

/// The schema of the metadata of one type.
#[must_use]
pub fn metadata_schema(spec: &Spec) -> Value {
    object_schema(spec.fields)
}

/// The self-contained schema of stored events of one kind; of the envelope alone where the
/// catalogue does not have the kind.
#[must_use]
pub fn event_schema(kind: Kind) -> Value {
    match catalogue::spec(kind) {
        Some(spec) => {
            let mut schema = type_rules(spec);
            schema.insert("$defs".into(), json!({ "Event": envelope_schema() }));
            Value::Object(schema)
        }
        None => envelope_schema(),
    }
}

/// `schemas/orchestration-events.json`: one definition per type on a shared base.
#[must_use]
pub fn catalogue_schema() -> Value {
    let mut definitions = Map::new();
    definitions.insert("Event".into(), envelope_schema());
    let mut by_type = Vec::new();
    for spec in CATALOGUE {
        let name = spec.kind.name();
        definitions.insert(name.into(), type_definition(spec));
        by_type.push(json!({
            "if": { "properties": { "event_type": { "const": name } } },
            "then": { "$ref": format!("#/$defs/{name}") },
        }));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Orchestration events",
        "description": "Stored events of orchestrations, one JSON object per line. Made from the catalogue of chronoscope; types that it does not have need only the envelope.",
        "version": Version::CURRENT.name(),
        "$ref": "#/$defs/Event",
        "allOf": by_type,
        "$defs": definitions,
        "x-links": links(),
    })
}

/// `schemas/version-history.json`: the versions, what they changed, and the upcasts.
#[must_use]
pub fn version_history() -> Value {
    let releases: Vec<Value> = HISTORY.iter().map(release).collect();
    json!({ "current": Version::CURRENT.name(), "versions": releases })
}

fn release(release: &Release) -> Value {
    let types: Vec<&str> = CATALOGUE
        .iter()
        .filter(|spec| spec.since == release.version)
        .map(|spec| spec.kind.name())
        .collect();
    json!({
        "version": release.version.name(),
        "date": release.date,
        "breaking": release.breaking,
        "changes": release.changes,
        "types_added": types,
        "upcast": release.upcast_doc,
    })
}

fn links() -> Vec<Value> {
    let names = |kinds: &[Kind]| kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>();
    LINKS
        .iter()
        .map(|rule| {
            json!({
                "name": rule.name,
                "source_events": names(rule.from),
                "target_events": names(rule.to),
                "correlation_key": rule.key.to_string(),
            })
        })
        .collect()
}

/// What all stored events have in common.
fn envelope_schema() -> Value {
    let word = json!({ "type": "string", "minLength": 1 });
    let actors: Vec<&str> = ActorType::ALL.iter().map(|word| word.name()).collect();
    json!({
        "type": "object",
        "required": REQUIRED,
        "additionalProperties": false,
        "properties": {
            "event_id": { "type": "string", "format": "uuid", "pattern": UUID },
            "event_type": word,
            "event_version": { "type": "string", "pattern": SEMVER },
            "timestamp": { "type": "string", "format": "date-time", "pattern": TIME },
            "event_sequence": { "type": "integer", "minimum": 1 },
            "issue_key": { "type": "string", "maxLength": ids::MAX_KEY_BYTES, "pattern": KEY },
            "session_id": word,
            "correlation_id": word,
            "causation_id": word,
            "actor": {
                "type": "object",
                "required": ["type", "id"],
                "additionalProperties": false,
                "properties": {
                    "type": { "type": "string", "enum": actors },
                    "id": word,
                    "model": word,
                },
            },
            "metadata": { "type": "object" },
            "git_sha": { "type": "string", "pattern": SHA },
            "branch": word,
            "codebase_state": { "type": "object" },
        },
    })
}

/// What a type adds to the envelope.
fn type_rules(spec: &Spec) -> Map<String, Value> {
    let versions: Vec<&str> = Version::ALL
        .iter()
        .filter(|version| **version >= spec.since)
        .map(|version| version.name())
        .collect();
    let rules = json!({
        "$ref": "#/$defs/Event",
        "properties": {
            "event_type": { "const": spec.kind.name() },
            "event_version": { "enum": versions },
            "metadata": metadata_schema(spec),
        },
    });
    if let Value::Object(rules) = rules { rules } else { Map::new() }
}

/// A type's definition with all that the catalogue knows about it.
#[must_use]
pub fn type_definition(spec: &Spec) -> Value {
    let mut definition = type_rules(spec);
    let about = json!({
        "title": spec.kind.name(),
        "description": spec.doc,
        "x-since": spec.since.name(),
        "x-category": spec.category.name(),
        "x-severity": spec.severity.name(),
        "x-summary": spec.summary,
        "x-effect": spec.effect,
        "x-guard": spec.guard.name(),
        "x-replay": spec.replay.name(),
        "examples": [example(spec)],
        "x-counter-examples": published_counter_examples(spec),
    });
    if let Value::Object(about) = about {
        definition.extend(about);
    }
    Value::Object(definition)
}

/// A stored event of the type, with every field of its row.
#[must_use]
pub fn example(spec: &Spec) -> Value {
    event_with(spec, &example_metadata(spec))
}

fn example_metadata(spec: &Spec) -> Value {
    // The rows' examples are JSON, as a test proves.
    serde_json::from_str(spec.example).unwrap_or_default()
}

fn event_with(spec: &Spec, metadata: &Value) -> Value {
    json!({
        "event_id": format!("00000000-0000-4000-8000-{:012}", spec.kind as usize + 1),
        "event_type": spec.kind.name(),
        "event_version": spec.since.name(),
        "timestamp": "2026-11-20T14:00:00.000Z",
        "event_sequence": spec.kind as usize + 1,
        "issue_key": "PROJ-123",
        "session_id": "5f0c1d2e-3b4a-4c5d-8e6f-708192a3b4c5",
        "actor": { "type": "system", "id": "orchestrator" },
        "metadata": metadata,
    })
}

/// An event that is invalid, and where.
#[derive(Debug, Clone)]
pub struct CounterExample {
    /// The pointer at which a validation must find fault.
    pub fault_at: String,
    /// The event.
    pub event: Value,
}

/// Invalid events of a type: each required field left out, each field with a value that it may
/// not have, and a field that the envelope does not have.
#[must_use]
pub fn counter_examples(spec: &Spec) -> Vec<CounterExample> {
    let sound = example_metadata(spec);
    let mut found = Vec::new();
    for field in spec.fields {
        let fault_at = super::json::child("/metadata", field.name);
        let mut with = |change: &dyn Fn(&mut Map<String, Value>)| {
            let mut metadata = sound.clone();
            if let Value::Object(members) = &mut metadata {
                change(members);
            }
            let event = event_with(spec, &metadata);
            found.push(CounterExample { fault_at: fault_at.clone(), event });
        };
        if field.required {
            with(&|members| {
                members.remove(field.name);
            });
        }
        if let Some(wrong) = wrong_value(field.ty) {
            with(&|members| {
                members.insert(field.name.into(), wrong.clone());
            });
        }
    }
    let mut event = event_with(spec, &sound);
    event["note"] = "not a field of the envelope".into();
    found.push(CounterExample { fault_at: "/note".into(), event });
    found
}

/// The first of each sort, so that the file stays readable.
fn published_counter_examples(spec: &Spec) -> Vec<Value> {
    let all = counter_examples(spec);
    let is_absent = |found: &&CounterExample| found.event.pointer(&found.fault_at).is_none();
    let absent = all.iter().find(is_absent);
    let wrong = all.iter().find(|found| !is_absent(found));
    [absent, wrong]
        .into_iter()
        .flatten()
        .map(|found| json!({ "fault_at": found.fault_at, "event": found.event }))
        .collect()
}

/// A value that a field of this type may not have; none where it may have any.
fn wrong_value(ty: Type) -> Option<Value> {
    Some(match ty {
        Type::Any => return None,
        Type::Str => json!(7),
        Type::Name => json!(""),
        Type::OneOf(_) => json!("none of these"),
        Type::Int => json!("7"),
        Type::IntIn(least, _) => json!(least - 1),
        Type::Num | Type::Bool => json!("yes"),
        Type::StrList => json!([7]),
        Type::ObjList(_) => json!(["text"]),
        Type::Obj(_) => json!([]),
        Type::Phase => json!("code"),
        Type::Time => json!("2026-11-20T14:00:00"),
    })
}

fn object_schema(fields: &[Field]) -> Value {
    let properties: Map<String, Value> =
        fields.iter().map(|field| (field.name.to_owned(), field_schema(field.ty))).collect();
    let required: Vec<&str> =
        fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn field_schema(ty: Type) -> Value {
    match ty {
        Type::Str => json!({ "type": "string" }),
        Type::Name => json!({ "type": "string", "minLength": 1 }),
        Type::OneOf(words) => json!({ "type": "string", "enum": words }),
        Type::Int => json!({ "type": "integer" }),
        Type::IntIn(least, i64::MAX) => json!({ "type": "integer", "minimum": least }),
        Type::IntIn(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Type::Num => json!({ "type": "number" }),
        Type::Bool => json!({ "type": "boolean" }),
        Type::Any => json!({}),
        Type::StrList => json!({ "type": "array", "items": { "type": "string" } }),
        Type::ObjList(fields) => json!({ "type": "array", "items": object_schema(fields) }),
        Type::Obj(fields) => object_schema(fields),
        Type::Phase => json!({ "type": "string", "pattern": PHASE }),
        Type::Time => json!({ "type": "string", "format": "date-time", "pattern": TIME }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The checked-in files are what the code makes. After a change of the catalogue:
    /// `UPDATE_SCHEMAS=1 cargo test --lib schemas_on_file`, and look at the difference.
    #[test]
    fn schemas_on_file_are_those_of_the_catalogue() {
        for (name, schema) in [
            ("orchestration-events.json", catalogue_schema()),
            ("version-history.json", version_history()),
        ] {
            let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(name);
            let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
            if std::env::var_os("UPDATE_SCHEMAS").is_some() {
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(&file, &text).unwrap();
            }
            let on_file = std::fs::read_to_string(&file).unwrap_or_default();
            assert!(on_file == text, "{name} is out of date: run with UPDATE_SCHEMAS=1");
        }
    }
}
