//! Where each pane stands, for every size of terminal.
//!
//! Lives here: a pure function from size, focus and wishes to rectangles. May not live here: what
//! is in a pane.

use ratatui::layout::Rect;

use super::action::Context;

/// A part of the debugger's screen that can have the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pane {
    /// What happened beside what.
    Timeline,
    /// The list of events.
    Events,
    /// The tree of the state.
    State,
    /// What differs.
    Diff,
    /// The event itself.
    Detail,
    /// A replay; there only while one is shown.
    Replay,
}

impl Pane {
    /// Every pane, in the order of the tab key.
    pub const ALL: [Pane; 6] =
        [Pane::Timeline, Pane::Events, Pane::Replay, Pane::State, Pane::Diff, Pane::Detail];

    /// Where its keys are found.
    #[must_use]
    pub fn context(self) -> Context {
        match self {
            Self::Timeline => Context::Timeline,
            Self::Events => Context::Events,
            Self::State => Context::State,
            Self::Diff => Context::Diff,
            Self::Detail => Context::Detail,
            Self::Replay => Context::Replay,
        }
    }

    /// Its name, as titles and the strip of narrow screens show it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.context().name()
    }
}

/// What decides the layout beside the size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wishes {
    /// The pane that has the keys.
    pub focus: Pane,
    /// The pane beside the events where there is room for one only.
    pub side: Pane,
    /// Show the focused pane alone.
    pub zoom: bool,
    /// Show the event's details.
    pub detail: bool,
    /// Show the replay.
    pub replay: bool,
    /// How many rows the timeline would fill, without its border.
    pub timeline_rows: u16,
}

/// Where everything stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    /// The line at the top.
    pub header: Rect,
    /// The line that names the panes, where only one is seen.
    pub strip: Option<Rect>,
    /// The panes that are seen.
    pub panes: Vec<(Pane, Rect)>,
    /// The line at the bottom.
    pub status: Rect,
}

/// From so many columns on, three panes stand side by side.
pub const WIDE: u16 = 120;
/// From so many columns on, two do.
pub const MIDDLE: u16 = 80;
/// What the panes below the timeline need at least, in rows.
const LEAST_BELOW: u16 = 10;
/// What the replay needs where something stands below it, in rows, and what that needs.
const LEAST_REPLAY: u16 = 12;
const LEAST_BELOW_REPLAY: u16 = 8;
/// The least rows of a timeline that tells something.
const LEAST_TIMELINE: u16 = 6;

impl Layout {
    /// The layout of a terminal of this size.
    #[must_use]
    pub fn new(size: (u16, u16), wishes: &Wishes) -> Self {
        let (width, height) = size;
        let header = Rect::new(0, 0, width, 1.min(height));
        let status = Rect::new(0, height.saturating_sub(1), width, 1.min(height));
        let body = Rect::new(0, 1, width, height.saturating_sub(2));
        let mut layout = Self { header, strip: None, panes: Vec::new(), status };
        if wishes.zoom || width < MIDDLE {
            layout.single(body, wishes);
            return layout;
        }
        let below = layout.timeline(body, wishes);
        if width >= WIDE {
            layout.wide(below, wishes);
        } else {
            layout.two(below, wishes);
        }
        layout
    }

    /// The rectangle of a pane that is seen.
    #[must_use]
    pub fn pane(&self, pane: Pane) -> Option<Rect> {
        self.panes.iter().find(|(p, _)| *p == pane).map(|(_, rect)| *rect)
    }

    /// The pane at a column and row.
    #[must_use]
    pub fn at(&self, x: u16, y: u16) -> Option<Pane> {
        self.panes.iter().find(|(_, rect)| rect.contains((x, y).into())).map(|(pane, _)| *pane)
    }

    /// Puts the timeline on top, and gives what is left below it.
    fn timeline(&mut self, body: Rect, wishes: &Wishes) -> Rect {
        let most = (body.height * 2 / 5).min(body.height.saturating_sub(LEAST_BELOW));
        let wanted = wishes.timeline_rows.saturating_add(2).max(LEAST_TIMELINE);
        let rows = wanted.min(most);
        if rows < LEAST_TIMELINE {
            return body;
        }
        let (top, below) = split_rows(body, rows);
        self.panes.push((Pane::Timeline, top));
        below
    }

    fn wide(&mut self, area: Rect, wishes: &Wishes) {
        if wishes.replay {
            return self.wide_with_replay(area, wishes);
        }
        let events = thirty_six_hundredths(area.width);
        let state = events;
        let (left, rest) = split_columns(area, events);
        let (middle, right) = split_columns(rest, state);
        self.panes.push((Pane::Events, left));
        self.panes.push((Pane::State, middle));
        if !wishes.detail {
            self.panes.push((Pane::Diff, right));
        } else if area.height >= 24 {
            let (upper, lower) = split_rows(right, area.height * 2 / 5);
            self.panes.push((Pane::Diff, upper));
            self.panes.push((Pane::Detail, lower));
        } else {
            let seen = if wishes.focus == Pane::Diff { Pane::Diff } else { Pane::Detail };
            self.panes.push((seen, right));
        }
    }

    /// The replay beside the events, and below it, where there is room, what they did.
    fn wide_with_replay(&mut self, area: Rect, wishes: &Wishes) {
        let (left, right) = split_columns(area, thirty_six_hundredths(area.width));
        self.panes.push((Pane::Events, left));
        if area.height < LEAST_REPLAY + LEAST_BELOW_REPLAY {
            let seen = if wishes.side == Pane::Replay { Pane::State } else { wishes.side };
            let (middle, right) = split_columns(right, right.width * 2 / 3);
            self.panes.push((Pane::Replay, middle));
            self.panes.push((seen, right));
            return;
        }
        let (upper, lower) = split_rows(right, LEAST_REPLAY.max(area.height * 11 / 20));
        self.panes.push((Pane::Replay, upper));
        let (state, beside) = split_columns(lower, lower.width / 2);
        self.panes.push((Pane::State, state));
        let is_detail = wishes.detail && wishes.focus != Pane::Diff;
        self.panes.push((if is_detail { Pane::Detail } else { Pane::Diff }, beside));
    }

    fn two(&mut self, area: Rect, wishes: &Wishes) {
        // What a replay says of an event takes more room than the event's name.
        let left = if wishes.replay { thirty_six_hundredths(area.width) } else { area.width / 2 };
        let (left, right) = split_columns(area, left);
        self.panes.push((Pane::Events, left));
        self.panes.push((wishes.side, right));
    }

    /// The focused pane alone; on a narrow but high screen with the timeline above it.
    fn single(&mut self, body: Rect, wishes: &Wishes) {
        let (strip, mut rest) = split_rows(body, 1);
        self.strip = Some(strip);
        if !wishes.zoom && wishes.focus != Pane::Timeline && rest.height >= 2 * LEAST_BELOW {
            rest = self.timeline(rest, wishes);
        }
        self.panes.push((wishes.focus, rest));
    }
}

fn thirty_six_hundredths(width: u16) -> u16 {
    (u32::from(width) * 36 / 100) as u16
}

fn split_rows(area: Rect, rows: u16) -> (Rect, Rect) {
    let rows = rows.min(area.height);
    let upper = Rect { height: rows, ..area };
    let lower = Rect { y: area.y + rows, height: area.height - rows, ..area };
    (upper, lower)
}

fn split_columns(area: Rect, columns: u16) -> (Rect, Rect) {
    let columns = columns.min(area.width);
    let left = Rect { width: columns, ..area };
    let right = Rect { x: area.x + columns, width: area.width - columns, ..area };
    (left, right)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(focus: Pane) -> Wishes {
        let side = if focus == Pane::Replay { focus } else { Pane::State };
        let replay = focus == Pane::Replay;
        Wishes { focus, side, zoom: false, detail: false, replay, timeline_rows: 9 }
    }

    fn panes(size: (u16, u16), wishes: &Wishes) -> Vec<Pane> {
        Layout::new(size, wishes).panes.iter().map(|(pane, _)| *pane).collect()
    }

    #[test]
    fn fewer_panes_where_there_is_less_room() {
        use Pane::{Detail, Diff, Events, Replay, State, Timeline};
        let wish = wishes(Events);
        assert_eq!(panes((200, 50), &wish), [Timeline, Events, State, Diff]);
        assert_eq!(panes((120, 40), &wish), [Timeline, Events, State, Diff]);
        assert_eq!(panes((119, 40), &wish), [Timeline, Events, State]);
        assert_eq!(panes((80, 24), &wish), [Timeline, Events, State]);
        assert_eq!(panes((79, 24), &wish), [Timeline, Events]);
        assert_eq!(panes((40, 12), &wish), [Events]);
        assert_eq!(panes((40, 12), &wishes(Timeline)), [Timeline]);
        let detail = Wishes { detail: true, ..wish };
        assert_eq!(panes((200, 50), &detail), [Timeline, Events, State, Diff, Detail]);
        assert_eq!(panes((120, 30), &detail), [Timeline, Events, State, Detail]);
        let replay = wishes(Replay);
        assert_eq!(panes((200, 50), &replay), [Timeline, Events, Replay, State, Diff]);
        assert_eq!(panes((120, 30), &replay), [Timeline, Events, Replay, State]);
        assert_eq!(panes((80, 24), &replay), [Timeline, Events, Replay]);
        let beside = Wishes { focus: State, side: State, ..replay };
        assert_eq!(panes((80, 24), &beside), [Timeline, Events, State]);
        assert_eq!(panes((40, 12), &replay), [Replay]);
        assert_eq!(panes((200, 50), &Wishes { zoom: true, focus: Diff, ..wish }), [Diff]);
    }

    #[test]
    fn panes_fill_the_body_and_never_overlap() {
        for width in (40..220).step_by(7) {
            for height in 12..60 {
                for focus in Pane::ALL {
                    for (zoom, detail) in [(false, false), (true, false), (false, true)] {
                        let wish = Wishes { zoom, detail, ..wishes(focus) };
                        let layout = Layout::new((width, height), &wish);
                        let area: u32 = layout.panes.iter().map(|(_, r)| r.area()).sum();
                        let strip = layout.strip.map_or(0, Rect::area);
                        let body = u32::from(width) * u32::from(height - 2);
                        assert_eq!(area + strip, body, "{width}x{height} {focus:?}");
                        for (at, (_, a)) in layout.panes.iter().enumerate() {
                            assert!(layout.panes[at + 1..].iter().all(|(_, b)| !a.intersects(*b)));
                        }
                    }
                }
            }
        }
    }
}
