//! The versions of the catalogue: what each changed, and how older events become current ones.
//!
//! Lives here: the table of releases and the chain of upcasts. May not live here: the rows of the
//! types, which say themselves since when they are.

use crate::model::catalogue::Version;
use crate::model::{Kind, Map};

/// One version of the catalogue.
#[derive(Debug)]
pub struct Release {
    /// Which one.
    pub version: Version,
    /// The day it came out, as `YYYY-MM-DD`.
    pub date: &'static str,
    /// What it changed, one sentence each.
    pub changes: &'static [&'static str],
    /// Whether events of the version before are invalid in it.
    pub breaking: bool,
    /// What is done, in words, to events of the version before.
    pub upcast_doc: &'static str,
    /// Makes the metadata of an event of the version before that of this one.
    pub upcast: fn(Kind, &mut Map),
}

/// The versions, oldest first.
pub static HISTORY: &[Release] = &[
    Release {
        version: Version::V1_0,
        date: "2026-11-22",
        changes: &["The original catalogue: 36 types."],
        breaking: false,
        upcast_doc: "none: there is no version before",
        upcast: unchanged,
    },
    Release {
        version: Version::V1_1,
        date: "2026-11-22",
        changes: &[
            "30 more types: sessions, prompts, tools, tasks, decisions, approvals, usage, replays and \
             summaries, and what was missing around phases, agents, gaps, branches and reviews.",
            "The 36 types of 1.0.0 are as they were.",
        ],
        breaking: false,
        upcast_doc: "the identity: events of 1.0.0 are events of 1.1.0",
        upcast: unchanged,
    },
];

fn unchanged(_: Kind, _: &mut Map) {}

/// Brings metadata that was written under `from` to the newest version of `history`.
pub(super) fn upcast(history: &[Release], kind: Kind, from: Version, metadata: &mut Map) {
    for release in history.iter().filter(|release| release.version > from) {
        (release.upcast)(kind, metadata);
    }
}

/// The versions' names, for messages.
pub(super) fn names() -> String {
    Version::ALL.map(Version::name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Value;

    #[test]
    fn the_history_has_every_version_in_order() {
        let versions: Vec<Version> = HISTORY.iter().map(|release| release.version).collect();
        assert_eq!(versions, Version::ALL);
        assert_eq!(versions.last(), Some(&Version::CURRENT));
    }

    #[test]
    fn an_upcast_runs_the_steps_after_the_events_version() {
        fn rename(kind: Kind, metadata: &mut Map) {
            if kind == Kind::AgentSpawned
                && let Some(name) = metadata.remove("agent")
            {
                metadata.insert("agent_name", name);
            }
        }
        let step = |version, upcast| Release {
            version,
            date: "2026-01-01",
            changes: &[],
            breaking: true,
            upcast_doc: "",
            upcast,
        };
        let history = [step(Version::V1_0, unchanged), step(Version::V1_1, rename)];
        let old: Map = [("agent", Value::from("api"))].into_iter().collect();
        let after = |kind, from| {
            let mut map = old.clone();
            upcast(&history, kind, from, &mut map);
            map
        };
        assert_eq!(after(Kind::AgentSpawned, Version::V1_0).get("agent_name"), Some(&"api".into()));
        assert_eq!(after(Kind::AgentSpawned, Version::V1_1), old);
        assert_eq!(after(Kind::AgentFailed, Version::V1_0), old);
    }
}
