//! The line that says in words what an event did.
//!
//! Lives here: rendering of the catalogue's templates, and the best guess for types that it does
//! not have. May not live here: escaping of control characters; whoever prints does that.

use super::Spec;
use crate::model::{Map, Value};

/// The most characters that one value adds to a line.
const VALUE_CHARS: usize = 120;

/// What an event did, in one line of words. Values are shown as they are, control characters
/// included, cut with `…` after 120 characters each. Without a row, the fields that most logs
/// have say it, and the type's name where there are none.
#[must_use]
pub fn summary(spec: Option<&Spec>, metadata: &Map, type_name: &str) -> String {
    match spec {
        Some(spec) => {
            let mut line = String::with_capacity(80);
            render(spec.summary, metadata, &mut line);
            line
        }
        None => guess(metadata, type_name),
    }
}

/// Renders a template: `{field}`, `{field|other text}`; a field that is not there is `?`.
fn render(template: &str, metadata: &Map, line: &mut String) {
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        line.push_str(&rest[..open]);
        let inside = &rest[open + 1..];
        let Some(close) = matching_brace(inside) else {
            rest = inside;
            break;
        };
        place(&inside[..close], metadata, line);
        rest = &inside[close + 1..];
    }
    line.push_str(rest);
}

fn place(place: &str, metadata: &Map, line: &mut String) {
    let (name, otherwise) = match place.split_once('|') {
        Some((name, otherwise)) => (name, Some(otherwise)),
        None => (place, None),
    };
    let mut keys = name.split('.');
    let first = keys.next().and_then(|key| metadata.get(key));
    let value = keys.fold(first, |value, key| value.and_then(|value| value.get(key)));
    match (value.and_then(shown), otherwise) {
        (Some(text), _) => line.push_str(&text),
        (None, Some(otherwise)) => render(otherwise, metadata, line),
        (None, None) => line.push('?'),
    }
}

/// The place of the brace that closes the one before `text`.
fn matching_brace(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    text.bytes().position(|byte| {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return true,
            b'}' => depth -= 1,
            _ => {}
        }
        false
    })
}

/// A value as the line shows it; none where there is nothing to show.
fn shown(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::Text(text) => cut(text),
        Value::Long(long) => cut(&format!("{}…", long.head)),
        Value::List(items) => {
            let mut line = String::new();
            for item in items.iter() {
                if line.len() > VALUE_CHARS * 4 {
                    break;
                }
                if !line.is_empty() {
                    line.push_str(", ");
                }
                line.push_str(&shown(item).unwrap_or_default());
            }
            cut(&line)
        }
        other => cut(&other.to_json()),
    };
    (!text.is_empty()).then_some(text)
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(VALUE_CHARS) {
        Some(_) => {
            let end = text.char_indices().nth(VALUE_CHARS - 1).map_or(text.len(), |(at, _)| at);
            format!("{}…", &text[..end])
        }
        None => text.to_owned(),
    }
}

/// Fields that name the thing, say what happened to it, and how it stands.
const THING: &[&str] = &["title", "name", "subject", "task", "task_id", "agent", "agent_name"];
const SAID: &[&str] = &[
    "message",
    "summary",
    "description",
    "reason",
    "failure_reason",
    "error",
    "text",
    "note",
    "content",
    "prompt",
    "command",
];
const STANDING: &[&str] = &["status", "state", "outcome", "result", "verdict"];

fn guess(metadata: &Map, type_name: &str) -> String {
    let first = |names: &[&str]| {
        names.iter().find_map(|name| {
            let value = metadata.get(name)?;
            if value.as_map().is_some() { None } else { shown(value) }
        })
    };
    let mut line = first(THING).unwrap_or_default();
    for (text, before, after) in [(first(SAID), ": ", ""), (first(STANDING), " (", ")")] {
        let Some(text) = text else { continue };
        if line.is_empty() {
            line = text;
        } else {
            line = format!("{line}{before}{text}{after}");
        }
    }
    if line.is_empty() { scalars(metadata).unwrap_or_else(|| type_name.to_owned()) } else { line }
}

/// The first few plain fields, where none has a name that says more.
fn scalars(metadata: &Map) -> Option<String> {
    let fields: Vec<String> = metadata
        .iter()
        .filter(|(_, value)| value.as_map().is_none() && value.as_list().is_none())
        .filter_map(|(key, value)| Some(format!("{key} {}", shown(value)?)))
        .take(3)
        .collect();
    (!fields.is_empty()).then(|| fields.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::spec;
    use super::*;
    use crate::model::Kind;

    fn line(kind: Kind, metadata: &str) -> String {
        summary(spec(kind), &serde_json::from_str(metadata).unwrap(), "BeadClosed")
    }

    #[test]
    fn templates_take_fields_and_other_texts() {
        for (kind, metadata, expected) in [
            (
                Kind::AgentFailed,
                r#"{"agent_name":"api","failure_reason":"type error"}"#,
                "api failed: type error",
            ),
            (Kind::AgentFailed, r#"{"agent_name":"api"}"#, "api failed: ?"),
            (Kind::WorklogAdded, r#"{"time_spent_seconds":60}"#, "Logged 60 s: work"),
            (Kind::DecisionMade, r#"{"decision_id":"d","title":"Store"}"#, "Decision d: Store"),
            (Kind::ToolInvoked, r#"{"tool_name":"Bash","input":{"command":"ls"}}"#, "Bash: ls"),
            (
                Kind::MergeConflictDetected,
                r#"{"files":["a","b"]}"#,
                "Merge conflict on a branch: a, b",
            ),
        ] {
            assert_eq!(line(kind, metadata), expected);
        }
    }

    #[test]
    fn types_without_a_row_are_guessed() {
        for (metadata, expected) in [
            (r#"{"title":"Fix","status":"closed","reason":"done"}"#, "Fix: done (closed)"),
            (r#"{"bead":"cg-1","n":3,"x":{}}"#, "bead cg-1, n 3"),
            (r#"{"status":"open"}"#, "open"),
            ("{}", "BeadClosed"),
        ] {
            assert_eq!(line(Kind::Unknown, metadata), expected);
        }
    }

    #[test]
    fn long_values_are_cut_by_characters() {
        let long = "é".repeat(300);
        let text = line(Kind::PromptSubmitted, &format!(r#"{{"prompt":"{long}"}}"#));
        assert_eq!(text.chars().count(), "Prompt: ".len() + VALUE_CHARS);
        assert!(text.ends_with("é…"));
        let exact = "x".repeat(VALUE_CHARS);
        let text = line(Kind::PromptSubmitted, &format!(r#"{{"prompt":"{exact}"}}"#));
        assert!(text.ends_with('x'));
    }

    proptest::proptest! {
        #[test]
        fn any_template_is_answered(template in "[a{}|.é ]{0,20}") {
            let metadata = [("a", Value::Int(1))].into_iter().collect();
            render(&template, &metadata, &mut String::new());
        }
    }
}
