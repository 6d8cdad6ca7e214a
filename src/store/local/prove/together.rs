//! Putting together what the threads of a check read of the logs.
//!
//! Lives here: whether blocks make partitions, partitions issues, and issues the global log. May
//! not live here: reading.

use rustc_hash::FxHashMap;

use super::super::summary::Summary;
use super::super::tlog::hashes::Hash;
use super::{Block, Plan};

/// Puts the blocks together.
pub(super) fn conclude(
    plan: &Plan<'_>,
    issues: usize,
    blocks: &[Block],
    leaves: &[Hash],
) -> Option<(u64, u64)> {
    let (mut events, mut bytes) = (0, 0);
    let mut of_issue: Vec<Vec<&Block>> = vec![Vec::new(); issues];
    for partition in &plan.partitions {
        let mut summary: Option<Summary> = None;
        let mut met = vec![false; partition.kept.len()];
        for block in &blocks[partition.blocks.clone()] {
            of_issue[partition.issue].push(block);
            // (Of a record nobody asks what its lines say.)
            let Some(part) = &block.summary else { continue };
            let next = match &mut summary {
                Some(summary) => {
                    summary.join(part);
                    summary
                }
                None => summary.insert(part.clone()),
            };
            for (kept, met) in partition.kept.iter().zip(&mut met) {
                *met |= kept == next;
            }
        }
        if met.contains(&false) {
            return None;
        }
        events += summary.as_ref().map_or(0, |summary| summary.events);
        bytes += summary.as_ref().map_or(0, |summary| summary.bytes);
    }
    let global = &blocks[plan.global.clone()];
    std::thread::scope(|scope| {
        // The one sorts, the other walks: about as long.
        let sound = scope.spawn(|| of_issue.iter().all(|b| is_gapless(b) && are_distinct(b)));
        let logged = match plan.only {
            None => is_what_was_logged(&of_issue, global, leaves),
            Some(_) => is_among_what_was_logged(&of_issue, global, leaves),
        };
        sound.join().is_ok_and(|sound| sound && logged)
    })
    .then_some((events, bytes))
}

fn is_gapless(blocks: &[&Block]) -> bool {
    let mut next = 1;
    blocks.iter().filter(|block| !block.ids.is_empty()).all(|block| {
        let follows = block.first_sequence == next;
        next += block.ids.len() as u64;
        follows
    })
}

fn are_distinct(blocks: &[&Block]) -> bool {
    let mut ids: Vec<u64> = blocks.iter().flat_map(|block| block.ids.iter().copied()).collect();
    ids.sort_unstable();
    ids.windows(2).all(|pair| pair[0] != pair[1])
}

/// One issue's lines while they are met in the order of all.
struct Reader<'a> {
    blocks: &'a [&'a Block],
    block: usize,
    line: usize,
}

impl Reader<'_> {
    /// The keyed hash of the line that is to come next.
    fn peek(&mut self) -> Option<u64> {
        while self.blocks.get(self.block)?.alike.len() == self.line {
            (self.block, self.line) = (self.block + 1, 0);
        }
        Some(self.blocks[self.block].alike[self.line])
    }

    /// Passes it, and gives its leaf hash.
    fn pass(&mut self) -> &Hash {
        self.line += 1;
        &self.blocks[self.block].leaves[self.line - 1]
    }
}

/// Whether the leaf hashes are those of all lines, each issue's in their order, and the global log
/// has the same lines in the same order.
fn is_what_was_logged(issues: &[Vec<&Block>], global: &[Block], leaves: &[Hash]) -> bool {
    let mut readers = readers(issues);
    // The issue whose next line has this keyed hash. No two have the same line, for each names its
    // issue.
    let mut next = FxHashMap::<u64, usize>::default();
    for (issue, reader) in readers.iter_mut().enumerate() {
        if let Some(line) = reader.peek()
            && next.insert(line, issue).is_some()
        {
            return false;
        }
    }
    let mut last: Option<(u64, usize)> = None;
    let mut lines = global.iter().flat_map(|block| block.alike.iter());
    for leaf in leaves {
        let Some(line) = lines.next() else { return false };
        // Most often the issue is that of the line before: it need not go through the map.
        let issue = match last.take() {
            Some((hash, issue)) if hash == *line => issue,
            other => {
                if let Some((hash, issue)) = other
                    && next.insert(hash, issue).is_some()
                {
                    return false;
                }
                let Some(issue) = next.remove(line) else { return false };
                issue
            }
        };
        let reader = &mut readers[issue];
        if reader.pass() != leaf {
            return false;
        }
        last = reader.peek().map(|line| (line, issue));
    }
    last.is_none() && next.is_empty() && lines.next().is_none()
}

/// Whether the global log has the lines of one issue in their order, each where its leaf hash
/// stands, and no others of that issue.
fn is_among_what_was_logged(issues: &[Vec<&Block>], global: &[Block], leaves: &[Hash]) -> bool {
    let mut readers = readers(issues);
    let [reader] = &mut readers[..] else { return false };
    let mut before = 0;
    for block in global {
        for (place, line) in block.places.iter().zip(&block.alike) {
            let leaf = leaves.get(before + *place as usize);
            if reader.peek() != Some(*line) || Some(reader.pass()) != leaf {
                return false;
            }
        }
        before += block.lines as usize;
    }
    // (Where the global log ends before the leaf hashes, it says nothing about the last of them.)
    before >= leaves.len() && reader.peek().is_none()
}

fn readers<'a>(issues: &'a [Vec<&'a Block>]) -> Vec<Reader<'a>> {
    issues.iter().map(|blocks| Reader { blocks, block: 0, line: 0 }).collect()
}
