//! Where mappings come from: the program, files, and what the command line says over them.
//!
//! Lives here: reading a mapping, and what is checked beyond its form. May not live here: the form
//! (see [`super`]).

use std::path::Path;

use super::{Mapping, Rule};
use crate::error::{Error, Result};

/// The mappings that come with the program, by name.
const BUILT_IN: &[(&str, &str)] = &[
    ("fleet", include_str!("../../../assets/mappings/fleet.toml")),
    ("esaa", include_str!("../../../assets/mappings/esaa.toml")),
    ("claude-transcript", include_str!("../../../assets/mappings/claude-transcript.toml")),
    ("claude-hooks", include_str!("../../../assets/mappings/claude-hooks.toml")),
    ("temporal", include_str!("../../../assets/mappings/temporal.toml")),
    ("generic", include_str!("../../../assets/mappings/generic.toml")),
];

/// A built-in mapping as `import list` shows it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// What it reads, in one sentence.
    pub title: String,
}

impl Mapping {
    /// The built-in mapping of this name, or the mapping in the file that it names (anything with
    /// a separator or the extension `.toml` is a path).
    ///
    /// # Errors
    /// As [`Mapping::builtin`] and [`Mapping::load`].
    pub fn named(name: &str) -> Result<Self> {
        let path = Path::new(name);
        if name.contains(['/', '\\']) || path.extension().is_some_and(|e| e == "toml") {
            Self::load(path)
        } else {
            Self::builtin(name)
        }
    }

    /// A mapping that comes with the program.
    ///
    /// # Errors
    /// Not found, when there is none of this name.
    pub fn builtin(name: &str) -> Result<Self> {
        let Some((_, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) else {
            let names: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
            return Err(Error::not_found(format!("no mapping is named {name:?}"))
                .with_hint(format!("there are {}, or a path like ./my.toml", names.join(", "))));
        };
        Self::parse(text).map_err(|why| Error::internal(format!("mapping {name}: {why}")))
    }

    /// The built-in mappings.
    ///
    /// # Errors
    /// None that could be met: they are tested.
    pub fn list() -> Result<Vec<Listed>> {
        let listed = |(name, _): &(&str, &str)| {
            Self::builtin(name).map(|mapping| Listed { name: mapping.name, title: mapping.title })
        };
        BUILT_IN.iter().map(listed).collect()
    }

    /// The text of a built-in mapping, to begin an own one with.
    #[must_use]
    pub fn text(name: &str) -> Option<&'static str> {
        BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// Reads a mapping file.
    ///
    /// # Errors
    /// Not found or unavailable, when it cannot be read; usage, when it is no mapping, naming the
    /// place.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            if error.kind() == std::io::ErrorKind::NotFound {
                Error::not_found(format!("there is no mapping file {}", path.display()))
            } else {
                Error::io("read", path, &error)
            }
        })?;
        Self::parse(&text).map_err(|why| {
            Error::usage(format!("{} is no mapping: {why}", path.display()))
                .with_hint("`chronoscope import list` names mappings to begin with")
        })
    }

    /// Reads a mapping from its text.
    ///
    /// # Errors
    /// What is wrong, with the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mapping: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        mapping.check_memories(&mapping.rule)?;
        Ok(mapping)
    }

    fn check_memories(&self, rules: &[Rule]) -> Result<(), String> {
        for rule in rules {
            let named = rule.remember.keys().chain(&rule.forget);
            if let Some(unknown) = named.into_iter().find(|name| !self.memory.contains_key(*name)) {
                return Err(format!("a rule uses memory.{unknown}, which is not declared"));
            }
            self.check_memories(&rule.each)?;
        }
        Ok(())
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it reads, in one sentence.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Says which field of the source is what: `timestamp=ts`, `issue=/payload/task_id`,
    /// `metadata.owner=user.name`. The left side is one of `id`, `type`, `timestamp`, `issue`,
    /// `session`, `actor`, `actor_type`, `model`, `cause`, `correlation`, `branch`, `git_sha`,
    /// `metadata` or `metadata.NAME`; the right side a JSON pointer, a dotted name, or a template.
    ///
    /// # Errors
    /// Usage, when either side is none of these.
    pub fn assign(&mut self, assignment: &str) -> Result<()> {
        crate::import::fields::assign(self, assignment).map_err(|why| {
            Error::usage(format!("--field {assignment}: {why}"))
                .with_hint("write for example --field issue=ticket --field timestamp=/meta/ts")
        })
    }
}
