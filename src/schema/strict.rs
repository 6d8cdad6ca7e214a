//! The rules of the envelope: what a caller may write into each of its fields.
//!
//! Lives here: reading a caller's text into a [`Draft`] with every fault named. May not live here:
//! the metadata of single types (see [`super::validate`]).

use serde_json::value::RawValue;

use super::draft::{Draft, LenientDraft, Rules, SchemaFault, Stamp, is_default_key};
use super::members::{self, Member, is_there, with_repeats};
use super::words::{check_word, is_semver, quote};
use super::{json, validate};
use crate::model::catalogue::{self, Version};
use crate::model::envelope::ActorType;
use crate::model::{Kind, Timestamp, ids};

/// How far ahead of the clock a caller's time may be, in milliseconds.
const AHEAD_MS: i64 = 5 * 60_000;

/// A caller's event while it is read: what was sound so far, and what was not.
struct Reader<'r> {
    rules: &'r Rules,
    faults: Vec<SchemaFault>,
    parts: LenientDraft,
}

/// Reads and checks a caller's event; see [`Draft::strict`].
pub(super) fn read(text: &str, rules: &Rules) -> Result<Draft, Vec<SchemaFault>> {
    let fields = object(text)?;
    let mut reader = Reader { rules, faults: Vec::new(), parts: LenientDraft::default() };
    for (member, repeated) in with_repeats(&fields) {
        if repeated {
            reader.fault(&json::child("", &member.key), "comes twice");
        } else {
            reader.field(member);
        }
    }
    for name in ["event_type", "issue_key", "session_id", "actor", "metadata"] {
        if !is_there(&fields, name) {
            reader.fault(&json::child("", name), "is required");
        }
    }
    reader.finish(text.len())
}

/// The members of the object that `text` is.
pub(super) fn object(text: &str) -> Result<Vec<Member<'_>>, Vec<SchemaFault>> {
    if let Some(members) = members::read(text) {
        return Ok(members);
    }
    let why = match serde_json::from_str::<&RawValue>(text) {
        Err(error) => format!("is not JSON: {error}"),
        Ok(raw) if !raw.get().starts_with('{') => {
            format!("is {}, not a JSON object", type_of(raw.get()))
        }
        Ok(_) => "has a key with half of a surrogate pair".to_owned(),
    };
    Err(vec![SchemaFault::new("", why)])
}

/// What a JSON text is, with its article.
pub(super) fn type_of(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a truth value",
        Some(b'n') => "null",
        _ => "a number",
    }
}

impl Reader<'_> {
    fn fault(&mut self, pointer: &str, message: impl Into<String>) {
        self.faults.push(SchemaFault::new(pointer, message));
    }

    fn field(&mut self, member: &Member<'_>) {
        match &*member.key {
            "event_id" => self.parts.event_id = self.event_id(member),
            "event_type" => self.event_type(member),
            "event_version" => self.parts.event_version = self.text("/event_version", member),
            "timestamp" => self.parts.timestamp = self.timestamp(member),
            "event_sequence" => {
                self.fault("/event_sequence", "is given by the store: leave it out");
            }
            "issue_key" => self.issue_key(member),
            "session_id" => self.session_id(member),
            "correlation_id" => self.parts.correlation_id = self.word("/correlation_id", member),
            "causation_id" => self.parts.causation_id = self.word("/causation_id", member),
            "actor" => self.actor(member),
            "metadata" => {
                if let Some(object) = self.object("/metadata", member) {
                    self.parts.metadata = object;
                }
            }
            "git_sha" => self.git_sha(member),
            "branch" => self.parts.branch = self.word("/branch", member),
            "codebase_state" => self.parts.codebase_state = self.object("/codebase_state", member),
            name => self.fault(
                &json::child("", name),
                "is no field of the envelope: what a type adds belongs into metadata",
            ),
        }
    }

    /// A string, whatever it holds.
    fn text(&mut self, pointer: &str, member: &Member<'_>) -> Option<String> {
        if let Some(text) = member.text() {
            return Some(text.into_owned());
        }
        let raw = member.raw;
        match raw.as_bytes().first() {
            Some(b'"') => self.fault(pointer, "has half of a surrogate pair"),
            Some(b'n') => self.fault(pointer, "is null: leave it out instead"),
            _ => self.fault(pointer, format!("must be a string, not {}", type_of(raw))),
        }
        None
    }

    /// A string that is not empty and has no control characters.
    fn word(&mut self, pointer: &str, member: &Member<'_>) -> Option<String> {
        let text = self.text(pointer, member)?;
        match check_word(&text) {
            Ok(()) => Some(text),
            Err(why) => {
                self.fault(pointer, why);
                None
            }
        }
    }

    /// An object, compact; sound and not too deep.
    fn object(&mut self, pointer: &str, &Member { raw, found, .. }: &Member<'_>) -> Option<String> {
        if !raw.starts_with('{') {
            self.fault(pointer, format!("must be an object, not {}", type_of(raw)));
            return None;
        }
        if !found.sound || found.depth >= json::MAX_DEPTH {
            json::name_unsound(raw, pointer, 1, &mut self.faults);
            return None;
        }
        Some(if found.spaced { json::compact(raw).into_owned() } else { raw.to_owned() })
    }

    fn event_id(&mut self, member: &Member<'_>) -> Option<String> {
        let id = self.text("/event_id", member)?;
        if ids::is_uuid(&id) {
            return Some(id);
        }
        self.fault("/event_id", format!("must be a UUID, which {} is not", quote(&id)));
        None
    }

    fn event_type(&mut self, member: &Member<'_>) {
        let Some(name) = self.word("/event_type", member) else { return };
        if !Kind::from_name(&name).is_catalogued() && !self.rules.allow_unknown_types {
            self.faults.push(super::suggest::unknown_type(&name));
        }
        self.parts.event_type = name;
    }

    fn timestamp(&mut self, member: &Member<'_>) -> Option<Timestamp> {
        let text = self.text("/timestamp", member)?;
        match Timestamp::parse(&text) {
            Err(why) => self.fault("/timestamp", format!("cannot be {}: {why}", quote(&text))),
            Ok(at) if at > self.rules.now.plus_millis(AHEAD_MS) => self.fault(
                "/timestamp",
                format!("is more than 5 minutes ahead of the clock ({})", self.rules.now),
            ),
            Ok(at) => return Some(at),
        }
        None
    }

    fn issue_key(&mut self, member: &Member<'_>) {
        let Some(key) = self.text("/issue_key", member) else { return };
        if let Err(why) = ids::check_issue_key(&key) {
            self.fault("/issue_key", why);
        } else {
            match &self.rules.key_pattern {
                None if !is_default_key(&key) => self.fault(
                    "/issue_key",
                    format!("must be of the form PREFIX-123, which {} is not", quote(&key)),
                ),
                Some(pattern) if !pattern.matches(&key) => {
                    let pattern = pattern.as_str();
                    self.fault(
                        "/issue_key",
                        format!("must match {pattern}, which {} does not", quote(&key)),
                    );
                }
                _ => {}
            }
        }
        self.parts.issue_key = key;
    }

    fn session_id(&mut self, member: &Member<'_>) {
        let Some(id) = self.text("/session_id", member) else { return };
        if !ids::is_uuid(&id) {
            self.fault("/session_id", format!("must be a UUID, which {} is not", quote(&id)));
        }
        self.parts.session_id = id;
    }

    fn actor(&mut self, member: &Member<'_>) {
        let raw = member.raw;
        if !raw.starts_with('{') {
            let what = type_of(raw);
            self.fault("/actor", format!("must be an object like {{\"type\":\"agent\",\"id\":\"api-builder\"}}, not {what}"));
            return;
        }
        let Some(members) = members::read(raw) else {
            return self.fault("/actor", "has a key with half of a surrogate pair");
        };
        for (member, repeated) in with_repeats(&members) {
            let key = &member.key;
            let pointer = || json::child("/actor", key);
            if repeated {
                self.fault(&pointer(), "comes twice");
                continue;
            }
            match &**key {
                "type" => self.actor_type(member),
                "id" => self.parts.actor_id = self.word("/actor/id", member).unwrap_or_default(),
                "model" => self.parts.model = self.word("/actor/model", member),
                _ => self.fault(&pointer(), "is no field of an actor (type, id, model)"),
            }
        }
        for name in ["type", "id"] {
            if !is_there(&members, name) {
                self.fault(&json::child("/actor", name), "is required");
            }
        }
    }

    fn actor_type(&mut self, member: &Member<'_>) {
        let Some(word) = self.text("/actor/type", member) else { return };
        if ActorType::from_name(&word).is_none() {
            let words: Vec<&str> = ActorType::ALL.iter().map(|word| word.name()).collect();
            let message =
                format!("must be {}, not {}", super::suggest::one_of(&words), quote(&word));
            self.fault("/actor/type", message);
        }
        self.parts.actor_type = word;
    }

    fn git_sha(&mut self, member: &Member<'_>) {
        let Some(sha) = self.text("/git_sha", member) else { return };
        if !validate::is_sha(&sha) {
            let message = format!("must be 7 to 64 hex digits, which {} is not", quote(&sha));
            self.fault("/git_sha", message);
        }
        self.parts.git_sha = Some(sha);
    }

    /// What depends on more than one field.
    fn finish(mut self, text_bytes: usize) -> Result<Draft, Vec<SchemaFault>> {
        self.version();
        self.metadata();
        if !self.faults.is_empty() {
            return Err(self.faults);
        }
        let draft = build(self.parts);
        // Only a text near the limit is worth the line that would tell.
        if text_bytes.saturating_mul(2) + 1024 > self.rules.max_event_bytes {
            check_size(&draft, self.rules.max_event_bytes)?;
        }
        Ok(draft)
    }

    /// The metadata against the type's row; unsound metadata has been named already.
    fn metadata(&mut self) {
        if self.parts.metadata.is_empty() {
            return;
        }
        let kind = Kind::from_name(&self.parts.event_type);
        if catalogue::spec(kind).is_some_and(|spec| spec.field("issue_key").is_some()) {
            fill_issue_key(&mut self.parts.metadata, &self.parts.issue_key);
        }
        self.faults.extend(validate::metadata_faults(kind, &self.parts.metadata));
    }

    fn version(&mut self) {
        let Some(given) = &self.parts.event_version else { return };
        let kind = Kind::from_name(&self.parts.event_type);
        let pointer = "/event_version";
        let fault = if !is_semver(given) {
            format!("must be a semantic version like 1.0.0, which {} is not", quote(given))
        } else if !kind.is_catalogued() {
            return;
        } else {
            match Version::from_name(given) {
                None => format!(
                    "{given} is not a version of the catalogue ({})",
                    super::history::names()
                ),
                Some(version) if version < Version::since(kind) => {
                    format!(
                        "{given} did not have {kind} yet: it came with {}",
                        Version::since(kind).name()
                    )
                }
                Some(_) => return,
            }
        };
        self.fault(pointer, fault);
    }
}

/// Puts the envelope's issue key before the other fields of the metadata, unless it has its own.
fn fill_issue_key(metadata: &mut String, issue_key: &str) {
    // Its name, or an escape that may stand for a letter of it: only then is a look worth it.
    let has_key = (metadata.contains("issue_key") || metadata.contains("\\u"))
        && members::read(metadata).is_some_and(|members| is_there(&members, "issue_key"));
    if has_key || issue_key.is_empty() {
        return;
    }
    let mut filled = String::with_capacity(metadata.len() + issue_key.len() + 16);
    filled.push_str("{\"issue_key\":");
    json::push_string(&mut filled, issue_key);
    let rest = metadata.get(1..).unwrap_or_default();
    if rest != "}" {
        filled.push(',');
    }
    filled.push_str(rest);
    *metadata = filled;
}

fn check_size(draft: &Draft, limit: usize) -> Result<(), Vec<SchemaFault>> {
    let stamp = Stamp {
        event_id: draft.event_id().unwrap_or("00000000-0000-4000-8000-000000000000"),
        timestamp: draft.timestamp().unwrap_or_default(),
        sequence: u64::MAX,
        git_sha: None,
        branch: None,
    };
    let bytes = draft.to_line(&stamp).len();
    if bytes <= limit {
        return Ok(());
    }
    let message =
        format!("is a line of {bytes} bytes; the limit is {limit} (limits.max_event_bytes)");
    Err(vec![SchemaFault::new("", message)])
}

/// The draft of parts that were checked.
pub(super) fn build(parts: LenientDraft) -> Draft {
    Draft {
        event_id: parts.event_id,
        event_type: parts.event_type,
        event_version: parts.event_version,
        timestamp: parts.timestamp,
        issue_key: parts.issue_key,
        session_id: parts.session_id,
        correlation_id: parts.correlation_id,
        causation_id: parts.causation_id,
        actor_type: parts.actor_type,
        actor_id: parts.actor_id,
        model: parts.model,
        metadata: parts.metadata,
        git_sha: parts.git_sha,
        branch: parts.branch,
        codebase_state: parts.codebase_state,
        redacted: Vec::new(),
        line: None,
    }
}
