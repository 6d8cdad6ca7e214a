//! What an update asks the outside to do.
//!
//! Lives here: the closed list of effects. May not live here: doing them (see [`super::run()`]).

use super::action::EditFor;
use super::comparison::Comparing;
use super::replay::{Looking, Replaying};
use crate::session::user_state::UserState;
use crate::timeline::branch::Branch;

/// Something to do outside the screen's own state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Leave.
    Quit,
    /// Give the terminal back and stop until the shell wakes us.
    Suspend,
    /// Draw every cell anew.
    Redraw,
    /// Put this text on the clipboard.
    Copy(String),
    /// Open this issue; answered by [`super::action::Action::Opened`] or
    /// [`super::action::Action::Failed`].
    Open(String),
    /// Begin to list the issues; answered by [`super::action::Action::Browse`].
    Browse,
    /// Let the user edit a text; answered by [`super::action::Action::Edited`] or
    /// [`super::action::Action::Failed`].
    Edit(EditFor, String),
    /// Look for the races of this issue, beside all else; answered by
    /// [`super::action::Action::Races`] or [`super::action::Action::Failed`].
    FindRaces(String),
    /// List what this issue can be compared with, beside all else; answered by
    /// [`super::action::Action::Sides`].
    ListSides(String),
    /// Compare two runs, beside all else; answered by [`super::action::Action::Compared`].
    Compare(Comparing),
    /// Replay events, beside all else: nothing is executed or written unless it says so; answered by
    /// [`super::action::Action::Replayed`].
    Replay(Replaying),
    /// Look at what has come since a rehearsal, beside all else; answered by
    /// [`super::action::Action::Looked`].
    Look(Looking),
    /// Keep a branch of this issue under a name.
    SaveBranch(String, String, Branch),
    /// List the branches of this issue; answered by [`super::action::Action::Branches`].
    ListBranches(String),
    /// Load a branch of this issue; answered by [`super::action::Action::Branch`].
    LoadBranch(String, String),
    /// Forget a branch of this issue; answered by [`super::action::Action::Branches`].
    DeleteBranch(String, String),
    /// Keep what the user set for this issue.
    Save(String, UserState),
}
