//! The what-if that is on: a branch of the history, played a piece at a time.
//!
//! Lives here: editing it, and what it makes of each event, ready to be drawn. May not live here:
//! playing (see [`crate::session::branch`]); anything that writes.

use std::time::{Duration, Instant};

use super::signs::BranchMark;
use crate::diff::{DiffEntry, DiffOptions, diff};
use crate::error::Result;
use crate::model::{Position, catalogue};
use crate::session::Session;
use crate::session::branch::{Inserted, Play, Verdict};
use crate::timeline::branch::{Branch, Edit};

/// How long one bit of work takes about.
const BUDGET: Duration = Duration::from_millis(8);

/// The positions of each mark, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BranchMarks([Vec<Position>; BranchMark::ALL.len()]);

impl BranchMarks {
    /// The positions that have a mark.
    #[must_use]
    pub fn of(&self, mark: BranchMark) -> &[Position] {
        &self.0[mark as usize]
    }

    /// The most important mark of a position.
    #[must_use]
    pub fn at(&self, position: Position) -> Option<BranchMark> {
        let has = |mark: &BranchMark| self.of(*mark).binary_search(&position).is_ok();
        BranchMark::ALL.into_iter().find(has)
    }

    fn push(&mut self, mark: BranchMark, position: Position) {
        let list = &mut self.0[mark as usize];
        if list.last() != Some(&position) {
            list.push(position);
        }
    }
}

/// A branch, as far as it was played.
#[derive(Debug)]
pub struct WhatIf {
    play: Play,
    /// The name under which it was saved or loaded last.
    pub name: Option<String>,
    /// Grows with every change of what is played.
    version: u64,
    marks: BranchMarks,
    /// The last position whose verdict is among the marks, and how many insertions are.
    marked: (Position, usize),
}

impl WhatIf {
    /// Begins to play a branch.
    ///
    /// # Errors
    /// Those of [`Play::new`].
    pub fn new(session: &mut Session, branch: Branch, name: Option<String>) -> Result<Self> {
        let mut whatif = Self {
            play: Play::new(session, branch)?,
            name,
            version: 0,
            marks: BranchMarks::default(),
            marked: (0, 0),
        };
        whatif.mark();
        Ok(whatif)
    }

    /// The branch.
    #[must_use]
    pub fn branch(&self) -> &Branch {
        self.play.branch()
    }

    /// Changes the branch and begins to play it anew; whether it is another then.
    ///
    /// # Errors
    /// Those of the change and of [`Play::new`]; it stays as it was.
    pub fn change(
        &mut self,
        session: &mut Session,
        change: impl FnOnce(&mut Branch) -> Result<bool>,
    ) -> Result<bool> {
        let mut branch = self.branch().clone();
        if !change(&mut branch)? {
            return Ok(false);
        }
        self.play = Play::new(session, branch)?;
        self.version += 1;
        (self.marks, self.marked) = Default::default();
        self.mark();
        Ok(true)
    }

    /// Takes notice of new events.
    pub fn follow(&mut self, session: &Session) {
        self.play.follow(session);
    }

    /// Whether not all of it was played.
    #[must_use]
    pub fn has_work(&self) -> bool {
        !self.play.is_done()
    }

    /// Plays on for a moment.
    ///
    /// # Errors
    /// Those of reading the log again, and of an event that was put in.
    pub fn work(&mut self, session: &mut Session) -> Result<()> {
        let started = Instant::now();
        self.play.step(session, || started.elapsed() >= BUDGET)?;
        self.mark();
        Ok(())
    }

    fn mark(&mut self) {
        let (last, inserted) = self.marked;
        for (position, verdict) in self.play.verdicts_after(last) {
            let mark = match verdict {
                Verdict::Skipped => BranchMark::Skipped,
                Verdict::Replaced => BranchMark::Replaced,
                Verdict::Orphaned(_) => BranchMark::Orphaned,
                Verdict::Violated(_) => BranchMark::Violated,
            };
            self.marks.push(mark, position);
        }
        let all = self.play.inserted();
        for (position, other) in &all[inserted..] {
            if !self.stands_instead(*position, other) {
                self.marks.push(BranchMark::Inserted, *position);
            }
            if other.violation.is_some() {
                self.marks.push(BranchMark::Violated, *position);
            }
        }
        self.marked = (self.play.position(), all.len());
        // It has marks of two kinds of events.
        self.marks.0[BranchMark::Violated as usize].sort_unstable();
    }

    /// Whether what was put in stands instead of the event at its place.
    fn stands_instead(&self, position: Position, other: &Inserted) -> bool {
        self.play.verdict(position) == Some(&Verdict::Replaced)
            && self.play.inserted().iter().find(|(p, _)| *p == position).is_some_and(
                |(_, first)| {
                    first.event.id == other.event.id && first.event.metadata == other.event.metadata
                },
            )
    }

    /// What becomes of which event.
    #[must_use]
    pub fn marks(&self) -> &BranchMarks {
        &self.marks
    }

    /// The edits and what comes of them, in words; shorter where there is less room.
    #[must_use]
    pub fn headline(&self, head: Position, long: bool) -> String {
        let branch = self.branch();
        let name = self.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        let mut text = format!("BRANCH{name} from #{}: ", branch.base);
        text += &counted(branch.edits.len(), "edit");
        let counts = [(BranchMark::Orphaned, "orphaned"), (BranchMark::Violated, "violated")];
        for (mark, word) in counts {
            let count = self.marks.of(mark).len();
            if count > 0 {
                text += &format!(", {count} {word}");
            }
        }
        if self.has_work() {
            let done = u64::from(self.play.position()) * 100 / u64::from(head.max(1));
            text += &format!(", played {done} %");
        }
        if long {
            text += "  (the log stays as it is)";
        }
        text
    }

    /// What the branch makes of an event, in words.
    #[must_use]
    pub fn notes(&self, position: Position) -> Vec<(BranchMark, String)> {
        let mut notes = Vec::new();
        match self.play.verdict(position) {
            Some(Verdict::Skipped) => {
                notes.push((BranchMark::Skipped, "skipped: as if it had not happened".to_owned()));
            }
            Some(Verdict::Orphaned(why)) => {
                notes.push((BranchMark::Orphaned, format!("orphaned: {why}")));
            }
            Some(Verdict::Violated(why)) => {
                notes.push((BranchMark::Violated, format!("violated: {why}")));
            }
            Some(Verdict::Replaced) | None => {}
        }
        for (_, other) in self.play.inserted().iter().filter(|(p, _)| *p == position) {
            let event = &other.event;
            let spec = catalogue::spec(event.kind);
            let summary = catalogue::summary(spec, &event.metadata, &event.type_name);
            let (mark, how) = match self.stands_instead(position, other) {
                true => (BranchMark::Replaced, "instead"),
                false => (BranchMark::Inserted, "then"),
            };
            notes.push((mark, format!("{how}: {} {summary}", event.type_name)));
            if let Some(why) = &other.violation {
                notes.push((BranchMark::Violated, format!("violated: {why}")));
            }
        }
        notes
    }

    /// Which version of the branch the difference at a position is of; none where it was not played
    /// so far.
    #[must_use]
    pub fn version_at(&self, position: Position) -> Option<u64> {
        (position <= self.play.position()).then_some(self.version)
    }

    /// How the branch differs from what happened, at a position that was played.
    ///
    /// # Errors
    /// Those of reading the log again.
    pub fn diff(
        &self,
        session: &mut Session,
        position: Position,
        options: DiffOptions,
    ) -> Result<Vec<DiffEntry>> {
        let actual = session.state_at(position)?;
        let ours = self.play.state_at(session, position)?;
        Ok(diff(&actual.value(), &ours.value(), options))
    }

    /// What happens instead of an event, if an edit says so.
    #[must_use]
    pub fn replacement(&self, position: Position) -> Option<serde_json::Value> {
        self.branch().plan().replaced.get(&position).map(|json| (*json).clone())
    }
}

/// Adds an edit, wherever it stands: the branch begins early enough for it.
pub(super) fn push(branch: &mut Branch, edit: Edit) -> Result<bool> {
    begin_before(branch, &edit);
    branch.push(edit)?;
    Ok(true)
}

/// Skips an event or takes it back in.
pub(super) fn toggle_skip(branch: &mut Branch, position: Position, id: &str) -> Result<bool> {
    begin_before(branch, &Edit::Skip { position, event_id: String::new() });
    branch.toggle_skip(position, id)?;
    Ok(true)
}

fn begin_before(branch: &mut Branch, edit: &Edit) {
    let first = match edit {
        Edit::Insert { after, .. } => *after,
        edit => edit.position().saturating_sub(1),
    };
    let is_new = branch.edits.is_empty() && !branch.was_changed();
    branch.base = if is_new { first } else { branch.base.min(first) };
}

fn counted(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}
