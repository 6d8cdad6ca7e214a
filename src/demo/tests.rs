use std::collections::{BTreeSet, HashSet};

use super::*;
use crate::model::{AnomalyKind, Kind, Moment};
use crate::session::Session;
use crate::store::memory::MemoryStore;

fn clock() -> Clock {
    Clock::Fixed(AFTER_HISTORIES)
}

fn sample() -> MemoryStore {
    let store = MemoryStore::new(clock());
    for batch in histories(clock()).unwrap() {
        store.append(&batch, &AppendOptions::default()).unwrap();
    }
    store
}

#[test]
fn every_line_is_valid_and_unknown_types_stand_only_where_they_are_meant_to() {
    let rules = Rules::new(AFTER_HISTORIES);
    let mut unknown = BTreeSet::new();
    for line in HISTORIES.iter().flat_map(|log| log.lines()) {
        if let Err(faults) = Draft::strict(line, &rules) {
            assert!(faults.len() == 1 && faults[0].pointer == "/event_type", "{faults:?} {line}");
            unknown.insert(line.split("\"issue_key\":\"").nth(1).unwrap()[..8].to_owned());
        }
    }
    assert_eq!(unknown, BTreeSet::from(["PROJ-116".to_owned()]));
}

#[test]
fn the_sample_is_small_and_of_many_kinds() {
    let bytes = HISTORIES.iter().map(|log| log.len()).sum::<usize>();
    assert!(bytes <= 300_000, "{bytes} bytes");
    let batches = histories(clock()).unwrap();
    let kinds: BTreeSet<Kind> = batches.iter().flat_map(|b| &b.drafts).map(Draft::kind).collect();
    assert!(kinds.len() >= 55, "{}", kinds.len());
    let keys: HashSet<&str> = batches.iter().map(|b| b.issue_key.as_str()).collect();
    assert!(keys.len() == batches.len() && keys.len() >= 8, "an issue's lines stand together");
}

#[test]
fn histories_are_without_fault_but_for_the_one_that_shows_faults() {
    let store = sample();
    for entry in store.issues().unwrap() {
        let session = Session::read(&store, &entry.issue_key).unwrap();
        let found: BTreeSet<AnomalyKind> =
            session.timeline().anomalies().iter().map(|a| a.kind).collect();
        if entry.issue_key == "PROJ-116" {
            let shown =
                [AnomalyKind::TimeRunsBack, AnomalyKind::UnknownType, AnomalyKind::GuardViolated];
            for kind in shown {
                assert!(found.contains(&kind), "{kind} is not among {found:?}");
            }
        } else {
            let all = session.timeline().anomalies();
            assert!(all.is_empty(), "{}: {all:?}", entry.issue_key);
        }
    }
}

#[test]
fn the_tour_tells_the_story() {
    let mut session = Session::read(&sample(), TOUR.issue_key).unwrap();
    let at =
        |session: &mut Session, text: &str| session.resolve(&Moment::parse(text).unwrap()).unwrap();
    let failure = at(&mut session, TOUR.failure);
    let (from, to) = (at(&mut session, TOUR.fix.0), at(&mut session, TOUR.fix.1));
    assert!(failure < from && from < to);
    let culprit = crate::model::Path::parse(TOUR.culprit).unwrap();
    let value = |session: &mut Session, position| {
        let value = session.value_at(&culprit, position).unwrap().unwrap();
        value.as_str().unwrap().to_owned()
    };
    assert_eq!(value(&mut session, failure), "900000");
    let second = session.timeline().last_writer(&culprit, failure).unwrap();
    let first = session.timeline().last_writer(&culprit, second - 1).unwrap();
    assert_eq!(value(&mut session, first), "900");
    let actors = [first, second].map(|p| session.event(p).unwrap().actor);
    assert_eq!(actors, ["jwt-builder", "session-builder"]);
    let state = session.state_at(failure).unwrap();
    let phase = state.at(&crate::model::Path::parse(TOUR.state_path).unwrap());
    assert!(phase.is_some());
}

#[test]
fn the_store_is_made_once_and_made_again_without_harm() {
    let dir = tempfile::tempdir().unwrap();
    let made = create(dir.path(), clock()).unwrap();
    let again = create(dir.path(), clock()).unwrap();
    assert_eq!(made.issues, again.issues);
    let events: usize = made.issues.iter().map(|(_, n)| n).sum();
    let filter = crate::query::Filter::new();
    let counted = crate::query::count(&*again.store, &filter).unwrap();
    assert_eq!(counted.count, events as u64);
}

#[test]
fn the_live_session_plays_to_its_end_each_time_into_a_new_issue() {
    let store = Arc::new(sample());
    let told = Session::read(&*store, TOUR.issue_key).unwrap();
    for key in ["PROJ-131", "PROJ-132"] {
        let live = Live::start(store.clone(), clock(), Pace::AtOnce).unwrap();
        assert_eq!(live.issue_key(), key);
        let played = live.finish().unwrap();
        let session = Session::read(&*store, key).unwrap();
        let begun = session.head() as usize - played;
        assert!(begun > 100 && played > 50, "{begun} and {played}");
        assert!(session.timeline().anomalies().is_empty(), "{:?}", session.timeline().anomalies());
        let kinds = |s: &Session| s.timeline().rows().map(|r| r.kind).collect::<Vec<_>>();
        assert_eq!(kinds(&session), kinds(&told), "the same story");
        let causes =
            |s: &Session| (1..=s.head()).map(|p| s.timeline().cause(p)).collect::<Vec<_>>();
        assert_eq!(causes(&session), causes(&told), "for the same reasons");
        let ahead = session.timeline().rows().filter(|r| r.at > clock().now()).count();
        assert_eq!(ahead, 0, "nothing lies in the future");
    }
}

#[test]
fn of_two_that_begin_at_the_same_moment_each_has_an_issue() {
    let store = sample();
    let other = std::cell::Cell::new(None);
    let look = |store: &dyn EventStore| {
        let key = free_issue(store)?;
        if other.take().is_none() {
            begin(store, &key, Clock::Fixed(AFTER_HISTORIES.plus_millis(1)))?;
        }
        other.set(Some(key.clone()));
        Ok(key)
    };
    let (key, rest) = begin_free(&store, clock(), look).unwrap();
    assert_eq!(key, format!("{LIVE_PREFIX}-{}", LIVE_NUMBER + 1));
    let taken = Session::read(&store, &format!("{LIVE_PREFIX}-{LIVE_NUMBER}")).unwrap();
    let ours = Session::read(&store, &key).unwrap();
    assert_eq!(taken.head(), ours.head());
    assert_eq!(ours.head() as usize + rest.len(), STORY.lines().count());
}

#[test]
fn a_dropped_live_session_stops() {
    let store = Arc::new(MemoryStore::new(clock()));
    let live = Live::start(store.clone(), clock(), Pace::Human).unwrap();
    let begun = store.bytes("PROJ-131").iter().filter(|b| **b == b'\n').count();
    drop(live);
    // The story takes two minutes: a session that did not stop would hold the drop that long.
    assert!(store.bytes("PROJ-131").iter().filter(|b| **b == b'\n').count() < begun + 5);
}

#[test]
fn queries_and_timelines_agree_on_agents_and_phases() {
    use crate::query::{Field, Filter, Order, scan};
    let store = sample();
    for entry in store.issues().unwrap() {
        let session = Session::read(&store, &entry.issue_key).unwrap();
        let timeline = session.timeline();
        let in_issue = Filter::new().with(Field::Issue, &entry.issue_key).unwrap();
        for (field, word) in timeline
            .rows()
            .flat_map(|row| [(Field::Agent, row.agent), (Field::Phase, row.phase)])
            .filter(|(_, word)| !word.is_empty())
            .collect::<HashSet<_>>()
        {
            let filter = in_issue.clone().with(field, timeline.text(word)).unwrap();
            let page = scan(&store, &filter, Order::Forward, None, None).unwrap();
            let found: Vec<_> = page.lines.iter().map(|hit| hit.position).collect();
            let rows = timeline.rows().zip(1..).filter(|(row, _)| {
                word == if field == Field::Agent { row.agent } else { row.phase }
            });
            let expected: Vec<u32> = rows.map(|(_, position)| position).collect();
            assert_eq!(found, expected, "{} {field} {}", entry.issue_key, timeline.text(word));
        }
    }
}
