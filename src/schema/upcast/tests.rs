use proptest::prelude::*;

use super::*;
use crate::model::catalogue::CATALOGUE;
use crate::schema::{Draft, LenientDraft, Stamp};

const LINE: &str = r#"{"event_id":"00000000-0000-4000-8000-000000000001","event_type":"AgentSpawned","event_version":"1.0.0","timestamp":"2026-01-01T00:00:00.250Z","event_sequence":4,"issue_key":"P-1","session_id":"s","correlation_id":"c","actor":{"type":"agent","id":"a","model":"glm-4.7"},"metadata":{"agent_name":"x","n":[1]},"branch":"main"}"#;
const BEFORE: Timestamp = Timestamp::from_millis(1000);

fn kinds(faults: &Faults) -> Vec<AnomalyKind> {
    faults.iter().map(|fault| fault.0).collect()
}

fn one(text: &str) -> (Event, Faults) {
    read_event(text, 9, BEFORE)
}

#[test]
fn a_sound_line_becomes_an_event() {
    let padded = format!("  {LINE}\r");
    let events = read_line_events(padded.as_bytes(), 9, BEFORE);
    let (event, range, faults) = &events[0];
    assert!(events.len() == 1 && faults.is_empty(), "{faults:?}");
    assert_eq!(&padded[range.clone()], LINE);
    assert_eq!((event.position, event.kind, event.sequence), (9, Kind::AgentSpawned, Some(4)));
    assert_eq!(event.at.to_string(), "2026-01-01T00:00:00.250Z");
    assert_eq!((event.actor_type.as_str(), event.actor.as_str()), ("agent", "a"));
    assert_eq!(event.model.as_deref(), Some("glm-4.7"));
    assert_eq!((event.correlation.as_deref(), event.causation.as_deref()), (Some("c"), None));
    assert_eq!(event.metadata.get("n"), Some(&Value::list([Value::Int(1)])));
    assert_eq!(event.branch.as_deref(), Some("main"));
}

#[test]
fn damaged_lines_keep_their_place() {
    let two = format!("{LINE}{LINE}");
    let events = read_line_events(two.as_bytes(), 9, BEFORE);
    assert_eq!(events.iter().map(|(event, ..)| event.position).collect::<Vec<_>>(), [9, 10]);
    assert_eq!(kinds(&events[1].2), [AnomalyKind::SeveralOnOneLine]);

    for (line, kind) in [
        (b"{\"event_id\":" as &[u8], AnomalyKind::NotJson),
        (b"[]", AnomalyKind::NotAnObject),
        (b"[\"e\",\"AgentSpawned\"]", AnomalyKind::NotAnObject),
    ] {
        let events = read_line_events(line, 9, BEFORE);
        let (event, range, faults) = &events[0];
        assert_eq!((event.kind, event.at, kinds(faults)), (Kind::Unreadable, BEFORE, vec![kind]));
        assert_eq!(*range, 0..line.len());
        assert_eq!(event.text("line").unwrap().as_bytes(), line);
    }
    assert!(read_line_events(b" \r", 9, BEFORE).is_empty());
    // A field that comes twice: the last one counts, and nothing is lost.
    let twice = LINE.replace("\"branch\":\"main\"", "\"branch\":\"main\",\"branch\":\"dev\"");
    assert_eq!(read_line_events(twice.as_bytes(), 9, BEFORE)[0].0.branch.as_deref(), Some("dev"));
}

#[test]
fn what_is_not_known_is_named() {
    for (from, to, expected) in [
        ("AgentSpawned", "bead.claimed", AnomalyKind::UnknownType),
        ("1.0.0", "2.0.0", AnomalyKind::UnknownVersion),
        ("1.0.0", "one", AnomalyKind::UnknownVersion),
        ("2026-01-01T", "2026-13-01T", AnomalyKind::BadTimestamp),
        ("00.250Z", "00.250", AnomalyKind::BadTimestamp),
        (r#"{"agent_name":"x","n":[1]}"#, "[1]", AnomalyKind::WrongType),
        (r#""metadata":{"agent_name":"x","n":[1]},"#, "", AnomalyKind::MissingField),
    ] {
        let (event, faults) = one(&LINE.replace(from, to));
        assert_eq!(kinds(&faults), [expected], "{to}: {faults:?}");
        assert_eq!(event.at == BEFORE, expected == AnomalyKind::BadTimestamp);
        let no_metadata = matches!(expected, AnomalyKind::WrongType | AnomalyKind::MissingField);
        assert_eq!(event.metadata.is_empty(), no_metadata, "{to}");
        if expected == AnomalyKind::UnknownType {
            assert_eq!((event.kind, event.type_name.as_str()), (Kind::Unknown, "bead.claimed"));
        }
    }
    let (event, faults) = one("{}");
    assert_eq!((event.kind, kinds(&faults)), (Kind::Unknown, vec![AnomalyKind::MissingField]));
}

#[test]
fn long_values_become_references_that_lead_back() {
    let text = "é\\n".repeat(3000);
    let list = format!("[{}0]", "1, ".repeat(LongValue::LIMIT / 2));
    let line = LINE.replace("[1]", &format!("\"{text}\",\"a/b\":{list},\"k\":true"));
    let (event, faults) = one(&line);
    assert!(faults.is_empty(), "{faults:?}");
    assert_eq!(event.get("k"), Some(&Value::Bool(true)));
    for (key, json, pointer, head) in [
        ("n", format!("\"{text}\""), "/metadata/n", "é\né\n"),
        ("a/b", list, "/metadata/a~1b", "[1, 1"),
    ] {
        let Some(Value::Long(long)) = event.get(key) else { panic!("{key} is kept") };
        assert_eq!((long.pointer.as_str(), long.bytes), (pointer, json.len() as u64));
        assert_eq!(long.event_id, event.id);
        assert_eq!(format!("sha256:{}", long.sha256), ids::sha256_text(json.as_bytes()));
        assert!(long.head.starts_with(head) && long.head.chars().count() == 120);
        assert_eq!(long_text(&line, &long.pointer), Some(&*json));
    }
    let at_limit = LINE.replace("[1]", &format!("\"{}\"", "x".repeat(LongValue::LIMIT - 2)));
    assert!(matches!(one(&at_limit).0.get("n"), Some(Value::Text(_))));

    let raw = "x".repeat(5000);
    let Some(Value::Long(long)) = unreadable_event(1, BEFORE, &raw).get("line").cloned() else {
        panic!("the line is kept");
    };
    assert_eq!(long_text(&raw, &long.pointer), Some(&*raw));
}

#[test]
fn fields_that_cannot_be_read_keep_their_text() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for bad in [&*deep, "1e999", r#""\ud800""#] {
        let (event, faults) = one(&LINE.replace("[1]", bad));
        assert_eq!(kinds(&faults), [AnomalyKind::WrongType]);
        assert!(faults[0].1.starts_with("/metadata/n: "), "{faults:?}");
        assert_eq!(event.text("n").unwrap(), bad);
        assert_eq!(event.text("agent_name").unwrap(), "x");
    }
    let endless = "[".repeat(100_000) + &"]".repeat(100_000);
    assert!(matches!(one(&LINE.replace("[1]", &endless)).0.get("n"), Some(Value::Long(_))));
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,8}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let key = proptest::sample::select(vec!["agent_name", "phase", "a/b", "é", ""]);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            proptest::collection::vec((key, inner), 0..5)
                .prop_map(|pairs| pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_answered(
        fields in proptest::collection::vec(
            (proptest::sample::select(envelope::FIELDS), any_json()), 0..14),
    ) {
        let event: serde_json::Map<_, _> =
            fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let text = serde_json::Value::Object(event).to_string();
        let events = read_line_events(text.as_bytes(), 1, BEFORE);
        prop_assert_eq!(events.len(), 1);
        let (event, faults) = read_event(&text, 1, BEFORE);
        prop_assert_eq!(&events[0].0, &event);
        prop_assert_eq!(&events[0].2, &faults);
    }

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        for (_, range, _) in read_line_events(&bytes, 1, BEFORE) {
            prop_assert!(range.end <= bytes.len());
        }
    }

    #[test]
    fn a_drafts_line_reads_back(
        row in 0..CATALOGUE.len(),
        metadata in any_json().prop_filter("an object", serde_json::Value::is_object),
        words in proptest::collection::vec("[a-zé\"\\\\ ]{1,12}", 6),
        optional in any::<[bool; 4]>(),
        at in 0_i64..4_000_000_000_000,
    ) {
        let some = |on: bool, word: &str| on.then(|| word.to_owned());
        let draft = Draft::lenient(LenientDraft {
            event_type: CATALOGUE[row].kind.name().into(),
            issue_key: "P-1".into(),
            session_id: words[0].clone(),
            correlation_id: some(optional[0], &words[1]),
            causation_id: some(optional[1], &words[2]),
            actor_type: "agent".into(),
            actor_id: words[3].clone(),
            model: some(optional[2], &words[4]),
            metadata: serde_json::to_string_pretty(&metadata).unwrap(),
            branch: some(optional[3], &words[5]),
            ..LenientDraft::default()
        }).unwrap();
        let stamp = Stamp { event_id: "e-1", timestamp: Timestamp::from_millis(at), sequence: 3, git_sha: None, branch: None };
        let line = draft.to_line(&stamp);
        prop_assert!(!line.contains('\n') && draft.same_content(&line));
        let events = read_line_events(line.as_bytes(), 1, BEFORE);
        let (event, range, faults) = &events[0];
        prop_assert!(faults.is_empty(), "{:?}", faults);
        prop_assert_eq!(range, &(0..line.len()));
        prop_assert_eq!(event.kind, CATALOGUE[row].kind);
        prop_assert_eq!(event.at, stamp.timestamp);
        prop_assert_eq!((&*event.id, event.sequence), ("e-1", Some(3)));
        prop_assert_eq!(&*event.session, draft.session_id());
        prop_assert_eq!(event.correlation.as_deref(), draft.correlation_id());
        prop_assert_eq!(event.causation.as_deref(), draft.causation_id());
        prop_assert_eq!(&*event.actor, draft.actor_id());
        prop_assert_eq!(event.model.as_deref(), draft.model());
        prop_assert_eq!(event.branch.as_deref(), draft.branch());
        let expected: Map = serde_json::from_str(&metadata.to_string()).unwrap();
        prop_assert_eq!(&event.metadata, &expected);
    }
}
