//! The terminal: taken over, drawn upon, and always given back as it was.
//!
//! Lives here: the modes that are switched on, and switching them off at the end, when stopped and
//! after a panic. May not live here: what is drawn.

use std::io::{self, BufWriter, Stdout, Write};
use std::panic::PanicHookInfo;
use std::sync::Mutex;
use std::sync::mpsc::Sender;

use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::{Hide, Show};
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;

use crate::error::{Error, ErrorKind, Result};
use crate::tui::app::App;
use crate::tui::view;

type Writer = BufWriter<Stdout>;

/// The terminal while it is ours. Dropping it gives it back.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Writer>>,
}

impl Screen {
    /// Takes the terminal over. A panic gives it back before its message is printed; of a panic on
    /// another thread `sender` is told instead.
    pub(super) fn enter<M: Send + 'static>(
        sender: &Sender<M>,
        panicked: fn(String) -> M,
    ) -> Result<Self> {
        let writer = BufWriter::with_capacity(1 << 16, io::stdout());
        let terminal = Terminal::new(CrosstermBackend::new(writer)).map_err(fault)?;
        take_over().map_err(fault)?;
        let screen = Self { terminal };
        hook_panics(sender.clone(), panicked);
        Ok(screen)
    }

    /// Columns and rows.
    pub(super) fn size(&self) -> Result<(u16, u16)> {
        self.terminal.size().map(|size| (size.width, size.height)).map_err(fault)
    }

    /// Draws the whole screen; the terminal shows it at once or not at all.
    pub(super) fn draw(&mut self, app: &App) -> Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate).map_err(fault)?;
        self.terminal.draw(|frame| view::draw(app, frame)).map_err(fault)?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate).map_err(fault)
    }

    /// Makes the next drawing draw every cell.
    pub(super) fn clear(&mut self) -> Result<()> {
        let (columns, rows) = self.size()?;
        // Not `Terminal::clear`: it asks the terminal for the cursor and waits for the answer.
        self.terminal.resize(Rect::new(0, 0, columns, rows)).map_err(fault)
    }

    /// Puts text on the clipboard, as far as the terminal allows that (OSC 52).
    pub(super) fn copy(&mut self, text: &str) -> Result<()> {
        execute!(self.terminal.backend_mut(), CopyToClipboard::to_clipboard_from(text))
            .map_err(fault)
    }

    /// Gives the terminal back, stops until the shell wakes us, and takes it over again.
    pub(super) fn suspend(&mut self) -> Result<()> {
        give_back();
        #[cfg(unix)]
        signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)
            .map_err(fault)?;
        self.resume()
    }

    /// Gives the terminal to somebody else for as long as `use_it` takes.
    pub(super) fn lend<T>(&mut self, use_it: impl FnOnce() -> Result<T>) -> Result<T> {
        give_back();
        let result = use_it();
        self.resume()?;
        result
    }

    /// Takes the terminal over again, after whoever had it meanwhile.
    pub(super) fn resume(&mut self) -> Result<()> {
        take_over().map_err(fault)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.terminal.backend_mut().flush();
        give_back();
        if !std::thread::panicking() {
            let _ = std::panic::take_hook();
        }
    }
}

fn take_over() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste, Hide)
}

/// Undoes [`take_over`]. Where the terminal is gone there is nobody to tell.
fn give_back() {
    let _ = execute!(
        io::stdout(),
        EndSynchronizedUpdate,
        DisableBracketedPaste,
        DisableMouseCapture,
        LeaveAlternateScreen,
        Show
    );
    let _ = disable_raw_mode();
}

fn hook_panics<M: Send + 'static>(sender: Sender<M>, panicked: fn(String) -> M) {
    let ours = std::thread::current().id();
    let before = std::panic::take_hook();
    let sender = Mutex::new(sender);
    std::panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
        if std::thread::current().id() == ours {
            give_back();
            before(info);
        } else if let Ok(sender) = sender.lock() {
            let _ = sender.send(panicked(info.to_string()));
        }
    }));
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn fault(source: io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, format!("cannot use the terminal: {source}"))
        .with_hint("without a terminal, the other commands do the same work")
}
