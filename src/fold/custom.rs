//! `/custom/{type}`: types that the catalogue does not have.
//!
//! Lives here: their one arm. May not live here: guesses at what they mean.

use super::writer::Writer;
use crate::model::{Event, Key, Value};

/// The type's name as a key; `?` for an event that has none.
pub(super) fn name(event: &Event) -> Key {
    if event.type_name.is_empty() { Key::new_static("?") } else { event.type_name.clone() }
}

pub(super) fn happened(w: &mut Writer<'_>) {
    let event = w.event;
    let mut last = w.record().stamp("at");
    if !event.id.is_empty() {
        last = last.set("event_id", &event.id);
    }
    if !event.actor.is_empty() {
        last = last.set("actor", &event.actor);
    }
    if !event.metadata.is_empty() {
        last = last.set("metadata", Value::Map(event.metadata.clone()));
    }
    let last = last.done();
    w.thing("custom", &name(event)).add("count", 1).set("last", last);
}
