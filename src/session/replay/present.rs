//! What a store has already of what a copy would bring.
//!
//! Lives here: [`Present`], which a copy asks that is rehearsed. May not live here: copying (see
//! [`super::copy`]).

use std::sync::atomic::{AtomicBool, Ordering};

use super::Session;
use crate::error::{ErrorKind, Result};
use crate::model::{Position, catalogue};
use crate::schema::Draft;
use crate::store::local::LocalStore;
use crate::store::{EventStore, reused_id};

/// An issue's log in the store that a copy would go to.
pub struct Present {
    session: Session,
    known: u64,
}

impl Present {
    /// Reads it; none where the store has nothing of the issue.
    ///
    /// # Errors
    /// Interrupted; unavailable, when it cannot be read.
    pub fn read(
        store: &LocalStore,
        issue_key: &str,
        interrupt: &AtomicBool,
    ) -> Result<Option<Self>> {
        let goes_on = |_, _| !interrupt.load(Ordering::Relaxed);
        let read =
            Session::read_while(store as &dyn EventStore, issue_key, catalogue::LINKS, goes_on);
        match read {
            Ok(session) => Ok(Some(Self { session, known: 0 })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// How many events it has.
    #[must_use]
    pub fn count(&self) -> Position {
        self.session.head()
    }

    /// How many of those that were looked up it has.
    #[must_use]
    pub fn known(&self) -> u64 {
        self.known
    }

    /// Hands out what it has, event by event.
    ///
    /// # Errors
    /// Unavailable, when it cannot be read.
    pub(super) fn each_line(&mut self, mut f: impl FnMut(&[u8])) -> Result<()> {
        let head = self.session.head();
        self.session.each_line(1..head + 1, |_, line, _| f(line))
    }

    /// Looks up what an append would find under the id of a copy.
    ///
    /// # Errors
    /// Conflict, when it is that of an event with other content; unavailable, when that cannot be
    /// read.
    pub(super) fn look_up(&mut self, draft: &Draft) -> Result<()> {
        let id = draft.event_id().unwrap_or_default();
        let Some(position) = self.session.timeline().by_id(id) else { return Ok(()) };
        let mut is_same = false;
        self.session.each_line(position..position + 1, |_, line, _| {
            is_same = std::str::from_utf8(line).is_ok_and(|line| draft.same_content(line));
        })?;
        if is_same {
            self.known += 1;
            return Ok(());
        }
        // Ids are found by a hash: another event may be meant.
        let event = self.session.event(position)?;
        if event.id != id {
            return Ok(());
        }
        Err(reused_id(id, event.sequence.unwrap_or(u64::from(position))))
    }
}
