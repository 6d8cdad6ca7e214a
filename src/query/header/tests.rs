use super::*;

const LINE: &str = r#"{"event_id":"e1","event_type":"AgentFailed","event_version":"1.0.0","timestamp":"2026-01-01T00:00:01.000Z","event_sequence":1,"issue_key":"P-1","session_id":"s","correlation_id":"c","actor":{"type":"agent","id":"a","model":"m"},"metadata":{"agent_name":"b","phase":"CODE","n":{"deep":[1]},"d.e":true}}"#;

fn headers(line: &str) -> Vec<Header<'_>> {
    let mut all = Vec::new();
    read_line(line.as_bytes(), |header, _| all.push(header));
    all
}

#[test]
fn both_ways_of_reading_agree() {
    let spaced = LINE.replacen("{\"event_id\"", "{ \"event_id\"", 1);
    assert!(own_form(LINE.as_bytes()).is_some() && own_form(spaced.as_bytes()).is_none());
    for line in [LINE, &spaced] {
        let all = headers(line);
        let [header] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!(
            [&header.id, &header.type_name, &header.session, &header.correlation],
            ["e1", "AgentFailed", "s", "c"]
        );
        assert_eq!([&header.actor_type, &header.actor], ["agent", "a"]);
        assert_eq!(header.agent(), "b");
        assert_eq!(header.phase().unwrap(), "CODE");
        assert_eq!(header.agent_and_phase(), ("b".into(), "CODE".into()));
        assert_eq!(header.value("n.deep").unwrap(), "[1]");
        assert_eq!(header.value("d.e").unwrap(), "true");
        assert_eq!(header.value("n.none"), None);
        assert_eq!(header.at.unwrap().millis(), 1_767_225_601_000);
    }
}

#[test]
fn several_events_on_a_line_are_several() {
    for between in ["", " ", "\t "] {
        assert_eq!(headers(&format!("{LINE}{between}{LINE}")).len(), 2, "{between:?}");
    }
    let brace_in_text = LINE.replace("CODE", "} {");
    assert_eq!(headers(&brace_in_text).len(), 1);
}

#[test]
fn what_is_no_event_says_so() {
    for line in ["nonsense", "[1]", r#"{"event_id":"x","#, "\0\0"] {
        let all = headers(line);
        assert!(all.len() == 1 && all[0].is_unreadable(), "{line:?}");
    }
    assert!(headers("  ").is_empty());
}

#[test]
fn escaped_names_are_found() {
    let line = LINE.replace("\"b\"", r#""\u0062""#).replace("agent_name", r"agent\u005fname");
    let all = headers(&line);
    assert_eq!(all[0].agent(), "b");
    assert!(all[0].agent_may_be(&[Needle::new("b")]));
    assert!(!headers(LINE)[0].agent_may_be(&[Needle::new("zzz")]));
}

#[test]
fn bytes_that_are_not_text_hide_nothing() {
    let mut line = LINE.as_bytes().to_vec();
    let at = memmem::find(&line, b"[1]").unwrap();
    line.splice(at..at + 3, *b"\"\xff\"");
    let mut agents = Vec::new();
    read_line(&line, |header, _| agents.push(header.agent().into_owned()));
    assert_eq!(agents, ["b"]);
}

proptest::proptest! {
    #[test]
    fn the_end_of_a_string_is_the_first_mark(text in "[a\"\\\\!#\u{22a1}]{0,40}") {
        let expected = text.bytes().position(|b| b == b'"' || b == b'\\');
        proptest::prop_assert_eq!(string_end(text.as_bytes()), expected);
    }
}
