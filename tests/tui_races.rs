//! Races on the screen.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use chronoscope::model::Path;
use chronoscope::timeline::order::Race;
use chronoscope::tui::action::Action;
use chronoscope::tui::app::Mode;
use chronoscope::tui::effect::Effect;
use chronoscope::tui::theme::Theme;

use crate::tui_support::{Desk, ISSUE, sample};

fn race(first: u32, second: u32, path: &str) -> Race {
    Race { second, first, path: Path::parse(path).unwrap() }
}

#[test]
fn races_are_looked_for_listed_and_gone_to() {
    for size in [(160, 50), (80, 24)] {
        let mut desk = Desk::new(&sample(128), size);
        desk.press("g r");
        assert_eq!(desk.effects.last(), Some(&Effect::FindRaces(ISSUE.into())));
        let status = "/agents/oauth-integrator/status";
        let all = vec![race(40, 60, "/git"), race(97, 103, status), race(90, 999, "/git")];
        desk.act(Action::Races(ISSUE.into(), all, 128));
        let name = format!("races-{}x{}", size.0, size.1);
        insta::assert_snapshot!(name, desk.screen());
        desk.app.theme = Theme::built_in("none").with_ascii(true);
        assert!(desk.screen().is_ascii());
        assert_eq!(desk.debugger().races.all.len(), 2, "what is not read yet is left out");
        desk.press("j enter");
        assert_eq!((desk.playhead(), desk.selected()), (103, status.to_owned()));
        assert_eq!(desk.debugger().session.user.base, Some(97));
        assert!(matches!(desk.app.mode, Mode::Normal));
        // As long as nothing comes, they are known.
        let before = desk.effects.len();
        desk.press("g r");
        assert!(matches!(desk.app.mode, Mode::List(..)));
        assert_eq!(desk.effects.len(), before);
    }
}

#[test]
fn where_there_are_none_that_is_said() {
    let mut desk = Desk::new(&sample(20), (100, 30));
    desk.press("g r").act(Action::Races(ISSUE.into(), Vec::new(), 20));
    assert!(desk.told().starts_with("no races"), "{}", desk.told());
}
