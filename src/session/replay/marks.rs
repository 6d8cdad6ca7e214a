//! What a run says about itself: in the log, and to its programs.
//!
//! Lives here: ReplayStarted and ReplayCompleted, and what a program's environment has of the run. May
//! not live here: when they are due (see [`super::execute`]).

use std::ffi::OsString;

use serde_json::json;

use super::Session;
use crate::error::{Error, Result};
use crate::model::ids;
use crate::replay::{Header, Tally};
use crate::schema::{self, Draft, LenientDraft, Redactor};
use crate::store::local::LocalStore;
use crate::store::{AppendOptions, Batch, EventStore};

/// The session of the marks of a replay of nothing, or of what has none that can be written.
const NO_SESSION: &str = "replay";

/// The marks of a run.
pub(super) struct Marks<'a> {
    store: &'a LocalStore,
    header: &'a Header,
    redactor: &'a Redactor,
    /// The session of the last event, where it can be one.
    session_id: String,
}

impl<'a> Marks<'a> {
    pub(super) fn new(
        store: &'a LocalStore,
        session: &mut Session,
        header: &'a Header,
        redactor: &'a Redactor,
    ) -> Result<Self> {
        let last = if header.to == 0 { None } else { Some(session.event(header.to)?.session) };
        let session_id = last.filter(|s| schema::is_session_id(s));
        let session_id = session_id.map_or_else(|| NO_SESSION.to_owned(), |s| s.to_string());
        Ok(Self { store, header, redactor, session_id })
    }

    pub(super) fn environment(&self) -> Vec<(&'static str, OsString)> {
        let store = std::path::absolute(self.store.root());
        vec![
            ("CHRONOSCOPE_ISSUE", OsString::from(&self.header.issue_key)),
            ("CHRONOSCOPE_SESSION", OsString::from(&self.session_id)),
            ("CHRONOSCOPE_STORE", store.map_or_else(|_| self.store.root().into(), Into::into)),
        ]
    }

    pub(super) fn started(&self, count: usize) -> Result<()> {
        self.log("ReplayStarted", &json!({ "event_count": count }))
    }

    pub(super) fn completed(&self, tally: &Tally) -> Result<()> {
        let counts = json!({
            "replayed_count": tally.replayed,
            "skipped_count": tally.skipped,
            "failed_count": tally.failed,
            "success_rate": tally.success_rate(),
        });
        self.log("ReplayCompleted", &counts)
    }

    /// Appends a mark, under an id that belongs to it: however often that is tried, it is there once.
    fn log(&self, event_type: &str, more: &serde_json::Value) -> Result<()> {
        let Header { replay_id, issue_key, from, to, .. } = self.header;
        let id =
            |name: &str| ids::derived_event_id(&[b"replay", replay_id.as_bytes(), name.as_bytes()]);
        let mut metadata =
            json!({ "replay_id": replay_id, "from": from, "to": to, "dry_run": false });
        if let (Some(all), Some(more)) = (metadata.as_object_mut(), more.as_object()) {
            all.extend(more.clone());
        }
        let draft = Draft::lenient(LenientDraft {
            event_id: Some(id(event_type)),
            event_type: event_type.to_owned(),
            issue_key: issue_key.clone(),
            session_id: self.session_id.clone(),
            causation_id: (event_type != "ReplayStarted").then(|| id("ReplayStarted")),
            actor_type: "system".to_owned(),
            actor_id: "chronoscope".to_owned(),
            metadata: metadata.to_string(),
            ..LenientDraft::default()
        });
        let draft = draft.and_then(|draft| draft.without_secrets(self.redactor)).map_err(|f| {
            let why: Vec<String> = f.iter().map(ToString::to_string).collect();
            Error::internal(format!("the mark {event_type} is refused: {}", why.join("; ")))
        })?;
        let batch = Batch { issue_key: issue_key.clone(), drafts: vec![draft] };
        self.store.append(&batch, &AppendOptions::default()).map(drop)
    }
}
