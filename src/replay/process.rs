//! Running one program, contained: bounded in time and in what is kept of its output, with its
//! children ended when it ends.
//!
//! Lives here: [`run`]. May not live here: what its exit status means for a replay.
//!
//! The program leads a process group of its own, and the whole group is ended with it. What makes
//! itself a session of its own leaves the group; it is not waited for, whatever it holds open.

use std::ffi::OsString;
use std::time::Duration;

use super::handler::Handler;

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// By itself, with this code.
    Exited(i32),
    /// By this signal.
    Signal(i32),
    /// It took too long and was ended.
    TimedOut,
    /// It could not be started.
    NotStarted(String),
}

/// What one run of a program came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// How it ended.
    pub end: End,
    /// The kept part of what it wrote.
    pub stdout: String,
    /// The same of its standard error.
    pub stderr: String,
    /// How long it took.
    pub duration: Duration,
}

/// The variables of this process that a program gets; all others are those of [`run`]'s caller.
pub const PASSED_ON: &[&str] = &["PATH", "HOME", "LANG"];

/// How much of what a program writes is kept, and how long it may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// After this it is ended.
    pub timeout: Duration,
    /// How many bytes of each stream are kept.
    pub output: usize,
}

/// Runs a program with `input` to read, and waits for its end.
#[cfg(unix)]
#[must_use]
pub fn run(
    handler: &Handler,
    environment: &[(&str, OsString)],
    input: Vec<u8>,
    bounds: Bounds,
) -> Ended {
    unix::run(handler, environment, input, bounds)
}

/// Programs are run where process groups are known.
#[cfg(not(unix))]
#[must_use]
pub fn run(_: &Handler, _: &[(&str, OsString)], _: Vec<u8>, _: Bounds) -> Ended {
    let end = End::NotStarted("handlers run on Unix systems only".to_owned());
    Ended { end, stdout: String::new(), stderr: String::new(), duration: Duration::ZERO }
}

#[cfg(unix)]
mod unix {
    use std::io::{self, Read, Write};
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::{Child, Command, ExitStatus, Stdio};
    use std::sync::mpsc::{self, Receiver};
    use std::sync::{Arc, Mutex, PoisonError};
    use std::time::Instant;

    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

    use super::super::capture::Capture;
    use super::*;

    /// How long output is waited for that a program may have left in its pipes: who still holds
    /// them then is out of reach.
    const GRACE: Duration = Duration::from_secs(1);

    pub(super) fn run(
        handler: &Handler,
        environment: &[(&str, OsString)],
        input: Vec<u8>,
        bounds: Bounds,
    ) -> Ended {
        let started = Instant::now();
        let (mut child, pipes) = match start(handler, environment, input, bounds.output) {
            Ok(started) => started,
            Err(error) => {
                let end = End::NotStarted(error.to_string());
                let (stdout, stderr) = (String::new(), String::new());
                return Ended { end, stdout, stderr, duration: started.elapsed() };
            }
        };
        let timed_out = !ends_within(&child, bounds.timeout);
        // Its number is not given to anybody else before it was waited for.
        let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
        let status = child.wait();
        let end = match (timed_out, status) {
            (true, _) => End::TimedOut,
            (false, Ok(status)) => end_of(status),
            (false, Err(error)) => End::NotStarted(format!("it was lost: {error}")),
        };
        let duration = started.elapsed();
        let [stdout, stderr] = pipes.map(Pipe::finish);
        Ended { end, stdout, stderr, duration }
    }

    fn start(
        handler: &Handler,
        environment: &[(&str, OsString)],
        input: Vec<u8>,
        limit: usize,
    ) -> io::Result<(Child, [Pipe; 2])> {
        let mut command = Command::new(&handler.program);
        command.args(&handler.args).env_clear();
        let passed_on = PASSED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        command.envs(passed_on).envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.process_group(0).spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program need not read what it is given.
            thread("handler-in", move || drop(stdin.write_all(&input)));
        }
        let pipes = [Pipe::of(child.stdout.take(), limit), Pipe::of(child.stderr.take(), limit)];
        Ok((child, pipes))
    }

    fn thread(name: &str, work: impl FnOnce() + Send + 'static) {
        // Without a thread nothing is fed or read; the program ends by the timeout at the latest.
        let _ = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    }

    /// Whether a program ends in time. It is not waited for: that is done when its group is ended.
    fn ends_within(child: &Child, timeout: Duration) -> bool {
        let (ended, wait) = mpsc::channel();
        let pid = Pid::from_child(child);
        thread("handler-wait", move || {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while matches!(waitid(WaitId::Pid(pid), options), Err(rustix::io::Errno::INTR)) {}
            let _ = ended.send(());
        });
        wait.recv_timeout(timeout).is_ok()
    }

    fn end_of(status: ExitStatus) -> End {
        match (status.code(), status.signal()) {
            (Some(code), _) => End::Exited(code),
            (None, signal) => End::Signal(signal.unwrap_or_default()),
        }
    }

    /// A stream that a thread reads, for a program must never wait for its reader.
    struct Pipe {
        kept: Arc<Mutex<Capture>>,
        done: Receiver<()>,
    }

    impl Pipe {
        fn of(stream: Option<impl Read + Send + 'static>, limit: usize) -> Self {
            let kept = Arc::new(Mutex::new(Capture::new(limit)));
            let (end, done) = mpsc::channel();
            if let Some(mut stream) = stream {
                let kept = Arc::clone(&kept);
                thread("handler-out", move || {
                    let mut buffer = [0; 8192];
                    loop {
                        match stream.read(&mut buffer) {
                            Ok(0) => break,
                            Ok(n) => lock(&kept).add(&buffer[..n]),
                            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                            Err(_) => break,
                        }
                    }
                    let _ = end.send(());
                });
            }
            Self { kept, done }
        }

        fn finish(self) -> String {
            let _ = self.done.recv_timeout(GRACE);
            std::mem::replace(&mut *lock(&self.kept), Capture::new(2)).text()
        }
    }

    fn lock(kept: &Mutex<Capture>) -> std::sync::MutexGuard<'_, Capture> {
        kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
