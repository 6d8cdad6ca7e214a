//! The one language of filters, breakpoints, `find`, `--assert` and `--where`: jq's, over an event
//! and the states after and before it.
//!
//! Lives here: [`Expression`], compiled once and evaluated on any number of events. May not live
//! here: which events it is put to (see [`crate::session`]).
//!
//! An expression cannot write, define functions, read the environment or the clock, or run without
//! end: what it may call is one table ([`FUNCTIONS`]), and what one evaluation looks at is counted.

mod check;
mod examples;
mod fuel;
mod functions;
mod natives;
mod predicate;
#[cfg(test)]
mod tests;
mod val;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use jaq_core::load::{Arena, File, Lexer, Loader, Parser, lex, parse, span};
use jaq_core::{Compiler, Ctx, Filter, Vars};

pub use check::Reads;
pub use examples::{EXAMPLES, Example};
pub use functions::{FUNCTIONS, Function};
pub use predicate::{Faults, Where, faults_told};

use crate::error::{Error, Result};
use crate::model::Value;
use check::{BEFORE, Refused, STATE};
use natives::Data;
use val::Val;

/// The longest expression, in bytes.
pub const MAX_BYTES: usize = 4096;
/// How deep brackets may be nested in one.
pub const MAX_NESTING: usize = 64;

/// How many words, numbers and signs one may have: what reads and runs them descends with them.
pub const MAX_TOKENS: usize = 400;

/// What an expression is put to.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The event, as JSON; null for a line that is no event.
    pub event: &'a Value,
    /// The state after it.
    pub state: &'a Value,
    /// The state before it.
    pub before: &'a Value,
}

/// Why an evaluation gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EvaluationFault {
    /// The expression does not fit what it was put to, e.g. a number is asked for its keys.
    Failed(String),
    /// It looked at more values than one evaluation may.
    TooMuch,
    /// Somebody asked for it to stop.
    Stopped,
}

impl fmt::Display for EvaluationFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(why) => f.write_str(why),
            Self::TooMuch => write!(f, "it looks at more than {} values", fuel::LIMIT),
            Self::Stopped => f.write_str("it was stopped"),
        }
    }
}

/// A compiled expression. To clone it costs nothing; threads may share it.
#[derive(Clone)]
pub struct Expression(Arc<Compiled>);

struct Compiled {
    text: String,
    filter: Filter<Data>,
    reads: Reads,
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.0.text).finish()
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    /// Usage, when it is no expression of the language; the message has a caret under the place.
    pub fn parse(text: &str) -> Result<Self> {
        bounded(text).map_err(|refused| told(text, &refused))?;
        let tokens =
            Lexer::new(text).lex().map_err(|faults| told(text, &of_lexer(text, &faults)))?;
        if count(&tokens) > MAX_TOKENS {
            let why = format!("the expression has more than {MAX_TOKENS} parts");
            return Err(told(text, &Refused { at: &text[..0], why }));
        }
        let parsed = Parser::new(&tokens).parse(Parser::term);
        let term = parsed.map_err(|faults| told(text, &of_parser(text, &faults)))?;
        let reads = check::check(&term, text).map_err(|refused| told(text, &refused))?;
        let filter = compile(text)?;
        Ok(Self(Arc::new(Compiled { text: text.to_owned(), filter, reads })))
    }

    /// The text it was read from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// What it looks at.
    #[must_use]
    pub fn reads(&self) -> &Reads {
        &self.0.reads
    }

    /// Whether it looks at the state, after the event or before it.
    #[must_use]
    pub fn uses_state(&self) -> bool {
        !self.0.reads.state.is_empty()
    }

    /// The first output that is neither false nor null: what makes the subject a hit. None where
    /// there is no such output.
    ///
    /// # Errors
    /// When an output before it is an error; see [`EvaluationFault`].
    pub fn hit(&self, subject: Subject<'_>) -> std::result::Result<Option<Value>, EvaluationFault> {
        fuel::fill();
        let states = [subject.state, subject.before].map(|state| Val(state.clone()));
        let context = Ctx::<Data>::new(&self.0.filter.lut, Vars::new(states));
        let mut found = None;
        for output in self.0.filter.id.run((context, Val(subject.event.clone()))) {
            if fuel::is_spent() {
                break;
            }
            match output {
                Ok(Val(Value::Null | Value::Bool(false))) => {}
                Ok(Val(value)) => {
                    found = Some(value);
                    break;
                }
                Err(fault) => return Err(failed(fault)),
            }
        }
        // What came out after the end of the count may lack what was not looked at.
        if fuel::is_spent() { Err(spent()) } else { Ok(found) }
    }

    /// Whether there is such an output.
    ///
    /// # Errors
    /// As [`Expression::hit`].
    pub fn holds(&self, subject: Subject<'_>) -> std::result::Result<bool, EvaluationFault> {
        self.hit(subject).map(|value| value.is_some())
    }
}

/// Lets `stop` end all evaluations of this thread from now on; none for nobody.
pub fn listen(stop: Option<Arc<AtomicBool>>) {
    fuel::listen(stop);
}

fn spent() -> EvaluationFault {
    if fuel::is_stopped() { EvaluationFault::Stopped } else { EvaluationFault::TooMuch }
}

fn failed(fault: jaq_core::Exn<'_, Val>) -> EvaluationFault {
    if fuel::is_spent() {
        return spent();
    }
    match fault.get_err() {
        Ok(error) => EvaluationFault::Failed(error.to_string()),
        Err(_) => EvaluationFault::Failed("it breaks out of nothing".to_owned()),
    }
}

/// The parser descends with the brackets: they must not outgrow the stack.
fn bounded(text: &str) -> std::result::Result<(), Refused<'_>> {
    if text.trim().is_empty() {
        return Err(Refused { at: text, why: "the expression is empty".into() });
    }
    if text.len() > MAX_BYTES {
        let why = format!("the expression is longer than {MAX_BYTES} bytes");
        return Err(Refused { at: &text[..0], why });
    }
    let (mut depth, mut run) = (0_usize, 0_usize);
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        // Signs and keywords nest as well, e.g. `-----1`.
        run = if matches!(c, '-' | ' ') { run + usize::from(c == '-') } else { 0 };
        if depth > MAX_NESTING || run > MAX_NESTING {
            let why = format!("more than {MAX_NESTING} brackets or signs are nested");
            return Err(Refused { at: &text[at..=at], why });
        }
    }
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let nests = words.filter(|word| matches!(*word, "if" | "try" | "as" | "label")).count();
    if nests > MAX_NESTING {
        return Err(Refused {
            at: &text[..0],
            why: format!("more than {MAX_NESTING} parts are nested"),
        });
    }
    Ok(())
}

/// How many tokens there are, those inside of brackets and texts included.
fn count(tokens: &[lex::Token<&str>]) -> usize {
    let inside = |token: &lex::Token<&str>| match &token.1 {
        lex::Tok::Block(tokens) => count(tokens),
        lex::Tok::Str(parts) => {
            let within = parts.iter().map(|part| match part {
                lex::StrPart::Term(token) => count(std::slice::from_ref(token)),
                _ => 0,
            });
            within.sum()
        }
        _ => 0,
    };
    tokens.iter().map(|token| 1 + inside(token)).sum()
}

fn of_lexer<'s>(text: &'s str, faults: &[lex::Error<&'s str>]) -> Refused<'s> {
    let Some((expected, at)) = faults.first() else {
        return Refused { at: text, why: "this cannot be read".into() };
    };
    let start = span(text, at).start;
    let end = text[start..].char_indices().nth(1).map_or(text.len(), |(width, _)| start + width);
    Refused { at: &text[start..end], why: format!("{} is expected here", expected.as_str()) }
}

fn of_parser<'s>(text: &'s str, faults: &[parse::TError<'_, &'s str>]) -> Refused<'s> {
    let Some((expected, found)) = faults.first() else {
        return Refused { at: text, why: "this cannot be read".into() };
    };
    let what = expected.as_str();
    match found {
        Some(token) => {
            let why = match what {
                "nothing" => "this does not belong here".to_owned(),
                what => format!("{what} is expected here"),
            };
            Refused { at: token.as_str(), why }
        }
        None => Refused { at: &text[text.len()..], why: format!("{what} is expected at the end") },
    }
}

fn compile(text: &str) -> Result<Filter<Data>> {
    let arena = Arena::default();
    let loader = Loader::new(functions::definitions());
    let modules = loader.load(&arena, File { code: text, path: () });
    // It was read above, and all that it names is known.
    let modules = modules.map_err(|_| Error::internal(format!("cannot load {text:?}")))?;
    Compiler::default()
        .with_funs(natives::natives())
        .with_global_vars([STATE, BEFORE])
        .compile(modules)
        .map_err(|faults| {
            let named = faults.iter().flat_map(|(_, faults)| faults).next();
            let at = named.map_or("", |(name, _)| *name);
            let start = if at.is_empty() { 0 } else { text.find(at).unwrap_or(0) };
            let at = text.get(start..start + at.len()).unwrap_or_default();
            told(text, &Refused { at, why: "this is not defined".into() })
        })
}

/// The error for people: what is wrong, and where.
fn told(text: &str, refused: &Refused<'_>) -> Error {
    let place = span(text, refused.at);
    let start = place.start.min(text.len());
    let line_start = text[..start].rfind('\n').map_or(0, |feed| feed + 1);
    let line = text[line_start..].lines().next().unwrap_or_default();
    let width = |part: &str| unicode_width::UnicodeWidthStr::width(part);
    let marked = text.get(start..place.end.min(line_start + line.len())).unwrap_or_default();
    let indent = " ".repeat(width(&text[line_start..start]));
    let carets = "^".repeat(width(marked).max(1));
    let message = format!("{}\n  {line}\n  {indent}{carets}", refused.why);
    let details = serde_json::json!({
        "expression": text,
        "at": start,
        "length": place.len(),
        "why": refused.why,
    });
    Error::usage(message)
        .with_hint(
            "expressions are jq's, e.g. '.event_type == \"AgentFailed\"'; README.md has twenty",
        )
        .with_details(details)
}
