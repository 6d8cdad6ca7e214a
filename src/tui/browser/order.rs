//! In which order issues are listed, and which of them.
//!
//! Lives here: comparing, fuzzy matching, and placing one card without sorting all. May not live
//! here: what is selected.

use std::cmp::Ordering;

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::closed_list;
use crate::session::browse::IssueCard;

closed_list! {
    /// What the list of issues is sorted by.
    pub enum SortKey {
        /// The last event, newest first.
        Activity = "activity",
        /// The key; numbers in it count as numbers.
        Key = "key",
        /// The status, what runs first.
        Status = "status",
        /// The agents that run, most first.
        Agents = "agents",
        /// The events, most first.
        Events = "events",
        /// The errors, most first.
        Errors = "errors",
    }
}

impl SortKey {
    /// The one after this, round and round.
    #[must_use]
    pub fn next(self) -> Self {
        Self::ALL[(self as usize + 1) % Self::ALL.len()]
    }

    fn compare(self, a: &IssueCard, b: &IssueCard) -> Ordering {
        match self {
            Self::Activity => b.last.cmp(&a.last),
            Self::Key => Ordering::Equal,
            Self::Status => {
                status_rank(&a.status).cmp(&status_rank(&b.status)).then(b.last.cmp(&a.last))
            }
            Self::Agents => b.agents_running.cmp(&a.agents_running).then(b.agents.cmp(&a.agents)),
            Self::Events => b.events.cmp(&a.events),
            Self::Errors => b.errors.cmp(&a.errors),
        }
    }
}

fn status_rank(status: &str) -> u8 {
    match status {
        "in_progress" => 0,
        "paused" => 1,
        "failed" => 2,
        "cancelled" => 4,
        "completed" => 5,
        _ => 3,
    }
}

/// Compares keys so that PROJ-9 comes before PROJ-10.
fn compare_keys(a: &str, b: &str) -> Ordering {
    let split = |key: &str| {
        let digits = key.len() - key.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let (word, number) = key.split_at(key.len() - digits);
        (word.to_owned(), number.parse::<u64>().unwrap_or_default())
    };
    split(a).cmp(&split(b)).then_with(|| a.cmp(b))
}

/// What is typed to find issues.
#[derive(Debug)]
pub(super) struct Filter {
    pattern: Pattern,
    matcher: Matcher,
}

impl Filter {
    /// The filter for what was typed; none for nothing.
    pub(super) fn of(text: &str) -> Option<Self> {
        if text.trim().is_empty() {
            return None;
        }
        let pattern = Pattern::parse(text, CaseMatching::Smart, Normalization::Smart);
        Some(Self { pattern, matcher: Matcher::new(Config::DEFAULT) })
    }

    fn score(&mut self, card: &IssueCard) -> Option<u32> {
        // Enough of a long summary to find it, and no more.
        let summary = &card.summary[..card.summary.floor_char_boundary(400)];
        let text = format!("{} {summary} {} {}", card.issue_key, card.phase, card.status);
        let mut buffer = Vec::new();
        self.pattern.score(Utf32Str::new(&text, &mut buffer), &mut self.matcher)
    }
}

/// The numbers of the cards that are listed, in order.
#[derive(Debug)]
pub(super) struct Order {
    listed: Vec<usize>,
    /// How well each card fits the filter, by number; 0 without one, none when it does not.
    scores: Vec<Option<u32>>,
    key: SortKey,
    reversed: bool,
    filter: Option<Filter>,
}

impl Default for Order {
    fn default() -> Self {
        let (listed, scores) = (Vec::new(), Vec::new());
        Self { listed, scores, key: SortKey::Activity, reversed: false, filter: None }
    }
}

impl Order {
    pub(super) fn numbers(&self) -> &[usize] {
        &self.listed
    }

    pub(super) fn len(&self) -> usize {
        self.listed.len()
    }

    pub(super) fn sorting(&self) -> (SortKey, bool) {
        (self.key, self.reversed)
    }

    pub(super) fn row_of(&self, number: usize) -> Option<usize> {
        self.listed.iter().position(|listed| *listed == number)
    }

    fn score(&mut self, card: &IssueCard) -> Option<u32> {
        self.filter.as_mut().map_or(Some(0), |filter| filter.score(card))
    }

    fn compare(&self, a: usize, b: usize, cards: &[IssueCard]) -> Ordering {
        let (Some(one), Some(other)) = (cards.get(a), cards.get(b)) else { return a.cmp(&b) };
        let score = |number: usize| self.scores.get(number).copied().flatten();
        let sorted = self
            .key
            .compare(one, other)
            .then_with(|| compare_keys(&one.issue_key, &other.issue_key));
        let sorted = if self.reversed { sorted.reverse() } else { sorted };
        score(b).cmp(&score(a)).then(sorted)
    }

    /// Takes a card out, before it changes.
    pub(super) fn take_out(&mut self, number: usize) {
        if let Some(row) = self.row_of(number) {
            self.listed.remove(row);
        }
    }

    /// Puts a card that is not listed where it belongs, if the filter lets it through.
    pub(super) fn place(&mut self, number: usize, cards: &[IssueCard]) {
        let Some(card) = cards.get(number) else { return };
        let score = self.score(card);
        self.scores.resize(cards.len(), None);
        if let Some(slot) = self.scores.get_mut(number) {
            *slot = score;
        }
        if score.is_some() {
            let before = |other: &usize| self.compare(*other, number, cards) == Ordering::Less;
            let row = self.listed.partition_point(before);
            self.listed.insert(row, number);
        }
    }

    pub(super) fn sort_by(&mut self, key: SortKey, reversed: bool, cards: &[IssueCard]) {
        (self.key, self.reversed) = (key, reversed);
        self.sort(cards);
    }

    pub(super) fn filter(&mut self, filter: Option<Filter>, cards: &[IssueCard]) {
        self.filter = filter;
        self.sort(cards);
    }

    /// Lists all cards anew.
    pub(super) fn sort(&mut self, cards: &[IssueCard]) {
        self.scores = cards.iter().map(|card| self.score(card)).collect();
        let mut listed: Vec<usize> = (0..cards.len())
            .filter(|number| self.scores.get(*number).is_some_and(Option::is_some))
            .collect();
        listed.sort_by(|a, b| self.compare(*a, *b, cards));
        self.listed = listed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_keys_count_as_numbers() {
        let mut keys = ["PROJ-10", "PROJ-9", "AB-11", "PROJ", "PROJ-09", "cg-5ol6"];
        keys.sort_by(|a, b| compare_keys(a, b));
        assert_eq!(keys, ["AB-11", "PROJ", "PROJ-09", "PROJ-9", "PROJ-10", "cg-5ol6"]);
    }
}
