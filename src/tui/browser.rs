//! The list of issues: what is in it, in which order, what is filtered, selected and seen.
//!
//! Lives here: the cards as they come, sorted and filtered as they are placed, and what keys do to
//! the list. May not live here: drawing (see [`super::view::browser`]) and reading the store (see
//! [`crate::session::browse`]).

mod order;

#[cfg(test)]
mod tests;

use rustc_hash::FxHashMap;

use super::action::Command;
use super::input::Input;
use super::pane::motion;
use super::view::browser::list_rows;
use crate::model::Timestamp;
use crate::session::browse::{BrowseNews, IssueCard};

pub use order::SortKey;
use order::{Filter, Order};

/// An issue whose last event is not older than this counts as live, in milliseconds.
pub const LIVE_MS: i64 = 60_000;

/// The list of issues.
#[derive(Debug)]
pub struct Browser {
    cards: Vec<IssueCard>,
    numbers: FxHashMap<String, usize>,
    /// When a log that was known before was seen to grow.
    grown: FxHashMap<String, Timestamp>,
    order: Order,
    filter: Input,
    typing: bool,
    /// The issue that is selected; none stands for the first.
    selected: Option<String>,
    top: usize,
    height: u16,
    now: Timestamp,
    complete: bool,
    fault: Option<String>,
    key_columns: usize,
    totals: Totals,
}

/// All issues together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// How many events.
    pub events: u64,
    /// How many events of severity error or worse.
    pub errors: u64,
    /// How many agents run.
    pub agents_running: usize,
}

/// A row that is seen.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The issue.
    pub card: &'a IssueCard,
    /// Whether it is selected.
    pub selected: bool,
    /// Whether events come in.
    pub live: bool,
}

impl Browser {
    /// An empty list, before anything was read.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            cards: Vec::new(),
            numbers: FxHashMap::default(),
            grown: FxHashMap::default(),
            order: Order::default(),
            filter: Input::default(),
            typing: false,
            selected: None,
            top: 0,
            height: 0,
            now,
            complete: false,
            fault: None,
            key_columns: 0,
            totals: Totals::default(),
        }
    }

    /// Takes what the reading thread says. The work is in proportion to the news.
    pub fn take(&mut self, news: BrowseNews) {
        match news {
            BrowseNews::Cards(cards) => {
                self.fault = None;
                cards.into_iter().for_each(|card| self.place(card));
            }
            BrowseNews::Gone(keys) => self.remove(&keys),
            BrowseNews::Complete => self.complete = true,
            BrowseNews::Fault(fault) => self.fault = Some(fault),
        }
    }

    fn place(&mut self, card: IssueCard) {
        self.key_columns = self.key_columns.max(super::text::columns(&card.issue_key, 24));
        let number = match self.numbers.get(&card.issue_key) {
            Some(number) => *number,
            None => {
                self.numbers.insert(card.issue_key.clone(), self.cards.len());
                self.add(&card, true);
                self.cards.push(card);
                self.order.place(self.cards.len() - 1, &self.cards);
                return;
            }
        };
        self.order.take_out(number);
        if let Some(slot) = self.cards.get_mut(number) {
            let before = std::mem::replace(slot, card);
            let card = slot.clone();
            if card.events > before.events {
                self.grown.insert(card.issue_key.clone(), self.now);
            }
            self.add(&before, false);
            self.add(&card, true);
        }
        self.order.place(number, &self.cards);
    }

    /// Counts a card in, or out.
    fn add(&mut self, card: &IssueCard, more: bool) {
        let Totals { events, errors, agents_running } = &mut self.totals;
        if more {
            *events += card.events;
            *errors += card.errors;
            *agents_running += card.agents_running;
        } else {
            *events = events.saturating_sub(card.events);
            *errors = errors.saturating_sub(card.errors);
            *agents_running = agents_running.saturating_sub(card.agents_running);
        }
    }

    fn remove(&mut self, keys: &[String]) {
        for card in self.cards.clone().iter().filter(|card| keys.contains(&card.issue_key)) {
            self.add(card, false);
            self.grown.remove(&card.issue_key);
        }
        self.cards.retain(|card| !keys.contains(&card.issue_key));
        self.numbers =
            self.cards.iter().enumerate().map(|(n, card)| (card.issue_key.clone(), n)).collect();
        self.order.sort(&self.cards);
    }

    /// Tells what time it is, for the ages of the issues.
    pub fn tick(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// Tells how many rows there are, before they are drawn.
    pub fn prepare(&mut self, height: u16) {
        self.height = height;
        self.top = self.top_for(list_rows(height));
    }

    /// The first row that is seen when so many are: the selected one is among them.
    pub(super) fn top_for(&self, rows: usize) -> usize {
        let most = self.order.len().saturating_sub(rows.max(1));
        let at = self.selected_row();
        self.top
            .clamp((at + 1).saturating_sub(rows), at.max((at + 1).saturating_sub(rows)))
            .min(most)
    }

    /// The rows from `top` on, as many as are seen.
    pub(super) fn rows(&self, top: usize, count: usize) -> impl Iterator<Item = Row<'_>> {
        let selected = self.selected_row();
        let seen = self.order.numbers().iter().enumerate().skip(top).take(count);
        seen.filter_map(move |(at, number)| {
            let card = self.cards.get(*number)?;
            Some(Row { card, selected: at == selected, live: self.is_live(card) })
        })
    }

    /// Whether events come in: the last is young, or the log was just seen to grow.
    fn is_live(&self, card: &IssueCard) -> bool {
        let young = |at: Timestamp| (0..=LIVE_MS).contains(&(self.now.millis() - at.millis()));
        card.last.is_some_and(young) || self.grown.get(&card.issue_key).is_some_and(|at| young(*at))
    }

    /// How many issues are live. Those that are not listed count too.
    #[must_use]
    pub fn live(&self) -> usize {
        self.cards.iter().filter(|card| self.is_live(card)).count()
    }

    /// How many issues there are, and how many of them the filter lets through.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.cards.len(), self.order.len())
    }

    /// All issues together.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Whether every issue was read once.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Why the store cannot be read at the moment.
    #[must_use]
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// What the list is sorted by, and whether the other way round.
    #[must_use]
    pub fn sorting(&self) -> (SortKey, bool) {
        self.order.sorting()
    }

    /// What is filtered by.
    #[must_use]
    pub fn filter(&self) -> &Input {
        &self.filter
    }

    /// Whether the keys go to the filter.
    #[must_use]
    pub fn is_typing(&self) -> bool {
        self.typing
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The width of the longest key.
    pub(super) fn key_columns(&self) -> usize {
        self.key_columns
    }

    fn selected_row(&self) -> usize {
        let number = self.selected.as_ref().and_then(|key| self.numbers.get(key));
        number.and_then(|number| self.order.row_of(*number)).unwrap_or_default()
    }

    /// The key of the selected issue.
    #[must_use]
    pub fn selected(&self) -> Option<&str> {
        let number = self.order.numbers().get(self.selected_row())?;
        self.cards.get(*number).map(|card| card.issue_key.as_str())
    }

    fn select_row(&mut self, row: usize) {
        let row = row.min(self.order.len().saturating_sub(1));
        let card = self.order.numbers().get(row).and_then(|number| self.cards.get(*number));
        self.selected = card.map(|card| card.issue_key.clone());
        self.top = self.top_for(list_rows(self.height));
    }

    fn move_by(&mut self, rows: i64) {
        let row = i64::try_from(self.selected_row()).unwrap_or(i64::MAX).saturating_add(rows);
        self.select_row(usize::try_from(row.max(0)).unwrap_or(usize::MAX));
    }

    /// The first of the list is selected again, whichever it is.
    fn select_first(&mut self) {
        self.selected = None;
        self.top = 0;
    }

    /// Carries out a command; gives the issue that is to be opened.
    pub fn command(&mut self, command: Command, count: Option<u32>) -> Option<String> {
        match (command, count) {
            // The first stays selected then, whichever it is.
            (Command::Top, _) => self.select_first(),
            (Command::Bottom, Some(row)) => self.select_row((row as usize).saturating_sub(1)),
            _ => {
                if let Some(rows) = motion(command, count, list_rows(self.height)) {
                    self.move_by(rows);
                }
            }
        }
        match command {
            Command::Open => return self.selected().map(str::to_owned),
            Command::Search => self.typing = true,
            Command::Sort => self.sort_by(self.order.sorting().0.next(), false),
            Command::Reverse => {
                let (key, reversed) = self.order.sorting();
                self.sort_by(key, !reversed);
            }
            Command::Cancel => self.set_filter(Input::default()),
            Command::Accept => {
                self.typing = false;
                return self.selected().map(str::to_owned);
            }
            Command::Discard => {
                self.typing = false;
                self.set_filter(Input::default());
            }
            Command::KeepFilter => self.typing = false,
            _ => {}
        }
        None
    }

    /// Changes what is filtered by.
    pub fn edit(&mut self, change: impl FnOnce(&mut Input)) {
        let mut input = self.filter.clone();
        change(&mut input);
        self.set_filter(input);
    }

    fn sort_by(&mut self, key: SortKey, reversed: bool) {
        self.order.sort_by(key, reversed, &self.cards);
        self.select_first();
    }

    fn set_filter(&mut self, input: Input) {
        if input.text() != self.filter.text() {
            self.order.filter(Filter::of(input.text()), &self.cards);
            self.select_first();
        }
        self.filter = input;
    }

    /// Selects the row that was clicked on; a click on the selected one gives it to be opened.
    pub fn click(&mut self, row: u16) -> Option<String> {
        let within = usize::from(row.checked_sub(super::view::browser::FIRST_ROW)?);
        if within >= list_rows(self.height) || self.top + within >= self.order.len() {
            return None;
        }
        let row = self.top + within;
        if row == self.selected_row() && self.selected.is_some() {
            return self.selected().map(str::to_owned);
        }
        self.select_row(row);
        None
    }

    /// Moves the selection, as the wheel does.
    pub fn scroll(&mut self, rows: i64) {
        self.move_by(rows);
    }
}
