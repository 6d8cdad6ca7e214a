//! What may be done with an event: the catalogue's word, and the list of the settings over it.
//!
//! Lives here: [`Policies`]. May not live here: flags; none of them changes a policy.

use rustc_hash::FxHashSet;

use crate::model::catalogue::{ReplayPolicy, spec};
use crate::model::{Event, Kind};

/// Which types are never executed, as the settings say.
#[derive(Debug, Clone, Default)]
pub struct Policies {
    never: FxHashSet<String>,
}

impl Policies {
    /// These types are never executed, and no others are for what they do to the outside.
    #[must_use]
    pub fn new(never: impl IntoIterator<Item = String>) -> Self {
        Self { never: never.into_iter().collect() }
    }

    /// The types that are never executed, sorted.
    #[must_use]
    pub fn never(&self) -> Vec<String> {
        let mut all: Vec<String> = self.never.iter().cloned().collect();
        all.sort_unstable();
        all
    }

    /// What may be done with an event.
    #[must_use]
    pub fn of(&self, event: &Event) -> ReplayPolicy {
        self.of_type(event.type_name.as_str(), event.kind)
    }

    /// What may be done with events of a type.
    #[must_use]
    pub fn of_type(&self, name: &str, kind: Kind) -> ReplayPolicy {
        if self.never.contains(name) {
            return ReplayPolicy::NotRepeatable;
        }
        match spec(kind).map(|spec| spec.replay) {
            // The list decides what acts upon the outside, and it does not name this one.
            Some(ReplayPolicy::NotRepeatable) | None => ReplayPolicy::Execute,
            Some(policy) => policy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Setting};
    use crate::model::catalogue::CATALOGUE;

    #[test]
    fn the_list_of_the_settings_is_that_of_the_catalogue_until_somebody_changes_it() {
        let by_type = CATALOGUE.iter().filter(|s| s.replay == ReplayPolicy::NotRepeatable);
        let mut ours: Vec<String> = by_type.map(|s| s.kind.name().to_owned()).collect();
        ours.sort_unstable();
        let policies = Policies::new(Config::default().list(Setting::ReplayNever));
        assert_eq!(policies.never(), ours);
    }
}
