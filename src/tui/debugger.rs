//! One issue, open: where the screen stands in its history, and what each pane shows of it.
//!
//! Lives here: what is open; how the playhead moves, and what is made ready before a drawing, have
//! files of their own. May not live here: which key does what (see [`super::update()`]).

mod notes;
mod prepare;
mod replay;
mod travel;
mod view;

use super::action::EditFor;
use super::breaks::Breaks;
use super::comparison::{Comparing, Comparison};
use super::filter::Filter;
use super::layout::{Layout, Pane};
use super::pane::detail::DetailPane;
use super::pane::diff::DiffPane;
use super::pane::events::EventsPane;
use super::pane::state::StatePane;
use super::play::Play;
use super::replay::Replay;
use super::search::Search;
use super::summaries::Summaries;
use super::view::timeline::{Kept, TimelineView};
use super::whatif::WhatIf;
use crate::model::{Moment, Path, Position};
use crate::session::Session;
use crate::session::user_state::UserState;
use crate::session::writers::WrittenAfter;
use crate::timeline::order::Race;

pub use travel::{Follow, Jumps};

/// What the line at the top says about the state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headline {
    /// What the issue is about.
    pub summary: String,
    /// The orchestration's status.
    pub status: String,
    /// The phase in force.
    pub phase: String,
}

/// What is known of races.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Races {
    /// The races, in the order of their second events.
    pub all: Vec<Race>,
    /// The events that take part, in order.
    pub positions: Vec<Position>,
    /// How far the log was looked at; none when it was not.
    pub head: Option<Position>,
}

impl Races {
    /// The races of a log of so many events.
    #[must_use]
    pub fn new(all: Vec<Race>, head: Position) -> Self {
        let mut positions: Vec<_> = all.iter().flat_map(|race| [race.first, race.second]).collect();
        positions.sort_unstable();
        positions.dedup();
        Self { all, positions, head: Some(head) }
    }
}

/// An issue that is open.
#[derive(Debug)]
pub struct Debugger {
    /// The history.
    pub session: Session,
    /// The position that is shown.
    pub playhead: Position,
    /// Whether it moves with the head.
    pub follow: Follow,
    /// Where to go once the log is read so far.
    pub pending: Option<Moment>,
    /// Places to come back to.
    pub jumps: Jumps,
    /// Playing, if so.
    pub play: Option<Play>,
    /// How fast to play.
    pub speed: usize,
    /// The pane that has the keys.
    pub focus: Pane,
    /// The pane beside the events where there is room for one only.
    pub side: Pane,
    /// Whether the focused pane is shown alone.
    pub zoom: bool,
    /// Whether the event's details are shown.
    pub show_detail: bool,
    /// What is seen of the timeline.
    pub timeline: TimelineView,
    /// What was made ready of the log for the timeline.
    pub ground: Kept,
    /// The list of events.
    pub events: EventsPane,
    /// The state.
    pub state: StatePane,
    /// What differs.
    pub diff: DiffPane,
    /// The event itself.
    pub detail: DetailPane,
    /// What is searched for.
    pub search: Option<Search>,
    /// Which events are shown; none for all.
    pub filter: Option<Filter>,
    /// Breakpoints, and running to them.
    pub breaks: Breaks,
    /// The pins that something wrote since the playhead stands still.
    pub pinned: WrittenAfter,
    /// The races, once they were asked for.
    pub races: Races,
    /// The comparison that is going on.
    pub comparing: Option<Comparing>,
    /// The last comparison.
    pub comparison: Option<Box<Comparison>>,
    /// The replay that is shown.
    pub replay: Option<Box<Replay>>,
    /// An execution that the log was taken away from, until it has stopped.
    pub cut_off: Option<Box<Replay>>,
    /// The what-if that is on.
    pub whatif: Option<WhatIf>,
    /// A text that was edited and could not be used: what it was for, and the text.
    pub draft: Option<(EditFor, String)>,
    /// What was read for the lists.
    pub summaries: Summaries,
    /// What the top line says.
    pub headline: Headline,
    /// Where everything stands.
    pub layout: Layout,
    /// Why something cannot be shown at the moment.
    pub fault: Option<String>,
    /// How often the log was replaced by another.
    pub restarts: u64,
    /// Whether there is more to take in at once.
    pub more: bool,
    /// The snapshot that what is shown goes on from; none where it is folded.
    pub snapshot: Option<Position>,
    /// The view that it was opened with.
    lent: Option<Box<view::Lent>>,
    /// Whether the playhead moved or lanes grew since the timeline was last adjusted.
    adjust_lanes: bool,
}

impl Debugger {
    /// An issue that was just opened. It stands at `at` once the log is read so far, else where
    /// the user stood last, else at the head, which it follows.
    #[must_use]
    pub fn new(session: Session, at: Option<Moment>, follow: bool) -> Self {
        let last = session.user.playhead.map(|p| Moment::Position(p.into()));
        let pending = at.or(last.filter(|_| !follow));
        let playhead = session.head();
        Self {
            session,
            playhead,
            follow: Follow::Live,
            pending,
            jumps: Jumps::default(),
            play: None,
            speed: Play::first_speed(),
            focus: Pane::Events,
            side: Pane::State,
            zoom: false,
            show_detail: false,
            timeline: TimelineView::default(),
            ground: Kept::default(),
            events: EventsPane::default(),
            state: StatePane::default(),
            diff: DiffPane::default(),
            detail: DetailPane::default(),
            search: None,
            filter: None,
            breaks: Breaks::default(),
            pinned: WrittenAfter::default(),
            races: Races::default(),
            comparing: None,
            comparison: None,
            replay: None,
            cut_off: None,
            whatif: None,
            draft: None,
            summaries: Summaries::default(),
            headline: Headline::default(),
            layout: Layout::default(),
            fault: None,
            restarts: 0,
            more: false,
            snapshot: None,
            lent: None,
            adjust_lanes: true,
        }
    }

    /// The last position of the log.
    #[must_use]
    pub fn head(&self) -> Position {
        self.session.head()
    }

    /// Whether what is true at the playhead is not known yet: the log was seen, but is not folded
    /// so far, and no snapshot is near.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.session.knows(self.playhead)
    }

    /// Whether what differs is not known yet.
    #[must_use]
    pub fn is_diff_waiting(&self) -> bool {
        self.is_waiting() || self.whatif.is_none() && !self.session.knows(self.base())
    }

    /// What stands in the place of what is not known yet.
    #[must_use]
    pub fn waiting_text(&self) -> Option<String> {
        let hundredths = self.folded_hundredths()?;
        Some(format!("not known yet: {hundredths} % folded"))
    }

    /// How much of a long log is folded, in hundredths; none where all of it is.
    #[must_use]
    pub fn folded_hundredths(&self) -> Option<u64> {
        let (folded, head) = self.session.folding()?;
        Some(u64::from(folded) * 100 / u64::from(head))
    }

    /// Where the diff begins: the base that was set, else the event before.
    #[must_use]
    pub fn base(&self) -> Position {
        let set = self.session.user.base.filter(|base| *base <= self.head());
        set.unwrap_or_else(|| self.playhead.saturating_sub(1))
    }

    /// Whether the search is running or there is more to load.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.more
            || self.search.as_ref().is_some_and(Search::is_running)
            || self.breaks.is_running()
            || self.breaks.has_work(&self.session)
            || self.filter_has_work()
            || self.pinned.has_work(self.session.folded().head())
            || self.whatif.as_ref().is_some_and(WhatIf::has_work)
    }

    /// Whether it is not known of all events yet whether they fit the filter.
    #[must_use]
    pub fn filter_has_work(&self) -> bool {
        self.filter.as_ref().is_some_and(|filter| filter.has_work(&self.session))
    }

    /// Takes over the filter that is kept, as far as it is another than before. What fits is looked
    /// for once the log is read: from the playhead on.
    pub fn take_filter(&mut self) {
        let kept = self.session.user.filter.as_deref();
        if kept == self.filter.as_ref().map(|filter| filter.text.as_str()) {
            return;
        }
        self.filter =
            kept.filter(|_| self.session.is_loaded()).map(|t| Filter::new(t, self.playhead));
    }

    /// What to keep for next time.
    #[must_use]
    pub fn user_state(&self) -> UserState {
        // Where a replay has taken the playhead along is no place that the user went to.
        let before = self.replay.as_ref().filter(|replay| replay.put == Some(self.playhead));
        let (follow, at) = before.map_or((self.follow, self.playhead), |replay| {
            (replay.before.follow, replay.before.playhead)
        });
        let playhead = match (follow, &self.pending) {
            // Left before it was there: the wish is kept.
            (_, Some(_)) => self.session.user.playhead,
            (Follow::Live, None) => None,
            (Follow::Paused(_), None) => Some(at),
        };
        let kept = self.session.user.clone();
        let (branch, branch_name) = match &self.whatif {
            Some(whatif) => (Some(whatif.branch().clone()), whatif.name.clone()),
            // Left before it could be played: it is kept.
            None => (kept.branch.clone(), kept.branch_name.clone()),
        };
        let now = UserState { playhead, branch, branch_name, ..kept };
        match &self.lent {
            Some(lent) => lent.give_back(now),
            None => now,
        }
    }

    /// The path that the commands on paths are about.
    #[must_use]
    pub fn selected_path(&self) -> Option<&Path> {
        match self.focus {
            Pane::Diff => self.diff.selected(),
            _ => Some(self.state.selected()).filter(|path| !path.is_root()),
        }
    }

    /// Gives a pane the keys, and shows it where it is not seen.
    pub fn focus_on(&mut self, pane: Pane) {
        self.focus = pane;
        match pane {
            Pane::Detail => {
                self.show_detail = true;
                self.side = pane;
            }
            Pane::State | Pane::Diff | Pane::Replay => self.side = pane,
            Pane::Timeline | Pane::Events => {}
        }
    }

    /// The panes that the tab key goes round.
    #[must_use]
    pub fn tab_order(&self) -> Vec<Pane> {
        let panes = Pane::ALL.into_iter();
        let is_there = |pane: &Pane| match pane {
            Pane::Detail => self.show_detail,
            Pane::Replay => self.replay.is_some(),
            _ => true,
        };
        panes.filter(is_there).collect()
    }
}
