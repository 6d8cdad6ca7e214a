//! From the log's lines to events, on a thread of its own while a session is open.
//!
//! Lives here: reading, parsing and following. May not live here: folding; the session does that,
//! in its own time, so that nothing needs a lock.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, LazyLock};
use std::thread::JoinHandle;
use std::time::Duration;

use memchr::memmem::Finder;

use super::early::{self, Early};
use super::scan::{self, Glimpse};
use crate::error::{Error, Result};
use crate::model::{AnomalyKind, Event, Timestamp};
use crate::schema::upcast;
use crate::store::{Chunk, EventStore, Fetch, Notice, Tail};
use crate::timeline::Loaded;
use crate::watch::{Waker, Watch};

/// How many bytes of the log are read at a time.
const CHUNK_BYTES: usize = 256 * 1024;
/// How many batches may wait for the session: bounds the memory of a session that is busy.
const BATCHES: usize = 4;

/// How many bytes of the end of a long log are read first: more events than a screen has rows.
const END_BYTES: usize = 256 * 1024;

/// What the loader tells the session.
#[derive(Debug)]
pub enum Batch {
    /// Events in order, and what was noticed before them.
    Events {
        /// What happened to the log.
        notices: Vec<Notice>,
        /// The events.
        events: Vec<Loaded>,
        /// How many bytes of the log are still unread.
        remaining: u64,
    },
    /// The last events of a long log, before anything else of it is known; their positions are not.
    End(Vec<Event>),
    /// A part of a long log, looked at before it is read in full.
    Seen(Glimpse),
    /// States at the end of a long log, before it is folded so far.
    Early(Early),
    /// Why those are not to be believed.
    NotEarly(String),
    /// The log cannot be read at the moment.
    Fault(Error),
}

/// Parses lines into events; remembers what it must between chunks.
#[derive(Debug, Default)]
pub struct Parser {
    previous: Timestamp,
}

impl Parser {
    /// A parser that goes on behind an event of this time.
    #[must_use]
    pub fn after(previous: Timestamp) -> Self {
        Self { previous }
    }

    /// Reads on, and parses what came.
    pub(super) fn read(&mut self, tail: &mut dyn Tail) -> Result<(Chunk, Vec<Loaded>)> {
        let chunk = tail.poll(1 << 20)?;
        if chunk.notices.iter().any(Notice::starts_anew) {
            *self = Self::default();
        }
        let events = self.parse(&chunk);
        Ok((chunk, events))
    }

    /// The events of a chunk, in order.
    pub fn parse(&mut self, chunk: &Chunk) -> Vec<Loaded> {
        let mut events = Vec::with_capacity(chunk.lines.len());
        for line in &chunk.lines {
            let bytes = chunk.bytes.get(line.range.clone()).unwrap_or_default();
            if line.too_long {
                events.push(self.too_long(line.locator, bytes));
                continue;
            }
            for (event, range, faults) in upcast::read_line_events(bytes, 0, self.previous) {
                self.previous = event.at;
                events.push(Loaded {
                    locator: line.locator.part(&range),
                    content: content_hash(
                        &event.type_name,
                        bytes.get(range.clone()).unwrap_or_default(),
                    ),
                    event,
                    faults: faults.into_vec(),
                });
            }
        }
        events
    }

    fn too_long(&self, locator: crate::store::Locator, head: &[u8]) -> Loaded {
        let shown = String::from_utf8_lossy(head.get(..200).unwrap_or(head));
        let detail = format!("the line has {} bytes, more than the limit", locator.len);
        Loaded {
            locator,
            event: upcast::unreadable_event(0, self.previous, &shown),
            faults: vec![(AnomalyKind::LineTooLong, detail)],
            content: 0,
        }
    }
}

/// Made once: making it costs more than finding the word.
static METADATA: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"metadata\""));

/// A hash of what the event says, without the stamps that the store puts on it: those stand before
/// the metadata in every line that chronoscope wrote.
fn content_hash(type_name: &str, line: &[u8]) -> u32 {
    use std::hash::Hasher;
    let said = METADATA.find(line).unwrap_or_default();
    let mut hasher = rustc_hash::FxHasher::default();
    hasher.write(type_name.as_bytes());
    hasher.write(line.get(said..).unwrap_or_default());
    #[allow(clippy::cast_possible_truncation, reason = "half of the hash is enough")]
    let half = (hasher.finish() >> 32) as u32;
    half
}

/// A thread that reads a log to its end and then follows it.
#[derive(Debug)]
pub struct Loader {
    batches: Receiver<Batch>,
    stop: Waker,
    thread: Option<JoinHandle<()>>,
}

/// A loader that was started.
pub(super) struct Started {
    pub(super) loader: Loader,
    /// Reads lines again.
    pub(super) fetch: Box<dyn Fetch>,
    /// The same for what a look ahead tells, where the log is long enough for one.
    pub(super) fetch_ahead: Option<Box<dyn Fetch>>,
    /// How many bytes there are to be read.
    pub(super) bytes: u64,
}

impl Loader {
    /// Starts reading `issue_key`. `woken` is called after each batch, so that a screen can wait.
    ///
    /// # Errors
    /// Not found, when there is no such issue; unavailable, when it cannot be read.
    pub(super) fn start(
        store: Arc<dyn EventStore>,
        issue_key: &str,
        woken: impl Fn() + Send + Sync + 'static,
    ) -> Result<Started> {
        let tail = store.tail(issue_key)?;
        let (fetch, bytes) = (tail.fetcher(), tail.remaining());
        let ahead = if bytes >= scan::WORTH_LOOKING { Some(store.tail(issue_key)?) } else { None };
        let fetch_ahead = ahead.as_ref().map(|tail| tail.fetcher());
        let (sender, batches) = sync_channel(BATCHES);
        let watch = Watch::new();
        let stop = watch.waker();
        let mut reader = Reader {
            store,
            issue_key: issue_key.to_owned(),
            tail,
            watch,
            parser: Parser::default(),
            sender,
            woken: Arc::new(woken),
            left: 0,
            last_told: Told::Nothing,
        };
        let run = move || reader.run(ahead);
        let thread = std::thread::Builder::new().name("loader".into()).spawn(run);
        let thread = thread.map_err(|e| Error::internal(format!("cannot start a thread: {e}")))?;
        let loader = Self { batches, stop, thread: Some(thread) };
        Ok(Started { loader, fetch, fetch_ahead, bytes })
    }

    /// The next batch, if one comes within `patience`.
    #[must_use]
    pub fn next(&self, patience: Duration) -> Option<Batch> {
        if patience.is_zero() {
            self.batches.try_recv().ok()
        } else {
            self.batches.recv_timeout(patience).ok()
        }
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        self.stop.stop();
        // The loader may wait for room in the channel: make some until it has seen the stop.
        while self.thread.as_ref().is_some_and(|t| !t.is_finished()) {
            let _ = self.batches.recv_timeout(Duration::from_millis(5));
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The last thing that was said without an event to say it with.
#[derive(PartialEq, Eq)]
enum Told {
    Nothing,
    AtEnd,
    Fault(String),
}

/// The state of the loader's thread.
struct Reader {
    store: Arc<dyn EventStore>,
    issue_key: String,
    tail: Box<dyn Tail>,
    watch: Watch,
    parser: Parser,
    sender: SyncSender<Batch>,
    woken: Arc<dyn Fn() + Send + Sync>,
    /// How many bytes are still unread, when that was asked last, without those read since.
    left: u64,
    last_told: Told,
}

impl Reader {
    fn run(&mut self, ahead: Option<Box<dyn Tail>>) {
        if let Some(tail) = ahead {
            self.send_end(&*tail);
            let waker = self.watch.waker();
            scan::scan(tail, &self.sender, &*self.woken, &|| waker.is_stopped());
            self.start_early();
        }
        while self.read_to_end() {
            let folders = self.store.watch_folders(Some(&self.issue_key));
            let look_again = self.watch.update(folders);
            if !look_again && !self.watch.wait() {
                return;
            }
        }
    }

    /// Sends the last events of the log. What cannot be read now is told when it is read in order.
    fn send_end(&self, tail: &dyn Tail) {
        let Ok(chunk) = tail.end(END_BYTES) else { return };
        let events = Parser::default().parse(&chunk).into_iter().map(|loaded| loaded.event);
        if self.sender.send(Batch::End(events.collect())).is_ok() {
            (self.woken)();
        }
    }

    /// Has the states at the end of the log made while it is read. Nobody waits for that thread: it
    /// only reads, and ends when nobody listens.
    fn start_early(&self) {
        let (store, issue_key) = (Arc::clone(&self.store), self.issue_key.clone());
        let (sender, woken) = (self.sender.clone(), Arc::clone(&self.woken));
        let waker = self.watch.waker();
        let run = move || {
            early::tell(&*store, &issue_key, &|| waker.is_stopped(), |batch| {
                if sender.send(batch).is_ok() {
                    woken();
                }
            });
        };
        // Where there is no thread to be had, they are known when the log is folded.
        let _ = std::thread::Builder::new().name("snapshot".into()).spawn(run);
    }

    /// Sends everything that is there now; false when nobody listens any more.
    fn read_to_end(&mut self) -> bool {
        loop {
            if self.watch.stopped() {
                return false;
            }
            let (batch, at_end) = self.read_on();
            if let Some(batch) = batch {
                if self.sender.send(batch).is_err() {
                    return false;
                }
                (self.woken)();
            }
            if at_end {
                return true;
            }
        }
    }

    /// One chunk; and whether the end was reached. What was said already is not said again.
    fn read_on(&mut self) -> (Option<Batch>, bool) {
        let chunk = match self.tail.poll(CHUNK_BYTES) {
            Ok(chunk) => chunk,
            Err(error) => {
                let told = Told::Fault(error.message().to_owned());
                let news = self.last_told != told;
                self.last_told = told;
                return (news.then_some(Batch::Fault(error)), true);
            }
        };
        if chunk.notices.iter().any(Notice::starts_anew) {
            self.parser = Parser::default();
        }
        let events = self.parser.parse(&chunk);
        let quiet = events.is_empty() && chunk.notices.is_empty();
        if quiet && chunk.at_end && self.last_told == Told::AtEnd {
            return (None, true);
        }
        self.last_told = if chunk.at_end { Told::AtEnd } else { Told::Nothing };
        let remaining = if chunk.at_end { 0 } else { self.remaining(chunk.bytes.len()) };
        (Some(Batch::Events { notices: chunk.notices, events, remaining }), chunk.at_end)
    }

    /// About how many bytes are unread after so many more were read; never 0. To know it all days of
    /// the log are looked at, so that is asked again only when nothing seems to be left.
    fn remaining(&mut self, read: usize) -> u64 {
        self.left = self.left.saturating_sub(read as u64);
        if self.left == 0 {
            self.left = self.tail.remaining();
        }
        self.left.max(1)
    }
}
