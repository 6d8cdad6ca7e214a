//! Before a drawing: laying out the screen, and filling each pane with what will be seen of it.
//!
//! Lives here: which pane is filled from what. May not live here: drawing (see [`crate::tui::view`]).

use super::{Debugger, Headline, notes};
use crate::error::Result;
use crate::model::{Path, Value};
use crate::tui::filter::Filter;
use crate::tui::layout::{Layout, Pane, Wishes};
use crate::tui::replay::beside;
use crate::tui::view as draw;
use crate::tui::view::timeline::LogId;

impl Debugger {
    /// Lays everything out for a terminal of this size and reads what will be seen.
    pub fn prepare(&mut self, size: (u16, u16)) {
        self.breaks.sync(&self.session.user.breakpoints);
        self.take_filter();
        let wishes = Wishes {
            focus: self.focus,
            side: self.side,
            zoom: self.zoom,
            detail: self.show_detail,
            replay: self.replay.is_some(),
            timeline_rows: draw::timeline::wanted_height(self.session.timeline(), size.1)
                .saturating_sub(2),
        };
        self.layout = Layout::new(size, &wishes);
        let filled = self.fill();
        match filled {
            Ok(()) => self.fault = None,
            Err(error) => self.fault = Some(error.message().to_owned()),
        }
        self.prepare_timeline();
    }

    fn fill(&mut self) -> Result<()> {
        let inner = |pane: Pane, layout: &Layout| {
            let area = layout.pane(pane)?;
            Some((area.width.saturating_sub(2), area.height.saturating_sub(2)))
        };
        let size = |pane| inner(pane, &self.layout);
        let (events, state, diff, detail) =
            (size(Pane::Events), size(Pane::State), size(Pane::Diff), size(Pane::Detail));
        let replay = size(Pane::Replay);
        if let Some((_, height)) = events {
            let summaries = &mut self.summaries;
            let fitting = self.filter.as_ref().map(Filter::fitting);
            let (session, height) = (&mut self.session, height.into());
            self.events.prepare(session, summaries, self.playhead, fitting, height);
        }
        let snapshot = self.session.snapshot_below(self.playhead);
        if self.is_waiting() || self.snapshot != snapshot {
            // (What a snapshot led to is made anew once it is folded.)
            self.state.forget();
            self.diff.forget();
            self.snapshot = snapshot;
        }
        if self.is_waiting() {
            self.take_headline();
        } else {
            self.fill_state(state.map_or(0, |(_, height)| height), diff)?;
        }
        self.look_at_pins()?;
        if let Some(replay) = &mut self.replay {
            replay.beside = beside(self.whatif.is_some(), self.filter.is_some());
        }
        if let (Some((width, height)), Some(replay)) = (replay, &mut self.replay) {
            replay.prepare(draw::replay::list_height(replay, width, height));
        }
        if let Some((width, height)) = detail {
            let size = (usize::from(width), usize::from(height));
            let summaries = &mut self.summaries;
            let notes = notes::of(self.whatif.as_ref(), self.replay.as_deref(), self.playhead);
            self.detail.take_notes(notes, width.into());
            self.detail.prepare(
                &mut self.session,
                summaries,
                self.playhead,
                self.restarts,
                size,
            )?;
        }
        Ok(())
    }

    /// Fills the panes of what is true at the playhead: the state, of so many rows, and what
    /// differs, where that pane is seen.
    fn fill_state(&mut self, height: u16, diff: Option<(u16, u16)>) -> Result<()> {
        // The state is always at hand: the header speaks of it, and so do writers and pins.
        self.state.take_state(&mut self.session, self.playhead, self.restarts)?;
        self.take_headline();
        self.state.prepare(&mut self.session, self.playhead, height.into())?;
        if let Some((width, height)) = diff {
            self.take_diff()?;
            let (style, width) = (self.diff.style, usize::from(width));
            self.diff.prepare(height.into(), |entry| {
                draw::diff::rows_of(entry, style, width, height.into())
            });
        }
        Ok(())
    }

    /// What differs: from the base to the playhead, or, in a what-if, between what happened and
    /// the branch.
    fn take_diff(&mut self) -> Result<()> {
        if self.is_diff_waiting() {
            self.diff.forget();
            return Ok(());
        }
        let (from, to) = (self.base(), self.playhead);
        let session = &mut self.session;
        match &self.whatif {
            None => {
                let basis = (from, to, self.restarts, None);
                self.diff.take(basis, |options| session.diff(from, to, options))
            }
            Some(whatif) => {
                // As far as it was not played, there is nothing to compare yet.
                let Some(version) = whatif.version_at(to) else { return Ok(()) };
                let basis = (to, to, self.restarts, Some(version));
                self.diff.take(basis, |options| whatif.diff(session, to, options))
            }
        }
    }

    fn take_headline(&mut self) {
        // What the issue is about is told at its beginning.
        let folded = self.session.folded().head_state().value();
        let root = if self.is_waiting() { &folded } else { self.state.root() };
        let text = |key: &str| {
            let value = root.at(&Path::of(["orchestration", key]));
            match value {
                Some(Value::Long(long)) => long.head.to_string(),
                value => value.and_then(Value::as_str).unwrap_or_default().to_owned(),
            }
        };
        let row = self.session.timeline().row(self.playhead);
        let phase = row.map_or("", |row| self.session.timeline().text(row.phase));
        self.headline = Headline {
            summary: text("summary"),
            status: if self.is_waiting() { String::new() } else { text("status") },
            phase: if phase.is_empty() { text("current_phase") } else { phase.to_owned() },
        };
    }

    fn prepare_timeline(&mut self) {
        let Some(area) = self.layout.pane(Pane::Timeline) else { return };
        let timeline = self.session.timeline();
        self.timeline.ensure_visible(self.playhead, timeline);
        if std::mem::take(&mut self.adjust_lanes) {
            self.timeline.show_active_lanes(self.playhead, timeline, area);
        }
        self.ground.prepare(self.log_id(), self.session.timeline(), &self.timeline, area);
    }

    /// Which log the timeline shows.
    #[must_use]
    pub fn log_id(&self) -> LogId {
        let is_sketch = !std::ptr::eq(self.session.timeline(), self.session.folded());
        LogId { restarts: self.restarts, is_sketch }
    }
}
