//! The fields of an event that filters look at, found with as little reading as possible.
//!
//! Lives here: the light reading of a line. A line in the form that chronoscope writes is read
//! from its beginning up to the metadata and believed; any other goes through
//! [`crate::model::envelope`]. May not live here: what is looked for.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use memchr::{memchr_iter, memmem};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::model::envelope::{self, Raw, Text};
use crate::model::{Kind, Timestamp};

/// What is known of one event without reading its metadata.
#[derive(Debug, Clone, Default)]
pub(crate) struct Header<'a> {
    pub(crate) id: Cow<'a, str>,
    /// The type as written; that of [`Kind::Unreadable`] for a line that is no event.
    pub(crate) type_name: Cow<'a, str>,
    pub(crate) session: Cow<'a, str>,
    pub(crate) correlation: Cow<'a, str>,
    pub(crate) actor_type: Cow<'a, str>,
    pub(crate) actor: Cow<'a, str>,
    /// Its own time, where it can be read.
    pub(crate) at: Option<Timestamp>,
    /// Text that begins with the metadata, as it stands in the log; what follows it does not
    /// matter.
    metadata: Cow<'a, [u8]>,
}

/// A text to look for, made ready once.
#[derive(Debug, Clone)]
pub(crate) struct Needle {
    pub(crate) text: String,
    finder: Finder<'static>,
    /// Whether JSON writes it in no other way than as it is, `\u` escapes aside.
    plain: bool,
}

impl Needle {
    pub(crate) fn new(text: &str) -> Self {
        let odd =
            |c: char| matches!(c, '"' | '\\' | '/' | char::REPLACEMENT_CHARACTER | '\0'..='\x1f');
        let finder = Finder::new(text.as_bytes()).into_owned();
        Self { text: text.to_owned(), finder, plain: !text.contains(odd) }
    }

    /// Whether a JSON text may hold a string with this content; false is certain.
    fn may_be_in(&self, json: &[u8]) -> bool {
        !self.plain || self.finder.find(json).is_some() || has_unicode_escape(json)
    }
}

static AGENT_NAME: LazyLock<Needle> = LazyLock::new(|| Needle::new("agent_name"));
static PHASE: LazyLock<Needle> = LazyLock::new(|| Needle::new("phase"));

/// Calls `each` with every event of a line and its place in it.
pub(crate) fn read_line<'a>(line: &'a [u8], mut each: impl FnMut(Header<'a>, Range<usize>)) {
    if let Some(header) = own_form(line) {
        each(header, 0..line.len());
        return;
    }
    for event in envelope::split_line(line) {
        let range = event.range.clone();
        if !event.is_object {
            each(unreadable(), range);
            continue;
        }
        match event.text {
            Cow::Borrowed(text) => each(general(text), range),
            Cow::Owned(text) => each(general(&text).into_owned(), range),
        }
    }
}

/// The header of a line that cannot be read or is too long to be.
pub(crate) fn unreadable() -> Header<'static> {
    Header { type_name: Cow::Borrowed(Kind::Unreadable.name()), ..Header::default() }
}

fn general(text: &str) -> Header<'_> {
    let (envelope, _) = envelope::read(text);
    let own = |text: Option<Text<'_>>| text.map(|t| t.0.into_owned());
    let take = |text: Option<Text<'_>>| Cow::Owned(own(text).unwrap_or_default());
    let at = envelope.timestamp.as_ref().and_then(|t| Timestamp::parse(t).ok());
    let actor = envelope.actor.unwrap_or_default();
    Header {
        id: take(envelope.event_id),
        type_name: take(envelope.event_type),
        session: take(envelope.session_id),
        correlation: take(envelope.correlation_id),
        actor_type: take(Some(actor.kind)),
        actor: take(Some(actor.id)),
        at,
        metadata: Cow::Borrowed(envelope.metadata.map_or("", Raw::get).as_bytes()),
    }
}

/// Reads a line that has the fields in the order in which chronoscope writes them, without
/// escapes before the metadata, and holds one event for sure.
fn own_form(line: &[u8]) -> Option<Header<'_>> {
    let mut rest = Rest(line);
    let id = rest.member(b"{\"event_id\":")?;
    let type_name = rest.member(b",\"event_type\":")?;
    rest.member(b",\"event_version\":")?;
    let at = Timestamp::parse(rest.member(b",\"timestamp\":")?).ok()?;
    rest.skip(b",\"event_sequence\":")?;
    let digits = rest.0.iter().take_while(|b| b.is_ascii_digit()).count();
    if !(1..=19).contains(&digits) {
        return None;
    }
    rest.0 = &rest.0[digits..];
    rest.member(b",\"issue_key\":")?;
    let session = rest.member(b",\"session_id\":")?;
    let correlation = rest.optional(b",\"correlation_id\":")?;
    rest.optional(b",\"causation_id\":")?;
    let actor_type = rest.member(b",\"actor\":{\"type\":")?;
    let actor = rest.member(b",\"id\":")?;
    rest.optional(b",\"model\":")?;
    rest.skip(b"},\"metadata\":")?;
    if !rest.0.starts_with(b"{") || rest.0.last() != Some(&b'}') || may_hold_several(rest.0) {
        return None;
    }
    Some(Header {
        id: id.into(),
        type_name: type_name.into(),
        session: session.into(),
        correlation: correlation.into(),
        actor_type: actor_type.into(),
        actor: actor.into(),
        at: Some(at),
        metadata: Cow::Borrowed(rest.0),
    })
}

/// What of a line is not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    /// Fixed lengths, so that each comparison is a few instructions.
    fn starts_with<const N: usize>(&self, text: &[u8; N]) -> bool {
        self.0.first_chunk::<N>() == Some(text)
    }

    fn skip<const N: usize>(&mut self, text: &[u8; N]) -> Option<()> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        (first == text).then_some(())
    }

    fn member<const N: usize>(&mut self, name: &[u8; N]) -> Option<&'a str> {
        self.skip(name)?;
        self.skip(b"\"")?;
        let (text, rest) = self.0.split_at_checked(string_end(self.0)?)?;
        self.0 = rest.strip_prefix(b"\"")?;
        std::str::from_utf8(text).ok()
    }

    /// The member if it is the next one; empty if it is not. None when it is no plain string.
    fn optional<const N: usize>(&mut self, name: &[u8; N]) -> Option<&'a str> {
        if self.starts_with(name) { self.member(name) } else { Some("") }
    }
}

/// Where the first quote or backslash stands. The strings before the metadata are short: eight
/// bytes at a time are quicker here than a search that must get going.
fn string_end(bytes: &[u8]) -> Option<usize> {
    const LOW: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let zeros = |x: u64| x.wrapping_sub(LOW) & !x & HIGH;
    let (eights, rest) = bytes.as_chunks::<8>();
    for (at, eight) in eights.iter().enumerate() {
        let word = u64::from_le_bytes(*eight);
        let quotes = zeros(word ^ u64::from_ne_bytes([b'"'; 8]));
        let backslashes = zeros(word ^ u64::from_ne_bytes([b'\\'; 8]));
        // Marks above the lowest may be wrong; the lowest of each never is.
        let hits = quotes | backslashes;
        if hits != 0 {
            return Some(at * 8 + hits.trailing_zeros() as usize / 8);
        }
    }
    let at = rest.iter().position(|b| matches!(b, b'"' | b'\\'))?;
    Some(bytes.len() - rest.len() + at)
}

/// Whether a second object may follow on the line: a closing brace with an opening one after it.
/// Inside of an object that cannot be, but for braces in strings.
fn may_hold_several(text: &[u8]) -> bool {
    memchr_iter(b'}', text).any(|at| {
        let after = text[at + 1..].iter().find(|b| !b.is_ascii_whitespace());
        after == Some(&b'{')
    })
}

impl<'a> Header<'a> {
    fn into_owned<'b>(self) -> Header<'b> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let metadata = Cow::Owned(self.metadata.into_owned());
        Header {
            id: own(self.id),
            type_name: own(self.type_name),
            session: own(self.session),
            correlation: own(self.correlation),
            actor_type: own(self.actor_type),
            actor: own(self.actor),
            at: self.at,
            metadata,
        }
    }

    /// Whether this is no event but a line that could not be read.
    pub(crate) fn is_unreadable(&self) -> bool {
        self.type_name == Kind::Unreadable.name()
    }

    /// What happened.
    pub(crate) fn kind(&self) -> Kind {
        if self.is_unreadable() { Kind::Unreadable } else { Kind::from_name(&self.type_name) }
    }

    /// Reads the metadata; bytes that are not UTF-8 are replaced, as everywhere.
    fn read(&self, get: impl Fn(&str) -> Option<Cow<'_, str>>) -> Option<Cow<'_, str>> {
        match String::from_utf8_lossy(&self.metadata) {
            Cow::Borrowed(text) => get(text),
            Cow::Owned(text) => get(&text).map(|found| Cow::Owned(found.into_owned())),
        }
    }

    /// The text of a string in the metadata.
    fn text(&self, field: &Needle) -> Option<Cow<'_, str>> {
        if !field.may_be_in(&self.metadata) {
            return None;
        }
        self.read(|json| string(member(json, &field.text)?))
    }

    /// A value of the metadata by its name, or by names joined by dots: the text of a string, the
    /// JSON of anything else; none where it is absent or null.
    pub(crate) fn value(&self, path: &str) -> Option<Cow<'_, str>> {
        self.read(|json| {
            // A name that holds a dot itself comes first.
            if let Some(raw) = member(json, path) {
                return shown(raw.get());
            }
            let mut names = path.split('.');
            let first = member(json, names.next()?)?;
            shown(names.try_fold(first, |at, name| member(at.get(), name))?.get())
        })
    }

    /// The agent it speaks of (as [`Header::agent`]), and the phase that its metadata names: both
    /// from one pass.
    pub(crate) fn agent_and_phase(&self) -> (Cow<'_, str>, Cow<'_, str>) {
        let fields = [&*AGENT_NAME, &*PHASE];
        if !fields.iter().any(|field| field.may_be_in(&self.metadata)) {
            return (self.acting_agent(), Cow::Borrowed(""));
        }
        let Ok(json) = std::str::from_utf8(&self.metadata) else {
            return (self.agent(), self.phase().unwrap_or_default());
        };
        let [agent, phase] = members(json, fields.map(|field| &*field.text));
        let agent = agent.and_then(string).unwrap_or_else(|| self.acting_agent());
        (agent, phase.and_then(string).unwrap_or_default())
    }

    /// The phase that the metadata names.
    pub(crate) fn phase(&self) -> Option<Cow<'_, str>> {
        self.text(&PHASE)
    }

    /// The agent it speaks of: `metadata.agent_name`, else an acting agent's own name; empty
    /// where there is neither.
    pub(crate) fn agent(&self) -> Cow<'_, str> {
        self.text(&AGENT_NAME).unwrap_or_else(|| self.acting_agent())
    }

    fn acting_agent(&self) -> Cow<'_, str> {
        Cow::Borrowed(if self.actor_type == "agent" { &*self.actor } else { "" })
    }

    /// Whether the agent may be one of these; false is certain.
    pub(crate) fn agent_may_be(&self, names: &[Needle]) -> bool {
        names.iter().any(|n| self.actor == n.text || n.may_be_in(&self.metadata))
    }

    /// The phase that this event puts into force.
    pub(crate) fn enters(&self) -> Option<Cow<'_, str>> {
        match &*self.type_name {
            "PhaseStarted" | "PhaseRetried" => self.phase(),
            "OrchestrationStarted" => self.text(&Needle::new("initial_phase")),
            "OrchestrationResumed" => self.text(&Needle::new("resume_phase")),
            _ => None,
        }
    }
}

/// Whether a JSON text has an escape that may stand for any letter.
fn has_unicode_escape(json: &[u8]) -> bool {
    memchr::memchr(b'\\', json).is_some_and(|at| memmem::find(&json[at..], b"\\u").is_some())
}

/// The value of a member of the object that `json` begins with; the last one of that name.
fn member<'a>(json: &'a str, name: &str) -> Option<&'a RawValue> {
    let [found] = members(json, [name]);
    found
}

/// The values of some members of the object that `json` begins with; the last one of each name.
fn members<'a, const N: usize>(json: &'a str, names: [&str; N]) -> [Option<&'a RawValue>; N] {
    struct V<'n, const N: usize>([&'n str; N]);
    impl<'de, const N: usize> Visitor<'de> for V<'_, N> {
        type Value = [Option<&'de RawValue>; N];
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = [None; N];
            while let Some((key, value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                for (name, found) in self.0.iter().zip(&mut found) {
                    if *key == **name {
                        *found = Some(value);
                    }
                }
            }
            Ok(found)
        }
    }
    serde_json::Deserializer::from_str(json).deserialize_map(V(names)).unwrap_or([None; N])
}

fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(raw.get()).ok().map(|text| text.0)
}

fn shown(json: &str) -> Option<Cow<'_, str>> {
    match json.as_bytes().first() {
        None | Some(b'n') => None,
        Some(b'"') => serde_json::from_str::<Text<'_>>(json).ok().map(|text| text.0),
        Some(_) => Some(Cow::Borrowed(json)),
    }
}

#[cfg(test)]
mod tests {
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
}
