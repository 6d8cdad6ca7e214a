//! What the lines of a journal come to.
//!
//! Lives here: the lines behind the plan, what is known of each event, and reading it. May not live here:
//! noting anything.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{ANEW, Decision, Header, Verdict};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Position;
use crate::replay::outcome::Execution;

/// The line that says that a run came to its end; nothing stands behind it.
pub(super) const OVER: &str = "over";

/// One line behind the first.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) at: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) position: Position,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) attempt: u32,
    /// The verdict, or the decision.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) word: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) result: Option<Execution>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Line {
    pub(super) fn new(at: &str) -> Self {
        let (word, reason) = (String::new(), String::new());
        Self { at: at.to_owned(), position: 0, attempt: 0, word, reason, result: None }
    }
}

/// What is known of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Its execution of this number was begun; nobody knows how it ended.
    Begun(u32),
    /// It ended.
    Ended {
        /// What it came to.
        verdict: Verdict,
        /// Why.
        reason: String,
        /// What the program did.
        result: Execution,
    },
    /// Its execution of this number was begun, and somebody decided.
    Decided(Decision, u32),
}

/// What a journal tells.
#[derive(Debug, Clone)]
pub struct History {
    /// The plan.
    pub header: Header,
    /// What is known, by event.
    pub known: BTreeMap<Position, Known>,
    /// Whether the run came to its end.
    pub over: bool,
}

impl History {
    /// A run that begins.
    #[must_use]
    pub fn new(header: Header) -> Self {
        Self { header, known: BTreeMap::new(), over: false }
    }

    /// The events of which nobody knows how they ended: also where they are to be executed again,
    /// and were not yet.
    #[must_use]
    pub fn unknown(&self) -> Vec<Position> {
        let is_open =
            |known: &Known| matches!(known, Known::Begun(_) | Known::Decided(Decision::Retry, _));
        let open = self.known.iter().filter(|(_, known)| is_open(known));
        open.map(|(position, _)| *position).collect()
    }

    /// Whether nothing more is done with an event of which this is known.
    #[must_use]
    pub fn has_ended(&self, known: &Known) -> bool {
        match known {
            Known::Ended { verdict, result, .. } => {
                *verdict != Verdict::Again || result.attempts >= self.header.attempts
            }
            Known::Decided(decision, _) => *decision == Decision::Skip,
            Known::Begun(_) => false,
        }
    }

    /// The last event that was dealt with; 0 where none was. Where several ran at a time, some before it
    /// may not have been.
    #[must_use]
    pub fn dealt_with(&self) -> Position {
        match self.known.last_key_value() {
            _ if self.over => self.header.to,
            Some((last, known)) if self.has_ended(known) => *last,
            Some((last, _)) => last.saturating_sub(1),
            None => 0,
        }
    }

    /// Whether the run came as far as an event.
    #[must_use]
    pub fn reaches(&self, position: Position) -> bool {
        self.over || self.known.last_key_value().is_some_and(|(last, _)| position <= *last)
    }

    fn take(&mut self, line: Line) -> Option<()> {
        let known = match line.at.as_str() {
            "begin" => Known::Begun(line.attempt),
            "end" => Known::Ended {
                verdict: Verdict::from_name(&line.word)?,
                reason: line.reason,
                result: line.result?,
            },
            "decided" => Known::Decided(Decision::from_name(&line.word)?, line.attempt),
            OVER => {
                self.over = true;
                return Some(());
            }
            _ => return None,
        };
        self.known.insert(line.position, known);
        Some(())
    }
}

/// The error for a line of a journal that cannot be read.
pub(super) fn damaged(path: &Path, number: usize, why: &str) -> Error {
    let path = path.display();
    let message = format!("line {number} of the journal {path} cannot be read: {why}");
    Error::new(ErrorKind::Integrity, message).with_hint(format!(
        "what was executed is not known any more, but for what its other lines tell; {ANEW}"
    ))
}

/// A journal that is being read, line by line.
pub(super) struct Reading<'p> {
    path: &'p Path,
    number: usize,
    history: Option<History>,
    /// Whether what programs wrote is kept.
    keeps_output: bool,
}

impl<'p> Reading<'p> {
    pub(super) fn new(path: &'p Path, keeps_output: bool) -> Self {
        Self { path, number: 0, history: None, keeps_output }
    }

    pub(super) fn line(&mut self, text: &str) -> Result<()> {
        self.number += 1;
        self.take(text).map_err(|why| damaged(self.path, self.number, &why))
    }

    fn take(&mut self, text: &str) -> std::result::Result<(), String> {
        let Some(history) = &mut self.history else {
            let header: Header = serde_json::from_str(text).map_err(|e| e.to_string())?;
            header.check()?;
            self.history = Some(History::new(header));
            return Ok(());
        };
        let mut line: Line = serde_json::from_str(text).map_err(|e| e.to_string())?;
        if let Some(result) = line.result.as_mut().filter(|_| !self.keeps_output) {
            (result.stdout, result.stderr) = Default::default();
        }
        history.take(line).ok_or_else(|| "it says nothing that is known".to_owned())
    }

    pub(super) fn end(self) -> Result<History> {
        let path = self.path.display();
        let message = || format!("the journal {path} holds no plan: nothing was executed");
        self.history.ok_or_else(|| Error::not_found(message()).with_hint("begin another replay"))
    }
}
