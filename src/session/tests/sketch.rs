//! A long log is seen before it is folded: what is shown then is what is there, and no more.

use std::path::Path as FilePath;

use super::*;
use crate::timeline::Row;

/// Writes a log that is long enough to be looked at first, with all that real logs have: two
/// events on a line, a line that is none, an event without a time, one that is none of the
/// catalogue.
fn write(folder: &FilePath) -> usize {
    let log = folder.join("2026-05-01").join(ISSUE);
    std::fs::create_dir_all(&log).unwrap();
    let mut lines = Vec::new();
    let mut events = 0;
    for sequence in 1..=300 {
        let kind = Kind::CATALOGUED[sequence * 7 % Kind::CATALOGUED.len()];
        let minute = i64::try_from(sequence).unwrap();
        let event = line(sequence, kind, u8::try_from(sequence % 5).unwrap(), minute);
        events += 1;
        lines.push(match sequence {
            50 => {
                events += 1;
                format!("{event} {event}")
            }
            100 => event.replace("\"timestamp\"", "\"when\""),
            150 => "no event at all".to_owned(),
            200 => event.replace(kind.name(), "SomethingElse"),
            _ => event,
        });
    }
    std::fs::write(log.join("events.jsonl"), lines.join("\n") + "\n").unwrap();
    events
}

fn local(folder: &FilePath) -> Arc<dyn EventStore> {
    Arc::new(LocalStore::open(folder, Clock::Fixed(Timestamp::from_millis(0))).unwrap())
}

/// Takes in what came, batch by batch, until `enough`.
fn pump_until(session: &mut Session, enough: impl Fn(&Session) -> bool) {
    let started = Instant::now();
    while !enough(session) {
        session.pump(Duration::from_secs(1), Duration::ZERO);
        assert!(started.elapsed() < Duration::from_secs(60), "nothing comes any more");
    }
}

/// What a row says, words as texts; whether something is wrong is known later.
fn said(timeline: &Timeline, row: &Row) -> (Row, [String; 5]) {
    let words = [row.type_name, row.actor, row.session, row.agent, row.phase];
    let nothing = crate::timeline::Symbol::EMPTY;
    let bare = Row {
        content: 0,
        has_anomaly: false,
        type_name: nothing,
        actor: nothing,
        session: nothing,
        agent: nothing,
        phase: nothing,
        ..*row
    };
    (bare, words.map(|word| timeline.text(word).to_owned()))
}

#[test]
fn what_is_seen_ahead_is_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let events = write(folder.path());
    let store = local(folder.path());
    let whole = Session::read(&*store, ISSUE).unwrap();
    let mut session = Session::open(store, ISSUE, || {}).unwrap();

    pump_until(&mut session, |session| !session.ending().is_empty());
    assert_eq!(session.head(), 0, "the end comes first");
    let end = session.ending().last().map(|event| event.id.clone());
    assert_eq!(end.unwrap(), "id-00300");

    pump_until(&mut session, |session| session.head() as usize == events);
    assert_eq!(session.folding(), Some((0, session.head())));
    let (seen, folded) = (session.timeline(), whole.timeline());
    for (ours, theirs) in seen.rows().zip(folded.rows()) {
        assert_eq!(said(seen, &ours), said(folded, &theirs));
    }
    let names = |timeline: &Timeline| -> Vec<_> {
        let all = timeline.lanes().all().iter();
        all.map(|lane| (timeline.text(lane.name).to_owned(), lane.spans.len())).collect()
    };
    assert_eq!(names(seen), names(folded));
    assert_eq!(seen.lanes().rail(), folded.lanes().rail());

    // An event can be read; what it made true is not known, and that is said.
    let last = session.head();
    assert_eq!(session.event(last).unwrap().id, "id-00300");
    assert_eq!(session.events(1..last + 1).unwrap().len(), events);
    let error = session.state_at(last).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("of 301 events are folded"), "{}", error.message());
    assert_eq!(session.state_at(last + 1).unwrap_err().kind(), ErrorKind::NotFound);

    session.pump_all().unwrap();
    assert_eq!((session.folding(), session.ending().len()), (None, 0));
    assert!(session.timeline().rows().eq(whole.timeline().rows()));
    assert_eq!(&session.state_at(last).unwrap(), whole.timeline().head_state());
}

#[test]
fn what_comes_meanwhile_is_there_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let events = write(folder.path());
    let mut session = Session::open(local(folder.path()), ISSUE, || {}).unwrap();
    pump_until(&mut session, |session| session.head() > 0);
    let log = folder.path().join("2026-05-01").join(ISSUE).join("events.jsonl");
    let mut log = std::fs::OpenOptions::new().append(true).open(log).unwrap();
    let more = line(301, Kind::AgentSpawned, 1, 301) + "\n";
    std::io::Write::write_all(&mut log, more.as_bytes()).unwrap();
    pump_until(&mut session, |session| {
        session.is_loaded() && session.head() as usize == events + 1
    });
    assert_eq!(session.event(session.head()).unwrap().id, "id-00301");
    assert!(session.state_at(session.head()).is_ok());
}

/// A log with a snapshot at this position.
fn write_with_snapshot(folder: &FilePath, position: Position) -> usize {
    let events = write(folder);
    let local = LocalStore::open(folder, Clock::Fixed(Timestamp::default())).unwrap();
    let mut session = Session::read(&local, ISSUE).unwrap();
    snapshots::take(&local, &mut session, position, Timestamp::default()).unwrap();
    events
}

/// What is told of the states at the end.
fn told(store: &dyn EventStore) -> Vec<load::Batch> {
    let told = std::cell::RefCell::new(Vec::new());
    early::tell(store, ISSUE, &|| false, |batch| told.borrow_mut().push(batch));
    told.into_inner()
}

#[test]
fn the_end_of_a_long_log_is_known_from_its_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let events = write_with_snapshot(folder.path(), 203);
    let store = local(folder.path());
    let mut whole = Session::read(&*store, ISSUE).unwrap();
    let mut session = Session::open(Arc::clone(&store), ISSUE, || {}).unwrap();
    pump_until(&mut session, |session| session.head() as usize == events);
    let mut told = told(&*store);
    assert_eq!(told.len(), 1, "nothing speaks against it");
    session.take_batch(told.remove(0), &mut News::default());
    assert_eq!(session.folding(), Some((0, session.head())));

    let head = session.head();
    let known: Vec<_> = (0..=head).filter(|at| session.knows(*at)).collect();
    assert_eq!(known, [0].into_iter().chain(204..=head).collect::<Vec<_>>());
    for at in 204..=head {
        assert_eq!(session.snapshot_below(at), Some(203));
        assert!(session.state_at(at).unwrap() == whole.state_at(at).unwrap(), "{at}");
        assert_eq!(session.changes(at).unwrap(), whole.changes(at).unwrap(), "{at}");
    }
    assert!(session.state_at(202).is_err() && session.state_at(head + 1).is_err());

    pump_until(&mut session, Session::is_loaded);
    assert_eq!((session.snapshot_below(head), session.knows(100)), (None, true));
    assert!(session.state_at(head).unwrap() == whole.state_at(head).unwrap());
    // What comes too late is not taken.
    session.take_batch(self::told(&*store).remove(0), &mut News::default());
    assert_eq!(session.snapshot_below(head), None);
}

#[test]
fn only_some_states_before_the_end_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let events = write_with_snapshot(folder.path(), 10);
    let store = local(folder.path());
    let mut session = Session::open(Arc::clone(&store), ISSUE, || {}).unwrap();
    pump_until(&mut session, |session| session.head() as usize == events);
    session.take_batch(told(&*store).remove(0), &mut News::default());
    let known: Vec<_> = (1..=session.head()).filter(|at| session.knows(*at)).collect();
    // (Four at multiples of 32 before the one at the end.)
    assert_eq!(known.first(), Some(&193), "{known:?}");
    assert_eq!(known.len(), session.head() as usize - 192);
}

#[test]
fn a_snapshot_of_another_log_is_let_go_of() {
    let folder = tempfile::tempdir().unwrap();
    let events = write_with_snapshot(folder.path(), 280);
    let file = folder.path().join("2026-05-01").join(ISSUE).join("events.jsonl");
    let log = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, log.replace("id-00007", "id-70000")).unwrap();
    let store = local(folder.path());
    let mut session = Session::open(Arc::clone(&store), ISSUE, || {}).unwrap();
    pump_until(&mut session, |session| session.head() as usize == events);
    let told = told(&*store);
    assert_eq!(told.len(), 2);
    for batch in told {
        session.take_batch(batch, &mut News::default());
    }
    assert!(!session.knows(session.head()));
    let anomalies = session.folded().anomalies();
    let found = anomalies.iter().find(|a| a.kind == AnomalyKind::BadSnapshot).unwrap();
    assert!(found.detail.starts_with("the snapshot at 280: "), "{found:?}");
}
