//! JSON Schema, asked only about what is not plainly valid.
//!
//! Lives here: the one function that names the `jsonschema` crate (it is slow to start and slow to
//! compile), and the wording of what it finds. May not live here: the schemas (see
//! [`super::generate`]).

use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use super::draft::SchemaFault;
use super::words::quote;
use super::{generate, json, suggest};

/// What `schema` finds wrong with `instance`, which stands at the pointer `base` in an event of
/// the type `owner`.
pub(super) fn judge(schema: &Value, instance: &Value, base: &str, owner: &str) -> Vec<SchemaFault> {
    let validator = match jsonschema::draft202012::new(schema) {
        Ok(validator) => validator,
        Err(error) => {
            let message = format!("cannot be judged, a bug in chronoscope: {error}");
            return vec![SchemaFault::new(base, message)];
        }
    };
    let mut faults = Vec::new();
    for error in validator.iter_errors(instance) {
        let pointer = format!("{base}{}", error.instance_path().as_str());
        match error.kind() {
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                let pointer = json::child(&pointer, name);
                // A field of the whole metadata is the type's own wish.
                let message = if pointer.rfind('/') == Some("/metadata".len()) {
                    format!("is required by {owner}")
                } else {
                    "is required".to_owned()
                };
                faults.push(SchemaFault::new(pointer, message));
            }
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                for name in unexpected {
                    let message = match &*pointer {
                        "/actor" => "is no field of an actor (type, id, model)",
                        _ => "is no field of the envelope",
                    };
                    faults.push(SchemaFault::new(json::child(&pointer, name), message));
                }
            }
            kind => {
                let message =
                    word(kind, error.instance(), owner).unwrap_or_else(|| error.to_string());
                faults.push(SchemaFault::new(pointer, message));
            }
        }
    }
    faults.dedup();
    faults
}

/// What is wrong with one value, in words that follow its pointer; none where the crate's own
/// wording must do.
fn word(kind: &ValidationErrorKind, value: &Value, owner: &str) -> Option<String> {
    Some(match kind {
        ValidationErrorKind::Type { kind: TypeKind::Single(expected) } => {
            let advice = if value.is_null() { ": leave it out instead" } else { "" };
            format!("must be {}, not {}{advice}", article(&expected.to_string()), what(value))
        }
        ValidationErrorKind::Enum { options } => {
            let words: Vec<&str> = options.as_array()?.iter().filter_map(Value::as_str).collect();
            format!("must be {}, not {}", suggest::one_of(&words), shown(value))
        }
        ValidationErrorKind::Pattern { pattern } => match generate::pattern_meaning(pattern) {
            Some(meaning) => format!("must be {meaning}, which {} is not", shown(value)),
            None => format!("must match {pattern}, which {} does not", shown(value)),
        },
        ValidationErrorKind::Minimum { limit } => {
            format!("must be at least {limit}, not {}", shown(value))
        }
        ValidationErrorKind::Maximum { limit } => {
            format!("must be at most {limit}, not {}", shown(value))
        }
        ValidationErrorKind::MinLength { limit: 1 } => "is empty".to_owned(),
        ValidationErrorKind::MaxLength { limit } => {
            format!("is longer than {limit} characters")
        }
        ValidationErrorKind::Constant { .. } => format!("must be {owner}"),
        _ => return None,
    })
}

fn article(type_name: &str) -> &'static str {
    match type_name {
        "object" => "an object",
        "array" => "an array",
        "string" => "a string",
        "integer" => "an integer",
        "boolean" => "true or false",
        "null" => "null",
        _ => "a number",
    }
}

fn what(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        other => shown(other),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quote(text),
        other => {
            let text = other.to_string();
            let mut chars = text.chars();
            let head: String = chars.by_ref().take(60).collect();
            if chars.next().is_some() { head + "…" } else { head }
        }
    }
}
