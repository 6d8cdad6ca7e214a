//! What an event must be: strict for writing, tolerant for reading.
//!
//! Lives here: [`Draft`] (an event as a caller gives it, checked), validation against the
//! catalogue and its JSON Schema, and [`upcast`] (stored lines to [`crate::model::Event`]). May
//! not live here: files or locks.

pub mod draft;
pub mod generate;
pub mod history;
mod json;
mod judge;
mod lenient;
pub mod lines;
mod members;
mod plain;
mod redact;
mod strict;
mod suggest;
pub mod upcast;
pub mod validate;
mod words;

pub use draft::{Draft, KeyPattern, LenientDraft, Rules, SchemaFault, Stamp};
pub use json::MAX_DEPTH;
pub use lenient::is_session_id;
pub use lines::{Lines, says_it_all};
pub(crate) use members::plain_until as plain_members_until;
pub(crate) use plain::{
    actor as plain_actor, put as put_once, whole as plain_whole, word as plain_word,
};
pub use redact::{Mode as RedactionMode, Redaction, Redactor, Sieve, holds_marker};
pub use suggest::nearest_of;
