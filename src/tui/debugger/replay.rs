//! The pane of a replay: what the screen was like before it, having that back, and what is seen of
//! the timeline meanwhile.

use super::Debugger;
use super::travel::Follow;
use crate::timeline::ClockKind;
use crate::tui::layout::Pane;
use crate::tui::replay::{Before, Replay};

impl Debugger {
    /// What the screen is like now.
    #[must_use]
    pub fn before_replay(&self) -> Before {
        Before {
            playhead: self.playhead,
            follow: self.follow,
            focus: self.focus,
            side: self.side,
            zoom: self.zoom,
            show_detail: self.show_detail,
            timeline: self.timeline.clone(),
        }
    }

    /// The replay that goes on, or went on last: while an execution stops that the log was taken away
    /// from, no other one can be begun.
    #[must_use]
    pub fn run(&self) -> Option<&Replay> {
        self.cut_off.as_deref().or(self.replay.as_deref())
    }

    /// The same, to change it.
    pub fn run_mut(&mut self) -> Option<&mut Replay> {
        self.cut_off.as_deref_mut().or(self.replay.as_deref_mut())
    }

    /// Takes a replay away whose log is another one now: its marks mean nothing there. What was begun is
    /// waited for all the same.
    pub(super) fn cut_off_replay(&mut self) {
        let running = self.replay.as_ref().and_then(|replay| replay.running.as_ref());
        if let Some(running) = running {
            running.progress.stop();
        }
        let Some(mut replay) = self.close_replay().filter(|replay| replay.is_executing()) else {
            return;
        };
        (replay.stopping, replay.is_cut_off, replay.along) = (true, true, None);
        self.cut_off = Some(replay);
    }

    /// Sees what is replayed on the timeline, and the playhead: the marks of an execution are as
    /// old as now, and what is watched must not shrink to a few columns because of them.
    pub fn see_replayed(&mut self) {
        let Some(replay) = &self.replay else { return };
        let range = (replay.from.min(self.playhead), replay.to.max(self.playhead));
        if self.timeline.clock == ClockKind::Active {
            // (Whether this range needs that is another question.)
            self.timeline.clock = replay.before.timeline.clock;
        }
        self.timeline.show_range(range, self.session.timeline());
    }

    /// Takes the pane of a replay away: the screen is as it was before it. Where one was meanwhile is
    /// among the jumps. Gives the replay.
    pub fn close_replay(&mut self) -> Option<Box<Replay>> {
        let replay = self.replay.take()?;
        let Before { playhead, follow, focus, side, zoom, show_detail, timeline } =
            replay.before.clone();
        if follow == Follow::Live {
            self.follow_head();
        } else {
            self.jump_to(playhead);
            self.follow = follow;
        }
        (self.side, self.zoom, self.show_detail) = (side, zoom, show_detail);
        self.timeline = timeline;
        self.focus = if focus == Pane::Replay { Pane::Events } else { focus };
        Some(replay)
    }
}
