//! Settings: defaults, then the file, then the environment, then flags; each value knows where it
//! came from.
//!
//! Lives here: reading the file, and one typed question per setting. May not live here: finding
//! the file (see [`sources`]), what a setting means to the layer that obeys it. This layer imports only the error.

pub mod rules;
pub mod schema;
pub mod settings;
mod sources;
mod yaml;

use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::{Error, Result};
pub use rules::Rule;
pub use settings::{Preset, Setting, Spec, Standing, Type};
pub use sources::{CONFIG_VARIABLE, FILE_NAMES, Sources, user_folder};
use yaml::{Data, Node};

/// The environment variable that names the store.
pub const STORE_VARIABLE: &str = "CHRONOSCOPE_STORE";
/// The default configuration, with every setting explained.
pub const DEFAULT_FILE: &str = include_str!("../assets/event-sourcing.yaml");
/// The key that all settings stand under.
const ROOT: &str = "event_sourcing";

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody gave one.
    Default,
    /// A file, and the line in it, from 1.
    File(PathBuf, u64),
    /// An environment variable.
    Environment(String),
    /// A flag of the command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => write!(f, "${name}"),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// A value that somebody gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// The value.
    pub value: Value,
    /// Who gave it.
    pub origin: Origin,
}

/// All settings.
#[derive(Debug, Clone, Default)]
pub struct Config {
    file: Option<PathBuf>,
    given: Vec<(Setting, Given)>,
    rules: Vec<Rule>,
    warnings: Vec<String>,
}

impl Config {
    /// Reads the file, if there is one, and the environment.
    ///
    /// # Errors
    /// Usage, naming file and line: the file is not YAML, or a setting that is obeyed holds
    /// something else than it may.
    pub fn load(sources: &Sources) -> Result<Self> {
        let mut config = Self::default();
        if let Some((path, text)) = sources.find_file()? {
            let node = yaml::parse(&text, &path)?;
            config.file = Some(path.clone());
            config.read_root(node, &path)?;
        }
        for (name, text) in &sources.environment {
            let setting =
                Setting::TABLE.iter().find(|s| s.setting.variable().as_deref() == Some(name));
            if let Some(spec) = setting.filter(|_| !text.is_empty()) {
                let value = from_text(spec.ty, text);
                config.give(spec.setting, value, Origin::Environment(name.clone()))?;
            }
        }
        Ok(config)
    }

    fn read_root(&mut self, node: Node, path: &Path) -> Result<()> {
        let Data::Table(entries) = node.data else {
            return Err(Error::usage(format!("{} does not hold settings by name", path.display()))
                .with_hint(format!("settings stand under the key `{ROOT}`")));
        };
        for (key, node) in entries {
            match node.data {
                Data::Table(entries) if key == ROOT => {
                    for (key, node) in entries {
                        self.read_entry(&key, node, path)?;
                    }
                }
                Data::Scalar(Value::Null) if key == ROOT => {}
                _ if key == ROOT => {
                    let place = format!("{}:{}", path.display(), node.line);
                    return Err(Error::usage(format!("{place}: {ROOT} holds no settings")));
                }
                _ => {
                    self.unknown(
                        path,
                        node.line,
                        &key,
                        &format!("; settings stand under `{ROOT}`"),
                    );
                }
            }
        }
        Ok(())
    }

    /// One key directly below the root: a section, or a setting of its own.
    fn read_entry(&mut self, key: &str, node: Node, path: &Path) -> Result<()> {
        if let Some(setting) = Setting::find(key) {
            if setting == Setting::CorrelationRules {
                self.rules = rules::read(&node, path, &mut self.warnings)?;
            }
            return self.give(setting, node.to_json(), Origin::File(path.to_owned(), node.line));
        }
        if !Setting::is_section(key) {
            self.unknown(path, node.line, key, "");
            return Ok(());
        }
        match node.data {
            Data::Table(entries) => {
                for (name, node) in entries {
                    let key = format!("{key}.{name}");
                    match Setting::find(&key) {
                        Some(setting) => {
                            let origin = Origin::File(path.to_owned(), node.line);
                            self.give(setting, node.to_json(), origin)?;
                        }
                        None => self.unknown(path, node.line, &key, ""),
                    }
                }
                Ok(())
            }
            Data::Scalar(Value::Null) => Ok(()),
            _ => {
                let place = format!("{}:{}", path.display(), node.line);
                Err(Error::usage(format!("{place}: {key} holds no settings")))
            }
        }
    }

    fn unknown(&mut self, path: &Path, line: u64, key: &str, more: &str) {
        self.warnings.push(format!("{}:{line}: there is no setting `{key}`{more}", path.display()));
    }

    /// Takes a value; what is only allowed to be the default is warned about and stays it.
    fn give(&mut self, setting: Setting, value: Value, origin: Origin) -> Result<()> {
        let spec = setting.spec();
        if value.is_null() {
            return Ok(());
        }
        match spec.standing {
            Standing::Obeyed => {
                if let Err(wanted) = check(spec.ty, &value) {
                    return Err(Error::usage(format!(
                        "{origin}: {} is {value}, not {wanted}",
                        spec.key
                    ))
                    .with_hint(spec.doc));
                }
            }
            Standing::Fixed(instead) if Some(&value) != spec.default.to_json().as_ref() => {
                let key = spec.key;
                self.warnings.push(format!("{origin}: {key}: {value} is not obeyed: {instead}"));
            }
            Standing::Fixed(_) | Standing::NoEffect(_) => {}
        }
        self.given.retain(|(s, _)| *s != setting);
        self.given.push((setting, Given { value, origin }));
        Ok(())
    }

    /// Takes the value of a flag.
    ///
    /// # Errors
    /// Usage, when the setting cannot hold it.
    pub fn give_flag(&mut self, setting: Setting, flag: &'static str, value: Value) -> Result<()> {
        self.give(setting, value, Origin::Flag(flag))
    }

    /// The correlation rules of the file, in its order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The file that was read, if any.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// What is odd about the file, one line each.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The value that somebody gave; not necessarily the one that is obeyed.
    #[must_use]
    pub fn given(&self, setting: Setting) -> Option<&Given> {
        self.given.iter().find(|(s, _)| *s == setting).map(|(_, given)| given)
    }

    /// The value that holds, and where it came from.
    #[must_use]
    pub fn value(&self, setting: Setting) -> (Option<Value>, Origin) {
        let spec = setting.spec();
        match self.given(setting) {
            Some(given) if !matches!(spec.standing, Standing::Fixed(_)) => {
                (Some(given.value.clone()), given.origin.clone())
            }
            _ => (spec.default.to_json(), Origin::Default),
        }
    }

    /// The number that holds; 0 for settings that have none.
    #[must_use]
    pub fn count(&self, setting: Setting) -> u64 {
        match (self.given(setting), setting.spec().default) {
            (Some(given), _) => given.value.as_u64().unwrap_or(0),
            (None, Preset::Count(number)) => number,
            (None, _) => 0,
        }
    }

    /// The number that holds, as a size in memory.
    #[must_use]
    pub fn size(&self, setting: Setting) -> usize {
        usize::try_from(self.count(setting)).unwrap_or(usize::MAX)
    }

    /// The truth value that holds; false for settings that have none.
    #[must_use]
    pub fn flag(&self, setting: Setting) -> bool {
        match (self.given(setting), setting.spec().default) {
            (Some(given), _) => given.value.as_bool().unwrap_or(false),
            (None, Preset::Flag(truth)) => truth,
            (None, _) => false,
        }
    }

    /// The texts that hold; none for settings that have none.
    #[must_use]
    pub fn list(&self, setting: Setting) -> Vec<String> {
        let (value, _) = self.value(setting);
        let items = value.as_ref().and_then(Value::as_array).map(Vec::as_slice);
        let texts = items.unwrap_or_default().iter().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    }

    /// The text that holds, if there is one.
    #[must_use]
    pub fn text(&self, setting: Setting) -> Option<&str> {
        match (self.given(setting), setting.spec().default) {
            (Some(given), _) => given.value.as_str(),
            (None, Preset::Text(text)) => Some(text),
            (None, _) => None,
        }
    }

    /// The events folder that flag, environment or file name. A path of the file is relative to
    /// [its base](Config::base), others to the working directory.
    #[must_use]
    pub fn store(&self) -> Option<PathBuf> {
        let given = self.given(Setting::BasePath)?;
        let path = PathBuf::from(given.value.as_str()?);
        Some(self.base(Setting::BasePath).map_or_else(|| path.clone(), |base| base.join(&path)))
    }

    /// What the paths of a setting are relative to: the folder that holds its file, or that holds
    /// the file's `config` folder. None where the working directory is meant.
    #[must_use]
    pub fn base(&self, setting: Setting) -> Option<&Path> {
        let Origin::File(file, _) = &self.given(setting)?.origin else { return None };
        let folder = file.parent()?;
        if folder.ends_with("config") { folder.parent() } else { Some(folder) }
    }
}

impl Preset {
    /// The default as a value; none where there is none.
    #[must_use]
    pub fn to_json(self) -> Option<Value> {
        match self {
            Self::None => None,
            Self::Flag(truth) => Some(truth.into()),
            Self::Count(number) => Some(number.into()),
            Self::Text(text) => Some(text.into()),
            Self::List(items) => Some(items.iter().copied().collect()),
        }
    }
}

/// What an environment variable's text means to a setting; what does not fit stays a text, and
/// is refused as such.
fn from_text(ty: Type, text: &str) -> Value {
    let text = text.trim();
    let parsed = match ty {
        Type::Flag => match text {
            "1" => Some(true.into()),
            "0" => Some(false.into()),
            _ => text.parse::<bool>().ok().map(Value::from),
        },
        Type::Count(..) => text.parse::<u64>().ok().map(Value::from),
        Type::List => Some(text.split(',').map(str::trim).collect()),
        Type::Text | Type::OneOf(_) | Type::Rules | Type::Tree => None,
    };
    parsed.unwrap_or_else(|| text.into())
}

/// Whether a setting may hold the value; what it wants instead, with its article.
fn check(ty: Type, value: &Value) -> Result<(), String> {
    let (fits, wanted) = match ty {
        Type::Flag => (value.is_boolean(), "true or false".to_owned()),
        Type::Count(low, high) => {
            let fits = value.as_u64().is_some_and(|n| (low..=high).contains(&n));
            (fits, format!("a whole number from {low} to {high}"))
        }
        Type::Text => (value.is_string(), "a text".to_owned()),
        Type::OneOf(words) => (
            value.as_str().is_some_and(|w| words.contains(&w)),
            format!("one of {}", words.join(", ")),
        ),
        Type::List => {
            let all = |items: &Vec<Value>| items.iter().all(Value::is_string);
            (value.as_array().is_some_and(all), "a list of texts".to_owned())
        }
        // (Each rule was looked at as it was read, with its line.)
        Type::Rules => (value.is_array(), "a list of rules".to_owned()),
        Type::Tree => (true, String::new()),
    };
    if fits { Ok(()) } else { Err(wanted) }
}

#[cfg(test)]
mod tests;
