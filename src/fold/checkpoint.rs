//! `/checkpoints/{id}`: phases, gaps and quality as they were, to come back to.
//!
//! In memory a checkpoint costs nothing, it shares the subtrees. As text it repeats them, so only
//! the last [`KEPT`] keep theirs; restoring an older one is a broken guard. The checkpoints are a
//! list, newest first: `/orchestration/latest_checkpoint`, then each one's `previous`.
//!
//! Lives here: the arms of the checkpoint types. May not live here: the log's own checkpoints.

use super::writer::Writer;
use crate::model::{Key, Map, Value};

/// How many checkpoints keep what they saved.
pub(super) const KEPT: usize = 32;

/// What a checkpoint saves and brings back.
const SAVED: [&str; 3] = ["phases", "gaps", "quality"];

pub(super) fn created(w: &mut Writer<'_>) {
    let Some(id) = w.key("checkpoint_id") else { return };
    let saved: Map = SAVED
        .into_iter()
        .filter_map(|member| Some((Key::new_static(member), w.look(&[member])?.clone())))
        .collect();
    let previous = link(w, &["orchestration", "latest_checkpoint"]);
    // One that is created again is only brought up to date; its place in the list stays.
    let is_new = w.look(&["checkpoints", id.as_str(), "created_at"]).is_none();
    w.thing("checkpoints", &id)
        .stamp("created_at")
        .set("saved", saved)
        .set_some("previous", previous.as_ref().filter(|_| is_new).map(Value::from))
        .copy_as("checkpoint_phase", "phase")
        .copy_as("checkpoint_reason", "reason")
        .copy(&["state_snapshot", "git_sha", "can_rollback", "files_changed_since_last"])
        .copy(&["commits_since_last"]);
    if is_new {
        w.top("orchestration").set("latest_checkpoint", id);
        forget_oldest(w);
    }
}

fn link(w: &Writer<'_>, keys: &[&str]) -> Option<Key> {
    w.look(keys)?.as_text().cloned()
}

/// Takes what it saved from the checkpoint that is one too many.
fn forget_oldest(w: &mut Writer<'_>) {
    let mut id = link(w, &["orchestration", "latest_checkpoint"]);
    for _ in 0..KEPT {
        id = id.and_then(|id| link(w, &["checkpoints", id.as_str(), "previous"]));
    }
    if let Some(id) = id {
        w.thing("checkpoints", &id).remove(&["saved"]);
    }
}

pub(super) fn restored(w: &mut Writer<'_>) {
    let Some(id) = w.key("checkpoint_id") else { return };
    if let Some(saved) = w.look(&["checkpoints", id.as_str(), "saved"]).cloned() {
        for member in SAVED {
            w.replace([Key::new_static(member)], saved.get(member));
        }
    }
    let restored = w
        .record()
        .stamp("at")
        .copy_as("restore_reason", "reason")
        .copy_or_actor("restored_by", "by")
        .copy(&["files_restored", "git_reset_to", "state_validated"])
        .done();
    w.thing("checkpoints", &id).set("restored", restored).add("times_restored", 1);
}
