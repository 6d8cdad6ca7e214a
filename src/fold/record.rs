//! Small maps made from an event's fields.
//!
//! Lives here: [`Record`]. May not live here: where they go in the tree.

use std::cell::OnceCell;

use smol_str::SmolStr;

use super::writer::{now, present};
use crate::model::{Event, Key, Map, Value};

/// A small map made from an event's fields.
pub(super) struct Record<'e> {
    map: Map,
    event: &'e Event,
    now: &'e OnceCell<SmolStr>,
}

impl<'e> Record<'e> {
    /// A map made from `event` on top of `map`.
    pub(super) fn new(map: Map, event: &'e Event, now: &'e OnceCell<SmolStr>) -> Self {
        Self { map, event, now }
    }

    /// Sets a field.
    pub(super) fn set(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        let value = value.into();
        if !value.is_null() {
            self.map.insert(Key::new_static(name), value);
        }
        self
    }

    /// Sets a field to a fixed word.
    pub(super) fn word(self, name: &'static str, word: &'static str) -> Self {
        self.set(name, SmolStr::new_static(word))
    }

    /// Sets a field to the event's time.
    pub(super) fn stamp(self, name: &'static str) -> Self {
        let now = now(self.now, self.event).clone();
        self.set(name, now)
    }

    /// Takes metadata fields over under their own names.
    pub(super) fn copy(mut self, fields: &[&'static str]) -> Self {
        for field in fields {
            self = self.copy_as(field, field);
        }
        self
    }

    /// Takes a metadata field over under another name.
    pub(super) fn copy_as(self, field: &str, name: &'static str) -> Self {
        match present(self.event, field).cloned() {
            Some(value) => self.set(name, value),
            None => self,
        }
    }

    /// Takes a metadata field over, or else the name of the event's actor.
    pub(super) fn copy_or_actor(self, field: &str, name: &'static str) -> Self {
        if present(self.event, field).is_some() || self.event.actor.is_empty() {
            self.copy_as(field, name)
        } else {
            let actor = self.event.actor.clone();
            self.set(name, actor)
        }
    }

    /// The map.
    pub(super) fn done(self) -> Map {
        self.map
    }
}
