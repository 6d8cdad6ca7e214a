//! The screen: an issue browser and a time-travel debugger in a terminal.
//!
//! One way round: keys, mouse, time and news from the core come in as [`Action`]s; [`update()`]
//! changes the [`App`] and answers with [`Effect`]s; [`run()`] carries those out, and what comes of
//! them comes back as actions. Drawing takes `&App` and cannot change it. What an action of the
//! user is called, which keys it has and what it does stands in one table ([`action`]), from which
//! the keymap, the help, the palette and the README's key table are made.
//!
//! Lives here: everything that names a terminal. May not live here: anything about events; it
//! asks the session.

pub mod action;
pub mod app;
pub mod breaks;
pub mod browser;
pub mod comparison;
pub mod debugger;
pub mod effect;
pub mod filter;
pub mod input;
pub mod json;
pub mod key;
pub mod keymap;
pub mod layout;
pub mod nav;
pub mod palette;
pub mod pane;
pub mod pick;
pub mod play;
pub mod replay;
mod run;
pub mod search;
pub mod share;
pub mod signs;
pub mod summaries;
pub mod text;
pub mod theme;
pub mod tree;
mod update;
pub mod view;
pub mod viewer;
pub mod whatif;

pub use run::{look as look_beside, replay as replay_beside, run};
pub use update::update;

use std::path::PathBuf;
use std::sync::Arc;

use crate::clock::Clock;
use crate::model::catalogue::Links;
use crate::store::EventStore;

/// What the screen is started with.
#[derive(Clone)]
pub struct TuiOptions {
    /// The store to look into.
    pub store: Arc<dyn EventStore>,
    /// Where it is, for telling one store's marks from another's; none when it has no folder.
    pub store_path: Option<PathBuf>,
    /// The file that the settings are of, for commands to copy; none without one.
    pub config_path: Option<PathBuf>,
    /// The issue to open; none for the browser.
    pub issue: Option<String>,
    /// Where to stand at first; without a wish where the user stood last, else at the head.
    pub start: app::Start,
    /// The correlation rules in force.
    pub links: Links,
    /// The name of the theme (`dark`, `light`, `16`, `none`); none to find out.
    pub theme: Option<String>,
    /// No colours, whatever the theme.
    pub no_color: bool,
    /// Plain glyphs instead of drawn ones.
    pub ascii: bool,
    /// The user's `keymap.toml`; none when there is none. Faults in it are told on the screen.
    pub keymap_file: Option<PathBuf>,
    /// The folder for what a user sets per issue; none to keep nothing.
    pub state_dir: Option<PathBuf>,
    /// Makes what replays need.
    pub replays: replay::Outfitter,
    /// What time it is.
    pub clock: Clock,
}
