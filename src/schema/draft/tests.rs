use super::*;
use serde_json::json;

const EVENT: &str = r#"{
  "event_type": "AgentSpawned", "issue_key": "PROJ-123",
  "session_id": "7d7f7f3e-6f0e-4e55-9c39-0d3a8a3b1c11",
  "timestamp": "2026-11-22T12:00:00.5+02:00",
  "actor": { "id": "orchestrator", "type": "system" },
  "metadata": { "agent_name": "api", "agent_type": "builder", "agent_model": "opus",
    "spawn_reason": "plan", "assigned_task": "build", "big": 123456789012345678901234567890, "a": 1.50 }
}"#;

fn rules() -> Rules {
    Rules::new(Timestamp::parse("2026-11-22T10:00:00Z").unwrap())
}

fn stamp() -> Stamp<'static> {
    Stamp {
        event_id: "00000000-0000-4000-8000-000000000001",
        timestamp: Timestamp::from_millis(0),
        sequence: 7,
        git_sha: Some("abcdef0"),
        branch: Some("main"),
    }
}

/// The sample with some members replaced, or taken out where the value is none.
fn with(changes: &[(&str, Option<serde_json::Value>)]) -> String {
    let mut event: serde_json::Value = serde_json::from_str(EVENT).unwrap();
    event["metadata"]["big"] = json!(1);
    for (name, value) in changes {
        match value {
            Some(value) => event[*name] = value.clone(),
            None => {
                event.as_object_mut().unwrap().remove(*name);
            }
        }
    }
    event.to_string()
}

fn faults(text: &str) -> Vec<String> {
    Draft::strict(text, &rules())
        .err()
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_line_has_the_fields_in_order_and_keeps_every_digit() {
    let draft = Draft::strict(EVENT, &rules()).unwrap();
    let line = draft.to_line(&Stamp { timestamp: draft.timestamp().unwrap(), ..stamp() });
    assert_eq!(
        line,
        r#"{"event_id":"00000000-0000-4000-8000-000000000001","event_type":"AgentSpawned","event_version":"1.0.0","timestamp":"2026-11-22T10:00:00.500Z","event_sequence":7,"issue_key":"PROJ-123","session_id":"7d7f7f3e-6f0e-4e55-9c39-0d3a8a3b1c11","actor":{"type":"system","id":"orchestrator"},"metadata":{"agent_name":"api","agent_type":"builder","agent_model":"opus","spawn_reason":"plan","assigned_task":"build","big":123456789012345678901234567890,"a":1.50},"git_sha":"abcdef0","branch":"main"}"#
    );
    assert!(draft.same_content(&line));
}

#[test]
fn every_fault_is_named_at_once() {
    let text = r#"{"event_id":"x","event_type":"AgentSpawnd","event_sequence":1,"issue_key":"../x","session_id":"s",
        "correlation_id":null,"causation_id":"","actor":{"type":"robot","name":"x"},"extra":1,"extra":2,"git_sha":"zz",
        "timestamp":"2026-11-22T12:00:00","codebase_state":[]}"#;
    assert_eq!(
        faults(text),
        [
            r#"/event_id must be a UUID, which "x" is not"#,
            r#"/event_type "AgentSpawnd" is not in the catalogue: did you mean AgentSpawned?"#,
            "/event_sequence is given by the store: leave it out",
            "/issue_key starts with a dot",
            r#"/session_id must be a UUID, which "s" is not"#,
            "/correlation_id is null: leave it out instead",
            "/causation_id is empty",
            r#"/actor/type must be user, system or agent, not "robot""#,
            "/actor/name is no field of an actor (type, id, model)",
            "/actor/id is required",
            "/extra is no field of the envelope: what a type adds belongs into metadata",
            "/extra comes twice",
            r#"/git_sha must be 7 to 64 hex digits, which "zz" is not"#,
            r#"/timestamp cannot be "2026-11-22T12:00:00": no time zone: write Z for UTC, or an offset like +02:00"#,
            "/codebase_state must be an object, not an array",
            "/metadata is required",
        ]
    );
}

#[test]
fn single_faults() {
    for (name, value, message) in [
        (
            "issue_key",
            json!("cg-5ol6"),
            "/issue_key must be of the form PREFIX-123, which \"cg-5ol6\" is not",
        ),
        (
            "event_version",
            json!("1.0"),
            "/event_version must be a semantic version like 1.0.0, which \"1.0\" is not",
        ),
        (
            "event_version",
            json!("9.0.0"),
            "/event_version 9.0.0 is not a version of the catalogue (1.0.0, 1.1.0)",
        ),
        (
            "timestamp",
            json!("2026-11-22T10:05:00.001Z"),
            "/timestamp is more than 5 minutes ahead of the clock (2026-11-22T10:00:00.000Z)",
        ),
        ("timestamp", json!(5), "/timestamp must be a string, not a number"),
        ("branch", json!("a\u{202e}b"), "/branch has a control character"),
        ("session_id", json!("a\u{0}"), "/session_id must be a UUID, which \"a\\0\" is not"),
        ("metadata", json!([1]), "/metadata must be an object, not an array"),
    ] {
        assert_eq!(faults(&with(&[(name, Some(value))])), [message]);
    }
    assert_eq!(faults("[]"), ["the event is an array, not a JSON object"]);
    assert!(faults("{").len() == 1 && faults("").len() == 1);
    assert_eq!(faults(&with(&[("timestamp", Some(json!("2026-11-22T10:05:00Z")))])), [""; 0]);
    let nul = EVENT.replace("\"api\"", "\"a\\u0000\"");
    assert_eq!(faults(&nul), ["/metadata/agent_name has a NUL character"]);
    let old = with(&[
        ("event_type", Some(json!("ToolInvoked"))),
        ("event_version", Some(json!("1.0.0"))),
    ]);
    assert!(
        faults(&old).contains(
            &"/event_version 1.0.0 did not have ToolInvoked yet: it came with 1.1.0".into()
        )
    );
}

#[test]
fn depth_and_size_are_limited() {
    let nested = |levels: usize| {
        let deep = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        EVENT.replace("1.50", &deep)
    };
    assert_eq!(faults(&nested(MAX_IN_METADATA)), [""; 0]);
    let found = faults(&nested(MAX_IN_METADATA + 1));
    assert_eq!(found.len(), 1);
    assert!(found[0].ends_with("is nested deeper than 64 levels"), "{found:?}");
    assert_eq!(faults(&nested(100_000)).len(), 1);

    let bytes = Draft::strict(EVENT, &rules())
        .unwrap()
        .to_line(&Stamp { git_sha: None, branch: None, sequence: u64::MAX, ..stamp() })
        .len();
    let limited = |max_event_bytes| Draft::strict(EVENT, &Rules { max_event_bytes, ..rules() });
    assert!(limited(bytes).is_ok());
    let refused = limited(bytes - 1).unwrap_err();
    assert!(refused[0].to_string().contains("limits.max_event_bytes"), "{refused:?}");
}

/// The event and its metadata are two of the levels.
const MAX_IN_METADATA: usize = crate::schema::MAX_DEPTH - 2;

#[test]
fn unknown_types_and_other_keys_are_taken_where_the_rules_say_so() {
    let text =
        with(&[("event_type", Some(json!("BeadClaimed"))), ("issue_key", Some(json!("cg-5ol6")))]);
    assert_eq!(faults(&text).len(), 2);
    let rules = Rules {
        allow_unknown_types: true,
        key_pattern: Some(KeyPattern::new("^cg-[a-z0-9]+$").unwrap()),
        ..rules()
    };
    let draft = Draft::strict(&text, &rules).unwrap();
    assert_eq!((draft.kind(), draft.event_version()), (Kind::Unknown, "1.0.0"));
    let other = with(&[("event_type", Some(json!("BeadClaimed")))]);
    let refused = Draft::strict(&other, &rules).unwrap_err();
    assert_eq!(
        refused[0].to_string(),
        "/issue_key must match ^cg-[a-z0-9]+$, which \"PROJ-123\" does not"
    );
    assert!(KeyPattern::new("(").is_err());
}

#[test]
fn default_keys_have_a_prefix_and_a_number() {
    for key in ["PROJ-123", "A-0", "A1_B-9"] {
        assert!(is_default_key(key), "{key}");
    }
    for key in ["proj-1", "P-", "-1", "1P-1", "P-1a", "P_-x", "P1", "P-1-2", "Pé-1"] {
        assert!(!is_default_key(key), "{key}");
    }
}

#[test]
fn a_retry_is_known_by_what_the_caller_gave() {
    let draft = Draft::strict(EVENT, &rules()).unwrap();
    let line = draft.to_line(&Stamp { timestamp: draft.timestamp().unwrap(), ..stamp() });
    // Other white space, order, repository; no time of its own.
    let again =
        EVENT.replace("\"timestamp\": \"2026-11-22T12:00:00.5+02:00\",", "\"branch\":\"other\",");
    assert!(Draft::strict(&again, &rules()).unwrap().same_content(&line));
    for (from, to) in [
        ("1.50", "1.51"),
        ("901234567890", "901234567891"),
        ("\"api\"", "\"apj\""),
        ("12:00:00.5", "12:00:00.6"),
        ("PROJ-123", "PROJ-124"),
        ("\"orchestrator\"", "\"orchestrator\",\"model\":\"opus\""),
        ("0d3a8a3b1c11", "0d3a8a3b1c12"),
    ] {
        let other = Draft::strict(&EVENT.replace(from, to), &rules()).unwrap();
        assert!(!other.same_content(&line), "{from} -> {to}");
    }
    assert!(!draft.same_content("{}") && !draft.same_content("nonsense"));
}

#[test]
fn imports_take_what_is_safe() {
    let sound = LenientDraft {
        event_type: "bead.claimed".into(),
        issue_key: "cg-5ol6".into(),
        session_id: "worker 3".into(),
        actor_type: "bot".into(),
        actor_id: "w\"3".into(),
        metadata: "{ \"n\" : 1e400, \"s\": \"\\ud800\" }".into(),
        ..LenientDraft::default()
    };
    let line = Draft::lenient(sound.clone()).unwrap().to_line(&stamp());
    assert!(
        line.contains(r#""actor":{"type":"bot","id":"w\"3"},"metadata":{"n":1e400,"s":"\ud800"}"#),
        "{line}"
    );

    let bad = LenientDraft {
        issue_key: "a/b".into(),
        metadata: "[]".into(),
        actor_id: "\n".into(),
        ..sound
    };
    let found: Vec<String> =
        Draft::lenient(bad).unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "/issue_key has a character that paths do not allow (/ \\ : * ? \" < > |)",
            "/actor/id has a control character",
            "/metadata must be an object, not an array",
        ]
    );
}
