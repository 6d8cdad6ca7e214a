//! What to take out of one sequence and put into it to make it another.
//!
//! Lives here: [`edits`], the one place that searches for a short script, by numbers that stand for
//! what is compared; [`numbered`], which gives such numbers. May not live here: what the numbers
//! stand for. (The library makes code of its own for every type and every method it is asked for;
//! one type and one method are a twentieth of that.)

use std::hash::Hash;
use std::time::Instant;

use rustc_hash::FxHashMap;
use similar::DiffOp;
use similar::algorithms::{Capture, Compact, Replace, myers};

/// A short script from `old` to `new`, as Myers' algorithm finds it. After `deadline` what is left
/// gets a coarser one.
#[must_use]
pub fn edits(old: &[u64], new: &[u64], deadline: Option<Instant>) -> Vec<DiffOp> {
    let mut hook = Compact::new(Replace::new(Capture::new()), old, new);
    let (all_old, all_new) = (0..old.len(), 0..new.len());
    match myers::diff_deadline(&mut hook, old, all_old, new, all_new, deadline) {
        Ok(()) => hook.into_inner().into_inner().into_ops(),
        Err(never) => match never {},
    }
}

/// Gives equal items equal numbers, and others other ones, in both sequences.
pub fn numbered<T: Eq + Hash>(
    old: impl IntoIterator<Item = T>,
    new: impl IntoIterator<Item = T>,
) -> (Vec<u64>, Vec<u64>) {
    let mut numbers = FxHashMap::default();
    let mut number = |item| {
        let next = numbers.len() as u64;
        *numbers.entry(item).or_insert(next)
    };
    let old = old.into_iter().map(&mut number).collect();
    (old, new.into_iter().map(number).collect())
}
