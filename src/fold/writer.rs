//! Writing to the state so that every change is known.
//!
//! Lives here: [`Writer`] (one event's access to the tree) and [`Node`] (one thing in it). May not
//! live here: what any type means.

use std::cell::OnceCell;

use smol_str::SmolStr;

use super::record::Record;
use super::state::look;
use super::{Applied, Change};
use crate::model::{Anomaly, AnomalyKind, Event, Key, Map, Path, Value};

/// One event's access to the tree. A write that does not change the value leaves it as it is,
/// still shared with other versions, and records nothing.
pub(super) struct Writer<'a> {
    root: &'a mut Map,
    /// The event that writes.
    pub(super) event: &'a Event,
    applied: Option<&'a mut Applied>,
    now: OnceCell<SmolStr>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        root: &'a mut Map,
        event: &'a Event,
        applied: Option<&'a mut Applied>,
    ) -> Self {
        Self { root, event, applied, now: OnceCell::new() }
    }

    /// The event's time as text.
    pub(super) fn now(&self) -> Value {
        Value::Text(now(&self.now, self.event).clone())
    }

    /// The tree as it is now.
    pub(super) fn root(&self) -> &Map {
        self.root
    }

    /// The value under these keys.
    pub(super) fn look<K: AsRef<str>>(&self, keys: &[K]) -> Option<&Value> {
        look(self.root, keys)
    }

    /// The thing under these keys. It comes into being with its first field.
    pub(super) fn node<const N: usize>(&mut self, keys: [Key; N]) -> Node<'_> {
        let mut map = &mut *self.root;
        let mut depth = 0;
        for key in &keys {
            match map.enter(key) {
                Ok(child) => {
                    map = child;
                    depth += 1;
                }
                Err(above) => {
                    map = above;
                    break;
                }
            }
        }
        Node {
            map: Some(map),
            depth,
            is_new: depth < N,
            path: Path::of(keys),
            changes: self.applied.as_deref_mut().map(|applied| &mut applied.changes),
            event: self.event,
            now: &self.now,
        }
    }

    /// A member of the top level that is one thing.
    pub(super) fn top(&mut self, member: &'static str) -> Node<'_> {
        self.node([Key::new_static(member)])
    }

    /// An entry of a collection.
    pub(super) fn thing(&mut self, collection: &'static str, key: &Key) -> Node<'_> {
        self.node([Key::new_static(collection), key.clone()])
    }

    /// A small map made from this event.
    pub(super) fn record(&self) -> Record<'_> {
        Record::new(Map::with_capacity(8), self.event, &self.now)
    }

    /// A small map made from this event on top of another.
    pub(super) fn record_from(&self, map: Map) -> Record<'_> {
        Record::new(map, self.event, &self.now)
    }

    /// The natural key in a metadata field. Where there is none the event is noted as an anomaly,
    /// for then it has nothing to write to.
    pub(super) fn key(&mut self, field: &'static str) -> Option<Key> {
        let key = natural_key(self.event, field);
        if key.is_none() {
            self.no_key(field);
        }
        key
    }

    /// Notes that the event lacks the field which says what it is about.
    pub(super) fn no_key(&mut self, field: &'static str) {
        let kind = self.event.kind;
        self.anomaly(
            AnomalyKind::MissingField,
            format_args!("{kind} without a usable metadata.{field}: it changes nothing"),
        );
    }

    /// Notes an anomaly at this event.
    pub(super) fn anomaly(&mut self, kind: AnomalyKind, detail: std::fmt::Arguments<'_>) {
        if let Some(applied) = self.applied.as_deref_mut() {
            let found = Anomaly::new(kind, self.event.position, detail.to_string());
            applied.anomalies.push(found);
        }
    }

    /// Puts a whole subtree in the place of another, or takes it away, and records what differs:
    /// subtrees that came or went, and leaves that changed.
    pub(super) fn replace<const N: usize>(&mut self, keys: [Key; N], new: Option<&Value>) {
        let old = look(self.root, &keys).cloned();
        let Some((last, parents)) = keys.split_last() else { return };
        if old.as_ref() == new {
            return;
        }
        let map = parents.iter().fold(&mut *self.root, |map, key| map.map_mut(key));
        match new {
            Some(new) => map.insert(last.clone(), new.clone()),
            None => map.remove(last),
        };
        if let Some(applied) = self.applied.as_deref_mut() {
            let changes = &mut applied.changes;
            differences(old.as_ref(), new, &mut Path::of(keys), changes);
        }
    }

    /// The counters, whose writes are not recorded as changes.
    pub(super) fn counters(&mut self) -> &mut Map {
        self.root.map_mut(&Key::new_static("counters"))
    }

    /// Keeps an entry in an index under `/counters`, which is not recorded as a change.
    pub(super) fn remember(&mut self, index: &'static str, key: &Key, value: Value) {
        self.counters().map_mut(&Key::new_static(index)).insert(key.clone(), value);
    }

    /// Takes an entry out of an index under `/counters`.
    pub(super) fn forget(&mut self, index: &'static str, key: &Key) {
        let counters = self.counters();
        let entries = counters.map_mut(&Key::new_static(index));
        entries.remove(key);
        if entries.is_empty() {
            counters.remove(index);
        }
    }
}

/// The metadata field as a key of a collection: a text that is not empty, or an integer.
pub(super) fn natural_key(event: &Event, field: &str) -> Option<Key> {
    match event.get(field)? {
        Value::Text(text) if !text.is_empty() => Some(text.clone()),
        Value::Int(n) => Some(smol_str::format_smolstr!("{n}")),
        Value::UInt(n) => Some(smol_str::format_smolstr!("{n}")),
        _ => None,
    }
}

/// A metadata field that is there and not null.
pub(super) fn present<'e>(event: &'e Event, field: &str) -> Option<&'e Value> {
    event.get(field).filter(|value| !value.is_null())
}

/// Adds one to a counter.
pub(super) fn count(counters: &mut Map, key: Key) {
    match counters.get_mut(&key) {
        Some(Value::Int(n)) => *n = n.saturating_add(1),
        _ => {
            counters.insert(key, Value::Int(1));
        }
    }
}

/// The event's time as text, made once.
pub(super) fn now<'n>(cell: &'n OnceCell<SmolStr>, event: &Event) -> &'n SmolStr {
    cell.get_or_init(|| SmolStr::new(std::str::from_utf8(&event.at.rfc3339()).unwrap_or_default()))
}

fn differences(
    old: Option<&Value>,
    new: Option<&Value>,
    path: &mut Path,
    changes: &mut Vec<Change>,
) {
    match (old, new) {
        (Some(Value::Map(a)), Some(Value::Map(b))) => a.differing(b, |key, old, new| {
            path.push(key.clone());
            differences(old, new, path, changes);
            path.pop();
        }),
        (old, new) if old == new => {}
        (old, new) => {
            changes.push(Change { path: path.clone(), old: old.cloned(), new: new.cloned() });
        }
    }
}

/// One thing of the state: a map at a path. If it comes into being, that is recorded as one change
/// when the node is dropped; else each field that changes is one.
pub(super) struct Node<'w> {
    /// The thing, or of a thing that is not there yet, the map that is nearest above it. Always
    /// there but while moving from one to the other.
    map: Option<&'w mut Map>,
    /// How many keys of the path lead to `map`.
    depth: usize,
    is_new: bool,
    path: Path,
    changes: Option<&'w mut Vec<Change>>,
    event: &'w Event,
    now: &'w OnceCell<SmolStr>,
}

impl Node<'_> {
    /// Its fields, if it is there.
    pub(super) fn map(&self) -> Option<&Map> {
        self.map.as_deref().filter(|_| self.depth == self.path.depth())
    }

    /// Whether the thing is there.
    pub(super) fn exists(&self) -> bool {
        self.map().is_some_and(|map| !map.is_empty())
    }

    /// A field's value.
    pub(super) fn get(&self, field: &str) -> Option<&Value> {
        self.map()?.get(field)
    }

    /// A field's value, if it is this text.
    pub(super) fn is(&self, field: &str, text: &str) -> bool {
        self.get(field).and_then(Value::as_str) == Some(text)
    }

    /// A field's value, if it is an integer; else 0.
    pub(super) fn number(&self, field: &str) -> i64 {
        self.get(field).and_then(Value::as_i64).unwrap_or(0)
    }

    /// The event's time as text.
    pub(super) fn now(&self) -> Value {
        Value::Text(now(self.now, self.event).clone())
    }

    /// Sets a field. `null` is not written: what is not there is absent.
    pub(super) fn put(&mut self, key: Key, value: Value) {
        if value.is_null() {
            return;
        }
        self.enter();
        let Some(map) = self.map.as_deref_mut() else { return };
        if self.is_new || self.changes.is_none() {
            // An equal value stays as it is, and what a new thing has is recorded with it.
            let _ = map.replace(key, value);
        } else if let Ok(old) = map.replace(key.clone(), value.clone())
            && let Some(changes) = self.changes.as_deref_mut()
        {
            changes.push(Change { path: self.path.child(key), old, new: Some(value) });
        }
    }

    /// Sets a field.
    pub(super) fn set(&mut self, field: &'static str, value: impl Into<Value>) -> &mut Self {
        self.put(Key::new_static(field), value.into());
        self
    }

    /// Sets a field to a fixed word.
    pub(super) fn word(&mut self, field: &'static str, word: &'static str) -> &mut Self {
        self.set(field, SmolStr::new_static(word))
    }

    /// Sets a field to the event's time.
    pub(super) fn stamp(&mut self, field: &'static str) -> &mut Self {
        let now = self.now();
        self.set(field, now)
    }

    /// Sets a field where there is something to set.
    pub(super) fn set_some(&mut self, field: &'static str, value: Option<Value>) -> &mut Self {
        if let Some(value) = value {
            self.set(field, value);
        }
        self
    }

    /// Sets a field to a small map, if that is not empty.
    pub(super) fn set_record(&mut self, field: &'static str, record: Map) -> &mut Self {
        if !record.is_empty() {
            self.set(field, record);
        }
        self
    }

    /// Takes metadata fields over under their own names.
    pub(super) fn copy(&mut self, fields: &[&'static str]) -> &mut Self {
        for field in fields {
            self.copy_as(field, field);
        }
        self
    }

    /// Takes a metadata field over under another name.
    pub(super) fn copy_as(&mut self, field: &str, name: &'static str) -> &mut Self {
        let value = present(self.event, field).cloned();
        self.set_some(name, value)
    }

    /// Takes a metadata field over, or else the name of the event's actor.
    pub(super) fn copy_or_actor(&mut self, field: &str, name: &'static str) -> &mut Self {
        let actor = &self.event.actor;
        let value = present(self.event, field)
            .cloned()
            .or_else(|| (!actor.is_empty()).then(|| actor.into()));
        self.set_some(name, value)
    }

    /// Adds to an integer field.
    pub(super) fn add(&mut self, field: &'static str, amount: i64) -> &mut Self {
        let sum = self.number(field).saturating_add(amount);
        self.set(field, sum)
    }

    /// Takes fields away.
    pub(super) fn remove(&mut self, fields: &[&str]) -> &mut Self {
        for field in fields {
            self.take(field);
        }
        self
    }

    /// Takes one field away and gives what it held.
    pub(super) fn take(&mut self, field: &str) -> Option<Value> {
        let map = self.map.as_deref_mut().filter(|_| self.depth == self.path.depth())?;
        let old = map.remove(field)?;
        if let (false, Some(changes)) = (self.is_new, self.changes.as_deref_mut()) {
            let path = self.path.child(field);
            changes.push(Change { path, old: Some(old.clone()), new: None });
        }
        Some(old)
    }

    /// Goes to the thing in order to write, and makes it where it is not there yet.
    fn enter(&mut self) {
        if self.depth < self.path.depth()
            && let Some(mut map) = self.map.take()
        {
            for key in &self.path.keys()[self.depth..] {
                map = map.map_mut(key);
            }
            self.depth = self.path.depth();
            self.map = Some(map);
        }
    }
}

impl Drop for Node<'_> {
    fn drop(&mut self) {
        if let (true, Some(map), Some(changes)) =
            (self.is_new, self.map.as_deref(), self.changes.as_deref_mut())
            && self.depth == self.path.depth()
        {
            let new = Some(Value::Map(map.clone()));
            changes.push(Change { path: std::mem::take(&mut self.path), old: None, new });
        }
    }
}
