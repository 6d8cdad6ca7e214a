//! `diff`: how the state changed between two moments.

use clap::Args;
use unicode_width::UnicodeWidthStr;

use crate::diff::{DiffEntry, DiffOptions, Op, PieceKind, TextPiece, text_diff};
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
pub(crate) struct Flags {
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

pub(crate) fn run(context: &mut Context, flags: &Flags) -> Outcome {
    let mut session = context.session(&flags.issue)?;
    let from = position(&mut session, Some(&flags.from), &Moment::Start)?;
    let to = position(&mut session, Some(&flags.to), &Moment::End)?;
    print(context, &mut session, from, to, DiffOptions { counters: flags.counters })
}

/// Prints the differences between two positions.
pub(crate) fn print(
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

/// Prints one difference for people.
pub(crate) fn line(context: &mut Context, entry: &DiffEntry) -> std::io::Result<()> {
    let (role, sign) = match entry.op {
        Op::Add => (Role::Added, "+"),
        Op::Remove => (Role::Removed, "-"),
        Op::Change => (Role::Changed, "~"),
    };
    let path = escape(&entry.path.to_string());
    let head = context.out.paint.of(role, &format!("{sign} {path}"));
    let room = context.out.columns.saturating_sub(path.width() + 4).max(20);
    let tail = match (&entry.from, &entry.to) {
        (Some(Value::Text(from)), Some(Value::Text(to))) if from.len().max(to.len()) > LONG => {
            context.out.line(head)?;
            return long_text(context, from, to);
        }
        (Some(from), Some(to)) => {
            let (from, to) = fit(escape(&shown(from)), escape(&shown(to)), room);
            let from = context.out.paint.of(Role::Removed, &from);
            let to = context.out.paint.of(Role::Added, &to);
            format!("{from} → {to}")
        }
        (None, Some(value)) | (Some(value), None) => cut(&escape(&shown(value)), room),
        (None, None) => String::new(),
    };
    context.out.line(format!("{head}  {tail}").trim_end())
}

/// Two texts cut so that they stand in one line; a short one leaves its room to the other.
fn fit(from: String, to: String, room: usize) -> (String, String) {
    let room = room.saturating_sub(3);
    if from.width() + to.width() <= room {
        return (from, to);
    }
    let half = room / 2;
    let first = half.max(room.saturating_sub(to.width()));
    let from = cut(&from, first);
    let second = room.saturating_sub(from.width());
    (from, cut(&to, second))
}

/// A long text: by its words where most of them stayed, else as it was and as it is.
fn long_text(context: &mut Context, from: &str, to: &str) -> std::io::Result<()> {
    let pieces = text_diff(from, to);
    let same = |piece: &&TextPiece<'_>| piece.kind == PieceKind::Same;
    let kept: usize = pieces.iter().filter(same).map(|piece| piece.text.len()).sum();
    if kept * 2 < from.len().max(to.len()) {
        for (role, sign, text) in [(Role::Removed, "-", from), (Role::Added, "+", to)] {
            let line = cut(&escape(text), context.out.columns.saturating_sub(6));
            context
                .out
                .line(format!("    {}", context.out.paint.of(role, &format!("{sign} {line}"))))?;
        }
        return Ok(());
    }
    let mut text = String::from("    ");
    for piece in pieces {
        let shown = escape(piece.text);
        text += &match piece.kind {
            PieceKind::Same => shown,
            PieceKind::Removed if !context.out.paint.colour => format!("[-{shown}-]"),
            PieceKind::Added if !context.out.paint.colour => format!("{{+{shown}+}}"),
            PieceKind::Removed => context.out.paint.of(Role::Removed, &shown),
            PieceKind::Added => context.out.paint.of(Role::Added, &shown),
        };
    }
    context.out.line(text)
}

/// A value in a line: texts bare, everything else as JSON.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        Value::Long(long) => format!("{}… ({} bytes)", long.head, long.bytes),
        other => other.to_json(),
    }
}
