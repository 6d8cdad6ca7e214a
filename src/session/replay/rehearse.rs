//! What the log of a copy says: of one that is there, and of one that is not made.
//!
//! Lives here: reading a copy back, and making one that goes nowhere ([`rehearsed`]). May not live
//! here: what a copy keeps (see [`crate::replay::copy`]), or what it should come to (see
//! [`super::copy`]).

use std::sync::atomic::{AtomicBool, Ordering};

use rustc_hash::FxHashSet;
use smol_str::SmolStr;

use super::Session;
use super::copy::{PIECE, interrupted};
use super::present::Present;
use crate::error::{ErrorKind, Result};
use crate::fold::{self, State};
use crate::model::{Event, Position, Timestamp};
use crate::replay::{Maker, Plan};
use crate::schema::{Draft, Lines, Redactor, upcast};
use crate::session::load::Parser;
use crate::store::local::LocalStore;
use crate::store::memory::MemoryStore;
use crate::store::{EventStore, Notice};

/// What a log comes to, event by event. Nothing else of it is kept, which is much faster.
#[derive(Default)]
pub(super) struct Logged {
    /// The state after its last event.
    pub(super) state: State,
    /// The ids of its events.
    pub(super) ids: FxHashSet<SmolStr>,
    position: Position,
}

impl Logged {
    /// A log of which so many events come to this state; their ids are not known.
    pub(super) fn behind(count: u64, state: State) -> Self {
        let position = Position::try_from(count).unwrap_or(Position::MAX);
        Self { state, ids: FxHashSet::default(), position }
    }

    /// The event that stands in it next. It has its place here: what has no name is known by that.
    pub(super) fn fold(&mut self, mut event: Event) {
        self.position += 1;
        event.position = self.position;
        fold::advance(&mut self.state, &event);
        self.ids.insert(event.id);
    }

    /// The line that stands in it next.
    pub(super) fn line(&mut self, line: &[u8]) {
        for (event, ..) in upcast::read_line_events(line, 0, Timestamp::default()) {
            self.fold(event);
        }
    }

    /// The line that a draft becomes here, unless its event is there already.
    fn draft(&mut self, draft: &Draft) -> Option<Vec<u8>> {
        if draft.event_id().is_some_and(|id| self.ids.contains(id)) {
            return None;
        }
        let mut lines = Lines::new(draft.issue_key(), u64::from(self.position) + 1);
        lines.add(draft);
        self.line(lines.line(0)?);
        Some(lines.into_bytes())
    }
}

/// What a log says.
pub(super) fn read_back(store: &LocalStore, issue_key: &str) -> Result<Logged> {
    let mut log = Logged::default();
    let mut tail = match store.tail(issue_key) {
        Ok(tail) => tail,
        // Nothing was selected, or nothing could be copied.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(log),
        Err(error) => return Err(error),
    };
    let mut parser = Parser::default();
    loop {
        let (chunk, events) = parser.read(tail.as_mut())?;
        if chunk.notices.iter().any(Notice::starts_anew) {
            log = Logged::default();
        }
        events.into_iter().for_each(|loaded| log.fold(loaded.event));
        if chunk.at_end {
            return Ok(log);
        }
    }
}

/// What the log of a copy would say that is not made, behind what is `present` there; its lines go
/// to `kept`.
pub(super) fn rehearsed(
    session: &mut Session,
    (present, kept): (Option<&mut Present>, Option<&MemoryStore>),
    plan: &Plan,
    redactor: &Redactor,
    interrupt: &AtomicBool,
) -> Result<Logged> {
    let (mut log, key) = (Logged::default(), &plan.issue_key);
    let keep = |bytes: &[u8]| {
        if let Some(kept) = kept {
            kept.push_raw(key, bytes);
        }
    };
    if let Some(present) = present {
        present.each_line(|line| {
            log.line(line);
            keep(&[line, b"\n"].concat());
        })?;
    }
    let mut maker = Maker::new(key, redactor);
    for first in (1..=plan.to).step_by(PIECE as usize) {
        let piece = first..first.saturating_add(PIECE).min(plan.to + 1);
        session.each_line(piece, |position, line, readable| {
            if position < plan.from || !plan.is_selected(position) {
                maker.pass(line, readable);
                return;
            }
            let (_, draft) = maker.make(position, line, readable);
            draft.and_then(|draft| log.draft(&draft)).iter().for_each(|bytes| keep(bytes));
        })?;
        if interrupt.load(Ordering::Relaxed) {
            return Err(interrupted(key));
        }
    }
    Ok(log)
}
