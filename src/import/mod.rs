//! Import of foreign logs by declarative mappings.
//!
//! Lives here: [`Importer`], which reads files, applies a [`Mapping`] and appends what comes out,
//! and its [`ImportReport`]. May not live here: any particular format; that is what mapping files
//! are for ([`mapping`] describes them).
//!
//! The rules of identity: an event's id is derived from the mapping's name, the source's own id
//! (or the record's bytes), and the occurrence, so importing again makes the same ids. A record
//! whose exact bytes the issue already has from an earlier import adds nothing, whatever the
//! mapping makes of it now. An id that comes again with other content in one file is named, and
//! the record comes in as a further occurrence. Bytes without an id that come `n` times in a file
//! are `n` records; the same bytes in two files are the same records.

mod build;
mod condition;
mod convert;
mod elements;
mod engine;
mod fault;
mod fields;
mod grammar;
mod made;
pub mod mapping;
mod memory;
mod salvage;
mod sink;
mod source;
mod template;
mod window;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

pub use convert::Conversion;
pub use fault::{FaultKind, FaultList, ImportFault};
pub use mapping::{Listed, Mapping, Shape};
pub use template::Name;

use crate::error::{Error, ErrorKind, Result};
use crate::model::{Timestamp, ids};
use crate::schema::Redactor;
use crate::store::local::LocalStore;
use engine::Engine;
use fields::Coverage;
use sink::Sink;
use source::{Found, Records};

/// How to import.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// The issue that everything goes to; none for what the mapping says.
    pub issue: Option<String>,
    /// Whether to write nothing. The store, if there is one, is still asked what it has.
    pub dry_run: bool,
    /// Whether any fault refuses the whole import: the files are gone through once before
    /// anything is written.
    pub strict: bool,
    /// The time of the import, for records that have none.
    pub now: Timestamp,
    /// Set by somebody else to stop after the current record; what was read so far is kept.
    pub interrupt: Arc<AtomicBool>,
    /// What becomes of secrets.
    pub redactor: Redactor,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The file at hand.
    pub file: &'a Path,
    /// How many bytes of all files lie behind.
    pub bytes: u64,
    /// How many bytes all files have.
    pub total: u64,
    /// How many records were read.
    pub read: u64,
}

/// What an import did; its JSON form is that of `import --json`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ImportReport {
    /// The mapping's name.
    pub mapping: String,
    /// How many records the files hold, readable or not.
    pub read: u64,
    /// How many events were appended (would be, in a dry run).
    pub appended: u64,
    /// How many events were there already.
    pub duplicates: u64,
    /// How many secrets were taken out of what was read; no key in JSON where there were none.
    #[serde(skip_serializing_if = "is_zero")]
    pub redacted: u64,
    /// How many issues the records belong to.
    pub issues: u64,
    /// What was wrong, by file and line: of each kind the first thousand.
    #[serde(serialize_with = "kept_faults")]
    pub faults: FaultList,
    /// How often a field (by its JSON pointer) was read by nothing in the mapping, a type is not
    /// in the catalogue, or a record was skipped (by the rule's reason).
    pub unmapped: BTreeMap<String, u64>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn kept_faults<S: serde::Serializer>(faults: &FaultList, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(faults.kept())
}

/// How many records at the beginning of a file are asked what it is about.
const ABOUT_RECORDS: usize = 100;
/// How many records are read between two reports of progress.
const PROGRESS_EVERY: u64 = 256;

/// Imports files by one mapping.
#[derive(Debug)]
pub struct Importer<'m> {
    mapping: &'m Mapping,
    options: ImportOptions,
    coverage: Coverage,
}

impl<'m> Importer<'m> {
    /// An importer.
    ///
    /// # Errors
    /// Usage, when the options name an issue whose key is not safe.
    pub fn new(mapping: &'m Mapping, options: ImportOptions) -> Result<Self> {
        if let Some(issue) = &options.issue {
            ids::check_issue_key(issue)
                .map_err(|why| Error::usage(format!("the issue key {issue:?} {why}")))?;
        }
        Ok(Self { mapping, options, coverage: Coverage::of(mapping) })
    }

    /// Imports `files` in their order. Without a store nothing is compared or written.
    ///
    /// # Errors
    /// Not found or unavailable, when a file or the store cannot be read or written; invalid, when
    /// the import is strict and there is a fault (nothing was written then); interrupted, when it
    /// was stopped: what was read until then is durable, and importing again adds the rest.
    pub fn run(
        &self,
        files: &[PathBuf],
        store: Option<&LocalStore>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<ImportReport> {
        if self.options.strict {
            let report = self.pass(files, store, true, progress)?;
            if let Some(fault) = report.faults.first() {
                return Err(strict_error(fault, report.faults.total()));
            }
        }
        self.pass(files, store, self.options.dry_run, progress)
    }

    fn pass(
        &self,
        files: &[PathBuf],
        store: Option<&LocalStore>,
        dry_run: bool,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<ImportReport> {
        let sizes: Vec<u64> = files.iter().map(|file| size(file)).collect::<Result<_>>()?;
        let redactor = self.options.redactor.clone();
        let sink = Sink::new(self.mapping.name(), store, dry_run, files.len() > 1, redactor)?;
        let mut run = Run {
            importer: self,
            sink,
            report: ImportReport {
                mapping: self.mapping.name().to_owned(),
                ..ImportReport::default()
            },
            behind: 0,
            total: sizes.iter().sum(),
            progress,
        };
        let mut outcome = Ok(());
        for (file, size) in files.iter().zip(sizes) {
            outcome = run.file(file);
            if outcome.is_err() {
                break;
            }
            run.behind += size;
        }
        // What came in before an interruption is kept, for importing again adds the rest.
        let interrupted = matches!(&outcome, Err(error) if error.kind() == ErrorKind::Interrupted);
        if outcome.is_ok() || interrupted {
            run.sink.flush()?;
        }
        run.sink.sync()?;
        outcome?;
        let Run { sink, mut report, .. } = run;
        report.appended = sink.appended;
        report.duplicates += sink.duplicates;
        report.redacted += sink.redacted;
        report.issues = sink.issues.len() as u64;
        Ok(report)
    }
}

fn strict_error(fault: &ImportFault, total: u64) -> Error {
    let place =
        if fault.line == 0 { fault.file.clone() } else { format!("{}:{}", fault.file, fault.line) };
    Error::new(ErrorKind::Invalid, format!("{place}: {}: {}", fault.kind, fault.detail))
        .with_hint("without --strict, what is sound comes in and faults are reported")
        .with_details(serde_json::json!({ "fault": fault, "faults": total }))
}

fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            Error::not_found(format!("there is no file {}", path.display()))
        } else {
            Error::io("read", path, &error)
        }
    })
}

fn size(path: &Path) -> Result<u64> {
    let metadata = open(path)?.metadata().map_err(|error| Error::io("read", path, &error))?;
    if metadata.is_dir() {
        return Err(Error::usage(format!("{} is a folder; name its files", path.display())));
    }
    Ok(metadata.len())
}

/// One pass over all files.
struct Run<'r, 'm, 's> {
    importer: &'r Importer<'m>,
    sink: Sink<'s>,
    report: ImportReport,
    behind: u64,
    total: u64,
    progress: &'r mut dyn FnMut(Progress<'_>),
}

impl Run<'_, '_, '_> {
    fn records(&self, path: &Path) -> Result<Records> {
        let mapping = self.importer.mapping;
        let arrays: Vec<Vec<String>> =
            mapping.input.arrays.iter().map(|place| place.0.clone()).collect();
        Records::open(open(path)?, mapping.input.shape, &arrays)
            .map_err(|error| Error::io("read", path, &error))
    }

    fn file(&mut self, path: &Path) -> Result<()> {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let options = &self.importer.options;
        let name = options.redactor.conceal(&name);
        let mut engine =
            Engine::new(self.importer.mapping, options.issue.as_deref(), options.now, &name);
        self.learn(path, &mut engine)?;
        let shown = path.display().to_string();
        let mut records = self.records(path)?;
        let mut bytes = Vec::new();
        while let Some(found) =
            records.next(&mut bytes).map_err(|error| Error::io("read", path, &error))?
        {
            match found {
                Found::Fault(kind, line, detail) => {
                    self.report.read += u64::from(kind != FaultKind::NoRecords);
                    self.fault(kind, &shown, line, &detail);
                }
                Found::Record { line, torn } => {
                    self.record(&bytes, line, torn, &shown, &mut engine)?;
                }
            }
            if self.report.read.is_multiple_of(PROGRESS_EVERY) {
                let bytes = self.behind + records.consumed();
                let (total, read) = (self.total, self.report.read);
                (self.progress)(Progress { file: path, bytes, total, read });
            }
            if options.interrupt.load(Ordering::Relaxed) {
                let read = self.report.read;
                return Err(Error::new(
                    ErrorKind::Interrupted,
                    format!("stopped after {read} records, at {shown}"),
                )
                .with_hint("importing again adds what is missing"));
            }
        }
        for (what, count) in std::mem::take(&mut engine.unmapped) {
            *self.report.unmapped.entry(what).or_default() += count;
        }
        Ok(())
    }

    /// Asks the first records what the file is about.
    fn learn(&self, path: &Path, engine: &mut Engine<'_>) -> Result<()> {
        let mut records = self.records(path)?;
        let mut bytes = Vec::new();
        for _ in 0..ABOUT_RECORDS {
            let found = records.next(&mut bytes).map_err(|e| Error::io("read", path, &e))?;
            match found {
                None => break,
                Some(Found::Fault(..)) => {}
                Some(Found::Record { torn, .. }) => {
                    for mut part in salvage::objects(&bytes, torn).parts {
                        self.importer.options.redactor.clean(&mut part.value);
                        if engine.learn(&part.value) {
                            return Ok(());
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Notes what is wrong, without the secrets that it may quote.
    fn fault(&mut self, kind: FaultKind, file: &str, line: u64, detail: &str) {
        let detail = self.importer.options.redactor.conceal(detail).into_owned();
        self.report.faults.push(kind, file, line, detail);
    }

    /// One line or element: none, one or several records.
    fn record(
        &mut self,
        bytes: &[u8],
        line: u64,
        torn: bool,
        file: &str,
        engine: &mut Engine<'_>,
    ) -> Result<()> {
        let salvaged = salvage::objects(bytes, torn);
        self.report.read += salvaged.records();
        for (kind, detail) in salvaged.faults {
            self.fault(kind, file, line, &detail);
        }
        for mut part in salvaged.parts {
            // A mapping cuts and bends what it takes: what is left of a secret then has no shape.
            self.importer.options.redactor.clean(&mut part.value);
            self.importer.coverage.count(&part.value, &mut self.report.unmapped);
            let outcome = engine.apply(&part.value, &part.text);
            for (kind, detail) in engine.faults.drain(..) {
                self.fault(kind, file, line, &detail);
            }
            match outcome {
                engine::Result::Made(made) => {
                    if let Some((kind, detail)) = self.sink.take(*made)? {
                        self.fault(kind, file, line, &detail);
                    }
                }
                engine::Result::Repeat => self.report.duplicates += 1,
                engine::Result::Nothing => {}
            }
        }
        Ok(())
    }
}
