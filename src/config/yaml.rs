//! A YAML file as a tree whose values know their lines.
//!
//! Lives here: reading one. May not live here: what the keys mean.

use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_saphyr::Spanned;

use crate::error::{Error, Result};

/// A value and the line it stands on, from 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) line: u64,
    pub(super) data: Data,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Data {
    /// Anything but lists and tables.
    Scalar(Value),
    List(Vec<Node>),
    /// In the order of the file.
    Table(Vec<(String, Node)>),
}

impl Node {
    /// The value without its lines.
    pub(super) fn to_json(&self) -> Value {
        match &self.data {
            Data::Scalar(value) => value.clone(),
            Data::List(items) => items.iter().map(Self::to_json).collect(),
            Data::Table(entries) => {
                entries.iter().map(|(key, node)| (key.clone(), node.to_json())).collect()
            }
        }
    }
}

impl From<Spanned<Data>> for Node {
    fn from(spanned: Spanned<Data>) -> Self {
        Self { line: spanned.referenced.line(), data: spanned.value }
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DataVisitor)
    }
}

struct DataVisitor;

impl<'de> Visitor<'de> for DataVisitor {
    type Value = Data;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a YAML value")
    }
    fn visit_unit<E>(self) -> Result<Data, E> {
        Ok(Data::Scalar(Value::Null))
    }
    fn visit_none<E>(self) -> Result<Data, E> {
        Ok(Data::Scalar(Value::Null))
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Data, D::Error> {
        deserializer.deserialize_any(self)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Data, E> {
        Ok(Data::Scalar(value.into()))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Data, E> {
        Ok(Data::Scalar(value.into()))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Data, E> {
        Ok(Data::Scalar(value.into()))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Data, E> {
        Ok(Data::Scalar(value.into()))
    }
    fn visit_str<E>(self, value: &str) -> Result<Data, E> {
        Ok(Data::Scalar(value.into()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Data, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element::<Spanned<Data>>()? {
            items.push(item.into());
        }
        Ok(Data::List(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Data, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, Spanned<Data>>()? {
            entries.push((key, value.into()));
        }
        Ok(Data::Table(entries))
    }
}

/// Reads a file's text. An empty file is an empty table.
pub(super) fn parse(text: &str, path: &Path) -> Result<Node> {
    let blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if text.lines().all(blank) {
        return Ok(Node { line: 1, data: Data::Table(Vec::new()) });
    }
    serde_saphyr::from_str::<Spanned<Data>>(text).map(Node::from).map_err(|fault| {
        let place = fault.location().map_or_else(String::new, |at| format!(":{}", at.line()));
        let why = fault.without_snippet().to_string();
        Error::usage(format!("{}{place}: is not YAML: {why}", path.display()))
            .with_hint("mend that line, or name another file with --config")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_know_their_lines() {
        let text = "# c\na:\n  b: 1\n  c: [x, 2.5, true, null]\nd: text\n";
        let node = parse(text, Path::new("x.yaml")).unwrap();
        assert_eq!(
            node.to_json(),
            serde_json::json!({"a":{"b":1,"c":["x",2.5,true,null]},"d":"text"})
        );
        let Data::Table(entries) = &node.data else { panic!("no table") };
        let Data::Table(inner) = &entries[0].1.data else { panic!("no table") };
        assert_eq!((inner[0].1.line, inner[1].1.line, entries[1].1.line), (3, 4, 5));
    }

    #[test]
    fn a_fault_names_file_and_line() {
        let error = parse("a: 1\nb: [1, 2\nc: 3\n", Path::new("x.yaml")).unwrap_err();
        let (place, why) = error.message().split_once(": is not YAML: ").unwrap();
        assert!(["x.yaml:2", "x.yaml:3"].contains(&place), "{error}");
        assert!(!why.is_empty() && !why.contains('\n'), "{error}");
    }
}
