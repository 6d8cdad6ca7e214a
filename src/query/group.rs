//! Counting by the values of a field.
//!
//! Lives here: [`GroupBy`] and [`Group`]. May not live here: reading logs.

use std::borrow::Cow;

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::reader::Seen;
use crate::model::catalogue;

crate::closed_list! {
    /// The fields that every event has a value of, to group by.
    pub enum GroupField {
        /// The type's name as written.
        Type = "type",
        /// The agent, as in the filter.
        Agent = "agent",
        /// The phase, as in the filter.
        Phase = "phase",
        /// The actor's id.
        Actor = "actor",
        /// The session's id.
        Session = "session",
        /// The type's area.
        Category = "category",
        /// The type's severity.
        Severity = "severity",
        /// The issue whose log it stands in.
        Issue = "issue",
        /// The correlation id.
        Correlation = "correlation",
        /// The day (UTC) of the event's own time.
        Date = "date",
    }
}

/// What to count by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupBy {
    /// A field that every event has.
    Field(GroupField),
    /// A field of the metadata, by its name; dots reach into objects.
    Metadata(String),
}

impl GroupBy {
    /// Reads the name of a field, by its word or as the envelope calls it; any that is none of
    /// [`GroupField`] is one of the metadata. `metadata.NAME` is always one of the metadata.
    #[must_use]
    pub fn parse(name: &str) -> Self {
        let word = match name {
            "event_type" => "type",
            "issue_key" => "issue",
            "session_id" => "session",
            "correlation_id" => "correlation",
            _ => name,
        };
        match GroupField::from_name(word) {
            Some(field) => Self::Field(field),
            None => Self::Metadata(name.strip_prefix("metadata.").unwrap_or(name).to_owned()),
        }
    }

    pub(super) fn needs_phase(&self) -> bool {
        *self == Self::Field(GroupField::Phase)
    }
}

/// One value and how many events have it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Group {
    /// The value: the text of a string, the JSON of anything else; none for events without one.
    pub key: Option<SmolStr>,
    /// How many events.
    pub count: u64,
}

/// The counts while they grow.
#[derive(Debug, Default)]
pub(super) struct Tally(FxHashMap<SmolStr, u64>, u64);

impl Tally {
    pub(super) fn add(&mut self, by: &GroupBy, seen: &Seen<'_>) {
        let header = seen.header;
        let day;
        let value: Option<Cow<'_, str>> = match by {
            GroupBy::Metadata(path) => header.value(path),
            GroupBy::Field(field) => Some(match field {
                GroupField::Type => Cow::Borrowed(&*header.type_name),
                GroupField::Agent => header.agent(),
                GroupField::Phase => header.phase().unwrap_or(Cow::Borrowed(seen.phase)),
                GroupField::Actor => Cow::Borrowed(&*header.actor),
                GroupField::Session => Cow::Borrowed(&*header.session),
                GroupField::Category => Cow::Borrowed(catalogue::category(header.kind()).name()),
                GroupField::Severity => Cow::Borrowed(catalogue::severity(header.kind()).name()),
                GroupField::Issue => Cow::Borrowed(seen.candidate.issue_key),
                GroupField::Correlation => Cow::Borrowed(&*header.correlation),
                GroupField::Date => {
                    day = seen.at.date();
                    Cow::Borrowed(day.as_str())
                }
            }),
        };
        match value.filter(|v| !v.is_empty()) {
            None => self.1 += 1,
            Some(value) => match self.0.get_mut(&*value) {
                Some(count) => *count += 1,
                None => {
                    self.0.insert(SmolStr::new(value), 1);
                }
            },
        }
    }

    /// The groups, largest first; those of one size by key, the events without a value last.
    pub(super) fn finish(self) -> Vec<Group> {
        let mut groups: Vec<Group> =
            self.0.into_iter().map(|(key, count)| Group { key: Some(key), count }).collect();
        if self.1 > 0 {
            groups.push(Group { key: None, count: self.1 });
        }
        groups.sort_by(|a, b| {
            let by_key = (a.key.is_none(), &a.key).cmp(&(b.key.is_none(), &b.key));
            b.count.cmp(&a.count).then(by_key)
        });
        groups
    }
}
