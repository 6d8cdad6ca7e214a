//! How the playhead moves: steps, jumps, following the head, playing, and news of the log.
//!
//! Lives here: where it is allowed to be. May not live here: which key moves it, or what is shown.

use std::time::{Duration, Instant};

use super::{Debugger, Races};
use crate::error::Result;
use crate::model::{Moment, Position};
use crate::session::News;
use crate::session::writers::WrittenAfter;
use crate::tui::breaks::Breaks;
use crate::tui::nav::Way;
use crate::tui::view::timeline::Head;

/// How long taking in news may hold up the screen.
const PUMP_BUDGET: Duration = Duration::from_millis(8);
/// How long pins are looked at before the screen is drawn.
const PIN_TIME: Duration = Duration::from_millis(4);
/// How many jumps are remembered.
const MOST_JUMPS: usize = 200;

/// Whether the playhead moves with the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// It does.
    Live,
    /// It stands still since the head was here; what comes while the log is read for the first time
    /// counts as read.
    Paused(Position),
}

/// Places to come back to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Jumps {
    back: Vec<Position>,
    forward: Vec<Position>,
}

impl Jumps {
    fn note(&mut self, from: Position) {
        if self.back.last() != Some(&from) {
            self.back.push(from);
        }
        if self.back.len() > MOST_JUMPS {
            self.back.remove(0);
        }
        self.forward.clear();
    }

    fn go(&mut self, way: Way, here: Position) -> Option<Position> {
        let (from, to) = match way {
            Way::Back => (&mut self.back, &mut self.forward),
            Way::Forward => (&mut self.forward, &mut self.back),
        };
        let found = from.pop()?;
        to.push(here);
        Some(found)
    }
}

impl Debugger {
    /// Moves without leaving a place to come back to.
    pub fn step_to(&mut self, position: Position) {
        let to = position.min(self.head());
        self.pending = None;
        if to < self.playhead && self.follow == Follow::Live {
            self.follow = Follow::Paused(self.head());
        }
        self.adjust_lanes |= to != self.playhead;
        self.playhead = to;
    }

    /// Moves and leaves a place to come back to.
    pub fn jump_to(&mut self, position: Position) {
        if position != self.playhead {
            self.jumps.note(self.playhead);
        }
        self.step_to(position);
        if position < self.head() && self.follow == Follow::Live {
            self.follow = Follow::Paused(self.head());
        }
    }

    /// Goes back or forward in the jumps; false when there is no further one.
    pub fn jump_again(&mut self, way: Way) -> bool {
        match self.jumps.go(way, self.playhead) {
            Some(position) => {
                self.step_to(position);
                true
            }
            None => false,
        }
    }

    /// Moves with the head from now on.
    pub fn follow_head(&mut self) {
        if self.playhead != self.head() {
            self.jumps.note(self.playhead);
        }
        self.play = None;
        self.step_to(self.head());
        self.follow = Follow::Live;
    }

    /// Stands still from now on.
    pub fn pause(&mut self) {
        if self.follow == Follow::Live {
            self.follow = Follow::Paused(self.head());
        }
    }

    /// How many events came since the playhead stands still.
    #[must_use]
    pub fn come_since(&self) -> Position {
        match self.follow {
            Follow::Live => 0,
            Follow::Paused(since) => self.head().saturating_sub(since),
        }
    }

    /// How many hits of breakpoints, and how many pinned paths that changed, are among what came
    /// since the playhead stands still.
    #[must_use]
    pub fn come_since_of_note(&self) -> (usize, usize) {
        let Follow::Paused(since) = self.follow else { return (0, 0) };
        (self.breaks.hits_after(since), self.pinned.count())
    }

    /// Looks for a moment at which pins something wrote since the playhead stands still.
    ///
    /// # Errors
    /// Those of reading the log again.
    pub fn look_at_pins(&mut self) -> Result<()> {
        match self.follow {
            Follow::Live => self.pinned = WrittenAfter::default(),
            Follow::Paused(since) => self.pinned.sync(&self.session.user.pins, since),
        }
        let started = Instant::now();
        self.pinned.step(&mut self.session, || started.elapsed() >= PIN_TIME)
    }

    /// Where the head is, for the timeline.
    #[must_use]
    pub fn head_sign(&self) -> Head {
        match self.follow {
            Follow::Live => Head::Following,
            Follow::Paused(_) if self.come_since() > 0 => {
                Head::Ahead { new: self.come_since() as usize }
            }
            Follow::Paused(_) => Head::Still,
        }
    }

    /// Takes in what came, for a moment.
    pub fn pump(&mut self) -> News {
        let was_loaded = self.session.is_loaded();
        let news = self.session.pump(Duration::ZERO, PUMP_BUDGET);
        self.more = news.more;
        if news.restarted {
            self.restart();
        }
        if let Some(whatif) = &mut self.whatif {
            whatif.follow(&self.session);
        }
        if self.follow == Follow::Live && self.playhead != self.head() {
            self.playhead = self.head();
            self.adjust_lanes = true;
        }
        self.adjust_lanes |= news.restarted || news.loaded.is_some();
        if self.pending.is_some() {
            self.go_to_pending();
        }
        if self.session.is_loaded() && self.head() < self.playhead {
            self.playhead = self.head();
        }
        if !was_loaded || news.restarted {
            self.count_from(news.loaded.unwrap_or(self.head()));
        }
        news
    }

    /// What stands up to `head` is no news: it was there when the log was opened, and is only read now.
    fn count_from(&mut self, head: Position) {
        if let Follow::Paused(since) = &mut self.follow {
            *since = head;
        }
    }

    /// The log is another one: what was read of it is void.
    fn restart(&mut self) {
        self.restarts += 1;
        let before =
            self.replay.as_ref().map(|replay| (replay.before.follow, replay.before.playhead));
        let (follow, stood) = before.unwrap_or((self.follow, self.playhead));
        self.summaries.clear();
        self.jumps = Jumps::default();
        self.play = None;
        self.breaks = Breaks::default();
        self.pinned = WrittenAfter::default();
        self.races = Races::default();
        self.cut_off_replay();
        self.filter = None;
        // Whether the branch fits the new log is known when that is read.
        if let Some(whatif) = self.whatif.take() {
            self.session.user.branch = Some(whatif.branch().clone());
            self.session.user.branch_name = whatif.name;
        }
        if let Some(search) = &mut self.search {
            search.stop();
        }
        if let Follow::Paused(since) = &mut self.follow {
            *since = (*since).min(self.session.head());
        }
        self.playhead = self.playhead.min(self.session.head());
        // As soon as so much is read again, it stands where it stood.
        if follow != Follow::Live && stood > 0 && self.pending.is_none() {
            self.session.user.playhead = Some(stood);
            self.pending = Some(Moment::Position(stood.into()));
        }
    }

    /// Goes where the user wanted to be at first, once that can be known.
    fn go_to_pending(&mut self) {
        let Some(moment) = self.pending.clone() else { return };
        let near = matches!(moment, Moment::Position(p) if p <= u64::from(self.head()));
        if !near && !self.session.is_loaded() {
            return;
        }
        self.pending = None;
        match self.session.resolve(&moment) {
            Ok(position) => {
                self.step_to(position);
                if position < self.head() || !self.session.is_loaded() {
                    self.pause();
                }
            }
            // A place that is no more: the head will do.
            Err(error) => {
                self.step_to(self.head());
                self.fault = Some(error.message().to_owned());
            }
        }
    }

    /// Moves on while playing; false when the end was reached and playing stopped.
    pub fn tick(&mut self, now: Duration) -> bool {
        let Some(play) = &mut self.play else { return true };
        let head = self.session.head();
        let to = play.advance(self.session.timeline().clocks(), self.playhead, head, now);
        self.step_to(to);
        if to < head {
            return true;
        }
        self.play = None;
        false
    }
}
