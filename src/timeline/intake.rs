//! Adding events to a timeline.
//!
//! Lives here: what one more event changes in each part of the history, and what is odd about its
//! place in it. May not live here: looking anything up.

use super::follower::Written;
use super::{Loaded, Row, Symbol, Timeline, keyframes, row};
use crate::fold::{self, State};
use crate::model::{Anomaly, AnomalyKind, Event, Kind, Position, Value};
use crate::store::Locator;

/// So many events are worth a second thread.
const WORTH_SHARING: usize = 64;
/// How many events are handed over to it at a time.
const TOGETHER: usize = 32;
/// How many events come before the state lets go again of what is put aside.
const LET_GO: Position = 16_384;

impl Timeline {
    /// Adds the next event. All work is in proportion to the event.
    pub fn push(&mut self, loaded: Loaded) -> Position {
        let here = self.take_in(loaded);
        self.follower.change(|followed| {
            followed.changes.record(here, &self.applied.changes);
            followed.keyframes.offer(here, &self.state);
        });
        self.applied.changes.clear();
        self.let_go();
        here
    }

    /// Now and then, lets go of what is put aside of the state at the head: most of a large state
    /// does not change any more.
    fn let_go(&mut self) {
        if let Some(spill) = &self.spill
            && self.head() - self.let_go >= LET_GO
        {
            self.state.let_go(spill);
            self.let_go = self.head();
        }
    }

    /// Adds the next events. Where there are many, the change index and the kept versions follow on
    /// another thread; who looks at them waits until they have caught up.
    pub fn push_all(&mut self, events: Vec<Loaded>) {
        if events.len() < WORTH_SHARING {
            for loaded in events {
                self.push(loaded);
            }
            return;
        }
        let mut written = Written::default();
        for loaded in events {
            let here = self.take_in(loaded);
            written.ends.push((here, self.applied.changes.len()));
            if keyframes::is_due(here) {
                written.kept.push((here, self.state.clone()));
            }
            if written.ends.len() == TOGETHER {
                self.hand_over(&mut written);
            }
        }
        self.hand_over(&mut written);
        self.let_go();
    }

    /// Has what follows the fold take up some events and what they changed.
    fn hand_over(&mut self, written: &mut Written) {
        let room = Vec::with_capacity(self.applied.changes.len());
        written.changes = std::mem::replace(&mut self.applied.changes, room);
        self.follower.send(std::mem::take(written));
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
        let id = (!event.id.is_empty()).then(|| row::hash_text(&event.id));
        let known = id.and_then(|id| self.ids.insert_new(id, here));
        self.note_order(&event, known, content);
        fold::apply_into(&mut self.state, &event, &mut self.applied);
        self.anomalies.append(&mut self.applied.anomalies);
        self.causes.push(&event, id, &self.ids);
        let row = self.make_row(locator, &event, content, self.anomalies.len() > before);
        let named = if event.text("phase").is_some() { row.phase } else { Symbol::EMPTY };
        self.lanes.push(event.kind, named, row.agent, here);
        self.clocks.push(row.clock, field(&self.state, "usage", "cost_usd"));
        self.rows.push(&row);
        self.note_kind(event.kind, here);
        here
    }

    fn make_row(&mut self, locator: Locator, event: &Event, content: u32, odd: bool) -> Row {
        let clock = self.last_clock().map_or(event.at, |last| last.max(event.at));
        let phase = event
            .text("phase")
            .or_else(|| field(&self.state, "orchestration", "current_phase")?.as_text());
        let mut intern = |column: usize, text: Option<&str>| {
            let (text, last) = (text.unwrap_or_default(), &mut self.last_words[column]);
            if self.symbols.text(*last) != text {
                *last = self.symbols.intern(text);
            }
            *last
        };
        Row {
            locator,
            at: event.at,
            clock,
            id_head: row::id_head(&event.id),
            content,
            kind: event.kind,
            has_anomaly: odd,
            type_name: intern(0, Some(&event.type_name)),
            actor: intern(1, Some(&event.actor)),
            session: intern(2, Some(&event.session)),
            agent: intern(3, event.agent().map(smol_str::SmolStr::as_str)),
            phase: intern(4, phase.map(smol_str::SmolStr::as_str)),
        }
    }

    /// Compares order, ids and issue with what came before; `known` is the event that has the id.
    fn note_order(&mut self, event: &Event, known: Option<Position>, content: u32) {
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
        if let Some(first) = known {
            let same = self.rows.content(first as usize - 1) == Some(content);
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
    fn who_looks_waits_for_what_follows() {
        let progress = Path::parse("/agents/a3/progress").unwrap();
        for batches in [1, 2, 9] {
            let mut timeline = Timeline::new("T-1", catalogue::LINKS);
            for batch in 0..batches {
                timeline.push_all((batch * 500..(batch + 1) * 500).map(loaded).collect());
            }
            // (Nobody has looked so far.)
            let last = (1..=batches * 500).rfind(|position| (position - 1) % 7 == 3);
            assert_eq!(timeline.last_writer(&progress, timeline.head()), last);
            timeline.push_all((0..100).map(loaded).collect());
            assert_eq!(
                timeline.nearest_kept(timeline.head() - 1),
                (timeline.head() - 1) / keyframes::STRIDE * keyframes::STRIDE
            );
            timeline.push_all((0..100).map(loaded).collect());
            let here = timeline.push(loaded(3));
            assert!(timeline.writers(&progress).contains(here));
            // Dropped while a thread is at it.
            timeline.push_all((0..100).map(loaded).collect());
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
