//! What an update asks the outside to do.
//!
//! Lives here: the closed list of effects. May not live here: doing them (see [`super::run()`]).

use crate::session::user_state::UserState;

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
    /// Keep what the user set for this issue.
    Save(String, UserState),
}
