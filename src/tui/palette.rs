//! The palette: every action by fuzzy name, and moments.
//!
//! Lives here: what is typed and what fits it. May not live here: carrying it out.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::action::{COMMANDS, Command, Context};
use super::input::Input;
use super::pane::moved;
use crate::model::Position;

/// One row of the palette.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Go to the position that the typed moment names.
    Go(Position),
    /// An action.
    Command(Command),
    /// Go to where the typed expression holds next.
    Find,
    /// Go to the event that wrote the typed path last.
    Why,
    /// Rehearse a replay of the typed events.
    Replay,
}

/// The words that begin a question of their own, what follows them, and what they do.
pub const QUESTIONS: &[(&str, &str, &str, Choice)] = &[
    ("find", "EXPRESSION", "to where it holds next; n and N go on", Choice::Find),
    ("why", "PATH", "to the event that wrote it last", Choice::Why),
    (
        "replay",
        "FROM TO",
        "rehearse a replay of these events; without TO, to the head",
        Choice::Replay,
    ),
];

/// The palette while it is open.
#[derive(Debug, Clone, Default)]
pub struct Palette {
    /// What is typed.
    pub input: Input,
    /// What fits, best first.
    pub choices: Vec<Choice>,
    /// The selected row.
    pub cursor: usize,
    /// Why what looks like a moment is none here.
    pub fault: Option<String>,
}

impl Palette {
    /// Finds what fits the text that is typed: the moment, if it names one, then the actions of
    /// these contexts.
    pub fn find(&mut self, moment: Result<Position, String>, contexts: &[Context]) {
        let text = self.input.text().trim();
        self.choices.clear();
        self.fault = None;
        self.cursor = 0;
        let debugging = contexts.contains(&Context::Debugger);
        if let Some(question) = question(text).filter(|_| debugging) {
            self.choices.push(question);
            return;
        }
        match moment {
            Ok(position) if !text.is_empty() => self.choices.push(Choice::Go(position)),
            Err(fault) if looks_like_moment(text) => self.fault = Some(fault),
            _ => {}
        }
        let fitting = fitting(text, contexts);
        self.choices.extend(fitting.into_iter().map(Choice::Command));
        if debugging {
            let begun = QUESTIONS.iter().filter(|(word, ..)| word.starts_with(text));
            self.choices.extend(begun.map(|(.., choice)| *choice));
        }
    }

    /// What follows the first word.
    #[must_use]
    pub fn argument(&self) -> &str {
        let text = self.input.text().trim();
        text.split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim())
    }

    /// The selected row.
    #[must_use]
    pub fn chosen(&self) -> Option<Choice> {
        self.choices.get(self.cursor).copied()
    }

    /// Moves the selection.
    pub fn move_by(&mut self, rows: i64) {
        self.cursor = moved(self.cursor, rows, self.choices.len());
    }
}

/// The question that a text begins: a word of the table with a blank behind it.
fn question(text: &str) -> Option<Choice> {
    let (word, _) = text.split_once(char::is_whitespace)?;
    QUESTIONS.iter().find(|(name, ..)| *name == word).map(|(.., choice)| *choice)
}

/// Whether somebody who types this means a moment, so that a fault is worth telling.
fn looks_like_moment(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || c == '@' || c == '-') || text.contains(':')
}

/// The commands whose names or descriptions fit, best first; all of them for no text.
fn fitting(text: &str, contexts: &[Context]) -> Vec<Command> {
    let here = COMMANDS.iter().filter(|spec| contexts.contains(&spec.context));
    if text.is_empty() {
        return here.map(|spec| spec.command).collect();
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::parse(text, CaseMatching::Ignore, Normalization::Smart);
    let mut buffer = Vec::new();
    let mut score = |text: &str| pattern.score(Utf32Str::new(text, &mut buffer), &mut matcher);
    let mut found: Vec<(u32, Command)> = here
        .filter_map(|spec| {
            // A name that fits counts for more than a description that does.
            let name = score(spec.name).map(|s| s * 2);
            name.max(score(spec.doc)).map(|score| (score, spec.command))
        })
        .collect();
    found.sort_by_key(|(score, command)| (std::cmp::Reverse(*score), *command));
    found.into_iter().map(|(_, command)| command).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &[Context] = &[Context::Debugger, Context::Anywhere];

    #[test]
    fn names_are_found_by_some_of_their_letters() {
        assert_eq!(fitting("nxtfail", HERE)[0], Command::NextFailure);
        assert_eq!(fitting("zoom", HERE)[0], Command::Zoom);
        assert!(!fitting("zoom", HERE).contains(&Command::ZoomIn));
        assert!(fitting("qqqq", HERE).is_empty());
        assert!(fitting("", HERE).len() > 30);
    }

    #[test]
    fn a_moment_comes_first_and_its_fault_is_told() {
        let mut palette = Palette { input: Input::of("57"), ..Palette::default() };
        palette.find(Ok(57), HERE);
        assert_eq!(palette.chosen(), Some(Choice::Go(57)));
        palette.find(Err("beyond the head".into()), HERE);
        assert_eq!(palette.fault.as_deref(), Some("beyond the head"));
        palette.input = Input::of("zoom");
        palette.find(Err("no such event".into()), HERE);
        assert_eq!((palette.chosen(), palette.fault), (Some(Choice::Command(Command::Zoom)), None));
    }
}
