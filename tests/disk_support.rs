//! A model of a disk that loses power: from a trace of file operations to what may be left of it.
//!
//! What was synced is there. Of a file's bytes that were not, each sector may be as it was at any
//! time since the last sync, and the length too: so writes are lost, kept, torn, or stand there
//! as zeros. Only a cut is in order with what was written to the same file before and after it,
//! as in every file system with a journal. Of the entries of a folder that was not synced, each
//! may be there or not. Bytes whose sync failed are never written, unless they are written anew.

#![cfg(all(unix, debug_assertions))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::hash::Hasher;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const SECTOR: usize = 512;

/// One line of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) number: u64,
    pub(crate) words: Vec<String>,
}

impl Step {
    /// What it did, without the number.
    pub(crate) fn what(&self) -> &str {
        &self.words[0]
    }

    /// Whether it changes anything on the disk, or makes it durable.
    pub(crate) fn changes(&self) -> bool {
        !matches!(self.what(), "read" | "lock" | "open" | "mark" | "create")
    }
}

/// Reads a trace.
pub(crate) fn trace(path: &Path) -> Vec<Step> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let mut names = Vec::new();
    let mut word = |word: &str| match word.rsplit_once("/.writing-") {
        // Passing names are made up by chance; here they are numbered.
        Some((folder, _)) => {
            let at = names.iter().position(|name| name == word).unwrap_or(names.len());
            names.resize_with(names.len().max(at + 1), || word.to_owned());
            format!("{folder}/.writing-{}-{at}", path.file_name().unwrap().display())
        }
        None => word.to_owned(),
    };
    let step = |line: &str| {
        let mut words = line.split('\t');
        let number = words.next().unwrap().parse().unwrap();
        Step { number, words: words.map(&mut word).collect() }
    };
    text.lines().map(step).collect()
}

/// A sequence of numbers that look like chance and are the same in every run.
#[derive(Debug, Clone)]
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Folder,
    File(usize),
}

#[derive(Debug, Clone)]
enum Entry {
    Add(String, Node),
    Take(String),
    Move(String, String, Node),
}

#[derive(Debug, Clone, Default)]
struct Folder {
    durable: BTreeMap<String, Node>,
    pending: Vec<Entry>,
}

/// One file: as it is on the disk, and after each write since.
#[derive(Debug, Clone)]
struct Data {
    states: Vec<Vec<u8>>,
    /// Where among the states a cut stands.
    epochs: Vec<usize>,
    /// As a process sees it.
    seen: Vec<u8>,
}

/// How the choices fall.
#[derive(Debug, Clone)]
pub(crate) enum Fate {
    /// All that was not synced is lost.
    Lost,
    /// All is there.
    Kept,
    /// Lengths and entries are there, the bytes are not.
    Zeros,
    /// All entries are there, and each file is as it was so many writes after its last sync.
    Old(usize),
    Chance(Chance),
}

/// What stands in a folder after the power came back.
pub(crate) type Image = BTreeMap<PathBuf, Option<Vec<u8>>>;

#[derive(Debug, Clone, Default)]
pub(crate) struct Disk {
    root: PathBuf,
    files: Vec<Data>,
    inodes: HashMap<u64, usize>,
    folders: BTreeMap<PathBuf, Folder>,
    /// Everything that processes see.
    seen: BTreeMap<PathBuf, Node>,
}

impl Disk {
    pub(crate) fn new(root: &Path) -> Self {
        let folders = BTreeMap::from([(PathBuf::new(), Folder::default())]);
        Self { root: root.to_owned(), folders, ..Self::default() }
    }

    fn place(&self, path: &str) -> (PathBuf, PathBuf, String) {
        let path =
            Path::new(path).strip_prefix(&self.root).unwrap_or_else(|e| panic!("{path}: {e}"));
        let name = path.file_name().map_or_else(String::new, |n| n.to_str().unwrap().to_owned());
        (path.to_owned(), path.parent().unwrap_or(Path::new("")).to_owned(), name)
    }

    /// What processes see of the files below a folder.
    pub(crate) fn seen_below(&self, folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let below = self.seen.iter().filter(|(path, _)| path.starts_with(folder));
        below
            .filter_map(|(path, node)| match node {
                Node::File(at) => Some((path.clone(), self.files[*at].seen.clone())),
                Node::Folder => None,
            })
            .collect()
    }

    pub(crate) fn relative(&self, path: &str) -> PathBuf {
        self.place(path).0
    }

    pub(crate) fn apply(&mut self, step: &Step) {
        let words: Vec<&str> = step.words.iter().map(String::as_str).collect();
        match words[..] {
            ["create", inode, path] => {
                let (path, folder, name) = self.place(path);
                let at = self.files.len();
                self.files.push(Data {
                    states: vec![Vec::new()],
                    epochs: vec![0],
                    seen: Vec::new(),
                });
                self.inodes.insert(inode.parse().unwrap(), at);
                self.seen.insert(path, Node::File(at));
                self.pend(&folder, Entry::Add(name, Node::File(at)));
            }
            ["write", inode, offset, bytes] => {
                let (offset, bytes) = (offset.parse().unwrap(), unhex(bytes));
                let data = self.file(inode);
                let mut next = data.states.last().unwrap().clone();
                put(&mut next, offset, &bytes);
                data.states.push(next);
                put(&mut data.seen, offset, &bytes);
            }
            ["cut", inode, length] => {
                let length = length.parse().unwrap();
                let data = self.file(inode);
                let mut next = data.states.last().unwrap().clone();
                next.resize(length, 0);
                data.states.push(next);
                data.epochs.push(data.states.len() - 1);
                data.seen.resize(length, 0);
            }
            ["sync", inode, _] => {
                let data = self.file(inode);
                data.states = vec![data.states.pop().unwrap()];
                data.epochs = vec![0];
            }
            // The system holds for clean what the device does not have.
            ["failed" | "killed", "sync", inode, _] => {
                let data = self.file(inode);
                data.states.truncate(1);
                data.epochs = vec![0];
            }
            _ => self.apply_to_folder(&words),
        }
    }

    fn apply_to_folder(&mut self, words: &[&str]) {
        match *words {
            ["syncdir", path, _] => {
                let (path, ..) = self.place(path);
                if let Some(folder) = self.folders.get_mut(&path) {
                    for entry in std::mem::take(&mut folder.pending) {
                        enter(&mut folder.durable, &entry);
                    }
                }
            }
            ["mkdir", path] => {
                let (path, parent, name) = self.place(path);
                self.pend(&parent, Entry::Add(name, Node::Folder));
                self.seen.insert(path.clone(), Node::Folder);
                self.folders.insert(path, Folder::default());
            }
            ["rename", from, to] => {
                let ((from, _, old), (to, parent, new)) = (self.place(from), self.place(to));
                let node = self.seen.remove(&from).unwrap();
                self.seen.insert(to, node);
                self.pend(&parent, Entry::Move(old, new, node));
            }
            ["remove" | "rmdir", path] => {
                let (path, parent, name) = self.place(path);
                self.seen.remove(&path);
                self.pend(&parent, Entry::Take(name));
            }
            ["read" | "lock" | "open" | "mark", ..] | ["failed" | "killed", ..] => {}
            _ => panic!("{words:?}"),
        }
    }

    fn pend(&mut self, folder: &Path, entry: Entry) {
        self.folders.get_mut(folder).unwrap_or_else(|| panic!("{folder:?}")).pending.push(entry);
    }

    fn file(&mut self, inode: &str) -> &mut Data {
        let known = self.inodes.get(&inode.parse().unwrap()).copied();
        let at = known.unwrap_or_else(|| panic!("nothing made file {inode}"));
        &mut self.files[at]
    }

    /// What may be there when the power is gone now.
    pub(crate) fn image(&self, fate: &mut Fate) -> Image {
        let mut image = Image::new();
        self.fill(Path::new(""), fate, &mut image);
        image
    }

    fn fill(&self, path: &Path, fate: &mut Fate, image: &mut Image) {
        let Some(folder) = self.folders.get(path) else { return };
        let mut entries = folder.durable.clone();
        let mode = match fate {
            Fate::Chance(chance) => chance.below(4),
            Fate::Lost => 0,
            Fate::Kept | Fate::Zeros | Fate::Old(_) => 1,
        };
        for entry in &folder.pending {
            let there = match (mode, &mut *fate) {
                (0, _) => false,
                (1, _) => true,
                (_, Fate::Chance(chance)) => chance.below(2) == 1,
                _ => true,
            };
            if there {
                enter(&mut entries, entry);
            }
        }
        for (name, node) in entries {
            let path = path.join(name);
            match node {
                Node::Folder => {
                    image.insert(path.clone(), None);
                    self.fill(&path, fate, image);
                }
                Node::File(at) => {
                    image.insert(path, Some(self.files[at].left(fate)));
                }
            }
        }
    }

    /// Puts an image into a folder, and gives the notes in the lock files the names that their
    /// files have there.
    pub(crate) fn write(&self, image: &Image, to: &Path) {
        let mut renamed = HashMap::new();
        for (path, content) in image {
            let place = to.join(path);
            let Some(content) = content else {
                fs::create_dir_all(place).unwrap();
                continue;
            };
            fs::write(&place, content).unwrap();
            let there = fs::metadata(&place).unwrap();
            // As long as a process sees the file at this path, or saw one there that is left.
            for (inode, at) in &self.inodes {
                if self.seen.get(path) == Some(&Node::File(*at)) {
                    renamed.insert(*inode, (there.dev(), there.ino()));
                }
            }
        }
        let device = fs::metadata(&self.root).unwrap().dev();
        for path in image.keys().filter(|path| path.to_string_lossy().contains("/locks/")) {
            let place = to.join(path);
            let mut bytes = fs::read(&place).unwrap();
            for slot in [0, SECTOR] {
                reseal(&mut bytes, slot, device, &renamed);
            }
            fs::write(&place, bytes).unwrap();
        }
    }
}

impl Data {
    /// What is left of the file.
    fn left(&self, fate: &mut Fate) -> Vec<u8> {
        let last = self.states.last().unwrap();
        match fate {
            Fate::Lost => self.states[0].clone(),
            Fate::Kept => last.clone(),
            Fate::Zeros => {
                let mut bytes = self.states[0].clone();
                bytes.resize(last.len(), 0);
                bytes
            }
            Fate::Old(writes) => self.states[(*writes).min(self.states.len() - 1)].clone(),
            Fate::Chance(chance) => self.chance(chance),
        }
    }

    fn chance(&self, chance: &mut Chance) -> Vec<u8> {
        let epoch = chance.below(self.epochs.len());
        let from = self.epochs[epoch];
        let to = self.epochs.get(epoch + 1).copied().unwrap_or(self.states.len());
        let states = &self.states[from..to];
        match chance.below(5) {
            0 => return states[0].clone(),
            1 => return states[states.len() - 1].clone(),
            _ => {}
        }
        let of = |chance: &mut Chance| &states[chance.below(states.len())];
        let mut bytes = vec![0; of(chance).len()];
        for start in (0..bytes.len()).step_by(SECTOR) {
            let end = bytes.len().min(start + SECTOR);
            let (first, second) = (of(chance), of(chance));
            // Some are torn within.
            let tear = if chance.below(4) == 0 { start + chance.below(end - start) } else { end };
            for (at, byte) in bytes[start..end].iter_mut().enumerate() {
                let state = if start + at < tear { first } else { second };
                *byte = state.get(start + at).copied().unwrap_or(0);
            }
        }
        bytes
    }
}

fn enter(entries: &mut BTreeMap<String, Node>, entry: &Entry) {
    match entry {
        Entry::Add(name, node) => {
            entries.insert(name.clone(), *node);
        }
        Entry::Take(name) => {
            entries.remove(name);
        }
        Entry::Move(from, to, node) => {
            entries.remove(from);
            entries.insert(to.clone(), *node);
        }
    }
}

fn put(state: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if state.len() < end {
        state.resize(end, 0);
    }
    state[offset..end].copy_from_slice(bytes);
}

fn unhex(text: &str) -> Vec<u8> {
    let pair = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(pair).collect()
}

fn fingerprint(text: &str) -> String {
    let mut hasher = rustc_hash::FxHasher::default();
    hasher.write(text.as_bytes());
    format!("{:x}", hasher.finish())
}

/// Gives the files that a note speaks of the names that they have in an image.
fn reseal(bytes: &mut Vec<u8>, slot: usize, device: u64, renamed: &HashMap<u64, (u64, u64)>) {
    let Some(line) = bytes.get(slot..) else { return };
    let Some(end) = line.iter().position(|byte| *byte == b'\n') else { return };
    let Ok(line) = std::str::from_utf8(&line[..end]) else { return };
    let Some((text, seal)) = line.rsplit_once(' ') else { return };
    if seal != fingerprint(text) {
        return;
    }
    let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    let Some(at) = words.iter().position(|word| *word == device.to_string()) else { return };
    let old = words[at + 1].parse().unwrap_or(0);
    let (device, inode) = renamed.get(&old).copied().unwrap_or((0, 0));
    (words[at], words[at + 1]) = (device.to_string(), inode.to_string());
    let text = words.join(" ");
    let line = format!("{text} {}\n", fingerprint(&text));
    put(bytes, slot, line.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(line: &str) -> Step {
        Step { number: 0, words: line.split(' ').map(str::to_owned).collect() }
    }

    #[test]
    fn what_is_synced_is_there_and_nothing_else_must_be() {
        let mut disk = Disk::new(Path::new("/r"));
        let all = ["mkdir /r/a", "create 7 /r/a/f", "write 7 0 6162", "sync 7 x", "syncdir /r/a x"];
        for line in all {
            disk.apply(&step(line));
        }
        assert!(disk.image(&mut Fate::Lost).is_empty());
        disk.apply(&step("syncdir /r x"));
        let file = PathBuf::from("a/f");
        assert_eq!(disk.image(&mut Fate::Lost)[&file], Some(b"ab".to_vec()));
        disk.apply(&step("write 7 2 6364"));
        assert_eq!(disk.image(&mut Fate::Lost)[&file], Some(b"ab".to_vec()));
        assert_eq!(disk.image(&mut Fate::Kept)[&file], Some(b"abcd".to_vec()));
        assert_eq!(disk.image(&mut Fate::Zeros)[&file], Some(b"ab\0\0".to_vec()));
        disk.apply(&step("failed sync 7 x"));
        disk.apply(&step("write 7 4 65"));
        disk.apply(&step("sync 7 x"));
        assert_eq!(disk.image(&mut Fate::Lost)[&file], Some(b"ab\0\0e".to_vec()));
    }
}
