mod kept;

use proptest::prelude::*;
use serde_json::json;

use super::super::looking::{Story, as_text, picture, story};
use super::*;

struct Shot<'a> {
    timeline: &'a Timeline,
    view: TimelineView,
    playhead: Position,
    base: Option<Position>,
    marks: BTreeMap<String, Position>,
    hits: Vec<Position>,
    head: Head,
    outcomes: Option<Outcomes>,
    theme: Theme,
}

impl<'a> Shot<'a> {
    fn at(timeline: &'a Timeline, playhead: Position) -> Self {
        Self {
            timeline,
            view: TimelineView::default(),
            playhead,
            base: None,
            marks: BTreeMap::new(),
            hits: Vec::new(),
            head: Head::Still,
            outcomes: None,
            theme: Theme::built_in("dark"),
        }
    }

    fn draw_into(&self, area: Rect, buffer: &mut Buffer) {
        let scene = TimelineScene {
            timeline: self.timeline,
            log: LogId::default(),
            kept: &Kept::default(),
            playhead: self.playhead,
            base: self.base,
            marks: &self.marks,
            hits: &self.hits,
            fitting: None,
            races: &[],
            branch: None,
            outcomes: self.outcomes.as_ref(),
            head: self.head,
            focused: true,
        };
        draw(&self.view, &scene, &self.theme, area, buffer);
        self.theme.finish(buffer);
    }

    fn draw(&self, width: u16, height: u16) -> Buffer {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        self.draw_into(area, &mut buffer);
        buffer
    }

    fn snap(&self, name: &str, width: u16, height: u16) {
        let buffer = self.draw(width, height);
        picture(name, &buffer);
        insta::assert_snapshot!(name, as_text(&buffer));
    }
}

#[test]
fn wide_with_base_marks_and_a_hit() {
    let session = story().session();
    let mut shot = Shot::at(session.timeline(), 90);
    shot.base = Some(60);
    shot.marks = [("a".to_owned(), 60), ("b".to_owned(), 20)].into();
    shot.hits = vec![40];
    shot.snap("wide", 120, 13);
    shot.theme = Theme::built_in("light");
    picture("wide-light", &shot.draw(120, 13));
    shot.theme = Theme::built_in("none");
    picture("wide-none", &shot.draw(120, 13));
}

#[test]
fn tiny() {
    let session = story().session();
    let mut shot = Shot::at(session.timeline(), 90);
    shot.snap("tiny", 40, 8);
    shot.head = Head::Ahead { new: 7 };
    shot.snap("tiniest", 16, 4);
}

#[test]
fn under_each_clock() {
    let session = story().session();
    for clock in ClockKind::ALL {
        let mut shot = Shot::at(session.timeline(), 90);
        shot.view.clock = *clock;
        shot.snap(&format!("clock-{clock}"), 100, 11);
    }
}

#[test]
fn live_and_left_behind() {
    let session = story().session();
    let mut shot = Shot::at(session.timeline(), session.head());
    shot.head = Head::Following;
    shot.snap("following", 100, 11);
    shot.playhead = 150;
    shot.head = Head::Ahead { new: 71 };
    shot.snap("ghost", 100, 11);
}

#[test]
fn zoomed_in() {
    let session = story().session();
    let mut shot = Shot::at(session.timeline(), 110);
    for _ in 0..3 {
        shot.view.zoom(0.5, 110, session.timeline());
    }
    shot.head = Head::Ahead { new: 3 };
    shot.snap("zoomed", 100, 11);
}

#[test]
fn no_events_yet() {
    let session = Story::new().session();
    Shot::at(session.timeline(), 0).snap("empty", 60, 8);
}

#[test]
fn plain_signs() {
    let session = story().session();
    let mut shot = Shot::at(session.timeline(), 90);
    shot.theme = Theme::built_in("none").with_ascii(true);
    shot.base = Some(60);
    shot.head = Head::Ahead { new: 3 };
    let buffer = shot.draw(100, 11);
    assert!(as_text(&buffer).is_ascii(), "{}", as_text(&buffer));
    shot.snap("ascii", 100, 11);
}

/// Agents that begin one after the other, each running while the next five begin.
fn many_agents(count: usize) -> Story {
    let mut story = Story::new();
    story.phase(0, "PhaseStarted", "CODE");
    for n in 0..count {
        story.agent(30, "AgentSpawned", &format!("agent-{n}"));
        if let Some(done) = n.checked_sub(5) {
            story.agent(
                10,
                if done % 7 == 3 { "AgentFailed" } else { "AgentCompleted" },
                &format!("agent-{done}"),
            );
        }
    }
    story
}

#[test]
fn many_lanes() {
    let session = many_agents(40).session();
    let timeline = session.timeline();
    let mut shot = Shot::at(timeline, 30);
    shot.view.show_active_lanes(30, timeline, Rect::new(0, 0, 100, 14));
    shot.snap("many-lanes", 100, 14);
}

#[test]
fn lanes_that_run_at_the_playhead_are_seen() {
    let session = many_agents(40).session();
    let timeline = session.timeline();
    let area = Rect::new(0, 0, 100, 14);
    let rows = Layout::of(area, timeline).lane_rows();
    let mut view = TimelineView::default();
    for playhead in (1..=timeline.head()).chain((1..timeline.head()).rev().step_by(7)) {
        view.show_active_lanes(playhead, timeline, area);
        let agents = &timeline.lanes().all()[1..];
        for (index, lane) in agents.iter().enumerate() {
            let seen = (view.lane_scroll..view.lane_scroll + rows).contains(&index);
            assert!(seen || runs::run_at(lane, playhead).is_none(), "{playhead}: lane {index}");
        }
    }
}

#[test]
fn runs_too_many_to_tell_apart_are_summed_up() {
    let mut story = Story::new();
    for n in 0..400 {
        story.agent(30, "AgentSpawned", "worker");
        story.agent(10, if n == 200 { "AgentFailed" } else { "AgentCompleted" }, "worker");
    }
    let session = story.session();
    let shot = Shot::at(session.timeline(), 100);
    let buffer = shot.draw(60, 8);
    let row: String = (0..60).map(|x| buffer[(x, 2)].symbol()).collect();
    assert!(row.contains("┅┅┅┅"), "{row}");
    let failed = Theme::built_in("dark").style(Role::Failed).fg;
    assert_eq!((0..60).filter(|x| Some(buffer[(*x, 2)].fg) == failed).count(), 1);
}

#[test]
fn zooming_and_panning() {
    let session = story().session();
    let timeline = session.timeline();
    let head = i64::from(timeline.head());
    let mut view = TimelineView { clock: ClockKind::Sequence, ..TimelineView::default() };
    let here = 100;
    for (action, expected) in [
        ("in", Some((here / 2, here / 2 + head / 2))),
        ("in", Some((75, 75 + head / 4))),
        ("right", Some((75 + 16, 75 + 16 + head / 4))),
        ("right", Some((100, 100 + head / 4))),
        ("right", Some((100, 100 + head / 4))),
        ("left", Some((84, 84 + head / 4))),
        ("out", Some((67, 67 + head / 2))),
        ("out", None),
        ("out", None),
        ("right", None),
    ] {
        match action {
            "in" => view.zoom(0.5, 100, timeline),
            "out" => view.zoom(2.0, 100, timeline),
            "left" => view.pan(-25, 100, timeline),
            _ => view.pan(25, 100, timeline),
        }
        let near = match (view.window, expected) {
            (Some(a), Some(b)) => (a.0 - b.0).abs() <= 2 && (a.1 - b.1).abs() <= 2,
            (a, b) => a == b,
        };
        assert!(near, "{action}: {:?}, not {expected:?}", view.window);
    }
}

#[test]
fn what_is_seen_moves_with_the_playhead() {
    let session = story().session();
    let timeline = session.timeline();
    for clock in ClockKind::ALL {
        let mut view = TimelineView { clock: *clock, ..TimelineView::default() };
        view.zoom(0.1, 50, timeline);
        assert!(view.window.is_some());
        for playhead in [50, 60, 200, 3, 0, timeline.head(), 120] {
            view.ensure_visible(playhead, timeline);
            let axis = view.axis(timeline, 80);
            assert!(axis.column(timeline, playhead).is_some(), "{clock} {playhead}");
        }
    }
}

#[test]
fn a_change_of_clock_keeps_what_is_seen() {
    let session = story().session();
    let timeline = session.timeline();
    let mut view = TimelineView { clock: ClockKind::Sequence, ..TimelineView::default() };
    view.zoom(0.2, 100, timeline);
    let seen = |view: &TimelineView| {
        let axis = view.axis(timeline, 80);
        (axis.before(0), axis.upto(79))
    };
    let before = seen(&view);
    view.set_clock(ClockKind::Time, 100, timeline);
    let after = seen(&view);
    assert!(
        before.0.abs_diff(after.0) <= 2 && before.1.abs_diff(after.1) <= 2,
        "{before:?} {after:?}"
    );
}

#[test]
fn a_clock_that_stands_still_gives_way_to_sequence() {
    let mut story = Story::new();
    story.agent(0, "AgentSpawned", "a").agent(5, "AgentCompleted", "a");
    let session = story.session();
    let view = TimelineView { clock: ClockKind::Cost, ..TimelineView::default() };
    assert_eq!(view.effective_clock(session.timeline()), ClockKind::Sequence);
    let mut shot = Shot::at(session.timeline(), 1);
    shot.view = view;
    assert!(as_text(&shot.draw(80, 8)).contains("clock: sequence (no cost recorded)"));
}

#[test]
fn clicking_where_an_event_is_drawn_finds_it() {
    let session = story().session();
    let timeline = session.timeline();
    let area = Rect::new(3, 2, 110, 12);
    for clock in ClockKind::ALL {
        let mut view = TimelineView { clock: *clock, ..TimelineView::default() };
        for zoom in [1.0, 0.2] {
            view.zoom(zoom, 100, timeline);
            let layout = Layout::of(area, timeline);
            let axis = view.axis(timeline, layout.axis.width);
            for position in 0..=timeline.head() {
                let Some(column) = axis.column(timeline, position) else { continue };
                let found = view.position_at(timeline, area, layout.axis.x + column);
                assert_eq!(axis.column(timeline, found), Some(column), "{clock} {position}");
                assert!(found >= position, "{clock} {position} {found}");
            }
        }
        view.window = None;
        assert_eq!(view.position_at(timeline, area, 0), 0);
        assert_eq!(view.position_at(timeline, area, u16::MAX), timeline.head());
    }
}

fn any_story() -> impl Strategy<Value = Story> {
    let kinds = prop_oneof![
        Just("PhaseStarted"),
        Just("PhaseFailed"),
        Just("AgentSpawned"),
        Just("AgentCompleted"),
        Just("AgentFailed"),
        Just("AgentBlocked"),
        Just("ErrorOccurred"),
        Just("CommitCreated"),
        Just("UsageRecorded"),
        Just("Whatever"),
    ];
    proptest::collection::vec((0_i64..2000, kinds, 0_u8..9), 0..60).prop_map(|events| {
        let mut story = Story::new();
        for (seconds, kind, name) in events {
            let name = ["a", "ü", "日本語", "\u{1b}[31m", "", "x\ny", "long-long-name", "B", "c"]
                [usize::from(name)];
            story.then(
                seconds - 100,
                kind,
                json!({ "agent_name": name, "phase": name, "cost_usd": 0.1 }),
            );
        }
        story
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_history_is_drawn_at_any_size(
        story in any_story(), (x, y) in (0_u16..5, 0_u16..5), (width, height) in (0_u16..140, 0_u16..20),
        clock in 0_usize..4, zoom in 0.01_f64..3.0, part in 0.0_f64..=1.0, scroll in 0_usize..20,
        ahead in any::<bool>(),
    ) {
        let session = story.session();
        let timeline = session.timeline();
        let playhead = (f64::from(timeline.head()) * part).round() as Position;
        let mut shot = Shot::at(timeline, playhead);
        shot.view = TimelineView { clock: ClockKind::ALL[clock], window: None, lane_scroll: scroll };
        shot.view.zoom(zoom, playhead, timeline);
        shot.view.ensure_visible(playhead, timeline);
        shot.base = Some(playhead / 2);
        shot.marks = [("a".to_owned(), playhead / 3), ("\u{1b}".to_owned(), playhead)].into();
        if ahead {
            shot.head = Head::Ahead { new: 12 };
        }
        let area = Rect::new(x, y, width, height);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 145, 25));
        shot.draw_into(area, &mut buffer);
        let outside = |x, y| !area.contains((x, y).into());
        for y in 0..25 {
            for x in 0..145 {
                let symbol = buffer[(x, y)].symbol();
                prop_assert!(!symbol.chars().any(crate::model::ids::is_control), "{symbol:?}");
                prop_assert!(!outside(x, y) || symbol == " ", "{x},{y} is outside");
            }
        }
        let layout = Layout::of(area, timeline);
        if width > 4 && height > 2 && timeline.head() > 0 {
            let axis = shot.view.axis(timeline, layout.axis.width);
            let column = axis.column(timeline, playhead).unwrap();
            prop_assert_eq!(buffer[(layout.axis.x + column, layout.ruler)].symbol(), "┃");
        }
    }
}
