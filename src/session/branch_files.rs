//! Branches that a user keeps under a name, beside the rest of what is kept for the issue.
//!
//! Lives here: their files. May not live here: what is in them (see [`crate::timeline::branch`]);
//! anything of the store.

use std::path::{Path, PathBuf};

use super::user_state;
use crate::error::{Error, Result};
use crate::model::ids;
use crate::timeline::branch::Branch;

/// The kept branches of one issue of one store.
#[derive(Debug, Clone)]
pub struct BranchFiles {
    folder: PathBuf,
}

impl BranchFiles {
    /// Those of an issue, in the user's state directory.
    #[must_use]
    pub fn new(state_dir: &Path, store: &Path, issue_key: &str) -> Self {
        Self { folder: user_state::file(state_dir, store, issue_key).with_extension("branches") }
    }

    /// The file of a branch.
    ///
    /// # Errors
    /// Usage, for what cannot be a name.
    pub fn file(&self, name: &str) -> Result<PathBuf> {
        ids::check_issue_key(name)
            .map_err(|why| Error::usage(format!("the name of the branch {why}")))?;
        Ok(self.folder.join(format!("{name}.json")))
    }

    /// The names, in order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        let json = paths.filter(|path| path.extension().is_some_and(|e| e == "json"));
        let mut names: Vec<String> =
            json.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
        names.sort();
        names
    }

    /// The branch of this name.
    ///
    /// # Errors
    /// Usage, for what is no name or no branch; not found or unavailable, as the file is.
    pub fn load(&self, name: &str) -> Result<Branch> {
        read(&self.file(name)?)
    }

    /// Keeps a branch.
    ///
    /// # Errors
    /// Usage, for what cannot be a name; unavailable, when the folder cannot be written.
    pub fn save(&self, name: &str, branch: &Branch) -> Result<PathBuf> {
        let file = self.file(name)?;
        user_state::keep(&file, branch)?;
        Ok(file)
    }

    /// Forgets a branch.
    ///
    /// # Errors
    /// Usage, for what is no name; not found or unavailable, as the file is.
    pub fn delete(&self, name: &str) -> Result<()> {
        let file = self.file(name)?;
        std::fs::remove_file(&file).map_err(|e| Error::io("delete", &file, &e))
    }
}

/// The branch in a file.
///
/// # Errors
/// Unavailable, when it cannot be read; usage, when it is no branch.
pub fn read(file: &Path) -> Result<Branch> {
    let text = std::fs::read(file).map_err(|e| Error::io("read", file, &e))?;
    serde_json::from_slice(&text)
        .map_err(|e| Error::usage(format!("{} is no branch: {e}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_listed_read_and_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let files = BranchFiles::new(dir.path(), Path::new("/no/such/store"), "PROJ-1");
        assert!(files.names().is_empty());
        files.save("b-2", &Branch::new(3)).unwrap();
        files.save("b-1", &Branch::new(4)).unwrap();
        assert_eq!(files.names(), ["b-1", "b-2"]);
        assert_eq!(files.load("b-2").unwrap(), Branch::new(3));
        files.delete("b-1").unwrap();
        assert_eq!(files.names(), ["b-2"]);
        files.load("b-1").unwrap_err();
        files.save("../x", &Branch::new(0)).unwrap_err();
    }
}
