//! The list of issues, each with what a developer wants to know before opening it; kept up to date.
//!
//! Lives here: one card per issue, folded on a thread of its own and folded on when a log grows.
//! May not live here: sorting, filtering and drawing.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::load::Parser;
use crate::error::{Error, Result};
use crate::fold::{self, State};
use crate::model::kind::Severity;
use crate::model::{Path, Timestamp, Value, catalogue};
use crate::store::{EventStore, IssueEntry, Notice, Tail};
use crate::watch::{Waker, Watch};

/// How many columns an activity sparkline can fill.
pub const ACTIVITY: usize = 32;

/// What the browser shows of one issue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IssueCard {
    /// The issue.
    pub issue_key: String,
    /// What it is about; empty where the log does not say.
    pub summary: String,
    /// The orchestration's status; empty where the log does not say.
    pub status: String,
    /// The current phase; empty where there is none.
    pub phase: String,
    /// How many agents are running or blocked.
    pub agents_running: usize,
    /// How many agents there were.
    pub agents: usize,
    /// How many events.
    pub events: u64,
    /// How many events of severity error or worse.
    pub errors: u64,
    /// The time of the first event.
    pub first: Option<Timestamp>,
    /// The latest time of any event.
    pub last: Option<Timestamp>,
    /// Events per stretch of the issue's life, oldest first.
    pub activity: Vec<u32>,
    /// The size of the log in bytes.
    pub bytes: u64,
    /// Why the log cannot be read; none when it can.
    pub fault: Option<String>,
}

/// Events per stretch of time; the stretches double in length when the log outgrows them.
#[derive(Debug, Clone)]
struct Activity {
    start: i64,
    width: i64,
    counts: Vec<u32>,
}

impl Activity {
    fn new() -> Self {
        Self { start: 0, width: 1000, counts: Vec::new() }
    }

    fn add(&mut self, at: Timestamp) {
        let at = at.millis();
        if self.counts.is_empty() {
            self.start = at;
        }
        let mut index = (at - self.start).max(0) / self.width;
        while index >= ACTIVITY as i64 {
            self.counts = self.counts.chunks(2).map(|pair| pair.iter().sum()).collect();
            self.width *= 2;
            index = (at - self.start).max(0) / self.width;
        }
        let index = usize::try_from(index).unwrap_or_default();
        if self.counts.len() <= index {
            self.counts.resize(index + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(index) {
            *count = count.saturating_add(1);
        }
    }
}

/// One issue, folded as far as its log was read.
struct Folded {
    tail: Box<dyn Tail>,
    parser: Parser,
    state: State,
    activity: Activity,
    events: u64,
    errors: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    seen: IssueEntry,
    fault: Option<String>,
}

impl Folded {
    fn new(tail: Box<dyn Tail>, entry: &IssueEntry) -> Self {
        Self {
            tail,
            parser: Parser::default(),
            state: State::new(),
            activity: Activity::new(),
            events: 0,
            errors: 0,
            first: None,
            last: None,
            seen: entry.clone(),
            fault: None,
        }
    }

    /// Folds on to the end of the log as it is now.
    fn read_on(&mut self) {
        loop {
            let chunk = match self.tail.poll(1 << 20) {
                Ok(chunk) => chunk,
                Err(error) => {
                    self.fault = Some(error.message().to_owned());
                    return;
                }
            };
            self.fault = None;
            if chunk.notices.iter().any(Notice::starts_anew) {
                self.start_anew();
            }
            for loaded in self.parser.parse(&chunk) {
                let event = &loaded.event;
                fold::advance(&mut self.state, event);
                self.events += 1;
                let severe = catalogue::severity(event.kind) >= Severity::Error;
                self.errors += u64::from(severe);
                self.first.get_or_insert(event.at);
                self.last = self.last.max(Some(event.at));
                self.activity.add(event.at);
            }
            if chunk.at_end {
                return;
            }
        }
    }

    fn start_anew(&mut self) {
        self.parser = Parser::default();
        self.state = State::new();
        self.activity = Activity::new();
        (self.events, self.errors, self.first, self.last) = (0, 0, None, None);
    }

    fn card(&self) -> IssueCard {
        let text = |keys: [&'static str; 2]| {
            let value = self.state.at(&Path::of(keys));
            value.and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let agents = self.state.root().get("agents").and_then(Value::as_map);
        let running = |agent: &Value| {
            matches!(agent.get("status").and_then(Value::as_str), Some("running" | "blocked"))
        };
        IssueCard {
            issue_key: self.seen.issue_key.clone(),
            summary: text(["orchestration", "summary"]),
            status: text(["orchestration", "status"]),
            phase: text(["orchestration", "current_phase"]),
            agents_running: agents.map_or(0, |all| all.iter().filter(|(_, a)| running(a)).count()),
            agents: agents.map_or(0, crate::model::Map::len),
            events: self.events,
            errors: self.errors,
            first: self.first,
            last: self.last,
            activity: self.activity.counts.clone(),
            bytes: self.seen.bytes,
            fault: self.fault.clone(),
        }
    }
}

/// The card of one issue, as it is now.
///
/// # Errors
/// Not found, when there is no such issue; unavailable, when it cannot be read.
pub fn card(store: &dyn EventStore, entry: &IssueEntry) -> Result<IssueCard> {
    let mut folded = Folded::new(store.tail(&entry.issue_key)?, entry);
    folded.read_on();
    Ok(folded.card())
}

/// What the browser's thread says.
#[derive(Debug)]
pub enum BrowseNews {
    /// Cards that are new or changed.
    Cards(Vec<IssueCard>),
    /// Issues whose logs are gone.
    Gone(Vec<String>),
    /// All issues were read once.
    Complete,
    /// The store cannot be read at the moment.
    Fault(String),
}

/// A thread that keeps the cards of all issues up to date.
#[derive(Debug)]
pub struct Browser {
    news: Receiver<BrowseNews>,
    stop: Waker,
    thread: Option<JoinHandle<()>>,
}

impl Browser {
    /// Starts reading, newest activity first. `woken` is called after each piece of news.
    ///
    /// # Errors
    /// Internal, when no thread can be had.
    pub fn start(store: Arc<dyn EventStore>, woken: impl Fn() + Send + 'static) -> Result<Self> {
        let (sender, news) = sync_channel(64);
        let watch = Watch::new();
        let stop = watch.waker();
        let mut reader =
            Reader { store, watch, folded: HashMap::new(), sender, woken: Box::new(woken) };
        let thread = std::thread::Builder::new().name("browser".into()).spawn(move || reader.run());
        let thread = thread.map_err(|e| Error::internal(format!("cannot start a thread: {e}")))?;
        Ok(Self { news, stop, thread: Some(thread) })
    }

    /// The next news, if some come within `patience`.
    #[must_use]
    pub fn next(&self, patience: Duration) -> Option<BrowseNews> {
        if patience.is_zero() {
            self.news.try_recv().ok()
        } else {
            self.news.recv_timeout(patience).ok()
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.stop.stop();
        while self.thread.as_ref().is_some_and(|t| !t.is_finished()) {
            let _ = self.news.recv_timeout(Duration::from_millis(5));
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Reader {
    store: Arc<dyn EventStore>,
    watch: Watch,
    folded: HashMap<String, Folded>,
    sender: SyncSender<BrowseNews>,
    woken: Box<dyn Fn() + Send>,
}

impl Reader {
    fn run(&mut self) {
        let mut complete = false;
        loop {
            let all = match self.store.issues() {
                Ok(entries) => self.look(&entries),
                Err(error) => self.tell(BrowseNews::Fault(error.message().to_owned())),
            };
            if !all || (!complete && !self.tell(BrowseNews::Complete)) {
                return;
            }
            complete = true;
            let look_again = self.watch.update(self.store.watch_folders(None));
            if !look_again && !self.watch.wait() {
                return;
            }
        }
    }

    /// Reads what is new; false when nobody listens any more.
    fn look(&mut self, entries: &[IssueEntry]) -> bool {
        for entry in entries {
            if self.watch.stopped() {
                return false;
            }
            if let Some(card) = self.refresh(entry)
                && !self.tell(BrowseNews::Cards(vec![card]))
            {
                return false;
            }
        }
        let there: std::collections::HashSet<&str> =
            entries.iter().map(|e| e.issue_key.as_str()).collect();
        let gone: Vec<String> =
            self.folded.keys().filter(|key| !there.contains(key.as_str())).cloned().collect();
        self.folded.retain(|key, _| there.contains(key.as_str()));
        gone.is_empty() || self.tell(BrowseNews::Gone(gone))
    }

    /// The new card of an issue whose log changed.
    fn refresh(&mut self, entry: &IssueEntry) -> Option<IssueCard> {
        if let Some(known) = self.folded.get_mut(&entry.issue_key) {
            if known.seen == *entry {
                return None;
            }
            known.seen = entry.clone();
            known.read_on();
            return Some(known.card());
        }
        // An issue that is gone by now is told of by the next look.
        let tail = self.store.tail(&entry.issue_key).ok()?;
        let mut folded = Folded::new(tail, entry);
        folded.read_on();
        let card = folded.card();
        self.folded.insert(entry.issue_key.clone(), folded);
        Some(card)
    }

    fn tell(&self, news: BrowseNews) -> bool {
        let told = self.sender.send(news).is_ok();
        if told {
            (self.woken)();
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activity_keeps_every_event_within_its_columns() {
        let mut activity = Activity::new();
        for second in 0..100_000 {
            activity.add(Timestamp::from_millis(second * 1000));
        }
        assert!(activity.counts.len() <= ACTIVITY);
        assert_eq!(activity.counts.iter().sum::<u32>(), 100_000);
        activity.add(Timestamp::from_millis(-5));
        assert_eq!(activity.counts.iter().sum::<u32>(), 100_001);
    }
}
