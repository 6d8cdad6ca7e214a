//! Going through a plan: who has its turn, what came of it, and the state that it comes to.
//!
//! Lives here: [`Runner`], for dry runs and real ones alike. May not live here: how a program is
//! run, or what a journal's lines look like.
//!
//! One thread decides and keeps the state; programs run on threads of their own, at most as many
//! at a time as is asked for. Preconditions are held against the state that the log has before an
//! event, without what did not happen (see [`super::states`]).

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::Scope;
use std::time::Duration;

use smol_str::SmolStr;

use super::job::{Before, Job, before, interrupted};
use super::journal::{History, RunJournal, Verdict};
use super::outcome::{Execution, Outcome, Status, Tally};
use super::pace::{Pace, Ticker};
use super::plan::{Order, Past, Plan, Turn};
use super::process::Bounds;
use super::states::States;
use crate::error::{Error, ErrorKind, Result};
use crate::fold::State;
use crate::model::{Event, Position};
use crate::schema::Redactor;

/// What reads the events.
pub trait Events {
    /// The event at a position.
    ///
    /// # Errors
    /// Unavailable, when it cannot be read.
    fn event(&mut self, position: Position) -> Result<Event>;

    /// Its bytes, as they stand in the log.
    ///
    /// # Errors
    /// Unavailable, when they cannot be read.
    fn line(&mut self, position: Position) -> Result<Vec<u8>>;
}

/// What a program may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For how long it may run, and how much of what it writes is kept.
    pub bounds: Bounds,
    /// How often an event is tried.
    pub attempts: u32,
    /// How long the first pause before another try is; each is twice the one before.
    pub retry_delay: Duration,
}

/// What it takes to execute.
pub struct Execute<'a> {
    /// Where everything is noted.
    pub journal: Mutex<RunJournal>,
    /// What was noted before.
    pub history: &'a History,
    /// How many programs run at a time.
    pub jobs: usize,
    /// What each may take.
    pub limits: Limits,
    /// The run's id.
    pub replay_id: String,
    /// What every program finds in its environment beside that.
    pub environment: Vec<(&'static str, OsString)>,
    /// The folder that programs run in; none for that of this process.
    pub folder: Option<PathBuf>,
    /// Set when programs that run are to be ended at once.
    pub end_now: Arc<AtomicBool>,
}

/// What is told of a run while it goes on.
#[derive(Debug, Clone)]
pub enum Heard {
    /// The program of the event at this position has its turn.
    Begun(Position),
    /// This became of an event.
    Settled(Outcome),
}

/// What a replay came to.
#[derive(Debug)]
pub struct Run {
    /// How many events came to what.
    pub tally: Tally,
    /// The events that count as if they had not happened.
    pub gone: BTreeSet<Position>,
    /// The state after all others.
    pub state: State,
}

/// Goes through a plan.
pub struct Runner<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What reads its events.
    pub events: &'a mut dyn Events,
    /// What it takes to execute; none for a dry run.
    pub execute: Option<&'a Execute<'a>>,
    /// What takes secrets out of what is told.
    pub redactor: &'a Redactor,
    /// How fast it goes.
    pub pace: Pace,
    /// What waits.
    pub ticker: &'a dyn Ticker,
    /// Set when the user wants it to end.
    pub interrupt: Arc<AtomicBool>,
    /// Hears how many events are done.
    pub progress: &'a mut dyn FnMut(u64),
    /// Hears what begins, and what became of each selected event.
    pub heard: &'a mut dyn FnMut(Heard),
}

/// What is going on.
struct Going {
    states: States,
    ready: BinaryHeap<Reverse<Position>>,
    before: Vec<u32>,
    tally: Tally,
    running: Vec<Event>,
    done: u64,
    stop: Option<Error>,
}

/// What comes back from the thread of a program.
type Answer = (Position, Result<(Verdict, String, Execution)>);

impl<'a> Runner<'a> {
    /// Goes through the plan to its end.
    ///
    /// # Errors
    /// Interrupted; unavailable, when the log cannot be read or the journal not be written. What
    /// was begun is waited for before.
    pub fn run(mut self) -> Result<Run> {
        let (answers, answered) = mpsc::channel();
        let mut going = Going::new(self.plan);
        std::thread::scope(|scope: &Scope<'_, 'a>| {
            while let Some(patience) = self.start_some(scope, &mut going, &answers) {
                self.take_answer(&mut going, &answered, patience);
            }
        });
        if let Some(error) = going.stop {
            return Err(error);
        }
        let (state, gone) = going.states.finish(self.plan.to, self.events)?;
        Ok(Run { tally: going.tally, gone, state })
    }

    /// Gives those their turn who can have it. Gives how long to wait for an answer until the next
    /// can; none where there is no answer to wait for.
    fn start_some<'scope>(
        &mut self,
        scope: &'scope Scope<'scope, 'a>,
        going: &mut Going,
        answers: &Sender<Answer>,
    ) -> Option<Duration> {
        let jobs = self.execute.map_or(1, |execute| execute.jobs.max(1));
        let mut patience = Duration::MAX;
        while going.stop.is_none() && going.running.len() < jobs {
            let Some(Reverse(position)) = going.ready.pop() else { break };
            match self.turn(scope, going, answers, position) {
                Ok(None) => {}
                Ok(Some(left)) => {
                    going.ready.push(Reverse(position));
                    patience = left;
                    break;
                }
                Err(error) => going.stop = Some(error),
            }
        }
        (!going.running.is_empty()).then_some(patience)
    }

    /// The turn of one event: it is settled, or its program is started. Gives how long it is until
    /// then, where an answer that comes before may give another its turn.
    fn turn<'scope>(
        &mut self,
        scope: &'scope Scope<'scope, 'a>,
        going: &mut Going,
        answers: &Sender<Answer>,
        position: Position,
    ) -> Result<Option<Duration>> {
        let event = self.events.event(position)?;
        if let Some(left) = self.wait(going, &event)? {
            return Ok(Some(left));
        }
        let is_gone = |position: &Position| going.states.is_gone(*position);
        let past = Past {
            failed: Some(self.plan.cause(position)).filter(is_gone),
            same: self.plan.repeated.get(&position).map(|same| (*same, is_gone(same))),
        };
        let state = going.states.before(position, self.events)?;
        let (handler, execute) = match (self.plan.judge(&event, state, past), self.execute) {
            (Turn::Over { status, reason, happened }, _) => {
                let told = status.map(|status| (status, reason, None));
                self.settle(going, &event, told, happened);
                return Ok(None);
            }
            (Turn::Execute(handler), None) => {
                let by = SmolStr::from(handler.to_string());
                self.settle(going, &event, Some((Status::WouldExecute, Some(by), None)), true);
                return Ok(None);
            }
            (Turn::Execute(handler), Some(execute)) => (handler, execute),
        };
        let attempt = match before(execute, position)? {
            Before::Next(attempt) => attempt,
            Before::Over(verdict, reason, result) => {
                self.conclude(going, &event, verdict, reason, result);
                return Ok(None);
            }
        };
        let job = Job {
            position,
            attempt,
            event_id: event.id.to_string(),
            event_type: event.type_name.to_string(),
            line: self.events.line(position)?,
            handler,
            execute,
            redactor: self.redactor,
            ticker: self.ticker,
            interrupt: Arc::clone(&self.interrupt),
        };
        let answers = answers.clone();
        let work = move || {
            // The other end waits for as many answers as there are programs, whatever happens here.
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job.work()));
            let died = |_| Err(Error::internal("a thread that executes an event ended early"));
            let _ = answers.send((position, done.unwrap_or_else(died)));
        };
        let thread = std::thread::Builder::new().name("handler".to_owned());
        if let Err(error) = thread.spawn_scoped(scope, work) {
            let message = format!("event #{position} cannot be executed now: {error}");
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
        (self.heard)(Heard::Begun(position));
        going.running.push(event);
        Ok(None)
    }

    /// Waits until an event has its turn; or gives how long that is, where an answer may come before.
    fn wait(&mut self, going: &Going, event: &Event) -> Result<Option<Duration>> {
        // What is done already is told as fast as it can be.
        if !self.execute.is_some_and(|execute| execute.history.reaches(event.position)) {
            let left = self.pace.left(event.at, self.ticker);
            if !going.running.is_empty() && !left.is_zero() {
                return Ok(Some(left));
            }
            if !self.pace.turn(event.at, self.ticker) {
                return Err(interrupted());
            }
        }
        if self.interrupt.load(Ordering::Relaxed) { Err(interrupted()) } else { Ok(None) }
    }

    /// Waits for an answer, not longer than that.
    fn take_answer(&mut self, going: &mut Going, answered: &Receiver<Answer>, patience: Duration) {
        // (A sender is always there: this thread has one.)
        let Ok((position, answer)) = answered.recv_timeout(patience) else { return };
        let Some(at) = going.running.iter().position(|event| event.position == position) else {
            return;
        };
        let event = going.running.swap_remove(at);
        match answer {
            Ok((verdict, reason, result)) => {
                self.conclude(going, &event, verdict, reason, Some(result));
            }
            Err(error) => going.stop = Some(going.stop.take().unwrap_or(error)),
        }
    }

    /// Settles an event whose execution ended.
    fn conclude(
        &mut self,
        going: &mut Going,
        event: &Event,
        verdict: Verdict,
        reason: String,
        result: Option<Execution>,
    ) {
        let (status, reason) = match verdict {
            Verdict::Done => (Status::Executed, reason),
            Verdict::Skip => (Status::Skipped, reason),
            Verdict::Failed => (Status::Failed, reason),
            Verdict::Again => {
                let times = result.as_ref().map_or(0, |result| result.attempts);
                let reason = format!("{reason}, and was tried {times} times");
                (Status::Failed, reason)
            }
        };
        let told = (status, Some(reason.into()), result.map(Box::new));
        self.settle(going, event, Some(told), status != Status::Failed);
    }

    /// Notes what became of an event, and lets those have their turn that waited for it.
    fn settle(
        &mut self,
        going: &mut Going,
        event: &Event,
        told: Option<(Status, Option<SmolStr>, Option<Box<Execution>>)>,
        happened: bool,
    ) {
        if let Some((status, reason, result)) = told {
            going.tally.add(status);
            // What stands in a log may be a secret of old.
            let plain = |text: &SmolStr| self.redactor.conceal_word(text);
            let outcome = Outcome {
                position: event.position,
                event_type: match event.kind.is_catalogued() {
                    true => event.type_name.clone(),
                    false => plain(&event.type_name),
                },
                event_id: plain(&event.id),
                status,
                reason: reason.as_ref().map(plain),
                result,
            };
            (self.heard)(Heard::Settled(outcome));
        }
        going.states.settle(event, happened);
        match &self.plan.order {
            Order::OneByOne if event.position < self.plan.to => {
                going.ready.push(Reverse(event.position + 1));
            }
            Order::OneByOne => {}
            Order::Causal { after, .. } => {
                for next in &after[self.plan.number(event.position)] {
                    let left = &mut going.before[*next as usize];
                    *left -= 1;
                    if *left == 0 {
                        going.ready.push(Reverse(self.plan.from + next));
                    }
                }
            }
        }
        going.done += 1;
        (self.progress)(going.done);
    }
}

impl Going {
    fn new(plan: &Plan) -> Self {
        let (before, ready) = match &plan.order {
            Order::OneByOne => {
                let first = (!plan.is_empty()).then_some(Reverse(plan.from));
                (Vec::new(), first.into_iter().collect())
            }
            Order::Causal { before, .. } => {
                let free = (plan.from..).zip(before).filter(|(_, n)| **n == 0);
                (before.clone(), free.map(|(position, _)| Reverse(position)).collect())
            }
        };
        Self {
            states: States::new(plan),
            ready,
            before,
            tally: Tally::default(),
            running: Vec::new(),
            done: 0,
            stop: None,
        }
    }
}
