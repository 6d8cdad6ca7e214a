use super::super::redact::support::secrets;
use super::super::{LenientDraft, RedactionMode, upcast};
use super::*;
use crate::model::envelope;

const KEY: &str = "P-1";

/// A line with everything that one can have, for the sequence number 3.
const FULL: &str = r#"{"event_id":"e1","event_type":"AgentSpawned","event_version":"1.0.0","timestamp":"2026-01-01T00:00:00.000Z","event_sequence":3,"issue_key":"P-1","session_id":"s","correlation_id":"c","causation_id":"d","actor":{"type":"agent","id":"ä","model":"m"},"metadata":{"x":[1.50,"a b"]},"git_sha":"abc","branch":"main","codebase_state":{"files":1}}"#;

/// What is kept of a line, and its draft's own line.
fn both(line: &str, redactor: &Redactor) -> (Option<String>, Option<String>) {
    let (envelope, _) = envelope::read(line);
    let own = |text: &Option<Text<'_>>| text.as_ref().map(|text| text.to_string());
    let actor = envelope.actor.clone().unwrap_or_default();
    let draft = Draft::lenient(LenientDraft {
        event_id: own(&envelope.event_id),
        event_type: own(&envelope.event_type).unwrap_or_default(),
        event_version: own(&envelope.event_version),
        timestamp: envelope.timestamp.as_deref().and_then(|text| Timestamp::parse(text).ok()),
        issue_key: KEY.to_owned(),
        session_id: own(&envelope.session_id).unwrap_or_default(),
        correlation_id: own(&envelope.correlation_id),
        causation_id: own(&envelope.causation_id),
        actor_type: actor.kind.to_string(),
        actor_id: actor.id.to_string(),
        model: own(&actor.model),
        metadata: envelope.metadata.map_or_else(|| "{}".to_owned(), |raw| raw.get().to_owned()),
        git_sha: own(&envelope.git_sha),
        branch: own(&envelope.branch),
        codebase_state: envelope.codebase_state.map(|raw| raw.get().to_owned()),
    });
    let mut lines = Lines::new(KEY, 3);
    let sound = upcast::read_sound(line.as_bytes(), 1, Timestamp::default());
    let taken = sound.is_some_and(|sound| lines.add_as_it_is(&sound, redactor));
    let as_it_is = taken.then(|| text(&lines, 0));
    let made = draft.and_then(|draft| draft.without_secrets(redactor)).ok().map(|draft| {
        let mut lines = Lines::new(KEY, 3);
        lines.add(&draft);
        text(&lines, 0)
    });
    (as_it_is, made)
}

fn text(lines: &Lines, number: usize) -> String {
    String::from_utf8(lines.line(number).unwrap().to_vec()).unwrap()
}

#[test]
fn a_line_is_taken_as_it_is_where_its_draft_would_become_it() {
    let least = r#"{"event_id":"e1","event_type":"X","event_version":"9","timestamp":"2026-01-01T00:00:00.000Z","event_sequence":3,"issue_key":"P-1","session_id":"s","actor":{"type":"t","id":"i"},"metadata":{}}"#;
    for line in [FULL, least] {
        let (as_it_is, made) = both(line, &Redactor::default());
        assert_eq!(as_it_is.as_deref(), Some(line));
        assert_eq!(made.as_deref(), Some(line));
    }
}

/// The line without what does not count: white space, the order of members, how a time is written.
fn meant(line: &str) -> serde_json::Value {
    let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
    let at = Timestamp::parse(value["timestamp"].as_str().unwrap()).unwrap();
    value["timestamp"] = at.to_string().into();
    value.as_object_mut().unwrap().retain(|_, member| !member.is_null());
    value
}

#[test]
fn a_line_that_says_the_same_is_taken_as_it_is_too() {
    for (from, to) in [
        (r#""event_sequence":3"#, r#""event_sequence": 3 "#),
        ("00:00:00.000Z", "00:00:00Z"),
        ("00:00:00.000Z", "01:00:00.000+01:00"),
        (r#""x":[1.50"#, r#""x": [ 1.50"#),
        (r#"{"files":1}"#, r#"{ "files" : 1 }"#),
        (r#","git_sha":"abc""#, ""),
        (r#"{"event_id":"e1",""#, r#"{"branch":"b2","event_id":"e1",""#),
        (r#"{"type":"agent","id":"ä","#, r#"{"id":"ä", "type":"agent","#),
        (r#""id":"ä""#, r#""id":"\u00e4""#),
        (r#""correlation_id":"c""#, r#""correlation_id":null"#),
        (r#"{"event_id""#, r#" {"event_id""#),
        (r#"{"files":1}}"#, "{\"files\":1}} \r"),
    ] {
        let line = FULL.replacen(from, to, 1).replacen(r#","branch":"main""#, "", 1);
        assert_ne!(line, FULL, "{from}");
        let (as_it_is, made) = both(&line, &Redactor::default());
        assert_eq!(as_it_is.as_deref(), Some(line.trim()), "but for the blanks around it");
        assert_eq!(meant(&made.unwrap()), meant(&line));
    }
    let spaced = FULL.replace(',', ", ").replace("\":", "\": ");
    assert_eq!(both(&spaced, &Redactor::default()).0.as_deref(), Some(&*spaced));
}

#[test]
fn every_other_line_is_left_to_its_draft() {
    for (from, to) in [
        (r#""event_sequence":3"#, r#""event_sequence":4"#),
        (r#""event_sequence":3"#, r#""event_sequence":3.0"#),
        (r#""event_sequence":3,"#, ""),
        (r#""issue_key":"P-1""#, r#""issue_key":"P-2""#),
        (r#""event_id":"e1","#, ""),
        (r#""event_id":"e1","#, r#""event_id":"e1","event_id":"e1","#),
        (r#""event_id":"e1""#, r#""event_id":"""#),
        (r#""event_id":"e1""#, r#""event_id":"\u0065\u0031""#),
        (r#""event_version":"1.0.0","#, ""),
        ("2026-01-01T", "yesterday"),
        (r#""session_id":"s""#, "\"session_id\":\"\u{7f}\""),
        (r#""correlation_id":"c""#, r#""correlation_id":"""#),
        (r#""model":"m""#, r#""model":"m","mood":"good""#),
        (r#""metadata":{"x":[1.50,"a b"]}"#, r#""metadata":[]"#),
        (r#""branch":"main""#, r#""branch":"main","more":1"#),
        (r#""codebase_state":{"files":1}"#, r#""codebase_state":7"#),
    ] {
        let line = FULL.replacen(from, to, 1);
        assert_ne!(line, FULL, "{from}");
        assert_eq!(both(&line, &Redactor::default()).0, None, "{line}");
    }
    let long = FULL.replacen("\"s\"", &format!("\"{}\"", "s".repeat(501)), 1);
    assert_eq!(both(&long, &Redactor::default()), (None, None));
}

/// What a draft would have a secret taken out of is never taken as it is, wherever that stands.
#[test]
fn no_line_with_a_secret_is_taken_as_it_is() {
    let places = ["e1", "AgentSpawned", "\"s\"", "\"c\"", "\"d\"", "ä", "\"m\"", "a b", "main"];
    let off = Redactor::new(RedactionMode::Off, &[]).unwrap();
    let mut found = 0;
    for (secret, name) in secrets() {
        for place in places {
            let quoted = place.starts_with('"');
            let with = if quoted { format!("\"{secret}\"") } else { secret.clone() };
            let line = FULL.replacen(place, &with, 1);
            let (as_it_is, made) = both(&line, &Redactor::default());
            let spaced = line.replacen("{\"x\":", "{ \"x\" : ", 1);
            if made.as_ref() != Some(&line) {
                found += 1;
                assert_eq!(as_it_is, None, "{name} in place of {place}");
                assert_eq!(both(&spaced, &Redactor::default()).0, None, "{name} in {place}");
            }
            assert_eq!(both(&line, &off).0, Some(line), "{name} in place of {place}");
            assert_eq!(both(&spaced, &off).0, Some(spaced), "{name} in place of {place}");
        }
    }
    assert!(found > 200, "{found}");
    let own = Redactor::new(RedactionMode::Redact, &["ä".to_owned()]).unwrap();
    let (as_it_is, made) = both(FULL, &own);
    assert!(as_it_is.is_none() && made.unwrap().contains("[redacted:custom]"));
}

#[test]
fn lines_are_numbered_and_the_first_can_be_left_out() {
    let (mut lines, redactor) = (Lines::new(KEY, 3), Redactor::default());
    for sequence in 3..6 {
        let line = FULL.replace("\"event_sequence\":3", &format!("\"event_sequence\":{sequence}"));
        let sound = upcast::read_sound(line.as_bytes(), 1, Timestamp::default()).unwrap();
        assert!(lines.add_as_it_is(&sound, &redactor));
    }
    let all: Vec<String> = (0..3).map(|number| text(&lines, number)).collect();
    assert_eq!((lines.len(), lines.first(), lines.next()), (3, 3, 6));
    assert_eq!(lines.line(3), None);
    assert_eq!(lines.bytes(), (all.join("\n") + "\n").as_bytes());
    let rest = lines.clone().without_first(2);
    assert_eq!((rest.len(), rest.first(), rest.next()), (1, 5, 6));
    assert_eq!(text(&rest, 0), all[2]);
    for count in [3, 4] {
        let none = lines.clone().without_first(count);
        assert!(none.is_empty() && none.bytes().is_empty() && none.first() == 6);
    }
}
