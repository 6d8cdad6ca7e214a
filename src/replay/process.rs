//! Running one program, contained: bounded in time and in what is kept of its output, with its
//! children ended when it ends.
//!
//! Lives here: [`run`]. May not live here: what its exit status means for a replay.
//!
//! The program leads a process group of its own, and the whole group is ended with it; so is what
//! left the group, where the system lets it be found (see [`super::strays`]). What is not found is
//! not waited for, whatever it holds open.

use std::ffi::OsString;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::handler::Handler;
use super::kept::Kept;

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// By itself, with this code.
    Exited(i32),
    /// By this signal.
    Signal(i32),
    /// It took too long and was ended.
    TimedOut,
    /// It took too long, and could not be ended.
    Outlived,
    /// It was ended because the replay was to end at once.
    Stopped,
    /// It could not be started.
    NotStarted(String),
    /// Neither it nor another could be started now: this process lacks files, threads or memory.
    NoRoom(String),
    /// It was started, and how it ended cannot be told.
    Lost(String),
}

/// What one run of a program came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// How it ended.
    pub end: End,
    /// The kept part of what it wrote.
    pub stdout: Kept,
    /// The same of its standard error.
    pub stderr: Kept,
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

/// What a program finds around it.
#[derive(Debug, Clone)]
pub struct Surroundings<'a> {
    /// Its environment, beside what is [passed on](PASSED_ON).
    pub environment: Vec<(&'static str, OsString)>,
    /// Variables that tell its processes from those of all other programs that run.
    pub marks: Vec<(&'static str, OsString)>,
    /// The folder that it runs in; none for that of this process.
    pub folder: Option<&'a Path>,
    /// Set when it is to be ended at once.
    pub end_now: &'a AtomicBool,
}

/// Runs a program with `input` to read, and waits for its end.
#[cfg(unix)]
#[must_use]
pub fn run(handler: &Handler, around: &Surroundings<'_>, input: Vec<u8>, bounds: Bounds) -> Ended {
    unix::run(handler, around, input, bounds, None)
}

/// Programs are run where process groups are known.
#[cfg(not(unix))]
#[must_use]
pub fn run(_: &Handler, _: &Surroundings<'_>, _: Vec<u8>, _: Bounds) -> Ended {
    let end = End::NotStarted("handlers run on Unix systems only".to_owned());
    Ended { end, stdout: Kept::default(), stderr: Kept::default(), duration: Duration::ZERO }
}

#[cfg(unix)]
mod unix {
    use std::io::{self, Read, Write};
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
    use std::sync::atomic::Ordering;
    use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
    use std::sync::{Arc, Mutex, PoisonError};
    use std::time::Instant;

    use rustix::io::Errno;
    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

    use super::super::capture::Capture;
    use super::super::strays::{self, Known};
    use super::*;

    /// How long output is waited for that a program may have left in its pipes: who still holds
    /// them then is out of reach.
    const GRACE: Duration = Duration::from_secs(1);
    /// How long a program is waited for that was killed: another user's cannot be (`sudo`), and one
    /// that waits for a disk ends when it likes.
    const DYING: Duration = Duration::from_secs(2);
    /// How often is looked whether a program is to be ended at once.
    const LOOK: Duration = Duration::from_millis(50);

    /// Runs a program; its threads have stacks of this size, or of the system's.
    pub(super) fn run(
        handler: &Handler,
        around: &Surroundings<'_>,
        input: Vec<u8>,
        bounds: Bounds,
        stack: Option<usize>,
    ) -> Ended {
        let started = Instant::now();
        strays::adopt();
        let running = Helpers::new(input, bounds.output, stack)
            .map_err(|error| End::NoRoom(error.to_string()))
            .and_then(|helpers| start(handler, around, helpers).map_err(|e| not_started(&e)));
        let (mut child, ended, pipes) = match running {
            Ok(running) => running,
            Err(end) => {
                let (stdout, stderr) = (Kept::default(), Kept::default());
                return Ended { end, stdout, stderr, duration: started.elapsed() };
            }
        };
        let cut_short = wait(&ended, bounds.timeout, around.end_now);
        // Its number is not given to anybody else before it was waited for.
        let group = Pid::from_child(&child);
        // What it waits for did not come to its end either: a replay of its own, perhaps.
        let below = cut_short.is_some().then(|| strays::below(group));
        let _ = kill_process_group(group, Signal::KILL);
        let end = ended_as(&mut child, cut_short, &ended);
        strays::waited(group);
        let known = Known::new(group, &around.marks, started.elapsed());
        strays::end(&known.with(below.unwrap_or_default()));
        let duration = started.elapsed();
        let [stdout, stderr] = pipes.map(Pipe::finish);
        Ended { end, stdout, stderr, duration }
    }

    /// Why a program was not started: for want of something that it needs, or that this process does.
    fn not_started(error: &io::Error) -> End {
        let lacks = [Errno::MFILE, Errno::NFILE, Errno::AGAIN, Errno::NOMEM];
        let of_this = Errno::from_io_error(error).is_some_and(|errno| lacks.contains(&errno));
        if of_this { End::NoRoom(error.to_string()) } else { End::NotStarted(error.to_string()) }
    }

    /// How a program ended that was killed, or had ended before.
    fn ended_as(child: &mut Child, cut_short: Option<End>, ended: &Receiver<()>) -> End {
        let Some(why) = cut_short else {
            return child.wait().map_or_else(|error| End::Lost(error.to_string()), end_of);
        };
        if ended.recv_timeout(DYING).is_err() {
            return if why == End::TimedOut { End::Outlived } else { why };
        }
        match child.wait() {
            // It had ended by itself before it was killed.
            Ok(status) if status.signal() != Some(Signal::KILL.as_raw()) => end_of(status),
            _ => why,
        }
    }

    /// Waits for the end of a program; gives why it is ended before.
    fn wait(ended: &Receiver<()>, timeout: Duration, end_now: &AtomicBool) -> Option<End> {
        let started = Instant::now();
        loop {
            let left = timeout.saturating_sub(started.elapsed());
            match ended.recv_timeout(left.min(LOOK)) {
                Ok(()) => return None,
                Err(_) if end_now.load(Ordering::Relaxed) => return Some(End::Stopped),
                Err(RecvTimeoutError::Timeout) if !left.is_zero() => {}
                Err(_) => return Some(End::TimedOut),
            }
        }
    }

    /// What feeds a program, reads what it writes, and notices its end. All of it is there before the
    /// program is: nothing is begun that nobody could wait for.
    struct Helpers {
        feed: Sender<ChildStdin>,
        watch: Sender<Pid>,
        ended: Receiver<()>,
        pipes: [Pipe; 2],
    }

    impl Helpers {
        fn new(input: Vec<u8>, limit: usize, stack: Option<usize>) -> io::Result<Self> {
            // A program need not read what it is given.
            let feed = thread("handler-in", stack, move |mut stdin: ChildStdin| {
                drop(stdin.write_all(&input));
            })?;
            let (end, ended) = mpsc::channel();
            // It is not waited for: that is done when its group is ended.
            let watch = thread("handler-wait", stack, move |pid| {
                let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
                while matches!(waitid(WaitId::Pid(pid), options), Err(Errno::INTR)) {}
                let _ = end.send(());
            })?;
            let pipes = [Pipe::new(limit, stack)?, Pipe::new(limit, stack)?];
            Ok(Self { feed, watch, ended, pipes })
        }
    }

    fn start(
        handler: &Handler,
        around: &Surroundings<'_>,
        helpers: Helpers,
    ) -> io::Result<(Child, Receiver<()>, [Pipe; 2])> {
        let mut command = Command::new(&handler.program);
        command.args(&handler.args).env_clear();
        let passed_on = PASSED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        command.envs(passed_on);
        let own = around.environment.iter().chain(&around.marks);
        command.envs(own.map(|(name, value)| (name, value)));
        if let Some(folder) = around.folder {
            command.current_dir(folder);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = strays::start(command.process_group(0))?;
        let Helpers { feed, watch, ended, mut pipes } = helpers;
        // Each waits for what it is given.
        let _ = watch.send(Pid::from_child(&child));
        if let Some(stdin) = child.stdin.take() {
            let _ = feed.send(stdin);
        }
        let [stdout, stderr] = &mut pipes;
        if let Some(stream) = child.stdout.take() {
            stdout.read(Box::new(stream));
        }
        if let Some(stream) = child.stderr.take() {
            stderr.read(Box::new(stream));
        }
        Ok((child, ended, pipes))
    }

    /// A thread that does its work once it is given what it is about; nothing, where it never is.
    fn thread<T: Send + 'static>(
        name: &str,
        stack: Option<usize>,
        work: impl FnOnce(T) + Send + 'static,
    ) -> io::Result<Sender<T>> {
        let (give, given) = mpsc::channel();
        let builder = std::thread::Builder::new().name(name.to_owned());
        let builder = stack.into_iter().fold(builder, std::thread::Builder::stack_size);
        builder.spawn(move || {
            if let Ok(what) = given.recv() {
                work(what);
            }
        })?;
        Ok(give)
    }

    fn end_of(status: ExitStatus) -> End {
        match (status.code(), status.signal()) {
            (Some(code), _) => End::Exited(code),
            (None, signal) => End::Signal(signal.unwrap_or_default()),
        }
    }

    /// A stream that a thread reads, for a program must never wait for its reader.
    struct Pipe {
        reader: Option<Sender<Box<dyn Read + Send>>>,
        kept: Arc<Mutex<Capture>>,
        done: Receiver<()>,
    }

    impl Pipe {
        fn new(limit: usize, stack: Option<usize>) -> io::Result<Self> {
            let kept = Arc::new(Mutex::new(Capture::new(limit)));
            let (end, done) = mpsc::channel();
            let into = Arc::clone(&kept);
            let reader = thread("handler-out", stack, move |mut stream: Box<dyn Read + Send>| {
                let mut buffer = [0; 8192];
                loop {
                    match stream.read(&mut buffer) {
                        Ok(0) => break,
                        Ok(n) => lock(&into).add(&buffer[..n]),
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(_) => break,
                    }
                }
                let _ = end.send(());
            })?;
            Ok(Self { reader: Some(reader), kept, done })
        }

        fn read(&mut self, stream: Box<dyn Read + Send>) {
            if let Some(reader) = self.reader.take() {
                let _ = reader.send(stream);
            }
        }

        fn finish(self) -> Kept {
            let _ = self.done.recv_timeout(GRACE);
            std::mem::replace(&mut *lock(&self.kept), Capture::new(2)).kept()
        }
    }

    fn lock(kept: &Mutex<Capture>) -> std::sync::MutexGuard<'_, Capture> {
        kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::schema::Redactor;

        /// What came of a program that says so when it runs.
        fn ran(stack: Option<usize>) -> Ended {
            let args = vec!["-c".to_owned(), "cat; echo $NAME".to_owned()];
            let handler = Handler { program: "/bin/sh".into(), args };
            let bounds = Bounds { timeout: Duration::from_secs(60), output: 64 };
            let environment = vec![("NAME", "it".into())];
            let (marks, folder, end_now) = (Vec::new(), None, &AtomicBool::new(false));
            let around = Surroundings { environment, marks, folder, end_now };
            run(&handler, &around, b"read ".to_vec(), bounds, stack)
        }

        #[test]
        fn nothing_is_begun_that_nobody_can_wait_for() {
            let ended = ran(None);
            let stdout = ended.stdout.text(&Redactor::default());
            assert_eq!((ended.end, &*stdout), (End::Exited(0), "read it\n"));
            // No system has room for such a stack.
            let ended = ran(Some(usize::MAX / 4));
            assert!(matches!(ended.end, End::NoRoom(_)), "{ended:?}");
            assert_eq!(ended.stdout, Kept::default());
        }
    }
}
