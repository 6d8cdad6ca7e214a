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
