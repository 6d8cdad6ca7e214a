use super::super::looking::{as_text, picture, story};
use super::*;

struct Shot<'a> {
    timeline: &'a Timeline,
    view: TimelineView,
    playhead: Position,
    base: Option<Position>,
    marks: BTreeMap<String, Position>,
    hits: Vec<Position>,
    head: Head,
    theme: Theme,
}

impl<'a> Shot<'a> {
    fn of(timeline: &'a Timeline) -> Self {
        Self {
            timeline,
            view: TimelineView::default(),
            playhead: timeline.head(),
            base: None,
            marks: BTreeMap::new(),
            hits: Vec::new(),
            head: Head::Still,
            theme: Theme::built_in("dark"),
        }
    }

    fn at(timeline: &'a Timeline, playhead: Position) -> Self {
        Self { playhead, ..Self::of(timeline) }
    }

    fn draw(&self, width: u16, height: u16) -> Buffer {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        let scene = TimelineScene {
            timeline: self.timeline,
            playhead: self.playhead,
            base: self.base,
            marks: &self.marks,
            hits: &self.hits,
            head: self.head,
            focused: true,
        };
        draw(&self.view, &scene, &self.theme, area, &mut buffer);
        self.theme.finish(&mut buffer);
        buffer
    }

    fn snap(&self, name: &str, width: u16, height: u16) {
        let buffer = self.draw(width, height);
        picture(name, &buffer);
        insta::assert_snapshot!(name, as_text(&buffer));
    }
}

#[test]
fn wide() {
    let session = story().session();
    let timeline = session.timeline();
    let mut shot = Shot::at(timeline, 90);
    shot.base = Some(60);
    shot.marks = [("a".to_owned(), 60), ("b".to_owned(), 20)].into();
    shot.hits = vec![40];
    shot.snap("wide", 120, 13);
}
