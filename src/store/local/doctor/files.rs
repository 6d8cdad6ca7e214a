//! Modes, owners and links of everything in a store.

use std::fs::{self, Metadata};
use std::path::Path;

use super::super::io::is_absent;
use super::super::layout::Layout;
use super::{Ailment, Findings};
use crate::error::{Error, Result};

pub(super) fn modes_and_links(layout: &Layout, found: &mut Findings) -> Result<()> {
    let root = layout.root();
    let real = fs::canonicalize(root).map_err(|e| Error::io("resolve", root, &e))?;
    let mut left = vec![root.to_owned()];
    while let Some(path) = left.pop() {
        // The store itself may be reached through a link.
        let looked = if path == root { fs::metadata(&path) } else { fs::symlink_metadata(&path) };
        let metadata = match looked {
            Ok(metadata) => metadata,
            Err(error) if is_absent(&error) => continue,
            Err(error) => return Err(Error::io("look at", &path, &error)),
        };
        if metadata.file_type().is_symlink() {
            let target = fs::canonicalize(&path);
            let inside = target.as_ref().is_ok_and(|target| target.starts_with(&real));
            let ailment = if inside { Ailment::Link } else { Ailment::OutsideLink };
            let shown =
                target.map_or_else(|e| e.to_string(), |target| target.display().to_string());
            found.add(ailment, &path, format!("it leads to {shown}"));
            continue;
        }
        look(&path, &metadata, found);
        if metadata.is_dir() {
            let entries = fs::read_dir(&path).map_err(|e| Error::io("list", &path, &e))?;
            for entry in entries {
                left.push(entry.map_err(|e| Error::io("list", &path, &e))?.path());
            }
        }
    }
    Ok(())
}

#[cfg(unix)]
fn look(path: &Path, metadata: &Metadata, found: &mut Findings) {
    use std::os::unix::fs::MetadataExt;
    if metadata.mode() & 0o077 != 0 {
        found.add(Ailment::OpenMode, path, format!("its mode is {:o}", metadata.mode() & 0o777));
    }
    // The owner of the folder of this process is its user.
    let user = fs::metadata("/proc/self").ok().map(|own| own.uid());
    if let Some(user) = user.filter(|user| *user != metadata.uid()) {
        let what = format!("it belongs to user {}, and this is user {user}", metadata.uid());
        found.add(Ailment::ForeignOwner, path, what);
    }
}

#[cfg(not(unix))]
fn look(_path: &Path, _metadata: &Metadata, _found: &mut Findings) {}
