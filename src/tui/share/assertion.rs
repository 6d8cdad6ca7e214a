//! A value of the state as an expression that holds while it is there: for `state --assert`.

use crate::model::{Key, Path, Value};

/// The longest value that is compared as a whole, in bytes of its JSON.
const MOST_BYTES: usize = 1000;

/// The expression that the state has this value at this path; that something is there at all, where
/// the value is too long to be compared.
#[must_use]
pub fn assertion(root: &Value, path: &Path) -> String {
    let place = place(root, path);
    match root.at(path) {
        None | Some(Value::Null) => format!("{place} == null"),
        Some(Value::Long(_)) => format!("{place} != null"),
        Some(value) => {
            let json = value.to_json();
            // (Of a map with a long value within, only a reference would be compared.)
            if json.len() > MOST_BYTES || has_long(value) {
                return format!("{place} != null");
            }
            format!("{place} == {json}")
        }
    }
}

/// A path as jq names it, from the state on.
fn place(root: &Value, path: &Path) -> String {
    let mut text = String::from("$state");
    let mut above = Path::root();
    for key in path.keys() {
        let in_list = matches!(root.at(&above), Some(Value::List(_)));
        if in_list {
            text.push_str(&format!("[{key}]"));
        } else if is_name(key) {
            text.push_str(&format!(".{key}"));
        } else {
            text.push_str(&format!("[{}]", Value::from(key.as_str()).to_json()));
        }
        above.push(key.clone());
    }
    text
}

/// Whether jq takes a key without quotes.
fn is_name(key: &Key) -> bool {
    let first = key.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    first && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn has_long(value: &Value) -> bool {
    match value {
        Value::Long(_) => true,
        Value::Map(map) => map.iter().any(|(_, value)| has_long(value)),
        Value::List(items) => items.iter().any(has_long),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::expression::{Expression, Subject};

    const STATE: &str = r#"{"agents":{"api-1":{"status":"failed","files":["a","b"],"n":0.1,
        "ok":false,"q":"it's \"so\"","e":{}}},"errors":{"1/2":{"and":1}},"n":null}"#;

    #[test]
    fn what_is_there_is_asserted_and_holds_there_alone() {
        let root: Value = serde_json::from_str(STATE).unwrap();
        let other: Value = serde_json::from_str(r#"{"agents":{},"n":1}"#).unwrap();
        for (path, expected) in [
            ("/agents/api-1/status", r#"$state.agents["api-1"].status == "failed""#),
            ("/agents/api-1/files/1", r#"$state.agents["api-1"].files[1] == "b""#),
            ("/agents/api-1/files", r#"$state.agents["api-1"].files == ["a","b"]"#),
            ("/agents/api-1/n", r#"$state.agents["api-1"].n == 0.1"#),
            ("/agents/api-1/ok", r#"$state.agents["api-1"].ok == false"#),
            ("/agents/api-1/q", r#"$state.agents["api-1"].q == "it's \"so\"""#),
            ("/agents/api-1/e", r#"$state.agents["api-1"].e == {}"#),
            ("/errors/1~12/and", r#"$state.errors["1/2"].and == 1"#),
            ("/errors", r#"$state.errors == {"1/2":{"and":1}}"#),
            ("/n", "$state.n == null"),
        ] {
            let path = Path::parse(path).unwrap();
            let text = assertion(&root, &path);
            assert_eq!(text, expected);
            let expression = Expression::parse(&text).unwrap();
            let event = Value::Null;
            let holds = |state| {
                expression.holds(Subject { event: &event, state, before: state }).unwrap_or(false)
            };
            assert!(holds(&root) && !holds(&other), "{text}");
        }
    }
}
