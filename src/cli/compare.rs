//! `compare`: where two runs part.

use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::diff::DiffEntry;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Path, Value};
use crate::session::compare::{Divergence, Side, compare};

use super::context::Context;
use super::failure::Outcome;
use super::output::{Format, Role, escape};
use super::reference::EventRef;

/// The flags of `compare`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  chronoscope compare PROJ-123 PROJ-124\n  chronoscope compare PROJ-123/5e551000 PROJ-123/77aa0190\n  chronoscope compare PROJ-123 PROJ-123@without-the-timeout --assert-equal\n\nA side is an issue, an issue/session (the beginning of its id will do), or an issue@branch. Events\nare aligned by what happened: types, and names of agents, phases, tasks and suites. Ids, times,\nhashes and prose are not compared."
)]
pub(crate) struct Flags {
    /// The one side
    pub a: String,
    /// The other
    pub b: String,
    /// Exit 8 if they differ
    #[arg(long)]
    pub assert_equal: bool,
}

#[derive(Debug, Serialize)]
struct FirstEvent {
    a: Option<EventRef>,
    b: Option<EventRef>,
}

#[derive(Debug, Serialize)]
struct FirstPath {
    path: Path,
    a: Option<Value>,
    b: Option<Value>,
}

/// The answer, in the order of the printed keys.
#[derive(Debug, Serialize)]
struct Answer {
    equal: bool,
    first_event: Option<FirstEvent>,
    first_path: Option<FirstPath>,
    only_a: u64,
    only_b: u64,
    changed: Vec<DiffEntry>,
}

pub(crate) fn run(context: &mut Context, flags: &Flags) -> Outcome {
    let (mut a, mut b) = (side(context, &flags.a)?, side(context, &flags.b)?);
    let divergence = compare(&mut a, &mut b)?;
    let equal = divergence.is_equal();
    let answer = answer(divergence);
    match context.out.format {
        Format::Text => as_text(context, flags, &answer)?,
        _ => context.out.json(&answer)?,
    }
    if flags.assert_equal && !equal {
        context.out.flush()?;
        let message = format!("{} and {} differ", flags.a, flags.b);
        return Err(Error::new(ErrorKind::Assertion, message)
            .with_details(json!({"only_a": answer.only_a, "only_b": answer.only_b}))
            .into());
    }
    Ok(())
}

/// The events that a text means.
fn side(context: &Context, text: &str) -> Result<Side> {
    let branch = |issue: &str, name: &str| super::branch::load(context, issue, name);
    Side::open(text, |issue| context.session(issue), branch)
}

fn answer(divergence: Divergence) -> Answer {
    let equal = divergence.is_equal();
    let reference = |event: Option<crate::model::Event>| event.as_ref().map(EventRef::of);
    Answer {
        equal,
        first_event: divergence
            .first_event
            .map(|(a, b)| FirstEvent { a: reference(a), b: reference(b) }),
        first_path: divergence.first_path.map(|(path, a, b)| FirstPath { path, a, b }),
        only_a: divergence.only_a,
        only_b: divergence.only_b,
        changed: divergence.changed,
    }
}

fn as_text(context: &mut Context, flags: &Flags, answer: &Answer) -> Outcome {
    let paint = context.out.paint;
    if answer.equal {
        return Ok(context.out.line("what happened, and what came of it, is the same")?);
    }
    let name = |text: &str| paint.of(Role::Name, &escape(text));
    if let Some(first) = &answer.first_event {
        context.out.line(paint.of(Role::Strong, "they part at"))?;
        for (side, event) in [(&flags.a, &first.a), (&flags.b, &first.b)] {
            let text = match event {
                Some(event) => {
                    format!("#{} {}: {}", event.position, event.event_type, event.summary)
                }
                None => "(nothing there)".to_owned(),
            };
            context.out.line(format!("  {}  {}", name(side), escape(&text)))?;
        }
    }
    if let Some(first) = &answer.first_path {
        let shown = |value: &Option<Value>| {
            value
                .as_ref()
                .map_or_else(|| "(nothing)".to_owned(), |v| escape(&super::diff::shown(v)))
        };
        let text = format!("{}: {} and {}", first.path, shown(&first.a), shown(&first.b));
        context.out.line(format!("the first difference of the states: {text}"))?;
    }
    let counts = format!("{} events only here, {} only there", answer.only_a, answer.only_b);
    context.out.line(paint.of(Role::Dim, &counts))?;
    Ok(answer.changed.iter().try_for_each(|entry| super::diff::line(context, entry))?)
}
