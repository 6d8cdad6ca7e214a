//! Processes of a program that nothing else leads to: it ended, or who started it was killed.
//!
//! Lives here: becoming the parent of what left its process group, by a session of its own for
//! instance ([`adopt`]), ending that ([`end`]), and finding what runs of a replay ([`running`]). May
//! not live here: programs themselves (see [`super::process`]).
//!
//! A process whose parents ended comes to the nearest ancestor that asked for it. Whose it is tells
//! the environment that it got from its program, or its group; one that clears the first and leaves
//! the second while its parents end is out of reach. All of this is known on Linux only.

/// The variable that tells the programs of a replay its id.
pub(super) const REPLAY: &str = "CHRONOSCOPE_REPLAY_ID";

#[cfg(target_os = "linux")]
pub(super) use linux::{Known, adopt, below, end, running, start, waited};

#[cfg(all(unix, not(target_os = "linux")))]
pub(super) use nothing::{Known, adopt, below, end, start, waited};

/// The number of a process that a replay started, or that what it started did.
#[cfg(not(target_os = "linux"))]
pub(super) fn running(_: &str) -> Option<i32> {
    None
}

/// Systems on which nothing is found.
#[cfg(all(unix, not(target_os = "linux")))]
mod nothing {
    use std::ffi::OsString;
    use std::io;
    use std::process::{Child, Command};
    use std::time::Duration;

    use rustix::process::Pid;

    pub(in super::super) struct Known;

    impl Known {
        pub(in super::super) fn new(_: Pid, _: &[(&'static str, OsString)], _: Duration) -> Self {
            Self
        }

        pub(in super::super) fn with(self, (): ()) -> Self {
            self
        }
    }

    pub(in super::super) fn start(command: &mut Command) -> io::Result<Child> {
        command.spawn()
    }

    pub(in super::super) fn waited(_: Pid) {}

    pub(in super::super) fn adopt() {}

    pub(in super::super) fn below(_: Pid) {}

    pub(in super::super) fn end(_: &Known) {}
}

#[cfg(target_os = "linux")]
mod linux;
