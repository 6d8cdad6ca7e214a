//! The positions that wrote a path, packed: most paths were written once or twice, a few by nearly
//! every event.
//!
//! Lives here: [`Posts`], eight bytes for each path; [`Pool`], where the longer lists stand; and
//! [`View`], which looks things up in one. May not live here: which path they belong to.
//!
//! Up to two positions stand in [`Posts`] itself. More are runs of distances: a run is the first
//! position and, in bytes, how far it is from each to the next ([`septets`]). No distance is
//! 0, so a byte 0 behind a distance says that the position it leads to wrote all below the path. A
//! short list is one small run, a long one a list of large ones. A list only ever grows at its end.

use std::iter::successors;

use super::chunks::Chunks;
use crate::model::{Position, septets};

/// A position that wrote a path; one bit tells whether it wrote all below it as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Post(u32);

const WHOLE: u32 = 1 << 31;

impl Post {
    pub(super) fn position(self) -> Position {
        self.0 & !WHOLE
    }

    pub(super) fn is_whole(self) -> bool {
        self.0 & WHOLE != 0
    }
}

/// The positions of one path: up to two (0 for none, as positions begin at 1), or where in the pool
/// they stand.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Posts {
    first: u32,
    second: u32,
}

/// In place of a second position: `first` is the number of a short list. (A log has less than two
/// thousand million events; these are no positions.)
const SHORT: u32 = u32::MAX - 1;
/// In place of a second position: `first` is the number of the last run of a long list.
const LONG: u32 = u32::MAX;

/// A run of positions, with room for `N` bytes of distances.
#[derive(Debug, Clone)]
struct Block<const N: usize> {
    first: Post,
    last: Position,
    used: u8,
    bytes: [u8; N],
}

type Small = Block<23>;

/// A run of a long list.
#[derive(Debug)]
pub(super) struct Large {
    /// The number of the list.
    long: u32,
    block: Block<115>,
}

/// The lists of more than two positions.
#[derive(Debug, Default)]
pub(super) struct Pool {
    short: Chunks<Small>,
    /// Short lists that became long ones: their room is used again.
    free: Vec<u32>,
    large: Chunks<Large>,
    long: Vec<Long>,
}

/// The runs of a long list.
#[derive(Debug)]
pub(super) struct Long {
    /// Their numbers among the large ones.
    runs: Vec<u32>,
    /// Which of them have a whole write.
    wholes: Vec<u32>,
}

impl<const N: usize> Block<N> {
    fn new(first: Post) -> Self {
        Self { first, last: first.position(), used: 0, bytes: [0; N] }
    }

    fn run(&self) -> Run<'_> {
        Run { first: self.first, bytes: self.bytes.get(..usize::from(self.used)).unwrap_or(&[]) }
    }

    /// Adds a later position; says whether there was room, also for saying that it is whole.
    fn push(&mut self, position: Position) -> bool {
        let mut distance = u64::from(position.saturating_sub(self.last));
        let length = septets::length(distance);
        let from = usize::from(self.used);
        if from + length >= N {
            return false;
        }
        let room = self.bytes.get_mut(from..from + length);
        room.into_iter().flatten().for_each(|byte| *byte = septets::take(&mut distance));
        self.used += length as u8;
        self.last = position;
        true
    }

    /// Says that the last position is whole.
    fn mark_whole(&mut self) {
        let Some(before) = self.used.checked_sub(1) else {
            self.first.0 |= WHOLE;
            return;
        };
        if self.bytes.get(usize::from(before)) != Some(&0)
            && let Some(byte) = self.bytes.get_mut(usize::from(self.used))
        {
            *byte = 0;
            self.used += 1;
        }
    }

    /// The same with more room.
    fn grown<const M: usize>(&self) -> Block<M> {
        let mut bytes = [0; M];
        bytes.iter_mut().zip(self.run().bytes).for_each(|(to, from)| *to = *from);
        Block { first: self.first, last: self.last, used: self.used, bytes }
    }
}

impl Pool {
    /// Adds a position that is not before the last one.
    pub(super) fn post(&mut self, posts: &mut Posts, position: Position) {
        match posts.second {
            LONG => self.post_long(posts, position),
            SHORT => self.post_short(posts, position),
            0 if posts.first == 0 => posts.first = position,
            0 if Post(posts.first).position() == position => {}
            0 => posts.second = position,
            second if Post(second).position() == position => {}
            second => {
                let mut block = Small::new(Post(posts.first));
                block.push(Post(second).position());
                if Post(second).is_whole() {
                    block.mark_whole();
                }
                block.push(position);
                *posts = Posts { first: self.add_short(block), second: SHORT };
            }
        }
    }

    fn add_short(&mut self, block: Small) -> u32 {
        let free = self.free.pop();
        if let Some(number) = free
            && let Some(room) = self.short.get_mut(number)
        {
            *room = block;
            return number;
        }
        self.short.push(block)
    }

    fn post_short(&mut self, posts: &mut Posts, position: Position) {
        let Some(block) = self.short.get_mut(posts.first) else { return };
        if block.last == position || block.push(position) {
            return;
        }
        let has_whole = block.run().posts().any(Post::is_whole);
        let mut block = block.grown();
        block.push(position);
        let long = u32::try_from(self.long.len()).unwrap_or(u32::MAX);
        let run = self.large.push(Large { long, block });
        self.long
            .push(Long { runs: vec![run], wholes: if has_whole { vec![run] } else { vec![] } });
        self.free.push(posts.first);
        *posts = Posts { first: run, second: LONG };
    }

    fn post_long(&mut self, posts: &mut Posts, position: Position) {
        let Some(Large { long, block: last }) = self.large.get_mut(posts.first) else { return };
        if last.last == position || last.push(position) {
            return;
        }
        let long = *long;
        posts.first = self.large.push(Large { long, block: Block::new(Post(position)) });
        if let Some(long) = self.long.get_mut(long as usize) {
            long.runs.push(posts.first);
        }
    }

    /// Says that the last position wrote all below the path.
    pub(super) fn mark_whole(&mut self, posts: &mut Posts) {
        match posts.second {
            LONG => {
                let Some(last) = self.large.get_mut(posts.first) else { return };
                last.block.mark_whole();
                if let Some(long) = self.long.get_mut(last.long as usize)
                    && long.wholes.last() != Some(&posts.first)
                {
                    long.wholes.push(posts.first);
                }
            }
            SHORT => {
                if let Some(block) = self.short.get_mut(posts.first) {
                    block.mark_whole();
                }
            }
            0 if posts.first == 0 => {}
            0 => posts.first |= WHOLE,
            _ => posts.second |= WHOLE,
        }
    }

    /// The positions of a path.
    pub(super) fn view(&self, posts: Posts) -> View<'_> {
        match posts.second {
            LONG => {
                let last = self.large.get(posts.first);
                let long = last.and_then(|last| self.long.get(last.long as usize));
                long.map_or_else(View::default, |long| View::Long(&self.large, long))
            }
            SHORT => self.short.get(posts.first).map_or_else(View::default, |b| View::One(b.run())),
            second => View::Few([Post(posts.first), Post(second)]),
        }
    }
}

/// A position and what follows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    first: Post,
    bytes: &'a [u8],
}

impl<'a> Run<'a> {
    fn posts(self) -> impl Iterator<Item = Post> + use<'a> {
        successors(Some(self), Self::next).map(|run| run.first)
    }

    /// What is left without the first.
    fn next(&self) -> Option<Self> {
        let (distance, mut bytes) = septets::split(self.bytes)?;
        let mut first = self.first.position() + Position::try_from(distance).ok()?;
        if let Some((0, rest)) = bytes.split_first() {
            first |= WHOLE;
            bytes = rest;
        }
        Some(Self { first: Post(first), bytes })
    }
}

/// The positions of one path, in order.
#[derive(Debug, Clone, Copy)]
pub(super) enum View<'a> {
    /// One or two, or none.
    Few([Post; 2]),
    /// One run.
    One(Run<'a>),
    /// Runs.
    Long(&'a Chunks<Large>, &'a Long),
}

impl Default for View<'_> {
    fn default() -> Self {
        Self::Few([Post::default(); 2])
    }
}

impl<'a> View<'a> {
    /// How many runs there are.
    fn runs(&self) -> usize {
        match self {
            Self::Few(posts) => posts.iter().filter(|post| **post != Post::default()).count(),
            Self::One(_) => 1,
            Self::Long(_, long) => long.runs.len(),
        }
    }

    fn run(&self, index: usize) -> Option<Run<'a>> {
        match self {
            Self::Few(posts) => posts.get(index).map(|first| Run { first: *first, bytes: &[] }),
            Self::One(run) => (index == 0).then_some(*run),
            Self::Long(pool, long) => Some(pool.get(*long.runs.get(index)?)?.block.run()),
        }
    }

    /// How many runs begin not after `at`.
    fn runs_until(&self, at: Position) -> usize {
        let (mut low, mut high) = (0, self.runs());
        while low < high {
            let middle = low.midpoint(high);
            if self.run(middle).is_some_and(|run| run.first.position() <= at) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// All from this run on.
    fn posts_from(self, index: usize) -> impl Iterator<Item = Post> + use<'a> {
        (index..self.runs()).filter_map(move |index| self.run(index)).flat_map(Run::posts)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.runs() == 0
    }

    pub(super) fn first(&self) -> Option<Post> {
        self.posts_from(0).next()
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Post> + use<'a> {
        self.posts_from(0)
    }

    /// Those after `at`.
    pub(super) fn after(self, at: Position) -> impl Iterator<Item = Post> + use<'a> {
        let run = self.runs_until(at).saturating_sub(1);
        self.posts_from(run).skip_while(move |post| post.position() <= at)
    }

    /// The last one not after `at`.
    pub(super) fn last_until(&self, at: Position) -> Option<Post> {
        let run = self.run(self.runs_until(at).checked_sub(1)?)?;
        run.posts().take_while(|post| post.position() <= at).last()
    }

    /// How many runs may have a whole write.
    fn runs_with_whole(&self) -> usize {
        match self {
            Self::Few(_) | Self::One(_) => self.runs(),
            Self::Long(_, long) => long.wholes.len(),
        }
    }

    fn run_with_whole(&self, index: usize) -> Option<Run<'a>> {
        match self {
            Self::Few(_) | Self::One(_) => self.run(index),
            Self::Long(pool, long) => Some(pool.get(*long.wholes.get(index)?)?.block.run()),
        }
    }

    /// Those that wrote all below the path.
    pub(super) fn wholes(self) -> impl Iterator<Item = Post> + use<'a> {
        let runs = (0..self.runs_with_whole()).filter_map(move |index| self.run_with_whole(index));
        runs.flat_map(Run::posts).filter(|post| post.is_whole())
    }

    /// Whether there is one that wrote all below the path.
    pub(super) fn has_whole(&self) -> bool {
        self.wholes().next().is_some()
    }

    /// The last one before `position` that wrote all below the path.
    pub(super) fn last_whole_before(&self, position: Position) -> Option<Post> {
        (0..self.runs_with_whole()).rev().find_map(|index| {
            let posts = self.run_with_whole(index)?.posts();
            let before = posts.take_while(|post| post.position() < position);
            before.filter(|post| post.is_whole()).last()
        })
    }
}

#[cfg(test)]
mod tests;
