//! The execution of one event: its tries, what is noted of each, and what its program's end means.
//!
//! Lives here: [`Job`], and what is known of an event that was executed before. May not live here:
//! whose turn it is (see [`super::run`]).

use std::ffi::OsString;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::handler::Handler;
use super::journal::{Decision, Known, RunJournal, Verdict};
use super::outcome::Execution;
use super::pace::Ticker;
use super::process::{self, End, Ended, Surroundings};
use super::run::Execute;
use super::strays;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Position;
use crate::schema::Redactor;

/// The exit code of a handler that wants to be tried again (`EX_TEMPFAIL` of sysexits).
const TRY_AGAIN: i32 = 75;
/// The exit code of a handler that has nothing to do.
const NOTHING_TO_DO: i32 = 77;
/// The longest pause before another try, as a power of two of the first.
const MOST_DOUBLINGS: u32 = 10;

pub(super) fn interrupted() -> Error {
    Error::new(ErrorKind::Interrupted, "the replay was stopped")
}

/// What is known of an event that has its turn.
pub(super) enum Before {
    /// It is executed; which time it is.
    Next(u32),
    /// It was, and this came of it.
    Over(Verdict, String, Option<Execution>),
}

pub(super) fn before(execute: &Execute<'_>, position: Position) -> Result<Before> {
    let over = execute.history.over;
    Ok(match execute.history.known.get(&position) {
        None if over => {
            let reason = "the run came to its end without it".to_owned();
            Before::Over(Verdict::Failed, reason, None)
        }
        None => Before::Next(1),
        Some(Known::Ended { verdict: Verdict::Again, result, .. })
            if !over && result.attempts < execute.limits.attempts =>
        {
            Before::Next(result.attempts + 1)
        }
        Some(Known::Ended { verdict, reason, result }) => {
            Before::Over(*verdict, reason.clone(), Some(result.clone()))
        }
        Some(Known::Decided(Decision::Retry, attempt)) => Before::Next(attempt + 1),
        Some(Known::Decided(..)) => {
            let reason = "it was begun, and nobody knows how it ended; it is not executed again";
            Before::Over(Verdict::Skip, reason.to_owned(), None)
        }
        Some(Known::Begun(_)) => {
            return Err(Error::internal(format!("nothing was decided about event #{position}")));
        }
    })
}

/// The execution of one event, with its further tries.
pub(super) struct Job<'a> {
    pub(super) position: Position,
    pub(super) attempt: u32,
    pub(super) event_id: String,
    pub(super) event_type: String,
    pub(super) line: Vec<u8>,
    pub(super) handler: Arc<Handler>,
    pub(super) execute: &'a Execute<'a>,
    pub(super) redactor: &'a Redactor,
    pub(super) ticker: &'a dyn Ticker,
    pub(super) interrupt: Arc<AtomicBool>,
}

impl Job<'_> {
    pub(super) fn work(mut self) -> Result<(Verdict, String, Execution)> {
        let limits = self.execute.limits;
        loop {
            // What was not begun need not be asked about.
            if self.execute.end_now.load(Ordering::Relaxed) {
                return Err(interrupted());
            }
            self.journal(|journal, job| journal.begin(job.position, job.attempt))?;
            let ended = self.run();
            if let End::NoRoom(why) = &ended.end {
                return Err(self.not_begun(why, &ended)?);
            }
            // How far it came is for the user to say, as after a kill.
            let Some((verdict, reason)) = verdict(&ended, limits.bounds.timeout) else {
                return Err(interrupted());
            };
            let reason = self.redactor.conceal(&reason).into_owned();
            let result = self.told(&ended);
            self.journal(|journal, job| journal.end(job.position, verdict, &reason, &result))?;
            if verdict != Verdict::Again || self.attempt >= limits.attempts {
                return Ok((verdict, reason, result));
            }
            let doublings = (self.attempt - 1).min(MOST_DOUBLINGS);
            let pause = limits.retry_delay.saturating_mul(1 << doublings);
            if self.interrupt.load(Ordering::Relaxed) || !self.ticker.wait(pause) {
                return Err(interrupted());
            }
            self.attempt += 1;
        }
    }

    /// Notes that nothing was begun after all, so that whoever goes on begins it; gives why.
    fn not_begun(&self, why: &str, ended: &Ended) -> Result<Error> {
        let reason = format!("its handler could not be started: {why}");
        // This try was none: the next has its number.
        let result = Execution { attempts: self.attempt - 1, ..self.told(ended) };
        self.journal(|journal, job| journal.end(job.position, Verdict::Again, &reason, &result))?;
        let message = format!("event #{} is not executed: {reason}", self.position);
        Ok(Error::new(ErrorKind::Unavailable, message))
    }

    fn journal(&self, note: impl FnOnce(&mut RunJournal, &Self) -> Result<()>) -> Result<()> {
        note(&mut self.execute.journal.lock().unwrap_or_else(PoisonError::into_inner), self)
    }

    fn run(&self) -> Ended {
        let mut environment = self.execute.environment.clone();
        environment.extend([
            ("CHRONOSCOPE_EVENT_ID", OsString::from(&self.event_id)),
            ("CHRONOSCOPE_EVENT_TYPE", OsString::from(&self.event_type)),
            ("CHRONOSCOPE_ATTEMPT", self.attempt.to_string().into()),
            // What a handler appends names the event as its cause.
            ("CHRONOSCOPE_CAUSATION", OsString::from(&self.event_id)),
        ]);
        environment.retain(|(_, value)| !value.is_empty());
        let marks = vec![
            (strays::REPLAY, OsString::from(&self.execute.replay_id)),
            ("CHRONOSCOPE_POSITION", self.position.to_string().into()),
        ];
        let mut input = self.line.clone();
        input.push(b'\n');
        crate::store::local::note_told(&format!("handler {} {}", self.position, self.attempt));
        let Execute { folder, end_now, limits, .. } = self.execute;
        let around = Surroundings { environment, marks, folder: folder.as_deref(), end_now };
        process::run(&self.handler, &around, input, limits.bounds)
    }

    /// What is kept of a run: without secrets.
    fn told(&self, ended: &Ended) -> Execution {
        let (exit_code, signal) = match ended.end {
            End::Exited(code) => (Some(code), None),
            End::Signal(signal) => (None, Some(signal)),
            End::TimedOut | End::Outlived | End::Stopped => (None, None),
            End::NotStarted(_) | End::NoRoom(_) | End::Lost(_) => (None, None),
        };
        Execution {
            exit_code,
            signal,
            attempts: self.attempt,
            duration_ms: u64::try_from(ended.duration.as_millis()).unwrap_or(u64::MAX),
            stdout: ended.stdout.text(self.redactor),
            stderr: ended.stderr.text(self.redactor),
        }
    }
}

/// What the end of a program means; none where it was ended without its time being over.
fn verdict(ended: &Ended, timeout: Duration) -> Option<(Verdict, String)> {
    let verdict = match &ended.end {
        End::Exited(0) => (Verdict::Done, "its handler succeeded".to_owned()),
        End::Exited(TRY_AGAIN) => {
            (Verdict::Again, "its handler wants to be tried again (exit 75)".to_owned())
        }
        End::Exited(NOTHING_TO_DO) => {
            (Verdict::Skip, "its handler has nothing to do (exit 77)".to_owned())
        }
        End::Exited(code) => (Verdict::Failed, format!("its handler failed with exit {code}")),
        End::Signal(signal) => (Verdict::Failed, format!("its handler ended by signal {signal}")),
        End::TimedOut => {
            (Verdict::Failed, format!("its handler was ended after {timeout:?}, its time"))
        }
        End::Outlived => {
            let why =
                format!("its handler went on after {timeout:?}, its time: it cannot be ended");
            (Verdict::Failed, why)
        }
        End::Stopped | End::NoRoom(_) => return None,
        End::NotStarted(why) => {
            (Verdict::Failed, format!("its handler could not be started: {why}"))
        }
        End::Lost(why) => {
            (Verdict::Failed, format!("how its handler ended could not be told: {why}"))
        }
    };
    Some(verdict)
}
