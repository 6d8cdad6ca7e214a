//! Signing checkpoints without being asked: after appends and imports, when one is due.
//!
//! Lives here: when. May not live here: how (see `store::local`). The events are acknowledged by
//! then: what goes wrong here is caught up by the next.

use std::time::Duration;

use crate::config::{Config, Setting};
use crate::store::Acknowledgement;
use crate::store::local::{LocalStore, ends_orchestration};

use super::context::Context;

/// How long the end of an orchestration waits for who is signing or publishing.
const PATIENCE: Duration = Duration::from_secs(2);

/// After how many events a checkpoint is signed.
pub(crate) fn every(config: &Config) -> u64 {
    let regime = config.given(Setting::Compliance).map(|given| &given.value);
    let off = regime.is_none_or(|regime| {
        let off = |text: &str| ["", "none", "off", "false"].contains(&text);
        regime.is_null()
            || regime.as_bool() == Some(false)
            || regime.as_str().is_some_and(off)
            || regime.get("enabled").and_then(serde_json::Value::as_bool) == Some(false)
    });
    if off { config.count(Setting::CheckpointEvery) } else { 1 }
}

/// Whether one of these events ends an orchestration.
pub(crate) fn is_end<'a>(mut answers: impl Iterator<Item = &'a Acknowledgement>) -> bool {
    answers.any(|answer| !answer.duplicate && ends_orchestration(&answer.event_type))
}

/// Signs when so many events came since the last time, or these end an orchestration.
pub(crate) fn after_appends(context: &Context, store: &LocalStore, ended: bool) {
    let _ = store.checkpoint_when_due(every(&context.config), ended, PATIENCE);
}

/// Signs whatever came.
pub(crate) fn after_all(store: &LocalStore) {
    let _ = store.checkpoint_when_due(1, true, PATIENCE);
}
