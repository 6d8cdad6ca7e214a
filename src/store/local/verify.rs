//! Checking a store: every line, every sequence, every derived file against its log.
//!
//! Lives here: [`LocalStore::verify`] and its thorough half, which says what is wrong and where.
//! May not live here: the quick half, which only says that nothing is (see [`super::prove`]); what is
//! wrong with one line (see [`line`]); what can be found (see [`super::finding`]); the tree itself (see
//! [`super::tlog`]); mending.

mod line;

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use self::line::Known;
pub(super) use self::line::damage;
use super::LocalStore;
use super::finding::{Finding, FindingKind, Report};
use super::global::issue_of;
use super::io::{fingerprint, is_absent};
use super::layout::{Date, METADATA};
use super::lines::{Scanned, line_number, scan};
use super::lost::{self, LostLine};
use super::prove::{Depth, all_is_well};
use super::snapshots::{read, snapshot_names};
use super::source::{Damage, Source};
use super::summary::{Light, Summary};
use super::tlog::check::Evidence;
use super::tlog::leaves::of_line;
use super::tlog::lines::{Logged, LoggedLine, Whole};
use crate::error::{Error, ErrorKind, Result};

/// A checkpoint that was remembered elsewhere.
#[derive(Debug, Clone)]
pub struct Anchor {
    /// The file that it came from, for messages.
    pub file: PathBuf,
    /// The signed note.
    pub note: String,
}

impl LocalStore {
    /// Checks one issue, or all: logs, derived files, snapshots, the signed tree. Derived files
    /// that are absent or merely old are no finding.
    ///
    /// # Errors
    /// Not found, when there is no such issue; unavailable, when something cannot be read.
    pub fn verify(&self, issue_key: Option<&str>) -> Result<Report> {
        self.verify_from(issue_key, None)
    }

    /// The same, and whether the log goes on from an anchor.
    ///
    /// # Errors
    /// As [`LocalStore::verify`]; usage, when the anchor is no signed checkpoint.
    pub fn verify_from(&self, issue_key: Option<&str>, anchor: Option<&Anchor>) -> Result<Report> {
        self.check(issue_key, anchor, Depth::Whole)
    }

    /// What says that the log of one issue, or of all, is not what was recorded; a part of what
    /// [`LocalStore::verify`] finds, and quicker where there is nothing.
    ///
    /// # Errors
    /// As [`LocalStore::verify`].
    pub fn verify_record(&self, issue_key: Option<&str>) -> Result<Vec<Finding>> {
        let findings = self.check(issue_key, None, Depth::Record)?.findings;
        Ok(findings.into_iter().filter(|finding| finding.kind.is_of_the_record()).collect())
    }

    fn check(
        &self,
        issue_key: Option<&str>,
        anchor: Option<&Anchor>,
        depth: Depth,
    ) -> Result<Report> {
        let anchor = anchor.map(|anchor| (&anchor.file, anchor.note.as_str()));
        let evidence = Evidence::gather(&self.layout, anchor)?;
        let keys = issue_key.map_or_else(|| self.keys(), |key| Ok(vec![key.to_owned()]))?;
        let (tree, well) = std::thread::scope(|scope| {
            let tree = scope.spawn(|| evidence.tree());
            let well = all_is_well(self, &keys, issue_key.is_some(), &evidence, depth);
            let died = |_| Err(Error::internal("a thread that checks the tree ended early"));
            (tree.join().unwrap_or_else(died), well)
        });
        let (tree, mut report) = match (tree?, well?) {
            (tree, Some((events, bytes))) => (tree, Report { events, bytes, ..Report::default() }),
            (tree, None) => (tree, self.verify_thoroughly(issue_key, &evidence)?),
        };
        report.findings.extend(tree);
        report.signature = evidence.signature(report.findings.is_empty());
        Ok(report)
    }

    fn verify_thoroughly(&self, issue_key: Option<&str>, evidence: &Evidence) -> Result<Report> {
        let keys = match issue_key {
            Some(key) => vec![key.to_owned()],
            None => self.keys()?,
        };
        let mut check = Check {
            store: self,
            report: Report::default(),
            lines: Lines::default(),
            logged: Logged::default(),
            hashes: !evidence.is_empty(),
        };
        for (number, key) in (0_u32..).zip(&keys) {
            let dates = self.layout.partitions(key)?;
            if dates.is_empty() {
                return Err(self.layout.no_such_issue(key));
            }
            check.issue(number, key, &dates)?;
        }
        let mut whole = Whole::new(&evidence.leaves, &check.logged, issue_key);
        check.global(&keys, issue_key, &mut whole)?;
        let found = match issue_key {
            Some(key) if whole.has_untold() => self.lines_among_all(key, evidence)?,
            _ => whole.conclude(&check.logged, &keys),
        };
        check.report.findings.extend(found);
        Ok(check.report)
    }

    /// What is wrong with the lines of one issue, where the global log does not tell which of those
    /// that were logged are its own: then the lines of all issues have to.
    fn lines_among_all(&self, key: &str, evidence: &Evidence) -> Result<Vec<Finding>> {
        let all = self.verify_thoroughly(None, evidence)?.findings;
        let lost = lost::of_issue(&self.layout, key, &evidence.leaves)?;
        let own = |mut finding: Finding| {
            if !finding.kind.is_of_a_logged_line() {
                return None;
            }
            if finding.issue_key.is_none() {
                let is_it = |lost: &&LostLine| Some(lost.lost_line) == finding.line;
                finding.event_sequence = lost.iter().find(is_it)?.event_sequence;
                finding.issue_key = Some(key.to_owned());
            }
            (finding.issue_key.as_deref() == Some(key)).then_some(finding)
        };
        Ok(all.into_iter().filter_map(own).collect())
    }
}

/// Where each line of the issues' logs stands: by issue and number.
#[derive(Default)]
struct Lines {
    by_hash: FxHashMap<u64, SmallVec<[(u32, u32); 1]>>,
    /// How many lines each issue has.
    counts: Vec<u32>,
}

struct Check<'a> {
    store: &'a LocalStore,
    report: Report,
    lines: Lines,
    /// The same lines, to be held against their leaf hashes.
    logged: Logged,
    /// Whether there are any.
    hashes: bool,
}

/// What is known of a partition while it is read.
struct Partition<'a> {
    path: &'a Path,
    date: Date,
    line: u64,
    summary: Summary,
    /// Summaries that are kept in files, which must be met on the way.
    kept: Vec<(FindingKind, PathBuf, Summary)>,
}

impl Check<'_> {
    fn issue(&mut self, number: u32, key: &str, dates: &[Date]) -> Result<()> {
        let mut known = Known { number, key, next: 1, ids: FxHashMap::default() };
        self.lines.counts.push(0);
        self.logged.begin();
        for date in dates {
            match self.store.layout.refuse_links(*date, key) {
                Err(error) if error.kind() == ErrorKind::Integrity => {
                    let file = self.store.layout.events(*date, key);
                    let detail = error.message().to_owned();
                    self.find(FindingKind::OutsideLink, Some(key), file, detail);
                    continue;
                }
                other => other?,
            }
            self.partition(&mut known, *date)?;
            self.snapshots(key, *date)?;
        }
        Ok(())
    }

    fn partition(&mut self, known: &mut Known<'_>, date: Date) -> Result<()> {
        let layout = &self.store.layout;
        let path = layout.events(date, known.key);
        let metadata_path = layout.partition(date, known.key).join(METADATA);
        let mut kept = Vec::new();
        match self.store.kept_metadata(known.key, date)? {
            Some(summary) => kept.push((FindingKind::MetadataMismatch, metadata_path, summary)),
            None if metadata_path.exists() => {
                let detail = "it cannot be read as a summary of this partition".to_owned();
                self.find(FindingKind::MetadataMismatch, Some(known.key), metadata_path, detail);
            }
            None => {}
        }
        let index_path = layout.index(date);
        let index = self.store.kept_index(date)?;
        if let Some(summary) = index.and_then(|mut day| day.issues.remove(known.key)) {
            kept.push((FindingKind::IndexMismatch, index_path, summary));
        } else if index_path.exists() && self.store.kept_index(date)?.is_none() {
            let detail = "it cannot be read as a summary of this day".to_owned();
            if !self.report.findings.iter().any(|f| f.file == index_path) {
                self.find(FindingKind::IndexMismatch, None, index_path, detail);
            }
        }
        let opened = Source::open_for(layout, date, known.key, Damage::Show);
        let file = match opened {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                let archive = layout.archive(date, known.key);
                let detail = format!("{error}: none of its events can be read");
                self.find(FindingKind::ArchiveDamaged, Some(known.key), archive, detail);
                return Ok(());
            }
            opened => opened.map_err(|e| Error::io("open", &path, &e))?,
        };
        let path = file.path();
        let summary = Summary::empty(known.key, date);
        let mut partition = Partition { path, date, line: 0, summary, kept };
        scan(&file, path, (0, u64::MAX), |line| {
            let sequence = self.line(known, &mut partition, line);
            if self.hashes && line.terminated && !line.is_blank() {
                let leaf = of_line(&file, path, line)?;
                self.logged.add(path, LoggedLine { line: partition.line, sequence, leaf });
            }
            Ok(ControlFlow::Continue(()))
        })?;
        for (kind, file, summary) in partition.kept {
            if summary != partition.summary {
                let detail =
                    format!("it covers {} bytes, and says what they do not", summary.bytes);
                self.find(kind, Some(known.key), file, detail);
            }
        }
        self.report.events += partition.summary.events;
        self.report.bytes += partition.summary.bytes;
        self.damaged(known.key, &file)
    }

    /// Names the parts of an archive that are not what was written.
    fn damaged(&mut self, key: &str, file: &Source) -> Result<()> {
        for part in file.damaged() {
            let first = line_number(file, file.path(), part.from)?;
            let last = line_number(file, file.path(), part.to)?;
            let detail = format!("{}; it holds lines {first} to {last}", part.why);
            self.find(FindingKind::ArchiveDamaged, Some(key), file.path().to_owned(), detail);
            if let Some(finding) = self.report.findings.last_mut() {
                finding.line = Some(first);
            }
        }
        Ok(())
    }

    fn line(
        &mut self,
        known: &mut Known<'_>,
        partition: &mut Partition<'_>,
        line: &Scanned<'_>,
    ) -> Option<u64> {
        partition.line += 1;
        // A summary that covers what was read so far must say what is known so far.
        let met = partition.summary.bytes;
        let summary = &partition.summary;
        partition.kept.retain(|(_, _, kept)| kept.bytes != met || kept != summary);
        let mut found = Vec::new();
        if !line.terminated {
            let detail = format!("{} bytes after the last line feed are no event yet", line.length);
            found.push((FindingKind::TornTail, None, detail));
        } else if !line.is_blank() {
            let count = &mut self.lines.counts[known.number as usize];
            let at = (known.number, *count);
            *count += 1;
            self.lines.by_hash.entry(fingerprint(line.bytes)).or_default().push(at);
        }
        let light = if line.too_long() { None } else { Light::read(line.bytes) };
        partition.summary.add(line, light.as_ref());
        let sequence = light.as_ref().and_then(|light| light.event_sequence);
        match &light {
            _ if !line.terminated || line.is_blank() => {}
            Some(event) => known.event(event, partition.date, &mut found),
            None => found.extend(damage(line)),
        }
        for (kind, event_sequence, detail) in found {
            self.report.findings.push(Finding {
                kind,
                issue_key: Some(known.key.to_owned()),
                file: partition.path.to_owned(),
                line: Some(partition.line),
                event_sequence,
                detail,
            });
        }
        sequence
    }

    fn snapshots(&mut self, key: &str, date: Date) -> Result<()> {
        for (sequence, path) in snapshot_names(&self.store.layout.partition(date, key))? {
            if let Some(Err(reason)) = read(&path, key, sequence)? {
                self.find(FindingKind::BadSnapshot, Some(key), path, reason);
            }
        }
        Ok(())
    }

    /// Checks the global log against the lines that were read; of one issue only where `only`.
    fn global(&mut self, keys: &[String], only: Option<&str>, whole: &mut Whole<'_>) -> Result<()> {
        let path = self.store.layout.global();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if is_absent(&error) => return Ok(()),
            Err(error) => return Err(Error::io("open", &path, &error)),
        };
        let mut seen = vec![0_u32; keys.len()];
        let mut taken = BTreeSet::new();
        let mut number = 0;
        let mut found = Vec::new();
        scan(&file, &path, (0, u64::MAX), |line| {
            number += 1;
            whole.line(line);
            let hash = fingerprint(line.bytes);
            let places = self.lines.by_hash.get(&hash).map_or(&[][..], |at| at);
            let next = places.iter().find(|at| seen[at.0 as usize] <= at.1);
            let other = || only.is_some_and(|key| issue_of(line.bytes) != key);
            let (kind, detail) = match next {
                Some(&(issue, at)) if seen[issue as usize] == at => {
                    seen[issue as usize] += 1;
                    return Ok(ControlFlow::Continue(()));
                }
                Some(&(issue, at)) => {
                    // What was passed over may still come, in the wrong order.
                    taken.extend((seen[issue as usize]..at).map(|n| (issue, n)));
                    seen[issue as usize] = at + 1;
                    return Ok(ControlFlow::Continue(()));
                }
                None if line.is_blank() || other() => return Ok(ControlFlow::Continue(())),
                // What it stands for is told of as missing.
                None if lost::is_placeholder(line.bytes) => return Ok(ControlFlow::Continue(())),
                None if !line.terminated => {
                    (FindingKind::TornTail, "bytes after the last line feed".to_owned())
                }
                None if places.is_empty() => {
                    (FindingKind::GlobalExtra, "no issue's log has this line".to_owned())
                }
                None => {
                    let late = places.iter().any(|at| taken.remove(at));
                    let what = if late { "stands after a later one" } else { "stands here again" };
                    (FindingKind::GlobalOrder, format!("an event of its issue {what}"))
                }
            };
            found.push((kind, number, detail));
            Ok(ControlFlow::Continue(()))
        })?;
        for (kind, number, detail) in found {
            self.find(kind, None, path.clone(), detail);
            if let Some(last) = self.report.findings.last_mut() {
                last.line = Some(number);
            }
        }
        for (issue, key) in (0_u32..).zip(keys) {
            let within = taken.range((issue, 0)..(issue + 1, 0)).count() as u64;
            let count = self.lines.counts[issue as usize];
            let missing = within + u64::from(count - seen[issue as usize]);
            if missing > 0 {
                let detail = format!("{missing} of {count} events are not in it");
                self.find(FindingKind::GlobalMissing, Some(key), path.clone(), detail);
            }
        }
        Ok(())
    }

    fn find(&mut self, kind: FindingKind, key: Option<&str>, file: PathBuf, detail: String) {
        self.report.findings.push(Finding {
            kind,
            issue_key: key.map(str::to_owned),
            file,
            line: None,
            event_sequence: None,
            detail,
        });
    }
}
