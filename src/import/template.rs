//! Templates: texts of a mapping with holes that a record fills.
//!
//! Lives here: the grammar of templates and references, and their evaluation. May not live here:
//! values made of several templates (see [`super::build`]), or which template is used for what
//! (see [`super::mapping`]).
//!
//! ```text
//! "{/worker} on {/bead}"            text with holes; absent when a hole finds nothing
//! "{/duration_ms as seconds-from-ms}"  one hole alone keeps the type of its value
//! "{/model|memory.run.model|'unknown'}"  the first that is there; null counts as absent
//! "{{" and "}}"                     braces
//! ```
//! What a hole may name: `/a/b` in the record (a key may hold one `*`, the first key that fits is
//! taken), `item` and `item/a` in the item of a `for_each`, `memory.NAME` and
//! `memory.NAME.FIELD`, `about.NAME`, `'constant'`, and the words of [`Name`].

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::convert::{Conversion, plain};
use crate::closed_list;
use crate::model::Timestamp;

closed_list! {
    /// What a hole can name beside the record's own fields.
    pub enum Name {
        /// The file's name without its folder and its last extension.
        FileStem = "file.stem",
        /// The file's name without its folder.
        FileName = "file.name",
        /// The mapping's name.
        Mapping = "mapping",
        /// The event's issue.
        Issue = "issue",
        /// The event's session.
        Session = "session",
        /// The event's time.
        Time = "time",
        /// The id of the source's record.
        Id = "id",
        /// The id of the event that was made last of this record.
        Event = "event",
    }
}

/// Everything a template may look at.
#[derive(Debug, Default)]
pub(super) struct Scope<'a> {
    pub(super) record: Cow<'a, Value>,
    pub(super) item: Option<&'a Value>,
    pub(super) file_name: &'a str,
    pub(super) about: Option<&'a BTreeMap<String, Value>>,
    pub(super) mapping: &'a str,
    pub(super) issue: &'a str,
    pub(super) session: &'a str,
    pub(super) time: Option<Timestamp>,
    pub(super) id: &'a str,
    pub(super) event: &'a str,
    /// What the memories hold for this record, by their names.
    pub(super) memory: Vec<(&'a str, Value)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Key(String),
    Glob(String, String),
}

/// A place in a JSON value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Pointer(Vec<Token>);

impl Pointer {
    /// Reads `/a/b`, with the escapes of JSON pointers; empty for the whole.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let keys = text.strip_prefix('/').ok_or_else(|| format!("{text:?} is no JSON pointer"))?;
        let tokens = keys.split('/').map(|key| {
            let key = key.replace("~1", "/").replace("~0", "~");
            match key.split_once('*') {
                Some((before, after)) => Token::Glob(before.to_owned(), after.to_owned()),
                None => Token::Key(key),
            }
        });
        Ok(Self(tokens.collect()))
    }

    pub(super) fn find<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        let found = self.0.iter().try_fold(value, |value, token| match (value, token) {
            (Value::Object(members), Token::Key(key)) => members.get(key),
            (Value::Object(members), Token::Glob(before, after)) => members
                .iter()
                .find(|(key, _)| {
                    key.len() >= before.len() + after.len()
                        && key.starts_with(before.as_str())
                        && key.ends_with(after.as_str())
                })
                .map(|(_, value)| value),
            (Value::Array(items), Token::Key(key)) => items.get(key.parse::<usize>().ok()?),
            _ => None,
        })?;
        (!found.is_null()).then_some(found)
    }

    /// Its keys as texts; those with a star as they are written.
    pub(super) fn keys(&self) -> Vec<String> {
        let key = |token: &Token| match token {
            Token::Key(key) => key.clone(),
            Token::Glob(before, after) => format!("{before}*{after}"),
        };
        self.0.iter().map(key).collect()
    }
}

#[derive(Debug, Clone)]
enum Operand {
    Record(Pointer),
    Item(Pointer),
    Memory(String, Pointer),
    About(String),
    Text(Value),
    Named(Name),
}

/// A reference: alternatives, and what is made of the first that is there.
#[derive(Debug, Clone)]
pub(super) struct Hole {
    any: Vec<Operand>,
    then: Vec<Conversion>,
}

impl Hole {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = text.split(" as ");
        let any = pieces.next().unwrap_or_default();
        let any = any.split('|').map(|one| operand(one.trim())).collect::<Result<_, _>>()?;
        let then = pieces
            .map(|word| {
                Conversion::from_name(word.trim()).ok_or_else(|| {
                    let all: Vec<&str> = Conversion::ALL.iter().map(|c| c.name()).collect();
                    format!("{word:?} is no conversion; there are {}", all.join(", "))
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { any, then })
    }

    pub(super) fn value<'v>(&'v self, scope: &'v Scope<'_>) -> Option<Cow<'v, Value>> {
        self.any.iter().find_map(|operand| {
            let found = operand.value(scope)?;
            self.then
                .iter()
                .try_fold(found, |value, conversion| conversion.apply(&value).map(Cow::Owned))
        })
    }

    /// The pointers it looks at in the record, and in the item.
    fn pointers<'v>(&'v self, record: &mut Vec<&'v Pointer>, item: &mut Vec<&'v Pointer>) {
        for operand in &self.any {
            match operand {
                Operand::Record(pointer) => record.push(pointer),
                Operand::Item(pointer) => item.push(pointer),
                _ => {}
            }
        }
    }
}

impl Operand {
    fn value<'v>(&'v self, scope: &'v Scope<'_>) -> Option<Cow<'v, Value>> {
        match self {
            Self::Record(pointer) => pointer.find(&scope.record).map(Cow::Borrowed),
            Self::Item(pointer) => pointer.find(scope.item?).map(Cow::Borrowed),
            Self::Memory(name, pointer) => {
                let (_, value) = scope.memory.iter().find(|(known, _)| known == name)?;
                pointer.find(value).map(Cow::Borrowed)
            }
            Self::About(name) => scope.about?.get(name).map(Cow::Borrowed),
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Named(name) => {
                let text = match name {
                    Name::FileName => scope.file_name,
                    Name::FileStem => stem(scope.file_name),
                    Name::Mapping => scope.mapping,
                    Name::Issue => scope.issue,
                    Name::Session => scope.session,
                    Name::Id => scope.id,
                    Name::Event => scope.event,
                    Name::Time => return scope.time.map(|t| Cow::Owned(t.to_string().into())),
                };
                (!text.is_empty()).then(|| Cow::Owned(text.into()))
            }
        }
    }
}

/// A file's name without its last extension.
pub(super) fn stem(file_name: &str) -> &str {
    match file_name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => file_name,
    }
}

fn operand(text: &str) -> Result<Operand, String> {
    if let Some(constant) = text.strip_prefix('\'') {
        return match constant.strip_suffix('\'') {
            Some(constant) => Ok(Operand::Text(constant.into())),
            None => Err(format!("{text} lacks its closing quote")),
        };
    }
    if text.starts_with('/') {
        return Pointer::parse(text).map(Operand::Record);
    }
    if text == "record" {
        return Ok(Operand::Record(Pointer::default()));
    }
    if let Some(rest) = text.strip_prefix("item")
        && (rest.is_empty() || rest.starts_with('/'))
    {
        return Pointer::parse(rest).map(Operand::Item);
    }
    if let Some(rest) = text.strip_prefix("memory.") {
        let (name, fields) = rest.split_once('.').unwrap_or((rest, ""));
        let pointer = if fields.is_empty() {
            Pointer::default()
        } else {
            Pointer(fields.split('.').map(|key| Token::Key(key.to_owned())).collect())
        };
        return Ok(Operand::Memory(name.to_owned(), pointer));
    }
    if let Some(name) = text.strip_prefix("about.") {
        return Ok(Operand::About(name.to_owned()));
    }
    Name::from_name(text).map(Operand::Named).ok_or_else(|| {
        format!("{text:?} names nothing: write /field, item/field, memory.NAME, about.NAME, 'text' or one of file.stem, file.name, mapping, issue, session, time, id, event")
    })
}

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Hole(Hole),
}

/// A text with holes.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Template(Vec<Part>);

impl TryFrom<String> for Template {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl Template {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (mut parts, mut plain) = (Vec::new(), String::new());
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..];
            if brace.starts_with("{{") || brace.starts_with("}}") {
                plain.push_str(&brace[..1]);
                rest = &brace[2..];
                continue;
            }
            let end = brace.find('}').filter(|_| brace.starts_with('{'));
            let end =
                end.ok_or_else(|| format!("{text:?} has a stray brace: write {{{{ or }}}}"))?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Hole(Hole::parse(&brace[1..end])?));
            rest = &brace[end + 1..];
        }
        plain.push_str(rest);
        if !plain.is_empty() || parts.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }

    pub(super) fn value<'v>(&'v self, scope: &'v Scope<'_>) -> Option<Cow<'v, Value>> {
        if let [Part::Hole(hole)] = self.0.as_slice() {
            return hole.value(scope);
        }
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Hole(hole) => match hole.value(scope)?.as_ref() {
                    Value::String(found) => text.push_str(found),
                    other => text.push_str(&other.to_string()),
                },
            }
        }
        Some(Cow::Owned(text.into()))
    }

    /// The value as text; none when it is absent, empty, a list or an object.
    pub(super) fn text(&self, scope: &Scope<'_>) -> Option<String> {
        let text = match self.value(scope)? {
            Cow::Owned(Value::String(text)) => text,
            other if other.is_array() || other.is_object() => return None,
            other => plain(&other),
        };
        (!text.is_empty()).then_some(text)
    }

    pub(super) fn pointers<'v>(
        &'v self,
        record: &mut Vec<&'v Pointer>,
        item: &mut Vec<&'v Pointer>,
    ) {
        for part in &self.0 {
            if let Part::Hole(hole) = part {
                hole.pointers(record, item);
            }
        }
    }
}
