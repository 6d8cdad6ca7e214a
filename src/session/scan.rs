//! A light look at a long log before it is folded, on all cores.
//!
//! Lives here: [`scan`], which tells what every line says before its metadata, and [`Sketch`], the
//! picture that becomes of it. May not live here: what is true at a position; that is known once
//! the events are folded, and the sketch is thrown away then.

use std::collections::BTreeMap;
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, PoisonError};

use crate::error::Result;
use crate::model::catalogue;
use crate::query::header::{self, Header};
use crate::store::{Chunk, Fetch, Locator, Notice, Tail};
use crate::timeline::{Seen, SeenPart, Timeline};

use super::load::Batch;

/// From so many bytes on, a log takes long enough to be folded that a look ahead is worth it.
/// (Tests have no logs that long.)
pub(super) const WORTH_LOOKING: u64 = if cfg!(test) { 64 << 10 } else { 16 << 20 };
/// How many bytes one thread looks through at a time.
const PIECE: usize = if cfg!(test) { 8 << 10 } else { 1 << 20 };
/// The most threads that look.
const MOST_THREADS: usize = 8;

/// A part of the log, as seen; parts come in any order.
#[derive(Debug)]
pub struct Glimpse {
    /// Which part, from 0.
    number: u64,
    part: SeenPart,
}

/// What all threads that look share.
struct Source {
    tail: Box<dyn Tail>,
    next: u64,
    ended: bool,
}

impl Source {
    /// The next piece of the log and its number.
    fn take(&mut self) -> Result<Option<(u64, Chunk)>> {
        if self.ended {
            return Ok(None);
        }
        let chunk = self.tail.poll(PIECE)?;
        self.ended = chunk.at_end || chunk.notices.iter().any(Notice::starts_anew);
        self.next += 1;
        Ok(Some((self.next - 1, chunk)))
    }
}

/// Looks through a log from its beginning to its end; `stopped` ends it early. What cannot be read
/// ends it too: whoever reads the log in full says why.
pub(super) fn scan(
    tail: Box<dyn Tail>,
    sender: &SyncSender<Batch>,
    woken: &(dyn Fn() + Sync),
    stopped: &(dyn Fn() -> bool + Sync),
) {
    let source = Mutex::new(Source { tail, next: 0, ended: false });
    let look = || {
        while !stopped() {
            let taken = source.lock().unwrap_or_else(PoisonError::into_inner).take();
            let Ok(Some((number, chunk))) = taken else { return };
            let glimpse = Glimpse { number, part: seen(&chunk) };
            if sender.send(Batch::Seen(glimpse)).is_err() {
                return;
            }
            woken();
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    std::thread::scope(|scope| {
        for _ in 1..threads {
            // Where there is no further thread to be had, this one looks alone.
            let _ = std::thread::Builder::new().name("scan".into()).spawn_scoped(scope, look);
        }
        look();
    });
}

/// What the lines of a chunk say, as far as a light look tells.
pub(super) fn seen(chunk: &Chunk) -> SeenPart {
    let mut part = SeenPart::default();
    for line in &chunk.lines {
        let bytes = chunk.bytes.get(line.range.clone()).unwrap_or_default();
        if line.too_long {
            push(&mut part, &header::unreadable(), line.locator);
        } else {
            header::read_line(bytes, |header, range| {
                push(&mut part, &header, line.locator.part(&range));
            });
        }
    }
    part
}

fn push(part: &mut SeenPart, header: &Header<'_>, locator: Locator) {
    let (agent, phase) = header.agent_and_phase();
    part.push(&Seen {
        locator,
        at: header.at,
        id: &header.id,
        kind: header.kind(),
        type_name: &header.type_name,
        actor: &header.actor,
        session: &header.session,
        agent: &agent,
        phase: &phase,
        enters: &header.enters().unwrap_or_default(),
    });
}

/// The picture of a log that was looked at and is not folded yet.
pub(super) struct Sketch {
    /// Its rows and lanes; without states.
    pub(super) timeline: Timeline,
    /// Reads the events that the rows stand for.
    pub(super) fetch: Box<dyn Fetch>,
    next: u64,
    /// Parts that came before their turn.
    early: BTreeMap<u64, SeenPart>,
}

impl Sketch {
    /// The empty picture of an issue's log.
    pub(super) fn new(issue_key: &str, fetch: Box<dyn Fetch>) -> Self {
        let timeline = Timeline::new(issue_key, catalogue::LINKS);
        Self { timeline, fetch, next: 0, early: BTreeMap::new() }
    }

    /// Adds a part once those before it are there.
    pub(super) fn take(&mut self, glimpse: Glimpse) {
        self.early.insert(glimpse.number, glimpse.part);
        while let Some(part) = self.early.remove(&self.next) {
            self.timeline.push_seen(&part);
            self.next += 1;
        }
    }
}
