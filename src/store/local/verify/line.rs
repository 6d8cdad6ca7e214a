//! What is wrong with one line of an issue's log.
//!
//! Lives here: its fields held against what was read before, and what a line is that is no event. May
//! not live here: which lines there are (see [`super`]).

use rustc_hash::FxHashMap;

use super::super::finding::FindingKind;
use super::super::io::fingerprint;
use super::super::layout::Date;
use super::super::lines::Scanned;
use super::super::summary::Light;
use crate::model::{AnomalyKind, Timestamp, envelope};

/// What was found: its kind, the sequence of the event, and words.
pub(in super::super) type Found = Vec<(FindingKind, Option<u64>, String)>;

/// What is known of an issue while its log is read.
pub(super) struct Known<'a> {
    pub(super) number: u32,
    pub(super) key: &'a str,
    pub(super) next: u64,
    pub(super) ids: FxHashMap<u64, u64>,
}

impl Known<'_> {
    pub(super) fn event(&mut self, event: &Light<'_>, date: Date, found: &mut Found) {
        let sequence = event.event_sequence;
        let mut note = |kind, detail| found.push((kind, sequence, detail));
        match event.issue_key.as_deref() {
            Some(key) if key == self.key => {}
            Some(other) => note(FindingKind::OtherIssue, format!("it names {other:?}")),
            None => note(FindingKind::FieldFault, "no issue_key".to_owned()),
        }
        match sequence {
            Some(n) if n == self.next => self.next += 1,
            Some(n) if n > self.next => {
                note(FindingKind::SequenceGap, format!("{n} where {} was next", self.next));
                self.next = n.saturating_add(1);
            }
            Some(n) => {
                note(FindingKind::SequenceRepeated, format!("{n} where {} was next", self.next));
            }
            None => note(FindingKind::FieldFault, "no event_sequence".to_owned()),
        }
        match event.event_id.as_deref() {
            Some(id) => {
                let at = sequence.unwrap_or_default();
                if let Some(first) = self.ids.insert(fingerprint(id.as_bytes()), at) {
                    note(FindingKind::ReusedId, format!("{id} is the id of event {first} too"));
                }
            }
            None => note(FindingKind::FieldFault, "no event_id".to_owned()),
        }
        match event.timestamp.as_deref().map(Timestamp::parse) {
            Some(Ok(at)) if Date::of(at) > date => {
                note(
                    FindingKind::WrongPartition,
                    format!("it is of {at}, in the folder of {date}"),
                );
            }
            Some(Ok(_)) => {}
            Some(Err(fault)) => note(FindingKind::FieldFault, format!("timestamp: {fault}")),
            None => note(FindingKind::FieldFault, "no timestamp".to_owned()),
        }
        let absent = [
            ("event_type", event.event_type.is_none()),
            ("session_id", event.session_id.is_none()),
            ("actor", event.actor.is_none()),
            ("metadata", event.metadata.is_none()),
        ];
        for (name, _) in absent.iter().filter(|(_, absent)| *absent) {
            note(FindingKind::FieldFault, format!("no {name}"));
        }
    }
}

/// What is wrong with a line that is not one sound object.
pub(in super::super) fn damage(line: &Scanned<'_>) -> Found {
    if line.too_long() {
        let detail = format!("{} bytes", line.length);
        return vec![(FindingKind::LineTooLong, None, detail)];
    }
    let texts = envelope::split_line(line.bytes);
    let mut found = Vec::new();
    // The texts of one line share its faults: those of the first are all.
    if let Some(text) = texts.first() {
        let sequence = (texts.len() == 1 && text.is_object)
            .then(|| envelope::read(&text.text).0.event_sequence)
            .flatten();
        for (kind, detail) in &text.faults {
            let kind = match kind {
                AnomalyKind::NulBytes => FindingKind::NulBytes,
                AnomalyKind::InvalidUtf8 => FindingKind::InvalidUtf8,
                AnomalyKind::SeveralOnOneLine => FindingKind::SeveralOnOneLine,
                _ => FindingKind::NotAnEvent,
            };
            found.push((kind, sequence, detail.clone()));
        }
        if found.is_empty() {
            // An object, but with fields of other types than an event's.
            let (_, faults) = envelope::read(&text.text);
            let faults = faults.into_iter().map(|f| (FindingKind::FieldFault, sequence, f.1));
            found.extend(faults);
        }
    }
    if found.is_empty() {
        found.push((FindingKind::NotAnEvent, None, "it cannot be read".to_owned()));
    }
    found
}
