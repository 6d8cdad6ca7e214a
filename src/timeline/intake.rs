//! Adding events to a timeline.
//!
//! Lives here: what one more event changes in each part of the history, and what is odd about its
//! place in it. May not live here: looking anything up.

use std::sync::mpsc::{SendError, sync_channel};

use super::{ChangeIndex, Keyframes, Loaded, Row, Symbol, Timeline, keyframes, row};
use crate::fold::{self, Change, State};
use crate::model::{Anomaly, AnomalyKind, Event, Kind, Position, Value};
use crate::store::Locator;

/// So many events are worth a second thread.
const WORTH_SHARING: usize = 64;
/// How many events are handed over to it at a time.
const TOGETHER: usize = 32;
/// How many such bundles may wait.
const QUEUE: usize = 8;
/// How many events come before the state lets go again of what is put aside.
const LET_GO: Position = 16_384;

/// What some events wrote, one after the other.
struct Written {
    changes: Vec<Change>,
    /// For each event where its changes end.
    ends: Vec<(Position, usize)>,
    /// The versions to keep.
    kept: Vec<(Position, State)>,
}

impl Written {
    fn record(&self, index: &mut ChangeIndex, keyframes: &mut Keyframes) {
        for (position, state) in &self.kept {
            keyframes.offer(*position, state);
        }
        let mut from = 0;
        for (position, end) in &self.ends {
            index.record(*position, self.changes.get(from..*end).unwrap_or_default());
            from = *end;
        }
    }
}

impl Timeline {
    /// Adds the next event. All work is in proportion to the event.
    pub fn push(&mut self, loaded: Loaded) -> Position {
        let here = self.take_in(loaded);
        self.changes.record(here, &self.applied.changes);
        self.applied.changes.clear();
        if keyframes::is_due(here) {
            self.keyframes.offer(here, &self.state);
            self.let_go();
        }
        here
    }

    /// Now and then, lets go of what is put aside of the state at the head: most of a large state
    /// does not change any more.
    fn let_go(&mut self) {
        if let Some(spill) = self.keyframes.spill()
            && self.head() - self.let_go >= LET_GO
        {
            self.state.let_go(spill);
            self.let_go = self.head();
        }
    }

    /// Adds the next events. Where there are many, the change index and the kept versions follow on
    /// another thread; they have caught up when this returns.
    pub fn push_all(&mut self, events: Vec<Loaded>) {
        if events.len() < WORTH_SHARING {
            for loaded in events {
                self.push(loaded);
            }
            return;
        }
        let mut index = std::mem::take(&mut self.changes);
        let mut keyframes = std::mem::take(&mut self.keyframes);
        let mut left = Vec::new();
        std::thread::scope(|scope| {
            let (sender, written) = sync_channel::<Written>(QUEUE);
            let indexer = std::thread::Builder::new().name("index".into());
            let (index, keyframes) = (&mut index, &mut keyframes);
            // Where there is no other thread to be had, nobody takes what is sent.
            let _indexer = indexer.spawn_scoped(scope, move || {
                written.iter().for_each(|written| written.record(index, keyframes));
            });
            let mut send = |written| {
                if let Err(SendError(written)) = sender.send(written) {
                    left.push(written);
                }
            };
            let (mut ends, mut kept) = (Vec::with_capacity(TOGETHER), Vec::new());
            for loaded in events {
                let here = self.take_in(loaded);
                ends.push((here, self.applied.changes.len()));
                if keyframes::is_due(here) {
                    kept.push((here, self.state.clone()));
                }
                if ends.len() == TOGETHER {
                    let room = Vec::with_capacity(self.applied.changes.len());
                    let changes = std::mem::replace(&mut self.applied.changes, room);
                    let (ends, kept) = (std::mem::take(&mut ends), std::mem::take(&mut kept));
                    send(Written { changes, ends, kept });
                }
            }
            send(Written { changes: std::mem::take(&mut self.applied.changes), ends, kept });
        });
        left.iter().for_each(|written| written.record(&mut index, &mut keyframes));
        (self.changes, self.keyframes) = (index, keyframes);
        self.let_go();
    }

    /// All of adding an event but for the change index and the kept versions.
    fn take_in(&mut self, loaded: Loaded) -> Position {
        let Loaded { locator, mut event, faults, content } = loaded;
        let here = self.head() + 1;
        event.position = here;
        let before = self.anomalies.len();
        for (kind, detail) in faults {
            self.anomalies.push(Anomaly::new(kind, here, detail));
        }
        self.note_order(&event, content);
        fold::apply_into(&mut self.state, &event, &mut self.applied);
        self.anomalies.append(&mut self.applied.anomalies);
        self.causes.push(&event, &self.ids);
        let row = self.make_row(locator, &event, content, self.anomalies.len() > before);
        let named = if event.text("phase").is_some() { row.phase } else { Symbol::EMPTY };
        self.lanes.push(event.kind, named, row.agent, here);
        self.clocks.push(row.clock, field(&self.state, "usage", "cost_usd"));
        self.rows.push(&row);
        self.note_kind(event.kind, here);
        if !event.id.is_empty() {
            self.ids.entry(row::hash_text(&event.id)).or_insert(here);
        }
        here
    }

    fn make_row(&mut self, locator: Locator, event: &Event, content: u32, odd: bool) -> Row {
        let clock = self.last_clock().map_or(event.at, |last| last.max(event.at));
        let phase = event
            .text("phase")
            .or_else(|| field(&self.state, "orchestration", "current_phase")?.as_text())
            .cloned();
        let mut intern = |text: Option<&str>| self.symbols.intern(text.unwrap_or_default());
        Row {
            locator,
            at: event.at,
            clock,
            id_head: row::id_head(&event.id),
            content,
            kind: event.kind,
            has_anomaly: odd,
            type_name: intern(Some(&event.type_name)),
            actor: intern(Some(&event.actor)),
            session: intern(Some(&event.session)),
            agent: intern(event.agent().map(smol_str::SmolStr::as_str)),
            phase: intern(phase.as_deref()),
        }
    }

    /// Compares order, ids and issue with what came before.
    fn note_order(&mut self, event: &Event, content: u32) {
        let here = event.position;
        let last = self.last_clock();
        let mut note = |kind, detail| self.anomalies.push(Anomaly::new(kind, here, detail));
        if event.kind == Kind::Unreadable {
            // Its place in the sequence is unknown; it takes the next number, if any did.
            self.last_sequence = self.last_sequence.map(|n| n + 1);
            return;
        }
        if let Some(last) = last
            && event.at < last
        {
            let back = crate::model::time::human_duration(last.millis() - event.at.millis());
            note(AnomalyKind::TimeRunsBack, format!("{} is {back} before {last}", event.at));
        }
        if let Some(sequence) = event.sequence {
            let expected = self.last_sequence.map_or(1, |n| n.saturating_add(1));
            if sequence > expected {
                note(
                    AnomalyKind::SequenceGap,
                    format!("sequence {sequence} follows {}", expected - 1),
                );
            } else if sequence < expected {
                note(
                    AnomalyKind::SequenceRepeated,
                    format!("sequence {sequence} where {expected} is due"),
                );
            }
            self.last_sequence = Some(sequence.max(expected - 1));
        }
        if !event.issue_key.is_empty() && event.issue_key != self.issue_key {
            note(AnomalyKind::OtherIssue, format!("the event names {}", event.issue_key));
        }
        if !event.id.is_empty()
            && let Some(first) = self.ids.get(&row::hash_text(&event.id))
        {
            let same = self.rows.content(*first as usize - 1) == Some(content);
            let kind = if same { AnomalyKind::DuplicateId } else { AnomalyKind::ReusedId };
            note(kind, format!("event_id {} is that of #{first} too", event.id));
        }
    }
}

/// A field of a member of the state; no path is built for it, as every event asks.
fn field<'a>(state: &'a State, member: &str, field: &str) -> Option<&'a Value> {
    state.root().get(member)?.get(field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Path, catalogue};
    use crate::schema::upcast;

    fn loaded(number: u32) -> Loaded {
        let text = format!(
            r#"{{"event_id":"e{number}","event_type":"AgentProgressed","metadata":{{"agent_name":"a{}","progress":{number}}}}}"#,
            number % 7
        );
        let (event, faults) = upcast::read_event(&text, 0, Default::default());
        Loaded { locator: Locator::default(), event, faults: faults.into_vec(), content: number }
    }

    #[test]
    fn many_at_once_are_as_many_one_by_one() {
        let mut together = Timeline::new("T-1", catalogue::LINKS);
        let mut single = Timeline::new("T-1", catalogue::LINKS);
        for size in [1, 63, 64, 65, 400] {
            let first = single.head();
            together.push_all((first..first + size).map(loaded).collect());
            for number in first..first + size {
                single.push(loaded(number));
            }
            assert!(together.rows().eq(single.rows()));
            assert_eq!(together.head_state(), single.head_state());
            assert_eq!(together.changes().paths(), single.changes().paths());
            for pointer in ["", "/agents", "/agents/a3", "/agents/a3/progress"] {
                let path = Path::parse(pointer).unwrap();
                let found = together.writers(&path).to_vec();
                assert_eq!(found, single.writers(&path).to_vec(), "{pointer}");
                assert!(size == 1 || !found.is_empty(), "{pointer}");
            }
        }
    }
    #[test]
    fn a_chain_as_long_as_the_log_is_followed_step_by_step() {
        let mut timeline = Timeline::new("T-1", catalogue::LINKS);
        for number in 0..100_000_u32 {
            let mut next = loaded(number);
            // Each event is caused by the one before, and the first by the last.
            let cause = number.checked_sub(1).unwrap_or(99_999);
            next.event.causation = Some(format!("e{cause}").into());
            timeline.push(next);
        }
        let near: Vec<_> = timeline.cause_chain(50).take(2).map(|cause| cause.position).collect();
        assert_eq!(near, [49, 48]);
        assert_eq!(timeline.cause_chain(50).count(), 99_999);
    }
}
