//! A replay into another store.
//!
//! Lives here: copying the selected events, and proving that they come to the same state there.
//! May not live here: what a copy keeps (see [`crate::replay::copy`]), and copying a whole log,
//! which is quicker (see [`super::stream`]).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustc_hash::FxHashSet;
use smol_str::SmolStr;

use super::present::Present;
use super::rehearse::{Logged, read_back, rehearsed};
use super::{Means, Reader, Session, beside, difference, report, the_same};
use crate::error::{Error, ErrorKind, Result};
use crate::fold::{self, State};
use crate::model::{Event, Position};
use crate::replay::{
    Copied, Copier, Difference, Events, FinalState, Maker, Outcome, Pace, Plan, Report, Status,
    Steady, Tally, Ticker,
};
use crate::schema::{Draft, Redactor};
use crate::store::EventStore;
use crate::store::local::LocalStore;
use crate::store::memory::MemoryStore;

/// How many events are copied between two looks at the user.
pub(super) const PIECE: Position = 1024;

/// Copies the events of a plan into `target`; without one, says what would be copied, beside what
/// is `present` where it would go.
///
/// # Errors
/// Interrupted; conflict, when `target` has something else under an id of this issue; as an append.
pub fn copy(
    session: &mut Session,
    (target, mut present): (Option<&LocalStore>, Option<&mut Present>),
    plan: &Plan,
    replay_id: &str,
    means: Means<'_>,
) -> Result<Report> {
    let Means { redactor, speed, interrupt, verify_steps, progress, .. } = means;
    // Who copies nothing has nobody to wait for.
    let speed = speed.filter(|_| target.is_some());
    let ticker = Steady::new(Arc::clone(&interrupt));
    let mut pace = Pace::new(speed);
    let mut copier = Copier::new(target, &plan.issue_key, redactor, speed.is_some());
    let mut look_up = present.as_deref_mut().map(|there| |draft: &Draft| there.look_up(draft));
    if let Some(look_up) = &mut look_up {
        copier = copier.telling(look_up);
    }
    let mut copying = Copying::default();
    let piece = if speed.is_some() { 1 } else { PIECE };
    for first in (1..plan.from).step_by(PIECE as usize) {
        let before = first..first.saturating_add(PIECE).min(plan.from);
        session.each_line(before, |_, line, readable| copier.pass(line, readable))?;
        if interrupt.load(Ordering::Relaxed) {
            return Err(interrupted(&plan.issue_key));
        }
    }
    let (mut read, all) = (0, bytes(session, plan.from..plan.to + 1));
    let mut next = plan.from;
    while next <= plan.to {
        let end = next.saturating_add(piece).min(plan.to + 1);
        if speed.is_some() && plan.is_selected(next) {
            let at = session.event(next)?.at;
            if !pace.turn(at, &ticker as &dyn Ticker) {
                return Err(interrupted(&plan.issue_key));
            }
        }
        copying.piece(session, &mut copier, redactor, plan, next..end)?;
        read += bytes(session, next..end);
        progress(read, all);
        if interrupt.load(Ordering::Relaxed) {
            return Err(interrupted(&plan.issue_key));
        }
        next = end;
    }
    copier.finish()?;
    let as_written = copier.is_as_written();
    let final_state = match target {
        Some(target) => {
            let copy = read_back(target, &plan.issue_key)?;
            let steps = verify_steps.then_some(target as &dyn EventStore);
            copying.prove(session, plan, redactor, &copy, steps)?
        }
        None if as_written && present.is_none() && !verify_steps => {
            copying.renumbered(session, plan)?
        }
        None => {
            let kept = verify_steps.then(MemoryStore::default);
            let copy = rehearsed(session, (present, kept.as_ref()), plan, redactor, &interrupt)?;
            let steps = kept.as_ref().map(|kept| kept as &dyn EventStore);
            copying.prove(session, plan, redactor, &copy, steps)?
        }
    };
    let how = (replay_id, target.is_none());
    Ok(report(redactor, how, copying.tally, copying.outcomes, final_state))
}

/// How many bytes of the log some events are.
fn bytes(session: &Session, range: std::ops::Range<Position>) -> u64 {
    session.timeline().rows_in(range).map(|row| u64::from(row.locator.len) + 1).sum()
}

pub(super) fn interrupted(issue_key: &str) -> Error {
    let message = format!("the copy of {issue_key} was stopped");
    Error::new(ErrorKind::Interrupted, message)
        .with_hint("begin it again: what is there is not copied twice")
}

#[derive(Default)]
struct Copying {
    tally: Tally,
    outcomes: Vec<Outcome>,
    /// What stays behind, sorted.
    left: Vec<Position>,
}

impl Copying {
    fn piece(
        &mut self,
        session: &mut Session,
        copier: &mut Copier<'_>,
        redactor: &Redactor,
        plan: &Plan,
        range: std::ops::Range<Position>,
    ) -> Result<()> {
        let mut news = Vec::new();
        let mut failed = None;
        session.each_line(range, |position, line, readable| {
            if failed.is_some() {
                return;
            }
            if !plan.is_selected(position) {
                copier.pass(line, readable);
                return;
            }
            match copier.take(position, line, readable) {
                Ok(Copied::Plainly) => self.tally.add(Status::Replayed),
                Ok(copied) => news.push((position, copied)),
                Err(error) => failed = Some(error),
            }
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        for (position, copied) in news {
            let told = outcome(&session.event(position)?, copied, redactor);
            self.outcomes.extend(told.inspect(|told| {
                self.tally.add(told.status);
                if told.status == Status::Failed {
                    self.left.push(position);
                }
            }));
        }
        Ok(())
    }

    /// Whether every event up to the last is copied.
    fn is_beginning(&self, plan: &Plan) -> bool {
        plan.from == 1 && plan.selected.is_none() && self.left.is_empty()
    }

    /// The state that the events come to which are copied.
    fn expected(&self, session: &mut Session, plan: &Plan) -> Result<State> {
        if self.is_beginning(plan) {
            return session.state_at(plan.to);
        }
        folded(session, (plan.from..=plan.to).filter(|position| self.copies(plan, *position)))
    }

    /// The same with those that are in the copy already.
    fn with_present(
        &self,
        session: &mut Session,
        plan: &Plan,
        ids: &FxHashSet<SmolStr>,
        redactor: &Redactor,
    ) -> Result<State> {
        let (mut all, head) = (Vec::new(), session.head());
        let mut maker = Maker::new(&plan.issue_key, redactor);
        session.each_line(1..head + 1, |position, line, readable| {
            let id = maker.id_of(position, line, readable);
            let now = (plan.from..=plan.to).contains(&position) && self.copies(plan, position);
            if now || id.is_some_and(|id| ids.contains(&*id)) {
                all.push(position);
            }
        })?;
        folded(session, all)
    }

    fn copies(&self, plan: &Plan, position: Position) -> bool {
        plan.is_selected(position) && self.left.binary_search(&position).is_err()
    }

    /// What a copy would come to that is made of lines as they stand: it says what they say, at
    /// other places where not all of them are copied.
    fn renumbered(&self, session: &mut Session, plan: &Plan) -> Result<FinalState> {
        if self.is_beginning(plan) {
            return Ok(the_same(&session.state_at(plan.to)?));
        }
        let (mut expected, mut copy) = (State::new(), State::new());
        let mut events = Reader::new(session);
        let copied = (plan.from..=plan.to).filter(|position| self.copies(plan, *position));
        for (position, place) in copied.zip(1..) {
            let mut event = events.event(position)?;
            fold::advance(&mut expected, &event);
            event.position = place;
            fold::advance(&mut copy, &event);
        }
        Ok(beside(&expected, &copy))
    }

    /// Holds what was read of a copy against what it should be; event by event too, where its log
    /// is given.
    fn prove(
        &self,
        session: &mut Session,
        plan: &Plan,
        redactor: &Redactor,
        copy: &Logged,
        steps: Option<&dyn EventStore>,
    ) -> Result<FinalState> {
        // More than was copied now, of an earlier copy perhaps.
        let has_more = copy.ids.len() as u64 > self.tally.replayed;
        let expected = if has_more {
            self.with_present(session, plan, &copy.ids, redactor)?
        } else {
            self.expected(session, plan)?
        };
        let mut found = beside(&expected, &copy.state);
        if let Some(log) = steps
            && let Ok(mut copy) = Session::read(log, &plan.issue_key)
            && let Some(step) = self.first_step(session, &mut copy, plan)?
        {
            found.first_difference = Some(step);
        }
        Ok(found)
    }

    /// The first event after which the states differ; positions are those of the source.
    fn first_step(
        &self,
        session: &mut Session,
        copy: &mut Session,
        plan: &Plan,
    ) -> Result<Option<Difference>> {
        let (mut recorded, mut copied) = (State::new(), State::new());
        let (head, mut at) = (copy.head(), 0);
        let (mut events, mut copies) = (Reader::new(session), Reader::new(copy));
        for position in (plan.from..=plan.to).filter(|position| self.copies(plan, *position)) {
            fold::advance(&mut recorded, &events.event(position)?);
            at += 1;
            if at <= head {
                fold::advance(&mut copied, &copies.event(at)?);
            }
            if let Some(found) = difference(&recorded, &copied) {
                return Ok(Some(Difference { position: Some(position), ..found }));
            }
        }
        Ok(None)
    }
}

/// The state that some events come to.
fn folded(session: &mut Session, positions: impl IntoIterator<Item = Position>) -> Result<State> {
    let mut state = State::new();
    let mut events = Reader::new(session);
    for position in positions {
        fold::advance(&mut state, &events.event(position)?);
    }
    Ok(state)
}

/// What there is to say of an event that is not plainly copied.
pub(super) fn outcome(event: &Event, copied: Copied, redactor: &Redactor) -> Option<Outcome> {
    let (status, reason) = match copied {
        Copied::Plainly => return None,
        Copied::With(news) => (Status::Replayed, news),
        Copied::Not(why) => (Status::Failed, why),
    };
    Some(Outcome {
        position: event.position,
        event_type: redactor.conceal_word(&event.type_name),
        event_id: redactor.conceal_word(&event.id),
        status,
        reason: Some(reason.into()),
        result: None,
    })
}
