//! `schema`: the types of events, the words of closed lists, and checking events.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::error::{Error, ErrorKind, Result};
use crate::model::catalogue::{self, CATALOGUE, Field, Spec, Type};
use crate::model::kind::{Category, Severity};
use crate::model::{AnomalyKind, Kind, envelope};
use crate::schema::generate::{event_schema, example, version_history};
use crate::schema::{Draft, Rules, SchemaFault, validate};
use crate::store::local::{FindingKind, Kept};

use super::context::Context;
use super::failure::{Failure, Outcome};
use super::output::{Format, Role, Table, escape};

/// The flags of `schema`.
#[derive(Debug, Args)]
pub(crate) struct Flags {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the types of events
    #[command(
        after_help = "Examples:\n  chronoscope schema list\n  chronoscope schema list --kinds --json"
    )]
    List {
        /// List the closed lists of words instead: anomalies, findings and the like
        #[arg(long)]
        kinds: bool,
    },
    /// Print what an event of a type holds, with an example
    #[command(
        after_help = "Examples:\n  chronoscope schema show AgentFailed\n  chronoscope schema show AgentFailed --json > agent-failed.schema.json"
    )]
    Show {
        /// The type
        #[arg(value_name = "TYPE")]
        kind: String,
    },
    /// Check events in a file: stored lines, or events as for an append
    #[command(
        after_help = "Examples:\n  chronoscope schema check events.jsonl\n  producer | chronoscope schema check -\n\nExit 4 when an event is invalid. Events that have an event_sequence are checked as stored\nlines, others as for an append."
    )]
    Check {
        /// JSON objects, one a line; - is stdin
        file: PathBuf,
    },
    /// Print the versions of the catalogue and what changed
    History,
}

pub(crate) fn run(context: &mut Context, flags: &Flags) -> Outcome {
    match &flags.command {
        Command::List { kinds: false } => list(context),
        Command::List { kinds: true } => kinds(context),
        Command::Show { kind } => show(context, kind),
        Command::Check { file } => check(context, file),
        Command::History => history(context),
    }
}

fn list(context: &mut Context) -> Outcome {
    let row = |spec: &&Spec| {
        json!({
            "event_type": spec.kind.name(),
            "category": spec.category,
            "severity": spec.severity,
            "since": spec.since.name(),
            "replay": spec.replay,
            "doc": spec.doc,
        })
    };
    let rows: Vec<Value> = CATALOGUE.iter().map(row).collect();
    print_rows(context, &rows, |out| {
        let mut category = None;
        let mut table = Table::new("");
        for spec in CATALOGUE {
            let heading = if category == Some(spec.category) { "" } else { spec.category.name() };
            category = Some(spec.category);
            table.row([
                (Some(Role::Dim), heading),
                (Some(Role::Strong), spec.kind.name()),
                (Some(Role::Dim), spec.since.name()),
                (Some(severity_role(spec.severity)), spec.severity.name()),
                (None, spec.doc),
            ]);
        }
        Ok(out.out.table(&table)?)
    })
}

fn severity_role(severity: Severity) -> Role {
    match severity {
        Severity::Info => Role::Dim,
        Severity::Warning => Role::Warned,
        Severity::Error | Severity::Critical => Role::Failed,
    }
}

/// Prints rows as JSON, or as text by `text`.
fn print_rows(
    context: &mut Context,
    rows: &[Value],
    text: impl FnOnce(&mut Context) -> Outcome,
) -> Outcome {
    match context.out.format {
        Format::Json => Ok(context.out.json(&rows)?),
        Format::Jsonl => Ok(rows.iter().try_for_each(|row| context.out.json(row))?),
        Format::Text => text(context),
    }
}

/// A word of a closed list: the list's name, the word, what it means.
type Word = (&'static str, &'static str, &'static str);

fn words() -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    words.extend(AnomalyKind::ALL.iter().map(|k| ("anomaly", k.name(), k.meaning())));
    words.extend(FindingKind::ALL.iter().map(|k| ("finding", k.name(), k.meaning())));
    words.extend(Kept::ALL.iter().map(|k| ("archive", k.name(), k.meaning())));
    words.extend(crate::import::FaultKind::ALL.iter().map(|k| ("fault", k.name(), k.meaning())));
    words.extend(Category::ALL.iter().map(|k| ("category", k.name(), k.meaning())));
    words.extend(Severity::ALL.iter().map(|k| ("severity", k.name(), k.meaning())));
    words
}

fn kinds(context: &mut Context) -> Outcome {
    let rows: Vec<Value> = words()
        .iter()
        .map(|(list, name, meaning)| json!({"list": list, "name": name, "meaning": meaning}))
        .collect();
    print_rows(context, &rows, |context| {
        let mut table = Table::new("");
        for (list, name, meaning) in words() {
            table.row([(Some(Role::Dim), list), (Some(Role::Strong), name), (None, meaning)]);
        }
        Ok(context.out.table(&table)?)
    })
}

fn show(context: &mut Context, name: &str) -> Outcome {
    let kind = Kind::from_name(name);
    let Some(spec) = catalogue::spec(kind) else {
        let near = CATALOGUE.iter().map(|s| s.kind.name()).find(|n| n.eq_ignore_ascii_case(name));
        let error = Error::not_found(format!("the catalogue has no type {name:?}"));
        let hint = match near {
            Some(near) => format!("there is {near}"),
            None => "`chronoscope schema list` prints the types that there are".to_owned(),
        };
        return Err(error.with_hint(hint).into());
    };
    if context.out.format != Format::Text {
        return Ok(context.out.json(&event_schema(kind))?);
    }
    let paint = context.out.paint;
    let title = format!(
        "{}  {}",
        paint.of(Role::Strong, kind.name()),
        paint.of(
            Role::Dim,
            &format!("{} · {} · since {}", spec.category, spec.severity, spec.since.name())
        )
    );
    context.out.line(title)?;
    context.out.line(format!("  {}", spec.doc))?;
    let mut table = Table::new("  ");
    table.row([(Some(Role::Dim), "writes"), (None, spec.effect)]);
    table.row([(Some(Role::Dim), "needs"), (None, spec.guard.meaning())]);
    table.row([(Some(Role::Dim), "replay"), (None, spec.replay.meaning())]);
    context.out.table(&table)?;
    context.out.line(format!("\n  {}", paint.of(Role::Strong, "metadata")))?;
    let mut table = Table::new("    ");
    fields(&mut table, spec.fields, "");
    context.out.table(&table)?;
    context.out.line(format!("\n  {}", paint.of(Role::Strong, "example")))?;
    Ok(example_lines(spec).iter().try_for_each(|line| context.out.line(format!("    {line}")))?)
}

/// The example of a type, its fields in the order of stored lines.
fn example_lines(spec: &Spec) -> Vec<String> {
    let event = example(spec);
    let mut lines = vec!["{".to_owned()];
    for name in envelope::FIELDS {
        let Some(value) = event.get(name) else { continue };
        if let Some(last) = lines.last_mut().filter(|last| *last != "{") {
            last.push(',');
        }
        let text =
            format!("\"{name}\": {}", serde_json::to_string_pretty(value).unwrap_or_default());
        lines.extend(text.lines().map(|line| format!("  {line}")));
    }
    lines.push("}".to_owned());
    lines
}

fn fields(table: &mut Table, list: &[Field], before: &str) {
    for field in list {
        let name = format!("{before}{}", field.name);
        let (ty, inner): (String, &[Field]) = match field.ty {
            Type::Str => ("text".into(), &[]),
            Type::Name => ("text, not empty".into(), &[]),
            Type::OneOf(words) => (words.join(" | "), &[]),
            Type::Int => ("whole number".into(), &[]),
            Type::IntIn(low, i64::MAX) => (format!("whole number from {low}"), &[]),
            Type::IntIn(low, high) => (format!("whole number, {low} to {high}"), &[]),
            Type::Num => ("number".into(), &[]),
            Type::Bool => ("true or false".into(), &[]),
            Type::Any => ("anything".into(), &[]),
            Type::StrList => ("list of texts".into(), &[]),
            Type::ObjList(fields) => ("list of objects".into(), fields),
            Type::Obj(fields) => ("object".into(), fields),
            Type::Phase => ("phase, an upper-case word".into(), &[]),
            Type::Time => ("time, RFC 3339".into(), &[]),
        };
        let (role, needed) =
            if field.required { (Some(Role::Strong), "required") } else { (None, "") };
        table.row([(role, name.as_str()), (Some(Role::Dim), &ty), (Some(Role::Warned), needed)]);
        let dots = if matches!(field.ty, Type::ObjList(_)) { "[]." } else { "." };
        fields(table, inner, &format!("{name}{dots}"));
    }
}

fn check(context: &mut Context, file: &Path) -> Outcome {
    let text = read(file)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut rules = Rules::new(context.clock.now());
    rules.allow_unknown_types = context.config.flag(crate::config::Setting::AllowUnknownTypes);
    rules.redactor = context.redactor()?;
    let mut checked = 0_u64;
    let mut faults: Vec<(usize, SchemaFault)> = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        checked += 1;
        let found = faults_of(line, &rules);
        faults.extend(found.into_iter().map(|fault| (index + 1, fault)));
    }
    let rows: Vec<Value> = faults
        .iter()
        .map(|(line, f)| json!({"line": line, "pointer": f.pointer, "message": f.message}))
        .collect();
    match context.out.format {
        Format::Json => {
            let ok = faults.is_empty();
            context.out.json(&json!({"ok": ok, "checked": checked, "faults": rows}))?;
        }
        Format::Jsonl => rows.iter().try_for_each(|row| context.out.json(row))?,
        Format::Text => {
            for (line, fault) in &faults {
                let place = format!("{}:{line}", file.display());
                let place = context.out.paint(Role::Name, &place);
                context.out.line(format!("{place}: {}", escape(&fault.to_string())))?;
            }
            if faults.is_empty() {
                context.out.line(format!("{checked} events are valid"))?;
            }
        }
    }
    context.out.flush()?;
    match (faults.len(), context.out.format) {
        (0, _) => Ok(()),
        (count, Format::Text) => {
            Err(Error::new(ErrorKind::Invalid, format!("{count} faults in {checked} events"))
                .into())
        }
        _ => Err(Failure::Told(ErrorKind::Invalid)),
    }
}

fn faults_of(line: &str, rules: &Rules) -> Vec<SchemaFault> {
    let event = serde_json::from_str::<Value>(line).ok();
    let stored = event.is_some_and(|event| event.get("event_sequence").is_some());
    if stored {
        let mut sieve = rules.redactor.sieve();
        sieve.learn_json(line);
        let faults = validate::check_stored_line(line, rules.allow_unknown_types);
        faults.iter().map(|fault| sieve.fault(fault)).collect()
    } else {
        Draft::strict(line, rules).err().unwrap_or_default()
    }
}

fn read(file: &Path) -> Result<String> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        let read = std::io::stdin().lock().read_to_end(&mut bytes);
        read.map_err(|e| Error::io("read", Path::new("the standard input"), &e))?;
    } else {
        bytes = std::fs::read(file).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => {
                Error::not_found(format!("there is no file {}", file.display()))
            }
            _ => Error::io("read", file, &e),
        })?;
    }
    // Bytes that are not UTF-8 make their line invalid, and only that one.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn history(context: &mut Context) -> Outcome {
    let history = version_history();
    if context.out.format != Format::Text {
        return Ok(context.out.json(&history)?);
    }
    for release in crate::schema::history::HISTORY {
        let version = context.out.paint(Role::Strong, release.version.name());
        let breaking = if release.breaking { "  breaking" } else { "" };
        context.out.line(format!("{version}  {}{breaking}", release.date))?;
        for change in release.changes {
            context.out.line(format!("  {change}"))?;
        }
        context.out.line(format!("  events of the version before: {}", release.upcast_doc))?;
    }
    Ok(())
}
