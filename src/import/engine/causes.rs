//! Which event caused another: source ids to the ids of the events that came of them.
//!
//! Lives here: causes by the mapping, and aliases of source ids that stand for another event than
//! their own. May not live here: the events themselves (see [`super::Engine`]).

use super::{Engine, Frame, fingerprint};
use crate::import::made::Identity;
use crate::import::mapping::{Cause, IdScope, Rule};
use crate::import::template::Scope;

impl Engine<'_> {
    pub(super) fn cause_of(&self, rule: Option<&Rule>, scope: &Scope<'_>) -> Option<String> {
        let causes = rule.and_then(|rule| rule.cause.as_ref()).unwrap_or(&self.mapping.cause);
        causes.iter().find_map(|cause| match cause {
            Cause::Event(template) => template.text(scope),
            Cause::Source(template) => {
                let id = template.text(scope)?;
                match self.aliases.get(&self.alias_key(scope.issue, &id)) {
                    Some(alias) => alias.clone(),
                    None => Some(self.event_of(scope.issue, &id)),
                }
            }
        })
    }

    /// The first event of the first record with this source id.
    fn event_of(&self, issue: &str, id: &str) -> String {
        let scope = match self.mapping.id.scope {
            IdScope::File => "",
            IdScope::Issue => issue,
        };
        Identity::new(&self.mapping.name, scope, Some(id), "").event_id(1, 0)
    }

    fn alias_key(&self, issue: &str, id: &str) -> u64 {
        match self.mapping.id.scope {
            IdScope::File => fingerprint(id),
            IdScope::Issue => fingerprint(&(issue, id)),
        }
    }

    pub(super) fn note_alias(&mut self, frame: &Frame<'_>, occurrence: u32) {
        if !frame.has_id {
            return;
        }
        let key = self.alias_key(frame.scope.issue, frame.scope.id);
        if frame.made.is_empty() {
            let cause = self.cause_of(None, &frame.scope);
            self.aliases.insert(key, cause);
        } else if occurrence > 1 {
            self.aliases.insert(key, Some(frame.made.event_id(0)));
        }
    }
}
