//! Built values: what a mapping makes of several templates.
//!
//! Lives here: [`Build`], its grammar and its evaluation. May not live here: the templates
//! themselves (see [`super::template`]).

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use super::template::{Pointer, Scope, Template};

/// A value that is built: a constant, a template, or a list or object of such. Objects with one
/// of these keys are instructions:
/// `$first` the first of a list that is there; `$sum` the sum of those numbers of a list that are
/// there; `$pick` a look-up (`{ "$pick" = "{/x}", a = …, b = …, "*" = … }`); `$spread` puts the
/// members of an object beside the others, which win.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "toml::Value")]
pub(super) enum Build {
    Constant(Value),
    Template(Template),
    List(Vec<Build>),
    Object { spread: Option<Template>, members: Vec<(String, Build)> },
    First(Vec<Build>),
    Sum(Vec<Build>),
    Pick { by: Template, among: Vec<(String, Build)> },
}

impl Default for Build {
    fn default() -> Self {
        Self::Object { spread: None, members: Vec::new() }
    }
}

impl TryFrom<toml::Value> for Build {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        Ok(match value {
            toml::Value::String(text) => Self::Template(Template::parse(&text)?),
            toml::Value::Integer(n) => Self::Constant(n.into()),
            toml::Value::Float(x) => Self::Constant(x.into()),
            toml::Value::Boolean(b) => Self::Constant(b.into()),
            toml::Value::Datetime(at) => Self::Constant(at.to_string().into()),
            toml::Value::Array(items) => Self::List(list(items)?),
            toml::Value::Table(table) => Self::from_table(table)?,
        })
    }
}

fn list(items: Vec<toml::Value>) -> Result<Vec<Build>, String> {
    items.into_iter().map(Build::try_from).collect()
}

impl Build {
    fn from_table(mut table: toml::Table) -> Result<Self, String> {
        let text = |value: toml::Value| match value {
            toml::Value::String(text) => Template::parse(&text),
            _ => Err("takes a template".to_owned()),
        };
        let several = |value: toml::Value| match value {
            toml::Value::Array(items) => list(items),
            _ => Err("takes a list".to_owned()),
        };
        if let Some(items) = table.remove("$first") {
            return Ok(Self::First(several(items).map_err(|e| format!("$first {e}"))?));
        }
        if let Some(items) = table.remove("$sum") {
            return Ok(Self::Sum(several(items).map_err(|e| format!("$sum {e}"))?));
        }
        let by = table.remove("$pick");
        let spread = table.remove("$spread");
        if let Some(key) = table.keys().find(|key| key.starts_with('$')) {
            return Err(format!("{key} is none of $first, $sum, $pick, $spread"));
        }
        let members = table
            .into_iter()
            .map(|(key, value)| Ok((key, Build::try_from(value)?)))
            .collect::<Result<_, String>>()?;
        Ok(match by {
            Some(by) => Self::Pick { by: text(by)?, among: members },
            None => Self::Object { spread: spread.map(text).transpose()?, members },
        })
    }

    /// The value; absent parts are left out.
    pub(super) fn value(&self, scope: &Scope<'_>) -> Option<Value> {
        match self {
            Self::Constant(value) => Some(value.clone()),
            Self::Template(template) => template.value(scope).map(Cow::into_owned),
            Self::List(items) => Some(items.iter().filter_map(|item| item.value(scope)).collect()),
            Self::First(items) => items.iter().find_map(|item| item.value(scope)),
            Self::Sum(items) => {
                let mut numbers = items.iter().filter_map(|item| item.value(scope)?.as_i64());
                let first = numbers.next()?;
                // A sum that no number can hold is not there; a wrong one would be made up.
                numbers.try_fold(first, i64::checked_add).map(Value::from)
            }
            Self::Pick { by, among } => {
                let by = by.text(scope);
                let exact = among.iter().find(|(key, _)| Some(key) == by.as_ref());
                exact.or_else(|| among.iter().find(|(key, _)| key == "*"))?.1.value(scope)
            }
            Self::Object { spread, members } => {
                let spread = spread.as_ref().and_then(|template| template.value(scope));
                let mut object = match spread.map(Cow::into_owned) {
                    Some(Value::Object(members)) => members,
                    _ => serde_json::Map::new(),
                };
                for (key, build) in members {
                    if let Some(value) = build.value(scope) {
                        object.insert(key.clone(), value);
                    }
                }
                Some(Value::Object(object))
            }
        }
    }

    pub(super) fn pointers<'v>(
        &'v self,
        record: &mut Vec<&'v Pointer>,
        item: &mut Vec<&'v Pointer>,
    ) {
        match self {
            Self::Constant(_) => {}
            Self::Template(template) => template.pointers(record, item),
            Self::List(items) | Self::First(items) | Self::Sum(items) => {
                items.iter().for_each(|one| one.pointers(record, item));
            }
            Self::Pick { by, among } => {
                by.pointers(record, item);
                among.iter().for_each(|(_, one)| one.pointers(record, item));
            }
            Self::Object { spread, members } => {
                spread.iter().for_each(|one| one.pointers(record, item));
                members.iter().for_each(|(_, one)| one.pointers(record, item));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(toml: &str, record: &Value) -> Option<Value> {
        #[derive(Deserialize)]
        struct Holder {
            value: Build,
        }
        let holder: Holder = toml::from_str(toml).unwrap();
        let scope = Scope { record: Cow::Borrowed(record), ..Scope::default() };
        holder.value.value(&scope)
    }

    #[test]
    fn a_sum_is_of_the_numbers_that_are_there_and_never_a_wrong_one() {
        let sum = |record| built(r#"value = { "$sum" = ["{/a}", "{/b}"] }"#, &record);
        assert_eq!(sum(serde_json::json!({"a": 2, "b": 3})), Some(5.into()));
        assert_eq!(sum(serde_json::json!({"a": 2, "b": "x"})), Some(2.into()));
        assert_eq!(sum(serde_json::json!({})), None);
        assert_eq!(sum(serde_json::json!({"a": i64::MAX, "b": 1})), None);
    }
}
