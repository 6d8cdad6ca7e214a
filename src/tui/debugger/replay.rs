//! The pane of a replay: what the screen was like before it, and having that back.

use super::Debugger;
use super::travel::Follow;
use crate::tui::layout::Pane;
use crate::tui::replay::Before;

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
        }
    }

    /// Takes the pane of a replay away: the screen is as it was before it. Where one was meanwhile is
    /// among the jumps.
    pub fn close_replay(&mut self) {
        let Some(replay) = self.replay.take() else { return };
        let Before { playhead, follow, focus, side, zoom, show_detail } = replay.before;
        if follow == Follow::Live {
            self.follow_head();
        } else {
            self.jump_to(playhead);
            self.follow = follow;
        }
        (self.side, self.zoom, self.show_detail) = (side, zoom, show_detail);
        self.focus = if focus == Pane::Replay { Pane::Events } else { focus };
    }
}
