//! From a text to a side: an issue, an issue/session or an issue@branch.

use super::Side;
use crate::error::{Error, Result};
use crate::session::Session;
use crate::session::branch::Play;
use crate::timeline::branch::Branch;

impl Side {
    /// The events that a text means: `ISSUE`, `ISSUE/SESSION` (the beginning of its id will do) or
    /// `ISSUE@BRANCH`. Issues are read by `session`, kept branches by `branch`.
    ///
    /// # Errors
    /// Not found, when there is no such issue, session or branch; usage, when a session's id could
    /// mean several; those of reading.
    pub fn open(
        text: &str,
        session: impl Fn(&str) -> Result<Session>,
        branch: impl Fn(&str, &str) -> Result<Branch>,
    ) -> Result<Self> {
        if let Some((issue, name)) = text.split_once('@') {
            let mut session = session(issue)?;
            let mut play = Play::new(&mut session, branch(issue, name)?)?;
            play.finish(&mut session)?;
            return Ok(Self::branch(session, &play));
        }
        let Some((issue, wanted)) = text.split_once('/') else {
            return Ok(Self::issue(session(text)?));
        };
        let session = session(issue)?;
        let timeline = session.timeline();
        let mut ids: Vec<&str> = timeline.rows().map(|row| timeline.text(row.session)).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.retain(|id| id.starts_with(wanted));
        match ids.as_slice() {
            [id] => {
                let id = (*id).to_owned();
                Self::session(session, &id)
            }
            [] => Err(Error::not_found(format!("{issue} has no session {wanted}"))),
            _ if ids.contains(&wanted) => Self::session(session, wanted),
            _ => Err(Error::usage(format!("several sessions of {issue} begin with {wanted:?}"))
                .with_hint("give more of the id")),
        }
    }
}
