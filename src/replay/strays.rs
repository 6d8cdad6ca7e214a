//! Processes of a program that nothing else leads to: it ended, or who started it was killed.
//!
//! Lives here: becoming the parent of what left its process group, by a session of its own for
//! instance ([`adopt`]), ending that ([`end`]), and finding what runs of a replay ([`running`]). May
//! not live here: programs themselves (see [`super::process`]).
//!
//! A process whose parents ended comes to the nearest ancestor that asked for it. Whose it is tells
//! the environment that it got from its program, or its group; one that clears the first and leaves
//! the second while its parents end is out of reach. All of this is known on Linux only.

use std::ffi::OsString;

/// The variable that tells the programs of a replay its id.
pub(super) const REPLAY: &str = "CHRONOSCOPE_REPLAY_ID";

/// By what the processes of a program are known.
#[derive(Debug)]
pub(super) struct Known<'a> {
    /// The number of the process group that it led.
    pub(super) group: i32,
    /// Variables that no other program has with these values. Without any nothing is known of them.
    pub(super) marks: &'a [(&'static str, OsString)],
}

#[cfg(target_os = "linux")]
pub(super) use linux::{adopt, end, running};

#[cfg(not(target_os = "linux"))]
pub(super) use others::*;

/// Nothing is found.
#[cfg(not(target_os = "linux"))]
mod others {
    #[cfg(unix)]
    pub(in super::super) fn adopt() {}

    #[cfg(unix)]
    pub(in super::super) fn end(_: &super::Known<'_>) {}

    pub(in super::super) fn running(_: &str) -> Option<i32> {
        None
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::time::{Duration, Instant};

    use rustc_hash::FxHashSet;
    use rustix::process::{
        Pid, Signal, WaitId, WaitIdOptions, WaitOptions, getpid, kill_process, set_child_subreaper,
        waitid, waitpid,
    };

    use super::*;

    /// How long it is tried to end everything; who makes new processes faster gets away.
    const PATIENCE: Duration = Duration::from_secs(1);

    /// One running process, and one that nobody waited for yet.
    #[derive(Debug)]
    struct Process {
        /// Its number, and when it began: the number alone may be another's later.
        who: (Pid, u64),
        parent: Pid,
        group: i32,
    }

    /// From now on, processes whose parents end come to this one.
    pub(in super::super) fn adopt() {
        // A system that refuses has none of what is below.
        let _ = set_child_subreaper(Some(getpid()));
    }

    /// Ends what is left of a program that was waited for.
    pub(in super::super) fn end(known: &Known<'_>) {
        let (begun, me) = (Instant::now(), getpid());
        let mut killed = FxHashSet::default();
        while has_children() && begun.elapsed() < PATIENCE {
            let all = processes();
            let is_ours = |process: &Process| {
                process.group == known.group
                    || killed.contains(&process.who)
                    || is_marked(process.who.0, known.marks)
            };
            let adopted = all.iter().filter(|process| process.parent == me && is_ours(process));
            let mut found: Vec<&Process> = adopted.collect();
            if found.is_empty() {
                return;
            }
            // Those that they began themselves are not adopted yet.
            let mut next = 0;
            while let Some(parent) = found.get(next).map(|process| process.who.0) {
                found.extend(all.iter().filter(|process| process.parent == parent));
                next += 1;
            }
            for process in &found {
                let _ = kill_process(process.who.0, Signal::KILL);
            }
            for process in found {
                killed.insert(process.who);
                if process.parent == me {
                    let _ = waitpid(Some(process.who.0), WaitOptions::empty());
                }
            }
        }
    }

    /// The number of a process that a replay started, or that what it started did; not this one's.
    pub(in super::super) fn running(replay_id: &str) -> Option<i32> {
        let (marks, me) = ([(REPLAY, replay_id.into())], getpid());
        let mut all = processes().into_iter().map(|process| process.who.0);
        let found = all.find(|process| *process != me && is_marked(*process, &marks));
        found.map(|process| process.as_raw_nonzero().get())
    }

    /// Whether this process has any children at all.
    fn has_children() -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(waitid(WaitId::All, options), Err(rustix::io::Errno::CHILD))
    }

    fn processes() -> Vec<Process> {
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let numbers = names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
        numbers
            .filter_map(|number| read(&fs::read_to_string(format!("/proc/{number}/stat")).ok()?))
            .collect()
    }

    /// Reads the line that proc(5) describes as `/proc/pid/stat`.
    fn read(stat: &str) -> Option<Process> {
        // The name may have spaces and parentheses in it.
        let (number, _) = stat.split_once(' ')?;
        let (_, rest) = stat.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        let pid = |text: &str| Pid::from_raw(text.parse().ok()?);
        Some(Process {
            who: (pid(number)?, fields.get(19)?.parse().ok()?),
            parent: pid(fields.get(1)?)?,
            group: fields.get(2)?.parse().ok()?,
        })
    }

    fn is_marked(process: Pid, marks: &[(&'static str, OsString)]) -> bool {
        let file = format!("/proc/{}/environ", process.as_raw_nonzero());
        let Ok(environment) = fs::read(file) else { return false };
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
            let line = "41 (a) (b) S 7 40 39 0 -1 4194560 1 0 0 0 2 3 0 0 20 0 1 0 1234 5 6\n";
            let read = read(line).unwrap();
            let number = |n| Pid::from_raw(n).unwrap();
            assert_eq!(read.who, (number(41), 1234));
            assert_eq!((read.parent, read.group), (number(7), 40));
            for line in ["", "41", "41 (a) S", "41 (a) S x 40"] {
                assert!(super::read(line).is_none(), "{line}");
            }
        }
    }
}
