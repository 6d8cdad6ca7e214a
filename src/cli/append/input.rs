//! The events to append, as JSON texts: from flags, or from stdin with what flags fill in.
//!
//! Lives here: telling one object, several, lines and arrays apart; the fields that flags and
//! environment give. May not live here: checking events.

use std::io::Read;
use std::path::Path;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::model::envelope::Fields;

use super::{Flags, metadata, stdin_is_terminal};

/// One event as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventInput {
    /// Its text, with what the flags fill in.
    pub(crate) json: String,
    /// Which one of the batch, from 1.
    pub(crate) number: usize,
    /// Its line on stdin, from 1, where each event has a line.
    pub(crate) line: Option<usize>,
}

impl EventInput {
    /// Where it stands, for messages.
    pub(crate) fn place(&self) -> String {
        match self.line {
            Some(line) => format!("line {line}"),
            None => format!("event {}", self.number),
        }
    }
}

/// The events of one batch.
pub(crate) fn texts(flags: &Flags) -> Result<Vec<EventInput>> {
    if flags.kind.is_some() {
        let json = from_flags(flags)?;
        return Ok(vec![EventInput { json, number: 1, line: None }]);
    }
    refuse_single_flags(flags)?;
    if stdin_is_terminal() {
        return Err(Error::usage("there is no event to append")
            .with_hint("give --type, or pipe JSON events in; see `chronoscope append --help`"));
    }
    let given = Given::of(flags)?;
    let text = read_stdin()?;
    let mut events = split(&text);
    for event in &mut events {
        event.json = given.fill(&event.json);
    }
    Ok(events)
}

fn read_stdin() -> Result<String> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().read_to_end(&mut bytes);
    read.map_err(|e| Error::io("read", Path::new("the standard input"), &e))?;
    String::from_utf8(bytes).map_err(|e| {
        let sound = e.as_bytes().get(..e.utf8_error().valid_up_to()).unwrap_or_default();
        let line = 1 + sound.iter().filter(|byte| **byte == b'\n').count();
        let at = sound.len();
        let message =
            format!("stdin is not UTF-8 in line {line}, at byte {at}; nothing was written");
        Error::new(crate::error::ErrorKind::Invalid, message)
            .with_hint("events are UTF-8: convert them, as with iconv -t UTF-8")
    })
}

/// Flags that speak of one event make no sense for several.
pub(crate) fn refuse_single_flags(flags: &Flags) -> Result<()> {
    let single = [
        (!flags.meta.is_empty(), "--meta"),
        (flags.metadata.is_some(), "--metadata"),
        (flags.event_id.is_some(), "--event-id"),
        (flags.timestamp.is_some(), "--timestamp"),
    ];
    match single.iter().find(|(given, _)| *given) {
        None => Ok(()),
        Some((_, flag)) => Err(Error::usage(format!("{flag} needs --type"))
            .with_hint("it is for an event from flags; events on stdin say it themselves")),
    }
}

/// The texts of the events in `text`: an array of them, one a line, or any objects in a row.
fn split(text: &str) -> Vec<EventInput> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('[')
        && let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(text)
    {
        return number(items.iter().map(|raw| (raw.get(), None)));
    }
    let whole = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let several: Result<Vec<&RawValue>, _> = whole.collect();
    let lines = || text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let is_json = |line: &str| serde_json::from_str::<&RawValue>(line).is_ok();
    match several {
        // Events that each have a line of their own are told by it; so are lines of which some
        // cannot be read.
        Ok(items) if lines().count() != items.len() => {
            number(items.iter().map(|raw| (raw.get(), None)))
        }
        Err(_) if !lines().next().is_some_and(|(_, line)| is_json(line)) => {
            number(std::iter::once((text, None)))
        }
        _ => number(lines().map(|(index, line)| (line, Some(index + 1)))),
    }
}

fn number<'a>(texts: impl Iterator<Item = (&'a str, Option<usize>)>) -> Vec<EventInput> {
    let event = |(index, (json, line)): (usize, (&str, Option<usize>))| EventInput {
        json: json.to_owned(),
        number: index + 1,
        line,
    };
    texts.enumerate().map(event).collect()
}

/// The fields that flags and environment give to events that lack them.
#[derive(Debug)]
pub(crate) struct Given(Vec<(&'static str, String)>);

impl Given {
    pub(crate) fn of(flags: &Flags) -> Result<Self> {
        let mut fields = Vec::new();
        let mut text = |name, value: Option<&String>| {
            if let Some(value) = value.filter(|v| !v.is_empty()) {
                fields.push((name, Value::from(value.as_str()).to_string()));
            }
        };
        text("issue_key", flags.issue.as_ref());
        text("session_id", flags.session.as_ref());
        text("correlation_id", flags.correlation.as_ref());
        text("causation_id", flags.causation.as_ref());
        if let Some(actor) = flags.actor.as_deref().filter(|a| !a.is_empty()) {
            fields.push(("actor", self::actor(actor)?));
        }
        Ok(Self(fields))
    }

    /// The event with the fields that it lacks. A text that is no object stays as it is: checking
    /// it says what is wrong.
    pub(crate) fn fill(&self, json: &str) -> String {
        let json = json.trim();
        if self.0.is_empty() {
            return json.to_owned();
        }
        let Ok(fields) = serde_json::from_str::<Fields<'_>>(json) else { return json.to_owned() };
        let lacks = |name: &str| fields.0.iter().all(|(key, _)| key != name);
        let mut members: Vec<String> = (self.0.iter())
            .filter(|(name, _)| lacks(name))
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        if members.is_empty() {
            return json.to_owned();
        }
        let inside = json.strip_prefix('{').and_then(|j| j.strip_suffix('}')).unwrap_or_default();
        if !inside.trim().is_empty() {
            members.push(inside.to_owned());
        }
        format!("{{{}}}", members.join(","))
    }
}

/// The text of an event made of flags alone.
fn from_flags(flags: &Flags) -> Result<String> {
    let mut members: Vec<String> = Vec::new();
    let mut text = |name: &str, value: Option<&String>| {
        if let Some(value) = value {
            members.push(format!("\"{name}\":{}", Value::from(value.as_str())));
        }
    };
    text("event_id", flags.event_id.as_ref());
    text("event_type", flags.kind.as_ref());
    text("timestamp", flags.timestamp.as_ref());
    for (name, value) in Given::of(flags)?.0 {
        members.push(format!("\"{name}\":{value}"));
    }
    let base = flags.metadata.as_deref().map(read_metadata).transpose()?;
    let metadata = metadata::build(base.as_deref(), &flags.meta)?;
    members.push(format!("\"metadata\":{metadata}"));
    Ok(format!("{{{}}}", members.join(",")))
}

fn read_metadata(given: &str) -> Result<String> {
    match given.strip_prefix('@') {
        None => Ok(given.to_owned()),
        Some("-") => read_stdin(),
        Some(path) => std::fs::read_to_string(path)
            .map_err(|e| Error::usage(format!("--metadata @{path}: {e}"))),
    }
}

/// `agent:api-integ@sonnet` as the envelope has it. What is not right is left to the check.
fn actor(text: &str) -> Result<String> {
    let Some((kind, rest)) = text.split_once(':') else {
        return Err(Error::usage(format!("--actor {text:?} has no type"))
            .with_hint("as in user:jane, system:orchestrator or agent:api-integ@sonnet"));
    };
    let (id, model) = rest.rsplit_once('@').map_or((rest, None), |(id, model)| (id, Some(model)));
    // An e-mail address is a name, not a name and a model; nor is a URL, which may hold a password.
    let named = kind == "agent" && !rest.contains("://");
    let (id, model) = if named { (id, model) } else { (rest, None) };
    let mut out = format!("{{\"type\":{},\"id\":{}", Value::from(kind), Value::from(id));
    if let Some(model) = model {
        out += &format!(",\"model\":{}", Value::from(model));
    }
    Ok(out + "}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<(String, Option<usize>)> {
        split(text).into_iter().map(|event| (event.json, event.line)).collect()
    }

    #[test]
    fn one_object_several_lines_and_arrays() {
        assert_eq!(parts("{\n \"a\": 1\n}\n"), [("{\n \"a\": 1\n}".into(), None)]);
        assert_eq!(
            parts("{\"a\":1}\n\n{\"a\":2}\n"),
            [("{\"a\":1}".into(), Some(1)), ("{\"a\":2}".into(), Some(3))]
        );
        assert_eq!(parts(" [{\"a\":1}, {\"b\":2}]").len(), 2);
        assert_eq!(parts("{\"a\":\n1}\n{\"a\":2}").len(), 2);
        assert!(parts("").is_empty() && parts("\n \n").is_empty() && parts("[]").is_empty());
    }

    #[test]
    fn a_bad_line_keeps_its_number_and_the_others() {
        let found = parts("{\"a\":1}\n{\"b\":\n{\"c\":3}\n");
        assert_eq!(found.len(), 3);
        assert_eq!(found[1], ("{\"b\":".into(), Some(2)));
        assert_eq!(parts("not json").len(), 1);
    }

    #[test]
    fn flags_fill_in_only_what_is_not_there() {
        let given = Given(vec![("issue_key", "\"P-1\"".into()), ("session_id", "\"s\"".into())]);
        assert_eq!(
            given.fill("{ \"issue_key\": \"Q-2\" }"),
            "{\"session_id\":\"s\", \"issue_key\": \"Q-2\" }"
        );
        assert_eq!(given.fill("{}"), "{\"issue_key\":\"P-1\",\"session_id\":\"s\"}");
        assert_eq!(given.fill("[1"), "[1");
    }

    #[test]
    fn actors() {
        assert_eq!(
            actor("agent:a@b@opus").unwrap(),
            r#"{"type":"agent","id":"a@b","model":"opus"}"#
        );
        assert_eq!(actor("user:jane@x.org").unwrap(), r#"{"type":"user","id":"jane@x.org"}"#);
        assert_eq!(actor("agent:a://b:c@d").unwrap(), r#"{"type":"agent","id":"a://b:c@d"}"#);
        assert!(actor("jane").is_err());
    }
}
