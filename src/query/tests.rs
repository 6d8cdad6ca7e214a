use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::error::ErrorKind;
use crate::model::Moment;
use crate::store::memory::MemoryStore;

const TYPES: [&str; 5] =
    ["PhaseStarted", "AgentSpawned", "AgentFailed", "CommitCreated", "Homemade"];

/// One event of a made-up log.
#[derive(Debug, Clone)]
struct Made {
    type_name: usize,
    millis: i64,
    actor: usize,
    agent: Option<usize>,
    phase: Option<usize>,
    spaced: bool,
}

const ACTORS: [&str; 3] = ["coder", "tester", "boss"];
const PHASES: [&str; 2] = ["CODE", "TEST"];

impl Made {
    fn at(&self) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + self.millis)
    }

    fn line(&self, issue: &str, sequence: usize) -> String {
        let mut metadata = Vec::new();
        if let Some(agent) = self.agent {
            metadata.push(format!(r#""agent_name":"{}""#, ACTORS[agent]));
        }
        if let Some(phase) = self.phase {
            metadata.push(format!(r#""phase":"{}""#, PHASES[phase]));
        }
        metadata.push(format!(r#""n":{sequence},"text":"a }} {{ b""#));
        let actor_type = if self.actor == 2 { "system" } else { "agent" };
        format!(
            r#"{{{}"event_id":"{issue}-{sequence:04}","event_type":"{}","event_version":"1.0.0","timestamp":"{}","event_sequence":{sequence},"issue_key":"{issue}","session_id":"s{}","actor":{{"type":"{actor_type}","id":"{}"}},"metadata":{{{}}}}}"#,
            if self.spaced { " " } else { "" },
            TYPES[self.type_name],
            self.at(),
            self.actor,
            ACTORS[self.actor],
            metadata.join(","),
        )
    }

    fn agent(&self) -> &'static str {
        self.agent.map_or(if self.actor == 2 { "" } else { ACTORS[self.actor] }, |a| ACTORS[a])
    }
}

type World = Vec<(String, Vec<Made>)>;

fn store(world: &World) -> MemoryStore {
    let store = MemoryStore::default();
    for (issue, events) in world {
        for (at, made) in events.iter().enumerate() {
            push(&store, issue, made.line(issue, at + 1).as_bytes());
        }
    }
    store
}

fn push(store: &MemoryStore, issue: &str, line: &[u8]) {
    store.push_raw(issue, line);
    store.push_raw(issue, b"\n");
}

/// Every event in order with what a filter asks for, worked out in the plainest way.
fn plain(world: &World) -> Vec<(Place, Made, &'static str)> {
    let mut all = Vec::new();
    for (issue, events) in world {
        let mut clock = Timestamp::MIN;
        let mut phase = "";
        for (at, made) in events.iter().enumerate() {
            clock = clock.max(made.at());
            if made.type_name == 0
                && let Some(p) = made.phase
            {
                phase = PHASES[p];
            }
            let position = u32::try_from(at + 1).unwrap();
            let place = Place { clock, issue_key: issue.as_str().into(), position };
            all.push((place, made.clone(), made.phase.map_or(phase, |p| PHASES[p])));
        }
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn places(page: &Page) -> Vec<(String, u32)> {
    page.lines.iter().map(|hit| (hit.issue_key.to_string(), hit.position)).collect()
}

prop_compose! {
    fn made()(
        type_name in 0..TYPES.len(),
        millis in 0i64..50,
        actor in 0..ACTORS.len(),
        agent in proptest::option::of(0..ACTORS.len()),
        phase in proptest::option::of(0..PHASES.len()),
        spaced in proptest::bool::weighted(0.2),
    ) -> Made {
        Made { type_name, millis, actor, agent, phase, spaced }
    }
}

fn world() -> impl Strategy<Value = World> {
    proptest::collection::vec(proptest::collection::vec(made(), 1..30), 1..5).prop_map(|logs| {
        logs.into_iter().enumerate().map(|(n, log)| (format!("P-{n}"), log)).collect()
    })
}

proptest! {
    #[test]
    fn a_filter_finds_what_a_plain_search_finds(
        world in world(),
        type_name in proptest::option::of(0..TYPES.len()),
        agent in proptest::option::of(0..ACTORS.len()),
        phase in proptest::option::of(0..PHASES.len()),
        negated: bool,
        reverse: bool,
        limit in 1usize..9,
    ) {
        let store = store(&world);
        let sign = if negated { "!" } else { "" };
        let mut filter = Filter::new();
        let mut wanted = plain(&world);
        if let Some(n) = type_name {
            filter.add(Field::Type, &format!("{sign}{}", TYPES[n])).unwrap();
            wanted.retain(|(_, made, _)| (made.type_name == n) != negated);
        }
        if let Some(n) = agent {
            filter.add(Field::Agent, &format!("{sign}{}", ACTORS[n])).unwrap();
            wanted.retain(|(_, made, _)| (made.agent() == ACTORS[n]) != negated);
        }
        if let Some(n) = phase {
            filter.add(Field::Phase, PHASES[n]).unwrap();
            wanted.retain(|(_, _, phase)| *phase == PHASES[n]);
        }
        let order = if reverse { wanted.reverse(); Order::Reverse } else { Order::Forward };
        let wanted: Vec<(String, u32)> =
            wanted.iter().map(|(p, _, _)| (p.issue_key.to_string(), p.position)).collect();

        let whole = scan(&store, &filter, order, None, None).unwrap();
        prop_assert_eq!(places(&whole), &wanted[..]);
        prop_assert!(whole.next_cursor.is_none());
        prop_assert_eq!(whole.scanned, world.iter().map(|(_, log)| log.len() as u64).sum::<u64>());
        prop_assert_eq!(count(&store, &filter).unwrap().count, wanted.len() as u64);
        for hit in &whole.lines {
            let id = format!("\"{}-{:04}\"", hit.issue_key, hit.position);
            prop_assert!(String::from_utf8_lossy(&hit.raw).contains(&id));
        }

        let mut paged = Vec::new();
        let mut cursor = None;
        loop {
            let page = scan(&store, &filter, order, Some(limit), cursor.as_ref()).unwrap();
            prop_assert!(page.lines.len() <= limit);
            paged.extend(places(&page));
            let Some(next) = page.next_cursor else { break };
            cursor = Some(Cursor::parse(&next.to_string()).unwrap());
        }
        prop_assert_eq!(paged, wanted);
    }
}

fn small() -> (World, MemoryStore) {
    let event = |type_name, millis, agent| Made {
        type_name,
        millis,
        actor: 2,
        agent,
        phase: None,
        spaced: false,
    };
    let world = vec![
        ("P-1".to_owned(), vec![event(0, 0, None), event(1, 10, Some(0)), event(2, 30, Some(0))]),
        ("P-2".to_owned(), vec![event(1, 20, Some(1)), event(4, 5, None), event(2, 40, Some(1))]),
    ];
    let store = store(&world);
    (world, store)
}

fn found(store: &MemoryStore, filter: &Filter) -> Vec<(String, u32)> {
    places(&scan(store, filter, Order::Forward, None, None).unwrap())
}

fn pairs(list: &[(&str, u32)]) -> Vec<(String, u32)> {
    list.iter().map(|(key, position)| ((*key).to_owned(), *position)).collect()
}

#[test]
fn time_that_runs_back_keeps_the_order_of_the_log() {
    let (_, store) = small();
    assert_eq!(
        found(&store, &Filter::new()),
        pairs(&[("P-1", 1), ("P-1", 2), ("P-2", 1), ("P-2", 2), ("P-1", 3), ("P-2", 3)])
    );
}

#[test]
fn since_and_until_are_moments_of_each_issue() {
    let (_, store) = small();
    let base = 1_800_000_000_000_i64;
    let time = |millis: i64| Moment::Time(Timestamp::from_millis(base + millis));
    let type_name = |nth| Moment::Occurrence { type_name: "AgentFailed".into(), nth };
    for (since, until, expected) in [
        (time(20), time(30), pairs(&[("P-2", 1), ("P-2", 2), ("P-1", 3)])),
        (Moment::Position(3), Moment::End, pairs(&[("P-1", 3), ("P-2", 3)])),
        (Moment::Start, Moment::Position(1), pairs(&[("P-1", 1), ("P-2", 1)])),
        (type_name(None), Moment::End, pairs(&[("P-1", 3), ("P-2", 3)])),
        (
            Moment::BeforeHead(20),
            Moment::End,
            pairs(&[("P-1", 2), ("P-2", 1), ("P-2", 2), ("P-1", 3), ("P-2", 3)]),
        ),
        (Moment::End, Moment::End, pairs(&[("P-1", 3), ("P-2", 3)])),
        (Moment::Start, Moment::Start, pairs(&[])),
        (Moment::Id("Homemade".into()), Moment::End, pairs(&[("P-2", 2), ("P-2", 3)])),
        (Moment::Id("P-2-0003".into()), Moment::End, pairs(&[("P-2", 3)])),
    ] {
        let filter = Filter::new().since(since.clone()).until(until.clone());
        assert_eq!(found(&store, &filter), expected, "{since:?} {until:?}");
    }
    let filter = Filter::new().since(type_name(Some(2)));
    let error = scan(&store, &filter, Order::Forward, None, None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn marks_are_asked_of_the_caller() {
    let (_, store) = small();
    let marks: Marks = Arc::new(|issue, name| (issue == "P-2" && name == "a").then_some(3));
    let filter = Filter::new().since(Moment::Mark("a".into())).marks(marks);
    assert_eq!(found(&store, &filter), pairs(&[("P-2", 3)]));
}

#[test]
fn fields_are_compared_as_documented() {
    let (_, store) = small();
    for (field, value, expected) in [
        (Field::Issue, "P-1", pairs(&[("P-1", 1), ("P-1", 2), ("P-1", 3)])),
        (Field::Issue, "!P-1", pairs(&[("P-2", 1), ("P-2", 2), ("P-2", 3)])),
        (Field::Category, "custom", pairs(&[("P-2", 2)])),
        (Field::Severity, "error", pairs(&[("P-1", 3), ("P-2", 3)])),
        (Field::Severity, "warning+", pairs(&[("P-1", 3), ("P-2", 3)])),
        (Field::Severity, "warning", pairs(&[])),
        (Field::Id, "p-1-0002", pairs(&[("P-1", 2)])),
        (Field::Actor, "!boss", pairs(&[])),
        (Field::Session, "s2", found(&store, &Filter::new())),
        (Field::Correlation, "none", pairs(&[])),
    ] {
        let filter = Filter::new().with(field, value).unwrap();
        assert_eq!(found(&store, &filter), expected, "{field} {value}");
    }
    for (field, value) in [(Field::Category, "cat"), (Field::Severity, "bad+"), (Field::Type, "!")]
    {
        assert_eq!(Filter::new().add(field, value).unwrap_err().kind(), ErrorKind::Usage);
    }
    let unknown = Filter::new().with(Field::Issue, "P-9").unwrap();
    let error = count(&store, &unknown).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn pages_stay_as_they_are_while_the_log_grows() {
    let (world, store) = small();
    let filter = Filter::new();
    for (order, expected) in [
        (Order::Forward, pairs(&[("P-2", 2), ("P-1", 3), ("P-2", 3), ("P-1", 4)])),
        (Order::Reverse, pairs(&[("P-1", 3), ("P-2", 2), ("P-2", 1), ("P-1", 2), ("P-1", 1)])),
    ] {
        let limit = if order == Order::Forward { 3 } else { 1 };
        let page = scan(&store, &filter, order, Some(limit), None).unwrap();
        if order == Order::Forward {
            let late = Made { millis: 60, ..world[0].1[1].clone() };
            push(&store, "P-1", late.line("P-1", 4).as_bytes());
        } else {
            // The newest event is the one that came above.
            assert_eq!(places(&page), pairs(&[("P-1", 4)]));
            let page = scan(&store, &filter, order, Some(1), page.next_cursor.as_ref()).unwrap();
            assert_eq!(places(&page), pairs(&[("P-2", 3)]));
            let late = Made { millis: 70, ..world[0].1[1].clone() };
            push(&store, "P-2", late.line("P-2", 4).as_bytes());
            let rest = scan(&store, &filter, order, None, page.next_cursor.as_ref()).unwrap();
            assert_eq!(places(&rest), expected);
            continue;
        }
        let rest = scan(&store, &filter, order, None, page.next_cursor.as_ref()).unwrap();
        assert_eq!(places(&rest), expected);
    }
}

#[test]
fn groups_are_largest_first() {
    let (_, store) = small();
    let groups = |name: &str| -> Vec<(Option<String>, u64)> {
        let groups = group_by(&store, &Filter::new(), &GroupBy::parse(name)).unwrap();
        assert_eq!(groups.scanned, 6);
        groups.groups.into_iter().map(|g| (g.key.map(|k| k.to_string()), g.count)).collect()
    };
    let key = |text: &str| Some(text.to_owned());
    assert_eq!(
        groups("type"),
        [
            (key("AgentFailed"), 2),
            (key("AgentSpawned"), 2),
            (key("Homemade"), 1),
            (key("PhaseStarted"), 1)
        ]
    );
    assert_eq!(groups("agent"), [(key("coder"), 2), (key("tester"), 2), (None, 2)]);
    assert_eq!(groups("agent_name"), groups("agent"));
    assert_eq!(groups("issue"), [(key("P-1"), 3), (key("P-2"), 3)]);
    assert_eq!(groups("issue_key"), groups("issue"));
    assert_eq!(groups("date"), [(key("2027-01-15"), 6)]);
    assert_eq!(groups("n"), [(key("1"), 2), (key("2"), 2), (key("3"), 2)]);
    assert_eq!(groups("severity"), [(key("info"), 4), (key("error"), 2)]);
    assert_eq!(groups("nothing"), [(None, 6)]);
}

#[test]
fn bad_lines_have_their_place_and_can_be_asked_for() {
    let (world, store) = small();
    push(&store, "P-1", b"not json");
    let twice = world[0].1[2].line("P-1", 5);
    push(&store, "P-1", format!("{twice} {twice}").as_bytes());
    push(&store, "P-1", &vec![b'x'; 200_000]);
    let filter = Filter::new().with(Field::Issue, "P-1").unwrap();
    let bad = filter.clone().with(Field::Type, "unreadable").unwrap();
    assert_eq!(found(&store, &bad), pairs(&[("P-1", 4), ("P-1", 7)]));
    let failed = filter.clone().with(Field::Type, "AgentFailed").unwrap();
    assert_eq!(found(&store, &failed), pairs(&[("P-1", 3), ("P-1", 5), ("P-1", 6)]));
    // As the browser counts them and the screen steps to them.
    let severe = filter.clone().with(Field::Severity, "error+").unwrap();
    let all = [("P-1", 3), ("P-1", 4), ("P-1", 5), ("P-1", 6), ("P-1", 7)];
    assert_eq!(found(&store, &severe), pairs(&all));
    for order in [Order::Forward, Order::Reverse] {
        let page = scan(&store, &failed, order, None, None).unwrap();
        assert!(page.lines.iter().all(|hit| hit.raw.starts_with(b"{") && hit.raw.ends_with(b"}")));
    }
}

#[test]
fn an_answer_can_be_ended_early_and_gone_on_with() {
    let (_, store) = small();
    for order in [Order::Forward, Order::Reverse] {
        let whole = places(&scan(&store, &Filter::new(), order, None, None).unwrap());
        let mut taken = Vec::new();
        let (cursor, _) = for_each(&store, &Filter::new(), order, None, None, |hit| {
            taken.push((hit.issue_key.to_string(), hit.position));
            Ok(taken.len() < 2)
        })
        .unwrap();
        let rest = scan(&store, &Filter::new(), order, None, cursor.as_ref()).unwrap();
        taken.extend(places(&rest));
        assert_eq!(taken, whole);
    }
}

#[test]
fn a_predicate_is_asked_last() {
    struct Mentions(&'static str);
    impl Predicate for Mentions {
        fn matches(&self, event: &Candidate<'_>) -> bool {
            assert_eq!(event.type_name, "AgentFailed");
            String::from_utf8_lossy(event.raw).contains(self.0)
        }
        fn fingerprint(&self) -> String {
            format!("mentions {}", self.0)
        }
    }
    let (_, store) = small();
    let mut filter = Filter::new().with(Field::Type, "AgentFailed").unwrap();
    filter.add_predicate(Arc::new(Mentions("tester")));
    assert_eq!(found(&store, &filter), pairs(&[("P-2", 3)]));
}

#[test]
fn an_empty_log_is_no_fault() {
    let (_, store) = small();
    store.push_raw("P-3", b"");
    assert_eq!(found(&store, &Filter::new()).len(), 6);
    assert_eq!(count(&store, &Filter::new()).unwrap().count, 6);
}
