//! `append --stream`: line by line, for any mix of issues, acknowledged in groups.
//!
//! What is waiting on stdin is one group: it is appended, made durable with as few syncs as there
//! are partitions, and acknowledged. A lone line is a group of one, so nothing waits for company.
//!
//! Lives here: grouping and the answers. May not live here: checking events.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Draft, Rules};
use crate::store::local::LocalStore;
use crate::store::{Acknowledgement, AppendOptions, Batch, Durability, EventStore};

use super::input::{Given, refuse_single_flags};
use super::{Context, Flags, snapshot_when_due, stdin_is_terminal};
use crate::cli::failure::{Failure, Outcome, error_json};
use crate::cli::output::json_text;
use crate::cli::seal;

/// How many bytes of stdin are looked at together.
const BUFFER: usize = 1 << 20;
/// How many events make a full group.
const GROUP: usize = 1024;

/// After how many events the derived files are caught up.
const REFRESH_EVERY: usize = 4096;

/// The shortest time between two checkpoints of one stream that only their number calls for.
const SEAL_EVERY: Duration = Duration::from_millis(250);

/// The shortest time between two looks at whether snapshots are to be made.
const SNAPSHOTS_EVERY: Duration = Duration::from_millis(250);

/// A line of stdin: its number, and the event or what is wrong with it.
type Line = (u64, Result<Draft>);

struct Stream<'a> {
    store: LocalStore,
    clock: Clock,
    rules: &'a Rules,
    options: AppendOptions,
    given: Given,
    durability: Durability,
    quiet: bool,
    /// How many events were appended since the derived files were caught up.
    behind: usize,
    /// The worst that was told and gone on from.
    worst: Option<ErrorKind>,
    /// When this stream signed last.
    sealed: Option<Instant>,
    /// From where to where each issue's sequence went since the last look at snapshots.
    grown: BTreeMap<String, (u64, u64)>,
    looked: Option<Instant>,
}

pub(crate) fn run(
    context: &mut Context,
    flags: &Flags,
    rules: &Rules,
    options: AppendOptions,
) -> Outcome {
    refuse_single_flags(flags)?;
    if stdin_is_terminal() {
        return Err(Error::usage("--stream reads events from stdin")
            .with_hint("pipe JSON events in, one a line")
            .into());
    }
    let durability = options.durability;
    let deferred = match durability {
        Durability::Os => Durability::Os,
        Durability::Sync | Durability::Deferred => Durability::Deferred,
    };
    let mut stream = Stream {
        store: LocalStore::at(context.store_path()?, context.clock),
        clock: context.clock,
        rules,
        options: AppendOptions { durability: deferred, ..options },
        given: Given::of(flags)?,
        durability,
        quiet: flags.quiet,
        behind: 0,
        worst: None,
        sealed: None,
        grown: BTreeMap::new(),
        looked: None,
    };
    let mut input = BufReader::with_capacity(BUFFER, std::io::stdin().lock());
    let mut number = 0;
    while let Some(lines) = read_group(&mut input, &mut number, rules.max_event_bytes)? {
        let group = lines.into_iter().map(|(n, line)| (n, stream.check(line))).collect();
        stream.append(context, group)?;
    }
    stream.snapshots(context);
    stream.refresh(1);
    seal::after_all(&stream.store);
    match stream.worst {
        None => Ok(()),
        Some(kind) => Err(Failure::Told(kind)),
    }
}

type RawLine = (u64, Option<Vec<u8>>);

/// The lines that are there now, at least one; none at the end. A line that is too long is none.
fn read_group(
    input: &mut BufReader<impl Read>,
    number: &mut u64,
    limit: usize,
) -> Result<Option<Vec<RawLine>>> {
    let mut lines = Vec::new();
    while let Some(line) = read_line(input, limit)? {
        *number += 1;
        if line.as_ref().is_none_or(|line| !line.trim_ascii().is_empty()) {
            lines.push((*number, line));
        }
        let more = memchr::memchr(b'\n', input.buffer()).is_some();
        if !lines.is_empty() && (!more || lines.len() >= GROUP) {
            break;
        }
    }
    Ok(if lines.is_empty() { None } else { Some(lines) })
}

/// The next line; the inner none for one that is longer than any event may be.
fn read_line(input: &mut BufReader<impl Read>, limit: usize) -> Result<Option<Option<Vec<u8>>>> {
    let failed = |e: std::io::Error| Error::io("read", Path::new("the standard input"), &e);
    let mut line = Vec::new();
    let mut too_long = false;
    let mut any = false;
    loop {
        let bytes = input.fill_buf().map_err(failed)?;
        if bytes.is_empty() {
            return Ok(any.then_some((!too_long).then_some(line)));
        }
        any = true;
        let end = memchr::memchr(b'\n', bytes);
        let taken = end.map_or(bytes.len(), |at| at + 1);
        // Spaces and escapes may make the text longer than the line that it becomes.
        too_long |= line.len() + taken > limit.saturating_mul(8);
        if !too_long {
            line.extend_from_slice(&bytes[..end.unwrap_or(taken)]);
        }
        input.consume(taken);
        if end.is_some() {
            return Ok(Some((!too_long).then_some(line)));
        }
    }
}

impl Stream<'_> {
    fn check(&self, line: Option<Vec<u8>>) -> Result<Draft> {
        let invalid = |message: &str| Error::new(ErrorKind::Invalid, message.to_owned());
        let line = line.ok_or_else(|| invalid("the line is longer than any event may be"))?;
        let text = std::str::from_utf8(&line).map_err(|_| invalid("the line is not UTF-8"))?;
        let mut rules = self.rules.clone();
        rules.now = self.clock.now();
        Draft::strict(&self.given.fill(text), &rules).map_err(|faults| {
            let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
            invalid(&shown.join("; ")).with_details(json!({"faults": faults}))
        })
    }

    /// Appends a group and answers for each of its lines, in their order.
    fn append(&mut self, context: &mut Context, group: Vec<Line>) -> Outcome {
        let mut answers: Vec<(u64, Result<Acknowledgement>)> = Vec::with_capacity(group.len());
        let mut runs: Vec<Vec<(u64, Draft)>> = Vec::new();
        for (number, line) in group {
            let draft = match line {
                Ok(draft) => draft,
                Err(error) => {
                    answers.push((number, Err(error)));
                    continue;
                }
            };
            let own = |run: &&mut Vec<(u64, Draft)>| run[0].1.issue_key() == draft.issue_key();
            let id = draft.event_id();
            match runs.iter_mut().find(own) {
                // An id that comes twice is a retry of what must be written first.
                Some(run) if id.is_some() && run.iter().any(|(_, d)| d.event_id() == id) => {
                    let before = std::mem::replace(run, vec![(number, draft)]);
                    self.append_run(before, &mut answers)?;
                }
                Some(run) => run.push((number, draft)),
                None => runs.push(vec![(number, draft)]),
            }
        }
        for run in runs {
            self.append_run(run, &mut answers)?;
        }
        if self.durability == Durability::Sync {
            self.store.sync_pending(self.options.lock_timeout)?;
        }
        answers.sort_by_key(|(number, _)| *number);
        self.behind += answers.len();
        let ended = seal::is_end(answers.iter().filter_map(|(_, answer)| answer.as_ref().ok()));
        self.answer(context, answers)?;
        self.seal(context, ended);
        self.refresh(REFRESH_EVERY);
        Ok(())
    }

    /// Signs the log where it is due; a fast stream does not for each group.
    fn seal(&mut self, context: &Context, ended: bool) {
        let soon = self.sealed.is_some_and(|at| at.elapsed() < SEAL_EVERY);
        if !soon || ended || seal::every(&context.config) == 1 {
            seal::after_appends(context, &self.store, ended);
            self.sealed = Some(Instant::now());
        }
    }

    /// Catches up the derived files once `enough` events were appended. They are derived: who
    /// finds them old or absent reads the log itself.
    fn refresh(&mut self, enough: usize) {
        if self.behind >= enough && self.durability == Durability::Sync {
            let _ = self.store.refresh_derived();
            self.behind = 0;
        }
    }

    /// Appends events of one issue together; when that is refused, one by one, so that one
    /// conflict does not hold up the others.
    fn append_run(
        &self,
        run: Vec<(u64, Draft)>,
        answers: &mut Vec<(u64, Result<Acknowledgement>)>,
    ) -> Outcome {
        let Some((_, first)) = run.first() else { return Ok(()) };
        let issue_key = first.issue_key().to_owned();
        let (numbers, drafts): (Vec<u64>, Vec<Draft>) = run.into_iter().unzip();
        let batch = Batch { issue_key, drafts };
        match self.store.append(&batch, &self.options) {
            Ok(done) => answers.extend(numbers.into_iter().zip(done.into_iter().map(Ok))),
            Err(error) if error.kind() == ErrorKind::Unavailable => return Err(error.into()),
            Err(error) if numbers.len() == 1 => {
                answers.extend(numbers.first().map(|number| (*number, Err(error))));
            }
            Err(_) => {
                for (number, draft) in numbers.into_iter().zip(batch.drafts) {
                    self.append_run(vec![(number, draft)], answers)?;
                }
            }
        }
        Ok(())
    }

    fn answer(
        &mut self,
        context: &mut Context,
        answers: Vec<(u64, Result<Acknowledgement>)>,
    ) -> Outcome {
        note_growth(&mut self.grown, &answers);
        // Whether or not they are printed, they are durable by now.
        super::tell_trace(answers.iter().filter_map(|(_, answer)| answer.as_ref().ok()));
        let mut refused = String::new();
        for (number, answer) in answers {
            match answer {
                Ok(_) if self.quiet => {}
                Ok(done) => {
                    let done = Acknowledgement {
                        durability: (self.durability == Durability::Os).then_some("os"),
                        ..done
                    };
                    context.out.line(json_text(&done, false))?;
                }
                Err(error) => {
                    // An invalid line is what the exit code speaks of before anything else.
                    if self.worst != Some(ErrorKind::Invalid) {
                        self.worst = Some(error.kind());
                    }
                    // Checking concealed what it quotes; the store may quote, too.
                    let error = self.rules.redactor.sieve().error(error);
                    refused += &(error_json(&error, Some(number)) + "\n");
                }
            }
        }
        context.out.flush()?;
        context.tell_complaint(&self.store);
        // Nobody is left to tell when stderr is closed.
        let _ = std::io::stderr().write_all(refused.as_bytes());
        if self.looked.is_none_or(|at| at.elapsed() >= SNAPSHOTS_EVERY) {
            self.snapshots(context);
        }
        Ok(())
    }

    /// Takes the snapshots that are due. Of many streams to one issue, one does so at a time.
    fn snapshots(&mut self, context: &Context) {
        for (issue, (before, after)) in std::mem::take(&mut self.grown) {
            snapshot_when_due(context, &self.store, &issue, before, after);
        }
        self.looked = Some(Instant::now());
    }
}

/// Notes from where to where each issue's sequence went.
fn note_growth(
    grown: &mut BTreeMap<String, (u64, u64)>,
    answers: &[(u64, Result<Acknowledgement>)],
) {
    let fresh = answers.iter().filter_map(|(_, answer)| answer.as_ref().ok());
    for done in fresh.filter(|done| !done.duplicate) {
        let sequence = done.event_sequence;
        match grown.get_mut(&done.issue_key) {
            Some((_, after)) => *after = sequence.max(*after),
            None => {
                let range = (sequence.saturating_sub(1), sequence);
                grown.insert(done.issue_key.clone(), range);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_one_group() {
        let text = b"a\n\nb\nlast";
        let mut input = BufReader::new(&text[..]);
        let mut number = 0;
        let group = read_group(&mut input, &mut number, 100).unwrap().unwrap();
        assert_eq!(group, [(1, Some(b"a".to_vec())), (3, Some(b"b".to_vec()))]);
        let group = read_group(&mut input, &mut number, 100).unwrap().unwrap();
        assert_eq!(group, [(4, Some(b"last".to_vec()))]);
        assert_eq!(read_group(&mut input, &mut number, 100).unwrap(), None);
    }

    #[test]
    fn a_line_without_end_costs_no_memory() {
        let text = vec![b'x'; 10_000];
        let mut input = BufReader::with_capacity(64, &text[..]);
        let line = read_line(&mut input, 10).unwrap().unwrap();
        assert_eq!(line, None);
    }
}
