//! `state`: what was true at a moment.

use clap::Args;
use serde::Serialize;

use crate::error::{Error, ErrorKind};
use crate::fold::State;
use crate::model::{Anomaly, Moment, Path, Position, Timestamp, Value};
use crate::query::expression::Expression;
use crate::session::Session;

use super::context::{Context, position};
use super::failure::Outcome;
use super::output::{Format, json_text};
use super::summary;

/// The flags of `state`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  chronoscope state PROJ-123\n  chronoscope state PROJ-123 --at -2h\n  chronoscope state PROJ-123 --at AgentFailed --path /agents/api-integ\n  chronoscope state PROJ-123 --assert '$state.orchestration.status == \"completed\"'\n  chronoscope state PROJ-123 --json | jq .state.orchestration"
)]
pub(crate) struct Flags {
    /// The issue
    pub issue: String,
    /// The moment; its end if not given
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true)]
    pub at: Option<String>,
    /// Only what stands at this JSON pointer
    #[arg(long, value_name = "POINTER")]
    pub path: Option<String>,
    /// Print nothing, and exit 8 unless this expression holds here
    #[arg(long, value_name = "EXPR", allow_hyphen_values = true, conflicts_with = "path")]
    pub assert: Option<String>,
}

/// The answer, in the order of the printed keys.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    issue_key: &'a str,
    position: Position,
    head: Position,
    event_sequence: Option<u64>,
    timestamp: Option<Timestamp>,
    digest: String,
    state: Value,
    anomalies: Vec<&'a Anomaly>,
}

pub(crate) fn run(context: &mut Context, flags: &Flags) -> Outcome {
    let assertion = flags.assert.as_deref().map(Expression::parse).transpose()?;
    let mut session = context.session(&flags.issue)?;
    let at = position(&mut session, flags.at.as_deref(), &Moment::End)?;
    if let Some(assertion) = assertion {
        return Ok(assert(&mut session, &assertion, at)?);
    }
    print(context, &mut session, at, flags.path.as_deref())
}

/// Prints what was true at a position: all of it, or what stands at a pointer.
pub(crate) fn print(
    context: &mut Context,
    session: &mut Session,
    at: Position,
    pointer: Option<&str>,
) -> Outcome {
    let state = session.state_at(at)?;
    let shown = pointer.map(|pointer| value_at(&state, pointer, at)).transpose()?;
    if context.out.format != Format::Text {
        return as_json(context, session, at, &state, shown);
    }
    match shown {
        Some(value) => print_value(context, &value),
        None => summary::print(context, session, at, &state),
    }
}

/// Fails unless the expression holds at a position.
fn assert(session: &mut Session, assertion: &Expression, at: Position) -> Result<(), Error> {
    let place = format!("at position {at} of {}", session.issue_key());
    let (message, details) = match session.evaluate(assertion, at)? {
        Ok(Some(_)) => return Ok(()),
        Ok(None) => (format!("the assertion is false {place}: {assertion}"), Value::Null),
        Err(fault) => {
            (format!("the assertion fails {place}: {fault}"), Value::from(fault.to_string()))
        }
    };
    let details = serde_json::json!({
        "expression": assertion.text(),
        "issue_key": session.issue_key(),
        "position": at,
        "fault": details.to_serde(),
    });
    Err(Error::new(ErrorKind::Assertion, message)
        .with_hint("`chronoscope why ISSUE POINTER` tells who wrote what it looks at")
        .with_details(details))
}

/// Prints a value for people: as indented JSON.
pub(crate) fn print_value(context: &mut Context, value: &Value) -> Outcome {
    Ok(context.out.line(json_text(value, true))?)
}

/// The value at a pointer.
pub(crate) fn value_at(state: &State, pointer: &str, at: Position) -> Result<Value, Error> {
    let path = path(pointer)?;
    if path.is_root() {
        return Ok(state.value());
    }
    state.value().at(&path).cloned().ok_or_else(|| {
        Error::not_found(format!("there is nothing at {pointer} in the state at position {at}"))
            .with_hint("`chronoscope why ISSUE POINTER` tells whether there ever was")
    })
}

/// Reads a JSON pointer.
pub(crate) fn path(pointer: &str) -> Result<Path, Error> {
    Path::parse(pointer).map_err(|fault| {
        Error::usage(fault.to_string()).with_hint("as in /agents/api-integ/status")
    })
}

fn as_json(
    context: &mut Context,
    session: &mut Session,
    at: Position,
    state: &State,
    shown: Option<Value>,
) -> Outcome {
    let event = if at == 0 { None } else { Some(session.event(at)?) };
    let answer = Answer {
        issue_key: session.issue_key(),
        position: at,
        head: session.head(),
        event_sequence: event.as_ref().and_then(|event| event.sequence),
        timestamp: event.as_ref().map(|event| event.at),
        digest: state.digest(),
        state: shown.unwrap_or_else(|| state.value()),
        anomalies: session.timeline().anomalies().iter().filter(|a| a.position <= at).collect(),
    };
    Ok(context.out.json(&answer)?)
}
