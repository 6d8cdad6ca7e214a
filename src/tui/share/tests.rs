//! Tests of views as text.

use proptest::prelude::*;

use super::*;

fn full() -> View {
    let path = |text| Path::parse(text).unwrap();
    let mut branch = Branch::new(95);
    branch.push(Edit::Skip { position: 96, event_id: "6f1c-a,b".into() }).unwrap();
    let event = serde_json::json!({"event_type": "AgentCompleted", "metadata": {"a": "x+y:z"}});
    branch.push(Edit::Insert { after: 97, event: event.clone() }).unwrap();
    branch.push(Edit::Replace { position: 98, event_id: "id".into(), event }).unwrap();
    View {
        base: Some(97),
        focus: Pane::Diff,
        side: Pane::Detail,
        zoom: true,
        detail: true,
        selected: Some(path("/errors/a~1b c")),
        opened: vec![path("/agents/x"), path("/git")],
        closed: vec![path("/errors")],
        pins: vec![path("/agents/x/status")],
        clock: ClockKind::Cost,
        window: Some((-5, 1_763_647_200_000)),
        unified: true,
        counters: true,
        filter: Some(".event_type == \"AgentFailed\"".into()),
        what_if: Some(branch),
        branch: Some("without-it".into()),
        ..View::new(103)
    }
}

#[test]
fn the_text_is_short_and_safe() {
    assert_eq!(View::new(103).to_string(), "v1:at=103");
    let text = full().to_string();
    assert_eq!(shell_word(&text), text);
    assert_eq!(
        text.split(":what-if").next().unwrap(),
        "v1:at=103:base=97:pane=diff:side=detail:zoom:detail:select=/errors/a%7E1b%20c:\
         open=/agents/x+/git:shut=/errors:pins=/agents/x/status:clock=cost:\
         window=-5..1763647200000:diff=unified+counters:\
         filter=.event_type%20==%20%22AgentFailed%22"
    );
    assert_eq!(View::parse(&text).unwrap(), full());
}

#[test]
fn what_cannot_be_read_is_named() {
    for (text, why) in [
        ("", "no version"),
        ("at=3", "no version"),
        ("v2:at=3", "\"v2\" is no version"),
        ("v1", "has no part at"),
        ("v1:base=3", "has no part at"),
        ("v1:at=", "\"at=\" of the view has no value"),
        ("v1:at=+3", "names no position"),
        ("v1:at=abc", "\"at=abc\" of the view names no position"),
        ("v1:at=3:at=4", "at stands twice"),
        ("v1:at=3:zoom=1", "takes no value"),
        ("v1:at=3:paen=diff", "no part \"paen\""),
        ("v1:at=3:pane=dif", "names no pane"),
        ("v1:at=3:side=events", "never stands there"),
        ("v1:at=3:clock=tim", "names no clock"),
        ("v1:at=3:select=agents", "names no path"),
        ("v1:at=3:select=/a:select-pin=/a", "second selection"),
        ("v1:at=3:open=/a+", "names no path"),
        ("v1:at=3:window=5..1", "ends before it begins"),
        ("v1:at=3:window=5", "is no stretch"),
        ("v1:at=3:diff=unified+x", "\"x\""),
        ("v1:at=3:filter=.a%20|", "is no filter"),
        ("v1:at=3:filter=%2", "without two digits"),
        ("v1:at=3:what-if=x3,a", "base"),
        ("v1:at=3:what-if=b2+y3,a", "cannot be read"),
        ("v1:at=3:what-if=b2+x1,a", "too early"),
        ("v1:at=3:what-if=b2+i3,nojson", "no JSON"),
        ("v1:at=3::", "no part \"\""),
    ] {
        let error = View::parse(text).expect_err(text);
        assert!(error.to_string().contains(why), "{text}: {error}");
        assert_eq!(error.kind(), crate::error::ErrorKind::Usage);
    }
}

#[test]
fn positions_are_held_against_the_log() {
    full().check(103).unwrap();
    for view in [
        View::new(104),
        View { base: Some(104), ..View::new(1) },
        View { what_if: Some(Branch::new(104)), ..View::new(1) },
    ] {
        let error = view.check(103).unwrap_err();
        assert_eq!(error.kind(), crate::error::ErrorKind::NotFound);
        assert!(error.to_string().contains("104"), "{error}");
    }
}

#[test]
fn a_long_what_if_does_not_go_along() {
    let mut branch = Branch::new(0);
    let event = serde_json::json!({"event_type": "x".repeat(3000)});
    branch.push(Edit::Insert { after: 1, event }).unwrap();
    let mut view = View { what_if: Some(branch), ..View::new(1) };
    assert!(!view.shorten() && view.what_if.is_none());
    assert!(full().shorten());
}

fn paths_strategy() -> impl Strategy<Value = Vec<Path>> {
    let path = proptest::collection::vec("\\PC{0,8}", 1..4).prop_map(Path::of);
    proptest::collection::vec(path, 0..4)
}

proptest! {
    #[test]
    fn a_view_is_the_same_after_its_text(
        (at, base) in (0..u32::MAX, proptest::option::of(0..u32::MAX)),
        (focus, side) in (0..5_usize, 2..5_usize),
        (zoom, detail, unified, counters, on_pin) in any::<(bool, bool, bool, bool, bool)>(),
        (opened, closed, pins) in (paths_strategy(), paths_strategy(), paths_strategy()),
        (clock, window) in (0..4_usize, proptest::option::of((any::<i32>(), 1..i64::from(i32::MAX)))),
        (filter, branch) in (proptest::option::of("[a-z!é]{1,9}x( [a-z+:%]{1,9}){0,3}"), proptest::option::of("[a-z]{1,9}")),
        ids in proptest::collection::vec("\\PC{0,9}", 0..3),
    ) {
        let mut what_if = Branch::new(1);
        for (place, id) in (2..).zip(&ids) {
            what_if.push(Edit::Skip { position: place, event_id: id.clone() }).unwrap();
        }
        let view = View {
            at, base, zoom, detail, unified, counters, opened, closed, filter, branch,
            focus: panes().nth(focus).unwrap(),
            side: panes().nth(side).unwrap(),
            selected: pins.first().cloned(),
            on_pin: on_pin && !pins.is_empty(),
            clock: ClockKind::ALL[clock],
            window: window.map(|(from, span)| (i64::from(from), i64::from(from) + span)),
            what_if: (!ids.is_empty()).then_some(what_if),
            pins,
        };
        let text = view.to_string();
        prop_assert_eq!(shell_word(&text), text.clone());
        prop_assert_eq!(View::parse(&text).unwrap(), view);
    }
}
