//! The event loop: keys, time and news in, drawings and effects out.
//!
//! Lives here: threads that wait, the loop that updates and draws. May not live here: what anything
//! means (see [`super::update()`]); effects are carried out in a file of their own.

mod editor;
mod effects;
mod end;
mod gate;
mod replay;
mod terminal;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use crossterm::event::{Event, KeyEventKind, MouseEvent, MouseEventKind};

use super::action::Action;
use super::app::App;
use super::effect::Effect;
use super::keymap::Keymap;
use super::replay::Replaying;
use super::theme::{Theme, Wish};
use super::{TuiOptions, update};
use crate::error::{Error, Result};
use crate::session::Session;
use crate::session::browse::Browser as Cards;
use crate::session::user_state::{self, UserState};
#[cfg(unix)]
use crate::signals::is_ignored;
use gate::Gate;
pub use replay::{look, replay};
use terminal::Screen;

/// How often the screen is drawn while a log is being read and nobody presses a key.
const LOADING_FRAME: Duration = Duration::from_millis(40);
/// Of a long log a picture takes longer: reading it gets so many times of what drawing takes.
const READING_SHARE: u32 = 6;
/// How many messages are taken in before the next drawing.
const MOST_AT_ONCE: usize = 256;

/// When to draw what happened.
enum Drawing {
    Now,
    /// Once there is no more work to be done.
    AfterWork,
    /// When the next picture of the loading is due.
    Later,
}

/// What a waiting thread says.
enum Message {
    /// A key, the mouse, another size.
    Input(Event),
    /// The terminal is gone.
    InputEnded,
    /// The session may have news.
    Session,
    /// The list of issues may have news.
    Browser,
    /// The operating system says something.
    #[cfg(unix)]
    Signal(i32),
    /// Work beside all else has come to this.
    Done(Box<Action>),
    /// Another thread panicked.
    Panicked(String),
}

/// Shows the screen until the user quits. Then the terminal is given back; what there is to say after
/// that is returned.
///
/// # Errors
/// Not found, when there is no such issue or theme; unavailable, when the store or the terminal
/// cannot be used; usage, when a theme file is wrong.
pub fn run(options: TuiOptions) -> Result<Vec<String>> {
    let mut wish = Wish::from_environment(options.theme.clone(), options.ascii);
    wish.no_color |= options.no_color;
    let theme = Theme::choose(&wish)?;
    let (keymap, faults) = read_keymap(&options);
    let (sender, messages) = channel();
    // Before the terminal is touched: a wrong issue is an error message on an ordinary screen.
    let session = match &options.issue {
        Some(issue) => Some(open(&options, issue, &sender)?),
        None => None,
    };
    let screen = Screen::enter(&sender, Message::Panicked)?;
    let mut app = App::new(theme, keymap, screen.size()?, options.clock);
    app.start = options.start.clone();
    // (A path that is no text cannot be copied either.)
    let root = options.store_path.as_deref().map(|path| path.canonicalize().unwrap_or(path.into()));
    app.store = root.and_then(|path| path.to_str().map(str::to_owned));
    // (Not canonical: paths in it are relative to where it is found.)
    let config = options.config_path.as_deref().map(|p| std::path::absolute(p).unwrap_or(p.into()));
    app.config = config.and_then(|path| path.to_str().map(str::to_owned));
    if let Some(fault) = faults.first() {
        app.fail(fault.clone());
    }
    let started = Instant::now();
    let mut turner = Turner {
        app,
        screen,
        options,
        sender,
        messages,
        cards: None,
        gate: Arc::default(),
        started,
        drawn: None,
        still: LOADING_FRAME,
        executions: Vec::new(),
        quit: false,
    };
    turner.listen()?;
    match session {
        Some(session) => turner.act(Action::Opened(Box::new(session)))?,
        None => turner.perform(Effect::Browse)?,
    }
    let ended = turner.run();
    turner.end_programs();
    let farewells: Vec<String> = turner.app.farewells.drain(..).map(|(_, text)| text).collect();
    match (ended, turner.app.refused.take()) {
        (Ok(()), None) => Ok(farewells),
        (Ok(()), Some(refused)) => Err(refused),
        // How to go on matters more then than what the terminal is needed for.
        (Err(error), _) if !farewells.is_empty() => Err(error.with_hint(farewells.join("; "))),
        (Err(error), _) => Err(error),
    }
}

fn read_keymap(options: &TuiOptions) -> (Keymap, Vec<String>) {
    let Some(file) = &options.keymap_file else { return (Keymap::default(), Vec::new()) };
    match std::fs::read_to_string(file) {
        Ok(text) => Keymap::read(&text, &file.display().to_string()),
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => {
            (Keymap::default(), Vec::new())
        }
        Err(fault) => (Keymap::default(), vec![format!("{}: {fault}", file.display())]),
    }
}

fn state_file(options: &TuiOptions, issue: &str) -> Option<std::path::PathBuf> {
    let (dir, store) = (options.state_dir.as_ref()?, options.store_path.as_ref()?);
    Some(user_state::file(dir, store, issue))
}

/// Opens an issue with what the user set for it before.
fn open(options: &TuiOptions, issue: &str, sender: &Sender<Message>) -> Result<Session> {
    let sender = sender.clone();
    let woken = move || {
        // Nobody to wake means that the screen is closing.
        let _ = sender.send(Message::Session);
    };
    let mut session =
        Session::open(Arc::clone(&options.store), issue, woken)?.with_links(options.links);
    if let Some(file) = state_file(options, issue) {
        session.user = UserState::load(&file);
    }
    Ok(session)
}

/// The loop with all it needs.
struct Turner {
    app: App,
    screen: Screen,
    options: TuiOptions,
    sender: Sender<Message>,
    messages: Receiver<Message>,
    cards: Option<Cards>,
    gate: Arc<Gate>,
    started: Instant,
    /// When the screen was drawn last.
    drawn: Option<Instant>,
    /// How long to leave it so while a log is being read.
    still: Duration,
    /// The executions that were begun and did not answer yet, seen or not.
    executions: Vec<Replaying>,
    quit: bool,
}

impl Turner {
    /// Starts the threads that wait for keys and signals.
    fn listen(&self) -> Result<()> {
        let thread = |name: &str| std::thread::Builder::new().name(name.into());
        let fault = |e: std::io::Error| Error::internal(format!("cannot start a thread: {e}"));
        let sender = self.sender.clone();
        let gate = Arc::clone(&self.gate);
        thread("input").spawn(move || read_input(&sender, &gate)).map_err(fault)?;
        #[cfg(unix)]
        {
            use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP};
            // What ends the program stays ignored where it was; Ctrl-C is a key here.
            let ends = [SIGTERM, SIGHUP, SIGINT].into_iter().filter(|signal| !is_ignored(*signal));
            let mut signals =
                signal_hook::iterator::Signals::new(ends.chain([SIGTSTP, SIGCONT]))
                    .map_err(|e| Error::internal(format!("cannot listen to signals: {e}")))?;
            let sender = self.sender.clone();
            let wait = move || {
                for signal in signals.forever() {
                    if sender.send(Message::Signal(signal)).is_err() {
                        return;
                    }
                }
            };
            thread("signals").spawn(wait).map_err(fault)?;
        }
        Ok(())
    }

    fn run(&mut self) -> Result<()> {
        self.draw()?;
        while !self.quit {
            let drawing = self.wait()?;
            self.work()?;
            let later = match drawing {
                Drawing::Now => false,
                // What work has come to is drawn at once when it is done.
                Drawing::AfterWork => self.app.is_busy(),
                Drawing::Later => true,
            };
            if !self.quit && !later {
                self.draw()?;
            }
        }
        Ok(())
    }

    /// Waits for something to happen and takes it in; says when to draw it.
    fn wait(&mut self) -> Result<Drawing> {
        let first = if self.app.is_busy() {
            self.messages.try_recv().ok()
        } else {
            match self.patience() {
                Some(patience) => self.messages.recv_timeout(patience).ok(),
                None => self.messages.recv().ok(),
            }
        };
        let now = self.started.elapsed();
        self.act(Action::Tick(now))?;
        let mut only_news = first.is_some();
        let mut next = first;
        let mut taken = 0;
        let mut news = false;
        while let Some(message) = next {
            taken += 1;
            next = if taken < MOST_AT_ONCE { self.messages.try_recv().ok() } else { None };
            match message {
                Message::Session => news = true,
                other => {
                    only_news = false;
                    // Of a drag only its end matters.
                    if !(is_drag(&other) && next.as_ref().is_some_and(is_drag)) {
                        self.take(other)?;
                    }
                }
            }
        }
        if news && !self.quit {
            self.act(Action::Pump)?;
        }
        let loading = self.app.debugger.as_ref().is_some_and(|d| !d.session.is_loaded());
        let recent = self.drawn.is_some_and(|at| at.elapsed() < self.still);
        let nothing = taken == 0 && self.app.is_busy() && self.app.patience().is_none();
        Ok(match recent {
            // (The next wait is no longer than until a drawing is due.)
            true if only_news && loading => Drawing::Later,
            true if nothing => Drawing::AfterWork,
            _ => Drawing::Now,
        })
    }

    fn patience(&self) -> Option<Duration> {
        let loading = self.app.debugger.as_ref().is_some_and(|d| !d.session.is_loaded());
        let drawing = loading.then_some(self.still);
        match (self.app.patience(), drawing) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Goes on with long work for a moment.
    fn work(&mut self) -> Result<()> {
        if self.app.debugger.as_ref().is_some_and(|d| d.more) {
            self.act(Action::Pump)?;
        }
        if self.app.is_busy() {
            self.act(Action::Work)?;
        }
        Ok(())
    }

    fn take(&mut self, message: Message) -> Result<()> {
        match message {
            Message::Input(Event::Key(key)) if key.kind != KeyEventKind::Release => {
                self.act(Action::Key(key))
            }
            Message::Input(Event::Mouse(mouse)) => self.act(Action::Mouse(mouse)),
            Message::Input(Event::Paste(text)) => self.act(Action::Paste(text)),
            Message::Input(Event::Resize(columns, rows)) => self.act(Action::Resize(columns, rows)),
            Message::Input(_) => Ok(()),
            Message::Session => self.act(Action::Pump),
            Message::Browser => self.browse(),
            #[cfg(unix)]
            Message::Signal(signal) => self.signal(signal),
            Message::Done(action) => {
                self.note_answer(&action);
                self.act(*action)
            }
            Message::Panicked(text) => {
                let error = Error::internal(format!("a thread panicked: {text}"));
                self.act(Action::Failed(error))
            }
            Message::InputEnded => self.act(Action::End),
        }
    }

    #[cfg(unix)]
    fn signal(&mut self, signal: i32) -> Result<()> {
        use signal_hook::consts::{SIGCONT, SIGHUP, SIGTERM, SIGTSTP};
        match signal {
            SIGTSTP => self.perform(Effect::Suspend),
            SIGCONT => {
                self.screen.resume()?;
                self.perform(Effect::Redraw)
            }
            SIGTERM | SIGHUP => self.act(Action::End),
            _ => self.act(Action::Do(super::action::Command::Quit, None)),
        }
    }

    fn browse(&mut self) -> Result<()> {
        while let Some(news) = self.cards.as_ref().and_then(|cards| cards.next(Duration::ZERO)) {
            self.act(Action::Browse(news))?;
        }
        Ok(())
    }

    /// Updates, and carries out what that asks for.
    fn act(&mut self, action: Action) -> Result<()> {
        for effect in update(&mut self.app, action) {
            self.perform(effect)?;
        }
        Ok(())
    }

    fn redraw(&mut self) -> Result<()> {
        let (columns, rows) = self.screen.size()?;
        self.screen.clear()?;
        self.act(Action::Resize(columns, rows))
    }

    fn draw(&mut self) -> Result<()> {
        let size = self.screen.size()?;
        if size != self.app.size || self.app.stale {
            self.act(Action::Resize(size.0, size.1))?;
        }
        let started = Instant::now();
        self.screen.draw(&self.app)?;
        self.still = LOADING_FRAME.max(started.elapsed() * READING_SHARE);
        self.drawn = Some(Instant::now());
        Ok(())
    }
}

fn is_drag(message: &Message) -> bool {
    matches!(
        message,
        Message::Input(Event::Mouse(MouseEvent { kind: MouseEventKind::Drag(_), .. }))
    )
}

/// Waits for keys and the mouse, as long as there is a terminal and somebody listens.
fn read_input(sender: &Sender<Message>, gate: &Gate) {
    loop {
        gate.pass();
        match crossterm::event::read() {
            // Movement without a button means nothing here, and there is a lot of it.
            Ok(Event::Mouse(MouseEvent { kind: MouseEventKind::Moved, .. })) => {}
            Ok(event) => {
                if sender.send(Message::Input(event)).is_err() {
                    return;
                }
            }
            Err(_) => {
                let _ = sender.send(Message::InputEnded);
                return;
            }
        }
    }
}
