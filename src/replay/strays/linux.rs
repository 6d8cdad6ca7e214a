//! What is left of a program, as `/proc` and the kernel's adoption of orphans tell it.
//!
//! Lives here: reading processes, and ending and burying those of one program. May not live here:
//! other systems.
//!
//! Nothing is waited for that was not killed before, and that not for ever: a process of another
//! user (`sudo`) cannot be killed, and one that waits for a disk ends when it likes.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Command};
use std::sync::mpsc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustc_hash::FxHashSet;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitOptions, getpid, kill_process, set_child_subreaper,
    waitid, waitpid,
};

use super::REPLAY;

/// How long it is tried to end everything; who makes new processes faster gets away.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long it is between two looks at what was killed.
const LOOK: Duration = Duration::from_millis(1);
/// What lived no longer than this began nothing with a smaller number than its own, unless the
/// numbers began anew meanwhile.
const SHORT: Duration = Duration::from_secs(1);

/// A process: its number, and when it began. The number alone may be another's later.
type Who = (i32, u64);

/// The numbers of the programs that this process started and did not wait for yet: that is for who
/// started them, whatever session they made for themselves.
static STARTED: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

fn started() -> MutexGuard<'static, BTreeSet<i32>> {
    STARTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a program that is [waited for](waited) by who starts it.
pub(in super::super) fn start(command: &mut Command) -> io::Result<Child> {
    let mut started = started();
    let child = command.spawn()?;
    started.insert(Pid::from_child(&child).as_raw_nonzero().get());
    Ok(child)
}

/// A program was waited for.
pub(in super::super) fn waited(program: Pid) {
    started().remove(&program.as_raw_nonzero().get());
}

/// By what the processes of a program are known that was waited for.
#[derive(Debug)]
pub(in super::super) struct Known<'a> {
    /// The number of the process group that it led.
    group: i32,
    /// Variables that no other program has with these values.
    marks: &'a [(&'static str, OsString)],
    /// How long it ran.
    lived: Duration,
    /// What was below it when it was ended.
    below: FxHashSet<Who>,
}

impl<'a> Known<'a> {
    /// Of the program that led this group.
    pub(in super::super) fn new(
        group: Pid,
        marks: &'a [(&'static str, OsString)],
        lived: Duration,
    ) -> Self {
        let group = group.as_raw_nonzero().get();
        Self { group, marks, lived, below: FxHashSet::default() }
    }

    /// With these processes, whatever they say of themselves.
    pub(in super::super) fn with(self, below: FxHashSet<Who>) -> Self {
        Self { below, ..self }
    }

    /// The smallest number that a process of it can have.
    fn least(&self) -> i32 {
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let last = load.split_whitespace().last().and_then(|pid| pid.parse::<i32>().ok());
        let is_plain = self.lived < SHORT && last.is_some_and(|last| last >= self.group);
        if is_plain { self.group } else { 0 }
    }
}

/// A process that runs, or one that ended and that nobody waited for.
#[derive(Debug)]
struct Process {
    who: Who,
    parent: i32,
    group: i32,
    session: i32,
    has_ended: bool,
}

/// From now on, processes whose parents end come to this one.
pub(in super::super) fn adopt() {
    // A system that refuses has none of what is below.
    let _ = set_child_subreaper(Some(getpid()));
}

/// The processes below one that runs.
pub(in super::super) fn below(leader: Pid) -> FxHashSet<Who> {
    let all = processes(0);
    let mut found = vec![leader.as_raw_nonzero().get()];
    descend(&all, &mut found);
    let is_below = |process: &&Process| found[1..].contains(&process.who.0);
    all.iter().filter(is_below).map(|process| process.who).collect()
}

/// Ends what is left of a program that was waited for.
pub(in super::super) fn end(known: &Known<'_>) {
    let Some(me) = own() else { return };
    let (begun, least) = (Instant::now(), known.least());
    let (mut killed, mut spared) = (known.below.clone(), FxHashSet::default());
    while has_children() && begun.elapsed() < PATIENCE {
        let all = processes(least);
        // (The number may be another program's by now: what is left of the group does not lead it.)
        let is_ours = |process: &Process| {
            process.group == known.group && process.who.0 != known.group
                || killed.contains(&process.who)
                || is_marked(process.who.0, known.marks)
        };
        // What ended in a session of its own, and was not started here, nobody else waits for.
        let adopted = all.iter().filter(|process| process.parent == me.who.0);
        let (ended, living): (Vec<&Process>, Vec<&Process>) =
            adopted.filter(|p| p.has_ended || !spared.contains(&p.who)).partition(|p| p.has_ended);
        let mut buried = false;
        for process in ended.iter().filter(|p| p.session != me.session || is_ours(p)) {
            buried |= bury(process.who.0);
        }
        let living: Vec<i32> = living.iter().filter(|p| is_ours(p)).map(|p| p.who.0).collect();
        if living.is_empty() && !buried {
            return;
        }
        // Those that they began themselves are adopted when they end.
        let mut found = living;
        descend(&all, &mut found);
        for process in all.iter().filter(|process| found.contains(&process.who.0)) {
            let could = Pid::from_raw(process.who.0).map(|pid| kill_process(pid, Signal::KILL));
            let into = if could == Some(Ok(())) { &mut killed } else { &mut spared };
            into.insert(process.who);
        }
        if !found.is_empty() {
            pause();
        }
    }
}

/// The number of a process that a replay started, or that what it started did; not this one's.
pub(in super::super) fn running(replay_id: &str) -> Option<i32> {
    let (marks, me) = ([(REPLAY, replay_id.into())], own()?.who);
    let mut all = processes(0).into_iter().filter(|process| process.who != me);
    all.find(|process| is_marked(process.who.0, &marks)).map(|process| process.who.0)
}

/// Adds the numbers of all processes that are below those that are named.
fn descend(all: &[Process], found: &mut Vec<i32>) {
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(all.iter().filter(|p| p.parent == parent).map(|p| p.who.0));
        next += 1;
    }
}

/// Asks for the end of an adopted process that ended.
fn bury(process: i32) -> bool {
    let started = started();
    if started.contains(&process) {
        return false;
    }
    let waited = Pid::from_raw(process).map(|pid| waitpid(Some(pid), WaitOptions::NOHANG));
    matches!(waited, Some(Ok(Some(_))))
}

/// Lets a moment pass.
fn pause() {
    // Nobody sends: to wait for it is to wait.
    let (_sender, never) = mpsc::channel::<()>();
    let _ = never.recv_timeout(LOOK);
}

/// Whether this process has any children at all.
fn has_children() -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(waitid(WaitId::All, options), Err(rustix::io::Errno::CHILD))
}

/// This process; none where `/proc` has other numbers for processes than this one's namespace, and
/// so tells nothing that could be acted upon. (Its session may be 0, which is no process: that is
/// one of another namespace, and getsid(2) says the same.)
fn own() -> Option<Process> {
    let process = read(&fs::read_to_string("/proc/self/stat").ok()?)?;
    (process.who.0 == getpid().as_raw_nonzero().get()).then_some(process)
}

/// All processes whose number is not less.
fn processes(least: i32) -> Vec<Process> {
    if own().is_none() {
        return Vec::new();
    }
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.parse::<i32>().ok();
    let numbers = entries.filter_map(|entry| number(entry.ok()?)).filter(|n| *n >= least);
    let stat = |number: i32| fs::read_to_string(format!("/proc/{number}/stat")).ok();
    numbers.filter_map(|number| read(&stat(number)?)).collect()
}

/// Reads the line that proc(5) describes as `/proc/pid/stat`.
fn read(stat: &str) -> Option<Process> {
    let (number, _) = stat.split_once(' ')?;
    // The name may have spaces and parentheses in it.
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let whole = |at: usize| fields.get(at)?.parse::<i32>().ok();
    Some(Process {
        who: (number.parse().ok()?, fields.get(19)?.parse().ok()?),
        parent: whole(1)?,
        group: whole(2)?,
        session: whole(3)?,
        has_ended: matches!(fields.first(), Some(&("Z" | "X"))),
    })
}

fn is_marked(process: i32, marks: &[(&'static str, OsString)]) -> bool {
    let Ok(environment) = fs::read(format!("/proc/{process}/environ")) else { return false };
    let has = |(name, value): &(&str, OsString)| {
        let wanted = [name.as_bytes(), b"=", value.as_bytes()].concat();
        environment.split(|byte| *byte == 0).any(|variable| variable == wanted)
    };
    !marks.is_empty() && marks.iter().all(has)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_name_is() {
        let line = "41 (a) (b) Z 7 40 39 0 -1 4194560 1 0 0 0 2 3 0 0 20 0 1 0 1234 5 6\n";
        let process = read(line).unwrap();
        assert_eq!((process.who, process.parent), ((41, 1234), 7));
        assert_eq!((process.group, process.session, process.has_ended), (40, 39, true));
        assert!(!read(&line.replace(" Z ", " S ")).unwrap().has_ended);
        // Its parent, group and session are of another namespace.
        let process = read(&line.replace("Z 7 40 39", "S 0 0 0")).unwrap();
        assert_eq!((process.parent, process.group, process.session), (0, 0, 0));
        for line in ["", "41", "41 (a) S", "41 (a) S x 40"] {
            assert!(read(line).is_none(), "{line}");
        }
    }

    #[test]
    fn all_that_is_below_a_process_is_found_and_nothing_else() {
        let process = |number, parent| Process {
            who: (number, 1),
            parent,
            group: 0,
            session: 0,
            has_ended: false,
        };
        let all = [(2, 1), (5, 4), (4, 3), (3, 2), (6, 1), (7, 2)].map(|(n, p)| process(n, p));
        let mut found = vec![2];
        descend(&all, &mut found);
        found.sort_unstable();
        assert_eq!(found, [2, 3, 4, 5, 7]);
    }
}
