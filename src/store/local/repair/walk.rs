//! Deciding what becomes of each line of an issue's log.
//!
//! Lives here: [`Walk`]. May not live here: partitions as a whole (see [`super::plan`]), changing
//! anything.
//!
//! A line goes only when no event can be read from it, or the very same line stands there before;
//! and never one that a checkpoint signs as it is.

use std::collections::{BTreeMap, HashSet};

use super::super::finding::FindingKind;
use super::super::layout::{Date, Layout};
use super::super::lines::Stamps;
use super::super::tlog::leaves;
use super::RepairAction;
use super::plan::{Plan, Rewrite};
use super::read::{Damage, Read, State};
use crate::error::Result;
use crate::model::Timestamp;

/// Going through the lines of an issue.
pub(super) struct Walk<'a> {
    layout: &'a Layout,
    plan: &'a mut Plan,
    lost: &'a BTreeMap<u64, Vec<u8>>,
    read: &'a Read,
    /// The leaf hashes that the last checkpoint signs.
    signed: HashSet<[u8; 32]>,
    next: u64,
    /// The partition of the line before.
    before: Option<Date>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        layout: &'a Layout,
        plan: &'a mut Plan,
        lost: &'a BTreeMap<u64, Vec<u8>>,
        read: &'a Read,
    ) -> Result<Self> {
        // What nobody can tell the order of may all be signed.
        let signed = leaves::signed(layout).or_else(|_| leaves::read_all(layout))?;
        let signed = signed.into_iter().collect();
        Ok(Self { layout, plan, lost, read, signed, next: 1, before: None })
    }

    pub(super) fn lines(&mut self) -> Result<()> {
        for at in 0..self.read.lines.len() {
            let line = &self.read.lines[at];
            let date = line.date;
            match &line.state {
                State::Blank | State::Sound(None) => self.keep(at),
                State::Sound(Some(number)) if *number < self.next => self.repeated(at, *number)?,
                State::Sound(Some(number)) => {
                    self.gap(Some(at), *number);
                    self.keep(at);
                    self.next = number.saturating_add(1);
                }
                State::Damaged(damage) => self.damaged(at, damage)?,
                State::Torn(sequence) => self.torn(at, *sequence),
            }
            self.before = Some(date);
        }
        self.gap(None, u64::MAX);
        Ok(())
    }

    fn rewrite(&mut self, date: Date) -> &mut Rewrite {
        self.plan.rewrites.entry(date).or_default()
    }

    fn keep(&mut self, at: usize) {
        let line = &self.read.lines[at];
        self.rewrite(line.date).keep(line.offset, line.end);
    }

    fn note(
        &mut self,
        kind: FindingKind,
        action: RepairAction,
        at: usize,
        sequence: Option<u64>,
        words: (String, &str),
    ) {
        let line = &self.read.lines[at];
        let file = self.layout.events(line.date, &self.plan.key);
        let number = line.number;
        let mend = self.plan.add(kind, action, file, words);
        mend.line = Some(number);
        mend.event_sequence = sequence;
    }

    /// Leaves the line out of the new partition and keeps it aside.
    fn take_out(&mut self, at: usize) {
        let line = &self.read.lines[at];
        let name =
            format!("{}-{}-{}-{:016x}.bin", self.plan.key, line.date, line.offset, line.hash);
        let place = self.plan.mends.len() - 1;
        self.plan.mends[place].quarantine = Some(self.layout.service("quarantine").join(name));
        let rewrite = self.rewrite(line.date);
        rewrite.kept.push((place, line.offset, line.end));
        rewrite.changed = true;
    }

    /// The numbers from the next to `number` are not here: brings back those that were published.
    fn gap(&mut self, at: Option<usize>, number: u64) {
        if number == self.next {
            return;
        }
        let found: Vec<(u64, &[u8])> =
            self.lost.range(self.next..number).map(|(n, line)| (*n, line.as_slice())).collect();
        let missing = number.saturating_sub(self.next);
        let Some(place) = at.or(self.read.lines.len().checked_sub(1)) else { return };
        if let (Some(first), Some(last)) = (found.first(), found.last()) {
            let kind =
                if at.is_some() { FindingKind::SequenceGap } else { FindingKind::LineMissing };
            let detail =
                format!("{} published and gone from here", events(first.0, last.0, found.len()));
            let sequence = Some(first.0);
            self.note(
                kind,
                RepairAction::Restore,
                place,
                sequence,
                (detail, "bring back what was published, from the global log"),
            );
            for (_, line) in &found {
                self.place(line, at.map(|at| self.read.lines[at].date));
            }
        }
        if at.is_some() && (found.len() as u64) < missing {
            let detail = format!("{number} where {} was next", self.next);
            self.note(
                FindingKind::SequenceGap,
                RepairAction::Leave,
                place,
                Some(number),
                (detail, "nothing: no log has what is missing, and readers go by position"),
            );
        }
    }

    /// Puts a line that was lost into the partition of its day, between what was before and
    /// `here`, the partition of what follows.
    fn place(&mut self, line: &[u8], here: Option<Date>) {
        let day = Stamps::read(line).and_then(|stamps| stamps.at()).map(Date::of);
        let day = day.unwrap_or_else(|| Date::of(Timestamp::MIN));
        let target = match (self.before, here) {
            (Some(before), _) if day <= before => before,
            (_, Some(here)) if day >= here => here,
            _ => day,
        };
        self.rewrite(target).put(&[line]);
        self.before = Some(target);
    }

    fn repeated(&mut self, at: usize, number: u64) -> Result<()> {
        if self.read.stood_before(at)? && !self.is_signed_twice(at)? {
            let detail = format!("event {number} stands here again, the very same line");
            self.note(
                FindingKind::SequenceRepeated,
                RepairAction::TakeOut,
                at,
                Some(number),
                (detail, "take the second one out"),
            );
            self.take_out(at);
        } else {
            let detail = format!("{number} where {} was next", self.next);
            self.note(
                FindingKind::SequenceRepeated,
                RepairAction::Leave,
                at,
                Some(number),
                (detail, "nothing: it is an event of its own, and readers go by position"),
            );
            self.keep(at);
        }
        Ok(())
    }

    /// Whether a checkpoint signs a line that stands here twice: perhaps both times.
    fn is_signed_twice(&self, at: usize) -> Result<bool> {
        Ok(self.signed.contains(&self.read.leaf(at)?))
    }

    fn damaged(&mut self, at: usize, damage: &Damage) -> Result<()> {
        let detail = damage.detail.clone();
        let following = self.read.lines[at + 1..].iter();
        let until = following.filter_map(|line| line.state.sequence()).find(|n| *n >= self.next);
        let lost = self.lost;
        let found: Vec<(u64, &Vec<u8>)> =
            lost.range(self.next..until.unwrap_or(u64::MAX)).map(|(n, line)| (*n, line)).collect();
        let kind = damage.kind;
        if self.signed.contains(&self.read.leaf(at)?) {
            self.note(
                kind,
                RepairAction::Leave,
                at,
                None,
                (detail, "nothing: a checkpoint signs it as it is"),
            );
            self.keep(at);
        } else if let (Some(first), Some(last)) = (found.first(), found.last()) {
            let remedy = format!(
                "take it out and bring back {} from the global log",
                events(first.0, last.0, found.len())
            );
            self.note(kind, RepairAction::Restore, at, Some(first.0), (detail, &remedy));
            self.take_out(at);
            let here = Some(self.read.lines[at].date);
            for (_, line) in &found {
                self.place(line, here);
            }
            self.next = last.0 + 1;
        } else if let Some(parts) = &damage.parts {
            let remedy = "take it out and put the events of it back, each on a line of its own";
            self.note(kind, RepairAction::Split, at, parts.sequence, (detail, remedy));
            self.take_out(at);
            let lines: Vec<&[u8]> = parts.events.iter().map(Vec::as_slice).collect();
            let date = self.read.lines[at].date;
            self.rewrite(date).put(&lines);
            self.next = parts.sequence.map_or(self.next, |n| self.next.max(n + 1));
        } else {
            self.note(
                kind,
                RepairAction::TakeOut,
                at,
                None,
                (detail, "take it out: no event can be read from it"),
            );
            self.take_out(at);
        }
        Ok(())
    }

    fn torn(&mut self, at: usize, sequence: Option<u64>) {
        let line = &self.read.lines[at];
        let bytes = line.end - line.offset;
        if let Some(number) = sequence.filter(|number| *number == self.next) {
            let detail = "a whole event lacks its line feed".to_owned();
            self.note(
                FindingKind::TornTail,
                RepairAction::Terminate,
                at,
                sequence,
                (detail, "give it its line feed"),
            );
            self.keep(at);
            let rewrite = self.rewrite(self.read.lines[at].date);
            rewrite.put(&[b""]);
            self.next = number + 1;
        } else {
            let detail = format!("{bytes} bytes after the last line feed are no event");
            self.note(
                FindingKind::TornTail,
                RepairAction::TakeOut,
                at,
                None,
                (detail, "take them out: they were never acknowledged"),
            );
            self.take_out(at);
        }
    }
}

fn events(first: u64, last: u64, count: usize) -> String {
    match count {
        1 => format!("event {first}, which was"),
        _ => format!("{count} events from {first} to {last}, which were"),
    }
}
