//! Faults in file operations, for tests of what the store does about them.
//!
//! Lives here: what `CHRONOSCOPE_FAULT` asks for, done to the operation it names. May not live
//! here: the operations themselves (see [`super`]). A release build has none of this.
//!
//! The variable holds a list: `kill:7` kills the process at its seventh operation, `half:7` after
//! half of the bytes that this one writes; `error:7:EIO` lets it fail (or with `EACCES`, `ENOSPC`,
//! `EROFS`), `error:7+:ENOSPC` all that need room from there on; `short:7` writes half, and finds no
//! room for the rest; `skip:NAME` leaves a sync out; `boot:NAME` stands for the boot of the machine;
//! `trace:FILE` notes everything that was done.
//!
//! Under a fault the threads of a process take turns: an operation is done and noted before the
//! next begins. Otherwise the trace could tell of a write before the file that it went to.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use tempfile::NamedTempFile;

use super::FileId;
use super::op::{Op, Site};

/// The errors that can be asked for, by name.
const ERRORS: [(&str, i32); 4] = [("EIO", 5), ("EACCES", 13), ("ENOSPC", 28), ("EROFS", 30)];
const ENOSPC: i32 = ERRORS[2].1;

#[derive(Debug, Default)]
struct Plan {
    kill: Option<u64>,
    half: Option<u64>,
    error: Option<(u64, bool, i32)>,
    short: Option<u64>,
    skip: Vec<String>,
    boot: Option<String>,
    trace: Option<Mutex<File>>,
}

impl Plan {
    fn parse(text: &str) -> Option<Self> {
        let mut plan = Self::default();
        for part in text.split(',') {
            let (what, rest) = part.split_once(':')?;
            match what {
                "kill" => plan.kill = Some(rest.parse().ok()?),
                "half" => plan.half = Some(rest.parse().ok()?),
                "short" => plan.short = Some(rest.parse().ok()?),
                "skip" => plan.skip.push(rest.to_owned()),
                "boot" => plan.boot = Some(rest.to_owned()),
                "error" => {
                    let (at, code) = rest.split_once(':')?;
                    let code = ERRORS.iter().find(|(name, _)| *name == code)?.1;
                    let stays = at.ends_with('+');
                    plan.error = Some((at.trim_end_matches('+').parse().ok()?, stays, code));
                }
                "trace" => {
                    let file = OpenOptions::new().create(true).append(true).open(rest).ok()?;
                    plan.trace = Some(Mutex::new(file));
                }
                _ => return None,
            }
        }
        Some(plan)
    }

    fn note(&self, line: &str) {
        if let Some(trace) = &self.trace {
            let mut file = trace.lock().unwrap_or_else(PoisonError::into_inner);
            // A test that lacks lines of its trace fails by itself.
            let _ = file.write_all(line.as_bytes());
        }
    }

    /// The error that this operation has to end with.
    fn error(&self, number: u64, op: &Op<'_>) -> Option<io::Error> {
        let (at, stays, code) = self.error?;
        let hit = number == at || (stays && number > at && op.needs_room());
        hit.then(|| io::Error::from_raw_os_error(code))
    }

    /// Does one operation in this thread's turn, or what is asked for in its place.
    fn step<T>(&self, op: &Op<'_>, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let number = number();
        if self.kill == Some(number) || self.half == Some(number) {
            self.note(&format!("{number}\tkilled{}", op.told()));
            die();
        }
        if let Some(error) = self.error(number, op) {
            self.note(&format!("{number}\tfailed{}", op.told()));
            return Err(error);
        }
        let told = op.told();
        let done = act();
        if done.is_ok() {
            self.note(&format!("{number}{told}"));
        }
        done
    }

    /// Notes a new file.
    fn created(&self, path: &Path, file: &File) {
        self.note(&format!("0\tcreate\t{}\t{}\n", inode(file), path.display()));
    }
}

fn plan() -> Option<&'static Plan> {
    static PLAN: OnceLock<Option<Plan>> = OnceLock::new();
    let read = || {
        let text = std::env::var("CHRONOSCOPE_FAULT").ok()?;
        // A misspelled fault must not look like a program that stands all faults.
        Some(Plan::parse(&text).unwrap_or_else(|| die()))
    };
    PLAN.get_or_init(read).as_ref()
}

/// Waits until no other thread is at an operation.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Ends the process as a SIGKILL from outside does: nothing is flushed, nothing is dropped.
fn die() -> ! {
    #[cfg(unix)]
    let _ = signal_hook::low_level::raise(signal_hook::consts::SIGKILL);
    std::process::abort()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn inode(file: &File) -> u64 {
    file.metadata().map_or(0, |m| FileId::of(&m).inode)
}

/// Does one operation, or what is asked for in its place.
pub(super) fn step<T>(op: &Op<'_>, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let Some(plan) = plan() else { return act() };
    let _turn = turn();
    plan.step(op, act)
}

/// Does a sync, unless it is to be left out.
pub(super) fn sync(op: &Op<'_>, act: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let skipped = |plan: &Plan| {
        op.site().is_some_and(|site| plan.skip.iter().any(|name| name == site.name()))
    };
    if plan().is_some_and(skipped) { Ok(()) } else { step(op, act) }
}

/// Writes bytes, or part of them where that is asked for.
pub(super) fn write(
    file: &File,
    bytes: &[u8],
    offset: impl FnOnce() -> u64,
    act: impl FnOnce(&[u8]) -> io::Result<usize>,
) -> io::Result<usize> {
    let Some(plan) = plan() else { return act(bytes) };
    let _turn = turn();
    let number = number();
    let (ino, offset) = (inode(file), offset());
    let half = &bytes[..bytes.len() / 2];
    let note = |written: &[u8]| {
        plan.note(&format!("{number}\twrite\t{ino}\t{offset}\t{}\n", hex(written)));
    };
    if plan.kill == Some(number) {
        die();
    }
    if plan.half == Some(number) {
        note(half);
        let _ = act(half);
        die();
    }
    if plan.short == Some(number) && !half.is_empty() {
        note(half);
        return act(half);
    }
    // What did not fit finds no room when it is tried again.
    if plan.short == Some(number - 1) || plan.short == Some(number) {
        return Err(io::Error::from_raw_os_error(ENOSPC));
    }
    if let Some(error) = plan.error(number, &Op::Write) {
        plan.note(&format!("{number}\tfailed\twrite\n"));
        return Err(error);
    }
    let done = act(bytes)?;
    note(&bytes[..done]);
    Ok(done)
}

/// Notes that the program told somebody of it.
pub(super) fn mark(text: &str) {
    if let Some(plan) = plan() {
        plan.note(&format!("0\tmark\t{text}\n"));
    }
}

/// The name that stands for the boot of the machine.
pub(super) fn boot() -> Option<&'static str> {
    plan()?.boot.as_deref()
}

impl Op<'_> {
    fn told(&self) -> String {
        match self {
            Op::Open => "\topen\n".to_owned(),
            Op::Read => "\tread\n".to_owned(),
            Op::Lock => "\tlock\n".to_owned(),
            Op::Write => "\twrite\n".to_owned(),
            Op::Cut(file, length) => format!("\tcut\t{}\t{length}\n", inode(file)),
            Op::Sync(file, site) => format!("\tsync\t{}\t{}\n", inode(file), site.name()),
            Op::SyncDir(path, site) => format!("\tsyncdir\t{}\t{}\n", path.display(), site.name()),
            Op::MakeDir(path) => format!("\tmkdir\t{}\n", path.display()),
            Op::Rename(from, to) => format!("\trename\t{}\t{}\n", from.display(), to.display()),
            Op::Remove(path) => format!("\tremove\t{}\n", path.display()),
            Op::RemoveDir(path) => format!("\trmdir\t{}\n", path.display()),
        }
    }

    fn site(&self) -> Option<Site> {
        match self {
            Op::Sync(_, site) | Op::SyncDir(_, site) => Some(*site),
            _ => None,
        }
    }

    fn needs_room(&self) -> bool {
        matches!(self, Op::Open | Op::Write | Op::MakeDir(_) | Op::Rename(..))
    }
}

/// Opens a file; a new one is noted.
pub(super) fn open(
    path: &Path,
    creates: bool,
    act: impl FnOnce() -> io::Result<File>,
) -> io::Result<File> {
    let Some(plan) = plan() else { return act() };
    let _turn = turn();
    let absent = creates && !path.exists();
    let file = plan.step(&Op::Open, act)?;
    if absent {
        plan.created(path, &file);
    }
    Ok(file)
}

/// Makes a file with a passing name; it is noted.
pub(super) fn passing(
    act: impl FnOnce() -> io::Result<NamedTempFile>,
) -> io::Result<NamedTempFile> {
    let Some(plan) = plan() else { return act() };
    let _turn = turn();
    let file = plan.step(&Op::Open, act)?;
    plan.created(file.path(), file.as_file());
    Ok(file)
}
