//! A text field with a list of what could be meant: the other side of a comparison.
//!
//! Lives here: what is typed, and which candidates fit it. May not live here: where they come from.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::input::Input;
use super::pane::moved;

/// Something that could be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The text that stands for it.
    pub text: String,
    /// What it is.
    pub note: String,
}

impl Candidate {
    /// The comparison that is there already.
    #[must_use]
    pub fn again(names: &[String; 2]) -> Self {
        Self { text: names.join(" "), note: AGAIN.to_owned() }
    }

    /// Whether it is the comparison that is there already.
    #[must_use]
    pub fn is_again(&self) -> bool {
        self.note == AGAIN
    }
}

/// What the comparison that is there already is called.
const AGAIN: &str = "the last comparison, as it was";

/// The field while it is open.
#[derive(Debug, Clone, Default)]
pub struct Pick {
    /// What is typed.
    pub input: Input,
    /// All candidates, as far as they came.
    all: Vec<Candidate>,
    /// Whether there may come more.
    pub waiting: bool,
    /// The numbers of those that fit, best first.
    fitting: Vec<usize>,
    /// The selected row.
    pub cursor: usize,
}

impl Pick {
    /// A field with these candidates; more may come.
    #[must_use]
    pub fn new(all: Vec<Candidate>) -> Self {
        let mut pick = Self { all, waiting: true, ..Self::default() };
        pick.find();
        pick
    }

    /// More candidates, the last ones. The selected one stays selected.
    pub fn add(&mut self, more: Vec<Candidate>) {
        let selected = self.chosen().cloned();
        self.all.extend(more);
        self.waiting = false;
        self.find();
        let again = self.choices().position(|candidate| Some(candidate) == selected.as_ref());
        self.cursor = again.unwrap_or(0);
    }

    /// Finds what fits the text.
    pub fn find(&mut self) {
        let text = self.input.text().trim();
        self.cursor = 0;
        let mut matcher = Matcher::new(Config::DEFAULT);
        let pattern = Pattern::parse(text, CaseMatching::Ignore, Normalization::Smart);
        let mut buffer = Vec::new();
        let scored = self.all.iter().enumerate().filter_map(|(at, candidate)| {
            let haystack = Utf32Str::new(&candidate.text, &mut buffer);
            Some((pattern.score(haystack, &mut matcher)?, at))
        });
        let mut scored: Vec<(u32, usize)> = scored.collect();
        scored.sort_by_key(|(score, at)| (std::cmp::Reverse(*score), *at));
        self.fitting = scored.into_iter().map(|(_, at)| at).collect();
    }

    /// What fits, best first.
    pub fn choices(&self) -> impl ExactSizeIterator<Item = &Candidate> {
        self.fitting.iter().map(|at| &self.all[*at])
    }

    /// The selected candidate.
    #[must_use]
    pub fn chosen(&self) -> Option<&Candidate> {
        self.fitting.get(self.cursor).map(|at| &self.all[*at])
    }

    /// What is meant: the selected candidate, or what was typed where nothing fits it.
    #[must_use]
    pub fn answer(&self) -> String {
        match self.chosen() {
            Some(candidate) => candidate.text.clone(),
            None => self.input.text().trim().to_owned(),
        }
    }

    /// Moves the selection.
    pub fn move_by(&mut self, rows: i64) {
        self.cursor = moved(self.cursor, rows, self.fitting.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(texts: &[&str]) -> Vec<Candidate> {
        let candidate = |text: &&str| Candidate { text: (*text).into(), note: String::new() };
        texts.iter().map(candidate).collect()
    }

    #[test]
    fn candidates_are_found_by_some_of_their_letters_and_what_none_is_like_is_taken_as_typed() {
        let mut pick = Pick::new(candidates(&["PROJ-1/5e551000", "PROJ-1@b-1"]));
        assert_eq!((pick.choices().len(), pick.answer().as_str()), (2, "PROJ-1/5e551000"));
        pick.input = Input::of("p2");
        pick.find();
        assert_eq!(pick.answer(), "p2");
        pick.add(candidates(&["OPS-7", "PROJ-2"]));
        assert_eq!(pick.answer(), "PROJ-2");
        pick.input = Input::of("A-1 A-2");
        pick.find();
        assert_eq!(pick.answer(), "A-1 A-2");
    }
}
