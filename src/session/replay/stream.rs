//! A copy of a whole log: read, checked, written and folded at the same time.
//!
//! Lives here: [`stream`], its threads, and the proof that the copy is what it should be. May not
//! live here: what a copy keeps (see [`crate::replay::copy`]), or how lines get into a store.
//!
//! One thread reads and makes the copy's lines, one writes them piece by piece, each durable before
//! the next, and the caller's folds. The other log may have the beginning of the copy already: then
//! its lines are those that would be written, byte for byte, and what is behind them is added.
//! Anything else in there is for [`super::copy::copy`], which looks each event up by its id.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::ScopedJoinHandle;

use super::copy::{interrupted, outcome};
use super::rehearse::{Logged, read_back};
use super::{Means, beside, report, the_same};
use crate::error::{Error, ErrorKind, Result};
use crate::fold::{self, State};
use crate::model::{Event, Kind, Position, Timestamp};
use crate::replay::copy::{Maker, into_the_other};
use crate::replay::{Copied, FinalState, Outcome, Report, Status, Tally};
use crate::schema::{Lines, Redactor, upcast};
use crate::store::local::LocalStore;
use crate::store::{AppendOptions, Chunk, EventStore, Notice, Tail};

/// How many bytes of the log are read, and how many of the copy are written, at a time.
const PIECE: usize = 4 << 20;
/// How many pieces may wait for a thread.
const WAITING: usize = 4;

/// Copies a whole issue into `target`; without one, says what would be copied. None where `target`
/// has something that is no part of the copy: then nothing was added that is not. Once everything
/// is there, `behind` is done to the target, while the copy is read back.
///
/// # Errors
/// Interrupted; unavailable, when the log is replaced while it is read; as an append.
pub fn stream(
    source: &dyn EventStore,
    target: Option<&LocalStore>,
    issue_key: &str,
    replay_id: &str,
    means: Means<'_>,
    behind: &(dyn Fn(&LocalStore) + Sync),
) -> Result<Option<Report>> {
    let Means { redactor, interrupt, progress, .. } = means;
    let tail = source.tail(issue_key)?;
    let all = tail.remaining();
    let reader = Reader {
        tail,
        maker: Maker::new(issue_key, redactor),
        issue_key,
        redactor,
        interrupt,
        rehearses: target.is_none(),
        as_it_was: true,
        position: 0,
        previous: Timestamp::default(),
        next: 1,
        read: 0,
    };
    let Some(copied) = copied(reader, target, issue_key, &mut |done| progress(done, all))? else {
        return Ok(None);
    };
    let Folded { tally, outcomes, state, copy, as_it_was } = copied;
    let final_state = match target {
        None => copy.map_or_else(|| the_same(&state), |copy| beside(&state, &copy.state)),
        Some(target) => std::thread::scope(|scope| {
            scope.spawn(|| behind(target));
            let upkeep = scope.spawn(|| target.refresh_derived());
            let proof = prove(source, target, issue_key, (tally.replayed, as_it_was), &state);
            joined(upkeep).map_err(|error| into_the_other(&error))?;
            proof
        })?,
    };
    Ok(Some(report(redactor, (replay_id, target.is_none()), tally, outcomes, final_state)))
}

/// What came of the events, as far as they are folded.
struct Folded {
    tally: Tally,
    outcomes: Vec<Outcome>,
    /// The state of those that are copied.
    state: State,
    /// Of a dry run, what the copy says, where it is not as it was.
    copy: Option<Logged>,
    /// Whether every line of the log is one of the copy, as it stands.
    as_it_was: bool,
}

/// Runs the threads to their end.
fn copied(
    mut reader: Reader<'_>,
    target: Option<&LocalStore>,
    issue_key: &str,
    progress: &mut dyn FnMut(u64),
) -> Result<Option<Folded>> {
    let (pieces, read) = sync_channel(WAITING);
    let (lines, made) = sync_channel(WAITING);
    // Events go back to the thread that made them, to be let go of there: the allocator would have
    // both threads wait for one another otherwise.
    let (done, folded_events) = channel();
    std::thread::scope(|scope| {
        let writer = scope.spawn(move || match target {
            Some(target) => Writer::new(target, issue_key)?.run(&made),
            None => {
                made.iter().for_each(drop);
                Ok(true)
            }
        });
        let reader = scope.spawn(move || reader.run(&pieces, &lines, &folded_events));
        let mut folded = Folded {
            tally: Tally::default(),
            outcomes: Vec::new(),
            state: State::new(),
            copy: None,
            as_it_was: true,
        };
        for piece in read {
            // (Nobody waits for the last of them.)
            let _ = done.send(folded.take(piece, progress));
        }
        let (read, fits) = (joined(reader), joined(writer)?);
        read?;
        Ok(fits.then_some(folded))
    })
}

fn joined<T>(thread: ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

impl Folded {
    /// Folds the events of a piece, and gives them back.
    fn take(&mut self, piece: Piece, progress: &mut dyn FnMut(u64)) -> Vec<Event> {
        if let Some(lines) = piece.copies {
            // Up to here the one is the other.
            let (count, state) = (self.tally.replayed, &self.state);
            let copy = self.copy.get_or_insert_with(|| Logged::behind(count, state.clone()));
            (0..lines.len()).filter_map(|number| lines.line(number)).for_each(|l| copy.line(l));
        }
        for _ in 0..piece.plain {
            self.tally.add(Status::Replayed);
        }
        for told in piece.told {
            self.tally.add(told.status);
            self.outcomes.push(told);
        }
        self.as_it_was = piece.as_it_was;
        for event in &piece.events {
            fold::advance(&mut self.state, event);
        }
        progress(piece.read);
        piece.events
    }
}

/// What was read of a log at once.
struct Piece {
    /// The events that are copied.
    events: Vec<Event>,
    /// How many of them plainly.
    plain: u64,
    /// What there is to say of others.
    told: Vec<Outcome>,
    /// Whether every line up to its end is one of the copy, as it stands.
    as_it_was: bool,
    /// Of a dry run, the lines of the copy, once these are not those of the log.
    copies: Option<Lines>,
    /// How many bytes of the log are read by now.
    read: u64,
}

/// Reads a log, and makes the lines of its copy.
struct Reader<'a> {
    tail: Box<dyn Tail>,
    maker: Maker<'a>,
    issue_key: &'a str,
    redactor: &'a Redactor,
    interrupt: Arc<AtomicBool>,
    /// Whether somebody wants to know what the lines come to, and nobody writes them.
    rehearses: bool,
    /// Whether every line so far is one of the copy, as it stands.
    as_it_was: bool,
    position: Position,
    previous: Timestamp,
    /// The sequence number of the copy's next line.
    next: u64,
    read: u64,
}

impl Reader<'_> {
    /// Reads to the end; stops where nobody wants the lines any more.
    fn run(
        &mut self,
        pieces: &SyncSender<Piece>,
        lines: &SyncSender<Lines>,
        folded: &Receiver<Vec<Event>>,
    ) -> Result<()> {
        loop {
            if self.interrupt.load(Ordering::Relaxed) {
                return Err(interrupted(self.issue_key));
            }
            let chunk = self.tail.poll(PIECE)?;
            if self.position > 0 && chunk.notices.iter().any(Notice::starts_anew) {
                let message = format!("the log of {} was replaced meanwhile", self.issue_key);
                return Err(Error::new(ErrorKind::Unavailable, message)
                    .with_hint("begin the copy again: what is there is not copied twice"));
            }
            let mut events = folded.try_iter().last().unwrap_or_default();
            events.clear();
            let (piece, made) = self.piece(&chunk, events);
            // Who writes goes first: the other has less to do.
            if lines.send(made).is_err() || pieces.send(piece).is_err() || chunk.at_end {
                return Ok(());
            }
        }
    }

    /// Reads a piece into a list that has room already.
    fn piece(&mut self, chunk: &Chunk, mut events: Vec<Event>) -> (Piece, Lines) {
        let mut lines = Lines::new(self.issue_key, self.next);
        lines.reserve(chunk.bytes.len(), chunk.lines.len());
        events.reserve(chunk.lines.len());
        let (plain, told) = (0, Vec::new());
        let mut piece = Piece { events, plain, told, as_it_was: true, copies: None, read: 0 };
        for line in &chunk.lines {
            let bytes = chunk.bytes.get(line.range.clone()).unwrap_or_default();
            if line.too_long {
                let event = upcast::unreadable_event(self.position + 1, self.previous, "");
                self.note(&mut piece, event, Copied::unreadable());
            } else {
                self.line(bytes, &mut piece, &mut lines);
            }
            self.read += u64::from(line.locator.len) + 1;
        }
        self.as_it_was &= lines.bytes().len() == chunk.bytes.len() && lines.bytes() == chunk.bytes;
        piece.as_it_was = self.as_it_was;
        piece.copies = (self.rehearses && !self.as_it_was).then(|| lines.clone());
        piece.read = self.read;
        self.next = lines.next();
        (piece, lines)
    }

    fn line(&mut self, bytes: &[u8], piece: &mut Piece, lines: &mut Lines) {
        if let Some(sound) = upcast::read_sound(bytes, self.position + 1, self.previous) {
            let (copied, event) = self.maker.add_sound(sound, lines);
            self.note(piece, event, copied);
            return;
        }
        for (event, range, _) in upcast::read_line_events(bytes, self.position + 1, self.previous) {
            let readable = event.kind != Kind::Unreadable;
            let text = bytes.get(range).unwrap_or_default();
            let (copied, draft) = self.maker.make(self.position + 1, text, readable);
            draft.iter().for_each(|draft| lines.add(draft));
            self.note(piece, event, copied);
        }
    }

    fn note(&mut self, piece: &mut Piece, event: Event, copied: Copied) {
        self.position = event.position;
        self.previous = event.at;
        match outcome(&event, copied, self.redactor) {
            None => piece.plain += 1,
            Some(told) => {
                let is_copied = told.status != Status::Failed;
                piece.told.push(told);
                if !is_copied {
                    return;
                }
            }
        }
        piece.events.push(event);
    }
}

/// Puts the lines of a copy into a log that has the first of them, or none.
struct Writer<'a> {
    target: &'a LocalStore,
    /// The lines that are there already, as far as they were not looked at yet.
    there: Option<There>,
}

/// The lines of a log that are to be those of the copy.
struct There {
    tail: Box<dyn Tail>,
    chunk: Chunk,
    /// Which line of the chunk comes next.
    at: usize,
    /// How many are left.
    left: u64,
}

impl<'a> Writer<'a> {
    fn new(target: &'a LocalStore, issue_key: &str) -> Result<Self> {
        let settled = target.settled(issue_key, AppendOptions::default().lock_timeout);
        let left = settled.map_err(|error| into_the_other(&error))?;
        let there = match left {
            0 => None,
            left => {
                let (tail, chunk) = (target.tail(issue_key)?, Chunk::default());
                Some(There { tail, chunk, at: 0, left })
            }
        };
        Ok(Self { target, there })
    }

    /// Puts all of them there; false where the log has something else.
    fn run(mut self, made: &Receiver<Lines>) -> Result<bool> {
        let timeout = AppendOptions::default().lock_timeout;
        for lines in made {
            let Some(known) = self.known(&lines)? else { return Ok(false) };
            let lines = if known == 0 { lines } else { lines.without_first(known) };
            let appended = self.target.append_lines(lines, timeout);
            if !appended.map_err(|error| into_the_other(&error))? {
                return Ok(false);
            }
        }
        Ok(self.there.is_none_or(|there| there.left == 0))
    }

    /// How many of these lines are there already; none where others are.
    fn known(&mut self, lines: &Lines) -> Result<Option<usize>> {
        let Some(there) = &mut self.there else { return Ok(Some(0)) };
        let mut known = 0;
        while known < lines.len() && there.left > 0 {
            if there.next()? != lines.line(known) {
                return Ok(None);
            }
            known += 1;
        }
        if there.left == 0 {
            self.there = None;
        }
        Ok(Some(known))
    }
}

impl There {
    /// The next line; none where there is none, or only the beginning of one is read.
    fn next(&mut self) -> Result<Option<&[u8]>> {
        while self.at == self.chunk.lines.len() {
            if self.chunk.at_end {
                return Ok(None);
            }
            self.chunk = self.tail.poll(PIECE)?;
            self.at = 0;
        }
        let line = &self.chunk.lines[self.at];
        self.at += 1;
        self.left = self.left.saturating_sub(1);
        Ok(self.chunk.bytes.get(line.range.clone()).filter(|_| !line.too_long))
    }
}

/// Reads the copy back. Where it has to be the log as it was, its bytes say more than its state, and
/// tell it faster; where it cannot be, or is not, its state is made of what it says.
fn prove(
    source: &dyn EventStore,
    target: &LocalStore,
    issue_key: &str,
    (count, as_it_was): (u64, bool),
    state: &State,
) -> Result<FinalState> {
    if as_it_was && count > 0 && is_same(source, target, issue_key, count)? {
        return Ok(the_same(state));
    }
    Ok(beside(state, &read_back(target, issue_key)?.state))
}

/// Whether a log has so many lines, and they are the first of another.
fn is_same(
    source: &dyn EventStore,
    target: &LocalStore,
    issue_key: &str,
    count: u64,
) -> Result<bool> {
    let there = |store: &dyn EventStore| -> Result<There> {
        let (tail, chunk) = (store.tail(issue_key)?, Chunk::default());
        Ok(There { tail, chunk, at: 0, left: count })
    };
    let (mut recorded, mut copy) = (there(source)?, there(target)?);
    for _ in 0..count {
        let line = copy.next()?;
        if line.is_none() || recorded.next()? != line {
            return Ok(false);
        }
    }
    Ok(copy.next()?.is_none())
}
