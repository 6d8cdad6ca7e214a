//! The JSON Schema of the configuration file, made from the table of settings.
//!
//! Lives here: `schemas/event-sourcing.schema.json`, for editors that complete and check the file.
//! May not live here: reading the file; the schema accepts what loading does, and no more.

use serde_json::{Map, Value, json};

use super::ROOT;
use super::rules::{MEMBERS, MOST_RULES};
use super::settings::{Setting, Spec, Standing, Type};

/// The schema. Keys that are no settings are allowed: loading warns about them and goes on.
#[must_use]
pub fn config_schema() -> Value {
    let mut settings = Map::new();
    for spec in Setting::TABLE {
        let of_setting = setting_schema(spec);
        match spec.key.split_once('.') {
            None => {
                settings.insert(spec.key.into(), of_setting);
            }
            Some((section, name)) => {
                let section = settings.entry(section).or_insert_with(|| table(&Map::new()));
                section["properties"][name] = of_setting;
            }
        }
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The configuration of chronoscope",
        "type": "object",
        "properties": { ROOT: table(&settings) },
    })
}

/// A table; one without entries is null in YAML.
fn table(properties: &Map<String, Value>) -> Value {
    json!({ "type": ["object", "null"], "properties": properties })
}

fn setting_schema(spec: &Spec) -> Value {
    let mut schema = match spec.standing {
        Standing::Obeyed => value_schema(spec.ty),
        // Anything loads: files of other programs name them too.
        Standing::NoEffect(_) | Standing::Fixed(_) => json!({}),
    };
    schema["description"] = match spec.standing {
        Standing::Obeyed => spec.doc.into(),
        Standing::NoEffect(why) => format!("{} Without effect: {why}.", spec.doc).into(),
        Standing::Fixed(instead) => {
            format!("{} Only the default holds: {instead}.", spec.doc).into()
        }
    };
    if let Some(default) = spec.default.to_json() {
        schema["default"] = default;
    }
    schema
}

/// What a setting that is obeyed may hold; null stands for the default.
fn value_schema(ty: Type) -> Value {
    match ty {
        Type::Flag => json!({ "type": ["boolean", "null"] }),
        Type::Count(low, u64::MAX) => json!({ "type": ["integer", "null"], "minimum": low }),
        Type::Count(low, high) => {
            json!({ "type": ["integer", "null"], "minimum": low, "maximum": high })
        }
        Type::Text => json!({ "type": ["string", "null"] }),
        Type::OneOf(words) => {
            let mut words: Vec<Value> = words.iter().map(|word| (*word).into()).collect();
            words.push(Value::Null);
            json!({ "enum": words })
        }
        Type::List => json!({ "type": ["array", "null"], "items": { "type": "string" } }),
        Type::Rules => json!({
            "type": ["array", "null"], "maxItems": MOST_RULES, "items": rule_schema(),
        }),
        Type::Tree => json!({}),
    }
}

/// A correlation rule. That names are distinct cannot be said here.
fn rule_schema() -> Value {
    let text = json!({ "type": "string", "pattern": "\\S" });
    let texts = json!({ "anyOf": [text, { "type": "array", "items": text, "minItems": 1 }] });
    let member = |(name, lists): &(&str, bool)| {
        ((*name).to_owned(), if *lists { texts.clone() } else { text.clone() })
    };
    let names: Vec<&str> = MEMBERS.iter().map(|(name, _)| *name).collect();
    let members: Map<String, Value> = MEMBERS.iter().map(member).collect();
    json!({ "type": "object", "properties": members, "required": names })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, DEFAULT_FILE, Sources};

    /// The checked-in file is what the code makes. After a change of the table:
    /// `UPDATE_SCHEMAS=1 cargo test --lib schemas_on_file`, and look at the difference.
    #[test]
    fn schemas_on_file_are_those_of_the_settings() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let file = root.join("schemas/event-sourcing.schema.json");
        let text = format!("{}\n", serde_json::to_string_pretty(&config_schema()).unwrap());
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(&file, &text).unwrap();
        }
        let on_file = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(on_file == text, "{} is out of date: run with UPDATE_SCHEMAS=1", file.display());
    }

    fn loads(folder: &std::path::Path, file: &Value) -> bool {
        let path = folder.join("event-sourcing.yaml");
        // JSON is YAML.
        std::fs::write(path, file.to_string()).unwrap();
        Config::load(&Sources { directory: folder.to_owned(), ..Sources::default() }).is_ok()
    }

    #[test]
    fn the_schema_accepts_what_loading_accepts_setting_by_setting() {
        let folder = tempfile::tempdir().unwrap();
        let schema = jsonschema::draft202012::new(&config_schema()).unwrap();
        let values = [
            json!(null),
            json!(true),
            json!(-1),
            json!(0),
            json!(1024),
            json!(1_u64 << 40),
            json!(2.5),
            json!("jsonl"),
            json!(["a"]),
            json!([1]),
            json!({ "a": 1 }),
            json!([{ "name": "a", "source_event": "A", "target_events": ["B"], "correlation_key": "x" }]),
            json!([{ "name": "a", "source_event": ["A"], "target_events": "B", "correlation_key": "x" }]),
            json!([{ "name": "a", "source_event": "A", "target_events": [], "correlation_key": "x" }]),
            json!([{ "name": " ", "source_event": "A", "target_events": "B", "correlation_key": "x" }]),
            json!([{ "name": "a", "source_event": "A", "target_events": "B" }]),
        ];
        let (mut accepted, mut refused) = (0, 0);
        for spec in Setting::TABLE {
            for value in &values {
                let entry = match spec.key.split_once('.') {
                    Some((section, name)) => json!({ section: { name: value } }),
                    None => json!({ spec.key: value }),
                };
                let file = json!({ ROOT: entry });
                let loads = loads(folder.path(), &file);
                assert_eq!(schema.is_valid(&file), loads, "{file}");
                *(if loads { &mut accepted } else { &mut refused }) += 1;
            }
        }
        assert!(accepted > 50 && refused > 50, "{accepted} accepted, {refused} refused");
        for file in [json!({}), json!({ ROOT: null }), json!({ ROOT: 7 }), json!({ "other": 1 })] {
            assert_eq!(schema.is_valid(&file), loads(folder.path(), &file), "{file}");
        }
        let default: Value = serde_saphyr::from_str(DEFAULT_FILE).unwrap();
        assert!(schema.is_valid(&default));
    }
}
