//! Holding the issues' lines against the leaf hashes, and naming what does not fit.
//!
//! Lives here: what a thorough check needs to tell a changed line from a moved, an inserted and a
//! missing one. May not live here: reading the lines (see [`super::super::verify`]).

use std::path::{Path, PathBuf};

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use super::super::finding::{Finding, FindingKind};
use super::super::global::issue_of;
use super::super::lines::{Scanned, Stamps};
use super::hashes::Hash;

/// A line of an issue's log.
pub(in super::super) struct LoggedLine {
    /// Its number in its file, from 1.
    pub(in super::super) line: u64,
    pub(in super::super) sequence: Option<u64>,
    pub(in super::super) leaf: Hash,
}

/// The lines of the issues, in their order.
#[derive(Default)]
pub(in super::super) struct Logged {
    files: Vec<PathBuf>,
    issues: Vec<Vec<(usize, LoggedLine)>>,
}

impl Logged {
    /// Begins with the next issue.
    pub(in super::super) fn begin(&mut self) {
        self.issues.push(Vec::new());
    }

    /// Adds a line of that issue.
    pub(in super::super) fn add(&mut self, file: &Path, line: LoggedLine) {
        if self.files.last().is_none_or(|last| last != file) {
            self.files.push(file.to_owned());
        }
        if let Some(issue) = self.issues.last_mut() {
            issue.push((self.files.len() - 1, line));
        }
    }

    fn finding(&self, kind: FindingKind, key: &str, at: At, detail: String) -> Finding {
        let (file, line) = &self.issues[at.0][at.1];
        Finding {
            kind,
            issue_key: Some(key.to_owned()),
            file: self.files[*file].clone(),
            line: Some(line.line),
            event_sequence: line.sequence,
            detail,
        }
    }
}

/// A line by its issue's and its own number.
type At = (usize, usize);

/// The leaf hashes beside the lines that they are of.
pub(in super::super) struct Whole<'a> {
    only: Option<&'a str>,
    /// The lines that no leaf hash is of, by issue.
    strange: Vec<Vec<usize>>,
    /// How many lines of each issue stand before the last one with a leaf hash.
    reached: Vec<usize>,
    /// The lines that stand elsewhere than their leaf hash.
    moved: Vec<(At, usize)>,
    /// The leaf hashes that no line has.
    orphans: FxHashSet<usize>,
    /// What the global log says of those: issue and sequence number.
    told: FxHashMap<usize, (String, Option<u64>)>,
    /// How many lines of the global log were seen.
    seen: usize,
}

impl<'a> Whole<'a> {
    /// Finds the line of each leaf hash.
    pub(in super::super) fn new(leaves: &[Hash], logged: &Logged, only: Option<&'a str>) -> Self {
        let mut places = FxHashMap::<Hash, SmallVec<[At; 1]>>::default();
        for (issue, lines) in logged.issues.iter().enumerate() {
            for (number, (_, line)) in lines.iter().enumerate() {
                places.entry(line.leaf).or_default().push((issue, number));
            }
        }
        let mut reached = vec![0; logged.issues.len()];
        let mut known: Vec<Vec<bool>> =
            logged.issues.iter().map(|lines| vec![false; lines.len()]).collect();
        let (mut moved, mut orphans) = (Vec::new(), FxHashSet::default());
        for (index, leaf) in leaves.iter().enumerate() {
            let free = |at: &&At| !known[at.0][at.1];
            let Some(&at) = places.get(leaf).and_then(|at| at.iter().find(free)) else {
                orphans.insert(index);
                continue;
            };
            known[at.0][at.1] = true;
            if at.1 < reached[at.0] {
                moved.push((at, index));
            }
            reached[at.0] = reached[at.0].max(at.1 + 1);
        }
        let strangers = |known: &Vec<bool>| {
            known.iter().enumerate().filter(|(_, known)| !**known).map(|(at, _)| at).collect()
        };
        let strange = if leaves.is_empty() {
            vec![Vec::new(); known.len()]
        } else {
            known.iter().map(strangers).collect()
        };
        Self { only, strange, reached, moved, orphans, told: FxHashMap::default(), seen: 0 }
    }

    /// Takes the next line of the global log.
    pub(in super::super) fn line(&mut self, line: &Scanned<'_>) {
        if line.is_blank() || !line.terminated {
            return;
        }
        if self.orphans.contains(&self.seen) {
            let sequence = Stamps::read(line.bytes).and_then(|stamps| stamps.event_sequence);
            self.told.insert(self.seen, (issue_of(line.bytes), sequence));
        }
        self.seen += 1;
    }

    /// Whether there are leaf hashes of which nothing tells whose line they are of.
    pub(in super::super) fn has_untold(&self) -> bool {
        self.orphans.iter().any(|index| !self.told.contains_key(index))
    }

    /// Names what does not fit.
    pub(in super::super) fn conclude(mut self, logged: &Logged, keys: &[String]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (at, index) in std::mem::take(&mut self.moved) {
            let detail = format!("it was logged as line {} of all, behind its next", index + 1);
            findings.push(logged.finding(FindingKind::LineMoved, &keys[at.0], at, detail));
        }
        let mut orphans: Vec<usize> = self.orphans.iter().copied().collect();
        orphans.sort_unstable();
        let mut unnamed = Vec::new();
        for index in orphans {
            let told = self.told.get(&index);
            if self.only.is_some_and(|only| told.is_none_or(|(key, _)| key != only)) {
                continue;
            }
            let issue = told.and_then(|(key, _)| keys.iter().position(|own| own == key));
            match (issue, told) {
                (Some(issue), Some((_, sequence))) => {
                    findings.push(self.orphan(logged, keys, issue, *sequence, index));
                }
                _ => unnamed.push(index),
            }
        }
        for index in unnamed {
            findings.push(self.unnamed(logged, keys, index));
        }
        for (issue, strange) in self.strange.iter().enumerate() {
            // Those behind the last logged one may be not published yet.
            for number in strange.iter().filter(|number| **number < self.reached[issue]) {
                let detail = "it stands between logged lines, and was never logged".to_owned();
                let at = (issue, *number);
                findings.push(logged.finding(FindingKind::LineInserted, &keys[issue], at, detail));
            }
        }
        findings
            .sort_by(|a, b| (&a.issue_key, &a.file, a.line).cmp(&(&b.issue_key, &b.file, b.line)));
        findings
    }

    /// A leaf hash whose line the global log still has.
    fn orphan(
        &mut self,
        logged: &Logged,
        keys: &[String],
        issue: usize,
        sequence: Option<u64>,
        index: usize,
    ) -> Finding {
        let same = |number: &usize| logged.issues[issue][*number].1.sequence == sequence;
        let strange = &mut self.strange[issue];
        let at = strange.iter().position(same).or_else(|| {
            // A line that cannot be read has no sequence number: it is the next strange one.
            strange.iter().position(|number| logged.issues[issue][*number].1.sequence.is_none())
        });
        let Some(at) = at else {
            let file = logged.issues[issue].last().map(|(file, _)| logged.files[*file].clone());
            let shown = sequence.map_or_else(|| "an event".to_owned(), |n| format!("event {n}"));
            return Finding {
                kind: FindingKind::LineMissing,
                issue_key: Some(keys[issue].clone()),
                file: file.unwrap_or_default(),
                line: None,
                event_sequence: sequence,
                detail: format!("{shown} was logged as line {} of all, and is gone", index + 1),
            };
        };
        let number = strange.remove(at);
        let detail = format!("it is not what was logged as line {} of all", index + 1);
        logged.finding(FindingKind::LineChanged, &keys[issue], (issue, number), detail)
    }

    /// A leaf hash of which nothing else is known: the first line that is no leaf is taken for it.
    fn unnamed(&mut self, logged: &Logged, keys: &[String], index: usize) -> Finding {
        let free = self.strange.iter().position(|strange| !strange.is_empty());
        // An issue of which nothing is left has no lines that could be taken for it.
        let told = self.told.get(&index).filter(|(key, _)| !key.is_empty());
        let Some(issue) = free.filter(|_| told.is_none()) else {
            return Finding {
                kind: FindingKind::LineMissing,
                issue_key: told.map(|(key, _)| key.clone()),
                file: PathBuf::from("global/events.jsonl"),
                line: Some(index as u64 + 1),
                event_sequence: told.and_then(|(_, sequence)| *sequence),
                detail: "the event that was logged here is gone from its issue's log".to_owned(),
            };
        };
        let number = self.strange[issue].remove(0);
        let detail = format!("it is not what was logged; line {} of all is missing", index + 1);
        logged.finding(FindingKind::LineChanged, &keys[issue], (issue, number), detail)
    }
}
