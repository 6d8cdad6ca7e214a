//! What a user sets while debugging an issue: marks, pins, breakpoints, a what-if, the playhead.
//!
//! Lives here: that record and its file in the user's state directory, one per store and issue.
//! May not live here: anything of the store; nothing a user sets is ever written there.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::breakpoint::Breakpoint;
use crate::error::{Error, Result};
use crate::model::{Position, ids};
use crate::timeline::branch::Branch;

/// What is kept per issue and there again next time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct UserState {
    /// Marks by name.
    pub marks: BTreeMap<String, Position>,
    /// Where the playhead stood; none when it followed the head.
    pub playhead: Option<Position>,
    /// The base of the diff; none for the previous event.
    pub base: Option<Position>,
    /// Paths pinned to the top of the state, as JSON pointers.
    pub pins: Vec<String>,
    /// Which events are shown; none for all.
    pub filter: Option<String>,
    /// Where to stop.
    pub breakpoints: Vec<Breakpoint>,
    /// The what-if that is on.
    pub branch: Option<Branch>,
    /// The name under which it was saved or loaded last.
    pub branch_name: Option<String>,
}

/// Where the user's state is kept: `$CHRONOSCOPE_STATE_DIR`, else the platform's state directory.
#[must_use]
pub fn state_dir() -> Option<PathBuf> {
    if let Some(dir) = std::env::var_os("CHRONOSCOPE_STATE_DIR") {
        return Some(dir.into());
    }
    let absolute =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let base = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("LOCALAPPDATA"))
        .or_else(|| absolute("HOME").map(|home| home.join(".local").join("state")))?;
    Some(base.join("chronoscope"))
}

/// The file for one issue of one store.
#[must_use]
pub fn file(state_dir: &Path, store: &Path, issue_key: &str) -> PathBuf {
    let store = store.canonicalize().unwrap_or_else(|_| store.to_owned());
    let digest = ids::sha256_text(store.as_os_str().as_encoded_bytes());
    state_dir.join(&digest["sha256:".len()..][..16]).join(format!("{issue_key}.json"))
}

impl UserState {
    /// Reads what was kept; nothing when there is no file or it cannot be understood.
    #[must_use]
    pub fn load(file: &Path) -> Self {
        std::fs::read(file)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }

    /// Keeps it.
    ///
    /// # Errors
    /// Unavailable, when the folder cannot be written.
    pub fn save(&self, file: &Path) -> Result<()> {
        keep(file, self)
    }
}

/// Writes a file of the user's as JSON: beside it first, then renamed, so that no crash leaves half
/// a file.
pub(super) fn keep(file: &Path, content: &impl Serialize) -> Result<()> {
    let folder = file.parent().ok_or_else(|| Error::internal("a state file without a folder"))?;
    std::fs::create_dir_all(folder).map_err(|e| Error::io("create", folder, &e))?;
    let text = serde_json::to_vec_pretty(content).map_err(|e| Error::internal(e.to_string()))?;
    let write = || -> std::io::Result<()> {
        let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
        temporary.write_all(&text)?;
        temporary.persist(file)?;
        Ok(())
    };
    write().map_err(|e| Error::io("write", file, &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_and_there_again() {
        let dir = tempfile::tempdir().unwrap();
        let file = file(dir.path(), Path::new("/no/such/store"), "PROJ-1");
        assert_eq!(UserState::load(&file), UserState::default());
        let state = UserState {
            marks: [("a".to_owned(), 3)].into(),
            playhead: Some(7),
            breakpoints: vec![Breakpoint::new("/agents")],
            ..UserState::default()
        };
        state.save(&file).unwrap();
        assert_eq!(UserState::load(&file), state);
        std::fs::write(&file, "garbage").unwrap();
        assert_eq!(UserState::load(&file), UserState::default());
    }
}
