//! Whether metadata and stored lines are what the catalogue says.
//!
//! Lives here: the quick answer for what is plainly valid, made from the catalogue's rows without
//! any start-up. May not live here: explaining what is not; JSON Schema does that (see
//! [`super::judge`]), and it alone decides what is invalid. So the quick answer may be “no” for
//! something valid (`1.0` for an integer), never “yes” for something invalid.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::draft::{SchemaFault, has_control};
use super::members::{self, Member, is_there};
use super::{generate, json, judge, strict, suggest, words};
use crate::model::catalogue::{self, Field, Type, Version};
use crate::model::envelope::{self, ActorType, Text};
use crate::model::{Kind, Timestamp, ids};

/// Whether sound JSON text is a metadata object that plainly fits the kind's row. `false` means
/// that it must be looked at more closely.
#[must_use]
pub fn plainly_valid(kind: Kind, metadata: &str) -> bool {
    let fields = catalogue::spec(kind).map_or(&[][..], |spec| spec.fields);
    object_fits(fields, metadata)
}

fn object_fits(fields: &'static [Field], json: &str) -> bool {
    quick_object_fits(fields, json) || fits(Object(fields), json)
}

fn fits<'de>(seed: impl DeserializeSeed<'de>, json: &'de str) -> bool {
    let mut reader = serde_json::Deserializer::from_str(json);
    seed.deserialize(&mut reader).is_ok() && reader.end().is_ok()
}

/// The same in one quick pass; false also for what is written in no plain way.
fn quick_object_fits(fields: &'static [Field], json: &str) -> bool {
    let (mut seen, mut sound) = (0_u64, true);
    let read = members::plain(json, |key, raw, _, escaped| {
        if let Some(at) = fields.iter().position(|field| field.name == key) {
            seen |= 1 << at;
            sound = sound && quick_value_fits(fields[at].ty, raw, escaped);
        }
    });
    let absent = |(at, field): (usize, &Field)| field.required && seen & (1 << at) == 0;
    read.is_some() && sound && !fields.iter().enumerate().any(absent)
}

fn quick_value_fits(ty: Type, raw: &str, escaped: bool) -> bool {
    let text = || raw.strip_prefix('"')?.strip_suffix('"');
    match ty {
        Type::Any => true,
        Type::Str => raw.starts_with('"'),
        Type::Name => raw.starts_with('"') && raw.len() > 2,
        Type::Obj(fields) => object_fits(fields, raw),
        _ if !escaped && raw.starts_with('"') => text().is_some_and(|text| text_fits(ty, text)),
        _ => fits(Check(ty), raw),
    }
}

/// Whether a text is one of this type.
fn text_fits(ty: Type, text: &str) -> bool {
    match ty {
        Type::Str => true,
        Type::Name => !text.is_empty(),
        Type::OneOf(words) => words.contains(&text),
        Type::Phase => is_phase(text),
        Type::Time => is_time(text),
        _ => false,
    }
}

/// What is wrong with the metadata of an event of this kind; pointers begin at the event's root.
/// The text must be sound JSON (see [`super::json::scan`]).
pub(super) fn metadata_faults(kind: Kind, metadata: &str) -> Vec<SchemaFault> {
    let Some(spec) = catalogue::spec(kind) else { return Vec::new() };
    if plainly_valid(kind, metadata) {
        return Vec::new();
    }
    match serde_json::from_str(metadata) {
        Ok(value) => {
            judge::judge(&generate::metadata_schema(spec), &value, "/metadata", kind.name())
        }
        Err(error) => vec![SchemaFault::new("/metadata", format!("cannot be read: {error}"))],
    }
}

/// What is wrong with the text of one stored event: the faults of its own type, none where it is
/// valid. Unknown types are a fault unless they are allowed.
#[must_use]
pub fn check_stored_line(text: &str, allow_unknown_types: bool) -> Vec<SchemaFault> {
    let fields = match strict::object(text) {
        Ok(fields) => fields,
        Err(faults) => return faults,
    };
    let mut faults = Vec::new();
    let found = json::scan(text);
    if !found.sound || found.depth > json::MAX_DEPTH {
        json::name_unsound(text.trim(), "", 0, &mut faults);
        return faults;
    }
    for (at, member) in fields.iter().enumerate() {
        if is_there(&fields[..at], &member.key) {
            faults.push(SchemaFault::new(json::child("", &member.key), "comes twice"));
        }
    }
    let type_name = fields
        .iter()
        .find(|member| member.key == "event_type")
        .and_then(|member| json::string(member.raw))
        .unwrap_or_default();
    let kind = Kind::from_name(&type_name);
    if !kind.is_catalogued() && !type_name.is_empty() && !allow_unknown_types {
        faults.push(suggest::unknown_type(&type_name));
    }
    if faults.is_empty() && plainly_valid_event(kind, &fields) {
        return faults;
    }
    match serde_json::from_str(text) {
        Ok(event) => {
            faults.extend(judge::judge(&generate::event_schema(kind), &event, "", kind.name()));
        }
        Err(error) => faults.push(SchemaFault::new("", format!("cannot be read: {error}"))),
    }
    faults
}

/// Whether the members of a stored event plainly fit the envelope and the kind's row.
fn plainly_valid_event(kind: Kind, fields: &[Member<'_>]) -> bool {
    let required = fields.iter().filter(|m| envelope::REQUIRED.contains(&&*m.key)).count();
    required == envelope::REQUIRED.len()
        && fields.iter().all(|member| plainly_valid_field(kind, &member.key, member.raw))
}

fn plainly_valid_field(kind: Kind, name: &str, raw: &str) -> bool {
    let text = |check: &dyn Fn(&str) -> bool| json::string(raw).is_some_and(|text| check(&text));
    match name {
        "event_id" => text(&ids::is_uuid),
        "event_version" => text(&|version| is_version_of(kind, version)),
        "timestamp" => text(&is_time),
        "event_sequence" => raw.parse::<u64>().is_ok_and(|sequence| sequence > 0),
        "issue_key" => text(&|key| ids::check_issue_key(key).is_ok()),
        "event_type" | "session_id" | "correlation_id" | "causation_id" | "branch" => {
            text(&|word| !word.is_empty() && !has_control(word))
        }
        "actor" => is_actor(raw),
        "metadata" => plainly_valid(kind, raw),
        "git_sha" => text(&is_sha),
        "codebase_state" => raw.starts_with('{'),
        _ => false,
    }
}

/// Whether a version can be that of an event of this kind; any semantic version for kinds that
/// the catalogue does not have.
fn is_version_of(kind: Kind, version: &str) -> bool {
    if !kind.is_catalogued() {
        return words::is_semver(version);
    }
    Version::from_name(version).is_some_and(|version| version >= Version::since(kind))
}

/// Whether a text is a commit's hash, perhaps shortened.
pub(super) fn is_sha(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_actor(raw: &str) -> bool {
    let Some(members) = members::read(raw) else { return false };
    is_there(&members, "type")
        && is_there(&members, "id")
        && members.iter().all(|member| {
            let text = json::string(member.raw).unwrap_or_default();
            match &*member.key {
                "type" => ActorType::from_name(&text).is_some(),
                "id" | "model" => !text.is_empty() && !has_control(&text),
                _ => false,
            }
        })
}

/// Whether a text is a time as [`generate::TIME`] describes it.
fn is_time(text: &str) -> bool {
    // The seconds that the reader of times is generous about.
    let seconds = text.get(17..19).unwrap_or_default();
    Timestamp::parse(text).is_ok() && seconds <= "60"
}

/// Whether a text is the name of a phase as [`generate::PHASE`] describes it.
fn is_phase(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
}

/// Reads an object and fails where it does not plainly fit the fields.
#[derive(Clone, Copy)]
struct Object(&'static [Field]);

impl<'de> DeserializeSeed<'de> for Object {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = 0_u64;
        while let Some(key) = map.next_key::<Text<'de>>()? {
            match self.0.iter().position(|field| field.name == &*key) {
                Some(at) => {
                    seen |= 1 << at;
                    map.next_value_seed(Check(self.0[at].ty))?;
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let absent = |(at, field): (usize, &Field)| field.required && seen & (1 << at) == 0;
        if self.0.iter().enumerate().any(absent) { Err(not_plain()) } else { Ok(()) }
    }
}

/// Reads a value and fails where it does not plainly fit the type.
#[derive(Clone, Copy)]
struct Check(Type);

impl<'de> DeserializeSeed<'de> for Check {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.0 {
            Type::Any => deserializer.deserialize_ignored_any(IgnoredAny).map(|_| ()),
            Type::Obj(fields) => Object(fields).deserialize(deserializer),
            Type::Bool => deserializer.deserialize_bool(self),
            Type::StrList | Type::ObjList(_) => deserializer.deserialize_seq(self),
            Type::Int | Type::IntIn(..) | Type::Num => deserializer.deserialize_any(self),
            Type::Str | Type::Name | Type::OneOf(_) | Type::Phase | Type::Time => {
                deserializer.deserialize_str(self)
            }
        }
    }
}

fn not_plain<E: de::Error>() -> E {
    E::custom("not plainly valid")
}

impl<'de> Visitor<'de> for Check {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another type")
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        if matches!(self.0, Type::Bool) { Ok(()) } else { Err(not_plain()) }
    }

    fn visit_i64<E: de::Error>(self, n: i64) -> Result<(), E> {
        match self.0 {
            Type::Int | Type::Num => Ok(()),
            Type::IntIn(least, most) if (least..=most).contains(&n) => Ok(()),
            _ => Err(not_plain()),
        }
    }

    fn visit_u64<E: de::Error>(self, n: u64) -> Result<(), E> {
        self.visit_i64(i64::try_from(n).map_err(|_| not_plain())?)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        if matches!(self.0, Type::Num) { Ok(()) } else { Err(not_plain()) }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        if text_fits(self.0, text) { Ok(()) } else { Err(not_plain()) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        match self.0 {
            Type::StrList => while items.next_element_seed(Check(Type::Str))?.is_some() {},
            Type::ObjList(fields) => while items.next_element_seed(Object(fields))?.is_some() {},
            _ => return Err(not_plain()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
