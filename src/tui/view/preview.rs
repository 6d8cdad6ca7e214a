//! A value in a few columns: as much of it as is seen, made in time proportional to that.

use crate::model::Value;
use crate::tui::summaries::bytes_text;
use crate::tui::theme::Role;

/// How deep maps and lists are shown.
const DEEPEST: usize = 3;

/// The value as text of at most about so many columns.
#[must_use]
pub(super) fn text(value: &Value, columns: usize) -> String {
    let mut out = String::new();
    put(value, columns.saturating_add(1), 0, &mut out);
    out
}

/// The meaning of a value of this type.
#[must_use]
pub(super) fn role(value: &Value) -> Role {
    match value {
        Value::Text(_) | Value::Long(_) => Role::String,
        Value::Int(_) | Value::UInt(_) | Value::Float(_) => Role::Number,
        Value::Bool(_) | Value::Null => Role::Literal,
        Value::List(_) | Value::Map(_) => Role::Dim,
    }
}

fn put(value: &Value, most: usize, depth: usize, out: &mut String) {
    match value {
        // Four bytes are the most that a column of ordinary text takes.
        Value::Text(text) => out.push_str(&text[..text.floor_char_boundary(most * 4)]),
        Value::Long(long) => {
            out.push_str(&format!("({}) {}", bytes_text(long.bytes), long.head));
        }
        Value::List(items) if depth >= DEEPEST => out.push_str(&format!("[{}]", items.len())),
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if out.len() > most * 4 {
                    return;
                }
                out.push_str(if at > 0 { ", " } else { "" });
                put(item, most, depth + 1, out);
            }
            out.push(']');
        }
        Value::Map(map) if depth >= DEEPEST => out.push_str(&format!("{{{}}}", map.len())),
        Value::Map(map) => {
            out.push('{');
            for (at, (key, value)) in map.iter().enumerate() {
                if out.len() > most * 4 {
                    return;
                }
                out.push_str(if at > 0 { ", " } else { "" });
                out.push_str(key);
                out.push_str(": ");
                put(value, most, depth + 1, out);
            }
            out.push('}');
        }
        other => out.push_str(&other.to_json()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_beginning_and_stops() {
        let value: Value =
            serde_json::from_str(r#"{"a":[1,2.5,{"b":{"c":{}}}],"d":null,"e":"x y"}"#).unwrap();
        assert_eq!(text(&value, 80), "{a: [1, 2.5, {b: {1}}], d: null, e: x y}");
        let items = Value::list((0..1_000_000_i64).map(Value::from));
        assert!(text(&items, 20).len() < 200);
        assert!(text(&Value::text("é".repeat(100_000)), 20).len() <= 84);
    }
}
