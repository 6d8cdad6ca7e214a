//! Conditions: what must hold of a record for a rule to apply.
//!
//! Lives here: [`When`], its TOML form and its answer. May not live here: rules.
//!
//! `{ "/type" = "user", "/isMeta" = { exists = false } }`: every member must hold. A member is
//! a reference (as in a hole) and what its value must be: the same value, one of a list, or a
//! table of tests, all of which must hold. A list of such tables: one of them must hold.

use serde::Deserialize;
use serde_json::Value;

use super::template::{Hole, Pointer, Scope, Template};

/// A condition.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "toml::Value")]
pub(super) struct When(Vec<Vec<(Template, Test)>>);

#[derive(Debug, Clone)]
enum Test {
    OneOf(Vec<Value>),
    All(Vec<Check>),
}

#[derive(Debug, Clone)]
enum Check {
    Exists(bool),
    Is(String),
    StartsWith(String),
    EndsWith(String),
    Contains(Value),
    Not(Box<Test>),
    Above(f64),
    Below(f64),
}

impl TryFrom<toml::Value> for When {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        let any = match value {
            toml::Value::Array(items) => items,
            table => vec![table],
        };
        let any = any.into_iter().map(|one| match one {
            toml::Value::Table(table) => table
                .into_iter()
                .map(|(reference, test)| Ok((reference_of(&reference)?, Test::parse(test)?)))
                .collect(),
            _ => Err("a condition is a table, or a list of tables".to_owned()),
        });
        Ok(Self(any.collect::<Result<_, String>>()?))
    }
}

/// A condition's key is a hole without its braces.
fn reference_of(text: &str) -> Result<Template, String> {
    Hole::parse(text)?;
    Template::parse(&format!("{{{text}}}"))
}

fn constant(value: toml::Value) -> Result<Value, String> {
    match value {
        toml::Value::String(text) => Ok(text.into()),
        toml::Value::Integer(n) => Ok(n.into()),
        toml::Value::Float(x) => Ok(x.into()),
        toml::Value::Boolean(b) => Ok(b.into()),
        other => Err(format!("{other} is no constant to compare with")),
    }
}

impl Test {
    fn parse(value: toml::Value) -> Result<Self, String> {
        Ok(match value {
            toml::Value::Array(items) => {
                Self::OneOf(items.into_iter().map(constant).collect::<Result<_, _>>()?)
            }
            toml::Value::Table(table) => Self::All(
                table
                    .into_iter()
                    .map(|(word, value)| Check::parse(&word, value))
                    .collect::<Result<_, _>>()?,
            ),
            one => Self::OneOf(vec![constant(one)?]),
        })
    }

    fn holds(&self, value: Option<&Value>) -> bool {
        match self {
            Self::OneOf(constants) => value.is_some_and(|value| constants.contains(value)),
            Self::All(checks) => checks.iter().all(|check| check.holds(value)),
        }
    }
}

impl Check {
    fn parse(word: &str, value: toml::Value) -> Result<Self, String> {
        let text = |value: toml::Value| match value {
            toml::Value::String(text) => Ok(text),
            _ => Err(format!("{word} takes a text")),
        };
        Ok(match (word, value) {
            ("exists", toml::Value::Boolean(wanted)) => Self::Exists(wanted),
            ("is", value) => {
                let kind = text(value)?;
                if !["text", "number", "bool", "list", "object"].contains(&kind.as_str()) {
                    return Err(format!("is = {kind:?}: text, number, bool, list or object"));
                }
                Self::Is(kind)
            }
            ("starts_with", value) => Self::StartsWith(text(value)?),
            ("ends_with", value) => Self::EndsWith(text(value)?),
            ("contains", value) => Self::Contains(constant(value)?),
            ("not", value) => Self::Not(Box::new(Test::parse(value)?)),
            ("above" | "below", value) => {
                let limit = constant(value)?.as_f64();
                let limit = limit.ok_or_else(|| format!("{word} takes a number"))?;
                if word == "above" { Self::Above(limit) } else { Self::Below(limit) }
            }
            _ => {
                return Err(format!(
                    "{word} is no test: exists, is, starts_with, ends_with, contains, not, above, below"
                ));
            }
        })
    }

    fn holds(&self, value: Option<&Value>) -> bool {
        let text = value.and_then(Value::as_str);
        let number = value.and_then(Value::as_f64);
        match self {
            Self::Exists(wanted) => value.is_some() == *wanted,
            Self::Not(test) => !test.holds(value),
            Self::StartsWith(start) => text.is_some_and(|text| text.starts_with(start.as_str())),
            Self::EndsWith(end) => text.is_some_and(|text| text.ends_with(end.as_str())),
            Self::Above(limit) => number.is_some_and(|number| number > *limit),
            Self::Below(limit) => number.is_some_and(|number| number < *limit),
            Self::Contains(wanted) => match value {
                Some(Value::Array(items)) => items.contains(wanted),
                Some(Value::String(text)) => {
                    wanted.as_str().is_some_and(|part| text.contains(part))
                }
                Some(Value::Object(members)) => {
                    wanted.as_str().is_some_and(|key| members.contains_key(key))
                }
                _ => false,
            },
            Self::Is(kind) => matches!(
                (kind.as_str(), value),
                ("text", Some(Value::String(_)))
                    | ("number", Some(Value::Number(_)))
                    | ("bool", Some(Value::Bool(_)))
                    | ("list", Some(Value::Array(_)))
                    | ("object", Some(Value::Object(_)))
            ),
        }
    }
}

impl When {
    /// Whether it holds; the empty condition always does.
    pub(super) fn holds(&self, scope: &Scope<'_>) -> bool {
        self.0.is_empty()
            || self.0.iter().any(|all| {
                all.iter().all(|(reference, test)| test.holds(reference.value(scope).as_deref()))
            })
    }

    pub(super) fn pointers<'v>(
        &'v self,
        record: &mut Vec<&'v Pointer>,
        item: &mut Vec<&'v Pointer>,
    ) {
        for (reference, _) in self.0.iter().flatten() {
            reference.pointers(record, item);
        }
    }
}
