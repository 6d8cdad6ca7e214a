//! Who wrote one path.
//!
//! Lives here: [`Writers`], the answer to that question, and the look-ups in it. May not live here:
//! how it is found.

use super::posts::{Post, View};
use crate::model::Position;

/// Who wrote one path, in order.
#[derive(Debug, Default)]
pub struct Writers<'a> {
    /// Those that wrote it with all of what it is in, before it had a note of its own.
    pub(super) first: Vec<Position>,
    pub(super) own: View<'a>,
    /// Whether the path lies in a list, whose writers these are.
    pub(super) in_list: bool,
}

impl<'a> Writers<'a> {
    /// Those after `at`.
    pub fn after(mut self, at: Position) -> impl Iterator<Item = Position> + use<'a> {
        let first = self.first.split_off(self.first.partition_point(|p| *p <= at));
        first.into_iter().chain(self.own.after(at).map(Post::position))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Position> + '_ {
        self.first.iter().copied().chain(self.own.iter().map(Post::position))
    }

    /// All of them.
    #[must_use]
    pub fn to_vec(&self) -> Vec<Position> {
        self.iter().collect()
    }

    /// Whether this position is one of them.
    #[must_use]
    pub fn contains(&self, position: Position) -> bool {
        self.last_until(position) == Some(position)
    }

    /// From here on they wrote the path by itself or something below it. Those before wrote what it
    /// is in, and may have left it as it was; the values tell.
    #[must_use]
    pub fn sure_from(&self) -> Position {
        let own = self.own.first().filter(|_| !self.in_list);
        own.map_or(Position::MAX, Post::position)
    }

    /// The last one not after `at`.
    #[must_use]
    pub fn last_until(&self, at: Position) -> Option<Position> {
        let first = || self.first[..self.first.partition_point(|p| *p <= at)].last().copied();
        self.own.last_until(at).map(Post::position).or_else(first)
    }

    /// The first one after `at`.
    #[must_use]
    pub fn first_after(&self, at: Position) -> Option<Position> {
        let first = self.first.get(self.first.partition_point(|p| *p <= at)).copied();
        first.or_else(|| self.own.after(at).next().map(Post::position))
    }
}
