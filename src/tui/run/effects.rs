//! Carrying effects out: files of the user, the clipboard, the editor, other threads.
//!
//! Lives here: one arm for each effect, and what it needs. May not live here: when an effect is asked
//! for (see [`crate::tui::update()`]).

use std::sync::Arc;
use std::time::Duration;

use super::{Cards, Message, Turner, editor, open, state_file};
use crate::error::{Error, ErrorKind, Result};
use crate::session::Session;
use crate::session::branch_files::BranchFiles;
use crate::session::compare::{Side, compare_in_rows};
use crate::timeline::order::Order;
use crate::tui::TuiOptions;
use crate::tui::action::Action;
use crate::tui::browser::Browser;
use crate::tui::comparison::{Comparing, Comparison};
use crate::tui::effect::Effect;
use crate::tui::pick::Candidate;
use crate::tui::replay::Replaying;
use crate::tui::summaries::bytes_text;

/// The most text that is sent to the clipboard: terminals cut or refuse more.
const MOST_COPIED: usize = 1 << 20;

/// Where the branches of an issue are kept.
fn branches(options: &TuiOptions, issue: &str) -> Result<BranchFiles> {
    match (&options.state_dir, &options.store_path) {
        (Some(dir), Some(store)) => Ok(BranchFiles::new(dir, store, issue)),
        _ => Err(Error::usage("there is no folder for what users keep").with_hint("set HOME")),
    }
}

/// The races of an issue. It is read once more: what the screen shows must not wait for it.
fn races(options: &TuiOptions, issue: &str) -> Result<Action> {
    let session = Session::read_with(&*options.store, issue, options.links)?;
    let timeline = session.timeline();
    let found = Order::new(timeline).races(timeline);
    Ok(Action::Races(issue.to_owned(), found, session.head()))
}

/// How long the alignment of two runs may take before what is left is aligned coarsely.
const ALIGNING: Duration = Duration::from_secs(20);

/// What an issue can be compared with, beside its own sessions: its branches, and other issues, the
/// newest first. What cannot be listed can still be typed.
fn sides(options: &TuiOptions, issue: &str) -> Vec<Candidate> {
    let names = branches(options, issue).map(|files| files.names()).unwrap_or_default();
    let branches = names
        .into_iter()
        .map(|name| Candidate { text: format!("{issue}@{name}"), note: "what-if".to_owned() });
    let mut issues = options.store.issues().unwrap_or_default();
    issues.retain(|entry| entry.issue_key != issue);
    issues.sort_by(|a, b| b.modified.cmp(&a.modified).then(a.issue_key.cmp(&b.issue_key)));
    let issues = issues.into_iter().map(|entry| Candidate {
        text: entry.issue_key,
        note: format!("issue, {}", bytes_text(entry.bytes)),
    });
    branches.chain(issues).collect()
}

/// Reads both sides and aligns them.
fn compare(options: &TuiOptions, comparing: &Comparing) -> Result<Box<Comparison>> {
    let side = |text: &str| {
        let session = |issue: &str| Session::read_with(&*options.store, issue, options.links);
        Side::open(text, session, |issue, name| branches(options, issue)?.load(name))
    };
    let [a, b] = &comparing.names;
    let (mut a, mut b) = (side(a)?, side(b)?);
    let found = compare_in_rows(&mut a, &mut b, &comparing.progress, Some(ALIGNING))?;
    Ok(Box::new(Comparison::new(comparing.names.clone(), [a, b], found)))
}

impl Turner {
    /// Does what an update asks for.
    pub(super) fn perform(&mut self, effect: Effect) -> Result<()> {
        match effect {
            Effect::Quit => self.quit = true,
            Effect::Suspend => {
                self.screen.suspend()?;
                self.redraw()?;
            }
            Effect::Redraw => self.redraw()?,
            Effect::Copy(text) if text.len() > MOST_COPIED => {
                let text = format!("{} bytes are too much for a clipboard", text.len());
                return self.act(Action::Failed(Error::new(ErrorKind::Invalid, text)));
            }
            Effect::Copy(text) => self.screen.copy(&text)?,
            Effect::Open(issue) => {
                let action = match open(&self.options, &issue, &self.sender) {
                    Ok(session) => Action::Opened(Box::new(session)),
                    Err(error) => Action::Failed(error),
                };
                return self.act(action);
            }
            Effect::Browse => return self.start_browser(),
            Effect::Edit(purpose, text) => {
                let action = match self.edit(&text) {
                    Ok(text) => Action::Edited(purpose, text),
                    Err(error) => Action::Failed(error),
                };
                self.redraw()?;
                return self.act(action);
            }
            Effect::FindRaces(issue) => return self.beside(move |options| races(options, &issue)),
            Effect::ListSides(issue) => {
                return self.beside(move |options| Ok(Action::Sides(sides(options, &issue))));
            }
            Effect::Compare(comparing) => {
                return self.beside(move |options| {
                    let result = compare(options, &comparing);
                    Ok(Action::Compared(comparing, result))
                });
            }
            Effect::Replay(replaying) => return self.replay(replaying),
            Effect::Look(looking) => {
                return self.beside(move |options| {
                    let found = (options.replays)().map(|o| super::look(&o, &looking.issue));
                    Ok(Action::Looked(looking, found))
                });
            }
            branches @ (Effect::SaveBranch(..)
            | Effect::ListBranches(_)
            | Effect::LoadBranch(..)
            | Effect::DeleteBranch(..)) => return self.keep_branches(branches),
            Effect::Save(issue, user) => {
                if let Some(file) = state_file(&self.options, &issue)
                    && let Err(error) = user.save(&file)
                {
                    return self.act(Action::Failed(error));
                }
            }
        }
        Ok(())
    }

    fn replay(&mut self, replaying: Replaying) -> Result<()> {
        let begun = replaying.clone();
        self.beside(move |options| {
            let (store, links) = (&*options.store, options.links);
            let outfit = (options.replays)();
            let result = outfit.and_then(|o| super::replay(store, links, &o, &replaying));
            Ok(Action::Replayed(replaying, result))
        })?;
        self.note_execution(begun);
        Ok(())
    }

    /// What is done with the files of branches.
    fn keep_branches(&mut self, effect: Effect) -> Result<()> {
        match effect {
            Effect::SaveBranch(issue, name, branch) => {
                let saved = branches(&self.options, &issue).and_then(|f| f.save(&name, &branch));
                return self.act(match saved {
                    Ok(file) => Action::Told(format!("the branch is kept as {}", file.display())),
                    Err(error) => Action::Failed(error),
                });
            }
            Effect::ListBranches(issue) => return self.list_branches(&issue),
            Effect::LoadBranch(issue, name) => {
                let loaded = branches(&self.options, &issue).and_then(|files| files.load(&name));
                return self.act(match loaded {
                    Ok(branch) => Action::Branch(name, Box::new(branch)),
                    Err(error) => Action::Failed(error),
                });
            }
            Effect::DeleteBranch(issue, name) => {
                if let Err(error) = branches(&self.options, &issue).and_then(|f| f.delete(&name)) {
                    return self.act(Action::Failed(error));
                }
                return self.list_branches(&issue);
            }
            _ => {}
        }
        Ok(())
    }

    fn list_branches(&mut self, issue: &str) -> Result<()> {
        let action = match branches(&self.options, issue) {
            Ok(files) => Action::Branches(files.names()),
            Err(error) => Action::Failed(error),
        };
        self.act(action)
    }

    /// Does long work on a thread of its own; what it comes to is taken in as an action.
    fn beside(
        &self,
        work: impl FnOnce(&TuiOptions) -> Result<Action> + Send + 'static,
    ) -> Result<()> {
        let (options, sender) = (self.options.clone(), self.sender.clone());
        let thread = std::thread::Builder::new().name("beside".into());
        let run = move || {
            let action = work(&options).unwrap_or_else(Action::Failed);
            // Nobody to tell means that the screen is closing.
            let _ = sender.send(Message::Done(Box::new(action)));
        };
        let fault = |e| Error::internal(format!("cannot start a thread: {e}"));
        thread.spawn(run).map(drop).map_err(fault)
    }

    /// Lets the user edit a text in an editor that has the terminal meanwhile.
    fn edit(&mut self, text: &str) -> Result<String> {
        self.gate.close();
        let edited = self.screen.lend(|| editor::edit(text));
        self.gate.open();
        edited
    }

    fn start_browser(&mut self) -> Result<()> {
        let sender = self.sender.clone();
        let woken = move || {
            let _ = sender.send(Message::Browser);
        };
        self.cards = Some(Cards::start(Arc::clone(&self.options.store), woken)?);
        self.app.browser = Some(Browser::new(self.app.clock.now()));
        self.act(Action::Tick(self.started.elapsed()))
    }
}
