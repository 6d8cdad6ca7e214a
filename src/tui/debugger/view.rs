//! A view of what is shown, and showing one.
//!
//! Lives here: from the debugger to a [`View`] and back. May not live here: its text (see
//! [`crate::tui::share`]).

use super::Debugger;
use crate::error::Result;
use crate::model::{Moment, Path};
use crate::session::user_state::UserState;
use crate::timeline::branch::Branch;
use crate::tui::layout::Pane;
use crate::tui::pane::diff::Style;
use crate::tui::share::{MOST_BRANCHES, View};
use crate::tui::tree::Wanted;

/// A view that somebody else took. What it brings along stands in for what the user had set, and
/// must not be kept in its place.
#[derive(Debug)]
pub(super) struct Lent {
    /// The view, until all of it is shown.
    view: Option<View>,
    /// What the view set.
    shown: UserState,
    /// What the user had set.
    own: UserState,
    /// The name of the branch that the view names, until it is loaded.
    awaited: Option<String>,
}

impl Lent {
    /// What to keep: of what the user has not changed since, what was there before the view.
    pub(super) fn give_back(&self, now: UserState) -> UserState {
        fn own<T: Clone + PartialEq>(now: T, shown: &T, own: &T) -> T {
            if now == *shown { own.clone() } else { now }
        }
        let (shown, before) = (&self.shown, &self.own);
        let same_branch = now.branch == shown.branch && now.branch_name == shown.branch_name;
        let branches = if same_branch { before } else { &now };
        UserState {
            branch: branches.branch.clone(),
            branch_name: branches.branch_name.clone(),
            playhead: own(now.playhead, &shown.playhead, &before.playhead),
            base: own(now.base, &shown.base, &before.base),
            pins: own(now.pins, &shown.pins, &before.pins),
            filter: own(now.filter, &shown.filter, &before.filter),
            ..now
        }
    }
}

impl Debugger {
    /// What is shown, to be shown elsewhere.
    #[must_use]
    pub fn view(&self) -> View {
        let wanted = self.state.wanted().all();
        let branches = |open: bool| -> Vec<Path> {
            let all = wanted.iter().filter(|(_, is_open)| *is_open == open);
            all.map(|(path, _)| path.clone()).take(MOST_BRANCHES).collect()
        };
        let user = &self.session.user;
        let selected = self.state.selected();
        // A replay is nobody else's to see: instead of it, what was there before.
        let before = self.replay.as_ref().map(|replay| &replay.before);
        let own = |pane: Pane, before: Option<Pane>| match pane {
            Pane::Replay => before.unwrap_or(Pane::Events),
            pane => pane,
        };
        let timeline = before.map_or(&self.timeline, |before| &before.timeline);
        View {
            base: user.base.filter(|base| *base <= self.head()),
            focus: own(self.focus, before.map(|before| before.focus)),
            side: own(self.side, before.map(|before| before.side)),
            zoom: self.zoom,
            detail: self.show_detail,
            selected: Some(selected).filter(|path| !path.is_root()).cloned(),
            on_pin: self.state.on_pin(),
            opened: branches(true),
            closed: branches(false),
            pins: user.pins.iter().filter_map(|pin| Path::parse(pin).ok()).collect(),
            clock: timeline.clock,
            window: timeline.window,
            unified: self.diff.style == Style::Unified,
            counters: self.diff.counters,
            filter: user.filter.clone(),
            what_if: self.whatif.as_ref().map(|whatif| whatif.branch().clone()),
            branch: self.whatif.as_ref().and_then(|whatif| whatif.name.clone()),
            ..View::new(self.playhead)
        }
    }

    /// Shows a view, as far as that does not need the log; the rest comes with
    /// [`Debugger::finish_view`]. The name of the branch that is to be loaded for it, if one is.
    pub fn show(&mut self, view: View) -> Option<String> {
        let own = self.session.user.clone();
        let user = &mut self.session.user;
        user.base = view.base;
        user.pins = view.pins.iter().map(ToString::to_string).collect();
        user.filter.clone_from(&view.filter);
        (user.branch, user.branch_name) = (view.what_if.clone(), None);
        let kept = match view.what_if {
            Some(_) => {
                user.branch_name.clone_from(&view.branch);
                None
            }
            None => view.branch.clone(),
        };
        user.playhead = Some(view.at);
        let shown = user.clone();
        self.pending = Some(Moment::Position(view.at.into()));
        (self.focus, self.side, self.zoom) = (view.focus, view.side, view.zoom);
        self.show_detail = view.detail;
        self.timeline.clock = view.clock;
        self.diff.style = if view.unified { Style::Unified } else { Style::Tree };
        self.diff.counters = view.counters;
        let mut wanted = Wanted::default();
        let (opened, closed) = (view.opened.iter(), view.closed.iter());
        opened.for_each(|path| wanted.set(path, true));
        closed.for_each(|path| wanted.set(path, false));
        self.state.set_wanted(wanted);
        let awaited = kept.clone();
        self.lent = Some(Box::new(Lent { view: Some(view), shown, own, awaited }));
        kept
    }

    /// Takes note of a branch that was loaded: the one that a view names is lent, too.
    pub fn note_branch(&mut self, name: &str, branch: &Branch) {
        let lent = self.lent.as_mut().filter(|lent| lent.awaited.as_deref() == Some(name));
        if let Some(lent) = lent {
            lent.awaited = None;
            lent.shown.branch = Some(branch.clone());
            lent.shown.branch_name = Some(name.to_owned());
        }
    }

    /// Shows what is left of a view, now that the log is read.
    ///
    /// # Errors
    /// Not found, when the view names positions that this log does not have.
    pub fn finish_view(&mut self) -> Result<()> {
        let Some(view) = self.lent.as_mut().and_then(|lent| lent.view.take()) else {
            return Ok(());
        };
        view.check(self.head())?;
        // Who has gone on meanwhile looks at something else.
        if self.playhead == view.at {
            self.pause();
            self.timeline.window = view.window;
            if let Some(path) = &view.selected {
                self.state.place(path, view.on_pin);
            }
        }
        Ok(())
    }
}
