//! One record of a source becomes events.
//!
//! Lives here: [`Engine`], which applies a mapping to the records of one file in their order, and
//! holds what it must remember; [`record`] says what a record is, [`causes`] what caused it. May
//! not live here: reading files (see [`super::source`]) or writing to a store (see
//! [`super::sink`]).

mod causes;
mod record;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;
use serde_json::Value;

use super::build::Build;
use super::convert::{plain, read_time};
use super::fault::FaultKind;
use super::made::{Made, clean};
use super::mapping::{Actor, Mapping, MissingTime, Rule};
use super::memory::{Recent, Seen};
use super::template::{Scope, Template};
use crate::model::Timestamp;
use crate::schema::LenientDraft;

/// How many `once` texts, runs and records without events are remembered.
const KEPT: usize = 65_536;

/// A fault without its file and line.
pub(super) type Fault = (FaultKind, String);

/// What came of a record.
#[derive(Debug)]
pub(super) enum Result {
    /// Its events.
    Made(Box<Made>),
    /// The same record, by its id and content, was there before.
    Repeat,
    /// It was passed over, and the faults or the count of skipped records say why.
    Nothing,
}

/// Applies a mapping to one file.
pub(super) struct Engine<'m> {
    mapping: &'m Mapping,
    issue: Option<&'m str>,
    now: Timestamp,
    file_name: String,
    about: BTreeMap<String, Value>,
    memories: BTreeMap<&'m str, Recent<String, Value>>,
    once: Recent<u64, ()>,
    runs: Recent<String, String>,
    /// The sessions that texts stand for, which are costly to derive anew for each record.
    sessions: Recent<String, String>,
    seen: Seen,
    /// Source ids whose event is not the one that their id alone gives: those of records without
    /// an event stand for their cause, those used again for the latest.
    aliases: Recent<u64, Option<String>>,
    previous: Option<Timestamp>,
    /// The first time in the file, for records before it.
    first: Option<Timestamp>,
    told_no_times: bool,
    told_zoneless: bool,
    pub(super) faults: Vec<Fault>,
    /// Types outside the catalogue, and reasons of skipped records, with how often.
    pub(super) unmapped: BTreeMap<String, u64>,
}

/// What a record has for all its events.
struct Frame<'a> {
    scope: Scope<'a>,
    raw: &'a str,
    made: Made,
    issue: String,
    has_id: bool,
    skipped: bool,
}

impl<'m> Engine<'m> {
    pub(super) fn new(
        mapping: &'m Mapping,
        issue: Option<&'m str>,
        now: Timestamp,
        file_name: &str,
    ) -> Self {
        let memories = mapping.memory.iter();
        Self {
            mapping,
            issue,
            now,
            file_name: file_name.to_owned(),
            about: BTreeMap::new(),
            memories: memories.map(|(name, m)| (name.as_str(), Recent::new(m.keep))).collect(),
            once: Recent::new(KEPT),
            runs: Recent::new(KEPT),
            sessions: Recent::new(1024),
            seen: Seen::new(),
            aliases: Recent::new(KEPT),
            previous: None,
            first: None,
            told_no_times: false,
            told_zoneless: false,
            faults: Vec::new(),
            unmapped: BTreeMap::new(),
        }
    }

    /// Looks for what the whole file is about; true when nothing is left to look for.
    pub(super) fn learn(&mut self, record: &Value) -> bool {
        let scope = Scope {
            record: Cow::Borrowed(record),
            file_name: &self.file_name,
            mapping: &self.mapping.name,
            ..Scope::default()
        };
        for (name, template) in &self.mapping.about {
            if !self.about.contains_key(name)
                && let Some(value) = template.value(&scope)
            {
                self.about.insert(name.clone(), value.into_owned());
            }
        }
        let spec = &self.mapping.time;
        if self.first.is_none()
            && let Some(value) = spec.value.as_ref().and_then(|template| template.value(&scope))
        {
            self.first = read_time(&value, spec.unit).ok().map(|(at, _)| at);
        }
        let wants_time = spec.missing == MissingTime::Previous && self.first.is_none();
        self.about.len() == self.mapping.about.len() && !wants_time
    }

    /// Applies the mapping to one record, whose exact text is `raw`.
    pub(super) fn apply(&mut self, record: &Value, raw: &str) -> Result {
        let file_name = std::mem::take(&mut self.file_name);
        let about = std::mem::take(&mut self.about);
        let result = self.apply_in(record, raw, &file_name, &about);
        self.file_name = file_name;
        self.about = about;
        result
    }

    fn apply_in(
        &mut self,
        record: &Value,
        raw: &str,
        file_name: &str,
        about: &BTreeMap<String, Value>,
    ) -> Result {
        let mapping = self.mapping;
        let mut scope = Scope {
            record: Cow::Borrowed(record),
            file_name,
            about: Some(about),
            mapping: &mapping.name,
            ..Scope::default()
        };
        let Some(issue) = self.issue_of(&scope) else { return Result::Nothing };
        let Some(time) = self.time_of(&scope) else { return Result::Nothing };
        scope.time = Some(time);
        let id = mapping.id.value.as_ref().and_then(|template| template.text(&scope));
        let Some((identity, occurrence)) = self.identify(&issue, id.as_deref(), raw) else {
            return Result::Repeat;
        };
        let has_id = id.is_some();
        let id = id.unwrap_or_default();
        scope.issue = &issue;
        scope.id = &id;
        let made = Made::new(identity, occurrence, raw, &issue);
        let session = self.session_of(&scope, &made);
        scope.session = &session;
        let mut frame = Frame { scope, raw, made, issue: issue.clone(), has_id, skipped: false };
        self.run_rules(&mapping.rule, &mut frame);
        if frame.made.is_empty() && !frame.skipped {
            self.look_up(&mut frame);
            self.emit(None, None, &mut frame);
        }
        self.note_alias(&frame, occurrence);
        let Frame { made, .. } = frame;
        if made.is_empty() { Result::Nothing } else { Result::Made(Box::new(made)) }
    }

    /// Applies the first rule that holds, and those after it when it says so.
    fn run_rules<'a>(&mut self, rules: &'m [Rule], frame: &mut Frame<'a>)
    where
        'm: 'a,
    {
        for rule in rules {
            self.look_up(frame);
            if !rule.when.holds(&frame.scope) || !self.first_time(rule, &frame.scope) {
                continue;
            }
            if let Some(reason) = &rule.skip {
                frame.skipped = true;
                self.count(reason);
            }
            if let Some(list) = &rule.for_each {
                let found = list.value(&frame.scope).map(Cow::into_owned);
                if let Some(Value::Array(items)) = found {
                    self.run_items(rule, &items, frame);
                }
                self.look_up(frame);
            }
            if let Some(of) = &rule.r#type {
                self.emit(Some(rule), Some(of), frame);
            }
            self.remember(rule, frame);
            if !rule.r#continue {
                return;
            }
        }
    }

    /// Applies a rule's `each` rules to the items of its list.
    fn run_items(&mut self, rule: &'m Rule, items: &[Value], frame: &mut Frame<'_>) {
        for item in items {
            let scope = Scope {
                record: Cow::Borrowed(&*frame.scope.record),
                item: Some(item),
                memory: Vec::new(),
                ..frame.scope
            };
            let made = std::mem::take(&mut frame.made);
            let issue = std::mem::take(&mut frame.issue);
            let mut inner = Frame {
                scope,
                raw: frame.raw,
                made,
                issue,
                has_id: frame.has_id,
                skipped: frame.skipped,
            };
            self.run_rules(&rule.each, &mut inner);
            let Frame { made, issue, skipped, .. } = inner;
            (frame.made, frame.issue, frame.skipped) = (made, issue, skipped);
        }
    }

    /// Whether the rule was not yet applied for its `once` text.
    fn first_time(&mut self, rule: &Rule, scope: &Scope<'_>) -> bool {
        let Some(once) = &rule.once else { return true };
        let Some(text) = once.text(scope) else { return false };
        let key = fingerprint(&(std::ptr::from_ref(rule) as usize, text.as_str()));
        let new = self.once.get(&key).is_none();
        if new {
            self.once.insert(key, ());
        }
        new
    }

    /// Puts what the memories hold for this record (and item) into the scope.
    fn look_up<'a>(&self, frame: &mut Frame<'a>)
    where
        'm: 'a,
    {
        frame.scope.memory.clear();
        for (name, memory) in &self.mapping.memory {
            let key = memory.find.text(&frame.scope);
            let held = key.and_then(|key| self.memories.get(name.as_str())?.get(&key).cloned());
            if let Some(value) = held {
                frame.scope.memory.push((name, value));
            }
        }
    }

    fn remember(&mut self, rule: &'m Rule, frame: &Frame<'_>) {
        if rule.remember.is_empty() && rule.forget.is_empty() {
            return;
        }
        let last = frame.made.last_event_id().unwrap_or_default().to_owned();
        let scope = Scope {
            record: Cow::Borrowed(&*frame.scope.record),
            event: &last,
            memory: frame.scope.memory.clone(),
            ..frame.scope
        };
        for name in &rule.forget {
            let key = self.mapping.memory.get(name).and_then(|memory| memory.find.text(&scope));
            if let (Some(key), Some(memory)) = (key, self.memories.get_mut(name.as_str())) {
                memory.remove(&key);
            }
        }
        for (name, what) in &rule.remember {
            if let (Some(key), Some(value), Some(memory)) = (
                what.key.text(&scope),
                what.value.value(&scope),
                self.memories.get_mut(name.as_str()),
            ) {
                memory.insert(key, value);
            }
        }
    }

    /// Makes one event.
    fn emit(&mut self, rule: Option<&Rule>, of: Option<&Template>, frame: &mut Frame<'_>) {
        let mapping = self.mapping;
        let event_id = frame.made.event_id(frame.made.len());
        let scope = Scope {
            record: Cow::Borrowed(&*frame.scope.record),
            event: &event_id,
            memory: frame.scope.memory.clone(),
            ..frame.scope
        };
        let own_type = mapping.r#type.text(&scope).unwrap_or_else(|| mapping.name.clone());
        let wanted = of.and_then(|template| template.text(&scope));
        let own = rule.map_or(&NOTHING, |rule| &rule.metadata);
        let metadata = merged(&mapping.metadata, own, &scope);
        let (actor_type, actor_id, model) = self.actor_of(rule, &scope);
        let correlation = rule.and_then(|rule| rule.correlation.as_ref());
        let optional = |template: Option<&Template>| {
            template.and_then(|template| template.text(&scope)).map(|text| clean(&text, 500))
        };
        let draft = LenientDraft {
            event_id: Some(event_id.clone()),
            timestamp: scope.time,
            issue_key: frame.issue.clone(),
            session_id: scope.session.to_owned(),
            correlation_id: optional(correlation.or(mapping.correlation.as_ref())),
            causation_id: self.cause_of(rule, &scope).filter(|cause| *cause != event_id),
            actor_type,
            actor_id,
            model,
            git_sha: optional(mapping.git_sha.as_ref()),
            branch: optional(mapping.branch.as_ref()),
            ..LenientDraft::default()
        };
        let chosen = wanted.unwrap_or_else(|| own_type.clone());
        let lacking =
            frame.made.push(draft, &clean(&chosen, 200), &clean(&own_type, 200), metadata);
        if let Some(name) = lacking {
            self.fault(FaultKind::IncompleteType, name);
        }
        if let Some(unknown) = frame.made.last_unknown_type() {
            let unknown = unknown.to_owned();
            self.count(&unknown);
        }
    }

    fn actor_of(&self, rule: Option<&Rule>, scope: &Scope<'_>) -> (String, String, Option<String>) {
        let own = rule.and_then(|rule| rule.actor.as_ref());
        let actors = own.into_iter().chain(&self.mapping.actor);
        let found = actors.filter(|actor| actor.when.holds(scope)).find_map(|actor: &Actor| {
            let id = clean(&actor.id.text(scope)?, 200);
            let kind = actor.r#type.text(scope).map(|kind| kind.to_lowercase());
            let kind = match kind.as_deref() {
                Some("user" | "human" | "person") => "user",
                Some("agent" | "assistant" | "bot" | "worker") => "agent",
                _ => "system",
            };
            let model = actor.model.as_ref().and_then(|model| model.text(scope));
            (!id.is_empty()).then(|| (kind.to_owned(), id, model.map(|m| clean(&m, 200))))
        });
        found.unwrap_or_else(|| ("system".to_owned(), self.mapping.name.clone(), None))
    }

    fn fault(&mut self, kind: FaultKind, detail: String) {
        self.faults.push((kind, detail));
    }

    fn count(&mut self, what: &str) {
        super::fields::add_one(&mut self.unmapped, what);
    }
}

static NOTHING: Build = Build::Object { spread: None, members: Vec::new() };

/// The members of both objects; those of the rule win.
fn merged(common: &Build, own: &Build, scope: &Scope<'_>) -> serde_json::Map<String, Value> {
    let object = |build: &Build| match build.value(scope) {
        Some(Value::Object(members)) => members,
        Some(other) => [("value".to_owned(), Value::String(plain(&other)))].into_iter().collect(),
        None => serde_json::Map::new(),
    };
    let mut members = object(common);
    members.extend(object(own));
    members
}

fn fingerprint<T: Hash + ?Sized>(of: &T) -> u64 {
    let mut hasher = FxHasher::default();
    of.hash(&mut hasher);
    // FxHash leaves little in the low bits, and maps take them.
    hasher.finish().rotate_left(26).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
