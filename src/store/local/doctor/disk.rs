//! The disk that a store is on: room, and the kind of file system.
//!
//! The system is asked as a shell would ask it; where that is not to be had, nothing is said.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{Ailment, Findings};

/// Less than this is little, in KiB.
const LITTLE_KIB: u64 = 256 << 10;
/// Fewer new files than this are few.
const FEW_FILES: u64 = 1000;
/// File systems that other machines have a hand in.
const NETWORK: &[&str] = &[
    "nfs",
    "nfs4",
    "cifs",
    "smb2",
    "smb3",
    "smbfs",
    "9p",
    "afs",
    "afpfs",
    "ceph",
    "glusterfs",
    "fuse.glusterfs",
    "lustre",
    "gpfs",
    "beegfs",
    "ocfs2",
    "gfs2",
    "fuse.sshfs",
    "sshfs",
    "webdav",
    "davfs",
    "fuse.rclone",
    "fuse.s3fs",
    "virtiofs",
    "ncpfs",
];

pub(super) fn look(root: &Path, found: &mut Findings) {
    let free = |flag| df(flag, root).and_then(|told| free(&told));
    if let Some(kib) = free("-Pk").filter(|kib| *kib < LITTLE_KIB) {
        found.add(Ailment::LowSpace, root, format!("{} MiB are free", kib >> 10));
    }
    // File systems that make files as they need them tell of none.
    if let Some(files) = free("-Pi").filter(|files| (1..FEW_FILES).contains(files)) {
        found.add(Ailment::LowInodes, root, format!("{files} new files have room"));
    }
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let real = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    let Some((kind, read_only)) = mount(&mounts, &real) else { return };
    if NETWORK.contains(&kind.as_str()) {
        found.add(Ailment::NetworkDisk, root, format!("its file system is {kind}"));
    }
    if read_only {
        found.add(Ailment::ReadOnlyDisk, root, format!("its file system, {kind}, is read-only"));
    }
}

fn df(flag: &str, root: &Path) -> Option<String> {
    let mut command = Command::new("df");
    command.arg(flag).arg("--").arg(root).stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

/// The column before the one in percent, of the last line.
fn free(told: &str) -> Option<u64> {
    let words: Vec<&str> = told.lines().last()?.split_whitespace().collect();
    let at = words.iter().position(|word| word.ends_with('%'))?;
    words.get(at.checked_sub(1)?)?.parse().ok()
}

/// The kind of the file system that `path` is on, and whether it is read-only.
fn mount(told: &str, path: &Path) -> Option<(String, bool)> {
    let mut best = None::<(usize, String, bool)>;
    for line in told.lines() {
        let Some((mounted, rest)) = line.split_once(" - ") else { continue };
        let words: Vec<&str> = mounted.split(' ').collect();
        let (Some(point), Some(options)) = (words.get(4), words.get(5)) else { continue };
        let point = point.replace("\\040", " ");
        let Some(kind) = rest.split(' ').next() else { continue };
        // What is mounted later at the same place hides what was before.
        if path.starts_with(&point)
            && best.as_ref().is_none_or(|(length, ..)| *length <= point.len())
        {
            let read_only = options.split(',').any(|option| option == "ro");
            best = Some((point.len(), kind.to_owned(), read_only));
        }
    }
    best.map(|(_, kind, read_only)| (kind, read_only))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_tells_is_understood() {
        let told = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/a b 900 100 800 12% /with space\n";
        assert_eq!(free(told), Some(800));
        assert_eq!(free("Filesystem\nx - - - - /"), None);
        let mounts = "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
                      30 21 0:44 / /srv/my\\040events ro,noatime - nfs4 host:/x rw\n\
                      31 21 0:45 / /srv/my\\040events/deep rw - tmpfs tmpfs rw\n";
        let at = |path: &str| mount(mounts, Path::new(path)).unwrap();
        assert_eq!(at("/srv/my events/a"), ("nfs4".to_owned(), true));
        assert_eq!(at("/srv/my events/deep"), ("tmpfs".to_owned(), false));
        assert_eq!(at("/srv/my eventsX"), ("ext4".to_owned(), false));
        assert!(NETWORK.contains(&"nfs4"));
    }
}
