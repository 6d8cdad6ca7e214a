//! What the words mean: values, times, ids, kinds of event, the envelope, moments.
//!
//! Lives here: plain data and its text forms. May not live here: files, folding, screens; this
//! layer imports nothing of the others but the error and the clock.

pub mod anomaly;
pub mod catalogue;
pub mod envelope;
pub mod event;
pub mod ids;
pub mod kind;
pub mod moment;
pub mod path;
pub mod septets;
pub mod time;
pub mod value;

pub use anomaly::{Anomaly, AnomalyKind};
pub use envelope::{Actor, ActorType, Envelope};
pub use event::Event;
pub use kind::Kind;
pub use moment::Moment;
pub use path::Path;
pub use time::Timestamp;
pub use value::{Key, Map, Value};

/// Ordinal of an event in an issue's log as read; 0 is the empty state before the first event.
pub type Position = u32;
