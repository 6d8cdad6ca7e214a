//! Where the repository at hand stands, read from its files: starting git would cost more than
//! the append that wants to know.
//!
//! Lives here: finding `.git` upwards, HEAD, loose and packed refs. May not live here: anything
//! that writes, or that looks into objects.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::store::GitHead;

/// The most that is read of any file: HEAD and refs are short.
const MAX_PACKED_REFS: u64 = 64 << 20;

/// The commit and branch of the repository that `directory` is in; none outside of one, before
/// the first commit, and where the repository keeps its refs in another form.
#[must_use]
pub(crate) fn head(directory: &Path) -> Option<GitHead> {
    let (git_dir, head) = directory.ancestors().find_map(|folder| nearest(&folder.join(".git")))?;
    let head = head.trim();
    let Some(reference) = head.strip_prefix("ref:") else {
        return hash(head).map(|sha| GitHead { sha, branch: None });
    };
    let reference = reference.trim();
    if reference.split('/').any(|part| part.is_empty() || part == "..") {
        return None;
    }
    let branch = reference.strip_prefix("refs/heads/").unwrap_or(reference).to_owned();
    let loose = |folder: &Path| read(&folder.join(reference)).and_then(|text| hash(text.trim()));
    // A worktree's own folder has its HEAD; branches stand in the repository's.
    let elsewhere = || {
        let common = read(&git_dir.join("commondir"))
            .map_or_else(|| git_dir.clone(), |path| git_dir.join(path.trim()));
        loose(&common).or_else(|| packed(&common, reference))
    };
    let sha = loose(&git_dir).or_else(elsewhere)?;
    Some(GitHead { sha, branch: Some(branch) })
}

/// The git folder and its HEAD: `.git` is the folder itself, or a file that names it. Mostly there
/// is neither; one look tells that.
fn nearest(path: &Path) -> Option<(PathBuf, String)> {
    let git_dir = match fs::File::open(path.join("HEAD")) {
        Ok(file) => return Some((path.to_owned(), text(file)?)),
        // (Windows says the same where `.git` is a file.)
        Err(error) if error.kind() == ErrorKind::NotFound && cfg!(unix) => return None,
        Err(_) => {
            let text = read(path)?;
            path.parent()?.join(text.trim().strip_prefix("gitdir:")?.trim())
        }
    };
    let head = read(&git_dir.join("HEAD"))?;
    Some((git_dir, head))
}

fn packed(git_dir: &Path, reference: &str) -> Option<String> {
    let text = read(&git_dir.join("packed-refs"))?;
    text.lines().find_map(|line| {
        let (sha, name) = line.split_once(' ')?;
        if name == reference { hash(sha) } else { None }
    })
}

fn hash(text: &str) -> Option<String> {
    let is_hash = matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_hash.then(|| text.to_owned())
}

fn read(path: &Path) -> Option<String> {
    text(fs::File::open(path).ok()?)
}

fn text(file: fs::File) -> Option<String> {
    let mut text = String::new();
    file.take(MAX_PACKED_REFS).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn at(sha: &str, branch: Option<&str>) -> Option<GitHead> {
        Some(GitHead { sha: sha.into(), branch: branch.map(Into::into) })
    }

    #[test]
    fn loose_packed_and_detached() {
        let folder = tempfile::tempdir().unwrap();
        let git = folder.path().join(".git");
        let below = folder.path().join("a/b");
        write(&git.join("HEAD"), "ref: refs/heads/feat/x\n");
        assert_eq!(head(&below), None, "no commit yet");
        write(&git.join("packed-refs"), &format!("# pack-refs\n{A} refs/heads/feat/x\n^{B}\n"));
        assert_eq!(head(&below), at(A, Some("feat/x")));
        write(&git.join("refs/heads/feat/x"), &format!("{B}\n"));
        assert_eq!(head(&below), at(B, Some("feat/x")));
        write(&git.join("HEAD"), &format!("{A}\n"));
        assert_eq!(head(&below), at(A, None));
    }

    #[test]
    fn a_worktree_finds_the_branches_of_its_repository() {
        let folder = tempfile::tempdir().unwrap();
        let git = folder.path().join("main/.git");
        write(&git.join("refs/heads/side"), A);
        write(&git.join("worktrees/side/HEAD"), "ref: refs/heads/side\n");
        write(&git.join("worktrees/side/commondir"), "../..\n");
        let tree = folder.path().join("side");
        write(&tree.join(".git"), &format!("gitdir: {}\n", git.join("worktrees/side").display()));
        assert_eq!(head(&tree), at(A, Some("side")));
    }

    #[test]
    fn what_is_no_hash_and_what_leaves_the_folder_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let git = folder.path().join(".git");
        write(&git.join("HEAD"), "ref: refs/../../../etc/passwd");
        assert_eq!(head(folder.path()), None);
        write(&git.join("HEAD"), "not a hash");
        assert_eq!(head(folder.path()), None);
    }
}
