use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::catalogue::{CATALOGUE, Spec};
use crate::schema::generate::{counter_examples, event_schema, example, metadata_schema};

fn judged(spec: &Spec, metadata: &Value) -> Vec<String> {
    judge::judge(&metadata_schema(spec), metadata, "/metadata", spec.kind.name())
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn of(kind: Kind, metadata: &Value) -> Vec<String> {
    metadata_faults(kind, &metadata.to_string()).iter().map(ToString::to_string).collect()
}

#[test]
fn every_example_is_valid_both_ways() {
    for spec in CATALOGUE {
        assert!(plainly_valid(spec.kind, spec.example), "{}", spec.kind);
        let event = example(spec);
        assert_eq!(judged(spec, &event["metadata"]), [""; 0], "{}", spec.kind);
        let line = event.to_string();
        let fields = strict::object(&line).unwrap();
        assert!(plainly_valid_event(spec.kind, &fields), "{line}");
        assert!(judge::judge(&event_schema(spec.kind), &event, "", "").is_empty(), "{line}");
        let named: Vec<&String> = event["metadata"].as_object().unwrap().keys().collect();
        assert_eq!(named.len(), spec.fields.len(), "{}: an example shows every field", spec.kind);
    }
}

#[test]
fn every_counter_example_is_refused_both_ways() {
    for spec in CATALOGUE {
        for found in counter_examples(spec) {
            let line = found.event.to_string();
            let fields = strict::object(&line).unwrap();
            assert!(!plainly_valid_event(spec.kind, &fields), "{line}");
            let faults = check_stored_line(&line, false);
            assert_eq!(faults.len(), 1, "{faults:?} {line}");
            let below = faults[0].pointer.strip_prefix(&*found.fault_at);
            assert!(
                below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
                "{faults:?}"
            );
        }
    }
}

#[test]
fn the_published_schema_judges_by_the_events_own_type() {
    let schema = generate::catalogue_schema();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for spec in CATALOGUE {
        assert!(validator.is_valid(&example(spec)), "{}", spec.kind);
        for found in counter_examples(spec) {
            assert!(!validator.is_valid(&found.event), "{}", found.event);
        }
    }
}

#[test]
fn faults_read_well() {
    let metadata = json!({
        "agent_type": "builder", "agent_model": 7, "spawn_reason": null, "assigned_task": "t",
        "timeout_seconds": -1, "assigned_files": ["a", 2], "dependencies": "x",
    });
    let mut found = of(Kind::AgentSpawned, &metadata);
    found.sort();
    assert_eq!(
        found,
        [
            "/metadata/agent_model must be a string, not 7",
            "/metadata/agent_name is required by AgentSpawned",
            "/metadata/assigned_files/1 must be a string, not 2",
            "/metadata/dependencies must be an array, not \"x\"",
            "/metadata/spawn_reason must be a string, not null: leave it out instead",
            "/metadata/timeout_seconds must be at least 0, not -1",
        ]
    );
    let gap = json!({"gap_id": "", "gap_type": "t", "severity": "awful", "phase": "code", "description": "d"});
    let mut found = of(Kind::GapIdentified, &gap);
    found.sort();
    assert_eq!(
        found,
        [
            "/metadata/gap_id is empty",
            "/metadata/phase must be an upper-case word like CODE, which \"code\" is not",
            "/metadata/severity must be low, medium, high or critical, not \"awful\"",
        ]
    );
    assert_eq!(
        of(Kind::AgentProgressed, &json!({"agent_name": "a", "progress": 101})),
        ["/metadata/progress must be at most 100, not 101"]
    );
}

#[test]
fn what_is_valid_though_not_plainly_is_accepted() {
    for (kind, metadata) in [
        (Kind::AgentProgressed, json!({"agent_name": "a", "progress": 60.0})),
        (
            Kind::WorklogAdded,
            json!({"time_spent_seconds": u64::MAX, "started": "2026-11-20T13:00:00.000+0000"}),
        ),
    ] {
        assert!(!plainly_valid(kind, &metadata.to_string()), "{metadata}");
        assert_eq!(of(kind, &metadata), [""; 0]);
    }
    assert!(plainly_valid(Kind::Unknown, r#"{"anything":[1]}"#));
    assert!(!plainly_valid(Kind::Unknown, "[]") && !plainly_valid(Kind::Unknown, "{} {}"));
}

#[test]
fn stored_lines_are_checked_whole() {
    let check = |text: &str, allow| -> Vec<String> {
        check_stored_line(text, allow).iter().map(ToString::to_string).collect()
    };
    let sound = example(CATALOGUE[0]);
    let with = |name: &str, value: Value| {
        let mut event = sound.clone();
        event[name] = value;
        event.to_string()
    };
    assert_eq!(check(&sound.to_string(), false), [""; 0]);
    for (name, value, message) in [
        ("event_sequence", json!(0), "/event_sequence must be at least 1, not 0"),
        ("event_id", json!("e-1"), "/event_id must be a UUID, which \"e-1\" is not"),
        (
            "timestamp",
            json!("2026-11-20 14:00"),
            "/timestamp must be a time with a zone like 2026-11-22T14:00:00Z, which \"2026-11-20 14:00\" is not",
        ),
        ("actor", json!({"type": "user"}), "/actor/id is required"),
        (
            "actor",
            json!({"type": "user", "id": "a", "x": 1}),
            "/actor/x is no field of an actor (type, id, model)",
        ),
        ("extra", json!(1), "/extra is no field of the envelope"),
        ("git_sha", json!("xyz"), "/git_sha must be 7 to 64 hex digits, which \"xyz\" is not"),
        ("branch", json!(null), "/branch must be a string, not null: leave it out instead"),
        ("event_version", json!("3.0.0"), "/event_version must be 1.0.0 or 1.1.0, not \"3.0.0\""),
        ("metadata", json!([]), "/metadata must be an object, not an array"),
    ] {
        assert_eq!(check(&with(name, value), false), [message]);
    }
    let unknown = with("event_type", json!("OrchestrationStart"));
    assert!(check(&unknown, false)[0].starts_with("/event_type \"OrchestrationStart\" is not in the catalogue: did you mean OrchestrationStarted"));
    assert_eq!(check(&unknown, true), [""; 0]);
    assert_eq!(check("{}", false).len(), envelope::REQUIRED.len());
    assert_eq!(check(r#"{"event_id":"a","event_id":"a"}"#, false)[0], "/event_id comes twice");
    assert_eq!(check("[1]", false), ["the event is an array, not a JSON object"]);
    let nul = sound.to_string().replace("\"PROJ-123\"", "\"PROJ\\u0000\"");
    assert!(check(&nul, false).contains(&"/issue_key has a NUL character".to_owned()));
    let deep = with("metadata", json!({}))
        .replace("{}", &format!("{{\"x\":{}{}}}", "[".repeat(99), "]".repeat(99)));
    assert!(check(&deep, false)[0].ends_with("is nested deeper than 64 levels"));
}

#[test]
fn a_draft_is_checked_against_its_type_and_gets_the_issue_key() {
    use crate::schema::{Draft, Rules};
    let text = |metadata: &str| {
        format!(
            r#"{{"event_type":"IssueTransitioned","issue_key":"P-1","session_id":"5f0c1d2e-3b4a-4c5d-8e6f-708192a3b4c5","actor":{{"type":"user","id":"ada"}},"metadata":{metadata}}}"#
        )
    };
    let rules = Rules::new(Timestamp::from_millis(0));
    let strict = |metadata: &str| Draft::strict(&text(metadata), &rules);
    let draft = strict(r#"{"to_status":"Done","from_status":"Open"}"#).unwrap();
    assert_eq!(draft.metadata(), r#"{"issue_key":"P-1","to_status":"Done","from_status":"Open"}"#);
    let own = r#"{"to_status":"Done","from_status":"Open","issue_key":"P-2"}"#;
    assert_eq!(strict(own).unwrap().metadata(), own);
    let faults = strict("{}").unwrap_err();
    assert_eq!(faults.len(), 2, "{faults:?}");
    // Envelope and metadata are judged in one go.
    let both = text("{}").replace("\"P-1\"", "\"p-1\"");
    assert_eq!(Draft::strict(&both, &rules).unwrap_err().len(), 3);
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..200).prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[A-Z_a-z0-9é-]{0,6}".prop_map(Value::from),
        proptest::sample::select(vec![
            "low",
            "critical",
            "CODE",
            "CODE-2",
            "code",
            "2026-02-30T10:00:00Z",
            "2026-02-20t10:00:75z",
            "2026-02-20 10:00:00.5+23:59",
            "2026-02-20T10:00:00+00:60",
            "2026-02-20T10:00:60Z",
            "2026-02-20T10:00:00",
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let key = proptest::sample::select(vec![
            "severity",
            "file",
            "line",
            "type",
            "min_agents",
            "lines",
        ]);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key, inner), 0..4)
                .prop_map(|pairs| pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

/// An example with one to three members of its object at `at` replaced or taken out.
fn changed() -> impl Strategy<Value = (Kind, Value)> {
    let change =
        (any::<proptest::sample::Index>(), proptest::option::of(any_value()), any::<bool>());
    (0..CATALOGUE.len(), proptest::collection::vec(change, 1..4)).prop_map(|(row, changes)| {
        let mut event = example(CATALOGUE[row]);
        for (which, value, in_metadata) in changes {
            let object = if in_metadata { &mut event["metadata"] } else { &mut event };
            let Some(members) = object.as_object_mut() else { continue };
            if members.is_empty() {
                continue;
            }
            let name = members.keys().nth(which.index(members.len())).unwrap().clone();
            match value {
                Some(value) => members.insert(name, value),
                None => members.remove(&name),
            };
        }
        (CATALOGUE[row].kind, event)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn the_quick_answer_accepts_nothing_that_the_schema_refuses((kind, event) in changed()) {
        let line = event.to_string();
        let fields = strict::object(&line).unwrap();
        if plainly_valid(kind, &event["metadata"].to_string()) {
            let spec = catalogue::spec(kind).unwrap();
            prop_assert_eq!(judged(spec, &event["metadata"]), Vec::<String>::new());
        }
        if event["event_type"] == kind.name() && plainly_valid_event(kind, &fields) {
            let faults = judge::judge(&event_schema(kind), &event, "", "");
            prop_assert!(faults.is_empty(), "{:?} {}", faults, line);
        }
        let _ = check_stored_line(&line, false);
    }
}

/// Texts near to times: each part is right most of the time.
fn near_times() -> impl Strategy<Value = String> {
    let part = |right: &'static [&'static str]| proptest::sample::select(right);
    (
        part(&["2026", "0000", "9999", "226"]),
        part(&["-02-28", "-12-31", "-02-30", "-13-01", "-00-10", "-01-32"]),
        part(&["T", "t", " ", "_"]),
        part(&["10:00", "23:59", "24:00", "10:60"]),
        part(&[":00", ":59", ":60", ":61", ":75", ":99", ":7"]),
        part(&["", ".5", ".123456789", ".", ".x"]),
        part(&["Z", "z", "+02:00", "-23:59", "+24:00", "+00:60", "+0200", "", "é"]),
    )
        .prop_map(|(year, day, t, hour, second, fraction, zone)| {
            format!("{year}{day}{t}{hour}{second}{fraction}{zone}")
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn the_forms_of_texts_are_those_of_the_schema(
        text in prop_oneof![
            near_times(),
            "[A-Z][A-Za-z0-9_é-]{0,4}",
            "[0-9]{1,2}\\.[0-9]{1,2}\\.[0-9]{1,2}([+-][a-z.é]{0,3})?",
            "[0-9a-fA-Fg]{6,9}",
            "[a.é/: -]{1,4}",
        ],
    ) {
        let fits = |pattern: &str| regex::Regex::new(pattern).unwrap().is_match(&text);
        prop_assert!(!is_time(&text) || fits(generate::TIME), "time {}", text);
        prop_assert_eq!(is_phase(&text), fits(generate::PHASE), "phase {}", text);
        prop_assert_eq!(words::is_semver(&text), fits(generate::SEMVER), "version {}", text);
        prop_assert_eq!(is_sha(&text), fits(generate::SHA), "commit {}", text);
        prop_assert!(ids::check_issue_key(&text).is_err() || fits(generate::KEY), "key {}", text);
        let id = format!("00000000-0000-4000-8000-{text}000000");
        prop_assert!(!ids::is_uuid(&id) || fits_id(&id), "id {}", id);
    }
}

fn fits_id(id: &str) -> bool {
    regex::Regex::new(generate::UUID).unwrap().is_match(id)
}
