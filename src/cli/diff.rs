//! `diff`: how the state changed between two moments.

use clap::Args;

use crate::diff::{DiffEntry, DiffOptions, Op, PieceKind, text_diff};
use crate::model::{Moment, Position, Value};
use crate::session::Session;

use super::context::{Context, position};
use super::failure::Outcome;
use super::output::{Format, Role, cut, escape};

/// From how many characters on two texts are compared word by word.
const LONG: usize = 60;

/// The flags of `diff`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  chronoscope diff PROJ-123 start end\n  chronoscope diff PROJ-123 AgentSpawned:1 AgentFailed\n  chronoscope diff PROJ-123 -1h end --json"
)]
pub struct Flags {
    /// The issue
    pub issue: String,
    /// The moment to compare from
    #[arg(value_name = "FROM", allow_hyphen_values = true)]
    pub from: String,
    /// The moment to compare to
    #[arg(value_name = "TO", allow_hyphen_values = true)]
    pub to: String,
    /// Compare the counters too, which every event changes
    #[arg(long)]
    pub counters: bool,
}

pub(super) fn run(context: &mut Context, flags: &Flags) -> Outcome {
    let mut session = context.session(&flags.issue)?;
    let from = position(&mut session, Some(&flags.from), &Moment::Start)?;
    let to = position(&mut session, Some(&flags.to), &Moment::End)?;
    print(context, &mut session, from, to, DiffOptions { counters: flags.counters })
}

/// Prints the differences between two positions.
pub(super) fn print(
    context: &mut Context,
    session: &mut Session,
    from: Position,
    to: Position,
    options: DiffOptions,
) -> Outcome {
    let entries = session.diff(from, to, options)?;
    match context.out.format {
        Format::Json => Ok(context.out.json(&entries)?),
        Format::Jsonl => Ok(entries.iter().try_for_each(|entry| context.out.json(entry))?),
        Format::Text => {
            let issue = context.out.paint(Role::Name, session.issue_key());
            let count = match entries.len() {
                0 => "nothing differs".to_owned(),
                1 => "1 difference".to_owned(),
                n => format!("{n} differences"),
            };
            let count = context.out.paint(Role::Dim, &count);
            context.out.line(format!("{issue}  #{from} → #{to}  {count}"))?;
            Ok(entries.iter().try_for_each(|entry| line(context, entry))?)
        }
    }
}

fn line(context: &mut Context, entry: &DiffEntry) -> std::io::Result<()> {
    let (role, sign) = match entry.op {
        Op::Add => (Role::Added, "+"),
        Op::Remove => (Role::Removed, "-"),
        Op::Change => (Role::Changed, "~"),
    };
    let path = entry.path.to_string();
    let head = context.out.paint(role, &format!("{sign} {path}"));
    let room = context.out.columns.saturating_sub(path.chars().count() + 4).max(20);
    let short = |value: &Value| cut(&escape(&shown(value)), room / 2);
    let tail = match (&entry.from, &entry.to) {
        (Some(Value::Text(from)), Some(Value::Text(to))) if from.len().max(to.len()) > LONG => {
            context.out.line(head)?;
            return words(context, from, to);
        }
        (Some(from), Some(to)) => {
            let from = context.out.paint(Role::Removed, &short(from));
            let to = context.out.paint(Role::Added, &short(to));
            format!("{from} → {to}")
        }
        (None, Some(value)) | (Some(value), None) => cut(&escape(&shown(value)), room),
        (None, None) => String::new(),
    };
    context.out.line(format!("{head}  {tail}").trim_end())
}

/// A long text by its words: what went in red, what came in green.
fn words(context: &mut Context, from: &str, to: &str) -> std::io::Result<()> {
    let plain = !context.out.paint.colour;
    let mut text = String::from("    ");
    for piece in text_diff(from, to) {
        let shown = escape(piece.text);
        text += &match piece.kind {
            PieceKind::Same => shown,
            PieceKind::Removed if plain => format!("[-{shown}-]"),
            PieceKind::Added if plain => format!("{{+{shown}+}}"),
            PieceKind::Removed => context.out.paint.of(Role::Removed, &shown),
            PieceKind::Added => context.out.paint.of(Role::Added, &shown),
        };
    }
    context.out.line(text)
}

/// A value in a line: texts bare, everything else as JSON.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        Value::Long(long) => format!("{}… ({} bytes)", long.head, long.bytes),
        other => other.to_json(),
    }
}
