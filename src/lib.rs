//! chronoscope: a time-travel debugger for the history of agent orchestrations, and the event
//! store under it.
//!
//! The layers, each of which may import only those before it:
//!
//! ```text
//! { error, signals } -> config -> model -> clock -> schema -> store -> fold -> timeline
//!     -> { diff, query, replay, import, watch } -> session -> demo -> { cli, tui }
//! ```
//!
//! The core knows no screen: only `cli` and `tui` print, and only `tui` names a terminal library.
//! `tests/layers.rs` reads the imports and fails on one that points the wrong way.

pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod diff;
pub mod error;
pub mod fold;
pub mod import;
pub mod model;
pub mod query;
pub mod replay;
pub mod schema;
pub mod session;
pub mod signals;
pub mod store;
pub mod timeline;
pub mod tui;
pub mod watch;
