//! `replay`: which part of a log is asked for.
//!
//! Lives here: from the flags to the first and the last position. May not live here: which events of
//! that part are wanted (see [`super::super::selection`]).

use super::super::context::{first_position, position};
use super::Flags;
use crate::error::{Error, Result};
use crate::model::{Kind, Moment, Position};
use crate::session::Session;

/// The first and the last position that are asked for. Where nothing is left to do, the last is the
/// one before the first.
pub(super) fn asked_for(session: &mut Session, flags: &Flags) -> Result<(Position, Position)> {
    let from = match &flags.from_checkpoint {
        Some(id) => behind_checkpoint(session, id)?,
        None => first_position(session, flags.from.as_deref())?,
    };
    let to = position(session, flags.to.as_deref(), &Moment::End)?;
    let may_be_empty = to + 1 == from && (session.head() == 0 || is_open(session, flags)?);
    if to < from && !may_be_empty {
        return Err(Error::usage(format!("the range ends at #{to}, before it begins at #{from}")));
    }
    Ok((from, to))
}

/// Whether there may be nothing in a range: of one that has a single end, or that is between two
/// times of which the second is not before the first.
fn is_open(session: &Session, flags: &Flags) -> Result<bool> {
    let Some(to) = &flags.to else { return Ok(true) };
    let Some(from) = &flags.from else { return Ok(flags.from_checkpoint.is_none()) };
    let last = || session.timeline().row(session.head()).map(|row| row.clock);
    let time = |text: &str| Ok::<_, Error>(Moment::parse(text)?.time(last));
    Ok(time(from)?.zip(time(to)?).is_some_and(|(from, to)| from <= to))
}

/// The position behind the last event that made a checkpoint.
fn behind_checkpoint(session: &mut Session, id: &str) -> Result<Position> {
    let made = session.timeline().of_kind(Kind::CheckpointCreated).to_vec();
    for position in made.into_iter().rev() {
        let event = session.event(position)?;
        if event.text("checkpoint_id").is_some_and(|own| own == id) {
            return Ok(position + 1);
        }
    }
    Err(Error::not_found(format!("{} has no checkpoint {id:?}", session.issue_key()))
        .with_hint("`chronoscope state ISSUE --path /checkpoints` lists those that there are"))
}
