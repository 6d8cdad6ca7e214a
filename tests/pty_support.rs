//! The real program in a pseudo-terminal, its output read by a terminal emulator.
//!
//! Lives here: starting it, keys in, screen out, waiting until the screen shows something. May not
//! live here: what it should show. Nothing sleeps: every wait is for output, with a deadline.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must fail")]

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// How long a test waits for the screen at most.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// A screen that says nothing for so long has been drawn.
const QUIET: Duration = Duration::from_millis(300);

/// What terminals are asked at the start, and what ours says. Without an answer a program waits.
const ANSWERS: [(&[u8], &[u8]); 3] =
    [(b"\x1b[?u", b"\x1b[?0u"), (b"\x1b[c", b"\x1b[?62;22c"), (b"\x1b[6n", b"\x1b[1;1R")];

/// The program, running in a terminal.
pub struct Terminal {
    emulator: vt100::Parser,
    output: Receiver<Vec<u8>>,
    input: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    /// Closing it hangs up on the program.
    master: Option<Box<dyn MasterPty + Send>>,
    /// Everything that was printed.
    printed: Vec<u8>,
}

fn at_least_one(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).unwrap_or(NonZeroU16::MIN)
}

impl Terminal {
    /// Starts the program in a terminal of 24-bit colours and this size (columns, rows), with
    /// nothing in its environment but what is given here and `home`, a folder to keep things in.
    pub fn start(
        size: (u16, u16),
        home: &Path,
        variables: &[(&str, &str)],
        arguments: &[&str],
    ) -> Self {
        Self::start_as(size, home, variables, arguments, true)
    }

    /// As [`Terminal::start`]; a program that the terminal does not control is not told of its end.
    pub fn start_as(
        size: (u16, u16),
        home: &Path,
        variables: &[(&str, &str)],
        arguments: &[&str],
        controlled: bool,
    ) -> Self {
        let pty = PtySize { cols: size.0, rows: size.1, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(pty).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_chronoscope"));
        command.set_controlling_tty(controlled);
        command.env_clear();
        command.cwd(home);
        for (name, value) in
            [("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("LANG", "C.UTF-8")]
        {
            command.env(name, value);
        }
        command.env("HOME", home);
        command.env("CHRONOSCOPE_STATE_DIR", home.join("state"));
        variables.iter().for_each(|(name, value)| command.env(name, value));
        command.args(arguments);
        let child = pair.slave.spawn_command(command).unwrap();
        // Kept open here it would hide that the program has ended.
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let input = pair.master.take_writer().unwrap();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 1 << 16];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let emulator = vt100::Parser::new(at_least_one(size.1), at_least_one(size.0), 0);
        Self { emulator, output, input, child, master: Some(pair.master), printed: Vec::new() }
    }

    /// Presses keys, as the bytes that a terminal sends for them.
    pub fn press(&mut self, keys: &str) {
        self.input.write_all(keys.as_bytes()).unwrap();
        self.input.flush().unwrap();
    }

    /// Takes what the program says next; an error when it has ended or says nothing for so long.
    pub fn take(&mut self, patience: Duration) -> Result<(), RecvTimeoutError> {
        let bytes = self.output.recv_timeout(patience)?;
        for (question, answer) in ANSWERS {
            if bytes.windows(question.len()).any(|part| part == question) {
                // A program that has ended does not want to know any more.
                let _ = self.input.write_all(answer).and_then(|()| self.input.flush());
            }
        }
        self.emulator.process(&bytes);
        self.printed.extend(bytes);
        Ok(())
    }

    /// Waits until the screen is as asked for.
    pub fn wait_for(&mut self, what: &str, is_so: impl Fn(&vt100::Screen) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(self.emulator.screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            let taken = self.take(left);
            assert!(taken.is_ok(), "no {what} on the screen ({taken:?}):\n{}", self.text());
        }
    }

    /// Waits until the screen holds a text.
    pub fn wait_for_text(&mut self, text: &str) {
        self.wait_for(&format!("{text:?}"), |screen| screen.contents().contains(text));
    }

    /// Waits until nothing has been drawn for a while.
    pub fn settle(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline && self.take(QUIET).is_ok() {}
    }

    /// Gives the terminal another size (columns, rows).
    pub fn resize(&mut self, (columns, rows): (u16, u16)) {
        self.emulator.screen_mut().set_size(at_least_one(rows), at_least_one(columns));
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.as_ref().unwrap().resize(size).unwrap();
    }

    /// Takes the terminal away, as when its window is closed, and waits until the program has ended.
    pub fn hang_up(mut self) {
        // The thread that reads has the terminal too, until nobody wants what it reads.
        self.output = channel().1;
        self.input = Box::new(std::io::sink());
        self.master = None;
        self.child.wait().unwrap();
    }

    /// Sends the program a signal, as `kill` names it.
    pub fn signal(&self, name: &str) {
        let id = self.child.process_id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// Whether the terminal is as it was before the program.
    pub fn is_given_back(screen: &vt100::Screen) -> bool {
        !screen.alternate_screen()
            && !screen.bracketed_paste()
            && !screen.hide_cursor()
            && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
    }

    /// Everything that the program printed.
    pub fn printed(&self) -> &[u8] {
        &self.printed
    }

    /// The screen.
    pub fn screen(&self) -> &vt100::Screen {
        self.emulator.screen()
    }

    /// The screen as text.
    pub fn text(&self) -> String {
        self.emulator.screen().contents()
    }

    /// Waits until the program has ended; its exit code.
    pub fn wait_for_end(&mut self) -> u32 {
        while !matches!(self.take(PATIENCE), Err(RecvTimeoutError::Disconnected)) {}
        self.child.wait().unwrap().exit_code()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
