//! What an append will write and answer, decided before anything is written.
//!
//! Lives here: steps 4 to 6 of an append: ids, the expected sequence, times and partitions. May
//! not live here: writing (see [`super::append`]).

use std::ops::Range;

use super::LocalStore;
use super::head::Locked;
use super::ids::{self, Stored};
use super::layout::Date;
use crate::error::Result;
use crate::model::Timestamp;
use crate::schema::Draft;
use crate::store::{Acknowledgement, AppendOptions, Batch, Durability, head_conflict, reused_id};

/// For each draft of a batch the line that already has its id.
pub(super) type Known = Vec<Option<Stored>>;

/// Finds the drafts whose ids are already in the log, and refuses ids that mean another event.
/// Says too whether the id index lags far behind.
pub(super) fn look_up(
    store: &LocalStore,
    log: &Locked<'_>,
    batch: &Batch,
    durability: Durability,
) -> Result<(Known, bool)> {
    let wanted: Vec<&str> = batch.drafts.iter().filter_map(Draft::event_id).collect();
    if wanted.is_empty() || log.head.end.is_none() {
        return Ok((vec![None; batch.drafts.len()], false));
    }
    let (found, unindexed) = match durability {
        Durability::Deferred => (store.find_cached(log, &wanted)?, false),
        _ => ids::find(&store.layout, log, &wanted)?,
    };
    let mut known = Vec::with_capacity(batch.drafts.len());
    for draft in &batch.drafts {
        let stored = draft.event_id().and_then(|id| found.get(id));
        if let Some(stored) = stored
            && !draft.same_content(&stored.line)
        {
            return Err(reused_id(&stored.id, stored.sequence));
        }
        known.push(stored.cloned());
    }
    Ok((known, unindexed))
}

/// The expected sequence is that before the batch, part of which may stand already.
pub(super) fn check_expected(log: &Locked<'_>, known: &Known, expected: Option<u64>) -> Result<()> {
    let Some(expected) = expected else { return Ok(()) };
    if known.iter().all(Option::is_some) {
        return Ok(());
    }
    let actual = log.head.sequence;
    let standing = known.iter().flatten().zip(expected + 1..);
    let retried = standing.take_while(|(stored, sequence)| stored.sequence == *sequence).count();
    if expected + retried as u64 == actual {
        return Ok(());
    }
    Err(head_conflict(log.key, expected, actual))
}

/// What is to be written and answered.
pub(super) struct Plan {
    /// All lines with their line feeds.
    pub(super) bytes: Vec<u8>,
    /// Which of them go to which partition.
    pub(super) groups: Vec<(Date, Range<usize>)>,
    /// The running maximum of the times after it.
    pub(super) latest: Timestamp,
    /// The answers, in the order of the drafts.
    pub(super) answers: Vec<Acknowledgement>,
    /// Where the lines of the new events begin in `bytes`, with their ids' place in `answers`.
    pub(super) lines: Vec<(usize, usize)>,
}

impl Plan {
    pub(super) fn make(
        store: &LocalStore,
        log: &Locked<'_>,
        batch: &Batch,
        options: &AppendOptions,
        known: Known,
    ) -> Result<Self> {
        let answers = Vec::with_capacity(batch.drafts.len());
        let latest = log.head.latest;
        let mut plan =
            Self { bytes: Vec::new(), groups: Vec::new(), latest, answers, lines: Vec::new() };
        let mut partition = log.head.end.map(|p| p.date);
        let mut sequence = log.head.sequence;
        let now = store.clock.now();
        // Ids of this batch, to find one that comes twice; one draft has nothing to collide with.
        let mut seen = rustc_hash::FxHashMap::<&str, usize>::default();
        for (draft, known) in batch.drafts.iter().zip(known) {
            if let Some(stored) = known {
                plan.answers.push(duplicate(draft, &stored, options.durability));
                continue;
            }
            if let Some(id) = draft.event_id()
                && batch.drafts.len() > 1
                && let Some(first) = seen.insert(id, plan.answers.len())
            {
                plan.repeat(draft, first, id)?;
                seen.insert(id, first);
                continue;
            }
            sequence += 1;
            let at = draft.timestamp().unwrap_or_else(|| now.max(plan.latest));
            plan.latest = plan.latest.max(at);
            let date = partition.map_or(Date::of(at), |last| last.max(Date::of(at)));
            partition = Some(date);
            plan.add(draft, (at, sequence, date), options);
        }
        Ok(plan)
    }

    fn add(
        &mut self,
        draft: &Draft,
        (timestamp, sequence, date): (Timestamp, u64, Date),
        options: &AppendOptions,
    ) {
        let event_id = draft.event_id().map_or_else(crate::model::ids::new_event_id, str::to_owned);
        let line = draft.to_line(&options.stamp(&event_id, timestamp, sequence));
        let start = self.bytes.len();
        self.lines.push((start, self.answers.len()));
        if start == 0 {
            self.bytes = line.into_bytes();
        } else {
            self.bytes.extend_from_slice(line.as_bytes());
        }
        self.bytes.push(b'\n');
        let end = self.bytes.len();
        match self.groups.last_mut() {
            Some((last, range)) if *last == date => range.end = end,
            _ => self.groups.push((date, start..end)),
        }
        self.answers.push(Acknowledgement {
            event_id,
            event_type: draft.event_type().to_owned(),
            event_sequence: sequence,
            issue_key: draft.issue_key().to_owned(),
            session_id: draft.session_id().to_owned(),
            timestamp,
            partition: date.as_str().to_owned(),
            duplicate: false,
            durability: mark(options.durability),
        });
    }

    /// An id that came earlier in the same batch.
    fn repeat(&mut self, draft: &Draft, first: usize, id: &str) -> Result<()> {
        let answer = &self.answers[first];
        let line = self.lines.iter().find(|(_, at)| *at == first).map(|(start, _)| {
            let rest = &self.bytes[*start..];
            &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())]
        });
        let line = line.and_then(|line| std::str::from_utf8(line).ok());
        if !line.is_some_and(|line| draft.same_content(line)) {
            return Err(reused_id(id, answer.event_sequence));
        }
        let answer = Acknowledgement { duplicate: true, ..answer.clone() };
        self.answers.push(answer);
        Ok(())
    }
}

fn mark(durability: Durability) -> Option<&'static str> {
    (durability == Durability::Os).then_some("os")
}

fn duplicate(draft: &Draft, stored: &Stored, durability: Durability) -> Acknowledgement {
    Acknowledgement {
        event_id: stored.id.clone(),
        event_type: draft.event_type().to_owned(),
        event_sequence: stored.sequence,
        issue_key: draft.issue_key().to_owned(),
        session_id: draft.session_id().to_owned(),
        timestamp: stored.timestamp,
        partition: stored.partition.as_str().to_owned(),
        duplicate: true,
        durability: mark(durability),
    }
}
