//! `append`: events from flags or from stdin into the store, acknowledged when they are durable.
//!
//! Lives here: the flags, and appending one batch. May not live here: reading stdin (see
//! [`input`]), or line by line acknowledgement (see [`stream`]).

mod input;
mod metadata;
pub(crate) mod plain;
mod stream;

use std::io::IsTerminal;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::config::Setting;
use crate::error::{Error, ErrorKind, Result};
use crate::model::ids;
use crate::schema::{Draft, KeyPattern, Redactor, Rules, SchemaFault};
use crate::session::snapshots::{Policy, take_if_due};
use crate::store::local::LocalStore;
use crate::store::{
    Acknowledgement, AppendOptions, Batch, Durability, EventStore, GitHead, head_conflict,
};

use super::context::Context;
use super::failure::{Failure, Outcome};
use super::output::Paint;

const EXAMPLES: &str = "\
Examples:
  chronoscope --append --type AgentFailed --issue PROJ-123 --session $SESSION \\
      --actor agent:api-integ@sonnet --meta agent_name=api-integ \\
      --meta failure_reason='tests fail' --meta error_details.line:=42
  echo '{\"event_type\":\"PhaseStarted\",…}' | chronoscope --append
  chronoscope --append --issue PROJ-123 < events.jsonl
  producer | chronoscope --append --stream

Metadata: k=v is a text, k:=json any JSON value; dots in k nest. Events on stdin are one JSON
object, several, one a line, or an array of them; flags and environment fill in what they lack.
All events of a batch are for one issue and are appended together or not at all.

Each event is acknowledged with one line of JSON once it is durable. Exit 4: an event is invalid,
5: a conflict; nothing was written.";

/// How long an append waits for other writers, unless it is told.
const LOCK_TIMEOUT: &str = "10s";

/// The variables that say what flags leave out.
mod env {
    pub(super) const ISSUE: &str = "CHRONOSCOPE_ISSUE";
    pub(super) const SESSION: &str = "CHRONOSCOPE_SESSION";
    pub(super) const ACTOR: &str = "CHRONOSCOPE_ACTOR";
    pub(super) const CORRELATION: &str = "CHRONOSCOPE_CORRELATION";
    pub(super) const CAUSATION: &str = "CHRONOSCOPE_CAUSATION";
}

/// The flags of `append`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Flags {
    /// The event's type; without it, events are read from stdin
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// The issue
    #[arg(long, value_name = "KEY", env = env::ISSUE)]
    issue: Option<String>,
    /// The session, a UUID
    #[arg(long, value_name = "ID", env = env::SESSION)]
    session: Option<String>,
    /// Who acts: user, system or agent, a name, and an agent's model
    #[arg(long, value_name = "TYPE:ID[@MODEL]", env = env::ACTOR)]
    actor: Option<String>,
    /// A field of the metadata: k=text or k:=json
    #[arg(long = "meta", value_name = "K=V", allow_hyphen_values = true)]
    meta: Vec<String>,
    /// The metadata, as a JSON object or in a file (@- is stdin)
    #[arg(long, value_name = "JSON|@FILE")]
    metadata: Option<String>,
    /// The group of events it belongs to
    #[arg(long, value_name = "ID", env = env::CORRELATION)]
    correlation: Option<String>,
    /// The event that caused it
    #[arg(long, value_name = "ID", env = env::CAUSATION)]
    causation: Option<String>,
    /// Its id, a UUID: an append that is tried again under one id is done once
    #[arg(long, value_name = "ID")]
    event_id: Option<String>,
    /// When it happened, RFC 3339
    #[arg(long, value_name = "TIME")]
    timestamp: Option<String>,
    /// Append only if the issue's last sequence number is N (0 for an empty log)
    #[arg(long, value_name = "N", conflicts_with = "stream")]
    expect_sequence: Option<u64>,
    /// How long to wait for other writers
    #[arg(long, value_name = "TIME", default_value = LOCK_TIMEOUT)]
    lock_timeout: String,
    /// Do not note the commit and branch of the repository at hand
    #[arg(long)]
    no_git: bool,
    /// When an append counts as done: sync (the device has it) or os (a power cut may take it back)
    #[arg(long, value_name = "WHEN", default_value = "sync", hide_possible_values = true)]
    durability: DurabilityFlag,
    /// Acknowledge line by line, for any mix of issues, and go on after bad lines
    #[arg(long, conflicts_with_all = ["kind", "dry_run"])]
    stream: bool,
    /// Print no acknowledgements
    #[arg(long, short)]
    quiet: bool,
    /// Check, print what would be written, write nothing
    #[arg(long)]
    dry_run: bool,
}

impl Flags {
    /// Every text that was given.
    fn texts(&self) -> impl Iterator<Item = &String> {
        let one = [
            &self.kind,
            &self.issue,
            &self.session,
            &self.actor,
            &self.metadata,
            &self.correlation,
            &self.causation,
            &self.event_id,
            &self.timestamp,
        ];
        one.into_iter().flatten().chain(&self.meta).chain([&self.lock_timeout])
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DurabilityFlag {
    Sync,
    Os,
}

pub(crate) fn run(context: &mut Context, flags: &Flags) -> Outcome {
    if !flags.quiet {
        context.tell_warnings();
    }
    let rules = rules(context)?;
    append(context, flags, &rules).map_err(|failure| match failure {
        Failure::Error(error) => Failure::Error(concealed(error, flags, &rules.redactor)),
        told => told,
    })
}

/// An error without the secrets that flags and variables may have brought into it.
fn concealed(error: Error, flags: &Flags, redactor: &Redactor) -> Error {
    let mut sieve = redactor.sieve();
    for text in flags.texts() {
        sieve.learn_json(text);
    }
    sieve.error(error)
}

fn append(context: &mut Context, flags: &Flags, rules: &Rules) -> Outcome {
    let options = options(flags, &rules.redactor)?;
    if flags.stream {
        return stream::run(context, flags, rules, options);
    }
    let texts = input::texts(flags)?;
    let drafts = check(&texts, rules)?;
    let issue_key = one_issue(&drafts)?;
    if !flags.quiet {
        tell_redactions(&drafts, context.out.paint);
    }
    let store = LocalStore::at(context.store_path()?, context.clock);
    let batch = Batch { issue_key, drafts };
    if flags.dry_run {
        return dry_run(context, &store, &batch, &options);
    }
    let done = store.append(&batch, &options)?;
    if !flags.quiet {
        done.iter().try_for_each(|a| context.out.line(super::output::json_text(a, false)))?;
    }
    context.out.flush()?;
    tell_trace(&done);
    context.tell_complaint(&store);
    let fresh: Vec<u64> = done.iter().filter(|a| !a.duplicate).map(|a| a.event_sequence).collect();
    if let (Some(first), Some(last)) = (fresh.first(), fresh.last()) {
        snapshot_when_due(context, &store, &batch.issue_key, first - 1, *last);
        super::seal::after_appends(context, &store, super::seal::is_end(done.iter()));
    }
    Ok(())
}

/// Tells a test's trace what was printed by now.
fn tell_trace<'a>(done: impl IntoIterator<Item = &'a Acknowledgement>) {
    for answer in done {
        crate::store::local::note_told(&answer.event_id);
    }
}

/// Keeps a snapshot where the settings ask for one. The events are acknowledged by now: what goes
/// wrong here changes nothing but the next start.
fn snapshot_when_due(context: &Context, store: &LocalStore, issue: &str, before: u64, after: u64) {
    let policy = Policy {
        frequency: match context.config.flag(Setting::SnapshotsEnabled) {
            true => context.config.count(Setting::SnapshotFrequency),
            false => 0,
        },
        minimum: context.config.count(Setting::SnapshotMinEvents),
    };
    if policy.crossed(before, after) {
        store.unless_busy(issue, || {
            let made = take_if_due(store, issue, context.clock.now());
            if matches!(made, Ok(Some(_))) && context.config.flag(Setting::SnapshotCleanup) {
                let kept = super::snapshot::retention(&context.config);
                let _ = store.gc_snapshots(Some(issue), false, kept);
            }
        });
    }
}

/// What events are checked against.
fn rules(context: &Context) -> Result<Rules> {
    let mut rules = Rules::new(context.clock.now());
    rules.max_event_bytes = context.config.size(Setting::MaxEventBytes);
    rules.allow_unknown_types = context.config.flag(Setting::AllowUnknownTypes);
    if let Some(pattern) = context.config.text(Setting::IssueKeyPattern) {
        rules.key_pattern = Some(KeyPattern::new(pattern)?);
    }
    rules.redactor = context.redactor()?;
    Ok(rules)
}

fn options(flags: &Flags, redactor: &Redactor) -> Result<AppendOptions> {
    let git = || stampable(super::git::head(&std::env::current_dir().ok()?)?, redactor);
    Ok(AppendOptions {
        expected_sequence: flags.expect_sequence,
        lock_timeout: duration("--lock-timeout", &flags.lock_timeout)?,
        durability: match flags.durability {
            DurabilityFlag::Sync => Durability::Sync,
            DurabilityFlag::Os => Durability::Os,
        },
        git: if flags.no_git { None } else { git() },
    })
}

/// The commit and branch without secrets: a commit that is taken for one is not noted at all.
fn stampable(head: GitHead, redactor: &Redactor) -> Option<GitHead> {
    let branch = head.branch.map(|branch| redactor.conceal(&branch).into_owned());
    (!redactor.finds(&head.sha)).then_some(GitHead { branch, ..head })
}

/// A span of time as flags give it: `10s`, `500ms`, a bare number of seconds.
pub(crate) fn duration(flag: &str, text: &str) -> Result<Duration> {
    let seconds = || text.parse().ok().map(Duration::from_secs);
    humantime::parse_duration(text).ok().or_else(seconds).ok_or_else(|| {
        Error::usage(format!("{flag} {text:?} is no span of time")).with_hint("as in 10s or 500ms")
    })
}

/// Checks all events of a batch; every fault of every event is told.
fn check(texts: &[input::EventInput], rules: &Rules) -> Result<Vec<Draft>> {
    let mut drafts = Vec::with_capacity(texts.len());
    let mut refused = Vec::new();
    for text in texts {
        match Draft::strict(&text.json, rules) {
            Ok(draft) => drafts.push(draft),
            Err(faults) => refused.push((text, faults)),
        }
    }
    if refused.is_empty() { Ok(drafts) } else { Err(invalid(&refused, texts.len())) }
}

/// The error that lists every fault of some events of a batch.
fn invalid(refused: &[(&input::EventInput, Vec<SchemaFault>)], of: usize) -> Error {
    let mut lines = Vec::new();
    let mut details = Vec::new();
    for (text, faults) in refused {
        for fault in faults {
            let place = if of > 1 { format!("{}: ", text.place()) } else { String::new() };
            lines.push(format!("  {place}{fault}"));
            let mut entry = json!({"pointer": fault.pointer, "message": fault.message});
            if of > 1 {
                entry["event"] = text.number.into();
                entry["line"] = text.line.map_or(Value::Null, Value::from);
            }
            details.push(entry);
        }
    }
    let what = match (refused.len(), of) {
        (_, 1) => "the event is invalid; nothing was written".to_owned(),
        (bad, all) => format!("{bad} of {all} events are invalid; nothing was written"),
    };
    let kind = (refused.len() == 1).then(|| type_of(&refused[0].0.json)).flatten();
    let no_json = |(text, _): &(&input::EventInput, _)| !is_json(&text.json);
    let hint = match kind {
        Some(kind) => format!("`chronoscope schema show {kind}` prints what such an event holds"),
        None if refused.iter().all(no_json) => {
            "give one JSON object, several, one a line, or an array of them".to_owned()
        }
        None => "`chronoscope schema list` prints the types that there are".to_owned(),
    };
    Error::new(ErrorKind::Invalid, format!("{what}\n{}", lines.join("\n")))
        .with_hint(hint)
        .with_details(json!({"faults": details}))
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// The event's type, where the catalogue has it.
fn type_of(json: &str) -> Option<&'static str> {
    let event: Value = serde_json::from_str(json).ok()?;
    let kind = crate::model::Kind::from_name(event.get("event_type")?.as_str()?);
    kind.is_catalogued().then(|| kind.name())
}

/// Says which secrets were taken out: whoever appended them may not know that they were there.
fn tell_redactions(drafts: &[Draft], paint: Paint) {
    for redaction in drafts.iter().flat_map(Draft::redacted) {
        let text = format!("a secret was taken out of {} ({})", redaction.pointer, redaction.name);
        super::failure::note(&text, paint);
    }
}

fn one_issue(drafts: &[Draft]) -> Result<String> {
    let Some(first) = drafts.first() else {
        return Err(Error::usage("there is no event on stdin")
            .with_hint("give --type, or pipe JSON events in; see `chronoscope append --help`"));
    };
    let key = first.issue_key();
    match drafts.iter().find(|draft| draft.issue_key() != key) {
        None => Ok(key.to_owned()),
        Some(other) => {
            let message =
                format!("a batch is for one issue; this one names {key} and {}", other.issue_key());
            Err(Error::usage(message).with_hint("--stream takes any mix of issues"))
        }
    }
}

/// Prints the lines that an append would write, as of now.
fn dry_run(
    context: &mut Context,
    store: &LocalStore,
    batch: &Batch,
    options: &AppendOptions,
) -> Outcome {
    let (mut sequence, last) = head(store, &batch.issue_key)?;
    if let Some(expected) = options.expected_sequence
        && expected != sequence
    {
        return Err(head_conflict(&batch.issue_key, expected, sequence).into());
    }
    let mut now = context.clock.now().max(last);
    for draft in &batch.drafts {
        sequence += 1;
        let id = draft.event_id().map_or_else(ids::new_event_id, str::to_owned);
        let timestamp = draft.timestamp().unwrap_or(now);
        now = now.max(timestamp);
        let line = draft.to_line(&options.stamp(&id, timestamp, sequence));
        context.out.line(super::output::escape_json(line))?;
    }
    Ok(())
}

/// The last sequence number of an issue and its latest time; zero where there is no such issue.
fn head(store: &LocalStore, issue_key: &str) -> Result<(u64, crate::model::Timestamp)> {
    match crate::session::Session::read(store, issue_key) {
        Ok(session) => {
            let clock = session.timeline().row(session.head()).map(|row| row.clock);
            Ok((u64::from(session.head()), clock.unwrap_or_default()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok((0, crate::model::Timestamp::MIN)),
        Err(error) => Err(error),
    }
}

/// Whether there is a terminal where events are expected.
fn stdin_is_terminal() -> bool {
    std::io::stdin().is_terminal()
}
