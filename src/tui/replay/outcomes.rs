//! What became of each event of a replay, as far as it is known.
//!
//! Lives here: the entries, and what is counted and looked up of them. May not live here: drawing.

use rustc_hash::FxHashMap;

use super::progress::{Entry, News, Words};
use crate::model::Position;
use crate::model::catalogue::ReplayPolicy;
use crate::replay::Execution;
use crate::timeline::{Symbol, Timeline};
use crate::tui::signs::ReplayMark;

/// Why an event that was begun and has no end is unknown.
const UNKNOWN: &str = "it was begun, and nobody knows how it ended";

/// The positions of each mark, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplayMarks([Vec<Position>; ReplayMark::ALL.len()]);

impl ReplayMarks {
    /// The positions that have a mark.
    #[must_use]
    pub fn of(&self, mark: ReplayMark) -> &[Position] {
        &self.0[mark as usize]
    }

    /// How many positions have a mark.
    #[must_use]
    pub fn count(&self, mark: ReplayMark) -> usize {
        self.of(mark).len()
    }

    fn push(&mut self, mark: ReplayMark, position: Position) {
        insert(&mut self.0[mark as usize], position);
    }

    fn remove(&mut self, mark: ReplayMark, position: Position) {
        let list = &mut self.0[mark as usize];
        if let Ok(at) = list.binary_search(&position) {
            list.remove(at);
        }
    }
}

/// Puts a position into a list in order; it almost always belongs to the end.
fn insert(list: &mut Vec<Position>, position: Position) {
    match list.last() {
        Some(last) if *last >= position => {
            if let Err(at) = list.binary_search(&position) {
                list.insert(at, position);
            }
        }
        _ => list.push(position),
    }
}

/// The events of one type that came to the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What they came to.
    pub mark: ReplayMark,
    /// Their type.
    pub type_name: String,
    /// What may be done with the type.
    pub policy: ReplayPolicy,
    /// How many there are.
    pub count: usize,
    /// Why, of the first.
    pub reason: String,
    /// How many events have another reason than the first.
    pub others: usize,
}

/// What became of events.
#[derive(Debug, Default)]
pub struct Outcomes {
    words: Vec<Words>,
    entries: Vec<Entry>,
    results: FxHashMap<Position, Execution>,
    marks: ReplayMarks,
    lanes: FxHashMap<Symbol, ReplayMarks>,
    groups: Vec<Group>,
    /// The group of each of the words, once an event has them.
    group_of: Vec<Option<usize>>,
    /// The groups as they are shown: the most important first, then the largest.
    shown: Vec<usize>,
    running: Option<Position>,
}

impl Outcomes {
    /// Takes in what came; the timeline tells whose lanes the events are in.
    pub fn take(&mut self, news: News, timeline: &Timeline) {
        let News { words, entries, results, begun, .. } = news;
        self.words.extend(words);
        self.runs(begun, timeline);
        for entry in entries {
            self.push(entry, timeline);
        }
        self.results.extend(results);
        self.shown = (0..self.groups.len()).collect();
        let groups = &self.groups;
        let weight = |at: &usize| (groups[*at].mark as usize, std::cmp::Reverse(groups[*at].count));
        self.shown.sort_by_key(weight);
    }

    fn runs(&mut self, begun: Option<Position>, timeline: &Timeline) {
        if let Some(before) = self.running.take() {
            self.marks.remove(ReplayMark::Running, before);
            if let Some(lane) = self.lane(before, timeline) {
                lane.remove(ReplayMark::Running, before);
            }
        }
        if let Some(position) = begun {
            self.mark(ReplayMark::Running, position, timeline);
            self.running = Some(position);
        }
    }

    fn lane(&mut self, position: Position, timeline: &Timeline) -> Option<&mut ReplayMarks> {
        let agent = timeline.row(position)?.agent;
        (!agent.is_empty()).then(|| self.lanes.entry(agent).or_default())
    }

    fn mark(&mut self, mark: ReplayMark, position: Position, timeline: &Timeline) {
        self.marks.push(mark, position);
        // Most events are records: in a lane they would hide the run itself.
        if mark != ReplayMark::Recorded
            && let Some(lane) = self.lane(position, timeline)
        {
            lane.push(mark, position);
        }
    }

    fn push(&mut self, entry: Entry, timeline: &Timeline) {
        let at = self.entries.partition_point(|other| other.position < entry.position);
        self.entries.insert(at, entry);
        self.mark(entry.mark, entry.position, timeline);
        self.count(entry);
    }

    fn count(&mut self, entry: Entry) {
        let number = entry.words as usize;
        let Some(words) = self.words.get(number) else { return };
        self.group_of.resize(self.words.len().max(self.group_of.len()), None);
        let known = self.group_of[number].filter(|at| self.groups[*at].mark == entry.mark);
        let found = known.or_else(|| {
            let same = |g: &Group| g.mark == entry.mark && g.type_name == words.type_name;
            self.groups.iter().position(same)
        });
        let at = found.unwrap_or_else(|| {
            self.groups.push(Group {
                mark: entry.mark,
                type_name: words.type_name.clone(),
                policy: words.policy,
                count: 0,
                reason: words.reason.clone(),
                others: 0,
            });
            self.groups.len() - 1
        });
        self.group_of[number] = Some(at);
        let group = &mut self.groups[at];
        group.count += 1;
        group.others += usize::from(group.reason != words.reason);
    }

    /// Nothing more comes. What still ran has no known end, or is to be tried once more: then nothing
    /// became of it yet.
    pub fn end(&mut self, is_unknown: bool, timeline: &Timeline) {
        let Some(position) = self.running else { return };
        if !is_unknown {
            self.take(News::default(), timeline);
            return;
        }
        let row = timeline.row(position);
        let type_name = row.map_or("", |row| timeline.text(row.type_name));
        let number = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        let (type_name, reason) = (type_name.to_owned(), UNKNOWN.to_owned());
        let words = vec![Words { type_name, policy: ReplayPolicy::Execute, reason }];
        let entries = vec![Entry { position, mark: ReplayMark::Unknown, words: number }];
        self.take(News { words, entries, ..News::default() }, timeline);
    }

    /// How many events were dealt with: of those that are unknown that cannot be said.
    #[must_use]
    pub fn settled(&self) -> usize {
        self.len() - self.marks.count(ReplayMark::Unknown)
    }

    /// How many of them stand before a position, or there.
    #[must_use]
    pub fn upto(&self, position: Position) -> usize {
        self.entries.partition_point(|entry| entry.position <= position)
    }

    /// How many events anything is said of.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The event whose program runs.
    #[must_use]
    pub fn running(&self) -> Option<Position> {
        self.running
    }

    /// The last event that anything is known of.
    #[must_use]
    pub fn last(&self) -> Option<Position> {
        self.running.max(self.entries.last().map(|entry| entry.position))
    }

    /// The positions of each mark.
    #[must_use]
    pub fn marks(&self) -> &ReplayMarks {
        &self.marks
    }

    /// The same, of the events of one agent.
    #[must_use]
    pub fn marks_of(&self, agent: Symbol) -> Option<&ReplayMarks> {
        self.lanes.get(&agent)
    }

    /// What became of events, by type.
    #[must_use]
    pub fn groups(&self) -> impl ExactSizeIterator<Item = &Group> {
        self.shown.iter().map(|at| &self.groups[*at])
    }

    /// What became of an event.
    #[must_use]
    pub fn at(&self, position: Position) -> Option<ReplayMark> {
        if self.running == Some(position) {
            return Some(ReplayMark::Running);
        }
        self.entry(position).map(|entry| entry.mark)
    }

    /// What is said of an event.
    #[must_use]
    pub fn words(&self, position: Position) -> Option<&Words> {
        self.words.get(self.entry(position)?.words as usize)
    }

    /// What the program of an event did.
    #[must_use]
    pub fn result(&self, position: Position) -> Option<&Execution> {
        self.results.get(&position)
    }

    fn entry(&self, position: Position) -> Option<&Entry> {
        let at = self.entries.binary_search_by_key(&position, |entry| entry.position).ok()?;
        self.entries.get(at)
    }

    /// The events that came to something that is looked for, in order.
    #[must_use]
    pub fn positions(&self, fits: impl Fn(ReplayMark, &str) -> bool) -> Vec<Position> {
        let of = |entry: &&Entry| {
            let words = self.words.get(entry.words as usize);
            words.is_some_and(|words| fits(entry.mark, &words.type_name))
        };
        self.entries.iter().filter(of).map(|entry| entry.position).collect()
    }

    /// Which programs would run, each with its types and how many events it gets.
    #[must_use]
    pub fn programs(&self) -> Vec<Program> {
        let mut found: Vec<Program> = Vec::new();
        for entry in self.entries.iter().filter(|e| e.mark == ReplayMark::WouldExecute) {
            let Some(words) = self.words.get(entry.words as usize) else { continue };
            let same =
                |p: &&mut Program| p.command == words.reason && p.type_name == words.type_name;
            match found.iter_mut().find(same) {
                Some(program) => program.events = program.events.map(|events| events + 1),
                None => found.push(Program {
                    command: words.reason.clone(),
                    type_name: words.type_name.clone(),
                    events: Some(1),
                }),
            }
        }
        found
    }
}

/// A program that would run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The program and its arguments, without secrets.
    pub command: String,
    /// What it executes.
    pub type_name: String,
    /// How many events; none where that is not known.
    pub events: Option<usize>,
}
