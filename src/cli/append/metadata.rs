//! Metadata from flags: `k=v`, `k:=json`, dotted keys, over a JSON object.
//!
//! Lives here: putting the object together, its keys in the order in which they were given. May
//! not live here: checking it.

use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::model::envelope::Fields;

/// A value of the object that is being put together.
#[derive(Debug)]
enum Node {
    /// The text of any JSON value.
    Json(String),
    /// An object that dotted keys reach into; whether a flag made it.
    Object(Vec<(String, Node)>),
}

/// The JSON text of the metadata.
///
/// # Errors
/// Usage: the base is no JSON object, or a field has no `=`, no JSON, no key, or comes twice.
pub(crate) fn build(base: Option<&str>, fields: &[String]) -> Result<String> {
    let mut root = match base {
        Some(text) => object(text).ok_or_else(|| {
            Error::usage("--metadata is not a JSON object")
                .with_hint("as in '{\"phase\":\"PLAN\"}'")
        })?,
        None => Vec::new(),
    };
    let mut set: Vec<&str> = Vec::new();
    for field in fields {
        let (key, value) = split(field)?;
        let clash = set.iter().find(|other| {
            let (short, long) =
                if other.len() < key.len() { (**other, key) } else { (key, **other) };
            long == short || long.strip_prefix(short).is_some_and(|rest| rest.starts_with('.'))
        });
        if let Some(other) = clash {
            return Err(Error::usage(format!("--meta {key} and --meta {other} are for one field")));
        }
        set.push(key);
        put(&mut root, key, value);
    }
    Ok(text(&root))
}

/// How a field is given.
const HINT: &str = "k=v gives a text, k:=json any JSON value; dots in k nest";

/// The key and the JSON text of the value.
fn split(field: &str) -> Result<(&str, String)> {
    let wrong = |why: &str| Err(Error::usage(format!("--meta {field:?} {why}")).with_hint(HINT));
    let Some((key, value)) = field.split_once('=') else { return wrong("has no =") };
    let (key, json) = match key.strip_suffix(':') {
        Some(key) => (key, Some(value)),
        None => (key, None),
    };
    if key.split('.').any(str::is_empty) {
        return wrong("has an empty key");
    }
    let value = match json {
        None => serde_json::Value::from(value).to_string(),
        Some(json) => match serde_json::from_str::<&RawValue>(json) {
            Ok(raw) => raw.get().to_owned(),
            // What it is called may be all that tells that it is a secret: it is not quoted.
            Err(fault) => {
                let message = format!("--meta {key}:=… is not JSON: {fault}");
                return Err(Error::usage(message).with_hint(HINT));
            }
        },
    };
    Ok((key, value))
}

fn object(text: &str) -> Option<Vec<(String, Node)>> {
    let fields: Fields<'_> = serde_json::from_str(text).ok()?;
    let node = |raw: &RawValue| Node::Json(raw.get().to_owned());
    Some(fields.0.into_iter().map(|(key, raw)| (key.into_owned(), node(raw))).collect())
}

/// Sets a field; what stands in the way and is no object is replaced.
fn put(object: &mut Vec<(String, Node)>, key: &str, value: String) {
    let (first, rest) =
        key.split_once('.').map_or((key, None), |(first, rest)| (first, Some(rest)));
    let at = object.iter().position(|(name, _)| name == first).unwrap_or_else(|| {
        object.push((first.to_owned(), Node::Json("null".into())));
        object.len() - 1
    });
    let node = &mut object[at].1;
    let Some(rest) = rest else {
        *node = Node::Json(value);
        return;
    };
    if let Node::Json(text) = node {
        *node = Node::Object(self::object(text).unwrap_or_default());
    }
    if let Node::Object(inner) = node {
        put(inner, rest, value);
    }
}

fn text(object: &[(String, Node)]) -> String {
    let member = |(key, node): &(String, Node)| {
        let value = match node {
            Node::Json(text) => text.clone(),
            Node::Object(inner) => text(inner),
        };
        format!("{}:{value}", serde_json::Value::from(key.as_str()))
    };
    format!("{{{}}}", object.iter().map(member).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(base: Option<&str>, fields: &[&str]) -> Result<String> {
        let fields: Vec<String> = fields.iter().map(|f| (*f).to_owned()).collect();
        build(base, &fields)
    }

    #[test]
    fn texts_values_and_nesting() {
        assert_eq!(built(None, &[]).unwrap(), "{}");
        assert_eq!(
            built(None, &["b=x=y", "a:=[1, 2]", "d.e.f:=true", "d.e.g=\"", "z="]).unwrap(),
            r#"{"b":"x=y","a":[1, 2],"d":{"e":{"f":true,"g":"\""}},"z":""}"#
        );
    }

    #[test]
    fn flags_go_over_the_base_and_keep_its_order() {
        let base = r#"{"z":1,"outcome":{"a":1,"b":2},"n":3}"#;
        assert_eq!(
            built(Some(base), &["outcome.b:=9", "n.m=x", "y=2"]).unwrap(),
            r#"{"z":1,"outcome":{"a":1,"b":9},"n":{"m":"x"},"y":"2"}"#
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (fields, part) in [
            (&["novalue"][..], "has no ="),
            (&["a:={"], "is not JSON"),
            (&["=x"], "empty key"),
            (&["a..b=x"], "empty key"),
            (&["a=1", "a=2"], "one field"),
            (&["a.b=1", "a=2"], "one field"),
        ] {
            let error = built(None, fields).unwrap_err();
            assert!(error.message().contains(part), "{error}");
        }
        assert!(built(Some("[1]"), &[]).is_err());
        assert_eq!(built(None, &["a=1", "ab=2"]).unwrap(), r#"{"a":"1","ab":"2"}"#);
    }

    proptest::proptest! {
        #[test]
        fn any_flag_gives_json_or_an_error(fields in proptest::collection::vec(".{0,12}", 0..4)) {
            if let Ok(text) = build(None, &fields) {
                proptest::prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
            }
        }
    }
}
