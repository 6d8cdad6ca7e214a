//! What there is to load settings from: the files that may hold them, and the environment.
//!
//! Lives here: [`Sources`]. May not live here: reading what was found (see [`super::Config`]).

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The environment variable that names the configuration file.
pub const CONFIG_VARIABLE: &str = "CHRONOSCOPE_CONFIG";
/// The names under which a configuration is looked for, in each folder upwards.
pub const FILE_NAMES: [&str; 2] = ["config/event-sourcing.yaml", "event-sourcing.yaml"];

/// What is there to load from; [`Sources::from_process`] in the program, made up in tests.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file that `--config` names.
    pub file: Option<PathBuf>,
    /// The working directory, where the search upwards begins.
    pub directory: PathBuf,
    /// The folder of the user's own configuration.
    pub user_folder: Option<PathBuf>,
    /// The environment variables whose names begin with `CHRONOSCOPE_`.
    pub environment: Vec<(String, String)>,
}

/// The user's own configuration folder: `chronoscope` in the platform's.
#[must_use]
pub fn user_folder() -> Option<PathBuf> {
    let absolute =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    absolute("XDG_CONFIG_HOME")
        .or_else(|| absolute("APPDATA"))
        .or_else(|| absolute("HOME").map(|home| home.join(".config")))
        .map(|folder| folder.join("chronoscope"))
}

impl Sources {
    /// The process's directory and environment.
    ///
    /// # Errors
    /// Unavailable, when the working directory is gone.
    pub fn from_process(file: Option<PathBuf>) -> Result<Self> {
        let directory = std::env::current_dir()
            .map_err(|e| Error::io("find", Path::new("the working directory"), &e))?;
        let ours = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            let name = name.into_string().ok().filter(|n| n.starts_with("CHRONOSCOPE_"))?;
            Some((name, value.to_string_lossy().into_owned()))
        };
        let environment = std::env::vars_os().filter_map(ours).collect();
        Ok(Self { file, directory, user_folder: user_folder(), environment })
    }

    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        let found = self.environment.iter().find(|(n, _)| n == name)?;
        Some(found.1.as_str()).filter(|value| !value.is_empty())
    }

    /// The configuration file, if there is one. A file that was named must be there.
    pub(super) fn find_file(&self) -> Result<Option<(PathBuf, String)>> {
        let named = match (&self.file, self.variable(CONFIG_VARIABLE)) {
            (Some(path), _) => Some((self.directory.join(path), "--config")),
            (None, Some(path)) => Some((self.directory.join(path), CONFIG_VARIABLE)),
            (None, None) => None,
        };
        if let Some((path, by)) = named {
            return match std::fs::read_to_string(&path) {
                Ok(text) => Ok(Some((path, text))),
                Err(e) => Err(Error::usage(format!("cannot read {}: {e}", path.display()))
                    .with_hint(format!("{by} names the configuration file"))),
            };
        }
        let upwards = self
            .directory
            .ancestors()
            .flat_map(|folder| FILE_NAMES.iter().map(move |name| folder.join(name)));
        let users = self.user_folder.iter().map(|folder| folder.join(FILE_NAMES[1]));
        for path in upwards.chain(users) {
            match std::fs::read_to_string(&path) {
                Ok(text) => return Ok(Some((path, text))),
                Err(e) if is_absent(&e) => {}
                Err(e) => return Err(Error::usage(format!("cannot read {}: {e}", path.display()))),
            }
        }
        Ok(None)
    }
}

fn is_absent(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}
