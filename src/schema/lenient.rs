//! Events of other systems: any type, any safe key, any metadata; see [`Draft::lenient`].
//!
//! Lives here: the few rules without which a line would be broken or a name unsafe. May not live
//! here: what a mapping makes of a foreign field (see the import layer).

use serde_json::value::RawValue;

use super::draft::{Draft, LenientDraft, SchemaFault};
use super::json;
use super::strict::{build, type_of};
use super::words::check_word;
use crate::model::ids;

/// The longest session id of an import, in bytes.
pub(super) const MAX_SESSION_BYTES: usize = 500;

/// Whether an event can have this session id.
#[must_use]
pub fn is_session_id(text: &str) -> bool {
    text.len() <= MAX_SESSION_BYTES && check_word(text).is_ok()
}

/// Takes an event of another system; see [`Draft::lenient`].
pub(super) fn take(mut parts: LenientDraft) -> Result<Draft, Vec<SchemaFault>> {
    let mut faults = Vec::new();
    let mut fault = |pointer: &str, why: &str| faults.push(SchemaFault::new(pointer, why));
    if let Err(why) = ids::check_issue_key(&parts.issue_key) {
        fault("/issue_key", why);
    }
    if parts.session_id.len() > MAX_SESSION_BYTES {
        fault("/session_id", "is longer than 500 bytes");
    }
    let words = [
        ("/event_id", parts.event_id.as_deref()),
        ("/event_type", Some(&*parts.event_type)),
        ("/event_version", parts.event_version.as_deref()),
        ("/session_id", Some(&*parts.session_id)),
        ("/correlation_id", parts.correlation_id.as_deref()),
        ("/causation_id", parts.causation_id.as_deref()),
        ("/actor/type", Some(&*parts.actor_type)),
        ("/actor/id", Some(&*parts.actor_id)),
        ("/actor/model", parts.model.as_deref()),
        ("/git_sha", parts.git_sha.as_deref()),
        ("/branch", parts.branch.as_deref()),
    ];
    for (pointer, word) in words {
        if let Some(Err(why)) = word.map(check_word) {
            fault(pointer, why);
        }
    }
    match compact_object(&parts.metadata) {
        Ok(text) => parts.metadata = text,
        Err(why) => fault("/metadata", &why),
    }
    match parts.codebase_state.as_deref().map(compact_object).transpose() {
        Ok(text) => parts.codebase_state = text,
        Err(why) => fault("/codebase_state", &why),
    }
    if faults.is_empty() { Ok(build(parts)) } else { Err(faults) }
}

fn compact_object(text: &str) -> Result<String, String> {
    match serde_json::from_str::<&RawValue>(text) {
        Err(error) => Err(format!("is not JSON: {error}")),
        Ok(raw) if raw.get().starts_with('{') => Ok(json::compact(raw.get()).into_owned()),
        Ok(raw) => Err(format!("must be an object, not {}", type_of(raw.get()))),
    }
}
