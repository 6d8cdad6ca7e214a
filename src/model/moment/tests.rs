//! Each form of a moment, read, resolved and printed.

use proptest::prelude::*;

use super::*;
use crate::error::ErrorKind;

/// A log of given types, one event a minute from 10:00 on 2026-11-20; ids `id-1`, `id-2`, …
struct Log(Vec<&'static str>);

impl Log {
    fn start() -> Timestamp {
        Timestamp::parse("2026-11-20T10:00:00Z").unwrap()
    }
}

impl Positions for Log {
    fn head(&self) -> Position {
        self.0.len().try_into().unwrap()
    }
    fn at_or_before(&self, at: Timestamp) -> Position {
        (1..=self.head())
            .take_while(|p| Self::start().plus_millis(i64::from(p - 1) * 60_000) <= at)
            .count()
            .try_into()
            .unwrap()
    }
    fn head_time(&self) -> Option<Timestamp> {
        let last = self.head().checked_sub(1)?;
        Some(Self::start().plus_millis(i64::from(last) * 60_000))
    }
    fn of_type(&self, name: &str) -> Vec<Position> {
        (1..=self.head()).filter(|p| self.0[*p as usize - 1] == name).collect()
    }
    fn by_id_prefix(&self, prefix: &str) -> Vec<Position> {
        (1..=self.head()).filter(|p| format!("id-{p}").starts_with(prefix)).collect()
    }
    fn mark(&self, name: &str) -> Option<Position> {
        (name == "a").then_some(2)
    }
}

fn log() -> Log {
    Log(vec!["AgentSpawned", "AgentFailed", "AgentSpawned", "AgentFailed", "custom.type"])
}

fn resolve(text: &str) -> Result<Position> {
    Moment::parse(text)?.resolve(&log())
}

#[test]
fn every_form_names_its_position() {
    for (text, position) in [
        ("start", 0),
        ("0", 0),
        ("3", 3),
        ("end", 5),
        ("@a", 2),
        ("10:00", 1),
        ("10:01:30", 2),
        ("10:01:59.999", 2),
        ("9:59", 0),
        ("23:00", 5),
        ("2026-11-20T10:02Z", 3),
        ("2026-11-20T12:02:00+02:00", 3),
        ("2026-11-20", 0),
        ("2026-11-21", 5),
        ("-2m", 3),
        ("-2h", 0),
        ("-1m30s", 3),
        ("AgentFailed", 4),
        ("AgentFailed:1", 2),
        ("custom.type", 5),
        ("custom.type:1", 5),
        ("id-4", 4),
    ] {
        assert_eq!(resolve(text).unwrap(), position, "{text}");
    }
}

#[test]
fn a_range_begins_with_the_first_event_that_is_not_before_its_time() {
    for (text, first) in [
        ("10:00", 1),
        ("10:01", 2),
        ("10:01:00.001", 3),
        ("10:01:30", 3),
        ("9:59", 1),
        ("23:00", 6),
        ("2026-11-20T10:02Z", 3),
        ("2026-11-21", 6),
        ("-2m", 3),
        ("-1m30s", 4),
        ("-2h", 1),
        // What is no time is that event.
        ("3", 3),
        ("end", 5),
        ("@a", 2),
        ("AgentFailed:1", 2),
        ("start", 0),
    ] {
        assert_eq!(Moment::parse(text).unwrap().resolve_first(&log()).unwrap(), first, "{text}");
    }
    let nothing = |text: &str| Moment::parse(text).unwrap().resolve_first(&Log(Vec::new()));
    assert_eq!((nothing("2026-11-20").unwrap(), nothing("-2h").unwrap()), (1, 0));
}

#[test]
fn what_is_not_there_is_not_found() {
    for text in ["6", "@b", "AgentFailed:3", "PRMerged", "id-9", "99999999999999999999x"] {
        assert_eq!(resolve(text).unwrap_err().kind(), ErrorKind::NotFound, "{text}");
    }
    assert_eq!(resolve("id-").unwrap_err().kind(), ErrorKind::Usage);
}

#[test]
fn what_is_no_moment_is_a_usage_error() {
    for text in [
        "",
        " ",
        "@",
        "25:00",
        "10:61",
        "10:5",
        "-",
        "-x",
        "2026-11-20T10:00",
        "2026-13-01",
        "two words",
        "AgentFailed:0",
        "AgentFailed:x",
    ] {
        assert_eq!(Moment::parse(text).unwrap_err().kind(), ErrorKind::Usage, "{text:?}");
    }
}

fn any_moment() -> impl Strategy<Value = Moment> {
    prop_oneof![
        Just(Moment::Start),
        Just(Moment::End),
        any::<u32>().prop_map(|n| Moment::Position(n.into())),
        "[a-z]{1,3}".prop_map(Moment::Mark),
        (0..DAY_MS).prop_map(Moment::TimeOfDay),
        (Timestamp::MIN.millis()..=Timestamp::MAX.millis())
            .prop_map(|ms| Moment::Time(Timestamp::from_millis(ms))),
        (0_i64..i64::from(u32::MAX)).prop_map(Moment::BeforeHead),
        ("[A-Z][a-z]{1,5}", 1_u32..9)
            .prop_map(|(type_name, nth)| Moment::Occurrence { type_name, nth: Some(nth) }),
        "[0-9]{8}[a-f]{1,4}".prop_map(Moment::Id),
    ]
}

proptest! {
    #[test]
    fn text_and_back(moment in any_moment()) {
        prop_assert_eq!(Moment::parse(&moment.to_string()).unwrap(), moment);
    }

    #[test]
    fn any_text_is_answered(text in ".{0,30}") {
        if let Ok(moment) = Moment::parse(&text) {
            let _ = moment.resolve(&log()).is_ok();
        }
    }

    #[test]
    fn resolved_positions_are_within_the_log(text in "[-@:0-9a-zA-Z]{1,10}") {
        if let Ok(position) = resolve(&text) {
            prop_assert!(position <= 5);
        }
    }
}
